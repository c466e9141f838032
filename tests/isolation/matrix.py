"""Every route of the application, who may use it, and how to make a real address of it: the matrix as data.

A new route without a row here fails the tests. A row says which roles may pass, which thing of a furnished shop
(shops_alike.py) each parameter names, and what the answer is when everything is in order. All that is refused follows:
roles that may not pass are sent away alike whatever they name, and what is another's is answered like what does not
exist.
"""

# ruff: noqa: E501 (a row of the table is a line)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.isolation.harness import ROLES

OWNER = frozenset({"owner"})
MANAGERS = frozenset({"owner", "manager"})
STAFF = frozenset({"owner", "manager", "clerk"})
CUSTOMERS = frozenset({"customer", "neighbour"})
PARTNERS = frozenset({"partner", "other partner"})
RIDERS = frozenset({"rider", "colleague"})
OPERATORS = frozenset({"operator"})
ANYONE = frozenset(ROLES)


@dataclass(frozen=True)
class Row:
    """One rule and method.

    `names` maps each parameter to a thing of the shop; `sibling` to a thing of the same shop that is somebody else's,
    and `sibling_is` says whether that is "hidden" from who asks or "seen". `foreign_is` is "seen" for links that are
    secrets by themselves and work for whoever holds them. `actor` is who the own thing belongs to, when not everybody
    who may pass. `fields` are things that a form names by code: they are replaced by a foreign shop's in turn.
    `sent_away` is the answer to roles that may not pass, `gone` the one to a name that means nothing. A `slow` row
    (it compares a password) is asked by a few roles only. A page `in_development` shows every shop's things by design
    and is not there in production.
    """

    face: str
    method: str
    rule: str
    who: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict)
    sibling: Mapping[str, str] = field(default_factory=dict)
    sibling_is: str = "seen"
    foreign_is: str = "hidden"
    actor: frozenset[str] = frozenset()
    form: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    ok: frozenset[int] = frozenset({200})
    gone: int = 404
    sent_away: frozenset[int] | None = None
    slow: bool = False
    in_development: bool = False

    @property
    def key(self) -> str:
        """The row's name: face, method and rule."""
        return f"{self.face} {self.method} {self.rule}"

    @property
    def is_safe(self) -> bool:
        """Whether the method promises to change nothing."""
        return self.method == "GET"


def _rows(face: str, who: frozenset[str], lines: Iterable[tuple[Any, ...]]) -> list[Row]:
    made = []
    for line, *more in lines:
        method, rule = line.split(" ", 1)
        facts: dict[str, Any] = dict(more[0]) if more else {}
        facts.setdefault("ok", {200} if method == "GET" else {303})
        facts["ok"] = frozenset(facts["ok"])
        if "sent_away" in facts:
            facts["sent_away"] = frozenset(facts["sent_away"])
        made.append(Row(face, method, rule, facts.pop("who", who), **facts))
    return made


def by(parameter: str, thing: str, **more: Any) -> dict[str, Any]:
    """A rule with one parameter."""
    return {"names": {parameter: thing}, **more}


REASON = {"reason": "Una pregunta de la tienda"}
CANCELLATION = {"why": "other", "words": "Ya no hay harina"}
ADDRESS = {
    "label": "Casa", "recipient": "Dora", "phone": "+529511112233", "street": "Crespo 212", "locality": "Oaxaca",
    "region": "OAX", "reference": "Casa azul",
}  # fmt: skip

