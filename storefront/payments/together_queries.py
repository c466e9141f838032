"""Reading payments for several orders: which orders may be paid together, and which were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select

from storefront.kernel.db import db
from storefront.kernel.money import Money
from storefront.orders.models import Order
from storefront.orders.queries import OrderRow, OrderView, orders_by_ids
from storefront.orders.states import SETTLED, WAITING, OrderState, PaymentState
from storefront.payments.capabilities import SPEI, THROUGH_A_PROVIDER
from storefront.payments.methods import CASH, TRANSFER
from storefront.payments.models import AttemptState, JointPayment, PaymentAttempt
from storefront.payments.pages import codes_of
from storefront.payments.together import MOST


@dataclass(frozen=True, slots=True)
class Together:
    """A payment for several orders: all of it, and the orders' codes."""

    amount: Money
    codes: tuple[str, ...]


def _owed() -> tuple[ColumnElement[bool], ...]:
    return (
        Order.state.in_([*WAITING, OrderState.CONFIRMED]),
        Order.payment_state.not_in(SETTLED),
        Order.total_minor > Order.received_minor,
    )


def takes_more(order: OrderView) -> bool:
    """Whether an order can be paid with others by its customer: it is owed, and not in cash."""
    ways = (THROUGH_A_PROVIDER - {SPEI}) | {TRANSFER}
    waits = order.payment_state is PaymentState.PROOF_REVIEW
    return order.is_to_be_paid and not waits and order.payment_method in ways and order.due_now.minor > 0


def payable_with(order: OrderView, tokens: Collection[str], customer_id: int | None) -> list[OrderRow]:
    """Other orders that are owed and paid in the same way, the oldest first: those whose secret links somebody has
    shown, and, for whoever is logged in and asks from an order of their own, those of their account."""
    mine = Order.customer_id == customer_id if customer_id and customer_id == order.customer_id else false()
    return _rows(
        or_(Order.token.in_(list(tokens)), mine),
        *_owed(),
        Order.payment_state != PaymentState.PROOF_REVIEW,
        Order.payment_method == order.payment_method,
        Order.currency == order.currency,
        Order.id != order.id,
    )


def others_of_buyer(order: OrderView) -> list[OrderRow]:
    """What else the same person owes that is paid as this order is, by transfer or in cash; the oldest first."""
    if order.payment_method not in CASH | {TRANSFER} or not order.is_to_be_paid:
        return []
    same = [
        column == value
        for column, value in (
            (Order.customer_id, order.customer_id),
            (Order.contact_phone, order.contact_phone),
            (func.lower(Order.contact_email), (order.contact_email or "").lower()),
        )
        if value
    ]
    methods = CASH if order.payment_method in CASH else {TRANSFER}
    if not same:
        return []
    return _rows(or_(*same), *_owed(), Order.payment_method.in_(methods), Order.id != order.id)


def _rows(*conditions: Any) -> list[OrderRow]:
    found = db.session.scalars(select(Order.id).where(*conditions).order_by(Order.id).limit(MOST - 1)).all()
    rows = orders_by_ids(found)
    return [rows[order_id] for order_id in found if rows[order_id].due_now]


def open_page(order_id: int) -> Together | None:
    """The payment for several orders whose page is open for this one, if there is one."""
    row = db.session.execute(
        select(JointPayment.id, JointPayment.amount_minor, JointPayment.currency)
        .join(
            PaymentAttempt,
            (PaymentAttempt.tenant_id == JointPayment.tenant_id) & (PaymentAttempt.joint_id == JointPayment.id),
        )
        .where(
            PaymentAttempt.order_id == order_id,
            PaymentAttempt.provider.is_not(None),
            PaymentAttempt.state == AttemptState.PENDING,
        )
        .order_by(JointPayment.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Together(Money(row.amount_minor, row.currency), codes_of([row.id])[row.id])


def paid_with(order_id: int) -> tuple[str, ...]:
    """The codes of the orders that were paid at once with this one."""
    joint_ids = db.session.scalars(
        select(PaymentAttempt.joint_id).where(
            PaymentAttempt.order_id == order_id,
            PaymentAttempt.joint_id.is_not(None),
            PaymentAttempt.state.in_([AttemptState.SUCCEEDED, AttemptState.PENDING]),
            PaymentAttempt.provider.is_(None) | (PaymentAttempt.state == AttemptState.SUCCEEDED),
        )
    ).all()
    own = db.session.scalar(select(Order.code).where(Order.id == order_id))
    found = codes_of([joint_id for joint_id in joint_ids if joint_id is not None])
    return tuple(sorted({code for codes in found.values() for code in codes} - {own}))
