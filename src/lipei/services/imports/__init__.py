"""Importing files: closed claims of another system, policies, staff. Row by row, repeatable, nothing lost.

Every row read is imported, unchanged or rejected. What is rejected goes, with the reason beside it, into a file of the
same columns that can be mended and imported again; the same file a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings

from lipei.domain.events import Actor, Refusal
from lipei.domain.imports import KINDS, Layout
from lipei.gateways.tables import NotATable, Sheet, sheets, writer
from lipei.norms import mappings
from lipei.norms.errors import NormError
from lipei.norms.loader import read
from lipei.norms.texts import text
from lipei.services import norms
from lipei.services.imports import claims, policies, staff
from lipei.services.imports.cells import Header, Row, beginning, blank, header_of

BATCH = 2000
REASON = "reason"

Progress = Callable[[int, int], None]
"""Told after every batch: rows read so far, and rows in all (0: not known)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the rows: ``read = imported + unchanged + rejected``. No rejects: no file."""

    read: int = 0
    imported: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects_file: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As `lipei import --json` ends with it; no rejects file is null."""
        return {**asdict(self), "rejects_file": self.rejects_file or None}


IMPORTED, UNCHANGED = "imported", "unchanged"
Fate = str | Refusal
"""What becomes of a row: imported, unchanged, or a refusal."""


class Importer(Protocol):
    """One kind of import: takes rows a batch at a time, all of a batch or none, and says what became of each."""

    def take(self, rows: Sequence[Row]) -> Sequence[Fate]:
        """The fates of the rows, in their order."""


def run(
    *, kind: str, path: Path | str, mapping: Path | str | None = None, dry_run: bool = False,
    rejects_path: Path | str | None = None, now: datetime, actor: Actor, progress: Progress | None = None,
    language: str = "",
) -> Refusal | Report:  # fmt: skip
    """Import a file. ``mapping`` is a layout's file or the name of a shipped one; without it the columns decide.

    ``dry_run`` looks at everything and writes no claim, policy or member of staff, only the file of rejects. A file
    that cannot be used as a whole (no table, wrong columns, a mapping that makes no sense) is refused in one sentence.
    """
    if kind not in KINDS:
        return Refusal("refusal.import_kind", "fields", {"kind": kind})
    path, language = Path(path), language or settings.LANGUAGE_CODE
    if rejects_path is not None and Path(rejects_path).resolve() == path.resolve():
        return Refusal("refusal.import_rejects_same", "fields", {"path": str(path)})
    try:
        layouts = _layouts(kind, mapping)
        sheet, header, first = _found(path, kind, layouts)
        importer = _importer(kind, header, dry_run, now, actor, path)
        return _Run(importer, header, path, rejects_path, language).over(sheet, first, progress)
    except NotATable as error:
        return Refusal(error.code, "fields", error.params)
    except NormError as error:
        return Refusal(error.code, "fields", error.params)
    except OSError as error:
        return Refusal(
            "refusal.import_io", "fields", {"path": str(error.filename or path), "error": error.strerror or ""}
        )


