"""Files that pages load: each address carries the digest of what it serves, so that a browser may keep it for a year."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache, cached_property
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response

FOR_PROGRAMS = ("/api/", "/metrics")
WORTH = 0.9
"""A file travels packed where that makes it smaller than so much of what it was: pictures are packed already."""


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


@cache
def _content(path: str, changed_ns: int) -> bytes:
    """What a file holds. ``changed_ns`` tells one version of it from the next."""
    return Path(path).read_bytes()


class Held:
    """A file as it was when the process began. Replaced on the disk, it goes on as it was under the address that the
    pages of this process name; the process that begins after an update serves the new one."""

    def __init__(self, path: str, headers: Mapping[str, str]) -> None:
        self.plain = _content(path, Path(path).stat().st_mtime_ns)
        etag = f'"{hashlib.sha256(self.plain).hexdigest()[:16]}"'
        self.headers = {**headers, "ETag": etag, "Vary": "Accept-Encoding"}

    @cached_property
    def packed(self) -> bytes:
        """Packed when somebody first asks for it; empty where that is not worth it."""
        packed = gzip.compress(self.plain, mtime=0)
        return packed if len(packed) < len(self.plain) * WORTH else b""

    def get_response(self, method: str, asked: Mapping[str, str]) -> Any:
        """The file, or that it is what the browser has already."""
        if method not in ("GET", "HEAD"):
            return Response(HTTPStatus.METHOD_NOT_ALLOWED, [("Allow", "GET, HEAD")], None)
        if self.headers["ETag"] in asked.get("HTTP_IF_NONE_MATCH", ""):
            return Response(HTTPStatus.NOT_MODIFIED, self.headers.items(), None)
        body, headers = self.plain, {**self.headers}
        if "gzip" in asked.get("HTTP_ACCEPT_ENCODING", "") and self.packed:
            body, headers["Content-Encoding"] = self.packed, "gzip"
        headers["Content-Length"] = str(len(body))
        return Response(HTTPStatus.OK, headers.items(), BytesIO(body) if method == "GET" else None)


class Files(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Files that pages load, out of memory and packed. All are read at start, so that each keeps the address it had."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for url in self.files:
            version(url.removeprefix(self.static_prefix))

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Held:
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        return Held(path, dict(headers.items()))


class Packed(GZipMiddleware):
    """Pages travel packed. Answers to programs do not: there the time of packing would be longer than the way."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> Any:  # type: ignore[override]
        if request.path_info.startswith(FOR_PROGRAMS):
            return response
        return super().process_response(request, response)
