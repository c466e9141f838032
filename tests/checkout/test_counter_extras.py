"""More than handing bread over: bringing it, booking a time, a tip, a gift card, and the change to give back."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.cart.actions import add_booking, add_goods
from storefront.cart.queries import cart_view
from storefront.checkout.actions import NoDelivery, PriceChanged
from storefront.checkout.counter import LINK_KEEPS, Sale, Settled, sell
from storefront.checkout.queries import bill, extras_of, load_of
from storefront.cli import INVARIANTS
from storefront.delivery.models import Shipment
from storefront.delivery.rates import quote
from storefront.giftcards.actions import CardSpent
from storefront.giftcards.models import GiftCard
from storefront.giftcards.queries import card_by_secret
from storefront.inventory.queries import available
from storefront.kernel import clock, jobs
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import expire_order
from storefront.orders.models import Order
from storefront.payments.ledger import Account, balance
from storefront.pricing.extras import Tip
from storefront.reservations.models import Booking
from tests.factories.catalogue import a_product
from tests.factories.counter import field, press
from tests.factories.delivery import a_zone
from tests.factories.extras import with_extras
from tests.factories.gift_cards import a_card
from tests.factories.orders import ALICIA, HOME, a_time, a_tour
from tests.factories.reservations import a_room, in_days


def stamp(cart, *, address=None, tip=None, card=None, way=""):
    view = cart_view(cart)
    found = quote(address, view.totals.subtotal_minor, load_of(view)) if address else None
    more = extras_of(view, way, tip) if tip else extras_of(view, way)
    return bill(view, found, more, card_by_secret(card) if card else None).stamp


def axes(order):
    return str(order.state), str(order.payment_state), str(order.fulfilment_state)


def sound():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    assert found == []


def orders():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order))


@pytest.fixture
def shop(bakery):
    a_zone(bakery, "Centro", 4_000)
    with acting_for(bakery):
        yield bakery


@pytest.fixture
def bread(shop):
    return a_product("Concha de vainilla", price=2_500, stock=5)


class TestBringing:
    def to(self, bread, settled, **more):
        cart = add_goods(None, bread.variant_id, 2).token
        sale = Sale(settled, stamp(cart, address=HOME), "Dora", "+529511234567", address=HOME, **more)
        return sell(cart, sale, "una", ALICIA)

    def test_cash_at_the_door_counts_at_once_and_the_courier_collects_it(self, bread):
        order = self.to(bread, Settled.ON_DELIVERY)
        jobs.drain()

        assert axes(order) == ("confirmed", "unpaid", "preparing")
        assert (order.shipping_minor, order.total_minor, order.address["locality"]) == (4_000, 9_000, "Jalatlaco")
        assert db.session.scalar(select(Shipment.cod_due_minor)) == 9_000
        sound()

    def test_what_is_paid_already_still_has_to_be_brought(self, bread):
        order = self.to(bread, Settled.CASH)
        jobs.drain()

        assert axes(order) == ("confirmed", "paid", "preparing")
        assert balance(Account.CASH) == 9_000
        assert db.session.scalar(select(Shipment.cod_due_minor)) == 0
        sound()

    def test_what_is_to_be_paid_by_a_link_waits_a_day_for_its_money(self, bread):
        order = self.to(bread, Settled.LINK)

        assert axes(order) == ("awaiting_payment", "unpaid", "none")
        assert available([bread.variant_id]) == {bread.variant_id: 3}
        with time_machine.travel(clock.now() + LINK_KEEPS + timedelta(minutes=1), tick=False):
            assert expire_order(order.id)
        assert available([bread.variant_id]) == {bread.variant_id: 5}
        sound()

    def test_where_the_shop_does_not_deliver_nothing_is_sold(self, bread):
        far = replace(HOME, locality="Mitla", region="PUE")
        cart = add_goods(None, bread.variant_id, 2).token
        a_zone_only_here(bread)

        with pytest.raises(NoDelivery):
            sell(cart, Sale(Settled.ON_DELIVERY, stamp(cart), "Dora", "1", address=far), "una", ALICIA)
        assert orders() == 0


def a_zone_only_here(_bread):
    from storefront.delivery.models import Zone

    db.session.execute(Zone.__table__.update().where(Zone.__table__.c.tenant_id > 0).values(localities=["Jalatlaco"]))
    db.session.commit()


@pytest.mark.usefixtures("shop")
class TestBooking:
    def test_a_time_in_a_sale_is_paid_with_it_and_nobody_takes_it_along(self):
        tour, bread = a_tour(price=5_000), a_product(price=2_500, stock=5)
        cart = add_booking(None, tour.variant_code, a_time(tour), by_staff=True)
        add_goods(cart.token, bread.variant_id, 1)

        order = sell(cart.token, Sale(Settled.CASH, stamp(cart.token), "Dora"), "una", ALICIA)

        assert axes(order) == ("confirmed", "paid", "preparing")
        assert order.total_minor == 7_500
        assert db.session.scalar(select(Booking.contact_name)) == "Dora"
        sound()

    def test_a_time_for_somebody_who_pays_when_they_come(self):
        tour = a_tour(price=5_000)
        cart = add_booking(None, tour.variant_code, a_time(tour), by_staff=True)

        order = sell(cart.token, Sale(Settled.LATER, stamp(cart.token), "Dora"), "una", ALICIA)

        assert axes(order) == ("confirmed", "unpaid", "none")
        assert str(db.session.scalar(select(Booking.state))) == "confirmed"
        sound()


class TestGiftCards:
    def test_part_of_it_with_a_card_and_the_rest_in_cash(self, bread):
        card, cart = a_card(3_000), add_goods(None, bread.variant_id, 2).token
        sale = Sale(Settled.CASH, stamp(cart, card=card.secret), gift_card=card.secret)

        order = sell(cart, sale, "una", ALICIA)

        assert axes(order) == ("completed", "paid", "delivered")
        assert balance(Account.CASH) == 3_000 + 2_000  # the card was sold for cash
        assert db.session.scalar(select(GiftCard.balance_minor)) == 0
        sound()

    @pytest.mark.parametrize("settled", [Settled.CASH, Settled.TRANSFER, Settled.LINK])
    def test_a_card_that_pays_all_needs_nothing_else(self, bread, settled):
        card, cart = a_card(9_000), add_goods(None, bread.variant_id, 2).token
        sale = Sale(settled, stamp(cart, card=card.secret), gift_card=card.secret)

        order = sell(cart, sale, "una", ALICIA)
        jobs.drain()

        assert (str(order.payment_state), order.payment_method) == ("paid", "gift_card")
        assert db.session.scalar(select(GiftCard.balance_minor)) == 4_000
        sound()

    def test_a_card_that_was_used_meanwhile_sells_nothing(self, bread):
        card, cart = a_card(3_000), add_goods(None, bread.variant_id, 2).token
        shown = stamp(cart, card=card.secret)
        other = add_goods(None, bread.variant_id, 2).token
        sell(other, Sale(Settled.CASH, stamp(other, card=card.secret), gift_card=card.secret), "otra", ALICIA)

        with pytest.raises((PriceChanged, CardSpent)):
            sell(cart, Sale(Settled.CASH, shown, gift_card=card.secret), "una", ALICIA)
        assert orders() == 1
        sound()


def test_two_clerks_with_one_card_use_it_once(app, bakery):
    with acting_for(bakery):
        bread, card = a_product(price=2_500, stock=9), a_card(5_000)
        carts = [add_goods(None, bread.variant_id, 2).token for _ in range(3)]
        shown = stamp(carts[0], card=card.secret)
    db.session.remove()
    start = Barrier(3)

    def one(cart):
        with app.app_context(), acting_for(bakery):
            start.wait()
            try:
                return sell(cart, Sale(Settled.CASH, shown, gift_card=card.secret), "una", ALICIA).code
            except Refusal:
                return None

    with ThreadPoolExecutor(3) as pool:
        codes = [code for code in pool.map(one, carts) if code]

    with acting_for(bakery):
        assert len(codes) == 1
        assert db.session.scalar(select(GiftCard.balance_minor)) == 0
        sound()


def test_a_tip_in_per_cent_is_of_the_goods(bakery):
    shop = with_extras(bakery, tips=[10])
    with acting_for(shop):
        cart = add_goods(None, a_product(price=2_500, stock=5).variant_id, 2).token
        tip = Tip(percent=10)

        order = sell(cart, Sale(Settled.CASH, stamp(cart, tip=tip), tip=tip), "una", ALICIA)

        assert (order.tip_minor, order.total_minor) == (500, 5_500)
        jobs.drain()
        assert balance(Account.TIPS) == -500


# --- on the screen ------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


def chosen(desk, bread, **typed):
    """What the counter's page says of some choices, with bread in the sale; and the form to send it with."""
    press(desk, "/venta/productos", variant=bread.variant_code)
    page = press(desk, "/venta", **{"key": "una", "settled": "cash", "do": "show", **typed})
    return page.text, {"key": "una", "settled": "cash", "shown": field(page.text, "shown"), **typed, "do": "sell"}


