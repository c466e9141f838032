"""What the shop does with a parcel: makes it, hands it to the couriers, carries it itself, calls it back.

A parcel is drafted when its order is confirmed, so that the customer's page and code exist from then on, and becomes
ready when the owner marks the order ready: only then is a courier asked to come. Each verb may be asked for twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.catalogue.models import ProductKind
from storefront.customers.address import PostalAddress
from storefront.delivery import codes, routing
from storefront.delivery.copies import tell_partner, tell_what_is_due
from storefront.delivery.models import Assignment, Shipment
from storefront.delivery.parcels import cash_due, contents_of, is_live
from storefront.delivery.rates import zone_for, zones_for_checkout
from storefront.delivery.scopes import beside
from storefront.delivery.states import BEFORE_PICK_UP, WITH_RIDER, AssignmentState, ShipmentState
from storefront.delivery.tracking import move, tell, tell_implied
from storefront.events import OfferEnded, ShipmentFailed, ShipmentReady
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_code, new_token
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import FulfilmentMethod, FulfilmentState, Order, OrderLine, OrderState
from storefront.orders.moves import locked
from storefront.orders.states import ON_THE_SHELF


class WrongCode(Invalid):
    """The digits are not the customer's."""

    message = _l("Ese no es el código de la clienta o el cliente. Pídeselo de nuevo: son cuatro números.")


class CodeLocked(Conflict):
    """Five wrong codes in a row."""

    message = _l("Hubo cinco códigos equivocados seguidos. Espera quince minutos o entrega sin código.")


class NotYours(Conflict):
    """A courier has the parcel, so the shop cannot carry it itself at the same time."""

    message = _l("Un repartidor ya tiene esta entrega. Quítasela primero si la vas a llevar tú.")


# --- making it ----------------------------------------------------------------------------------------------------


def create_shipment(order_id: int) -> None:
    """Draft the first parcel of a confirmed order that is to be delivered: one, however often this runs."""
    with transaction():
        order = next(iter(lock_rows(Order, [order_id])), None)
        if order is None or order.fulfilment_method is not FulfilmentMethod.DELIVERY or order.address is None:
            return
        if order.state is not OrderState.CONFIRMED or order.fulfilment_state not in ON_THE_SHELF:
            return
        zone = zone_for(zones_for_checkout(), PostalAddress.from_dict(order.address))
        items = db.session.scalar(select(func.sum(OrderLine.quantity)).where(OrderLine.order_id == order_id))
        at = clock.now()
        db.session.execute(
            insert(Shipment)
            .values(
                tenant_id=order.tenant_id,
                code=new_code(),
                token=new_token(),
                order_id=order.id,
                order_code=order.code,
                state=ShipmentState.DRAFT,
                state_since=at,
                created_at=at,
                zone_id=zone.id if zone else None,
                address=order.address,
                items=int(items or 0),
                currency=order.currency,
                cod_due_minor=cash_due(order),
                number=1,
                delivery_code=codes.new_delivery_code(),
            )
            .on_conflict_do_nothing()
        )


def make_ready(order_id: int) -> None:
    """The order is packed: from now on couriers may be asked. What is to be collected is fixed here."""
    create_shipment(order_id)
    with transaction():
        order = locked(order_id)
        parcels = locked_of_order(order_id)
        if order.fulfilment_state is not FulfilmentState.READY:
            return  # "ready" was taken back before this ran
        tell_what_is_due(order, parcels)
        for shipment in parcels:
            if shipment.state is ShipmentState.DRAFT:
                pack(shipment)


def pack(shipment: Shipment) -> None:
    """A locked parcel is ready to be fetched, in the caller's transaction."""
    move(shipment, ShipmentState.READY, clock.now())
    tell(shipment, ShipmentState.READY, clock.now(), SYSTEM)
    record(ShipmentReady(shipment_id=shipment.id, order_id=shipment.order_id))


def cancel_shipment(order_id: int) -> None:
    """The order was called off: a parcel still in the shop is cancelled, one on its way has to come back."""
    with transaction():
        found = db.session.scalars(select(Shipment.code).where(Shipment.order_id == order_id)).all()
    for code in found:
        with _held(code) as shipment:
            call_off(shipment)


