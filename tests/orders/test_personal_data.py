"""What orders know about a person: forgotten, with the books left whole."""

import pytest
from sqlalchemy import select, text

from storefront.customers.personal_data import Subject
from storefront.kernel.db import db, transaction
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order
from storefront.orders.personal_data import OrderUnderWay, erase, export
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, EMAIL, HOME, PHONE, an_order

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def test_forgetting_leaves_the_books_and_not_the_person():
    order = an_order(a_product(), address=HOME, pay="cash_on_delivery")
    cancel_order(order.id, "Dora lo pidió", ALICIA)

    with transaction():
        erase(Subject(None, email=EMAIL))

    assert db.session.scalar(select(Order.total_minor).where(Order.id == order.id)) == order.total_minor
    for table in ("orders", "order_events", "order_lines", "audit_log"):
        rows = db.session.execute(text(f"/* raw */ SELECT t::text FROM {table} t")).scalars().all()
        assert not any(word in row for row in rows for word in (PHONE, EMAIL, HOME.street, "Dora lo pidió")), table


def test_an_order_under_way_still_knows_its_door():
    order = an_order(a_product(), address=HOME, pay="cash_on_delivery", confirmed=True)

    with pytest.raises(OrderUnderWay), transaction():
        erase(Subject(None, phone=PHONE))

    assert db.session.scalar(select(Order.contact_phone).where(Order.id == order.id)) == PHONE


def test_saying_nothing_is_nobody():
    an_order(a_product())

    assert export(Subject(None)) == {"pedidos": [], "artículos": []}
