"""What a host is answered: a shop, a closed door, or the same page that holds nothing of anyone's."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from storefront.kernel.audit import SYSTEM, Actor
from storefront.kernel.tenancy import directory
from tenants.actions import close_shop, create_operator, reopen_shop, resume, suspend
from tenants.settings import ShopFacts, change_facts
from tests.tenants.conftest import PASSWORD, post, sent_token


def test_unknown_hosts_get_the_same_bytes_that_echo_nothing(at, cast) -> None:
    pages = [
        at(host).get("/cualquier/cosa?x=1") for host in ("nadie.portales.test", "evil.example", "xn--80ak6aa92e.com")
    ]
    assert {page.status_code for page in pages} == {404}
    assert len({page.data for page in pages}) == 1
    assert b"evil" not in pages[1].data
    assert not any("Set-Cookie" in page.headers for page in pages)


@pytest.mark.parametrize("host", ["ESPIGA.PORTALES.TEST", "espiga.portales.test.", "Espiga.Portales.Test:443"])
def test_a_host_is_known_however_it_is_spelled(at, cast, host: str) -> None:
    assert "Panadería La Espiga" in at(host).get("/").text


def test_forwarded_hosts_choose_no_shop(at, cast) -> None:
    page = at("espiga.portales.test").get("/", headers={"X-Forwarded-Host": "illimani.portales.test"})
    assert "Panadería La Espiga" in page.text


def test_a_suspended_shop_says_only_that(at, cast) -> None:
    page = at("flores.portales.test").get("/")
    assert page.status_code == 503
    assert "Esta tienda está en pausa" in page.text
    assert at("flores.portales.test").post("/carrito", data={"variant": "X"}).status_code == 503


def test_staff_of_a_suspended_shop_read_the_reason_and_change_nothing(client_at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    token_page = alicia.get("/ajustes/tienda")
    operator = Actor("operator", create_operator("Olga", "olga@example.com", PASSWORD), "Olga")
    suspend(bakery.id, "Venta de algo prohibido", operator)
    assert alicia.get("/hoy").location == "/ajustes/cierre"
    assert "Venta de algo prohibido" in alicia.get("/ajustes/cierre").text
    data = {"csrf_token": sent_token(token_page), "name": "Otra"}
    assert alicia.post("/ajustes/tienda", data=data).location == "/ajustes/cierre"
    assert alicia.post("/ajustes/reapertura", data=data).status_code == 409
    seen = directory().by_id(bakery.id)
    assert seen is not None
    assert (seen.name, seen.status) == ("Panadería La Espiga", "suspended")
    assert alicia.get("/mi-cuenta").status_code == 200

    resume(bakery.id, "Se aclaró", operator)
    assert alicia.get("/hoy").status_code == 200


def test_closing_asks_for_the_name_and_reopening_brings_a_draft(client_at, at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    assert post(alicia, "/ajustes/cierre", name="otra").status_code == 422
    assert at("espiga.portales.test").get("/").status_code == 200
    assert post(alicia, "/ajustes/cierre", name="panadería la espiga").status_code == 303
    assert at("espiga.portales.test").get("/").status_code == 503
    assert at("portales.test").get("/_ask?domain=espiga.portales.test").status_code == 404
    assert bakery.id not in directory().all_ids()
    assert "está cerrada" in alicia.get("/ajustes/cierre").text
    assert post(alicia, "/ajustes/reapertura", page="/ajustes/cierre").status_code == 303
    assert "Abre pronto" in at("espiga.portales.test").get("/").text


def test_a_clerk_neither_closes_nor_reopens(client_at, within, bakery) -> None:
    beto = client_at("app", as_="beto")
    assert beto.get("/ajustes/cierre").status_code == 403
    assert post(beto, "/ajustes/cierre", page="/mas", name=bakery.name).status_code == 403
    with within(bakery):
        close_shop(SYSTEM)
    assert beto.get("/hoy").location == "/ajustes/cierre"
    assert post(beto, "/ajustes/reapertura", page="/tiendas").status_code == 403
    with within(bakery):
        reopen_shop(SYSTEM)


def test_the_directory_forgets_at_once_what_changed_here(at, within, bakery) -> None:
    shopfront = at("espiga.portales.test")
    assert "La Espiga Nueva" not in shopfront.get("/").text
    before = directory().by_id(bakery.id)
    with within(bakery):
        change_facts(ShopFacts("La Espiga Nueva", "", "", "", "", ""), SYSTEM)
    after = directory().by_id(bakery.id)
    assert before is not None
    assert after is not None
    assert (after.name, after.version) == ("La Espiga Nueva", before.version + 1)
    assert "La Espiga Nueva" in shopfront.get("/").text


def test_orders_stay_reachable_while_the_shop_is_in_pause(at, client_at, bakery) -> None:
    alicia, visitor = client_at("app", as_="alicia"), at("espiga.portales.test")
    post(alicia, "/ajustes/pausa", page="/ajustes/publicacion")
    assert "Abre pronto" in visitor.get("/carrito").text
    assert visitor.get("/pedido/no-existe").status_code == 404, "the order page answers, not the closed door"


def test_a_shop_that_cannot_be_looked_up_has_a_page_that_says_so(at, cast, monkeypatch) -> None:
    def away(_host: str) -> None:
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    monkeypatch.setattr(directory(), "by_host", away)

    page = at("espiga.portales.test").get("/")

    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert 'class="wrap bare"' in page.text
    assert "Volver a intentar" in page.text
