"""Whom a promotion is for: decided by what a person bought in this shop, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from storefront.cart.actions import use_coupon
from storefront.cart.queries import cart_view
from storefront.checkout.actions import PriceChanged, place
from storefront.checkout.queries import buyer_of
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, confirm_order, expire_order
from storefront.orders.models import Order
from storefront.orders.queries import history_of
from storefront.orders.states import Channel, PaymentState
from storefront.pricing.discounts import WhyNot
from storefront.promotions.actions import PromotionUsedByYou
from storefront.promotions.audiences import NOTHING_YET, NUMBERED, Audience, History, barred
from storefront.promotions.words import coupon_note
from tests.factories.catalogue import a_product
from tests.factories.customers import a_customer
from tests.factories.orders import ALICIA, DORA, EMAIL, PHONE, a_cart, an_order, details_for
from tests.factories.promotions import a_promotion
from tests.promotions.conftest import counted, redeemed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OTHER_PHONE, OTHER_EMAIL = "+529510000000", "otra@example.com"

pasts = st.builds(
    lambda waiting, bought, days, minor: History(
        waiting + bought, NOW - timedelta(days=days) if waiting + bought else None, bought, minor if bought else 0
    ),
    st.integers(0, 3),
    st.integers(0, 9),
    st.integers(0, 900),
    st.integers(0, 10**6),
)


@pytest.fixture
def bread(at_the_bakery):
    return a_product(price=10_000, stock=99)


def bought(bread, times=1, *, days_ago=0):
    """Dora's orders that count, the last of them so many days ago."""
    with time_machine.travel(clock.now() - timedelta(days=days_ago)):
        return [an_order(bread, unit_minor=10_000, confirmed=True) for _ in range(times)][-1]


def reads(bread, buyer):
    """What the coupon does for somebody: the total of bread for a hundred, and the sentence that says why not."""
    cart = a_cart(bread)
    use_coupon(cart.token, "PARATI")
    view = cart_view(cart.token, buyer=buyer)
    return view.totals.total_minor, coupon_note(view.offers, view.totals)


# --- the rule -----------------------------------------------------------------------------------------------------


@given(pasts, st.integers(7, 730))
def test_everybody_is_either_new_or_has_ordered_and_only_who_bought_may_be_away(past, number):
    may = {one: barred(one, number if one in NUMBERED else None, past, NOW) is None for one in Audience}

    assert may[Audience.EVERYBODY]
    assert may[Audience.FIRST_ORDER] == (past.standing == 0)
    assert may[Audience.BOUGHT] == (past.bought > 0)
    assert not (may[Audience.FIRST_ORDER] and may[Audience.BOUGHT])
    assert may[Audience.BOUGHT] or not (may[Audience.AWAY] or may[Audience.ORDERS] or may[Audience.SPENT])


@given(pasts, st.integers(7, 730), st.sampled_from([Audience.ORDERS, Audience.SPENT]))
def test_a_regular_stays_one_however_much_more_they_buy(past, number, audience):
    more = replace(past, standing=past.standing + 1, bought=past.bought + 1, bought_minor=past.bought_minor + 500)

    assert barred(audience, number, past, NOW) is not None or barred(audience, number, more, NOW) is None


@pytest.mark.parametrize(
    ("audience", "number", "just", "almost", "why"),
    [
        (Audience.AWAY, 60, History(1, NOW - timedelta(days=60), 1, 1),
         History(1, NOW - timedelta(days=60) + timedelta(seconds=1), 1, 1), WhyNot.NOT_AWAY),
        (Audience.ORDERS, 3, History(3, NOW, 3, 1), History(3, NOW, 2, 1), WhyNot.NOT_REGULAR),
        (Audience.SPENT, 500, History(1, NOW, 1, 500), History(1, NOW, 1, 499), WhyNot.NOT_REGULAR),
    ],
)  # fmt: skip
def test_the_number_itself_is_enough_and_a_little_less_is_not(audience, number, just, almost, why):
    assert barred(audience, number, just, NOW) is None
    assert barred(audience, number, almost, NOW) is why
    assert barred(audience, number, NOTHING_YET, NOW) is why


# --- in the shop --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "number", "sentence"),
    [
        (Audience.BOUGHT, None, "para quien ya compró aquí"),
        (Audience.AWAY, 60, "para quien compró hace tiempo"),
        (Audience.ORDERS, 2, "para clientes frecuentes"),
        (Audience.SPENT, 20_000, "para clientes frecuentes"),
    ],
)
def test_a_person_is_known_by_telephone_or_by_mail_and_a_stranger_reads_whom_it_is_for(
    bread, audience, number, sentence
):
    a_promotion("Para ti", coupon="PARATI", audience=audience, audience_number=number)
    bought(bread, 2, days_ago=60)

    assert reads(bread, buyer_of(None, PHONE, None)) == (9_000, None)
    assert reads(bread, buyer_of(None, OTHER_PHONE, EMAIL.upper())) == (9_000, None)
    for stranger in (buyer_of(None, OTHER_PHONE, OTHER_EMAIL), buyer_of(None, None, None)):
        total, note = reads(bread, stranger)
        assert (total, sentence in note) == (10_000, True)


