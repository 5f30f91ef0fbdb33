"""The journal: chained, append-only by the database's own doing, private texts only as digests."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.company import NOW, company
from tests.journeys.test_small_motor import small_report

from lipei.domain import commands as c
from lipei.domain.claims import Case, Party
from lipei.domain.events import Actor, Change, Event, Refusal
from lipei.services import actions, intake, norms, unit_of_work
from lipei.services.unit_of_work import Stale, Write
from lipei.store import aggregates, canonical, crypto, journal, models, roles
from lipei.store.parts import defaults

ME = Actor("staff:1", "one")


@pytest.fixture
def claim(db):
    people = company()
    return intake.report(small_report(), actor=people.program, now=NOW, key="k").case


@pytest.mark.norm("1.4.3")
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE journal SET actor = 'staff:99'",
        "DELETE FROM journal",
        "UPDATE journal SET payload = '{}' WHERE sequence = 1",
    ],
)
def test_the_database_refuses_to_alter_the_journal(claim, attack):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)
    assert models.Entry.objects.filter(stream_id=claim.id, sequence=1).exists()


def test_replace_does_not_slip_by(claim):
    if connection.vendor != "sqlite":
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE journal")
        return
    first = models.Entry.objects.order_by("id").first()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE id = %s", [first.id])


def test_guards_are_there(db):
    assert journal.guards_missing() == []


def test_private_texts_stand_only_as_digests(claim):
    bodies = "".join(models.Entry.objects.values_list("payload", flat=True))
    assert "倒车" not in bodies and "13800138000" not in bodies and "王小明" not in bodies
    _facts, sets = journal.said(models.Entry.objects.get(stream_id=claim.id, sequence=1).payload)
    salt = aggregates.head("claim", claim.id).salt
    assert sets["claim/0"]["story"] == {"$p": crypto.digest(claim.claim.story, salt)}


def test_rows_are_ciphertext(claim):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, phone FROM party")
        raw = b"".join(bytes(v) for row in cursor.fetchall() for v in row)
    assert "王小明".encode() not in raw and b"13800138000" not in raw


def test_rows_are_the_fold(claim):
    """Loading the rows gives the very aggregate that folding the journal gives."""
    loaded = aggregates.load(Case, claim.id).aggregate
    assert loaded.parts["claim"] == claim.parts["claim"]
    for entity in Case.entities:
        assert loaded.of(entity) == claim.of(entity), entity


def test_a_version_that_moved_is_stale(claim):
    loaded = aggregates.load(Case, claim.id)
    note = Event(
        "claim.note_added", 0, {}, (Change("note", 1, {"text": "a", "author": "x", "at": NOW, "kind": "note"}),)
    )
    unit_of_work.commit([Write(loaded, ((note, ME),))], rulebook=norms.current(), now=NOW)
    with pytest.raises(Stale):
        unit_of_work.commit([Write(loaded, ((note, ME),))], rulebook=norms.current(), now=NOW)
    assert models.Note.objects.filter(aggregate_id=claim.id).count() == 1


def test_what_is_written_beside_it_undoes_everything(claim):
    loaded = aggregates.load(Case, claim.id)
    before = models.Entry.objects.count()

    def fails() -> None:
        raise RuntimeError("the disk is full")

    note = Event(
        "claim.note_added", 0, {}, (Change("note", 1, {"text": "a", "author": "x", "at": NOW, "kind": "note"}),)
    )
    with pytest.raises(RuntimeError):
        unit_of_work.commit([Write(loaded, ((note, ME),))], rulebook=norms.current(), now=NOW, inside=fails)
    assert models.Entry.objects.count() == before
    assert aggregates.head("claim", claim.id).version == loaded.head.version


def test_two_people_at_once_the_later_sees_what_changed(claim):
    from lipei.domain import commands as c

    number, seen = claim.claim.number, aggregates.head("claim", claim.id).version
    lead = models.Staff.objects.get(code="lead1")
    manager = models.Staff.objects.get(code="manager1")
    a = Actor(f"staff:{lead.id}", "l", frozenset({"team_lead"}), unit="shanghai")
    b = Actor(f"staff:{manager.id}", "m", frozenset({"manager"}))
    assert actions.act(
        number, "claim", "give_opinion", 0, c.GiveOpinion("看过了"), actor=a, now=NOW, seen_version=seen
    ).case
    late = actions.act(
        number, "claim", "give_opinion", 0, c.GiveOpinion("我也看过"), actor=b, now=NOW, seen_version=seen
    )
    assert late.kind == "conflict"
    assert [x["kind"] for x in late.params["changed"]] == ["claim.opinion_given"]


def test_statements_of_a_report_stay_few(claim, django_assert_max_num_queries):
    person = Actor("token:2", "p", frozenset({"program"}))
    with django_assert_max_num_queries(14 + 2):  # BEGIN and COMMIT (or savepoints) are not counted by the promise
        intake.report(small_report(), actor=person, now=NOW, key="other")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=20)
    | st.datetimes(timezones=st.just(UTC))
    | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text("abcdef", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_canonical_bytes_come_back(value):
    assert canonical.loads(canonical.dumps(value)) == value
    assert canonical.dumps(canonical.loads(canonical.dumps(value))) == canonical.dumps(value)


def test_floats_and_naive_times_are_refused():
    with pytest.raises((AssertionError, TypeError)):
        canonical.dumps({"a": 1.5})
    with pytest.raises(ValueError, match="without a zone"):
        canonical.stamp(datetime(2026, 1, 1))


@given(st.floats(allow_nan=False, allow_infinity=False), JSON)
def test_a_float_is_found_wherever_it_stands(number, other):
    for value in (number, [other, number], {"a": other, "b": number}, {"a": ({"b": [number, other]},)}):
        with pytest.raises(AssertionError):
            canonical.dumps(value)


def test_every_part_has_a_column_per_field():
    for kind, tables in aggregates.TABLES.items():
        for entity, model in tables.items():
            part = aggregates.CLASSES[kind].entities[entity]
            columns = {f.name for f in model._meta.get_fields()}
            assert {f.name for f in fields(part)} - {"part"} <= columns, entity


@given(st.text(max_size=200))
def test_ciphertext_comes_back_and_never_repeats(text):
    sealed = crypto.encrypt(text)
    assert crypto.decrypt(sealed) == text
    if text:
        assert (crypto.encrypt(text) != sealed and text.encode() not in sealed[13:]) or len(text) < 3


def test_defaults_are_those_of_the_part():
    assert defaults(Party)["roles"] == () and defaults(Party)["person"] is True
    assert json.loads(canonical.dumps(defaults(Party)).decode())["name"] == ""


def test_a_role_that_may_only_add(claim):
    if connection.vendor != "postgresql":
        pytest.skip("roles are a matter of PostgreSQL")
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS lipei_app_test")
        cursor.execute("CREATE ROLE lipei_app_test")
        for statement in roles.statements("lipei_app_test"):
            cursor.execute(statement)
        cursor.execute("SELECT has_table_privilege('lipei_app_test', 'journal', 'INSERT')")
        assert cursor.fetchone() == (True,)
        for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
            cursor.execute(f"SELECT has_table_privilege('lipei_app_test', 'journal', '{privilege}')")
            assert cursor.fetchone() == (False,)
        cursor.execute("SELECT has_table_privilege('lipei_app_test', 'claim', 'UPDATE')")
        assert cursor.fetchone() == (True,)


def test_two_transactions_in_each_others_way_are_decided_again(claim, monkeypatch):
    """A deadlock undoes one of two; whoever was undone looks again, and nobody is told of a fault."""
    from django.db import OperationalError
    from psycopg.errors import DeadlockDetected

    moved, times = unit_of_work._move, []

    def collide(writes, heads):
        times.append(1)
        if len(times) == 1:
            raise OperationalError("deadlock detected") from DeadlockDetected("deadlock detected")
        moved(writes, heads)

    monkeypatch.setattr(unit_of_work, "_move", collide)
    lead = company_lead()
    done = actions.act(claim.claim.number, "claim", "add_note", 0, c.Write("记"), actor=lead, now=NOW)
    assert not isinstance(done, Refusal) and len(times) == 2


def company_lead():
    row = models.Staff.objects.get(code="lead1")
    return Actor(f"staff:{row.id}", row.name, frozenset(row.roles), unit=row.unit)
