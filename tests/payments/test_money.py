"""Paying an order in each way, and all that can go wrong with it."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.kernel import clock, inbox
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.inbox import InboxRow
from storefront.kernel.media import NotAPicture
from storefront.kernel.storage import storage
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, expire_order
from storefront.orders.models import Order
from storefront.orders.states import OrderState, PaymentState
from storefront.payments import actions, ledger, proofs, queries, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, LedgerEntry, PaymentAttempt, Refund, RefundState, TransferProof
from storefront.payments.provider import GatewayUnavailable
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.factories.payments import a_photo
from tests.payments.conftest import SECRET, connect


def order_now(order_id):
    """The order, freshly read."""
    row = db.session.execute(
        select(Order.state, Order.payment_state, Order.attention).where(Order.id == order_id)
    ).one()
    db.session.rollback()
    return row


def count(model):
    found = db.session.scalar(select(func.count()).select_from(model))
    db.session.rollback()
    return found


# --- transfers ----------------------------------------------------------------------------------------------------


def test_an_accepted_proof_pays_and_confirms_the_order_and_the_books_agree(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), 2, pay="bank_transfer")
        proof = proofs.submit_proof(order.id, a_photo(), "SPEI 123", DORA)
        assert order_now(order.id).payment_state is PaymentState.PROOF_REVIEW

        proofs.accept_proof(proof.code, ALICIA)
    drain(bakery)

    with acting_for(bakery):
        now = order_now(order.id)
        assert (now.state, now.payment_state) == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.BANK) == order.total_minor
        assert ledger.balance(Account.RECEIVABLE, order.id) == 0
        assert ledger.balance(Account.SALES) == -order.net_minor
        assert ledger.balance(Account.TAX) == -order.tax_minor
        assert queries.invariants() == []


def test_a_proof_that_is_no_picture_is_refused_and_nothing_is_kept(bakery):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), pay="bank_transfer")
        kept = storage().keys(f"{bakery.id}/private/")

        with pytest.raises(NotAPicture):
            proofs.submit_proof(order.id, io.BytesIO(b"<html>Pagado</html>"), "", DORA)

        assert order_now(order.id).payment_state is PaymentState.UNPAID
        assert count(TransferProof) == 0
        assert storage().keys(f"{bakery.id}/private/") == kept


def test_a_second_proof_while_one_is_looked_at_is_refused_and_its_picture_is_not_kept(bakery):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), pay="bank_transfer")
        proofs.submit_proof(order.id, a_photo(), "", DORA)
        kept = storage().keys(f"{bakery.id}/private/")

        with pytest.raises(proofs.AlreadySent):
            proofs.submit_proof(order.id, a_photo("red"), "", DORA)

        assert count(TransferProof) == 1
        assert storage().keys(f"{bakery.id}/private/") == kept


def test_a_rejected_proof_leaves_the_order_unpaid_and_lets_another_be_sent(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), pay="bank_transfer")
        first = proofs.submit_proof(order.id, a_photo(), "", DORA)
        proofs.reject_proof(first.code, "No se lee el importe.", ALICIA)
        assert order_now(order.id).payment_state is PaymentState.FAILED
        assert ledger.balance(Account.BANK) == 0

        with pytest.raises(proofs.AlreadyReviewed):
            proofs.accept_proof(first.code, ALICIA)

        second = proofs.submit_proof(order.id, a_photo("blue"), "", DORA)
        proofs.accept_proof(second.code, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        assert order_now(order.id).state is OrderState.CONFIRMED


def test_the_same_picture_in_two_orders_is_pointed_out(bakery):
    with acting_for(bakery):
        one = an_order(a_product(stock=9), pay="bank_transfer")
        other = an_order(a_product(stock=9), pay="bank_transfer")
        proofs.submit_proof(one.id, a_photo(), "", DORA)
        proofs.submit_proof(other.id, a_photo(), "", DORA)

        assert [proof.same_picture for proof in queries.proofs_to_review().items] == [1, 1]


def test_another_shops_proof_does_not_exist(bakery, crafts):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), pay="bank_transfer")
        code = proofs.submit_proof(order.id, a_photo(), "", DORA).code
    with acting_for(crafts), pytest.raises(NotFound):
        proofs.accept_proof(code, ALICIA)
    with acting_for(bakery):
        assert order_now(order.id).payment_state is PaymentState.PROOF_REVIEW


# --- cash ---------------------------------------------------------------------------------------------------------


def test_cash_noted_twice_is_booked_once_and_can_be_taken_back(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), confirmed=True)
        actions.record_cash(order.id, ALICIA)
        actions.record_cash(order.id, ALICIA)
        assert ledger.balance(Account.CASH) == order.total_minor

        actions.take_back_cash(order.id, ALICIA)
        assert ledger.balance(Account.CASH) == 0
        assert order_now(order.id).payment_state is PaymentState.UNPAID

        actions.record_cash(order.id, ALICIA)
        assert ledger.balance(Account.CASH) == order.total_minor
    drain(bakery)
    with acting_for(bakery):
        assert queries.invariants() == []


def test_cash_is_not_noted_for_an_order_paid_in_another_way(bakery):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), pay="bank_transfer")
        with pytest.raises(actions.NotCash):
            actions.record_cash(order.id, ALICIA)
        assert count(LedgerEntry) == 0


# --- cards --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(bakery, stand_in):
    return connect(bakery, stand_in)


def charged(stand_in, shop):
    """The provider's own book, without the platform's fee."""
    book = stand_in.book(shop.payment_account)
    return [(line.kind, abs(line.amount)) for line in book if line.kind in {"charge", "refund"}]


def card_order(quantity=2):
    order = an_order(a_product(stock=5), quantity, pay="card")
    attempt_id = queries.latest_card_attempt(order.id)
    db.session.expunge_all()
    db.session.rollback()
    assert attempt_id is not None
    return order, attempt_id


def reference_of(attempt_id):
    found = db.session.scalar(select(PaymentAttempt.provider_ref).where(PaymentAttempt.id == attempt_id))
    db.session.rollback()
    return found


@pytest.mark.fault("R8 woocommerce-payments #3345")
def test_a_card_payment_is_settled_once_by_notice_return_page_and_poll_together(shop, stand_in, drain, client_at):
    """woocommerce-payments #3345: webhook and return page both completed the order."""
    with acting_for(shop):
        order, attempt_id = card_order()
        actions.start_card(attempt_id)
        stand_in.pay(reference_of(attempt_id))
    platform = client_at("platform")
    completed = next(e for e in stand_in.events("checkout.session.completed", shop.payment_account))
    for _ in range(3):
        body, signature = stand_in.signed(completed["id"], secret=SECRET)
        answer = platform.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature})
        assert answer.status_code == 200
    drain(shop)
    assert client_at(shop).get(f"/pedido/{order.token}/pagado").status_code == 303
    with acting_for(shop):
        actions.ask_provider(attempt_id)
        drain_again = drain(shop)
    with acting_for(shop):
        now = order_now(order.id)
        assert (now.state, now.payment_state) == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        assert count(InboxRow) == 1
        assert charged(stand_in, shop) == [("charge", order.total_minor)]
        assert queries.invariants() == []
        assert drain_again == 0


