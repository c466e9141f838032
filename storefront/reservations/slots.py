"""From opening hours to the instants at which something may begin. Pure: no database, no clock of its own.

Local times are read in the shop's zone, so a day of 23 or 25 hours keeps its local opening hours; instants are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Slot:
    """A range of time that can be reserved, and how many places are still free in it."""

    starts_at: datetime
    ends_at: datetime
    free: int


@dataclass(frozen=True, slots=True)
class Busy:
    """A range of time in which one numbered place is taken."""

    starts_at: datetime
    ends_at: datetime
    seat_no: int


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local time; a time skipped by a clock change is the instant right after it."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The UTC instants at which a local day begins and ends."""
    return local_instant(day, time(0), zone), local_instant(day + timedelta(days=1), time(0), zone)


def opening(hours: Mapping[str, Sequence[Sequence[str]]], day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The open ranges of a local day as UTC instants. An end at or before its start means past midnight."""
    found = []
    for opens, closes in hours.get(DAYS[day.weekday()], ()):
        start = local_instant(day, time.fromisoformat(opens), zone)
        last = time.fromisoformat(closes)
        end = local_instant(day + timedelta(days=last <= time.fromisoformat(opens)), last, zone)
        found.append((start, end))
    return found


def starts(ranges: Iterable[tuple[datetime, datetime]], duration: timedelta, step: timedelta) -> list[datetime]:
    """Every start, `step` apart from each opening, from which `duration` fits before closing."""
    found = []
    for opens, closes in ranges:
        start = opens
        while start + duration <= closes:
            found.append(start)
            start += step
    return found


def free_places(start: datetime, end: datetime, capacity: int, taken: Iterable[Busy]) -> int:
    """How many of `capacity` places are free during the whole of [start, end)."""
    used = {busy.seat_no for busy in taken if busy.starts_at < end and start < busy.ends_at}
    return capacity - len(used)


def stay(first_night: date, nights: int, check_in: time, check_out: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The range of a stay: from check-in on the first night's day to check-out after the last."""
    return local_instant(first_night, check_in, zone), local_instant(
        first_night + timedelta(days=nights), check_out, zone
    )
