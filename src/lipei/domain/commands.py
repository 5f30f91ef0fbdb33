"""Commands: what somebody wants done, imperative, as typed values.

One class per action of `lifecycle.STEPS`, found in `COMMANDS`. The API's request schemas and the pages' forms are drawn
from these classes, so a field is described once: its type, its default and, by `said`, its bounds.
Names of fields are keys of the texts (``field.<name>``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain.entries import TEXT_LENGTH_MAX as TEXT_LENGTH_MAX
from lipei.domain.entries import said as said
from lipei.domain.entries import wrong_fields as wrong_fields
from lipei.domain.investigation import Conclude as Conclude
from lipei.domain.investigation import Convene as Convene
from lipei.domain.investigation import Opine as Opine
from lipei.domain.investigation import RecordSurvey as RecordSurvey
from lipei.domain.investigation import ScheduleSurvey as ScheduleSurvey
from lipei.domain.money import Money
from lipei.domain.parties import PARTY_ROLES as PARTY_ROLES
from lipei.domain.parties import CheckIdentity as CheckIdentity
from lipei.domain.parties import PartyReported as PartyReported


@dataclass(frozen=True, slots=True)
class ItemAssessed:
    """One line of the damage: what, how much was claimed, how much is right by the assessment standard."""

    what: str = said(length_max=120, example="前保险杠更换")
    assessed: Money | None = None
    claimed: Money | None = None
    quantity: int = said(1, low=1, high=9999)
    code: str = said(length_max=40)
    standard: Money | None = None  # what the assessment standard gives for it
    excluded: str = said(length_max=60)  # code of the exclusion that a person established


@dataclass(frozen=True, slots=True)
class ExposureReported:
    """A head of loss as reported: which cover, whose, what it may come to."""

    cover: str = said(length_max=40, example="own_damage")
    peril: str = said(length_max=40, example="collision")
    claimant: int | None = None
    reserve: Money | None = None
    facts: Mapping[str, Any] = said({})
    items: tuple[ItemAssessed, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A loss is reported. A phone number and a story suffice; whatever else is known is not asked again."""

    story: str = said(long=True, example="今天早上倒车时撞到停车场的柱子，后保险杠破损。", required=True)
    phone: str = said(length_max=40, example="13800138000")
    name: str = said(length_max=80, example="王小明")
    email: str = said(length_max=120)
    language: str = said(choices=("", "zh-hans", "zh-hant", "en"), example="zh-hans")
    line: str = said(length_max=40, example="motor")
    loss_kind: str = said(length_max=40, example="single_vehicle")
    loss_at: datetime | None = None
    place: str = said(length_max=200, example="上海市徐汇区")
    country: str = said(length_max=2, example="CN")  # of the loss, ISO 3166-1 alpha-2
    region: str = said(length_max=40, example="上海")
    policy_number: str = said(length_max=40)
    plate: str = said(length_max=20)
    estimate: Money | None = None
    deaths: int = said(0, low=0, high=10_000)
    insured_died: bool = False  # the insured person is among the dead
    serious_injuries: int = said(0, low=0, high=10_000)
    injured: int = said(0, low=0, high=10_000)
    rescue: bool = False
    major_accident: bool = False
    incident: str = said(length_max=40)
    parties: tuple[PartyReported, ...] = ()
    exposures: tuple[ExposureReported, ...] = ()
    facts: Mapping[str, Any] = said({})  # of the loss as a whole: towed, inpatient, fault_percent …
    external_number: str = said(length_max=60)
    accept_automatic: bool = said(False)  # the customer agrees beforehand to a sum that the terms alone give


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a head of loss will probably cost."""

    exposure: int = said(1, low=1)
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """Open the file (立案): the cover is found and each head of loss has a reserve."""

    policy_number: str = said(length_max=40)
    reserves: tuple[Reserve, ...] = ()
    estimate: Money | None = None  # where the policy is in another currency than what was estimated


@dataclass(frozen=True, slots=True)
class Triage:
    """Look again which way the claim goes; what is newly known can be said along."""

    deaths: int | None = said(None, low=0, high=10_000)
    serious_injuries: int | None = said(None, low=0, high=10_000)
    injured: int | None = said(None, low=0, high=10_000)
    rescue: bool | None = None
    major_accident: bool | None = None
    incident: str | None = said(None, length_max=40)
    country: str | None = said(None, length_max=2)
    estimate: Money | None = None
    lawsuit: bool | None = None
    lawsuit_amount: Money | None = None
    liability_disputed: bool | None = None
    public_attention: bool | None = None
    regulator_asks: bool | None = None
    facts: Mapping[str, Any] = said({})  # what else the tables and terms ask of the loss as a whole; null: not known


@dataclass(frozen=True, slots=True)
class CorrectReport:
    """When and where it happened, as it is known now. What is left empty stays; another time than was told needs a reason."""

    loss_at: datetime | None = None
    place: str = said(length_max=200, example="上海市徐汇区")
    reason: str = said(length_max=200)


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the claim to a handler; nobody named means: whoever the rule finds."""

    handler: int | None = None
    reason: str = said(length_max=200)


