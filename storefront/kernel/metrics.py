"""Figures about ourselves for Prometheus. Labels hold no path, no shop and no person, so their number stays small."""

from __future__ import annotations

import hmac
import math
import os
import time
from collections.abc import Callable

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import SQLAlchemyError

from storefront.kernel.access import access
from storefront.kernel.errors import NotFound
from storefront.kernel.faces import current_face

REQUESTS = Counter("portales_requests_total", "Answered requests.", ["face", "endpoint", "method", "status"])
LATENCY = Histogram(
    "portales_request_seconds",
    "Time to answer a request.",
    ["face", "endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
JOBS = Counter("portales_jobs_total", "Finished jobs.", ["job", "outcome"])
OUTBOX_LAG = Gauge(
    "portales_outbox_lag_seconds", "Age of the oldest job that is due and not done.", multiprocess_mode="mostrecent"
)

blueprint = Blueprint("metrics", __name__)

_STARTED = "portales.started"
_LAG = "portales.lag"
_log = structlog.get_logger(__name__)


def job_finished(job: str, outcome: str) -> None:
    """Count a job's end: "done", "failed" or "skipped"."""
    JOBS.labels(job, outcome).inc()


def outbox_lag(seconds: float) -> None:
    """Tell how old the oldest due job is."""
    OUTBOX_LAG.set(seconds)


def _tell_lag() -> None:
    """Ask how far behind the jobs are. While the database is away nobody knows, and the other figures are told."""
    ask: Callable[[], float] | None = current_app.extensions.get(_LAG)
    if ask is None:
        return
    try:
        outbox_lag(ask())
    except SQLAlchemyError as error:
        _log.warning("metrics.no_lag", error=type(error).__name__)
        outbox_lag(math.nan)


def _start() -> None:
    request.environ[_STARTED] = time.perf_counter()


def _count(response: Response) -> Response:
    started = request.environ.get(_STARTED)
    endpoint = request.endpoint or "none"
    face = current_face()
    REQUESTS.labels(face, endpoint, request.method, str(response.status_code)).inc()
    if started is not None:
        LATENCY.labels(face, endpoint).observe(time.perf_counter() - started)
    return response


def _may_read() -> bool:
    token = str(current_app.config.get("METRICS_TOKEN") or "")
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token:
        return hmac.compare_digest(token.encode(), given.encode())
    # Behind a proxy on the same machine everybody seems local, so without a token this door is for development.
    return not current_app.config.get("PRODUCTION") and request.remote_addr in {"127.0.0.1", "::1"}


@blueprint.get("/metrics")
@access("public")
def show_metrics() -> Response:
    """The figures, for whoever shows METRICS_TOKEN; the same 404 as anything missing for everybody else."""
    if not _may_read():
        raise NotFound
    _tell_lag()
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def init_metrics(app: Flask, lag_s: Callable[[], float] | None = None) -> None:
    """Count and time every request of `app`; `lag_s` says how old the oldest due job is when the figures are read."""
    app.extensions[_LAG] = lag_s
    app.before_request(_start)
    app.after_request(_count)
