"""Letting a shop be paid through Mercado Pago: its owner's consent, the account that comes of it, and its end."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.kernel.audit import Actor
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.tenancy import current_shop
from storefront.payments import accounts, door
from storefront.payments.capabilities import CAPABILITIES, MERCADO_PAGO
from tenants.actions import change_tenant
from tenants.directory import forget_shops
from tenants.models import Tenant
from tenants.settings import change_payments


class NotHere(Conflict):
    """Mercado Pago is not in this shop's country, or this installation does not speak to it."""

    message = _l("Mercado Pago no está disponible para tu tienda.")


class NotAgreed(Conflict):
    """Nobody agreed, or it was not the one who asked who came back."""

    message = _l("No se conectó la cuenta. Vuelve a empezar desde esta página.")


def possible() -> bool:
    """Whether this shop may connect an account at all."""
    shop = current_shop()
    return door.opens(MERCADO_PAGO) and CAPABILITIES[MERCADO_PAGO].fits(shop.country, shop.currency)


def consent_page(state: str, return_url: str) -> str:
    """Where the owner agrees; whoever comes back must bring `state`. Raises NotHere."""
    if not possible():
        raise NotHere
    return door.mercado_pago().consent_page(state, return_url)


def connect(code: str, return_url: str, by: Actor) -> None:
    """Keep the account that the owner agreed to, and offer it to customers.

    Raises NotHere, GatewayUnavailable, GatewayRefused; then nothing has changed.
    """
    if not possible():
        raise NotHere
    tokens = door.mercado_pago().connect(code, return_url)
    with transaction():
        tenant = lock_rows(Tenant, [current_shop().id])[0]
        accounts.keep(MERCADO_PAGO, tokens, by)
        if MERCADO_PAGO not in tenant.payment_methods:
            change_tenant("payments_changed", by, None, payment_methods=[*tenant.payment_methods, MERCADO_PAGO])
    forget_shops()


def disconnect(by: Actor) -> None:
    """Offer it no more and throw the tokens away. Twice changes nothing.

    Raises StillOpen, NoWayToPay and NobodyCanPay; then nothing has changed.
    """
    with transaction():
        shop = current_shop()
        held = db.session.get_one(Tenant, shop.id, populate_existing=True).payment_methods
        if MERCADO_PAGO in held:
            change_payments([method for method in held if method != MERCADO_PAGO], shop.bank_details, by)
        accounts.forget(MERCADO_PAGO, by)
    forget_shops()
