"""The identity check on its page and through the API: what was seen is said, a difference is shown and on record."""

from __future__ import annotations

import pytest
from tests.company import NOW

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.mark.norm("4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_check_passes_nobody_and_a_difference_is_said(office, browser, claim, handler_code, language):
    handler = getattr(office, handler_code)
    on_file = c.PartyReported(id_type="passport", id_number="E12345678", name="李雷")
    done = actions.act(claim, "party", "correct", 1, on_file, actor=handler, now=NOW)
    assert not isinstance(done, Refusal), done
    client, where = browser(handler_code, language), f"/console/claims/{claim}/parties/1/check_identity/"
    form = {f.name: f for f in client.get(where).context["fields"]}
    assert form["id_type"].value == "" and form["id_number"].value == "", (
        "what is on file is not offered as what was seen"
    )
    empty = client.post(where, {})
    assert empty.status_code == 422
    assert {f.name for f in empty.context["fields"] if f.error} >= {"id_type", "id_number"}
    differs = client.post(where, {"id_type": "passport", "id_number": "E87654321"})
    assert differs.status_code == 422 and text("refusal.identity_differs", language) in differs.content.decode()
    assert models.Party.objects.get(part=1).identity_checked_at is None
    assert models.Entry.objects.filter(kind="party.identity_differs").count() == 1
    page = client.get(f"/console/claims/{claim}/").content.decode()
    assert text("event.party.identity_differs.sentence", language, actor="Handler1") in page
    assert client.post(where, {"id_type": "passport", "id_number": "E12345678"}).status_code == 302
    assert models.Party.objects.get(part=1).identity_checked_at == NOW
