"""Handing over in parts: what has left is used up, the rest stays held, and the last piece makes it delivered."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.delivery import handing
from storefront.inventory.models import Stock, StockMove
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import CannotCancel, NotConfirmed, cancel_order
from storefront.orders.models import HandedLine, HandedPart, OrderLine
from storefront.orders.parting import FewerToHand, NothingHanded, NotInParts, hand_over_part, lines_to_hand, parts_of
from storefront.orders.queries import order_by_id, todo_counts
from storefront.orders.steps import NextStep, next_step
from storefront.payments import refunding
from storefront.payments.refunding import WantedLine, Wish
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, HOME, an_order
from tests.orders.conftest import state_of, trace_of


def stock_of(product):
    row = db.session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == product.variant_id)).one()
    db.session.rollback()
    return tuple(row)


def faults():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    return found


def parts_written():
    found = [db.session.scalar(select(func.count()).select_from(table)) for table in (HandedPart, HandedLine)]
    found.append(db.session.scalar(select(func.sum(OrderLine.handed_quantity))))
    db.session.rollback()
    return found


@pytest.fixture
def bread(at_the_bakery):
    return a_product("Concha", stock=9)


def test_a_part_uses_up_what_is_in_it_and_the_rest_stays_held(bread):
    order = an_order(bread, 5, confirmed=True)

    hand_over_part(order.id, {1: 2}, ALICIA)

    assert state_of(order.id) == ("confirmed", "unpaid", "partly")
    assert stock_of(bread) == (7, 3)
    assert [(line.handed, line.left) for line in lines_to_hand(order.id)] == [(2, 3)]
    assert next_step(order_by_id(order.id)) is NextStep.HAND_OVER
    assert todo_counts()["to_hand_over"] == 1
    assert faults() == []


def test_the_last_piece_makes_it_delivered_and_paid_makes_it_done(bread):
    order = an_order(bread, 5, confirmed=True)
    handing.hand_over_part(order.id, {1: 2}, ALICIA, collected=True)
    assert state_of(order.id) == ("confirmed", "paid", "partly")

    handing.hand_over_part(order.id, {1: 3}, ALICIA)

    assert state_of(order.id) == ("completed", "paid", "delivered")
    assert stock_of(bread) == (4, 0)
    assert [part.lines for part in parts_of(order.id)] == [(("Pan", 2),), (("Pan", 3),)]
    moves = db.session.scalars(select(StockMove.delta).where(StockMove.reason == "sold").order_by(StockMove.id)).all()
    assert list(moves) == [-2, -3]
    assert faults() == []


def test_the_usual_button_hands_over_what_is_left_as_the_last_part(bread):
    order = an_order(bread, 5, confirmed=True)
    hand_over_part(order.id, {1: 4}, ALICIA)

    handing.hand_over(order.id, ALICIA, collected=True)
    handing.hand_over(order.id, ALICIA)

    assert state_of(order.id) == ("completed", "paid", "delivered")
    assert [part.lines for part in parts_of(order.id)] == [(("Pan", 4),), (("Pan", 1),)]


@pytest.mark.parametrize(
    ("units", "refusal"),
    [
        ({1: 6}, FewerToHand),
        ({1: -1}, FewerToHand),
        ({7: 1}, FewerToHand),
        ({1: 0}, NothingHanded),
        ({}, NothingHanded),
    ],
)
def test_a_part_that_cannot_be_is_refused_and_nothing_happens(bread, units, refusal):
    order = an_order(bread, 5, confirmed=True)
    before = (trace_of(order.id), parts_written(), stock_of(bread))

    with pytest.raises(refusal):
        hand_over_part(order.id, units, ALICIA)

    assert (trace_of(order.id), parts_written(), stock_of(bread)) == before


def test_what_is_not_confirmed_or_goes_by_courier_does_not_go_in_parts(bread):
    waiting, carried = an_order(bread, 2), an_order(bread, 2, pay="cash_on_delivery", address=HOME, confirmed=True)
    with pytest.raises(NotConfirmed):
        hand_over_part(waiting.id, {1: 1}, ALICIA)
    with pytest.raises(NotInParts):
        hand_over_part(carried.id, {1: 1}, ALICIA)
    assert parts_written() == [0, 0, 0]


def test_what_is_partly_out_is_not_cancelled_but_what_is_left_can_be_refunded(bread):
    order = an_order(bread, 5, confirmed=True)
    handing.hand_over_part(order.id, {1: 2}, ALICIA, collected=True)
    with pytest.raises(CannotCancel):
        cancel_order(order.id, "", ALICIA)

    refunding.refund_parts(order.id, Wish([WantedLine(1, 3, restock=True)], reason="missing"), ALICIA)

    assert stock_of(bread) == (7, 0)
    assert [line.left for line in lines_to_hand(order.id)] == [0]
    handing.hand_over(order.id, ALICIA)
    assert state_of(order.id)[2] == "delivered"
    assert stock_of(bread) == (7, 0)
    assert faults() == []


def test_two_clerks_never_hand_over_a_piece_twice(app, bakery, bread):
    order = an_order(bread, 5, confirmed=True)
    start = Barrier(4)

    def one(_):
        with app.app_context(), acting_for(bakery):
            start.wait(20)
            try:
                hand_over_part(order.id, {1: 2}, ALICIA)
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == ["FewerToHand"] * 2 + ["done"] * 2

    assert stock_of(bread) == (5, 1)
    assert parts_written() == [2, 2, 4]
    assert faults() == []


def test_the_desk_hands_over_a_part_and_the_customer_reads_what_is_in_it(client_at, bakery):
    desk = client_at("app", as_="alicia")
    with acting_for(bakery):
        order = an_order(a_product("Concha", stock=9), 5, confirmed=True)
    url = f"/pedidos/{order.code}/entrega/parte"
    assert url in desk.get(f"/pedidos/{order.code}").text
    token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get(url).text)[1]

    for typed in ("9", "dos"):
        answer = desk.post(url, data={"csrf_token": token, "quantity_1": typed})
        assert answer.status_code == 409
        assert f'value="{typed}"' in answer.text
    for _ in range(2):
        assert desk.post(url, data={"csrf_token": token, "key": "una", "quantity_1": "2"}).status_code == 303

    with acting_for(bakery):
        assert [part.lines for part in parts_of(order.id)] == [(("Pan", 2),)]
    assert "Entregado por partes" in desk.get(f"/pedidos/{order.code}").text
    page = client_at(bakery).get(f"/pedido/{order.token}").text
    assert "Lo que ya te entregamos" in page
    assert "2 × Pan" in page
