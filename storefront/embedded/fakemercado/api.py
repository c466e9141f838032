"""The face that the application speaks to: who asks, with which token, and one answer for each idempotency key."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request

from storefront.embedded.fakemercado import actions
from storefront.embedded.fakemercado.state import ApiError, public

blueprint = Blueprint("api", __name__)
UNTOUCHED = {"unavailable": 503, "rate_limited": 429}
_AMOUNT = re.compile(r'"(amount|transaction_amount)": "([0-9.]+)"')


def _mercado() -> Any:
    return current_app.extensions["fakemercado"]


def _answer(act: Callable[[str], Any], status: int = 200) -> Response:
    """One request from its token to its answer, faults included."""
    mercado = _mercado()
    fault = mercado.faults.next(request.path)
    kind = fault.kind if fault else ""
    if kind in UNTOUCHED or kind == "error_500":
        return _response(UNTOUCHED.get(kind, 500), {"error": "api_error"})
    if kind == "cut_before":
        return cut()
    try:
        with mercado.state.changing():
            answered, body = _once(_account(), act, status)
    except ApiError as error:
        answered, body = error.status, error.body
    return cut() if kind == "cut_after" else _response(answered, body)


def _once(account: str, act: Callable[[str], Any], status: int) -> tuple[int, Any]:
    key = request.headers.get("X-Idempotency-Key", "")
    if not key:
        return status, act(account)
    answers, name = _mercado().state.kept["answers"], f"{account}|{request.path}|{key}"
    if name not in answers:
        answers[name] = json.loads(json.dumps([status, act(account)]))
    known = answers[name]
    return int(known[0]), known[1]


def _account() -> str:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    account = _mercado().state.kept["tokens"].get(given)
    if account is None:
        raise ApiError(401, "unauthorized", "invalid access token")
    return str(account)


def _said() -> dict[str, Any]:
    said = request.get_json(silent=True)
    return said if isinstance(said, dict) else {}


def _response(status: int, body: Any) -> Response:
    # Amounts are kept in text and go out as the numbers they are.
    return Response(_AMOUNT.sub(r'"\1": \2', json.dumps(body)), status, mimetype="application/json")


def cut() -> Response:
    """Break the connection off: the caller sees no answer."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=204)


@blueprint.post("/oauth/token")
def token() -> Response:
    """Tokens for a code or for what renews; each is good once."""
    mercado, said = _mercado(), _said()
    try:
        with mercado.state.changing():
            if (said.get("client_id"), said.get("client_secret")) != (mercado.client_id, mercado.client_secret):
                raise ApiError(401, "invalid_client")
            kept = mercado.state.kept
            if said.get("grant_type") == "refresh_token":
                account = kept["refreshes"].pop(said.get("refresh_token", ""), None)
            else:
                found = kept["codes"].pop(said.get("code", ""), None)
                account = found["account"] if found and found["redirect_uri"] == said.get("redirect_uri") else None
            if account is None:
                raise ApiError(400, "invalid_grant")
            return _response(200, mercado.state.tokens_for(account))
    except ApiError as error:
        return _response(error.status, error.body)


@blueprint.post("/checkout/preferences")
def open_page() -> Response:
    """Open a page."""
    base = _mercado().public_url or request.host_url.rstrip("/")
    return _answer(lambda account: actions.open_page(_mercado().state, account, _said(), base), 201)


@blueprint.get("/checkout/preferences/search")
def find_pages() -> Response:
    """An account's pages of one reference, newest first, in the short form that a search gives."""
    wanted = request.args.get("external_reference", "")
    names = ("id", "external_reference", "collector_id", "date_created")

    def act(account: str) -> Any:
        pages = [
            {name: page.get(name) for name in names}
            for page in reversed(_mercado().state.kept["pages"].values())
            if page["_account"] == account and page.get("external_reference") == wanted
        ]
        return {"elements": pages, "total": len(pages), "next_offset": len(pages)}

    return _answer(act)


@blueprint.get("/checkout/preferences/<page_id>")
def show_page(page_id: str) -> Response:
    """One page."""
    return _answer(lambda account: public(_mercado().state.of("pages", page_id, account)))


@blueprint.put("/checkout/preferences/<page_id>")
def change_page(page_id: str) -> Response:
    """Set until when a page can be paid."""
    return _answer(lambda account: actions.change_page(_mercado().state.of("pages", page_id, account), _said()))


@blueprint.get("/v1/payments/search")
def find_payments() -> Response:
    """An account's payments of a reference, or within a range of time, a page at a time."""
    said = request.args

    def act(account: str) -> Any:
        found = [public(one) for one in _mercado().state.payments_of(account)]
        if "external_reference" in said:
            found = [one for one in found if one["external_reference"] == said["external_reference"]]
        if which := said.get("range"):
            since, until = (datetime.fromisoformat(said[name]) for name in ("begin_date", "end_date"))
            found = [one for one in found if one[which] and since <= datetime.fromisoformat(one[which]) <= until]
        start, count = int(said.get("offset", 0)), int(said.get("limit", 30))
        paging = {"total": len(found), "limit": count, "offset": start}
        return {"results": found[start : start + count], "paging": paging}

    return _answer(act)


@blueprint.get("/v1/payments/<payment_id>")
def show_payment(payment_id: str) -> Response:
    """One payment."""
    return _answer(lambda account: public(_mercado().state.of("payments", payment_id, account)))


@blueprint.put("/v1/payments/<payment_id>")
def change_payment(payment_id: str) -> Response:
    """Give up what was to be paid in cash."""
    if _said() != {"status": "cancelled"}:
        return _response(400, ApiError(400, "stand_in_unsupported").body)
    return _answer(
        lambda account: actions.end_ticket(_mercado().state.of("payments", payment_id, account), "cancelled")
    )


@blueprint.post("/v1/payments/<payment_id>/refunds")
def send_back(payment_id: str) -> Response:
    """Money back. It wants a key, and acts once for it."""
    if not request.headers.get("X-Idempotency-Key"):
        return _response(400, ApiError(400, "4292", "Header X-Idempotency-Key can't be null").body)
    mercado = _mercado()
    return _answer(
        lambda account: actions.send_back(
            mercado.state, mercado.state.of("payments", payment_id, account), _said(), mercado.refund_status
        ),
        201,
    )


@blueprint.get("/v1/payments/<payment_id>/refunds")
def refunds(payment_id: str) -> Response:
    """What went back of a payment, oldest first."""
    return _answer(lambda account: _mercado().state.of("payments", payment_id, account)["refunds"])


@blueprint.get("/v1/payments/<payment_id>/refunds/<refund_id>")
def refund(payment_id: str, refund_id: str) -> Response:
    """One refund."""

    def act(account: str) -> Any:
        found = _mercado().state.of("payments", payment_id, account)["refunds"]
        one = next((one for one in found if str(one["id"]) == refund_id), None)
        if one is None:
            raise ApiError(404, "not_found")
        return one

    return _answer(act)
