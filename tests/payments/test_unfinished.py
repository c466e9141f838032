"""What is not known yet, asked about again: notices without their object, attempts and refunds without an end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from storefront.kernel import clock, inbox
from storefront.kernel.db import db, transaction
from storefront.kernel.inbox import InboxRow
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import across_shops
from storefront.orders.actions import hand_over
from storefront.orders.models import OrderState, PaymentState
from storefront.payments import actions, ledger, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.models import AttemptState, PaymentAttempt, Refund, RefundState
from storefront.payments.provider import GatewayUnavailable
from tenants.platform.queries import notices_given_up
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order
from tests.payments.test_mended import served, states, the_refund

EARLY = ("stripe", "evt_early", "checkout.session.completed", {"object_id": "cs_unknown"})


def notice():
    found = db.session.execute(select(InboxRow.handled_at, InboxRow.outcome, InboxRow.look_again_at)).one()
    db.session.rollback()
    return found


def dead():
    found = db.session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.dead_at.is_not(None)))
    db.session.rollback()
    return found


# --- notices ------------------------------------------------------------------------------------------------------


def test_a_notice_about_nothing_we_know_waits_for_three_days_and_is_then_shown_to_the_operators(till):
    """Eight tries took eight minutes: after that it was a dead letter among others."""
    one = till()
    at = clock.now()
    inbox.receive(*EARLY)
    one.work()
    looks = 0
    while notice().look_again_at < at + timedelta(days=3):
        with clock.pretending(notice().look_again_at):
            payment_jobs.look_again.run()
        looks += 1
    assert notice().handled_at is None
    with across_shops("a test looks"):
        assert not notices_given_up(1).items

    with clock.pretending(notice().look_again_at):
        payment_jobs.look_again.run()
        payment_jobs.look_again.run()

    assert notice().outcome == inbox.GIVEN_UP
    assert dead() == 0
    assert 10 < looks < 30
    with across_shops("a test looks"):
        assert [(found.slug, found.about) for found in notices_given_up(1).items] == [("espiga", "cs_unknown")]


def test_a_notice_that_was_early_is_followed_once_its_payment_is_known(till):
    one = till()
    one.start()
    one.pay()
    with transaction():
        row = db.session.execute(
            update(PaymentAttempt)
            .values(provider_ref=None, key="not yet")
            .returning(PaymentAttempt.id, PaymentAttempt.tenant_id)
        ).one()
    page = one.notices()[-1]
    one.hear(page)
    one.work()
    assert notice().handled_at is None
    with transaction():
        db.session.execute(
            update(PaymentAttempt)
            .where(PaymentAttempt.id == row.id)
            .values(provider_ref=page["data"]["object"]["id"], key=f"order:{row.tenant_id}:{one.order_id}:attempt:1")
        )

    with clock.pretending(clock.now() + timedelta(minutes=2)):
        payment_jobs.look_again.run()

    assert notice().outcome == "applied"
    assert states(one.order_id)[1] is PaymentState.PAID


def test_a_notice_that_cannot_be_followed_now_waits_again_and_lets_the_others_pass(till):
    one = till()
    one.start()
    one.pay()
    inbox.receive(*EARLY)
    one.work()
    one.hear(next(n for n in one.notices() if n["type"].startswith("checkout")))
    with transaction():
        db.session.execute(update(InboxRow).values(look_again_at=clock.now()))
        db.session.execute(update(OutboxRow).values(done_at=clock.now()))
    one.stand_in.faults.plan("unavailable", path="checkout/sessions")

    payment_jobs.look_again.run()

    waiting = db.session.scalars(select(InboxRow.look_again_at).order_by(InboxRow.id)).all()
    assert all(until > clock.now() for until in waiting)
    assert states(one.order_id)[1] is PaymentState.PENDING


# --- a part of the money went back ------------------------------------------------------------------------------------


def test_a_partly_refunded_order_is_completed_when_it_is_handed_over(bakery, within, drain):
    """Only "paid" completed: an order whose buyer had one piece's money back stayed open for ever."""
    with within(bakery):
        order = an_order(a_product(stock=3), 2, confirmed=True)
        actions.record_cash(order.id, ALICIA)
        [refund] = refunding.refund_order(order.id, "broken", ALICIA, 1_000)
        refunding.mark_sent_back(refund.code, ALICIA)
        assert states(order.id) == (OrderState.CONFIRMED, PaymentState.PARTLY_REFUNDED)

        hand_over(order.id, ALICIA)

        assert states(order.id) == (OrderState.COMPLETED, PaymentState.PARTLY_REFUNDED)


