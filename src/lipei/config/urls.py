"""Addresses."""

from django.urls import include, path

from lipei.api import app, callbacks, operators

urlpatterns = [
    path("api/v1/", include((app.urlpatterns(), "api"))),
    path("api/", include(callbacks.urlpatterns())),
    *(path(rest, app.not_found) for rest in ("api", "api/", "api/<path:rest>")),
    *operators.urlpatterns(),
    path("", include("lipei.web.urls")),
    path("", include("lipei.web.portal.urls")),
]

handler400 = "lipei.config.failures.refused"
handler403 = "lipei.web.errors.forbidden"
handler500 = "lipei.config.failures.failed"
