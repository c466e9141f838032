"""What follows a cancelled order and a refund; the making of long files."""

from __future__ import annotations

from contextlib import suppress

from storefront.kernel.jobs import periodic, shop_job
from storefront.receipts import making_accounts, stamping
from storefront.receipts.actions import credit_refund, take_back_of_order
from storefront.receipts.einvoice import InvoicerUnavailable


@shop_job("receipts.follow_cancellation")
def follow_cancellation(order_id: int, **_rest: object) -> None:
    """The receipt of a cancelled order gets its credit note."""
    take_back_of_order(order_id)


@shop_job("receipts.follow_refund")
def follow_refund(refund_id: int, **_rest: object) -> None:
    """What a refund is for gets its credit note, where there is a receipt."""
    credit_refund(refund_id)


@shop_job("receipts.send_document")
def send_document(document_id: int) -> None:
    """Send an electronic document; what has no answer is asked about by the next round."""
    with suppress(InvoicerUnavailable):
        stamping.send(document_id)


@periodic("receipts.ask_about_documents", every_s=60)
def ask_about_documents() -> None:
    """Ask about electronic documents without an end."""
    stamping.keep_asking()


@shop_job("receipts.make_accounts")
def make_accounts(file_id: int) -> None:
    """Write the accountant's file of a long month."""
    making_accounts.make_file(file_id)


@periodic("receipts.forget_accounts", every_s=86_400)
def forget_accounts() -> None:
    """Remove files that were kept for long enough."""
    making_accounts.forget_old()
