"""Which partner is offered a parcel, round after round: one at a time, by priority, until somebody takes it.

When every partner that could has said no or nothing, the parcel is unroutable: the shop is told, and delivers it
itself or offers it again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from storefront.delivery.copies import in_scope
from storefront.delivery.models import Offer, Partner, PartnerContract, Shipment, Zone
from storefront.delivery.offers import MAX_RECEIVES
from storefront.delivery.places import coarse_plus_code
from storefront.delivery.scopes import beside, scoped_partner_id
from storefront.delivery.states import OPEN_OFFER, OfferState, ShipmentState
from storefront.delivery.tracking import move, tell
from storefront.events import OfferEnded, ShipmentFailed
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.ids import new_code
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

OFFERED_FOR = timedelta(minutes=30)
"""How long one partner may leave an offer unanswered before the next one is asked."""


def route(shipment_id: int) -> None:
    """Offer a ready parcel to the next partner, or give it back to the shop. Safe to run any number of times."""
    with transaction():
        shipment = db.session.get(Shipment, (current_shop().id, shipment_id))
        if shipment is None or shipment.state is not ShipmentState.READY or shipment.own_courier:
            return
        contracts = _candidates(shipment)
    for contract in contracts:
        with beside(contract.partner_id):
            if _publish(shipment_id, contract):
                return
    _give_back(shipment_id, has_contracts=bool(contracts) or bool(shipment.tried))


def _candidates(shipment: Shipment) -> list[Any]:
    """Active contracts that fit the parcel and have not had their round, best first."""
    zone_code = db.session.scalar(select(Zone.code).where(Zone.id == shipment.zone_id))
    rows = db.session.execute(
        select(
            PartnerContract.partner_id, PartnerContract.partner_name, PartnerContract.zones, PartnerContract.priority,
            PartnerContract.fee_minor,
        )
        .join(Partner, Partner.id == PartnerContract.partner_id)
        .where(
            PartnerContract.active,
            Partner.active,
            PartnerContract.cod_allowed | (shipment.cod_due_minor == 0),
        )
        .order_by(PartnerContract.priority.desc(), PartnerContract.id)
    )  # fmt: skip
    return [row for row in rows if row.partner_id not in shipment.tried and (not row.zones or zone_code in row.zones)]


def _publish(shipment_id: int, contract: Any) -> bool:
    """Put the parcel into the queue of the partner in scope. False when it is not to be offered any more."""
    at, ref = clock.now(), f"of_{new_code(16)}"
    with transaction():
        [shipment] = lock_rows(Shipment, [shipment_id])
        if shipment.state is not ShipmentState.READY or shipment.own_courier:
            return False
        shipment.round += 1
        shipment.offer_ref, shipment.assignment_ref = ref, None
        shipment.partner_id, shipment.partner_name = contract.partner_id, contract.partner_name
        shipment.unroutable = False
        move(shipment, ShipmentState.OFFERED, at)
        db.session.add(
            Offer(
                ref=ref, tenant_id=shipment.tenant_id, shipment_id=shipment.id, round=shipment.round,
                state=OfferState.QUEUED, priority=contract.priority, offered_at=at, offered_until=at + OFFERED_FOR,
                visible_at=at, receive_count=0, body=_coarse(shipment, contract),
            )
        )  # fmt: skip
        note("shipment", shipment.code, "offered", SYSTEM, partner=contract.partner_name, round=shipment.round)
    return True


def _coarse(shipment: Shipment, contract: Any) -> dict[str, Any]:
    """What a partner may know before accepting: no name, no phone, no door."""
    shop = current_shop()
    zone = db.session.scalar(select(Zone.name).where(Zone.id == shipment.zone_id))
    return {
        "shop": shop.name,
        "shop_slug": shop.slug,
        "pickup_address": shop.address,
        "zone": zone,
        "locality": shipment.address.get("locality") or "",
        "neighbourhood": shipment.address.get("neighbourhood") or "",
        "plus_code_area": coarse_plus_code(shipment.address),
        "items": shipment.items,
        "currency": shipment.currency,
        "cod_due_minor": shipment.cod_due_minor,
        "payout_minor": contract.fee_minor,
    }


def _give_back(shipment_id: int, *, has_contracts: bool) -> None:
    """Nobody is left to ask. A shop without partners delivers itself and needs no alarm."""
    with transaction():
        [shipment] = lock_rows(Shipment, [shipment_id])
        if shipment.state is not ShipmentState.READY or shipment.unroutable or shipment.own_courier:
            return
        shipment.partner_id, shipment.partner_name, shipment.offer_ref = None, "", None
        shipment.version += 1
        if not has_contracts and not _has_partners():
            shipment.own_courier = True
            return
        shipment.unroutable, shipment.attention = True, "no_courier"
        note("shipment", shipment.code, "unroutable", SYSTEM, tried=len(shipment.tried))
        record(ShipmentFailed(shipment_id=shipment.id, order_id=shipment.order_id))


def _has_partners() -> bool:
    return db.session.scalar(select(PartnerContract.id).where(PartnerContract.active).limit(1)) is not None


def withdraw(shipment: Shipment, reason: str) -> None:
    """End the open offer of a locked shipment, with its partner in scope, in the caller's transaction."""
    if not in_scope(shipment):
        return
    db.session.execute(
        update(Offer)
        .where(
            Offer.partner_id == shipment.partner_id,
            Offer.tenant_id == shipment.tenant_id,
            Offer.shipment_id == shipment.id,
            Offer.state.in_(OPEN_OFFER),
        )
        .values(state=OfferState.WITHDRAWN, end_reason=reason)
        .execution_options(synchronize_session=False)
    )


