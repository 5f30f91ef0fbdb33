"""Approvals, payments and the bank (norm 2.2.4, part 4: maker, checker and payer are different people)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from lipei.domain import lifecycle
from lipei.domain.events import Refusal
from lipei.gateways.bank import BankBusy
from lipei.norms.texts import text
from lipei.reads import approvals as approval_reads
from lipei.reads import payments as payment_reads
from lipei.reads.approvals_weighed import Point
from lipei.services import bank, bank_files, bank_hold
from lipei.services.world import delegations
from lipei.web.console import claim_parts
from lipei.web.console.claim_page import address
from lipei.web.console.shell import book, complain, now, say, show, who
from lipei.web.templatetags.lipei import language, money

STATES = ("ordered", "approved", "submitted", "failed", "confirmed", "cancelled")
BATCH = 200
CHANGES_SHOWN = 5
NEWS_SHOWN = 3
ANSWER_BYTES_MAX = 16 * 1024 * 1024
IDS_SHOWN = 5


@require_GET
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for the reader's word, urgent first, each with what to look at and what changed meanwhile."""
    found = approval_reads.waiting(
        who(request), book=book(request), language=language(), now=now(), delegations=delegations(now())
    )
    rows = [_drawn(row) for row in found]
    for one, following in pairwise(rows):
        one["then"] = following["place"]
    return show(request, "approvals", "approvals", rows=rows)


def _drawn(row: approval_reads.Waiting) -> dict[str, Any]:
    rework = row.weighed.rework
    changed = claim_parts.rework_rows(rework, row.currency) if rework else []
    return {
        "row": row, "place": f"{row.number}-{row.subject}-{row.part}",
        "href": address(row.number, lifecycle.BY_ACTION[row.subject, row.action], row.part),
        "points": [(p, _said(p, row.currency)) for p in row.weighed.points], "rework": rework,
        "changed": changed[:CHANGES_SHOWN], "changed_more": max(0, len(changed) - CHANGES_SHOWN),
        "news": row.weighed.news[:NEWS_SHOWN], "news_more": max(0, len(row.weighed.news) - NEWS_SHOWN),
    }  # fmt: skip


def _said(point: Point, currency: str) -> str:
    """A point in words."""
    return text(f"approvals.point.{point.code}", language(), amount=money(point.minor, currency), n=point.n)


@require_GET
def payments(request: HttpRequest) -> HttpResponse:
    """Payment orders by state, also those that are done with."""
    state = request.GET.get("state", "")
    states = (state,) if state in STATES else payment_reads.MOVING
    before = request.GET.get("before", "")
    rows = payment_reads.listed(
        who(request),
        language=language(),
        states=states,
        before=int(before) if before.isdigit() and len(before) < 18 else None,
    )
    return show(
        request, "payments", "payments", rows=rows, state=state if state in STATES else "", states=STATES,
        moving=payment_reads.moving(), more=rows[-1].cursor if len(rows) == 100 else None,
    )  # fmt: skip


def inbox() -> Path | None:
    """Where answer files of the bank are put; None where the bank is no folder."""
    scheme, _, rest = str(settings.LIPEI_BANK_URL).partition(":")
    return Path(rest) / "inbox" if scheme == "files" and rest else None


@require_POST
def bank_submit(request: HttpRequest) -> HttpResponse:
    """Send what is approved and read what the bank answered, now instead of at the worker's next turn."""
    try:
        done = bank.turn(now=now(), limit=BATCH, asked=True)
    except bank.NotSetUp:
        complain(request, Refusal("refusal.bank.not_set_up"))
    except BankBusy:
        complain(request, Refusal("refusal.bank.busy"))
    else:
        say(request, "console.bank.turned", n=done)
    return _back(request)


@require_POST
def bank_release(request: HttpRequest) -> HttpResponse:
    """Let orders leave again that were held after a restore."""
    refusal = bank_hold.release(actor=who(request), now=now())
    if refusal is not None:
        complain(request, refusal)
    else:
        say(request, "console.bank.released")
    return _back(request)


@require_POST
def bank_upload(request: HttpRequest) -> HttpResponse:
    """Take an answer file (pain.002, camt.054) of the bank; it is read by the gateway like any other."""
    folder, file = inbox(), request.FILES.get("file")
    if folder is None or file is None or isinstance(file, list) or not file.size or file.size > ANSWER_BYTES_MAX:
        complain(request, Refusal("refusal.bank.file", "fields"))
        return _back(request)
    name = "".join(c for c in Path(file.name or "answer.xml").name if c.isalnum() or c in "._-")[-80:] or "answer.xml"
    taken = bank_files.take(f"{now():%Y%m%d%H%M%S%f}-{name}", file.read(), now=now())
    if taken.state == "rejected":
        complain(request, Refusal(taken.code, params=taken.params))
    elif taken.state == "waiting":
        say(request, "console.bank.waits")
    else:
        say(request, f"console.bank.{taken.state}", kind=taken.kind, said=_sorted_out(taken))
    return _back(request)


def _sorted_out(taken: bank_files.Taken) -> str:
    """How many of the answers fitted, which did not, and what to do about them."""
    parts = []
    for name in ("matched", "differing", "open", "foreign"):
        ids = getattr(taken, name)
        if ids:
            named = text("common.list_separator", language()).join(ids[:IDS_SHOWN]) + (
                "…" if len(ids) > IDS_SHOWN else ""
            )
            parts.append(text(f"console.bank.said.{name}", language(), n=len(ids), ids=named))
    return " ".join(parts) or text("console.bank.said.nothing", language())


def _back(request: HttpRequest) -> HttpResponse:
    """To the group of the finance page from which the bank was spoken to."""
    group = request.POST.get("show", "")
    return redirect(reverse("console:finance") + (f"?{urlencode({'show': group})}" if group else ""))
