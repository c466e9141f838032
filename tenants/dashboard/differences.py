"""What does not agree between the card provider, the payments and the books; each is closed by who knows why."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.kernel.access import access, current_actor
from storefront.kernel.http import requested_page
from storefront.payments import queries, reconciling
from storefront.payments.models import DifferenceKind

blueprint = Blueprint("desk_differences", __name__)

_K = DifferenceKind
KINDS = {
    _K.PAYMENT_UNKNOWN: _l("La tarjeta cobró algo que no es de ningún pedido"),
    _K.PAYMENT_NOT_NOTED: _l("La tarjeta cobró y aquí no quedó como pagado"),
    _K.PAYMENT_AMOUNT: _l("La tarjeta cobró otro importe"),
    _K.PAYMENT_MISSING: _l("Aquí está pagado con tarjeta y el servicio no tiene el cobro"),
    _K.REFUND_UNKNOWN: _l("La tarjeta devolvió dinero que aquí nadie decidió devolver"),
    _K.REFUND_NOT_NOTED: _l("La tarjeta devolvió y aquí no quedó como devuelto"),
    _K.REFUND_AMOUNT: _l("La tarjeta devolvió otro importe"),
    _K.REFUND_MISSING: _l("Aquí está devuelto y el servicio no tiene la devolución"),
    _K.NOT_BOOKED: _l("Un pago o una devolución no está en los libros"),
    _K.SALE_NOT_BOOKED: _l("La venta no está en los libros como se vendió"),
    _K.GIFT_CARDS: _l("Lo que hay en las tarjetas de regalo no es lo que dicen los libros"),
    _K.FEE_AMOUNT: _l("El servicio se quedó con otra comisión que la de tus libros"),
    _K.DISPUTE_UNKNOWN: _l("Alguien reclamó a su banco un cobro que no es de ningún pedido"),
    _K.ORDER_OWES: _l("El pedido está pagado y su cuenta no queda en cero"),
}


@blueprint.get("/cobros/conciliacion")
@access("staff", "payments:review")
def index() -> ResponseReturnValue:
    """What is open, or what was closed and why."""
    return _page()


def _page(wrong: str = "", said: str = "") -> str:
    closed = request.args.get("ver") == "cerradas"
    return render_template(
        "dashboard/payments/differences.html",
        page=queries.differences(closed=closed, number=requested_page()),
        closed=closed,
        kinds=KINDS,
        last_day=queries.last_reconciled(),
        wrong=wrong,
        said=said,
    )


@blueprint.post("/cobros/conciliacion/<code>")
@access("staff", "payments:review")
def close(code: str) -> ResponseReturnValue:
    """Close one, with a reason."""
    try:
        reconciling.close(code, request.form.get("reason", ""), current_actor())
    except reconciling.ReasonNeeded as refusal:
        return _page(wrong=code, said=str(refusal)), refusal.status
    flash(_("Quedó cerrada, con su razón."), "good")
    return redirect(url_for(".index"), 303)
