"""A notice that is genuine in every way, and speaks in one shop's name of what belongs to another."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.embedded.fakestripe.webhooks import signature_header
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, LogEntry
from storefront.kernel.db import db
from storefront.kernel.inbox import InboxRow
from storefront.kernel.money import Money
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order, OrderEvent
from storefront.payments import actions, door, queries, refunding
from storefront.payments.models import LedgerEntry, PaymentAttempt, PaymentEvent, Refund
from storefront.payments.provider import CheckoutLine
from tests.factories.catalogue import a_product
from tests.factories.orders import an_order
from tests.payments.conftest import SECRET, connect


@pytest.fixture
def thief(bakery, stand_in):
    """A shop with an account of its own that charges for itself, and whose owner knows more than they should."""
    return connect(bakery, stand_in)


@pytest.fixture
def victim(crafts, stand_in):
    """The other shop."""
    return connect(crafts, stand_in)


@pytest.fixture
def awaited(victim):
    """(order code, attempt key, page) of a card payment the victim waits for."""
    with acting_for(victim):
        order = an_order(a_product(stock=5), pay="card")
        attempt_id = queries.latest_card_attempt(order.id)
        db.session.expunge_all()
        db.session.rollback()
        actions.start_card(attempt_id)
        row = db.session.execute(select(PaymentAttempt.key, PaymentAttempt.provider_ref)).one()
        db.session.rollback()
        return order.code, row.key, row.provider_ref


def standing(shop):
    """Everything about orders and money in a shop, row by row."""
    with acting_for(shop):
        counted = [
            db.session.scalar(select(func.count()).select_from(kind))
            for kind in (LedgerEntry, PaymentEvent, OrderEvent, Refund, LogEntry)
        ]
        orders = db.session.execute(select(Order.code, Order.state, Order.payment_state, Order.version)).all()
        attempts = db.session.execute(
            select(PaymentAttempt.key, PaymentAttempt.state, PaymentAttempt.intent, PaymentAttempt.provider_ref)
        ).all()
        invariants = queries.invariants()
    return counted, orders, attempts, invariants


def heard(shop):
    """How many notices and jobs a shop has."""
    with acting_for(shop):
        return [db.session.scalar(select(func.count()).select_from(kind)) for kind in (InboxRow, OutboxRow)]


def deliver(client_at, event):
    """Hand an event over as the provider would, signed with the right secret."""
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": signature_header(body, SECRET)}
    return client_at("platform").post("/webhooks/stripe", data=body, headers=headers)


def paid_page_of(thief, stand_in, order_code, key):
    """The thief opens and pays a page on their own account that claims to be for the victim's attempt."""
    page = door.gateway().open_checkout(
        account=thief.payment_account,
        key="mine",
        method="card",
        amount=Money(2_000, "MXN"),
        description="Pan",
        lines=[CheckoutLine("Pan", 1, 2_000)],
        success_url="https://espiga.portales.test/",
        cancel_url="https://espiga.portales.test/",
        metadata={"order": order_code, "attempt": key},
        expires_at=clock.now() + timedelta(minutes=45),
        application_fee_minor=0,
        locale="es",
        customer_email=None,
    )
    stand_in.pay(page.id)
    return page.id


def notice(stand_in, kind, thief):
    """A genuine event of the thief's account as it is sent, to be delivered as it is or bent."""
    event = stand_in.events(kind, thief.payment_account)[-1]
    body, _signature = stand_in.signed(event["id"], secret=SECRET)
    found = json.loads(body)
    assert found["account"] == thief.payment_account
    return found


def unchanged_by(event, client_at, drain, *shops):
    """Deliver an event, run every job, and see that nothing about money moved anywhere."""
    before = [standing(shop) for shop in shops]
    answer = deliver(client_at, event)
    for shop in shops:
        drain(shop)
    assert answer.status_code == 200
    assert [standing(shop) for shop in shops] == before


def test_a_page_paid_on_ones_own_account_pays_nothing_in_another_shop(
    thief, victim, awaited, stand_in, client_at, drain
):
    drain(victim)
    code, key, _page = awaited
    paid_page_of(thief, stand_in, code, key)
    quiet = heard(victim)

    unchanged_by(notice(stand_in, "checkout.session.completed", thief), client_at, drain, thief, victim)

    assert heard(victim) == quiet
    with acting_for(thief):
        assert db.session.execute(select(InboxRow.handled_at)).one().handled_at is None  # unknown: it waits, then ends


def test_an_event_of_ones_own_account_that_names_another_shops_page_changes_nothing(
    thief, victim, awaited, stand_in, client_at, drain
):
    drain(victim)
    code, key, page = awaited
    paid_page_of(thief, stand_in, code, key)
    event = notice(stand_in, "checkout.session.completed", thief)
    event["data"]["object"]["id"] = page

    unchanged_by(event, client_at, drain, thief, victim)


def test_even_once_the_other_shops_page_is_paid_only_its_own_notice_tells_it(
    thief, victim, awaited, stand_in, client_at, drain
):
    drain(victim)
    code, key, page = awaited
    paid_page_of(thief, stand_in, code, key)
    bent = notice(stand_in, "checkout.session.completed", thief)
    bent["data"]["object"]["id"] = page
    stand_in.pay(page)

    unchanged_by(bent, client_at, drain, thief, victim)

    deliver(client_at, notice(stand_in, "checkout.session.completed", victim))
    drain(victim)
    with acting_for(victim):
        assert str(db.session.scalar(select(Order.payment_state))) == "paid"


@pytest.mark.parametrize("kind", ["checkout.session.expired", "payment_intent.payment_failed"])
def test_a_failure_told_in_another_shops_name_ends_nothing(thief, victim, awaited, stand_in, client_at, drain, kind):
    drain(victim)
    code, key, page = awaited
    paid_page_of(thief, stand_in, code, key)
    event = notice(stand_in, "checkout.session.completed", thief)
    event["type"] = kind
    event["data"]["object"]["id"] = page

    unchanged_by(event, client_at, drain, thief, victim)


def test_a_refund_told_in_another_shops_name_moves_nothing(thief, victim, awaited, stand_in, client_at, drain):
    code, key, page = awaited
    stand_in.desk.refund_status = "pending"
    stand_in.pay(page)
    deliver(client_at, notice(stand_in, "checkout.session.completed", victim))
    drain(victim)
    with acting_for(victim):
        order_id = db.session.scalar(select(Order.id))
        db.session.rollback()
        refunding.refund_order(order_id, "broken", SYSTEM)
    drain(victim)
    with acting_for(victim):
        reference = db.session.scalar(select(Refund.provider_ref))
        db.session.rollback()
    assert reference
    paid_page_of(thief, stand_in, code, key)
    event = notice(stand_in, "checkout.session.completed", thief)
    event["type"] = "refund.updated"
    event["data"]["object"] = {"id": reference, "object": "refund", "status": "succeeded", "metadata": {}}
    stand_in.settle_refund(reference, "succeeded")

    unchanged_by(event, client_at, drain, thief, victim)
