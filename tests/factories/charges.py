"""Amounts asked for by a link, made through the real action."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from storefront.orders.models import Order
from storefront.payments.charges import Charge, ask_for
from tests.factories.orders import ALICIA


def a_charge(concept: str = "Arreglo de cierre", amount: int = 15_000, hours: int = 24, **more: Any) -> Order:
    """A charge that waits for its money."""
    return ask_for(Charge(concept, amount, timedelta(hours=hours), **more), ALICIA)
