"""What operators do: prove who they are, leave a trace of every look, bring dead letters back or give them up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select, update

from storefront.kernel import clock
from storefront.kernel.audit import Actor, LogEntry
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid, NotFound
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import across_shops
from tenants.models import Operator, OperatorAccess
from tenants.passwords import is_right

SHORTEST_REASON = 5
LONGEST_PATH = 300


class NoReason(Invalid):
    """Nobody looks at other people's shops without saying why."""

    message = _l("Escribe la razón: quien lleva la tienda la puede leer.")


@dataclass(frozen=True, slots=True)
class KnownOperator:
    """An operator who has shown their password."""

    id: int
    epoch: int


def authenticate_operator(email: str, password: str) -> KnownOperator | None:
    """The operator with this address and password; None otherwise, after the same work."""
    with across_shops("an operator's log-in"):
        row = db.session.execute(
            select(Operator.id, Operator.epoch, Operator.password_hash).where(Operator.email == email.strip().lower())
        ).first()
    if is_right(row.password_hash if row else None, password) and row is not None:
        return KnownOperator(row.id, row.epoch)
    return None


def checked_reason(typed: str) -> str:
    """A reason of some substance. Raises NoReason."""
    reason = " ".join(typed.split())[:300]
    if len(reason) < SHORTEST_REASON:
        raise NoReason
    return reason


def note_look(by: Actor, reason: str, path: str, shop_id: int | None = None, **facts: Any) -> None:
    """Write down that an operator looked at or did something. In a scope across shops."""
    with transaction():
        db.session.execute(
            insert(OperatorAccess).values(
                at=clock.now(),
                operator_id=by.id,
                operator_name=by.label,
                reason=reason,
                path=path[:LONGEST_PATH],
                shop_id=shop_id,
                facts=facts,
            )
        )


def retry_letter(shop_id: int, row_id: int, reason: str, by: Actor) -> None:
    """Let a dead letter be sent again, with all its tries before it. Raises NotFound."""
    _change_letter(shop_id, row_id, "letter_retried", reason, by, dead_at=None, attempts=0, due_at=clock.now())


def drop_letter(shop_id: int, row_id: int, reason: str, by: Actor) -> None:
    """Give a dead letter up for good. Raises NotFound."""
    _change_letter(shop_id, row_id, "letter_dropped", reason, by, done_at=clock.now())


def _change_letter(shop_id: int, row_id: int, verb: str, reason: str, by: Actor, **values: Any) -> None:
    with across_shops(reason), transaction():
        job = db.session.scalar(
            update(OutboxRow)
            .where(
                OutboxRow.tenant_id == shop_id,
                OutboxRow.id == row_id,
                OutboxRow.dead_at.is_not(None),
                OutboxRow.done_at.is_(None),
            )
            .values(**values)
            .returning(OutboxRow.job)
            .execution_options(synchronize_session=False)
        )
        if job is None:
            raise NotFound
        db.session.execute(
            insert(LogEntry).values(
                tenant_id=shop_id, at=clock.now(), subject_type="job", subject_id=str(row_id), verb=verb,
                actor_kind=by.kind, actor_id=by.id, actor_label=by.label, facts={"job": job, "reason": reason},
            )
        )  # fmt: skip
        note_look(by, reason, verb, shop_id, job=job, letter=row_id)
