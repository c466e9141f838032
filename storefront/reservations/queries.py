"""Reading reservations: what can be reserved, and who comes when. What is free is in `availability`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import Range

from storefront.catalogue.models import Product, ProductKind, ProductStatus, Variant
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.reservations import slots
from storefront.reservations.models import (
    LIVE,
    BookableService,
    Booking,
    BookingState,
    Closure,
    Resource,
    Unit,
)


@dataclass(frozen=True, slots=True)
class ServiceView:
    """How a product is reserved. Durations in minutes, times local to the shop."""

    product_id: int
    product_code: str
    product_name: str
    product_slug: str
    on_sale: bool
    resource_id: int
    resource_code: str
    resource_name: str
    capacity: int
    hours: dict[str, Any]
    active: bool
    unit: Unit
    duration_min: int
    step_min: int
    min_notice_min: int
    horizon_days: int
    check_in: time
    check_out: time

    @property
    def by_night(self) -> bool:
        """Whether it is reserved by nights rather than by the clock."""
        return self.unit is Unit.NIGHT

    @property
    def duration(self) -> timedelta:
        """How long one slot lasts."""
        return timedelta(minutes=self.duration_min)

    @property
    def step(self) -> timedelta:
        """How far apart slots begin."""
        return timedelta(minutes=self.step_min)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to buy a service, by the code that forms carry. The price is for one place, and one night of a stay."""

    code: str
    name: str
    price: Money


@dataclass(frozen=True, slots=True)
class BookingRow:
    """A booking as lists and pages show it. `nights` is None for what is reserved by the clock."""

    id: int
    code: str
    state: BookingState
    product_id: int
    product_name: str
    resource_id: int
    resource_code: str
    resource_name: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    nights: int | None
    expires_at: datetime | None
    contact_name: str
    contact_phone: str
    note: str
    cancelled_reason: str | None
    order_id: int | None

    @property
    def by_night(self) -> bool:
        """Whether it is a stay."""
        return self.nights is not None

    @property
    def is_upcoming(self) -> bool:
        """Whether it counts and is not over: it can still be moved or cancelled."""
        return self.state in {BookingState.HELD, BookingState.CONFIRMED}


