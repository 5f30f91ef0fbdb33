"""What a file of the bank says of single orders: pain.002 (status report) and camt.054 (credit and debit notification).

Reading is separate from believing: a `Said` is only what stands in the file. `weigh` compares it with what was ordered
and what the bank said before, and is the only place that makes answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from lipei.domain.accounts import compact_account
from lipei.gateways.bank.amounts import to_minor
from lipei.gateways.bank.book import Manifest, Record
from lipei.gateways.bank.interface import AnswerStatus, BankAnswer
from lipei.gateways.bank.messages import Message, Unreadable, code
from lipei.gateways.bank.reasons import (
    AMOUNT_DIFFERS,
    BOOKED_TWICE,
    CONTRADICTION,
    DUPLICATE,
    NOT_GIVEN,
    UNKNOWN_STATUS,
    WRONG_ACCOUNT,
)

ACCEPTS = {"pain.002.001": frozenset(range(3, 13)), "camt.054.001": frozenset(range(2, 13))}

# ISO 20022 ExternalPaymentTransactionStatus1Code and its group sisters. PART says nothing of a single order.
_CODES_BY_STATUS: dict[AnswerStatus, str] = {
    "accepted": "ACCP ACFC ACFW ACPD ACSP ACTC ACWC ACWP PATC PDNG PRES RCVD",
    "confirmed": "ACSC ACCC",
    "failed": "RJCT CANC",
}
_STATUSES = {code_: status for status, codes in _CODES_BY_STATUS.items() for code_ in codes.split()}
_SAYS_NOTHING = frozenset({"", "PART"})
# From here on only a person knows what happened; another file must not turn it into "failed, pay again".
_FOR_A_PERSON = frozenset({AMOUNT_DIFFERS, BOOKED_TWICE, CONTRADICTION, WRONG_ACCOUNT})


@dataclass(frozen=True, slots=True)
class Said:
    """One statement on one order. ``amount_minor`` is -1 for an amount that its currency cannot have, None for none.

    ``booked``: it reports an entry on our account, not only a status. ``returned``: the entry brings the money back.
    """

    end_to_end_id: str
    status: AnswerStatus
    reason: str
    at: datetime
    reference: str
    amount_minor: int | None = None
    currency: str = ""
    account: str = ""
    booked: bool = False
    returned: bool = False


def statements(message: Message, *, manifest_of: Callable[[str], Manifest | None], zone: tzinfo) -> list[Said]:
    """What the message says, in its order. Times without an offset are meant in ``zone``.

    Raises Unreadable for a report on a message that is not ours, and for sums that disagree.
    """
    if message.kind == "pain.002.001":
        return _status_report(message.body.cstmr_pmt_sts_rpt, manifest_of, zone)
    return list(_notification(message.body.bk_to_cstmr_dbt_cdt_ntfctn, zone))


def weigh(said: Said, record: Record, *, now: datetime) -> Record:
    """The record after this statement; the same record where the statement brings nothing new.

    Late and repeated statements change nothing. What disagrees with the order or with an earlier final word becomes
    ``unknown`` with a reason of ours, for good: a person asks the bank, and nobody pays again meanwhile.
    """
    known = record.answer
    status, reason = said.status, said.reason
    if known is not None and known.reason in _FOR_A_PERSON:
        return record
    if mismatch := _mismatch(said, record):
        status, reason = "unknown", mismatch
    elif known is not None and known.status in {"confirmed", "failed"}:
        clash = _clash(said, record)
        if clash is None:
            return record if record.booking or not _is_booking(said) else replace(record, booking=said.reference)
        status, reason = ("unknown", clash) if clash else (status, reason)
    if known is not None and (known.status, known.reason) == (status, reason):
        return record
    amount_minor = record.amount_minor if said.amount_minor is None else max(said.amount_minor, 0)
    answer = BankAnswer(record.end_to_end_id, status, reason, min(said.at, now), said.reference, amount_minor)
    booking = said.reference if _is_booking(said) and status == "confirmed" else record.booking
    return replace(record, answer=answer, booking=booking, returned=said.returned and status == "failed")


def _mismatch(said: Said, record: Record) -> str:
    if said.account and said.account != record.debtor_account:
        return WRONG_ACCOUNT
    if said.amount_minor is not None and (said.amount_minor, said.currency) != (record.amount_minor, record.currency):
        return AMOUNT_DIFFERS
    return ""


def _is_booking(said: Said) -> bool:
    return said.booked and not said.returned


def _clash(said: Said, record: Record) -> str | None:
    """What a statement means after a final word: None nothing new, "" it is to be believed, else what is wrong."""
    assert record.answer is not None
    confirmed = record.answer.status == "confirmed"
    if said.status == "accepted" or (said.status == "unknown" and not said.booked):
        return None
    if said.status == "unknown":
        return CONTRADICTION
    if confirmed and said.status == "failed":
        return "" if said.returned else CONTRADICTION
    if confirmed and _is_booking(said) and record.booking and said.reference and said.reference != record.booking:
        return BOOKED_TWICE
    if not confirmed and said.status == "confirmed" and not record.returned:
        return CONTRADICTION
    return None


def _status_report(report: Any, manifest_of: Callable[[str], Manifest | None], zone: tzinfo) -> list[Said]:
    group = report.orgnl_grp_inf_and_sts
    manifest = manifest_of(group.orgnl_msg_id)
    if manifest is None or not group.orgnl_msg_nm_id.startswith("pain.001"):
        raise Unreadable("refusal.bank_file_foreign", message=group.orgnl_msg_id)
    count, total = group.orgnl_nb_of_txs, group.orgnl_ctrl_sum
    if count is not None and int(count) != len(manifest.ids):
        raise Unreadable("refusal.bank_file_sums")
    if total is not None and total != Decimal(manifest.control_sum):
        raise Unreadable("refusal.bank_file_sums")
    at = _instant(report.grp_hdr.cre_dt_tm, zone)
    said = _of_all(manifest.ids, code(group.grp_sts), _reason(group, ""), at)
    for part in report.orgnl_pmt_inf_and_sts:
        said |= _part(part, manifest, _reason(group, ""), code(group.grp_sts), at, zone)
    return list(said.values())


def _part(part: Any, manifest: Manifest, reason: str, status: str, at: datetime, zone: tzinfo) -> dict[str, Said]:
    """One group of the report: its status holds for all its orders, an order's own status goes before."""
    status, reason = code(part.pmt_inf_sts) or status, _reason(part, reason)
    if part.orgnl_pmt_inf_id not in manifest.groups:
        raise Unreadable("refusal.bank_file_foreign", message=part.orgnl_pmt_inf_id)
    said = _of_all(manifest.groups[part.orgnl_pmt_inf_id], status, reason, at)
    for entry in part.tx_inf_and_sts:
        end_to_end_id = entry.orgnl_end_to_end_id or entry.orgnl_instr_id or ""
        if end_to_end_id not in manifest.ids:
            raise Unreadable("refusal.bank_file_foreign", message=end_to_end_id)
        own = _of_all((end_to_end_id,), code(entry.tx_sts) or status, _reason(entry, reason), at)
        for statement in own.values():
            said[end_to_end_id] = _with_details(statement, entry, zone)
    return said


