"""The bank through folders: an order leaves once, whatever happens; an answer is never lost and never counted twice."""

from __future__ import annotations

import fcntl
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from lipei.gateways.bank import Account, BankBusy, BankGateway, DemonstrationGateway, FilesGateway, book, files, pain001


def outgoing(folder):
    return sorted(path.name for path in (folder / "outbox").iterdir())


def ids_sent(folder):
    return sorted(
        order.end_to_end_id for path in (folder / "outbox").iterdir() for order in pain001.read(path.read_bytes())[1]
    )


def receive(folder, content, name="answer.xml"):
    (folder / "inbox" / name).write_bytes(content)


def test_both_gateways_are_bank_gateways(tmp_path):
    gateways: list[BankGateway] = [FilesGateway(tmp_path / "a"), DemonstrationGateway(tmp_path / "b")]
    assert all(hasattr(gateway, name) for gateway in gateways for name in ("submit", "poll", "acknowledge", "inquire"))


def test_a_batch_becomes_one_private_file(gateway, folder, bank):
    submission = gateway.submit([bank.order(1), bank.order(2)], now=bank.now, batch_id="RUN-7")
    assert submission.message_id == "RUN-7"
    assert submission.sent == ("LP-2026-000001", "LP-2026-000002")
    assert outgoing(folder) == ["RUN-7.xml"]
    assert stat.S_IMODE((folder / "outbox" / "RUN-7.xml").stat().st_mode) == 0o600
    assert not list((folder / "staging").iterdir())


def test_nothing_to_send_writes_nothing(gateway, folder, bank):
    bad = bank.order(amount_minor=0)
    assert gateway.submit([], now=bank.now).sent == ()
    assert gateway.submit([bad], now=bank.now).refused == {bad.end_to_end_id: "refusal.bank_amount"}
    assert outgoing(folder) == []
    assert gateway.inquire(bad.end_to_end_id) is None


@pytest.mark.parametrize("batch_id", ["RUN-7", ""])
@pytest.mark.parametrize("picked_up", [False, True])
def test_a_batch_submitted_again_changes_nothing(gateway, folder, bank, batch_id, picked_up):
    batch = [bank.order(1), bank.order(2)]
    gateway.submit(batch, now=bank.now, batch_id=batch_id)
    (sent,) = (folder / "outbox").iterdir()
    before = sent.read_bytes()
    if picked_up:
        sent.unlink()
    again = FilesGateway(folder, key=b"key").submit(batch, now=bank.now + timedelta(hours=1), batch_id=batch_id)
    assert (again.sent, again.known) == ((), ("LP-2026-000001", "LP-2026-000002"))
    assert outgoing(folder) == ([] if picked_up else [sent.name])
    assert picked_up or sent.read_bytes() == before


def test_an_order_leaves_in_one_batch_only(gateway, folder, bank):
    gateway.submit([bank.order(1)], now=bank.now, batch_id="A")
    second = gateway.submit([bank.order(1), bank.order(2)], now=bank.now, batch_id="B")
    assert (second.sent, second.known) == (("LP-2026-000002",), ("LP-2026-000001",))
    assert ids_sent(folder) == ["LP-2026-000001", "LP-2026-000002"]


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 123_457}, {"creditor": Account("李四", "0200001209000123456", "102290068319")}],
)
def test_an_id_used_again_for_something_else_is_refused(gateway, folder, bank, changes):
    gateway.submit([bank.order(1)], now=bank.now)
    second = gateway.submit([bank.order(1, **changes)], now=bank.now)
    assert second.refused == {"LP-2026-000001": "refusal.bank_order_reused"}
    assert len(outgoing(folder)) == 1


def test_a_batch_that_left_takes_no_more_orders(gateway, folder, bank):
    gateway.submit([bank.order(1)], now=bank.now, batch_id="A")
    late = gateway.submit([bank.order(1), bank.order(2)], now=bank.now, batch_id="A")
    assert late.known == ("LP-2026-000001",)
    assert late.refused == {"LP-2026-000002": "refusal.bank_batch_closed"}
    assert gateway.submit([bank.order(2)], now=bank.now, batch_id="B").sent == ("LP-2026-000002",)
    assert ids_sent(folder) == ["LP-2026-000001", "LP-2026-000002"]


