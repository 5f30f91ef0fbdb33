"""For those who run it: is the process alive, can it work, what does it measure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, wraps

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from lipei.api import access, problems, shapes
from lipei.api.problems import Problem
from lipei.domain import lifecycle
from lipei.store import journal, models

REQUESTS = Counter("lipei_api_requests_total", "Calls of the API.", ("method", "route", "status"))
SECONDS = Histogram(
    "lipei_api_seconds", "Time of a call of the API.", ("method", "route"),
    buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0),
)  # fmt: skip
OPEN_CLAIMS = Gauge("lipei_open_claims", "Claims that have not ended.")
LATE_CLAIMS = Gauge("lipei_late_claims", "Open claims whose next promise is past its due time.")
DELIVERIES_WAITING = Gauge("lipei_deliveries_waiting", "Messages that have not left.")
DELIVERIES_OLDEST_SECONDS = Gauge(
    "lipei_deliveries_oldest_seconds", "How long the message that waits longest is overdue."
)
PAYMENTS_FAILED = Gauge("lipei_payments_failed", "Payments that the bank returned and nobody has looked after yet.")
SAFE = ("GET", "HEAD")
HERE = ("127.0.0.1", "::1")
METRICS = access.Bearer("metrics:read")


def _read_only(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Asked with GET or HEAD; anything else is a problem like those of the API."""

    @wraps(view)
    def run(request: HttpRequest) -> HttpResponse:
        if request.method in SAFE:
            return view(request)
        response = problems.answer(request, Problem(405, "refusal.method", {"allowed": ", ".join(SAFE)}))
        response["Allow"] = ", ".join(SAFE)
        return response

    run.csrf_exempt = True  # type: ignore[attr-defined]
    return run


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a call."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)


@_read_only
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that a slow database does not have it killed."""
    return shapes.respond({"status": "ok"})


@_read_only
def readyz(request: HttpRequest) -> HttpResponse:
    """It can work: the database answers, is up to date, and guards the journal. 503 with what is missing."""
    try:
        missing = _missing()
    except DatabaseError:
        missing = "database"
    if missing:
        return problems.answer(request, Problem(503, "refusal.unavailable", {"what": missing}))
    return shapes.respond({"status": "ready"})


def _missing() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _up_to_date():
        _up_to_date.cache_clear()
        return "migrations"
    return ", ".join(journal.guards_missing())


@cache
def _up_to_date() -> bool:
    """Whether every migration has run; asked until it is so, then never again."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


@_read_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus figures of this process and of the company, for who is on this machine or has a token for it."""
    here = request.META.get("REMOTE_ADDR") in HERE and "X-Forwarded-For" not in request.headers
    if not here or "Authorization" in request.headers:
        try:
            METRICS(request)
        except Problem as problem:
            return problems.answer(request, problem)
    _measure(datetime.now(UTC))
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _measure(now: datetime) -> None:
    """Figures of the company: each counted by a partial index that holds only what is open."""
    opened = models.Claim.objects.filter(state__in=lifecycle.OPEN)
    OPEN_CLAIMS.set(opened.count())
    LATE_CLAIMS.set(opened.filter(due_at__lt=now).count())
    waiting = models.Delivery.objects.filter(state__in=("queued", "sending"))
    DELIVERIES_WAITING.set(waiting.count())
    oldest = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    DELIVERIES_OLDEST_SECONDS.set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
    PAYMENTS_FAILED.set(models.Payment.objects.filter(state="failed").count())


def urlpatterns() -> list[URLPattern]:
    """Addresses at the root."""
    return [path("healthz", healthz), path("readyz", readyz), path("metrics", metrics)]
