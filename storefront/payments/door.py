"""The card provider this installation talks to, if any. The composition root opens the door once."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Conflict
from storefront.kernel.tenancy import current_shop
from storefront.payments.accounts import connected_account
from storefront.payments.capabilities import MERCADO_PAGO, STRIPE
from storefront.payments.mercadopago import MercadoPago
from storefront.payments.provider import Gateway, Provider

_gateway: list[Gateway] = []
_mercado_pago: list[MercadoPago] = []
_fee_bp: list[int] = [0]


class NoCards(Conflict):
    """This shop cannot take cards now."""

    message = _l("Esta tienda no puede cobrar con tarjeta por ahora. Elige otra forma de pago.")


def use_gateway(gateway: Gateway | None, fee_bp: int = 0) -> None:
    """Say which provider takes cards (None: nobody) and the platform's share in basis points."""
    _gateway[:] = [gateway] if gateway else []
    _fee_bp[:] = [fee_bp]


def use_mercado_pago(second: MercadoPago | None) -> None:
    """Say who speaks to Mercado Pago (None: nobody)."""
    _mercado_pago[:] = [second] if second else []


def takes_cards() -> bool:
    """Whether there is a card provider at all."""
    return bool(_gateway)


def takes_any() -> bool:
    """Whether there is any provider to ask."""
    return bool(_gateway or _mercado_pago)


def opens(code: str) -> bool:
    """Whether the provider of this name is there."""
    return bool(_mercado_pago if code == MERCADO_PAGO else _gateway)


def mercado_pago() -> MercadoPago:
    """The second provider. Raises NoCards when there is none."""
    if not _mercado_pago:
        raise NoCards
    return _mercado_pago[0]


def gateway() -> Gateway:
    """The provider. Raises NoCards when there is none."""
    if not _gateway:
        raise NoCards
    return _gateway[0]


def provider(code: str | None) -> Provider:
    """The provider of this name: who took an attempt's money is who is asked about it. Raises NoCards."""
    if code == MERCADO_PAGO:
        return mercado_pago()
    if code != STRIPE:
        raise NoCards
    return gateway()


def account(code: str | None) -> str | None:
    """The current shop's account at a provider of this name; None without one, or while the provider is not there."""
    if code == MERCADO_PAGO and _mercado_pago:
        return connected_account(MERCADO_PAGO)
    return current_shop().payment_account if code == STRIPE and _gateway else None


def platform_fee(amount_minor: int) -> int:
    """The platform's share of a card payment in minor units, rounded down."""
    return amount_minor * _fee_bp[0] // 10_000
