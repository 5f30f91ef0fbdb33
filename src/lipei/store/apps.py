"""The store as a Django application; the journal's guards are put back after every migration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _guard(sender: Any, **kwargs: Any) -> None:
    from django.db import connection

    from lipei.store import journal

    if set(journal.GUARDED) <= set(connection.introspection.table_names()):  # not while only other apps are migrated
        journal.install_guards()


class StoreConfig(AppConfig):
    name = "lipei.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_guard, sender=self)
