"""A small claim on its way through the product with no hand: report, photos, payment, news to the customer."""

from __future__ import annotations

import io
import random
import time
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import application, company

PHOTO_PIXELS = (1200, 900)
TURNS_MAX = 20


def working_hour() -> datetime:
    """Ten in the morning of a working day gone by, in the company's zone: no quiet hours, no duty."""
    at = datetime.now(ZoneInfo("Asia/Shanghai")).replace(hour=10, minute=0, second=0, microsecond=0)
    at -= timedelta(days=1)
    while at.weekday() > 4:
        at -= timedelta(days=1)
    return at


def photo(seed: int) -> bytes:
    """A photo like no other, of some hundred thousand bytes."""
    from PIL import Image

    dice = random.Random(seed)
    small = Image.frombytes("RGB", (120, 90), dice.randbytes(120 * 90 * 3))
    kept = io.BytesIO()
    small.resize(PHOTO_PIXELS).save(kept, "JPEG", quality=85)
    return kept.getvalue()


def report(n: int, now: datetime) -> dict[str, Any]:
    """The report of an eligible small claim, agreed to beforehand."""
    cents = 90_000 + 100 * (n % 1500)
    amount = {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": "CNY"}
    return {
        "story": "今天早上倒车时撞到停车场的柱子，后保险杠破损，漆面刮伤，无人受伤。",
        "policy_number": company.policy_number("private_car", n),
        "phone": f"139{n:08d}",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": (now - timedelta(hours=2, minutes=n)).isoformat(),
        "place": "上海市徐汇区漕溪北路停车场",
        "estimate": amount,
        "exposures": [
            {"cover": "own_damage", "peril": "single_vehicle", "items": [{"what": "后保险杠", "claimed": amount}]}
        ],
        "accept_automatic": True,
    }


def settled(secret: str, count: int, now: datetime) -> list[dict[str, float]]:
    """Take so many claims, one after the other, from report to money and news; see `settle`."""
    taken = (settle(secret, n, now) for n in range(count * 2))
    return list(islice((one for one in taken if one), count))


def settle(secret: str, n: int, now: datetime) -> dict[str, float] | None:
    """Seconds of the product's own work by part of the way; None for a claim that is drawn for quality sampling.

    Parts: ``report``, ``papers`` (the request for papers and a photo of each), ``work`` (what a worker does for it:
    bank and messages with their letters). Making the photos and waiting for a worker's next turn are not in it.
    """
    from lipei.store import models

    seconds = {}
    begun = time.perf_counter()
    done = application.post(secret, "/api/v1/claims", report(n, now), **{"Idempotency-Key": f"small-{n}"})
    seconds["report"] = time.perf_counter() - begun
    number = done["number"]
    claim = models.Claim.objects.get(number=number)
    photos = [photo(n * 100 + one) for one in range(8)]
    begun = time.perf_counter()
    asked = _asked(number, claim, now)
    for part, picture in zip(asked, photos, strict=False):
        application.upload(secret, f"/api/v1/claims/{number}/documents", picture, paper=part)
    seconds["papers"] = time.perf_counter() - begun
    begun = time.perf_counter()
    _drain(now)
    seconds["work"] = time.perf_counter() - begun
    claim.refresh_from_db()
    if _drawn(number):
        return None
    assert claim.state == "closed" and claim.outcome == "paid", (number, claim.state, claim.outcome)
    told = models.Delivery.objects.filter(stream_id=claim.id, message="payment_confirmed").values_list(
        "state", flat=True
    )
    assert told and set(told) <= {"sent", "delivered", "asking"}, list(told)
    return seconds


def _drawn(number: str) -> bool:
    """Whether a person looks at the claim because it was drawn, whatever the checks say."""
    from lipei.domain import straight_through
    from lipei.services import norms, world

    rulebook = norms.current()
    salt = world.base(rulebook).sampling_salt
    return straight_through.drawn(number=number, salt=salt, rate_ppm=rulebook.settings.sampling_rate_ppm)


def _asked(number: str, claim: Any, now: datetime) -> list[int]:
    """The handler asks for the papers, once; the numbers of those that are required."""
    from lipei.domain.events import Actor, Refusal
    from lipei.services import actions

    handler = Actor(f"staff:{claim.handler}", "", frozenset({"handler"}), claim.unit)
    asked = actions.act(number, "claim", "request_papers", actor=handler, now=now)
    assert not isinstance(asked, Refusal), asked
    return [n for n, paper in asked.case.papers.items() if paper.required]


def _drain(now: datetime) -> None:
    """What a worker's turns do until nothing is due."""
    from lipei.jobs import loop

    for _ in range(TURNS_MAX):
        if not sum(drain(now, 100) for drain in loop.DRAINS.values()):
            return
    raise AssertionError("a worker finds no end")
