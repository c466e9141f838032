"""Money back: refunds of a charge in part or whole, and what becomes of those that take time."""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe.balance import settle, shown, shown_list
from storefront.embedded.fakestripe.checkout import book, check_metadata
from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.desk import Desk, public
from storefront.embedded.fakestripe.disputes import is_with_the_bank
from storefront.embedded.fakestripe.transfers import send_back


def create_refund(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """Refund a payment of the account; never more than is left of it."""
    check_metadata(params.get("metadata", {}))
    if params.get("origin") == "customer_balance":
        return send_back(desk, owner, params)
    charge = _charge(desk, owner, params)
    if is_with_the_bank(desk, charge["id"]):
        raise ApiError(400, f"Charge {charge['id']} has been charged back.", code="charge_disputed", stored=True)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if amount < 1 and left:
        raise ApiError(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if not left:
        raise ApiError(
            400,
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            stored=True,
        )
    if amount > left:
        raise ApiError(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            param="amount",
            stored=True,
        )
    if params.get("refund_application_fee") and not charge["application_fee_amount"]:
        raise ApiError(400, "This charge has no application fee.", param="refund_application_fee", stored=True)
    refund = desk.state.add(
        "refund",
        "re",
        owner,
        {
            "amount": amount,
            "charge": charge["id"],
            "created": desk.now(),
            "currency": charge["currency"],
            "failure_reason": None,
            "metadata": params.get("metadata", {}),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "status": desk.refund_status,
        },
    )
    _count(desk, charge, amount)
    book(desk, charge, "refund", amount, refund["id"])
    returned = _return_fee(desk, charge, refund["id"]) if params.get("refund_application_fee") else 0
    settle(desk, owner, refund, -amount, 0, -returned)  # what is the provider's own stays with it
    desk.emit("refund.created", owner, refund)
    desk.emit("charge.refunded", owner, charge)
    return public(refund)


def retrieve_refund(desk: Desk, owner: str, params: dict[str, Any], refund_id: str) -> dict[str, Any]:
    """One refund of the account."""
    return shown(desk, owner, desk.state.find("refund", refund_id, owner, param="refund"), params)


def list_refunds(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """The account's refunds, newest first; of one payment or charge when given."""
    found = [
        refund
        for refund in desk.state.every("refund", owner)
        if params.get("payment_intent") in (None, refund["payment_intent"])
        and params.get("charge") in (None, refund["charge"])
    ]
    return shown_list(desk, owner, found, params, "/v1/refunds")


def settle_refund(desk: Desk, refund_id: str, status: str) -> dict[str, Any]:
    """A refund comes to its end: `succeeded`, or `failed`, which puts the money back on the account."""
    owner = desk.state.owner_of("refund", refund_id)
    if owner is None or status not in ("succeeded", "failed"):
        raise ApiError(404, f"No such refund, or no such end: '{refund_id}', '{status}'", code="resource_missing")
    refund = desk.state.find("refund", refund_id, owner)
    if refund["status"] in ("failed", status):
        return public(refund)
    refund["status"] = status
    if status == "failed":
        refund["failure_reason"] = "unknown"
        charge = desk.state.find("charge", refund["charge"], owner)
        _count(desk, charge, -refund["amount"])
        book(desk, charge, "refund_failed", refund["amount"], refund["id"])
    desk.emit("refund.failed" if status == "failed" else "refund.updated", owner, refund)
    return public(refund)


def _charge(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    if "charge" in params:
        return desk.state.find("charge", params["charge"], owner, param="charge")
    if "payment_intent" not in params:
        raise ApiError(400, "One of charge or payment_intent is required.", code="parameter_missing")
    intent = desk.state.find("payment_intent", params["payment_intent"], owner, param="payment_intent")
    if not intent["latest_charge"]:
        raise ApiError(400, "This PaymentIntent does not have a successful charge to refund.", stored=True)
    return desk.state.find("charge", intent["latest_charge"], owner)


def _count(desk: Desk, charge: dict[str, Any], amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def _return_fee(desk: Desk, charge: dict[str, Any], refund_id: str) -> int:
    """The platform's part goes back in proportion to all that has been refunded."""
    due = charge["application_fee_amount"] * charge["amount_refunded"] // charge["amount"] - charge["_fee_returned"]
    charge["_fee_returned"] += due
    if due:
        book(desk, charge, "fee_returned", due, refund_id)
    return int(due)
