"""The tables of a page as a workbook: what stands there, as it stands there, masked as it is (norm part 4).

Lists that go on over many pages have an export of their own (`services.list_exports`), which takes all of their rows.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone

from lipei.domain.money import Money
from lipei.gateways.tables import writer
from lipei.norms.money import money_read
from lipei.web.templatetags.lipei import language

ASKED = ("as", "xlsx")
"""The parameter that asks for the workbook of a page, and its value."""

_LEFT_OUT = frozenset({"form", "button", "select", "svg", "script", "style"})
"""What is there to be pressed says nothing about the row."""
_APART = frozenset({"br", "li", "p", "div", "dt", "dd", "span"})


Cell = str | int | Money


@dataclass
class Table:
    """A table of a page: its caption, the labels of its columns, its rows."""

    caption: str = ""
    head: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Gathers the tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Table] = []
        self._row: list[Cell] | None = None
        self._text: list[str] | None = None
        self._cells = self._outside = 0
        self._looked_at: list[str] = []
        """Tags still open of what is there to be looked at alone, as the first letter of a name."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        begins = not self._looked_at and ("aria-hidden", "true") in attrs and tag not in _LEFT_OUT
        if begins or tag in self._looked_at[:1]:
            self._looked_at.append(tag)
        if tag in _LEFT_OUT:
            self._outside += 1
        elif tag == "table":
            self.found.append(Table())
        elif tag == "tr":
            self._row, self._cells = [], 0
        elif tag in ("th", "td", "caption"):
            self._text, self._cells = [], self._cells + (tag == "td")
        elif tag in _APART and self._text is not None:
            self._text.append(" ")

    def handle_data(self, data: str) -> None:
        if self._text is not None and not (self._outside or self._looked_at):
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._looked_at[:1]:
            self._looked_at.pop()
        if tag in _LEFT_OUT:
            self._outside -= 1
        elif tag in ("th", "td", "caption") and self._text is not None and self.found:
            said = " ".join("".join(self._text).split())
            self._text = None
            if tag == "caption":
                self.found[-1].caption = said
            elif self._row is not None:
                self._row.append(_cell(said))
        elif tag == "tr" and self._row is not None and self.found:
            if self._cells:
                self.found[-1].rows.append(self._row)
            elif not self.found[-1].head:
                self.found[-1].head = [str(label) for label in self._row]
            self._row = None


def _cell(said: str) -> Cell:
    """A count as a number and an amount as an amount; everything else as it stands there."""
    if _COUNT.fullmatch(said):
        return int(said.replace(",", ""))
    return money_read(said, language()) or said


_COUNT = re.compile(r"0|[1-9]\d{0,8}|[1-9]\d{0,2}(?:,\d{3}){1,2}", re.ASCII)


def tables(page: str) -> list[Table]:
    """The tables of a page that have rows."""
    reader = _Reader()
    reader.feed(page)
    return [table for table in reader.found if table.rows]


def asked(request: HttpRequest) -> bool:
    """Whether the tables of the page are wanted as a workbook."""
    return request.method == "GET" and request.GET.get(ASKED[0]) == ASKED[1]


def of(page: HttpResponse, name: str) -> HttpResponse:
    """The workbook of a page's tables, one below the other; the page itself where it has none."""
    if page.status_code != 200 or not page.headers.get("Content-Type", "").startswith("text/html"):
        return page
    found = tables(page.content.decode())
    if not found:
        return page
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.xlsx"
        with writer(path) as file:
            for number, table in enumerate(found):
                if number:
                    file.row([])
                    file.row([table.caption])
                (file.row if number else file.head)(table.head)
                for row in table.rows:
                    file.row(row)
        return sent(path, name)


def sent(path: Path, name: str, *, at: datetime | None = None) -> HttpResponse:
    """The answer with a workbook, which may be removed then; its name tells when it was made, by the company's clock."""
    content = path.open("rb")  # stays readable when its name is gone
    return FileResponse(  # type: ignore[return-value]  # to whoever sends it, a response like any other
        content, as_attachment=True, filename=f"{name}-{timezone.localtime(at):%Y%m%d-%H%M}.xlsx"
    )