def _of_all(ids: tuple[str, ...], status: str, reason: str, at: datetime) -> dict[str, Said]:
    if status in _SAYS_NOTHING:
        return {}
    meaning: AnswerStatus = _STATUSES.get(status, "unknown")
    if meaning == "failed":
        reason = reason or (status if status == "CANC" else NOT_GIVEN)
        meaning = "unknown" if reason in DUPLICATE else meaning
    else:
        reason = UNKNOWN_STATUS if meaning == "unknown" else ""
    return {id_: Said(id_, meaning, reason, at, "") for id_ in ids}


def _with_details(said: Said, entry: Any, zone: tzinfo) -> Said:
    original = entry.orgnl_tx_ref
    amount = original.amt.instd_amt if original and original.amt else None
    return replace(
        said,
        at=_instant(entry.accptnc_dt_tm, zone) if entry.accptnc_dt_tm else said.at,
        reference=entry.acct_svcr_ref or "",
        amount_minor=_minor(amount),
        currency=amount.ccy if amount else "",
    )


def _reason(holder: Any, inherited: str) -> str:
    return next((found for info in holder.sts_rsn_inf if (found := code(info.rsn))), inherited)


def _notification(notification: Any, zone: tzinfo) -> Iterator[Said]:
    for account in notification.ntfctn:
        written = account.acct.id.iban or (account.acct.id.othr.id if account.acct.id.othr else "")
        number = compact_account(number=written)
        created_at = _instant(account.cre_dt_tm or notification.grp_hdr.cre_dt_tm, zone)
        for entry in account.ntry:
            yield from _entry(entry, number, created_at, zone)


