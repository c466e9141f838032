"""Orders in their customers' hands, and what the tests of returns look at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.cli import INVARIANTS
from storefront.inventory.models import Stock, StockHold, StockMove
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy
from storefront.kernel.ids import new_token
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import confirm_order, hand_over
from storefront.orders.models import Order, OrderLine
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments.actions import book_sale, open_attempt, record_cash
from storefront.payments.models import LedgerEntry, PaymentAttempt, Refund, RefundLine
from storefront.payments.refunding import mark_sent_back
from storefront.returns.models import OrderReturn, OrderReturnEvent, OrderReturnLine
from tests.changes.conftest import together
from tests.factories.catalogue import Made, a_product
from tests.factories.orders import ALICIA, DORA, EMAIL, PHONE

__all__ = ["together"]


@pytest.fixture
def at_the_bakery(bakery):
    """The whole test works for the bakery, which takes things back for thirty days."""
    with acting_for(replace(bakery, return_days=30)):
        yield


@dataclass(frozen=True)
class Sold:
    """An order in its customer's hands, by its ids, and what was in it."""

    id: int
    code: str
    token: str
    products: tuple[Made, ...]

    @property
    def first(self) -> Made:
        """The product of its first line."""
        return self.products[0]


def a_line(product: Made, quantity: int, unit_minor: int, **more) -> NewLine:
    return NewLine(
        ProductKind.GOODS, product.id, product.variant_id, "Suéter", "", "", quantity, unit_minor, **more
    )  # fmt: skip


def sold(*lines: NewLine, products: tuple[Made, ...] = (), paid: bool = True, handed: bool = True, more=None) -> Sold:
    """An order of these lines, confirmed and booked; paid in cash and handed over, unless said otherwise."""
    if not lines:
        products = (a_product("Suéter", price=2_500, stock=9),)
        lines = (a_line(products[0], 3, 2_500),)
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=new_token(), lines=lines, payment_method="pay_at_shop",
                fulfilment_method=FulfilmentMethod.PICKUP, contact_name="Dora", contact_phone=PHONE,
                contact_email=EMAIL, **(more or {}),
            ),
            DORA,
        )  # fmt: skip
        if order.total_minor:
            open_attempt(order.id, "pay_at_shop")
        confirm_order(order.id, ALICIA)
    if paid and order.total_minor:
        record_cash(order.id, ALICIA)
    book_sale(order.id)
    if handed:
        hand_over(order.id, ALICIA)
    made = Sold(order.id, order.code, order.token, products)
    forget()
    return made


def forget():
    """Leave the session as a new request finds it."""
    db.session.rollback()
    db.session.expunge_all()


def fresh(query):
    """One value, freshly read."""
    found = db.session.scalar(query)
    forget()
    return found


def stock_of(product: Made):
    """(on hand, promised) of a product."""
    row = db.session.execute(
        select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == product.variant_id)
    ).one()  # fmt: skip
    forget()
    return tuple(row)


def line_of(order: Sold, position: int = 1):
    """(refunded units, refunded money, units on sale again) of a line."""
    row = db.session.execute(
        select(OrderLine.refunded_quantity, OrderLine.refunded_minor, OrderLine.restocked_quantity).where(
            OrderLine.order_id == order.id, OrderLine.position == position
        )
    ).one()
    forget()
    return tuple(row)


def refunds_of(order: Sold):
    """(amount, reason, state) of each refund."""
    rows = db.session.execute(
        select(Refund.amount_minor, Refund.reason, Refund.state).where(Refund.order_id == order.id).order_by(Refund.id)
    ).all()
    forget()
    return [(row.amount_minor, row.reason, str(row.state)) for row in rows]


def state_of(found_id: int) -> str:
    """How a return stands."""
    return str(fresh(select(OrderReturn.state).where(OrderReturn.id == found_id)))


def steps_of(found_id: int):
    """(to which state, by what kind of person) of each step."""
    rows = db.session.execute(
        select(OrderReturnEvent.after, OrderReturnEvent.actor_kind)
        .where(OrderReturnEvent.return_id == found_id)
        .order_by(OrderReturnEvent.id)
    ).all()
    forget()
    return [tuple(row) for row in rows]


def pay_back(order: Sold) -> None:
    """Somebody hands over what is to be sent back by hand."""
    for code in db.session.scalars(select(Refund.code).where(Refund.order_id == order.id, Refund.state == "external")):
        mark_sent_back(code, ALICIA)
    forget()


def patient(work):
    """The same work, tried again for as long as somebody else is in the way."""

    def again():
        while True:
            try:
                return work()
            except Busy:
                forget()

    return again


def trace():
    """Everything that a return could leave behind."""
    kinds = (
        OrderReturn, OrderReturnLine, OrderReturnEvent, Order, OrderLine, Refund, RefundLine, LedgerEntry,
        PaymentAttempt, StockHold, StockMove, OutboxRow,
    )  # fmt: skip
    found = [db.session.scalar(select(func.count()).select_from(kind)) for kind in kinds]
    found.append(db.session.scalar(select(func.sum(OrderLine.refunded_minor * 100 + OrderLine.restocked_quantity))))
    found.append(db.session.scalar(select(func.sum(Stock.on_hand * 1_000 + Stock.reserved))))
    forget()
    return found


def faults():
    """Whatever the invariants find."""
    found = [fault for look in INVARIANTS for fault in look()]
    forget()
    return found
