"""Orders that the shop prepares: saved, sent, confirmed by whoever has the link, and what happens in between."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.cart.actions import add_booking, add_goods, set_quantity
from storefront.cart.queries import cart_view
from storefront.checkout.actions import PriceChanged, place
from storefront.checkout.counter import Sale, Settled, sell
from storefront.cli import INVARIANTS
from storefront.customers.personal_data import Subject
from storefront.drafts import personal_data
from storefront.drafts.actions import (
    AlreadyOrdered,
    NotAsItStands,
    NothingInIt,
    Withdrawn,
    restore,
    send,
    take_back,
    withdraw,
)
from storefront.drafts.queries import DraftState, NotOpen, draft_by_code
from storefront.inventory.actions import OutOfStock, adjust_stock
from storefront.inventory.bundles import put_in
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import expire_order
from storefront.orders.models import Order
from storefront.orders.queries import order_by_token
from storefront.orders.states import WINDOWS
from tests.factories.catalogue import OWNER, a_product
from tests.factories.charges import a_draft
from tests.factories.counter import field, press
from tests.factories.deposits import with_deposit
from tests.factories.orders import ALICIA, DORA, a_time, a_tour, details_for
from tests.orders.conftest import set_price

THREE_DAYS = timedelta(days=3)


def prepared(product, quantity=2, *, hold=False, sent=True):
    """A draft with so many of a product in it, sent; its cart and its code."""
    cart = add_goods(None, product.variant_id, quantity)
    code = a_draft(cart.token)
    if sent:
        send(code, THREE_DAYS, ALICIA, hold=hold)
    return cart, code


def orders():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order))


def state(code):
    db.session.rollback()
    return draft_by_code(code).state


def left(product):
    db.session.rollback()
    return available([product.variant_id])[product.variant_id]


def sound():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    assert found == []


@pytest.mark.usefixtures("at_the_bakery")
class TestConfirming:
    def test_what_was_sent_becomes_the_customers_order(self):
        bread = a_product(price=2_500, stock=5)
        cart, code = prepared(bread)

        placed = place(cart.token, details_for(cart), "una", DORA)

        order = order_by_token(placed.order_token)
        assert (order.total_minor, order.channel, order.contact_name) == (5_000, "web", "Dora")
        assert state(code) is DraftState.ORDERED
        assert left(bread) == 3
        sound()

    def test_the_promised_price_holds_until_the_link_ends(self):
        bread = a_product(price=2_500, stock=5)
        cart, _code = prepared(bread)
        set_price(bread, 9_900)

        assert cart_view(cart.token).totals.total_minor == 5_000
        with time_machine.travel(clock.now() + THREE_DAYS + timedelta(minutes=1), tick=False):
            assert cart_view(cart.token).totals.total_minor == 19_800
        order = order_by_token(place(cart.token, details_for(cart), "una", DORA).order_token)

        assert order.total_minor == 5_000

    def test_what_is_not_sent_has_the_price_of_today(self):
        bread = a_product(price=2_500, stock=5)
        cart, _code = prepared(bread, sent=False)
        set_price(bread, 9_900)

        assert cart_view(cart.token).totals.total_minor == 19_800

    def test_a_link_is_confirmed_once_whoever_comes_second_sees_the_same_order(self):
        bread = a_product(price=2_500, stock=5)
        cart, _code = prepared(bread)
        details = details_for(cart)
        first = place(cart.token, details, "una", DORA)

        again = place(cart.token, details, "otra", DORA)

        assert (again.order_token, again.repeated) == (first.order_token, True)
        assert orders() == 1

    def test_goods_added_after_it_was_ordered_do_not_make_a_second_order_of_it(self):
        bread = a_product(price=2_500, stock=9)
        cart, _code = prepared(bread)
        first = place(cart.token, details_for(cart), "una", DORA)
        add_goods(cart.token, bread.variant_id, 1)  # a clerk who had it open

        again = sell(cart.token, Sale(Settled.CASH, "0"), "otra", ALICIA)

        assert again.token == first.order_token
        assert orders() == 1
        assert left(bread) == 7

    def test_what_the_shop_changed_meanwhile_is_looked_at_first(self):
        bread = a_product(price=2_500, stock=9)
        cart, code = prepared(bread)
        seen = details_for(cart)
        take_back(code, ALICIA)
        set_quantity(cart.token, db.session.scalar(select(func.max(_line_code()))), 3)
        send(code, THREE_DAYS, ALICIA, hold=False)

        with pytest.raises(PriceChanged):
            place(cart.token, seen, "una", DORA)
        assert orders() == 0

    @pytest.mark.parametrize("end", ["saved", "taken back", "withdrawn", "expired"])
    def test_what_waits_for_nobody_cannot_be_confirmed(self, end):
        bread = a_product(price=2_500, stock=5)
        cart, code = prepared(bread, sent=end != "saved")
        details, at = details_for(cart), clock.now()
        if end == "taken back":
            take_back(code, ALICIA)
        if end == "withdrawn":
            withdraw(code, ALICIA)
        if end == "expired":
            at += THREE_DAYS + timedelta(seconds=1)

        with time_machine.travel(at, tick=False), pytest.raises(NotOpen):
            place(cart.token, details, "una", DORA)

        assert orders() == 0
        assert left(bread) == 5


def _line_code():
    from storefront.cart.models import CartLine

    return CartLine.code


@pytest.mark.usefixtures("at_the_bakery")
class TestHolding:
    def test_what_is_kept_is_nobody_elses_and_becomes_the_orders(self):
        bread = a_product(price=2_500, stock=3)
        cart, _code = prepared(bread, 2, hold=True)
        assert left(bread) == 1
        assert cart_view(cart.token).is_ready
        other = add_goods(None, bread.variant_id, 2)
        with pytest.raises(OutOfStock):
            place(other.token, details_for(other), "otra", DORA)

        place(cart.token, details_for(cart), "una", DORA)

        assert left(bread) == 1
        sound()

    def test_what_is_not_kept_may_be_sold_meanwhile_and_it_says_so(self):
        bread = a_product(price=2_500, stock=3)
        cart, _code = prepared(bread, 3)
        details = details_for(cart)
        adjust_stock(bread.variant_id, on_hand=1, reason="counted", by=OWNER)

        with pytest.raises(OutOfStock):
            place(cart.token, details, "una", DORA)
        assert orders() == 0

    @pytest.mark.parametrize("days", [3, 0.1])
    def test_confirming_never_shortens_what_was_promised(self, days):
        bread = a_product(price=2_500, stock=3)
        cart = add_goods(None, bread.variant_id, 2)
        until = send(a_draft(cart.token), timedelta(days=days), ALICIA, hold=True)

        placed = place(cart.token, replace(details_for(cart), payment_method="bank_transfer"), "una", DORA)

        order = order_by_token(placed.order_token)
        own = order.placed_at + WINDOWS["bank_transfer"]
        assert order.expires_at >= max(until, own)
        assert order.expires_at - max(until, own) < timedelta(seconds=5)
        with time_machine.travel(max(until, own) - timedelta(minutes=1), tick=False):
            assert not expire_order(order.id)
            assert left(bread) == 1
        sound()

    def test_it_ends_by_the_clock(self):
        bread = a_product(stock=3)
        prepared(bread, 2, hold=True)

        with time_machine.travel(clock.now() + THREE_DAYS + timedelta(seconds=1), tick=False):
            assert left(bread) == 3

    @pytest.mark.parametrize("how", [take_back, withdraw])
    def test_taking_it_back_or_deleting_it_gives_the_goods_back(self, how):
        bread = a_product(stock=3)
        _cart, code = prepared(bread, 2, hold=True)

        how(code, ALICIA)

        assert left(bread) == 3
        sound()

    def test_sending_it_again_keeps_what_is_in_it_now_once(self):
        bread = a_product(stock=5)
        _cart, code = prepared(bread, 2, hold=True)

        send(code, THREE_DAYS, ALICIA, hold=True)

        assert left(bread) == 3
        sound()

    def test_a_bundle_keeps_what_is_in_it(self):
        bread, basket = a_product(stock=6), a_product(price=9_000, stock=None)
        put_in(basket.variant_id, bread.variant_id, 2, OWNER)

        cart, _code = prepared(basket, 2, hold=True)

        assert left(bread) == 2
        place(cart.token, details_for(cart), "una", DORA)
        assert left(bread) == 2
        sound()

    def test_what_cannot_be_kept_is_not_sent(self):
        bread = a_product(stock=3)
        cart, code = prepared(bread, 3, sent=False)
        adjust_stock(bread.variant_id, on_hand=1, reason="counted", by=OWNER)

        with pytest.raises(NotAsItStands):
            send(code, THREE_DAYS, ALICIA, hold=True)
        assert state(code) is DraftState.SAVED
        assert cart_view(cart.token).lines[0].quantity == 3

    def test_a_time_is_kept_as_long_as_the_link(self):
        tour = a_tour()
        cart = add_booking(None, tour.variant_code, a_time(tour))
        code = a_draft(cart.token)
        send(code, THREE_DAYS, ALICIA, hold=False)

        with time_machine.travel(clock.now() + timedelta(hours=20), tick=False):
            assert cart_view(cart.token).is_ready
            order = order_by_token(place(cart.token, details_for(cart), "una", DORA).order_token)

        assert order.has_bookings
        sound()


@pytest.mark.usefixtures("at_the_bakery")
class TestKeeping:
    def test_an_empty_one_is_not_saved(self):
        with pytest.raises(NothingInIt):
            a_draft("nada")

    def test_saving_it_again_writes_the_same_one(self):
        cart, code = prepared(a_product(stock=3), sent=False)
        assert a_draft(cart.token, name="Tomás") == code
        assert draft_by_code(code).name == "Tomás"

    def test_deleting_can_be_undone_and_its_link_waits(self):
        cart, code = prepared(a_product(price=2_500, stock=3))
        withdraw(code, ALICIA)
        withdraw(code, ALICIA)
        for refused in (lambda: take_back(code, ALICIA), lambda: send(code, THREE_DAYS, ALICIA, hold=False)):
            with pytest.raises(Withdrawn):
                refused()

        restore(code, ALICIA)

        assert state(code) is DraftState.SAVED
        with pytest.raises(NotOpen):
            place(cart.token, details_for(cart), "una", DORA)

    def test_what_became_an_order_is_not_changed_any_more(self):
        cart, code = prepared(a_product(price=2_500, stock=3))
        place(cart.token, details_for(cart), "una", DORA)

        for refused in (
            lambda: take_back(code, ALICIA),
            lambda: withdraw(code, ALICIA),
            lambda: send(code, THREE_DAYS, ALICIA, hold=True),
            lambda: a_draft(cart.token),
        ):
            with pytest.raises(AlreadyOrdered):
                refused()
        assert state(code) is DraftState.ORDERED

    def test_whoever_asks_to_be_forgotten_is(self):
        _cart, code = prepared(a_product(stock=3))
        subject = Subject(None, None, draft_by_code(code).phone)
        assert personal_data.export(subject)["borradores"][0]["nombre"] == "Dora"

        personal_data.erase(subject)
        db.session.expire_all()

        assert (draft_by_code(code).name, draft_by_code(code).phone) == ("", None)
        assert personal_data.export(Subject(None)) == {"borradores": []}


def racing(app, shop, *calls):
    """Do it all at once; what each got, or how it was refused."""
    start = Barrier(len(calls))

    def one(call):
        with app.app_context(), acting_for(shop):
            start.wait()
            try:
                return call()
            except Refusal as refusal:
                return type(refusal)

    db.session.remove()
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_two_customers_who_confirm_one_link_at_once_have_one_order(app, bakery):
    with acting_for(bakery):
        bread = a_product(price=2_500, stock=9)
        cart, _code = prepared(bread, 2, hold=True)
        details = details_for(cart)
    both = [
        lambda key=key: place(cart.token, replace(details, name=key), key, DORA).order_token
        for key in ("Ana", "Luz", "Eva")
    ]

    told = racing(app, bakery, *both)

    with acting_for(bakery):
        assert len(set(told)) == 1
        assert orders() == 1
        assert left(bread) == 7
        sound()


def test_deleting_and_confirming_at_once_is_one_or_the_other(app, bakery):
    for _again in range(4):
        with acting_for(bakery):
            bread = a_product(price=2_500, stock=2)
            cart, code = prepared(bread, 2, hold=True)
            details = details_for(cart)
            before = orders()

        told = racing(
            app, bakery,
            lambda c=cart, d=details: place(c.token, d, "una", DORA).order_token,
            lambda c=code: withdraw(c, ALICIA),
        )  # fmt: skip

        with acting_for(bakery):
            if told[1] is AlreadyOrdered:
                assert (orders(), left(bread), state(code)) == (before + 1, 0, DraftState.ORDERED)
            else:
                assert told[0] is NotOpen
                assert (orders(), left(bread), state(code)) == (before, 2, DraftState.WITHDRAWN)
            sound()


def test_the_last_pieces_go_to_the_link_that_keeps_them_or_to_who_buys_them(app, bakery):
    with acting_for(bakery):
        bread = a_product(price=2_500, stock=2)
        _cart, code = prepared(bread, 2, sent=False)
        other = add_goods(None, bread.variant_id, 2)
        details = details_for(other)

    told = racing(
        app, bakery,
        lambda: send(code, THREE_DAYS, ALICIA, hold=True),
        lambda: place(other.token, details, "otra", DORA).order_token,
    )  # fmt: skip

    with acting_for(bakery):
        assert sum(one in {OutOfStock, NotAsItStands} for one in told) == 1
        assert left(bread) == 0
        sound()


# --- on the screens -----------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


def composed(desk, bread, **typed):
    """A draft from the counter's screen; its address."""
    press(desk, "/venta/productos", variant=bread.variant_code)
    page = desk.get("/venta").text
    return press(desk, "/venta", key=field(page, "key"), shown=field(page, "shown"), do="draft", **typed).location


