"""What delivery costs: which zone an address lies in, and that zone's price.

A zone has one price, or a table: up to so many grams, so much of goods or so many metres, this price. What is more than
the whole table is not delivered there; where its last step is open, there is no such thing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from storefront.delivery.models import DeliveryOrigin, Rate, RateKind, Zone
from storefront.delivery.points import Origin, Point, way_m
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
class Step:
    """Up to and with so much (grams, minor units of goods, or metres), this price. None: however much."""

    up_to: int | None
    price_minor: int


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be carried: the grams that are known, and how many pieces nobody has weighed."""

    grams: int = 0
    unweighed: int = 0

    def counted(self, assumed_g: int) -> int:
        """All of it in grams, each piece without a weight counted as so many."""
        return self.grams + self.unweighed * assumed_g


EMPTY = Load()

WITHOUT_TABLE = frozenset({RateKind.FLAT, RateKind.QUOTED})


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
    kind: RateKind = RateKind.FLAT
    steps: tuple[Step, ...] = ()
    assumed_g: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one delivery, tax included, in minor units of the shop's currency.

    By distance it is for so many `metres`; `is_to_be_named`: the shop says it once it has seen the order.
    """

    zone_id: int
    name: str
    price_minor: int
    free_above_minor: int | None
    metres: int | None = None
    is_to_be_named: bool = False


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


def price_in(zone: ZoneChoice, subtotal_minor: int, load: Load = EMPTY, metres: int | None = None) -> int | None:
    """What it costs in a zone; None for more than its table goes up to, and for a way that is not known."""
    price: int | None = zone.price_minor
    if zone.kind not in WITHOUT_TABLE:
        much = {RateKind.BY_TOTAL: subtotal_minor, RateKind.BY_DISTANCE: metres}.get(
            zone.kind, load.counted(zone.assumed_g)
        )
        steps = zone.steps if much is not None else ()
        price = next((step.price_minor for step in steps if step.up_to is None or (much or 0) <= step.up_to), None)
    is_free = zone.free_above_minor is not None and subtotal_minor >= zone.free_above_minor
    return 0 if is_free and price is not None else price


def zone_for(zones: Iterable[ZoneChoice], place: Place) -> ZoneChoice | None:
    """The first zone that matches, or None where the shop does not deliver."""
    return next((zone for zone in zones if matches(zone, place)), None)


def choose(
    zones: Iterable[ZoneChoice], place: Place, subtotal_minor: int, load: Load = EMPTY, origin: Origin | None = None
) -> Quote | None:
    """The price by the first zone that matches, or None where the shop does not deliver so much, so far, or nothing."""
    zone = zone_for(zones, place)
    if zone is None:
        return None
    metres = way_to(place, origin) if zone.kind is RateKind.BY_DISTANCE else None
    price = price_in(zone, subtotal_minor, load, metres)
    if price is None:
        return None
    is_free = zone.free_above_minor is not None and subtotal_minor >= zone.free_above_minor
    is_to_be_named = zone.kind is RateKind.QUOTED and not is_free
    return Quote(zone.id, zone.name, price, zone.free_above_minor, metres, is_to_be_named)


def way_to(place: Place, origin: Origin | None) -> int | None:
    """How far it is to a place, in metres; None while the place or the shop has no point on the map."""
    pin = getattr(place, "pin", None)
    return None if origin is None or pin is None else way_m(origin, Point(*pin))


def steps_of(stored: Iterable[Sequence[int | None]]) -> tuple[Step, ...]:
    """A table as it is stored: pairs of how much, and the price."""
    return tuple(Step(up_to, int(price or 0)) for up_to, price in stored)


def zones_for_checkout() -> list[ZoneChoice]:
    """The shop's active zones with a price, in the order in which they are tried. Empty: the shop does not deliver."""
    rows = db.session.execute(
        select(
            Zone.id, Zone.code, Zone.name, Zone.region, Zone.localities, Rate.price_minor, Rate.free_above_minor,
            Rate.kind, Rate.steps, Rate.assumed_g,
        )
        .join(Rate, (Rate.tenant_id == Zone.tenant_id) & (Rate.zone_id == Zone.id))
        .where(Zone.active)
        .order_by(Zone.position, Zone.id)
    )  # fmt: skip
    return [
        ZoneChoice(
            r.id, r.code, r.name, r.region, tuple(r.localities), r.price_minor, r.free_above_minor, r.kind,
            steps_of(r.steps), r.assumed_g,
        )
        for r in rows
    ]  # fmt: skip


def quote(address: Place, subtotal_minor: int, load: Load = EMPTY) -> Quote | None:
    """What delivering goods worth `subtotal_minor` (minor units) to `address` costs; None where nobody delivers."""
    zones = zones_for_checkout()
    by_distance = any(zone.kind is RateKind.BY_DISTANCE for zone in zones)
    return choose(zones, address, subtotal_minor, load, origin_of_shop() if by_distance else None)


def origin_of_shop() -> Origin | None:
    """Where the shop sends from; None until somebody said so."""
    row = db.session.execute(select(DeliveryOrigin.lat, DeliveryOrigin.lng, DeliveryOrigin.detour_pct)).first()
    return Origin(Point(row.lat, row.lng), row.detour_pct) if row else None
