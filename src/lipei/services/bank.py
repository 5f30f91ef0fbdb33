"""The bank: approved payments leave once, answers are matched to them, silence is asked about (norm 2.2.4, part 4).

Three steps, each of which may be cut off anywhere without paying twice:

1. `submit`: "payment.submitted" and the intent (a `BankMessage`) are committed together, whoever takes the step
   (`consequences.py`). Nothing has left yet.
2. `hand_over`: intents go to the gateway under the payment's end-to-end id. The gateway takes the same order twice as
   one, so an intent whose worker died is simply handed over again.
3. `collect`: each answer is matched by end-to-end id and amount, and recorded with the payment's event in one
   transaction under the answer's own digest; only then is it acknowledged to the gateway.

An answer that fits nothing (another amount, a payment in another state) changes nothing: it is kept as ``unmatched``
for a person of finance to look at. A payment that the bank is silent about is asked about (`ask`), never paid again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from lipei.domain import commands, conduct
from lipei.domain.claims import Case, Payment, without_attempt
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.registers import BankRegister
from lipei.gateways.bank import (
    PAYEE_CHANGED,
    Account,
    BankAnswer,
    BankGateway,
    BankOrder,
    DemonstrationGateway,
    FilesGateway,
)
from lipei.services import actions, bank_hold, norms, one_by_one, registers, unit_of_work, world
from lipei.services.actions import Done
from lipei.services.consequences import ORDER
from lipei.services.leases import Watch
from lipei.services.owing import INTENT, Insert, order_digest
from lipei.store import aggregates, crypto, models

BANK = Actor("system:bank", "bank")
DEMONSTRATION_ACCOUNT = "Lipei Demonstration;100200300400;102100099996"
ANSWER = "answer"
_ACTIONS = {"confirmed": "confirm", "failed": "fail"}

log = structlog.get_logger(__name__)


class NotSetUp(Exception):
    """The bank's setting makes no sense; the sentence says what to do."""


@cache
def _gateway(url: str, home: Path) -> BankGateway:
    key = crypto.keys().index
    scheme, _, rest = url.partition(":")
    if scheme == "demonstration":
        return DemonstrationGateway(Path(rest) if rest else home / "bank", key=key)
    if scheme == "files" and rest:
        return FilesGateway(Path(rest), key=key, wait_seconds=settings.LIPEI_BANK_WAIT)
    raise NotSetUp(f"LIPEI_BANK_URL={url!r}: use files:/folder or demonstration:")


def gateway() -> BankGateway:
    """The gateway that the settings name. Raises `NotSetUp`."""
    return _gateway(settings.LIPEI_BANK_URL, Path(settings.LIPEI_HOME))


def folder() -> Path:
    """Where the gateway keeps its memory: part of every backup."""
    _, _, rest = str(settings.LIPEI_BANK_URL).partition(":")
    return Path(rest) if rest else Path(settings.LIPEI_HOME) / "bank"


def own_account() -> Account:
    """The company's account. Raises `NotSetUp` where a real bank has none to pay from."""
    said = settings.LIPEI_BANK_ACCOUNT
    if not said and str(settings.LIPEI_BANK_URL).startswith("demonstration:"):
        said = DEMONSTRATION_ACCOUNT
    parts = [part.strip() for part in said.split(";")]
    if len(parts) != 3 or not all(parts):
        raise NotSetUp(
            "LIPEI_BANK_ACCOUNT is missing: say name;number;bank code of the account that claims are paid from."
        )
    return Account(*parts)


# --- 1. from approved to submitted ---------------------------------------------------------------------------


def submit(*, now: datetime, limit: int) -> int:
    """Make intents of approved payments; how many. The intent is what follows the step, whoever takes it.

    One of which the bank has said what fits nothing waits until a person has cleared that up, for it may be paid already;
    so does what may take the place of one that was cancelled.
    """
    approved = models.Payment.objects.filter(state="approved").order_by("id")
    due = approved.values_list("aggregate_id", "part", "end_to_end_id")
    doubted = world.doubted() if due else frozenset()
    claims = models.Claim.objects.filter(number__in={name.rpartition("-")[0] for name in doubted}).values("id")
    cancelled = models.Payment.objects.filter(state="cancelled", aggregate_id__in=claims) if doubted else ()
    replaced = {row.aggregate_id for row in cancelled if without_attempt(row.end_to_end_id) in doubted}

    def one(place: tuple[int, int, str]) -> bool:
        if without_attempt(place[2]) in doubted or place[0] in replaced:
            return False
        return isinstance(_act(place[0], "submit", place[1], commands.Nothing(), now), Done)

    return one_by_one.each(due[: limit * 4], one, work="bank.submit", most=limit)


