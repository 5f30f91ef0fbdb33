"""Forms of norm tables: what a form shows reads back to the very same document."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape
from tests.web.conftest import reported

from lipei.norms import loader
from lipei.norms.declared import TABLES, shape_of
from lipei.norms.shapes import fits
from lipei.norms.texts import LANGUAGES, texts
from lipei.reads import rulebook
from lipei.store import models
from lipei.web.console.norm_context import words_of
from lipei.web.console.norm_draw import Input
from lipei.web.console.norm_pieces import document_of, draw_piece, piece, put, read_piece, typed_piece
from lipei.web.console.norm_sections import sections
from lipei.web.console.norm_words import Words

PRODUCTS = tuple(path.stem for path in sorted((loader.FOLDER / "products").glob("*.yaml")))

pytestmark = pytest.mark.once


def opened(name: str, language: str = "en") -> tuple[Words, dict[str, Any]]:
    """A shipped table, or the shipped terms of a product by their file's name."""
    table = "products" if name in PRODUCTS else name
    file = loader.FOLDER / ("products" if table == "products" else "") / f"{name}.yaml"
    document = document_of(table, file.read_text(encoding="utf-8"))
    return words_of(table, document, book=loader.rulebook({}), language=language), document


def parts(w: Words, document: dict[str, Any]) -> list[str]:
    """The place of every piece that can be edited."""
    shape = shape_of(w.table, document)
    return [
        part
        for section in sections(w, shape, document)
        for part in ([row["part"] for row in section["rows"]] if "rows" in section else [section["part"]])
        if piece(w, shape, document, part) is not None
    ]


@pytest.mark.parametrize("table", [*TABLES, *PRODUCTS])
def test_a_form_that_nobody_touched_changes_nothing(table: str) -> None:
    w, document = opened(table)
    for part in parts(w, document):
        one = piece(w, shape_of(w.table, document), document, part)
        assert one is not None
        value, named, errors = read_piece(w, one, typed_piece(w, one))
        assert errors == {}, part
        assert put(w, document, one, value, named) == (document, part)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("table", "part", "key"), [("settings", "settings/zone", "v"), ("duty", "-", "zone")])
def test_a_zone_that_follows_the_company_is_read_and_typed_in_words(
    table: str, part: str, key: str, language: str
) -> None:
    w, document = opened(table, language)
    one = piece(w, shape_of(table, document), document, part)
    assert one is not None
    typed = typed_piece(w, one)
    assert str(typed[key]) in (texts()["zone_home.home"][language], texts()["setting_choice.home"][language])
    other, _, errors = read_piece(w, one, {**typed, key: "Asia/Tokyo"})
    assert errors == {} and "Asia/Tokyo" in other.values()
    assert read_piece(w, one, {**typed, key: "Asia/Nowhere"})[2]


def drawn(inputs: list[Input]) -> list[Input]:
    return [one for i in inputs for one in (i, *drawn(i.parts))]


@pytest.mark.parametrize("language", LANGUAGES[:2])
@pytest.mark.parametrize("table", [*TABLES, *PRODUCTS])
def test_every_field_has_a_label_and_every_choice_words(table: str, language: str) -> None:
    w, document = opened(table, language)
    for part in parts(w, document)[: None if table in PRODUCTS else 12]:
        one = piece(w, shape_of(w.table, document), document, part)
        assert one is not None
        for field in drawn(draw_piece(w, one, typed_piece(w, one), {})):
            assert field.label or field.kind == "hidden", field.name
            codes = [
                code
                for code, words in field.options
                if words == code and not (code.isupper() or code.isdigit() or not code)
            ]
            assert not codes, (field.name, codes)


# --- the pages --------------------------------------------------------------------------------------------------------


