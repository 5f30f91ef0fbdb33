"""The one form builder: whatever a command is, it can be typed, is never lost and comes out as it was meant."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from lipei.domain import commands as c
from lipei.domain.commands import COMMANDS
from lipei.domain.money import Money
from lipei.domain.settlement.terms import FactSpec
from lipei.norms.texts import texts
from lipei.web import forms
from lipei.web.forms import Offers

pytestmark = pytest.mark.once

CNY = Offers(currency="CNY")


def flat(inputs):
    for one in inputs:
        yield one
        for row in one.rows:
            yield from flat(row)


@pytest.mark.parametrize("key", sorted(COMMANDS), ids=".".join)
def test_every_command_draws_with_labels_in_three_languages(key):
    facts = (FactSpec("fault_percent", "percent"), FactSpec("drunk_driving", "yes_no"))
    for one in flat(forms.draw(COMMANDS[key], {}, Offers(facts=facts))):
        assert set(texts()[one.key]) == {"zh-hans", "zh-hant", "en"}, one.key
        assert one.kind in (
            "text",
            "long",
            "whole",
            "flag",
            "maybe",
            "choice",
            "choices",
            "money",
            "time",
            "rows",
            "facts",
        )


@pytest.mark.parametrize("key", sorted(COMMANDS), ids=".".join)
def test_a_form_sent_as_it_began_is_the_command_with_its_defaults(key):
    command, errors = forms.read(COMMANDS[key], forms.typed_of(COMMANDS[key]()), CNY)
    assert not errors
    assert command == COMMANDS[key]()


@pytest.mark.parametrize("cls", sorted(set(COMMANDS.values()), key=lambda v: v.__name__), ids=lambda v: v.__name__)
def test_what_a_form_starts_with_reads_back_as_the_same_command(cls):
    command = cls(**{f.name: f.metadata["example"] for f in fields(cls) if f.metadata.get("example") is not None})
    options = {"roles": tuple((r, r) for r in c.PARTY_ROLES)}
    back, errors = forms.read(cls, forms.typed_of(command), Offers(options=options))
    assert (back, errors) == (command, {})


@given(
    minor=st.integers(0, 10**12),
    at=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)),
    words=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200),
    names=st.lists(st.text("甲乙丙abc", min_size=1, max_size=9), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_round_trip(minor, at, words, names):
    items = tuple(c.ItemAssessed(what=name, assessed=Money(minor, "CNY"), claimed=None) for name in names)
    facts = (FactSpec("fault_percent", "percent"), FactSpec("salvage_minor", "money"))
    assess = c.Assess(items=items, facts={"fault_percent": "70"})
    back, errors = forms.read(c.Assess, forms.typed_of(assess), Offers(currency="CNY", facts=facts))
    assert not errors and back == assess
    with timezone.override("Asia/Shanghai"):
        survey = c.ScheduleSurvey(at=at.replace(second=0, microsecond=0, tzinfo=UTC), place=words.strip())
        back, errors = forms.read(c.ScheduleSurvey, forms.typed_of(survey), CNY)
    assert not errors and back == survey


@pytest.mark.parametrize(
    ("cls", "field", "value", "code"),
    [
        (c.SetReserve, "amount", "12.345", "form.money_decimals"),
        (c.SetReserve, "amount", "a lot", "refusal.money_form"),
        (c.SetReserve, "amount", "９９", "refusal.money_form"),
        (c.Triage, "deaths", "-1", "refusal.out_of_bounds"),
        (c.Triage, "deaths", "two", "refusal.not_a_number"),
        (c.ScheduleSurvey, "at", "tomorrow", "form.time"),
        (c.ScheduleSurvey, "at", "2026-02-30T10:00", "form.time"),
        (c.Write, "text", "x" * 4001, "refusal.too_long"),
        (c.Opine, "vote", "maybe", "refusal.not_a_choice"),
        (c.AddExposure, "claimant", "9" * 30, "refusal.not_a_number"),
    ],
)
def test_what_cannot_be_is_named(cls, field, value, code):
    command, errors = forms.read(cls, {field: [value]}, CNY)
    assert command is None and errors == {field: code}
    drawn = next(f for f in forms.draw(cls, {field: [value]}, CNY, errors) if f.name == field)
    assert drawn.value == value and drawn.error == code


def test_a_negative_amount_reaches_the_rule_that_refuses_it():
    command, errors = forms.read(c.SetReserve, {"amount": ["-5"]}, CNY)
    assert not errors and command.amount == Money(-500, "CNY")


def test_rows_left_empty_are_no_rows_and_the_others_close_up():
    typed = {
        "items-0-quantity": ["1"],
        "items-4-what": ["灯"],
        "items-4-assessed": ["10"],
        "items-7-quantity": ["1"],
        "items-7-what": [" "],
    }
    command, errors = forms.read(c.Assess, typed, CNY)
    assert not errors and [i.what for i in command.items] == ["灯"]
    rows = next(f for f in forms.draw(c.Assess, typed, CNY) if f.name == "items").rows
    assert len(rows) == 1 + forms.SPARE_ROWS
    assert rows[0][0].value == "灯"


def test_thousands_of_made_up_rows_are_not_read():
    typed = {f"items-{n}-what": ["x"] for n in range(1000)}
    command, _ = forms.read(c.Assess, typed, CNY)
    assert len(command.items) == forms.ROWS_MAX


def test_an_error_that_no_field_shows_goes_above_the_form():
    errors = {"amount": "refusal.amount_missing", "schedule.limit_minor": "refusal.settlement_fact_missing"}
    drawn = forms.draw(c.SetReserve, {}, CNY, errors)
    assert forms.unplaced(drawn, errors) == {"schedule.limit_minor": "refusal.settlement_fact_missing"}


def test_of_a_row_the_choice_is_the_readers():
    offers = Offers(options={"shares.payee": (("", ""), ("1", "1. A"), ("2", "2. B"))})
    blank = next(f for f in forms.draw(c.SendOffer, {}, offers) if f.name == "shares").rows[0]
    assert [(f.path.rpartition(".")[2], f.value) for f in blank] == [
        ("payee", ""),
        ("numerator", "1"),
        ("denominator", "1"),
    ]
    whole, _ = forms.read(
        c.SendOffer, {"shares-0-payee": ["1"], "shares-0-numerator": ["1"], "shares-0-denominator": ["1"]}, offers
    )
    assert whole.shares == (c.Share(1, 1, 1),)
    _, errors = forms.read(
        c.SendOffer, {"shares-0-payee": [""], "shares-0-numerator": ["2"], "shares-0-denominator": ["3"]}, offers
    )
    assert errors == {"shares.1.payee": "refusal.required"}
