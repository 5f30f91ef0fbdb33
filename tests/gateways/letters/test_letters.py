"""The letters as their readers get them: what stands on the page, what stops one, how fast they are."""

from __future__ import annotations

import dataclasses
import io
import re
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from lipei.gateways.letters import (
    LETTERS,
    FontsMissing,
    LetterData,
    MissingGlyph,
    Paper,
    Promise,
    Refused,
    SettlementHead,
    SettlementLine,
    Way,
    letters,
    press,
    render,
    samples,
)
from lipei.gateways.letters.words import Words
from lipei.norms.texts import LANGUAGES, text, texts

SAID = samples.SAID
ALL = [(letter, language) for letter in LETTERS for language in LANGUAGES]


def pages(pdf: bytes) -> list[str]:
    """The words of each page without any white space: where lines break is the layout's business."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in PdfReader(io.BytesIO(pdf)).pages]


def shown(pdf: bytes) -> str:
    return "".join(pages(pdf))


def squeezed(words: str) -> str:
    return re.sub(r"\s+", "", words)


def printed(letter: str, language: str, **changes: object) -> str:
    data = dataclasses.replace(samples.sample(letter, language), **changes)
    return shown(render(letter=letter, language=language, data=data))


# --- What stands on the page ----------------------------------------------------------------------------------------


@pytest.mark.norm("1.4.3")
@pytest.mark.parametrize(("letter", "language"), ALL)
def test_every_letter_names_claim_handler_company_and_reader(letter: str, language: str) -> None:
    words = printed(letter, language)
    for expected in ("C2026-000123", "P-778899", "021-12345678", *(SAID[key][language] for key in _COMMON)):
        assert squeezed(expected) in words, expected


_COMMON = ("company", "handler", "customer", "loss", "place", "department", "zone")


@pytest.mark.parametrize(("letter", "language"), ALL)
def test_every_block_of_a_letter_reaches_the_page(letter: str, language: str) -> None:
    data = samples.sample(letter, language)
    view = letters.compose(letter, language, data)
    words = shown(render(letter=letter, language=language, data=data))
    for each in _strings([view["title"], view["salutation"], view["closing"], view["facts"], _worded(view["body"])]):
        assert squeezed(each) in words, each


def _worded(blocks: list[dict[str, object]]) -> list[object]:
    """What is read of a block; not its kind and not how columns are aligned."""
    kept = [{name: value for name, value in block.items() if name not in ("kind", "columns")} for block in blocks]
    return [_worded(block["blocks"]) if "blocks" in block else block for block in kept]  # type: ignore[arg-type]


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        # The page joins the lines of one text, so they are looked for one by one.
        return [line for line in value.split("\n") if line]
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _strings(inner)]
    return [each for inner in value for each in _strings(inner)] if isinstance(value, list) else []


@pytest.mark.norm("2.2.1")
@pytest.mark.norm("2.3.1")
def test_receipt_shows_every_promise_at_the_companys_place() -> None:
    words = printed("receipt", "zh-hans")
    assert "2026年11月23日19:30" in words  # 11:30 UTC
    assert "2026年12月22日24:00" in words  # midnight ends a day, it does not begin the next
    assert "2026年12月24日24:00" in words  # what the law would allow, beside the date we keep
    assert "2026年12月23日" not in words
    assert text("letter.promises.provisional", "zh-hans") in words
    assert text("letter.binds.law", "zh-hans") in words


@pytest.mark.norm("2.2.1")
def test_receipt_says_what_happens_next_in_the_order_given() -> None:
    words = printed("receipt", "en", next_steps=("rescue", "contact"))
    rescue, contact = (words.index(squeezed(text(f"letter.next.{step}", "en"))) for step in ("rescue", "contact"))
    assert rescue < contact
    assert squeezed(text("letter.next.survey", "en")) not in words


@pytest.mark.norm("2.2.2")
def test_papers_are_asked_for_once_and_not_again_when_on_file() -> None:
    words = printed("paper_request", "zh-hans")
    asked, on_file = words.split(text("letter.paper_request.on_file", "zh-hans"))
    assert SAID["invoice"]["zh-hans"] in asked
    assert SAID["blurred"]["zh-hans"] in asked
    assert SAID["identity"]["zh-hans"] in on_file
    assert SAID["identity"]["zh-hans"] not in asked


def test_papers_sent_back_are_told_apart_from_a_first_request() -> None:
    back = printed("paper_request", "en", papers=(Paper(name="Invoice", problem="page 2 is missing"),))
    assert "Thankyouforthepapersyousent" in back
    assert "Thisisthecompletelist" not in back


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_settlement_shows_every_line_with_clause_and_plain_words(language: str) -> None:
    words = printed("settlement", language)
    for figure in ("2,650.00", "−50.00", "2,600.00", "−500.00", "2,100.00", "7,000.00×70%", "4,900.00", "4,655.00"):
        assert figure in words, figure
    for total in ("6,755.00", "−1,000.00", "5,755.00"):
        assert total in words, total
    assert squeezed(SAID["deductible_plain"][language]) in words
    assert words.count(squeezed(SAID["clause"][language])) == 4


@pytest.mark.norm("2.2.4")
def test_settlement_once_paid_says_when_the_money_arrived() -> None:
    words = printed("settlement", "zh-hans", paid_at=samples.at(11, 25, 6, 30), expires_at=None)
    assert "赔款5,755.00元已于2026年11月25日14:30到账" in words
    assert "最晚在" not in words


def test_who_is_paid_a_share_reads_what_arrived_and_what_the_whole_is() -> None:
    told = {"paid_at": samples.at(11, 25, 6, 30), "expires_at": None, "payees": (), "share_minor": 200_000}
    words = printed("settlement", "en", **told)
    assert "ThesumofCNY2,000.00arrived" in words and "thepartofCNY5,755.00thatispaidtoyou" in words
    assert "OfthistoyouCNY2,000.00" in words
    with pytest.raises(ValueError, match="a share is a part"):
        dataclasses.replace(samples.settlement("en"), share_minor=575_500)


def test_settlement_below_the_advance_pays_nothing_and_speaks_of_the_rest() -> None:
    words = printed("settlement", "en", already_paid_minor=700_000, payees=(), undisputed_minor=0)
    assert "ThispaymentCNY0.00" in words
    assert "CNY245.00morethanthefinalsum" in words


@pytest.mark.norm("4")
@pytest.mark.norm("2.5.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_gives_reasons_clause_plain_words_person_and_ways_on(language: str) -> None:
    words = printed("refusal", language)
    for key in ("reason", "findings", "exclusion", "exclusion_text", "plain", "colleague", "bureau", "period"):
        assert squeezed(SAID[key][language]) in words, key
    at = [words.index(squeezed(text(f"letter.way.{way}.body", language))) for way in _WAYS]
    assert at == sorted(at)


_WAYS = ("review", "complaint", "mediation", "court")


def test_refusal_in_part_does_not_say_that_all_is_refused() -> None:
    words = printed("refusal", "zh-hant", whole=False)
    assert text("letter.refusal.title_part", "zh-hant") in words
    assert "其餘部分照常辦理" in words


@pytest.mark.norm("4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_in_part_names_the_items_what_was_claimed_and_what_is_given_all_the_same(language: str) -> None:
    (whole,) = samples.refusal(language).refused
    part = dataclasses.replace(whole, items=("A-1", "B-2"), claimed_minor=300_000, beyond="+ 100.00")
    words = printed("refusal", language, whole=False, refused=(part,))
    labels = [words.index(squeezed(text(f"letter.refusal.{key}", language))) for key in ("items", "claimed", "amount")]
    assert labels == sorted(labels)
    for expected in ("A-1", "B-2", "3,000.00", "2,650.00", "+100.00"):
        assert expected in words, expected
    plain = printed("refusal", language)
    assert squeezed(text("letter.refusal.items", language)) not in plain


@pytest.mark.norm("1.3.1")
def test_settlement_keeps_a_guarantee_for_the_hospital_and_asks_nothing_back() -> None:
    words = printed("settlement", "en", already_paid_minor=0, kept_minor=675_500, payees=(), undisputed_minor=0)
    words = words.replace(" ", "")
    assert "keptforthehospital" in words and "isreturned" not in words and "paidbefore" not in words


def test_advance_says_that_it_is_not_the_last_word() -> None:
    words = printed("advance", "zh-hans")
    assert "20,000.00元" in words
    assert "这不是最后的金额" in words


def test_long_text_flows_to_the_next_page_and_pages_are_numbered() -> None:
    story = "\n".join(f"{number}. 下雨天路滑，我慢慢开，还是没有停住。" for number in range(200))
    data = dataclasses.replace(samples.receipt("zh-hans"), story=story)
    found = pages(render(letter="receipt", language="zh-hans", data=data))
    assert len(found) >= 4
    assert "199.下雨天路滑" in "".join(found)
    for number, page in enumerate(found, start=1):
        assert page.endswith(f"{number}/{len(found)}")
        assert "C2026-000123" in page


def test_a_long_settlement_repeats_its_columns_on_the_next_page() -> None:
    lines = tuple(SettlementLine(what=f"Step {n}", amount_minor=100, result_minor=100 * n) for n in range(1, 80))
    head = SettlementHead(cover="Contents", lines=lines, payable_minor=7_900)
    data = dataclasses.replace(
        samples.settlement("en"), heads=(head,), payees=(), already_paid_minor=0, undisputed_minor=0
    )
    found = pages(render(letter="settlement", language="en", data=data))
    assert len(found) >= 3
    assert all("Result(CNY)" in page for page in found[:2])


def test_yen_have_no_decimals() -> None:
    head = SettlementHead(
        cover="x", payable_minor=12345, lines=(SettlementLine(what="y", amount_minor=12345, result_minor=12345),)
    )
    words = printed(
        "settlement", "en", currency="JPY", heads=(head,), payees=(), already_paid_minor=0, undisputed_minor=0
    )
    assert "JPY12,345" in words
    assert "123.45" not in words


# --- What is typed is shown, never executed -------------------------------------------------------------------------

HOSTILE = r'#import "@preview/x:1" #sys.inputs $x^2$ \u{41} *bold* _it_ `raw` <label> @ref [b] {c} //no /*no*/ = head'


@pytest.mark.parametrize("letter", LETTERS)
def test_markup_in_data_is_shown_as_typed(letter: str) -> None:
    words = printed(letter, "en", place=HOSTILE, policy_number="{0} {name} %s")
    assert squeezed(HOSTILE) in words
    assert "{0}{name}%s" in words


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.sampled_from("#$\\*_`<>@[]{}()/=-+~'\"^&%!|:;,.0aZ 中文，。"), min_size=1, max_size=60))
def test_any_text_prints(typed: str) -> None:
    words = printed("advance", "zh-hans", reason=f"始{typed}终")
    assert squeezed(f"始{typed}终") in words


def test_direction_overrides_and_zero_widths_are_dropped() -> None:
    words = printed("receipt", "en", place="A\u202e00.001\u202c B\u200bC\ufeff\u00ad")
    assert "A00.001BC" in words


def test_line_ends_of_any_system_become_lines() -> None:
    assert "firstsecondthird" in printed("receipt", "en", story="first\r\nsecond\rthird\n")


@pytest.mark.parametrize("letter", LETTERS)
def test_a_run_without_spaces_stays_on_the_page(letter: str) -> None:
    data = dataclasses.replace(samples.sample(letter, "en"), place="W" * 200, claim_number="M" * 60)
    reader = PdfReader(io.BytesIO(render(letter=letter, language="en", data=data)))
    edges: list[float] = []

    def note(words: str, _matrix: object, place: list[float], _font: object, _size: float) -> None:
        if words.strip():
            edges.append(place[4])

    reader.pages[0].extract_text(visitor_text=note)
    assert shown(render(letter=letter, language="en", data=data)).replace("\u200b", "").count("W" * 200) == 1
    assert max(edges) < reader.pages[0].mediabox.width


def test_an_address_that_fits_a_line_is_not_cut() -> None:
    url = "https://claims.anhe.example/papers/C2026-000123?from=letter"
    pdf = render(
        letter="paper_request", language="en", data=dataclasses.replace(samples.paper_request("en"), portal_url=url)
    )
    assert url in "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


# --- What cannot be printed stops the letter ------------------------------------------------------------------------


@pytest.mark.parametrize("letter", LETTERS)
def test_a_glyph_that_no_font_has_stops_the_letter(letter: str) -> None:
    with pytest.raises(MissingGlyph) as stopped:
        printed(letter, "zh-hans", place="王\U00020000\U0001f600路")
    assert stopped.value.characters == ("\U0001f600", "\U00020000")
    assert stopped.value.named == "\U0001f600 (U+1F600), \U00020000 (U+20000)"
    assert "U+20000" in text(stopped.value.code, "zh-hant", **stopped.value.params)


@pytest.mark.parametrize("unprintable", ["\x00", "\x07", "\ue000", "ا", "ไ", "\u0c85"])
def test_control_private_and_foreign_characters_stop_the_letter(unprintable: str) -> None:
    with pytest.raises(MissingGlyph, match=f"U\\+{ord(unprintable):04X}"):
        printed("receipt", "en", story=f"x{unprintable}y")


def test_fonts_cover_what_the_standards_name() -> None:
    carried = press.coverage()
    assert not _decodable("gb2312", range(0xA1, 0xF8)) - carried
    # Four symbols of Big5 have other code points in Unicode fonts; every character is there.
    assert _decodable("big5", range(0xA1, 0xC7)) - carried <= set("ˍ‾∼≒")
    assert not {each for each in _decodable("gbk", range(0x81, 0xFF)) if each >= "㐀"} - carried
    assert set("䶮𬱟堃喆€£—…“”‘’·−×≤") <= carried


def _decodable(encoding: str, leads: range) -> set[str]:
    """The characters of a double-byte encoding: those that are written with exactly two bytes."""
    pairs = (bytes((lead, trail)).decode(encoding, "replace") for lead in leads for trail in range(0x40, 0xFF))
    return {each for each in pairs if len(each) == 1 and each != "\ufffd"}


def test_every_wording_of_the_letters_can_be_printed() -> None:
    wordings = {words for key, of in texts().items() if key.startswith("letter.") for words in of.values()}
    assert press.printable(sorted(wordings))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_glyph_is_missing_and_only_our_fonts_are_used(language: str) -> None:
    reader = PdfReader(io.BytesIO(render(letter="refusal", language=language, data=samples.refusal(language))))
    fonts = {str(font["/BaseFont"]) for page in reader.pages for font in _fonts(page)}
    assert fonts
    assert all("NotoSans" in font for font in fonts), fonts
    assert "\ufffd" not in "".join(page.extract_text() for page in reader.pages)


def _fonts(page: object) -> list[dict[str, object]]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]


def test_without_fonts_the_letter_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(press, "FONTS", tmp_path)
    press.coverage.cache_clear()
    try:
        with pytest.raises(FontsMissing, match=r"tools/assets\.py"):
            printed("receipt", "en")
    finally:
        press.coverage.cache_clear()


# --- A letter that contradicts itself is not printed ----------------------------------------------------------------


def test_a_refusal_needs_reason_person_and_ways_on() -> None:
    whole = samples.refusal("en")
    with pytest.raises(ValueError, match="names the person"):
        dataclasses.replace(whole, decided_by=" ")
    with pytest.raises(ValueError, match="review, complaint and court"):
        dataclasses.replace(whole, ways=(Way(code="review"), Way(code="mediation"), Way(code="court")))
    with pytest.raises(ValueError, match="neutral body"):
        dataclasses.replace(whole, ways=(Way(code="review"), Way(code="complaint"), Way(code="court")))
    with pytest.raises(ValueError, match="reason, clause and plain words"):
        Refused(cover="x", reason="", clause="9", plain="y")


def test_a_settlement_adds_up() -> None:
    line = SettlementLine(what="x", amount_minor=100, result_minor=100)
    with pytest.raises(ValueError, match="end at 100, not 101"):
        SettlementHead(cover="x", lines=(line,), payable_minor=101)
    with pytest.raises(ValueError, match="the payees get 575500, due are 675500"):
        dataclasses.replace(samples.settlement("en"), already_paid_minor=0)
    with pytest.raises(ValueError, match="undisputed"):
        dataclasses.replace(samples.settlement("en"), undisputed_minor=999_999_999)


def test_times_without_zone_and_promises_of_a_team_are_refused() -> None:
    with pytest.raises(ValueError, match="carry their zone"):
        Promise(what="x", due_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="team"):
        Promise(what="x", due_at=samples.at(1, 1), binds="team")


def test_unknown_letter_language_currency_and_data_are_refused() -> None:
    data = samples.receipt("en")
    with pytest.raises(ValueError, match="unknown letter 'invoice'"):
        render(letter="invoice", language="en", data=data)
    with pytest.raises(ValueError, match="unknown language 'fr'"):
        render(letter="receipt", language="fr", data=data)
    with pytest.raises(ValueError, match="is told RefusalData, not ReceiptData"):
        render(letter="refusal", language="en", data=data)
    with pytest.raises(ValueError, match="currency"):
        dataclasses.replace(data, currency="XXX")


# --- Plain mappings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("letter", "language"), ALL)
def test_a_mapping_prints_the_same_letter(letter: str, language: str) -> None:
    data: LetterData = samples.sample(letter, language)
    told = dataclasses.asdict(data)
    assert render(letter=letter, language=language, data=told) == render(letter=letter, language=language, data=data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"typo": 1}, "letter: unknown field 'typo'"),
        ({"claim_number": 7}, "letter.claim_number: int where str is expected"),
        ({"heads": "x"}, "letter.heads: str where tuple or list is expected"),
        ({"already_paid_minor": True}, "letter.already_paid_minor: bool where int is expected"),
        ({"handler": {"name": "x", "fax": "y"}}, "letter.handler: unknown field 'fax'"),
        ({"heads": [{"cover": "x", "lines": []}]}, r"letter.heads\[0\]: field 'payable_minor' is missing"),
    ],
)
def test_a_mapping_is_read_strictly(change: dict[str, object], message: str) -> None:
    told = dataclasses.asdict(samples.settlement("en")) | change
    with pytest.raises(ValueError, match=message):
        render(letter="settlement", language="en", data=told)


# --- Figures, dates, bytes, time ------------------------------------------------------------------------------------


@given(st.integers(-(10**14), 10**14))
def test_figures_read_back(minor: int) -> None:
    figure = Words("en", samples.receipt("en")).figure(minor)
    assert round(float(figure.replace(",", "").replace("−", "-")) * 100) == minor
    assert re.fullmatch(r"−?\d{1,3}(,\d{3})*\.\d\d", figure)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_last_day_is_never_after_the_last_moment(at: datetime) -> None:
    words = Words("en", samples.receipt("en"))
    midnight = (at.hour, at.minute) == (16, 0)  # in Shanghai
    assert words.due(at).startswith("the end of ") == midnight
    if midnight and not (at.second or at.microsecond):
        assert words.due(at) == f"the end of {words.due_date(at)}"


def test_the_same_data_give_the_same_bytes() -> None:
    data = samples.settlement("zh-hant")
    first = render(letter="settlement", language="zh-hant", data=data)
    time.sleep(1.1)  # a clock on the wall would show here: PDF dates have whole seconds
    assert render(letter="settlement", language="zh-hant", data=data) == first


def test_a_screen_reader_is_told_language_and_title() -> None:
    reader = PdfReader(io.BytesIO(render(letter="receipt", language="zh-hant", data=samples.receipt("zh-hant"))))
    assert reader.metadata is not None
    assert reader.metadata.title == text("letter.receipt.title", "zh-hant")
    assert str(reader.trailer["/Root"]["/Lang"]).startswith("zh")  # type: ignore[index]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] == True  # type: ignore[index]  # noqa: E712


def test_threads_do_not_mix_their_letters() -> None:
    found: dict[int, str] = {}

    def write(number: int) -> None:
        found[number] = printed("receipt", "en", claim_number=f"T-{number}-T")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    for number, words in found.items():
        assert set(re.findall(r"T-\d+-T", words)) == {f"T-{number}-T"}