def test_a_forged_notice_stores_nothing(shop, stand_in, client_at):
    with acting_for(shop):
        _order, attempt_id = card_order()
        actions.start_card(attempt_id)
        stand_in.pay(reference_of(attempt_id))
    event = stand_in.events("checkout.session.completed", shop.payment_account)[0]
    body, _signature = stand_in.signed(event["id"], secret=SECRET)
    _body, forged = stand_in.signed(event["id"], secret="whsec_other")

    answer = client_at("platform").post("/webhooks/stripe", data=body, headers={"Stripe-Signature": forged})

    assert answer.status_code == 400
    with acting_for(shop):
        assert count(InboxRow) == 0


def test_a_notice_about_an_order_we_do_not_know_waits_and_changes_nothing(shop, drain):
    with acting_for(shop):
        assert inbox.receive("stripe", "evt_early", "checkout.session.completed", {"object_id": "cs_unknown"})
        assert not inbox.receive("stripe", "evt_early", "checkout.session.completed", {"object_id": "cs_unknown"})
    drain(shop)
    with acting_for(shop):
        row = db.session.execute(select(InboxRow.handled_at)).one()
        assert row.handled_at is None


def test_forty_taps_on_pay_make_one_attempt_and_one_page(shop, stand_in, app):
    with acting_for(shop):
        order, _attempt_id = card_order()

    def tap(_):
        with app.app_context(), acting_for(shop):
            try:
                return actions.start_card(actions.try_card_again(order.id, DORA))
            except GatewayUnavailable:
                return None

    with ThreadPoolExecutor(40) as pool:
        pages = set(pool.map(tap, range(40))) - {None}

    assert len(pages) == 1
    with acting_for(shop):
        assert count(PaymentAttempt) == 1


