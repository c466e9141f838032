"""The door to Stripe, through Stripe's own library: against the stand-in always, and against Stripe's test
mode when STRIPE_TEST_KEY and STRIPE_TEST_ACCOUNT (a connected account that may charge) are set.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from storefront.embedded.fakestripe import Config, StandIn, create_fakestripe, running, stand_in_of
from storefront.kernel.money import EXPONENTS, Money
from storefront.payments.gateway import STRIPE_EXPONENTS, StripeGateway, from_stripe, rescale, to_stripe
from storefront.payments.provider import (
    BadSignature,
    CheckoutLine,
    CheckoutRef,
    CheckoutStatus,
    DisputeStatus,
    Evidence,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    RefundStatus,
)

OLD_SECRET, NEW_SECRET = "whsec_old", "whsec_new"
REAL_KEY = os.environ.get("STRIPE_TEST_KEY", "")
REAL_ACCOUNT = os.environ.get("STRIPE_TEST_ACCOUNT", "")
needs_stripe = pytest.mark.skipif(
    not (REAL_KEY and REAL_ACCOUNT), reason="STRIPE_TEST_KEY and STRIPE_TEST_ACCOUNT not set: not run against Stripe"
)


@dataclass
class Provider:
    """A gateway, the vendor's library beside it, and two accounts of which the first may charge."""

    gateway: StripeGateway
    library: stripe.StripeClient
    account: str
    stranger: str
    stand_in: StandIn | None
    base: str | None

    def paid_intent(self, amount: Money) -> str:
        """A payment that has succeeded on the account."""
        if self.stand_in:
            session = self.stand_in.pay(a_checkout(self, amount=amount).id)
            return str(session["payment_intent"])
        intent = self.library.v1.payment_intents.create(
            {
                "amount": to_stripe(amount.minor, amount.currency),
                "currency": amount.currency.lower(),
                "payment_method": "pm_card_visa",
                "confirm": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            },
            {"stripe_account": self.account},
        )
        return intent.id


@pytest.fixture
def psp() -> Iterator[Provider]:
    """The stand-in behind a real socket, with one account that may charge and a stranger's."""
    app = create_fakestripe(Config(webhook_secret=NEW_SECRET))
    with running(app) as base:
        yield _provider("sk_test_play", base, stand_in_of(app))


@pytest.fixture(params=["stand-in", pytest.param("stripe", marks=needs_stripe)])
def either(request: pytest.FixtureRequest) -> Provider:
    """The stand-in, and Stripe itself where keys are given."""
    if request.param == "stand-in":
        found: Provider = request.getfixturevalue("psp")
        return found
    return _provider(REAL_KEY, None, None)


def _provider(key: str, base: str | None, stand_in: StandIn | None) -> Provider:
    gateway = StripeGateway(key, base, [NEW_SECRET, OLD_SECRET])
    addresses: Any = {"api": base} if base else None
    library = stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0)
    if stand_in is None:
        stranger = gateway.create_account("La otra", "otra@portales.test", "MX", a_key()).id
        return Provider(gateway, library, REAL_ACCOUNT, stranger, None, None)
    accounts = [gateway.create_account(name, "x@portales.test", "MX", a_key()).id for name in ("Una", "Otra")]
    for account in accounts:
        stand_in.complete_account(account)
    return Provider(gateway, library, accounts[0], accounts[1], stand_in, base)


def a_key() -> str:
    return f"test:{uuid.uuid4()}"


def a_checkout(psp: Provider, **changed: Any) -> CheckoutRef:
    """A payment page for two loaves and a cake."""
    amount: Money = changed.get("amount", Money(12_500, "MXN"))
    wanted: dict[str, Any] = {
        "account": psp.account,
        "key": a_key(),
        "amount": amount,
        "method": "card",
        "description": "Pedido ABCD2345",
        "lines": [],
        "success_url": "https://espiga.portales.test/gracias?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://espiga.portales.test/pedido",
        "metadata": {"order": "ABCD2345"},
        "expires_at": datetime.now(UTC) + timedelta(minutes=45),
        "application_fee_minor": 0,
        "locale": "es_MX",
        "customer_email": "dora@portales.test",
    }
    return (changed.pop("gateway", None) or psp.gateway).open_checkout(**{**wanted, **changed})


