"""Reading reservations: what is free, and who comes when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range

from storefront.catalogue.models import Product
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import current_shop
from storefront.reservations import slots
from storefront.reservations.models import (
    BookableService,
    Booking,
    BookingSeat,
    BookingState,
    Closure,
    Resource,
    Unit,
)
from storefront.reservations.slots import Slot

MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class ServiceView:
    """How a product is reserved. Durations in minutes, times local to the shop."""

    product_id: int
    product_name: str
    product_slug: str
    resource_id: int
    resource_name: str
    capacity: int
    unit: Unit
    duration_min: int
    step_min: int
    min_notice_min: int
    horizon_days: int
    check_in: time
    check_out: time
    hours: dict[str, Any]
    active: bool

    @property
    def by_night(self) -> bool:
        """Whether it is reserved by nights rather than by the clock."""
        return self.unit is Unit.NIGHT


@dataclass(frozen=True, slots=True)
class BookingRow:
    """A booking as the day view and the order page show it."""

    id: int
    code: str
    state: BookingState
    product_name: str
    resource_name: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    expires_at: datetime | None
    contact_name: str
    contact_phone: str
    note: str
    order_id: int | None
    by_night: bool


_SERVICE = (
    BookableService.product_id,
    Product.name.label("product_name"),
    Product.slug.label("product_slug"),
    BookableService.resource_id,
    Resource.name.label("resource_name"),
    Resource.capacity,
    BookableService.unit,
    BookableService.duration_min,
    BookableService.step_min,
    BookableService.min_notice_min,
    BookableService.horizon_days,
    BookableService.check_in,
    BookableService.check_out,
    Resource.hours,
    Resource.active,
)


def service_for(product_id: int) -> ServiceView | None:
    """How a product is reserved, or None when it is not something to reserve."""
    row = db.session.execute(
        select(*_SERVICE)
        .join(
            Resource,
            (Resource.tenant_id == BookableService.tenant_id) & (Resource.id == BookableService.resource_id),
        )
        .join(Product, (Product.tenant_id == BookableService.tenant_id) & (Product.id == BookableService.product_id))
        .where(BookableService.product_id == product_id)
    ).first()
    return ServiceView(*row) if row else None


def needed_service(product_id: int) -> ServiceView:
    """How a product is reserved. Raises NotFound when it cannot be."""
    service = service_for(product_id)
    if service is None or not service.active:
        raise NotFound
    return service


def _taken(resource_id: int, start: datetime, end: datetime) -> list[slots.Busy]:
    """Places taken in a range; a hold past its time no longer counts."""
    rows = db.session.execute(
        select(func.lower(BookingSeat.during), func.upper(BookingSeat.during), BookingSeat.seat_no)
        .join(Booking, (Booking.tenant_id == BookingSeat.tenant_id) & (Booking.id == BookingSeat.booking_id))
        .where(
            BookingSeat.resource_id == resource_id,
            BookingSeat.live,
            BookingSeat.during.op("&&")(func.tstzrange(start, end, "[)", type_=TSTZRANGE)),
            (Booking.state != BookingState.HELD) | (Booking.expires_at > clock.now()),
        )
    )
    return [slots.Busy(*row) for row in rows]


def _closed_days(resource_id: int, first: date, last: date) -> set[date]:
    return set(
        db.session.scalars(
            select(Closure.day).where(Closure.resource_id == resource_id, Closure.day.between(first, last))
        )
    )


def free_slots(product_id: int, day: date, days: int = 1) -> list[Slot]:
    """The bookable starts of `days` local days from `day`, each with its free places (0 when full), in order.

    Nothing before the notice the shop needs and nothing past its horizon; closed days are empty. NotFound when the
    product is not reserved by the clock.
    """
    service = needed_service(product_id)
    if service.by_night:
        raise NotFound
    zone, at = current_shop().zone, clock.now()
    days = min(days, MOST_DAYS)
    last = day + timedelta(days=days - 1)
    earliest = at + timedelta(minutes=service.min_notice_min)
    latest = at + timedelta(days=service.horizon_days)
    duration = timedelta(minutes=service.duration_min)
    start_of_first, _ = slots.day_bounds(day, zone)
    _, end_of_last = slots.day_bounds(last, zone)
    taken = _taken(service.resource_id, start_of_first, end_of_last + duration)
    closed = _closed_days(service.resource_id, day, last)
    found = []
    for offset in range(days):
        here = day + timedelta(days=offset)
        if here in closed:
            continue
        ranges = slots.opening(service.hours, here, zone)
        for start in slots.starts(ranges, duration, timedelta(minutes=service.step_min)):
            if earliest <= start <= latest:
                end = start + duration
                found.append(Slot(start, end, slots.free_places(start, end, service.capacity, taken)))
    return found


def free_stay(product_id: int, first_night: date, nights: int) -> Slot:
    """The stay of `nights` from `first_night` with its free places; 0 when a night of it is full or closed.

    NotFound when the product is not reserved by the night.
    """
    service = needed_service(product_id)
    if not service.by_night:
        raise NotFound
    zone, at = current_shop().zone, clock.now()
    start, end = slots.stay(first_night, nights, service.check_in, service.check_out, zone)
    last_night = first_night + timedelta(days=nights - 1)
    too_soon = end <= at or first_night < at.astimezone(zone).date()
    too_late = start > at + timedelta(days=service.horizon_days)
    if too_soon or too_late or _closed_days(service.resource_id, first_night, last_night):
        return Slot(start, end, 0)
    taken = _taken(service.resource_id, start, end)
    return Slot(start, end, slots.free_places(start, end, service.capacity, taken))


def free_nights(product_id: int, first: date, days: int) -> list[tuple[date, int]]:
    """For each of `days` nights from `first`, how many places are free. NotFound as `free_stay`."""
    service = needed_service(product_id)
    if not service.by_night:
        raise NotFound
    zone = current_shop().zone
    days = min(days, 2 * MOST_DAYS)
    start, _ = slots.stay(first, 1, service.check_in, service.check_out, zone)
    _, end = slots.stay(first + timedelta(days=days - 1), 1, service.check_in, service.check_out, zone)
    taken = _taken(service.resource_id, start, end)
    closed = _closed_days(service.resource_id, first, first + timedelta(days=days))
    today = clock.now().astimezone(zone).date()
    found = []
    for offset in range(days):
        night = first + timedelta(days=offset)
        begin, finish = slots.stay(night, 1, service.check_in, service.check_out, zone)
        free = slots.free_places(begin, finish, service.capacity, taken)
        found.append((night, 0 if night in closed or night < today else free))
    return found


_ROW = (
    Booking.id,
    Booking.code,
    Booking.state,
    Product.name.label("product_name"),
    Resource.name.label("resource_name"),
    func.lower(Booking.during).label("starts_at"),
    func.upper(Booking.during).label("ends_at"),
    Booking.quantity,
    Booking.expires_at,
    Booking.contact_name,
    Booking.contact_phone,
    Booking.note,
    Booking.order_id,
    (BookableService.unit == Unit.NIGHT).label("by_night"),
)


def _rows() -> Any:
    return (
        select(*_ROW)
        .join(Product, (Product.tenant_id == Booking.tenant_id) & (Product.id == Booking.product_id))
        .join(Resource, (Resource.tenant_id == Booking.tenant_id) & (Resource.id == Booking.resource_id))
        .join(
            BookableService,
            (BookableService.tenant_id == Booking.tenant_id) & (BookableService.product_id == Booking.product_id),
        )
    )


def day_view(day: date) -> list[BookingRow]:
    """Every live booking that touches a local day, by start; holds past their time are left out."""
    start, end = slots.day_bounds(day, current_shop().zone)
    rows = db.session.execute(
        _rows()
        .where(
            Booking.during.op("&&")(Range(start, end, bounds="[)")),
            Booking.state.not_in([BookingState.CANCELLED, BookingState.EXPIRED]),
            (Booking.state != BookingState.HELD) | (Booking.expires_at > clock.now()),
        )
        .order_by(func.lower(Booking.during), Booking.id)
    )
    return [BookingRow(*row) for row in rows]


def bookings_by_ids(ids: list[int]) -> dict[int, BookingRow]:
    """The named bookings by id, whatever their state; missing ones are absent."""
    if not ids:
        return {}
    return {row.id: BookingRow(*row) for row in db.session.execute(_rows().where(Booking.id.in_(ids)))}


def booking_by_code(code: str) -> BookingRow:
    """One booking by the code people read aloud. Raises NotFound."""
    row = db.session.execute(_rows().where(Booking.code == code)).first()
    if row is None:
        raise NotFound
    return BookingRow(*row)


def invariants() -> list[dict[str, Any]]:
    """I4: places of a resource taken twice at an instant (empty unless the guarantee was lost)."""
    mine, other = BookingSeat, BookingSeat.__table__.alias("other")
    rows = db.session.execute(
        select(mine.id, mine.resource_id, mine.seat_no)
        .join(
            other,
            (other.c.tenant_id == mine.tenant_id)
            & (other.c.resource_id == mine.resource_id)
            & (other.c.seat_no == mine.seat_no)
            & (other.c.id > mine.id)
            & other.c.live
            & other.c.during.op("&&")(mine.during),
        )
        .where(mine.live)
    )
    return [{"invariant": "I4", "seat": row.id, "resource": row.resource_id, "place": row.seat_no} for row in rows]
