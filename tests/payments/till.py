"""A shop's till for stories about money: orders paid by card through the stand-in, everybody who may come to them, the
recovery that runs when a story is over, and what the books must then say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.embedded.fakestripe import StandIn
from storefront.embedded.fakestripe.contract import ApiError
from storefront.inventory import jobs as stock_jobs
from storefront.inventory.models import Stock, StockHold
from storefront.kernel import clock, inbox, jobs
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.mail import MailMessage
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import Shop
from storefront.orders import jobs as order_jobs
from storefront.orders.actions import cancel_order, cancel_own_order, expire_order
from storefront.orders.models import Attention, Order, OrderState, PaymentState
from storefront.payments import actions, ledger, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import LedgerEntry, PaymentAttempt, Refund, RefundState
from tests.factories.catalogue import Made, a_product
from tests.factories.orders import ALICIA, DORA, an_order

HELD_FOR = timedelta(minutes=35)
"""How long a card's order holds its goods, the grace included."""


@dataclass(frozen=True, slots=True)
class Books:
    """What is true of one order when all is quiet."""

    state: OrderState
    payment: PaymentState
    attention: Attention | None
    charges: int
    kept_minor: int
    booked_minor: int
    receivable_minor: int
    sold_minor: int
    reserved: int
    on_hand: int
    confirmations: int


