"""A transfer that somebody of the shop saw in the bank, its proof having gone to WhatsApp or nowhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.kernel import clock
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.orders import queries as order_queries
from storefront.orders.actions import cancel_order, expire_order, hand_over, mark_ready
from storefront.orders.invariants import invariants
from storefront.orders.models import Order, OrderEvent
from storefront.orders.steps import NextStep, next_step
from storefront.payments import actions, ledger, proofs, queries, refunding, transfers
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, LedgerEntry, PaymentAttempt, PaymentEvent, Refund, TransferProof
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.factories.payments import a_photo


def by_transfer(quantity=1):
    order = an_order(a_product(stock=5), quantity, pay="bank_transfer")
    db.session.expunge_all()
    db.session.rollback()
    return order


def axes(order_id):
    row = db.session.execute(select(Order.state, Order.payment_state).where(Order.id == order_id)).one()
    db.session.rollback()
    return tuple(map(str, row))


def trace():
    """How many rows there are of everything that a step could write."""
    kinds = (LedgerEntry, PaymentAttempt, PaymentEvent, OrderEvent, OutboxRow, LogEntry, Refund)
    found = [db.session.scalar(select(func.count()).select_from(kind)) for kind in kinds]
    states = db.session.execute(select(PaymentAttempt.id, PaymentAttempt.state).order_by(PaymentAttempt.id)).all()
    versions = db.session.execute(select(Order.id, Order.version).order_by(Order.id)).all()
    db.session.rollback()
    return found, states, versions


def sound():
    assert queries.invariants() == []
    assert invariants() == []


# --- saying that it came ------------------------------------------------------------------------------------------


def test_a_transfer_seen_in_the_bank_pays_and_confirms_the_order_and_the_books_agree(bakery, drain):
    with acting_for(bakery):
        order = by_transfer(2)
        transfers.record_transfer(order.id, ALICIA)
        assert axes(order.id) == ("awaiting_payment", "paid")
    drain(bakery)
    with acting_for(bakery):
        assert axes(order.id) == ("confirmed", "paid")
        assert ledger.balance(Account.BANK) == order.total_minor
        assert ledger.balance(Account.RECEIVABLE, order.id) == 0
        line = db.session.scalars(select(LogEntry).where(LogEntry.verb == "transfer_received")).one()
        assert (line.actor_label, line.facts) == ("Alicia", {"amount_minor": order.total_minor})
        sound()


def test_saying_it_twice_books_it_once(bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
        transfers.record_transfer(order.id, ALICIA)
        before = trace()
        transfers.record_transfer(order.id, ALICIA)
        assert trace() == before
    drain(bakery)
    with acting_for(bakery):
        before = trace()
        transfers.record_transfer(order.id, ALICIA)
        assert trace() == before
        assert ledger.balance(Account.BANK) == order.total_minor


def test_twenty_taps_at_once_book_it_once(bakery, app, drain):
    with acting_for(bakery):
        order = by_transfer()

    def tap(_):
        with app.app_context(), acting_for(bakery):
            transfers.record_transfer(order.id, ALICIA)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(tap, range(20)))
    drain(bakery)
    with acting_for(bakery):
        assert ledger.balance(Account.BANK) == order.total_minor
        assert db.session.scalar(select(func.count()).select_from(PaymentAttempt)) == 1
        assert axes(order.id) == ("confirmed", "paid")
        sound()


def test_after_a_rejected_proof_the_money_may_come_all_the_same(bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
        proof = proofs.submit_proof(order.id, a_photo(), "", DORA)
        proofs.reject_proof(proof.code, "No se lee.", ALICIA)
        transfers.record_transfer(order.id, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        assert axes(order.id) == ("confirmed", "paid")
        states = db.session.scalars(select(PaymentAttempt.state).order_by(PaymentAttempt.id)).all()
        assert states == [AttemptState.FAILED, AttemptState.SUCCEEDED]
        assert db.session.scalar(select(TransferProof.state)) == "rejected"
        assert ledger.balance(Account.BANK) == order.total_minor
        sound()


def test_while_a_proof_waits_it_is_looked_at_first(bakery):
    with acting_for(bakery):
        order = by_transfer()
        proofs.submit_proof(order.id, a_photo(), "", DORA)
        before = trace()
        with pytest.raises(transfers.ProofWaits):
            transfers.record_transfer(order.id, ALICIA)
        assert trace() == before
        assert axes(order.id) == ("awaiting_payment", "proof_review")


@pytest.mark.parametrize("pay", ["card", "pay_at_shop"])
def test_an_order_paid_in_another_way_gets_no_transfer(bakery, pay):
    with acting_for(bakery):
        order = an_order(a_product(stock=5), pay=pay)
        before = trace()
        with pytest.raises(transfers.NotATransfer):
            transfers.record_transfer(order.id, ALICIA)
        assert trace() == before


def _proven(order):
    proof = proofs.submit_proof(order.id, a_photo(), "", DORA)
    proofs.accept_proof(proof.code, ALICIA)


def _sent_back(order):
    transfers.record_transfer(order.id, ALICIA)
    refunding.refund_order(order.id, "broken", ALICIA)


@pytest.mark.parametrize("how", [_proven, _sent_back])
def test_an_order_whose_money_is_noted_already_is_not_paid_again(bakery, how):
    with acting_for(bakery):
        order = by_transfer()
        how(order)
        before = trace()
        with pytest.raises(transfers.AlreadyPaid):
            transfers.record_transfer(order.id, ALICIA)
        assert trace() == before
        assert ledger.balance(Account.BANK) == order.total_minor


def test_a_cancelled_order_is_not_paid(bakery):
    with acting_for(bakery):
        order = by_transfer()
        cancel_order(order.id, "", ALICIA)
        before = trace()
        with pytest.raises(transfers.OrderEnded):
            transfers.record_transfer(order.id, ALICIA)
        assert trace() == before


def test_an_order_that_lapsed_is_not_paid(bakery):
    with acting_for(bakery):
        order = by_transfer()
        with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
            assert expire_order(order.id)
            before = trace()
            with pytest.raises(transfers.OrderEnded):
                transfers.record_transfer(order.id, ALICIA)
            assert trace() == before


# --- taking it back -----------------------------------------------------------------------------------------------


def test_a_transfer_noted_by_mistake_is_taken_back_and_can_be_noted_again(bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
        transfers.record_transfer(order.id, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        transfers.take_back_transfer(order.id, ALICIA)
        assert axes(order.id) == ("confirmed", "unpaid")
        assert ledger.balance(Account.BANK) == 0
        assert next_step(order_queries.order_by_id(order.id)) is NextStep.WAIT_FOR_PAYMENT
        before = trace()
        transfers.take_back_transfer(order.id, ALICIA)
        assert trace() == before
        sound()

        transfers.record_transfer(order.id, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        assert axes(order.id) == ("confirmed", "paid")
        assert ledger.balance(Account.BANK) == order.total_minor
        assert ledger.balance(Account.RECEIVABLE, order.id) == 0
        sound()


def test_what_was_taken_back_before_it_was_followed_confirms_nothing(bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
        transfers.record_transfer(order.id, ALICIA)
        transfers.take_back_transfer(order.id, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        assert axes(order.id) == ("awaiting_payment", "unpaid")
        assert ledger.balance(Account.BANK) == 0
        with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
            assert expire_order(order.id)
        sound()


def test_after_the_hand_over_nothing_is_taken_back(bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
        transfers.record_transfer(order.id, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        mark_ready(order.id, ALICIA)
        hand_over(order.id, ALICIA)
        before = trace()
        assert not transfers.may_be_taken_back(order.id)
        with pytest.raises(transfers.HandedOver):
            transfers.take_back_transfer(order.id, ALICIA)
        assert trace() == before
        assert axes(order.id) == ("completed", "paid")


def _cash(order):
    actions.record_cash(order.id, ALICIA)


def _cancelled(order):
    transfers.record_transfer(order.id, ALICIA)
    cancel_order(order.id, "", ALICIA)


@pytest.mark.parametrize(
    ("pay", "how"),
    [
        ("bank_transfer", lambda _order: None),
        ("bank_transfer", _proven),
        ("bank_transfer", _sent_back),
        ("bank_transfer", _cancelled),
        ("pay_at_shop", _cash),
    ],
)
def test_only_what_was_noted_by_hand_and_still_counts_is_taken_back(bakery, pay, how):
    with acting_for(bakery):
        order = an_order(a_product(stock=5), pay=pay)
        how(order)
        before = trace()
        assert not transfers.may_be_taken_back(order.id)
        with pytest.raises(transfers.NotSeenByHand):
            transfers.take_back_transfer(order.id, ALICIA)
        assert trace() == before


def test_a_customer_whose_payment_was_taken_back_may_still_send_a_proof(bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
        transfers.record_transfer(order.id, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        transfers.take_back_transfer(order.id, ALICIA)
        proof = proofs.submit_proof(order.id, a_photo(), "", DORA)
        proofs.accept_proof(proof.code, ALICIA)
    drain(bakery)
    with acting_for(bakery):
        assert axes(order.id) == ("confirmed", "paid")
        assert ledger.balance(Account.BANK) == order.total_minor
        sound()


# --- at the desk --------------------------------------------------------------------------------------------------


def press(client, url):
    token = re.search(r'name="csrf_token" value="([^"]*)"', client.get("/mas").text)[1]
    return client.post(url, data={"csrf_token": token})


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


def test_the_button_is_on_the_order_and_in_the_list_and_its_undo_on_the_page(desk, bakery):
    with acting_for(bakery):
        order = by_transfer()
        code = order.code
    action = f'action="/pedidos/{code}/transferencia"'
    assert action in desk.get("/pedidos?ver=all").text
    page = desk.get(f"/pedidos/{code}").text
    assert action in page
    assert "La transferencia ya llegó" in page
    assert "Recordarle" in page

    assert press(desk, f"/pedidos/{code}/transferencia").status_code == 303

    page = desk.get(f"/pedidos/{code}").text
    assert page.count(f'action="/pedidos/{code}/transferencia/deshacer"') == 2  # beside the news, and for later
    assert action not in page
    press(desk, f"/pedidos/{code}/transferencia/deshacer")
    with acting_for(bakery):
        assert axes(order.id) == ("awaiting_payment", "unpaid")


def test_whoever_may_not_review_proofs_says_nothing_about_transfers(client_at, bakery):
    with acting_for(bakery):
        order = by_transfer()
        before = trace()
    beto = client_at("app", as_="beto")

    assert "La transferencia ya llegó" not in beto.get(f"/pedidos/{order.code}").text
    assert press(beto, f"/pedidos/{order.code}/transferencia").status_code == 403

    with acting_for(bakery):
        assert trace() == before


def test_a_waiting_proof_is_named_and_led_to(desk, bakery):
    with acting_for(bakery):
        order = by_transfer()
        proof = proofs.submit_proof(order.id, a_photo(), "", DORA).code
        before = trace()

    answer = press(desk, f"/pedidos/{order.code}/transferencia")

    assert (answer.status_code, answer.location) == (303, f"/pedidos/{order.code}/comprobante")
    led = desk.get(answer.location)
    assert led.location == f"/cobros/{proof}"
    assert "ya mandó un comprobante" in desk.get(led.location).text
    with acting_for(bakery):
        assert trace() == before


def test_the_news_of_a_confirmed_order_goes_on_as_with_a_proof(desk, bakery, drain):
    with acting_for(bakery):
        order = by_transfer()
    press(desk, f"/pedidos/{order.code}/transferencia")
    drain(bakery)
    page = desk.get(f"/pedidos/{order.code}").text
    assert "Ya está listo" in page
    press(desk, f"/pedidos/{order.code}/transferencia/deshacer")

    page = desk.get(f"/pedidos/{order.code}").text
    assert "La transferencia ya llegó" in page
    assert f'action="/pedidos/{order.code}/listo"' not in page
    assert f'action="/pedidos/{order.code}/transferencia"' in desk.get("/hoy").text
