"""What customers read: columns into frozen records, never entities, and a fixed number of statements per page.

Every query takes the visitor's language and falls back to the shop's own text where there is no translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, Subquery, bindparam, func, lateral, literal, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute

from storefront.catalogue import search as wording
from storefront.catalogue.models import (
    CATALOGUE,
    Category,
    Product,
    ProductImage,
    ProductKind,
    ProductStatus,
    Variant,
)
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.kept import kept
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.taxes import GENERAL
from storefront.kernel.tenancy import current_shop

Listing = Select[*tuple[Any, ...]]

PAGE_SIZE = 24
HOME_CANDIDATES = 48
"""From how many products the home page's ranking may choose."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture, as the picture macros want it."""

    key: str
    width: int
    height: int
    alt: str
    placeholder: str | None
    code: str = ""


@dataclass(frozen=True, slots=True)
class CategoryLink:
    """A shelf in the shop's navigation."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product in a list. `price` is the lowest of its variants; `variant_code` is set when there is only one."""

    id: int
    slug: str
    name: str
    kind: ProductKind
    category_id: int | None
    price: Money
    has_several_prices: bool
    compare: Money | None
    variant_ids: tuple[int, ...]
    variant_code: str | None
    picture: Picture | None
    tax_class: str = GENERAL


@dataclass(frozen=True, slots=True)
class VariantView:
    """One way to buy the product."""

    id: int
    code: str
    name: str
    sku: str
    price: Money
    compare: Money | None


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product's own page."""

    id: int
    slug: str
    name: str
    kind: ProductKind
    description: str
    category: CategoryLink | None
    tags: tuple[str, ...]
    variants: tuple[VariantView, ...]
    pictures: tuple[Picture, ...]
    tax_class: str = GENERAL

    @property
    def has_several_prices(self) -> bool:
        """Whether its variants differ in price."""
        return len({variant.price.minor for variant in self.variants}) > 1


@dataclass(frozen=True, slots=True)
class Sellable:
    """What the cart and the order need to know of a variant that may be bought now."""

    variant_id: int
    variant_code: str
    product_id: int
    product_slug: str
    product_name: str
    variant_name: str
    sku: str
    price_minor: int
    kind: ProductKind
    picture: Picture | None
    category_id: int | None = None
    weight_g: int | None = None
    tax_class: str = GENERAL
    deposit_percent: int | None = None
    deposit_minor: int | None = None

    @property
    def image_key(self) -> str | None:
        """The key of its picture, when it has one."""
        return self.picture.key if self.picture else None


def language_of(locale: str) -> str:
    """The language of a locale: "pt" for "pt_BR"."""
    return locale.replace("-", "_").split("_")[0].lower()


def foreign(locale: str) -> str:
    """The language of `locale` if texts must be looked up in it; "" for the shop's own, which needs no looking up."""
    language = language_of(locale)
    return "" if language == language_of(current_shop().locale) else language


def _text(model: type[Product | Category], column: InstrumentedAttribute[str], language: str) -> ColumnElement[str]:
    """The column in `language`, or in the shop's own where there is no translation; "" asks for the shop's own."""
    if not language:
        return column.label(column.key)
    translated = model.translations[(language, column.key)].astext
    return func.coalesce(func.nullif(translated, ""), column).label(column.key)


def _offer(product: Any) -> Any:
    """The active variants of each product, summed up in one row."""
    in_order = (Variant.position, Variant.id)
    by_price = (Variant.price_minor, Variant.position, Variant.id)
    return lateral(
        select(
            func.min(Variant.price_minor).label("lowest"),
            func.max(Variant.price_minor).label("highest"),
            func.array_agg(aggregate_order_by(Variant.compare_minor, *by_price)).label("compares"),
            func.array_agg(aggregate_order_by(Variant.id, *in_order)).label("variant_ids"),
            func.min(Variant.code).label("variant_code"),
        ).where(Variant.tenant_id == product.tenant_id, Variant.product_id == product.id, Variant.active)
    ).alias("offer")


def _face(product: Any) -> Any:
    """The first picture of each product."""
    return lateral(
        select(ProductImage.key, ProductImage.width, ProductImage.height, ProductImage.alt, ProductImage.placeholder)
        .where(ProductImage.tenant_id == product.tenant_id, ProductImage.product_id == product.id)
        .order_by(ProductImage.position, ProductImage.id)
        .limit(1)
    ).alias("face")