@dataclass
class Till:
    """One order of `quantity` pieces of a product of its own, and everything that may happen to it.

    Each verb is what one person or program does; it says whether it was done (False: it was refused).
    """

    shop: Shop
    stand_in: StandIn
    quantity: int = 2
    stock: int = 2
    product: Made = field(init=False)
    order_id: int = field(init=False)
    total_minor: int = field(init=False)
    sales_minor: int = field(init=False)

    def open(self) -> Till:
        """Place the order; its payment page is not opened yet."""
        self.product = a_product(stock=self.stock)
        order = an_order(self.product, self.quantity, pay="card")
        self.order_id, self.total_minor, self.sales_minor = order.id, order.total_minor, order.net_minor
        db.session.expunge_all()
        db.session.rollback()
        return self

    # --- what happens ---------------------------------------------------------------------------------------------

    def attempt(self) -> int:
        """The newest card attempt."""
        found = queries.latest_card_attempt(self.order_id)
        db.session.rollback()
        assert found is not None
        return found

    def pages(self) -> list[str]:
        """Every payment page that the provider ever opened for this order, oldest first."""
        ours = f"order:{self.shop.id}:{self.order_id}:"
        found = self.stand_in.state.every("checkout.session", self.shop.payment_account)
        return [page["id"] for page in reversed(found) if page["client_reference_id"].startswith(ours)]

    def start(self) -> bool:
        """The customer goes on to the payment page: the open one, or a new one."""
        return _done(lambda: actions.start_card(actions.try_card_again(self.order_id, DORA)))

    def pay(self, which: int = -1) -> bool:
        """The customer pays on a page."""
        return self._at_provider(self.stand_in.pay, which)

    def decline(self, which: int = -1) -> bool:
        """The customer's card is refused."""
        return self._at_provider(self.stand_in.decline, which)

    def close_at_provider(self, which: int = -1) -> bool:
        """The provider closes the page."""
        return self._at_provider(self.stand_in.expire, which)

    def _at_provider(self, verb: Any, which: int) -> bool:
        pages = self.pages()
        if not pages:
            return False
        try:
            verb(pages[which])
        except ApiError:
            return False
        return True

    def notices(self) -> list[dict[str, Any]]:
        """Every notice that the provider ever wrote about this order's payments, oldest first."""
        pages, own = set(self.pages()), f"order:{self.shop.id}:{self.order_id}:"
        return [
            notice
            for notice in self.stand_in.events(account=self.shop.payment_account)
            if (about := notice["data"]["object"])["id"] in pages
            or str(about.get("metadata", {}).get("attempt", "")).startswith(own)
            or str(about.get("metadata", {}).get("refund", "")).startswith(own)
        ]

    def hear(self, notice: dict[str, Any], delivery: str = "") -> bool:
        """A notice comes in. With `delivery`, as if it had another id: the same news once more."""
        about = notice["data"]["object"]
        payload = {"object_id": about["id"], "metadata": dict(about.get("metadata") or {})}
        return inbox.receive("stripe", notice["id"] + delivery, notice["type"], payload)

    def work(self) -> bool:
        """The worker does what is to be done."""
        return jobs.drain() > 0

    def webhook(self) -> bool:
        """The newest notice of a payment page comes and is followed."""
        about_pages = [notice for notice in self.notices() if notice["type"].startswith("checkout.session.")]
        if about_pages:
            self.hear(about_pages[-1])
        return self.work()

    def come_back(self) -> bool:
        """The customer comes back from the page: we ask at once."""
        return _done(lambda: actions.ask_provider(self.attempt()))

    def poll(self) -> bool:
        """The minute's question to the provider."""
        payment_jobs.keep_asking.run()
        return True

    def cancel(self) -> bool:
        """The customer cancels."""
        return _done(lambda: cancel_own_order(self.order_id, "", DORA)) and (self.work() or True)

    def owner_cancels(self) -> bool:
        """The owner cancels."""
        return _done(lambda: cancel_order(self.order_id, "", ALICIA)) and (self.work() or True)

    def expire(self) -> bool:
        """The minute's look for orders whose time is over; here for this one."""
        due = self.order_id in order_jobs.due_to_expire()
        db.session.rollback()
        return due and expire_order(self.order_id)

    def refund(self, amount_minor: int | None = None) -> bool:
        """The owner sends the money back."""
        try:
            decided = refunding.refund_order(self.order_id, "asked", ALICIA, amount_minor)
        except Refusal:
            return False
        self.work()
        return bool(decided)

    # --- what recovers, and what must be true ---------------------------------------------------------------------

    def recover(self) -> None:
        """Everything that runs by itself, as often as it takes, once leases and pages have run out."""
        at = clock.now()
        for minutes in (3, 47, 60):
            with clock.pretending(at + timedelta(minutes=minutes)):
                payment_jobs.keep_asking.run()
                stock_jobs.release_expired.run()
                order_jobs.expire_due.run()
                jobs.drain()

    def charges(self) -> int:
        """How often the customer's card was charged for this order."""
        return self._at("charge")[0]

    def _at(self, kind: str) -> tuple[int, int]:
        own = f"order:{self.shop.id}:{self.order_id}:"
        lines = [
            line.amount
            for line in self.stand_in.book(self.shop.payment_account)
            if line.kind == kind and line.metadata.get("attempt", "").startswith(own)
        ]
        return len(lines), sum(lines)

    def captured_minor(self) -> int:
        """What the provider has of this order's money now."""
        return self._at("charge")[1] - self._at("refund")[1] + self._at("refund_failed")[1]

    def books(self) -> Books:
        """All that is to be known, freshly read."""
        order = db.session.execute(
            select(Order.state, Order.payment_state, Order.attention).where(Order.id == self.order_id)
        ).one()
        stock = db.session.execute(
            select(Stock.reserved, Stock.on_hand).where(Stock.variant_id == self.product.variant_id)
        ).one()
        mine = select(func.coalesce(func.sum(StockHold.qty), 0)).where(
            StockHold.cause_id == self.order_id, StockHold.state == "active"
        )
        letters = select(func.count(MailMessage.id)).where(MailMessage.once == f"order-confirmed:{self.order_id}")
        seen = Books(
            state=order.state,
            payment=order.payment_state,
            attention=order.attention,
            charges=self.charges(),
            kept_minor=self.captured_minor(),
            booked_minor=sum(ledger.balance(at, self.order_id) for at in (Account.CARD_CLEARING, Account.FEES)),
            receivable_minor=ledger.balance(Account.RECEIVABLE, self.order_id),
            sold_minor=self._sold(),
            reserved=int(db.session.scalar(mine) or 0),
            on_hand=stock.on_hand,
            confirmations=int(db.session.scalar(letters) or 0),
        )
        db.session.rollback()
        return seen

    def _sold(self) -> int:
        """What was booked as sold, with what came back of it since."""
        returned = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0)).where(
            LedgerEntry.order_id == self.order_id, LedgerEntry.kind == "returned_sale"
        )
        back = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0)).where(
            LedgerEntry.order_id == self.order_id, LedgerEntry.kind == "returned_sale_back"
        )
        sold = -ledger.balance(Account.SALES, self.order_id)
        return sold + int(db.session.scalar(returned) or 0) - int(db.session.scalar(back) or 0)

    def forget(self) -> None:
        """Let the stand-in forget all but the accounts: its lists are short again, and its book begins anew."""
        state = self.stand_in.state
        with state.changing():
            state.objects = {key: kept for key, kept in state.objects.items() if kept["object"] == "account"}
            state.answers.clear()
            state.lines.clear()
            state.undelivered.clear()

    def faults(self, *, of_the_shop: bool = True) -> list[Any]:
        """What is wrong however the story went: empty when nothing is. The shop's own invariants only when asked."""
        found: list[Any] = [fault for look in INVARIANTS for fault in look()] if of_the_shop else []
        left = db.session.execute(select(OutboxRow.job, OutboxRow.last_error).where(OutboxRow.done_at.is_(None))).all()
        found += [("left undone", *row) for row in left]
        waiting = db.session.scalars(
            select(Refund.id).where(Refund.order_id == self.order_id, Refund.state != RefundState.DONE)
        ).all()
        found += [("refund not done", refund) for refund in waiting]
        keys = Counter(db.session.scalars(select(PaymentAttempt.key).where(PaymentAttempt.order_id == self.order_id)))
        db.session.rollback()
        books = self.books()
        kept = books.state in {OrderState.CONFIRMED, OrderState.COMPLETED}
        money_kept = books.kept_minor > 0
        expected = {
            "at most one charge is kept": books.kept_minor <= self.total_minor,
            "our books say what the provider's say": books.booked_minor == books.kept_minor,
            "no money is kept without an order": kept or not money_kept,
            "nobody has to look": books.attention is None,
            "goods are kept exactly for an order that counts": (books.reserved == self.quantity) == kept,
            "goods are kept once": books.reserved in {0, self.quantity},
            "nothing left the shelf": books.on_hand == self.stock,
            "one letter at most says that it counts": books.confirmations <= 1,
            "an order that counts was announced": books.confirmations == 1 or not kept,
            "a sale is booked exactly for an order that counts": books.sold_minor == (self.sales_minor if kept else 0),
            "money that came and stayed is called paid": (books.payment is PaymentState.PAID) == money_kept,
            "money that went back is called so": books.payment is not PaymentState.REFUND_PENDING,
            "each attempt has a key of its own": all(times == 1 for times in keys.values()),
        }
        return [*found, *(name for name, true in expected.items() if not true)]


def _done(work: Any) -> bool:
    try:
        work()
    except Refusal:
        return False
    return True
