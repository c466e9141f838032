"""A part of the money goes back, decided on a phone at 360 px without scripts, and read on the customer's."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from storefront.kernel import clock, outbox
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.models import Order
from storefront.payments.models import Difference, DifferenceKind
from tests.payments.test_parts import a_sale
from tests.world import PASSWORD

pytestmark = pytest.mark.browser


def keep(person, name):
    """Pictures of the page, narrow and wide, for whoever wants to look: `PICTURES=/tmp/somewhere`."""
    if folder := os.environ.get("PICTURES"):
        for width, height in ((1280, 860), (360, 740)):
            person.page.set_viewport_size({"width": width, "height": height})
            person.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def a_paid_order(app):
    """(code, token) of a sale at the bakery with a discount and a delivery, and something that does not agree."""
    with app.app_context(), acting_for(directory().by_slug("espiga")):
        outbox.send_with(lambda *_: None)
        order_id, _ = a_sale()
        with transaction():
            db.session.add(
                Difference(
                    day=clock.now().date(), kind=DifferenceKind.REFUND_UNKNOWN, subject="re_1", order_id=order_id,
                    theirs_minor=1_000, currency="MXN", found_at=clock.now(),
                )
            )  # fmt: skip
        return tuple(db.session.execute(select(Order.code, Order.token).where(Order.id == order_id)).one())


def test_an_owner_sends_a_piece_back_without_scripts_and_the_customer_reads_it(app, here, phone):
    code, token = a_paid_order(app)
    alicia = phone("Alicia", scripts=False)
    alicia.visit(here.address("/entrar", "app"))
    alicia.write("Teléfono o correo", "alicia@example.com")
    alicia.write("Contraseña", PASSWORD)
    alicia.tap("Entrar")
    alicia.visit(here.address(f"/pedidos/{code}", "app"))
    alicia.unfold("Más cosas que puedes hacer")
    alicia.tap("Devolver dinero")
    keep(alicia, "refund-choose")
    alicia.page.locator("#quantity_1").fill("1")
    alicia.page.locator("#restock_1").check()
    alicia.choose("Llegó mal")
    alicia.tap("Ver los importes")
    assert alicia.reads("1 × Pan", "En total $29.99")
    keep(alicia, "refund-amounts")
    alicia.tap("Decidir la devolución")
    assert alicia.reads("Anotamos la devolución", "Por hacer a mano", "de vuelta a la venta")
    keep(alicia, "refund-order")

    dora = phone("Dora", scripts=False)
    dora.visit(here.address(f"/pedido/{token}", "espiga"))
    assert dora.reads("Dinero que vuelve a ti", "La tienda te lo entrega", "1 × Pan")
    keep(dora, "refund-customer")

    alicia.visit(here.address("/cobros", "app"))
    keep(alicia, "payments")
    alicia.tap("Cuentas que no cuadran (1)")
    alicia.unfold("Cerrar")
    keep(alicia, "differences")
    alicia.write("¿Por qué se cierra?", "Lo devolvimos en caja")
    alicia.tap("Cerrar con esta razón")
    assert alicia.reads("Quedó cerrada", "Todo cuadra")
    keep(alicia, "differences-empty")

    alicia.visit(here.address("/contabilidad", "app"))
    keep(alicia, "accounts")
    with alicia.page.expect_download() as waited:
        alicia.page.get_by_role("button", name="Descargar").click()
    assert code in Path(waited.value.path()).read_text(encoding="utf-8-sig")
