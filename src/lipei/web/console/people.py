"""Staff, absences and lent authority."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lipei.domain.authority import KINDS
from lipei.domain.commands import said
from lipei.domain.events import Actor, Refusal, wrong
from lipei.domain.permissions import ROLES
from lipei.norms.texts import text, texts
from lipei.reads import colleagues
from lipei.reads import people as reads_people
from lipei.services import people, personnel, sessions, staffing
from lipei.web import forms
from lipei.web.console import choices
from lipei.web.console.shell import book, complain, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.forms import Offers
from lipei.web.templatetags.lipei import language


@dataclass(frozen=True, slots=True)
class AddAbsence:
    """Somebody will be away; their open claims may go to colleagues at once."""

    staff: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reason: str = said(length_max=40)
    reassign: bool = said(False)


@dataclass(frozen=True, slots=True)
class Lend:
    """Authority is lent until a day; no kinds named means all."""

    taker: int | None = None
    kinds: tuple[str, ...] = said((), choices=KINDS)
    starts_at: datetime | None = None
    ends_at: datetime | None = None


KEY = "form_key"
SENT, SENT_MAX = "sent", 20
"""Of the session: the keys of the forms that were done last."""


def filled(
    request: HttpRequest, cls: type, offers: Offers, do: Callable[[Any], Any], start: Any = None
) -> tuple[dict[str, Any], Any, int]:
    """A small form: drawn, or read and done. Answers what the template draws, the outcome (None: not done), the status.

    A form that was done before (a double click) is not done again: its outcome is empty then.
    """
    key = request.POST.get(KEY, "")[:60] or secrets.token_urlsafe(12)
    if request.method == "GET":
        return {"fields": forms.draw(cls, forms.typed_of(start or cls()), offers), "form_key": key}, None, 200
    sent = request.session.get(SENT, [])
    if key in sent:
        return {}, (), 200
    typed = forms.posted(request.POST)
    command, errors = forms.read(cls, typed, offers)
    outcome = do(command) if not errors else None
    refusal = outcome if isinstance(outcome, Refusal) else None
    if not errors and refusal is None:
        request.session[SENT] = [*sent, key][-SENT_MAX:]
        return {}, outcome, 200
    errors = errors or dict(refusal.fields if refusal else {})
    drawn = forms.draw(cls, typed, offers, errors)
    status = status_of(refusal) if refusal else 422
    said = sentence(refusal) if refusal else ""
    return {"fields": drawn, "form_key": key, "refusal": said, "has_errors": bool(errors)}, None, status


# --- staff ----------------------------------------------------------------------------------------------------------


@require_GET
def staff(request: HttpRequest) -> HttpResponse:
    """Everybody who works or worked here."""
    return show(request, "staff", "staff", rows=colleagues.listed(now=now(), active_only=False))


def _staff_offers(request: HttpRequest) -> Offers:
    skills = tuple(dict.fromkeys((*(skill for skill, _ in book(request).assignment.skills), "fast_lane")))
    options: Mapping[str, forms.Options] = {
        "roles": tuple((r, f"role.{r}") for r in ROLES),
        "languages": choices.LANGUAGES[1:],
        "skills": tuple((s, _skill(s)) for s in skills),
    }
    return Offers(options=options, labels={"roles": "console.staff.roles"})


def _skill(code: str) -> str:
    """The words for a skill: its own, or those of the line it stands for."""
    return next((key for key in (f"skill.{code}", f"line.{code}") if key in texts()), code)


@require_http_methods(["GET", "POST"])
def staff_new(request: HttpRequest) -> HttpResponse:
    """Add a member of staff."""
    return _staff_form(request, None, None)


@require_http_methods(["GET", "POST"])
def staff_edit(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Change a member of staff: roles, skills, sign-in."""
    start = staffing.on_record(staff_id)
    if start is None:
        raise Http404
    return _staff_form(request, staff_id, start)


def _staff_form(request: HttpRequest, staff_id: int | None, start: Any) -> HttpResponse:
    def do(command: Any) -> Any:
        return staffing.save(command, staff_id=staff_id, actor=who(request), now=now())

    context, outcome, status = filled(request, staffing.SaveStaff, _staff_offers(request), do, start)
    if outcome is not None:
        say(request, "console.saved")
        return redirect("console:staff")
    title = "console.staff.edit" if staff_id is not None else "console.staff.new"
    beside = _beside(request, staff_id) if staff_id is not None else {}
    return show(request, "form", "staff", status=status, title=title, back="staff", **beside, **context)


def _beside(request: HttpRequest, staff_id: int) -> dict[str, Any]:
    """Where somebody is signed in, what was ended of it, and what was changed about them, each with who did it."""
    ended, changes = sessions.ended(staff_id), personnel.history(staff_id)
    return {
        "person": staff_id, "sessions": sessions.of(staff_id), "sessions_ended": ended,
        "changes": [_in_words(change) for change in changes],
        "staff_names": reads_people.names(reads_people.staff_ids([*(e.by for e in ended), *(c.by for c in changes)])),
    }  # fmt: skip


