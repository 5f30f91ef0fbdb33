"""Search: by number, plate, phone or policy exactly, by name or part of a number through keyed bigrams.

What was typed is turned into the same keyed tokens that stand beside the claims (docs/decisions/0006); the claims that
hold them all are decrypted and compared as real text, the newest first.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from lipei.domain.events import Actor
from lipei.reads import scope
from lipei.store import crypto, models
from lipei.store.aggregates import normal

FOUND_MAX = 200
TOKENS_MAX = 6
"""So many bigrams narrow any name or number enough; the comparison of the text does the rest."""


def claim_ids(words: str, *, viewer: Actor) -> list[int]:
    """Ids of the claims that the words fit, newest first, at most `FOUND_MAX`; only those the viewer sees."""
    words = words.strip()
    if not words:
        return []
    seen = scope.claims(viewer)
    found = list(dict.fromkeys([*_exact(words, seen), *_by_tokens(words, seen)]))
    return found[:FOUND_MAX]


def _exact(words: str, seen: Q) -> list[int]:
    """By a whole number: of the claim, of the policy, of another system; a phone, identity number or plate."""
    phone, id_number = crypto.blind_index("phone", normal(words)), crypto.blind_index("id_number", normal(words))
    parties = models.Party.objects.filter(Q(phone_index=phone) & ~Q(phone_index="")).values_list(
        "aggregate_id", flat=True
    )
    persons = models.Party.objects.filter(Q(id_number_index=id_number) & ~Q(id_number_index="")).values_list(
        "aggregate_id", flat=True
    )
    plate = crypto.blind_index("plate", normal(words))
    policies = models.Policy.objects.filter(Q(number=words) | (Q(plate_index=plate) & ~Q(plate_index="")))
    found: list[int] = []
    # One question per way, each served by its own index: joined by OR they would read the whole table.
    ways = (Q(number=words), Q(external_number=words) & ~Q(external_number=""))
    listed: tuple[Iterable[int], ...] = (parties[:FOUND_MAX], persons[:FOUND_MAX])
    ids = {i for rows in listed for i in rows}
    for way in (*ways, Q(policy_id__in=list(policies.values_list("id", flat=True)[:FOUND_MAX])), Q(id__in=ids)):
        found += models.Claim.objects.filter(way).filter(seen).order_by("-id").values_list("id", flat=True)[:FOUND_MAX]
    return sorted(set(found), reverse=True)


def _by_tokens(words: str, seen: Q) -> list[int]:
    tokens = sorted(crypto.search_tokens(words))[:TOKENS_MAX]
    if not tokens:
        return []
    rows = models.SearchToken.objects.filter(token=tokens[0])
    for token in tokens[1:]:
        rows = rows.filter(Exists(models.SearchToken.objects.filter(token=token, claim_id=OuterRef("claim_id"))))
    candidates = list(rows.order_by("-claim_id").values_list("claim_id", flat=True)[:FOUND_MAX])
    real = _really_holding(words, candidates)
    visible = set(models.Claim.objects.filter(id__in=real).filter(seen).values_list("id", flat=True))
    return [i for i in real if i in visible]


def _really_holding(words: str, candidates: list[int]) -> list[int]:
    """Of the candidates those whose names or phones contain the words: bigrams may stand in another order."""
    wanted = _plain(words)
    parties = models.Party.objects.filter(aggregate_id__in=candidates).values_list("aggregate_id", "name", "phone")
    holding = {claim for claim, name, phone in parties if wanted in _plain(name) or wanted in _plain(phone)}
    return [i for i in candidates if i in holding]


def _plain(value: str) -> str:
    return "".join(value.lower().split())
