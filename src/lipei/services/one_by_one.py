"""One thing after the other, so that one that nobody foresaw keeps none of the others from their turn.

A sweep takes what is due in the order of its due time. A claim that makes it raise would be first at every turn, and
whatever is due behind it would wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog
from django.db import Error as DatabaseTrouble

from lipei.store import trouble

T = TypeVar("T")

log = structlog.get_logger(__name__)


def each(things: Iterable[T], do: Callable[[T], int], *, work: str, most: int | None = None) -> int:
    """Do something with each thing; the sum of what it answers with, and no further than ``most``.

    What goes wrong with one is logged, and it is left as it is. A database that is away is everybody's, and raised.
    """
    done = 0
    for thing in things:
        if most is not None and done >= most:
            break
        try:
            done += do(thing)
        except Exception as error:
            if isinstance(error, DatabaseTrouble) and trouble.of(error):
                raise
            log.exception("left for another turn", work=work, thing=str(thing))
    return done
