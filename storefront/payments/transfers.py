"""Transfers seen in the bank: through a proof, or because somebody of the shop looked at the account themselves.

Many customers send their proof by WhatsApp, so no picture of it ever gets here. Whoever may judge proofs can then say
that the money has come, and take it back for as long as nothing was handed over for it.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.events import PaymentSucceeded
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.outbox import record
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.states import ON_THE_SHELF, SETTLED, OrderState, PaymentState, owes_rest
from storefront.payments import ledger, receiving
from storefront.payments.actions import attempt_to_pay, latest_attempt, move_attempt, witness
from storefront.payments.ledger import Account
from storefront.payments.methods import TRANSFER
from storefront.payments.models import AttemptState, PaymentAttempt, PaymentEvent

SEEN = "transfer"
"""How the history of money names a transfer that a person saw in the bank."""


CAME = (PaymentState.PAID, PaymentState.PARTLY_PAID)
"""States of an order some money of which came, and none of which is on its way back."""


class NotATransfer(Conflict):
    """The order is paid in another way."""

    message = _l("Este pedido no se paga por transferencia.")


class ProofWaits(Conflict):
    """The customer's proof is to be looked at first."""

    message = _l("La clienta o el cliente ya mandó un comprobante. Ábrelo y acéptalo o pide otro.")


class AlreadyPaid(Conflict):
    """The money was noted in another way, or is on its way back."""

    message = _l("El pago de este pedido ya está anotado.")


class OrderEnded(Conflict):
    """Nothing is kept for the order any more."""

    message = _l("Este pedido se canceló o venció. Si te llegó el dinero, devuélvelo o haz un pedido nuevo.")


class NotSeenByHand(Conflict):
    """There is no transfer that somebody noted without a proof."""

    message = _l("En este pedido nadie anotó una transferencia sin comprobante, así que no hay nada que deshacer.")


class HandedOver(Conflict):
    """What was paid for has left the shop."""

    message = _l("Lo que pidió ya salió de la tienda. Si el dinero no llegó, ponte de acuerdo con quien lo pidió.")


def receive(order: Order, attempt: PaymentAttempt, by: Actor) -> None:
    """The money of an attempt is in the bank: it counts, and the order is kept or the money returned by what follows.

    In a transaction that holds the order.
    """
    move_attempt(attempt, AttemptState.SUCCEEDED)
    source = ("attempt", attempt.id)
    amount = attempt.amount_minor
    ledger.post(Account.BANK, Account.RECEIVABLE, amount, kind="received", source=source, order_id=order.id)
    if receiving.count_in(order, attempt, by, TRANSFER):
        record(PaymentSucceeded(order_id=order.id, attempt_id=attempt.id))


def record_transfer(order_id: int, by: Actor) -> None:
    """Somebody of the shop saw all that is due in the bank, without a proof. Saying it twice changes nothing.

    Raises NotATransfer, OrderEnded, ProofWaits, or AlreadyPaid when the money was noted in another way.
    """
    with transaction():
        order = locked(order_id)
        if order.payment_method != TRANSFER and not was_asked_for(order):
            raise NotATransfer
        if order.payment_state in SETTLED:
            latest = latest_attempt(order_id)
            if order.payment_state is PaymentState.PAID and latest is not None and was_seen_by_hand(latest.id):
                return
            raise AlreadyPaid
        if order.state in {OrderState.CANCELLED, OrderState.EXPIRED}:
            raise OrderEnded
        if order.payment_state is PaymentState.PROOF_REVIEW:
            raise ProofWaits
        attempt = attempt_to_pay(order, TRANSFER)
        witness(by.kind, f"{attempt.key}:{SEEN}", order.id, attempt.id, SEEN, {"by": by.label})
        note("order", order.id, "transfer_received", by, amount_minor=attempt.amount_minor)
        receive(order, attempt, by)


def was_asked_for(order: Order) -> bool:
    """Whether a transfer may come for an order that is paid in another way by now: it was to be paid by one before, or
    its rest is open."""
    tried = select(PaymentAttempt.id).where(PaymentAttempt.order_id == order.id, PaymentAttempt.method == TRANSFER)
    return owes_rest(order) or db.session.scalar(tried.limit(1)) is not None


def take_back_transfer(order_id: int, by: Actor) -> None:
    """Undo `record_transfer`: somebody tapped by mistake. Undoing it twice changes nothing; the order stays confirmed.

    Raises NotSeenByHand when there is nothing to undo, HandedOver once the goods have left.
    """
    with transaction():
        order = locked(order_id)
        attempt = latest_attempt(order_id)
        if attempt is None or not was_seen_by_hand(attempt.id):
            raise NotSeenByHand
        if attempt.state is AttemptState.CANCELLED and order.payment_state not in SETTLED:
            return
        is_there = attempt.state is AttemptState.SUCCEEDED and order.payment_state in CAME
        if not is_there or order.state is OrderState.CANCELLED:
            raise NotSeenByHand
        if order.fulfilment_state not in ON_THE_SHELF:
            raise HandedOver  # a gift card, too, is given as soon as it is paid
        move_attempt(attempt, AttemptState.CANCELLED)
        source = ("attempt", attempt.id)
        amount = attempt.amount_minor
        ledger.post(Account.RECEIVABLE, Account.BANK, amount, kind="taken_back", source=source, order_id=order.id)
        note("order", order.id, "transfer_taken_back", by, amount_minor=amount)
        receiving.count_out(order, attempt, by)


def was_seen_by_hand(attempt_id: int) -> bool:
    """Whether the money of an attempt was noted by a person without a proof."""
    seen = select(PaymentEvent.id).where(PaymentEvent.attempt_id == attempt_id, PaymentEvent.kind == SEEN)
    return db.session.scalar(seen) is not None


def may_be_taken_back(order_id: int) -> bool:
    """Whether a transfer noted by hand can still be undone, for the order's page."""
    row = db.session.execute(
        select(PaymentAttempt.id)
        .join(Order, (Order.tenant_id == PaymentAttempt.tenant_id) & (Order.id == PaymentAttempt.order_id))
        .join(
            PaymentEvent,
            (PaymentEvent.tenant_id == PaymentAttempt.tenant_id) & (PaymentEvent.attempt_id == PaymentAttempt.id),
        )
        .where(
            PaymentAttempt.order_id == order_id,
            PaymentAttempt.state == AttemptState.SUCCEEDED,
            PaymentEvent.kind == SEEN,
            Order.payment_state.in_(CAME),
            Order.state != OrderState.CANCELLED,
            Order.fulfilment_state.in_(ON_THE_SHELF),
        )
    ).first()
    return row is not None
