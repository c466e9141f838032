"""The partner's own rows about a parcel, kept like the shop's.

What is true of a parcel stands in the shop's row, and every step of a courier asks it. Where a step of the shop
concerns parcels of several partners, one is in scope and its rows change with the shop's; the others' follow by a job.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from storefront.delivery.models import Assignment, Offer, Shipment
from storefront.delivery.parcels import cash_of
from storefront.delivery.scopes import beside
from storefront.delivery.states import (
    OPEN_OFFER,
    TERMINAL,
    WITH_RIDER,
    AssignmentState,
    OfferState,
    ShipmentState,
)
from storefront.events import ParcelTouched
from storefront.kernel import clock
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_partner_id
from storefront.orders.models import Order


def in_scope(shipment: Shipment) -> bool:
    """Whether the parcel's partner is in scope; if it has another, that one's rows are to follow by a job."""
    if shipment.partner_id is not None and shipment.partner_id != current_partner_id():
        record(ParcelTouched(shipment_id=shipment.id, partner_id=shipment.partner_id))
    return shipment.partner_id is not None and shipment.partner_id == current_partner_id()


def tell_partner(shipment: Shipment, ended: AssignmentState | None = None, reason: str | None = None) -> None:
    """Bring the active assignment, if there is one, up to date with a locked shipment."""
    assignment = _active_assignment(shipment) if in_scope(shipment) else None
    if assignment is None:
        return
    at = clock.now()
    if shipment.state in WITH_RIDER | TERMINAL | {ShipmentState.RETURNING}:
        assignment.status = shipment.state
    assignment.updated_at = at
    if ended is not None:
        assignment.state, assignment.ended_at, assignment.end_reason = ended, at, reason


def _active_assignment(shipment: Shipment) -> Assignment | None:
    if shipment.assignment_ref is None:
        return None
    return db.session.scalars(
        select(Assignment)
        .where(
            Assignment.partner_id == shipment.partner_id,
            Assignment.ref == shipment.assignment_ref,
            Assignment.state == AssignmentState.ACTIVE,
        )
        .with_for_update()
    ).first()


def collect(shipment: Shipment, due_minor: int) -> None:
    """Say what is to be collected for a locked shipment: here, in the open offer, and in the courier's own work. In
    the caller's transaction."""
    if shipment.cod_due_minor == due_minor:
        return
    shipment.cod_due_minor = due_minor
    shipment.version += 1
    if in_scope(shipment):
        _copy_cash(shipment)


def _copy_cash(shipment: Shipment) -> None:
    due_minor = shipment.cod_due_minor
    offer = db.session.scalars(
        select(Offer).where(Offer.partner_id == shipment.partner_id, Offer.ref == shipment.offer_ref).with_for_update()
    ).first()
    if offer is not None:
        offer.body = {**offer.body, "cod_due_minor": due_minor}
    assignment = _active_assignment(shipment)
    if assignment is not None:
        assignment.cod_due_minor, assignment.updated_at = due_minor, clock.now()


def tell_what_is_due(order: Order, parcels: Sequence[Shipment]) -> None:
    """Say what each parcel of a locked order is to collect now; what is over stays as it was."""
    due = cash_of(order, parcels)
    for parcel in parcels:
        if parcel.state not in TERMINAL:
            collect(parcel, due.get(parcel.id, 0))


def bring_up_to_date(shipment_id: int, partner_id: int) -> None:
    """Bring a partner's rows up to where the shop has a parcel now. Safe to run any number of times."""
    with beside(partner_id), transaction():
        [shipment] = lock_rows(Shipment, [shipment_id])
        is_theirs = shipment.partner_id == partner_id
        offers = db.session.scalars(
            select(Offer)
            .where(
                Offer.partner_id == partner_id, Offer.tenant_id == shipment.tenant_id,
                Offer.shipment_id == shipment_id, Offer.state.in_(OPEN_OFFER),
            )
            .with_for_update()
        )  # fmt: skip
        for offer in offers:
            if not is_theirs or shipment.state is not ShipmentState.OFFERED or offer.ref != shipment.offer_ref:
                offer.state, offer.end_reason = OfferState.WITHDRAWN, "changed"
        if not is_theirs:
            return
        _copy_cash(shipment)
        is_off = shipment.state is ShipmentState.CANCELLED
        tell_partner(shipment, AssignmentState.CANCELLED if is_off else None, "cancelled" if is_off else None)
