"""Products, categories and counts for tests, written through the real actions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storefront.catalogue import actions, categories
from storefront.catalogue.models import Category, Product, ProductKind, Variant
from storefront.inventory.actions import adjust_stock
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction

OWNER = Actor("staff", None, "Alicia")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Made:
    """A product and its first variant, by their ids and public names."""

    id: int
    code: str
    slug: str
    variant_id: int
    variant_code: str


def a_product(
    name: str | None = None,
    *,
    price: int = 2_500,
    stock: int | None = None,
    category: str | None = None,
    kind: ProductKind = ProductKind.GOODS,
    published: bool = True,
    tags: Sequence[str] = (),
    tax_class: str = "general",
) -> Made:
    """A product of the shop in scope; `price` in minor units, `stock` None for made to order."""
    with transaction():
        shelf = categories.category_named(category, by=OWNER).id if category else None
        texts = actions.ProductTexts(name or f"Pan {next(_numbers)}", "", kind, shelf, tags, tax_class)
        product = actions.create_product(texts, actions.Price(price), by=OWNER)
        variant = db.session.scalars(select(Variant).where(Variant.product_id == product.id)).one()
        if stock is not None:
            adjust_stock(variant.id, on_hand=stock, reason="received", by=OWNER)
        if published:
            actions.publish(product.id, by=OWNER)
    return Made(product.id, product.code, product.slug, variant.id, variant.code)


def a_variant(
    product: Made, name: str, *, price: int = 2_500, stock: int | None = None, active: bool = True
) -> Variant:
    """One more way to buy a product."""
    with transaction():
        row = actions.VariantRow(name, actions.Price(price), active=active)
        variant = actions.add_variant(product.id, row, by=OWNER)
        if stock is not None:
            adjust_stock(variant.id, on_hand=stock, reason="received", by=OWNER)
    return variant


def a_category(name: str) -> Category:
    """A shelf of the shop in scope."""
    return categories.create_category(name, by=OWNER)


def described(product: Made, description: str, *tags: str) -> Product:
    """The product, now with a description and tags."""
    with transaction():
        row = db.session.scalars(select(Product).where(Product.id == product.id)).one()
        texts = actions.ProductTexts(row.name, description, row.kind, row.category_id, tags)
        return actions.update_product(product.id, texts, version=row.version, by=OWNER)
