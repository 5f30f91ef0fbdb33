"""Addresses of the network, as they are written: which of them lead to the world outside."""

from __future__ import annotations

import ipaddress


def is_public(address: str) -> bool:
    """Whether an address is of the public network: not private, local, reserved or for many at once."""
    known = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return known.is_global and not known.is_multicast
