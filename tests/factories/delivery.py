"""Partners, contracts, zones and parcels for tests, written through the real actions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from storefront.catalogue.models import ProductKind
from storefront.delivery import partners
from storefront.delivery.contracts import ContractTerms, ZoneDetails, add_zone, set_contract
from storefront.delivery.models import Assignment, Offer, Shipment
from storefront.delivery.states import PartnerKind, ShipmentState
from storefront.kernel import clock, jobs
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import Shop, across_shops, acting_for, acting_for_partner
from storefront.orders.actions import confirm_order, mark_ready
from storefront.orders.models import FulfilmentMethod, Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.payments.actions import open_attempt
from tests.factories.catalogue import a_product

OWNER = Actor("staff", None, "Alicia")
DOOR: dict[str, Any] = {
    "recipient": "Dora Canseco", "phone": "+529511112233", "street": "Calle Crespo 212", "neighbourhood": "Centro",
    "locality": "Oaxaca de Juárez", "region": "OAX", "country": "MX", "postcode": "68000",
    "reference": "Casa azul frente a la iglesia", "instructions": "Tocar fuerte", "plus_code": "",
    "lat": 17.0669, "lng": -96.7203,
}  # fmt: skip
_numbers = itertools.count(1)


def a_partner(slug: str = "bicis", name: str = "Bicis Oaxaca", country: str = "MX") -> int:
    """A courier firm on the platform's list."""
    with across_shops("a test's partner"):
        return partners.register_partner(slug, name, "+529510000000", PartnerKind.BIKE, country)


def a_contract(shop: Shop, slug: str = "bicis", **terms: Any) -> None:
    """The shop works with the firm."""
    with acting_for(shop):
        set_contract(slug, ContractTerms(**terms), OWNER)


def a_zone(shop: Shop, name: str = "Centro", price_minor: int = 4_000, **details: Any) -> str:
    """The shop delivers there. Returns the zone's code."""
    with acting_for(shop):
        return add_zone(ZoneDetails(name, price_minor, **details), OWNER)


def a_key(partner_id: int, *scopes: str) -> str:
    """A key of the firm's program."""
    with acting_for_partner(partner_id):
        return partners.issue_key("test", scopes or partners.SCOPES)


def a_rider(partner_id: int, name: str = "Efraín López", phone: str = "+529517778899", pin: str = "246810") -> int:
    """Somebody who rides for the firm."""
    with acting_for_partner(partner_id):
        return partners.add_rider(name, phone, pin)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel by its names."""

    shop: Shop
    order_id: int
    id: int
    code: str
    token: str
    delivery_code: str
    total_minor: int

    def now(self) -> Shipment:
        """Its row as it is at this moment."""
        with acting_for(self.shop):
            row = db.session.scalars(select(Shipment).where(Shipment.id == self.id)).one()
            db.session.expunge(row)
            return row

    @property
    def state(self) -> ShipmentState:
        """Where it is at this moment."""
        return self.now().state


def an_order(shop: Shop, *, payment: str = "cash_on_delivery", price: int = 25_000) -> int:
    """A confirmed order to be delivered to Dora; the shop's jobs have not run."""
    with acting_for(shop):
        with transaction():
            made = a_product(price=price)
            number = next(_numbers)
            line = NewLine(ProductKind.GOODS, made.id, made.variant_id, "Pan de yema", "", "", 1, price)
            order = place_order(
                NewOrder(
                    f"delivery-{number}", [line], payment, FulfilmentMethod.DELIVERY, "Dora Canseco", "+529511112233",
                    contact_email="dora@example.com", address=DOOR,
                ),
                OWNER,
            )  # fmt: skip
            open_attempt(order.id, payment)
        confirm_order(order.id, OWNER)
        return order.id


def a_parcel(shop: Shop, *, ready: bool = True, payment: str = "cash_on_delivery", price: int = 25_000) -> Parcel:
    """The parcel of a confirmed order; when ready, it has been offered to whoever has a contract."""
    order_id = an_order(shop, payment=payment, price=price)
    with acting_for(shop):
        jobs.drain()
        if ready:
            mark_ready(order_id, OWNER)
            jobs.drain()
        row = db.session.scalars(select(Shipment).where(Shipment.order_id == order_id)).one()
        total = db.session.scalar(select(Order.total_minor).where(Order.id == order_id))
        return Parcel(shop, order_id, row.id, row.code, row.token, row.delivery_code, int(total or 0))


def an_assignment(parcel: Parcel, partner_id: int) -> Assignment:
    """The active piece of work on a parcel."""
    with acting_for_partner(partner_id):
        row = db.session.scalars(
            select(Assignment).where(Assignment.shipment_id == parcel.id, Assignment.state == "active")
        ).one()
        db.session.expunge(row)
        return row


def the_offer(parcel: Parcel, partner_id: int) -> Offer:
    """The newest offer of a parcel to a firm."""
    with acting_for_partner(partner_id):
        row = db.session.scalars(
            select(Offer).where(Offer.shipment_id == parcel.id).order_by(Offer.id.desc()).limit(1)
        ).one()
        db.session.expunge(row)
        return row


def many_offers(shop: Shop, partner_id: int, count: int) -> list[int]:
    """So many parcels in a firm's queue, written straight into the tables. Returns the shipments' ids."""
    at = clock.now()
    with acting_for(shop, partner_id), transaction():
        order_ids = db.session.scalars(
            insert(Order.__table__).returning(Order.__table__.c.id, sort_by_parameter_order=True),
            [_bare_order(shop, n) for n in range(count)],
        ).all()
        shipment_ids = db.session.scalars(
            insert(Shipment.__table__).returning(Shipment.__table__.c.id, sort_by_parameter_order=True),
            [
                {
                    "tenant_id": shop.id, "code": f"S{n:07d}", "token": f"token-{n}", "order_id": order_id,
                    "order_code": f"Q{n:05d}", "state": ShipmentState.OFFERED, "state_since": at, "created_at": at,
                    "address": DOOR, "items": 1, "currency": shop.currency, "delivery_code": "1234", "status_seq": 2,
                    "partner_id": partner_id, "partner_name": "Bicis Oaxaca", "offer_ref": f"of_{n:016d}", "round": 1,
                }
                for n, order_id in enumerate(order_ids)
            ],
        ).all()  # fmt: skip
        db.session.execute(
            insert(Offer.__table__),
            [
                {
                    "partner_id": partner_id, "ref": f"of_{n:016d}", "tenant_id": shop.id, "shipment_id": shipment_id,
                    "round": 1, "state": "queued", "offered_at": at, "offered_until": at + timedelta(hours=1),
                    "visible_at": at, "body": {},
                }
                for n, shipment_id in enumerate(shipment_ids)
            ],
        )  # fmt: skip
    return list(shipment_ids)


def _bare_order(shop: Shop, n: int) -> dict[str, Any]:
    at = clock.now()
    return {
        "tenant_id": shop.id, "code": f"Q{n:05d}", "token": f"order-{n}", "placement_key": f"bulk-{n}",
        "state": "confirmed", "payment_state": "unpaid", "fulfilment_state": "ready", "version": 1,
        "contact_name": "Dora", "locale": shop.locale, "fulfilment_method": "delivery", "address": DOOR,
        "currency": shop.currency, "subtotal_minor": 100, "shipping_minor": 0, "shipping_name": "", "net_minor": 100,
        "tax_minor": 0, "total_minor": 100, "payment_method": "card", "note": "", "placed_at": at,
    }  # fmt: skip
