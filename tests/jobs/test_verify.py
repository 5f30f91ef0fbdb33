"""`lipei verify` finds whatever was changed behind the product's back, and says where (norm part 4).

One test per kind of tampering, by raw SQL with the triggers dropped first.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from tests.company import NOW
from tests.jobs.tampering import found, sql, without_guards

from lipei.services import seals, verify
from lipei.store import aggregates, journal, models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4")]


def test_a_clean_journal_is_clean_and_counted(case):
    report = verify.run(now=NOW)
    assert report.clean
    assert report.entries == models.Entry.objects.count()
    assert report.streams == models.Stream.objects.count()


def test_the_guards_are_there_and_their_absence_is_seen(case):
    assert journal.guards_missing() == []
    without_guards()
    assert {d.place for d in verify.differences(now=NOW) if d.comparison == "guards"} == set(journal.GUARDED)


# --- entries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", "staff:99"), ("kind", "claim.cancelled"), ("cause", "x"), ("part", 7), ("on_behalf_of", "staff:1")],
)
def test_a_changed_entry(case, column, value):
    without_guards()
    sql(f"UPDATE journal SET {column} = %s WHERE stream_id = %s AND sequence = 3", value, case.id)
    assert "entry 3" in found("chain", case.claim.number)[0]


def test_a_changed_payload(case):
    without_guards()
    sql(
        "UPDATE journal SET payload = replace(payload, '265000', '275000') WHERE stream_id = %s AND sequence = 1",
        case.id,
    )
    assert "entry 1" in found("chain", case.claim.number)[0]


@pytest.mark.parametrize("column", ["occurred_at", "recorded_at"])
def test_a_changed_time(case, column):
    without_guards()
    sql(f"UPDATE journal SET {column} = %s WHERE stream_id = %s AND sequence = 2", "2026-01-01 00:00:00+00:00", case.id)
    assert "entry 2" in found("chain", case.claim.number)[0]


def test_a_removed_entry(case):
    without_guards()
    sql("DELETE FROM journal WHERE stream_id = %s AND sequence = 4", case.id)
    assert "entry 4 is missing" in found("order", case.claim.number)[0]


def test_a_removed_last_entry(case):
    without_guards()
    last = models.Entry.objects.filter(stream_id=case.id).order_by("-sequence").first().sequence
    sql("DELETE FROM journal WHERE stream_id = %s AND sequence = %s", case.id, last)
    assert f"the stream says {last}" in found("head", case.claim.number)[0]


def test_an_inserted_entry(case):
    without_guards()
    columns = "stream_kind, stream_id, kind, part, schema, actor, on_behalf_of, cause, occurred_at, recorded_at, payload, hash"
    last = models.Entry.objects.filter(stream_id=case.id).order_by("-sequence").first().sequence
    sql(
        f"INSERT INTO journal (sequence, {columns}) SELECT {last + 1}, {columns} FROM journal "
        "WHERE stream_id = %s AND sequence = 5",
        case.id,
    )
    assert f"entry {last + 1}" in found("chain", case.claim.number)[0]
    assert found("head", case.claim.number)


def test_entries_in_another_order(case):
    without_guards()
    for old, new in ((2, -2), (3, 2), (-2, 3)):
        sql("UPDATE journal SET sequence = %s WHERE stream_id = %s AND sequence = %s", new, case.id, old)
    assert {"entry 2", "entry 3"} <= {text.split(": ")[2][:7] for text in found("chain", case.claim.number)}


def test_a_chain_forged_from_its_beginning_is_seen_by_the_seal(case):
    """Who rewrites an entry and every hash after it, and the head, still meets the root that was given away."""
    without_guards()
    sql("UPDATE journal SET actor = %s WHERE stream_id = %s AND sequence = 2", "staff:99", case.id)
    previous = b""
    for e in models.Entry.objects.filter(stream_id=case.id).order_by("sequence"):
        from lipei.store.canonical import stamp

        header = journal.header(
            e.stream_kind, e.stream_id, e.sequence, e.kind, e.part, e.schema, e.actor, e.on_behalf_of, e.cause,
            stamp(e.occurred_at), stamp(e.recorded_at),
        )  # fmt: skip
        previous = journal.chained(previous, header, e.payload.encode())
        models.Entry.objects.filter(id=e.id).update(hash=previous)
    models.Stream.objects.filter(stream_id=case.id).update(head=previous)
    everything = [d for d in verify.differences(now=NOW) if d.comparison != "guards"]
    assert {d.comparison for d in everything} == {"seal"}


def test_a_removed_claim_with_everything_of_it(case):
    without_guards()
    sql("DELETE FROM journal WHERE stream_id = %s", case.id)
    sql("DELETE FROM stream WHERE stream_id = %s", case.id)
    for model in aggregates.TABLES["claim"].values():
        key = "id" if model is models.Claim else "aggregate_id"
        sql(f"DELETE FROM {model._meta.db_table} WHERE {key} = %s", case.id)
    assert found("head", str(case.id))  # the seals remember it
    assert found("references", "idempotency key one")


# --- heads and seals -----------------------------------------------------------------------------------------


def test_a_changed_head(case):
    models.Stream.objects.filter(stream_id=case.id).update(head=b"\x00" * 32)
    assert found("head", case.claim.number)


def test_a_changed_seal(case):
    without_guards()
    sql("UPDATE seal SET streams = streams + 1")
    assert found("seals")


def test_a_changed_sealed_head(case):
    without_guards()
    models.SealedHead.objects.filter(stream_id=case.id).update(head=b"\x01" * 32)
    assert found("seals") and found("seal", case.claim.number)


def test_a_removed_seal(case):
    models.Seal.objects.first()
    seals.seal(now=NOW)
    reported_before = models.Seal.objects.count()
    assert reported_before == 1  # nothing changed, so there was nothing to seal
    without_guards()
    sql("DELETE FROM sealed_head")
    sql("DELETE FROM seal")
    assert found("seal", case.claim.number)


# --- rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("exposure", "payable_minor", 999),
        ("exposure", "state", "refused"),
        ("exposure", "items", "[]"),
        ("payment", "amount_minor", 1),
        ("paper", "required", None),
        ("party", "roles", '["payee"]'),
        ("clock", "state", "running"),
        ("offer", "sent_at", "2026-01-01 00:00:00+00:00"),
    ],
)
def test_a_changed_row(case, table, column, value):
    if value is None:
        value = not models.Paper.objects.get(aggregate_id=case.id, part=1).required
    assert sql(f"UPDATE {table} SET {column} = %s WHERE aggregate_id = %s AND part = 1", value, case.id) == 1
    assert found("rows", f"{case.claim.number} {table}/1.{column}")


def test_a_changed_root(case):
    sql("UPDATE claim SET handler = 4711 WHERE id = %s", case.id)
    assert found("rows", "claim/0.handler")


def test_another_text_in_a_private_column(case):
    models.Party.objects.filter(aggregate_id=case.id, part=1).update(name="李四")
    assert found("rows", "party/1.name") == [
        f"rows: claim {case.claim.number} party/1.name: the text is not the one whose digest the journal holds"
    ]


def test_an_emptied_private_column(case):
    models.Claim.objects.filter(id=case.id).update(story="")
    assert found("rows", "claim/0.story")


def test_a_broken_ciphertext(case):
    blob = connection.Database.Binary(b"\x01" + b"\x00" * 40)
    sql("UPDATE claim SET story = %s WHERE id = %s", blob, case.id)
    assert found("rows", "claim/0.story")


def test_a_ciphertext_of_another_row(case):
    """Somebody's own account number, in its own ciphertext, in the row of the person who is to be paid."""
    other = models.Claim.objects.exclude(id=case.id).get()
    copied = "UPDATE party SET phone = (SELECT phone FROM party WHERE aggregate_id = %s AND part = 1)"
    models.Party.objects.filter(aggregate_id=other.id, part=1).update(phone="13900139000")
    assert sql(f"{copied} WHERE aggregate_id = %s AND part = 1", other.id, case.id) == 1
    assert "not the one whose digest" in found("rows", f"claim {case.claim.number} party/1.phone")[0]


