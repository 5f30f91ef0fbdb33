"""Intake (报案、受理、立案): a loss is reported, recognised and registered (norm 2.1.1, 2.2.1, 1.3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Any

from lipei.domain import accounts, countries, sizes
from lipei.domain.acting import whose_is_unsaid
from lipei.domain.claims import USUAL, Case, Exposure, Party
from lipei.domain.commands import ExposureReported, PartyReported, Report
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Outcome, Refusal, Value, wrong
from lipei.domain.facts import wrong_of_claim, wrong_of_head
from lipei.domain.money import Money
from lipei.domain.rules.authority import may
from lipei.domain.rules.incidents import wrong_incident, wrong_with_incidents
from lipei.domain.rules.occurrence import terms_on, wrong_loss_at
from lipei.domain.rules.payees import typed_by
from lipei.domain.rules.persons import party_fields, wrong_acting, wrong_contact, wrong_party


def report(ask: Ask) -> Outcome:
    """A loss becomes a claim. A phone number (or e-mail) and a story are enough; the rest may follow."""
    command: Report = ask.command
    codes = _wrong_report(ask, command) | wrong_incident(ask, command.incident)
    parties = _parties(ask, command)
    exposures, more = _exposures(ask, command, parties)
    if codes or more:
        return wrong_with_incidents(ask, more | codes)
    root = {**_root(ask, command), "estimate_minor": _estimate(command, exposures)}
    event = ask.done(
        Change("claim", 0, root),
        *(Change("party", number, fields) for number, fields in parties.items()),
        *(Change("exposure", number, fields) for number, fields in enumerate(exposures, start=1)),
        facts=_told(ask, command, root),
        part=0,
    )
    return (event,)


def _root(ask: Ask, command: Report) -> dict[str, Value]:
    policy, rulebook = ask.world.policy, ask.rulebook
    channel = {"customer": "portal", "token": "api"}.get(ask.actor.id.partition(":")[0], "console")
    return {
        "number": ask.world.number,
        "state": "reported",
        "line": command.line,
        "loss_kind": command.loss_kind,
        "policy_id": policy.id if policy else None,
        "policy_number": policy.number if policy else command.policy_number,
        "product": policy.product if policy else "",
        "channel": channel,
        "language": command.language or rulebook.settings.language_default,
        "currency": _currency(ask, command),
        "region": command.region or ask.world.region,
        "reported_at": ask.now,
        "loss_at": command.loss_at,
        "story": command.story.strip(),
        "place": command.place.strip(),
        "country": command.country,
        "deaths": max(command.deaths, int(_insured_died(ask))),
        "insured_died": _insured_died(ask),
        "serious_injuries": command.serious_injuries,
        "injured": command.injured,
        "rescue": command.rescue,
        "major_accident": command.major_accident,
        "incident": command.incident,
        "facts": known_facts(command.facts),
        "external_number": command.external_number,
        "accept_automatic": command.accept_automatic,
        **terms_on(ask, command.loss_at or ask.now),
    }


def _currency(ask: Ask, command: Report) -> str:
    if ask.world.policy:
        return ask.world.policy.currency
    named = [m.currency for m in _amounts(command)]
    return named[0] if named else ask.rulebook.settings.currency


def _amounts(command: Report) -> list[Money]:
    found = [command.estimate, *(e.reserve for e in command.exposures)]
    found += [m for e in command.exposures for item in e.items for m in (item.claimed, item.assessed, item.standard)]
    return [m for m in found if m is not None]


def _estimate(command: Report, exposures: Sequence[Mapping[str, Any]]) -> int:
    return command.estimate.minor if command.estimate else sum(e["reserve_minor"] for e in exposures)


def _wrong_report(ask: Ask, command: Report) -> dict[str, str]:
    """What is wrong with a report, a text code per field; all at once, so that nobody corrects one by one."""
    codes: dict[str, str] = {}
    if not command.story.strip():
        codes["story"] = "refusal.story_missing"
    if not (command.phone.strip() or command.email.strip() or any(p.phone or p.email for p in command.parties)):
        codes["phone"] = "refusal.contact_missing"
    codes |= wrong_contact(ask.rulebook.settings.region, command.phone, command.email)
    codes |= wrong_loss_at(ask, command.loss_at, ask.now)
    if command.policy_number and ask.world.policy is None:
        codes["policy_number"] = "refusal.policy_unknown"
    if code := countries.wrong(command.country):
        codes["country"] = code
    codes |= _wrong_line(ask, command) | _wrong_amounts(ask, command)
    codes |= wrong_facts(ask, command.facts, ask.world.policy.product if ask.world.policy else "")
    named = {n: Party(part=n, **_named(ask, p)) for n, p in enumerate(command.parties, start=1)}
    for number, party in enumerate(command.parties, start=1):
        found = wrong_party(ask, party) | wrong_acting(ask, named[number], named)
        if party.deceased and "reporter" in party.roles:
            found["deceased"] = "refusal.reporter_deceased"
        codes |= {f"parties.{number}.{name}": code for name, code in found.items()}
    if command.insured_died and any({"reporter", "insured"} <= set(p.roles) for p in command.parties):
        codes["insured_died"] = "refusal.reporter_deceased"
    return codes


def _named(ask: Ask, party: PartyReported) -> dict[str, Any]:
    """A party's row as the report names it; the insured of a report that says so has died."""
    fields = party_fields(ask, party)
    return fields | {"deceased": fields["deceased"] or ("insured" in party.roles and _insured_died(ask))}


