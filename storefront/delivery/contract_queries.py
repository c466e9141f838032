"""What the owner reads about where the shop delivers and with whom."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, or_, select

from storefront.delivery.models import Partner, PartnerContract, Rate, RateKind, Shipment, Zone
from storefront.delivery.rates import Step, steps_of
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import current_shop

# "We carry them ourselves" is kept in the trail alone: nothing is delivered differently for it.
OURSELVES = ("delivery", "own", "own_courier")


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A zone with its price, for the editor."""

    code: str
    name: str
    region: str | None
    localities: tuple[str, ...]
    price_minor: int
    free_above_minor: int | None
    active: bool
    version: int
    kind: RateKind = RateKind.FLAT
    steps: tuple[Step, ...] = ()
    assumed_g: int = 0


@dataclass(frozen=True, slots=True)
class Carrying:
    """Whether the shop delivers, works with a firm, and has said (or shown) that it carries parcels itself."""

    offers_delivery: bool
    has_firm: bool
    by_itself: bool

    @property
    def is_known(self) -> bool:
        """Whether somebody will carry what is ordered."""
        return self.has_firm or self.by_itself


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner the shop may work with, and on what terms it does (`contract` is None when it never did)."""

    slug: str
    name: str
    kind: str
    phone: str
    has_contract: bool
    active: bool
    priority: int
    zones: tuple[str, ...]
    cod_allowed: bool
    fee_minor: int | None


def who_carries() -> Carrying:
    """Who takes the shop's parcels to the customers, as far as it was said. One statement."""
    shop_id, (subject, name, verb) = current_shop().id, OURSELVES
    row = db.session.execute(
        select(
            exists().where(Zone.tenant_id == shop_id, Zone.active),
            exists().where(
                PartnerContract.tenant_id == shop_id, PartnerContract.active,
                Partner.id == PartnerContract.partner_id, Partner.active,
            ),
            or_(
                exists().where(
                    LogEntry.tenant_id == shop_id, LogEntry.subject_type == subject, LogEntry.subject_id == name,
                    LogEntry.verb == verb,
                ),
                exists().where(Shipment.tenant_id == shop_id, Shipment.own_courier),
            ),
        )
    ).one()  # fmt: skip
    return Carrying(*row)


def zone_rows() -> list[ZoneRow]:
    """Every zone, active or not, in the order in which they are tried."""
    rows = db.session.execute(
        select(
            Zone.code, Zone.name, Zone.region, Zone.localities, Rate.price_minor, Rate.free_above_minor, Zone.active,
            Zone.version, Rate.kind, Rate.steps, Rate.assumed_g,
        )
        .join(Rate, (Rate.tenant_id == Zone.tenant_id) & (Rate.zone_id == Zone.id))
        .order_by(Zone.position, Zone.id)
    )  # fmt: skip
    return [
        ZoneRow(
            r.code, r.name, r.region, tuple(r.localities), r.price_minor, r.free_above_minor, r.active, r.version,
            r.kind, steps_of(r.steps), r.assumed_g,
        )
        for r in rows
    ]  # fmt: skip


def zone_row(code: str) -> ZoneRow:
    """One zone. Raises NotFound."""
    for row in zone_rows():
        if row.code == code:
            return row
    raise NotFound


def partner_rows(country: str) -> list[PartnerRow]:
    """The partners of a country, and those the shop works with wherever they are, in the order they are asked."""
    contract = PartnerContract
    rows = db.session.execute(
        select(
            Partner.slug, Partner.name, Partner.kind, Partner.phone, contract.id, contract.active, contract.priority,
            contract.zones, contract.cod_allowed, contract.fee_minor,
        )
        .outerjoin(contract, contract.partner_id == Partner.id)
        .where(Partner.active, or_(Partner.country == country, contract.id.is_not(None)))
        .order_by(contract.active.desc().nulls_last(), contract.priority.desc().nulls_last(), contract.id, Partner.name)
    )  # fmt: skip
    return [
        PartnerRow(
            row.slug, row.name, str(row.kind), row.phone, row.id is not None, bool(row.active), row.priority or 0,
            tuple(row.zones or ()), row.cod_allowed is not False, row.fee_minor,
        )
        for row in rows
    ]  # fmt: skip
