"""One Chromium for all the browser's tests that a process runs one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from tests.browser.looking import CHROMIUM


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium; name one with CHROMIUM=/path")
    with sync_playwright() as found:
        # Playwright runs a loop in this thread; Django then takes every query for one inside of it.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        yield found
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_stays_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test opened is closed after it: a page left open asks a server that is gone, and takes time from the others.

    It is closed before the database is emptied, which waits for nobody's request.
    """
    if "chromium" not in request.fixturenames:
        yield
        return
    if "live_server" in request.fixturenames:
        request.getfixturevalue("transactional_db")
    shared: Browser = request.getfixturevalue("chromium")
    before = list(shared.contexts)
    yield
    for context in shared.contexts:
        if context not in before:
            context.close()
