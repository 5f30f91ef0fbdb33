"""Seals: one root over every stream that changed, chained to the one before."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.company import NOW
from tests.jobs.conftest import reported

from lipei.services import seals, verify
from lipei.store import models


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_any_other_leaf_makes_another_root(leaves, data):
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda b: b != leaves[at]))
    assert seals.merkle(leaves) != seals.merkle([*leaves[:at], other, *leaves[at + 1 :]])


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=20, unique=True))
def test_order_and_number_count(leaves):
    assert seals.merkle(leaves) != seals.merkle(leaves[::-1])
    assert seals.merkle(leaves) != seals.merkle([*leaves, leaves[-1]])


def test_a_root_by_hand():
    a, b, c = (bytes([n]) * 32 for n in (1, 2, 3))
    ab = hashlib.sha256(b"\x01" + a + b).digest()
    assert seals.merkle([a]) == a
    assert seals.merkle([a, b, c]) == hashlib.sha256(b"\x01" + ab + c).digest()
    assert seals.merkle([]) == hashlib.sha256(b"").digest()


@pytest.mark.django_db
def test_once_a_day_what_changed_since(people):
    reported(people)
    first = seals.daily(now=NOW)
    assert first is not None and first.streams == models.Stream.objects.count()
    assert seals.daily(now=NOW + timedelta(hours=2)) is None  # the same day at the company's place
    assert seals.daily(now=NOW + timedelta(days=1)) is None  # nothing changed
    reported(people, "two", story="另一件事")
    second = seals.daily(now=NOW + timedelta(days=1))
    assert second is not None and second.streams == 1 and bytes(second.previous) == bytes(first.root)
    assert list(verify.differences(now=NOW)) == []


@pytest.mark.django_db
def test_the_day_is_the_companys(people):
    reported(people)
    evening = NOW.replace(hour=15)  # 23:00 in Shanghai
    assert seals.daily(now=evening) is not None
    reported(people, "two", story="另一件事")
    assert seals.daily(now=evening + timedelta(hours=2)) is not None  # past midnight there, the same day in UTC


@pytest.mark.django_db
def test_a_seal_of_a_clock_that_ran_wrong_keeps_no_day_from_its_own(people):
    reported(people)
    assert seals.daily(now=NOW + timedelta(days=400)) is not None
    reported(people, "two", story="另一件事")
    assert seals.daily(now=NOW) is not None
    reported(people, "three", story="第三件事")
    assert seals.daily(now=NOW + timedelta(hours=1)) is None
    assert list(verify.differences(now=NOW)) == []


@pytest.mark.django_db
def test_many_streams_are_sealed_in_several_steps(people, monkeypatch):
    monkeypatch.setattr(seals, "STREAMS_MAX", 2)
    for n in range(5):
        reported(people, f"k{n}", story=f"第{n}件", loss_at=NOW - timedelta(days=9 * n + 1))
    seals.daily(now=NOW)
    assert list(models.Seal.objects.order_by("id").values_list("streams", flat=True)) == [2, 2, 1]
    assert list(verify.differences(now=NOW)) == []
