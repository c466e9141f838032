"""Finishing an order in a browser without a script."""

import re

import pytest
from sqlalchemy import func, select, update

from storefront.catalogue import actions as catalogue
from storefront.delivery.contracts import ZoneDetails, add_zone
from storefront.inventory.actions import adjust_stock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from tests.factories.catalogue import OWNER, a_product
from tests.orders.conftest import set_price


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


def token_of(page: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]*)"', page)
    return {"csrf_token": found[1]} if found else {}


def orders_at(shop) -> int:
    with acting_for(shop):
        return db.session.scalar(select(func.count(Order.id)))


@pytest.fixture
def bread(bakery):
    with acting_for(bakery):
        return a_product("Concha", price=1_500, stock=10)


@pytest.fixture
def browser(client_at, bakery, bread):
    """A visitor of the bakery with two conchas in the cart."""
    client = client_at(bakery)
    answer = client.post("/carrito", data={"variant": bread.variant_code, "quantity": "2"})
    assert answer.status_code == 303, answer.text
    return client


def fill(browser, **typed):
    """The checkout form as it was shown, with what Dora types into it."""
    page = browser.get("/pedir").text
    return {
        **token_of(page),
        "key": hidden(page, "key"),
        "shown": hidden(page, "shown"),
        "name": "Dora",
        "phone": "951 123 4567",
        "pay": "pay_at_shop",
        "how": "pickup",
        "do": "place",
        **typed,
    }


def test_a_guest_picks_up_by_typing_a_name_and_a_telephone(browser, bakery):
    page = browser.get("/pedir").text
    typed = re.findall(r"<(?:input|textarea)(?![^>]*type=\"(?:hidden|radio|search)\")[^>]*name=\"([a-z]+)\"", page)
    assert set(typed) - {"email", "note", "coupon", "gift_card"} == {"name", "phone"}

    answer = browser.post("/pedir", data=fill(browser))

    assert answer.status_code == 303, answer.text
    assert answer.location.startswith("/pedido/")
    assert orders_at(bakery) == 1
    assert "Recibimos tu pedido" in browser.get(answer.location).text
    assert "vacío" in browser.get("/carrito").text


def test_a_price_can_be_asked_for_before_anything_is_typed(browser):
    """The browser's own checks would stop the buttons that only show something."""
    assert re.search(r'<form[^>]*action="/pedir"[^>]*novalidate', browser.get("/pedir").text)


def test_the_button_says_what_will_happen_and_for_how_much(browser):
    assert "Hacer el pedido por $30.00" in browser.get("/pedir").text


def test_what_was_typed_is_kept_when_something_is_missing(browser, bakery):
    answer = browser.post("/pedir", data=fill(browser, phone="12", name="Dora Canseco"))

    assert answer.status_code == 422
    assert 'value="Dora Canseco"' in answer.text
    assert "Ese teléfono no parece completo" in answer.text
    assert orders_at(bakery) == 0


def test_without_a_way_of_payment_nothing_is_ordered(browser, bakery):
    answer = browser.post("/pedir", data=fill(browser, pay=""))

    assert answer.status_code == 422
    assert "Elige cómo quieres pagar" in answer.text
    assert orders_at(bakery) == 0


@pytest.mark.parametrize("pay", ["", "cash_on_delivery"], ids=["none", "one that does not go with picking up"])
def test_everything_that_is_wrong_is_said_at_once_each_beside_its_field(browser, bakery, pay):
    answer = browser.post("/pedir", data=fill(browser, pay=pay, phone="12", name="", coupon="NADA"))

    assert answer.status_code == 422
    assert "Falta corregir 4 datos" in answer.text
    for field in ("name", "phone", "pay", "coupon"):
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}-error"' in answer.text
    assert orders_at(bakery) == 0


def test_a_delivery_shows_its_cost_before_it_is_ordered(browser, bakery):
    with acting_for(bakery):
        add_zone(ZoneDetails("Centro", 4_000, localities=("Jalatlaco", "Xochimilco")), OWNER)
    chosen = browser.post("/pedir", data=fill(browser, how="delivery", do="show")).text
    zone = re.search(r'value="([A-Z0-9]+)\.0"', chosen)
    address = {"how": "delivery", "place": f"{zone[1]}.0", "street": "Casa azul", "pay": "cash_on_delivery"}

    shown = browser.post("/pedir", data=fill(browser, **address, do="quote"))
    assert shown.status_code == 200
    assert "Hacer el pedido por $70.00" in shown.text
    assert 'value="Casa azul"' in shown.text
    assert orders_at(bakery) == 0

    placed = browser.post("/pedir", data=fill(browser, **address, shown=hidden(shown.text, "shown")))
    assert placed.status_code == 303, placed.text
    assert "Casa azul" in browser.get(placed.location).text


def test_a_delivery_ordered_without_having_seen_its_cost_is_shown_first(browser, bakery):
    with acting_for(bakery):
        code = add_zone(ZoneDetails("Centro", 4_000, localities=("Jalatlaco",)), OWNER)

    answer = browser.post(
        "/pedir",
        data=fill(browser, how="delivery", place=f"{code}.0", street="Casa azul", pay="cash_on_delivery"),
    )

    assert answer.status_code == 409
    assert "Este es el total con la entrega" in answer.text
    assert "Hacer el pedido por $70.00" in answer.text
    assert orders_at(bakery) == 0


