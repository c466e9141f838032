"""Handing over a part of what is picked up: which pieces go now; the rest waits in the shop."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import BooleanField, IntegerField
from wtforms.validators import NumberRange, Optional

from storefront.delivery.handing import hand_over_part
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.orders.parting import LineToHand, NotInParts, lines_to_hand
from storefront.orders.queries import OrderView, order_by_code
from storefront.orders.states import FulfilmentState

blueprint = Blueprint("desk_parts", __name__)


def _form_for(lines: list[LineToHand], **options: Any) -> MakingForm:
    fields: dict[str, Any] = {
        "collected": BooleanField(_("Ya me pagó todo el pedido en efectivo")),
        "unpaid": BooleanField(_("Entregarlo aunque falta el resto")),
    }
    for line in lines:
        bounds = NumberRange(0, line.left, _("De 0 a %(most)s.", most=line.left))
        fields[f"quantity_{line.position}"] = IntegerField(
            line.name,
            [Optional(), bounds],
            default=0,
            description=_("Quedan %(left)s por entregar.", left=line.left),
        )
    made: MakingForm = type("PartForm", (MakingForm,), fields)(**options)
    return made


def _left(order: OrderView) -> list[LineToHand]:
    return [line for line in lines_to_hand(order.id) if line.left]


@blueprint.get("/pedidos/<code>/entrega/parte")
@access("staff", "orders:write")
def ask(code: str) -> ResponseReturnValue:
    """Which pieces go now."""
    order = order_by_code(code)
    if not order.may_go_in_parts:
        flash(str(NotInParts.message), "care")
        return redirect(url_for("desk_orders.show", code=order.code), 303)
    return _page(order, _form_for(_left(order), formdata=None))


@blueprint.post("/pedidos/<code>/entrega/parte")
@access("staff", "orders:write")
def give(code: str) -> ResponseReturnValue:
    """They go."""
    order = order_by_code(code)
    form = _form_for(lines_to_hand(order.id))
    mark, by = mark_of(form.key.data, f"part:{order.code}"), current_actor()

    said = {name: bool(request.form.get(name)) for name in ("collected", "unpaid")}

    def make() -> str:
        lines = lines_to_hand(order.id)
        units = {line.position: _typed(line.position) for line in lines}
        return str(hand_over_part(order.id, units, by, **said))

    try:
        made = made_once(mark, by, make)
    except Refusal as refusal:
        form.validate()
        form.form_errors = [str(refusal)]
        return _page(order, form), refusal.status
    if made.code == FulfilmentState.DELIVERED:
        flash(_("Entregaste todo el pedido %(code)s.", code=order.code), "good")
    else:
        flash(_("Anotamos la parte que se llevó. El resto sigue apartado."), "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)


def _typed(position: int) -> int:
    """Pieces typed for a line; what is no number is more than any line has."""
    typed = request.form.get(f"quantity_{position}", "").strip() or "0"
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 6 else -1


def _page(order: OrderView, form: MakingForm) -> str:
    return render_template(
        "dashboard/orders/part.html",
        order=order,
        form=form,
        lines=[line for line in _left(order) if f"quantity_{line.position}" in form],
    )
