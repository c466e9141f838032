"""The rest of an order with a deposit: paid in any way, at the hand-over at the latest, and asked for once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.delivery import handing
from storefront.delivery.handing import RestIsOpen
from storefront.delivery.models import Shipment
from storefront.kernel import clock, jobs
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders import actions as orders
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_id
from storefront.orders.rests import rests_to_collect
from storefront.orders.states import LONGEST_WAIT, WINDOWS
from storefront.orders.steps import NextStep, next_step
from storefront.payments import actions, ledger, links
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, PaymentAttempt
from storefront.payments.transfers import record_transfer
from tests.factories.deposits import DEPOSIT, TOTAL, a_deposit_order
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, DORA
from tests.orders.conftest import at_the_bakery
from tests.payments.conftest import connect
from tests.payments.test_several import faults, forget, refunds_of, some_money, state_of
from tests.reservations.test_concurrency import all_at_once

__all__ = ["at_the_bakery"]

REST = TOTAL - DEPOSIT


def a_confirmed_order(**how):
    """An order whose deposit came by transfer."""
    order_id = a_deposit_order(**how).id
    record_transfer(order_id, ALICIA)
    jobs.drain()
    forget()
    return order_id


def order_of(order_id):
    found = order_by_id(order_id)
    forget()
    return found


# --- at the hand-over -------------------------------------------------------------------------------------------------


def test_goods_are_not_handed_over_by_accident_while_the_rest_is_open(at_the_bakery):
    order_id = a_confirmed_order()
    orders.mark_ready(order_id, ALICIA)
    assert next_step(order_of(order_id)) is NextStep.HAND_OVER

    for give in (handing.hand_over, handing.deliver):
        with pytest.raises(RestIsOpen):
            give(order_id, ALICIA)
        forget()
    with pytest.raises(RestIsOpen):
        handing.hand_over_part(order_id, {1: 1}, ALICIA)
    forget()
    assert order_of(order_id).fulfilment_state == "ready"
    handing.hand_over(order_id, ALICIA, collected=True)

    assert state_of(order_id) == ("paid", TOTAL)
    assert order_of(order_id).state is OrderState.COMPLETED
    assert ledger.balance(Account.CASH, order_id) == REST
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


def test_what_is_handed_over_unpaid_on_purpose_is_still_to_be_collected_and_cash_can_be_taken_back(at_the_bakery):
    order_id = a_confirmed_order()

    handing.hand_over(order_id, ALICIA, unpaid=True)
    assert next_step(order_of(order_id)) is NextStep.COLLECT
    handing.note_cash(order_id, ALICIA)
    handing.note_cash(order_id, ALICIA)  # a second tap
    assert state_of(order_id) == ("paid", TOTAL)
    handing.unnote_cash(order_id, ALICIA)

    assert state_of(order_id) == ("partly_paid", DEPOSIT)
    assert order_of(order_id).state is OrderState.CONFIRMED
    assert faults() == []


def test_a_courier_collects_the_rest_until_it_comes_in_another_way(at_the_bakery):
    order_id = a_confirmed_order(delivered=True)
    orders.mark_ready(order_id, ALICIA)
    jobs.drain()
    assert db.session.scalar(select(Shipment.cod_due_minor)) == REST
    forget()

    record_transfer(order_id, ALICIA)
    jobs.drain()

    assert db.session.scalar(select(Shipment.cod_due_minor)) == 0
    forget()
    assert faults() == []


def test_cash_is_not_noted_for_a_deposit_that_is_to_come_by_card(at_the_bakery):
    order_id = a_deposit_order("card").id
    forget()

    with pytest.raises(actions.NotCash):
        actions.record_cash(order_id, ALICIA)

    forget()
    assert state_of(order_id)[1] == 0


# --- from afar --------------------------------------------------------------------------------------------------------


def test_the_rest_is_paid_by_card_and_cash_closes_the_page(bakery, stand_in):
    with acting_for(connect(bakery, stand_in)):
        order_id = a_confirmed_order()
        assert links.pay_by(order_id, "card", DORA)
        tried = db.session.scalars(select(PaymentAttempt).where(PaymentAttempt.method == "card")).one()
        assert (tried.amount_minor, tried.state) == (REST, AttemptState.PENDING)
        page = tried.provider_ref
        forget()

        actions.record_cash(order_id, ALICIA)
        jobs.drain()

        assert stand_in.state.objects[page]["status"] == "expired"
        assert state_of(order_id) == ("paid", TOTAL)
        assert faults() == []


def test_a_card_and_cash_for_one_rest_keep_one_and_send_the_other_back(bakery, stand_in):
    with acting_for(connect(bakery, stand_in)):
        order_id = a_confirmed_order()
        links.pay_by(order_id, "card", DORA)
        tried = db.session.scalars(select(PaymentAttempt).where(PaymentAttempt.method == "card")).one()
        stand_in.pay(tried.provider_ref)
        forget()

        actions.record_cash(order_id, ALICIA)
        jobs.drain()

        assert state_of(order_id) == ("paid", TOTAL)
        assert refunds_of(order_id) == [(REST, "duplicate", REST)]
        assert faults() == []


def test_a_rest_and_a_second_deposit_at_once_never_count_for_more_than_the_total(app, bakery):
    with acting_for(bakery):
        order_id = a_deposit_order().id
        forget()

    ends = all_at_once(app, bakery, lambda number: some_money(order_id, (DEPOSIT, REST, TOTAL)[number % 3] + number), 6)

    assert ends == {"done": 6}
    with acting_for(bakery):
        jobs.drain()
        assert state_of(order_id) == ("paid", TOTAL)
        came = db.session.scalar(
            select(func.sum(PaymentAttempt.amount_minor)).where(PaymentAttempt.state == "succeeded")
        )
        assert sum(amount for amount, _why, _of in refunds_of(order_id)) == came - TOTAL
        assert faults() == []


# --- asking for it ----------------------------------------------------------------------------------------------------


def test_the_rest_is_spoken_of_once_before_it_is_due_and_listed_until_it_comes(at_the_bakery):
    at = clock.now()
    order_id = a_confirmed_order(rest_due_at=at + timedelta(days=10), in_advance=True)
    payment_jobs.remind_of_rests.run()
    assert rests_to_collect() == []

    with clock.pretending(at + timedelta(days=9)):
        payment_jobs.remind_of_rests.run()
        payment_jobs.remind_of_rests.run()
        assert [(row.id, row.rest_is_late) for row in rests_to_collect()] == [(order_id, False)]
    with clock.pretending(at + timedelta(days=11)):
        payment_jobs.remind_of_rests.run()
        assert [(row.id, row.rest_is_late) for row in rests_to_collect()] == [(order_id, True)]

    letters = db.session.scalars(select(MailMessage.body_text).where(MailMessage.once.startswith("rest-due"))).all()
    assert len(letters) == 1
    assert "El resto, $70.00, lo pagas antes del" in letters[0]
    assert f"/pagar/{order_of(order_id).token}" in letters[0]
    record_transfer(order_id, ALICIA)
    with clock.pretending(at + timedelta(days=11)):
        assert rests_to_collect() == []


def test_a_letter_is_not_written_to_who_has_paid_or_has_only_just_ordered(at_the_bakery):
    at = clock.now()
    a_confirmed_order(rest_due_at=at + timedelta(days=1), in_advance=True)
    paid = a_confirmed_order(rest_due_at=at + timedelta(days=3))
    record_transfer(paid, ALICIA)

    payment_jobs.remind_of_rests.run()
    with clock.pretending(at + timedelta(days=2)):
        payment_jobs.remind_of_rests.run()

    assert db.session.scalar(select(func.count()).where(MailMessage.once.startswith("rest-due"))) == 0


def test_the_desk_shows_the_rest_and_asks_before_it_is_left_open(app, bakery, cast, client_at):
    with acting_for(bakery):
        order_id = a_confirmed_order(rest_due_at=clock.now() - timedelta(hours=1), in_advance=True)
        code = order_of(order_id).code
    desk = Desk(app, client_at("app"), cast.staff["alicia"])
    assert "El resto ya venció" in desk.get("/hoy").text
    assert "Falta el resto 1" in desk.get("/pedidos?ver=owing").text
    page = desk.get(f"/pedidos/{code}").text
    assert "Falta el resto: $70.00" in page
    assert "Era para antes del" in page

    answer = desk.send(f"/pedidos/{code}/entrega")
    assert "Falta el resto de este pedido" in desk.get(answer.location).text
    with acting_for(bakery):
        assert order_of(order_id).fulfilment_state == "preparing"
    assert desk.send(f"/pedidos/{code}/entrega", {"unpaid": "1"}).status_code == 303
    with acting_for(bakery):
        assert order_of(order_id).fulfilment_state == "delivered"
        assert state_of(order_id)[0] == "partly_paid"


# --- another way ------------------------------------------------------------------------------------------------------


def test_an_order_that_turns_to_another_way_is_held_as_long_as_that_way_needs(bakery, stand_in):
    with acting_for(connect(bakery, stand_in)):
        order_id = a_deposit_order("card").id
        actions.start_card(actions.try_card_again(order_id, DORA))
        placed = clock.now()
        with clock.pretending(placed + timedelta(minutes=20)):
            assert links.pay_by(order_id, "bank_transfer", DORA) is None
            found = order_of(order_id)
            assert found.payment_method == "bank_transfer"
            assert found.expires_at >= placed + timedelta(minutes=19) + WINDOWS["bank_transfer"]
            held = found.expires_at
            links.pay_by(order_id, "card", DORA)
            assert order_of(order_id).expires_at == held  # never shorter than it was promised
        for day in range(1, 15):
            with clock.pretending(placed + timedelta(hours=23 * day)):
                orders.keep_longer(order_id, clock.now() + WINDOWS["bank_transfer"])
        assert order_of(order_id).expires_at <= placed + LONGEST_WAIT

        forget()
        page = db.session.scalars(select(PaymentAttempt.provider_ref).order_by(PaymentAttempt.id)).first()
        assert stand_in.state.objects[page]["status"] == "expired"
        assert db.session.scalars(select(PaymentAttempt.amount_minor).distinct()).all() == [DEPOSIT]


def test_late_money_of_the_old_way_counts(bakery, stand_in):
    with acting_for(connect(bakery, stand_in)):
        order_id = a_deposit_order().id
        forget()
        links.pay_by(order_id, "card", DORA)
        record_transfer(order_id, ALICIA)  # the shop saw it in its bank after all
        jobs.drain()

        assert order_of(order_id).state is OrderState.CONFIRMED
        assert state_of(order_id) == (str(PaymentState.PARTLY_PAID), DEPOSIT)
        found = db.session.scalars(
            select(PaymentAttempt.state).where(PaymentAttempt.order_id == order_id).order_by(PaymentAttempt.id)
        ).all()
        assert AttemptState.PENDING not in found
        assert faults() == []


def test_without_the_look_at_the_rest_goods_leave_unpaid(at_the_bakery, monkeypatch):
    """The twin that must fail."""
    order_id = a_confirmed_order()
    monkeypatch.setattr(handing, "owes_rest", lambda order: False)

    handing.hand_over(order_id, ALICIA)

    assert db.session.scalar(select(Order.fulfilment_state).where(Order.id == order_id)) == "delivered"
    assert state_of(order_id) == ("partly_paid", DEPOSIT)
