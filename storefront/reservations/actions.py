"""Taking places and giving them back.

Every action that takes or frees places locks the resource's row first (sorted when several), so that two people who
want the last place wait for each other for a moment instead of deadlocking on the exclusion constraint, which stays the
guarantee. Time is logical: a hold past `expires_at` is freed by whoever needs its places; no cleaner is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range

from storefront.events import BookingCancelled, BookingConfirmed, BookingMoved
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Busy, Conflict, Invalid, NotFound
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.reservations import availability, queries, slots
from storefront.reservations.models import LIVE, TRANSITIONS, Booking, BookingState, Resource
from storefront.reservations.queries import ServiceView
from storefront.reservations.seats import find_places, give_back, sit
from storefront.reservations.slots import Busy as Taken
from storefront.reservations.slots import Slot

MOST_NIGHTS = 60
FAR = timedelta(days=3 * 366)
"""Nobody books further away; a date beyond is a typing error."""


class SlotTaken(Conflict):
    """Somebody else has those places. `nearest` are the closest free slots to offer instead, of `product_slug`."""

    message = _l("Ese horario se acaba de ocupar. Elige otro, por favor.")

    def __init__(self, nearest: Sequence[Slot] = (), product_slug: str = "") -> None:
        self.nearest = tuple(nearest)
        self.product_slug = product_slug
        super().__init__()


class NotBookable(Invalid):
    """That time is outside the hours, the notice or the horizon of the service."""

    message = _l("Ese horario no está disponible. Elige uno de la lista.")


class HoldExpired(Conflict):
    """The places were held, the time ran out and they were freed; nothing was taken."""

    message = _l("Se acabó el tiempo de tu reserva apartada. Vuelve a elegir el horario.")


class TooEarly(Conflict):
    """What is said of a booking cannot be known yet."""

    message = _l("Esa reserva todavía no empieza. Márcala cuando llegue su hora.")


class CannotMove(Conflict):
    """The booking is over, cancelled, or only held in somebody's cart."""

    message = _l("Esta reserva ya no se puede cambiar de horario.")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a booking is for."""

    name: str
    phone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    """When, how many and, for stays, how long; and whether the shop itself asks."""

    starts_at: datetime
    quantity: int
    nights: int
    by_staff: bool = False


# --- taking -------------------------------------------------------------------------------------------------------


def hold_slot(
    product_id: int,
    starts_at: datetime,
    *,
    quantity: int = 1,
    nights: int = 1,
    until: datetime,
    by_staff: bool = False,
) -> Booking:
    """Hold `quantity` places from `starts_at` (aware) until the instant `until`. Notice and horizon are for customers.

    For a service by the night, the stay begins on the local day of `starts_at` and lasts `nights`. Raises NotBookable,
    or SlotTaken with the nearest free slots; then nothing was held. NotFound when the product cannot be reserved.
    """
    return _take(product_id, _Wish(starts_at, quantity, nights, by_staff), until)


def walk_in(
    product_id: int, starts_at: datetime, *, quantity: int = 1, nights: int = 1, contact: Contact, by: Actor
) -> Booking:
    """Book at once for somebody at the counter or on the phone. Notice and horizon are for customers, not for staff.

    Raises as `hold_slot`.
    """
    with transaction():
        booking = _take(product_id, _Wish(starts_at, quantity, nights, by_staff=True), None)
        booking.contact_name, booking.contact_phone, booking.note = contact.name, contact.phone, contact.note
        note("booking", booking.code, "walked_in", by, quantity=quantity)
        record(BookingConfirmed(booking_id=booking.id))
    return booking


def _take(product_id: int, wish: _Wish, until: datetime | None) -> Booking:
    service = queries.needed_service(product_id)
    slot = _wanted(service, wish)
    if slot.free < wish.quantity:  # whoever comes much too late does not stand in line
        raise _sold(service, slot, wish)
    with transaction():
        service = _locked_service(service)
        places = _places(service, slot, wish)
        booking = Booking(
            resource_id=service.resource_id,
            product_id=product_id,
            state=BookingState.HELD if until else BookingState.CONFIRMED,
            during=Range(slot.starts_at, slot.ends_at, bounds="[)"),
            quantity=wish.quantity,
            nights=wish.nights if service.by_night else None,
            expires_at=until,
            created_at=clock.now(),
        )
        db.session.add(booking)
        db.session.flush()
        sit(booking, places)
    return booking


def _wanted(service: ServiceView, wish: _Wish) -> Slot:
    """The slot or stay that is wished for, as it was a moment ago. Raises NotBookable when it is not offered."""
    if abs(wish.starts_at - clock.now()) > FAR:
        raise NotBookable
    if not 1 <= wish.quantity <= service.capacity:
        raise NotBookable(_l("Elige entre 1 y %(most)s lugares: no hay más.", most=service.capacity))
    if service.by_night:
        return _wanted_stay(service, wish)
    slot = availability.slot_at(service, wish.starts_at, by_staff=wish.by_staff)
    if slot is None:
        raise NotBookable
    return slot


def _wanted_stay(service: ServiceView, wish: _Wish) -> Slot:
    if not 1 <= wish.nights <= MOST_NIGHTS:
        raise NotBookable(_l("Elige entre 1 y 60 noches."))
    first_night = wish.starts_at.astimezone(current_shop().zone).date()
    stay = availability.stay_at(service, first_night, wish.nights, by_staff=wish.by_staff)
    if stay is None:
        raise NotBookable(_l("No recibimos reservas para alguna de esas noches. Elige otras fechas."))
    return stay


def _sold(service: ServiceView, slot: Slot, wish: _Wish) -> SlotTaken:
    return SlotTaken(availability.nearest(service, slot.starts_at, wish.quantity, wish.nights), service.product_slug)


def _locked_service(service: ServiceView, *others: int) -> ServiceView:
    """Take the resource's row (and those of `others`), free what ran out, and read how many places there are now."""
    rows = {row.id: row for row in lock_rows(Resource, [service.resource_id, *others])}
    resource = rows.get(service.resource_id)
    if resource is None or not resource.active:
        raise NotFound
    _free_overdue(service.resource_id)
    return replace(service, capacity=resource.capacity)


