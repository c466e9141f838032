"""What the tests of gift cards look at."""

from __future__ import annotations

from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.cli import INVARIANTS
from storefront.giftcards.models import GiftCard, GiftCardEntry
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import new_token
from storefront.orders.models import Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments.actions import open_attempt
from storefront.payments.gift_cards import redeem
from storefront.payments.models import LedgerEntry, PaymentAttempt
from tests.factories.catalogue import a_product
from tests.factories.orders import DORA
from tests.orders.conftest import at_the_bakery
from tests.promotions.conftest import words

__all__ = ["at_the_bakery", "words"]


def forget():
    """Leave the session as a new request finds it."""
    db.session.rollback()
    db.session.expunge_all()


def left_on(card):
    """What is on a card, freshly read."""
    minor = db.session.scalar(select(GiftCard.balance_minor).where(GiftCard.id == card.id))
    forget()
    return minor


def moved(card):
    """Its movements, oldest first."""
    rows = db.session.execute(
        select(GiftCardEntry.kind, GiftCardEntry.amount_minor)
        .where(GiftCardEntry.card_id == card.id)
        .order_by(GiftCardEntry.id)
    ).all()
    forget()
    return [(str(row.kind), row.amount_minor) for row in rows]


def order_with(card, amount_minor=None, *, pay="pay_at_shop", quantity=2, stock=9):
    """An order of two pieces, 50.00, of which a card pays so much; with nothing left to pay it is the card's alone."""
    with transaction():
        order = an_order_without_attempt(pay if amount_minor is not None else "gift_card", quantity, stock)
        redeem(order.id, card.id, order.total_minor if amount_minor is None else amount_minor, DORA)
        if order.due_minor:
            open_attempt(order.id, pay)
    number = order.id
    forget()
    return number


def an_order_without_attempt(pay, quantity, stock):
    """An order as it is placed, before anybody tries to pay it."""
    product = a_product(stock=stock)
    line = NewLine(ProductKind.GOODS, product.id, product.variant_id, "Pan", "", "", quantity, 2_500)
    return place_order(
        NewOrder(
            placement_key=new_token(),
            lines=[line],
            payment_method=pay,
            fulfilment_method=FulfilmentMethod.PICKUP,
            contact_name="Dora",
            contact_phone="+529511234567",
            contact_email="dora@example.com",
        ),
        DORA,
    )


def state_of(order_id):
    """An order's two states and what counts towards it."""
    row = db.session.execute(
        select(Order.state, Order.payment_state, Order.received_minor).where(Order.id == order_id)
    ).one()
    forget()
    return str(row.state), str(row.payment_state), row.received_minor


def trace():
    """How many rows there are of everything that a card could write, and what is on all cards."""
    kinds = (GiftCard, GiftCardEntry, LedgerEntry, PaymentAttempt, Order)
    found = [db.session.scalar(select(func.count()).select_from(kind)) for kind in kinds]
    found.append(db.session.scalar(select(func.sum(GiftCard.balance_minor))))
    forget()
    return found


def faults():
    """Whatever the invariants find."""
    found = [fault for look in INVARIANTS for fault in look()]
    forget()
    return found
