"""A company of a size: colleagues who handle claims, and policies for the claims to be on."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

HANDLERS = 30
SMALL, SMALL_OPEN = 1000, 100
"""The company beside which a large one is held: so many claims, so many of them open."""
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "明芳伟敏静丽强磊军洋勇艳杰娟涛超霞平刚英华玉"
SCHEDULES: dict[str, dict[str, Any]] = {
    "private_car": {
        "compulsory_property": {}, "compulsory_medical": {}, "compulsory_death_disability": {},
        "own_damage": {"sum_insured_minor": 15_000_000, "deductible_minor": 50_000},
        "third_party": {"limit_minor": 100_000_000, "deductible_rate": "5%"},
    },
    "travel": {"baggage": {"sum_insured_minor": 800_000}},
}  # fmt: skip


def set_up() -> None:
    """Django on the scratch database, its tables made."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def colleagues(handlers: int = HANDLERS) -> list[Any]:
    """Handlers who can take every line, and one person each for the roles beside them."""
    from lipei.norms import loader
    from lipei.services import world
    from lipei.store import models

    table = loader.rulebook({}, market="CN").assignment
    skills = (*dict.fromkeys(skill for skill, _ in table.skills), "fast_lane")
    roles = [("handler",)] * handlers + [("team_lead",), ("approver",), ("finance",), ("manager",)]
    rows = [
        models.Staff(
            code=f"bench{n}", name=f"{SURNAMES[n % len(SURNAMES)]}经办{n}", roles=role, unit="shanghai", skills=skills,
            languages=("zh-hans", "zh-hant", "en"), email=f"bench{n}@example.com",
        )
        for n, role in enumerate(roles)
    ]  # fmt: skip
    models.Staff.objects.bulk_create(rows)
    world.forget_staff()
    return list(models.Staff.objects.order_by("id"))


def policies(count: int, *, product: str = "private_car", now: datetime, seed: int = 1) -> list[Any]:
    """Policies in force for years around now, each of somebody with a phone and an account of their own."""
    from lipei.store import crypto, models
    from lipei.store.aggregates import normal

    dice = random.Random(seed)
    rows = []
    for n in range(count):
        name = dice.choice(SURNAMES) + dice.choice(GIVEN) + dice.choice(GIVEN)
        phone, plate = f"139{n:08d}", f"沪A{n:05d}"
        rows.append(
            models.Policy(
                number=policy_number(product, n),
                product=product,
                terms_version=1,
                region="上海",
                starts_at=now - timedelta(days=200),
                ends_at=now + timedelta(days=165),
                holder_name=name,
                insured_name=name,
                phone=phone,
                account_name=name,
                account_number=card(n),
                account_bank="102290000000",
                insured_objects=json.dumps(
                    [{"kind": "vehicle", "identifier": plate, "description": ""}], ensure_ascii=False
                ),
                schedule=SCHEDULES[product],
                phone_index=crypto.blind_index("phone", normal(phone)),
                plate_index=crypto.blind_index("plate", normal(plate)),
            )
        )
    return list(models.Policy.objects.bulk_create(rows, batch_size=1000))


def policy_number(product: str, n: int) -> str:
    """The number of the n-th policy of a product."""
    return f"{product}-{n:06d}"


def card(seed: int) -> str:
    """A bank card number with a good check digit, and none of the endings that the demonstration bank fails."""
    from lipei.services.intake import luhn_digit

    body = f"622202020{seed:08d}5"
    return body + luhn_digit(body)


def token() -> str:
    """The secret of a program's token that may do everything a program may."""
    from datetime import UTC

    from lipei.services import tokens

    made = tokens.make("benchmark", tokens.SCOPES, now=datetime.now(UTC))
    assert isinstance(made, str), made
    return made


def member(role: str) -> tuple[Any, str]:
    """A colleague in a role: their user, to sign in, and the secret of a token that acts as that person."""
    from datetime import UTC

    from django.contrib.auth import get_user_model

    from lipei.services import tokens
    from lipei.store import models

    staff = next(row for row in models.Staff.objects.order_by("id") if role in row.roles)
    if staff.user is None:
        staff.user = get_user_model().objects.create_user(username=staff.code, password=None)
        staff.save(update_fields=["user"])
    made = tokens.make(f"benchmark {role}", tokens.SCOPES, staff.code, now=datetime.now(UTC))
    assert isinstance(made, str), made
    return staff.user, made


def bearer(token: str) -> dict[str, str]:
    """The header of a program with a token."""
    return {"Authorization": f"Bearer {token}"}


def multiply(number: str, claims: int, open_claims: int) -> None:
    """Copies of a claim with its party and clocks, so many with it: the first ones open, the others closed.

    They take the place of earlier copies, and differ in what lists are sorted and narrowed by: handler, due times, dates,
    fast lane and state.
    """
    from django.db import connection

    from lipei.store import models

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, (SELECT max(id) FROM claim WHERE number NOT LIKE 'M%%') FROM claim WHERE number = %s", [number]
        )
        origin, last = cursor.fetchone()
        for table, key in (("clock", "aggregate_id"), ("party", "aggregate_id"), ("claim", "id")):
            cursor.execute(f"DELETE FROM {table} WHERE {key} > %s", [last])
        series = f"generate_series(1, {claims - 1}) AS g(n)"
        copied(cursor, models.Claim, _differing(last, open_claims), series, f"o.id = {origin}")
        copied(cursor, models.Party, {"aggregate_id": f"{last} + g.n"}, series, f"o.aggregate_id = {origin}")
        later = {"aggregate_id": f"{last} + g.n", "due_at": "o.due_at + make_interval(mins => (g.n % 20000)::int)"}
        series = f"generate_series(1, {open_claims - 1}) AS g(n)"
        copied(cursor, models.Clock, later, series, f"o.aggregate_id = {origin}")


def _differing(last: int, open_claims: int) -> dict[str, str]:
    return {
        "id": f"{last} + g.n",
        "number": "'M' || g.n",
        "state": f"CASE WHEN g.n <= {open_claims} THEN o.state ELSE 'closed' END",
        "outcome": f"CASE WHEN g.n <= {open_claims} THEN '' ELSE 'paid' END",
        "handler": "(SELECT min(id) FROM staff) + g.n % " + str(HANDLERS),
        "fast_lane": "g.n % 50 = 0",
        "due_at": f"CASE WHEN g.n <= {open_claims} THEN o.due_at + make_interval(mins => (g.n % 20000)::int) END",
        "reported_at": "o.reported_at - make_interval(mins => (g.n % 500000)::int)",
        "loss_at": "o.loss_at - make_interval(mins => (g.n % 500000)::int)",
        "closed_at": f"CASE WHEN g.n <= {open_claims} THEN NULL ELSE o.reported_at END",
    }


def copied(cursor: Any, model: Any, other: dict[str, str], series: str, which: str) -> None:
    """Rows of a table once more for each of a series, with these expressions for what differs."""
    fields = [field for field in model._meta.concrete_fields if field.name in other or field.name != "id"]
    into = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(other.get(field.name, f'o."{field.column}"') for field in fields)
    table = f'"{model._meta.db_table}"'
    cursor.execute(f"INSERT INTO {table} ({into}) SELECT {values} FROM {table} o, {series} WHERE {which}")
