"""Looking at orders: columns into frozen records, for the customer's page, the dashboard, the jobs and the auditor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from storefront.catalogue.models import ProductKind
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.ids import normal_code
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.orders.invariants import invariants
from storefront.orders.models import Order, OrderEvent, OrderLine
from storefront.orders.states import (
    GRACE,
    ON_THE_SHELF,
    PAID_IN_ADVANCE,
    SETTLED,
    WAITING,
    Attention,
    Axis,
    Channel,
    FulfilmentMethod,
    FulfilmentState,
    OrderState,
    PaymentState,
    deposit_is_in,
    due_now,
    owes_rest,
)

__all__ = [
    "FILTERS",
    "LineOfOrder",
    "NoSuchOrder",
    "OrderRow",
    "OrderView",
    "Step",
    "due_to_expire",
    "history_of",
    "invariants",
    "order_by_code",
    "order_by_id",
    "order_by_token",
    "order_list",
    "orders_by_ids",
    "orders_of_customer",
    "todo_counts",
]
from storefront.pricing.basket import taxes_by_rate
from storefront.promotions.audiences import NOTHING_YET, History
from storefront.promotions.queries import names_of
from storefront.reservations.models import Booking

PAGE_SIZE = 25
FILTERS = ("to_confirm", "to_prepare", "to_hand_over", "to_collect", "with_proof", "attention", "owing", "all")


class NoSuchOrder(NotFound):
    """There is no such order in this shop."""


@dataclass(frozen=True, slots=True)
class LineOfOrder:
    """One agreed line; `amount` is as listed, before any discount. `refunded_quantity` units of it are off again.

    `parts` is what is in one, if it is a bundle: how many, and of what.
    """

    kind: ProductKind
    product_id: int | None
    variant_id: int | None
    product_name: str
    variant_name: str
    sku: str
    quantity: int
    refunded_quantity: int
    unit: Money
    amount: Money
    tax_rate_bp: int
    tax_minor: int
    booking_id: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    parts: tuple[tuple[int, str], ...] = ()

    @property
    def contents(self) -> str:
        """What is in one, as one says it; empty for what is no bundle."""
        return ", ".join(f"{units} × {name}" for units, name in self.parts)

    @property
    def name(self) -> str:
        """The product with its variant, as one says it."""
        return f"{self.product_name} · {self.variant_name}" if self.variant_name else self.product_name


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an order's history."""

    axis: Axis
    before: str
    after: str
    actor_kind: str
    actor_label: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as pages, mails and other domains read it. `discounts` are names with what each takes off."""

    id: int
    code: str
    token: str
    state: OrderState
    payment_state: PaymentState
    fulfilment_state: FulfilmentState
    version: int
    customer_id: int | None
    contact_name: str
    contact_phone: str | None
    contact_email: str | None
    locale: str
    fulfilment_method: FulfilmentMethod
    channel: Channel
    address: dict[str, Any] | None
    currency: str
    subtotal_minor: int
    shipping_minor: int
    shipping_name: str
    packaging_minor: int
    discount_minor: int
    net_minor: int
    tax_minor: int
    tax_inside: bool
    fees_rate_bp: int
    tip_minor: int
    total_minor: int
    payment_method: str
    note: str
    placed_at: datetime
    expires_at: datetime | None
    confirmed_at: datetime | None
    cancelled_reason: str | None
    attention: Attention | None
    lines: tuple[LineOfOrder, ...]
    history: tuple[Step, ...]
    discounts: tuple[tuple[str, Money], ...] = ()
    received_minor: int = 0
    disputed_minor: int = 0
    awaits_delivery_price: bool = False
    deposit_minor: int = 0
    rest_due_at: datetime | None = None
    rest_in_advance: bool = False
    deposit_refundable: bool = True
    deposit_back_until: datetime | None = None
    kept_minor: int = 0

    @property
    def total(self) -> Money:
        """What is paid, delivery and tax included."""
        return Money(self.total_minor, self.currency)

    @property
    def received(self) -> Money:
        """The money that came and counts towards it."""
        return Money(self.received_minor, self.currency)

    @property
    def due(self) -> Money:
        """What is still to be paid: the total less the money that came and counts towards it."""
        return Money(max(0, self.total_minor - self.received_minor), self.currency)

    @property
    def due_now(self) -> Money:
        """What of that is to be paid now: until the order counts, what is missing of its deposit."""
        return Money(due_now(self), self.currency)

    @property
    def due_later(self) -> Money:
        """What is not due yet, of an order that waits for its deposit."""
        return Money(self.due.minor - self.due_now.minor, self.currency)

    @property
    def deposit(self) -> Money:
        """What confirms it, where that is not all of it."""
        return Money(self.deposit_minor, self.currency)

    @property
    def owes_rest(self) -> bool:
        """Whether it counts since its deposit came, and the rest is open."""
        return owes_rest(self)

    @property
    def rest_is_late(self) -> bool:
        """Whether the rest should have come by now."""
        return self.rest_in_advance and self.rest_due_at is not None and self.rest_due_at < clock.now()

    @property
    def subtotal(self) -> Money:
        """All lines as listed, without delivery."""
        return Money(self.subtotal_minor, self.currency)

    @property
    def shipping(self) -> Money:
        """The delivery as listed."""
        return Money(self.shipping_minor, self.currency)

    @property
    def packaging(self) -> Money:
        """What its packaging costs."""
        return Money(self.packaging_minor, self.currency)

    @property
    def tip(self) -> Money:
        """What is given on top; no part of the sale."""
        return Money(self.tip_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax inside the total."""
        return Money(self.tax_minor, self.currency)

    @property
    def taxes(self) -> list[tuple[int, int]]:
        """The tax of each rate that has any: (rate, minor units), the highest rate first."""
        lines = [(line.tax_rate_bp, line.tax_minor) for line in self.lines]
        fees = self.tax_minor - sum(line.tax_minor for line in self.lines)
        return taxes_by_rate([*lines, (self.fees_rate_bp, fees)])

    @property
    def needs_attention(self) -> bool:
        """Whether a person of the shop must look at it."""
        return self.attention is not None

    @property
    def is_waiting(self) -> bool:
        """Whether it is held for a limited time and does not count yet."""
        return self.state in WAITING

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen with it by itself any more."""
        return self.state in {OrderState.COMPLETED, OrderState.CANCELLED, OrderState.EXPIRED}

    @property
    def has_goods(self) -> bool:
        """Whether something has to be handed over."""
        return any(line.kind is ProductKind.GOODS for line in self.lines)

    @property
    def starts_at(self) -> datetime | None:
        """The first time reserved in it."""
        return min((line.starts_at for line in self.lines if line.starts_at is not None), default=None)

    @property
    def has_bookings(self) -> bool:
        """Whether a time or a stay is in it."""
        return any(line.booking_id is not None for line in self.lines)

    @property
    def is_charge(self) -> bool:
        """Whether the shop asked for an amount, without any product."""
        return self.channel is Channel.LINK

    @property
    def customer_may_cancel(self) -> bool:
        """Whether the customer may still cancel by themselves."""
        is_kept = self.payment_state in SETTLED | {PaymentState.PROOF_REVIEW} or deposit_is_in(self)
        return self.is_waiting and not is_kept

    @property
    def shop_may_cancel(self) -> bool:
        """Whether the shop may still cancel: the goods are in the shop and the order has not ended."""
        return not self.is_over and self.fulfilment_state in ON_THE_SHELF

    @property
    def may_go_in_parts(self) -> bool:
        """Whether some of its goods may be handed over now and some later."""
        some_here = self.fulfilment_state in ON_THE_SHELF | {FulfilmentState.PARTLY}
        pieces = sum(line.quantity for line in self.lines if line.kind is ProductKind.GOODS)
        picked_up = self.fulfilment_method is FulfilmentMethod.PICKUP
        return self.state is OrderState.CONFIRMED and picked_up and some_here and pieces > 1

    @property
    def shop_may_change(self) -> bool:
        """Whether its lines may still change: it is neither packed nor over, and has goods."""
        in_shop = self.fulfilment_state in {FulfilmentState.NONE, FulfilmentState.PREPARING}
        return in_shop and not self.is_over and self.has_goods and self.total_minor > 0

    @property
    def is_to_be_paid(self) -> bool:
        """Whether money is still to come."""
        is_off = self.state in {OrderState.CANCELLED, OrderState.EXPIRED}
        return self.total_minor > 0 and self.payment_state not in SETTLED and not is_off


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list. `pieces` counts units over all lines; `starts_at` is the first time reserved in it."""

    id: int
    code: str
    token: str
    state: OrderState
    payment_state: PaymentState
    fulfilment_state: FulfilmentState
    fulfilment_method: FulfilmentMethod
    payment_method: str
    contact_name: str
    contact_phone: str | None
    total: Money
    placed_at: datetime
    expires_at: datetime | None
    attention: Attention | None
    pieces: int
    first_line: str
    starts_at: datetime | None
    due: Money
    channel: Channel
    currency: str
    total_minor: int
    received_minor: int
    deposit_minor: int
    rest_due_at: datetime | None
    rest_in_advance: bool
    awaits_delivery_price: bool = False

    @property
    def is_charge(self) -> bool:
        """Whether an amount is asked for by a link, without any product."""
        return self.channel is Channel.LINK

    @property
    def rest_is_late(self) -> bool:
        """Whether the rest should have come by now."""
        return self.rest_in_advance and self.rest_due_at is not None and self.rest_due_at < clock.now()

    @property
    def due_now(self) -> Money:
        """What of what is due is to be paid now."""
        return Money(due_now(self), self.currency)

    @property
    def owes_rest(self) -> bool:
        """Whether it counts since its deposit came, and the rest is open."""
        return owes_rest(self)


