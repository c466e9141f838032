"""The screens of a change: the owner's, without a script, and the customer's behind the secret link."""

from __future__ import annotations

import re

import pytest

from storefront.changes.proposing import Wish, propose
from storefront.changes.queries import changes_of
from storefront.kernel.tenancy import acting_for
from storefront.orders.queries import order_by_id
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


@pytest.fixture
def order(bakery):
    with acting_for(bakery):
        return an_order(a_product("Concha", stock=9), 2, confirmed=True)


@pytest.fixture
def cake(bakery):
    with acting_for(bakery):
        return a_product("Pastel de elote", price=7_700, stock=3)


def send(client, url, page=None, **data):
    token = re.search(r'name="csrf_token" value="([^"]*)"', client.get(page or url).text)
    return client.post(url, data={"csrf_token": token[1] if token else "", **data})


def total(shop, order):
    with acting_for(shop):
        return order_by_id(order.id).total_minor


def test_the_owner_searches_looks_at_the_difference_and_asks(desk, bakery, order, cake):
    url = f"/pedidos/{order.code}/cambio"
    assert url in desk.get(f"/pedidos/{order.code}").text
    assert re.search(r'value="search"[^>]*formnovalidate', desk.get(url).text), "a search needs no reason yet"
    found = send(desk, url, do="search", q="elote", quantity_1="1", words="Hola")
    assert found.status_code == 200
    assert f'value="{cake.variant_code}"' in found.text
    assert "Hola" in found.text
    wish = {"quantity_1": "1", "variant": cake.variant_code, "pieces": "2", "why": "no_stock", "words": "Hola"}

    shown = send(desk, url, do="review", **wish)
    assert "$179.00" in shown.text
    assert total(bakery, order) == 5_000

    done = send(desk, url, do="ask", key="una", **wish)
    assert done.status_code == 303
    assert send(desk, url, do="ask", key="una", **wish).status_code == 303
    page = desk.get(f"/pedidos/{order.code}").text
    assert "Propusiste un cambio" in page
    assert "wa.me" in page
    with acting_for(bakery):
        [change] = changes_of(order.id)
        assert change.after.minor == 17_900
    assert total(bakery, order) == 5_000

    said = send(desk, f"{url}/{change.code}/acuerdo", page=f"/pedidos/{order.code}")
    assert said.status_code == 303
    assert total(bakery, order) == 17_900
    assert "de palabra" in desk.get(f"/pedidos/{order.code}").text


def test_less_is_done_at_once_and_a_second_tap_does_it_once(desk, bakery, order):
    url = f"/pedidos/{order.code}/cambio"
    for _ in range(2):
        assert send(desk, url, do="apply", key="una", quantity_1="1", why="no_stock").status_code == 303
    assert total(bakery, order) == 2_500
    with acting_for(bakery):
        assert len(changes_of(order.id)) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"quantity_1": "2"}, "así el pedido quedaría igual"),
        ({"quantity_1": "-1"}, "De 0 a 999"),
        ({"quantity_1": "mil"}, ""),
        ({"quantity_1": "1", "why": ""}, "Elige una razón"),
        ({"quantity_1": "2", "variant": "NADA", "pieces": "1"}, "ya no está a la venta"),
        ({"quantity_1": "2", "variant": "NADA", "pieces": "uno"}, "con números"),
    ],
)
def test_what_cannot_be_read_is_said_and_what_was_typed_stays(desk, bakery, order, typed, sentence):
    form = {"why": "asked", "words": "Un mensaje largo", **typed}
    answer = send(desk, f"/pedidos/{order.code}/cambio", do="review", **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Un mensaje largo" in answer.text
    with acting_for(bakery):
        assert changes_of(order.id) == []


def test_the_customer_reads_what_changes_and_says_yes_or_no(client_at, bakery, order):
    customer = client_at(bakery)
    with acting_for(bakery):
        change = propose(order.id, Wish({1: 3}, {}), "asked", "¿Te late?", ALICIA)
    page = customer.get(f"/pedido/{order.token}").text
    assert "¿Te late?" in page
    assert "$75.00" in page

    url = f"/pedido/{order.token}/cambio/{change.code}"
    assert send(customer, f"{url}/si", page=f"/pedido/{order.token}").status_code == 303
    assert total(bakery, order) == 7_500
    assert send(customer, f"{url}/no", page=f"/pedido/{order.token}").status_code == 303
    page = customer.get(f"/pedido/{order.token}").text
    assert "ya no está en espera" in page
    assert "Cambios de tu pedido" in page
    assert total(bakery, order) == 7_500


def test_a_change_belongs_to_its_order_and_to_no_other(client_at, bakery, order):
    with acting_for(bakery):
        other = an_order(a_product(stock=3), 1)
        change = propose(order.id, Wish({1: 3}, {}), "asked", "", ALICIA)
    customer = client_at(bakery)
    url = f"/pedido/{other.token}/cambio/{change.code}/si"
    assert send(customer, url, page=f"/pedido/{order.token}").status_code == 404
    assert total(bakery, order) == 5_000
