"""What the shop sells itself: written down at the counter or on the telephone, in the same books as everything else."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.cart.actions import add_goods
from storefront.cart.queries import cart_view
from storefront.checkout.actions import EmptyCart, PriceChanged
from storefront.checkout.counter import Sale, Settled, sell
from storefront.checkout.queries import bill
from storefront.inventory.actions import OutOfStock, adjust_stock
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from storefront.orders.queries import order_by_code, order_list
from storefront.payments.ledger import Account, balance
from tests.factories.catalogue import OWNER, a_product
from tests.factories.counter import field, press
from tests.factories.orders import ALICIA
from tests.orders.conftest import set_price


def a_cart(product, quantity=2):
    return add_goods(None, product.variant_id, quantity).token


def stamp(cart):
    return bill(cart_view(cart), None).stamp


def sold(cart, settled=Settled.CASH, **more):
    return sell(cart, Sale(settled, stamp(cart), **more), "una", ALICIA)


def nothing_happened(product, stock):
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order)) == 0 and available([product.variant_id]) == {
        product.variant_id: stock
    }


@pytest.mark.usefixtures("at_the_bakery")
class TestSelling:
    def test_what_is_taken_along_and_paid_in_cash_is_over_at_once(self):
        bread = a_product("Concha", price=2_500, stock=5)

        order = sold(a_cart(bread))

        assert (str(order.state), str(order.payment_state), str(order.fulfilment_state)) == (
            "completed",
            "paid",
            "delivered",
        )
        assert available([bread.variant_id]) == {bread.variant_id: 3}
        assert balance(Account.CASH) == 5_000
        assert (order.channel, order.contact_phone) == ("shop", None)

    def test_a_transfer_that_arrived_goes_to_the_bank(self):
        order = sold(a_cart(a_product(price=2_500, stock=5)), Settled.TRANSFER)

        assert str(order.state) == "completed"
        assert balance(Account.BANK) == 5_000

    def test_for_somebody_who_comes_later_it_is_kept_without_a_clock(self):
        bread = a_product("Concha", stock=5)

        order = sold(a_cart(bread), Settled.LATER, name="Dora", phone="+529511112233")

        assert (str(order.state), str(order.payment_state), order.expires_at) == ("confirmed", "unpaid", None)
        assert available([bread.variant_id]) == {bread.variant_id: 3}
        assert [row.code for row in order_list("to_prepare", 1).items] == [order.code]

    def test_the_shop_may_sell_in_a_way_that_its_pages_do_not_offer(self, crafts, database):
        from tenants.models import Tenant

        with acting_for(crafts):
            db.session.execute(
                Tenant.__table__.update().where(Tenant.__table__.c.id == crafts.id).values(payment_methods=["card"])
            )
            db.session.commit()
            order = sold(a_cart(a_product(stock=5)))
        assert str(order.state) == "completed"

    def test_asked_twice_it_is_one_sale(self):
        bread = a_product(price=2_500, stock=5)
        cart = a_cart(bread)
        shown = stamp(cart)
        first = sell(cart, Sale(Settled.CASH, shown), "una", ALICIA)

        again = sell(cart, Sale(Settled.CASH, shown), "otra", ALICIA)

        assert again.code == first.code
        assert balance(Account.CASH) == 5_000
        assert available([bread.variant_id]) == {bread.variant_id: 3}

    def test_another_price_than_was_shown_is_said_and_sells_nothing(self):
        bread = a_product(price=2_500, stock=5)
        cart = a_cart(bread)
        shown = stamp(cart)
        set_price(bread, 3_000)

        with pytest.raises(PriceChanged):
            sell(cart, Sale(Settled.CASH, shown), "una", ALICIA)
        assert nothing_happened(bread, 5)

    def test_what_is_gone_meanwhile_sells_nothing(self):
        bread = a_product(stock=5)
        cart = a_cart(bread)
        shown = stamp(cart)
        adjust_stock(bread.variant_id, on_hand=1, reason="counted", by=OWNER)

        with pytest.raises(OutOfStock):
            sell(cart, Sale(Settled.CASH, shown), "una", ALICIA)
        assert nothing_happened(bread, 1)
        assert balance(Account.CASH) == 0

    def test_an_empty_counter_sells_nothing(self):
        with pytest.raises(EmptyCart):
            sell(None, Sale(Settled.CASH, "0"), "una", ALICIA)

    def test_the_shop_gets_no_letter_about_its_own_sale(self, drain, bakery, database):
        sold(a_cart(a_product(stock=5)))
        db.session.remove()
        drain(bakery)

        assert db.session.scalar(select(func.count()).select_from(MailMessage)) == 0


def test_two_taps_at_once_are_one_sale(app, bakery):
    with acting_for(bakery):
        bread = a_product(price=2_500, stock=5)
        cart = a_cart(bread)
        shown = stamp(cart)
    db.session.remove()
    start = Barrier(4)

    def tap(number):
        with app.app_context(), acting_for(bakery):
            start.wait()
            return sell(cart, Sale(Settled.CASH, shown), f"tap {number}", ALICIA).code

    with ThreadPoolExecutor(4) as pool:
        codes = set(pool.map(tap, range(4)))

    with acting_for(bakery):
        assert len(codes) == 1
        assert balance(Account.CASH) == 5_000
        assert available([bread.variant_id]) == {bread.variant_id: 3}


# --- on the screen ----------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


@pytest.fixture
def bread(bakery):
    with acting_for(bakery):
        return a_product("Concha de vainilla", price=2_500, stock=5)


def test_a_sale_from_the_first_tap_to_the_last(desk, bakery, bread):
    assert press(desk, "/venta/productos", variant=bread.variant_code).status_code == 303
    page = desk.get("/venta").text
    assert "Concha de vainilla" in page

    answer = press(desk, "/venta", key=field(page, "key"), shown=field(page, "shown"), settled="cash")

    assert answer.status_code == 303
    order = desk.get(answer.location)
    assert "Anotamos la venta" in order.text
    assert "Lo que se lleva" not in desk.get("/venta").text


def test_for_later_a_name_is_asked_for_and_what_was_typed_is_kept(desk, bakery, bread):
    press(desk, "/venta/productos", variant=bread.variant_code)
    page = desk.get("/venta").text

    answer = press(
        desk, "/venta", key=field(page, "key"), shown=field(page, "shown"), settled="later", note="sin azúcar"
    )

    assert answer.status_code == 422
    assert "Escribe a nombre de quién lo apartas." in answer.text
    assert "sin azúcar" in answer.text
    with acting_for(bakery):
        assert nothing_happened(bread, 5)


def test_a_clerk_cannot_say_that_a_transfer_arrived(client_at, bakery, bread):
    clerk = client_at("app", as_="beto")
    press(clerk, "/venta/productos", variant=bread.variant_code)
    page = clerk.get("/venta").text
    assert "ya llegó su transferencia" not in page

    answer = press(clerk, "/venta", key=field(page, "key"), shown=field(page, "shown"), settled="transfer")

    assert answer.status_code == 422
    with acting_for(bakery):
        assert nothing_happened(bread, 5)


def test_a_quantity_is_changed_and_none_takes_the_line_out(desk, bread):
    press(desk, "/venta/productos", variant=bread.variant_code)
    line = re.search(r"/venta/lineas/(\w+)", desk.get("/venta").text)[1]

    press(desk, f"/venta/lineas/{line}", quantity="3")
    assert 'value="3"' in desk.get("/venta").text
    for odd in ("-1", "muchos", "9999", ""):
        assert press(desk, f"/venta/lineas/{line}", quantity=odd).status_code == 303
        assert 'value="3"' in desk.get("/venta").text
    press(desk, f"/venta/lineas/{line}", quantity="0")

    assert "Lo que se lleva" not in desk.get("/venta").text


@pytest.mark.usefixtures("bread")
def test_a_draft_and_what_ran_out_cannot_be_added(desk, bakery):
    with acting_for(bakery):
        draft, gone = a_product(published=False, stock=3), a_product(stock=0)

    for product in (draft, gone):
        assert press(desk, "/venta/productos", variant=product.variant_code).status_code == 303
        assert "Lo que se lleva" not in desk.get("/venta").text


def test_a_shop_without_products_is_told_what_to_do(desk):
    page = desk.get("/venta").text

    assert "Todavía no hay nada que vender" in page


def handed_out_in_cash(client, bread):
    """The code of a sale made at the desk."""
    press(client, "/venta/productos", variant=bread.variant_code)
    page = client.get("/venta").text
    answer = press(client, "/venta", key=field(page, "key"), shown=field(page, "shown"), settled="cash")
    return answer.location.rsplit("/", 1)[1]


def undo(client, code):
    token = field(client.get(f"/pedidos/{code}/recibo").text, "csrf_token")
    return client.post(f"/pedidos/{code}/cobro/deshacer", data={"csrf_token": token}, follow_redirects=True)


def test_a_clerk_may_call_cash_a_slip_for_ten_minutes_and_then_only_who_minds_the_money(client_at, bakery, bread):
    clerk = client_at("app", as_="beto")
    code = handed_out_in_cash(clerk, bread)

    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        refused = undo(clerk, code)
        assert refused.status_code == 409
        assert "Pídeselo a quien lleva los cobros" in refused.text
        with acting_for(bakery):
            assert balance(Account.CASH) == 2_500
            assert str(order_by_code(code).payment_state) == "paid"
        assert undo(client_at("app", as_="alicia"), code).status_code == 200
    with acting_for(bakery):
        assert balance(Account.CASH) == 0


def test_what_was_handed_out_and_is_not_paid_any_more_is_listed_until_it_is(client_at, bakery, bread):
    clerk = client_at("app", as_="beto")
    code = handed_out_in_cash(clerk, bread)
    clerk.get("/pedidos")  # where the sentence about the sale is read
    assert code not in clerk.get("/hoy").text

    undo(clerk, code)

    for address in ("/hoy", "/pedidos?ver=to_collect"):
        page = clerk.get(address).text
        assert code in page
        assert "Ya me pagó" in page


def test_without_a_word_on_how_it_is_settled_nothing_is_sold(desk, bakery, bread):
    press(desk, "/venta/productos", variant=bread.variant_code)
    page = desk.get("/venta").text

    answer = press(desk, "/venta", key=field(page, "key"), shown=field(page, "shown"))

    assert answer.status_code == 422
    assert "Elige cómo queda la venta." in answer.text
    with acting_for(bakery):
        assert nothing_happened(bread, 5)


def test_what_left_the_shop_has_no_page_for_cancelling(client_at, bread):
    clerk = client_at("app", as_="beto")
    code = handed_out_in_cash(clerk, bread)

    answer = clerk.get(f"/pedidos/{code}/cancelacion", follow_redirects=True)

    assert "ya salió de la tienda" in answer.text
    assert "¿Por qué lo cancelas?" not in answer.text
