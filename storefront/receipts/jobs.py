"""What follows a cancelled order, and a refund."""

from __future__ import annotations

from storefront.kernel.jobs import shop_job
from storefront.receipts.actions import credit_refund, take_back_of_order


@shop_job("receipts.follow_cancellation")
def follow_cancellation(order_id: int, **_rest: object) -> None:
    """The receipt of a cancelled order gets its credit note."""
    take_back_of_order(order_id)


@shop_job("receipts.follow_refund")
def follow_refund(refund_id: int, **_rest: object) -> None:
    """What a refund is for gets its credit note, where there is a receipt."""
    credit_refund(refund_id)
