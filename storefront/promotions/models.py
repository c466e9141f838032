"""Promotions, what they are limited to, and who used them.

A promotion counts on its own row how often it is used and how much it has given: the guard of its limits is one
conditional UPDATE of that row (`actions.redeem`), and the checks below hold even without it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.pricing.discounts import Kind
from storefront.promotions.audiences import Audience


class Promotion(ShopOwned, Model):
    """One promotion. Without a `coupon` it applies by itself; with one, to whoever types it.

    `value` is basis points or minor units, by `kind`. A `limited` one is for its targets only, and for nothing once
    they are gone. `audience_number` is days, orders or minor units, by `audience`. `used` and `given_minor` count the
    redemptions that stand.
    """

    __tablename__ = "promotions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "coupon"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("coupon <> ''", name="coupon"),
        CheckConstraint("value >= 0 AND (kind <> 'percent' OR value <= 10000)", name="value"),
        CheckConstraint("minimum_minor >= 0", name="minimum"),
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint("usage_limit > 0 AND per_customer > 0 AND budget_minor > 0", name="limits"),
        CheckConstraint(
            "(audience IN ('away', 'orders', 'spent')) = (audience_number IS NOT NULL)", name="audience_number"
        ),
        CheckConstraint(
            "audience_number > 0 AND (audience <> 'away' OR audience_number BETWEEN 7 AND 730)", name="audience_size"
        ),
        CheckConstraint("used >= 0 AND used <= usage_limit", name="used"),
        CheckConstraint("given_minor >= 0 AND given_minor <= budget_minor", name="given"),
        Index("ix_promotions_list", "tenant_id", text("created_at DESC"), text("id DESC")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    coupon: Mapped[str | None]
    name: Mapped[str]
    kind: Mapped[Kind]
    value: Mapped[int]
    minimum_minor: Mapped[int] = mapped_column(default=0)
    limited: Mapped[bool] = mapped_column(default=False)
    audience: Mapped[Audience] = mapped_column(default=Audience.EVERYBODY)
    audience_number: Mapped[int | None]
    combines: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    usage_limit: Mapped[int | None]
    per_customer: Mapped[int | None]
    budget_minor: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    given_minor: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column(default=1)


class PromotionTarget(ShopOwned, Model):
    """One category or one product that a limited promotion is for."""

    __tablename__ = "promotion_targets"
    __table_args__ = (
        shop_fk("promotion_id", "promotions", ondelete="CASCADE"),
        shop_fk("category_id", "categories", ondelete="CASCADE"),
        shop_fk("product_id", "products", ondelete="CASCADE"),
        CheckConstraint("num_nonnulls(category_id, product_id) = 1", name="one_thing"),
        Index("ix_promotion_targets_promotion", "tenant_id", "promotion_id"),
        Index("ix_promotion_targets_category", "tenant_id", "category_id"),
        Index("ix_promotion_targets_product", "tenant_id", "product_id"),
    )

    id: Mapped[int] = identity_pk()
    promotion_id: Mapped[int]
    category_id: Mapped[int | None]
    product_id: Mapped[int | None]


class Redemption(ShopOwned, Model):
    """One promotion used by one order, for `amount_minor`. `given_back_at` is set when the order did not stand.

    The keys are fingerprints of the customer's telephone and mail address, to count one person's uses.
    """

    __tablename__ = "redemptions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "order_id", "promotion_id"),
        shop_fk("promotion_id", "promotions"),
        shop_fk("order_id", "orders"),
        shop_fk("customer_id", "customers"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_redemptions_customer", "tenant_id", "promotion_id", "customer_id"),
        Index("ix_redemptions_phone", "tenant_id", "promotion_id", "phone_key"),
        Index("ix_redemptions_email", "tenant_id", "promotion_id", "email_key"),
    )

    id: Mapped[int] = identity_pk()
    promotion_id: Mapped[int]
    order_id: Mapped[int]
    name: Mapped[str]
    amount_minor: Mapped[int]
    customer_id: Mapped[int | None]
    phone_key: Mapped[str | None]
    email_key: Mapped[str | None]
    at: Mapped[datetime]
    given_back_at: Mapped[datetime | None]
