"""A bunch of card orders that somebody pays at once: whoever may come to them, and what must be true afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.embedded.fakestripe import StandIn
from storefront.embedded.fakestripe.contract import ApiError
from storefront.inventory import jobs as stock_jobs
from storefront.inventory.models import StockHold
from storefront.kernel import clock, inbox, jobs
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import Shop
from storefront.orders import jobs as order_jobs
from storefront.orders.actions import cancel_order, cancel_own_order, expire_order
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.payments import actions, ledger, queries, refunding, together
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import Refund, RefundState
from tests.factories.catalogue import Made, a_product
from tests.factories.orders import ALICIA, DORA, an_order


@dataclass
class Bunch:
    """`many` orders of two pieces each, every one of a product of its own, placed and not paid."""

    shop: Shop
    stand_in: StandIn
    many: int = 3
    order_ids: list[int] = field(default_factory=list)
    products: list[Made] = field(default_factory=list)
    total_minor: int = 0

    def open(self) -> Bunch:
        """Place the orders."""
        for number in range(self.many):
            product = a_product(stock=2)
            order = an_order(product, 2, unit_minor=2_500 + number, pay="card")
            self.products.append(product)
            self.order_ids.append(order.id)
            self.total_minor += order.total_minor
        db.session.expunge_all()
        db.session.rollback()
        return self

    def due(self, *which: int) -> int:
        """What these orders owe together."""
        ids = [self.order_ids[one] for one in which]
        owed = select(func.sum(Order.total_minor - Order.received_minor)).where(Order.id.in_(ids))
        found = int(db.session.scalar(owed) or 0)
        db.session.rollback()
        return found

    # --- what happens ---------------------------------------------------------------------------------------------

    def begin(self, *which: int) -> bool:
        """The customer goes on to a page for these orders; for the first two, when nothing else is said."""
        which = which or (0, 1)
        ids = [self.order_ids[one] for one in which]
        return _done(lambda: actions.start_card(together.begin(ids, ids[0], self.due(*which), DORA)))

    def begin_overlapping(self) -> bool:
        """On another page, the second order and the third."""
        return self.begin(1, 2)

    def single(self) -> bool:
        """The customer goes on to a page for the first order alone."""
        return _done(lambda: actions.start_card(actions.try_card_again(self.order_ids[0], DORA)))

    def pages(self) -> list[str]:
        """Every payment page that the provider ever opened, oldest first."""
        return [
            page["id"] for page in reversed(self.stand_in.state.every("checkout.session", self.shop.payment_account))
        ]

    def pay(self, which: int = -1) -> bool:
        """The customer pays on a page."""
        pages = self.pages()
        if not pages:
            return False
        try:
            self.stand_in.pay(pages[which])
        except ApiError:
            return False
        return True

    def webhook(self) -> bool:
        """Every notice of a payment page comes and is followed."""
        for notice in self.stand_in.events(account=self.shop.payment_account):
            if notice["type"].startswith("checkout.session."):
                about = notice["data"]["object"]
                payload = {"object_id": about["id"], "metadata": dict(about.get("metadata") or {})}
                inbox.receive("stripe", notice["id"], notice["type"], payload)
        return jobs.drain() > 0

    def come_back(self, which: int = 0) -> bool:
        """The customer comes back to an order's page."""
        attempt_id = queries.latest_card_attempt(self.order_ids[which])
        db.session.rollback()
        return attempt_id is not None and _done(lambda: actions.ask_provider(attempt_id))

    def poll(self) -> bool:
        """The minute's question to the provider."""
        payment_jobs.keep_asking.run()
        return True

    def cancel(self) -> bool:
        """The customer cancels the first order."""
        return _done(lambda: cancel_own_order(self.order_ids[0], "", DORA)) and (jobs.drain() >= 0)

    def owner_cancels(self) -> bool:
        """The owner cancels the second order."""
        return _done(lambda: cancel_order(self.order_ids[1], "", ALICIA)) and (jobs.drain() >= 0)

    def expire(self) -> bool:
        """The first order's time is over."""
        due = self.order_ids[0] in order_jobs.due_to_expire()
        db.session.rollback()
        return due and expire_order(self.order_ids[0])

    def refund(self) -> bool:
        """The owner sends back what the first order had."""
        try:
            decided = refunding.refund_order(self.order_ids[0], "asked", ALICIA)
        except Refusal:
            return False
        jobs.drain()
        return bool(decided)

    # --- what recovers, and what must be true ---------------------------------------------------------------------

    def recover(self) -> None:
        """Everything that runs by itself, as often as it takes, once leases and pages have run out."""
        at = clock.now()
        for minutes in (3, 47, 60):
            with clock.pretending(at + timedelta(minutes=minutes)):
                self.webhook()
                payment_jobs.keep_asking.run()
                stock_jobs.release_expired.run()
                order_jobs.expire_due.run()
                jobs.drain()

    def captured_minor(self) -> int:
        """What the provider has of the shop's money now."""
        sums = {"charge": 1, "refund": -1, "refund_failed": 1}
        return sum(sums.get(line.kind, 0) * line.amount for line in self.stand_in.book(self.shop.payment_account))

    def charges(self) -> int:
        """How often somebody was charged."""
        return len([line for line in self.stand_in.book(self.shop.payment_account) if line.kind == "charge"])

    def forget(self) -> None:
        """Let the stand-in forget all but the accounts."""
        state = self.stand_in.state
        with state.changing():
            state.objects = {key: kept for key, kept in state.objects.items() if kept["object"] == "account"}
            state.answers.clear()
            state.lines.clear()
            state.undelivered.clear()

    def states(self) -> list[tuple[OrderState, PaymentState]]:
        """Where each order stands."""
        rows = db.session.execute(
            select(Order.state, Order.payment_state).where(Order.id.in_(self.order_ids)).order_by(Order.id)
        )
        found = [(row.state, row.payment_state) for row in rows]
        db.session.rollback()
        return found

    def kept(self) -> list[int]:
        """What the books have of each order's money."""
        found = [ledger.balance(Account.CARD_CLEARING, order_id) for order_id in self.order_ids]
        db.session.rollback()
        return found

    def books(self) -> Any:
        """All that is to be known, for a failing test's reader."""
        return self.states(), self.kept(), self.captured_minor(), self.charges()

    def faults(self) -> list[Any]:
        """What is wrong however the story went: empty when nothing is."""
        found: list[Any] = [fault for look in INVARIANTS for fault in look()]
        left = db.session.execute(select(OutboxRow.job, OutboxRow.last_error).where(OutboxRow.done_at.is_(None))).all()
        found += [("left undone", *row) for row in left]
        waiting = select(Refund.id).where(Refund.order_id.in_(self.order_ids), Refund.state != RefundState.DONE)
        found += [("refund not done", refund) for refund in db.session.scalars(waiting)]
        db.session.rollback()
        kept = self.kept()
        if sum(kept) != self.captured_minor():
            found.append("our books do not say what the provider's say")
        for number, (state, payment) in enumerate(self.states()):
            counts = state in {OrderState.CONFIRMED, OrderState.COMPLETED}
            total = self._total(number)
            expected = {
                "money is kept exactly for an order that counts": kept[number] == (total if counts else 0)
                or payment in {PaymentState.REFUNDED, PaymentState.REFUND_PENDING},
                "what counts is paid": (payment is PaymentState.PAID) == (kept[number] > 0),
                "goods are kept exactly for an order that counts": self._held(number) == (2 if counts else 0),
            }
            found += [(number, name) for name, true in expected.items() if not true]
        return found

    def _total(self, number: int) -> int:
        found = db.session.scalar(select(Order.total_minor).where(Order.id == self.order_ids[number]))
        db.session.rollback()
        return int(found or 0)

    def _held(self, number: int) -> int:
        held = select(func.coalesce(func.sum(StockHold.qty), 0)).where(
            StockHold.cause_id == self.order_ids[number], StockHold.cause == "order", StockHold.state == "active"
        )
        found = int(db.session.scalar(held) or 0)
        db.session.rollback()
        return found


def _done(work: Any) -> bool:
    try:
        work()
    except Refusal:
        return False
    return True
