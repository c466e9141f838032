"""The owner's customers: found, read, and given or erased at their wish, by those who may."""

from __future__ import annotations

import io
import zipfile

import pytest
from sqlalchemy import select

from storefront.customers.consents import NEWS, record_consent
from storefront.customers.models import Customer
from storefront.customers.queries import customer_by_id
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order
from storefront.personalisation.actions import declare_for_customer
from tests.factories.catalogue import a_product
from tests.factories.customers import DORA, PHONE, a_customer, csrf, submit
from tests.factories.orders import ALICIA, an_order


@pytest.fixture
def desk(client_at):
    """Alicia at her desk."""
    return client_at("app", as_="alicia")


@pytest.fixture
def known(bakery, within):
    """Dora's public code."""
    with within(bakery):
        return customer_by_id(a_customer("Dora Jiménez", phone=PHONE)).code


def test_an_empty_list_says_how_customers_come(desk):
    assert "Todavía nadie tiene cuenta" in desk.get("/clientes").text
    assert "Nadie ha pedido sin cuenta" in desk.get("/clientes/sin-cuenta").text


@pytest.mark.parametrize("typed", ["jiménez", "DORA@", "1234567", "951 123"])
def test_customers_are_found_by_name_address_and_number(desk, bakery, within, known, typed):
    with within(bakery):
        a_customer("Rubén", "ruben@example.com")

    page = desk.get(f"/clientes?q={typed}")

    assert f"/clientes/{known}" in page.text
    assert "Rubén" not in page.text


def test_a_search_without_a_match_offers_the_way_back(desk, known):
    assert "No encontramos a nadie así" in desk.get("/clientes?q=%25_").text


def test_twenty_five_on_a_page_and_the_rest_on_the_next(desk, bakery, within):
    with within(bakery):
        for number in range(27):
            a_customer(f"Persona {number}.", f"p{number}@example.com")

    assert desk.get("/clientes").text.count("Persona") == 25
    assert desk.get("/clientes?page=2").text.count("Persona") == 2


def test_a_customers_page_tells_orders_permissions_and_tastes(desk, bakery, within, known):
    with within(bakery):
        customer = db.session.scalar(select(Customer.id))
        order = an_order(a_product("Concha"))
        order.customer_id = customer
        db.session.commit()
        record_consent(f"customer:{customer}", NEWS, True, "Quiero novedades, dije que sí.")
        declare_for_customer(customer, ["dulce"])

    page = desk.get(f"/clientes/{known}").text

    assert order.code in page
    assert "wa.me/529511234567" in page
    assert "Quiere novedades" in page
    assert "Quiero novedades, dije que sí." in page
    assert "dulce" in page


def test_who_orders_without_an_account_is_found_too(desk, bakery, within):
    with within(bakery):
        an_order(a_product("Concha"))
        an_order(a_product("Bolillo"))

    page = desk.get("/clientes/sin-cuenta?q=1234567").text

    assert "2 pedidos" in page
    assert "wa.me/529511234567" in page
    assert desk.get("/clientes/sin-cuenta?q=nadie").text.count("2 pedidos") == 0


def test_the_file_is_handed_out_with_a_reason_that_stays_in_the_trail(desk, bakery, within, known):
    refused = submit(desk, f"/clientes/{known}/datos")
    assert refused.status_code == 422
    with within(bakery):
        assert db.session.scalar(select(LogEntry.id).where(LogEntry.verb == "exported")) is None

    answer = submit(desk, f"/clientes/{known}/datos", why="asked")

    assert "datos.csv" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    with within(bakery):
        entry = db.session.execute(
            select(LogEntry.facts, LogEntry.actor_label).where(LogEntry.verb == "exported")
        ).one()
        assert (entry.facts["reason"], entry.actor_label) == ("asked", "Alicia")


def test_the_owner_erases_with_a_reason(desk, bakery, within, known):
    assert submit(desk, f"/clientes/{known}/borrar").status_code == 422
    assert submit(desk, f"/clientes/{known}/borrar", why="asked").location == "/clientes"

    assert desk.get(f"/clientes/{known}").status_code == 404
    assert "Dora" not in desk.get("/clientes").text


def test_an_order_under_way_keeps_the_customer_and_says_why(desk, bakery, within, known):
    with within(bakery):
        order = an_order(a_product("Concha"))
        order.customer_id = db.session.scalar(select(Customer.id))
        db.session.commit()

    answer = submit(desk, f"/clientes/{known}/borrar", why="asked")

    assert "Hay un pedido en curso" in desk.get(answer.location).text
    assert "Dora Jiménez" in desk.get(f"/clientes/{known}").text


def test_a_guest_is_erased_by_number(desk, bakery, within):
    with within(bakery):
        order = an_order(a_product("Concha"))
        cancel_order(order.id, "No hay", ALICIA)
    page = "/clientes/sin-cuenta/borrar?telefono=%2B529511234567"

    answer = submit(desk, page, "/clientes/sin-cuenta/borrar", why="asked", phone=PHONE)

    assert answer.status_code == 303
    with within(bakery):
        assert db.session.scalar(select(Order.contact_phone)) is None
    assert "Nadie ha pedido sin cuenta" in desk.get("/clientes/sin-cuenta").text


def test_a_clerk_sees_no_customers_and_erases_none(client_at, known):
    beto = client_at("app", as_="beto")
    for page in ("/clientes", "/clientes/sin-cuenta", f"/clientes/{known}", f"/clientes/{known}/datos"):
        assert beto.get(page).status_code == 403
    token = csrf(beto.get("/pedidos").text)
    assert beto.post(f"/clientes/{known}/borrar", data={"why": "asked", "csrf_token": token}).status_code in {400, 403}


def test_another_shops_owner_finds_nobody(client_at, known):
    carla = client_at("app", as_="carla")

    assert DORA not in carla.get("/clientes?q=dora").text
    for page in (f"/clientes/{known}", f"/clientes/{known}/datos", f"/clientes/{known}/borrar"):
        assert carla.get(page).status_code == 404
