"""Many people with one card, on real threads and a real database; the guard is seen to matter."""

from __future__ import annotations

from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from storefront.giftcards import actions
from storefront.giftcards.actions import CardSpent
from storefront.giftcards.models import GiftCard, Movement
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order
from storefront.payments import gift_cards, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.actions import record_cash
from tests.factories.catalogue import a_product
from tests.factories.gift_cards import a_card
from tests.factories.orders import ALICIA, an_order
from tests.giftcards.conftest import faults, left_on, moved, order_with
from tests.reservations.test_concurrency import all_at_once, deadlocks, try_again

SPENT = CardSpent.__name__


def rush(app, servers, shop, *, tries, threads, times=7):
    """So many orders want 20.00 of a card that has it seven times and a half: seven get it, and it is never over."""
    with acting_for(shop):
        card = a_card(times * 2_000 + 1_000)
    before = deadlocks(servers)

    def order(number):
        return try_again(lambda: order_with(card, 2_000, stock=1, quantity=1))

    ends = all_at_once(app, shop, order, threads=threads, turns=tries // threads)

    assert ends == {"done": times, SPENT: tries - times}
    assert deadlocks(servers) == before
    with acting_for(shop):
        assert left_on(card) == 1_000
        assert moved(card) == [("issued", times * 2_000 + 1_000), *[("redeemed", -2_000)] * times]
        assert faults() == []


def redeem_alone(order_id, card_id, amount_minor, by):
    """A card used in a transaction of its own."""
    with transaction():
        gift_cards.redeem(order_id, card_id, amount_minor, by)


@pytest.mark.fault("R6 spree #11284")
def test_of_forty_tries_at_once_a_card_pays_exactly_what_is_on_it(app, servers, bakery):
    rush(app, servers, bakery, tries=40, threads=10)


@pytest.mark.soak
def test_of_a_thousand_tries_at_once_a_card_pays_exactly_what_is_on_it(app, servers, bakery):
    rush(app, servers, bakery, tries=1_000, threads=20)


def test_without_the_guarded_update_a_card_pays_more_than_is_on_it_and_the_invariants_say_so(
    app, bakery, within, monkeypatch
):
    with within(bakery):
        card = a_card(2_000)
    looked = Barrier(2)

    def looked_at_first(card_id, amount_minor, attempt_id, order_id, *_conditions):
        left = db.session.scalar(select(GiftCard.balance_minor).where(GiftCard.id == card_id))
        looked.wait(timeout=30)
        if left < amount_minor:
            raise CardSpent
        db.session.execute(
            update(GiftCard)
            .where(GiftCard.id == card_id)
            .values(balance_minor=left - amount_minor)
            .execution_options(synchronize_session=False)
        )
        actions._move(card_id, Movement.REDEEMED, -amount_minor, attempt_id, order_id)

    monkeypatch.setattr(gift_cards, "spend", looked_at_first)
    with within(bakery):
        waiting = [an_order(a_product(stock=9)).id for _two in range(2)]

    ends = all_at_once(app, bakery, lambda number: redeem_alone(waiting[number], card.id, 2_000, ALICIA), threads=2)

    assert ends == {"done": 2}
    with within(bakery):
        assert {fault["invariant"] for fault in faults()} == {"I16", "I17"}


def test_a_card_that_would_go_below_nothing_is_refused_by_its_own_row(app, bakery, within, monkeypatch):
    """The same without the condition, counted by the database: the check of the row is the second guard."""
    with within(bakery):
        card = a_card(2_000)

    def unconditional(card_id, amount_minor, attempt_id, order_id, *_conditions):
        db.session.execute(
            update(GiftCard)
            .where(GiftCard.id == card_id)
            .values(balance_minor=GiftCard.balance_minor - amount_minor)
            .execution_options(synchronize_session=False)
        )
        actions._move(card_id, Movement.REDEEMED, -amount_minor, attempt_id, order_id)

    monkeypatch.setattr(gift_cards, "spend", unconditional)

    ends = all_at_once(app, bakery, lambda number: order_with(card, 2_000, quantity=1), threads=4)

    assert ends == {"done": 1, IntegrityError.__name__: 3}
    with within(bakery):
        assert left_on(card) == 0
        assert faults() == []


def test_using_and_cancelling_at_once_keeps_the_card_true(app, servers, bakery):
    with acting_for(bakery):
        card = a_card(10_000)
    before = deadlocks(servers)

    def live(number):
        try:
            order_id = try_again(lambda: order_with(card, 1_000, quantity=1))
        except CardSpent:
            return
        if number % 2:
            record_cash(order_id, ALICIA)
        try_again(lambda: cancel_order(order_id, "", ALICIA))
        try_again(lambda: payment_jobs.settle_cancelled(order_id=order_id))
        try_again(lambda: payment_jobs.settle_cancelled(order_id=order_id))

    ends = all_at_once(app, bakery, live, threads=8, turns=4)

    assert ends == {"done": 32}
    assert deadlocks(servers) == before
    with acting_for(bakery):
        assert left_on(card) == 10_000
        assert [fault for fault in faults() if fault["invariant"] in {"I16", "I17", "I7"}] == []


def test_one_amount_sent_back_by_eight_people_at_once_comes_back_once(app, bakery, within):
    with within(bakery):
        card = a_card(5_000)
        order_id = order_with(card)

    ends = all_at_once(
        app, bakery, lambda number: try_again(lambda: refunding.refund_order(order_id, "asked", ALICIA, 5_000)), 8
    )

    assert ends["done"] == 1
    with within(bakery):
        assert left_on(card) == 5_000
