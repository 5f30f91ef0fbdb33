"""Letters to customers as PDF, in their language: receipt, paper request, settlement, refusal, advance; to a hospital, a guarantee.

``render`` is all that a service needs. What each letter is told is a frozen dataclass of `data`; how it reads is
``norms/texts/letters.yaml``; how it looks is ``letter.typ``.
"""

from __future__ import annotations

from lipei.gateways.letters.data import (
    Addressee,
    AdvanceData,
    Company,
    GuaranteeData,
    Handler,
    LetterData,
    Paper,
    PaperRequestData,
    Payee,
    Promise,
    ReceiptData,
    RefusalData,
    Refused,
    SettlementData,
    SettlementHead,
    SettlementLine,
    Way,
)
from lipei.gateways.letters.letters import LETTERS, render
from lipei.gateways.letters.press import FontsMissing, MissingGlyph

__all__ = [
    "LETTERS",
    "Addressee",
    "AdvanceData",
    "Company",
    "FontsMissing",
    "GuaranteeData",
    "Handler",
    "LetterData",
    "MissingGlyph",
    "Paper",
    "PaperRequestData",
    "Payee",
    "Promise",
    "ReceiptData",
    "RefusalData",
    "Refused",
    "SettlementData",
    "SettlementHead",
    "SettlementLine",
    "Way",
    "render",
]
