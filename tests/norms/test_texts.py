"""Every sentence in three languages, in the right script, with the same blanks; and no code without its sentence."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from string import Formatter

import pytest

import lipei
from lipei.domain import commands, permissions, straight_through, triage
from lipei.domain.claims import Case
from lipei.domain.lifecycle import BY_CLOCK, BY_TABLES, GUARDS, KINDS, STEPS
from lipei.domain.money import Money
from lipei.norms import loader
from lipei.norms.money import money_text, unit_text
from lipei.norms.refusals import worded
from lipei.norms.texts import LANGUAGES, text, texts

TEXTS = texts()
SOURCE = Path(lipei.__file__).parent
SENTENCE_BLANKS = {
    "actor", "amount", "before", "due", "at", "handler", "person", "paper", "papers", "reason", "cover", "promise", "lane",
    "claim", "roles", "message",
}  # fmt: skip

# Characters that both old character sets hold, but that are the simplified form of another one wherever we use them.
SIMPLIFIED_IN_BOTH = set("后里于余范几厂广复")
# Mainland words for which Taiwan has its own.
MAINLAND_WORDS = (
    "短信 信息 賬 聯繫 軟件 文檔 郵箱 數據 打印 鏈接 屏幕 默認 服務器 網絡 身份證 單證 查勘 責任免除 免賠額 免賠率 "
    "第三者 如實告知 材料 手機號"
)


def is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def in_set(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def simplified_only(wording: str) -> str:
    """The characters of a wording that are simplified: in the mainland's old set and not in Taiwan's."""
    return "".join(
        c
        for c in wording
        if is_chinese(c) and (c in SIMPLIFIED_IN_BOTH or (in_set(c, "gb2312") and not in_set(c, "big5")))
    )


def traditional_only(wording: str) -> str:
    return "".join(c for c in wording if is_chinese(c) and not in_set(c, "gb2312"))


def blanks(wording: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(wording) if name is not None}


def test_every_text_is_there_in_three_languages() -> None:
    wrong = {k: set(w) for k, w in TEXTS.items() if set(w) != set(LANGUAGES) or not all(t.strip() for t in w.values())}
    assert not wrong


def test_the_check_of_scripts_sees_a_slip() -> None:
    assert simplified_only("請上傳们的账戶") == "们账"
    assert simplified_only("之后") == "后"
    assert traditional_only("请上傳") == "傳"
    assert simplified_only("請於期限前上傳帳戶資料") == "" and traditional_only("请在期限前上传账户信息") == ""


def test_traditional_texts_have_no_simplified_character() -> None:
    # 里 is how both scripts write the sound: 斯里蘭卡.
    spelled = {
        key: w["zh-hant"].replace("里", "") if key.startswith("country.") else w["zh-hant"] for key, w in TEXTS.items()
    }
    assert not {key: slip for key, said in spelled.items() if (slip := simplified_only(said))}


def test_simplified_texts_have_no_traditional_character() -> None:
    # A person's name whose characters the old set lacks: what the letters are tried with.
    rare = {"letter_sample.customer": "堃喆"}
    assert not {
        key: slip for key, w in TEXTS.items() if (slip := traditional_only(w["zh-hans"])) and slip != rare.get(key)
    }


def test_traditional_texts_use_the_words_of_taiwan() -> None:
    assert not [(key, word) for key, w in TEXTS.items() for word in MAINLAND_WORDS.split() if word in w["zh-hant"]]


def test_a_region_has_one_name() -> None:
    """In simplified Chinese 中国台湾 and 中国香港, in traditional 臺灣: in every text, and in what the tables say."""
    slip = re.compile(r"(?<!中国)台湾|(?<!中国)香港")
    assert not [key for key, said in TEXTS.items() if slip.search(said["zh-hans"]) or "台灣" in said["zh-hant"]]
    for table in (SOURCE / "norms" / "defaults").rglob("*.yaml"):
        written = table.read_text(encoding="utf-8")
        said = [line for line in written.splitlines() if "zh-hans" in line and slip.search(line)]
        assert not said and "台灣" not in written, (table.name, said)


def test_english_texts_have_no_chinese_character_or_punctuation() -> None:
    wide = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
    assert not {key: w["en"] for key, w in TEXTS.items() if wide.search(w["en"])}


def test_the_blanks_are_the_same_in_all_languages() -> None:
    assert not {key: w for key, w in TEXTS.items() if len({frozenset(blanks(t)) for t in w.values()}) > 1}


def test_every_state_action_and_role_has_a_name() -> None:
    states = {(s.subject, state) for s in STEPS for state in (*s.sources, s.target) if state not in ("", "*")}
    wanted = {f"state.{subject}.{state}" for subject, state in states}
    wanted |= {f"action.{s.subject}.{s.action}" for s in STEPS}
    wanted |= {f"role.{who.partition(':')[0]}" for s in STEPS for who in s.who}
    wanted |= {f"scope.{who.partition(':')[2]}" for s in STEPS for who in s.who if ":" in who}
    wanted |= {f"party_role.{role}" for role in commands.PARTY_ROLES}
    wanted |= {f"subject.{entity}" for entity in Case.entities}
    assert wanted - set(TEXTS) == set()


@pytest.mark.norm("1.4.3")
def test_every_kind_of_event_has_a_name_and_a_sentence() -> None:
    kinds = {s.event for s in STEPS} | set(KINDS)
    assert {f"event.{kind}{end}" for kind in kinds for end in ("", ".sentence")} - set(TEXTS) == set()
    for key in TEXTS:
        if key.startswith("event."):
            assert (
                (blanks(TEXTS[key]["en"]) <= SENTENCE_BLANKS)
                if key.endswith(".sentence")
                else not blanks(TEXTS[key]["en"])
            )


def test_every_guard_says_why_it_stops() -> None:
    assert {f"refusal.guard.{guard}" for guard in (*GUARDS, *BY_TABLES, *BY_CLOCK)} - set(TEXTS) == set()


def test_every_field_of_a_command_has_a_label() -> None:
    classes = {*commands.COMMANDS.values(), commands.PartyReported, commands.ItemAssessed, commands.ExposureReported}
    assert {f"field.{f.name}" for command in classes for f in fields(command)} - set(TEXTS) == set()


def test_every_fact_that_tables_and_terms_ask_for_has_a_label() -> None:
    book = loader.rulebook({}, market="CN")
    asked = {*book.facts_asked, *(name for cover in book.covers_of() for name in cover.facts)}
    assert {"towed", "inpatient", "fault_percent", "lawsuit_amount_minor"} <= asked
    assert {f"fact.{name}" for name in asked} - set(TEXTS) == set()


def test_every_refusal_and_error_named_in_the_code_has_its_sentence() -> None:
    named = re.compile(r"(?<![\w])\"((?:refusal|norm_error)\.[a-z0-9_.]+[a-z0-9_])\"")
    missing = {
        (path.relative_to(SOURCE).as_posix(), key)
        for path in SOURCE.rglob("*.py")
        if "gateways/letters" not in path.as_posix()  # its keys are relative to letter.…
        for key in named.findall(path.read_text(encoding="utf-8"))
        if key not in TEXTS
    }
    assert not missing


def test_a_refusal_says_more_than_no() -> None:
    short = {k: w["en"] for k, w in TEXTS.items() if k.startswith("refusal.") and len(w["en"]) < 20}
    assert not short
    assert all(w["zh-hans"].endswith(("。", "！", "？", "}")) for k, w in TEXTS.items() if k.startswith("refusal."))


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        text("refusal.no_such_thing", "en")
    assert text("refusal.unknown_part", "en", part="paper 9") == "The claim has no paper 9; please check the number."


@pytest.mark.norm("2.3.2")
def test_every_reason_of_a_lane_and_of_automation_has_words_of_its_own_in_each_language() -> None:
    """Why urgent, why complex, why by hand: never a code, and never one language's words in another."""
    table = loader.rulebook({}, market="CN").triage
    wanted = {rule.text for rule in table.rules} | {triage.NO_RULE, triage.NO_RATE}
    wanted |= {f"reason.straight_through.{name}.{end}" for name in straight_through.CHECKS for end in ("yes", "no")}
    assert wanted <= set(TEXTS)
    for key in wanted:
        assert TEXTS[key]["en"] not in (TEXTS[key]["zh-hans"], TEXTS[key]["zh-hant"]), key


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("refusal.authority.above_limit", ("amount", "limit")),
        ("refusal.authority.above_ex_gratia_limit", ("amount", "limit")),
        ("refusal.authority.delegation_beyond_own", ("limit",)),
        ("refusal.identity_not_checked", ("limit",)),
        ("refusal.more_than_due", ("due",)),
        ("refusal.more_than_likely", ("likely",)),
        ("refusal.more_than_overpaid", ("over",)),
        ("refusal.more_than_owed", ("left",)),
        ("refusal.more_than_paid", ("paid",)),
        ("refusal.more_than_undisputed", ("undisputed",)),
    ],
)
def test_who_is_stopped_by_a_sum_reads_which_and_in_what_currency(
    language: str, code: str, params: tuple[str, ...]
) -> None:
    sums = {name: Money(123456 + number, "USD") for number, name in enumerate(params)}
    said = text(code, language, **worded(sums, language))
    assert all(money_text(money, language) in said for money in sums.values()) and "1,234.56" in said


