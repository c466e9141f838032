"""An order is cancelled, and some of what it held is broken: that does not go on sale again."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.delivery import handing
from storefront.inventory.models import Stock, StockMove
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import CannotCancel, cancel_order
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order
from tests.orders.conftest import state_of


def stock_of(product):
    row = db.session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == product.variant_id)).one()
    db.session.rollback()
    return tuple(row)


def faults():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    return found


def test_what_is_damaged_leaves_the_count_and_the_rest_is_on_sale_again(at_the_bakery):
    bread = a_product("Concha", stock=9)
    order = an_order(bread, 2, confirmed=True)

    handing.cancel(order.id, "", ALICIA, damaged=[1])
    handing.cancel(order.id, "", ALICIA, damaged=[1])

    assert state_of(order.id)[0] == "cancelled"
    assert stock_of(bread) == (7, 0)
    move = db.session.execute(select(StockMove.delta, StockMove.reason).order_by(StockMove.id.desc())).first()
    assert tuple(move) == (-2, "damaged")
    assert faults() == []


def test_without_a_word_all_of_it_is_on_sale_again(at_the_bakery):
    bread = a_product("Concha", stock=9)
    order = an_order(bread, 2)
    cancel_order(order.id, "", ALICIA, damaged=[7])
    assert stock_of(bread) == (9, 0)


def test_what_has_left_is_neither_cancelled_nor_written_off(at_the_bakery):
    bread = a_product("Concha", stock=9)
    order = an_order(bread, 2, confirmed=True)
    handing.hand_over(order.id, ALICIA)
    moves = db.session.scalar(select(func.count()).select_from(StockMove))
    with pytest.raises(CannotCancel):
        handing.cancel(order.id, "", ALICIA, damaged=[1])
    assert db.session.scalar(select(func.count()).select_from(StockMove)) == moves
    assert stock_of(bread) == (7, 0)


def test_the_desk_ticks_what_is_damaged_and_keeps_the_tick_when_a_reason_is_missing(client_at, bakery):
    desk = client_at("app", as_="alicia")
    with acting_for(bakery):
        bread = a_product("Concha", stock=9)
        order = an_order(bread, 2, confirmed=True)
    url = f"/pedidos/{order.code}/cancelacion"
    page = desk.get(url).text
    assert "¿Algo se dañó?" in page
    token = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]

    again = desk.post(url, data={"csrf_token": token, "damaged_1": "y"})
    assert again.status_code == 422
    assert re.search(r'<input[^>]*checked[^>]*name="damaged_1"', again.text)
    assert desk.post(url, data={"csrf_token": token, "damaged_1": "y", "why": "damaged"}).status_code == 303

    with acting_for(bakery):
        assert stock_of(bread) == (7, 0)
