"""Setting up what can be reserved: resources with their hours, and the products that are reserved in them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, time

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.catalogue.models import Product, ProductKind
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_token
from storefront.kernel.tenancy import current_shop
from storefront.reservations.models import LIVE, BookableService, Booking, BookingSeat, Closure, Resource, Unit
from storefront.reservations.seats import squeeze
from storefront.reservations.slots import DAYS, Hours

MOST_PLACES = 500
LONGEST_MIN = 24 * 60
FURTHEST_DAYS = 730


class BadHours(Invalid):
    """An opening hour that is no time, or a range without length."""

    message = _l("Revisa los horarios: escribe la hora de apertura y la de cierre, por ejemplo 09:00 y 18:00.")


class BadCapacity(Invalid):
    """No place, or more than anybody has."""

    message = _l("Escribe cuántos lugares hay, entre 1 y 500.")


class BadTimes(Invalid):
    """A duration, a notice or a horizon that cannot be."""

    message = _l("Revisa la duración, la anticipación y hasta cuándo se puede reservar.")


class OverlappingStays(Invalid):
    """Guests would still be there when the next ones arrive."""

    message = _l("La hora de salida tiene que ser antes de la hora de llegada, o los huéspedes se encontrarían.")


class PlacesTaken(Conflict):
    """The capacity would fall below what is already reserved."""

    message = _l("Hay reservas para más lugares de los que quieres dejar. Cancélalas o muévelas primero.")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How a product is reserved; minutes, days, and times local to the shop."""

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


# --- resources ----------------------------------------------------------------------------------------------------


def create_resource(name: str, capacity: int, hours: Hours, by: Actor) -> Resource:
    """A resource with `capacity` equal places. Raises BadCapacity or BadHours."""
    _require_capacity(capacity)
    with transaction():
        resource = Resource(name=name, capacity=capacity, hours=checked_hours(hours), created_at=clock.now())
        db.session.add(resource)
        db.session.flush()
        note("resource", resource.code, "created", by, name=name, capacity=capacity)
    return resource


def change_resource(code: str, *, name: str, capacity: int, hours: Hours, by: Actor) -> Resource:
    """Change a resource; bookings already made stay, whatever the hours.

    Raises PlacesTaken when more people come at once than there would be places for, NotFound for a bad code.
    """
    _require_capacity(capacity)
    with transaction():
        resource = _locked_resource(code)
        if capacity < _highest_place(resource.id) and not squeeze(resource.id, capacity, clock.now()):
            raise PlacesTaken
        resource.name, resource.capacity, resource.hours = name, capacity, checked_hours(hours)
        note("resource", code, "changed", by, name=name, capacity=capacity)
    return resource


def set_active(code: str, by: Actor, *, active: bool) -> None:
    """Take new bookings in a resource, or no more; those already made stay."""
    with transaction():
        resource = _locked_resource(code)
        if resource.active is not active:
            resource.active = active
            note("resource", code, "opened" if active else "retired", by)


def renew_feed(code: str, by: Actor) -> str:
    """A new secret address for the calendar feed; the old one stops working. Returns the token."""
    with transaction():
        resource = _locked_resource(code)
        resource.feed_token = new_token()
        note("resource", code, "feed_renewed", by)
    return resource.feed_token


def _require_capacity(capacity: int) -> None:
    if not 1 <= capacity <= MOST_PLACES:
        raise BadCapacity


def _locked_resource(code: str) -> Resource:
    resource_id = db.session.scalar(select(Resource.id).where(Resource.code == code))
    if resource_id is None:
        raise NotFound
    return lock_rows(Resource, [resource_id])[0]


def _highest_place(resource_id: int) -> int:
    """The highest number of a place in which somebody is or will be."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.max(BookingSeat.seat_no), 0))
            .join(Booking, (Booking.tenant_id == BookingSeat.tenant_id) & (Booking.id == BookingSeat.booking_id))
            .where(
                BookingSeat.resource_id == resource_id,
                BookingSeat.live,
                Booking.state.in_(LIVE),
                func.upper(BookingSeat.during) > clock.now(),
            )
        )
        or 0
    )


# --- days without bookings ----------------------------------------------------------------------------------------


def close_day(code: str, day: date, reason: str, by: Actor) -> None:
    """Take no more bookings of a resource on a local day; those already made stay."""
    with transaction():
        resource = _locked_resource(code)
        db.session.execute(
            insert(Closure)
            .values(tenant_id=current_shop().id, resource_id=resource.id, day=day, reason=reason)
            .on_conflict_do_update(index_elements=["tenant_id", "resource_id", "day"], set_={"reason": reason})
        )
        note("resource", code, "closed_day", by, day=day.isoformat(), reason=reason)


def open_day(code: str, day: date, by: Actor) -> None:
    """Take bookings again on a day that was closed."""
    with transaction():
        resource = _locked_resource(code)
        db.session.execute(
            delete(Closure)
            .where(Closure.resource_id == resource.id, Closure.day == day)
            .execution_options(synchronize_session=False)
        )
        note("resource", code, "opened_day", by, day=day.isoformat())


# --- products -----------------------------------------------------------------------------------------------------


def make_bookable(product_id: int, resource_id: int, settings: ServiceSettings, by: Actor) -> None:
    """Let a service of the catalogue be reserved in a resource, or change how. Bookings already made stay as they are.

    Raises NotFound for a product or a resource that is not there, BadTimes or OverlappingStays.
    """
    _require_sense(settings)
    values = {"resource_id": resource_id, **asdict(settings)}
    with transaction():
        code = db.session.scalar(
            select(Product.code).where(Product.id == product_id, Product.kind == ProductKind.SERVICE)
        )
        if code is None or not lock_rows(Resource, [resource_id]):
            raise NotFound
        db.session.execute(
            insert(BookableService)
            .values(tenant_id=current_shop().id, product_id=product_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "product_id"], set_=values)
        )
        note("product", code, "made_bookable", by, unit=str(settings.unit))


def stop_booking(product_id: int, by: Actor) -> None:
    """Take no more bookings of a product; those already made stay."""
    with transaction():
        code = db.session.scalar(select(Product.code).where(Product.id == product_id))
        if code is None:
            raise NotFound
        db.session.execute(
            delete(BookableService)
            .where(BookableService.product_id == product_id)
            .execution_options(synchronize_session=False)
        )
        note("product", code, "not_bookable", by)


def _require_sense(settings: ServiceSettings) -> None:
    if settings.unit is Unit.NIGHT and settings.check_out > settings.check_in:
        raise OverlappingStays
    if not (
        5 <= settings.duration_min <= LONGEST_MIN
        and 5 <= settings.step_min <= LONGEST_MIN
        and 0 <= settings.min_notice_min <= 60 * LONGEST_MIN
        and 1 <= settings.horizon_days <= FURTHEST_DAYS
    ):
        raise BadTimes
