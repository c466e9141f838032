"""Several parcels of one order at the desk: splitting, putting together, sending again, giving up, and their papers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField
from wtforms.validators import NumberRange, Optional

from storefront.changes.leaving_out import give_up
from storefront.customers.address import PostalAddress
from storefront.delivery import splitting
from storefront.delivery.queries import ShipmentView, shipment_by_code
from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.errors import Refusal
from storefront.kernel.forms import Form
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.orders.queries import OrderView, order_by_code
from storefront.orders.states import SETTLED
from storefront.receipts.paper import Handover, as_pdf, delivery_notes_pdf, packing_slip_pdf
from tenants.dashboard.home import me

blueprint = Blueprint("desk_parcels", __name__)


class GiveUpForm(Form):
    """Whether what does not go can be sold to somebody else."""

    restock = BooleanField(_l("Se puede volver a vender"), default=True)


def _form_for(view: ShipmentView, **options: Any) -> MakingForm:
    fields: dict[str, Any] = {}
    for line, name, pieces in view.lines:
        bounds = NumberRange(0, pieces, _("De 0 a %(most)s.", most=pieces))
        fields[f"quantity_{line}"] = IntegerField(
            name, [Optional(), bounds], default=0, description=_("En este paquete hay %(pieces)s.", pieces=pieces)
        )
    made: MakingForm = type("SplitForm", (MakingForm,), fields)(**options)
    return made


def _to_order(view: ShipmentView, said: str = "", tone: str = "good") -> ResponseReturnValue:
    if said:
        flash(said, tone)
    return redirect(url_for("desk_orders.show", code=view.row.order_code), 303)


@blueprint.get("/entregas/<code>/separar")
@access("staff", "orders:write")
def ask(code: str) -> ResponseReturnValue:
    """Which pieces go in a parcel of their own."""
    view = shipment_by_code(code)
    if not view.row.may_change:
        return _to_order(view, str(splitting.NotHere.message), "care")
    return render_template("dashboard/delivery/split.html", view=view, form=_form_for(view, formdata=None))


@blueprint.post("/entregas/<code>/separar")
@access("staff", "orders:write")
def divide(code: str) -> ResponseReturnValue:
    """They do."""
    view = shipment_by_code(code)
    form = _form_for(view)
    units = {line: _typed(line) for line, _name, _pieces in view.lines}
    by = current_actor()
    try:
        made_once(mark_of(form.key.data, f"split:{code}"), by, lambda: splitting.split(code, units, by))
    except Refusal as refusal:
        form.validate()
        form.form_errors = [str(refusal)]
        return render_template("dashboard/delivery/split.html", view=view, form=form), refusal.status
    return _to_order(view, _("Listo: son paquetes aparte. Marca cada uno cuando esté empacado."))


def _typed(line: int) -> int:
    """Pieces typed for a line; what is no number is more than any line has."""
    typed = request.form.get(f"quantity_{line}", "").strip() or "0"
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 6 else -1


@blueprint.post("/entregas/<code>/juntar")
@access("staff", "orders:write")
def join(code: str) -> ResponseReturnValue:
    """Put it together with another that is still here."""
    view = shipment_by_code(code)
    splitting.join(code, current_actor())
    return _to_order(view, _("Van juntos de nuevo."))


@blueprint.post("/entregas/<code>/lista")
@access("staff", "orders:write")
def ready(code: str) -> ResponseReturnValue:
    """This parcel is packed."""
    view = shipment_by_code(code)
    splitting.ready(code, current_actor())
    undo = url_for(".not_ready", code=code)
    flash({"text": _("El paquete está listo."), "undo": undo}, "good")  # type: ignore[arg-type]  # drawn with its way back
    return redirect(safe_referrer() or url_for("desk_orders.show", code=view.row.order_code), 303)


@blueprint.post("/entregas/<code>/lista/deshacer")
@access("staff", "orders:write")
def not_ready(code: str) -> ResponseReturnValue:
    """It was tapped too early."""
    view = shipment_by_code(code)
    splitting.not_ready(code, current_actor())
    return _to_order(view, _("El paquete sigue en preparación."), "info")


@blueprint.post("/entregas/<code>/otra-vez")
@access("staff", "orders:write")
def send_again(code: str) -> ResponseReturnValue:
    """What came back goes once more."""
    view = shipment_by_code(code)
    splitting.send_again(code, current_actor())
    return _to_order(view, _("Va de nuevo, en un paquete aparte. Márcalo cuando esté empacado."))


@blueprint.get("/entregas/<code>/no-va")
@access("staff", "orders:write")
def ask_to_give_up(code: str) -> ResponseReturnValue:
    """Say what follows, before it is done."""
    return _give_up_page(shipment_by_code(code), GiveUpForm(formdata=None))


@blueprint.post("/entregas/<code>/no-va")
@access("staff", "orders:write")
def leave_out(code: str) -> ResponseReturnValue:
    """It is not delivered; the others go on."""
    view, form = shipment_by_code(code), GiveUpForm()
    is_paid = _order_of(view).payment_state in SETTLED
    if is_paid and not me().may("payments:review"):
        form.form_errors = [_("Este pedido ya está pagado: que decida quien puede devolver dinero.")]
        return _give_up_page(view, form), 403
    try:
        give_up(code, current_actor(), restock=bool(form.restock.data) or not is_paid)
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        return _give_up_page(view, form), refusal.status
    return _to_order(view, _("Ese paquete ya no va. Lo demás sigue igual."))


def _give_up_page(view: ShipmentView, form: GiveUpForm) -> str:
    is_paid = _order_of(view).payment_state in SETTLED
    return render_template("dashboard/delivery/give_up.html", view=view, form=form, is_paid=is_paid)


def _order_of(view: ShipmentView) -> OrderView:
    return order_by_code(view.row.order_code)


@blueprint.get("/entregas/<code>/empaque.pdf")
@access("staff", "orders:read")
def packing_slip(code: str) -> ResponseReturnValue:
    """What goes into this parcel."""
    view = shipment_by_code(code)
    address = PostalAddress.from_dict(view.address).lines
    return as_pdf(packing_slip_pdf(_order_of(view), address, _pieces(view)), f"paquete-{code}")


@blueprint.get("/entregas/<code>/nota.pdf")
@access("staff", "orders:read")
def delivery_note(code: str) -> ResponseReturnValue:
    """What goes along with this parcel, to be signed."""
    view = shipment_by_code(code)
    address = PostalAddress.from_dict(view.address).lines
    handover = Handover(_order_of(view), address, _pieces(view), view.row.cod_due_minor)
    return as_pdf(delivery_notes_pdf([handover]), f"entrega-{code}")


def _pieces(view: ShipmentView) -> list[tuple[int, str]]:
    return [(pieces, name) for _line, name, pieces in view.lines]
