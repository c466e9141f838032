"""What may be done with an order, and what may not."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from storefront.events import OrderPlaced
from storefront.inventory.actions import OutOfStock
from storefront.inventory.models import HoldState, StockHold
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import READABLE
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.states import IllegalTransition
from storefront.orders import moves
from storefront.orders.actions import (
    AskTheShop,
    CannotCancel,
    NotConfirmed,
    NotFinished,
    NotReturned,
    cancel_order,
    cancel_own_order,
    complete_order,
    confirm_order,
    confirm_paid_order,
    expire_order,
    hand_over,
    mark_ready,
    restock_returned,
    set_fulfilment_state,
    set_payment_state,
    settle_attention,
    unmark_ready,
)
from storefront.orders.models import Order, OrderEvent
from storefront.orders.queries import due_to_expire, invariants, order_by_id
from storefront.orders.states import (
    FULFILMENT_STATES,
    ORDER_STATES,
    PAYMENT_STATES,
    WINDOWS,
    Attention,
    FulfilmentState,
    OrderState,
    PaymentState,
)
from tests.factories.catalogue import OWNER, a_product
from tests.factories.orders import ALICIA, DORA, HOME, an_order
from tests.orders.conftest import set_price, state_of, trace_of

pytestmark = pytest.mark.usefixtures("at_the_bakery")


# --- placing ------------------------------------------------------------------------------------------------------


def test_an_order_holds_its_goods_for_as_long_as_its_way_of_payment_allows():
    product = a_product(stock=5)

    order = an_order(product, 2, pay="bank_transfer")

    assert available([product.variant_id]) == {product.variant_id: 3}
    hold = db.session.scalars(select(StockHold)).one()
    assert order.expires_at == order.placed_at + WINDOWS["bank_transfer"]
    assert hold.expires_at > order.expires_at
    assert state_of(order.id) == ("awaiting_payment", "unpaid", "none")


@pytest.mark.parametrize("pay", ["cash_on_delivery", "pay_at_shop"])
def test_an_order_paid_in_cash_waits_for_the_shops_word(pay):
    order = an_order(a_product(), pay=pay, address=HOME if pay == "cash_on_delivery" else None)

    assert state_of(order.id)[0] == "requested"


def test_an_order_freezes_what_was_agreed():
    product = a_product(price=11_600)
    order = an_order(product, 2, unit_minor=11_600)
    set_price(product, 99_999)

    seen = order_by_id(order.id)

    assert [(line.quantity, line.amount.minor) for line in seen.lines] == [(2, 23_200)]
    assert (seen.net_minor, seen.tax_minor, seen.total_minor) == (20_000, 3_200, 23_200)


def test_an_order_for_more_than_there_is_leaves_no_trace():
    product = a_product(stock=1)

    with pytest.raises(OutOfStock):
        an_order(product, 2)

    assert db.session.scalars(select(Order)).all() == []
    assert db.session.scalars(select(OutboxRow).where(OutboxRow.event == OrderPlaced.__name__)).all() == []
    assert available([product.variant_id]) == {product.variant_id: 1}


def test_a_code_can_be_read_aloud_and_never_repeats(monkeypatch):
    product = a_product()
    codes = iter(["AAAAAA", "AAAAAA", "BBBBBB"])
    first_real = an_order(product).code
    monkeypatch.setattr("storefront.orders.placing.new_code", lambda _length: next(codes))

    first, second = an_order(product).code, an_order(product).code

    assert len(first_real) == 6
    assert set(first_real) <= set(READABLE)
    assert (first, second) == ("AAAAAA", "BBBBBB")


# --- the axes -----------------------------------------------------------------------------------------------------


ILLEGAL = [
    *((before, after) for before in OrderState for after in OrderState if not ORDER_STATES.allows(before, after)),
    *((before, after) for before in PaymentState for after in PaymentState if not PAYMENT_STATES.allows(before, after)),
    *(
        (before, after)
        for before in FulfilmentState
        for after in FulfilmentState
        if not FULFILMENT_STATES.allows(before, after)
    ),
]
COLUMN = {OrderState: "state", PaymentState: "payment_state", FulfilmentState: "fulfilment_state"}


def test_every_step_that_the_tables_do_not_have_is_refused_and_leaves_no_trace():
    order_id = an_order(a_product()).id
    for before, after in ILLEGAL:
        with transaction():
            db.session.execute(update(Order).where(Order.id == order_id).values({COLUMN[type(before)]: before}))
        seen, trace = state_of(order_id), trace_of(order_id)

        with pytest.raises(IllegalTransition), transaction():
            moves.move(moves.locked(order_id), after, DORA)

        assert (state_of(order_id), trace_of(order_id)) == (seen, trace), (before, after)


def test_a_step_is_written_down_with_who_and_why():
    order = an_order(a_product())

    set_payment_state(order.id, PaymentState.PAID, ALICIA, "counter")

    step = db.session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc()).limit(1)).one()
    assert (step.axis, step.before, step.after) == ("payment", "unpaid", "paid")
    assert (step.actor_kind, step.actor_label, step.reason) == ("staff", "Alicia", "counter")


def test_doing_twice_what_is_already_so_changes_nothing():
    order = an_order(a_product(stock=3), confirmed=True)
    mark_ready(order.id, ALICIA)
    hand_over(order.id, ALICIA)
    trace = trace_of(order.id)

    confirm_order(order.id, ALICIA)
    hand_over(order.id, ALICIA)

    assert trace_of(order.id) == trace


# --- confirming ---------------------------------------------------------------------------------------------------


def test_a_confirmed_order_keeps_its_goods_without_end():
    product = a_product(stock=3)
    order = an_order(product, 2, confirmed=True)

    with time_machine.travel(clock.now() + timedelta(days=90)):
        assert available([product.variant_id]) == {product.variant_id: 1}
    assert state_of(order.id) == ("confirmed", "unpaid", "preparing")
    assert order_by_id(order.id).expires_at is None


def test_paid_money_confirms_by_itself():
    order = an_order(a_product(stock=1), pay="bank_transfer")

    assert confirm_paid_order(order.id)

    assert state_of(order.id)[0] == "confirmed"


def test_an_order_that_lapsed_comes_back_when_its_money_arrives_and_the_goods_are_still_there():
    product = a_product(stock=1)
    order = an_order(product, pay="bank_transfer")

    with time_machine.travel(clock.now() + timedelta(days=2)):
        expire_order(order.id)
        set_payment_state(order.id, PaymentState.PAID, ALICIA)
        kept = confirm_paid_order(order.id)

    assert kept
    assert state_of(order.id)[:2] == ("confirmed", "paid")
    assert available([product.variant_id]) == {product.variant_id: 0}
    assert invariants() == []


def test_late_money_for_goods_that_somebody_else_has_is_refused_and_a_person_is_asked_to_look():
    product = a_product(stock=1)
    order = an_order(product, pay="bank_transfer")

    with time_machine.travel(clock.now() + timedelta(days=2)):
        expire_order(order.id)
        an_order(product)
        set_payment_state(order.id, PaymentState.PAID, ALICIA)
        kept = confirm_paid_order(order.id)

    assert not kept
    assert state_of(order.id)[:2] == ("expired", "paid")
    assert order_by_id(order.id).attention is Attention.PAID_WITHOUT_STOCK
    assert available([product.variant_id]) == {product.variant_id: 0}
    assert invariants() == []


def test_an_order_refused_for_late_money_is_never_confirmed_behind_the_refunds_back():
    product = a_product(stock=1)
    order = an_order(product, pay="bank_transfer")
    with time_machine.travel(clock.now() + timedelta(days=2)):
        expire_order(order.id)
        other = an_order(product)
        confirm_paid_order(order.id)
        cancel_order(other.id, "", ALICIA)  # the goods are free again

        assert not confirm_paid_order(order.id)

    assert state_of(order.id)[0] == "expired"


def test_a_lapsed_hold_that_nobody_took_still_counts_when_the_shop_confirms():
    product = a_product(stock=1)
    order = an_order(product)

    with time_machine.travel(clock.now() + timedelta(days=3)):
        confirm_order(order.id, ALICIA)

    assert state_of(order.id)[0] == "confirmed"
    assert available([product.variant_id]) == {product.variant_id: 0}


def test_money_for_a_cancelled_order_is_refused():
    order = an_order(a_product(), pay="bank_transfer")
    cancel_order(order.id, "", ALICIA)

    assert not confirm_paid_order(order.id)

    assert state_of(order.id)[0] == "cancelled"
    assert order_by_id(order.id).attention is Attention.PAID_AFTER_CANCEL


# --- letting go ---------------------------------------------------------------------------------------------------


def test_cancelling_gives_back_what_was_held():
    product = a_product(stock=2)
    order = an_order(product, 2, confirmed=True)

    cancel_order(order.id, "no_stock", ALICIA)

    assert available([product.variant_id]) == {product.variant_id: 2}
    assert state_of(order.id) == ("cancelled", "unpaid", "none")


def test_what_has_left_the_shop_cannot_be_cancelled():
    product = a_product(stock=2)
    order = an_order(product, confirmed=True, address=HOME, pay="cash_on_delivery")
    hand_over(order.id, ALICIA)
    trace = trace_of(order.id)

    with pytest.raises(CannotCancel):
        cancel_order(order.id, "late", ALICIA)

    assert trace_of(order.id) == trace
    assert state_of(order.id)[2] == "shipped"


def test_a_customer_cancels_until_the_shop_has_confirmed():
    order = an_order(a_product())
    cancel_own_order(order.id, "", DORA)
    assert state_of(order.id)[0] == "cancelled"

    confirmed = an_order(a_product(), confirmed=True)
    trace = trace_of(confirmed.id)
    with pytest.raises(AskTheShop):
        cancel_own_order(confirmed.id, "", DORA)
    assert trace_of(confirmed.id) == trace


def test_cancelling_a_paid_order_asks_for_its_money_back():
    order = an_order(a_product(), pay="bank_transfer")
    set_payment_state(order.id, PaymentState.PAID, ALICIA)
    confirm_paid_order(order.id)

    cancel_order(order.id, "", ALICIA)

    assert order_by_id(order.id).attention is Attention.REFUND_DUE
    set_payment_state(order.id, PaymentState.REFUND_PENDING, ALICIA)
    assert order_by_id(order.id).attention is None


def test_an_order_lapses_when_its_time_is_over_and_not_before():
    product = a_product(stock=1)
    order = an_order(product, pay="card")
    assert not expire_order(order.id)
    assert due_to_expire() == []

    with time_machine.travel(clock.now() + timedelta(minutes=36)):
        assert due_to_expire() == [order.id]
        assert expire_order(order.id)
        assert not expire_order(order.id)
        assert available([product.variant_id]) == {product.variant_id: 1}

    assert state_of(order.id)[0] == "expired"


def test_a_proof_under_review_stops_the_clock_and_its_rejection_starts_it_again():
    product = a_product(stock=1)
    order = an_order(product, pay="bank_transfer")

    set_payment_state(order.id, PaymentState.PROOF_REVIEW, DORA)
    with time_machine.travel(clock.now() + timedelta(days=5)):
        assert not expire_order(order.id)
        assert available([product.variant_id]) == {product.variant_id: 0}
        set_payment_state(order.id, PaymentState.UNPAID, ALICIA, "blurred")
        assert not expire_order(order.id)

    with time_machine.travel(clock.now() + timedelta(days=7)):
        assert expire_order(order.id)


# --- handing over -------------------------------------------------------------------------------------------------


def test_an_order_that_does_not_count_cannot_be_made_ready():
    order = an_order(a_product())
    trace = trace_of(order.id)

    with pytest.raises(NotConfirmed):
        mark_ready(order.id, ALICIA)

    assert trace_of(order.id) == trace


def test_ready_can_be_taken_back():
    order = an_order(a_product(), confirmed=True)
    mark_ready(order.id, ALICIA)

    unmark_ready(order.id, ALICIA)

    assert state_of(order.id)[2] == "preparing"


def test_handing_over_uses_up_the_stock_once():
    product = a_product(stock=5)
    order = an_order(product, 2, confirmed=True)

    hand_over(order.id, ALICIA)
    hand_over(order.id, ALICIA)

    holds = db.session.scalars(select(StockHold.state)).all()
    assert holds == [HoldState.CONSUMED]
    assert available([product.variant_id]) == {product.variant_id: 3}


def test_delivered_and_paid_completes_in_either_order():
    first, second = an_order(a_product(), confirmed=True), an_order(a_product(), confirmed=True)

    hand_over(first.id, ALICIA)
    assert state_of(first.id)[0] == "confirmed"
    set_payment_state(first.id, PaymentState.PAID, ALICIA)
    set_payment_state(second.id, PaymentState.PAID, ALICIA)
    hand_over(second.id, ALICIA)

    assert state_of(first.id) == state_of(second.id) == ("completed", "paid", "delivered")


def test_an_order_is_not_closed_while_something_is_missing():
    order = an_order(a_product(), confirmed=True)
    trace = trace_of(order.id)

    with pytest.raises(NotFinished):
        complete_order(order.id, ALICIA)

    assert trace_of(order.id) == trace


def test_a_payment_noted_by_mistake_reopens_the_order():
    order = an_order(a_product(), confirmed=True)
    hand_over(order.id, ALICIA)
    set_payment_state(order.id, PaymentState.PAID, ALICIA)

    set_payment_state(order.id, PaymentState.UNPAID, ALICIA, "mistake")

    assert state_of(order.id) == ("confirmed", "unpaid", "delivered")


def test_what_came_back_can_be_sold_again_once():
    product = a_product(stock=2)
    order = an_order(product, 2, confirmed=True, address=HOME, pay="cash_on_delivery")
    hand_over(order.id, ALICIA)
    with pytest.raises(NotReturned):
        restock_returned(order.id, OWNER)

    set_fulfilment_state(order.id, FulfilmentState.RETURNED, ALICIA)
    assert restock_returned(order.id, OWNER) == 2
    assert restock_returned(order.id, OWNER) == 0

    assert available([product.variant_id]) == {product.variant_id: 2}


def test_somebody_looked():
    order = an_order(a_product(), pay="bank_transfer")
    cancel_order(order.id, "", ALICIA)
    confirm_paid_order(order.id)

    settle_attention(order.id, ALICIA)

    assert order_by_id(order.id).attention is None
