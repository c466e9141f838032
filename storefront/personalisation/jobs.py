"""What personalisation does after the fact: remember purchases, count what goes together, and forget in time."""

from __future__ import annotations

from storefront.events import OrderConfirmed
from storefront.kernel.jobs import ShopJob, periodic, shop_job
from storefront.personalisation import actions, counting


@shop_job("personalisation.remember_purchase")
def remember_purchase(order_id: int) -> None:
    """Remember what a customer bought, if they allow it."""
    actions.remember_purchase(order_id)


@periodic("personalisation.refresh_copurchase", every_s=300)
def refresh_copurchase() -> None:
    """Count anew what is bought together."""
    counting.refresh_copurchase()


@periodic("personalisation.forget_old", every_s=86_400)
def forget_old() -> None:
    """Drop what was kept for 180 days."""
    counting.forget_old()


ANSWERS: dict[type, list[ShopJob]] = {OrderConfirmed: [remember_purchase]}
