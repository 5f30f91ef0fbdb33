"""Who is who on a claim, as it is said: a party in its roles, and what was seen of its identity and mandate."""

from __future__ import annotations

from dataclasses import dataclass

from lipei.domain.entries import said

PARTY_ROLES = ("reporter", "insured", "claimant", "injured", "beneficiary", "heir", "guardian", "agent", "payee",
               "repairer", "hospital", "third_party")  # fmt: skip
FIRMS = frozenset({"hospital", "repairer"})
"""Roles that firms have: whoever is in one is no natural person, whatever a form was left at."""
MANDATES = ("", "power_of_attorney", "guardianship", "inheritance", "inheritance_all")


@dataclass(frozen=True, slots=True)
class PartyReported:
    """A person or firm as the reporter names them. Only the reporter needs a phone or an e-mail address.

    ``account_bank`` is the clearing code of the bank or its BIC. Without it no money leaves, unless ``account_number`` is
    an IBAN; it can still be said later.
    """

    roles: tuple[str, ...] = said((), choices=PARTY_ROLES, example=("reporter", "insured", "claimant", "payee"))
    name: str = said(example="王小明", length_max=80)
    phone: str = said(example="13800138000", length_max=40)
    email: str = said(length_max=120)
    person: bool = True
    id_type: str = said(choices=("", "resident_id", "passport", "business_licence", "other"))
    id_number: str = said(length_max=40)
    language: str = said(choices=("", "zh-hans", "zh-hant", "en"))
    deceased: bool | None = None  # None: as it was, for a new party alive
    acts_for: int | None = None
    mandate: str = said(choices=MANDATES)
    mandate_reason: str = said(length_max=200)  # why an adult has a guardian
    account_name: str = said(length_max=80)
    account_number: str = said(length_max=40)
    account_bank: str = said(length_max=40)


@dataclass(frozen=True, slots=True)
class CheckIdentity:
    """Identity and mandate of a party were looked at: which document was seen, the number on it, and which mandate."""

    id_type: str = said(choices=("", "resident_id", "passport", "business_licence", "other"), required=True)
    id_number: str = said(length_max=40, required=True)
    mandate: str = said(choices=MANDATES)
