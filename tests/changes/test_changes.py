"""An order that changes after it was placed: what is asked, what is held, what it costs, and who gets what back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storefront.cart.actions import add_goods
from storefront.catalogue.models import ProductKind
from storefront.changes import answering, proposing
from storefront.changes.answering import BillMoved, ChangeOver, MoneyMoves, NotChangeable, PaidAlready, agree, decline
from storefront.changes.models import Agreement, ChangeState, OrderChange, OrderChangeEvent
from storefront.changes.proposing import (
    AlreadyWaiting,
    AskFirst,
    BadQuantity,
    FixedLine,
    NotForSale,
    NothingChanges,
    NothingLeft,
    Wish,
    change_at_once,
    draft,
    propose,
)
from storefront.changes.queries import changes_of, open_change
from storefront.checkout.actions import place
from storefront.inventory.actions import OutOfStock
from storefront.inventory.bundles import put_in
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import new_token
from storefront.kernel.mail import MailMessage
from storefront.orders.actions import cancel_order, confirm_order, expire_order, mark_ready
from storefront.orders.models import Order, OrderLine
from storefront.orders.parting import hand_over_part
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments import actions, ledger, queries, reconciling, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import Refund
from storefront.payments.transfers import record_transfer
from storefront.pricing.discounts import Discount, Kind
from storefront.promotions.models import Promotion, Redemption
from storefront.promotions.queries import invariants as promotion_faults
from storefront.receipts.accounts import lines_after
from storefront.receipts.actions import Buyer, issue_receipt, open_receipt
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, EMAIL, HOME, PHONE, a_tour, an_order, details_for
from tests.factories.promotions import a_promotion

MORE = Wish({1: 3}, {})
LESS = Wish({1: 1}, {})


def ask(order_id, wish, words=""):
    return propose(order_id, wish, "no_stock", words, ALICIA)


def yes(change, how=Agreement.PAGE):
    agree(change.id, DORA, how)


@pytest.fixture
def bread(at_the_bakery):
    return a_product("Concha", stock=9)


# --- what it comes to -----------------------------------------------------------------------------------------------


def test_looking_at_a_draft_keeps_nothing(bread, look):
    order = an_order(bread, 2)
    before = look.trace()

    found = draft(order.id, MORE)

    assert (found.before.minor, found.after.minor, found.difference.minor) == (5_000, 7_500, 2_500)
    assert look.trace() == before


def test_what_was_agreed_keeps_its_price_and_what_is_added_has_todays(bread, look):
    order = an_order(bread, 2, unit_minor=2_000)
    cake = a_product("Pastel", price=7_700, stock=3)

    found = draft(order.id, Wish({1: 3}, {cake.variant_code: 2}))

    assert found.after.minor == 3 * 2_000 + 2 * 7_700


def test_adding_what_is_there_already_is_more_of_its_line(bread):
    order = an_order(bread, 2, unit_minor=2_000)

    found = draft(order.id, Wish({}, {bread.variant_code: 1}))

    assert [(line.before, line.quantity, line.unit_minor) for line in found.lines] == [(2, 3, 2_000)]


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (Wish({}, {}), NothingChanges),
        (Wish({1: 2}, {}), NothingChanges),
        (Wish({7: 5}, {}), NothingChanges),
        (Wish({1: 0}, {}), NothingLeft),
        (Wish({1: -1}, {}), BadQuantity),
        (Wish({1: 1_000}, {}), BadQuantity),
        (Wish({}, {"NO-HAY": 1}), NotForSale),
    ],
)
def test_what_cannot_be_wished_is_refused_and_nothing_happens(bread, look, wish, refusal):
    order = an_order(bread, 2)
    before = look.trace()

    with pytest.raises(refusal):
        ask(order.id, wish)

    assert look.trace() == before


def test_a_reservation_in_an_order_is_changed_elsewhere(at_the_bakery, bread, look):
    tour = a_tour()
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[
                    NewLine(ProductKind.GOODS, bread.id, bread.variant_id, "Concha", "", "", 1, 2_500),
                    NewLine(ProductKind.SERVICE, tour.id, tour.variant_id, "Recorrido", "", "", 1, 5_000),
                ],
                payment_method="pay_at_shop", fulfilment_method=FulfilmentMethod.PICKUP,
                contact_name="Dora", contact_phone=PHONE,
            ),
            DORA,
        )  # fmt: skip
    with pytest.raises(FixedLine):
        draft(order.id, Wish({2: 2}, {}))
    with pytest.raises(NotForSale):
        draft(order.id, Wish({}, {tour.variant_code: 1}))
    assert draft(order.id, Wish({1: 2}, {})).after.minor == 10_000


# --- waiting for a word ---------------------------------------------------------------------------------------------


def test_a_change_that_waits_holds_what_it_adds_and_changes_nothing(bread, look):
    order = an_order(bread, 2, confirmed=True)

    change = ask(order.id, MORE)

    assert look.order(order.id) == ("confirmed", "unpaid", 5_000)
    assert look.stock(bread) == (9, 3)
    assert look.held("order_change", change.id) == 1
    assert open_change(order.id).difference.minor == 2_500
    assert look.faults() == []


def test_it_is_not_proposed_when_there_is_not_enough(at_the_bakery, look):
    rare = a_product("Rosca", stock=2)
    order = an_order(rare, 2)
    before = look.trace()

    with pytest.raises(OutOfStock):
        ask(order.id, MORE)

    assert look.trace() == before


def test_a_second_change_waits_for_the_first_to_end(bread, look):
    order = an_order(bread, 2)
    change = ask(order.id, MORE)
    before = look.trace()
    with pytest.raises(AlreadyWaiting):
        ask(order.id, LESS)
    assert look.trace() == before

    answering.withdraw(change.id, ALICIA)
    answering.withdraw(change.id, ALICIA)

    assert look.stock(bread) == (9, 2)
    assert ask(order.id, LESS).total_minor == 2_500


def test_two_clerks_at_once_propose_one_change(bread, look, together):
    order = an_order(bread, 2)

    assert together(*[lambda: ask(order.id, MORE)] * 4) == ["AlreadyWaiting"] * 3 + ["done"]

    assert look.stock(bread) == (9, 3)


def test_a_change_lapses_by_the_clock_and_what_it_held_can_be_sold_without_any_job(bread, look):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, Wish({1: 9}, {}))
    assert available([bread.variant_id])[bread.variant_id] == 0
    later = clock.now() + proposing.PATIENCE + timedelta(seconds=1)

    with clock.pretending(later):
        assert available([bread.variant_id])[bread.variant_id] == 7
        assert open_change(order.id) is None
        assert changes_of(order.id)[0].state is ChangeState.LAPSED
        before = look.trace()
        with pytest.raises(ChangeOver):
            yes(change)
        assert look.trace() == before
        assert an_order(bread, 7).total_minor == 17_500
        again = ask(order.id, LESS)

    states = dict(db.session.execute(select(OrderChange.id, OrderChange.state)).all())
    assert states == {change.id: ChangeState.LAPSED, again.id: ChangeState.PROPOSED}


def test_a_change_never_waits_longer_than_its_order_does(bread):
    order = an_order(bread, 2, pay="card")

    assert ask(order.id, MORE).expires_at == order.expires_at


def test_a_customer_who_says_no_keeps_the_order_as_it_was(bread, look):
    order = an_order(bread, 2)
    change = ask(order.id, MORE)

    decline(change.id, DORA)
    decline(change.id, DORA)

    assert look.order(order.id) == ("requested", "unpaid", 5_000)
    assert look.stock(bread) == (9, 2)
    before = look.trace()
    with pytest.raises(ChangeOver):
        yes(change)
    assert look.trace() == before


@pytest.mark.parametrize("ending", [lambda id: cancel_order(id, "", ALICIA), expire_order])
def test_an_order_that_ends_takes_its_change_along(bakery, bread, look, drain, ending):
    order = an_order(bread, 2)
    change = ask(order.id, MORE)
    with clock.pretending(order.expires_at + timedelta(minutes=1)):
        ending(order.id)
        before = look.trace()
        with pytest.raises((NotChangeable, ChangeOver)):
            yes(change)
        assert look.trace() == before
    drain(bakery)
    assert look.stock(bread) == (9, 0)
    assert changes_of(order.id)[0].state is ChangeState.WITHDRAWN


# --- applying -------------------------------------------------------------------------------------------------------


def test_a_yes_changes_lines_sums_stock_and_the_try_to_pay_in_one_step(bread, look):
    order = an_order(bread, 2, confirmed=True)
    cake = a_product("Pastel", price=7_700, stock=3)
    change = ask(order.id, Wish({1: 1}, {cake.variant_code: 2}))

    yes(change)
    yes(change)

    assert look.lines(order.id) == [("Pan", 1, 2_500), ("Pastel", 2, 15_400)]
    assert look.order(order.id) == ("confirmed", "unpaid", 17_900)
    assert look.stock(bread) == (9, 1)
    assert look.stock(cake) == (3, 2)
    assert look.held("order_change", change.id) == 0
    assert look.attempts(order.id) == [("cancelled", 5_000), ("created", 17_900)]
    actions.record_cash(order.id, ALICIA)
    assert ledger.money_held(order.id) == 17_900
    assert look.faults() == []


def test_a_line_that_goes_is_gone_and_its_goods_are_on_sale_again(bread, look):
    cake = a_product("Pastel", price=7_700, stock=3)
    order = an_order(bread, 2, confirmed=True)
    yes(ask(order.id, Wish({}, {cake.variant_code: 2})))

    yes(ask(order.id, Wish({1: 0}, {})))

    assert look.lines(order.id) == [("Pastel", 2, 15_400)]
    assert look.stock(bread) == (9, 0)
    assert look.faults() == []


def test_the_whole_shelf_can_go_from_one_order_to_its_change(bread, look):
    order = an_order(bread, 2, confirmed=True)
    yes(ask(order.id, Wish({1: 9}, {})))
    assert look.stock(bread) == (9, 9)
    assert look.held("order", order.id) == 9


def test_what_only_takes_off_may_be_done_at_once_and_is_told(bakery, bread, look, drain):
    order = an_order(bread, 2, confirmed=True)

    change_at_once(order.id, LESS, "no_stock", "Se acabaron", ALICIA, told=False)

    assert look.order(order.id) == ("confirmed", "unpaid", 2_500)
    drain(bakery)
    letter = db.session.scalars(select(MailMessage).where(MailMessage.once.like("order-changed:%"))).one()
    assert "Se acabaron" in letter.body_text


def test_what_adds_or_costs_more_is_asked_first(bread, look):
    order = an_order(bread, 2, confirmed=True)
    cheap = a_product("Bolillo", price=100, stock=5)
    before = look.trace()
    for wish in (MORE, Wish({1: 1}, {cheap.variant_code: 1})):
        with pytest.raises(AskFirst):
            change_at_once(order.id, wish, "other", "", ALICIA, told=False)
    assert look.trace() == before


def test_a_yes_on_the_telephone_is_written_down_with_who_heard_it(bread, look):
    order = an_order(bread, 2, confirmed=True)

    change = change_at_once(order.id, MORE, "asked", "", ALICIA, told=True)

    assert look.order(order.id)[2] == 7_500
    steps = db.session.execute(
        select(OrderChangeEvent.after, OrderChangeEvent.actor_kind, OrderChangeEvent.actor_label).order_by(
            OrderChangeEvent.id
        )
    ).all()
    assert [tuple(step) for step in steps] == [("proposed", "staff", "Alicia"), ("applied", "staff", "Alicia")]
    assert db.session.get_one(OrderChange, (order.tenant_id, change.id)).agreement is Agreement.PHONE


def test_customers_are_in_the_history_by_number_alone(bread):
    order = an_order(bread, 2)
    yes(ask(order.id, MORE))
    labels = db.session.scalars(select(OrderChangeEvent.actor_label).order_by(OrderChangeEvent.id)).all()
    assert labels == ["Alicia", ""]


@pytest.mark.parametrize("how", ["ready", "proof", "small"])
def test_an_order_that_moved_on_is_not_changed_any_more(bread, look, how):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, MORE)
    if how == "ready":
        mark_ready(order.id, ALICIA)
    elif how == "proof":
        actions.record_cash(order.id, ALICIA)
        refunding.refund_order(order.id, "goodwill", ALICIA, 100)
    else:
        with transaction():
            db.session.get_one(Order, (order.tenant_id, order.id)).fulfilment_state = "delivered"
    before = look.trace()

    with pytest.raises((NotChangeable, MoneyMoves)):
        yes(change)

    assert look.trace() == before


def test_a_change_made_for_another_bill_is_refused(bread, look):
    """Two changes cannot wait; but prices of a promotion may be edited while one does."""
    promotion = a_promotion("Diez", Kind.PERCENT, 1_000)
    order = a_discounted_order(bread, promotion)
    change = ask(order.id, MORE)
    with transaction():
        db.session.get_one(Promotion, (order.tenant_id, promotion.id)).value = 5_000
    before = look.trace()

    with pytest.raises(BillMoved):
        yes(change)

    assert look.trace() == before


# --- promotions and tax ---------------------------------------------------------------------------------------------


def a_discounted_order(product, promotion, *, minimum=0, units=2):
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[NewLine(ProductKind.GOODS, product.id, product.variant_id, "Pan", "", "", units, 2_500)],
                payment_method="cash_on_delivery", fulfilment_method=FulfilmentMethod.DELIVERY,
                address=HOME.to_dict(), shipping_minor=4_000, contact_name="Dora", contact_phone=PHONE,
                contact_email=EMAIL,
                discounts=[Discount(promotion.id, promotion.name, Kind.PERCENT, 1_000, minimum_minor=minimum)],
            ),
            DORA,
        )  # fmt: skip
        actions.open_attempt(order.id, "cash_on_delivery")
        confirm_order(order.id, ALICIA)
    return order


def test_the_same_promotion_is_priced_again_even_when_it_is_over(bread, look):
    promotion = a_promotion("Diez", Kind.PERCENT, 1_000, usage_limit=1, budget_minor=800)
    order = a_discounted_order(bread, promotion)
    with transaction():
        db.session.get_one(Promotion, (order.tenant_id, promotion.id)).active = False

    yes(ask(order.id, MORE))

    assert look.order(order.id)[2] == 4_000 + 7_500 - 750
    row = db.session.get_one(Promotion, (order.tenant_id, promotion.id), populate_existing=True)
    assert (row.used, row.given_minor) == (1, 750)
    assert promotion_faults() == []
    assert look.faults() == []


def test_a_promotion_whose_minimum_is_not_reached_any_more_is_given_back(bread, look):
    promotion = a_promotion("Diez", Kind.PERCENT, 1_000, minimum_minor=5_000, usage_limit=1)
    order = a_discounted_order(bread, promotion, minimum=5_000)

    change = change_at_once(order.id, LESS, "no_stock", "", ALICIA, told=False)

    assert change.total_minor == 4_000 + 2_500
    assert db.session.scalars(select(Redemption)).all() == []
    row = db.session.get_one(Promotion, (order.tenant_id, promotion.id), populate_existing=True)
    assert (row.used, row.given_minor) == (0, 0)
    cancel_order(order.id, "", ALICIA)
    assert look.faults() == []


def test_a_promotion_that_does_not_cover_the_rest_is_not_stretched(bread, look):
    promotion = a_promotion("Diez", Kind.PERCENT, 1_000, budget_minor=700)
    order = a_discounted_order(bread, promotion)

    assert draft(order.id, MORE).after.minor == 4_000 + 7_500


def test_a_line_keeps_the_tax_it_was_agreed_with(bread, look):
    order = an_order(bread, 2, confirmed=True)
    with transaction():
        db.session.execute(update(OrderLine).values(tax_rate_bp=800).execution_options(synchronize_session=False))

    yes(ask(order.id, MORE))

    line = db.session.execute(select(OrderLine.tax_minor, OrderLine.gross_minor)).one()
    assert tuple(line) == (556, 7_500)


# --- money ----------------------------------------------------------------------------------------------------------


def test_the_books_are_adjusted_by_rows_and_cancelling_takes_all_of_it_back(bakery, bread, look, drain):
    promotion = a_promotion("Diez", Kind.PERCENT, 1_000)
    order = a_discounted_order(bread, promotion)
    drain(bakery)
    old = ledger.entries_of(order.id)

    yes(ask(order.id, MORE))
    drain(bakery)

    assert ledger.entries_of(order.id)[: len(old)] == old
    assert ledger.balance(Account.RECEIVABLE, order.id) == look.order(order.id)[2] == 10_750
    today = clock.now().date()
    assert [one.kind for one in reconciling._sales(*reconciling.bounds_of(today))] == []
    assert sum(line.total_minor for line in lines_after(today, 0)) == 10_750
    cancel_order(order.id, "", ALICIA)
    drain(bakery)
    assert {str(account): ledger.balance(account, order.id) for account in Account} == dict.fromkeys(
        map(str, Account), 0
    )
    assert look.faults() == []


def test_a_change_before_the_sale_was_booked_is_booked_once(bakery, bread, look, drain):
    order = an_order(bread, 2, confirmed=True)

    yes(ask(order.id, MORE))
    drain(bakery)
    actions.book_sale(order.id)

    assert ledger.balance(Account.RECEIVABLE, order.id) == 7_500
    assert look.faults() == []


def test_a_tax_too_small_to_be_booked_at_first_is_booked_once_when_it_grows(bakery, bread, look, drain):
    order = an_order(bread, 1, unit_minor=3, confirmed=True)

    yes(ask(order.id, MORE))
    drain(bakery)

    assert (ledger.balance(Account.TAX, order.id), ledger.balance(Account.RECEIVABLE, order.id)) == (-1, 9)


def test_a_paid_order_that_gets_cheaper_gives_the_difference_back_and_stays_paid(bakery, bread, look, drain):
    order = an_order(bread, 2, confirmed=True)
    actions.record_cash(order.id, ALICIA)

    change_at_once(order.id, LESS, "no_stock", "", ALICIA, told=False)

    assert look.order(order.id) == ("confirmed", "refund_pending", 2_500)
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.amount_minor, refund.reason) == (2_500, "changed")
    drain(bakery)
    assert look.faults() == []
    refunding.mark_sent_back(refund.code, ALICIA)
    assert look.order(order.id) == ("confirmed", "paid", 2_500)
    assert ledger.money_held(order.id) == 2_500
    assert ledger.balance(Account.RECEIVABLE, order.id) == 0
    assert queries.left_to_refund(order.id) == 2_500
    drain(bakery)
    assert look.faults() == []


def test_a_paid_order_does_not_get_dearer(bread, look):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, MORE)
    actions.record_cash(order.id, ALICIA)
    before = look.trace()

    with pytest.raises(PaidAlready):
        yes(change)
    with pytest.raises(PaidAlready):
        draft(order.id, Wish({1: 4}, {}))

    assert look.trace() == before


def test_a_transfer_is_noted_at_the_new_total(bread, look):
    order = an_order(bread, 2, pay="bank_transfer")
    yes(ask(order.id, MORE))

    record_transfer(order.id, ALICIA)

    assert ledger.money_held(order.id) == 7_500


def test_an_open_receipt_is_taken_back_since_it_says_what_is_no_more(bread):
    order = an_order(bread, 2, confirmed=True)
    issue_receipt(order.id, Buyer(), ALICIA)

    yes(ask(order.id, MORE))

    assert open_receipt(order.id) is None
    assert issue_receipt(order.id, Buyer(), ALICIA).total_minor == 7_500


# --- at the same time -----------------------------------------------------------------------------------------------


def test_many_yeses_at_once_apply_it_once(bread, look, together):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, MORE)

    assert together(*[lambda: yes(change)] * 6) == ["done"] * 6

    assert look.stock(bread) == (9, 3)
    assert look.order(order.id)[2] == 7_500
    assert look.attempts(order.id) == [("cancelled", 5_000), ("created", 7_500)]
    assert look.faults() == []


def test_a_yes_while_the_owner_cancels_leaves_one_of_the_two(bakery, bread, look, together, drain):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, MORE)

    outcomes = together(lambda: yes(change), lambda: cancel_order(order.id, "", ALICIA))

    assert outcomes in (["NotChangeable", "done"], ["done", "done"])
    drain(bakery)
    assert look.order(order.id)[0] == "cancelled"
    assert look.stock(bread) == (9, 0)
    assert ledger.balance(Account.SALES, order.id) == 0
    assert look.faults() == []


def test_a_yes_while_the_owner_withdraws_it_does_one_of_the_two(bread, look, together):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, MORE)

    outcomes = together(lambda: yes(change), lambda: answering.withdraw(change.id, ALICIA))

    assert outcomes == ["ChangeOver", "done"]
    state = changes_of(order.id)[0].state
    total, reserved = (7_500, 3) if state is ChangeState.APPLIED else (5_000, 2)
    assert look.order(order.id)[2] == total
    assert look.stock(bread)[1] == reserved


def test_a_yes_while_cash_is_noted_takes_either_the_old_total_or_the_new(bread, look, together):
    order = an_order(bread, 2, confirmed=True)
    change = ask(order.id, MORE)

    together(lambda: yes(change), lambda: actions.record_cash(order.id, ALICIA))

    assert ledger.money_held(order.id) == look.order(order.id)[2]
    assert look.faults() == []


def test_yes_to_two_orders_while_others_buy_never_promises_more_than_there_is(bread, look, together):
    """The change's hold becomes the order's under the count's lock: nobody gets in between."""
    orders = [an_order(bread, 2, confirmed=True) for _ in range(2)]
    changes = [ask(order.id, MORE) for order in orders]

    outcomes = together(*[lambda change=change: yes(change) for change in changes],
                        *[lambda: an_order(bread, 1) for _ in range(6)])  # fmt: skip

    assert outcomes == ["OutOfStock"] * 3 + ["done"] * 5
    assert look.stock(bread) == (9, 9)
    assert [look.order(order.id)[2] for order in orders] == [7_500, 7_500]
    assert look.faults() == []


