"""Payees (收款人): the account that money goes to, and what was approved for another one (norm part 4)."""

from __future__ import annotations

from lipei.domain import accounts
from lipei.domain.claims import Party
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Value
from lipei.domain.lifecycle import holders


def typed_by(ask: Ask, number: str) -> str:
    """Who typed an account that is not the one on the policy's file, where they could let money go to it themselves:
    somebody else does then. Who takes reports and pays nobody leaves the way free for the rule.
    """
    giver = ask.actor.on_behalf_of or ask.actor.id
    known = accounts.compact_account(number=ask.world.on_file.get("account_number", ""))
    typed = number and accounts.compact_account(number=number) != known
    pays = not ask.actor.roles.isdisjoint(holders("payment.approve_payment"))
    return giver if typed and pays and giver.startswith("staff:") else ""


def account_fields(
    ask: Ask, payee: Party, name: str, number: str, bank: str
) -> tuple[dict[str, Value], dict[str, str]]:
    """A new account for a party, or what is wrong with it."""
    plain = accounts.compact_account(number=number)
    kind = accounts.account_kind(number=plain)
    code = accounts.check_account(number=plain, kind=kind)
    if code:
        return {}, {"account_number": code}
    owner = name.strip() or payee.account_name or payee.name
    if accounts.match_names(account_name=owner, payee_name=payee.name) == "different":
        return {}, {"account_name": "refusal.account_name_differs"}
    return {
        "account_name": owner,
        "account_number": plain,
        "account_kind": kind,
        "account_bank": bank.strip() or payee.account_bank,
        "account_checked_at": ask.now,
        "account_by": ask.actor.id,
    }, {}


def approved_anew(ask: Ask, payee: Party, *, but: int = 0) -> list[Change]:
    """Orders that were approved for another account, or somebody known otherwise, wait for approval again.

    One that is on its way stays so without its approvals: what the bank has is not touched, what it has not yet never
    leaves (`services/bank`), and if it comes back it is approved anew.
    """
    back = {"ordered": "ordered", "approved": "ordered", "submitted": "submitted", "failed": "failed"}
    return [
        Change("payment", n, {"state": back[p.state], "approved_by": ()})
        for n, p in ask.case.payments.items()
        if n != but and p.payee == payee.part and p.state in back and p.approved_by
    ]
