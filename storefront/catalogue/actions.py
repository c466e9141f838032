"""What an owner does to the catalogue: create, change, publish, archive, copy, and its variants' prices.

Each action is one transaction and leaves its line in the audit trail. Products are changed under a lock and against
the version the person saw, so that nobody overwrites what a colleague wrote meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from storefront.catalogue import search
from storefront.catalogue.models import (
    STATUS_TRANSITIONS,
    Category,
    Product,
    ProductKind,
    ProductStatus,
    Translations,
    Variant,
)
from storefront.catalogue.naming import free_slug, keep_named, named, without_blanks
from storefront.catalogue.pictures import NewImage, images_of, put_image
from storefront.catalogue.queries import language_of
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_code
from storefront.kernel.taxes import GENERAL, class_of
from storefront.kernel.tenancy import current_shop

MOST_VARIANTS = 60
LONGEST_NAME = 120


class ChangedMeanwhile(Conflict):
    """Somebody else saved the product after this person opened it."""

    message = _l("Alguien más guardó cambios en este producto mientras lo editabas. Revisa y vuelve a guardar.")


class NothingToSell(Invalid):
    """A product cannot be published without a way to buy it."""

    message = _l("Para publicarlo hace falta al menos una opción activa con su precio.")


class SkuTaken(Invalid):
    """Two variants would share a stock-keeping code."""

    message = _l("Esa clave interna ya la usa otro producto. Escribe otra o déjala vacía.")


class BadPrice(Invalid):
    """A price is negative, or the former price is not above it."""

    message = _l("El precio anterior debe ser mayor que el precio de ahora.")


class TooManyVariants(Invalid):
    """A product with more options than a page can hold."""

    message = _l("Un producto puede tener hasta 60 opciones.")


@dataclass(frozen=True, slots=True)
class Price:
    """What a variant costs, in minor units of the shop's currency; `compare_minor` is what it cost."""

    minor: int
    compare_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ProductTexts:
    """What a product's form says, apart from prices and pictures."""

    name: str
    description: str = ""
    kind: ProductKind = ProductKind.GOODS
    category_id: int | None = None
    tags: Sequence[str] = ()
    tax_class: str = GENERAL


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One row of the variants editor; `code` is empty for a new one."""

    name: str
    price: Price
    code: str = ""
    sku: str = ""
    active: bool = True
    weight_g: int | None = None


# --- products -----------------------------------------------------------------------------------------------------


def create_product(texts: ProductTexts, price: Price, *, sku: str = "", by: Actor) -> Product:
    """A new draft with one variant. Raises NameNeeded, BadPrice, SkuTaken, NotFound (category)."""
    with transaction():
        product = Product(code=new_code(), slug=free_slug(Product, texts.name), position=0)
        _write_texts(product, texts)
        _reindex(product)
        keep_named(product)
        _add_variant_row(product.id, VariantRow("", price, sku=sku), 0)
        note("product", product.code, "created", by, name=product.name, price_minor=price.minor)
    return product


def update_product(product_id: int, texts: ProductTexts, *, version: int, by: Actor) -> Product:
    """Write the texts. The address follows the name until the product is first published.

    Raises ChangedMeanwhile, NameNeeded, NotFound.
    """
    with transaction():
        product = locked_product(product_id)
        if product.version != version:
            raise ChangedMeanwhile
        if product.published_at is None and texts.name.strip() != product.name:
            product.slug = free_slug(Product, texts.name)
        _write_texts(product, texts)
        _reindex(product)
        product.version += 1
        note("product", product.code, "changed", by, name=product.name)
    return product


def translate_product(product_id: int, translations: Translations, *, by: Actor) -> Product:
    """Replace the product's texts in other languages: {language: {"name": …, "description": …}}; empty ones vanish."""
    with transaction():
        product = locked_product(product_id)
        product.translations = without_blanks(translations)
        _reindex(product)
        product.version += 1
        note("product", product.code, "translated", by, languages=sorted(product.translations))
    return product


