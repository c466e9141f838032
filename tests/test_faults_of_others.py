"""Faults that other shop systems had, told as ours: what went wrong there must not happen here.

A test that stands for one is named after it: `@pytest.mark.fault("R13 saleor #18196")`, and `-k R13` runs it.
docs/faults-of-others.md lists them all and is held to these names; here are those that no other file tells.
"""

from __future__ import annotations

import ast
import json
import re
import socket
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from kombu.exceptions import ContentDisallowed
from kombu.serialization import dumps, loads, prepare_accept_content
from sqlalchemy import func, select, update

from storefront.cart.models import CartLine
from storefront.config import Settings
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db, transaction
from storefront.kernel.inbox import InboxRow
from storefront.kernel.tenancy import Shop, acting_for
from storefront.orders.actions import attach_past_orders
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_id, orders_of_customer
from storefront.payments import actions, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.models import AttemptState, PaymentAttempt, Refund, RefundState
from storefront.payments.provider import GatewayRefused
from tests.factories.catalogue import a_product
from tests.factories.customers import a_customer
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, an_order
from tests.payments.conftest import till
from tests.payments.till import Till
from tests.stack import environment, web
from tests.world import ROOT

__all__ = ["till"]


def scalar(statement: Any) -> Any:
    """One value, freshly read."""
    found = db.session.scalar(statement)
    db.session.rollback()
    return found


# --- money --------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R9 woocommerce-paypal-payments #4173")
def test_a_notice_that_is_here_before_its_payment_is_known_waits_and_is_applied_once(
    till: Callable[..., Till], monkeypatch: pytest.MonkeyPatch
) -> None:
    """woocommerce-paypal-payments #4173: the webhook was there before the shop's own order, and was dropped."""
    one = till()
    one.start()
    one.pay()
    with monkeypatch.context() as early:
        early.setattr(queries, "attempt_of_reference", lambda _reference: None)
        early.setattr(queries, "attempt_of_key", lambda _key: None)
        notice = next(n for n in one.notices() if n["type"] == "checkout.session.completed")
        assert one.hear(notice)
        one.work()
        assert scalar(select(InboxRow.handled_at)) is None
        assert one.books().payment is PaymentState.PENDING

    with clock.pretending(clock.now() + timedelta(minutes=2)):
        payment_jobs.look_again.run()
        one.work()
    assert not one.hear(notice)
    one.work()

    assert one.books().state is OrderState.CONFIRMED
    assert one.faults() == []


def two_pages(one: Till) -> None:
    """Both of an order's pages are open at once and both are paid: the first had been given up by mistake."""
    one.start()
    with transaction():
        db.session.execute(update(PaymentAttempt).values(state=AttemptState.FAILED))
    assert one.start()
    assert one.pay(0)
    assert one.pay(1)


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.fault("R12 saleor #19220", "R15 pretix #343")
def test_of_two_successful_payments_one_is_kept_and_the_order_stays_paid(
    till: Callable[..., Till], last_first: bool
) -> None:
    """saleor #19220: a race made a second PaymentIntent, and both were charged. pretix #343: sending the second charge
    back cancelled the order that the first had paid."""
    one = till()
    two_pages(one)
    notices = [n for n in one.notices() if n["type"] == "checkout.session.completed"]
    for notice in reversed(notices) if last_first else notices:
        one.hear(notice)
        one.work()

    books = one.books()
    assert (books.charges, books.kept_minor) == (2, one.total_minor)
    assert (books.state, books.payment) == (OrderState.CONFIRMED, PaymentState.PAID)
    assert one.faults() == []


