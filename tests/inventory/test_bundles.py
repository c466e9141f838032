"""Bundles: sold as long as there is enough of everything in them, and never of the same pieces twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from storefront.cart.actions import SoldOutForNow, add_goods
from storefront.cart.queries import Trouble, cart_view
from storefront.checkout.actions import place
from storefront.inventory.actions import CountedByItsParts, OutOfStock, adjust_stock, receive_stock
from storefront.inventory.bundles import BadUnits, BundleInBundle, TooManyParts, parts_of, put_in, take_out
from storefront.inventory.models import Stock
from storefront.inventory.queries import available, count_of, invariants
from storefront.kernel.db import db
from storefront.kernel.errors import Invalid
from storefront.kernel.ids import new_token
from storefront.orders import actions as orders
from storefront.orders.actions import cancel_order, confirm_order, hand_over
from storefront.orders.models import Order, OrderLine
from storefront.receipts.queries import goods_to_fetch
from tests.factories.catalogue import OWNER, a_product
from tests.factories.orders import ALICIA, DORA, details_for


def counts(*products):
    """(on hand, reserved) of each."""
    rows = {row.variant_id: (row.on_hand, row.reserved) for row in db.session.execute(
        select(Stock.variant_id, Stock.on_hand, Stock.reserved))}  # fmt: skip
    db.session.rollback()
    return [rows.get(product.variant_id) for product in products]


def a_breakfast(conchas=10, coffee=10, *, per=2):
    """Two conchas and a coffee in one bundle."""
    concha, cup = a_product("Concha", stock=conchas, price=1_200), a_product("Café", stock=coffee, price=3_000)
    bundle = a_product("Desayuno", price=4_500)
    put_in(bundle.variant_id, concha.variant_id, per, OWNER)
    put_in(bundle.variant_id, cup.variant_id, 1, OWNER)
    return bundle, concha, cup


def ordered(*wanted):
    """An order of (product, quantity) pairs, placed through the checkout; its id."""
    cart = None
    for product, quantity in wanted:
        cart = add_goods(cart.token if cart else None, product.variant_id, quantity)
    placed = place(cart.token, details_for(cart), new_token(), DORA)
    return db.session.scalar(select(Order.id).where(Order.token == placed.order_token))


@pytest.fixture(autouse=True)
def at_the_bakery(within, bakery):
    """Everything here happens in one shop."""
    with within(bakery):
        yield


def test_there_are_as_many_bundles_as_the_scarcest_thing_in_them_allows():
    bundle, concha, cup = a_breakfast(conchas=7, coffee=10)
    tea = a_product("Té")

    assert available([bundle.variant_id, concha.variant_id]) == {bundle.variant_id: 3, concha.variant_id: 7}
    put_in(bundle.variant_id, tea.variant_id, 1, OWNER)  # made to order: it limits nothing
    assert available([bundle.variant_id])[bundle.variant_id] == 3
    adjust_stock(cup.variant_id, on_hand=0, reason="counted", by=OWNER)
    assert available([bundle.variant_id])[bundle.variant_id] == 0
    with pytest.raises(SoldOutForNow):
        add_goods(None, bundle.variant_id, 1)


def test_an_order_holds_and_then_takes_what_is_in_the_bundle():
    bundle, concha, cup = a_breakfast()

    order_id = ordered((bundle, 3))
    assert counts(concha, cup, bundle) == [(10, 6), (10, 3), None]
    confirm_order(order_id, ALICIA)
    hand_over(order_id, ALICIA)

    assert counts(concha, cup) == [(4, 0), (7, 0)]
    assert invariants() == []


def test_a_cancelled_order_gives_everything_back():
    bundle, concha, cup = a_breakfast()

    cancel_order(ordered((bundle, 2)), "", ALICIA)

    assert counts(concha, cup) == [(10, 0), (10, 0)]


def test_two_lines_that_draw_on_the_same_pieces_are_summed_before_anything_is_held():
    """A known fault of others: each line is checked alone, and together they promise what is not there."""
    bundle, concha, cup = a_breakfast(conchas=5, coffee=5)
    cart = add_goods(None, bundle.variant_id, 2)
    cart = add_goods(cart.token, concha.variant_id, 2)

    view = cart_view(cart.token)
    assert [line.trouble for line in view.lines] == [None, Trouble.SHORT]
    assert view.lines[1].left == 1
    with pytest.raises(OutOfStock):
        place(cart.token, details_for(cart), new_token(), DORA)

    assert counts(concha, cup) == [(5, 0), (5, 0)]
    assert db.session.scalar(select(Order.id)) is None


def test_the_sum_is_what_refuses_even_if_the_cart_did_not_look(monkeypatch):
    bundle, concha, _cup = a_breakfast(conchas=5, coffee=5)
    monkeypatch.setattr("storefront.checkout.actions._refuse_troubled", lambda _view: None)
    cart = add_goods(None, bundle.variant_id, 2)
    cart = add_goods(cart.token, concha.variant_id, 2)

    with pytest.raises(OutOfStock):
        place(cart.token, details_for(cart), new_token(), DORA)
    assert counts(concha) == [(5, 0)]


def test_an_order_keeps_what_was_in_the_bundle_when_it_was_bought():
    bundle, concha, cup = a_breakfast()
    tea = a_product("Té", stock=9)
    order_id = ordered((bundle, 2))

    put_in(bundle.variant_id, concha.variant_id, 5, OWNER)
    take_out(bundle.variant_id, cup.variant_id, OWNER)
    put_in(bundle.variant_id, tea.variant_id, 1, OWNER)
    confirm_order(order_id, ALICIA)

    assert counts(concha, cup, tea) == [(10, 4), (10, 2), (9, 0)]
    code = db.session.scalar(select(Order.code))
    assert goods_to_fetch() == [
        ("Café", "", 2, (code,)),
        ("Concha", "", 4, (code,)),
    ]


def test_units_of_a_bundle_that_come_back_are_pieces_on_the_shelf_again():
    bundle, concha, cup = a_breakfast()
    order_id = ordered((bundle, 3))
    confirm_order(order_id, ALICIA)
    hand_over(order_id, ALICIA)
    line_id = db.session.scalar(select(OrderLine.id))

    with orders.transaction():
        orders.take_units_back(order_id, [orders.UnitsBack(line_id, 2, 9_000, restock=True)], ALICIA)

    assert counts(concha, cup) == [(8, 0), (9, 0)]
    assert invariants() == []


def test_a_bundle_is_not_counted_and_a_count_it_had_ends():
    concha, bundle = a_product("Concha", stock=8), a_product("Docena", stock=5)

    put_in(bundle.variant_id, concha.variant_id, 12, OWNER)

    assert counts(bundle) == [None]
    for count in (
        lambda: adjust_stock(bundle.variant_id, on_hand=4, reason="counted", by=OWNER),
        lambda: receive_stock(bundle.variant_id, 4, by=OWNER),
    ):
        with pytest.raises(CountedByItsParts):
            count()
    assert counts(bundle) == [None]


@pytest.mark.parametrize("units", [0, -1, 100])
def test_only_a_sensible_number_of_pieces_goes_in(units):
    concha, bundle = a_product("Concha", stock=8), a_product("Docena")

    with pytest.raises(BadUnits):
        put_in(bundle.variant_id, concha.variant_id, units, OWNER)
    assert parts_of([bundle.variant_id]) == {}


def test_a_bundle_is_never_in_another_nor_in_itself():
    bundle, concha, _cup = a_breakfast()
    box, flour = a_product("Caja"), a_product("Harina", stock=3)

    for outer, inner in ((box, bundle), (concha, flour), (box, box)):
        with pytest.raises(BundleInBundle):
            put_in(outer.variant_id, inner.variant_id, 1, OWNER)
    assert set(parts_of([bundle.variant_id, concha.variant_id, box.variant_id])) == {bundle.variant_id}


def test_a_bundle_has_a_bottom():
    bundle = a_product("Canasta")
    for _ in range(12):
        put_in(bundle.variant_id, a_product().variant_id, 1, OWNER)

    with pytest.raises(TooManyParts):
        put_in(bundle.variant_id, a_product().variant_id, 1, OWNER)
    assert len(parts_of([bundle.variant_id])[bundle.variant_id]) == 12


# --- pages --------------------------------------------------------------------------------------------------------


def test_the_owner_puts_a_bundle_together_and_sees_how_many_there_are(alicia):
    concha, cup, bundle = a_product("Concha", stock=7), a_product("Café", stock=9), a_product("Desayuno", price=4_500)
    here = f"/paquetes/{bundle.variant_code}"

    assert "Todavía no es un paquete" in alicia.get(here).text
    for part, units in ((concha, "2"), (cup, "1")):
        assert alicia.send(here, {"variant": part.variant_code, "units": units}).status_code == 303
    page = alicia.get(here).text

    assert "Ahora se pueden armar" in page
    assert ">3<" in page
    assert "Paquete: alcanza para 3" in alicia.get("/existencias").text
    assert "Lo que lleva el paquete" in alicia.get(f"/productos/{bundle.code}").text
    assert alicia.get(f"/existencias/{bundle.variant_code}").headers["Location"].endswith(here)
    assert alicia.send(here, {"variant": concha.variant_code, "do": "remove"}).status_code == 303
    assert [part.name for part in parts_of([bundle.variant_id])[bundle.variant_id]] == ["Café"]


@pytest.mark.parametrize("units", ["", "dos", "-1", "1.5", "100", "99999"])
def test_a_number_that_cannot_be_has_its_sentence_and_changes_nothing(alicia, units):
    bundle, concha, _cup = a_breakfast()

    answer = alicia.send(f"/paquetes/{bundle.variant_code}", {"variant": concha.variant_code, "units": units})

    assert answer.status_code == 422
    assert "de 1 a 99" in answer.text
    assert parts_of([bundle.variant_id])[bundle.variant_id][0].units == 2


def test_customers_read_what_is_in_it_in_their_language_and_it_is_sold_at_the_counter(alicia, client_at, bakery):
    bundle, concha, _cup = a_breakfast(conchas=5)

    dora = client_at(bakery)
    page = dora.get(f"/p/{bundle.slug}").text
    assert "Incluye:" in page
    assert "<li>2 × Concha</li>" in page
    assert "Incluye:" not in dora.get(f"/p/{concha.slug}").text
    alicia.send("/venta/productos", {"variant": bundle.variant_code})
    assert "Desayuno" in alicia.get("/venta").text
    assert count_of(bundle.variant_code).available == 2
    with pytest.raises(Invalid):
        put_in(bundle.variant_id, concha.variant_id, 0, OWNER)