def publish(product_id: int, *, by: Actor) -> Product:
    """Show the product to customers. Raises NothingToSell without an active variant."""
    with transaction():
        product = locked_product(product_id)
        if not _has_active_variant(product.id):
            raise NothingToSell
        _move(product, ProductStatus.PUBLISHED, "published", by)
        product.published_at = product.published_at or clock.now()
    return product


def unpublish(product_id: int, *, by: Actor) -> Product:
    """Hide the product; nothing else changes."""
    with transaction():
        product = locked_product(product_id)
        _move(product, ProductStatus.DRAFT, "hidden", by)
    return product


def archive(product_id: int, *, by: Actor) -> Product:
    """Put the product away: gone from the shop and from the owner's list, kept for past orders."""
    with transaction():
        product = locked_product(product_id)
        _move(product, ProductStatus.ARCHIVED, "archived", by)
    return product


def restore(product_id: int, *, to: ProductStatus = ProductStatus.DRAFT, by: Actor) -> Product:
    """Take an archived product back, as a draft or as published. Raises NothingToSell, IllegalTransition."""
    if to is ProductStatus.PUBLISHED:
        return publish(product_id, by=by)
    with transaction():
        product = locked_product(product_id)
        _move(product, ProductStatus.DRAFT, "restored", by)
    return product


def duplicate_product(product_id: int, *, by: Actor) -> Product:
    """A draft like this one, with its variants and pictures, without counts and internal codes."""
    with transaction():
        source = locked_product(product_id)
        name = str(_l("%(name)s (copia)", name=source.name))[:LONGEST_NAME]
        texts = ProductTexts(
            name, source.description, source.kind, source.category_id, list(source.tags), source.tax_class
        )
        copy = Product(code=new_code(), slug=free_slug(Product, name), translations={})
        _write_texts(copy, texts)
        _reindex(copy)
        keep_named(copy)
        for variant in _variants(source.id):
            price = Price(variant.price_minor, variant.compare_minor)
            row = VariantRow(variant.name, price, active=variant.active, weight_g=variant.weight_g)
            _add_variant_row(copy.id, row, variant.position)
        for image in images_of(source.id):
            put_image(
                copy.id, NewImage(image.key, image.width, image.height, image.placeholder, image.alt), image.position
            )
        note("product", copy.code, "copied", by, source=source.code)
    return copy


# --- variants -----------------------------------------------------------------------------------------------------


def add_variant(product_id: int, row: VariantRow, *, by: Actor) -> Variant:
    """One more way to buy the product. Raises BadPrice, SkuTaken, TooManyVariants."""
    with transaction():
        product = locked_product(product_id)
        existing = _variants(product.id)
        if len(existing) >= MOST_VARIANTS:
            raise TooManyVariants
        variant = _add_variant_row(product.id, row, max((v.position for v in existing), default=-1) + 1)
        product.version += 1
        note("product", product.code, "variant_added", by, variant=variant.code, price_minor=variant.price_minor)
    return variant


def save_variants(
    product_id: int, rows: Sequence[VariantRow], *, version: int | None = None, by: Actor
) -> list[Variant]:
    """Write the whole editor: rows with a code change that variant, rows without one add one; order is as given.

    A variant is never removed, only switched off. A published product keeps at least one on (NothingToSell).
    `version` is the product's as the person saw it. Raises ChangedMeanwhile, BadPrice, SkuTaken, TooManyVariants,
    NotFound (a code of another product).
    """
    if len(rows) > MOST_VARIANTS:
        raise TooManyVariants
    with transaction():
        product = locked_product(product_id)
        if version is not None and product.version != version:
            raise ChangedMeanwhile
        existing = {variant.code: variant for variant in _variants(product.id)}
        if any(row.code and row.code not in existing for row in rows):
            raise NotFound
        saved = [
            _write_variant(existing[row.code], row, position, product.code, by)
            if row.code
            else _add_variant_row(product.id, row, position)
            for position, row in enumerate(rows)
        ]
        _flush_skus()
        if product.status is ProductStatus.PUBLISHED and not _has_active_variant(product.id):
            raise NothingToSell
        product.version += 1
        note("product", product.code, "variants_saved", by, variants=len(saved))
    return saved


