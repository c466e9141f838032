"""A customer's own pages: orders, places, permissions, another address, and nobody else's."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from sqlalchemy import select

from storefront.customers import actions, consents
from storefront.customers.models import Address, Consent, Customer
from storefront.customers.queries import addresses_of, customer_by_id
from storefront.kernel.db import db
from storefront.orders.models import Order
from tests.factories.catalogue import a_product
from tests.factories.customers import DORA, PHONE, a_customer, an_address, come_in, latest_code, letters_to, submit
from tests.factories.orders import an_order

PLACE = {"street": "Calle Aldama 208", "locality": "Oaxaca de Juárez", "region": "OAX", "recipient": "Dora",
         "phone": "951 123 4567", "reference": "Casa azul", "label": "Casa"}  # fmt: skip

PAGES = ["/cuenta", "/cuenta/datos", "/cuenta/correo", "/cuenta/direcciones", "/cuenta/direcciones/nueva",
         "/cuenta/permisos", "/cuenta/sesiones", "/cuenta/borrar"]  # fmt: skip


@pytest.mark.parametrize("page", [*PAGES, "/cuenta/mis-datos.zip"])
def test_a_stranger_is_asked_to_come_in(dora, page):
    assert dora.get(page).location == "/cuenta/entrar"


def test_every_page_of_the_account_opens_and_is_kept_by_no_cache(dora, bakery):
    come_in(dora, bakery)
    for page in PAGES:
        answer = dora.get(page)
        assert answer.status_code == 200, page
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_guest_orders_of_the_proved_address_come_along_with_what_they_told(dora, bakery, within):
    with within(bakery):
        order = an_order(a_product("Concha"))

    come_in(dora, bakery)

    page = dora.get("/cuenta").text
    assert order.code in page
    assert f"/pedido/{order.token}" in page
    assert "Hola, Dora" in page
    with within(bakery):
        customer = customer_by_id(db.session.scalar(select(Customer.id)))
        assert (customer.name, customer.phone) == ("Dora", PHONE)


def test_a_number_one_merely_types_brings_nobody_elses_orders(dora, bakery, within, drain):
    with within(bakery):
        order = an_order(a_product("Concha"))
    come_in(dora, bakery, "malicia@example.com")
    submit(dora, "/cuenta/datos", name="Malicia", phone=PHONE)
    submit(dora, "/cuenta", "/cuenta/salir")
    come_in(dora, bakery, "malicia@example.com")
    drain(bakery)

    assert order.code not in dora.get("/cuenta").text
    with within(bakery):
        assert db.session.scalar(select(Order.customer_id)) is None


def test_an_order_offers_to_keep_the_details_with_one_tap(dora, bakery, within):
    with within(bakery):
        order = an_order(a_product("Concha"))
    page = dora.get(f"/pedido/{order.token}")
    assert "Guardar mis datos" in page.text

    dora.post("/cuenta/entrar", data={"contact": DORA, "pedido": order.token})
    submit(dora, "/cuenta/codigo", code=latest_code(bakery, DORA))

    assert order.code in dora.get("/cuenta").text
    assert "Guardar mis datos" not in dora.get(f"/pedido/{order.token}").text


def test_an_order_without_an_address_goes_to_the_account_opened_from_its_secret_link(dora, bakery, within, drain):
    with within(bakery):
        order = an_order(a_product("Concha"))
        db.session.execute(Order.__table__.update().where(Order.tenant_id == bakery.id).values(contact_email=None))
        db.session.commit()

    dora.post("/cuenta/entrar", data={"contact": "otra@example.com", "pedido": order.token})
    submit(dora, "/cuenta/codigo", code=latest_code(bakery, "otra@example.com"))
    drain(bakery)

    assert order.code in dora.get("/cuenta").text


def test_an_order_that_is_somebodys_cannot_be_taken_with_its_link(dora, client_at, bakery, within):
    with within(bakery):
        order = an_order(a_product("Concha"))
    come_in(dora, bakery)
    other = client_at(bakery)
    other.post("/cuenta/entrar", data={"contact": "otra@example.com", "pedido": order.token})
    submit(other, "/cuenta/codigo", code=latest_code(bakery, "otra@example.com"))

    assert order.code not in other.get("/cuenta").text
    assert order.code in dora.get("/cuenta").text


def test_details_are_kept_and_bad_ones_are_shown_again(dora, bakery):
    come_in(dora, bakery)

    wrong = submit(dora, "/cuenta/datos", name="", phone="12")
    assert wrong.status_code == 422
    assert 'value="12"' in wrong.text
    assert submit(dora, "/cuenta/datos", name="Dora Jiménez", phone="951 123 4567").status_code == 303
    assert "Dora Jiménez" in dora.get("/cuenta/datos").text


def test_a_new_address_counts_only_when_proved_and_closes_the_account_elsewhere(dora, client_at, bakery):
    phone = client_at(bakery)
    come_in(phone, bakery)
    come_in(dora, bakery)

    submit(dora, "/cuenta/correo", email="Nueva@Example.com")
    assert DORA in dora.get("/cuenta").text
    assert submit(dora, "/cuenta/correo/codigo", code="1").status_code == 422
    assert submit(dora, "/cuenta/correo/codigo", code=latest_code(bakery, "nueva@example.com")).status_code == 303

    assert "nueva@example.com" in dora.get("/cuenta").text
    assert phone.get("/cuenta").status_code == 303


def test_an_address_that_has_an_account_is_not_taken_from_it(dora, client_at, bakery):
    come_in(client_at(bakery), bakery, "carla@example.com")
    come_in(dora, bakery)

    submit(dora, "/cuenta/correo", email="carla@example.com")
    answer = submit(dora, "/cuenta/correo/codigo", code=latest_code(bakery, "carla@example.com"))

    assert answer.status_code == 409
    assert DORA in dora.get("/cuenta").text


def test_a_code_to_change_an_address_lets_nobody_in(dora, client_at, bakery):
    come_in(dora, bakery)
    submit(dora, "/cuenta/correo", email="nueva@example.com")
    code = latest_code(bakery, "nueva@example.com")
    other = client_at(bakery)
    with other.session_transaction(base_url=other.origin) as session:
        session.update(code_contact="nueva@example.com", realm=f"shop:{bakery.id}")

    assert submit(other, "/cuenta/codigo", code=code).status_code == 422


# --- addresses ----------------------------------------------------------------------------------------------------


def test_places_are_added_changed_and_deleted_after_being_asked(dora, bakery, within):
    come_in(dora, bakery)
    assert submit(dora, "/cuenta/direcciones/nueva", **PLACE).status_code == 303
    with within(bakery):
        code = db.session.scalar(select(Address.code))
    listed = dora.get("/cuenta/direcciones").text
    assert "Calle Aldama 208" in listed
    assert "¿Borrar esta dirección?" in listed

    assert "Casa azul" in dora.get(f"/cuenta/direcciones/{code}").text
    submit(dora, f"/cuenta/direcciones/{code}", **{**PLACE, "street": "Calle Nueva 1"})
    assert "Calle Nueva 1" in dora.get("/cuenta/direcciones").text

    submit(dora, "/cuenta/direcciones", f"/cuenta/direcciones/{code}/borrar")
    assert "Todavía no guardas direcciones" in dora.get("/cuenta/direcciones").text


def test_what_is_missing_from_a_place_is_said_and_nothing_kept(dora, bakery, within):
    come_in(dora, bakery)
    answer = submit(dora, "/cuenta/direcciones/nueva", **{**PLACE, "street": ""})

    assert answer.status_code == 422
    assert "Casa azul" in answer.text
    with within(bakery):
        assert db.session.scalar(select(Address.id)) is None


def test_somebody_elses_place_does_not_exist(dora, client_at, bakery, within):
    with within(bakery):
        other = a_customer("Rubén", "ruben@example.com", address=True)
        code = db.session.scalar(select(Address.code))
    come_in(dora, bakery)

    assert dora.get(f"/cuenta/direcciones/{code}").status_code == 404
    assert submit(dora, "/cuenta/datos", f"/cuenta/direcciones/{code}", **PLACE).status_code == 404
    submit(dora, "/cuenta/datos", f"/cuenta/direcciones/{code}/borrar")
    with within(bakery):
        assert [kept.address for kept in addresses_of(other)] == [an_address("Rubén")]


def test_nobody_keeps_more_places_than_anybody_has(bakery, within):
    with within(bakery):
        customer = a_customer()
        for number in range(actions.MOST_ADDRESSES):
            actions.save_address(customer, an_address(street=f"Calle {number}"))
        with pytest.raises(actions.AddressBookFull):
            actions.save_address(customer, an_address(street="Calle de más"))
        actions.remember_address(customer, an_address(street="Otra de más"))
        assert len(addresses_of(customer)) == actions.MOST_ADDRESSES


def test_an_order_with_an_account_keeps_its_place_once(dora, bakery, within, drain):
    with within(bakery):
        customer = a_customer()
        for _ in range(2):
            order = an_order(a_product("Concha"), pay="cash_on_delivery", address=an_address())
            order.customer_id = customer
            db.session.commit()
        drain(bakery)
    with within(bakery):
        assert [kept.address for kept in addresses_of(customer)] == [an_address()]


# --- permissions --------------------------------------------------------------------------------------------------


def test_a_permission_is_a_row_with_its_words_and_taking_it_back_is_another(dora, bakery, within):
    come_in(dora, bakery)
    submit(dora, "/cuenta/permisos", news="1")
    assert "Dijiste que sí" in dora.get("/cuenta/permisos").text
    submit(dora, "/cuenta/permisos", news="1")
    submit(dora, "/cuenta/permisos")

    with within(bakery):
        rows = db.session.execute(
            select(Consent.granted, Consent.text_shown, Consent.subject).order_by(Consent.id)
        ).all()
        assert [row.granted for row in rows] == [True, False]
        assert all("novedades" in row.text_shown for row in rows)
        assert consents.has_consent(rows[0].subject, consents.NEWS) is False


def test_silence_is_no(bakery, within):
    with within(bakery):
        assert consents.has_consent("customer:1", consents.NEWS) is False
        consents.record_consent("customer:1", consents.NEWS, True, "Sí")
        assert consents.has_consent("customer:1", consents.NEWS) is True
        assert consents.has_consent("customer:2", consents.NEWS) is False
        assert consents.has_consent("customer:1", "otra cosa") is False


# --- the file -----------------------------------------------------------------------------------------------------


def test_the_file_holds_everything_as_data_and_as_tables(dora, bakery, within):
    with within(bakery):
        order = an_order(a_product("=1+1"))
    come_in(dora, bakery)
    submit(dora, "/cuenta/direcciones/nueva", **PLACE)
    submit(dora, "/cuenta/permisos", news="1")

    answer = dora.get("/cuenta/mis-datos.zip")

    assert answer.headers["Cache-Control"] == "private, no-store"
    bundle = zipfile.ZipFile(io.BytesIO(answer.data))
    whole = json.loads(bundle.read("mis-datos.json"))
    assert whole["datos"][0]["correo"] == DORA
    assert whole["pedidos"][0]["código"] == order.code
    assert whole["direcciones"][0]["street"] == "Calle Aldama 208"
    assert whole["permisos"][0]["respuesta"] is True
    tables = {name for name in bundle.namelist() if name.endswith(".csv")}
    assert {"datos.csv", "pedidos.csv", "artículos.csv", "gustos.csv", "historia.csv", "entregas.csv"} <= tables
    rows = list(csv.DictReader(io.StringIO(bundle.read("pedidos.csv").decode("utf-8-sig"))))
    assert rows[0]["teléfono"] == PHONE


def test_a_table_never_holds_a_formula():
    from storefront.customers.farewell import _cell

    assert _cell("=HYPERLINK()") == "'=HYPERLINK()"
    assert _cell("@x") == "'@x"
    assert _cell("-2+3+cmd") == "'-2+3+cmd"
    assert _cell("+52 951 123 4567") == "+52 951 123 4567"
    assert _cell(None) == ""


def test_letters_with_codes_say_what_they_are_for(dora, bakery):
    come_in(dora, bakery)
    submit(dora, "/cuenta/correo", email="nueva@example.com")

    assert "entrar a tu cuenta" in letters_to(bakery, DORA)[0]
    assert "usar este correo" in letters_to(bakery, "nueva@example.com")[0]


def test_the_page_on_privacy_is_open_to_all(dora):
    page = dora.get("/privacidad")
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
