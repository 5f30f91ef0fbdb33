"""The web process's application."""

import gc
import os
import sys

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.db import Error, connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lipei.config.settings")


class Request(WSGIRequest):
    """A request that lets go of all it holds once its answer is out: its body is memory of the server that read it.

    A request refers to itself in many ways (its user, its member of staff), so that without this it would stay until
    garbage is looked for (see `COLLECT_AFTER`), and forty photos sent in pieces would pile up.
    """

    def close(self) -> None:
        super().close()
        vars(self).clear()


application = get_wsgi_application()
application.request_class = Request

COLLECT_AFTER = 20_000
"""New objects after which garbage is looked for; a report leaves some hundreds, nearly all freed without looking."""

SWITCH_SECONDS = 0.0005
"""How long a thread computes while another, whose answer from the database is there, waits for its turn."""


def _settle() -> None:
    """Load what every request needs before the first one, and spare the garbage collector from walking over it again.

    Without this one request in some hundred waits a tenth of a second for a look at objects that stay for ever.
    """
    from lipei.reads import rulebook

    try:
        rulebook.current()
        connection.close()
    except Error:
        pass  # a database that is not there yet: `/readyz` says so, and the first request loads the tables
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)
    sys.setswitchinterval(SWITCH_SECONDS)


_settle()
