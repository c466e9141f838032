"""What can be reserved, when, and who has.

A resource has `capacity` equal places (rooms of a kind, seats of a tour, one fitting room). A booking of n takes n of
them for the same half-open range of instants, one row each, and no two live rows of a place may overlap.
"""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code, new_token
from storefront.kernel.states import Transitions


class Unit(StrEnum):
    """By the hour (a slot of `duration_min`) or by the night (from check-in to check-out)."""

    TIME = "time"
    NIGHT = "night"


class BookingState(StrEnum):
    """Held places count until `expires_at`; confirmed ones until they are done, missed or given back."""

    HELD = "held"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    DONE = "done"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TRANSITIONS = Transitions(
    {
        BookingState.HELD: {BookingState.CONFIRMED, BookingState.CANCELLED, BookingState.EXPIRED},
        BookingState.CONFIRMED: {
            BookingState.ARRIVED,
            BookingState.DONE,
            BookingState.NO_SHOW,
            BookingState.CANCELLED,
        },
        BookingState.ARRIVED: {BookingState.DONE, BookingState.CONFIRMED},
        BookingState.NO_SHOW: {BookingState.CONFIRMED, BookingState.ARRIVED},
        BookingState.DONE: {BookingState.ARRIVED},
    }
)

LIVE = (BookingState.HELD, BookingState.CONFIRMED, BookingState.ARRIVED, BookingState.DONE, BookingState.NO_SHOW)
"""States in which a booking keeps its places."""


class Resource(ShopOwned, Model):
    """Something with places: a room type, a tour, a table, a person's time. `hours`: mon…sun to [from, to] pairs.

    `feed_token` is the secret in the address of its calendar feed; a new one closes the old address.
    """

    __tablename__ = "resources"
    __table_args__ = (
        CheckConstraint("capacity BETWEEN 1 AND 500", name="capacity"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "feed_token"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    name: Mapped[str]
    capacity: Mapped[int]
    hours: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
    feed_token: Mapped[str] = mapped_column(default=new_token)
    created_at: Mapped[datetime]


class Closure(ShopOwned, Model):
    """A day on which a resource takes no bookings, whatever its hours say."""

    __tablename__ = "closures"
    __table_args__ = (
        shop_fk("resource_id", "resources", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "resource_id", "day"),
    )

    id: Mapped[int] = identity_pk()
    resource_id: Mapped[int]
    day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")


class BookableService(ShopOwned, Model):
    """How a product of the catalogue is reserved. Durations and notices are minutes; check-in and -out local times."""

    __tablename__ = "bookable_services"
    __table_args__ = (
        shop_fk("product_id", "products", ondelete="CASCADE"),
        shop_fk("resource_id", "resources"),
        UniqueConstraint("tenant_id", "product_id"),
        CheckConstraint("duration_min > 0 AND step_min > 0 AND min_notice_min >= 0 AND horizon_days > 0", name="times"),
    )

    id: Mapped[int] = identity_pk()
    product_id: Mapped[int]
    resource_id: Mapped[int]
    unit: Mapped[Unit]
    duration_min: Mapped[int] = mapped_column(default=60)
    step_min: Mapped[int] = mapped_column(default=60)
    min_notice_min: Mapped[int] = mapped_column(default=60)
    horizon_days: Mapped[int] = mapped_column(default=60)
    check_in: Mapped[time] = mapped_column(default=time(15))
    check_out: Mapped[time] = mapped_column(default=time(12))


class Booking(ShopOwned, Model):
    """`quantity` places of a resource for a range of time, held or taken for somebody. `nights` only for stays."""

    __tablename__ = "bookings"
    __table_args__ = (
        shop_fk("resource_id", "resources"),
        shop_fk("product_id", "products"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("nights > 0", name="nights"),
        CheckConstraint("NOT isempty(during)", name="during"),
        CheckConstraint("(state = 'held') = (expires_at IS NOT NULL)", name="expires"),
        Index("ix_bookings_held", "tenant_id", "expires_at", postgresql_where=text("state = 'held'")),
        Index("ix_bookings_order", "tenant_id", "order_id"),
        Index("ix_bookings_during", "tenant_id", "during", postgresql_using="gist"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    resource_id: Mapped[int]
    product_id: Mapped[int]
    state: Mapped[BookingState]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    quantity: Mapped[int]
    nights: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    order_id: Mapped[int | None]
    contact_name: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    cancelled_reason: Mapped[str | None]
    created_at: Mapped[datetime]

    @property
    def starts_at(self) -> datetime:
        """First instant of the booking."""
        return cast("datetime", self.during.lower)

    @property
    def ends_at(self) -> datetime:
        """The instant at which its places are free again."""
        return cast("datetime", self.during.upper)


class BookingSeat(ShopOwned, Model):
    """One place of a booking. While `live`, no other live row may have the same place at an overlapping time."""

    __tablename__ = "booking_seats"
    __table_args__ = (
        shop_fk("booking_id", "bookings", ondelete="CASCADE"),
        shop_fk("resource_id", "resources"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("resource_id", "="),
            ("seat_no", "="),
            ("during", "&&"),
            where=text("live"),
            using="gist",
            name="ex_booking_seats_overlap",
        ),
        Index("ix_booking_seats_booking", "tenant_id", "booking_id"),
        CheckConstraint("seat_no >= 1", name="seat_no"),
    )

    id: Mapped[int] = identity_pk()
    booking_id: Mapped[int]
    resource_id: Mapped[int]
    seat_no: Mapped[int]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    live: Mapped[bool] = mapped_column(default=True)
