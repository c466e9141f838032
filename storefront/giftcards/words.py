"""What a gift card is good for, in words."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _

from storefront.giftcards.queries import CardState, CardView
from storefront.kernel.filters import full_date


def card_trouble(card: CardView | None) -> str:
    """Why a card pays nothing; empty when it does. A code that nobody has is told like one that was mistyped."""
    if card is None:
        return _("No encontramos esa tarjeta. Revisa el código: son 20 letras y números.")
    if card.state is CardState.DISABLED:
        return _("Esta tarjeta está desactivada. Pregunta en la tienda.")
    if card.state is CardState.OVER and card.expires_at is not None:
        return _("Esta tarjeta venció el %(day)s.", day=full_date(card.expires_at - timedelta(seconds=1)))
    if card.state is CardState.EMPTY:
        return _("A esta tarjeta ya no le queda saldo.")
    return ""
