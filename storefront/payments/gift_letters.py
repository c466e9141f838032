"""The letter that brings a gift card to its holder, with the one thing that nobody can read again: its secret."""

from __future__ import annotations

from datetime import timedelta

from storefront.giftcards.models import GiftCard
from storefront.kernel import mail
from storefront.kernel.faces import face_url
from storefront.kernel.tenancy import current_shop


def write_to_holder(card: GiftCard, secret: str, locale: str = "") -> None:
    """Send a card to its holder, once for each secret, in the caller's transaction; nobody without an address."""
    if card.recipient_email:
        once = f"gift-card:{card.id}:{card.secret_hash[:12]}"
        write_card(card, secret, card.recipient_email, locale, once=once)


def write_card(card: GiftCard, secret: str, to: str, locale: str, *, once: str) -> None:
    """Send a card with its secret, once for each `once`, in the caller's transaction."""
    mail.send(
        "gift-card",
        to=to,
        once=once,
        locale=locale or current_shop().locale,
        name=card.recipient_name,
        message=card.message,
        amount_minor=card.balance_minor,
        currency=card.currency,
        last_day=card.expires_at - timedelta(seconds=1) if card.expires_at else None,
        secret=secret,
        card_url=face_url("shop", f"/tarjeta-de-regalo/{secret}"),
    )
