"""Norm tables, people, tokens, webhooks, duty and health, as those who keep them use them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import yaml
from django.contrib.auth import get_user_model
from tests.company import NOW
from tests.web.conftest import PASSWORD, reported

from lipei.jobs import loop
from lipei.norms import loader, yaml_texts
from lipei.norms.texts import text
from lipei.services import norms, signs
from lipei.store import models

pytestmark = pytest.mark.once


def edited(table: str, change) -> str:
    document = yaml_texts.load(loader.default_text(table))
    change(document)
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def silence(days: int) -> str:
    return edited("settings", lambda d: d["settings"]["papers_remind_days"].update(value=days))


def test_a_table_is_checked_saved_with_a_reason_and_compared(browser, office):
    client = browser("manager1")
    said = {"document": silence(3), "seen_version": "1", "reason": ""}
    assert "This makes sense" in client.post("/console/norms/settings/edit/", {**said, "check": "1"}).content.decode()
    refused = client.post("/console/norms/settings/edit/", {**said, "save": "1"})
    assert refused.status_code == 422 and 'id="reason-error"' in refused.content.decode()
    saved = client.post(
        "/console/norms/settings/edit/", {**said, "reason": "Customers wait too long", "save": "1"}, follow=True
    )
    body = saved.content.decode()
    assert "Saved as version 2." in body and "Customers wait too long" in body
    assert "<del>5 days</del>" in body and "<ins>3 days</ins>" in body  # in words, not as lines of the document
    assert norms.current().settings.papers_remind_days == 3
    assert client.get("/console/norms/settings/1/").status_code == 200


def test_an_edit_is_undone_by_making_the_earlier_version_a_new_one(browser, office):
    client = browser("manager1")
    said = {"document": silence(3), "seen_version": "1", "reason": "x", "save": "1"}
    client.post("/console/norms/settings/edit/", said)
    again = "/console/norms/settings/edit/?version=1"
    assert again in client.get("/console/norms/settings/1/").content.decode()
    assert client.get(again).context["text"] == loader.default_text("settings")
    for none in ("9", "x", "1" * 99):
        assert client.get(f"/console/norms/settings/edit/?version={none}").context["text"] == silence(3)


def test_nonsense_is_refused_with_its_place_and_kept(browser, office):
    text = silence(3).replace("min: 1, max: 60", "min: 1")
    broken = text + "\nnonsense: [unclosed"
    answer = browser("manager1").post(
        "/console/norms/settings/edit/", {"document": broken, "reason": "x", "seen_version": "1", "save": "1"}
    )
    assert answer.status_code == 422
    assert "nonsense: [unclosed" in answer.content.decode()
    assert models.NormVersion.objects.count() == 0


def test_two_managers_at_once(browser, office):
    one, two = browser("manager1"), browser("manager2")
    said = {"seen_version": "1", "reason": "mine", "save": "1"}
    one.post("/console/norms/settings/edit/", {**said, "document": silence(3)})
    late = two.post("/console/norms/settings/edit/", {**said, "document": silence(4)})
    body = late.content.decode()
    assert late.status_code == 409 and "What somebody else changed since you looked" in body
    assert "<ins>3 days</ins>" in body and "<ins>4 days</ins>" in body  # theirs, and what mine would make of it
    assert 'name="seen_version" value="2"' in body and "value: 4" in body
    assert norms.current().settings.papers_remind_days == 3


@pytest.mark.norm("2.3.1")
def test_effect_of_a_promise_on_open_claims_is_shown_before_it_is_saved(browser, office):
    number = reported(office)

    def shorter(document):
        promise = next(p for p in document["promises"] if p["code"] == "preliminary_opinion")
        promise["limit"] = 12

    text = edited("promises", shorter)
    answer = browser("manager1").post(
        "/console/norms/promises/edit/", {"document": text, "seen_version": "1", "reason": "", "check": "1"}
    )
    body = answer.content.decode()
    assert "Effect on open claims" in body and number in body
    assert models.NormVersion.objects.count() == 0
    said = {"document": text, "seen_version": "1", "reason": "faster", "save": "1"}
    # Who saves without looking is shown it first; another text than the one shown is shown again.
    for shown in ("", "0" * 64):
        answer = browser("manager1").post("/console/norms/promises/edit/", {**said, "previewed": shown})
        assert "Effect on open claims" in answer.content.decode() and models.NormVersion.objects.count() == 0
    mark = re.search(r'name="previewed" value="([0-9a-f]{64})"', answer.content.decode())[1]
    assert browser("manager1").post("/console/norms/promises/edit/", {**said, "previewed": mark}).status_code == 302
    assert models.NormVersion.objects.filter(version=2).count() == 1
    loop.settle(NOW)
    due = {clock.due_at for clock in models.Clock.objects.filter(promise="preliminary_opinion")}
    assert due == {NOW + timedelta(hours=12)}  # open claims follow at the workers' next turn


@pytest.mark.norm("2.3.1")
def test_tables_that_do_not_fit_each_other_are_refused(browser, office):
    def gone(document):
        document["calendars"] = [c for c in document["calendars"] if c["code"] != "cn"]

    for how in ("check", "save"):
        said = {"document": edited("calendars", gone), "seen_version": "1", "reason": "x", how: "1"}
        answer = browser("manager1").post("/console/norms/calendars/edit/", said)
        assert answer.status_code == 422 and "cn" in answer.content.decode()
    assert models.NormVersion.objects.count() == 0


def test_roles_edit_their_own_tables(browser, office):
    said = {"document": silence(3), "seen_version": "1", "reason": "x", "save": "1"}
    assert browser("lead1").post("/console/norms/settings/edit/", said).status_code == 403
    assert browser("handler1").get("/console/norms/settings/edit/").status_code == 403
    assert models.NormVersion.objects.count() == 0


@pytest.mark.norm("2.3.3")
def test_a_roster_with_a_gap_is_refused_with_the_gap_named(browser, office):
    client = browser("manager1")
    assert "lp-alert-bad" in client.get("/console/duty/").content.decode()  # nobody is on duty yet

    def one_night(document):
        document["shifts"] = [
            {"from": "2026-11-23 17:00", "to": "2026-11-24 10:00", "persons": [office.rows["handler1"].id]}
        ]

    said = {"document": edited("duty", one_night), "seen_version": "1", "reason": "roster", "save": "1"}
    refused = client.post("/console/norms/duty/edit/", said)
    assert refused.status_code == 409 and "2026-11-24" in refused.content.decode()

    def whole(document):
        document["shifts"] = [
            {"from": "2026-11-23 00:00", "to": "2026-12-20 00:00", "persons": [office.rows["handler1"].id]}
        ]

    assert client.post("/console/norms/duty/edit/", {**said, "document": edited("duty", whole)}).status_code == 302
    page = client.get("/console/duty/").content.decode()
    assert "Handler1" in page and "lp-alert-bad" not in page


# --- people -----------------------------------------------------------------------------------------------------------


def test_an_administrator_adds_somebody_who_can_sign_in(browser, office, client):
    said = {
        "code": "handler9",
        "name": "新同事",
        "roles": ["handler"],
        "unit": "shanghai",
        "active": "yes",
        "languages": ["zh-hans"],
        "username": "handler9",
        "password": PASSWORD,
        "regions": "上海，苏州",
    }
    assert browser("admin1").post("/console/staff/new/", said).status_code == 302
    row = models.Staff.objects.get(code="handler9")
    assert row.regions == ("上海", "苏州") and row.user.check_password(PASSWORD)
    assert client.post("/accounts/login/", {"login": "handler9", "password": PASSWORD}).url == "/console/"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("zh-hans", ("变更记录", "角色: 理赔专员", "否", "新密码、登录名")),
        ("en", ("What was changed", "Roles: ", "→ No", "New password")),
    ],
)
def test_what_was_changed_about_a_colleague_stands_on_their_page_with_who_did_it(browser, office, code, words):
    row = office.rows["handler2"]
    said = {"code": "handler2", "name": "改名", "roles": ["handler", "team_lead"], "unit": "shanghai", "languages": ["en"],
            "username": "other2", "password": "a long one, this"}  # fmt: skip
    assert browser("admin1").post(f"/console/staff/{row.id}/", said).status_code == 302
    page = browser("admin1", code).get(f"/console/staff/{row.id}/").content.decode()
    assert "Admin1" in page[page.index('id="changes"') :]
    assert [w for w in words if w not in page] == [] and "a long one" not in page


def test_what_is_wrong_with_a_colleague_stands_beside_the_field(browser, office):
    said = {"code": "handler1", "name": "", "roles": [], "username": "handler2", "password": "short"}
    answer = browser("admin1").post("/console/staff/new/", said)
    body = answer.content.decode()
    assert answer.status_code == 422
    for name in ("code", "name", "roles", "username"):
        assert f'id="f-{name}-error"' in body, name
    assert 'value="short"' not in body  # a password is never sent back


def test_nobody_gives_themselves_a_role(browser, office):
    row = office.rows["admin1"]
    said = {
        "code": "admin1",
        "name": "Admin1",
        "roles": ["administrator", "manager"],
        "active": "yes",
        "username": "admin1",
    }
    assert browser("admin1").post(f"/console/staff/{row.id}/", said).status_code == 403
    row.refresh_from_db()
    assert row.roles == ("administrator",)


def test_who_leaves_cannot_sign_in(browser, office):
    row = office.rows["handler1"]
    said = {"code": "handler1", "name": "Handler1", "roles": ["handler"], "username": "handler1"}
    assert browser("admin1").post(f"/console/staff/{row.id}/", said).status_code == 302
    assert not get_user_model().objects.get(username="handler1").is_active


def test_absence_of_the_own_unit(browser, office):
    client = browser("lead1")
    said = {
        "staff": office.rows["handler1"].id,
        "starts_at": "2026-11-23T09:00",
        "ends_at": "2026-11-30T09:00",
        "reason": "sick",
    }
    assert client.post("/console/absences/", said).status_code == 302
    absence = models.Absence.objects.get()
    assert absence.ends_at.isoformat() == "2026-11-30T01:00:00+00:00"
    assert client.post(f"/console/absences/{absence.id}/end/").status_code == 302
    absence.refresh_from_db()
    assert absence.ends_at == NOW
    models.Staff.objects.filter(code="handler2").update(unit="beijing")
    other = client.post("/console/absences/", {**said, "staff": office.rows["handler2"].id})
    assert other.status_code == 422 and models.Absence.objects.count() == 1


def test_authority_is_lent_and_taken_back(browser, office):
    client = browser("approver1")
    said = {"taker": office.rows["approver2"].id, "kinds": ["decide"], "ends_at": "2026-11-30T09:00"}
    assert client.post("/console/delegations/", said).status_code == 302
    lent = models.Delegation.objects.get()
    assert lent.giver == office.rows["approver1"] and lent.kinds == ("decide",)
    assert client.post("/console/delegations/", {**said, "ends_at": ""}).status_code == 422
    assert browser("lead1").post(f"/console/delegations/{lent.id}/end/").status_code in (302, 404)
    lent.refresh_from_db()
    assert lent.ends_at > NOW  # not theirs to take back
    assert client.post(f"/console/delegations/{lent.id}/end/").status_code == 302
    lent.refresh_from_db()
    assert lent.ends_at <= NOW


# --- system -----------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once(browser, office):
    client = browser("admin1")
    form = client.get("/console/tokens/").content.decode()
    assert "Read claims (claims:read)" in form and '<option value="handler1">Handler1 handler1</option>' in form
    made = client.post("/console/tokens/", {"name": "core system", "scopes": ["claims:read"]}).content.decode()
    assert "lipei_" in made
    assert "lipei_" not in client.get("/console/tokens/").content.decode().replace("lipei_language", "")
    assert client.post("/console/tokens/core system/revoke/").status_code == 302
    assert models.ApiToken.objects.get().revoked_at is not None


def test_a_webhook_is_subscribed_and_stopped(browser, office):
    client = browser("admin1")
    assert client.post("/console/webhooks/", {"url": "ftp://x"}).status_code == 422
    made = client.post(
        "/console/webhooks/", {"url": "https://core.example/lipei", "kinds": ["claim.closed"]}
    ).content.decode()
    assert "whsec_" in made
    hook = models.Webhook.objects.get()
    assert hook.kinds == ("claim.closed",)
    assert client.post(f"/console/webhooks/{hook.id}/stop/").status_code == 302
    hook.refresh_from_db()
    assert not hook.active


def test_health_tells_when_worker_backup_and_comparison_were_last_there(browser, office):
    client = browser("admin1")
    assert client.get("/console/health/").content.decode().count("Never yet") == 3
    signs.note("worker", now=NOW - timedelta(hours=1))
    signs.note("backup", now=NOW - timedelta(days=3))
    signs.note("verify", now=NOW, good=False)
    body = client.get("/console/health/").content.decode()
    assert "3 d ago" in body and "Differences found" in body and "Start lipei work" in body and "Never yet" not in body
    loop.Jobs().run_once(NOW)
    assert "Start lipei work" not in client.get("/console/health/").content.decode()


def test_health_names_a_queue_that_nobody_works_off(browser, office):
    from datetime import timedelta

    reported(office)
    models.Delivery.objects.update(due_at=NOW - timedelta(hours=1))
    assert "The worker may not be running" in browser("admin1").get("/console/health/").content.decode()


def test_a_small_form_sent_twice_is_done_once(office, browser):
    client = browser("manager1")
    key = re.search(r'name="form_key" value="([^"]+)"', client.get("/console/prenotices/").content.decode())[1]
    said = {"text": "客户明日出国。", "phone": "13800138000", "form_key": key}
    for _ in range(2):
        assert client.post("/console/prenotices/", said).status_code == 302
    assert models.PreNotice.objects.count() == 1
    other = re.search(r'name="form_key" value="([^"]+)"', client.get("/console/prenotices/").content.decode())[1]
    client.post("/console/prenotices/", {**said, "form_key": other})
    assert models.PreNotice.objects.count() == 2  # the same words in a form of their own are meant


def test_what_failed_is_listed_with_its_reason_and_what_to_do(browser, office):
    reported(office)
    assert models.Delivery.objects.update(state="failed", reason="unreachable") > 0
    hook = models.Webhook.objects.create(url="https://example.com/hook", secret="s", created_at=NOW)
    call = models.WebhookDelivery.objects.create(
        webhook=hook, message_id="m-1", body='{"type":"claim.reported"}', state="failed", due_at=NOW, answer="503",
        attempts=9,
    )  # fmt: skip
    admin = browser("admin1")
    health = admin.get("/console/health/").content.decode()
    assert 'href="/console/health/failed/#deliveries"' in health and 'href="/console/health/failed/#webhooks"' in health
    page = admin.get("/console/health/failed/").content.decode()
    number = models.Claim.objects.get().number
    assert number in page and f"/console/claims/{number}/" not in page, "an administrator sees no claims"
    assert text("reason.delivery_unreachable", "en") in page and "503" in page and "tried 9 times" in page
    assert f"/console/claims/{number}/#s-parties" in browser("manager1").get("/console/health/failed/").content.decode()
    again = f"/console/health/failed/webhooks/{call.id}/"
    assert again not in browser("manager1").get("/console/health/failed/").content.decode()
    assert browser("manager1").post(again).status_code == 403
    assert admin.post(again).status_code == 302
    call.refresh_from_db()
    assert (call.state, call.attempts) == ("queued", 0)
    admin.post(again)  # twice is once
    models.Delivery.objects.update(channels=[], reason="no_address")
    nowhere = admin.get("/console/health/failed/").content.decode()
    ways = ", ".join(text(f"channel.{one}", "en") for one in norms.current().messages.rows["receipt"].channels)
    assert ways in nowhere, "by which ways it could have gone, had there been an address"
    assert models.WebhookDelivery.objects.filter(state="queued").count() == 1
