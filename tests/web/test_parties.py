"""Parties on the pages of staff: told apart though masked, firms by name, mandates that fit, a guarantee without an account."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import text
from lipei.reads import masking
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.norm("4")]


def act(number: str, subject: str, action: str, part: int, command: Any, actor: Any) -> Any:
    done = actions.act(number, subject, action, part, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), (action, done)
    return done.case


def page_of(client: Any, number: str, tail: str = "") -> str:
    return str(client.get(f"/console/claims/{number}/{tail}").content.decode())


def test_two_of_one_name_are_told_apart_and_a_hospital_is_called_by_its_own(
    browser: Any, office: SimpleNamespace, claim: str, handler_code: str
) -> None:
    handler = getattr(office, handler_code)
    for name, roles in (("王一", ("third_party", "payee")), ("王二", ("third_party", "payee"))):
        act(claim, "party", "add", 0, c.PartyReported(roles, name), handler)
    case = act(claim, "party", "add", 0, c.PartyReported(("hospital",), "市第一人民医院"), handler)
    shown = masking.case(case)
    assert [p.name for p in shown.parties.values()] == ["王*明", "王*", "王*", "市第一人民医院"]
    page = page_of(browser(handler_code), claim)
    assert "市第一人民医院" in page and "2. 王*" in page and "3. 王*" in page
    form = page_of(browser(handler_code), claim, "offers/new/send/") if case.offers else ""
    assert "王一" not in page + form


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"roles": ["heir"], "acts_for": "1", "mandate": "inheritance"}, "acts_for", "refusal.principal_alive"),
        ({"roles": ["agent"], "acts_for": "1", "mandate": "guardianship"}, "mandate", "refusal.mandate_other"),
        ({"roles": ["payee"], "mandate": "power_of_attorney"}, "acts_for", "refusal.acts_for_missing"),
        (
            {"roles": ["agent"], "acts_for": "1", "mandate": "power_of_attorney", "name": "王小明", "phone": "13800138000"},
            "acts_for", "refusal.acts_for_self",
        ),
    ],
)  # fmt: skip
def test_a_mandate_that_does_not_fit_is_said_beside_its_field(
    browser: Any, claim: str, handler_code: str, said: dict[str, Any], field: str, code: str
) -> None:
    answer = browser(handler_code).post(
        f"/console/claims/{claim}/parties/new/add/", {"name": "李芳", "person": "yes", **said}
    )
    page = answer.content.decode()
    assert (
        answer.status_code == 422
        and f'id="f-{field}-error"' in page
        and text(code, "en") in page.replace("&#x27;", "'")
    )
    assert models.Party.objects.count() == 1


@pytest.mark.norm("2.3.2")
def test_a_guarantee_is_given_by_the_form_without_an_account_and_paid_when_it_is_called(
    browser: Any, office: SimpleNamespace, claim: str, handler_code: str
) -> None:
    handler, client = getattr(office, handler_code), browser(handler_code)
    act(claim, "party", "add", 0, c.PartyReported(("hospital",), "市第一人民医院", email="h@example.com"), handler)
    act(claim, "exposure", "set_reserve", 1, c.SetReserve(c.Money(800000, "CNY"), "抢救"), handler)
    where = f"/console/claims/{claim}/exposures/1"
    assert f"{where}/guarantee/" not in page_of(client, claim), "no hospital treats a car"
    refused = client.get(f"{where}/guarantee/")
    assert refused.status_code == 409 and text("refusal.guard.for_an_injury", "en") in refused.content.decode()
    hurt = c.CorrectExposure(cover="compulsory_medical", peril="third_party_injury")
    act(claim, "exposure", "correct", 1, hurt, handler)
    form = client.get(f"{where}/guarantee/").content.decode()
    assert text("action_hint.exposure.guarantee", "en") in form.replace("&#x27;", "'")
    assert '<option value="2" selected' in form and '<option value="1"' not in form.split('name="payee"')[1]
    answer = client.post(f"{where}/guarantee/", {"amount": "3000", "payee": "2", "reason": "抢救"})
    assert answer.status_code == 302, answer.content.decode()
    assert "CNY 3,000.00 guaranteed, CNY 3,000.00 of it still open" in page_of(client, claim)
    letter = models.Delivery.objects.get(message="guarantee_letter")
    assert (letter.party, letter.letter) == (2, "guarantee")
    paid = client.get(f"{where}/pay_guarantee/").content.decode()
    assert 'value="3000.00"' in paid
    refused = client.post(f"{where}/pay_guarantee/", {"amount": "3000", "payee": "2"})
    assert refused.status_code == 422 and text("refusal.account_missing", "en") in refused.content.decode()


@pytest.mark.norm("2.3.1")
def test_a_claim_without_a_head_of_loss_asks_for_one_first(browser: Any, office: SimpleNamespace) -> None:
    number = reported(office, exposures=(), policy_number="PC-1", deaths=1, insured_died=True, phone="13900139001",
                      name="李芳")  # fmt: skip
    handler = models.Claim.objects.get(number=number).handler
    code = next(code for code, row in office.rows.items() if row.id == handler)
    page = page_of(browser(code), number)
    following = page.split('id="s-next"')[1].split("</section>")[0]
    assert text("action.exposure.add", "en") in following
    assert text("field.deceased", "en") in page
