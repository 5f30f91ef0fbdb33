"""Whoever may not do something reads who may (norm part 4)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client

from lipei.domain import lifecycle
from lipei.norms.refusals import worded

pytestmark = pytest.mark.once


@pytest.mark.norm("4")
def test_a_page_says_to_whom_it_is_open(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    answer = browser("surveyor1").get("/console/staff/")
    body = answer.content.decode()
    assert answer.status_code == 403 and "It is open to: Claims manager, Administrator." in body
    assert "For example Admin1, Manager1, Manager2." in body, "whom to ask by name"
    assert "staff.edit" not in body
    assert '<nav id="menu"' in body and 'href="/console/visits/"' in body, "the menu leads on"


@pytest.mark.norm("4")
def test_a_step_says_who_may_take_it() -> None:
    assert lifecycle.holders("consultation.opine") == ("approver", "team_lead", "manager", "expert")
    said = worded({"permission": "consultation.opine"}, "en")
    assert said == {"permission": "Give an opinion", "roles": "Approver, Team lead, Claims manager, Expert"}


@pytest.mark.norm("4")
def test_claims_are_open_to_all_roles_but_one(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    said = "It is open to: Intake, Claims handler, Surveyor, "
    body = browser("admin1").get("/console/claims/").content.decode()
    assert said in body and "Administrator" not in body.partition(said)[2].partition(".")[0]


@pytest.mark.norm("4")
def test_rules_are_called_by_their_name_with_who_may_change_them() -> None:
    said = worded({"permission": "norm.duty"}, "en")
    assert said == {"permission": "change Duty roster", "roles": "Team lead, Claims manager"}


def test_what_is_no_matter_of_roles_names_nobody() -> None:
    assert lifecycle.holders("staff") == ()
    assert worded({"permission": "staff"}, "en")["roles"] == "a colleague who is permitted"
