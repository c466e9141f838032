"""The outbox: what must still happen, written in the transaction that made it necessary.

`record(event)` writes one row for each job that answers the event. After the commit the rows are sent to the broker
at once; a beat sweep (`relay`) re-sends whatever is not done when it is due. The rows are the truth, the broker only a
wake-up call: losing all of it loses nothing. Jobs may therefore run more than once and must be idempotent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Index,
    Interval,
    Table,
    and_,
    case,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, after_commit, db, engine_of, identity_pk, settings, transaction
from storefront.kernel.tenancy import current_shop

log = structlog.get_logger()

MAX_ATTEMPTS = 8
RESEND_AFTER = timedelta(seconds=20)
LONGEST_RESEND = timedelta(seconds=60)
BACKOFF_CEILING_S = 900
KEEP_DONE = timedelta(days=7)

_subscribers: dict[str, tuple[str, ...]] = {}
_sender: list[Callable[[int, int, str], None]] = []


class OutboxRow(ShopOwned, Model):
    """One job to be done for one event. `due_at` is when it should next be sent, unless it is done or dead."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "due_at",
            "tenant_id",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_outbox_dead", "tenant_id", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )

    id: Mapped[int] = identity_pk()
    event: Mapped[str]
    job: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    running_until: Mapped[datetime | None]
    attempts: Mapped[int]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row: `attempt` is the fencing token that its end must show."""

    id: int
    job: str
    payload: dict[str, Any]
    attempt: int


def subscribe(jobs_by_event: Mapping[type, Iterable[str]]) -> None:
    """Say which jobs answer which event; the composition root does this once, from `wiring.EVENT_JOBS`."""
    _subscribers.clear()
    for event_type, jobs in jobs_by_event.items():
        _subscribers[event_type.__name__] = tuple(jobs)


def send_with(sender: Callable[[int, int, str], None]) -> None:
    """Set how a row is handed to the broker: `sender(tenant_id, row_id, job)`. Failures are the sweep's business."""
    _sender[:] = [sender]


def record(event: Any) -> None:
    """Write down that `event` happened, in the caller's transaction. No effect leaves before the commit."""
    name = type(event).__name__
    shop_id = current_shop().id
    at = clock.now()
    for job in _subscribers.get(name, ()):
        row_id = db.session.scalar(
            insert(OutboxRow)
            .values(
                tenant_id=shop_id,
                event=name,
                job=job,
                payload=asdict(event),
                created_at=at,
                due_at=at + _resend_after(),
                attempts=0,
            )
            .returning(OutboxRow.id)
        )
        _send_after_commit(shop_id, int(row_id or 0), job)


def _resend_after() -> timedelta:
    """A message that nobody took counts as lost after this; never later than a job whose worker died."""
    return min(RESEND_AFTER, timedelta(seconds=settings().job_lease_s))


def _patience(created_at: ColumnElement[datetime], at: datetime) -> ColumnElement[timedelta]:
    """As long again as the row has waited already: where workers are behind, sending again would only add to it."""
    age = literal(at, DateTime(timezone=True)) - created_at
    return func.least(LONGEST_RESEND, func.greatest(_resend_after(), age), type_=Interval())


def _send_after_commit(shop_id: int, row_id: int, job: str) -> None:
    after_commit(lambda: _send(shop_id, row_id, job))


def _send(shop_id: int, row_id: int, job: str) -> None:
    for sender in _sender:
        try:
            sender(shop_id, row_id, job)
        except Exception as error:  # noqa: BLE001 (any broker failure: the sweep sends it again)
            log.warning("outbox.not_sent", job=job, outbox_id=row_id, error=type(error).__name__)