def raw_params(**changed: Any) -> Any:
    """The same page in the library's own words."""
    line = {"quantity": 1, "price_data": {"currency": "mxn", "unit_amount": 12_500, "product_data": {"name": "Pan"}}}
    urls = {"success_url": "https://portales.test/si", "cancel_url": "https://portales.test/no"}
    return {"mode": "payment", "line_items": [line], **urls, **changed}


# The promises of Gateway, kept by the stand-in and by Stripe.


def test_a_new_account_may_not_charge_and_says_what_is_missing(either: Provider) -> None:
    account = either.gateway.create_account("Flores", "flores@portales.test", "MX", a_key())

    status = either.gateway.account_status(account.id)

    assert not status.charges_enabled
    assert not status.payouts_enabled
    assert status.requirements


def test_the_same_key_opens_one_account(either: Provider) -> None:
    key = a_key()

    first = either.gateway.create_account("Flores", "flores@portales.test", "MX", key)
    again = either.gateway.create_account("Flores", "flores@portales.test", "MX", key)

    assert first == again


def test_onboarding_happens_on_a_page_of_the_provider(either: Provider) -> None:
    link = either.gateway.onboarding_link(either.stranger, "https://portales.test/si", "https://portales.test/otra")

    assert link.startswith(("https://connect.stripe.com/", f"{either.base}/setup/"))


def test_a_payment_page_is_open_and_unpaid_until_somebody_pays(either: Provider) -> None:
    page = a_checkout(either)

    state = either.gateway.checkout_state(either.account, page.id)

    assert page.url.startswith("http")
    assert page.payment_intent is None
    assert (state.status, state.paid, state.amount_minor, state.currency) == (CheckoutStatus.OPEN, False, 12_500, "MXN")


def test_the_same_key_with_the_same_request_is_one_page(either: Provider) -> None:
    wanted: dict[str, Any] = {"key": a_key(), "expires_at": datetime.now(UTC) + timedelta(minutes=45)}

    first = a_checkout(either, **wanted)
    again = a_checkout(either, **wanted)

    assert first == again


def test_the_same_key_with_another_amount_opens_nothing_and_says_nothing_of_the_first(either: Provider) -> None:
    """A refusal would mean that nothing had happened under this key, and its page can be paid."""
    key, expires_at = a_key(), datetime.now(UTC) + timedelta(minutes=45)
    first = a_checkout(either, key=key, expires_at=expires_at)

    with pytest.raises(GatewayUnavailable):
        a_checkout(either, key=key, expires_at=expires_at, amount=Money(1_250_000, "MXN"))

    assert either.gateway.checkout_state(either.account, first.id).amount_minor == 12_500


def test_forty_callers_with_one_key_get_one_page(either: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    if either.stand_in:
        # Hesitates between looking a key up and acting on it: whatever is not guarded falls apart.
        changing = either.stand_in.state.changing

        def hesitant() -> AbstractContextManager[None]:
            time.sleep(0.05)
            return changing()

        monkeypatch.setattr(either.stand_in.state, "changing", hesitant)
    wanted: dict[str, Any] = {"key": a_key(), "expires_at": datetime.now(UTC) + timedelta(minutes=45)}

    def insist() -> str:
        for _ in range(60):
            try:
                return a_checkout(either, **wanted).id
            except GatewayUnavailable:
                time.sleep(0.05)
        raise AssertionError("never answered")

    with ThreadPoolExecutor(40) as pool:
        ids = {future.result() for future in [pool.submit(insist) for _ in range(40)]}

    assert len(ids) == 1
    if either.stand_in:
        assert len(either.stand_in.state.every("checkout.session")) == 1


def test_what_belongs_to_another_account_does_not_exist(either: Provider) -> None:
    page = a_checkout(either)
    intent = either.paid_intent(Money(12_500, "MXN"))
    acts: list[Callable[[], Any]] = [
        lambda: either.gateway.checkout_state(either.stranger, page.id),
        lambda: either.gateway.expire_checkout(either.stranger, page.id),
        lambda: either.gateway.refund(
            account=either.stranger,
            payment_intent=intent,
            amount_minor=100,
            currency="MXN",
            key=a_key(),
            metadata={},
        ),
    ]

    for act in acts:
        with pytest.raises(GatewayRefused) as refused:
            act()
        assert refused.value.code == "resource_missing"

    assert either.gateway.checkout_state(either.account, page.id).status == CheckoutStatus.OPEN
    assert either.gateway.refunds_of(either.account, intent) == []


def test_an_account_that_never_was_is_refused(either: Provider) -> None:
    with pytest.raises(GatewayRefused) as refused:
        a_checkout(either, account="acct_nobody")

    assert refused.value.code == "account_invalid"


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"surprise": "1"}, "parameter_unknown", "surprise"),
        ({"payment_intent_data": {"descripton": "x"}}, "parameter_unknown", "payment_intent_data[descripton]"),
        ({"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported", "payment_method_types"),
        ({"expires_at": "tomorrow"}, "parameter_invalid_integer", "expires_at"),
    ],
)
def test_what_stripe_does_not_know_or_has_removed_is_refused(
    either: Provider, wrong: dict[str, Any], code: str, param: str
) -> None:
    key = a_key()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.library.v1.checkout.sessions.create(
            raw_params(client_reference_id=key, **wrong), {"stripe_account": either.account}
        )

    assert refused.value.code == code
    assert refused.value.param == param
    assert either.gateway.find_checkout(either.account, key, datetime.now(UTC) - timedelta(hours=1)) is None


