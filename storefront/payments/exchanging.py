"""What exchanges are for money: none moves. What the shop owes for returned goods pays another order.

A refund that is set off (`refunding`) makes the sale of what came back smaller, and its money waits in an account of
its own for as long as the transaction takes. There a payment attempt of the other order, which succeeds at once, takes
it up. Each such refund pays once: a key says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from storefront.events import PaymentSucceeded
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db
from storefront.kernel.outbox import record
from storefront.orders.moves import locked
from storefront.payments import ledger, receiving
from storefront.payments.actions import move_attempt, open_attempt, witness
from storefront.payments.disputes import disputed_of
from storefront.payments.ledger import Account
from storefront.payments.methods import EXCHANGE
from storefront.payments.models import AttemptState, ExchangeCredit, PaymentAttempt, Refund
from storefront.payments.refunding import SET_OFF


def pay_with_returned(order_id: int, refunds: Sequence[Refund], by: Actor) -> None:
    """Pay an order with what was set off for it, in the transaction that places it. Never more than it costs."""
    order = locked(order_id)
    for refund in refunds:
        attempt = open_attempt(order.id, EXCHANGE)
        attempt.amount_minor = refund.amount_minor
        db.session.flush()
        db.session.add(ExchangeCredit(refund_id=refund.id, attempt_id=attempt.id))
        db.session.flush()
        move_attempt(attempt, AttemptState.SUCCEEDED)
        facts = {"amount_minor": refund.amount_minor, "refund": refund.code}
        witness("shop", f"{attempt.key}:paid", order.id, attempt.id, EXCHANGE, facts)
        ledger.post(
            Account.EXCHANGES, Account.RECEIVABLE, refund.amount_minor,
            kind="received", source=("attempt", attempt.id), order_id=order.id,
        )  # fmt: skip
        order.disputed_minor = disputed_of(order.id)
        note("order", order.id, "paid_with_returned", by, amount_minor=refund.amount_minor)
        if receiving.count_in(order, attempt, by, EXCHANGE) and not order.due_minor:
            record(PaymentSucceeded(order_id=order.id, attempt_id=attempt.id))


def invariants() -> list[dict[str, Any]]:
    """I26: what was set off pays one other order, with the same amount; nothing stays between the two."""
    rows = db.session.execute(
        select(Refund.id, Refund.amount_minor, PaymentAttempt.amount_minor.label("paid"))
        .outerjoin(
            ExchangeCredit, (ExchangeCredit.tenant_id == Refund.tenant_id) & (ExchangeCredit.refund_id == Refund.id)
        )
        .outerjoin(
            PaymentAttempt,
            (PaymentAttempt.tenant_id == ExchangeCredit.tenant_id) & (PaymentAttempt.id == ExchangeCredit.attempt_id),
        )
        .where(
            Refund.reason == SET_OFF,
            func.coalesce(PaymentAttempt.amount_minor, 0) != Refund.amount_minor,
        )
    )
    found: list[dict[str, Any]] = [
        {"invariant": "I26", "refund": row.id, "set_off_minor": row.amount_minor, "paid_minor": int(row.paid or 0)}
        for row in rows
    ]
    between = ledger.balance(Account.EXCHANGES)
    return [*found, {"invariant": "I26", "between_minor": between}] if between else found