def test_a_delivery_by_telephone_from_the_zone_to_the_order(desk, bread):
    place = re.search(r'value="(\w+)"[^>]*>Centro', chosen(desk, bread, how="delivery")[0])[1]
    typed = {"how": "delivery", "place": place, "settled": "on_delivery"}
    page = press(desk, "/venta", key="una", do="show", locality="Jalatlaco", **typed).text
    assert "Entrega en Centro" in page
    assert "$65.00" in page
    shown = field(page, "shown")

    missing = press(desk, "/venta", key="una", do="sell", shown=shown, locality="Jalatlaco", **typed)
    assert missing.status_code == 422
    for sentence in ("Escribe dónde es", "a nombre de quién", "Escribe su teléfono"):
        assert sentence in missing.text
    assert orders() == 0

    who = {"name": "Dora", "phone": "9511234567", "street": "Casa azul", "locality": "Jalatlaco"}
    done = press(desk, "/venta", key="una", do="sell", shown=shown, **typed, **who)
    assert done.status_code == 303
    assert "Casa azul" in desk.get(done.location).text
    assert orders() == 1


def test_the_change_to_give_back_is_said_before_and_after(desk, bread):
    page, form = chosen(desk, bread, given="50")
    assert "dale de cambio $25.00" in page

    too_little = press(desk, "/venta", **{**form, "given": "20"})
    assert (too_little.status_code, "Faltan $5.00" in too_little.text) == (422, True)
    assert orders() == 0
    done = press(desk, "/venta", **form)

    assert "Dale de cambio $25.00" in desk.get(done.location).text


