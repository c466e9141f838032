"""Readiness, liveness and figures: for machines, on any host, telling nobody else anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from storefront.kernel import health
from storefront.kernel.access import access
from storefront.kernel.db import db
from storefront.kernel.health import check_broker, check_database, init_health, schema_heads
from storefront.kernel.metrics import blueprint, init_metrics, job_finished
from tests.kernel.edge import browser, edge_app

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def test_the_process_answers_on_any_host() -> None:
    app = edge_app()
    init_health(app)
    assert browser(app, "203.0.113.9:8000").get("/livez").json == {"alive": True}


def test_readiness_needs_a_database_that_takes_writes_with_our_schema(app: Flask, database: None) -> None:
    heads = schema_heads(MIGRATIONS)
    assert heads
    assert check_database(frozenset()) is None
    assert check_database(frozenset({"another"})) in {"schema", "away"}


def test_the_application_may_read_its_schema_version(app: Flask, database: None) -> None:
    assert check_database(schema_heads(MIGRATIONS)) is None


def test_a_database_that_is_read_only_or_away_turns_visitors_away(monkeypatch: pytest.MonkeyPatch) -> None:
    app = edge_app()
    init_health(app)
    for fault in ("read-only", "away", "schema"):
        monkeypatch.setattr(health, "check_database", lambda _heads, fault=fault: fault)
        answer = browser(app).get("/readyz")
        assert answer.status_code == 503
        assert answer.json["database"] == fault


def test_a_read_only_database_is_recognised(app: Flask, database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_WRITES", text("SELECT 1, 'on'"))
    assert check_database(frozenset()) == "read-only"
    monkeypatch.setattr(health, "_WRITES", text("SELECT nothing FROM nowhere"))
    assert check_database(frozenset()) == "away"
    db.session.remove()


def test_a_broker_that_is_away_is_told_and_turns_nobody_away(monkeypatch: pytest.MonkeyPatch) -> None:
    app = edge_app(BROKER_URL="redis+socket:///nowhere/valkey.sock")
    init_health(app)
    monkeypatch.setattr(health, "check_database", lambda _heads: None)
    answer = browser(app).get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "broker": "away"})
    assert check_broker("filesystem://") is None


def _measured(**config: object) -> Flask:
    app = edge_app(**config)
    init_metrics(app)
    app.register_blueprint(blueprint)

    @app.get("/tienda/<name>")
    @access("public")
    def show(name: str) -> str:
        return name

    return app


def test_figures_count_requests_by_face_and_view_and_never_by_path() -> None:
    client = browser(_measured(METRICS_TOKEN="ficha"))
    client.get("/tienda/secreta")
    job_finished("mail.deliver", "done")

    text_ = client.get("/metrics", headers={"Authorization": "Bearer ficha"}).text

    assert 'portales_requests_total{endpoint="show",face="shop",method="GET",status="200"}' in text_
    assert 'portales_jobs_total{job="mail.deliver",outcome="done"}' in text_
    assert "secreta" not in text_


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer otra"}, {"Authorization": "ficha "}])
def test_figures_are_missing_for_everybody_else(headers: dict[str, str]) -> None:
    assert browser(_measured(METRICS_TOKEN="ficha")).get("/metrics", headers=headers).status_code == 404


def test_without_a_token_figures_are_for_this_machine_in_development() -> None:
    local = {"REMOTE_ADDR": "127.0.0.1"}
    assert browser(_measured()).get("/metrics", environ_overrides=local).status_code == 200
    assert browser(_measured(PRODUCTION=True)).get("/metrics", environ_overrides=local).status_code == 404
    assert browser(_measured()).get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.5"}).status_code == 404
