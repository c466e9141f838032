"""Numbered places: who sits where. Inside an action, with the resource's row locked.

Places are alike and their numbers are nobody's business, so bookings may change numbers to make room for one that goes
on longer; without that, a house with a free room each night could refuse a stay of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range

from storefront.kernel.db import db
from storefront.reservations.models import Booking, BookingSeat
from storefront.reservations.slots import Busy, free_places, seating


def find_places(resource_id: int, capacity: int, wanted: Busy) -> list[int] | None:
    """Numbers for so many places during a range; others may have to change theirs. None when they are not free."""
    taken = _taken(resource_id, wanted.starts_at, wanted.ends_at)
    numbers = {row.seat_no for row in taken}
    free = [number for number in range(1, capacity + 1) if number not in numbers]
    if len(free) >= wanted.places:
        return free[: wanted.places]
    busy = [Busy(row.starts_at, row.ends_at) for row in taken]
    if free_places(wanted.starts_at, wanted.ends_at, capacity, busy) < wanted.places:
        return None
    return _rearrange(_connected(resource_id, wanted.starts_at, wanted.ends_at), capacity, wanted)


def sit(booking: Booking, numbers: Sequence[int]) -> None:
    """Give a flushed booking these places, for as long as it is."""
    db.session.add_all(
        BookingSeat(
            booking_id=booking.id, resource_id=booking.resource_id, seat_no=number, during=booking.during, live=True
        )
        for number in numbers
    )
    db.session.flush()


def give_back(booking_ids: Sequence[int]) -> None:
    """Free the places of bookings."""
    if booking_ids:
        db.session.execute(
            update(BookingSeat)
            .where(BookingSeat.booking_id.in_(booking_ids), BookingSeat.live)
            .values(live=False)
            .execution_options(synchronize_session=False)
        )


def squeeze(resource_id: int, capacity: int, since: datetime) -> bool:
    """Bring everybody who is there from `since` on into the first `capacity` places. False when they do not fit."""
    rows = _connected(resource_id, since, datetime.max.replace(tzinfo=since.tzinfo))
    return _rearrange(rows, capacity) is not None


def _taken(resource_id: int, start: datetime, end: datetime) -> Sequence[Any]:
    return db.session.execute(
        select(
            BookingSeat.id,
            BookingSeat.booking_id,
            BookingSeat.seat_no,
            func.lower(BookingSeat.during).label("starts_at"),
            func.upper(BookingSeat.during).label("ends_at"),
        )
        .where(
            BookingSeat.resource_id == resource_id,
            BookingSeat.live,
            BookingSeat.during.op("&&", is_comparison=True)(Range(start, end, bounds="[)")),
        )
        .order_by(BookingSeat.id)
    ).all()


def _connected(resource_id: int, start: datetime, end: datetime) -> Sequence[Any]:
    """Everybody in [start, end), everybody who overlaps with them, and so on: whom a change of numbers can concern."""
    rows = _taken(resource_id, start, end)
    while rows:
        first = min(start, *(row.starts_at for row in rows))
        last = max(end, *(row.ends_at for row in rows))
        if (first, last) == (start, end):
            break
        start, end = first, last
        rows = _taken(resource_id, start, end)
    return rows


def _rearrange(rows: Sequence[Any], capacity: int, newcomer: Busy | None = None) -> list[int] | None:
    """Seat `rows`, and `newcomer` with them; returns the newcomer's numbers, or None when they do not fit."""
    guests = [Busy(row.starts_at, row.ends_at) for row in rows]
    plan = seating([*guests, newcomer] if newcomer else guests, capacity)
    if plan is None:
        return None
    moved = [(row, places[0]) for row, places in zip(rows, plan, strict=False) if row.seat_no != places[0]]
    _renumber(moved)
    return list(plan[-1]) if newcomer else []


def _renumber(moved: Sequence[tuple[Any, int]]) -> None:
    """Change numbers in two steps, so that no two rows hold the same place on the way."""
    if not moved:
        return
    ids = [row.id for row, _number in moved]
    quietly = {"synchronize_session": False}
    stand_up = update(BookingSeat).where(BookingSeat.id.in_(ids)).values(live=False)
    db.session.execute(stand_up.execution_options(**quietly))
    for row, number in moved:
        sit_down = update(BookingSeat).where(BookingSeat.id == row.id).values(seat_no=number, live=True)
        db.session.execute(sit_down.execution_options(**quietly))
