"""From composed data to PDF: the glyph check, the fonts, the compiler.

Only our own fonts are used, the machine's never: a letter looks the same everywhere, and what they cannot print stops
the letter instead of leaving an empty box in it.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
FONTS = _FOLDER / "fonts"
TEMPLATE = _FOLDER / "letter.typ"
STANDARDS = ("ua-1", "a-2a")
"""Readable by a screen reader, and in thirty years."""

_one_at_a_time = threading.Lock()
"""A compiler serves one letter at a time; a letter takes milliseconds, so waiting is cheaper than a second compiler."""

_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]")
"""Characters without a shape: soft hyphen, zero width, direction marks and overrides, variation selectors."""


RUN_CHARACTERS_MAX = 28
"""What the narrowest column of ``letter.typ`` holds in one line."""

ADDRESS_CHARACTERS_MAX = 80
"""What a full line holds."""

_LONG_RUN = re.compile(rf"[!-~\u00a1-\u024f]{{{RUN_CHARACTERS_MAX + 1},}}")
"""Letters and figures of western scripts. Chinese breaks anywhere by itself."""


class MissingGlyph(LookupError):
    """A letter that cannot be printed because no font has some of its characters. ``code`` is a key of the texts."""

    code = "letter.missing_glyph"

    def __init__(self, characters: tuple[str, ...]) -> None:
        self.characters = characters
        super().__init__(f"no font of the letters has {self.named}")

    @property
    def named(self) -> str:
        """The characters with their code points: ``𠀀 (U+20000), 😀 (U+1F600)``."""
        return ", ".join(
            f"{each} (U+{ord(each):04X})" if each.isprintable() else f"U+{ord(each):04X}" for each in self.characters
        )

    @property
    def params(self) -> dict[str, str]:
        """What fills the text."""
        return {"characters": self.named}


class FontsMissing(RuntimeError):
    """The fonts were never built on this machine. ``code`` is a key of the texts."""

    code = "letter.fonts_missing"

    def __init__(self) -> None:
        super().__init__(f"no fonts in {FONTS}: run tools/assets.py")


def printable(view: Any) -> Any:
    """The same data, cleaned of what has no shape, every character known to be printable.

    Line ends become newlines, tabs spaces. Invisible characters are dropped: they need no glyph, and an override of
    direction could make a sum read backwards. Raises MissingGlyph naming every other character that no font carries,
    in the order of code points.
    """
    missing: set[str] = set()
    cleaned = _clean(view, missing)
    if missing:
        raise MissingGlyph(tuple(sorted(missing)))
    return cleaned


def _clean(value: Any, missing: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _clean(each, missing) for key, each in value.items()}
    if isinstance(value, list):
        return [_clean(each, missing) for each in value]
    if not isinstance(value, str):
        return value
    words = "\n".join(_INVISIBLE.sub("", value.replace("\t", " ")).splitlines())
    missing |= set(words) - coverage() - {"\n"}
    return _LONG_RUN.sub(_breakable, words)


def _breakable(run: re.Match[str]) -> str:
    """A run without spaces that no line can hold, with places to break it; else it would leave the page.

    Addresses are left whole while a full line holds them: they are copied from the letter.
    """
    words = run.group()
    if len(words) <= ADDRESS_CHARACTERS_MAX and ("@" in words or "://" in words):
        return words
    return "\u200b".join(words[at : at + RUN_CHARACTERS_MAX] for at in range(0, len(words), RUN_CHARACTERS_MAX))


@cache
def coverage() -> frozenset[str]:
    """Every character that our fonts print. Raises FontsMissing where they were not built."""
    try:
        ranges = json.loads((FONTS / "coverage.json").read_bytes())
    except FileNotFoundError:
        raise FontsMissing from None
    return frozenset(chr(point) for first, last in ranges for point in range(first, last + 1))


def print_pdf(view: dict[str, Any], *, at: datetime) -> bytes:
    """Set the data with ``letter.typ``. ``at`` becomes the document's date: the bytes do not depend on today."""
    inputs = {"letter": json.dumps(view, ensure_ascii=False)}
    with _one_at_a_time:
        pdf = _compiler().compile(
            format="pdf", sys_inputs=inputs, timestamp=int(at.timestamp()), pdf_standards=list(STANDARDS)
        )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _compiler() -> Any:
    """One compiler for the process's life, made at the first letter: fonts and template are read once."""
    if not (FONTS / "coverage.json").exists():
        raise FontsMissing
    import typst  # heavy, and loaded by whoever may send letters: it waits for the first

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(str(TEMPLATE), root=str(_FOLDER), font_paths=fonts)
