"""Turning a cart into an order: once, at the price that was seen, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.cart.actions import NotForSale, add_booking, add_goods
from storefront.cart.models import Cart
from storefront.cart.queries import cart_view
from storefront.catalogue import actions as catalogue
from storefront.checkout.actions import (
    EmptyCart,
    MethodUnavailable,
    NoDelivery,
    PriceChanged,
    place,
)
from storefront.delivery.contracts import ZoneDetails, add_zone
from storefront.inventory.actions import OutOfStock, adjust_stock
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.ids import new_token, token_hash
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import confirm_paid_order, expire_order
from storefront.orders.models import FulfilmentMethod, Order
from storefront.orders.queries import invariants, order_by_token
from storefront.payments import door
from storefront.payments.models import PaymentAttempt
from storefront.payments.provider import CheckoutRef, GatewayUnavailable
from storefront.reservations.actions import HoldExpired
from storefront.reservations.models import Booking, BookingState
from tests.factories.catalogue import OWNER, a_product
from tests.factories.orders import DORA, HOME, PHONE, a_cart, a_time, a_tour, details_for
from tests.orders.conftest import set_price

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def nothing_happened(cart, product=None, left=None):
    """No order, no try to pay, nothing to be told; the cart as it was, the stock too."""
    assert db.session.scalar(select(func.count(Order.id))) == 0
    assert db.session.scalar(select(func.count(PaymentAttempt.id))) == 0
    assert db.session.scalar(select(func.count(OutboxRow.id)).where(OutboxRow.event == "OrderPlaced")) == 0
    assert len(cart_view(cart.token).lines) == 1
    if product is not None:
        assert available([product.variant_id]) == {product.variant_id: left}
    db.session.rollback()
    return True


def test_a_cart_becomes_an_order_with_its_goods_held_and_its_payment_opened():
    bread = a_product("Concha", price=1_500, stock=10)
    cart = a_cart(bread, 3)

    placed = place(cart.token, details_for(cart), "key", DORA)

    order = order_by_token(placed.order_token)
    assert (order.total_minor, order.contact_phone, order.state) == (4_500, PHONE, "requested")
    assert [(line.product_name, line.quantity) for line in order.lines] == [("Concha", 3)]
    assert available([bread.variant_id]) == {bread.variant_id: 7}
    assert db.session.scalars(select(PaymentAttempt.amount_minor)).all() == [4_500]
    assert cart_view(cart.token).lines == ()


def test_the_same_form_sent_again_gives_the_same_order():
    cart = a_cart(a_product(stock=5))
    details = details_for(cart)

    first = place(cart.token, details, "key", DORA)
    again = place(cart.token, replace(details, name="Otra"), "key", DORA)

    assert again.order_token == first.order_token
    assert again.repeated
    assert not first.repeated
    assert db.session.scalar(select(func.count(Order.id))) == 1


def test_the_same_cart_from_another_tab_gives_the_same_order():
    cart = a_cart(a_product(stock=5))
    details = details_for(cart)

    first = place(cart.token, details, "one tab", DORA)
    again = place(cart.token, details, "another tab", DORA)

    assert again.order_token == first.order_token
    assert db.session.scalar(select(func.count(Order.id))) == 1


def test_what_is_added_afterwards_is_a_new_order():
    bread = a_product(stock=5)
    cart = a_cart(bread)
    first = place(cart.token, details_for(cart), "first", DORA)
    add_goods(cart.token, bread.variant_id, 1)

    second = place(cart.token, details_for(cart), "second", DORA)

    assert second.order_token != first.order_token
    assert not second.repeated


@pytest.mark.parametrize("same_key", [True, False], ids=["one form tapped", "twenty tabs"])
@pytest.mark.fault("R7 woocommerce #62659")
def test_twenty_posts_of_one_cart_at_once_make_one_order_and_all_get_it(app, bakery, same_key):
    """woocommerce #62659: a form that was sent twice became two orders."""
    bread = a_product(stock=50)
    cart = a_cart(bread, 2)
    details = details_for(cart)
    db.session.rollback()
    start = Barrier(20)

    def post(number: int) -> str:
        with app.app_context(), acting_for(bakery):
            start.wait(timeout=20)
            return place(cart.token, details, "key" if same_key else new_token(), DORA).order_token

    with ThreadPoolExecutor(20) as pool:
        tokens = set(pool.map(post, range(20)))

    assert len(tokens) == 1
    assert db.session.scalar(select(func.count(Order.id))) == 1
    assert db.session.scalar(select(func.count(PaymentAttempt.id))) == 1
    assert available([bread.variant_id]) == {bread.variant_id: 48}
    assert invariants() == []


