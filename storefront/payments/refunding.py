"""Sending money back. The decision is written first; the money follows, by the provider or by a person's hand."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.events import RefundRequested, RefundSettled
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import set_payment_state
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.states import PaymentState
from storefront.payments import door, ledger
from storefront.payments.ledger import Account
from storefront.payments.methods import CARD
from storefront.payments.models import REFUND_STATES, AttemptState, PaymentAttempt, Refund, RefundState
from storefront.payments.provider import GatewayRefused, RefundStatus


class TooMuchBack(Conflict):
    """More than what came in and is not sent back yet."""

    message = _l("No se puede devolver más de lo que se pagó.")


def decide(order: Order, attempt: PaymentAttempt, amount_minor: int, reason: str, by: Actor) -> Refund:
    """Decide to send back part or all of an attempt's money, in a transaction that holds the order.

    Raises TooMuchBack when more would go back than came in.
    """
    already = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
            Refund.attempt_id == attempt.id, Refund.state != RefundState.FAILED
        )
    )
    if amount_minor <= 0 or amount_minor + int(already or 0) > attempt.amount_minor:
        raise TooMuchBack
    number = (
        db.session.scalar(select(func.count()).select_from(Refund).where(Refund.attempt_id == attempt.id)) or 0
    ) + 1
    refund = Refund(
        order_id=order.id,
        attempt_id=attempt.id,
        amount_minor=amount_minor,
        currency=attempt.currency,
        state=RefundState.REQUESTED if attempt.method == CARD else RefundState.EXTERNAL,
        reason=reason,
        key=f"{attempt.key}:refund:{number}",
        created_at=clock.now(),
    )
    db.session.add(refund)
    db.session.flush()
    note("order", order.id, "refund_decided", by, amount_minor=amount_minor, reason=reason)
    if reason != "duplicate" and order.payment_state is PaymentState.PAID:
        set_payment_state(order.id, PaymentState.REFUND_PENDING, by, reason)
    record(RefundRequested(refund_id=refund.id, order_id=order.id))
    return refund


def refund_order(order_id: int, reason: str, by: Actor, amount_minor: int | None = None) -> list[Refund]:
    """Decide to send back everything that is left of an order's money, or `amount_minor` of it. Raises TooMuchBack."""
    with transaction():
        order = locked(order_id)
        paid = db.session.scalars(
            select(PaymentAttempt)
            .where(PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.SUCCEEDED)
            .order_by(PaymentAttempt.id)
        ).all()
        decided, left = [], amount_minor
        for attempt in paid:
            share = _left_of(attempt) if left is None else min(left, _left_of(attempt))
            if share > 0:
                decided.append(decide(order, attempt, share, reason, by))
                left = None if left is None else left - share
        if left:
            raise TooMuchBack
    return decided


def _left_of(attempt: PaymentAttempt) -> int:
    gone = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
            Refund.attempt_id == attempt.id, Refund.state != RefundState.FAILED
        )
    )
    return attempt.amount_minor - int(gone or 0)


def send_back(refund_id: int) -> RefundState:
    """Let the provider send a card payment back. Asking again asks with the same key: nothing goes back twice.

    Raises GatewayUnavailable when nobody knows what happened. A refusal makes it `external`: a person must act.
    """
    shop = current_shop()
    with transaction():
        refund = db.session.get_one(Refund, (shop.id, refund_id), populate_existing=True)
        attempt = db.session.get_one(PaymentAttempt, (shop.id, refund.attempt_id))
    if refund.state is not RefundState.REQUESTED or shop.payment_account is None:
        return refund.state
    if attempt.intent is None:
        return _settle(refund_id, RefundState.EXTERNAL, None)
    try:
        sent = door.gateway().refund(
            account=shop.payment_account,
            payment_intent=attempt.intent,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
            key=refund.key,
            metadata={"refund": refund.key},
            return_fee=True,
        )
    except GatewayRefused:
        return _settle(refund_id, RefundState.EXTERNAL, None)
    return _settle(refund_id, _state_of(sent.status), sent.id)


def _state_of(status: RefundStatus) -> RefundState:
    if status is RefundStatus.SUCCEEDED:
        return RefundState.DONE
    if status in {RefundStatus.FAILED, RefundStatus.CANCELLED}:
        return RefundState.FAILED
    return RefundState.IN_TRANSIT


def follow_refund(refund_id: int) -> RefundState:
    """Ask the provider what became of a refund that is in transit and follow its answer. Raises GatewayUnavailable."""
    shop = current_shop()
    with transaction():
        refund = db.session.get_one(Refund, (shop.id, refund_id), populate_existing=True)
    if refund.state is not RefundState.IN_TRANSIT or refund.provider_ref is None or shop.payment_account is None:
        return refund.state
    told = door.gateway().refund_state(shop.payment_account, refund.provider_ref)
    return _settle(refund_id, _state_of(told.status), refund.provider_ref)


def mark_sent_back(code: str, by: Actor) -> Refund:
    """A person has sent the money back by hand. Raises NotFound for an unknown code; twice changes nothing."""
    refund_id = db.session.scalar(select(Refund.id).where(Refund.code == code))
    if refund_id is None:
        raise NotFound
    _settle(refund_id, RefundState.DONE, None, by)
    return db.session.get_one(Refund, (current_shop().id, refund_id))


def _settle(refund_id: int, state: RefundState, reference: str | None, by: Actor = SYSTEM) -> RefundState:
    with transaction():
        order_id = db.session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
        order = locked(int(order_id or 0))
        refund = db.session.get_one(Refund, (current_shop().id, refund_id), populate_existing=True)
        if refund.state is state or refund.state is RefundState.DONE:
            return refund.state
        REFUND_STATES.require(refund.state, state)
        refund.state, refund.provider_ref = state, reference or refund.provider_ref
        note("order", order.id, f"refund_{state}", by, amount_minor=refund.amount_minor)
        if state is RefundState.DONE:
            refund.settled_at = clock.now()
            ledger.post(
                Account.RECEIVABLE,
                ledger.where_it_went(refund.attempt_id),
                refund.amount_minor,
                kind="sent_back",
                source=("refund", refund.id),
                order_id=order.id,
            )
            if order.payment_state is PaymentState.REFUND_PENDING and not _open_refunds(order.id):
                set_payment_state(order.id, PaymentState.REFUNDED, by)
            record(RefundSettled(refund_id=refund.id, order_id=order.id))
        return state


def _open_refunds(order_id: int) -> int:
    return int(
        db.session.scalar(
            select(func.count())
            .select_from(Refund)
            .where(
                Refund.order_id == order_id,
                Refund.state.in_([RefundState.REQUESTED, RefundState.IN_TRANSIT, RefundState.EXTERNAL]),
            )
        )
        or 0
    )
