"""The tables' own declarations: what each document holds. The pages of the rules draw everything from here.

`tests/norms/test_declared.py` holds each shipped document to its declaration. What the terms of a product hold depends
on the covers that they name: `lipei.norms.declared_terms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.norms import declared_terms
from lipei.norms.hints import FIELDS, HOURS_MAX
from lipei.norms.jobs import BATCH_MAX, SWEEPS
from lipei.norms.opinions import NAME_LENGTH_MAX
from lipei.norms.promises import LIMIT_MAX
from lipei.norms.shapes import (
    AMOUNTS,
    DATE,
    DURATION,
    FLAG,
    KEPT,
    LIMITS,
    LONG_REMARK,
    LONG_WORDINGS,
    MOMENT,
    REMARK,
    SPANS,
    STRINGS,
    WORDS,
    YEARS,
    ZONE,
    Name,
    Shape,
    any_of,
    code,
    codes,
    condition,
    entries,
    kept,
    listed,
    may,
    must,
    record,
    rows,
    shipped,
    whole,
)

_SOURCE = (must("source", REMARK), must("source_status", code("source_status")))
_VERSION = kept("version", KEPT)
_TEXTS = kept("texts", KEPT)
_CALENDAR = code("calendar")
_LIMIT = Shape("whole", unit=".unit", low=1, high=LIMIT_MAX)
_WARNING = Shape(
    "either", options=("percent", "working_minutes_before", "elapsed_minutes_before"), low=1, high=LIMIT_MAX
)
_RULES = Shape(
    "rows",
    item=record(
        must("event", code("event")), may("when", codes("promise_look")), may("since", code("event_since")),
        kept("facts"), short="event",
    ),
    title=("event",),
)  # fmt: skip
_MINUTES = whole("minutes", 0)

_PROMISE = rows(
    must("code", WORDS), must("binds", code("binds")), must("limit", _LIMIT), must("unit", code("limit_unit")),
    must("calendar", _CALENDAR), may("enabled", FLAG, True), may("told_to_customer", FLAG, False),
    may("lines", any_of("line")), may("markets", any_of("market_group")), may("scope", code("promise_scope"), "claim"),
    may("since", code("since")), may("condition", condition("promises")),
    must("start", _RULES), may("fulfil", _RULES), may("cancel", _RULES), may("pause", _RULES), may("resume", _RULES),
    may("undo", _RULES), may("on_reopen", code("on_reopen")),
    may("warnings", listed(_WARNING)), may("tell_warning", codes("told")), may("tell_breach", codes("told")),
    may("on_breach", codes("breach_effect")),
    may("again", FLAG, False), may("restart", FLAG, False), may("recheck", FLAG, False),
    may("ends_with_claim", FLAG, True),
    may("clause", WORDS), may("article", WORDS), may("duties", codes("law")), *_SOURCE, may("note", LONG_REMARK),
    kept("version"),
    columns=("limit", "calendar", "lines", "told_to_customer", "enabled"), names=(Name("promise.{code}"),),
    groups=("binds", "markets"),
)  # fmt: skip

_PATH = (
    must("enabled", FLAG), must("checks", codes("check")), must("limits_minor", entries(AMOUNTS, "line")),
    must("injury_lines", codes("line")), must("third_party_lines", codes("line")),
)  # fmt: skip
_RETRY = (
    must("retry_after", listed(DURATION)), may("inquire_after", listed(DURATION)),
    may("spread_percent", whole("percent", 0, 100), 0),
)  # fmt: skip
_SAYS = record(
    may("line", code("line")), may("loss_kind", code("loss")), may("rescue", code("yes_no")), may("injured", WORDS),
    *(may(name, WORDS) for name in FIELDS if name not in ("line", "loss_kind", "rescue", "injured")),
)  # fmt: skip
_WEEK = record(*(may(day, SPANS) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")))

TABLES: Mapping[str, Shape] = {
    "settings": record(_VERSION, must("settings", Shape("entries", of="setting", item=Shape("setting"), complete=True))),
    "calendars": record(
        _VERSION,
        must("calendars", rows(
            must("code", WORDS), must("zone", ZONE), must("hours", _WEEK), may("make_up_hours", SPANS),
            may("published", YEARS),
            kept("seed"), kept("days", rows(must("date", DATE), must("kind", code("day_kind")), may("hours", SPANS),
                                            may("festival", WORDS), title=("date",))),
            may("source", REMARK), may("source_status", code("source_status")), kept("version"),
            columns=("zone", "hours", "published"), names=(Name("calendar.{code}"),),
        )),
        _TEXTS,
    ),
    "promises": record(
        _VERSION,
        must("promises", _PROMISE),
        must("profiles", entries(record(must("markets", codes("market_group")), must("calendar", _CALENDAR)), "market")),
        must("ending", codes("event")), must("voiding", codes("event")), _TEXTS,
    ),
    "lines": record(
        _VERSION,
        must("lines", rows(must("code", WORDS), must("losses", codes("loss")), names=(Name("line.{code}"),))),
        must("products", rows(must("code", code("product")), must("line", code("line")), must("covers", codes("cover")),
            may("liability", codes("cover")))),
        kept("vocabularies", entries(
            rows(must("word", WORDS), must("lines", codes("line")), may("losses", any_of("loss")), may("covers", any_of("cover")),
                 title=("word",)),
            "import_words",
        )), _TEXTS,
    ),
    "triage": record(
        _VERSION,
        must("currency", code("currency")),
        must("incidents", entries(WORDS, new=True)),
        must("rules", rows(
            must("code", WORDS), must("when", condition("triage")), may("lane", code("lane")),
            may("fast_lane", FLAG, False), may("report_upwards", FLAG, False), shipped("automatic", FLAG, False), kept("text"),
            *_SOURCE,
            columns=("when", "lane", "fast_lane", "report_upwards"),
            names=(Name("reason.triage.{code}", key="text"),),
        )),
        must("injury", record(may("covers", codes("cover")), must("perils", codes("loss")))),
        must("rates_ppm", record(must("rates", entries(whole("per_million", 1), "currency")), *_SOURCE)), _TEXTS,
    ),
    "assignment": record(
        _VERSION,
        must("relax", listed(code("relaxable"))),
        must("minutes_by_line", entries(whole("minutes", 1), "line")),
        must("minutes_other", whole("minutes", 1)), must("fast_lane_bonus_minutes", _MINUTES),
        must("absence_notice_minutes", _MINUTES), must("runner_ups", whole("", 0)), must("queue_other", WORDS),
        must("skills", rows(must("skill", code("skill")), must("when", condition("triage")), title=("skill",))),
        must("queues", rows(must("unit", WORDS), must("when", condition("triage")), title=("unit",))),
        *_SOURCE,
    ),
    "duty": record(
        _VERSION,
        must("calendar", _CALENDAR), must("calls", condition("triage")), must("zone", Shape("zone", open=True)),
        must("team_lead", Shape("code", of="staff", open=True)),
        must("shifts", rows(must("from", MOMENT), must("to", MOMENT), must("persons", listed(code("staff"))),
                            title=("from", "to"))),
    ),
    "authority": record(
        _VERSION,
        must("limits", rows(
            must("role", code("role")), must("kinds", codes("authority_kind")), may("lines", any_of("line")),
            must("limits_minor", LIMITS), title=("role", "kinds", "lines"),
        )),
        must("four_eyes_minor", entries(LIMITS, "authority_kind")),
        must("delegation_days_max", whole("days", 1, 366)), *_SOURCE,
    ),
    "straight_through": record(
        _VERSION,
        must("payment", record(*_PATH, may("claimed_lines", codes("line")), shipped("told_heads", codes("head")))),
        must("advance", record(*_PATH, must("share_percent", whole("percent", 1, 100)))),
        *_SOURCE,
    ),
    "papers": record(
        _VERSION,
        must("adult_age_years", whole("years", 0)),
        must("papers", rows(
            must("code", WORDS), must("of", listed(code("party_role"))), must("per", code("paper_per")),
            must("issuer", code("issuer")), must("sensitivity", code("sensitivity")), may("form", code("paper_form")),
            may("asked", FLAG, True), may("on_file", condition("papers")),
            columns=("of", "per", "issuer", "form", "asked"), names=(Name("paper.{code}"),),
        )),
        must("lists", rows(
            must("code", WORDS),
            must("applies", rows(must("lines", codes("line")), may("covers", any_of("cover")), may("losses", any_of("loss")),
                                 title=("lines",))),
            must("papers", rows(must("paper", code("paper")), must("required", code("paper_required")),
                                may("when", condition("papers")), may("why", code("paper_why")),
                                shipped("waits", FLAG, True), title=("paper",))),
            must("source", code("paper_source")), columns=("papers",), title=("applies",),
        )),
        kept("sources", entries(record(must("source", REMARK), must("status", code("source_status"))), "paper_source")), _TEXTS,
    ),
    "messages": record(
        _VERSION,
        must("messages", rows(
            must("code", WORDS), must("events", codes("event")), must("to", listed(Shape("alternatives", of="recipient"))),
            must("channels", listed(code("channel"))), may("urgent", FLAG, False), may("fast", FLAG, False),
            may("once", FLAG, False), may("letter", code("letter")), may("when", condition("messages")),
            may("still", condition("messages")), may("void_by", codes("event")), may("law", FLAG, False),
            kept("norm"),
            columns=("events", "to", "channels", "urgent"),
            names=(Name("message.{code}.sms", "sms", True, only="sms"),
                   Name("message.{code}.subject", "subject", only="email"),
                   Name("message.{code}.body", "body", True, only="email")),
        )),
        _TEXTS,
    ),
    "jobs": record(
        _VERSION,
        must("channels", record(must("email", record(*_RETRY)), must("sms", record(*_RETRY)))),
        must("webhooks", record(*_RETRY)), must("every", record(*(must(name, DURATION) for name in SWEEPS))),
        must("webhook_timeout", DURATION), must("lease", DURATION), must("batch", whole("", 1, BATCH_MAX)),
        must("bank_ask_after", DURATION), must("key_keep", DURATION),
    ),
    "opinions": record(
        _VERSION,
        must("opinions", rows(
            must("code", WORDS), must("lines", any_of("line")), must("name", Shape("wordings", high=NAME_LENGTH_MAX)),
            must("text", LONG_WORDINGS), columns=("lines", "text"), title=("name",),
        )),
        *_SOURCE,
    ),
    "surveys": record(
        _VERSION,
        must("always", listed(code("look"))),
        must("lists", rows(must("code", WORDS), must("lines", codes("line")), may("losses", any_of("loss")),
                           must("looks", listed(code("look"))), title=("lines", "losses"))),
        must("looks", rows(must("code", WORDS), may("photo", FLAG, False), names=(Name("survey_look.{code}"),))),
        _TEXTS,
    ),
    "reserves": record(
        _VERSION,
        must("rows", rows(must("code", WORDS), must("lines", codes("line")), may("covers", any_of("cover")),
                          may("losses", any_of("loss")), must("amounts_minor", AMOUNTS), title=("lines", "covers", "losses"))),
        *_SOURCE,
    ),
    "hints": record(
        _VERSION,
        must("words", rows(
            must("code", WORDS), must("any", STRINGS), may("unless", STRINGS), may("says", _SAYS),
            may("days", whole("days_ago", 0)), may("hour", whole("oclock", 0, 23)), title=("any",),
        )),
        must("patterns", rows(must("code", WORDS), must("field", code("hint_field")), must("pattern", WORDS),
                              may("drop", WORDS), may("count", FLAG, False), title=("field",))),
        may("clock", rows(must("code", WORDS), must("any", STRINGS), must("from_hour", whole("oclock_night", 0, HOURS_MAX - 1)),
                          must("to_hour", whole("oclock_night", 1, HOURS_MAX)), title=("any",))),
        may("source", REMARK),
    ),
}  # fmt: skip
"""Table → what its document holds."""


def shape_of(table: str, document: Mapping[str, Any]) -> Shape:
    """What a document of a table holds; one of products laid out."""
    return declared_terms.shape(document) if table == "products" else TABLES[table]


def both_of(one: Shape, other: Shape) -> Shape:
    """What either of two documents of a table holds; the second's word counts where both have a part."""
    keys = {f.key for f in other.fields}
    return record(*other.fields, *(f for f in one.fields if f.key not in keys))
