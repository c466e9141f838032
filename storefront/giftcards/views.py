"""A gift card, from its holder's side: the page behind its secret link."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from storefront.giftcards import queries, secrets
from storefront.giftcards.words import card_trouble
from storefront.kernel.access import access
from storefront.kernel.errors import NotFound
from storefront.kernel.limits import failed, limited

blueprint = Blueprint("giftcards", __name__)


@blueprint.get("/tarjeta-de-regalo/<secret>")
@access("public")
@limited("gift-card", counts=failed)
def show(secret: str) -> ResponseReturnValue:
    """What is on a card, until when, and how to use it. Wrong secrets are counted."""
    card = queries.card_by_secret(secret)
    if card is None:
        raise NotFound
    answer = make_response(
        render_template(
            "shop/giftcards/card.html",
            card=card,
            secret=secrets.written(secret),
            trouble=card_trouble(card),
            last_day=card.expires_at - timedelta(seconds=1) if card.expires_at else None,
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
