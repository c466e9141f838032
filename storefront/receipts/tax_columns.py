"""The accountant's columns by rate: what of each sale and of each part that went back has which tax.

They are taken from the lines of orders and refunds as they stand. What the books have of a fact beyond that (a change
of the order, an amount for nothing in particular in an order with several rates) goes into the columns of the rest, so
that a row's columns always add up to its sale and its tax.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, union

from storefront.kernel.db import db
from storefront.kernel.taxes import GENERAL
from storefront.orders.models import Order, OrderLine
from storefront.payments.models import LedgerEntry, Refund, RefundLine, RefundPart

Taxed = tuple[str, int]
"""A class of tax and its rate in basis points."""

Shares = dict[Taxed, tuple[int, int]]
"""Net and tax of each."""


def taxes_between(since: datetime, until: datetime) -> list[Taxed]:
    """Every tax of an order that was booked in this time, the highest rate first."""
    booked = select(LedgerEntry.order_id).where(LedgerEntry.at >= since, LedgerEntry.at < until)
    lines = select(OrderLine.tax_class.label("kind"), OrderLine.tax_rate_bp.label("rate_bp")).where(
        OrderLine.order_id.in_(booked)
    )
    fees = select(literal(GENERAL).label("kind"), Order.fees_rate_bp.label("rate_bp")).where(
        Order.id.in_(booked), Order.shipping_minor + Order.packaging_minor > 0
    )
    found = union(lines, fees).subquery()
    rows = db.session.execute(select(found.c.kind, found.c.rate_bp).order_by(found.c.rate_bp.desc(), found.c.kind))
    return [(row.kind, row.rate_bp) for row in rows]


def of_orders(order_ids: Iterable[int]) -> dict[int, Shares]:
    """Each order's lines by tax; what is left of its net and tax is that of delivery and packaging."""
    wanted = sorted(set(order_ids))
    found: dict[int, Shares] = {}
    rows = db.session.execute(
        select(
            OrderLine.order_id, OrderLine.tax_class, OrderLine.tax_rate_bp,
            func.sum(OrderLine.net_minor).label("net"), func.sum(OrderLine.tax_minor).label("tax"),
        )
        .where(OrderLine.order_id.in_(wanted))
        .group_by(OrderLine.order_id, OrderLine.tax_class, OrderLine.tax_rate_bp)
    )  # fmt: skip
    for row in rows:
        found.setdefault(row.order_id, {})[row.tax_class, row.tax_rate_bp] = (int(row.net), int(row.tax))
    orders = db.session.execute(
        select(Order.id, Order.net_minor, Order.tax_minor, Order.fees_rate_bp).where(Order.id.in_(wanted))
    )
    for order in orders:
        shares = found.setdefault(order.id, {})
        net = order.net_minor - sum(one for one, _ in shares.values())
        tax = order.tax_minor - sum(one for _, one in shares.values())
        if net or tax:
            _add(shares, (GENERAL, order.fees_rate_bp), net, tax)
    return found


def of_refunds(refund_ids: Iterable[int]) -> dict[int, Shares]:
    """Each refund's units, delivery and packaging by tax; amounts for nothing in particular are left out."""
    found: dict[int, Shares] = {}
    rows: Any = db.session.execute(
        select(
            RefundLine.refund_id, RefundLine.part, RefundLine.net_minor, RefundLine.tax_minor, RefundLine.tax_rate_bp,
            OrderLine.tax_class, Order.fees_rate_bp,
        )
        .join(Refund, (Refund.tenant_id == RefundLine.tenant_id) & (Refund.id == RefundLine.refund_id))
        .join(Order, (Order.tenant_id == Refund.tenant_id) & (Order.id == Refund.order_id))
        .outerjoin(
            OrderLine, (OrderLine.tenant_id == RefundLine.tenant_id) & (OrderLine.id == RefundLine.order_line_id)
        )
        .where(
            RefundLine.refund_id.in_(sorted(set(refund_ids))),
            RefundLine.part.in_((RefundPart.LINE, RefundPart.SHIPPING, RefundPart.PACKAGING)),
        )
    )  # fmt: skip
    for row in rows:
        taxed = (row.tax_class, row.tax_rate_bp) if row.part is RefundPart.LINE else (GENERAL, row.fees_rate_bp)
        _add(found.setdefault(row.refund_id, {}), taxed, row.net_minor, row.tax_minor)
    return found


def _add(shares: Shares, taxed: Taxed, net_minor: int, tax_minor: int) -> None:
    net, tax = shares.get(taxed, (0, 0))
    shares[taxed] = (net + net_minor, tax + tax_minor)
