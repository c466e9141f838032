"""How an order follows its parcels. Decided from where they are now, so it may run late, twice and out of order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from storefront.delivery.actions import locked_of_order
from storefront.delivery.copies import tell_what_is_due
from storefront.delivery.models import Shipment
from storefront.delivery.parcels import are_several, contents_of, is_live
from storefront.delivery.states import BEFORE_PICK_UP, ShipmentState
from storefront.kernel.audit import SYSTEM, Actor
from storefront.kernel.db import db, transaction
from storefront.orders.actions import flag_order, set_fulfilment_state
from storefront.orders.models import Attention, FulfilmentState, Order
from storefront.orders.moves import locked
from storefront.orders.parting import send_part
from storefront.orders.states import COUNTS, FULFILMENT_STATES, ON_THE_SHELF
from storefront.payments.actions import record_cash

_S, _F = ShipmentState, FulfilmentState


def where_all_are(states: Sequence[ShipmentState]) -> FulfilmentState | None:
    """Where the goods of an order are by where its live parcels are; None while nothing has left.

    What came back is in the shop again: beside others that left, the order is partly out until that is settled.
    """
    has_left = [state for state in states if state not in BEFORE_PICK_UP]
    if not has_left:
        return None
    if all(state is _S.RETURNED for state in states):
        return _F.RETURNED
    if any(state in BEFORE_PICK_UP | {_S.RETURNED} for state in states):
        return _F.PARTLY
    return _F.DELIVERED if all(state is _S.DELIVERED for state in states) else _F.SHIPPED


def follow(shipment_id: int) -> None:
    """Bring an order up to where its parcels are, and its payment up to the cash that was collected for them.

    An order that does not count (any more) stays as it is.
    """
    with transaction():
        order_id = db.session.scalar(select(Shipment.order_id).where(Shipment.id == shipment_id))
        if order_id is None:
            return
        order, parcels = locked(order_id), locked_of_order(order_id)
        if order.state not in COUNTS:
            return
        follow_all(order, parcels, SYSTEM)
        [about] = [one for one in parcels if one.id == shipment_id]
        if about.attention == "attempt_failed" or (about.state is _S.RETURNED and is_live(about)):
            flag_order(order_id, Attention.DELIVERY_FAILED, SYSTEM)


def follow_all(order: Order, parcels: Sequence[Shipment], by: Actor) -> None:
    """The same for a locked order that counts and its locked parcels, in the caller's transaction."""
    live = [one for one in parcels if is_live(one)]
    several = are_several(parcels)
    if several:
        _write_parts(order, live, by)
    target = where_all_are([one.state for one in live])
    if target is not None and target is not _F.PARTLY and order.fulfilment_state in ON_THE_SHELF:
        set_fulfilment_state(order.id, _F.SHIPPED, by)
    for one in live:
        if one.state is _S.DELIVERED and one.cod_collected_minor and not one.cash_noted:
            record_cash(order.id, _collector(one), one.cod_collected_minor if several else None)
            one.cash_noted = True
    if target is not None and FULFILMENT_STATES.allows(order.fulfilment_state, target):
        set_fulfilment_state(order.id, target, SYSTEM if target is not _F.PARTLY else by)
    if several:
        tell_what_is_due(order, parcels)


def _write_parts(order: Order, live: Sequence[Shipment], by: Actor) -> None:
    """Write down what went with each parcel that has left: it is used up, once."""
    contents = contents_of(live)
    for one in live:
        if one.part_id is None and one.state not in BEFORE_PICK_UP:
            one.part_id = send_part(order.id, contents[one.id], by)


def _collector(parcel: Shipment) -> Actor:
    """Who holds the cash: the courier firm until it hands it in, or the shop when its own people carried."""
    if parcel.partner_id is None:
        return SYSTEM
    return Actor("partner", parcel.partner_id, parcel.partner_name)
