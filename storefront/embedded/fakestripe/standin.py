"""The stand-in as one object: what tests and the demo hold to steer it and to read its book."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from storefront.embedded.fakestripe import accounts, checkout, disputes, payouts, refunds, transfers, vouchers
from storefront.embedded.fakestripe.desk import Desk
from storefront.embedded.fakestripe.faults import Faults
from storefront.embedded.fakestripe.state import BookLine, State
from storefront.embedded.fakestripe.webhooks import (
    Deliveries,
    Mischief,
    Sink,
    http_sink,
    notice_body,
    signature_header,
)

TEST_SECRET = "whsec_stand_in"  # noqa: S105 - signs play money only


@dataclass(frozen=True)
class Config:
    """How the stand-in is set up.

    `public_url` is where people's browsers reach it (default: the address of the request). Notices go to
    `webhook_url` by HTTP, or to `sink` in the same process; with neither they are only listed. `state_file`
    keeps everything across restarts. With `secret_key` only that key is let in; otherwise any test key.
    `seed` repeats faults and mischief. `keeps` is its own fee: basis points of a payment, and an amount for each.
    """

    public_url: str | None = None
    webhook_url: str | None = None
    webhook_secret: str = TEST_SECRET
    sink: Sink | None = None
    state_file: Path | None = None
    secret_key: str | None = None
    seed: int = 0
    keeps: tuple[int, int] = (0, 0)


class StandIn:
    """Holds the state, faults and notices of one stand-in. Its verbs do what people do on the pages."""

    def __init__(self, config: Config) -> None:
        if (config.secret_key or "sk_test_").startswith(("sk_live_", "rk_live_")):
            raise ValueError("the stand-in never runs beside a live key")
        self.config = config
        self.state = State(config.state_file)
        self.faults = Faults(config.seed)
        sink = config.sink or (http_sink(config.webhook_url) if config.webhook_url else None)
        self.deliveries = Deliveries(self.state, config.webhook_secret, sink, seed=config.seed)
        self.desk = Desk(self.state, self.deliveries.enqueue, keeps=config.keeps)
        self.deliveries.tick = self.pass_time
        self.in_flight: set[str] = set()
        self.in_flight_lock = threading.Lock()

    @property
    def mischief(self) -> Mischief:
        """How notices misbehave; change its fields at will."""
        return self.deliveries.mischief

    def close(self) -> None:
        """Stop sending notices."""
        self.deliveries.close()

    def pay(self, session_id: str) -> dict[str, Any]:
        """The customer pays. ApiError when the page is not open."""
        with self.state.changing():
            return checkout.pay(self.desk, session_id)

    def pass_time(self) -> None:
        """Close the pages and end the vouchers and disputes whose time is over."""
        checkout.expire_due(self.desk)
        vouchers.lapse_due(self.desk)
        disputes.lapse_due(self.desk)

    def issue(self, session_id: str, base_url: str | None = None) -> dict[str, Any]:
        """The customer takes a voucher (or a code) to pay with later. ApiError when the page is not open."""
        with self.state.changing():
            return vouchers.issue(self.desk, session_id, base_url or self.config.public_url or "")

    def pay_voucher(self, intent_id: str) -> dict[str, Any]:
        """The customer pays what the page gave out. ApiError when it is good for nothing any more."""
        with self.state.changing():
            return vouchers.pay_voucher(self.desk, intent_id)

    def transfer(self, intent_id: str, amount: int, *, applied: bool = True) -> dict[str, Any]:
        """The customer sends any amount to the account that the page gave out, at any time. Not `applied`: it has come,
        and is no payment yet."""
        with self.state.changing():
            return transfers.transfer(self.desk, intent_id, amount, applied=applied)

    def let_voucher_lapse(self, intent_id: str) -> dict[str, Any]:
        """The customer never pays. ApiError when it ended already."""
        with self.state.changing():
            return vouchers.let_voucher_lapse(self.desk, intent_id)

    def decline(self, session_id: str) -> dict[str, Any]:
        """The customer's card is refused; the page stays open."""
        with self.state.changing():
            return checkout.decline(self.desk, session_id)

    def expire(self, session_id: str) -> dict[str, Any]:
        """Time runs out for the page."""
        with self.state.changing():
            owner = self.state.owner_of("checkout.session", session_id) or ""
            return checkout.expire_session(self.desk, owner, {}, session_id)

    def refund(self, payment_intent: str, amount: int | None = None) -> dict[str, Any]:
        """The shop refunds on Stripe's own pages, without asking us. `amount` in Stripe's minor units; all
        when None.
        """
        with self.state.changing():
            owner = self.state.owner_of("payment_intent", payment_intent) or ""
            params: dict[str, Any] = {"payment_intent": payment_intent}
            if amount is not None:
                params["amount"] = amount
            return refunds.create_refund(self.desk, owner, params)

    def settle_refund(self, refund_id: str, status: str) -> dict[str, Any]:
        """A pending refund ends as `succeeded` or `failed`; a succeeded one may still fail."""
        with self.state.changing():
            return refunds.settle_refund(self.desk, refund_id, status)

    def dispute(
        self, payment_intent: str, *, reason: str = "fraudulent", amount: int | None = None, inquiry: bool = False
    ) -> dict[str, Any]:
        """Whoever paid contests it at their bank; as an `inquiry`, the bank only asks. `amount`: less than all."""
        with self.state.changing():
            return disputes.open_dispute(self.desk, payment_intent, reason=reason, amount=amount, inquiry=inquiry)

    def escalate(self, dispute_id: str) -> dict[str, Any]:
        """The bank's question becomes a dispute."""
        with self.state.changing():
            return disputes.escalate(self.desk, dispute_id)

    def decide_dispute(self, dispute_id: str, *, won: bool) -> dict[str, Any]:
        """The bank decides; it may decide again."""
        with self.state.changing():
            return disputes.decide(self.desk, dispute_id, won=won)

    def complete_account(self, account_id: str) -> dict[str, Any]:
        """The owner finished the onboarding."""
        with self.state.changing():
            return accounts.complete_account(self.desk, account_id)

    def restrict_account(self, account_id: str) -> dict[str, Any]:
        """Stripe asks for more and stops the account."""
        with self.state.changing():
            return accounts.restrict_account(self.desk, account_id)

    def pay_out(self, account_id: str) -> dict[str, Any]:
        """Stripe sends an account's balance to its bank. ApiError when there is none."""
        with self.state.changing():
            return payouts.pay_out(self.desk, account_id)

    def events(self, kind: str | None = None, account: str | None = None) -> list[dict[str, Any]]:
        """The events so far, oldest first, of one type or account when given."""
        found = self.state.every("event", account)
        return [event for event in reversed(found) if kind in (None, event["type"])]

    def signed(self, event_id: str, *, secret: str | None = None, at: float | None = None) -> tuple[bytes, str]:
        """An event as it is delivered (body, signature header), to hand over at a moment and in an order of
        your choice.
        """
        body = notice_body(self.state, event_id)
        return body, signature_header(body, secret or self.config.webhook_secret, at)

    def book(self, account: str | None = None) -> list[BookLine]:
        """The stand-in's own record of money, to reconcile with ours; of one account when given."""
        with self.state.lock:
            return [line for line in self.state.lines if account in (None, line.account)]

    def captured(self, payment_intent: str) -> int:
        """Charged and not refunded of one payment, in Stripe's minor units."""
        signs = {"charge": 1, "refund": -1, "refund_failed": 1}
        return sum(
            signs.get(line.kind, 0) * line.amount for line in self.book() if line.payment_intent == payment_intent
        )


def stand_in_of(app: Flask) -> StandIn:
    """The stand-in behind an app made by `create_fakestripe`."""
    found: StandIn = app.extensions["fakestripe"]
    return found
