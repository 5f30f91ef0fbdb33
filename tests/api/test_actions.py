"""Actions through the API: a claim from report to close, and what is said when a step cannot be taken."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.conftest import Answer, Caller, Office

from lipei.api import schemas, shapes
from lipei.api.schemas import REPORT
from lipei.domain.commands import COMMANDS
from lipei.domain.lifecycle import STEPS
from lipei.norms.texts import text, texts
from lipei.store import models

PAPERS = {key.removeprefix("paper.") for key in texts() if key.startswith("paper.")}
EXPOSURE = {"cover": "own_damage", "peril": "single_vehicle"}


def example(subject: str, action: str, office: Office) -> dict[str, Any]:
    return schemas.example(subject, action, now=office.now)


def reported(office: Office, **more: Any) -> Answer:
    found = office.program.post("claims", {**REPORT, "exposures": [dict(EXPOSURE)], **more})
    assert found.status == 201, found.body
    return found


def good(found: Answer) -> Any:
    assert found.status == 200, found.body
    return found.body


def test_every_step_of_the_table_has_an_address_of_its_own(office: Office) -> None:
    paths = office.program.get("openapi.json").body["paths"]
    addresses = {p.removeprefix("/api/v1") for p, methods in paths.items() if "post" in methods}
    for step in STEPS:
        assert any(a.endswith(f"/{step.action}") for a in addresses) or step.action == "report", step
    assert "/claims/{number}/exposures/{part}/assess" in addresses
    assert "/claims/{number}/exposures/new/add" in addresses
    assert "/claims/{number}/withdraw" in addresses


@pytest.mark.norm("2.2.3")
def test_a_claim_goes_from_report_to_close_by_the_examples(office: Office) -> None:
    """Every body here is the description's own example: they work."""
    body = reported(office).body
    claim, handler = f"claims/{body['number']}", office.handler(body)
    for action in ("accept_assignment", "give_opinion", "request_papers", "add_note", "ask_for_help"):
        body = good(handler.post(f"{claim}/{action}", example("claim", action, office)))
    good(handler.post(f"{claim}/exposures/1/set_reserve", example("exposure", "set_reserve", office)))
    good(handler.post(f"{claim}/exposures/1/assess", example("exposure", "assess", office)))
    good(office.assessor1.post(f"{claim}/exposures/1/check_assessment"))
    for who, action in ((handler, "submit_decision"), (office.approver1, "approve_decision")):
        silent = who.post(f"{claim}/exposures/1/{action}", {})
        assert silent.status == 422 and text("paper.driving_licence", "zh-hans") in silent.body["detail"]
        assert [e["field"] for e in silent.body["errors"]] == ["without_papers"]
        assert "without_papers" in silent.body["detail"], "the sentence alone says which field to send"
        assert "driving_licence" in silent.body["papers"] and set(silent.body["papers"]) <= set(PAPERS)
        body = good(who.post(f"{claim}/exposures/1/{action}", example("exposure", action, office)))
        warned = [r["message"] for r in body["remarks"] if r["code"] == "remark.papers_missing"]
        assert bool(warned) is (action == "submit_decision"), "the answer carries the warning while it is being decided"
    body = good(handler.post(f"{claim}/offers/1/send", example("offer", "send", office)))
    assert body["state"] == "offering"
    good(office.program.post(f"{claim}/offers/1/send_code"))
    code = models.Delivery.objects.filter(message="one_time_code").order_by("-id").first().secret  # type: ignore[union-attr]
    wrong = office.program.post(f"{claim}/offers/1/agree", {"code": "x" + code[1:]})
    assert wrong.status in (200, 422)
    body = good(office.program.post(f"{claim}/offers/1/agree", {"code": code}))
    assert body["state"] == "paying" and "payment.ordered" in {e["kind"] for e in body["events"]}
    good(office.finance1.post(f"{claim}/payments/1/approve_payment"))
    good(office.finance1.post(f"{claim}/payments/1/submit"))
    body = good(office.finance1.post(f"{claim}/payments/1/confirm", example("payment", "confirm", office)))
    assert body["state"] == "closed"
    paid = good(office.finance1.get(f"{claim}/settlement"))
    assert paid["paid"] == paid["payable"] == {"amount": "1100.00", "currency": "CNY"}
    assert paid["exposures"][0]["lines"][-1]["after"] == paid["payable"]


