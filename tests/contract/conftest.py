"""A stranger at the API: policies of one's own, and a claim taken from report to money by HTTP alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.conftest import Answer, Caller, Office, office  # noqa: F401
from tests.company import policy

from lipei.store import models

ACCOUNT = "102290000000"


def cny(amount: str, currency: str = "CNY") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def item(claimed: str, **more: Any) -> dict[str, Any]:
    return {"what": "项目", "claimed": cny(claimed), **more}


def good(found: Answer, status: int = 200) -> Any:
    assert found.status == status, found.body
    return found.body


class Stranger:
    """Everybody of the office as somebody outside knows them: by a token each."""

    def __init__(self, office: Office) -> None:  # noqa: F811
        self.office = office

    def insure(self, number: str, product: str, **schedule: Any) -> None:
        """A policy in force, with what was bought by cover."""
        phone = f"1391111{len(models.Policy.objects.all()):04d}"
        policy(number, product, schedule, name="张三", phone=phone, seed=len(models.Policy.objects.all()) + 40)

    def policy_phone(self, number: str) -> str:
        """By which the insured is known."""
        return str(models.Policy.objects.get(number=number).phone)

    def report(self, policy_number: str, *exposures: dict[str, Any], **more: Any) -> Any:
        """A loss under a policy; the answer's body."""
        body = {"story": "出险经过", "phone": "13700001111", "policy_number": policy_number, "exposures": exposures}
        return good(self.office.program.post("claims", {"loss_at": "2026-11-22T10:00:00+08:00", **body, **more}), 201)

    def handler(self, body: Any) -> Caller:
        return self.office.handler(body)

    def act(self, who: Caller, body: Any, address: str, said: Any = None, **headers: str) -> Any:
        return good(who.post(f"claims/{body['number']}/{address}", said or {}, **headers))

    def assess(self, body: Any, part: int, *items: dict[str, Any], **facts: Any) -> Any:
        said = {"items": items, "facts": facts}
        return self.act(self.office.manager1, body, f"exposures/{part}/set_reserve", RESERVE) and self.act(
            self.handler(body), body, f"exposures/{part}/assess", said
        )

    def decide(self, body: Any, part: int) -> Any:
        """Checked, submitted and approved, by three people."""
        self.act(self.office.assessor1, body, f"exposures/{part}/check_assessment")
        self.act(self.handler(body), body, f"exposures/{part}/submit_decision")
        return self.act(self.office.approver1, body, f"exposures/{part}/approve_decision")

    def papers(self, body: Any) -> None:
        """Everything that is required comes in and is good."""
        self.act(self.handler(body), body, "request_papers")
        for paper in self.claim(body)["papers"]:
            if paper["required"]:
                self.act(self.office.intake1, body, f"papers/{paper['id']}/receive")
                self.act(self.handler(body), body, f"papers/{paper['id']}/accept")

    def agree(self, body: Any, shares: Any = (), offer: int = 1) -> Any:
        """The offer is sent and agreed with the code that the customer reads on the phone."""
        self.act(self.handler(body), body, f"offers/{offer}/send", {"shares": list(shares)})
        self.act(self.office.program, body, f"offers/{offer}/send_code")
        return self.act(self.office.program, body, f"offers/{offer}/agree", {"code": self.code()})

    def code(self) -> str:
        sent = models.Delivery.objects.filter(message="one_time_code").order_by("-id").first()
        assert sent is not None
        return str(sent.secret)

    def pay(self, body: Any, payment: int) -> Any:
        """Approved, handed to the bank and arrived."""
        for step in ("approve_payment", "submit"):
            self.act(self.office.finance1, body, f"payments/{payment}/{step}")
        return self.act(self.office.finance1, body, f"payments/{payment}/confirm", {"reference": f"B{payment}"})

    def claim(self, body: Any) -> Any:
        return good(self.office.manager1.get(f"claims/{body['number']}"))

    def payments(self, body: Any) -> list[tuple[str, str, str]]:
        return [(p["kind"], p["amount"]["amount"], p["state"]) for p in self.claim(body)["payments"]]

    def settlement(self, body: Any) -> Any:
        return good(self.office.program.get(f"claims/{body['number']}/settlement"))

    def payable(self, body: Any, part: int = 0) -> str:
        """The sum of a claim, or of one head of loss."""
        found = self.settlement(body)
        row = found if not part else next(e for e in found["exposures"] if e["exposure"] == part)
        return str(row["payable"]["amount"])


RESERVE = {"amount": cny("60000.00"), "reason": "按报损估计"}


@pytest.fixture
def stranger(office: Office) -> Stranger:  # noqa: F811
    return Stranger(office)
