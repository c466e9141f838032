"""Shops that charge for packaging or take tips."""

from __future__ import annotations

from collections.abc import Iterable

from storefront.kernel.tenancy import Shop, acting_for, directory
from tenants.settings import change_extras
from tests.factories.catalogue import OWNER


def with_extras(
    shop: Shop,
    packaging_minor: int = 0,
    ways: Iterable[str] = ("delivery", "pickup"),
    tips: Iterable[int] | None = None,
) -> Shop:
    """The shop once its owner has decided so; tips are percentages, None for no tips."""
    with acting_for(shop):
        change_extras(packaging_minor, ways if packaging_minor else (), tips, OWNER)
    found = directory().by_id(shop.id)
    assert found is not None
    return found
