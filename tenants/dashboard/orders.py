"""The owner's orders: what there is to do first, one tap for each next step, and everything else folded away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectChoice, StringField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from storefront.catalogue.models import ProductKind
from storefront.catalogue.queries import pictures_of
from storefront.changes.queries import changes_of
from storefront.customers.address import PostalAddress
from storefront.delivery import handing
from storefront.delivery.queries import code_of_order, parcels_of, parcels_with_contents
from storefront.delivery.words import state_tone, state_word
from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.forms import Form, MoneyField
from storefront.kernel.http import requested_page
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import (
    CannotCancel,
    confirm_order,
    mark_ready,
    restock_returned,
    settle_attention,
)
from storefront.orders.changing import NextLine, lines_of
from storefront.orders.parting import parts_of
from storefront.orders.queries import FILTERS, OrderRow, OrderView, order_by_code, order_list, todo_counts
from storefront.orders.states import COUNTS
from storefront.orders.steps import NextStep, next_step
from storefront.payments.dispute_queries import of_order as disputes_of
from storefront.payments.kept import MayNotKeep, most_to_keep
from storefront.payments.queries import left_to_refund, payments_of, refunds
from storefront.payments.transfers import ProofWaits, may_be_taken_back, record_transfer, take_back_transfer
from storefront.receipts import stamping
from storefront.receipts.documents import documents_of_order
from storefront.receipts.queries import papers_of_order
from storefront.returns.queries import return_behind, returns_of
from tenants.dashboard.todo import is_to_come
from tenants.identity import current_person

blueprint = Blueprint("desk_orders", __name__)

A_SLIP = timedelta(minutes=10)
"""How long whoever took cash may say that it was a slip."""

REASONS = {
    "no_stock": _l("Ya no tengo lo que pidió"),
    "customer_asked": _l("La clienta o el cliente lo pidió"),
    "cannot_reach": _l("No pude comunicarme"),
    "cannot_deliver": _l("No puedo entregarlo"),
    "damaged": _l("Se dañó antes de entregarlo"),
    "other": _l("Otra razón"),
}

TOLD = {
    "no_stock": _l("Ya no tenemos lo que pediste."),
    "customer_asked": _l("Nos lo pediste."),
    "cannot_reach": _l("No pudimos comunicarnos contigo."),
    "cannot_deliver": _l("No podemos entregarlo."),
    "damaged": _l("Se dañó antes de entregarlo."),
    "other": "",
}
"""The same as the customer reads it."""

OWN_REASONS = frozenset({"no_stock", "cannot_deliver", "damaged"})
"""Reasons that are no fault of the customer's."""


class CancellationForm(Form):
    """Why an order is cancelled; the customer reads it."""

    why = RadioField(
        _l("¿Por qué lo cancelas?"),
        [DataRequired(_l("Elige una razón."))],
        choices=[SelectChoice(code, words) for code, words in REASONS.items()],  # type: ignore[arg-type]  # lazily translated
    )
    words = StringField(
        _l("Con tus palabras"),
        [Optional(), Length(max=200)],
        description=_l("La clienta o el cliente lo va a leer."),
    )

    kept = MoneyField(_l("¿Con cuánto del anticipo te quedas?"), [Optional()])

    def validate_kept(self, field: Any) -> None:
        """Whoever cancels for a reason of the shop's own keeps nothing."""
        if field.data and self.why.data in OWN_REASONS:
            raise ValidationError(_("Lo cancelas por algo de la tienda: devuelve todo el anticipo."))

    @property
    def reason(self) -> str:
        """The sentence that is kept and sent, said to the customer."""
        return self.words.data or str(TOLD[self.why.data])


def _goods(order_id: int) -> dict[int, NextLine]:
    """An order's lines of goods by their position."""
    lines = lines_of(order_id)
    return {line.position: line for line in lines if line.kind is ProductKind.GOODS and line.position is not None}