SHOP = _rows("shop", ANYONE, [
    ("GET /",),
    ("GET /buscar",),
    ("GET /c/<slug>", by("slug", "category")),
    ("GET /p/<slug>", by("slug", "product")),
    ("GET /carrito",),
    ("POST /carrito", {"form": {"quantity": "1"}, "fields": {"variant": "variant"}}),
    ("POST /carrito/cupon", {"fields": {"coupon": "coupon"}, "ok": {303, 404}}),
    ("POST /carrito/cupon/quitar",),
    ("POST /carrito/limpiar", {"ok": {303, 404}}),
    ("POST /carrito/reservas", {"form": {"quantity": "1"}, "fields": {"variant": "service variant"},
                                "ok": {303, 409, 422}}),
    ("POST /carrito/<code>/cantidad", by("code", "customer line", sibling={"code": "neighbour line"},
                                         sibling_is="hidden", actor=frozenset({"customer"}), form={"quantity": "3"})),
    ("POST /carrito/<code>/quitar", by("code", "customer line", sibling={"code": "neighbour line"},
                                       sibling_is="hidden", actor=frozenset({"customer"}))),
    ("POST /carrito/<code>/devolver", by("code", "customer line", sibling={"code": "neighbour line"},
                                         sibling_is="hidden", actor=frozenset({"customer"}), ok={303, 404})),
    ("GET /pedir", {"ok": {200, 303}}),
    ("POST /pedir", {"ok": {200, 303, 422}}),
    ("GET /pedido/<token>", by("token", "new token", sibling={"token": "neighbour token"})),
    ("POST /pedido/<token>/cancelacion", by("token", "new token", sibling={"token": "neighbour token"})),
    ("POST /pedido/<token>/comprobante", by("token", "unproven token", sibling={"token": "neighbour token"}, ok={422})),
    ("POST /pedido/<token>/tarjeta", by("token", "card token", sibling={"token": "neighbour token"}, ok={303, 409})),
    ("GET /preparado/<token>", by("token", "draft token", ok={200, 303})),
    ("POST /preparado/<token>", by("token", "draft token", ok={200, 303, 422})),
    ("GET /pagar/<token>", by("token", "new token", sibling={"token": "neighbour token"})),
    ("POST /pagar/<token>", by("token", "new token", sibling={"token": "neighbour token"}, form={"way": "bank_transfer"},
                               ok={303, 422})),
    ("GET /pedido/<token>/pagado", by("token", "card token", sibling={"token": "neighbour token"}, ok={303})),
    ("GET /pedido/<token>/juntos", by("token", "unproven token", sibling={"token": "neighbour token"}, ok={200, 303})),
    ("POST /pedido/<token>/juntos", by("token", "unproven token", sibling={"token": "neighbour token"},
                                       fields={"orders": "transfer token"}, form={"do": "see"}, ok={200})),
    ("POST /pedido/<token>/juntos/seguir", by("token", "card token", sibling={"token": "neighbour token"}, ok={303})),
    ("POST /pedido/<token>/cambio/<code>/si", {"names": {"token": "changing token", "code": "change"},
                                               "sibling": {"token": "neighbour token"}, "sibling_is": "hidden"}),
    ("POST /pedido/<token>/cambio/<code>/no", {"names": {"token": "changing token", "code": "change"},
                                               "sibling": {"token": "neighbour token"}, "sibling_is": "hidden"}),
    ("GET /pedido/<token>/devolucion", by("token", "returnable token", sibling={"token": "neighbour token"},
                                          ok={200, 303})),
    ("POST /pedido/<token>/devolucion", by("token", "returnable token", sibling={"token": "neighbour token"},
                                           form={"units_1": "1", "why": "size"}, ok={303, 409, 422})),
    ("POST /pedido/<token>/devolucion/<code>/retirar", {"names": {"token": "asked token", "code": "asked return"},
                                                        "sibling": {"token": "neighbour token"},
                                                        "sibling_is": "hidden"}),
    ("POST /pedido/<token>/devolucion/<code>/enviada", {"names": {"token": "approved token", "code": "approved return"},
                                                        "sibling": {"token": "neighbour token"},
                                                        "sibling_is": "hidden"}),
    ("GET /tarjeta-de-regalo",),
    ("POST /tarjeta-de-regalo", {"ok": {422}}),
    ("GET /pedido/<token>/tarjeta-de-regalo", by("token", "gift token", sibling={"token": "neighbour token"},
                                                 sibling_is="hidden")),
    ("POST /pedido/<token>/tarjeta-de-regalo", by("token", "gift token", sibling={"token": "neighbour token"},
                                                  sibling_is="hidden")),
    ("GET /tarjeta-de-regalo/<secret>", by("secret", "gift card secret", sibling={"secret": "other gift card secret"})),
    ("GET /envio/<token>", by("token", "assigned tracking", sibling={"token": "colleague tracking"})),
    ("GET /media/<path:key>/<int:width>.webp", {"names": {"key": "image key 0", "width": "=400"}}),
])  # fmt: skip

ACCOUNTS = _rows("app", ANYONE, [
    ("GET /", {"ok": {303}}),
    ("GET /entrar", {"ok": {200, 303}}),
    ("POST /entrar", {"slow": True, "ok": {422}, "form": {"contact": "nadie@example.com", "password": "no es esta"}}),
    ("GET /entrar/con", {"ok": {303}}),
    ("GET /entrar/olvide",),
    ("POST /entrar/olvide", {"slow": True, "ok": {200}, "form": {"contact": "nadie@example.com"}}),
    ("GET /entrar/clave/<token>", by("token", "reset link", foreign_is="seen", gone=410)),
    ("POST /entrar/clave/<token>", by("token", "reset link", slow=True, foreign_is="seen", gone=410, ok={303, 422},
                                      form={"password": "otra frase larga y buena"})),
    ("GET /mi-cuenta/correo/<token>", by("token", "e-mail link", foreign_is="seen", gone=410)),
    ("POST /mi-cuenta/correo/<token>", by("token", "e-mail link", foreign_is="seen", gone=410, ok={303, 404})),
    ("GET /media/<path:key>/<int:width>.webp", {"names": {"key": "image key 0", "width": "=400"}, "who": STAFF}),
    ("POST /salir",),
]) + _rows("app", STAFF, [
    ("GET /tiendas",),
    ("POST /tiendas", {"form": {"shop": "espiga"}, "ok": {303, 404}}),
    ("GET /mi-cuenta",),
    ("POST /mi-cuenta/nombre", {"form": {"name": "Otro nombre"}}),
    ("POST /mi-cuenta/clave", {"slow": True, "form": {"old": "no es esta", "new": "otra frase larga y buena"}, "ok": {422}}),
    ("POST /mi-cuenta/correo", {"slow": True, "form": {"email": "nueva@example.com", "email_password": "no es esta"}, "ok": {422}}),
    ("POST /mi-cuenta/sesiones", {"form": {"session": "others"}}),
])  # fmt: skip