def test_ciphertexts_changed_places_within_a_claim(case):
    """Two texts under the same salt: each is genuine, and in the wrong place."""
    columns = "UPDATE party SET name = phone, phone = name WHERE aggregate_id = %s AND part = 1"
    assert sql(columns, case.id) == 1
    assert found("rows", "party/1.name") and found("rows", "party/1.phone")


def test_a_clock_put_off(case):
    """By raw SQL the row alone can be changed: the journal still knows when it is due, and why."""
    part = next(n for n, k in case.clocks.items() if k.due_at)
    later = "2027-01-01 00:00:00+00:00"
    assert sql("UPDATE clock SET due_at = %s WHERE aggregate_id = %s AND part = %s", later, case.id, part) == 1
    assert found("rows", f"clock/{part}.due_at")


def test_a_sum_paid_that_was_altered(case):
    assert sql("UPDATE exposure SET paid_minor = paid_minor + 1 WHERE aggregate_id = %s AND part = 1", case.id) == 1
    assert found("rows", "exposure/1.paid_minor")


def test_a_removed_row(case):
    sql("DELETE FROM paper WHERE aggregate_id = %s AND part = 1", case.id)
    assert "the row is gone" in found("rows", "paper/1")[0]


def test_an_inserted_row(case):
    models.Note.objects.create(aggregate_id=case.id, part=99, kind="note")
    assert "no entry in the journal" in found("rows", "note/99")[0]


