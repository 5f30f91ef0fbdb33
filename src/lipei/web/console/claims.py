"""The page of a claim, and every action on it: drawn from the lifecycle table, guarded by it, done by one service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Refusal
from lipei.domain.lifecycle import Step
from lipei.domain.permissions import may
from lipei.norms.texts import text
from lipei.reads import claims as reads
from lipei.reads import prenotices
from lipei.reads.claims import Possible
from lipei.services import actions, documents, personal_data
from lipei.web import forms
from lipei.web.console import choices
from lipei.web.console.shell import complain, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

PARTS: Mapping[str, str] = {
    "exposures": "exposure", "parties": "party", "papers": "paper", "surveys": "survey",
    "consultations": "consultation", "offers": "offer", "payments": "payment", "recoveries": "recovery",
}  # fmt: skip
PLURAL = {subject: parts for parts, subject in PARTS.items()}
NEW = "new"
TICKS = "clock."  # what promises do by themselves stands apart from what people did, except where one broke
UNMASKED = "unmasked"  # of the session: claim number → until when (ISO time) personal data is shown whole
AT_ONCE = frozenset(key for key, command in COMMANDS.items() if command.__name__ == "Nothing")
CAREFUL = frozenset(
    {
        ("exposure", "refuse"),
        ("claim", "cancel"),
        ("claim", "withdraw"),
        ("claim", "close_without_payment"),
        ("payment", "cancel"),
        ("recovery", "write_off"),
        ("exposure", "return_for_rework"),
    }
)


def address(number: str, step: Step, part: int) -> str:
    """The page of an action."""
    if step.subject == "claim":
        return reverse("console:claim-act", args=[number, step.action])
    return reverse(
        "console:part-act", args=[number, PLURAL[step.subject], NEW if step.makes_part else part, step.action]
    )


def _offered(number: str, found: tuple[Possible, ...]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The buttons by what they are about: ("exposure", 1); making steps under (subject, 0)."""
    rows: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for one in found:
        key = (one.subject, one.action)
        rows.setdefault((one.subject, one.part), []).append(
            {
                "label": one.label,
                "href": address(number, one.step, one.part),
                "at_once": key in AT_ONCE,
                "careful": key in CAREFUL,
            }
        )
    return rows


def shows_whole(request: HttpRequest, number: str, at: datetime) -> bool:
    """Whether personal data of this claim is shown whole: asked for, recorded, and not too long ago."""
    until = request.session.get(UNMASKED, {}).get(number, "")
    return bool(until) and datetime.fromisoformat(until) > at


@require_GET
def claim(request: HttpRequest, number: str) -> HttpResponse:
    """Everything about one claim, and what the reader can do now."""
    at, viewer = now(), who(request)
    page = reads.page(number, viewer=viewer, language=language(), now=at, unmask=shows_whole(request, number, at))
    if page is None:
        raise Http404
    may_unmask = may(viewer, personal_data.PERMISSION)
    told = _told_beforehand(page, at) if may_unmask else ()
    return show(request, "claim", "claims", prenotices=told, **claim_context(page, number, may_unmask, request, at))


def _told_beforehand(page: reads.Page, at: datetime) -> tuple[prenotices.Told, ...]:
    """The pre-notices about the claim's policy or reporter (norm 1.3.3)."""
    case = page.found.raw
    reporter = case.party("reporter")
    return prenotices.about(
        policy_id=case.claim.policy_id, phone=reporter.phone if reporter else "", now=at, language=language(),
        show_days=page.found.rulebook.settings.pre_notice_show_days,
    )  # fmt: skip


def claim_context(
    page: reads.Page, number: str, may_unmask: bool, request: HttpRequest, at: datetime
) -> dict[str, Any]:
    """What the template of a claim draws: each part beside the buttons that belong to it."""
    case, offered = page.case, _offered(number, page.actions)

    def beside(subject: str, rows: Mapping[int, Any]) -> list[tuple[Any, list[dict[str, Any]]]]:
        return [(row, offered.get((subject, part), [])) for part, row in rows.items()]

    sums = {s.exposure: s for s in page.settlements}
    return {
        "page": page,
        "case": case,
        "claim": case.claim,
        "version": page.version,
        "staff": page.staff,
        "claim_actions": offered.get(("claim", 0), []),
        "parties": beside("party", case.parties),
        "exposures": [(e, sums[e.part], buttons) for e, buttons in beside("exposure", case.exposures)],
        "papers": beside("paper", case.papers),
        "surveys": beside("survey", case.surveys),
        "consultations": beside("consultation", case.consultations),
        "offers": beside("offer", case.offers),
        "payments": beside("payment", case.payments),
        "recoveries": beside("recovery", case.recoveries),
        "making": {subject: offered.get((subject, 0), []) for subject in PLURAL},
        "running": [p for p in page.promises if p.state in ("running", "paused")],
        "ended": [p for p in page.promises if p.state not in ("running", "paused")],
        "may_unmask": may_unmask,
        "whole": shows_whole(request, number, at),
        "open": case.claim.state in lifecycle.OPEN,
        "timeline": [e for e in reversed(page.timeline) if not e.kind.startswith(TICKS) or e.kind == "clock.breached"],
        "ticks": [e for e in reversed(page.timeline) if e.kind.startswith(TICKS) and e.kind != "clock.breached"],
    }


@require_POST
def unmask(request: HttpRequest, number: str) -> HttpResponse:
    """Show personal data whole for a while; the look is recorded first."""
    outcome = personal_data.see(number, actor=who(request), now=now())
    if isinstance(outcome, Refusal):
        if outcome.kind == "missing":
            raise Http404
        complain(request, outcome)
        return redirect("console:claim", number=number)
    minutes = request.rulebook.settings.unmask_minutes  # type: ignore[attr-defined]
    shown = {**request.session.get(UNMASKED, {}), number: (now() + timedelta(minutes=minutes)).isoformat()}
    request.session[UNMASKED] = shown
    return redirect("console:claim", number=number)