def set_price(variant_id: int, price: Price, *, by: Actor) -> Variant:
    """Change what one variant costs. Orders already placed keep their price. Raises BadPrice, NotFound."""
    _check_price(price)
    with transaction():
        found = lock_rows(Variant, [variant_id])
        if not found:
            raise NotFound
        variant = found[0]
        before = variant.price_minor
        variant.price_minor, variant.compare_minor = price.minor, price.compare_minor
        if before != price.minor:
            code = db.session.scalar(select(Product.code).where(Product.id == variant.product_id))
            note("product", code or "", "price_changed", by, variant=variant.code, before=before, after=price.minor)
    return variant


# --- how it is done -------------------------------------------------------------------------------------------------


def locked_product(product_id: int) -> Product:
    """The product, locked and fresh, in the caller's transaction. Raises NotFound."""
    found = lock_rows(Product, [product_id])
    if not found:
        raise NotFound
    return found[0]


def _variants(product_id: int) -> list[Variant]:
    return list(
        db.session.scalars(
            select(Variant).where(Variant.product_id == product_id).order_by(Variant.position, Variant.id)
        )
    )


def _has_active_variant(product_id: int) -> bool:
    return bool(db.session.scalar(select(exists().where(Variant.product_id == product_id, Variant.active.is_(True)))))


def _move(product: Product, to: ProductStatus, verb: str, by: Actor) -> None:
    STATUS_TRANSITIONS.require(product.status, to)
    product.status = to
    product.version += 1
    note("product", product.code, verb, by)


def _write_texts(product: Product, texts: ProductTexts) -> None:
    product.name = named(texts.name, LONGEST_NAME)
    product.description = texts.description.strip()
    product.kind = texts.kind
    product.tax_class = class_of(current_shop(), texts.tax_class).code
    product.tags = list(dict.fromkeys(tag.strip()[:40] for tag in texts.tags if tag.strip()))[:20]
    if texts.category_id is not None and not db.session.scalar(
        select(exists().where(Category.id == texts.category_id))
    ):
        raise NotFound
    product.category_id = texts.category_id


def _reindex(product: Product) -> None:
    translations = product.translations or {}
    product.search_name = search.search_name(product.name, translations)
    product.search_vector = search.document(
        language_of(current_shop().locale),
        {"name": product.name, "description": product.description},
        product.tags,
        translations,
    )


def _check_price(price: Price) -> None:
    if price.minor < 0:
        raise BadPrice(_l("El precio no puede ser menor que cero."))
    if price.compare_minor is not None and price.compare_minor <= price.minor:
        raise BadPrice


def _add_variant_row(product_id: int, row: VariantRow, position: int) -> Variant:
    _check_price(row.price)
    variant = Variant(
        code=new_code(),
        product_id=product_id,
        name=row.name.strip()[:80],
        sku=row.sku.strip()[:40],
        price_minor=row.price.minor,
        compare_minor=row.price.compare_minor,
        weight_g=row.weight_g,
        active=row.active,
        position=position,
    )
    db.session.add(variant)
    _flush_skus()
    return variant


def _write_variant(variant: Variant, row: VariantRow, position: int, product_code: str, by: Actor) -> Variant:
    _check_price(row.price)
    if variant.price_minor != row.price.minor:
        note(
            "product", product_code, "price_changed", by,
            variant=variant.code, before=variant.price_minor, after=row.price.minor,
        )  # fmt: skip
    variant.name, variant.sku, variant.active = row.name.strip()[:80], row.sku.strip()[:40], row.active
    variant.price_minor, variant.compare_minor = row.price.minor, row.price.compare_minor
    variant.weight_g, variant.position = row.weight_g, position
    return variant


def _flush_skus() -> None:
    """Send what is pending and say it plainly when two variants would share an internal code."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if "uq_variants_sku" in str(error.orig):
            raise SkuTaken from error
        raise