def test_refused_parameters_leave_the_key_free(either: Provider) -> None:
    options: Any = {"stripe_account": either.account, "idempotency_key": a_key()}
    with pytest.raises(stripe.InvalidRequestError):
        either.library.v1.checkout.sessions.create(raw_params(surprise="1"), options)

    assert either.library.v1.checkout.sessions.create(raw_params(), options).status == "open"


def test_pesos_without_centavos_are_charged_as_whole_pesos(either: Provider) -> None:
    page = a_checkout(either, amount=Money(45_000, "CLP"), locale="es_CL")

    state = either.gateway.checkout_state(either.account, page.id)
    session = either.library.v1.checkout.sessions.retrieve(page.id, options={"stripe_account": either.account})

    assert (state.amount_minor, state.currency) == (45_000, "CLP")
    assert session.amount_total == 45_000


def test_lines_are_shown_only_when_they_add_up_to_what_is_charged(either: Provider) -> None:
    lines = [CheckoutLine("Bolillo", 5, 500), CheckoutLine("Concha", 4, 2_500)]

    exact = a_checkout(either, lines=lines)
    deposit = a_checkout(either, lines=lines, amount=Money(6_000, "MXN"))

    assert either.gateway.checkout_state(either.account, exact.id).amount_minor == 12_500
    assert either.gateway.checkout_state(either.account, deposit.id).amount_minor == 6_000


def test_a_fee_may_not_exceed_the_charge(either: Provider) -> None:
    a_checkout(either, application_fee_minor=250)

    with pytest.raises(GatewayRefused):
        a_checkout(either, application_fee_minor=12_501)


def test_a_page_that_lives_too_short_or_too_long_is_refused(either: Provider) -> None:
    for lifetime in (timedelta(minutes=10), timedelta(hours=30)):
        with pytest.raises(GatewayRefused):
            a_checkout(either, expires_at=datetime.now(UTC) + lifetime)


def test_a_closed_page_stays_closed(either: Provider) -> None:
    page = a_checkout(either)

    either.gateway.expire_checkout(either.account, page.id)

    assert either.gateway.checkout_state(either.account, page.id).status == CheckoutStatus.EXPIRED
    with pytest.raises(GatewayRefused):
        either.gateway.expire_checkout(either.account, page.id)


def test_a_page_is_found_again_by_its_key_alone(either: Provider) -> None:
    key, before = a_key(), datetime.now(UTC) - timedelta(minutes=1)
    page = a_checkout(either, key=key)
    a_checkout(either)

    assert either.gateway.find_checkout(either.account, key, before) == page
    assert either.gateway.find_checkout(either.account, a_key(), before) is None


def test_a_refund_happens_once_for_each_key_and_never_beyond_what_was_paid(either: Provider) -> None:
    intent, key = either.paid_intent(Money(12_500, "MXN")), a_key()

    def give_back(amount_minor: int, key: str) -> Any:
        return either.gateway.refund(
            account=either.account,
            payment_intent=intent,
            amount_minor=amount_minor,
            currency="MXN",
            key=key,
            metadata={"refund": "7"},
        )

    first, again = give_back(5_000, key), give_back(5_000, key)
    with pytest.raises(GatewayRefused):
        give_back(7_501, a_key())

    assert first == again
    (only,) = either.gateway.refunds_of(either.account, intent)
    assert only == either.gateway.refund_state(either.account, first.id)
    assert (only.amount_minor, only.currency, only.payment_intent) == (5_000, "MXN", intent)
    assert only.metadata == {"refund": "7"}
    assert only.status in (RefundStatus.SUCCEEDED, RefundStatus.PENDING)