CATALOGUE = _rows("app", STAFF, [
    ("GET /productos",),
    ("GET /categorias",),
    ("GET /existencias",),
    ("GET /existencias/<code>", by("code", "variant")),
]) + _rows("app", MANAGERS, [
    ("POST /categorias", {"form": {"name": "Nueva"}}),
    ("GET /categorias/<code>", by("code", "category code")),
    ("POST /categorias/<code>", by("code", "category code", form={"name": "Renombrada"})),
    ("POST /categorias/<code>/antes", by("code", "other category code")),
    ("GET /categorias/<code>/borrar", by("code", "category code")),
    ("POST /categorias/<code>/borrar", by("code", "category code")),
    ("POST /existencias/<code>", by("code", "variant", form={"on_hand": "12", "reason": "counted"}, ok={303, 422})),
    ("POST /existencias/<code>/sin-cuenta", by("code", "variant", ok={303, 409})),
    ("GET /paquetes/<code>", by("code", "bundle")),
    ("POST /paquetes/<code>", by("code", "bundle", form={"units": "2"}, fields={"variant": "variant"})),
    ("GET /productos/nuevo",),
    ("POST /productos/nuevo", {"form": {"name": "Nuevo", "price": "10", "kind": "goods"},
                               "fields": {"category": "category code"}, "ok": {303, 422}}),
    ("GET /productos/<code>", by("code", "product code")),
    ("POST /productos/<code>", by("code", "product code", form={"name": "Cambiado", "price": "10", "kind": "goods"},
                                  fields={"category": "category code"}, ok={303, 409, 422})),
    ("GET /productos/<code>/anticipo", by("code", "product code")),
    ("POST /productos/<code>/anticipo", by("code", "product code", form={"how": "percent", "percent": "30"})),
    ("POST /productos/<code>/archivar", by("code", "product code")),
    ("POST /productos/<code>/duplicar", by("code", "product code")),
    ("POST /productos/<code>/fotos", by("code", "product code", ok={303, 422})),
    ("POST /productos/<code>/fotos/<image>", {"names": {"code": "product code", "image": "image"},
                                              "form": {"alt": "Otra"}}),
    ("POST /productos/<code>/fotos/<image>/antes", {"names": {"code": "product code", "image": "image"}}),
    ("GET /productos/<code>/fotos/<image>/borrar", {"names": {"code": "product code", "image": "image"}}),
    ("POST /productos/<code>/fotos/<image>/borrar", {"names": {"code": "product code", "image": "image"}}),
    ("GET /productos/<code>/idiomas", by("code", "product code", ok={200, 303})),
    ("POST /productos/<code>/idiomas", by("code", "product code", ok={303, 422})),
    ("POST /productos/<code>/ocultar", by("code", "product code")),
    ("GET /productos/<code>/opciones", by("code", "product code")),
    ("POST /productos/<code>/opciones", by("code", "product code", ok={303, 409, 422},
                                           form={"rows-0-name": "Grande", "rows-0-price": "20"},
                                           fields={"rows-0-code": "variant"})),
    ("POST /productos/<code>/publicar", by("code", "draft code")),
    ("POST /productos/<code>/recuperar", by("code", "product code", ok={303, 409})),
])  # fmt: skip

PROMOTIONS = _rows("app", STAFF, [
    ("GET /promociones",),
]) + _rows("app", MANAGERS, [
    ("GET /promociones/nueva",),
    ("POST /promociones/nueva", {"form": {"key": "una-clave", "name": "Nueva", "kind": "percent", "percent": "10"},
                                 "fields": {"categories": "category code", "products": "product code"},
                                 "ok": {303, 422}}),
    ("GET /promociones/<code>", by("code", "promotion")),
    ("POST /promociones/<code>", by("code", "promotion", form={"name": "Otra", "kind": "percent", "percent": "10",
                                                              "version": "1"},
                                    fields={"categories": "category code"}, ok={303, 409, 422})),
    ("POST /promociones/<code>/apagar", by("code", "promotion")),
    ("POST /promociones/<code>/encender", by("code", "promotion")),
])  # fmt: skip

GIFT_CARDS = _rows("app", MANAGERS, [
    ("GET /tarjetas-de-regalo",),
    ("GET /tarjetas-de-regalo/nueva",),
    ("POST /tarjetas-de-regalo/nueva", {"form": {"key": "una-clave", "amount": "100", "paid_with": "cash"},
                                        "ok": {200, 303}}),
    ("GET /tarjetas-de-regalo/<code>", by("code", "gift card")),
    ("POST /tarjetas-de-regalo/<code>/desactivar", by("code", "gift card", form={"reason": "La perdió"})),
    ("POST /tarjetas-de-regalo/<code>/activar", by("code", "gift card")),
    ("POST /tarjetas-de-regalo/<code>/codigo", by("code", "gift card", ok={200})),
]) + _rows("app", OWNER, [
    ("GET /tarjetas-de-regalo/venta",),
    ("POST /tarjetas-de-regalo/venta", {"form": {"sells": "y", "amounts": "100; 200"}}),
])  # fmt: skip