def end_unanswered() -> int:
    """Bury the shop's offers that nobody answered: five times received, or out of time. Returns how many."""
    with transaction():
        waiting = db.session.execute(
            select(Shipment.id, Shipment.partner_id).where(Shipment.state == ShipmentState.OFFERED)
        ).all()
    ended = 0
    for row in waiting:
        with beside(row.partner_id):
            ended += _bury(row.id)
    return ended


def _bury(shipment_id: int) -> int:
    at, partner_id = clock.now(), scoped_partner_id()
    with transaction():
        [shipment] = lock_rows(Shipment, [shipment_id])
        if shipment.state is not ShipmentState.OFFERED or shipment.partner_id != partner_id:
            return 0
        dead = db.session.execute(
            update(Offer)
            .where(
                Offer.partner_id == partner_id,
                Offer.ref == shipment.offer_ref,
                Offer.state.in_(OPEN_OFFER),
                Offer.visible_at <= at,
                (Offer.receive_count >= MAX_RECEIVES) | (Offer.offered_until <= at),
            )
            .values(state=OfferState.DEAD, end_reason="unanswered")
            .returning(Offer.id)
            .execution_options(synchronize_session=False)
        ).first()
        if dead is None:
            return 0
        back_to_ready(shipment, exclude=True)
        note("shipment", shipment.code, "offer_dead", SYSTEM, round=shipment.round)
        record(OfferEnded(shipment_id=shipment.id))
    return 1


def back_to_ready(shipment: Shipment, *, exclude: bool) -> None:
    """Take a locked shipment out of a partner's hands; with `exclude` that partner gets no further round."""
    if exclude and shipment.partner_id is not None:
        shipment.tried = [*shipment.tried, shipment.partner_id]
    shipment.partner_id, shipment.partner_name, shipment.courier_name = None, "", ""
    shipment.offer_ref = None
    was_taken = shipment.state is ShipmentState.ASSIGNED  # an offer is nothing the history tells of
    move(shipment, ShipmentState.READY, clock.now())
    if was_taken:
        tell(shipment, ShipmentState.READY, clock.now(), SYSTEM)
    shipment.assignment_ref = None
