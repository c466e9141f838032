"""The customer's receipt, on the page of their order: asked for with one's own tax document, and read as PDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.limits import limited
from storefront.orders.queries import NoSuchOrder, OrderView, order_by_token
from storefront.orders.states import COUNTS, Channel
from storefront.receipts import stamping
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.documents import documents_of_order, file_of
from storefront.receipts.einvoice import NoInvoicer
from storefront.receipts.forms import BuyerForm
from storefront.receipts.paper import as_file, as_pdf, receipt_pdf
from storefront.receipts.queries import papers_of_order

blueprint = Blueprint("receipts", __name__)


def _is_sold(order: OrderView) -> bool:
    """Whether there is something to be receipted: a sale, or what is kept of a deposit."""
    return (order.state in COUNTS and order.channel is not Channel.GIFT) or order.kept_minor > 0


def receipt_block(order: OrderView, form: BuyerForm | None = None) -> Markup:
    """The slot "order.receipt": the papers of a sold order, or the form to ask for one."""
    papers = papers_of_order(order.id)
    if not _is_sold(order) and not papers:
        return Markup("")
    return Markup(  # noqa: S704 (our own template, autoescaped)
        render_template(
            "shop/receipts/block.html",
            order=order,
            papers=papers,
            documents=documents_of_order(order.id) if papers else {},
            may_invoice=bool(papers) and stamping.connected() is not None,
            may_ask=_is_sold(order) and not any(paper.is_open for paper in papers),
            form=form or BuyerForm(formdata=None).offer_documents(),
        )
    )


@blueprint.post("/pedido/<token>/recibo")
@access("public")
@limited("checkout")
def ask(token: str) -> ResponseReturnValue:
    """Make the receipt out to whoever asks for it."""
    order = order_by_token(token)
    form = BuyerForm().offer_documents()
    try:
        if not form.validate():
            return _form_page(order, form), 422
        buyer = Buyer.read(form.buyer_name.data or "", form.document.data or "", form.number.data or "")
        issue_receipt(order.id, buyer, _customer(order))
    except Refusal as refusal:
        form.number.errors = (str(refusal),)
        return _form_page(order, form), refusal.status
    flash(_("Tu recibo está listo."), "good")
    return redirect(url_for("orders.show", token=token), 303)


@blueprint.get("/pedido/<token>/recibo/<code>.pdf")
@access("public")
def show(token: str, code: str) -> ResponseReturnValue:
    """A paper of this very order."""
    order = order_by_token(token)
    paper = next((one for one in papers_of_order(order.id) if one.code == code), None)
    if paper is None:
        raise NoSuchOrder
    return as_pdf(receipt_pdf(paper), f"{paper.kind}-{paper.number}")


@blueprint.post("/pedido/<token>/recibo/<code>/factura")
@access("public")
@limited("checkout")
def ask_for_invoice(token: str, code: str) -> ResponseReturnValue:
    """Have a receipt of this very order stamped."""
    order = order_by_token(token)
    try:
        stamping.ask_for(code, _customer(order), order.id)
        flash(_("Pedimos tu factura. Cuando esté lista la descargas aquí mismo."), "good")
    except NotFound as missing:
        raise NoSuchOrder from missing
    except (stamping.NeedsDocument, stamping.TakenBack, NoInvoicer) as refusal:
        flash(str(refusal), "care")
    return redirect(url_for("orders.show", token=token), 303)


@blueprint.get("/pedido/<token>/factura/<code>.xml", defaults={"kind": stamping.XML})
@blueprint.get("/pedido/<token>/factura/<code>.pdf", defaults={"kind": stamping.PDF})
@access("public")
def invoice_file(token: str, code: str, kind: str) -> ResponseReturnValue:
    """The file of an electronic document of this very order; saved, and run by no browser."""
    try:
        content = file_of(code, kind, order_by_token(token).id)
    except NotFound as missing:
        raise NoSuchOrder from missing
    return as_file(content, code, kind)


def _customer(order: OrderView) -> Actor:
    actor = current_actor()
    return actor if actor.kind == "customer" else Actor("customer", order.customer_id, "")


def _form_page(order: OrderView, form: BuyerForm) -> str:
    return render_template("shop/receipts/ask.html", order=order, block=receipt_block(order, form))


SLOTS: dict[str, Callable[..., Any]] = {"order.receipt": receipt_block}