def _places(service: ServiceView, slot: Slot, wish: _Wish) -> list[int]:
    """Numbers for everybody, with the resource's row locked. Raises SlotTaken."""
    found = find_places(service.resource_id, service.capacity, Taken(slot.starts_at, slot.ends_at, wish.quantity))
    if found is None:
        raise _sold(service, slot, wish)
    return found


# --- holds that run out -------------------------------------------------------------------------------------------


def expire_overdue(resource_id: int | None = None) -> int:
    """Free the places of holds past their time, of one resource or of the whole shop. Returns how many holds."""
    ids = queries.resources_with_overdue_holds(clock.now()) if resource_id is None else [resource_id]
    freed = 0
    for one in ids:
        with transaction():
            lock_rows(Resource, [one])
            freed += _free_overdue(one)
    return freed


def _free_overdue(resource_id: int) -> int:
    """The same, with the resource's row already locked."""
    ids = list(
        db.session.scalars(
            update(Booking)
            .where(
                Booking.resource_id == resource_id,
                Booking.state == BookingState.HELD,
                Booking.expires_at <= clock.now(),
            )
            .values(state=BookingState.EXPIRED, expires_at=None)
            .returning(Booking.id)
            .execution_options(synchronize_session=False)
        )
    )
    give_back(ids)
    return len(ids)


def _locked(ids: Sequence[int]) -> list[Booking]:
    """The bookings, locked after their resources: the one order everybody takes them in. NotFound if one is missing."""
    resources = set(db.session.scalars(select(Booking.resource_id).where(Booking.id.in_(ids))))
    lock_rows(Resource, sorted(resources))
    found = lock_rows(Booking, ids)
    if len(found) != len(set(ids)):
        raise NotFound
    if not resources.issuperset(booking.resource_id for booking in found):
        raise Busy  # moved to another resource between the two statements
    return found


# --- for orders ---------------------------------------------------------------------------------------------------


def extend_bookings(
    ids: Sequence[int], *, until: datetime, order_id: int | None = None, contact: Contact | None = None
) -> None:
    """Keep held places until `until`, for an order and its customer.

    A hold that ran out still counts while nobody has freed its places. Raises HoldExpired otherwise; then nothing was
    changed.
    """
    with transaction():
        bookings = _locked(ids)
        for booking in bookings:
            is_elsewhere = None not in {order_id, booking.order_id} and booking.order_id != order_id
            if booking.state is not BookingState.HELD or is_elsewhere:
                raise HoldExpired
        for booking in bookings:
            booking.expires_at = until
            booking.order_id = order_id if order_id is not None else booking.order_id
            if contact is not None:
                booking.contact_name, booking.contact_phone = contact.name, contact.phone
                booking.note = contact.note or booking.note


def retake_bookings(ids: Sequence[int], *, until: datetime) -> None:
    """Hold anew the places of bookings that expired (money came late). Raises SlotTaken when one is gone or its time
    has passed; then none was taken. Those still held are held until `until`, too; others stay as they are."""
    with transaction():
        bookings = _locked(ids)
        for booking in bookings:
            if booking.state is BookingState.HELD:
                booking.expires_at = until
        db.session.flush()  # before others' overdue holds are freed, so that ours are not among them
        for booking in bookings:
            if booking.state is BookingState.EXPIRED:
                _place_again(booking, until)


