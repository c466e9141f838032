"""What the desk does with an order that has a parcel: both move in one transaction, or neither does.

Order and parcel both know whether the goods have left. Each verb locks the order first, then the parcel. What a courier
holds is decided on the parcel's own page, where the courier and the customer's code are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.delivery import actions, routing
from storefront.delivery.following import follow
from storefront.delivery.models import Shipment
from storefront.delivery.scopes import beside
from storefront.delivery.states import TERMINAL, ShipmentState
from storefront.delivery.tracking import move
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.orders import actions as orders
from storefront.orders import parting
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.parting import hand_over_rest
from storefront.orders.states import ON_THE_SHELF, FulfilmentMethod, FulfilmentState
from storefront.payments.actions import record_cash, take_back_cash

_S = ShipmentState

IN_THE_SHOP = frozenset({_S.DRAFT, _S.READY})
"""Nobody but the shop has the parcel, and no courier was asked."""

PROMISED = frozenset({_S.OFFERED, _S.ASSIGNED})
"""Still in the shop, but a courier was asked or is on the way."""


class ParcelDecides(Conflict):
    """What is wished for the order is a matter of its parcel."""

    message = _l("Esto se decide en la entrega del pedido.")


class CourierComes(ParcelDecides):
    """A courier was asked, or is on the way to fetch the parcel."""

    message = _l("Esta entrega ya es de un repartidor. Decide aquí quién la lleva.")


class CourierHasIt(ParcelDecides):
    """The order cannot go back to the kitchen while somebody carries it or is on the way."""

    message = _l("Un repartidor ya tomó esta entrega. Quítasela primero si el pedido todavía no está listo.")


class NotThereYet(ParcelDecides):
    """Arriving is told of the parcel."""

    message = _l("Anota aquí que la entrega llegó, con el código que te diga la clienta o el cliente.")


class NotOut(Conflict):
    """What is still in the shop has not arrived at anybody's door."""

    message = _l("Primero anota que el pedido salió a entregarse.")


class OnItsWay(ParcelDecides):
    """What has left the shop cannot be cancelled."""

    message = _l("El paquete ya salió de la tienda. Tráelo de regreso antes de cancelar el pedido.")


@contextmanager
def _with_parcel(order_id: int) -> Iterator[tuple[Order, Shipment | None]]:
    """The order and its parcel (if any), locked in this order, in one transaction with its partner in scope.

    Raises NoSuchOrder.
    """
    with transaction():
        partner_id = db.session.scalar(select(Shipment.partner_id).where(Shipment.order_id == order_id))
    with beside(partner_id), transaction():
        order = locked(order_id)
        shipment = actions.locked_of_order(order_id)
        if shipment is not None and shipment.partner_id != partner_id:
            raise Conflict
        yield order, shipment


def hand_over(order_id: int, by: Actor, *, collected: bool = False) -> None:
    """The goods leave the shop, paid in cash just now if `collected`. A parcel that nobody else has leaves with it.

    Raises CourierComes while a courier was asked for the parcel, NotConfirmed.
    """
    with _with_parcel(order_id) as (order, drafted):
        if collected:
            record_cash(order_id, by)
        if order.fulfilment_state is FulfilmentState.PARTLY:
            hand_over_rest(order_id, by)
            return
        if drafted is None:
            actions.create_shipment(order_id)
        shipment = drafted or actions.locked_of_order(order_id)
        if shipment is None or shipment.state is _S.CANCELLED:
            orders.hand_over(order_id, by)
        elif shipment.state in PROMISED:
            raise CourierComes
        elif shipment.state in IN_THE_SHOP:
            orders.hand_over(order_id, by)
            shipment.cod_due_minor = actions.cash_due(order)
            shipment.own_courier, shipment.unroutable, shipment.attention = True, False, None
            if shipment.state is _S.DRAFT:
                move(shipment, _S.READY, clock.now())
            actions.depart(shipment, by)
        else:
            follow(shipment.id)


