"""What returns know of a person: what they brought back and their words about it, with a picture. The goods stay."""

from __future__ import annotations

from sqlalchemy import select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import after_commit, db
from storefront.kernel.media import delete_image
from storefront.kernel.money import Money
from storefront.orders.models import Order
from storefront.orders.personal_data import theirs
from storefront.returns.models import OrderReturn


def export(subject: Subject) -> Rows:
    """Returns of the person's orders, without the pictures, which they sent themselves."""
    rows = db.session.execute(
        select(
            Order.code, OrderReturn.created_at, OrderReturn.state, OrderReturn.reason, OrderReturn.words,
            OrderReturn.answer, OrderReturn.value_minor, OrderReturn.currency,
        )
        .join(Order, (Order.tenant_id == OrderReturn.tenant_id) & (Order.id == OrderReturn.order_id))
        .where(theirs(subject))
        .order_by(OrderReturn.id)
    )  # fmt: skip
    return {
        "devoluciones de productos": [
            {
                "pedido": row.code, "fecha": row.created_at, "estado": str(row.state), "razón": row.reason,
                "mensaje": row.words, "respuesta": row.answer,
                "importe": str(Money(row.value_minor, row.currency).amount), "moneda": row.currency,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget the words, which may name people, and remove the pictures once the rest is settled."""
    mine = OrderReturn.order_id.in_(select(Order.id).where(theirs(subject)))
    for key in db.session.scalars(select(OrderReturn.image_key).where(mine, OrderReturn.image_key.is_not(None))):
        _remove_later(str(key))
    db.session.execute(
        update(OrderReturn)
        .where(mine)
        .values(words="", answer="", image_key=None)
        .execution_options(synchronize_session=False)
    )


def _remove_later(key: str) -> None:
    after_commit(lambda: delete_image(key))
