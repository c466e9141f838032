"""Holding, confirming, giving back: each refusal leaves everything as it was."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, LogEntry
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.outbox import OutboxRow
from storefront.reservations.actions import (
    CannotMove,
    Contact,
    HoldExpired,
    NotBookable,
    SlotTaken,
    TooEarly,
    cancel_bookings,
    confirm_bookings,
    expire_overdue,
    extend_bookings,
    hold_slot,
    mark,
    move_booking,
    retake_bookings,
    step_back,
    walk_in,
)
from storefront.reservations.availability import (
    free_nights,
    free_slots,
    free_stay,
    nearest,
    next_free_day,
    nights_of,
)
from storefront.reservations.invariants import invariants
from storefront.reservations.jobs import expire_overdue as tidy
from storefront.reservations.models import Booking, BookingSeat, BookingState, Unit
from storefront.reservations.queries import booking_by_code, day_view, needed_service
from storefront.reservations.setup import (
    ServiceSettings,
    close_day,
    create_resource,
    make_bookable,
    set_active,
    stop_booking,
)
from tests.factories.catalogue import a_product
from tests.factories.reservations import (
    DIEGO,
    DORA,
    a_booking,
    a_hold,
    a_room,
    a_tour,
    daily,
    in_days,
    local,
)

MARCH = datetime(2026, 3, 10, 13, tzinfo=UTC)  # a Tuesday, 10:00 in Valparaíso


@pytest.fixture(autouse=True)
def _spring():
    with time_machine.travel(MARCH, tick=False):
        yield


@pytest.fixture
def house(inn, within):
    """Inside the guest house's scope."""
    with within(inn):
        yield inn


def free_at(service, at):
    return next(s.free for s in free_slots(service.product_id, at.date()) if s.starts_at == at)


def everything():
    """What a refused action must leave as it was."""
    columns = (BookingSeat.booking_id, BookingSeat.seat_no, BookingSeat.during, BookingSeat.live)
    seats = db.session.execute(select(*columns).order_by(BookingSeat.id))
    bookings = db.session.execute(
        select(Booking.id, Booking.state, Booking.during, Booking.expires_at, Booking.order_id).order_by(Booking.id)
    )
    notes = db.session.scalar(select(func.count()).select_from(LogEntry))
    sent = db.session.scalar(select(func.count()).select_from(OutboxRow))
    found = (seats.all(), bookings.all(), notes, sent)
    db.session.rollback()
    return found


def refused(kind, act):
    before = everything()
    with pytest.raises(kind) as caught:
        act()
    assert everything() == before
    assert invariants() == []
    return caught.value


# --- places -------------------------------------------------------------------------------------------------------


def test_a_hold_takes_places_and_the_one_too_many_is_refused_with_the_three_nearest_free_slots(house):
    tour = a_tour(3)
    ten = local(in_days(), 10)
    a_hold(tour, quantity=2)
    a_booking(tour)

    taken = refused(SlotTaken, lambda: a_hold(tour))

    assert free_at(tour, ten) == 0
    assert taken.product_slug == tour.slug
    assert [s.starts_at.astimezone(house.zone).hour for s in taken.nearest] == [9, 11, 12]


def test_the_nearest_slots_have_room_for_everybody_who_asked(house):
    tour = a_tour(3)
    for hour in (9, 10, 11):
        a_hold(tour, local(in_days(), hour))

    taken = refused(SlotTaken, lambda: a_hold(tour, quantity=3))

    assert [s.starts_at.astimezone(house.zone).hour for s in taken.nearest] == [12, 13, 14]


def test_one_may_begin_where_another_ends_but_not_a_minute_before(house):
    tour = a_tour(1, step_min=30)
    a_hold(tour, local(in_days(), 10))

    a_hold(tour, local(in_days(), 11))
    a_hold(tour, local(in_days(), 9))
    refused(SlotTaken, lambda: a_hold(tour, local(in_days(), 10, 30)))


def test_more_people_than_places_are_refused_even_when_all_are_free(house):
    tour = a_tour(3)

    refused(NotBookable, lambda: a_hold(tour, quantity=4))
    refused(NotBookable, lambda: a_hold(tour, quantity=0))


def test_two_services_of_one_resource_share_its_places(house):
    tour = a_tour(1)
    other = a_tour(1)
    make_bookable(other.product_id, tour.resource_id, ServiceSettings(Unit.TIME, 120, 60, 0, 90), DIEGO)
    a_hold(tour, local(in_days(), 10))

    refused(SlotTaken, lambda: a_hold(other, local(in_days(), 9)))
    a_hold(other, local(in_days(), 11))


