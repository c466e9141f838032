"""Paying, from the customer's side: the block on the order's page and what its buttons do."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Refusal
from storefront.kernel.limits import limited
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import OrderView, order_by_token
from storefront.orders.states import FulfilmentState, OrderState, PaymentState
from storefront.payments import actions, proofs, queries
from storefront.payments.capabilities import THROUGH_A_PROVIDER
from storefront.payments.forms import ProofForm
from storefront.payments.gift_views import gift_block
from storefront.payments.links import ways_for
from storefront.payments.methods import METHODS, TRANSFER, name_of
from storefront.payments.models import AttemptState
from storefront.payments.together_queries import open_page
from storefront.payments.together_views import together_block

blueprint = Blueprint("payments", __name__)

HURRY = timedelta(hours=1)
"""From here on a deadline is counted down in minutes; before that it is a day and an hour."""


def payment_block(order: OrderView, form: ProofForm | None = None) -> Markup:
    """The slot "order.payment": what came of several payments, and what the customer may do about money now."""
    to_pay = _to_pay(order, form) + _another_way(order)
    if form is None and to_pay and order.owes_rest and _is_for_later(order):
        folded = render_template("shop/payments/_rest_now.html", block=to_pay)
        to_pay = Markup(folded)  # noqa: S704 (our own template, which escapes)
    return _payments(order) + _deposit(order) + to_pay + together_block(order) + gift_block(order)


def _is_for_later(order: OrderView) -> bool:
    """Whether a rest is paid at the hand-over, and nobody has begun to pay it before."""
    return not order.rest_in_advance and order.payment_state is PaymentState.PARTLY_PAID


def _payments(order: OrderView) -> Markup:
    """What came, where it was not simply all of it in one way."""
    is_over = order.state in {OrderState.CANCELLED, OrderState.EXPIRED}
    payments = queries.payments_of(order.id) if order.received_minor and not is_over else []
    if not order.due and not any(payment.card for payment in payments):
        return Markup("")
    if not payments:
        return Markup("")
    names = [name_of(payment.method) for payment in payments]
    page = render_template("shop/payments/paid.html", order=order, payments=payments, names=names)
    return Markup(page)  # noqa: S704 (our own template, which escapes)


def _deposit(order: OrderView) -> Markup:
    """What was agreed of a deposit, while something is still to be paid."""
    if not (order.deposit_minor and order.due and order.is_to_be_paid):
        return Markup("")
    is_late = order.rest_in_advance and order.rest_due_at is not None and order.rest_due_at < clock.now()
    page = render_template("shop/payments/_deposit.html", order=order, is_late=is_late)
    return Markup(page)  # noqa: S704 (our own template, which escapes)


def _to_pay(order: OrderView, form: ProofForm | None) -> Markup:
    pays_now = order.is_to_be_paid and order.state is not OrderState.COMPLETED
    if not pays_now or not order.due_now or order.payment_method not in THROUGH_A_PROVIDER | {TRANSFER}:
        return Markup("")
    voucher = queries.open_voucher(order.id) if order.payment_method in THROUGH_A_PROVIDER else None
    proof = queries.latest_proof(order.id) if order.payment_method == TRANSFER else None
    together = open_page(order.id) if voucher else None
    return Markup(  # noqa: S704 (our own template, which escapes)
        render_template(
            "shop/payments/block.html",
            order=order,
            proof=proof,
            method=METHODS[order.payment_method],
            voucher=voucher,
            voucher_hurry=bool(voucher and voucher.expires_at and voucher.expires_at - clock.now() < HURRY),
            form=form or ProofForm(formdata=None),
            bank_details=current_shop().bank_details,
            waits_for_review=order.payment_state is PaymentState.PROOF_REVIEW,
            amount=together.amount if together else order.due_now,
        )
    )


def _another_way(order: OrderView) -> Markup:
    """On to the page with all ways, where an order that waits for money, or for its rest, may be paid in another."""
    if order.is_charge or not (order.state is OrderState.AWAITING_PAYMENT or order.owes_rest):
        return Markup("")
    if order.fulfilment_state is FulfilmentState.SHIPPED:
        return Markup("")
    others = [way.code for way in ways_for(order) if way.code != order.payment_method]
    if not others:
        return Markup("")
    is_only = order.payment_method not in THROUGH_A_PROVIDER | {TRANSFER}
    page = render_template("shop/payments/_another_way.html", order=order, is_only=is_only)
    return Markup(page)  # noqa: S704 (our own template, which escapes)


def refunds_block(order: OrderView) -> Markup:
    """The slot "order.refunds": money that goes back, and what for; empty when none does."""
    found = queries.refunds(order_id=order.id)
    if not found:
        return Markup("")
    return Markup(render_template("shop/payments/refunds.html", refunds=found))  # noqa: S704 (our own template)


def _customer(order: OrderView) -> Actor:
    actor = current_actor()
    return actor if actor.kind == "customer" else Actor("customer", order.customer_id, "")


@blueprint.post("/pedido/<token>/tarjeta")
@access("public")
@limited("checkout")
def pay_by_card(token: str) -> ResponseReturnValue:
    """On to the provider's page: the one that is open, its voucher, or a new one after a failure."""
    order = order_by_token(token)
    return redirect(actions.start_card(actions.try_card_again(order.id, _customer(order))), 303)


@blueprint.get("/pedido/<token>/pagado")
@access("public")
def come_back(token: str) -> ResponseReturnValue:
    """Back from the provider's page: ask the provider at once, so that the customer sees how it ended."""
    order = order_by_token(token)
    attempt_id = queries.latest_card_attempt(order.id)
    if attempt_id is not None:
        try:
            state = actions.ask_provider(attempt_id)
        except Refusal:
            state = AttemptState.PENDING
        if state is AttemptState.SUCCEEDED:
            flash(_("Recibimos tu pago. ¡Gracias!"), "good")
        elif queries.open_voucher(order.id):
            flash(_("Listo. Te falta pagar; aquí abajo te decimos cómo."), "info")
        else:
            flash(_("Todavía no nos llega el aviso del pago. Esta página lo muestra en cuanto llegue."), "info")
    return redirect(url_for("orders.show", token=token), 303)


@blueprint.post("/pedido/<token>/comprobante")
@access("public")
@limited("upload")
def send_proof(token: str) -> ResponseReturnValue:
    """Keep the photo of a transfer and let the shop look at it."""
    order = order_by_token(token)
    form = ProofForm()
    photo = request.files.get("photo")
    if not form.validate() or photo is None:
        return _proof_page(order, form), 422
    try:
        proofs.submit_proof(order.id, photo.stream, form.reference.data or "", _customer(order))
    except Refusal as refusal:
        form.photo.errors = (str(refusal),)
        return _proof_page(order, form), refusal.status
    flash(_("Recibimos tu comprobante. La tienda lo revisa y te confirma."), "good")
    return redirect(url_for("orders.show", token=token), 303)


def _proof_page(order: OrderView, form: ProofForm) -> str:
    return render_template("shop/payments/proof.html", order=order, form=form, block=payment_block(order, form))


SLOTS = {"order.payment": payment_block, "order.refunds": refunds_block}
