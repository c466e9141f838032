"""What follows a cancelled order."""

from __future__ import annotations

from storefront.kernel.jobs import shop_job
from storefront.receipts.actions import take_back_of_order


@shop_job("receipts.follow_cancellation")
def follow_cancellation(order_id: int, **_rest: object) -> None:
    """The receipt of a cancelled order gets its credit note."""
    take_back_of_order(order_id)
