"""Payments that take days: what the page gives out to pay with later, and what becomes of it.

A voucher leaves its page complete and unpaid. Paid in time it succeeds, else the payment wants another method again,
which is how Stripe says that nothing will come.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from storefront.embedded.fakestripe import checkout, transfers
from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.desk import Desk, public

ZONES = {"oxxo": "America/Mexico_City", "boleto": "America/Sao_Paulo"}
NUMBERED = {"oxxo": "oxxo_display_details", "boleto": "boleto_display_details"}
DEFAULT_DAYS, DEFAULT_S = 3, 14_400


def method_of(session: dict[str, Any]) -> str:
    """What a page is paid with."""
    return str((session["allowed_payment_method_types"] or ["card"])[0])


def issue(desk: Desk, session_id: str, base_url: str) -> dict[str, Any]:
    """The page gives out a voucher or a code and is complete; the money comes later, or never."""
    owner, session = checkout.open_session(desk, session_id)
    method = method_of(session)
    if method == "card":
        raise ApiError(400, "Cards are paid on the page.")
    intent = checkout.intent_of(desk, owner, session)
    options = session.get("_options", {}).get(method, {})
    page = f"{base_url}/voucher/{intent['id']}"
    number = "".join(character for character in intent["id"] if character.isdigit()).ljust(14, "0")[:14]
    if method == "customer_balance":
        until = transfers.FOR_EVER
        intent["next_action"] = {"type": transfers.SHOWN, transfers.SHOWN: transfers.instructions(intent, page)}
    elif method in NUMBERED:
        until = _last_second(options.get("expires_after_days", DEFAULT_DAYS), ZONES[method], desk.now())
        named = "expires_after" if method == "oxxo" else "expires_at"
        shown: dict[str, Any] = {named: until, "hosted_voucher_url": page, "number": number}
        intent["next_action"] = {"type": NUMBERED[method], NUMBERED[method]: shown}
    else:
        until = desk.now() + options.get("expires_after_seconds", DEFAULT_S)
        shown = {"data": f"00020126BR.GOV.BCB.PIX{number}", "expires_at": until, "hosted_instructions_url": page}
        intent["next_action"] = {"type": "pix_display_qr_code", "pix_display_qr_code": shown}
    intent.update(status="requires_action", _session=session_id, _until=until)
    session.update(status="complete", payment_status="unpaid", url=None)
    desk.emit("payment_intent.requires_action", owner, intent)
    desk.emit("checkout.session.completed", owner, session)
    return public(session)


def pay_voucher(desk: Desk, intent_id: str) -> dict[str, Any]:
    """Somebody paid at the till of a shop or a bank. ApiError when the voucher is good for nothing any more."""
    owner, session, intent = _waiting(desk, intent_id)
    checkout.charge(desk, owner, session, intent)
    session["payment_status"] = "paid"
    desk.emit("payment_intent.succeeded", owner, intent)
    desk.emit("checkout.session.async_payment_succeeded", owner, session)
    return public(session)


def let_voucher_lapse(desk: Desk, intent_id: str) -> dict[str, Any]:
    """Nobody paid in time. ApiError when it ended already."""
    owner, session, intent = _waiting(desk, intent_id)
    intent.update(
        status="requires_payment_method",
        next_action=None,
        last_payment_error={"code": "payment_intent_payment_attempt_expired", "message": "The voucher expired."},
    )
    desk.emit("payment_intent.payment_failed", owner, intent)
    desk.emit("checkout.session.async_payment_failed", owner, session)
    return public(session)


def cancel_intent(desk: Desk, owner: str, params: dict[str, Any], intent_id: str) -> dict[str, Any]:
    """The shop gives a payment up, and with it its voucher."""
    intent = desk.state.find("payment_intent", intent_id, owner, param="intent")
    if intent["status"] not in ("requires_action", "requires_payment_method"):
        raise ApiError(
            400,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            stored=True,
        )
    intent.update(status="canceled", next_action=None)
    desk.emit("payment_intent.canceled", owner, intent)
    transfers.give_up(desk, owner, intent)
    return public(intent)


def lapse_due(desk: Desk) -> None:
    """Let every voucher lapse whose time is over."""
    with desk.state.lock:
        late = [
            intent["id"]
            for intent in desk.state.every("payment_intent")
            if intent["status"] == "requires_action" and intent.get("_until", 0) <= desk.now()
        ]
        if late:
            with desk.state.changing():
                for intent_id in late:
                    let_voucher_lapse(desk, intent_id)


def _waiting(desk: Desk, intent_id: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    owner = desk.state.owner_of("payment_intent", intent_id)
    if owner is None:
        raise ApiError(404, f"No such payment_intent: '{intent_id}'", code="resource_missing")
    intent = desk.state.find("payment_intent", intent_id, owner)
    if intent["status"] != "requires_action":
        raise ApiError(400, f"This voucher is {intent['status']}.")
    return owner, desk.state.find("checkout.session", intent["_session"], owner), intent


def _last_second(days: int, zone: str, now: int) -> int:
    """The end of the day so many days from today, where the voucher is paid."""
    day = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return int(day.replace(hour=23, minute=59, second=59, microsecond=0).timestamp())
