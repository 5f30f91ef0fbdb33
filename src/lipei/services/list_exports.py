"""A list as a workbook: what the page shows, as filtered, in its order, names always masked (norm part 4).

Rows are read a page at a time and written as they come; a file never has more than so many. Whoever needs names in full
asks for them claim by claim, where each look is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lipei.gateways.tables import writer
from lipei.reads.worklist import Listed

ROWS_MAX = 10_000


def pages(ask: Callable[[str], Listed]) -> Iterator[Listed]:
    """A list page by page, as far as an export goes. ``ask``: the page of a cursor, the first for an empty one."""
    cursor, seen = "", 0
    while True:
        page = ask(cursor)
        yield page
        seen += len(page.rows)
        cursor = page.next_cursor
        if not cursor or seen >= ROWS_MAX:
            return


def write(path: Path, *, labels: Sequence[str], rows: Iterable[Sequence[Any]], more: str) -> int:
    """Write a workbook of these rows; answers with how many. ``more`` is the last line where rows had to be left out."""
    count = 0
    with writer(path) as file:
        file.head(labels)
        for row in rows:
            if count == ROWS_MAX:
                file.row([more])
                break
            file.row(row)
            count += 1
    return count