def _insured_died(ask: Ask) -> bool:
    """Whether the insured is known to have died: by this report, or on a claim whose policy is found only now."""
    if isinstance(ask.command, Report):
        return ask.command.insured_died or any(p.deceased and "insured" in p.roles for p in ask.command.parties)
    return ask.case.claim.insured_died


def wrong_facts(ask: Ask, given: Mapping[str, Value], product: str) -> dict[str, str]:
    """What is wrong with what is said of the loss as a whole."""
    if not given:
        return {}
    return wrong_of_claim(given, tables=ask.rulebook.facts_asked, covers=ask.rulebook.covers_of(product))


def known_facts(given: Mapping[str, Value]) -> dict[str, Value]:
    """What is really known: null takes a fact back."""
    return {name: value for name, value in given.items() if value is not None}


def _region(ask: Ask) -> str:
    return ask.rulebook.settings.region


def _wrong_line(ask: Ask, command: Report) -> dict[str, str]:
    lines, policy = ask.rulebook.lines, ask.world.policy
    if command.line and command.line not in lines.lines:
        return {"line": "refusal.line_unknown"}
    possible = lines.lines[command.line].losses if command.line else lines.losses
    if command.loss_kind and command.loss_kind not in possible:
        return {"loss_kind": "refusal.loss_kind_unknown"}
    terms = ask.rulebook.products.latest(policy.product) if policy and command.policy_number else None
    if terms and command.line and terms.line != command.line:
        return {"policy_number": "refusal.policy_other_line"}
    return {}


def _wrong_amounts(ask: Ask, command: Report) -> dict[str, str]:
    codes: dict[str, str] = {}
    currency = _currency(ask, command)
    if command.estimate and command.estimate.currency != currency:
        codes["estimate"] = "refusal.currency_mixed"
    for number, exposure in enumerate(command.exposures, start=1):
        if exposure.reserve and exposure.reserve.currency != currency:
            codes[f"exposures.{number}.reserve"] = "refusal.currency_mixed"
        for place, item in enumerate(exposure.items, start=1):
            if any(m and m.currency != currency for m in (item.claimed, item.assessed, item.standard)):
                codes[f"exposures.{number}.items.{place}"] = "refusal.currency_mixed"
    return codes


def _parties(ask: Ask, command: Report) -> dict[int, dict[str, Value]]:
    """The parties by number: those named as they were counted, then the reporter if they are not among them.

    What is on file is not asked, it is filled in. Who reports for somebody else is not paid in their place: the insured
    on file is then a party of their own.
    """
    named = list(command.parties)
    alone = not any({"claimant", "insured"} & set(p.roles) for p in named)
    if not any("reporter" in p.roles for p in named):
        named.append(PartyReported(roles=("reporter",), name=command.name, phone=command.phone, email=command.email))
    found = {number: _named(ask, party) for number, party in enumerate(named, start=1)}
    for fields in found.values():
        fill_from_file(ask, fields)
        fields["account_by"] = typed_by(ask, str(fields["account_number"]))
    if insured := insured_on_file(ask, found):
        found[len(found) + 1] = insured
    if alone:
        first = next(f for role in ("insured", "reporter") for f in found.values() if role in f["roles"])
        paid = () if first["deceased"] else ("payee",)  # what was due to the dead goes to their heirs
        first["roles"] = tuple(dict.fromkeys((*first["roles"], "claimant", *paid)))
    return found


def insured_on_file(ask: Ask, parties: Mapping[int, Mapping[str, Value]]) -> dict[str, Value] | None:
    """The insured as the policy knows them, where nobody of the parties is; known to have died they stand there unnamed."""
    known = ask.world.on_file.get("name") or _insured_died(ask)
    if not known or any("insured" in p["roles"] for p in parties.values()):
        return None
    fields = _named(ask, PartyReported(roles=("insured",)))
    fill_from_file(ask, fields)
    return fields