_COLUMNS = (
    Order.id,
    Order.code,
    Order.token,
    Order.state,
    Order.payment_state,
    Order.fulfilment_state,
    Order.version,
    Order.customer_id,
    Order.contact_name,
    Order.contact_phone,
    Order.contact_email,
    Order.locale,
    Order.fulfilment_method,
    Order.channel,
    Order.address,
    Order.currency,
    Order.subtotal_minor,
    Order.shipping_minor,
    Order.shipping_name,
    Order.packaging_minor,
    Order.discount_minor,
    Order.net_minor,
    Order.tax_minor,
    Order.tax_inside,
    Order.fees_rate_bp,
    Order.tip_minor,
    Order.total_minor,
    Order.payment_method,
    Order.note,
    Order.placed_at,
    Order.expires_at,
    Order.confirmed_at,
    Order.cancelled_reason,
    Order.attention,
    Order.received_minor,
    Order.disputed_minor,
    Order.deposit_minor,
    Order.rest_due_at,
    Order.rest_in_advance,
    Order.deposit_refundable,
    Order.deposit_back_until,
    Order.kept_minor,
    Order.awaits_delivery_price,
)

_BOOKED = (Booking.tenant_id == OrderLine.tenant_id) & (Booking.id == OrderLine.booking_id)
_STARTS_AT = func.coalesce(func.lower(Booking.during), OrderLine.starts_at)
"""A reservation may have been moved since it was ordered: its own time counts."""


