"""Settings: declared, typed, bounded, edited as a new version."""

from __future__ import annotations

import copy
from datetime import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import lipei
import lipei.norms.settings
from lipei.domain.settings import NAMES, Settings
from lipei.norms import loader, yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.settings import definitions, parse, with_values
from lipei.norms.texts import LANGUAGES, text

DEFAULT = Path(lipei.norms.settings.__file__).parent / "defaults" / "settings.yaml"
DOCUMENT: dict[str, Any] = yaml_texts.load(DEFAULT.read_text(encoding="utf-8"))


def test_the_shipped_document_declares_every_setting_in_its_type() -> None:
    settings = parse(DOCUMENT)
    assert tuple(DOCUMENT["settings"]) == NAMES
    types = {"str": str, "int": int, "time": time, "tuple[str, ...]": tuple}
    for name, annotation in Settings.__annotations__.items():
        assert type(getattr(settings, name)) is types[annotation], name


def test_a_setting_is_read_by_attribute_or_by_name() -> None:
    settings = parse(DOCUMENT)
    assert settings.duty_acknowledge_minutes == settings["duty_acknowledge_minutes"] == 15
    assert settings.quiet_from == time(21, 0)
    assert settings.languages == LANGUAGES
    for name in ("no_such_setting", "__class__", "__getitem__"):
        with pytest.raises(KeyError):
            settings[name]


def test_every_setting_says_what_it_means_and_its_unit_in_three_languages() -> None:
    for definition in definitions(DOCUMENT):
        for language in LANGUAGES:
            assert text(definition.text, language)
            assert not definition.unit or text(f"setting_unit.{definition.unit}", language)


def test_every_figure_has_bounds_and_a_unit_and_says_where_it_comes_from() -> None:
    for definition in definitions(DOCUMENT):
        if definition.type == "whole":
            assert definition.minimum is not None and definition.maximum is not None, definition.name
            assert definition.unit and definition.source_status, definition.name


def test_an_edit_is_a_new_version_and_leaves_the_old_document_alone() -> None:
    before = copy.deepcopy(DOCUMENT)
    edited = with_values(DOCUMENT, {"papers_remind_days": 3, "quiet_from": "20:30", "languages": ["zh-hans", "en"]})
    assert before == DOCUMENT
    assert edited["version"] == DOCUMENT["version"] + 1
    settings = parse(edited)
    assert (settings.papers_remind_days, settings.quiet_from, settings.languages) == (
        3,
        time(20, 30),
        ("zh-hans", "en"),
    )
    assert settings.offer_expiry_days == parse(DOCUMENT).offer_expiry_days
    kept = next(d for d in definitions(edited) if d.name == "papers_remind_days")
    assert (kept.value, kept.default) == (3, 5)
    assert parse(with_values(edited, {"offer_remind_days": 9})).papers_remind_days == 3


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("papers_remind_days", 0, "value.bounds"),
        ("papers_remind_days", 181, "value.bounds"),
        ("papers_remind_days", "5", "value.whole"),
        ("papers_remind_days", True, "value.whole"),
        ("papers_remind_days", 2.5, "value.whole"),
        ("zone", "Asia/Nowhere", "value.zone"),
        ("zone", "../../etc/passwd", "value.zone"),
        ("zone", "", "value.zone"),
        ("currency", "cny", "value.currency"),
        ("quiet_from", "25:00", "value.time"),
        ("quiet_from", "21:00+08:00", "value.time"),
        ("quiet_from", 1260, "value.words"),
        ("languages", [], "value.choices"),
        ("languages", ["en", "en"], "value.choices"),
        ("company_name_en", 12, "value.words"),
        ("session_idle_minutes", 721, "settings.session"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(name: str, value: Any, code: str) -> None:
    with pytest.raises(NormError) as caught:
        with_values(DOCUMENT, {name: value})
    assert caught.value.code == f"norm_error.{code}"
    for language in LANGUAGES:
        assert f"settings.{name}" in text(caught.value.code, language, **caught.value.params)


@pytest.mark.parametrize(
    ("name", "value"),
    [("market", "ZZ"), ("languages", ["fr"]), ("language_default", "fr"), ("no_such_setting", 1)],
)
def test_a_choice_that_is_not_offered_is_refused(name: str, value: Any) -> None:
    with pytest.raises(NormError, match="unknown_code"):
        with_values(DOCUMENT, {name: value})


def test_the_default_language_must_be_one_that_is_offered() -> None:
    with pytest.raises(NormError, match="unknown_code"):
        with_values(DOCUMENT, {"languages": ["en"]})


def test_a_document_that_lacks_a_setting_or_invents_one_is_refused() -> None:
    for edit in (lambda s: s.pop("papers_remind_days"), lambda s: s.update(new={"type": "words", "default": ""})):
        broken = copy.deepcopy(DOCUMENT)
        edit(broken["settings"])
        with pytest.raises(NormError, match=r"missing_key|unknown_key"):
            parse(broken)


def test_every_setting_is_read_by_something() -> None:
    source = Path(lipei.__file__).parent
    code = "\n".join(p.read_text(encoding="utf-8") for p in source.rglob("*.py") if p != source / "domain/settings.py")
    by_language = {f"company_name_{language.replace('-', '_')}" for language in LANGUAGES}
    assert 'f"company_name_{' in code
    assert not {name for name in NAMES if f".{name}" not in code and f'"{name}"' not in code} - by_language


def test_a_document_from_before_a_release_takes_a_new_setting_as_shipped():
    shipped = loader.read(loader.default_text("settings"))
    older = {
        **shipped,
        "settings": {n: dict(row) for n, row in shipped["settings"].items() if n != "team_risk_minutes"},
    }
    older["settings"]["papers_due_days"]["value"] = 21
    found = loader.parsed("settings", 2, yaml.safe_dump(older, allow_unicode=True))
    assert (found.papers_due_days, found.team_risk_minutes) == (21, loader.rulebook({}).settings.team_risk_minutes)