def _act(
    stream_id: int, action: str, part: int, command: Any, now: datetime, *, inside: Callable[[], None] | None = None,
    beside: Sequence[Insert] = (),
) -> Refusal | Done:  # fmt: skip
    """A step on a payment, taken by the bank's own actor; ``inside`` and ``beside`` as in `unit_of_work.commit`."""

    def decide(loaded: aggregates.Loaded, known: conduct.World) -> Refusal | conduct.Happened:
        return conduct.conduct(
            case=loaded.aggregate, subject="payment", action=action, part=part, command=command, actor=BANK,
            world=known, now=now,
        )  # fmt: skip

    return actions.change(
        stream_id, decide, subject="payment", action=action, command=command, now=now, cause=f"payment.{action}",
        inside=inside, beside=beside,
    )  # fmt: skip


# --- 2. to the bank ------------------------------------------------------------------------------------------


def hand_over(*, now: datetime, limit: int) -> int:
    """Hand intents to the bank; how many orders it has now. Raises `NotSetUp`, and OSError where nothing was stored."""
    assert not unit_of_work.in_transaction(), "the bank is never spoken to inside a transaction"
    watch = Watch()
    rows = _leased(now, limit)
    if not rows:
        return 0
    account, to_bank = own_account(), gateway()
    orders = _orders(rows, account, now)
    # Putting them together took a while: only what is still in our hands leaves.
    rows = _held_on(rows, now + watch.passed())
    leaving = [order for row in rows if (order := orders.get(row.message_id)) is not None]
    sent = to_bank.submit(leaving, now=now)
    out = [row.id for row in rows if row.message_id in {*sent.sent, *sent.known}]
    models.BankMessage.objects.filter(id__in=out).update(state="sent", detail=sent.message_id)

    def aside(row: Any) -> int:
        if row.message_id in sent.refused:
            _refused(row, sent.refused[row.message_id], now)
        elif row.message_id in orders and orders[row.message_id] is None:
            _kept_back(row, to_bank, now)
        return 0

    one_by_one.each(rows, aside, work="bank.hand_over")
    return len(out)


def _leased(now: datetime, limit: int) -> list[Any]:
    """Intents that nobody else is handing over. Two workers at once would be harmless, but a waste."""
    free = _intents().filter(Q(leased_until=None) | Q(leased_until__lte=now))
    ids = list(free.order_by("id").values_list("id", flat=True)[:limit])
    until = now + norms.current().jobs.lease
    if not ids or not free.filter(id__in=ids).update(leased_until=until):
        return []
    return list(_intents().filter(id__in=ids, leased_until=until).order_by("id"))


def _held_on(rows: Sequence[Any], now: datetime) -> list[Any]:
    """Those of our intents that nobody took over or stopped meanwhile, with a fresh lease."""
    until, before = now + norms.current().jobs.lease, rows[0].leased_until
    ours = _intents().filter(id__in=[row.id for row in rows], leased_until=before)
    with transaction.atomic():
        if not ours.update(leased_until=until):
            return []
        return list(_intents().filter(id__in=[row.id for row in rows], leased_until=until).order_by("id"))


def _intents() -> Any:
    return models.BankMessage.objects.filter(direction="out", kind=INTENT, state="queued")


def _orders(rows: Sequence[Any], account: Account, now: datetime) -> dict[str, BankOrder | None]:
    """What the bank is told, by identity; None where the payment is not to be made as it stands, nothing where it waits
    for a person to clear up what the bank said of it."""
    found: dict[str, BankOrder | None] = {}
    doubted = world.doubted()

    def one(row: Any) -> int:
        if without_attempt(row.message_id) not in doubted:
            found[row.message_id] = _order(row.message_id, account, now)
        return 1

    one_by_one.each(rows, one, work="bank.order")
    return found


