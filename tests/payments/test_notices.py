"""What a notice must be to be listened to. Everything else is refused or let go, and leaves nothing behind."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
import stripe
import structlog
from sqlalchemy import func, select

from storefront.embedded.fakestripe.webhooks import signature_header
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.inbox import InboxRow
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.payments import actions, door, queries
from storefront.payments import jobs as payment_jobs
from storefront.payments.gateway import API_VERSION, StripeGateway
from storefront.payments.models import LedgerEntry, PaymentAttempt, PaymentEvent
from storefront.payments.webhooks import LARGEST_NOTICE
from tests.factories.catalogue import a_product
from tests.factories.orders import an_order
from tests.payments.conftest import SECRET, connect

OLD = "whsec_before"


@pytest.fixture
def shop(bakery, stand_in):
    return connect(bakery, stand_in)


@pytest.fixture
def event(shop, stand_in, drain):
    """The genuine notice of a page that was paid, as it is sent, not delivered yet."""
    with acting_for(shop):
        order = an_order(a_product(stock=5), pay="card")
        attempt_id = queries.latest_card_attempt(order.id)
        db.session.expunge_all()
        db.session.rollback()
        actions.start_card(attempt_id)
        page = db.session.scalar(select(PaymentAttempt.provider_ref))
        db.session.rollback()
    drain(shop)
    stand_in.pay(page)
    found = stand_in.events("checkout.session.completed", shop.payment_account)[-1]
    return json.loads(stand_in.signed(found["id"], secret=SECRET)[0])


def body_of(event):
    return json.dumps(event, indent=2).encode()


def send(client_at, body, signature):
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
    return client_at("platform").post("/webhooks/stripe", data=body, headers=headers)


def trace(shop):
    """How much there is of everything that a notice could bring about."""
    with acting_for(shop):
        counted = [
            db.session.scalar(select(func.count()).select_from(kind))
            for kind in (InboxRow, OutboxRow, LedgerEntry, PaymentEvent)
        ]
        states = db.session.execute(select(PaymentAttempt.id, PaymentAttempt.state, PaymentAttempt.intent)).all()
        db.session.rollback()
    return counted, states


def heard(shop):
    with acting_for(shop):
        found = db.session.execute(
            select(InboxRow.kind, InboxRow.handled_at, InboxRow.look_again_at, InboxRow.outcome)
        ).all()
        db.session.rollback()
    return found


def rotated(stand_in):
    """The door while a secret is being replaced: both are good."""
    client = door.gateway()._client
    found = StripeGateway("sk_test_portales", client._requestor._options.base_addresses["api"], [SECRET, OLD])
    door.use_gateway(found, fee_bp=200)


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_while_a_secret_is_replaced_notices_of_both_are_heard(shop, stand_in, event, client_at, secret):
    rotated(stand_in)
    body = body_of(event)

    answer = send(client_at, body, signature_header(body, secret))

    assert (answer.status_code, answer.json) == (200, {"received": True, "new": True})


def forged(event):
    """Everything that looks like a notice and is none: what it is, its body and its signature."""
    body = body_of(event)
    good = signature_header(body, SECRET)
    bent = body_of({**event, "type": "charge.dispute.created"})
    return {
        "by nobody": (body, ""),
        "by somebody else": (body, signature_header(body, "whsec_thief")),
        "of a secret that was replaced": (body, signature_header(body, OLD)),
        "with another body": (bent, good),
        "the same words in other bytes": (json.dumps(event).encode(), good),
        "five minutes old": (body, signature_header(body, SECRET, time.time() - 301)),
        "nonsense": (body, "t=now,v1=abc"),
        "not even text": (b"\xff\xfe", good),
        "no notice at all": (b"[]", signature_header(b"[]", SECRET)),
    }


@pytest.mark.parametrize(
    "what",
    [
        "by nobody", "by somebody else", "of a secret that was replaced", "with another body",
        "the same words in other bytes", "five minutes old", "nonsense", "not even text", "no notice at all",
    ],
)  # fmt: skip
def test_what_is_not_signed_by_the_provider_just_now_is_refused_and_leaves_nothing(shop, event, client_at, drain, what):
    before = trace(shop)

    answer = send(client_at, *forged(event)[what])
    drain(shop)

    assert answer.status_code == 400
    assert trace(shop) == before


def test_a_notice_that_comes_again_is_answered_and_done_once(shop, event, client_at, drain):
    body = body_of(event)
    answers = [send(client_at, body, signature_header(body, SECRET)) for _ in range(3)]
    drain(shop)
    after = trace(shop)
    answers.append(send(client_at, body, signature_header(body, SECRET)))
    drain(shop)

    assert [answer.json["new"] for answer in answers] == [True, False, False, False]
    assert trace(shop) == after
    assert len(heard(shop)) == 1


@pytest.mark.parametrize(
    "bent",
    [
        {"livemode": True},
        {"account": "acct_nobodys"},
        {"account": None},
    ],
)
def test_genuine_news_that_are_not_for_us_are_answered_and_leave_nothing(shop, event, client_at, drain, bent):
    """Real money's news at a platform that plays, and news of an account that no shop of ours has."""
    before = trace(shop)
    body = body_of({**event, **bent})

    answer = send(client_at, body, signature_header(body, SECRET))
    drain(shop)

    assert (answer.status_code, answer.json) == (200, {"received": False})
    assert trace(shop) == before


