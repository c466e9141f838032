"""Holding goods: never more than there are, for as long as agreed, and ended exactly once."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.inventory import jobs
from storefront.inventory.actions import (
    OutOfStock,
    adjust_stock,
    consume_holds,
    extend_holds,
    hold_stock,
    release_expired,
    release_holds,
    renew_holds,
    return_goods,
)
from storefront.inventory.models import HoldState, MoveReason, Stock, StockHold, StockMove
from storefront.inventory.queries import available, invariants
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from tests.factories.catalogue import OWNER, a_product, a_variant


def stock_of(variant_id):
    row = db.session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == variant_id)).one()
    return row.on_hand, row.reserved


def holds_of(cause_id):
    return db.session.scalars(select(StockHold.state).where(StockHold.cause_id == cause_id)).all()


@pytest.fixture(autouse=True)
def _in_the_bakery(bakery, within):
    with within(bakery):
        yield
        assert invariants() == []


def test_a_hold_takes_what_can_be_promised_and_leaves_the_shelf_as_it_is():
    bread = a_product(stock=10)

    hold_stock({bread.variant_id: 3}, cause="order", cause_id=1, until=None)

    assert stock_of(bread.variant_id) == (10, 3)
    assert available([bread.variant_id]) == {bread.variant_id: 7}


@pytest.mark.fault("R18 vendure #1738")
def test_a_hold_is_checked_and_written_in_one_statement(statements):
    """vendure #1738: a check in one transaction and an allocation in another sold the same unit twice."""
    bread = a_product(stock=10)
    statements.clear()

    hold_stock({bread.variant_id: 3}, cause="order", cause_id=1, until=None)

    about_stock = [one for one in statements if "stock" in one]
    assert len(about_stock) == 1
    assert "on_hand - stock.reserved >=" in about_stock[0]
    assert "INSERT INTO stock_holds" in about_stock[0]


def test_more_than_there_is_cannot_be_held_and_the_refusal_says_of_what():
    bread, cake = a_product("Concha", stock=2), a_product("Pastel de tres leches", stock=9)

    with pytest.raises(OutOfStock) as refusal:
        hold_stock({cake.variant_id: 1, bread.variant_id: 3}, cause="order", cause_id=1, until=None)

    assert refusal.value.variant_ids == (bread.variant_id,)
    assert "Concha" in str(refusal.value)
    assert "Pastel" not in str(refusal.value)
    assert stock_of(cake.variant_id) == (9, 0)
    assert holds_of(1) == []


def test_every_product_there_is_too_little_of_is_named_at_once():
    one, two = a_product("Concha", stock=0), a_product("Oreja", stock=1)
    big = a_variant(two, "Grande", stock=0)

    with pytest.raises(OutOfStock) as refusal:
        hold_stock({one.variant_id: 1, two.variant_id: 2, big.id: 1}, cause="order", cause_id=1, until=None)

    assert set(refusal.value.variant_ids) == {one.variant_id, two.variant_id, big.id}
    assert "Oreja, Grande" in str(refusal.value)


def test_what_is_made_to_order_needs_no_hold():
    cake = a_product(stock=None)

    hold_stock({cake.variant_id: 500}, cause="order", cause_id=1, until=None)

    assert holds_of(1) == []
    assert available([cake.variant_id]) == {cake.variant_id: None}


def test_a_demand_of_nothing_is_a_programming_error_and_holds_nothing():
    bread = a_product(stock=5)

    with pytest.raises(ValueError, match="positive"):
        hold_stock({bread.variant_id: -2}, cause="order", cause_id=1, until=None)

    assert stock_of(bread.variant_id) == (5, 0)


def test_the_last_units_can_be_held_in_one_go_and_then_none_are_left():
    bread = a_product(stock=5)

    hold_stock({bread.variant_id: 2 + 3}, cause="order", cause_id=1, until=None)

    with pytest.raises(OutOfStock):
        hold_stock({bread.variant_id: 1}, cause="order", cause_id=2, until=None)
    assert stock_of(bread.variant_id) == (5, 5)


def test_a_hold_whose_time_is_over_gives_way_to_the_next_buyer_before_any_job_ran():
    bread = a_product(stock=2)
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))

    with time_machine.travel("2026-03-14T16:15:00Z", tick=False):
        assert available([bread.variant_id]) == {bread.variant_id: 2}
        hold_stock({bread.variant_id: 1}, cause="order", cause_id=2, until=None)

    assert holds_of(1) == [HoldState.RELEASED]
    assert holds_of(2) == [HoldState.ACTIVE]
    assert stock_of(bread.variant_id) == (2, 1)


