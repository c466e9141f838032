"""Shops whose owner changed how they charge their tax."""

from __future__ import annotations

from collections.abc import Mapping

from storefront.kernel.tenancy import Shop, acting_for, directory
from tenants.settings import change_tax
from tests.factories.catalogue import OWNER


def with_tax(
    shop: Shop, rate_bp: int | None = None, *, rates: Mapping[str, int] | None = None, inside: bool = True
) -> Shop:
    """The shop with another general rate, rates of other classes, and the tax inside its prices or on top."""
    with acting_for(shop):
        change_tax(shop.tax_rate_bp if rate_bp is None else rate_bp, OWNER, rates=rates, inside=inside)
    found = directory().by_id(shop.id)
    assert found is not None
    return found
