"""How far behind the jobs are, told with the other figures."""

from __future__ import annotations

import re
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from storefront.kernel import clock, outbox
from storefront.kernel.db import db, transaction
from storefront.kernel.metrics import blueprint, init_metrics
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from tests.factories.catalogue import a_product
from tests.factories.orders import an_order
from tests.kernel.edge import browser, edge_app


def told(client_at) -> float:
    answer = client_at("platform").get("/metrics", environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
    assert answer.status_code == 200
    return float(re.search(r"^portales_outbox_lag_seconds(?:\{.*\})? (\S+)$", answer.text, re.MULTILINE)[1])


def test_the_oldest_job_of_any_shop_that_waits_is_told_by_its_age(bakery, crafts, client_at, drain) -> None:
    assert told(client_at) == 0
    with acting_for(bakery):
        an_order(a_product())
    with time_machine.travel(clock.now() + timedelta(seconds=90), tick=True):
        with acting_for(crafts):
            an_order(a_product())
        assert 90 <= told(client_at) < 100
        outbox.relay()  # sending them once more makes them no younger
        assert 90 <= told(client_at) < 100
        drain(bakery)
        assert told(client_at) < 10
        drain(crafts)
        assert told(client_at) == 0


def test_what_is_being_done_waits_for_its_next_try_or_was_given_up_is_no_delay(bakery, client_at) -> None:
    with acting_for(bakery):
        an_order(a_product())
    at = clock.now()
    later = {"attempts": 1, "due_at": at + timedelta(minutes=10)}
    for values in (later | {"running_until": at + timedelta(minutes=10)}, later, {"dead_at": at}):
        with acting_for(bakery), transaction():
            db.session.execute(
                update(OutboxRow).values(
                    {"attempts": 0, "due_at": at, "running_until": None, "dead_at": None, **values}
                )
            )
        with time_machine.travel(at + timedelta(minutes=5), tick=True):
            assert told(client_at) == 0
    with acting_for(bakery), transaction():
        db.session.execute(update(OutboxRow).values(later | {"running_until": None, "dead_at": None}))
    with time_machine.travel(at + timedelta(minutes=12), tick=True):
        assert 120 <= told(client_at) < 130


def test_while_nobody_knows_the_other_figures_are_told() -> None:
    def away() -> float:
        raise OperationalError("SELECT", {}, Exception("away"))

    app: Flask = edge_app(METRICS_TOKEN="ficha")
    init_metrics(app, away)
    app.register_blueprint(blueprint)

    answer = browser(app).get("/metrics", headers={"Authorization": "Bearer ficha"})

    assert answer.status_code == 200
    assert "portales_outbox_lag_seconds NaN" in answer.text
