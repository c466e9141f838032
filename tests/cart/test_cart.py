"""Filling, reading and emptying a cart."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storefront.cart.actions import (
    BadQuantity,
    CartFull,
    LineNotFound,
    NotForSale,
    SoldOutForNow,
    add_goods,
    add_goods_by_code,
    drop_troubled,
    remove_line,
    restore_line,
    set_quantity,
    tidy_carts,
)
from storefront.cart.models import Cart, CartLine
from storefront.cart.queries import Trouble, cart_view
from storefront.catalogue import actions as catalogue
from storefront.catalogue.models import ProductKind
from storefront.inventory.actions import adjust_stock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from tests.factories.catalogue import OWNER, a_product
from tests.factories.orders import DORA
from tests.orders.conftest import set_price

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def lines_of(token):
    view = cart_view(token)
    return [(line.product_name, line.quantity, line.trouble) for line in view.lines]


def test_goods_of_the_same_kind_come_together_on_one_line():
    bread = a_product("Concha", price=1_500)
    cart = add_goods(None, bread.variant_id, 2)

    again = add_goods(cart.token, bread.variant_id, 3)

    assert again.id == cart.id
    assert again.count == 5
    assert lines_of(cart.token) == [("Concha", 5, None)]
    assert cart_view(cart.token).totals.total_minor == 7_500


def test_two_taps_never_pass_the_largest_quantity():
    bread = a_product()
    cart = add_goods(None, bread.variant_id, 98)

    assert add_goods(cart.token, bread.variant_id, 98).count == 99


@pytest.mark.parametrize("quantity", [0, -1, 100])
def test_a_quantity_nobody_can_order_is_refused(quantity):
    bread = a_product()

    with pytest.raises(BadQuantity):
        add_goods(None, bread.variant_id, quantity)

    assert db.session.scalars(select(Cart)).all() == []


def test_what_is_not_for_sale_is_refused():
    draft, gone = a_product(published=False), a_product()
    catalogue.archive(gone.id, by=OWNER)
    service = a_product(kind=ProductKind.SERVICE)

    for product in (draft, gone, service):
        with pytest.raises(NotForSale):
            add_goods_by_code(None, product.variant_code, 1)

    assert db.session.scalars(select(CartLine)).all() == []


def test_what_is_sold_out_is_said_so_before_it_is_in_the_cart():
    with pytest.raises(SoldOutForNow):
        add_goods(None, a_product(stock=0).variant_id, 1)


def test_an_unknown_token_gets_a_cart_of_its_own():
    cart = add_goods("somebody-elses", a_product().variant_id, 1)

    assert cart.token != "somebody-elses"
    assert cart_view("somebody-elses").lines == ()


def test_a_cart_has_a_bottom():
    cart = add_goods(None, a_product().variant_id, 1)
    for _ in range(49):
        cart = add_goods(cart.token, a_product().variant_id, 1)

    with pytest.raises(CartFull):
        add_goods(cart.token, a_product().variant_id, 1)

    assert cart_view(cart.token).item_count == 50


def test_prices_are_todays_and_a_change_is_explained():
    bread = a_product("Concha", price=1_500)
    cart = add_goods(None, bread.variant_id, 1)

    set_price(bread, 1_800)
    line = cart_view(cart.token).lines[0]

    assert (line.unit.minor, line.was.minor) == (1_800, 1_500)
    assert cart_view(cart.token).totals.total_minor == 1_800


def test_choosing_a_quantity_counts_as_having_seen_the_price():
    bread = a_product(price=1_500)
    cart = add_goods(None, bread.variant_id, 1)
    set_price(bread, 1_800)

    set_quantity(cart.token, cart_view(cart.token).lines[0].code, 3)

    assert cart_view(cart.token).lines[0].was is None


def test_a_line_that_cannot_be_ordered_says_why_and_costs_nothing():
    gone, short, out = a_product("Gone"), a_product("Short", stock=5), a_product("Out", stock=5)
    cart = add_goods(None, gone.variant_id, 1)
    add_goods(cart.token, short.variant_id, 5)
    add_goods(cart.token, out.variant_id, 5)
    catalogue.archive(gone.id, by=OWNER)
    adjust_stock(short.variant_id, on_hand=2, reason="counted", by=OWNER)
    adjust_stock(out.variant_id, on_hand=0, reason="counted", by=OWNER)

    view = cart_view(cart.token)

    assert lines_of(cart.token) == [
        ("Gone", 1, Trouble.GONE),
        ("Short", 5, Trouble.SHORT),
        ("Out", 5, Trouble.SOLD_OUT),
    ]
    assert view.lines[1].left == 2
    assert view.totals.total_minor == 0
    assert not view.is_ready


def test_what_cannot_be_ordered_goes_in_one_tap():
    bread, gone = a_product("Concha"), a_product("Gone")
    cart = add_goods(None, bread.variant_id, 1)
    add_goods(cart.token, gone.variant_id, 1)
    catalogue.archive(gone.id, by=OWNER)

    drop_troubled(cart.token, [line.code for line in cart_view(cart.token).lines if line.trouble])

    assert lines_of(cart.token) == [("Concha", 1, None)]


def test_removing_can_be_undone():
    bread = a_product("Concha")
    cart = add_goods(None, bread.variant_id, 2)

    removed = remove_line(cart.token, cart_view(cart.token).lines[0].code, DORA)
    assert (removed.name, removed.cart.count, lines_of(cart.token)) == ("Concha", 0, [])

    assert restore_line(cart.token, removed.code).count == 2
    assert lines_of(cart.token) == [("Concha", 2, None)]


def test_an_undone_removal_joins_what_was_added_in_between():
    bread = a_product("Concha")
    cart = add_goods(None, bread.variant_id, 2)
    removed = remove_line(cart.token, cart_view(cart.token).lines[0].code, DORA)
    add_goods(cart.token, bread.variant_id, 1)

    restore_line(cart.token, removed.code)

    assert lines_of(cart.token) == [("Concha", 3, None)]


def test_a_line_of_another_cart_does_not_exist():
    mine = add_goods(None, a_product().variant_id, 1)
    yours = add_goods(None, a_product().variant_id, 2)
    code = cart_view(yours.token).lines[0].code

    for attempt in (
        lambda: set_quantity(mine.token, code, 9),
        lambda: remove_line(mine.token, code, DORA),
        lambda: restore_line(mine.token, code),
        lambda: set_quantity(None, code, 9),
    ):
        with pytest.raises(LineNotFound):
            attempt()

    drop_troubled(mine.token, [code])
    assert cart_view(yours.token).lines[0].quantity == 2


def test_a_cart_of_another_shop_does_not_exist(bakery, crafts):
    cart = add_goods(None, a_product().variant_id, 1)

    with acting_for(crafts):
        assert cart_view(cart.token).lines == ()


def test_carts_that_nobody_came_back_to_are_forgotten():
    kept, lost = add_goods(None, a_product().variant_id, 1), add_goods(None, a_product().variant_id, 1)
    with transaction():
        db.session.execute(
            update(Cart).where(Cart.id == lost.id).values(updated_at=Cart.updated_at - timedelta(days=61))
        )

    assert tidy_carts() == 1

    assert cart_view(lost.token).lines == ()
    assert cart_view(kept.token).item_count == 1


def test_reading_a_cart_of_many_lines_takes_five_statements_at_most(statements):
    cart = add_goods(None, a_product(stock=9).variant_id, 1)
    for _ in range(6):
        add_goods(cart.token, a_product(stock=9).variant_id, 1)
    db.session.rollback()
    statements.clear()

    cart_view(cart.token)

    assert len([s for s in statements if "set_scope" not in s]) <= 5, statements


def test_adding_takes_four_statements_at_most(statements):
    bread = a_product(stock=9)
    cart = add_goods(None, bread.variant_id, 1)
    db.session.rollback()
    statements.clear()

    add_goods(cart.token, bread.variant_id, 1)

    assert len([s for s in statements if "set_scope" not in s]) <= 4, statements
