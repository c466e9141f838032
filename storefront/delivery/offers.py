"""The queue partners pull from: receive, accept, decline, extend.

At least once: an offer leased to a client is out of sight until the lease ends, by comparison with our clock; no timer
and no worker takes part. The lease is proved by its token, fresh with each receive, so whoever lost it is refused.
Every step that concerns the shop too locks the shipment first, then the offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Table, and_, func, select, update

from storefront.delivery.models import Assignment, Offer, PartnerShop, Rider, Shipment
from storefront.delivery.places import first_name
from storefront.delivery.scopes import scoped_partner_id
from storefront.delivery.states import OPEN_OFFER, AssignmentState, OfferState, ShipmentState
from storefront.delivery.tracking import tell
from storefront.events import OfferEnded, ShipmentAssigned
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, NotFound, Refusal
from storefront.kernel.ids import new_code
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

MAX_RECEIVES = 5
MOST_LEASED = 100
LONGEST_LEASE = timedelta(minutes=30)
PICK_UP_WITHIN = timedelta(hours=2)

_offers: Table = Offer.__table__  # type: ignore[assignment]  # a FromClause to the type checker, a Table in fact
_shops: Table = PartnerShop.__table__  # type: ignore[assignment]
_shipments: Table = Shipment.__table__  # type: ignore[assignment]


class LeaseLost(Conflict):
    """The lease ended, or somebody else of the same partner holds a newer one."""

    message = _l("Ya no tienes apartada esta entrega: el tiempo se acabó o la tomó alguien más.")


class AlreadyTaken(Conflict):
    """The offer was answered before."""

    message = _l("Alguien respondió antes a esta entrega.")


class OfferWithdrawn(Refusal):
    """The shop took the offer back."""

    message = _l("La tienda retiró esta entrega.")
    status = 410


@dataclass(frozen=True, slots=True)
class Lease:
    """A leased offer. `body` holds what may be known before accepting."""

    id: str
    lease_token: str
    lease_expires_at: datetime
    receive_count: int
    round: int
    body: dict[str, Any]


def lease_is_held(token: str, at: datetime) -> Sequence[ColumnElement[bool]]:
    """The conditions under which `token` still proves a lease: the guarantee against two takers."""
    return (
        _offers.c.state == OfferState.LEASED,
        _offers.c.lease_token == token,
        _offers.c.lease_expires_at > at,
    )


def is_receivable(at: datetime) -> Sequence[ColumnElement[bool]]:
    """The conditions under which an offer may be handed out (again)."""
    return (
        _offers.c.state.in_(OPEN_OFFER),
        _offers.c.visible_at <= at,
        _offers.c.offered_until > at,
        _offers.c.receive_count < MAX_RECEIVES,
    )


def receive(most: int, lease_s: int, tenant_id: int | None = None) -> list[Lease]:
    """Lease up to `most` offers of the partner in scope for `lease_s` seconds, in one statement.

    With `tenant_id`, of that shop alone. A partner holds at most `MOST_LEASED` leases at a time.
    """
    partner_id, at = scoped_partner_id(), clock.now()
    until = at + timedelta(seconds=lease_s)
    token = str(uuid4())
    working_for = select(_shops.c.tenant_id).where(_shops.c.partner_id == partner_id, _shops.c.active)
    wanted = and_(_offers.c.partner_id == partner_id, *is_receivable(at), _offers.c.tenant_id.in_(working_for))
    if tenant_id is not None:
        wanted = and_(wanted, _offers.c.tenant_id == tenant_id)
    with transaction():
        room = MOST_LEASED - _leased_now(partner_id, at)
        pick = (
            select(_offers.c.id)
            .where(wanted)
            .order_by(_offers.c.priority.desc(), _offers.c.id)
            .limit(max(0, min(most, room)))
            .with_for_update(skip_locked=True, of=_offers)
            .cte("pick")
            .prefix_with("MATERIALIZED")
        )
        rows = db.session.execute(
            update(_offers)
            .where(_offers.c.partner_id == partner_id, _offers.c.id == pick.c.id)
            .values(
                state=OfferState.LEASED,
                lease_token=token,
                leased_at=at,
                lease_expires_at=until,
                visible_at=until,
                receive_count=_offers.c.receive_count + 1,
            )
            .returning(
                _offers.c.id, _offers.c.ref, _offers.c.priority, _offers.c.receive_count, _offers.c.round,
                _offers.c.body,
            )
        ).all()  # fmt: skip
    rows = sorted(rows, key=lambda row: (-row.priority, row.id))
    return [Lease(row.ref, token, until, row.receive_count, row.round, row.body) for row in rows]


def _leased_now(partner_id: int, at: datetime) -> int:
    count = db.session.scalar(
        select(func.count())
        .select_from(_offers)
        .where(
            _offers.c.partner_id == partner_id,
            _offers.c.state == OfferState.LEASED,
            _offers.c.lease_expires_at > at,
        )
    )
    return int(count or 0)


def extend(ref: str, token: str, lease_s: int) -> datetime:
    """Prolong a lease of the partner in scope, counted from now, to 30 minutes after its receive at most.

    Returns when it ends now. Raises NotFound, LeaseLost, OfferWithdrawn.
    """
    partner_id, at = scoped_partner_id(), clock.now()
    until = func.least(at + timedelta(seconds=lease_s), _offers.c.leased_at + LONGEST_LEASE)
    with transaction():
        ends = db.session.scalar(
            update(_offers)
            .where(_offers.c.partner_id == partner_id, _offers.c.ref == ref, *lease_is_held(token, at))
            .values(lease_expires_at=until, visible_at=until)
            .returning(_offers.c.lease_expires_at)
        )
        if ends is None:
            raise _why_not_held(_offer(ref), token)
    return ends  # type: ignore[no-any-return]  # a timestamptz


def tenant_of_offer(ref: str) -> int:
    """The shop an offer of the partner in scope belongs to. Raises NotFound."""
    tenant_id = _offer(ref).tenant_id
    db.session.rollback()
    return int(tenant_id)


def accept(ref: str, token: str, rider_id: int | None, by: Actor) -> tuple[str, bool]:
    """Turn a lease into an assignment, with shop and partner in scope. Returns its ref, and whether it is new.

    Repeating an accept that succeeded gives the same assignment. Raises NotFound, LeaseLost, AlreadyTaken,
    OfferWithdrawn.
    """
    with transaction():
        offer = _offer(ref)
        if offer.state == OfferState.ACCEPTED and offer.lease_token == token:
            return _assignment_of(ref), False
        return _assign(offer, lease_is_held(token, clock.now()), token, rider_id, by), True


def take(ref: str, rider_id: int, by: Actor) -> str:
    """A rider takes an offer that nobody holds, at one stroke. Returns the assignment's ref.

    Taking again what one has taken gives the same assignment. Raises NotFound, AlreadyTaken, OfferWithdrawn.
    """
    with transaction():
        offer = _offer(ref)
        if offer.state == OfferState.ACCEPTED:
            mine = db.session.scalar(
                select(Assignment.ref).where(
                    Assignment.partner_id == scoped_partner_id(),
                    Assignment.offer_ref == ref,
                    Assignment.rider_id == rider_id,
                )
            )
            if mine is None:
                raise AlreadyTaken
            return mine
        return _assign(offer, is_receivable(clock.now()), str(uuid4()), rider_id, by)


def decline(ref: str, token: str, reason: str, by: Actor) -> None:
    """Give a lease back for good, with shop and partner in scope: the parcel's next round begins.

    Repeating it changes nothing. Raises NotFound, LeaseLost, AlreadyTaken, OfferWithdrawn.
    """
    partner_id = scoped_partner_id()
    with transaction():
        offer = _offer(ref)
        if offer.state == OfferState.DECLINED and offer.lease_token == token:
            return
        tried = _shipments.c.tried.op("||")(func.jsonb_build_array(partner_id))
        free = {"state": ShipmentState.READY, "tried": tried, "offer_ref": None, "partner_id": None, "partner_name": ""}
        moved = _move_shipment(offer, free)
        ended = db.session.execute(
            update(_offers)
            .where(_offers.c.partner_id == partner_id, _offers.c.id == offer.id, *lease_is_held(token, clock.now()))
            .values(state=OfferState.DECLINED, end_reason=reason)
            .returning(_offers.c.id)
        ).first()
        if moved is None or ended is None:
            raise _why_not_held(_offer(ref), token)
        note("shipment", moved.code, "offer_declined", by, reason=reason)
        record(OfferEnded(shipment_id=offer.shipment_id))


def _offer(ref: str) -> Any:
    found = db.session.execute(
        select(
            _offers.c.id, _offers.c.tenant_id, _offers.c.shipment_id, _offers.c.ref, _offers.c.state,
            _offers.c.lease_token, _offers.c.body,
        ).where(_offers.c.partner_id == scoped_partner_id(), _offers.c.ref == ref)
    ).first()  # fmt: skip
    if found is None:
        raise NotFound
    return found


def _assignment_of(offer_ref: str) -> str:
    ref = db.session.scalar(
        select(Assignment.ref).where(Assignment.partner_id == scoped_partner_id(), Assignment.offer_ref == offer_ref)
    )
    if ref is None:
        raise NotFound
    return ref


def _why_not_held(offer: Any, token: str) -> Refusal:
    if offer.state in {OfferState.WITHDRAWN, OfferState.DEAD}:
        return OfferWithdrawn()
    if offer.state == OfferState.ACCEPTED:
        return AlreadyTaken()
    return LeaseLost()


def _move_shipment(offer: Any, values: dict[str, Any]) -> Any:
    """Compare and set the shipment out of `offered`, which also locks it; None when the shop has moved it on."""
    return db.session.execute(
        update(_shipments)
        .where(
            _shipments.c.tenant_id == offer.tenant_id,
            _shipments.c.id == offer.shipment_id,
            _shipments.c.state == ShipmentState.OFFERED,
            _shipments.c.offer_ref == offer.ref,
        )
        .values(
            state_since=clock.now(),
            status_seq=_shipments.c.status_seq + 1,
            version=_shipments.c.version + 1,
            **values,
        )
        .returning(*_shipments.c)
    ).first()


def _assign(offer: Any, condition: Sequence[ColumnElement[bool]], token: str, rider_id: int | None, by: Actor) -> str:
    """Shipment and offer in one transaction, each by compare and set; then the assignment, which is unique too."""
    partner_id, at, ref = scoped_partner_id(), clock.now(), f"as_{new_code(16)}"
    rider_name = _rider_name(rider_id)
    theirs = {"state": ShipmentState.ASSIGNED, "assignment_ref": ref, "courier_name": first_name(rider_name)}
    moved = _move_shipment(offer, theirs | {"attention": None})
    accepted = db.session.execute(
        update(_offers)
        .where(_offers.c.partner_id == partner_id, _offers.c.id == offer.id, *condition)
        .values(state=OfferState.ACCEPTED, lease_token=token)
        .returning(_offers.c.id)
    ).first()
    if moved is None or accepted is None:
        raise _why_not_held(_offer(offer.ref), token)
    db.session.add(
        Assignment(
            ref=ref, offer_ref=offer.ref, tenant_id=offer.tenant_id, shipment_id=offer.shipment_id,
            tracking_code=moved.code, state=AssignmentState.ACTIVE, status=ShipmentState.ASSIGNED, rider_id=rider_id,
            pickup=_pick_up_place(moved.order_code), drop=dict(moved.address), items=moved.items,
            currency=moved.currency, cod_due_minor=moved.cod_due_minor, payout_minor=offer.body.get("payout_minor"),
            accepted_at=at, pickup_by=at + PICK_UP_WITHIN, updated_at=at,
        )
    )  # fmt: skip
    shipment = db.session.get_one(Shipment, (offer.tenant_id, offer.shipment_id), populate_existing=True)
    tell(shipment, ShipmentState.ASSIGNED, at, by)
    note("shipment", moved.code, "assigned", by, partner=moved.partner_name, rider=rider_name)
    record(ShipmentAssigned(shipment_id=offer.shipment_id, order_id=moved.order_id))
    return ref


def _pick_up_place(order_code: str) -> dict[str, Any]:
    shop = current_shop()
    return {"shop": shop.name, "shop_slug": shop.slug, "address": shop.address, "phone": shop.phone,
            "order_code": order_code, "timezone": shop.timezone}  # fmt: skip


def _rider_name(rider_id: int | None) -> str:
    if rider_id is None:
        return ""
    name = db.session.scalar(
        select(Rider.name).where(Rider.partner_id == scoped_partner_id(), Rider.id == rider_id, Rider.active)
    )
    if name is None:
        raise NotFound
    return name
