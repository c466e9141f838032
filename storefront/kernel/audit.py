"""The audit trail: who did what to which thing, append-only, readable by the shop's owner.

The application's database role may insert and read these rows and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, db, identity_pk


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody (or something) that acts: kind is staff, customer, visitor, rider, partner, operator or system."""

    kind: str
    id: int | None
    label: str


SYSTEM = Actor("system", None, "Portales")


class LogEntry(ShopOwned, Model):
    """One line of the trail."""

    __tablename__ = "audit_log"
    __append_only__ = True
    __table_args__ = (Index("ix_audit_log_subject", "tenant_id", "subject_type", "subject_id", "id"),)

    id: Mapped[int] = identity_pk()
    at: Mapped[datetime]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    verb: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_label: Mapped[str]
    facts: Mapped[dict[str, Any]]


def note(subject_type: str, subject_id: int | str, verb: str, by: Actor, **facts: Any) -> None:
    """Write one line, in the caller's transaction. `facts` are JSON values and never hold secrets."""
    db.session.add(
        LogEntry(
            at=clock.now(),
            subject_type=subject_type,
            subject_id=str(subject_id),
            verb=verb,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label,
            facts=facts,
        )
    )
