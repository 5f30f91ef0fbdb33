"""The vocabularies that tables choose from: which codes there are, and where the words for them stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache

from lipei.domain import assignment, authority, messages, papers, straight_through
from lipei.domain.calendars import HOME
from lipei.domain.claims import Case
from lipei.domain.commands import PARTY_ROLES
from lipei.domain.lifecycle import KINDS, STEPS
from lipei.domain.money import EXPONENTS, Rounding
from lipei.domain.policies import PERIODS
from lipei.domain.promises.definitions import BINDS, EFFECTS, LOOKS, ON_REOPEN, SCOPES, UNITS
from lipei.domain.rulebook import Rulebook
from lipei.domain.settlement.sharing import METHODS
from lipei.domain.settlement.steps import VOCABULARY as STEPS_OF_TERMS
from lipei.domain.settlement.terms import FACT_TYPES
from lipei.domain.triage import LANES
from lipei.norms import calendars, hints, loader
from lipei.norms.authority import ROLES
from lipei.norms.papers import SENSITIVITIES
from lipei.norms.promises import SINCE, STATUSES
from lipei.norms.texts import LANGUAGES, texts


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Codes and the patterns of the text keys that name them, the first that there is."""

    keys: tuple[str, ...]
    codes: Callable[[Rulebook], Iterable[str]]


def _fixed(codes: Iterable[str], *keys: str) -> Vocabulary:
    known = tuple(code for code in codes if code)
    return Vocabulary(keys, lambda book: known)


def _named(prefix: str) -> Callable[[Rulebook], Iterable[str]]:
    """The codes that texts name: the company's own are among them."""
    return lambda book: sorted(k.removeprefix(prefix) for k in texts() if k.startswith(prefix))


def _losses(book: Rulebook) -> Iterable[str]:
    ours = (p for t in book.products.terms for c in t.covers.values() for p in c.perils)
    return sorted({*book.lines.losses, *ours})


def _covers(book: Rulebook) -> Iterable[str]:
    return sorted({*book.lines.covers, papers.UNKNOWN, *(c for t in book.products.terms for c in t.covers)})


@cache
def _events() -> tuple[str, ...]:
    return tuple(sorted({step.event for step in STEPS} | set(KINDS)))


@cache
def _profiles() -> Mapping[str, tuple[str, ...]]:
    """The markets of the shipped promises, and the groups of rows that they are made of."""
    document = loader.read(loader.default_text("promises"))["profiles"]
    groups = sorted({market for row in document.values() for market in row["markets"]})
    return {"market": tuple(document), "group": tuple(groups)}


@cache
def _law() -> tuple[str, ...]:
    return tuple(row["id"] for row in loader.read(loader.default_text("law"))["rows"])


_RECIPIENTS = (
    *PARTY_ROLES, *messages.OF_SUBJECT, *messages.STAFF, *(f"role:{role}" for role in sorted(messages.STAFF_ROLES))
)  # fmt: skip
_TOLD = ("handler", "surveyor", "assessor", "approver", "team_lead", "manager", "finance", "compliance", "investigator")

