"""What must always be true of a shop's reservations, asked of the database. The answer lists violations.

I4: at every instant the places taken are at most those there are. Places are numbered, so that comes down to two facts:
nobody shares a place, and each booking has as many places as it counts for.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from storefront.kernel.db import db
from storefront.reservations.models import LIVE, Booking, BookingSeat


def invariants() -> list[dict[str, Any]]:
    """Every violation in the current shop, as {"invariant": "I4", …}; empty is sound."""
    return [*_places_taken_twice(), *_miscounted_bookings()]


def _places_taken_twice() -> list[dict[str, Any]]:
    mine, other = aliased(BookingSeat), aliased(BookingSeat)
    rows = db.session.execute(
        select(mine.id, mine.resource_id, mine.seat_no)
        .join(
            other,
            (other.tenant_id == mine.tenant_id)
            & (other.resource_id == mine.resource_id)
            & (other.seat_no == mine.seat_no)
            & (other.id > mine.id)
            & other.live
            & other.during.op("&&", is_comparison=True)(mine.during),
        )
        .where(mine.live)
    )
    return [{"invariant": "I4", "seat": row.id, "resource": row.resource_id, "place": row.seat_no} for row in rows]


def _miscounted_bookings() -> list[dict[str, Any]]:
    places = func.count(BookingSeat.id)
    rows = db.session.execute(
        select(Booking.code, Booking.state, places.label("places"))
        .outerjoin(
            BookingSeat,
            (BookingSeat.tenant_id == Booking.tenant_id)
            & (BookingSeat.booking_id == Booking.id)
            & (BookingSeat.resource_id == Booking.resource_id)
            & (BookingSeat.during == Booking.during)
            & BookingSeat.live,
        )
        .group_by(Booking.tenant_id, Booking.id, Booking.code, Booking.state, Booking.quantity)
        .having(places != case((Booking.state.in_(LIVE), Booking.quantity), else_=0))
    )
    return [{"invariant": "I4", "booking": row.code, "places": row.places, "state": str(row.state)} for row in rows]
