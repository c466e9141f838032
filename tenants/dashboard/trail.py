"""The audit trail as its owner reads it: who did what, latest first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from storefront.kernel.access import access
from storefront.kernel.filters import money
from storefront.kernel.http import requested_page
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import codes_of
from tenants.queries import TrailLine, trail, trail_kinds

blueprint = Blueprint("desk_trail", __name__)

KIND_NAMES = {
    "shop": _l("Tienda"), "staff": _l("Equipo"), "invitation": _l("Invitaciones"), "domain": _l("Dominios"),
    "product": _l("Productos"), "variant": _l("Opciones"), "category": _l("Categorías"), "product_image": _l("Fotos"),
    "order": _l("Pedidos"), "booking": _l("Reservas"), "customer": _l("Clientes"), "shipment": _l("Entregas"),
    "zone": _l("Zonas"), "payment": _l("Pagos"), "refund": _l("Devoluciones"), "proof": _l("Comprobantes"),
    "stock": _l("Existencias"), "resource": _l("Calendarios"), "guest": _l("Clientes sin cuenta"),
    "promotion": _l("Promociones"), "delivery_zone": _l("Zonas"), "partner_contract": _l("Empresas de reparto"),
}  # fmt: skip
VERB_NAMES = {
    "opened": _l("abrió la tienda"), "became_live": _l("publicó la tienda"),
    "became_draft": _l("puso en pausa la tienda"),
    "became_closed": _l("cerró la tienda"), "suspended": _l("suspendió la tienda"), "resumed": _l("reabrió la tienda"),
    "facts_changed": _l("cambió los datos de la tienda"), "address_changed": _l("cambió la dirección de la tienda"),
    "look_changed": _l("cambió el aspecto"), "cover_changed": _l("cambió la portada"),
    "cover_removed": _l("quitó la portada"), "payments_changed": _l("cambió las formas de pago"),
    "extras_changed": _l("cambió el empaque y las propinas"),
    "deposits_changed": _l("cambió los anticipos"),
    "deposit_changed": _l("cambió el anticipo de un producto"),
    "deposit_kept": _l("se quedó con un anticipo"),
    "deposit_given_back": _l("devolvió un anticipo que se había quedado"),
    "tax_changed": _l("cambió el impuesto"), "languages_changed": _l("cambió los idiomas"),
    "tastes_changed": _l("cambió los gustos"), "joined": _l("entró al equipo"), "role_changed": _l("cambió un papel"),
    "removed": _l("quitó"), "made": _l("creó"), "withdrawn": _l("anuló"), "wanted": _l("agregó"),
    "verified": _l("comprobó"), "made_primary": _l("puso como principal"), "lost": _l("dejó de comprobarse"),
    "created": _l("creó"), "changed": _l("cambió"), "updated": _l("cambió"), "deleted": _l("borró"),
    "published": _l("publicó"), "archived": _l("archivó"), "restored": _l("recuperó"), "cancelled": _l("canceló"),
    "confirmed": _l("confirmó"), "set_up": _l("preparó la tienda"), "cover_hung": _l("puso la portada"),
    "card_account_made": _l("abrió la cuenta de tarjetas"), "provider_connected": _l("conectó una cuenta de cobro"),
    "provider_disconnected": _l("desconectó una cuenta de cobro"), "cards_on": _l("activó el cobro con tarjeta"),
    # the catalogue and the shelf
    "renamed": _l("cambió el nombre"), "ordered": _l("cambió el orden"), "copied": _l("duplicó"),
    "unpublished": _l("ocultó"), "translated": _l("tradujo"), "price_changed": _l("cambió el precio"),
    "variant_added": _l("agregó una opción"), "variants_saved": _l("cambió las opciones"),
    "image_added": _l("agregó una foto"), "images_ordered": _l("ordenó las fotos"),
    "described": _l("describió la foto"), "uncounted": _l("dejó de contar"),
    # reservations
    "made_bookable": _l("lo puso para reservar"), "not_bookable": _l("dejó de reservarse"),
    "walked_in": _l("reservó en el mostrador"), "moved": _l("cambió la hora"), "held": _l("apartó"),
    "arrived": _l("anotó la llegada"), "done": _l("terminó"), "no_show": _l("anotó que no llegó"),
    "closed_day": _l("cerró un día"), "opened_day": _l("volvió a abrir un día"), "retired": _l("dejó de reservarse"),
    "feed_renewed": _l("cambió el enlace del calendario"),
    # orders and money
    "placed": _l("hizo el pedido"), "expired": _l("venció"), "ready": _l("lo marcó como listo"),
    "not_ready": _l("deshizo «listo»"), "restocked": _l("devolvió a la venta"), "completed": _l("terminó"),
    "needs_attention": _l("avisó de un problema"), "attended": _l("resolvió el problema"),
    "preparing": _l("en preparación"), "shipped": _l("salió a entregarse"), "delivered": _l("se entregó"),
    "returned": _l("regresó a la tienda"), "awaiting_payment": _l("espera el pago"), "paid": _l("se pagó"),
    "unpaid": _l("quedó sin pagar"), "cash_received": _l("recibió el efectivo"),
    "transfer_received": _l("vio la transferencia en el banco"),
    "transfer_taken_back": _l("deshizo la transferencia anotada"),
    "cash_taken_back": _l("deshizo el cobro"), "paid_twice": _l("se pagó dos veces"),
    "card_again": _l("volvió a intentar con tarjeta"), "card_declined": _l("la tarjeta no pasó"),
    "transfer_in_part": _l("transfirió una parte"),
    "voucher_given": _l("recibió una ficha o un código para pagar"),
    "card_refused": _l("el pago no se pudo abrir"), "proof_sent": _l("mandó el comprobante"),
    "proof_accepted": _l("aceptó el comprobante"), "proof_rejected": _l("pidió otro comprobante"),
    "statement_imported": _l("subió movimientos del banco"), "statement_matched": _l("anotó un depósito del banco"),
    "set_aside": _l("dejó aparte un depósito"), "waiting": _l("regresó un depósito a la lista"),
    "refund_key_spent": _l("volverá a intentar la devolución"), "dispute_opened": _l("se reclamó el pago al banco"),
    "dispute_inquiry": _l("el banco preguntó"), "dispute_inquiry_review": _l("el banco revisa la respuesta"),
    "dispute_needs_response": _l("el banco espera respuesta"), "dispute_under_review": _l("el banco decide"),
    "dispute_won": _l("se ganó el contracargo"), "dispute_lost": _l("se perdió el contracargo"),
    "dispute_closed": _l("el banco ya no siguió"), "dispute_answer_kept": _l("guardó la respuesta al banco"),
    "dispute_answer_sent": _l("envió la respuesta al banco"), "dispute_given_up": _l("aceptó el contracargo"),
    "receipt_issued": _l("hizo el recibo"), "receipt_taken_back": _l("anuló el recibo"),
    "receipt_head_changed": _l("cambió los datos del recibo"),
    "refund_decided": _l("decidió devolver dinero"), "refund_requested": _l("pidió la devolución"),
    "refund_in_transit": _l("la devolución va en camino"), "refund_done": _l("devolvió el dinero"),
    "card_issued": _l("hizo una tarjeta de regalo"), "gift_card_used": _l("pagó con tarjeta de regalo"),
    "gift_card_given_back": _l("el dinero regresó a la tarjeta de regalo"),
    "secret_renewed": _l("hizo un código nuevo"),
    "refund_credited": _l("hizo la nota de crédito"), "switched_on": _l("encendió"),
    "switched_off": _l("apagó"), "refund_failed": _l("la devolución falló"),
    "refund_external": _l("devolvió el dinero por fuera"),
    # people
    "signed_in": _l("entró a su cuenta"), "details_changed": _l("cambió sus datos"),
    "email_changed": _l("cambió su correo"), "exported": _l("entregó sus datos"), "erased": _l("borró sus datos"),
    # delivery
    "added": _l("agregó"), "raised": _l("subió de lugar"), "active": _l("empezó a trabajar con ella"),
    "ended": _l("dejó de trabajar con ella"), "offered": _l("la ofreció"), "offered_again": _l("la volvió a ofrecer"),
    "offer_declined": _l("no la tomó"), "offer_dead": _l("no contestó"), "assigned": _l("la tomó"),
    "released": _l("la soltó"), "taken_back": _l("se la quitó"), "own_courier": _l("la lleva la tienda"),
    "unroutable": _l("nadie la pudo llevar"), "code_locked": _l("escribió cinco códigos equivocados"),
    "draft": _l("en preparación"), "picked_up": _l("la recogió"), "in_transit": _l("va en camino"),
    "out_for_delivery": _l("salió a entregarla"), "attempt_failed": _l("no la pudo entregar"),
    "returning": _l("viene de regreso"),
}  # fmt: skip
ACTOR_NAMES = {
    "system": _l("Portales"), "operator": _l("Portales"), "visitor": _l("Una visita"), "customer": _l("Cliente"),
    "rider": _l("Repartidor"), "partner": _l("Empresa de reparto"), "staff": _l("Equipo"),
}  # fmt: skip
FACT_NAMES = {
    "name": _l("nombre"), "reason": _l("motivo"), "price_minor": _l("precio"), "amount_minor": _l("importe"),
    "total_minor": _l("total"), "email": _l("correo"), "host": _l("dominio"), "partner": _l("empresa"),
    "rider": _l("quién la lleva"), "reference": _l("referencia"), "note": _l("nota"), "code": _l("clave"),
    "variants": _l("opciones"), "capacity": _l("lugares"), "tried": _l("empresas preguntadas"), "day": _l("día"),
}  # fmt: skip
"""The facts an owner understands; what is not among them is for whoever reads the table itself."""


def _plain(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _sentence(line: TrailLine, orders: dict[int, str]) -> dict[str, Any]:
    """A line as people say it, an order by its code; verbs nobody translated are shown as they are."""
    which = "" if line.subject_id.isdigit() else line.subject_id
    if line.subject_type == "order" and line.subject_id.isdigit():
        which = orders.get(int(line.subject_id), "")
    who = line.actor_label or str(ACTOR_NAMES.get(line.actor_kind, line.actor_kind))
    told = {key: value for key, value in line.facts.items() if value and key in FACT_NAMES}
    facts = [f"{FACT_NAMES[key]}: {_shown(key, value)}" for key, value in told.items()]
    return {
        "at": line.at,
        "who": who,
        "what": str(VERB_NAMES.get(line.verb.removeprefix("report."), _plain(line.verb))),
        "kind": str(KIND_NAMES.get(line.subject_type, _plain(line.subject_type))),
        "which": which,
        "facts": " · ".join(facts)[:300],
    }


def _shown(key: str, value: Any) -> str:
    if key.endswith("_minor") and isinstance(value, int):
        return money(Money(value, current_shop().currency))
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
    orders = codes_of(
        int(line.subject_id) for line in page.items if line.subject_type == "order" and line.subject_id.isdigit()
    )
    return render_template(
        "dashboard/settings/trail.html", page=page, lines=[_sentence(line, orders) for line in page.items], kinds=names,
        chosen=chosen,
    )  # fmt: skip
