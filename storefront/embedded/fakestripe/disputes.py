"""Disputes: somebody contests a payment at their bank, the shop answers or does not, and the bank decides.

As in Mexico, the bank takes the amount and a fee at once, and gives both back when the shop wins. An inquiry takes
nothing; it is closed, or becomes a dispute.
"""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe.checkout import book
from storefront.embedded.fakestripe.contract import ApiError, refuse_beyond
from storefront.embedded.fakestripe.desk import Desk, listing, public
from storefront.embedded.fakestripe.state import PLATFORM

FEE = 15_000
DAYS_TO_ANSWER = 9
A_DAY = 86_400
LARGEST_FILE = 5 * 1024 * 1024
KINDS = {b"%PDF": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG": "png"}
"""How the files begin that a bank reads."""

FILES = frozenset({"shipping_documentation", "customer_communication", "receipt", "uncategorized_file"})
WORDS = frozenset(
    {
        "product_description",
        "uncategorized_text",
        "customer_name",
        "customer_email_address",
        "shipping_date",
        "shipping_address",
        "shipping_tracking_number",
    }
)
MOST_CHARACTERS = 20_000
ANSWERED = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
WITH_THE_BANK = frozenset({"needs_response", "under_review", "lost"})


def open_dispute(
    desk: Desk, intent_id: str, *, reason: str = "fraudulent", amount: int | None = None, inquiry: bool = False
) -> dict[str, Any]:
    """Whoever paid contests it. ApiError for a payment that was never made."""
    owner = desk.state.owner_of("payment_intent", intent_id) or PLATFORM
    intent = desk.state.find("payment_intent", intent_id, owner)
    if not intent["latest_charge"]:
        raise ApiError(400, "Nothing was paid here.")
    charge = desk.state.find("charge", intent["latest_charge"], owner)
    dispute = desk.state.add(
        "dispute",
        "dp",
        owner,
        {
            "amount": amount or charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": desk.now(),
            "currency": charge["currency"],
            "evidence": {},
            "evidence_details": {
                "due_by": desk.now() + DAYS_TO_ANSWER * A_DAY,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "payment_intent": intent_id,
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        },
    )
    desk.emit("charge.dispute.created", owner, dispute)
    if not inquiry:
        _withdraw(desk, owner, dispute)
    return public(dispute)


def escalate(desk: Desk, dispute_id: str) -> dict[str, Any]:
    """The bank's question becomes a dispute, and the money goes."""
    owner, dispute = _found(desk, dispute_id)
    if dispute["status"].startswith("warning_"):
        dispute.update(status="needs_response", is_charge_refundable=False)
        desk.emit("charge.dispute.updated", owner, dispute)
        _withdraw(desk, owner, dispute)
    return public(dispute)


def decide(desk: Desk, dispute_id: str, *, won: bool) -> dict[str, Any]:
    """The bank decides, also about what it had decided before."""
    owner, dispute = _found(desk, dispute_id)
    if dispute["status"].startswith("warning_"):
        dispute["status"] = "warning_closed"
        desk.emit("charge.dispute.closed", owner, dispute)
        return public(dispute)
    before, dispute["status"] = dispute["status"], "won" if won else "lost"
    desk.emit("charge.dispute.closed", owner, dispute)
    if won and before != "won":
        _move(desk, owner, dispute, dispute["amount"], -FEE)
        desk.emit("charge.dispute.funds_reinstated", owner, dispute)
    elif before == "won" and not won:
        _withdraw(desk, owner, dispute)
    return public(dispute)


def retrieve_dispute(desk: Desk, owner: str, params: dict[str, Any], dispute_id: str) -> dict[str, Any]:
    """One dispute of the account."""
    return public(desk.state.find("dispute", dispute_id, owner, param="dispute"))


def list_disputes(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """The account's disputes, newest first; of one payment when given."""
    found = [
        dispute
        for dispute in desk.state.every("dispute", owner)
        if params.get("payment_intent") in (None, dispute["payment_intent"])
        and params.get("charge") in (None, dispute["charge"])
    ]
    return listing(found, params, "/v1/disputes")


def update_dispute(desk: Desk, owner: str, params: dict[str, Any], dispute_id: str) -> dict[str, Any]:
    """Keep evidence with a dispute, and send it to the bank unless told not to."""
    dispute = desk.state.find("dispute", dispute_id, owner, param="dispute")
    given, details = params.get("evidence", {}), dispute["evidence_details"]
    _check_evidence(desk, owner, given)
    if dispute["status"] not in ANSWERED or details["submission_count"]:
        raise ApiError(400, f"This dispute is {dispute['status']}: it takes no evidence.", stored=True)
    if details["due_by"] <= desk.now():
        raise ApiError(400, "The time to answer this dispute is over.", stored=True)
    dispute["evidence"].update(given)
    details["has_evidence"] = any(dispute["evidence"].values())
    if params.get("submit", True):
        details["submission_count"] += 1
        dispute["status"] = ANSWERED[dispute["status"]]
    desk.emit("charge.dispute.updated", owner, dispute)
    return public(dispute)


def close_dispute(desk: Desk, owner: str, params: dict[str, Any], dispute_id: str) -> dict[str, Any]:
    """The shop gives up."""
    dispute = desk.state.find("dispute", dispute_id, owner, param="dispute")
    if dispute["status"] != "needs_response":
        raise ApiError(400, f"This dispute is already {dispute['status']}.", stored=True)
    dispute["status"] = "lost"
    desk.emit("charge.dispute.closed", owner, dispute)
    return public(dispute)


def lapse_due(desk: Desk) -> None:
    """What nobody answered in time is lost."""
    with desk.state.lock:
        late = [
            dispute["id"]
            for dispute in desk.state.every("dispute")
            if dispute["status"] == "needs_response" and dispute["evidence_details"]["due_by"] <= desk.now()
        ]
        if late:
            with desk.state.changing():
                for dispute_id in late:
                    decide(desk, dispute_id, won=False)


def keep_file(desk: Desk, owner: str, params: dict[str, Any], content: bytes) -> dict[str, Any]:
    """A file for a dispute. Only its name and size are remembered."""
    kind = next((kind for start, kind in KINDS.items() if content.startswith(start)), None)
    if params.get("purpose") != "dispute_evidence" or kind is None or len(content) > LARGEST_FILE:
        raise ApiError(400, "The stand-in keeps PDF, JPEG and PNG of up to 5 MB, as dispute_evidence.", param="file")
    body = {
        "created": desk.now(),
        "filename": params["file"],
        "purpose": "dispute_evidence",
        "size": len(content),
        "type": kind,
    }
    return public(desk.state.add("file", "file", owner, body))


def is_with_the_bank(desk: Desk, charge_id: str) -> bool:
    """Whether the bank has a charge's money."""
    return any(
        dispute["charge"] == charge_id and dispute["status"] in WITH_THE_BANK for dispute in desk.state.every("dispute")
    )


def _check_evidence(desk: Desk, owner: str, given: dict[str, Any]) -> None:
    refuse_beyond(FILES | WORDS, given, "evidence")
    for name in WORDS & set(given):
        if len(given[name]) > MOST_CHARACTERS:
            raise ApiError(400, f"{name} is longer than {MOST_CHARACTERS} characters.", param=f"evidence[{name}]")
    for name in FILES & set(given):
        if given[name]:
            desk.state.find("file", given[name], owner, param=f"evidence[{name}]")


def _found(desk: Desk, dispute_id: str) -> tuple[str, dict[str, Any]]:
    owner = desk.state.owner_of("dispute", dispute_id) or PLATFORM
    return owner, desk.state.find("dispute", dispute_id, owner)


def _withdraw(desk: Desk, owner: str, dispute: dict[str, Any]) -> None:
    _move(desk, owner, dispute, -dispute["amount"], FEE)
    desk.emit("charge.dispute.funds_withdrawn", owner, dispute)


def _move(desk: Desk, owner: str, dispute: dict[str, Any], amount: int, fee: int) -> None:
    """Out of the account's balance or into it, in the provider's list and in the stand-in's book."""
    made = desk.state.add(
        "balance_transaction",
        "txn",
        owner,
        {
            "amount": amount,
            "created": desk.now(),
            "currency": dispute["currency"],
            "fee": fee,
            "fee_details": [{"amount": fee, "currency": dispute["currency"], "type": "stripe_fee"}],
            "net": amount - fee,
            "source": dispute["id"],
            "type": "adjustment",
        },
    )
    dispute["balance_transactions"].append(public(made))
    charge = desk.state.find("charge", dispute["charge"], owner)
    book(desk, charge, "dispute" if amount < 0 else "dispute_back", abs(amount), dispute["id"])
    book(desk, charge, "dispute_fee" if fee > 0 else "dispute_fee_back", abs(fee), dispute["id"])