def test_a_hold_that_still_has_a_minute_gives_way_to_nobody():
    bread = a_product(stock=2)
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))

    with time_machine.travel("2026-03-14T16:14:00Z", tick=False), pytest.raises(OutOfStock):
        hold_stock({bread.variant_id: 1}, cause="order", cause_id=2, until=None)

    assert holds_of(1) == [HoldState.ACTIVE]


def test_an_overdue_hold_that_nobody_took_can_still_be_extended_and_consumed():
    bread = a_product(stock=2)
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))

    with time_machine.travel("2026-03-14T18:00:00Z", tick=False):
        assert extend_holds("order", 1, None) == {bread.variant_id: 2}
        assert consume_holds("order", 1, SYSTEM) == {bread.variant_id: 2}

    assert stock_of(bread.variant_id) == (0, 0)


def test_goods_are_consumed_once_however_often_it_is_asked():
    bread = a_product(stock=5)
    hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=None)

    first, second = consume_holds("order", 1, SYSTEM), consume_holds("order", 1, SYSTEM)

    assert (first, second) == ({bread.variant_id: 2}, {})
    assert stock_of(bread.variant_id) == (3, 0)
    sold = select(func.count()).select_from(StockMove).where(StockMove.reason == MoveReason.SOLD)
    assert db.session.scalar(sold) == 1


def test_what_was_released_cannot_be_consumed_and_what_was_consumed_cannot_be_released():
    bread, cake = a_product(stock=5), a_product(stock=5)
    hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=None)
    hold_stock({cake.variant_id: 2}, cause="order", cause_id=2, until=None)

    release_holds("order", 1)
    consume_holds("order", 2, SYSTEM)

    assert consume_holds("order", 1, SYSTEM) == {}
    assert release_holds("order", 2) == {}
    assert stock_of(bread.variant_id) == (5, 0)
    assert stock_of(cake.variant_id) == (3, 0)


def test_holds_of_one_cause_say_nothing_about_another():
    bread = a_product(stock=5)
    hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=None)
    hold_stock({bread.variant_id: 1}, cause="exchange", cause_id=1, until=None)

    release_holds("order", 1)

    assert stock_of(bread.variant_id) == (5, 1)


def test_returned_goods_are_back_on_the_shelf_once():
    bread = a_product(stock=5)
    hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=None)
    consume_holds("order", 1, SYSTEM)

    assert return_goods("order", 1, OWNER) == {bread.variant_id: 2}
    assert return_goods("order", 1, OWNER) == {}
    assert stock_of(bread.variant_id) == (5, 0)


def test_late_money_keeps_what_is_still_held_and_takes_again_what_was_given_away():
    bread, cake = a_product(stock=5), a_product(stock=5)
    demand = {bread.variant_id: 2, cake.variant_id: 1}
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock(demand, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))
    with time_machine.travel("2026-03-14T17:00:00Z", tick=False):
        release_expired(cake.variant_id)
        renew_holds(demand, cause="order", cause_id=1, until=None)

    assert stock_of(bread.variant_id) == (5, 2)
    assert stock_of(cake.variant_id) == (5, 1)


def test_late_money_for_goods_that_are_gone_is_refused_and_changes_nothing():
    bread = a_product(stock=2)
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))
    with time_machine.travel("2026-03-14T17:00:00Z", tick=False):
        hold_stock({bread.variant_id: 1}, cause="order", cause_id=2, until=None)

        with pytest.raises(OutOfStock):
            renew_holds({bread.variant_id: 2}, cause="order", cause_id=1, until=None)

    assert stock_of(bread.variant_id) == (2, 1)


def test_the_tidying_job_releases_what_is_over_and_nothing_else():
    bread = a_product(stock=9)
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock({bread.variant_id: 1}, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))
        hold_stock({bread.variant_id: 2}, cause="order", cause_id=2, until=clock.now() + timedelta(hours=2))
        hold_stock({bread.variant_id: 3}, cause="order", cause_id=3, until=None)

    with time_machine.travel("2026-03-14T16:30:00Z", tick=False):
        jobs.release_expired.run()
        jobs.release_expired.run()

    assert stock_of(bread.variant_id) == (9, 5)
    assert [holds_of(n) for n in (1, 2, 3)] == [[HoldState.RELEASED], [HoldState.ACTIVE], [HoldState.ACTIVE]]


def test_a_count_below_what_is_promised_first_lets_overdue_holds_go():
    bread = a_product(stock=5)
    with time_machine.travel("2026-03-14T16:00:00Z", tick=False):
        hold_stock({bread.variant_id: 4}, cause="order", cause_id=1, until=clock.now() + timedelta(minutes=15))

    with time_machine.travel("2026-03-14T17:00:00Z", tick=False):
        adjust_stock(bread.variant_id, on_hand=1, reason="damaged", by=OWNER)

    assert stock_of(bread.variant_id) == (1, 0)
