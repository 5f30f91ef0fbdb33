"""Takes the pictures of docs/pictures from a demonstration company made and served for it.

    make pictures [ARGS="--into FOLDER claim worklist …"]

It needs Chromium (CHROMIUM names another than /usr/bin/chromium) and the development packages. Chinese is set in the
letters' own fonts, so that the pictures look alike on every machine. Nothing is sent: forms are filled in for the picture
and left. `tests/browser/test_pictures.py` takes them too and compares.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import server  # noqa: E402  (a tool is run as a file: the project's folder is not on the path before)

PICTURES = ROOT / "docs/pictures"
FONTS = ROOT / "src/lipei/gateways/letters/fonts"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
COLOURS = 128
BYTES_MAX = 150_000
BYTES_MAX_TOGETHER = 3_000_000
STARTS_SECONDS_MAX = 300
LANGUAGES = {"zh": "zh-hans", "en": "en"}
"""Folder of the pictures → language of the pages."""
CUSTOMER = "customer"
LOOKED_UP_MS = 800
"""So long after the last letter a form has begun to look up what is on file."""
TOP_PX = 140
"""What stands over every page of the console while one scrolls, and a little air."""
FONTCONFIG = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir>
<match target="pattern"><edit name="family" mode="prepend_first" binding="strong"><string>Noto Sans SC</string></edit></match>
</fontconfig>"""

DESK: ViewportSize = {"width": 1280, "height": 860}
LOW: ViewportSize = {"width": 1280, "height": 640}
PHONE: ViewportSize = {"width": 390, "height": 800}
STORY = {
    "zh": "今天早上在停车场倒车时撞到柱子，后保险杠裂了，人没事。",
    "en": "This morning I backed into a pillar in the car park. The rear bumper is cracked; nobody is hurt.",
}
PLATE = dict.fromkeys(LANGUAGES, "{plate}")
ACCOUNT = {
    "zh": "今天早上倒车时撞到停车场的柱子，后保险杠坏了。",
    "en": "This morning I backed into a pillar of the car park. The rear bumper is broken.",
}
OPINION = {
    "zh": "照片与经过相符，金额合理，不必扩大检查。",
    "en": "The photos fit the story and the sum is reasonable; no wider examination is needed.",
}
TRIAL = {
    "#f-schedule-sum_insured_minor": dict.fromkeys(LANGUAGES, "8000"),
    "#f-schedule-article_limit_minor": dict.fromkeys(LANGUAGES, "2000"),
    "#f-schedule-deductible_minor": dict.fromkeys(LANGUAGES, "100"),
    "#f-items-0-what": {"zh": "行李箱", "en": "Suitcase"},
    "#f-items-0-assessed": dict.fromkeys(LANGUAGES, "2600"),
}
"""A lost suitcase, tried with the terms of a travel insurance."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, in every language: whose page (a role, `CUSTOMER`, or nobody's), where, how large the window is.

    ``path`` may name ``{number}`` and ``{part}``: what waits for the role (see `lipei.services.demo.doors`), ``{handled}`` for
    a claim in the middle of its way, and for a customer ``{claim}`` and ``{offer}``, the pages of their own. ``at``: the
    element that is to stand on top. ``typed``: what is filled in, by selector. ``press``: an element to press before the
    picture.
    """

    name: str
    role: str
    path: str
    size: ViewportSize = field(default_factory=lambda: DESK)
    at: str = ""
    typed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    press: str = ""


