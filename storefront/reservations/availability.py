"""What is free, and when. A handful of statements for any number of services and days; the rest is `slots`.

Customers see what the shop's notice and horizon allow. Staff, who have the person before them or on the phone, may book
anything that is not over yet, up to a year ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import current_shop
from storefront.reservations import queries, slots
from storefront.reservations.models import Booking, Closure
from storefront.reservations.queries import ServiceView, counts_at, overlaps
from storefront.reservations.slots import Busy, Slot

STAFF_HORIZON = timedelta(days=365)
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Night:
    """One night: how many places are free, and whether it is offered at all (not past, not too far, not closed)."""

    day: date
    free: int
    is_offered: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What one service offers on a day: its slots, or for a service by the night the one stay that begins then."""

    service: ServiceView
    slots: tuple[Slot, ...]

    @property
    def free(self) -> tuple[Slot, ...]:
        """The slots that somebody can still have."""
        return tuple(slot for slot in self.slots if slot.free)

    def fitting(self, quantity: int) -> tuple[Slot, ...]:
        """The slots with room for so many."""
        return tuple(slot for slot in self.slots if slot.free >= quantity)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """What is taken and closed in some resources."""

    taken: dict[int, list[Busy]] = field(default_factory=dict)
    closed: set[tuple[int, date]] = field(default_factory=set)


def _calendar(resource_ids: Sequence[int], first: date, last: date) -> _Calendar:
    """Two statements. Reaches a day further on both sides, for hours past midnight and stays that go on."""
    zone = current_shop().zone
    start, end = slots.day_bounds(first - A_DAY, zone)[0], slots.day_bounds(last + 2 * A_DAY, zone)[1]
    found = _Calendar()
    for row in db.session.execute(
        select(
            Booking.resource_id,
            func.lower(Booking.during).label("starts_at"),
            func.upper(Booking.during).label("ends_at"),
            Booking.quantity,
        ).where(Booking.resource_id.in_(resource_ids), overlaps(start, end), counts_at(clock.now()))
    ):
        found.taken.setdefault(row.resource_id, []).append(Busy(row.starts_at, row.ends_at, row.quantity))
    for resource_id, day in db.session.execute(
        select(Closure.resource_id, Closure.day).where(
            Closure.resource_id.in_(resource_ids), Closure.day.between(first - A_DAY, last + A_DAY)
        )
    ):
        found.closed.add((resource_id, day))
    return found


# --- what a service allows ----------------------------------------------------------------------------------------


def start_window(service: ServiceView, *, by_staff: bool = False) -> tuple[datetime, datetime]:
    """The first and the last instant at which a slot may begin now."""
    at = clock.now()
    if by_staff:
        return at - service.duration + timedelta(microseconds=1), at + STAFF_HORIZON
    return at + timedelta(minutes=service.min_notice_min), at + timedelta(days=service.horizon_days)


def night_window(service: ServiceView, *, by_staff: bool = False) -> tuple[date, date]:
    """The first and the last night that may be booked now. Notice counts back from the end of the day of arrival.

    For staff the night that is going on counts until its check-out.
    """
    zone, at = current_shop().zone, clock.now()
    if by_staff:
        local = at.astimezone(zone)
        still_night = local.time() < service.check_out
        return local.date() - still_night * A_DAY, (at + STAFF_HORIZON).astimezone(zone).date()
    first = (at + timedelta(minutes=service.min_notice_min)).astimezone(zone).date()
    return first, (at + timedelta(days=service.horizon_days)).astimezone(zone).date()


def bookable_days(service: ServiceView, *, by_staff: bool = False) -> tuple[date, date]:
    """The first and the last local day on which the service may be booked now."""
    if service.by_night:
        return night_window(service, by_staff=by_staff)
    zone = current_shop().zone
    first, last = start_window(service, by_staff=by_staff)
    return first.astimezone(zone).date(), last.astimezone(zone).date()


# --- by the clock -------------------------------------------------------------------------------------------------


def free_slots(product_id: int, day: date, days: int = 1, *, by_staff: bool = False) -> list[Slot]:
    """The bookable slots that open on `days` local days from `day`, each with its free places (0 when full), in order.

    Nothing before the notice the shop needs and nothing past its horizon; closed days are empty. Hours past midnight
    belong to the day on which they open. NotFound when the product is not reserved by the clock.
    """
    service = queries.needed_service(product_id)
    if service.by_night:
        raise NotFound
    return slots_of(service, day, days, by_staff=by_staff)


def slots_of(service: ServiceView, day: date, days: int = 1, *, by_staff: bool = False) -> list[Slot]:
    """The same, for a service at hand."""
    by_day = days_of(service, day, days, by_staff=by_staff)
    return sorted({slot for of_day in by_day.values() for slot in of_day}, key=lambda slot: slot.starts_at)


def days_of(service: ServiceView, day: date, days: int = 1, *, by_staff: bool = False) -> dict[date, list[Slot]]:
    """The slots of each of `days` local days from `day`; a day on which nothing may be booked has none."""
    found: dict[date, list[Slot]] = {day + number * A_DAY: [] for number in range(days)}
    first, last = bookable_days(service, by_staff=by_staff)
    wanted = [here for here in found if first - A_DAY <= here <= last]
    if wanted:
        calendar = _calendar([service.resource_id], wanted[0], wanted[-1])
        found.update(_by_day(service, wanted, calendar, by_staff))
    return found


