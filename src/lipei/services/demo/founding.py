"""The demonstration company is founded: staff with sign-ins, a duty roster, policies, by the usual services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from lipei.domain.events import Actor, Refusal
from lipei.gateways.tables import writer
from lipei.norms import loader
from lipei.services import imports, norms, people, personnel, prenotices
from lipei.services.demo.people import Person, card, person
from lipei.store import models

PASSWORD = "claims-for-show-2026"
FOUNDER = Actor("system:demonstration", "demonstration")
UNIT = "shanghai"

STAFF: Sequence[tuple[str, str, str]] = (
    ("intake1", "何文静", "intake"),
    ("handler1", "李明", "handler"),
    ("handler2", "陈静怡", "handler"),
    ("handler3", "赵志强", "handler"),
    ("handler4", "林雨桐", "handler"),
    ("surveyor1", "孙建军", "surveyor"),
    ("assessor1", "周慧", "assessor"),
    ("approver1", "吴浩", "approver"),
    ("approver2", "郑玉萍", "approver"),
    ("lead1", "黄敏", "team_lead"),
    ("manager1", "徐洋", "manager"),
    ("manager2", "高丽", "manager"),
    ("finance1", "朱红", "finance"),
    ("finance2", "马超", "finance"),
    ("expert1", "宋欣", "expert"),
    ("expert2", "冯杰", "expert"),
    ("investigator1", "袁刚", "investigator"),
    ("compliance1", "沈兰", "compliance"),
    ("admin1", "曾平", "administrator"),
)

FIGURES: Mapping[str, Mapping[str, Any]] = {
    "private_car": {
        "compulsory_property": "yes", "compulsory_medical": "yes", "compulsory_death_disability": "yes",
        "own_damage.sum_insured": "150000.00", "own_damage.deductible": "500.00", "third_party.limit": "1000000.00",
        "third_party.deductible_rate": "5%", "driver_passenger.seat_limit": "20000.00",
    },
    "medical": {
        "medical_expense.limit": "100000.00", "medical_expense.deductible": "200.00", "medical_expense.pay_rate": "80%",
    },
    "personal_accident": {
        "accidental_death.sum_insured": "300000.00", "disability.sum_insured": "300000.00",
        "accident_medical.limit": "20000.00",
        "hospital_allowance.daily": "100.00",
    },
    "household": {
        "building.sum_insured": "800000.00", "building.deductible": "200.00", "contents.sum_insured": "100000.00",
        "contents.deductible": "200.00",
    },
    "travel": {
        "baggage.sum_insured": "8000.00", "baggage_delay.block": "500.00", "trip_delay.block": "300.00",
        "travel_medical.limit": "200000.00", "travel_medical.deductible": "100.00",
    },
}  # fmt: skip
REACHED_BY = {
    "company_phone": "021-5555 0100", "company_email": "claims@example.com", "company_address": "上海市示范路1号"
}  # fmt: skip
"""Of the demonstration company: nobody's."""
PREFIXES = {"private_car": "PC", "medical": "MD", "personal_accident": "PA", "household": "HH", "travel": "TR"}


@dataclass(frozen=True, slots=True)
class Insured:
    """A policy of the demonstration and who holds it."""

    number: str
    product: str
    who: Person


@dataclass(frozen=True)
class Company:
    """Who works here and who is insured; ``heard``: the policies on which a loss was reported lately."""

    staff: Mapping[str, Actor]
    policies: Mapping[str, Sequence[Insured]]
    heard: set[str] = field(default_factory=set)

    def by_id(self, staff_id: int | None) -> Actor | None:
        """The member of staff with this id."""
        return next((actor for actor in self.staff.values() if actor.staff_id == staff_id), None)


def found(*, chance: Random, policies: int, starts: datetime, now: datetime) -> Company:
    """Found the company: ``policies`` policies, in force since before ``starts``; a roster from then to weeks ahead."""
    with TemporaryDirectory() as folder:
        staff = _staff(Path(folder), starts)
        insured = _policies(Path(folder), chance, policies, starts, now)
    _roster(staff, starts, now)
    _reachable(staff["manager1"], starts)
    _queues(staff["manager1"], starts)
    return Company(staff, insured)


def _imported(kind: str, rows: Sequence[Mapping[str, Any]], folder: Path, now: datetime) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path = folder / f"{kind}.csv"
    with writer(path) as file:
        file.row(columns)
        for row in rows:
            file.row([row.get(name, "") for name in columns])
    done = imports.run(kind=kind, path=path, now=now, actor=FOUNDER, rejects_path=folder / "rejected.csv")
    if isinstance(done, Refusal) or done.rejected:
        raise AssertionError(f"the demonstration's own {kind} cannot be imported: {done}")


def _staff(folder: Path, starts: datetime) -> dict[str, Actor]:
    skills = ",".join((*dict.fromkeys(skill for skill, _ in norms.current().assignment.skills), "fast_lane"))
    rows = [
        {
            "code": code, "name": name, "roles": roles, "unit": UNIT, "skills": skills,
            "languages": "zh-hans,zh-hant,en",
            "email": f"{code}@example.com", "phone": f"1370000{number:04d}",
        }
        for number, (code, name, roles) in enumerate(STAFF, start=1)
    ]  # fmt: skip
    _imported("staff", rows, folder, starts)
    secret = make_password(PASSWORD)  # once: it is slow on purpose, and the same for all
    users = get_user_model()
    colleagues = {row.code: row for row in models.Staff.objects.all()}
    changed = []
    with transaction.atomic():
        for code, _, _ in STAFF:
            row = colleagues[code]
            changed.append((row, personnel.before(row)))
            row.user = users.objects.create(username=code, password=secret)
            row.save(update_fields=["user"])
        personnel.staff_saved(changed, actor=FOUNDER, now=starts, besides=("username", "password"))
    return {code: Actor(f"staff:{r.id}", r.name, frozenset(r.roles), unit=r.unit) for code, r in colleagues.items()}