def test_a_row_of_no_claim_at_all(case):
    models.Note.objects.create(aggregate_id=1, part=1, kind="note")
    assert found("rows", "claim 1 note/1")


def test_a_changed_ledger(case):
    """What a policy's shared limit has left is guarded like any sum."""
    from lipei.domain.events import Actor, Change, Event
    from lipei.domain.limits import PolicyLedger
    from lipei.services import norms, unit_of_work

    draw = {"limit": "year", "period": "2026", "claim_number": case.claim.number, "exposure": 1, "amount_minor": 500}
    event = Event("ledger.drawn", 1, {}, (Change("ledger", 0, {"currency": "CNY"}), Change("usage", 1, draw)))
    write = unit_of_work.Write(
        unit_of_work.begin(PolicyLedger, case.claim.policy_id), ((event, Actor("system:t", "t")),)
    )
    unit_of_work.commit([write], rulebook=norms.current(), now=NOW)
    assert sql("UPDATE usage SET amount_minor = amount_minor - 100") == 1
    assert found("rows", "usage/1.amount_minor") == [
        f"rows: policy {case.claim.policy_id} usage/1.amount_minor: the row says 400, the journal 500"
    ]


# --- what follows --------------------------------------------------------------------------------------------


def rewritten(case: Any, entity: str, part: int, **fields: Any) -> None:
    """An entry written by the rules of the journal, saying what no rule of the product would say."""
    from lipei.domain.events import Actor, Change, Event
    from lipei.services.amend import amend

    event = Event("claim.note_added", 0, {}, (Change(entity, part, fields),))
    amend(case.id, lambda c, r: (event,), actor=Actor("system:test", "test"), now=NOW, cause="test")


def test_a_balance_that_its_payments_do_not_make(case):
    rewritten(case, "exposure", 1, paid_minor=1)
    assert "its payments come to 215000" in found("balances", "exposure/1.paid_minor")[0]


def test_an_advance_that_nobody_paid(case):
    rewritten(case, "exposure", 1, advanced_minor=500)
    assert found("balances", "exposure/1.advanced_minor")


def test_a_clock_that_its_rule_does_not_make(case):
    from datetime import timedelta

    part = next(n for n, k in case.clocks.items() if k.due_at)
    rewritten(case, "clock", part, due_at=NOW + timedelta(days=400))
    assert found("clocks", f"clock/{part}")


def test_a_wrong_hint(case):
    other = models.Claim.objects.exclude(id=case.id).get()
    sql("UPDATE claim SET due_at = NULL WHERE id = %s", other.id)
    assert found("hints", other.number)


def test_a_wrong_index(case):
    sql("UPDATE party SET phone_index = 'nobody' WHERE aggregate_id = %s AND part = 1", case.id)
    assert found("hints", "party/1.phone_index")


def test_a_draw_on_a_limit_that_no_settlement_made(case):
    models.Ledger.objects.update_or_create(id=case.claim.policy_id, defaults={"currency": "CNY"})
    models.Usage.objects.create(
        aggregate_id=case.claim.policy_id, part=99, limit="year", period="2026", claim_number=case.claim.number,
        exposure=1, amount_minor=5,
    )  # fmt: skip
    assert found("limits", f"{case.claim.number} exposure/1")


def test_an_erased_salt_leaves_the_chain_whole(case):
    """Erasure of personal data (retention): texts and salt are gone, and nothing else disagrees."""
    from lipei.services import retention

    assert retention.erase(case.id, now=NOW)
    assert [d for d in verify.differences(now=NOW) if d.comparison != "hints"] == []


def test_the_header_is_hashed_as_the_journal_hashes_it(case):
    """`verify` puts the header together by itself for speed: the same bytes as `journal.chained`."""
    from lipei.store.canonical import stamp

    e = models.Entry.objects.filter(stream_id=case.id, sequence=1).get()
    header = journal.header(
        e.stream_kind, e.stream_id, 1, e.kind, e.part, e.schema, e.actor, e.on_behalf_of, e.cause,
        stamp(e.occurred_at), stamp(e.recorded_at),
    )  # fmt: skip
    assert journal.chained(b"", header, e.payload.encode()) == bytes(e.hash)
