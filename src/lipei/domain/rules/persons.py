"""What is said of a party (当事人), looked at wherever it comes in: contact, identity, account, and for whom they act."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lipei.domain import accounts
from lipei.domain.acting import MANDATES, fitting
from lipei.domain.claims import Party
from lipei.domain.commands import PartyReported
from lipei.domain.conduct import Ask
from lipei.domain.events import Value
from lipei.domain.papers import minor
from lipei.domain.parties import FIRMS

_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\".]+")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9Xx]")


def wrong_contact(region: str, phone: str, email: str) -> dict[str, str]:
    """What is wrong with a phone number as it is dialled in a region, or with an e-mail address."""
    codes = {"phone": accounts.check_phone(number=phone, region=region) if phone.strip() else None}
    codes["email"] = None if not email.strip() or _EMAIL.fullmatch(email.strip()) else "refusal.email_impossible"
    return {name: code for name, code in codes.items() if code}


def wrong_party(ask: Ask, party: PartyReported) -> dict[str, str]:
    """What is wrong with what is said of a party: phone, identity number, account."""
    codes: dict[str, str | None] = {**wrong_contact(ask.rulebook.settings.region, party.phone, party.email)}
    person = is_person(party)
    looks_like_one = not party.id_type and person and _RESIDENT_ID.fullmatch(party.id_number.strip())
    if party.id_number and (party.id_type == "resident_id" or looks_like_one):
        codes["id_number"] = accounts.check_resident_id(
            number=party.id_number, today=ask.rulebook.settings.day(ask.now)
        )
    if party.id_number and party.id_type == "business_licence":
        codes["id_number"] = accounts.check_uscc(number=party.id_number)
    if party.account_number:
        kind = accounts.account_kind(number=party.account_number)
        codes["account_number"] = accounts.check_account(number=party.account_number, kind=kind)
    if party.account_bank:
        codes["account_bank"] = accounts.check_bank_code(number=party.account_number, code=party.account_bank)
    return {name: code for name, code in codes.items() if code}


def is_person(party: PartyReported) -> bool:
    """Whether a party is a natural person: the injured always are, hospitals and garages never, others as was said."""
    return "injured" in party.roles or (party.person and not FIRMS & set(party.roles))


def wrong_acting(ask: Ask, party: Party, others: Mapping[int, Party]) -> dict[str, str]:
    """What is wrong with for whom a party acts and by what right: one sentence beside the field that it is about.

    Nobody acts for themselves; an heir takes the place of who has died, a guardian speaks for a living person who is
    under age or, with a reason, for an adult who cannot act; the mandate is the one that the role needs (民法典 23, 34, 161, 1121).
    """
    if party.acts_for is None:
        named = party.mandate or set(party.roles) & set(MANDATES)
        return {"acts_for": "refusal.acts_for_missing"} if named else {}
    principal = others.get(party.acts_for)
    if party.acts_for == party.part or (principal is not None and _same(party, principal)):
        return {"acts_for": "refusal.acts_for_self"}
    if principal is None:
        return {"acts_for": "refusal.party_unknown"}
    fits = fitting(party.roles) or {"power_of_attorney"}
    if party.mandate and party.mandate not in fits:
        return {"mandate": "refusal.mandate_other"}
    return _wrong_principal(ask, party, principal)


def _wrong_principal(ask: Ask, party: Party, principal: Party) -> dict[str, str]:
    """Whether the one acted for can have an heir or a guardian at all."""
    by_nature = {"heir", "guardian"} & set(party.roles)
    if by_nature and not principal.person:
        return {"acts_for": "refusal.principal_firm"}
    if "heir" in by_nature and not principal.deceased:
        return {"acts_for": "refusal.principal_alive"}
    if "guardian" in by_nature and principal.deceased:
        return {"acts_for": "refusal.principal_dead"}
    adult = bool(principal.born_on) and not minor(
        principal, ask.rulebook.papers.adult_age_years, ask.rulebook.settings.day(ask.now)
    )
    if "guardian" in by_nature and adult and not party.mandate_reason:
        return {"mandate_reason": "refusal.guardian_reason"}
    return {}


def _same(one: Party, other: Party) -> bool:
    """Whether two entries are plainly one person: the same identity number, or the same name and phone."""
    if one.id_number or other.id_number:
        return one.id_number == other.id_number
    return bool(one.name and one.phone) and (one.name, one.phone) == (other.name, other.phone)


def party_fields(ask: Ask, party: PartyReported) -> dict[str, Value]:
    """A party's row from what was said; an account whose check digit agrees counts as checked."""
    number = accounts.compact_account(number=party.account_number) if party.account_number else ""
    return {
        "roles": party.roles,
        "person": is_person(party),
        "name": party.name.strip(),
        "phone": party.phone.strip(),
        "email": party.email.strip(),
        "id_type": party.id_type,
        "id_number": party.id_number.strip(),
        "born_on": born_on(party.id_type, party.id_number),
        "language": party.language,
        "deceased": bool(party.deceased),
        "acts_for": party.acts_for,
        "mandate": party.mandate,
        "mandate_reason": party.mandate_reason.strip(),
        "account_name": party.account_name.strip() or (party.name.strip() if number else ""),
        "account_number": number,
        "account_bank": party.account_bank.strip(),
        "account_kind": accounts.account_kind(number=number) if number else "",
        "account_checked_at": ask.now if number else None,
    }


def born_on(id_type: str, id_number: str) -> str:
    """The day of birth as an identity number tells it, ISO; empty where it does not."""
    born = accounts.resident_birth_date(number=id_number) if id_type == "resident_id" and id_number else None
    return born.isoformat() if born else ""