def listed(language: str) -> Listing:
    """The columns of published products that a list needs before prices and pictures; `language` is from `foreign`."""
    return select(
        Product.tenant_id,
        Product.id,
        Product.slug,
        Product.kind,
        Product.category_id,
        Product.tax_class,
        _text(Product, Product.name, language),
    ).where(Product.status == ProductStatus.PUBLISHED)


def dressed(picked: Subquery, *order: Any) -> Listing:
    """The picked products with their prices and first pictures. Paging comes before, so only one page is dressed."""
    offer, face = _offer(picked.c), _face(picked.c)
    return (
        select(picked, *offer.c, *face.c)
        .join_from(picked, offer, true())
        .outerjoin(face, true())
        .where(offer.c.lowest.is_not(None))
        .order_by(*order)
    )


def _picture(row: Any, name: str) -> Picture | None:
    if row.key is None:
        return None
    return Picture(row.key, row.width, row.height, row.alt or name, row.placeholder)


def card_of(row: Row[*tuple[Any, ...]], currency: str) -> ProductCard:
    """The card of a row that `dressed` made."""
    compare = row.compares[0]
    return ProductCard(
        id=row.id,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        category_id=row.category_id,
        price=Money(row.lowest, currency),
        has_several_prices=row.lowest != row.highest,
        compare=Money(compare, currency) if compare is not None else None,
        variant_ids=tuple(row.variant_ids),
        variant_code=row.variant_code if len(row.variant_ids) == 1 else None,
        picture=_picture(row, row.name),
        tax_class=row.tax_class,
    )


def _cards(statement: Listing, **bound: Any) -> list[ProductCard]:
    currency = current_shop().currency
    return [card_of(row, currency) for row in db.session.execute(statement, bound)]


# Putting a statement together costs more than running it: those of the pages that everybody opens are made once for
# each language and kept. What differs from page to page is bound when they run.
_kept = lru_cache(maxsize=64)


@_kept
def _categories_statement(language: str) -> Select[int, str, str]:
    filled = (
        select(literal(1))
        .where(
            Product.tenant_id == Category.tenant_id,
            Product.category_id == Category.id,
            Product.status == ProductStatus.PUBLISHED,
        )
        .exists()
    )
    return (
        select(Category.id, Category.slug, _text(Category, Category.name, language))
        .where(filled)
        .order_by(Category.position, Category.id)
    )


def categories(locale: str) -> tuple[CategoryLink, ...]:
    """The shelves that hold something to buy, in the owner's order."""
    language = foreign(locale)

    def read() -> tuple[CategoryLink, ...]:
        rows = db.session.execute(_categories_statement(language))
        return tuple(CategoryLink(row.id, row.slug, row.name) for row in rows)

    return kept(CATALOGUE, "shelves", language, make=read)


@_kept
def _home_statement(language: str) -> Listing:
    picked = listed(language).add_columns(Product.position)
    picked_page = picked.order_by(Product.position, Product.id.desc()).limit(HOME_CANDIDATES).subquery("picked")
    return dressed(picked_page, picked_page.c.position, picked_page.c.id.desc())


def home_cards(locale: str) -> tuple[ProductCard, ...]:
    """The first products of the shop, in the owner's order and newest first."""
    language = foreign(locale)
    return kept(
        CATALOGUE, "home", language, make=lambda: tuple(_cards(_home_statement(language))), weight=HOME_CANDIDATES
    )


def _paging(picked: Listing, order: Sequence[Any]) -> Listing:
    """One page of `picked`, from `offset` on; the columns it is ordered by must already have a name in it."""
    numbered = picked.add_columns(
        func.row_number().over(order_by=order).label("rank_no"), func.count().over().label("total")
    ).order_by(*order)
    page = numbered.limit(PAGE_SIZE).offset(bindparam("offset", type_=BigInteger)).subquery("picked")
    return dressed(page, page.c.rank_no)


def _page(statement: Listing, number: int, **bound: Any) -> Page[ProductCard]:
    """Run a statement made by `_paging`."""
    currency = current_shop().currency
    rows = db.session.execute(statement, {"offset": (number - 1) * PAGE_SIZE, **bound}).all()
    total = rows[0].total if rows else 0
    cards = tuple(card_of(row, currency) for row in rows)
    return Page(cards, number, PAGE_SIZE, number * PAGE_SIZE < total, total)


