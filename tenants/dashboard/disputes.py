"""Contested payments at the desk: what waits for an answer and until when, the answer with its papers, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FileField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from storefront.customers.address import PostalAddress
from storefront.delivery.queries import parcels_of
from storefront.delivery.states import ShipmentState
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.filters import datetime_local
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from storefront.kernel.limits import limited
from storefront.kernel.media import LARGEST_BYTES
from storefront.orders.queries import OrderView, order_by_code
from storefront.payments import answering, dispute_queries
from storefront.payments.answering import NewFile, Said
from storefront.payments.dispute_queries import DisputeView
from storefront.payments.disputes import DisputeState
from storefront.receipts.paper import receipt_pdf
from storefront.receipts.queries import Paper, papers_of_order

blueprint = Blueprint("desk_disputes", __name__)

SOON = timedelta(days=3)
"""From here on a deadline is shown as one."""

REASONS: Mapping[str, Any] = {
    "fraudulent": _l("Dice que no hizo esta compra"),
    "unrecognized": _l("No reconoce el cobro"),
    "product_not_received": _l("Dice que no le llegó"),
    "product_unacceptable": _l("Dice que no era lo que pidió, o que llegó mal"),
    "duplicate": _l("Dice que se le cobró dos veces"),
    "credit_not_processed": _l("Dice que no le devolviste el dinero"),
    "subscription_canceled": _l("Dice que ya lo había cancelado"),
    "general": _l("El banco no dijo por qué"),
}
PROOF: Mapping[str, Any] = {
    "fraudulent": _l("Sirve lo que muestre que sí fue esa persona: mensajes, y a quién y dónde se le entregó."),
    "unrecognized": _l("Sirve lo que muestre que sí fue esa persona: mensajes, y a quién y dónde se le entregó."),
    "product_not_received": _l("Sirve la prueba de entrega: foto, firma, o el aviso de que llegó."),
    "product_unacceptable": _l("Sirven fotos de lo que entregaste y los mensajes donde se pusieron de acuerdo."),
    "duplicate": _l("Sirve mostrar que fueron dos compras distintas: los dos recibos."),
    "credit_not_processed": _l("Sirve el comprobante de que ya devolviste, o por qué no tocaba devolver."),
}
STATES: Mapping[DisputeState, Any] = {
    DisputeState.INQUIRY: _l("El banco pregunta"),
    DisputeState.INQUIRY_REVIEW: _l("El banco revisa tu respuesta"),
    DisputeState.NEEDS_RESPONSE: _l("Espera tu respuesta"),
    DisputeState.UNDER_REVIEW: _l("El banco decide"),
    DisputeState.WON: _l("Ganado"),
    DisputeState.LOST: _l("Perdido"),
    DisputeState.CLOSED: _l("Cerrado sin cobro"),
}
TONES = {
    DisputeState.INQUIRY: "money", DisputeState.NEEDS_RESPONSE: "care", DisputeState.WON: "good",
    DisputeState.LOST: "care", DisputeState.CLOSED: "good",
}  # fmt: skip


class AnswerForm(Form):
    """What the bank reads."""

    product = TextAreaField(_l("Qué vendiste"), [Optional(), Length(max=5_000)])
    story = TextAreaField(
        _l("Qué pasó"),
        [DataRequired(_l("Cuenta qué pasó: es lo que lee el banco.")), Length(max=15_000)],
        description=_l("Cuándo lo pidió, cómo lo entregaste, a quién y qué te dijo."),
    )
    delivery = FileField(_l("Prueba de entrega"), [Optional()], description=_l("Foto o PDF."))
    messages = FileField(_l("Mensajes con quien compró"), [Optional()], description=_l("Captura o PDF."))
    other = FileField(_l("Otra prueba"), [Optional()], description=_l("Foto o PDF."))
    with_receipt = BooleanField(_l("Agregar el recibo del pedido"))


@blueprint.get("/cobros/contracargos")
@access("staff", "payments:review")
def index() -> ResponseReturnValue:
    """What is open, the nearest deadline first; or what is over."""
    over = request.args.get("ver") == "terminados"
    return render_template(
        "dashboard/payments/disputes.html",
        page=dispute_queries.disputes(over=over, number=requested_page()),
        over=over,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"reasons": REASONS, "states": STATES, "tones": TONES, "soon": clock.now() + SOON}


@blueprint.get("/cobros/contracargos/<code>")
@access("staff", "payments:review")
def show(code: str) -> ResponseReturnValue:
    """One dispute, what to do next and until when."""
    return _page(dispute_queries.dispute_by_code(code))


def _page(dispute: DisputeView, form: AnswerForm | None = None) -> str:
    order = order_by_code(dispute.order_code)
    receipt = _receipt(order)
    if form is None:
        kept = dispute.staged_at is not None
        form = AnswerForm(
            formdata=None,
            product=dispute.product if kept else _what_was_sold(order),
            story=dispute.story if kept else _what_happened(order),
            with_receipt=receipt is not None and (not kept or "receipt" in dispute.files),
        )
    return render_template(
        "dashboard/payments/dispute.html",
        dispute=dispute,
        order=order,
        form=form,
        receipt=receipt,
        history=dispute_queries.history(dispute.id),
        proof=PROOF.get(dispute.reason, _l("Sirven el recibo, la prueba de entrega y los mensajes.")),
        **_words(),
    )


@blueprint.post("/cobros/contracargos/<code>")
@access("staff", "payments:review")
@limited("upload")
def keep(code: str) -> ResponseReturnValue:
    """Keep the answer; it is not sent yet."""
    dispute = dispute_queries.dispute_by_code(code)
    order, form = order_by_code(dispute.order_code), AnswerForm()
    if not form.validate():
        return _page(dispute, form), 422
    try:
        answering.keep_answer(code, _said(order, form), _files(order, form), current_actor())
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        return _page(dispute_queries.dispute_by_code(code), form), refusal.status
    flash(_("Guardamos tu respuesta. Léela con calma y envíala al banco."), "good")
    return redirect(url_for(".show", code=code), 303)


@blueprint.post("/cobros/contracargos/<code>/enviar")
@access("staff", "payments:review")
def send(code: str) -> ResponseReturnValue:
    """Send the answer that is kept to the bank."""
    answering.send_answer(code, current_actor())
    flash(_("Tu respuesta va al banco. Suele tardar semanas en decidir; aquí verás cómo termina."), "good")
    return redirect(url_for(".show", code=code), 303)


@blueprint.post("/cobros/contracargos/<code>/aceptar")
@access("staff", "payments:review")
def accept(code: str) -> ResponseReturnValue:
    """Accept the loss."""
    answering.give_up(code, current_actor())
    flash(_("Aceptaste el contracargo: el dinero se queda con quien pagó."), "info")
    return redirect(url_for(".show", code=code), 303)


# --- what the shop knows already ------------------------------------------------------------------------------------


def _what_was_sold(order: OrderView) -> str:
    lines = [
        f"{line.quantity} × {' · '.join(filter(None, (line.product_name, line.variant_name)))}" for line in order.lines
    ]
    return "\n".join(lines)


def _what_happened(order: OrderView) -> str:
    """A first draft of the story, from what is written down."""
    said = [_("%(name)s hizo el pedido %(code)s el %(when)s.", name=order.contact_name, code=order.code,
              when=datetime_local(order.placed_at))]  # fmt: skip
    delivered = _delivered_on(order)
    if delivered and order.address:
        where = ", ".join(PostalAddress.from_dict(order.address).lines)
        said.append(_("Se entregó el %(when)s en %(where)s.", when=delivered, where=where))
    elif delivered:
        said.append(_("Se entregó el %(when)s.", when=delivered))
    return " ".join(said)


def _delivered_on(order: OrderView) -> str:
    at = next((step.at for step in reversed(order.history) if step.after == "delivered"), None)
    return datetime_local(at) if at else ""


def _receipt(order: OrderView) -> Paper | None:
    """The receipt of an order that still holds."""
    return next((paper for paper in papers_of_order(order.id) if paper.is_open), None)


def _said(order: OrderView, form: AnswerForm) -> Said:
    parcel = parcels_of([order.id]).get(order.id)
    arrived = parcel is not None and parcel.state is ShipmentState.DELIVERED
    return Said(
        product=form.product.data or "",
        story=form.story.data or "",
        customer_name=order.contact_name,
        customer_email=order.contact_email or "",
        delivered_on=_delivered_on(order),
        address=", ".join(PostalAddress.from_dict(order.address).lines) if order.address else "",
        tracking=parcel.code if parcel is not None and arrived else "",
    )


def _files(order: OrderView, form: AnswerForm) -> dict[str, NewFile]:
    """What was sent along, and the receipt if it was ticked."""
    found = {}
    for kind in ("delivery", "messages", "other"):
        sent = request.files.get(kind)
        if sent and sent.filename:
            found[kind] = NewFile(sent.filename, sent.stream.read(LARGEST_BYTES + 1))
    receipt = _receipt(order)
    if form.with_receipt.data and receipt is not None:
        found["receipt"] = NewFile(_("Recibo N.º %(number)s", number=receipt.number), receipt_pdf(receipt))
    return found
