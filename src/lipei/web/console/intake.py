"""Taking a report with the customer on the phone (norm 1.3.3, 2.1.1, 2.2.1): the story first, in one piece.

What it says and what is on file is offered to be confirmed, while one types or at the press of a button, and not asked.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from lipei.domain import hints
from lipei.domain.commands import Report
from lipei.domain.events import Refusal
from lipei.norms.promises import told_as
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import claims as reads
from lipei.reads import on_file, prenotices, worklist
from lipei.reads.worklist import Row
from lipei.services import intake, world
from lipei.services import prenotices as prenotice_service
from lipei.web import countries, forms
from lipei.web.console import choices
from lipei.web.console.shell import book, now, show, status_of, who
from lipei.web.errors import by_field, sentence
from lipei.web.forms import Offers, Options
from lipei.web.templatetags.lipei import language, word

WHO = ("phone", "plate", "policy_number", "name")
WHAT = ("loss_at", "place", "line", "loss_kind", "injured", "rescue", "accept_automatic")
MAIN = ("story", *WHO, *WHAT)
NOT_ASKED = ("name", "plate", "policy_number")
"""What a policy on file answers: not asked once it is found, unless somebody has typed it."""
HINTED = frozenset({*MAIN, "deaths", "serious_injuries"})
"""What a story may suggest."""
KEY = "idempotency_key"


PARTIES_NAMED = 8
"""So many of the parties typed in can be named by their place: for whom somebody acts, whose loss it is."""


def _offers(request: HttpRequest, product: str = "") -> Offers:
    table = book(request)
    options = {
        "line": choices.lines(table), "loss_kind": choices.losses(table), "peril": choices.losses(table),
        "cover": choices.covers(table, product), "language": choices.LANGUAGES,
        "incident": choices.incidents(table), "country": countries.options(language(), table.settings.region),
        "parties.acts_for": _named(), "exposures.claimant": _named(),
    }  # fmt: skip
    omit = frozenset({"exposures.facts", "exposures.items", "external_number"})
    if not (product and table.products.end_at_borders(product)):
        omit |= {"country"}  # asked only where the cover of the policy found ends at a border
    return Offers(currency=table.settings.currency, options=options, omit=omit)


def _named() -> Options:
    """The parties of the form by their place in it, as a report counts them."""
    numbers = range(1, PARTIES_NAMED + 1)
    return (choices.EMPTY, *((str(n), text("intake.party", language(), n=n)) for n in numbers))


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Take a report. "Look up" shows what is on file for a phone, plate or policy and keeps what was typed."""
    if request.method == "GET":
        typed = {
            **forms.typed_of(Report()),
            **{k: request.GET.getlist(k) for k in ("phone", "policy_number", "plate") if k in request.GET},
        }
        return _page(request, typed, key=secrets.token_urlsafe(18), on_file=_look_up(request, typed))
    typed = dict(_confirmed(request, forms.posted(request.POST)))
    found = _look_up(request, typed)
    key = request.POST.get(KEY, "")[:60] or secrets.token_urlsafe(18)
    if not {"look_up", "confirm", forms.MORE_ROWS}.isdisjoint(request.POST):
        return _page(request, typed, key=key, on_file=found, part=bool(request.headers.get("HX-Request")))
    command, errors = forms.read(Report, typed, _offers(request))
    if errors:
        errors = forms.all_wrong(
            errors, intake.wrong(forms.partly(Report, typed, _offers(request)), actor=who(request), now=now())
        )
        return _page(request, typed, key=key, on_file=found, errors=errors, status=422)
    outcome = intake.report(command, actor=who(request), now=now(), key=key)
    if isinstance(outcome, Refusal):
        if outcome.code == "refusal.key_reused":  # the form was gone back to, and something in it changed
            key, outcome = secrets.token_urlsafe(18), Refusal("refusal.reported_already", "conflict")
        return _page(
            request, typed, key=key, on_file=found, errors=by_field(outcome), refusal=outcome, status=status_of(outcome)
        )
    number = outcome.case.claim.number
    prenotice_service.take_up([p.id for p in found["prenotices"]], number=number)
    return redirect("console:receipt", number=number)


def _confirmed(request: HttpRequest, typed: forms.Typed) -> forms.Typed:
    """What was typed, with what was just confirmed filled in: a hint or a policy, as ``field=value&field=value``."""
    said = dict(parse_qsl(request.POST.get("confirm", "")[:500]))
    return {**typed, **{name: [value] for name, value in said.items() if name in HINTED}}


def _hints(request: HttpRequest, typed: forms.Typed) -> list[dict[str, Any]]:
    """What the story suggests for the fields that are still empty, each with what it would fill in."""
    known = {name for name in HINTED if (typed.get(name) or [""])[0].strip() not in ("", "0")}
    local = timezone.localtime(now())
    story = (typed.get("story") or [""])[0]
    found = hints.found(story=story, table=book(request).hints, known=known, now=local)
    return [
        {
            "says": _in_words(h),
            "because": h.because,
            "tells_more": h.because not in h.says.values(),
            "fill": urlencode(dict(h.says)),
        }
        for h in found
    ]


def _in_words(hint: hints.Hint) -> list[tuple[str, str]]:
    """Label and value of each field that a hint fills in, in words."""
    prefixes = {"line": "line", "loss_kind": "loss"}
    return [
        (
            text(f"field.{name}", language()),
            word(prefixes[name], value) if name in prefixes
            else text("common.yes", language()) if value == "yes"
            else value.replace("T", " ") if name == "loss_at"
            else value,
        )
        for name, value in hint.says.items()
    ]  # fmt: skip


