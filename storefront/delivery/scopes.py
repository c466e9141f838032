"""Entering the scope a courier's step needs: the partner's own, and the shop's beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import NoShop, acting_for, current_partner_id, current_shop, directory


def scoped_partner_id() -> int:
    """The partner in scope. Raises NoShop outside any partner's scope."""
    partner_id = current_partner_id()
    if partner_id is None:
        raise NoShop("no partner is in scope")
    return partner_id


@contextmanager
def together(tenant_id: int) -> Iterator[None]:
    """Work, as the partner in scope, on a parcel of the shop `tenant_id`: both are in scope, in a fresh session."""
    shop = directory().by_id(tenant_id)
    if shop is None:
        raise NotFound
    with acting_for(shop, scoped_partner_id()):
        yield


@contextmanager
def beside(partner_id: int | None) -> Iterator[None]:
    """Work, as the shop in scope, on a parcel that a partner (if any) also works on."""
    with acting_for(current_shop(), partner_id):
        yield
