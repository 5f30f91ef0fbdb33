"""A part that is refused is told in writing like a whole: its notice, the law's days to it, and what takes it back (保险法24)."""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader
from tests.company import NOW
from tests.jobs.conftest import Provider, loaded, reported
from tests.jobs.test_void_messages import MORNING, do, held, overtaken_by, states

from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.norms import loader
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import claims as claims_read
from lipei.reads import rulebook
from lipei.services import deliveries, editions, norms, sweeps, verify
from lipei.services.deliveries import letters
from lipei.services.deliveries.words import Telling
from lipei.store import models

pytestmark = pytest.mark.django_db
WHY = "减震器是自然磨损，与这次事故无关。"
NO_PAPERS = "简化单证"
LAW, OWN = "cn_refusal_notice", "decision_notice"


def cny(yuan: int) -> Money:
    return Money(yuan * 100, "CNY")


def item(what: str, yuan: int, excluded: str = "") -> c.ItemAssessed:
    return c.ItemAssessed(what, claimed=cny(yuan), assessed=cny(yuan), excluded=excluded)


PART = (item("后保险杠", 2_000), item("右前减震器", 1_500, "wear"))
WHOLE = (item("后保险杠", 2_000),)


def decided(people: Any, *items: c.ItemAssessed, case: Any = None, **submitted: Any) -> Any:
    """Assessed, checked, submitted and approved, by three people."""
    if case is None:
        case = reported(people, accept_automatic=False, email="wang@example.com")
    handler = people.handler_of(case)
    do(case, "exposure", "set_reserve", 1, c.SetReserve(cny(4_000), "查勘后调整"), handler)
    do(case, "exposure", "assess", 1, c.Assess(items), handler)
    do(case, "exposure", "check_assessment", 1, None, people.assessor1)
    said = {"refusal_reason": WHY} if len(items) > 1 else {}
    do(case, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers=NO_PAPERS, **said | submitted), handler)
    return do(case, "exposure", "approve_decision", 1, c.ApproveDecision(NO_PAPERS), people.approver1)


def clocks(case: Any, *promises: str) -> list[tuple[str, str]]:
    """State by promise of the clocks of these promises, in the order in which they began."""
    return [(k.promise, k.state) for k in loaded(case).clocks.values() if k.promise in (promises or (LAW, OWN))]


def clean() -> None:
    assert list(verify.differences(now=MORNING)) == []


@pytest.mark.norm("4")
@pytest.mark.norm("2.3.1")
def test_the_laws_days_run_from_the_decision_until_the_notice_has_left(people, plug):
    mail = Provider()
    plug(sms=mail, email=mail)
    case = decided(people, *PART)
    clock = next(k for k in case.clocks.values() if k.promise == LAW)
    assert (clock.state, clock.exposure, clock.started_at, clock.binds) == ("running", 1, NOW, "law")
    last = clock.due_at.astimezone(ZoneInfo("Asia/Shanghai")) - timedelta(microseconds=1)
    assert last.date() == NOW.date() + timedelta(days=3)
    for language in LANGUAGES:
        page = claims_read.page(case.claim.number, viewer=people.manager1, language=language, now=NOW)
        why = next(p.why for p in page.promises if p.code == LAW)
        assert "2026-11-26" in "".join(why) and text("promise.cn_refusal_notice", language) in "".join(why)
    deliveries.work(now=NOW + timedelta(hours=1), limit=99)
    told = [m for m in mail.sent if m.template == "refusal_in_part"]
    assert len(told) == 1 and WHY in told[0].text and [a.media_type for a in told[0].attachments] == ["application/pdf"]
    assert clocks(case) == [(OWN, "running"), (LAW, "fulfilled")], "what is paid was not told yet"
    deliveries.work(now=NOW + timedelta(hours=2), limit=99)
    assert [m.template for m in mail.sent].count("refusal_in_part") == 1
    do(case, "offer", "send", 1, None, people.handler_of(case))
    assert clocks(case, OWN) == [(OWN, "fulfilled")]
    clean()


@pytest.mark.norm("4")
def test_a_notice_that_does_not_leave_breaks_the_laws_days(people, plug):
    plug(sms=Provider(), email=Provider())
    case = decided(people, *PART)
    held(case, "refusal_in_part")
    sweeps.clocks(now=NOW + timedelta(days=4), limit=50)
    assert next(k for k in loaded(case).clocks.values() if k.promise == LAW).breached_at is not None


