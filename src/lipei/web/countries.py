"""Countries to choose from, asked for only where a cover ends at a border."""

from __future__ import annotations

from functools import cache

from lipei.domain.countries import CODES
from lipei.norms.texts import text

Options = tuple[tuple[str, str], ...]


@cache
def options(language: str, home: str) -> Options:
    """Codes with their names in a language, in the order of the names; ``home``, the market's own, stands first."""
    named = sorted((text(f"country.{code}", language), code) for code in CODES)
    return (("", ""), *((code, name) for name, code in sorted(named, key=lambda one: one[1] != home)))
