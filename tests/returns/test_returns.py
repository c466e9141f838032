"""What customers bring back: within which time, how much of it, who decides, what is paid and put on sale, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.media import NotAPicture
from storefront.orders.models import Order
from storefront.payments import ledger, refunding
from storefront.payments.ledger import Account
from storefront.payments.refunding import FewerLeft, WantedLine
from storefront.receipts.actions import Buyer, credit_refund, issue_receipt
from storefront.receipts.models import Receipt
from storefront.returns import deciding
from storefront.returns.asking import AlreadyAsked, FewerToReturn, NoReturns, NotDelivered, NothingChosen, Wanted, ask
from storefront.returns.deciding import Came, MoreThanAsked, NothingCame, SayWhy
from storefront.returns.models import RETURN_STATES, OrderReturn, OrderReturnLine, ReturnState
from storefront.returns.queries import return_by_id
from storefront.returns.settling import Decision, MoreThanPaid, due_lines, settle
from storefront.returns.steps import ReturnMoved
from storefront.returns.terms import terms_of
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, a_time, a_tour
from tests.factories.payments import a_photo
from tests.returns.conftest import (
    a_line,
    faults,
    forget,
    fresh,
    line_of,
    pay_back,
    refunds_of,
    sold,
    state_of,
    steps_of,
    stock_of,
    trace,
)

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def asked(order, units=2, reason="size"):
    """A return of the first line that waits for the shop; its id."""
    return ask(order.id, Wanted({1: units}, reason), DORA).id


def received(order, units=2, fine=None):
    """A return whose goods are back; its id."""
    found = asked(order, units)
    deciding.approve(found, ALICIA)
    good = units if fine is None else fine
    deciding.receive(found, {1: Came(good, units - good)}, ALICIA)
    forget()
    return found


# --- asking -------------------------------------------------------------------------------------------------------


def test_a_customer_asks_and_the_shop_agrees_receives_and_pays():
    order = sold()
    found = asked(order)
    deciding.approve(found, ALICIA, "Tráelo con su bolsa.")
    deciding.receive(found, {1: Came(fine=1, damaged=1)}, ALICIA)
    assert line_of(order) == (0, 0, 0)
    assert stock_of(order.first) == (6, 0)

    settle(found, Decision({}), ALICIA)

    assert state_of(found) == "settled"
    assert refunds_of(order) == [(5_000, "returned", "external")]
    assert line_of(order) == (2, 5_000, 1)
    assert stock_of(order.first) == (7, 0)
    assert [step for step, _kind in steps_of(found)] == ["requested", "approved", "received", "settled"]
    assert steps_of(found)[0][1] == "customer"
    pay_back(order)
    assert ledger.balance(Account.RECEIVABLE, order.id) == 0
    assert ledger.balance(Account.CASH, order.id) == 2_500
    assert faults() == []


def test_time_runs_from_the_hand_over_and_is_what_the_shop_said_when_it_was_ordered(bakery):
    order = sold()
    with transaction():
        db.session.execute(update(Order).where(Order.id == order.id).values(return_days=1, version=Order.version + 1))
    with clock_at(timedelta(hours=23)):
        assert terms_of(order.id).may_be_asked
    before = trace()
    with clock_at(timedelta(hours=25)), pytest.raises(NoReturns):
        asked(order)
    assert trace() == before


class clock_at:  # noqa: N801 (reads as a sentence)
    """As if so much time had gone by."""

    def __init__(self, later):
        self._later = later

    def __enter__(self):
        self._real, at = clock.now, clock.now() + self._later
        clock.now = lambda: at

    def __exit__(self, *_error):
        clock.now = self._real


def test_a_shop_that_takes_nothing_back_is_not_asked_but_may_receive_at_its_counter():
    order = sold()
    with transaction():
        db.session.execute(update(Order).where(Order.id == order.id).values(return_days=0, version=Order.version + 1))
    before = trace()
    with pytest.raises(NoReturns):
        asked(order)
    assert trace() == before

    made = deciding.take_in(order.id, Wanted({1: 1}, "damaged"), {1: Came(damaged=1)}, ALICIA)

    assert made.state is ReturnState.RECEIVED
    assert [step for step, _kind in steps_of(made.id)] == ["requested", "approved", "received"]


@pytest.mark.parametrize(
    ("units", "refusal"),
    [
        ({}, NothingChosen),
        ({1: 0}, NothingChosen),
        ({1: 4}, FewerToReturn),
        ({1: -1}, FewerToReturn),
        ({1: 10**18}, FewerToReturn),
        ({2: 1}, FewerToReturn),
        ({1: 1, 99: 1}, FewerToReturn),
    ],
)
def test_nobody_returns_what_they_do_not_have(units, refusal):
    order = sold()
    before = trace()
    for try_it in (
        lambda: ask(order.id, Wanted(units, "size"), DORA),
        lambda: deciding.take_in(order.id, Wanted(units, "size"), {1: Came(1)}, ALICIA),
    ):
        with pytest.raises(refusal):
            try_it()
    assert trace() == before


@pytest.mark.parametrize(("paid", "handed"), [(True, False), (False, True)])
def test_only_what_is_delivered_and_paid_comes_back(paid, handed):
    order = sold(paid=paid, handed=handed)
    before = trace()
    with pytest.raises(NoReturns):
        asked(order)
    with pytest.raises(NotDelivered):
        deciding.take_in(order.id, Wanted({1: 1}, "size"), {1: Came(1)}, ALICIA)
    assert trace() == before


def test_a_unit_whose_money_went_back_is_not_returned_again_and_one_return_runs_at_a_time():
    order = sold()
    refunding.refund_parts(order.id, refunding.Wish([WantedLine(1, 2)], reason="missing"), ALICIA)
    pay_back(order)
    with pytest.raises(FewerToReturn):
        asked(order, 2)
    found = asked(order, 1)
    before = trace()
    with pytest.raises(AlreadyAsked):
        asked(order, 1)
    assert trace() == before

    deciding.withdraw(found, DORA)
    again = asked(order, 1)
    assert (state_of(found), state_of(again)) == ("withdrawn", "requested")


def test_what_was_booked_is_not_returned():
    tour = a_tour()
    order = sold(
        a_line(bread := a_product("Pan", stock=3), 1, 2_500), _booked(tour), products=(bread, tour)
    )  # fmt: skip
    assert terms_of(order.id).has_services
    before = trace()
    with pytest.raises(FewerToReturn):
        ask(order.id, Wanted({2: 1}, "changed_mind"), DORA)
    assert trace() == before


def _booked(tour):
    from dataclasses import replace

    from storefront.catalogue.models import ProductKind

    return replace(a_line(tour, 1, 5_000), kind=ProductKind.SERVICE, starts_at=a_time(tour), ends_at=a_time(tour))


def test_a_bundle_comes_back_whole_and_what_was_in_it_goes_on_sale():
    inside = a_product("Concha", stock=10)
    bundle = a_product("Caja", price=9_000)
    parts = [{"variant_id": inside.variant_id, "units": 3, "name": "Concha"}]
    order = sold(a_line(bundle, 2, 9_000, parts=parts), products=(bundle,))
    assert stock_of(inside) == (4, 0)

    settle(received(order, 1), Decision({}), ALICIA)

    assert stock_of(inside) == (7, 0)
    assert refunds_of(order)[0][0] == 9_000


def test_a_picture_is_kept_with_the_return_and_what_is_none_leaves_nothing():
    import io

    order = sold()
    before = trace()
    with pytest.raises(NotAPicture):
        ask(order.id, Wanted({1: 1}, "damaged"), DORA, io.BytesIO(b"no es una foto"))
    assert trace() == before

    made = ask(order.id, Wanted({1: 1}, "damaged"), DORA, a_photo())

    assert fresh(select(OrderReturn.image_key).where(OrderReturn.id == made.id))


# --- deciding -----------------------------------------------------------------------------------------------------


def test_every_step_is_one_of_the_table_and_no_other():
    ways = {
        ReturnState.APPROVED: lambda id: deciding.approve(id, ALICIA),
        ReturnState.DECLINED: lambda id: deciding.decline(id, "Ya se usó.", ALICIA),
        ReturnState.WITHDRAWN: lambda id: deciding.withdraw(id, DORA),
        ReturnState.IN_TRANSIT: lambda id: deciding.send_off(id, DORA),
        ReturnState.RECEIVED: lambda id: deciding.receive(id, {1: Came(1)}, ALICIA),
        ReturnState.SETTLED: lambda id: settle(id, Decision({}), ALICIA),
    }
    order = sold()
    found = asked(order, 1)
    for before in ReturnState:
        for to, way in ways.items():
            if before is to or (before, to) == (ReturnState.RECEIVED, ReturnState.APPROVED):
                continue
            with transaction():
                is_over = before not in {"requested", "approved", "in_transit", "received"}
                settlement = "nothing" if before == "settled" else None
                ended = clock.now() if is_over else None
                db.session.execute(
                    update(OrderReturn)
                    .where(OrderReturn.id == found)
                    .values(state=before, settlement=settlement, ended_at=ended)
                )
            forget()
            if RETURN_STATES.allows(before, to):
                continue
            seen = trace()
            with pytest.raises(ReturnMoved):
                way(found)
            assert trace() == seen, (before, to)


def test_a_no_needs_a_sentence_and_a_second_tap_changes_nothing():
    order = sold()
    found = asked(order)
    before = trace()
    with pytest.raises(SayWhy):
        deciding.decline(found, "  ", ALICIA)
    assert trace() == before

    deciding.decline(found, "Ya se usó.", ALICIA)
    after = trace()
    deciding.decline(found, "Otra vez.", ALICIA)
    assert trace() == after
    assert return_by_id(found).answer == "Ya se usó."


def test_what_nobody_brings_lapses_unless_it_is_on_its_way():
    waiting, coming = asked(sold()), asked(sold())
    for found in (waiting, coming):
        deciding.approve(found, ALICIA)
    deciding.send_off(coming, DORA)
    forget()

    assert deciding.let_lapse() == 0
    with clock_at(deciding.PATIENCE + timedelta(minutes=1)):
        assert deciding.let_lapse() == 1
    assert (state_of(waiting), state_of(coming)) == ("lapsed", "in_transit")
    assert steps_of(waiting)[-1] == ("lapsed", "system")


@pytest.mark.parametrize(
    ("came", "refusal"),
    [
        ({}, NothingCame),
        ({1: Came()}, NothingCame),
        ({1: Came(3)}, MoreThanAsked),
        ({1: Came(2, 1)}, MoreThanAsked),
        ({1: Came(-1, 2)}, MoreThanAsked),
        ({2: Came(1)}, MoreThanAsked),
    ],
)
def test_no_more_is_received_than_was_to_come(came, refusal):
    found = asked(sold())
    deciding.approve(found, ALICIA)
    forget()
    before = trace()
    with pytest.raises(refusal):
        deciding.receive(found, came, ALICIA)
    assert trace() == before


def test_what_was_noted_wrongly_is_noted_again_before_anything_is_paid():
    order = sold()
    found = received(order, 2)
    deciding.receive_again(found, ALICIA)
    deciding.receive(found, {1: Came(0, 1)}, ALICIA)
    settle(found, Decision({}), ALICIA)
    assert line_of(order) == (1, 2_500, 0)
    assert stock_of(order.first) == (6, 0)
    assert faults() == []


# --- settling -----------------------------------------------------------------------------------------------------


def test_units_refunded_and_put_on_sale_by_hand_meanwhile_are_neither_paid_nor_put_there_again():
    order = sold()
    found = received(order, 2)
    refunding.refund_parts(order.id, refunding.Wish([WantedLine(1, 1, restock=True)], reason="returned"), ALICIA)
    forget()
    assert stock_of(order.first) == (7, 0)

    [due] = due_lines(found)
    assert (due.units, due.by_hand, due.restock) == (1, 1, 1)
    settle(found, Decision({}), ALICIA)

    assert line_of(order) == (2, 5_000, 2)
    assert stock_of(order.first) == (8, 0)
    assert sum(amount for amount, _reason, _state in refunds_of(order)) == 5_000
    assert faults() == []


def test_all_of_it_refunded_by_hand_leaves_only_the_goods_to_be_put_on_sale():
    order = sold()
    found = received(order, 2)
    refunding.refund_parts(order.id, refunding.Wish([WantedLine(1, 2)], reason="returned"), ALICIA)
    forget()

    settle(found, Decision({}), ALICIA)

    assert return_by_id(found).settlement == "nothing"
    assert len(refunds_of(order)) == 1
    assert line_of(order) == (2, 5_000, 2)
    assert stock_of(order.first) == (8, 0)
    assert faults() == []


def test_the_shop_may_give_less_and_the_delivery_too_but_never_more_than_was_paid():
    order = sold(more={"tip_minor": 0})
    found = received(order, 2)
    before = trace()
    for amounts in ({1: 5_001}, {1: -1}, {1: 10**18}, {2: 100}):
        with pytest.raises(MoreThanPaid):
            settle(found, Decision(amounts), ALICIA)
    with pytest.raises(FewerLeft):
        settle(found, Decision({}, shipping_minor=1), ALICIA)
    assert trace() == before

    settle(found, Decision({1: 3_000}, paid_now=True), ALICIA)

    assert refunds_of(order) == [(3_000, "returned", "done")]
    assert line_of(order) == (2, 3_000, 2)
    assert faults() == []


def test_what_is_worth_nothing_to_the_shop_is_taken_back_all_the_same():
    order = sold()
    settle(received(order, 1), Decision({1: 0}), ALICIA)
    assert refunds_of(order) == []
    assert line_of(order) == (1, 0, 1)
    assert stock_of(order.first) == (7, 0)
    with pytest.raises(FewerToReturn):
        asked(order, 3)
    assert faults() == []


def test_a_return_is_settled_once():
    order = sold()
    found = received(order)
    settle(found, Decision({}), ALICIA)
    forget()
    before = trace()
    with pytest.raises(ReturnMoved):
        settle(found, Decision({}), ALICIA)
    assert trace() == before


def test_an_open_receipt_gets_its_credit_note():
    order = sold()
    issue_receipt(order.id, Buyer("Dora"), ALICIA)
    settle(received(order, 1), Decision({}), ALICIA)
    refund_id = fresh(select(refunding.Refund.id))
    credit_refund(refund_id)
    assert fresh(select(Receipt.total_minor).where(Receipt.refund_id == refund_id)) == 2_500


def test_the_invariant_sees_more_that_came_back_than_was_sold():
    order = sold()
    settle(received(order, 2), Decision({}), ALICIA)
    assert faults() == []
    with transaction():
        db.session.execute(update(OrderReturnLine).values(quantity=9, received_quantity=9, fine_quantity=0))
    forget()
    assert {fault["invariant"] for fault in faults()} == {"I25"}
