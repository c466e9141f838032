"""Many people who want the last places, on real threads and a real database; each guard is seen to matter."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import Busy
from storefront.kernel.tenancy import acting_for
from storefront.reservations import actions
from storefront.reservations.actions import SlotTaken, cancel_bookings, confirm_bookings, expire_overdue, move_booking
from storefront.reservations.invariants import invariants
from storefront.reservations.models import Booking, BookingState, Resource
from tests.factories.reservations import DIEGO, a_booking, a_hold, a_room, a_tour, in_days, local

TAKEN = SlotTaken.__name__


def all_at_once(app, shop, work, threads, turns=1):
    """Run `work(number)` in so many threads at once, each so many times; count how each try ended."""
    start = Barrier(threads)

    def one(number):
        ends = []
        with app.app_context(), acting_for(shop):
            start.wait(timeout=30)
            for turn in range(turns):
                try:
                    work(number * turns + turn)
                except Exception as error:  # noqa: BLE001 (the kind of ending is what is counted)
                    ends.append(type(error).__name__)
                else:
                    ends.append("done")
        return ends

    with ThreadPoolExecutor(threads) as pool:
        return Counter(end for ends in pool.map(one, range(threads)) for end in ends)


def deadlocks(servers):
    """How many deadlocks the tests' database has seen."""
    with psycopg.connect(servers.database.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
        name = db.engine.url.database
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", (name,)).fetchone()
    return row[0]


def live_bookings():
    found = db.session.scalar(
        select(func.count()).select_from(Booking).where(Booking.state.in_([BookingState.HELD, BookingState.CONFIRMED]))
    )
    db.session.rollback()
    return found


def try_again(work):
    """As a person would when told that many people are at it."""
    for _ in range(20):
        try:
            return work()
        except Busy:
            continue
    raise AssertionError("busy twenty times over")


def rush(app, servers, shop, *, threads, turns, slots=1):
    """Everybody wants the same slot of three places at the same time; then the next slot, so many times."""
    with acting_for(shop):
        tour = a_tour(3)
        starts = [local(in_days(1 + number // 9), 9 + number % 9) for number in range(slots)]
    at = {number: starts[number % turns * slots // turns] for number in range(threads * turns)}

    ends = all_at_once(app, shop, lambda number: try_again(lambda: a_hold(tour, at[number])), threads, turns)

    assert ends == {"done": 3 * slots, TAKEN: threads * turns - 3 * slots}
    assert deadlocks(servers) == 0
    with acting_for(shop):
        assert live_bookings() == 3 * slots
        assert invariants() == []


def test_of_six_hundred_tries_for_three_places_exactly_three_succeed_without_a_deadlock(app, servers, inn):
    """cal.diy #13397: ten parallel requests became ten bookings."""
    rush(app, servers, inn, threads=30, turns=20)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_of_ten_thousand_tries_exactly_three_for_each_of_fifty_slots_succeed_without_a_deadlock(app, servers, inn):
    rush(app, servers, inn, threads=40, turns=250, slots=50)


def test_stays_that_overlap_in_every_way_never_share_a_room(app, servers, inn, within):
    with within(inn):
        room, first = a_room(2), in_days(2)

    def stay(number):
        day, nights = first + timedelta(days=number % 5), number % 3 + 1
        try_again(lambda: a_booking(room, local(day, 15), nights=nights))

    ends = all_at_once(app, inn, stay, threads=12, turns=5)

    assert set(ends) == {"done", TAKEN}
    assert deadlocks(servers) == 0
    with within(inn):
        assert invariants() == []


def test_places_of_holds_that_ran_out_are_given_out_again_once_however_many_want_them(app, servers, inn, within):
    with within(inn):
        tour = a_tour(5)
        for _ in range(5):
            a_hold(tour, minutes=-1)

    def take_or_tidy(number):
        if number % 4 == 0:
            try_again(expire_overdue)
        try_again(lambda: a_hold(tour))

    ends = all_at_once(app, inn, take_or_tidy, threads=20)

    assert ends == {"done": 5, TAKEN: 15}
    assert deadlocks(servers) == 0
    with within(inn):
        assert invariants() == []


def test_holding_confirming_moving_and_giving_back_at_once_keeps_every_place_counted(app, servers, inn, within):
    with within(inn):
        tours = [a_tour(2), a_tour(2)]
        ten = local(in_days(), 10)

    def live(number):
        tour = tours[number % 2]
        booking = try_again(lambda: a_hold(tour, ten + timedelta(hours=number % 3)))
        try_again(lambda: actions.extend_bookings([booking.id], until=clock.now() + timedelta(hours=1), order_id=1))
        if number % 3 == 0:
            try_again(lambda: confirm_bookings([booking.id], DIEGO))
        if number % 3 == 1:
            try_again(lambda: move_booking(booking.code, ten + timedelta(hours=number % 4), DIEGO))
        if number % 2:
            try_again(lambda: cancel_bookings([booking.id], DIEGO, ""))

    ends = all_at_once(app, inn, live, threads=12, turns=5)

    assert set(ends) <= {"done", TAKEN}
    assert deadlocks(servers) == 0
    with within(inn):
        assert invariants() == []


# --- without the guards -------------------------------------------------------------------------------------------


def without_lock(monkeypatch):
    """Read the row without waiting for anybody."""

    def only_read(model, ids):
        return list(db.session.scalars(select(model).where(model.id.in_(ids))))

    monkeypatch.setattr(actions, "lock_rows", only_read)


def test_without_the_lock_the_constraint_still_keeps_everybody_out(app, inn, within, monkeypatch):
    """eventyay #1359: a lock was left out "for performance". Here the constraint is the guarantee."""
    with within(inn):
        tour, ten = a_tour(1), local(in_days(), 10)
    without_lock(monkeypatch)

    ends = all_at_once(app, inn, lambda _n: a_hold(tour, ten), threads=6)

    assert ends["done"] == 1
    assert set(ends) <= {"done", TAKEN, IntegrityError.__name__, Busy.__name__, "OperationalError"}
    with within(inn):
        assert live_bookings() == 1
        assert invariants() == []


def test_without_lock_and_constraint_one_place_is_sold_many_times_and_the_invariant_says_so(
    app, servers, inn, within, monkeypatch
):
    """The twin that must fail: only these two stand between the guests and one bed."""
    owner = servers.database.url(db.engine.url.database, "shop_owner").replace("+psycopg", "")
    with within(inn):
        tour, ten = a_tour(1), local(in_days(), 10)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("ALTER TABLE booking_seats DROP CONSTRAINT ex_booking_seats_overlap")
    without_lock(monkeypatch)
    looked = Barrier(12)
    real = actions.find_places

    def look_together(*asked):
        found = real(*asked)
        looked.wait(timeout=30)
        return found

    monkeypatch.setattr(actions, "find_places", look_together)

    ends = all_at_once(app, inn, lambda _n: a_hold(tour, ten), threads=12)

    assert ends == {"done": 12}
    with within(inn):
        assert db.session.scalar(select(Resource.capacity).where(Resource.id == tour.resource_id)) == 1
        assert {fault["invariant"] for fault in invariants()} == {"I4"}
        assert len(invariants()) == 12 * 11 // 2