def test_an_order_that_was_refunded_in_two_parts_is_refunded(bakery, within):
    with within(bakery):
        order = an_order(a_product(stock=3), 2, confirmed=True)
        actions.record_cash(order.id, ALICIA)
        for amount, then in ((1_000, PaymentState.PARTLY_REFUNDED), (order.total_minor - 1_000, PaymentState.REFUNDED)):
            [refund] = refunding.refund_order(order.id, "broken", ALICIA, amount)
            assert states(order.id)[1] is PaymentState.REFUND_PENDING
            refunding.mark_sent_back(refund.code, ALICIA)
            assert states(order.id)[1] is then
        assert ledger.money_held(order.id) == 0


# --- keys that are spent --------------------------------------------------------------------------------------------


def test_a_refund_whose_key_the_provider_bound_to_a_failure_is_made_once_with_a_new_key(till):
    """The remembered 500 was the answer for ever: eight tries later the refund was a dead letter."""
    one = served(till)
    one.stand_in.faults.plan("error_500", path="refunds")

    one.refund()
    one.work()
    one.work()

    assert the_refund().state is RefundState.DONE
    assert one.captured_minor() == 0
    assert len(one.stand_in.state.every("refund", one.shop.payment_account)) == 1
    assert dead() == 0


def test_the_new_key_is_stored_before_it_is_used_and_taken_once_for_each_that_is_spent(till):
    one = served(till)
    [refund] = refunding.refund_order(one.order_id, "asked", ALICIA)
    refund_id, key = refund.id, refund.key
    seen = db.session.get_one(Refund, (one.shop.id, refund_id))
    db.session.expunge_all()
    db.session.rollback()
    one.stand_in.faults.plan("error_500", path="refunds")
    with pytest.raises(GatewayUnavailable):
        refunding.send_back(refund_id)

    refunding._take_new_key(seen)  # somebody who saw the first key, and comes late

    row = db.session.get_one(Refund, (one.shop.id, refund_id), populate_existing=True)
    assert (row.keys_spent, row.key_now) == (1, f"{key}:again:1")
    assert one.stand_in.state.every("refund", one.shop.payment_account) == []


@pytest.mark.parametrize("fault", ["unavailable", "cut_before", "rate_limited"])
def test_a_key_that_may_still_act_is_never_replaced(till, fault):
    """A new key beside one that may be on its way would send the money twice."""
    one = served(till)
    [refund] = refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    one.stand_in.faults.plan(fault, path="refunds")
    with pytest.raises(GatewayUnavailable):
        refunding.send_back(refund.id)
    assert db.session.scalar(select(Refund.keys_spent)) == 0


def test_a_refund_that_was_made_under_the_spent_key_is_found_and_not_made_again(till):
    one = served(till)
    [refund] = refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    one.stand_in.faults.plan("lost_500", path="refunds")

    refunding.send_back(refund.id)

    assert the_refund().state is RefundState.DONE
    assert one.captured_minor() == one.total_minor - 1_000


def test_a_refund_that_nobody_sent_is_sent_by_the_poll(till):
    """An outage longer than eight tries left it to the operators."""
    one = served(till)
    refunding.refund_order(one.order_id, "asked", ALICIA)
    with transaction():
        db.session.execute(update(OutboxRow).where(OutboxRow.done_at.is_(None)).values(dead_at=clock.now()))
    one.poll()
    assert the_refund().state is RefundState.REQUESTED

    with clock.pretending(clock.now() + timedelta(minutes=16)):
        one.poll()

    assert the_refund().state is RefundState.DONE
    assert one.captured_minor() == 0


# --- the poll -------------------------------------------------------------------------------------------------------


def test_the_poll_comes_to_every_attempt_however_many_never_end(till, monkeypatch):
    """It asked about the same oldest hundred in each minute; the others were never asked about."""
    monkeypatch.setattr(actions, "MOST_ASKED", 2)
    stuck = [till(), till(), till()]
    last = till()
    for one in (*stuck, last):
        one.start()
    last.pay()

    for minute in (3, 4):
        with clock.pretending(clock.now() + timedelta(minutes=minute)):
            payment_jobs.keep_asking.run()

    assert states(last.order_id)[1] is PaymentState.PAID
    assert db.session.scalar(
        select(func.count()).select_from(PaymentAttempt).where(PaymentAttempt.state == AttemptState.PENDING)
    ) == len(stuck)


def test_the_poll_comes_to_every_refund_however_many_never_end(till, monkeypatch):
    monkeypatch.setattr(refunding, "MOST_ASKED", 1)
    first, second = served(till), served(till)
    first.stand_in.desk.refund_status = "pending"
    for one in (first, second):
        one.refund()
    reference = db.session.scalar(select(Refund.provider_ref).where(Refund.order_id == second.order_id))
    first.stand_in.settle_refund(reference, "succeeded")

    for _ in range(2):
        with clock.pretending(clock.now() + timedelta(minutes=1)):
            payment_jobs.keep_asking.run()

    assert db.session.scalar(select(Refund.state).where(Refund.order_id == second.order_id)) is RefundState.DONE
