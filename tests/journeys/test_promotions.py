"""A coupon from the owner's phone to the customer's, at 360 px, with scripts and without."""

import os
from pathlib import Path

import pytest

from tests.world import PASSWORD

pytestmark = pytest.mark.browser


def keep(person, name):
    """A picture of the page, for whoever wants to look: `PICTURES=/tmp/somewhere`."""
    if folder := os.environ.get("PICTURES"):
        person.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_coupon_made_on_a_phone_is_typed_on_another_and_seen_on_the_order(here, phone):
    alicia = phone("Alicia")
    alicia.visit(here.address("/entrar", "app"))
    alicia.write("Teléfono o correo", "alicia@example.com")
    alicia.write("Contraseña", PASSWORD)
    alicia.tap("Entrar")
    alicia.visit(here.address("/promociones", "app"))
    keep(alicia, "desk-empty")
    alicia.tap("Crear la primera")
    alicia.write("Nombre", "Bienvenida")
    alicia.write("Código del cupón", "PAN10")
    alicia.write("¿Qué porcentaje?", "10")
    alicia.unfold("Límites y condiciones")
    alicia.write("Veces por persona", "1")
    alicia.look()
    keep(alicia, "desk-form")
    alicia.tap("Crear la promoción")
    assert alicia.reads("Bienvenida", "PAN10", "Activa")
    keep(alicia, "desk-list")

    marta = phone("Marta", scripts=False)
    marta.visit(here.address("/p/pan-de-yema", "espiga"))
    marta.tap("Agregar al carrito", within="main")
    marta.visit(here.address("/carrito", "espiga"))
    marta.unfold("¿Tienes un cupón?")
    marta.write("Código del cupón", "pan10")
    keep(marta, "cart-typed")
    marta.tap("Usar el cupón")
    assert marta.reads("Cupón PAN10 aplicado.", "Bienvenida", "-$2.80", "$25.20")
    keep(marta, "cart-used")
    marta.visit(here.address("/pedir", "espiga"))
    marta.tap("Quitar el cupón")
    assert marta.reads("$28.00")
    marta.unfold("¿Tienes un cupón?")
    marta.write("Código del cupón", "PAN10")
    marta.tap("Usar el cupón")
    keep(marta, "till-used")
    marta.write("Tu nombre", "Marta")
    marta.write("Teléfono o WhatsApp", "951 123 4567")
    marta.choose("Pago en la tienda")
    marta.tap("Hacer el pedido por $25.20")
    assert marta.reads("Recibimos tu pedido", "Bienvenida", "-$2.80", "$25.20")
    keep(marta, "order")
