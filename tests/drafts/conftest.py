"""Drafts are tested where orders are."""

from tests.orders.conftest import at_the_bakery

__all__ = ["at_the_bakery"]
