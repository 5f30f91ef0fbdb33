"""A calculation to try a product's terms with: nothing of it is stored (norm 2.2.3, 2.2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from lipei.domain import permissions
from lipei.domain.commands import Assess, said
from lipei.domain.events import Refusal
from lipei.domain.rules.intake import item_row
from lipei.domain.settlement.results import Settlement
from lipei.domain.settlement.terms import Cover, Terms
from lipei.domain.settlement.trial import trial
from lipei.norms import loader
from lipei.norms.errors import NormError
from lipei.norms.settlement import explain
from lipei.web import forms
from lipei.web.console import choices
from lipei.web.console.access import refused
from lipei.web.console.shell import book, now, show, status_of, who
from lipei.web.errors import by_field, sentence
from lipei.web.forms import Offers
from lipei.web.templatetags.lipei import language, money, word, word_of

OMITTED = frozenset({"items.claimed", "items.standard"})
"""What is assessed is what is calculated with."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What the policy chose: the figures that the terms leave to it."""

    schedule: Mapping[str, Any] = said({})


@dataclass(frozen=True, slots=True)
class Draft:
    """Terms that nobody has saved yet, as they travel with the form; ``newest``: the edition that they would follow."""

    text: str
    seen: str
    reason: str
    terms: Terms
    newest: Terms | None


@require_http_methods(["GET", "POST"])
def calculation(request: HttpRequest) -> HttpResponse:
    """Choose terms, cover and peril (``of``, ``cover``, ``peril``), fill in the loss, read the sum line by line.

    With a ``document`` the terms are a manager's draft, and the sum stands beside that of the edition in force.
    """
    if request.POST.get("document"):
        text = request.POST["document"].replace("\r\n", "\n")
        return of_draft(request, text, seen=request.POST.get("seen_version", ""), reason=request.POST.get("reason", ""))
    return _page(request, None)


def of_draft(request: HttpRequest, text: str, *, seen: str, reason: str) -> HttpResponse:
    """A calculation with terms as they would be; where they make no sense, what is wrong."""
    if not permissions.may(who(request), "norm.products"):
        return refused(request, "norm.products")
    try:
        terms = loader.draft("products", text)
    except NormError as error:
        refusal = sentence(Refusal(error.code, "fields", error.params))
        return show(request, "calculation", "calculation", status=422, products=(), refusal=refusal)
    return _page(request, Draft(text, seen, reason, terms, book(request).products.latest(terms.code)))


def _page(request: HttpRequest, draft: Draft | None) -> HttpResponse:
    products = book(request).products.terms
    asked = {key: request.POST.get(key) or request.GET.get(key, "") for key in ("of", "cover", "peril")}
    terms = (
        draft.terms
        if draft
        else next((t for t in products if _code(t) == asked["of"]), products[-1] if products else None)
    )
    if terms is None:
        return show(request, "calculation", "calculation", products=())
    cover = terms.covers.get(asked["cover"]) or next(iter(terms.covers.values()))
    peril = asked["peril"] if asked["peril"] in cover.perils else cover.perils[0]
    clause = terms.clauses.get(cover.clause)
    common: dict[str, Any] = {
        "products": [(_code(t), f"{t.name[language()]} · {t.version}") for t in products], "of": _code(terms),
        "covers": [(c.code, c.name[language()]) for c in terms.covers.values()], "cover": cover.code,
        "perils": [(p, word("loss", p)) for p in cover.perils], "peril": peril, "terms": terms,
        "clause_name": clause.name[language()] if clause else "", "draft": draft,
    }  # fmt: skip
    typed = forms.posted(request.POST)
    if request.method == "GET" or (draft and "calculate" not in request.POST):
        return show(request, "calculation", "calculation", **common, **_drawn(cover, terms, typed, {}))
    return _tried(request, terms, cover, peril, typed, common, draft.newest if draft else None)


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
    request: HttpRequest,
    terms: Terms,
    cover: Cover,
    peril: str,
    typed: forms.Typed,
    common: Mapping[str, Any],
    newest: Terms | None,
) -> HttpResponse:
    for_policy, for_loss = _offers(cover, terms)
    bought, errors = forms.read(Bought, typed, for_policy)
    loss, wrong = forms.read(Assess, typed, for_loss)
    errors = {**errors, **wrong}
    if errors:
        return show(request, "calculation", "calculation", status=422, **common, **_drawn(cover, terms, typed, errors))
    said = {
        "cover": cover.code, "peril": peril, "schedule": bought.schedule, "facts": loss.facts,
        "items": tuple(item_row(item) for item in loss.items), "now": now(),
    }  # fmt: skip
    found = trial(terms=terms, **said)
    if isinstance(found, Refusal):
        return show(
            request, "calculation", "calculation", status=status_of(found), **common,
            refusal="" if found.fields else sentence(found), **_drawn(cover, terms, typed, by_field(found)),
        )  # fmt: skip
    return show(
        request, "calculation", "calculation", **common, **_drawn(cover, terms, typed, {}), lines=_lines(terms, found),
        total=money(found.payable_minor, terms.currency), needs=[word_of(code) for code in found.needs_person],
        **(_before(newest, said) if newest else {}),
    )  # fmt: skip


def _before(newest: Terms, said: Mapping[str, Any]) -> dict[str, Any]:
    """The same loss by the edition in force; why not, where that has no such cover or asks for something else."""
    cover = newest.covers.get(said["cover"])
    if cover is None or said["peril"] not in cover.perils:
        return {"before_not": word_of("terms.try.new")}
    found = trial(terms=newest, **said)
    if isinstance(found, Refusal):
        return {"before_not": word_of("terms.try.other_facts")}
    return {
        "before": money(found.payable_minor, newest.currency), "before_lines": _lines(newest, found),
        "before_version": newest.version,
    }  # fmt: skip


def _lines(terms: Terms, found: Settlement) -> Any:
    return explain(terms=terms, settlement=found.as_dict(), language=language())
