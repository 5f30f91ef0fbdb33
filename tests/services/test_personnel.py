"""Who works here and what they may do stands on record, and whatever is altered behind the record is found (norm part 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.company import NOW, company

from lipei.domain.events import Refusal
from lipei.domain.registers import PeopleRegister
from lipei.services import people, personnel, staffing, tokens, verify, webhooks
from lipei.store import journal, models

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def us() -> Any:
    """The company of the tests, with somebody changed in it: from then on the register is there."""
    made = company()
    change(made, "handler1", skills=("motor",))
    return made


def change(us: Any, code: str, **fields: Any) -> Any:
    done = people.save(code=code, fields=fields, actor=us.admin1, now=NOW)
    assert not isinstance(done, Refusal), done
    return done


def told() -> list[tuple[str, str, Any]]:
    rows = models.Entry.objects.filter(stream_kind=PeopleRegister.kind).order_by("sequence")
    return [(row.kind, row.actor, journal.said(row.payload)[0]) for row in rows]


def found() -> set[tuple[str, str]]:
    return {(d.place, d.detail) for d in verify.differences(now=NOW) if d.comparison == "people"}


def everything(us: Any) -> SimpleNamespace:
    """A member of staff, an absence, lent authority, a token and a webhook, each made by the product."""
    staff = change(us, "new1", name="新人", roles=("handler",), unit="motor")
    people.away(
        staff_id=us.handler1.staff_id, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY, reason="年休假", reassign=False,
        actor=us.lead1, now=NOW,
    )  # fmt: skip
    lent = people.lend(
        giver_id=us.lead1.staff_id, taker_id=us.handler1.staff_id, kinds=("advance",), starts_at=NOW, ends_at=NOW + DAY,
        actor=us.lead1, now=NOW,
    )  # fmt: skip
    assert isinstance(tokens.make("partner", ["claims:read"], now=NOW, by=us.admin1), str)
    made = webhooks.subscribe(webhooks.Subscribe("https://example.com/"), actor=us.admin1, now=NOW)
    assert isinstance(made, str)
    return SimpleNamespace(
        staff=staff, absence=models.Absence.objects.get(), lent=lent, token=models.ApiToken.objects.get(),
        webhook=models.Webhook.objects.get(),
    )  # fmt: skip


@pytest.mark.norm("1.4.3")
def test_a_role_that_is_given_stands_on_record_with_who_gave_it(us):
    change(us, "handler1", roles=("handler", "team_lead"), phone="13700009999")
    kind, actor, facts = told()[-1]
    what = facts["staff"][str(us.handler1.staff_id)]
    assert (kind, actor) == (personnel.SAVED, us.admin1.id)
    assert what == {"new": False, "values": {"roles": (("handler",), ("handler", "team_lead"))}, "besides": ("phone",)}
    assert "13700009999" not in str(told()), "personal data is no part of the journal"
    last = personnel.history(us.handler1.staff_id)[0]
    assert (last.at, last.by, last.besides) == (NOW, us.admin1.id, ("phone",))
    assert found() == set()


def test_saving_without_a_change_says_nothing(us):
    before = len(told())
    change(us, "handler1", skills=("motor",))
    assert len(told()) == before


def test_a_new_code_and_a_new_password_are_said_and_the_password_is_not(us):
    row = models.Staff.objects.get(code="handler1")
    wanted = staffing.on_record(row.id)
    saved = staffing.save(
        staffing.SaveStaff(
            code="handler9", name=wanted.name, roles=wanted.roles, unit=wanted.unit, skills=wanted.skills,
            username="handler9", password="correct-horse-battery",
        ),
        staff_id=row.id, actor=us.admin1, now=NOW,
    )  # fmt: skip
    assert saved == row.id
    what = told()[-1][2]["staff"][str(row.id)]
    assert what["values"]["code"] == ("handler1", "handler9")
    assert {"password", "username", "user_id"} <= set(what["besides"])
    assert "correct-horse" not in str(told()) and found() == set()


def test_each_change_is_an_entry_and_the_whole_is_clean(us):
    made = everything(us)
    assert people.take_back(delegation_id=made.lent.id, actor=us.lead1, now=NOW) is None
    assert staffing.back(made.absence.id, actor=us.lead1, now=NOW) is None  # it had not begun: it is gone
    assert tokens.revoke("partner", now=NOW, by=us.admin1) is None
    assert webhooks.stop(made.webhook.id, actor=us.admin1, now=NOW) is None
    assert [kind for kind, _, _ in told()] == [
        "people.begun", "people.staff_saved", "people.staff_saved", "people.away", "people.lent", "people.token_made",
        "people.webhook_made", "people.taken_back", "people.back", "people.token_revoked", "people.webhook_stopped",
    ]  # fmt: skip
    assert not models.Absence.objects.exists() and found() == set()


ALTERED: dict[str, Callable[[Any], Any]] = {
    "staff": lambda made: models.Staff.objects.filter(id=made.staff.id).update(roles=("handler", "manager")),
    "absence": lambda made: models.Absence.objects.filter(id=made.absence.id).update(ends_at=NOW + 9 * DAY),
    "lent": lambda made: models.Delegation.objects.filter(id=made.lent.id).update(kinds=("advance", "pay")),
    "token": lambda made: models.ApiToken.objects.filter(id=made.token.id).update(scopes=("claims:write",)),
    "webhook": lambda made: models.Webhook.objects.filter(id=made.webhook.id).update(url="https://evil.example/"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_is_altered_past_the_product_is_found_and_named(us, what):
    made = everything(us)
    number, last = getattr(made, what).id, len(told())
    ALTERED[what](made)
    ((place, detail),) = found()
    assert place == f"{what}/{number}" and detail.startswith("is not what entry ") and int(detail.split()[4]) <= last


def test_what_is_added_or_removed_past_the_product_is_found(us):
    made = everything(us)
    models.Delegation.objects.filter(id=made.lent.id).delete()
    one = models.Staff.objects.create(code="ghost", name="影子", roles=("manager",))
    assert {(place, detail.split(" ")[0]) for place, detail in found()} == {
        (f"lent/{made.lent.id}", "what"),
        (f"staff/{one.id}", "no"),
    }


def test_who_was_there_before_the_record_began_is_on_it():
    us = company()
    assert told() == [] and found() == set()
    change(us, "handler2", unit="medical")
    models.Staff.objects.filter(code="handler1").update(roles=("manager",))
    row = models.Staff.objects.get(code="handler1")
    assert found() == {(f"staff/{row.id}", "is not what entry 1 made of it")}


def test_a_company_that_was_there_before_is_put_on_record_when_it_is_brought_up_to_date():
    personnel.begin(now=NOW)
    assert told() == [], "nobody is here yet"
    company()
    personnel.begin(now=NOW)
    personnel.begin(now=NOW)
    assert [kind for kind, _, _ in told()] == ["people.begun"] and found() == set()
    models.Staff.objects.filter(code="handler1").update(active=False)
    assert len(found()) == 1


def test_a_refused_change_leaves_nothing_on_record(us):
    before = told()
    refused = people.save(code="admin1", fields={"roles": ("administrator", "manager")}, actor=us.admin1, now=NOW)
    assert isinstance(refused, Refusal) and told() == before