@dataclass(frozen=True, slots=True)
class ResourceView:
    """Something with places, for whoever sets it up. `closed` are its closed days from today on, with their reasons."""

    id: int
    code: str
    name: str
    capacity: int
    hours: dict[str, Any]
    active: bool
    feed_token: str
    closed: tuple[tuple[date, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceProduct:
    """A service of the catalogue, and in what it is reserved, if it is; while that is paused nobody can."""

    id: int
    code: str
    name: str
    status: ProductStatus
    resource_code: str | None
    resource_name: str | None
    resource_active: bool | None
    unit: Unit | None


_SERVICE = (
    BookableService.product_id,
    Product.code.label("product_code"),
    Product.name.label("product_name"),
    Product.slug.label("product_slug"),
    (Product.status == ProductStatus.PUBLISHED).label("on_sale"),
    BookableService.resource_id,
    Resource.code.label("resource_code"),
    Resource.name.label("resource_name"),
    Resource.capacity,
    Resource.hours,
    Resource.active,
    BookableService.unit,
    BookableService.duration_min,
    BookableService.step_min,
    BookableService.min_notice_min,
    BookableService.horizon_days,
    BookableService.check_in,
    BookableService.check_out,
)


# --- what can be reserved -----------------------------------------------------------------------------------------


def _services(*conditions: ColumnElement[bool]) -> list[ServiceView]:
    rows = db.session.execute(
        select(*_SERVICE)
        .join(
            Resource,
            (Resource.tenant_id == BookableService.tenant_id) & (Resource.id == BookableService.resource_id),
        )
        .join(Product, (Product.tenant_id == BookableService.tenant_id) & (Product.id == BookableService.product_id))
        .where(*conditions)
        .order_by(Resource.name, Product.position, Product.name)
    )
    return [ServiceView(*row) for row in rows]


def service_for(product_id: int) -> ServiceView | None:
    """How a product is reserved, or None when it is not something to reserve."""
    return next(iter(_services(BookableService.product_id == product_id)), None)


def needed_service(product_id: int) -> ServiceView:
    """How a product is reserved. Raises NotFound when it cannot be (any more)."""
    service = service_for(product_id)
    if service is None or not service.active:
        raise NotFound
    return service


def service_by_code(product_code: str) -> ServiceView:
    """The same, for the code that the dashboard's pages carry."""
    found = _services(Product.code == product_code, Resource.active.is_(True))
    if not found:
        raise NotFound
    return found[0]


def services_on_sale() -> list[ServiceView]:
    """Everything customers can reserve."""
    return _services(Product.status == ProductStatus.PUBLISHED, Resource.active.is_(True))


def services_for_staff() -> list[ServiceView]:
    """Everything staff can reserve for somebody: drafts too, put-away products not."""
    return _services(Product.status != ProductStatus.ARCHIVED, Resource.active.is_(True))


def choices_of(product_id: int) -> list[Choice]:
    """The ways to buy a service, in the shop's order."""
    currency = current_shop().currency
    rows = db.session.execute(
        select(Variant.code, Variant.name, Variant.price_minor)
        .where(Variant.product_id == product_id, Variant.active)
        .order_by(Variant.position, Variant.id)
    )
    return [Choice(row.code, row.name, Money(row.price_minor, currency)) for row in rows]


# --- setting up ---------------------------------------------------------------------------------------------------


def resources() -> list[ResourceView]:
    """Every resource by name, with its closed days from today on. Two statements."""
    rows = db.session.execute(
        select(
            Resource.id, Resource.code, Resource.name, Resource.capacity, Resource.hours, Resource.active,
            Resource.feed_token,
        ).order_by(Resource.active.desc(), Resource.name, Resource.id)
    ).all()  # fmt: skip
    today = clock.now().astimezone(current_shop().zone).date()
    closed: dict[int, list[tuple[date, str]]] = {}
    for row in db.session.execute(
        select(Closure.resource_id, Closure.day, Closure.reason).where(Closure.day >= today).order_by(Closure.day)
    ):
        closed.setdefault(row.resource_id, []).append((row.day, row.reason))
    return [ResourceView(**row._asdict(), closed=tuple(closed.get(row.id, ()))) for row in rows]


def resource_by_code(code: str) -> ResourceView:
    """One resource. Raises NotFound."""
    found = next((one for one in resources() if one.code == code), None)
    if found is None:
        raise NotFound
    return found


def resource_by_feed(token: str) -> ResourceView:
    """The resource whose feed has this secret. Raises NotFound."""
    code = db.session.scalar(select(Resource.code).where(Resource.feed_token == token, Resource.active))
    if code is None:
        raise NotFound
    return resource_by_code(code)


def service_products() -> list[ServiceProduct]:
    """Every service of the catalogue that is not put away, bookable or not."""
    rows = db.session.execute(
        select(
            Product.id,
            Product.code,
            Product.name,
            Product.status,
            Resource.code.label("resource_code"),
            Resource.name.label("resource_name"),
            Resource.active,
            BookableService.unit,
        )
        .outerjoin(
            BookableService,
            (BookableService.tenant_id == Product.tenant_id) & (BookableService.product_id == Product.id),
        )
        .outerjoin(
            Resource,
            (Resource.tenant_id == BookableService.tenant_id) & (Resource.id == BookableService.resource_id),
        )
        .where(Product.kind == ProductKind.SERVICE, Product.status != ProductStatus.ARCHIVED)
        .order_by(Product.name, Product.id)
    )
    return [ServiceProduct(*row) for row in rows]


# --- who comes when -----------------------------------------------------------------------------------------------

_ROW = (
    Booking.id,
    Booking.code,
    Booking.state,
    Booking.product_id,
    Product.name.label("product_name"),
    Booking.resource_id,
    Resource.code.label("resource_code"),
    Resource.name.label("resource_name"),
    func.lower(Booking.during).label("starts_at"),
    func.upper(Booking.during).label("ends_at"),
    Booking.quantity,
    Booking.nights,
    Booking.expires_at,
    Booking.contact_name,
    Booking.contact_phone,
    Booking.note,
    Booking.cancelled_reason,
    Booking.order_id,
)


def _rows(*conditions: ColumnElement[bool]) -> list[BookingRow]:
    rows = db.session.execute(
        select(*_ROW)
        .join(Product, (Product.tenant_id == Booking.tenant_id) & (Product.id == Booking.product_id))
        .join(Resource, (Resource.tenant_id == Booking.tenant_id) & (Resource.id == Booking.resource_id))
        .where(*conditions)
        .order_by(func.lower(Booking.during), Booking.id)
    )
    return [BookingRow(*row) for row in rows]


def counts_at(at: datetime) -> ColumnElement[bool]:
    """The condition that a booking keeps its places at the instant `at`: a hold past its time does not."""
    return Booking.state.in_(LIVE) & ((Booking.state != BookingState.HELD) | (Booking.expires_at > at))


def overlaps(start: datetime, end: datetime) -> ColumnElement[bool]:
    """The condition that a booking touches [start, end)."""
    return Booking.during.op("&&", is_comparison=True)(Range(start, end, bounds="[)"))


def day_view(day: date) -> list[BookingRow]:
    """Every booking that counts and touches a local day, by start; holds past their time are left out."""
    return _rows(overlaps(*slots.day_bounds(day, current_shop().zone)), counts_at(clock.now()))


def agenda(resource_id: int, start: datetime, end: datetime) -> list[BookingRow]:
    """The bookings of one resource that touch [start, end) and count."""
    return _rows(Booking.resource_id == resource_id, overlaps(start, end), counts_at(clock.now()))


def bookings_by_ids(ids: Sequence[int]) -> dict[int, BookingRow]:
    """The named bookings by id, whatever their state; missing ones are absent."""
    return {row.id: row for row in _rows(Booking.id.in_(ids))} if ids else {}


def booking_by_code(code: str) -> BookingRow:
    """One booking by the code people read aloud. Raises NotFound."""
    found = _rows(Booking.code == code)
    if not found:
        raise NotFound
    return found[0]


def resources_with_overdue_holds(at: datetime) -> list[int]:
    """Ids of the resources in which a hold has run out."""
    return list(
        db.session.scalars(
            select(Booking.resource_id)
            .where(Booking.state == BookingState.HELD, Booking.expires_at <= at)
            .group_by(Booking.resource_id)
            .order_by(Booking.resource_id)
        )
    )
