"""What the owner reads: every product whatever its state, with what the editing screens need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, exists, func, lateral, or_, select, true
from sqlalchemy.orm import aliased

from storefront.catalogue import search as wording
from storefront.catalogue.models import (
    Category,
    Product,
    ProductImage,
    ProductKind,
    ProductStatus,
    Translations,
    Variant,
)
from storefront.catalogue.queries import Picture
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop

PAGE_SIZE = 24
MOST_TAGS = 24


@dataclass(frozen=True, slots=True)
class AssortmentRow:
    """A product in the owner's list. `free` is filled by who knows the counts; None for made to order."""

    code: str
    slug: str
    name: str
    kind: ProductKind
    status: ProductStatus
    price: Money | None
    has_several_prices: bool
    variant_ids: tuple[int, ...]
    picture: Picture | None
    free: int | None = None


@dataclass(frozen=True, slots=True)
class EditableVariant:
    """A variant in the editor, active or not."""

    id: int
    code: str
    name: str
    sku: str
    price_minor: int
    compare_minor: int | None
    active: bool
    weight_g: int | None = None


@dataclass(frozen=True, slots=True)
class EditablePicture:
    """A picture in the editor; `alt` is exactly what the owner wrote."""

    id: int
    code: str
    key: str
    width: int
    height: int
    alt: str
    placeholder: str | None


@dataclass(frozen=True, slots=True)
class EditableProduct:
    """A product with everything its editing screens show."""

    id: int
    code: str
    slug: str
    name: str
    kind: ProductKind
    description: str
    category_id: int | None
    tax_class: str
    status: ProductStatus
    tags: tuple[str, ...]
    translations: Translations
    version: int
    variants: tuple[EditableVariant, ...]
    pictures: tuple[EditablePicture, ...]

    @property
    def only_variant(self) -> EditableVariant | None:
        """Its one variant, when there is no choice to make."""
        return self.variants[0] if len(self.variants) == 1 else None


@dataclass(frozen=True, slots=True)
class EditableCategory:
    """A shelf in the owner's list, with how many products stand on it."""

    id: int
    code: str
    slug: str
    name: str
    translations: Translations
    products: int


def named_like(typed: str) -> ColumnElement[bool]:
    """Products whose name sounds like what was typed, or with a variant of that internal code."""
    sounds = f"%{_escaped(wording.sound(typed))}%"
    code = f"{_escaped(typed.strip().lower())}%"
    other = aliased(Variant)
    has_code = (
        exists()
        .where(other.tenant_id == Product.tenant_id, other.product_id == Product.id, func.lower(other.sku).like(code))
        .correlate(Product)
    )
    return or_(Product.search_name.like(sounds), has_code)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def assortment(typed: str, status: ProductStatus | None, number: int) -> Page[AssortmentRow]:
    """One page of the owner's products by name; without a status, all that are not archived."""
    shown = Product.status == status if status else Product.status != ProductStatus.ARCHIVED
    picked = (
        select(Product.tenant_id, Product.id, Product.code, Product.slug, Product.name, Product.kind, Product.status)
        .where(shown, named_like(typed) if typed.strip() else true())
        .order_by(func.lower(Product.name), Product.id)
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
        .subquery("picked")
    )
    offer = lateral(
        select(
            func.min(Variant.price_minor).label("lowest"),
            func.max(Variant.price_minor).label("highest"),
            func.array_agg(Variant.id).label("variant_ids"),
        ).where(Variant.tenant_id == picked.c.tenant_id, Variant.product_id == picked.c.id, Variant.active)
    ).alias("offer")
    face = lateral(
        select(ProductImage.key, ProductImage.width, ProductImage.height, ProductImage.placeholder)
        .where(ProductImage.tenant_id == picked.c.tenant_id, ProductImage.product_id == picked.c.id)
        .order_by(ProductImage.position, ProductImage.id)
        .limit(1)
    ).alias("face")
    rows = db.session.execute(
        select(picked, *offer.c, *face.c)
        .join_from(picked, offer, true())
        .outerjoin(face, true())
        .order_by(func.lower(picked.c.name), picked.c.id)
    )
    currency = current_shop().currency
    return Page.of([_assortment_row(row, currency) for row in rows], number, PAGE_SIZE)


def _assortment_row(row: Any, currency: str) -> AssortmentRow:
    picture = Picture(row.key, row.width, row.height, "", row.placeholder) if row.key else None
    return AssortmentRow(
        code=row.code,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        status=row.status,
        price=Money(row.lowest, currency) if row.lowest is not None else None,
        has_several_prices=row.lowest != row.highest,
        variant_ids=tuple(row.variant_ids or ()),
        picture=picture,
    )