@pytest.mark.parametrize("batch_id", ["../x", "a b", "x" * 29, "x.y"])
def test_a_batch_id_that_is_no_file_name_is_a_mistake_of_the_caller(gateway, bank, batch_id):
    with pytest.raises(ValueError, match="batch id"):
        gateway.submit([bank.order()], now=bank.now, batch_id=batch_id)


class Crash(BaseException):
    """The process dies."""


def die_before_move(patch, number):
    """From now on the process dies before its move of this number, counted from 0."""
    left, real_move = iter(range(number)), book.move

    def dying_move(source, target):
        if next(left, None) is None:
            raise Crash
        real_move(source, target)

    patch.setattr(book, "move", dying_move)
    patch.setattr(files, "move", dying_move)


@pytest.mark.norm("4")
@pytest.mark.parametrize("same_batch", [True, False])
def test_a_crash_at_any_write_neither_loses_nor_doubles_an_order(tmp_path, bank, monkeypatch, same_batch):
    """Dies before the n-th rename, for every n; then a new process tries again, in the same batch or another."""
    batch = [bank.order(1), bank.order(2)]
    for step in count():
        folder = tmp_path / f"{step}"
        with monkeypatch.context() as patch:
            die_before_move(patch, step)
            try:
                FilesGateway(folder).submit(batch, now=bank.now, batch_id="A")
                crashed = False
            except Crash:
                crashed = True
        gateway = FilesGateway(folder)
        answer = gateway.inquire("LP-2026-000001")
        second = gateway.submit(batch, now=bank.now, batch_id="A" if same_batch else "B")
        assert ids_sent(folder) == ["LP-2026-000001", "LP-2026-000002"], step
        assert second.refused == {}
        assert (answer is not None) == (len(second.known) == 2)
        if not crashed:
            break
    assert step == 5  # two records, the staged file, the manifest, the release


@pytest.mark.norm("4")
def test_many_at_once_send_an_order_once(folder, bank):
    """Eight workers with gateways of their own submit overlapping batches at the same time."""
    batches = [[bank.order(n), bank.order(n + 1), bank.order(n + 2)] for n in range(1, 9)]

    def submit(batch):
        return FilesGateway(folder).submit(batch, now=bank.now)

    with ThreadPoolExecutor(8) as pool:
        submissions = list(pool.map(submit, batches))
    sent = [id_ for submission in submissions for id_ in submission.sent]
    assert sorted(sent) == sorted(set(sent)) == ids_sent(folder) == [f"LP-2026-{n:06d}" for n in range(1, 11)]


