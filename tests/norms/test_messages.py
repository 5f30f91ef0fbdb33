"""The table of messages and its wordings: strict, courteous, plain, short."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from lipei.domain.lifecycle import KINDS, STEPS
from lipei.domain.messages import voids
from lipei.norms import messages, yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, texts

DOCUMENT = yaml_texts.load((Path(messages.__file__).parent / "defaults/messages.yaml").read_text(encoding="utf-8"))
TABLE = messages.parse(DOCUMENT)
SAMPLE = {name: example for name, (_, example) in messages.PLACEHOLDERS.items()}
CUSTOMER = [row for row in TABLE.rows.values() if messages.to_customer(row)]

# Said to customers never: refusing, blaming, promising, vague; and words of the trade for which there are plain ones.
NEVER = (
    "不可能 做不到 没办法 无能为力 办不到 不关我 系统崩 听不懂 一定赔 保证 立即到账 已打款 绝对 "
    "百分之百 骗保 撒谎 再补一份 应该快了 再等等 公司规定 責任免除 责任免除 除外责任 免赔 自负额 核损 "
    "核赔 理算 拒赔 结案 立案 查勘 定损 预付赔款 补充材料 代位求偿 通融 注销 重开 沒辦法 一定賠 保證 "
    "立即入帳 已匯款 騙保 除外責任 免賠 自負額 核損 核賠 拒賠 結案 勘查 預付賠款 融通 註銷"
)
NEVER_EN = ("impossible", "not our", "company policy", "guarantee you", "excess", "deductible", "exclusion", "subrogat")


DOUBLED = re.compile(r"[。.][）)]?\s*[。.]")


def every_text(rows: list[Any], params: dict[str, str] = SAMPLE) -> list[tuple[str, str, str, str]]:
    """Message, channel, language and the rendered words."""
    found = []
    for row in rows:
        for channel in row.channels:
            for language in LANGUAGES:
                one = messages.render(table=TABLE, message=row.code, channel=channel, language=language, params=params)
                found.append((row.code, channel, language, f"{one.subject}\n{one.text}"))
    return found


def changed(index: int = 0, **fields: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    for key, value in fields.items():
        if value is None:
            document["messages"][index].pop(key)
        else:
            document["messages"][index][key] = value
    return document


@pytest.mark.norm("2.4.1")
def test_every_step_that_a_customer_should_hear_of_has_a_message() -> None:
    told = {kind for row in CUSTOMER for kind in row.events}
    assert told >= {
        "claim.reported", "claim.triaged", "claim.assigned", "claim.handed_over", "claim.opinion_given",
        "claim.papers_requested", "paper.refused", "survey.scheduled", "survey.cancelled", "exposure.decision_approved",
        "offer.sent", "offer.reminded", "offer.expired", "exposure.refused", "exposure.advanced", "exposure.guaranteed",
        "payment.confirmed", "payment.failed", "claim.closed", "claim.closed_without_payment", "claim.withdrawn",
        "claim.cancelled", "claim.reopened", "recovery.overpayment_found",
    }  # fmt: skip
    assert told <= {step.event for step in STEPS} | set(KINDS)
    assert "claim.suspected" not in told and "claim.reported_upwards" not in told


def test_every_message_names_the_clause_it_serves() -> None:
    assert all(row.norm for row in TABLE.rows.values())


def test_customers_always_have_a_second_channel_to_fall_back_to() -> None:
    assert all(set(row.channels) == {"sms", "email"} for row in CUSTOMER)


def test_every_message_renders_in_every_channel_and_language_without_holes() -> None:
    found = every_text(list(TABLE.rows.values()))
    assert len(found) > 200
    assert not [one for one in found if "{" in one[3] or "}" in one[3]]


@pytest.mark.parametrize("ending", ["。", ".", "。）", ".)", "。 "])
def test_no_message_ends_a_sentence_twice(ending: str) -> None:
    """Whatever fills it: a reason that a colleague wrote as a sentence, a place, a name that ends in a full stop."""
    filled = {name: messages.without_stop(example) + ending for name, example in SAMPLE.items()}
    for code, channel, language, words in every_text(list(TABLE.rows.values()), filled):
        assert not DOUBLED.search(words), (code, channel, language, words)


def test_only_before_a_full_stop_a_value_goes_without_its_own() -> None:
    said = messages.fitting("{reason}。{promise}\n{paper}. {cover}", dict.fromkeys(SAMPLE, "看不清。"))
    assert (said["reason"], said["promise"], said["paper"], said["cover"]) == (
        "看不清",
        "看不清。",
        "看不清",
        "看不清。",
    )
    assert messages.without_stop("缺第二页（见附件。）") == "缺第二页（见附件）"
    assert messages.without_stop("缺第二页（见附件。）。") == "缺第二页（见附件）"
    assert messages.without_stop("No. 3, etc.") == "No. 3, etc" and messages.without_stop("。") == ""


def test_a_text_with_a_hole_is_never_sent() -> None:
    for name in messages.needed_params(table=TABLE, message="receipt", channel="email", language="en"):
        params = {key: value for key, value in SAMPLE.items() if key != name}
        with pytest.raises(KeyError):
            messages.render(table=TABLE, message="receipt", channel="email", language="en", params=params)


@pytest.mark.norm("2.2.1")
def test_the_receipt_names_number_handler_and_every_promise() -> None:
    one = messages.render(table=TABLE, message="receipt", channel="email", language="zh-hans", params=SAMPLE)
    for name in ("claim_number", "handler_name", "handler_phone", "promise_list", "link", "company", "customer_name"):
        assert SAMPLE[name] in one.text
    assert SAMPLE["claim_number"] in one.subject


@pytest.mark.norm("2.2.4")
def test_the_notice_of_arrival_says_how_the_sum_is_made_up() -> None:
    one = messages.render(table=TABLE, message="payment_confirmed", channel="email", language="en", params=SAMPLE)
    assert SAMPLE["amount"] in one.text and SAMPLE["breakdown"] in one.text and SAMPLE["account_tail"] in one.text


def test_a_refusal_tells_the_reason_and_the_ways_on() -> None:
    for language, ways in (
        ("zh-hans", "投诉 调解 起诉"),
        ("zh-hant", "申訴 調解 起訴"),
        ("en", "review mediation court"),
    ):
        one = messages.render(table=TABLE, message="refusal", channel="email", language=language, params=SAMPLE)
        assert SAMPLE["reason"] in one.text
        assert all(way in one.text for way in ways.split())


def test_a_short_message_fits_two_segments_and_but_for_its_link_one() -> None:
    for code, channel, language, words in every_text(list(TABLE.rows.values())):
        if channel != "sms":
            continue
        single, double = (160, 306) if language == "en" else (70, 134)
        words = words.strip()
        assert len(words) <= double, (code, language, len(words))
        assert len(words.replace(SAMPLE["link"], "")) <= single, (code, language, len(words))


@pytest.mark.norm("2.1.2")
def test_customers_are_spoken_to_in_plain_and_courteous_words() -> None:
    for code, channel, language, words in every_text(CUSTOMER):
        said = [word for word in NEVER.split() if word in words]
        said += [word for word in NEVER_EN if language == "en" and word in words.lower()]
        assert not said, (code, channel, language, said)
        if channel == "email":
            assert {"zh-hans": "您好", "zh-hant": "您好", "en": "Dear"}[language] in words


def test_staff_get_no_salutation_and_their_messages_no_customers_words() -> None:
    one = messages.render(table=TABLE, message="staff_clock_breached", channel="email", language="en", params=SAMPLE)
    assert "Dear" not in one.text and SAMPLE["promise"] in one.text


def test_no_wording_lies_about_unused() -> None:
    known = {f"message.{r.code}.{p}" for r in TABLE.rows.values() for c in r.channels for p in messages.PARTS[c]}
    assert {k for k in texts() if k.startswith("message.")} == known | {"message.salutation", "message.closing"}
    used = {name for key in known for name in messages.placeholders(texts()[key]["en"])}
    used |= messages.placeholders(texts()["message.closing"]["en"]) | messages.placeholders(
        texts()["message.salutation"]["en"]
    )
    assert used == set(messages.PLACEHOLDERS), set(messages.PLACEHOLDERS) - used


def test_a_managers_wording_wins() -> None:
    mine = {language: f"{language}: {{claim_number}}" for language in LANGUAGES}
    table = messages.parse({**DOCUMENT, "texts": {"message.closed.sms": mine}})
    one = messages.render(table=table, message="closed", channel="sms", language="zh-hant", params=SAMPLE)
    assert one.text == f"zh-hant: {SAMPLE['claim_number']}"
    other = messages.render(table=table, message="closed", channel="sms", language="en", params={"claim_number": "X"})
    assert other.text == "en: X"


def overridden(key: str = "message.closed.sms", **wordings: str) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), "texts": {key: {**dict.fromkeys(LANGUAGES, "ok"), **wordings}}}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (changed(events=["claim.exploded"]), "norm_error.table.unknown_code"),
        (changed(to=["neighbour"]), "norm_error.message.unknown_recipient"),
        (changed(to=["role:wizard"]), "norm_error.message.unknown_recipient"),
        (changed(to=[]), "norm_error.table.missing_key"),
        (changed(channels=["pigeon"]), "norm_error.table.unknown_code"),
        (changed(channels=[]), "norm_error.table.missing_key"),
        (changed(letter="love"), "norm_error.table.unknown_code"),
        (changed(urgent="very"), "norm_error.table.not_yes_or_no"),
        (changed(when={"field": "claim.color", "op": "is_true"}), "norm_error.condition.unknown_field"),
        (changed(when={"field": "claim.fast_lane"}), "norm_error.condition.shape"),
        (changed(code="novelty"), "norm_error.message.no_text"),
        (changed(code="closed"), "norm_error.table.twice"),
        (changed(events=None), "norm_error.table.missing_key"),
        (changed(colour="red"), "norm_error.table.unknown_key"),
        (overridden(en="Your claim {claim_numbr}"), "norm_error.message.unknown_placeholder"),
        (overridden(en="Your claim {claim_number"), "norm_error.message.braces"),
        (overridden(en="Your claim {claim_number!r}"), "norm_error.message.braces"),
        (overridden(en="Your claim {claim_number.__class__}"), "norm_error.message.braces"),
        (overridden(en=" "), "norm_error.message.no_text"),
        (overridden(fr="Bonjour"), "norm_error.table.unknown_key"),
        (overridden(key="message.nothing.sms"), "norm_error.table.unknown_key"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_with_a_sentence(document: dict[str, Any], code: str) -> None:
    with pytest.raises(NormError) as refused:
        messages.parse(document)
    assert refused.value.code == code
    for sentence in texts()[code].values():
        assert sentence.format(**refused.value.params)


def test_a_part_makes_only_messages_about_itself_void():
    """A paper sent back again voids the word about that paper, not about another."""
    row = TABLE.rows["papers_complete"]
    found = dict(voids(row=row, event="paper.accepted", part=3))
    assert found["paper.refused"] == 3 and found["exposure.refused"] is None


@pytest.mark.parametrize("key", ["void_by", "still"])
@pytest.mark.parametrize("code", ["refusal", "refusal_in_part", "result_zero"])
def test_no_edit_of_the_table_makes_a_notice_of_the_law_void(code, key):
    """But that the decision is taken back, as shipped: then there is none to tell."""
    back = ("claim.reopened",) if code == "refusal" else ("claim.reopened", "exposure.returned_for_rework")
    assert TABLE.rows[code].void_by == back
    value: Any = (
        ["claim.reopened", "claim.closed"]
        if key == "void_by"
        else {"field": "claim.closed_at", "op": "ne", "value": None}
    )
    rows = [{**row, key: value} if row["code"] == code else row for row in DOCUMENT["messages"]]
    with pytest.raises(NormError) as refused:
        messages.parse({**DOCUMENT, "messages": rows})
    assert refused.value.code == "norm_error.message.law_void"


def test_an_event_that_nobody_knows_is_refused():
    rows = [
        {**row, "void_by": ["claim.vanished"]} if row["code"] == "withdrawn" else row for row in DOCUMENT["messages"]
    ]
    with pytest.raises(NormError):
        messages.parse({**DOCUMENT, "messages": rows})


def test_money_said_to_have_arrived_is_never_void():
    for code in (
        "receipt",
        "payment_confirmed",
        "advance_confirmed",
        "overpayment",
        "one_time_code",
    ):
        assert not TABLE.rows[code].void_by, code
