"""What happens here: pages opened, paid, ended, and money sent back. Amounts are decimal numbers in text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from storefront.embedded.fakemercado.state import ApiError, State, amount_of, now, public, stamp

SENT = frozenset({
    "items", "external_reference", "metadata", "back_urls", "auto_return", "notification_url", "expires",
    "expiration_date_to", "date_of_expiration", "marketplace_fee", "payer",
})  # fmt: skip
"""What of a page the stand-in acts on. More would be a lie about what was tested."""


def open_page(state: State, account: str, said: dict[str, Any], base_url: str) -> dict[str, Any]:
    """A page on which an account is paid."""
    if more := set(said) - SENT:
        raise ApiError(400, "stand_in_unsupported", f"The stand-in does not act on {sorted(more)}.")
    items = said.get("items") or []
    if not items or any(Decimal(str(item["unit_price"])) <= 0 or item["quantity"] < 1 for item in items):
        raise ApiError(400, "invalid_items", "unit_price and quantity must be positive")
    fee = Decimal(str(said.get("marketplace_fee", 0)))
    if not 0 <= fee <= Decimal(amount_of(said)):
        raise ApiError(400, "invalid_marketplace_fee")
    number = f"{account}-{state.number()}"
    page = {
        **said, "id": number, "collector_id": int(account), "date_created": stamp(now()),
        "init_point": f"{base_url}/checkout/v1/redirect?pref_id={number}", "_account": account,
    }  # fmt: skip
    state.kept["pages"][number] = page
    return public(page)


def change_page(page: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Set until when a page can be paid."""
    if set(said) - {"expires", "expiration_date_to"}:
        raise ApiError(400, "stand_in_unsupported")
    page.update(said)
    return public(page)


def is_open(page: dict[str, Any]) -> bool:
    """Whether a page can (still) be paid."""
    return not page.get("expires") or datetime.fromisoformat(page["expiration_date_to"]) > now()


def take_payment(state: State, page: dict[str, Any], status: str, base_url: str) -> dict[str, Any]:
    """A payment on an open page: `approved`, `rejected`, or `pending` with something to pay in cash later."""
    if not is_open(page) or status not in {"approved", "rejected", "pending"}:
        raise ApiError(400, "page_expired")
    number, at = str(state.number()), stamp(now())
    cash = status == "pending"
    payment = {
        "id": int(number), "status": status, "status_detail": "accredited" if status == "approved" else status,
        "external_reference": page.get("external_reference", ""), "currency_id": page["items"][0]["currency_id"],
        "transaction_amount": amount_of(page), "date_created": at, "date_last_updated": at,
        "date_approved": at if status == "approved" else None, "payment_type_id": "ticket" if cash else "credit_card",
        "date_of_expiration": page.get("date_of_expiration") if cash else None, "refunds": [],
        "transaction_details": {
            "external_resource_url": f"{base_url}/ticket/{number}" if cash else None,
            "payment_method_reference_id": number.rjust(12, "0") if cash else None,
        },
        "_account": page["_account"], "_page": page["id"],
    }  # fmt: skip
    state.kept["payments"][number] = payment
    return payment


def end_ticket(payment: dict[str, Any], status: str) -> dict[str, Any]:
    """What was to be paid in cash is paid, or never will be."""
    if payment["status"] != "pending":
        raise ApiError(400, "invalid_status", f"The payment is {payment['status']}.")
    at = stamp(now())
    payment.update(status=status, date_last_updated=at, date_approved=at if status == "approved" else None)
    return public(payment)


def send_back(state: State, payment: dict[str, Any], said: dict[str, Any], status: str) -> dict[str, Any]:
    """Money of a payment goes back, in part or whole."""
    live = [Decimal(one["amount"]) for one in payment["refunds"] if one["status"] in ("approved", "in_process")]
    left = Decimal(payment["transaction_amount"]) - sum(live)
    amount = Decimal(str(said.get("amount", left)))
    if payment["status"] != "approved" or not 0 < amount <= left:
        raise ApiError(400, "invalid_refund", "The action requested is not valid for the current payment state")
    at = stamp(now())
    refund = {
        "id": state.number(), "payment_id": payment["id"], "amount": str(amount), "status": status, "date_created": at,
    }  # fmt: skip
    payment["refunds"].append(refund)
    payment["date_last_updated"] = at
    if amount == left:
        payment.update(status="refunded")
    else:
        payment["status_detail"] = "partially_refunded"
    return refund