@_kept
def _shelf_statement(language: str) -> Listing:
    picked = listed(language).where(Product.category_id == bindparam("category_id"))
    return _paging(picked, (Product.position, Product.id.desc()))


@_kept
def _everything_statement(language: str) -> Listing:
    return _paging(listed(language), (Product.position, Product.id.desc()))


@_kept
def _some_statement(language: str) -> Listing:
    picked = listed(language).where(Product.id.in_(bindparam("product_ids", expanding=True)))
    return dressed(picked.subquery("picked"))


def category_cards(category_id: int, number: int, locale: str) -> Page[ProductCard]:
    """One page of a shelf's products."""
    language = foreign(locale)
    return kept(
        CATALOGUE, "shelf", language, category_id, number,
        make=lambda: _page(_shelf_statement(language), number, category_id=category_id), weight=PAGE_SIZE,
    )  # fmt: skip


def all_cards(number: int, locale: str) -> Page[ProductCard]:
    """One page of everything the shop sells."""
    language = foreign(locale)
    return kept(
        CATALOGUE, "everything", language, number,
        make=lambda: _page(_everything_statement(language), number), weight=PAGE_SIZE,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `is_near` tells that no word matched and these are the nearest names."""

    page: Page[ProductCard]
    is_near: bool


def search(typed: str, number: int, locale: str) -> Found:
    """One page of the products that match what was typed, best first; the nearest names when none does."""
    found = wording.words(typed)
    nothing: Page[ProductCard] = Page((), number, PAGE_SIZE, has_next=False, total=0)
    if not found:
        return Found(nothing, is_near=False)
    language = foreign(locale)
    wanted = wording.query(found, (language_of(current_shop().locale), language_of(locale)))
    rank = func.ts_rank(Product.search_vector, wanted)
    matching = listed(language).where(Product.search_vector.op("@@")(wanted))
    page = _page(_paging(matching, (rank.desc(), Product.id.desc())), number)
    if page.total or number > 1:
        return Found(page, is_near=False)
    likeness = func.word_similarity(wording.sound(" ".join(found)), Product.search_name)
    near = listed(language).where(likeness >= wording.NEAR_ENOUGH)
    return Found(_page(_paging(near, (likeness.desc(), Product.id.desc())), number), is_near=True)


def cards_by_ids(product_ids: Iterable[int], locale: str | None = None) -> list[ProductCard]:
    """The published ones among these products, in the given order. Unknown and hidden ids are left out."""
    wanted = list(dict.fromkeys(product_ids))
    if not wanted:
        return []
    rows = _cards(_some_statement(foreign(locale or current_shop().locale)), product_ids=wanted)
    by_id = {card.id: card for card in rows}
    return [by_id[product_id] for product_id in wanted if product_id in by_id]


def pictures_of(product_ids: Iterable[int]) -> dict[int, Picture]:
    """The first picture of each of these products, hidden ones too; one without a picture is absent."""
    face = _face(Product)
    rows = db.session.execute(
        select(Product.id, Product.name, *face.c)
        .join_from(Product, face, true())
        .where(Product.id.in_(sorted(set(product_ids))))
    )
    return {row.id: picture for row in rows if (picture := _picture(row, row.name))}


def product_page(slug: str, locale: str | None = None) -> ProductView:
    """A published product with its variants and pictures, in one statement. Raises NotFound."""
    language = foreign(locale or current_shop().locale)

    def read() -> ProductView:
        row = db.session.execute(_product_statement(language), {"slug": slug}).first()
        if row is None or not row.variants:
            raise NotFound
        return _product_view(row, current_shop().currency)

    return kept(CATALOGUE, "product", language, slug, make=read, weight=5)


@_kept
def _product_statement(language: str) -> Select[*tuple[Any, ...]]:
    variants = (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_array(
                        Variant.id, Variant.code, Variant.name, Variant.sku, Variant.price_minor, Variant.compare_minor
                    ),
                    Variant.position,
                    Variant.id,
                )
            )
        )
        .where(Variant.tenant_id == Product.tenant_id, Variant.product_id == Product.id, Variant.active)
        .correlate(Product)
        .scalar_subquery()
    )
    pictures = (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_array(
                        ProductImage.key,
                        ProductImage.width,
                        ProductImage.height,
                        ProductImage.alt,
                        ProductImage.placeholder,
                    ),
                    ProductImage.position,
                    ProductImage.id,
                )
            )
        )
        .where(ProductImage.tenant_id == Product.tenant_id, ProductImage.product_id == Product.id)
        .correlate(Product)
        .scalar_subquery()
    )
    return (
        select(
            Product.id,
            Product.slug,
            Product.kind,
            Product.tags,
            Product.tax_class,
            _text(Product, Product.name, language),
            _text(Product, Product.description, language),
            Category.id.label("category_id"),
            Category.slug.label("category_slug"),
            _text(Category, Category.name, language).label("category_name"),
            variants.label("variants"),
            pictures.label("pictures"),
        )
        .outerjoin(Category, (Category.tenant_id == Product.tenant_id) & (Category.id == Product.category_id))
        .where(Product.slug == bindparam("slug"), Product.status == ProductStatus.PUBLISHED)
    )


def _product_view(row: Row[*tuple[Any, ...]], currency: str) -> ProductView:
    category = None
    if row.category_id is not None:
        category = CategoryLink(row.category_id, row.category_slug, row.category_name)
    return ProductView(
        id=row.id,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        description=row.description,
        category=category,
        tags=tuple(row.tags),
        variants=tuple(
            VariantView(
                id, code, name, sku, Money(price, currency), Money(compare, currency) if compare is not None else None
            )
            for id, code, name, sku, price, compare in row.variants
        ),
        pictures=tuple(
            Picture(key, width, height, alt or row.name, placeholder)
            for key, width, height, alt, placeholder in row.pictures or ()
        ),
        tax_class=row.tax_class,
    )


def sellable(variant_ids: Iterable[int], locale: str | None = None) -> dict[int, Sellable]:
    """Those of the variants that may be bought now (active, of a published product), by id."""
    wanted = sorted(set(variant_ids))
    if not wanted:
        return {}
    statement = _sellable_statement(foreign(locale or current_shop().locale))
    rows = db.session.execute(statement, {"variant_ids": wanted})
    return {
        row.variant_id: Sellable(
            variant_id=row.variant_id,
            variant_code=row.code,
            product_id=row.product_id,
            product_slug=row.slug,
            product_name=row.name,
            variant_name=row.variant_name,
            sku=row.sku,
            price_minor=row.price_minor,
            kind=row.kind,
            picture=_picture(row, row.name),
            category_id=row.category_id,
            weight_g=row.weight_g,
            tax_class=row.tax_class,
            deposit_percent=row.deposit_percent,
            deposit_minor=row.deposit_minor,
        )
        for row in rows
    }


def variant_names(variant_ids: Iterable[int], locale: str | None = None) -> dict[int, str]:
    """How to call each variant in a sentence ("Concha de vainilla, grande"), whatever its state."""
    name = _text(Product, Product.name, foreign(locale) if locale else "")
    rows = db.session.execute(
        select(Variant.id, Variant.name.label("variant_name"), name)
        .join(Product, (Product.tenant_id == Variant.tenant_id) & (Product.id == Variant.product_id))
        .where(Variant.id.in_(sorted(set(variant_ids))))
    )
    return {row.id: f"{row.name}, {row.variant_name}" if row.variant_name else row.name for row in rows}


def variant_ids_of(product_id: int) -> list[int]:
    """All variants of a product in order, whatever their state."""
    statement = select(Variant.id).where(Variant.product_id == product_id)
    return list(db.session.scalars(statement.order_by(Variant.position, Variant.id)))


@_kept
def _sellable_statement(language: str) -> Select[*tuple[Any, ...]]:
    face = _face(Product)
    return (
        select(
            Variant.id.label("variant_id"),
            Variant.code,
            Variant.name.label("variant_name"),
            Variant.sku,
            Variant.price_minor,
            Variant.weight_g,
            Product.id.label("product_id"),
            Product.slug,
            Product.kind,
            Product.category_id,
            Product.tax_class,
            Product.deposit_percent,
            Product.deposit_minor,
            _text(Product, Product.name, language),
            *face.c,
        )
        .join_from(Variant, Product, (Product.tenant_id == Variant.tenant_id) & (Product.id == Variant.product_id))
        .outerjoin(face, true())
        .where(
            Variant.id.in_(bindparam("variant_ids", expanding=True)),
            Variant.active,
            Product.status == ProductStatus.PUBLISHED,
        )
    )
