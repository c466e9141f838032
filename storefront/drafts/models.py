"""Drafts: for whom a cart is prepared, and until when its link is good."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code


class Draft(ShopOwned, Model):
    """One cart that the shop prepares for somebody. `token` is the cart's own, and the secret link once it is sent.

    `words` are for the customer; `how` and `address` what is known of how they receive it. Sent, it can be confirmed
    until `expires_at`. What became of it is told by its cart, which remembers the order.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "token"),
        UniqueConstraint("tenant_id", "cart_id"),
        shop_fk("cart_id", "carts", ondelete="CASCADE"),
        CheckConstraint("(sent_at IS NULL) = (expires_at IS NULL)", name="sent"),
        CheckConstraint("how IN ('', 'delivery', 'pickup')", name="how"),
        Index("ix_drafts_list", "tenant_id", text("updated_at DESC"), text("id DESC")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    token: Mapped[str]
    cart_id: Mapped[int]
    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    words: Mapped[str]
    how: Mapped[str]
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
