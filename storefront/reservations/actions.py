"""Taking places and giving them back.

Every action that takes places locks the resource's row first (sorted when several), so that two people who want the
last place wait for each other for a moment instead of deadlocking on the exclusion constraint, which stays the
guarantee. Time is logical: a hold past `expires_at` is freed by whoever needs its places; no cleaner is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range

from storefront.events import BookingCancelled, BookingConfirmed
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.reservations import queries, slots
from storefront.reservations.models import TRANSITIONS, Booking, BookingSeat, BookingState, Resource
from storefront.reservations.queries import ServiceView
from storefront.reservations.slots import Slot

MOST_NIGHTS = 60
MOST_ALTERNATIVES = 3


class SlotTaken(Conflict):
    """Somebody else has those places. `nearest` are the closest free slots to offer instead."""

    message = _l("Ese horario se acaba de ocupar. Elige otro, por favor.")

    def __init__(self, nearest: Sequence[Slot] = ()) -> None:
        self.nearest = tuple(nearest)
        super().__init__()


class NotBookable(Invalid):
    """That time is outside the hours, the notice or the horizon of the service."""

    message = _l("Ese horario no está disponible. Elige uno de la lista.")


class HoldExpired(Conflict):
    """The places were held, the time ran out and they were freed; nothing was taken."""

    message = _l("Se acabó el tiempo de tu reserva apartada. Vuelve a elegir el horario.")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a booking is for."""

    name: str
    phone: str = ""
    note: str = ""


def hold_slot(product_id: int, starts_at: datetime, *, quantity: int = 1, nights: int = 1, until: datetime) -> Booking:
    """Hold `quantity` places from `starts_at` (UTC) until the instant `until`.

    For a service by the night, the stay begins on the local day of `starts_at` and lasts `nights`. Raises NotBookable,
    or SlotTaken with the nearest free slots; then nothing was held.
    """
    return _take(product_id, starts_at, quantity=quantity, nights=nights, until=until)


def walk_in(
    product_id: int, starts_at: datetime, *, quantity: int = 1, nights: int = 1, contact: Contact, by: Actor
) -> Booking:
    """Book at once for somebody at the counter or on the phone. Raises as `hold_slot`."""
    with transaction():
        booking = _take(product_id, starts_at, quantity=quantity, nights=nights, until=None)
        booking.contact_name, booking.contact_phone, booking.note = contact.name, contact.phone, contact.note
        note("booking", booking.code, "walked_in", by, quantity=quantity)
        record(BookingConfirmed(booking_id=booking.id))
    return booking


def _take(product_id: int, starts_at: datetime, *, quantity: int, nights: int, until: datetime | None) -> Booking:
    service = queries.needed_service(product_id)
    start, end = _bookable_range(service, starts_at, nights)
    if not 1 <= quantity <= service.capacity:
        raise NotBookable(_l("No hay tantos lugares. Elige una cantidad menor."))
    with transaction():
        if not lock_rows(Resource, [service.resource_id]):
            raise NotFound
        expire_overdue(service.resource_id)
        taken = _taken_seats(service.resource_id, start, end)
        free = [number for number in range(1, service.capacity + 1) if number not in taken]
        if len(free) < quantity:
            raise SlotTaken(_nearest(service, start, quantity))
        booking = Booking(
            resource_id=service.resource_id,
            product_id=product_id,
            state=BookingState.HELD if until else BookingState.CONFIRMED,
            during=Range(start, end, bounds="[)"),
            quantity=quantity,
            expires_at=until,
            created_at=clock.now(),
        )
        db.session.add(booking)
        db.session.flush()
        _seat(booking, free[:quantity])
    return booking


def _taken_seats(resource_id: int, start: datetime, end: datetime) -> set[int]:
    return set(
        db.session.scalars(
            select(BookingSeat.seat_no).where(
                BookingSeat.resource_id == resource_id,
                BookingSeat.live,
                BookingSeat.during.op("&&")(func.tstzrange(start, end, "[)", type_=TSTZRANGE)),
            )
        )
    )


def _seat(booking: Booking, places: Sequence[int]) -> None:
    for number in places:
        db.session.add(
            BookingSeat(
                booking_id=booking.id, resource_id=booking.resource_id, seat_no=number, during=booking.during, live=True
            )
        )
    db.session.flush()


def _bookable_range(service: ServiceView, starts_at: datetime, nights: int) -> tuple[datetime, datetime]:
    zone = current_shop().zone
    day = starts_at.astimezone(zone).date()
    if service.by_night:
        if not 1 <= nights <= MOST_NIGHTS:
            raise NotBookable(_l("Elige entre 1 y 60 noches."))
        stay = queries.free_stay(service.product_id, day, nights)
        if stay.free == 0 and not _is_possible_stay(service, day, nights):
            raise NotBookable
        return stay.starts_at, stay.ends_at
    offered = {slot.starts_at: slot for slot in queries.free_slots(service.product_id, day)}
    slot = offered.get(starts_at)
    if slot is None:
        raise NotBookable
    return slot.starts_at, slot.ends_at


def _is_possible_stay(service: ServiceView, first_night: date, nights: int) -> bool:
    """Whether a full stay is merely full (somebody else has it) and not outside what is offered at all."""
    zone, at = current_shop().zone, clock.now()
    start, _end = slots.stay(first_night, nights, service.check_in, service.check_out, zone)
    return first_night >= at.astimezone(zone).date() and start <= at + timedelta(days=service.horizon_days)