@require_POST
def upload(request: HttpRequest, number: str) -> HttpResponse:
    """Take a file for the claim, for a paper or survey where one is chosen."""
    if reads.find(number, viewer=who(request)) is None:
        raise Http404
    file = request.FILES.get("file")
    if file is None or isinstance(file, list):
        complain(request, Refusal("refusal.required", "fields"))
        return redirect("console:claim", number=number)
    paper, _, survey = (request.POST.get("place") or "").partition("/")
    outcome = documents.receive(
        number, cast(BinaryIO, file), file_name=file.name or "", declared_type=file.content_type or "", actor=who(request), now=now(),
        paper=int(paper) if paper.isdigit() else 0, survey=int(survey) if survey.isdigit() else 0,
    )  # fmt: skip
    if isinstance(outcome, Refusal):
        if outcome.kind == "missing":
            raise Http404
        complain(request, outcome)
    else:
        say(request, "console.upload.done")
    return redirect("console:claim", number=number)


# --- actions --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def act_on_claim(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """An action on the claim itself."""
    return _act(request, number, "claim", action, 0)


@require_http_methods(["GET", "POST"])
def act_on_part(request: HttpRequest, number: str, parts: str, part: str, action: str) -> HttpResponse:
    """An action on one of its parts; ``new`` makes one."""
    step = lifecycle.BY_ACTION.get((PARTS.get(parts, ""), action))
    if step is None or (part == NEW) != step.makes_part or (part != NEW and not (part.isdigit() and len(part) < 9)):
        raise Http404
    return _act(request, number, step.subject, action, 0 if part == NEW else int(part))


def _act(request: HttpRequest, number: str, subject: str, action: str, part: int) -> HttpResponse:
    step = lifecycle.BY_ACTION.get((subject, action))
    viewer = who(request)
    found = reads.find(number, viewer=viewer) if step is not None and action != "report" else None
    if step is None or found is None or (not step.makes_part and part not in found.raw.of(subject)):
        raise Http404
    cls = COMMANDS[subject, action]
    offers = choices.offers(shown=found.case, book=found.rulebook, subject=subject, action=action, part=part, now=now())
    form = Form(number, step, part, cls, offers)
    if request.method == "GET":
        target = None if step.makes_part else found.raw.of(subject)[part]
        refusal = lifecycle.check(case=found.raw, step=step, part=target, actor=viewer)
        typed = choices.start(case=found.raw, subject=subject, action=action, part=part)
        return form.page(
            request,
            found.case,
            typed,
            version=found.version,
            refusal=refusal,
            status=status_of(refusal) if refusal else 200,
        )
    typed = forms.posted(request.POST)
    command, errors = forms.read(cls, typed, offers)
    if errors:
        return form.page(request, found.case, typed, version=_seen(request), errors=errors, status=422)
    outcome = actions.act(number, subject, action, part, command, actor=viewer, now=now(), seen_version=_seen(request))
    if not isinstance(outcome, Refusal):
        say(request, "console.done", action=text(f"action.{subject}.{action}", language()))
        return redirect(reverse("console:claim", args=[number]) + (f"#{subject}-{part}" if part else ""))
    return form.refused(request, viewer, typed, outcome)


def _seen(request: HttpRequest) -> int | None:
    seen = request.POST.get("seen_version", "")
    return int(seen) if seen.isdigit() and len(seen) < 18 else None


class Form:
    """One action's form: drawn, and drawn again with what was typed when something is wrong."""

    def __init__(self, number: str, step: Step, part: int, cls: type, offers: forms.Offers) -> None:
        self.number, self.step, self.part, self.cls, self.offers = number, step, part, cls, offers

    def page(
        self, request: HttpRequest, case: Case, typed: forms.Typed, *, version: int | None, status: int = 200,
        errors: Mapping[str, str] = forms.NO_ERRORS, refusal: Refusal | None = None, changed: tuple[Any, ...] = (),
    ) -> HttpResponse:  # fmt: skip
        """The form with what was typed, what is wrong beside each field, and what changed meanwhile."""
        hopeless = refusal is not None and refusal.kind == "permission" and request.method == "GET"
        drawn = forms.draw(self.cls, typed, self.offers, errors)
        step = self.step
        return show(
            request,
            "act",
            "claims",
            status=status,
            number=self.number,
            claim=case.claim,
            step=step,
            part=self.part,
            target=None if step.makes_part or step.subject == "claim" else case.of(step.subject).get(self.part),
            fields=drawn,
            unplaced=forms.unplaced(drawn, errors),
            version=version,
            changed=changed,
            refusal=sentence(refusal) if refusal else "",
            has_errors=bool(errors),
            hopeless=hopeless,
            careful=(step.subject, step.action) in CAREFUL,
        )

    def refused(self, request: HttpRequest, viewer: Any, typed: forms.Typed, refusal: Refusal) -> HttpResponse:
        """The form again, after a refusal: on what is true now."""
        page = reads.page(self.number, viewer=viewer, language=language(), now=now())
        if page is None or refusal.kind == "missing":
            raise Http404
        since = [row["sequence"] for row in refusal.params.get("changed", ()) if isinstance(row, Mapping)]
        changed = tuple(e for e in page.timeline if e.sequence in since)
        return self.page(
            request, page.case, typed, version=page.version, errors=refusal.fields, refusal=refusal, changed=changed,
            status=status_of(refusal),
        )  # fmt: skip
