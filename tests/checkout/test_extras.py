"""What an order costs besides its goods, from the checkout to the order: shown before it is agreed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from storefront.cart.actions import add_booking
from storefront.cart.queries import cart_view
from storefront.catalogue.models import Variant
from storefront.checkout.actions import PriceChanged, place
from storefront.checkout.counter import Sale, Settled, sell
from storefront.checkout.queries import bill, extras_of
from storefront.delivery.contracts import ZoneDetails, add_zone
from storefront.delivery.models import RateKind, Shipment
from storefront.delivery.rates import Step
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from storefront.orders.queries import order_by_token
from storefront.payments.ledger import Account, balance
from storefront.pricing.extras import Tip
from tests.checkout.test_pages import fill, hidden, orders_at
from tests.factories.catalogue import OWNER, a_product
from tests.factories.desk import Desk
from tests.factories.extras import with_extras
from tests.factories.orders import ALICIA, DORA, HOME, a_cart, a_time, a_tour, an_order, details_for
from tests.orders.conftest import set_price

PLACE = "/pedir"


@pytest.fixture
def bread(bakery):
    with acting_for(bakery):
        return a_product("Concha", price=1_500, stock=10)


@pytest.fixture
def browser(client_at, bakery, bread):
    """A visitor of the bakery with two conchas in the cart: thirty pesos."""
    client = client_at(bakery)
    assert client.post("/carrito", data={"variant": bread.variant_code, "quantity": "2"}).status_code == 303
    return client


def the_order(shop):
    with acting_for(shop):
        row = db.session.execute(select(Order.packaging_minor, Order.tip_minor, Order.total_minor)).one()
        db.session.rollback()
        return tuple(row)


def looked(browser, **typed):
    """The page once more, as the form stands."""
    answer = browser.post(PLACE, data=fill(browser, **typed, do="show"))
    assert answer.status_code == 200, answer.text
    return answer.text


# --- packaging ------------------------------------------------------------------------------------------------------


def test_packaging_is_announced_in_the_cart_and_part_of_the_bill_and_the_order(browser, bakery):
    with_extras(bakery, 300)
    assert "Al terminar se suma el empaque: $3.00" in browser.get("/carrito").text
    page = browser.get(PLACE).text
    assert "Empaque" in page
    assert "Hacer el pedido por $33.00" in page

    assert browser.post(PLACE, data=fill(browser)).status_code == 303
    assert the_order(bakery) == (300, 0, 3_300)


def test_packaging_for_deliveries_alone_is_not_charged_for_what_is_picked_up(bakery, browser):
    with_extras(bakery, 300, ["delivery"])
    with acting_for(bakery):
        add_zone(ZoneDetails("Centro", 4_000, localities=["Centro"]), OWNER)
    assert "Si te lo llevamos, se suma el empaque: $3.00" in browser.get("/carrito").text
    assert "Hacer el pedido por $30.00" in looked(browser, how="pickup")
    page = looked(browser, how="delivery", place=re.search(r'value="(\w+\.0)"', browser_places(browser))[1])
    assert "Hacer el pedido por $73.00" in page


def browser_places(browser):
    return looked(browser, how="delivery")


def test_nobody_orders_at_a_total_without_a_packaging_that_is_charged_since(browser, bakery):
    typed = fill(browser)
    with_extras(bakery, 300)

    answer = browser.post(PLACE, data=typed)

    assert answer.status_code == 409
    assert "$33.00" in answer.text
    assert orders_at(bakery) == 0
    typed["shown"] = hidden(answer.text, "shown")
    assert browser.post(PLACE, data=typed).status_code == 303
    assert the_order(bakery) == (300, 0, 3_300)


def test_what_is_only_reserved_needs_no_packaging(bakery):
    shop = with_extras(bakery, 300)
    with acting_for(shop):
        tour = a_tour()
        cart = add_booking(None, tour.variant_code, a_time(tour), quantity=1)
        view = cart_view(cart.token)
        assert extras_of(view, "pickup").packaging_minor == 0


# --- tips -----------------------------------------------------------------------------------------------------------


def test_a_shop_without_tips_asks_for_none_whatever_is_sent(browser, bakery):
    assert "propina" not in browser.get(PLACE).text.lower()

    answer = browser.post(PLACE, data=fill(browser, tip="10", tip_amount="5"))

    assert answer.status_code == 303
    assert the_order(bakery) == (0, 0, 3_000)


def test_no_tip_is_chosen_until_somebody_chooses_it(browser, bakery):
    with_extras(bakery, tips=[5, 10])
    page = browser.get(PLACE).text
    chosen = re.findall(r'<input type="radio" name="tip" value="(\w*)" checked', page)
    assert chosen == [""]
    assert "Sin propina" in page
    assert "$1.50" in page
    assert "Hacer el pedido por $30.00" in page

    assert browser.post(PLACE, data=fill(browser)).status_code == 303
    assert the_order(bakery) == (0, 0, 3_000)


@pytest.mark.parametrize(
    ("typed", "tip"), [({"tip": "10"}, 300), ({"tip": "other", "tip_amount": "7.50"}, 750), ({"tip": "99"}, 0)]
)
def test_a_tip_is_shown_in_the_total_before_it_is_agreed(browser, bakery, typed, tip):
    with_extras(bakery, tips=[5, 10])
    page = looked(browser, **typed)
    assert f"Hacer el pedido por ${(3_000 + tip) / 100:.2f}" in page

    done = browser.post(PLACE, data=fill(browser, **typed, shown=hidden(page, "shown")))

    assert done.status_code == 303
    assert the_order(bakery) == (0, tip, 3_000 + tip)


def test_without_a_script_the_first_tap_shows_the_total_and_the_second_orders(browser, bakery):
    with_extras(bakery, tips=[5, 10])
    first = browser.post(PLACE, data=fill(browser, tip="10"))
    assert first.status_code == 409
    assert "Este es el total con lo que elegiste" in first.text
    assert "Hacer el pedido por $33.00" in first.text
    assert orders_at(bakery) == 0

    second = browser.post(PLACE, data=fill(browser, tip="10", shown=hidden(first.text, "shown")))
    assert second.status_code == 303
    assert the_order(bakery) == (0, 300, 3_300)


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [("", "Escribe cuánto, o elige «Sin propina»"), ("31", "Como máximo $30.00"), ("mucho", "tip_amount-error")],
)
def test_an_amount_that_is_no_tip_is_said_beside_its_field_and_nothing_is_ordered(browser, bakery, amount, sentence):
    with_extras(bakery, tips=[])

    answer = browser.post(PLACE, data=fill(browser, tip="other", tip_amount=amount))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{amount}"' in answer.text
    assert orders_at(bakery) == 0


def test_a_price_that_changes_keeps_the_tip_that_was_chosen(browser, bakery, bread):
    with_extras(bakery, tips=[10])
    page = looked(browser, tip="10")
    with acting_for(bakery):
        set_price(bread, 2_000)

    answer = browser.post(PLACE, data=fill(browser, tip="10", shown=hidden(page, "shown")))

    assert answer.status_code == 409
    assert "El precio cambió" in answer.text
    assert re.search(r'name="tip" value="10" checked', answer.text)
    assert "Hacer el pedido por $44.00" in answer.text
    assert orders_at(bakery) == 0


def test_a_tip_that_the_bill_did_not_have_is_refused_by_the_till_itself(bakery):
    shop = with_extras(bakery, tips=[10])
    with acting_for(shop):
        cart = a_cart(a_product(price=10_000, stock=2))
        seen = details_for(cart)
        with pytest.raises(PriceChanged) as refused:
            place(cart.token, replace(seen, tip=Tip(percent=10)), "key", DORA)
        assert refused.value.bill.totals.tip_minor == 1_000
        assert db.session.scalar(select(func.count(Order.id))) == 0
        placed = place(cart.token, replace(seen, tip=Tip(percent=10), shown=refused.value.bill.stamp), "key", DORA)
        order = order_by_token(placed.order_token)
        assert (order.tip_minor, order.total_minor) == (1_000, 11_000)


def test_pesos_without_centavos_are_given_whole(inn):
    shop = with_extras(inn, 990, tips=[15])
    with acting_for(shop):
        view = cart_view(a_cart(a_product(price=4_990, stock=2)).token)
        more = extras_of(view, "pickup", Tip(percent=15))
        assert (more.packaging_minor, more.tip_minor) == (990, 749)
        assert bill(view, None, more).total.minor == 4_990 + 990 + 749


# --- the counter ----------------------------------------------------------------------------------------------------


@pytest.fixture
def alicia(app, cast, client_at):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def test_a_sale_at_the_counter_has_neither_unless_the_shop_says_so(bakery):
    shop = with_extras(bakery, 300, tips=[10])
    with acting_for(shop):
        cart = a_cart(a_product(price=2_500, stock=5)).token
        stamp = bill(cart_view(cart), None).stamp
        order = sell(cart, Sale(Settled.CASH, stamp), "una", ALICIA)
        assert (order.packaging_minor, order.tip_minor, order.total_minor) == (0, 0, 2_500)


def test_at_the_counter_a_tip_and_a_packaging_are_looked_at_and_then_written_down(bakery, alicia, bread, drain):
    with_extras(bakery, 300, tips=[10])
    alicia.send("/venta/productos", {"variant": bread.variant_code})
    page = alicia.get("/venta").text
    typed = {"key": hidden_input(page, "key"), "settled": "cash", "packed": "y", "tip": "other", "tip_amount": "2"}

    first = alicia.send("/venta", {**typed, "shown": hidden_input(page, "shown")})
    assert first.status_code == 409
    assert "Este es el total con lo que agregaste" in first.text
    assert "$20.00" in first.text
    assert orders_at(bakery) == 0

    second = alicia.send("/venta", {**typed, "shown": hidden_input(first.text, "shown")})
    assert second.status_code == 303
    assert the_order(bakery) == (300, 200, 2_000)
    drain(bakery)
    with acting_for(bakery):
        assert (balance(Account.CASH), balance(Account.TIPS)) == (2_000, -200)


def test_a_tip_larger_than_the_sale_is_taken_for_a_slip(bakery, alicia, bread):
    with_extras(bakery, tips=[])
    alicia.send("/venta/productos", {"variant": bread.variant_code})
    page = alicia.get("/venta").text

    answer = alicia.send("/venta", {"key": hidden_input(page, "key"), "settled": "cash", "tip": "other",
                                    "tip_amount": "2000", "shown": hidden_input(page, "shown")})  # fmt: skip

    assert answer.status_code == 422
    assert "Como máximo $15.00" in answer.text
    assert 'value="2000"' in answer.text
    assert orders_at(bakery) == 0


def hidden_input(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]


# --- deliveries by weight ---------------------------------------------------------------------------------------------


def weighs(product, grams):
    with transaction():
        db.session.execute(update(Variant).where(Variant.id == product.variant_id).values(weight_g=grams))


def test_a_delivery_by_weight_is_priced_by_what_is_in_the_cart_from_the_list_to_the_order(bakery, browser, bread):
    steps = (Step(1_000, 3_500), Step(2_000, 6_000))
    with acting_for(bakery):
        weighs(bread, 500)
        add_zone(ZoneDetails("Centro", 0, localities=["Centro"], kind=RateKind.BY_WEIGHT, steps=steps), OWNER)
    page = looked(browser, how="delivery")
    assert "$35.00" in page
    place = re.search(r'value="(\w+\.0)"', page)[1]
    typed = fill(browser, how="delivery", place=place, street="Casa azul", pay="cash_on_delivery")
    first = browser.post(PLACE, data=typed)
    assert first.status_code == 409
    assert "$65.00" in first.text
    with acting_for(bakery):
        weighs(bread, 700)

    changed = browser.post(PLACE, data={**typed, "shown": hidden(first.text, "shown")})

    assert changed.status_code == 409
    assert "$90.00" in changed.text
    assert orders_at(bakery) == 0
    assert browser.post(PLACE, data={**typed, "shown": hidden(changed.text, "shown")}).status_code == 303
    assert the_order(bakery) == (0, 0, 9_000)


def test_what_is_heavier_than_the_table_is_refused_with_what_to_do(bakery, browser, bread):
    with acting_for(bakery):
        weighs(bread, 700)
        add_zone(
            ZoneDetails("Centro", 0, localities=["Centro"], kind=RateKind.BY_WEIGHT, steps=(Step(1_000, 3_500),)), OWNER
        )
    page = looked(browser, how="delivery")
    assert "Es demasiado" in page
    place = re.search(r'value="(\w+\.0)"', page)[1]

    answer = browser.post(
        PLACE, data=fill(browser, how="delivery", place=place, street="Casa azul", pay="cash_on_delivery")
    )

    assert answer.status_code == 422
    assert "más grande de lo que llevamos ahí" in answer.text
    assert orders_at(bakery) == 0


def test_a_parcel_belongs_to_its_zone_whatever_its_weight(bakery, drain):
    with acting_for(bakery):
        add_zone(ZoneDetails("Centro", 0, kind=RateKind.BY_WEIGHT, steps=(Step(1, 3_500),), assumed_g=0), OWNER)
        an_order(a_product(stock=3), pay="cash_on_delivery", address=HOME, confirmed=True)
    drain(bakery)
    with acting_for(bakery):
        assert db.session.scalar(select(Shipment.zone_id)) is not None