def test_without_the_lock_on_the_cart_twenty_tabs_would_order_twenty_times(app, bakery, monkeypatch):
    """The guard is seen to matter: with the cart unlocked, the same posts make several orders."""
    bread = a_product(stock=50)
    cart = a_cart(bread)
    details = details_for(cart)
    db.session.rollback()
    start = Barrier(8)

    def unlocked(token):
        row = db.session.scalars(select(Cart).where(Cart.token_hash == token_hash(token))).first()
        start.wait(timeout=20)
        return row

    monkeypatch.setattr("storefront.checkout.actions.lock_cart", unlocked)

    def post(number: int) -> str | None:
        with app.app_context(), acting_for(bakery):
            try:
                return place(cart.token, details, new_token(), DORA).order_token
            except Exception:  # noqa: BLE001 (lost races end in many ways)
                return None

    with ThreadPoolExecutor(8) as pool:
        tokens = {token for token in pool.map(post, range(8)) if token}

    assert len(tokens) > 1


def test_a_price_that_changed_meanwhile_is_refused_and_nothing_happened():
    bread = a_product(price=1_500, stock=5)
    cart = a_cart(bread)
    details = details_for(cart)
    set_price(bread, 1_800)

    with pytest.raises(PriceChanged) as refusal:
        place(cart.token, details, "key", DORA)

    assert refusal.value.bill.total.minor == 1_800
    assert "El precio cambió" in str(refusal.value)
    assert nothing_happened(cart, bread, 5)


def test_something_else_for_the_same_price_is_not_what_was_seen():
    bread, cake = a_product(price=1_500), a_product(price=1_500)
    cart = a_cart(bread)
    details = details_for(cart)
    other = a_cart(cake)

    with pytest.raises(PriceChanged):
        place(other.token, details, "key", DORA)

    assert nothing_happened(other)


@pytest.mark.fault("R5 spree #11286")
def test_goods_added_in_another_tab_while_paying_are_not_slipped_in():
    """spree #11286: what was added while paying was sold without being paid."""
    bread = a_product(price=1_500, stock=5)
    cart = a_cart(bread)
    details = details_for(cart)
    add_goods(cart.token, bread.variant_id, 1)

    with pytest.raises(PriceChanged):
        place(cart.token, details, "key", DORA)

    assert nothing_happened(cart, bread, 5)


def test_a_refused_form_can_be_sent_again_once_the_bill_was_seen():
    bread = a_product(price=1_500)
    cart = a_cart(bread)
    details = details_for(cart)
    set_price(bread, 1_800)
    with pytest.raises(PriceChanged) as refusal:
        place(cart.token, details, "key", DORA)

    placed = place(cart.token, replace(details, shown=refusal.value.bill.stamp), "key", DORA)

    assert order_by_token(placed.order_token).total_minor == 1_800


def test_sold_out_while_placing_keeps_the_cart():
    bread = a_product("Concha", stock=1)
    cart = a_cart(bread)
    details = details_for(cart)
    adjust_stock(bread.variant_id, on_hand=0, reason="counted", by=OWNER)

    with pytest.raises(OutOfStock) as refusal:
        place(cart.token, details, "key", DORA)

    assert "Concha" in str(refusal.value)
    assert nothing_happened(cart, bread, 0)


def test_the_last_piece_goes_to_one_of_two_buyers_and_the_other_keeps_the_cart(app, bakery):
    bread = a_product(stock=1)
    carts = [a_cart(bread), a_cart(bread)]
    wishes = [(cart, details_for(cart)) for cart in carts]
    db.session.rollback()
    start = Barrier(2)

    def buy(wish) -> str:
        cart, details = wish
        with app.app_context(), acting_for(bakery):
            start.wait(timeout=20)
            try:
                place(cart.token, details, "key", DORA)
            except OutOfStock:
                return "sold out"
            return "bought"

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(buy, wishes))

    assert ends == ["bought", "sold out"]
    assert sum(len(cart_view(cart.token).lines) for cart in carts) == 1
    assert available([bread.variant_id]) == {bread.variant_id: 0}


def test_what_is_no_longer_for_sale_is_refused():
    bread = a_product()
    cart = a_cart(bread)
    details = details_for(cart)
    catalogue.archive(bread.id, by=OWNER)

    with pytest.raises(NotForSale):
        place(cart.token, details, "key", DORA)

    assert nothing_happened(cart)


def test_an_empty_cart_is_no_order():
    for token in (None, "unknown"):
        with pytest.raises(EmptyCart):
            place(token, details_for(a_cart(a_product())), "key", DORA)

    assert db.session.scalar(select(func.count(Order.id))) == 0


# --- receiving and paying -----------------------------------------------------------------------------------------


def test_a_delivery_is_priced_by_its_zone_and_kept_on_the_order():
    add_zone(ZoneDetails("Centro", 4_000, localities=("Jalatlaco",)), OWNER)
    cart = a_cart(a_product(price=1_500))

    placed = place(cart.token, details_for(cart, pay="cash_on_delivery", address=HOME), "key", DORA)

    order = order_by_token(placed.order_token)
    assert (order.shipping_minor, order.total_minor, order.shipping_name) == (4_000, 5_500, "Centro")
    assert order.address["street"] == HOME.street