def call_off(shipment: Shipment, why: str = "cancelled") -> None:
    """The same for a locked shipment, in the caller's transaction."""
    at = clock.now()
    if shipment.state in BEFORE_PICK_UP:
        routing.withdraw(shipment, why)
        move(shipment, ShipmentState.CANCELLED, at)
        shipment.attention, shipment.unroutable = None, False
        tell_partner(shipment, AssignmentState.CANCELLED, why)
    elif shipment.state in WITH_RIDER:
        move(shipment, ShipmentState.RETURNING, at)
        shipment.attention = "returning"
        tell_partner(shipment)
    else:
        return
    tell(shipment, shipment.state, at, SYSTEM, reason=why)
    note("shipment", shipment.code, str(shipment.state), SYSTEM, reason=why)


# --- who carries it -----------------------------------------------------------------------------------------------


def deliver_myself(code: str, by: Actor) -> None:
    """The shop carries the parcel itself: its offers are withdrawn. Raises NotYours once a courier has taken it."""
    with _held(code) as shipment:
        if shipment.own_courier:
            return
        if shipment.state not in {ShipmentState.READY, ShipmentState.OFFERED}:
            raise NotYours
        if shipment.state is ShipmentState.OFFERED:
            routing.withdraw(shipment, "own_courier")
            routing.back_to_ready(shipment, exclude=False)
        shipment.own_courier, shipment.unroutable, shipment.attention = True, False, None
        shipment.version += 1
        note("shipment", code, "own_courier", by)


def offer_again(code: str, by: Actor) -> None:
    """Ask every partner once more, from the first."""
    with _held(code) as shipment:
        if shipment.state is not ShipmentState.READY:
            raise Conflict
        shipment.tried, shipment.own_courier, shipment.unroutable = [], False, False
        shipment.attention = None
        shipment.version += 1
        note("shipment", code, "offered_again", by)
        record(ShipmentReady(shipment_id=shipment.id, order_id=shipment.order_id))


def take_back(code: str, by: Actor) -> None:
    """Take a parcel from a courier who has not come for it; the next partner is asked. Reports of the old one no
    longer count."""
    with _held(code) as shipment:
        if shipment.state is not ShipmentState.ASSIGNED or shipment.own_courier:
            raise Conflict
        tell_partner(shipment, AssignmentState.SUPERSEDED, "taken_back")
        routing.back_to_ready(shipment, exclude=True)
        note("shipment", code, "taken_back", by)
        record(OfferEnded(shipment_id=shipment.id))


def release(assignment_ref: str, reason: str, by: Actor) -> None:
    """A partner gives work back before it fetched the parcel; shop and partner are in scope.

    Repeating it changes nothing. Raises NotFound, IllegalTransition after the pick-up.
    """
    with transaction():
        found = db.session.execute(
            select(Assignment.shipment_id, Assignment.state, Assignment.partner_id).where(
                Assignment.ref == assignment_ref, Assignment.tenant_id == current_shop().id
            )
        ).first()
        if found is None:
            raise NotFound
        if found.state is AssignmentState.RELEASED:
            return
        [shipment] = lock_rows(Shipment, [found.shipment_id])
        if found.state is not AssignmentState.ACTIVE or shipment.assignment_ref != assignment_ref:
            raise NotFound
        if shipment.state is not ShipmentState.ASSIGNED:
            raise _too_late(shipment)
        tell_partner(shipment, AssignmentState.RELEASED, reason)
        routing.back_to_ready(shipment, exclude=True)
        note("shipment", shipment.code, "released", by, reason=reason)
        record(OfferEnded(shipment_id=shipment.id))


def _too_late(shipment: Shipment) -> Conflict:
    error = Conflict(_l("Ya recogiste el paquete: no se puede devolver a la lista."))
    error.extra = {"current_status": str(shipment.state)}  # type: ignore[attr-defined]  # shown as a problem's member
    return error


# --- the shop's own delivery ---------------------------------------------------------------------------------------


def set_out(code: str, by: Actor) -> None:
    """The shop's own courier leaves with the parcel, or tries again."""
    with _held(code) as shipment:
        if shipment.state is ShipmentState.OUT_FOR_DELIVERY:
            return
        if not shipment.own_courier:
            raise NotYours
        depart(shipment, by)


def depart(shipment: Shipment, by: Actor) -> None:
    """Send a locked shipment out with the shop's own courier, in the caller's transaction."""
    before, at = shipment.state, clock.now()
    if before is ShipmentState.READY:
        move(shipment, ShipmentState.ASSIGNED, at)
    shipment.courier_name = shipment.courier_name or current_shop().name
    move(shipment, ShipmentState.OUT_FOR_DELIVERY, at)
    _tell_step(shipment, before, by)


