"""Where the card provider tells us what happened: verify, store once, answer. Nothing is applied here."""

from __future__ import annotations

import structlog
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from storefront.kernel import inbox
from storefront.kernel.access import access
from storefront.kernel.csrf import csrf_exempt_bearer
from storefront.kernel.tenancy import acting_for, directory
from storefront.payments import door

blueprint = Blueprint("webhooks", __name__)
log = structlog.get_logger()


@blueprint.post("/webhooks/stripe")
@access("public")
@csrf_exempt_bearer
def receive_stripe() -> ResponseReturnValue:
    """A signed notice. BadSignature (400) stores nothing; a repeat, a stranger's or a test notice is answered 200."""
    provider = door.gateway()
    notice = provider.verify_webhook(request.get_data(), request.headers.get("Stripe-Signature", ""))
    shop = directory().by_payment_account(notice.account) if notice.account else None
    if shop is None or notice.live != provider.live:
        log.info("webhook.not_ours", kind=notice.type, account=notice.account)
        return {"received": False}
    payload = {"object_id": notice.object_id, "metadata": dict(notice.data.get("metadata") or {})}
    with acting_for(shop):
        fresh = inbox.receive("stripe", notice.id, notice.type, payload)
    return {"received": True, "new": fresh}
