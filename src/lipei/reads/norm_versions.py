"""The versions of a norm table: who changed what, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lipei.norms import loader
from lipei.store import models


@dataclass(frozen=True, slots=True)
class Version:
    """One edit."""

    version: int
    author: str
    reason: str
    at: datetime
    default_digest: str


def history(table: str) -> tuple[Version, ...]:
    """The edits of a table, newest first; the edition that a company began with is none."""
    rows = models.NormVersion.objects.filter(table=table, version__gt=1).order_by("-version")
    return tuple(Version(*row) for row in rows.values_list("version", "author", "reason", "at", "default_digest"))


def document(table: str, version: int) -> str | None:
    """The text of a version; version 1 is the shipped default where none was kept. None where there is no such version."""
    rows = models.NormVersion.objects.filter(table=table, version=version).values_list("document", flat=True)
    return rows.first() or (loader.default_text(table) if version == 1 and table != "products" else None)


def made_from(table: str) -> str:
    """The digest of the shipped edition that the version in force was made from; empty where none is on record."""
    rows = models.NormVersion.objects.filter(table=table).order_by("-version").values_list("default_digest", flat=True)
    return rows.first() or ""


def product_text(name: str) -> str:
    """The terms of a product as text to begin a new version from: ``code-version``; the latest edit or the shipped one."""
    for path in sorted((loader.FOLDER / "products").glob("*.yaml")):
        if path.stem == name:
            return path.read_text(encoding="utf-8")
    code, _, number = name.rpartition("-")
    for text in (
        models.NormVersion.objects.filter(table="products").order_by("-version").values_list("document", flat=True)
    ):
        said = loader.read(text)
        if str(said.get("code")) == code and str(said.get("version")) == number:
            return str(text)
    return ""
