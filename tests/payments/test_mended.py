"""Faults that the stories of `test_interleavings`, `test_crash_points` and `test_histories` are about, each told once
by hand: what happened, and what happens now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select, update

from storefront.inventory import jobs as stock_jobs
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy
from storefront.kernel.tenancy import acting_for
from storefront.orders import jobs as order_jobs
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.payments import actions, door, ledger, pages, proofs, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, LedgerEntry, PaymentAttempt, Refund, RefundState
from storefront.payments.provider import GatewayUnavailable
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.factories.payments import a_photo
from tests.payments.seams import visited_by


def states(order_id):
    row = db.session.execute(select(Order.state, Order.payment_state).where(Order.id == order_id)).one()
    db.session.rollback()
    return tuple(row)


def how_many(model):
    found = db.session.scalar(select(func.count()).select_from(model))
    db.session.rollback()
    return found


def the_refund():
    found = db.session.execute(select(Refund.id, Refund.state, Refund.code)).one()
    db.session.rollback()
    return found


def served(till, **how):
    """An order that was paid by card and confirmed."""
    one = till(**how)
    one.start()
    one.pay()
    one.webhook()
    assert one.faults() == []
    return one


# --- books --------------------------------------------------------------------------------------------------------


def test_a_sale_is_not_booked_for_an_order_that_was_cancelled_before_the_job_came(bakery, within):
    with within(bakery):
        order = an_order(a_product(stock=2), confirmed=True)
        cancel_order(order.id, "", ALICIA)
        payment_jobs.settle_cancelled(order_id=order.id)

        payment_jobs.book_sale(order_id=order.id)

        assert ledger.balance(Account.SALES, order.id) == ledger.balance(Account.RECEIVABLE, order.id) == 0


def test_cash_is_not_noted_for_a_cancelled_order(bakery, within):
    with within(bakery):
        order = an_order(a_product(stock=2))
        cancel_order(order.id, "", ALICIA)

        with pytest.raises(actions.NothingToPay):
            actions.record_cash(order.id, ALICIA)

        assert states(order.id) == (OrderState.CANCELLED, PaymentState.UNPAID)
        assert how_many(LedgerEntry) == 0


def test_cash_for_an_order_that_lapsed_brings_it_back(bakery, within):
    with within(bakery):
        order = an_order(a_product(stock=2))
        with clock.pretending(clock.now() + timedelta(days=3)):
            order_jobs.expire_due.run()
            actions.record_cash(order.id, ALICIA)
        assert states(order.id) == (OrderState.CONFIRMED, PaymentState.PAID)


# --- one order, one way to pay ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pay", ["bank_transfer", "pay_at_shop"])
def test_an_order_paid_in_another_way_has_no_card_page(till, pay):
    till()  # opens the door to the provider
    order = an_order(a_product(stock=2), pay=pay)
    tries = how_many(PaymentAttempt)

    with pytest.raises(actions.NothingToPay):
        actions.try_card_again(order.id, DORA)

    assert how_many(PaymentAttempt) == tries
    assert states(order.id)[1] is PaymentState.UNPAID


def test_a_proof_of_transfer_is_never_a_card_payments_end(till):
    """A card page of a transfer's order took the proof for its own, and the card's money was then kept, too."""
    one = till()
    with transaction():
        db.session.execute(update(Order).where(Order.id == one.order_id).values(payment_method="bank_transfer"))
    one.start()
    proof = proofs.submit_proof(one.order_id, a_photo(), "", DORA)
    proofs.accept_proof(proof.code, ALICIA)
    one.work()
    one.pay()
    one.poll()
    one.work()

    assert one.captured_minor() == 0
    assert ledger.balance(Account.BANK, one.order_id) == one.total_minor
    assert queries.invariants() == []


# --- pages --------------------------------------------------------------------------------------------------------


def test_a_page_paid_in_its_last_second_is_not_forgotten_when_the_customer_tries_again(till):
    """Its notice was lost and its time was over, so a new page was opened, and nobody ever asked about the old one."""
    one = till()
    one.start()
    one.pay()

    with clock.pretending(clock.now() + timedelta(minutes=46)):
        assert not one.start()
        one.work()

    assert len(one.pages()) == 1
    assert states(one.order_id) == (OrderState.CONFIRMED, PaymentState.PAID)


def test_a_page_can_be_opened_late_although_the_provider_wants_it_open_for_half_an_hour(till):
    """The attempt's page would have been too short-lived: the provider refused, and the customer was told so."""
    one = till()
    one.stand_in.faults.plan("unavailable", path="checkout/sessions")
    assert not one.start()

    with clock.pretending(clock.now() + timedelta(minutes=20)):
        assert one.start()
        assert one.pay()

    assert len(one.pages()) == 1


