"""A manager's document is taken or refused in one sentence; it never brings the house down, alone or beside the others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lipei.domain.permissions import EDIT
from lipei.norms import loader, products
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, text

PRODUCTS = sorted((loader.FOLDER / "products").glob("*.yaml"))
DOCUMENTS: dict[str, Any] = {name: loader.read(loader.default_text(name)) for name in loader.PARSERS}
ODD = (None, "", "x", -1, 0, 1.5, True, [], {}, ["x"], {"x": 1}, "2026-02-30", 10**30, [None], "\0", {1: 2})


def edited(table: str, change: Callable[[Any], Any]) -> dict[str, list[tuple[int, str]]]:
    document = copy.deepcopy(DOCUMENTS[table])
    change(document)
    return {table: [(2, yaml.safe_dump(document, allow_unicode=True, sort_keys=False))]}


def refused(edits: dict[str, list[tuple[int, str]]]) -> str:
    with pytest.raises(NormError) as caught:
        loader.checked(edits, market="CN")
    assert all(text(caught.value.code, language, **caught.value.params) for language in LANGUAGES)
    return caught.value.code


def test_the_shipped_tables_fit_each_other_in_every_market():
    for market in DOCUMENTS["promises"]["profiles"]:
        assert loader.checked({}, market=market).settings is not None


SHIFT = {"from": "2026-10-01 18:00", "to": "2026-10-02 09:00", "persons": [12]}
ZONES = {
    "CN": "Asia/Shanghai", "HK": "Asia/Hong_Kong", "TW": "Asia/Taipei", "EU-NL": "Europe/Amsterdam",
    "US-UT": "America/Denver",
}  # fmt: skip


@pytest.mark.norm("2.3.3")
@pytest.mark.parametrize("market", ZONES)
def test_company_and_duty_keep_the_time_of_the_market_unless_somebody_says_otherwise(market: str) -> None:
    roster = edited("duty", lambda d: d.update(shifts=[SHIFT]))
    book = loader.checked(roster, market=market)
    assert (book.settings.zone, book.duty.zone) == (ZONES[market], ZONES[market])
    assert f"{book.duty.roster.shifts[0].starts.astimezone(ZoneInfo(ZONES[market])):%H:%M}" == "18:00"
    own = edited("settings", lambda d: d["settings"]["zone"].update(value="Europe/London"))
    book = loader.checked(own | roster, market=market)
    assert (book.settings.zone, book.duty.zone, book.papers.zone) == ("Europe/London",) * 3
    assert book.duty.roster.shifts[0].starts == datetime(2026, 10, 1, 17, tzinfo=UTC)
    book = loader.checked(own | edited("duty", lambda d: d.update(zone="Asia/Tokyo")), market=market)
    assert (book.settings.zone, book.duty.zone) == ("Europe/London", "Asia/Tokyo")


def test_a_shift_in_an_hour_that_the_companys_clock_skips_is_refused() -> None:
    skipped = {"from": "2026-03-29 02:30", "to": "2026-03-29 09:00", "persons": [1]}
    edits = edited("duty", lambda d: d.update(shifts=[skipped]))
    assert loader.checked(edits, market="CN")
    with pytest.raises(NormError, match="time"):
        loader.checked(edits, market="EU-NL")


def test_a_calendar_that_a_promise_counts_on_cannot_go():
    def go(document: Any) -> None:
        document["calendars"] = [c for c in document["calendars"] if c["code"] != "cn"]

    assert refused(edited("calendars", go)) == "norm_error.table.unknown_code"


def test_a_promise_on_a_calendar_that_nobody_has():
    def slip(document: Any) -> None:
        document["promises"][0]["calendar"] = "mars"

    assert refused(edited("promises", slip)) == "norm_error.table.unknown_code"


def test_a_market_without_a_profile_of_law():
    def less(document: Any) -> None:
        del document["profiles"]["CN"]

    assert refused(edited("promises", less)) == "norm_error.table.unknown_code"


def test_a_duty_roster_by_a_calendar_that_nobody_has():
    assert refused(edited("duty", lambda d: d.update(calendar="mars"))) == "norm_error.table.unknown_code"


def test_a_product_s_version_that_stands_twice_is_refused_and_not_found_out_later():
    again = PRODUCTS[0].read_text(encoding="utf-8")
    assert refused({"products": [(2, again)]}) == "norm_error.product_versions"


@pytest.mark.parametrize("table", ["assignment", "authority", "straight_through", "opinions", "hints"])
def test_a_source_is_worded_in_every_language_or_stands_as_a_manager_wrote_it(table: str) -> None:
    def says(source: Any) -> Any:
        return edited(table, lambda document: document.update(source=source))

    worded = dict.fromkeys(LANGUAGES, "董事会决议")
    assert loader.checked(says(worded)) and loader.checked(says("Board resolution"))
    assert refused(says({"en": "Board resolution"})) == "norm_error.table.missing_key"
    assert refused(says(2026)) == refused(says({**worded, "en": 2026})) == "norm_error.value.words"


def test_how_patient_background_work_is_can_be_edited():
    def hasty(document: Any) -> None:
        document["channels"]["sms"]["retry_after"] = ["30s", "90s"]
        document["bank_ask_after"] = "2h"

    jobs = loader.checked(edited("jobs", hasty), market="CN").jobs
    assert jobs.channels["sms"].retry_after == (timedelta(seconds=30), timedelta(seconds=90))
    assert jobs.bank_ask_after == timedelta(hours=2)
    assert refused(edited("jobs", lambda d: d.update(lease="soon"))) == "norm_error.jobs.time"


def test_every_table_has_a_name_for_people_and_somebody_who_may_edit_it():
    assert all(text(f"console.norm.{table}", language) for table in loader.TABLES for language in LANGUAGES)
    assert set(EDIT) == set(loader.TABLES)


@pytest.mark.parametrize(
    ("table", "path", "value"),
    [
        ("promises", ("promises", 0, "lines"), ["boats"]),
        ("promises", ("promises", 0, "condition"), {"field": "exposure.peril", "op": "eq", "value": "crop"}),
        ("promises", ("promises", 0, "condition"), {"any": [{"field": "lane", "op": "in", "value": ["slow"]}]}),
        ("triage", ("rules", 0, "when"), {"field": "perils", "op": "in", "value": ["collisoin"]}),
        ("triage", ("injury", "covers"), ["compulsory"]),
        ("assignment", ("skills", 0, "when"), {"field": "line", "op": "eq", "value": "boats"}),
        ("assignment", ("minutes_by_line", "boats"), 5),
        ("duty", ("calls",), {"field": "line", "op": "eq", "value": "boats"}),
        ("authority", ("limits", 0, "lines"), ["boats"]),
        ("straight_through", ("payment", "injury_lines"), ["boats"]),
        ("straight_through", ("advance", "limits_minor", "boats"), {"CNY": 1}),
        ("papers", ("lists", 0, "applies"), [{"lines": ["boats"]}]),
        ("papers", ("lists", 0, "applies"), [{"lines": ["motor"], "losses": ["collisoin"]}]),
    ],
)
def test_a_code_that_nobody_declares_is_refused_for_a_rule_on_it_never_holds(table: str, path: Any, value: Any) -> None:
    def slip(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    assert refused(edited(table, slip)) == "norm_error.table.unknown_code"


NAMES = {"zh-hans": "客户回访", "zh-hant": "客戶回訪", "en": "Call-back"}


def a_promise_of_its_own(document: Any) -> None:
    document["promises"].append({**document["promises"][0], "code": "call_back", "duties": []})


def a_calendar_of_its_own(document: Any) -> None:
    document["calendars"].append({**document["calendars"][-1], "code": "de"})


def a_paper_of_its_own(document: Any) -> None:
    document["papers"].append({**document["papers"][0], "code": "dashcam"})


def a_rule_of_its_own(document: Any) -> None:
    document["rules"].append({**document["rules"][0], "code": "vip", "text": "reason.triage.vip"})


def a_loss_of_its_own(document: Any) -> None:
    document["lines"][0]["losses"].append("hail")


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("table", "change", "key"),
    [
        ("promises", a_promise_of_its_own, "promise.call_back"),
        ("calendars", a_calendar_of_its_own, "calendar.de"),
        ("papers", a_paper_of_its_own, "paper.dashcam"),
        ("triage", a_rule_of_its_own, "reason.triage.vip"),
        ("lines", a_loss_of_its_own, "loss.hail"),
    ],
)
def test_a_row_of_one_s_own_is_named_in_every_language_or_not_saved(table: str, change: Any, key: str) -> None:
    assert refused(edited(table, change)) == "norm_error.text.missing"

    def named(document: Any) -> None:
        change(document)
        document["texts"] = {key: NAMES}

    edits = edited(table, named)
    assert loader.checked(edits, market="CN")
    assert loader.texts_of(edits) == {key: NAMES}


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"promise.call_back": {"en": "Call-back"}}, "norm_error.table.missing_key"),
        ({"promise.call_back": {**NAMES, "en": " "}}, "norm_error.text.empty"),
        ({"promise.call_back": {**NAMES, "en": "{amount}"}}, "norm_error.text.empty"),
        ({"promise.call_back": {**NAMES, "fr": "Rappel"}}, "norm_error.table.unknown_key"),
        ({"refusal.stale": NAMES}, "norm_error.table.unknown_key"),
        (["promise.call_back"], "norm_error.table.not_a_row"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(texts: Any, code: str) -> None:
    def named(document: Any) -> None:
        a_promise_of_its_own(document)
        document["texts"] = texts

    assert refused(edited("promises", named)) == code


def test_a_product_brings_the_names_of_its_own_facts():
    document = loader.read((loader.FOLDER / "products" / "travel-1.yaml").read_text(encoding="utf-8"))
    document |= {"code": "trips", "name": NAMES}
    document["covers"]["baggage"]["facts"]["flight_cancelled"] = {"type": "yes_no", "default": False}
    edits = {"products": [(2, yaml.safe_dump(document, allow_unicode=True))]}
    assert refused(edits) == "norm_error.product_text"
    document["texts"] = {"fact.flight_cancelled": NAMES}
    edits = {"products": [(2, yaml.safe_dump(document, allow_unicode=True))]}
    assert loader.checked(edits, market="CN").products.latest("trips") is not None


@pytest.mark.parametrize(("market", "region"), [("TW", "TW"), ("US-CA", "US"), ("CN", "CN")])
def test_whose_law_applies_is_a_setting_that_the_installation_may_overrule(market: str, region: str) -> None:
    edits = edited("settings", lambda d: d["settings"]["market"].update(value=market))
    for book in (loader.checked(edits), loader.checked({}, market=market)):
        assert (book.settings.market, book.settings.region) == (market, region)
        assert ("cn_decision" in book.promises.current) == (market == "CN")
        assert book.promises.current["complex_answer"].calendar == market.lower().replace("-", "_")


# --- any document at all ------------------------------------------------------------------------------------------------


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document."""
    found = [at] if at else []
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        found += places(value, (*at, key))
    return found