@dataclass(frozen=True, slots=True)
class Nothing:
    """An action that needs nothing said."""


@dataclass(frozen=True, slots=True)
class GiveOpinion:
    """The preliminary opinion, due within 24 hours (norm 2.2.1)."""

    text: str = said(long=True, example="事故属于保险责任，请按清单补齐材料，预计三日内完成赔付。", required=True)


@dataclass(frozen=True, slots=True)
class RequestPapers:
    """Ask for everything that is missing, once (保险法22). A second request needs a reason."""

    papers: tuple[str, ...] = said(())
    reason: str = said(length_max=200)


@dataclass(frozen=True, slots=True)
class Reasoned:
    """An action that needs a reason on record."""

    reason: str = said(long=True, example="客户已撤回报案", required=True)


@dataclass(frozen=True, slots=True)
class LinkDuplicate:
    """The same loss was reported twice: this one ends, the other goes on."""

    number: str = said(length_max=40, required=True)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Pass the claim to a colleague or another unit, with what they must know."""

    handler: int | None = None
    unit: str = said(length_max=40)
    text: str = said(long=True, required=True)


@dataclass(frozen=True, slots=True)
class Write:
    """A note, or a call for help."""

    text: str = said(long=True, example="已电话联系客户，约定明日上午查勘。", required=True)


TOLD_BY = ("phone", "visit", "counter", "post")
"""The ways in which a person tells a customer something; what the product itself sends is a notice."""


@dataclass(frozen=True, slots=True)
class TellCustomer:
    """A customer was told how things stand: whom, in which way, what was said, and which letter they were given."""

    text: str = said(
        long=True, example="已电话告知客户：车辆可先行维修，请保留发票，预计三日内完成赔付。", required=True
    )
    way: str = said("phone", choices=TOLD_BY)
    party: int | None = said(None, low=1)
    exposure: int = said(0, low=0)
    letter: str = said(choices=("", "receipt", "paper_request", "settlement", "refusal", "advance", "guarantee"))


@dataclass(frozen=True, slots=True)
class AddExposure:
    """One more head of loss."""

    cover: str = said(length_max=40, example="own_damage")
    peril: str = said(length_max=40)
    claimant: int | None = None
    reserve: Money | None = None
    facts: Mapping[str, Any] = said({})


@dataclass(frozen=True, slots=True)
class CorrectExposure:
    """A head of loss belongs under another cover, kind of loss or claimant, or more is known of it. What is left empty

    stays; ``facts`` are those that the terms of its cover ask for, each in its unit (money: minor units).
    """

    cover: str = said(length_max=40, example="own_damage")
    peril: str = said(length_max=40)
    claimant: int | None = None
    facts: Mapping[str, Any] = said({})


@dataclass(frozen=True, slots=True)
class SetReserve:
    """A new reserve, with its reason."""

    amount: Money | None = said(None, required=True)  # noqa: RUF009 - `said` makes a field
    reason: str = said(length_max=200, example="查勘后调整", required=True)


@dataclass(frozen=True, slots=True)
class Assess:
    """The damage, line by line, and the facts that the terms ask for (fault, days, grade …)."""

    items: tuple[ItemAssessed, ...] = ()
    facts: Mapping[str, Any] = said({})


@dataclass(frozen=True, slots=True)
class SubmitDecision:
    """The settlement as computed goes to somebody with authority; an ex gratia sum may be proposed with a reason.

    Where a part is excluded or assessed at 0, ``refusal_reason`` says why, for the customer to read in the notice of it.
    Where papers are missing that the claim needs, ``without_papers`` says why it is decided all the same.
    """

    ex_gratia: Money | None = None
    reason: str = said(long=True)
    refusal_reason: str = said(long=True, example="右前减震器为自然磨损，与本次事故无关。")
    without_papers: str = said(example="原件在交警处，已核对照片")


@dataclass(frozen=True, slots=True)
class ApproveDecision:
    """The sum is approved; ``without_papers`` as in `SubmitDecision`, of whoever approves."""

    without_papers: str = said(example="原件在交警处，已核对照片")


@dataclass(frozen=True, slots=True)
class Propose:
    """A refusal is proposed: by which clause, with what reasons in plain words."""

    code: str = said(length_max=60, example="not_covered", required=True)
    clause: str = said(length_max=120, example="第八条", required=True)
    reason: str = said(long=True, example="事故发生时保险合同尚未生效。", required=True)


@dataclass(frozen=True, slots=True)
class OnAccount:
    """Money before the final sum: an advance (预付), or a sum guaranteed to a hospital or paid under its guarantee."""

    amount: Money | None = said(None, required=True)  # noqa: RUF009 - `said` makes a field
    payee: int | None = None
    reason: str = said(length_max=200)


@dataclass(frozen=True, slots=True)
class PayUndisputed:
    """Pay what nobody disputes of a sum that was not agreed to. No amount: all of it; no payee: the claimant's."""

    amount: Money | None = None
    payee: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseGuarantee:
    """The hospital needs the rest of a guarantee no more: why it is known."""

    payee: int | None = None
    reason: str = said(length_max=200, example="出院结算少于担保金额", required=True)