VOCABULARIES: Mapping[str, Vocabulary] = {
    "role": _fixed(ROLES, "role.{}"),
    "told": _fixed(_TOLD, "role.{}"),
    "party_role": _fixed(sorted(papers.ROLES), "party_role.{}"),
    "recipient": _fixed(dict.fromkeys(_RECIPIENTS), "recipient.{}", "party_role.{}", "role.{}"),
    "authority_kind": _fixed(authority.KINDS, "authority.{}"),
    "line": Vocabulary(("line.{}", "line_all.{}"), lambda book: book.lines.lines),
    "loss": Vocabulary(("loss.{}",), _losses),
    "cover": Vocabulary(("cover.{}",), _covers),
    "product": Vocabulary(("product.{}",), lambda book: sorted({*book.lines.products, *book.products.codes})),
    "paper": Vocabulary(("paper.{}",), lambda book: book.papers.kinds),
    "paper_source": Vocabulary(("paper_source.{}",), _named("paper_source.")),
    "paper_why": Vocabulary(("paper.why.{}",), _named("paper.why.")),
    "paper_per": _fixed(papers.PERS, "subject.{}", "party_role.{}"),
    "paper_form": _fixed(papers.FORMS, "letter.form.{}"),
    "paper_required": _fixed(papers.REQUIRED, "paper_required.{}"),
    "issuer": Vocabulary(("issuer.{}",), _named("issuer.")),
    "sensitivity": _fixed(SENSITIVITIES, "sensitivity.{}"),
    "channel": _fixed(messages.CHANNELS, "channel.{}"),
    "letter": _fixed(messages.LETTERS, "letter_kind.{}"),
    "event": Vocabulary(("event.{}",), lambda book: _events()),
    "event_since": _fixed(("event",), "event_since.{}"),
    "limit_unit": _fixed(UNITS, "unit.{}"),
    "binds": _fixed(BINDS, "binds.{}"),
    "promise_look": _fixed(LOOKS, "promise_look.{}"),
    "promise_scope": _fixed(SCOPES, "subject.{}"),
    "since": _fixed(SINCE, "field.{}", "condition_field.{}"),
    "on_reopen": _fixed(ON_REOPEN, "on_reopen.{}"),
    "breach_effect": _fixed(EFFECTS, "breach_effect.{}"),
    "law": Vocabulary(("law.{}",), lambda book: _law()),
    "market": Vocabulary(("market.{}",), lambda book: _profiles()["market"]),
    "market_group": Vocabulary(("market.{}",), lambda book: _profiles()["group"]),
    "calendar": Vocabulary(("calendar.{}", "calendar_home.{}"), lambda book: (HOME, *book.calendars.current)),
    "day_kind": _fixed((calendars.DAY_OFF, calendars.MAKE_UP, calendars.OTHER_HOURS), "calendar.kind.{}"),
    "source_status": _fixed(STATUSES, "law_status.{}"),
    "lane": _fixed(LANES, "lane.{}"),
    "check": _fixed(straight_through.CHECKS, "reason.straight_through.{}.yes"),
    "relaxable": _fixed(assignment.RELAXABLE, "relaxable.{}"),
    "skill": Vocabulary(("skill.{}", "line.{}"), lambda book: dict.fromkeys((*book.lines.lines, "injury"))),
    "look": Vocabulary(("survey_look.{}",), lambda book: book.surveys.looks),
    "hint_field": _fixed(hints.FIELDS, "field.{}"),
    "currency": _fixed(sorted(EXPONENTS)),
    "to": _fixed(("customer",), "event_to.{}"),
    "step": _fixed(STEPS_OF_TERMS, "step.{}"),
    "step_what": Vocabulary(("step_what.{}",), _named("step_what.")),
    "head": Vocabulary(("head.{}",), _named("head.")),
    "fact": Vocabulary(("fact.{}",), _named("fact.")),
    "fact_type": _fixed(FACT_TYPES, "fact_type.{}"),
    "limit_per": _fixed(PERIODS, "limit_per.{}"),
    "rounding": _fixed(Rounding, "rounding.{}"),
    "sharing": _fixed(METHODS, "sharing.{}"),
    "country": Vocabulary(("country.{}",), _named("country.")),
    "yes_no": _fixed(("yes", "no"), "common.{}"),
    "language": _fixed(LANGUAGES, "messages.language.{}"),
    "import_words": _fixed((), "import_words.{}"),
    "payment_kind": _fixed(("settlement", "advance", "guarantee", "ex_gratia"), "payment_kind.{}"),
    "setting": Vocabulary(("setting.{}",), lambda book: (f.name for f in fields(book.settings))),
}


def words(of: str, code: str, language: str) -> str:
    """The words for a code of a vocabulary; empty where none are known."""
    known = texts()
    if code.startswith("role:"):
        of, code = "role", code.removeprefix("role:")
    for key in VOCABULARIES[of].keys if of in VOCABULARIES else (f"{of}.{{}}",):
        found = known.get(key.format(code))
        if found is not None:
            return found[language]
    return ""


# --- the fields of conditions -----------------------------------------------------------------------------------------

_CODED = {
    "line": "line", "loss": "loss", "loss_kind": "loss", "peril": "loss", "perils": "loss", "cover": "cover",
    "covers": "cover", "lane": "lane", "binds": "binds", "channel": "channel",
}  # fmt: skip


def of_field(name: str) -> str:
    """The vocabulary that a field of a condition speaks, ``state.claim`` among them; empty for numbers and free words."""
    entity, _, last = name.rpartition(".")
    if last == "state" and entity in Case.entities:
        return f"state.{entity}"
    if name == "payment.kind":
        return "payment_kind"
    return "" if "facts." in name else _CODED.get(last, "")


def codes_of_field(of: str, book: Rulebook) -> Iterable[str]:
    """The codes of such a vocabulary."""
    if of in VOCABULARIES:
        return VOCABULARIES[of].codes(book)
    return [key.removeprefix(f"{of}.") for key in texts() if key.startswith(f"{of}.")]


def field_words(name: str, language: str) -> str:
    """What a field of a condition is called, the part that it belongs to before it where it is not the claim's."""
    known, last = texts(), name.rpartition(".")[2]
    entity = name.partition(".")[0]
    for key in (f"condition_field.{name}", f"fact.{last}" if "facts." in name else "", f"field.{name}"):
        if key in known:
            return known[key][language]
    plain = next((known[k][language] for k in (f"condition_field.{last}", f"field.{last}") if k in known), "")
    if plain and entity != name and entity != "claim" and f"subject.{entity}" in known:
        return f"{known[f'subject.{entity}'][language]}: {plain}"
    return plain


def empty_of(name: str) -> object:
    """What a field holds while nothing is known: an empty text or null."""
    entity, _, last = name.rpartition(".")
    part = Case.entities.get(entity or "claim")
    found = next((f for f in fields(part) if f.name == last), None) if part else None
    return "" if found is not None and found.default == "" else None
