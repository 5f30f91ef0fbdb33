"""Every reason a channel can give, and every reason why a message reaches none, has its words."""

from __future__ import annotations

import pytest

from lipei.gateways.channels import REASONS, Receipt
from lipei.norms.texts import LANGUAGES, text, texts
from lipei.services.deliveries.composing import STOPS


@pytest.mark.parametrize("reason", (*REASONS, *STOPS))
def test_each_reason_is_explained_in_every_language(reason: str) -> None:
    assert all(text(f"reason.delivery_{reason}", language) for language in LANGUAGES)


def test_no_explanation_is_left_over() -> None:
    explained = {key.removeprefix("reason.delivery_") for key in texts() if key.startswith("reason.delivery_")}
    assert explained == {*REASONS, *STOPS}
    assert not set(REASONS) & set(STOPS)


@pytest.mark.parametrize(("outcome", "reason"), [("accepted", "not_now"), ("failed", ""), ("failed", "x"), ("x", "")])
def test_a_receipt_that_contradicts_itself_cannot_be_made(outcome: str, reason: str) -> None:
    with pytest.raises(AssertionError):
        Receipt(outcome, reason=reason)
