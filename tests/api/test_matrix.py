"""Role × address × own or another's claim: who is let in where. A new address without an entry fails.

The addresses come from the description and from the resolver, the expectations are written by hand.
"""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver
from PIL import Image
from tests.api.conftest import Caller, Office

from lipei.api.actions import path_of, steps
from lipei.api.schemas import REPORT
from lipei.domain.lifecycle import BY_ACTION
from lipei.reads import claims
from lipei.services import tokens, webhooks
from lipei.services.webhooks import Subscribe
from lipei.store import models

pytestmark = pytest.mark.once

ROLES = {
    "intake": "intake1",
    "handler": "handler1",
    "surveyor": "surveyor1",
    "assessor": "assessor1",
    "approver": "approver1",
    "team_lead": "lead1",
    "manager": "manager1",
    "finance": "finance1",
    "expert": "expert1",
    "investigator": "investigator1",
    "compliance": "compliance1",
    "administrator": "admin1",
    "program": "program",
}
SEE_OWN = frozenset(set(ROLES) - {"expert", "administrator"})
SEE_OTHERS = frozenset({"intake", "approver", "manager", "finance", "investigator", "compliance", "program"})
"""Whoever sees the whole company. *Other* is a claim of another unit and handler."""

FRONT = {"intake", "handler", "team_lead", "manager"}
DESK = {"handler", "team_lead", "manager"}
LEADS = {"team_lead", "manager"}
EVERYBODY_WRITES = {*FRONT, "surveyor", "assessor", "approver", "expert", "finance", "investigator", "compliance"}
# Who is not told "not permitted" on a claim of their own unit and desk; another answer (200, 409, 422) is let in.
LET_IN: dict[tuple[str, str], set[str]] = {
    ("claim", "register"): FRONT,
    ("claim", "triage"): DESK,
    ("claim", "correct"): {*FRONT, "program"},
    ("claim", "assign"): LEADS,
    ("claim", "accept_assignment"): {"handler"},
    ("claim", "acknowledge_duty"): set(),  # nobody is called on this claim
    ("claim", "give_opinion"): DESK,
    ("claim", "request_papers"): DESK,
    ("claim", "close"): DESK,
    ("claim", "close_without_payment"): DESK,
    ("claim", "withdraw"): FRONT,
    ("claim", "cancel"): DESK,
    ("claim", "reopen"): LEADS,
    ("claim", "link_duplicate"): DESK,
    ("claim", "hand_over"): DESK,
    ("claim", "ask_for_help"): {"handler", "surveyor", "assessor"},
    ("claim", "add_note"): EVERYBODY_WRITES,
    ("claim", "tell_customer"): {*FRONT, "surveyor", "assessor", "approver", "finance", "compliance"},
    ("claim", "suspect"): {*DESK, "investigator", "surveyor", "assessor", "approver"},
    ("claim", "clear_suspicion"): {"investigator", *LEADS},
    ("claim", "report_upwards"): {*DESK, "approver"},
    ("exposure", "add"): FRONT,
    ("exposure", "correct"): FRONT,
    ("exposure", "drop"): LEADS,
    ("exposure", "set_reserve"): {*DESK, "assessor"},
    ("exposure", "assess"): {"handler", "surveyor", "assessor"},
    ("exposure", "check_assessment"): {"assessor", *LEADS},
    ("exposure", "submit_decision"): {"handler", *LEADS},
    ("exposure", "approve_decision"): {"approver", *LEADS},
    ("exposure", "return_for_rework"): {"handler", "assessor", "approver", *LEADS},
    ("exposure", "propose_refusal"): {"handler", *LEADS},
    ("exposure", "refuse"): {"approver", *LEADS},
    ("exposure", "advance"): {"handler", "approver", *LEADS},
    ("exposure", "pay_undisputed"): {"handler", "approver", *LEADS},
    ("exposure", "guarantee"): {"handler", "approver", *LEADS},
    ("exposure", "pay_guarantee"): {"handler", *LEADS, "finance"},
    ("exposure", "release_guarantee"): {"handler", *LEADS},
    ("party", "add"): FRONT,
    ("party", "correct"): {*FRONT, "program", "finance"},
    ("party", "check_identity"): {*DESK, "finance", "surveyor"},
    ("paper", "receive"): {*FRONT, "program", "surveyor"},
    ("paper", "accept"): {*DESK, "assessor"},
    ("paper", "refuse"): {*DESK, "assessor"},
    ("paper", "waive"): DESK,
    ("survey", "schedule"): {*FRONT, "surveyor"},
    ("survey", "record"): {"surveyor", *DESK},
    ("survey", "cancel"): {*FRONT, "surveyor"},
    ("consultation", "convene"): {*DESK, "approver"},
    ("consultation", "opine"): set(),  # only another expert was asked
    ("consultation", "conclude"): {*DESK, "approver"},
    ("offer", "send"): DESK,
    ("offer", "agree"): {*FRONT, "program"},
    ("offer", "decline"): {*FRONT, "program"},
    ("offer", "send_code"): {*FRONT, "program"},
    ("offer", "expire"): set(),
    ("payment", "order"): {"handler", *LEADS, "finance"},
    ("payment", "approve_payment"): {"finance", *LEADS},
    ("payment", "submit"): {"finance"},
    ("payment", "confirm"): {"finance"},
    ("payment", "fail"): {"finance"},
    ("payment", "give_back"): {"finance"},
    ("payment", "retry"): {"finance", *LEADS},
    ("payment", "cancel"): {"finance", *LEADS},
    ("recovery", "recover_overpayment"): {*DESK, "finance"},
    ("recovery", "subrogate"): {*DESK, "finance"},
    ("recovery", "receive_recovery"): {"finance"},
    ("recovery", "write_off"): {"manager"},
}
SEEN_BY = (("own", SEE_OWN), ("other", SEE_OTHERS))
PARTS_READ = ("", "/timeline", "/promises", "/settlement", "/messages")
READS = tuple(f"claims/{{number}}{part}" for part in PARTS_READ)
FILES = ("claims/{number}/documents/1", "claims/{number}/letters/receipt")
SEE_PERSONAL_DATA = {
    "intake", "handler", "surveyor", "assessor", "approver", "team_lead", "manager", "finance", "investigator",
    "compliance",
}  # fmt: skip
SEND_FILES = {*FRONT, "surveyor", "program"}
WEBHOOKS = ("webhooks", "webhooks/{int:webhook}/stop", "webhooks/{int:webhook}/replay")
# Parts that the claim of this test has; a step on a part it has not is not found, whoever asks.
HAS = {"claim", "exposure", "party", "paper", "survey", "consultation"}


