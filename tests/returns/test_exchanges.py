"""What is taken for goods that come back: no money moves for what is set off, and the books, stock and papers agree."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from storefront.catalogue import actions as catalogue
from storefront.giftcards.models import GiftCard
from storefront.inventory.actions import OutOfStock
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.orders.actions import cancel_order, confirm_order, expire_order, hand_over
from storefront.orders.models import Order, OrderLine
from storefront.orders.queries import order_by_id
from storefront.payments import gift_cards, ledger, reconciling, refunding
from storefront.payments.actions import book_sale, record_cash, unbook_sale
from storefront.payments.ledger import Account
from storefront.payments.models import ExchangeCredit, LedgerEntry, PaymentAttempt
from storefront.receipts.accounts import lines_after
from storefront.returns import deciding, settling
from storefront.returns.asking import Wanted, ask
from storefront.returns.deciding import Came
from storefront.returns.exchanging import LATER, NOW, NoGoods, PriceMoved, SayHow
from storefront.returns.instead import BadPieces, NotForSale, choose_goods
from storefront.returns.models import OrderReturn, Settlement, Wish
from storefront.returns.queries import return_behind, return_by_id
from storefront.returns.settling import Decision, due_lines, settle
from tests.factories.catalogue import a_product, a_variant
from tests.factories.gift_cards import a_card
from tests.factories.orders import ALICIA, DORA
from tests.giftcards.conftest import left_on, order_with
from tests.returns.conftest import (
    a_line,
    faults,
    forget,
    fresh,
    line_of,
    refunds_of,
    sold,
    state_of,
    stock_of,
    trace,
)

pytestmark = pytest.mark.usefixtures("at_the_bakery")


@pytest.fixture
def order():
    """Three sweaters at 25.00 in the customer's hands."""
    return sold()


def here(order, goods, units=2, wish=Wish.EXCHANGE):
    """So many units of the first line are back, for these goods (product: pieces); the return's id."""
    wanted = {product.variant_code: many for product, many in goods.items()}
    found = ask(order.id, Wanted({1: units}, "size", "", wish, wanted), DORA).id
    deciding.approve(found, ALICIA)
    deciding.receive(found, {1: Came(units)}, ALICIA)
    forget()
    return found


def exchange(found, *, pay="", **more):
    """Settle a return with what is wanted for it; the new order."""
    order = order_by_id(return_by_id(found).order_id)
    due = due_lines(found)
    shown = settling.cost_of(order, found, settling.goods_for(found, due)), settling.worth_of(due)
    forget()
    settle(found, Decision({}, how=Settlement.EXCHANGE, shown=shown, pay=pay, **more), ALICIA)
    placed = select(Order.id, Order.expires_at, Order.channel).join(
        OrderReturn, (OrderReturn.tenant_id == Order.tenant_id) & (OrderReturn.exchange_order_id == Order.id)
    )
    new = db.session.execute(placed.where(OrderReturn.id == found)).one()
    forget()
    if new.expires_at is None:  # confirmed: the job that follows
        book_sale(new.id)
    forget()
    return new


def now(order_id):
    """State, payment, fulfilment and what counts towards an order."""
    row = db.session.execute(
        select(Order.state, Order.payment_state, Order.fulfilment_state, Order.received_minor).where(
            Order.id == order_id
        )
    ).one()
    forget()
    return str(row.state), str(row.payment_state), str(row.fulfilment_state), row.received_minor


def books(*order_ids):
    """What is owed, and what is between two orders."""
    found = [ledger.balance(Account.RECEIVABLE, id) for id in order_ids]
    found.append(ledger.balance(Account.EXCHANGES))
    forget()
    return found


def test_for_the_same_price_nothing_is_paid_and_the_new_order_counts(order):
    other = a_product("Chaleco", price=5_000, stock=4)
    found = here(order, {other: 1})
    assert stock_of(other) == (4, 1)

    new = exchange(found, taken_along=True)

    assert now(new.id) == ("completed", "paid", "delivered", 5_000)
    assert now(order.id)[1] == "partly_refunded"
    assert refunds_of(order) == [(5_000, "exchanged", "done")]
    assert (stock_of(other), stock_of(order.first)) == ((3, 0), (8, 0))
    assert books(order.id, new.id) == [0, 0, 0]
    assert ledger.balance(Account.CASH) == 7_500, "no money moved"
    assert -ledger.balance(Account.SALES) - ledger.balance(Account.TAX) == 7_500
    assert str(new.channel) == "shop"
    assert return_behind(new.id).id == found
    assert return_by_id(found).settlement == "exchange"
    assert faults() == []