def hand_over_part(order_id: int, units: Mapping[int, int], by: Actor, *, collected: bool = False) -> FulfilmentState:
    """Some pieces go into the customer's hands, paid for as a whole just now if `collected`.

    Raises what `orders.parting.hand_over_part` and `record_cash` raise.
    """
    with transaction():
        if collected:
            record_cash(order_id, by)
        return parting.hand_over_part(order_id, units, by)


def deliver(order_id: int, by: Actor, *, collected: bool = False) -> None:
    """The order arrived. Raises NotThereYet for a parcel that has not: its own page asks for the customer's code.

    Raises NotOut for an order that is to be delivered and has no parcel yet.
    """
    with _with_parcel(order_id) as (order, shipment):
        if shipment is not None and shipment.state is not _S.DELIVERED:
            raise NotThereYet
        is_in_shop = order.fulfilment_state in ON_THE_SHELF
        if shipment is None and is_in_shop and order.fulfilment_method is FulfilmentMethod.DELIVERY:
            raise NotOut
        if collected:
            record_cash(order_id, by)
        if shipment is not None:
            follow(shipment.id)
        elif order.fulfilment_state is FulfilmentState.PARTLY:
            hand_over_rest(order_id, by)
        else:
            orders.set_fulfilment_state(order_id, FulfilmentState.DELIVERED, by)


def note_cash(order_id: int, by: Actor) -> None:
    """The whole amount came in cash at the desk; whoever holds the parcel has nothing to collect any more.

    Raises what `record_cash` raises.
    """
    with _with_parcel(order_id) as (order, shipment):
        record_cash(order_id, by)
        _tell_what_is_due(order, shipment)


def unnote_cash(order_id: int, by: Actor, *, within: timedelta | None = None) -> None:
    """Undo `note_cash`: the courier collects it after all. Raises what `take_back_cash` raises."""
    with _with_parcel(order_id) as (order, shipment):
        take_back_cash(order_id, by, within=within)
        _tell_what_is_due(order, shipment)


def follow_payment(order_id: int) -> None:
    """Money came in another way than in cash: whoever holds the parcel has less to collect, or nothing."""
    with _with_parcel(order_id) as (order, shipment):
        _tell_what_is_due(order, shipment)


def _tell_what_is_due(order: Order, shipment: Shipment | None) -> None:
    if shipment is not None and shipment.state not in TERMINAL:
        actions.collect(shipment, actions.cash_due(order))


def unmark_ready(order_id: int, by: Actor) -> None:
    """Take "ready" back; a parcel that no courier has taken waits again. Raises CourierHasIt for one that has."""
    with _with_parcel(order_id) as (order, shipment):
        if order.fulfilment_state is not FulfilmentState.READY:
            return
        if shipment is not None and shipment.state not in IN_THE_SHOP | {_S.OFFERED}:
            raise CourierHasIt
        if shipment is not None and shipment.state is _S.OFFERED:
            routing.withdraw(shipment, "not_ready")
            routing.back_to_ready(shipment, exclude=False)
        if shipment is not None and shipment.state is _S.READY:
            shipment.unroutable, shipment.attention = False, None
            move(shipment, _S.DRAFT, clock.now())
            note("shipment", shipment.code, "not_ready", by)
        orders.unmark_ready(order_id, by)


def cancel(order_id: int, reason: str, by: Actor, *, damaged: Collection[int] = ()) -> None:
    """Cancel an order and call its parcel off; what `damaged` lines (by position) hold does not go on sale again.

    Raises OnItsWay once the parcel has left, CannotCancel.
    """
    with _with_parcel(order_id) as (_order, shipment):
        if shipment is not None and shipment.state not in IN_THE_SHOP | PROMISED | {_S.CANCELLED}:
            raise OnItsWay
        orders.cancel_order(order_id, reason, by, damaged=damaged)
        if shipment is not None:
            actions.call_off(shipment)
