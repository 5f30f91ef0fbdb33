"""What a rule may know beside the claim: policy and ledger, colleagues and their load, claims that look alike.

Each look-up is one query, and made only for the actions that need it. How busy everybody is may be a few seconds old:
it decides who is asked, not what is true.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from lipei.domain import commands, lifecycle
from lipei.domain.assignment import Candidate
from lipei.domain.authority import Delegation, own_limit_minor
from lipei.domain.claims import Case, Claim, without_attempt
from lipei.domain.conduct import World
from lipei.domain.limits import PolicyLedger
from lipei.domain.policies import InsuredObject, Policy
from lipei.domain.rulebook import Rulebook
from lipei.reads import demo, interests
from lipei.reads import rulebook as rulebook_in_force
from lipei.store import aggregates, crypto, models
from lipei.store.aggregates import Loaded, normal

LOAD_SECONDS = 5
"""How long the look-up of colleagues and their load holds, at the least: `_Company.holds_until`."""
SELDOM = 50
"""A look-up that takes long is made seldom: it holds for so many times what it took."""
SENDS_CODE = ("send", "send_code")
NEEDS_STAFF = frozenset(
    {"report", "register", "assign", "hand_over", "schedule", "convene", "triage", "reopen", "accept_assignment"}
)


HANDLES = frozenset({"handler"})
ASKED = {"schedule": frozenset[str](), "convene": frozenset[str](), "hand_over": HANDLES | {"team_lead"}}
"""Who may be named in an action, by role, where it is others than handlers; empty: everybody."""


def code_digest(code: str) -> str:
    """The keyed digest of a one-time code."""
    return crypto.blind_index("one-time-code", code)


def base(rulebook: Rulebook) -> World:
    """A world without anything looked up."""
    return World(
        rulebook=rulebook,
        roster=rulebook.duty.roster,
        one_time_code=_drawn(rulebook),
        code_digest=code_digest,
        sampling_salt=hmac.digest(crypto.keys().index, b"sampling", hashlib.sha256),
    )


def _drawn(rulebook: Rulebook) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(rulebook.settings.one_time_code_digits))


def one_time_code(rulebook: Rulebook) -> str:
    """A code that nobody can guess; in a demonstration the one that everybody knows, so that it can be tried."""
    return demo.CODE[: rulebook.settings.one_time_code_digits] if demo.exists() else _drawn(rulebook)


# --- policies ---------------------------------------------------------------------------------------------------------


def policy_value(row: Any, zone: str) -> Policy:
    """The policy as a settlement needs it."""
    objects = json.loads(row.insured_objects or "[]")
    return Policy(
        id=row.id,
        number=row.number,
        product=row.product,
        terms_version=row.terms_version,
        currency=row.currency,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        status=row.status,
        ended_at=row.ended_at,
        zone=zone,
        holder=row.holder_name,
        insured=row.insured_name,
        objects=tuple(
            InsuredObject(n, o.get("kind", ""), o.get("identifier", ""), o.get("description", ""))
            for n, o in enumerate(objects, 1)
        ),
        schedule=row.schedule,
    )


def find_policy(command: commands.Report, now: datetime) -> Any | None:
    """The policy a report is about: by number, else by plate, else by the reporter's phone if it leaves no doubt."""
    if command.policy_number:
        return aggregates.row(models.Policy, "number", command.policy_number.strip())
    rows = models.Policy.objects
    at = command.loss_at or now
    ways = []
    if command.plate:
        ways.append(Q(plate_index=crypto.blind_index("plate", normal(command.plate))))
    if command.phone:
        ways.append(Q(phone_index=crypto.blind_index("phone", normal(command.phone))))
    for way in ways:
        found = [row for row in rows.filter(way)[:20] if row.starts_at <= at < row.ends_at]
        fitting = [row for row in found if not command.line or _line_of(row.product) == command.line]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _line_of(product: str) -> str:
    terms = rulebook_in_force.used().products.latest(product)
    return terms.line if terms else ""


