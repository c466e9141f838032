"""The dashboard's frame and its first page: ways around, what to do today, and the way into one's own shop."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from storefront.delivery.words import attention_word
from storefront.kernel import clock
from storefront.kernel.access import access
from storefront.kernel.errors import NotFound
from storefront.kernel.faces import APP, current_face
from storefront.kernel.tenancy import current_shop
from tenants.dashboard.todo import setup_steps, tasks
from tenants.identity import Person, current_person
from tenants.models import ShopStatus
from tenants.resolution import PREVIEW_PATH, preview_token

blueprint = Blueprint("desk_home", __name__)

WAYS: tuple[tuple[str, Any, str, str | None, Any], ...] = (
    # endpoint, label, icon, permission, what it is good for; the first five are under the thumb
    ("desk_home.today", _l("Hoy"), "home", None, ""),
    ("desk_orders.index", _l("Pedidos"), "orders", "orders:read", ""),
    ("desk_reservations.index", _l("Reservas"), "calendar", "bookings:read", ""),
    ("desk_catalogue.index", _l("Productos"), "tag", "catalogue:read", ""),
    ("desk_home.more", _l("Más"), "more", None, ""),
    ("desk_delivery.index", _l("Entregas"), "bike", "orders:read", _l("Qué sale, qué va en camino, zonas y precios")),
    ("desk_payments.index", _l("Cobros"), "cash", "payments:review", _l("Comprobantes y devoluciones")),
    ("desk_returns.index", _l("Devoluciones"), "undo", "orders:read", _l("Lo que alguien trae de regreso")),
    ("desk_inventory.index", _l("Existencias"), "box", "catalogue:read", _l("Cuánto queda de cada cosa")),
    (
        "desk_promotions.index",
        _l("Promociones"),
        "ticket",
        "catalogue:read",
        _l("Cupones, descuentos y cuánto dieron"),
    ),
    (
        "desk_gift_cards.index",
        _l("Tarjetas de regalo"),
        "heart",
        "payments:review",
        _l("Hacer una, y cuánto debe tu tienda por ellas"),
    ),
    ("desk_customers.index", _l("Clientes"), "people", "customers:read", _l("Quiénes te compran y cómo encontrarlos")),
    ("desk_accounts.index", _l("Contabilidad"), "print", "reports:read", _l("El archivo de cada mes para tu contador")),
    ("desk_personalisation.index", _l("Gustos"), "heart", "reports:read", _l("Qué se le muestra a cada quien")),
    ("desk_staff.index", _l("Equipo"), "user", "staff:write", _l("Quién trabaja contigo y qué puede hacer")),
    ("desk_settings.index", _l("Ajustes"), "settings", "settings:write", _l("La tienda, su aspecto, cobros, dominio")),
)
ALSO: tuple[tuple[str, Any, str, str | None, Any], ...] = (
    ("desk_home.share", _l("Compartir mi tienda"), "share", None, _l("El enlace y el mensaje listos")),
    ("accounts.account", _l("Mi cuenta"), "user", None, _l("Tu nombre, tu contraseña y dónde está abierta")),
)
SEVERAL_SHOPS = ("accounts.shops", _l("Cambiar de tienda"), "store", None, _l("Trabajas en más de una"))


def _ways(person: Person) -> list[tuple[str, str, str, bool, str]]:
    """(label, address, icon, is here, note) of every page this person may open."""
    known = current_app.view_functions
    return [
        (str(label), url_for(endpoint), icon, _is_here(endpoint), str(note))
        for endpoint, label, icon, permission, note in (
            *WAYS,
            *ALSO,
            *([SEVERAL_SHOPS] if len(person.shops) > 1 else []),
        )
        if endpoint in known and person.may(permission)
    ]


def _is_here(endpoint: str) -> bool:
    if endpoint.startswith(("desk_home.", "accounts.")):
        return request.endpoint == endpoint
    return request.blueprint == endpoint.partition(".")[0]


@blueprint.app_context_processor
def _navigation() -> dict[str, Any]:
    """`nav` for the dashboard's layout; nothing on other faces and for nobody."""
    person = current_person() if current_face() == APP else None
    if person is None or person.kind != "staff":
        return {}
    ways, more = [way[:4] for way in _ways(person)], url_for("desk_home.more")
    return {"nav": ways, "side": [way for way in ways if way[1] != more], "person": person}


def me() -> Person:
    """The member of staff who asks."""
    person = current_person()
    if person is None:
        raise NotFound
    return person


@blueprint.get("/hoy")
@access("staff")
def today() -> ResponseReturnValue:
    """What to do now, first things first; and, while there is something left, how to open the shop."""
    person, shop = me(), current_shop()
    steps = setup_steps(shop) if person.may("settings:write") else []
    return render_template(
        "dashboard/home/today.html",
        tasks=tasks(person, shop),
        steps=steps,
        now=clock.now(),
        may_review=person.may("payments:review"),
        attention_word=attention_word,
    )


@blueprint.get("/mas")
@access("staff")
def more() -> ResponseReturnValue:
    """Everything that is not under the thumb."""
    person = me()
    items = [(label, url, icon, note) for label, url, icon, _here, note in _ways(person) if note]
    return render_template("dashboard/home/more.html", items=items)


@blueprint.get("/mi-tienda")
@access("staff")
def visit() -> ResponseReturnValue:
    """Over to the shop as customers see it; a draft opens for whoever brings a signed word."""
    shop = current_shop()
    if shop.status == ShopStatus.DRAFT:
        return redirect(f"{shop.base_url}{PREVIEW_PATH}?token={preview_token(shop)}", 303)
    return redirect(f"{shop.base_url}/", 303)


@blueprint.get("/compartir")
@access("staff")
def share() -> ResponseReturnValue:
    """The shop's address, ready to be sent."""
    return render_template("dashboard/home/share.html")
