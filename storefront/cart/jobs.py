"""What happens to carts by themselves."""

from __future__ import annotations

from storefront.cart.actions import tidy_carts
from storefront.kernel.jobs import periodic


@periodic("cart.tidy", every_s=6 * 3600)
def tidy() -> None:
    """Forget carts that nobody came back to."""
    tidy_carts()
