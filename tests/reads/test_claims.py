"""The page of a claim: few queries, masked, and the same scope in lists as on the page."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from tests.company import NOW
from tests.reads.conftest import Desk

from lipei.domain.claims import Case
from lipei.domain.events import Actor, private_fields
from lipei.domain.lifecycle import KINDS, STEPS
from lipei.norms.texts import LANGUAGES, text, texts
from lipei.reads import approvals, claims, duty, masking, payments, people, rulebook, scope, timeline
from lipei.store import models

PEOPLE = (
    "intake1",
    "handler1",
    "handler2",
    "surveyor1",
    "assessor1",
    "approver1",
    "lead1",
    "manager1",
    "finance1",
    "expert1",
    "expert2",
    "investigator1",
    "compliance1",
    "admin1",
    "program",
)


def page(desk: Desk, case: Any, viewer: Actor, language: str = "en", **more: Any) -> Any:
    return claims.page(case.claim.number, viewer=viewer, language=language, now=NOW, **more)


def test_a_page_takes_sixteen_queries_however_much_happened(desk: Desk) -> None:
    small, busy = desk.report(), desk.busy()
    counts = []
    for case in (small, busy):
        with CaptureQueriesContext(connection) as seen:
            assert page(desk, case, desk.us.manager1) is not None
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 16, counts


def test_a_page_shows_everything_masked_in_every_language(desk: Desk) -> None:
    case = desk.busy()
    for language in LANGUAGES:
        found = page(desk, case, desk.us.manager1, language)
        assert found.handler_name.startswith("Handler")
        assert found.timeline and found.promises and found.settlements[0].lines and found.deliveries
        assert all(a.label for a in found.actions) and all(p.why for p in found.promises)
        said = repr(found.case)
        assert "王小明" not in said and "13800138000" not in said
        assert desk.us.car.account_number not in said
    assert page(desk, case, desk.us.manager1, unmask=True).case.parties[1].name == "王小明"


def test_nothing_private_is_left_as_it_is(desk: Desk) -> None:
    """Every private field of every part is masked: a new one cannot be forgotten."""
    secret = "13800138000 王小明 wxm@example.com x.jpg"
    for entity, cls in Case.entities.items():
        filled = cls(part=1, **dict.fromkeys(private_fields(cls), secret))
        party = Case.entities["party"](part=1, name="王小明")
        shown = masking.case(Case(id=1, parts={"party": {1: party}, entity: {2: filled}})).parts[entity][2]
        for name in private_fields(cls):
            value = getattr(shown, name)
            assert "13800138000" not in value and "wxm@" not in value, (entity, name, value)
            assert name in ("email", "file_name") or "王小明" not in value, (entity, name, value)
        assert {f.name for f in fields(cls)} >= private_fields(cls)


@pytest.mark.parametrize("who", PEOPLE)
def test_lists_and_pages_agree_on_who_sees_what(desk: Desk, who: str) -> None:
    cases = [desk.busy(), desk.report(story="另一件"), desk.report(story="第三件")]
    models.Claim.objects.filter(id=cases[1].id).update(unit="beijing", handler=desk.us.handler2.staff_id)
    models.Claim.objects.filter(id=cases[2].id).update(
        unit="", handler=None, duty_person=desk.us.surveyor1.staff_id, duty_due_at=NOW
    )
    viewer = getattr(desk.us, who)
    listed = set(models.Claim.objects.filter(scope.claims(viewer)).values_list("id", flat=True))
    opened = {c.id for c in cases if page(desk, c, viewer) is not None}
    assert listed == opened
    if who == "admin1" or who == "expert2":
        assert not listed
    if who == "expert1":
        assert listed == {cases[0].id}


def test_a_customer_follows_their_own_claim_and_learns_no_secrets(desk: Desk) -> None:
    case, other = desk.busy(), desk.report(story="另一件")
    desk.act(desk.us.lead1, case, "claim", "suspect", 0, claims_reason(), minutes=5)
    me = Actor("customer:1", "王小明", unit=case.claim.number)
    assert page(desk, other, me) is None
    found = page(desk, case, me, "zh-hans")
    kinds = {e.kind for e in found.timeline}
    assert kinds and kinds <= timeline.CUSTOMER_SEES
    assert not any(e.facts for e in found.timeline)
    assert all(rulebook.current().promises.current[p.code].told_to_customer for p in found.promises)
    assert len(found.promises) < len(page(desk, case, desk.us.manager1).promises)
    assert all(d.party == 1 for d in found.deliveries)


def claims_reason() -> Any:
    from lipei.domain.commands import Reasoned

    return Reasoned("照片可疑")


def test_what_customers_see_exists() -> None:
    kinds = {s.event for s in STEPS} | set(KINDS)
    assert kinds >= timeline.CUSTOMER_SEES
    assert kinds >= timeline.PROGRAM_MISSES


def test_every_kind_has_words_and_placeholders_that_are_known(desk: Desk) -> None:
    case = desk.busy()
    entries = timeline.rows(case, desk.us.manager1)
    staff = people.names(timeline.staff_in(entries))
    for language in LANGUAGES:
        for kind in {s.event for s in STEPS} | set(KINDS):
            assert text(f"event.{kind}", language)
        told = timeline.told(
            entries, case=case, viewer=desk.us.manager1, language=language, zone="Asia/Shanghai", staff=staff
        )
        sentences = [t for t in told if t.sentence != t.name]
        assert len(sentences) > len(told) * 0.8, [t.kind for t in told if t.sentence == t.name]
        assert not any("{" in t.sentence or "None" in t.sentence for t in told)


@given(st.text(max_size=30))
def test_a_mask_never_shows_the_whole(value: str) -> None:
    for mask in (masking.phone, masking.id_number, masking.account, masking.name):
        plain = value.strip()
        if len(plain) > 1:
            assert mask(value) != plain or "*" in plain
    assert masking.free_text("电话13800138000") == "电话138****8000"


def test_masks() -> None:
    assert [masking.name(n) for n in ("王小明", "王明", "欧阳小明", "John Smith", "")] == [
        "王*明",
        "王*",
        "欧**明",
        "J*** S***",
        "",
    ]
    for typed in ("13800138000", "138 0013 8000", "138-0013-8000", " 138 00138000 "):
        assert masking.phone(typed) == "138****8000"
        assert masking.free_text(f"电话{typed.strip()}。") == "电话138****8000。"
    assert masking.phone("+86 138-0013-8000") == masking.phone("+8613800138000") == "+86*******8000"
    assert masking.phone("(010) 8820-1234") == "010****1234" and masking.phone("8820 12") == "****12"
    assert masking.id_number("310101 19800101 1234") == "310***********1234"
    assert masking.account("6222 0212 3456 78 90") == "****7890"
    assert masking.id_number("310101198001011234") == "310***********1234"
    assert masking.account("6222020200112233440") == "****3440"
    assert masking.email("wxm@example.com") == "w***@example.com"
    assert masking.file_name("王小明.jpg") == "***.jpg"


def asked_of(viewer: Any) -> tuple[approvals.Waiting, ...]:
    return approvals.waiting(viewer, book=rulebook.current(), language="en", now=NOW)


@pytest.mark.norm("2.2.3")
def test_what_waits_is_not_put_to_who_made_it(desk: Desk) -> None:
    case = desk.report()
    from lipei.domain import commands as c
    from lipei.domain.money import Money

    item = c.ItemAssessed("保险杠", assessed=Money(180_000, "CNY"))
    case = desk.act(desk.us.assessor1, case, "exposure", "assess", 1, c.Assess((item,)))
    assert asked_of(desk.us.assessor1) == ()
    found = asked_of(desk.us.lead1)
    assert [(w.number, w.action, w.amount_minor, w.asked_by) for w in found] == [
        (case.claim.number, "check_assessment", 180_000, "Assessor1")
    ]
    desk.act(desk.us.lead1, case, "exposure", "check_assessment", 1)
    desk.act(desk.us.manager1, case, "exposure", "submit_decision", 1, c.SubmitDecision())
    assert asked_of(desk.us.manager1) == ()
    with CaptureQueriesContext(connection) as seen:
        found = asked_of(desk.us.approver1)
    assert [w.action for w in found] == ["approve_decision"] and len(seen) <= 15
    assert asked_of(desk.us.expert1) == ()


def test_payments_are_listed_with_masked_payees(desk: Desk) -> None:
    case = desk.busy()
    models.Payment.objects.create(
        aggregate_id=case.id, part=1, state="ordered", amount_minor=100, payee=1, end_to_end_id="e-1"
    )
    found = payments.listed(desk.us.finance1, language="en")
    assert [(p.number, p.payee, p.amount_minor) for p in found] == [(case.claim.number, "王*明", 100)]
    assert payments.listed(desk.us.finance1, language="en", before=found[0].cursor) == ()
    assert payments.listed(desk.us.admin1, language="en") == ()
    assert payments.moving() == {"ordered": (1, 100)}


def test_open_duty_calls_are_shown(desk: Desk) -> None:
    case = desk.report()
    models.Claim.objects.filter(id=case.id).update(
        duty_person=desk.us.handler1.staff_id, duty_due_at=NOW - timedelta(minutes=1)
    )
    found = duty.duty(desk.us.handler1, rulebook=rulebook.current(), language="en", now=NOW)
    assert [(call.number, call.person_name, call.late, call.mine) for call in found.calls] == [
        (case.claim.number, "Handler1", True, True)
    ]
    assert found.open_now


def test_actors_have_names_in_every_language() -> None:
    for language in LANGUAGES:
        for actor in ("system:clocks", "system:anything", "token:1", "customer:2"):
            assert people.actor_name(actor, {}, language) != actor
    assert people.actor_name("staff:3", {3: "李"}, "en") == "李"
    assert all(set(texts()[k]) == set(LANGUAGES) for k in texts() if k.startswith(("api.", "actor.")))
