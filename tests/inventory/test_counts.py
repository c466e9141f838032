"""Counting: what a person says is on the shelf, with a line for each change, and never below what is promised."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from storefront.catalogue.models import ProductKind
from storefront.inventory.actions import (
    BadCount,
    CountChanged,
    NotCounted,
    StillHeld,
    adjust_stock,
    consume_holds,
    hold_stock,
    open_default_location,
    receive_stock,
    return_goods,
    stop_counting,
)
from storefront.inventory.models import Location, MoveReason, Stock, StockMove
from storefront.inventory.queries import available, count_of, counts, history, invariants
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import NotFound
from tests.factories.catalogue import OWNER, a_product, a_variant


@pytest.fixture(autouse=True)
def _in_the_bakery(bakery, within):
    with within(bakery):
        yield
        db.session.rollback()
        assert invariants() == []


def test_every_change_of_a_count_leaves_a_line_with_who_and_why():
    bread = a_product(stock=10)

    adjust_stock(bread.variant_id, on_hand=7, reason="damaged", by=OWNER)
    receive_stock(bread.variant_id, 5, by=OWNER, text="Del horno de la tarde")

    lines = [(m.delta, m.on_hand_after, m.reason, m.note, m.who) for m in history(bread.variant_id)]
    assert lines == [
        (5, 12, MoveReason.RECEIVED, "Del horno de la tarde", "Alicia"),
        (-3, 7, MoveReason.DAMAGED, "", "Alicia"),
        (10, 10, MoveReason.RECEIVED, "", "Alicia"),
    ]


def test_a_reason_in_ones_own_words_is_kept():
    bread = a_product(stock=10)

    adjust_stock(bread.variant_id, on_hand=9, reason="Se la comió el perro", by=OWNER)

    latest = history(bread.variant_id)[0]
    assert (latest.reason, latest.note) == (MoveReason.COUNTED, "Se la comió el perro")


def test_a_count_that_did_not_change_leaves_no_line():
    bread = a_product(stock=10)

    assert adjust_stock(bread.variant_id, on_hand=10, reason="counted", by=OWNER) == 0

    assert len(history(bread.variant_id)) == 1


def test_a_count_cannot_fall_below_what_is_promised():
    bread = a_product(stock=10)
    hold_stock({bread.variant_id: 4}, cause="order", cause_id=1, until=None)

    with pytest.raises(StillHeld) as refusal:
        adjust_stock(bread.variant_id, on_hand=3, reason="counted", by=OWNER)

    assert refusal.value.reserved == 4
    assert count_of(bread.variant_code).on_hand == 10
    assert len(history(bread.variant_id)) == 1


@pytest.mark.parametrize("count", [-1, 1_000_001])
def test_a_count_no_shelf_can_have_is_refused(count):
    bread = a_product(stock=10)

    with pytest.raises(BadCount):
        adjust_stock(bread.variant_id, on_hand=count, reason="counted", by=OWNER)

    assert count_of(bread.variant_code).on_hand == 10


def test_who_counted_something_else_meanwhile_is_told():
    bread = a_product(stock=10)
    receive_stock(bread.variant_id, 2, by=OWNER)

    with pytest.raises(CountChanged) as refusal:
        adjust_stock(bread.variant_id, on_hand=9, reason="counted", by=OWNER, seen=10)

    assert refusal.value.on_hand == 12
    assert count_of(bread.variant_code).on_hand == 12


def test_what_is_no_longer_counted_never_runs_out_and_the_books_still_agree():
    bread = a_product(stock=10)

    stop_counting(bread.variant_id, by=OWNER)

    assert available([bread.variant_id]) == {bread.variant_id: None}
    hold_stock({bread.variant_id: 99}, cause="order", cause_id=1, until=None)
    receive_stock(bread.variant_id, 3, by=OWNER)
    assert available([bread.variant_id]) == {bread.variant_id: 3}


def test_counting_does_not_stop_while_customers_hold_some():
    bread = a_product(stock=10)
    hold_stock({bread.variant_id: 1}, cause="order", cause_id=1, until=None)

    with pytest.raises(StillHeld):
        stop_counting(bread.variant_id, by=OWNER)

    assert available([bread.variant_id]) == {bread.variant_id: 9}


def test_goods_that_come_back_after_counting_stopped_stay_uncounted():
    bread = a_product(stock=10)
    hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=None)
    consume_holds("order", 1, SYSTEM)
    stop_counting(bread.variant_id, by=OWNER)

    return_goods("order", 1, OWNER)

    assert available([bread.variant_id]) == {bread.variant_id: None}


def test_services_have_no_count():
    cut = a_product("Corte de pelo", kind=ProductKind.SERVICE)

    with pytest.raises(NotCounted):
        adjust_stock(cut.variant_id, on_hand=3, reason="counted", by=OWNER)

    assert available([cut.variant_id]) == {cut.variant_id: None}


def test_another_shops_variant_is_as_unknown_as_a_missing_one(crafts, within):
    bread = a_product(stock=10)
    db.session.rollback()
    with within(crafts):
        with pytest.raises(NotFound):
            adjust_stock(bread.variant_id, on_hand=3, reason="counted", by=OWNER)
        with pytest.raises(NotFound):
            count_of(bread.variant_code)
        hold_stock({bread.variant_id: 3}, cause="order", cause_id=1, until=None)
        assert db.session.scalars(select(Stock.variant_id)).all() == []

    assert available([bread.variant_id]) == {bread.variant_id: 10}


def test_a_shop_has_one_default_place_however_often_it_is_asked_for():
    first, second = open_default_location(), open_default_location()

    assert first == second
    assert len(db.session.scalars(select(Location.id)).all()) == 1


def test_moves_cannot_be_changed_or_removed_even_by_the_application():
    bread = a_product(stock=10)
    move = db.session.scalars(select(StockMove).where(StockMove.variant_id == bread.variant_id)).one()

    move.delta = 99
    with pytest.raises(DBAPIError, match="permission denied"), transaction():
        db.session.flush()


def test_the_stock_screen_lists_goods_by_name_and_finds_them_without_accents():
    jam, bread = a_product("Piñón tostado", stock=2), a_product("Bolillo", stock=50)
    a_variant(bread, "Grande", stock=None)
    a_product("Corte", kind=ProductKind.SERVICE)

    everything = [(row.product_name, row.variant_name, row.on_hand) for row in counts("", 1).items]
    assert everything == [("Bolillo", "", 50), ("Bolillo", "Grande", None), ("Piñón tostado", "", 2)]
    assert [row.code for row in counts("pinon", 1).items] == [jam.variant_code]
    assert [row.code for row in counts("", 1, low_only=True).items] == [jam.variant_code]
    assert counts("100%_", 1).items == ()
