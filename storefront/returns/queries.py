"""Reading returns: what may come back, what is under way, and what waits for the shop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from storefront.catalogue.models import Variant
from storefront.catalogue.queries import variant_names
from storefront.giftcards.models import GiftCard
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.orders.models import Order, OrderLine
from storefront.orders.queries import NoSuchOrder
from storefront.returns.models import (
    UNDER_WAY,
    OrderReturn,
    OrderReturnEvent,
    OrderReturnGood,
    OrderReturnLine,
    ReturnState,
    Settlement,
    Wish,
)

PAGE = 25

REASONS = {
    "size": _l("La talla o la medida no me queda"),
    "damaged": _l("Llegó mal o se descompuso"),
    "different": _l("No es como se veía"),
    "wrong": _l("No es lo que pedí"),
    "changed_mind": _l("Cambié de opinión"),
    "other": _l("Otra razón"),
}
"""Why a customer brings something back, in their own words."""

TO_DO = {
    "to_decide": (ReturnState.REQUESTED,),
    "to_receive": (ReturnState.APPROVED, ReturnState.IN_TRANSIT),
    "to_settle": (ReturnState.RECEIVED,),
}
"""What waits for the shop, and in which states."""


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """A line of a return: so many units were to come, so many came, so many of those can be sold."""

    line_id: int
    position: int
    name: str
    quantity: int
    received: int
    fine: int
    refunded_before: int
    restocked_before: int

    @property
    def damaged(self) -> int:
        """Units that came and cannot be sold."""
        return self.received - self.fine

    @property
    def missing(self) -> int:
        """Units that did not come."""
        return self.quantity - self.received


@dataclass(frozen=True, slots=True)
class WantedGood:
    """So many units of a variant that are wanted for what comes back."""

    variant_id: int
    variant_code: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ReturnStep:
    """One step of a return."""

    after: ReturnState
    actor_label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A return as pages and letters show it."""

    id: int
    code: str
    order_id: int
    order_code: str
    order_token: str
    contact_name: str
    contact_phone: str | None
    state: ReturnState
    wish: Wish
    reason: str
    words: str
    answer: str
    image_key: str | None
    settlement: Settlement | None
    value: Money
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    exchange_code: str | None
    exchange_token: str | None
    card_code: str | None
    exchange_cost_minor: int | None
    lines: tuple[ReturnedLine, ...] = ()
    goods: tuple[WantedGood, ...] = ()
    history: tuple[ReturnStep, ...] = ()

    @property
    def is_under_way(self) -> bool:
        """Whether it has no end yet."""
        return self.state in UNDER_WAY

    @property
    def why(self) -> object:
        """The reason in words."""
        return REASONS.get(self.reason, "")

    @property
    def paid_other(self) -> Money:
        """What of its value paid for what was taken instead."""
        return Money(min(self.value.minor, self.exchange_cost_minor or 0), self.value.currency)

    @property
    def left_over(self) -> Money:
        """What of its value was given in another way."""
        return Money(self.value.minor - self.paid_other.minor, self.value.currency)

    @property
    def pieces(self) -> int:
        """Units that were to come back."""
        return sum(line.quantity for line in self.lines)


# --- one return ---------------------------------------------------------------------------------------------------


def returns_of(order_id: int) -> list[ReturnView]:
    """Every return of an order, the latest first."""
    return _views(_rows().where(OrderReturn.order_id == order_id).order_by(OrderReturn.id.desc()))


def return_behind(order_id: int) -> ReturnView | None:
    """The return that an order was placed for, if it is an exchange."""
    found = _views(_rows().where(OrderReturn.exchange_order_id == order_id))
    return found[0] if found else None


def return_by_id(return_id: int) -> ReturnView:
    """One return. Raises NotFound."""
    return _one(OrderReturn.id == return_id)


def return_by_code(code: str) -> ReturnView:
    """The return with this code. Raises NotFound."""
    return _one(OrderReturn.code == code)


def return_of_order(order_id: int, code: str) -> ReturnView:
    """The return of this order with this code. Raises NoSuchOrder, as for an order that is not there."""
    found = _views(_rows().where(OrderReturn.order_id == order_id, OrderReturn.code == code))
    if not found:
        raise NoSuchOrder
    return found[0]


def _one(which: ColumnElement[bool]) -> ReturnView:
    found = _views(_rows().where(which))
    if not found:
        raise NotFound
    return found[0]


def _rows() -> Any:
    exchange = aliased(Order)
    return select(
        OrderReturn.id, OrderReturn.code, OrderReturn.order_id, Order.code.label("order_code"),
        Order.token.label("order_token"), Order.contact_name, Order.contact_phone, OrderReturn.state,
        OrderReturn.wish, OrderReturn.reason, OrderReturn.words, OrderReturn.answer, OrderReturn.image_key,
        OrderReturn.settlement, OrderReturn.value_minor, OrderReturn.currency, OrderReturn.created_at,
        OrderReturn.expires_at, OrderReturn.ended_at, exchange.code.label("exchange_code"),
        exchange.token.label("exchange_token"), exchange.total_minor.label("exchange_cost_minor"),
        GiftCard.code.label("card_code"),
    ).join(
        Order, (Order.tenant_id == OrderReturn.tenant_id) & (Order.id == OrderReturn.order_id)
    ).outerjoin(
        exchange, (exchange.tenant_id == OrderReturn.tenant_id) & (exchange.id == OrderReturn.exchange_order_id)
    ).outerjoin(
        GiftCard, (GiftCard.tenant_id == OrderReturn.tenant_id) & (GiftCard.id == OrderReturn.gift_card_id)
    )  # fmt: skip


