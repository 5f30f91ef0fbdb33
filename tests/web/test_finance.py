"""The finance page: groups with their sums, differences, the bank's files, and nothing offered to whoever made it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from datetime import UTC, date, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.company import NOW, card
from tests.gateways.bank.conftest import status_report
from tests.web.conftest import reported
from tests.web.test_queries import FRAME, queries

from lipei.gateways.bank import Account, BankOrder, FilesGateway
from lipei.gateways.tables import sheets
from lipei.norms.texts import LANGUAGES, text
from lipei.services import bank_hold
from lipei.store import models

FINANCE = "/console/finance/"
NAME = "E2E-1"


def paid(office: SimpleNamespace, state: str, *, minor: int = 215000, number: str = "", **more: Any) -> Any:
    """A payment in a state, on a claim of its own unless one is named."""
    claim = models.Claim.objects.get(number=number or reported(office))
    part = models.Payment.objects.filter(aggregate_id=claim.id).count() + 1
    said = {"end_to_end_id": f"E2E-{models.Payment.objects.count() + 1}", "ordered_by": "staff:999"}
    return models.Payment.objects.create(
        aggregate_id=claim.id, part=part, state=state, amount_minor=minor, payee=1, **{**said, **more}
    )


def said(detail: str, name: str = NAME, **more: Any) -> Any:
    return models.BankMessage.objects.create(
        direction="in", kind="answer", message_id=name, digest=f"{name}{detail}"[:64], at=NOW, state="unmatched",
        detail=detail, **more,
    )  # fmt: skip


@pytest.mark.norm("2.2.4")
def test_what_went_wrong_comes_first_and_sums_stand_by_currency(browser: Callable[..., Client], office) -> None:
    number = reported(office)
    paid(office, "ordered", minor=100, number=number)
    paid(office, "ordered", minor=250, number=number)
    failed = paid(office, "failed", failure="AC04", number=number)
    body = browser("finance1").get(FINANCE).content.decode()
    assert '<h2 id="list">Failed or returned</h2>' in body and f"payments/{failed.part}/retry/" in body
    assert "CNY 3.50" in body and "CNY 2,150.00" in body
    form = unescape(browser("finance1").get(f"/console/claims/{number}/payments/{failed.part}/retry/").content.decode())
    assert text("reason.bank.AC04", "en") in form and text("reason.bank.AC04.advice", "en") in form
    models.Claim.objects.filter(number=number).update(currency="HKD")
    paid(office, "ordered", minor=700)
    body = browser("finance1").get(f"{FINANCE}?show=approve").content.decode()
    assert "HKD 3.50" in body and "CNY 7.00" in body, "never added over currencies"
    assert "王*明" not in body or "王小明" not in body


@pytest.mark.norm("2.2.4")
def test_nobody_is_offered_to_approve_what_they_ordered(browser: Callable[..., Client], office) -> None:
    payment = paid(office, "ordered", kind="settlement", ordered_by=office.finance1.id)
    mine = browser("finance1").get(f"{FINANCE}?show=approve").content.decode()
    assert "approve_payment" not in mine and "Another person has to approve" in mine
    other = browser("finance2").get(f"{FINANCE}?show=approve").content.decode()
    assert f"payments/{payment.part}/approve_payment/" in other
    number = models.Claim.objects.get(id=payment.aggregate_id).number
    form = (
        browser("finance2").get(f"/console/claims/{number}/payments/{payment.part}/approve_payment/").content.decode()
    )
    assert "Payment 1. CNY 2,150.00 · Settlement · 王*明 ****0011<" in form, "to whom, of which kind"


@pytest.mark.norm("4")
def test_nobody_is_offered_a_payment_to_an_account_that_they_gave(browser: Callable[..., Client], office) -> None:
    payment = paid(office, "ordered", kind="settlement", exposure=1)
    number = models.Claim.objects.get(id=payment.aggregate_id).number
    models.Party.objects.filter(aggregate_id=payment.aggregate_id, part=1).update(account_by=office.finance1.id)
    step = f"payments/{payment.part}/approve_payment/"
    for page in (f"{FINANCE}?show=approve", "/console/approvals/", f"/console/claims/{number}/"):
        assert step not in browser("finance1").get(page).content.decode(), page
        assert step in browser("finance2").get(page).content.decode(), page


def test_silence_of_the_bank_is_pointed_out(browser: Callable[..., Client], office) -> None:
    paid(office, "submitted", submitted_at=NOW - timedelta(minutes=5))
    assert "Silent for long" not in browser("finance1").get(f"{FINANCE}?show=sent").content.decode()
    paid(office, "submitted", submitted_at=NOW - timedelta(days=3))
    body = browser("finance1").get(f"{FINANCE}?show=sent").content.decode()
    assert body.count("Silent for long") == 1 and "3 d ago" in body


@pytest.mark.norm("2.2.4")
def test_another_amount_is_shown_and_cleared_up_by_a_person(browser: Callable[..., Client], office) -> None:
    payment = paid(office, "submitted")
    row = said("unknown XAMT REF 7 8 215001", payment.end_to_end_id)
    said("confirmed  REF9 5", "SOMEBODY-1")
    client = browser("finance1")
    body = client.get(FINANCE).content.decode()
    assert '<h2 id="list">Differences</h2>' in body
    assert "CNY 2,150.00" in body and "CNY 2,150.01" in body and "lp-finance-differs" in body and "REF 7 8" in body
    assert "The bank reports another amount than was ordered." in body and "No payment of ours" in body
    client.post(f"{FINANCE}differences/{row.id}/", {"text": " "})
    assert models.BankMessage.objects.get(id=row.id).state == "unmatched", "not without words"
    client.post(f"{FINANCE}differences/{row.id}/", {"text": "Two fen of charges, confirmed by the bank"})
    assert models.BankMessage.objects.get(id=row.id).state == "cleared"
    assert "Two fen of charges" in models.Note.objects.get().text
    assert models.Payment.objects.get().state == "submitted", "it moves no money"
    assert client.post(f"{FINANCE}differences/{row.id}/", {"text": "again"}).status_code == 404


def test_recoveries_with_what_is_still_open(browser: Callable[..., Client], office) -> None:
    claim = models.Claim.objects.get(number=reported(office))
    models.Recovery.objects.create(
        aggregate_id=claim.id, part=1, state="open", kind="overpayment", debtor=1, due_minor=100000, received_minor=40000,
        opened_at=NOW - timedelta(days=40),
    )  # fmt: skip
    body = browser("finance1").get(f"{FINANCE}?show=recoveries").content.decode()
    assert "CNY 600.00" in body and "40 d ago" in body and "recoveries/1/receive_recovery/" in body
    assert "receive_recovery" not in browser("lead1").get(f"{FINANCE}?show=recoveries").content.decode()


# --- files ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.LIPEI_BANK_URL = f"files:{tmp_path}"
    order = BankOrder(
        NAME, 215000, "CNY", Account("Lipei", "100200300400", "102100099996"),
        Account("王小明", card(1), "102290000000"), "C1", date(2026, 11, 23),
    )  # fmt: skip
    gateway = FilesGateway(tmp_path)
    sent = gateway.submit([order], now=NOW.astimezone(UTC), batch_id="RUN-7")
    assert sent.sent == (NAME,), sent
    (tmp_path / "inbox" / "odd.xml").write_bytes(b"<nonsense/>")
    gateway.poll(NOW)
    return tmp_path


@pytest.mark.norm("2.2.4")
def test_files_are_listed_and_opening_one_is_on_record(browser: Callable[..., Client], office, folder: Path) -> None:
    payment = paid(office, "submitted")
    assert payment.end_to_end_id == NAME
    client = browser("finance1")
    body = client.get(f"{FINANCE}?show=files").content.decode()
    assert "RUN-7.xml" in body and "2150.00" in body and "odd.xml" in body and "Rejected" in body
    answer = client.get(f"{FINANCE}files/outbox/RUN-7.xml")
    assert b"pain.001" in answer.content and "attachment" in answer["Content-Disposition"]
    seen = models.Entry.objects.filter(kind="claim.personal_data_seen", stream_id=payment.aggregate_id)
    assert [entry.actor for entry in seen] == [office.finance1.id]
    for odd in ("files/messages/x.json", "files/outbox/..%2Flock", "files/outbox/none.xml", "files/outbox/.hidden"):
        assert client.get(f"{FINANCE}{odd}").status_code == 404
    (folder / "outbox" / "RUN-7.xml").unlink()  # taken away
    assert "With the bank" in client.get(f"{FINANCE}?show=files").content.decode()
    assert browser("manager1").get(f"{FINANCE}files/rejected/odd.xml").status_code == 403


def put(client: Client, content: bytes, name: str = "answer.xml") -> str:
    """What is said after somebody put a file in."""
    file = SimpleUploadedFile(name, content)
    page = client.post("/console/payments/answers/", {"file": file, "show": "files"}, follow=True)
    return str(page.content.decode())


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_put_in_is_read_at_once_and_what_became_of_it_is_said(
    browser: Callable[..., Client], office, folder: Path, language: str
) -> None:
    payment, client = paid(office, "submitted", exposure=1), browser("finance1", language)
    confirmed = status_report("RUN-7", [(NAME, "ACSC", "", "2150.00")])
    page = put(client, confirmed)
    payment.refresh_from_db()
    assert payment.state == "confirmed", "not at the worker's next turn"
    assert text("console.bank.said.matched", language, n=1, ids=NAME) in unescape(page)
    again = unescape(put(client, confirmed))
    assert text("console.bank.known", language, kind="pain.002", said="")[:8] in again
    listed = unescape(client.get(f"{FINANCE}?show=files").content.decode())
    assert (
        text("finance.file.state.answered", language) in listed
        and text("finance.file.state.waiting", language) not in listed
    )
    assert text("finance.file.answered", language, n=1, of=1) in listed


def test_a_whole_message_refused_is_matched_to_its_orders(browser: Callable[..., Client], office, folder: Path) -> None:
    payment = paid(office, "submitted")
    page = unescape(put(browser("finance1"), status_report("RUN-7", group="RJCT")))
    payment.refresh_from_db()
    assert payment.state == "failed" and text("console.bank.said.matched", "en", n=1, ids=NAME) in page


@pytest.mark.parametrize("content", [b"<nonsense/>", b"not xml at all", b""])
def test_a_file_that_is_no_answer_is_called_so_and_nothing_is_taken(
    browser: Callable[..., Client], office, folder: Path, content: bytes
) -> None:
    page = unescape(put(browser("finance1"), content))
    assert "was read" not in page and "()" not in page and "lp-message-error" in page
    listed = unescape(browser("finance1").get(f"{FINANCE}?show=files").content.decode())
    assert text("finance.file.no_kind", "en") in listed and "else ()" not in listed


def test_an_answer_of_another_amount_leads_to_where_it_is_cleared_up_and_then_to_the_hand(
    browser: Callable[..., Client], office, folder: Path
) -> None:
    paid(office, "submitted")
    client = browser("finance1")
    page = unescape(put(client, status_report("RUN-7", [(NAME, "ACSC", "", "2100.00")])))
    assert text("console.bank.said.differing", "en", n=1, ids=NAME) in page
    sent = unescape(client.get(f"{FINANCE}?show=sent").content.decode())
    assert text("finance.next.differs", "en") in sent and text("finance.next.sent", "en") not in sent
    message = models.BankMessage.objects.get(direction="in", message_id=NAME)
    client.post(f"{FINANCE}differences/{message.id}/", {"text": "银行手续费"})
    sent = unescape(client.get(f"{FINANCE}?show=sent").content.decode())
    assert text("finance.next.cleared", "en") in sent and text("finance.next.sent", "en") not in sent
    assert "/payments/1/confirm/" in sent and "/payments/1/fail/" in sent


def test_opening_an_answer_is_on_record_too(browser: Callable[..., Client], office, folder: Path) -> None:
    payment, client = paid(office, "submitted"), browser("finance1")
    put(client, status_report("RUN-7", [(NAME, "ACSC", "", "2150.00")]))
    (name,) = (path.name for path in (folder / "read").glob("*.xml"))
    assert client.get(f"{FINANCE}files/read/{name}").status_code == 200
    assert models.Entry.objects.filter(kind="claim.personal_data_seen", stream_id=payment.aggregate_id).count() == 1


def test_a_bank_without_files_says_so(browser: Callable[..., Client], office) -> None:
    assert "This bank is not reached by files." in browser("finance1").get(f"{FINANCE}?show=files").content.decode()


# --- as a workbook ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["approve", "recoveries", "differences"])
def test_a_group_as_a_workbook(browser: Callable[..., Client], office, group: str) -> None:
    payment = paid(office, "ordered")
    models.Recovery.objects.create(
        aggregate_id=payment.aggregate_id, part=1, state="open", kind="overpayment", due_minor=100, opened_at=NOW
    )
    said("unknown XAMT R 215001", payment.end_to_end_id)
    answer = browser("finance1").get(f"{FINANCE}export/?show={group}")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "x.xlsx"
        path.write_bytes(b"".join(answer.streaming_content))
        rows = list(next(iter(sheets(path))).rows)[1:]
    number = models.Claim.objects.get().number
    assert len(rows) == 1 and number in map(str, rows[0])
    assert browser("finance1").get(f"{FINANCE}export/?show=files").status_code == 404


def test_the_page_costs_the_same_however_much_there_is(browser: Callable[..., Client], office) -> None:
    number = reported(office)
    for state in ("ordered", "submitted"):
        paid(office, state, number=number)
    client = browser("finance1")
    one = {group: queries(client, f"{FINANCE}?show={group}") for group in ("approve", "sent", "differences")}
    for n in range(6):
        payment = paid(office, "ordered" if n % 2 else "submitted", number=number)
        said("failed AC04 R 1", payment.end_to_end_id)
    for group, count in one.items():
        found = queries(client, f"{FINANCE}?show={group}")
        assert found <= count + (1 if group == "differences" else 0) and found <= FRAME + 7
    assert re.findall(r"<strong>(\d+)</strong><span>Differences", client.get(FINANCE).content.decode()) == ["6"]


def test_orders_held_after_a_restore_are_released_by_finance(browser: Callable[..., Client], office) -> None:
    bank_hold.hold(now=NOW)
    page = browser("finance1").get("/console/finance/").content.decode()
    assert "This installation was restored from a backup" in page and "payments/release/" in page
    assert browser("finance1").post("/console/payments/release/").status_code == 302
    assert "restored from a backup" not in browser("finance1").get("/console/finance/").content.decode()
