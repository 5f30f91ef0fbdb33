"""What the forms of a claim may choose from, and what they start with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import Truncator

from lipei.domain import acting, papers, sizes
from lipei.domain import commands as c
from lipei.domain.claims import Case, Exposure
from lipei.domain.commands import COMMANDS
from lipei.domain.money import Money
from lipei.domain.owing import guaranteed_open_minor, undisputed_minor
from lipei.domain.rulebook import Rulebook
from lipei.domain.settlement.terms import Cover, FactSpec, Terms
from lipei.norms.texts import text
from lipei.reads import colleagues
from lipei.web.console import claim_parts
from lipei.web.forms import Offers, Options, Typed, typed_of
from lipei.web.templatetags.lipei import language, word

EMPTY = ("", "")
LANGUAGES: Options = (EMPTY, ("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("en", "English"))
PAPER_REASONS = (
    "unreadable", "incomplete", "wrong_paper", "expired", "wrong_person", "unsigned", "not_original", "no_relation",
    "amounts_differ", "duplicate", "damaged_file",
)  # fmt: skip
REFUSAL_REASONS = (
    "not_covered", "excluded", "not_in_force", "waiting_period", "not_disclosed", "not_proved", "limit_used_up",
    "out_of_time", "not_insured_person",
)  # fmt: skip
LAW_GROUNDS = ("law_16", "law_22", "law_26", "law_27")


def lines(book: Rulebook) -> Options:
    """The lines of business."""
    return (EMPTY, *((code, f"line.{code}") for code in book.lines.lines))


def losses(book: Rulebook, line: str = "") -> Options:
    """The kinds of loss of a line, or of all, line by line."""
    chosen = [book.lines.lines[line]] if line in book.lines.lines else book.lines.lines.values()
    found = dict.fromkeys(loss for one in chosen for loss in one.losses)
    return (EMPTY, *((code, f"loss.{code}") for code in found))


def covers(book: Rulebook, product: str = "") -> Options:
    """The covers of a product, or of all, product by product."""
    known = book.lines.products.get(product)
    found = dict.fromkeys(cover for one in ([known] if known else book.lines.products.values()) for cover in one.covers)
    return (EMPTY, *((code, f"cover.{code}") for code in found))


def by_line(book: Rulebook) -> dict[str, dict[str, list[str]]]:
    """What the choices come down to once the line is known: field → line → codes."""
    losses_of = {code: list(line.losses) for code, line in book.lines.lines.items()}
    products = book.lines.products.values()
    covers_of = {
        code: list(dict.fromkeys(c for p in products if p.line == code for c in p.covers)) for code in losses_of
    }
    return {"loss_kind": losses_of, "peril": losses_of, "cover": covers_of}


def parties(shown: Case) -> Options:
    """The parties of a claim, masked, with their roles."""
    separator = text("common.list_separator", language())
    rows = []
    for number, party in shown.parties.items():
        roles = separator.join(word("party_role", role) for role in party.roles)
        rows.append((str(number), f"{number}. {party.name} ({roles})" if roles else f"{number}. {party.name}"))
    return (EMPTY, *rows)


def incidents(book: Rulebook, named: str = "") -> Options:
    """The incidents that are declared, and the one that a claim names already."""
    known = {**({named: named} if named else {}), **book.triage.incidents}
    return (EMPTY, *known.items())


def exposures(case: Case) -> Options:
    """The heads of loss of a claim."""
    return tuple((str(n), f"{n}. {word('cover', e.cover) or word('loss', e.peril)}") for n, e in case.exposures.items())


def staff(now: datetime, *roles: str) -> Options:
    """Colleagues, those in these roles; who is away says so."""
    rows = []
    for one in colleagues.listed(now=now, roles=roles):
        away = f" · {text('console.away', language())}" if one.away_until else ""
        rows.append((str(one.id), f"{one.name}{away}"))
    return tuple(rows)


DECISIONS = frozenset({("exposure", "submit_decision"), ("exposure", "approve_decision")})
_STAFF_OF: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("claim", "assign"): ("handler", ("handler",)),
    ("claim", "hand_over"): ("handler", ("handler", "team_lead")),
    ("survey", "schedule"): ("surveyor", ("surveyor", "handler")),
    ("consultation", "convene"): ("experts", ("expert",)),
}


def offers(
    *,
    shown: Case,
    book: Rulebook,
    subject: str,
    action: str,
    part: int,
    now: datetime,
    away: tuple[str, ...] = (),
    whole: bool = False,
) -> Offers:
    """What the form of an action may choose from. ``away``: the papers that a decision would be made without.
    ``whole``: personal data is shown whole, and so are small pictures of the files.
    """
    claim = shown.claim
    people = parties(shown)
    heads = exposures(shown)
    options: dict[str, Options] = {
        "line": lines(book),
        "loss_kind": losses(book, claim.line),
        "peril": losses(book, claim.line),
        "cover": covers(book, claim.product),
        "claimant": people,
        "party": people,
        "payee": people,
        "acts_for": people,
        "debtor": people,
        "language": LANGUAGES,
        "incident": incidents(book, claim.incident),
        "exposure": heads if action in ("order", "recover_overpayment", "subrogate") else (EMPTY, *heads),
        "reserves.exposure": (EMPTY, *heads),
        "shares.payee": people,
        "documents": claim_parts.file_choices(shown),
    }
    role = _STAFF_OF.get((subject, action))
    if role is not None:
        found = staff(now, *role[1])
        options[role[0]] = found if role[0] == "experts" else (EMPTY, *found)
    if action == "request_papers":
        options["papers"] = tuple((code, f"paper.{code}") for code in papers_for(shown, book))
    for name, fitting in _only(shown, subject, action, part).items():
        options[name] = tuple(row for row in people if row[0] in {"", *map(str, fitting)})
    if (subject, action) == ("paper", "refuse"):
        options["reason"] = tuple((code, f"reason.{code}") for code in PAPER_REASONS)
    exposure = shown.exposures.get(part) if subject == "exposure" else None
    if exposure is not None and action == "propose_refusal":
        known = tuple((code, f"reason.{code}") for code in REFUSAL_REASONS)
        options["code"] = (EMPTY, *known, *exclusions(cover_of(shown, exposure, book)))
        options["clause"] = grounds(shown, exposure, book)
    if exposure is not None and action == "assess":
        options["excluded"] = (EMPTY, *exclusions(cover_of(shown, exposure, book)))
    return Offers(
        currency=claim.currency, options=options, facts=_facts_asked(shown, book, subject, action, part),
        facts_named="survey_look" if action == "record" else "fact", labels=_LABELS.get((subject, action), {}),
        omit=_left_out(shown, book, subject, action, part, away),
        pictures={"documents": claim_parts.thumbs(shown)} if whole else {},
    )  # fmt: skip


def _only(shown: Case, subject: str, action: str, part: int) -> Mapping[str, Collection[int]]:
    """The fields of a step that offer some of the parties only, and which."""
    if action in ("guarantee", "pay_guarantee", "release_guarantee"):
        return {"payee": [n for n, p in shown.parties.items() if "hospital" in p.roles]}
    if subject == "exposure" and action in ("advance", "pay_undisputed"):
        claimant = shown.exposures[part].claimant
        return {"payee": [n for n in shown.parties if acting.may_receive(shown, claimant, n)]}
    if (subject, action) == ("offer", "send_code"):
        return {"party": acting.awaited(shown, shown.offers[part])}
    return {}


def _facts_asked(shown: Case, book: Rulebook, subject: str, action: str, part: int) -> tuple[FactSpec, ...]:
    """What a step asks beside its own fields: what the terms want to know, what the papers hang on, what to look at."""
    if (subject, action) == ("exposure", "assess"):
        return facts_of(cover_of(shown, shown.exposures[part], book))
    if (subject, action) == ("exposure", "correct"):
        one = shown.exposures[part]
        terms = {spec.name: spec for spec in facts_of(cover_of(shown, one, book))}
        loss = one.peril or shown.claim.loss_kind
        hangs_on = papers.facts_of_head(table=book.papers, line=shown.claim.line, cover=one.cover, loss=loss)
        return (*terms.values(), *(spec for name, spec in hangs_on.items() if name not in terms))
    if (subject, action) == ("claim", "triage"):
        asked = (book.facts_asked[name] for name in papers.facts_asked(case=shown, table=book.papers))
        return tuple(spec for spec in asked if spec.type == "yes_no")
    if action == "record":
        seen = shown.surveys.get(part)
        head = shown.exposures.get(seen.exposure) if seen else None
        looks = book.surveys.looks_for(
            line=shown.claim.line, loss=(head.peril if head else "") or shown.claim.loss_kind
        )
        return tuple(FactSpec(look.code, "yes_no", required=False) for look in looks)
    return ()


def _left_out(
    shown: Case, book: Rulebook, subject: str, action: str, part: int, away: tuple[str, ...]
) -> frozenset[str]:
    """The fields that need not be asked for in this case."""
    omit = frozenset(() if away else ("without_papers",))
    if action == "submit_decision" and not sizes.turned_down_minor(shown.exposures[part]):
        omit |= {"refusal_reason"}
    if (subject, action) == ("offer", "agree") and shown.offers[part].shares:
        omit |= {"shares"}  # agreed to as they were offered
    if action == "triage" and not (shown.claim.country or book.products.end_at_borders(shown.claim.product)):
        omit |= {"country"}
    return omit


def papers_away(case: Case, book: Rulebook, subject: str, action: str, part: int) -> tuple[str, ...]:
    """For a decision the kinds of paper that it needs and that are not here."""
    if (subject, action) not in DECISIONS:
        return ()
    return tuple(need.code for need in papers.papers_away(case=case, table=book.papers, exposure=part))


def papers_to_ask(case: Case, book: Rulebook, subject: str, action: str) -> tuple[tuple[str, bool], ...]:
    """For the request of papers what it asks for where nothing is ticked: kinds, and whether each is required."""
    if (subject, action) != ("claim", "request_papers"):
        return ()
    found: dict[str, bool] = {}
    for need in papers.papers_needed(case=case, table=book.papers):
        found[need.code] = found.get(need.code, False) or need.required
    return tuple(sorted(found.items(), key=lambda one: not one[1]))


_LABELS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("claim", "hand_over"): {"text": "field.handed_over_with"},
    ("claim", "tell_customer"): {"text": "field.told"},
    ("consultation", "opine"): {"text": "field.expert_opinion"},
    ("exposure", "guarantee"): {"payee": "party_role.hospital"},
    ("exposure", "pay_guarantee"): {"payee": "party_role.hospital"},
    ("exposure", "release_guarantee"): {"payee": "party_role.hospital"},
    ("offer", "agree"): {"code": "field.one_time_code"},
    ("exposure", "propose_refusal"): {"code": "field.refusal_ground", "reason": "field.plain_reason"},
}


def grounds(case: Case, exposure: Exposure, book: Rulebook) -> Options:
    """What a refusal may rest on: the clauses of the terms, those of its cover first, each with how it begins in plain words;
    and what stands in the policy or the law, as the letter says it."""
    terms, written, cover = terms_of(case, book), case.claim.language or language(), cover_of(case, exposure, book)
    own = (
        {cover.clause, *(e.clause for e in cover.exclusions.values()), *(s.clause for s in cover.steps)}
        if cover
        else ()
    )
    rows = sorted(terms.clauses.items(), key=lambda row: row[0] not in own) if terms else ()
    clauses = tuple((code, f"{c.name[language()]} — {Truncator(c.plain[language()]).chars(60)}") for code, c in rows)
    beside = ("period", *(LAW_GROUNDS if book.settings.market == "CN" else ()))
    others = tuple(
        (text(f"refusal_basis.{code}", written), text(f"refusal_basis.{code}", language())) for code in beside
    )
    return (EMPTY, *clauses, *others)


def papers_for(case: Case, book: Rulebook) -> tuple[str, ...]:
    """The kinds of paper that the lists of this claim's heads of loss name, else those that customers are ever asked for."""
    claim, table = case.claim, book.papers
    found: dict[str, None] = {}
    for exposure in case.exposures.values():
        for one in table.lists_for(line=claim.line, cover=exposure.cover, loss=exposure.peril):
            found.update(dict.fromkeys(row.paper for row in one.rows))
    return tuple(found) or tuple(code for code, kind in table.kinds.items() if kind.asked)