def fill_from_file(ask: Ask, fields: dict[str, Value]) -> None:
    """Complete the insured (or the reporter who is the insured) from the policy (norm 1.3.3: do not ask twice)."""
    on_file = ask.world.on_file
    same = _same_person(ask, fields)
    if not on_file or not ("insured" in fields["roles"] or same):
        return
    if same and "insured" not in fields["roles"]:
        fields["roles"] = (*fields["roles"], "insured")
    for name in ("name", "phone", "email", "id_number", "id_type", "account_name"):
        fields[name] = fields[name] or on_file.get(name, "")
    if "reporter" not in fields["roles"]:  # whoever reports is answered in the language they report in
        fields["language"] = fields["language"] or on_file.get("language", "")
    known = on_file.get("account_number", "")
    if not fields["account_number"] and known:
        fields["account_number"] = known
        fields["account_kind"] = accounts.account_kind(number=known)
        fields["account_checked_at"] = ask.now
    # The bank on file is that of the account on file; that of another account is still to be said.
    if accounts.compact_account(number=str(fields["account_number"])) == accounts.compact_account(number=known):
        fields["account_bank"] = fields["account_bank"] or on_file.get("account_bank", "")


def _same_person(ask: Ask, fields: Mapping[str, Value]) -> bool:
    """Whether a party is the insured on file: by phone, however it is written, else by the very name.

    At the portal a name proves nothing beside another phone than the one on file: a code goes to the phone that was
    typed, and would open what is on file to whoever knows the name. Of an insured who has died nobody else is the same.
    """
    if _insured_died(ask):
        return False
    on_file, region = ask.world.on_file, _region(ask)
    phone = accounts.normal_phone(number=on_file.get("phone", ""), region=region)
    if phone and accounts.normal_phone(number=fields["phone"], region=region) == phone:
        return True
    if phone and ask.actor.id.startswith("customer:"):
        return False
    return bool(fields["name"]) and "reporter" in fields["roles"] and fields["name"] == on_file.get("name")


def _exposures(
    ask: Ask, command: Report, parties: Mapping[int, Mapping[str, Any]]
) -> tuple[list[dict[str, Value]], dict[str, str]]:
    product = ask.world.policy.product if ask.world.policy else ""
    roles = {n: p["roles"] for n, p in parties.items()}
    persons = {n: Party(part=n, **p) for n, p in parties.items()}
    codes: dict[str, str] = {}
    rows: list[dict[str, Value]] = []
    for number, said in enumerate(command.exposures, start=1):
        fields: dict[str, Any] = {
            "state": "open",
            "cover": said.cover,
            "peril": said.peril or command.loss_kind,
            "claimant": said.claimant or claims_under(ask, said.cover, product, roles),
            "facts": dict(said.facts),
            "items": tuple(item_row(i) for i in said.items),
            "reserve_minor": _first_reserve(command, said),
            "reserve_reason": "reported",
        }
        wrong_here = wrong_exposure(ask, Exposure(part=number, **fields), set(parties))
        if not said.claimant and whose_is_unsaid(persons, fields["claimant"]):
            wrong_here["claimant"] = "refusal.claimant_missing"
        for name, code in wrong_here.items():
            codes[f"exposures.{number}.{name}"] = code
        rows.append(fields)
    return rows, codes


def _first_reserve(command: Report, said: ExposureReported) -> int:
    """What the reporter says it may cost: the sum named, else the items claimed, else the whole estimate if it stands alone."""
    if said.reserve is not None:
        return said.reserve.minor
    claimed = sum(item.claimed.minor for item in said.items if item.claimed)
    if not claimed and command.estimate and len(command.exposures) == 1:
        return command.estimate.minor
    return claimed


def wrong_exposure(ask: Ask, exposure: Exposure, parties: set[int]) -> dict[str, str]:
    """What is wrong with a head of loss: an unknown cover or claimant, or facts that nobody asks for."""
    policy = ask.world.policy
    codes: dict[str, str] = {}
    if exposure.claimant is not None and exposure.claimant not in parties:
        codes["claimant"] = "refusal.party_unknown"
    if policy and exposure.cover:
        terms = ask.rulebook.products.latest(policy.product)
        if terms and exposure.cover not in terms.covers:
            codes["cover"] = "refusal.cover_unknown"
    if exposure.facts and not codes:
        covers = ask.rulebook.covers_of(policy.product if policy else "", exposure.cover)
        codes |= wrong_of_head(exposure.facts, tables=ask.rulebook.facts_asked, covers=covers)
    return codes


