"""TC3-HMAC-SHA256, the signature of Tencent Cloud's API 3.0, for both ends: the client signs, the counterpart checks.

Published at https://cloud.tencent.com/document/api/382/52072 with a worked example, which is our test vector. Only what
SMS needs: POST of a JSON body to "/".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json; charset=utf-8"


def authorization(
    *,
    secret_id: str,
    secret_key: str,
    service: str,
    timestamp: int,
    payload: bytes,
    headers: Mapping[str, str],
) -> str:
    """The Authorization header over a payload and the headers given (at least content-type and host).

    ``timestamp`` is in Unix seconds; its UTC day is part of the signature.
    """
    names = ";".join(sorted(name.lower() for name in headers))
    scope = f"{_day(timestamp)}/{service}/tc3_request"
    signed = signature(secret_key=secret_key, service=service, timestamp=timestamp, payload=payload, headers=headers)
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={signed}"


def signature(*, secret_key: str, service: str, timestamp: int, payload: bytes, headers: Mapping[str, str]) -> str:
    """The signature alone, in hex."""
    day = _day(timestamp)
    to_sign = "\n".join(
        (ALGORITHM, str(timestamp), f"{day}/{service}/tc3_request", _sha256(_canonical_request(payload, headers)))
    )
    key = _hmac(f"TC3{secret_key}".encode(), day)
    for part in (service, "tc3_request"):
        key = _hmac(key, part)
    return _hmac(key, to_sign).hex()


def _canonical_request(payload: bytes, headers: Mapping[str, str]) -> bytes:
    lowered = sorted((name.lower().strip(), value.lower().strip()) for name, value in headers.items())
    lines = "".join(f"{name}:{value}\n" for name, value in lowered)
    names = ";".join(name for name, _ in lowered)
    return f"POST\n/\n\n{lines}\n{names}\n{_sha256(payload)}".encode()


def _day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