ORDERS = _rows("app", STAFF, [
    ("GET /venta",),
    ("POST /venta", {"form": {"key": "una", "shown": "0", "settled": "cash"}, "ok": {303}}),
    ("GET /venta/reserva",),
    ("POST /venta/reserva", {"form": {"quantity": "1", "starts_at": "2030-01-01T10:00"}, "fields": {"variant": "service variant"},
                             "ok": {303, 404, 409, 422}}),
    ("POST /venta/productos", {"fields": {"variant": "variant"}}),
    ("POST /venta/lineas/<code>", by("code", "customer line", form={"quantity": "2"}, gone=303)),
    ("GET /borradores",),
    ("GET /borradores/<code>", by("code", "draft")),
    ("POST /borradores/<code>/edicion", by("code", "draft")),
    ("POST /borradores/<code>/envio", by("code", "draft", form={"keep": "24"}, ok={200, 303, 409})),
    ("POST /borradores/<code>/eliminacion", by("code", "draft")),
    ("POST /borradores/<code>/eliminacion/deshacer", by("code", "draft")),
    ("GET /enlaces",),
    ("GET /enlaces/nuevo",),
    ("POST /enlaces/nuevo", {"form": {"key": "una", "concept": "Clase", "amount": "150", "keep": "24"}}),
    ("GET /pedidos/<code>/enlace", by("code", "new order")),
    ("GET /pedidos/<code>/enlace/estado", by("code", "new order")),
    ("POST /pedidos/<code>/enlace/efectivo", by("code", "confirmed order", ok={303, 409})),
    ("GET /pedidos",),
    ("GET /pedidos/<code>", by("code", "new order")),
    ("POST /pedidos/<code>/atendido", by("code", "new order")),
    ("GET /pedidos/<code>/cancelacion", by("code", "new order", ok={200, 303})),
    ("POST /pedidos/<code>/cancelacion", by("code", "new order", form=CANCELLATION)),
    ("GET /pedidos/<code>/cambio", by("code", "confirmed order")),
    ("GET /pedidos/<code>/precio-del-envio", by("code", "confirmed order")),
    ("POST /pedidos/<code>/precio-del-envio", by("code", "confirmed order", form={"price": "30"}, ok={409})),
    ("POST /pedidos/<code>/cambio", by("code", "confirmed order", fields={"variant": "variant"}, ok={200, 303, 422},
                                       form={"do": "review", "pieces": "1", "why": "asked", "quantity_1": "1"})),
    ("POST /pedidos/<code>/cambio/<change>/acuerdo", {"names": {"code": "changing order", "change": "change"}}),
    ("POST /pedidos/<code>/cambio/<change>/retirar", {"names": {"code": "changing order", "change": "change"}}),
    ("GET /pedidos/<code>/regreso", by("code", "returnable order")),
    ("POST /pedidos/<code>/regreso", by("code", "returnable order", form={"fine_1": "1", "why": "size"},
                                        ok={303, 409, 422})),
    ("GET /regresos",),
    ("GET /regresos/<code>", by("code", "asked return")),
    ("GET /regresos/<code>/foto", by("code", "asked return")),
    ("POST /regresos/<code>/aceptar", by("code", "asked return", form={"answer": "Sí"})),
    ("POST /regresos/<code>/rechazar", by("code", "asked return", form={"answer": "No"})),
    ("POST /regresos/<code>/cerrar", by("code", "approved return")),
    ("POST /regresos/<code>/recibir", by("code", "approved return", form={"fine_1": "1"}, ok={303, 409})),
    ("GET /regresos/<code>/cambio", by("code", "asked return")),
    ("POST /regresos/<code>/cambio", by("code", "asked return", form={"pieces": "1"}, fields={"variant": "variant"},
                                        ok={303, 409})),
    ("POST /regresos/<code>/corregir", by("code", "received return")),
    ("POST /pedidos/<code>/cobro", by("code", "confirmed order")),
    ("POST /pedidos/<code>/cobro/deshacer", by("code", "paid order")),
    ("GET /pedidos/<code>/juntos", by("code", "new order", ok={200, 303})),
    ("POST /pedidos/<code>/juntos/efectivo", by("code", "new order", fields={"orders": "confirmed order"},
                                                form={"do": "see"}, ok={200})),
    ("POST /pedidos/<code>/confirmacion", by("code", "new order")),
    ("POST /pedidos/<code>/entrega", by("code", "ready order")),
    ("GET /pedidos/<code>/entrega/parte", by("code", "ready order", ok={200, 303})),
    ("POST /pedidos/<code>/entrega/parte", by("code", "ready order", form={"quantity_1": "1"}, ok={303, 422})),
    ("POST /pedidos/<code>/estante", by("code", "ready order", ok={303, 409})),
    ("POST /pedidos/<code>/listo", by("code", "confirmed order")),
    ("POST /pedidos/<code>/listo/deshacer", by("code", "ready order")),
    ("POST /pedidos/<code>/llegada", by("code", "assigned order", ok={303, 409})),
    ("GET /pedidos/<code>/recibo", by("code", "confirmed order")),
    ("POST /pedidos/<code>/recibo", by("code", "confirmed order", form={"buyer_name": "Dora"}, ok={303, 409})),
    ("GET /pedidos/<code>/empaque.pdf", by("code", "new order")),
    ("GET /pedidos/<code>/nota.pdf", by("code", "new order")),
    ("GET /pedidos/notas.pdf",),
    ("GET /pedidos/por-preparar.pdf",),
    ("GET /recibos",),
    ("GET /recibos/<code>.pdf", by("code", "receipt")),
    ("GET /facturas",),
    ("GET /facturas/<code>.xml", by("code", "invoice")),
    ("GET /facturas/<code>.pdf", by("code", "invoice")),
    ("POST /recibos/<code>/factura", by("code", "receipt", ok={409})),
]) + _rows("app", MANAGERS, [
    ("GET /cobros/banco",),
    ("POST /cobros/banco", {"ok": {422}}),
    ("POST /cobros/banco/<code>/pedido", by("code", "bank line", form={"order": "ZZZZZZ"}, ok={303, 404, 409})),
    ("POST /cobros/banco/<code>/aparte", by("code", "bank line")),
    ("POST /cobros/banco/<code>/regresar", by("code", "bank line")),
    ("GET /recibos/<code>/anular", by("code", "receipt")),
    ("POST /recibos/<code>/anular", by("code", "receipt", form={"reason": "Otro nombre"})),
    ("GET /cobros",),
    ("GET /cobros/<code>", by("code", "proof")),
    ("GET /cobros/<code>/foto", by("code", "proof")),
    ("POST /cobros/<code>/aceptar", by("code", "proof")),
    ("POST /cobros/<code>/rechazar", by("code", "proof", form={"reason": "No se lee"})),
    ("GET /pedidos/<code>/comprobante", by("code", "transfer order", ok={303})),
    ("POST /pedidos/<code>/anticipo", by("code", "confirmed order")),
    ("POST /pedidos/<code>/transferencia", by("code", "unproven order")),
    ("POST /pedidos/<code>/juntos/transferencia", by("code", "unproven order", fields={"orders": "transfer order"},
                                                     form={"do": "see"}, ok={200})),
    ("POST /pedidos/<code>/transferencia/deshacer", by("code", "seen order")),
    ("POST /devoluciones/<code>/hecha", by("code", "refund")),
    ("GET /contabilidad",),
    ("POST /contabilidad", {"form": {"month": "2026-11"}}),
    ("GET /contabilidad/mes.csv", {"ok": {404}}),
    ("GET /contabilidad/<code>", by("code", "accounts file")),
    ("GET /contabilidad/<code>.csv", by("code", "accounts file")),
    ("GET /cobros/conciliacion",),
    ("GET /cobros/depositos",),
    ("POST /cobros/conciliacion/<code>", by("code", "difference", form={"reason": "Lo devolvimos a mano"})),
    ("POST /regresos/<code>/pagar", by("code", "received return", form={"how": "refund"}, ok={303, 422})),
    ("GET /cobros/contracargos",),
    ("GET /cobros/contracargos/<code>", by("code", "dispute")),
    ("POST /cobros/contracargos/<code>", by("code", "dispute", form={"story": "Lo entregamos el lunes en su casa"},
                                            ok={409})),
    ("POST /cobros/contracargos/<code>/enviar", by("code", "dispute", ok={409})),
    ("POST /cobros/contracargos/<code>/aceptar", by("code", "dispute", ok={409})),
    ("GET /pedidos/<code>/devolucion", by("code", "paid order")),
    ("POST /pedidos/<code>/devolucion", by("code", "confirmed order",
                                           form={"do": "send", "other": "1", "why": "goodwill"}, ok={409})),
]) + _rows("app", OWNER, [
    ("GET /ajustes/tarjetas",),
    ("POST /ajustes/tarjetas", {"ok": {303, 409}}),
    ("GET /ajustes/tarjetas/listo", {"ok": {303, 409}}),
    ("GET /ajustes/mercado-pago",),
    ("POST /ajustes/mercado-pago", {"ok": {303, 409}}),
    ("GET /ajustes/mercado-pago/listo", {"ok": {303, 409}}),
    ("POST /ajustes/mercado-pago/desconectar", {"ok": {303}}),
])  # fmt: skip

