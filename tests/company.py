"""A small company for tests: one member of staff per role and a policy of each product."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from lipei.domain.events import Actor
from lipei.services import world
from lipei.store import crypto, models
from lipei.store.aggregates import normal

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 in Shanghai
LINES = ("motor", "health", "accident", "household", "travel", "property", "liability")
PEOPLE = {
    "intake1": ("intake",),
    "handler1": ("handler",),
    "handler2": ("handler",),
    "surveyor1": ("surveyor",),
    "assessor1": ("assessor",),
    "approver1": ("approver",),
    "approver2": ("approver",),
    "lead1": ("team_lead",),
    "manager1": ("manager",),
    "manager2": ("manager",),
    "finance1": ("finance",),
    "finance2": ("finance",),
    "expert1": ("expert",),
    "expert2": ("expert",),
    "investigator1": ("investigator",),
    "compliance1": ("compliance",),
    "admin1": ("administrator",),
}
CARD = "6222020200112233440"


def card(seed: int) -> str:
    """A bank card number with a good check digit."""
    body = f"622202020011{seed:06d}"
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def policy(
    number: str, product: str, schedule: dict[str, Any], *, name: str, phone: str, plate: str = "", seed: int = 1
) -> Any:
    """A policy in force for a year around NOW."""
    objects = [{"kind": "vehicle", "identifier": plate, "description": ""}] if plate else []
    return models.Policy.objects.create(
        number=number,
        product=product,
        terms_version=1,
        starts_at=NOW - timedelta(days=200),
        ends_at=NOW + timedelta(days=165),
        region="上海",
        holder_name=name,
        insured_name=name,
        phone=phone,
        account_name=name,
        account_number=card(seed),
        account_bank="102290000000",
        insured_objects=json.dumps(objects, ensure_ascii=False),
        schedule=schedule,
        phone_index=crypto.blind_index("phone", normal(phone)),
        plate_index=crypto.blind_index("plate", normal(plate)) if plate else "",
    )


def company() -> SimpleNamespace:
    """Staff as actors by code (``c.handler1``), their rows (``c.rows``), and policies (``c.car`` …)."""
    world.forget_staff()
    rows = {
        code: models.Staff.objects.create(
            code=code,
            name=code.capitalize(),
            roles=roles,
            unit="shanghai",
            skills=skills(),
            languages=("zh-hans", "zh-hant", "en"),
            email=f"{code}@example.com",
        )
        for code, roles in PEOPLE.items()
    }
    actors = {
        code: Actor(f"staff:{row.id}", row.name, frozenset(row.roles), unit=row.unit) for code, row in rows.items()
    }
    car = {
        "compulsory_property": {}, "compulsory_medical": {}, "compulsory_death_disability": {},
        "own_damage": {"sum_insured_minor": 15000000, "deductible_minor": 50000},
        "third_party": {"limit_minor": 100000000, "deductible_rate": "5%"},
    }  # fmt: skip
    return SimpleNamespace(
        **actors,
        rows=rows,
        car=policy("PC-1", "private_car", car, name="王小明", phone="13800138000", plate="沪A12345", seed=1),
        program=Actor("token:1", "program", frozenset({"program"})),
        bank=Actor("system:bank", "bank"),
        handler_of=lambda case: next(a for a in actors.values() if a.staff_id == case.claim.handler),
    )


@functools.cache
def skills() -> tuple[str, ...]:
    """Every skill that the assignment table may ask for."""
    from lipei.norms import loader

    table = loader.rulebook({}, market="CN").assignment
    return (*dict.fromkeys(skill for skill, _ in table.skills), "fast_lane")
