"""Where the shop delivers, for how much, and with whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.catalogue.models import HEAVIEST_G
from storefront.delivery import routing
from storefront.delivery.contract_queries import OURSELVES, who_carries
from storefront.delivery.models import (
    DeliveryOrigin,
    Partner,
    PartnerContract,
    PartnerShop,
    Rate,
    RateKind,
    Shipment,
    Zone,
)
from storefront.delivery.points import LEAST_DETOUR, MOST_DETOUR, Point
from storefront.delivery.rates import WITHOUT_TABLE, Step, origin_of_shop, plain
from storefront.delivery.scopes import beside
from storefront.delivery.states import ShipmentState
from storefront.events import OfferEnded
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_code
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

MOST_PLACES = 300
MOST_STEPS = 12


class BadZone(Invalid):
    """The zone cannot be used as written."""


class ZoneChanged(Conflict):
    """Somebody saved the zone in the meantime."""

    message = _l("Alguien más cambió esta zona mientras tanto. Revisa cómo quedó y vuelve a guardar.")


@dataclass(frozen=True, slots=True)
class ZoneDetails:
    """What the owner writes about a zone; amounts in minor units of the shop's currency. Steps may come in any order.

    A zone with a table has its lowest price for `price_minor`, so that lists have something to say.
    """

    name: str
    price_minor: int
    free_above_minor: int | None = None
    localities: Sequence[str] = ()
    region: str | None = None
    active: bool = True
    kind: RateKind = RateKind.FLAT
    steps: Sequence[Step] = ()
    assumed_g: int = 0


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """What shop and partner agreed: for which zones (codes; none for all), in which order partners are asked (the
    highest priority first), whether they may collect cash, and what they get for a delivery."""

    active: bool = True
    priority: int = 0
    zones: Sequence[str] = ()
    cod_allowed: bool = True
    fee_minor: int | None = None


def in_order(steps: Iterable[Step]) -> list[Step]:
    """A table from little to much, the open step last. Raises BadZone for one that says two things or nothing."""
    table = sorted(steps, key=lambda step: (step.up_to is None, step.up_to or 0))
    if not table:
        raise BadZone(_l("Escribe al menos un renglón de la tabla, con su precio."))
    if len(table) > MOST_STEPS:
        raise BadZone(_l("Son demasiados renglones para una tabla."))
    if len({step.up_to for step in table}) < len(table):
        raise BadZone(_l("Dos renglones de la tabla llegan hasta lo mismo. Deja uno."))
    if any(step.price_minor < 0 or (step.up_to is not None and step.up_to <= 0) for step in table):
        raise BadZone(_l("El precio no puede ser menor que cero."))
    return table


def say_origin(point: Point, detour_pct: int, by: Actor) -> None:
    """Say where the shop sends from, and what streets add. Orders already placed keep their price. Raises BadZone."""
    if not LEAST_DETOUR <= detour_pct <= MOST_DETOUR:
        raise BadZone(_l("Escribe un número de 100 a 300."))
    values = {"lat": point.lat, "lng": point.lng, "detour_pct": detour_pct}
    with transaction():
        db.session.execute(
            insert(DeliveryOrigin)
            .values(tenant_id=current_shop().id, **values)
            .on_conflict_do_update(index_elements=["tenant_id"], set_=values)
        )
        note("delivery_origin", current_shop().id, "changed", by, detour_pct=detour_pct)


def _rate(details: ZoneDetails) -> dict[str, Any]:
    """The columns of a zone's price. Raises BadZone."""
    if details.kind is RateKind.BY_DISTANCE and origin_of_shop() is None:
        raise BadZone(_l("Primero di dónde está tu tienda, en «Zonas y precios»: desde ahí se mide."))
    table = in_order(details.steps) if details.kind not in WITHOUT_TABLE else []
    if not 0 <= details.assumed_g <= HEAVIEST_G:
        raise BadZone(_l("Escribe cuánto cuenta una pieza sin peso, en gramos."))
    return {
        "price_minor": 0
        if details.kind is RateKind.QUOTED
        else min((step.price_minor for step in table), default=details.price_minor),
        "free_above_minor": details.free_above_minor,
        "kind": details.kind,
        "steps": [[step.up_to, step.price_minor] for step in table],
        "assumed_g": details.assumed_g if details.kind is RateKind.BY_WEIGHT else 0,
    }


def _checked(details: ZoneDetails) -> list[str]:
    """The places of a zone, each once. Raises BadZone."""
    if not details.name.strip():
        raise BadZone(_l("Ponle un nombre a la zona, por ejemplo «Centro»."))
    if details.price_minor < 0 or (details.free_above_minor is not None and details.free_above_minor <= 0):
        raise BadZone(_l("El precio no puede ser menor que cero."))
    places = {plain(name): " ".join(name.split()) for name in details.localities if name.strip()}
    if len(places) > MOST_PLACES:
        raise BadZone(_l("Son demasiados lugares para una zona. Divídela en dos."))
    return list(places.values())


