"""The customer's side of a return, behind the order's secret link: asking for one, and following it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Invalid, Refusal
from storefront.kernel.headers import keep_private
from storefront.kernel.limits import limited
from storefront.kernel.making import made_once, mark_of
from storefront.orders.queries import OrderView, order_by_token
from storefront.returns import asking, deciding
from storefront.returns.forms import ReturnForm, form_for, wanted_of
from storefront.returns.queries import return_behind, return_of_order, returns_of
from storefront.returns.terms import Terms, returnable_lines, terms_of

blueprint = Blueprint("returns", __name__)


def return_block(order: OrderView) -> Markup:
    """The slot "order.return": returns with what is next, and the way to ask for one while there is time."""
    terms, found, behind = terms_of(order.id), returns_of(order.id), return_behind(order.id)
    concerned = terms.is_delivered and terms.days and (terms.has_goods or order.has_bookings)
    if not found and behind is None and not concerned:
        return Markup("")
    something_left = bool(returnable_lines(order.id))
    open_now = any(one.is_under_way for one in found)
    return Markup(  # noqa: S704 (our own template, which escapes)
        render_template(
            "shop/returns/block.html",
            order=order,
            terms=terms,
            returns=found,
            behind=behind,
            may_ask=terms.may_be_asked and not open_now and something_left,
            why_not=_why_not(terms, something_left=something_left),
        )
    )


def _why_not(terms: Terms, *, something_left: bool) -> str:
    if not terms.has_goods:
        return _("Las reservas y los servicios no se devuelven; para cambiar una fecha, escríbele a la tienda.")
    if not terms.is_paid:
        return _("Cuando esté pagado podrás pedir una devolución aquí.")
    if not something_left:
        return _("No queda nada por devolver de este pedido.")
    return _("El tiempo para pedir una devolución ya pasó. Si algo salió mal, escríbele a la tienda.")


def _customer(order: OrderView) -> Actor:
    actor = current_actor()
    return Actor("customer", actor.id if actor.kind == "customer" else order.customer_id, "")


@blueprint.get("/pedido/<token>/devolucion")
@access("public")
def form(token: str) -> ResponseReturnValue:
    """What may come back, and until when; where nothing may, the order's page says so."""
    order = order_by_token(token)
    if not terms_of(order.id).may_be_asked:
        flash(str(asking.NoReturns.message), "care")
        return redirect(url_for("orders.show", token=token), 303)
    return _page(order, form_for(returnable_lines(order.id), formdata=None))


@blueprint.post("/pedido/<token>/devolucion")
@access("public")
@limited("upload")
def ask(token: str) -> ResponseReturnValue:
    """Ask the shop."""
    order = order_by_token(token)
    lines = returnable_lines(order.id)
    typed = form_for(lines)
    if not typed.validate():
        return _page(order, typed, 422)
    photo = request.files.get("photo")
    stream = photo.stream if photo is not None and photo.filename else None
    by = _customer(order)
    try:
        made_once(
            mark_of(typed.key.data, f"return:{order.code}"), by,
            lambda: asking.ask(order.id, wanted_of(typed, lines), by, stream).code,
        )  # fmt: skip
    except Refusal as refusal:
        if stream is not None and isinstance(refusal, Invalid) and not isinstance(refusal, asking.NothingChosen):
            typed.photo.errors = (str(refusal),)
        else:
            typed.form_errors = [str(refusal)]
        return _page(order, typed, refusal.status)
    flash(_("Le avisamos a la tienda. Te responde aquí y por correo, si lo dejaste."), "good")
    return redirect(url_for("orders.show", token=token), 303)


def _page(order: OrderView, typed: ReturnForm, status: int = 200) -> ResponseReturnValue:
    answer = make_response(
        render_template(
            "shop/returns/ask.html",
            order=order,
            form=typed,
            terms=terms_of(order.id),
            lines=[line for line in returnable_lines(order.id) if f"units_{line.position}" in typed],
        ),
        status,
    )
    keep_private(answer)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@blueprint.post("/pedido/<token>/devolucion/<code>/retirar")
@access("public")
def withdraw(token: str, code: str) -> ResponseReturnValue:
    """The customer keeps the goods after all."""
    return _step(token, code, deciding.withdraw, _("Listo: te quedas con lo que compraste."))


@blueprint.post("/pedido/<token>/devolucion/<code>/enviada")
@access("public")
def sent(token: str, code: str) -> ResponseReturnValue:
    """The goods are on their way back."""
    return _step(token, code, deciding.send_off, _("Gracias. La tienda te avisa cuando le llegue."))


def _step(token: str, code: str, work: Callable[[int, Actor], None], done: str) -> ResponseReturnValue:
    order = order_by_token(token)
    found = return_of_order(order.id, code)
    try:
        work(found.id, _customer(order))
        flash(done, "good")
    except Refusal as refusal:
        flash(str(refusal), "care")
    return redirect(url_for("orders.show", token=token), 303)
