"""A bank's side, written by hand and not with the classes under test."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from lipei.gateways.bank import Account, BankOrder, FilesGateway

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DEBTOR = Account("利赔保险股份有限公司", "0200001209000123456", "102100099996")
CARD = "6222020200112230012"


def make_order(number: int = 1, **changes) -> BankOrder:
    fields = {
        "end_to_end_id": f"LP-2026-{number:06d}",
        "amount_minor": 123_456,
        "currency": "CNY",
        "debtor": DEBTOR,
        "creditor": Account("张三", CARD, "102290068319"),
        "remittance": f"C2026-{number:06d}",
        "requested_on": date(2026, 3, 2),
    }
    return BankOrder(**(fields | changes))


def status_report(
    message_id, transactions=(), *, group="", part="", part_id=None, version="10", totals="", model="pain.001.001.09"
):
    """A pain.002. ``transactions``: (id, status, reason or "", amount text or "")."""

    def reason_of(reason):
        return f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""

    def entry(id_, status, reason="", amount=""):
        original = f'<OrgnlTxRef><Amt><InstdAmt Ccy="CNY">{amount}</InstdAmt></Amt></OrgnlTxRef>' if amount else ""
        return (
            f"<TxInfAndSts><OrgnlEndToEndId>{id_}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason_of(reason)}"
            f"<AcctSvcrRef>REF-{id_[-6:]}</AcctSvcrRef>{original}</TxInfAndSts>"
        )

    entries = "".join(entry(*transaction) for transaction in transactions)
    part_status = f"<PmtInfSts>{part}</PmtInfSts>" if part else ""
    information = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{part_id or message_id + '-1'}</OrgnlPmtInfId>{part_status}{entries}"
        "</OrgnlPmtInfAndSts>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}">'
        "<CstmrPmtStsRpt><GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-03-02T17:00:00+08:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><OrgnlMsgNmId>{model}</OrgnlMsgNmId>{totals}"
        f"{f'<GrpSts>{group}</GrpSts>' if group else ''}</OrgnlGrpInfAndSts>"
        f"{information if transactions or part else ''}</CstmrPmtStsRpt></Document>"
    ).encode()


def notification(
    entries,
    *,
    account=DEBTOR.number,
    direction="DBIT",
    state="BOOK",
    reason="",
    total=None,
    currency="CNY",
    booked="<Dt>2026-03-02</Dt>",
    reference="",
    made_at="2026-03-03T02:00:00+08:00",
    reversal="",
):
    """A camt.054.001.08 with one entry. ``entries``: (id, amount text)."""
    returned = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else ""

    def details(id_, amount):
        own = reference or f"BOOK-{id_[-6:]}"
        return (
            f"<TxDtls><Refs><AcctSvcrRef>{own}</AcctSvcrRef><EndToEndId>{id_}</EndToEndId></Refs>"
            f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{returned}</TxDtls>'
        )

    total = total or str(sum(Decimal(amount) for _, amount in entries))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">'
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N-1</MsgId><CreDtTm>{made_at}</CreDtTm></GrpHdr>"
        f"<Ntfctn><Id>1</Id><CreDtTm>{made_at}</CreDtTm>"
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>"
        f'<Ntry><Amt Ccy="{currency}">{total}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{reversal}'
        f"<Sts><Cd>{state}</Cd></Sts><BookgDt>{booked}</BookgDt><BkTxCd><Prtry><Cd>PMNT</Cd></Prtry></BkTxCd>"
        f"<NtryDtls>{''.join(details(*entry) for entry in entries)}</NtryDtls></Ntry></Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


@pytest.fixture(scope="session")
def bank():
    """The tools of this folder, under one name."""
    return SimpleNamespace(
        now=NOW, debtor=DEBTOR, card=CARD, order=make_order, status_report=status_report, notification=notification
    )


@pytest.fixture
def gateway(tmp_path):
    return FilesGateway(tmp_path / "bank", key=b"key")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bank"
