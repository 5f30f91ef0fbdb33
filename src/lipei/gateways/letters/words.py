"""How figures and dates read in a language, and the blocks that letters are made of.

A block is a plain dict that ``letter.typ`` knows how to draw. All text travels as data: nothing a customer or a
colleague typed ever becomes part of a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.money import Money, grouped
from lipei.gateways.letters.data import LetterData
from lipei.norms.money import money_text
from lipei.norms.texts import text

Block = dict[str, Any]
Cell = dict[str, Any]

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Words:
    """The wordings of one letter: its language, currency and zone."""

    language: str
    data: LetterData

    def __call__(self, key: str, /, **params: Any) -> str:
        """The wording of ``letter.<key>``."""
        return text(f"letter.{key}", self.language, **params)

    def figure(self, minor: int) -> str:
        """``1,234.56`` from 123456 of the letter's currency, with a real minus sign."""
        return grouped(Money(minor, self.data.currency)).replace("-", MINUS)

    def money(self, minor: int) -> str:
        """A sum in running text, with its currency."""
        return money_text(Money(minor, self.data.currency), self.language).replace("-", MINUS)

    def date(self, at: datetime) -> str:
        """The day at the company's place."""
        local = at.astimezone(ZoneInfo(self.data.company.time_zone))
        return self("date", year=local.year, month_name=self(f"month.{local.month}"), day=local.day)

    def instant(self, at: datetime) -> str:
        """Day and time at the company's place."""
        local = at.astimezone(ZoneInfo(self.data.company.time_zone))
        return self("instant", date=self.date(at), hour=local.hour, minute=local.minute)

    def due(self, at: datetime) -> str:
        """A last moment. Midnight is the end of the day before: "3 May, 00:00" would be read as a time on the 3rd."""
        local = at.astimezone(ZoneInfo(self.data.company.time_zone))
        if (local.hour, local.minute) == (0, 0):
            return self("end_of_day", date=self.due_date(at))
        return self.instant(at)

    def due_date(self, at: datetime) -> str:
        """The last day on which something is still in time."""
        return self.date(at - timedelta(microseconds=1))

    def head(self, cover: str, claimant: str) -> str:
        """The heading of a head of loss."""
        return self("head", cover=cover, claimant=claimant) if claimant else cover


def paragraph(words: str) -> Block:
    """Running text; line breaks stay."""
    return {"kind": "paragraph", "text": words}


def note(words: str) -> Block:
    """Small print."""
    return {"kind": "note", "text": words}


def quote(words: str) -> Block:
    """Somebody's own words, set apart."""
    return {"kind": "quote", "text": words}


def heading(words: str) -> Block:
    """A heading that stays with what follows."""
    return {"kind": "heading", "text": words}


def steps(items: Sequence[str]) -> Block:
    """A numbered list."""
    return {"kind": "steps", "items": list(items)}


def bullets(items: Sequence[str]) -> Block:
    """A list without order."""
    return {"kind": "bullets", "items": list(items)}


def facts(rows: Sequence[tuple[str, str]]) -> Block:
    """Label and value, one pair a line; pairs without value are left out."""
    return {"kind": "facts", "rows": [list(row) for row in rows if row[1]]}


def cell(main: str, *small: str) -> Cell:
    """A table cell: its text and, below it, small lines. Empty small lines are left out."""
    return {"text": main, "small": [line for line in small if line]}


def table(columns: Sequence[tuple[str, str, int]], rows: Sequence[Sequence[Cell]], total: Sequence[str] = ()) -> Block:
    """A table. A column is (title, ``start`` or ``end``, share of the width); ``total`` is a bold last row.

    Share 0: as wide as its content.
    """
    assert all(len(row) == len(columns) for row in rows)
    assert not total or len(total) == len(columns)
    heads = [{"title": title, "align": align, "share": share} for title, align, share in columns]
    return {"kind": "table", "columns": heads, "rows": [list(row) for row in rows], "total": list(total)}


def sums(rows: Sequence[tuple[str, str]]) -> Block:
    """A framed box of sums; the last one is what counts."""
    return {"kind": "sums", "rows": [list(row) for row in rows]}


def group(*blocks: Block) -> Block:
    """Blocks that stay on one page where they fit."""
    return {"kind": "group", "blocks": list(blocks)}