def test_a_message_interrupted_before_its_release_leaves_with_the_next_poll(gateway, folder, bank, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(files, "move", lambda *_: (_ for _ in ()).throw(Crash))
        gateway.submit([bank.order(1)], now=bank.now, batch_id="A")
    assert outgoing(folder) == []
    gateway.poll(bank.now)
    assert outgoing(folder) == ["A.xml"]


def test_a_full_disk_loses_nothing(gateway, folder, bank, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(book.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        gateway.submit([bank.order(1)], now=bank.now)
    assert outgoing(folder) == []
    assert gateway.submit([bank.order(1)], now=bank.now).sent == ("LP-2026-000001",)


@pytest.fixture
def submitted(gateway, folder, bank):
    """Three orders that left as message A."""
    gateway.submit([bank.order(n) for n in (1, 2, 3)], now=bank.now, batch_id="A")
    return gateway


LATER = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
ONE, TWO, THREE = (f"LP-2026-{n:06d}" for n in (1, 2, 3))


def brief(answers):
    return [(answer.end_to_end_id, answer.status, answer.reason) for answer in answers]


def test_silence_and_ignorance_are_different(submitted, bank):
    silent = submitted.inquire(ONE)
    assert (silent.status, silent.reason, silent.at) == ("unknown", "", bank.now)
    assert submitted.inquire("LP-2026-999999") is None


@pytest.mark.norm("2.2.4")
def test_a_status_report_answers_order_by_order(submitted, folder, bank):
    report = bank.status_report("A", [(ONE, "ACSP"), (TWO, "RJCT", "AC04"), (THREE, "ACSC")], group="PART")
    receive(folder, report)
    answers = submitted.poll(LATER)
    assert brief(answers) == [(ONE, "accepted", ""), (TWO, "failed", "AC04"), (THREE, "confirmed", "")]
    assert answers[0].at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert (answers[1].reference, answers[1].amount_minor) == ("REF-000002", 123_456)
    assert list((folder / "inbox").iterdir()) == []
    assert submitted.inquire(TWO) == answers[1]


@pytest.mark.parametrize("version", ["03", "08", "10", "12"])
def test_versions_of_the_status_report(submitted, folder, bank, version):
    receive(folder, bank.status_report("A", [(ONE, "RJCT", "AM04")], version=version))
    assert brief(submitted.poll(LATER)) == [(ONE, "failed", "AM04")]


def test_an_answer_is_handed_out_until_it_is_acknowledged(submitted, folder, bank):
    receive(folder, bank.status_report("A", [(ONE, "ACSC"), (TWO, "RJCT", "AC01")]))
    first = submitted.poll(LATER)
    assert FilesGateway(folder, key=b"key").poll(LATER + timedelta(days=1)) == first
    submitted.acknowledge(first[:1])
    assert submitted.poll(LATER) == first[1:]
    submitted.acknowledge(first)
    assert submitted.poll(LATER) == []
    assert submitted.inquire(ONE) == first[0]


def test_a_file_read_twice_changes_nothing(submitted, folder, bank):
    report = bank.status_report("A", [(ONE, "ACSC")])
    receive(folder, report)
    submitted.acknowledge(submitted.poll(LATER))
    receive(folder, report, "again.xml")
    receive(folder, report.replace(b"BANK-1", b"BANK-2"), "another-file-same-news.xml")
    assert submitted.poll(LATER) == []
    assert submitted.refusals() == []
    assert len(list((folder / "read").iterdir())) == 2


@pytest.mark.norm("4")
def test_a_crash_while_reading_loses_no_answer(submitted, folder, bank, monkeypatch, tmp_path):
    """Dies before the n-th rename of a poll, for every n."""
    report = bank.status_report("A", [(ONE, "ACSC"), (TWO, "RJCT", "AC01"), (THREE, "ACSP")])
    receive(folder, report)
    for step in range(7):
        fresh = tmp_path / f"{step}"
        shutil.copytree(folder, fresh)
        with monkeypatch.context() as patch, pytest.raises(Crash):
            die_before_move(patch, step)
            FilesGateway(fresh, key=b"key").poll(LATER)
        answers = FilesGateway(fresh, key=b"key").poll(LATER)
        assert brief(answers) == [(ONE, "confirmed", ""), (TWO, "failed", "AC01"), (THREE, "accepted", "")], step


def test_a_file_read_before_is_not_read_again_when_the_news_has_moved_on(submitted, folder, bank):
    odd, accepted = (bank.status_report("A", [(ONE, status)]) for status in ("BLUE", "ACCP"))
    news = []
    for report in (odd, accepted, odd):
        receive(folder, report)
        answers = submitted.poll(LATER)
        news.append(brief(answers))
        submitted.acknowledge(answers)
    assert news == [[(ONE, "unknown", "XSTS")], [(ONE, "accepted", "")], []]
    assert submitted.inquire(ONE).status == "accepted"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("RJCT", ("failed", "FF01")),
        ("ACCP", ("accepted", "")),
        ("ACSC", ("confirmed", "")),
        ("BLUE", ("unknown", "XSTS")),
    ],
)
def test_a_word_on_the_whole_message_holds_for_every_order(submitted, folder, bank, status, expected):
    reason = b"<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
    report = bank.status_report("A", group=status).replace(b"</OrgnlGrpInfAndSts>", reason)
    receive(folder, report)
    assert brief(submitted.poll(LATER)) == [(id_, *expected) for id_ in (ONE, TWO, THREE)]


@pytest.mark.norm("4")
@pytest.mark.parametrize("reason", ["AM05", "DUPL"])
def test_a_copy_rejected_as_a_duplicate_says_nothing_of_the_first(submitted, folder, bank, reason):
    """The file reached the bank twice: the copy is rejected, the first is paid. "Failed" would have it paid again."""
    receive(folder, bank.status_report("A", [(ONE, "RJCT", reason)]), "1.xml")
    receive(folder, bank.notification([(ONE, "1234.56")]), "2.xml")
    receive(folder, bank.status_report("A", [(ONE, "RJCT", reason)], group="RJCT"), "3.xml")
    about_one = [answer for answer in submitted.poll(LATER) if answer.end_to_end_id == ONE]
    assert brief(about_one) == [(ONE, "unknown", reason), (ONE, "confirmed", "")]


def test_an_order_s_own_word_goes_before_that_of_its_group(submitted, folder, bank):
    receive(folder, bank.status_report("A", [(TWO, "RJCT", "AC06")], part="ACCP", group="ACTC"))
    answers = submitted.poll(LATER)
    assert brief(answers) == [(ONE, "accepted", ""), (TWO, "failed", "AC06"), (THREE, "accepted", "")]


def test_a_message_partly_accepted_says_nothing_of_a_single_order(submitted, folder, bank):
    receive(folder, bank.status_report("A", group="PART"))
    assert submitted.poll(LATER) == []


@pytest.mark.norm("2.2.4")
def test_a_booking_confirms(submitted, folder, bank):
    receive(folder, bank.notification([(ONE, "1234.56"), (TWO, "1234.56"), ("RENT-2026-03", "9000.00")]))
    first, second = submitted.poll(LATER)
    assert brief([first, second]) == [(ONE, "confirmed", ""), (TWO, "confirmed", "")]
    assert (first.reference, first.amount_minor) == ("BOOK-000001", 123_456)
    assert first.at == datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)  # the end of the booking day in China
    assert submitted.inquire(THREE).status == "unknown"


