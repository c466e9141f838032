"""The webhook inbox: verify, store once, answer, apply later.

A provider's event is a row unique by (shop, source, external id); storing it records `WebhookReceived`, whose job
applies it. A repeated delivery changes nothing. What cannot be applied yet (its object is unknown) is parked and looked
at again with growing pauses, for as long as the provider itself would go on telling.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, db, identity_pk, transaction
from storefront.kernel.facts import WebhookReceived
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
GIVEN_UP = "given_up"
"""The outcome of an event whose object was never found: for the operators to look at."""


class InboxRow(ShopOwned, Model):
    """One event as a provider sent it, after its signature was verified. A parked one is due at `look_again_at`."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint("tenant_id", "source", "external_id"),
        Index("ix_webhook_inbox_open", "tenant_id", "handled_at"),
        Index(
            "ix_webhook_inbox_parked", "tenant_id", "look_again_at", postgresql_where=text("look_again_at IS NOT NULL")
        ),
        Index("ix_webhook_inbox_given_up", "tenant_id", "handled_at", postgresql_where=text("outcome = 'given_up'")),
    )

    id: Mapped[int] = identity_pk()
    source: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    look_again_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


def receive(source: str, external_id: str, kind: str, payload: dict[str, Any]) -> bool:
    """Store an event of the current shop's account. True when it is new, False for a repeat."""
    with transaction():
        row_id = db.session.scalar(
            insert(InboxRow)
            .values(
                tenant_id=current_shop().id,
                source=source,
                external_id=external_id,
                kind=kind,
                payload=payload,
                received_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(InboxRow.id)
        )
        if row_id is None:
            return False
        record(WebhookReceived(inbox_id=row_id))
    return True


def mark_handled(row_id: int, outcome: str) -> None:
    """Say what became of an event ("applied", "ignored"), in the caller's transaction."""
    db.session.execute(
        update(InboxRow)
        .where(InboxRow.id == row_id, InboxRow.handled_at.is_(None))
        .values(handled_at=clock.now(), outcome=outcome, look_again_at=None)
        .execution_options(synchronize_session=False)
    )


def park(row_id: int, received_at: datetime) -> None:
    """Let an event wait: it is looked at again after as long as it has waited already, six hours at most. In the
    caller's transaction."""
    at = clock.now()
    pause = max(SHORTEST_PAUSE, min(LONGEST_PAUSE, at - received_at))
    db.session.execute(
        update(InboxRow)
        .where(InboxRow.id == row_id, InboxRow.handled_at.is_(None))
        .values(look_again_at=at + pause)
        .execution_options(synchronize_session=False)
    )


def due_again(limit: int = 100) -> list[int]:
    """Parked events whose time has come, the longest due first."""
    return list(
        db.session.scalars(
            select(InboxRow.id)
            .where(InboxRow.look_again_at <= clock.now(), InboxRow.handled_at.is_(None))
            .order_by(InboxRow.look_again_at)
            .limit(limit)
        )
    )
