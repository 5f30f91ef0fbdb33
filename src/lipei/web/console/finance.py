"""The finance page: what went wrong first, then what waits for a hand; the bank's files; the same as a workbook (norm 2.2.4).

Maker, checker and payer are different people: whoever ordered a payment or agreed to it is offered no approval of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from lipei.domain import lifecycle
from lipei.domain.events import Refusal
from lipei.domain.permissions import may
from lipei.norms.texts import text, texts
from lipei.reads import finance as reads
from lipei.reads import payments as payment_reads
from lipei.services import bank_files, bank_hold, list_exports
from lipei.web.console import as_workbook, money
from lipei.web.console.claim_page import address
from lipei.web.console.shell import book, complain, now, say, show, who
from lipei.web.console.work_cells import amount, local_time
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language, word

ROWS = 50
FILES = "files"
STEP: Mapping[str, str] = {"failed": "retry", "approve": "approve_payment", "recoveries": "receive_recovery"}
"""The next step on a part of a group; what is approved leaves together, what is sent waits for the bank."""
NOTE_MAX = 1000


@require_GET
def finance(request: HttpRequest) -> HttpResponse:
    """Every group with its sums, and the rows of one: that of ``show``, else the first in which something waits."""
    found = reads.totals(who(request))
    group = request.GET.get("show", "")
    files = may(who(request), bank_files.PERMISSION)
    if group not in found and not (group == FILES and files):
        group = next((name for name in reads.GROUPS if found[name].n), "approve")
    after = _after(request)
    rows = _rows(request, group, after, ROWS + 1)
    return show(
        request, "finance", "finance", group=group, total=found.get(group), first=not after,
        tiles=[(name, found[name], name == group) for name in reads.GROUPS],
        rows=rows[:ROWS], more=rows[ROWS - 1]["row"].cursor if len(rows) > ROWS and group != "differences" else None,
        currencies=_currencies(found), states=_states(found), may_send=files, inbox=money.inbox() is not None,
        files=_files() if group == FILES else (), in_files=bank_files.speaks_in_files(),
        held=local_time(bank_hold.since()),
    )  # fmt: skip


def _files() -> list[dict[str, Any]]:
    """The files with the reason of those that were put aside in words."""
    return [
        {
            **asdict(file),
            "answered": answered,
            "said": sentence(Refusal(file.code, params=file.params)) if file.code else "",
            "state": "answered" if answered and file.state == "waiting" else file.state,
        }
        for file, answered in bank_files.files()
    ]


def _after(request: HttpRequest) -> int:
    said = request.GET.get("after", "")
    return int(said) if said.isdigit() and len(said) < 18 else 0


def _currencies(found: Mapping[str, reads.Total]) -> list[str]:
    return sorted({currency for total in found.values() for currency in total.sums})


def _states(found: Mapping[str, reads.Total]) -> list[tuple[str, int, list[tuple[int | None, str]]]]:
    """The sums as a table: group, number, one amount per currency (None: nothing in it)."""
    known = _currencies(found)
    return [
        (name, total.n, [(total.sums.get(currency), currency) for currency in known])
        for name, total in found.items()
        if total.n and name != "differences"
    ]


def _rows(request: HttpRequest, group: str, after: int, limit: int) -> list[dict[str, Any]]:
    viewer = who(request)
    if group == FILES:
        return []
    if group == "differences":
        return [{"row": d, "advice": advice(d.reason)} for d in reads.differences(viewer)]
    found: Sequence[Any] = (
        reads.owed(viewer, after=after, limit=limit)
        if group == "recoveries"
        else payment_reads.listed(viewer, language=language(), states=reads.GROUPS[group], after=after, limit=limit)
    )
    late = book(request).jobs.bank_ask_after
    answers = bank_files.answered(row.end_to_end_id for row in found) if group == "sent" else {}
    return [
        {
            "row": row, "button": _button(request, group, row),
            "advice": advice(row.failure) if group == "failed" else "",
            "answer": answers.get(row.end_to_end_id, "") if answers else "",
            "by_hand": _by_hand(request, row) if answers.get(getattr(row, "end_to_end_id", "")) == "cleared" else (),
            "silent": group == "sent" and row.submitted_at is not None and now() - row.submitted_at > late,
        }
        for row in found
    ]  # fmt: skip


def _by_hand(request: HttpRequest, row: Any) -> list[dict[str, str]]:
    """Of a payment whose odd answer was cleared up, the steps by which a person says what became of the money."""
    steps = (lifecycle.BY_ACTION["payment", action] for action in ("confirm", "fail"))
    return [
        {"href": address(row.number, step, row.part), "label": word("action.payment", step.action)}
        for step in steps
        if lifecycle.scopes(step, who(request))
    ]


def _button(request: HttpRequest, group: str, row: Any) -> dict[str, str] | None:
    """The next step on a part where the lifecycle table gives it to the reader and it is not their own work."""
    viewer = who(request)
    if group not in STEP:
        return None
    step = lifecycle.BY_ACTION["recovery" if group == "recoveries" else "payment", STEP[group]]
    mine = (group == "approve" and viewer.id in row.made_by) or (group == "failed" and viewer.id in row.decided_by)
    if mine or not lifecycle.scopes(step, viewer):
        return None
    return {"href": address(row.number, step, row.part), "label": word(f"action.{step.subject}", step.action)}


def advice(reason: str) -> str:
    """What to do about a bank's reason; empty where the tables know none."""
    key = f"reason.bank.{reason}.advice"
    return text(key, language()) if reason and key in texts() else ""


