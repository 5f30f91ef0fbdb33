"""The rulebook: every norm table as it is in force, as one frozen value.

Rules never look a table up: they are given the rulebook of the moment. A manager's edit makes a new rulebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from lipei.domain.assignment import AssignmentTable
from lipei.domain.authority import AuthorityTable
from lipei.domain.calendars import Calendars
from lipei.domain.duty import DutyTable
from lipei.domain.facts import asked_by
from lipei.domain.hints import HintTable
from lipei.domain.jobs import JobTable
from lipei.domain.lines import Lines
from lipei.domain.messages import MessageTable
from lipei.domain.opinions import OpinionTable
from lipei.domain.papers import PaperTable
from lipei.domain.promises import Promises
from lipei.domain.reserves import ReserveTable
from lipei.domain.settings import Settings
from lipei.domain.settlement import Products
from lipei.domain.settlement.terms import Cover, FactSpec
from lipei.domain.straight_through import StraightThroughTable
from lipei.domain.surveys import SurveyTable
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
    jobs: JobTable
    opinions: OpinionTable
    surveys: SurveyTable
    hints: HintTable
    reserves: ReserveTable
    versions: tuple[tuple[str, int], ...] = ()

    @cached_property
    def facts_asked(self) -> Mapping[str, FactSpec]:
        """The facts of a loss that the tables ask for: triage, papers, assignment, duty and promises."""
        papers = (
            *(row.when for one in self.papers.lists for row in one.rows),
            *(kind.on_file for kind in self.papers.kinds.values()),
        )
        others = (
            *(rule.when for rule in self.triage.rules),
            *(when for _, when in (*self.assignment.skills, *self.assignment.queues)),
            *(promise.condition for promise in self.promises.current.values()),
            self.duty.calls,
        )
        return asked_by(condition for condition in (*papers, *others) if condition is not None)

    def covers_of(self, product: str = "", cover: str = "") -> tuple[Cover, ...]:
        """The covers that a head of loss may fall under, of the newest terms: the one named, else all of the product's,
        else, while no policy is known, all there are."""
        terms = [t for code in self.products.codes if (t := self.products.latest(code)) and product in ("", code)]
        named = [t.covers[cover] for t in terms if cover in t.covers]
        return tuple(named or (one for t in terms for one in t.covers.values()))