def on_file(row: Any) -> dict[str, str]:
    """What is known of the insured and is therefore not asked again (norm 1.3.3)."""
    return {
        "name": row.insured_name,
        "phone": row.phone,
        "email": row.email,
        "id_number": row.id_number,
        "id_type": "resident_id" if row.id_number else "",
        "account_name": row.account_name,
        "account_number": row.account_number,
        "account_bank": row.account_bank,
        "language": row.language,
    }


def ledger(policy_id: int) -> Loaded:
    """The policy's ledger, empty where nothing was drawn yet."""
    from lipei.services.unit_of_work import begin

    return aggregates.load(PolicyLedger, policy_id) or begin(PolicyLedger, policy_id)


# --- claims that look alike -------------------------------------------------------------------------------------------

_OF_PHONE = "SELECT aggregate_id FROM party WHERE phone_index = %s AND phone_index <> ''"
"""The second condition says nothing new: by it a prepared plan may use the partial index."""
_SAME_PHONE = f"id IN ({_OF_PHONE})"
_SAME_POLICY = f"""
id IN (SELECT id FROM claim WHERE policy_id = %s UNION {_OF_PHONE}) AND (policy_id = %s OR policy_id IS NULL)
"""
_ALIKE = """
SELECT number FROM claim
WHERE {whose} AND (loss_at BETWEEN %s AND %s OR loss_at IS NULL AND reported_at BETWEEN %s AND %s)
AND state NOT IN ('cancelled', 'withdrawn') AND id <> %s ORDER BY id LIMIT 10
"""


def alike(
    *, policy_id: int | None, phone: str, loss_at: datetime, window_hours: int, without: int = 0
) -> tuple[str, ...]:
    """Numbers of open or recent claims on the same policy about the same time of loss, or from the same phone where it or
    the other is without a policy.

    A loss whose time nobody said is taken to be of the time of its report.
    """
    if policy_id is None and not phone:
        return ()
    at = connection.ops.adapt_datetimefield_value
    since, until = at(loss_at - timedelta(hours=window_hours)), at(loss_at + timedelta(hours=window_hours))
    index = crypto.blind_index("phone", normal(phone)) if phone else ""
    whose = [index] if policy_id is None else [policy_id, index, policy_id]
    with connection.cursor() as cursor:  # every report asks: a queryset would cost several times as much
        cursor.execute(
            _ALIKE.format(whose=_SAME_PHONE if policy_id is None else _SAME_POLICY),
            [*whose, since, until, since, until, without],
        )
        return tuple(number for (number,) in cursor.fetchall())


# --- colleagues -------------------------------------------------------------------------------------------------------


@dataclass
class _Company:
    """Colleagues and their load as they were looked up a few seconds ago, and what was made of them since.

    All threads of a process ask the same one, at the same time.
    """

    holds_until: float
    rulebook: Rulebook
    people: tuple[Any, ...]
    load: dict[int, tuple[int, int]]
    """By member of staff: open claims, and how many of them are urgent."""
    shaped: dict[tuple[str, int, int, int], Candidate] = field(default_factory=dict)
    """By line, member of staff and their load: never cleared, so that no thread takes from another what it reads."""
    counting: Lock = field(default_factory=Lock)

    def took_on(self, staff_id: int) -> None:
        """One open claim more in somebody's hands."""
        with self.counting:
            open_, urgent = self.load.get(staff_id, (0, 0))
            self.load[staff_id] = (open_ + 1, urgent)

    def candidate(self, person: Any, line: str) -> Candidate:
        """The person as assignment sees them in a claim of this line."""
        open_, urgent = self.load.get(person.id, (0, 0))
        key = (line, person.id, open_, urgent)
        found = self.shaped.get(key)
        if found is None:
            found = self.shaped[key] = self._shape(person, line, open_, urgent)
        return found

    def _shape(self, person: Any, line: str, open_: int, urgent: int) -> Candidate:
        table = self.rulebook.assignment
        minutes = person.minutes_per_case.get(line) or table.minutes_by_line.get(line, table.minutes_other)
        return Candidate(
            staff_id=person.id,
            unit=person.unit,
            skills=frozenset(person.skills),
            authority_minor=_authority(self.rulebook, person.roles, line),
            regions=frozenset(person.regions),
            languages=frozenset(person.languages),
            absences=tuple((a.starts_at, a.ends_at) for a in person.absences.all()),
            load_minutes=open_ * minutes,
            urgent_minutes=urgent * minutes,
            minutes_by_line=person.minutes_per_case,
            fast_lane="fast_lane" in person.skills,
        )