def _policies(folder: Path, chance: Random, count: int, starts: datetime, now: datetime) -> dict[str, list[Insured]]:
    insured: dict[str, list[Insured]] = {product: [] for product in FIGURES}
    first = Person("王小明", "13800138000", "", card(1), "上海", "沪A12345", "上海市徐汇区漕溪北路100号")
    for product, prefix in PREFIXES.items():
        insured[product].append(Insured(f"{prefix}-1", product, first))
    products = [*FIGURES, "private_car", "private_car"]  # as in life: most of them drive
    for number in range(count):
        product = products[number % len(products)]
        place = len(insured[product]) + 1
        insured[product].append(Insured(f"{PREFIXES[product]}-{place}", product, person(chance, number)))
    rows = [_row(one, starts, now) for many in insured.values() for one in many]
    _imported("policies", rows, folder, now)
    return insured


def _row(one: Insured, starts: datetime, now: datetime) -> dict[str, Any]:
    who = one.who
    thing = {
        "private_car": {"plate": who.plate},
        "household": {"object_kind": "home", "object": who.address},
    }.get(one.product, {"object_kind": "person", "object": who.name})
    return {
        "policy_number": one.number,
        "product": one.product,
        "starts_at": (starts - timedelta(days=60)).date().isoformat(),
        "ends_at": (now + timedelta(days=300)).date().isoformat(),
        "region": who.region,
        "holder_name": who.name,
        "phone": who.phone,
        "id_number": who.id_number,
        "account_name": who.name,
        "account_number": who.card,
        "account_bank": "102290000000",
        **thing,
        **FIGURES[one.product],
    }


def _roster(staff: Mapping[str, Actor], starts: datetime, now: datetime) -> None:
    """Weeks of duty without a gap, from the beginning of the history to eight weeks ahead, put in force as an edit."""
    version, document = _in_force("duty")
    zone = ZoneInfo(norms.current().duty.zone)
    week = starts.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(days=7)
    last = now.astimezone(zone).replace(tzinfo=None) + timedelta(weeks=8)
    names = [code for code in staff if code.startswith("handler")]
    shifts, turn = [], 0
    while week < last:
        line = [staff[names[(turn + n) % len(names)]].staff_id for n in range(2)]
        shifts.append(
            {"from": f"{week:%Y-%m-%d %H:%M}", "to": f"{week + timedelta(days=7):%Y-%m-%d %H:%M}", "persons": line}
        )
        week, turn = week + timedelta(days=7), turn + 1
    document |= {"team_lead": staff["lead1"].staff_id, "shifts": shifts}
    _put_in_force("duty", document, "值班表", version, staff["manager1"], starts)


def _reachable(manager: Actor, starts: datetime) -> None:
    """Numbers and an address that customers read where they may need help."""
    version, document = _in_force("settings")
    for name, value in REACHED_BY.items():
        document["settings"][name]["value"] = value
    _put_in_force("settings", document, "公司联系方式", version, manager, starts)


def _queues(manager: Actor, starts: datetime) -> None:
    """Everybody works in one unit: it has the only queue."""
    version, document = _in_force("assignment")
    document |= {"queues": [], "queue_other": UNIT}
    _put_in_force("assignment", document, "待派队列", version, manager, starts)


def _in_force(table: str) -> tuple[int, dict[str, Any]]:
    version, text = norms.text_in_force(table)
    return version, loader.read(text)


def _put_in_force(table: str, document: Any, reason: str, version: int, actor: Actor, now: datetime) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    saved = norms.save(table=table, text=text, reason=reason, seen_version=version, actor=actor, now=now)
    assert not isinstance(saved, Refusal), saved


def these_days(company: Company, now: datetime) -> None:
    """What is in the air: somebody goes on leave, somebody else stands in, and sales knows of a loss to come."""
    lead, manager = company.staff["lead1"], company.staff["manager1"]
    away, stands_in = company.staff["handler4"], company.staff["handler1"]
    assert away.staff_id and stands_in.staff_id and lead.staff_id
    until = now + timedelta(days=5)
    done: list[Any] = [
        people.away(
            staff_id=away.staff_id, starts_at=now + timedelta(days=2), ends_at=until, reason="年休假", reassign=False,
            actor=lead, now=now,
        ),
        people.lend(
            giver_id=lead.staff_id, taker_id=stands_in.staff_id, kinds=("advance",), starts_at=now, ends_at=until,
            actor=lead, now=now,
        ),
        prenotices.tell(
            prenotices.Tell("客户来电说车在商场地库被刮，照片已拍，出差回来后报案。", policy_number="PC-2"), actor=manager, now=now
        ),
    ]  # fmt: skip
    assert not any(isinstance(one, Refusal) for one in done), done