def _payment(end_to_end_id: str) -> tuple[int, int] | None:
    """Claim and number of the payment with this identity."""
    row = models.Payment.objects.filter(end_to_end_id=end_to_end_id).values_list("aggregate_id", "part").first()
    return row and (row[0], row[1])


def _order(end_to_end_id: str, account: Account, now: datetime) -> BankOrder | None:
    place = _payment(end_to_end_id)
    loaded = aggregates.load(Case, place[0]) if place else None
    if place is None or loaded is None:
        return None
    case: Case = loaded.aggregate
    payment: Payment = case.payments[place[1]]
    if payment.state != "submitted" or not payment.approved_by:
        return None
    payee = case.parties[payment.payee or 0]
    return BankOrder(
        end_to_end_id=end_to_end_id,
        amount_minor=payment.amount_minor,
        currency=case.claim.currency,
        debtor=account,
        creditor=Account(payee.account_name or payee.name, payee.account_number, payee.account_bank),
        remittance=case.claim.number,
        requested_on=norms.current().settings.day(now),
    )


def _kept_back(row: Any, to_bank: BankGateway, now: datetime) -> None:
    """An order that is not to be made as it stands, and leaves never unless it has before. Where only its approvals fell
    away, because the payee or the account is another than was approved, it goes back to people.
    """
    if to_bank.inquire(row.message_id) is not None:
        models.BankMessage.objects.filter(id=row.id).update(state="sent")
    elif models.Payment.objects.filter(end_to_end_id=row.message_id, state="submitted").exists():
        _refused(row, PAYEE_CHANGED, now)
    else:
        models.BankMessage.objects.filter(id=row.id).update(state="void")


def _refused(row: Any, code: str, now: datetime) -> None:
    """The gateway would not take the order: nothing has left, and a person mends it (`retry` makes a new order).

    But for one thing: an identity that the bank has had before means that the order has left, whatever was corrected on
    the claim since. It is with the bank, and its answer is awaited.
    """
    if code == "refusal.bank_order_reused":
        log.warning("the bank has this order already, as it was before a correction", payment=row.message_id)
        models.BankMessage.objects.filter(id=row.id).update(state="sent", detail=code)
        return
    place = _payment(row.message_id)
    if place is None:
        return

    def close() -> None:
        models.BankMessage.objects.filter(id=row.id).update(state="refused", detail=code)

    log.warning("payment refused before it left", payment=row.message_id, why=code)
    _act(place[0], "fail", place[1], commands.Failed(reason=code.removeprefix("refusal.")), now, inside=close)


# --- 3. the bank's word --------------------------------------------------------------------------------------


def collect(*, now: datetime) -> int:
    """Take in the bank's answers; how many. What cannot be recorded stays unacknowledged and comes again."""
    from_bank = gateway()
    answers = from_bank.poll(now)
    taken: list[BankAnswer] = []

    def take(answer: BankAnswer) -> int:
        if _take(answer, now):
            taken.append(answer)
        return 1

    one_by_one.each(answers, take, work="bank.collect")
    from_bank.acknowledge(taken)
    return len(taken)


def _take(answer: BankAnswer, now: datetime) -> bool:
    """Whether the answer is on record now (or was before)."""
    if answer.status == "accepted" or _on_record(answer):
        return True
    place = _payment(answer.end_to_end_id)
    if place is not None and _agrees(answer, place):
        _keep(answer, now, "bank.answer_agrees", "done")
        return True
    action = _action_for(answer, place)
    if action is None or place is None:
        _keep_unmatched(answer, now)
        return True
    command = (
        commands.Settled(reference=answer.reference[:60], at=min(answer.at, now))
        if action == "confirm"
        else commands.Failed(reason=answer.reason[:60])
    )
    try:
        # The unique digest undoes a second recording of the same answer together with its step.
        done = _act(place[0], action, place[1], command, now, beside=[_row(answer, now, "done")])
    except IntegrityError:
        return _on_record(answer)
    if isinstance(done, Refusal) and done.kind == "conflict":
        return False
    if isinstance(done, Refusal):
        _keep_unmatched(answer, now)
    return True


