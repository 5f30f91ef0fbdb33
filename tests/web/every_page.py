"""Every page of the console by somebody who opens it: whatever looks at all pages looks at these."""

from __future__ import annotations

import os
from typing import NamedTuple

from tests.company import PEOPLE

from lipei.domain.events import Actor
from lipei.norms import loader
from lipei.norms.texts import LANGUAGES
from lipei.web.console.access import PAGES, allowed
from lipei.web.console.urls import urlpatterns

NO_PAGES = {
    *("work-take", "worklist-export", "work-bulk-done", "work-bulk-undo", "work-view-keep", "work-view-change"),
    *(
        "claims-export",
        "finance-export",
        "bank-file",
        "bank-cleared",
        "bank-release",
        "bank-upload",
        "bank-submit",
        "norm-version",
    ),
    *(
        "absence-end",
        "delegation-end",
        "token-revoke",
        "webhook-stop",
        "webhook-again",
        "palette",
        "visits-worker",
        "visit-photo",
        "visit-small",
    ),
    *("claim-pulse", "claim-unmask", "claim-upload", "claim-document", "claim-letter"),
    "message-letter",
    "staff-session-end",
}
"""Addresses that do something, answer with a file or a part of a page, or show a page that stands here already."""


def pages(number: str, staff: int) -> dict[str, dict[str, str]]:
    """Code of a member of staff → name of a page → its path; of a claim of `full_claim` and a member of staff.

    Nobody's code ("") for pages outside of the console. A page with several faces stands here once per face.
    """
    return {
        "manager1": {
            "home": "console/",
            "worklist": "console/work/",
            "work-bulk": "console/work/several/",
            "claims": "console/claims/",
            "claim": f"console/claims/{number}/",
            "receipt": f"console/claims/{number}/receipt/",
            "part-act": f"console/claims/{number}/exposures/1/advance/",
            "claim-act": f"console/claims/{number}/add_note/",
            "report": "console/report/",
            "prenotices": "console/prenotices/",
            "norms": "console/norms/",
            "norm": "console/norms/settings/",
            "norm/papers": "console/norms/papers/",
            "norm/products": "console/norms/products/",
            "norm/terms": "console/norms/products/?of=private_car-2",
            "norm/terms-step": "console/norms/products/edit/?of=private_car-2&part=limits/0",
            "norm-edit": "console/norms/duty/edit/",
            "norm-edit/promises": "console/norms/promises/edit/",
            "staff": "console/staff/",
            "absences": "console/absences/",
            "delegations": "console/delegations/",
            "duty": "console/duty/",
            "duty-plan": "console/duty/plan/",
            "calendar": "console/calendar/",
            "calculation": "console/calculation/",
            "look": "console/look/",
            "tour": "console/tour/",
            "accounts/2fa": "accounts/2fa/",
            "accounts/sessions": "accounts/sessions/",
        },
        "lead1": {"team": "console/team/"},
        "approver1": {"approvals": "console/approvals/"},
        "finance1": {"finance": "console/finance/", "payments": "console/payments/"},
        "expert1": {"consultations": "console/consultations/"},
        "surveyor1": {"visits": "console/visits/", "visit": f"console/visits/{number}/1/"},
        "admin1": {
            "tokens": "console/tokens/",
            "webhooks": "console/webhooks/",
            "health": "console/health/",
            "failed": "console/health/failed/",
            "calculation": "console/calculation/",
            "messages": "console/messages/",
            "setup": "console/setup/",
            "staff-new": "console/staff/new/",
            "staff-edit": f"console/staff/{staff}/",
        },
        "": {"accounts/login": "accounts/login/"},
    }


def tables() -> dict[str, str]:
    """Name of a norm table → the path of its page."""
    return {f"norm/{table}": f"console/norms/{table}/" for table in loader.TABLES}


def unlooked_at() -> set[str]:
    """Names of the console's addresses that stand in neither list."""
    looked_at = {name.partition("/")[0] for found in pages("0", 0).values() for name in found}
    return {str(one.name) for one in urlpatterns} - looked_at - NO_PAGES


LOOKS = ("light", "dark")
EVERYTHING = bool(os.environ.get("LIPEI_TEST_EVERYTHING"))
"""Whether each page is looked at in every role, and not only once in each language by readers who take turns."""


class Visit(NamedTuple):
    """Somebody opens a page in a language and a look, for the ``turn``-th time; ``first`` marks one visit in each language."""

    code: str
    name: str
    path: str
    language: str
    look: str
    turn: int

    @property
    def first(self) -> bool:
        return self.turn < len(LANGUAGES)


def readers(name: str) -> list[str]:
    """Codes of those who may open a page, one for each role; nobody's ("") where one is not signed in yet."""
    if name == "accounts/login":
        return [""]
    wanted = PAGES.get(name.partition("/")[0], "staff")
    roles = {code: frozenset(roles) for code, roles in PEOPLE.items() if code.endswith("1")}
    return [code for code, held in roles.items() if allowed(wanted, Actor("staff:0", code, held))]


def visits(number: str, staff: int) -> list[Visit]:
    """Every page in all languages and both looks, each time by another role; with `EVERYTHING` in every role that may open it."""
    found = []
    paths = {name: path for named in pages(number, staff).values() for name, path in named.items()}
    for shift, (name, path) in enumerate(paths.items()):
        codes = readers(name)
        for n in range(max(len(codes) if EVERYTHING else 0, len(LANGUAGES))):
            turn = shift + n  # another role is first on the next page, so that each role meets all languages
            language, look = LANGUAGES[turn % len(LANGUAGES)], LOOKS[turn % len(LOOKS)]
            found.append(Visit(codes[turn % len(codes)], name, path, language, look, n))
    return found
