"""Reading changes: the one that waits, and those that came to an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.changes.models import Agreement, ChangeState, OrderChange, OrderChangeEvent, OrderChangeLine
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.orders.queries import NoSuchOrder

REASONS = {
    "no_stock": _l("No alcanza lo que pediste"),
    "asked": _l("Nos lo pediste"),
    "mistake": _l("Había un error en el pedido"),
    "other": _l("Otra razón"),
}
"""Why the shop changes an order, in words that the customer reads."""

DELIVERY_PRICE = "delivery_price"
"""The reason of a change that says what the delivery costs."""


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line of a change."""

    name: str
    before: int
    quantity: int
    unit: Money


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change as pages and letters show it. `state` is what is true now: one whose time is over has lapsed."""

    id: int
    code: str
    order_id: int
    state: ChangeState
    agreement: Agreement | None
    reason: str
    words: str
    before: Money
    after: Money
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    proposed_by: str
    lines: tuple[ChangedLine, ...]

    @property
    def waits(self) -> bool:
        """Whether it can be agreed to."""
        return self.state is ChangeState.PROPOSED

    @property
    def difference(self) -> Money:
        """What it makes the order dearer; less than nothing when cheaper."""
        return self.after - self.before

    @property
    def why(self) -> object:
        """The reason in words."""
        return _l("El precio de tu envío") if self.reason == DELIVERY_PRICE else REASONS.get(self.reason, "")

    @property
    def is_delivery_price(self) -> bool:
        """Whether it says what the delivery costs, and changes no goods."""
        return self.reason == DELIVERY_PRICE


def changes_of(order_id: int) -> list[ChangeView]:
    """Every change of an order, the latest first."""
    return _views(OrderChange.order_id == order_id)


def open_change(order_id: int) -> ChangeView | None:
    """The change that waits for an answer."""
    found = _views((OrderChange.order_id == order_id) & (OrderChange.state == ChangeState.PROPOSED))
    return next((change for change in found if change.waits), None)


def change_by_id(change_id: int) -> ChangeView:
    """One change. Raises NotFound."""
    found = _views(OrderChange.id == change_id)
    if not found:
        raise NotFound
    return found[0]


def change_by_code(order_id: int, code: str) -> ChangeView:
    """The change of this order with this code. Raises NoSuchOrder, as for an order that is not there."""
    found = _views((OrderChange.order_id == order_id) & (OrderChange.code == code))
    if not found:
        raise NoSuchOrder
    return found[0]


def _views(which: Any) -> list[ChangeView]:
    who = (
        select(OrderChangeEvent.actor_label)
        .where(OrderChangeEvent.tenant_id == OrderChange.tenant_id, OrderChangeEvent.change_id == OrderChange.id)
        .order_by(OrderChangeEvent.id)
        .limit(1)
        .correlate(OrderChange)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            OrderChange.id, OrderChange.code, OrderChange.order_id, OrderChange.state, OrderChange.agreement,
            OrderChange.reason, OrderChange.words, OrderChange.currency, OrderChange.before_total_minor,
            OrderChange.total_minor, OrderChange.created_at, OrderChange.expires_at, OrderChange.ended_at,
            who.label("proposed_by"),
        ).where(which).order_by(OrderChange.id.desc())
    ).all()  # fmt: skip
    lines = _lines({row.id: row.currency for row in rows})
    return [_view(row, lines.get(row.id, ())) for row in rows]


def _view(row: Any, lines: tuple[ChangedLine, ...]) -> ChangeView:
    over = row.state is ChangeState.PROPOSED and row.expires_at <= clock.now()
    return ChangeView(
        id=row.id, code=row.code, order_id=row.order_id, state=ChangeState.LAPSED if over else row.state,
        agreement=row.agreement, reason=row.reason, words=row.words,
        before=Money(row.before_total_minor, row.currency), after=Money(row.total_minor, row.currency),
        created_at=row.created_at, expires_at=row.expires_at, ended_at=row.ended_at,
        proposed_by=row.proposed_by or "", lines=lines,
    )  # fmt: skip


def _lines(currencies: dict[int, str]) -> dict[int, tuple[ChangedLine, ...]]:
    if not currencies:
        return {}
    rows = db.session.execute(
        select(
            OrderChangeLine.change_id, OrderChangeLine.product_name, OrderChangeLine.variant_name,
            OrderChangeLine.before_quantity, OrderChangeLine.quantity, OrderChangeLine.unit_minor,
        )
        .where(OrderChangeLine.change_id.in_(currencies))
        .order_by(OrderChangeLine.change_id, OrderChangeLine.position)
    )  # fmt: skip
    return {
        change_id: tuple(
            ChangedLine(
                " · ".join(filter(None, (row.product_name, row.variant_name))), row.before_quantity, row.quantity,
                Money(row.unit_minor, currencies[change_id]),
            )
            for row in mine
        )
        for change_id, mine in groupby(rows, key=lambda row: row.change_id)
    }  # fmt: skip
