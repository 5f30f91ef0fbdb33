"""Permissions: role × what × scope, deny by default, for administrators too (norm part 4).

Who may take which step on a claim stands in `lifecycle.STEPS`. Here stands the rest: who may look at claims and how far,
who may do what beside claims. Pages draw their menus from it, services and the API are guarded by it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lipei.domain.events import Actor

ROLES = (
    "intake", "handler", "surveyor", "assessor", "approver", "team_lead", "manager", "finance", "expert", "investigator",
    "compliance", "administrator",
)  # fmt: skip

SCOPES = ("own", "unit", "company")
"""Each contains the one before. ``own``: handled by oneself, or put to oneself (survey, consultation, duty)."""

VIEW: Mapping[str, str] = {
    "intake": "company",
    "handler": "unit",
    "surveyor": "unit",
    "assessor": "unit",
    "approver": "company",
    "team_lead": "unit",
    "manager": "company",
    "finance": "company",
    "expert": "own",
    "investigator": "company",
    "compliance": "company",
    "program": "company",
}
"""Who sees claims, and how far. An administrator runs the system and sees no claims."""

EDIT: Mapping[str, tuple[str, ...]] = {
    "settings": ("manager", "administrator"),
    "calendars": ("manager", "administrator"),
    "promises": ("manager",),
    "lines": ("manager", "administrator"),
    "triage": ("manager",),
    "assignment": ("manager", "team_lead"),
    "duty": ("manager", "team_lead"),
    "authority": ("manager",),
    "straight_through": ("manager",),
    "papers": ("manager",),
    "surveys": ("manager",),
    "messages": ("manager", "administrator"),
    "jobs": ("administrator",),
    "opinions": ("manager", "team_lead"),
    "hints": ("manager", "team_lead"),
    "reserves": ("manager",),
    "products": ("manager",),
}
"""Who edits which table of rules. As a permission: ``norm.<table>``."""

MAY: Mapping[str, tuple[str, ...]] = {
    "personal_data.see": (
        "intake",
        "handler",
        "surveyor",
        "assessor",
        "approver",
        "team_lead",
        "manager",
        "finance",
        "investigator",
        "compliance",
    ),
    "accounts.see": ("handler", "finance", "team_lead", "manager"),
    "approvals.see": ("approver", "team_lead", "manager", "finance", "assessor"),
    "team.see": ("team_lead", "manager"),
    "payments.see": ("finance", "team_lead", "manager"),
    "bank.files": ("finance",),
    "norms.see": ROLES,
    "norms.edit": tuple(role for role in ROLES if any(role in roles for roles in EDIT.values())),
    **{f"norm.{table}": roles for table, roles in EDIT.items()},
    "staff.edit": ("manager", "administrator"),
    "absences.edit": ("team_lead", "manager"),
    "delegations.edit": ("approver", "team_lead", "manager"),
    "tokens.edit": ("administrator",),
    "webhooks.edit": ("administrator",),
    "policies.see": ("intake", "handler", "team_lead", "manager", "investigator"),
    "prenotices.write": ("intake", "handler", "team_lead", "manager"),
    "health.see": ("administrator", "manager"),
    "timeline.see": tuple(VIEW),
}


def may(actor: Actor, what: str) -> bool:
    """Whether the actor may do something that is not a step on a claim. Unknown permissions are denied."""
    return bool(actor.roles & set(MAY.get(what, ())))


def view_scope(actor: Actor) -> str:
    """The widest scope in which the actor sees claims; empty: none."""
    found = [VIEW[role] for role in actor.roles if role in VIEW]
    return max(found, key=SCOPES.index, default="")
