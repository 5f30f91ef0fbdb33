"""Whose claim it is: links, codes, other people's claims and parts (norm part 4)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from tests.company import card
from tests.portal.conftest import attempts_max, code_sent, done, offered, reported, verified

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import text
from lipei.services import norms, portal, portal_limits
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = pytest.mark.django_db

PAGES = ("", "receipt", "verify", "when", "withdraw", "account", "offers/1/", "letters/receipt/0.pdf")
POSTS = ("message", "when", "withdraw", "account", "offers/1/", "papers/0", "uploads")


# --- other claims ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_gets_to_no_page_and_learns_nothing(client: Client, people: Any, page: str) -> None:
    number = reported(client)
    for wanted in (number, "999999999999999"):
        answer = Client().get(f"/claim/{wanted}/{page}")
        assert answer.status_code == 302 and answer.url == f"/claim/?number={wanted}"


@pytest.mark.parametrize("page", POSTS)
def test_who_has_a_claim_of_their_own_does_nothing_on_another(client: Client, people: Any, page: str) -> None:
    number = reported(client)
    before = models.Entry.objects.count()
    other = Client()
    own = reported(other, phone="13900139000", key="o" * 24)
    verified(other, own)
    count = models.Entry.objects.count()
    answer = other.post(f"/claim/{number}/{page}", {"text": "x", "reason": "x", "do": "decline"})
    assert answer.status_code == 302 and answer.url.startswith("/claim/?")
    assert before < count == models.Entry.objects.count()


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_altered_anywhere_opens_nothing(client: Client, people: Any) -> None:
    number = reported(client)
    path = portal.link(Visit(number, 1, verified=True), now=timezone.now())
    assert Client().get(path).status_code == 302
    for at in range(len("/c/"), len(path)):
        letter = "0" if path[at] != "0" else "1"
        altered = path[:at] + letter + path[at + 1 :]
        assert isinstance(portal.open_link(altered.removeprefix("/c/"), now=timezone.now()), Refusal), at


def test_a_link_signed_for_another_purpose_opens_nothing(client: Client, people: Any) -> None:
    number = reported(client)
    ends_at = signing.b62_encode(int(timezone.now().timestamp()) + 9999)
    forged = signing.Signer(salt="another").sign(f"{number}.1.v.{ends_at}")
    answer = client.get(f"/c/{forged}")
    assert answer.status_code == 404 and text("refusal.link", "zh-hans") in answer.content.decode()


def test_a_link_ends(client: Client, people: Any) -> None:
    number = reported(client)
    now = timezone.now()
    token = portal.link(Visit(number, 1), now=now).removeprefix("/c/")
    days = timedelta(days=norms.current().settings.portal_link_days)
    assert portal.open_link(token, now=now + days - timedelta(seconds=2)) == Visit(number, 1)
    assert isinstance(portal.open_link(token, now=now + days), Refusal)


def test_a_link_to_a_party_that_is_not_there_opens_nothing(client: Client, people: Any) -> None:
    number = reported(client)
    path = portal.link(Visit(number, 99), now=timezone.now())
    assert Client().get(path).status_code == 404


def test_a_session_ends(client: Client, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    number = reported(client)
    later = timezone.now() + timedelta(hours=norms.current().settings.session_max_hours, seconds=1)
    monkeypatch.setattr("lipei.web.portal.visits.timezone.now", lambda: later)
    assert client.get(f"/claim/{number}/").status_code == 302


# --- codes -----------------------------------------------------------------------------------------------------------


def coming_back() -> Any:
    """The newest try to come to a claim."""
    return models.PortalTry.objects.latest("id")


def ask(client: Client, number: str, phone: str) -> Any:
    return client.post("/claim/", {"number": number, "phone": phone})


def test_number_phone_and_code_open_the_claim_verified(client: Client, people: Any) -> None:
    number = reported(client)
    other = Client()
    assert ask(other, f" {number[:4]} {number[4:]}", "+86 138-0013-8000").url == "/claim/code"
    answer = other.post("/claim/code", {"code": code_sent(number, "portal_code")})
    assert answer.url == f"/claim/{number}/"
    assert other.get(f"/claim/{number}/account").status_code == 200
    assert coming_back().code_digest == ""


def test_a_code_is_good_once(client: Client, people: Any) -> None:
    number = reported(client)
    attempt = portal.ask_code(number=number, phone="13800138000", caller="a", now=timezone.now())
    assert isinstance(attempt, int)
    code = code_sent(number, "portal_code")
    assert portal.enter_code(attempt, code, now=timezone.now()) == Visit(number, 1, verified=True, proved=True)
    assert isinstance(portal.enter_code(attempt, code, now=timezone.now()), Refusal)


def test_a_code_ends_and_wrong_ones_lock_it(client: Client, people: Any) -> None:
    number = reported(client)
    now = timezone.now()
    attempt = portal.ask_code(number=number, phone="13800138000", caller="a", now=now)
    assert isinstance(attempt, int)
    code = code_sent(number, "portal_code")
    minutes = norms.current().settings.one_time_code_minutes
    late = portal.enter_code(attempt, code, now=now + timedelta(minutes=minutes))
    assert isinstance(late, Refusal) and late.code == "refusal.code_expired"
    for _ in range(attempts_max()):
        wrong = portal.enter_code(attempt, "x", now=now)
        assert isinstance(wrong, Refusal) and wrong.code == "refusal.code_wrong"
    locked = portal.enter_code(attempt, code, now=now)
    assert isinstance(locked, Refusal) and locked.code == "refusal.code_too_often"


def test_what_fits_nothing_is_answered_like_what_fits(client: Client, people: Any) -> None:
    """No page tells whether a claim exists or a phone belongs to it."""
    number = reported(client)
    pages = []
    for wanted, phone in ((number, "13800138000"), (number, "13911112222"), ("999999999999999", "13800138000")):
        other = Client()
        asked = ask(other, wanted, phone)
        seen = other.get(asked.url).content.decode()
        refused = other.post("/claim/code", {"code": "x"}).content.decode()
        pages.append(tuple(re.sub(r'value="\w{64}"', "", page) for page in (seen, refused)))
        assert asked.status_code == 302
    assert pages[0] == pages[1] == pages[2]
    assert models.Delivery.objects.filter(message="portal_code").count() == 1


def test_asking_too_often_is_refused_for_real_and_unreal_claims_alike(client: Client, people: Any) -> None:
    number = reported(client)
    most = norms.current().settings.sign_in_attempts
    for wanted in (number, "999999999999999"):
        answers = [ask(Client(), wanted, "13800138000").status_code for _ in range(most + 1)]
        assert answers == [302] * most + [429]
    later = timezone.now() + timedelta(minutes=norms.current().settings.sign_in_lock_minutes)
    assert isinstance(portal.ask_code(number=number, phone="13800138000", caller="a", now=later), int)


def test_one_address_cannot_try_claim_after_claim(client: Client, people: Any) -> None:
    most = norms.current().settings.portal_tries_per_caller
    for n in range(most):
        assert isinstance(portal.ask_code(number=str(n), phone="13800138000", caller="a", now=timezone.now()), int)
    refused = portal.ask_code(number="x", phone="13800138000", caller="a", now=timezone.now())
    assert isinstance(refused, Refusal) and refused.code == "refusal.too_many_tries"
    assert isinstance(portal.ask_code(number="x", phone="13800138000", caller="b", now=timezone.now()), int)


def test_what_was_typed_is_kept_as_digests_only(client: Client, people: Any) -> None:
    number = reported(client)
    ask(client, number, "13800138000")
    row = coming_back()
    kept = " ".join(str(value) for value in (row.about, row.caller, row.code_digest))
    assert "13800138000" not in kept and number not in kept and "127.0.0.1" not in kept
    assert code_sent(number, "portal_code") not in kept


def test_the_receipt_code_opens_an_unverified_visit_and_guessing_is_slowed(client: Client, people: Any) -> None:
    number = reported(client)
    other = Client()
    code = portal.return_code(number, 1)
    assert other.post("/claim/", {"number": number, "return_code": code.lower()}).url == f"/claim/{number}/"
    assert other.get(f"/claim/{number}/account").url.startswith(f"/claim/{number}/verify")
    most = norms.current().settings.sign_in_attempts
    answers = [Client().post("/claim/", {"number": number, "return_code": "x"}).status_code for _ in range(most)]
    assert answers == [422] * (most - 1) + [429]


def test_tries_are_forgotten_when_no_limit_counts_them(client: Client, people: Any) -> None:
    number = reported(client)
    ask(client, number, "13800138000")
    kept = models.PortalTry.objects.count()
    assert portal_limits.forget(now=timezone.now()) == 0
    assert portal_limits.forget(now=timezone.now() + timedelta(hours=23)) == 0, "a day's codes are still counted"
    assert portal_limits.forget(now=timezone.now() + timedelta(hours=25)) == kept == 2


# --- what a visit shows ----------------------------------------------------------------------------------------------


def test_reporting_with_somebodys_phone_shows_nothing_of_their_file(client: Client, people: Any) -> None:
    """The policy fills name and account in; who only typed a phone number does not get to read them."""
    number = reported(client)
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.parties[1].name == "王小明" and case.parties[1].account_number
    account = case.parties[1].account_number
    for page in PAGES:
        shown = client.get(f"/claim/{number}/{page}", follow=True).content.decode(errors="ignore")
        assert "王小明" not in shown and account[-4:] not in shown and "PC-1" not in shown


def test_sums_and_accounts_are_for_verified_visits(client: Client, people: Any) -> None:
    number = offered(client, people)
    page = client.get(f"/claim/{number}/").content.decode()
    assert "2,150.00" not in page
    for wanted in ("account", "offers/1/"):
        assert client.get(
            f"/claim/{number}/{wanted}"
        ).url == f"/claim/{number}/verify?next=%2Fclaim%2F{number}%2F" + wanted.replace("/", "%2F")
    refused = portal.act(Visit(number, 1), "offer", "decline", 1, c.Reasoned("x"), now=timezone.now())
    assert isinstance(refused, Refusal) and refused.kind == "permission"
    client.post(f"/claim/{number}/verify", {"next": f"/claim/{number}/offers/1/"})
    entered = client.post(
        "/claim/code", {"code": code_sent(number, "portal_code"), "next": f"/claim/{number}/offers/1/"}
    )
    assert entered.url == f"/claim/{number}/offers/1/"
    assert "2,150.00" in client.get(entered.url).content.decode()


def test_a_link_that_was_handed_on_does_not_lead_the_money_elsewhere(client: Client, people: Any) -> None:
    """The policy has an account on file: another one is named after a code to the phone of the party alone."""
    number = reported(client)
    other = verified(Client(), number)
    address, said = (
        f"/claim/{number}/account",
        {"account_name": "王小明", "account_number": card(7), "account_bank": "102290000000"},
    )
    assert other.get(address).url == f"/claim/{number}/verify?next=%2Fclaim%2F{number}%2Faccount"
    assert other.post(address, said).status_code == 302
    party = c.PartyReported(account_name="王小明", account_number=card(7), account_bank="102290000000")
    refused = portal.act(Visit(number, 1, verified=True), "party", "correct", 1, party, now=timezone.now())
    assert isinstance(refused, Refusal) and refused.code == "refusal.verify_first"
    assert on_file(number) != card(7)
    other.post(f"/claim/{number}/verify", {"next": address})
    assert other.post("/claim/code", {"code": code_sent(number, "portal_code"), "next": address}).url == address
    assert other.post(address, said).status_code == 302
    assert on_file(number) == card(7)


@pytest.mark.parametrize(
    "said", [{"plate": "沪A12345"}, {"policy_number": "PC-1"}, {"policy_number": "PC-1", "name": "王小明"}]
)
def test_knowing_a_name_and_a_policy_does_not_open_the_file_to_another_phone(
    client: Client, people: Any, said: dict[str, str]
) -> None:
    """Verified by a code to the phone typed, whoever typed it sees what they said themselves and nothing on file."""
    number = reported(client, phone="13600000000", **said)
    asked = portal.ask_code(number=number, phone="13600000000", caller="a", now=timezone.now())
    assert isinstance(asked, int)
    visit = portal.enter_code(asked, code_sent(number, "portal_code"), now=timezone.now())
    assert isinstance(visit, Visit) and visit.proved
    case = portal.claim_seen(visit)
    assert case is not None and case.claim.policy_id is not None, "the policy is found all the same"
    safe = portal.guarded(case, visit)
    insured = case.party("insured")
    assert insured is not None and insured.phone == "13800138000" and insured.part != visit.party
    assert safe.parties[visit.party].account_number == "" == safe.parties[insured.part].account_number
    assert safe.claim.policy_number == "" and case.claim.policy_number == "PC-1"
    assert portal.exposures_for(case, visit.party) == () == portal.offers_for(case, visit.party)


def on_file(number: str) -> str:
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None
    return case.parties[1].account_number


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_verifying_leads_to_our_own_pages_only(client: Client, people: Any, wanted: str) -> None:
    number = reported(client)
    client.post(f"/claim/{number}/verify", {"next": wanted})
    entered = client.post("/claim/code", {"code": code_sent(number, "portal_code"), "next": wanted})
    assert entered.url == f"/claim/{number}/"


def test_another_party_sees_neither_story_nor_names_nor_papers_of_others(client: Client, people: Any) -> None:
    number = reported(client, name="张先生", place="淮海路9号")
    hurt = c.PartyReported(roles=("injured", "claimant"), name="李受伤", phone="13700137000")
    case = done(number, "party", "add", 0, hurt, people.intake1)
    handler = people.handler_of(case)
    done(number, "claim", "give_opinion", 0, c.GiveOpinion("初步看属于保障范围"), handler)
    done(number, "claim", "request_papers", 0, c.RequestPapers(("driving_licence",)), handler)
    other = verified(Client(), number, party=2)
    page = other.get(f"/claim/{number}/").content.decode()
    for private in ("王小明", "淮海路9号", "后保险杠", "初步看属于保障范围", "13800138000"):
        assert private not in page
    case = portal.claim_seen(Visit(number, 2))
    assert case is not None
    theirs = {n for n, paper in case.papers.items() if paper.asked_of == 1}
    assert theirs and not theirs & set(portal.papers_for(case, 2))
    assert other.post(f"/claim/{number}/papers/{min(theirs)}", {}).status_code == 404
    assert "withdraw" not in page
    assert other.post(f"/claim/{number}/withdraw", {"reason": "x"}).status_code == 422
    assert models.Claim.objects.get(number=number).state != "withdrawn"


def test_an_offer_to_one_party_is_not_there_for_another(client: Client, people: Any) -> None:
    number = offered(client, people)
    done(
        number,
        "party",
        "add",
        0,
        c.PartyReported(roles=("injured",), name="李受伤", phone="13700137000"),
        people.intake1,
    )
    other = verified(Client(), number, party=2)
    assert other.get(f"/claim/{number}/offers/1/").url == f"/claim/{number}/"
    page = other.get(f"/claim/{number}/").content.decode()
    assert "2,150.00" not in page and text("portal.track.state.others", "zh-hans") in page
    assert other.get(f"/claim/{number}/letters/settlement/1.pdf").status_code == 404
    refused = portal.act(Visit(number, 2, verified=True), "offer", "decline", 1, c.Reasoned("x"), now=timezone.now())
    assert isinstance(refused, Refusal) and refused.kind == "missing"


def test_an_agent_acts_for_another_only_when_the_mandate_was_checked(client: Client, people: Any) -> None:
    number = offered(client, people)
    agent = c.PartyReported(
        roles=("agent",), name="代理人", phone="13700137000", acts_for=1, mandate="power_of_attorney"
    )
    case = done(number, "party", "add", 0, agent, people.intake1)
    assert portal.mine(case, 2) == {2}
    checked = c.CheckIdentity(id_type="passport", id_number="E12345678", mandate="power_of_attorney")
    case = done(number, "party", "check_identity", 2, checked, people.handler_of(case))
    assert portal.mine(case, 2) == {1, 2} and portal.offers_for(case, 2) == (1,)


def test_leaving_ends_the_visit(client: Client, people: Any) -> None:
    number = reported(client)
    client.post("/claim/leave")
    assert client.get(f"/claim/{number}/").status_code == 302


def test_pages_of_a_claim_are_stored_nowhere(client: Client, people: Any) -> None:
    number = reported(client)
    assert "no-store" in client.get(f"/claim/{number}/")["Cache-Control"]


def test_what_a_customer_writes_is_shown_as_text(client: Client, people: Any) -> None:
    number = reported(client)
    client.post(f"/claim/{number}/message", {"text": "<script>alert(1)</script>"})
    page = client.get(f"/claim/{number}/").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


# --- what the browser is told ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/", "/claim/", "/claim/code", "/claim/leave", *(f"/claim/N/{p}" for p in POSTS)])
def test_another_site_cannot_act_in_a_visitors_name(client: Client, people: Any, page: str) -> None:
    number = reported(client)
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = client.cookies
    before = models.Entry.objects.count()
    answer = forged.post(page.replace("N", number), {"text": "x", "reason": "x", "story": "x", "phone": "13800138000"})
    assert answer.status_code == 403 and models.Entry.objects.count() == before


def test_every_page_says_what_a_browser_may_do_with_it(client: Client, people: Any) -> None:
    number = reported(client)
    verified(client, number)
    for page in (
        "/",
        "/claim/",
        *(f"/claim/{number}/{p}" for p in ("", "receipt", "withdraw", "letters/receipt/0.pdf")),
    ):
        answer = client.get(page)
        assert answer.status_code == 200, page
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin" and "no-store" in answer["Cache-Control"]
    assert client.get(page)["Content-Disposition"] == f'attachment; filename="{number}-receipt.pdf"'
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_a_visit_begins_under_a_new_session(client: Client, people: Any) -> None:
    """Whoever planted a session in somebody's browser does not come in with them."""
    client.get("/claim/")
    reported(client)
    planted = client.cookies["sessionid"].value
    other = reported(client, phone="13900139000", key="o" * 24)
    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get(f"/claim/{other}/").status_code == 302


@pytest.mark.norm("4")
def test_the_phone_of_who_has_died_opens_nothing(people):
    """A code goes to nobody by it, a link of before is void, and no step is taken under it; the reporter's own works."""
    number = reported(Client(), hurt="insured_death", phone="13900139001", policy_number="PC-1", name="李芳")
    dead = next(n for n, p in portal.claim_seen(Visit(number, 1)).parties.items() if p.deceased)
    row = models.Party.objects.get(aggregate_id=models.Claim.objects.get(number=number).id, part=dead)
    assert row.phone == "13800138000", "what is on file of the insured stays"
    before = models.Delivery.objects.count()
    portal.ask_code(number=number, phone=row.phone, caller="1", now=timezone.now())
    assert models.Delivery.objects.count() == before
    client = Client()
    client.get(portal.link(Visit(number, dead, verified=True), now=timezone.now()))
    assert client.get(f"/claim/{number}/").status_code != 200
    refused = portal.act(Visit(number, dead, verified=True), "claim", "add_note", 0, c.Write("在"), now=timezone.now())
    assert refused.kind == "missing"
    portal.ask_code(number=number, phone="13900139001", caller="1", now=timezone.now())
    assert models.Delivery.objects.filter(message="portal_code", party=1).count() == 1
