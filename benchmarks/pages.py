"""Every page of the menu in a real Chromium whose processor is slowed four times: weight, paint, reaction, stillness.

The product is served as it comes out of the box, on SQLite with its demonstration. Of each figure the worst page counts,
and is named. A first visit begins with an empty cache; a second one comes right after it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import server
from benchmarks.figures import Figure, say
from benchmarks.options import Options

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SLOWER = 4
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
DESKS = ("handler", "team_lead", "finance", "manager", "administrator", "surveyor", "expert")
OBSERVE = """() => {
  window.seen = {paint: 0, shift: 0, reaction: 0};
  const watch = (type, how, more) => new PerformanceObserver(all => all.getEntries().forEach(how))
    .observe({type, buffered: true, ...more});
  watch('largest-contentful-paint', e => { seen.paint = e.startTime; });
  watch('layout-shift', e => { if (!e.hadRecentInput) seen.shift += e.value; });
  watch('event', e => { if (e.interactionId) seen.reaction = Math.max(seen.reaction, e.duration); }, {durationThreshold: 16});
}"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one page: bytes of both visits, requests of the first, paint and reaction in ms, shift as a score."""

    page: str
    first: int
    again: int
    requests: int
    elsewhere: int
    paint: float
    reaction: float
    shift: float


def run(options: Options) -> list[Figure]:
    """The worst page by each figure, and how many were looked at."""
    if not Path(CHROMIUM).exists():
        say(f"  no Chromium at {CHROMIUM}; name one with CHROMIUM=/path")
        return []
    port = server.free_port()
    command = [sys.executable, "-m", "lipei", "run", "--port", str(port)]
    with server.running(command, port, "/accounts/login/", seconds_max=300), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        seen = [one for found in _visitors(browser, f"http://127.0.0.1:{port}") for one in found]
        browser.close()
    for one in seen:
        say(f"  {one}")
    bars = (
        ("first visit", "first", 1000, "kB", 200), ("visit again", "again", 1000, "kB", 20),
        ("requests of a page", "requests", 1, "", 12), ("requests to third parties", "elsewhere", 1, "", 0),
        ("largest contentful paint", "paint", 1000, "s", 1.5), ("interaction to next paint", "reaction", 1, "ms", 150),
        ("layout shift", "shift", 1, "", 0.02),
    )  # fmt: skip
    figures = []
    for name, field, by, unit, bar in bars:
        worst = max(seen, key=lambda one, field=field: getattr(one, field))
        note = f"{worst.page}; the worst of {len(seen)} pages, processor slowed {SLOWER} times"
        figures.append(Figure(name, getattr(worst, field) / by, unit, at_most=bar, note=note))
    return figures


def _visitors(browser: Browser, home: str) -> Iterator[list[Looked]]:
    """The customer on a phone, then a desk after the other: each by its door and through everything in its menu."""
    with _came_in(browser, home, "customer", PHONE) as (page, state):
        own = page.url
        yield [_looked(browser, at, state, PHONE, name) for at, name in
               ((f"{home}/report/", "portal: report"), (own, "portal: claim"), (f"{home}/help/", "portal: help"))]  # fmt: skip
    for role in DESKS:
        with _came_in(browser, home, role, WIDE) as (page, state):
            page.goto(f"{home}/console/")
            paths = _links(page, "nav a[href^='/console/']")
            claims = _links(page, "a[href^='/console/claims/2']")
            for claim in claims[:1]:
                page.goto(home + claim)
                paths += [claim, *_links(page, f"main a[href^='{claim}']")[:3]]
            yield [_looked(browser, home + path, state, WIDE, f"{role}: {path}") for path in dict.fromkeys(paths)]


@contextmanager
def _came_in(browser: Browser, home: str, role: str, size: Any) -> Iterator[tuple[Page, Any]]:
    context = browser.new_context(viewport=size)
    page = context.new_page()
    page.goto(home)
    page.locator(f"button[name=role][value={role}]").click()
    page.wait_for_load_state()
    yield page, context.storage_state()
    context.close()


def _links(page: Page, where: str) -> list[str]:
    found = page.eval_on_selector_all(where, "all => all.map(a => a.getAttribute('href').split(/[?#]/)[0])")
    return [path for path in dict.fromkeys(found) if path.endswith("/")]


def _looked(browser: Browser, address: str, state: Any, size: Any, name: str) -> Looked:
    """A page seen by somebody whose browser never was there, then once more."""
    context = browser.new_context(viewport=size, storage_state=state)
    context.add_init_script(f"({OBSERVE})()")
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    sizes: list[int] = []
    asked: list[str] = []
    line.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    line.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    page.goto(address, wait_until="load")
    page.wait_for_timeout(700)
    first, pieces = sum(sizes), [url for url in asked if url.startswith("http")]
    for key in ("?", "Escape", "Tab", "Tab", "j"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
    seen = page.evaluate("window.seen")
    sizes.clear()
    page.goto(address, wait_until="load")
    page.wait_for_timeout(300)
    again = sum(sizes)
    context.close()
    home = "/".join(address.split("/")[:3]) + "/"
    elsewhere = sum(not url.startswith(home) for url in pieces)
    return Looked(name, first, again, len(pieces), elsewhere, seen["paint"], seen["reaction"], seen["shift"])
