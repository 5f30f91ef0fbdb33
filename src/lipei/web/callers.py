"""From where a request comes: what limits on guessing and on reports count by."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest

IPV6_PREFIX = 64
"""An IPv6 subscriber has a whole network of this size to call from: it is one caller."""


def address(request: HttpRequest, *args: Any) -> str:
    """The caller's address. Behind ``LIPEI_PROXIES`` proxies it is the one that the outermost of ours saw.

    What a caller writes into X-Forwarded-For stands further left than what our proxies add, and is not believed.
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    proxies = int(settings.LIPEI_PROXIES)
    said = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    return _plain(said[-proxies] if 0 < proxies <= len(said) else direct) or _plain(direct)


def _plain(text: str) -> str:
    """An address in one spelling, of IPv6 its network; empty for what is none."""
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False).network_address)
    return str(found)
