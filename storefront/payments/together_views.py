"""Paying several orders at once, from the customer's side.

Whoever holds an order's secret link may pay it: with others whose links they show, too. What is offered without asking
are the orders that this browser placed, and those of the account that is logged in.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import FileStorage

from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Refusal
from storefront.kernel.forms import whole_number
from storefront.kernel.limits import limited
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import NoSuchOrder, OrderRow, OrderView, order_by_token
from storefront.payments import together
from storefront.payments.actions import start_card
from storefront.payments.forms import TogetherForm
from storefront.payments.methods import METHODS, TRANSFER
from storefront.payments.queries import latest_card_attempt
from storefront.payments.together_queries import open_page, paid_with, payable_with, takes_more

blueprint = Blueprint("together", __name__)

REMEMBERED = "orders"
MOST_REMEMBERED = 5
PAY = "pay"


def remember_order(token: str) -> None:
    """Let this browser know an order's secret link, so that it can be paid with the next one."""
    known = [one for one in session.get(REMEMBERED, []) if one != token]
    session[REMEMBERED] = [*known, token][-MOST_REMEMBERED:]


def _customer(order: OrderView) -> Actor:
    actor = current_actor()
    return actor if actor.kind == "customer" else Actor("customer", order.customer_id, "")


def _others(order: OrderView, tokens: Sequence[str] = ()) -> list[OrderRow]:
    actor = current_actor()
    known = session.get(REMEMBERED, []) if session else []
    return payable_with(order, [*known, *tokens], actor.id if actor.kind == "customer" else None)


def together_block(order: OrderView) -> Markup:
    """Beneath what is to be paid: a payment for several orders that is under way, those that were paid so, or the way
    to begin one."""
    page = open_page(order.id) if order.is_to_be_paid else None
    with_it = paid_with(order.id)
    may_begin = takes_more(order)
    if not (page or with_it or may_begin):
        return Markup("")
    return Markup(  # noqa: S704 (our own template, which escapes)
        render_template(
            "shop/payments/_together.html",
            order=order,
            page=page,
            with_it=with_it,
            others=_others(order) if may_begin else [],
            may_begin=may_begin,
        )
    )


@blueprint.get("/pedido/<token>/juntos")
@access("public")
def show(token: str) -> ResponseReturnValue:
    """Which orders, and what they come to."""
    order = order_by_token(token)
    if not takes_more(order):
        return redirect(url_for("orders.show", token=token), 303)
    form = TogetherForm(formdata=None)
    others = _others(order)
    form.orders.data = [row.token for row in others]
    return _page(order, others, form)


def _page(order: OrderView, others: Sequence[OrderRow], form: TogetherForm) -> str:
    """The page with the total of what is chosen, which the form brings back."""
    form.orders.choices = [(row.token, f"{row.code} · {row.first_line}") for row in others]
    chosen = [row for row in others if row.token in (form.orders.data or [])]
    rows = [(order.code, order.due_now), *((row.code, row.due_now) for row in chosen)]
    total = Money(sum(due.minor for _code, due in rows), order.currency)
    form.shown.data = str(total.minor)
    return render_template(
        "shop/payments/together.html",
        order=order,
        form=form,
        others=others,
        rows=rows,
        total=total,
        codes=" ".join(code for code, _due in rows),
        method=METHODS[order.payment_method],
        bank_details=current_shop().bank_details if order.payment_method == TRANSFER else "",
    )


@blueprint.post("/pedido/<token>/juntos")
@access("public")
@limited("checkout")
def pay(token: str) -> ResponseReturnValue:
    """On to the page that pays them all, or the proof of the transfer that did; any other button shows the total."""
    order = order_by_token(token)
    form = TogetherForm()
    tokens = [*request.form.getlist("orders"), _token_in(form.link.data or "")][: together.MOST]
    others = _others(order, tokens)
    form.orders.data = [row.token for row in others if row.token in tokens]
    if form.link.data:
        return _added(order, others, form)
    form.orders.choices = [(row.token, row.code) for row in others]
    photo = request.files.get("photo")
    if request.form.get("do") != PAY:
        return _page(order, others, form)
    wants_photo = order.payment_method == TRANSFER and not photo
    if not form.validate() or wants_photo:
        form.photo.errors = (_("Elige la foto de tu comprobante."),) if wants_photo else ()
        return _page(order, others, form), 422
    try:
        return _pay(order, [row.id for row in others if row.token in (form.orders.data or [])], form, photo)
    except Refusal as refusal:
        return _again(token, tokens, form, refusal)


def _again(token: str, tokens: Sequence[str], form: TogetherForm, refusal: Refusal) -> ResponseReturnValue:
    """What is owed now, and why it did not work; with nothing owed any more, the order's own page."""
    flash(str(refusal), "care")
    now = order_by_token(token)
    if not takes_more(now):
        return redirect(url_for("orders.show", token=token), 303)
    return _page(now, _others(now, tokens), form), refusal.status


def _pay(order: OrderView, others: Sequence[int], form: TogetherForm, photo: FileStorage | None) -> ResponseReturnValue:
    shown_minor = whole_number(form.shown.data) or 0
    order_ids = [order.id, *others]
    if order.payment_method != TRANSFER or photo is None:
        return redirect(start_card(together.begin(order_ids, order.id, shown_minor, _customer(order))), 303)
    reference = form.reference.data or ""
    together.submit_proof(order_ids, order.id, shown_minor, photo.stream, reference, _customer(order))
    flash(_("Recibimos tu comprobante. La tienda lo revisa y te confirma."), "good")
    return redirect(url_for("orders.show", token=order.token), 303)


def _token_in(link: str) -> str:
    """The secret in an order's address, as somebody pastes it."""
    return link.partition("/pedido/")[2].partition("/")[0].partition("?")[0].strip()


def _added(order: OrderView, others: Sequence[OrderRow], form: TogetherForm) -> ResponseReturnValue:
    """Another order by its link: its total is shown before anything is paid."""
    token = _token_in(form.link.data or "")
    if token in {row.token for row in others}:
        remember_order(token)
        form.link.data, form.link.raw_data = "", None
        return _page(order, others, form)
    form.link.errors = (_why_not(token),)
    return _page(order, others, form), 422


def _why_not(token: str) -> str:
    try:
        order_by_token(token)
    except NoSuchOrder:
        return _("No encontramos ese pedido. Copia la dirección completa de su página.")
    return _("Ese pedido no se puede pagar junto con este: ya se pagó, terminó o se paga de otra forma.")


@blueprint.post("/pedido/<token>/juntos/seguir")
@access("public")
@limited("checkout")
def go_on(token: str) -> ResponseReturnValue:
    """Back to the page that is open for several orders."""
    order = order_by_token(token)
    attempt_id = latest_card_attempt(order.id)
    if attempt_id is None or open_page(order.id) is None:
        return redirect(url_for("orders.show", token=token), 303)
    return redirect(start_card(attempt_id), 303)