class Form(HTMLParser):
    """The fields of a page's form as a browser would send them, each element's attributes, and the words shown."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.elements: list[dict[str, str]] = []
        self.words: list[str] = []
        self._select = self._first = self._area = ""
        self._silent = 0
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        self.elements.append(at)
        name = at.get("name", "")
        if tag in ("pre", "script", "textarea"):
            self._silent += 1
        if tag == "select":
            self._select, self._first = name, ""
        elif tag == "option" and self._select:
            if "selected" in at or not self._first:
                self.fields[self._select] = [at.get("value", "")]
            self._first = "seen"
        elif tag == "textarea":
            self._area = name
            self.fields[name] = [""]
        elif tag == "input" and name and (at.get("type") != "checkbox" or "checked" in at):
            self.fields.setdefault(name, []).append(at.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("pre", "script", "textarea"):
            self._silent -= 1
            self._area = ""
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area][0] += data if self.fields[self._area][0] else data.removeprefix("\n")
        if not self._silent:
            self.words.append(data)


def filled(response: Any) -> dict[str, list[str]]:
    """The fields of the form of a page as a browser would send them."""
    return Form(response).fields


def sent(client: Client, response: Any, do: str, **typed: Any) -> Any:
    """Fill in a page's form and press one of its buttons; names say ``__`` for a point."""
    said = filled(response) | {name.replace("__", "."): value for name, value in typed.items()}
    table = response.context["table"]
    return client.post(f"/console/norms/{table}/edit/", {**said, "do": do}, follow=True)


def test_no_key_and_no_minor_unit_is_shown(browser: Any, office: Any) -> None:
    for table in TABLES:
        shown = " ".join(" ".join(Form(browser("manager1").get(f"/console/norms/{table}/")).words).split())
        shown = re.sub(r"\S*(://|/)\S*", "", shown)  # addresses of sources
        if table == "lines":
            shown = shown.partition("Words of files to import")[0]  # what other people's files say is what it is
        assert not re.findall(r"\b[a-z]+_[a-z_]+\b", shown), table
        assert "10000000" not in shown and "minor" not in shown.lower().replace("minors", ""), table


@pytest.mark.norm("2.3.1")
def test_a_promise_is_shortened_in_a_form_after_its_effect_was_seen(browser: Any, office: Any) -> None:
    number, client = reported(office), browser("manager1")
    page = client.get("/console/norms/promises/edit/?part=promises/0")
    assert filled(page)["f.limit"] == ["24"]
    shown = sent(client, page, "check", f__limit="20")
    body = shown.content.decode()
    assert "<del>24 hours</del>" in body and "<ins>20 hours</ins>" in body
    assert "Effect on open claims" in body and number in body and models.NormVersion.objects.count() == 0
    missing = sent(client, shown, "save")
    assert missing.status_code == 422 and 'id="reason-error"' in missing.content.decode()
    sent(client, missing, "save", reason="Faster than the others")
    row = rulebook.current().promises.current["preliminary_opinion"]
    assert (row.limit, row.unit) == (20, "elapsed_hours")
    body = client.get("/console/norms/promises/2/").content.decode()
    assert "Faster than the others" in body and "Manager1" in body and "<ins>20 hours</ins>" in body


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_where_no_choice_means_all_it_reads_so(browser: Any, office: Any, language: str) -> None:
    client = browser("manager1", language)
    everything, choose = (texts()[f"table.{name}"][language] for name in ("all", "choose"))
    page = sent(client, client.get("/console/norms/reserves/edit/"), "open:rows/+").content.decode()
    assert page.count(f"</span>{everything}</summary>") == 2, "covers and losses"
    assert page.count(f"</span>{choose}</summary>") == 1, "the lines are to be chosen"
    rows = client.get("/console/norms/reserves/").context["sections"][0]["rows"]
    home = next(row["cells"] for row in rows if row["code"] == "home")
    assert home[1:3] == [[everything], [everything]]


