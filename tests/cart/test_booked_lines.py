"""Times and stays in a cart: held for a while, given back, chosen again."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from storefront.cart.actions import (
    HOLD_FOR,
    NotForSale,
    add_booking,
    add_goods,
    remove_line,
    restore_line,
    set_quantity,
)
from storefront.cart.models import Cart
from storefront.cart.queries import Trouble, cart_view
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import Invalid
from storefront.reservations.actions import SlotTaken
from storefront.reservations.models import Booking, BookingState
from tests.factories.catalogue import a_product
from tests.factories.orders import DORA, a_time, a_tour

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def test_a_time_is_held_for_a_quarter_of_an_hour_beside_the_goods():
    tour, bread = a_tour(price=5_000), a_product(price=1_500)
    cart = add_booking(None, tour.variant_code, a_time(tour), quantity=2)
    cart = add_goods(cart.token, bread.variant_id, 3)

    view = cart_view(cart.token)

    assert cart.count == 4
    assert view.totals.total_minor == 2 * 5_000 + 3 * 1_500
    assert view.has_goods
    assert view.has_bookings
    assert view.is_ready
    assert timedelta(0) < view.expires_at - clock.now() <= HOLD_FOR


def test_a_time_that_ran_out_is_explained_and_stops_the_order():
    tour = a_tour()
    cart = add_booking(None, tour.variant_code, a_time(tour))

    with time_machine.travel(clock.now() + HOLD_FOR + timedelta(seconds=1)):
        view = cart_view(cart.token)

    assert view.lines[0].trouble is Trouble.EXPIRED
    assert view.lines[0].product_slug == tour.slug
    assert not view.is_ready
    assert view.totals.total_minor == 0


def test_a_taken_time_is_refused_and_nothing_is_in_the_cart():
    tour = a_tour(seats=1)
    when = a_time(tour)
    add_booking(None, tour.variant_code, when)

    with pytest.raises(SlotTaken):
        add_booking(None, tour.variant_code, when)

    assert len(db.session.scalars(select(Cart)).all()) == 1


def test_goods_cannot_be_booked():
    bread = a_product()

    with pytest.raises(NotForSale):
        add_booking(None, bread.variant_code, clock.now())

    assert db.session.scalars(select(Booking)).all() == []


def test_a_removed_time_is_free_for_others_at_once():
    tour = a_tour(seats=1)
    when = a_time(tour)
    cart = add_booking(None, tour.variant_code, when)

    removed = remove_line(cart.token, cart_view(cart.token).lines[0].code, DORA)

    assert db.session.scalars(select(Booking.state)).all() == [BookingState.CANCELLED]
    add_booking(None, tour.variant_code, when)
    with pytest.raises(SlotTaken):
        restore_line(cart.token, removed.code)
    assert cart_view(cart.token).lines == ()


def test_undoing_the_removal_holds_the_time_again():
    tour = a_tour(seats=1)
    cart = add_booking(None, tour.variant_code, a_time(tour))
    removed = remove_line(cart.token, cart_view(cart.token).lines[0].code, DORA)

    restore_line(cart.token, removed.code)

    assert cart_view(cart.token).is_ready


def test_the_quantity_of_a_reservation_is_chosen_with_its_time():
    tour = a_tour()
    cart = add_booking(None, tour.variant_code, a_time(tour))

    with pytest.raises(Invalid):
        set_quantity(cart.token, cart_view(cart.token).lines[0].code, 2)

    assert cart_view(cart.token).lines[0].quantity == 1
