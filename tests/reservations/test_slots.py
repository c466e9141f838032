"""Opening hours, slots and places as pure functions, for any hours and any clock change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from storefront.reservations.slots import (
    DAYS,
    Busy,
    day_bounds,
    filled,
    free_places,
    local_instant,
    opening,
    peak,
    seating,
    starts,
    stay,
)

SANTIAGO = ZoneInfo("America/Santiago")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

spans = st.builds(
    lambda start, length, places: Busy(NOON + start * HOUR / 4, NOON + (start + length) * HOUR / 4, places),
    st.integers(0, 60),
    st.integers(1, 24),
    st.integers(1, 3),
)
clock_times = st.times().map(lambda t: t.replace(second=0, microsecond=0))
zones = st.sampled_from([SANTIAGO, ZoneInfo("America/Mexico_City"), ZoneInfo("America/La_Paz")])
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def written(*ranges):
    return {day: [[a.strftime("%H:%M"), b.strftime("%H:%M")] for a, b in ranges] for day in DAYS}


def count_at(instant, taken):
    return sum(busy.places for busy in taken if busy.starts_at <= instant < busy.ends_at)


@given(st.lists(spans, max_size=12), spans)
def test_the_peak_is_the_most_that_is_taken_at_any_instant(taken, asked):
    instants = [asked.starts_at, *(b.starts_at for b in taken if asked.starts_at <= b.starts_at < asked.ends_at)]

    assert peak(asked.starts_at, asked.ends_at, taken) == max(count_at(instant, taken) for instant in instants)


@given(st.lists(spans, max_size=12), st.integers(1, 6), st.lists(st.integers(0, 60), max_size=20))
def test_a_long_calendar_says_the_same_as_each_slot_for_itself(taken, capacity, begins):
    found = filled([NOON + b * HOUR / 4 for b in begins], HOUR, capacity, taken)

    assert [slot.starts_at for slot in found] == sorted(NOON + b * HOUR / 4 for b in begins)
    for slot in found:
        assert slot.free == free_places(slot.starts_at, slot.ends_at, capacity, taken)
        assert 0 <= slot.free <= capacity


@given(st.lists(spans, max_size=12), st.integers(1, 8))
def test_everybody_finds_a_seat_exactly_when_there_are_enough_at_each_instant(bookings, capacity):
    plan = seating(bookings, capacity)

    crowd = max((count_at(b.starts_at, bookings) for b in bookings), default=0)
    assert (plan is None) == (crowd > capacity)
    if plan is None:
        return
    assert [len(places) for places in plan] == [b.places for b in bookings]
    for i, one in enumerate(bookings):
        assert set(plan[i]) <= set(range(1, capacity + 1))
        for j, other in enumerate(bookings[:i]):
            if one.starts_at < other.ends_at and other.starts_at < one.ends_at:
                assert not set(plan[i]) & set(plan[j])


def test_back_to_back_bookings_share_a_place():
    first, second = Busy(NOON, NOON + HOUR), Busy(NOON + HOUR, NOON + 2 * HOUR)

    assert peak(NOON, NOON + 2 * HOUR, [first, second]) == 1
    assert free_places(NOON + HOUR, NOON + 2 * HOUR, 1, [first]) == 1
    assert seating([first, second], 1) == [(1,), (1,)]


def test_two_short_bookings_one_after_the_other_leave_the_second_room_free_for_a_long_one():
    """A house that counts rooms ever used during a stay would refuse a guest for whom there is a bed each night."""
    early, late = Busy(NOON, NOON + HOUR), Busy(NOON + 2 * HOUR, NOON + 3 * HOUR)

    assert free_places(NOON, NOON + 3 * HOUR, 2, [early, late]) == 1


@given(days, zones, clock_times, clock_times, st.integers(5, 240), st.integers(5, 240))
def test_every_slot_lies_within_the_hours_of_its_day(day, zone, opens, closes, duration, step):
    ranges = opening(written((opens, closes)), day, zone)
    begins = starts(ranges, timedelta(minutes=duration), timedelta(minutes=step))

    assert begins == sorted(set(begins))
    for start in begins:
        assert any(a <= start and start + timedelta(minutes=duration) <= b for a, b in ranges)
        assert start.astimezone(zone).date() in {day, day + timedelta(days=1)}


@given(days, zones, st.integers(1, 30))
def test_a_stay_begins_and_ends_at_the_local_hours_whatever_the_clocks_do(first, zone, nights):
    start, end = stay(first, nights, time(15), time(12), zone)

    assert start.astimezone(zone).replace(tzinfo=None) == datetime.combine(first, time(15))
    assert end.astimezone(zone).replace(tzinfo=None) == datetime.combine(first + timedelta(days=nights), time(12))


@given(days, zones)
def test_days_follow_one_another_without_gap_and_one_stay_ends_before_the_next_begins(day, zone):
    tomorrow = day + timedelta(days=1)

    assert day_bounds(day, zone)[1] == day_bounds(tomorrow, zone)[0]
    assert stay(day, 1, time(15), time(12), zone)[1] < stay(tomorrow, 1, time(15), time(12), zone)[0]


def test_overlapping_and_repeated_hours_offer_each_start_once():
    hours = written((time(9), time(12)), (time(9), time(12)), (time(11), time(13)))
    ranges = opening(hours, date(2026, 3, 14), SANTIAGO)

    assert [s.astimezone(SANTIAGO).hour for s in starts(ranges, HOUR, HOUR)] == [9, 10, 11, 12]


def test_hours_past_midnight_belong_to_the_evening_on_which_they_open():
    friday = date(2026, 3, 13)
    ((start, end),) = opening({"fri": [["20:00", "02:00"]]}, friday, SANTIAGO)

    assert start.astimezone(SANTIAGO) == datetime(2026, 3, 13, 20, tzinfo=SANTIAGO)
    assert end.astimezone(SANTIAGO) == datetime(2026, 3, 14, 2, tzinfo=SANTIAGO)
    assert opening({"fri": [["20:00", "02:00"]]}, friday + timedelta(days=1), SANTIAGO) == []


def test_a_day_of_twenty_three_hours_keeps_its_opening_hours():
    """In Chile the clocks jump at midnight: on 6 September 2026 there is no 00:00 and the day has 23 hours."""
    day = date(2026, 9, 6)
    start, end = day_bounds(day, SANTIAGO)

    assert end - start == 23 * HOUR
    assert start == datetime(2026, 9, 6, 4, tzinfo=UTC)
    ((opens, closes),) = opening(written((time(9), time(18))), day, SANTIAGO)
    assert (opens.astimezone(SANTIAGO).hour, closes.astimezone(SANTIAGO).hour, closes - opens) == (9, 18, 9 * HOUR)


def test_a_day_of_twenty_five_hours_keeps_its_opening_hours_and_a_night_out_is_an_hour_longer():
    day = date(2026, 4, 4)
    start, end = day_bounds(day, SANTIAGO)

    assert end - start == 25 * HOUR
    ((opens, closes),) = opening(written((time(9), time(18))), day, SANTIAGO)
    assert (opens.astimezone(SANTIAGO).hour, closes - opens) == (9, 9 * HOUR)
    ((opens, closes),) = opening(written((time(20), time(2))), day, SANTIAGO)
    assert closes - opens == 7 * HOUR
    assert len(starts([(opens, closes)], HOUR, HOUR)) == 7


def test_a_time_that_the_clocks_skip_is_read_as_much_later_and_one_that_comes_twice_is_the_first():
    assert local_instant(date(2026, 9, 6), time(0, 30), SANTIAGO) == datetime(2026, 9, 6, 4, 30, tzinfo=UTC)
    assert local_instant(date(2026, 4, 4), time(23, 30), SANTIAGO) == datetime(2026, 4, 5, 2, 30, tzinfo=UTC)
