"""The demonstration company: every kind of story told to its end, work left for every role."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.hashers import check_password
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.company import NOW

from lipei.domain import accounts, lifecycle
from lipei.domain.events import Refusal
from lipei.domain.permissions import ROLES
from lipei.norms.texts import text
from lipei.reads.worklist import Horizon
from lipei.services import demo, norms, unit_of_work, world
from lipei.services.demo.people import failing_card, person
from lipei.services.demo.stage import waking
from lipei.services.demo.stories import STORIES, WAITING
from lipei.store import models

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
CLAIMS = len(STORIES) + len(WAITING)


@pytest.fixture
def stage(monkeypatch):
    """A test's own transaction is open all the time; the play itself opens none around the world outside."""
    monkeypatch.setattr(unit_of_work, "in_transaction", lambda: False)
    monkeypatch.setattr(timezone, "now", lambda: NOW)  # what pages read
    cache.clear()
    world.forget_staff()
    yield
    world.forget_staff()


@pytest.mark.once
@pytest.mark.slow
def test_every_story_is_told_and_every_role_has_work(stage):
    seen = []
    done = demo.fill(claims=CLAIMS, months=3, seed=7, now=NOW, progress=lambda n, total: seen.append((n, total)))
    assert not isinstance(done, Refusal)
    assert done.stuck == ()
    assert seen[-1] == (CLAIMS, CLAIMS) and done.claims >= CLAIMS  # a loss reported twice is two claims
    outcomes = Counter(models.Claim.objects.values_list("outcome", flat=True))
    assert {"paid", "refused", "withdrawn", "duplicate", "closed_without_payment", ""} <= set(outcomes)
    kinds = set(models.Entry.objects.values_list("kind", flat=True))
    assert {
        "claim.customer_told", "claim.duty_called", "claim.duty_acknowledged", "claim.reopened", "claim.suspicion_cleared",
        "paper.refused", "survey.recorded", "consultation.concluded", "exposure.guaranteed",
        "exposure.refused", "offer.declined", "offer.expired", "payment.failed",
        "payment.retried", "recovery.overpayment_found", "recovery.received", "clock.breached",
        "clock.fulfilled", "notice.delivered",
    } <= kinds  # fmt: skip
    # History lies in the past, and the future is empty.
    assert models.Entry.objects.filter(recorded_at__gt=NOW).count() == 0
    assert models.Entry.objects.order_by("recorded_at").first().recorded_at < NOW.replace(month=10)
    waiting_for(models)
    contact = models.Clock.objects.filter(promise="first_contact", ended_at__isnull=False)
    assert contact.filter(breached_at=None).count() > contact.count() / 2  # most are rung up in time, some are not
    most_promises_are_kept()
    a_claim_waits_behind_every_door()
    for left in (models.Absence, models.Delegation, models.PreNotice):
        assert left.objects.count() == 1, "no page of the demonstration is empty"
    api_examples_find_their_policy()
    assert isinstance(demo.fill(claims=1, months=1, seed=1, now=NOW), Refusal)  # never into a database in use


def waiting_for(rows) -> None:
    """On the morning after there is something to do for everybody."""
    assert rows.Claim.objects.filter(state="reported", policy_id=None).exists()  # intake, team lead
    assert rows.Claim.objects.filter(state="investigating", accepted_at=None, handler__isnull=False).exists()  # handler
    assert rows.Survey.objects.filter(state="scheduled").exists()  # surveyor
    assert rows.Consultation.objects.filter(state="convened").exists()  # experts
    assert rows.Exposure.objects.filter(state="assessed").exists()  # assessor
    assert rows.Exposure.objects.filter(state="submitted").exists()  # approver
    assert rows.Exposure.objects.filter(state="refusal_proposed").exists()
    assert rows.Payment.objects.filter(state="ordered").exists()  # finance
    assert rows.Payment.objects.filter(state="failed").exists()
    assert rows.Claim.objects.filter(suspicion=True, state="investigating").exists()  # investigator
    assert rows.Claim.objects.filter(fast_lane=True, closed_at=None).exists()
    offer = rows.Offer.objects.get(
        state="sent", aggregate_id__in=rows.Claim.objects.filter(insured_died=True).values("id")
    )
    assert len(offer.shares) == 2 and len(offer.agreed_parties) == 1  # the second of two heirs


def most_promises_are_kept() -> None:
    """As in a company that is worth looking at: some of the open work is late, more of it is due soon."""
    horizon = Horizon.of(NOW, SHANGHAI)
    open_ = models.Claim.objects.filter(state__in=lifecycle.OPEN)
    due = Counter(horizon.stretch(at) for at in open_.values_list("due_at", flat=True))
    assert 0 < due["late"] <= open_.count() // 3, due
    assert due["today"] >= 2 and due["week"] >= 8, due
    for handler in models.Staff.objects.filter(roles__contains="handler"):
        mine = open_.filter(handler=handler.id)
        assert mine.count() > 2 * mine.filter(due_at__lt=NOW).count(), handler.code
    ended = models.Clock.objects.filter(ended_at__isnull=False)
    assert 0 < ended.exclude(breached_at=None).count() < ended.count() / 4
    visits = models.Survey.objects.filter(state="scheduled").values_list("at", flat=True)
    assert all(at > NOW for at in visits) and len({at.astimezone(SHANGHAI).date() for at in visits}) == 2


