"""The page behind a payment link: what is due, and the ways in which it can be paid now.

Looking at it changes nothing: chats open links by themselves to show a picture of them.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Refusal
from storefront.kernel.headers import keep_private
from storefront.kernel.limits import limited
from storefront.orders.queries import OrderView, order_by_token
from storefront.payments.links import WayClosed, pay_by, ways_for

blueprint = Blueprint("pay", __name__)

HURRY = timedelta(hours=3)
"""From here on the minutes that are left are counted down."""


def _page(order: OrderView, error: str = "", status: int = 200) -> ResponseReturnValue:
    ways = ways_for(order)
    codes = [way.code for way in ways]
    chosen = order.payment_method if order.payment_method in codes else codes[0] if len(codes) == 1 else ""
    left = order.expires_at - clock.now() if order.is_waiting and order.expires_at else None
    is_late = left is not None and left <= timedelta()
    answer = make_response(
        render_template(
            "shop/payments/pay.html",
            order=order,
            ways=[] if is_late else ways,
            chosen=chosen,
            error=error,
            late=is_late,
            hurry=left is not None and left < HURRY,
        ),
        status,
    )
    keep_private(answer)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@blueprint.get("/pagar/<token>")
@access("public")
def show(token: str) -> ResponseReturnValue:
    """What is due and how to pay it; or why there is nothing to pay."""
    return _page(order_by_token(token))


@blueprint.post("/pagar/<token>")
@access("public")
@limited("checkout")
def pay(token: str) -> ResponseReturnValue:
    """On to the provider's page, or to the details of the transfer."""
    order = order_by_token(token)
    actor = current_actor()
    by = Actor("customer", actor.id if actor.kind == "customer" else order.customer_id, "")
    try:
        elsewhere = pay_by(order.id, request.form.get("way", "")[:40], by)
    except WayClosed:
        if ways_for(order):
            return _page(order, _("Elige cómo quieres pagar."), WayClosed.status)
        return redirect(url_for(".show", token=token), 303)
    except Refusal as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".show", token=token), 303)
    return redirect(elsewhere or url_for("orders.show", token=token), 303)