def _look_up(request: HttpRequest, typed: forms.Typed) -> dict[str, Any]:
    """The policy that would be found, masked, others that may be meant, and the pre-notices about it."""
    said: dict[str, Any] = {
        name: (typed.get(name) or [""])[0].strip() for name in ("phone", "policy_number", "plate", "line")
    }
    name = (typed.get("name") or [""])[0]
    at, table = now(), book(request)
    row = world.find_policy(Report(**said), at) if any(said[n] for n in ("phone", "policy_number", "plate")) else None
    notices = prenotices.about(
        policy_id=row.id if row else None, phone=said["phone"], now=at, show_days=table.settings.pre_notice_show_days,
        language=language(),
    )  # fmt: skip
    policy = on_file.shown(row, at) if row else None
    others = () if policy else on_file.matching(
        phone=said["phone"], plate=said["plate"], number=said["policy_number"], name=name, viewer=who(request), at=at
    )  # fmt: skip
    asked = bool(name.strip() or any(said[n] for n in ("phone", "policy_number", "plate")))
    return {"policy": policy, "others": others, "prenotices": notices, "asked": asked}


def _page(
    request: HttpRequest, typed: forms.Typed, *, key: str, on_file: dict[str, Any], status: int = 200,
    errors: Mapping[str, str] = forms.NO_ERRORS, refusal: Refusal | None = None, part: bool = False,
) -> HttpResponse:  # fmt: skip
    policy = on_file["policy"]
    empty = {name for name in NOT_ASKED if not (typed.get(name) or [""])[0].strip()}
    found: dict[str, Any] = {
        "on_file": on_file,
        "hints": _hints(request, typed),
        "not_asked": empty if policy else set(),
        "line": known.line if policy and (known := book(request).lines.products.get(policy.product)) else "",
    }
    if part:
        return show(request, "found", "report", **found)
    drawn = forms.draw(Report, typed, _offers(request, policy.product if policy else ""), errors)
    by_name = {f.name: f for f in drawn}
    return show(
        request,
        "report",
        "report",
        status=status,
        story=by_name["story"],
        who=[by_name[n] for n in WHO],
        what=[by_name[n] for n in WHAT],
        more=[f for f in drawn if f.name not in MAIN],
        key=key,
        by_line=json.dumps(choices.by_line(book(request))),
        **found,
        unplaced=forms.unplaced(drawn, errors),
        refusal=sentence(refusal) if refusal else "",
        has_errors=bool(errors),
        more_open=any(_touched(f) for f in drawn if f.name not in MAIN),
        taken=_taken(request),
    )


def _taken(request: HttpRequest) -> tuple[Row, ...]:
    """Today's own reports, and what became of them."""
    at = now()
    morning = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return worklist.taken(who(request), since=morning, language=language(), now=at)


def _touched(one: forms.Input) -> bool:
    """Whether something was typed into a field or its rows, beside defaults, or is wrong with it."""
    if one.kind == "rows":
        return bool(one.error) or any(_touched(f) for row in one.rows for f in row)
    counted = one.kind == "whole" and one.value not in ("", "0")
    return bool(one.error or counted or (one.value and one.kind not in ("whole", "flag")))


@require_GET
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """What to read out to the customer: number, named handler, what happens next and every promised date."""
    viewer, at = who(request), now()
    page = reads.page(number, viewer=viewer, language=language(), now=at)
    if page is None:
        raise Http404
    # What is read out is said in the customer's language, whatever the reader's own.
    spoken = page.case.claim.language if page.case.claim.language in LANGUAGES else language()
    told = [p for p in page.promises if p.state in ("running", "paused") and _customers(page, p.part)]
    reported = next((e for e in page.timeline if e.kind == "claim.reported"), None)
    alike = tuple(reported.facts.get("alike", ())) if reported else ()
    sent = [one for one in page.deliveries if one.message == "receipt"]
    return show(
        request, "receipt", "report", page=page, claim=page.case.claim, told=told, alike=alike, sent=sent,
        number=_spelled(number), script=_script(page, told, spoken), spoken=spoken,
    )  # fmt: skip


def _spelled(number: str) -> str:
    """A claim number in groups that can be said and written down: ``2611 2869 5320 583``."""
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def _script(page: reads.Page, told: list[Any], spoken: str) -> dict[str, Any]:
    """What is said to the customer before the call ends, in their language."""
    handler = page.handler_name
    who_cares = text("intake.say.handler", spoken, name=handler) if handler else text("intake.say.nobody", spoken)
    return {
        "number": text("intake.say.number", spoken),
        "handler": who_cares,
        "next": text("intake.say.next", spoken),
        "promises": [
            text("intake.say.by", spoken, what=text(told_as(p.code), spoken), when=f"{timezone.localtime(p.due_at):%Y-%m-%d %H:%M}")
            for p in told
            if p.due_at is not None
        ],
    }  # fmt: skip


def _customers(page: reads.Page, part: int) -> bool:
    """Whether a promise is one that the customer is told of."""
    try:
        return bool(page.found.rulebook.promises.of_clock(page.found.raw.clocks[part]).told_to_customer)
    except KeyError:
        return False
