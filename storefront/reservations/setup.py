"""Setting up what can be reserved: resources with their hours, and the products that are reserved in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.tenancy import current_shop
from storefront.reservations.models import (
    BookableService,
    Booking,
    BookingSeat,
    BookingState,
    Closure,
    Resource,
    Unit,
)
from storefront.reservations.slots import DAYS

Hours = Mapping[str, Sequence[Sequence[str]]]


class BadHours(Invalid):
    """An opening hour that is no time, or a range without length."""

    message = _l("Revisa los horarios: escribe la hora de apertura y la de cierre, por ejemplo 09:00 y 18:00.")


class PlacesTaken(Conflict):
    """The capacity would fall below what is already reserved."""

    message = _l("Hay reservas para más lugares de los que quieres dejar. Cancélalas o muévelas primero.")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How a product is reserved; minutes, and times local to the shop."""

    unit: Unit
    duration_min: int = 60
    step_min: int = 60
    min_notice_min: int = 60
    horizon_days: int = 90
    check_in: time = time(15)
    check_out: time = time(12)


def checked_hours(hours: Hours) -> dict[str, list[list[str]]]:
    """The hours as stored, every weekday present. Raises BadHours."""
    checked: dict[str, list[list[str]]] = {}
    for day in DAYS:
        checked[day] = []
        for opens, closes in hours.get(day, ()):
            try:
                first, last = time.fromisoformat(opens), time.fromisoformat(closes)
            except ValueError as error:
                raise BadHours from error
            if first == last:
                raise BadHours
            checked[day].append([first.strftime("%H:%M"), last.strftime("%H:%M")])
    return checked


def create_resource(name: str, capacity: int, hours: Hours, by: Actor) -> Resource:
    """A resource with `capacity` equal places. Raises Invalid for an impossible capacity or hours."""
    if not 1 <= capacity <= 500:
        raise Invalid(_l("Escribe cuántos lugares hay, entre 1 y 500."))
    with transaction():
        resource = Resource(name=name, capacity=capacity, hours=checked_hours(hours), created_at=clock.now())
        db.session.add(resource)
        db.session.flush()
        note("resource", resource.code, "created", by, name=name, capacity=capacity)
    return resource


def change_resource(code: str, *, name: str, capacity: int, hours: Hours, by: Actor) -> Resource:
    """Change a resource. Raises PlacesTaken when somebody has a place that would disappear, NotFound for a bad code."""
    if not 1 <= capacity <= 500:
        raise Invalid(_l("Escribe cuántos lugares hay, entre 1 y 500."))
    with transaction():
        resource_id = db.session.scalar(select(Resource.id).where(Resource.code == code))
        if resource_id is None:
            raise NotFound
        resource = lock_rows(Resource, [resource_id])[0]
        highest = db.session.scalar(
            select(func.max(BookingSeat.seat_no))
            .join(Booking, (Booking.tenant_id == BookingSeat.tenant_id) & (Booking.id == BookingSeat.booking_id))
            .where(
                BookingSeat.resource_id == resource_id,
                BookingSeat.live,
                Booking.state.in_([BookingState.HELD, BookingState.CONFIRMED, BookingState.ARRIVED]),
                func.upper(BookingSeat.during) > clock.now(),
            )
        )
        if highest is not None and highest > capacity:
            raise PlacesTaken
        resource.name, resource.capacity, resource.hours = name, capacity, checked_hours(hours)
        note("resource", code, "changed", by, name=name, capacity=capacity)
    return resource


def make_bookable(product_id: int, resource_id: int, settings: ServiceSettings) -> None:
    """Let a product be reserved in a resource, or change how."""
    values = {
        "resource_id": resource_id,
        "unit": settings.unit,
        "duration_min": settings.duration_min,
        "step_min": settings.step_min,
        "min_notice_min": settings.min_notice_min,
        "horizon_days": settings.horizon_days,
        "check_in": settings.check_in,
        "check_out": settings.check_out,
    }
    with transaction():
        db.session.execute(
            insert(BookableService)
            .values(tenant_id=current_shop().id, product_id=product_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "product_id"], set_=values)
        )


def close_day(resource_id: int, day: date, reason: str, by: Actor) -> None:
    """Take no more bookings of a resource on a local day; those already made stay."""
    with transaction():
        db.session.execute(
            insert(Closure)
            .values(tenant_id=current_shop().id, resource_id=resource_id, day=day, reason=reason)
            .on_conflict_do_nothing()
        )
        note("resource", resource_id, "closed_day", by, day=day.isoformat(), reason=reason)


def open_day(resource_id: int, day: date, by: Actor) -> None:
    """Take bookings again on a day that was closed."""
    with transaction():
        db.session.execute(delete(Closure).where(Closure.resource_id == resource_id, Closure.day == day))
        note("resource", resource_id, "opened_day", by, day=day.isoformat())
