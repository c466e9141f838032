"""Payment pages and the payments made on them: direct charges, in Stripe's minor units of the currency."""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe.balance import own_fee, settle, shown_list
from storefront.embedded.fakestripe.contract import ApiError, refuse_beyond
from storefront.embedded.fakestripe.desk import Desk, listing, public
from storefront.embedded.fakestripe.state import PLATFORM, BookLine

SHORTEST_S = 30 * 60
LONGEST_S = 24 * 60 * 60
SMALLEST = {"usd": 50, "eur": 50, "brl": 50, "mxn": 1000}
"""The least that Stripe charges, where a currency is settled as such; one unit elsewhere."""
METHODS = {
    "card": (0, 0, ""),
    "oxxo": (1_000, 1_000_000, "mxn"),
    "boleto": (500, 4_999_999, "brl"),
    "pix": (50, 10_000_000, "brl"),
    "customer_balance": (1_000, 10_000_000_000, "mxn"),
}
"""What a page can be paid with: the least and the most of one payment, and the currency."""

LOCALES = frozenset({"auto", "en", "en-GB", "es", "es-419", "pt", "pt-BR"})
DECLINED = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
    "type": "card_error",
}


def create_session(desk: Desk, owner: str, params: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Open a payment page on the account."""
    _require_chargeable(desk, owner)
    currency, total = _priced(params.get("line_items", []))
    fee = params.get("payment_intent_data", {}).get("application_fee_amount")
    _check_session(desk, params)
    _check_method(desk, owner, params, currency, total)
    if fee is not None:
        _check_fee(owner, total, fee)
    session = desk.state.add(
        "checkout.session",
        "cs_test",
        owner,
        {
            "allowed_payment_method_types": params.get("allowed_payment_method_types"),
            "amount_subtotal": total,
            "amount_total": total,
            "cancel_url": params.get("cancel_url"),
            "client_reference_id": params.get("client_reference_id"),
            "created": desk.now(),
            "currency": currency,
            "customer": params.get("customer"),
            "customer_email": params.get("customer_email"),
            "expires_at": params.get("expires_at", desk.now() + LONGEST_S),
            "livemode": False,
            "locale": params.get("locale"),
            "metadata": params.get("metadata", {}),
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": params["success_url"],
            "_fee": fee,
            "_options": params.get("payment_method_options", {}),
            "_intent": params.get("payment_intent_data", {}),
            "_lines": params["line_items"],
        },
    )
    session["url"] = f"{base_url}/c/pay/{session['id']}"
    return public(session)


def retrieve_session(desk: Desk, owner: str, params: dict[str, Any], session_id: str) -> dict[str, Any]:
    """One payment page of the account."""
    expire_due(desk)
    session = public(desk.state.find("checkout.session", session_id, owner, param="session"))
    wanted = params.get("expand", [])
    if set(wanted) - {"payment_intent"}:
        raise ApiError(400, "The stand-in expands payment_intent only.", param="expand")
    if wanted and session["payment_intent"]:
        intent = desk.state.find("payment_intent", session["payment_intent"], owner)
        return {**session, "payment_intent": public(intent)}
    return session


def list_sessions(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """The account's payment pages, newest first."""
    expire_due(desk)
    found = [
        session
        for session in desk.state.every("checkout.session", owner)
        if params.get("payment_intent") in (None, session["payment_intent"])
        and params.get("status") in (None, session["status"])
    ]
    return listing(found, params, "/v1/checkout/sessions")


def expire_session(desk: Desk, owner: str, params: dict[str, Any], session_id: str) -> dict[str, Any]:
    """Close a payment page that is still open."""
    session = desk.state.find("checkout.session", session_id, owner, param="session")
    if session["status"] != "open":
        raise ApiError(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}.",
            stored=True,
        )
    _close(desk, owner, session)
    return public(session)


def expire_due(desk: Desk) -> None:
    """Close what nobody paid in time."""
    with desk.state.lock:
        late = [
            session
            for session in desk.state.every("checkout.session")
            if session["status"] == "open" and session["expires_at"] <= desk.now()
        ]
        if late:
            with desk.state.changing():
                for session in late:
                    _close(desk, desk.state.owners[session["id"]], session)


def retrieve_intent(desk: Desk, owner: str, params: dict[str, Any], intent_id: str) -> dict[str, Any]:
    """One payment of the account."""
    return public(desk.state.find("payment_intent", intent_id, owner, param="intent"))