def terms_of(case: Case, book: Rulebook) -> Terms | None:
    """The terms that the claim settles by; None while no policy is known."""
    claim = case.claim
    return book.products.version(claim.product, claim.terms_version) or book.products.latest(claim.product)


def cover_of(case: Case, exposure: Exposure, book: Rulebook) -> Cover | None:
    """The cover of a head of loss in those terms."""
    terms = terms_of(case, book)
    return terms.covers.get(exposure.cover) if terms else None


def facts_of(cover: Cover | None) -> tuple[FactSpec, ...]:
    """What the terms ask about a loss under this cover, as far as a form can ask it."""
    return tuple(spec for spec in cover.facts.values() if spec.type != "policies") if cover else ()


def exclusions(cover: Cover | None) -> Options:
    """What the terms leave out, by clause, for a person to establish."""
    return tuple((e.code, f"{e.clause} {e.wording[language()]}") for e in cover.exclusions.values()) if cover else ()


# --- ready words ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """Ready words for a text: what the handler picks by, and what the customer reads."""

    code: str
    name: str
    words: str


def opinions(case: Case, book: Rulebook) -> tuple[Ready, ...]:
    """The templates of the preliminary opinion for this claim's line; named for the reader, worded for the customer."""
    told = customer_language(case)
    return tuple(Ready(o.code, o.name[language()], o.text[told]) for o in book.opinions.of_line(case.claim.line))


