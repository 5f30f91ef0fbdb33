"""Staff from a list: code, name, roles, skills. Who may sign in, and how, is another matter (`web/accounts.py`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from lipei.domain import accounts
from lipei.domain.events import Actor, Refusal
from lipei.domain.permissions import ROLES
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import LANGUAGES
from lipei.services import personnel, world
from lipei.services.imports.cells import Row, Wrong
from lipei.store import models

_BETWEEN = re.compile(r"[,;，；、|]")


class StaffRows:
    """Takes rows of staff, a batch in one transaction."""

    def __init__(self, rulebook: Rulebook, dry_run: bool, now: datetime, actor: Actor) -> None:
        self._dry_run, self._now, self._actor = dry_run, now, actor
        self._changed: list[tuple[Any, Mapping[str, Any]]] = []
        self._skills = {skill for skill, _ in rulebook.assignment.skills} | {"fast_lane"}
        self._language, self._region = rulebook.settings.language_default, rulebook.settings.region
        self._seen: dict[str, Mapping[str, Any]] = {}

    def take(self, rows: Sequence[Row]) -> Sequence[str | Refusal]:
        """What became of each row."""
        read = [self._read(row) for row in rows]
        codes = [values["code"] for values in read if not isinstance(values, Refusal)]
        here = {row.code: row for row in models.Staff.objects.filter(code__in=codes)}
        with transaction.atomic():
            self._changed = []
            fates = [v if isinstance(v, Refusal) else self._put(v, here) for v in read]
            personnel.staff_saved(self._changed, actor=self._actor, now=self._now)
        world.forget_staff()
        return fates

    def _put(self, values: Mapping[str, Any], here: dict[str, Any]) -> str:
        code = values["code"]
        before = self._seen.get(code) if self._dry_run else None
        row = here.get(code)
        if before is None and row is not None:
            before = {name: getattr(row, name) for name in values}
        if before == values:
            return "unchanged"
        self._seen[code] = values
        if not self._dry_run:
            row = row or models.Staff(code=code)
            known = personnel.before(row)
            for name, value in values.items():
                setattr(row, name, value)
            row.save()
            self._changed.append((row, known))
            here[code] = row
        return "imported"

    def _read(self, row: Row) -> dict[str, Any] | Refusal:
        try:
            return self._values(row)
        except Wrong as wrong:
            return wrong.refusal

    def _values(self, row: Row) -> dict[str, Any]:
        roles = _several(row, "roles", ROLES)
        if not roles:
            raise Wrong("refusal.import_missing", column=row.label("roles"))
        phone, email = row.text("phone", length_max=40), row.text("email", length_max=120)
        code = accounts.check_phone(number=phone, region=self._region) if phone else None
        if code:
            raise Wrong(code, column=row.label("phone"))
        if email:
            try:
                validate_email(email)
            except ValidationError:
                raise Wrong("refusal.import_word_unknown", column=row.label("email"), value=email) from None
        language = row.text("language") or self._language
        if language not in LANGUAGES:
            raise Wrong("refusal.import_word_unknown", column=row.label("language"), value=language)
        return {
            "code": row.text("code", needed=True, length_max=40),
            "name": row.text("name", needed=True, length_max=80),
            "roles": roles,
            "unit": row.text("unit", length_max=40),
            "skills": _several(row, "skills", self._skills),
            "regions": _several(row, "regions"),
            "languages": _several(row, "languages", LANGUAGES) or (language,),
            "phone": phone,
            "email": email,
            "language": language,
            "active": row.text("active") != "no",
        }


def _several(row: Row, name: str, known: Collection[str] | None = None) -> tuple[str, ...]:
    """The words of a cell that holds several, each once. Raises Wrong for one that is not known."""
    words = tuple(dict.fromkeys(word.strip() for word in _BETWEEN.split(row.text(name)) if word.strip()))
    unknown = next((word for word in words if known is not None and word not in known), None)
    if unknown is not None:
        raise Wrong("refusal.import_word_unknown", column=row.label(name), value=unknown[:80])
    return words
