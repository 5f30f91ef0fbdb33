"""Layouts of files to import, read from their documents (shipped in ``defaults/mappings``, or one's own)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lipei.domain import imports, money
from lipei.domain.imports import Layout, Source
from lipei.norms.errors import NormError
from lipei.norms.lines import known_keys
from lipei.norms.settings import zone_of

FOLDER = Path(__file__).parent / "defaults" / "mappings"

FIELDS: Mapping[str, tuple[str, ...]] = {
    "claims": (
        "number", "external_number", "line", "loss_kind", "outcome", "currency", "reported_at", "loss_at", "closed_at",
        "claimed", "paid", "policy_number", "region", "place", "language", "name", "phone",
    ),
    "policies": (
        "number", "product", "terms_version", "currency", "status", "starts_at", "ends_at", "ended_at", "region",
        "language", "holder_name", "insured_name", "phone", "email", "id_number", "account_name", "account_number",
        "account_bank", "plate", "object_kind", "object", "object_description",
    ),
    "staff": (
        "code", "name", "roles", "unit", "skills", "regions", "languages", "phone", "email", "language", "active",
    ),
}  # fmt: skip
NEEDED: Mapping[str, tuple[str, ...]] = {
    "claims": ("number", "line", "outcome", "reported_at"),
    "policies": ("number", "product", "starts_at", "ends_at"),
    "staff": ("code", "name", "roles"),
}
_SOURCE_KEYS = {"column", "otherwise", "values", "missing", "prefix", "fixed"}


def parse(document: Mapping[str, Any]) -> Layout:
    """The layout of a mapping document. Raises NormError with the place that makes no sense."""
    known_keys(
        "mapping", document, required={"version", "kind", "fields"},
        optional={"source", "zone", "currency", "language", "empty", "facts", "date_formats", "encoding"},
    )  # fmt: skip
    kind = document["kind"]
    if kind not in imports.KINDS:
        raise NormError("norm_error.mapping_kind", kind=str(kind))
    fields = {name: _source(f"fields.{name}", row) for name, row in _table("fields", document["fields"]).items()}
    unknown = sorted(set(fields) - set(FIELDS[kind]))
    lacking = [name for name in NEEDED[kind] if name not in fields]
    if unknown or lacking:
        raise NormError("norm_error.mapping_field", field=(unknown or lacking)[0], kind=kind)
    currency = str(document.get("currency") or "")
    if currency and currency not in money.EXPONENTS:
        raise NormError("norm_error.mapping_value", place="currency", value=currency)
    return Layout(
        kind=kind,
        fields=fields,
        facts={
            name: _source(f"facts.{name}", row) for name, row in _table("facts", document.get("facts") or {}).items()
        },
        zone=zone_of("mapping.zone", document.get("zone", "UTC")),
        currency=currency,
        language=str(document.get("language") or ""),
        empty=frozenset({"", *_words("empty", document.get("empty", []))}),
        date_formats=tuple(_words("date_formats", document.get("date_formats", []))),
        encoding=_encoding(str(document.get("encoding") or "")),
    )


def _encoding(name: str) -> str:
    try:
        "".encode(name or "utf-8")
    except LookupError:
        raise NormError("norm_error.mapping_value", place="encoding", value=name) from None
    return name


def _table(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise NormError("norm_error.mapping_value", place=place, value=str(value))
    return value


def _source(place: str, row: Any) -> Source:
    """A column's name, several names of it, or the long form."""
    if isinstance(row, str | list):
        return Source(columns=tuple(_words(place, row)))
    known_keys(f"mapping.{place}", _table(place, row), required=set(), optional=_SOURCE_KEYS)
    if ("column" in row) == ("fixed" in row):
        raise NormError("norm_error.mapping_source", place=place)
    translated = row.get("values") or {}
    if not isinstance(translated, dict):
        raise NormError("norm_error.mapping_value", place=place, value=str(translated))
    # YAML reads yes and no as true and false, and so do some spreadsheets: as words they are the same.
    values = {str(word).strip().casefold(): str(meaning) for word, meaning in translated.items()}
    return Source(
        columns=tuple(_words(place, row.get("column", []))),
        otherwise=tuple(_words(place, row.get("otherwise", []))),
        values=values,
        missing=None if row.get("missing") is None else str(row["missing"]),
        prefix=str(row.get("prefix") or ""),
        fixed=None if row.get("fixed") is None else str(row["fixed"]),
    )


def _words(place: str, value: Any) -> list[str]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise NormError("norm_error.mapping_value", place=place, value=str(value))
    return words


@cache
def shipped(kind: str) -> tuple[tuple[str, Layout], ...]:
    """The layouts that come with the product for one kind of file, by name; our own columns first."""
    from lipei.norms.loader import read

    found = [(path.stem, parse(read(path.read_text(encoding="utf-8")))) for path in sorted(FOLDER.glob("*.yaml"))]
    return tuple(sorted(((n, one) for n, one in found if one.kind == kind), key=lambda row: (row[0] != kind, row[0])))
