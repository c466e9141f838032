"""What the desk does with an order that has parcels: all move in one transaction, or none does.

Order and parcels both know whether the goods have left. Each verb locks the order first, then its parcels. What a
courier holds is decided on the parcel's own page, where the courier and the customer's code are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.delivery import actions, routing
from storefront.delivery.copies import tell_what_is_due
from storefront.delivery.following import follow, follow_all
from storefront.delivery.models import Shipment
from storefront.delivery.parcels import is_live
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
from storefront.orders.states import COUNTS, ON_THE_SHELF, FulfilmentMethod, FulfilmentState, OrderState, owes_rest
from storefront.payments import kept
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


class RestIsOpen(Conflict):
    """The deposit came, the rest did not, and nobody said that it is handed over all the same."""

    message = _l("Falta el resto de este pedido. Anota que te lo pagaron, o di que lo entregas sin cobrarlo.")


@contextmanager
def _with_parcels(order_id: int) -> Iterator[tuple[Order, list[Shipment]]]:
    """The order and its parcels, locked in this order, in one transaction with the partner of one of them in scope.

    The rows of other partners follow by a job (`delivery.copies`). Raises NoSuchOrder.
    """
    with transaction():
        partner_id = db.session.scalar(
            select(Shipment.partner_id)
            .where(Shipment.order_id == order_id, Shipment.partner_id.is_not(None), Shipment.state.not_in(TERMINAL))
            .order_by(Shipment.number)
            .limit(1)
        )
    with beside(partner_id), transaction():
        yield locked(order_id), actions.locked_of_order(order_id)


def hand_over(order_id: int, by: Actor, *, collected: bool = False, unpaid: bool = False) -> None:
    """The goods leave the shop, paid in cash just now if `collected`. Parcels that nobody else has leave with them.

    Raises CourierComes while a courier was asked for one of them, NotConfirmed; RestIsOpen for what is picked up while
    a rest is open, unless it is to go `unpaid`.
    """
    with _with_parcels(order_id) as (order, known):
        if collected:
            record_cash(order_id, by)
        if order.fulfilment_method is not FulfilmentMethod.DELIVERY:
            _mind_the_rest(order, unpaid=unpaid)
        is_to_be_delivered = order.fulfilment_method is FulfilmentMethod.DELIVERY
        if order.fulfilment_state is FulfilmentState.PARTLY and not is_to_be_delivered:
            hand_over_rest(order_id, by)
            return
        if not known:
            actions.create_shipment(order_id)
        parcels = known or actions.locked_of_order(order_id)
        live = [one for one in parcels if is_live(one)]
        if not live:
            orders.hand_over(order_id, by)
            return
        if any(one.state in PROMISED for one in live):
            raise CourierComes
        if order.state not in COUNTS:
            raise orders.NotConfirmed
        _leave([one for one in live if one.state in IN_THE_SHOP], order, parcels, by)
        follow_all(order, parcels, by)


def _leave(leaving: Sequence[Shipment], order: Order, parcels: Sequence[Shipment], by: Actor) -> None:
    """These go out with the shop's own courier."""
    tell_what_is_due(order, parcels)
    for one in leaving:
        one.own_courier, one.unroutable, one.attention = True, False, None
        if one.state is _S.DRAFT:
            move(one, _S.READY, clock.now())
        actions.depart(one, by)


def _mind_the_rest(order: Order, *, unpaid: bool) -> None:
    if owes_rest(order) and not unpaid:
        raise RestIsOpen


def hand_over_part(
    order_id: int, units: Mapping[int, int], by: Actor, *, collected: bool = False, unpaid: bool = False
) -> FulfilmentState:
    """Some pieces go into the customer's hands, paid for as a whole just now if `collected`.

    Raises RestIsOpen unless they are to go `unpaid`, and what `orders.parting.hand_over_part` and `record_cash` raise.
    """
    with transaction():
        if collected:
            record_cash(order_id, by)
        _mind_the_rest(locked(order_id), unpaid=unpaid)
        return parting.hand_over_part(order_id, units, by)


