"""The webhook inbox: verify, store once, answer, apply later.

A provider's event is a row unique by (shop, source, external id); storing it records `WebhookReceived`, whose job
applies it. A repeated delivery changes nothing. What cannot be applied yet (its object is unknown) fails its job and
is tried again with growing pauses, so an early event waits for its order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, db, identity_pk, transaction
from storefront.kernel.facts import WebhookReceived
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop


class InboxRow(ShopOwned, Model):
    """One event as a provider sent it, after its signature was verified."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint("tenant_id", "source", "external_id"),
        Index("ix_webhook_inbox_open", "tenant_id", "handled_at"),
    )

    id: Mapped[int] = identity_pk()
    source: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
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
        .values(handled_at=clock.now(), outcome=outcome)
        .execution_options(synchronize_session=False)
    )