def test_a_house_with_a_bed_each_night_takes_a_long_stay_by_changing_rooms_nobody_has_seen_yet(house):
    """Two short stays in different rooms: no room is free throughout, but each night one is."""
    room = a_room(2)
    blocker = a_hold(room, local(in_days(1), 15), nights=1)
    late = a_booking(room, local(in_days(1), 15), nights=1)
    cancel_bookings([blocker.id], SYSTEM, "")
    early = a_booking(room, local(in_days(3), 15), nights=1)
    seated = select(BookingSeat.booking_id, BookingSeat.seat_no).where(BookingSeat.live)
    assert dict(db.session.execute(seated).all()) == {late.id: 2, early.id: 1}

    assert free_stay(room.product_id, in_days(1), 3).free == 1
    a_booking(room, local(in_days(1), 15), nights=3)

    assert free_stay(room.product_id, in_days(1), 3).free == 0
    assert invariants() == []


# --- holds --------------------------------------------------------------------------------------------------------


def test_a_hold_past_its_time_frees_its_place_without_any_job(house):
    tour = a_tour(1)
    with time_machine.travel(MARCH, tick=False) as traveller:
        old = a_hold(tour, minutes=15)
        refused(SlotTaken, lambda: a_hold(tour))
        traveller.shift(timedelta(minutes=15))

        assert free_at(tour, local(in_days(), 10)) == 1
        assert day_view(in_days()) == []
        new = a_hold(tour)

        states = dict(db.session.execute(select(Booking.id, Booking.state)).all())
        assert states == {old.id: BookingState.EXPIRED, new.id: BookingState.HELD}
        assert invariants() == []


def test_the_tidying_job_frees_what_ran_out_and_nothing_else(house):
    tour = a_tour(3)
    a_hold(tour, minutes=-1)
    a_hold(tour, minutes=5)
    a_booking(tour)

    tidy.run()

    assert [row.state for row in day_view(in_days())] == [BookingState.HELD, BookingState.CONFIRMED]
    assert expire_overdue() == 0
    assert invariants() == []


def test_hold_then_confirm_then_cancel_frees_the_place(house):
    tour = a_tour(1)
    ten = local(in_days(), 10)
    held = a_hold(tour)

    confirm_bookings([held.id], DIEGO)
    confirm_bookings([held.id], DIEGO)
    assert free_at(tour, ten) == 0
    cancel_bookings([held.id], DIEGO, "Está lloviendo")
    cancel_bookings([held.id], DIEGO, "Otra vez")

    assert free_at(tour, ten) == 1
    assert booking_by_code(held.code).state is BookingState.CANCELLED
    assert booking_by_code(held.code).cancelled_reason == "Está lloviendo"
    trail = db.session.scalars(select(LogEntry.facts).where(LogEntry.subject_id == held.code)).all()
    assert [facts.get("reason") for facts in trail] == [None, None]  # nobody could take a name out of it again
    assert invariants() == []


def test_what_was_given_back_can_be_neither_confirmed_nor_extended(house):
    tour = a_tour(1)
    cancelled, ran_out = a_hold(tour), a_hold(tour, local(in_days(), 12), minutes=-1)
    cancel_bookings([cancelled.id], DIEGO, "")
    expire_overdue()

    for booking in (cancelled, ran_out):
        refused(HoldExpired, lambda b=booking: confirm_bookings([b.id], DIEGO))
        refused(HoldExpired, lambda b=booking: extend_bookings([b.id], until=clock.now(), order_id=1))


def test_extending_is_for_all_or_none_and_a_hold_of_one_order_is_not_anothers(house):
    tour = a_tour(3)
    mine, gone = a_hold(tour), a_hold(tour, minutes=-1)
    expire_overdue()
    until = clock.now() + timedelta(hours=2)

    refused(HoldExpired, lambda: extend_bookings([mine.id, gone.id], until=until, order_id=7))
    extend_bookings([mine.id], until=until, order_id=7, contact=DORA)
    refused(HoldExpired, lambda: extend_bookings([mine.id], until=until, order_id=8))
    extend_bookings([mine.id], until=until + timedelta(hours=1))

    row = booking_by_code(mine.code)
    assert (row.order_id, row.contact_name, row.expires_at) == (7, DORA.name, until + timedelta(hours=1))


