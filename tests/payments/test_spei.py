"""SPEI: an account of the order's own, to which somebody sends too little, too much or too late."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront.cli import INVARIANTS
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.money import Money
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, expire_order
from storefront.orders.queries import order_by_id
from storefront.orders.states import FulfilmentMethod, OrderState, PaymentState
from storefront.payments import actions, ledger, links, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.methods import available_methods, choosable
from storefront.payments.models import AttemptState, PaymentAttempt, PaymentEvent
from storefront.payments.provider import GatewayUnavailable
from storefront.payments.reconciling import reconcile
from storefront.payments.together_queries import takes_more
from tests.factories.orders import ALICIA, DORA
from tests.payments.conftest import SECRET
from tests.payments.test_reconciling import today
from tests.payments.test_vouchers import attempt_now, held_until, order_now, settle, take_voucher, voucher_order


@pytest.fixture
def shop(bakery, stand_in):
    return settle(bakery, stand_in, "MX", ["card", "spei", "bank_transfer"])


@pytest.fixture
def asked(shop, stand_in):
    """(order, attempt, payment at the provider) of somebody who has the CLABE and has not sent anything."""
    with acting_for(shop):
        order, attempt_id = voucher_order("spei")
        taken = take_voucher(stand_in, attempt_id)
    return order, attempt_id, taken.intent


def hear_all(client_at, stand_in, shop, seed=None):
    """Every notice so far, as the provider sends them; in any order and twice with a seed."""
    events = stand_in.events(account=shop.payment_account)
    if seed is not None:
        chance = random.Random(seed)
        events = [*events, *events]
        chance.shuffle(events)
    for event in events:
        body, signature = stand_in.signed(event["id"], secret=SECRET)
        answer = client_at("platform").post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature})
        assert answer.status_code == 200


def kept_for_payers(stand_in, shop):
    """What payers of a shop sent that is no payment and did not go back."""
    return sum(sum(one["_available"].values()) for one in stand_in.state.every("customer", shop.payment_account))


def sent_back(stand_in, shop):
    return [one["amount"] for one in stand_in.state.every("refund", shop.payment_account)]


def sound(shop):
    with acting_for(shop):
        assert [fault for look in INVARIANTS for fault in look()] == []
        db.session.rollback()


def came(attempt_id):
    found = db.session.scalar(select(PaymentAttempt.came_minor).where(PaymentAttempt.id == attempt_id))
    db.session.rollback()
    return found


def test_the_page_shows_the_account_the_bank_the_reference_and_until_when(shop, stand_in, asked, client_at):
    order, _attempt, _intent = asked
    with acting_for(shop):
        voucher = queries.open_voucher(order.id)
        waits = order_now(order.id)
        assert held_until(order.id) > voucher.expires_at
    assert len(voucher.number) == 18
    assert waits.expires_at == voucher.expires_at + timedelta(days=1)
    assert voucher.expires_at > clock.now() + timedelta(days=2, hours=23)

    page = client_at(shop).get(f"/pedido/{order.token}").get_data(as_text=True)

    for words in (voucher.number, voucher.bank, voucher.reference, "$50.00", "Es solo para este pedido"):
        assert words in page


def test_all_of_it_pays_the_order(shop, stand_in, asked, client_at, drain):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, order.total_minor)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        assert attempt_now(attempt_id).state is AttemptState.SUCCEEDED
        assert reconcile(today()) == 0
    sound(shop)


def test_a_part_waits_for_the_rest_and_the_page_says_how_much_is_missing(shop, stand_in, asked, client_at, drain):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, 2_000)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.AWAITING_PAYMENT, PaymentState.PARTLY_PAID)
        assert came(attempt_id) == 2_000
        assert ledger.balance(Account.CARD_CLEARING) == 0  # it is the payer's until all of it is there
        assert queries.open_voucher(order.id).missing == Money(order.total_minor - 2_000, "MXN")
    page = client_at(shop).get(f"/pedido/{order.token}").get_data(as_text=True)
    assert "Llegaron $20.00" in page
    assert "$30.00" in page
    sound(shop)

    stand_in.transfer(intent, order.total_minor - 2_000)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
    assert sent_back(stand_in, shop) == []
    sound(shop)


def test_what_is_too_much_goes_back_by_itself_each_time_once(shop, stand_in, asked, client_at, drain):
    order, _attempt, intent = asked
    stand_in.transfer(intent, order.total_minor + 700)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    assert sent_back(stand_in, shop) == [700]

    stand_in.transfer(intent, 700)  # and the same once more
    hear_all(client_at, stand_in, shop)
    drain(shop)

    assert sent_back(stand_in, shop) == [700, 700]
    assert kept_for_payers(stand_in, shop) == 0
    with acting_for(shop):
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        kinds = db.session.scalars(select(PaymentEvent.kind)).all()
        assert sorted(kinds) == ["extra_back", "extra_back", "paid"]
    sound(shop)


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
def test_a_part_of_an_order_that_ends_goes_back_and_so_does_what_comes_later(
    shop, stand_in, asked, client_at, drain, ends
):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, 2_000)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        if ends == "cancelled":
            cancel_order(order.id, "", ALICIA)
        else:
            with clock.pretending(clock.now() + timedelta(days=5)):
                assert expire_order(order.id)
    drain(shop)
    assert sent_back(stand_in, shop) == [2_000]
    with acting_for(shop):
        assert attempt_now(attempt_id).state in {AttemptState.FAILED, AttemptState.CANCELLED}

    stand_in.transfer(intent, order.total_minor)
    hear_all(client_at, stand_in, shop)
    drain(shop)

    assert sorted(sent_back(stand_in, shop)) == [2_000, order.total_minor]
    assert kept_for_payers(stand_in, shop) == 0
    with acting_for(shop):
        assert str(order_now(order.id).state) == ends
        assert ledger.balance(Account.CARD_CLEARING) == 0
    sound(shop)


def test_an_account_is_closed_when_its_time_is_over_though_nobody_told_us(shop, stand_in, asked, drain):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, 2_000)
    with acting_for(shop), clock.pretending(clock.now() + timedelta(days=4, minutes=1)):
        payment_jobs.keep_asking.run()
        assert attempt_now(attempt_id).state is AttemptState.FAILED
        assert order_now(order.id).payment_state is PaymentState.FAILED
    assert stand_in.state.objects[intent]["status"] == "canceled"
    assert sent_back(stand_in, shop) == [2_000]


def test_money_that_came_without_notice_is_found_by_asking(shop, stand_in, asked, drain):
    order, _attempt, intent = asked
    stand_in.transfer(intent, order.total_minor)
    with acting_for(shop), clock.pretending(clock.now() + timedelta(minutes=40)):
        payment_jobs.keep_asking.run()
    drain(shop)
    stand_in.transfer(intent, 300)  # long after
    with acting_for(shop), clock.pretending(clock.now() + timedelta(days=2)):
        payment_jobs.keep_asking.run()
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
    assert sent_back(stand_in, shop) == [300]
    sound(shop)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_sent_and_however_the_news_come_the_shop_has_the_price_or_nothing(
    shop, stand_in, asked, client_at, drain, seed
):
    chance = random.Random(seed)
    order, _attempt, intent = asked
    total, sent = order.total_minor, 0
    for _ in range(chance.randint(1, 4)):
        amount = chance.choice([1, 1_000, total // 2, total, total + 1])
        stand_in.transfer(intent, amount)
        sent += amount
        if chance.random() < 0.5:
            hear_all(client_at, stand_in, shop, seed)
            drain(shop)
    hear_all(client_at, stand_in, shop, seed)
    drain(shop)
    with acting_for(shop):
        paid = sent >= total
        assert order_now(order.id).payment_state is (PaymentState.PAID if paid else PaymentState.PARTLY_PAID)
        assert ledger.balance(Account.CARD_CLEARING) == (total if paid else 0)
    assert sum(sent_back(stand_in, shop)) == (sent - total if paid else 0)
    assert kept_for_payers(stand_in, shop) == 0
    sound(shop)


def test_nobody_gets_back_a_part_while_the_rest_may_come(shop, stand_in, asked, client_at, drain):
    _order, _attempt, intent = asked
    stand_in.transfer(intent, 2_000)
    hear_all(client_at, stand_in, shop, seed=1)
    drain(shop)
    with acting_for(shop):
        payment_jobs.keep_asking.run()
    assert sent_back(stand_in, shop) == []
    sound(shop)


def test_what_has_come_and_is_no_payment_yet_is_not_sent_back(shop, stand_in, asked, client_at, drain):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, 2_000, applied=False)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        actions.ask_provider(attempt_id)
    assert sent_back(stand_in, shop) == []

    stand_in.transfer(intent, order.total_minor - 2_000)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id).payment_state is PaymentState.PAID
    sound(shop)


def test_what_is_too_much_goes_back_once_however_many_ask(shop, stand_in, asked, drain, app):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, order.total_minor + 900)

    def ask(_which):
        with app.app_context(), acting_for(shop):
            return actions.ask_provider(attempt_id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))
    drain(shop)

    assert sent_back(stand_in, shop) == [900]
    with acting_for(shop):
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
    sound(shop)


@pytest.mark.parametrize("fault", ["unavailable", "error_500", "lost_500", "cut_after"])
def test_an_outage_while_what_is_too_much_goes_back_leaves_it_to_be_sent_once(shop, stand_in, asked, drain, fault):
    order, attempt_id, intent = asked
    stand_in.transfer(intent, order.total_minor + 900)
    stand_in.faults.plan(fault, path="/refunds")
    with acting_for(shop):
        with pytest.raises(GatewayUnavailable):
            actions.ask_provider(attempt_id)
        for _ in range(2):
            actions.ask_provider(attempt_id)
    drain(shop)
    assert sent_back(stand_in, shop) == [900]
    sound(shop)


def test_whoever_pays_in_another_way_gets_the_part_back_and_pays_once(shop, stand_in, asked, client_at, drain):
    order, _attempt, intent = asked
    stand_in.transfer(intent, 2_000)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        links.pay_by(order.id, "card", DORA)
        assert order_now(order.id).payment_state is PaymentState.PENDING
        card = attempt_now(queries.latest_card_attempt(order.id)).provider_ref
    assert sent_back(stand_in, shop) == [2_000]
    stand_in.pay(card)
    stand_in.transfer(intent, order.total_minor)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
    assert sorted(sent_back(stand_in, shop)) == [2_000, order.total_minor]
    sound(shop)


def test_orders_are_not_paid_together_by_one_transfer(shop, stand_in, asked):
    order, _attempt, _intent = asked
    with acting_for(shop):
        assert not takes_more(order_by_id(order.id))


def test_a_paid_transfer_is_sent_back_by_the_provider(shop, stand_in, asked, client_at, drain):
    order, _attempt, intent = asked
    stand_in.transfer(intent, order.total_minor)
    hear_all(client_at, stand_in, shop)
    drain(shop)
    with acting_for(shop):
        refunding.refund_order(order.id, "asked", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id).payment_state is PaymentState.REFUNDED
    assert stand_in.captured(intent) == 0
    sound(shop)


def test_the_customer_gets_the_same_account_however_often_they_ask(shop, stand_in, asked):
    order, attempt_id, _intent = asked
    with acting_for(shop):
        again = actions.try_card_again(order.id, DORA)
        address = actions.start_card(again)
    assert again == attempt_id
    assert "/voucher/" in address
    assert len(stand_in.state.every("customer", shop.payment_account)) == 1


def test_only_a_mexican_shop_has_it_and_only_once_it_is_granted(shop, stand_in, crafts):
    brazilian = settle(crafts, stand_in, "BR", ["card", "pix"])
    with acting_for(shop):
        codes = {one.code for one in available_methods(shop, FulfilmentMethod.PICKUP, False, 5_000)}
        assert "spei" in codes
        few = {one.code for one in available_methods(shop, FulfilmentMethod.PICKUP, False, 999)}
        assert "spei" not in few
        assert "spei" not in {one.code for one in available_methods(shop, FulfilmentMethod.PICKUP, True)}
    assert "spei" not in {one.code for one in choosable(brazilian)}
