"""The stand-in for Stripe: its pages, notices, faults, book and memory. What its API answers is tested
through the library in tests/payments/test_gateway.py.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from storefront.embedded.fakestripe import Config, StandIn, create_fakestripe, running, stand_in_of
from storefront.embedded.fakestripe.contract import OPERATIONS, ApiError, check, decode
from storefront.embedded.fakestripe.desk import API_VERSION
from storefront.embedded.fakestripe.faults import Faults
from storefront.embedded.fakestripe.webhooks import signature_header

SECRET = "whsec_stand_in"
TEST_KEY = {"Authorization": "Bearer sk_test_play"}


class Mailbox:
    """A shop that writes down the notices it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, body: bytes, signature: str) -> int:
        stripe.WebhookSignature.verify_header(body, signature, SECRET, 300)
        with self.lock:
            self.notices.append(json.loads(body))
            return self.answers.pop(0) if self.answers else 200

    @property
    def types(self) -> list[str]:
        return [notice["type"] for notice in self.notices]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def app(mailbox: Mailbox) -> Iterator[Flask]:
    app = create_fakestripe(Config(sink=mailbox, webhook_secret=SECRET, seed=7))
    yield app
    stand_in_of(app).close()


@pytest.fixture
def stand_in(app: Flask) -> StandIn:
    return stand_in_of(app)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def account(stand_in: StandIn, browser: FlaskClient, mailbox: Mailbox) -> str:
    """A shop that may charge."""
    return an_account(stand_in, browser, mailbox)


def an_account(stand_in: StandIn, browser: FlaskClient, mailbox: Mailbox | None = None) -> str:
    form = {"country": "MX", "business_profile[name]": "Panadería La Espiga"}
    made = browser.post("/v1/accounts", data=form, headers=TEST_KEY).get_json()
    stand_in.complete_account(made["id"])
    stand_in.deliveries.drain()
    if mailbox:
        mailbox.notices.clear()
    return str(made["id"])


def open_page(browser: FlaskClient, account: str, *, key: str = "", **changed: str) -> Any:
    """Ask for a payment page of 125 pesos."""
    form = {
        "mode": "payment",
        "line_items[0][quantity]": "5",
        "line_items[0][price_data][currency]": "mxn",
        "line_items[0][price_data][unit_amount]": "2500",
        "line_items[0][price_data][product_data][name]": "Concha de <vainilla>",
        "success_url": "https://espiga.test/gracias?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://espiga.test/pedido",
        "metadata[1]": "un número por nombre",
        **changed,
    }
    headers = {**TEST_KEY, "Stripe-Account": account, **({"Idempotency-Key": key} if key else {})}
    return browser.post("/v1/checkout/sessions", data=form, headers=headers)


def a_page(browser: FlaskClient, account: str, **changed: str) -> dict[str, Any]:
    answer = open_page(browser, account, **changed)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


# Who is let in.


