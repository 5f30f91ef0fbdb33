"""A calculation to try a product's terms with: nothing of it is stored (norm 2.2.3, 2.2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from lipei.domain.commands import Assess, said
from lipei.domain.events import Refusal
from lipei.domain.rules.intake import item_row
from lipei.domain.settlement.terms import Cover, Terms
from lipei.domain.settlement.trial import trial
from lipei.norms.settlement import explain
from lipei.web import forms
from lipei.web.console import choices
from lipei.web.console.shell import book, now, show, status_of
from lipei.web.errors import by_field, sentence
from lipei.web.forms import Offers
from lipei.web.templatetags.lipei import language, money, word, word_of

OMITTED = frozenset({"items.claimed", "items.standard"})
"""What is assessed is what is calculated with."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What the policy chose: the figures that the terms leave to it."""

    schedule: Mapping[str, Any] = said({})


@require_http_methods(["GET", "POST"])
def calculation(request: HttpRequest) -> HttpResponse:
    """Choose terms, cover and peril (``of``, ``cover``, ``peril``), fill in the loss, read the sum line by line."""
    products = book(request).products.terms
    terms = next((t for t in products if _code(t) == request.GET.get("of", "")), products[-1] if products else None)
    if terms is None:
        return show(request, "calculation", "norms", products=())
    cover = terms.covers.get(request.GET.get("cover", "")) or next(iter(terms.covers.values()))
    peril = request.GET.get("peril", "")
    peril = peril if peril in cover.perils else cover.perils[0]
    clause = terms.clauses.get(cover.clause)
    common: dict[str, Any] = {
        "products": [(_code(t), f"{t.name[language()]} · {t.version}") for t in products], "of": _code(terms),
        "covers": [(c.code, c.name[language()]) for c in terms.covers.values()], "cover": cover.code,
        "perils": [(p, word("loss", p)) for p in cover.perils], "peril": peril, "terms": terms,
        "clause_name": clause.name[language()] if clause else "",
    }  # fmt: skip
    typed = forms.posted(request.POST)
    if request.method == "GET":
        return show(request, "calculation", "norms", **common, **_drawn(cover, terms, typed, {}))
    return _tried(request, terms, cover, peril, typed, common)


def _code(terms: Terms) -> str:
    return f"{terms.code}-{terms.version}"


def _offers(cover: Cover, terms: Terms) -> tuple[Offers, Offers]:
    """Of what the policy chose, and of the loss."""
    known = tuple((e.code, e.wording[language()]) for e in cover.exclusions.values())
    excluded = {"excluded": (choices.EMPTY, *known)}
    return (
        Offers(currency=terms.currency, facts=tuple(s for s in cover.schedule.values() if s.type != "policies")),
        Offers(currency=terms.currency, facts=choices.facts_of(cover), options=excluded, omit=OMITTED),
    )


def _drawn(cover: Cover, terms: Terms, typed: forms.Typed, errors: Mapping[str, str]) -> dict[str, Any]:
    bought, loss = _offers(cover, terms)
    drawn = (*forms.draw(Bought, typed, bought, errors), *forms.draw(Assess, typed, loss, errors))
    return {"fields": drawn, "unplaced": forms.unplaced(drawn, errors), "has_errors": bool(errors)}


def _tried(
    request: HttpRequest, terms: Terms, cover: Cover, peril: str, typed: forms.Typed, common: Mapping[str, Any]
) -> HttpResponse:
    for_policy, for_loss = _offers(cover, terms)
    bought, errors = forms.read(Bought, typed, for_policy)
    loss, wrong = forms.read(Assess, typed, for_loss)
    errors = {**errors, **wrong}
    if errors:
        return show(request, "calculation", "norms", status=422, **common, **_drawn(cover, terms, typed, errors))
    found = trial(
        terms=terms, cover=cover.code, peril=peril, schedule=bought.schedule, facts=loss.facts,
        items=tuple(item_row(item) for item in loss.items), now=now(),
    )  # fmt: skip
    if isinstance(found, Refusal):
        return show(
            request, "calculation", "norms", status=status_of(found), **common,
            refusal="" if found.fields else sentence(found), **_drawn(cover, terms, typed, by_field(found)),
        )  # fmt: skip
    lines = explain(terms=terms, settlement=found.as_dict(), language=language())
    return show(
        request, "calculation", "norms", **common, **_drawn(cover, terms, typed, {}), lines=lines,
        total=money(found.payable_minor, terms.currency), needs=[word_of(code) for code in found.needs_person],
    )  # fmt: skip
