"""Cancelling an order whose deposit came: what was agreed says what may be kept, and what is kept is a sale."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront.delivery import handing
from storefront.kernel import clock, jobs
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders import actions as orders
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_id
from storefront.payments import jobs as payment_jobs
from storefront.payments import kept, ledger, queries, refunding
from storefront.payments.kept import MayNotKeep, most_to_keep
from storefront.payments.ledger import Account
from storefront.payments.models import Refund
from storefront.payments.transfers import record_transfer
from storefront.receipts import actions as receipts
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.paper import receipt_pdf
from storefront.receipts.queries import papers_of_order
from tests.factories.deposits import DEPOSIT, TOTAL, a_deposit_order
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA
from tests.orders.conftest import at_the_bakery
from tests.payments.test_several import faults, forget, refunds_of, some_money, state_of
from tests.receipts.test_accounts import agrees_with_the_ledger, the_file
from tests.reservations.test_concurrency import all_at_once

__all__ = ["at_the_bakery"]


def a_confirmed_order(**how):
    """An order whose deposit came by transfer, and does not go back unless it is said."""
    order_id = a_deposit_order(**{"refundable": False, **how}).id
    record_transfer(order_id, ALICIA)
    jobs.drain()
    forget()
    return order_id


def balances(order_id):
    found = {account: minor for account in Account if (minor := ledger.balance(account, order_id))}
    forget()
    return found


def send_all_back():
    for code in db.session.scalars(select(Refund.code).where(Refund.state == "external")).all():
        refunding.mark_sent_back(code, ALICIA)
    forget()


def test_a_deposit_that_is_kept_is_a_sale_with_its_tax_and_nothing_is_owed(at_the_bakery):
    order_id = a_confirmed_order()

    handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
    jobs.drain()
    payment_jobs.settle_cancelled(order_id=order_id)  # twice is once

    tax = order_by_id(order_id).tax_minor * DEPOSIT // TOTAL
    assert balances(order_id) == {Account.BANK: DEPOSIT, Account.SALES: tax - DEPOSIT, Account.TAX: -tax}
    assert refunds_of(order_id) == []
    order = order_by_id(order_id)
    assert (order.state, order.payment_state, order.attention) == (OrderState.CANCELLED, PaymentState.PARTLY_PAID, None)
    assert faults() == []
    letter = db.session.scalar(select(MailMessage.body_text).where(MailMessage.once.startswith("order-cancelled")))
    assert "la tienda se queda con $30.00 de anticipo" in letter
    assert "va de regreso" not in letter


def test_what_was_paid_beyond_the_deposit_goes_back_and_the_shop_may_give_more(at_the_bakery):
    order_id = a_confirmed_order()
    record_transfer(order_id, ALICIA)  # the rest
    jobs.drain()

    handing.cancel(order_id, "", ALICIA, kept_minor=1_000)
    jobs.drain()
    send_all_back()

    assert sum(amount for amount, _why, _of in refunds_of(order_id)) == TOTAL - 1_000
    assert state_of(order_id)[0] == "partly_refunded"
    assert ledger.money_held(order_id) == 1_000
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


@pytest.mark.parametrize(
    ("how", "most"),
    [
        ({"refundable": False}, DEPOSIT),
        ({"refundable": True}, 0),
        ({"refundable": True, "back_until": timedelta(hours=1)}, 0),
        ({"refundable": True, "back_until": timedelta(hours=-1)}, DEPOSIT),
    ],
    ids=["never", "until it is packed", "still", "no more"],
)
def test_more_than_was_agreed_is_never_kept(at_the_bakery, how, most):
    until = how.get("back_until")
    order_id = a_confirmed_order(**how | ({"back_until": clock.now() + until} if until else {}))
    assert most_to_keep(order_by_id(order_id)) == most

    for wanted in (most + 1, -1):
        with pytest.raises(MayNotKeep):
            handing.cancel(order_id, "", ALICIA, kept_minor=wanted)
        forget()

    assert order_by_id(order_id).state is OrderState.CONFIRMED
    assert refunds_of(order_id) == []
    assert faults() == []


def test_a_deposit_of_goods_is_the_shops_once_they_are_packed(at_the_bakery):
    order_id = a_confirmed_order(refundable=True)
    orders.mark_ready(order_id, ALICIA)

    assert most_to_keep(order_by_id(order_id)) == DEPOSIT


def test_the_rest_that_comes_after_the_cancelling_goes_back_and_what_is_kept_stays(at_the_bakery):
    order_id = a_confirmed_order()
    handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
    jobs.drain()

    some_money(order_id, TOTAL - DEPOSIT)
    jobs.drain()
    send_all_back()

    assert sum(amount for amount, _why, _of in refunds_of(order_id)) == TOTAL - DEPOSIT
    assert ledger.money_held(order_id) == DEPOSIT
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


def test_a_rest_and_a_cancelling_at_once_keep_the_deposit_and_nothing_more(app, bakery):
    with acting_for(bakery):
        order_ids = [a_confirmed_order() for _ in range(4)]

    def one_of(number):
        order_id = order_ids[number // 2]
        if number % 2:
            return handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
        return some_money(order_id, TOTAL - DEPOSIT + number)

    ends = all_at_once(app, bakery, one_of, threads=8)

    assert ends == {"done": 8}
    with acting_for(bakery):
        jobs.drain()
        send_all_back()
        for order_id in order_ids:
            assert ledger.money_held(order_id) == DEPOSIT
            forget()
        assert faults() == []


def test_what_was_kept_can_be_given_back_once(at_the_bakery):
    order_id = a_confirmed_order()
    handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
    kept.give_back(order_id, ALICIA)  # before the books have it
    jobs.drain()
    assert kept.give_back(order_id, ALICIA) == []
    send_all_back()

    assert refunds_of(order_id) == [(DEPOSIT, "goodwill", DEPOSIT)]
    assert balances(order_id) == {}
    assert state_of(order_id)[0] == "refunded"
    assert faults() == []


def test_the_receipt_of_the_order_is_taken_back_and_one_for_what_is_kept_can_be_made(at_the_bakery):
    order_id = a_confirmed_order()
    issue_receipt(order_id, Buyer(), ALICIA)
    handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
    jobs.drain()

    made = issue_receipt(order_id, Buyer(), ALICIA)
    receipts.take_back_of_order(order_id)  # told once more that the order was cancelled

    assert (made.total_minor, made.net_minor + made.tax_minor) == (DEPOSIT, DEPOSIT)
    papers = papers_of_order(order_id)
    assert [paper.is_open for paper in papers if paper.number == made.number and paper.kind == "receipt"] == [True]
    assert b"%PDF" in b"".join([receipt_pdf(one) for one in papers if one.number == made.number][:1])[:10]


def test_the_accountants_file_has_what_is_kept(bakery, within):
    with within(bakery):
        order_id = a_confirmed_order()
        handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
        jobs.drain()
        agrees_with_the_ledger(the_file())
        assert "Anticipo que se queda" in str(the_file())


def test_the_invariant_sees_a_kept_deposit_that_the_books_do_not_have(at_the_bakery, monkeypatch):
    """The twin that must fail."""
    monkeypatch.setattr(kept, "book", lambda order: None)
    order_id = a_confirmed_order()
    handing.cancel(order_id, "", ALICIA, kept_minor=DEPOSIT)
    jobs.drain()

    assert [fault["owed_minor"] for fault in queries.owing()] == [-DEPOSIT]


def test_the_desk_suggests_what_was_agreed_and_keeps_nothing_for_a_reason_of_the_shops(app, bakery, cast, client_at):
    with acting_for(bakery):
        order_id = a_confirmed_order()
        code = order_by_id(order_id).code
        forget()
    desk = Desk(app, client_at("app"), cast.staff["alicia"])
    page = desk.get(f"/pedidos/{code}/cancelacion").text
    assert "te puedes quedar con $30.00 de anticipo" in page
    assert 'value="30.00"' in page or 'value="30"' in page

    own = desk.send(f"/pedidos/{code}/cancelacion", {"why": "no_stock", "kept": "30"})
    assert own.status_code == 422
    assert "devuelve todo el anticipo" in own.text
    more = desk.send(f"/pedidos/{code}/cancelacion", {"why": "customer_asked", "kept": "30.01"})
    assert more.status_code == 409
    assert 'value="30.01"' in more.text
    assert desk.send(f"/pedidos/{code}/cancelacion", {"why": "customer_asked", "kept": "30"}).status_code == 303

    page = desk.get(f"/pedidos/{code}").text
    assert "Te quedaste con $30.00 de anticipo" in page
    assert "Por cobrar" not in page, "nobody owes the rest of what was cancelled"
    with acting_for(bakery):
        assert db.session.scalar(select(Order.kept_minor).where(Order.id == order_id)) == DEPOSIT
    assert desk.send(f"/pedidos/{code}/anticipo").status_code == 303
    with acting_for(bakery):
        assert db.session.scalar(select(Order.kept_minor).where(Order.id == order_id)) == 0


def test_a_cancelled_order_says_which_sum_goes_back_and_where_it_is_noted(app, bakery, cast, client_at):
    with acting_for(bakery):
        order_id = a_confirmed_order()
        code = order_by_id(order_id).code
        handing.cancel(order_id, "", ALICIA, kept_minor=1_000)
        forget()
    desk = Desk(app, client_at("app"), cast.staff["alicia"])

    at_once = desk.get(f"/pedidos/{code}").text
    assert "Van de regreso $20.00" in at_once
    assert "Por cobrar" not in at_once
    with acting_for(bakery):
        jobs.drain()
        refund = db.session.scalar(select(Refund.code).where(Refund.order_id == order_id))
        forget()
    today = desk.get("/hoy").text
    assert "1 devolución de dinero por hacer" in today
    decided = desk.get(f"/pedidos/{code}").text
    assert "Devuélvele $20.00 a" in decided
    assert f"/devoluciones/{refund}/hecha" in decided
    assert "Por cobrar" not in decided
    assert desk.send(f"/devoluciones/{refund}/hecha").status_code == 303
    assert "Devuélvele $20.00" not in desk.get(f"/pedidos/{code}").text
