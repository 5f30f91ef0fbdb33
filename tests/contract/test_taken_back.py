"""Clocks of decisions that are taken back, of heads added late, of papers that fail, and of a claim reopened (norm 2.3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.contract.conftest import Stranger, cny, good, item
from tests.contract.test_clocks import HERE, clocks, reported, states
from tests.contract.test_days import OWN
from tests.contract.test_settlements import COMPULSORY

from lipei.services import sweeps

COLLISION = {"cover": "own_damage", "peril": "collision"}
DECISION = ("cn_decision", "complex_answer")


def decided(stranger: Stranger) -> Any:
    stranger.insure("P", "private_car", **OWN)
    body = stranger.report("P", COLLISION)
    stranger.papers(body)
    stranger.assess(body, 1, item("8000.00"))
    stranger.decide(body, 1)
    return body


def return_it(stranger: Stranger, body: Any) -> None:
    stranger.act(stranger.office.approver1, body, "exposures/1/return_for_rework", {"reason": "算错了"})


@pytest.mark.norm("2.3.1")
def test_a_decision_taken_back_before_it_was_told_was_none(stranger: Stranger) -> None:
    body = decided(stranger)
    before = clocks(stranger, body)
    assert states(stranger, body, *DECISION) == dict.fromkeys(DECISION, "fulfilled")
    stranger.office.later(hours=1)
    return_it(stranger, body)
    after = clocks(stranger, body)
    assert {code: after[code]["state"] for code in DECISION} == dict.fromkeys(DECISION, "running")
    assert all(after[code]["due_at"] == before[code]["due_at"] for code in DECISION)
    assert after["decision_notice"]["state"] == "cancelled"
    stranger.office.later(days=40)
    sweeps.clocks(now=stranger.office.now, limit=50)
    late = {code for code, clock in clocks(stranger, body).items() if clock["late"]}
    assert set(DECISION) <= late and "decision_notice" not in late


def test_a_new_decision_has_a_notice_of_its_own(stranger: Stranger) -> None:
    body = decided(stranger)
    return_it(stranger, body)
    stranger.assess(body, 1, item("7000.00"))
    stranger.decide(body, 1)
    assert states(stranger, body, *DECISION, "decision_notice") == {
        **dict.fromkeys(DECISION, "fulfilled"), "decision_notice": "running"
    }  # fmt: skip


def test_a_decision_that_was_told_stays_kept_when_it_is_reworked(stranger: Stranger) -> None:
    body = decided(stranger)
    stranger.act(stranger.handler(body), body, "offers/1/send")
    stranger.act(stranger.handler(body), body, "offers/1/decline", {"reason": "太少"})
    return_it(stranger, body)
    stranger.act(stranger.office.manager1, body, "triage")
    assert states(stranger, body, *DECISION) == dict.fromkeys(DECISION, "fulfilled")


@pytest.mark.norm("4")
def test_a_part_refused_wants_a_reason_and_has_the_laws_days_until_it_is_taken_back(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **OWN)
    body = stranger.report("P", COLLISION)
    stranger.papers(body)
    stranger.assess(body, 1, item("8000.00"), item("1500.00", excluded="wear"))
    stranger.act(stranger.office.assessor1, body, "exposures/1/check_assessment")
    where = f"claims/{body['number']}/exposures/1/submit_decision"
    silent = stranger.handler(body).post(where, {})
    assert silent.status == 422 and [e["field"] for e in silent.body["errors"]] == ["refusal_reason"]
    good(stranger.handler(body).post(where, {"refusal_reason": "减震器是自然磨损。"}))
    assert "cn_refusal_notice" not in clocks(stranger, body)
    stranger.act(stranger.office.approver1, body, "exposures/1/approve_decision")
    clock = clocks(stranger, body)["cn_refusal_notice"]
    last = datetime.fromisoformat(clock["due_at"]) - timedelta(microseconds=1)
    assert (
        clock["state"] == "running" and last.astimezone(HERE).date() == (stranger.office.now + timedelta(days=3)).date()
    )
    assert stranger.settlement(body)["exposures"][0]["refused"] == cny("1500.00")
    return_it(stranger, body)
    assert states(stranger, body, "cn_refusal_notice") == {"cn_refusal_notice": "cancelled"}
    assert stranger.settlement(body)["exposures"][0]["refused"] == cny("0.00")


@pytest.mark.norm("2.3.1")
def test_a_head_added_after_the_others_were_decided_is_decided_in_time_too(stranger: Stranger) -> None:
    body = decided(stranger)
    stranger.office.later(days=1)
    stranger.act(stranger.handler(body), body, "exposures/new/add", {"cover": "own_damage", "peril": "glass"})
    anew = clocks(stranger, body, *DECISION)
    assert {code: clock["state"] for code, clock in anew.items()} == dict.fromkeys(DECISION, "running")
    assert all(datetime.fromisoformat(c["basis"]["started_at"]) == stranger.office.now for c in anew.values())
    stranger.act(stranger.office.manager1, body, "exposures/2/drop", {"reason": "误报"})
    assert states(stranger, body, *DECISION) == dict.fromkeys(DECISION, "fulfilled")


@pytest.mark.norm("2.3.1")
def test_days_from_the_papers_begin_again_where_a_paper_fails(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY)
    body = stranger.report("P", {"cover": "compulsory_property", "peril": "third_party_property"})
    handler, codes = stranger.handler(body), ("cn_compulsory_decision", "cn_undisputed")
    stranger.act(handler, body, "request_papers")
    asked = [paper["id"] for paper in stranger.claim(body)["papers"] if paper["required"]]
    for paper in asked:
        stranger.act(stranger.office.intake1, body, f"papers/{paper}/receive")
    assert states(stranger, body, *codes) == dict.fromkeys(codes, "running")
    stranger.office.later(days=1)
    stranger.act(handler, body, f"papers/{asked[0]}/refuse", {"reason": "unreadable"})
    assert states(stranger, body, *codes) == dict.fromkeys(codes, "cancelled")
    stranger.office.later(days=10)
    stranger.act(stranger.office.intake1, body, f"papers/{asked[0]}/receive")
    again = clocks(stranger, body, *codes)
    for code, days in zip(codes, (5, 60), strict=True):
        assert again[code]["state"] == "running" and not again[code]["late"]
        last = (stranger.office.now.astimezone(HERE) + timedelta(days=days)).date()
        assert datetime.fromisoformat(again[code]["due_at"]).astimezone(HERE).date() == last


@pytest.mark.norm("2.3.1")
def test_a_reopened_claim_has_again_what_had_not_been_kept(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-23 10:00")
    codes = ("preliminary_opinion", "first_contact", "acceptance", "papers_request")
    stranger.act(stranger.handler(body), body, "accept_assignment")
    stranger.office.later(hours=1)
    stranger.act(stranger.office.manager1, body, "withdraw", {"reason": "不报了"})
    stranger.office.later(days=10)
    stranger.act(stranger.office.lead1, body, "reopen", {"reason": "又要报"})
    again = clocks(stranger, body, *codes)
    open_ = {"preliminary_opinion": "running", "first_contact": "running", "papers_request": "running"}
    assert {code: clock["state"] for code, clock in again.items()} == {**open_, "acceptance": "fulfilled"}
    due = datetime.fromisoformat(again["preliminary_opinion"]["due_at"])
    assert due == stranger.office.now + timedelta(hours=24)
