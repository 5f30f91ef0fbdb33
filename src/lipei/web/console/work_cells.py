"""The cells of a list as a workbook holds them: the same columns as on the page, in words and figures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from lipei.domain.money import Money, MoneyError, plain
from lipei.norms.texts import text
from lipei.reads.agenda import Item
from lipei.web.console.work_filters import COLUMNS, WORK, Asked
from lipei.web.templatetags.lipei import language, word

HEADS = {**COLUMNS, "number": "field.claim_number", "promise": "worklist.col.promise", "due": "field.due_at",
         "closed": "field.closed_at", "outcome": "field.outcome", "currency": "field.currency"}  # fmt: skip


def columns(asked: Asked) -> tuple[str, ...]:
    """The columns of the file: what always stands in front, then what the page shows."""
    front = ("number", "promise", "due") if asked.page == WORK else ("number", "promise", "due", "outcome", "closed")
    chosen = [c for c in asked.shown if c != "estimate"]
    if "person" in chosen and "loss" not in chosen:  # on the page they share a cell
        chosen.insert(chosen.index("person") + 1, "loss")
    return (*front, *chosen, *(("estimate", "currency") if "estimate" in asked.shown else ()))


def labels(shown: tuple[str, ...]) -> list[str]:
    """Their headings."""
    return [text(HEADS[name], language()) for name in shown]


def cells(item: Item, shown: tuple[str, ...]) -> list[Any]:
    """A row. Times are the company's local time, amounts numbers beside their currency."""
    return [_cell(item, name) for name in shown]


def _cell(item: Item, name: str) -> Any:
    row = item.row
    times = {"due": row.due_at, "reported": row.reported_at, "loss_at": row.loss_at, "closed": row.closed_at}
    if name in times:
        return local_time(times[name])
    if name == "estimate":
        return amount(row.estimate_minor, row.currency) if row.estimate_minor else ""
    words = {
        "number": row.number,
        "promise": row.promise_name,
        "next": item.next.action.label if item.next else "",
        "waits": waits_words(item),
        "state": row.state_name,
        "person": row.person,
        "loss": row.loss_name or word("line", row.line),
        "handler": row.handler_name,
        "unit": row.unit,
        "lane": lane_words(item),
        "outcome": word("outcome", row.outcome),
        "currency": row.currency,
    }
    return words[name]


def waits_words(item: Item) -> str:
    """For whom a claim waits, in words."""
    kind = word("worklist.waits", item.waits.whom)
    return f"{kind} · {item.waits.name}" if item.waits.name else kind


def lane_words(item: Item) -> str:
    """The lane, and the fast lane where it is one."""
    found = [word("lane", item.row.lane)] if item.row.lane else []
    if item.row.fast_lane:
        found.append(text("lane.fast", language()))
    return " · ".join(found)


def local_time(at: datetime | None) -> Any:
    return "" if at is None else timezone.localtime(at).replace(tzinfo=None, microsecond=0)


def amount(minor: int, currency: str) -> Any:
    try:
        return Decimal(plain(Money(minor, currency)))
    except MoneyError:
        return minor