def test_a_draft_from_the_telephone_to_the_order(desk, bakery, client_at):
    with acting_for(bakery):
        bread = a_product("Concha de vainilla", price=2_500, stock=5)
    address = composed(desk, bread, name="Dora", phone="9511234567", note="Con poca azúcar")
    assert "Lo que se lleva" not in desk.get("/venta").text
    assert "Concha de vainilla" in desk.get("/borradores").text

    assert press(desk, address + "/edicion").location.endswith("/venta")
    again = desk.get("/venta").text
    assert 'value="Dora"' in again
    assert "Con poca azúcar" in again
    address = press(
        desk, "/venta", key=field(again, "key"), shown="", do="draft", name="Dora", note="Mejor sin"
    ).location
    assert press(desk, address + "/envio", keep="72", hold="y").status_code == 303
    sent = desk.get(address).text
    token = re.search(r"/preparado/([\w-]+)", sent)[1]
    assert "wa.me" in sent

    customer = client_at(bakery)
    page = customer.get(f"/preparado/{token}").text
    assert "Mejor sin" in page
    assert "Concha de vainilla" in page
    typed = {"key": field(page, "key"), "shown": field(page, "shown"), "name": "Dora", "phone": "9511234567"}
    wrong = customer.post(f"/preparado/{token}", data={**typed, "do": "place", "how": "pickup"})
    assert (wrong.status_code, "Elige cómo quieres pagar" in wrong.text) == (422, True)
    done = customer.post(f"/preparado/{token}", data={**typed, "do": "place", "how": "pickup", "pay": "pay_at_shop"})

    assert "/pedido/" in done.location
    assert customer.get(f"/preparado/{token}").location.endswith(done.location.rsplit("/", 1)[1])
    assert "Ya es un pedido" in desk.get("/borradores?ver=todos").text
    assert "No hay borradores abiertos" in desk.get("/borradores").text
    with acting_for(bakery):
        assert orders() == 1


