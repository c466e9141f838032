"""The customer's page behind the secret link."""

import re

import pytest

from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, mark_ready, set_payment_state
from storefront.orders.queries import order_by_id
from storefront.orders.states import PaymentState
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, HOME, an_order


@pytest.fixture
def order(bakery):
    with acting_for(bakery):
        return an_order(a_product("Concha", price=1_500, stock=5), 2, unit_minor=1_500)


def test_the_link_shows_what_was_ordered_and_what_comes_next(client_at, bakery, order):
    answer = client_at(bakery).get(f"/pedido/{order.token}")

    assert answer.status_code == 200
    assert order.code in answer.text
    assert "$30.00" in answer.text
    assert "La tienda lo confirma y te avisa" in answer.text
    assert "Cancelar el pedido" in answer.text


def test_the_page_is_kept_by_nobody_and_found_by_no_search_engine(client_at, bakery, order):
    answer = client_at(bakery).get(f"/pedido/{order.token}")

    assert "no-store" in answer.headers["Cache-Control"]
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_guessed_a_foreign_and_a_missing_link_are_the_same_nothing(client_at, bakery, crafts, order):
    foreign = client_at(crafts).get(f"/pedido/{order.token}")
    missing = client_at(crafts).get("/pedido/" + "x" * 32)

    assert foreign.status_code == missing.status_code == 404
    assert client_at(bakery).get(f"/pedido/{order.code}").status_code == 404
    assert order.code not in foreign.text


def test_another_shop_cannot_cancel_by_the_link(client_at, crafts, bakery, order):
    assert client_at(crafts).post(f"/pedido/{order.token}/cancelacion").status_code == 404

    with acting_for(bakery):
        assert order_by_id(order.id).state == "requested"


def test_a_customer_cancels_with_one_question_asked_first(client_at, bakery, order):
    client = client_at(bakery)
    assert "¿Cancelar este pedido?" in client.get(f"/pedido/{order.token}").text

    page = client.post(f"/pedido/{order.token}/cancelacion", follow_redirects=True).text

    assert "Pedido cancelado" in page
    assert "Lo cancelaste tú." in page
    assert "La clienta o el cliente" not in page
    assert "Cancelar el pedido" not in page
    with acting_for(bakery):
        assert order_by_id(order.id).state == "cancelled"


@pytest.mark.parametrize(
    ("pay", "says"),
    [("bank_transfer", "Banco de prueba"), ("card", "con tarjeta")],
)
def test_what_is_to_be_paid_can_be_paid_here(client_at, bakery, pay, says):
    with acting_for(bakery):
        order = an_order(a_product(), pay=pay)

    page = client_at(bakery).get(f"/pedido/{order.token}").text

    assert says in page
    assert "Apartado para ti hasta" in page


def test_every_state_has_its_page(client_at, bakery):
    client = client_at(bakery)
    with acting_for(bakery):
        ready = an_order(a_product(), confirmed=True)
        mark_ready(ready.id, ALICIA)
        sent_home = an_order(a_product(), confirmed=True, address=HOME, pay="cash_on_delivery")
        paid_back = an_order(a_product(), pay="bank_transfer")
        set_payment_state(paid_back.id, PaymentState.PAID, ALICIA)
        cancel_order(paid_back.id, "Ya no tengo lo que pidió", ALICIA)

    assert "di el código" in client.get(f"/pedido/{ready.token}").text
    assert HOME.street in client.get(f"/pedido/{sent_home.token}").text
    cancelled = client.get(f"/pedido/{paid_back.token}").text
    assert "Ya no tengo lo que pidió" in cancelled
    assert re.search(r"devolver tu dinero|Tu dinero va de regreso", cancelled)
