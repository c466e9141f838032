"""What follows from money, and the asking that makes up for notices that never came. Every job may run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from storefront.events import (
    DisputeOpened,
    OrderCancelled,
    OrderConfirmed,
    OrderExpired,
    PaymentPageLeft,
    PaymentSucceeded,
    ProofRejected,
    ProofSubmitted,
    RefundRequested,
    RefundSettled,
)
from storefront.kernel import clock, inbox, mail
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy
from storefront.kernel.faces import face_url
from storefront.kernel.facts import WebhookReceived
from storefront.kernel.inbox import InboxRow
from storefront.kernel.jobs import ShopJob, periodic, shop_job
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import confirm_paid_order
from storefront.orders.moves import locked
from storefront.orders.queries import order_by_id
from storefront.orders.rests import rests_to_remind_of
from storefront.orders.states import COUNTS, WAITING, OrderState
from storefront.payments import (
    actions,
    contesting,
    dispute_queries,
    door,
    fees,
    gift_cards,
    gift_sales,
    kept,
    queries,
    reconciling,
    refunding,
)
from storefront.payments.capabilities import MERCADO_PAGO, SPEI, STRIPE
from storefront.payments.links import ways_for
from storefront.payments.models import AttemptState, PaymentAttempt, Refund, TransferProof
from storefront.payments.provider import GatewayRefused, GatewayUnavailable

log = structlog.get_logger()

TRANSFERRED = "cash_balance.funds_available"
"""Somebody's transfer came that is no payment: too much, or too late."""

PATIENCE = timedelta(days=3)
"""How long a notice about something unknown waits for it: as long as the provider itself goes on telling."""


@shop_job("payments.keep_or_return")
def keep_or_return(order_id: int, attempt_id: int) -> None:
    """Money has come: the order is confirmed, or, if it cannot be kept any more, the money goes back by itself.

    One transaction, so that nobody confirms what is about to be refunded.
    """
    with transaction():
        order = locked(order_id)
        attempt = db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)
        if attempt.state is not AttemptState.SUCCEEDED:
            return  # noted by mistake and taken back before this ran: there is no money to follow
        if order.due_now_minor and order.state is OrderState.EXPIRED:
            gift_cards.take_again(order)
        if order.due_now_minor and order.state in COUNTS | WAITING:
            return  # a part of it: the rest is still to come
        if order.due_now_minor or not confirm_paid_order(order_id):
            refunding.refund_order(order_id, "too_late", SYSTEM)


@shop_job("payments.close_left_page")
def close_left_page(order_id: int, attempt_id: int) -> None:
    """Nobody pays once more on a page that was left open."""
    actions.close_page(attempt_id)


@periodic("payments.remind_of_rests", every_s=3600)
def remind_of_rests() -> None:
    """Tell customers once that the rest of their order is due soon."""
    for order_id in rests_to_remind_of():
        order = order_by_id(order_id)
        with transaction():
            mail.send(
                "rest-due",
                to=str(order.contact_email),
                once=f"rest-due:{order_id}",
                locale=order.locale,
                order=order,
                can_pay_now=bool(ways_for(order)),
                pay_url=face_url("shop", f"/pagar/{order.token}"),
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )


@shop_job("payments.book_sale")
def book_sale(order_id: int) -> None:
    """Write a confirmed order into the books."""
    actions.book_sale(order_id)


@shop_job("payments.settle_cancelled")
def settle_cancelled(order_id: int) -> None:
    """A cancelled order leaves the books, its payment page is closed, and money that came goes back: all that is not
    kept of its deposit."""
    with transaction():
        actions.unbook_sale(order_id)
        kept.book(locked(order_id))
    refunding.refund_order(order_id, "cancelled", SYSTEM)
    attempt_id = queries.latest_card_attempt(order_id)
    if attempt_id is not None:
        actions.close_page(attempt_id)


