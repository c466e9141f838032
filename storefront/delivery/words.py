"""How states, reasons and cares are said to people. Programs get the words of `states`, people get these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from storefront.delivery.states import ShipmentState

_S = ShipmentState

STATES: Mapping[str, Any] = {
    _S.DRAFT: _l("En preparación"),
    _S.READY: _l("Listo para salir"),
    _S.OFFERED: _l("Buscando repartidor"),
    _S.ASSIGNED: _l("El repartidor va por él"),
    _S.PICKED_UP: _l("Recogido"),
    _S.IN_TRANSIT: _l("En camino"),
    _S.OUT_FOR_DELIVERY: _l("En camino"),
    _S.ATTEMPT_FAILED: _l("No se pudo entregar"),
    _S.DELIVERED: _l("Entregado"),
    _S.RETURNING: _l("De regreso a la tienda"),
    _S.RETURNED: _l("De vuelta en la tienda"),
    _S.CANCELLED: _l("Cancelado"),
}

TONES: Mapping[str, str] = {
    _S.DELIVERED: "good",
    _S.ATTEMPT_FAILED: "care",
    _S.RETURNING: "care",
    _S.RETURNED: "care",
    _S.OFFERED: "wait",
    _S.ASSIGNED: "wait",
}

REASONS: Mapping[str, Any] = {
    "consignee_not_home": _l("No había nadie"),
    "consignee_refused": _l("No lo quiso recibir"),
    "consignee_cancelled": _l("Ya no lo quiere"),
    "consignee_incorrect_address": _l("La dirección no es correcta"),
    "consignee_access_restricted": _l("No se pudo entrar"),
    "consignee_business_closed": _l("El negocio estaba cerrado"),
    "consignee_verification_failed": _l("No supo el código"),
    "consignee_no_cash": _l("No tenía el dinero"),
    "consignee_short_pay": _l("No alcanzó el dinero"),
    "consignee_unreachable_phone": _l("No contestó el teléfono"),
    "retailer_not_ready": _l("La tienda no lo tenía listo"),
    "retailer_incorrect_parcel": _l("El paquete no era el correcto"),
    "retailer_packaging_issue": _l("El empaque no aguantó"),
    "carrier_vehicle_issue": _l("Se descompuso el vehículo"),
    "carrier_not_enough_time": _l("No dio tiempo"),
    "carrier_capacity_exceeded": _l("No cabe o está lleno"),
    "carrier_damaged_parcel": _l("El paquete se dañó"),
    "carrier_parcel_lost": _l("El paquete se perdió"),
    "weather_delay": _l("Mal tiempo"),
    "security_issue": _l("Un problema de seguridad"),
    "unsafe_area": _l("La zona no es segura"),
    "without_code": _l("Entregado sin código, dice la tienda"),
    "cancelled": _l("El pedido se canceló"),
    "joined": _l("Va con otro paquete"),
    "given_up": _l("La tienda ya no lo envía"),
}

DOOR_REASONS = (
    "consignee_not_home",
    "consignee_unreachable_phone",
    "consignee_incorrect_address",
    "consignee_no_cash",
    "consignee_refused",
    "consignee_access_restricted",
    "consignee_business_closed",
    "carrier_vehicle_issue",
    "unsafe_area",
)
"""The reasons a rider chooses from at the door, the likeliest first."""

ATTENTION: Mapping[str, Any] = {
    "no_courier": _l("Nadie tomó esta entrega"),
    "attempt_failed": _l("No se pudo entregar"),
    "code_locked": _l("Cinco códigos equivocados seguidos"),
    "returning": _l("Viene de regreso"),
}


def state_word(state: str) -> str:
    """A parcel's state in the reader's language."""
    return str(STATES.get(state, state))


def state_tone(state: str) -> str:
    """The tone of a parcel's state, for its badge."""
    return TONES.get(state, "")


def reason_word(reason: str | None) -> str:
    """A reason in the reader's language; free text stays as it was written."""
    return str(REASONS.get(reason, reason)) if reason else ""


def attention_word(attention: str | None) -> str:
    """Why the shop should look, in the reader's language."""
    return str(ATTENTION.get(attention, "")) if attention else ""