# --- the bank -----------------------------------------------------------------------------------------------------------


@require_GET
def bank_file(request: HttpRequest, place: str, name: str) -> HttpResponse:
    """A file as it went or came, to be kept; that it was opened is on record."""
    found = bank_files.opened(place, name, actor=who(request), now=now())
    if isinstance(found, Refusal):
        if found.kind == "missing":
            raise Http404
        complain(request, found)
        return redirect(f"{reverse('console:finance')}?show={FILES}")
    response = HttpResponse(found, content_type="application/xml")
    kept = "".join(c for c in name if c.isalnum() or c in "._-")
    response.headers["Content-Disposition"] = f'attachment; filename="{kept}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def cleared(request: HttpRequest, message_id: int) -> HttpResponse:
    """An answer that fitted nothing has been cleared up, with what was found."""
    words = request.POST.get("text", "")[:NOTE_MAX]
    outcome = bank_files.looked_at(message_id, words, actor=who(request), now=now())
    if isinstance(outcome, Refusal) and outcome.kind == "missing":
        raise Http404
    complain(request, outcome) if outcome else say(request, "console.saved")
    return redirect(f"{reverse('console:finance')}?show=differences")


# --- as a workbook --------------------------------------------------------------------------------------------------------

_LABELS: Mapping[str, tuple[str, ...]] = {
    "": (
        "field.claim_number", "finance.col.kind", "field.amount", "field.currency", "field.payee", "finance.col.account",
        "field.state", "finance.col.reason", "finance.col.since", "console.payments.id",
    ),
    "recoveries": (
        "field.claim_number", "finance.col.kind", "finance.col.open", "field.currency", "field.debtor", "finance.col.due",
        "finance.col.received", "finance.col.since",
    ),
    "differences": (
        "field.claim_number", "console.payments.id", "finance.col.ordered", "finance.col.said", "field.currency",
        "field.state", "finance.col.reason", "finance.col.since",
    ),
}  # fmt: skip


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The rows of a group as a workbook, payees masked, no more than `list_exports.ROWS_MAX`."""
    group = request.GET.get("show", "")
    if group not in reads.GROUPS:
        raise Http404
    labels = _LABELS.get(group, _LABELS[""])

    def rows() -> Iterable[list[Any]]:
        after, seen = 0, 0
        while seen <= list_exports.ROWS_MAX:
            page = _rows(request, group, after, reads.LIMIT_MAX)
            yield from (_cells(group, one["row"]) for one in page)
            if len(page) < reads.LIMIT_MAX or group == "differences":
                return
            after, seen = page[-1]["row"].cursor, seen + len(page)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "finance.xlsx"
        list_exports.write(
            path, labels=[text(key, language()) for key in labels], rows=rows(),
            more=text("worklist.export.more", language(), n=list_exports.ROWS_MAX),
        )  # fmt: skip
        return as_workbook.sent(path, f"finance-{group}", at=now())


def _cells(group: str, row: Any) -> list[Any]:
    if group == "recoveries":
        return _owed_cells(row)
    return _difference_cells(row) if group == "differences" else _payment_cells(row)


def _payment_cells(row: payment_reads.Row) -> list[Any]:
    return [
        row.number, word("payment_kind", row.kind), amount(row.amount_minor, row.currency), row.currency, row.payee,
        row.account, row.state_name, word("reason.bank", row.failure), local_time(row.submitted_at), row.end_to_end_id,
    ]  # fmt: skip


def _owed_cells(row: reads.Owed) -> list[Any]:
    sums = [amount(minor, row.currency) for minor in (row.open_minor, row.due_minor, row.received_minor)]
    return [
        row.number, word("recovery_kind", row.kind), sums[0], row.currency, row.debtor, sums[1], sums[2],
        local_time(row.opened_at),
    ]  # fmt: skip


def _difference_cells(row: reads.Difference) -> list[Any]:
    sums = [amount(minor, row.currency) if minor is not None else "" for minor in (row.ordered_minor, row.said_minor)]
    return [
        row.number, row.end_to_end_id, *sums, row.currency, word("state.payment", row.state),
        word("reason.bank", row.reason), local_time(row.at),
    ]  # fmt: skip
