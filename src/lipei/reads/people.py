"""Names of those who acted: members of staff, programs, customers and the system itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Case as Either
from django.db.models import QuerySet, TextField, When
from django.db.models.functions import Cast

from lipei.norms.texts import text, texts
from lipei.store import models


def names(ids: Iterable[int | None]) -> Mapping[int, str]:
    """Names of members of staff by id. One query, none for nobody."""
    wanted = {i for i in ids if i is not None}
    return dict(models.Staff.objects.filter(id__in=wanted).values_list("id", "name")) if wanted else {}


def customers_first(parties: QuerySet[models.Party]) -> QuerySet[models.Party]:
    """Parties, of each claim first whom one talks to: who reported, else the first."""
    reported = When(said__contains='"reporter"', then=0)
    found: QuerySet[models.Party] = parties.alias(said=Cast("roles", TextField()))
    return found.order_by(Either(reported, default=1), "part")


def staff_ids(actors: Iterable[str]) -> set[int]:
    """The members of staff among actor ids."""
    return {
        int(a.removeprefix("staff:")) for a in actors if a.startswith("staff:") and a.removeprefix("staff:").isdigit()
    }


def actor_name(actor: str, staff: Mapping[int, str], language: str) -> str:
    """How an actor is called in a timeline. ``staff`` are the names of `names`."""
    kind, _, rest = actor.partition(":")
    if kind == "staff":
        return staff.get(int(rest), actor) if rest.isdigit() else actor
    if kind == "system":
        key = f"actor.system.{rest}"
        return text(key if key in texts() else "actor.system", language)
    key = f"actor.{kind}"
    return text(key, language) if key in texts() else actor
