"""The pages that people see: agreeing, paying, and paying in cash later. In Spanish, without scripts."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from storefront.embedded.fakemercado.actions import is_open
from storefront.embedded.fakemercado.state import ApiError, amount_of

blueprint = Blueprint("hosted", __name__, template_folder="templates")


@blueprint.after_request
def guard(response: Response) -> Response:
    """No scripts, no frames, nothing kept by the browser."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _mercado() -> Any:
    return current_app.extensions["fakemercado"]


def _shown(**facts: Any) -> Response:
    status = facts.pop("http_status", 200)
    return make_response(render_template("fakemercado/page.html", **facts), status)


@blueprint.get("/authorization")
def consent() -> Response:
    """Whether the owner agrees."""
    return _shown(kind="consent")


@blueprint.post("/authorization")
def agree() -> AnyResponse:
    """The owner agreed: a code that is good once goes back with what came along."""
    mercado, code = _mercado(), secrets.token_hex(12)
    back = request.args.get("redirect_uri", "")
    if not back.startswith(("http://", "https://")):
        return _shown(kind="missing", http_status=400)
    with mercado.state.changing():
        mercado.state.kept["codes"][code] = {"account": str(mercado.state.number()), "redirect_uri": back}
    return redirect(f"{back}?{urlencode({'code': code, 'state': request.args.get('state', '')})}", 303)


@blueprint.get("/checkout/v1/redirect")
def payment_page() -> Response:
    """What is to be paid, and the ways in which that may end."""
    return _payment_page(200)


@blueprint.post("/checkout/v1/redirect")
def pay() -> AnyResponse:
    """The card passes, does not, or it is to be paid in cash, as the person chose."""
    wanted = request.form.get("how", "")
    try:
        payment = _mercado().pay(request.args.get("pref_id", ""), wanted)
    except (ApiError, KeyError):
        return _payment_page(400)
    if payment["status"] == "rejected":
        return _payment_page(200, rejected=True)
    page = _mercado().state.kept["pages"][request.args["pref_id"]]
    return redirect(page["back_urls"]["success"], 303)


def _payment_page(status: int, *, rejected: bool = False) -> Response:
    page = _mercado().state.kept["pages"].get(request.args.get("pref_id", ""))
    if page is None:
        return _shown(kind="missing", http_status=404)
    kind = "pay" if is_open(page) else "closed"
    back = page["back_urls"]["failure"]
    return _shown(kind=kind, total=_total(page), items=page["items"], back=back, rejected=rejected, http_status=status)


@blueprint.get("/ticket/<payment_id>")
def ticket(payment_id: str) -> Response:
    """What is paid in cash, and the two ways in which that ends."""
    payment = _mercado().state.kept["payments"].get(payment_id)
    if payment is None:
        return _shown(kind="missing", http_status=404)
    page = _mercado().state.kept["pages"][payment["_page"]]
    number = payment["transaction_details"]["payment_method_reference_id"]
    return _shown(kind="ticket", total=_total(page), status=payment["status"], number=number,
                  back=page["back_urls"]["failure"])  # fmt: skip


@blueprint.post("/ticket/<payment_id>")
def end_ticket(payment_id: str) -> AnyResponse:
    """It is paid, or its time is over, as the person chose."""
    try:
        _mercado().end_ticket(payment_id, "approved" if request.form.get("end") == "paid" else "cancelled")
    except (ApiError, KeyError):
        return redirect(url_for("hosted.ticket", payment_id=payment_id), 303)
    return redirect(url_for("hosted.ticket", payment_id=payment_id), 303)


def _total(page: dict[str, Any]) -> str:
    return f"{amount_of(page)} {page['items'][0]['currency_id']}"
