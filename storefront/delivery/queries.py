"""What the shop and its customers read about parcels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from storefront.delivery.models import Shipment, TrackingDetail, TrackingEvent
from storefront.delivery.parcels import contents_of
from storefront.delivery.states import TERMINAL, ShipmentState
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.orders.models import Attention, Order
from storefront.orders.parting import lines_to_hand

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
    number: int = 1
    of: int = 1
    lines: tuple[tuple[int, str, int], ...] = ()

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
    number: int = 1
    of: int = 1
    taken_back: bool = False

    @property
    def is_one_of_several(self) -> bool:
        """Whether its order goes in several parcels."""
        return self.of > 1 or self.number > 1

    @property
    def may_change(self) -> bool:
        """Whether what is in it may still change: the shop has it, and no courier has taken it."""
        return self.state in {ShipmentState.DRAFT, ShipmentState.READY, ShipmentState.OFFERED}

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
    lines: tuple[tuple[int, str, int], ...] = ()


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
    Shipment.id, Shipment.order_id, Shipment.number, Shipment.token,
    Shipment.order_code, Shipment.state, Shipment.state_since, Shipment.courier_name,
    Shipment.delivery_code, Shipment.cod_due_minor, Shipment.currency, Shipment.address, Shipment.code,
)  # fmt: skip


def tracking_by_token(token: str) -> TrackingView:
    """The customer's view behind their secret link. Raises NotFound."""
    row = db.session.execute(select(*_TRACKED).where(Shipment.token == token)).first()
    if row is None:
        raise NotFound
    return _tracking(row)


def trackings_of_order(order_id: int) -> list[TrackingView]:
    """The same for the parcels of an order that carry something; of a cancelled order, for the first."""
    query = select(*_TRACKED).where(Shipment.order_id == order_id).order_by(Shipment.number)
    rows = db.session.execute(query).all()
    carrying = {one.row.code for one in parcels_with_contents(order_id)}
    return [_tracking(row) for row in rows if row.code in carrying] or [_tracking(row) for row in rows[:1]]


def _tracking(row: Any) -> TrackingView:
    parcels = parcels_with_contents(row.order_id)
    mine = next((one for one in parcels if one.row.code == row.code), None)
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
        number=1 + parcels.index(mine) if mine else row.number,
        of=len(parcels),
        lines=mine.lines if mine else (),
    )


_beside = aliased(Shipment)

_BOARD = (
    Shipment.id, Shipment.number, Shipment.taken_back,
    Shipment.code, Shipment.order_id, Shipment.order_code, Shipment.state, Shipment.state_since,
    Shipment.address, Shipment.partner_name, Shipment.courier_name, Shipment.own_courier, Shipment.unroutable,
    Shipment.attention, Shipment.cod_due_minor, Shipment.currency,
    select(Order.attention)
    .where(Order.tenant_id == Shipment.tenant_id, Order.id == Shipment.order_id)
    .correlate(Shipment)
    .scalar_subquery()
    .label("order_attention"),
    select(func.count())
    .where(
        _beside.tenant_id == Shipment.tenant_id, _beside.order_id == Shipment.order_id,
        _beside.state != ShipmentState.CANCELLED, ~_beside.taken_back,
    )
    .correlate(Shipment)
    .scalar_subquery()
    .label("of"),
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
        number=row.number,
        of=row.of,
        taken_back=row.taken_back,
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
    """The parcel of each of these orders that something is to be done about; an order without one is absent."""
    rows = db.session.execute(select(*_BOARD).where(Shipment.order_id.in_(sorted(order_ids))))
    return next_of(_board_row(row) for row in rows)


def next_of(rows: Iterable[BoardRow]) -> dict[int, BoardRow]:
    """Of the parcels of each order the next one: what is packed, then what is still here, then what is on its way."""
    found: dict[int, BoardRow] = {}
    for row in sorted(rows, key=_how_pressing, reverse=True):
        found[row.order_id] = row
    return found


def _how_pressing(row: BoardRow) -> tuple[bool, bool, bool, bool, int]:
    """Low is next."""
    draft = row.state is ShipmentState.DRAFT
    here = draft or row.state in {ShipmentState.READY, ShipmentState.OFFERED, ShipmentState.ASSIGNED}
    return row.state is ShipmentState.CANCELLED, row.state in TERMINAL, not here, draft, row.number


@dataclass(frozen=True, slots=True)
class ParcelOfOrder:
    """One of an order's parcels, and what is in it: a line's id, its name, and how many."""

    row: BoardRow
    lines: tuple[tuple[int, str, int], ...]

    @property
    def pieces(self) -> int:
        """How many pieces are in it."""
        return sum(many for _line, _name, many in self.lines)


def parcels_with_contents(order_id: int) -> list[ParcelOfOrder]:
    """An order's parcels that carry something, by their numbers, with what is in each."""
    rows = db.session.execute(select(*_BOARD).where(Shipment.order_id == order_id).order_by(Shipment.number)).all()
    inside = contents_of(db.session.scalars(select(Shipment).where(Shipment.order_id == order_id)).all())
    names = {line.id: line.name for line in lines_to_hand(order_id)}
    return [
        ParcelOfOrder(
            _board_row(row), tuple((line, names[line], many) for line, many in inside[row.id].items() if many)
        )
        for row in rows
        if row.id in inside
    ]


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
        lines=next((one.lines for one in parcels_with_contents(row.order_id) if one.row.code == row.code), ()),
    )


def code_of_order(order_id: int) -> str | None:
    """The next parcel's code by its order, for a link from the order's page; None when it has no parcel."""
    found = parcels_of([order_id]).get(order_id)
    return found.code if found else None


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
    lines: tuple[tuple[int, str, int], ...] = ()


def letter_about(shipment_id: int) -> Letter | None:
    """Whom to write about a parcel and what; None when it is gone. `lines` say what is in it, of several."""
    row = db.session.execute(
        select(
            Order.contact_email, Order.locale, Order.contact_name, Shipment.order_code, Shipment.token, Shipment.state,
            Shipment.courier_name, Shipment.delivery_code, Shipment.cod_due_minor, Shipment.currency,
            Shipment.order_id, Shipment.code,
        )
        .join(Order, (Order.tenant_id == Shipment.tenant_id) & (Order.id == Shipment.order_id))
        .where(Shipment.id == shipment_id)
    ).first()  # fmt: skip
    if row is None:
        return None
    parcels = parcels_with_contents(row.order_id)
    lines = next((one.lines for one in parcels if one.row.code == row.code), ()) if len(parcels) > 1 else ()
    return replace(Letter(*tuple(row)[:10]), lines=lines)
