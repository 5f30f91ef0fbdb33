"""Importing closed claims, policies and staff: every row accounted for, mended and repeated without harm."""

from __future__ import annotations

import csv
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from django.db import IntegrityError
from tests.company import NOW

from lipei.domain.claims import Case
from lipei.domain.events import Actor, Refusal
from lipei.domain.imports import Layout, Source
from lipei.gateways.tables import sheets
from lipei.norms import loader
from lipei.services import bulk, imports, intake, world
from lipei.services.imports.cells import Row, header_of
from lipei.store import aggregates, canonical, crypto, journal, models
from lipei.store.aggregates import normal

pytestmark = pytest.mark.django_db
ACTOR = Actor("system:import", "import")
AIRPORT = (
    "Claim Number",
    "Date Received",
    "Incident Date",
    "Airport Code",
    "Airport Name",
    "Airline Name",
    "Claim Type",
    "Claim Site",
    "Item Category",
    "Close Amount",
    "Disposition",
)
ROWS = [
    (2010010567154, "2010-01-04", "2010-01-03 14:30", "SLC", "Salt Lake City",
     "Delta  ", "Property Damage", "Checked Baggage", "Cameras", 0, "Deny"),
    (2010010567155, "2010-01-04", "2010-01-02", "LAX", "Los Angeles ",
     "-", "Passenger Property Loss", "Checkpoint", "Other", 120.5, "Approve in Full"),
    (2010010567156, "2010-01-05", "2010-01-05 09:00", "DEN", "Denver",
     "UAL", "Personal Injury", "-", "-", 75, "Settle"),
    (2010010567157, "2010-01-06", "", "DEN", "Denver", "UAL", "Passenger Property Loss", "-", "-", "-", "-"),
    (2010010567158, "2010-01-06", "2010-01-09", "DEN", "Denver",
     "UAL", "Passenger Property Loss", "-", "-", 0, "Deny"),
    (2010010567159, "2010-01-06", "03-NOV-0206 00:00", "DEN", "Denver",
     "UAL", "Passenger Property Loss", "-", "-", 0, "Deny"),
    (2010010567160, "2010-01-06", "2010-01-02", "DEN", "Denver", "UAL", "Compliment", "-", "-", 0, "Deny"),
    (2010010567161, "2010-01-06", "2010-01-02", "DEN", "Denver",
     "UAL", "Property Damage", "-", "-", 0, "Settle"),
    ("<BR>", "", "", "", "", "", "", "", "", "", ""),
]  # fmt: skip


def workbook(path: Path, columns=AIRPORT, rows=ROWS, above=()) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for at, row in enumerate([*above, columns, *rows]):
        for place, cell in enumerate(row):
            if isinstance(cell, str) and re.fullmatch(
                r"20[0-9]{2}-[-0-9: ]+", cell
            ):  # a real date, as spreadsheets have them
                sheet.write_datetime(at, place, datetime.fromisoformat(cell), day)
            else:
                sheet.write(at, place, cell)
    book.close()
    return path


