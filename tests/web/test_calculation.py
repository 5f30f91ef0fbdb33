"""A calculation to try the terms with."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client
from tests.company import NOW

from lipei.domain.events import Refusal
from lipei.domain.settlement.trial import trial
from lipei.reads import rulebook
from lipei.store import models

pytestmark = pytest.mark.once

PAGE = "/console/calculation/"
CAR = f"{PAGE}?of=private_car-1&cover=own_damage&peril=single_vehicle"
LOSS = {
    "schedule-sum_insured_minor": "150000", "schedule-deductible_minor": "500", "items-0-what": "后保险杠",
    "items-0-assessed": "2400", "items-0-quantity": "1",
}  # fmt: skip


@pytest.mark.norm("2.2.4")
def test_a_sum_is_explained_line_by_line_and_nothing_is_stored(
    browser: Callable[..., Client], office: SimpleNamespace
) -> None:
    client = browser("admin1")
    assert "schedule-sum_insured_minor" in client.get(CAR).content.decode()
    before = models.Entry.objects.count()
    body = client.post(CAR, LOSS).content.decode()
    assert "field." not in body and "What the policy says" in body
    assert "CNY 1,900.00" in body and 'class="lp-clause"' in body and "nothing was stored" in body
    assert 'value="2400"' in body, "what was typed stays"
    assert models.Entry.objects.count() == before and not models.Claim.objects.exists()


def test_what_is_missing_is_named_beside_its_field(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    answer = browser("manager1").post(CAR, {"items-0-what": "门", "items-0-assessed": "12.345"})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.content.decode()
    answer = browser("manager1").post(CAR, {"schedule-sum_insured_minor": "1000"})
    assert answer.status_code == 422 and "lp-alert-bad" in answer.content.decode()
    for odd in ("?of=nothing-9", "?of=private_car-1&cover=x&peril=y", ""):
        assert browser("handler1").get(f"{PAGE}{odd}").status_code == 200


@pytest.mark.norm("2.2.3")
def test_every_cover_of_every_product_can_be_tried(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    client = browser("admin1")
    for terms in rulebook.current().products.terms:
        for cover in terms.covers.values():
            where = f"{PAGE}?of={terms.code}-{terms.version}&cover={cover.code}"
            assert client.post(where, {}).status_code in (200, 409, 422), where


@pytest.mark.django_db
def test_a_trial_is_what_the_rule_says() -> None:
    terms = rulebook.current().products.on("private_car", NOW.date())
    assert terms is not None
    found = trial(terms=terms, cover="own_damage", peril="flood of words", schedule={}, facts={}, items=(), now=NOW)
    assert isinstance(found, Refusal)
