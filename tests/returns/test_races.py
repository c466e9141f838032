"""Several people and one return, on real threads and a real database; the guards are seen to matter."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from storefront.orders.models import Order
from storefront.payments import refunding
from storefront.payments.refunding import WantedLine
from storefront.returns import deciding, settling
from storefront.returns.asking import Wanted, ask
from storefront.returns.deciding import Came
from storefront.returns.models import OrderReturn, Settlement, Wish
from storefront.returns.settling import Decision, settle
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.returns.conftest import faults, forget, fresh, line_of, patient, refunds_of, sold, stock_of

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def approved(order, units=2):
    found = ask(order.id, Wanted({1: units}, "size"), DORA).id
    deciding.approve(found, ALICIA)
    forget()
    return found


def test_of_two_requests_at_once_one_is_written_down(together):
    order = sold()

    def bring():
        deciding.take_in(order.id, Wanted({1: 2}, "size"), {1: Came(2)}, ALICIA)

    assert together(patient(bring), patient(bring)) == ["AlreadyAsked", "done"]
    assert fresh(select(OrderReturn.id).order_by(OrderReturn.id.desc())) == 1


def test_two_clerks_receive_the_same_goods_and_one_of_them_is_told(together):
    order = sold()
    found = approved(order)

    ends = together(
        patient(lambda: deciding.receive(found, {1: Came(2)}, ALICIA)),
        patient(lambda: deciding.receive(found, {1: Came(0, 2)}, ALICIA)),
    )

    assert ends == ["ReturnMoved", "done"]
    assert faults() == []


def test_two_clerks_pay_for_the_same_goods_and_the_money_goes_back_once(together):
    order = sold()
    found = approved(order)
    deciding.receive(found, {1: Came(2)}, ALICIA)
    forget()

    assert together(*[patient(lambda: settle(found, Decision({}), ALICIA))] * 3) == [
        "ReturnMoved",
        "ReturnMoved",
        "done",
    ]

    assert refunds_of(order) == [(5_000, "returned", "external")]
    assert line_of(order) == (2, 5_000, 2)
    assert stock_of(order.first) == (8, 0)
    assert faults() == []


def test_a_return_and_a_refund_by_hand_at_once_pay_each_unit_once_and_put_each_on_sale_once(together):
    for _round in range(3):
        order = sold()
        found = approved(order)
        deciding.receive(found, {1: Came(2)}, ALICIA)
        forget()
        by_hand = refunding.Wish([WantedLine(1, 2, restock=True)], reason="returned")

        ends = together(
            patient(lambda found=found: settle(found, Decision({}), ALICIA)),
            patient(lambda order=order, by_hand=by_hand: refunding.refund_parts(order.id, by_hand, ALICIA)),
        )

        # Whoever comes first pays; by hand, three units are not four.
        assert ends in (["FewerLeft", "done"], ["done", "done"])
        assert sum(amount for amount, _reason, _state in refunds_of(order)) == 5_000
        assert line_of(order) == (2, 5_000, 2)
        assert stock_of(order.first) == (8, 0)
        assert faults() == []


def test_without_what_the_lines_remember_units_refunded_by_hand_would_be_paid_twice(monkeypatch):
    order = sold()
    found = approved(order, 1)
    deciding.receive(found, {1: Came(1)}, ALICIA)
    forget()
    refunding.refund_parts(
        order.id, refunding.Wish([WantedLine(1, 1, restock=True)], reason="returned"), ALICIA
    )  # fmt: skip
    forget()
    real = settling.lines_of

    def forgetful(ids):
        from dataclasses import replace

        return {
            id: tuple(replace(line, refunded_before=1, restocked_before=1) for line in lines)
            for id, lines in real(ids).items()
        }

    monkeypatch.setattr(settling, "lines_of", forgetful)
    settle(found, Decision({}), ALICIA)

    assert line_of(order) == (2, 5_000, 2), "paid and put on sale twice"


def test_the_last_piece_of_an_exchange_is_its_own_whoever_buys_meanwhile(app, together):
    order = sold()
    last = a_product("Chaleco", price=5_000, stock=1)
    wanted = Wanted({1: 2}, "size", "", Wish.EXCHANGE, {last.variant_code: 1})
    found = ask(order.id, wanted, DORA).id
    forget()

    ends = together(
        patient(lambda: deciding.approve(found, ALICIA)), patient(lambda: an_order(last, 1, unit_minor=5_000))
    )

    assert ends == ["OutOfStock", "done"]
    if fresh(select(OrderReturn.state).where(OrderReturn.id == found)) != "approved":
        return
    deciding.receive(found, {1: Came(2)}, ALICIA)
    forget()
    decision = Decision({}, how=Settlement.EXCHANGE, shown=(5_000, 5_000), taken_along=True)

    # Between what the return lets go and what its order takes nobody gets.
    buyers = [patient(lambda: an_order(last, 1, unit_minor=5_000))] * 4
    ends = together(patient(lambda: settle(found, decision, ALICIA)), *buyers)

    assert ends == ["OutOfStock"] * 4 + ["done"]
    assert stock_of(last) == (0, 0)
    assert faults() == []


def test_an_exchange_settled_by_two_clerks_is_one_order(together):
    order = sold()
    other = a_product("Chaleco", price=5_000, stock=3)
    wanted = Wanted({1: 2}, "size", "", Wish.EXCHANGE, {other.variant_code: 1})
    found = deciding.take_in(order.id, wanted, {1: Came(2)}, ALICIA).id
    forget()
    decision = Decision({}, how=Settlement.EXCHANGE, shown=(5_000, 5_000))

    assert together(*[patient(lambda: settle(found, decision, ALICIA))] * 3) == ["ReturnMoved", "ReturnMoved", "done"]

    assert refunds_of(order) == [(5_000, "exchanged", "done")]
    assert fresh(select(func.count()).select_from(Order)) == 2
    assert stock_of(other) == (3, 1)
    assert faults() == []