def test_an_account_written_with_blanks_is_the_same_account(submitted, folder, bank):
    receive(folder, bank.notification([(ONE, "1234.56")], account="0200 0012 0900 0123 456"))
    assert brief(submitted.poll(LATER)) == [(ONE, "confirmed", "")]


def test_a_booking_is_never_later_than_its_file_or_our_reading(submitted, folder, bank):
    receive(folder, bank.notification([(ONE, "1234.56")], made_at="2026-03-02T18:00:00"))  # no offset: the bank's zone
    assert submitted.poll(LATER)[0].at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    receive(folder, bank.notification([(TWO, "1234.56")], booked="<DtTm>2026-03-09T00:00:00Z</DtTm>"), "b.xml")
    assert submitted.poll(LATER)[1].at == LATER


def test_older_notifications_carry_the_amount_elsewhere(submitted, folder, bank):
    new = bank.notification([(ONE, "1234.56"), (TWO, "1234.56")]).decode()
    old = new.replace("camt.054.001.08", "camt.054.001.02").replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
    details = '<AmtDtls><InstdAmt><Amt Ccy="CNY">1234.56</Amt></InstdAmt></AmtDtls>'
    old = old.replace('<Amt Ccy="CNY">1234.56</Amt><CdtDbtInd>DBIT</CdtDbtInd>', details)
    receive(folder, old.encode())
    assert brief(submitted.poll(LATER)) == [(ONE, "confirmed", ""), (TWO, "confirmed", "")]
    assert submitted.inquire(ONE).amount_minor == 123_456


