"""The rulebook: every norm table as it is in force, as one frozen value.

Rules never look a table up: they are given the rulebook of the moment. A manager's edit makes a new rulebook.
"""

from __future__ import annotations

from dataclasses import dataclass

from lipei.domain.assignment import AssignmentTable
from lipei.domain.authority import AuthorityTable
from lipei.domain.calendars import Calendars
from lipei.domain.duty import DutyTable
from lipei.domain.lines import Lines
from lipei.domain.messages import MessageTable
from lipei.domain.papers import PaperTable
from lipei.domain.promises import Promises
from lipei.domain.settings import Settings
from lipei.domain.settlement import Products
from lipei.domain.straight_through import StraightThroughTable
from lipei.domain.triage import TriageTable


@dataclass(frozen=True)
class Rulebook:
    """All tables in force. ``versions`` names which, table by table, for the journal and for caches."""

    calendars: Calendars
    promises: Promises
    lines: Lines
    triage: TriageTable
    assignment: AssignmentTable
    duty: DutyTable
    authority: AuthorityTable
    straight_through: StraightThroughTable
    papers: PaperTable
    products: Products
    messages: MessageTable
    settings: Settings
    versions: tuple[tuple[str, int], ...] = ()
