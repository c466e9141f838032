"""A card's page that was opened for a bill that changed since: nobody pays the old bill, and what was paid counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront.changes.answering import agree
from storefront.changes.models import Agreement
from storefront.changes.proposing import Wish, propose
from storefront.cli import INVARIANTS
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.payments import ledger
from storefront.payments.actions import NothingToPay, start_card
from storefront.payments.models import AttemptState, PaymentAttempt, Refund
from tests.factories.orders import ALICIA, DORA


def change(till, quantity):
    """The customer agrees to another quantity."""
    proposed = propose(till.order_id, Wish({1: quantity}, {}), "asked", "", ALICIA)
    agree(proposed.id, DORA, Agreement.PAGE)
    db.session.rollback()


def attempts(till):
    found = db.session.execute(
        select(PaymentAttempt.state, PaymentAttempt.amount_minor)
        .where(PaymentAttempt.order_id == till.order_id)
        .order_by(PaymentAttempt.id)
    ).all()
    db.session.rollback()
    return [tuple(row) for row in found]


def payment(till):
    state = db.session.scalar(select(Order.payment_state).where(Order.id == till.order_id))
    db.session.rollback()
    return state


def state(till):
    found = db.session.scalar(select(Order.state).where(Order.id == till.order_id))
    db.session.rollback()
    return found


def faults():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    return found


def test_the_old_page_is_closed_and_the_new_one_asks_for_the_new_total(till):
    till = till(stock=9)
    till.start()
    change(till, 3)
    till.work()

    assert not till.pay(0)
    assert till.start()
    till.pay()
    till.webhook()

    assert attempts(till) == [(AttemptState.CANCELLED, 5_000), (AttemptState.SUCCEEDED, 7_500)]
    assert payment(till) is PaymentState.PAID
    assert ledger.money_held(till.order_id) == till.captured_minor() == 7_500
    assert faults() == []


def test_an_old_bill_that_was_paid_all_the_same_counts_and_the_rest_is_still_due(till):
    till = till(stock=9)
    till.start()
    till.pay()
    change(till, 3)  # the notice of the payment is not there yet
    till.webhook()
    till.work()

    assert payment(till) is PaymentState.PARTLY_PAID
    assert state(till) is OrderState.AWAITING_PAYMENT
    assert db.session.scalars(select(Refund)).all() == []

    assert till.start()
    till.pay()
    till.webhook()
    till.work()

    assert (payment(till), state(till)) == (PaymentState.PAID, OrderState.CONFIRMED)
    assert [amount for how, amount in attempts(till) if how is AttemptState.SUCCEEDED] == [5_000, 2_500]
    assert ledger.money_held(till.order_id) == till.captured_minor() == 7_500
    assert faults() == []


def test_part_of_the_price_of_an_order_that_lapses_goes_back(till):
    till = till(stock=9)
    till.start()
    till.pay()
    change(till, 3)
    till.webhook()
    till.work()
    with clock.pretending(clock.now() + timedelta(days=1)):
        till.expire()
        till.work()

    assert (payment(till), state(till)) == (PaymentState.REFUNDED, OrderState.EXPIRED)
    assert ledger.money_held(till.order_id) == till.captured_minor() == 0
    assert faults() == []


def test_an_old_bill_that_was_paid_all_the_same_sends_back_what_is_too_much_now(till):
    till = till(stock=9)
    till.start()
    till.pay()
    change(till, 1)
    till.webhook()
    till.work()

    refund = db.session.scalars(select(Refund)).one()
    assert (refund.amount_minor, refund.reason, str(refund.state)) == (2_500, "duplicate", "done")
    assert (payment(till), state(till)) == (PaymentState.PAID, OrderState.CONFIRMED)
    assert ledger.money_held(till.order_id) == till.captured_minor() == 2_500
    assert faults() == []


def test_a_page_that_was_being_opened_while_the_bill_changed_is_not_shown(till, monkeypatch):
    till = till(stock=9)
    from storefront.payments import door

    open_checkout = door.gateway().open_checkout

    def slow(**wish):
        page = open_checkout(**wish)
        monkeypatch.undo()
        change(till, 3)
        return page

    monkeypatch.setattr(door.gateway(), "open_checkout", slow)

    with pytest.raises(NothingToPay):
        start_card(till.attempt())

    assert not till.pay(0)
    assert attempts(till)[0] == (AttemptState.CANCELLED, 5_000)
    assert till.start()


def test_a_paid_card_order_that_gets_cheaper_gets_the_difference_back_by_itself(till):
    till = till(stock=9)
    till.start()
    till.pay()
    till.webhook()
    change(till, 1)
    assert payment(till) is PaymentState.REFUND_PENDING
    till.work()

    assert payment(till) is PaymentState.PAID
    assert ledger.money_held(till.order_id) == till.captured_minor() == 2_500
    assert faults() == []