@shop_job("payments.give_back")
def give_back(order_id: int) -> None:
    """What was paid of a lapsed order goes back; whoever paid with a gift card is told that it is on it again."""
    with transaction():
        back = gift_cards.give_back(order_id)
        order = order_by_id(order_id)
        if back and order.contact_email:
            mail.send(
                "refund-done",
                to=order.contact_email,
                once=f"gift-card-back:{order_id}",
                locale=order.locale,
                order=order,
                amount_minor=back,
                parts=(),
                to_gift_card=True,
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )
    if order.payment_method == SPEI:
        attempt_id = queries.latest_card_attempt(order_id)
        if attempt_id is not None:
            actions.close_page(attempt_id)  # a part of it may be there


@shop_job("payments.send_back")
def send_back(refund_id: int, order_id: int) -> None:
    """Let the provider send money back; what it cannot do waits for a person."""
    refunding.send_back(refund_id)


@shop_job("payments.apply_webhook")
def apply_webhook(inbox_id: int) -> None:
    """Follow one stored notice: ask the provider how things stand, whatever the notice said."""
    row = db.session.execute(
        select(InboxRow.source, InboxRow.kind, InboxRow.payload, InboxRow.handled_at, InboxRow.received_at).where(
            InboxRow.id == inbox_id
        )
    ).one()
    db.session.rollback()
    if row.handled_at is not None or door.account(row.source) is None:
        return
    outcome = _follow(row.kind, row.payload) if row.source == STRIPE else _follow_payment(row.payload)
    if outcome == "unknown":
        if row.received_at > clock.now() - PATIENCE:
            with transaction():
                inbox.park(inbox_id, row.received_at)
            return
        outcome = inbox.GIVEN_UP
    with transaction():
        inbox.mark_handled(inbox_id, outcome)


@periodic("payments.look_again", every_s=60)
def look_again() -> None:
    """Follow parked notices anew. One that cannot be followed now waits again and does not hold up the others."""
    for inbox_id in inbox.due_again():
        try:
            apply_webhook(inbox_id=inbox_id)
        except (GatewayUnavailable, GatewayRefused, Busy):
            with transaction():
                received = db.session.scalar(select(InboxRow.received_at).where(InboxRow.id == inbox_id))
                inbox.park(inbox_id, received or clock.now())


def _follow_payment(payload: dict[str, Any]) -> str:
    """News of Mercado Pago names a payment; what it is for, the payment says, asked for with the shop's token."""
    account = door.account(MERCADO_PAGO)
    try:
        key = door.mercado_pago().reference_of(str(account), str(payload.get("object_id", "")))
    except GatewayRefused:
        return "unknown"
    attempt_id = queries.attempt_of_key(key)
    if attempt_id is None:
        return "unknown"
    actions.ask_provider(attempt_id)
    return "applied"


def _follow(kind: str, payload: dict[str, Any]) -> str:
    if kind.startswith("checkout.session.") or kind in {"payment_intent.partially_funded", TRANSFERRED}:
        return _follow_page(payload)
    if kind == "payment_intent.payment_failed":
        attempt_id = queries.attempt_of_key(str(payload.get("metadata", {}).get("attempt", "")))
        if attempt_id is None:
            return "unknown"
        if not actions.fails_later(attempt_id):
            actions.note_decline(attempt_id)
            return "applied"
        actions.ask_provider(attempt_id)
        return "applied"
    if kind.startswith("charge.dispute."):
        return "applied" if contesting.follow(str(payload.get("object_id", ""))) else "unknown"
    return _follow_refund(payload) if kind.startswith(("refund.", "charge.refund")) else "ignored"


def _follow_refund(payload: dict[str, Any]) -> str:
    refund_id = queries.refund_of_reference(str(payload.get("object_id", "")))
    if refund_id is None:
        return "ignored"
    refunding.follow_refund(refund_id)
    return "applied"


def _follow_page(payload: dict[str, Any]) -> str:
    key = str(payload.get("metadata", {}).get("attempt", ""))
    reference = str(payload.get("object_id", ""))
    attempt_id = queries.attempt_of_reference(reference) or queries.attempt_of_key(key)
    attempt_id = attempt_id or queries.attempt_of_payer(reference)
    if attempt_id is None:
        return "unknown"
    actions.ask_provider(attempt_id)
    return "applied"