def a_claim_waits_behind_every_door() -> None:
    """Each role has a claim of its own to begin with, on whose page the step that is named stands first."""
    found = {role: demo.door(role, now=NOW) for role in ROLES}
    assert all(found.values())
    assert {role for role, door in found.items() if not door.number} == {"administrator"}  # sees no claims
    for role, door in found.items():
        client = Client(headers={"accept-language": "en"})
        hello = client.post("/enter/", {"role": role}, follow=True).content.decode()
        waits = re.search(r'id="waiting" href="([^"]+)"', hello)
        if not door.number:
            assert waits[1] == "/console/health/"
            continue
        assert waits[1] == f"/console/claims/{door.number}/", role
        named = text(f"action.{door.subject}.{door.action}", "en")
        assert f"Next step: <strong>{named}</strong>" in hello, role
        page = client.get(waits[1]).content.decode()
        first = re.search(r'lp-next-first" data-key="n" data-key-label="([^"]+)"', page)
        assert first and first[1].endswith(f": {named}"), role
    visit = models.Survey.objects.get(aggregate_id=_id(found["surveyor"]), part=found["surveyor"].part)
    assert visit.at.astimezone(SHANGHAI).date() == NOW.astimezone(SHANGHAI).date()  # today
    assert models.Claim.objects.get(number=found["team_lead"].number).help_wanted
    assigned = models.Claim.objects.get(number=found["handler"].number)
    assert assigned.accepted_at is None and NOW - assigned.reported_at < timedelta(hours=1)
    client = Client(headers={"accept-language": "en"})
    page = client.post("/enter/", {"role": demo.CUSTOMER}, follow=True)
    number = page.redirect_chain[-1][0].split("/")[2]
    offer = models.Offer.objects.get(aggregate_id=models.Claim.objects.get(number=number).id, state="sent")
    assert f"/offers/{offer.part}/" in page.content.decode()


def _id(door) -> int:
    return models.Claim.objects.get(number=door.number).id


def api_examples_find_their_policy() -> None:
    """The examples of the API's descriptions are about these."""
    from lipei.domain import commands as c

    assert world.find_policy(c.Report(phone="13800138000", line="motor"), NOW).number == "PC-1"
    assert world.find_policy(c.Report(plate="沪A12345"), NOW).number == "PC-1"
    for number in ("PC-1", "MD-1", "PA-1", "HH-1", "TR-1"):
        assert world.find_policy(c.Report(policy_number=number), NOW).number == number


def test_sign_ins_exist_for_every_role_and_only_in_a_demonstration(stage):
    assert demo.sign_ins() == []
    done = demo.fill(claims=2, months=1, seed=3, now=NOW)
    assert done.stuck == ()
    found = {role: (user, password) for role, user, password in demo.sign_ins()}
    assert set(found) == set(ROLES)
    for user, password in found.values():
        row = models.Staff.objects.select_related("user").get(user__username=user)
        assert row.user.password.startswith("pbkdf2") or check_password(password, row.user.password)
    assert norms.roster_gap(norms.text_in_force("duty")[1], NOW) is None


def test_the_same_seed_invents_the_same_people():
    one, two = ([person(chance, n) for n in range(50)] for chance in (Random(5), Random(5)))
    assert one == two
    for who in one:
        assert accounts.check_resident_id(number=who.id_number, today=NOW.date()) is None
        assert accounts.check_phone(number=who.phone) is None
        assert accounts.check_account(number=who.card, kind=accounts.account_kind(number=who.card)) is None
    assert accounts.check_account(number=failing_card(300_000), kind="cn_card") is None and failing_card(
        300_000
    ).endswith("0004")


def test_the_same_seed_tells_the_same_stories(stage):
    def cast(seed):
        chance = Random(seed)
        staff = demo.Company({}, {})
        return [
            (s.now, s.slow, s.leave_at, story.__name__)
            for s, story in demo._cast(staff, chance, 60, NOW - timedelta(days=90), NOW)
        ]

    assert cast(4) == cast(4) != cast(5)
    assert {name for *_, name in cast(4)} == {story.__name__ for story in STORIES}


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_what_waits_had_a_day_of_our_time_at_most_whenever_one_looks(now):
    """On a Sunday night and after a week of holidays too: two days are promised from report to payment."""
    for one in WAITING:
        if one.papers is not None:
            papers = waking(now, one.papers)
            assert waking(now, one.hours) < papers < now and now - papers <= timedelta(hours=24), one