def _on_record(answer: BankAnswer) -> bool:
    return bool(models.BankMessage.objects.filter(direction="in", digest=answer.id).exists())


def _agrees(answer: BankAnswer, place: tuple[int, int]) -> bool:
    """Whether the bank says what is on record: finance has recorded by hand that the money arrived."""
    here = models.Payment.objects.filter(aggregate_id=place[0], part=place[1])
    return answer.status == "confirmed" and here.filter(state="confirmed", amount_minor=answer.amount_minor).exists()


def _action_for(answer: BankAnswer, place: tuple[int, int] | None) -> str | None:
    """The step that an answer asks for, None where it fits no payment of ours."""
    if place is None or answer.status not in _ACTIONS:
        return None
    row = models.Payment.objects.values_list("state", "amount_minor").get(aggregate_id=place[0], part=place[1])
    if answer.status == "confirmed":
        # Another amount than ordered is nobody's to interpret but a person's. What a person had given up and the bank
        # has paid all the same is paid: nobody is to pay it again.
        return "confirm" if row in {(s, answer.amount_minor) for s in ("submitted", "failed")} else None
    return {"submitted": "fail", "confirmed": "give_back"}.get(row[0])


def _row(answer: BankAnswer, now: datetime, state: str) -> Insert:
    """An answer as it is kept."""
    detail = f"{answer.status} {answer.reason} {answer.reference} {answer.amount_minor}"
    said = ("in", ANSWER, answer.end_to_end_id[:60], answer.id, now, (answer.end_to_end_id,), state, None, detail)
    return models.BankMessage, ORDER, [said]


def _keep_unmatched(answer: BankAnswer, now: datetime) -> None:
    log.warning("bank answer fits no payment", payment=answer.end_to_end_id, status=answer.status)
    _keep(answer, now, "bank.answer_unmatched", "unmatched")


def _keep(answer: BankAnswer, now: datetime, kind: str, state: str) -> None:
    """An answer that is no step of a payment stands in the bank's own register."""
    facts = {"end_to_end_id": answer.end_to_end_id[:60], "status": answer.status, "digest": answer.id}
    with suppress(IntegrityError):  # somebody else has just kept it
        registers.append(
            BankRegister, Event(kind, 0, facts), actor=BANK, now=now, beside=[_row(answer, now, state)]
        )  # fmt: skip


def ask(*, now: datetime, limit: int) -> int:
    """Ask about payments that the bank has been silent about for too long; how many got an answer or left again.

    An order that the bank never had (our own memory of it was lost with a crash) is handed over again under the same
    identity. One whose fate is unknown is left alone.
    """
    silent = models.Payment.objects.filter(
        state="submitted", submitted_at__lte=now - norms.current().jobs.bank_ask_after
    )
    from_bank = gateway()

    def one(end_to_end_id: str) -> int:
        answer = from_bank.inquire(end_to_end_id)
        if answer is None:
            return int(
                models.BankMessage.objects.filter(
                    direction="out", digest=order_digest(end_to_end_id), state="sent"
                ).update(state="queued", leased_until=None)
            )
        return int(answer.status in _ACTIONS and answer.at <= now and _take(answer, now))

    names = silent.order_by("id").values_list("end_to_end_id", flat=True)
    return one_by_one.each(names[:limit], one, work="bank.ask")


def turn(*, now: datetime, limit: int, asked: bool = False) -> int:
    """One turn of the whole way: submit, hand over, collect; how much was done. While orders are held, collect alone.

    ``asked``: somebody waits for the outcome, and a bank that is not set up or busy is raised instead of logged.
    """
    with norms.held():
        held = bank_hold.since() is not None  # the bank's word is taken all the same
        done = 0 if held else submit(now=now, limit=limit)
        try:
            return done + (0 if held else hand_over(now=now, limit=limit)) + collect(now=now)
        except (NotSetUp, OSError) as error:
            if asked:
                raise
            log.error("bank cannot be reached", why=str(error))
            return done


def unmatched() -> Sequence[Any]:
    """The answers that a person has to look at, newest first."""
    return list(models.BankMessage.objects.filter(direction="in", state="unmatched").order_by("-id")[:500])