def test_a_page_that_was_opened_unheard_is_found_again_however_late(till):
    one = till()
    one.stand_in.faults.plan("cut_after", path="checkout/sessions")
    assert not one.start()

    with clock.pretending(clock.now() + timedelta(minutes=20)):
        assert one.start()

    assert len(one.pages()) == 1


def test_no_page_is_opened_for_an_order_that_was_cancelled(till):
    one = till()
    attempt = one.attempt()
    assert one.cancel()

    with pytest.raises(actions.NothingToPay):
        actions.start_card(attempt)

    assert one.pages() == []


def test_a_page_that_was_being_opened_while_the_order_was_cancelled_is_closed(till):
    one = till()

    def cancelled_meanwhile(seam):
        if seam == "after open_checkout":
            with visited_by(lambda _seam: None):
                cancel_order(one.order_id, "", ALICIA)

    with visited_by(cancelled_meanwhile), pytest.raises(actions.NothingToPay):
        actions.start_card(one.attempt())

    assert not one.pay()


def test_the_page_is_the_same_whatever_language_the_customer_reads_in(till):
    """The description was in the reader's language: another language, and the key was refused as another request."""
    one = till()
    one.stand_in.faults.plan("cut_after", path="checkout/sessions")
    assert not one.start()

    with force_locale("en"):
        assert one.start()

    assert len(one.pages()) == 1


def test_a_key_that_was_used_for_another_request_says_nothing_about_the_page(till):
    """It was taken for a refusal: the attempt was closed, while its page stood open and could be paid."""
    one = till()
    one.stand_in.faults.plan("cut_after", path="checkout/sessions")
    assert not one.start()
    with transaction():
        db.session.execute(update(Order).where(Order.id == one.order_id).values(contact_email="otra@example.com"))

    with pytest.raises(GatewayUnavailable):
        actions.start_card(one.attempt())

    assert one.pay()
    assert actions.ask_provider(one.attempt()) is AttemptState.SUCCEEDED


def test_a_refusal_that_comes_after_the_money_does_not_undo_it(till, app, monkeypatch):
    """The attempt was read before the order was locked, and written after: a success in between was overwritten."""
    one = till()
    one.start()
    one.pay()
    attempt, real = one.attempt(), pages.lock_rows

    def settled_first(model, ids):
        monkeypatch.setattr(pages, "lock_rows", real)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(elsewhere).result()
        return real(model, ids)

    def elsewhere():
        with app.app_context(), acting_for(one.shop):
            assert actions.ask_provider(attempt) is AttemptState.SUCCEEDED

    monkeypatch.setattr(pages, "lock_rows", settled_first)
    actions._fail(attempt, "declined")

    assert db.session.scalar(select(PaymentAttempt.state).where(PaymentAttempt.id == attempt)) == "succeeded"


# --- money that came ----------------------------------------------------------------------------------------------


def test_a_paid_order_does_not_lapse_while_its_worker_is_down(till):
    """It lapsed, its goods went to somebody else, and the customer who had paid in time got the money back."""
    one = till(quantity=2, stock=2)
    one.start()
    with clock.pretending(clock.now() + timedelta(minutes=20)):
        one.pay()
        one.come_back()

    with clock.pretending(clock.now() + timedelta(hours=5)):
        stock_jobs.release_expired.run()
        order_jobs.expire_due.run()
        assert available([one.product.variant_id]) == {one.product.variant_id: 0}
        one.work()

    assert states(one.order_id) == (OrderState.CONFIRMED, PaymentState.PAID)
    assert one.faults() == []


def test_money_that_is_sent_back_lets_the_order_lapse(till):
    one = till()
    one.start()
    one.pay()
    one.come_back()
    assert one.refund()

    one.recover()

    assert states(one.order_id) == (OrderState.EXPIRED, PaymentState.REFUNDED)
    assert one.faults() == []


def test_the_owner_cannot_confirm_an_order_between_the_decision_against_it_and_its_refund(till):
    """Refused and refunded were two transactions: in between, a person could confirm what was then refunded."""
    one = till()
    one.start()
    one.pay()
    with clock.pretending(clock.now() + timedelta(minutes=40)):
        order_jobs.expire_due.run()
        rival = an_order(one.product, 2)
        one.come_back()
        seen = []

        def look(seam):
            if seam == "after commit":
                seen.append(states(one.order_id)[1])

        with visited_by(look):
            payment_jobs.keep_or_return(order_id=one.order_id, attempt_id=one.attempt())
        cancel_order(rival.id, "", ALICIA)

    assert seen == [PaymentState.REFUND_PENDING]


