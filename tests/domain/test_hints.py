"""What a story suggests: offered, never what is known already, never against what it says itself."""

from __future__ import annotations

from datetime import datetime, timedelta
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
        ("我在张杨路停车场倒车", {"place": "张杨路停车场", "line": "motor", "loss_kind": "single_vehicle"}),
        ("车停在人民路88号门口", {"place": "人民路88号"}),
        ("在世纪大道上有点堵", {"place": "世纪大道"}),
        ("天气很好", {}),
    ],
)  # fmt: skip
def test_what_stories_say(story, expected):
    assert said(story) == expected


YESTERDAY, TODAY = "2026-11-23T", "2026-11-24T"


@pytest.mark.norm("2.1.1")
@pytest.mark.parametrize(
    "story, loss_at",
    [
        ("昨天下午4点半追尾", YESTERDAY + "16:30"),
        ("昨天下午四點半追尾", YESTERDAY + "16:30"),
        ("下午4点半追尾", YESTERDAY + "16:30"),  # at half past ten this afternoon has not been yet
        ("今天凌晨两点一刻", TODAY + "02:15"),
        ("昨天凌晨12点半", YESTERDAY + "00:30"),
        ("昨天中午12点半", YESTERDAY + "12:30"),
        ("昨天中午一點鐘", YESTERDAY + "13:00"),
        ("昨天中午11点50", YESTERDAY + "11:50"),
        ("昨天晚上9点一刻", YESTERDAY + "21:15"),
        ("昨天晚上九點三刻", YESTERDAY + "21:45"),
        ("昨晚12点半", TODAY + "00:30"),
        ("昨晚半夜两点", TODAY + "02:00"),
        ("半夜2点水管爆了", TODAY + "02:00"),
        ("半夜11点水管爆了", YESTERDAY + "23:00"),
        ("今天早上八点零五分", TODAY + "08:05"),
        ("今天上午差5分9点", TODAY + "08:55"),
        ("昨天傍晚6點20分左右", YESTERDAY + "18:20"),
        ("昨天16:45在路口", YESTERDAY + "16:45"),
        ("昨天4点半在路口", YESTERDAY + "16:30"),
        ("昨天二十二点十分", YESTERDAY + "22:10"),
        ("昨天15时30分", YESTERDAY + "15:30"),
        ("前天下午3点", "2026-11-22T15:00"),
        ("早上9点才看到，昨天下午5点停的车", TODAY + "09:00"),
        ("yesterday at half past four", YESTERDAY + "16:30"),
        ("at half past nine in the evening yesterday", YESTERDAY + "21:30"),
        ("yesterday at a quarter to five in the afternoon", YESTERDAY + "16:45"),
        ("It was twenty past seven this morning", TODAY + "07:20"),
        ("yesterday at 4.30 pm", YESTERDAY + "16:30"),
        ("yesterday, 12:15 am", YESTERDAY + "00:15"),
        ("the day before yesterday at 3 o'clock", "2026-11-22T15:00"),
        ("昨天下午4点半两人受伤", YESTERDAY + "16:30"),
        ("昨天下午4点两人受伤", YESTERDAY + "16:00"),
        ("11月20日下午三点一刻追尾", "2026-11-20T15:15"),
        ("十一月二十號晚上8點", "2026-11-20T20:00"),
        ("12月31日晚上10点", "2025-12-31T22:00"),  # that of this year has not come yet
        ("去年12月30日早上7点", "2025-12-30T07:00"),
        ("2026-11-05 16:40 追尾", "2026-11-05T16:40"),
        ("上周五晚上八点", "2026-11-20T20:00"),
        ("周日上午10点", "2026-11-22T10:00"),
        ("上週二下午2點", "2026-11-17T14:00"),
        ("last Friday at 5 pm", "2026-11-20T17:00"),
        ("on 3 November at half past nine in the morning", "2026-11-03T09:30"),
        ("Nov 3rd, 2026, 9:30", "2026-11-03T09:30"),
        ("11月20日在路口被撞", "2026-11-20T12:00"),
        ("it happened on Sunday", "2026-11-22T12:00"),
    ],
)  # fmt: skip
def test_an_hour_is_read_as_it_is_said(story, loss_at):
    assert said(story)["loss_at"] == loss_at


