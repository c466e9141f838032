"""What must always be true is asked of the database, and a broken database is noticed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from storefront.inventory.actions import OutOfStock, release_holds
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import (
    CAUSE,
    cancel_order,
    confirm_order,
    confirm_paid_order,
    expire_order,
    hand_over,
    set_payment_state,
)
from storefront.orders.models import Order
from storefront.orders.queries import invariants, order_by_id
from storefront.orders.states import OrderState, PaymentState
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order
from tests.orders.conftest import state_of

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def faults():
    found = {fault["invariant"] for fault in invariants()}
    db.session.rollback()
    return found


def forge(order_id, **values):
    """Write into an order behind the back of its one door."""
    with transaction():
        db.session.execute(update(Order).where(Order.id == order_id).values(**values))


def test_a_shops_day_breaks_nothing():
    first, second, third = (an_order(a_product(stock=3), confirmed=n > 0) for n in range(3))
    cancel_order(first.id, "", ALICIA)
    hand_over(second.id, ALICIA)
    set_payment_state(second.id, PaymentState.PAID, ALICIA)
    set_payment_state(third.id, PaymentState.PAID, ALICIA)

    assert faults() == set()


def test_a_state_that_no_step_led_to_is_noticed():
    order = an_order(a_product())

    forge(order.id, state=OrderState.COMPLETED)

    assert faults() == {"I12"}


def test_money_kept_for_nothing_is_noticed():
    order = an_order(a_product(), pay="bank_transfer")
    set_payment_state(order.id, PaymentState.PAID, ALICIA)
    confirm_paid_order(order.id)
    cancel_order(order.id, "", ALICIA)
    assert faults() == set()

    forge(order.id, attention=None)

    assert faults() == {"I9"}


def test_a_confirmed_order_without_its_goods_is_noticed():
    order = an_order(a_product(stock=2), 2, confirmed=True)

    release_holds(CAUSE, order.id)

    assert faults() == {"I9"}


def test_one_wish_cannot_become_two_orders():
    first, second = an_order(a_product()), an_order(a_product())

    with pytest.raises(IntegrityError), transaction():
        db.session.execute(update(Order).where(Order.id == second.id).values(placement_key=first.placement_key))


@pytest.mark.parametrize("rival", ["expires", "is cancelled", "is paid again"])
def test_money_and_its_rival_arrive_at_once_and_the_order_ends_in_one_way(app, bakery, rival):
    bread = a_product(stock=4)
    orders = [an_order(bread, pay="bank_transfer") for _ in range(4)]
    db.session.rollback()
    at = clock.now() + timedelta(days=2)

    def against(order_id):
        start = Barrier(2)

        def pay():
            set_payment_state(order_id, PaymentState.PAID, ALICIA)
            confirm_paid_order(order_id)

        rivals = {"expires": lambda: expire_order(order_id), "is cancelled": lambda: cancel_order(order_id, "", ALICIA),
                  "is paid again": lambda: confirm_paid_order(order_id)}  # fmt: skip

        def one(work):
            with app.app_context(), acting_for(bakery):
                start.wait(timeout=20)
                try:
                    work()
                except Refusal:
                    return

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, [pay, rivals[rival]]))

    with time_machine.travel(at):
        for order in orders:
            against(order.id)
        assert faults() == set()

    for order in orders:
        state, money, _goods = state_of(order.id)
        assert money == "paid"
        assert state == "confirmed" or order_by_id(order.id).attention


def test_confirming_a_lapsed_order_whose_goods_are_gone_changes_nothing():
    bread = a_product(stock=1)
    order = an_order(bread)

    with time_machine.travel(clock.now() + timedelta(days=3)):
        an_order(bread)
        with pytest.raises(OutOfStock):
            confirm_order(order.id, ALICIA)

    assert state_of(order.id) == ("requested", "unpaid", "none")
    assert faults() == set()
