"""Search: a whole number is what it says; parts of names and numbers are found through tokens, and only real ones."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps
from tests.company import policy
from tests.reads.conftest import Desk

from lipei.domain import commands as c
from lipei.reads import search
from lipei.services import intake
from lipei.store import claim_tokens, crypto, models, policy_tokens

pytestmark = pytest.mark.django_db


def test_search_finds_by_parts_but_only_real_ones(desk: Desk) -> None:
    mine = desk.report()
    models.Claim.objects.filter(id=mine.id).update(unit="beijing")
    assert search.claim_ids("小明", viewer=desk.us.manager1) == [mine.id]
    assert search.claim_ids("明小", viewer=desk.us.manager1) == []
    assert search.claim_ids("138001", viewer=desk.us.manager1) == [mine.id]
    assert search.claim_ids("800138", viewer=desk.us.manager1) == [mine.id]
    assert search.claim_ids("小明", viewer=desk.us.lead1) == []  # another unit
    assert search.claim_ids(mine.claim.number, viewer=desk.us.lead1) == []
    for nothing in ("", " ", "明"):
        assert search.claim_ids(nothing, viewer=desk.us.manager1) == []


def test_search_finds_a_claim_by_part_of_its_number_policy_or_plate(desk: Desk, monkeypatch: Any) -> None:
    given = iter(("261124498677139", "261124350118852"))
    monkeypatch.setattr(intake, "new_number", lambda now, zone: next(given))
    row = policy("C-18-2040", "private_car", {}, name="宋一", phone="13900001111", plate="沪A30040", seed=2)
    policy_tokens.write([row, desk.us.car], models.PolicyToken)
    mine = desk.report(policy_number="C-18-2040", external_number="OLD/4711", phone="13900001111", name="宋一")
    other = desk.report(policy_number="PC-1")
    models.Claim.objects.filter(id=mine.id).update(unit="beijing")
    for words in (
        "261124498",
        "677139",
        "4498677",
        "C-18",
        "c-18-20",
        "2040",
        "/4711",
        "4711",
        "沪A300",
        "30040",
        "a30",
    ):
        assert search.claim_ids(words, viewer=desk.us.manager1) == [mine.id], words
        assert search.claim_ids(words, viewer=desk.us.lead1) == [], words  # another unit
    assert search.claim_ids("261124", viewer=desk.us.manager1) == sorted((mine.id, other.id), reverse=True)
    for nothing in ("4498", "139677", "677139261124", "2018", "18-204018", "沪A040", "一宋"):
        assert search.claim_ids(nothing, viewer=desk.us.manager1) == [], nothing


def test_every_part_of_a_number_that_is_long_enough_holds_a_run_that_is_kept() -> None:
    number = "261124498677139"
    kept = set(crypto.number_tokens(number))
    assert len(kept) == 7
    for length in range(5, len(number) + 1):
        for at in range(len(number) - length + 1):
            runs = crypto.tokens_of(number[at : at + length], crypto.NUMBER_RUN)
            ways = [way for way in (runs[::-2], runs[-2::-2]) if way]
            assert any(set(way) <= kept for way in ways), number[at : at + length]
    for part in (number[:4], number[-4:]):
        assert set(crypto.tokens_of(part, crypto.NUMBER_RUN)) <= kept


def test_a_whole_number_is_what_it_says(desk: Desk) -> None:
    one = desk.report(external_number="A-100", phone="13900001111")
    more = desk.report(external_number="A-1000", phone="13900002222")
    assert search.claim_ids("A-100", viewer=desk.us.manager1) == [one.id]
    assert search.claim_ids("a-100", viewer=desk.us.manager1) == sorted((one.id, more.id), reverse=True)


def test_a_policy_named_later_is_found(desk: Desk) -> None:
    case = desk.report(phone="13900002222")
    assert search.claim_ids("8765", viewer=desk.us.manager1) == []
    row = policy("QZ-9-8765", "private_car", {}, name="王小明", phone="13900001111", seed=2)
    policy_tokens.write([row], models.PolicyToken)
    desk.act(desk.us.manager1, case, "claim", "register", command=c.Register(policy_number="QZ-9-8765"))
    assert search.claim_ids("8765", viewer=desk.us.manager1) == [case.id]


def test_claims_from_before_are_found_by_part_of_their_number_after_an_upgrade(desk: Desk) -> None:
    case = desk.report()
    before = set(models.SearchToken.objects.values_list("token", "claim_id"))
    policy_tokens.write(list(models.Policy.objects.all()), models.PolicyToken)
    policies = set(models.PolicyToken.objects.values_list("token", "policy_id"))
    models.SearchToken.objects.filter(token__in=claim_tokens.of("claim", vars(case.claim))).delete()
    models.PolicyToken.objects.filter(token__in=crypto.number_tokens("PC-1")).delete()
    assert search.claim_ids(case.claim.number[4:], viewer=desk.us.manager1) == []
    importlib.import_module("lipei.store.migrations.0012_number_tokens").fill(apps, None)
    assert set(models.SearchToken.objects.values_list("token", "claim_id")) == before
    assert set(models.PolicyToken.objects.values_list("token", "policy_id")) == policies
    assert search.claim_ids(case.claim.number[4:], viewer=desk.us.manager1) == [case.id]


def test_who_sees_few_claims_finds_them_among_many_of_others(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr(search, "FOUND_MAX", 2)
    oldest, *others = sorted(desk.report().id for _ in range(4))
    models.Claim.objects.filter(id__in=others).update(unit="beijing")
    assert search.claim_ids("小明", viewer=desk.us.lead1) == [oldest]
    assert search.claim_ids("小明", viewer=desk.us.manager1) == others[:0:-1]


def test_a_search_asks_as_little_however_many_claims(desk: Desk, django_assert_max_num_queries: Any) -> None:
    for words in ("小明", "13800", "沪A1234", "261124498", "PC-1"):
        with django_assert_max_num_queries(11):
            search.claim_ids(words, viewer=desk.us.manager1)
    for _ in range(3):
        desk.report(policy_number="PC-1")
    for words in ("小明", "13800", "沪A1234", "261124498", "PC-1"):
        with django_assert_max_num_queries(11):
            search.claim_ids(words, viewer=desk.us.manager1)