def test_what_is_dearer_leaves_the_difference_to_be_paid(order):
    other = a_product("Poncho", price=8_000, stock=2)
    new = exchange(here(order, {other: 1}), pay=NOW, taken_along=True)
    assert now(new.id) == ("completed", "paid", "delivered", 8_000)
    assert ledger.balance(Account.CASH) == 7_500 + 3_000
    assert books(order.id, new.id) == [0, 0, 0]
    assert faults() == []


def test_the_difference_may_be_paid_when_it_is_picked_up(order):
    other = a_product("Poncho", price=8_000, stock=2)
    new = exchange(here(order, {other: 1}), pay=LATER, taken_along=True)
    assert now(new.id) == ("confirmed", "partly_paid", "preparing", 5_000)
    record_cash(new.id, ALICIA)
    assert now(new.id)[1:] == ("paid", "preparing", 8_000)
    assert books(order.id, new.id) == [0, 0, 0]
    assert faults() == []


def test_a_difference_paid_from_afar_waits_a_day_and_the_value_goes_back_when_nobody_pays_it(order, bakery):
    other = a_product("Poncho", price=8_000, stock=2)
    new = exchange(here(order, {other: 1}), pay="bank_transfer", taken_along=True)
    assert now(new.id) == ("awaiting_payment", "partly_paid", "none", 5_000)
    assert new.expires_at - clock.now() > deciding.PATIENCE / 15
    assert stock_of(other) == (2, 1)

    with transaction():
        db.session.execute(
            update(Order).where(Order.id == new.id).values(expires_at=clock.now(), version=Order.version + 1)
        )
    forget()
    assert expire_order(new.id)
    gift_cards.give_back(new.id)
    forget()

    assert now(new.id)[1] == "refund_pending"
    for code in db.session.scalars(select(refunding.Refund.code).where(refunding.Refund.order_id == new.id)):
        refunding.mark_sent_back(code, ALICIA)
    forget()
    assert stock_of(other) == (2, 0)
    assert ledger.balance(Account.CASH) == 2_500
    assert books(order.id, new.id) == [0, 0, 0]
    assert faults() == []


@pytest.mark.parametrize("on_card", [False, True])
def test_what_is_left_over_goes_back_as_money_or_onto_a_card(order, on_card):
    other = a_product("Gorro", price=1_000, stock=2)
    found = here(order, {other: 2})
    new = exchange(found, rest_on_card=on_card, paid_now=True)

    reason = "store_credit" if on_card else "returned"
    assert refunds_of(order) == [(3_000, reason, "done"), (2_000, "exchanged", "done")]
    assert ledger.balance(Account.CASH) == (7_500 if on_card else 4_500)
    assert gift_cards.totals() == ((3_000, 3_000) if on_card else (0, 0))
    told = return_by_id(found)
    assert (told.value.minor, told.paid_other.minor, told.left_over.minor) == (5_000, 2_000, 3_000)
    assert books(order.id, new.id) == [0, 0, 0]
    assert faults() == []


def test_a_gift_card_for_what_came_back_is_a_debt_of_the_shop(order):
    found = here(order, {}, wish=Wish.GIFT_CARD)
    settled = settle(found, Decision({}, how=Settlement.GIFT_CARD), ALICIA)
    forget()
    assert settled.card is not None
    card = db.session.execute(
        select(GiftCard.balance_minor, GiftCard.paid_with, GiftCard.recipient_email).where(
            GiftCard.code == settled.card.code
        )
    ).one()
    forget()
    assert tuple(card) == (5_000, "returned", "dora@example.com")
    assert gift_cards.totals() == (5_000, 5_000)
    assert ledger.balance(Account.CASH) == 7_500
    assert books(order.id) == [0, 0]
    assert now(order.id)[1] == "partly_refunded"
    assert faults() == []