@pytest.mark.parametrize(
    "story",
    [
        "有一点擦伤",
        "两小时后才到",
        "第一时间报案",
        "赔了3.5万",
        "第2点意见",
        "三点五米宽",
        "it rolled five to ten metres",
        "13月40日",
        "2027年1月5日复查",  # lies ahead
        "I may be late",
    ],
)
def test_what_is_no_hour_is_not_taken_for_one(story):
    assert "loss_at" not in said(story)


def test_an_hour_takes_the_place_of_the_part_of_the_day():
    hints = [h for h in found(story="昨天下午4点半，昨晚报的警", table=TABLE, known=(), now=NOW) if "loss_at" in h.says]
    assert [(h.says["loss_at"], h.because) for h in hints] == [(YESTERDAY + "16:30", "昨天下午4点半")]


@pytest.mark.norm("2.1.1")
@pytest.mark.parametrize(
    "story, expected",
    [
        ("两人受伤", {"injured": "2"}),
        ("兩人受傷，已叫救護車", {"injured": "2"}),
        ("三个人受伤", {"injured": "3"}),
        ("2人轻伤", {"injured": "2"}),
        ("十二名乘客不同程度受伤", {"injured": "12"}),
        ("一死两伤", {"deaths": "1", "injured": "2"}),
        ("死亡1人，受伤3人", {"deaths": "1", "injured": "3"}),
        ("一人重傷，兩人輕傷", {"serious_injuries": "1", "injured": "2", "rescue": "yes"}),
        ("有人受伤", {"injured": "1"}),
        ("two people were injured", {"injured": "2"}),
        ("one dead, 3 injured", {"deaths": "1", "injured": "3"}),
        ("three passengers were seriously injured", {"serious_injuries": "3"}),
        ("没有一人受伤", {}),
        ("thankfully no one was injured", {}),
        ("no one hurt", {}),
    ],
)  # fmt: skip
def test_the_injured_are_counted(story, expected):
    counts = {k: v for k, v in said(story).items() if k in ("injured", "serious_injuries", "deaths", "rescue")}
    assert {**counts, **expected} == counts and set(counts) <= {*expected, "injured"}


PARTS = {"上午": (8, 12), "下午": (12, 19), "晚上": (18, 24), "凌晨": (0, 6)}
CHINESE = "零一二三四五六七八九十"


def in_chinese(n: int) -> str:
    """Below sixty."""
    tens, units = divmod(n, 10)
    return ("" if tens == 0 else "十" if tens == 1 else CHINESE[tens] + "十") + (
        CHINESE[units] if units or not tens else ""
    )


@given(st.sampled_from(sorted(PARTS)), st.integers(0, 23), st.integers(0, 59), st.booleans(), st.booleans())
def test_any_hour_and_minute_are_read_in_figures_and_in_words(part, hour, minute, words, old):
    low, high = PARTS[part]
    hour = low + hour % (high - low)
    spoken = (hour - 1) % 12 + 1
    figure = in_chinese if words else str
    tail = "" if not minute else "半" if minute == 30 else f"{'零' if minute < 10 else ''}{figure(minute)}分"
    story = f"昨天{part}{figure(spoken)}{'點' if old else '点'}{tail}追尾"
    assert said(story)["loss_at"] == f"{YESTERDAY}{hour:02}:{minute:02}", story


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
    kind = "patterns" if "pattern" in rule else "clock" if "from_hour" in rule else "words"
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
        {"any": ["x"], "from_hour": 9, "to_hour": 9},
        {"any": ["x"], "from_hour": 9, "to_hour": 37},
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


@given(
    st.integers(0, 364), st.sampled_from(["{m}月{d}日", "{m}月{d}号", "{y}-{m:02}-{d:02}", "{d} {en}", "{en} {d}, {y}"])
)
def test_any_day_of_the_year_behind_us_is_read_as_it_is_written(ago, written):
    day = (NOW - timedelta(days=ago)).date()
    story = written.format(y=day.year, m=day.month, d=day.day, en=day.strftime("%B")) + "，追尾"
    assert said(story)["loss_at"] == (f"{day}T12:00" if ago else f"{NOW:%Y-%m-%dT%H:%M}"), story