def test_a_hold_that_ran_out_still_counts_for_its_order_while_nobody_freed_it(house):
    tour = a_tour(1)
    late = a_hold(tour, minutes=-1)

    extend_bookings([late.id], until=clock.now() + timedelta(hours=1), order_id=7)

    refused(SlotTaken, lambda: a_hold(tour))


def test_money_that_came_late_takes_the_places_again_if_they_are_free(house):
    tour = a_tour(2)
    lapsed, overdue = a_hold(tour, minutes=-1), a_hold(tour, minutes=-1)
    until = clock.now() + timedelta(minutes=10)
    with transaction():  # one was freed by somebody, the other only ran out
        db.session.execute(update(BookingSeat).where(BookingSeat.booking_id == lapsed.id).values(live=False))
        db.session.execute(
            update(Booking).where(Booking.id == lapsed.id).values(state=BookingState.EXPIRED, expires_at=None)
        )

    retake_bookings([lapsed.id, overdue.id], until=until)
    confirm_bookings([lapsed.id, overdue.id], SYSTEM)

    assert {row.state for row in day_view(in_days())} == {BookingState.CONFIRMED}
    assert invariants() == []


def test_money_that_came_late_takes_nothing_when_one_place_is_gone(house):
    tour = a_tour(1)
    one, other = a_hold(tour, minutes=-1), a_hold(tour, local(in_days(), 12), minutes=-1)
    expire_overdue()
    a_booking(tour, local(in_days(), 12))

    refused(SlotTaken, lambda: retake_bookings([one.id, other.id], until=clock.now() + timedelta(hours=1)))


def test_money_for_a_time_that_has_passed_takes_nothing(house):
    tour = a_tour(1)
    late = a_hold(tour, minutes=-1)
    expire_overdue()

    with time_machine.travel(MARCH + timedelta(days=2), tick=False):
        refused(SlotTaken, lambda: retake_bookings([late.id], until=clock.now() + timedelta(hours=1)))


# --- what is offered ----------------------------------------------------------------------------------------------


def test_nothing_before_the_notice_and_nothing_past_the_horizon(house):
    tour = a_tour(1, min_notice_min=120, horizon_days=10)

    offered = [s.starts_at for s in free_slots(tour.product_id, in_days(0), days=30)]

    assert offered[0] == local(in_days(0), 12)
    assert offered[-1] == local(in_days(10), 10)
    refused(NotBookable, lambda: a_hold(tour, local(in_days(0), 11)))
    refused(NotBookable, lambda: a_hold(tour, local(in_days(10), 11)))
    refused(NotBookable, lambda: a_hold(tour, local(in_days(-1), 11)))


def test_only_the_starts_of_the_grid_within_the_hours_are_offered(house):
    tour = a_tour(1, hours=daily(("09:00", "12:00"), ("15:00", "17:00")), duration_min=90, step_min=30)

    found = [s.starts_at.astimezone(house.zone).strftime("%H:%M") for s in free_slots(tour.product_id, in_days())]

    assert found == ["09:00", "09:30", "10:00", "10:30", "15:00", "15:30"]
    for at in (local(in_days(), 11), local(in_days(), 9, 15), local(in_days(), 8)):
        refused(NotBookable, lambda at=at: a_hold(tour, at))


@pytest.mark.parametrize("year", [1, 1900, 2200, 9999])
def test_a_date_from_another_century_is_refused_like_any_other(house, year):
    for service in (a_tour(1), a_room(1)):
        refused(NotBookable, lambda s=service: a_hold(s, datetime(year, 6, 1, 10, tzinfo=UTC)))


def test_hours_past_midnight_can_be_booked_to_their_end(house):
    bar = a_tour(1, hours={"fri": [("20:00", "02:00")]})
    friday = date(2026, 3, 13)

    starts = [s.starts_at.astimezone(house.zone).strftime("%H:%M") for s in free_slots(bar.product_id, friday)]
    assert starts == ["20:00", "21:00", "22:00", "23:00", "00:00", "01:00"]

    one_at_night = local(friday + timedelta(days=1), 1)
    a_hold(bar, one_at_night)
    refused(SlotTaken, lambda: a_hold(bar, one_at_night))
    assert [s.free for s in free_slots(bar.product_id, friday)] == [1, 1, 1, 1, 1, 0]
    assert free_slots(bar.product_id, friday + timedelta(days=1)) == []