@periodic("payments.keep_asking", every_s=60)
def keep_asking() -> None:
    """Ask about card attempts, refunds and disputes without an end: a notice may never come."""
    actions.keep_asking()
    refunding.keep_asking()
    contesting.keep_asking()


@periodic("payments.ask_fees", every_s=600)
def ask_fees() -> None:
    """Ask what the provider kept of payments and gave back with refunds."""
    fees.keep_asking()


@periodic("payments.send_gift_cards", every_s=600)
def send_gift_cards() -> None:
    """Mail the gift cards whose day has come."""
    gift_sales.send_due()


@periodic("payments.reconcile", every_s=3600)
def reconcile() -> None:
    """Compare the days that are over with the provider and the books, the oldest first; an outage leaves them due."""
    try:
        for day in reconciling.days_due():
            reconciling.reconcile(day)
    except (GatewayUnavailable, GatewayRefused, Busy) as trouble:
        log.warning("reconcile.put_off", why=type(trouble).__name__)


@shop_job("payments.tell_rejected")
def tell_rejected(proof_id: int, order_id: int) -> None:
    """Tell the customer why the proof did not do, and where to send another."""
    order = order_by_id(order_id)
    reason = db.session.scalar(select(TransferProof.reason).where(TransferProof.id == proof_id))
    if order.contact_email:
        with transaction():
            mail.send(
                "proof-rejected",
                to=order.contact_email,
                once=f"proof-rejected:{proof_id}",
                locale=order.locale,
                order=order,
                reason=reason or "",
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )


@shop_job("payments.tell_shop_proof")
def tell_shop_proof(proof_id: int, order_id: int) -> None:
    """Tell the shop that there is a proof to look at."""
    shop, order = current_shop(), order_by_id(order_id)
    if shop.email:
        with transaction():
            mail.send(
                "owner-proof",
                to=shop.email,
                once=f"owner-proof:{proof_id}",
                order=order,
                amount=queries.proof_by_id(proof_id).amount,
                review_url=face_url("app", "/cobros"),
            )


@shop_job("payments.tell_shop_dispute")
def tell_shop_dispute(dispute_id: int, order_id: int) -> None:
    """Tell the shop that somebody contests a payment, and until when the bank waits for an answer."""
    shop, dispute = current_shop(), dispute_queries.dispute_by_id(dispute_id)
    if shop.email:
        with transaction():
            mail.send(
                "owner-dispute",
                to=shop.email,
                once=f"owner-dispute:{dispute_id}",
                dispute=dispute,
                dispute_url=face_url("app", f"/cobros/contracargos/{dispute.code}"),
            )


@shop_job("payments.tell_refunded")
def tell_refunded(refund_id: int, order_id: int) -> None:
    """Tell the customer that the money is on its way. What did not leave the shop is told by who kept it for them."""
    order = order_by_id(order_id)
    amount, reason = db.session.execute(select(Refund.amount_minor, Refund.reason).where(Refund.id == refund_id)).one()
    if order.contact_email and reason not in refunding.KEPT:
        with transaction():
            mail.send(
                "refund-done",
                to=order.contact_email,
                once=f"refund-done:{refund_id}",
                locale=order.locale,
                order=order,
                amount_minor=amount,
                parts=queries.parts_by_refund([refund_id]).get(refund_id, ()),
                to_gift_card=queries.went_to_a_gift_card(refund_id),
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )


ANSWERS: dict[type, list[ShopJob]] = {
    PaymentSucceeded: [keep_or_return],
    PaymentPageLeft: [close_left_page],
    OrderConfirmed: [book_sale],
    OrderCancelled: [settle_cancelled],
    OrderExpired: [give_back],
    RefundRequested: [send_back],
    RefundSettled: [tell_refunded],
    ProofRejected: [tell_rejected],
    ProofSubmitted: [tell_shop_proof],
    WebhookReceived: [apply_webhook],
    DisputeOpened: [tell_shop_dispute],
}