def with_free(rows: Iterable[AssortmentRow], free: dict[int, int | None]) -> list[AssortmentRow]:
    """The rows with how many can still be promised, all variants together; None when one is not counted."""
    filled = []
    for row in rows:
        counted = [free.get(variant_id) for variant_id in row.variant_ids]
        known = [one for one in counted if one is not None]
        filled.append(replace(row, free=sum(known) if known and len(known) == len(counted) else None))
    return filled


def status_counts() -> dict[ProductStatus, int]:
    """How many products there are of each status."""
    rows = db.session.execute(select(Product.status, func.count().label("many")).group_by(Product.status))
    return dict.fromkeys(ProductStatus, 0) | {row.status: row.many for row in rows}


def tags_in_use(most: int = MOST_TAGS) -> tuple[str, ...]:
    """The words that the shop's products carry, those of most products first."""
    tag = func.jsonb_array_elements_text(Product.tags).table_valued("value", name="tag", joins_implicitly=True)
    rows = db.session.execute(
        select(tag.c.value)
        .select_from(Product, tag)
        .where(Product.status != ProductStatus.ARCHIVED)
        .group_by(tag.c.value)
        .order_by(func.count().desc(), tag.c.value)
        .limit(most)
    )
    return tuple(rows.scalars())


def editable_product(code: str) -> EditableProduct:
    """A product by its code, whatever its state. Raises NotFound."""
    row = db.session.execute(
        select(
            Product.id,
            Product.code,
            Product.slug,
            Product.name,
            Product.kind,
            Product.description,
            Product.category_id,
            Product.tax_class,
            Product.status,
            Product.tags,
            Product.translations,
            Product.version,
        ).where(Product.code == code)
    ).first()
    if row is None:
        raise NotFound
    variants = db.session.execute(
        select(
            Variant.id,
            Variant.code,
            Variant.name,
            Variant.sku,
            Variant.price_minor,
            Variant.compare_minor,
            Variant.active,
            Variant.weight_g,
        )
        .where(Variant.product_id == row.id)
        .order_by(Variant.position, Variant.id)
    )
    pictures = db.session.execute(
        select(
            ProductImage.id,
            ProductImage.code,
            ProductImage.key,
            ProductImage.width,
            ProductImage.height,
            ProductImage.alt,
            ProductImage.placeholder,
        )
        .where(ProductImage.product_id == row.id)
        .order_by(ProductImage.position, ProductImage.id)
    )
    facts = {**row._mapping, "tags": tuple(row.tags)}
    return EditableProduct(
        **facts,
        variants=tuple(EditableVariant(*one) for one in variants),
        pictures=tuple(EditablePicture(*one) for one in pictures),
    )


def goods_without_weight() -> list[tuple[str, str]]:
    """The published goods of which something on sale has no weight, by name: (code, name)."""
    unweighed = exists().where(
        Variant.tenant_id == Product.tenant_id,
        Variant.product_id == Product.id,
        Variant.active,
        Variant.weight_g.is_(None),
    )
    rows = db.session.execute(
        select(Product.code, Product.name)
        .where(Product.kind == ProductKind.GOODS, Product.status == ProductStatus.PUBLISHED, unweighed)
        .order_by(Product.name, Product.id)
    )
    return [(row.code, row.name) for row in rows]


def editable_categories() -> list[EditableCategory]:
    """The owner's shelves in order, empty ones too."""
    standing = (
        select(func.count(Product.id))
        .where(
            Product.tenant_id == Category.tenant_id,
            Product.category_id == Category.id,
            Product.status != ProductStatus.ARCHIVED,
        )
        .correlate(Category)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Category.id, Category.code, Category.slug, Category.name, Category.translations, standing.label("products")
        ).order_by(Category.position, Category.id)
    )
    return [EditableCategory(*row) for row in rows]


def product_names(most: int) -> list[tuple[int, str, str]]:
    """(id, code, name) of what the shop sells or may sell, by name, for choosing some of it."""
    rows = db.session.execute(
        select(Product.id, Product.code, Product.name)
        .where(Product.status != ProductStatus.ARCHIVED)
        .order_by(Product.name, Product.id)
        .limit(most)
    )
    return [(row.id, row.code, row.name) for row in rows]


def editable_category(code: str) -> EditableCategory:
    """A shelf by its code. Raises NotFound."""
    found = next((one for one in editable_categories() if one.code == code), None)
    if found is None:
        raise NotFound
    return found