def test_the_figures_of_a_shared_limit_and_of_a_kept_outcome_are_sums_in_words() -> None:
    figures = (Money(100, "CNY"), Money(200, "CNY"))
    said = text("refusal.settlement_limits_differ", "en", **worded({"limit": "L1", "figures": figures}, "en"))
    assert "CNY 1.00" in said and "CNY 2.00" in said
    kept = {"due": {"minor": 500, "currency": "CNY"}}
    assert "CNY 5.00" in text("refusal.more_than_due", "en", **worded(kept, "en"))


def test_a_currency_beside_a_field_is_called_as_people_call_it() -> None:
    assert [unit_text("CNY", language) for language in LANGUAGES] == ["元", "人民幣元", "CNY"]
    assert unit_text("CHF", "zh-hans") == "CHF"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_permission_is_said_in_words_with_the_roles_that_have_it(language: str) -> None:
    steps = {f"{step.subject}.{step.action}" for step in STEPS}
    for what in (*steps, *permissions.MAY, "staff", "claims"):
        params = worded({"permission": what}, language)
        said = text("refusal.not_permitted", language, **params)
        assert f"({what})" not in said and f"（{what}）" not in said, what
        assert params["roles"] in said and params["roles"], what


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("told", "step"),
    [
        ("action_hint.exposure.guarantee", "action.party.add"),
        ("refusal.reserve_only_usual", "action.exposure.set_reserve"),
    ],
)
def test_a_step_that_has_to_come_first_is_called_as_on_the_page(told: str, step: str, language: str) -> None:
    assert text(step, language) in text(told, language)
