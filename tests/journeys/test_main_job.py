"""The main job, as it is lived: a shop is opened on a phone, somebody buys and reserves in it, a courier brings it.

Once without scripts and once with them, on the real processes, looking at every page on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import RIDER_PHONE, RIDER_PIN
from tests.journeys.phone import Phone
from tests.journeys.stage import Stage, eventually
from tests.world import PASSWORD as STAFF_PASSWORD

pytestmark = pytest.mark.browser

PASSWORD = "mantequilla canela vainilla"
MOST_AN_OWNER_TYPES = 12
MOST_A_GUEST_TYPES = 6


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
def test_a_shop_opens_sells_reserves_and_delivers(here: Stage, phone: Callable[..., Phone], photo: Path, scripts: bool):
    slug = "dulces-con-marta" if scripts else "dulces-de-marta"
    name = slug.replace("-", " ").capitalize()
    owner = phone("the owner", scripts=scripts)

    opens_a_shop(owner, here, name, f"{slug}@example.com")
    sells(owner, "Concha de vainilla", "18", "40", "dulce", photo)
    assert len(owner.typed) <= MOST_AN_OWNER_TYPES, owner.typed
    offers_a_service(owner, here)
    delivers(owner, here)
    owner.visit(here.address("/ajustes/publicacion", "app"))
    owner.tap("Publicar mi tienda")
    assert owner.reads("Tu tienda está abierta")

    guest = phone("the guest", scripts=scripts)
    finds_the_shop(guest, here, name)
    likes(guest, "dulce")
    buys_and_reserves(guest)
    order_page, code = finishes_the_order(guest, f"dora-{slug}@example.com")
    assert len(guest.typed) <= MOST_A_GUEST_TYPES, guest.typed
    finds_letters(guest, here, code, f"dora-{slug}@example.com", f"{slug}@example.com")

    owner.visit(here.address("/hoy", "app"))
    before = owner.taps
    owner.tap("Confirmar y avisar")
    assert owner.taps == before + 1
    assert owner.reads(code)
    guest.visit(order_page)
    guest.reloads_until("Confirmado", "Tu código de entrega")
    delivery_code = re.search(r"Tu código de entrega\s+(\d{4})", guest.text)
    assert delivery_code is not None, guest.text

    owner.visit(here.address("/hoy", "app"))
    owner.tap("Ya está listo")
    rider = phone("the rider", scripts=scripts)
    takes_the_parcel(rider, here, name)
    guest.visit(order_page)
    guest.tap("Ver el recorrido")
    guest.reloads_until("Efraín")
    rider.tap("Ya lo recogí")
    guest.reloads_until("Recogido")
    rider.tap("Voy en camino")
    guest.reloads_until("En camino")
    rider.write("Código de quien recibe", delivery_code[1])
    rider.tap(re.compile("^Entregado y cobré"))
    guest.reloads_until("Entregado")

    owner.visit(here.address(f"/pedidos/{code}", "app"))
    owner.reloads_until("Pagado", "Entregado")
    owner.visit(here.address("/reservas", "app"))


def test_card_and_transfer_are_paid_and_reviewed(here: Stage, phone: Callable[..., Phone], photo: Path):
    """The two ways that are not cash: a card that fails once, and a transfer whose proof the owner accepts."""
    owner = phone("the owner")
    owner.visit(here.address("/entrar", "app"))
    owner.write("Teléfono o correo", "alicia@example.com")
    owner.write("Contraseña", STAFF_PASSWORD)
    owner.tap("Entrar")
    owner.visit(here.address("/ajustes/tarjetas", "app"))
    owner.tap("Empezar con Stripe")
    owner.tap("Confirmar y activar")
    assert owner.reads("Listo: tu tienda ya puede cobrar con tarjeta.")

    payer = phone("the one with a card")
    orders_for_pickup(payer, here, "Tarjeta")
    payer.tap("Probar con una tarjeta rechazada")
    assert payer.reads("La tarjeta fue rechazada. No se cobró nada")
    payer.tap(re.compile("^Pagar "))
    payer.reloads_until("Pagado", "Confirmado")

    sender = phone("the one who transfers")
    orders_for_pickup(sender, here, "Transferencia bancaria")
    assert sender.reads("Banco de prueba, cuenta 0123456789")
    sender.upload(photo)
    sender.tap("Enviar comprobante")
    assert sender.reads("Comprobante recibido")
    owner.visit(here.address("/hoy", "app"))
    owner.tap("Revisar")
    owner.tap("Sí llegó el dinero: aceptar y confirmar")
    sender.page.reload()
    sender.reloads_until("Pagado", "Confirmado")


def orders_for_pickup(guest: Phone, here: Stage, way: str) -> None:
    """One thing, to be fetched at the shop, paid in this way."""
    guest.visit(here.address("/p/pan-de-yema", "espiga"))
    guest.tap("Agregar al carrito")
    guest.page.get_by_text("en tu carrito").wait_for()
    guest.visit(here.address("/pedir", "espiga"))
    guest.write("Tu nombre", "Dora Canseco")
    guest.write("Teléfono o WhatsApp", "951 111 2233")
    guest.choose(way)
    guest.tap(re.compile("^Hacer el pedido por"))


# --- the owner ----------------------------------------------------------------------------------------------------


def opens_a_shop(owner: Phone, here: Stage, name: str, contact: str) -> None:
    """From the street to the dashboard in one short form."""
    owner.visit(here.address("/"))
    owner.tap("Abrir mi tienda")
    owner.write("Nombre de tu tienda", name)
    owner.page.get_by_label("País").select_option("MX")
    owner.write("Tu teléfono o tu correo", contact)
    owner.write("Contraseña", PASSWORD)
    owner.tap("Abrir mi tienda", within="form")
    assert owner.page.url.startswith(here.address("/hoy", "app")), owner.page.url
    assert owner.reads("Sube tu primer producto con foto")


def sells(owner: Phone, name: str, price: str, stock: str, tag: str, photo: Path) -> None:
    """The first product, from the first thing the dashboard says to do."""
    owner.tap("Hacerlo")
    owner.upload(photo)
    owner.write("Nombre", name)
    owner.write("Precio", price)
    owner.write("¿Cuántas hay?", stock)
    owner.write("Escribe algunas", tag)
    owner.tap("Publicar en mi tienda")
    assert owner.reads(name)


def offers_a_service(owner: Phone, here: Stage) -> None:
    """A workshop; the owner is led on to the table it is held at, and to how it is reserved, which is a tap."""
    owner.visit(here.address("/productos/nuevo", "app"))
    owner.write("Nombre", "Taller de pan")
    owner.write("Precio", "350")
    owner.unfold("Descripción, categoría y más")
    owner.choose("Un servicio que se reserva")
    owner.write("Escribe otras", "taller")
    owner.tap("Publicar en mi tienda")
    assert owner.reads("Falta un paso")
    owner.write("Nombre", "Mesa del horno")
    owner.tap("Guardar")
    owner.tap("Hacer que se reserve")
    assert owner.reads("Se reserva en: Mesa del horno")


def delivers(owner: Phone, here: Stage) -> None:
    """A zone with its price, and a courier firm to carry there."""
    owner.visit(here.address("/entregas/zonas/nueva", "app"))
    owner.write("Nombre de la zona", "Centro")
    owner.write("Barrios o localidades", "Oaxaca de Juárez")
    owner.write("Precio de la entrega", "35")
    owner.tap("Guardar la zona")
    owner.visit(here.address("/entregas/repartidores", "app"))
    owner.tap("Trabajar con ella")
    owner.tap("Guardar el acuerdo")
    assert owner.reads("Ya trabajas con Bicis Oaxaca")


# --- the guest ----------------------------------------------------------------------------------------------------


def finds_the_shop(guest: Phone, here: Stage, name: str) -> None:
    """From the arcade through the shop's door."""
    guest.visit(here.address("/"))
    guest.tap(re.compile(re.escape(name)), within="main")
    assert guest.reads("Concha de vainilla", "Taller de pan")
    first = guest.page.locator("a.product-link").first.inner_text()
    assert "Taller" in first, "newest first, as long as nobody said what they like"


