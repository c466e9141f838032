"""The customer's side of a change: what would be different on the order's page, and a yes or a no."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.changes.answering import agree, decline
from storefront.changes.models import Agreement
from storefront.changes.queries import change_by_code, changes_of
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Refusal
from storefront.orders.queries import OrderView, order_by_token
from storefront.orders.states import OrderState

blueprint = Blueprint("changes", __name__)


def change_block(order: OrderView) -> Markup:
    """The slot "order.change": the change or the price that is waited for, and the changes that were made."""
    found = changes_of(order.id)
    if not found and not order.awaits_delivery_price:
        return Markup("")
    return Markup(  # noqa: S704 (our own template, which escapes)
        render_template(
            "shop/changes/block.html",
            order=order,
            waiting=next((change for change in found if change.waits), None) if not order.is_over else None,
            made=[change for change in found if change.agreement is not None],
        )
    )


def _customer(order: OrderView) -> Actor:
    actor = current_actor()
    return Actor("customer", actor.id if actor.kind == "customer" else order.customer_id, "")


@blueprint.post("/pedido/<token>/cambio/<code>/si")
@access("public")
def yes(token: str, code: str) -> ResponseReturnValue:
    """The customer agrees to what they see: a change never alters once it was proposed."""
    order = order_by_token(token)
    change = change_by_code(order.id, code)
    try:
        agree(change.id, _customer(order), Agreement.PAGE)
        is_to_be_paid = change.is_delivery_price and order_by_token(token).state is OrderState.AWAITING_PAYMENT
        done = _("Listo: quedó el precio del envío. Ahora falta tu pago.")
        flash(done if is_to_be_paid else _("Listo: tu pedido quedó con el cambio."), "good")
    except Refusal as refusal:
        flash(str(refusal), "care")
    return redirect(url_for("orders.show", token=token), 303)


@blueprint.post("/pedido/<token>/cambio/<code>/no")
@access("public")
def no(token: str, code: str) -> ResponseReturnValue:
    """The customer wants it as it was."""
    order = order_by_token(token)
    change = change_by_code(order.id, code)
    try:
        decline(change.id, _customer(order))
        flash(_("Tu pedido se queda como estaba. Le avisamos a la tienda."), "info")
    except Refusal as refusal:
        flash(str(refusal), "care")
    return redirect(url_for("orders.show", token=token), 303)
