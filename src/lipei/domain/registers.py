"""Registers: journals of what belongs to no claim. They have no parts, so there is no snapshot to fold: what an entry
says stands in its facts, and the rows that it wrote are named in it by digest.
"""

from __future__ import annotations

from lipei.domain.events import Aggregate


class BankRegister(Aggregate):
    """What the bank said that was no step of any payment."""

    kind = "bank"
    entities = {}


class NormsRegister(Aggregate):
    """The versions of the norm tables: who put which in force."""

    kind = "norms"
    entities = {}


class AccessRegister(Aggregate):
    """Sessions that somebody ended: whose, and by whom."""

    kind = "access"
    entities = {}


class PeopleRegister(Aggregate):
    """Who works here and what they may do: staff, absences, lent authority, tokens, webhooks; who changed what."""

    kind = "people"
    entities = {}


class PolicyRegister(Aggregate):
    """What policies say, as an import last made them: who imported which file (docs/decisions/0017)."""

    kind = "policies"
    entities = {}


REGISTERS = (BankRegister, NormsRegister, AccessRegister, PeopleRegister, PolicyRegister)
ID = 1
"""There is one of each."""