def test_other_examples_work_too(office: Office) -> None:
    body = reported(office).body
    claim, handler = f"claims/{body['number']}", office.handler(body)
    unpaid = ("suspect", "clear_suspicion", "report_upwards", "triage", "withdraw", "reopen", "hand_over", "assign")
    by = {"reopen": office.lead1, "assign": office.lead1, "clear_suspicion": office.lead1}
    good(handler.post(f"{claim}/exposures/new/add", example("exposure", "add", office)))
    good(handler.post(f"{claim}/exposures/2/correct", example("exposure", "correct", office)))
    good(office.lead1.post(f"{claim}/exposures/2/drop", example("exposure", "drop", office)))
    good(handler.post(f"{claim}/parties/new/add", example("party", "add", office)))
    good(handler.post(f"{claim}/parties/1/correct", example("party", "correct", office)))
    good(handler.post(f"{claim}/parties/1/check_identity", example("party", "check_identity", office)))
    good(handler.post(f"{claim}/surveys/new/schedule", example("survey", "schedule", office)))
    good(handler.post(f"{claim}/surveys/1/record", example("survey", "record", office)))
    good(handler.post(f"{claim}/surveys/new/schedule", example("survey", "schedule", office)))
    good(handler.post(f"{claim}/surveys/2/cancel", example("survey", "cancel", office)))
    good(handler.post(f"{claim}/consultations/new/convene", example("consultation", "convene", office)))
    good(office.expert1.post(f"{claim}/consultations/1/opine", example("consultation", "opine", office)))
    good(handler.post(f"{claim}/consultations/1/conclude", example("consultation", "conclude", office)))
    good(handler.post(f"{claim}/request_papers", {}))
    papers = good(handler.get(claim))["papers"]
    first, second = papers[0]["id"], papers[1]["id"]
    good(handler.post(f"{claim}/papers/{first}/receive", example("paper", "receive", office)))
    good(handler.post(f"{claim}/papers/{first}/refuse", example("paper", "refuse", office)))
    good(handler.post(f"{claim}/papers/{second}/waive", example("paper", "waive", office)))
    good(handler.post(f"{claim}/exposures/1/propose_refusal", example("exposure", "propose_refusal", office)))
    good(
        office.approver1.post(
            f"{claim}/exposures/1/return_for_rework", example("exposure", "return_for_rework", office)
        )
    )
    for action in unpaid:
        good(by.get(action, handler).post(f"{claim}/{action}", example("claim", action, office)))


SELDOM = {"OnAccount", "ReleaseGuarantee", "ReceiveRecovery", "LinkDuplicate", "TellCustomer", "Subscribe"}
"""Commands of steps that the journeys above do not take; their rules are tested where they stand."""