@pytest.mark.norm("4")
def test_a_cut_by_the_terms_or_a_part_made_good_has_no_notice(people):
    plain = decided(people, *WHOLE)
    assert plain.exposures[1].payable_minor == 150_000, "the deductible takes 500"
    assert clocks(plain) == [(OWN, "running")]
    other = reported(people, "two", story="另一件事", accept_automatic=False)
    good = decided(people, *PART, case=other, ex_gratia=cny(1_500), reason="客户多年投保")
    assert clocks(good) == [(OWN, "running")]
    assert not models.Delivery.objects.filter(message="refusal_in_part").exists()
    clean()


@pytest.mark.norm("4")
@pytest.mark.norm("2.4.1")
def test_a_part_that_is_taken_back_before_it_was_told_is_not_told(people, plug):
    """Returned for rework at night: nobody hears of it, and no clock runs. Refused once more it is told once."""
    mail = Provider()
    plug(sms=mail, email=mail)
    case = decided(people, *PART)
    held(case, "refusal_in_part")
    do(case, "exposure", "return_for_rework", 1, c.Reasoned("减震器再看一次"), people.approver1)
    assert clocks(case) == [(OWN, "cancelled"), (LAW, "cancelled")]
    deliveries.work(now=MORNING, limit=99)
    assert "refusal_in_part" not in [m.template for m in mail.sent]
    assert states(case, "refusal_in_part") == ["overtaken"]
    assert ("refusal_in_part", "exposure.returned_for_rework") in overtaken_by(case)
    decided(people, *PART, case=case)
    assert clocks(case, LAW) == [(LAW, "cancelled"), (LAW, "running")]
    deliveries.work(now=MORNING, limit=99)
    assert [m.template for m in mail.sent].count("refusal_in_part") == 1
    assert clocks(case, LAW) == [(LAW, "cancelled"), (LAW, "fulfilled")]
    clean()


@pytest.mark.norm("2.4.1")
def test_a_decision_of_nothing_that_is_taken_back_before_it_was_told_is_not_told(people, plug):
    mail = Provider()
    plug(sms=mail, email=mail)
    case = decided(people, item("车漆", 400))  # below the deductible
    held(case, "result_zero")
    do(case, "exposure", "return_for_rework", 1, c.Reasoned("漏了一项"), people.approver1)
    deliveries.work(now=MORNING, limit=99)
    assert states(case, "result_zero") == ["overtaken"] and "result_zero" not in [m.template for m in mail.sent]


@pytest.mark.norm("4")
def test_who_cannot_be_reached_is_told_by_a_person_with_the_letter(people):
    case = decided(people, *PART)
    handler = people.handler_of(case)
    do(case, "claim", "tell_customer", 0, c.TellCustomer("已说明。"), handler)
    assert clocks(case, LAW) == [(LAW, "running")]
    do(case, "claim", "tell_customer", 0, c.TellCustomer("已当面送达通知书。", "post", letter="refusal"), handler)
    assert clocks(case, LAW) == [(LAW, "fulfilled")]


# --- the letter


