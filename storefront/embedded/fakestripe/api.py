"""The face that Stripe's library talks to: who asks, for which account, with which key, and one answer per
key.
"""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, request

from storefront.embedded.fakestripe import accounts, checkout, desk, disputes, payouts, refunds, transfers, vouchers
from storefront.embedded.fakestripe.contract import ApiError, check, decode
from storefront.embedded.fakestripe.faults import Fault
from storefront.embedded.fakestripe.standin import StandIn, stand_in_of
from storefront.embedded.fakestripe.state import PLATFORM

Verb = Callable[..., dict[str, Any]]
blueprint = Blueprint("api", __name__, url_prefix="/v1")

UNTOUCHED = {
    "unavailable": (503, "api_error", "The service is temporarily unavailable."),
    "rate_limited": (429, "invalid_request_error", "Too many requests hit the API too quickly."),
}
BROKEN = {"error": {"type": "api_error", "message": "An unknown error occurred."}}


class ConnectionCutError(Exception):
    """The answer never leaves: raised where no socket can be cut (an app's test client)."""


def _answer(operation: str, verb: Verb, *, needs_url: bool = False, needs_file: bool = False, **ids: str) -> Response:
    """One request from its headers to its answer, faults included."""
    stand_in = stand_in_of(current_app)
    fault: Fault | None = None
    try:
        owner = _caller(stand_in)
        fault = stand_in.faults.next(request.path)
        if fault and fault.kind in UNTOUCHED:
            status, kind, message = UNTOUCHED[fault.kind]
            raise ApiError(status, message, kind=kind)
        if fault and fault.kind == "cut_before":
            return _cut()
        params = decode((request.args if request.method == "GET" else request.form).items(multi=True))
        extra: dict[str, Any] = {"base_url": _base_url(stand_in)} if needs_url else {}
        if needs_file:
            params["file"], extra["content"] = _file()

        def act() -> dict[str, Any]:
            checked = check(operation, params)
            with stand_in.state.changing():
                return verb(stand_in.desk, owner, checked, **extra, **ids)

        status, body = _once(stand_in, owner, params, act, fault)
    except ApiError as error:
        status, body = error.status, error.body
    if fault and fault.kind == "cut_after":
        return _cut()
    return _response(status, body)


def _run(act: Callable[[], dict[str, Any]], fault: Fault | None) -> tuple[int, dict[str, Any]]:
    """Do it, or fail as told. Raises ApiError for what no key shall remember."""
    if fault and fault.kind == "error_500":
        return 500, BROKEN
    try:
        answer = 200, act()
    except ApiError as error:
        if not error.stored:
            raise
        answer = error.status, error.body
    return (500, BROKEN) if fault and fault.kind == "lost_500" else answer


def _once(
    stand_in: StandIn,
    owner: str,
    params: dict[str, Any],
    act: Callable[[], dict[str, Any]],
    fault: Fault | None,
) -> tuple[int, dict[str, Any]]:
    """The first answer given under a key is the answer for ever, a 500 too; other parameters under it are an
    error.
    """
    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    if not key:
        answer = _run(act, fault)
        _linger(fault)
        return answer
    if len(key) > 255:
        raise ApiError(400, "Idempotency keys are at most 255 characters long.", kind="idempotency_error")
    name = f"{owner}|{key}"
    fingerprint = json.dumps([request.path, params], sort_keys=True)
    # Looked up and marked in one step, so that of many alike requests exactly one acts.
    with stand_in.in_flight_lock, stand_in.state.lock:
        if name in stand_in.in_flight:
            raise ApiError(
                409,
                "There is currently another in-progress request using this key.",
                code="idempotency_key_in_use",
                kind="idempotency_error",
            )
        known = stand_in.state.answers.get(name)
        if known and known["fingerprint"] != fingerprint:
            raise ApiError(
                400,
                "Keys for idempotent requests only go with the parameters they were first used with.",
                kind="idempotency_error",
            )
        if known:
            return known["status"], known["body"]
        stand_in.in_flight.add(name)
    try:
        # The answer is saved together with what was done, so that a restart cannot tear them apart.
        with stand_in.state.changing():
            status, body = _run(act, fault)
            remembered = {"fingerprint": fingerprint, "status": status, "body": body}
            stand_in.state.answers[name] = stand_in.state.snapshot(remembered)
        _linger(fault)
    finally:
        with stand_in.in_flight_lock:
            stand_in.in_flight.discard(name)
    return status, body


def _linger(fault: Fault | None) -> None:
    """Answer late, with no lock held."""
    if fault and fault.kind == "slow":
        time.sleep(fault.seconds)


