"""The assignment table, read from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.assignment import RELAXABLE, AssignmentTable
from lipei.domain.conditions import Condition
from lipei.norms.lines import check_remarks, known_codes, known_keys, rows, texts_of
from lipei.norms.settings import whole, words
from lipei.norms.triage import condition

_NUMBERS = {"minutes_other": 1, "fast_lane_bonus_minutes": 0, "absence_notice_minutes": 0, "runner_ups": 0}


def parse(document: Mapping[str, Any]) -> AssignmentTable:
    """The table of an ``assignment`` document.

    Raises NormError; above all where interest, skill or absence is to give way, which they never do.
    """
    others = {"version", "relax", "minutes_by_line", "skills", "queues", "queue_other", "source", "source_status"}
    known_keys("assignment", document, required={*others, *_NUMBERS})
    check_remarks("assignment", document)
    relax = texts_of("assignment.relax", document["relax"])
    known_codes("assignment.relax", relax, RELAXABLE)
    minutes = known_keys(
        "assignment.minutes_by_line", document["minutes_by_line"], optional=document["minutes_by_line"]
    )
    return AssignmentTable(
        version=whole("assignment.version", document["version"], 1),
        relax=relax,
        minutes_by_line={line: whole(f"assignment.minutes_by_line.{line}", n, 1) for line, n in minutes.items()},
        skills=_conditions("skills", "skill", document["skills"]),
        queues=_conditions("queues", "unit", document["queues"]),
        queue_other=words("assignment.queue_other", document["queue_other"]),
        **{name: whole(f"assignment.{name}", document[name], least) for name, least in _NUMBERS.items()},
    )


def _conditions(key: str, name: str, value: Any) -> tuple[tuple[str, Condition], ...]:
    found = []
    for row in rows(f"assignment.{key}", value, code=name):
        place = f"assignment.{key}.{row[name]}"
        known_keys(place, row, required={name, "when"})
        found.append((row[name], condition(place, row["when"])))
    return tuple(found)
