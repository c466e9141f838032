"""Where an attempt's money came from: an exchange pays an order with money that came for another one."""

from __future__ import annotations

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
