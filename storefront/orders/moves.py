"""The one door through which an order moves: its row locked, the table asked, the step written down.

SQLAlchemy adds `AND version = :v` to the UPDATE, so that a move decided on an old look fails even if somebody forgot
the lock.
"""

from __future__ import annotations

from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, lock_rows
from storefront.orders.models import Order, OrderEvent
from storefront.orders.queries import NoSuchOrder
from storefront.orders.states import (
    FULFILMENT_STATES,
    ORDER_STATES,
    PAYMENT_STATES,
    Axis,
    FulfilmentState,
    OrderState,
    PaymentState,
)

NAMED = frozenset({"staff", "rider", "partner", "operator", "system"})
"""Whose names the history keeps. Nobody can change it later, so customers are in it by their number alone."""


def locked(order_id: int) -> Order:
    """The order, its row locked and freshly read, inside the caller's transaction. Raises NoSuchOrder."""
    found = lock_rows(Order, [order_id])
    if not found:
        raise NoSuchOrder
    return found[0]


def move(order: Order, to: OrderState | PaymentState | FulfilmentState, by: Actor, reason: str = "") -> None:
    """Move a locked order along the axis that `to` belongs to, and write the step into its history.

    `reason` is a word of ours and never somebody's sentence, which could name people: nobody can take it back here.
    Raises IllegalTransition when the table does not have the step; nothing has changed then.
    """
    if isinstance(to, OrderState):
        axis, before = Axis.ORDER, str(order.state)
        ORDER_STATES.require(order.state, to)
        order.state = to
    elif isinstance(to, PaymentState):
        axis, before = Axis.PAYMENT, str(order.payment_state)
        PAYMENT_STATES.require(order.payment_state, to)
        order.payment_state = to
    else:
        axis, before = Axis.FULFILMENT, str(order.fulfilment_state)
        FULFILMENT_STATES.require(order.fulfilment_state, to)
        order.fulfilment_state = to
    db.session.add(
        OrderEvent(
            order_id=order.id,
            axis=axis,
            before=before,
            after=str(to),
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label if by.kind in NAMED else "",
            reason=reason,
            at=clock.now(),
        )
    )
    db.session.flush()