_company: _Company | None = None
_looking_up = Lock()


def forget_staff() -> None:
    """Look colleagues up anew at the next question (after an edit of staff or absences)."""
    global _company
    _company = None


def _company_of(rulebook: Rulebook) -> _Company:
    """Colleagues and load. One thread looks them up anew; meanwhile the others go on with what was known a moment ago."""
    global _company
    found = _company
    usable = found is not None and found.rulebook is rulebook
    if found is not None and usable and time.monotonic() < found.holds_until:
        return found
    if not _looking_up.acquire(blocking=not usable):
        return found  # type: ignore[return-value]  # usable, so it is there
    try:
        if _company is not found and _company is not None and _company.rulebook is rulebook:
            return _company  # another thread has just done it
        found = _company = _looked_up(rulebook)
        return found
    finally:
        _looking_up.release()


def _looked_up(rulebook: Rulebook) -> _Company:
    began = time.monotonic()
    people = tuple(models.Staff.objects.filter(active=True).prefetch_related("absences").order_by("id"))
    rows = (
        models.Claim.objects.filter(state__in=lifecycle.OPEN, handler__isnull=False)
        .values("handler")
        .annotate(n=Count("id"), urgent=Count("id", filter=Q(fast_lane=True)))
    )
    load = {r["handler"]: (r["n"], r["urgent"]) for r in rows}
    ended = time.monotonic()
    return _Company(ended + max(LOAD_SECONDS, SELDOM * (ended - began)), rulebook, people, load)


def took_on(staff_id: int | None) -> None:
    """Count a claim just assigned, so that the next question knows before the load is looked up anew."""
    company = _company  # another thread may forget it at any moment
    if company is not None and staff_id is not None:
        company.took_on(staff_id)


def name_of(staff_id: int | None) -> str:
    """A colleague's name, from the look-up of colleagues that an assignment has just made; empty for nobody."""
    company = _company  # another thread may forget it at any moment
    people = company.people if company is not None else ()
    return next((person.name for person in people if person.id == staff_id), "")


def candidates(
    rulebook: Rulebook,
    case: Case | None,
    indexes: frozenset[str],
    line: str = "",
    *,
    roles: frozenset[str] = frozenset(),
) -> tuple[Candidate, ...]:
    """Everybody who could be asked, as assignment sees them; a shared phone or identity number is a conflict.

    ``roles``: only those who hold one of these, as `HANDLES`, to whom a new claim may be assigned.
    """
    company = _company_of(rulebook)
    line = line or (case.claim.line if case else "")
    found = []
    for person in company.people:
        if roles and roles.isdisjoint(person.roles):
            continue
        candidate = company.candidate(person, line)
        found.append(candidate if indexes.isdisjoint(person.conflicts) else replace(candidate, conflict=True))
    return tuple(found)


def interested(rulebook: Rulebook, case: Case) -> frozenset[int]:
    """The colleagues who have an interest in a claim: they share a phone or identity number with a party."""
    indexes = interests.indexes_of(case)
    return frozenset(p.id for p in _company_of(rulebook).people if not indexes.isdisjoint(p.conflicts))


def _authority(rulebook: Rulebook, roles: tuple[str, ...], line: str) -> dict[str, int]:
    currencies = {c for row in rulebook.authority.limits for c in row.limits_minor}
    return {
        c: own_limit_minor(table=rulebook.authority, roles=roles, kind="assess", line=line, currency=c)
        for c in currencies
    }


def delegations(now: datetime) -> tuple[Delegation, ...]:
    """The authority lent at this moment."""
    rows = models.Delegation.objects.filter(starts_at__lte=now, ends_at__gt=now).select_related("giver")
    return tuple(
        Delegation(
            id=row.id,
            giver=f"staff:{row.giver_id}",
            giver_roles=frozenset(row.giver.roles) if row.giver.active else frozenset(),
            taker=f"staff:{row.taker_id}",
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            kinds=frozenset(row.kinds),
        )
        for row in rows
    )


