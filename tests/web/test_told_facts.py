"""What the sum for treatment hangs on: named where nobody told it, told in the form it leads to, then paid by rule (norm 1.3.1)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.company import NOW, policy
from tests.web.conftest import reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.norms.texts import LANGUAGES, text
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("1.3.1")]
TOLD = {
    "social_insurance_minor": "0", "other_payment_minor": "0", "used_social_insurance": "no", "inpatient": "no",
    "outpatient": "yes",
}  # fmt: skip


@pytest.fixture
def treated(office: Any) -> str:
    """A small medical claim whose papers are here, and of which nobody has said what others paid."""
    bought = {"medical_expense": {"limit_minor": 5_000_000, "deductible_minor": 0, "pay_rate": "100%"}}
    policy("M1", "medical", bought, name="张三", phone="13911110040", seed=40)
    bill = c.ItemAssessed("门诊", claimed=Money(200_000, "CNY"))
    number = reported(
        office, story="发烧去了医院。", phone="13911110040", policy_number="M1", line="health", loss_kind="illness_medical",
        accept_automatic=True, exposures=(c.ExposureReported("medical_expense", "illness_medical", items=(bill,)),),
    )  # fmt: skip
    claim = models.Claim.objects.get(number=number)
    handler = next(a for a in (office.handler1, office.handler2) if a.staff_id == claim.handler)
    acted(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    for paper in models.Paper.objects.filter(aggregate_id=claim.id):
        acted(number, "paper", "receive", paper.part, c.Receive(), office.intake1)
    return number


def acted(number: str, subject: str, action: str, part: int, command: Any, actor: Any) -> None:
    done = actions.act(number, subject, action, part, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), done


def code_of_handler(office: Any, number: str) -> str:
    handler = models.Claim.objects.get(number=number).handler
    return next(code for code, row in office.rows.items() if row.id == handler)


@pytest.mark.once
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_what_is_missing_and_leads_to_the_form(
    office: Any, browser: Any, treated: str, language: str
) -> None:
    client, where = (
        browser(code_of_handler(office, treated), language),
        f"/console/claims/{treated}/exposures/1/correct/",
    )
    page = client.get(f"/console/claims/{treated}/").content.decode()
    said = page[page.index(text("reason.straight_through.not_told", language, facts="§").split("§")[0]) :][:600]
    assert all(text(f"fact.{name}", language) in said for name in ("social_insurance_minor", "other_payment_minor"))
    assert f'href="{where}"' in said and text("console.automation.tell", language) in said
    form = client.get(where).content.decode()
    assert all(f'name="facts-{name}"' in form for name in TOLD), re.findall(r'name="(facts-[a-z_]+)"', form)
    assert text("fact.inpatient", language) in form


def test_told_in_the_form_it_is_paid_with_no_hand(office: Any, browser: Any, treated: str) -> None:
    client, where = browser(code_of_handler(office, treated)), f"/console/claims/{treated}/exposures/1/correct/"
    wrong = client.post(where, {"facts-social_insurance_minor": "much"})
    assert wrong.status_code == 422 and 'id="f-facts-social_insurance_minor-error"' in wrong.content.decode()
    assert not models.Payment.objects.exists()
    part = {f"facts-{name}": value for name, value in TOLD.items() if name != "other_payment_minor"}
    assert client.post(where, part).status_code == 302
    page = client.get(f"/console/claims/{treated}/").content.decode()
    begin = text("reason.straight_through.not_told", "en", facts="§").split("§")[0]
    left = page[page.index(begin) :].split("</p>")[0]
    assert text("fact.other_payment_minor", "en") in left and text("fact.social_insurance_minor", "en") not in left
    assert client.post(where, {f"facts-{name}": value for name, value in TOLD.items()}).status_code == 302
    paid = models.Payment.objects.get()
    assert (paid.kind, paid.amount_minor, paid.state) == ("settlement", 200_000, "approved")
    assert begin not in client.get(f"/console/claims/{treated}/").content.decode()


@pytest.mark.once
def test_who_may_not_say_it_reads_it_without_a_way_to_the_form(browser: Any, treated: str) -> None:
    page = browser("finance1").get(f"/console/claims/{treated}/").content.decode()
    assert text("fact.social_insurance_minor", "en") in page and text("console.automation.tell", "en") not in page
