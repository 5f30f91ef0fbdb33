"""Saved views: one's own, by name, one of them opening the list."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.company import NOW, company

from lipei.domain.events import Actor, Refusal
from lipei.reads import saved_views as reads
from lipei.services import saved_views


@pytest.fixture
def us(db: Any) -> SimpleNamespace:
    return company()


def keep(actor: Actor, name: str, query: str = "whose=mine", **more: Any) -> Any:
    said = {"page": "worklist", "default": False, **more}
    return saved_views.keep(name=name, query=query, actor=actor, now=NOW, **said)


def test_a_view_is_kept_replaced_and_forgotten(us: SimpleNamespace) -> None:
    first = keep(us.lead1, "  Late \n ones ")
    assert keep(us.lead1, "Late ones", "due=late") == first  # the same name is the same view
    keep(us.lead1, "Late ones", "late=1", page="claims")
    assert [(v.name, v.query) for v in reads.of(us.lead1, "worklist")] == [("Late ones", "due=late")]
    assert [(v.name, v.query) for v in reads.of(us.lead1, "claims")] == [("Late ones", "late=1")]
    assert saved_views.remove(first, actor=us.lead1) is None
    assert reads.of(us.lead1, "worklist") == () and len(reads.of(us.lead1, "claims")) == 1


def test_one_view_opens_a_list(us: SimpleNamespace) -> None:
    a, b = keep(us.lead1, "a", default=True), keep(us.lead1, "b", default=True)
    keep(us.lead1, "c", page="claims", default=True)

    def opening() -> list[str]:
        return [v.name for v in reads.of(us.lead1, "worklist") if v.default]

    assert opening() == ["b"]
    assert saved_views.open_with(a, actor=us.lead1, default=True) is None and opening() == ["a"]
    assert keep(us.lead1, "b", default=True) == b and opening() == ["b"]
    assert saved_views.open_with(b, actor=us.lead1, default=False) is None and opening() == []
    assert [v.default for v in reads.of(us.lead1, "claims")] == [True]  # the other list's own stays


def test_anothers_view_is_none_of_mine(us: SimpleNamespace) -> None:
    theirs = keep(us.lead1, "theirs")
    for done in (
        saved_views.remove(theirs, actor=us.handler1),
        saved_views.open_with(theirs, actor=us.handler1, default=True),
        saved_views.remove(theirs, actor=us.program),
    ):
        assert isinstance(done, Refusal) and done.kind == "missing"
    assert reads.of(us.handler1, "worklist") == () and [v.default for v in reads.of(us.lead1, "worklist")] == [False]


@pytest.mark.parametrize(
    "name, more, code",
    [
        (" ", {}, "refusal.required"),
        ("x" * 41, {}, "refusal.too_long"),
        ("x", {"query": "q=" + "x" * 1000}, "refusal.too_long"),
        ("x", {"page": "elsewhere"}, "refusal.not_a_choice"),
    ],
)
def test_what_makes_no_sense_is_refused(us: SimpleNamespace, name: str, more: Any, code: str) -> None:
    done = keep(us.lead1, name, **more)
    assert isinstance(done, Refusal) and code in done.fields.values()
    assert reads.of(us.lead1, "worklist") == ()


def test_there_is_a_most_number_of_views_and_replacing_is_always_possible(
    us: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "VIEWS_MAX", 2)
    keep(us.lead1, "a"), keep(us.lead1, "b")
    done = keep(us.lead1, "c")
    assert isinstance(done, Refusal) and done.fields == {"name": "refusal.views_too_many"}
    assert isinstance(keep(us.lead1, "b", "due=late"), int)
    assert isinstance(keep(us.handler1, "c"), int)


def test_a_program_has_no_views(us: SimpleNamespace) -> None:
    assert isinstance(keep(us.program, "x"), Refusal)