# --- one order ----------------------------------------------------------------------------------------------------


def order_by_token(token: str) -> OrderView:
    """The order behind a secret link, with lines and history. Raises NoSuchOrder."""
    return _order(Order.token == token)


def codes_of(order_ids: Iterable[int]) -> dict[int, str]:
    """The codes people know these orders by."""
    wanted = set(order_ids)
    if not wanted:
        return {}
    return {row.id: row.code for row in db.session.execute(select(Order.id, Order.code).where(Order.id.in_(wanted)))}


def order_by_code(code: str) -> OrderView:
    """The order with this code, however it was typed. Raises NoSuchOrder."""
    return _order(Order.code == normal_code(code))


def order_by_id(order_id: int) -> OrderView:
    """The order with this id, for jobs and other domains. Raises NoSuchOrder."""
    return _order(Order.id == order_id)


def _order(which: ColumnElement[bool]) -> OrderView:
    row = db.session.execute(select(*_COLUMNS).where(which)).first()
    if row is None:
        raise NoSuchOrder
    facts: dict[str, Any] = dict(row._mapping)
    came_off = names_of(row.id) if row.discount_minor else []
    return OrderView(
        **facts,
        lines=_lines(row.id, row.currency),
        history=_history(row.id),
        discounts=tuple((name, Money(-minor, row.currency)) for name, minor in came_off),
    )


def _lines(order_id: int, currency: str) -> tuple[LineOfOrder, ...]:
    rows = db.session.execute(
        select(
            OrderLine.kind,
            OrderLine.product_id,
            OrderLine.variant_id,
            OrderLine.product_name,
            OrderLine.variant_name,
            OrderLine.sku,
            OrderLine.quantity,
            OrderLine.refunded_quantity,
            OrderLine.unit_minor,
            (OrderLine.quantity * OrderLine.unit_minor).label("listed_minor"),
            OrderLine.tax_rate_bp,
            OrderLine.tax_minor,
            OrderLine.booking_id,
            OrderLine.parts,
            _STARTS_AT.label("starts_at"),
            func.coalesce(func.upper(Booking.during), OrderLine.ends_at).label("ends_at"),
        )
        .outerjoin(Booking, _BOOKED)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    )
    return tuple(
        LineOfOrder(
            kind=row.kind,
            product_id=row.product_id,
            variant_id=row.variant_id,
            product_name=row.product_name,
            variant_name=row.variant_name,
            sku=row.sku,
            quantity=row.quantity,
            refunded_quantity=row.refunded_quantity,
            unit=Money(row.unit_minor, currency),
            amount=Money(row.listed_minor, currency),
            tax_rate_bp=row.tax_rate_bp,
            tax_minor=row.tax_minor,
            booking_id=row.booking_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            parts=tuple((part["units"], part["name"]) for part in row.parts or ()),
        )
        for row in rows
    )