DELIVERIES = _rows("app", STAFF, [
    ("GET /entregas",),
    ("GET /entregas/<code>", by("code", "assigned shipment")),
    ("POST /entregas/<code>/devuelta", by("code", "assigned shipment", ok={303, 409})),
    ("POST /entregas/<code>/entrega", by("code", "assigned shipment", ok={303, 409, 422})),
    ("POST /entregas/<code>/fallo", by("code", "assigned shipment", form={"reason": "recipient_unavailable"},
                                       ok={303, 409, 422})),
    ("GET /entregas/<code>/separar", by("code", "offered shipment", ok={200, 303})),
    ("POST /entregas/<code>/separar", by("code", "offered shipment", ok={409, 422})),
    ("POST /entregas/<code>/juntar", by("code", "offered shipment", ok={409})),
    ("POST /entregas/<code>/lista", by("code", "preparing shipment")),
    ("POST /entregas/<code>/lista/deshacer", by("code", "preparing shipment")),
    ("POST /entregas/<code>/otra-vez", by("code", "offered shipment", ok={409})),
    ("GET /entregas/<code>/no-va", by("code", "offered shipment")),
    ("POST /entregas/<code>/no-va", by("code", "offered shipment", ok={409})),
    ("GET /entregas/<code>/empaque.pdf", by("code", "offered shipment")),
    ("GET /entregas/<code>/nota.pdf", by("code", "offered shipment")),
    ("POST /entregas/<code>/ofrecer", by("code", "offered shipment", ok={303, 409})),
    ("POST /entregas/<code>/propia", by("code", "offered shipment")),
    ("POST /entregas/<code>/quitar", by("code", "assigned shipment")),
    ("POST /entregas/<code>/regreso", by("code", "assigned shipment", ok={303, 409})),
    ("POST /entregas/<code>/salida", by("code", "offered shipment", ok={303, 409})),
]) + _rows("app", MANAGERS, [
    ("GET /entregas/repartidores",),
    ("GET /entregas/repartidores/<slug>", by("slug", "partner")),
    ("POST /entregas/repartidores/<slug>", by("slug", "partner", form={"active": "y", "priority": "1"},
                                              fields={"zones": "zone"}, ok={303, 422})),
    ("POST /entregas/por-mi-cuenta",),
    ("GET /entregas/origen",),
    ("POST /entregas/origen", {"form": {"place": "17.0669,-96.7203", "detour": "130"}}),
    ("GET /entregas/zonas",),
    ("GET /entregas/zonas/nueva",),
    ("POST /entregas/zonas/nueva", {"form": {"name": "Norte", "price": "30", "active": "y"}}),
    ("GET /entregas/zonas/<code>", by("code", "zone")),
    ("POST /entregas/zonas/<code>", by("code", "zone", form={"name": "Sur", "price": "30", "version": "1"},
                                       ok={303, 409, 422})),
    ("POST /entregas/zonas/<code>/subir", by("code", "other zone")),
])  # fmt: skip