def test_a_place_nobody_delivers_to_is_refused():
    cart = a_cart(a_product())
    details = replace(
        details_for(cart), fulfilment_method=FulfilmentMethod.DELIVERY, address=HOME, payment_method="cash_on_delivery"
    )

    with pytest.raises(NoDelivery):
        place(cart.token, details, "key", DORA)

    assert nothing_happened(cart)


@pytest.mark.parametrize("pay", ["cash_on_delivery", "bitcoin", ""])
def test_a_way_of_payment_that_does_not_fit_is_refused(pay):
    cart = a_cart(a_product())

    with pytest.raises(MethodUnavailable):
        place(cart.token, details_for(cart, pay=pay), "key", DORA)

    assert nothing_happened(cart)


class Provider:
    """A card provider that answers, or does not."""

    live = False

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.asked = []

    def open_checkout(self, **given):
        self.asked.append((given["key"], bool(db.session().info.get("in_transaction"))))
        if not self.answers:
            raise GatewayUnavailable
        return CheckoutRef("cs_1", "https://pay.example/cs_1", None, given["expires_at"])


@pytest.fixture
def provider():
    """Open the door to a provider for one test."""
    provider = Provider()
    door.use_gateway(provider)
    yield provider
    door.use_gateway(None)


def test_a_card_goes_on_to_the_providers_page_which_is_asked_outside_any_transaction(provider):
    cart = a_cart(a_product())
    details = details_for(cart, pay="card")

    placed = place(cart.token, details, "key", DORA)
    again = place(cart.token, details, "key", DORA)

    assert placed.redirect_url == again.redirect_url == "https://pay.example/cs_1"
    assert [inside for _key, inside in provider.asked] == [False]
    assert order_by_token(placed.order_token).payment_state == "payment_pending"


def test_a_provider_that_does_not_answer_leaves_the_order_waiting(provider):
    provider.answers = False
    cart = a_cart(a_product())

    placed = place(cart.token, details_for(cart, pay="card"), "key", DORA)

    assert placed.redirect_url is None
    assert placed.problem
    assert order_by_token(placed.order_token).state == "awaiting_payment"


# --- reservations -------------------------------------------------------------------------------------------------


def test_goods_and_a_time_are_one_order_and_the_time_is_kept_as_long_as_the_order():
    tour, bread = a_tour(price=5_000), a_product(price=1_500)
    cart = add_booking(None, tour.variant_code, a_time(tour))
    add_goods(cart.token, bread.variant_id, 1)

    placed = place(cart.token, details_for(cart, pay="bank_transfer"), "key", DORA)

    order = order_by_token(placed.order_token)
    booking = db.session.scalars(select(Booking)).one()
    assert order.total_minor == 6_500
    assert booking.order_id == order.id
    assert booking.expires_at > order.expires_at
    assert booking.contact_phone == PHONE
    assert [line.starts_at for line in order.lines if line.booking_id] == [booking.starts_at]


def test_a_time_that_ran_out_is_refused_and_the_cart_kept():
    tour = a_tour()
    cart = add_booking(None, tour.variant_code, a_time(tour))
    details = details_for(cart)

    with time_machine.travel(clock.now() + timedelta(minutes=16)), pytest.raises(HoldExpired):
        place(cart.token, details, "key", DORA)

    assert nothing_happened(cart)


def test_late_money_for_a_time_that_somebody_else_has_is_refused():
    tour = a_tour(seats=1)
    when = a_time(tour, days=5)
    cart = add_booking(None, tour.variant_code, when)
    placed = place(cart.token, details_for(cart, pay="bank_transfer"), "key", DORA)
    order = order_by_token(placed.order_token)

    with time_machine.travel(clock.now() + timedelta(days=2)):
        expire_order(order.id)
        add_booking(None, tour.variant_code, when)
        assert not confirm_paid_order(order.id)

    assert order_by_token(placed.order_token).state == "expired"
    assert db.session.scalar(select(Booking.state).where(Booking.order_id == order.id)) == BookingState.EXPIRED


def test_late_money_confirms_the_time_when_it_is_still_free():
    tour = a_tour(seats=1)
    cart = add_booking(None, tour.variant_code, a_time(tour, days=5))
    placed = place(cart.token, details_for(cart, pay="bank_transfer"), "key", DORA)
    order = order_by_token(placed.order_token)

    with time_machine.travel(clock.now() + timedelta(days=2)):
        expire_order(order.id)
        assert confirm_paid_order(order.id)

    assert db.session.scalar(select(Booking.state).where(Booking.order_id == order.id)) == BookingState.CONFIRMED