@pytest.mark.parametrize("state", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_is_not_confirmed(submitted, folder, bank, state):
    receive(folder, bank.notification([(ONE, "1234.56")], state=state))
    answers = submitted.poll(LATER)
    assert brief(answers) == ([(ONE, "accepted", "")] if state == "PDNG" else [])


def test_money_that_comes_back_is_a_failure(submitted, folder, bank):
    receive(folder, bank.notification([(ONE, "1234.56")]), "1.xml")
    receive(folder, bank.notification([(ONE, "1234.56")], direction="CRDT", reason="AC04"), "2.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "confirmed", ""), (ONE, "failed", "AC04")]
    receive(folder, bank.status_report("A", [(ONE, "ACSC")]), "late.xml")
    assert submitted.inquire(ONE).reason == "AC04"
    assert len(submitted.poll(LATER)) == 2


def test_a_return_read_before_its_booking_stays_a_return(submitted, folder, bank):
    receive(folder, bank.notification([(ONE, "1234.56")], direction="CRDT", reason="AC01"), "1.xml")
    receive(folder, bank.notification([(ONE, "1234.56")]), "2.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "failed", "AC01")]


def test_late_news_does_not_turn_back_the_clock(submitted, folder, bank):
    receive(folder, bank.notification([(ONE, "1234.56")]), "1.xml")
    receive(folder, bank.status_report("A", [(ONE, "ACCP")]), "2.xml")
    receive(folder, bank.status_report("A", [(ONE, "BLUE")]), "3.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "confirmed", "")]


@pytest.mark.norm("4")
@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (lambda bank: bank.status_report("A", [(ONE, "RJCT", "AC01")]), "XCON"),
        (lambda bank: bank.notification([(ONE, "1234.56")], reference="OTHER"), "XTWO"),
        (lambda bank: bank.notification([(ONE, "1234.57")]), "XAMT"),
        (lambda bank: bank.notification([(ONE, "1234.56")], currency="USD"), "XAMT"),
        (lambda bank: bank.notification([(ONE, "1234.567")]), "XAMT"),
        (lambda bank: bank.notification([(ONE, "1234.56")], account="6666660000"), "XACC"),
        (lambda bank: bank.notification([(ONE, "1234.56")], reversal="<RvslInd>true</RvslInd>"), "XCON"),
        (lambda bank: bank.status_report("A", [(ONE, "ACSC", "", "1.00")]), "XAMT"),
    ],
)
def test_what_contradicts_goes_to_a_person_and_never_becomes_a_failure(submitted, folder, bank, second, reason):
    receive(folder, bank.notification([(ONE, "1234.56")]), "1.xml")
    receive(folder, second(bank), "2.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "confirmed", ""), (ONE, "unknown", reason)]
    receive(folder, bank.status_report("A", [(ONE, "RJCT", "AC04")]), "3.xml")
    submitted.poll(LATER)
    assert submitted.inquire(ONE).reason == reason


def test_a_booking_after_a_rejection_is_a_contradiction(submitted, folder, bank):
    receive(folder, bank.status_report("A", [(ONE, "RJCT", "AC01")]), "1.xml")
    receive(folder, bank.notification([(ONE, "1234.56")]), "2.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "failed", "AC01"), (ONE, "unknown", "XCON")]


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda bank: b"", "refusal.bank_file_xml"),
        (lambda bank: b"\xff\xd8\xff\xe0 a photo", "refusal.bank_file_xml"),
        (lambda bank: "序号,金额\n1,2".encode("gb18030"), "refusal.bank_file_xml"),
        (lambda bank: BOMB, "refusal.bank_file_xml"),
        (lambda bank: b'<?xml version="1.0" encoding="klingon"?><x/>', "refusal.bank_file_xml"),
        (lambda bank: bank.status_report("A", [(ONE, "ACSC")])[:-30], "refusal.bank_file_xml"),
        (lambda bank: b"<html><body>404</body></html>", "refusal.bank_file_kind"),
        (lambda bank: bank.notification([]).replace(b"camt.054", b"camt.053"), "refusal.bank_file_kind"),
        (lambda bank: bank.notification([]).replace(b"001.08", b"001.99"), "refusal.bank_file_kind"),
        (
            lambda bank: bank.status_report("A", [(ONE, "A")]).replace(b"CreDtTm>", b"When>"),
            "refusal.bank_file_structure",
        ),
        (lambda bank: bank.notification([(ONE, "1")]).replace(b">1<", b">one<"), "refusal.bank_file_structure"),
        (
            lambda bank: bank.status_report("A", totals="<OrgnlCtrlSum>sNaN</OrgnlCtrlSum>"),
            "refusal.bank_file_structure",
        ),
        (lambda bank: bank.status_report("OTHER", [(ONE, "ACSC")]), "refusal.bank_file_foreign"),
        (lambda bank: bank.status_report("../../messages/A", group="RJCT"), "refusal.bank_file_foreign"),
        (lambda bank: bank.status_report("A", [("NOT-OURS", "ACSC")]), "refusal.bank_file_foreign"),
        (lambda bank: bank.status_report("A", part="RJCT", part_id="A-2"), "refusal.bank_file_foreign"),
        (lambda bank: bank.status_report("A", group="RJCT", model="pain.008.001.08"), "refusal.bank_file_foreign"),
        (lambda bank: bank.status_report("A", totals="<OrgnlNbOfTxs>2</OrgnlNbOfTxs>"), "refusal.bank_file_sums"),
        (lambda bank: bank.status_report("A", totals="<OrgnlCtrlSum>3703.67</OrgnlCtrlSum>"), "refusal.bank_file_sums"),
        (
            lambda bank: bank.notification([(ONE, "1234.56"), (TWO, "1234.56")], total="1234.56"),
            "refusal.bank_file_sums",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_put_aside_whole_with_one_reason(submitted, folder, bank, content, code):
    content = content(bank)
    receive(folder, content, "odd.xml")
    receive(folder, bank.status_report("A", [(TWO, "ACSC")]), "z-good.xml")
    assert brief(submitted.poll(LATER)) == [(TWO, "confirmed", "")]
    (refusal,) = submitted.refusals()
    assert (refusal.name, refusal.code, refusal.at) == ("odd.xml", code, LATER)
    assert (folder / "rejected" / "odd.xml").read_bytes() == content
    assert submitted.inquire(ONE).reason == ""


def test_totals_that_agree_are_fine(submitted, folder, bank):
    totals = "<OrgnlNbOfTxs>3</OrgnlNbOfTxs><OrgnlCtrlSum>3703.68</OrgnlCtrlSum>"
    receive(folder, bank.status_report("A", totals=totals, group="ACCP"))
    assert len(submitted.poll(LATER)) == 3


def test_a_file_too_large_is_not_even_read(submitted, folder, bank, monkeypatch):
    monkeypatch.setattr(files, "FILE_SIZE_BYTES_MAX", 100)
    receive(folder, bank.status_report("A", [(ONE, "ACSC")]))
    assert submitted.poll(LATER) == []
    assert submitted.refusals()[0].code == "refusal.bank_file_size"


def test_files_put_aside_under_one_name_are_all_kept_and_can_be_put_back(submitted, folder, bank):
    for content in (b"one", b"two"):
        receive(folder, content, "x.xml")
        submitted.poll(LATER)
    assert {refusal.name for refusal in submitted.refusals()} == {"x.xml", "x.2.xml"}
    receive(folder, bank.status_report("A", [(ONE, "ACSC")]), "x.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "confirmed", "")]


@pytest.mark.parametrize("name", [".hidden.xml", "answer.xml.part", "answer.tmp", "answer.filepart"])
def test_a_file_still_being_written_is_left_alone(submitted, folder, name):
    receive(folder, b"<?xml", name)
    assert submitted.poll(LATER) == []
    assert (folder / "inbox" / name).exists()
    assert submitted.refusals() == []


def test_the_memory_of_the_gateway_holds_no_personal_data(submitted, folder, bank):
    receive(folder, bank.status_report("A", [(ONE, "ACSC")]))
    submitted.poll(LATER)
    for place in ("orders", "messages", "unread"):
        for path in (folder / place).rglob("*.json"):
            content = path.read_text(encoding="utf-8")
            assert "张三" not in content
            assert bank.card not in content


def test_another_key_does_not_recognise_the_order(submitted, folder, bank):
    again = FilesGateway(folder, key=b"wrong").submit([replace(bank.order(1))], now=bank.now)
    assert again.refused == {ONE: "refusal.bank_order_reused"}  # never sent on a doubt


def test_a_folder_that_another_process_holds_is_given_up_after_a_while(tmp_path) -> None:
    gateway = FilesGateway(tmp_path, wait_seconds=0)
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BankBusy, match="stop it if it hangs, or raise LIPEI_BANK_WAIT"):
            gateway.poll(datetime(2026, 11, 23, tzinfo=UTC))
    assert gateway.poll(datetime(2026, 11, 23, tzinfo=UTC)) == []