def test_a_lost_answer_of_the_provider_is_found_again_by_its_key(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = card_order()
        stand_in.faults.plan("cut_after", times=1)
        with pytest.raises(GatewayUnavailable):
            actions.start_card(attempt_id)
        assert reference_of(attempt_id) is None

        assert actions.ask_provider(attempt_id) is AttemptState.PENDING
        stand_in.pay(reference_of(attempt_id))
        assert actions.ask_provider(attempt_id) is AttemptState.SUCCEEDED
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id).state is OrderState.CONFIRMED
        assert charged(stand_in, shop) == [("charge", order.total_minor)]


@pytest.mark.fault("R14 pretix #74")
def test_money_that_comes_after_the_last_piece_was_sold_goes_back_by_itself(shop, stand_in, drain):
    """pretix #74: paid, and the quota was gone."""
    with acting_for(shop):
        product = a_product(stock=1)
        order = an_order(product, pay="card")
        attempt_id = queries.latest_card_attempt(order.id)
        db.session.expunge_all()
        db.session.rollback()
        actions.start_card(attempt_id)
    with time_machine.travel(clock.now() + timedelta(minutes=40), tick=True), acting_for(shop):
        assert expire_order(order.id)
        an_order(product, confirmed=True)
        stand_in.pay(reference_of(attempt_id))
        actions.ask_provider(attempt_id)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id).payment_state is PaymentState.REFUNDED
        refund = db.session.execute(select(Refund.state, Refund.amount_minor)).one()
        assert refund == (RefundState.DONE, order.total_minor)
        assert ledger.balance(Account.CARD_CLEARING) == 0
        assert queries.invariants() == []
        assert charged(stand_in, shop) == [("charge", order.total_minor), ("refund", order.total_minor)]


def test_cancelling_a_paid_order_sends_the_money_back_once(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = card_order()
        actions.start_card(attempt_id)
        stand_in.pay(reference_of(attempt_id))
        actions.ask_provider(attempt_id)
    drain(shop)
    with acting_for(shop):
        cancel_order(order.id, "Ya no hay", ALICIA)
    drain(shop)
    with acting_for(shop):
        refunding.refund_order(order.id, "again", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id).payment_state is PaymentState.REFUNDED
        assert count(Refund) == 1
        assert ledger.balance(Account.CARD_CLEARING) == 0
        assert ledger.balance(Account.SALES) == 0


def test_a_refund_above_what_was_paid_is_refused(bakery):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), confirmed=True)
        actions.record_cash(order.id, ALICIA)
        with pytest.raises(refunding.TooMuchBack):
            refunding.refund_order(order.id, "too much", ALICIA, order.total_minor + 1)
        assert count(Refund) == 0


def test_a_cash_refund_waits_for_a_persons_hand(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(stock=3), confirmed=True)
        actions.record_cash(order.id, ALICIA)
        refund = refunding.refund_order(order.id, "broken", ALICIA)[0]
        assert refund.state is RefundState.EXTERNAL
        assert ledger.balance(Account.CASH) == order.total_minor

        refunding.mark_sent_back(refund.code, ALICIA)
        refunding.mark_sent_back(refund.code, ALICIA)

        assert ledger.balance(Account.CASH) == 0
        assert order_now(order.id).payment_state is PaymentState.REFUNDED
