"""Retry, inquiry, quiet hours and fallback as pure functions (norm 2.4.1)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lipei.domain.deliveries import (
    OUTCOMES,
    RetryPolicy,
    Step,
    after_attempt,
    after_inquiry,
    fallback,
    next_attempt,
    next_inquiry,
    not_before,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTES = (1, 5, 15, 60, 120, 240, 480, 480, 480)
POLICY = RetryPolicy(
    retry_after=tuple(timedelta(minutes=m) for m in MINUTES),
    inquire_after=(timedelta(minutes=2), timedelta(hours=1)),
)


def test_each_attempt_waits_its_own_time_and_the_last_gives_up() -> None:
    waits = [next_attempt(attempts=n, now=NOW, policy=POLICY) for n in range(1, 11)]
    assert waits[:3] == [NOW + timedelta(minutes=1), NOW + timedelta(minutes=5), NOW + timedelta(minutes=15)]
    assert waits[8] == NOW + timedelta(hours=8)
    assert waits[9] is None


def test_a_server_down_for_a_day_loses_nothing() -> None:
    now, attempts, back_at = NOW, 1, NOW + timedelta(hours=24)
    while now < back_at:
        again = next_attempt(attempts=attempts, now=now, policy=POLICY)
        assert again is not None, "gave up while the server was down"
        now, attempts = again, attempts + 1
    assert now - back_at < timedelta(hours=8)


def test_never_earlier_than_the_provider_asked() -> None:
    hour = timedelta(hours=1)
    assert next_attempt(attempts=1, now=NOW, policy=POLICY, retry_after=hour) == NOW + hour
    assert next_attempt(attempts=7, now=NOW, policy=POLICY, retry_after=hour) == NOW + timedelta(hours=8)


@given(attempts=st.integers(1, 9), key=st.text(), percent=st.integers(0, 100))
def test_the_spread_only_lengthens_and_is_the_same_every_time(attempts: int, key: str, percent: int) -> None:
    policy = RetryPolicy(retry_after=POLICY.retry_after, spread_percent=percent)
    wait = timedelta(minutes=MINUTES[attempts - 1])
    at = next_attempt(attempts=attempts, now=NOW, policy=policy, key=key)
    assert at is not None
    assert NOW + wait <= at <= NOW + wait * (1 + percent / 100) + timedelta(microseconds=1)
    assert at == next_attempt(attempts=attempts, now=NOW, policy=policy, key=key)


def test_a_backlog_is_spread() -> None:
    policy = RetryPolicy(retry_after=(timedelta(hours=1),), spread_percent=50)
    instants = {next_attempt(attempts=1, now=NOW, policy=policy, key=f"delivery-{n}") for n in range(100)}
    assert len(instants) > 90


def test_inquiries_have_their_own_patience() -> None:
    asked = [next_inquiry(inquiries=n, now=NOW, policy=POLICY) for n in range(3)]
    assert asked == [NOW + timedelta(minutes=2), NOW + timedelta(hours=1), None]


@pytest.mark.norm("2.4.1")
@pytest.mark.parametrize(
    ("outcome", "attempts", "can_inquire", "expected"),
    [
        ("accepted", 1, False, Step("done")),
        ("accepted", 1, True, Step("inquire", NOW + timedelta(minutes=2))),
        ("rejected", 1, True, Step("fall_back")),
        ("failed", 1, True, Step("send", NOW + timedelta(minutes=1))),
        ("failed", 10, True, Step("fall_back")),
        ("unknown", 1, True, Step("inquire", NOW + timedelta(minutes=2))),
        ("unknown", 1, False, Step("fall_back")),
    ],
)
def test_the_way_on_from_each_outcome(outcome: str, attempts: int, can_inquire: bool, expected: Step) -> None:
    step = after_attempt(outcome=outcome, attempts=attempts, now=NOW, policy=POLICY, can_inquire=can_inquire)
    assert step == expected


def test_a_policy_that_asks_nothing_believes_what_was_accepted() -> None:
    silent = RetryPolicy(retry_after=(timedelta(minutes=1),))
    steps = [
        after_attempt(outcome=outcome, attempts=1, now=NOW, policy=silent, can_inquire=True)
        for outcome in ("accepted", "unknown")
    ]
    assert steps == [Step("done"), Step("fall_back")]


@pytest.mark.norm("2.4.1")
@pytest.mark.parametrize(
    ("delivered", "inquiries", "expected"),
    [
        (True, 1, Step("done")),
        (False, 1, Step("fall_back")),
        (None, 1, Step("inquire", NOW + timedelta(hours=1))),
        (None, 2, Step("fall_back")),
        (True, 2, Step("done")),
        (False, 0, Step("fall_back")),
    ],
)
def test_confirmed_or_to_the_next_channel(delivered: bool | None, inquiries: int, expected: Step) -> None:
    assert after_inquiry(delivered=delivered, inquiries=inquiries, now=NOW, policy=POLICY) == expected


@given(
    outcome=st.sampled_from(OUTCOMES),
    attempts=st.integers(1, 20),
    can_inquire=st.booleans(),
    wait=st.none() | st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_only_a_certain_failure_is_ever_sent_again(
    outcome: str, attempts: int, can_inquire: bool, wait: timedelta | None
) -> None:
    step = after_attempt(
        outcome=outcome, attempts=attempts, now=NOW, policy=POLICY, can_inquire=can_inquire, retry_after=wait
    )
    if step.action == "send":
        assert outcome == "failed"
    if step.at is not None:
        assert step.at > NOW
    assert (step.at is not None) == (step.action in ("send", "inquire"))


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-03-02 20:59", "2026-03-02 20:59"),
        ("2026-03-02 21:00", "2026-03-03 08:00"),
        ("2026-03-02 23:59", "2026-03-03 08:00"),
        ("2026-03-03 00:00", "2026-03-03 08:00"),
        ("2026-03-03 07:59", "2026-03-03 08:00"),
        ("2026-03-03 08:00", "2026-03-03 08:00"),
    ],
)
def test_a_night_over_midnight(local: str, expected: str) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)
    at = not_before(now=now, zone=SHANGHAI, quiet_from=time(21), quiet_to=time(8))
    assert at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") == expected
    assert at.tzinfo is UTC


def test_a_siesta_within_one_day() -> None:
    now = datetime(2026, 3, 2, 12, 30, tzinfo=SHANGHAI)
    assert not_before(now=now, zone=SHANGHAI, quiet_from=time(12), quiet_to=time(14)) == now.replace(hour=14, minute=0)


def test_urgent_messages_and_missing_hours_do_not_wait() -> None:
    night = datetime(2026, 3, 2, 23, 0, tzinfo=SHANGHAI)
    assert not_before(now=night, zone=SHANGHAI, quiet_from=time(21), quiet_to=time(8), urgent=True) == night
    assert not_before(now=night, zone=SHANGHAI, quiet_from=None, quiet_to=None) == night
    assert not_before(now=night, zone=SHANGHAI, quiet_from=time(8), quiet_to=time(8)) == night


ZONES = ("Asia/Shanghai", "Asia/Taipei", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


@given(
    now=st.integers(1_577_836_800, 1_893_456_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    quiet_from=st.times(),
    quiet_to=st.times(),
)
@example(  # the second 01:10 of the night on which summer time ends
    now=datetime(2026, 11, 1, 6, 10, tzinfo=UTC),
    zone=ZoneInfo("America/New_York"),
    quiet_from=time(21),
    quiet_to=time(1, 30),
)
@example(  # quiet hours that end in the hour that does not exist
    now=datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    zone=ZoneInfo("Europe/Berlin"),
    quiet_from=time(21),
    quiet_to=time(2, 30),
)
def test_the_wait_is_never_backwards_and_at_most_a_day(
    now: datetime, zone: ZoneInfo, quiet_from: time, quiet_to: time
) -> None:
    at = not_before(now=now, zone=zone, quiet_from=quiet_from, quiet_to=quiet_to)
    assert now <= at <= now + timedelta(hours=25)
    again = not_before(now=at, zone=zone, quiet_from=quiet_from, quiet_to=quiet_to)
    assert again - at < timedelta(hours=2), "the end of the quiet hours is not within them (but for a clock set back)"


@pytest.mark.norm("2.4.1")
def test_fallback_goes_down_the_list_once() -> None:
    channels = ("wechat", "sms", "mail")
    assert fallback(channels=channels, tried=()) == "wechat"
    assert fallback(channels=channels, tried={"wechat"}) == "sms"
    assert fallback(channels=channels, tried=("wechat", "mail")) == "sms"
    assert fallback(channels=channels, tried=channels) is None


def test_a_policy_without_sense_is_refused() -> None:
    with pytest.raises(AssertionError):
        RetryPolicy(retry_after=(timedelta(0),))
    with pytest.raises(AssertionError):
        RetryPolicy(retry_after=(), spread_percent=101)