def test_each_end_of_a_prepared_order_has_its_sentence(bakery, client_at):
    with acting_for(bakery):
        bread = a_product(price=2_500, stock=5)
        made = {name: prepared(bread, 1, sent=name != "saved") for name in ("saved", "withdrawn", "expired", "short")}
        tokens = {name: cart.token for name, (cart, _code) in made.items()}
        codes = {name: code for name, (_cart, code) in made.items()}
        withdraw(codes["withdrawn"], ALICIA)
    customer = client_at(bakery)

    assert "está cambiando tu pedido" in customer.get(f"/preparado/{tokens['saved']}").text
    assert "retiró lo que te había preparado" in customer.get(f"/preparado/{tokens['withdrawn']}").text
    with time_machine.travel(clock.now() + timedelta(days=4), tick=False):
        assert "Este enlace venció" in customer.get(f"/preparado/{tokens['expired']}").text
        desk = client_at("app", as_="alicia")
        assert "venció sin que lo confirmaran" in desk.get(f"/borradores/{codes['expired']}").text
        late = customer.post(f"/preparado/{tokens['expired']}", data={"do": "place"})
        assert late.location.endswith(tokens["expired"])
    with acting_for(bakery):
        adjust_stock(bread.variant_id, on_hand=0, reason="counted", by=OWNER)
    assert "ya no alcanza" in customer.get(f"/preparado/{tokens['short']}").text
    assert customer.get("/preparado/nada").status_code == 404
    with acting_for(bakery):
        assert orders() == 0


