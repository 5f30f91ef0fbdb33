"""The public claims of an airport authority, which lie beside the checkout on some machines and are never part of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "tsa"
NAMES = ("claims-2007-2009.xls", "claims-2010-2013.xls", "claims-2014.xls")


def files(folder: str = "") -> list[Path]:
    """The files, oldest first; none where they are not there."""
    place = Path(folder) if folder else BESIDE
    return [path for path in (place / name for name in NAMES) if path.is_file()]


def claims(folder: str = "") -> Iterator[Any]:
    """The closed claims as the product's own import reads them, without those it rejects."""
    from lipei.norms import mappings
    from lipei.services import imports, norms
    from lipei.services.imports.cells import Row, Wrong, blank
    from lipei.services.imports.claims import claim_of

    rulebook = norms.current()
    layouts = [layout for _, layout in mappings.shipped("claims")]
    for path in files(folder):
        sheet, header, first = imports._found(path, "claims", layouts)
        for cells in (*first, *sheet.rows):
            if blank(cells):
                continue
            try:
                claim, _ = claim_of(Row(header, cells), rulebook)
            except Wrong:
                continue
            yield claim
