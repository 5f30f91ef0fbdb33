"""Editions of the norm tables are permanent: guarded and compared like the journal, and no release changes what was."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from tests.company import NOW
from tests.jobs.tampering import found, sql, without_guards

from lipei.domain.events import Refusal
from lipei.norms import loader
from lipei.reads import norm_versions, rulebook
from lipei.services import editions, norms, sweeps, verify
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("1.4.3")]
TABLES = ("calendars", "promises")


def clean() -> None:
    assert list(verify.differences(now=NOW)) == []


def edited(people: Any, table: str = "triage") -> int:
    """A manager's own version of a table."""
    version, text = norms.text_in_force(table)
    made = norms.save(
        table=table, text=f"{text}\n# ours\n", reason="试", seen_version=version, actor=people.manager1, now=NOW
    )
    assert isinstance(made, int), made
    clean()
    return made


@pytest.mark.parametrize("attack", ["UPDATE norm_version SET document = ''", "DELETE FROM norm_version"])
def test_the_database_refuses_to_alter_a_version(people, attack):
    edited(people)
    with pytest.raises(DatabaseError), transaction.atomic():
        sql(attack)


@pytest.mark.parametrize("column", ["document", "seeds", "author", "reason", "default_digest", "at"])
def test_an_altered_version(people, column):
    edited(people)
    without_guards()
    value = "2026-01-01 00:00:00+00:00" if column == "at" else "x"
    sql(f"UPDATE norm_version SET {column} = %s", value) if column != "document" else sql(
        "UPDATE norm_version SET document = replace(document, '# ours', '# theirs')"
    )
    rulebook.at.cache_clear()
    assert "is not the version that entry" in found("norms", "triage/2")[0]


def test_a_removed_version(people):
    edited(people)
    without_guards()
    sql("DELETE FROM norm_version")
    assert "is gone" in found("norms", "triage/2")[0]


def test_an_invented_version(people):
    made = edited(people)
    row = models.NormVersion.objects.values().get(version=made)
    models.NormVersion.objects.create(**{**row, "id": None, "version": made + 1})
    assert "no entry put this version in force" in found("norms", f"triage/{made + 1}")[0]


def test_versions_from_before_are_named_when_the_register_begins(people):
    text = loader.default_text("triage")
    models.NormVersion.objects.create(
        table="triage", version=2, document=text, default_digest="", author="staff:1", reason="r", at=NOW
    )
    clean()
    edited(people, "hints")
    without_guards()
    sql("UPDATE norm_version SET author = 'staff:9' WHERE version = 2 AND author = 'staff:1'")
    assert found("norms", "triage/2")


# --- a later release -----------------------------------------------------------------------------------------


@pytest.fixture
def later_release(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Another release of the software: other shipped promises and calendars, and packages that know other holidays."""

    def comes() -> None:
        shipped = loader.default_text

        def text(table: str) -> str:
            if table == "calendars":
                return (
                    shipped(table).replace("13:30-17:30", "14:00-18:00").replace("date: 2026-10-01", "date: 2027-01-01")
                )
            return shipped(table) + "\n# another edition\n" if table == "promises" else shipped(table)

        monkeypatch.setattr(loader, "default_text", text)
        rulebook.at.cache_clear()

    yield comes
    rulebook.at.cache_clear()


def test_old_clocks_verify_after_a_release_that_ships_another_calendar(people, case, later_release):
    assert any(clock.calendar == "cn" and clock.state != "running" for clock in case.clocks.values())
    assert editions.keep_shipped(now=NOW) == 2 and editions.keep_shipped(now=NOW) == 0
    clean()
    later_release()
    clean()


def test_without_a_kept_edition_the_release_would_move_old_dates(case, later_release):
    """What the edition is kept for: the comparison can see it."""
    later_release()
    assert found("clocks", case.claim.number)


def test_what_a_package_of_holidays_learns_later_changes_no_kept_version(people, monkeypatch):
    import chinese_calendar.constants

    sweeps.after_edits(now=NOW)
    new_year = date(2020, 1, 1)
    monkeypatch.setattr(chinese_calendar.constants, "holidays", {})
    fresh = loader.parsed("calendars", 1, loader.default_text("calendars") + "\n")
    assert new_year not in fresh.current["cn"].days
    assert norms.current().calendars.at("cn", 1).days[new_year] == ()


def test_a_release_offers_its_edition_and_nothing_is_replaced(people, later_release):
    editions.keep_shipped(now=NOW)
    before = {table: norm_versions.document(table, 1) for table in TABLES}
    assert editions.offered() == ()
    later_release()
    assert editions.offered() == TABLES
    assert {table: norms.text_in_force(table) for table in TABLES} == {table: (1, before[table]) for table in TABLES}
    assert editions.take("calendars", actor=people.admin1, now=NOW) == 2
    assert norms.text_in_force("calendars") == (2, loader.default_text("calendars"))
    assert norm_versions.document("calendars", 1) == before["calendars"]
    assert editions.offered() == ("promises",)
    clean()


def test_a_table_with_edits_of_its_own_is_not_taken_over(people, later_release):
    edited(people, "promises")
    later_release()
    refused = editions.take("promises", actor=people.admin1, now=NOW)
    assert isinstance(refused, Refusal) and refused.code == "refusal.edition_edited"
