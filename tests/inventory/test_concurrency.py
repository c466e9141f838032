"""Many buyers at once, on real threads and a real database; each guard is also seen to matter by taking it away."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import select, true
from sqlalchemy.exc import IntegrityError

from storefront.catalogue import actions
from storefront.inventory import movements
from storefront.inventory.actions import (
    OutOfStock,
    adjust_stock,
    consume_holds,
    hold_stock,
    receive_stock,
    release_expired,
    release_holds,
)
from storefront.inventory.models import Stock
from storefront.inventory.queries import invariants
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from tests.factories.catalogue import OWNER, a_product

BUYERS = 40


def all_at_once(app, shop, work: Callable[[int], object], count: int = BUYERS) -> Counter:
    """Run `work(0)` … `work(count - 1)` in as many threads, started together; count how each ended."""
    start = Barrier(count)

    def one(number: int) -> str:
        with app.app_context(), acting_for(shop):
            start.wait(timeout=20)
            try:
                work(number)
            except Exception as error:  # noqa: BLE001 (the kind of ending is what is counted)
                return type(error).__name__
            return "done"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def stock_of(variant_id):
    row = db.session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == variant_id)).one()
    db.session.rollback()
    return row.on_hand, row.reserved


def take_one(variant_id):
    return lambda number: hold_stock({variant_id: 1}, cause="order", cause_id=number + 1, until=None)


@pytest.mark.fault("R1 saleor #543")
def test_forty_buyers_of_ten_units_get_exactly_ten(app, bakery, within):
    """saleor #543: two checkouts at once allocated more than there was."""
    with within(bakery):
        bread = a_product(stock=10)

    ends = all_at_once(app, bakery, take_one(bread.variant_id))

    assert ends == {"done": 10, OutOfStock.__name__: 30}
    with within(bakery):
        assert stock_of(bread.variant_id) == (10, 10)
        assert invariants() == []


@pytest.mark.fault("R17 eventyay #1359")
def test_without_the_condition_the_database_itself_refuses_to_oversell(app, bakery, within, monkeypatch):
    """eventyay #1359: a lock was left out "for performance". Here the table's own check is the second net."""
    monkeypatch.setattr(movements, "enough", lambda _wanted: true())
    with within(bakery):
        bread = a_product(stock=10)

    ends = all_at_once(app, bakery, take_one(bread.variant_id))

    assert ends == {"done": 10, IntegrityError.__name__: 30}
    with within(bakery):
        assert stock_of(bread.variant_id) == (10, 10)


@pytest.mark.fault("R17 eventyay #1359")
def test_without_condition_and_check_forty_are_sold_of_ten_and_the_invariant_says_so(
    app, servers, bakery, within, monkeypatch
):
    """The twin that must fail: only these two guards stand between the buyers and an oversold shelf."""
    monkeypatch.setattr(movements, "enough", lambda _wanted: true())
    owner = servers.database.url(db.engine.url.database, "shop_owner").replace("+psycopg", "")
    with within(bakery):
        bread = a_product(stock=10)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("ALTER TABLE stock DROP CONSTRAINT ck_stock_never_oversold")

    ends = all_at_once(app, bakery, take_one(bread.variant_id))

    assert ends == {"done": 40}
    with within(bakery):
        assert stock_of(bread.variant_id) == (10, 40)
        assert [fault["invariant"] for fault in invariants()] == ["I1"]


def test_buyers_of_the_same_two_things_in_opposite_order_never_wait_in_a_circle(app, bakery, within):
    with within(bakery):
        bread, cake = a_product(stock=15), a_product(stock=15)

    def buy(number: int) -> None:
        both = [bread.variant_id, cake.variant_id]
        order = both if number % 2 else both[::-1]
        hold_stock(dict.fromkeys(order, 1), cause="order", cause_id=number + 1, until=None)

    ends = all_at_once(app, bakery, buy)

    assert ends == {"done": 15, OutOfStock.__name__: 25}
    with within(bakery):
        assert stock_of(bread.variant_id) == stock_of(cake.variant_id) == (15, 15)


