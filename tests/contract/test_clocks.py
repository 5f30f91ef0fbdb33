"""Promised dates as a caller reads them, at hours when service desks go wrong (norm 2.3.1, 2.2.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from tests.contract.conftest import Stranger, good, item

from lipei.domain.events import Actor
from lipei.norms import loader
from lipei.services import norms
from lipei.store import models

HERE = ZoneInfo("Asia/Shanghai")
PAUSING = {"cn_decision", "complex_answer", "handling_time"}


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=HERE)


def reported(stranger: Stranger, said: str, **more: Any) -> Any:
    """A report at a local time, by a phone and a story alone."""
    stranger.office.now = at(said).astimezone(UTC)
    body = {"phone": "13700001111", "story": "倒车时撞到柱子。", **more}
    return good(stranger.office.program.post("claims", body), 201)


def due(body: Any, code: str) -> str:
    """When a promise falls due, in local time to the minute."""
    found = next(p["due_at"] for p in body["promises"] if p["code"] == code)
    return f"{datetime.fromisoformat(found).astimezone(HERE):%Y-%m-%d %H:%M}"


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("reported_at", "first_contact", "acceptance"),
    [
        ("2026-11-20 17:15", "2026-11-23 09:15", "2026-11-23 09:45"),  # over the weekend
        ("2026-11-23 12:15", "2026-11-23 14:00", "2026-11-23 14:30"),  # in the lunch break
        ("2026-11-23 11:45", "2026-11-23 13:45", "2026-11-23 14:15"),  # across it
        ("2026-11-23 17:00", "2026-11-23 17:30", "2026-11-24 09:30"),  # ends exactly at closing
        ("2026-09-30 17:00", "2026-09-30 17:30", "2026-10-08 09:30"),  # over the National Day holiday
        ("2026-10-09 17:15", "2026-10-10 09:15", "2026-10-10 09:45"),  # a Saturday that is worked
        ("2026-10-01 10:00", "2026-10-08 09:30", "2026-10-08 10:00"),  # begins on a holiday
        ("2026-10-11 10:00", "2026-10-12 09:30", "2026-10-12 10:00"),  # the Sunday after it is free
    ],
)
def test_working_time(stranger: Stranger, reported_at: str, first_contact: str, acceptance: str) -> None:
    body = reported(stranger, reported_at)
    assert (due(body, "first_contact"), due(body, "acceptance")) == (first_contact, acceptance)


@pytest.mark.parametrize(
    ("reported_at", "opinion", "answer"),
    [
        ("2026-11-21 23:00", "2026-11-22 23:00", "2026-11-27 17:30"),  # Saturday night: the day runs from the report
        ("2026-11-23 10:00", "2026-11-24 10:00", "2026-11-30 17:30"),
        ("2026-09-29 10:00", "2026-09-30 10:00", "2026-10-12 17:30"),  # 30, 8, 9, 10 (make-up), 12
        ("2026-02-28 08:00", "2026-03-01 08:00", "2026-03-06 17:30"),  # no leap day this year; a Saturday worked
    ],
)
def test_a_day_is_a_day_and_five_working_days_are_counted_from_the_next(
    stranger: Stranger, reported_at: str, opinion: str, answer: str
) -> None:
    body = reported(stranger, reported_at)
    assert (due(body, "preliminary_opinion"), due(body, "complex_answer")) == (opinion, answer)


def test_a_leap_day_is_a_day(stranger: Stranger) -> None:
    body = reported(stranger, "2028-02-28 20:00")
    assert due(body, "preliminary_opinion") == "2028-02-29 20:00"


@pytest.mark.norm("4")
def test_a_year_without_a_calendar_is_provisional_and_says_so_in_every_language(stranger: Stranger) -> None:
    body = reported(stranger, "2026-12-30 10:00")
    answer = next(p for p in body["promises"] if p["code"] == "complex_answer")
    assert answer["provisional"] and answer["due_at"].startswith("2027-01-")
    assert not next(p for p in body["promises"] if p["code"] == "preliminary_opinion")["provisional"]
    said = set()
    for language in ("zh-Hans", "zh-Hant", "en"):
        found = good(stranger.office.manager1.get(f"claims/{body['number']}", Accept_Language=language))
        said |= {r["message"] for r in found["remarks"] if r["code"] == "remark.provisional"}
        told = next(p for p in found["promises"] if p["code"] == "complex_answer")
        assert "2027" in told["why"]
    assert len(said) == 3


def test_what_the_customer_is_asked_for_pauses_what_may_pause_and_suspicion_pauses_nothing(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    handler = stranger.handler(body)
    before = {p["code"]: p["due_at"] for p in body["promises"]}
    body = stranger.act(handler, body, "suspect", {"reason": "照片时间早于出险时间"})
    assert not [p for p in body["promises"] if p["state"] == "paused"]
    body = stranger.act(handler, body, "request_papers")
    # The law's thirty days stand still too while the customer supplies papers (保险法司法解释二 第七条).
    assert {p["code"] for p in body["promises"] if p["state"] == "paused"} == PAUSING
    stranger.office.later(days=2)
    for paper in stranger.claim(body)["papers"]:
        if paper["required"]:
            stranger.act(stranger.office.intake1, body, f"papers/{paper['id']}/receive")
    after = {p["code"]: p for p in stranger.claim(body)["promises"]}
    assert {code: after[code]["state"] for code in PAUSING} == dict.fromkeys(PAUSING, "running")
    assert all(after[code]["due_at"] > before[code] for code in PAUSING)
    assert after["preliminary_opinion"]["due_at"] == before["preliminary_opinion"]


def test_what_ends_leaves_no_clock_running(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-23 10:00")
    ended = stranger.act(stranger.office.manager1, body, "withdraw", {"reason": "双方已自行解决"})
    assert {p["state"] for p in ended["promises"]} <= {"cancelled", "fulfilled"}
    again = stranger.act(stranger.office.lead1, body, "reopen", {"reason": "客户补充了发票"})
    running = [p for p in again["promises"] if p["state"] == "running"]
    assert running and all(datetime.fromisoformat(p["due_at"]) > stranger.office.now for p in running)


def clocks(stranger: Stranger, body: Any, *codes: str) -> dict[str, Any]:
    """The newest clock of each promise."""
    found = good(stranger.office.program.get(f"claims/{body['number']}/promises"))["promises"]
    return {p["code"]: p for p in sorted(found, key=lambda p: p["id"]) if not codes or p["code"] in codes}


def states(stranger: Stranger, body: Any, *codes: str) -> dict[str, str]:
    return {code: clock["state"] for code, clock in clocks(stranger, body, *codes).items()}


def test_reopened_while_papers_are_still_to_come_it_waits_for_them_again(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    stranger.act(stranger.handler(body), body, "request_papers")
    stranger.act(stranger.office.manager1, body, "withdraw", {"reason": "双方已自行解决"})
    stranger.office.later(days=20)
    again = stranger.act(stranger.office.lead1, body, "reopen", {"reason": "对方没有付钱"})
    assert states(stranger, again, *PAUSING) == dict.fromkeys(PAUSING, "paused")
    stranger.office.later(days=20)
    for paper in stranger.claim(body)["papers"]:
        if paper["required"]:
            stranger.act(stranger.office.intake1, body, f"papers/{paper['id']}/receive")
    after = stranger.claim(body)
    assert states(stranger, after, *PAUSING) == dict.fromkeys(PAUSING, "running")
    answer = clocks(stranger, after)["complex_answer"]
    assert not answer["late"] and [p["until"] is not None for p in answer["basis"]["pauses"]] == [True]


@pytest.mark.norm("2.3.1")
def test_a_second_agreement_in_a_reopened_claim_has_its_own_ten_days(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    stranger.papers(body)
    for round_, sum_ in enumerate(("6000.00", "8000.00"), start=1):
        stranger.assess(body, 1, item(sum_))
        stranger.decide(body, 1)
        stranger.office.later(days=1)
        agreed = stranger.agree(body, offer=round_)
        pays = clocks(stranger, agreed)["cn_payment"]
        assert (pays["state"], pays["basis"]["limit"], pays["basis"]["unit"]) == ("running", 10, "calendar_days")
        assert datetime.fromisoformat(pays["basis"]["started_at"]) == stranger.office.now
        tenth = stranger.office.now.astimezone(HERE) + timedelta(days=10)
        assert datetime.fromisoformat(pays["due_at"]).astimezone(HERE).date() == tenth.date()
        assert stranger.pay(body, round_)["state"] == "closed"
        assert states(stranger, body, "cn_payment") == {"cn_payment": "fulfilled"}
        stranger.office.later(days=40)
        if round_ == 1:
            stranger.act(stranger.office.lead1, body, "reopen", {"reason": "又发现隐损"})


def test_rescue_on_a_saturday_night_is_put_to_a_named_person(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-21 23:00", rescue=True, line="motor")
    kinds = {event["kind"] for event in body["events"]}
    assert kinds & {"claim.duty_called", "claim.duty_unmanned"}
    claim = stranger.claim(body)
    assert claim["fast_lane"] and claim["triage_why"]
    waiting = models.Delivery.objects.filter(stream_id__gt=0, urgent=True)
    assert waiting.exists()


def test_a_second_look_at_a_fast_lane_claim_tells_nobody_twice(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-23 10:00", rescue=True, line="motor")
    before = models.Delivery.objects.filter(message__contains="fast_lane").count()
    stranger.office.now += timedelta(minutes=1)
    stranger.act(stranger.office.manager1, body, "triage", {"injured": 1})
    assert models.Delivery.objects.filter(message__contains="fast_lane").count() == before > 0


@pytest.mark.norm("2.2.2")
def test_complete_papers_are_told_once(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    stranger.papers(body)
    for paper in stranger.claim(body)["papers"]:
        if paper["state"] == "requested":
            stranger.act(stranger.office.intake1, body, f"papers/{paper['id']}/receive")
            stranger.act(stranger.handler(body), body, f"papers/{paper['id']}/accept")
    told = list(good(stranger.office.program.get(f"claims/{body['number']}/messages"))["messages"])
    assert [m["message"] for m in told].count("papers_complete") == 1


@pytest.mark.norm("2.3.1")
def test_a_promise_and_a_calendar_of_the_company_s_own_are_called_by_their_names(stranger: Stranger) -> None:
    names = {"zh-hans": "客户回访", "zh-hant": "客戶回訪", "en": "Call-back"}
    summer = {"zh-hans": "夏令时间", "zh-hant": "夏季時間", "en": "Summer hours"}
    tables = {name: loader.read(loader.default_text(name)) for name in ("calendars", "promises")}
    cn = tables["calendars"]["calendars"][0]
    tables["calendars"]["calendars"].append({**cn, "code": "summer", "hours": {"mon": ["08:00-12:00"]}})
    tables["calendars"]["texts"] = {"calendar.summer": summer}
    mine = {"code": "call_back", "calendar": "summer", "limit": 1, "unit": "working_hours", "told_to_customer": True}
    tables["promises"]["promises"].append({**tables["promises"]["promises"][0], **mine, "duties": []})
    tables["promises"]["texts"] = {"promise.call_back": names}
    manager = Actor("staff:1", "m", frozenset({"manager"}))
    for name, table in tables.items():
        said = yaml.safe_dump(table, allow_unicode=True)
        args: Any = {"table": name, "text": said, "reason": "夏天", "seen_version": 1, "actor": manager}
        assert norms.save(now=stranger.office.now, **args) == 2
    body = reported(stranger, "2026-11-20 17:15")
    assert due(body, "call_back") == "2026-11-23 09:00"
    for language, name in names.items():
        found = good(stranger.office.manager1.get(f"claims/{body['number']}", Accept_Language=language))
        told = next(p for p in found["promises"] if p["code"] == "call_back")
        assert told["name"] == name and name in told["why"] and summer[language] in told["why"]


@pytest.mark.norm("2.3.1")
def test_a_compulsory_head_entered_late_counts_from_the_report_that_told_of_it(stranger: Stranger) -> None:
    """The law's one day (regulation on compulsory motor insurance, art. 28) does not begin when we come to enter it."""
    stranger.insure("P", "private_car", compulsory_property={})
    told = {"policy_number": "P", "loss_at": "2026-11-19T20:00:00+08:00", "loss_kind": "third_party_property"}
    body = reported(stranger, "2026-11-20 10:00", line="motor", **told)
    stranger.office.now = at("2026-11-23 10:00").astimezone(UTC)
    head = {"cover": "compulsory_property", "peril": "third_party_property"}
    for _ in range(2):  # a second one, another's car, is learnt of only now
        stranger.act(stranger.office.manager1, body, "exposures/new/add", head)
    found = {p["exposure"]: p for p in stranger.claim(body)["promises"] if p["code"] == "cn_compulsory_papers"}
    assert {part: p["due_at"][:10] for part, p in found.items()} == {1: "2026-11-21", 2: "2026-11-24"}


@pytest.mark.norm("2.2.4")
def test_the_largest_loss_can_be_assessed_and_checked(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 600_000_000})
    claim = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    said = {"items": [item("3000000.00", assessed={"amount": "3000000.00", "currency": "CNY"})]}
    path = f"claims/{claim['number']}/exposures/1/assess"
    assert stranger.handler(claim).post(path, said).body["code"] == "refusal.authority.above_limit"
    stranger.act(stranger.office.assessor1, claim, "exposures/1/assess", said)
    stranger.act(stranger.office.manager1, claim, "exposures/1/check_assessment")
