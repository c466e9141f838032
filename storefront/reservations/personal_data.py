"""What bookings know of a person: the name and number somebody gave at the counter, by telephone or with an order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.reservations.models import Booking


def export(subject: Subject) -> Rows:
    """Bookings under a number that is certainly theirs; those of their orders are among the orders' lines."""
    if not subject.phone:
        return {}
    rows = db.session.execute(
        select(
            Booking.code, Booking.during, Booking.quantity, Booking.contact_name, Booking.contact_phone, Booking.note
        )
        .where(Booking.contact_phone == subject.phone)
        .order_by(Booking.id)
    )
    return {
        "reservas": [
            {
                "código": row.code, "desde": row.during.lower, "hasta": row.during.upper, "lugares": row.quantity,
                "nombre": row.contact_name, "teléfono": row.contact_phone, "nota": row.note,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget who had the past bookings under their number. Those to come keep it: somebody is expected."""
    if subject.phone:
        _forget((Booking.contact_phone == subject.phone) & (func.upper(Booking.during) <= clock.now()))


def erase_of_orders(order_ids: Sequence[int]) -> None:
    """Forget the contact on the bookings of these orders."""
    if order_ids:
        _forget(Booking.order_id.in_(order_ids))


def _forget(which: ColumnElement[bool]) -> None:
    db.session.execute(
        update(Booking)
        .where(which)
        .values(contact_name="", contact_phone="", note="", cancelled_reason=None)
        .execution_options(synchronize_session=False)
    )
