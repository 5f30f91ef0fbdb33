"""Reading: one claim, lists, search, timeline, promises; personal data masked, tokens and their scopes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.api.conftest import Caller, Office
from tests.company import NOW

from lipei.api.schemas import REPORT
from lipei.domain.events import Refusal
from lipei.services import tokens
from lipei.store import models


def reported(office: Office, **more: Any) -> Any:
    found = office.program.post("claims", {**REPORT, **more})
    assert found.status == 201, found.body
    return found.body


@pytest.mark.norm("4")
def test_personal_data_is_masked_and_unmasking_is_on_record(office: Office) -> None:
    body = reported(office, story="王小明的电话是13800138000，邮箱wxm@example.com。")
    claim, handler = f"claims/{body['number']}", office.handler(body)
    for caller in (handler, office.program):
        said = json.dumps(caller.get(claim).body, ensure_ascii=False)
        for secret in ("王小明", "13800138000", "wxm@", office.us.car.account_number):
            assert secret not in said, (secret, said)
    party = handler.get(claim).body["parties"][0]
    assert (party["name"], party["phone"]) == ("王*明", "138****8000")
    assert models.Entry.objects.filter(kind="claim.personal_data_seen").count() == 0

    found = handler.get(f"{claim}?unmask=1")
    assert found.body["parties"][0]["name"] == "王小明" and found.body["parties"][0]["phone"] == "13800138000"
    assert "13800138000" in found.body["story"] and found.body["masked"] is False
    assert handler.get(f"{claim}?unmask=1").status == 200
    assert models.Entry.objects.filter(kind="claim.personal_data_seen").count() == 1  # one look, ten minutes
    office.later(minutes=11)
    assert handler.get(f"{claim}?unmask=1").status == 200
    assert models.Entry.objects.filter(kind="claim.personal_data_seen").count() == 2


def test_who_may_not_see_personal_data_is_told_so(office: Office) -> None:
    body = reported(office)
    found = office.program.get(f"claims/{body['number']}?unmask=1")
    assert (found.status, found.body["permission"]) == (403, "personal_data.see")
    assert office.manager1.get("claims/26112399999999?unmask=1").status == 404
    assert models.Entry.objects.filter(kind="claim.personal_data_seen").count() == 0


def test_a_look_does_not_make_a_colleagues_form_stale(office: Office) -> None:
    body = reported(office)
    claim, handler = f"claims/{body['number']}", office.handler(body)
    seen = handler.get(claim).headers["ETag"]
    assert office.manager1.get(f"{claim}?unmask=1").status == 200
    assert handler.post(f"{claim}/give_opinion", {"text": "属于保险责任"}, If_Match=seen).status == 200


def test_the_timeline_tells_the_story_in_three_languages(office: Office) -> None:
    body = reported(office)
    claim = f"claims/{body['number']}"
    told = {
        language: office.manager1.get(f"{claim}/timeline", Accept_Language=language).body["entries"]
        for language in ("en", "zh-CN", "zh-TW")
    }
    kinds = [e["kind"] for e in told["en"]]
    assert kinds[0] == "claim.reported" and "clock.started" in kinds
    assert [e["sequence"] for e in told["en"]] == list(range(1, len(kinds) + 1))
    for language, entries in told.items():
        assert all(e["sentence"] and e["name"] and e["actor"]["name"] for e in entries), language
    assigned = next(e for e in told["en"] if e["kind"] == "claim.assigned")
    assert assigned["sentence"].startswith("The claim was assigned to Handler")
    rest = office.manager1.get(f"{claim}/timeline?after=3&limit=2").body["entries"]
    assert [e["sequence"] for e in rest] == [4, 5]


@pytest.mark.norm("2.2.3")
def test_the_timeline_tells_colleagues_why_a_reserve_changed_and_by_which_authority(office: Office) -> None:
    body = reported(office, exposures=[{"cover": "own_damage", "peril": "single_vehicle"}])
    claim = f"claims/{body['number']}"
    said = {"amount": {"amount": "4000.00", "currency": "CNY"}, "reason": "配件涨价"}
    assert office.handler(body).post(f"{claim}/exposures/1/set_reserve", said).status == 200

    def entry(caller: Any) -> Any:
        entries = caller.get(f"{claim}/timeline", Accept_Language="en").body["entries"]
        return next(e for e in entries if e["kind"] == "exposure.reserve_set")

    mine = entry(office.manager1)
    assert (mine["note"], mine["authority"]) == ("配件涨价", "Authority: up to CNY 100,000.00.")
    assert mine["facts"]["authority"]["limit"] == {"amount": "100000.00", "currency": "CNY"}
    assert entry(office.program)["note"] == "", "notes are for colleagues"


def test_a_program_does_not_learn_of_suspicion(office: Office) -> None:
    body = reported(office)
    claim, handler = f"claims/{body['number']}", office.handler(body)
    assert handler.post(f"{claim}/suspect", {"reason": "照片可疑"}).status == 200
    seen = office.program.get(f"{claim}/timeline").body["entries"]
    assert "claim.suspected" not in {e["kind"] for e in seen}
    assert "claim.suspected" in {e["kind"] for e in office.manager1.get(f"{claim}/timeline").body["entries"]}
    program = office.program.get(claim).body
    assert "suspicion" not in program and "notes" not in program
    listed = office.program.get("claims").body["claims"][0]
    assert "suspicion" not in listed
    assert office.program.get("claims?suspicion=1").status == 422


@pytest.mark.norm("2.3.1")
def test_promises_say_why(office: Office) -> None:
    body = reported(office)
    found = office.manager1.get(f"claims/{body['number']}/promises", Accept_Language="en").body["promises"]
    assert {p["code"] for p in found} == {p["code"] for p in body["promises"]}
    assert any("24 hours" in p["why"] for p in found), found


def test_lists_filter_and_go_on_by_cursor(office: Office) -> None:
    numbers = []
    for n in range(7):
        office.later(minutes=1)
        numbers.append(reported(office, story=f"第{n}件", injured=n % 2)["number"])
    caller = office.manager1
    pages, cursor = [], ""
    while True:
        page = caller.get(f"claims?limit=3&cursor={cursor}").body
        pages.append([c["number"] for c in page["claims"]])
        cursor = page["next"]
        if not cursor:
            break
    assert [len(p) for p in pages] == [3, 3, 1]
    assert [n for p in pages for n in p] == numbers[::-1]
    assert caller.get("claims?state=closed").body["claims"] == []
    for wrong in ("state=gone", "lane=slow", "line=spaceships", "loss_kind=x"):
        for address in ("claims", "worklist"):
            found = caller.get(f"{address}?{wrong}")
            assert found.status == 422 and found.body["errors"][0]["field"] == wrong.partition("=")[0], wrong
    assert len(caller.get("claims?line=motor&limit=100").body["claims"]) == 7
    at = "2026-11-23T02:04:00Z"
    assert len(caller.get(f"claims?reported_from={at}").body["claims"]) == 4
    for bad in (
        "limit=x",
        "cursor=zzz",
        "cursor=%00",
        "nonsense=1",
        "late=perhaps",
        "reported_from=yesterday",
        "q=%00",
        "handler=99999999999999999999",
    ):
        found = caller.get(f"claims?{bad}")
        assert (found.status, len(found.body["errors"])) == (422, 1), bad


def test_search_by_number_phone_plate_policy_and_name(office: Office) -> None:
    own = reported(office, plate="沪A12345", external_number="EXT-9")
    other = office.program.post("claims", {"phone": "13911112222", "story": "另一件", "name": "欧阳明月"}).body
    caller = office.manager1

    def found(q: str) -> set[str]:
        return {c["number"] for c in caller.get(f"claims?q={q}").body["claims"]}

    for q in (
        own["number"],
        "13800138000",
        "138 0013 8000",
        "沪A12345",
        "沪a·12345",
        "PC-1",
        "EXT-9",
        "王小明",
        "小明",
    ):
        assert found(q) == {own["number"]}, q
    for q in ("欧阳", "阳明月", "2222"):
        assert found(q) == {other["number"]}, q
    assert found("明月阳") == set() and found("明王") == set() and found("x") == set()
    assert office.admin1.get("claims?q=王小明").body["claims"] == []


def test_the_worklist_is_ones_own_in_the_order_of_the_promises(office: Office) -> None:
    urgent = reported(office, rescue=True, injured=1, serious_injuries=1)
    office.later(minutes=-5)
    plain = [reported(office, story=f"第{n}件") for n in range(4)]
    everybody = office.manager1.get("worklist?limit=2").body
    assert everybody["claims"][0]["number"] == urgent["number"] and everybody["claims"][0]["fast_lane"]
    rest = office.manager1.get(f"worklist?limit=10&cursor={everybody['next']}").body
    order = [c["due_at"] for c in (*everybody["claims"], *rest["claims"])][1:]
    assert order == sorted(order)
    assert len(rest["claims"]) == 3 and rest["next"] is None
    for body in (urgent, *plain):
        mine = {c["number"] for c in office.handler(body).get("worklist").body["claims"]}
        assert body["number"] in mine
    both = [
        {c["number"] for c in getattr(office, who).get("worklist").body["claims"]} for who in ("handler1", "handler2")
    ]
    assert not both[0] & both[1]
    assert office.manager1.get("worklist?whose=theirs").status == 422


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_without_a_token_that_holds_nothing_is_answered(office: Office) -> None:
    for token in ("", "lipei_wrong", "wrong", "lipei_" + "x" * 500, "lipei_\u00fc"):
        found = Caller(token).get("claims")
        assert found.status == 401 and found.headers["WWW-Authenticate"].startswith("Bearer")
        assert found.headers["Content-Type"] == "application/problem+json"
        assert ('error="invalid_token"' in found.headers["WWW-Authenticate"]) is bool(token)
    assert Caller("").get("claims", Authorization="Basic eDp5").status == 401


def test_a_token_is_kept_as_a_digest_and_good_for_its_scopes_alone(office: Office) -> None:
    made = tokens.make("reader", ("claims:read",), now=NOW)
    assert isinstance(made, str)
    assert not models.ApiToken.objects.filter(digest__contains=made[6:]).exists()
    reader = Caller(made)
    assert reader.get("claims").status == 200
    found = reader.post("claims", dict(REPORT))
    assert (found.status, found.body["permission"]) == (403, "claims:write")
    assert reader.get("worklist").body["permission"] == "worklist:read"
    assert tokens.revoke("reader", now=NOW) is None
    assert reader.get("claims").status == 401
    assert isinstance(tokens.revoke("reader", now=NOW), Refusal)


def test_a_token_dies_with_its_person(office: Office) -> None:
    assert office.handler1.get("claims").status == 200
    models.Staff.objects.filter(code="handler1").update(active=False)
    assert office.handler1.get("claims").status == 401


def test_tokens_that_make_no_sense(office: Office) -> None:
    assert isinstance(tokens.make("a", ("claims:read",), now=NOW), str)
    wrong = (
        ("a", ("claims:read",), None, "name"),
        ("b", (), None, "scopes"),
        ("b", ("all",), None, "scopes"),
        ("", ("claims:read",), None, "name"),
        ("b", ("claims:read",), "nobody", "staff"),
    )
    for name, scopes, staff, field in wrong:
        made = tokens.make(name, scopes, staff, now=NOW)
        assert isinstance(made, Refusal) and field in made.fields
    refused = tokens.make("b", ("claims:read",), now=NOW, by=office.us.handler1)
    assert isinstance(refused, Refusal) and refused.kind == "permission"


# --- operators -------------------------------------------------------------------------------------------------------


def test_operators_are_told_how_it_is(office: Office) -> None:
    nobody = Caller("")
    reported(office)
    assert nobody.get("/healthz").body == {"status": "ok"}
    ready = nobody.get("/readyz")
    assert ready.status == 200, ready.body
    here = nobody.get("/metrics")
    assert here.status == 200 and b"lipei_open_claims 1.0" in here.body and b"lipei_api_requests_total" in here.body
    assert nobody.get("/metrics", X_Forwarded_For="10.0.0.1").status == 401
    assert nobody.client.get("/metrics", REMOTE_ADDR="10.0.0.1").status_code == 401
    made = tokens.make("prometheus", ("metrics:read",), now=NOW)
    assert isinstance(made, str)
    assert Caller(made).get("/metrics", X_Forwarded_For="10.0.0.1").status == 200
    assert office.program.get("/metrics", X_Forwarded_For="10.0.0.1").status == 403


def test_every_other_address_is_a_problem_too(office: Office) -> None:
    found = office.program.get("nothing/here")
    assert (found.status, found.headers["Content-Type"]) == (404, "application/problem+json")
