"""The expert's page: what waits for one's opinion with the form to give it, what one said, what came of it (norm 2.2.3)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lipei.domain import lifecycle
from lipei.domain.commands import Opine
from lipei.reads import consultations as reads
from lipei.web import forms
from lipei.web.console import as_workbook
from lipei.web.console.claim_page import address
from lipei.web.console.shell import show, who
from lipei.web.templatetags.lipei import language


@require_GET
def consultations(request: HttpRequest) -> HttpResponse:
    """The first one that waits is open to be answered, or the one that ``open`` names (``number/part``)."""
    found = reads.mine(who(request), language=language())
    if as_workbook.asked(request):
        groups = [("waiting", found.waiting), ("spoken", found.spoken), ("concluded", found.concluded)]
        return show(request, "consultations_table", groups=groups)
    asked = request.GET.get("open", "")
    named = next((a for a in (*found.waiting, *found.spoken) if f"{a.number}/{a.part}" == asked), None)
    opened = named or next(iter(found.waiting), None)
    return show(request, "consultations", "consultations", found=found, opened=opened, **_form(opened))


def _form(opened: reads.Asked | None) -> dict[str, Any]:
    """The form of the opinion: it goes where that of the claim's page goes, and says the same where something is wrong."""
    if opened is None:
        return {}
    step = lifecycle.BY_ACTION["consultation", "opine"]
    offers = forms.Offers(currency=opened.currency, labels={"text": "field.expert_opinion"})
    return {
        "where": address(opened.number, step, opened.part),
        "fields": forms.draw(Opine, forms.typed_of(Opine()), offers),
    }