def test_a_closed_day_offers_nothing_and_takes_nothing_but_keeps_what_was_booked(house):
    tour, room = a_tour(1), a_room(1)
    kept = a_booking(tour)
    close_day(tour.resource_code, in_days(), "Fiesta", DIEGO)
    close_day(room.resource_code, in_days(2), "Pintura", DIEGO)

    assert free_slots(tour.product_id, in_days()) == []
    assert booking_by_code(kept.code).state is BookingState.CONFIRMED
    refused(NotBookable, lambda: a_hold(tour, local(in_days(), 12)))
    refused(NotBookable, lambda: a_hold(room, local(in_days(1), 15), nights=2))
    nights = nights_of(needed_service(room.product_id), in_days(1), 3)
    assert [night.is_offered for night in nights] == [True, False, True]


def test_a_resource_at_rest_and_a_product_no_longer_bookable_take_nothing(house):
    tour, other = a_tour(1), a_tour(1)
    kept = a_booking(other)
    set_active(tour.resource_code, DIEGO, active=False)
    stop_booking(other.product_id, DIEGO)

    for service in (tour, other):
        refused(NotFound, lambda s=service: a_hold(s))
    assert [row.code for row in day_view(in_days())] == [kept.code]


def test_the_desk_may_book_today_without_notice_what_is_still_going_on(house):
    tour = a_tour(1, min_notice_min=24 * 60, horizon_days=1)
    with time_machine.travel(MARCH + timedelta(minutes=20), tick=False):
        refused(NotBookable, lambda: a_hold(tour, local(in_days(0), 10)))
        refused(NotBookable, lambda: a_booking(tour, local(in_days(0), 9)))

        a_booking(tour, local(in_days(0), 10))
        a_booking(tour, local(in_days(200), 10))


def test_the_next_free_day_skips_full_and_closed_ones(house):
    tour = a_tour(1, hours=daily(("09:00", "10:00")))
    service = needed_service(tour.product_id)
    a_booking(tour, local(in_days(1), 9))
    close_day(tour.resource_code, in_days(2), "", DIEGO)

    assert next_free_day(service, in_days(1)) == in_days(3)
    assert next_free_day(service, in_days(400)) is None


# --- nights -------------------------------------------------------------------------------------------------------


def test_a_stay_is_free_only_when_each_of_its_nights_is(house):
    room = a_room(1)
    a_booking(room, local(in_days(3), 15), nights=2)

    assert free_nights(room.product_id, in_days(1), 5) == [
        (in_days(1), 1), (in_days(2), 1), (in_days(3), 0), (in_days(4), 0), (in_days(5), 1),
    ]  # fmt: skip
    assert free_stay(room.product_id, in_days(1), 2).free == 1
    assert free_stay(room.product_id, in_days(1), 3).free == 0
    a_hold(room, local(in_days(1), 15), nights=2)
    a_hold(room, local(in_days(5), 15), nights=1)
    refused(SlotTaken, lambda: a_hold(room, local(in_days(2), 15), nights=2))


def test_a_refused_stay_is_offered_the_nearest_ones_of_the_same_length(house):
    room = a_room(1)
    a_booking(room, local(in_days(5), 15), nights=2)

    taken = refused(SlotTaken, lambda: a_hold(room, local(in_days(5), 15), nights=2))

    assert [s.starts_at.astimezone(house.zone).date() for s in taken.nearest] == [in_days(2), in_days(3), in_days(7)]


def test_nights_count_from_the_local_day_and_only_within_what_is_offered(house):
    room = a_room(1, min_notice_min=60, horizon_days=10)

    with time_machine.travel(datetime(2026, 3, 11, 1, 30, tzinfo=UTC), tick=False):  # 22:30 the day before, in Chile
        assert free_stay(room.product_id, date(2026, 3, 10), 1).free == 1
    with time_machine.travel(datetime(2026, 3, 11, 2, 30, tzinfo=UTC), tick=False):  # 23:30: less than an hour left
        assert free_stay(room.product_id, date(2026, 3, 10), 1).free == 0
        refused(NotBookable, lambda: a_hold(room, local(date(2026, 3, 10), 15)))
        a_booking(room, local(date(2026, 3, 10), 15))
    refused(NotBookable, lambda: a_hold(room, local(in_days(10), 15), nights=2))
    refused(NotBookable, lambda: a_hold(room, local(in_days(1), 15), nights=61))
    refused(NotBookable, lambda: a_hold(room, local(in_days(1), 15), nights=0))


