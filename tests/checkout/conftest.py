"""Carts are tested where orders are; and these tests come to the checkout more often than a person would."""

import pytest

from storefront.kernel.limits import limiter
from tests.orders.conftest import at_the_bakery

__all__ = ["at_the_bakery", "no_limits"]


@pytest.fixture(autouse=True)
def no_limits(app, monkeypatch):
    """Nobody is told to wait."""
    monkeypatch.setattr(limiter, "enabled", False)
