"""The pages as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages for people: console/ for staff, portal/ for customers."""

    name = "lipei.web"
    label = "web"