def _by_day(service: ServiceView, days: Iterable[date], calendar: _Calendar, by_staff: bool) -> dict[date, list[Slot]]:
    zone = current_shop().zone
    earliest, latest = start_window(service, by_staff=by_staff)
    begins: dict[date, list[datetime]] = {}
    for day in days:
        is_closed = (service.resource_id, day) in calendar.closed
        ranges = [] if is_closed else slots.opening(service.hours, day, zone)
        all_starts = slots.starts(ranges, service.duration, service.step)
        begins[day] = [start for start in all_starts if earliest <= start <= latest]
    taken = calendar.taken.get(service.resource_id, ())
    every = {start for starts in begins.values() for start in starts}
    by_start = {slot.starts_at: slot for slot in slots.filled(every, service.duration, service.capacity, taken)}
    return {day: [by_start[start] for start in starts] for day, starts in begins.items()}


def slot_at(service: ServiceView, starts_at: datetime, *, by_staff: bool = False) -> Slot | None:
    """The slot that begins at an instant, or None when none is offered then."""
    day = starts_at.astimezone(current_shop().zone).date()
    nearby = slots_of(service, day - A_DAY, 2, by_staff=by_staff)
    return next((slot for slot in nearby if slot.starts_at == starts_at), None)


# --- by the night -------------------------------------------------------------------------------------------------


def free_stay(product_id: int, first_night: date, nights: int) -> Slot:
    """The stay of `nights` from `first_night` with its free places; 0 when a night of it is full or not offered.

    NotFound when the product is not reserved by the night.
    """
    service = queries.needed_service(product_id)
    if not service.by_night:
        raise NotFound
    found = stay_at(service, first_night, nights)
    if found is not None:
        return found
    return Slot(*slots.stay(first_night, nights, service.check_in, service.check_out, current_shop().zone), free=0)


def stay_at(service: ServiceView, first_night: date, nights: int, *, by_staff: bool = False) -> Slot | None:
    """The stay of `nights` from `first_night`, or None when the shop takes no bookings for one of them."""
    calendar = _calendar([service.resource_id], first_night, first_night + (nights - 1) * A_DAY)
    return _stay(service, first_night, nights, calendar, by_staff)


def _stay(service: ServiceView, first_night: date, nights: int, calendar: _Calendar, by_staff: bool) -> Slot | None:
    first, last = night_window(service, by_staff=by_staff)
    days = [first_night + number * A_DAY for number in range(nights)]
    if days[0] < first or days[-1] > last or any((service.resource_id, day) in calendar.closed for day in days):
        return None
    start, end = slots.stay(first_night, nights, service.check_in, service.check_out, current_shop().zone)
    taken = calendar.taken.get(service.resource_id, ())
    return Slot(start, end, slots.free_places(start, end, service.capacity, taken))


def nights_of(service: ServiceView, first: date, days: int, *, by_staff: bool = False) -> list[Night]:
    """Each of `days` nights from `first`, with its free places."""
    calendar = _calendar([service.resource_id], first, first + (days - 1) * A_DAY)
    found = []
    for number in range(days):
        day = first + number * A_DAY
        stay = _stay(service, day, 1, calendar, by_staff)
        found.append(Night(day, stay.free if stay else 0, stay is not None))
    return found


def free_nights(product_id: int, first: date, days: int) -> list[tuple[date, int]]:
    """For each of `days` nights from `first`, how many places are free. NotFound as `free_stay`."""
    service = queries.needed_service(product_id)
    if not service.by_night:
        raise NotFound
    return [(night.day, night.free) for night in nights_of(service, first, days)]


# --- several at once ----------------------------------------------------------------------------------------------


def offers(services: Sequence[ServiceView], day: date, nights: int = 1, *, by_staff: bool = False) -> list[Offer]:
    """What each service offers on a local day. Two statements, however many services."""
    if not services:
        return []
    ids = sorted({service.resource_id for service in services})
    calendar = _calendar(ids, day, day + nights * A_DAY)
    return [Offer(service, _offered(service, day, nights, calendar, by_staff)) for service in services]


def _offered(service: ServiceView, day: date, nights: int, calendar: _Calendar, by_staff: bool) -> tuple[Slot, ...]:
    if not service.by_night:
        return tuple(_by_day(service, [day], calendar, by_staff)[day])
    stay = _stay(service, day, nights, calendar, by_staff)
    return (stay,) if stay else ()


def nearest(service: ServiceView, start: datetime, quantity: int, nights: int = 1, *, most: int = 3) -> list[Slot]:
    """The free slots or stays closest to an instant, in order of time, within a week before and two after."""
    zone = current_shop().zone
    day = start.astimezone(zone).date() - 7 * A_DAY
    found: Iterable[Slot]
    if service.by_night:
        calendar = _calendar([service.resource_id], day, day + (21 + nights) * A_DAY)
        stays = (_stay(service, day + n * A_DAY, nights, calendar, by_staff=False) for n in range(22))
        found = [stay for stay in stays if stay]
    else:
        found = slots_of(service, day, 22)
    fitting = [slot for slot in found if slot.free >= quantity]
    closest = sorted(fitting, key=lambda slot: (abs(slot.starts_at - start), slot.starts_at))[:most]
    return sorted(closest, key=lambda slot: slot.starts_at)


def next_free_day(service: ServiceView, after: date) -> date | None:
    """The first day from `after` on with a free slot or night; None when there is none up to the horizon."""
    _first, last = bookable_days(service)
    days = (last - after).days + 1
    if days < 1:
        return None
    if service.by_night:
        return next((night.day for night in nights_of(service, after, days) if night.free), None)
    found = days_of(service, after, days)
    return next((day for day, of_day in found.items() if any(slot.free for slot in of_day)), None)