def test_an_order_that_is_busy_does_not_keep_the_poll_from_the_others(till, monkeypatch):
    first, second = till(), till()
    for one in (first, second):
        one.start()
        one.pay()
    real = actions.settle_card

    def busy(attempt_id, told):
        if attempt_id == first.attempt():
            raise Busy
        return real(attempt_id, told)

    monkeypatch.setattr(actions, "settle_card", busy)
    with clock.pretending(clock.now() + timedelta(minutes=3)):
        payment_jobs.keep_asking.run()

    assert states(second.order_id)[1] is PaymentState.PAID


# --- money that goes back -----------------------------------------------------------------------------------------


def test_money_goes_back_by_itself_where_the_platform_takes_no_share(till):
    """The platform's share was asked back where none had been taken: the provider refused every refund."""
    door._fee_bp[:] = [0]
    one = served(till)

    assert one.refund()

    assert the_refund().state is RefundState.DONE
    assert one.captured_minor() == 0


@pytest.mark.parametrize("fault", ["lost_500", "cut_after"])
def test_a_refund_whose_answer_was_lost_is_found_again(till, fault):
    """The provider remembers a 500 for ever: asking with the same key would never have learnt that the money went."""
    one = served(till)
    one.stand_in.faults.plan(fault, path="refunds")

    one.refund()
    one.work()

    assert the_refund().state is RefundState.DONE
    assert one.charges() == 1
    assert one.captured_minor() == 0
    assert one.faults() == []


def test_a_refund_that_was_made_but_never_heard_of_is_not_made_again_by_hand(till):
    """Keys are forgotten after a day: the repeat was refused as refunded already, and a person asked to pay anew."""
    one = served(till)
    one.stand_in.faults.plan("cut_after", path="refunds")
    one.stand_in.faults.plan("unavailable", path="refunds", times=20)
    one.refund()
    assert the_refund().state is RefundState.REQUESTED
    one.stand_in.faults.clear()
    one.stand_in.state.answers.clear()

    one.work()

    assert the_refund().state is RefundState.DONE
    assert one.captured_minor() == 0


def test_a_refund_that_fails_on_its_way_waits_for_a_persons_hand(till):
    """It was failed, and that was all: no list showed it, and the customer's money stayed with the shop."""
    one = served(till)
    one.stand_in.desk.refund_status = "pending"
    one.owner_cancels()
    assert the_refund().state is RefundState.IN_TRANSIT
    reference = db.session.scalar(select(Refund.provider_ref))

    one.stand_in.settle_refund(reference, "failed")
    one.poll()

    assert [found.code for found in queries.refunds(by_hand=True)] == [the_refund().code]
    refunding.mark_sent_back(the_refund().code, ALICIA)
    assert states(one.order_id) == (OrderState.CANCELLED, PaymentState.REFUNDED)


def test_a_refund_that_fails_after_it_had_succeeded_is_taken_back_in_the_books(till):
    """Banks send money back weeks later: the books went on to say that the customer had it."""
    one = served(till)
    one.owner_cancels()
    reference = db.session.scalar(select(Refund.provider_ref))
    assert the_refund().state is RefundState.DONE

    one.stand_in.settle_refund(reference, "failed")
    failed = [notice for notice in one.notices() if notice["type"] == "refund.failed"]
    for delivery in ("", "again"):
        one.hear(failed[-1], delivery)
        one.work()

    assert the_refund().state is RefundState.EXTERNAL
    assert states(one.order_id)[1] is PaymentState.REFUND_PENDING
    assert ledger.balance(Account.CARD_CLEARING, one.order_id) == one.captured_minor() == one.total_minor
    refunding.mark_sent_back(the_refund().code, ALICIA)
    one.hear(failed[-1], "late")
    one.work()
    assert the_refund().state is RefundState.DONE
    assert states(one.order_id)[1] is PaymentState.REFUNDED
    assert ledger.money_held(one.order_id) == 0


def test_a_refund_that_the_provider_is_making_cannot_be_noted_as_made_by_hand(till):
    one = served(till)
    refunding.refund_order(one.order_id, "asked", ALICIA)

    with pytest.raises(refunding.NotByHand):
        refunding.mark_sent_back(the_refund().code, ALICIA)

    assert the_refund().state is RefundState.REQUESTED
    assert ledger.balance(Account.CARD_CLEARING, one.order_id) == one.total_minor
    one.work()
    refunding.mark_sent_back(the_refund().code, ALICIA)  # it is done: nothing to say
