"""What must always be true is asked of the database, and a broken database is noticed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from storefront.checkout.actions import place
from storefront.checkout.invariants import invariants as checkout_faults
from storefront.customers.farewell import forget_guest
from storefront.inventory.actions import OutOfStock, release_holds
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.idempotency import IdempotencyKey
from storefront.kernel.invariants import invariants as kernel_faults
from storefront.kernel.jobs import drain
from storefront.kernel.mail import MailMessage
from storefront.kernel.outbox import OutboxRow
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
from storefront.orders.queries import invariants, order_by_id, order_by_token
from storefront.orders.states import OrderState, PaymentState
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, PHONE, a_cart, an_order, details_for
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


# --- kept elsewhere than in the orders' own tables ------------------------------------------------------------------


def found(*looks):
    """The numbers of what is wrong."""
    told = {fault["invariant"] for look in looks for fault in look()}
    db.session.rollback()
    return told


def placed():
    """An order as a buyer places it, with the form's key."""
    cart = a_cart(a_product(stock=2))
    return cart, order_by_token(place(cart.token, details_for(cart), "key", DORA).order_token)


def test_an_order_that_was_promised_and_is_not_there_is_noticed():
    cart, _order = placed()
    again = place(cart.token, details_for(cart), "another key", DORA)
    assert again.repeated
    assert found(checkout_faults) == set()

    with transaction():
        db.session.execute(
            update(IdempotencyKey).where(IdempotencyKey.key == "another key").values(response={"order": "gone"})
        )

    assert found(checkout_faults) == {"I8"}


def test_an_order_that_nobody_asked_for_is_noticed():
    _cart, order = placed()

    forge(order.id, placement_key="cart:99:key")

    assert [fault["order"] for fault in checkout_faults()][-1] == order.code


def test_who_was_forgotten_still_had_what_was_promised(bakery):
    _cart, order = placed()
    cancel_order(order.id, "", ALICIA)

    forget_guest(PHONE, ALICIA, "asked")

    assert order_by_id(order.id).token != order.token
    assert found(checkout_faults) == set()


def test_an_order_that_counts_and_was_announced_to_nobody_is_noticed():
    order = an_order(a_product(), confirmed=True)
    drain()
    assert faults() == set()

    with transaction():
        db.session.execute(delete(MailMessage).where(MailMessage.once == f"order-confirmed:{order.id}"))

    assert faults() == {"I14"}


def test_a_job_that_nobody_takes_is_noticed_and_one_among_the_dead_letters_is_not():
    an_order(a_product())
    assert found(kernel_faults) == set()

    with clock.pretending(clock.now() + timedelta(hours=2)):
        assert found(kernel_faults) == {"I11"}
        with transaction():
            db.session.execute(update(OutboxRow).values(dead_at=clock.now()))
        assert found(kernel_faults) == set()


def test_a_row_that_points_to_another_shops_or_to_nothing_is_noticed(database, crafts):
    order = an_order(a_product())
    with acting_for(crafts):
        theirs = an_order(a_product())
    assert found(kernel_faults) == set()

    # As a superuser for whom keys do not hold; a restore of half a backup would leave the like behind.
    for foreign in (theirs.id, 10**9):
        database.connection.execute(
            "UPDATE order_lines SET order_id = %s WHERE tenant_id = %s AND order_id = %s",
            (foreign, order.tenant_id, order.id),
        )
        lost = [fault for fault in kernel_faults() if fault["invariant"] == "I13"]
        db.session.rollback()
        assert [(fault["table"], fault["rows"]) for fault in lost] == [("order_lines", 1)]
        database.connection.execute(
            "UPDATE order_lines SET order_id = %s WHERE tenant_id = %s", (order.id, order.tenant_id)
        )
    assert found(kernel_faults) == set()