def test_a_key_that_stripe_does_not_know_is_refused(either: Provider) -> None:
    stranger = StripeGateway("sk_nonsense", either.base, [])

    with pytest.raises(GatewayRefused):
        stranger.account_status(either.account)


# What only the stand-in can be told to do.


def test_a_paid_page_is_complete_and_counts_as_money(psp: Provider) -> None:
    assert psp.stand_in
    page = a_checkout(psp, application_fee_minor=250)

    psp.stand_in.pay(page.id)

    state = psp.gateway.checkout_state(psp.account, page.id)
    assert (state.status, state.paid) == (CheckoutStatus.COMPLETE, True)
    assert state.payment_intent
    intent = psp.library.v1.payment_intents.retrieve(state.payment_intent, options={"stripe_account": psp.account})
    assert intent.application_fee_amount == 250
    assert psp.stand_in.captured(state.payment_intent) == 12_500


def test_a_declined_card_leaves_the_page_open_for_another_try(psp: Provider) -> None:
    assert psp.stand_in
    page = a_checkout(psp)

    psp.stand_in.decline(page.id)
    declined = psp.gateway.checkout_state(psp.account, page.id)
    psp.stand_in.pay(page.id)
    paid = psp.gateway.checkout_state(psp.account, page.id)

    assert (declined.status, declined.paid) == (CheckoutStatus.OPEN, False)
    assert paid.paid
    assert paid.payment_intent == declined.payment_intent


def test_a_slow_answer_is_unknown_and_the_same_key_finds_what_was_done(psp: Provider) -> None:
    assert psp.stand_in
    hasty = StripeGateway("sk_test_play", psp.base, [], timeout_s=(1, 0.2))
    psp.stand_in.faults.plan("slow", path="/checkout/sessions", seconds=0.6)
    wanted: dict[str, Any] = {"key": a_key(), "expires_at": datetime.now(UTC) + timedelta(minutes=45)}

    with pytest.raises(GatewayUnavailable):
        a_checkout(psp, gateway=hasty, **wanted)
    with pytest.raises(GatewayUnavailable):  # the first is still in flight
        a_checkout(psp, **wanted)
    time.sleep(0.8)
    page = a_checkout(psp, **wanted)

    assert [found["id"] for found in psp.stand_in.state.every("checkout.session")] == [page.id]


@pytest.mark.parametrize("fault", ["unavailable", "rate_limited", "cut_before", "cut_after"])
def test_after_a_broken_answer_the_same_key_leads_to_one_page(psp: Provider, fault: str) -> None:
    assert psp.stand_in
    psp.stand_in.faults.plan(fault)
    wanted: dict[str, Any] = {"key": a_key(), "expires_at": datetime.now(UTC) + timedelta(minutes=45)}

    with pytest.raises(GatewayUnavailable):
        a_checkout(psp, **wanted)
    page = a_checkout(psp, **wanted)

    assert [found["id"] for found in psp.stand_in.state.every("checkout.session")] == [page.id]


@pytest.mark.parametrize(("fault", "done"), [("error_500", False), ("lost_500", True)])
def test_a_500_is_repeated_for_its_key_and_looking_tells_what_happened(psp: Provider, fault: str, done: bool) -> None:
    assert psp.stand_in
    psp.stand_in.faults.plan(fault)
    wanted: dict[str, Any] = {"key": a_key(), "expires_at": datetime.now(UTC) + timedelta(minutes=45)}

    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            a_checkout(psp, **wanted)

    found = psp.gateway.find_checkout(psp.account, wanted["key"], datetime.now(UTC) - timedelta(minutes=1))
    assert (found is not None) == done
    assert len(psp.stand_in.state.every("checkout.session")) == int(done)


def test_nobody_at_the_address_is_unavailable_not_refused() -> None:
    gateway = StripeGateway("sk_test_play", "http://127.0.0.1:9", [], timeout_s=(0.5, 0.5))

    with pytest.raises(GatewayUnavailable):
        gateway.account_status("acct_1")


def test_a_pending_refund_may_still_fail(psp: Provider) -> None:
    assert psp.stand_in
    psp.stand_in.desk.refund_status = "pending"
    intent = psp.paid_intent(Money(12_500, "MXN"))
    refund = psp.gateway.refund(
        account=psp.account, payment_intent=intent, amount_minor=12_500, currency="MXN", key=a_key(), metadata={}
    )

    psp.stand_in.settle_refund(refund.id, "failed")

    assert refund.status == RefundStatus.PENDING
    assert psp.gateway.refund_state(psp.account, refund.id).status == RefundStatus.FAILED
    assert psp.stand_in.captured(intent) == 12_500


