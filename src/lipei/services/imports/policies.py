"""Policies as another system holds them: enough to find one, to see whether it was in force, and to settle by it.

Personal data is encrypted; phone, identity number and plate can be looked up by their blind indexes. A policy that is
here already takes over what the file says where it says something else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from lipei.domain import accounts, money
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.policies import STATUSES
from lipei.domain.registers import PolicyRegister
from lipei.domain.rulebook import Rulebook
from lipei.domain.settlement.terms import Cover, FactSpec
from lipei.services import registers
from lipei.services.imports.cells import Header, Row, Wrong, as_text
from lipei.store import crypto, models, policy_digests, policy_tokens
from lipei.store.aggregates import normal

PLAIN = ("region", "language", "holder_name", "insured_name", "phone", "email", "id_number", "account_name",
         "account_number", "account_bank")  # fmt: skip
COUNT_DIGITS_MAX = 9
IMPORTED = "policies.imported"
_YES = frozenset({"1", "x", "y", "yes", "true", "是", "√"})
_NO = frozenset({"0", "n", "no", "false", "否"})


class Policies:
    """Takes rows of policies, a batch in one transaction."""

    def __init__(
        self, rulebook: Rulebook, dry_run: bool, now: datetime, header: Header, actor: Actor, path: Path
    ) -> None:
        self._rulebook, self._dry_run, self._today = rulebook, dry_run, rulebook.settings.day(now)
        self._now, self._actor, self._path, self._file_digest = now, actor, path, ""
        self._seen: dict[str, Mapping[str, Any]] = {}
        used = {place for f in header.fields.values() for place in f.places}
        self._covers = {place: name for name, place in header.named.items() if place not in used}

    def take(self, rows: Sequence[Row]) -> Sequence[str | Refusal]:
        """What became of each row."""
        read = [self._read(row) for row in rows]
        numbers = [values["number"] for values in read if not isinstance(values, Refusal)]
        fates: list[str | Refusal] = []
        with transaction.atomic():
            if not self._dry_run:
                registers.begin(PolicyRegister, now=self._now)
            here = {row.number: row for row in models.Policy.objects.filter(number__in=numbers)}
            known = set(here)
            for values in read:
                fates.append(values if isinstance(values, Refusal) else self._put(values, here))
            kept = (
                v["number"] for v, fate in zip(read, fates, strict=True) if fate == "imported" and isinstance(v, dict)
            )
            written = [] if self._dry_run else [here[number] for number in dict.fromkeys(kept)]
            if written:
                policy_tokens.write(written, models.PolicyToken)
                self._record(written, known, fates)
        return fates

    def _record(self, written: Sequence[Any], known: Collection[str], fates: Sequence[str | Refusal]) -> None:
        """Say in the register who brought these policies, from which file, and what became of its rows of this batch."""
        self._file_digest = self._file_digest or _digest_of(self._path)
        new = sum(row.number not in known for row in written)
        facts = {
            "by": self._actor.name,
            "file": self._path.name,
            "digest": self._file_digest,
            "read": len(fates),
            "new": new,
            "changed": fates.count("imported") - new,
            "unchanged": fates.count("unchanged"),
            "rejected": sum(isinstance(fate, Refusal) for fate in fates),
            "rows": policy_digests.named(written),
        }
        registers.append(PolicyRegister, Event(IMPORTED, 0, facts), actor=self._actor, now=self._now)

    def _put(self, values: Mapping[str, Any], here: dict[str, Any]) -> str:
        number = values["number"]
        before = self._seen.get(number) if self._dry_run else None
        row = here.get(number)
        if before is None and row is not None:
            before = {name: getattr(row, name) for name in values}
        if before == values:
            return "unchanged"
        self._seen[number] = values
        if not self._dry_run:
            row = row or models.Policy(number=number)
            for name, value in values.items():
                setattr(row, name, value)
            row.save()
            here[number] = row
        return "imported"

    def _read(self, row: Row) -> dict[str, Any] | Refusal:
        try:
            return self._values(row)
        except Wrong as wrong:
            return wrong.refusal

    def _values(self, row: Row) -> dict[str, Any]:
        values: dict[str, Any] = {name: row.text(name, length_max=120) for name in PLAIN}
        values |= {"number": row.text("number", needed=True, length_max=40), **self._period(row)}
        values["language"] = values["language"] or self._rulebook.settings.language_default
        values["insured_name"] = values["insured_name"] or values["holder_name"]
        values |= self._terms(row, values["starts_at"])
        self._check(row, values)
        plate = row.text("plate", length_max=20)
        values["insured_objects"] = json.dumps(_objects(row, plate), ensure_ascii=False)
        values["schedule"] = self._schedule(row, values["product"], values["currency"], values["terms_version"])
        values["phone_index"] = crypto.blind_index("phone", normal(values["phone"]))
        values["id_number_index"] = crypto.blind_index("id_number", normal(values["id_number"]))
        values["plate_index"] = crypto.blind_index("plate", normal(plate))
        return values

    def _period(self, row: Row) -> dict[str, Any]:
        status = row.text("status") or "active"
        if status not in STATUSES:
            raise Wrong("refusal.import_word_unknown", column=row.label("status"), value=status)
        starts_at, ends_at = row.at("starts_at", needed=True), row.end("ends_at", needed=True)
        ended_at = row.end("ended_at") if "ended_at" in row.header.fields else None
        assert starts_at is not None and ends_at is not None
        if ends_at <= starts_at:
            raise Wrong("refusal.import_period")
        if status in ("cancelled", "lapsed") and ended_at is None:
            raise Wrong("refusal.import_missing", column=row.label("ended_at"))
        return {"status": status, "starts_at": starts_at, "ends_at": ends_at, "ended_at": ended_at}

    def _terms(self, row: Row, starts_at: datetime) -> dict[str, Any]:
        product = row.text("product", needed=True, length_max=40)
        latest = self._rulebook.products.latest(product)
        if latest is None:
            raise Wrong("refusal.import_word_unknown", column=row.label("product"), value=product[:80])
        named = row.text("terms_version")
        terms = self._rulebook.products.on(product, self._rulebook.settings.day(starts_at)) or latest
        if named:
            if not _is_count(named) or self._rulebook.products.version(product, int(named)) is None:
                raise Wrong("refusal.import_word_unknown", column=row.label("terms_version"), value=named[:80])
            terms = self._rulebook.products.version(product, int(named)) or latest
        currency = row.text("currency").upper() or terms.currency
        if currency not in money.EXPONENTS:
            raise Wrong("refusal.import_word_unknown", column=row.label("currency"), value=currency)
        return {"product": product, "terms_version": terms.version, "currency": currency}

    def _check(self, row: Row, values: Mapping[str, Any]) -> None:
        """Numbers that cannot be what they are said to be."""
        codes: dict[str, str | None] = {}
        if values["phone"]:
            codes["phone"] = accounts.check_phone(number=values["phone"], region=self._rulebook.settings.region)
        if values["id_number"] and len(values["id_number"]) == 18:
            company = accounts.check_uscc(number=values["id_number"]) is None
            if not company:
                codes["id_number"] = accounts.check_resident_id(number=values["id_number"], today=self._today)
        if values["account_number"]:
            kind = accounts.account_kind(number=values["account_number"])
            codes["account_number"] = accounts.check_account(number=values["account_number"], kind=kind)
        for name, code in codes.items():
            if code:
                raise Wrong(code, column=row.label(name))

    def _schedule(self, row: Row, product: str, currency: str, version: int) -> dict[str, dict[str, Any]]:
        """What was bought: columns ``cover`` and ``cover.figure``. Other columns are left alone."""
        terms = self._rulebook.products.version(product, version)
        assert terms is not None
        schedule: dict[str, dict[str, Any]] = {}
        for place, name in self._covers.items():
            cover, _, figure = name.partition(".")
            if cover not in terms.covers or (cell := row.cell(place)) is None:
                continue
            if figure:
                key, value = self._figure(row, terms.covers[cover], name, figure, cell, currency)
                schedule.setdefault(cover, {})[key] = value
            elif _bought(name, cell):
                schedule.setdefault(cover, {})
        if not schedule:
            raise Wrong("refusal.import_no_cover", product=product)
        for cover, figures in schedule.items():
            _complete(terms.covers[cover], figures)
        return schedule

    def _figure(self, row: Row, cover: Cover, label: str, figure: str, cell: Any, currency: str) -> tuple[str, Any]:
        for key in (figure, f"{figure}_minor"):
            spec = cover.schedule.get(key)
            if spec is not None:
                return key, self._value(row, spec, label, cell, currency)
        raise Wrong("refusal.import_figure_unknown", column=label, known=", ".join(cover.schedule) or "-")

    def _value(self, row: Row, spec: FactSpec, label: str, cell: Any, currency: str) -> Any:
        if spec.type == "money":
            return row.amount(cell, currency, label)
        if spec.type == "percent":
            if isinstance(cell, float) and 0 < cell < 1:
                cell = f"{cell * 100:g}"  # what a spreadsheet makes of 5 %
            try:
                money.rate_ppm(as_text(cell))
            except money.MoneyError:
                raise Wrong("refusal.import_amount", column=label, value=as_text(cell)[:40]) from None
            return f"{as_text(cell).removesuffix('%').strip()}%"
        if spec.type == "yes_no":
            return _bought(label, cell)
        text = as_text(cell)
        if spec.type == "count" and not _is_count(text):
            raise Wrong("refusal.import_amount", column=label, value=text[:40])
        return int(text) if spec.type == "count" else text


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_count(word: str) -> bool:
    return word.isdecimal() and len(word) <= COUNT_DIGITS_MAX


def _bought(label: str, cell: Any) -> bool:
    word = as_text(cell).casefold()
    if word not in _YES | _NO:
        raise Wrong("refusal.import_word_unknown", column=label, value=word[:40])
    return word in _YES


def _complete(cover: Cover, figures: Mapping[str, Any]) -> None:
    """A cover without a figure that its terms need could never be settled."""
    lacking = [n for n, spec in cover.schedule.items() if spec.required and spec.default is None and n not in figures]
    if lacking:
        raise Wrong("refusal.import_missing", column=f"{cover.code}.{lacking[0].removesuffix('_minor')}")


def _objects(row: Row, plate: str) -> list[dict[str, str]]:
    description = row.text("object_description")
    if plate:
        return [{"kind": "vehicle", "identifier": plate, "description": description}]
    identifier = row.text("object")
    kind = row.text("object_kind") or "other"
    return [{"kind": kind, "identifier": identifier, "description": description}] if identifier else []
