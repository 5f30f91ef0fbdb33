"""Who is told what: every step of the customer's way, once, by a channel that reaches them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lipei.domain.claims import (
    Case,
    Claim,
    Clock,
    Consultation,
    Exposure,
    Offer,
    Paper,
    Party,
    Payment,
    Recovery,
    Survey,
)
from lipei.domain.events import Actor, Event
from lipei.domain.messages import Due, MessageTable, Recipient, deliveries_for, direct, overtaken, reachable
from lipei.norms import messages as norm_messages
from lipei.norms import yaml_texts

PATH = Path(norm_messages.__file__).parent / "defaults/messages.yaml"
TABLE = norm_messages.parse(yaml_texts.load(PATH.read_text(encoding="utf-8")))
NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)
HANDLER = 12

ANNA = Party(1, roles=("reporter", "insured", "claimant", "payee"), phone="13800138000", email="anna@example.com")


def case(parties: list[Party] | None = None, claim: dict[str, Any] | None = None, **parts: Any) -> Case:
    root = Claim(**{"number": "LP1", "handler": HANDLER, "language": "zh-hans", "lane": "simple", **(claim or {})})
    everybody = [ANNA] if parties is None else parties
    return Case(
        id=7,
        parts={
            "claim": {0: root},
            "party": {p.part: p for p in everybody},
            **{kind: {p.part: p for p in rows} for kind, rows in parts.items()},
        },
    )


def due(the_case: Case, kind: str, part: int = 0, facts: dict[str, Any] | None = None, sequence: int = 5,
        table: MessageTable = TABLE, by: str = "") -> dict[str, Due]:  # fmt: skip
    found = deliveries_for(
        case=the_case, event=Event(kind, part, facts or {}), stream="claim:7", sequence=sequence, table=table, now=NOW,
        by=Actor(by, "") if by else None,
    )  # fmt: skip
    assert len({d.dedupe for d in found}) == len(found), "keys are unique"
    return {f"{d.message}>{d.to.key}": d for d in found}


def test_who_agreed_to_a_sum_paid_before_is_not_told_when_it_is_paid() -> None:
    head = Exposure(1, state="agreed", claimant=1, payable_minor=100)
    agreed = Offer(2, to=1, exposures=(1,), amount_minor=100, agreed_by="customer:1")
    for paid, told in ((40, True), (100, False)):
        rows: dict[str, Any] = {
            "exposure": [head],
            "offer": [agreed],
            "payment": [Payment(1, "confirmed", exposure=1, offer=1, amount_minor=paid)],
        }
        found = due(case(claim={"lane": "complex"}, **rows), "offer.agreed", 2)
        assert ("offer_agreed>party-1" in found) is told, paid


@pytest.mark.norm("2.2.1")
def test_a_report_is_answered_at_once_with_a_receipt() -> None:
    found = due(case(), "claim.reported")
    assert list(found) == ["receipt>party-1"]
    receipt = found["receipt>party-1"]
    assert receipt.channels == ("sms", "email") and receipt.urgent and receipt.fast and receipt.letter == "receipt"
    assert receipt.due_at == NOW and receipt.language == "zh-hans"


HEAD = Exposure(1, state="approved", claimant=1, cover="own_damage", payable_minor=100)
VISIT = Survey(1, surveyor=31)
STEPS_TOLD = [
    # event, part, what the claim has, who is told what
    ("claim.opinion_given", 0, {}, {"opinion>party-1"}),
    ("claim.papers_requested", 0, {"paper": [Paper(1, asked_of=1)]}, {"papers_request>party-1"}),
    ("paper.refused", 1, {"paper": [Paper(1, state="refused", asked_of=1)]}, {"paper_refused>party-1"}),
    ("survey.scheduled", 1, {"survey": [VISIT]}, {"survey_scheduled>party-1", "staff_survey>staff-31"}),
    ("survey.cancelled", 1, {"survey": [VISIT]}, {"survey_cancelled>party-1", "staff_survey>staff-31"}),
    ("offer.sent", 1, {"offer": [Offer(1, to=1)]}, {"offer_sent>party-1"}),
    ("offer.reminded", 1, {"offer": [Offer(1, to=1)]}, {"offer_reminder>party-1"}),
    ("offer.expired", 1, {"offer": [Offer(1, to=1)]}, {"offer_expired>party-1"}),
    ("offer.code_sent", 1, {"offer": [Offer(1, to=1)]}, {"one_time_code>party-1"}),
    ("exposure.refused", 1, {"exposure": [HEAD]}, {"refusal>party-1"}),
    ("exposure.advanced", 1, {"exposure": [HEAD]}, {"advance>party-1"}),
    ("payment.confirmed", 1, {"payment": [Payment(1, payee=1)]}, {"payment_confirmed>party-1"}),
    ("payment.confirmed", 1, {"payment": [Payment(1, payee=1, kind="advance")]}, {"advance_confirmed>party-1"}),
    (
        "payment.failed", 1, {"payment": [Payment(1, payee=1)]},
        {"payment_failed>party-1", f"staff_payment_failed>staff-{HANDLER}", "staff_payment_failed>role-finance"},
    ),
    ("recovery.overpayment_found", 1, {"recovery": [Recovery(1, debtor=1)]}, {"overpayment>party-1"}),
    ("claim.closed", 0, {}, {"closed>party-1"}),
    ("claim.closed_without_payment", 0, {}, {"closed_without_payment>party-1"}),
    ("claim.withdrawn", 0, {}, {"withdrawn>party-1", f"staff_withdrawn>staff-{HANDLER}"}),
    ("claim.cancelled", 0, {}, {"cancelled>party-1"}),
    ("claim.reopened", 0, {}, {"reopened>party-1", f"staff_reopened>staff-{HANDLER}"}),
    ("exposure.dropped", 1, {"exposure": [HEAD]}, {"head_dropped>party-1"}),
    ("paper.received", 1, {"paper": [Paper(1, state="received")]}, {f"staff_paper_received>staff-{HANDLER}"}),
    (
        "paper.received", 1,
        {"paper": [Paper(1, state="received", required=True), Paper(2, state="requested", required=True)]}, set(),
    ),
    ("offer.declined", 1, {"offer": [Offer(1, to=1)]}, {f"staff_offer_declined>staff-{HANDLER}"}),
    ("offer.agreed", 1, {"offer": [Offer(1, to=1, agreed_by="customer:1")]}, {f"staff_offer_agreed>staff-{HANDLER}"}),
    ("claim.duplicate_linked", 0, {}, {"duplicate_linked>party-1"}),
    ("claim.help_asked", 0, {}, {"staff_help>role-team_lead"}),
    ("claim.customer_wrote", 0, {}, {f"staff_customer_wrote>staff-{HANDLER}"}),
    (
        "consultation.convened", 1, {"consultation": [Consultation(1, experts=(41, 42))]},
        {"staff_consultation>staff-41", "staff_consultation>staff-42"},
    ),
    ("exposure.returned_for_rework", 1, {"exposure": [HEAD]}, {f"staff_rework>staff-{HANDLER}"}),
    ("exposure.decision_overtaken", 1, {"exposure": [HEAD]}, {f"staff_overtaken>staff-{HANDLER}"}),
    ("exposure.assessed", 1, {"exposure": [HEAD]}, set()),
    ("claim.note_added", 0, {}, set()),
    ("claim.suspected", 0, {}, {"staff_suspected>role-investigator"}),
    ("claim.imported", 0, {}, set()),
]  # fmt: skip


@pytest.mark.norm("2.4.1")
@pytest.mark.parametrize(("kind", "part", "parts", "expected"), STEPS_TOLD)
def test_every_step_is_told_to_whom_it_concerns(
    kind: str, part: int, parts: dict[str, Any], expected: set[str]
) -> None:
    assert set(due(case(**parts), kind, part)) == expected


@pytest.mark.norm("1.4.3")
def test_a_colleague_is_not_told_of_their_own_act_and_nobody_else_in_their_place() -> None:
    for kind in ("claim.withdrawn", "claim.reopened", "claim.assigned"):
        assert not [key for key in due(case(), kind, by=f"staff:{HANDLER}") if "staff" in key], kind
        assert [key for key in due(case(), kind, by="staff:31") if key.endswith(f"staff-{HANDLER}")], kind
    assert "withdrawn>party-1" in due(case(), "claim.withdrawn", by=f"staff:{HANDLER}"), (
        "the customer is told all the same"
    )


@pytest.mark.norm("2.1.3")
def test_a_claim_handed_over_is_told_to_who_gets_it_and_to_who_had_it() -> None:
    def told(handler: int | None, by: str) -> set[str]:
        facts = {"from": 31, "to": handler}
        return set(due(case(claim={"handler": handler}), "claim.handed_over", facts=facts, by=by))

    assert told(HANDLER, "staff:31") == {f"staff_assigned>staff-{HANDLER}"}, "who hands over knows it"
    assert told(HANDLER, "staff:55") == {f"staff_assigned>staff-{HANDLER}", "staff_handed_on>staff-31"}
    assert told(None, "staff:31") == {"staff_handed_to_unit>role-team_lead"}, "a unit: whoever leads it"
    again = due(case(), "claim.assigned", facts={"before": HANDLER, "handler": HANDLER})
    assert set(again) == {f"staff_assigned>staff-{HANDLER}"}, "it is theirs as before"


def test_what_was_agreed_beforehand_calls_no_colleague() -> None:
    offer = Offer(1, to=1, agreed_by="system:straight-through")
    assert set(due(case(offer=[offer]), "offer.agreed", 1)) == {"offer_agreed_beforehand>party-1"}


@pytest.mark.norm("2.2.4")
def test_letters_go_with_the_messages_that_need_one() -> None:
    letters = {code: row.letter for code, row in TABLE.rows.items() if row.letter}
    assert letters == {
        "receipt": "receipt", "papers_request": "paper_request", "offer_sent": "settlement",
        "result_zero": "settlement", "payment_confirmed": "settlement", "offer_agreed_beforehand": "settlement",
        "refusal": "refusal", "refusal_in_part": "refusal", "advance": "advance", "advance_confirmed": "advance",
        "guarantee_letter": "guarantee",
        "undisputed": "advance", "undisputed_confirmed": "advance",
    }  # fmt: skip


@pytest.mark.norm("2.4.1")
def test_what_has_been_overtaken_is_not_said_any_more() -> None:
    """A message that a night or an outage held back is looked at again before it leaves."""

    def gone(message: str, event: str, part: int, **parts: Any) -> bool:
        return overtaken(case=case(**parts), event=Event(event, part, {}), message=message, table=TABLE)

    asked, here = Paper(1, required=True), Paper(1, required=True, state="accepted")
    assert not gone("papers_request", "claim.papers_requested", 0, paper=[asked])
    assert gone("papers_request", "claim.papers_requested", 0, paper=[here])
    for state, expected in (("sent", False), ("agreed", True), ("declined", True), ("expired", True)):
        assert gone("offer_sent", "offer.sent", 1, offer=[Offer(1, state=state)]) is expected
    for state, expected in (("failed", False), ("approved", True), ("confirmed", True)):
        assert gone("payment_failed", "payment.failed", 1, payment=[Payment(1, state=state)]) is expected
    assert gone("closed", "claim.closed", 0) and not gone("closed", "claim.closed", 0, claim={"closed_at": NOW})
    # What nobody asked to be looked at again is always said, and so is a message that the table no longer has.
    assert not gone("receipt", "claim.reported", 0) and not gone("no_such_message", "claim.reported", 0)


def test_what_the_law_wants_said_is_never_overtaken() -> None:
    for code in (
        "refusal",
        "refusal_in_part",
        "overpayment",
        "receipt",
        "one_time_code",
        "portal_code",
        "payment_confirmed",
    ):
        assert TABLE.rows[code].still is None, code


@pytest.mark.norm("2.3.2")
def test_the_fast_lane_is_told_once_and_wakes_the_handler() -> None:
    the_case = case(claim={"fast_lane": True})
    first, second = due(the_case, "claim.triaged", sequence=2), due(the_case, "claim.triaged", sequence=9)
    assert set(first) == {"fast_lane>party-1", f"staff_fast_lane>staff-{HANDLER}"}
    assert all(d.urgent and d.fast for d in first.values())
    assert {d.dedupe for d in first.values()} == {d.dedupe for d in second.values()}, "a second triage says nothing new"
    assert due(case(), "claim.triaged") == {}


@pytest.mark.norm("2.3.3")
def test_the_duty_call_goes_to_the_person_called() -> None:
    found = due(case(claim={"duty_person": 55}), "claim.duty_called")
    assert set(found) == {"staff_duty_call>staff-55"} and found["staff_duty_call>staff-55"].urgent
    assert set(due(case(), "claim.duty_unmanned")) == {
        "staff_duty_unmanned>role-team_lead",
        "staff_duty_unmanned>role-manager",
    }


def test_a_new_handler_is_told_only_to_who_has_heard_from_us() -> None:
    assert set(due(case(), "claim.assigned")) == {f"staff_assigned>staff-{HANDLER}"}
    told = case(claim={"last_told_at": NOW})
    assert set(due(told, "claim.assigned")) == {f"staff_assigned>staff-{HANDLER}", "new_handler>party-1"}
    unit = case(claim={"last_told_at": NOW, "handler": None})
    assert due(unit, "claim.assigned") == {}, "a unit's queue is nobody to be named"


def test_the_result_is_told_apart_from_the_offer_only_where_time_passes_between_them() -> None:
    def told(lane: str, payable: int, ex_gratia: int = 0, state: str = "approved", refused: int = 0) -> set[str]:
        sums = {"payable_minor": payable, "ex_gratia_minor": ex_gratia, "refused_minor": refused}
        head = Exposure(1, state=state, claimant=1, **sums)
        return set(due(case(claim={"lane": lane}, exposure=[head]), "exposure.decision_approved", 1))

    assert told("simple", 100) == set()
    assert told("complex", 100) == {"result_approved>party-1"}
    assert told("simple", 0) == told("complex", 0) == {"result_zero>party-1"}
    assert told("complex", 0, 50) == set()
    assert told("complex", 100, state="submitted") == set()
    assert told("simple", 100, refused=1) == {"refusal_in_part>party-1"}
    assert told("complex", 100, refused=1) == {"result_approved>party-1", "refusal_in_part>party-1"}
    assert told("simple", 0, 50, refused=1) == {"refusal_in_part>party-1"}


def test_papers_complete_is_told_when_the_last_required_one_is_in() -> None:
    def told(*states: str, requests: int = 1, required: bool = True) -> set[str]:
        rows = [Paper(i, state=s, asked_of=1, required=required) for i, s in enumerate(states, 1)]
        return set(due(case(claim={"papers_requests": requests}, paper=rows), "paper.accepted", 1))

    assert told("accepted", "waived") == {"papers_complete>party-1"}
    assert told("accepted", "requested") == set()
    assert told("accepted", "refused") == set()
    assert told("accepted", "accepted", requests=0) == set()
    assert told("accepted", "requested", required=False) == set(), (
        "a paper sent beside the required ones completes nothing"
    )


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("binds", "told_at", "expected"),
    [
        ("team", None, set()),
        ("company", None, set()),
        ("company", NOW, {"delay_apology>party-1"}),
        ("law", None, {"staff_law_breached>role-manager"}),
        ("law", NOW, {"delay_apology>party-1", "staff_law_breached>role-manager"}),
    ],
)
def test_a_broken_promise_reaches_whom_it_names_and_the_customer_who_was_given_the_date(
    binds: str, told_at: datetime | None, expected: set[str]
) -> None:
    always = {f"staff_clock_breached>staff-{HANDLER}", "staff_clock_breached>role-compliance"}
    clock, tell = Clock(1, binds=binds, told_due_at=told_at), {"tell": ("handler", "compliance")}
    assert set(due(case(clock=[clock]), "clock.breached", 1, facts=tell)) == always | expected
    assert set(due(case(clock=[clock]), "clock.warned", 1, facts=tell)) == {
        f"staff_clock_warned>staff-{HANDLER}", "staff_clock_warned>role-compliance"
    }  # fmt: skip
    unassigned = case(clock=[clock], claim={"handler": None})
    assert set(due(unassigned, "clock.warned", 1, facts={"tell": ("handler",)})) == {
        "staff_clock_warned>role-team_lead"
    }
    assert due(case(clock=[clock]), "clock.warned", 1, facts={"tell": ()}) == {}


@pytest.mark.norm("2.4.1")
def test_a_customer_whom_nothing_reached_is_put_to_a_person_and_never_in_a_circle() -> None:
    assert set(due(case(), "notice.failed", facts={"party": 1})) == {f"staff_unreachable>staff-{HANDLER}"}
    assert due(case(), "notice.failed", facts={"party": 0}) == {}
    assert due(case(), "notice.failed") == {}


def test_the_same_event_gives_the_same_keys_and_another_event_others() -> None:
    first = due(case(), "claim.opinion_given", sequence=4)
    assert [d.dedupe for d in first.values()] == ["claim:7:4:opinion:party-1"]
    assert first == due(case(), "claim.opinion_given", sequence=4)
    assert {d.dedupe for d in due(case(), "claim.opinion_given", sequence=5).values()} != {
        d.dedupe for d in first.values()
    }


def test_only_channels_with_an_address_are_tried_in_the_order_of_the_table() -> None:
    both, phone, mail, none = (Party(1, phone=p, email=e) for p, e in (("1", "a"), ("1", ""), ("", "a"), ("", "")))
    assert [reachable(p, ("email", "sms")) for p in (both, phone, mail, none)] == [
        ("email", "sms"),
        ("sms",),
        ("email",),
        (),
    ]


def test_a_message_for_somebody_without_address_is_due_all_the_same() -> None:
    silent = Party(1, roles=("reporter", "claimant"))
    found = due(case([silent]), "claim.opinion_given")
    assert found["opinion>party-1"].channels == (), "a person has to tell them"


def test_of_alternatives_the_first_who_can_be_reached_is_told() -> None:
    silent = Party(2, roles=("claimant",))
    head = Exposure(1, state="refused", claimant=2)
    assert set(due(case([ANNA, silent], exposure=[head]), "exposure.refused", 1)) == {"refusal>party-1"}


def test_the_exposures_claimant_is_told_and_not_everybody() -> None:
    bob = Party(2, roles=("claimant", "injured"), phone="2", language="en")
    heads = [Exposure(1, claimant=1), Exposure(2, state="refused", claimant=2)]
    found = due(case([ANNA, bob], exposure=heads), "exposure.refused", 2)
    assert set(found) == {"refusal>party-2"} and found["refusal>party-2"].language == "en"
    payment = Payment(1, exposure=2, payee=None)
    assert set(due(case([ANNA, bob], exposure=heads, payment=[payment]), "payment.confirmed", 1)) == {
        "payment_confirmed>party-1"
    }


def test_the_end_of_a_claim_is_told_to_every_claimant_once() -> None:
    bob = Party(2, roles=("claimant",), phone="2")
    heads = [Exposure(1, claimant=1), Exposure(2, claimant=2), Exposure(3, claimant=2)]
    assert set(due(case([ANNA, bob], exposure=heads), "claim.closed")) == {"closed>party-1", "closed>party-2"}


def test_a_child_is_spoken_to_through_the_guardian() -> None:
    child = Party(2, roles=("claimant", "injured"), phone="2")
    guardian = Party(3, roles=("guardian",), phone="3", acts_for=2)
    head = Exposure(1, state="refused", claimant=2)
    assert set(due(case([ANNA, child, guardian], exposure=[head]), "exposure.refused", 1)) == {"refusal>party-3"}


def test_an_agent_is_told_where_the_principal_left_no_address() -> None:
    principal, agent = Party(2, roles=("claimant",)), Party(3, roles=("agent",), phone="3", acts_for=2)
    head = Exposure(1, state="refused", claimant=2)
    assert set(due(case([ANNA, principal, agent], exposure=[head]), "exposure.refused", 1)) == {"refusal>party-3"}


def test_a_hospital_learns_of_its_guarantee() -> None:
    hospital = Party(2, roles=("hospital",), email="h@example.com")
    found = due(case([ANNA, hospital], exposure=[Exposure(1, claimant=1)]), "exposure.guaranteed", 1)
    assert set(found) == {"guarantee>party-1", "guarantee_letter>party-2"}
    letter = found["guarantee_letter>party-2"]
    assert (letter.channels, letter.letter, letter.urgent) == (("email",), "guarantee", True)


def test_what_nobody_disputes_is_told_by_its_name_and_an_advance_by_its_own() -> None:
    head = [Exposure(1, claimant=1)]
    for facts, code in (({"undisputed": True}, "undisputed"), ({}, "advance")):
        found = due(case([ANNA], exposure=head), "exposure.advanced", 1, facts)
        assert {one.split(">")[0] for one in found} == {code}
    for offer, code in ((2, "undisputed_confirmed"), (0, "advance_confirmed")):
        paid = [Payment(1, kind="advance", exposure=1, offer=offer, payee=1)]
        found = due(case([ANNA], exposure=head, payment=paid), "payment.confirmed", 1)
        assert {one.split(">")[0] for one in found} == {code}


def test_a_message_asked_for_directly_has_the_key_of_its_cause() -> None:
    one = direct(
        case=case(), message="one_time_code", to=Recipient(party=1), key="offer-2:code-1", table=TABLE, now=NOW
    )
    assert (
        one.dedupe == "claim:7:offer-2:code-1:one_time_code:party-1" and one.urgent and one.channels == ("sms", "email")
    )
    staff = direct(case=case(), message="staff_help", to=Recipient(role="manager"), key="k", table=TABLE, now=NOW)
    assert staff.channels == ("email",) and staff.language == "", "staff read in their own language"
    with pytest.raises(KeyError):
        direct(case=case(), message="nothing", to=Recipient(party=1), key="k", table=TABLE, now=NOW)
