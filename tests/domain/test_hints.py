"""What a story suggests: offered, never what is known already, never against what it says itself."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipei.domain.hints import found
from lipei.norms import hints as parser
from lipei.norms import loader
from lipei.norms.errors import NormError

TABLE = loader.parsed("hints", 1, loader.default_text("hints"))
COLLISION = {"line": "motor", "loss_kind": "collision"}
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def said(story: str, known: tuple[str, ...] = ()) -> dict[str, str]:
    """Everything suggested, the first suggestion of a field winning."""
    values: dict[str, str] = {}
    for hint in found(story=story, table=TABLE, known=known, now=NOW):
        values = {**hint.says, **values}
    return values


@pytest.mark.norm("2.1.1")
@pytest.mark.parametrize(
    "story, expected",
    [
        ("今天早上倒车时撞到柱子，没有人受伤。", {"loss_at": "2026-11-24T09:00", "line": "motor", "loss_kind": "single_vehicle"}),
        ("我叫王小明，车牌沪A·12345，电话138 0013 8000", {"name": "王小明", "plate": "沪A12345", "phone": "13800138000"}),
        ("昨天晚上廚房水管爆了", {"loss_at": "2026-11-23T21:00", "line": "household", "loss_kind": "water"}),
        ("I was rear-ended just now, my policy PC-14", {"loss_at": "2026-11-24T10:30", "policy_number": "PC-14", **COLLISION}),
        ("骑车人骨折，已叫救护车", {"injured": "1"}),
        ("天气很好", {}),
    ],
)  # fmt: skip
def test_what_stories_say(story, expected):
    assert said(story) == expected


def test_denied_injuries_are_not_suggested():
    assert "injured" not in said("追尾了，好在没有人受伤") and "injured" in said("追尾了，有人受伤")


def test_what_is_known_is_not_suggested_again():
    assert "plate" not in said("车牌沪A12345，倒车", known=("plate",))
    assert said("倒车", known=("line",)) == {"loss_kind": "single_vehicle"}


def test_every_suggestion_names_the_words_it_rests_on():
    story = "刚才在漕溪北路被追尾，沪A12345"
    for hint in found(story=story, table=TABLE, known=(), now=NOW):
        assert hint.because in story and hint.because


def test_a_time_of_today_never_lies_ahead():
    early = NOW.replace(hour=7, minute=5)
    (hint,) = found(story="今天早上", table=TABLE, known=(), now=early)
    assert hint.says == {"loss_at": "2026-11-24T07:05"}


@given(st.text(max_size=300))
def test_any_text_is_survived_and_no_value_is_suggested_twice(story):
    hints = found(story=story, table=TABLE, known=(), now=NOW)
    shown = [tuple(sorted(h.says.items())) for h in hints]
    assert len(shown) == len(set(shown)) and all(v for h in hints for v in h.says.values())


def edited(**rule):
    document = loader.read(loader.default_text("hints"))
    kind = "patterns" if "pattern" in rule else "words"
    return {**document, kind: [{"code": "own", **rule}]}


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "plate", "pattern": "("},
        {"field": "plate", "pattern": "(a+)+b"},
        {"field": "plate", "pattern": "a" * 301},
        {"field": "bank", "pattern": "a"},
        {"any": ["x"]},
        {"any": ["x"], "says": {"bank": "1"}},
        {"any": ["x"], "days": 0, "hour": 24},
        {"any": "x", "days": 0},
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(rule):
    with pytest.raises(NormError):
        parser.parse(edited(**rule))
    assert parser.parse(edited(any=["x"], days=0)).words[0].code == "own"


def test_a_kind_of_loss_that_no_table_knows_is_refused():
    text = loader.default_text("hints").replace("loss_kind: glass", "loss_kind: marbles")
    with pytest.raises(NormError):
        loader.checked({"hints": [(2, text)]})
