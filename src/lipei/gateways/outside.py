"""Calls to addresses that somebody typed: they reach the world outside, never a machine of the company's own network.

A name is looked up here, every address it has is looked at, and the call goes to one of those, so that a name which
points elsewhere a moment later leads nowhere else. Redirects are not followed.
"""

from __future__ import annotations

import socket
from collections.abc import Collection

import httpx

from lipei.gateways.addresses import is_public


class AddressInside(httpx.TransportError):
    """The host has an address that is not of the public network."""


class Outside(httpx.HTTPTransport):
    """A transport to public addresses. ``inside``: hosts by name that may be called wherever they are."""

    def __init__(self, inside: Collection[str]) -> None:
        super().__init__()
        self._inside = frozenset(host.lower().strip("[]") for host in inside)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host.lower() not in self._inside:
            address = public_address(host, request.url.port or 443)
            request.extensions = {**request.extensions, "sni_hostname": host}  # the certificate is still the name's
            request.url = request.url.copy_with(host=address)
        return super().handle_request(request)


def public_address(host: str, port: int) -> str:
    """One address of a host, all of which are public. Raises AddressInside, or httpx.ConnectError for an unknown host."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} is not known") from error
    for address in found:
        if not is_public(address):
            raise AddressInside(host)
    return min(found, key=lambda address: (":" in address, address))
