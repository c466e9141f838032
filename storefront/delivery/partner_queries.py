"""What a partner reads: its queues, and the work it has taken, page by page."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, or_, select, tuple_, update

from storefront.delivery.models import Assignment, Offer, PartnerShop, Rider
from storefront.delivery.offers import MAX_RECEIVES
from storefront.delivery.scopes import scoped_partner_id
from storefront.delivery.states import OPEN_OFFER, AssignmentState, ShipmentState
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid, NotFound

EVERYTHING = "all"
"""The queue of all shops together."""

KEPT_AFTER_END = timedelta(days=7)
"""How long a partner still sees name, phone and address of a finished delivery."""


class BadCursor(Invalid):
    """A cursor that was not made here."""

    message = _l("Ese cursor no es válido. Empieza de nuevo sin cursor.")


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue a partner may pull: one for each shop it works for, and one for all. Ages in whole seconds."""

    id: str
    name: str
    depth: int
    oldest_age_s: int


@dataclass(frozen=True, slots=True)
class Work:
    """An assignment as its partner sees it. `drop` is empty some days after the end."""

    id: str
    tracking_code: str
    state: AssignmentState
    status: ShipmentState
    rider: str | None
    pickup: dict[str, Any]
    drop: dict[str, Any]
    items: int
    currency: str
    cod_due_minor: int
    payout_minor: int | None
    accepted_at: datetime
    pickup_by: datetime
    updated_at: datetime
    ended_at: datetime | None

    @property
    def needs_delivery_code(self) -> bool:
        """Whether the hand-over needs the customer's four digits: always, while it is still to be done."""
        return self.state is AssignmentState.ACTIVE


def queues() -> list[Queue]:
    """The queues of the partner in scope, with what could be received now."""
    partner_id, at = scoped_partner_id(), clock.now()
    waiting = and_(
        Offer.partner_id == PartnerShop.partner_id, Offer.tenant_id == PartnerShop.tenant_id,
        Offer.state.in_(OPEN_OFFER), Offer.visible_at <= at, Offer.offered_until > at,
        Offer.receive_count < MAX_RECEIVES,
    )  # fmt: skip
    rows = db.session.execute(
        select(
            PartnerShop.shop_slug, PartnerShop.shop_name, func.count(Offer.id).label("depth"),
            func.min(Offer.offered_at).label("oldest"),
        )
        .outerjoin(Offer, waiting)
        .where(PartnerShop.partner_id == partner_id, PartnerShop.active)
        .group_by(PartnerShop.shop_slug, PartnerShop.shop_name)
        .order_by(PartnerShop.shop_slug)
    ).all()  # fmt: skip
    each = [Queue(r.shop_slug, r.shop_name, r.depth, _age(at, r.oldest)) for r in rows]
    whole = Queue(EVERYTHING, "", sum(q.depth for q in each), max((q.oldest_age_s for q in each), default=0))
    return [whole, *each]


def _age(at: datetime, oldest: datetime | None) -> int:
    return int((at - oldest).total_seconds()) if oldest else 0


def tenant_of_queue(queue_id: str) -> int | None:
    """The shop whose queue this is; None for that of all shops. Raises NotFound outside the partner's contracts."""
    if queue_id == EVERYTHING:
        return None
    tenant_id = db.session.scalar(
        select(PartnerShop.tenant_id).where(PartnerShop.shop_slug == queue_id, PartnerShop.active)
    )
    if tenant_id is None:
        raise NotFound
    return tenant_id


_WORK = (
    Assignment.ref, Assignment.tracking_code, Assignment.state, Assignment.status, Rider.code, Assignment.pickup,
    Assignment.drop, Assignment.items, Assignment.currency, Assignment.cod_due_minor, Assignment.payout_minor,
    Assignment.accepted_at, Assignment.pickup_by, Assignment.updated_at, Assignment.ended_at,
)  # fmt: skip


def _work() -> Any:
    same_rider = and_(Rider.partner_id == Assignment.partner_id, Rider.id == Assignment.rider_id)
    return select(*_WORK).outerjoin(Rider, same_rider).where(Assignment.partner_id == scoped_partner_id())


