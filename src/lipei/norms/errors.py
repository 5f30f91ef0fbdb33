"""How a norm table says that it makes no sense."""

from __future__ import annotations

from typing import Any


class NormError(ValueError):
    """A document that cannot be a norm table. ``code`` is a key of the texts, ``params`` fill it.

    It is raised while a table is parsed: at start for a shipped default, on saving for a manager's edit.
    """

    def __init__(self, code: str, /, **params: Any) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params
