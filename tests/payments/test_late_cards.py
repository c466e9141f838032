"""Money that comes after an order lapsed whose gift card has its value again."""

from __future__ import annotations

from datetime import timedelta

import time_machine

from storefront.kernel import clock, jobs
from storefront.orders.actions import expire_order
from storefront.payments import gift_cards
from tests.factories.gift_cards import a_card
from tests.giftcards.conftest import faults, left_on, order_with, state_of


def test_late_money_takes_from_the_card_again_what_had_gone_back_to_it(till):
    card, one = late_with_a_card(till)
    one.pay()

    one.recover()

    assert state_of(one.order_id) == ("confirmed", "paid", one.total_minor)
    assert left_on(card) == 0
    assert faults() == []


def test_late_money_goes_back_when_the_card_was_spent_meanwhile(till):
    card, one = late_with_a_card(till)
    order_with(card, 2_000)
    one.pay()

    one.recover()

    state, payment, _received = state_of(one.order_id)
    assert (state, payment) == ("expired", "refunded")
    assert one.captured_minor() == 0
    assert left_on(card) == 0
    assert [fault for fault in faults() if fault.get("order") == one.order_id] == []


def late_with_a_card(till):
    """A card order of which a gift card had paid 20.00, lapsed while its payment page was open."""
    card = a_card(2_000)
    one = till()
    one.order_id = order_with(card, 2_000, pay="card", quantity=one.quantity)
    one.start()
    with time_machine.travel(clock.now() + timedelta(minutes=40), tick=False):
        assert expire_order(one.order_id)
        jobs.drain()
    assert left_on(card) == 2_000
    return card, one


def test_without_taking_again_the_order_is_not_kept_for_a_part_of_its_price(till, monkeypatch):
    monkeypatch.setattr(gift_cards, "take_again", lambda order: False)
    card, one = late_with_a_card(till)
    one.pay()

    one.recover()

    assert state_of(one.order_id)[:2] == ("expired", "refunded")
    assert left_on(card) == 2_000
