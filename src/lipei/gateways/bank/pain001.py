"""pain.001.001.09, the customer credit transfer initiation: orders to bytes, and bytes back to orders.

`build` reads its own message back before it hands it out, so that a file which does not say exactly what was ordered
cannot leave. Mainland accounts have no IBAN and stand in Othr/Id; IBAN and Othr never stand together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from lipei.domain.accounts import account_kind
from lipei.gateways.bank.amounts import DIGITS_MAX, to_decimal, to_minor
from lipei.gateways.bank.interface import Account, BankOrder
from lipei.gateways.bank.messages import load, serialise

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
# ISO 20022 ExternalClearingSystemIdentification1Code by the length of the national bank code.
_CLEARING_SYSTEMS = {12: "CNAPS", 7: "TWNCC", 3: "HKNCC"}


class MessageBroken(Exception):
    """A message that contradicts itself or its orders. Ours never leave, others are refused."""


def build(orders: Sequence[BankOrder], *, message_id: str, created_at: datetime) -> bytes:
    """The message for cleaned, checked orders (at least one), see `groups`.

    Raises MessageBroken where the finished bytes do not say what was ordered: a mistake of ours, nothing may be sent.
    """
    m = _messages()
    header = m.GroupHeader85(
        msg_id=message_id,
        cre_dt_tm=_xml_time(created_at),
        nb_of_txs=str(len(orders)),
        ctrl_sum=_written_sum(orders),
        initg_pty=m.PartyIdentification135(nm=orders[0].debtor.name),
    )
    instructions = [_instruction(members, name) for name, members in groups(orders, message_id=message_id).items()]
    initiation = m.CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=instructions)
    content = serialise(m.Document(cstmr_cdt_trf_initn=initiation), NAMESPACE)
    if sorted(read(content)[1], key=_id) != sorted(orders, key=_id):
        raise MessageBroken(f"message {message_id} does not say what was ordered")
    return content


def groups(orders: Sequence[BankOrder], *, message_id: str) -> dict[str, list[BankOrder]]:
    """The groups of a message by their id (PmtInfId): same paying account, currency and date."""
    found = [list(members) for _, members in groupby(sorted(orders, key=_group), key=_group)]
    return {f"{message_id}-{number}": members for number, members in enumerate(found, 1)}


def read(content: bytes) -> tuple[str, list[BankOrder]]:
    """The message id and the orders of a pain.001.001.09 message.

    Raises `messages.Unreadable` where it is no such message, MessageBroken where its sums or ids disagree.
    """
    initiation = load(content, accepts={"pain.001.001": {9}}).body.cstmr_cdt_trf_initn
    orders = [_order(group, entry) for group in initiation.pmt_inf for entry in group.cdt_trf_tx_inf]
    header = initiation.grp_hdr
    _check_totals(header.nb_of_txs, header.ctrl_sum, orders, header.msg_id)
    for group in initiation.pmt_inf:
        members = [_order(group, entry) for entry in group.cdt_trf_tx_inf]
        _check_totals(group.nb_of_txs, group.ctrl_sum, members, group.pmt_inf_id)
    if len({order.end_to_end_id for order in orders}) != len(orders):
        raise MessageBroken(f"an EndToEndId stands twice in {header.msg_id}")
    return header.msg_id, orders


def _messages() -> Any:
    from pyiso20022.pain import pain_001_001_09

    return pain_001_001_09


def _id(order: BankOrder) -> str:
    return order.end_to_end_id


def _group(order: BankOrder) -> tuple[str, str, str, str, str]:
    return (*_side(order.debtor), order.currency, order.requested_on.isoformat())


def _side(account: Account) -> tuple[str, str, str]:
    return account.number, account.bank, account.name


def control_sum(orders: Iterable[BankOrder]) -> Decimal:
    """The control sum: the amounts added up as bare numbers, whatever the currency, as the standard has it."""
    return sum((to_decimal(order.amount_minor, order.currency) for order in orders), Decimal(0))


def _written_sum(orders: Iterable[BankOrder]) -> Decimal | None:
    """The control sum where the message has room for it: it is optional, and mixed currencies may exceed it."""
    total = control_sum(orders)
    return total if len(total.as_tuple().digits) <= DIGITS_MAX else None


def _check_totals(count: str | None, total: Decimal | None, orders: list[BankOrder], place: str) -> None:
    if count is not None and int(count) != len(orders):
        raise MessageBroken(f"{place} counts {count} transactions and carries {len(orders)}")
    if total is not None and total != control_sum(orders):
        raise MessageBroken(f"{place} adds up to {control_sum(orders)} and says {total}")


def _xml_time(at: datetime) -> Any:
    from xsdata.models.datatype import XmlDateTime

    return XmlDateTime.from_datetime(at.astimezone(UTC).replace(microsecond=0))


def _instruction(orders: Sequence[BankOrder], instruction_id: str) -> Any:
    from xsdata.models.datatype import XmlDate

    m, first = _messages(), orders[0]
    return m.PaymentInstruction30(
        pmt_inf_id=instruction_id,
        pmt_mtd=m.PaymentMethod3Code.TRF,
        nb_of_txs=str(len(orders)),
        ctrl_sum=_written_sum(orders),
        reqd_exctn_dt=m.DateAndDateTime2Choice(dt=XmlDate.from_date(first.requested_on)),
        dbtr=m.PartyIdentification135(nm=first.debtor.name),
        dbtr_acct=_account(first.debtor, first.currency),
        dbtr_agt=_agent(first.debtor.bank),
        cdt_trf_tx_inf=[_transfer(order) for order in orders],
    )


def _transfer(order: BankOrder) -> Any:
    m = _messages()
    amount = m.ActiveOrHistoricCurrencyAndAmount(
        value=to_decimal(order.amount_minor, order.currency), ccy=order.currency
    )
    return m.CreditTransferTransaction34(
        pmt_id=m.PaymentIdentification6(instr_id=order.end_to_end_id, end_to_end_id=order.end_to_end_id),
        amt=m.AmountType4Choice(instd_amt=amount),
        cdtr_agt=_agent(order.creditor.bank) if order.creditor.bank else None,
        cdtr=m.PartyIdentification135(nm=order.creditor.name),
        cdtr_acct=_account(order.creditor),
        rmt_inf=m.RemittanceInformation16(ustrd=[order.remittance]) if order.remittance else None,
    )


def _account(account: Account, currency: str | None = None) -> Any:
    m = _messages()
    if account_kind(number=account.number) == "iban":
        number = m.AccountIdentification4Choice(iban=account.number)
    else:
        number = m.AccountIdentification4Choice(othr=m.GenericAccountIdentification1(id=account.number))
    return m.CashAccount38(id=number, ccy=currency)


def _agent(bank: str) -> Any:
    m = _messages()
    system = _CLEARING_SYSTEMS.get(len(bank)) if bank.isdigit() else None
    if system is None:
        institution = m.FinancialInstitutionIdentification18(bicfi=bank)
    else:
        member = m.ClearingSystemMemberIdentification2(
            clr_sys_id=m.ClearingSystemIdentification2Choice(cd=system), mmb_id=bank
        )
        institution = m.FinancialInstitutionIdentification18(clr_sys_mmb_id=member)
    return m.BranchAndFinancialInstitutionIdentification6(fin_instn_id=institution)


def _order(group: Any, entry: Any) -> BankOrder:
    amount, day = entry.amt.instd_amt, group.reqd_exctn_dt.dt
    amount_minor = to_minor(amount.value, amount.ccy) if amount else None
    if amount_minor is None or day is None or entry.cdtr is None:
        raise MessageBroken(f"the order {entry.pmt_id.end_to_end_id} is not one of ours")
    return BankOrder(
        end_to_end_id=entry.pmt_id.end_to_end_id,
        amount_minor=amount_minor,
        currency=amount.ccy,
        debtor=_read_side(group.dbtr, group.dbtr_acct, group.dbtr_agt),
        creditor=_read_side(entry.cdtr, entry.cdtr_acct, entry.cdtr_agt),
        remittance="".join(entry.rmt_inf.ustrd) if entry.rmt_inf else "",
        requested_on=date(day.year, day.month, day.day),
    )


def _read_side(party: Any, account: Any, agent: Any) -> Account:
    number = account.id
    if (number.iban is None) == (number.othr is None):
        raise MessageBroken("an account needs either an IBAN or another number, never both")
    institution = agent.fin_instn_id if agent else None
    member = institution.clr_sys_mmb_id if institution else None
    bank = (member.mmb_id if member else institution.bicfi) if institution else ""
    return Account(party.nm or "", number.iban or number.othr.id, bank or "")