def customer_language(case: Case) -> str:
    """The language in which the customer of a claim is written to."""
    reporter = case.party("reporter")
    said = (reporter.language if reporter else "") or case.claim.language
    return said if said in dict(LANGUAGES) else LANGUAGES[1][0]


def opinion_language(case: Case) -> str:
    """In which language the ready words are, in words."""
    return text("opinion.language", language(), language=dict(LANGUAGES)[customer_language(case)])


def from_template(typed: Typed, code: str, ready: tuple[Ready, ...]) -> Typed:
    """What a form starts with once ready words were picked without JavaScript."""
    picked = next((one for one in ready if one.code == code), None)
    return {**typed, "text": [picked.words]} if picked else typed


# --- what a form starts with ----------------------------------------------------------------------------------------


def start(*, case: Case, book: Rulebook, subject: str, action: str, part: int) -> Typed:
    """What is known already, as somebody would have typed it."""
    begin = _START.get((subject, action))
    command = begin(case, part) if begin else None
    return typed_of(command if command is not None else COMMANDS[subject, action]())


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


def _register(case: Case, part: int) -> Any:
    currency = case.claim.currency
    rows = tuple(c.Reserve(n, Money(e.reserve_minor, currency)) for n, e in case.exposures.items())
    return c.Register(policy_number=case.claim.policy_number, reserves=rows)


