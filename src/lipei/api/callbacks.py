"""What providers call: delivery reports of short messages (norm 2.4.1). In the provider's form, not in that of the API.

No token proves who calls, but what the channel itself asks for: a signature, or a key in the address that only the
provider was told (`callback_address`).
"""

from __future__ import annotations

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lipei.api import calls, problems
from lipei.api.problems import Problem
from lipei.gateways.channels import CallbackRefused
from lipei.services import deliveries

TAKEN = {"result": 0, "errmsg": "OK"}
"""What the provider wants to hear, else it calls again."""

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def sms(request: HttpRequest) -> HttpResponse:
    """Take in delivery reports. 403 for a call that is not the provider's, 400 for one that is not in its form."""
    try:
        concerned = deliveries.report(
            "sms", request.body, request.headers, query=request.GET.dict(), now=calls.now()
        )  # fmt: skip
    except CallbackRefused as refused:
        log.warning("callback refused", why=refused.code)
        if refused.code == "unsigned":
            return problems.answer(request, Problem(403, "refusal.token_wrong"))
        return problems.answer(request, Problem(400, "refusal.not_json"))
    except RequestDataTooBig:
        return problems.answer(request, Problem(413, "refusal.body_too_large"))
    except UnreadablePostError:
        return problems.answer(request, Problem(400, "refusal.not_json"))
    log.info("delivery reports taken in", concerned=concerned)
    return JsonResponse(TAKEN)


def urlpatterns() -> list[URLPattern]:
    """Addresses below ``/api/``."""
    return [path("callbacks/sms", sms, name="callback-sms")]
