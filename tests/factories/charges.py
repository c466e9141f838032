"""Amounts asked for by a link, and drafts, made through the real actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from storefront.drafts.actions import DraftDetails, save
from storefront.orders.models import Order
from storefront.payments.charges import Charge, ask_for
from tests.factories.orders import ALICIA, PHONE


def a_charge(concept: str = "Arreglo de cierre", amount: int = 15_000, hours: int = 24, **more: Any) -> Order:
    """A charge that waits for its money."""
    return ask_for(Charge(concept, amount, timedelta(hours=hours), **more), ALICIA)


def a_draft(cart_token: str, **known: Any) -> str:
    """A cart of the shop, saved as a draft for somebody. Returns its code."""
    return save(cart_token, DraftDetails(**{"name": "Dora", "phone": PHONE, **known}), ALICIA)