PLACES = {name: places(document) for name, document in DOCUMENTS.items()}
PRODUCT_DOCUMENTS = [loader.read(path.read_text(encoding="utf-8")) for path in PRODUCTS]


def broken(document: Any, at: tuple[Any, ...], odd: Any) -> Any:
    """The document with something odd in one place; ``...`` takes the place away."""
    copied = copy.deepcopy(document)
    parent = copied
    for key in at[:-1]:
        parent = parent[key]
    if odd is ...:
        del parent[at[-1]]
    else:
        parent[at[-1]] = odd
    return copied


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(sorted(DOCUMENTS)), st.sampled_from((*ODD, ...)))
def test_whatever_stands_in_one_place_is_taken_or_refused_in_words(data, table, odd):
    document = broken(DOCUMENTS[table], data.draw(st.sampled_from(PLACES[table])), odd)
    try:
        loader.PARSERS[table](document)
    except NormError as error:
        assert all(text(error.code, language, **error.params) for language in LANGUAGES)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(range(len(PRODUCT_DOCUMENTS))), st.sampled_from((*ODD, ...)))
def test_whatever_stands_in_one_place_of_a_product_is_taken_or_refused_in_words(data, number, odd):
    document = PRODUCT_DOCUMENTS[number]
    document = broken(document, data.draw(st.sampled_from(places(document))), odd)
    try:
        products.parse(document)
    except NormError as error:
        assert all(text(error.code, language, **error.params) for language in LANGUAGES)