def list_charges(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """The account's charges, newest first; of one payment when given."""
    found = [
        charge
        for charge in desk.state.every("charge", owner)
        if params.get("payment_intent") in (None, charge["payment_intent"])
    ]
    return shown_list(desk, owner, found, params, "/v1/charges")


def pay(desk: Desk, session_id: str) -> dict[str, Any]:
    """The customer's card was accepted: one charge, the page is complete, the shop is told. ApiError when it
    is not open.
    """
    owner, session = open_session(desk, session_id)
    intent = intent_of(desk, owner, session)
    charge(desk, owner, session, intent)
    session.update(status="complete", payment_status="paid", url=None)
    desk.emit("payment_intent.succeeded", owner, intent)
    desk.emit("checkout.session.completed", owner, session)
    return public(session)


def charge(desk: Desk, owner: str, session: dict[str, Any], intent: dict[str, Any]) -> None:
    """The money of a page has come."""
    made = desk.state.add(
        "charge",
        "ch",
        owner,
        {
            "amount": session["amount_total"],
            "amount_refunded": 0,
            "application_fee_amount": session["_fee"],
            "created": desk.now(),
            "currency": session["currency"],
            "livemode": False,
            "metadata": intent["metadata"],
            "paid": True,
            "payment_intent": intent["id"],
            "refunded": False,
            "status": "succeeded",
            "_fee_returned": 0,
        },
    )
    intent.update(
        status="succeeded",
        amount_received=made["amount"],
        latest_charge=made["id"],
        last_payment_error=None,
        next_action=None,
    )
    book(desk, made, "charge", made["amount"], made["id"])
    if session["_fee"]:
        book(desk, made, "fee", session["_fee"], made["id"])
    kept = own_fee(desk, made["amount"])
    if kept:
        book(desk, made, "stripe_fee", kept, made["id"])
    settle(desk, owner, made, made["amount"], kept, session["_fee"] or 0)


def decline(desk: Desk, session_id: str) -> dict[str, Any]:
    """The customer's card was refused: nothing is charged, and the page stays open for another try."""
    owner, session = open_session(desk, session_id)
    intent = intent_of(desk, owner, session)
    intent["last_payment_error"] = dict(DECLINED)
    desk.emit("payment_intent.payment_failed", owner, intent)
    return public(session)


def book(desk: Desk, charge: dict[str, Any], kind: str, amount: int, object_id: str) -> None:
    """Write one line of the stand-in's own book, about a charge."""
    owner = desk.state.owners[charge["id"]]
    intent_id, currency, metadata = charge["payment_intent"], charge["currency"], dict(charge["metadata"])
    desk.state.lines.append(BookLine(owner, kind, amount, currency, intent_id, object_id, metadata))


def open_session(desk: Desk, session_id: str) -> tuple[str, dict[str, Any]]:
    """A page that still takes money, and whose it is. ApiError when there is none."""
    expire_due(desk)
    owner = desk.state.owner_of("checkout.session", session_id)
    if owner is None:
        raise ApiError(404, f"No such checkout.session: '{session_id}'", code="resource_missing")
    session = desk.state.find("checkout.session", session_id, owner)
    if session["status"] != "open":
        raise ApiError(400, f"This Checkout Session is {session['status']}.")
    return owner, session


def intent_of(desk: Desk, owner: str, session: dict[str, Any]) -> dict[str, Any]:
    """The page's payment, made at the first attempt, as Stripe does."""
    if session["payment_intent"]:
        return desk.state.find("payment_intent", session["payment_intent"], owner)
    described = session["_intent"]
    intent = desk.state.add(
        "payment_intent",
        "pi",
        owner,
        {
            "amount": session["amount_total"],
            "amount_received": 0,
            "application_fee_amount": session["_fee"],
            "created": desk.now(),
            "currency": session["currency"],
            "description": described.get("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": described.get("metadata", {}),
            "next_action": None,
            "status": "requires_payment_method",
        },
    )
    session["payment_intent"] = intent["id"]
    return intent


def _close(desk: Desk, owner: str, session: dict[str, Any]) -> None:
    session.update(status="expired", url=None)
    if session["payment_intent"]:
        desk.state.find("payment_intent", session["payment_intent"], owner)["status"] = "canceled"
    desk.emit("checkout.session.expired", owner, session)


def _require_chargeable(desk: Desk, owner: str) -> None:
    if owner != PLATFORM and not desk.state.find("account", owner, PLATFORM)["charges_enabled"]:
        raise ApiError(400, "Your account cannot currently make charges.")


def _priced(lines: list[dict[str, Any]]) -> tuple[str, int]:
    """The currency of the lines and what they add up to."""
    if not 0 < len(lines) <= 100:
        raise ApiError(400, "Between 1 and 100 line items are required.", code="parameter_missing", param="line_items")
    total = 0
    currencies = set()
    for index, line in enumerate(lines):
        price = line.get("price_data", {})
        if "unit_amount" not in price or "product_data" not in price or line.get("quantity", 0) < 1:
            raise ApiError(
                400,
                "The stand-in wants price_data with unit_amount and product_data, and a quantity.",
                code="parameter_missing",
                param=f"line_items[{index}]",
            )
        if price["unit_amount"] < 0:
            raise ApiError(400, "Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
        refuse_beyond(("price_data", "quantity"), line, "line_items")
        refuse_beyond(("currency", "unit_amount", "product_data"), price, "price_data")
        currencies.add(price["currency"])
        total += price["unit_amount"] * line["quantity"]
    currency = currencies.pop()
    if currencies or not (len(currency) == 3 and currency.isalpha() and currency.islower()):
        raise ApiError(400, f"Invalid currency: {currency}", code="parameter_invalid_string_currency", param="currency")
    if total < SMALLEST.get(currency, 1):
        raise ApiError(
            400,
            "The Checkout Session's total amount due is below the minimum charge.",
            code="amount_too_small",
        )
    return currency, total


def _check_session(desk: Desk, params: dict[str, Any]) -> None:
    """What the library's types cannot say."""
    intent = params.get("payment_intent_data", {})
    refuse_beyond(("application_fee_amount", "description", "metadata"), intent, "payment_intent_data")
    if params.get("mode") != "payment":
        raise ApiError(400, "The stand-in only knows payment mode.", param="mode")
    if params.get("locale", "auto") not in LOCALES:
        raise ApiError(400, f"Invalid locale: {params['locale']}", param="locale")
    for name in ("success_url", "cancel_url"):
        if not params.get(name, "").startswith(("http://", "https://")):
            raise ApiError(400, "Not a valid URL", code="url_invalid", param=name)
    lifetime = params.get("expires_at", desk.now() + LONGEST_S) - desk.now()
    if not SHORTEST_S <= lifetime <= LONGEST_S:
        raise ApiError(
            400,
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from creation.",
            param="expires_at",
        )
    for metadata in (params.get("metadata", {}), intent.get("metadata", {})):
        check_metadata(metadata)


def _check_method(desk: Desk, owner: str, params: dict[str, Any], currency: str, total: int) -> None:
    """One method for a page, in its currency and within its bounds, on an account that may take it."""
    param = "allowed_payment_method_types"
    types = params.get(param, ["card"])
    if len(types) != 1 or types[0] not in METHODS:
        raise ApiError(400, f"The stand-in takes one of {', '.join(METHODS)} on a page.", param=param)
    method = types[0]
    if method != "customer_balance":
        refuse_beyond((), {"customer"} & set(params))
    least, most, wanted = METHODS[method]
    refuse_beyond((method,), params.get("payment_method_options", {}), "payment_method_options")
    if method == "card":
        _check_months(params.get("payment_method_options", {}).get("card", {}), currency)
        return
    if currency != wanted:
        raise ApiError(400, f"The payment method {method} only supports {wanted}.", param=param)
    account = desk.state.find("account", owner, PLATFORM)
    if method == "customer_balance":
        desk.state.find("customer", params.get("customer", ""), owner, param="customer")
    permission = {"customer_balance": "mx_bank_transfer"}.get(method, method)
    if account["capabilities"].get(f"{permission}_payments") != "active":
        raise ApiError(400, f"The payment method type provided: {method} is invalid.", param=param)
    if not least <= total <= most:
        raise ApiError(400, f"The amount is out of the bounds of {method}.", code="amount_too_large")


def _check_months(card: dict[str, Any], currency: str) -> None:
    """Months without interest are for Mexican pesos only."""
    param = "payment_method_options[card]"
    refuse_beyond(("installments",), card, param)
    if card.get("installments", {}).get("enabled") and currency != "mxn":
        raise ApiError(400, "Installments are only supported in mxn.", param=param)


def _check_fee(owner: str, total: int, fee: int) -> None:
    param = "payment_intent_data[application_fee_amount]"
    if owner == PLATFORM:
        raise ApiError(400, "An application fee needs a direct charge (Stripe-Account header).", param=param)
    if not 0 <= fee <= total:
        raise ApiError(400, "The application fee must not exceed the charge.", param=param)


def check_metadata(metadata: dict[str, str]) -> None:
    """At most 50 names of 40 characters with values of 500."""
    if len(metadata) > 50 or any(len(name) > 40 or len(value) > 500 for name, value in metadata.items()):
        raise ApiError(400, "Metadata allows 50 keys of 40 characters and values of 500.", param="metadata")
