"""What a change of an order's lines does to its money: the books, the tries to pay, and what was paid too much."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.orders.actions import set_payment_state
from storefront.orders.models import Order
from storefront.orders.states import COUNTS, SETTLED, PaymentState
from storefront.payments import actions, ledger, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, PaymentAttempt


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale as the books see it, in minor units."""

    listed_net_minor: int
    spared_net_minor: int
    tax_minor: int
    total_minor: int

    @classmethod
    def of(cls, order: Order) -> Sold:
        """What an order is sold for now."""
        spared = order.discount_net_minor
        return cls(order.net_minor + spared, spared, order.tax_minor, order.total_minor)


def before_change(order: Order) -> Sold:
    """What an order was sold for, in the books if it counts: what changes is booked as a difference to it."""
    if order.state in COUNTS:
        actions.book_sale(order.id)
    return Sold.of(order)


def follow_change(order: Order, change_id: int, was: Sold, by: Actor) -> None:
    """Bring the money up to an order whose lines have changed, in the transaction that holds it.

    A sale's books get a row for each difference. Open tries to pay the old total end, and one for the new begins. Of a
    paid order what is too much goes back.
    """
    now = Sold.of(order)
    if order.state in COUNTS:
        _book(order.id, change_id, was, now)
    if order.payment_state in SETTLED:
        too_much = order.received_minor - now.total_minor
        if too_much > 0:
            order.received_minor -= too_much
            db.session.flush()
            refunding.refund_order(order.id, "changed", by, too_much)
    elif now.total_minor != was.total_minor:
        for attempt in _open_attempts(order.id):
            actions.move_attempt(attempt, AttemptState.CANCELLED)
        db.session.flush()
        if order.due_now_minor:
            actions.open_attempt(order.id, order.payment_method)


def follow_shorter(order: Order, change_id: int, was: Sold, by: Actor) -> None:
    """The same for an order of which a part is not delivered and that is not paid yet, or paid in part. What came may
    be all of it now; what is too much goes back."""
    too_much = max(0, order.received_minor - order.total_minor)
    if not order.received_minor or order.due_minor:
        follow_change(order, change_id, was, by)
        return
    for attempt in _open_attempts(order.id):
        actions.move_attempt(attempt, AttemptState.CANCELLED)
    _book(order.id, change_id, was, Sold.of(order))
    order.received_minor -= too_much
    db.session.flush()
    set_payment_state(order.id, PaymentState.PAID, by)
    if too_much:
        refunding.refund_order(order.id, "changed", by, too_much)


def _book(order_id: int, change_id: int, was: Sold, now: Sold) -> None:
    owed = Account.RECEIVABLE
    listed = now.listed_net_minor - was.listed_net_minor
    for word, minor, debit, credit in (
        ("sale", listed, owed, Account.SALES),
        ("tax", now.tax_minor - was.tax_minor, owed, Account.TAX),
        ("discount", now.spared_net_minor - was.spared_net_minor, Account.DISCOUNTS, owed),
    ):
        kind = f"{word}_{'more' if minor > 0 else 'less'}"
        if minor < 0:
            debit, credit = credit, debit  # noqa: PLW2901 (a reversal swaps the accounts)
        ledger.post(debit, credit, abs(minor), kind=kind, source=("change", change_id), order_id=order_id)


def _open_attempts(order_id: int) -> list[PaymentAttempt]:
    return list(
        db.session.scalars(
            select(PaymentAttempt)
            .where(PaymentAttempt.order_id == order_id, PaymentAttempt.state.in_(actions.UNDECIDED))
            .order_by(PaymentAttempt.id)
            .execution_options(populate_existing=True)
        )
    )


def close_old_pages(order_id: int) -> None:
    """Close the payment pages of bills that are no more, and see whether one was paid all the same. Repeating is
    harmless. Raises GatewayUnavailable."""
    found = db.session.scalars(
        select(PaymentAttempt.id).where(
            PaymentAttempt.order_id == order_id,
            PaymentAttempt.provider.is_not(None),
            PaymentAttempt.state == AttemptState.CANCELLED,
            PaymentAttempt.provider_ref.is_not(None) | PaymentAttempt.joint_id.is_not(None),
        )
    ).all()
    db.session.rollback()
    for attempt_id in found:
        actions.close_page(attempt_id)