def _nearest(service: ServiceView, start: datetime, quantity: int) -> list[Slot]:
    day = start.astimezone(current_shop().zone).date()
    if service.by_night:
        found = [queries.free_stay(service.product_id, day + timedelta(days=shift), 1) for shift in (1, 2, 3, 4, 5)]
    else:
        found = queries.free_slots(service.product_id, day, days=7)
    fitting = [slot for slot in found if slot.free >= quantity]
    return sorted(fitting, key=lambda slot: abs(slot.starts_at - start))[:MOST_ALTERNATIVES]


def expire_overdue(resource_id: int | None = None) -> int:
    """Free the places of holds past their time, of one resource or of the whole shop. Returns how many holds."""
    at = clock.now()
    with transaction():
        overdue = update(Booking).where(Booking.state == BookingState.HELD, Booking.expires_at <= at)
        if resource_id is not None:
            overdue = overdue.where(Booking.resource_id == resource_id)
        ids = list(
            db.session.scalars(
                overdue.values(state=BookingState.EXPIRED, expires_at=None)
                .returning(Booking.id)
                .execution_options(synchronize_session=False)
            )
        )
        _free_places(ids)
    return len(ids)


def _free_places(booking_ids: Sequence[int]) -> None:
    if booking_ids:
        db.session.execute(
            update(BookingSeat)
            .where(BookingSeat.booking_id.in_(booking_ids), BookingSeat.live)
            .values(live=False)
            .execution_options(synchronize_session=False)
        )


def _locked(ids: Sequence[int]) -> list[Booking]:
    """The bookings, locked after their resources: the one order everybody takes them in. NotFound if one is missing."""
    resources = db.session.scalars(select(Booking.resource_id).where(Booking.id.in_(ids)))
    lock_rows(Resource, list(resources))
    found = lock_rows(Booking, ids)
    if len(found) != len(set(ids)):
        raise NotFound
    return found


def extend_bookings(
    ids: Sequence[int], *, until: datetime, order_id: int | None = None, contact: Contact | None = None
) -> None:
    """Keep held places until `until`, for an order and its customer.

    A hold that ran out still counts while nobody has freed its places. Raises HoldExpired otherwise; then nothing was
    changed.
    """
    with transaction():
        for booking in _locked(ids):
            if booking.state is not BookingState.HELD:
                raise HoldExpired
            booking.expires_at = until
            booking.order_id = order_id if order_id is not None else booking.order_id
            if contact is not None:
                booking.contact_name, booking.contact_phone = contact.name, contact.phone
                booking.note = contact.note or booking.note


def retake_bookings(ids: Sequence[int], *, until: datetime) -> None:
    """Hold anew the places of bookings that expired (money came late). Raises SlotTaken when one is gone; then none
    was taken. Bookings that did not expire stay as they are."""
    with transaction():
        for booking in _locked(ids):
            if booking.state is BookingState.EXPIRED:
                _place_again(booking)
                booking.state, booking.expires_at = BookingState.HELD, until


def confirm_bookings(ids: Sequence[int], by: Actor) -> None:
    """Make held places count; one already confirmed stays so. Raises HoldExpired when one ran out and was freed."""
    with transaction():
        for booking in _locked(ids):
            if booking.state is BookingState.CONFIRMED:
                continue
            if booking.state is BookingState.EXPIRED:
                raise HoldExpired
            _move(booking, BookingState.CONFIRMED, by)
            record(BookingConfirmed(booking_id=booking.id))


def _place_again(booking: Booking) -> None:
    """Take the places of an expired booking anew. Raises SlotTaken when somebody has them."""
    expire_overdue(booking.resource_id)
    taken = _taken_seats(booking.resource_id, booking.starts_at, booking.ends_at)
    capacity = db.session.scalar(select(Resource.capacity).where(Resource.id == booking.resource_id)) or 0
    free = [number for number in range(1, capacity + 1) if number not in taken]
    if len(free) < booking.quantity:
        raise SlotTaken
    _seat(booking, free[: booking.quantity])


def cancel_bookings(ids: Sequence[int], by: Actor, reason: str) -> None:
    """Give places back. What is already cancelled or expired stays as it is; what has happened cannot be cancelled."""
    with transaction():
        for booking in _locked(ids):
            if booking.state in {BookingState.CANCELLED, BookingState.EXPIRED}:
                continue
            _move(booking, BookingState.CANCELLED, by, reason=reason)
            _free_places([booking.id])
            record(BookingCancelled(booking_id=booking.id))


def mark(code: str, state: BookingState, by: Actor) -> Booking:
    """Say what became of a booking: arrived, done, no_show, or back to confirmed. Raises Conflict on a step that
    does not exist and NotFound for an unknown code."""
    with transaction():
        booking = _locked([queries.booking_by_code(code).id])[0]
        _move(booking, state, by)
    return booking


def _move(booking: Booking, state: BookingState, by: Actor, **facts: str) -> None:
    TRANSITIONS.require(booking.state, state)
    note("booking", booking.code, str(state), by, before=str(booking.state), **facts)
    booking.state = state
    booking.expires_at = None