def _cancellation_form(order: OrderView, **options: Any) -> CancellationForm:
    """The form with a tick for each line of goods that was held."""
    ticks = {
        f"damaged_{position}": BooleanField(f"{line.quantity} × {line.name}")
        for position, line in _goods(order.id).items()
    }
    made: CancellationForm = type("CancellationForm", (CancellationForm,), ticks)(**options)
    return made


def _damaged(order: OrderView, form: CancellationForm) -> list[int]:
    return [position for position in _goods(order.id) if form[f"damaged_{position}"].data]


def _back(code: str) -> ResponseReturnValue:
    return redirect(safe_referrer() or url_for(".show", code=code), 303)


def _flash_with_undo(said: str, undo: str) -> None:
    flash({"text": said, "undo": undo}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back


def _to_parcel(order: OrderView, refusal: handing.ParcelDecides) -> ResponseReturnValue:
    """Say why not, where it can be decided."""
    flash(str(refusal), "error")
    return redirect(url_for(".parcel", code=order.code), 303)


def _money_in() -> dict[str, bool]:
    """Whether it was paid just now, or is handed over though the rest is open."""
    return {"collected": bool(request.form.get("collected")), "unpaid": bool(request.form.get("unpaid"))}


def _to_rest(order: OrderView, refusal: handing.RestIsOpen) -> ResponseReturnValue:
    """Say that the rest is open, where it can be noted."""
    flash(str(refusal), "care")
    return redirect(url_for(".show", code=order.code), 303)


def _step_of(order: OrderRow | OrderView) -> NextStep:
    """The next step with an order; nobody is attended before the day of their reservation."""
    step = next_step(order)
    return NextStep.NOTHING if step is NextStep.HAND_OVER and is_to_come(order, current_shop()) else step


def _may_review() -> bool:
    """Whether whoever looks may judge proofs of payment."""
    person = current_person()
    return person is not None and person.may("payments:review")


def _told(done: str, order: OrderView) -> str:
    """What was done, and whether the customer hears of it by itself."""
    if order.contact_email:
        return done + " " + _("Le avisamos a %(name)s por correo.", name=order.contact_name)
    return done + " " + _("Avísale a %(name)s por WhatsApp: no dejó correo.", name=order.contact_name)


# --- looking ------------------------------------------------------------------------------------------------------


@blueprint.get("/pedidos")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """The list, by what there is to do; without a choice, the first thing that waits."""
    counts = todo_counts()
    asked = request.args.get("ver", "")
    waiting = next((name for name in FILTERS if counts.get(name)), "all")
    search = request.args.get("q", "").strip()[:60]
    chosen = asked if asked in FILTERS else "all" if search else waiting
    page = order_list(chosen, requested_page(), search)
    return render_template(
        "dashboard/orders/index.html",
        page=page,
        counts=counts,
        chosen=chosen,
        search=search,
        steps={row.code: _step_of(row) for row in page.items},
        parcels=parcels_of(row.id for row in page.items if row.fulfilment_method == "delivery"),
        may_review=_may_review(),
    )


@blueprint.get("/pedidos/<code>")
@access("staff", "orders:read")
def show(code: str) -> ResponseReturnValue:
    """One order, its next step first."""
    order = order_by_code(code)
    return render_template(
        "dashboard/orders/show.html",
        order=order,
        pictures=pictures_of(line.product_id for line in order.lines if line.product_id),
        step=_step_of(order),
        is_to_come=is_to_come(order, current_shop()),
        address=PostalAddress.from_dict(order.address) if order.address else None,
        parcel=parcels_of([order.id]).get(order.id) if order.fulfilment_method == "delivery" else None,
        refunds=refunds(order_id=order.id),
        goes_back=Money(max(0, left_to_refund(order.id) - order.kept_minor), order.currency),
        payments=payments_of(order.id),
        papers=papers_of_order(order.id),
        documents=documents_of_order(order.id),
        may_invoice=stamping.connected() is not None,
        changes=changes_of(order.id),
        disputes=disputes_of(order.id),
        parts=parts_of(order.id) if order.fulfilment_method == "pickup" else [],
        parcel_word=state_word,
        parcel_tone=state_tone,
        packed=parcels_with_contents(order.id) if order.fulfilment_method == "delivery" else [],
        returns=returns_of(order.id),
        behind=return_behind(order.id),
        may_review=_may_review(),
        may_refund=_may_review() and order.state in COUNTS and not order.owes_rest and left_to_refund(order.id) > 0,
        may_take_back=_may_review() and may_be_taken_back(order.id),
    )


@blueprint.get("/pedidos/<code>/envio")
@access("staff", "orders:read")
def parcel(code: str) -> ResponseReturnValue:
    """On to the order's parcel; back to the order while it has none."""
    order = order_by_code(code)
    parcel_code = code_of_order(order.id)
    if parcel_code is None:
        return redirect(url_for(".show", code=order.code), 303)
    return redirect(url_for("desk_delivery.show", code=parcel_code), 303)


# --- the next step ------------------------------------------------------------------------------------------------


@blueprint.post("/pedidos/<code>/confirmacion")
@access("staff", "orders:write")
def confirm(code: str) -> ResponseReturnValue:
    """Let it count; the customer is told."""
    order = order_by_code(code)
    confirm_order(order.id, current_actor())
    flash(_told(_("Confirmaste el pedido %(code)s.", code=order.code), order), "good")
    return _back(code)


@blueprint.post("/pedidos/<code>/listo")
@access("staff", "orders:write")
def ready(code: str) -> ResponseReturnValue:
    """It is packed."""
    order = order_by_code(code)
    mark_ready(order.id, current_actor())
    _flash_with_undo(_("El pedido %(code)s está listo.", code=order.code), url_for(".not_ready", code=order.code))
    return _back(code)


@blueprint.post("/pedidos/<code>/listo/deshacer")
@access("staff", "orders:write")
def not_ready(code: str) -> ResponseReturnValue:
    """It was tapped too early."""
    order = order_by_code(code)
    try:
        handing.unmark_ready(order.id, current_actor())
    except handing.ParcelDecides as refusal:
        return _to_parcel(order, refusal)
    flash(_("El pedido sigue en preparación."), "info")
    return _back(code)


@blueprint.post("/pedidos/<code>/entrega")
@access("staff", "orders:write")
def give(code: str) -> ResponseReturnValue:
    """It leaves the shop: into the customer's hands, paid for if it was not, or with somebody who carries it."""
    order = order_by_code(code)
    try:
        handing.hand_over(order.id, current_actor(), **_money_in())
    except handing.ParcelDecides as refusal:
        return _to_parcel(order, refusal)
    except handing.RestIsOpen as refusal:
        return _to_rest(order, refusal)
    if order.fulfilment_method == "delivery":
        flash(_("El pedido %(code)s va en camino.", code=order.code), "good")
    else:
        flash(_("Entregaste el pedido %(code)s.", code=order.code), "good")
    return _back(code)


@blueprint.post("/pedidos/<code>/llegada")
@access("staff", "orders:write")
def delivered(code: str) -> ResponseReturnValue:
    """It arrived, carried by the shop itself."""
    order = order_by_code(code)
    try:
        handing.deliver(order.id, current_actor(), **_money_in())
    except handing.ParcelDecides as refusal:
        return _to_parcel(order, refusal)
    except handing.RestIsOpen as refusal:
        return _to_rest(order, refusal)
    flash(_("El pedido %(code)s quedó entregado.", code=order.code), "good")
    return _back(code)


@blueprint.post("/pedidos/<code>/cobro")
@access("staff", "orders:write")
def collect(code: str) -> ResponseReturnValue:
    """The money was taken at the counter or brought by the courier."""
    order = order_by_code(code)
    handing.note_cash(order.id, current_actor())
    said = _("Anotamos que el pedido %(code)s está pagado.", code=order.code)
    _flash_with_undo(said, url_for(".uncollect", code=order.code))
    return _back(code)


@blueprint.post("/pedidos/<code>/cobro/deshacer")
@access("staff", "orders:write")
def uncollect(code: str) -> ResponseReturnValue:
    """It was tapped by mistake: the money is still to come. Who may not judge payments has little time to say so."""
    handing.unnote_cash(order_by_code(code).id, current_actor(), within=None if _may_review() else A_SLIP)
    flash(_("El pedido vuelve a estar sin pagar."), "info")
    return _back(code)


@blueprint.post("/pedidos/<code>/transferencia")
@access("staff", "payments:review")
def transferred(code: str) -> ResponseReturnValue:
    """The transfer is in the bank, though no proof of it was sent here; one that waits is to be looked at instead."""
    order = order_by_code(code)
    try:
        record_transfer(order.id, current_actor())
    except ProofWaits as waits:
        flash(str(waits), "info")
        return redirect(url_for("desk_payments.of_order", code=order.code), 303)
    said = _("Anotamos que la transferencia del pedido %(code)s ya llegó.", code=order.code)
    _flash_with_undo(said, url_for(".not_transferred", code=order.code))
    return _back(code)


@blueprint.post("/pedidos/<code>/transferencia/deshacer")
@access("staff", "payments:review")
def not_transferred(code: str) -> ResponseReturnValue:
    """It was tapped by mistake: the transfer is still to come."""
    take_back_transfer(order_by_code(code).id, current_actor())
    flash(_("El pedido vuelve a estar sin pagar. Si no llega el dinero, cancélalo."), "info")
    return _back(code)


@blueprint.post("/pedidos/<code>/estante")
@access("staff", "orders:write")
def restock(code: str) -> ResponseReturnValue:
    """What came back can be sold again."""
    order = order_by_code(code)
    restock_returned(order.id, current_actor())
    flash(_("Lo que regresó del pedido %(code)s ya se puede vender.", code=order.code), "good")
    return _back(code)


@blueprint.post("/pedidos/<code>/atendido")
@access("staff", "orders:write")
def attended(code: str) -> ResponseReturnValue:
    """Somebody looked and dealt with it."""
    settle_attention(order_by_code(code).id, current_actor())
    flash(_("Quedó atendido."), "good")
    return _back(code)


# --- cancelling ---------------------------------------------------------------------------------------------------


@blueprint.get("/pedidos/<code>/cancelacion")
@access("staff", "orders:write")
def ask_cancellation(code: str) -> ResponseReturnValue:
    """Ask why, and say what follows; where nothing can be cancelled any more, say that."""
    order = order_by_code(code)
    if not order.shop_may_cancel:
        flash(str(CannotCancel.message), "care")
        return redirect(url_for(".show", code=order.code), 303)
    most = most_to_keep(order)
    return _cancellation_page(order, _cancellation_form(order, formdata=None, data={"kept": most or None}), 200)


@blueprint.post("/pedidos/<code>/cancelacion")
@access("staff", "orders:write")
def cancel(code: str) -> ResponseReturnValue:
    """Cancel; the customer is told why."""
    order = order_by_code(code)
    form = _cancellation_form(order)
    if not form.validate():
        return _cancellation_page(order, form, 422)
    try:
        kept_minor = form.kept.data or 0
        handing.cancel(order.id, form.reason, current_actor(), damaged=_damaged(order, form), kept_minor=kept_minor)
    except handing.ParcelDecides as refusal:
        return _to_parcel(order, refusal)
    except MayNotKeep as refusal:
        form.kept.errors = (str(refusal),)
        return _cancellation_page(order, form, refusal.status)
    flash(_told(_("Cancelaste el pedido %(code)s.", code=order.code), order), "good")
    return redirect(url_for(".show", code=order.code), 303)


def _cancellation_page(order: OrderView, form: CancellationForm, status: int) -> ResponseReturnValue:
    ticks = [form[f"damaged_{position}"] for position in _goods(order.id)]
    page = render_template(
        "dashboard/orders/cancel.html", order=order, form=form, ticks=ticks, most_to_keep=most_to_keep(order)
    )
    return page, status
