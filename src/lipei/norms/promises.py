"""The promises table and the law table, read from their documents; and a due time's explanation in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.calendars import HOME, Calendars
from lipei.domain.conditions import ALWAYS, Condition, ConditionError, parse_condition
from lipei.domain.promises import Explanation, LawRow, Profile, Promise, PromiseTable, Rule, Warn
from lipei.domain.promises.definitions import (
    BINDS,
    EFFECTS,
    LOOKS,
    NO_CLOCK,
    ON_REOPEN,
    SCOPES,
    UNITS,
    is_field,
)
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_codes, known_keys, rows, texts_of
from lipei.norms.texts import text, texts

LIMIT_MAX = 100_000
"""A limit above this is a slip of the keyboard in any unit (it would be 69 days in minutes, centuries in months)."""

STATUSES = ("read", "unsourced")
SINCE = ("reported_at", "loss_at")
_WARNINGS = {"percent", "working_minutes_before", "elapsed_minutes_before"}
_FLAGS = ("again", "restart", "recheck", "ends_with_claim", "told_to_customer", "enabled")
_WORDS = ("clause", "article")
_RULES = ("start", "fulfil", "cancel", "pause", "resume", "undo")
_LISTS = ("markets", "lines", "tell_warning", "tell_breach", "on_breach", "duties")


def parse(document: Mapping[str, Any]) -> PromiseTable:
    """The table of a ``promises`` document. Raises NormError for a promise that makes no sense."""
    known_keys("promises", document, required={"version", "profiles", "ending", "voiding", "promises"})
    version = _whole("promises", "version", document["version"], 1)
    profiles = {code: _profile(code, row) for code, row in _mapping("promises.profiles", document["profiles"]).items()}
    return PromiseTable(
        version=version,
        rows=tuple(_promise(row, version) for row in rows("promises", document["promises"])),
        profiles=profiles,
        ending=_kinds("promises.ending", document["ending"]),
        voiding=_kinds("promises.voiding", document["voiding"]),
    )


def check_calendars(table: PromiseTable, calendars: Calendars) -> None:
    """Refuse a table that counts on a calendar nobody has: the two tables are edited apart."""
    for profile, row in table.profiles.items():
        known_codes(f"promises.profiles.{profile}", [row.calendar], calendars.current)
    for promise in table.rows:
        known_codes(f"promises.{promise.code}", [promise.calendar], {HOME, *calendars.current})


def _profile(code: str, row: Any) -> Profile:
    place = f"promises.profiles.{code}"
    known_keys(place, row, required={"markets", "calendar"})
    return Profile(texts_of(place, row["markets"]), _word(place, row["calendar"]))


def _promise(row: Mapping[str, Any], version: int) -> Promise:
    place = f"promises.{row['code']}"
    required = {"code", "binds", "limit", "unit", "calendar", "start", "source", "source_status"}
    optional = {
        "version",
        "scope",
        "since",
        "condition",
        "warnings",
        "on_reopen",
        "note",
        *_FLAGS,
        *_WORDS,
        *_RULES,
        *_LISTS,
    }
    known_keys(place, row, required=required, optional=optional - required)
    check_remarks(place, row)
    rules: dict[str, Any] = {name: _rules(place, row.get(name, [])) for name in _RULES}
    if not rules["start"]:
        raise NormError("norm_error.promise.no_start", place=place)
    if bool(rules["pause"]) != bool(rules["resume"]):
        raise NormError("norm_error.promise.pause", place=place)
    lists = {name: texts_of(place, row.get(name, [])) for name in _LISTS}
    known_codes(place, lists["on_breach"], EFFECTS)
    if not (rules["fulfil"] or row.get("restart")):
        raise NormError("norm_error.promise.no_end", place=place)
    plain: dict[str, Any] = rules | lists
    plain |= {name: _flag(place, row[name]) for name in _FLAGS if name in row}
    plain |= {name: _word(place, row[name]) for name in _WORDS if name in row}
    return Promise(
        code=row["code"],
        version=_whole(place, "version", row.get("version", version), 1),
        binds=_choice(place, row["binds"], BINDS),
        limit=_limit(place, row["limit"]),
        unit=_choice(place, row["unit"], UNITS),
        calendar=_word(place, row["calendar"]),
        scope=_choice(place, row.get("scope", "claim"), SCOPES),
        since=_choice(place, row.get("since", ""), ("", *SINCE)),
        condition=_condition(place, row.get("condition")),
        warnings=tuple(_warning(place, level) for level in _list(place, row.get("warnings", []))),
        on_reopen=_choice(place, row.get("on_reopen", ""), ON_REOPEN),
        source_status=_choice(place, row["source_status"], STATUSES),
        **plain,
    )


def _rules(place: str, value: Any) -> tuple[Rule, ...]:
    return tuple(_rule(place, entry) for entry in _list(place, value))


def _rule(place: str, entry: Any) -> Rule:
    if isinstance(entry, str):
        return Rule(_kind(place, entry))
    known_keys(place, entry, required={"event"}, optional={"when", "facts", "since"})
    looks = texts_of(place, entry.get("when", []))
    known_codes(place, looks, LOOKS)
    facts = _mapping(place, entry.get("facts", {}))
    return Rule(
        _kind(place, entry["event"]),
        looks,
        {name: texts_of(place, values) for name, values in facts.items()},
        _choice(place, entry.get("since", ""), ("", "event")) == "event",
    )


def _kinds(place: str, value: Any) -> tuple[str, ...]:
    return tuple(_kind(place, kind) for kind in texts_of(place, value))


def _kind(place: str, value: Any) -> str:
    """A journal kind: its subject and a verb in the past tense. Whether it exists, `unknown_kinds` says."""
    subject, _, verb = value.partition(".") if isinstance(value, str) else ("", "", "")
    if not (subject.isidentifier() and verb.isidentifier()):
        raise NormError("norm_error.promise.event", place=place, event=str(value))
    return str(value)


def unknown_kinds(table: PromiseTable, known: Iterable[str]) -> tuple[str, ...]:
    """Journal kinds that the table names and that do not exist: such a rule would silently never fire."""
    named = {*table.ending, *table.voiding}.union(*(row.kinds() for row in table.rows))
    return tuple(sorted(named - set(known)))


def _warning(place: str, level: Any) -> Warn:
    known_keys(place, level, optional=_WARNINGS)
    if len(level) != 1:
        raise NormError("norm_error.promise.warning", place=place)
    (name, value), *_ = level.items()
    if name == "percent":
        if type(value) is not int or not 1 <= value <= 99:
            raise NormError("norm_error.promise.warning", place=place)
        return Warn(percent=value)
    return Warn(minutes_before=_limit(place, value), working=name == "working_minutes_before")


def _condition(place: str, value: Any) -> Condition:
    if value is None:
        return ALWAYS
    try:
        return parse_condition(value, known=is_field)
    except ConditionError as error:
        raise NormError(error.code, place=place, **error.params) from error


def _limit(place: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= LIMIT_MAX:
        raise NormError("norm_error.promise.limit", place=place, limit=str(value), most=LIMIT_MAX)
    return value


def _whole(place: str, name: str, value: Any, least: int) -> int:
    if type(value) is not int or value < least:
        raise NormError("norm_error.promise.number", place=place, name=name, value=str(value))
    return value


def _choice(place: str, value: Any, choices: tuple[str, ...]) -> str:
    known_codes(place, [value], choices)
    return str(value)


def _flag(place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise NormError("norm_error.promise.flag", place=place, value=str(value))
    return value


def _word(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise NormError("norm_error.promise.word", place=place, value=str(value))
    return value


def _list(place: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NormError("norm_error.table.not_a_list", place=place)
    return value


def _mapping(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NormError("norm_error.table.not_a_row", place=place)
    return value


# --- the law table ---


def parse_law(document: Mapping[str, Any]) -> tuple[LawRow, ...]:
    """The rows of a ``law`` document. Each is served by a promise or says why no clock runs; else NormError."""
    known_keys("law", document, required={"version", "rows"})
    return tuple(_law_row(row) for row in rows("law", document["rows"], code="id"))


def _law_row(row: Mapping[str, Any]) -> LawRow:
    place = f"law.{row['id']}"
    words = {"id", "market", "line", "step", "trigger", "unit", "calendar", "kind", "source", "source_status"}
    optional = {"limit", "article", "clock_pause", "promises", "no_clock", "note"}
    known_keys(place, row, required=words | {"contract_may_vary"}, optional=optional)
    promises = texts_of(place, row.get("promises", []))
    reason = row.get("no_clock", "")
    if bool(promises) == bool(reason):
        raise NormError("norm_error.law.clock", place=place)
    if reason:
        known_codes(place, [reason], NO_CLOCK)
    known_codes(place, [row["source_status"]], STATUSES)
    limit = None if row.get("limit") is None else _whole(place, "limit", row["limit"], 0)
    named = {name: _word(place, row[name]) for name in (*words, "article", "clock_pause", "note") if name in row}
    return LawRow(
        contract_may_vary=_flag(place, row["contract_may_vary"]),
        limit=limit,
        promises=promises,
        no_clock=reason,
        **named,
    )


# --- in words ---


def limit_words(limit: int, unit: str, language: str) -> str:
    """``24 hours``, ``5 个工作日``."""
    number = "one" if limit == 1 else "many"
    return text(f"promise_unit.{unit}.{number}", language, n=limit)


def explanation_words(explanation: Explanation, language: str) -> tuple[str, ...]:
    """Why this date, sentence by sentence, in local time of the clock's calendar (norm 2.3.1)."""
    e, zone = explanation, ZoneInfo(explanation.zone)

    def say(key: str, **params: Any) -> str:
        return text(f"promise_explain.{key}", language, **params)

    name, limit = text(f"promise.{e.promise}", language), limit_words(e.limit, e.unit, language)
    said = [
        say("start", promise=name, limit=limit, at=_local(e.started_at, zone)),
        *([say("known", at=_local(e.started_at, zone), since=_local(e.since, zone))] if e.since else []),
        say("calendar", calendar=text(f"calendar.{e.calendar}", language), version=e.calendar_version),
    ]
    for begin, end in e.pauses:
        at = _local(begin, zone)
        said.append(say("pause_open", at=at) if end is None else say("pause", at=at, until=_local(end, zone)))
    if e.due_at is None:
        said.append(say("paused", at=_local(e.if_resumed, zone)) if e.if_resumed else say("undecided"))
    else:
        said.append(say("due", at=_local(e.due_at, zone)))
    if e.told_holds and e.told_due_at is not None:
        said.append(say("told", at=_local(e.told_due_at, zone)))
    if e.extended_due_at is not None:
        said.append(say("extended", at=_local(e.extended_due_at, zone)))
    if e.provisional_year is not None:
        said.append(say("provisional", year=e.provisional_year))
    if e.breached_at is not None:
        said.append(say("breached", at=_local(e.breached_at, zone)))
    if e.ended_at is not None:
        said.append(say(e.state, at=_local(e.ended_at, zone)))
    for key in (f"promise_reason.{e.reason}", f"event.{e.reason}"):
        if key in texts():
            return (*said, say("reason", reason=text(key, language)))
    return tuple(said)


def _local(at: datetime, zone: ZoneInfo) -> str:
    """An instant as people write it here, rounded down to the minute."""
    local = at.astimezone(zone)
    return (local - timedelta(seconds=local.second, microseconds=local.microsecond)).strftime("%Y-%m-%d %H:%M")


def told_as(code: str) -> str:
    """The key of what a promise is called to customers: in their words where there are some, else by its name."""
    plain = f"portal.promise.{code}"
    return plain if plain in texts() else f"promise.{code}"
