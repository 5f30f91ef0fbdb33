"""Addresses."""

from django.urls import include, path

from lipei.api import app, callbacks, operators

urlpatterns = [
    path("api/v1/", include((app.urlpatterns(), "api"))),
    path("api/", include(callbacks.urlpatterns())),
    *operators.urlpatterns(),
    path("", include("lipei.web.urls")),
    path("", include("lipei.web.portal.urls")),
]

handler403 = "lipei.web.errors.forbidden"
handler500 = "lipei.config.failures.failed"
