"""Every sentence and label shown to people, in three languages side by side.

``norms/texts/*.yaml`` maps a dotted key to ``{zh-hans, zh-hant, en}``. A key belongs to one file, the file's name is the
topic. A language that misses a key is an error of the build (`tests/norms/test_texts.py`), so no page is half translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lipei.norms import yaml_texts

LANGUAGES = ("zh-hans", "zh-hant", "en")
_FOLDER = Path(__file__).parent
_adopted: Mapping[str, Mapping[str, str]] | None = None


def texts() -> Mapping[str, Mapping[str, str]]:
    """All texts: key → language → wording; those of the company's own tables before the shipped ones."""
    return shipped() if _adopted is None else _adopted


def adopt(own: Mapping[str, Mapping[str, str]]) -> None:
    """Let the texts that managers wrote into their tables hold in this process, see `lipei.norms.own_texts`."""
    global _adopted
    _adopted = {**shipped(), **own} if own else None


@cache
def shipped() -> Mapping[str, Mapping[str, str]]:
    """The texts that come with Lipei. Raises ValueError where a key stands twice."""
    found: dict[str, Mapping[str, str]] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        for key, wordings in (yaml_texts.load(path.read_text(encoding="utf-8")) or {}).items():
            if key in found:
                raise ValueError(f"text {key!r} stands twice, the second time in {path.name}")
            found[key] = wordings
    return found


def text(key: str, language: str, /, **params: Any) -> str:
    """The wording of a key, with ``{name}`` filled from ``params``.

    Raises KeyError for an unknown key: a missing sentence is a mistake of ours, never shown as a code to a customer.
    """
    wording = texts()[key][language]
    return wording.format(**params) if params else wording