def item_row(item: Any) -> dict[str, Value]:
    """An item as it stands in the exposure: minor units; what was claimed stands for what is assessed until somebody does."""
    minor = {
        name: money.minor if (money := getattr(item, name)) else None for name in ("claimed", "assessed", "standard")
    }
    return {
        "what": item.what,
        "code": item.code,
        "quantity": item.quantity,
        "claimed_minor": minor["claimed"],
        "assessed_minor": minor["assessed"],
        "standard_minor": minor["standard"],
        "excluded": item.excluded,
    }


def _told(ask: Ask, command: Report, root: Mapping[str, Value]) -> dict[str, Value]:
    names = (
        "number",
        "channel",
        "line",
        "loss_kind",
        "policy_number",
        "deaths",
        "serious_injuries",
        "injured",
        "rescue",
    )
    return {
        **{name: root[name] for name in names},
        "alike": ask.world.alike,
        "policy_found": ask.world.policy is not None,
    }


def register(ask: Ask) -> Outcome:
    """Open the file (立案): reserves are set; a loss outside the policy period is flagged, and refused by nobody but a person."""
    claim, policy = ask.case.claim, ask.world.policy
    if policy is None:
        return Refusal("refusal.policy_unknown", "fields", fields={"policy_number": "refusal.policy_unknown"})
    reserves = {r.exposure: r.amount for r in ask.command.reserves}
    codes = _wrong_reserves(ask, reserves, policy.currency) | _wrong_estimate(ask, policy.currency)
    if codes:
        return wrong(**codes)
    again = {"items": ()} if policy.currency != claim.currency else {}  # sums in another currency are said anew
    changes = [
        Change("exposure", n, {"reserve_minor": money.minor, "reserve_reason": "registered", **again})
        for n, money in reserves.items()
        if money
    ]
    refusal = _reserves_beyond(ask, {n: money.minor for n, money in reserves.items() if money})
    if refusal is not None:
        return refusal
    found = _found_policy(ask)
    line = str(found.get("line", claim.line))
    unnamed = (e for n, e in ask.case.exposures.items() if not reserves.get(n) and not e.reserve_minor)
    changes += [
        Change("exposure", e.part, usual) for e in unnamed if (usual := usual_reserve(ask, e, line, policy.currency))
    ]
    if again:
        found |= {
            "currency": policy.currency,
            "estimate_minor": sum(money.minor for money in reserves.values() if money),
        }
    if found:
        changes += _insured_found(ask)
    if ask.command.estimate:
        found["estimate_minor"] = ask.command.estimate.minor
    in_force = claim.loss_at is None or policy.in_force_at(claim.loss_at)
    version = found.get("terms_version", claim.terms_version)
    facts = {"policy_number": policy.number, "product": policy.product, "terms_version": version, "in_force": in_force}
    return (ask.done(*changes, facts=facts, registered_at=ask.now, **found),)


def usual_reserve(ask: Ask, exposure: Exposure, line: str = "", currency: str = "") -> dict[str, Value]:
    """The fields of a head of loss whose reserve nobody has named: what it usually costs; none where nobody knows."""
    claim = ask.case.claim
    minor = ask.rulebook.reserves.usual_minor(
        line=line or claim.line, cover=exposure.cover, loss=exposure.peril, currency=currency or claim.currency
    )
    return {"reserve_minor": minor, "reserve_reason": USUAL} if minor else {}


def unnamed_reserve(ask: Ask, exposure: Exposure) -> dict[str, Value]:
    """The reserve of a head of loss that nobody has named and that is not assessed any more: what it usually costs."""
    return usual_reserve(ask, exposure) or {"reserve_minor": 0, "reserve_reason": ""}


def _wrong_reserves(ask: Ask, reserves: Mapping[int, Money | None], currency: str) -> dict[str, str]:
    """What is wrong with the reserves named; a policy in another currency needs every sum of the claim said anew."""
    exposures, claim = ask.case.exposures, ask.case.claim
    codes = {f"reserves.{n}": "refusal.unknown_exposure" for n in reserves if n not in exposures}
    codes |= {f"reserves.{n}": "refusal.currency_mixed" for n, m in reserves.items() if m and m.currency != currency}
    if currency != claim.currency:
        named = {n for n, m in reserves.items() if m}
        with_sums = {n for n, e in exposures.items() if e.reserve_minor or e.items}
        codes |= {f"reserves.{n}": "refusal.policy_currency" for n in with_sums - named}
    return codes