def test_a_delivery_needs_a_place_and_a_street(browser, bakery):
    with acting_for(bakery):
        add_zone(ZoneDetails("Centro", 4_000, localities=("Jalatlaco",)), OWNER)

    answer = browser.post("/pedir", data=fill(browser, how="delivery", place="", pay="cash_on_delivery"))

    assert answer.status_code == 422
    assert "Elige a dónde lo llevamos" in answer.text
    assert "Escribe dónde es" in answer.text


def test_a_changed_price_is_explained_with_the_new_total(browser, bakery, bread):
    form = fill(browser)
    with acting_for(bakery):
        set_price(bread, 1_800)

    answer = browser.post("/pedir", data=form)

    assert answer.status_code == 409
    assert "El precio cambió" in answer.text
    assert "Hacer el pedido por $36.00" in answer.text
    assert orders_at(bakery) == 0


def test_sold_out_leads_back_to_the_cart_with_a_clear_sentence(browser, bakery, bread):
    form = fill(browser)
    with acting_for(bakery):
        adjust_stock(bread.variant_id, on_hand=0, reason="counted", by=OWNER)

    answer = browser.post("/pedir", data=form, follow_redirects=True)

    assert answer.request.path == "/carrito"
    assert "Ya no alcanza lo que queda de: Concha" in answer.text
    assert "Se agotó mientras estaba en tu carrito" in answer.text
    assert orders_at(bakery) == 0


def test_sending_the_form_twice_shows_the_order_that_was_made(browser, bakery):
    form = fill(browser)
    first, second = browser.post("/pedir", data=form), browser.post("/pedir", data=form)

    assert first.location == second.location
    assert "ya estaba hecho" in browser.get(second.location).text
    assert orders_at(bakery) == 1


def test_an_empty_cart_has_nothing_to_finish(client_at, bakery):
    client = client_at(bakery)

    assert client.get("/pedir").location == "/carrito"
    assert client.post("/pedir", data={"do": "show"}).location == "/carrito"


def test_the_cart_page_offers_a_way_out_of_every_trouble(browser, bakery, bread):
    with acting_for(bakery):
        catalogue.archive(bread.id, by=OWNER)

    page = browser.get("/carrito").text

    assert "Ya no está a la venta" in page
    assert "Quitar lo que ya no se puede pedir" in page
    assert "Terminar el pedido" not in page


def test_a_price_change_is_told_in_the_cart(browser, bakery, bread):
    with acting_for(bakery):
        set_price(bread, 1_800)

    assert "El precio cambió de $15.00 a $18.00" in browser.get("/carrito").text


def test_removing_offers_the_way_back(browser):
    page = browser.get("/carrito").text
    remove = re.search(r'action="(/carrito/\w+/quitar)"', page)[1]

    after = browser.post(remove, data=token_of(page), follow_redirects=True).text
    undo = re.search(r'action="(/carrito/\w+/devolver)"', after)[1]
    assert "Quitamos Concha" in after

    assert "Concha" in browser.post(undo, data=token_of(after), follow_redirects=True).text


def test_changing_the_quantity(browser):
    page = browser.get("/carrito").text
    change = re.search(r'action="(/carrito/\w+/cantidad)"', page)[1]

    after = browser.post(change, data={**token_of(page), "quantity": "3"}, follow_redirects=True).text

    assert "$45.00" in after
    assert re.search(r"data-cart-count[^>]*>3<", after)


def test_a_visitor_without_a_cart_causes_no_statement_for_it(client_at, bakery, statements):
    client = client_at(bakery)
    client.get("/carrito")
    statements.clear()

    client.get("/carrito")

    assert [s for s in statements if "carts" in s] == []


def test_a_cart_page_takes_five_statements_at_most(browser, statements):
    browser.get("/carrito")
    statements.clear()

    browser.get("/carrito")

    assert len([s for s in statements if "set_scope" not in s]) <= 5, statements


def test_a_customer_with_an_account_types_nothing(client_at, bakery, bread):
    from storefront.checkout.queries import known_of, place_of, places
    from storefront.customers.models import Address, Customer
    from storefront.kernel import clock
    from tests.factories.orders import HOME

    with acting_for(bakery):
        add_zone(ZoneDetails("Centro", 4_000, localities=("Jalatlaco",)), OWNER)
        with transaction():
            customer = Customer(code="C1", name="Dora", phone="+529511234567", created_at=clock.now())
            db.session.add(customer)
            db.session.flush()
            db.session.add(Address(code="A1", customer_id=customer.id, details=HOME.to_dict(), used_at=clock.now()))
        known = known_of(customer.id)
        assert (known.name, known.phone, known.address) == ("Dora", "+529511234567", HOME)
        assert place_of(HOME, places(0)).label == "Jalatlaco"
        with transaction():
            db.session.execute(update(Customer).values(erased_at=clock.now()))
        assert known_of(customer.id) is None
