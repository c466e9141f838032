"""The pages that people see: paying, and completing an account. In Spanish, without scripts, and saying that
no money moves.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from storefront.embedded.fakestripe import accounts, checkout, vouchers
from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.standin import StandIn, stand_in_of

ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
"""Currencies whose amounts Stripe counts in whole units."""

blueprint = Blueprint("hosted", __name__, template_folder="templates")


@blueprint.app_errorhandler(404)
def missing(error: Exception) -> tuple[str, int]:
    """Nothing here."""
    return render_template("fakestripe/closed.html", status="missing", back=None), 404


@blueprint.after_request
def guard(response: Response) -> Response:
    """No scripts, no frames, nothing kept by the browser."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/c/pay/<session_id>")
def payment_page(session_id: str) -> Response:
    """What is to be paid, and three ways to go on."""
    return _payment_page(stand_in_of(current_app), session_id)


@blueprint.post("/c/pay/<session_id>")
def make_payment(session_id: str) -> AnyResponse:
    """The card is accepted or refused, as the person chose."""
    stand_in = stand_in_of(current_app)
    try:
        if request.form.get("later"):
            session = stand_in.issue(session_id, (stand_in.config.public_url or request.host_url).rstrip("/"))
            return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)
        if request.form.get("card") != "accepted":
            stand_in.decline(session_id)
            return redirect(url_for("hosted.payment_page", session_id=session_id), 303)
        session = stand_in.pay(session_id)
    except ApiError as error:
        # Paid or closed in the meantime, perhaps in another tab: the page says so.
        return _payment_page(stand_in, session_id, error.status)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)


@blueprint.post("/c/pay/<session_id>/dispute")
def contest(session_id: str) -> AnyResponse:
    """Whoever paid goes to their bank, or the bank decides, as the person chose."""
    stand_in = stand_in_of(current_app)
    step = request.form.get("step", "")
    try:
        intent_id = _session(stand_in, session_id)["payment_intent"] or ""
        contested = _contested(stand_in, intent_id)
        if contested is None:
            stand_in.dispute(intent_id, inquiry=step == "inquiry")
        elif step == "dispute":
            stand_in.escalate(contested["id"])
        elif step in {"won", "lost"}:
            stand_in.decide_dispute(contested["id"], won=step == "won")
    except ApiError as error:
        return _payment_page(stand_in, session_id, error.status)
    return redirect(url_for("hosted.payment_page", session_id=session_id), 303)


@blueprint.get("/voucher/<intent_id>")
def voucher_page(intent_id: str) -> Response:
    """What is paid later, and the two ways in which that ends."""
    return _voucher_page(stand_in_of(current_app), intent_id)


@blueprint.post("/voucher/<intent_id>")
def end_voucher(intent_id: str) -> AnyResponse:
    """It is paid, or its time is over, as the person chose."""
    stand_in = stand_in_of(current_app)
    try:
        if request.form.get("end") == "sent":
            stand_in.transfer(intent_id, round(float(request.form.get("amount") or 0) * 100))
        elif request.form.get("end") == "paid":
            stand_in.pay_voucher(intent_id)
        else:
            stand_in.let_voucher_lapse(intent_id)
    except (ApiError, ValueError, OverflowError) as error:
        return _voucher_page(stand_in, intent_id, getattr(error, "status", 400))
    return redirect(url_for("hosted.voucher_page", intent_id=intent_id), 303)


@blueprint.get("/setup/<link_id>")
def setup_page(link_id: str) -> AnyResponse:
    """The owner's page; a spent link leads back to the shop for a new one."""
    stand_in = stand_in_of(current_app)
    try:
        link = accounts.open_link(stand_in.desk, link_id)
    except ApiError as error:
        return make_response(render_template("fakestripe/closed.html", status="missing", back=None), error.status)
    if not link["good"]:
        return redirect(link["refresh_url"], 303)
    return make_response(render_template("fakestripe/setup.html", link=link))


