"""The letters by name, and the one function that prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lipei.gateways.letters import bodies, press
from lipei.gateways.letters.data import (
    AdvanceData,
    GuaranteeData,
    LetterData,
    PaperRequestData,
    ReceiptData,
    RefusalData,
    SettlementData,
)
from lipei.gateways.letters.reading import read
from lipei.gateways.letters.words import Block, Words
from lipei.norms.texts import LANGUAGES


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of letter: what it is told, what it says."""

    data: type[LetterData]
    body: Callable[[Any, Words], Iterator[Block]]


LETTERS: Mapping[str, Kind] = {
    "receipt": Kind(ReceiptData, bodies.receipt),
    "paper_request": Kind(PaperRequestData, bodies.paper_request),
    "settlement": Kind(SettlementData, bodies.settlement),
    "refusal": Kind(RefusalData, bodies.refusal),
    "advance": Kind(AdvanceData, bodies.advance),
    "guarantee": Kind(GuaranteeData, bodies.guarantee),
}


def render(*, letter: str, language: str, data: Mapping[str, Any] | LetterData) -> bytes:
    """The PDF of a letter; the same input gives the same bytes. Safe to call from any thread.

    ``letter`` is a key of LETTERS, ``data`` that letter's dataclass or a mapping of its fields (nested mappings for the
    nested ones). Raises ValueError for an unknown letter or language, and for data that are incomplete or contradict
    themselves; MissingGlyph where a character cannot be printed; FontsMissing where the fonts were never built.
    """
    if letter not in LETTERS:
        raise ValueError(f"unknown letter {letter!r}: one of {', '.join(LETTERS)}")
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: one of {', '.join(LANGUAGES)}")
    kind = LETTERS[letter]
    told = data if isinstance(data, LetterData) else read(kind.data, data)
    if not isinstance(told, kind.data):
        raise ValueError(f"a {letter} is told {kind.data.__name__}, not {type(told).__name__}")
    view = compose(letter, language, told)
    return press.print_pdf(press.printable(view), at=told.issued_at)


def compose(letter: str, language: str, data: LetterData) -> dict[str, Any]:
    """Everything that stands on the page, as JSON-ready data for ``letter.typ``."""
    words = Words(language, data)
    return {
        "language": language,
        "title": _title(letter, data, words),
        "company": _letterhead(data),
        "addressee": [data.addressee.name, *data.addressee.address],
        "facts": _facts(data, words),
        "salutation": words("salutation", name=data.addressee.name),
        "body": list(LETTERS[letter].body(data, words)),
        "closing": _closing(data, words),
        "signature": _signature(data, words),
        "small_print": _small_print(data, words),
        "footer": f"{data.company.name} · {data.claim_number}",
    }


def _title(letter: str, data: LetterData, words: Words) -> str:
    if isinstance(data, RefusalData):
        return words("refusal.title_whole" if data.whole else "refusal.title_part")
    if isinstance(data, AdvanceData) and data.undisputed:
        return words("advance.title_undisputed")
    return words(f"{letter}.title")


def _letterhead(data: LetterData) -> dict[str, Any]:
    company = data.company
    lines = [company.address, " · ".join(filter(None, [company.phone, company.email, company.website]))]
    return {"name": company.name, "lines": [line for line in lines if line]}


def _facts(data: LetterData, words: Words) -> list[list[str]]:
    rows = [
        ("claim_number", data.claim_number),
        ("policy_number", data.policy_number),
        ("loss", data.loss),
        ("loss_at", words.instant(data.loss_at) if data.loss_at else ""),
        ("place", data.place),
        ("handler", data.handler.name),
        ("issued_at", words.date(data.issued_at)),
    ]
    return [[words(f"fact.{name}"), value] for name, value in rows if value]


def _closing(data: LetterData, words: Words) -> str:
    phone = data.handler.phone or data.company.phone
    email = data.handler.email or data.company.email
    ways = [words("phone", phone=phone) if phone else "", email]
    contact = words("contact.join").join(filter(None, ways)) or data.company.name
    return words("closing", handler=data.handler.name, contact=contact, claim_number=data.claim_number)


def _signature(data: LetterData, words: Words) -> list[str]:
    company, department = data.company.name, data.company.department
    return [
        data.handler.name,
        words("department", company=company, department=department) if department else company,
        words.date(data.issued_at),
    ]


def _small_print(data: LetterData, words: Words) -> list[str]:
    zone = data.company.time_zone_words
    lines = [
        words("legal_basis", basis=data.legal_basis) if data.legal_basis else "",
        words("zone", zone=zone) if zone else "",
        words("sign_off"),
    ]
    return [line for line in lines if line]
