"""Orders that count once their deposit is there: what is due now, what confirms, what lapses, and the rest."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from storefront.inventory.jobs import release_expired
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders import invariants as order_invariants
from storefront.orders import queries as order_queries
from storefront.orders.actions import AskTheShop, cancel_own_order, expire_order
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.states import WINDOWS
from storefront.payments import actions, gift_cards, ledger, queries, reconciling, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, PaymentAttempt
from storefront.payments.refunding import NotPaidInFull, Wish
from storefront.payments.transfers import record_transfer, take_back_transfer
from tests.factories.catalogue import a_product
from tests.factories.deposits import DEPOSIT, TOTAL, a_deposit_order
from tests.factories.gift_cards import a_card
from tests.factories.orders import ALICIA, DORA, an_order
from tests.orders.conftest import at_the_bakery
from tests.payments.test_several import faults, forget, refunds_of, some_money, state_of
from tests.reservations.test_concurrency import all_at_once

__all__ = ["at_the_bakery"]


def a_waiting_order(**how):
    found = a_deposit_order(**how).id
    forget()
    return found


def row_of(order_id):
    found = db.session.execute(
        select(Order.state, Order.payment_state, Order.received_minor, Order.expires_at).where(Order.id == order_id)
    ).one()
    forget()
    return found


def test_the_first_try_is_for_the_deposit_and_the_next_for_the_rest(at_the_bakery):
    order_id = a_waiting_order()

    record_transfer(order_id, ALICIA)
    jobs.drain()
    assert row_of(order_id)[:3] == (OrderState.CONFIRMED, PaymentState.PARTLY_PAID, DEPOSIT)
    assert ledger.balance(Account.RECEIVABLE, order_id) == TOTAL - DEPOSIT
    assert ledger.balance(Account.SALES, order_id) + ledger.balance(Account.TAX, order_id) == -TOTAL
    assert faults() == []
    record_transfer(order_id, ALICIA)

    amounts = db.session.scalars(select(PaymentAttempt.amount_minor).order_by(PaymentAttempt.id)).all()
    assert amounts == [DEPOSIT, TOTAL - DEPOSIT]
    assert state_of(order_id) == ("paid", TOTAL)
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


def test_a_deposit_that_is_known_stops_the_clock_and_one_that_was_a_slip_starts_it_again(at_the_bakery):
    order_id = a_waiting_order()
    some_money(order_id, 1_000)
    assert row_of(order_id).expires_at is not None

    record_transfer(order_id, ALICIA)  # two thousand: nothing moves on the payment's axis, and yet it is enough
    assert row_of(order_id)[1:] == (PaymentState.PARTLY_PAID, DEPOSIT, None)
    with clock.pretending(clock.now() + timedelta(days=30)):
        assert not expire_order(order_id)
    forget()
    with pytest.raises(AskTheShop):
        cancel_own_order(order_id, "", DORA)
    forget()
    assert not order_queries.order_by_id(order_id).customer_may_cancel
    take_back_transfer(order_id, ALICIA)

    again = row_of(order_id)
    assert (again.state, again.payment_state, again.received_minor) == ("awaiting_payment", "partly_paid", 1_000)
    assert again.expires_at is not None


def test_a_part_of_a_deposit_goes_back_when_the_order_lapses(at_the_bakery):
    order_id = a_waiting_order()
    some_money(order_id, DEPOSIT - 1)
    with clock.pretending(clock.now() + WINDOWS["bank_transfer"] + timedelta(hours=1)):
        assert expire_order(order_id)
        jobs.drain()

    assert row_of(order_id).state is OrderState.EXPIRED
    assert refunds_of(order_id) == [(DEPOSIT - 1, "too_late", DEPOSIT - 1)]
    assert faults() == []


@pytest.mark.parametrize("goods_are_gone", [False, True])
def test_a_deposit_that_comes_late_takes_its_goods_again_or_goes_back(at_the_bakery, goods_are_gone):
    product = a_product(stock=4)
    order_id = a_waiting_order(product=product)
    with clock.pretending(clock.now() + WINDOWS["bank_transfer"] + timedelta(hours=1)):
        assert expire_order(order_id)
        release_expired.run()
        if goods_are_gone:
            an_order(product, 4, confirmed=True)
        some_money(order_id, DEPOSIT)
        payment_jobs.give_back(order_id=order_id)  # the lapsing's own job comes after the money
        jobs.drain()

    found = row_of(order_id)
    kept = (OrderState.CONFIRMED, PaymentState.PARTLY_PAID)
    gone = (OrderState.EXPIRED, PaymentState.REFUND_PENDING)
    assert found[:2] == (gone if goods_are_gone else kept)
    assert refunds_of(order_id) == ([(DEPOSIT, "too_late", DEPOSIT)] if goods_are_gone else [])
    assert faults() == []


def test_a_gift_card_that_pays_the_deposit_confirms_the_order(at_the_bakery):
    issued = a_card(4_000)
    order = a_deposit_order()
    with transaction():
        gift_cards.redeem(order.id, issued.id, 4_000, DORA)
    jobs.drain()

    assert row_of(order.id)[:3] == (OrderState.CONFIRMED, PaymentState.PARTLY_PAID, 4_000)
    assert faults() == []


def test_a_second_deposit_counts_towards_the_rest_and_only_what_is_more_goes_back(app, bakery):
    with acting_for(bakery):
        order_id = a_waiting_order()

    ends = all_at_once(app, bakery, lambda _number: some_money(order_id, DEPOSIT + _number), threads=4)

    assert ends == {"done": 4}
    with acting_for(bakery):
        jobs.drain()
        assert row_of(order_id)[:3] == (OrderState.CONFIRMED, PaymentState.PAID, TOTAL)
        back = sum(amount for amount, _reason, _of in refunds_of(order_id))
        assert back == sum(DEPOSIT + number for number in range(4)) - TOTAL
        assert faults() == []


def test_a_deposit_and_its_lapsing_at_once_keep_the_order_or_send_it_back(app, bakery):
    with acting_for(bakery):
        order_ids = [a_waiting_order() for _ in range(4)]
        over = clock.now() + WINDOWS["bank_transfer"] + timedelta(hours=1)

    def one_of(number):
        order_id = order_ids[number // 2]
        with clock.pretending(over + timedelta(seconds=number)):
            return expire_order(order_id) if number % 2 else some_money(order_id, DEPOSIT)

    ends = all_at_once(app, bakery, one_of, threads=8)

    assert ends == {"done": 8}
    with acting_for(bakery), clock.pretending(over):
        jobs.drain()
        for order_id in order_ids:
            assert row_of(order_id)[:3] == (OrderState.CONFIRMED, PaymentState.PARTLY_PAID, DEPOSIT)
        assert faults() == []


def test_the_invariants_see_a_deposit_that_confirms_nothing_and_a_rest_that_nobody_owes(at_the_bakery, monkeypatch):
    order_id = a_waiting_order()
    some_money(order_id, DEPOSIT)
    assert [fault["invariant"] for fault in order_invariants.invariants()] == ["I9"]
    jobs.drain()
    assert faults() == []

    post = ledger.post
    monkeypatch.setattr(ledger, "post", lambda *a, kind, **k: kind != "received" and post(*a, kind=kind, **k))
    some_money(order_id, 500)

    assert [fault["owed_minor"] for fault in queries.owing()] == [500]
    assert [one.theirs_minor for one in reconciling._owing()] == [500]


def test_an_order_whose_rest_is_open_is_not_refunded_in_parts(at_the_bakery):
    order_id = a_waiting_order()
    record_transfer(order_id, ALICIA)
    jobs.drain()

    with pytest.raises(NotPaidInFull):
        refunding.refund_parts(order_id, Wish([], other_minor=100), ALICIA)

    forget()
    assert refunds_of(order_id) == []
    assert state_of(order_id) == ("partly_paid", DEPOSIT)


def test_nothing_is_opened_while_the_deposit_is_in_and_the_order_does_not_count_yet(at_the_bakery):
    order_id = a_waiting_order(pay="card")
    some_money(order_id, DEPOSIT)
    before = db.session.scalar(select(func.count(PaymentAttempt.id)))
    forget()

    for tried in (partial(actions.open_attempt, order_id, "card"), partial(actions.try_card_again, order_id, DORA)):
        with pytest.raises(actions.NothingToPay):
            tried()
        forget()

    assert db.session.scalar(select(func.count(PaymentAttempt.id))) == before


def test_without_what_is_due_now_a_try_would_be_for_the_whole(at_the_bakery, monkeypatch):
    """The twin that must fail."""
    monkeypatch.setattr(Order, "due_now_minor", property(lambda self: self.due_minor))
    order_id = a_waiting_order()
    record_transfer(order_id, ALICIA)

    [amount] = db.session.scalars(select(PaymentAttempt.amount_minor).where(PaymentAttempt.order_id == order_id))
    assert amount == TOTAL
    assert db.session.scalar(select(PaymentAttempt.state)) is AttemptState.SUCCEEDED