@pytest.mark.parametrize("key", ["sk_live_abc", "rk_live_abc", "", "pk_test_abc"])
def test_only_test_keys_are_let_in(browser: FlaskClient, stand_in: StandIn, key: str) -> None:
    answer = browser.post("/v1/accounts", data={"country": "MX"}, headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 401
    assert stand_in.state.objects == {}


def test_with_a_key_of_its_own_no_other_is_let_in() -> None:
    browser = create_fakestripe(Config(secret_key="sk_test_mine")).test_client()

    assert browser.get("/v1/events", headers=TEST_KEY).status_code == 401
    assert browser.get("/_control").status_code == 401
    assert browser.get("/v1/events", headers={"Authorization": "Bearer sk_test_mine"}).status_code == 200


def test_it_never_runs_beside_a_live_key() -> None:
    with pytest.raises(ValueError, match="live key"):
        create_fakestripe(Config(secret_key="sk_live_abc"))


# The contract.


def test_it_speaks_the_version_that_the_library_speaks() -> None:
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_is_checked_against_the_librarys_own_types(operation: str) -> None:
    with pytest.raises(ApiError) as refused:
        check(operation, {"surprise": "1"})

    assert refused.value.body["error"]["code"] in ("parameter_unknown", "parameter_missing")


def test_request_options_are_no_parameters() -> None:
    with pytest.raises(ApiError) as refused:
        check("refunds.create", {"stripe_account": "acct_1"})

    assert refused.value.body["error"]["code"] == "parameter_unknown"


def test_what_stripe_would_act_on_and_the_stand_in_would_not_is_refused(browser: FlaskClient, account: str) -> None:
    for name in ("customer", "expand[0]", "payment_intent_data[capture_method]", "line_items[0][price]"):
        answer = open_page(browser, account, **{name: "x"})
        assert answer.get_json()["error"]["code"] == "stand_in_unsupported", name


def test_forms_are_read_back_as_they_were_meant() -> None:
    pairs = [("a[0][b]", "1"), ("a[1][b]", "2"), ("metadata[0]", "x"), ("c", "3")]

    assert decode(pairs) == {"a": [{"b": "1"}, {"b": "2"}], "metadata": {"0": "x"}, "c": "3"}
    with pytest.raises(ApiError):
        decode([("a", "1"), ("a[b]", "2")])


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"locale": "tlh"}, "locale"),
        ({"line_items[0][price_data][unit_amount]": "-5"}, "unit_amount"),
        ({"line_items[0][price_data][unit_amount]": "1"}, "amount_too_small"),
        ({"line_items[0][quantity]": "0"}, "line_items"),
        ({"line_items[0][price_data][currency]": "MXN"}, "currency"),
        ({"metadata[" + "x" * 41 + "]": "1"}, "metadata"),
        ({"payment_intent_data[application_fee_amount]": "12501"}, "application_fee_amount"),
    ],
)
def test_a_page_that_stripe_would_not_open_is_not_opened(
    browser: FlaskClient, stand_in: StandIn, account: str, changed: dict[str, str], part: str
) -> None:
    answer = open_page(browser, account, **changed)

    assert answer.status_code == 400
    assert part in answer.get_data(as_text=True)
    assert stand_in.state.every("checkout.session") == []


def test_a_fee_needs_a_direct_charge(browser: FlaskClient, stand_in: StandIn) -> None:
    answer = open_page(browser, "", **{"payment_intent_data[application_fee_amount]": "5"})

    assert answer.status_code == 400
    assert stand_in.state.every("checkout.session") == []


def test_an_account_that_may_not_charge_opens_no_page(browser: FlaskClient, stand_in: StandIn, account: str) -> None:
    stand_in.restrict_account(account)

    assert open_page(browser, account).status_code == 400
    assert stand_in.events("account.updated")[-1]["data"]["object"]["requirements"]["currently_due"]


def test_an_unknown_address_is_said_so_in_stripes_shape(browser: FlaskClient) -> None:
    answer = browser.get("/v1/customers", headers=TEST_KEY)

    assert answer.status_code == 404
    assert answer.get_json()["error"]["type"] == "invalid_request_error"


# The pages.


def test_the_payment_page_says_what_is_paid_and_that_no_money_moves(browser: FlaskClient, account: str) -> None:
    page = a_page(browser, account)

    answer = browser.get(page["url"])
    html = answer.get_data(as_text=True)

    assert "Pago de prueba: aquí no se mueve dinero" in html
    assert "Panadería La Espiga" in html
    assert "5 × Concha de &lt;vainilla&gt;" in html
    assert "125.00 MXN" in html
    assert 'href="https://espiga.test/pedido"' in html
    assert "<script" not in html
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_whole_pesos_are_shown_whole(browser: FlaskClient, account: str) -> None:
    page = a_page(browser, account, **{"line_items[0][price_data][currency]": "clp"})

    assert "12,500 CLP" in browser.get(page["url"]).get_data(as_text=True)


