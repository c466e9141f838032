"""Ways of paying, in the order in which a customer is offered them."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.kernel.tenancy import Shop
from storefront.orders.states import FulfilmentMethod
from storefront.payments import door
from storefront.payments.capabilities import (
    BOLETO,
    CAPABILITIES,
    CARD,
    CARD_MONTHS,
    MERCADO_PAGO,
    OXXO,
    PIX,
    SPEI,
    Capability,
    capability,
)

TRANSFER, AT_SHOP, ON_DELIVERY = "bank_transfer", "pay_at_shop", "cash_on_delivery"
CASH = frozenset({AT_SHOP, ON_DELIVERY})
GIFT_CARD = "gift_card"
"""How an order is paid that a gift card pays whole; nobody chooses it among the others."""

EXCHANGE = "exchange"
"""How an order is paid that returned goods pay whole."""


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
    CARD_MONTHS: Method(
        CARD_MONTHS,
        _l("Tarjeta a meses sin intereses"),
        _l("Eliges los meses en la página segura, si tu tarjeta de crédito los tiene. El precio es el mismo."),
        "card",
    ),
    OXXO: Method(
        OXXO,
        _l("Efectivo en OXXO"),
        _l("Te damos una ficha; la pagas en cualquier OXXO. La tienda recibe el aviso al día siguiente."),
        "cash",
    ),
    BOLETO: Method(
        BOLETO,
        _l("Boleto"),
        _l("Te damos un boleto; lo pagas en tu banco o en una lotérica. El aviso tarda hasta dos días."),
        "bank",
    ),
    SPEI: Method(
        SPEI,
        _l("Transferencia SPEI"),
        _l("Te damos una CLABE solo para este pedido; transfieres desde tu banco y se confirma sin comprobante."),
        "bank",
    ),
    PIX: Method(PIX, _l("Pix"), _l("Te damos un código; lo pagas desde tu banco en unos minutos."), "bank"),
    MERCADO_PAGO: Method(
        MERCADO_PAGO,
        _l("Mercado Pago"),
        _l("Pagas en la página de Mercado Pago: con tarjeta, con tu saldo o en efectivo."),
        "card",
    ),
    ON_DELIVERY: Method(ON_DELIVERY, _l("Pago al recibir"), _l("Pagas en efectivo a quien te entrega."), "cash"),
    AT_SHOP: Method(AT_SHOP, _l("Pago en la tienda"), _l("Pagas cuando vengas."), "store"),
}


def name_of(code: str) -> str:
    """How a way of payment is called; a code that nobody knows is shown as it is."""
    if code == GIFT_CARD:
        return _("Tarjeta de regalo")
    if code == EXCHANGE:
        return _("Cambio por otro producto")
    method = METHODS.get(code)
    return str(method.label) if method else code


def available_methods(
    shop: Shop, fulfilment_method: FulfilmentMethod, has_bookings: bool, amount_minor: int | None = None
) -> list[Method]:
    """What a customer may choose from: what the shop takes, where it makes sense for how the order reaches them.

    Cash on delivery needs a delivery; paying at the shop needs the customer to come, for goods or for a booking. A
    voucher of days keeps no place at a table or in a house, and each way through a provider has its bounds for
    `amount_minor`, where that is known.
    """
    comes = fulfilment_method is not FulfilmentMethod.DELIVERY or has_bookings
    fits = {
        **{
            code: _is_offered(shop, code, amount_minor) and not (can.voucher_days and has_bookings)
            for code, can in CAPABILITIES.items()
        },
        TRANSFER: bool(shop.bank_details.strip()),
        AT_SHOP: comes and fulfilment_method is not FulfilmentMethod.DELIVERY,
        ON_DELIVERY: fulfilment_method is FulfilmentMethod.DELIVERY,
    }
    return [method for code, method in METHODS.items() if code in shop.payment_methods and fits[code]]


def _is_offered(shop: Shop, code: str, amount_minor: int | None) -> bool:
    """Whether a provider takes it for this shop, and takes so much."""
    can = CAPABILITIES[code]
    return (
        connected(shop, code)
        and can.fits(shop.country, shop.currency)
        and (not amount_minor or can.allows(amount_minor))
    )


def connected(shop: Shop, code: str) -> bool:
    """Whether the shop has an account where this method's money would go, and the provider is there."""
    can = capability(code)
    return can is not None and door.opens(can.provider) and has_account(shop, code)


def has_account(shop: Shop, code: str) -> bool:
    """Whether the shop has an account where this method's money would go. Mercado Pago is among a shop's methods for as
    long as its account there is connected, and no longer."""
    if code == MERCADO_PAGO:
        return code in shop.payment_methods
    return capability(code) is not None and shop.payment_account is not None


def choosable(shop: Shop) -> list[Method]:
    """The methods a shop of this country and currency can have at all, whether or not it has set them up."""
    return [
        method
        for code, method in METHODS.items()
        if code == CARD or code not in CAPABILITIES or _can_be_had(shop, CAPABILITIES[code])
    ]


def _can_be_had(shop: Shop, can: Capability) -> bool:
    return can.fits(shop.country, shop.currency) and door.opens(can.provider)


def can_be_paid(shop: Shop, *, delivers: bool) -> bool:
    """Whether whoever orders finds a way to pay, in at least one of the ways the shop hands things over."""
    ways = [FulfilmentMethod.DELIVERY] if delivers else []
    if shop.address or not delivers:
        ways.append(FulfilmentMethod.PICKUP)
    return any(available_methods(shop, way, has_bookings=False) for way in ways)
