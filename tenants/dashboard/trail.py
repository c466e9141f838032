"""The audit trail as its owner reads it: who did what, latest first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from storefront.kernel.access import access
from storefront.kernel.http import requested_page
from tenants.queries import TrailLine, trail, trail_kinds

blueprint = Blueprint("desk_trail", __name__)

KIND_NAMES = {
    "shop": _l("Tienda"), "staff": _l("Equipo"), "invitation": _l("Invitaciones"), "domain": _l("Dominios"),
    "product": _l("Productos"), "variant": _l("Opciones"), "category": _l("Categorías"), "product_image": _l("Fotos"),
    "order": _l("Pedidos"), "booking": _l("Reservas"), "customer": _l("Clientes"), "shipment": _l("Entregas"),
    "zone": _l("Zonas"), "payment": _l("Pagos"), "refund": _l("Devoluciones"), "proof": _l("Comprobantes"),
    "stock": _l("Existencias"), "resource": _l("Calendarios"),
}  # fmt: skip
VERB_NAMES = {
    "opened": _l("abrió la tienda"), "became_live": _l("publicó la tienda"),
    "became_draft": _l("puso en pausa la tienda"),
    "became_closed": _l("cerró la tienda"), "suspended": _l("suspendió la tienda"), "resumed": _l("reabrió la tienda"),
    "facts_changed": _l("cambió los datos de la tienda"), "address_changed": _l("cambió la dirección de la tienda"),
    "look_changed": _l("cambió el aspecto"), "cover_changed": _l("cambió la portada"),
    "cover_removed": _l("quitó la portada"), "payments_changed": _l("cambió las formas de pago"),
    "tax_changed": _l("cambió el impuesto"), "languages_changed": _l("cambió los idiomas"),
    "tastes_changed": _l("cambió los gustos"), "joined": _l("entró al equipo"), "role_changed": _l("cambió un papel"),
    "removed": _l("quitó"), "made": _l("creó"), "withdrawn": _l("anuló"), "wanted": _l("agregó"),
    "verified": _l("comprobó"), "made_primary": _l("puso como principal"), "lost": _l("dejó de comprobarse"),
    "created": _l("creó"), "changed": _l("cambió"), "updated": _l("cambió"), "deleted": _l("borró"),
    "published": _l("publicó"), "archived": _l("archivó"), "restored": _l("recuperó"), "cancelled": _l("canceló"),
    "confirmed": _l("confirmó"),
}  # fmt: skip
ACTOR_NAMES = {
    "system": _l("Portales"), "operator": _l("Portales"), "visitor": _l("Una visita"), "customer": _l("Cliente"),
    "rider": _l("Repartidor"), "partner": _l("Empresa de reparto"), "staff": _l("Equipo"),
}  # fmt: skip
HIDDEN_FACTS = {"version"}


def _plain(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _sentence(line: TrailLine) -> dict[str, Any]:
    """A line as people say it; verbs nobody translated are shown as they are."""
    who = line.actor_label or str(ACTOR_NAMES.get(line.actor_kind, line.actor_kind))
    told = {key: value for key, value in line.facts.items() if value and key not in HIDDEN_FACTS}
    facts = [f"{_plain(key)}: {_shown(value)}" for key, value in told.items()]
    return {
        "at": line.at,
        "who": who,
        "what": str(VERB_NAMES.get(line.verb, _plain(line.verb))),
        "kind": str(KIND_NAMES.get(line.subject_type, _plain(line.subject_type))),
        "which": "" if line.subject_id.isdigit() else line.subject_id,
        "facts": " · ".join(facts)[:300],
    }


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


@blueprint.get("/ajustes/bitacora")
@access("staff", "settings:write")
def index() -> ResponseReturnValue:
    """A page of the trail, about one kind of thing or all."""
    kinds = trail_kinds()
    chosen = request.args.get("sobre", "")
    page = trail(requested_page(), chosen if chosen in kinds else "")
    names = [(kind, str(KIND_NAMES.get(kind, _plain(kind)))) for kind in kinds]
    return render_template(
        "dashboard/settings/trail.html", page=page, lines=[_sentence(line) for line in page.items], kinds=names,
        chosen=chosen,
    )  # fmt: skip