def table(path: Path, columns, *rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def claims(path, **more):
    return imports.run(
        **{
            "kind": "claims",
            "path": path,
            "now": NOW,
            "actor": ACTOR,
            "language": "en",
            "rejects_path": path.parent / f"{path.stem}-rejects.xlsx",
            **more,
        }
    )


def read(path) -> list[list]:
    return [list(row) for row in next(sheets(Path(path))).rows]


def test_every_row_is_imported_or_rejected_with_its_reason(tmp_path):
    report = claims(workbook(tmp_path / "a.xls"))  # a workbook whatever its ending says
    assert (report.read, report.imported, report.unchanged, report.rejected) == (9, 4, 0, 5)
    header, *rejected = read(report.rejects_file)
    assert header == [*AIRPORT, "reason"]
    reasons = {row[0]: row[-1] for row in rejected}
    assert "after it was reported" in reasons["2010010567158"]
    assert "0206" in reasons["2010010567159"] and "Incident Date" in reasons["2010010567159"]
    assert "Compliment" in reasons["2010010567160"]
    assert "no amount" in reasons["2010010567161"]
    assert "<BR>" in reasons["<BR>"] or "not a claim number" in reasons["<BR>"]


def test_history_is_closed_with_real_dates_and_no_clock(tmp_path):
    claims(workbook(tmp_path / "a.xlsx"))
    rows = {c.external_number: c for c in models.Claim.objects.all()}
    paid = rows["2010010567155"]
    assert (paid.number, paid.state, paid.outcome, paid.channel) == ("TSA-2010010567155", "closed", "paid", "import")
    assert (paid.line, paid.loss_kind, paid.currency, paid.place) == ("property", "property_loss", "USD", "Los Angeles")
    assert paid.reported_at == datetime(2010, 1, 4, tzinfo=UTC) and paid.loss_at == datetime(2010, 1, 2, tzinfo=UTC)
    assert rows["2010010567154"].outcome == "refused"
    assert rows["2010010567156"].line == "liability"
    assert rows["2010010567156"].reported_at == rows["2010010567156"].loss_at  # a day alone is no earlier than the loss
    assert (rows["2010010567157"].outcome, rows["2010010567157"].loss_at) == ("closed_without_payment", None)
    assert not models.Clock.objects.exists() and not models.Delivery.objects.exists()
    entry = models.Entry.objects.get(stream_id=paid.id)
    assert (entry.kind, entry.sequence, entry.occurred_at, entry.recorded_at) == (
        "claim.imported",
        1,
        paid.reported_at,
        NOW,
    )
    case = aggregates.load(Case, paid.id).aggregate
    assert case.exposures[1].paid_minor == 12050 == sum(p.amount_minor for p in case.payments.values())
    assert "Los Angeles" not in entry.payload  # free text stays out of the journal


def test_rows_are_the_fold_of_their_journal(tmp_path):
    """The second gear writes what the first would: the chain follows, and every column is what the changes say."""
    claims(workbook(tmp_path / "a.xlsx"))
    for claim in models.Claim.objects.all():
        loaded = aggregates.load(Case, claim.id)
        entry = models.Entry.objects.get(stream_id=claim.id)
        stamps = (canonical.stamp(entry.occurred_at), canonical.stamp(entry.recorded_at))
        head = journal.header("claim", claim.id, 1, entry.kind, 0, entry.schema, entry.actor, "", entry.cause, *stamps)
        assert bytes(entry.hash) == journal.chained(b"", head, entry.payload.encode()) == loaded.head.hash
        _, sets = journal.said(entry.payload)
        for name, value in sets["claim/0"].items():
            now = getattr(loaded.aggregate.claim, name)
            if isinstance(value, dict) and "$p" in value:
                assert value["$p"] == (crypto.digest(now, loaded.head.salt) if now else "")
            elif name != "facts":
                assert now == value, name


def test_the_same_file_twice_changes_nothing(tmp_path):
    path = workbook(tmp_path / "a.xlsx")
    claims(path)
    before = models.Entry.objects.count()
    again = claims(path)
    assert (again.imported, again.unchanged, again.rejected) == (0, 4, 5)
    assert models.Entry.objects.count() == before


def test_rejects_can_be_mended_and_imported_again(tmp_path):
    first = claims(workbook(tmp_path / "a.xlsx"))
    header, *rows = read(first.rejects_file)
    for row in rows:
        if row[0] == "2010010567159":
            row[2] = "03-NOV-2009 10:00"
    mended = workbook(tmp_path / "mended.xlsx", header, rows)
    second = claims(mended)
    assert (second.read, second.imported, second.unchanged, second.rejected) == (5, 1, 0, 4)
    assert models.Claim.objects.get(external_number="2010010567159").loss_at == datetime(2009, 11, 3, 10, tzinfo=UTC)
    assert read(second.rejects_file)[0] == header  # one column of reasons, however often


def test_history_is_not_overwritten_and_numbers_do_not_meet(tmp_path):
    claims(workbook(tmp_path / "a.xlsx"))
    changed = [(*ROWS[1][:9], 999, "Approve in Full"), ROWS[0], ROWS[0]]
    report = claims(workbook(tmp_path / "b.xlsx", rows=changed))
    assert (report.imported, report.unchanged, report.rejected) == (0, 2, 1)
    assert "other values" in read(report.rejects_file)[1][-1]
    models.Claim.objects.filter(external_number="2010010567154").update(number="X")
    twice = [(*ROWS[0][:9], 0, "Deny"), (*ROWS[0][:8], "Other", 0, "Deny")]
    report = claims(workbook(tmp_path / "c.xlsx", rows=twice))
    assert (report.imported, report.rejected) == (1, 1)  # the same number twice in one file, with other values


def test_a_dry_run_writes_nothing(tmp_path):
    report = claims(workbook(tmp_path / "a.xlsx"), dry_run=True)
    assert (report.read, report.imported, report.rejected) == (9, 4, 5)
    assert not models.Claim.objects.exists() and not models.Stream.objects.exists()


def test_a_header_may_stand_below_a_title(tmp_path):
    report = claims(workbook(tmp_path / "a.xlsx", above=[("Claims 2010",), ()]))
    assert report.imported == 4


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", b"%PDF-1.7\n\x00\x01\x02\x03\x04\x05", "refusal.import_not_a_table"),
        ("a.xlsx", b"PK\x03\x04 not a workbook", "refusal.import_not_a_table"),
        ("a.csv", b"   \n", "refusal.import_empty"),
        ("a.csv", b"one;two\n1;2\n", "refusal.import_columns"),
    ],
)
def test_what_is_no_table_is_said_in_one_sentence(tmp_path, name, content, code):
    path = tmp_path / name
    path.write_bytes(content)
    refused = claims(path)
    assert isinstance(refused, Refusal) and refused.code == code
    if code == "refusal.import_columns":
        assert "one, two" in refused.params["found"] and refused.params["missing"]


