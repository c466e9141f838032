"""Carts and their lines. A line remembers the price its owner saw, to explain a change; it never decides a price.

A cart is found by the hash of a token that only its owner's browser holds. Removed lines stay for a while, so that
removing can be undone. Once ordered, a cart knows the order it became.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk

MOST_OF_ONE = 99
"""The largest quantity of one line."""

MOST_LINES = 50
"""The most lines a cart holds at once."""


HOLD_CAUSE = "cart"
"""How stock holds name a cart for which the shop keeps its goods; the cart's id is the cause's id."""


class Cart(ShopOwned, Model):
    """One browser's cart. `order_token` is the secret link of the order it last became, `coupon` a typed code.

    A draft is prepared by the shop and becomes one order at most (`drafts`): its lines keep their promised prices until
    `promised_until`, and its goods are held for it until `held_until`.
    """

    __tablename__ = "carts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        shop_fk("customer_id", "customers"),
        Index("ix_carts_updated", "tenant_id", "updated_at"),
        Index("ix_carts_customer", "tenant_id", "customer_id"),
    )

    id: Mapped[int] = identity_pk()
    token_hash: Mapped[str]
    customer_id: Mapped[int | None]
    locale: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    order_token: Mapped[str | None]
    coupon: Mapped[str | None]
    is_draft: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    promised_until: Mapped[datetime | None]
    held_until: Mapped[datetime | None]


class CartLine(ShopOwned, Model):
    """So many of a variant, or a reservation of it: `starts_at` and `nights` say when, `booking_id` what is held."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        shop_fk("cart_id", "carts", ondelete="CASCADE"),
        shop_fk("variant_id", "variants", ondelete="CASCADE"),
        shop_fk("booking_id", "bookings"),
        CheckConstraint(f"quantity BETWEEN 1 AND {MOST_OF_ONE}", name="quantity"),
        CheckConstraint("seen_minor >= 0", name="seen"),
        CheckConstraint("promised_minor >= 0", name="promised"),
        CheckConstraint("booking_id IS NULL OR starts_at IS NOT NULL", name="booking"),
        Index("ix_cart_lines_cart", "tenant_id", "cart_id"),
        Index("ix_cart_lines_booking", "tenant_id", "booking_id"),
        Index(
            "uq_cart_lines_goods",
            "tenant_id",
            "cart_id",
            "variant_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL AND starts_at IS NULL"),
        ),
    )

    id: Mapped[int] = identity_pk()
    cart_id: Mapped[int]
    code: Mapped[str]
    variant_id: Mapped[int]
    quantity: Mapped[int] = mapped_column()
    seen_name: Mapped[str]
    seen_minor: Mapped[int]
    promised_minor: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    nights: Mapped[int | None]
    booking_id: Mapped[int | None]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
