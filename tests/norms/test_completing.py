"""What an own table of before a release leaves out of what the release brought is read as it is shipped."""

from __future__ import annotations

from typing import Any

import pytest

from lipei.norms import loader
from lipei.norms.completing import completed
from lipei.norms.declared import TABLES
from lipei.norms.errors import NormError
from lipei.norms.shapes import FLAG, WORDS, Shape, entries, may, must, record, rows, shipped
from lipei.web.console.norm_context import words_of
from lipei.web.console.norm_pieces import document_of, piece, put, read_piece, text_of, typed_piece

BROUGHT = {
    "triage": "    automatic: true\n",
    "papers": ", waits: false",
    "straight_through": "  told_heads: [medical]\n",
    "settings": "  quiet_from: ",
}
"""Table → what stands for what a release brought to it."""


def of_before(table: str) -> str:
    """An own table that was written before."""
    text = loader.default_text(table)
    assert BROUGHT[table] in text
    if table == "settings":
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(BROUGHT[table]))
    return text.replace(BROUGHT[table], "")


@pytest.mark.parametrize("table", BROUGHT)
def test_a_table_of_before_is_read_as_it_is_shipped_where_it_says_nothing(table: str) -> None:
    assert loader.parsed(table, 1, of_before(table)) == loader.parsed(table, 1, loader.default_text(table))


def test_what_somebody_said_and_rows_of_their_own_stay_theirs() -> None:
    triage = of_before("triage").replace("    lane: complex\n", "    lane: complex\n    automatic: false\n")
    assert not any(rule.automatic for rule in loader.parsed("triage", 2, triage).rules)
    triage = of_before("triage").replace("code: somebody_hurt", "code: our_own")
    assert not any(rule.automatic for rule in loader.parsed("triage", 2, triage).rules)
    path = loader.default_text("straight_through").replace("told_heads: [medical]", "told_heads: []")
    assert loader.parsed("straight_through", 2, path).payment.told_heads == frozenset()


SHAPE = record(
    must("rows", rows(must("code", WORDS), shipped("new", FLAG, False), may("old", FLAG))),
    must("held", Shape("entries", item=record(shipped("new", FLAG)), complete=True)),
    must("kinds", entries(record(shipped("new", FLAG)))),
)
SHIPPED = {
    "rows": [{"code": "a", "new": True, "old": True}],
    "held": {"x": {"new": True}, "y": {}},
    "kinds": {"x": {"new": True}, "y": {"new": True}},
}


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ({"rows": [{"code": "a"}, {"code": "b"}]}, {"rows": [{"code": "a", "new": True}, {"code": "b"}]}),
        ({"rows": [{"code": "a", "new": False}]}, {"rows": [{"code": "a", "new": False}]}),
        ({"held": {"x": {}}}, {"held": {"x": {"new": True}, "y": {}}}),
        ({"kinds": {"x": {}, "z": {}}}, {"kinds": {"x": {"new": True}, "z": {}}}),
    ],
)
def test_only_what_is_declared_so_is_completed(own: Any, found: Any) -> None:
    assert completed(SHAPE, own, SHIPPED) == found


@pytest.mark.parametrize("nonsense", [[], "a", {"rows": "a"}, {"rows": [1, None]}, {"held": 3}, {"kinds": {"x": 1}}])
def test_what_makes_no_sense_stays_so_for_the_parsers_to_say(nonsense: Any) -> None:
    assert completed(SHAPE, nonsense, SHIPPED) == nonsense


def test_a_payment_table_without_the_key_makes_no_sense_by_itself() -> None:
    """Nothing shipped stands in the code."""
    document = loader.read(of_before("straight_through"))
    with pytest.raises(NormError):
        loader.PARSERS["straight_through"](document)


@pytest.mark.parametrize(
    ("table", "part", "key"), [("triage", "rules/", "automatic"), ("straight_through", "payment", "told_heads")]
)
def test_a_form_takes_away_what_was_completed(table: str, part: str, key: str) -> None:
    document = document_of(table, of_before(table))
    if part.endswith("/"):
        part += str(next(n for n, row in enumerate(document["rules"]) if row.get(key)))
    w = words_of(table, document, book=loader.rulebook({}), language="en")
    one = piece(w, TABLES[table], document, part)
    assert one is not None and one.value[key]
    typed = {name: value for name, value in typed_piece(w, one).items() if name != key}
    value, named, errors = read_piece(w, one, typed)
    assert errors == {} and not value[key]
    made, _ = put(w, document, one, value, named)
    again = piece(w, TABLES[table], document_of(table, text_of(table, made)), part)
    assert again is not None and not again.value[key], "it does not come back"
