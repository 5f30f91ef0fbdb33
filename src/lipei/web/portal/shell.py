"""What surrounds the customers' pages: help, size of type, and what lets a phone keep them at hand without a network."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from lipei.norms.texts import LANGUAGES, text, texts
from lipei.services import norms
from lipei.web.portal.visits import SIZE_COOKIE, SIZES, page
from lipei.web.templatetags.lipei import language
from lipei.web.views import back, remember

SHELL = ("lipei.css", "portal/portal.css", "portal/portal.js", "dist/icons.svg", "mark.svg", "portal/icon-192.png")
"""Files that the page for a dead spot needs; a service worker keeps them, and nothing that belongs to a person."""
ICON_PIXELS = (192, 512)
MINUTE_SECONDS = 60


@never_cache
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What to do now: a short safe list per line of business, and the numbers to call."""
    return page(request, "help", kinds=safe_lists(), asked=request.GET.get("kind", ""))


def safe_lists() -> list[tuple[str, list[str]]]:
    """Per line that the company sells: the text keys of what to do now, in order."""
    lines = [line.code for line in norms.current().lines.lines.values() if line.products]
    return [(line, found) for line in lines if (found := _steps_of(line))]


def _steps_of(line: str) -> list[str]:
    found: list[str] = []
    while (key := f"portal.help.{line}.{len(found) + 1}") in texts():
        found.append(key)
    return found


@require_POST
def text_size(request: HttpRequest) -> HttpResponse:
    """Remember the size of type in a cookie. An unknown one changes nothing."""
    wanted = request.POST.get("size", "")
    response = HttpResponseRedirect(back(request))
    if wanted in SIZES:
        remember(response, SIZE_COOKIE, wanted)
    return response


@require_safe
@cache_control(private=True, max_age=MINUTE_SECONDS)
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest: under which name and sign a phone keeps the portal."""
    name = norms.current().settings[f"company_name_{language().replace('-', '_')}"]
    icons = [
        {"src": static(f"portal/icon-{n}.png"), "sizes": f"{n}x{n}", "type": "image/png", "purpose": purpose}
        for n in ICON_PIXELS
        for purpose in ("any", "maskable")
    ]
    said = {
        "id": "/", "name": name, "short_name": text("portal.app.name", language()), "lang": language(),
        "description": text("portal.report.lead", language()), "start_url": reverse("portal:report"), "scope": "/",
        "display": "standalone", "background_color": "#f4f6f8", "theme_color": "#0b5f8a", "icons": icons,
        "shortcuts": [
            {"name": text(f"portal.nav.{key}", language()), "url": reverse(f"portal:{where}")}
            for key, where in (("report", "report"), ("track", "enter"), ("help", "help"))
        ],
    }  # fmt: skip
    return JsonResponse(said, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})


@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root so that it may answer for every page of the portal."""
    kept = [*(static(name) for name in SHELL), *(reverse("portal:offline", args=[spoken]) for spoken in LANGUAGES)]
    said = json.dumps({"shell": kept, "offline": reverse("portal:offline", args=["LANGUAGE"])})
    company = norms.current().settings
    about = f"{said}{_source()}{company.company_phone}{company.company_name_en}{company.company_name_zh_hans}"
    version = hashlib.sha256(about.encode()).hexdigest()[:12]
    return HttpResponse(f'const VERSION = "{version}", KEPT = {said};\n{_source()}', content_type="text/javascript")


@cache
def _source() -> str:
    return Path(str(finders.find("portal/worker.js"))).read_text(encoding="utf-8")


@require_safe
@cache_control(public=True, no_cache=True)
def offline(request: HttpRequest, spoken: str) -> HttpResponse:
    """The page for a dead spot, in one language: the same for everybody, so that a phone may keep it."""
    if spoken not in LANGUAGES:
        raise Http404
    with translation.override(spoken):
        return page(
            request, "offline", kinds=safe_lists(), html_language=spoken, theme="auto", text_size="normal",
            company_name=norms.current().settings[f"company_name_{spoken.replace('-', '_')}"],
        )  # fmt: skip
