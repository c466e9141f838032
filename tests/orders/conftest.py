"""What the tests of orders look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from storefront.catalogue.models import Variant
from storefront.kernel.db import db, transaction
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order, OrderEvent


@pytest.fixture
def at_the_bakery(bakery) -> Iterator[None]:
    """The whole test works for the bakery."""
    with acting_for(bakery):
        yield


def set_price(product, price_minor):
    """Give a product's first variant another price."""
    with transaction():
        db.session.execute(update(Variant).where(Variant.id == product.variant_id).values(price_minor=price_minor))


def state_of(order_id):
    """The three axes of an order, freshly read."""
    row = db.session.execute(
        select(Order.state, Order.payment_state, Order.fulfilment_state).where(Order.id == order_id)
    ).one()
    db.session.rollback()
    return tuple(map(str, row))


def trace_of(order_id):
    """Everything that a step would leave behind."""
    steps = db.session.execute(select(OrderEvent.id).where(OrderEvent.order_id == order_id)).all()
    sent = db.session.execute(select(OutboxRow.id)).all()
    version = db.session.scalar(select(Order.version).where(Order.id == order_id))
    db.session.rollback()
    return len(steps), len(sent), version
