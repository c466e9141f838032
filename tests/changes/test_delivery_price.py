"""A delivery whose price the shop says order by order: agreed to and only then paid; never twice, never late."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from storefront.changes.answering import BillMoved, ChangeOver, agree, decline, withdraw
from storefront.changes.delivery_price import BadPrice, PriceAgreed, name_price
from storefront.changes.models import Agreement, OrderChange
from storefront.changes.proposing import AlreadyWaiting, Wish, change_at_once
from storefront.cli import INVARIANTS
from storefront.delivery.contracts import ZoneDetails, add_zone
from storefront.delivery.models import RateKind, Zone
from storefront.delivery.rates import quote
from storefront.inventory.models import Stock
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.limits import limiter
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import DeliveryUnpriced, cancel_order, confirm_order, expire_order
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import QUOTE_PATIENCE
from storefront.payments import ledger
from storefront.payments.actions import open_attempt, record_cash
from storefront.payments.ledger import Account
from storefront.payments.links import pay_by
from storefront.payments.models import PaymentAttempt
from storefront.payments.transfers import record_transfer
from tests.checkout.test_pages import fill, hidden
from tests.factories.catalogue import a_product
from tests.factories.counter import field, press
from tests.factories.delivery import OWNER
from tests.factories.orders import DORA, HOME


@pytest.fixture(autouse=True)
def _without_haste(monkeypatch):
    """One address orders for many tests within a minute."""
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def bread(bakery):
    with acting_for(bakery):
        add_zone(ZoneDetails("Lejos", 0, free_above_minor=100_000, kind=RateKind.QUOTED), OWNER)
        return a_product("Pan", price=5_000, stock=9)


@pytest.fixture
def browser(client_at, bakery, bread):
    client = client_at(bakery)
    assert client.post("/carrito", data={"variant": bread.variant_code, "quantity": "2"}).status_code == 303
    return client


def ordered(browser, bakery, pay="bank_transfer"):
    """Dora orders to her door; the order's id."""
    with acting_for(bakery):
        code = db.session.scalar(select(Zone.code))
        db.session.rollback()
    form = fill(browser, how="delivery", place=code, locality="Tule", street="Casa azul", pay=pay)
    seen = browser.post("/pedir", data=form | {"do": "show"})
    assert "La tienda te dice el precio" in seen.text
    assert "solo entonces pagas" in seen.text
    placed = browser.post("/pedir", data=form | {"shown": hidden(seen.text, "shown")})
    assert placed.status_code == 303, placed.text
    with acting_for(bakery):
        found = db.session.scalar(select(Order.id))
        db.session.rollback()
        jobs.drain()
        return found


def row_of(order_id):
    found = db.session.execute(
        select(
            Order.state, Order.payment_state, Order.total_minor, Order.shipping_minor, Order.awaits_delivery_price
        ).where(Order.id == order_id)
    ).one()
    db.session.rollback()
    return (str(found[0]), str(found[1]), *found[2:])


def attempts():
    found = db.session.scalars(select(PaymentAttempt.amount_minor).where(PaymentAttempt.state == "created")).all()
    db.session.rollback()
    return list(found)


def sound():
    assert [fault for look in INVARIANTS for fault in look()] == []
    db.session.rollback()


