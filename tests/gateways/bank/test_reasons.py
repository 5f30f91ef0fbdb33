"""Every code that the bank package can answer with is a sentence in three languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lipei.domain.accounts
import lipei.gateways.bank
from lipei.gateways.bank import reasons
from lipei.norms.texts import LANGUAGES, text, texts

PACKAGE = Path(lipei.gateways.bank.__file__).parent
SOURCES = [*PACKAGE.glob("*.py"), Path(lipei.domain.accounts.__file__)]
CODES = {code for path in SOURCES for code in re.findall(r'"(refusal\.[a-z_]+)"', path.read_text(encoding="utf-8"))}
SIDES = ("name", "name_length", "name_characters", "account", "code")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_its_sentence(language):
    assert len(CODES) > 30
    for code in CODES | {f"refusal.bank_{side}_debtor" for side in SIDES}:
        assert text(code, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", [*reasons._REMEDIES, "ZZ99"])
def test_every_reason_says_what_it_means_and_what_to_do(reason, language):
    key = reasons.reason_key(reason)
    assert text(key, language)
    assert text(f"{key}.advice", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_that_is_kept_as_a_failure_has_its_words_and_its_remedy(language):
    """services/bank.py keeps the gateways' refusals without their prefix, and finance and the payee read them."""
    kept = {code.removeprefix("refusal.") for code in CODES if code.startswith("refusal.bank_")}
    kept = {code for code in kept if not code.startswith("bank_file")} | {f"bank_{side}_debtor" for side in SIDES}
    for code in kept | {"unknown"}:
        assert code in reasons.BEFORE_IT_LEFT
        assert text(f"reason.bank.{code}", language)
        assert text(f"reason.bank.{code}.advice", language)
    assert set(reasons.BEFORE_IT_LEFT) == kept | {"unknown"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_helps_is_called_as_the_step_on_the_page(language):
    """Paying again is one step on the page: nobody is sent to look for another."""
    step, other = text("action.payment.retry", language).casefold(), ("新建付款指令", "新的付款指示", "new order")
    advice = [text(f"{reasons.reason_key(reason)}.advice", language).casefold() for reason in reasons._REMEDIES]
    assert sum(step in one for one in advice) >= 10
    assert not [one for one in advice if any(word in one for word in other)]


def test_no_text_is_left_over():
    keys = {key.removesuffix(".advice") for key in texts() if key.startswith("reason.bank.")}
    assert keys == {reasons.reason_key(reason) for reason in [*reasons._REMEDIES, "ZZ99"]}


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("AC04", "mend"),
        ("TM01", "retry"),
        ("AM04", "fund"),
        ("XCON", "ask"),
        ("AM05", "ask"),
        ("ZZ99", "ask"),
        ("", "ask"),
    ],
)
def test_what_nobody_understands_is_never_repeated_by_itself(reason, remedy):
    assert reasons.remedy(reason) == remedy