def test_events_that_never_arrived_can_be_read_later(psp: Provider) -> None:
    assert psp.stand_in
    page = a_checkout(psp)
    psp.stand_in.pay(page.id)

    events = list(psp.gateway.events_since(psp.account, datetime.now(UTC) - timedelta(minutes=1)))

    assert [event.type for event in events][:2] == ["checkout.session.completed", "payment_intent.succeeded"]
    assert {event.account for event in events} == {psp.account}
    assert list(psp.gateway.events_since(psp.stranger, events[0].created + timedelta(minutes=1))) == []


def test_long_lists_are_read_to_their_end(psp: Provider) -> None:
    assert psp.stand_in
    first_key = a_key()
    first = a_checkout(psp, key=first_key)
    for _ in range(120):
        session = psp.stand_in.state.snapshot(psp.stand_in.state.objects[first.id])
        del session["id"], session["object"]
        session["client_reference_id"] = None
        psp.stand_in.state.add("checkout.session", "cs_test", psp.account, session)

    found = psp.gateway.find_checkout(psp.account, first_key, datetime.now(UTC) - timedelta(minutes=1))

    assert found == first


# Disputes.

A_PDF = b"%PDF-1.4 nothing"


def a_dispute(psp: Provider, amount: int = 12_500) -> str:
    """A contested payment of the account."""
    assert psp.stand_in
    return str(psp.stand_in.dispute(psp.paid_intent(Money(amount, "MXN")))["id"])


def test_a_dispute_says_what_it_is_about_and_until_when_it_may_be_answered(psp: Provider) -> None:
    found = psp.gateway.dispute_state(psp.account, a_dispute(psp))

    assert (found.status, found.amount_minor, found.currency) == (DisputeStatus.NEEDS_RESPONSE, 12_500, "MXN")
    assert [(move.amount_minor, move.fee_minor) for move in found.moves] == [(-12_500, 15_000)]
    assert found.due_by
    assert found.due_by > datetime.now(UTC) + timedelta(days=6)
    assert not found.submitted


def test_the_disputes_of_a_day_are_listed_and_another_accounts_do_not_exist(psp: Provider) -> None:
    dispute = a_dispute(psp)
    since = datetime.now(UTC) - timedelta(minutes=1)

    assert [one.id for one in psp.gateway.disputes_between(psp.account, since, since + timedelta(hours=1))] == [dispute]
    assert psp.gateway.disputes_between(psp.account, since - timedelta(hours=2), since) == []
    assert psp.gateway.disputes_between(psp.stranger, since, since + timedelta(hours=1)) == []
    with pytest.raises(GatewayRefused):
        psp.gateway.dispute_state(psp.stranger, dispute)


def test_an_answer_is_kept_first_and_sent_once(psp: Provider) -> None:
    dispute, key = a_dispute(psp), a_key()
    kept = psp.gateway.keep_file(psp.account, "entrega.pdf", A_PDF)

    psp.gateway.stage_evidence(psp.account, dispute, Evidence("Pan", "Se entregó", files={"delivery": kept}))

    assert psp.gateway.dispute_state(psp.account, dispute).status is DisputeStatus.NEEDS_RESPONSE
    for _ in range(2):
        psp.gateway.submit_evidence(psp.account, dispute, key)
    found = psp.gateway.dispute_state(psp.account, dispute)
    assert (found.status, found.submitted) == (DisputeStatus.UNDER_REVIEW, True)
    assert psp.stand_in
    said = psp.stand_in.state.objects[dispute]["evidence"]
    assert (said["uncategorized_text"], said["shipping_documentation"]) == ("Se entregó", kept)
    with pytest.raises(GatewayRefused):
        psp.gateway.submit_evidence(psp.account, dispute, a_key())


def test_no_file_but_what_a_bank_reads_and_nobody_elses_is_taken(psp: Provider) -> None:
    dispute = a_dispute(psp)
    theirs = psp.gateway.keep_file(psp.stranger, "suyo.pdf", A_PDF)

    with pytest.raises(GatewayRefused):
        psp.gateway.keep_file(psp.account, "pagina.html", b"<html>")
    with pytest.raises(GatewayRefused):
        psp.gateway.stage_evidence(psp.account, dispute, Evidence(files={"delivery": theirs}))

    assert psp.stand_in
    assert psp.stand_in.state.objects[dispute]["evidence"] == {}


