"""What delivery costs: which zone an address lies in, and that zone's price."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from storefront.delivery.models import Rate, Zone
from storefront.kernel.db import db


class Place(Protocol):
    """What is needed of an address: its neighbourhood, its town and its region's code."""

    @property
    def neighbourhood(self) -> str: ...
    @property
    def locality(self) -> str: ...
    @property
    def region(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """An active zone with its price, as the checkout shows it and the rule below reads it. Amounts in minor units."""

    id: int
    code: str
    name: str
    region: str | None
    localities: tuple[str, ...]
    price_minor: int
    free_above_minor: int | None


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one delivery, tax included, in minor units of the shop's currency."""

    zone_id: int
    name: str
    price_minor: int
    free_above_minor: int | None


def plain(name: str) -> str:
    """A place's name as people mean it: without case, accents or doubled spaces."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def matches(zone: ZoneChoice, place: Place) -> bool:
    """Whether `place` lies in the zone: in its region, if it names one, and in one of its places, if it lists any."""
    if zone.region and plain(zone.region) != plain(place.region):
        return False
    if not zone.localities:
        return True
    wanted = {plain(place.locality), plain(place.neighbourhood)} - {""}
    return any(plain(name) in wanted for name in zone.localities)


def choose(zones: Iterable[ZoneChoice], place: Place, subtotal_minor: int) -> Quote | None:
    """The price by the first zone that matches, or None where the shop does not deliver."""
    for zone in zones:
        if matches(zone, place):
            is_free = zone.free_above_minor is not None and subtotal_minor >= zone.free_above_minor
            return Quote(zone.id, zone.name, 0 if is_free else zone.price_minor, zone.free_above_minor)
    return None


def zones_for_checkout() -> list[ZoneChoice]:
    """The shop's active zones with a price, in the order in which they are tried. Empty: the shop does not deliver."""
    rows = db.session.execute(
        select(Zone.id, Zone.code, Zone.name, Zone.region, Zone.localities, Rate.price_minor, Rate.free_above_minor)
        .join(Rate, (Rate.tenant_id == Zone.tenant_id) & (Rate.zone_id == Zone.id))
        .where(Zone.active)
        .order_by(Zone.position, Zone.id)
    )
    return [
        ZoneChoice(r.id, r.code, r.name, r.region, tuple(r.localities), r.price_minor, r.free_above_minor) for r in rows
    ]


def quote(address: Place, subtotal_minor: int) -> Quote | None:
    """What delivering goods worth `subtotal_minor` (minor units) to `address` costs; None where nobody delivers."""
    return choose(zones_for_checkout(), address, subtotal_minor)
