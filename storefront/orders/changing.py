"""An order's lines when they change after it was placed: what they cost then, and writing them down.

What was agreed stays: a line keeps its price and its tax whatever becomes of its quantity, the delivery keeps its own,
and the promotions are those the order has. What is added has today's price and tax.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select

from storefront.catalogue.models import Product, ProductKind
from storefront.inventory.actions import change_holds
from storefront.inventory.movements import Cause
from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.kernel.taxes import GENERAL
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import CAUSE, taken_by
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import GRACE
from storefront.pricing.basket import Basket, Line, Totals, price
from storefront.pricing.discounts import Applied, Discount
from storefront.promotions.actions import readjust


@dataclass(frozen=True, slots=True)
class NextLine:
    """A line as it is and as it will be: `before` units and `quantity` units, none of either for one that is new or
    goes. `position` is the order's line, None for an added one; `parts` is what is in a bundle, as agreed."""

    position: int | None
    kind: ProductKind
    product_id: int
    variant_id: int
    product_name: str
    variant_name: str
    sku: str
    unit_minor: int
    tax_rate_bp: int
    before: int
    quantity: int
    category_id: int | None = None
    parts: list[dict[str, Any]] | None = None
    tax_class: str = GENERAL

    @property
    def delta(self) -> int:
        """Units more, or fewer."""
        return self.quantity - self.before

    @property
    def name(self) -> str:
        """The product with its variant, as one says it."""
        return f"{self.product_name} · {self.variant_name}" if self.variant_name else self.product_name


def lines_of(order_id: int) -> list[NextLine]:
    """An order's lines as they are, nothing changed yet."""
    rows = db.session.execute(
        select(
            OrderLine.position, OrderLine.kind, OrderLine.product_id, OrderLine.variant_id, OrderLine.product_name,
            OrderLine.variant_name, OrderLine.sku, OrderLine.unit_minor, OrderLine.tax_rate_bp,
            OrderLine.quantity.label("before"), OrderLine.quantity, Product.category_id, OrderLine.parts,
            OrderLine.tax_class,
        )
        .join(Product, (Product.tenant_id == OrderLine.tenant_id) & (Product.id == OrderLine.product_id))
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    )  # fmt: skip
    return [NextLine(**row._mapping) for row in rows]


def with_quantities(lines: Iterable[NextLine], quantities: dict[int, int]) -> list[NextLine]:
    """The lines with other quantities, by position."""
    return [replace(line, quantity=quantities.get(line.position or 0, line.quantity)) for line in lines]


def bill_of(
    order: Order, lines: Sequence[NextLine], discounts: Sequence[Discount], shipping_minor: int | None = None
) -> Totals:
    """What the lines will cost with the order's own delivery, packaging and tip, by the function that priced it.

    At least one of them stays.
    """
    shop = current_shop()
    kept = [line for line in lines if line.quantity]
    return price(
        Basket(
            shop.currency,
            [
                Line(line.unit_minor, line.quantity, line.tax_rate_bp, key=line.variant_id,
                     product_id=line.product_id, category_id=line.category_id)
                for line in kept
            ],
            order.fees_rate_bp,
            discounts=discounts,
            shipping_minor=order.shipping_minor if shipping_minor is None else shipping_minor,
            packaging_minor=order.packaging_minor,
            tip_minor=order.tip_minor,
            prices_include_tax=order.tax_inside,
        )
    )  # fmt: skip


def rewrite(order: Order, lines: Sequence[NextLine], sums: Totals) -> None:
    """Write changed lines and their sums into a locked order, in the caller's transaction."""
    order.subtotal_minor, order.shipping_minor = sums.subtotal_minor, sums.shipping_minor
    order.discount_minor, order.discount_net_minor = sums.discount_minor, sums.discount_net_minor
    order.net_minor, order.tax_minor, order.total_minor = sums.net_minor, sums.tax_minor, sums.total_minor
    known = {
        line.position: line
        for line in db.session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id).execution_options(populate_existing=True)
        )
    }
    gone = [line.position for line in lines if not line.quantity and line.position is not None]
    next_position = max(known) + 1
    for line, amount in zip((one for one in lines if one.quantity), sums.lines, strict=True):
        row = known.get(line.position or 0)
        if row is None:
            row = _added(order, next_position, line)
            next_position += 1
            db.session.add(row)
        row.quantity, row.discount_minor, row.gross_minor = line.quantity, amount.discount_minor, amount.gross_minor
        row.net_minor, row.tax_minor = amount.net_minor, amount.tax_minor
    db.session.flush()
    if gone:
        db.session.execute(
            delete(OrderLine)
            .where(OrderLine.order_id == order.id, OrderLine.position.in_(gone))
            .execution_options(synchronize_session=False)
        )


def _added(order: Order, position: int, line: NextLine) -> OrderLine:
    return OrderLine(
        order_id=order.id,
        position=position,
        kind=line.kind,
        product_id=line.product_id,
        variant_id=line.variant_id,
        product_name=line.product_name,
        variant_name=line.variant_name,
        sku=line.sku,
        unit_minor=line.unit_minor,
        tax_rate_bp=line.tax_rate_bp,
        tax_class=line.tax_class,
        tax_inside=order.tax_inside,
        parts=line.parts,
    )


def demand_change(lines: Iterable[NextLine]) -> dict[int, int]:
    """Units of each variant more or fewer; variants of which nothing changes are left out."""
    delta: Counter[int] = Counter()
    for line in lines:
        if line.kind is ProductKind.GOODS:
            for variant_id, units in taken_by(line, line.delta).items():
                delta[variant_id] += units
    return {variant_id: qty for variant_id, qty in delta.items() if qty}


def move_goods(order: Order, lines: Sequence[NextLine], spare: Cause, applied: Sequence[Applied], by: Actor) -> None:
    """Let a changed order hold what it has now, from what `spare` kept for it, and its promotions give what they give
    now. Raises OutOfStock or PromotionGone."""
    until = order.expires_at + GRACE if order.expires_at else None
    change_holds(demand_change(lines), cause=CAUSE, cause_id=order.id, until=until, spare=spare, by=by)
    readjust(order.id, applied)
