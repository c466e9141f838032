"""Letting a shop take cards: its own account at the provider, made once and answered for by its owner."""

from __future__ import annotations

from sqlalchemy import select, update

from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.tenancy import current_shop, directory
from storefront.payments import door
from storefront.payments.capabilities import CARD
from storefront.payments.provider import AccountStatus
from tenants.models import Tenant


def account_status() -> AccountStatus | None:
    """What the shop's account may do now; None when it has none. Raises GatewayUnavailable, NoCards."""
    account = _account()
    return door.gateway().account_status(account) if account else None


def _account() -> str | None:
    with transaction():
        return db.session.scalar(select(Tenant.payment_account).where(Tenant.id == current_shop().id))


def connect_cards(back_url: str, by: Actor) -> str:
    """The provider's page where the owner answers for the shop's account, which is made first if there is none.

    Asking twice makes one account: its key is the shop's. Raises GatewayUnavailable, GatewayRefused, NoCards.
    """
    shop = current_shop()
    account = _account()
    if account is None:
        made = door.gateway().create_account(shop.name, shop.email, shop.country, f"shop:{shop.id}:account")
        with transaction():
            lock_rows(Tenant, [shop.id])
            db.session.execute(
                update(Tenant)
                .where(Tenant.id == shop.id, Tenant.payment_account.is_(None))
                .values(payment_account=made.id, version=Tenant.version + 1)
            )
            note("shop", shop.id, "card_account_made", by)
        account = made.id
        _forget()
    return door.gateway().onboarding_link(account, back_url, back_url)


def finish_connecting(by: Actor) -> bool:
    """Offer cards to customers once the account may charge. Returns whether it may."""
    shop, status = current_shop(), account_status()
    if status is None or not status.charges_enabled:
        return False
    with transaction():
        tenant = lock_rows(Tenant, [shop.id])[0]
        if CARD not in tenant.payment_methods:
            tenant.payment_methods = [*tenant.payment_methods, CARD]
            tenant.version += 1
            note("shop", shop.id, "cards_on", by)
    _forget()
    return True


def _forget() -> None:
    forget = getattr(directory(), "forget", None)
    if forget is not None:
        forget()
