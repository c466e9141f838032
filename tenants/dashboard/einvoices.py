"""Electronic invoices at the desk: the connection, the list with what to do, and a paper's own."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, Length

from storefront.kernel.access import access, current_actor
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from storefront.kernel.limits import limited
from storefront.kernel.tenancy import current_shop
from storefront.receipts import documents, stamping
from storefront.receipts.einvoice import BadCredentials, InvoicerUnavailable, invoicer_for
from storefront.receipts.paper import as_file
from storefront.receipts.queries import paper_by_code

blueprint = Blueprint("desk_einvoices", __name__)


class AccountForm(Form):
    """How the provider knows the shop."""

    user = StringField(_l("Usuario"), [DataRequired(_l("Escribe tu usuario.")), Length(max=120)],
                       render_kw={"autocomplete": "off"})  # fmt: skip
    secret = PasswordField(_l("Clave secreta"), [DataRequired(_l("Escribe tu clave.")), Length(max=300)],
                           render_kw={"autocomplete": "off"})  # fmt: skip


@blueprint.get("/ajustes/facturacion")
@access("staff", "settings:write")
def connection() -> ResponseReturnValue:
    """Whether the shop is connected, and to whom it could be."""
    return _connection(AccountForm(formdata=None))


def _connection(form: AccountForm) -> str:
    return render_template(
        "dashboard/receipts/connection.html",
        form=form,
        provider=invoicer_for(current_shop().country),
        there=stamping.connected(),
    )


@blueprint.post("/ajustes/facturacion")
@access("staff", "settings:write")
@limited("checkout")
def connect() -> ResponseReturnValue:
    """Connect it."""
    form = AccountForm()
    if not form.validate():
        return _connection(form), 422
    try:
        stamping.connect(form.user.data or "", form.secret.data or "", current_actor())
    except (BadCredentials, InvoicerUnavailable) as refusal:
        form.secret.errors = (str(refusal),)
        return _connection(form), refusal.status
    flash(_("Listo: ya puedes facturar tus pedidos."), "good")
    return redirect(url_for(".connection"), 303)


@blueprint.post("/ajustes/facturacion/desconectar")
@access("staff", "settings:write")
def disconnect() -> ResponseReturnValue:
    """Forget the credentials; what is stamped stays."""
    stamping.disconnect(current_actor())
    flash(_("Quedó desconectado. Las facturas hechas siguen aquí."), "good")
    return redirect(url_for(".connection"), 303)


@blueprint.get("/facturas")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """All electronic documents, the latest first."""
    return render_template(
        "dashboard/receipts/documents.html",
        page=documents.document_list(requested_page()),
        is_connected=stamping.connected() is not None,
    )


@blueprint.post("/recibos/<code>/factura")
@access("staff", "orders:write")
def ask(code: str) -> ResponseReturnValue:
    """Have a receipt stamped, or send again what was rejected."""
    paper = paper_by_code(code)
    try:
        stamping.ask_for(code, current_actor())
        flash(_("La factura va en camino. Aquí verás cuando esté lista."), "good")
    except (stamping.NeedsDocument, stamping.TakenBack) as refusal:
        flash(str(refusal), "care")
    return redirect(url_for("desk_orders.show", code=paper.order_code), 303)


@blueprint.get("/facturas/<code>.xml", defaults={"kind": stamping.XML})
@blueprint.get("/facturas/<code>.pdf", defaults={"kind": stamping.PDF})
@access("staff", "orders:read")
def show(code: str, kind: str) -> ResponseReturnValue:
    """A document's file."""
    return as_file(documents.file_of(code, kind), code, kind)
