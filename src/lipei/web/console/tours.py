"""The tours: for each role the places that a newcomer should have seen, in two minutes.

A step is a page, the elements on it that may be pointed at (the first that is there), and a text ``tour.<code>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CLAIM = "claim"
"""The page of the claim that waits for the reader; left out where none does."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stop. ``at``: CSS selectors, best first; the heading of the page where none fits."""

    code: str
    page: str
    at: tuple[str, ...] = ()


WORKLIST = Step("worklist", "worklist", ("main table",))
FIND = Step("find", "worklist", ("#find",))
OPENED = Step("claim", CLAIM)
NEXT = Step("next_steps", CLAIM, ("#s-next", ".lp-actionbar"))
PROMISES = Step("promises", CLAIM, ("#s-promises",))
EXPOSURES = Step("exposures", CLAIM, ("#s-exposures",))
TIMELINE = Step("timeline", CLAIM, ("#s-timeline",))
APPROVALS = Step("approvals", "approvals", ("main table",))
NORMS = Step("norms", "norms", ("main table",))
STAFF = Step("staff", "staff", ("main table",))
DUTY = Step("duty", "duty")
SURVEYS = Step("surveys", CLAIM, ("#s-surveys",))
OPINIONS = Step("consultations", CLAIM, ("#s-consultations", "#s-surveys"))
MONEY = Step("payments_part", CLAIM, ("#s-payments",))
TEAM = Step("team", "team", (".lp-team-people",))
FINANCE = Step("finance", "finance", (".lp-finance-tiles",))
ASKED = Step("asked", "consultations", ("#answer", "#waiting"))
CALCULATION = Step("calculation", "calculation", ("#sum", "main form"))
MESSAGES = Step("messages", "messages", ("main table", "main section"))
CALENDAR = Step("calendar", "calendar", (".lp-cal-year",))

TOURS: Mapping[str, tuple[Step, ...]] = {
    "intake": (Step("report", "report", ("#f-story",)), Step("prenotices", "prenotices"), FIND, OPENED, NEXT),
    "handler": (WORKLIST, OPENED, NEXT, PROMISES, EXPOSURES, TIMELINE, FIND),
    "surveyor": (WORKLIST, OPENED, SURVEYS, NEXT, FIND),
    "assessor": (APPROVALS, OPENED, EXPOSURES, NEXT, CALCULATION, FIND),
    "approver": (APPROVALS, OPENED, EXPOSURES, TIMELINE, NEXT, Step("delegations", "delegations")),
    "team_lead": (TEAM, OPENED, NEXT, PROMISES, DUTY, Step("absences", "absences")),
    "manager": (
        NORMS,
        CALCULATION,
        MESSAGES,
        APPROVALS,
        OPENED,
        Step("recoveries", CLAIM, ("#s-recoveries",)),
        STAFF,
        Step("setup", "setup"),
    ),
    "finance": (FINANCE, OPENED, MONEY, NEXT, APPROVALS),
    "expert": (ASKED, OPENED, OPINIONS, NEXT),
    "investigator": (Step("claims", "claims", ("main table",)), OPENED, TIMELINE, NEXT, FIND),
    "compliance": (Step("claims", "claims", ("main table",)), OPENED, NEXT, PROMISES, TIMELINE, NORMS, MESSAGES),
    "administrator": (
        Step("health", "health"),
        STAFF,
        Step("tokens", "tokens"),
        CALENDAR,
        NORMS,
        Step("setup", "setup"),
    ),
}
"""The tour of each role."""

HEADING = "main h1"