def deliver(order_id: int, by: Actor, *, collected: bool = False, unpaid: bool = False) -> None:
    """The order arrived. Raises NotThereYet while a parcel has not: its own page asks for the customer's code.

    Raises NotOut for an order that is to be delivered and has no parcel yet, RestIsOpen as `hand_over`.
    """
    with _with_parcels(order_id) as (order, parcels):
        if any(one.state is not _S.DELIVERED for one in parcels if is_live(one) or len(parcels) == 1):
            raise NotThereYet
        is_in_shop = order.fulfilment_state in ON_THE_SHELF
        if not parcels and is_in_shop and order.fulfilment_method is FulfilmentMethod.DELIVERY:
            raise NotOut
        if collected:
            record_cash(order_id, by)
        if not parcels:
            _mind_the_rest(order, unpaid=unpaid)
        if parcels:
            follow(parcels[0].id)
        elif order.fulfilment_state is FulfilmentState.PARTLY:
            hand_over_rest(order_id, by)
        else:
            orders.set_fulfilment_state(order_id, FulfilmentState.DELIVERED, by)


def note_cash(order_id: int, by: Actor) -> None:
    """The whole amount came in cash at the desk; whoever holds a parcel has nothing to collect any more.

    Raises what `record_cash` raises.
    """
    with _with_parcels(order_id) as (order, parcels):
        record_cash(order_id, by)
        tell_what_is_due(order, parcels)


def note_cash_among_others(order_id: int, by: Actor) -> None:
    """The same for one of several orders that were paid at once, in the caller's transaction: couriers' own rows follow
    by a job (`delivery.copies`). Raises what `record_cash` raises."""
    with transaction():
        order, parcels = locked(order_id), actions.locked_of_order(order_id)
        record_cash(order_id, by)
        tell_what_is_due(order, parcels)


def unnote_cash(order_id: int, by: Actor, *, within: timedelta | None = None) -> None:
    """Undo `note_cash`: the courier collects it after all. Raises what `take_back_cash` raises."""
    with _with_parcels(order_id) as (order, parcels):
        take_back_cash(order_id, by, within=within)
        tell_what_is_due(order, parcels)


def follow_payment(order_id: int) -> None:
    """Money came in another way than in cash: whoever holds a parcel has less to collect, or nothing."""
    with _with_parcels(order_id) as (order, parcels):
        tell_what_is_due(order, parcels)


def unmark_ready(order_id: int, by: Actor) -> None:
    """Take "ready" back; parcels that no courier has taken wait again. Raises CourierHasIt for one that was taken."""
    with _with_parcels(order_id) as (order, parcels):
        if order.fulfilment_state is not FulfilmentState.READY:
            return
        for one in parcels:
            if is_live(one):
                unpack(one, by)
        orders.unmark_ready(order_id, by)


def unpack(shipment: Shipment, by: Actor) -> None:
    """A locked parcel is not ready after all, in the caller's transaction. Raises CourierHasIt once it was taken."""
    if shipment.state not in IN_THE_SHOP | {_S.OFFERED}:
        raise CourierHasIt
    call_offer_back(shipment, "not_ready")
    if shipment.state is _S.READY:
        shipment.unroutable, shipment.attention = False, None
        move(shipment, _S.DRAFT, clock.now())
        note("shipment", shipment.code, "not_ready", by)


def call_offer_back(shipment: Shipment, why: str) -> None:
    """Take a locked parcel out of the queue it is offered in, in the caller's transaction."""
    if shipment.state is _S.OFFERED:
        routing.withdraw(shipment, why)
        routing.back_to_ready(shipment, exclude=False)


def cancel(order_id: int, reason: str, by: Actor, *, damaged: Collection[int] = (), kept_minor: int = 0) -> None:
    """Cancel an order and call its parcels off; what `damaged` lines (by position) hold does not go on sale again, and
    `kept_minor` of its deposit does not go back.

    Raises OnItsWay once a parcel has left, CannotCancel, MayNotKeep; then nothing has changed.
    """
    with _with_parcels(order_id) as (order, parcels):
        if any(one.state not in IN_THE_SHOP | PROMISED | {_S.CANCELLED} for one in parcels):
            raise OnItsWay
        if kept_minor and order.state is not OrderState.CANCELLED:
            kept.keep(order, kept_minor, by)
        orders.cancel_order(order_id, reason, by, damaged=damaged)
        for one in parcels:
            actions.call_off(one)
