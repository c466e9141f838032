"""Things that can be reserved, and instants in their shop's zone, written through the real actions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from storefront.catalogue.models import ProductKind
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.tenancy import current_shop
from storefront.reservations.actions import Contact, hold_slot, walk_in
from storefront.reservations.models import Booking, Unit
from storefront.reservations.setup import ServiceSettings, create_resource, make_bookable
from tests.factories.catalogue import a_product

DIEGO = Actor("staff", None, "Diego")
DORA = Contact("Dora Canseco", "+56912345678", "Llega en bicicleta")
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its resource, by their ids and public names."""

    product_id: int
    product_code: str
    slug: str
    variant_code: str
    resource_id: int
    resource_code: str


def daily(*ranges: tuple[str, str]) -> dict[str, list[tuple[str, str]]]:
    """The same hours on every day of the week."""
    return {day: list(ranges or (("09:00", "18:00"),)) for day in EVERY_DAY}


def a_tour(
    capacity: int = 3,
    *,
    hours: dict[str, list[tuple[str, str]]] | None = None,
    price: int = 15_000,
    published: bool = True,
    **settings: int,
) -> Service:
    """A service by the clock; one hour, each hour, unless `settings` (duration_min, step_min, …) say otherwise."""
    values = {"min_notice_min": 0, "horizon_days": 90, **settings}
    return _service("Paseo", capacity, hours or daily(), price, published, ServiceSettings(Unit.TIME, **values))


def a_room(capacity: int = 2, *, price: int = 45_000, **settings: int) -> Service:
    """A service by the night, from 15:00 to 12:00."""
    values = {"min_notice_min": 0, "horizon_days": 90, **settings}
    return _service("Habitación", capacity, daily(), price, True, ServiceSettings(Unit.NIGHT, **values))


def _service(
    name: str, capacity: int, hours: dict[str, list[tuple[str, str]]], price: int, published: bool, how: ServiceSettings
) -> Service:
    number = next(_numbers)
    product = a_product(f"{name} {number}", price=price, kind=ProductKind.SERVICE, published=published)
    resource = create_resource(f"Lugar {number}", capacity, hours, DIEGO)
    make_bookable(product.id, resource.id, how, DIEGO)
    return Service(product.id, product.code, product.slug, product.variant_code, resource.id, resource.code)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant on the clock of the shop in scope."""
    return datetime.combine(day, time(hour, minute), tzinfo=current_shop().zone)


def in_days(days: int = 1) -> date:
    """The shop's day so many days from today."""
    return clock.now().astimezone(current_shop().zone).date() + timedelta(days=days)


def a_hold(
    service: Service, at: datetime | None = None, *, quantity: int = 1, nights: int = 1, minutes: int = 15
) -> Booking:
    """Places held as a cart holds them, tomorrow at ten unless said otherwise; negative `minutes` have run out."""
    until = clock.now() + timedelta(minutes=minutes)
    start = at or local(in_days(), 10)
    return hold_slot(service.product_id, start, quantity=quantity, nights=nights, until=until)


def a_booking(service: Service, at: datetime | None = None, *, quantity: int = 1, nights: int = 1) -> Booking:
    """Somebody who phoned, tomorrow at ten unless said otherwise."""
    start = at or local(in_days(), 10)
    return walk_in(service.product_id, start, quantity=quantity, nights=nights, contact=DORA, by=DIEGO)
