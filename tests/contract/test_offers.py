"""An offer until its last instant, with the code that belongs to it, and what nobody disputes of it (norm 2.2.4)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.conftest import Stranger, cny, item
from tests.contract.test_payees import approved, checked

from lipei.services import verify

pytestmark = pytest.mark.norm("2.2.4")


def tried(stranger: Stranger, claim: Any, action: str, **said: Any) -> Any:
    """The status and code of a step on the offer by the customer."""
    answer = stranger.office.program.post(f"claims/{claim['number']}/offers/1/{action}", said)
    errors = answer.body.get("errors") or [{}]
    return answer.status, errors[0].get("code") or answer.body.get("code")


def test_it_stands_until_its_last_instant_and_an_old_code_is_no_key_to_the_next(stranger: Stranger) -> None:
    claim = approved(stranger, "1000.00")
    handler, program = stranger.handler(claim), stranger.office.program
    stranger.act(handler, claim, "offers/1/send")
    stranger.office.later(days=29, hours=23, minutes=59)
    stranger.act(program, claim, "offers/1/send_code")
    old = stranger.code()
    stranger.office.later(minutes=1)
    assert tried(stranger, claim, "agree", code=old)[0] == 409
    stranger.act(handler, claim, "offers/1/send")
    assert tried(stranger, claim, "agree", code=old) == (422, "refusal.code_expired")
    stranger.act(program, claim, "offers/1/send_code")
    stranger.act(program, claim, "offers/1/agree", {"code": stranger.code()})
    assert tried(stranger, claim, "decline", reason="不同意")[0] == 409
    assert tried(stranger, claim, "agree", code=stranger.code())[0] == 409
    assert list(verify.differences(now=stranger.office.now)) == []


def test_a_code_ends_with_its_minutes_and_with_the_fifth_wrong_try(stranger: Stranger) -> None:
    claim = approved(stranger, "1000.00")
    stranger.act(stranger.handler(claim), claim, "offers/1/send")
    stranger.act(stranger.office.program, claim, "offers/1/send_code")
    code = stranger.code()
    stranger.office.later(minutes=10)
    assert tried(stranger, claim, "agree", code=code) == (422, "refusal.code_expired")
    stranger.act(stranger.office.program, claim, "offers/1/send_code")
    code = stranger.code()
    for _ in range(5):
        tried(stranger, claim, "agree", code="000000" if code != "000000" else "111111")
    assert tried(stranger, claim, "agree", code=code) == (422, "refusal.code_too_often")
    assert stranger.claim(claim)["offers"][0]["state"] == "sent"


def test_what_nobody_disputes_is_paid_once_and_set_off_from_what_is_agreed_later(stranger: Stranger) -> None:
    claim = approved(stranger, "20000.00")
    handler = stranger.handler(claim)
    checked(stranger, claim)
    stranger.act(handler, claim, "offers/1/send")
    stranger.act(stranger.office.program, claim, "offers/1/decline", {"reason": "太少"})
    where = f"claims/{claim['number']}/exposures/1/pay_undisputed"
    assert handler.post(where, {"amount": cny("20000.01")}).status == 422
    stranger.act(handler, claim, "exposures/1/pay_undisputed", {"amount": cny("12000.00")})
    assert handler.post(where, {"amount": cny("8000.01")}).status == 422
    stranger.act(handler, claim, "exposures/1/pay_undisputed")
    assert handler.post(where, {}).status == 409
    for payment in (1, 2):
        stranger.pay(claim, payment)
    stranger.act(stranger.office.manager1, claim, "exposures/1/return_for_rework", {"reason": "客户补充发票"})
    stranger.assess(claim, 1, item("23000.00"))
    stranger.decide(claim, 1)
    stranger.agree(claim, offer=2)
    assert [amount for _, amount, _ in stranger.payments(claim)] == ["12000.00", "8000.00", "3000.00"]


@pytest.mark.parametrize(
    "parts", [((33, 100), (33, 100), (33, 100)), ((1, 2), (1, 2), (0, 1)), ((1, 2),) * 3, ((-1, 3), (2, 3), (2, 3))]
)
def test_parts_that_are_no_whole_are_refused(stranger: Stranger, parts: tuple[tuple[int, int], ...]) -> None:
    claim = approved(stranger, "1000.00")
    for name in ("甲某", "乙某"):
        stranger.act(stranger.office.intake1, claim, "parties/new/add", {"roles": ["payee"], "name": name})
    ids = [p["id"] for p in stranger.claim(claim)["parties"]][-3:]
    shares = [{"payee": i, "numerator": n, "denominator": d} for i, (n, d) in zip(ids, parts, strict=True)]
    answer = stranger.handler(claim).post(f"claims/{claim['number']}/offers/1/send", {"shares": shares})
    assert answer.status == 422
