"""Where an attempt's money came from: an exchange pays an order with money that came for another one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from storefront.kernel.db import db
from storefront.payments.methods import EXCHANGE
from storefront.payments.models import ExchangeCredit, PaymentAttempt, Refund


def origin_of(attempt: PaymentAttempt) -> PaymentAttempt:
    """The payment whose money an attempt is: itself, unless it is the value of goods that came back.

    What came back may have been paid by an exchange, too. Money goes back the way it once came.
    """
    while attempt.method == EXCHANGE:
        attempt = db.session.scalars(
            select(PaymentAttempt)
            .join(Refund, (Refund.tenant_id == PaymentAttempt.tenant_id) & (Refund.attempt_id == PaymentAttempt.id))
            .join(
                ExchangeCredit,
                (ExchangeCredit.tenant_id == Refund.tenant_id) & (ExchangeCredit.refund_id == Refund.id),
            )
            .where(ExchangeCredit.attempt_id == attempt.id)
        ).one()
    return attempt


def orders_fed(attempt_ids: Sequence[int]) -> list[int]:
    """The orders that these attempts' money pays by exchanges, one after the other.

    Whoever has locked the orders of the first may lock these as they come: an exchange is placed after what it is for.
    """
    found: set[int] = set()
    before = list(attempt_ids)
    while before:
        rows = db.session.execute(
            select(PaymentAttempt.id, PaymentAttempt.order_id)
            .join(
                ExchangeCredit,
                (ExchangeCredit.tenant_id == PaymentAttempt.tenant_id)
                & (ExchangeCredit.attempt_id == PaymentAttempt.id),
            )
            .join(
                Refund,
                (Refund.tenant_id == ExchangeCredit.tenant_id) & (Refund.id == ExchangeCredit.refund_id),
            )
            .where(Refund.attempt_id.in_(before))
        ).all()
        before = [row.id for row in rows]
        found |= {row.order_id for row in rows}
    return sorted(found)
