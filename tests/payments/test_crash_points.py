"""The process dies at every seam of ordering, paying and refunding: what recovers by itself makes everything right.

No acknowledged order is lost, none is doubled, and no charge is kept without an order.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront.cart.actions import CartRef
from storefront.checkout.actions import place
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_token
from storefront.payments import door
from tests.factories.catalogue import a_product
from tests.factories.orders import DORA, a_cart, details_for
from tests.payments.seams import Died, visited_by
from tests.payments.till import Till

NORMAL = 5
"""Of so many seams in a row, every run dies at one; `make soak` dies at each."""


def dies_at(seam: int, till: Till, story: Callable[[], object]) -> tuple[bool, object]:
    """Whether the story came to its seam of that number, and died there; otherwise what it answered."""
    seen = itertools.count()

    def visitor(_seam: str) -> None:
        if next(seen) == seam:
            raise Died

    with acting_for(till.shop), visited_by(visitor):
        try:
            return False, story()
        except Died:
            db.session.rollback()
            return True, None


def every_seam(
    made: Callable[[], Till], story: Callable[[Till], object], right: Callable[[Till, object], object], step: int
) -> int:
    """Tell the story once for each seam, dying there; then let everything recover and ask whether that is right."""
    deaths = 0
    for seam in itertools.count(0, step):
        till = made()
        died, answer = dies_at(seam, till, lambda told=till: story(told))
        till.recover()
        assert till.faults() == [], (seam, till.books())
        assert right(till, answer), (seam, answer, till.books())
        till.forget()
        if not died:
            break
        deaths += 1
    return deaths


everywhere = pytest.mark.parametrize(
    "step", [NORMAL, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])], ids=["some", "all"]
)


@everywhere
def test_money_that_came_is_kept_with_its_order_wherever_we_die_while_learning_of_it(till, step):
    def paid() -> Till:
        one = till()
        one.start()
        one.pay()
        return one

    def learnt(one: Till) -> bool:
        return one.come_back() and one.webhook()

    def right(one: Till, _answer: object) -> bool:
        books = one.books()
        return (books.state, books.payment, books.kept_minor) == (
            OrderState.CONFIRMED,
            PaymentState.PAID,
            one.total_minor,
        )

    print(f"\n{every_seam(paid, learnt, right, step)} deaths while learning of a payment")


@everywhere
def test_money_goes_back_once_wherever_we_die_while_cancelling(till, step):
    def served() -> Till:
        one = till()
        one.start()
        one.pay()
        one.webhook()
        return one

    def right(one: Till, answer: object) -> bool:
        books = one.books()
        if books.state is OrderState.CANCELLED:
            return (books.payment, books.kept_minor) == (PaymentState.REFUNDED, 0)
        return answer is not True and books.kept_minor == one.total_minor

    print(f"\n{every_seam(served, Till.owner_cancels, right, step)} deaths while cancelling")


@everywhere
def test_a_payment_page_is_opened_once_wherever_we_die_while_opening_it(till, step):
    def right(one: Till, _answer: object) -> bool:
        return len(one.pages()) <= 1 and one.books().state is OrderState.EXPIRED

    def again_and_paid(one: Till) -> object:
        return one.start()

    print(f"\n{every_seam(till, again_and_paid, right, step)} deaths while opening a page")


def ordered(cart: CartRef) -> list[str]:
    """The tokens of the orders that came of a cart."""
    found = db.session.scalars(select(Order.token).where(Order.placement_key.startswith(f"cart:{cart.id}:"))).all()
    db.session.rollback()
    return list(found)


@everywhere
@pytest.mark.parametrize("again", [True, False], ids=["the customer tries again", "the customer is gone"])
def test_a_cart_becomes_one_order_or_none_wherever_we_die_while_placing_it(till, step, again):
    one = till()
    deaths = 0
    for seam in itertools.count(0, 1 if step == 1 else 3):
        one.product = a_product(stock=2)
        cart = a_cart(one.product, 2)
        details = details_for(cart, pay="card")
        died, answer = dies_at(seam, one, lambda cart=cart, details=details: place(cart.token, details, "key", DORA))
        if again:
            with acting_for(one.shop):
                answer = place(cart.token, details, "key", DORA)
        tokens = ordered(cart)

        assert len(tokens) == 1 if answer else len(tokens) <= 1
        if tokens:
            order = order_by_token(tokens[0])
            one.order_id, one.total_minor, one.sales_minor = order.id, order.total_minor, order.net_minor
            if again:
                assert one.pay()
            one.recover()
            assert one.faults() == []
            assert len(one.pages()) <= 1
            assert one.books().state is (OrderState.CONFIRMED if again else OrderState.EXPIRED)
        else:
            assert available([one.product.variant_id]) == {one.product.variant_id: 2}
        one.forget()
        if not died:
            break
        deaths += 1
    print(f"\n{deaths} deaths while placing an order")


def test_without_its_stored_key_a_refund_that_died_on_the_way_would_be_asked_for_anew(till, monkeypatch):
    """The twin that must fail: the key, stored before the provider is asked, is what makes a repeat harmless."""
    one = till(quantity=1, stock=2)
    one.start()
    one.pay()
    one.webhook()
    real = door.gateway().real.refund
    monkeypatch.setattr(
        door.gateway().real,
        "refund",
        lambda **said: real(**{**said, "key": str(uuid.uuid4()), "metadata": {}, "amount_minor": 1_000}),
    )

    def dies_after_refund(seam: str) -> None:
        if seam == "after refund":
            raise Died

    with acting_for(one.shop), visited_by(dies_after_refund), pytest.raises(Died):
        one.refund(1_000)
    db.session.rollback()
    with clock.pretending(clock.now() + timedelta(minutes=5)):
        one.work()

    assert one.total_minor - one.captured_minor() == 2_000  # sent back twice