def test_nights_across_a_clock_change_are_whole_nights(house):
    """The clocks of Chile go back on 4 April 2026 and forward on 5 September."""
    room = a_room(1, horizon_days=300)
    for first in (date(2026, 4, 3), date(2026, 9, 4)):
        stay = a_booking(room, local(first, 15), nights=3)

        assert stay.starts_at.astimezone(house.zone).time() == time(15)
        assert stay.ends_at.astimezone(house.zone) == local(first + timedelta(days=3), 12)
        assert [n for _day, n in free_nights(room.product_id, first - timedelta(days=1), 5)] == [1, 0, 0, 0, 1]


def test_slots_keep_their_local_hours_on_days_of_twenty_three_and_twenty_five_hours(house):
    tour = a_tour(1, horizon_days=300)
    for day in (date(2026, 4, 4), date(2026, 4, 5), date(2026, 9, 5), date(2026, 9, 6)):
        hours = [s.starts_at.astimezone(house.zone).hour for s in free_slots(tour.product_id, day)]
        assert hours == list(range(9, 18))
        a_hold(tour, local(day, 9))


# --- at the desk --------------------------------------------------------------------------------------------------


def test_what_became_of_a_booking_is_marked_when_it_can_be_known_and_taken_back(house):
    tour = a_tour(3)
    code = a_booking(tour, local(in_days(0), 11)).code

    refused(TooEarly, lambda: mark(code, BookingState.NO_SHOW, DIEGO))
    assert mark(code, BookingState.ARRIVED, DIEGO).state is BookingState.ARRIVED
    refused(Conflict, lambda: mark(code, BookingState.NO_SHOW, DIEGO))
    assert step_back(code, DIEGO).state is BookingState.CONFIRMED
    refused(Conflict, lambda: step_back(code, DIEGO))
    with time_machine.travel(MARCH + timedelta(hours=1), tick=False):
        assert mark(code, BookingState.NO_SHOW, DIEGO).state is BookingState.NO_SHOW
        assert step_back(code, DIEGO).state is BookingState.CONFIRMED
        mark(code, BookingState.ARRIVED, DIEGO)
        assert mark(code, BookingState.DONE, DIEGO).state is BookingState.DONE
    refused(Conflict, lambda: cancel_bookings([booking_by_code(code).id], DIEGO, ""))


@pytest.mark.parametrize("state", ["confirmed", "cancelled", "expired", "held"])
def test_marking_is_only_for_what_happened(house, state):
    """Cancelling by a mark would leave the places taken; confirming by one would go round the order."""
    tour = a_tour(1)
    held, booked = a_hold(tour), a_booking(tour, local(in_days(0), 11))

    for booking in (held, booked):
        refused(Conflict, lambda b=booking: mark(b.code, BookingState(state), DIEGO))


def test_a_held_booking_cannot_have_arrived(house):
    code = a_hold(a_tour(1), local(in_days(0), 11)).code

    refused(Conflict, lambda: mark(code, BookingState.ARRIVED, DIEGO))


def test_a_booking_keeps_its_code_and_its_order_when_it_moves_and_frees_its_old_place(house):
    tour = a_tour(1)
    booking = a_hold(tour)
    extend_bookings([booking.id], until=clock.now() + timedelta(hours=1), order_id=7, contact=DORA)
    confirm_bookings([booking.id], DIEGO)

    moved = move_booking(booking.code, local(in_days(2), 12), DIEGO)

    row = booking_by_code(booking.code)
    assert (row.id, row.order_id, row.contact_name, row.starts_at) == (booking.id, 7, DORA.name, moved.starts_at)
    assert moved.starts_at == local(in_days(2), 12)
    assert free_at(tour, local(in_days(), 10)) == 1
    assert free_at(tour, local(in_days(2), 12)) == 0
    assert invariants() == []


def test_a_booking_may_move_into_its_own_places(house):
    room = a_room(1)
    booking = a_booking(room, local(in_days(1), 15), nights=3)

    move_booking(booking.code, local(in_days(2), 15), DIEGO, nights=4)

    row = booking_by_code(booking.code)
    assert (row.starts_at, row.nights) == (local(in_days(2), 15), 4)
    assert invariants() == []