@blueprint.post("/setup/<link_id>")
def complete_setup(link_id: str) -> AnyResponse:
    """The owner confirms."""
    stand_in = stand_in_of(current_app)
    try:
        with stand_in.state.changing():
            link = accounts.open_link(stand_in.desk, link_id)
            if link["good"]:
                accounts.use_link(stand_in.desk, link_id)
    except ApiError as error:
        return make_response(render_template("fakestripe/closed.html", status="missing", back=None), error.status)
    return redirect(link["return_url"] if link["good"] else link["refresh_url"], 303)


def _payment_page(stand_in: StandIn, session_id: str, status: int = 200) -> Response:
    checkout.expire_due(stand_in.desk)
    owner = stand_in.state.owner_of("checkout.session", session_id)
    if owner is None:
        return make_response(render_template("fakestripe/closed.html", status="missing", back=None), 404)
    with stand_in.state.lock:
        session = stand_in.state.snapshot(stand_in.state.find("checkout.session", session_id, owner))
        declined = bool(session["payment_intent"]) and bool(
            stand_in.state.find("payment_intent", session["payment_intent"], owner)["last_payment_error"]
        )
        account = stand_in.state.objects.get(owner, {})
    if session["status"] != "open":
        back = session["success_url"] if session["status"] == "complete" else session["cancel_url"]
        back = back.replace("{CHECKOUT_SESSION_ID}", session_id)
        paid = session["payment_status"] == "paid"
        page = render_template(
            "fakestripe/closed.html",
            status=session["status"],
            back=back,
            contest=url_for("hosted.contest", session_id=session_id) if paid else None,
            contested=_contested(stand_in, session["payment_intent"]) if paid else None,
        )
        return make_response(page, status)
    page = render_template(
        "fakestripe/pay.html",
        shop_name=account.get("business_profile", {}).get("name", ""),
        lines=[_shown_line(line) for line in session["_lines"]],
        total=_shown(session["amount_total"], session["currency"]),
        declined=declined,
        method=vouchers.method_of(session),
        cancel_url=session["cancel_url"],
    )
    return make_response(page, status)


def _session(stand_in: StandIn, session_id: str) -> dict[str, Any]:
    """A payment page as it is. ApiError 404."""
    owner = stand_in.state.owner_of("checkout.session", session_id)
    with stand_in.state.lock:
        return stand_in.state.snapshot(stand_in.state.find("checkout.session", session_id, owner or ""))


def _contested(stand_in: StandIn, intent_id: str) -> dict[str, Any] | None:
    """The dispute about a payment, the latest."""
    return next((one for one in stand_in.state.every("dispute") if one["payment_intent"] == intent_id), None)


def _voucher_page(stand_in: StandIn, intent_id: str, status: int = 200) -> Response:
    stand_in.pass_time()
    owner = stand_in.state.owner_of("payment_intent", intent_id)
    if owner is None:
        return make_response(render_template("fakestripe/closed.html", status="missing", back=None), 404)
    with stand_in.state.lock:
        intent = stand_in.state.snapshot(stand_in.state.find("payment_intent", intent_id, owner))
        session = stand_in.state.snapshot(stand_in.state.find("checkout.session", intent["_session"], owner))
    page = render_template(
        "fakestripe/voucher.html",
        total=_shown(intent["amount"], intent["currency"]),
        method=vouchers.method_of(session),
        status=intent["status"],
        shown=(intent["next_action"] or {}).get((intent["next_action"] or {}).get("type", ""), {}),
        back=session["cancel_url"],
    )
    return make_response(page, status)


def _shown_line(line: dict[str, Any]) -> dict[str, Any]:
    price = line["price_data"]
    amount = _shown(price["unit_amount"] * line["quantity"], price["currency"])
    return {"name": price["product_data"]["name"], "quantity": line["quantity"], "amount": amount}


def _shown(amount: int, currency: str) -> str:
    """The amount as people write it, with the code so that nobody mistakes one peso for another."""
    digits = 0 if currency in ZERO_DECIMAL else 2
    pattern = "#,##0.00" if digits else "#,##0"
    number = format_decimal(Decimal(amount).scaleb(-digits), format=pattern, locale="es_419")
    return f"{number} {currency.upper()}"
