"""What of an order may come back, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.orders.models import Order, OrderEvent, OrderLine
from storefront.orders.queries import NoSuchOrder
from storefront.orders.states import COUNTS, SETTLED, Axis, FulfilmentState


@dataclass(frozen=True, slots=True)
class ReturnableLine:
    """A line of goods of which `left` units may still come back; `position` is how people and forms name it."""

    id: int
    position: int
    product_id: int
    variant_id: int
    name: str
    left: int
    refunded: int
    restocked: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Whether an order's goods may come back: they are with the customer and paid; `until` is the customer's own time.

    `has_services`: what was booked is in it, too, and cannot be returned.
    """

    is_delivered: bool
    is_paid: bool
    days: int
    delivered_at: datetime | None
    has_goods: bool
    has_services: bool

    @property
    def until(self) -> datetime | None:
        """Until when the customer may ask; None where they may not at all."""
        if not self.days or self.delivered_at is None:
            return None
        return self.delivered_at + timedelta(days=self.days)

    @property
    def may_be_asked(self) -> bool:
        """Whether the customer may ask now."""
        return self.is_delivered and self.is_paid and self.until is not None and clock.now() <= self.until


def terms_of(order_id: int) -> Terms:
    """Whether an order's goods may come back, and until when. Raises NoSuchOrder."""
    at = (
        select(func.max(OrderEvent.at))
        .where(
            OrderEvent.tenant_id == Order.tenant_id, OrderEvent.order_id == Order.id,
            OrderEvent.axis == Axis.FULFILMENT, OrderEvent.after == FulfilmentState.DELIVERED,
        )
        .correlate(Order)
        .scalar_subquery()
    )  # fmt: skip
    row = db.session.execute(
        select(
            Order.state, Order.fulfilment_state, Order.payment_state, Order.total_minor, Order.return_days,
            at.label("delivered_at"),
        ).where(Order.id == order_id)
    ).first()  # fmt: skip
    if row is None:
        raise NoSuchOrder
    kinds = set(db.session.scalars(select(OrderLine.kind).where(OrderLine.order_id == order_id)))
    return Terms(
        is_delivered=row.state in COUNTS and row.fulfilment_state is FulfilmentState.DELIVERED,
        is_paid=row.payment_state in SETTLED or not row.total_minor,
        days=row.return_days,
        delivered_at=row.delivered_at,
        has_goods=ProductKind.GOODS in kinds,
        has_services=bool(kinds - {ProductKind.GOODS}),
    )


def returnable_lines(order_id: int) -> list[ReturnableLine]:
    """The lines of goods of which units may still come back: those that no money went back for."""
    left = (OrderLine.quantity - OrderLine.refunded_quantity).label("left")
    rows = db.session.execute(
        select(
            OrderLine.id, OrderLine.position, OrderLine.product_id, OrderLine.variant_id, OrderLine.product_name,
            OrderLine.variant_name, left, OrderLine.refunded_quantity.label("refunded"),
            OrderLine.restocked_quantity.label("restocked"),
        )
        .where(OrderLine.order_id == order_id, OrderLine.kind == ProductKind.GOODS, left > 0)
        .order_by(OrderLine.position)
    )  # fmt: skip
    return [
        ReturnableLine(
            row.id, row.position, row.product_id, row.variant_id,
            " · ".join(filter(None, (row.product_name, row.variant_name))), row.left, row.refunded, row.restocked,
        )
        for row in rows
    ]  # fmt: skip
