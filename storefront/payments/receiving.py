"""What money that came means for its order: it counts as far as something is due, and the rest is sent back.

An order may be paid in several payments. What of them counts is kept on the order's row, under its lock: each attempt
is for what is due when it is opened, and money on top, whoever sent it twice, goes back by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db
from storefront.orders.actions import set_payment_state
from storefront.orders.models import Order
from storefront.orders.states import RETURNING, PaymentState
from storefront.payments import refunding
from storefront.payments.models import AttemptState, PaymentAttempt, Refund, RefundState
from storefront.payments.refunding import BESIDE_THE_SALE, ON_TOP


def count_in(order: Order, attempt: PaymentAttempt, by: Actor, reason: str = "") -> bool:
    """Let an attempt's money, just received, count towards its order, in a transaction that holds the order.

    What is more than due goes back at once. Returns whether any of it counts.
    """
    amount = attempt.amount_minor
    counts = 0 if order.payment_state in RETURNING else min(amount, order.due_minor)
    order.received_minor += counts
    if counts < amount:
        note("order", order.id, "paid_twice", SYSTEM, attempt=attempt.key)
        refunding.decide(order, attempt, amount - counts, ON_TOP, SYSTEM)
    if counts:
        set_payment_state(order.id, PaymentState.PARTLY_PAID if order.due_minor else PaymentState.PAID, by, reason)
    return counts > 0


def count_out(order: Order, attempt: PaymentAttempt, by: Actor) -> None:
    """An attempt's money is not there (any more): its order owes it again. In a transaction that holds the order."""
    order.received_minor -= attempt.amount_minor
    set_payment_state(order.id, at_rest(order), by, "taken back")


def at_rest(order: Order) -> PaymentState:
    """The state of an order that nobody is paying at the moment."""
    return PaymentState.PARTLY_PAID if order.received_minor else PaymentState.UNPAID


def invariants() -> list[dict[str, Any]]:
    """I7: what counts towards an order is the money that came less what was too much, and never more than its total."""
    back = (
        select(Refund.attempt_id, func.sum(Refund.amount_minor).label("minor"))
        .where(Refund.reason.in_(BESIDE_THE_SALE), Refund.state != RefundState.FAILED)
        .group_by(Refund.attempt_id)
        .subquery()
    )
    came = (
        select(
            PaymentAttempt.order_id,
            func.sum(PaymentAttempt.amount_minor - func.coalesce(back.c.minor, 0)).label("minor"),
        )
        .outerjoin(back, back.c.attempt_id == PaymentAttempt.id)
        .where(PaymentAttempt.state == AttemptState.SUCCEEDED)
        .group_by(PaymentAttempt.order_id)
        .subquery()
    )
    counts = func.coalesce(came.c.minor, 0)
    rows = db.session.execute(
        select(Order.id, Order.total_minor, Order.received_minor, counts.label("counts"))
        .outerjoin(came, came.c.order_id == Order.id)
        .where((counts != Order.received_minor) | (Order.received_minor > Order.total_minor))
    )
    return [
        {"invariant": "I7", "order": row.id, "received_minor": row.received_minor, "counts_minor": int(row.counts)}
        for row in rows
    ]
