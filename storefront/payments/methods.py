"""Ways of paying, in the order in which a customer is offered them."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.kernel.tenancy import Shop
from storefront.orders.states import FulfilmentMethod
from storefront.payments import door

CARD, TRANSFER, AT_SHOP, ON_DELIVERY = "card", "bank_transfer", "pay_at_shop", "cash_on_delivery"
CASH = frozenset({AT_SHOP, ON_DELIVERY})
GIFT_CARD = "gift_card"
"""How an order is paid that a gift card pays whole; nobody chooses it among the others."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way of paying as a customer reads it."""

    code: str
    label: object
    help: object
    icon: str


METHODS = {
    TRANSFER: Method(
        TRANSFER,
        _l("Transferencia bancaria"),
        _l("Te damos los datos al confirmar; después subes una foto del comprobante."),
        "bank",
    ),
    CARD: Method(
        CARD, _l("Tarjeta"), _l("Pagas ahora en una página segura. La tienda no ve los datos de tu tarjeta."), "card"
    ),
    ON_DELIVERY: Method(ON_DELIVERY, _l("Pago al recibir"), _l("Pagas en efectivo a quien te entrega."), "cash"),
    AT_SHOP: Method(AT_SHOP, _l("Pago en la tienda"), _l("Pagas cuando vengas."), "store"),
}


def name_of(code: str) -> str:
    """How a way of payment is called; a code that nobody knows is shown as it is."""
    if code == GIFT_CARD:
        return _("Tarjeta de regalo")
    method = METHODS.get(code)
    return str(method.label) if method else code


def available_methods(shop: Shop, fulfilment_method: FulfilmentMethod, has_bookings: bool) -> list[Method]:
    """What a customer may choose from: what the shop takes, where it makes sense for how the order reaches them.

    Cash on delivery needs a delivery; paying at the shop needs the customer to come, for goods or for a booking.
    """
    comes = fulfilment_method is not FulfilmentMethod.DELIVERY or has_bookings
    fits = {
        CARD: door.takes_cards() and shop.payment_account is not None,
        TRANSFER: bool(shop.bank_details.strip()),
        AT_SHOP: comes and fulfilment_method is not FulfilmentMethod.DELIVERY,
        ON_DELIVERY: fulfilment_method is FulfilmentMethod.DELIVERY,
    }
    return [method for code, method in METHODS.items() if code in shop.payment_methods and fits[code]]


def can_be_paid(shop: Shop, *, delivers: bool) -> bool:
    """Whether whoever orders finds a way to pay, in at least one of the ways the shop hands things over."""
    ways = [FulfilmentMethod.DELIVERY] if delivers else []
    if shop.address or not delivers:
        ways.append(FulfilmentMethod.PICKUP)
    return any(available_methods(shop, way, has_bookings=False) for way in ways)