def test_nothing_is_paid_before_the_price_is_agreed_to(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        assert row_of(order_id) == ("requested", "unpaid", 10_000, 0, True)
        for verb in (
            lambda: open_attempt(order_id, "bank_transfer"),
            lambda: record_transfer(order_id, OWNER),
            lambda: confirm_order(order_id, OWNER),
            lambda: pay_by(order_id, "bank_transfer", DORA),
        ):
            with pytest.raises(Refusal):
                verb()
            db.session.rollback()
        assert row_of(order_id) == ("requested", "unpaid", 10_000, 0, True)
        assert attempts() == []
        sound()


def test_the_customer_agrees_and_pays_all_of_it(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        change = name_price(order_id, 8_000, "Son 12 km", OWNER)
        assert row_of(order_id) == ("requested", "unpaid", 10_000, 0, True)
        agree(change.id, DORA, Agreement.PAGE)
        agree(change.id, DORA, Agreement.PAGE)

        assert row_of(order_id) == ("awaiting_payment", "unpaid", 18_000, 8_000, False)
        assert attempts() == [18_000]
        record_transfer(order_id, OWNER)
        jobs.drain()
        assert row_of(order_id)[:2] == ("confirmed", "paid")
        assert ledger.balance(Account.RECEIVABLE, order_id) == 0
        assert -ledger.balance(Account.SALES, order_id) - ledger.balance(Account.TAX, order_id) == 18_000
        sound()


def test_what_is_paid_at_the_door_waits_for_the_shops_word_once_more(browser, bakery):
    order_id = ordered(browser, bakery, "cash_on_delivery")
    with acting_for(bakery):
        with pytest.raises(DeliveryUnpriced):
            record_cash(order_id, OWNER)
        change = name_price(order_id, 8_000, "", OWNER)
        agree(change.id, OWNER, Agreement.PHONE)
        assert row_of(order_id) == ("requested", "unpaid", 18_000, 8_000, False)
        confirm_order(order_id, OWNER)
        jobs.drain()
        assert row_of(order_id)[0] == "confirmed"
        sound()


def test_what_is_free_needs_no_question(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        name_price(order_id, 0, "", OWNER)
        assert row_of(order_id) == ("awaiting_payment", "unpaid", 10_000, 0, False)
        assert attempts() == [10_000]
        sound()


def test_a_price_is_named_once_at_a_time_and_not_after_it_was_agreed_to(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        first = name_price(order_id, 8_000, "", OWNER)
        with pytest.raises(AlreadyWaiting):
            name_price(order_id, 9_000, "", OWNER)
        with pytest.raises(AlreadyWaiting):
            change_at_once(order_id, Wish({1: 1}, {}), "asked", "", OWNER, told=True)
        for wrong in (-1, 10**15):
            with pytest.raises(BadPrice):
                name_price(order_id, wrong, "", OWNER)
        withdraw(first.id, OWNER)
        second = name_price(order_id, 9_000, "", OWNER)
        with pytest.raises(ChangeOver):
            agree(first.id, DORA, Agreement.PAGE)
        agree(second.id, DORA, Agreement.PAGE)
        with pytest.raises(PriceAgreed):
            name_price(order_id, 1_000, "", OWNER)
        assert row_of(order_id)[2:] == (19_000, 9_000, False)


def test_after_a_no_the_shop_may_name_another(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        decline(name_price(order_id, 8_000, "", OWNER).id, DORA)
        assert row_of(order_id) == ("requested", "unpaid", 10_000, 0, True)
        agree(name_price(order_id, 6_000, "", OWNER).id, DORA, Agreement.PAGE)
        assert row_of(order_id)[2:] == (16_000, 6_000, False)


def test_a_yes_after_its_time_changes_nothing(browser, bakery, time_machine):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        change = name_price(order_id, 8_000, "", OWNER)
        time_machine.move_to(clock.now() + timedelta(hours=24, minutes=1))
        with pytest.raises(ChangeOver):
            agree(change.id, DORA, Agreement.PAGE)
        assert row_of(order_id) == ("requested", "unpaid", 10_000, 0, True)
        assert name_price(order_id, 7_000, "", OWNER).code != change.code


def test_an_order_whose_price_nobody_agreed_to_lapses_and_gives_its_goods_back(browser, bakery, time_machine):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        change = name_price(order_id, 8_000, "", OWNER)
        time_machine.move_to(clock.now() + QUOTE_PATIENCE + timedelta(minutes=1))
        assert expire_order(order_id)
        jobs.drain()
        with pytest.raises(ChangeOver):
            agree(change.id, DORA, Agreement.PAGE)
        assert row_of(order_id)[:2] == ("expired", "unpaid")
        assert db.session.scalar(select(func.sum(Stock.reserved))) == 0
        db.session.rollback()
        sound()


def test_a_price_for_an_order_that_changed_or_ended_meanwhile_is_over(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        change = name_price(order_id, 8_000, "", OWNER)
        with transaction():
            line = select(OrderLine.id).where(OrderLine.order_id == order_id).scalar_subquery()
            db.session.execute(
                update(OrderLine)
                .where(OrderLine.id == line)
                .values(quantity=3, gross_minor=15_000, net_minor=OrderLine.net_minor + 5_000)
            )
        with pytest.raises(BillMoved):
            agree(change.id, DORA, Agreement.PAGE)
        assert row_of(order_id) == ("requested", "unpaid", 10_000, 0, True)
        cancel_order(order_id, "", OWNER)
        jobs.drain()
        with pytest.raises(ChangeOver):
            agree(change.id, DORA, Agreement.PAGE)
        assert row_of(order_id)[0] == "cancelled"


def test_goods_may_change_before_the_price_is_named(browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        change_at_once(order_id, Wish({1: 1}, {}), "no_stock", "", OWNER, told=False)
        assert attempts() == []
        agree(name_price(order_id, 8_000, "", OWNER).id, DORA, Agreement.PAGE)
        assert row_of(order_id)[2:] == (13_000, 8_000, False)
        assert attempts() == [13_000]
        sound()


def test_enough_goods_go_free_and_are_paid_at_once(bakery, bread):
    with acting_for(bakery):
        assert quote(HOME, 99_999).is_to_be_named  # type: ignore[union-attr]
        assert not quote(HOME, 100_000).is_to_be_named  # type: ignore[union-attr]


def test_the_shop_says_the_price_at_its_desk_and_the_customer_agrees_on_their_page(client_at, browser, bakery):
    order_id = ordered(browser, bakery)
    with acting_for(bakery):
        code, secret = db.session.execute(select(Order.code, Order.token).where(Order.id == order_id)).one()
        db.session.rollback()
    desk, url = client_at("app", as_="alicia"), f"/pedidos/{code}/precio-del-envio"
    assert url in desk.get(f"/pedidos/{code}").text
    assert "hasta que estés de acuerdo no pagas nada" in browser.get(f"/pedido/{secret}").text
    by_link = desk.get(f"/pedidos/{code}/enlace").text
    assert url in by_link
    assert "venció" not in by_link
    token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get(url).text)[1]
    for typed in ("", "mucho", "-5"):
        answer = desk.post(url, data={"csrf_token": token, "price": typed})
        assert answer.status_code == 422
        assert f'value="{typed}"' in answer.text

    for _ in range(2):
        assert desk.post(url, data={"csrf_token": token, "key": "una", "price": "80"}).status_code == 303

    with acting_for(bakery):
        [change] = db.session.scalars(select(OrderChange.code)).all()
        db.session.rollback()
        jobs.drain()
    assert "wa.me" in desk.get(f"/pedidos/{code}").text
    page = browser.get(f"/pedido/{secret}").text
    assert "El precio de tu envío" in page
    assert "hasta que estés de acuerdo no pagas nada" not in page, "it is known by now"
    assert "180.00" in page
    mark = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]
    assert browser.post(f"/pedido/{secret}/cambio/{change}/si", data={"csrf_token": mark}).status_code == 303
    page = browser.get(f"/pedido/{secret}").text
    assert "Ahora falta tu pago" in page
    assert "Transfiere y manda tu comprobante" in page
    assert page.count(">Recibimos tu pedido<") == 1
    assert "Quedó el precio del envío" in page
    asked = browser.get(f"/pagar/{secret}").text
    assert "$80.00" in asked, "the sum of its rows is what is paid"
    assert "$180.00" in asked


def test_at_the_counter_cash_waits_for_the_price_and_what_was_typed_stays(client_at, bakery, bread):
    desk = client_at("app", as_="alicia")
    press(desk, "/venta/productos", variant=bread.variant_code)
    with acting_for(bakery):
        place = db.session.scalar(select(Zone.code))
        db.session.rollback()
    typed = {"how": "delivery", "place": place, "locality": "Tule", "street": "Casa azul", "name": "Eva Luz"}
    typed |= {"phone": "9511112233", "key": "una", "settled": "cash"}
    page = press(desk, "/venta", do="show", **typed).text
    assert "Por acordar" in page
    assert "Gratis" not in page

    refused = press(desk, "/venta", do="sell", shown=field(page, "shown"), **typed)

    assert refused.status_code == 409
    assert "Todavía no se sabe cuánto cuesta llevarlo" in refused.text
    assert all(word in refused.text for word in ("Eva Luz", "Casa azul"))
    with acting_for(bakery):
        assert db.session.scalar(select(func.count()).select_from(Order)) == 0
