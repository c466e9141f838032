"""The clock's jobs: each tick once, whatever another shop does, and never behind a long queue of letters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from flask import Flask

from storefront.config import JOB_QUEUE, TICK_QUEUE
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.jobs import REGISTRY, JobTick, Periodic, run_tick
from storefront.kernel.tenancy import current_shop
from tests.world import Cast

BACKLOG = 200


@pytest.fixture
def tick() -> Iterator[Periodic]:
    """A beat job that notes for which shops it ran, and breaks in one of them."""
    ran: list[str] = []

    def note() -> None:
        if current_shop().slug == "illimani":
            raise ZeroDivisionError
        ran.append(current_shop().slug)

    made = REGISTRY.ticks["test.tick"] = Periodic("test.tick", 60, note)
    note.ran = ran  # type: ignore[attr-defined]
    yield made
    del REGISTRY.ticks["test.tick"]


def shops_seen(tick: Periodic) -> list[str]:
    found: list[str] = tick.run.ran  # type: ignore[attr-defined]
    return found


def test_two_clocks_run_a_tick_once(cast: Cast, tick: Periodic) -> None:
    run_tick(tick.name)
    assert run_tick(tick.name) == 0

    assert shops_seen(tick).count("espiga") == 1


def test_it_runs_again_when_its_time_has_come(cast: Cast, tick: Periodic) -> None:
    run_tick(tick.name)
    with clock.pretending(clock.now() + timedelta(seconds=61)):
        run_tick(tick.name)

    assert shops_seen(tick).count("espiga") == 2


def test_a_shop_in_which_it_fails_does_not_keep_it_from_the_others(cast: Cast, tick: Periodic) -> None:
    assert run_tick(tick.name) == len(shops_seen(tick)) > 1

    assert {"espiga", "posada"} <= set(shops_seen(tick))
    assert db.session.get(JobTick, tick.name) is not None


def test_every_tick_goes_to_the_clocks_own_queue(app: Flask) -> None:
    celery: Celery = app.extensions["celery"]

    assert {entry["options"]["queue"] for entry in celery.conf.beat_schedule.values()} == {TICK_QUEUE}
    assert set(celery.conf.task_queues) == {JOB_QUEUE, TICK_QUEUE}


@pytest.mark.parametrize(
    ("queue", "waits"), [(TICK_QUEUE, False), (JOB_QUEUE, True)], ids=["own queue", "shared queue"]
)
def test_a_tick_does_not_wait_behind_the_letters(app: Flask, queue: str, waits: bool) -> None:
    celery = Celery("test", broker=app.config["CELERY"]["broker_url"], set_as_current=False)
    celery.conf.update(
        {key: app.config["CELERY"][key] for key in ("task_queues", "worker_prefetch_multiplier", "task_ignore_result")},
        task_default_queue=JOB_QUEUE, broker_transport_options={"global_keyprefix": f"{queue}:"}, task_acks_late=True,
    )  # fmt: skip
    done: list[str] = []
    finished = threading.Event()

    @celery.task(name=f"letter-{queue}")  # type: ignore[untyped-decorator]
    def letter() -> None:
        done.append("letter")
        if done.count("letter") == BACKLOG:
            finished.set()

    @celery.task(name=f"tick-{queue}")  # type: ignore[untyped-decorator]
    def sweep() -> None:
        done.append("tick")

    for _ in range(BACKLOG):
        letter.apply_async()
    sweep.apply_async(queue=queue)
    with start_worker(celery, pool="solo", perform_ping_check=False, loglevel="error"):
        assert finished.wait(30)

    place = done.index("tick") if "tick" in done else BACKLOG
    assert (place > BACKLOG / 2) is waits
