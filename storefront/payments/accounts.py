"""A shop's own account at a provider that gives us tokens for it: kept sealed, renewed in time, forgotten on request.

A token is renewed weeks before it ends, by one caller at a time: whoever renews spends the renewing token. The others
go on with the one that is still good. No call to the network happens inside a transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.sealing import CannotOpen, seal, unseal
from storefront.kernel.tenancy import current_shop
from storefront.payments.models import (
    AttemptState,
    PaymentAttempt,
    ProviderAccount,
    Refund,
    RefundState,
)
from storefront.payments.provider import GatewayRefused, GatewayUnavailable, Tokened, Tokens

RENEW_BEFORE = timedelta(days=30)
"""How long before its end a token is renewed."""

RENEWING_TAKES = timedelta(minutes=1)
"""After so long another caller may try to renew."""


class StillOpen(Conflict):
    """What is under way could not be asked about any more."""

    message = _l("Hay pagos o devoluciones en camino con esa cuenta. Espera a que terminen y vuelve a intentarlo.")


def connected_account(provider: str) -> str | None:
    """The current shop's account at a provider, or None. Its own short transaction."""
    with transaction():
        return db.session.scalar(select(ProviderAccount.external_id).where(ProviderAccount.provider == provider))


def keep(provider: str, tokens: Tokens, by: Actor) -> None:
    """Store the tokens of the shop's account, sealed; a former account's go."""
    shop = current_shop()
    with transaction():
        wanted = {"external_id": tokens.account, **_sealed(provider, tokens), "renewing_until": None}
        db.session.execute(
            insert(ProviderAccount)
            .values(tenant_id=shop.id, provider=provider, connected_at=clock.now(), **wanted)
            .on_conflict_do_update(index_elements=["tenant_id", "provider"], set_=wanted)
        )
        note("shop", shop.id, "provider_connected", by, provider=provider, account=tokens.account)


def forget(provider: str, by: Actor) -> bool:
    """Throw the tokens away. False when there were none. Raises StillOpen while a payment or a refund is under way."""
    shop = current_shop()
    with transaction():
        if _under_way(provider):
            raise StillOpen
        gone = db.session.execute(
            delete(ProviderAccount).where(ProviderAccount.provider == provider).returning(ProviderAccount.id)
        ).first()
        if gone is not None:
            note("shop", shop.id, "provider_disconnected", by, provider=provider)
    return gone is not None


def access_token(provider: Tokened, account: str) -> str:
    """The token to speak for an account of the current shop with, renewed when its end is near.

    Raises GatewayRefused without such an account, GatewayUnavailable when the token ended and another caller renews it.
    """
    with transaction():
        row = db.session.execute(
            select(ProviderAccount.access, ProviderAccount.refresh, ProviderAccount.expires_at).where(
                ProviderAccount.provider == provider.code, ProviderAccount.external_id == account
            )
        ).first()
    if row is None:
        raise GatewayRefused("no_account", "")
    at = clock.now()
    if row.expires_at - RENEW_BEFORE <= at and _may_renew(provider.code, account, row.refresh, at):
        fresh = provider.renew(_opened(row.refresh, provider.code, "refresh"))
        with transaction():
            db.session.execute(
                update(ProviderAccount)
                .where(ProviderAccount.provider == provider.code, ProviderAccount.refresh == row.refresh)
                .values(**_sealed(provider.code, fresh), renewing_until=None)
            )
        return fresh.access
    if row.expires_at <= at:
        raise GatewayUnavailable
    return _opened(row.access, provider.code, "access")


def _may_renew(provider: str, account: str, refresh: str, at: datetime) -> bool:
    """Whether this caller is the one who renews: each renewing token is spent once."""
    with transaction():
        mine = db.session.execute(
            update(ProviderAccount)
            .where(
                ProviderAccount.provider == provider,
                ProviderAccount.external_id == account,
                ProviderAccount.refresh == refresh,
                ProviderAccount.renewing_until.is_(None) | (ProviderAccount.renewing_until < at),
            )
            .values(renewing_until=at + RENEWING_TAKES)
            .returning(ProviderAccount.id)
        ).first()
    return mine is not None


def _under_way(provider: str) -> bool:
    attempt = select(PaymentAttempt.id).where(
        PaymentAttempt.provider == provider, PaymentAttempt.state.in_([AttemptState.CREATED, AttemptState.PENDING])
    )
    refund = (
        select(Refund.id)
        .join(PaymentAttempt, (PaymentAttempt.tenant_id == Refund.tenant_id) & (PaymentAttempt.id == Refund.attempt_id))
        .where(
            PaymentAttempt.provider == provider,
            Refund.state.in_([RefundState.REQUESTED, RefundState.IN_TRANSIT]),
        )
    )
    return any(db.session.scalar(one.limit(1)) is not None for one in (attempt, refund))


def _sealed(provider: str, tokens: Tokens) -> dict[str, object]:
    return {
        "access": seal(tokens.access, _purpose(provider, "access")),
        "refresh": seal(tokens.refresh, _purpose(provider, "refresh")),
        "expires_at": tokens.expires_at,
    }


def _opened(sealed: str, provider: str, use: str) -> str:
    try:
        return unseal(sealed, _purpose(provider, use))
    except CannotOpen as error:
        raise GatewayRefused("token_unreadable", "") from error


def _purpose(provider: str, use: str) -> str:
    return f"shop:{current_shop().id}:{provider}:{use}"