def _place_again(booking: Booking, until: datetime) -> None:
    if booking.ends_at <= clock.now():
        raise SlotTaken
    _free_overdue(booking.resource_id)
    capacity = db.session.scalar(select(Resource.capacity).where(Resource.id == booking.resource_id)) or 0
    places = find_places(booking.resource_id, capacity, Taken(booking.starts_at, booking.ends_at, booking.quantity))
    if places is None:
        raise SlotTaken
    booking.state, booking.expires_at = BookingState.HELD, until
    sit(booking, places)


def confirm_bookings(ids: Sequence[int], by: Actor) -> None:
    """Make held places count; one that counts already stays as it is. Raises HoldExpired when one was given back."""
    with transaction():
        for booking in _locked(ids):
            if booking.state not in LIVE:
                raise HoldExpired
            if booking.state is BookingState.HELD:
                _move(booking, BookingState.CONFIRMED, by)
                record(BookingConfirmed(booking_id=booking.id))


def cancel_bookings(ids: Sequence[int], by: Actor, reason: str) -> None:
    """Give places back. What is already cancelled or expired stays as it is; what has happened cannot be cancelled."""
    with transaction():
        for booking in _locked(ids):
            if booking.state in {BookingState.CANCELLED, BookingState.EXPIRED}:
                continue
            _move(booking, BookingState.CANCELLED, by)  # the reason may name people: the booking alone keeps it
            booking.cancelled_reason = reason or None
            give_back([booking.id])
            record(BookingCancelled(booking_id=booking.id))


# --- for the desk -------------------------------------------------------------------------------------------------

_STEPS_BACK = {
    BookingState.ARRIVED: BookingState.CONFIRMED,
    BookingState.NO_SHOW: BookingState.CONFIRMED,
    BookingState.DONE: BookingState.ARRIVED,
}


def mark(code: str, state: BookingState, by: Actor) -> Booking:
    """Say what became of a booking: arrived, done or no_show. Raises Conflict on a step that does not exist, TooEarly
    before the day (arrived) or the hour (done, no_show) has come, and NotFound for an unknown code."""
    with transaction():
        booking = _locked([queries.booking_by_code(code).id])[0]
        if state not in _STEPS_BACK:
            raise Conflict
        TRANSITIONS.require(booking.state, state)
        zone = current_shop().zone
        its_day = slots.local_instant(booking.starts_at.astimezone(zone).date(), time(0), zone)
        if clock.now() < (its_day if state is BookingState.ARRIVED else booking.starts_at):
            raise TooEarly
        _move(booking, state, by)
    return booking


def step_back(code: str, by: Actor) -> Booking:
    """Take the last mark back: somebody tapped the wrong button. Raises Conflict when there is none."""
    with transaction():
        booking = _locked([queries.booking_by_code(code).id])[0]
        before = _STEPS_BACK.get(booking.state)
        if before is None:
            raise Conflict
        _move(booking, before, by)
    return booking


def move_booking(code: str, starts_at: datetime, by: Actor, nights: int | None = None) -> Booking:
    """Give a booking another time, or another length with `nights`; it keeps its code, its order and its people.

    Raises SlotTaken or NotBookable when it cannot be had, CannotMove when the booking no longer counts or nobody
    ordered it yet; then it stays where it was.
    """
    with transaction():
        row = queries.booking_by_code(code)
        service = _locked_service(queries.needed_service(row.product_id), row.resource_id)
        booking = _locked([row.id])[0]
        in_cart = booking.state is BookingState.HELD and booking.order_id is None
        if in_cart or booking.state not in {BookingState.HELD, BookingState.CONFIRMED}:
            raise CannotMove
        wish = _Wish(starts_at, booking.quantity, nights or booking.nights or 1, by_staff=True)
        slot = _wanted(service, wish)
        give_back([booking.id])  # its own places are free for it; a refusal rolls this back
        places = _places(service, slot, wish)
        note("booking", code, "moved", by, before=booking.starts_at.isoformat(), after=slot.starts_at.isoformat())
        booking.during = Range(slot.starts_at, slot.ends_at, bounds="[)")
        booking.resource_id = service.resource_id
        booking.nights = wish.nights if service.by_night else None
        db.session.flush()
        sit(booking, places)
        record(BookingMoved(booking_id=booking.id))
    return booking


def _move(booking: Booking, state: BookingState, by: Actor) -> None:
    TRANSITIONS.require(booking.state, state)
    note("booking", booking.code, str(state), by, before=str(booking.state))
    booking.state = state
    booking.expires_at = None
