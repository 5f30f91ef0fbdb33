"""Hands that count what they do, and what they were told to count to: `counts.yaml`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page

from lipei.config.commands.drawing import seconds

COUNTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "counts.yaml").read_text(encoding="utf-8"))


class Hands:
    """Somebody at the keyboard: counts keys and clicks, and apart from them the strokes of free text."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys, self.clicks, self.typed, self.texts = page, 0, 0, 0, 0

    def key(self, *keys: str) -> None:
        for one in keys:
            self.page.keyboard.press(one)
            self.keys += 1

    def words(self, said: str) -> None:
        """Free text into the field in focus, in place of what stands there."""
        self.page.locator(":focus").fill(said)
        self.typed += sum(1 if letter.isascii() else COUNTS["model"]["character"] for letter in said)
        self.texts += 1

    def click(self, target: Any) -> None:
        target.click()
        self.clicks += 1

    def counted(self, work: str) -> None:
        """It took what is published, to the key."""
        published = COUNTS["desk"][work]
        counted = {name: getattr(self, name) for name in ("keys", "clicks", "typed", "texts")}
        assert counted == {name: published[name] for name in counted}, f"{work} took {counted}"
        assert self.keys + self.clicks <= published.get("most", math.inf), f"{work} takes more than it may"
        assert seconds(published, COUNTS["model"]) <= published.get("most_seconds", math.inf), f"{work} takes too long"


class Finger:
    """Taps and fields, counted. A field is tapped before it is filled; opening a choice and choosing are two taps."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps, self.fields = page, 0, 0

    def tap(self, where: str) -> None:
        self.page.tap(where)
        self.taps += 1

    def fill(self, where: str, words: str) -> None:
        self.tap(where)
        self.page.fill(where, words)
        self.fields += 1

    def choose(self, where: str, value: str) -> None:
        self.page.select_option(where, value)
        self.taps += 2
        self.fields += 1

    def counted(self, work: str) -> None:
        """It took what is published, to the tap."""
        published = COUNTS["phone"][work]
        assert (self.taps, self.fields) == (published["taps"], published["fields"]), f"{work}: {vars(self)}"
        assert self.taps <= published["taps_most"] and self.fields <= published["fields_most"], work
