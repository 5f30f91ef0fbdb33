"""Addresses."""

from django.urls import include, path

from lipei.api import app, operators

urlpatterns = [
    path("api/v1/", include((app.urlpatterns(), "api"))),
    *operators.urlpatterns(),
    path("", include("lipei.web.urls")),
    path("", include("lipei.web.portal.urls")),
]

handler403 = "lipei.web.errors.forbidden"