def test_a_gift_card_at_the_counter_and_a_wrong_one(desk, bread):
    card = a_card(1_000)
    wrong, _form = chosen(desk, bread, gift_card="AAAA-BBBB", do="gift-card")
    assert "No encontramos esa tarjeta" in wrong
    page = press(desk, "/venta", key="una", settled="cash", do="gift-card", gift_card=card.secret).text
    assert "Por cobrar" in page
    assert "$15.00" in page

    done = press(
        desk, "/venta", key="una", settled="cash", do="sell", gift_card=card.secret, shown=field(page, "shown")
    )

    assert done.status_code == 303
    assert balance(Account.CASH) == 1_000 + 1_500


def test_a_wrong_card_typed_at_the_last_moment_sells_nothing(desk, bread):
    _page, form = chosen(desk, bread)

    answer = press(desk, "/venta", **form, gift_card="AAAA-BBBB")

    assert answer.status_code == 422
    assert orders() == 0


def test_a_tip_in_per_cent_is_chosen_on_the_screen(desk, bakery):
    with_extras(bakery, tips=[10])
    with acting_for(bakery):
        bread = a_product(price=2_500, stock=5)
    page, form = chosen(desk, bread, tip="10")
    assert "$27.50" in page

    assert press(desk, "/venta", **form).status_code == 303
    with acting_for(bakery):
        assert db.session.scalar(select(Order.tip_minor)) == 250


@pytest.mark.usefixtures("bread")
def test_a_time_is_picked_at_the_desk_and_sold(desk):
    tour = a_tour(price=5_000)
    at = a_time(tour)
    page = desk.get(f"/venta/reserva?dia={at.date()}").text
    assert "Recorrido" in page
    gone = press(desk, "/venta/reserva", variant=tour.variant_code, starts_at="ayer", quantity="1")
    assert gone.status_code == 422

    assert (
        press(desk, "/venta/reserva", variant=tour.variant_code, starts_at=at.isoformat(), quantity="2").status_code
        == 303
    )
    sale = desk.get("/venta").text
    assert "Paga cuando venga" in sale
    done = press(desk, "/venta", key="una", do="sell", shown=field(sale, "shown"), settled="later", name="Dora")

    assert done.status_code == 303
    assert db.session.scalar(select(func.count()).select_from(Booking).where(Booking.quantity == 2)) == 1


def test_nights_are_picked_at_the_desk_and_cost_each_of_them(client_at, inn):
    with acting_for(inn):
        room, soap = a_room(price=45_000), a_product(price=1_000, stock=3)
        day = in_days(3)
    desk = client_at("app", as_="diego")
    press(desk, "/venta/productos", variant=soap.variant_code)
    address = f"/venta/reserva?servicio={room.product_code}&dia={day}&noches=2"
    page = desk.get(address).text
    assert "2 noches" in page

    answer = press(
        desk, address, variant=room.variant_code, starts_at=field(page, "starts_at"), quantity=field(page, "quantity")
    )

    assert answer.status_code == 303
    assert "91.000" in desk.get("/venta").text


@pytest.mark.usefixtures("bread")
def test_a_time_that_is_taken_meanwhile_is_said_with_what_is_free(desk):
    tour = a_tour(1)
    at = a_time(tour)
    add_booking(None, tour.variant_code, at)

    answer = press(desk, "/venta/reserva", variant=tour.variant_code, starts_at=at.isoformat(), quantity="1")

    assert answer.status_code == 409
    assert "Lo más cercano" in answer.text