_COLLEAGUES = {"sibling": {"ref": "colleague work"}, "sibling_is": "hidden", "actor": frozenset({"rider"})}
RIDING = _rows("partners", RIDERS, [
    ("GET /repartidor",),
    ("POST /repartidor/salir",),
    ("GET /repartidor/entregas/<ref>", by("ref", "assigned work", **_COLLEAGUES)),
    ("POST /repartidor/entregas/<ref>/recogido", by("ref", "assigned work", form={"event_id": "evento-0001"}, **_COLLEAGUES)),
    ("POST /repartidor/entregas/<ref>/en-camino", by("ref", "assigned work", form={"event_id": "evento-0002"}, **_COLLEAGUES)),
    ("POST /repartidor/entregas/<ref>/entregado", by("ref", "assigned work", form={"event_id": "evento-0003"}, ok={422}, **_COLLEAGUES)),
    ("POST /repartidor/entregas/<ref>/no-se-pudo", by("ref", "assigned work", ok={303, 422},
        form={"event_id": "evento-0004", "reason": "recipient_unavailable"}, **_COLLEAGUES)),
    ("POST /repartidor/entregas/<ref>/soltar", by("ref", "assigned work", **_COLLEAGUES)),
    ("POST /repartidor/ofertas/<ref>/tomar", by("ref", "offered offer")),
]) + _rows("partners", ANYONE, [
    ("GET /",),
    ("GET /repartidor/entrar", {"ok": {200, 303}}),
    ("POST /repartidor/entrar", {"slow": True, "form": {"phone": "+529510000001", "pin": "000000"}, "ok": {422}}),
    ("GET /v1/openapi.json",),
    ("GET /v1/time",),
]) + _rows("partners", PARTNERS, [
    ("GET /v1/queues",),
    ("GET /v1/assignments",),
    ("GET /v1/assignments/<assignment_id>", by("assignment_id", "assigned work", actor=frozenset({"partner"}))),
    ("POST /v1/assignments/<assignment_id>/release", by("assignment_id", "assigned work", body={"reason": "weather_delay"},
                                                        actor=frozenset({"partner"}), ok={200})),
    ("POST /v1/assignments/<assignment_id>/verify-code", by("assignment_id", "assigned work", body={"code": "0000"},
                                                            actor=frozenset({"partner"}), ok={200, 409, 422})),
    ("POST /v1/events", {"body": {"events": [{"event_id": "evento-0009", "assignment_id": "as_NADA", "code": "picked_up",
                                              "occurred_at": "2026-01-01T00:00:00Z"}]}, "ok": {200}}),
    ("POST /v1/offers/<offer_id>/accept", by("offer_id", "leased offer", body={"lease_token": "leased lease"},
                                             actor=frozenset({"partner"}), ok={201})),
    ("POST /v1/offers/<offer_id>/decline", by("offer_id", "leased offer", actor=frozenset({"partner"}), ok={200},
                                              body={"lease_token": "leased lease", "reason": "weather_delay"})),
    ("POST /v1/offers/<offer_id>/extend", by("offer_id", "leased offer", actor=frozenset({"partner"}), ok={200},
                                             body={"lease_token": "leased lease", "lease_s": 120})),
    ("POST /v1/queues/<queue_id>/receive", by("queue_id", "slug", body={}, actor=frozenset({"partner"}), ok={200})),
])  # fmt: skip

PLATFORM = _rows("platform", ANYONE, [
    ("GET /",),
    ("GET /_ask", {"ok": {404}}),
    ("GET /dev/outbox", {"in_development": True}),
    ("GET /dev/outbox/<int:owner>/<int:mail_id>", {"names": {"owner": "shop id", "mail_id": "mail"}, "foreign_is": "seen",
                                                   "in_development": True}),
    ("GET /ui", {"in_development": True}),
    ("GET /abrir",),
    ("POST /abrir", {"ok": {422}}),
    ("GET /metrics", {"ok": {200}}),
    ("POST /webhooks/stripe", {"ok": {400, 404, 409}}),
    ("POST /webhooks/mercadopago", {"ok": {400, 404, 409}}),
    ("GET /consola/entrar",),
    ("POST /consola/entrar", {"slow": True, "ok": {422}, "form": {"email": "nadie@example.com", "password": "no es esta"}}),
]) + _rows("platform", OPERATORS, [
    ("GET /consola",),
    ("GET /consola/accesos",),
    ("GET /consola/avisos",),
    ("GET /consola/motivo",),
    ("POST /consola/motivo", {"form": {"reason": "Una pregunta de la tienda"}}),
    ("POST /consola/salir",),
    ("GET /consola/tiendas/<slug>", by("slug", "slug", foreign_is="seen")),
    ("POST /consola/tiendas/<slug>/reanudacion", by("slug", "slug", foreign_is="seen", ok={303, 409}, form=REASON)),
    ("POST /consola/tiendas/<slug>/suspension", by("slug", "slug", foreign_is="seen", form=REASON)),
    ("GET /consola/trabajos",),
    ("POST /consola/trabajos/<slug>/<int:letter>", {"names": {"slug": "slug", "letter": "letter"}, "form": REASON,
                                                    "foreign_is": "seen"}),
])  # fmt: skip

