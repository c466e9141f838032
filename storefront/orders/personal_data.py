"""What orders know of a person. Erased, an order keeps what the books need and forgets whose it was."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, func, or_, select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import db
from storefront.kernel.errors import Conflict
from storefront.kernel.ids import new_token
from storefront.kernel.mail import MailMessage
from storefront.kernel.money import Money
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import WAITING, OrderState
from storefront.reservations import personal_data as reservations

NOBODY = "—"


class OrderUnderWay(Conflict):
    """An order is still to be handed over; its name and address are needed for that."""

    message = _l("Hay un pedido en curso. Cuando se entregue o se cancele se podrán borrar los datos.")


def theirs(subject: Subject) -> ColumnElement[bool]:
    """Which orders are the person's: their account's, and guest orders placed with a contact certainly theirs."""
    found: list[ColumnElement[bool]] = []
    if subject.customer_id is not None:
        found.append(Order.customer_id == subject.customer_id)
    if subject.email:
        found.append(Order.customer_id.is_(None) & (func.lower(Order.contact_email) == subject.email.lower()))
    if subject.phone:
        found.append(Order.customer_id.is_(None) & (Order.contact_phone == subject.phone))
    return or_(*found) if found else Order.id.is_(None)  # `false()` would swallow the shop, too


def export(subject: Subject) -> Rows:
    """Orders and their lines."""
    orders = db.session.execute(
        select(
            Order.id, Order.code, Order.placed_at, Order.state, Order.contact_name, Order.contact_phone,
            Order.contact_email, Order.address, Order.payment_method, Order.total_minor, Order.currency, Order.note,
        ).where(theirs(subject)).order_by(Order.placed_at)
    ).all()  # fmt: skip
    codes = {row.id: (row.code, row.currency) for row in orders}
    lines = db.session.execute(
        select(
            OrderLine.order_id, OrderLine.product_name, OrderLine.variant_name, OrderLine.quantity,
            OrderLine.gross_minor, OrderLine.starts_at,
        ).where(OrderLine.order_id.in_(codes)).order_by(OrderLine.order_id, OrderLine.position)
    )  # fmt: skip
    return {
        "pedidos": [
            {
                "código": row.code, "fecha": row.placed_at, "estado": str(row.state), "nombre": row.contact_name,
                "teléfono": row.contact_phone, "correo": row.contact_email, "dirección": row.address,
                "pago": row.payment_method, "total": str(Money(row.total_minor, row.currency).amount),
                "moneda": row.currency, "nota": row.note,
            }
            for row in orders
        ],
        "artículos": [
            {
                "pedido": codes[row.order_id][0], "producto": row.product_name, "opción": row.variant_name,
                "cantidad": row.quantity, "importe": str(Money(row.gross_minor, codes[row.order_id][1]).amount),
                "para cuándo": row.starts_at,
            }
            for row in lines
        ],
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget the person on every order and its bookings, close the secret links, drop letters that name them.

    Raises OrderUnderWay while one of the orders still runs.
    """
    rows = db.session.execute(
        select(Order.id, Order.code, Order.state).where(theirs(subject)).order_by(Order.id).with_for_update()
    ).all()
    if any(row.state in {*WAITING, OrderState.CONFIRMED} for row in rows):
        raise OrderUnderWay
    for row in rows:
        _forget_one(row.id, row.code)
    reservations.erase_of_orders([row.id for row in rows])


def _forget_one(order_id: int, code: str) -> None:
    somewhere = func.jsonb_build_object(
        *("recipient", NOBODY, "phone", "", "street", "", "locality", ""),
        *("region", Order.address["region"], "country", Order.address["country"]),
    )
    anonymous: dict[str, Any] = {
        "contact_name": NOBODY,
        "contact_phone": None,
        "contact_email": None,
        "note": "",
        "cancelled_reason": None,
        "token": new_token(),
        "version": Order.version + 1,
    }
    silently = {"synchronize_session": False}
    db.session.execute(update(Order).where(Order.id == order_id).values(anonymous).execution_options(**silently))
    db.session.execute(
        update(Order)
        .where(Order.id == order_id, Order.address.is_not(None))
        .values(address=somewhere)
        .execution_options(**silently)
    )
    names_it = MailMessage.subject.contains(code, autoescape=True) | MailMessage.body_text.contains(
        code, autoescape=True
    )
    db.session.execute(delete(MailMessage).where(names_it).execution_options(**silently))
