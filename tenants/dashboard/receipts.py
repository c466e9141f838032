"""The shop's papers: receipts, credit notes, packing slips, and the list of what to fetch."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from storefront.customers.address import PostalAddress
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.db import transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from storefront.kernel.tax_ids import NotATaxId, documents_of
from storefront.kernel.tenancy import current_shop
from storefront.orders.parting import lines_to_hand
from storefront.orders.queries import OrderView, order_by_code, order_list
from storefront.payments.methods import CASH
from storefront.receipts import queries, stamping
from storefront.receipts.actions import Buyer, issue_receipt, save_head, take_back
from storefront.receipts.forms import BuyerForm
from storefront.receipts.paper import (
    Handover,
    as_pdf,
    delivery_notes_pdf,
    packing_slip_pdf,
    picking_list_pdf,
    receipt_pdf,
)

blueprint = Blueprint("desk_receipts", __name__)


class HeadForm(Form):
    """What stands on top of every paper."""

    legal_name = StringField(
        _l("Razón social"), [Optional(), Length(max=120)], description=_l("Si es distinta del nombre de la tienda.")
    )
    document = SelectField(_l("Documento"), [Optional()])
    number = StringField(_l("Número"), [Optional(), Length(max=30)], render_kw={"autocomplete": "off"})
    foot = StringField(
        _l("Al pie"), [Optional(), Length(max=200)], description=_l("Por ejemplo: gracias por tu compra.")
    )


class TakeBackForm(Form):
    """Why a receipt is taken back; it is printed on the credit note."""

    reason = StringField(_l("Motivo"), [DataRequired(_l("Escribe el motivo: va impreso.")), Length(max=120)])


@blueprint.get("/recibos")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """All papers, the latest first."""
    return render_template("dashboard/receipts/index.html", page=queries.paper_list(requested_page()))


@blueprint.get("/recibos/<code>.pdf")
@access("staff", "orders:read")
def show(code: str) -> ResponseReturnValue:
    """One paper as it was issued."""
    paper = queries.paper_by_code(code)
    return as_pdf(receipt_pdf(paper), f"{paper.kind}-{paper.number}")


@blueprint.get("/pedidos/<code>/recibo")
@access("staff", "orders:write")
def ask(code: str) -> ResponseReturnValue:
    """Whom the receipt is made out to."""
    return _ask(code, BuyerForm(formdata=None).offer_documents())


def _ask(code: str, form: BuyerForm) -> str:
    return render_template(
        "dashboard/receipts/ask.html",
        order=order_by_code(code),
        form=form,
        may_invoice=stamping.connected() is not None,
    )


@blueprint.post("/pedidos/<code>/recibo")
@access("staff", "orders:write")
def issue(code: str) -> ResponseReturnValue:
    """Issue it."""
    order, form = order_by_code(code), BuyerForm().offer_documents()
    try:
        if not form.validate():
            return _ask(code, form), 422
        buyer = Buyer.read(form.buyer_name.data or "", form.document.data or "", form.number.data or "")
        with transaction():
            paper = issue_receipt(order.id, buyer, current_actor())
            if request.form.get("do") == "invoice":
                stamping.ask_for(paper.code, current_actor())
    except Refusal as refusal:
        form.number.errors = (str(refusal),)
        return _ask(code, form), refusal.status
    flash(_("El recibo N.º %(number)s está listo.", number=paper.number), "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)


@blueprint.get("/recibos/<code>/anular")
@access("staff", "payments:review")
def ask_to_take_back(code: str) -> ResponseReturnValue:
    """Ask for the reason first."""
    return render_template(
        "dashboard/receipts/take_back.html", paper=queries.paper_by_code(code), form=TakeBackForm(formdata=None)
    )


@blueprint.post("/recibos/<code>/anular")
@access("staff", "payments:review")
def cancel(code: str) -> ResponseReturnValue:
    """Take a receipt back with a credit note."""
    paper, form = queries.paper_by_code(code), TakeBackForm()
    if not form.validate():
        return render_template("dashboard/receipts/take_back.html", paper=paper, form=form), 422
    made = take_back(code, form.reason.data or "", current_actor())
    flash(_("La nota de crédito N.º %(number)s anula el recibo.", number=made.number), "good")
    return redirect(url_for("desk_orders.show", code=paper.order_code), 303)


@blueprint.get("/ajustes/recibos")
@access("staff", "settings:write")
def head() -> ResponseReturnValue:
    """What is printed on top."""
    known = queries.head()
    form = HeadForm(
        formdata=None,
        legal_name=known.legal_name if known else "", document=known.tax_document if known else "",
        number=known.tax_number if known else "", foot=known.foot if known else "",
    )  # fmt: skip
    return _head_page(form)


def _head_page(form: HeadForm) -> str:
    form.document.choices = [(one.name, one.name) for one in documents_of(current_shop().country)]
    return render_template("dashboard/receipts/head.html", form=form)


@blueprint.post("/ajustes/recibos")
@access("staff", "settings:write")
def change_head() -> ResponseReturnValue:
    """Keep it; papers issued before stay as they were."""
    form = HeadForm()
    form.document.choices = [(one.name, one.name) for one in documents_of(current_shop().country)]
    if not form.validate():
        return _head_page(form), 422
    try:
        save_head(
            form.legal_name.data or "", form.document.data or "", form.number.data or "", form.foot.data or "",
            current_actor(),
        )  # fmt: skip
    except NotATaxId as refusal:
        form.number.errors = (str(refusal),)
        return _head_page(form), refusal.status
    flash(_("Guardado. Así saldrán los próximos recibos."), "good")
    return redirect(url_for(".head"), 303)


@blueprint.get("/pedidos/<code>/empaque.pdf")
@access("staff", "orders:read")
def packing_slip(code: str) -> ResponseReturnValue:
    """What goes into the parcel."""
    order = order_by_code(code)
    address = PostalAddress.from_dict(order.address).lines if order.address else ()
    return as_pdf(packing_slip_pdf(order, address), f"pedido-{order.code}")


@blueprint.get("/pedidos/<code>/nota.pdf")
@access("staff", "orders:read")
def delivery_note(code: str) -> ResponseReturnValue:
    """What goes along with one order, to be signed."""
    order = order_by_code(code)
    return as_pdf(delivery_notes_pdf([_handover(order)]), f"entrega-{order.code}")


@blueprint.get("/pedidos/notas.pdf")
@access("staff", "orders:read")
def delivery_notes() -> ResponseReturnValue:
    """The same for a page of the orders list, as it is chosen there."""
    asked = request.args.get("ver", "")
    chosen = asked if asked in {"to_prepare", "to_hand_over"} else "to_hand_over"
    found = [order_by_code(row.code) for row in order_list(chosen, requested_page()).items]
    handovers = [_handover(order) for order in found if order.has_goods]
    return as_pdf(delivery_notes_pdf(handovers), "notas-de-entrega")


def _handover(order: OrderView) -> Handover:
    by_cash = order.is_to_be_paid and order.payment_method in CASH
    pieces = [(line.left, line.name) for line in lines_to_hand(order.id) if line.left]
    address = PostalAddress.from_dict(order.address).lines if order.address else ()
    return Handover(order, address, pieces, order.total_minor if by_cash else 0)


@blueprint.get("/pedidos/por-preparar.pdf")
@access("staff", "orders:read")
def to_prepare() -> ResponseReturnValue:
    """What to fetch for all orders to prepare."""
    return as_pdf(picking_list_pdf(queries.goods_to_fetch(), clock.now()), "por-preparar")
