"""Masked personal data: enough to recognise somebody, too little to use (norm part 4).

Every page and answer shows these forms. Who needs the whole asks `services/personal_data.py`, which records it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from lipei.domain.claims import Case, Party
from lipei.domain.events import private_fields

STAR = "*"
_MIDDLE_MAX = 4  # so that the mask does not tell how long the name is
_NUMBER = re.compile(r"\d(?:[ -]?\d){5,}[0-9Xx]?")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def name(text: str) -> str:
    """王*明, 王*, J*** S***. The first character of each word and, of a longer Chinese name, the last."""
    text = text.strip()
    if not text:
        return ""
    if text[0].isascii():
        return " ".join(word[0] + STAR * 3 for word in text.split())
    if len(text) <= 2:
        return text[0] + STAR
    return text[0] + STAR * min(len(text) - 2, _MIDDLE_MAX) + text[-1]


def _unspaced(number: str) -> str:
    """A number without the spaces, hyphens and brackets that people group it by: what is masked is counted in digits."""
    return re.sub(r"[^\w+]", "", number)


def phone(text: str) -> str:
    """138****8000: the first three and the last four; of a shorter number only the last two."""
    text = _unspaced(text)
    if len(text) >= 11:
        return text[:3] + STAR * (len(text) - 7) + text[-4:]
    return STAR * max(len(text) - 2, 0) + text[-2:] if len(text) > 4 else STAR * len(text)


def id_number(text: str) -> str:
    """310***********1234: the first three and the last four of a long number, else the last two."""
    text = _unspaced(text)
    if len(text) >= 12:
        return text[:3] + STAR * (len(text) - 7) + text[-4:]
    return STAR * max(len(text) - 2, 0) + text[-2:] if len(text) > 4 else STAR * len(text)


def account(text: str) -> str:
    """****2345: the last four digits."""
    text = _unspaced(text)
    return STAR * 4 + text[-4:] if len(text) > 6 else STAR * len(text)


def email(text: str) -> str:
    """w***@example.com."""
    local, at, domain = text.strip().partition("@")
    return f"{local[:1]}{STAR * 3}@{domain}" if at else STAR * len(local)


def date(text: str) -> str:
    """1980-**-**: the year of a birth date."""
    return f"{text[:4]}-**-**" if text else ""


def file_name(text: str) -> str:
    """***.jpg: people name files after people."""
    _, dot, ending = text.rpartition(".")
    return f"{STAR * 3}{dot}{ending}" if dot else STAR * 3 if text else ""


def free_text(text: str, names: Iterable[str] = ()) -> str:
    """What somebody wrote, with the names given, long numbers and e-mail addresses in it masked."""
    for known in sorted({n for n in names if len(n) > 1}, key=len, reverse=True):
        text = text.replace(known, name(known))
    text = _MAIL.sub(lambda found: email(found[0]), text)
    return _NUMBER.sub(lambda found: (phone if len(_unspaced(found[0])) <= 12 else id_number)(found[0]), text)


FIELDS = {
    "name": name,
    "phone": phone,
    "email": email,
    "id_number": id_number,
    "born_on": date,
    "account_name": name,
    "account_number": account,
}
"""The private fields of a party and how each is masked; others are free text."""
NAMES = frozenset({"name", "account_name"})


def case(claim: Case) -> Case:
    """The case with every private field masked: what a page may show as it is."""
    names = [name for p in claim.parties.values() if p.person for name in (p.name, p.account_name)]
    parts = {
        entity: {number: _part(row, names) for number, row in rows.items()}
        if private_fields(Case.entities[entity])
        else rows
        for entity, rows in claim.parts.items()
    }
    return replace(claim, parts=parts)


def _part(row: Any, names: list[str]) -> Any:
    changed = {}
    for field in private_fields(cast(type, type(row))):
        value = getattr(row, field)
        if not value:
            continue
        if isinstance(row, Party) and field in FIELDS:
            if row.person or field not in NAMES:  # what a firm is called is nobody's personal data
                changed[field] = FIELDS[field](value)
        elif field == "file_name":
            changed[field] = file_name(value)
        else:
            changed[field] = free_text(value, names)
    return replace(row, **changed) if changed else row