@dataclass(frozen=True, slots=True)
class Receive:
    """A paper came in, with the files it consists of."""

    documents: tuple[int, ...] = said(())
    invoice_number: str = said(length_max=60)


@dataclass(frozen=True, slots=True)
class RefusePaper:
    """A paper cannot be used: why, so that the customer can send the right one."""

    reason: str = said(length_max=60, example="unreadable", required=True)
    note: str = said(long=True)


@dataclass(frozen=True, slots=True)
class Share:
    """Part of a sum for one payee: ``numerator / denominator`` of the whole, or a fixed amount."""

    payee: int = said(1, low=1)
    numerator: int = said(1, low=1, high=10_000)
    denominator: int = said(1, low=1, high=10_000)


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Send the offer, to be paid in these shares (empty: all to the claimant)."""

    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class SendCode:
    """A one-time code to agree with. ``party``: to whom of several; None: the first who is still to agree."""

    party: int | None = said(None, low=1)


@dataclass(frozen=True, slots=True)
class Agree:
    """The customer agrees, with the one-time code sent to their phone."""

    code: str = said(length_max=12, example="123456")
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPayment:
    """A payment by hand: to whom and how much, within what is due."""

    exposure: int = said(1, low=1)
    payee: int = said(1, low=1)
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The bank's word on a payment."""

    reference: str = said(length_max=60)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Why the bank did not pay: an ISO 20022 reason code."""

    reason: str = said(length_max=60, example="AC04")


@dataclass(frozen=True, slots=True)
class Retry:
    """Pay again, if need be to a corrected account."""

    account_name: str = said(length_max=80)
    account_number: str = said(length_max=40)
    account_bank: str = said(length_max=40)


@dataclass(frozen=True, slots=True)
class OpenRecovery:
    """Money to get back: from whom, how much, why."""

    exposure: int = said(1, low=1)
    debtor: int | None = None
    amount: Money | None = None
    reason: str = said(length_max=200)


@dataclass(frozen=True, slots=True)
class ReceiveRecovery:
    """Money came back."""

    amount: Money | None = said(None, required=True)  # noqa: RUF009 - `said` makes a field


COMMANDS: Mapping[tuple[str, str], type] = {
    ("claim", "report"): Report,
    ("claim", "register"): Register,
    ("claim", "triage"): Triage,
    ("claim", "correct"): CorrectReport,
    ("claim", "assign"): Assign,
    ("claim", "accept_assignment"): Nothing,
    ("claim", "acknowledge_duty"): Nothing,
    ("claim", "give_opinion"): GiveOpinion,
    ("claim", "request_papers"): RequestPapers,
    ("claim", "close"): Nothing,
    ("claim", "close_without_payment"): Reasoned,
    ("claim", "withdraw"): Reasoned,
    ("claim", "cancel"): Reasoned,
    ("claim", "reopen"): Reasoned,
    ("claim", "link_duplicate"): LinkDuplicate,
    ("claim", "hand_over"): HandOver,
    ("claim", "ask_for_help"): Write,
    ("claim", "add_note"): Write,
    ("claim", "tell_customer"): TellCustomer,
    ("claim", "suspect"): Reasoned,
    ("claim", "clear_suspicion"): Reasoned,
    ("claim", "report_upwards"): Reasoned,
    ("exposure", "add"): AddExposure,
    ("exposure", "correct"): CorrectExposure,
    ("exposure", "set_reserve"): SetReserve,
    ("exposure", "assess"): Assess,
    ("exposure", "check_assessment"): Nothing,
    ("exposure", "submit_decision"): SubmitDecision,
    ("exposure", "approve_decision"): ApproveDecision,
    ("exposure", "return_for_rework"): Reasoned,
    ("exposure", "propose_refusal"): Propose,
    ("exposure", "refuse"): Nothing,
    ("exposure", "drop"): Reasoned,
    ("exposure", "advance"): OnAccount,
    ("exposure", "pay_undisputed"): PayUndisputed,
    ("exposure", "guarantee"): OnAccount,
    ("exposure", "pay_guarantee"): OnAccount,
    ("exposure", "release_guarantee"): ReleaseGuarantee,
    ("party", "add"): PartyReported,
    ("party", "correct"): PartyReported,
    ("party", "check_identity"): CheckIdentity,
    ("paper", "receive"): Receive,
    ("paper", "accept"): Nothing,
    ("paper", "refuse"): RefusePaper,
    ("paper", "waive"): Reasoned,
    ("survey", "schedule"): ScheduleSurvey,
    ("survey", "record"): RecordSurvey,
    ("survey", "cancel"): Reasoned,
    ("consultation", "convene"): Convene,
    ("consultation", "opine"): Opine,
    ("consultation", "conclude"): Conclude,
    ("offer", "send"): SendOffer,
    ("offer", "agree"): Agree,
    ("offer", "decline"): Reasoned,
    ("offer", "send_code"): SendCode,
    ("offer", "expire"): Nothing,
    ("payment", "order"): OrderPayment,
    ("payment", "approve_payment"): Nothing,
    ("payment", "submit"): Nothing,
    ("payment", "confirm"): Settled,
    ("payment", "fail"): Failed,
    ("payment", "give_back"): Failed,
    ("payment", "retry"): Retry,
    ("payment", "cancel"): Reasoned,
    ("recovery", "recover_overpayment"): OpenRecovery,
    ("recovery", "subrogate"): OpenRecovery,
    ("recovery", "receive_recovery"): ReceiveRecovery,
    ("recovery", "write_off"): Reasoned,
}
