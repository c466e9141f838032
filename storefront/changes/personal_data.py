"""What changes know of a person: which of their orders changed, and the shop's words to them."""

from __future__ import annotations

from sqlalchemy import select, update

from storefront.changes.models import OrderChange
from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import db
from storefront.kernel.money import Money
from storefront.orders.models import Order
from storefront.orders.personal_data import theirs


def export(subject: Subject) -> Rows:
    """Changes of the person's orders."""
    rows = db.session.execute(
        select(
            Order.code, OrderChange.created_at, OrderChange.state, OrderChange.words, OrderChange.before_total_minor,
            OrderChange.total_minor, OrderChange.currency,
        )
        .join(Order, (Order.tenant_id == OrderChange.tenant_id) & (Order.id == OrderChange.order_id))
        .where(theirs(subject))
        .order_by(OrderChange.id)
    )  # fmt: skip
    return {
        "cambios de pedidos": [
            {
                "pedido": row.code, "fecha": row.created_at, "estado": str(row.state), "mensaje": row.words,
                "antes": str(Money(row.before_total_minor, row.currency).amount),
                "después": str(Money(row.total_minor, row.currency).amount), "moneda": row.currency,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget the shop's words, which may name people; what changed stays with the order."""
    db.session.execute(
        update(OrderChange)
        .where(OrderChange.order_id.in_(select(Order.id).where(theirs(subject))))
        .values(words="")
        .execution_options(synchronize_session=False)
    )