def _triage(case: Case, part: int) -> Any:
    claim = case.claim
    return c.Triage(
        deaths=claim.deaths, serious_injuries=claim.serious_injuries, injured=claim.injured, rescue=claim.rescue,
        major_accident=claim.major_accident, incident=claim.incident, country=claim.country or None,
        estimate=Money(claim.estimate_minor, claim.currency) if claim.estimate_minor else None, facts=claim.facts,
    )  # fmt: skip


def _reserve(case: Case, part: int) -> Any:
    return c.SetReserve(amount=Money(case.exposures[part].reserve_minor, case.claim.currency))


def _assess(case: Case, part: int) -> Any:
    exposure, currency = case.exposures[part], case.claim.currency
    rows = tuple(
        c.ItemAssessed(
            what=row.get("what", ""),
            code=row.get("code", ""),
            quantity=row.get("quantity", 1),
            excluded=row.get("excluded", ""),
            assessed=_money(row.get("assessed_minor"), currency),
            claimed=_money(row.get("claimed_minor"), currency),
            standard=_money(row.get("standard_minor"), currency),
        )
        for row in exposure.items
    )
    return c.Assess(items=rows, facts=_facts_known(case, part))


def _facts_known(case: Case, part: int) -> dict[str, Any]:
    """What is known of a head of loss, its sums as money."""
    currency = case.claim.currency
    return {
        name: Money(value, currency) if name.endswith("_minor") and isinstance(value, int) else value
        for name, value in case.exposures[part].facts.items()
    }


