"""Promises and their clocks: what we and the law have set a time for, whether it is kept, and why that date.

`definitions` says what a promise is, `clocks` when a clock is due, `reactions` what events do to clocks, `sweeps` what
time and edits do, `explain` why. A clock is a part of the claim (`claims.Clock`) like any other, changed by events.
"""

from lipei.domain.promises.clocks import Due, count, due_time, scheduled, warning_times
from lipei.domain.promises.definitions import LawRow, Profile, Promise, Promises, PromiseTable, Rule, Warn
from lipei.domain.promises.explain import Explanation, explain
from lipei.domain.promises.reactions import react
from lipei.domain.promises.sweeps import Difference, disagrees, next_change, preview, recompute, sweep, told

__all__ = [
    "Difference",
    "Due",
    "Explanation",
    "LawRow",
    "Profile",
    "Promise",
    "PromiseTable",
    "Promises",
    "Rule",
    "Warn",
    "count",
    "disagrees",
    "due_time",
    "explain",
    "next_change",
    "preview",
    "react",
    "recompute",
    "scheduled",
    "sweep",
    "told",
    "warning_times",
]