@pytest.fixture
def two(office: Office) -> dict[str, str]:
    """A claim of handler1's in Shanghai (*own*), and one of another handler's in Beijing (*other*)."""
    models.Staff.objects.filter(code="handler2").update(unit="beijing")
    numbers = {}
    for name, staff in (("own", "handler1"), ("other", "handler2")):
        person = models.Staff.objects.get(code=staff)
        body = office.program.post(
            "claims", {**REPORT, "story": name, "exposures": [{"cover": "own_damage", "peril": "collision"}]}
        ).body
        number = numbers[name] = body["number"]
        asked = {"question": "?", "experts": [models.Staff.objects.get(code="expert2").id]}
        for action, more in (
            ("request_papers", {}),
            ("surveys/new/schedule", {"at": "2026-11-24T02:00:00Z", "place": "x"}),
            ("consultations/new/convene", asked),
        ):
            found = office.manager1.post(f"claims/{number}/{action}", more)
            assert found.status == 200, found.body
        models.Claim.objects.filter(number=number).update(handler=person.id, unit=person.unit)
        models.Survey.objects.update(surveyor=None)
    return numbers


def callers(office: Office) -> list[tuple[str, Caller]]:
    """Somebody of each role."""
    return [(role, getattr(office, code)) for role, code in ROLES.items()]


def test_every_row_of_the_table_has_an_entry() -> None:
    assert set(LET_IN) == {(s.subject, s.action) for s in steps()}
    assert {(s.subject, s.action) for s in BY_ACTION.values()} - set(LET_IN) == {("claim", "report")}


def test_every_address_has_an_entry() -> None:
    known = {f"/api/v1{path_of(s)}" for s in steps()} | {f"/api/v1/{r}" for r in (*READS, *WEBHOOKS)}
    known |= {f"/api/v1/claims/{{number}}/{file}" for file in ("documents/{int:part}", "letters/{letter}")}
    known |= {
        f"/api/v1/{p}" for p in ("claims", "claims:batch", "worklist", "claims/{number}/documents", "openapi.json")
    }
    found = set()
    for resolver in get_resolver().url_patterns:
        if str(resolver.pattern) == "api/v1/":
            for pattern in resolver.url_patterns:
                found.add("/api/v1/" + str(pattern.pattern).replace("<", "{").replace(">", "}"))
    others = {a for a in found - known if a not in ("/api/v1/{path:rest}", "/api/v1/")}
    assert others <= {"/api/v1/"}, f"addresses without an entry in this matrix: {sorted(others)}"
    assert known <= found, known - found