def _history(order_id: int) -> tuple[Step, ...]:
    rows = db.session.execute(
        select(
            OrderEvent.axis,
            OrderEvent.before,
            OrderEvent.after,
            OrderEvent.actor_kind,
            OrderEvent.actor_label,
            OrderEvent.reason,
            OrderEvent.at,
        )
        .where(OrderEvent.order_id == order_id)
        .order_by(OrderEvent.id)
    )
    return tuple(Step(*row) for row in rows)


# --- lists --------------------------------------------------------------------------------------------------------


def _conditions() -> dict[str, ColumnElement[bool]]:
    """What each chip of the dashboard means; together they are what there is to do."""
    on_its_way = {FulfilmentState.READY, FulfilmentState.PARTLY, FulfilmentState.SHIPPED}
    bookings_only = (Order.fulfilment_method == FulfilmentMethod.NONE) & (
        Order.fulfilment_state == FulfilmentState.NONE
    )
    return {
        "to_confirm": Order.state == OrderState.REQUESTED,
        "to_prepare": (Order.state == OrderState.CONFIRMED) & (Order.fulfilment_state == FulfilmentState.PREPARING),
        "to_hand_over": (Order.state == OrderState.CONFIRMED)
        & (Order.fulfilment_state.in_(on_its_way) | bookings_only),
        "to_collect": (Order.state == OrderState.CONFIRMED)
        & (Order.fulfilment_state == FulfilmentState.DELIVERED)
        & (Order.payment_method.not_in(PAID_IN_ADVANCE) | (Order.deposit_minor > 0))
        & Order.payment_state.not_in(SETTLED),
        "owing": (Order.state == OrderState.CONFIRMED)
        & (Order.deposit_minor > 0)
        & (Order.received_minor < Order.total_minor)
        & Order.payment_state.not_in(SETTLED),
        "with_proof": Order.payment_state == PaymentState.PROOF_REVIEW,
        "attention": Order.attention.is_not(None),
    }


def todo_counts() -> dict[str, int]:
    """How many orders wait for each thing the shop has to do, by the names in FILTERS. One statement."""
    conditions = _conditions()
    counts = [func.count().filter(condition).label(name) for name, condition in conditions.items()]
    open_orders = Order.state.in_({*WAITING, OrderState.CONFIRMED}) | conditions["attention"] | conditions["with_proof"]
    row = db.session.execute(select(*counts).select_from(Order).where(open_orders)).one()
    return {name: int(getattr(row, name)) for name in conditions}


def order_list(chosen: str, page: int, search: str = "") -> Page[OrderRow]:
    """One page of orders, newest first; those to be done oldest first. Unknown filters show all.

    `search` finds a code, a part of a name or of a telephone number.
    """
    condition = _conditions().get(chosen)
    wanted = [condition] if condition is not None else []
    if search:
        wanted.append(_matching(search))
    order = (Order.placed_at, Order.id) if condition is not None else (Order.placed_at.desc(), Order.id.desc())
    rows = db.session.execute(
        _listed().where(*wanted).order_by(*order).limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)
    ).all()
    return Page.of([_row(row) for row in rows], page, PAGE_SIZE)


def orders_of_customer(customer_id: int | None, limit: int = 50) -> list[OrderRow]:
    """A customer's orders here, newest first. Guests' orders have no customer, and nobody is not their owner."""
    if customer_id is None:
        return []
    rows = db.session.execute(
        _listed().where(Order.customer_id == customer_id).order_by(Order.placed_at.desc(), Order.id.desc()).limit(limit)
    )
    return [_row(row) for row in rows]


