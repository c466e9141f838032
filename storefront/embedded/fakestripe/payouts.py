"""Money on its way to the shop's bank: what came in and did not go back, less the platform's part."""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.desk import Desk, listing, public
from storefront.embedded.fakestripe.state import PLATFORM, BookLine

SIGNS = {
    "charge": 1, "refund": -1, "refund_failed": 1, "fee": -1, "fee_returned": 1, "stripe_fee": -1, "payout": -1,
    "dispute": -1, "dispute_fee": -1, "dispute_back": 1, "dispute_fee_back": 1,
}  # fmt: skip
A_DAY = 86_400


def pay_out(desk: Desk, account: str) -> dict[str, Any]:
    """Send an account's balance to its bank. ApiError when there is none."""
    currency = next((line.currency for line in desk.state.lines if line.account == account), "")
    lines = [line for line in desk.state.lines if line.account == account and line.currency == currency]
    amount = sum(SIGNS[line.kind] * line.amount for line in lines)
    if account == PLATFORM or amount <= 0:
        raise ApiError(400, "You have insufficient funds in your Stripe account.", code="balance_insufficient")
    made = desk.state.add(
        "payout",
        "po",
        account,
        {
            "amount": amount,
            "arrival_date": desk.now() + A_DAY,
            "created": desk.now(),
            "currency": currency,
            "livemode": False,
            "status": "in_transit",
        },
    )
    desk.state.lines.append(BookLine(account, "payout", amount, currency, "", made["id"], {}))
    desk.emit("payout.created", account, made)
    return public(made)


def list_payouts(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """The account's payouts, newest first."""
    return listing(desk.state.every("payout", owner), params, "/v1/payouts")