def test_a_person_is_known_by_their_account(bread):
    a_promotion("Para ti", coupon="PARATI", audience=Audience.BOUGHT)
    dora, other = a_customer(email=OTHER_EMAIL), a_customer("Eva", email="eva@example.com")
    order = bought(bread)
    with transaction():
        db.session.execute(update(Order).where(Order.id == order.id).values(customer_id=dora))

    assert reads(bread, buyer_of(dora, None, None))[0] == 9_000
    assert reads(bread, buyer_of(other, None, None))[0] == 10_000


def test_who_ordered_lately_is_not_away(bread):
    a_promotion("Para ti", coupon="PARATI", audience=Audience.AWAY, audience_number=60)
    bought(bread, days_ago=90)
    assert reads(bread, buyer_of(None, PHONE, None))[0] == 9_000

    an_order(bread)

    assert reads(bread, buyer_of(None, PHONE, None))[0] == 10_000


def test_an_order_counts_once_it_is_confirmed_and_no_more_when_it_is_cancelled(bread):
    waiting = an_order(bread, unit_minor=10_000)
    assert history_of(None, PHONE, None) == History(1, waiting.placed_at, 0, 0)

    confirm_order(waiting.id, ALICIA)
    assert history_of(None, PHONE, None) == History(1, waiting.placed_at, 1, 10_000)

    cancel_order(waiting.id, "Ya no", ALICIA)
    assert history_of(None, PHONE, None) == NOTHING_YET


def test_an_order_that_lapsed_counts_for_nothing(bread):
    order = an_order(bread, pay="bank_transfer")

    with time_machine.travel(clock.now() + timedelta(days=9)):
        assert expire_order(order.id)

    assert history_of(None, PHONE, EMAIL) == NOTHING_YET


@pytest.mark.parametrize("change", [{"payment_state": PaymentState.REFUNDED}, {"channel": Channel.GIFT}])
def test_what_was_refunded_whole_and_a_gift_card_are_no_purchase(bread, change):
    order = bought(bread)
    with transaction():
        db.session.execute(update(Order).where(Order.id == order.id).values(change))

    assert history_of(None, PHONE, None) == History(1, order.placed_at, 0, 0)


def test_what_a_person_bought_in_another_shop_is_nobodys_business_here(bread, crafts):
    a_promotion("Para ti", coupon="PARATI", audience=Audience.BOUGHT)
    with acting_for(crafts):
        bought(a_product(price=10_000, stock=9), 3)
        assert history_of(None, PHONE, EMAIL).bought == 3

    assert history_of(None, PHONE, EMAIL) == NOTHING_YET
    assert reads(bread, buyer_of(None, PHONE, EMAIL))[0] == 10_000


def test_a_history_is_one_statement(bread, statements):
    bought(bread, 3)
    statements.clear()

    history_of(None, PHONE, EMAIL)

    assert len([one for one in statements if "orders" in str(one)]) == 1


# --- the order ----------------------------------------------------------------------------------------------------


def test_the_order_gets_what_the_bill_said(bread):
    made = a_promotion("Te extrañamos", audience=Audience.AWAY, audience_number=60)
    bought(bread, days_ago=90)
    cart = a_cart(bread)

    place(cart.token, details_for(cart), "key", DORA)

    assert counted(made) == (1, 1_000)
    assert redeemed(made) == [1_000]


def test_who_is_not_away_any_more_is_told_before_ordering(bread):
    made = a_promotion("Te extrañamos", audience=Audience.AWAY, audience_number=60)
    bought(bread, days_ago=90)
    cart = a_cart(bread)
    seen = details_for(cart)
    an_order(bread)

    with pytest.raises(PriceChanged) as refusal:
        place(cart.token, seen, "key", DORA)

    assert refusal.value.bill.total.minor == 10_000
    assert counted(made) == (0, 0)


def test_who_came_back_in_two_windows_at_once_uses_it_once(bread, monkeypatch):
    """Both bills were seen, and both transactions read the past before either order was there."""
    made = a_promotion("Te extrañamos", audience=Audience.AWAY, audience_number=60)
    bought(bread, days_ago=90)
    first, second = a_cart(bread), a_cart(bread)
    view = cart_view(second.token, buyer=buyer_of(None, PHONE, EMAIL))
    details = details_for(second)
    place(first.token, details_for(first), "first", DORA)
    before = db.session.scalar(select(func.count(Order.id)))
    monkeypatch.setattr("storefront.checkout.actions.cart_view_by_id", lambda *_: view)

    with pytest.raises(PromotionUsedByYou):
        place(second.token, details, "second", DORA)

    assert counted(made) == (1, 1_000)
    assert db.session.scalar(select(func.count(Order.id))) == before


def test_who_stays_away_again_is_won_back_again(bread):
    made = a_promotion("Te extrañamos", audience=Audience.AWAY, audience_number=60)
    bought(bread, days_ago=90)
    cart = a_cart(bread)
    place(cart.token, details_for(cart), "first", DORA)
    confirm_order(db.session.scalars(select(Order.id).order_by(Order.id.desc()).limit(1)).one(), ALICIA)

    with time_machine.travel(clock.now() + timedelta(days=61)):
        again = a_cart(bread)
        place(again.token, details_for(again), "again", DORA)

    assert counted(made) == (2, 2_000)
