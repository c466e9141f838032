"""I8, asked of the database: every order that was promised to somebody is there, and every order was asked for.

What a buyer was led to after sending the form is kept with the form's key, in the transaction that made the order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, cast, or_, select

from storefront.kernel.db import db
from storefront.kernel.idempotency import IdempotencyKey
from storefront.orders.models import Order
from storefront.orders.personal_data import NOBODY

OF_A_CART = "cart:%"


def invariants() -> list[dict[str, Any]]:
    """Every violation in the current shop: {"invariant": "I8", "order": its key or code, "what": a sentence}."""
    return [*_promised_and_not_there(), *_never_asked_for()]


def _promised_and_not_there() -> list[dict[str, Any]]:
    asked = IdempotencyKey.principal + ":" + IdempotencyKey.key
    # Whoever was forgotten has an order with another link; it is still the order of that cart.
    forgotten = (Order.contact_name == NOBODY) & Order.placement_key.startswith(IdempotencyKey.principal + ":")
    there = (
        select(Order.id)
        .where(
            Order.tenant_id == IdempotencyKey.tenant_id,
            or_(
                Order.token == IdempotencyKey.response["order"].astext,
                Order.placement_key == asked,
                forgotten,
            ),
        )
        .correlate(IdempotencyKey)
        .exists()
    )
    rows = db.session.execute(
        select(asked.label("asked")).where(
            IdempotencyKey.principal.like(OF_A_CART), IdempotencyKey.response.is_not(None), ~there
        )
    )
    return [{"invariant": "I8", "order": row.asked, "what": "promised, and not there"} for row in rows]


def _never_asked_for() -> list[dict[str, Any]]:
    asked = (
        select(IdempotencyKey.key)
        .where(
            IdempotencyKey.tenant_id == Order.tenant_id,
            IdempotencyKey.principal + ":" + IdempotencyKey.key == cast(Order.placement_key, String),
        )
        .correlate(Order)
        .exists()
    )
    rows = db.session.execute(select(Order.code).where(Order.placement_key.like(OF_A_CART), ~asked))
    return [{"invariant": "I8", "order": row.code, "what": "there, and nobody asked for it"} for row in rows]
