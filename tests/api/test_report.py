"""`POST /claims`: what a report is answered with, once and for all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.api.conftest import Caller, Office

from lipei.api.schemas import REPORT
from lipei.domain.events import Actor, Refusal
from lipei.services import norms
from lipei.store import models


@pytest.mark.norm("2.2.1")
@pytest.mark.norm("1.4.3")
def test_a_report_is_answered_with_number_handler_promises_and_actions(office: Office) -> None:
    found = office.program.post("claims", dict(REPORT))
    assert found.status == 201, found.body
    body = found.body
    assert body["state"] == "investigating"
    assert body["handler"]["name"] in ("Handler1", "Handler2")
    assert found.headers["Location"] == f"/api/v1/claims/{body['number']}"
    assert body["promises"]
    for promise in body["promises"]:
        assert set(promise) >= {"code", "name", "due_at", "binds", "state", "why"}
        assert promise["due_at"].endswith("Z") and promise["why"] and promise["name"] != promise["code"]
    assert {"claim.reported", "claim.triaged", "claim.registered", "claim.assigned"} <= {
        e["kind"] for e in body["events"]
    }
    assert all(set(a) >= {"subject", "part", "action", "href"} for a in body["actions"])
    assert ("claim", "add_note") not in {
        (a["subject"], a["action"]) for a in body["actions"]
    }  # a program writes no notes


def test_a_phone_number_and_a_story_suffice(office: Office) -> None:
    found = office.program.post("claims", {"phone": "13911112222", "story": "车被撞了"})
    assert found.status == 201, found.body
    assert found.body["state"] == "reported"


def test_the_same_key_gets_the_same_answer_and_one_claim(office: Office) -> None:
    first = office.program.post("claims", dict(REPORT), Idempotency_Key="a-1")
    again = office.program.post("claims", dict(REPORT), Idempotency_Key="a-1")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert models.Claim.objects.count() == 1


def test_the_same_key_with_another_report_is_refused(office: Office) -> None:
    assert office.program.post("claims", dict(REPORT), Idempotency_Key="a-1").status == 201
    other = office.program.post("claims", {**REPORT, "story": "别的事"}, Idempotency_Key="a-1")
    assert (other.status, other.body["code"]) == (409, "refusal.key_reused")
    assert models.Claim.objects.count() == 1


def test_keys_of_two_callers_have_nothing_to_do_with_each_other(office: Office) -> None:
    one = office.program.post("claims", dict(REPORT), Idempotency_Key="a-1")
    two = office.intake1.post("claims", dict(REPORT), Idempotency_Key="a-1")
    assert two.status == 201
    assert one.body["number"] != two.body["number"]


@pytest.mark.parametrize("key", ["x" * 201, "k\u00fc"])
def test_a_key_that_cannot_be_one_is_refused(office: Office, key: str) -> None:
    found = office.program.post("claims", dict(REPORT), Idempotency_Key=key)
    assert found.status == 422
    assert found.body["errors"][0]["field"] == "Idempotency-Key"


def test_a_report_takes_at_most_fourteen_statements(office: Office) -> None:
    caller = office.program
    assert caller.post("claims", dict(REPORT), Idempotency_Key="warm").status == 201
    with CaptureQueriesContext(
        connection,
    ) as seen:
        found = caller.post("claims", {**REPORT, "phone": "13800138000", "story": "又一次"}, Idempotency_Key="a-2")
    assert found.status == 201
    statements = [q["sql"] for q in seen if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 14, "\n".join(s[:100] for s in statements)


BAD: list[tuple[Any, str, str]] = [
    ({"phone": "13800138000"}, "story", "refusal.story_missing"),
    ({"story": "x"}, "phone", "refusal.contact_missing"),
    ({**REPORT, "plaet": "x"}, "plaet", "refusal.unknown_field"),
    ({**REPORT, "phone": 5}, "phone", "refusal.not_text"),
    ({**REPORT, "story": "a\u0000b"}, "story", "refusal.characters"),
    ({**REPORT, "story": "长" * 4001}, "story", "refusal.too_long"),
    ({**REPORT, "loss_at": "2026-11-20T10:00:00"}, "loss_at", "refusal.not_a_time"),
    ({**REPORT, "loss_at": "2026-11-20"}, "loss_at", "refusal.not_a_time"),
    ({**REPORT, "loss_at": "0001-01-01T00:00:00+14:00"}, "loss_at", "refusal.time_impossible"),
    ({**REPORT, "loss_at": "2026-11-24T10:00:00Z"}, "loss_at", "refusal.loss_after_report"),
    ({**REPORT, "estimate": 12}, "estimate", "refusal.money_object"),
    ({**REPORT, "estimate": {"amount": "1.234", "currency": "CNY"}}, "estimate", "refusal.money_decimals"),
    ({**REPORT, "estimate": {"amount": "-1", "currency": "CNY"}}, "estimate", "refusal.money_negative"),
    ({**REPORT, "estimate": {"amount": "1e9", "currency": "CNY"}}, "estimate", "refusal.money_form"),
    ({**REPORT, "estimate": {"amount": "1", "currency": "XXX"}}, "estimate", "refusal.money_currency"),
    ({**REPORT, "estimate": {"amount": "1", "currency": "CNY", "x": 1}}, "estimate", "refusal.money_object"),
    ({**REPORT, "policy_number": "NO-SUCH"}, "policy_number", "refusal.policy_unknown"),
    ({**REPORT, "line": "spaceships"}, "line", "refusal.line_unknown"),
    ({**REPORT, "deaths": -1}, "deaths", "refusal.out_of_bounds"),
    ({**REPORT, "deaths": True}, "deaths", "refusal.not_a_number"),
    ({**REPORT, "rescue": "yes"}, "rescue", "refusal.not_yes_or_no"),
    ({**REPORT, "parties": [{"roles": ["king"]}]}, "parties.1.roles.1", "refusal.not_a_choice"),
    ({**REPORT, "parties": [{"name": "李"}, {"nmae": "王"}]}, "parties.2.nmae", "refusal.unknown_field"),
    ({**REPORT, "parties": [{}] * 201}, "parties", "refusal.too_many"),
    (
        {**REPORT, "exposures": [{"cover": "own_damage", "facts": {"a": 0.5}}]},
        "exposures.1.facts.a",
        "refusal.no_fractions",
    ),
    (
        {**REPORT, "exposures": [{"cover": "own_damage", "facts": {"a": {"b": {"c": {"d": {"e": 1}}}}}}]},
        "exposures.1.facts.a.b.c.d",
        "refusal.too_many",
    ),
    (
        {**REPORT, "exposures": [{"cover": "own_damage", "claimant": 2**60}]},
        "exposures.1.claimant",
        "refusal.out_of_bounds",
    ),
    ([], "body", "refusal.not_an_object"),
]


@pytest.mark.parametrize(("body", "field", "code"), BAD)
def test_what_is_wrong_with_a_report_is_named_field_by_field(office: Office, body: Any, field: str, code: str) -> None:
    found = office.program.post("claims", body)
    assert found.status == 422, found.body
    assert found.headers["Content-Type"] == "application/problem+json"
    assert (field, code) in {(e["field"], e["code"]) for e in found.body["errors"]}, found.body
    assert all(e["message"] for e in found.body["errors"])
    assert models.Claim.objects.count() == 0


def test_everything_wrong_is_said_at_once(office: Office) -> None:
    found = office.program.post("claims", {"phone": "12", "line": "spaceships", "story": ""})
    assert {e["field"] for e in found.body["errors"]} == {"phone", "line", "story"}


def test_many_reports_are_each_answered_on_their_own(office: Office) -> None:
    rows = [dict(REPORT), {"story": "x"}, {**REPORT, "story": "第三件", "idempotency_key": "own"}, 7]
    found = office.program.post("claims:batch", {"reports": rows}, Idempotency_Key="b")
    assert found.status == 200
    assert [r["status"] for r in found.body["results"]] == [201, 422, 201, 422]
    again = office.program.post("claims:batch", {"reports": rows}, Idempotency_Key="b")
    numbers = [r.get("number") for r in found.body["results"]]
    assert [r.get("number") for r in again.body["results"]] == numbers
    assert models.Claim.objects.count() == 2
    assert set(models.IdempotencyKey.objects.values_list("key", flat=True)) == {"b:1", "own"}


@pytest.mark.parametrize("body", [{}, {"reports": {}}, [], {"reports": [], "more": 1}, {"reports": [{}] * 101}])
def test_a_batch_that_is_none_is_refused_as_a_whole(office: Office, body: Any) -> None:
    assert office.program.post("claims:batch", body).status == 422


def test_broken_json_and_other_kinds_of_content(office: Office) -> None:
    caller: Caller = office.program
    assert caller.post("claims", b"{").status == 400
    assert caller.post("claims", b"\xff\xfe").status == 400
    assert caller.post("claims", b"[" * 100_000).status == 400
    assert caller.post("claims", b"a=1", Content_Type="application/x-www-form-urlencoded").status == 415
    assert caller.post("claims", b'{"story": "' + b"x" * 6_000_000 + b'"}').status == 413


@pytest.mark.norm("2.5.2")
def test_only_an_incident_that_is_declared_puts_a_claim_first(office: Office) -> None:
    """What is declared stands in the triage table, which managers edit; what is not is named, with what could be meant."""

    def declare(incidents: str) -> None:
        version, document = norms.text_in_force("triage")
        head, _, tail = document.partition("incidents: {")
        saved = norms.save(
            table="triage", text=f"{head}incidents: {{{incidents}}}{tail.partition('}')[2]}", reason="台风", seen_version=version,
            actor=Actor("staff:1", "manager", frozenset({"manager"})), now=office.now,
        )  # fmt: skip
        assert not isinstance(saved, Refusal), saved

    told = {**REPORT, "incident": "typhoon-7"}
    for language, none in (("en", "Declared are: –."), ("zh-Hans", "已宣布的有：–。")):
        found = office.program.post("claims", told, Accept_Language=language)
        assert found.status == 422 and found.body["errors"][0]["field"] == "incident"
        assert none in found.body["errors"][0]["message"]
    declare("typhoon-7: 台风七号, flood-2: 洪水")
    found = office.program.post("claims", told)
    assert found.status == 201
    assert office.lead1.get(f"claims/{found.body['number']}").body["fast_lane"] is True
    wrong = office.program.post("claims", {**told, "incident": "typhoon-8", "story": ""}, Accept_Language="en").body
    assert {e["field"] for e in wrong["errors"]} == {"incident", "story"}
    assert any("typhoon-7 (台风七号), flood-2 (洪水)" in e["message"] for e in wrong["errors"])
    triage = f"claims/{found.body['number']}/triage"
    assert office.lead1.post(triage, {"incident": "typhoon-8"}).body["errors"][0]["code"] == "refusal.incident_unknown"
    declare("flood-2: 洪水")
    assert office.lead1.post(triage, {"incident": "typhoon-7", "injured": 1}).status == 200  # over, and still its own


PAYEE = {
    "roles": ["reporter", "claimant", "payee"],
    "name": "李雷",
    "phone": "13900139000",
    "account_number": "6222021001116245702",
}


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("bank", ["", "102290000000", "ICBKCNBJ"])
def test_an_account_without_its_bank_is_taken_and_the_bank_asked_for(office: Office, bank: str) -> None:
    party = {**PAYEE, **({"account_bank": bank} if bank else {})}
    found = office.program.post("claims", {**REPORT, "parties": [party]})
    assert found.status == 201, found.body
    assert ("remark.bank_code" in {remark["code"] for remark in found.body["remarks"]}) is (not bank)


@pytest.mark.norm("2.2.4")
def test_a_bank_that_cannot_be_one_is_refused_beside_its_field(office: Office) -> None:
    for bank in ("1022", "工商银行"):
        found = office.program.post("claims", {**REPORT, "parties": [{**PAYEE, "account_bank": bank}]})
        assert (found.status, found.body["errors"][0]["field"]) == (422, "parties.1.account_bank"), found.body
    added = office.program.post("claims", dict(REPORT)).body
    party = {"roles": ["payee"], "name": "王五", "account_number": PAYEE["account_number"], "account_bank": "1022"}
    handler = office.handler(added)
    wrong = handler.post(f"claims/{added['number']}/parties/new/add", party)
    assert (wrong.status, wrong.body["errors"][0]["field"]) == (422, "account_bank")


@pytest.mark.norm("2.2.4")
def test_the_bank_on_file_is_not_lent_to_another_account(office: Office) -> None:
    models.Policy.objects.filter(number="PC-1").update(account_bank="102290000000")
    known = models.Policy.objects.get(number="PC-1")
    other = {**PAYEE, "roles": ["reporter", "insured", "claimant"], "name": known.insured_name, "phone": known.phone}
    said = {**REPORT, "policy_number": "PC-1", "phone": known.phone, "parties": [other]}
    found = office.program.post("claims", said)
    assert found.status == 201, found.body
    party = models.Party.objects.get(aggregate_id=models.Claim.objects.get(number=found.body["number"]).id, part=1)
    assert (party.account_number, party.account_bank) == (PAYEE["account_number"], "")