def _in_words(change: personnel.Change) -> dict[str, Any]:
    values = [
        {"label": _label(name), "before": _value(name, before), "after": _value(name, after)}
        for name, (before, after) in change.values.items()
    ]
    others = dict.fromkeys(_label(name) for name in change.besides)
    return {
        "at": change.at,
        "by": change.by,
        "new": change.new,
        "values": values,
        "besides": text("common.list_separator", language()).join(others),
    }


def _label(name: str) -> str:
    known = {"roles": "console.staff.roles", "user_id": "field.username"}
    return text(known.get(name, f"field.{name}"), language())


def _value(name: str, value: Any) -> str:
    """A field of a member of staff for people; nothing where it was empty."""
    if isinstance(value, bool):
        return text("common.yes" if value else "common.no", language())
    if not isinstance(value, tuple):
        return str(value or "")
    spoken = {**dict(choices.LANGUAGES), **{role: text(f"role.{role}", language()) for role in ROLES}}
    words = [_said(one) if name == "skills" else spoken.get(one, one) for one in value]
    return text("common.list_separator", language()).join(map(str, words))


def _said(skill: str) -> str:
    key = _skill(skill)
    return text(key, language()) if key in texts() else key


@require_POST
def session_end(request: HttpRequest, staff_id: int, session_id: int) -> HttpResponse:
    """End one session of a member of staff."""
    outcome = sessions.end(session_id, staff_id=staff_id, actor=who(request), now=now())
    if outcome is not None:
        complain(request, outcome)
    else:
        say(request, "accounts.sessions.ended")
    return redirect("console:staff-edit", staff_id=staff_id)


# --- absences -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def absences(request: HttpRequest) -> HttpResponse:
    """Who is away and will be, and a form to add to it."""
    actor = who(request)
    unit = "" if "manager" in actor.roles else actor.unit
    own = colleagues.listed(now=now(), unit=unit)
    offers = Offers(options={"staff": (choices.EMPTY, *((str(c.id), c.name) for c in own))})
    context, outcome, status = filled(request, AddAbsence, offers, lambda c: _away(c, actor))
    if outcome is not None:
        say(request, "console.absence.saved", n=len(outcome)) if outcome else say(request, "console.saved")
        return redirect("console:absences")
    rows = colleagues.absences(now=now(), unit=unit)
    return show(request, "absences", "absences", status=status, rows=rows, **context)


@require_POST
def absence_end(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Somebody is back."""
    return _ended(request, staffing.back(absence_id, actor=who(request), now=now()), "absences")


def _away(command: AddAbsence, actor: Actor) -> Any:
    starts_at, ends_at = command.starts_at, command.ends_at
    if starts_at is None or ends_at is None:
        return wrong(**{n: "refusal.required" for n in ("starts_at", "ends_at") if getattr(command, n) is None})
    return people.away(
        staff_id=command.staff or 0,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=command.reason,
        reassign=command.reassign,
        actor=actor,
        now=now(),
    )


# --- delegations ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def delegations(request: HttpRequest) -> HttpResponse:
    """The authority one has lent (a manager sees all), and a form to lend it."""
    actor = who(request)
    others = tuple((str(c.id), c.name) for c in colleagues.listed(now=now()) if c.id != actor.staff_id)
    kinds = tuple((k, f"authority.{k}") for k in KINDS)
    offers = Offers(options={"taker": (choices.EMPTY, *others), "kinds": kinds})
    context, outcome, status = filled(request, Lend, offers, lambda c: _lend(c, actor))
    if outcome is not None:
        say(request, "console.saved")
        return redirect("console:delegations")
    rows = colleagues.delegations(now=now(), giver=None if "manager" in actor.roles else actor.staff_id)
    return show(request, "delegations", "delegations", status=status, rows=rows, **context)


@require_POST
def delegation_end(request: HttpRequest, delegation_id: int) -> HttpResponse:
    """Authority is taken back."""
    return _ended(request, people.take_back(delegation_id=delegation_id, actor=who(request), now=now()), "delegations")


def _lend(command: Lend, actor: Actor) -> Any:
    if command.ends_at is None:
        return wrong(ends_at="refusal.required")
    at = now()
    return people.lend(
        giver_id=actor.staff_id or 0,
        taker_id=command.taker or 0,
        kinds=command.kinds,
        starts_at=command.starts_at or at,
        ends_at=command.ends_at,
        actor=actor,
        now=at,
    )


def _ended(request: HttpRequest, outcome: Refusal | None, page: str) -> HttpResponse:
    if outcome is not None:
        if outcome.kind == "missing":
            raise Http404
        complain(request, outcome)
    else:
        say(request, "console.saved")
    return redirect(f"console:{page}")
