"""Search: by a whole number, plate or phone; where nothing is called that, by a part of one or of a name.

What was typed is turned into the same keyed tokens that stand beside claims and policies (docs/decisions/0006); those
that hold them all are decrypted and compared as real text, the newest first. At most eleven queries beside that of the scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from lipei.domain.events import Actor
from lipei.reads import scope
from lipei.store import claim_tokens, crypto, models, policy_tokens
from lipei.store.aggregates import normal

FOUND_MAX = 200
LOOKED_AT_MAX = 10 * FOUND_MAX
"""So many of the newest that fit are looked at for somebody who sees only some claims."""
TOKENS_MAX = 6
"""So many tokens narrow any name or number enough; the comparison of the text does the rest."""
NUMBERS = claim_tokens.FOUND_BY["claim"]


def claim_ids(words: str, *, viewer: Actor) -> list[int]:
    """Ids of the claims that the words fit, newest first, at most `FOUND_MAX`; only those the viewer sees."""
    words = words.strip()
    if not words:
        return []
    seen = scope.claims(viewer)
    return _exact(words, seen) or ([] if too_short(words) else _by_part(crypto.plain(words), seen))


def too_short(words: str) -> bool:
    """Whether words are no part of anything that is searched by parts: half the country shares a surname."""
    return 0 < len(crypto.plain(words)) < crypto.PERSONAL_RUN


def _exact(words: str, seen: Q) -> list[int]:
    """By a whole number: of the claim, of the policy, of another system; a phone, identity number or plate."""
    phone, id_number = crypto.blind_index("phone", normal(words)), crypto.blind_index("id_number", normal(words))
    parties = models.Party.objects.filter(Q(phone_index=phone) & ~Q(phone_index="")).values_list("aggregate_id")
    persons = models.Party.objects.filter(Q(id_number_index=id_number) & ~Q(id_number_index=""))
    people = [row[0] for row in parties.union(persons.values_list("aggregate_id"))[:FOUND_MAX]]
    plate = crypto.blind_index("plate", normal(words))
    policies = models.Policy.objects.filter(Q(number=words) | (Q(plate_index=plate) & ~Q(plate_index="")))
    insured = list(policies.values_list("id", flat=True)[:FOUND_MAX])
    external = Q(external_number=words) & ~Q(external_number="")
    # One part of the union per way, each served by its own index: joined by OR they would read the whole table.
    ways = (Q(number=words), external, Q(policy_id__in=insured), Q(id__in=people))
    first, *others = (models.Claim.objects.filter(way).filter(seen).values_list("id") for way in ways)
    return [row[0] for row in first.union(*others).order_by("-id")[:FOUND_MAX]]


def _by_part(plain: str, seen: Q) -> list[int]:
    """By a part of a name, phone or plate, or of the claim's own number, its policy's or another system's."""
    people = _newest(holding(models.SearchToken, "claim_id", crypto.tokens_of(plain, crypto.PERSONAL_RUN)), seen)
    found = _called(plain, people) | _numbered(plain, seen)
    near = Q(id__in=found) | Q(policy_id__in=_insuring(plain))
    return list(models.Claim.objects.filter(near).filter(seen).order_by("-id").values_list("id", flat=True)[:FOUND_MAX])


def _numbered(plain: str, seen: Q) -> set[int]:
    """By a part of five characters of a number, or by four with which one begins or ends."""
    found: set[int] = set()
    for way in _ways(plain):
        holders = holding(models.SearchToken, "claim_id", way)[:LOOKED_AT_MAX]
        rows = models.Claim.objects.filter(seen, id__in=holders)
        for pk, *numbers in rows.values_list("id", *NUMBERS):
            if any(_part_of(plain, crypto.plain(number)) for number in numbers):
                found.add(pk)
    return set(sorted(found, reverse=True)[:FOUND_MAX])


def _ways(plain: str) -> list[list[int]]:
    """The tokens of a part of a number: it lies in one of two ways on the runs that have one, every second."""
    runs = crypto.tokens_of(plain, crypto.NUMBER_RUN)
    return [way for way in (runs[::-2][::-1], runs[-2::-2][::-1]) if way]


def _part_of(part: str, number: str) -> bool:
    if len(part) > crypto.NUMBER_RUN:
        return part in number
    return number.startswith(part) or number.endswith(part)


def _newest(found: QuerySet[Any], seen: Q) -> list[int]:
    """The newest of the claims found that the viewer sees; of who sees few, not every claim of the company is looked at."""
    if not seen:
        return list(found[:FOUND_MAX])
    rows = models.Claim.objects.filter(seen, id__in=found[:LOOKED_AT_MAX]).order_by("-id")
    return list(rows.values_list("id", flat=True)[:FOUND_MAX])


def holding(model: Any, key: str, tokens: Sequence[int]) -> QuerySet[Any]:
    """The keys of the rows that hold all these tokens, newest first: none where there is no token."""
    # From the end: how a number or name goes on tells more than how it begins.
    wanted = list(dict.fromkeys(reversed(tokens)))[:TOKENS_MAX]
    rows = model.objects.filter(token=wanted[0]) if wanted else model.objects.none()
    for token in wanted[1:]:
        rows = rows.filter(Exists(model.objects.filter(token=token, **{key: OuterRef(key)})))
    found: QuerySet[Any] = rows.order_by(f"-{key}").values_list(key, flat=True)
    return found


def _called(plain: str, candidates: list[int]) -> set[int]:
    """Of the candidates those with such a name or phone: tokens may stand in another order."""
    parties = models.Party.objects.filter(aggregate_id__in=candidates).values_list("aggregate_id", "name", "phone")
    return {claim for claim, *texts in parties if any(plain in crypto.plain(text) for text in texts)}


def _insuring(plain: str) -> set[int]:
    """Policies with such a plate or number under which something was claimed."""
    claimed = Exists(models.Claim.objects.filter(policy_id=OuterRef("policy_id")))
    candidates: set[int] = set()
    for way in (crypto.tokens_of(plain, crypto.PERSONAL_RUN) if _tells(plain) else [], *_ways(plain)):
        candidates |= set(holding(models.PolicyToken, "policy_id", way).filter(claimed)[:FOUND_MAX] if way else ())
    rows = models.Policy.objects.filter(id__in=candidates).only("id", "number", "insured_objects")
    return {row.id for row in rows if _called_so(row, plain)}


def _tells(plain: str) -> bool:
    """Whether words can be of a plate: none is without a letter or digit."""
    return any(c.isascii() and c.isalnum() for c in plain)


def _called_so(policy: Any, plain: str) -> bool:
    plates = (crypto.plain(plate) for plate in policy_tokens.plates(policy))
    return _part_of(plain, crypto.plain(policy.number)) or any(plain in plate for plate in plates)