def test_a_missing_file_and_a_senseless_mapping(tmp_path):
    assert claims(tmp_path / "none.xlsx").code == "refusal.import_no_file"
    path = workbook(tmp_path / "a.xlsx")
    assert claims(path, mapping=tmp_path / "none.yaml").code == "refusal.import_no_mapping"
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "version: 1\nkind: claims\nfields: {number: Nr, line: Line, outcome: End, reported_at: {fixed: a, column: b}}\n"
    )
    assert claims(path, mapping=bad).code == "norm_error.mapping_source"


def test_ones_own_mapping_and_chinese_columns_in_the_mainlands_encoding(tmp_path):
    path = tmp_path / "旧系统.csv"
    lines = [
        "案件号,险种,结案方式,报案时间,结案时间,赔付金额,索赔人,电话",
        'A-1,车险,赔付,2024-03-01 09:30,2024-03-05,"1,234.50",王小明,13800138000',
    ]
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    report = claims(path)
    assert report.imported == 1, report
    claim = models.Claim.objects.get()
    assert (claim.number, claim.line, claim.currency) == ("H-A-1", "motor", "CNY")
    assert claim.reported_at == datetime(2024, 3, 1, 1, 30, tzinfo=UTC)
    party = models.Party.objects.get()
    assert party.name == "王小明" and party.phone_index == crypto.blind_index("phone", normal("13800138000"))
    assert models.SearchToken.objects.filter(claim_id=claim.id).exists()
    own = tmp_path / "own.yaml"
    own.write_text(
        "version: 1\nkind: claims\ncurrency: EUR\n"
        "fields: {number: [Nr], line: {fixed: cargo}, outcome: {fixed: refused}, reported_at: Day}\n"
    )
    assert claims(table(tmp_path / "b.csv", ("Nr", "Day"), ("7", "2020-01-02")), mapping=own).imported == 1
    assert models.Claim.objects.get(number="7").currency == "EUR"


