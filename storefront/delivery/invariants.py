"""What must always be true of a shop's parcels, asked of the database. The answer lists violations; empty is sound.

I24: what is out of an order is what left in parts and did not come back; its parcels never collect more than is due.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select

from storefront.delivery.models import Shipment
from storefront.delivery.states import TERMINAL, ShipmentState
from storefront.kernel.db import db
from storefront.orders.models import HandedLine, Order, OrderLine
from storefront.orders.states import COUNTS


def invariants() -> list[dict[str, Any]]:
    """Every violation in the current shop: {"invariant": "I24", "order": code, "what": a sentence}."""
    return [*_out_without_a_part(), *_collected_twice()]


def _out_without_a_part() -> list[dict[str, Any]]:
    back = and_(Shipment.tenant_id == HandedLine.tenant_id, Shipment.part_id == HandedLine.part_id, Shipment.taken_back)
    out = (
        select(func.coalesce(func.sum(HandedLine.quantity), 0))
        .where(
            HandedLine.tenant_id == OrderLine.tenant_id,
            HandedLine.order_line_id == OrderLine.id,
            ~select(Shipment.id).where(back).correlate(HandedLine).exists(),
        )
        .correlate(OrderLine)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Order.code)
        .join(OrderLine, (OrderLine.tenant_id == Order.tenant_id) & (OrderLine.order_id == Order.id))
        .where(OrderLine.handed_quantity != out)
        .distinct()
    )
    return [_fault(row.code, "what is out is not what left in parts") for row in rows]


def _collected_twice() -> list[dict[str, Any]]:
    is_open = Shipment.state.not_in(TERMINAL)
    collected = func.sum(Shipment.cod_due_minor).filter(is_open)
    rows = db.session.execute(
        select(Order.code)
        .join(Shipment, (Shipment.tenant_id == Order.tenant_id) & (Shipment.order_id == Order.id))
        .where(Order.state.in_(COUNTS), Shipment.state != ShipmentState.CANCELLED)
        .group_by(Order.code, Order.total_minor, Order.received_minor)
        .having(and_(func.count() > 1, collected > Order.total_minor - Order.received_minor))
    )
    return [_fault(row.code, "its parcels collect more than is due") for row in rows]


def _fault(order: str, what: str) -> dict[str, Any]:
    return {"invariant": "I24", "order": order, "what": what}