@pytest.mark.fault("R3 oscar #2102")
def test_the_sum_of_holds_is_the_counter_after_many_holds_and_releases_at_once(app, bakery, within):
    """oscar #2102: the allocated number lost updates under load."""
    with within(bakery):
        bread = a_product(stock=1_000)

    def hold_and_sometimes_release(number: int) -> None:
        for turn in range(10):
            cause_id = number * 100 + turn + 1
            hold_stock({bread.variant_id: 2}, cause="order", cause_id=cause_id, until=None)
            if turn % 2:
                release_holds("order", cause_id)

    ends = all_at_once(app, bakery, hold_and_sometimes_release, 20)

    assert ends == {"done": 20}
    with within(bakery):
        assert stock_of(bread.variant_id) == (1_000, 20 * 5 * 2)
        assert invariants() == []


def test_of_release_and_consume_at_the_same_moment_exactly_one_wins(app, bakery, within):
    with within(bakery):
        bread = a_product(stock=40)
        for cause_id in range(1, 21):
            hold_stock({bread.variant_id: 2}, cause="order", cause_id=cause_id, until=None)
    released, consumed = [], []

    def end(number: int) -> None:
        cause_id = number // 2 + 1
        if number % 2:
            released.append(sum(release_holds("order", cause_id).values()))
        else:
            consumed.append(sum(consume_holds("order", cause_id, SYSTEM).values()))

    ends = all_at_once(app, bakery, end)

    assert ends == {"done": 40}
    assert sum(released) + sum(consumed) == 40
    with within(bakery):
        assert stock_of(bread.variant_id) == (40 - sum(consumed), 0)
        assert invariants() == []


def test_overdue_holds_are_given_out_again_once_however_many_want_them(app, bakery, within):
    with within(bakery):
        bread = a_product(stock=10)
        for cause_id in range(101, 111):
            past = clock.now() - timedelta(minutes=1)
            hold_stock({bread.variant_id: 1}, cause="order", cause_id=cause_id, until=past)

    def buy_or_tidy(number: int) -> None:
        if number % 4 == 0:
            release_expired()
        take_one(bread.variant_id)(number)

    ends = all_at_once(app, bakery, buy_or_tidy)

    assert ends == {"done": 10, OutOfStock.__name__: 30}
    with within(bakery):
        assert stock_of(bread.variant_id) == (10, 10)
        assert invariants() == []


def test_of_two_people_who_count_the_same_shelf_the_second_is_told_it_changed(app, bakery, within):
    with within(bakery):
        bread = a_product(stock=10)

    ends = all_at_once(
        app,
        bakery,
        lambda number: adjust_stock(bread.variant_id, on_hand=20 + number, reason="counted", by=OWNER, seen=10),
        8,
    )

    assert ends == {"done": 1, "CountChanged": 7}
    with within(bakery):
        assert invariants() == []


@pytest.mark.parametrize("counted", [True, False])
def test_deliveries_that_arrive_at_once_all_count(app, bakery, within, counted):
    with within(bakery):
        bread = a_product(stock=0 if counted else None)

    ends = all_at_once(app, bakery, lambda _number: receive_stock(bread.variant_id, 3, by=OWNER), 12)

    assert ends == {"done": 12}
    with within(bakery):
        assert stock_of(bread.variant_id) == (36, 0)
        assert invariants() == []


def test_of_two_products_named_alike_in_the_same_moment_none_ends_in_an_error_page(app, bakery, within):
    def create(_number: int) -> None:
        actions.create_product(actions.ProductTexts("Concha"), actions.Price(100), by=OWNER)

    ends = all_at_once(app, bakery, create, 8)

    assert set(ends) <= {"done", "Busy"}
    assert ends["done"] >= 1