def test_a_returned_exchange_goes_back_the_way_its_money_came(order):
    """What a gift card paid is never turned into money by way of an exchange."""
    card = a_card(5_000)
    paid = order_with(card, 5_000)
    confirm_order(paid, ALICIA)
    book_sale(paid)
    hand_over(paid, ALICIA)
    forget()
    other = a_product("Chaleco", price=5_000, stock=4)
    found = deciding.take_in(
        paid, Wanted({1: 2}, "size", "", Wish.EXCHANGE, {other.variant_code: 1}), {1: Came(2)}, ALICIA
    ).id
    forget()
    new = exchange(found)
    assert left_on(card) == 0

    cancel_order(new.id, "Siempre no", ALICIA)
    refunding.refund_order(new.id, "order_cancelled", ALICIA)
    unbook_sale(new.id)
    forget()

    assert left_on(card) == 5_000
    assert books(paid, new.id) == [0, 0, 0]
    assert faults() == []


def test_money_that_went_through_two_exchanges_goes_back_as_the_money_it_was(order):
    vest, poncho = a_product("Chaleco", price=5_000, stock=4), a_product("Poncho", price=5_000, stock=4)
    first = exchange(here(order, {vest: 1}), taken_along=True)
    wanted = Wanted({1: 1}, "size", "", Wish.EXCHANGE, {poncho.variant_code: 1})
    again = deciding.take_in(first.id, wanted, {1: Came(1)}, ALICIA).id
    forget()
    second = exchange(again)
    assert now(first.id)[1] == "refunded"

    cancel_order(second.id, "Siempre no", ALICIA)
    refunding.refund_order(second.id, "order_cancelled", ALICIA)
    unbook_sale(second.id)
    for code in db.session.scalars(select(refunding.Refund.code).where(refunding.Refund.order_id == second.id)):
        refunding.mark_sent_back(code, ALICIA)
    forget()

    assert ledger.balance(Account.CASH) == 2_500
    assert books(order.id, first.id, second.id) == [0, 0, 0, 0]
    assert faults() == []


def test_another_size_at_an_unchanged_price_costs_what_was_paid_for_the_first():
    sweater = a_product("Suéter", price=2_500, stock=9)
    large = a_variant(sweater, "Grande", price=2_500, stock=3)
    order = sold(a_line(sweater, 3, 2_500), products=(sweater,))
    with transaction():  # as if a promotion had taken 10.00 off the three
        db.session.execute(
            update(OrderLine).where(OrderLine.order_id == order.id).values(
                discount_minor=1_000, gross_minor=6_500, net_minor=6_500 - 897, tax_minor=897
            )
        )  # fmt: skip
        db.session.execute(
            update(Order).where(Order.id == order.id).values(
                discount_minor=1_000, discount_net_minor=1_000, total_minor=6_500, net_minor=6_500 - Order.tax_minor,
                received_minor=6_500, version=Order.version + 1,
            )
        )  # fmt: skip
    wanted = Wanted({1: 2}, "size", "", Wish.EXCHANGE, {large.code: 3})
    found = ask(order.id, wanted, DORA).id
    deciding.approve(found, ALICIA)
    deciding.receive(found, {1: Came(2)}, ALICIA)
    forget()

    [due] = due_lines(found)
    lines = settling.goods_for(found, [due])

    assert due.suggested.minor == 4_333
    assert [(line.quantity, line.unit_minor) for line in lines] == [(1, 2_167), (1, 2_166), (1, 2_500)]


def test_what_is_wanted_is_held_from_the_yes_and_let_go_when_it_comes_to_nothing(order):
    other = a_product("Chaleco", price=5_000, stock=1)
    found = ask(order.id, Wanted({1: 2}, "size", "", Wish.EXCHANGE, {other.variant_code: 1}), DORA).id
    assert stock_of(other) == (1, 0)
    deciding.approve(found, ALICIA)
    assert stock_of(other) == (1, 1)
    deciding.withdraw(found, DORA)
    assert stock_of(other) == (1, 0)


def test_what_is_gone_is_not_promised_and_nothing_changes(order):
    other = a_product("Chaleco", price=5_000, stock=0)
    found = ask(order.id, Wanted({1: 2}, "size", "", Wish.EXCHANGE, {other.variant_code: 1}), DORA).id
    before = trace()
    with pytest.raises(OutOfStock):
        deciding.approve(found, ALICIA)
    assert trace() == before


