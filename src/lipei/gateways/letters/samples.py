"""One full example of every letter, in every language: for previews, and for what the tests print."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

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
from lipei.norms.texts import shipped

PREFIX = "letter_sample."
SAID: Mapping[str, Mapping[str, str]] = {
    key.removeprefix(PREFIX): wordings for key, wordings in shipped().items() if key.startswith(PREFIX)
}
"""What the examples say, by language."""


def at(month: int, day: int, hour: int = 2, minute: int = 0, year: int = 2026) -> datetime:
    """An instant in UTC; 2:00 is 10:00 at the company."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def common(language: str) -> dict[str, Any]:
    """What all letters share, for one language."""
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return {
        "company": Company(
            name=say["company"],
            address=say["address"],
            phone="400-000-0000",
            email="service@anhe.example",
            website="www.anhe.example",
            department=say["department"],
            time_zone_words=say["zone"],
        ),
        "addressee": Addressee(name=say["customer"], address=(say["address"],)),
        "handler": Handler(name=say["handler"], phone="021-1234 5678", email="handler@anhe.example"),
        "claim_number": "C2026-000123",
        "issued_at": at(11, 23),
        "policy_number": "P-778899",
        "loss": say["loss"],
        "loss_at": at(11, 22, 10, 5),
        "place": say["place"],
    }


def receipt(language: str) -> ReceiptData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return ReceiptData(
        **common(language),
        reported_at=at(11, 22, 11, 30),
        story=say["story"],
        next_steps=("contact", "survey", "papers", "assess", "offer", "payment"),
        promises=(
            Promise(what=say["opinion"], due_at=at(11, 23, 11, 30)),
            Promise(what=say["decide"], due_at=at(12, 22, 16), binds="law", extended_due_at=at(12, 24, 16)),
            Promise(what=say["decide"], due_at=at(1, 4, 10, year=2027), provisional=True),
        ),
    )


def paper_request(language: str) -> PaperRequestData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return PaperRequestData(
        **common(language),
        papers=(
            Paper(name=say["licence"], form="photo", problem=say["blurred"]),
            Paper(name=say["invoice"], form="original", why=say["invoice_why"]),
        ),
        on_file=(say["identity"], say["policy"]),
        due_at=at(12, 7),
        portal_url="https://claims.anhe.example/C2026-000123",
        email="papers@anhe.example",
        postal_address=say["address"],
        legal_basis={"zh-hans": "《保险法》第二十二条", "zh-hant": "保險法", "en": "Insurance Law, article 22"}[
            language
        ],
    )


def settlement(language: str) -> SettlementData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    own = SettlementHead(
        cover=say["own_damage"],
        payable_minor=210_000,
        lines=(
            SettlementLine(
                what=say["loss_line"],
                amount_minor=265_000,
                result_minor=265_000,
                calculation="1,200.00 + 800.00 + 650.00",
            ),
            SettlementLine(what=say["salvage"], amount_minor=-5_000, result_minor=260_000, clause=say["clause"]),
            SettlementLine(what=say["cap"], amount_minor=0, result_minor=260_000, calculation="≤ 150,000.00"),
            SettlementLine(
                what=say["deductible"],
                amount_minor=-50_000,
                result_minor=210_000,
                clause=say["clause"],
                plain=say["deductible_plain"],
            ),
        ),
    )
    other = SettlementHead(
        cover=say["third_party"],
        claimant=say["colleague"],
        payable_minor=465_500,
        lines=(
            SettlementLine(what=say["loss_line"], amount_minor=900_000, result_minor=900_000),
            SettlementLine(what=say["compulsory"], amount_minor=-200_000, result_minor=700_000, clause=say["clause"]),
            SettlementLine(
                what=say["fault"],
                amount_minor=-210_000,
                result_minor=490_000,
                calculation="7,000.00 × 70 %",
                clause=say["clause"],
                plain=say["fault_plain"],
            ),
            SettlementLine(what=say["rate"], amount_minor=-24_500, result_minor=465_500, calculation="4,900.00 × 95 %"),
        ),
    )
    return SettlementData(
        **common(language),
        heads=(own, other),
        already_paid_minor=100_000,
        payees=(
            Payee(name=say["customer"], amount_minor=110_000, account=say["account"]),
            Payee(name=say["repairer"], amount_minor=465_500, account=say["account"]),
        ),
        expires_at=at(12, 7, 9),
        pay_by=at(12, 3),
        undisputed_minor=210_000,
    )


def refusal(language: str) -> RefusalData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return RefusalData(
        **common(language),
        refused=(
            Refused(
                cover=say["own_damage"],
                amount_minor=265_000,
                reason=say["reason"],
                findings=say["findings"],
                clause=say["exclusion"],
                clause_text=say["exclusion_text"],
                plain=say["plain"],
            ),
        ),
        whole=True,
        decided_by=say["colleague"],
        decided_at=at(11, 23, 1, 15),
        ways=(
            Way(code="court", period=say["period"]),
            Way(code="review", contact="review@anhe.example", until=at(12, 23)),
            Way(code="complaint", contact="400-000-0000"),
            Way(code="mediation", contact=say["bureau"]),
        ),
    )


def advance(language: str) -> AdvanceData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return AdvanceData(
        **common(language),
        amount_minor=2_000_000,
        reason=say["advance_reason"],
        heads=(say["medical"],),
        payees=(Payee(name=say["customer"], amount_minor=2_000_000, account=say["account"]),),
        pay_by=at(11, 26),
    )


def guarantee(language: str) -> GuaranteeData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    told = {**common(language), "addressee": Addressee(name=say["hospital"])}
    return GuaranteeData(**told, amount_minor=1_000_000, patients=(say["customer"],), reason=say["rescue"])


def sample(letter: str, language: str) -> LetterData:
    """The example of one letter in one language."""
    return {
        "receipt": receipt,
        "paper_request": paper_request,
        "settlement": settlement,
        "refusal": refusal,
        "advance": advance,
        "guarantee": guarantee,
    }[letter](language)