def _listed() -> Any:
    mine = (OrderLine.tenant_id == Order.tenant_id) & (OrderLine.order_id == Order.id)
    pieces = select(func.sum(OrderLine.quantity)).where(mine).correlate(Order).scalar_subquery()
    first = (
        select(OrderLine.product_name)
        .where(mine)
        .order_by(OrderLine.position)
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
    )
    starts = (
        select(func.min(_STARTS_AT))
        .select_from(OrderLine)
        .outerjoin(Booking, _BOOKED)
        .where(mine)
        .correlate(Order)
        .scalar_subquery()
    )
    return select(
        Order.id,
        Order.code,
        Order.token,
        Order.state,
        Order.payment_state,
        Order.fulfilment_state,
        Order.fulfilment_method,
        Order.payment_method,
        Order.contact_name,
        Order.contact_phone,
        Order.total_minor,
        Order.received_minor,
        Order.deposit_minor,
        Order.rest_due_at,
        Order.rest_in_advance,
        Order.awaits_delivery_price,
        Order.currency,
        Order.placed_at,
        Order.expires_at,
        Order.attention,
        Order.channel,
        pieces.label("pieces"),
        first.label("first_line"),
        starts.label("starts_at"),
    )


def _row(row: Any) -> OrderRow:
    return OrderRow(
        id=row.id,
        code=row.code,
        token=row.token,
        state=row.state,
        payment_state=row.payment_state,
        fulfilment_state=row.fulfilment_state,
        fulfilment_method=row.fulfilment_method,
        payment_method=row.payment_method,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        total=Money(row.total_minor, row.currency),
        placed_at=row.placed_at,
        expires_at=row.expires_at,
        attention=row.attention,
        pieces=int(row.pieces or 0),
        first_line=row.first_line or "",
        starts_at=row.starts_at,
        due=Money(max(0, row.total_minor - row.received_minor), row.currency),
        channel=row.channel,
        currency=row.currency,
        total_minor=row.total_minor,
        received_minor=row.received_minor,
        deposit_minor=row.deposit_minor,
        rest_due_at=row.rest_due_at,
        rest_in_advance=row.rest_in_advance,
        awaits_delivery_price=row.awaits_delivery_price,
    )


def _matching(search: str) -> ColumnElement[bool]:
    typed = search.strip()[:60]
    escaped = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: list[ColumnElement[bool]] = [Order.contact_name.ilike(f"%{escaped}%", escape="\\")]
    code = normal_code(typed)
    if code:
        found.append(Order.code == code)
    digits = "".join(c for c in typed if c.isdigit())
    if len(digits) >= 4:  # fewer digits are in everybody's number
        found.append(Order.contact_phone.like(f"%{digits}%"))
    return or_(*found)


def orders_by_ids(order_ids: Iterable[int]) -> dict[int, OrderRow]:
    """Rows of these orders by id, for lists of other domains (parcels, proofs, bookings). One statement."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    return {row.id: _row(row) for row in db.session.execute(_listed().where(Order.id.in_(wanted)))}


def history_of(customer_id: int | None, phone: str | None, email: str | None) -> History:
    """What a person ordered here: by their account, their telephone or their mail address. One statement.

    An order counts as bought once it is confirmed, unless all of its money went back; a gift card, when it is spent.
    """
    theirs: list[ColumnElement[bool]] = []
    if customer_id is not None:
        theirs.append(Order.customer_id == customer_id)
    if phone:
        theirs.append(Order.contact_phone == phone)
    if email:
        theirs.append(func.lower(Order.contact_email) == email.lower())
    if not theirs:
        return NOTHING_YET
    fallen = {OrderState.DRAFT, OrderState.CANCELLED, OrderState.EXPIRED}
    bought = and_(
        Order.state.in_({OrderState.CONFIRMED, OrderState.COMPLETED}),
        Order.payment_state != PaymentState.REFUNDED,
        Order.channel != Channel.GIFT,
    )
    count, last_at, counted, minor = db.session.execute(
        select(
            func.count(),
            func.max(Order.placed_at),
            func.count().filter(bought),
            func.coalesce(func.sum(Order.total_minor).filter(bought), 0),
        ).where(or_(*theirs), Order.state.not_in(fallen))
    ).one()
    return History(count, last_at, counted, int(minor))


def due_to_expire(limit: int = 200) -> list[int]:
    """Orders whose time, and the grace after it, is over; the oldest first."""
    return list(
        db.session.scalars(
            select(Order.id)
            .where(Order.state.in_(WAITING), Order.expires_at <= clock.now() - GRACE)
            .order_by(Order.expires_at)
            .limit(limit)
        )
    )
