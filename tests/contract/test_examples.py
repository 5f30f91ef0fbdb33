"""Every example of the description, sent as it stands, is taken by the demonstration company on a claim that is ready for it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.conftest import Caller
from tests.company import NOW, card
from tests.contract.conftest import Stranger, good

from lipei.api.schemas import ITEM
from lipei.reads import demo
from lipei.services import tokens
from lipei.store import models

PARTS = ["exposures", "parties", "papers", "surveys", "consultations", "offers", "payments", "recoveries"]
EMPTY = {"claim.acknowledge_duty", "claim.close", "offer.expire"}
BY_RULE = {"recovery.recover_overpayment"}
OWN = {"cover": "own_damage", "peril": "single_vehicle"}


class Examples:
    """Sends what the description shows, and remembers what was shown and sent."""

    def __init__(self, stranger: Stranger) -> None:
        self.office, self.sent = stranger.office, set[str]()
        paths = good(self.office.program.get("openapi.json"))["paths"]
        self.addresses = {op["operationId"]: path for path, ops in paths.items() for op in ops.values()}
        self.shown = {
            op["operationId"]: op["requestBody"]["content"]["application/json"]["example"]
            for ops in paths.values()
            for op in ops.values()
            if "application/json" in op.get("requestBody", {}).get("content", {})
        }

    def report(self, **more: Any) -> tuple[str, Caller]:
        """A new claim and its handler."""
        body = good(self.office.program.post("claims", {**self.shown["claim.report"], **more}), 201)
        return body["number"], self.office.handler(body)

    def send(self, who: Caller, name: str, number: str = "", part: int = 0, status: int = 200) -> Any:
        self.sent.add(name)
        where = self.addresses[name].replace("{number}", number).replace("{part}", str(part))
        return good(who.post(where.replace("{webhook}", str(part)), self.shown[name]), status)

    def claim(self, number: str) -> Any:
        return good(self.office.manager1.get(f"claims/{number}"))

    def handler(self, number: str) -> Caller:
        return self.office.handler(self.claim(number))


@pytest.fixture
def examples(stranger: Stranger) -> Examples:
    """The company as a demonstration: with a claim that is there already, and one-time codes that are known."""
    models.CompanyState.objects.create(key=demo.KEY, value={})
    good(stranger.office.program.post("claims", {"story": "高空坠物砸到车顶", "phone": "13900000000"}), 201)
    return Examples(stranger)


def test_every_example_works(examples: Examples) -> None:
    of_the_claim(examples)
    of_heads_of_loss_and_money(examples)
    of_refusals_and_papers(examples)
    of_lists_and_webhooks(examples)
    assert set(examples.shown) - EMPTY - BY_RULE == examples.sent
    assert all(examples.shown[name] == {} for name in EMPTY)


def of_the_claim(examples: Examples) -> None:
    office, send = examples.office, examples.send
    send(office.program, "claim.report", status=201)
    number, handler = examples.report()
    send(handler, "claim.triage", number)
    send(handler, "claim.correct", number)
    send(office.manager1, "claim.assign", number)
    handler = examples.handler(number)
    for action in (
        "accept_assignment", "give_opinion", "ask_for_help", "add_note", "tell_customer", "suspect", "report_upwards",
    ):  # fmt: skip
        send(handler, f"claim.{action}", number)
    send(office.investigator1, "claim.clear_suspicion", number)
    send(handler, "claim.hand_over", number)
    for ends in ("close_without_payment", "withdraw"):
        send(office.manager1, f"claim.{ends}", number)
        send(office.manager1, "claim.reopen", number)
    send(office.manager1, "claim.cancel", number)
    number, handler = examples.report()
    send(handler, "claim.link_duplicate", number)
    body = good(office.program.post("claims", {"story": "家里漏水", "phone": "13911112222"}), 201)
    send(office.manager1, "claim.register", body["number"])


def of_heads_of_loss_and_money(examples: Examples) -> None:
    office, send = examples.office, examples.send
    number, handler = examples.report(exposures=[OWN])
    send(handler, "exposure.add", number)
    send(handler, "exposure.correct", number, 2)
    send(office.lead1, "exposure.drop", number, 2)
    send(handler, "party.add", number)
    send(handler, "party.correct", number, 1)
    send(handler, "party.check_identity", number, 1)
    account = {"account_name": "徐汇区中心医院", "account_number": card(77), "account_bank": "102290000000"}
    good(handler.post(f"claims/{number}/parties/2/correct", account))
    hurt = {"cover": "compulsory_medical", "peril": "third_party_injury"}
    good(handler.post(f"claims/{number}/exposures/new/add", {**hurt, "claimant": 1}))
    for head, on_account in ((3, ("guarantee", "pay_guarantee")), (1, ("advance",))):
        send(handler, "exposure.set_reserve", number, head)
        for action in on_account:
            send(handler, f"exposure.{action}", number, head)
    send(office.finance1, "payment.cancel", number, 1)
    send(office.finance1, "payment.cancel", number, 2)
    send(handler, "exposure.release_guarantee", number, 3)
    send(office.lead1, "exposure.drop", number, 3)
    for survey, ends in ((1, "record"), (2, "cancel")):
        send(handler, "survey.schedule", number)
        send(office.surveyor1, f"survey.{ends}", number, survey)
    send(handler, "consultation.convene", number)
    send(office.expert1, "consultation.opine", number, 1)
    send(handler, "consultation.conclude", number, 1)
    send(handler, "exposure.assess", number, 1)
    send(office.assessor1, "exposure.return_for_rework", number, 1)
    send(handler, "exposure.assess", number, 1)
    send(office.assessor1, "exposure.check_assessment", number, 1)
    send(handler, "exposure.submit_decision", number, 1)
    send(office.approver1, "exposure.approve_decision", number, 1)
    send(handler, "offer.send", number, 1)
    send(office.program, "offer.decline", number, 1)
    send(office.finance1, "payment.cancel", number, examples.claim(number)["payments"][-1]["id"])
    send(handler, "exposure.pay_undisputed", number, 1)
    send(handler, "offer.send", number, 1)
    send(office.program, "offer.send_code", number, 1)
    send(office.program, "offer.agree", number, 1)
    money_moves(examples, number, handler)


def money_moves(examples: Examples, number: str, handler: Caller) -> None:
    office, send = examples.office, examples.send
    while waiting := [p["id"] for p in examples.claim(number)["payments"] if p["state"] == "ordered"]:
        send(office.finance1, "payment.cancel", number, waiting[0])  # money on account that is cancelled is due again
    send(office.finance1, "payment.order", number)
    payment = examples.claim(number)["payments"][-1]["id"]
    send(office.finance2, "payment.approve_payment", number, payment)
    send(office.finance1, "payment.submit", number, payment)
    send(office.finance1, "payment.fail", number, payment)
    send(office.finance1, "payment.retry", number, payment)
    good(office.finance1.post(f"claims/{number}/payments/{payment}/submit"))
    send(office.finance1, "payment.confirm", number, payment)
    assert examples.claim(number)["state"] == "closed"
    send(handler, "recovery.subrogate", number)
    send(office.finance1, "recovery.receive_recovery", number, 1)
    # Looked at again, less is due than was paid.
    good(office.lead1.post(f"claims/{number}/reopen", {"reason": "旧件残值没有扣除"}))
    less = {"items": [{**ITEM, "assessed": {"amount": "1400.00", "currency": "CNY"}}]}
    good(handler.post(f"claims/{number}/exposures/1/assess", less))
    for who, step in ((office.assessor1, "check_assessment"), (handler, "submit_decision")):
        good(who.post(f"claims/{number}/exposures/1/{step}"))
    good(office.approver1.post(f"claims/{number}/exposures/1/approve_decision"))
    offer = examples.claim(number)["offers"][-1]["id"]
    for who, step in ((handler, "send"), (office.program, "send_code")):
        good(who.post(f"claims/{number}/offers/{offer}/{step}"))
    good(office.program.post(f"claims/{number}/offers/{offer}/agree", examples.shown["offer.agree"]))
    assert examples.claim(number)["recoveries"][1]["kind"] == "overpayment", "the rule asks for it before anybody can"
    send(office.manager1, "recovery.write_off", number, 2)
    send(office.finance1, "payment.give_back", number, payment)


def of_refusals_and_papers(examples: Examples) -> None:
    office, send = examples.office, examples.send
    number, handler = examples.report(exposures=[OWN])
    send(handler, "exposure.propose_refusal", number, 1)
    send(office.approver1, "exposure.refuse", number, 1)
    number, handler = examples.report(exposures=[OWN])
    send(handler, "claim.request_papers", number)
    send(office.program, "paper.receive", number, 1)
    send(handler, "paper.refuse", number, 1)
    good(office.program.post(f"claims/{number}/papers/1/receive"))
    send(handler, "paper.accept", number, 1)
    send(handler, "paper.waive", number, 2)


def of_lists_and_webhooks(examples: Examples) -> None:
    found = examples.send(examples.office.program, "claims.batch")
    assert [one["status"] for one in found["results"]] == [201]
    admin = Caller(str(tokens.make("hooks", ("webhooks:write",), "admin1", now=NOW)))
    hook = examples.send(admin, "webhooks.subscribe", status=201)["id"]
    examples.send(admin, "webhooks.replay", part=hook)


def test_every_schema_of_a_request_carries_its_examples(examples: Examples) -> None:
    known = good(examples.office.program.get("openapi.json"))["components"]["schemas"]
    for name in ("Report", "ReportInBatch", "Reasoned", "Assess", "Agree", "LinkDuplicate", "Subscribe", "Replay"):
        assert known[name]["examples"], name
        for example in known[name]["examples"]:
            assert set(example) <= set(known[name]["properties"])
    assert len(known["Reasoned"]["examples"]) > 5, "one of each action"


def test_only_a_demonstration_has_a_code_and_a_claim_that_everybody_knows(stranger: Stranger) -> None:
    office = stranger.office
    first = good(office.program.post("claims", {"story": "x", "phone": "13900000000"}), 201)["number"]
    shown = Examples(stranger).shown
    assert shown["claim.link_duplicate"]["number"] != first
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    claim = stranger.report("P", OWN)
    stranger.papers(claim)
    stranger.assess(claim, 1, {"what": "x", "claimed": {"amount": "1000.00", "currency": "CNY"}})
    stranger.decide(claim, 1)
    stranger.act(stranger.handler(claim), claim, "offers/1/send")
    assert len({_fresh_code(stranger, claim) for _ in range(5)}) > 1
    models.CompanyState.objects.create(key=demo.KEY, value={})
    assert {_fresh_code(stranger, claim) for _ in range(2)} == {shown["offer.agree"]["code"]}


def _fresh_code(stranger: Stranger, claim: Any) -> str:
    stranger.act(stranger.office.program, claim, "offers/1/send_code")
    return stranger.code()
