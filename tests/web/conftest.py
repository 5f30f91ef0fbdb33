"""A company whose staff can sign in, and a claim to look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from tests.company import NOW, company

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.reads import rulebook
from lipei.services import actions, intake
from lipei.store import models

REAL_CLOCK = timezone.now
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pages read the clock on the wall; here it stands on the day for which the company's policies are in force.

    What one test's many sign-ins count towards (allauth's limits by address) is forgotten before the next.
    """
    cache.clear()
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return NOW


@pytest.fixture
def office(db: None) -> SimpleNamespace:
    """The company of `tests.company`, each member of staff with a sign-in by their code (`PASSWORD` for handler1)."""
    rulebook.at.cache_clear()  # it is kept by the number of edits, which every test begins anew
    found = company()
    for code, row in found.rows.items():
        row.user = get_user_model().objects.create_user(username=code)
        row.save()
    found.rows["handler1"].user.password = make_password(PASSWORD)
    found.rows["handler1"].user.save()
    return found


@pytest.fixture
def browser(office: SimpleNamespace) -> Callable[..., Client]:
    """A signed-in client by the code of a member of staff; in English unless told otherwise."""

    def signed_in(code: str, language: str = "en") -> Client:
        client = Client()
        client.force_login(office.rows[code].user, backend="allauth.account.auth_backends.AuthenticationBackend")
        client.cookies["lipei_language"] = language
        return client

    return signed_in


def reported(office: SimpleNamespace, **more: Any) -> str:
    """The number of a small motor claim reported just now."""
    at = NOW
    said = {
        "story": "倒车时撞到柱子，后保险杠破损。",
        "phone": "13800138000",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": at - timedelta(hours=2),
        "exposures": (
            c.ExposureReported(
                cover="own_damage",
                peril="single_vehicle",
                items=(c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY")),),
            ),
        ),
    }
    done = intake.report(c.Report(**{**said, **more}), actor=office.intake1, now=at)
    assert not isinstance(done, Refusal), done
    return done.case.claim.number


@pytest.fixture
def claim(office: SimpleNamespace) -> str:
    """A claim of the company."""
    return reported(office)


@pytest.fixture
def handler_code(office: SimpleNamespace, claim: str) -> str:
    """The code of the colleague who handles it."""
    handler = models.Claim.objects.get(number=claim).handler
    return next(code for code, row in office.rows.items() if row.id == handler)


def full_claim(us: SimpleNamespace) -> str:
    """A claim on which much has happened, so that its page shows every section."""
    number = reported(us)
    handler = next(
        a for a in (us.handler1, us.handler2) if a.staff_id == models.Claim.objects.get(number=number).handler
    )
    assess = c.Assess(items=(c.ItemAssessed("后保险杠", assessed=Money(240000, "CNY"), claimed=Money(265000, "CNY")),))
    steps = (
        (handler, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任，请补齐材料。")),
        (handler, "claim", "request_papers", 0, c.RequestPapers()),
        (
            handler,
            "survey",
            "schedule",
            0,
            c.ScheduleSurvey(at=NOW.replace(hour=6), place="徐汇区漕溪路", surveyor=us.surveyor1.staff_id),
        ),
        (us.surveyor1, "survey", "record", 1, c.RecordSurvey("后保险杠凹陷。", {"damage_matches": True})),
        (handler, "consultation", "convene", 0, c.Convene("是否需要更换？", (us.expert1.staff_id,))),
        (handler, "exposure", "assess", 1, assess),
        (us.assessor1, "exposure", "check_assessment", 1, None),
    )
    for actor, subject, action, part, command in steps:
        done = actions.act(number, subject, action, part, command, actor=actor, now=NOW)
        assert not isinstance(done, Refusal), (subject, action, done)
    return number
