"""What receipts know of a person: the name and document they asked for. Tax law has papers kept as they were issued, so
erasing leaves them; only receipts made out to somebody name anybody."""

from __future__ import annotations

from sqlalchemy import select

from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import db
from storefront.kernel.money import Money
from storefront.orders.models import Order
from storefront.orders.personal_data import theirs
from storefront.receipts.models import Receipt


def export(subject: Subject) -> Rows:
    """Receipts and credit notes of the person's orders."""
    rows = db.session.execute(
        select(
            Receipt.kind, Receipt.number, Receipt.issued_at, Receipt.buyer_name, Receipt.buyer_document,
            Receipt.buyer_number, Receipt.total_minor, Receipt.currency,
        )
        .join(Order, (Order.tenant_id == Receipt.tenant_id) & (Order.id == Receipt.order_id))
        .where(theirs(subject))
        .order_by(Receipt.issued_at, Receipt.id)
    )  # fmt: skip
    return {
        "recibos": [
            {
                "clase": str(row.kind), "número": row.number, "fecha": row.issued_at, "nombre": row.buyer_name,
                "documento": row.buyer_document, "número de documento": row.buyer_number,
                "total": str(Money(row.total_minor, row.currency).amount), "moneda": row.currency,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Nothing: a paper is kept as it was issued."""