SETTINGS = _rows("app", STAFF, [
    ("GET /hoy",),
    ("GET /mas",),
    ("GET /mi-tienda", {"ok": {200, 303}}),
    ("GET /compartir",),
    ("GET /pedidos/<code>/envio", by("code", "assigned order", ok={303})),
]) + _rows("app", OWNER, [
    ("GET /ajustes",),
    ("GET /ajustes/recibos",),
    ("GET /ajustes/facturacion",),
    ("POST /ajustes/facturacion", {"form": {"user": "espiga", "secret": "play"}, "ok": {409}}),
    ("POST /ajustes/facturacion/desconectar",),
    ("POST /ajustes/recibos", {"form": {"legal_name": "Panes del Valle", "foot": "Gracias"}}),
    ("GET /ajustes/aspecto",),
    ("POST /ajustes/aspecto", {"form": {"theme": "taller", "hue": "200"}}),
    ("GET /ajustes/bitacora",),
    ("GET /ajustes/cierre",),
    ("POST /ajustes/cierre", {"form": {"name": "Otra cosa"}, "ok": {422}}),
    ("POST /ajustes/direccion", {"form": {"slug": "illimani"}, "ok": {409, 422}}),
    ("GET /ajustes/dominio",),
    ("POST /ajustes/dominio", {"form": {"host": "www.otra-tienda.example"}}),
    ("POST /ajustes/dominio/<host>/baja", by("host", "domain")),
    ("POST /ajustes/dominio/<host>/comprobacion", by("host", "domain", ok={303, 409, 422, 502})),
    ("POST /ajustes/dominio/<host>/principal", by("host", "domain", gone=409)),
    ("POST /ajustes/gustos", {"form": {"tastes": "dulce, salado"}}),
    ("GET /ajustes/anticipos",),
    ("POST /ajustes/anticipos", {"form": {"how": "nothing", "rest": "at", "refund": "never"}, "ok": {303}}),
    ("GET /ajustes/empaque-y-propinas",),
    ("GET /ajustes/devoluciones",),
    ("POST /ajustes/devoluciones", {"form": {"days": "15", "policy": "Sin usar"}, "ok": {303}}),
    ("POST /ajustes/empaque-y-propinas", {"form": {"packaging": "5", "packaging_for": "pickup"}, "ok": {303}}),
    ("GET /ajustes/idiomas",),
    ("POST /ajustes/idiomas", {"form": {"languages": "pt"}, "ok": {303, 422}}),
    ("POST /ajustes/impuesto", {"form": {"rate": "16"}, "ok": {303, 422}}),
    ("GET /ajustes/pagos",),
    ("POST /ajustes/pagos", {"form": {"methods": "pay_at_shop"}, "ok": {303, 422}}),
    ("POST /ajustes/pausa",),
    ("POST /ajustes/portada", {"form": {"do": "remove"}, "ok": {303}}),
    ("GET /ajustes/publicacion",),
    ("POST /ajustes/publicacion", {"ok": {303, 409}}),
    ("POST /ajustes/reapertura", {"ok": {303, 409}}),
    ("GET /ajustes/tienda",),
    ("POST /ajustes/tienda", {"form": {"name": "Panadería"}, "ok": {303, 422}}),
    ("GET /equipo",),
    ("POST /equipo", {"form": {"name": "Nadia", "role": "clerk"}, "ok": {200}}),
    ("GET /equipo/<code>", by("code", "staff.spare")),
    ("POST /equipo/<code>", by("code", "staff.spare", form={"role": "manager"})),
    ("GET /equipo/<code>/salida", by("code", "staff.spare")),
    ("POST /equipo/<code>/salida", by("code", "staff.spare")),
    ("POST /equipo/invitaciones/<code>/borrar", by("code", "invitation code")),
    ("GET /clientes/<code>/borrar", by("code", "customer code")),
    ("POST /clientes/<code>/borrar", by("code", "customer code", form={"why": "asked"})),
    ("GET /clientes/sin-cuenta/borrar",),
    ("POST /clientes/sin-cuenta/borrar", {"form": {"phone": "+529511112233", "why": "asked"}}),
]) + _rows("app", MANAGERS, [
    ("GET /clientes",),
    ("GET /clientes/<code>", by("code", "customer code")),
    ("GET /clientes/<code>/datos", by("code", "customer code")),
    ("POST /clientes/<code>/datos", by("code", "customer code", form={"why": "asked"}, ok={200})),
    ("GET /clientes/sin-cuenta",),
]) + _rows("app", ANYONE, [
    ("GET /invitacion/<token>", by("token", "invitation", foreign_is="seen", gone=410)),
    ("POST /invitacion/<token>", by("token", "invitation", slow=True, foreign_is="seen", gone=410, ok={303, 409, 422},
                                    form={"name": "Nadia", "contact": "nadia@example.com", "password": "una frase larga y buena"})),
])  # fmt: skip

