"""Mercado Pago behind the same port: consent, pages, notices, refunds and everything that may get lost on the way."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select, update

from storefront.embedded.fakemercado import create_fakemercado, mercado_of, running
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.inbox import InboxRow
from storefront.kernel.sealing import CannotOpen, seal, unseal
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order
from storefront.orders.states import FulfilmentMethod, OrderState, PaymentState
from storefront.payments import accounts, actions, door, ledger, queries, reconciling, refunding
from storefront.payments.capabilities import MERCADO_PAGO
from storefront.payments.ledger import Account
from storefront.payments.mercadopago import MercadoPago
from storefront.payments.methods import available_methods
from storefront.payments.models import (
    AttemptState,
    Difference,
    PaymentAttempt,
    PaymentEvent,
    ProviderAccount,
    Refund,
    RefundState,
)
from storefront.payments.provider import GatewayRefused, GatewayUnavailable
from tenants import mercado, settings
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order

SECRET = "play-notices"
BACK = "https://app.portales.test/ajustes/mercado-pago/listo"


@pytest.fixture
def fake():
    """The stand-in, spoken to over a socket; its notices are kept until a test hands them over."""
    app = create_fakemercado(secret=SECRET)
    with running(app) as base:
        door.use_mercado_pago(
            MercadoPago(
                client_id="1000",
                client_secret="play-secret",
                webhook_secrets=["play-older", SECRET],
                notices_url="https://portales.test/webhooks/mercadopago",
                tokens=accounts.access_token,
                api_base=base,
            )
        )
        door.use_gateway(None, 200)
        yield mercado_of(app)
        door.use_mercado_pago(None)
        door.use_gateway(None)


@pytest.fixture
def shop(bakery, fake):
    return connected(bakery, fake, "501")


def connected(shop, fake, account):
    with acting_for(shop):
        mercado.connect(fake.code_for(account, BACK), BACK, ALICIA)
    directory().forget()
    return directory().by_id(shop.id)


def an_attempt(stock=5):
    order = an_order(a_product(stock=stock), 2, pay=MERCADO_PAGO)
    attempt_id = queries.latest_card_attempt(order.id)
    db.session.expunge_all()
    db.session.rollback()
    return order, attempt_id


def facts(attempt_id):
    row = db.session.execute(
        select(
            PaymentAttempt.state, PaymentAttempt.provider_ref, PaymentAttempt.intent, PaymentAttempt.voucher_url,
            PaymentAttempt.provider, PaymentAttempt.key,
        ).where(PaymentAttempt.id == attempt_id)
    ).one()  # fmt: skip
    db.session.rollback()
    return row


def order_now(order_id):
    row = db.session.execute(
        select(Order.state, Order.payment_state, Order.expires_at).where(Order.id == order_id)
    ).one()
    db.session.rollback()
    return row


def count(model):
    found = db.session.scalar(select(func.count()).select_from(model))
    db.session.rollback()
    return found


def hand_over(client, notice, **changed):
    """A notice comes in, as it was sent or with something changed."""
    address, headers, body = notice
    parts = urlsplit(changed.get("address", address))
    return client.post(
        f"{parts.path}?{parts.query}", json=changed.get("body", body), headers=changed.get("headers", headers)
    )


# --- paying ---------------------------------------------------------------------------------------------------------


def test_a_payment_is_settled_once_by_notice_return_page_and_poll_together(shop, fake, drain, app, client_at):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        page = actions.start_card(attempt_id)
        assert page.endswith(facts(attempt_id).provider_ref)
        fake.pay(facts(attempt_id).provider_ref)
    for _ in range(3):
        assert hand_over(client_at("platform"), fake.notices.sent[0]).status_code == 200
    assert client_at(shop).get(f"/pedido/{order.token}/pagado").status_code == 303

    def ask(which):
        with app.app_context(), acting_for(shop):
            return jobs.drain() if which == 0 else actions.ask_provider(attempt_id)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(ask, range(5)))
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert facts(attempt_id).provider == MERCADO_PAGO
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        assert count(InboxRow) == 1
        assert queries.invariants() == []


def test_the_page_asks_for_exactly_the_order_in_the_shops_name_with_the_platforms_part(shop, fake):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        page = fake.state.kept["pages"][facts(attempt_id).provider_ref]
        assert page["_account"] == "501"
        assert page["external_reference"] == facts(attempt_id).key
        assert sum(item["quantity"] * item["unit_price"] for item in page["items"]) * 100 == order.total_minor
        assert page["marketplace_fee"] * 100 == door.platform_fee(order.total_minor)
        assert parse_qs(urlsplit(page["notification_url"]).query) == {"tienda": [str(shop.id)]}


def test_cash_is_paid_days_later_and_keeps_the_order_until_then(shop, fake, drain, client_at):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        ticket = fake.pay(facts(attempt_id).provider_ref, "pending")
        actions.ask_provider(attempt_id)
        assert facts(attempt_id).voucher_url.endswith(f"/ticket/{ticket['id']}")
        assert order_now(order.id).expires_at > clock.now() + timedelta(days=3)
    assert "Paga antes del" in client_at(shop).get(f"/pedido/{order.token}").get_data(as_text=True)
    fake.end_ticket(ticket["id"], "approved")
    hand_over(client_at("platform"), fake.notices.sent[-1])
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert queries.invariants() == []


def test_a_page_paid_twice_keeps_one_payment_sends_the_other_back_once_and_is_closed(shop, fake, drain):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        first, second = (fake.pay(facts(attempt_id).provider_ref) for _ in range(2))
        for _ in range(3):
            actions.ask_provider(attempt_id)
    drain(shop)
    with acting_for(shop):
        assert order_now(order.id)[:2] == (OrderState.CONFIRMED, PaymentState.PAID)
        assert (first["status"], second["status"]) == ("approved", "refunded")
        assert len(second["refunds"]) == 1
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor
        seen = db.session.scalars(select(PaymentEvent.kind).order_by(PaymentEvent.id)).all()
        assert sorted(seen) == ["extra_back", "paid"]
        with pytest.raises(Exception, match="page_expired"):
            fake.pay(facts(attempt_id).provider_ref)


def test_a_refused_card_leaves_the_page_open_for_another_try(shop, fake):
    with acting_for(shop):
        _order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        fake.pay(facts(attempt_id).provider_ref, "rejected")
        assert actions.ask_provider(attempt_id) is AttemptState.PENDING
        fake.pay(facts(attempt_id).provider_ref)
        assert actions.ask_provider(attempt_id) is AttemptState.SUCCEEDED


@pytest.mark.parametrize("fault", ["cut_after", "cut_before", "unavailable"])
def test_a_lost_answer_is_found_again_by_its_key_and_nothing_is_charged_twice(shop, fake, drain, fault):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        fake.faults.plan(fault, path="/checkout/preferences")
        with pytest.raises(GatewayUnavailable):
            actions.start_card(attempt_id)
        actions.ask_provider(attempt_id)
        actions.start_card(attempt_id)
        assert len(fake.state.kept["pages"]) == 1
        fake.pay(facts(attempt_id).provider_ref)
        assert actions.ask_provider(attempt_id) is AttemptState.SUCCEEDED
    drain(shop)
    with acting_for(shop):
        assert ledger.balance(Account.CARD_CLEARING) == order.total_minor


def test_a_cancelled_order_closes_its_page_and_gives_its_ticket_up(shop, fake, drain):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        ticket = fake.pay(facts(attempt_id).provider_ref, "pending")
        actions.ask_provider(attempt_id)
        cancel_order(order.id, "", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert ticket["status"] == "cancelled"
        assert facts(attempt_id).state is AttemptState.EXPIRED
        assert ledger.balance(Account.CARD_CLEARING) == 0


# --- money back -----------------------------------------------------------------------------------------------------


def paid(shop, fake, drain):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        payment = fake.pay(facts(attempt_id).provider_ref)
        actions.ask_provider(attempt_id)
    drain(shop)
    return order, payment


def test_money_goes_back_in_parts_and_whole_and_never_twice_for_one_key(shop, fake, drain):
    order, payment = paid(shop, fake, drain)
    with acting_for(shop):
        refunding.refund_order(order.id, "asked", ALICIA, 1_000)
        fake.faults.plan("cut_after", path="/refunds")
    drain(shop)
    with acting_for(shop):
        with db.session.begin():
            refund_id = db.session.scalar(select(Refund.id))
        refunding.send_back(refund_id)
        refunding.refund_order(order.id, "asked", ALICIA)
    drain(shop)
    with acting_for(shop):
        states = db.session.scalars(select(Refund.state)).all()
        assert set(states) == {RefundState.DONE}
        assert len(payment["refunds"]) == 2
        assert payment["status"] == "refunded"
        assert ledger.balance(Account.CARD_CLEARING) == 0
        assert order_now(order.id).payment_state is PaymentState.REFUNDED


def test_a_refund_that_takes_its_time_is_followed_to_its_end(shop, fake, drain):
    order, payment = paid(shop, fake, drain)
    fake.refund_status = "in_process"
    with acting_for(shop):
        refunding.refund_order(order.id, "asked", ALICIA)
    drain(shop)
    with acting_for(shop):
        refund = db.session.execute(select(Refund.id, Refund.state)).one()
        assert refund.state is RefundState.IN_TRANSIT
        db.session.rollback()
        payment["refunds"][0]["status"] = "approved"
        assert refunding.follow_refund(refund.id) is RefundState.DONE
        assert ledger.balance(Account.CARD_CLEARING) == 0


def test_what_is_refused_there_waits_for_a_hand(shop, fake, drain):
    order, payment = paid(shop, fake, drain)
    payment["status"] = "charged_back"
    with acting_for(shop):
        refunding.refund_order(order.id, "asked", ALICIA)
    drain(shop)
    with acting_for(shop):
        assert db.session.scalar(select(Refund.state)) is RefundState.EXTERNAL


def test_a_days_comparison_finds_what_only_mercado_pago_knows(shop, fake, drain):
    paid(shop, fake, drain)
    with acting_for(shop):
        page = door.mercado_pago().open_checkout(
            account="501", key="elsewhere", method=MERCADO_PAGO, amount=queries.Money(700, "MXN"), description="Otra",
            lines=[], success_url="https://x.test", cancel_url="https://x.test", metadata={}, application_fee_minor=0,
            expires_at=clock.now() + timedelta(hours=1), locale="es", customer_email=None,
        )  # fmt: skip
        fake.pay(page.id)
        today = clock.now().astimezone(shop.zone).date()
        assert [reconciling.reconcile(today), reconciling.reconcile(today)] == [1, 0]
        kinds = db.session.scalars(select(Difference.kind)).all()
        assert kinds == ["payment_unknown"]


# --- notices --------------------------------------------------------------------------------------------------------


def test_a_forged_or_altered_notice_stores_nothing(shop, fake, client_at):
    with acting_for(shop):
        _order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        fake.pay(facts(attempt_id).provider_ref)
    address, headers, _body = notice = fake.notices.sent[0]
    other = address.replace("data.id=", "data.id=9")
    stale = {**headers, "X-Request-Id": "another"}
    unsigned = {"X-Request-Id": headers["X-Request-Id"]}
    platform = client_at("platform")

    assert hand_over(platform, notice, address=other).status_code == 400
    for changed in (stale, unsigned, {**headers, "X-Signature": "ts=1,v1=" + "0" * 64}):
        assert hand_over(platform, notice, headers=changed).status_code == 400
    with acting_for(shop):
        assert count(InboxRow) == 0
        assert facts(attempt_id).state is AttemptState.PENDING


def test_a_notice_in_another_shops_name_changes_nothing_there_or_here(shop, crafts, fake, drain, client_at):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        fake.pay(facts(attempt_id).provider_ref)
    address, _headers, body = notice = fake.notices.sent[0]
    elsewhere = address.replace(f"tienda={shop.id}", f"tienda={crafts.id}")
    platform = client_at("platform")
    assert hand_over(platform, notice, address=elsewhere).get_json() == {"received": False}
    assert hand_over(platform, notice, body={**body, "user_id": 999}).get_json() == {"received": False}
    for wrong in ("", "9" * 30, "x"):
        nobody = address.replace(f"tienda={shop.id}", f"tienda={wrong}")
        assert hand_over(platform, notice, address=nobody).get_json() == {"received": False}
    for place in (shop, crafts):
        with acting_for(place):
            assert count(InboxRow) == 0
    with acting_for(shop):
        assert order_now(order.id).state is OrderState.AWAITING_PAYMENT


def test_a_signed_notice_about_a_strangers_payment_waits_and_changes_nothing(shop, fake, drain, client_at):
    with acting_for(shop):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        payment = fake.pay(facts(attempt_id).provider_ref)
    payment["_account"] = "777"
    hand_over(client_at("platform"), fake.notices.sent[0])
    drain(shop)
    with acting_for(shop):
        assert db.session.execute(select(InboxRow.handled_at)).scalar_one() is None
        db.session.rollback()
        assert order_now(order.id).state is OrderState.AWAITING_PAYMENT


# --- the shop's account ---------------------------------------------------------------------------------------------


def test_an_owner_connects_and_disconnects_on_pages(bakery, fake, client_at):
    client = client_at("app", as_="alicia")
    page = client.get("/ajustes/mercado-pago").get_data(as_text=True)
    assert "Conectar con Mercado Pago" in page
    assert client.get("/ajustes/mercado-pago/listo?code=abc&state=").status_code == 409  # nobody asked

    token = {"csrf_token": re.findall(r'name="csrf_token" value="([^"]*)"', page)[0]}
    away = client.post("/ajustes/mercado-pago", data=token)
    assert away.status_code == 303
    consent = httpx.post(away.location)
    back = urlsplit(consent.headers["Location"])
    assert client.get(f"{back.path}?code=stolen&state=wrong").status_code == 409
    with acting_for(bakery):
        assert count(ProviderAccount) == 0

    away = client.post("/ajustes/mercado-pago", data=token)
    back = urlsplit(httpx.post(away.location).headers["Location"])
    assert client.get(f"{back.path}?{back.query}").status_code == 303
    assert client.get(f"{back.path}?{back.query}").status_code == 409  # a state is good once
    assert "Cuenta conectada" in client.get("/ajustes/mercado-pago").get_data(as_text=True)
    now = directory().by_id(bakery.id)
    assert MERCADO_PAGO in now.payment_methods
    with acting_for(now):
        offered = available_methods(now, FulfilmentMethod.PICKUP, False)
        assert MERCADO_PAGO in {one.code for one in offered}

    assert client.post("/ajustes/mercado-pago/desconectar", data=token).status_code == 303
    directory().forget()
    assert MERCADO_PAGO not in directory().by_id(bakery.id).payment_methods
    with acting_for(bakery):
        assert count(ProviderAccount) == 0


def test_tokens_lie_unreadable_in_the_database_and_open_for_their_own_shop_and_use_alone(shop, crafts, fake, app):
    with acting_for(shop):
        row = db.session.execute(select(ProviderAccount.access, ProviderAccount.refresh)).one()
        db.session.rollback()
        tokens = [*fake.state.kept["tokens"], *fake.state.kept["refreshes"]]
        assert not [one for one in tokens if one in row.access + row.refresh]
        purpose = f"shop:{shop.id}:mercadopago:access"
        assert unseal(row.access, purpose) in tokens
        for other in (f"shop:{crafts.id}:mercadopago:access", f"shop:{shop.id}:mercadopago:refresh"):
            with pytest.raises(CannotOpen):
                unseal(row.access, other)
        altered = row.access[:30] + ("A" if row.access[30] != "A" else "B") + row.access[31:]
        with pytest.raises(CannotOpen):
            unseal(altered, purpose)
    assert seal("same", "x") != seal("same", "x")


def test_what_a_former_key_sealed_is_opened_while_it_is_among_the_fallbacks(app, monkeypatch):
    with app.app_context():
        sealed = seal("secreto", "x")
        former = app.config["SECRET_KEY"]
        monkeypatch.setitem(app.config, "SECRET_KEY", "new" * 20)
        with pytest.raises(CannotOpen):
            unseal(sealed, "x")
        monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [former])
        assert unseal(sealed, "x") == "secreto"


def test_twenty_callers_near_a_tokens_end_renew_it_once(shop, fake, app):
    with acting_for(shop), transaction():
        soon = clock.now() + timedelta(days=2)
        db.session.execute(update(ProviderAccount).values(expires_at=soon))

    def speak(_):
        with app.app_context(), acting_for(shop):
            return accounts.access_token(door.mercado_pago(), "501")

    with ThreadPoolExecutor(20) as pool:
        given = list(pool.map(speak, range(20)))
    assert all(token in fake.state.kept["tokens"] for token in given)
    assert len(fake.state.kept["tokens"]) == 2
    with acting_for(shop):
        assert speak(0) == list(fake.state.kept["tokens"])[-1]


def test_a_token_that_ended_while_the_provider_is_away_is_not_spoken_with(shop, fake):
    with acting_for(shop):
        with transaction():
            db.session.execute(update(ProviderAccount).values(expires_at=clock.now()))
        fake.state.kept["refreshes"].clear()
        with pytest.raises(GatewayRefused):
            accounts.access_token(door.mercado_pago(), "501")
        with pytest.raises(GatewayUnavailable):
            accounts.access_token(door.mercado_pago(), "501")


def test_an_account_is_not_forgotten_while_a_payment_is_under_way_and_later_refunds_wait_for_a_hand(shop, fake, drain):
    order, _payment = paid(shop, fake, drain)
    with acting_for(shop):
        _other, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        with pytest.raises(accounts.StillOpen):
            mercado.disconnect(ALICIA)
        assert count(ProviderAccount) == 1
    directory().forget()
    assert MERCADO_PAGO in directory().by_id(shop.id).payment_methods

    with acting_for(directory().by_id(shop.id)):
        fake.pay(facts(attempt_id).provider_ref)
        actions.ask_provider(attempt_id)
        mercado.disconnect(ALICIA)
        mercado.disconnect(ALICIA)
        refunding.refund_order(order.id, "asked", ALICIA)
        assert db.session.scalar(select(Refund.state)) is RefundState.EXTERNAL


def test_a_shop_whose_country_has_no_mercado_pago_cannot_connect_or_choose_it(crafts, fake):
    with acting_for(crafts):
        with pytest.raises(mercado.NotHere):
            mercado.connect(fake.code_for("601", BACK), BACK, ALICIA)
        settings.change_payments(["pay_at_shop", MERCADO_PAGO], "", ALICIA)
        assert count(ProviderAccount) == 0
    directory().forget()
    assert MERCADO_PAGO not in directory().by_id(crafts.id).payment_methods


def test_pesos_without_centavos_are_charged_as_whole_pesos(inn, fake):
    chilean = connected(inn, fake, "701")
    with acting_for(chilean):
        order, attempt_id = an_attempt()
        actions.start_card(attempt_id)
        page = fake.state.kept["pages"][facts(attempt_id).provider_ref]
        assert sum(item["quantity"] * item["unit_price"] for item in page["items"]) == order.total_minor
        fake.pay(page["id"])
        told = door.mercado_pago().checkout_state("701", page["id"])
        assert (told.paid, told.amount_minor, told.currency) == (True, order.total_minor, "CLP")
