"""An address that names nothing says what there is; what happens by itself and what is past say so too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.contract.conftest import Stranger, item

from lipei.norms.texts import LANGUAGES

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def offered(stranger: Stranger) -> Any:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    stranger.papers(body)
    stranger.assess(body, 1, item("800.00"))
    stranger.decide(body, 1)
    stranger.act(stranger.handler(body), body, "offers/1/send")
    return body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("address", "code", "named"),
    [
        ("wheels/1/assess", "refusal.unknown_parts", ("wheels", "exposures")),
        ("exposures/1/fly", "refusal.unknown_action_here", ("fly", "assess", "new/add")),
        ("exposures/1/add", "refusal.unknown_action_here", ("new/add",)),
        ("fly", "refusal.unknown_action_here", ("fly", "add_note")),
        ("exposures/abc/assess", "refusal.unknown_part", ("abc",)),
        ("exposures/9/assess", "refusal.unknown_part", ("9",)),
    ],
)
def test_what_is_unknown_is_named_with_what_there_is(
    stranger: Stranger, address: str, code: str, named: tuple[str, ...], language: str
) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    found = stranger.handler(body).post(f"claims/{body['number']}/{address}", {}, Accept_Language=language)
    assert (found.status, found.body["code"]) == (404, code)
    assert all(name in found.body["detail"] for name in named), found.body["detail"]


@pytest.mark.norm("2.2.3")
def test_an_offer_past_its_day_runs_out_before_anybody_answers_or_sends_it_anew(stranger: Stranger) -> None:
    body = offered(stranger)
    stranger.act(stranger.office.program, body, "offers/1/send_code")
    code = stranger.code()
    stranger.office.now = datetime.fromisoformat(stranger.claim(body)["offers"][0]["expires_at"])
    found = stranger.office.program.post(f"claims/{body['number']}/offers/1/agree", {"code": code})
    assert (found.status, found.body["code"]) == (409, "refusal.offer_expired")
    assert "agree" not in {a["action"] for a in found.body["actions"]}
    assert stranger.claim(body)["offers"][0]["state"] == "expired"
    stranger.act(stranger.handler(body), body, "offers/1/send")
    assert stranger.claim(body)["offers"][0]["state"] == "sent"


@pytest.mark.norm("2.2.3")
def test_what_an_offer_past_its_day_refuses_is_not_among_what_is_possible(stranger: Stranger) -> None:
    """From the very instant, and before any sweep has looked."""
    body = offered(stranger)
    answers = {"agree", "decline", "send_code"}
    expires_at = datetime.fromisoformat(stranger.claim(body)["offers"][0]["expires_at"])
    stranger.office.now = expires_at - timedelta(microseconds=1)
    assert answers <= {a["action"] for a in stranger.claim(body)["actions"]}
    stranger.office.now = expires_at
    found = stranger.claim(body)
    assert found["offers"][0]["state"] == "sent" and answers.isdisjoint({a["action"] for a in found["actions"]})


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(("action", "status"), [("send", 200), ("decline", 409)])
def test_whoever_comes_first_after_the_day_finds_it_run_out(stranger: Stranger, action: str, status: int) -> None:
    body = offered(stranger)
    stranger.office.now = datetime.fromisoformat(stranger.claim(body)["offers"][0]["expires_at"])
    who = stranger.handler(body) if action == "send" else stranger.office.program
    said = {} if action == "send" else {"reason": "太少"}
    assert who.post(f"claims/{body['number']}/offers/1/{action}", said).status == status
    assert stranger.claim(body)["offers"][0]["state"] == ("sent" if action == "send" else "expired")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_only_the_system_does_says_so(stranger: Stranger, language: str) -> None:
    body = offered(stranger)
    found = stranger.handler(body).post(f"claims/{body['number']}/offers/1/expire", {}, Accept_Language=language)
    assert (found.status, found.body["code"]) == (403, "refusal.only_by_itself")


@pytest.mark.norm("2.2.1")
def test_a_loss_told_twice_is_found_also_where_the_first_report_knew_no_policy(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    first = {"story": "出险经过", "phone": "13700001111", "loss_at": "2026-11-22T10:00:00+08:00"}
    unknown = stranger.office.program.post("claims", first).body
    known = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    alike = next(r for r in known["remarks"] if r["code"] == "remark.alike")
    assert alike["claims"] == [unknown["number"]]
    stranger.insure("Q", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    other = stranger.report("Q", {"cover": "own_damage", "peril": "collision"})
    said = next(r for r in other["remarks"] if r["code"] == "remark.alike")
    assert said["claims"] == [unknown["number"]], "what one caller reports on different policies is not alike"
