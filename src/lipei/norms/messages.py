"""The table of messages, read from a document, and their wordings in three languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from string import Formatter
from typing import Any

from lipei.domain.commands import PARTY_ROLES
from lipei.domain.conditions import ConditionError, parse_condition
from lipei.domain.lifecycle import KINDS, STEPS
from lipei.domain.messages import (
    CHANNELS,
    LETTERS,
    OF_SUBJECT,
    MessageRow,
    MessageTable,
    known_field,
    known_selector,
)
from lipei.norms.errors import NormError
from lipei.norms.lines import known_codes, known_keys, rows, texts_of
from lipei.norms.texts import LANGUAGES, texts

PLACEHOLDERS: Mapping[str, tuple[str, str]] = {
    # name: (what it stands for, an example for previews and for measuring a text)
    "account_tail": ("the last four digits of the bank account", "6688"),
    "amount": ("the sum in question, with its currency", "¥12,345.67"),
    "answer_by": ("the date and time by which we promised to answer", "2026-03-04 17:30"),
    "breakdown": ("how the sum is made up, a line for each step", "– 损失 15,000.00\n– 自负 2,654.33"),
    "claim_number": ("the number of the claim", "LP2026000123"),
    "code": ("a one-time code", "482913"),
    "company": ("the name of the insurer", "安和保险"),
    "company_phone": ("the insurer's telephone number", "400-820-1234"),
    "cover": ("the head of loss in plain words", "车损险"),
    "customer_name": ("whom the message is addressed to", "王小明"),
    "due_date": ("the date until which something is to be done", "2026-03-12"),
    "expert_question": ("the question put to the experts", "是否由本次事故造成？"),
    "handler_name": ("the handler's name, or the claims team where none is named yet", "李静"),
    "handler_phone": ("the handler's telephone number, or the insurer's", "010-8820 1234"),
    "hospital": ("the hospital that is given the guarantee", "市第一医院"),
    "kept": (
        "what of an offer is still paid where some was paid before, and what is kept for a hospital that has our "
        "guarantee, each in brackets; nothing where there is neither",
        "（其中¥3,000.00留给医院）",
    ),
    "link": ("the address of the claim's page", "https://lp.example/8Kq2"),
    "minutes": ("how many minutes something is valid", "10"),
    "opinion": ("the preliminary opinion in words", "初步看属于保障范围。"),
    "paper": ("one paper's name", "维修发票与清单"),
    "paper_list": ("the papers asked for, a line for each", "– 驾驶证\n– 行驶证"),
    "paper_count": ("how many papers are asked for", "3"),
    "promise": ("the name of a promise", "初步意见"),
    "promise_list": ("what we promise and until when, a line for each", "– 初步意见：2026-03-04 17:30"),
    "reason": ("why, in plain words", "照片不清晰"),
    "survey_place": ("where the survey takes place", "人民路 1 号"),
    "survey_time": ("when the survey takes place", "2026-03-04 10:00"),
    "surveyor_name": ("the surveyor's name", "陈刚"),
}
"""Everything that a text of a message may name in braces. The list is closed: a text with another name is refused."""

PARTS: Mapping[str, tuple[str, ...]] = {"sms": ("sms",), "email": ("subject", "body")}
"""Which texts a channel needs: ``message.<code>.<part>``."""

STOPS = ("。", ".")
"""Full stops, of which a sentence has one."""
_LAST_STOP = re.compile(r"[。.\s]+([）)]?)[。.\s]*\Z")

LAWFUL = ("refusal",)
"""Letters that the law wants in the customer's hands (保险法24)."""
TAKES_BACK = ("claim.reopened", "exposure.returned_for_rework")
"""What takes a decision back before the customer has heard of it (民法典141): then there is none to tell."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in words. ``subject`` is empty where the channel has none."""

    subject: str
    text: str


def parse(document: Mapping[str, Any]) -> MessageTable:
    """The messages of a ``messages`` document.

    Raises NormError for unknown events, recipients, channels and letters, for a condition that is none, and for a
    message whose wording is missing in one language or names a placeholder outside `PLACEHOLDERS`.
    """
    known_keys("messages", document, required={"version", "messages"}, optional={"texts"})
    found = {row["code"]: _row(row) for row in rows("messages.messages", document["messages"])}
    table = MessageTable(found, _texts(document.get("texts") or {}, found))
    for row in found.values():
        for channel in row.channels:
            for part in PARTS[channel]:
                _check_wordings(f"message.{row.code}.{part}", table)
    return table


def render(
    *, table: MessageTable, message: str, channel: str, language: str, params: Mapping[str, Any]
) -> Rendered:  # fmt: skip
    """The words of a message. E-mails to customers get salutation and closing.

    Raises KeyError where ``params`` lacks a placeholder of the text: a text with a hole is never sent.
    """
    words = [wording(table, f"message.{message}.{part}", language) for part in PARTS[channel]]
    if channel != "email":
        return Rendered("", _filled(words[0], params))
    subject, body = words
    if to_customer(table.rows[message]):
        body = "\n\n".join(
            [wording(table, "message.salutation", language), body, wording(table, "message.closing", language)]
        )
    return Rendered(_filled(subject, params), _filled(body, params))


