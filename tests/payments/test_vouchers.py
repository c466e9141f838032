"""Paying days later: OXXO, boleto and Pix, from the choice to the voucher, its money or its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import time_machine
from sqlalchemy import func, select

from storefront.inventory.actions import hold_stock
from storefront.inventory.models import StockHold
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.actions import cancel_order, expire_order
from storefront.orders.models import Order
from storefront.orders.states import LONGEST_WAIT, FulfilmentMethod, OrderState, PaymentState
from storefront.payments import actions, door, ledger, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.methods import available_methods, choosable
from storefront.payments.models import AttemptState, PaymentAttempt, Refund, RefundState
from storefront.payments.provider import GatewayRefused
from tenants import settings
from tenants.models import Tenant
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.payments.conftest import SECRET


def settle(shop, stand_in, country, methods):
    """Give a shop a country, an account there that may charge, and ways of being paid."""
    account = door.gateway().create_account(shop.name, shop.email, country, f"shop:{shop.id}:account").id
    stand_in.complete_account(account)
    for method in methods:
        if method not in {"card", "bank_transfer"}:
            door.gateway().ask_for(account, method)
    with acting_for(shop), transaction():
        tenant = db.session.get_one(Tenant, shop.id)
        tenant.payment_account, tenant.country = account, country
        tenant.currency = {"MX": "MXN", "BR": "BRL"}[country]
        tenant.payment_methods = list(methods)
    directory().forget()
    return directory().by_id(shop.id)


@pytest.fixture
def shop(bakery, stand_in):
    return settle(bakery, stand_in, "MX", ["card", "oxxo", "bank_transfer"])


@pytest.fixture
def brazilian(crafts, stand_in):
    return settle(crafts, stand_in, "BR", ["card", "boleto", "pix"])


def voucher_order(pay="oxxo", stock=5, quantity=2):
    order = an_order(a_product(stock=stock), quantity, pay=pay)
    attempt_id = queries.latest_card_attempt(order.id)
    db.session.expunge_all()
    db.session.rollback()
    return order, attempt_id


def attempt_now(attempt_id):
    row = db.session.execute(
        select(
            PaymentAttempt.state, PaymentAttempt.provider_ref, PaymentAttempt.intent, PaymentAttempt.voucher_url,
            PaymentAttempt.voucher_expires_at, PaymentAttempt.provider,
        ).where(PaymentAttempt.id == attempt_id)
    ).one()  # fmt: skip
    db.session.rollback()
    return row


def order_now(order_id):
    row = db.session.execute(
        select(Order.state, Order.payment_state, Order.attention, Order.expires_at).where(Order.id == order_id)
    ).one()
    db.session.rollback()
    return row


def held_until(order_id):
    found = db.session.scalar(select(func.min(StockHold.expires_at)).where(StockHold.cause_id == order_id))
    db.session.rollback()
    return found


def take_voucher(stand_in, attempt_id):
    """The customer goes to the page, takes a voucher and comes back."""
    actions.start_card(attempt_id)
    stand_in.issue(attempt_now(attempt_id).provider_ref)
    actions.ask_provider(attempt_id)
    return attempt_now(attempt_id)


# --- the way that goes well -----------------------------------------------------------------------------------------


def test_a_voucher_keeps_the_order_until_its_money_can_have_come_and_then_confirms_it(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        assert order_now(order.id).expires_at == order.placed_at + timedelta(minutes=30)

        taken = take_voucher(stand_in, attempt_id)

        assert (taken.state, taken.provider) == (AttemptState.PENDING, "stripe")
        assert taken.voucher_url
        waits = order_now(order.id)
        assert waits.state is OrderState.AWAITING_PAYMENT
        assert waits.expires_at == taken.voucher_expires_at + timedelta(days=1)
        assert held_until(order.id) > taken.voucher_expires_at
        assert ledger.balance(Account.CARD_CLEARING) == 0

        stand_in.pay_voucher(taken.intent)
        actions.ask_provider(attempt_id)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        assert queries.invariants() == []


def test_the_news_of_a_paid_voucher_comes_by_notice_poll_and_page_at_once_and_is_booked_once(
    shop, stand_in, drain, app, client_at
):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        taken = take_voucher(stand_in, attempt_id)
        stand_in.pay_voucher(taken.intent)
    notice = stand_in.events("checkout.session.async_payment_succeeded", shop.payment_account)[0]
    for _ in range(2):
        body, signature = stand_in.signed(notice["id"], secret=SECRET)
        headers = {"Stripe-Signature": signature}
        assert client_at("platform").post("/webhooks/stripe", data=body, headers=headers).status_code == 200

    def news(which):
        with app.app_context(), acting_for(shop):
            return jobs.drain() if which == 0 else actions.ask_provider(attempt_id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(news, range(6)))
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        assert queries.invariants() == []


def test_the_order_page_says_how_and_until_when_to_pay_however_often_the_page_was_closed(shop, stand_in, client_at):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        actions.start_card(attempt_id)
        stand_in.issue(attempt_now(attempt_id).provider_ref, "http://127.0.0.1")
    client = client_at(shop)
    assert client.get(f"/pedido/{order.token}/pagado").status_code == 303

    page = client.get(f"/pedido/{order.token}").get_data(as_text=True)

    assert "Paga antes del" in page
    with acting_for(shop):
        assert queries.open_voucher(order.id).number in page
        assert attempt_now(attempt_id).voucher_url in page
        assert actions.start_card(actions.try_card_again(order.id, DORA)) == attempt_now(attempt_id).voucher_url
        assert db.session.scalar(select(func.count()).select_from(PaymentAttempt)) == 1


@pytest.mark.parametrize(("method", "days"), [("boleto", 3), ("pix", 0)])
def test_brazilian_ways_are_paid_later_too(brazilian, stand_in, drain, method, days):
    with acting_for(brazilian):
        order, attempt_id = voucher_order(method)
        taken = take_voucher(stand_in, attempt_id)
        assert timedelta(days=days) - timedelta(hours=1) < taken.voucher_expires_at - clock.now()
        stand_in.pay_voucher(taken.intent)
        actions.ask_provider(attempt_id)
    drain(brazilian)
    with acting_for(brazilian):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert queries.invariants() == []


def test_the_stand_ins_pages_give_out_a_voucher_and_let_it_be_paid_later(shop, stand_in):
    """What a person does in the demo, without a script."""
    with acting_for(shop):
        _order, attempt_id = voucher_order()
        page = actions.start_card(attempt_id)
        base = str(door.gateway()._client._requestor.base_addresses["api"])  # where the test's server listens
        path = page.partition("//")[2].partition("/")[2]
        assert "Recibir la ficha de OXXO" in httpx.get(f"{base}/{path}").text
        assert httpx.post(f"{base}/{path}", data={"later": "yes"}).status_code == 303
        actions.ask_provider(attempt_id)
        voucher = attempt_now(attempt_id).voucher_url.partition("//")[2].partition("/")[2]
        assert "Dejar que venza sin pagar" in httpx.get(f"{base}/{voucher}").text
        assert httpx.post(f"{base}/{voucher}", data={"end": "paid"}).status_code == 303
        assert "ya está hecho" in httpx.get(f"{base}/{voucher}").text
        assert httpx.post(f"{base}/{voucher}", data={"end": "paid"}).status_code == 400
        assert actions.ask_provider(attempt_id) is AttemptState.SUCCEEDED
        assert [line.kind for line in stand_in.book(shop.payment_account)].count("charge") == 1


# --- the ways that do not -------------------------------------------------------------------------------------------


def test_a_voucher_that_nobody_paid_ends_its_attempt_and_another_can_be_had(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        taken = take_voucher(stand_in, attempt_id)
        stand_in.let_voucher_lapse(taken.intent)

        assert actions.ask_provider(attempt_id) is AttemptState.FAILED
        assert order_now(order.id)[:2] == (OrderState.AWAITING_PAYMENT, PaymentState.FAILED)

        again = actions.try_card_again(order.id, DORA)
        assert again != attempt_id
        stand_in.pay_voucher(take_voucher(stand_in, again).intent)
        actions.ask_provider(again)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id).state is OrderState.CONFIRMED
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor


def test_vouchers_asked_for_again_and_again_do_not_keep_the_goods_for_ever(shop, stand_in):
    with acting_for(shop):
        order, _attempt_id = voucher_order()
        start = clock.now()
    for days in (0, 3, 6, 9):
        with time_machine.travel(start + timedelta(days=days), tick=True), acting_for(shop):
            attempt_id = actions.try_card_again(order.id, DORA)
            taken = take_voucher(stand_in, attempt_id)
            stand_in.let_voucher_lapse(taken.intent)
            actions.ask_provider(attempt_id)
            assert order_now(order.id).expires_at <= order.placed_at + LONGEST_WAIT


def test_a_voucher_paid_after_the_order_lapsed_takes_the_goods_again_if_they_are_there(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        taken = take_voucher(stand_in, attempt_id)
    with time_machine.travel(clock.now() + timedelta(days=6), tick=True), acting_for(shop):
        assert expire_order(order.id)
        with stand_in.state.changing():
            stand_in.state.objects[taken.intent]["_until"] += 10 * 86400
        stand_in.pay_voucher(taken.intent)
        actions.ask_provider(attempt_id)
        jobs.drain()
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert queries.invariants() == []


def test_late_voucher_money_that_cannot_be_kept_waits_for_a_hand_since_the_provider_cannot_send_it_back(
    shop, stand_in, drain
):
    with acting_for(shop):
        order, attempt_id = voucher_order(stock=2)
        variant = db.session.scalar(select(StockHold.variant_id).where(StockHold.cause_id == order.id))
        taken = take_voucher(stand_in, attempt_id)
    with time_machine.travel(clock.now() + timedelta(days=6), tick=True), acting_for(shop):
        assert expire_order(order.id)
        with transaction():
            hold_stock({variant: 2}, cause="order", cause_id=order.id + 1, until=None)
        with stand_in.state.changing():
            stand_in.state.objects[taken.intent]["_until"] += 10 * 86400
        stand_in.pay_voucher(taken.intent)
        actions.ask_provider(attempt_id)
        jobs.drain()

        refund = db.session.execute(select(Refund.code, Refund.state, Refund.amount_minor)).one()
        assert (refund.state, refund.amount_minor) == (RefundState.EXTERNAL, order.total_minor)
        assert [line.kind for line in stand_in.book(shop.payment_account) if line.kind == "refund"] == []
        assert order_now(order.id).state is not OrderState.CONFIRMED

        refunding.mark_sent_back(refund.code, ALICIA)
        assert order_now(order.id).payment_state is PaymentState.REFUNDED
        assert ledger.balance(Account.CARD_CLEARING) == 0


def test_the_refund_of_a_paid_voucher_is_done_by_hand_and_that_of_a_pix_by_the_provider(
    shop, brazilian, stand_in, drain
):
    for place, method, state in ((shop, "oxxo", RefundState.EXTERNAL), (brazilian, "pix", RefundState.DONE)):
        with acting_for(place):
            order, attempt_id = voucher_order(method)
            stand_in.pay_voucher(take_voucher(stand_in, attempt_id).intent)
            actions.ask_provider(attempt_id)
        drain(place)
        with acting_for(place):
            refunding.refund_order(order.id, "asked", ALICIA)
        drain(place)
        with acting_for(place):
            assert db.session.scalar(select(Refund.state)) is state
            db.session.rollback()


def test_a_cancelled_order_makes_its_voucher_worthless(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        taken = take_voucher(stand_in, attempt_id)
        cancel_order(order.id, "", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert stand_in.state.objects[taken.intent]["status"] == "canceled"
        assert attempt_now(attempt_id).state is AttemptState.FAILED
        assert ledger.balance(Account.CARD_CLEARING) == 0


def test_a_voucher_paid_before_its_order_is_cancelled_waits_for_a_hand(shop, stand_in, drain):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        taken = take_voucher(stand_in, attempt_id)
        stand_in.pay_voucher(taken.intent)
        cancel_order(order.id, "", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert attempt_now(attempt_id).state is AttemptState.SUCCEEDED
        assert db.session.scalar(select(Refund.state)) is RefundState.EXTERNAL


def test_the_end_of_a_voucher_is_followed_from_its_notice_alone(shop, stand_in, client_at, drain):
    with acting_for(shop):
        order, attempt_id = voucher_order()
        stand_in.let_voucher_lapse(take_voucher(stand_in, attempt_id).intent)
    for kind in ("payment_intent.payment_failed", "checkout.session.async_payment_failed"):
        notice = stand_in.events(kind, shop.payment_account)[0]
        body, signature = stand_in.signed(notice["id"], secret=SECRET)
        client_at("platform").post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature})
    drain(shop)
    with acting_for(shop):
        assert attempt_now(attempt_id).state is AttemptState.FAILED
        assert order_now(order.id).payment_state is PaymentState.FAILED


def test_the_poll_leaves_vouchers_in_peace_for_half_an_hour_and_finds_lost_news(shop, stand_in):
    with acting_for(shop):
        _order, attempt_id = voucher_order()
        taken = take_voucher(stand_in, attempt_id)
    at = clock.now()
    with clock.pretending(at + timedelta(minutes=3)), acting_for(shop):
        payment_jobs.keep_asking.run()
        stand_in.pay_voucher(taken.intent)
    with clock.pretending(at + timedelta(minutes=10)), acting_for(shop):
        payment_jobs.keep_asking.run()
        assert attempt_now(attempt_id).state is AttemptState.PENDING
    with clock.pretending(at + timedelta(minutes=40)), acting_for(shop):
        payment_jobs.keep_asking.run()
        assert attempt_now(attempt_id).state is AttemptState.SUCCEEDED


# --- who may have it ------------------------------------------------------------------------------------------------


def test_a_way_of_paying_is_offered_only_where_country_currency_and_amount_fit(shop, brazilian):
    def codes(place, **how):
        with acting_for(place):
            return {one.code for one in available_methods(place, FulfilmentMethod.PICKUP, False, **how)}

    assert "oxxo" in codes(shop)
    assert {"boleto", "pix"} <= codes(brazilian)
    assert "oxxo" not in codes(shop, amount_minor=999)
    assert "oxxo" in codes(shop, amount_minor=1_000)
    assert "oxxo" not in codes(shop, amount_minor=1_000_001)
    with acting_for(shop):
        assert "oxxo" not in {one.code for one in available_methods(shop, FulfilmentMethod.PICKUP, True)}
    assert "oxxo" not in {one.code for one in choosable(brazilian)}
    assert not {"boleto", "pix"} & {one.code for one in choosable(shop)}


def test_the_owner_cannot_turn_on_what_the_country_has_not_or_the_provider_has_not_granted(shop, stand_in):
    with acting_for(shop):
        settings.change_payments(["card", "pix"], "", ALICIA)
    assert directory().by_id(shop.id).payment_methods == ("card",)

    stand_in.restrict_account(shop.payment_account)
    with acting_for(directory().by_id(shop.id)), pytest.raises(settings.NotGranted):
        settings.change_payments(["card", "oxxo"], "", ALICIA)
    directory().forget()
    assert directory().by_id(shop.id).payment_methods == ("card",)

    stand_in.complete_account(shop.payment_account)
    with acting_for(directory().by_id(shop.id)):
        settings.change_payments(["card", "oxxo"], "", ALICIA)
    directory().forget()
    assert directory().by_id(shop.id).payment_methods == ("card", "oxxo")


def test_months_without_interest_are_a_way_of_their_own_that_the_shop_turns_on(bakery, stand_in, drain):
    shop = settle(bakery, stand_in, "MX", ["card"])
    with acting_for(shop):
        settings.change_payments(["card", "card_months"], "", ALICIA)
    directory().forget()
    shop = directory().by_id(shop.id)
    with acting_for(shop):
        offered = {one.code for one in available_methods(shop, FulfilmentMethod.PICKUP, False, 30_000)}
        assert {"card", "card_months"} <= offered
        assert "card_months" not in {
            one.code for one in available_methods(shop, FulfilmentMethod.PICKUP, False, 29_999)
        }
        asked = []
        for pay in ("card", "card_months"):
            order, attempt_id = voucher_order(pay)
            actions.start_card(attempt_id)
            page = stand_in.state.objects[attempt_now(attempt_id).provider_ref]
            asked.append(page["_options"])
            stand_in.pay(page["id"])
            assert actions.ask_provider(attempt_id) is AttemptState.SUCCEEDED
        assert asked == [{}, {"card": {"installments": {"enabled": True}}}]
        refunding.refund_order(order.id, "asked", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert db.session.scalar(select(Refund.state)) is RefundState.DONE


def test_the_owner_sees_what_the_provider_sent_to_the_bank_and_nobody_elses(bakery, crafts, stand_in, client_at):
    shop, other = (settle(one, stand_in, "MX", ["card"]) for one in (bakery, crafts))
    alicia = client_at("app", as_="alicia")
    assert "todavía no te deposita nada" in alicia.get("/cobros/depositos").get_data(as_text=True)
    for place in (shop, other):
        with acting_for(place):
            _order, attempt_id = voucher_order("card", quantity=2 if place is shop else 3)
            actions.start_card(attempt_id)
            stand_in.pay(attempt_now(attempt_id).provider_ref)
        stand_in.pay_out(place.payment_account)

    page = alicia.get("/cobros/depositos").get_data(as_text=True)

    assert "$49.00" in page  # two of 25.00, less the platform's 2 %
    assert "En camino a tu banco" in page
    assert "$73.50" not in page
    stand_in.faults.plan("unavailable", path="/payouts")
    assert alicia.get("/cobros/depositos").status_code == 503
    with acting_for(other), pytest.raises(GatewayRefused):
        door.gateway().payouts("acct_nobodys")
