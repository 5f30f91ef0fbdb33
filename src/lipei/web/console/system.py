"""What keeps the system running: API tokens, webhooks, pre-notices, health."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lipei.domain.commands import said
from lipei.domain.events import Refusal
from lipei.reads import colleagues, failures
from lipei.reads import health as health_reads
from lipei.reads import prenotices as prenotice_reads
from lipei.services import prenotices as prenotice_service
from lipei.services import tokens as token_service
from lipei.services import webhooks as webhook_service
from lipei.web.console.access import PAGES, allowed
from lipei.web.console.people import filled
from lipei.web.console.shell import book, complain, now, say, show, who
from lipei.web.console.start import gateways
from lipei.web.forms import Offers
from lipei.web.templatetags.lipei import language


@dataclass(frozen=True, slots=True)
class MakeToken:
    """A token for a program; with a colleague's code it acts with that person's roles."""

    name: str = said(length_max=80)
    scopes: tuple[str, ...] = said((), choices=token_service.SCOPES)
    staff: str = said(length_max=40)


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """API tokens; a new one is shown this once."""
    labels = {"name": "console.token.name", "staff": "console.token.staff"}
    staff = ((p.code, f"{p.name} {p.code}") for p in colleagues.listed(now=now()) if p.code)
    scopes = tuple((s, f"token_scope.{s}") for s in token_service.SCOPES)
    offers = Offers(options={"scopes": scopes, "staff": (("", ""), *staff)}, labels=labels)

    def make(command: MakeToken) -> Refusal | str:
        return token_service.make(
            command.name, command.scopes, command.staff.strip() or None, now=now(), by=who(request)
        )

    context, secret, status = filled(request, MakeToken, offers, make)
    if secret is not None:
        context = {"fields": ()}
    return show(request, "tokens", "tokens", status=status, rows=health_reads.tokens(), secret=secret, **context)


@require_POST
def token_revoke(request: HttpRequest, name: str) -> HttpResponse:
    """The token is good for nothing from now on."""
    outcome = token_service.revoke(name, now=now(), by=who(request))
    if outcome is not None:
        raise Http404
    say(request, "console.saved")
    return redirect("console:tokens")


@require_http_methods(["GET", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """Who is told of events; the secret of a new webhook is shown this once."""
    kinds = tuple((k, f"event.{k}") for k in sorted(webhook_service.KNOWN_KINDS) if not k.startswith("clock."))
    offers = Offers(options={"kinds": kinds})
    context, secret, status = filled(
        request,
        webhook_service.Subscribe,
        offers,
        lambda c: webhook_service.subscribe(c, actor=who(request), now=now()),
    )
    return show(request, "webhooks", "webhooks", status=status, rows=health_reads.webhooks(), secret=secret, **context)


@require_POST
def webhook_stop(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """No more calls to this address."""
    outcome = webhook_service.stop(webhook_id, actor=who(request), now=now())
    if outcome is not None:
        if outcome.kind == "missing":
            raise Http404
        complain(request, outcome)
    else:
        say(request, "console.saved")
    return redirect("console:webhooks")


@require_http_methods(["GET", "POST"])
def prenotices(request: HttpRequest) -> HttpResponse:
    """What colleagues of sales and service know beforehand (norm 1.3.3), and a form to tell more."""
    context, outcome, status = filled(
        request, prenotice_service.Tell, Offers(), lambda c: prenotice_service.tell(c, actor=who(request), now=now())
    )
    if outcome is not None:
        say(request, "console.saved")
        return redirect("console:prenotices")
    show_days = book(request).settings.pre_notice_show_days
    rows = prenotice_reads.latest(now=now(), show_days=show_days, language=language())
    return show(request, "prenotices", "prenotices", status=status, rows=rows, **context)


@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """Whether what runs by itself runs: queues, failures, the last seal, the journal's guards."""
    at = now()
    return show(
        request, "health", "health", health=health_reads.health(now=at), signs=health_reads.signs(now=at),
        ways=list(gateways().items()),
    )  # fmt: skip


@require_GET
def failed(request: HttpRequest) -> HttpResponse:
    """What did not come through, with the reason and what to do about it."""
    actor = who(request)
    return show(
        request, "failed", "health", found=failures.failed(), sees_claims=allowed(PAGES["claims"], actor),
        sees_payments=allowed(PAGES["finance"], actor), may_call=allowed(PAGES["webhook-again"], actor),
        most=failures.SHOWN,
    )  # fmt: skip


@require_POST
def webhook_again(request: HttpRequest, call_id: int) -> HttpResponse:
    """One call that failed, made once more."""
    outcome = webhook_service.call_again(call_id, actor=who(request), now=now())
    if outcome is not None:
        complain(request, outcome)
    else:
        say(request, "health.failed.queued")
    return redirect("console:failed")