def assignment(ref: str) -> Work:
    """One piece of work of the partner in scope. Raises NotFound."""
    row = db.session.execute(_work().where(Assignment.ref == ref)).first()
    if row is None:
        raise NotFound
    return Work(*row)


def tenant_of_assignment(ref: str) -> int:
    """The shop an assignment of the partner in scope belongs to. Raises NotFound."""
    tenant_id = db.session.scalar(select(Assignment.tenant_id).where(Assignment.ref == ref))
    db.session.rollback()
    if tenant_id is None:
        raise NotFound
    return tenant_id


def assignments(
    limit: int, cursor: str | None = None, status: str | None = None, updated_since: datetime | None = None
) -> tuple[list[Work], str | None]:
    """A page of the partner's work in the order it was accepted, and the cursor of the next page (None at the end).

    Rows that are accepted meanwhile come after the last page, so a reader misses none. Raises BadCursor.
    """
    query = _work()
    if cursor is not None:
        query = query.where(tuple_(Assignment.accepted_at, Assignment.ref) > _read_cursor(cursor))
    if status is not None:
        query = query.where(Assignment.status == ShipmentState(status))
    if updated_since is not None:
        query = query.where(Assignment.updated_at >= updated_since)
    rows = db.session.execute(query.order_by(Assignment.accepted_at, Assignment.ref).limit(limit + 1)).all()
    page = [Work(*row) for row in rows[:limit]]
    return page, _cursor(page[-1]) if len(rows) > limit else None


def _cursor(last: Work) -> str:
    return base64.urlsafe_b64encode(f"{last.accepted_at.isoformat()}|{last.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, ref = text.partition("|")
        at = datetime.fromisoformat(moment)
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    if at.tzinfo is None or not ref.startswith("as_") or "\x00" in ref:
        raise BadCursor
    return at, ref


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer a rider may take, as the page shows it."""

    id: str
    body: dict[str, Any]
    offered_at: datetime


def open_offers(limit: int = 30) -> list[OpenOffer]:
    """Offers of the partner in scope that nobody holds, the most urgent first."""
    at = clock.now()
    rows = db.session.execute(
        select(Offer.ref, Offer.body, Offer.offered_at)
        .where(
            Offer.partner_id == scoped_partner_id(), Offer.state.in_(OPEN_OFFER), Offer.visible_at <= at,
            Offer.offered_until > at, Offer.receive_count < MAX_RECEIVES,
        )
        .order_by(Offer.priority.desc(), Offer.id)
        .limit(limit)
    )  # fmt: skip
    return [OpenOffer(*row) for row in rows]


def work_of_rider(rider_id: int) -> list[Work]:
    """What a rider has to do, and what nobody of the partner was named for; what is on the way comes first."""
    on_the_way = Assignment.status != ShipmentState.ASSIGNED
    rows = db.session.execute(
        _work()
        .where(
            Assignment.state == AssignmentState.ACTIVE,
            or_(Assignment.rider_id == rider_id, Assignment.rider_id.is_(None)),
        )
        .order_by(on_the_way.desc(), Assignment.accepted_at, Assignment.ref)
        .limit(100)
    )
    return [Work(*row) for row in rows]


def rider_work(ref: str, rider_id: int) -> Work:
    """One piece of a rider's own work, or one nobody was named for. Raises NotFound."""
    row = db.session.execute(
        _work().where(Assignment.ref == ref, or_(Assignment.rider_id == rider_id, Assignment.rider_id.is_(None)))
    ).first()
    if row is None:
        raise NotFound
    return Work(*row)


def forget_addresses() -> None:
    """Take names, phones and addresses out of the partner's work that ended a week ago."""
    with transaction():
        db.session.execute(
            update(Assignment)
            .where(
                Assignment.partner_id == scoped_partner_id(),
                Assignment.ended_at < clock.now() - KEPT_AFTER_END,
                Assignment.drop != {},
            )
            .values(drop={})
            .execution_options(synchronize_session=False)
        )
