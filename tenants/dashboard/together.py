"""One payment for several orders of one person, noted at the desk: cash that was handed over, or a transfer seen in the
bank."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import HiddenField, SelectMultipleField
from wtforms.validators import Optional

from storefront.delivery.handing import note_cash_among_others
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Refusal
from storefront.kernel.forms import Form, whole_number
from storefront.kernel.money import Money
from storefront.orders.queries import OrderRow, OrderView, order_by_code
from storefront.payments import together
from storefront.payments.methods import CASH
from storefront.payments.together_queries import others_of_buyer, paid_with
from storefront.payments.transfers import record_transfer
from tenants.identity import current_person

blueprint = Blueprint("desk_together", __name__)

PAID = "paid"


class OthersForm(Form):
    """Which other orders the money was for; `shown` is the total that was seen."""

    orders = SelectMultipleField(_l("Qué otros pedidos pagó"), [Optional()])
    shown = HiddenField()


def together_block(order: OrderView) -> Markup:
    """The slot "desk.together": with which orders it was paid, or that its buyer owes for others."""
    person = current_person()
    may_note = person is not None and person.may("orders:write" if order.payment_method in CASH else "payments:review")
    others = others_of_buyer(order) if may_note else []
    with_it = paid_with(order.id)
    if not (others or with_it):
        return Markup("")
    page = render_template("dashboard/orders/_together.html", order=order, others=others, with_it=with_it)
    return Markup(page)  # noqa: S704 (our own template, which escapes)


@blueprint.get("/pedidos/<code>/juntos")
@access("staff", "orders:write")
def show(code: str) -> ResponseReturnValue:
    """What else the same person owes, and what it comes to."""
    order = order_by_code(code)
    others = others_of_buyer(order)
    if not others:
        return redirect(url_for("desk_orders.show", code=order.code), 303)
    form = OthersForm(formdata=None)
    form.orders.data = [row.code for row in others]
    return _page(order, others, form)


def _page(order: OrderView, others: Sequence[OrderRow], form: OthersForm) -> str:
    form.orders.choices = [(row.code, f"{row.code} · {row.first_line}") for row in others]
    chosen = [row for row in others if row.code in (form.orders.data or [])]
    rows = [(order.code, order.due_now), *((row.code, row.due_now) for row in chosen)]
    total = Money(sum(due.minor for _code, due in rows), order.currency)
    form.shown.data = str(total.minor)
    in_cash = order.payment_method in CASH
    action = url_for(".cash" if in_cash else ".transfer", code=order.code)
    return render_template(
        "dashboard/orders/together.html", order=order, form=form, rows=rows, total=total, in_cash=in_cash, action=action
    )


@blueprint.post("/pedidos/<code>/juntos/efectivo")
@access("staff", "orders:write")
def cash(code: str) -> ResponseReturnValue:
    """They paid for all of them in cash."""
    return _note(code, note_cash_among_others, in_cash=True)


@blueprint.post("/pedidos/<code>/juntos/transferencia")
@access("staff", "payments:review")
def transfer(code: str) -> ResponseReturnValue:
    """One transfer for all of them is in the bank."""
    return _note(code, record_transfer, in_cash=False)


def _note(code: str, each: Callable[[int, Actor], object], *, in_cash: bool) -> ResponseReturnValue:
    order = order_by_code(code)
    others = others_of_buyer(order)
    form = OthersForm()
    form.orders.data = [row.code for row in others if row.code in request.form.getlist("orders")]
    if request.form.get("do") != PAID or (order.payment_method in CASH) != in_cash:
        return _page(order, others, form)
    shown_minor = whole_number(form.shown.data) or 0
    chosen = [row.id for row in others if row.code in form.orders.data]
    try:
        together.note_all([order.id, *chosen], shown_minor, current_actor(), each)
    except Refusal as refusal:
        flash(str(refusal), "care")
        now = order_by_code(code)
        return _page(now, others_of_buyer(now), form), refusal.status
    flash(_("Anotamos un solo pago para %(many)s pedidos.", many=len(chosen) + 1), "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)


SLOTS = {"desk.together": together_block}