def test_rejects_lie_in_the_working_folder_and_never_take_a_name_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = workbook(tmp_path / "a.xlsx")
    one = claims(path, rejects_path=None)
    two = claims(Path(one.rejects_file), rejects_path=None)
    assert [Path(r.rejects_file).name for r in (one, two)] == ["a.rejected.xlsx", "a.rejected-2.xlsx"]


def test_progress_is_told(tmp_path):
    seen = []
    claims(workbook(tmp_path / "a.xlsx"), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (9, 9)


def test_a_batch_is_all_or_nothing(tmp_path, monkeypatch):
    """A crash in the middle leaves whole claims only, and the next run finishes the work."""
    monkeypatch.setattr(imports, "BATCH", 2)
    real, calls = bulk.append, []

    def dies(writes, **more):
        calls.append(len(writes))
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(writes, **more)

    monkeypatch.setattr(bulk, "append", dies)
    path = workbook(tmp_path / "a.xlsx")
    with pytest.raises(KeyboardInterrupt):
        claims(path)
    assert models.Claim.objects.count() == models.Stream.objects.count() == models.Entry.objects.count() == 2
    monkeypatch.setattr(bulk, "append", real)
    assert (claims(path).unchanged, models.Claim.objects.count()) == (2, 4)


def test_batches_of_one_import_never_meet(tmp_path, monkeypatch):
    """The ids of a file's batches follow each other: however the chance falls, no batch takes what another took."""
    monkeypatch.setattr(imports, "BATCH", 2)
    monkeypatch.setattr("secrets.randbits", lambda bits: 0)
    done = claims(workbook(tmp_path / "claims.xls"))
    assert done.imported > 2
    assert models.Claim.objects.count() == done.imported


def test_a_number_taken_meanwhile_is_looked_at_again(tmp_path, monkeypatch):
    path, real, failed = workbook(tmp_path / "a.xlsx"), bulk.append, []

    def once(writes, **more):
        if not failed:
            failed.append(True)
            raise IntegrityError("somebody was faster")
        real(writes, **more)

    monkeypatch.setattr(bulk, "append", once)
    assert claims(path).imported == 4 and models.Claim.objects.count() == 4


def test_a_claim_of_ours_is_never_taken_for_an_imported_one(tmp_path):
    from lipei.domain import commands as c

    actor = Actor("token:1", "program", frozenset({"program"}))
    done = intake.report(
        c.Report(story="车被刮了。", phone="13800138000", loss_at=NOW - timedelta(hours=1)), actor=actor, now=NOW
    )
    ours = done.case.claim.number
    own = tmp_path / "own.yaml"
    own.write_text(
        "version: 1\nkind: claims\n"
        "fields: {number: Nr, line: {fixed: motor}, outcome: {fixed: refused}, reported_at: Day}\n"
    )
    report = claims(table(tmp_path / "b.csv", ("Nr", "Day"), (ours, "2020-01-02")), mapping=own)
    assert report.rejected == 1 and models.Claim.objects.count() == 1


# --- policies and staff ----------------------------------------------------------------------------------------------

POLICY = (
    "policy_number",
    "product",
    "starts_at",
    "ends_at",
    "holder_name",
    "phone",
    "plate",
    "own_damage.sum_insured",
    "third_party.limit",
    "third_party.deductible_rate",
    "compulsory_property",
)
GOOD = ("PC-9", "private_car", "2026-01-01", "2027-01-01", "张伟", "13912345678",
        "沪B00001", "150000.00", "1000000", "5%", "yes")  # fmt: skip


def policies(path, **more):
    return imports.run(
        **{
            "kind": "policies",
            "path": path,
            "now": NOW,
            "actor": ACTOR,
            "language": "en",
            "rejects_path": path.parent / "r.csv",
            **more,
        }
    )


def test_policies_are_encrypted_found_and_repeatable(tmp_path):
    path = table(tmp_path / "p.csv", POLICY, GOOD)
    assert policies(path).imported == 1
    assert policies(path).unchanged == 1
    row = models.Policy.objects.get()
    assert row.schedule == {
        "own_damage": {"sum_insured_minor": 15000000},
        "third_party": {"limit_minor": 100000000, "deductible_rate": "5%"},
        "compulsory_property": {},
    }
    assert row.plate_index == crypto.blind_index("plate", normal("沪B00001"))
    assert row.phone_index == crypto.blind_index("phone", normal("13912345678"))
    dearer = (*GOOD[:7], "160000.00", *GOOD[8:])
    assert policies(table(tmp_path / "q.csv", POLICY, dearer)).imported == 1
    assert models.Policy.objects.get().schedule["own_damage"]["sum_insured_minor"] == 16000000
    tokens = set(models.PolicyToken.objects.values_list("token", flat=True))
    assert tokens >= crypto.search_tokens("沪B00001"), "found by a part of its plate"


@pytest.mark.parametrize("day", ["2027-12-31", "2027/12/31", "2027年12月31日", "31-Dec-2027"])
def test_a_day_alone_is_insured_to_its_end(tmp_path, day):
    """What says a time of day ends then; a day that somebody cancelled on is insured to its end as well."""
    mapping = tmp_path / "m.yaml"
    shipped = Path(loader.FOLDER / "mappings" / "policies.yaml").read_text(encoding="utf-8")
    mapping.write_text(shipped + 'date_formats: ["%d-%b-%Y"]\n', encoding="utf-8")
    columns = (*POLICY, "status", "ended_at")
    last = (*GOOD[:2], "2027-01-01", day, *GOOD[4:])
    exact = ("PC-8", *GOOD[1:3], "2027-12-31 12:00", *GOOD[4:])
    path = table(tmp_path / "p.csv", columns, (*last, "cancelled", "2027-06-30"), (*exact, "", ""))
    assert policies(path, mapping=mapping).imported == 2
    row, other = models.Policy.objects.get(number="PC-9"), models.Policy.objects.get(number="PC-8")
    assert row.ends_at == datetime(2027, 12, 31, 16, tzinfo=UTC), "24:00 in Shanghai"
    assert row.ended_at == datetime(2027, 6, 30, 16, tzinfo=UTC)
    assert row.starts_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert other.ends_at == datetime(2027, 12, 31, 4, tzinfo=UTC) and other.ended_at is None
    assert policies(path, mapping=mapping).unchanged == 2


def test_the_last_day_is_insured_and_the_next_is_not(tmp_path):
    policies(table(tmp_path / "p.csv", POLICY, (*GOOD[:3], "2027-12-31", *GOOD[4:])))
    policy = world.policy_value(models.Policy.objects.get(), loader.rulebook({}).settings.zone)
    assert policy.in_force_at(datetime(2027, 12, 31, 4, tzinfo=UTC)), "at noon"
    assert not policy.in_force_at(datetime(2027, 12, 31, 16, tzinfo=UTC))


def test_a_day_in_a_spreadsheet_is_insured_to_its_end(tmp_path):
    path = workbook(tmp_path / "p.xlsx", POLICY, [(*GOOD[:2], "2027-01-01", "2027-12-31", *GOOD[4:])])
    assert policies(path).imported == 1
    assert models.Policy.objects.get().ends_at == datetime(2027, 12, 31, 16, tzinfo=UTC)


def test_what_an_earlier_release_ended_a_day_too_soon_counts_as_changed(tmp_path):
    exact = ("PC-8", *GOOD[1:3], "2027-12-31 12:00", *GOOD[4:])
    path = table(tmp_path / "p.csv", POLICY, GOOD, exact)
    policies(path)
    end = models.Policy.objects.filter(number="PC-9").values_list("ends_at", flat=True)
    models.Policy.objects.filter(number="PC-9").update(ends_at=end.get() - timedelta(days=1))
    report = policies(path)
    assert (report.imported, report.unchanged, report.rejected) == (1, 1, 0)
    assert end.get() == datetime(2027, 1, 1, 16, tzinfo=UTC)


def test_the_day_of_an_end_is_that_of_the_calendar_where_clocks_change():
    source = Source(columns=("until",))
    layout = Layout("policies", {"until": source}, zone=ZoneInfo("Europe/Berlin"))
    header = header_of(["until"], layout, ())
    assert Row(header, ["2026-03-29"]).end("until") == datetime(2026, 3, 29, 22, tzinfo=UTC), "a day of 23 hours"
    assert Row(header, ["2026-10-25"]).end("until") == datetime(2026, 10, 25, 23, tzinfo=UTC), "a day of 25 hours"


def test_who_imported_policies_from_which_file_stands_on_record(tmp_path):
    path = table(tmp_path / "p.csv", POLICY, GOOD, ("PC-8", *GOOD[1:]), ("PC-7", "no_such", *GOOD[2:]))
    actor = Actor("system:import", "mei")
    assert policies(path, dry_run=True).imported == 2 and told() == []
    policies(path, actor=actor)
    policies(path, actor=actor)
    dearer = table(
        tmp_path / "q.csv", POLICY, (*GOOD[:7], "160000.00", *GOOD[8:]), ("PC-8", *GOOD[1:]), ("PC-6", *GOOD[1:])
    )
    policies(dearer, actor=actor)
    counts = [[facts[n] for n in ("read", "new", "changed", "unchanged", "rejected")] for facts in told()]
    assert counts == [[3, 2, 0, 0, 1], [3, 1, 1, 1, 0]], "a file that changes nothing says nothing"
    for facts, file in zip(told(), (path, dearer), strict=True):
        assert (facts["by"], facts["file"]) == ("mei", file.name)
        assert facts["digest"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "13912345678" not in models.Entry.objects.get(kind="policies.imported", sequence=2).payload


def told():
    entries = models.Entry.objects.filter(kind="policies.imported").order_by("sequence")
    return [journal.said(row.payload)[0] for row in entries]


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [
        (1, "no_such", "product"), (3, "2025-01-01", "ends before"), (5, "12", "phone"),
        (7, "-5", "own_damage.sum_insured"),
        (8, "", "third_party.limit"), (9, "5 per", "deductible_rate"), (2, "soon", "starts_at"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_rejected(tmp_path, place, value, word):
    row = [*GOOD]
    row[place] = value
    report = policies(table(tmp_path / "p.csv", POLICY, row))
    assert report.rejected == 1 and not models.Policy.objects.exists()
    assert word.casefold() in read(report.rejects_file)[1][-1].casefold()


def test_staff(tmp_path):
    columns = ("code", "name", "roles", "skills", "email", "active")
    rows = [
        ("h1", "李明", "handler，team_lead", "motor;injury", "h1@example.com", "是"),
        ("h2", "陈", "chief", "", "", ""),
        ("", "无", "handler", "", "", ""),
    ]
    path = table(tmp_path / "s.csv", columns, *rows)
    run = {"kind": "staff", "path": path, "now": NOW, "actor": ACTOR, "rejects_path": tmp_path / "r.csv"}
    report = imports.run(**run)
    assert (report.read, report.imported, report.rejected) == (3, 1, 2)
    row = models.Staff.objects.get()
    assert (row.roles, row.skills, row.active) == (("handler", "team_lead"), ("motor", "injury"), True)
    assert imports.run(**run).unchanged == 1


def test_no_other_kind():
    assert imports.run(kind="cats", path="a", now=NOW, actor=ACTOR).code == "refusal.import_kind"
