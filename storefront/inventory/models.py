"""Counts, holds and moves. What can be promised is on_hand - reserved; a hold is a promise with an end.

A bundle has no count of its own: it draws on the counts of what is in it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.catalogue.models import CATALOGUE
from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.kept import renewed_by


class HoldState(StrEnum):
    """Active holds count; each ends exactly once."""

    ACTIVE = "active"
    CONSUMED = "consumed"
    RELEASED = "released"


class MoveReason(StrEnum):
    """Why a count changed."""

    RECEIVED = "received"
    COUNTED = "counted"
    DAMAGED = "damaged"
    SOLD = "sold"
    RETURNED = "returned"
    UNCOUNTED = "uncounted"


class Location(ShopOwned, Model):
    """A place where goods lie. Each shop has one default place."""

    __tablename__ = "locations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        Index("uq_locations_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)


class Stock(ShopOwned, Model):
    """How many of a variant lie at a place, and how many of those are promised. No row: not counted."""

    __tablename__ = "stock"
    __table_args__ = (
        shop_fk("variant_id", "variants"),
        shop_fk("location_id", "locations"),
        CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        CheckConstraint("reserved >= 0", name="reserved_not_negative"),
        CheckConstraint("reserved <= on_hand", name="never_oversold"),
    )

    variant_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    location_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)


class BundlePart(ShopOwned, Model):
    """So many `units` of one variant are in another: a bundle, which is never counted itself and never a part."""

    __tablename__ = "bundle_parts"
    __table_args__ = (
        shop_fk("variant_id", "variants"),
        shop_fk("part_id", "variants"),
        CheckConstraint("units BETWEEN 1 AND 99", name="units"),
        CheckConstraint("variant_id <> part_id", name="not_itself"),
        Index("ix_bundle_parts_part", "tenant_id", "part_id"),
    )

    variant_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    units: Mapped[int]


class StockHold(ShopOwned, Model):
    """Units promised for a cause (an order) until `expires_at`, or without end when that is empty."""

    __tablename__ = "stock_holds"
    __table_args__ = (
        shop_fk("variant_id", "variants"),
        shop_fk("location_id", "locations"),
        CheckConstraint("qty > 0", name="qty_positive"),
        CheckConstraint("(state = 'active') = (closed_at IS NULL)", name="closed_when_ended"),
        Index("ix_stock_holds_cause", "tenant_id", "cause", "cause_id"),
        Index(
            "ix_stock_holds_expiry", "tenant_id", "variant_id", "expires_at", postgresql_where=text("state = 'active'")
        ),
    )

    id: Mapped[int] = identity_pk()
    cause: Mapped[str]
    cause_id: Mapped[int]
    variant_id: Mapped[int]
    location_id: Mapped[int]
    qty: Mapped[int]
    state: Mapped[HoldState] = mapped_column(default=HoldState.ACTIVE)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]


class StockMove(ShopOwned, Model):
    """One change of a count, with who and why. Append-only: a mistake is corrected by another move."""

    __tablename__ = "stock_moves"
    __append_only__ = True
    __table_args__ = (
        shop_fk("variant_id", "variants"),
        shop_fk("location_id", "locations"),
        CheckConstraint("delta <> 0", name="changes_something"),
        Index("ix_stock_moves_variant", "tenant_id", "variant_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    variant_id: Mapped[int]
    location_id: Mapped[int]
    delta: Mapped[int]
    on_hand_after: Mapped[int]
    reason: Mapped[MoveReason]
    cause: Mapped[str] = mapped_column(default="")
    cause_id: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_label: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


renewed_by(CATALOGUE, BundlePart)