def likes(guest: Phone, taste: str) -> None:
    """Says what they like, and sees it first, with the reason."""
    guest.tap("Elige tus gustos")
    guest.choose(taste)
    guest.tap("Guardar mis gustos")
    guest.tap("Ver la tienda")
    assert "Concha" in guest.page.locator("a.product-link").first.inner_text()
    guest.unfold("¿Por qué veo esto?")
    assert guest.reads(f"Pusimos primero lo que va con tus gustos: {taste}.")


def buys_and_reserves(guest: Phone) -> None:
    """Something to eat and an hour to come by, in one cart."""
    guest.page.locator("a.product-link", has_text="Concha").first.click()
    guest.look()
    guest.tap("Agregar al carrito")
    guest.visit(re.sub(r"(//[^/]+)/.*", r"\1/", guest.page.url))
    guest.page.locator("a.product-link", has_text="Taller").first.click()
    guest.look()
    if not guest.page.get_by_role("button", name="Reservar").is_visible():
        guest.page.locator("#reservar a[href]").first.click()
    guest.page.locator("main label:has(input[name=starts_at]:not(:disabled))").first.click()
    guest.tap("Reservar")
    guest.visit(re.sub(r"(//[^/]+)/.*", r"\1/carrito", guest.page.url))
    assert guest.reads("Concha de vainilla", "Taller de pan")


def finishes_the_order(guest: Phone, email: str) -> tuple[str, str]:
    """One page, paid on delivery. Returns the order's address and code."""
    guest.tap(re.compile("^Terminar el pedido"))
    guest.choose("Oaxaca de Juárez")
    guest.write("Calle y número", "Crespo 212")
    guest.write("Tu nombre", "Dora Canseco")
    guest.write("Teléfono o WhatsApp", "951 111 2233")
    guest.choose("Pago al recibir")
    guest.unfold("Agregar correo o una nota")
    guest.write("Correo", email)
    cost = guest.page.get_by_role("button", name="Ver el costo de entrega")
    if cost.is_visible():
        guest.tap("Ver el costo de entrega")
    guest.tap(re.compile("^Hacer el pedido por"))
    assert guest.reads("Recibimos tu pedido")
    code = re.search(r"Pedido (\w{6})", guest.text)
    assert code is not None, guest.text
    return guest.page.url, code[1]


def finds_letters(guest: Phone, here: Stage, code: str, *people: str) -> None:
    """Both sides got a letter about the order."""
    guest.visit(here.address("/dev/outbox"))
    guest.reloads_until(code, *people)


# --- the rider ----------------------------------------------------------------------------------------------------


def takes_the_parcel(rider: Phone, here: Stage, shop: str) -> None:
    """Logs in on the street and takes what is on offer."""
    rider.visit(here.address("/repartidor", "partners"))
    rider.write("Tu teléfono", RIDER_PHONE)
    rider.write("Tu PIN", RIDER_PIN)
    rider.tap("Entrar")
    rider.reloads_until(shop)
    rider.tap("Tomar")
    eventually(lambda: rider.reads("Dora Canseco"), "the parcel's page")