def test_a_clerk_who_has_it_open_is_told_that_it_was_confirmed(desk, bakery):
    with acting_for(bakery):
        bread = a_product(price=2_500, stock=5)
    address = composed(desk, bread, name="Dora")
    code = address.rsplit("/", 1)[1]
    press(desk, address + "/edicion")
    with acting_for(bakery):
        send(code, THREE_DAYS, ALICIA, hold=False)
        cart_token = draft_by_code(code).token

        class _Ref:
            token = cart_token

        place(cart_token, details_for(_Ref), "una", DORA)

    page = desk.get("/venta").text

    assert "alguien lo confirmó mientras tanto" in page
    assert "Lo que se lleva" not in page


def test_deleting_asks_and_can_be_undone(desk, bakery):
    with acting_for(bakery):
        _cart, code = prepared(a_product(stock=3))
    assert "¿Eliminar este borrador?" in desk.get(f"/borradores/{code}").text

    press(desk, f"/borradores/{code}/eliminacion")

    assert f"/borradores/{code}/eliminacion/deshacer" in desk.get("/borradores").text
    press(desk, f"/borradores/{code}/eliminacion/deshacer")
    with acting_for(bakery):
        assert state(code) is DraftState.SAVED


def test_another_sale_that_is_open_is_finished_first(desk, bakery):
    with acting_for(bakery):
        bread = a_product(stock=9)
        _cart, code = prepared(bread, sent=False)
    press(desk, "/venta/productos", variant=bread.variant_code)

    answer = press(desk, f"/borradores/{code}/edicion")

    assert answer.location.endswith("/venta")
    assert "Tienes otra venta abierta" in desk.get("/venta").text


def test_the_owner_reads_what_a_draft_is_confirmed_with_and_greets_who_has_no_name(desk, bakery):
    with acting_for(bakery):
        _cart, plain = prepared(a_product(price=2_500, stock=5))
    assert "anticipo" not in desk.get(f"/borradores/{plain}").text
    with acting_for(with_deposit(bakery, 30)):
        cart = add_goods(None, a_product(price=2_500, stock=5).variant_id, 2)
        code = a_draft(cart.token, name="")
        send(code, THREE_DAYS, ALICIA, hold=False)

    page = desk.get(f"/borradores/{code}").text

    assert "Se confirma con $15.00 de anticipo; el resto, $35.00, se paga después." in page
    assert "Hola%2C%20te%20escribe" in page


def test_a_shop_without_drafts_is_told_what_they_are_for(desk):
    assert "No hay borradores abiertos" in desk.get("/borradores").text
    assert "Todavía no hay borradores" in desk.get("/borradores?ver=todos").text
