"""Addresses of the pages."""

from __future__ import annotations

from django.urls import include, path, re_path

from lipei.web import accounts, doors, views

urlpatterns = [
    path("", doors.front, name="front"),
    path("enter/", doors.enter, name="web-enter"),
    re_path(
        r"^accounts/(?:signup|email|confirm-email|password/reset|password/set|login/code|phone)/",
        accounts.ask_administrator,
    ),
    path("accounts/sessions/<int:session_id>/end/", accounts.end_session, name="session-end"),
    path("accounts/", include("allauth.urls")),
    path("favicon.ico", views.favicon),
    path("language/", views.set_language, name="web-language"),
    path("theme/", views.set_theme, name="web-theme"),
    path("console/", include("lipei.web.console.urls")),
]