def test_giving_up_loses_the_dispute_once(psp: Provider) -> None:
    dispute, key = a_dispute(psp), a_key()

    for _ in range(2):
        psp.gateway.accept_dispute(psp.account, dispute, key)

    assert psp.gateway.dispute_state(psp.account, dispute).status is DisputeStatus.LOST
    with pytest.raises(GatewayRefused):
        psp.gateway.accept_dispute(psp.account, dispute, a_key())


# Notices.


def a_notice(psp: Provider, **signing: Any) -> tuple[bytes, str]:
    """The notice of a paid page."""
    assert psp.stand_in
    psp.stand_in.pay(a_checkout(psp).id)
    event = psp.stand_in.events("checkout.session.completed")[-1]
    return psp.stand_in.signed(event["id"], **signing)


@pytest.mark.parametrize("secret", [NEW_SECRET, OLD_SECRET])
def test_a_notice_signed_with_a_current_or_rotated_secret_is_read(psp: Provider, secret: str) -> None:
    event = psp.gateway.verify_webhook(*a_notice(psp, secret=secret))

    assert (event.type, event.account, event.live) == ("checkout.session.completed", psp.account, False)
    assert event.object_id == event.data["id"]
    assert event.data["metadata"] == {"order": "ABCD2345"}
    assert datetime.now(UTC) - event.created < timedelta(minutes=1)


def test_a_notice_signed_by_the_library_itself_is_read(psp: Provider) -> None:
    raw, _ = a_notice(psp)

    header = stripe.WebhookSignature.generate_signature_header(raw.decode(), NEW_SECRET)

    assert psp.gateway.verify_webhook(raw, header).account == psp.account


def test_forged_stale_and_broken_notices_are_refused(psp: Provider) -> None:
    raw, good = a_notice(psp)
    other = a_notice(psp)[0]
    refused = {
        "another secret": psp.stand_in.signed(psp.stand_in.events()[-1]["id"], secret="whsec_thief")
        if psp.stand_in
        else (b"", ""),
        "a changed body": (raw.replace(b"12500", b"99900"), good),
        "another notice's signature": (other, good),
        "no signature": (raw, ""),
        "nonsense": (raw, "v1=abc"),
        "too old": a_notice(psp, at=time.time() - 301),
        "not text": (b"\xff\xfe", good),
    }

    for what, notice in refused.items():
        with pytest.raises(BadSignature):
            print(what, psp.gateway.verify_webhook(*notice))
    assert psp.gateway.verify_webhook(*a_notice(psp, at=time.time() - 290)).id


def test_without_a_secret_no_notice_is_believed(psp: Provider) -> None:
    for secrets in ([], ["", "  "]):
        with pytest.raises(BadSignature):
            StripeGateway("sk_test_play", psp.base, secrets).verify_webhook(*a_notice(psp, secret=""))


# Amounts and keys.


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_every_served_currency_reaches_stripe_and_returns_unchanged(currency: str) -> None:
    stripes = STRIPE_EXPONENTS.get(currency, 2)

    assert to_stripe(1_234, currency) == 1_234 * 10 ** (stripes - EXPONENTS[currency])
    assert from_stripe(to_stripe(1_234, currency), currency.lower()) == (1_234, currency)


def test_amounts_are_rescaled_exactly_or_not_at_all() -> None:
    assert rescale(5, 0, 2) == 500  # five krónur or five Ugandan shillings, as Stripe counts them
    assert rescale(500, 2, 0) == 5
    with pytest.raises(ValueError, match="no exact form"):
        rescale(501, 2, 0)
    with pytest.raises(KeyError):
        to_stripe(100, "XXX")


@pytest.mark.parametrize("key", ["sk_live_abc", "rk_live_abc"])
@pytest.mark.parametrize("base", ["http://127.0.0.1:12111", "https://api.stripe.com.evil.test"])
def test_a_live_key_never_leaves_for_another_address(key: str, base: str) -> None:
    with pytest.raises(ValueError, match="live Stripe key"):
        StripeGateway(key, base, [])


def test_a_live_key_goes_to_stripe_and_says_so() -> None:
    live: Gateway = StripeGateway("sk_live_abc", None, [])
    test: Gateway = StripeGateway("sk_test_abc", "http://127.0.0.1:12111", [])

    assert live.live
    assert not test.live
