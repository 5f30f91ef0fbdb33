"""Files that pages load: each address carries the digest of what it serves, so that a browser may keep it for a year."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware

FOR_PROGRAMS = ("/api/", "/metrics")


@cache
def version(name: str) -> str:
    """Ten digits of the digest of a file's content; empty where there is no such file."""
    found = finders.find(name)
    return hashlib.sha256(Path(str(found)).read_bytes()).hexdigest()[:10] if found else ""


class Versioned(StaticFilesStorage):
    """Addresses like ``/static/lipei.css?v=0f3a…``: a new content is a new address."""

    def url(self, name: str | None) -> Any:
        address = super().url(name)
        digest = version(name or "")
        return f"{address}?v={digest}" if digest else address


class Packed(GZipMiddleware):
    """Pages travel packed. Answers to programs do not: there the time of packing would be longer than the way."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> Any:  # type: ignore[override]
        if request.path_info.startswith(FOR_PROGRAMS):
            return response
        return super().process_response(request, response)
