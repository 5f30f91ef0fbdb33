"""The page of a claim, and every action on it: drawn from the lifecycle table, guarded by it, done by one service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lipei.domain import lifecycle, sizes
from lipei.domain.claims import Case, Exposure
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Refusal
from lipei.domain.lifecycle import FALLS_SHORT, Step
from lipei.domain.permissions import may
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.recoveries import asked_back_minor
from lipei.norms.texts import text
from lipei.reads import approvals, approvals_changed, approvals_weighed, on_file
from lipei.reads import claims as reads
from lipei.reads.claims import Found
from lipei.services import actions, automation, documents, personal_data
from lipei.web import forms
from lipei.web.console import choices, claim_page, claim_parts
from lipei.web.console.claim_page import CAREFUL, NEW, PARTS, Asked, about
from lipei.web.console.claim_parts import TIMELINES
from lipei.web.console.finance import advice
from lipei.web.console.shell import book, complain, now, say, show, status_of, who
from lipei.web.errors import by_field, sentence
from lipei.web.templatetags.lipei import language

UNMASKED = "unmasked"  # of the session: claim number → until when (ISO time) personal data is shown whole


def shows_whole(request: HttpRequest, number: str, at: datetime) -> bool:
    """Whether personal data of this claim is shown whole: asked for, recorded, and not too long ago."""
    until = request.session.get(UNMASKED, {}).get(number, "")
    return bool(until) and datetime.fromisoformat(until) > at and may(who(request), personal_data.PERMISSION)


@require_GET
def claim(request: HttpRequest, number: str) -> HttpResponse:
    """Everything about one claim, and what the reader can do now."""
    at, viewer = now(), who(request)
    page = reads.page(number, viewer=viewer, language=language(), now=at, unmask=shows_whole(request, number, at))
    if page is None:
        raise Http404
    may_unmask = may(viewer, personal_data.PERMISSION)
    whole = shows_whole(request, number, at)
    return show(
        request,
        "claim",
        "claims",
        may_unmask=may_unmask,
        whole=whole,
        things=on_file.things(page.case.claim.policy_id, whole=whole),
        prenotices=claim_page.told_beforehand(page, at) if may_unmask else (),
        left_to_us=claim_page.left_to_us(
            page, automation.left_to_a_person(page.found.raw, page.found.rulebook, now=at)
        ),
        **claim_page.drawn(page, number, viewer, _asked(request, at, may_open=may_unmask, whole=whole)),
    )


def _asked(request: HttpRequest, at: datetime, *, may_open: bool, whole: bool) -> Asked:
    which = request.GET.get("timeline", "")
    return Asked(
        at, may_open=may_open, whole=whole, timeline=which if which in TIMELINES else TIMELINES[0],
        all_entries=request.GET.get("entries") == "all",
    )  # fmt: skip


@require_POST
def unmask(request: HttpRequest, number: str) -> HttpResponse:
    """Show personal data whole for a while; the look is recorded first."""
    outcome = personal_data.see(number, actor=who(request), now=now())
    if isinstance(outcome, Refusal):
        if outcome.kind == "missing":
            raise Http404
        complain(request, outcome)
        return redirect("console:claim", number=number)
    at = now()
    until = at + timedelta(minutes=book(request).settings.unmask_minutes)
    still = {n: t for n, t in request.session.get(UNMASKED, {}).items() if datetime.fromisoformat(t) > at}
    request.session[UNMASKED] = {**still, number: until.isoformat()}
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
    away = choices.papers_away(found.raw, found.rulebook, subject, action, part)
    offers = choices.offers(
        shown=found.case, book=found.rulebook, subject=subject, action=action, part=part, now=now(), away=away,
        whole=shows_whole(request, number, now()),
    )  # fmt: skip
    form = Form(number, step, part, cls, offers, away)
    if request.method == "GET":
        target = None if step.makes_part else found.raw.of(subject)[part]
        refusal = lifecycle.check(case=found.raw, step=step, part=target, actor=viewer, book=found.rulebook, now=now())
        typed = choices.start(case=found.raw, book=found.rulebook, subject=subject, action=action, part=part)
        typed = choices.from_template(
            typed, request.GET.get("template", ""), form.templates(found.case, found.rulebook)
        )
        if chosen := request.GET.get("policy_number", "")[:40]:
            typed = {**typed, "policy_number": [chosen]} if (subject, action) == ("claim", "register") else typed
        return form.page(
            request,
            found,
            typed,
            version=found.version,
            refusal=refusal,
            status=status_of(refusal) if refusal else 200,
        )
    typed = forms.posted(request.POST)
    if forms.MORE_ROWS in request.POST:
        return form.page(request, found, typed, version=_seen(request))
    command, errors = forms.read(cls, typed, offers)
    if errors:
        more = actions.wrong(number, subject, action, part, forms.partly(cls, typed, offers), actor=viewer, now=now())
        errors = forms.all_wrong(errors, more)
        return form.page(request, found, typed, version=_seen(request), errors=errors, status=422)
    if (subject, action) in claim_page.LOOKED_AT and not request.POST.get("looked"):
        return form.page(
            request, found, typed, version=found.version, refusal=Refusal("refusal.look_first", "fields"), status=422
        )
    outcome = actions.act(number, subject, action, part, command, actor=viewer, now=now(), seen_version=_seen(request))
    if not isinstance(outcome, Refusal):
        short = dict(FALLS_SHORT[event.kind] for _, event in outcome.events if event.kind in FALLS_SHORT)
        if short:  # the try is on record, and nothing came of it
            return form.page(request, found, typed, version=outcome.case.version, errors=short, status=422)
        return form.done(request, found, "console.done")
    if outcome.code == "refusal.done_already" and (subject, action) in claim_page.AT_ONCE | claim_page.LOOKED_AT:
        return form.done(request, found, "console.done.already")
    return form.refused(request, viewer, typed, outcome)


def _seen(request: HttpRequest) -> int | None:
    seen = request.POST.get("seen_version", "")
    return int(seen) if seen.isdigit() and len(seen) < 18 else None


def _refuses(head: Exposure) -> bool:
    """Whether a refusal waits for somebody's word: of the whole, or of a part."""
    in_part = head.state == "submitted" and head.refusal_reason and sizes.turned_down_minor(head)
    return head.state == "refusal_proposed" or bool(in_part)


