"""Where the providers tell us what happened: verify, store once, answer. Nothing is applied here."""

from __future__ import annotations

import structlog
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from storefront.kernel import inbox
from storefront.kernel.access import access
from storefront.kernel.csrf import csrf_exempt_bearer
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import acting_for, directory
from storefront.payments import door
from storefront.payments.capabilities import MERCADO_PAGO

LARGEST_NOTICE = 256 * 1024
"""Notices are some kilobytes; what is larger is none, and is not even read."""

blueprint = Blueprint("webhooks", __name__)
log = structlog.get_logger()


class HugeNotice(Refusal):
    """Nobody who has news for us sends so much."""

    status = 413
    message = _l("Este aviso es demasiado grande.")


@blueprint.before_request
def refuse_what_is_huge() -> None:
    """Before anything is read of it."""
    if (request.content_length or 0) > LARGEST_NOTICE:
        raise HugeNotice


@blueprint.post("/webhooks/stripe")
@access("public")
@csrf_exempt_bearer
def receive_stripe() -> ResponseReturnValue:
    """A signed notice. BadSignature (400) stores nothing; a repeat, a stranger's or a test notice is answered 200.

    One of another version of the provider's interface is followed like any other, since only its name is used and the
    provider is asked anew, and noted: somebody changed the endpoint.
    """
    provider = door.gateway()
    notice = provider.verify_webhook(request.get_data(), request.headers.get("Stripe-Signature", ""))
    shop = directory().by_payment_account(notice.account) if notice.account else None
    if shop is None or notice.live != provider.live:
        log.info("webhook.not_ours", kind=notice.type, account=notice.account)
        return {"received": False}
    if not notice.is_of_our_version:
        log.warning("webhook.other_version", kind=notice.type, notice=notice.id)
    payload = {"object_id": notice.object_id, "metadata": dict(notice.data.get("metadata") or {})}
    with acting_for(shop):
        fresh = inbox.receive("stripe", notice.id, notice.type, payload)
    return {"received": True, "new": fresh}


@blueprint.post("/webhooks/mercadopago")
@access("public")
@csrf_exempt_bearer
def receive_mercado_pago() -> ResponseReturnValue:
    """A signed notice of a payment. The address, which is ours, names the shop; the body must name its account.

    BadSignature (400) stores nothing; a repeat, a stranger's and what is no payment is answered 200.
    """
    notice = door.mercado_pago().verify_notice(
        request.args.get("data.id", ""),
        request.headers.get("X-Request-Id", ""),
        request.headers.get("X-Signature", ""),
    )
    said = request.get_json(silent=True)
    about = said if isinstance(said, dict) else {}
    shop_id = request.args.get("tienda", "")
    shop = directory().by_id(int(shop_id)) if shop_id.isascii() and shop_id.isdigit() and len(shop_id) < 19 else None
    if shop is None or request.args.get("type", about.get("type")) != "payment":
        return {"received": False}
    with acting_for(shop):
        if door.account(MERCADO_PAGO) != str(about.get("user_id", "")):
            log.info("webhook.not_ours", kind="payment")
            return {"received": False}
        fresh = inbox.receive(MERCADO_PAGO, notice.id, "payment", {"object_id": notice.payment_id})
    return {"received": True, "new": fresh}
