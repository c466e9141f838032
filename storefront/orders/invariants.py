"""What must always be true of a shop's orders, asked of the database. The answer lists violations; empty is sound.

I7: one wish, one order. I9: who paid, or paid the deposit, has their goods, their money back, or a person looking at
it. I12: every order walked only where the tables allow. I14: one letter for one occasion, and one that says that the
order counts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, and_, cast, func, literal, or_, select, tuple_

from storefront.catalogue.models import ProductKind
from storefront.inventory.models import HoldState, Stock, StockHold
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.outbox import OutboxRow
from storefront.orders.models import Order, OrderEvent, OrderLine
from storefront.orders.states import (
    ON_THE_SHELF,
    TABLES,
    WAITING,
    Axis,
    FulfilmentState,
    OrderState,
    PaymentState,
)

START = {
    Axis.ORDER: OrderState.DRAFT,
    Axis.PAYMENT: PaymentState.UNPAID,
    Axis.FULFILMENT: FulfilmentState.NONE,
}
COUNTS = (OrderState.CONFIRMED, OrderState.COMPLETED)


def invariants() -> list[dict[str, Any]]:
    """Every violation in the current shop: {"invariant": "I9", "order": code, "what": a sentence}."""
    return [
        *_several_orders_for_one_wish(), *_paid_for_nothing(), *_illegal_paths(), *_repeated_letters(),
        *_unannounced(),
    ]  # fmt: skip


def _fault(invariant: str, order: str, what: str) -> dict[str, Any]:
    return {"invariant": invariant, "order": order, "what": what}


def _several_orders_for_one_wish() -> list[dict[str, Any]]:
    rows = db.session.execute(
        select(Order.placement_key, func.min(Order.code).label("code"))
        .group_by(Order.placement_key)
        .having(func.count() > 1)
    )
    return [_fault("I7", row.code, "one wish became several orders") for row in rows]


def _paid_for_nothing() -> list[dict[str, Any]]:
    has_ended = Order.state.in_((OrderState.CANCELLED, OrderState.EXPIRED))
    deposit_waits = and_(
        Order.state.in_(WAITING),
        Order.deposit_minor > 0,
        Order.received_minor >= func.least(Order.deposit_minor, Order.total_minor),
    )
    ended = db.session.execute(
        select(Order.code).where(
            or_(
                and_(Order.payment_state == PaymentState.PAID, Order.state.not_in(COUNTS)),
                and_(
                    Order.payment_state == PaymentState.PARTLY_PAID,
                    or_(and_(has_ended, Order.received_minor > Order.kept_minor), deposit_waits),
                ),
            ),
            Order.attention.is_(None),
            Order.disputed_minor == 0,  # its money is with the bank, or with whoever paid
        )
    )
    return [
        *(_fault("I9", row.code, "paid, and neither kept nor looked at") for row in ended),
        *(_fault("I9", row.code, "counts, and its goods are not held") for row in _without_goods()),
    ]


def _without_goods() -> Any:
    held = (
        select(func.coalesce(func.sum(StockHold.qty), 0))
        .where(
            StockHold.tenant_id == OrderLine.tenant_id,
            StockHold.cause == "order",
            StockHold.cause_id == OrderLine.order_id,
            StockHold.variant_id == OrderLine.variant_id,
            StockHold.state == HoldState.ACTIVE,
        )
        .correlate(OrderLine)
        .scalar_subquery()
    )
    ever_held = (
        select(StockHold.id)
        .where(
            StockHold.tenant_id == OrderLine.tenant_id,
            StockHold.cause == "order",
            StockHold.cause_id == OrderLine.order_id,
            StockHold.variant_id == OrderLine.variant_id,
        )
        .correlate(OrderLine)
        .exists()
    )
    counted = (
        select(Stock.variant_id)
        .where(Stock.tenant_id == OrderLine.tenant_id, Stock.variant_id == OrderLine.variant_id)
        .correlate(OrderLine)
        .exists()
    )
    return db.session.execute(
        select(Order.code)
        .join(OrderLine, (OrderLine.tenant_id == Order.tenant_id) & (OrderLine.order_id == Order.id))
        .where(
            Order.state == OrderState.CONFIRMED,
            Order.fulfilment_state.in_(ON_THE_SHELF),
            OrderLine.kind == ProductKind.GOODS,
            counted,
            ever_held,
        )
        .group_by(Order.code, OrderLine.tenant_id, OrderLine.order_id, OrderLine.variant_id)
        .having(func.sum(OrderLine.quantity - OrderLine.restocked_quantity) > held)
    )


def _illegal_paths() -> list[dict[str, Any]]:
    path, order = (OrderEvent.order_id, OrderEvent.axis), OrderEvent.id
    steps = select(
        OrderEvent.order_id,
        OrderEvent.axis,
        OrderEvent.before,
        OrderEvent.after,
        func.lag(OrderEvent.after).over(partition_by=path, order_by=order).label("came_from"),
        func.lead(OrderEvent.after).over(partition_by=path, order_by=order).label("goes_to"),
    ).subquery("steps")
    legal = or_(
        *(
            and_(
                steps.c.axis == axis,
                tuple_(steps.c.before, steps.c.after).in_([(str(a), str(b)) for a, b in table.pairs]),
                steps.c.before == func.coalesce(steps.c.came_from, str(START[axis])),
            )
            for axis, table in TABLES.items()
        )
    )
    now = {Axis.ORDER: Order.state, Axis.PAYMENT: Order.payment_state, Axis.FULFILMENT: Order.fulfilment_state}
    ends_well = or_(
        steps.c.goes_to.is_not(None),
        *(and_(steps.c.axis == axis, steps.c.after == cast(column, String)) for axis, column in now.items()),
    )
    rows = db.session.execute(
        select(Order.code, steps.c.axis, steps.c.before, steps.c.after)
        .join(steps, steps.c.order_id == Order.id)
        .where(or_(~legal, ~ends_well))
    )
    return [_fault("I12", row.code, f"{row.axis}: {row.before} to {row.after}") for row in rows]


def _repeated_letters() -> list[dict[str, Any]]:
    rows = db.session.execute(
        select(MailMessage.once)
        .where(MailMessage.once.like("order-%"))
        .group_by(MailMessage.once)
        .having(func.count() > 1)
    )
    return [_fault("I14", row.once, "written more than once") for row in rows]


def _unannounced() -> list[dict[str, Any]]:
    """Whose letter is done, says the outbox, and was never written. Letters are kept longer than what is done there."""
    confirmed = literal("order-confirmed:") + cast(Order.id, String)
    letter = (
        select(MailMessage.id)
        .where(MailMessage.tenant_id == Order.tenant_id, MailMessage.once == confirmed)
        .correlate(Order)
        .exists()
    )
    rows = db.session.execute(
        select(Order.code)
        .join(
            OutboxRow,
            (OutboxRow.tenant_id == Order.tenant_id) & (OutboxRow.payload["order_id"].astext == cast(Order.id, String)),
        )
        .where(
            OutboxRow.job == "orders.send_confirmed",
            OutboxRow.done_at.is_not(None),
            Order.contact_email.is_not(None),
            ~letter,
        )
        .distinct()
    )
    return [_fault("I14", row.code, "counts, and nobody was told") for row in rows]