PICTURES_TAKEN: tuple[Picture, ...] = (
    Picture("portal", CUSTOMER, "{claim}", PHONE),
    Picture("portal-report", "", "/report/", PHONE, typed={"#story": ACCOUNT}),
    Picture("portal-offer", CUSTOMER, "{offer}", PHONE),
    Picture("intake", "intake", "/console/report/", DESK, typed={"#f-story": STORY, "#f-plate": PLATE}),
    Picture("worklist", "handler", "/console/work/"),
    Picture("claim", "handler", "/console/claims/{handled}/"),
    Picture("visits", "surveyor", "/console/visits/", PHONE),
    Picture("visit", "surveyor", "/console/visits/{number}/{part}/", PHONE, at="#s-looks"),
    Picture("approvals", "approver", "/console/approvals/", LOW),
    Picture("decision", "approver", "/console/claims/{number}/", at="#exposure-{part}"),
    Picture("assessment", "assessor", "/console/claims/{number}/", at="#exposure-{part}"),
    Picture("finance", "finance", "/console/finance/"),
    Picture("team", "team_lead", "/console/team/"),
    Picture("duty", "team_lead", "/console/duty/"),
    Picture("consultation", "expert", "/console/consultations/", typed={"#answer textarea": OPINION}),
    Picture("suspicion", "investigator", "/console/claims/?suspicion=1", LOW),
    Picture("late", "compliance", "/console/claims/?late=1", LOW),
    Picture("timeline", "compliance", "/console/claims/{number}/", at="#s-timeline"),
    Picture("rules", "manager", "/console/norms/"),
    Picture(
        "calculation",
        "manager",
        "/console/calculation/",
        typed=TRIAL,
        press="main form[action$='#sum'] > .lp-actions button",
    ),
    Picture("calendar", "administrator", "/console/calendar/"),
    Picture("health", "administrator", "/console/health/"),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the demonstration holds for the pictures: per role somebody with what waits for them; places by name."""

    doors: Mapping[str, Any]
    places: Mapping[str, str]
    password: str
    signed_in: dict[str, Any] = field(default_factory=dict)
    """By code of a colleague the session once made: whoever signs in too often in a minute is asked to wait."""


def main() -> int:
    """Take the pictures, or those that are named; 0 when they are there."""
    parser = argparse.ArgumentParser(
        prog="tools/pictures.py", description="Takes the pictures of guide and README anew."
    )
    parser.add_argument("names", nargs="*", help="which; none: all")
    parser.add_argument("--into", type=Path, default=PICTURES, help="a folder for them, instead of docs/pictures")
    given = parser.parse_args()
    known = {picture.name for picture in PICTURES_TAKEN}
    if strangers := sorted(set(given.names) - known):
        parser.error(f"there is no picture {strangers[0]}; choose of {', '.join(sorted(known))}")
    with tempfile.TemporaryDirectory() as home, demonstration(Path(home)) as base:
        found = scene()
        config = Path(home, "fonts.conf")
        config.write_text(FONTCONFIG.format(fonts=FONTS, cache=home))
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"], env={**os.environ, "FONTCONFIG_FILE": str(config)}
            )
            for picture in PICTURES_TAKEN:
                if not given.names or picture.name in given.names:
                    for path, page in pages(chromium, base, picture, found):
                        take(page, given.into / path)
            chromium.close()
    together = sum(path.stat().st_size for path in given.into.rglob("*.png"))
    print(f"together: {together // 1000} kB")
    if together > BYTES_MAX_TOGETHER:
        raise SystemExit(f"the pictures weigh more than {BYTES_MAX_TOGETHER // 1000} kB together")
    return 0


@contextmanager
def demonstration(home: Path) -> Iterator[str]:
    """The product as it comes out of the box, served from an empty folder while the block lasts; its address."""
    for name in [name for name in os.environ if name.startswith("LIPEI_")]:
        del os.environ[name]
    os.environ |= {"LIPEI_HOME": str(home), "DJANGO_SETTINGS_MODULE": "lipei.config.settings"}
    port = server.free_port()
    command = [sys.executable, "-m", "lipei", "run", "--port", str(port)]
    with server.running(command, port, "/accounts/login/", seconds_max=STARTS_SECONDS_MAX):
        yield f"http://127.0.0.1:{port}"


def scene() -> Scene:
    """Ask the demonstration who is there and what waits for them."""
    import django

    django.setup()
    from lipei.services import demo
    from lipei.store import models

    now = datetime.now(UTC)
    doors = {role: demo.door(role, now=now) for role in {picture.role for picture in PICTURES_TAKEN}}
    link = demo.customers_link(now=now)
    worked_on = models.Claim.objects.filter(state__in=("investigating", "assessing"), handler__isnull=False)
    handled = (worked_on.filter(due_at__gt=now) or worked_on).order_by("-estimate_minor")[0]
    car = models.Policy.objects.exclude(plate_index="").order_by("id")[0]
    places = {
        "link": urlsplit(str(link)).path,
        "handled": handled.number,
        "handler": models.Staff.objects.values_list("code", flat=True).get(id=handled.handler),
        "plate": json.loads(car.insured_objects)[0]["identifier"],
    }
    return Scene(doors, places, demo.PASSWORD)


def pages(chromium: Browser, base: str, picture: Picture, found: Scene) -> Iterator[tuple[Path, Page]]:
    """The page of a picture in each language, ready to be taken, and where it goes below the folder of pictures."""
    door = found.doors.get(picture.role)
    places = {**found.places, "number": door.number, "part": door.part} if door else dict(found.places)
    code = "" if door is None else places["handler"] if "{handled}" in picture.path else door.code
    for folder, language in LANGUAGES.items():
        scale = 1.5 if picture.size is PHONE else 1
        context = chromium.new_context(
            viewport=picture.size, locale=folder, device_scale_factor=scale, reduced_motion="reduce",
            storage_state=found.signed_in.get(code),
        )  # fmt: skip
        context.add_cookies([{"name": "lipei_language", "value": language, "url": base}])
        page = context.new_page()
        if picture.role == CUSTOMER:
            page.goto(base + places["link"])
            places["claim"] = urlsplit(page.url).path
            places["offer"] = page.locator("main a[href*='/offers/']").first.get_attribute("href") or ""
        elif code and code not in found.signed_in:
            page.goto(f"{base}/accounts/login/")
            page.locator("[name=login]").fill(code)
            page.locator("[name=password]").fill(found.password)
            page.locator("main form button").click()
            page.wait_for_url(f"{base}/console/**")
            found.signed_in[code] = context.storage_state()
        wanted = picture.path.format(**places)
        answer = page.goto(base + wanted)
        if answer is None or not answer.ok or urlsplit(page.url).path != urlsplit(wanted).path:
            raise SystemExit(f"{picture.name}: {page.url} is not there")
        for selector, words in picture.typed.items():
            page.locator(selector).fill(words[folder].format(**places))
        if picture.typed:
            page.wait_for_timeout(LOOKED_UP_MS)
        if picture.press:
            page.locator(picture.press).first.click()
        page.wait_for_load_state("networkidle")
        if picture.at:
            page.locator(picture.at.format(**places)).first.evaluate(
                "(e, top) => window.scrollTo(0, e.getBoundingClientRect().top + window.scrollY - top)", TOP_PX
            )
        yield Path(folder, f"{picture.name}.png"), page
        context.close()


def take(page: Page, target: Path) -> None:
    """One screen as a picture of few colours. Raises SystemExit where it is too heavy for a guide."""
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = Image.open(BytesIO(page.screenshot()))
    whole.convert("RGB").quantize(COLOURS).save(target, optimize=True)
    size = target.stat().st_size
    print(f"{target.parent.name}/{target.name}: {size // 1000} kB")
    if size > BYTES_MAX:
        raise SystemExit(f"{target.name} weighs more than {BYTES_MAX // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