def hand_over(code: str, typed: str, by: Actor, *, without_code: bool = False) -> None:
    """The parcel was handed over and its cash collected, says the shop; for its own courier or for one who forgot.

    Raises WrongCode or CodeLocked (the try counts) unless the shop answers for it with `without_code`.
    """
    failed: Invalid | Conflict | None = None
    with _held(code) as shipment:
        if shipment.state is ShipmentState.DELIVERED:
            return
        if shipment.state is ShipmentState.READY and not shipment.own_courier:
            raise NotYours
        checked = None if without_code else codes.check(shipment, typed)
        if checked is None or checked.is_right:
            before, at = shipment.state, clock.now()
            if before is ShipmentState.READY:
                move(shipment, ShipmentState.ASSIGNED, at)
            shipment.cod_collected_minor = shipment.cod_due_minor or None
            move(shipment, ShipmentState.DELIVERED, at)
            _tell_step(shipment, before, by, reason="without_code" if without_code else None)
            tell_partner(shipment, AssignmentState.COMPLETED, "handed over, says the shop")
        else:
            failed = CodeLocked() if checked.locked_s else WrongCode()
    if failed is not None:
        raise failed


def note_failed_attempt(code: str, reason: str, by: Actor) -> None:
    """The shop's own courier found nobody, or could not hand it over."""
    with _held(code) as shipment:
        if shipment.state is ShipmentState.ATTEMPT_FAILED:
            return
        if not shipment.own_courier:
            raise NotYours
        before = shipment.state
        move(shipment, ShipmentState.ATTEMPT_FAILED, clock.now())
        _tell_step(shipment, before, by, reason=reason)


def call_back(code: str, by: Actor) -> None:
    """After a failed attempt the parcel comes back to the shop."""
    with _held(code) as shipment:
        if shipment.state is ShipmentState.RETURNING:
            return
        before = shipment.state
        move(shipment, ShipmentState.RETURNING, clock.now())
        shipment.attention = "returning"
        _tell_step(shipment, before, by)
        tell_partner(shipment)


def receive_back(code: str, by: Actor) -> None:
    """The parcel is in the shop again."""
    with _held(code) as shipment:
        if shipment.state is ShipmentState.RETURNED:
            return
        before = shipment.state
        move(shipment, ShipmentState.RETURNED, clock.now())
        shipment.attention = None
        _tell_step(shipment, before, by)
        tell_partner(shipment, AssignmentState.COMPLETED, "returned")
        record(ShipmentFailed(shipment_id=shipment.id, order_id=shipment.order_id))


def count_again(order: Order, parcels: Sequence[Shipment]) -> None:
    """Bring what is in the locked parcels of a locked order, and what they collect, up to its lines as they are now."""
    contents = contents_of(parcels)
    booked = db.session.scalar(
        select(func.sum(OrderLine.quantity)).where(OrderLine.order_id == order.id, OrderLine.kind != ProductKind.GOODS)
    )
    live = [one for one in parcels if is_live(one)]
    for one in live:
        if one.part_id is None:
            one.items = sum(contents[one.id].values()) + (int(booked or 0) if one is live[0] else 0)
    tell_what_is_due(order, parcels)


# --- the row, and the partner's side of it ---------------------------------------------------------------------------


def locked_of_order(order_id: int) -> list[Shipment]:
    """The parcels of an order by their numbers, their rows locked after the order's."""
    found = db.session.scalars(select(Shipment.id).where(Shipment.order_id == order_id)).all()
    return sorted(lock_rows(Shipment, found), key=lambda one: one.number)


@contextmanager
def _held(code: str) -> Iterator[Shipment]:
    """The shipment with this code, locked, in one transaction with its partner (if any) in scope. Raises NotFound."""
    with transaction():
        found = db.session.execute(select(Shipment.id, Shipment.partner_id).where(Shipment.code == code)).first()
    if found is None:
        raise NotFound
    with beside(found.partner_id), transaction():
        [shipment] = lock_rows(Shipment, [found.id])
        if shipment.partner_id != found.partner_id:
            raise Conflict
        yield shipment


def _tell_step(shipment: Shipment, before: ShipmentState, by: Actor, reason: str | None = None) -> None:
    at = clock.now()
    event_id = f"{shipment.code}:{shipment.status_seq}:{shipment.state}"
    tell(shipment, shipment.state, at, by, source="shop", event_id=event_id, reason=reason)
    tell_implied(shipment, before, "shop", event_id, at)
    note("shipment", shipment.code, str(shipment.state), by, reason=reason)
