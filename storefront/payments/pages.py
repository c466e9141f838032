"""What one page at a provider pays: an order, or several at once.

Of a payment for several orders each order has its own part, an attempt like any other: it is settled, counted, refunded
and booked under its own order's lock, so that one order may be cancelled, lapse or be paid twice while the others are
kept. What is one for all of them, the page and the key that names it, is on the joint payment's row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storefront.kernel.db import db, lock_rows
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order
from storefront.payments.models import AttemptState, JointPayment, PaymentAttempt


@dataclass(frozen=True, slots=True)
class Page:
    """What the provider knows of a payment: its key for ever, its own name for it once it has one, and all of it."""

    key: str
    provider_ref: str | None
    amount_minor: int
    created_at: datetime


def page_of(attempt: PaymentAttempt) -> Page:
    """The page on which an attempt is paid, by itself or with others."""
    joint = _joint(attempt)
    holder = joint or attempt
    return Page(holder.key, holder.provider_ref, holder.amount_minor, holder.created_at)


def _joint(attempt: PaymentAttempt) -> JointPayment | None:
    if attempt.joint_id is None:
        return None
    return db.session.get_one(JointPayment, (current_shop().id, attempt.joint_id), populate_existing=True)


def home_of(attempt: PaymentAttempt) -> int:
    """The order from whose page an attempt is paid: always the same one, since a key must come with the same words."""
    joint = _joint(attempt)
    return joint.order_id if joint else attempt.order_id


def shares_of(attempt: PaymentAttempt) -> list[PaymentAttempt]:
    """The attempts that are paid on the same page, by their orders; mostly this one alone."""
    if attempt.joint_id is None:
        return [attempt]
    return list(
        db.session.scalars(
            select(PaymentAttempt)
            .where(PaymentAttempt.joint_id == attempt.joint_id)
            .order_by(PaymentAttempt.order_id)
            .execution_options(populate_existing=True)
        )
    )


def locked_shares(attempt_id: int) -> list[tuple[Order, PaymentAttempt]]:
    """The attempts that are paid on one page, read only once all their orders are locked, sorted."""
    row = db.session.execute(
        select(PaymentAttempt.order_id, PaymentAttempt.joint_id).where(PaymentAttempt.id == attempt_id)
    ).one()
    mine = PaymentAttempt.id == attempt_id if row.joint_id is None else PaymentAttempt.joint_id == row.joint_id
    order_ids = db.session.scalars(select(PaymentAttempt.order_id).where(mine)).all()
    orders = {order.id: order for order in lock_rows(Order, list(order_ids))}
    attempts = db.session.scalars(
        select(PaymentAttempt).where(mine).order_by(PaymentAttempt.order_id).execution_options(populate_existing=True)
    )
    return [(orders[attempt.order_id], attempt) for attempt in attempts]


def name_page(attempt: PaymentAttempt, provider_ref: str) -> bool:
    """Write down the provider's name for a page, in a transaction that holds its orders. False when it has one."""
    holder = _joint(attempt) or attempt
    if holder.provider_ref is not None:
        return False
    holder.provider_ref = provider_ref
    return True


def joint_attempt(condition: Any) -> int | None:
    """An attempt of the payment for several orders that a condition names, or None."""
    return db.session.scalar(
        select(PaymentAttempt.id)
        .join(
            JointPayment,
            (JointPayment.tenant_id == PaymentAttempt.tenant_id) & (JointPayment.id == PaymentAttempt.joint_id),
        )
        .where(condition)
        .order_by(PaymentAttempt.order_id)
        .limit(1)
    )


def is_told_by_another() -> Any:
    """For queries: another open attempt is asked about for this one, too, since both are paid on one page."""
    other = PaymentAttempt.__table__.alias("other")
    return (
        select(other.c.id)
        .where(
            other.c.tenant_id == PaymentAttempt.tenant_id,
            other.c.joint_id == PaymentAttempt.joint_id,
            other.c.id < PaymentAttempt.id,
            other.c.state.in_([AttemptState.CREATED, AttemptState.PENDING]),
        )
        .correlate(PaymentAttempt)
        .exists()
    )


def codes_of(joint_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The codes of the orders of these payments. One statement, none for nothing."""
    wanted = set(joint_ids)
    if not wanted:
        return {}
    rows = db.session.execute(
        select(PaymentAttempt.joint_id, Order.code)
        .join(Order, (Order.tenant_id == PaymentAttempt.tenant_id) & (Order.id == PaymentAttempt.order_id))
        .where(PaymentAttempt.joint_id.in_(wanted))
        .order_by(PaymentAttempt.order_id)
    ).all()
    return {one: tuple(row.code for row in rows if row.joint_id == one) for one in wanted}