def test_what_is_described_as_required_is_required(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Along the journeys above each body is first sent without each of its required fields: the field is named."""
    post, tried = Caller.post, set()

    def insisting(caller: Caller, path: str, body: Any = None, **headers: str) -> Answer:
        words = path.split("/")
        subject = {"claims": "claim"} | {plural: one for one, plural in shapes.PLURALS.items()}
        cls = COMMANDS.get((subject[words[-3] if len(words) > 3 else "claims"], words[-1] if words[1:] else "report"))
        for name in schemas.of(cls).get("required", ()) if cls else ():
            found = post(caller, path, {n: v for n, v in body.items() if n != name}, **headers)
            assert found.status == 422 and name in {e["field"] for e in found.body["errors"]}, (path, name, found.body)
            tried.add(cls.__name__)
        return post(caller, path, body, **headers)

    monkeypatch.setattr(Caller, "post", insisting)
    test_a_claim_goes_from_report_to_close_by_the_examples(office)
    test_other_examples_work_too(office)
    described = office.program.get("openapi.json").body["components"]["schemas"]
    assert described["Report"]["required"] == ["story"] and described["SetReserve"]["required"] == ["amount", "reason"]
    assert tried | SELDOM >= {cls.__name__ for cls in COMMANDS.values() if "required" in described[cls.__name__]}
    for name, schema in described.items():
        for shown in schema.get("examples", ()):
            assert set(schema.get("required", ())) <= set(shown), name


@pytest.mark.norm("4")
def test_a_person_refuses_through_their_own_token_and_a_program_cannot(office: Office) -> None:
    body = reported(office).body
    claim, handler = f"claims/{body['number']}", office.handler(body)
    good(handler.post(f"{claim}/exposures/1/propose_refusal", example("exposure", "propose_refusal", office)))
    own = handler.post(f"{claim}/exposures/1/refuse")
    assert own.status == 403 and own.body["permission"] == "exposure.refuse"
    program = office.program.post(f"{claim}/exposures/1/refuse")
    assert program.status == 403 and program.body["permission"] == "exposure.refuse"
    found = good(office.approver1.post(f"{claim}/exposures/1/refuse"))
    assert "exposure.refused" in {e["kind"] for e in found["events"]}
    row = models.Entry.objects.get(kind="exposure.refused")
    assert row.actor == office.us.approver1.id and "token:" in row.cause


def test_two_hats_do_not_make_two_people(office: Office) -> None:
    """Who assesses in the console cannot check it through their token: maker and checker are two people."""
    body = reported(office).body
    claim = f"claims/{body['number']}"
    good(office.assessor1.post(f"{claim}/exposures/1/assess", example("exposure", "assess", office)))
    again = office.assessor1.post(f"{claim}/exposures/1/check_assessment")
    assert (again.status, again.body["code"]) == (403, "refusal.guard.not_the_assessor")


def test_a_step_that_is_not_possible_now_names_those_that_are(office: Office) -> None:
    body = reported(office).body
    claim, handler = f"claims/{body['number']}", office.handler(body)
    found = handler.post(f"{claim}/exposures/1/submit_decision", {})
    assert found.status == 409
    possible = {(a["subject"], a["action"]) for a in found.body["actions"]}
    assert ("exposure", "assess") in possible and ("exposure", "submit_decision") not in possible
    for action in found.body["actions"]:
        assert action["href"].startswith(f"/api/v1/{claim}/")
    after = good(
        handler.post(next(a["href"] for a in found.body["actions"] if a["action"] == "add_note"), {"text": "记下"})
    )
    assert after["events"][0]["kind"] == "claim.note_added"


def test_an_old_version_is_refused_once_a_colleague_has_been_at_it(office: Office) -> None:
    body = reported(office).body
    claim, handler = f"claims/{body['number']}", office.handler(body)
    seen = handler.get(claim)
    assert seen.headers["ETag"] == f'"{seen.body["version"]}"' and seen.body["version"] == body["version"]
    good(office.lead1.post(f"{claim}/add_note", {"text": "我看过了"}))
    found = handler.post(f"{claim}/give_opinion", {"text": "属于保险责任"}, If_Match=seen.headers["ETag"])
    assert (found.status, found.body["code"]) == (409, "refusal.stale")
    assert found.body["changed"][0]["kind"] == "claim.note_added" and found.body["version"] > body["version"]
    fresh = handler.get(claim).headers["ETag"]
    done = handler.post(f"{claim}/give_opinion", {"text": "属于保险责任"}, If_Match=fresh)
    assert good(done) and done.headers["ETag"] == f'"{done.body["version"]}"' != fresh
    good(handler.post(f"{claim}/add_note", {"text": "接着做"}, If_Match=done.headers["ETag"]))
    assert handler.post(f"{claim}/give_opinion", {"text": "x"}, If_Match="yesterday").status == 422
    never = handler.post(f"{claim}/add_note", {"text": "x"}, If_Match='"9999"')  # a version that this claim never had
    assert (never.status, never.body["code"], never.body["changed"]) == (409, "refusal.stale", [])


SAID = {
    "en": "You are not permitted",
    "zh-CN": "您没有",
    "zh-TW,zh;q=0.8": "您沒有",
    "fr, en;q=0.2, zh-HK;q=0.9": "您沒有",
}


@pytest.mark.parametrize("language", SAID)
def test_problems_speak_the_callers_language(office: Office, language: str) -> None:
    body = reported(office).body
    found = office.program.post(f"claims/{body['number']}/add_note", {"text": "x"}, Accept_Language=language)
    assert found.status == 403
    assert found.body["detail"].startswith(SAID[language]), found.body
    assert found.body["permission"] == "claim.add_note"
    assert set(found.body) >= {"type", "title", "status", "detail", "instance", "code"}
    wrong = office.program.post("claims", {"story": 5, "zzz": 1}, Accept_Language=language)
    assert len({e["message"] for e in wrong.body["errors"]}) == 2


def test_what_does_not_exist_or_is_out_of_scope_is_not_found(office: Office) -> None:
    body = reported(office).body
    for number in ("1", "no-such", "%00", "a" * 60, "王"):
        assert office.program.get(f"claims/{number}").status == 404
        assert office.program.post(f"claims/{number}/withdraw", {"reason": "x"}).status == 404
    claim = f"claims/{body['number']}"
    assert office.handler(body).post(f"{claim}/exposures/9/assess").status == 404
    assert office.handler(body).post(f"{claim}/exposures/abc/assess").status == 404
    assert office.handler(body).post(f"{claim}/dance").status == 404
    assert office.admin1.get(claim).status == 404  # an administrator sees no claims
    assert office.admin1.post(f"{claim}/withdraw", {"reason": "x"}).status == 404
    assert office.expert1.get(claim).status == 404  # nothing was put to this expert
    found = office.program.send("DELETE", claim)
    assert found.status == 405 and found.headers["Allow"] == "GET, HEAD" and found.body["status"] == 405


def test_a_colleague_of_another_unit_finds_nothing(office: Office) -> None:
    body = reported(office).body
    handler = office.handler(body)
    other = "handler2" if handler is office.handler1 else "handler1"
    models.Staff.objects.filter(code=other).update(unit="beijing")
    stranger: Caller = getattr(office, other)
    claim = f"claims/{body['number']}"
    assert stranger.get(claim).status == 404
    assert stranger.post(f"{claim}/give_opinion", {"text": "x"}).status == 404
    assert body["number"] not in {c["number"] for c in stranger.get("claims").body["claims"]}
    good(
        handler.post(
            f"{claim}/surveys/new/schedule",
            {**example("survey", "schedule", office), "surveyor": models.Staff.objects.get(code=other).id},
        )
    )
    assert stranger.get(claim).status == 200  # now something is put to them
    assert body["number"] in {c["number"] for c in stranger.get("claims").body["claims"]}
    assert body["number"] in {c["number"] for c in stranger.get("worklist").body["claims"]}