def test_a_role_reads_what_it_may_and_finds_nothing_else(office: Office, two: dict[str, str]) -> None:
    for role, caller in callers(office):
        for whose, seeing in SEEN_BY:
            for address in READS:
                expected = 200 if role in seeing else 404
                assert caller.get(address.format(number=two[whose])).status == expected, (role, whose, address)
        listed = {c["number"] for c in caller.get("claims").body["claims"]}
        assert listed == {two[whose] for whose, seeing in SEEN_BY if role in seeing}, role


@pytest.mark.norm("4")
def test_a_role_opens_files_and_letters_where_it_may_see_personal_data(office: Office, two: dict[str, str]) -> None:
    """Both name people in full: who may not see that is told so, who sees no such claim is told nothing."""
    for number in two.values():
        assert sent(office.manager1, number).status_code == 201
    for role, caller in callers(office):
        for whose, seeing in SEEN_BY:
            expected = 404 if role not in seeing else 200 if role in SEE_PERSONAL_DATA else 403
            for address in FILES:
                assert caller.get(address.format(number=two[whose])).status == expected, (role, whose, address)


def test_a_role_sends_files_to_claims_it_may_work_on(office: Office, two: dict[str, str]) -> None:
    for role, caller in callers(office):
        for whose, seeing in SEEN_BY:
            expected = 404 if role not in seeing else 201 if role in SEND_FILES else 403
            assert undone(lambda c=caller, n=two[whose]: sent(c, n).status_code) == expected, (role, whose)


def sent(caller: Caller, number: str) -> Any:
    """A photo for a claim."""
    headers = {"Authorization": f"Bearer {caller.token}"}
    with transaction.atomic():
        return caller.client.post(f"/api/v1/claims/{number}/documents", {"file": photo()}, headers=headers)


def photo() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "JPEG")
    return SimpleUploadedFile("x.jpg", out.getvalue(), "image/jpeg")


@pytest.mark.parametrize("role", ROLES)
def test_webhooks_are_the_administrators(office: Office, role: str) -> None:
    person = None if role == "program" else ROLES[role]
    secret = tokens.make(f"hooks of {role}", ("webhooks:write",), person, now=office.now)
    caller = Caller(str(secret))
    hook = webhooks.subscribe(Subscribe("https://example.com/"), actor=office.us.admin1, now=office.now)
    assert isinstance(hook, str)
    number = models.Webhook.objects.get().id
    let_in = role == "administrator"
    assert caller.get("webhooks").status == (200 if let_in else 403)
    assert caller.post("webhooks", {"url": "https://example.com/2"}).status == (201 if let_in else 403)
    for action in ("replay", "stop"):
        assert caller.post(f"webhooks/{number}/{action}").status == (200 if let_in else 403), (role, action)
        assert office.program.post(f"webhooks/{number}/{action}").status == 403  # without the scope


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal reads the claim for whoever is refused: as each step is undone, that is the same each time."""
    find = claims.find
    monkeypatch.setattr(claims, "find", functools.cache(lambda number, viewer: find(number, viewer=viewer)))


@pytest.mark.slow
@pytest.mark.norm("4")
def test_a_role_is_let_in_to_its_steps_and_no_others(office: Office, two: dict[str, str], read_once: None) -> None:
    for (role, caller), step in itertools.product(callers(office), steps()):
        key = (step.subject, step.action)
        found = permitted(caller, step, two["own"])
        if role not in SEE_OWN or (step.subject not in HAS and not step.makes_part):
            assert found == 404, (role, key, found)
        elif role in LET_IN[key]:
            assert found in (200, 409, 422), (role, key, found)
        else:
            assert found == 403, (role, key, found)


@pytest.mark.slow
def test_on_anothers_claim_a_role_is_let_in_as_far_as_the_company(
    office: Office, two: dict[str, str], read_once: None
) -> None:
    for (role, caller), step in itertools.product(callers(office), steps()):
        found = permitted(caller, step, two["other"])
        if role not in SEE_OTHERS or (step.subject not in HAS and not step.makes_part):
            assert found == 404, (role, step.action, found)
            continue
        company = f"{role}:company" in step.who and role in LET_IN[step.subject, step.action]
        assert (found in (200, 409, 422)) == company, (role, step.action, found)
        assert found == 403 or company, (role, step.action, found)


def permitted(caller: Caller, step: Any, number: str) -> int:
    """The status of a step, which is undone."""
    address = path_of(step).replace("{number}", number).replace("{int:part}", "1").lstrip("/")
    return undone(lambda: caller.post(address, {}).status)


def undone(ask: Callable[[], int]) -> int:
    """The status of a call inside a savepoint that is undone, so that each call meets the same claim."""
    found = 0
    try:
        with transaction.atomic():
            found = ask()
            raise Undo
    except Undo:
        return found


class Undo(Exception):
    """Takes back what a step did."""
