"""What a customer typed, made into a report, or a sentence beside each field that needs correction.

Forgiving where no harm is done: full-width digits, thousands separators and currency signs are understood.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain import accounts, entries
from lipei.domain.commands import ItemAssessed, Report
from lipei.domain.money import Money, MoneyError, parse
from lipei.domain.rulebook import Rulebook
from lipei.services import portal

ITEM_ROWS = 3
FACT = "fact_"
"""What the field of a fact is called before its name."""
HURT = ("none", "light", "serious", "rescue", "insured_death", "death")
WORDS = ("story", "name", "phone", "email", "place", "country", "policy_number", "plate")
"""Fields that go into the report as they were typed."""
_KEY = re.compile(r"[\w-]{16,64}")
_SIGNS = re.compile(r"[,，\s元圆圓¥￥$€£]|CNY|TWD|HKD|NT|RMB", re.IGNORECASE)
_PEOPLE_MAX = 10_000


@dataclass(frozen=True)
class Typed:
    """A report as typed, with what is wrong: ``errors`` are (text code, parameters) by field."""

    typed: Mapping[str, str]
    key: str
    command: Report
    items: tuple[ItemAssessed, ...]
    facts: Mapping[str, int | bool]
    errors: Mapping[str, tuple[str, Mapping[str, Any]]]


def new_key() -> str:
    """The hidden key of a fresh form: the same form sent twice is one report."""
    return secrets.token_urlsafe(18)


def key_of(data: Mapping[str, str]) -> str:
    """The key that came with a form; a new one where it cannot be ours."""
    key = data.get("key", "")
    return key if _KEY.fullmatch(key) else new_key()


def clean(text: str) -> str:
    """Text without control characters (a database does not take all of them); line breaks stay."""
    kept = (c for c in text.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept).strip()


def money_of(typed: str, currency: str) -> Money:
    """The amount as a person writes it: ``２,６５０元``. Raises MoneyError."""
    return parse(_SIGNS.sub("", unicodedata.normalize("NFKC", typed)), currency)


def read(data: Mapping[str, str], *, rulebook: Rulebook, language: str) -> Typed:
    """A report form. ``data`` maps field names to the text typed."""
    typed = {name: clean(value) for name, value in data.items() if name != "csrfmiddlewaretoken"}
    errors: dict[str, tuple[str, Mapping[str, Any]]] = {}
    said: dict[str, Any] = {name: typed.get(name, "") for name in WORDS}
    said |= _hurt(typed, errors) | _kind(typed, rulebook, errors)
    said["loss_at"] = instant_of(typed.get("loss_at", ""), ZoneInfo(rulebook.settings.zone), errors)
    said["estimate"] = _amount(typed, "estimate", rulebook.settings.currency, errors)
    said["accept_automatic"] = typed.get("accept_automatic") == "yes"
    items = _items(typed, rulebook.settings.currency, errors)
    facts = _facts(typed, rulebook, (said.get("line", ""), said.get("loss_kind", "")), errors)
    for spec in fields(Report):
        value = said.get(spec.name)
        if isinstance(value, str) and len(value) > spec.metadata["length_max"]:
            errors[spec.name] = ("refusal.too_long", {})
    if not said["phone"]:
        errors["phone"] = ("refusal.required", {})
    elif code := accounts.check_phone(number=said["phone"], region=rulebook.settings.region):
        errors["phone"] = (code, {})
    if not said["story"]:
        errors["story"] = ("refusal.story_missing", {})
    return Typed(typed, key_of(data), Report(**said, language=language), items, facts, errors)


def _hurt(typed: Mapping[str, str], errors: dict[str, Any]) -> dict[str, Any]:
    how = typed.get("hurt", "none")
    how = how if how in HURT else "none"
    number = unicodedata.normalize("NFKC", typed.get("hurt_count", "")) or "1"
    if how != "none" and (not number.isdigit() or not 1 <= int(number) <= _PEOPLE_MAX):
        errors["hurt_count"] = ("refusal.out_of_bounds", {})
        return {}
    return {
        "none": {},
        "light": {"injured": int(number) if number.isdigit() else 1},
        "serious": {"serious_injuries": int(number) if number.isdigit() else 1},
        "rescue": {"rescue": True, "injured": int(number) if number.isdigit() else 1},
        "insured_death": {"deaths": int(number) if number.isdigit() else 1, "insured_died": True},
        "death": {"deaths": int(number) if number.isdigit() else 1},
    }[how]


def _kind(typed: Mapping[str, str], rulebook: Rulebook, errors: dict[str, Any]) -> dict[str, str]:
    line, _, loss = typed.get("kind", "").partition(":")
    if not line:
        return {}
    known = rulebook.lines.lines.get(line)
    if known is None or (loss and loss not in known.losses):
        errors["kind"] = ("refusal.not_a_choice", {})
        return {}
    return {"line": line, "loss_kind": loss}


def instant_of(typed: str, zone: ZoneInfo, errors: dict[str, Any]) -> datetime | None:
    """A local time as the browser's own field gives it; without a time of day it is noon of that day. What is wrong with
    it goes to the ``errors`` of ``loss_at``."""
    if not typed:
        return None
    try:
        found = datetime.fromisoformat(typed if len(typed) > 10 else f"{typed}T12:00")
        at = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or at.year not in entries.YEARS:
        errors["loss_at"] = ("refusal.not_a_date" if at is None else "refusal.year_impossible", {})
        return None
    return at


def _amount(typed: Mapping[str, str], name: str, currency: str, errors: dict[str, Any]) -> Money | None:
    written = typed.get(name, "")
    if not written:
        return None
    try:
        return money_of(written, currency)
    except MoneyError as error:
        errors[name] = (error.code, error.params)
        return None


def _items(typed: Mapping[str, str], currency: str, errors: dict[str, Any]) -> tuple[ItemAssessed, ...]:
    found = []
    for n in range(1, ITEM_ROWS + 1):
        what = typed.get(f"item_{n}", "")
        claimed = _amount(typed, f"item_{n}_amount", currency, errors)
        if claimed is not None and not what:
            errors[f"item_{n}"] = ("refusal.required", {})
        if len(what) > _WHAT_MAX:
            errors[f"item_{n}"] = ("refusal.too_long", {})
        if what:
            found.append(ItemAssessed(what, claimed=claimed))
    return tuple(found)


def _facts(
    typed: Mapping[str, str], rulebook: Rulebook, kind: tuple[str, str], errors: dict[str, Any]
) -> dict[str, int | bool]:
    """What the reporter knows of what others have paid for this kind of treatment; what is left empty nobody has said."""
    found: dict[str, int | bool] = {}
    for name, spec in portal.to_tell(rulebook).get(kind, {}).items():
        field = FACT + name
        if spec.type == "yes_no":
            found |= {name: typed[field] == "yes"} if typed.get(field) in ("yes", "no") else {}
            continue
        amount = _amount(typed, field, rulebook.settings.currency, errors)
        found |= {name: amount.minor} if amount is not None else {}
    return found


_WHAT_MAX = next(f.metadata["length_max"] for f in fields(ItemAssessed) if f.name == "what")
