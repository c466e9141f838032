"""Several payments for one order: each counts as far as something is due, what is on top goes back, and refunds choose
among them by one rule."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.delivery.actions import cash_due
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders import queries as order_queries
from storefront.orders.actions import cancel_order, confirm_order
from storefront.orders.models import Order, PaymentState
from storefront.orders.moves import locked
from storefront.payments import actions, ledger, receiving, refunding, transfers
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, PaymentAttempt, Refund, RefundPart
from storefront.payments.refunding import WantedLine, Wish
from storefront.payments.returns import Part, cut
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order
from tests.orders.conftest import at_the_bakery
from tests.reservations.test_concurrency import all_at_once

__all__ = ["at_the_bakery"]


def a_sale(quantity=2, pay="cash_on_delivery"):
    """A confirmed order of so many pieces of 25.00 that is booked and not paid."""
    order = an_order(a_product(stock=9), quantity, pay=pay)
    confirm_order(order.id, ALICIA)
    actions.book_sale(order.id)
    forget()
    return order.id


def forget():
    db.session.rollback()
    db.session.expunge_all()


def some_money(order_id, amount_minor):
    """A transfer of so much came for an order."""
    with transaction():
        order = locked(order_id)
        attempt = PaymentAttempt(
            order_id=order_id, method="bank_transfer", state=AttemptState.CREATED, amount_minor=amount_minor,
            currency=order.currency, key=f"part:{clock.now().isoformat()}:{amount_minor}", created_at=clock.now(),
        )  # fmt: skip
        db.session.add(attempt)
        db.session.flush()
        transfers.receive(order, attempt, ALICIA)


def state_of(order_id):
    row = db.session.execute(select(Order.payment_state, Order.received_minor).where(Order.id == order_id)).one()
    forget()
    return str(row.payment_state), row.received_minor


def refunds_of(order_id):
    rows = db.session.execute(
        select(Refund.amount_minor, Refund.reason, PaymentAttempt.amount_minor.label("of"))
        .join(PaymentAttempt, PaymentAttempt.id == Refund.attempt_id)
        .where(Refund.order_id == order_id)
        .order_by(Refund.id)
    ).all()
    forget()
    return [tuple(row) for row in rows]


def faults():
    found = [fault for look in INVARIANTS for fault in look()]
    forget()
    return found


# --- counting -----------------------------------------------------------------------------------------------------


def test_an_order_is_paid_when_nothing_is_due(at_the_bakery):
    order_id = a_sale()

    some_money(order_id, 2_000)
    assert state_of(order_id) == ("partly_paid", 2_000)
    some_money(order_id, 3_000)

    assert state_of(order_id) == ("paid", 5_000)
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


def test_what_is_more_than_due_goes_back_and_no_more(at_the_bakery):
    order_id = a_sale()

    some_money(order_id, 2_000)
    some_money(order_id, 4_500)

    assert state_of(order_id) == ("paid", 5_000)
    assert refunds_of(order_id) == [(1_500, "duplicate", 4_500)]
    assert faults() == []


def test_without_the_look_at_what_is_due_more_is_kept_than_the_total_and_the_invariant_says_so(
    at_the_bakery, monkeypatch
):
    order_id = a_sale()
    monkeypatch.setattr(Order, "due_minor", property(lambda self: 10**9))

    some_money(order_id, 2_000)
    some_money(order_id, 4_500)

    assert [fault["invariant"] for fault in receiving.invariants()] == ["I7"]


def test_the_next_try_is_for_what_is_due(at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 1_200)

    actions.record_cash(order_id, ALICIA)

    assert state_of(order_id) == ("paid", 5_000)
    assert ledger.balance(Account.CASH, order_id) == 3_800
    assert faults() == []


def test_taking_the_second_payment_back_leaves_the_first(at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 1_200)
    actions.record_cash(order_id, ALICIA)

    actions.take_back_cash(order_id, ALICIA)

    assert state_of(order_id) == ("partly_paid", 1_200)
    assert ledger.balance(Account.CASH, order_id) == 0
    assert faults() == []


def test_nothing_is_opened_when_nothing_is_due(at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 5_000)
    before = db.session.scalar(select(func.count(PaymentAttempt.id)))
    forget()

    with pytest.raises(actions.NothingToPay):
        actions.open_attempt(order_id, "cash_on_delivery")

    forget()
    assert db.session.scalar(select(func.count(PaymentAttempt.id))) == before


def test_a_courier_collects_what_is_due_and_the_pages_say_so(bakery, at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 1_200)

    assert cash_due(db.session.get(Order, (bakery.id, order_id))) == 3_800
    assert order_queries.order_by_id(order_id).due.minor == 3_800
    assert order_queries.order_list("", 1).items[0].due.minor == 3_800


def test_two_payments_at_once_never_count_for_more_than_the_total(app, bakery):
    with acting_for(bakery):
        order_id = a_sale()

    ends = all_at_once(app, bakery, lambda number: some_money(order_id, 1_000 + number), threads=8)

    assert ends == {"done": 8}
    with acting_for(bakery):
        assert state_of(order_id) == ("paid", 5_000)
        assert sum(amount for amount, _reason, _of in refunds_of(order_id)) == sum(range(1_000, 1_008)) - 5_000
        assert faults() == []


# --- sending back -------------------------------------------------------------------------------------------------


def test_money_goes_back_from_the_oldest_payment_first(at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 2_000)
    some_money(order_id, 3_000)

    refunding.refund_order(order_id, "asked", ALICIA, 2_500)

    assert refunds_of(order_id) == [(2_000, "asked", 2_000), (500, "asked", 3_000)]
    assert faults() == []


def test_parts_that_need_two_payments_are_two_refunds_whose_sums_are_the_parts(at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 2_000)
    some_money(order_id, 3_000)

    refunding.refund_parts(order_id, Wish([WantedLine(1, 1)], reason="damaged"), ALICIA)

    assert refunds_of(order_id) == [(2_000, "damaged", 2_000), (500, "damaged", 3_000)]
    line = order_queries.order_by_id(order_id).lines[0]
    assert line.refunded_quantity == 1
    assert -ledger.balance(Account.RECEIVABLE, order_id) == 2_500
    assert faults() == []


def test_a_cancelled_order_sends_every_part_back(at_the_bakery):
    order_id = a_sale()
    some_money(order_id, 2_000)
    jobs.drain()
    cancel_order(order_id, "", ALICIA)

    jobs.drain()

    assert refunds_of(order_id) == [(2_000, "cancelled", 2_000)]
    assert state_of(order_id)[0] == str(PaymentState.REFUND_PENDING)
    assert faults() == []


@given(
    amounts=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 100)), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 25_000), max_size=3),
)
def test_cut_parts_add_up_whatever_the_cuts(amounts, cuts):
    parts = [
        Part(RefundPart.OTHER, f"{number}", number + 1, amount, amount * share // 100)
        for number, (amount, share) in enumerate(amounts)
    ]
    whole = sum(part.amount_minor for part in parts)
    marks = sorted({min(one, whole) for one in cuts} | {0, whole})
    pieces = [after - before for before, after in pairwise(marks)] or [0]

    found = cut(parts, pieces)

    assert [sum(part.amount_minor for part in piece) for piece in found] == pieces
    for part in parts:
        mine = [one for piece in found for one in piece if one.name == part.name]
        assert sum(one.amount_minor for one in mine) == part.amount_minor
        assert sum(one.tax_minor for one in mine) == part.tax_minor
        assert sum(one.quantity for one in mine) == part.quantity
        assert all(one.net_minor >= 0 and one.tax_minor >= 0 for one in mine)