BACK = ("consultations", "approvals")
"""The lists from which an action may be taken: one comes back to them."""


def _back(request: HttpRequest) -> str:
    said = request.POST.get("back") or request.GET.get("back") or ""
    return said if said in BACK else ""


def _then(request: HttpRequest) -> str:
    """Which row of that list is the next one."""
    said = request.POST.get("then") or request.GET.get("then") or ""
    return said if _ROW.fullmatch(said) else ""


_ROW = re.compile(r"[\w-]{1,60}", re.ASCII)


def failed(case: Case, step: lifecycle.Step, part: int) -> dict[str, str] | None:
    """Of a payment that is to go out again: what the bank said, and what helps."""
    payment = case.payments.get(part) if (step.subject, step.action) == ("payment", "retry") else None
    return {"failure": payment.failure, "advice": advice(payment.failure)} if payment else None


_ENDS = {"propose_refusal": "refused", "refuse": "refused", "submit_decision": "settled", "approve_decision": "settled"}
"""Step on a head of loss → how the head ends by it."""


class Form:
    """One action's form: drawn, and drawn again with what was typed when something is wrong."""

    def __init__(
        self, number: str, step: Step, part: int, cls: type, offers: forms.Offers, away: tuple[str, ...] = ()
    ) -> None:
        self.number, self.step, self.part, self.cls, self.offers, self.away = number, step, part, cls, offers, away

    def called(self, case: Case) -> str:
        """The words of the step, as the button that leads here says them."""
        return text(reads.label_key(self.step, case, self.part), language())

    def done(self, request: HttpRequest, found: Found, key: str) -> HttpResponse:
        """Back to the claim, where the part stands, with one sentence."""
        say(request, key, action=self.called(found.case))
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        if back := _back(request):
            then = _then(request)
            return redirect(reverse(f"console:{back}") + (f"#{then}" if then else ""))
        where = f"#{self.step.subject}-{self.part}" if self.part else ""
        return redirect(reverse("console:claim", args=[self.number]) + where)

    def page(
        self, request: HttpRequest, found: Found, typed: forms.Typed, *, version: int | None, status: int = 200,
        errors: Mapping[str, str] = forms.NO_ERRORS, refusal: Refusal | None = None, changed: tuple[Any, ...] = (),
    ) -> HttpResponse:  # fmt: skip
        """The form with what was typed, what is wrong beside each field, and what changed meanwhile."""
        hopeless = refusal is not None and refusal.kind == "permission" and request.method == "GET"
        drawn = forms.draw(self.cls, typed, self.offers, errors)
        step, case = self.step, found.case
        inline = bool(request.headers.get("HX-Request"))
        return show(
            request,
            "claim/act_form" if inline else "act",
            "claims",
            status=status,
            number=self.number,
            where=claim_page.address(self.number, step, self.part),
            templates=self.templates(case, found.rulebook),
            templates_language=choices.opinion_language(case),
            claim=case.claim,
            step=step,
            called=self.called(case),
            part=self.part,
            about=about(case, step.subject, self.part),
            exposure=case.exposures.get(self.part) if step.subject == "exposure" else None,
            grounds=self.grounds(found),
            asked_back=self.asked_back(case),
            papers_away=self.away,
            failed=failed(case, step, self.part),
            papers_to_ask=choices.papers_to_ask(found.raw, found.rulebook, step.subject, step.action),
            **self.rework(found),
            fields=drawn,
            unplaced=forms.unplaced(drawn, errors),
            version=version,
            changed=changed,
            refusal=sentence(refusal) if refusal else "",
            has_errors=bool(errors),
            hopeless=hopeless,
            hint=claim_page.hint(step),
            looked=(step.subject, step.action) in claim_page.LOOKED_AT,
            back=_back(request),
            then=_then(request),
            **self.waiting(found),
            **self.policies(request, found),
            careful=(step.subject, step.action) in CAREFUL,
        )

    def rework(self, found: Found) -> dict[str, Any]:
        """Of a decision that was returned: why, and what is otherwise since, for who decides now."""
        asked = (self.step.subject, self.step.action) in approvals.WAITING.values()
        rework = approvals_changed.since_returned(found.case, self.part) if asked else None
        return claim_parts.reworked(rework, found.case) if rework else {}

    def policies(self, request: HttpRequest, found: Found) -> dict[str, Any]:
        """Where the policy of a claim is still to be found: those that its people have, or that fit what is looked for."""
        claim = found.raw.claim
        if (self.step.subject, self.step.action) != ("claim", "register") or claim.policy_id is not None:
            return {}
        said = request.GET.get("find", "").strip()[:80]
        people = [(said, said)] if said else [(p.phone, p.name) for p in found.raw.parties.values() if p.person]
        fitting = {
            policy.number: policy
            for phone, name in people
            for policy in on_file.matching(
                phone=phone, plate=said, number=said or claim.policy_number, name=name, viewer=who(request), at=now()
            )
        }
        return {"finds_policy": True, "policies": list(fitting.values())[: on_file.ROWS_MAX], "find": said}

    def waiting(self, found: Found) -> dict[str, Any]:
        """Of what waits for somebody's word: what its maker wrote along, and whether a suspicion is open."""
        if (self.step.subject, self.step.action) not in approvals.WAITING.values():
            return {}
        said = approvals_weighed.because(found.case, self.step.subject, self.part)
        return {"because": said, "suspicion": found.case.claim.suspicion}

    def asked_back(self, case: Case) -> int:
        """Minor units that are asked back once this head of loss is refused, or settled at less than was paid."""
        head = case.exposures.get(self.part) if self.step.subject == "exposure" else None
        return asked_back_minor(case, head, _ENDS[self.step.action]) if head and self.step.action in _ENDS else 0

    def grounds(self, found: Found) -> str:
        """What the refusal rests on that somebody is about to decide on, as the letter will say it."""
        head = found.case.exposures.get(self.part) if self.step.subject == "exposure" else None
        if head is None or not _refuses(head):
            return ""
        sums = reads.settled(found.case, found.rulebook, language=language())
        return f"{next(s.refusal for s in sums if s.exposure == self.part)} — {head.refusal_reason}"

    def templates(self, case: Case, book: Rulebook) -> tuple[choices.Ready, ...]:
        """Ready words for this action: those of the preliminary opinion, in the customer's language."""
        given = (self.step.subject, self.step.action) == ("claim", "give_opinion")
        return choices.opinions(case, book) if given else ()

    def refused(self, request: HttpRequest, viewer: Any, typed: forms.Typed, refusal: Refusal) -> HttpResponse:
        """The form again, after a refusal: on what is true now."""
        page = reads.page(self.number, viewer=viewer, language=language(), now=now())
        if page is None or refusal.kind == "missing":
            raise Http404
        since = [row["sequence"] for row in refusal.params.get("changed", ()) if isinstance(row, Mapping)]
        changed = tuple(e for e in page.timeline if e.sequence in since)
        return self.page(
            request, page.found, typed, version=page.version, errors=by_field(refusal), refusal=refusal, changed=changed,
            status=status_of(refusal),
        )  # fmt: skip
