"""What the shop and its customers read about parcels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from storefront.delivery.models import Shipment, TrackingDetail, TrackingEvent
from storefront.delivery.states import TERMINAL, ShipmentState
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.orders.models import Attention, Order

_STEP = {
    ShipmentState.DRAFT: 1, ShipmentState.READY: 1, ShipmentState.OFFERED: 1, ShipmentState.CANCELLED: 1,
    ShipmentState.ASSIGNED: 2, ShipmentState.PICKED_UP: 3, ShipmentState.IN_TRANSIT: 3,
    ShipmentState.OUT_FOR_DELIVERY: 3, ShipmentState.ATTEMPT_FAILED: 3, ShipmentState.RETURNING: 3,
    ShipmentState.RETURNED: 3, ShipmentState.DELIVERED: 5,
}  # fmt: skip
"""At which of the customer's four steps a parcel is: prepared, with a courier, on its way, there; 5 is past all."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened, as far as a reader of the history may know it."""

    code: str
    at: datetime
    reason: str | None
    note: str
    actor_label: str
    applied: bool
    why_not: str | None
    late: bool


@dataclass(frozen=True, slots=True)
class TrackingView:
    """The customer's view of a parcel. `step` is at which of the four steps it is, counted from 1; 5 once it is there.

    `delivery_code` is None once it is of no more use. `cod_due_minor` is what the courier collects.
    """

    token: str
    order_code: str
    state: ShipmentState
    step: int
    as_of: datetime
    courier: str
    delivery_code: str | None
    cod_due_minor: int
    currency: str
    recipient: str
    locality: str
    history: tuple[HistoryLine, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in TERMINAL


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A parcel as the owner's list shows it."""

    code: str
    order_id: int
    order_code: str
    order_attention: Attention | None
    state: ShipmentState
    since: datetime
    recipient: str
    place: str
    partner_name: str
    courier: str
    own_courier: bool
    unroutable: bool
    attention: str | None
    is_late: bool
    cod_due_minor: int
    currency: str

    @property
    def is_looking(self) -> bool:
        """Whether couriers are asked and none has accepted yet."""
        return self.state in {ShipmentState.READY, ShipmentState.OFFERED} and not (self.own_courier or self.unroutable)

    @property
    def needs_care(self) -> bool:
        """Whether the shop must look at it before anything else happens."""
        waits_in_vain = self.state is ShipmentState.ASSIGNED and self.is_late
        return self.state not in TERMINAL and (self.attention is not None or waits_in_vain)


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """Everything the owner may know about one parcel."""

    row: BoardRow
    token: str
    address: dict[str, Any]
    items: int
    attempts: int
    round: int
    version: int
    cod_collected_minor: int | None
    history: tuple[HistoryLine, ...]


LATE_PICK_UP = timedelta(hours=2)
STALE = timedelta(hours=48)


def is_late(state: ShipmentState, since: datetime) -> bool:
    """Whether a courier has not come within two hours, or a parcel has been silent for two days."""
    waited = clock.now() - since
    if state is ShipmentState.ASSIGNED:
        return waited > LATE_PICK_UP
    return state not in TERMINAL and state is not ShipmentState.DRAFT and waited > STALE


def _history(shipment_id: int, *, for_customer: bool) -> tuple[HistoryLine, ...]:
    """What happened, in the order it happened; a step told by a rider hides the same step when it was only implied."""
    wanted: list[ColumnElement[bool]] = [TrackingEvent.shipment_id == shipment_id]
    if for_customer:
        wanted.append(TrackingEvent.applied.is_(True))
    rows = db.session.execute(
        select(
            TrackingEvent.code, TrackingEvent.occurred_at, TrackingEvent.reason, TrackingDetail.note,
            TrackingEvent.actor_label, TrackingEvent.applied, TrackingEvent.why_not, TrackingEvent.late,
            TrackingEvent.implied,
        )
        .outerjoin(
            TrackingDetail,
            (TrackingDetail.tenant_id == TrackingEvent.tenant_id) & (TrackingDetail.event_id == TrackingEvent.id),
        )
        .where(*wanted)
        .order_by(TrackingEvent.occurred_at, TrackingEvent.implied.desc(), TrackingEvent.id)
    ).all()  # fmt: skip
    told = {row.code for row in rows if not row.implied}
    return tuple(
        HistoryLine(
            row.code, row.occurred_at, row.reason, "" if for_customer else row.note or "", row.actor_label, row.applied,
            row.why_not, row.late,
        )
        for row in rows
        if not (row.implied and row.code in told)
    )  # fmt: skip


_TRACKED = (
    Shipment.id, Shipment.token, Shipment.order_code, Shipment.state, Shipment.state_since, Shipment.courier_name,
    Shipment.delivery_code, Shipment.cod_due_minor, Shipment.currency, Shipment.address,
)  # fmt: skip


def tracking_by_token(token: str) -> TrackingView:
    """The customer's view behind their secret link. Raises NotFound."""
    row = db.session.execute(select(*_TRACKED).where(Shipment.token == token)).first()
    if row is None:
        raise NotFound
    return _tracking(row)


def tracking_of_order(order_id: int) -> TrackingView | None:
    """The same for the parcel of an order, or None when there is none."""
    row = db.session.execute(select(*_TRACKED).where(Shipment.order_id == order_id)).first()
    return _tracking(row) if row else None


def tracking_of_order_code(order_code: str) -> TrackingView | None:
    """The same by the order's code."""
    row = db.session.execute(select(*_TRACKED).where(Shipment.order_code == order_code)).first()
    return _tracking(row) if row else None


def _tracking(row: Any) -> TrackingView:
    useless = row.state in TERMINAL or row.state is ShipmentState.RETURNING
    history = _history(row.id, for_customer=True)
    return TrackingView(
        token=row.token,
        order_code=row.order_code,
        state=row.state,
        step=_STEP[row.state],
        as_of=max([row.state_since, *(line.at for line in history)]),
        courier=row.courier_name,
        delivery_code=None if useless else row.delivery_code,
        cod_due_minor=row.cod_due_minor,
        currency=row.currency,
        recipient=str(row.address.get("recipient", "")),
        locality=str(row.address.get("locality", "")),
        history=history,
    )


_BOARD = (
    Shipment.id, Shipment.code, Shipment.order_id, Shipment.order_code, Shipment.state, Shipment.state_since,
    Shipment.address, Shipment.partner_name, Shipment.courier_name, Shipment.own_courier, Shipment.unroutable,
    Shipment.attention, Shipment.cod_due_minor, Shipment.currency,
    select(Order.attention)
    .where(Order.tenant_id == Shipment.tenant_id, Order.id == Shipment.order_id)
    .correlate(Shipment)
    .scalar_subquery()
    .label("order_attention"),
)  # fmt: skip


def _place(address: Mapping[str, Any]) -> str:
    parts = (address.get("neighbourhood"), address.get("locality"))
    return ", ".join(str(part) for part in parts if part)


def _board_row(row: Any) -> BoardRow:
    return BoardRow(
        code=row.code,
        order_id=row.order_id,
        order_code=row.order_code,
        order_attention=row.order_attention,
        state=row.state,
        since=row.state_since,
        recipient=str(row.address.get("recipient", "")),
        place=_place(row.address),
        partner_name=row.partner_name,
        courier=row.courier_name,
        own_courier=row.own_courier,
        unroutable=row.unroutable,
        attention=row.attention,
        is_late=is_late(row.state, row.state_since),
        cod_due_minor=row.cod_due_minor,
        currency=row.currency,
    )


def board(limit: int = 200) -> list[BoardRow]:
    """Everything still on its way, what needs care first, and what ended since yesterday."""
    since = clock.now() - timedelta(hours=24)
    rows = db.session.execute(
        select(*_BOARD)
        .where(or_(Shipment.state.not_in(TERMINAL), Shipment.state_since > since))
        .order_by(
            Shipment.attention.is_(None), Shipment.state.in_(TERMINAL), Shipment.state == ShipmentState.DRAFT,
            Shipment.state_since,
        )
        .limit(limit)
    )  # fmt: skip
    return [_board_row(row) for row in rows]


def needs_care(and_of_orders: Iterable[int] = ()) -> list[BoardRow]:
    """Parcels the shop must look at: nobody takes them, a code is locked, an attempt failed, one is coming back.

    Those of the named orders come along, whatever their state: each row says whether it `needs_care`.
    """
    late = (Shipment.state == ShipmentState.ASSIGNED) & (Shipment.state_since < clock.now() - LATE_PICK_UP)
    cares, named = or_(Shipment.attention.is_not(None), late) & Shipment.state.not_in(TERMINAL), sorted(and_of_orders)
    rows = db.session.execute(
        select(*_BOARD)
        .where(or_(cares, Shipment.order_id.in_(named)))
        .order_by(cares.desc(), Shipment.state_since)
        .limit(50 + len(named))
    )
    return [_board_row(row) for row in rows]


def parcels_of(order_ids: Iterable[int]) -> dict[int, BoardRow]:
    """The parcels of these orders by the order's id; an order without one is absent."""
    rows = db.session.execute(select(*_BOARD).where(Shipment.order_id.in_(sorted(order_ids))))
    return {row.order_id: _board_row(row) for row in rows}


def shipment_by_code(code: str) -> ShipmentView:
    """One parcel for its owner. Raises NotFound."""
    row = db.session.execute(
        select(
            *_BOARD, Shipment.token, Shipment.items, Shipment.attempts, Shipment.round, Shipment.version,
            Shipment.cod_collected_minor,
        ).where(Shipment.code == code)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound
    return ShipmentView(
        row=_board_row(row),
        token=row.token,
        address=dict(row.address),
        items=row.items,
        attempts=row.attempts,
        round=row.round,
        version=row.version,
        cod_collected_minor=row.cod_collected_minor,
        history=_history(row.id, for_customer=False),
    )


def code_of_order(order_id: int) -> str | None:
    """The parcel's code by its order, for a link from the order's page; None when it has no parcel."""
    return db.session.scalar(select(Shipment.code).where(Shipment.order_id == order_id))


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter to the customer about a parcel needs."""

    to: str | None
    locale: str
    contact_name: str
    order_code: str
    token: str
    state: ShipmentState
    courier: str
    delivery_code: str
    cod_due_minor: int
    currency: str


def letter_about(shipment_id: int) -> Letter | None:
    """Whom to write about a parcel and what; None when it is gone."""
    row = db.session.execute(
        select(
            Order.contact_email, Order.locale, Order.contact_name, Shipment.order_code, Shipment.token, Shipment.state,
            Shipment.courier_name, Shipment.delivery_code, Shipment.cod_due_minor, Shipment.currency,
        )
        .join(Order, (Order.tenant_id == Shipment.tenant_id) & (Order.id == Shipment.order_id))
        .where(Shipment.id == shipment_id)
    ).first()  # fmt: skip
    return Letter(*tuple(row)) if row else None