def _caller(stand_in: StandIn) -> str:
    """The account that the request is for. ApiError 401 for any but a test key, 403 for no account."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not given.startswith(("sk_test_", "rk_test_")):
        raise ApiError(401, "The stand-in takes test keys only (sk_test_…).", kind="invalid_request_error")
    wanted = stand_in.config.secret_key
    if wanted and not secrets.compare_digest(given.encode(), wanted.encode()):
        raise ApiError(401, "Invalid API Key provided.", kind="invalid_request_error")
    account = request.headers.get("Stripe-Account", PLATFORM)
    if account and stand_in.state.owner_of("account", account) is None:
        raise ApiError(
            403,
            f"The provided key does not have access to account '{account}' (or that account does not exist).",
            code="account_invalid",
        )
    return account


def _file() -> tuple[str, bytes]:
    """The name and the bytes of the file that came along. ApiError without one."""
    given = request.files.get("file")
    if given is None:
        raise ApiError(400, "Missing required param: file.", code="parameter_missing", param="file")
    return given.filename or "", given.stream.read()


def _base_url(stand_in: StandIn) -> str:
    return (stand_in.config.public_url or request.host_url).rstrip("/")


def _cut() -> Response:
    """Break the connection: the caller learns nothing."""
    connection = request.environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        raise ConnectionCutError
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=204)


def _response(status: int, body: dict[str, Any]) -> Response:
    answer = Response(json.dumps(body), status, mimetype="application/json")
    answer.headers["Request-Id"] = f"req_{secrets.token_hex(7)}"
    return answer


@blueprint.post("/accounts")
def create_account() -> Response:
    """Open an account."""
    return _answer("accounts.create", accounts.create_account)


@blueprint.get("/accounts/<account_id>")
def retrieve_account(account_id: str) -> Response:
    """One account."""
    return _answer("accounts.retrieve", accounts.retrieve_account, account_id=account_id)


@blueprint.post("/accounts/<account_id>")
def update_account(account_id: str) -> Response:
    """Ask for more of what an account may do."""
    return _answer("accounts.update", accounts.update_account, account_id=account_id)


@blueprint.post("/account_links")
def create_account_link() -> Response:
    """A page for the account's owner."""
    return _answer("account_links.create", accounts.create_account_link, needs_url=True)


@blueprint.post("/checkout/sessions")
def create_session() -> Response:
    """Open a payment page."""
    return _answer("sessions.create", checkout.create_session, needs_url=True)


@blueprint.get("/checkout/sessions")
def list_sessions() -> Response:
    """The account's payment pages."""
    return _answer("sessions.list", checkout.list_sessions)


@blueprint.get("/checkout/sessions/<session_id>")
def retrieve_session(session_id: str) -> Response:
    """One payment page."""
    return _answer("sessions.retrieve", checkout.retrieve_session, session_id=session_id)


@blueprint.post("/checkout/sessions/<session_id>/expire")
def expire_session(session_id: str) -> Response:
    """Close a payment page."""
    return _answer("sessions.expire", checkout.expire_session, session_id=session_id)


@blueprint.get("/payment_intents/<intent_id>")
def retrieve_intent(intent_id: str) -> Response:
    """One payment."""
    return _answer("payment_intents.retrieve", checkout.retrieve_intent, intent_id=intent_id)


@blueprint.post("/payment_intents/<intent_id>/cancel")
def cancel_intent(intent_id: str) -> Response:
    """Give a payment up."""
    return _answer("payment_intents.cancel", vouchers.cancel_intent, intent_id=intent_id)


@blueprint.get("/charges")
def list_charges() -> Response:
    """The account's charges."""
    return _answer("charges.list", checkout.list_charges)


@blueprint.post("/customers")
def create_customer() -> Response:
    """Somebody who pays."""
    return _answer("customers.create", transfers.create_customer)


@blueprint.get("/customers/<customer_id>/cash_balance")
def retrieve_cash_balance(customer_id: str) -> Response:
    """What somebody sent that is no payment."""
    return _answer("cash_balance.retrieve", transfers.retrieve_balance, customer_id=customer_id)


@blueprint.get("/customers/<customer_id>/cash_balance_transactions")
def list_cash_balance_transactions(customer_id: str) -> Response:
    """How it came to be so."""
    return _answer("cash_balance_transactions.list", transfers.list_moves, customer_id=customer_id)


@blueprint.get("/disputes")
def list_disputes() -> Response:
    """The account's disputes."""
    return _answer("disputes.list", disputes.list_disputes)


@blueprint.get("/disputes/<dispute_id>")
def retrieve_dispute(dispute_id: str) -> Response:
    """One dispute."""
    return _answer("disputes.retrieve", disputes.retrieve_dispute, dispute_id=dispute_id)


@blueprint.post("/disputes/<dispute_id>")
def update_dispute(dispute_id: str) -> Response:
    """Say something about a dispute."""
    return _answer("disputes.update", disputes.update_dispute, dispute_id=dispute_id)


@blueprint.post("/disputes/<dispute_id>/close")
def close_dispute(dispute_id: str) -> Response:
    """Give a dispute up."""
    return _answer("disputes.close", disputes.close_dispute, dispute_id=dispute_id)


@blueprint.post("/files")
def create_file() -> Response:
    """Keep a file for a dispute."""
    return _answer("files.create", disputes.keep_file, needs_file=True)


@blueprint.get("/payouts")
def list_payouts() -> Response:
    """What was sent to the account's bank."""
    return _answer("payouts.list", payouts.list_payouts)


@blueprint.post("/refunds")
def create_refund() -> Response:
    """Refund a payment."""
    return _answer("refunds.create", refunds.create_refund)


@blueprint.get("/refunds")
def list_refunds() -> Response:
    """The account's refunds."""
    return _answer("refunds.list", refunds.list_refunds)


@blueprint.get("/refunds/<refund_id>")
def retrieve_refund(refund_id: str) -> Response:
    """One refund."""
    return _answer("refunds.retrieve", refunds.retrieve_refund, refund_id=refund_id)


@blueprint.get("/events")
def list_events() -> Response:
    """What happened on the account."""
    return _answer("events.list", desk.list_events)


@blueprint.get("/events/<event_id>")
def retrieve_event(event_id: str) -> Response:
    """One event."""
    return _answer("events.retrieve", desk.retrieve_event, event_id=event_id)


@blueprint.route("/<path:unknown>", methods=["GET", "POST", "DELETE"])
def unknown(unknown: str) -> Response:
    """Stripe may have it; the stand-in does not."""
    return _response(404, ApiError(404, f"Unrecognized request URL ({request.method}: {request.path}).").body)
