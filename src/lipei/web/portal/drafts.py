"""What somebody typed on a page of a claim when their visit had run out: kept until they have come back, for an hour.

It stays on our side, in the session, as ciphertext: a phone that is lost tells nobody what was written.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from django.http import HttpRequest

from lipei.store import crypto

FIELDS = ("text", "reason", "loss_at", "place", "account_name", "account_number", "account_bank")
KEPT_FOR = timedelta(hours=1)
LENGTH_MAX = 4000
_KEY = "portal_draft"


def keep(request: HttpRequest, number: str, *, now: datetime) -> bool:
    """Put the words of a form aside that cannot be taken now. Whether there were any."""
    typed = {name: said[:LENGTH_MAX] for name in FIELDS if (said := request.POST.get(name, "").strip())}
    if not typed:
        return False
    said = json.dumps({"number": number, "path": request.path, "typed": typed})
    until = (now + KEPT_FOR).timestamp()
    request.session[_KEY] = [base64.b85encode(crypto.encrypt(said)).decode(), until]
    return True


def waits(request: HttpRequest, number: str, *, now: datetime) -> str:
    """The path of the form of this claim whose words are kept; empty for none."""
    return str(_kept(request, number, now)[0])


def take(request: HttpRequest, number: str, *, now: datetime) -> dict[str, str]:
    """The words kept for the form that is now being shown; they are kept no longer."""
    path, typed = _kept(request, number, now)
    if not typed or not _belongs(path, request.path):
        return {}
    del request.session[_KEY]
    return typed


def drop(request: HttpRequest) -> None:
    """Keep nothing any longer: somebody else may use this phone next."""
    request.session.pop(_KEY, None)


def _belongs(path: str, page: str) -> bool:
    """A message is written on the page of the claim and sent to an address of its own."""
    return path == page or path.removesuffix("message") == page


def _kept(request: HttpRequest, number: str, now: datetime) -> tuple[str, dict[str, str]]:
    sealed, until = request.session.get(_KEY, ("", 0.0))
    if not sealed or until <= now.timestamp():
        return "", {}
    try:
        said = json.loads(crypto.decrypt(base64.b85decode(sealed)))
    except (InvalidTag, ValueError):
        return "", {}
    return (said["path"], said["typed"]) if said["number"] == number else ("", {})
