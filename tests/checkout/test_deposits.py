"""Deposits from the settings to the order: what is paid now is shown before it is agreed, and kept as it was agreed."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from storefront.catalogue.deposits import BadDeposit, deposit_of, set_deposit
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.models import Order
from storefront.payments.models import PaymentAttempt
from storefront.pricing.deposits import NO_SHARE, Share
from tenants.deposits import NothingInAdvance, change_deposits
from tenants.settings import change_payments
from tests.checkout.test_pages import fill, hidden, orders_at
from tests.factories.catalogue import OWNER, a_product
from tests.factories.deposits import with_deposit
from tests.factories.desk import Desk
from tests.factories.gift_cards import a_card

PLACE = "/pedir"


@pytest.fixture
def bread(bakery):
    with acting_for(bakery):
        return a_product("Pastel", price=10_000, stock=10)


@pytest.fixture
def browser(client_at, bakery, bread):
    """A visitor of the bakery with two cakes in the cart: two hundred pesos."""
    client = client_at(bakery)
    assert client.post("/carrito", data={"variant": bread.variant_code, "quantity": "2"}).status_code == 303
    return client


@pytest.fixture
def alicia(app, cast, client_at):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def the_order(shop):
    with acting_for(shop):
        order = db.session.execute(
            select(Order.deposit_minor, Order.total_minor, Order.rest_in_advance, Order.deposit_refundable)
        ).one()
        tried = db.session.scalars(select(PaymentAttempt.amount_minor).order_by(PaymentAttempt.id)).all()
        db.session.rollback()
    return tuple(order), tried


# --- the customer -----------------------------------------------------------------------------------------------------


def test_what_is_paid_now_and_what_later_is_shown_and_kept(browser, bakery, drain):
    with_deposit(bakery, 30)
    page = browser.get(PLACE).text
    assert "Hacer el pedido con $60.00 de anticipo" in page
    assert "El resto, $140.00, lo pagas al recogerlo." in page
    assert "Si cancelas antes de que esté listo te devolvemos el anticipo." in page
    assert "Pago en la tienda" not in page  # a deposit comes before anybody does

    sent = browser.post(PLACE, data=fill(browser, pay="bank_transfer", email="dora@example.com"))

    assert sent.status_code == 303
    assert the_order(bakery) == ((6_000, 20_000, False, True), [6_000])
    shown = browser.get(sent.location).text
    assert "$60.00" in shown
    assert "El resto, $140.00, lo pagas al recogerlo." in shown
    drain(bakery)
    with acting_for(bakery):
        letter = db.session.scalar(select(MailMessage.body_text).where(MailMessage.once.startswith("order-placed")))
    assert "Anticipo para confirmarlo: $60.00" in letter


def test_nobody_orders_on_terms_that_were_not_seen(browser, bakery):
    typed = fill(browser, pay="bank_transfer")
    with_deposit(bakery, 30)

    first = browser.post(PLACE, data=typed)
    with_deposit(bakery, 30, refund_days=None)
    typed["shown"] = hidden(first.text, "shown")
    second = browser.post(PLACE, data=typed)

    assert (first.status_code, second.status_code) == (409, 409)
    assert "Si cancelas, el anticipo no se devuelve." in second.text
    assert orders_at(bakery) == 0


def test_what_the_shop_changes_later_does_not_change_what_was_agreed(browser, bakery):
    with_deposit(bakery, 30)
    browser.post(PLACE, data=fill(browser, pay="bank_transfer"))

    with_deposit(bakery, 80, refund_days=None)

    assert the_order(bakery) == ((6_000, 20_000, False, True), [6_000])


def test_a_shop_that_is_only_paid_when_it_hands_over_asks_for_no_deposit(browser, bakery):
    with_deposit(bakery, 30)
    with acting_for(bakery):
        change_payments(["pay_at_shop"], "", OWNER)
    directory().forget()

    assert "anticipo" not in browser.get(PLACE).text
    assert browser.post(PLACE, data=fill(browser)).status_code == 303
    assert the_order(bakery)[0][0] == 0


def test_a_gift_card_that_pays_the_deposit_leaves_nothing_to_choose(browser, bakery, drain):
    with_deposit(bakery, 30)
    with acting_for(bakery):
        card = a_card(7_000)
    typed = {**fill(browser), "gift_card": card.secret, "do": "gift-card"}
    page = browser.post(PLACE, data=typed).text
    assert "La tarjeta paga el anticipo: por ahora no hace falta nada más." in page
    typed |= {"shown": hidden(page, "shown"), "do": "place", "pay": ""}

    assert browser.post(PLACE, data=typed).status_code == 303
    drain(bakery)

    with acting_for(bakery):
        order = db.session.execute(select(Order.state, Order.payment_state, Order.received_minor)).one()
        assert tuple(map(str, order)) == ("confirmed", "partly_paid", "7000")


# --- the owner --------------------------------------------------------------------------------------------------------


def test_the_owner_decides_for_the_shop_and_for_one_product(alicia, bakery, bread):
    sent = alicia.send(
        "/ajustes/anticipos",
        {"how": "percent", "percent": "40", "rest": "before", "rest_days": "7", "refund": "before", "refund_days": "3"},
    )
    assert sent.status_code == 303
    shop = directory().by_id(bakery.id)
    assert (shop.deposit_percent, shop.deposit_rest_days, shop.deposit_refund_days) == (40, 7, 3)

    assert alicia.send(f"/productos/{bread.code}/anticipo", {"how": "amount", "amount": "25"}).status_code == 303
    with acting_for(bakery):
        assert deposit_of(bread.id) == Share(0, 2_500)
    page = alicia.get("/ajustes/anticipos").text
    assert "Pastel" in page
    assert "$25.00 por pieza o por lugar" in page
    assert alicia.send(f"/productos/{bread.code}/anticipo", {"how": "shop"}).status_code == 303
    with acting_for(bakery):
        assert deposit_of(bread.id) is None


@pytest.mark.parametrize(
    "typed",
    [
        {"how": "percent", "percent": "95"},
        {"how": "percent", "percent": "-5"},
        {"how": "percent", "percent": ""},
        {"how": "percent", "percent": "mucho"},
        {"how": "amount", "amount": "-3"},
        {"how": "amount", "amount": ""},
        {"how": "quizá"},
        {"how": "percent", "percent": "30", "rest": "before", "rest_days": ""},
        {"how": "percent", "percent": "30", "rest": "before", "rest_days": "9999999999"},
        {"how": "percent", "percent": "30", "refund": "before", "refund_days": "-1"},
    ],
)
def test_what_no_deposit_can_be_is_refused_and_what_was_typed_stays(alicia, bakery, typed):
    sent = alicia.send("/ajustes/anticipos", {"rest": "at", "refund": "never", **typed})

    assert sent.status_code == 422
    assert directory().by_id(bakery.id).deposit_percent == 0
    for value in set(typed.values()) - {"", "percent", "amount", "before", "quizá"}:
        assert f'value="{value}"' in sent.text


def test_a_share_out_of_bounds_is_refused_by_the_action_too(bakery, bread):
    with acting_for(bakery):
        for share in (Share(101), Share(4), Share(0, -1), Share(30, 500)):
            with pytest.raises(BadDeposit):
                set_deposit(bread.id, share, OWNER)
        assert deposit_of(bread.id) is None
        set_deposit(bread.id, NO_SHARE, OWNER)
        assert deposit_of(bread.id) == NO_SHARE
        change_payments(["pay_at_shop"], "", OWNER)
    directory().forget()
    with acting_for(directory().by_id(bakery.id)):
        with pytest.raises(NothingInAdvance):
            change_deposits(Share(30), None, None, OWNER)
        assert db.session.scalar(select(func.count(Order.id))) == 0