def _views(query: Any) -> list[ReturnView]:
    rows = db.session.execute(query).all()
    ids = [row.id for row in rows]
    lines, steps, goods = lines_of(ids), _steps(ids), _goods(ids)
    found = []
    for row in rows:
        facts = dict(row._mapping)
        value = Money(facts.pop("value_minor"), facts.pop("currency"))
        found.append(
            ReturnView(
                value=value, lines=lines.get(row.id, ()), history=steps.get(row.id, ()), goods=goods.get(row.id, ()),
                **facts,
            )
        )  # fmt: skip
    return found


def lines_of(return_ids: Iterable[int]) -> dict[int, tuple[ReturnedLine, ...]]:
    """The lines of these returns. One statement, none for nothing."""
    wanted = sorted(return_ids)
    if not wanted:
        return {}
    rows = db.session.execute(
        select(
            OrderReturnLine.return_id, OrderReturnLine.order_line_id, OrderLine.position, OrderLine.product_name,
            OrderLine.variant_name, OrderReturnLine.quantity, OrderReturnLine.received_quantity,
            OrderReturnLine.fine_quantity, OrderReturnLine.refunded_before, OrderReturnLine.restocked_before,
        )
        .join(
            OrderLine,
            (OrderLine.tenant_id == OrderReturnLine.tenant_id) & (OrderLine.id == OrderReturnLine.order_line_id),
        )
        .where(OrderReturnLine.return_id.in_(wanted))
        .order_by(OrderReturnLine.return_id, OrderLine.position)
    )  # fmt: skip
    return {
        return_id: tuple(
            ReturnedLine(
                row.order_line_id, row.position, " · ".join(filter(None, (row.product_name, row.variant_name))),
                row.quantity, row.received_quantity, row.fine_quantity, row.refunded_before, row.restocked_before,
            )
            for row in mine
        )
        for return_id, mine in groupby(rows, key=lambda row: row.return_id)
    }  # fmt: skip


def _steps(return_ids: list[int]) -> dict[int, tuple[ReturnStep, ...]]:
    if not return_ids:
        return {}
    rows = db.session.execute(
        select(OrderReturnEvent.return_id, OrderReturnEvent.after, OrderReturnEvent.actor_label, OrderReturnEvent.at)
        .where(OrderReturnEvent.return_id.in_(return_ids))
        .order_by(OrderReturnEvent.return_id, OrderReturnEvent.id)
    )
    return {
        return_id: tuple(ReturnStep(ReturnState(row.after), row.actor_label, row.at) for row in mine)
        for return_id, mine in groupby(rows, key=lambda row: row.return_id)
    }


def _goods(return_ids: list[int]) -> dict[int, tuple[WantedGood, ...]]:
    if not return_ids:
        return {}
    rows = db.session.execute(
        select(OrderReturnGood.return_id, OrderReturnGood.variant_id, Variant.code, OrderReturnGood.quantity)
        .join(Variant, (Variant.tenant_id == OrderReturnGood.tenant_id) & (Variant.id == OrderReturnGood.variant_id))
        .where(OrderReturnGood.return_id.in_(return_ids))
        .order_by(OrderReturnGood.return_id, OrderReturnGood.variant_id)
    ).all()
    names = variant_names([row.variant_id for row in rows]) if rows else {}
    return {
        return_id: tuple(WantedGood(row.variant_id, row.code, names[row.variant_id], row.quantity) for row in mine)
        for return_id, mine in groupby(rows, key=lambda row: row.return_id)
    }


# --- lists --------------------------------------------------------------------------------------------------------


def waiting_counts() -> dict[str, int]:
    """How many returns wait for each thing the shop has to do. One statement."""
    counts = [func.count().filter(OrderReturn.state.in_(states)).label(name) for name, states in TO_DO.items()]
    row = db.session.execute(select(*counts).select_from(OrderReturn).where(OrderReturn.ended_at.is_(None))).one()
    return {name: int(getattr(row, name)) for name in TO_DO}


def return_list(chosen: str, number: int) -> Page[ReturnView]:
    """One page of returns: those to be done oldest first, otherwise the latest first."""
    query = _rows().limit(PAGE + 1).offset((number - 1) * PAGE)
    states = TO_DO.get(chosen)
    if states:
        query = query.where(OrderReturn.state.in_(states)).order_by(OrderReturn.created_at, OrderReturn.id)
    else:
        query = query.order_by(OrderReturn.created_at.desc(), OrderReturn.id.desc())
    return Page.of(_views(query), number, PAGE)


def due_to_lapse(limit: int = 200) -> list[int]:
    """Approved returns of which nothing came in time; the oldest first."""
    return list(
        db.session.scalars(
            select(OrderReturn.id)
            .where(OrderReturn.state == ReturnState.APPROVED, OrderReturn.expires_at <= clock.now())
            .order_by(OrderReturn.expires_at)
            .limit(limit)
        )
    )
