"""The terms of a product changed in forms: tried beside those in force, saved as the next version (norm 2.2.3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from tests.company import NOW
from tests.web.test_calculation import LOSS
from tests.web.test_norm_forms import Form, filled, sent

from lipei.norms import loader
from lipei.reads import rulebook
from lipei.store import models

pytestmark = pytest.mark.once
EDIT = "/console/norms/products/edit/?of=private_car-2"


def at(page: Any, title: str, named: str) -> str:
    """The place of a row in the section of a heading."""
    section = next(s for s in page.context["sections"] if s["label"] == title)
    return str(next(row["part"] for row in section["rows"] if row["called"] == named))


def tried(client: Client, page: Any, **typed: str) -> Any:
    """A calculation of own damage with the draft of a page."""
    chosen = sent(client, page, "try")
    actions = [e.get("action", "") for e in Form(chosen).elements]
    assert not any(action.startswith("?") for action in actions), "the page is shown at the address of the edit"
    assert sum(action.startswith("/console/calculation/") for action in actions) == 2
    said = {name: value for name, value in filled(chosen).items() if name in ("document", "seen_version", "reason")}
    where = "/console/calculation/?cover=own_damage&peril=single_vehicle"
    return client.post(where, {**said, **LOSS, **typed, "calculate": "yes"})


@pytest.mark.norm("2.2.3")
def test_a_deductible_is_changed_and_its_effect_seen_before_it_is_saved(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get(EDIT)
    page = sent(client, page, "open:" + at(page, "Damage to your own car: how it is calculated", "Less the deductible"))
    assert filled(page)["f.amount.from"] == ["schedule:deductible_minor"] and "version 3" in page.content.decode()
    wrong = sent(client, page, "check", **{"f.amount.from": "fixed", "f.amount.n": "many"})
    assert wrong.status_code == 422 and 'id="f-amount-n-error"' in wrong.content.decode()
    page = sent(client, wrong, "check", **{"f.amount.from": "fixed", "f.amount.n": "1,000"})
    body = page.content.decode()
    assert "<ins>CNY 1,000.00</ins>" in body and "<del>As the policy says: Deductible</del>" in body
    sum_ = tried(client, page)
    body = sum_.content.decode()
    assert "CNY 1,900.00" in body and "CNY 1,400.00" in body and not models.NormVersion.objects.exists()
    page = client.post("/console/norms/products/edit/", {**filled(sum_), "do": "back"})
    assert page.status_code == 200 and [c.title for c in page.context["changes"]][:1] == ["Less the deductible"]
    sent(client, sent(client, page, "check"), "save", reason="A round figure")
    products = rulebook.current().products
    newest, before = products.latest("private_car"), products.version("private_car", 2)
    assert newest is not None and before is not None and (newest.version, newest.valid_from) == (3, NOW.date())
    assert newest.covers["own_damage"].steps[-1].figures["amount"].value == 100_000
    assert products.on("private_car", before.valid_from) is before, "a loss of an earlier day keeps its terms"
    body = client.get("/console/norms/products/2/").content.decode()
    assert "A round figure" in body and "<ins>CNY 1,000.00</ins>" in body


def test_a_limit_that_differs_by_fault_is_a_form(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get(f"{EDIT}&part=limits/0")
    said = filled(page)
    assert (said["f.amount.of.0.key"], said["f.amount.of.0.is.n"], said["f.amount.else.n"]) == (
        ["0"],
        ["100.00"],
        ["2000.00"],
    )
    page = sent(client, page, "add:f.amount.of")
    missing = sent(client, page, "check", **{"f.amount.of.1.key": "50"})
    assert missing.status_code == 422
    page = sent(client, missing, "check", **{"f.amount.of.1.is.n": "900", "f.amount.else.n": "2500"})
    sent(client, page, "save", reason="New limits")
    terms = rulebook.current().products.latest("private_car")
    assert terms is not None
    amount = terms.limits["compulsory_property"].amount
    assert {key: one.value for key, one in amount.choices.items()} == {0: 10_000, 500_000: 90_000}
    assert amount.otherwise is not None and amount.otherwise.value == 250_000


def test_a_cover_is_added_as_a_copy_with_a_step_put_earlier(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get(EDIT)
    page = sent(client, page, "copy:" + at(page, "Covers", "Damage to your own car"))
    names = {f"f.name.{spoken}": f"Trailer {spoken}" for spoken in ("zh-hans", "zh-hant", "en")}
    page = sent(client, page, "take", **names)
    steps = "Trailer en: how it is calculated"
    page = sent(client, page, "earlier:" + at(page, steps, "Less the deductible"))
    page = sent(client, page, "check")
    assert next(c.title for c in page.context["changes"] if c.kind == "added") == "Trailer en"
    sent(client, page, "save", reason="Trailers")
    terms = rulebook.current().products.latest("private_car")
    assert terms is not None
    assert [step.do for step in terms.covers["own_damage_2"].steps][-2:] == ["deductible", "cap"]
    assert len(terms.covers["own_damage_2"].exclusions) == len(terms.covers["own_damage"].exclusions)
    shown = " ".join(Form(client.get("/console/norms/products/?of=private_car-3")).words)
    assert "Trailer en" in shown and "own_damage_2" not in shown


def test_a_new_cover_begins_with_the_loss_and_a_step_shows_the_fields_it_has(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = sent(client, client.get(EDIT), "open:covers/+")
    names = {f"f.name.{spoken}": f"Keys {spoken}" for spoken in ("zh-hans", "zh-hant", "en")}
    page = sent(client, page, "take", **names, **{"f.clause": "D5", "f.head": "own_vehicle", "f.perils": ["theft"]})
    page = sent(client, page, "open:steps.keys_en/+")
    assert "f.amount.from" not in filled(page)
    page = sent(client, page, "show:f.do", **{"f.do": "cap"})
    assert page.status_code == 200 and {"f.what", "f.amount.from"} <= set(filled(page))
    page = sent(client, page, "check", **{"f.what": "per_accident", "f.amount.n": "800", "f.clause": "D14"})
    sent(client, page, "save", reason="Keys")
    terms = rulebook.current().products.latest("private_car")
    assert terms is not None and [step.do for step in terms.covers["keys_en"].steps] == ["items", "cap"]


def test_words_of_an_exclusion_and_of_a_clause(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get(EDIT)
    page = sent(
        client, page, "open:" + at(page, "Damage to your own car: what is not covered", "damage in a race or test")
    )
    page = sent(client, page, "check", **{"f.wording.en": "damage in a race"})
    assert "<ins>damage in a race</ins>" in page.content.decode()
    page = sent(client, page, "open:" + at(page, "Clauses", "Own damage terms, art. 8"))
    page = sent(client, page, "check", **{"f.plain.en": "Racing is not covered."})
    sent(client, page, "save", reason="Plainer")
    terms = rulebook.current().products.latest("private_car")
    assert terms is not None and terms.clauses["D8"].plain["en"] == "Racing is not covered."
    assert terms.covers["own_damage"].exclusions["race"].wording["en"] == "damage in a race"


def test_what_makes_no_sense_is_refused_in_words_of_the_page(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get(EDIT)
    gone = sent(client, sent(client, page, "remove:" + at(page, "Clauses", "Own damage terms, art. 15")), "check")
    assert gone.status_code == 422 and "Damage to your own car" in gone.context["refusal"]
    assert "Own damage terms, art. 15" in gone.context["refusal"], "named as people knew it"
    assert "private_car" not in gone.context["refusal"] and "steps" not in gone.context["refusal"]
    first = sent(client, page, "earlier:steps.own_damage/1")
    answer = sent(client, first, "check").context["refusal"]
    assert "Damage to your own car" in answer and "items" not in answer
    twice = sent(client, page, "open:schedule.own_damage/+")
    twice = sent(client, twice, "check", **{"f.code": "sum_insured_minor", "f.type": "money"})
    assert twice.status_code == 422 and "Sum insured" in twice.context["refusal"]


def test_terms_are_read_in_words_by_everybody_and_edited_by_few(browser: Any, office: Any) -> None:
    for terms in rulebook.current().products.terms:
        page = browser("handler1").get(f"/console/norms/products/?of={terms.code}-{terms.version}")
        shown = " ".join(" ".join(Form(page).words).split())
        assert (
            page.status_code == 200
            and "_minor" not in shown
            and "schedule" not in shown
            and "/edit/" not in page.content.decode()
        )
    assert browser("handler1").get(EDIT).status_code == 403
    text = (loader.FOLDER / "products" / "private_car-2.yaml").read_text(encoding="utf-8")
    assert browser("handler1").post("/console/calculation/", {"document": text}).status_code == 403
    assert browser("manager1").post("/console/calculation/", {"document": "covers: ["}).status_code == 422
    assert browser("manager1").get("/console/norms/products/edit/").status_code == 302


def test_a_long_table_is_searched_and_gone_through_in_groups(browser: Any, office: Any) -> None:
    client = browser("manager1")
    page = client.get("/console/norms/promises/?find=oklahoma")
    rows = [row for section in page.context["sections"] for row in section["rows"]]
    assert len(rows) == 3 and all("Oklahoma" in row["title"] for row in rows)
    assert "Nothing here says" in client.get("/console/norms/promises/?find=zebra").content.decode()
    page = client.get("/console/norms/promises/edit/")
    anchors = {e["id"] for e in Form(page).elements if "id" in e}
    assert len(page.context["places"]) > 8 and {anchor for anchor, _, _ in page.context["places"]} <= anchors
    found = sent(client, page, "find", find="preliminary opinion")
    assert (
        next(row["title"] for section in found.context["sections"] for row in section["rows"]) == "Preliminary opinion"
    )
    changed = sent(client, sent(client, found, "open:promises/0"), "check", f__limit="20")
    assert "<ins>20 hours</ins>" in changed.content.decode()