def words_of(pdf: bytes) -> str:
    return squeezed("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def squeezed(words: str) -> str:
    """Without white space; a character and its look-alike among the radicals are one (what a PDF gives back)."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", words))


@pytest.mark.norm("4")
@pytest.mark.norm("2.5.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_names_what_was_claimed_what_is_refused_why_and_the_ways_on(people, language):
    case = decided(people, *PART)
    telling = Telling(case, norms.current(), language, event="exposure.decision_approved", part=1, party=1, now=NOW)
    words = words_of(letters.pdf("refusal", telling, now=NOW))
    terms = norms.current().products.version(case.claim.product, case.claim.terms_version)
    exclusion = terms.covers["own_damage"].exclusions["wear"]
    clause = terms.clauses[exclusion.clause]
    said = (
        "右前减震器", "1,500.00", WHY, exclusion.wording[language], clause.name[language], clause.plain[language],
        people.rows["approver1"].name, text("letter.refusal.title_part", language),
        text("letter.refusal.claimed", language), text("letter.refusal.items", language),
        *(text(f"letter.way.{way}", language) for way in ("review", "complaint", "mediation", "court")),
    )  # fmt: skip
    for one in said:
        assert squeezed(one) in words, one
    assert "后保险杠" not in words and squeezed(text("letter.refusal.lead_whole", language)) not in words


@pytest.mark.norm("4")
def test_each_exclusion_of_a_head_stands_by_itself_and_what_is_given_beyond_the_terms_too(people):
    case = reported(people, accept_automatic=False)
    items = (*PART, item("竞速轮胎", 300, "race"))
    case = decided(people, *items, case=case, ex_gratia=cny(100), reason="客户多年投保")
    telling = Telling(case, norms.current(), "zh-hans", event="exposure.decision_approved", part=1, party=1, now=NOW)
    told = letters.DATA["refusal"](telling, letters._common("refusal", telling, NOW))
    assert [(r.items, r.claimed_minor, r.amount_minor) for r in told.refused] == [
        (("右前减震器",), 150_000, 150_000), (("竞速轮胎",), 30_000, 30_000),
    ]  # fmt: skip
    assert not told.refused[0].beyond and "100.00" in told.refused[1].beyond
    assert not told.whole and case.exposures[1].refused_minor == 170_000


@pytest.mark.norm("4")
def test_what_was_assessed_at_nothing_is_told_with_its_items_and_the_clause_of_the_loss(people, plug):
    mail = Provider()
    plug(sms=mail, email=mail)
    old = c.ItemAssessed("旧划痕", claimed=cny(800), assessed=cny(0))
    case = decided(people, *PART, old)
    assert case.exposures[1].refused_minor == 230_000 and clocks(case, LAW) == [(LAW, "running")]
    telling = Telling(case, norms.current(), "zh-hans", event="exposure.decision_approved", part=1, party=1, now=NOW)
    told = letters.DATA["refusal"](telling, letters._common("refusal", telling, NOW))
    assert [(r.items, r.claimed_minor, r.amount_minor) for r in told.refused] == [
        (("右前减震器",), 150_000, 150_000), (("旧划痕",), 80_000, 80_000),
    ]  # fmt: skip
    assert told.refused[1].reason == text("letter.refusal.at_nothing", "zh-hans") and told.refused[1].findings == WHY
    deliveries.work(now=NOW + timedelta(hours=1), limit=99)
    assert [m.template for m in mail.sent].count("refusal_in_part") == 1 and clocks(case, LAW) == [(LAW, "fulfilled")]
    clean()


@pytest.mark.norm("4")
def test_of_several_heads_one_refused_whole_has_a_notice_of_its_own(people, plug):
    mail = Provider()
    plug(sms=mail, email=mail)
    case = reported(people, accept_automatic=False, email="wang@example.com")
    handler = people.handler_of(case)
    do(case, "exposure", "add", 0, c.AddExposure("own_damage", "glass", 1), handler)
    do(case, "exposure", "propose_refusal", 2, c.Propose("wear", "D8", "玻璃是旧伤。"), handler)
    do(case, "exposure", "refuse", 2, None, people.manager1)
    case = decided(people, *PART, case=case)
    own = {k.exposure: k.state for k in case.clocks.values() if k.promise == LAW}
    assert own == {1: "running", 2: "running"}
    deliveries.work(now=NOW + timedelta(hours=1), limit=99)
    sent = [m.template for m in mail.sent]
    assert (sent.count("refusal"), sent.count("refusal_in_part")) == (1, 1)
    states_now = [(k.promise, k.exposure, k.state) for k in loaded(case).clocks.values() if k.promise in (LAW, OWN)]
    assert sorted(states_now) == [
        (LAW, 1, "fulfilled"), (LAW, 2, "fulfilled"), (OWN, 1, "running"), (OWN, 2, "fulfilled"),
    ]  # fmt: skip
    clean()


# --- claims that were decided before


EARLIER = """    start: [exposure.refused]
    fulfil:
      - {event: notice.sent, facts: {letter: [refusal]}}
      - {event: claim.customer_told, facts: {letter: [refusal]}}
    cancel: [claim.reopened]
"""


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The table of promises as it was shipped when only a refusal of the whole had its days."""
    shipped = loader.default_text
    now_reads = shipped("promises")
    begins = now_reads.index("    start: [exposure.refused,")
    ends = now_reads.index("    warnings:", begins)
    before = now_reads[:begins] + EARLIER + now_reads[ends:]
    monkeypatch.setattr(loader, "default_text", lambda table: before if table == "promises" else shipped(table))
    rulebook.at.cache_clear()

    def ends_with_it() -> None:
        monkeypatch.setattr(loader, "default_text", shipped)
        rulebook.at.cache_clear()

    yield ends_with_it
    rulebook.at.cache_clear()


@pytest.mark.norm("4")
def test_what_was_decided_under_an_earlier_edition_verifies_and_the_new_one_is_offered(people, earlier):
    editions.keep_shipped(now=NOW)
    case = decided(people, *PART)
    assert clocks(case, LAW) == []
    earlier()
    clean()
    assert "promises" in editions.offered()
    sweeps.clocks(now=NOW + timedelta(hours=1), limit=50)
    assert clocks(case, LAW) == [] and editions.take("promises", actor=people.admin1, now=NOW) == 2
    sweeps.after_edits(now=NOW + timedelta(hours=1))
    assert clocks(case, LAW) == [], "what was decided before begins no clock"
    do(case, "exposure", "return_for_rework", 1, c.Reasoned("重新核定"), people.approver1)
    decided(people, *PART, case=case)
    assert clocks(case, LAW) == [(LAW, "running")]
    clean()