def _layouts(kind: str, mapping: Path | str | None) -> Sequence[Layout]:
    """The layouts to try. Raises NormError for a mapping that makes no sense, NotATable for one that is not there."""
    known = mappings.shipped(kind)
    if mapping is None:
        return [layout for _, layout in known]
    named = dict(known).get(str(mapping).removesuffix(".yaml"))
    if named is not None:
        return [named]
    file = Path(mapping)
    if not file.is_file():
        raise NotATable("refusal.import_no_mapping", path=str(mapping), known=", ".join(n for n, _ in known))
    try:
        layout = mappings.parse(read(file.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        raise NotATable("refusal.import_mapping_unreadable", path=str(mapping)) from None
    if layout.kind != kind:
        raise NormError("norm_error.mapping_kind", kind=layout.kind)
    return [layout]


def _found(path: Path, kind: str, layouts: Sequence[Layout]) -> tuple[Sheet, Header, list[Sequence[Any]]]:
    """The sheet that fits, its header, and the rows already read after it.

    Of several layouts the one that fits best is taken. Raises NotATable naming what is missing.
    """
    lacking: list[str] = []
    columns: tuple[str, ...] = ()
    for sheet in sheets(path, encoding=next((one.encoding for one in layouts if one.encoding), "")):
        rows = beginning(sheet)
        for place, row in enumerate(rows):
            tried = [header_of(row, layout, mappings.NEEDED[kind]) for layout in layouts]
            good = [header for header in tried if isinstance(header, Header)]
            if good:
                return sheet, max(good, key=_fit), rows[place + 1 :]
            if not columns and not blank(row):
                columns = tuple(str(c) for c in row if c is not None and str(c).strip())
                lacking = min((one for one in tried if isinstance(one, list)), key=len)
    if not columns:
        raise NotATable("refusal.import_empty", path=path.name)
    raise NotATable("refusal.import_columns", missing=", ".join(lacking), found=", ".join(columns[:12])[:300])


def _fit(header: Header) -> int:
    """How well a layout fits: the columns it finds, less those it looks for in vain."""
    fields = (*header.fields.values(), *header.facts.values())
    return sum(1 if field.places else -1 for field in fields if field.source.fixed is None)


def _importer(kind: str, header: Header, dry_run: bool, now: datetime, actor: Actor, path: Path) -> Importer:
    rulebook = norms.current()
    if kind == "claims":
        return claims.Claims(rulebook, dry_run, now, actor)
    if kind == "policies":
        return policies.Policies(rulebook, dry_run, now, header, actor, path)
    return staff.StaffRows(rulebook, dry_run, now, actor)


class _Run:
    """One pass over a file: counts, and the file of rejects, which is begun with the first of them."""

    def __init__(
        self, importer: Importer, header: Header, path: Path, rejects_path: Path | str | None, language: str
    ) -> None:
        self._importer, self._header, self._language = importer, header, language
        self._path, self._rejects_path = path, rejects_path
        self._counts = {IMPORTED: 0, UNCHANGED: 0, "rejected": 0}

    def over(self, sheet: Sheet, first: list[Sequence[Any]], progress: Progress | None) -> Report:
        rows = (row for row in chain(first, sheet.rows) if not blank(row))
        rejected = self._rejected(rows, sheet, progress)
        earliest = next(rejected, None)
        if earliest is None:
            return self._report()
        target = self._target(sheet)
        with writer(target) as file:
            columns = [c for n, c in enumerate(self._header.columns) if n != self._reason_place]
            file.row([*columns, REASON])
            for cells, refusal in chain([earliest], rejected):
                padded = [*cells, *([None] * (len(self._header.columns) - len(cells)))][: len(self._header.columns)]
                kept = [c for n, c in enumerate(padded) if n != self._reason_place]
                file.row([*kept, self._reason(refusal)])
        return self._report(str(target))

    def _reason(self, refusal: Refusal) -> str:
        """Why a row is rejected, with the column that it is about."""
        words, column = text(refusal.code, self._language, **refusal.params), refusal.params.get("column", "")
        if not column or f"“{column}”" in words or f"「{column}」" in words:
            return words
        return text("imports.in_column", self._language, column=column, words=words)

    def _report(self, rejects_file: str = "") -> Report:
        counts = self._counts
        return Report(self._read, counts[IMPORTED], counts[UNCHANGED], counts["rejected"], rejects_file)

    def _rejected(
        self, rows: Iterator[Sequence[Any]], sheet: Sheet, progress: Progress | None
    ) -> Iterator[tuple[Sequence[Any], Refusal]]:
        """Take all rows, batch by batch; what comes back are those rejected, with their reasons."""
        while batch := list(islice(rows, BATCH)):
            fates = self._importer.take([Row(self._header, cells) for cells in batch])
            for cells, fate in zip(batch, fates, strict=True):
                if isinstance(fate, Refusal):
                    self._counts["rejected"] += 1
                    yield cells, fate
                else:
                    self._counts[fate] += 1
            if progress is not None:
                progress(self._read, max(sheet.total - 1, 0))

    @property
    def _read(self) -> int:
        return sum(self._counts.values())

    @property
    def _reason_place(self) -> int:
        """Where a mended file of rejects still has our own column: it is not carried along twice."""
        return self._header.named.get(REASON, -1)

    def _target(self, sheet: Sheet) -> Path:
        """The file of rejects: as said, else in the working folder, never one that is already there."""
        if self._rejects_path is not None:
            return Path(self._rejects_path)
        ending = ".xlsx" if sheet.kept_as == "workbook" else ".csv"
        stem = self._path.stem.partition(".rejected")[0]
        names = chain([f"{stem}.rejected{ending}"], (f"{stem}.rejected-{n}{ending}" for n in range(2, 10_000)))
        return next(one for name in names if not (one := Path.cwd() / name).exists())