# --- what is in bundles, and what an order costs besides its goods --------------------------------------------------


def a_breakfast(concha):
    """Two conchas and a coffee, sold as one thing."""
    bundle, cup = a_product("Desayuno", price=6_000), a_product("Café", stock=9)
    put_in(bundle.variant_id, concha.variant_id, 2, ALICIA)
    put_in(bundle.variant_id, cup.variant_id, 1, ALICIA)
    return bundle, cup


def test_a_bundle_that_is_added_holds_and_takes_what_is_in_it(bread, look):
    bundle, cup = a_breakfast(bread)
    order = an_order(bread, 1)

    change = ask(order.id, Wish({}, {bundle.variant_code: 2}))
    assert (look.stock(bread), look.stock(cup)) == ((9, 5), (9, 2))
    yes(change)
    confirm_order(order.id, ALICIA)
    hand_over_part(order.id, {1: 1, 2: 1}, ALICIA)

    assert (look.stock(bread), look.stock(cup)) == ((6, 2), (8, 1))
    assert look.faults() == []


def test_fewer_of_a_bundle_free_what_was_in_them(bread, look):
    bundle, cup = a_breakfast(bread)
    cart = add_goods(None, bundle.variant_id, 3)
    placed = place(cart.token, details_for(cart), new_token(), DORA)
    order_id = db.session.scalar(select(Order.id).where(Order.token == placed.order_token))

    change_at_once(order_id, LESS, "no_stock", "", ALICIA, told=False)

    assert (look.stock(bread), look.stock(cup)) == ((9, 2), (9, 1))
    assert look.faults() == []


def test_packaging_and_tip_stay_as_they_were_agreed(bread, look):
    order = an_order(bread, 2)
    with transaction():
        with_fees = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[NewLine(ProductKind.GOODS, bread.id, bread.variant_id, "Concha", "", "", 2, 2_500)],
                payment_method="pay_at_shop", fulfilment_method=FulfilmentMethod.PICKUP, contact_name="Dora",
                contact_phone=PHONE, packaging_minor=300, tip_minor=500,
            ),
            DORA,
        )  # fmt: skip
    assert with_fees.total_minor == order.total_minor + 800

    change_at_once(with_fees.id, MORE, "asked", "", ALICIA, told=True)

    assert look.order(with_fees.id)[2] == 7_500 + 800
    confirm_order(with_fees.id, ALICIA)
    actions.book_sale(with_fees.id)
    assert ledger.balance(Account.RECEIVABLE, with_fees.id) == 8_300
    assert look.faults() == []
