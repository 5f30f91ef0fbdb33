"""The surface that others rely on: names, addresses, forms and codes, as they are written down for strangers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
from tests.api.conftest import Caller
from tests.contract.conftest import Stranger, cny, good

from lipei.config import cli
from lipei.domain import lifecycle
from lipei.services import tokens, unit_of_work, webhook_calls

# Written by hand: these names may get company, and never another meaning.
ACTIONS = {
    "claim": "report register triage assign accept_assignment acknowledge_duty give_opinion request_papers close "
    "close_without_payment withdraw cancel reopen link_duplicate hand_over ask_for_help add_note suspect "
    "clear_suspicion report_upwards",
    "exposure": "add set_reserve assess check_assessment submit_decision approve_decision return_for_rework "
    "propose_refusal refuse advance guarantee",
    "paper": "receive accept refuse waive",
    "survey": "schedule record cancel",
    "consultation": "convene opine conclude",
    "offer": "send agree decline expire",
    "payment": "order approve_payment submit confirm fail retry cancel",
    "recovery": "recover_overpayment subrogate receive_recovery write_off",
}
COMMANDS = "serve work demo import export migrate token verify backup restore run"
REPORT = {"phone": "13700001111", "story": "倒车时撞到柱子。", "line": "motor", "loss_kind": "single_vehicle"}


def description(stranger: Stranger) -> Any:
    return good(stranger.office.program.get("openapi.json"))


def test_every_action_has_its_name_and_address(stranger: Stranger) -> None:
    operations = {op["operationId"] for ops in description(stranger)["paths"].values() for op in ops.values()}
    for subject, names in ACTIONS.items():
        for name in names.split():
            assert (subject, name) in lifecycle.BY_ACTION and f"{subject}.{name}" in operations, (subject, name)


def test_kinds_are_past_tense_under_their_subject(stranger: Stranger) -> None:
    body = good(stranger.office.program.post("claims", REPORT), 201)
    kinds = [event["kind"] for event in body["events"]]
    assert kinds[0] == "claim.reported" and "claim.assigned" in kinds
    for known in ("claim.reported", "paper.refused", "payment.confirmed", "claim.imported"):
        assert known in {*lifecycle.KINDS, *(step.event for step in lifecycle.STEPS)}


def test_every_body_is_described_strictly_and_has_an_example(stranger: Stranger) -> None:
    found = description(stranger)
    seen = 0
    for path, operations in found["paths"].items():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            seen += 1
            schema = content["schema"]
            if "$ref" in schema:
                schema = found["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert schema["additionalProperties"] is False, path
            assert set(content["example"]) <= set(schema["properties"]), path
    assert seen > 60


def test_a_report_is_answered_with_all_that_was_promised_to_callers(stranger: Stranger) -> None:
    found = stranger.office.program.post("claims", REPORT, Idempotency_Key="a-1")
    body = good(found, 201)
    assert body["number"] and body["state"] and body["handler"]["name"]
    assert all(p["due_at"].endswith("Z") and p["why"] for p in body["promises"]) and body["promises"]
    assert body["actions"] and all(a["href"].startswith("/api/v1/claims/") for a in body["actions"])
    again = stranger.office.program.post("claims", REPORT, Idempotency_Key="a-1")
    assert good(again, 201)["number"] == body["number"] and again.headers["Idempotent-Replayed"] == "true"
    other = stranger.office.program.post("claims", {**REPORT, "story": "别的事"}, Idempotency_Key="a-1")
    assert other.status == 409
    good(stranger.office.program.get(found.headers["Location"]))


def test_an_action_that_is_offered_can_be_taken_at_its_address(stranger: Stranger) -> None:
    body = good(stranger.office.program.post("claims", {**REPORT, "policy_number": "PC-1"}), 201)
    handler = stranger.handler(body)
    offered = {a["action"]: a for a in good(handler.get(f"claims/{body['number']}"))["actions"]}
    done = good(handler.post(offered["give_opinion"]["href"], {"text": "属于保险责任。"}))
    assert done["events"][0]["kind"] == "claim.opinion_given" and done["version"] > body["version"]


def test_each_problem_has_its_form(stranger: Stranger) -> None:
    body = good(stranger.office.program.post("claims", {**REPORT, "policy_number": "PC-1"}), 201)
    claim, handler = f"claims/{body['number']}", stranger.handler(body)
    good(handler.post(f"{claim}/exposures/new/add", {"cover": "own_damage", "peril": "collision"}))
    wrong_state = handler.post(f"{claim}/exposures/1/submit_decision")
    assert wrong_state.status == 409 and {a["action"] for a in wrong_state.body["actions"]} >= {"assess", "add_note"}
    denied = stranger.office.finance1.post(f"{claim}/exposures/1/approve_decision")
    assert denied.status == 403 and denied.body["permission"] == "exposure.approve_decision"
    fields = handler.post(f"{claim}/exposures/1/set_reserve", {"amount": cny("-1.00"), "reason": ""})
    assert fields.status == 422 and {"amount"} <= {e["field"] for e in fields.body["errors"]}
    for found in (wrong_state, denied, fields):
        assert found.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "instance"} <= set(found.body)
        assert found.body["status"] == found.status and found.body["instance"].startswith("/api/v1/claims/")


def test_many_reports_are_each_answered_on_their_own(stranger: Stranger) -> None:
    rows = [REPORT, {**REPORT, "phone": "12"}, {**REPORT, "bogus": 1}, 7, {**REPORT, "idempotency_key": "k"}]
    found = good(stranger.office.program.post("claims:batch", {"reports": rows}))
    assert [row["status"] for row in found["results"]] == [201, 422, 422, 422, 201]
    assert found["results"][1]["errors"][0]["field"] == "phone"


def test_operators_ask_without_a_token(stranger: Stranger) -> None:
    for address in ("/healthz", "/readyz", "/metrics"):
        assert Caller("").get(address).status == 200, address


@pytest.mark.norm("2.4.1")
def test_webhooks_are_signed_come_again_and_can_be_replayed(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_of_work, "in_transaction", lambda: False)  # a test is one itself
    made = tokens.make("hooks", ("webhooks:write",), "admin1", now=stranger.office.now)
    admin = Caller(str(made))
    hook = good(admin.post("webhooks", {"url": "https://example.com/in", "kinds": ["claim.reported"]}), 201)
    body = good(stranger.office.program.post("claims", REPORT), 201)
    calls: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(500 if len(calls) == 1 else 200)

    def work() -> None:
        webhook_calls.work(now=stranger.office.now, limit=10, transport=httpx.MockTransport(receive))

    work()
    stranger.office.later(hours=1)
    work()
    assert len(calls) == 2 and calls[0].headers["webhook-id"] == calls[1].headers["webhook-id"]
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    for call in calls:
        signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.content
        mac = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert call.headers["webhook-signature"] == f"v1,{mac}"
    told = json.loads(calls[0].content)
    assert told["type"] == "claim.reported" and told["data"]["claim"] == body["number"]
    assert told["timestamp"].endswith("Z")
    assert good(admin.post(f"webhooks/{hook['id']}/replay", {"since": "2026-11-01T00:00:00Z"}))["queued"] == 1
    work()
    assert len(calls) == 3 and calls[2].content == calls[0].content
    assert good(admin.post(f"webhooks/{hook['id']}/replay", {"since": "2027-01-01T00:00:00Z"}))["queued"] == 0
    good(admin.post(f"webhooks/{hook['id']}/stop"))
    assert [h["active"] for h in good(admin.get("webhooks"))["webhooks"]] == [False]


def test_every_command_explains_itself_and_says_what_was_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS.split():
        assert cli.main([name, "--help"]) == 0
        assert "Example:" in capsys.readouterr().out, name
    assert cli.main(["frobnicate"]) == 2
    assert cli.main(["import", "policies"]) == 2
    assert "Error:" in capsys.readouterr().err
