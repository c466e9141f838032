"""Customers are tested without the limits on tries, but for the tests that are about them."""

from __future__ import annotations

import pytest

from storefront.kernel.limits import limiter


@pytest.fixture(autouse=True)
def no_limits(app, monkeypatch):
    """Tests log in more often than people do."""
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def dora(client_at, bakery):
    """A browser at the bakery."""
    return client_at(bakery)
