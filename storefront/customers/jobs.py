"""What customers wait for: their code. And forgetting codes nobody needs any more."""

from __future__ import annotations

from storefront.customers import codes
from storefront.events import LoginCodeAsked
from storefront.kernel.jobs import ShopJob, periodic, shop_job


@shop_job("customers.send_code")
def send_code(code_id: int) -> None:
    """Send the code that somebody asked for, if anybody is known under that contact."""
    codes.send_code(code_id)


@periodic("customers.forget_old_codes", every_s=3600)
def forget_old_codes() -> None:
    """Drop yesterday's codes."""
    codes.forget_old_codes()


ANSWERS: dict[type, list[ShopJob]] = {LoginCodeAsked: [send_code]}