def _correct(case: Case, part: int) -> Any:
    return c.CorrectExposure(facts=_facts_known(case, part))


def _undisputed(case: Case, part: int) -> Any:
    return c.PayUndisputed(Money(undisputed_minor(case, case.exposures[part]), case.claim.currency))


def _schedule(case: Case, part: int) -> Any:
    open_ones = [n for n, e in case.exposures.items() if e.state == "open"]
    return c.ScheduleSurvey(place=case.claim.place, exposure=open_ones[0] if len(open_ones) == 1 else 0)


def _first_exposure(cls: type) -> Callable[[Case, int], Any]:
    return lambda case, part: cls(exposure=next(iter(case.exposures), 1))


def _send_offer(case: Case, part: int) -> Any:
    """Equal shares for the heirs of who has died, for a person to correct: the proof of inheritance says them."""
    offer = case.offers[part]
    to = case.parties.get(offer.to or 0)
    heirs = acting.heirs(case, to.part) if to is not None and to.deceased and not offer.shares else ()
    rows = offer.shares or tuple({"payee": n, "numerator": 1, "denominator": len(heirs)} for n in heirs)
    return c.SendOffer(tuple(c.Share(s["payee"], s["numerator"], s["denominator"]) for s in rows))


def _hospital(case: Case, part: int) -> tuple[int | None, int]:
    """The hospital whose guarantee on a head of loss is still open, the first of several, and how much of it is."""
    rows = ((r["payee"], guaranteed_open_minor(case, part, r["payee"])) for r in case.exposures[part].guarantees)
    return next(((payee, left) for payee, left in rows if left), (None, 0))


def _guarantee(case: Case, part: int) -> Any:
    """What a colleague has agreed to and a second person is asked for, as it was said."""
    known = [n for n, p in case.parties.items() if "hospital" in p.roles]
    row = next((r for r in case.exposures[part].guarantees if r["waits"]), None)
    if row is not None:
        return c.OnAccount(Money(row["amount_minor"], case.claim.currency), row["payee"])
    return c.OnAccount(payee=known[0] if len(known) == 1 else None)


def _pay_guarantee(case: Case, part: int) -> Any:
    payee, left = _hospital(case, part)
    return c.OnAccount(Money(left, case.claim.currency), payee)


def _release_guarantee(case: Case, part: int) -> Any:
    return c.ReleaseGuarantee(_hospital(case, part)[0])


_START: Mapping[tuple[str, str], Callable[[Case, int], Any]] = {
    ("claim", "register"): _register,
    ("claim", "triage"): _triage,
    ("claim", "correct"): lambda case, part: c.CorrectReport(case.claim.loss_at, case.claim.place),
    ("exposure", "set_reserve"): _reserve,
    ("exposure", "assess"): _assess,
    ("exposure", "correct"): _correct,
    ("exposure", "pay_undisputed"): _undisputed,
    ("exposure", "guarantee"): _guarantee,
    ("exposure", "pay_guarantee"): _pay_guarantee,
    ("exposure", "release_guarantee"): _release_guarantee,
    ("offer", "send"): _send_offer,
    ("survey", "schedule"): _schedule,
    ("payment", "order"): _first_exposure(c.OrderPayment),
    ("recovery", "recover_overpayment"): _first_exposure(c.OpenRecovery),
    ("recovery", "subrogate"): _first_exposure(c.OpenRecovery),
}