def test_paying_leads_back_to_the_shop_and_tells_it(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    page = a_page(browser, account)

    answer = browser.post(page["url"], data={"card": "accepted"})
    stand_in.deliveries.drain()

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://espiga.test/gracias?s={page['id']}"
    assert mailbox.types == ["payment_intent.succeeded", "checkout.session.completed"]
    completed = mailbox.notices[1]
    assert completed["account"] == account
    assert completed["api_version"] == API_VERSION
    assert completed["data"]["object"]["payment_status"] == "paid"
    assert completed["data"]["object"]["metadata"] == {"1": "un número por nombre"}
    assert not [name for name in completed["data"]["object"] if name.startswith("_")]


def test_a_refused_card_charges_nothing_and_says_so(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    page = a_page(browser, account)

    html = browser.post(page["url"], data={"card": "declined"}, follow_redirects=True).get_data(as_text=True)
    stand_in.deliveries.drain()

    assert "La tarjeta fue rechazada. No se cobró nada" in html
    assert mailbox.types == ["payment_intent.payment_failed"]
    assert stand_in.book() == []
    assert browser.post(page["url"], data={"card": "accepted"}).status_code == 303
    assert len(stand_in.book()) == 1


def test_a_page_is_paid_once(browser: FlaskClient, stand_in: StandIn, account: str) -> None:
    page = a_page(browser, account)

    with ThreadPoolExecutor(20) as pool:
        tries = [
            pool.submit(lambda: browser.application.test_client().post(page["url"], data={"card": "accepted"}))
            for _ in range(20)
        ]
        statuses = sorted(done.result().status_code for done in tries)

    assert statuses == [303] + [400] * 19
    assert [line.kind for line in stand_in.book()] == ["charge"]
    assert "Este pago ya está hecho" in browser.get(page["url"]).get_data(as_text=True)


def test_a_page_whose_time_ran_out_charges_nothing(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    page = a_page(browser, account)
    stand_in.state.objects[page["id"]]["expires_at"] = int(time.time()) - 1

    answer = browser.post(page["url"], data={"card": "accepted"})
    stand_in.deliveries.drain()

    assert answer.status_code == 400
    assert "ya no está disponible" in answer.get_data(as_text=True)
    assert stand_in.book() == []
    assert mailbox.types == ["checkout.session.expired"]


def test_time_runs_out_by_itself(browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str) -> None:
    page = a_page(browser, account)
    stand_in.state.objects[page["id"]]["expires_at"] = int(time.time()) - 1

    assert wait_for(lambda: mailbox.types == ["checkout.session.expired"])


def test_an_unknown_page_is_not_found(browser: FlaskClient, account: str) -> None:
    for path in ("/c/pay/cs_test_nothing", f"/c/pay/{account}", "/setup/link_nothing", "/nowhere"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "No encontramos esta página" in answer.get_data(as_text=True)
    assert browser.post("/c/pay/cs_test_nothing", data={"card": "accepted"}).status_code == 404


def test_the_owner_completes_the_account_on_a_page_good_for_once(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox
) -> None:
    made = browser.post("/v1/accounts", data={"country": "MX"}, headers=TEST_KEY).get_json()
    form = {
        "account": made["id"],
        "type": "account_onboarding",
        "return_url": "https://app.test/listo",
        "refresh_url": "https://app.test/otra-vez",
    }
    link = browser.post("/v1/account_links", data=form, headers=TEST_KEY).get_json()["url"]

    assert "Activar los cobros con tarjeta" in browser.get(link).get_data(as_text=True)
    assert browser.post(link).headers["Location"] == "https://app.test/listo"
    assert browser.get(link).headers["Location"] == "https://app.test/otra-vez"
    assert browser.post(link).headers["Location"] == "https://app.test/otra-vez"

    stand_in.deliveries.drain()
    assert mailbox.types == ["account.updated"]
    assert mailbox.notices[0]["account"] == made["id"]
    assert mailbox.notices[0]["data"]["object"]["charges_enabled"] is True


def test_pages_are_words_not_codes(browser: FlaskClient, account: str) -> None:
    html = browser.get(a_page(browser, account)["url"]).get_data(as_text=True)
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)

    assert not re.search(r"cs_test|acct_|Stripe|session|checkout", words, flags=re.IGNORECASE)


# Notices and their mischief.


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_notices_come_late_when_told_to(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    stand_in.mischief.delay_s = 0.4
    started = time.monotonic()

    stand_in.pay(a_page(browser, account)["id"])
    early = list(mailbox.notices)
    stand_in.deliveries.drain()

    assert early == []
    assert len(mailbox.notices) == 2
    assert time.monotonic() - started >= 0.4


def test_notices_come_twice_with_the_same_id(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    stand_in.mischief.copies = 2

    stand_in.pay(a_page(browser, account)["id"])
    stand_in.deliveries.drain()

    assert len(mailbox.notices) == 4
    assert len({notice["id"] for notice in mailbox.notices}) == 2


def test_notices_come_in_the_wrong_order(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    stand_in.mischief.hold = True
    stand_in.pay(a_page(browser, account)["id"])
    time.sleep(0.1)
    held = list(mailbox.notices)

    assert stand_in.deliveries.release(backwards=True) == 2
    stand_in.deliveries.drain()

    assert held == []
    assert mailbox.types == ["checkout.session.completed", "payment_intent.succeeded"]


def test_a_seed_repeats_the_same_disorder(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    def disorder() -> list[int]:
        box = Mailbox()
        app = create_fakestripe(Config(sink=box, webhook_secret=SECRET, seed=3))
        other, visitor = stand_in_of(app), app.test_client()
        shop = an_account(other, visitor, box)
        other.mischief.jitter_s = 0.5
        for _ in range(4):
            other.pay(a_page(visitor, shop)["id"])
        other.deliveries.drain()
        sent = [event["id"] for event in other.events() if event["type"] != "account.updated"]
        other.close()
        return [sent.index(notice["id"]) for notice in box.notices]

    first, again = disorder(), disorder()

    assert first == again
    assert first != sorted(first)


def test_a_dropped_notice_is_never_sent_but_can_be_read_and_sent_again(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    stand_in.mischief.drop = 1.0
    stand_in.pay(a_page(browser, account)["id"])
    stand_in.deliveries.drain()
    dropped = list(mailbox.notices)

    listed = browser.get("/v1/events?type=checkout.session.completed", headers={**TEST_KEY, "Stripe-Account": account})
    (event,) = listed.get_json()["data"]
    stand_in.deliveries.resend(event["id"])
    stand_in.deliveries.drain()

    assert dropped == []
    assert [notice["id"] for notice in mailbox.notices] == [event["id"]]


def test_a_notice_is_sent_again_until_it_is_taken(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.embedded.fakestripe.webhooks.RETRY_AFTER_S", (0.01,) * 5)
    mailbox.answers = [500, 404, 200]

    stand_in.decline(a_page(browser, account)["id"])

    assert wait_for(lambda: len(mailbox.notices) == 3)
    stand_in.deliveries.drain()
    assert len({notice["id"] for notice in mailbox.notices}) == 1
    assert stand_in.state.undelivered == []


def test_notices_reach_a_shop_by_http() -> None:
    shop, got = Flask("shop"), Mailbox()

    @shop.post("/webhooks/stripe")
    def take() -> tuple[str, int]:
        from flask import request

        return "", got(request.get_data(), request.headers["Stripe-Signature"])

    shop.extensions["fakestripe"] = stand_in_of(create_fakestripe())
    with running(shop) as address:
        app = create_fakestripe(Config(webhook_url=f"{address}/webhooks/stripe", webhook_secret=SECRET))
        stand_in = stand_in_of(app)
        stand_in.pay(a_page(app.test_client(), an_account(stand_in, app.test_client()))["id"])
        assert stand_in.deliveries.drain()
        stand_in.close()

    assert got.types == ["account.updated", "payment_intent.succeeded", "checkout.session.completed"]


def test_the_signature_is_the_librarys() -> None:
    body = '{"ñ": 1}'

    assert signature_header(body.encode(), SECRET, 1_700_000_000) == stripe.WebhookSignature.generate_signature_header(
        body, SECRET, 1_700_000_000
    )


# Keys.


def test_an_answer_that_failed_on_the_state_of_things_is_remembered(
    browser: FlaskClient, stand_in: StandIn, account: str
) -> None:
    session = stand_in.pay(a_page(browser, account)["id"])
    headers = {**TEST_KEY, "Stripe-Account": account, "Idempotency-Key": "once"}
    form = {"payment_intent": session["payment_intent"], "amount": "99999"}

    first = browser.post("/v1/refunds", data=form, headers=headers)
    again = browser.post("/v1/refunds", data=form, headers=headers)
    fixed = browser.post("/v1/refunds", data={**form, "amount": "5"}, headers=headers)

    assert (first.status_code, first.data) == (again.status_code, again.data)
    assert fixed.get_json()["error"]["type"] == "idempotency_error"
    assert stand_in.state.every("refund") == []


def test_one_key_serves_two_accounts_apart(browser: FlaskClient, stand_in: StandIn, account: str) -> None:
    other = an_account(stand_in, browser)

    first, second = (a_page(browser, owner, key="order:1:attempt:1") for owner in (account, other))

    assert first["id"] != second["id"]


def test_a_replay_repeats_the_first_answer_even_when_things_have_changed(
    browser: FlaskClient, stand_in: StandIn, account: str
) -> None:
    first = a_page(browser, account, key="k")

    stand_in.pay(first["id"])

    assert a_page(browser, account, key="k") == first


# The book.


def test_the_book_holds_what_was_charged_given_back_and_kept(
    browser: FlaskClient, stand_in: StandIn, account: str
) -> None:
    page = a_page(browser, account, **{"payment_intent_data[application_fee_amount]": "500"})
    intent = stand_in.pay(page["id"])["payment_intent"]
    headers = {**TEST_KEY, "Stripe-Account": account}
    form = {"payment_intent": intent, "refund_application_fee": "true"}
    stand_in.desk.refund_status = "pending"

    for amount in ("2500", "5000"):
        assert browser.post("/v1/refunds", data={**form, "amount": amount}, headers=headers).status_code == 200
    stand_in.settle_refund(stand_in.state.every("refund", account)[0]["id"], "failed")
    stand_in.settle_refund(stand_in.state.every("refund", account)[0]["id"], "failed")

    kinds = [(line.kind, line.amount) for line in stand_in.book(account)]
    assert kinds[:2] == [("charge", 12_500), ("fee", 500)]
    assert kinds[2:] == [
        ("refund", 2_500),
        ("fee_returned", 100),
        ("refund", 5_000),
        ("fee_returned", 200),
        ("refund_failed", 5_000),
    ]
    assert stand_in.captured(intent) == 10_000
    assert stand_in.book("acct_other") == []


def test_a_refund_made_on_stripes_own_pages_is_told(
    browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str
) -> None:
    intent = stand_in.pay(a_page(browser, account)["id"])["payment_intent"]
    stand_in.deliveries.drain()
    mailbox.notices.clear()

    stand_in.refund(intent)
    stand_in.deliveries.drain()

    assert mailbox.types == ["refund.created", "charge.refunded"]
    assert mailbox.notices[1]["data"]["object"]["refunded"] is True
    with pytest.raises(ApiError):
        stand_in.refund(intent)
    assert stand_in.captured(intent) == 0


def test_an_unpaid_page_has_nothing_to_refund(browser: FlaskClient, stand_in: StandIn, account: str) -> None:
    page = a_page(browser, account)
    stand_in.decline(page["id"])
    intent = stand_in.state.objects[page["id"]]["payment_intent"]

    with pytest.raises(ApiError):
        stand_in.refund(intent)

    assert stand_in.book() == []


# Memory.


def test_a_restart_forgets_nothing_and_sends_what_was_unsent(tmp_path: Path, mailbox: Mailbox) -> None:
    file = tmp_path / "state.json"
    app = create_fakestripe(Config(state_file=file, sink=mailbox))
    before = stand_in_of(app)
    before.mischief.hold = True
    account = an_account(before, app.test_client())
    page = a_page(app.test_client(), account, key="k")
    before.pay(page["id"])
    before.close()

    app = create_fakestripe(Config(state_file=file, sink=mailbox))
    after = stand_in_of(app)
    after.deliveries.drain()

    assert mailbox.types == ["account.updated", "payment_intent.succeeded", "checkout.session.completed"]
    assert after.book() == before.book()
    assert a_page(app.test_client(), account, key="k") == page
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    after.close()


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "storefront.embedded.fakestripe", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONUNBUFFERED": "1"}) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert address, line
            client = stripe.StripeClient("sk_test_play", base_addresses={"api": address.group()})
            assert client.v1.accounts.create({"country": "MX"}).id in state.read_text(encoding="utf-8")
        finally:
            process.terminate()


# Faults and switches.


def test_a_seed_repeats_the_same_bad_luck() -> None:
    def luck(seed: int) -> list[str]:
        faults = Faults(seed, rates={"unavailable": 0.2, "cut_after": 0.2})
        return [fault.kind if fault else "" for fault in (faults.next("/v1/refunds") for _ in range(50))]

    assert luck(5) == luck(5)
    assert luck(5) != luck(6)
    assert {"", "unavailable", "cut_after"} == set(luck(5))


def test_a_fault_waits_for_its_path(browser: FlaskClient, stand_in: StandIn, account: str) -> None:
    stand_in.faults.plan("unavailable", path="/refunds")

    assert open_page(browser, account).status_code == 200
    headers = {**TEST_KEY, "Stripe-Account": account}
    assert browser.get("/v1/refunds", headers=headers).status_code == 503
    assert browser.get("/v1/refunds", headers=headers).status_code == 200


def test_the_switches_work_over_http(browser: FlaskClient, stand_in: StandIn, mailbox: Mailbox, account: str) -> None:
    page = a_page(browser, account)

    turned = browser.post(
        "/_control",
        json={
            "mischief": {"copies": 2, "hold": True},
            "faults": [{"kind": "error_500", "path": "/refunds"}],
            "refund_status": "pending",
            "pay": page["id"],
            "release": "backwards",
        },
    )
    stand_in.deliveries.drain()

    assert turned.status_code == 200
    assert mailbox.types == ["checkout.session.completed"] * 2 + ["payment_intent.succeeded"] * 2
    assert browser.get("/_control").get_json()["planned"] == [{"kind": "error_500", "path": "/refunds", "seconds": 0.0}]
    assert [line["kind"] for line in browser.get("/_control/book").get_json()] == ["charge"]
    assert browser.post("/_control", json={"clear": True, "reset": True}).get_json()["objects"] == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"surprise": 1},
        {"mischief": {"surprise": 1}},
        {"faults": [{"kind": "surprise"}]},
        {"rates": {"surprise": 1.0}},
        {"pay": "cs_test_nothing"},
        {"resend": "evt_nothing"},
    ],
)
def test_a_switch_that_does_not_exist_is_said_so(browser: FlaskClient, wrong: dict[str, Any]) -> None:
    assert browser.post("/_control", json=wrong).status_code == 400


def test_a_form_of_another_site_turns_no_switch(browser: FlaskClient, stand_in: StandIn, account: str) -> None:
    answer = browser.post("/_control", data='{"reset": true}', content_type="text/plain")

    assert answer.status_code == 415
    assert stand_in.state.objects
