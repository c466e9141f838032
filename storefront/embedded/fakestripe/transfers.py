"""Transfers to a bank account of the payer's own: they may be too little, too much or too late.

What comes is the payer's until it is a payment's: it fills the open payment first, and what is left of it stays with
the payer, to be sent back. A payment that is given up gives the payer what it had.
"""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe import checkout
from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.desk import Desk, listing, public

SHOWN = "display_bank_transfer_instructions"
FOR_EVER = 2**62
BANK = ("002", "Citibanamex")


def create_customer(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """Somebody who pays."""
    body = {"created": desk.now(), "livemode": False, "metadata": params.get("metadata", {}), "_available": {}}
    return public(desk.state.add("customer", "cus", owner, body))


def retrieve_balance(desk: Desk, owner: str, params: dict[str, Any], customer_id: str) -> dict[str, Any]:
    """What somebody sent that is no payment."""
    return _balance(desk.state.find("customer", customer_id, owner, param="customer"))


def list_moves(desk: Desk, owner: str, params: dict[str, Any], customer_id: str) -> dict[str, Any]:
    """How it came to be so, the latest first."""
    desk.state.find("customer", customer_id, owner, param="customer")
    found = [move for move in desk.state.every("customer_cash_balance_transaction", owner) if
             move["customer"] == customer_id]  # fmt: skip
    return listing(found, params, f"/v1/customers/{customer_id}/cash_balance_transactions")


def instructions(intent: dict[str, Any], page: str) -> dict[str, Any]:
    """Where to send what is missing."""
    number = "".join(character for character in intent["id"] if character.isdigit()).ljust(14, "0")
    spei = {"bank_code": BANK[0], "bank_name": BANK[1], "clabe": f"{BANK[0]}180{number[:12]}"}
    return {
        "amount_remaining": intent["amount"] - intent.get("_came", 0),
        "currency": intent["currency"],
        "financial_addresses": [{"type": "spei", "supported_networks": ["spei"], "spei": spei}],
        "hosted_instructions_url": page,
        "reference": number[:7],
        "type": "mx_bank_transfer",
    }


def transfer(desk: Desk, intent_id: str, amount: int, *, applied: bool = True) -> dict[str, Any]:
    """Somebody sends any amount to the account of a payment, whatever became of that.

    Not `applied`: it has come, and fills the payment with the next transfer only.
    """
    owner = desk.state.owner_of("payment_intent", intent_id)
    if owner is None or amount < 1:
        raise ApiError(404, f"No such payment_intent, or no such amount: '{intent_id}', {amount}")
    intent = desk.state.find("payment_intent", intent_id, owner)
    session = desk.state.find("checkout.session", intent["_session"], owner)
    payer = desk.state.find("customer", session["customer"], owner)
    _move(desk, owner, payer, amount, intent["currency"], "funded")
    if intent["status"] == "requires_action" and applied:
        _fill(desk, owner, session, intent, payer)
    _tell_what_is_left(desk, owner, payer, intent["currency"])
    return public(intent)


def give_up(desk: Desk, owner: str, intent: dict[str, Any]) -> None:
    """What a payment had so far is its payer's again."""
    came = intent.get("_came", 0)
    if came:
        session = desk.state.find("checkout.session", intent["_session"], owner)
        payer = desk.state.find("customer", session["customer"], owner)
        intent["_came"] = 0
        _move(desk, owner, payer, came, intent["currency"], "unapplied_from_payment")
        _tell_what_is_left(desk, owner, payer, intent["currency"])


def send_back(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """A refund of what is nobody's payment, never more than there is."""
    payer = desk.state.find("customer", params["customer"], owner, param="customer")
    amount, currency = params.get("amount", 0), params.get("currency", "")
    if not 0 < amount <= payer["_available"].get(currency, 0):
        raise ApiError(400, "The customer's cash balance is not sufficient.", param="amount", stored=True)
    _move(desk, owner, payer, -amount, currency, "refunded_from_payment")
    body = {
        "amount": amount, "charge": None, "created": desk.now(), "currency": currency, "failure_reason": None,
        "metadata": params.get("metadata", {}), "payment_intent": None, "reason": None, "status": "succeeded",
    }  # fmt: skip
    refund = desk.state.add("refund", "re", owner, body)
    desk.emit("refund.created", owner, refund)
    return public(refund)


def _fill(desk: Desk, owner: str, session: dict[str, Any], intent: dict[str, Any], payer: dict[str, Any]) -> None:
    currency = intent["currency"]
    share = min(payer["_available"].get(currency, 0), intent["amount"] - intent.get("_came", 0))
    _move(desk, owner, payer, -share, currency, "applied_to_payment")
    intent["_came"] = intent.get("_came", 0) + share
    if intent["_came"] < intent["amount"]:
        intent["next_action"][SHOWN]["amount_remaining"] = intent["amount"] - intent["_came"]
        desk.emit("payment_intent.partially_funded", owner, intent)
        return
    checkout.charge(desk, owner, session, intent)
    session["payment_status"] = "paid"
    desk.emit("payment_intent.succeeded", owner, intent)
    desk.emit("checkout.session.async_payment_succeeded", owner, session)


def _move(desk: Desk, owner: str, payer: dict[str, Any], amount: int, currency: str, kind: str) -> None:
    payer["_available"][currency] = payer["_available"].get(currency, 0) + amount
    body = {
        "created": desk.now(), "currency": currency, "customer": payer["id"], "net_amount": amount, "type": kind,
        "ending_balance": payer["_available"][currency],
    }  # fmt: skip
    desk.state.add("customer_cash_balance_transaction", "ccsbtxn", owner, body)


def _tell_what_is_left(desk: Desk, owner: str, payer: dict[str, Any], currency: str) -> None:
    if payer["_available"].get(currency):
        desk.emit("cash_balance.funds_available", owner, _balance(payer))


def _balance(payer: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "cash_balance",
        "available": dict(payer["_available"]),
        "customer": payer["id"],
        "livemode": False,
    }
