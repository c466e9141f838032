"""From opening hours to the instants at which something may begin, and how many places are free then.

Pure: no database, no clock of its own. Local times are read in the shop's zone, so a day of 23 or 25 hours keeps its
local opening hours; instants are UTC and ranges half-open, so that one booking may begin where another ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hours = Mapping[str, Sequence[Sequence[str]]]
"""Opening hours: mon…sun to [from, to] pairs of local times such as "09:00"."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A range of time that can be reserved, and how many places are still free in it."""

    starts_at: datetime
    ends_at: datetime
    free: int


@dataclass(frozen=True, slots=True)
class Busy:
    """So many places taken for a range of time."""

    starts_at: datetime
    ends_at: datetime
    places: int = 1


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local time. One that the clocks skip is read as much later as they skip; of one that
    happens twice the first is meant."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The UTC instants at which a local day begins and ends."""
    return local_instant(day, time(0), zone), local_instant(day + timedelta(days=1), time(0), zone)


def opening(hours: Hours, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The ranges that open on a local day, as UTC instants. An end at or before its start is past midnight."""
    found = []
    for opens, closes in hours.get(DAYS[day.weekday()], ()):
        first, last = time.fromisoformat(opens), time.fromisoformat(closes)
        end = local_instant(day + timedelta(days=last <= first), last, zone)
        found.append((local_instant(day, first, zone), end))
    return found


def starts(ranges: Iterable[tuple[datetime, datetime]], duration: timedelta, step: timedelta) -> list[datetime]:
    """Every start, `step` apart from each opening, from which `duration` fits before closing; in order, each once."""
    found = set()
    for opens, closes in ranges:
        start = opens
        while start + duration <= closes:
            found.add(start)
            start += step
    return sorted(found)


def peak(start: datetime, end: datetime, taken: Iterable[Busy]) -> int:
    """The most places that are taken at one instant of [start, end)."""
    turns: list[tuple[datetime, int]] = []
    for busy in taken:
        if busy.starts_at < end and start < busy.ends_at:
            turns += [(max(busy.starts_at, start), busy.places), (busy.ends_at, -busy.places)]
    most = now = 0
    for _at, change in sorted(turns):  # at one instant what ends comes before what begins
        now += change
        most = max(most, now)
    return most


def free_places(start: datetime, end: datetime, capacity: int, taken: Iterable[Busy]) -> int:
    """How many of `capacity` places are free during the whole of [start, end); never negative."""
    return max(0, capacity - peak(start, end, taken))


def filled(begins: Iterable[datetime], duration: timedelta, capacity: int, taken: Iterable[Busy]) -> list[Slot]:
    """A slot of `duration` for each start, with its free places. One pass over both, for long calendars."""
    waiting = sorted(taken, key=lambda busy: busy.starts_at, reverse=True)
    running: list[Busy] = []
    found = []
    for start in sorted(begins):
        end = start + duration
        while waiting and waiting[-1].starts_at < end:
            running.append(waiting.pop())
        running = [busy for busy in running if busy.ends_at > start]
        found.append(Slot(start, end, free_places(start, end, capacity, running)))
    return found


def stay(first_night: date, nights: int, check_in: time, check_out: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The range of a stay: from check-in on the first night's day to check-out after the last."""
    last_day = first_night + timedelta(days=nights)
    return local_instant(first_night, check_in, zone), local_instant(last_day, check_out, zone)


def seating(bookings: Sequence[Busy], capacity: int) -> list[tuple[int, ...]] | None:
    """Numbered places for each booking, in the given order, so that nobody shares one; None when they are too many.

    Who comes first takes the lowest free numbers: with ranges of time that always works if it is possible at all.
    """
    places: list[tuple[int, ...]] = [()] * len(bookings)
    free_from: dict[int, datetime] = {}
    for index in sorted(range(len(bookings)), key=lambda i: bookings[i].starts_at):
        wanted = bookings[index]
        open_now = [n for n in range(1, capacity + 1) if n not in free_from or free_from[n] <= wanted.starts_at]
        if len(open_now) < wanted.places:
            return None
        places[index] = tuple(open_now[: wanted.places])
        free_from.update(dict.fromkeys(places[index], wanted.ends_at))
    return places
