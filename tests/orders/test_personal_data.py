"""What orders know about a person, handed out and forgotten."""

import json

import pytest
from sqlalchemy import select, text

from storefront.kernel.db import db
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order
from storefront.orders.personal_data import erase_personal, export_personal
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, EMAIL, HOME, PHONE, an_order

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def test_a_person_gets_everything_that_is_known():
    order = an_order(a_product(), 2, address=HOME, pay="cash_on_delivery")

    (told,) = export_personal(email=EMAIL.upper())

    assert told["code"] == order.code
    assert told["address"]["street"] == HOME.street
    assert told["lines"] == [{"name": "Pan", "quantity": 2, "amount_minor": 5_000}]
    assert json.dumps(told)


def test_saying_nothing_is_nobody():
    an_order(a_product())

    assert export_personal() == []
    assert export_personal(email="", phone=None) == []
    assert erase_personal() == 0


def test_forgetting_leaves_the_books_and_not_the_person():
    order = an_order(a_product(), address=HOME, pay="cash_on_delivery")
    cancel_order(order.id, "Dora lo pidió", ALICIA)

    assert erase_personal(phone=PHONE) == 1

    kept = db.session.execute(select(Order.total_minor, Order.address).where(Order.id == order.id)).one()
    assert kept.total_minor == order.total_minor
    assert kept.address["locality"] == "Jalatlaco"
    for table in ("orders", "order_events", "order_lines"):
        rows = db.session.execute(text(f"/* raw */ SELECT t::text FROM {table} t")).scalars().all()
        assert not any(word in row for row in rows for word in (PHONE, EMAIL, HOME.street, "Dora")), table


def test_an_order_under_way_still_knows_its_door():
    order = an_order(a_product(), address=HOME, pay="cash_on_delivery", confirmed=True)

    assert erase_personal(phone=PHONE) == 0

    assert db.session.scalar(select(Order.contact_phone).where(Order.id == order.id)) == PHONE
