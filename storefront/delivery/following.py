"""How an order follows its parcel. Decided from where the parcel is now, so it may run late, twice and out of order."""

from __future__ import annotations

from sqlalchemy import select

from storefront.delivery.models import Shipment
from storefront.delivery.states import WITH_RIDER, ShipmentState
from storefront.kernel.audit import SYSTEM, Actor
from storefront.kernel.db import db, transaction
from storefront.orders.actions import flag_order, set_fulfilment_state
from storefront.orders.models import Attention, FulfilmentState, Order, OrderState
from storefront.orders.states import ON_THE_SHELF
from storefront.payments.actions import record_cash

_GONE = WITH_RIDER | {ShipmentState.RETURNING, ShipmentState.RETURNED, ShipmentState.DELIVERED}


def follow(shipment_id: int) -> None:
    """Bring the order up to where its parcel is, and its payment up to the cash that was collected.

    An order that does not count (any more) stays as it is.
    """
    with transaction():
        found = db.session.execute(
            select(
                Shipment.state, Shipment.order_id, Shipment.attention, Shipment.cod_collected_minor,
                Shipment.partner_id, Shipment.partner_name, Order.state.label("order_state"), Order.fulfilment_state,
            )
            .join(Order, (Order.tenant_id == Shipment.tenant_id) & (Order.id == Shipment.order_id))
            .where(Shipment.id == shipment_id)
        ).first()  # fmt: skip
        if found is None or found.order_state not in {OrderState.CONFIRMED, OrderState.COMPLETED}:
            return
        now = found.fulfilment_state
        if found.state in _GONE and now in ON_THE_SHELF:
            set_fulfilment_state(found.order_id, FulfilmentState.SHIPPED, SYSTEM)
            now = FulfilmentState.SHIPPED
        if found.state is ShipmentState.DELIVERED and found.cod_collected_minor:
            record_cash(found.order_id, _collector(found.partner_id, found.partner_name))
        if found.state is ShipmentState.DELIVERED and now is FulfilmentState.SHIPPED:
            set_fulfilment_state(found.order_id, FulfilmentState.DELIVERED, SYSTEM)
        if found.state is ShipmentState.RETURNED and now is not FulfilmentState.RETURNED:
            set_fulfilment_state(found.order_id, FulfilmentState.RETURNED, SYSTEM)
        if found.attention == "attempt_failed" or found.state is ShipmentState.RETURNED:
            flag_order(found.order_id, Attention.DELIVERY_FAILED, SYSTEM)


def _collector(partner_id: int | None, partner_name: str) -> Actor:
    """Who holds the cash: the courier firm until it hands it in, or the shop when its own people carried."""
    return Actor("partner", partner_id, partner_name) if partner_id is not None else SYSTEM