def _wrong_estimate(ask: Ask, currency: str) -> dict[str, str]:
    """What is wrong with the estimate named; one that is more than the sum of the reserves would be lost with its currency."""
    claim, estimate = ask.case.claim, ask.command.estimate
    if estimate is not None:
        return {"estimate": "refusal.currency_mixed"} if estimate.currency != currency else {}
    own = claim.estimate_minor != sum(e.reserve_minor for e in ask.case.exposures.values())
    return {"estimate": "refusal.policy_currency_estimate"} if own and currency != claim.currency else {}


def _reserves_beyond(ask: Ask, reserves: Mapping[int, int]) -> Refusal | None:
    """Reserves set at registration need the same authority as later ones, all of them taken together."""
    if not reserves or ask.actor.by_rule:
        return None
    return _reserve_beyond(ask, ask.case, reserves)


def _reserve_beyond(ask: Ask, case: Case, reserves: Mapping[int, int]) -> Refusal | None:
    figures = {n: reserves.get(n, e.named_reserve_minor) for n, e in case.exposures.items()}
    granted = may(ask, "reserve", sum(sizes.counted_once(case, figures, ask.rulebook.products).values()))
    return granted if isinstance(granted, Refusal) else None


def _insured_found(ask: Ask) -> list[Change]:
    """What the policy has on file of the insured, now that it is known (norm 1.3.3: do not ask twice)."""
    names = {f.name for f in fields_of(Party)} - {"part"}
    before = {n: {name: getattr(p, name) for name in names} for n, p in ask.case.parties.items()}
    after = {n: dict(p) for n, p in before.items()}
    for party in after.values():
        fill_from_file(ask, party)
    changes = [
        Change("party", n, {name: value for name, value in party.items() if value != before[n][name]})
        for n, party in after.items()
        if party != before[n]
    ]
    insured = insured_on_file(ask, after)
    return [*changes, Change("party", ask.case.next_part("party"), insured)] if insured else changes


def _found_policy(ask: Ask) -> dict[str, Value]:
    """What a claim takes over from a policy that was found only now: without it nothing could be settled."""
    claim, policy = ask.case.claim, ask.world.policy
    if policy is None or claim.policy_id == policy.id:
        return {}
    own = {"policy_id": policy.id, "policy_number": policy.number, "product": policy.product}
    return own | terms_on(ask, claim.loss_at or claim.reported_at or ask.now)


def claims_under(ask: Ask, cover: str, product: str, roles: Mapping[int, Sequence[str]]) -> int | None:
    """Who claims under a cover where nobody said: of a product with covers for others the insured under those for the
    insured and somebody else under those for others, else whoever claims. ``roles`` by party; None: nobody there.
    """
    known = ask.rulebook.lines.products.get(product)
    claimants = [n for n, own in roles.items() if "claimant" in own]
    insured = [n for n, own in roles.items() if "insured" in own]
    reporters = [n for n, own in roles.items() if "reporter" in own]
    if known and known.liability and cover in known.liability:
        claimants.sort(key=lambda n: n in insured)
    elif known and known.liability and cover in known.covers:
        claimants = insured + claimants
    return next(iter((*claimants, *insured, *reporters)), None)


def add_exposure(ask: Ask) -> Outcome:
    """One more head of loss."""
    command = ask.command
    number = ask.case.next_part("exposure")
    fields: dict[str, Value] = {
        "cover": command.cover,
        "peril": command.peril or ask.case.claim.loss_kind,
        "claimant": command.claimant
        or claims_under(ask, command.cover, ask.case.claim.product, {n: p.roles for n, p in ask.case.parties.items()}),
        "facts": dict(command.facts),
        "reserve_minor": command.reserve.minor if command.reserve else 0,
    }
    if command.reserve and command.reserve.currency != ask.case.claim.currency:
        return wrong(reserve="refusal.currency_mixed")
    if command.reserve is None and ask.case.claim.registered_at:
        fields |= usual_reserve(ask, Exposure(part=number, **fields))
    codes = wrong_exposure(ask, Exposure(part=number, **fields), set(ask.case.parties))
    if not command.claimant and whose_is_unsaid(ask.case.parties, fields["claimant"]):
        codes["claimant"] = "refusal.claimant_missing"
    if codes:
        return wrong(**codes)
    facts = {"cover": fields["cover"], "peril": fields["peril"], "reserve_minor": fields["reserve_minor"]}
    added = ask.done(Change("exposure", number, fields), part=number, facts=facts)
    if command.reserve and not ask.actor.by_rule:
        refusal = _reserve_beyond(ask, ask.case.after([added]), {})
        if refusal is not None:
            return refusal
    return (added,)
