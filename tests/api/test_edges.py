"""The edges of the API: whatever misses a call, or cannot be what it says, is answered in the one form and one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.api.conftest import Caller, Office
from tests.api.test_documents import picture, with_papers
from tests.company import NOW

from lipei.api import reading
from lipei.api.schemas import REPORT
from lipei.domain import entries
from lipei.services import tokens
from lipei.store import models


def problem(found: Any, status: int) -> Any:
    assert found.status == status, found.body
    assert found.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(found.body)
    return found.body


def errors(found: Any) -> dict[str, str]:
    return {error["field"]: error["code"] for error in problem(found, 422)["errors"]}


@pytest.mark.parametrize("address", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/claims", "/api/v1/claims/"])
def test_an_address_that_is_none_is_a_problem_not_a_page(office: Office, address: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        problem(office.program.send(method, address), 404)


def test_a_method_that_is_none_is_a_problem_everywhere(office: Office) -> None:
    strict = Caller(office.program.token)
    strict.client.handler.enforce_csrf_checks = True
    for address in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"):
        found = strict.post(address, {})
        problem(found, 405)
        assert found.headers["Allow"].startswith("GET"), address
    assert problem(strict.send("PUT", "claims"), 405)


def test_the_head_of_what_can_be_read_can_be_asked_for_alone(office: Office) -> None:
    number = office.program.post("claims", {"phone": "13900000001", "story": "追尾"}).body["number"]
    for address in ("claims", f"claims/{number}", f"claims/{number}/timeline"):
        head, whole = office.program.send("HEAD", address), office.program.get(address)
        assert (head.status, head.headers["Content-Type"]) == (200, whole.headers["Content-Type"]), address
        assert head.headers.get("ETag") == whole.headers.get("ETag")
    assert office.program.send("HEAD", "claims/1").status == 404
    assert office.program.send("HEAD", f"claims/{number}/close").headers["Allow"] == "POST"


def test_a_host_that_is_not_ours_is_said_in_the_form_of_problems(office: Office) -> None:
    found = office.program.get("claims", Host="elsewhere.example", Accept_Language="en")
    assert "LIPEI_HOSTS" in problem(found, 400)["detail"]


def test_a_parameter_is_said_once_and_too_long_is_called_so(office: Office) -> None:
    ask = office.program.get
    assert errors(ask("claims?state=closed&state=paying")) == {"state": "refusal.said_twice"}
    assert errors(ask("claims?q=" + "x" * 201)) == {"q": "refusal.too_long"}
    assert errors(ask("claims?q=%01")) == {"q": "refusal.characters"}
    assert errors(ask("claims?reported_from=0001-01-01T00:00:00Z")) == {"reported_from": "refusal.time_impossible"}
    assert errors(ask("claims?reported_from=2026-01-01")) == {"reported_from": "refusal.not_a_time"}


def test_no_list_is_asked_for_nothing(office: Office) -> None:
    number = office.program.post("claims", REPORT).body["number"]
    for address in ("claims", "worklist", f"claims/{number}/timeline"):
        assert errors(office.lead1.get(f"{address}?limit=0")) == {"limit": "refusal.out_of_bounds"}, address
        assert errors(office.lead1.get(f"{address}?limit=-1")) == {"limit": "refusal.not_a_number"}, address
        assert office.lead1.get(f"{address}?limit=1").status == 200
    paths = office.program.get("openapi.json").body["paths"]
    limits = [
        p["schema"]
        for way in paths.values()
        for o in way.values()
        for p in o.get("parameters", ())
        if p["name"] == "limit"
    ]
    assert len(limits) == 3 and all(limit["minimum"] == 1 for limit in limits)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "王\n小明"}, "refusal.one_line"),
        ({"place": "上海\u2028徐汇"}, "refusal.one_line"),
        ({"name": "\u202e明小王"}, "refusal.characters"),
    ],
)
def test_what_would_be_read_otherwise_than_it_is_written_is_not_taken(
    office: Office, wrong: dict[str, str], code: str
) -> None:
    assert errors(office.program.post("claims", {**REPORT, **wrong})) == {next(iter(wrong)): code}
    assert office.program.post("claims", {**REPORT, "story": "第一行\n第二行\tعربى 😀"}).status == 201


def test_what_is_described_as_taken_is_taken(office: Office) -> None:
    report = office.program.get("openapi.json").body["components"]["schemas"]["Report"]["properties"]
    most = report["parties"]["maxItems"]
    assert most == reading.LIST_LENGTH_MAX == entries.ROWS_MAX
    party = {"roles": ["injured"], "name": "x"}
    assert office.program.post("claims", {**REPORT, "parties": [party] * most}).status == 201
    assert errors(office.program.post("claims", {**REPORT, "parties": [party] * (most + 1)})) == {
        "parties": "refusal.too_many"
    }


def test_two_files_at_once_are_not_half_lost(office: Office, tmp_path: Any, settings: Any) -> None:
    settings.LIPEI_MEDIA = str(tmp_path / "media")
    number, handler, _ = with_papers(office)
    files = [SimpleUploadedFile(f"{n}.jpg", picture(n), "image/jpeg") for n in range(2)]
    headers = {"Authorization": f"Bearer {handler.token}"}
    where = f"/api/v1/claims/{number}/documents"
    found = handler.client.post(where, {"file": files}, headers=headers)
    assert found.status_code == 422 and [e["code"] for e in found.json()["errors"]] == ["refusal.one_file"]
    found = handler.client.post(where, {"file": files[0], "paper": [1, 2]}, headers=headers)
    assert found.status_code == 422 and [e["field"] for e in found.json()["errors"]] == ["paper"]
    assert handler.get(f"claims/{number}").body["documents"] == []


def test_a_repeated_report_gets_its_claim_though_it_would_be_refused_today(office: Office) -> None:
    said = {**REPORT, "policy_number": "PC-1"}
    first = office.program.post("claims", said, Idempotency_Key="once")
    assert first.status == 201
    models.Policy.objects.filter(number="PC-1").update(number="PC-1-old")
    assert errors(office.program.post("claims", said)) == {"policy_number": "refusal.policy_unknown"}
    again = office.program.post("claims", said, Idempotency_Key="once")
    assert again.status == 201 and again.body["number"] == first.body["number"]
    assert again.headers["Idempotent-Replayed"] == "true"
    other = office.program.post("claims", {**said, "story": "别的事"}, Idempotency_Key="once")
    assert problem(other, 409)["code"] == "refusal.key_reused"


def test_a_claim_is_handed_to_no_unit_that_is_none(office: Office) -> None:
    body = office.program.post("claims", REPORT).body
    handler = office.handler(body)
    hand_over = f"claims/{body['number']}/hand_over"
    assert errors(handler.post(hand_over, {"unit": "nowhere", "text": "请接手"})) == {"unit": "refusal.unit_unknown"}
    assert handler.post(hand_over, {"unit": "shanghai", "text": "请接手"}).status == 200


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.com:99999/in", "refusal.webhook.url"),
        ("https://exa mple.com/in", "refusal.webhook.url"),
        ("https:///in", "refusal.webhook.url"),
        ("ftp://example.com/in", "refusal.webhook.url"),
        ("https://me:secret@example.com/in", "refusal.webhook.password"),
        ("http://169.254.169.254/latest", "refusal.webhook.inside"),
        ("http://[::ffff:10.0.0.1]/in", "refusal.webhook.inside"),
        ("https://example.com/in\nX: y", "refusal.one_line"),
    ],
)
def test_an_address_that_could_never_be_called_is_refused_when_it_is_said(
    office: Office, settings: Any, url: str, code: str
) -> None:
    settings.LIPEI_WEBHOOK_INSIDE = ["10.0.0.7"]
    admin = Caller(str(tokens.make("hooks", ("webhooks:write",), "admin1", now=NOW)))
    assert errors(admin.post("webhooks", {"url": url})) == {"url": code}
    assert not models.Webhook.objects.exists()
    for good in ("https://例え.jp/in", "http://10.0.0.7:8080/in"):
        assert admin.post("webhooks", {"url": good}).status == 201
    hook = models.Webhook.objects.latest("id").id
    assert errors(admin.post(f"webhooks/{hook}/stop", {"why": "x"})) == {"why": "refusal.unknown_field"}


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ('{"phone": "13900000001", "story": "追尾", "phone": "13900000002"}', "phone"),
        ('{"phone": "13900000001", "story": "追尾", "exposures": [{"line": "motor", "line": "motor"}]}', "line"),
        ('{"story": "追尾", "\\u0073tory": "追尾"}', "story"),
        ('{"nobody": {"deep": [[{"x": 1, "x": 1}]]}}', "x"),
    ],
)
@pytest.mark.parametrize("address", ["claims", "claims:batch", "claims/C1/close"])
def test_a_body_that_says_a_member_twice_is_refused(office: Office, address: str, body: str, member: str) -> None:
    """Two readers would take it in two ways; nobody guesses which was meant."""
    before = models.Claim.objects.count()
    found = office.program.send("POST", address, body.encode(), Accept_Language="en", **{"Idempotency-Key": "twice"})
    said = problem(found, 400)
    assert (said["code"], [e["field"] for e in said["errors"]]) == ("refusal.not_json", [member])
    assert said["detail"].endswith(f" {member}.") and models.Claim.objects.count() == before
    assert said["errors"][0]["message"] == "This is said more than once; please keep one."


def test_a_body_with_large_numbers_or_deep_lists_is_still_answered(office: Office) -> None:
    deep = "[" * 900 + "]" * 900
    for body in ('{"story": "追尾", "nobody": 1' + "0" * 5000 + "}", '{"nobody": ' + deep + "}"):
        assert office.program.send("POST", "claims", body.encode()).status in (400, 422)
