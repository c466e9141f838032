"""What the desk says of a proof that pays a part of its order: the sum that was asked for, and what is left open."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from storefront.kernel import jobs
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order
from storefront.orders.queries import order_by_id
from storefront.payments import queries
from storefront.payments.proofs import submit_proof
from tests.factories.catalogue import a_product
from tests.factories.deposits import a_deposit_order
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, DORA, an_order
from tests.factories.payments import a_photo
from tests.payments.test_several import some_money


@pytest.fixture
def desk(app, bakery, cast, client_at):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def shown(shop, order_id):
    """Send a proof; its code and its order's."""
    with acting_for(shop):
        submit_proof(order_id, a_photo(), "", DORA)
        found = queries.latest_proof(order_id)
        code = order_by_id(order_id).code
        db.session.rollback()
    return found.code, code


def accepted(desk, proof):
    answer = desk.send(f"/cobros/{proof}/aceptar")
    assert answer.status_code == 303
    return desk.get(answer.location).text


def test_a_proof_of_a_deposit_is_for_the_deposit_and_the_next_one_for_the_rest(desk, bakery):
    with acting_for(bakery):
        order_id = a_deposit_order().id
    proof, code = shown(bakery, order_id)
    with acting_for(bakery):
        jobs.drain()
        told = db.session.scalar(select(MailMessage.body_text).where(MailMessage.once.startswith("owner-proof:")))
        db.session.rollback()
    assert "mandó el comprobante de $30.00" in told
    for path in ("/hoy", "/cobros", f"/cobros/{proof}"):
        page = desk.get(path).text
        assert "$30.00" in page, path
        assert "Es el anticipo" in page, path
    assert "El pedido es de $100.00 en total" in page

    said = accepted(desk, proof)

    assert f"Todavía falta el resto: $70.00 del pedido {code}." in said
    assert "pagado y confirmado" not in said
    with acting_for(bakery):
        jobs.drain()
    assert "Es el anticipo" in desk.get(f"/cobros/{proof}").text  # it stays what it was
    proof, code = shown(bakery, order_id)
    page = desk.get(f"/cobros/{proof}").text
    assert "<h1>$70.00</h1>" in page
    assert "Es el resto" in page
    assert f"El pedido {code} quedó pagado y confirmado." in accepted(desk, proof)


def test_a_proof_of_all_of_it_says_nothing_of_parts(desk, bakery):
    with acting_for(bakery):
        order_id = an_order(a_product(price=2_500, stock=9), 2, pay="bank_transfer").id
    proof, code = shown(bakery, order_id)
    page = desk.get(f"/cobros/{proof}").text
    assert "<h1>$50.00</h1>" in page
    assert "en total" not in page

    assert f"El pedido {code} quedó pagado y confirmado." in accepted(desk, proof)


def test_the_money_of_an_order_that_was_cancelled_confirms_nothing(desk, bakery):
    with acting_for(bakery):
        order_id = a_deposit_order().id
    proof, _code = shown(bakery, order_id)
    with acting_for(bakery):
        cancel_order(order_id, "", ALICIA)

    said = accepted(desk, proof)

    assert "ya no estaba en pie" in said
    assert "confirmado" not in said


def test_nothing_is_offered_to_go_back_of_a_deposit_while_the_rest_is_open(desk, bakery):
    with acting_for(bakery):
        order_id = a_deposit_order().id
    proof, code = shown(bakery, order_id)
    accepted(desk, proof)
    with acting_for(bakery):
        jobs.drain()

    path = f"/pedidos/{code}/devolucion"
    page = desk.get(path).text

    assert "Pagó $30.00" in page
    assert "Falta el resto: $70.00" in page
    assert 'name="why"' not in page
    assert path not in desk.get(f"/pedidos/{code}").text
    with acting_for(bakery):
        some_money(order_id, 7_000)
    assert path in desk.get(f"/pedidos/{code}").text
    assert "Pagó $100.00" in desk.get(path).text
