"""Parquet, read batch by batch. The library is loaded with this module alone: nothing else needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as files

from lipei.gateways.tables.sheet import NotATable, Sheet

BATCH_ROWS = 5000
_FINEST = "us"
"""As fine as times are kept here; what is finer (nanoseconds) is cut."""
_FAILURES = (arrow.ArrowException, OSError, ValueError, OverflowError, NotImplementedError)


def sheet(path: Path) -> Sheet:
    """The table of a file. Raises NotATable for what is damaged or encrypted, at once or when it is read."""
    try:
        file = files.ParquetFile(path)
    except _FAILURES as error:
        locked = "ncrypt" in str(error)
        raise NotATable(
            "refusal.import_encrypted" if locked else "refusal.import_not_a_table", path=path.name
        ) from error
    return Sheet(path.name, "parquet", _rows(path, file), file.metadata.num_rows + 1)


def _rows(path: Path, file: Any) -> Iterator[Sequence[Any]]:
    yield file.schema_arrow.names
    done = 1
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield from zip(*(_cells(column) for column in batch.columns), strict=True)
            done += batch.num_rows
    except _FAILURES as error:
        raise NotATable("refusal.import_breaks_off", path=path.name, row=done + 1) from error


def _cells(column: Any) -> list[Any]:
    """The values of a column as Python has them: texts where the file kept bytes, times without their nanoseconds."""
    kind = column.type
    if arrow.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if arrow.types.is_timestamp(kind):
        # A zone that this machine does not know does no harm: the instant stands in UTC.
        unit, zone = _FINEST if kind.unit == "ns" else kind.unit, "UTC" if kind.tz else None
        column = column.cast(arrow.timestamp(unit, zone), safe=False)
    elif arrow.types.is_time64(kind):
        column = column.cast(arrow.time64(_FINEST), safe=False)
    elif arrow.types.is_duration(kind) and kind.unit == "ns":
        column = column.cast(arrow.duration(_FINEST), safe=False)
    try:
        values = column.to_pylist()
    except _FAILURES:
        values = [_one(value) for value in column]
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]


def _one(value: Any) -> Any:
    """One value; what Python has no room for (the year 300000) as the text of how it is kept: nobody takes it for a date."""
    try:
        return value.as_py()
    except _FAILURES:
        return f"{value.type}: {value.value}"