def indexes_of(case: Case | None, command: Any = None) -> frozenset[str]:
    """What a conflict of interest is seen by, see `interests.indexes_of`; of a report also by what it says."""
    found = set(interests.indexes_of(case)) if case else set()
    if isinstance(command, commands.Report):
        found |= {
            crypto.blind_index("phone", normal(p)) for p in (command.phone, *(q.phone for q in command.parties)) if p
        }
    return frozenset(found - {""})


def of_case(
    case: Case, *, rulebook: Rulebook, subject: str, action: str, command: Any, now: datetime
) -> tuple[World, Loaded | None]:
    """The world for one action on a claim, and the policy's ledger as it was read (None: no policy)."""
    world = base(rulebook)
    claim: Claim = case.claim
    row = None
    named = getattr(command, "policy_number", "") if action == "register" else ""
    if named:
        row = models.Policy.objects.filter(number=named.strip()).first()
    elif claim.policy_id is not None:
        row = models.Policy.objects.filter(id=claim.policy_id).first()
    held = ledger(row.id) if row is not None else None
    if subject == "offer" and action in SENDS_CODE:
        world = replace(world, one_time_code=one_time_code(rulebook))
    if row is not None and held is not None:
        world = replace(
            world, policy=policy_value(row, rulebook.settings.zone), ledger=held.aggregate, on_file=on_file(row)
        )
    if action in NEEDS_STAFF:
        world = replace(world, candidates=_candidates_for(action, case, command, rulebook))
    if subject in ("exposure", "payment", "recovery"):
        world = replace(
            world,
            delegations=delegations(now),
            interested=frozenset(f"staff:{number}" for number in interested(rulebook, case)),
        )
    if subject == "payment" and action in ("retry", "cancel"):
        world = replace(world, doubted=doubted())
    if action == "link_duplicate":
        world = replace(world, alike=_existing(command.number, claim))
    elif claim.state in lifecycle.OPEN and subject in ("exposure", "paper", "claim", "party"):
        world = replace(world, alike=_alike_of(case, command, rulebook))
    invoice = "".join(getattr(command, "invoice_number", "").split()).upper()
    if action == "receive" and invoice:
        world = replace(world, invoices_seen=_invoices(invoice, case.id))
    return world, held


def doubted() -> frozenset[str]:
    """The payments that the bank said something of that fits nothing and that nobody has cleared up: they may have been
    paid. By their identity without the attempt, for it may be an earlier one that was paid after all."""
    said = models.BankMessage.objects.filter(direction="in", state="unmatched")
    return frozenset(without_attempt(name) for name in said.values_list("message_id", flat=True))


def _candidates_for(action: str, case: Case, command: Any, rulebook: Rulebook) -> tuple[Candidate, ...]:
    return candidates(rulebook, case, indexes_of(case, command), roles=ASKED.get(action, HANDLES))


def _alike_of(case: Case, command: Any, rulebook: Rulebook) -> tuple[str, ...]:
    reporter = case.party("reporter")
    loss_at = getattr(command, "loss_at", None) or case.claim.loss_at or case.claim.reported_at
    if loss_at is None:
        return ()
    return alike(
        policy_id=case.claim.policy_id,
        phone=reporter.phone if reporter else "",
        loss_at=loss_at,
        window_hours=rulebook.settings.duplicate_window_hours,
        without=case.id,
    )


def _existing(number: str, claim: Claim) -> tuple[str, ...]:
    """The named claim, if there is one that can stand for this one."""
    rows = models.Claim.objects.filter(number=number.strip()).exclude(number=claim.number)
    return tuple(rows.exclude(state__in=("cancelled", "withdrawn")).values_list("number", flat=True))


def _invoices(invoice: str, claim_id: int) -> Mapping[str, str]:
    row = (
        models.Paper.objects.filter(invoice_number=invoice)
        .exclude(aggregate_id=claim_id)
        .values_list("aggregate_id", flat=True)
        .first()
    )
    if row is None:
        return {}
    return {invoice: models.Claim.objects.filter(id=row).values_list("number", flat=True).first() or ""}