def _entry(entry: Any, account: str, created_at: datetime, zone: tzinfo) -> Iterator[Said]:
    """The orders within one booked or pending entry. Entries that name no order are other business of the account."""
    state = code(entry.sts)
    details = [tx for group in entry.ntry_dtls for tx in group.tx_dtls]
    amounts = [_amount(tx) or (entry.amt if len(details) == 1 else None) for tx in details]
    _check_sum(entry, details, amounts)
    if state not in {"BOOK", "PDNG"}:
        return  # announced or for information: nothing has happened yet
    at = _booked_at(entry.bookg_dt, created_at, zone)
    for tx, amount in zip(details, amounts, strict=True):
        end_to_end_id = tx.refs.end_to_end_id if tx.refs else None
        if not end_to_end_id or end_to_end_id == "NOTPROVIDED":
            continue
        reference = (tx.refs.acct_svcr_ref or entry.acct_svcr_ref) or ""
        credit = code(getattr(tx, "cdt_dbt_ind", None) or entry.cdt_dbt_ind) == "CRDT"
        if credit and state == "PDNG":
            continue  # money on its way back: it is when it is booked
        status, reason, returned = _meaning(entry, tx, state, credit)
        yield Said(
            end_to_end_id, status, reason, at, reference,
            _minor(amount), amount.ccy if amount else "", account, booked=state == "BOOK", returned=returned,
        )  # fmt: skip


def _meaning(entry: Any, tx: Any, state: str, credit: bool) -> tuple[AnswerStatus, str, bool]:
    if state == "PDNG":
        return "accepted", "", False
    if credit:
        return "failed", (code(tx.rtr_inf.rsn) if tx.rtr_inf else "") or NOT_GIVEN, True
    if entry.rvsl_ind:  # a debit that takes back a credit: none of our orders can mean that
        return "unknown", CONTRADICTION, False
    return "confirmed", "", False


def _amount(tx: Any) -> Any:
    """The order's own amount within an entry, in the place where the version of the message has it."""
    if getattr(tx, "amt", None) is not None:
        return tx.amt
    details = tx.amt_dtls
    found = (details.instd_amt or details.tx_amt) if details else None
    return found.amt if found else None


def _check_sum(entry: Any, details: list[Any], amounts: list[Any]) -> None:
    """An entry is the sum of its parts, unless charges or other currencies come in between."""
    comparable = [amount for amount in amounts if amount is not None and amount.ccy == entry.amt.ccy]
    if (
        not details
        or len(comparable) != len(details)
        or entry.chrgs
        or any(getattr(tx, "chrgs", None) for tx in details)
    ):
        return
    if sum(amount.value for amount in comparable) != entry.amt.value:
        raise Unreadable("refusal.bank_file_sums")


def _minor(amount: Any) -> int | None:
    if amount is None:
        return None
    found = to_minor(amount.value, amount.ccy)
    return -1 if found is None else found


def _booked_at(booked: Any, created_at: datetime, zone: tzinfo) -> datetime:
    """When it was booked; of a bare date the end of that day, but never later than the file was made."""
    if booked is None:
        return created_at
    if booked.dt_tm is not None:
        return _instant(booked.dt_tm, zone)
    return min(created_at, datetime.combine(booked.dt.to_date(), time(23, 59, 59), zone).astimezone(UTC))


def _instant(at: Any, zone: tzinfo) -> datetime:
    found: datetime = at.to_datetime()
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
