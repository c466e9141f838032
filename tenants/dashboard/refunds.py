"""Sending a part of the money back: choose the pieces, look at the amounts, and only then decide."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, RadioField, SelectChoice
from wtforms.validators import DataRequired, NumberRange, Optional

from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.filters import money
from storefront.kernel.forms import MoneyField
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import OrderView, order_by_code
from storefront.payments import queries, refunding
from storefront.payments.refunding import WantedLine, Wish
from storefront.payments.returns import REASONS, PaidOrder

blueprint = Blueprint("desk_refunds", __name__)


class RefundForm(MakingForm):
    """What goes back besides the lines, which `_form_for` adds, and why."""

    shipping = MoneyField(_l("De la entrega"), [Optional(), NumberRange(min=0)])
    packaging = MoneyField(_l("Del empaque"), [Optional(), NumberRange(min=0)])
    tip = MoneyField(_l("De la propina"), [Optional(), NumberRange(min=0)])
    other = MoneyField(
        _l("Otro importe"), [Optional(), NumberRange(min=0)], description=_l("Sin que sea de una pieza en particular.")
    )
    why = RadioField(
        _l("¿Por qué?"),
        [DataRequired(_l("Elige una razón: quien compró la lee."))],
        choices=[SelectChoice(code, words) for code, words in REASONS.items()],  # type: ignore[arg-type]  # lazily translated
    )


def _form_for(paid: PaidOrder, **options: Any) -> RefundForm:
    """The form with three fields for each line of which something is left."""
    fields: dict[str, Any] = {}
    for line in paid.lines:
        if not line.units_left and not line.left_minor:
            continue
        many = _("De 0 a %(most)s.", most=line.units_left)
        fields[f"quantity_{line.position}"] = IntegerField(
            line.name, [Optional(), NumberRange(0, line.units_left, many)], default=0, description=many
        )
        left = money(Money(line.left_minor, current_shop().currency))
        at_most = NumberRange(0, line.left_minor, _("Como máximo %(most)s.", most=left))
        fields[f"amount_{line.position}"] = MoneyField(line.name, [Optional(), at_most])
        if line.is_goods:
            fields[f"restock_{line.position}"] = BooleanField(_("Vuelve a estar a la venta"))
    made: RefundForm = type("RefundForm", (RefundForm,), fields)(**options)
    return made


def _wish(form: RefundForm, paid: PaidOrder, *, priced: bool) -> Wish:
    """What was typed; not `priced`: the amounts are still to be suggested."""

    def typed(name: str) -> Any:
        return form[name].data if name in form else None

    lines = [
        WantedLine(
            position=line.position,
            quantity=typed(f"quantity_{line.position}") or 0,
            amount_minor=typed(f"amount_{line.position}") if priced else None,
            restock=bool(typed(f"restock_{line.position}")),
        )
        for line in paid.lines
        if typed(f"quantity_{line.position}") or (priced and typed(f"amount_{line.position}"))
    ]
    return Wish(
        lines, form.shipping.data or 0, form.other.data or 0, form.why.data or "", form.packaging.data or 0,
        form.tip.data or 0,
    )  # fmt: skip


def _fees(form: RefundForm) -> int:
    """What was typed for anything but lines, in minor units."""
    return sum(one.data or 0 for one in (form.shipping, form.packaging, form.tip, form.other))


@blueprint.get("/pedidos/<code>/devolucion")
@access("staff", "payments:review")
def ask(code: str) -> ResponseReturnValue:
    """Which pieces, and what else."""
    order = order_by_code(code)
    paid = queries.paid_order(order.id)
    return _page(order, paid, _form_for(paid, formdata=None))


@blueprint.post("/pedidos/<code>/devolucion")
@access("staff", "payments:review")
def decide(code: str) -> ResponseReturnValue:
    """Show what the chosen pieces were really paid with; sent again from there, decide."""
    order = order_by_code(code)
    paid = queries.paid_order(order.id)
    form = _form_for(paid)
    priced = request.form.get("do") == "send"
    if not form.validate() or (priced and _lacks_an_amount(form, paid)):
        return _page(order, paid, form, priced=priced), 422
    try:
        if not priced:
            return _page(order, paid, _suggest(form, paid), priced=True)
        mark = mark_of(form.key.data, f"refund:{order.code}")
        made_once(mark, current_actor(), lambda: _decide(order.id, _wish(form, paid, priced=True)))
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        paid = queries.paid_order(order.id)
        return _page(order, paid, form, priced=False), refusal.status
    flash(_("Anotamos la devolución del pedido %(code)s.", code=order.code), "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)


def _lacks_an_amount(form: RefundForm, paid: PaidOrder) -> bool:
    """Whether somebody emptied the amount of pieces that go back: nobody guesses what was meant."""
    empty = [
        form[f"amount_{line.position}"]
        for line in paid.lines
        if f"quantity_{line.position}" in form
        and form[f"quantity_{line.position}"].data
        and form[f"amount_{line.position}"].data is None
    ]
    for field in empty:
        field.errors = (_("Escribe cuánto se devuelve; 0 si no se devuelve nada por esto."),)
    return bool(empty)


def _decide(order_id: int, wish: Wish) -> str:
    return refunding.refund_parts(order_id, wish, current_actor())[0].code


def _suggest(form: RefundForm, paid: PaidOrder) -> RefundForm:
    """The same form with an amount for each chosen line. Raises NothingChosen."""
    chosen = {line.position: line for line in _wish(form, paid, priced=False).lines}
    for line in paid.lines:
        if line.position in chosen:
            field = form[f"amount_{line.position}"]
            field.raw_data, field.data = None, line.suggested(chosen[line.position].quantity)
    if not chosen and not _fees(form):
        raise refunding.NothingChosen
    return form


def _page(order: OrderView, paid: PaidOrder, form: RefundForm, *, priced: bool = False) -> str:
    amounts = [form[f"amount_{line.position}"].data or 0 for line in paid.lines if f"amount_{line.position}" in form]
    total = sum(amounts) + _fees(form)
    left = min(paid.left_minor, queries.left_to_refund(order.id))
    return render_template(
        "dashboard/payments/refund.html",
        order=order,
        form=form,
        lines=[line for line in paid.lines if f"quantity_{line.position}" in form],
        priced=priced,
        total=Money(total, order.currency),
        left=Money(left, order.currency),
        with_bank=Money(order.disputed_minor, order.currency),
        waits_for_rest=refunding.NotPaidInFull.message if order.owes_rest else None,
        shipping_left=Money(paid.shipping_left_minor, order.currency),
        packaging_left=Money(paid.packaging_left_minor, order.currency),
        tip_left=Money(paid.tip_left_minor, order.currency),
        by_card=order.payment_method == "card",
    )