def test_without_the_look_at_what_is_settled_both_payments_would_be_kept(
    till: Callable[..., Till], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin that must fail."""
    monkeypatch.setattr(refunding, "decide", lambda *_: None)
    one = till()
    two_pages(one)
    for notice in one.notices():
        one.hear(notice)
    one.work()

    assert one.captured_minor() == 2 * one.total_minor
    too_much = {"received_minor": one.total_minor, "counts_minor": 2 * one.total_minor}
    assert {"invariant": "I7", "order": one.order_id, **too_much} in one.faults()


@pytest.mark.fault("R13 saleor #18196")
def test_a_refused_payment_is_written_down_although_the_request_ends_in_a_refusal(till: Callable[..., Till]) -> None:
    """saleor #18196: the failure was recorded in the transaction that the failure rolled back."""
    one = till()
    one.stand_in.restrict_account(str(one.shop.payment_account))

    with pytest.raises(GatewayRefused):
        actions.start_card(one.attempt())

    assert scalar(select(PaymentAttempt.state)) is AttemptState.FAILED
    assert scalar(select(LogEntry.verb).where(LogEntry.verb == "card_refused")) == "card_refused"
    assert one.books().payment is PaymentState.FAILED


@pytest.mark.fault("R16 pretix #1233")
def test_whoever_was_refused_may_pay_and_a_page_that_was_closed_does_not_stand_in_the_way(
    till: Callable[..., Till],
) -> None:
    """pretix #1233: a customer saw the failure, then the success; a cancelled intent blocked every other try."""
    one = till()
    one.start()
    one.decline()
    one.webhook()
    assert one.books().payment is PaymentState.PENDING  # the page is open still: nothing has failed for good
    one.close_at_provider()
    one.webhook()
    assert one.books().payment is PaymentState.FAILED

    assert one.start()
    assert one.pay()
    for notice in reversed(one.notices()):  # the old page's end is heard last
        one.hear(notice, "-late")
        one.work()

    assert len(one.pages()) == 2
    assert one.books().state is OrderState.CONFIRMED
    assert one.faults() == []


@pytest.mark.fault("R14 pretix #74")
def test_paid_money_whose_goods_are_gone_goes_back_and_never_stays(till: Callable[..., Till]) -> None:
    """pretix #74: paid, and the quota was gone; the order was neither kept nor refunded."""
    one = till()
    one.start()
    with clock.pretending(clock.now() + timedelta(minutes=36)):
        rival = an_order(one.product, 2, confirmed=True)
        one.pay()
        one.webhook()

    assert scalar(select(Refund.state)) is RefundState.DONE
    assert one.captured_minor() == 0
    assert order_by_id(rival.id).state is OrderState.CONFIRMED
    assert available([one.product.variant_id]) == {one.product.variant_id: 0}


# --- whose order, whose shop --------------------------------------------------------------------------------------


@pytest.mark.fault("R21 spree CVE-2026-22589")
def test_nobody_is_not_the_owner_of_what_belongs_to_nobody(bakery: Shop) -> None:
    """spree CVE-2026-22589: an anonymous visitor (owner NULL) passed for the owner of guests' records (owner NULL)."""
    with acting_for(bakery):
        order = an_order(a_product())
        with transaction():
            db.session.execute(update(Order).values(contact_email=None, contact_phone=None))

        assert attach_past_orders(a_customer(), email=None, phone=None) == 0
        assert orders_of_customer(None) == []
        assert scalar(select(Order.customer_id).where(Order.id == order.id)) is None


FOREIGN = ("address_id", "address", "customer_id", "customer", "order_id", "total_minor", "tenant_id", "user")


@pytest.mark.fault("R21 spree CVE-2026-22588")
def test_ids_in_a_form_that_never_asked_for_them_choose_nothing(client_at: Any, bakery: Shop, crafts: Shop) -> None:
    """spree CVE-2026-22588: the id of somebody else's address, sent with the order, was taken over."""
    with acting_for(bakery):
        bread = a_product(stock=5)
        stranger = a_customer("Xóchitl", address=True)
    foreign = dict.fromkeys(FOREIGN, str(stranger))
    client = client_at(bakery)
    client.post("/carrito", data={"variant": bread.variant_code, "quantity": "1", **foreign})
    page = client.get("/pedir").text
    shown = dict(re.findall(r'name="(key|shown|csrf_token)" value="([^"]*)"', page))
    typed = {"name": "Dora", "phone": "951 123 4567", "pay": "pay_at_shop", "how": "pickup", "do": "place"}

    answer = client.post("/pedir", data={**foreign, **shown, **typed})

    assert "/pedido/" in answer.location
    with acting_for(bakery):
        order = db.session.execute(select(Order.customer_id, Order.address, Order.total_minor)).one()
        assert tuple(order) == (None, None, 2_500)
    with acting_for(crafts):
        assert scalar(select(func.count(CartLine.id))) == 0


@pytest.mark.fault("R24 evershop CVE-2025-12919", "R29 woocommerce CVE-2023-7320")
def test_an_order_is_found_by_its_secret_alone(client_at: Any, bakery: Shop) -> None:
    """evershop: guests' orders could be read by counting up their ids."""
    with acting_for(bakery):
        order = an_order(a_product())
    client = client_at(bakery)

    for guess in (order.id, order.code, order.placement_key, order.token[:-1], order.token.swapcase()):
        for path in (f"/pedido/{guess}", f"/pedido/{guess}/pagado", f"/pedido/{guess}/reservas.ics"):
            assert client.get(path).status_code == 404, path
    assert client.get(f"/pedido/{order.token}").status_code == 200


CLAIMS = {
    "X-User": "1", "X-User-Id": "1", "X-Customer-Id": "1", "X-Tenant": "1002", "X-Tenant-Id": "1002",
    "X-Shop": "illimani", "X-Role": "owner", "X-Forwarded-Host": "illimani.portales.test", "X-Forwarded-User": "alicia",
    "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "http", "X-Original-URL": "/panel", "X-Rewrite-URL": "/panel",
    "Forwarded": "host=illimani.portales.test", "X-HTTP-Method-Override": "DELETE", "X-Portales-Shop": "1002",
}  # fmt: skip


@pytest.mark.fault("R29 woocommerce-payments CVE-2023-28121")
def test_headers_that_only_insiders_send_say_nothing_to_us(client_at: Any, bakery: Shop, crafts: Shop) -> None:
    """Several systems trusted X-User, X-Tenant or X-Forwarded-* from outside."""
    with acting_for(bakery):
        a_product("Concha")
    with acting_for(crafts):
        a_product("Chompa")
    plain, claiming = client_at(bakery), client_at(bakery)

    page, claimed = plain.get("/"), claiming.get("/", headers=CLAIMS)

    assert page.status_code == claimed.status_code == 200
    assert "Concha" in claimed.text
    assert "Chompa" not in claimed.text
    desk = client_at("app").get("/pedidos", headers=CLAIMS)
    assert desk.status_code in {302, 303}
    assert "/entrar" in desk.location


# --- what comes in ------------------------------------------------------------------------------------------------


@pytest.mark.fault("R30 vvveb CVE-2026-44826")
def test_only_a_small_whole_number_of_pieces_can_be_wanted(client_at: Any, bakery: Shop) -> None:
    """Negative, huge and fractional quantities made credit notes and free orders elsewhere."""
    with acting_for(bakery):
        bread = a_product(stock=5)

    for quantity in ("-1", "0", "1.5", "1e9", "99999999999999999999", "١٢٣٤", "NaN", "0x10", "1;2"):
        answer = client_at(bakery).post("/carrito", data={"variant": bread.variant_code, "quantity": quantity})
        assert answer.status_code < 500, quantity
        with acting_for(bakery):
            assert scalar(select(func.count(CartLine.id))) == 0, quantity


@pytest.mark.fault("R30 shopper CVE-2026-47740")
def test_who_may_only_look_moves_no_money(client_at: Any, app: Flask, cast: Any) -> None:
    """Elsewhere, a role that may only read captured and refunded payments. Here: a clerk, a stranger, nobody."""
    with acting_for(cast.bakery):
        order = an_order(a_product(), confirmed=True)
        actions.record_cash(order.id, ALICIA)
        refund = refunding.refund_order(order.id, "asked", ALICIA)[0]
        waiting = an_order(a_product(), confirmed=True)
    beto, carla = (Desk(app, client_at("app"), cast.staff[who]) for who in ("beto", "carla"))

    assert beto.send(f"/devoluciones/{refund.code}/hecha").status_code == 403
    for path in (f"/devoluciones/{refund.code}/hecha", f"/pedidos/{waiting.code}/cobro"):
        assert carla.send(path).status_code == 404
        assert client_at("app").post(path).status_code in {302, 303}

    with acting_for(cast.bakery):
        assert scalar(select(Refund.state)) is RefundState.EXTERNAL
        assert order_by_id(waiting.id).payment_state is PaymentState.UNPAID


@pytest.mark.fault("R27 flask-caching CVE-2021-33026")
def test_a_pickle_is_read_by_nobody(app: Flask) -> None:
    """Whoever could write to a cache or a broker ran code in the shop: both held pickles."""
    celery = app.extensions["celery"]
    assert (celery.conf.accept_content, celery.conf.task_serializer) == (["json"], "json")
    accepted = prepare_accept_content(celery.conf.accept_content)
    kind, encoding, body = dumps({"row": 1}, serializer="pickle")

    with pytest.raises(ContentDisallowed):
        loads(body, kind, encoding, accept=accepted)
    assert loads(json.dumps({"row": 1}), "application/json", "utf-8", accept=accepted) == {"row": 1}


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory is counted while the test runs."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.fault("R28 werkzeug CVE-2024-49767")
def test_a_form_of_many_megabytes_is_refused_without_being_held(client_at: Any, bakery: Shop, traced: None) -> None:
    """werkzeug CVE-2023-25577 and its kin: a body of many parts, or of one endless field, filled the memory."""
    client = client_at(bakery)
    client.get("/")
    many = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nb\r\n' % n for n in range(5_000))
    long = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + b"a" * (4 << 20) + b"\r\n"
    for body in (many, long):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        answer = client.post("/carrito", data=body + b"--x--\r\n", content_type="multipart/form-data; boundary=x")
        assert answer.status_code == 413, answer.status_code
        assert tracemalloc.get_traced_memory()[1] - before < 40 << 20

    with acting_for(bakery):
        assert scalar(select(func.count(CartLine.id))) == 0


SMUGGLED = b"GET /pedir?smuggled HTTP/1.1\r\nHost: espiga.portales.localhost\r\n\r\n"
TWO_MINDS = {
    "both": [b"Content-Length: %d" % len(b"0\r\n\r\n" + SMUGGLED), b"Transfer-Encoding: chunked"],
    "both, the other first": [b"Transfer-Encoding: chunked", b"Content-Length: 4"],
    "two lengths": [b"Content-Length: 5", b"Content-Length: %d" % len(b"0\r\n\r\n" + SMUGGLED)],
    "an unknown coding": [b"Transfer-Encoding: xchunked", b"Content-Length: 5"],
    "a coding twice": [b"Transfer-Encoding: chunked, identity"],
    "a hidden coding": [b"Transfer-Encoding: \x0bchunked"],
    "a space before the colon": [b"Transfer-Encoding : chunked", b"Content-Length: 5"],
}


@pytest.mark.fault("R28 gunicorn CVE-2024-1135", "R28 gunicorn CVE-2024-6827")
def test_no_second_request_is_smuggled_in_the_body_of_a_first(bakery: Shop, settings: Settings, tmp_path: Path) -> None:
    """Server and proxy were of two minds about where a body ends, and what followed was somebody else's request."""

    def answers(port: int, lengths: list[bytes]) -> bytes:
        head = [b"POST /carrito HTTP/1.1", b"Host: espiga.portales.localhost", b"Sec-Fetch-Site: same-origin"]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(b"\r\n".join([*head, *lengths, b"", b""]) + b"0\r\n\r\n" + SMUGGLED)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65_536), b""))

    with web(environment(settings), tmp_path / "web.log") as port:
        for name, lengths in TWO_MINDS.items():
            heard = answers(port, lengths)
            assert heard.count(b"HTTP/1.1 ") == 1, (name, heard)
            assert heard.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), (name, heard[:80])
        # The twin: where the body's end is beyond doubt, what follows is a request and has its answer.
        assert answers(port, [b"Transfer-Encoding: chunked"]).count(b"HTTP/1.1 ") == 2


# --- the list -----------------------------------------------------------------------------------------------------


def named_after_a_reference() -> dict[str, set[str]]:
    """By reference, the files that hold a test named after it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "mark.fault" not in (text := path.read_text()):
            continue
        for node in ast.walk(ast.parse(text)):
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                    for told in mark.args:
                        found[str(ast.literal_eval(told)).split()[0]].add(str(path.relative_to(ROOT)))
    return found


def test_the_list_names_every_reference_and_the_tests_that_are_named_after_it() -> None:
    rows = re.findall(r"^\| (R\d+) \|(.*)$", (ROOT / "docs" / "faults-of-others.md").read_text(), re.MULTILINE)
    listed = {reference: set(re.findall(r"`(tests/[\w/]+\.py)`", told)) for reference, told in rows}

    assert [reference for reference, _ in rows] == [f"R{number}" for number in range(1, 32)]
    assert listed == named_after_a_reference()
