"""Papers on the pages: the customer asks for one, the shop issues one, and both read it as PDF."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.kernel.tenancy import Shop, acting_for
from storefront.orders.models import Order
from storefront.receipts import paper
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.queries import papers_of_order
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, HOME, an_order
from tests.world import Cast


@pytest.fixture
def order(bakery: Shop) -> Order:
    """A confirmed order of two breads, to be delivered."""
    with acting_for(bakery):
        return an_order(
            a_product("Pan de yema ☕ para compartir en familia los domingos por la mañana", price=2_500, stock=9), 2,
            address=HOME, pay="cash_on_delivery", confirmed=True,
        )  # fmt: skip


def papers(shop: Shop, order: Order) -> list[tuple[str, int]]:
    with acting_for(shop):
        return [(one.buyer_name, one.number) for one in papers_of_order(order.id)]


def test_a_customer_asks_for_a_receipt_and_opens_it(
    client_at: Callable[..., FlaskClient], bakery: Shop, order: Order
) -> None:
    client = client_at(bakery)
    assert "Quiero un recibo" in client.get(f"/pedido/{order.token}").text

    page = client.post(
        f"/pedido/{order.token}/recibo",
        data={"buyer_name": "Dora Juárez", "document": "RFC", "number": "gode561231gr8"},
        follow_redirects=True,
    )

    assert "Recibo N.º 1" in page.text
    with acting_for(bakery):
        [paper] = papers_of_order(order.id)
    assert paper.buyer_number == "GODE561231GR8"
    pdf = client.get(f"/pedido/{order.token}/recibo/{paper.code}.pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF")
    assert "no-store" in pdf.headers["Cache-Control"]


@pytest.mark.parametrize(
    "typed",
    [
        {"buyer_name": "Dora", "document": "RFC", "number": "12345"},
        {"buyer_name": "", "document": "RFC", "number": "GODE561231GR8"},
        {"buyer_name": "Dora", "document": "CPF", "number": "39053344705"},
        {"buyer_name": "x" * 500, "document": "RFC", "number": ""},
    ],
    ids=["wrong digits", "no name", "another country's document", "endless name"],
)
def test_what_cannot_be_gets_its_sentence_and_no_number(
    client_at: Callable[..., FlaskClient], bakery: Shop, order: Order, typed: dict[str, str]
) -> None:
    answer = client_at(bakery).post(f"/pedido/{order.token}/recibo", data=typed)

    assert answer.status_code in {400, 422}
    assert "Falta corregir" in answer.text
    assert papers(bakery, order) == []


def test_reloading_a_wrong_number_leads_back_to_the_order(
    client_at: Callable[..., FlaskClient], bakery: Shop, order: Order
) -> None:
    answer = client_at(bakery).get(f"/pedido/{order.token}/recibo")

    assert (answer.status_code, answer.location) == (303, f"/pedido/{order.token}")


def test_an_order_that_waits_offers_no_receipt(client_at: Callable[..., FlaskClient], bakery: Shop) -> None:
    with acting_for(bakery):
        waiting = an_order(a_product("Bolillo"))

    client = client_at(bakery)

    assert "Quiero un recibo" not in client.get(f"/pedido/{waiting.token}").text
    assert client.post(f"/pedido/{waiting.token}/recibo", data={}).status_code == 409
    assert papers(bakery, waiting) == []


def test_a_paper_opens_with_its_own_orders_link_only(
    client_at: Callable[..., FlaskClient], bakery: Shop, order: Order
) -> None:
    with acting_for(bakery):
        other = an_order(a_product("Bolillo"), confirmed=True)
        paper = issue_receipt(order.id, Buyer("Dora"), ALICIA)

    answer = client_at(bakery).get(f"/pedido/{other.token}/recibo/{paper.code}.pdf")

    assert answer.status_code == 404


@pytest.fixture
def desk(app: Flask, client_at: Callable[..., FlaskClient], cast: Cast) -> Desk:
    """Alicia at the dashboard of her bakery."""
    return Desk(app, client_at("app"), cast.staff["alicia"])


def test_the_shop_issues_prints_and_takes_back(desk: Desk, bakery: Shop, order: Order) -> None:
    head = {"legal_name": "Panes del Valle", "document": "RFC", "number": "GODE561231GR8"}
    assert desk.send("/ajustes/recibos", head).status_code == 303
    assert "Panes del Valle" in desk.get("/ajustes/recibos").text

    assert desk.send(f"/pedidos/{order.code}/recibo", {"buyer_name": "Dora"}).status_code == 303
    page = desk.get(f"/pedidos/{order.code}")
    assert "El recibo N.º 1 está listo." in page.text
    with acting_for(bakery):
        [paper] = papers_of_order(order.id)
    assert paper.content["shop"]["number"] == "GODE561231GR8"
    for path in (f"/recibos/{paper.code}.pdf", f"/pedidos/{order.code}/empaque.pdf", "/pedidos/por-preparar.pdf"):
        assert desk.get(path).data.startswith(b"%PDF"), path

    assert desk.send(f"/recibos/{paper.code}/anular", {"reason": "Otro nombre"}).status_code == 303
    page = desk.get(f"/pedidos/{order.code}")
    assert "La nota de crédito N.º 1 anula el recibo." in page.text
    assert "anulado por la nota 1" in desk.get("/recibos").text
    with acting_for(bakery):
        note = papers_of_order(order.id)[1]
    assert desk.get(f"/recibos/{note.code}.pdf").data.startswith(b"%PDF")


def test_a_wrong_tax_number_of_the_shop_is_refused_and_kept_on_the_page(desk: Desk, bakery: Shop) -> None:
    answer = desk.send("/ajustes/recibos", {"legal_name": "Panes", "document": "RFC", "number": "1234"})

    assert answer.status_code == 422
    assert 'value="1234"' in answer.text


def test_without_receipts_the_list_says_where_they_come_from(desk: Desk) -> None:
    assert "Todavía no hay recibos" in desk.get("/recibos").text


def test_a_row_that_has_no_room_goes_to_the_next_page_whole() -> None:
    sheet = paper._sheet("Hoja")
    for draw in (
        lambda: paper._tick(sheet, 3, "Cobertor de alpaca tejido a mano en telar de pedal, con ribete doble", "SKU-1"),
        lambda: paper._goods(
            sheet, {"quantity": 1, "product_name": "Pan " * 30, "variant_name": "", "amount_minor": 1}, "MXN"
        ),
    ):
        before = sheet.page_no()
        sheet.set_y(paper.HEIGHT_MM - paper.MARGIN_MM - 8)

        draw()

        assert sheet.page_no() == before + 1
        assert sheet.get_y() < paper.HEIGHT_MM / 4
