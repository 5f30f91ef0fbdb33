"""Parties (当事人): who is who on a claim, whose mandate was seen, whose identity and account hold (norm part 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from lipei.domain import accounts
from lipei.domain.claims import Party
from lipei.domain.commands import PartyReported
from lipei.domain.conduct import Ask
from lipei.domain.customers import PREFIX
from lipei.domain.events import Change, Event, Outcome, Value, wrong
from lipei.domain.rules.payees import approved_anew, typed_by
from lipei.domain.rules.persons import born_on, is_person, party_fields, wrong_acting, wrong_party

_ACTING = frozenset({"roles", "acts_for", "mandate", "mandate_reason"})
_ACCOUNT = frozenset({"name", "account_number", "account_name", "account_bank"})


def add(ask: Ask) -> Outcome:
    """One more person or firm."""
    part, fields = ask.case.next_part("party"), party_fields(ask, ask.command)
    fields["account_by"] = typed_by(ask, str(fields["account_number"]))
    codes = wrong_party(ask, ask.command)
    if not ask.command.roles:
        codes["roles"] = "refusal.role_missing"
    codes |= wrong_acting(ask, Party(part=part, **fields), ask.case.parties)
    if codes:
        return wrong(**codes)
    return (ask.done(part=part, facts={"roles": ask.command.roles}, **fields),)


def correct(ask: Ask) -> Outcome:
    """What is known of a party changes; only what was said is changed. A new account or identity is checked anew."""
    command, party = ask.command, ask.target
    by_customer = ask.actor.id.startswith(PREFIX)
    roles = command.roles or party.roles
    as_now = replace(command, roles=roles, id_type=command.id_type or party.id_type, person=party.person)
    codes = wrong_party(ask, as_now)
    said = {**party_fields(ask, command), "person": is_person(as_now), "deceased": command.deceased}
    changed: dict[str, Value] = {
        name: value for name, value in said.items() if value not in ("", None, ()) and value != getattr(party, name)
    }
    if _ACTING & set(changed):
        codes |= wrong_acting(ask, replace(party, **changed), ask.case.parties)
    codes |= _beyond_a_customer(command, party) if by_customer else {}
    if by_customer and command.account_number:
        bank = command.account_bank or party.account_bank
        code = accounts.check_bank_code(number=command.account_number, code=bank)
        codes |= {"account_bank": code} if code else {}
    if codes:
        return wrong(**codes)
    if command.account_number and not command.account_name:
        changed["account_name"] = party.account_name or party.name
    if changed.get("account_number", party.account_number) == party.account_number:
        changed.pop("account_checked_at", None)
    if "id_number" in changed or "name" in changed:
        changed["identity_checked_at"] = None
    if {"acts_for", "mandate", "mandate_reason", "name"} & set(changed):
        changed["mandate_checked_at"] = None
    if not changed:
        return wrong(name="refusal.nothing_changed")
    unproven = any(n in changed and getattr(party, n) for n in ("identity_checked_at", "mandate_checked_at"))
    waiting = approved_anew(ask, party) if unproven or {*_ACCOUNT, "deceased"} & set(changed) else []
    if _ACCOUNT & set(changed):
        changed["account_by"] = "" if by_customer else ask.actor.id
    return (ask.done(*waiting, facts={"fields": tuple(sorted(changed))}, **changed),)


def _beyond_a_customer(command: PartyReported, party: Party) -> dict[str, str]:
    """What customers cannot correct by themselves: who they are on the claim, for whom they act, another's account."""
    names = ("roles", "acts_for", "mandate", "mandate_reason", "deceased")
    said = {name: getattr(command, name) for name in names}
    codes = {
        n: "refusal.ask_us" for n, value in said.items() if value not in ("", None, ()) and value != getattr(party, n)
    }
    if (
        command.name
        and party.name
        and accounts.match_names(account_name=command.name, payee_name=party.name) == "different"
    ):
        codes["name"] = "refusal.ask_us"
    owner = command.account_name or party.account_name or party.name
    named = command.account_number or command.account_name
    if named and accounts.match_names(account_name=owner, payee_name=command.name or party.name) == "different":
        codes["account_name"] = "refusal.account_name_differs"
    return codes


def check_identity(ask: Ask) -> Outcome:
    """Somebody saw the paper: who this is, and by what right they act for another.

    What was seen is compared with what is on file; where they differ nothing is proven, and that is on record.
    """
    command, party = ask.command, ask.target
    number = command.id_number.strip()
    codes = _wrong_document(command.id_type, number, ask.rulebook.settings.day(ask.now))
    mandate = command.mandate or party.mandate
    if party.acts_for is not None and not mandate:
        codes["mandate"] = "refusal.mandate_missing"
    elif party.acts_for is not None:
        codes |= wrong_acting(ask, replace(party, mandate=mandate), ask.case.parties)
    if codes:
        return wrong(**codes)
    if party.id_number and not _is_on_file(party, command.id_type, number):
        unproven = [Change("party", party.part, {"identity_checked_at": None}), *approved_anew(ask, party)]
        changes = tuple(unproven) if party.identity_checked_at else ()
        return (Event("party.identity_differs", party.part, {"id_type": command.id_type}, changes),)
    fields: dict[str, Value] = {"id_type": command.id_type, "id_number": number, "identity_checked_at": ask.now}
    if born := born_on(command.id_type, number):
        fields["born_on"] = born
    if party.acts_for is not None:
        fields |= {"mandate": mandate, "mandate_checked_at": ask.now}
    return (ask.done(facts={"id_type": command.id_type, "mandate": fields.get("mandate", "")}, **fields),)


def _wrong_document(id_type: str, number: str, today: date) -> dict[str, str]:
    """What is missing or impossible in what somebody says to have seen."""
    codes = {} if id_type else {"id_type": "refusal.id_type_missing"}
    code: str | None = None if number else "refusal.id_number_missing"
    if number and id_type == "resident_id":
        code = accounts.check_resident_id(number=number, today=today)
    elif number and id_type == "business_licence":
        code = accounts.check_uscc(number=number)
    return {**codes, "id_number": code} if code else codes


def _is_on_file(party: Party, id_type: str, number: str) -> bool:
    """Whether a document seen is the one on file: the same number, however it is spaced, and no other kind."""
    same = accounts.compact_id(number=number) == accounts.compact_id(number=party.id_number)
    return same and party.id_type in ("", id_type)