def test_news_of_play_money_move_nothing_where_real_money_moves(shop, event, client_at, drain):
    door.gateway()._live = True
    before, body = trace(shop), body_of(event)

    answer = send(client_at, body, signature_header(body, SECRET))
    drain(shop)

    assert (answer.status_code, answer.json) == (200, {"received": False})
    assert trace(shop) == before


def test_news_of_another_shops_account_are_that_shops_and_move_nothing_here(
    shop, crafts, event, stand_in, client_at, drain
):
    theirs = connect(crafts, stand_in)
    before = trace(shop)
    body = body_of({**event, "account": theirs.payment_account})

    send(client_at, body, signature_header(body, SECRET))
    drain(theirs)
    drain(shop)

    assert trace(shop) == before
    [row] = heard(theirs)
    assert (row.handled_at, row.outcome) == (None, None)


@pytest.mark.parametrize("kind", ["checkout.session.completed", "charge.dispute.created"])
def test_news_of_something_unknown_are_parked_looked_at_again_and_given_up_in_the_end(
    shop, event, client_at, drain, kind
):
    unknown = {**event, "type": kind, "data": {"object": {"id": "xx_never", "metadata": {}}}}
    body = body_of(unknown)
    send(client_at, body, signature_header(body, SECRET))
    drain(shop)
    [row] = heard(shop)
    assert row.handled_at is None
    assert row.look_again_at > clock.now()

    with acting_for(shop), clock.pretending(clock.now() + timedelta(days=4)):
        payment_jobs.look_again.run()

    [row] = heard(shop)
    assert row.outcome == "given_up"
    with acting_for(shop):
        assert db.session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


@pytest.mark.parametrize("path", ["/webhooks/stripe", "/webhooks/mercadopago"])
def test_what_is_larger_than_any_notice_is_not_read(shop, event, client_at, path):
    before = trace(shop)
    body = body_of({**event, "more": "0" * LARGEST_NOTICE})

    answer = client_at("platform").post(path, data=body, headers={"Stripe-Signature": signature_header(body, SECRET)})

    assert answer.status_code == 413
    assert trace(shop) == before


def test_every_request_asks_for_the_version_that_was_read_about(monkeypatch, stand_in):
    assert stripe.api_version == API_VERSION  # the types that requests are checked against are of this version
    sent = []
    gateway = door.gateway()
    real = gateway._client._requestor._client.request
    monkeypatch.setattr(
        gateway._client._requestor._client, "request",
        lambda method, url, headers, *rest, **more: sent.append(headers) or real(method, url, headers, *rest, **more),
    )  # fmt: skip
    gateway.create_account("Una", "una@portales.test", "MX", "una")

    assert {headers["Stripe-Version"] for headers in sent} == {API_VERSION}


def test_a_notice_of_another_version_is_followed_and_noted(shop, event, client_at, drain):
    body = body_of({**event, "api_version": "2020-08-27"})

    with structlog.testing.capture_logs() as said:
        answer = send(client_at, body, signature_header(body, SECRET))
    drain(shop)

    assert answer.json == {"received": True, "new": True}
    assert [one["event"] for one in said if one["event"].startswith("webhook.")] == ["webhook.other_version"]
    with acting_for(shop):
        assert str(db.session.scalar(select(PaymentAttempt.state))) == "succeeded"
