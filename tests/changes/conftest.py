"""What the tests of changes look at."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from storefront.changes.models import OrderChange, OrderChangeEvent, OrderChangeLine
from storefront.cli import INVARIANTS
from storefront.inventory.models import Stock, StockHold
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order, OrderEvent, OrderLine
from storefront.payments.models import LedgerEntry, PaymentAttempt, Refund


@pytest.fixture
def at_the_bakery(bakery) -> Iterator[None]:
    """The whole test works for the bakery."""
    with acting_for(bakery):
        yield


@pytest.fixture
def look():
    """Questions to the database, freshly read."""
    return Look()


class Look:
    """What is true now."""

    def lines(self, order_id):
        """(name, quantity, gross) of each line."""
        rows = db.session.execute(
            select(OrderLine.product_name, OrderLine.quantity, OrderLine.gross_minor)
            .where(OrderLine.order_id == order_id)
            .order_by(OrderLine.position)
        ).all()
        db.session.rollback()
        return [tuple(row) for row in rows]

    def order(self, order_id):
        """State, payment and total of an order."""
        row = db.session.execute(
            select(Order.state, Order.payment_state, Order.total_minor).where(Order.id == order_id)
        ).one()
        db.session.rollback()
        return str(row.state), str(row.payment_state), row.total_minor

    def stock(self, product):
        """(on hand, promised) of a product."""
        row = db.session.execute(
            select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == product.variant_id)
        ).one()
        db.session.rollback()
        return tuple(row)

    def held(self, cause, cause_id):
        """Units that a cause holds."""
        held = db.session.scalar(
            select(func.coalesce(func.sum(StockHold.qty), 0)).where(
                StockHold.cause == cause, StockHold.cause_id == cause_id, StockHold.state == "active"
            )
        )
        db.session.rollback()
        return int(held)

    def attempts(self, order_id):
        """(state, amount) of each try to pay."""
        rows = db.session.execute(
            select(PaymentAttempt.state, PaymentAttempt.amount_minor)
            .where(PaymentAttempt.order_id == order_id)
            .order_by(PaymentAttempt.id)
        ).all()
        db.session.rollback()
        return [(str(row.state), row.amount_minor) for row in rows]

    def trace(self):
        """Everything that a change would leave behind."""
        tables = (
            OrderChange, OrderChangeLine, OrderChangeEvent, OrderEvent, OrderLine, LedgerEntry, PaymentAttempt, Refund,
            StockHold, OutboxRow,
        )  # fmt: skip
        counts = [db.session.scalar(select(func.count()).select_from(table)) for table in tables]
        sums = db.session.execute(select(func.sum(Order.total_minor), func.sum(Order.version)).select_from(Order)).one()
        reserved = db.session.scalar(select(func.sum(Stock.reserved)))
        db.session.rollback()
        return counts, tuple(sums), reserved

    def faults(self):
        """What every shop's invariants say."""
        found = [fault for ask in INVARIANTS for fault in ask()]
        db.session.rollback()
        return found


@pytest.fixture
def together(app, bakery):
    """Several people's work at the same time; the sorted names of what became of each."""

    def run(*works):
        start = Barrier(len(works))

        def one(work):
            with app.app_context(), acting_for(bakery):
                start.wait(20)
                try:
                    work()
                except Refusal as refusal:
                    return type(refusal).__name__
                return "done"

        with ThreadPoolExecutor(len(works)) as pool:
            return sorted(pool.map(one, works))

    return run