_SPACE = {"name": "Sala", "capacity": "3"}
BOOKINGS = _rows("app", STAFF, [
    ("GET /reservas",),
    ("GET /reservas/<code>", by("code", "booking")),
    ("GET /reservas/<code>/cambio", by("code", "booking")),
    ("POST /reservas/<code>/cambio", by("code", "booking", ok={303, 409, 422})),
    ("GET /reservas/<code>/cancelacion", by("code", "booking", ok={200, 303})),
    ("POST /reservas/<code>/cancelacion", by("code", "booking", ok={303, 422}, form=CANCELLATION)),
    ("POST /reservas/<code>/deshacer", by("code", "booking", ok={303, 409})),
    ("POST /reservas/<code>/estado", by("code", "booking", form={"state": "arrived"}, ok={303, 409, 422})),
    ("GET /reservas/nueva",),
    ("POST /reservas/nueva", {"ok": {404, 422}}),
    ("GET /reservas/lugares",),
    ("GET /reservas/lugares/<code>", by("code", "resource")),
    ("POST /reservas/lugares/<code>/cierres", by("code", "resource", form={"day": "2027-05-01", "reason": "Fiesta"}, ok={303, 422})),
    ("POST /reservas/lugares/<code>/cierres/quitar", by("code", "resource", form={"dia": "2027-05-01"}, ok={303, 422})),
]) + _rows("app", MANAGERS, [
    ("GET /reservas/lugares/nuevo",),
    ("POST /reservas/lugares/nuevo", {"form": _SPACE, "ok": {303, 422}}),
    ("POST /reservas/lugares/<code>", by("code", "resource", form=_SPACE, ok={303, 422})),
    ("POST /reservas/lugares/<code>/enlace", by("code", "resource")),
    ("POST /reservas/lugares/<code>/pausa", by("code", "resource")),
    ("GET /reservas/servicios/<code>", by("code", "service code")),
    ("POST /reservas/servicios/<code>", by("code", "service code", fields={"place": "resource"}, ok={303, 422})),
    ("POST /reservas/servicios/<code>/quitar", by("code", "service code")),
])  # fmt: skip

_NEIGHBOURS = {"sibling": {"code": "neighbour address"}, "sibling_is": "hidden", "actor": frozenset({"customer"})}
ACCOUNT = _rows("shop", ANYONE, [
    ("GET /_ver", {"ok": {303}}),
    ("GET /agenda/<token>.ics", by("token", "feed")),
    ("GET /cuenta/codigo", {"ok": {303}}),
    ("POST /cuenta/codigo", {"ok": {303}}),
    ("GET /cuenta/entrar", {"ok": {200, 303}}),
    ("POST /cuenta/entrar", {"form": {"contact": "nadie@example.com"}}),
    ("GET /gustos",),
    ("POST /gustos", {"form": {"tastes": "dulce", "adapt": "y"}}),
    ("POST /gustos/olvidar",),
    ("POST /pedido/<token>/recibo", by("token", "ready token", sibling={"token": "neighbour token"}, ok={303, 409})),
    ("POST /pedido/<token>/recibo/<code>/factura", {"names": {"token": "ready token", "code": "receipt"},
                                                    "sibling": {"token": "neighbour token"}, "sibling_is": "hidden"}),
    ("GET /pedido/<token>/factura/<code>.xml", {"names": {"token": "ready token", "code": "invoice"},
                                                "sibling": {"token": "neighbour token"}, "sibling_is": "hidden"}),
    ("GET /pedido/<token>/factura/<code>.pdf", {"names": {"token": "ready token", "code": "invoice"},
                                                "sibling": {"token": "neighbour token"}, "sibling_is": "hidden"}),
    ("GET /pedido/<token>/recibo/<code>.pdf", {"names": {"token": "ready token", "code": "receipt"},
                                               "sibling": {"token": "neighbour token"}, "sibling_is": "hidden"}),
    ("GET /pedido/<token>/reservas.ics", by("token", "new token", sibling={"token": "neighbour token"}, ok={200, 404})),
    ("GET /privacidad",),
    ("GET /reservar", {"ok": {200, 303}}),
]) + _rows("shop", CUSTOMERS, [
    ("GET /cuenta",),
    ("GET /cuenta/borrar",),
    ("POST /cuenta/borrar", {"ok": {303, 409}}),
    ("GET /cuenta/correo",),
    ("POST /cuenta/correo", {"form": {"email": "otra@example.com"}}),
    ("GET /cuenta/correo/codigo", {"ok": {303}}),
    ("POST /cuenta/correo/codigo", {"ok": {303}}),
    ("GET /cuenta/datos",),
    ("POST /cuenta/datos", {"form": {"name": "Dora", "phone": "+529511110009"}, "ok": {303, 422}}),
    ("GET /cuenta/direcciones",),
    ("GET /cuenta/direcciones/<code>", by("code", "customer address", **_NEIGHBOURS)),
    ("POST /cuenta/direcciones/<code>", by("code", "customer address", form=ADDRESS, ok={303, 422}, **_NEIGHBOURS)),
    ("POST /cuenta/direcciones/<code>/borrar", by("code", "customer address", gone=303, **_NEIGHBOURS)),
    ("GET /cuenta/direcciones/nueva",),
    ("POST /cuenta/direcciones/nueva", {"form": ADDRESS, "ok": {303, 422}}),
    ("GET /cuenta/mis-datos.zip",),
    ("GET /cuenta/permisos",),
    ("POST /cuenta/permisos",),
    ("POST /cuenta/salir",),
    ("GET /cuenta/sesiones",),
    ("POST /cuenta/sesiones/cerrar",),
])  # fmt: skip

ROWS = [
    *SETTINGS,
    *BOOKINGS,
    *ACCOUNT,
    *SHOP,
    *ACCOUNTS,
    *CATALOGUE,
    *PROMOTIONS,
    *GIFT_CARDS,
    *ORDERS,
    *DELIVERIES,
    *RIDING,
    *PLATFORM,
]