def claim(row_id: int, lease_s: int) -> Delivery | None:
    """Take a row for `lease_s` seconds, or None when it is done, dead or being worked on by somebody alive."""
    at = clock.now()
    until = at + timedelta(seconds=lease_s)
    with transaction():
        row = db.session.execute(
            update(OutboxRow)
            .where(
                OutboxRow.id == row_id,
                OutboxRow.done_at.is_(None),
                OutboxRow.dead_at.is_(None),
                (OutboxRow.running_until.is_(None)) | (OutboxRow.running_until < at),
            )
            .values(running_until=until, due_at=until, attempts=OutboxRow.attempts + 1)
            .returning(OutboxRow.id, OutboxRow.job, OutboxRow.payload, OutboxRow.attempts)
            .execution_options(synchronize_session=False)
        ).first()
    return Delivery(row.id, row.job, row.payload, row.attempts) if row else None


def _close(delivery: Delivery, **values: Any) -> None:
    with transaction():
        db.session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == delivery.id, OutboxRow.attempts == delivery.attempt)
            .values(running_until=None, **values)
            .execution_options(synchronize_session=False)
        )


def finish(delivery: Delivery) -> None:
    """The job ended well."""
    _close(delivery, done_at=clock.now(), last_error=None)


def fail(delivery: Delivery, error: BaseException) -> None:
    """The job ended badly: try again later with jitter, or put it among the dead letters for operators."""
    at = clock.now()
    values: dict[str, Any] = {"last_error": f"{type(error).__name__}: {error}"[:500]}
    if delivery.attempt >= MAX_ATTEMPTS:
        values["dead_at"] = at
    else:
        ceiling = min(BACKOFF_CEILING_S, 2**delivery.attempt)
        values["due_at"] = at + timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # noqa: S311 (jitter)
    _close(delivery, **values)


def due_for_current_shop(limit: int = 200) -> list[int]:
    """Ids of this shop's rows that are neither done nor dead, oldest first."""
    return list(
        db.session.scalars(
            select(OutboxRow.id)
            .where(OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None))
            .order_by(OutboxRow.id)
            .limit(limit)
        )
    )


def lag_s() -> float:
    """The age in seconds of the oldest job of any shop that is due and not done; 0 when none is. As the relay role.

    A job that nobody took yet is due since it was written, however often it was sent; a failed one from its next try.
    """
    table = cast("Table", OutboxRow.__table__)
    at = clock.now()
    since = case((table.c.attempts == 0, table.c.created_at), else_=table.c.due_at)
    waiting = and_(table.c.done_at.is_(None), table.c.dead_at.is_(None), since <= at)
    with engine_of("relay").connect() as connection:
        oldest = connection.scalar(select(func.min(since)).where(waiting))
    return max(0.0, (at - oldest).total_seconds()) if oldest else 0.0


def relay(batch: int = 200) -> int:
    """Re-send every due row, shop by shop (a claim across shops would not survive sharding). Returns how many.

    Runs as the relay role, whose policies open this table and the webhook inbox and nothing else.
    """
    table = cast("Table", OutboxRow.__table__)
    at = clock.now()
    waiting = and_(table.c.done_at.is_(None), table.c.dead_at.is_(None), table.c.due_at <= at)
    sent: list[tuple[int, int, str]] = []
    with engine_of("relay").begin() as connection:
        shops = connection.scalars(select(table.c.tenant_id).where(waiting).distinct().limit(500)).all()
    for shop_id in shops:
        with engine_of("relay").begin() as connection:
            pick = (
                select(table.c.id)
                .where(table.c.tenant_id == shop_id, waiting)
                .order_by(table.c.id)
                .limit(batch)
                .with_for_update(skip_locked=True)
                .cte("pick")
            )
            rows = connection.execute(
                update(table)
                .where(table.c.tenant_id == shop_id, table.c.id.in_(select(pick.c.id)))
                .values(due_at=literal(at, DateTime(timezone=True)) + _patience(table.c.created_at, at))
                .returning(table.c.id, table.c.job)
            ).all()
        sent.extend((shop_id, row.id, row.job) for row in rows)
    for shop_id, row_id, job in sent:
        _send(shop_id, row_id, job)
    return len(sent)
