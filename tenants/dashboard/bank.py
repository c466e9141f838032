"""The bank's statement at the desk: bring the file, and say which transfer pays for which order."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import FileField
from wtforms.validators import DataRequired

from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Invalid
from storefront.kernel.filters import money
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from storefront.kernel.limits import limited
from storefront.orders.queries import order_by_code
from storefront.orders.states import OrderState
from storefront.payments import statements
from storefront.payments.models import BankLineState
from storefront.payments.statement_file import LARGEST_BYTES

blueprint = Blueprint("desk_bank", __name__)

WHY = {
    "date": _l("no se entiende la fecha"), "amount": _l("no se entiende el importe"), "currency": _l("es otra moneda"),
}  # fmt: skip
MOST_TOLD = 5


class StatementForm(Form):
    """The file as the bank gives it."""

    statement = FileField(_l("Tus movimientos en CSV u OFX"), [DataRequired(_l("Elige el archivo de tu banco."))])


@blueprint.get("/cobros/banco")
@access("staff", "payments:review")
def index() -> ResponseReturnValue:
    """Transfers that wait for somebody to say what they paid for."""
    return _page(StatementForm(formdata=None))


def _page(form: StatementForm) -> str:
    asked = request.args.get("ver", "")
    state = BankLineState(asked) if asked in set(BankLineState) else BankLineState.WAITING
    return render_template(
        "dashboard/payments/bank.html", form=form, state=state, page=statements.bank_lines(state, requested_page())
    )


@blueprint.post("/cobros/banco")
@access("staff", "payments:review")
@limited("upload")
def bring() -> ResponseReturnValue:
    """Read a statement."""
    form, file = StatementForm(), request.files.get("statement")
    if not form.validate() or file is None:
        return _page(form), 422
    try:
        found = statements.import_statement(file.stream.read(LARGEST_BYTES + 1), current_actor())
    except Invalid as refusal:
        form.statement.errors = (str(refusal),)
        return _page(form), refusal.status
    flash(_told(found), "good" if found.new else "info")
    for row in found.unread[:MOST_TOLD]:
        flash(_("Fila %(row)s: %(why)s. La dejamos fuera.", row=row.row, why=WHY[row.why]), "care")
    if len(found.unread) > MOST_TOLD:
        flash(_("Y otras %(many)s filas que no se entienden.", many=len(found.unread) - MOST_TOLD), "care")
    return redirect(url_for(".index"), 303)


def _told(found: statements.Imported) -> str:
    new = ngettext("%(num)d depósito nuevo", "%(num)d depósitos nuevos", found.new)
    known = ngettext("%(num)d ya lo teníamos", "%(num)d ya los teníamos", found.known)
    out = ngettext("%(num)d retiro que no se guarda", "%(num)d retiros que no se guardan", found.skipped)
    beside = ngettext("%(num)d fila de saldos o totales", "%(num)d filas de saldos o totales", found.beside)
    return ". ".join((f"{new}; {known}", *([out] if found.skipped else []), *([beside] if found.beside else []))) + "."


def said_paid(codes: Sequence[str]) -> str:
    """That the money of these orders is noted, and what became of them: a deposit leaves the rest open."""
    orders = [order_by_code(code) for code in codes]
    if any(order.state in {OrderState.CANCELLED, OrderState.EXPIRED} for order in orders):
        return _("Anotamos el dinero. Algo de lo que pagó ya no estaba en pie: ábrelo y mira qué sigue.")
    owing = [order for order in orders if order.due]
    if not owing and len(orders) > 1:
        return _("Los pedidos %(codes)s quedaron pagados y confirmados.", codes=", ".join(codes))
    if not owing:
        return _("El pedido %(code)s quedó pagado y confirmado.", code=codes[0])
    still = [_("%(rest)s del pedido %(code)s", rest=money(order.due), code=order.code) for order in owing]
    return _("Anotamos el dinero y queda confirmado. Todavía falta el resto: %(still)s.", still=", ".join(still))


@blueprint.post("/cobros/banco/<code>/pedido")
@access("staff", "payments:review")
def settle(code: str) -> ResponseReturnValue:
    """This one pays for that order, or for those."""
    codes = statements.settle(code, request.form.get("order", ""), current_actor())
    flash(said_paid(codes), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/cobros/banco/<code>/aparte")
@access("staff", "payments:review")
def set_aside(code: str) -> ResponseReturnValue:
    """It paid for something else."""
    statements.set_aside(code, current_actor())
    flash({"text": _("Lo dejamos aparte."), "undo": url_for(".put_back", code=code)}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back
    return redirect(url_for(".index"), 303)


@blueprint.post("/cobros/banco/<code>/regresar")
@access("staff", "payments:review")
def put_back(code: str) -> ResponseReturnValue:
    """Let it wait again."""
    statements.put_back(code, current_actor())
    return redirect(url_for(".index"), 303)
