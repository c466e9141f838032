"""What each payment and refund does to an account's balance, and what is kept of it: known at once."""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.desk import Desk, listing, public

SETTLED = "balance_transaction"


def own_fee(desk: Desk, amount: int) -> int:
    """What the stand-in keeps of a payment for itself: never more than all of it."""
    rate_bp, fixed = desk.keeps
    return int(min(amount, amount * rate_bp // 10_000 + fixed))


def settle(desk: Desk, owner: str, about: dict[str, Any], amount: int, own: int, platform: int) -> None:
    """Write down what a payment or a refund does to the balance. Fees below zero are given back."""
    details = [("stripe_fee", own), ("application_fee", platform)]
    made = desk.state.add(
        SETTLED,
        "txn",
        owner,
        {
            "amount": amount,
            "created": desk.now(),
            "currency": about["currency"],
            "fee": own + platform,
            "fee_details": [
                {"amount": minor, "currency": about["currency"], "type": kind} for kind, minor in details if minor
            ],
            "net": amount - own - platform,
            "source": about["id"],
            "type": about["object"],
        },
    )
    about[SETTLED] = made["id"]


def shown(desk: Desk, owner: str, found: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """An object as it is asked for: with what it did to the balance, when that is to be expanded."""
    plain = public(found)
    if _is_wanted(params, SETTLED) and plain.get(SETTLED):
        plain[SETTLED] = public(desk.state.find(SETTLED, plain[SETTLED], owner))
    return plain


def shown_list(desk: Desk, owner: str, found: list[dict[str, Any]], params: dict[str, Any], url: str) -> dict[str, Any]:
    """A listing whose objects are shown so."""
    page = listing(found, params, url)
    if _is_wanted(params, f"data.{SETTLED}"):
        page["data"] = [shown(desk, owner, each, {"expand": [SETTLED]}) for each in page["data"]]
    return page


def _is_wanted(params: dict[str, Any], name: str) -> bool:
    wanted = params.get("expand", [])
    if set(wanted) - {name}:
        raise ApiError(400, f"The stand-in expands {name} only.", param="expand")
    return name in wanted