def add_zone(details: ZoneDetails, by: Actor) -> str:
    """Open a zone after the existing ones. Returns its code. Raises BadZone."""
    places, rate = _checked(details), _rate(details)
    with transaction():
        last = db.session.scalar(select(func.max(Zone.position)).where(Zone.tenant_id == current_shop().id))
        zone = Zone(
            code=new_code(), name=details.name.strip(), region=details.region or None, localities=places,
            position=(last or 0) + 1, active=details.active,
        )  # fmt: skip
        db.session.add(zone)
        db.session.flush()
        db.session.add(Rate(zone_id=zone.id, **rate))
        note("delivery_zone", zone.code, "added", by, name=zone.name, price_minor=rate["price_minor"])
    return zone.code


def change_zone(code: str, version: int, details: ZoneDetails, by: Actor) -> None:
    """Save a zone. Orders already placed keep the price they were quoted. Raises NotFound, ZoneChanged, BadZone."""
    places, rate = _checked(details), _rate(details)
    with transaction():
        zone = _locked_zone(code)
        if zone.version != version:
            raise ZoneChanged
        zone.name, zone.region, zone.localities = details.name.strip(), details.region or None, places
        zone.active = details.active
        zone.version += 1
        db.session.execute(
            update(Rate)
            .where(Rate.tenant_id == zone.tenant_id, Rate.zone_id == zone.id)
            .values(**rate)
            .execution_options(synchronize_session=False)
        )
        note("delivery_zone", code, "changed", by, name=zone.name, price_minor=rate["price_minor"], active=zone.active)


def raise_zone(code: str, by: Actor) -> None:
    """Move a zone one place up, so that it is tried earlier. The first one stays where it is."""
    with transaction():
        zone = _locked_zone(code)
        above = db.session.scalars(
            select(Zone).where(Zone.position < zone.position).order_by(Zone.position.desc()).limit(1).with_for_update()
        ).first()
        if above is not None:
            zone.position, above.position = above.position, zone.position
            note("delivery_zone", code, "raised", by)


def _locked_zone(code: str) -> Zone:
    zone = db.session.scalars(select(Zone).where(Zone.code == code).with_for_update()).first()
    if zone is None:
        raise NotFound
    return zone


def set_contract(partner_slug: str, terms: ContractTerms, by: Actor) -> None:
    """Begin, change or end working with a partner; both sides of the contract change together.

    Ending it withdraws what is offered; parcels the partner has taken it may finish. Raises NotFound.
    """
    with transaction():
        partner = db.session.execute(
            select(Partner.id, Partner.name).where(Partner.slug == partner_slug, Partner.active)
        ).first()
    if partner is None:
        raise NotFound
    shop = current_shop()
    values = {
        "partner_name": partner.name, "priority": terms.priority, "zones": list(terms.zones),
        "cod_allowed": terms.cod_allowed, "fee_minor": terms.fee_minor, "active": terms.active,
    }  # fmt: skip
    theirs = {"shop_name": shop.name, "shop_slug": shop.slug, "active": terms.active}
    with beside(partner.id), transaction():
        db.session.execute(
            insert(PartnerContract)
            .values(tenant_id=shop.id, partner_id=partner.id, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "partner_id"], set_=values)
        )
        db.session.execute(
            insert(PartnerShop)
            .values(partner_id=partner.id, tenant_id=shop.id, **theirs)
            .on_conflict_do_update(index_elements=["partner_id", "tenant_id"], set_=theirs)
        )
        if not terms.active:
            _withdraw_all(partner.id)
        note("partner_contract", partner_slug, "active" if terms.active else "ended", by, priority=terms.priority)


def deliver_ourselves(by: Actor) -> None:
    """Say that the shop takes its parcels to the customers itself. Said once; working with a firm stays possible."""
    with transaction():
        if not who_carries().by_itself:
            note(*OURSELVES, by)


def _withdraw_all(partner_id: int) -> None:
    waiting = db.session.scalars(
        select(Shipment.id).where(Shipment.state == ShipmentState.OFFERED, Shipment.partner_id == partner_id)
    ).all()
    for shipment in lock_rows(Shipment, waiting):
        if shipment.state is ShipmentState.OFFERED and shipment.partner_id == partner_id:
            routing.withdraw(shipment, "contract_ended")
            routing.back_to_ready(shipment, exclude=True)
            record(OfferEnded(shipment_id=shipment.id))
