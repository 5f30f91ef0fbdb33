"""When and where it happened, read on the claim's page and put right in its form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW
from tests.web.conftest import reported
from tests.web.test_told_facts import code_of_handler

from lipei.norms.texts import LANGUAGES, text

pytestmark = [pytest.mark.django_db, pytest.mark.norm("2.2.1")]


def local(days_ago: float) -> str:
    """As the field of a browser gives a time of the company's zone (UTC+8)."""
    return (NOW - timedelta(days=days_ago) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.once
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_desk_reads_what_is_missing_and_puts_it_right(office: Any, browser: Any, language: str) -> None:
    number = reported(office, loss_at=None)
    desk, where = browser(code_of_handler(office, number), language), f"/console/claims/{number}/correct/"
    page = desk.get(f"/console/claims/{number}/").content.decode()
    assert text("remark.loss_at_unknown", language) in page and where in page
    form = desk.get(where).content.decode()
    assert text("action_hint.claim.correct", language)[:10] in form and 'name="loss_at"' in form
    assert desk.post(where, {"loss_at": local(1)}).status_code == 302
    page = desk.get(f"/console/claims/{number}/").content.decode()
    assert text("remark.loss_at_unknown", language) not in page
    assert desk.post(where, {"loss_at": local(2)}).status_code == 422, "another time needs its reason"
    assert desk.post(where, {"loss_at": local(2), "reason": "客户来电更正"}).status_code == 302


@pytest.mark.once
def test_a_day_without_cover_is_said_at_once(office: Any, browser: Any) -> None:
    number = reported(office, loss_at=None)
    desk = browser(code_of_handler(office, number))
    desk.post(f"/console/claims/{number}/correct/", {"loss_at": local(700)})
    page = desk.get(f"/console/claims/{number}/").content.decode()
    assert text("remark.not_in_force", "en", policy="§").split("§")[1] in page
