"""What is kept of somebody's tastes, and of what is bought together.

A profile belongs to a customer, or to nobody by name: then only the browsers whose tokens lead to it know it. What is
inferred from a history is never stored; it is worked out each time, so that it disappears with the history.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.catalogue.models import CATALOGUE
from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.kept import renewed_by


class InteractionKind(StrEnum):
    """What somebody did with a product."""

    VIEWED = "viewed"
    BOUGHT = "bought"


class Profile(ShopOwned, Model):
    """One person's or browser's tastes. `off`: pages stay neutral. `remembers`: a history is kept, as they allowed."""

    __tablename__ = "taste_profiles"
    __table_args__ = (
        shop_fk("customer_id", "customers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "customer_id"),
        CheckConstraint("NOT (off AND remembers)", name="off_remembers_nothing"),
        Index("ix_taste_profiles_seen", "tenant_id", "seen_at"),
    )

    id: Mapped[int] = identity_pk()
    customer_id: Mapped[int | None]
    off: Mapped[bool] = mapped_column(default=False)
    remembers: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Visitor(ShopOwned, Model):
    """A browser that leads to a profile. The token itself is only in its cookie."""

    __tablename__ = "visitors"
    __table_args__ = (
        shop_fk("profile_id", "taste_profiles", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "token_hash"),
        Index("ix_visitors_profile", "tenant_id", "profile_id"),
    )

    id: Mapped[int] = identity_pk()
    token_hash: Mapped[str]
    profile_id: Mapped[int]
    created_at: Mapped[datetime]


class Preference(ShopOwned, Model):
    """A taste somebody declared, in the shop's own word for it."""

    __tablename__ = "preferences"
    __table_args__ = (
        shop_fk("profile_id", "taste_profiles", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "profile_id", "tag"),
    )

    id: Mapped[int] = identity_pk()
    profile_id: Mapped[int]
    tag: Mapped[str]
    at: Mapped[datetime]


class Interaction(ShopOwned, Model):
    """Something a profile did with a product. Written only with consent, kept for 180 days."""

    __tablename__ = "interactions"
    __table_args__ = (
        shop_fk("profile_id", "taste_profiles", ondelete="CASCADE"),
        shop_fk("product_id", "products", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "profile_id", "product_id", "kind", "at", name="uq_interactions_once"),
        Index("ix_interactions_latest", "tenant_id", "profile_id", "at"),
        Index("ix_interactions_age", "tenant_id", "at"),
    )

    id: Mapped[int] = identity_pk()
    profile_id: Mapped[int]
    product_id: Mapped[int]
    kind: Mapped[InteractionKind]
    at: Mapped[datetime]


class CoPurchase(ShopOwned, Model):
    """In how many orders `product_a` and `product_b` came together; a product with itself: in how many at all."""

    __tablename__ = "co_purchases"
    __table_args__ = (
        shop_fk("product_a", "products", ondelete="CASCADE"),
        shop_fk("product_b", "products", ondelete="CASCADE"),
        CheckConstraint("orders > 0", name="orders"),
        Index("ix_co_purchases_fresh", "tenant_id", "refreshed_at"),
    )

    product_a: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_b: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    orders: Mapped[int]
    refreshed_at: Mapped[datetime]


renewed_by(CATALOGUE, CoPurchase)
