"""Products, variants, pictures and categories: what is for sale and at which price.

A product is never deleted, only archived, since orders and counts point at it. Texts in other languages live in
`translations` as {language: {"name": …, "description": …}} and fall back to the shop's own language.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.kept import renewed_by
from storefront.kernel.states import Transitions
from storefront.kernel.taxes import GENERAL


class ProductKind(StrEnum):
    """Goods are counted, carried and put in a cart; services are booked for a time."""

    GOODS = "goods"
    SERVICE = "service"


class ProductStatus(StrEnum):
    """Only published products are seen by customers."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


STATUS_TRANSITIONS = Transitions(
    {
        ProductStatus.DRAFT: {ProductStatus.PUBLISHED, ProductStatus.ARCHIVED},
        ProductStatus.PUBLISHED: {ProductStatus.DRAFT, ProductStatus.ARCHIVED},
        ProductStatus.ARCHIVED: {ProductStatus.DRAFT, ProductStatus.PUBLISHED},
    }
)

Translations = dict[str, dict[str, str]]


class Category(ShopOwned, Model):
    """A shelf with a name. `position` orders the shelves, smallest first."""

    __tablename__ = "categories"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("name <> ''", name="named"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    slug: Mapped[str]
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    translations: Mapped[Translations] = mapped_column(JSONB, default=dict)


class Product(ShopOwned, Model):
    """One thing for sale. `tax_class` is one of the country's (`kernel.taxes`), for all its variants. `search_name` and
    `search_vector` are written by the actions (see `search.py`).

    `deposit_percent` or `deposit_minor` (for each piece or reservation) is what is paid of it in advance where that is
    not as for the whole shop; a hundred per cent is all at once.
    """

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug"),
        UniqueConstraint("tenant_id", "code"),
        shop_fk("category_id", "categories"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("deposit_percent BETWEEN 5 AND 100 AND deposit_minor > 0", name="deposit"),
        CheckConstraint("deposit_percent IS NULL OR deposit_minor IS NULL", name="deposit_is_one"),
        Index("ix_products_shelf", "tenant_id", "status", "position", text("id DESC")),
        Index("ix_products_category", "tenant_id", "category_id", "status"),
        Index("ix_products_search", "tenant_id", "search_vector", postgresql_using="gin"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    slug: Mapped[str]
    kind: Mapped[ProductKind] = mapped_column(default=ProductKind.GOODS)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    category_id: Mapped[int | None]
    status: Mapped[ProductStatus] = mapped_column(default=ProductStatus.DRAFT)
    position: Mapped[int] = mapped_column(default=0)
    tags: Mapped[list[str]] = mapped_column(default=list)
    deposit_percent: Mapped[int | None]
    deposit_minor: Mapped[int | None]
    translations: Mapped[Translations] = mapped_column(JSONB, default=dict)
    tax_class: Mapped[str] = mapped_column(default=GENERAL, server_default=text("'general'"))
    search_name: Mapped[str] = mapped_column(default="")
    search_vector: Mapped[Any] = mapped_column(TSVECTOR, nullable=False, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


HEAVIEST_G = 1_000_000
"""A ton: more is a slip of the finger."""


class Variant(ShopOwned, Model):
    """One way to buy a product (a size, a colour). `name` is empty when there is only one way.

    Prices are minor units of the shop's currency, with their tax inside or not as the shop says; `compare_minor` is the
    higher price it used to have. `weight_g` is what one weighs in grams, packed; empty where nobody said.
    """

    __tablename__ = "variants"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        shop_fk("product_id", "products", ondelete="CASCADE"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("compare_minor > price_minor", name="compare_above_price"),
        CheckConstraint(f"weight_g BETWEEN 1 AND {HEAVIEST_G}", name="weight"),
        Index("ix_variants_product", "tenant_id", "product_id", "position"),
        Index("uq_variants_sku", "tenant_id", "sku", unique=True, postgresql_where=text("sku <> ''")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    product_id: Mapped[int]
    sku: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    price_minor: Mapped[int]
    compare_minor: Mapped[int | None]
    weight_g: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class ProductImage(ShopOwned, Model):
    """A picture of a product; the first by position is its face. `key` names the stored file."""

    __tablename__ = "product_images"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        shop_fk("product_id", "products", ondelete="CASCADE"),
        CheckConstraint("width > 0 AND height > 0", name="has_a_size"),
        Index("ix_product_images_product", "tenant_id", "product_id", "position"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    product_id: Mapped[int]
    key: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    placeholder: Mapped[str | None]
    alt: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)


CATALOGUE = "catalogue"
"""What is kept of the shop's window, until one of these rows changes."""

renewed_by(CATALOGUE, Category, Product, Variant, ProductImage)