def _filled(text: str, params: Mapping[str, Any]) -> str:
    return text.format_map(fitting(text, params))


def fitting(text: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values as a wording takes them: before a full stop of the wording a value goes without its own."""
    pieces = [(literal, name or "") for literal, name, _, _ in Formatter().parse(text)]
    ended = {name for (_, name), (after, _) in pairwise(pieces) if name in params and after.startswith(STOPS)}
    return {**params, **{name: without_stop(str(params[name])) for name in ended}}


def without_stop(value: str) -> str:
    """What somebody wrote, without the full stop at its end or before a last bracket: to stand inside a sentence."""
    return _LAST_STOP.sub(r"\1", value)


def needed_params(*, table: MessageTable, message: str, channel: str, language: str) -> frozenset[str]:
    """The placeholders that `render` will ask for."""
    keys = [f"message.{message}.{part}" for part in PARTS[channel]]
    if channel == "email" and to_customer(table.rows[message]):
        keys += ["message.salutation", "message.closing"]
    return frozenset().union(*(placeholders(wording(table, key, language)) for key in keys))


def to_customer(row: MessageRow) -> bool:
    """Whether the message goes to parties of the claim (and not to staff)."""
    return any(name in PARTY_ROLES or name in OF_SUBJECT for alternatives in row.to for name in alternatives)


def wording(table: MessageTable, key: str, language: str) -> str:
    """A manager's wording if there is one, else the shipped one. Raises KeyError for an unknown key."""
    return (table.texts.get(key) or texts()[key])[language]


def placeholders(text: str) -> frozenset[str]:
    """The names in braces. Raises NormError where the braces do not pair or hold more than a name."""
    try:
        found = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise NormError("norm_error.message.braces", text=text) from error
    if any(spec or conversion or not name.isidentifier() for name, spec, conversion in found):
        raise NormError("norm_error.message.braces", text=text)
    return frozenset(name for name, _, _ in found)


def check_text(key: str, text: str) -> None:
    """Refuse a wording with a placeholder that no message can fill."""
    for name in sorted(placeholders(text) - set(PLACEHOLDERS)):
        raise NormError(
            "norm_error.message.unknown_placeholder", key=key, name=name, known=", ".join(sorted(PLACEHOLDERS))
        )  # fmt: skip


def _row(row: Mapping[str, Any]) -> MessageRow:
    place = f"messages.{row['code']}"
    known_keys(
        place, row, required={"code", "events", "to", "channels"},
        optional={"urgent", "fast", "once", "letter", "when", "still", "norm", "void_by", "law"},
    )  # fmt: skip
    events, channels = texts_of(place, row["events"]), texts_of(place, row["channels"])
    to = tuple(tuple(name.strip() for name in one.split("|")) for one in texts_of(place, row["to"]))
    known_codes(place, events, {step.event for step in STEPS} | set(KINDS))
    known_codes(place, channels, CHANNELS)
    known_codes(place, [row["letter"]] if "letter" in row else [], LETTERS)
    for name in (name for alternatives in to for name in alternatives):
        if not known_selector(name):
            raise NormError("norm_error.message.unknown_recipient", place=place, name=name)
    if not channels or not to:
        raise NormError("norm_error.table.missing_key", place=place, key="to" if channels else "channels")
    void_by = texts_of(place, row.get("void_by", []))
    known_codes(place, void_by, {step.event for step in STEPS} | set(KINDS))
    for flag in ("urgent", "fast", "once", "law"):
        if not isinstance(row.get(flag, False), bool):
            raise NormError("norm_error.table.not_yes_or_no", place=place, key=flag)
    if (row.get("law") or row.get("letter") in LAWFUL) and ({*void_by} - {*TAKES_BACK} or "still" in row):
        raise NormError("norm_error.message.law_void", place=place)
    try:
        when, still = (parse_condition(row[n], known=known_field) if n in row else None for n in ("when", "still"))
    except ConditionError as error:
        raise NormError(error.code, place=place, **error.params) from error
    return MessageRow(
        row["code"], events, to, channels, row.get("urgent", False), row.get("fast", False), row.get("once", False),
        row.get("letter", ""), when, str(row.get("norm", "")), still, void_by, row.get("law", False),
    )  # fmt: skip


def _texts(document: Any, found: Mapping[str, MessageRow]) -> dict[str, Mapping[str, str]]:
    """A manager's wordings: only for messages that exist, and in all languages."""
    known = {f"message.{row.code}.{part}" for row in found.values() for c in row.channels for part in PARTS[c]}
    known |= {"message.salutation", "message.closing"}
    known_keys("messages.texts", document, optional=known)
    for key, wordings in document.items():
        known_keys(f"messages.texts.{key}", wordings, required=LANGUAGES)
        for text in wordings.values():
            if not isinstance(text, str) or not text.strip():
                raise NormError("norm_error.message.no_text", key=key)
    return dict(document)


def _check_wordings(key: str, table: MessageTable) -> None:
    if key not in table.texts and key not in texts():
        raise NormError("norm_error.message.no_text", key=key)
    for language in LANGUAGES:
        check_text(key, wording(table, key, language))
