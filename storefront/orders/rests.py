"""Orders that count since their deposit came, and whose rest is still to be paid: whose it is time to speak of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.orders.models import Order
from storefront.orders.queries import OrderRow, orders_by_ids
from storefront.orders.states import SETTLED, OrderState

SOON = timedelta(days=2)
"""How long before the rest is due it is spoken of."""

SETTLING = timedelta(days=1)
"""Who paid the deposit since then does not need to be reminded."""

MOST = 100


def _open_rests() -> list[Any]:
    return [
        Order.state == OrderState.CONFIRMED,
        Order.deposit_minor > 0,
        Order.rest_due_at.is_not(None),
        Order.payment_state.not_in(SETTLED),
        Order.received_minor < Order.total_minor,
    ]


def rests_to_collect() -> list[OrderRow]:
    """Orders whose rest is to be paid before the day and is due soon or overdue, the oldest first.

    One statement, and one more where there are any. What is paid on arrival is spoken of then.
    """
    found = db.session.scalars(
        select(Order.id)
        .where(*_open_rests(), Order.rest_in_advance, Order.rest_due_at <= clock.now() + SOON)
        .order_by(Order.rest_due_at, Order.id)
        .limit(MOST)
    ).all()
    rows = orders_by_ids(found)
    return [rows[order_id] for order_id in found if order_id in rows]


def rests_to_remind_of() -> list[int]:
    """Orders whose customer should hear by now that the rest is due soon, in advance or on arrival."""
    at = clock.now()
    return list(
        db.session.scalars(
            select(Order.id)
            .where(
                *_open_rests(),
                Order.rest_due_at > at,
                Order.rest_due_at <= at + SOON,
                Order.confirmed_at <= at - SETTLING,
                Order.contact_email.is_not(None),
            )
            .order_by(Order.rest_due_at, Order.id)
            .limit(MOST)
        )
    )