@pytest.mark.parametrize(
    ("decision", "refusal"),
    [
        ({"shown": (7_999, 5_000)}, PriceMoved),
        ({"shown": (8_000, 7_500)}, PriceMoved),
        ({"shown": (8_000, 5_000)}, SayHow),
        ({"shown": (8_000, 5_000), "pay": "card"}, SayHow),
        ({"shown": (8_000, 5_000), "pay": "exchange"}, SayHow),
    ],
)
def test_an_exchange_that_is_not_what_was_shown_does_not_happen(order, decision, refusal):
    other = a_product("Poncho", price=8_000, stock=2)
    found = here(order, {other: 1})
    before = trace()
    with pytest.raises(refusal):
        settle(found, Decision({}, how=Settlement.EXCHANGE, **decision), ALICIA)
    assert trace() == before


def test_an_exchange_for_nothing_or_for_what_is_not_sold_is_refused(order):
    found = here(order, {})
    before = trace()
    with pytest.raises(NoGoods):
        settle(found, Decision({}, how=Settlement.EXCHANGE), ALICIA)
    for goods, refusal in (
        ({"NADA": 1}, NotForSale), ({order.first.variant_code: -1}, BadPieces),
        ({order.first.variant_code: 10**9}, BadPieces), ({a_product(published=False).variant_code: 1}, NotForSale),
    ):  # fmt: skip
        before = trace()
        with pytest.raises(refusal):
            choose_goods(found, goods, ALICIA)
        assert trace() == before


def test_a_difference_that_is_not_true_any_more_is_not_taken(order):
    other = a_product("Chaleco", price=9_800, stock=2)
    found = here(order, {other: 1})
    refunding.refund_parts(order.id, refunding.Wish([refunding.WantedLine(1, 2)]), ALICIA)
    forget()
    before = trace()
    seen = Decision({}, how=Settlement.EXCHANGE, shown=(9_800, 5_000), pay=NOW, taken_along=True)
    with pytest.raises(PriceMoved):
        settle(found, seen, ALICIA)
    assert trace() == before


def test_a_price_that_changed_is_shown_again(order):
    other = a_product("Chaleco", price=5_000, stock=2)
    found = here(order, {other: 1})
    with transaction():
        db.session.execute(
            update(catalogue.Variant).where(catalogue.Variant.id == other.variant_id).values(price_minor=6_000)
        )
    forget()
    before = trace()
    with pytest.raises(PriceMoved):
        settle(found, Decision({}, how=Settlement.EXCHANGE, shown=(5_000, 5_000)), ALICIA)
    assert trace() == before
    assert state_of(found) == "received"


def test_a_broken_piece_is_changed_for_the_same_and_the_broken_one_is_not_sold(order):
    wanted = Wanted({1: 1}, "damaged", "", Wish.EXCHANGE, {order.first.variant_code: 1})
    found = deciding.take_in(order.id, wanted, {1: Came(0, 1)}, ALICIA).id
    forget()
    exchange(found, taken_along=True)
    assert line_of(order) == (1, 2_500, 0)
    assert stock_of(order.first) == (5, 0)
    assert faults() == []


def test_the_days_comparison_and_the_accountants_file_know_what_was_set_off(order):
    other = a_product("Gorro", price=1_000, stock=2)
    exchange(here(order, {other: 2}), rest_on_card=True)
    day = clock.now().date()
    since, until = reconciling.bounds_of(day)
    assert reconciling._not_booked(since, until) == []
    assert reconciling._owing() == []
    lines = lines_after(day, 0)
    assert sum(line.received_minor - line.sent_back_minor for line in lines) == ledger.balance(Account.CASH)
    assert sum(line.gift_cards_minor for line in lines) == 3_000
    assert [line.sent_back_minor for line in lines if line.held_in == "exchanges" and line.sent_back_minor] == [2_000]


def test_without_its_payment_what_was_set_off_is_seen(order):
    other = a_product("Chaleco", price=5_000, stock=4)
    exchange(here(order, {other: 1}))
    assert faults() == []
    with transaction():
        db.session.execute(update(PaymentAttempt).where(PaymentAttempt.method == "exchange").values(amount_minor=1))
    forget()
    assert "I26" in {fault["invariant"] for fault in faults()}
    assert fresh(select(ExchangeCredit.id))
    assert fresh(select(LedgerEntry.id).where(LedgerEntry.kind == "set_off"))
