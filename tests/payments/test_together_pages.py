"""Paying several orders at once in a browser without a script, and noting it at the desk."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from storefront.kernel.db import db
from storefront.kernel.limits import limiter
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from storefront.payments.models import TransferProof
from tests.checkout.test_pages import token_of
from tests.factories.catalogue import a_product
from tests.factories.desk import a_photo
from tests.factories.orders import an_order
from tests.payments.test_together import states


@pytest.fixture(autouse=True)
def _without_limits(monkeypatch):
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def orders(bakery):
    """Two orders of one buyer, 25.00 and 50.00, to be paid by transfer."""
    with acting_for(bakery):
        found = [an_order(a_product(stock=9), number, pay="bank_transfer") for number in (1, 2)]
        listed = [(order.id, order.code, order.token) for order in found]
        db.session.rollback()
    return listed


def test_a_guest_adds_an_order_by_its_link_sees_the_total_and_sends_one_proof(client_at, bakery, orders):
    (first, _, token), (second, code, other) = orders
    browser = client_at(bakery)
    assert code not in browser.get(f"/pedido/{token}/juntos").text

    page = browser.post(f"/pedido/{token}/juntos", data={"link": f"https://espiga.portales.test/pedido/{other}"}).text
    assert code in page
    assert 'value="7500"' in page
    sent = {"orders": [other], "shown": "7500", "do": "pay", "photo": a_photo(), **token_of(page)}
    answer = browser.post(f"/pedido/{token}/juntos", data=sent, content_type="multipart/form-data")

    assert answer.status_code == 303
    with acting_for(bakery):
        assert {str(payment) for _state, payment in states([first, second])} == {"proof_review"}
        assert len(db.session.scalars(select(TransferProof)).all()) == 2
    assert code in browser.get(f"/pedido/{token}").text


@pytest.mark.parametrize("link", ["https://espiga.portales.test/pedido/nobody", "something", "/pedido/"])
def test_a_link_that_is_none_is_said_and_kept(client_at, bakery, orders, link):
    token = orders[0][2]
    answer = client_at(bakery).post(f"/pedido/{token}/juntos", data={"link": link})

    assert answer.status_code == 422
    assert link in answer.text


def test_without_a_photo_or_at_an_old_total_nothing_is_kept(client_at, bakery, orders):
    (first, _, token), (second, _code, other) = orders
    browser = client_at(bakery)
    for data, status in (
        ({"orders": [other], "shown": "7500", "do": "pay"}, 422),
        ({"orders": [other], "shown": "2500", "do": "pay", "photo": a_photo()}, 409),
        ({"orders": ["x" * 900], "shown": "²", "do": "pay", "photo": a_photo()}, 422),
    ):
        answer = browser.post(f"/pedido/{token}/juntos", data=data, content_type="multipart/form-data")
        assert answer.status_code == status, data
    with acting_for(bakery):
        assert {str(payment) for _state, payment in states([first, second])} == {"unpaid"}


def test_an_order_that_is_paid_has_nothing_to_pay_together(client_at, bakery):
    with acting_for(bakery):
        token = an_order(a_product(stock=9), 1).token
        db.session.rollback()
    browser = client_at(bakery)

    assert browser.get(f"/pedido/{token}/juntos").status_code == 303
    assert "/juntos" not in browser.get(f"/pedido/{token}").text


def test_the_desk_notes_one_transfer_for_what_the_buyer_owes(client_at, bakery, orders):
    (first, code, _), (second, other, _) = orders
    alicia = client_at("app", as_="alicia")
    assert f"/pedidos/{code}/juntos" in alicia.get(f"/pedidos/{code}").text
    page = alicia.get(f"/pedidos/{code}/juntos").text
    assert other in page

    sent = {"orders": [other], "shown": "7500", "do": "paid", **token_of(page)}
    assert alicia.post(f"/pedidos/{code}/juntos/transferencia", data={**sent, "shown": "7499"}).status_code == 409
    assert alicia.post(f"/pedidos/{code}/juntos/transferencia", data=sent).status_code == 303

    with acting_for(bakery):
        assert {str(payment) for _state, payment in states([first, second])} == {"paid"}
        assert len(db.session.scalars(select(Order.id)).all()) == 2
    assert other in alicia.get(f"/pedidos/{code}").text