def test_a_move_to_a_full_or_a_closed_time_leaves_the_booking_where_it_was(house):
    tour = a_tour(1)
    booking = a_booking(tour)
    a_booking(tour, local(in_days(), 12))

    taken = refused(SlotTaken, lambda: move_booking(booking.code, local(in_days(), 12), DIEGO))
    refused(NotBookable, lambda: move_booking(booking.code, local(in_days(), 22), DIEGO))

    assert taken.nearest
    assert free_at(tour, local(in_days(), 10)) == 0


def test_only_bookings_that_are_to_come_can_move(house):
    tour = a_tour(3)
    in_a_cart, cancelled, arrived = a_hold(tour), a_booking(tour), a_booking(tour, local(in_days(0), 11))
    cancel_bookings([cancelled.id], DIEGO, "")
    mark(arrived.code, BookingState.ARRIVED, DIEGO)

    for booking in (in_a_cart, cancelled, arrived):
        refused(CannotMove, lambda b=booking: move_booking(b.code, local(in_days(), 12), DIEGO))


# --- other shops --------------------------------------------------------------------------------------------------


def test_ids_and_codes_of_another_shop_are_as_missing_as_ones_that_never_were(house, bakery, within):
    tour = a_tour(1)
    booking = a_hold(tour)
    db.session.commit()
    with within(bakery):
        for number in (tour.product_id, 999_999):
            for act in (
                lambda n=number: hold_slot(n, local(in_days(), 10), until=clock.now()),
                lambda n=number: free_slots(n, in_days()),
                lambda n=number: free_stay(n, in_days(), 1),
                lambda n=number: walk_in(n, local(in_days(), 10), contact=Contact("X"), by=DIEGO),
            ):
                assert str(refused(NotFound, act)) == str(NotFound())
        for number in (booking.id, 999_999):
            for act in (
                lambda n=number: confirm_bookings([n], DIEGO),
                lambda n=number: cancel_bookings([n], DIEGO, ""),
                lambda n=number: extend_bookings([n], until=clock.now()),
                lambda n=number: retake_bookings([n], until=clock.now()),
            ):
                assert str(refused(NotFound, act)) == str(NotFound())
        for code in (booking.code, "ZZZZZZZZ"):
            for act in (
                lambda c=code: mark(c, BookingState.ARRIVED, DIEGO),
                lambda c=code: step_back(c, DIEGO),
                lambda c=code: move_booking(c, local(in_days(), 11), DIEGO),
            ):
                assert str(refused(NotFound, act)) == str(NotFound())
        assert expire_overdue() == 0
        assert day_view(in_days()) == []


# --- I4 -----------------------------------------------------------------------------------------------------------


def test_the_database_itself_refuses_a_second_guest_in_one_place(house):
    tour = a_tour(1)
    booking = a_booking(tour)

    with pytest.raises(IntegrityError, match="ex_booking_seats_overlap"), transaction():
        db.session.add(
            BookingSeat(
                booking_id=booking.id, resource_id=tour.resource_id, seat_no=1, during=booking.during, live=True
            )
        )


def test_the_invariant_names_a_booking_with_too_few_places_and_one_that_keeps_places_it_gave_back(house):
    tour = a_tour(3)
    short, ghost = a_booking(tour, quantity=2), a_booking(tour)
    assert invariants() == []
    with transaction():
        db.session.execute(
            update(BookingSeat).where(BookingSeat.booking_id == short.id, BookingSeat.seat_no == 1).values(live=False)
        )
        db.session.execute(update(Booking).where(Booking.id == ghost.id).values(state=BookingState.CANCELLED))

    assert {(fault["invariant"], fault["booking"], fault["places"]) for fault in invariants()} == {
        ("I4", short.code, 1), ("I4", ghost.code, 1),
    }  # fmt: skip


def test_the_nearest_are_found_on_both_sides_and_in_order_of_time(house):
    tour = a_tour(1, hours=daily(("09:00", "10:00")))
    service = needed_service(tour.product_id)
    a_booking(tour, local(in_days(5), 9))

    found = nearest(service, local(in_days(5), 9), 1)

    assert [s.starts_at for s in found] == [local(in_days(d), 9) for d in (3, 4, 6)]


def test_a_new_resource_is_empty(house):
    create_resource("Patio", 4, daily(), DIEGO)
    product = a_product("Nada que reservar")
    refused(NotFound, lambda: hold_slot(product.id, local(in_days(), 10), until=clock.now()))
