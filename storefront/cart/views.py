"""The cart's page and its small forms. The token is in the visitor's session; without one there is no statement."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from storefront.cart.actions import (
    BadQuantity,
    CartRef,
    UnknownCoupon,
    add_booking,
    add_goods_by_code,
    drop_coupon,
    drop_troubled,
    remove_line,
    restore_line,
    set_quantity,
    use_coupon,
)
from storefront.cart.forms import BookingForm, GoodsForm, QuantityForm
from storefront.cart.queries import cart_view
from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Invalid
from storefront.kernel.http import wants_problem
from storefront.kernel.limits import limited
from storefront.promotions.buyers import Buyer
from storefront.promotions.words import coupon_note
from storefront.reservations.actions import SlotTaken

blueprint = Blueprint("cart", __name__)

TOKEN, COUNT = "cart", "cart_count"


def _customer_id() -> int | None:
    actor = current_actor()
    return actor.id if actor.kind == "customer" else None


def _remember(cart: CartRef) -> None:
    session[TOKEN] = cart.token
    session[COUNT] = cart.count


def _locale() -> str:
    return str(get_locale() or "")


@blueprint.app_context_processor
def _cart_count() -> dict[str, Any]:
    """The number beside the cart, from the session alone."""
    return {"cart_count": session.get(COUNT, 0) if session else 0}


@blueprint.get("/carrito")
@access("public")
def show() -> ResponseReturnValue:
    """What is in the cart, at today's prices."""
    cart = cart_view(session.get(TOKEN), _locale(), Buyer(_customer_id()))
    if session.get(COUNT, 0) != cart.item_count:
        session[COUNT] = cart.item_count
    return render_template("shop/cart/cart.html", cart=cart, coupon_note=coupon_note(cart.offers, cart.totals))


@blueprint.post("/carrito")
@access("public")
def add() -> ResponseReturnValue:
    """Put goods in and stay where one was."""
    form = GoodsForm()
    if not form.validate():
        raise BadQuantity
    cart = add_goods_by_code(
        session.get(TOKEN),
        str(form.variant.data),
        int(form.quantity.data or 1),
        locale=_locale(),
        customer_id=_customer_id(),
    )
    _remember(cart)
    flash(_("Agregado a tu carrito."), "good")
    return redirect(safe_referrer() or url_for(".show"), 303)


@blueprint.post("/carrito/reservas")
@access("public")
def book() -> ResponseReturnValue:
    """Keep a time or a stay and show it in the cart, where its countdown runs."""
    form = BookingForm()
    if not form.validate() or form.instant is None:
        raise Invalid(_("Elige un horario de la lista y una cantidad."))
    quantity = int(form.quantity.data or 1)
    try:
        cart = add_booking(
            session.get(TOKEN),
            str(form.variant.data),
            form.instant,
            quantity=quantity,
            nights=form.nights.data,
            locale=_locale(),
            customer_id=_customer_id(),
        )
    except SlotTaken as taken:
        if wants_problem():
            raise
        wish = {"cerca": form.instant.isoformat(), "lugares": quantity, "noches": form.nights.data}
        return redirect(url_for("catalogue.product", slug=taken.product_slug, _anchor="reservar", **wish), 303)
    _remember(cart)
    flash(_("Apartamos tu lugar. Termina tu pedido antes de que se acabe el tiempo."), "good")
    return redirect(url_for(".show"), 303)


@blueprint.post("/carrito/<code>/cantidad")
@access("public")
def change(code: str) -> ResponseReturnValue:
    """Change how many."""
    form = QuantityForm()
    if not form.validate():
        raise BadQuantity
    _remember(set_quantity(session.get(TOKEN), code, int(form.quantity.data or 1)))
    return redirect(url_for(".show"), 303)


@blueprint.post("/carrito/<code>/quitar")
@access("public")
def remove(code: str) -> ResponseReturnValue:
    """Take a line out, with a way back."""
    removed = remove_line(session.get(TOKEN), code, Actor("customer", _customer_id(), ""))
    _remember(removed.cart)
    said = {"text": _("Quitamos %(name)s.", name=removed.name), "undo": url_for(".restore", code=removed.code)}
    flash(said, "info")  # type: ignore[arg-type]  # a mapping is drawn with its way back
    return redirect(url_for(".show"), 303)


@blueprint.post("/carrito/<code>/devolver")
@access("public")
def restore(code: str) -> ResponseReturnValue:
    """Put a removed line back."""
    _remember(restore_line(session.get(TOKEN), code))
    return redirect(url_for(".show"), 303)


@blueprint.post("/carrito/cupon")
@access("public")
@limited("coupon")
def coupon() -> ResponseReturnValue:
    """Keep a typed code with the cart."""
    try:
        use_coupon(session.get(TOKEN), request.form.get("coupon", ""))
    except UnknownCoupon as refusal:
        if wants_problem():
            raise
        flash(str(refusal), "care")
    return redirect(url_for(".show"), 303)


@blueprint.post("/carrito/cupon/quitar")
@access("public")
def without_coupon() -> ResponseReturnValue:
    """Take the coupon off again."""
    drop_coupon(session.get(TOKEN))
    return redirect(url_for(".show"), 303)


@blueprint.post("/carrito/limpiar")
@access("public")
def clean() -> ResponseReturnValue:
    """Take out everything that cannot be ordered any more."""
    _remember(drop_troubled(session.get(TOKEN), request.form.getlist("line")))
    return redirect(url_for(".show"), 303)