def test_in_every_table_where_no_choice_means_all_it_reads_so() -> None:
    found = set()
    for table in ("authority", "opinions", "papers", "promises", "reserves", "surveys"):
        w, document = opened(table)
        for part in parts(w, document):
            one = piece(w, shape_of(table, document), document, part)
            assert one is not None
            fields = drawn(draw_piece(w, one, typed_piece(w, one), {}))
            found |= {(table, i.name.rpartition(".")[2]) for i in fields if i.kind == "folded" and i.said == "All"}
    assert found == {
        ("authority", "lines"), ("opinions", "lines"), ("papers", "covers"), ("papers", "losses"), ("promises", "lines"),
        ("promises", "markets"),
        ("reserves", "covers"), ("reserves", "losses"), ("surveys", "losses"),
    }  # fmt: skip


def test_an_authority_limit_is_entered_as_people_write_money(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get("/console/norms/authority/edit/?part=limits/1")
    assert filled(page)["f.limits_minor.CNY.n"] == ["10000.00"]
    wrong = sent(client, page, "check", f__limits_minor__CNY__n="12,5oo")
    elements = Form(wrong).elements
    field = next(e for e in elements if e.get("name") == "f.limits_minor.CNY.n")
    assert wrong.status_code == 422 and field["value"] == "12,5oo" and field["aria-invalid"] == "true"
    assert any(e.get("id") == field["aria-describedby"] for e in elements)
    shown = sent(client, wrong, "check", f__limits_minor__CNY__n="12,500")
    assert "<ins>CNY 12,500.00; HKD 11,000.00" in shown.content.decode()
    sent(client, shown, "save", reason="Inflation")
    limits = rulebook.current().authority.limits
    assert next(m for m in limits if m.role == "handler" and "decide" in m.kinds).limits_minor["CNY"] == 1_250_000


def test_rows_are_added_duplicated_and_removed_in_one_version(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = sent(client, client.get("/console/norms/authority/edit/"), "open:limits/+")
    page = sent(client, page, "take", f__role="expert", f__kinds=["assess"], f__limits_minor__CNY__n="500")
    page = sent(client, page, "remove:limits/3")
    page = sent(client, page, "copy:limits/0")
    page = sent(client, page, "check", f__role="expert", f__kinds=["reserve"])
    assert [c.kind for c in page.context["changes"]].count("added") == 2
    assert [c.kind for c in page.context["changes"]].count("removed") == 1
    sent(client, page, "save", reason="Experts assess")
    limits = rulebook.current().authority.limits
    assert [sorted(m.kinds) for m in limits if m.role == "expert"] == [["assess"], ["reserve"]]
    assert not [m for m in limits if m.role == "surveyor"]


def test_what_makes_no_sense_is_refused_in_words(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = sent(client, client.get("/console/norms/authority/edit/"), "copy:limits/0")
    body = sent(client, page, "check").content.decode()
    assert "Claims handler" in body and "rules twice" in body and "authority.limits" not in body


def test_a_source_is_said_in_every_language_or_once(browser: Any, office: Any) -> None:
    client = browser("manager1")

    def saved(**typed: str) -> Any:
        page = sent(client, client.get("/console/norms/authority/edit/"), "open:-")
        page = sent(client, page, "check", **{f"f__source__{spoken}": said for spoken, said in typed.items()})
        if page.status_code == 200:
            sent(client, page, "save", reason="Board")
        return page.status_code, loader.read(models.NormVersion.objects.filter(table="authority").last().document)[
            "source"
        ]

    every = {"zh-hans": "董事会决议", "zh-hant": "董事會決議", "en": "Resolution of the board"}
    assert saved(**every) == (200, every)
    assert saved(en="") == (422, every)  # two of three
    assert saved(**{"zh-hans": "", "zh-hant": "", "en": "Resolution 7"}) == (200, "Resolution 7")
    for language in LANGUAGES:
        assert "Resolution 7" in browser("manager1", language).get("/console/norms/authority/").content.decode()


def test_a_triage_rule_of_ones_own_with_a_condition_in_groups(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = sent(client, client.get("/console/norms/triage/edit/?part=rules/%2B"), "add:f.when.of")
    page = sent(client, page, "group:f.when.of", f__when__of__0__field="line")
    assert "f.when.of.0.op" in filled(page) and "f.when.of.1.of.0.field" in filled(page)
    typed = {
        "f__when__of__0__op": "in", "f__when__of__0__value": ["motor"], "f__when__of__1__of__0__field": "deaths",
        "f__names__0__zh-hans": "夜间车险", "f__names__0__zh-hant": "夜間車險", "f__names__0__en": "Motor at night",
        "f__lane": "complex", "f__source__en": "ours", "f__source_status": "read",
    }  # fmt: skip
    page = sent(client, page, "add:f.when.of.1.of", **typed)
    typed = {
        "f__when__of__1__of__0__op": "gte", "f__when__of__1__of__0__value": "1",
        "f__when__of__1__of__1__field": "amount_minor", "f__when__of__1__of__1__op": "gt",
        "f__when__of__1__of__1__value": "2,000",
    }  # fmt: skip
    asked = sent(client, page, "check", f__when__of__1__of__1__field="amount_minor")
    assert asked.status_code == 422 and "f.when.of.1.of.1.op" in filled(asked)  # a field just chosen has no value yet
    page = sent(client, asked, "check", **typed)
    sent(client, page, "save", reason="Nights")
    rule = rulebook.current().triage.rules[-1]
    assert (rule.code, rule.text, rule.lane) == ("motor_at_night", "reason.triage.motor_at_night", "complex")
    document = loader.read(models.NormVersion.objects.get(table="triage").document)
    assert document["rules"][-1]["when"] == {"all": [
        {"field": "line", "op": "eq", "value": "motor"},
        {"any": [{"field": "deaths", "op": "gte", "value": 1}, {"field": "amount_minor", "op": "gt", "value": 200000}]},
    ]}  # fmt: skip
    assert "Motor at night" in client.get("/console/norms/triage/").content.decode()


def test_an_incident_is_declared_by_its_name_alone(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = sent(client, client.get("/console/norms/triage/edit/?part=incidents"), "add:f._")
    page = sent(client, page, "check", **{"f._.0.item": "Typhoon Seven"})
    sent(client, page, "save", reason="Storm")
    assert rulebook.current().triage.incidents == {"typhoon_seven": "Typhoon Seven"}


def test_settings_are_typed_as_they_declare_themselves(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get("/console/norms/settings/edit/?part=settings/papers_remind_days")
    wrong = sent(client, page, "check", f__v="1000")
    assert wrong.status_code == 422 and "from 1 day to 180 days" in wrong.content.decode().lower()
    page = sent(client, wrong, "open:settings/sampling_rate_ppm", f__v="3")
    assert filled(page)["f.v"] == ["5"]  # per cent
    page = sent(client, page, "open:settings/identity_check_threshold_minor", f__v="7.5")
    page = sent(client, page, "open:settings/languages", f__v="20,000")
    page = sent(client, page, "check", f__v=["zh-hans", "en"])
    sent(client, page, "save", reason="Ours")
    held = rulebook.current().settings
    assert (held.papers_remind_days, held.sampling_rate_ppm, held.identity_check_threshold_minor) == (
        3,
        75_000,
        2_000_000,
    )
    assert held.languages == ("zh-hans", "en")


def test_a_promise_of_ones_own_brings_its_name(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = sent(client, client.get("/console/norms/promises/edit/"), "copy:promises/0")
    nameless = {"f__names__0__en": ""}
    assert sent(client, page, "check", **nameless).status_code == 422
    page = sent(client, page, "check", f__names__0__en="Second opinion", f__limit="72")
    sent(client, page, "save", reason="Asked for")
    assert rulebook.current().promises.current["preliminary_opinion_2"].limit == 72
    assert texts()["promise.preliminary_opinion_2"]["en"] == "Second opinion"


def test_two_versions_are_compared_in_words_and_who_may_not_edit_is_offered_nothing(browser: Any, office: Any) -> None:
    client = browser("manager1")
    for days in ("3", "4"):
        page = client.get("/console/norms/settings/edit/?part=settings/papers_remind_days")
        sent(client, sent(client, page, "check", f__v=days), "save", reason=f"to {days}")
    body = browser("handler1").get("/console/norms/settings/3/?with=1").content.decode()
    assert "<del>5 days</del>" in body and "<ins>4 days</ins>" in body and "to 4" in body
    assert "/edit/" not in browser("handler1").get("/console/norms/settings/").content.decode()
    for strange in ("x", "9", "1" * 30):
        assert client.get(f"/console/norms/settings/3/?with={strange}").status_code == 200


@pytest.mark.parametrize(
    "part", ["limits/99", "limits/x", "nothing", "limits", "version", "texts/0", "-", "limits/+/1"]
)
def test_a_piece_that_there_is_not_opens_nothing(browser: Any, office: Any, part: str) -> None:
    client = browser("manager1")
    page = client.get("/console/norms/authority/edit/", {"part": part})
    assert page.status_code == 200
    assert client.post(
        "/console/norms/authority/edit/", {"document": page.context["text"], "part": part, "do": "remove:" + part}
    ).status_code in (200, 422)  # fmt: skip


def test_strange_input_is_refused_not_tripped_over(browser: Any, office: Any) -> None:
    client, where = browser("manager1"), "/console/norms/authority/edit/"
    text = loader.default_text("authority")
    for name in (
        "f.",
        "f..",
        "f.limits_minor",
        "f.kinds.0.1",
        "f.limits_minor.CNY",
        "f.role.x.y",
        "f.lines.-1",
        "f." + "a." * 60,
    ):
        for do in ("check", "add:f.kinds", "less:f.limits_minor.CNY.n", "group:f", "add:", "open:limits/0", "nonsense"):
            said = {"document": text, "part": "limits/0", name: "x", "do": do}
            assert client.post(where, said).status_code in (200, 422), (name, do)


def test_a_wording_of_ones_own_is_compared_with_the_shipped_one(browser: Any, office: Any) -> None:
    client = browser("manager1")
    shipped = texts()["message.receipt.sms"]["en"]
    page = client.get("/console/norms/messages/edit/?part=messages/0")
    kept = {name: value for name, value in filled(page).items() if "names" in name and name.endswith(".en")}
    name = next(n for n, value in kept.items() if value == [shipped])
    page = sent(client, page, "check", **{name: "Your claim {claim} is here."})
    assert f"<del>{escape(shipped)}</del>" in page.content.decode() and "<del>—</del>" not in page.content.decode()


BROKEN = (
    ("settings", "settings:\n  phone_fire: 5\nversion: 1\n"),
    ("settings", "settings: [1]\nversion: 1\n"),
    ("assignment", "skills: [true]\nversion: 1\n"),
    ("opinions", "version: 1\nopinions: [[1]]\n"),
    ("triage", "version: 1\nrules:\n- {code: a, source: {zh-hans: {a: 1}}}\n"),
    ("straight_through", "version: 1\npayment:\n"),
    ("calendars", "version: 2026-13-45\n"),
    ("jobs", "version: 1\nwebhooks: true\n"),
)


@pytest.mark.parametrize("table, written", BROKEN)
@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_a_text_of_the_wrong_build_is_told_so_in_the_readers_language(
    browser: Any, office: Any, table: str, written: str, language: str
) -> None:
    client = browser("manager1" if table != "jobs" else "admin1", language)
    page = client.post(f"/console/norms/{table}/edit/", {"document": written, "do": "check", "seen_version": "1"})
    assert page.status_code == 422 and escape(written.strip()) in page.content.decode()
    (said,) = re.findall(r'class="lp-alert lp-alert-bad" role="alert">(.*?)</p>', page.content.decode())
    assert re.search("[\u4e00-\u9fff]", said) and not re.search("[A-Za-z]+_[a-z_]+|zh-han", said), said


def test_every_shipped_table_has_the_build_of_its_declaration() -> None:
    for name in (*TABLES, *PRODUCTS):
        w, document = opened(name)
        assert fits(shape_of(w.table, document), document), name
