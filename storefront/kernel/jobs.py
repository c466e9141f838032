"""Jobs: work that runs after the fact, in the shop's scope, at least once.

`@shop_job` makes a plain function with ids as arguments into a job. It is reached only through the outbox: Celery
carries the shop's id and the row's id, the task base takes the row (so that a repeated message does nothing), enters
the shop's scope with a fresh session, runs the function and closes the row. `@periodic` makes a beat job; however many
beats run, one of them gets the tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import Celery, Task, shared_task
from flask import Flask
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from storefront.config import TICK_QUEUE
from storefront.kernel import clock, outbox
from storefront.kernel.db import Model, Shared, db, settings, transaction
from storefront.kernel.metrics import job_finished
from storefront.kernel.tenancy import acting_for, current_shop, directory

log = structlog.get_logger()

RUN_TASK = "kernel.run_job"
TICK_TASK = "kernel.tick"


@dataclass(frozen=True, slots=True)
class ShopJob:
    """A named function that runs in a shop's scope. Calling it runs it at once, in the current scope."""

    name: str
    run: Callable[..., None]

    def __call__(self, **ids: Any) -> None:
        self.run(**ids)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A beat job: once for the platform, or once for each shop that is not closed."""

    name: str
    every_s: int
    run: Callable[[], None]
    for_each_shop: bool = True


@dataclass(slots=True)
class Registry:
    """All jobs by name."""

    jobs: dict[str, ShopJob] = field(default_factory=dict)
    ticks: dict[str, Periodic] = field(default_factory=dict)


REGISTRY = Registry()


class JobTick(Shared, Model):
    """When a beat job last ran: the row that makes sure two beats do not run it twice."""

    __tablename__ = "job_ticks"

    name: Mapped[str] = mapped_column(primary_key=True)
    last_at: Mapped[datetime]


def shop_job(name: str) -> Callable[[Callable[..., None]], ShopJob]:
    """Register a job under a stable name such as "orders.send_confirmation"."""

    def register(function: Callable[..., None]) -> ShopJob:
        job = ShopJob(name, function)
        REGISTRY.jobs[name] = job
        return job

    return register


def periodic(name: str, *, every_s: int, for_each_shop: bool = True) -> Callable[[Callable[[], None]], Periodic]:
    """Register a beat job that runs about every `every_s` seconds."""

    def register(function: Callable[[], None]) -> Periodic:
        tick = Periodic(name, every_s, function, for_each_shop)
        REGISTRY.ticks[name] = tick
        return tick

    return register


def run_delivery(shop_id: int, row_id: int) -> str:
    """Do one outbox row: "done", "failed", or "skipped" when it needs nothing any more."""
    shop = directory().by_id(shop_id)
    if shop is None:
        log.error("job.no_such_shop", shop_id=shop_id, outbox_id=row_id)
        return "skipped"
    with acting_for(shop):
        delivery = outbox.claim(row_id, settings().job_lease_s)
        if delivery is None:
            return "skipped"
        with structlog.contextvars.bound_contextvars(shop=shop.slug, job=delivery.job, outbox_id=row_id):
            return _run_claimed(delivery)


def _run_claimed(delivery: outbox.Delivery) -> str:
    try:
        REGISTRY.jobs[delivery.job](**delivery.payload)
    except Exception as error:
        db.session.rollback()
        log.exception("job.failed", attempt=delivery.attempt)
        outbox.fail(delivery, error)
        job_finished(delivery.job, "failed")
        return "failed"
    outbox.finish(delivery)
    job_finished(delivery.job, "done")
    log.info("job.done", attempt=delivery.attempt)
    return "done"


def drain(limit: int = 500) -> int:
    """Run everything the current shop's outbox still holds, here and now. For seeding and tests. Returns how many."""
    shop = current_shop()
    ran = 0
    while ran < limit:
        ids = outbox.due_for_current_shop()
        db.session.rollback()
        outcomes = [run_delivery(shop.id, row_id) for row_id in ids]
        worked = outcomes.count("done")
        ran += worked
        if worked == 0:
            break
    return ran


def _take_tick(tick: Periodic) -> bool:
    at = clock.now()
    with transaction():
        created = db.session.execute(
            insert(JobTick).values(name=tick.name, last_at=at).on_conflict_do_nothing().returning(JobTick.name)
        ).first()
        if created:
            return True
        taken = db.session.execute(
            update(JobTick)
            .where(JobTick.name == tick.name, JobTick.last_at <= at - timedelta(seconds=tick.every_s * 0.8))
            .values(last_at=at)
            .returning(JobTick.name)
            .execution_options(synchronize_session=False)
        ).first()
    return taken is not None


def run_tick(name: str) -> int:
    """Run a beat job if its time has come and nobody else took this tick. Returns for how many shops it ran."""
    tick = REGISTRY.ticks[name]
    if not _take_tick(tick):
        return 0
    if not tick.for_each_shop:
        tick.run()
        return 1
    ran = 0
    for shop_id in directory().all_ids():
        shop = directory().by_id(shop_id)
        if shop is None:
            continue
        with acting_for(shop), structlog.contextvars.bound_contextvars(shop=shop.slug, job=name):
            try:
                tick.run()
                ran += 1
            except Exception:
                log.exception("tick.failed")
    return ran


@periodic("kernel.sweep_outbox", every_s=5, for_each_shop=False)
def sweep_outbox() -> None:
    """Send again what is due and not done."""
    outbox.relay()


@shared_task(name=RUN_TASK)  # type: ignore[untyped-decorator]
def run_job(shop_id: int, row_id: int) -> str:
    """The Celery task behind every job."""
    return run_delivery(shop_id, row_id)


@shared_task(name=TICK_TASK)  # type: ignore[untyped-decorator]
def run_periodic(name: str) -> int:
    """The Celery task behind every beat job."""
    return run_tick(name)


def celery_init(app: Flask) -> Celery:
    """Make the Celery application of this Flask application: tasks run inside its context, beat runs every tick."""

    class ContextTask(Task):
        """Runs inside the application's context."""

        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)  # type: ignore[no-untyped-call]

    celery = Celery(app.name, task_cls=ContextTask)
    celery.config_from_object(app.config["CELERY"])
    celery.conf.beat_schedule = {
        tick.name: {"task": TICK_TASK, "schedule": float(tick.every_s), "args": (tick.name,),
                    "options": {"queue": TICK_QUEUE, "expires": max(tick.every_s, 10)}}
        for tick in REGISTRY.ticks.values()
    }  # fmt: skip
    celery.set_default()
    app.extensions["celery"] = celery

    def send(shop_id: int, row_id: int, _job: str) -> None:
        celery.send_task(RUN_TASK, args=(shop_id, row_id), retry=False)

    outbox.send_with(send)
    return celery
