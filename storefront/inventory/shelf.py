"""The owner's one form: what is sold and how many there are, written together or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from storefront.catalogue import actions as catalogue
from storefront.catalogue import categories, pictures
from storefront.catalogue.actions import ProductTexts, VariantRow
from storefront.catalogue.models import Product, ProductKind
from storefront.catalogue.pictures import NewImage
from storefront.catalogue.queries import variant_ids_of
from storefront.inventory.actions import adjust_stock, stop_counting
from storefront.inventory.queries import counts_of_product
from storefront.kernel.audit import Actor
from storefront.kernel.db import transaction


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to buy a product, with its count: `count` None means made to order.

    `seen` is the count the person had before their eyes, when there was one.
    """

    row: VariantRow
    count: int | None
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What the short form says. A category typed in `new_category` wins over the one chosen in the texts."""

    texts: ProductTexts
    offer: Offer
    new_category: str = ""
    images: Sequence[NewImage] = ()


def put_on_shelf(draft: Draft, *, publish: bool, by: Actor) -> Product:
    """A new product with its price, count and pictures, shown to customers when `publish`.

    Raises what its parts raise (NameNeeded, BadPrice, SkuTaken, BadCount, TooManyImages…); then nothing is kept.
    """
    with transaction():
        row = draft.offer.row
        product = catalogue.create_product(_texts(draft, by), row.price, sku=row.sku, by=by)
        _count(product, dict.fromkeys(variant_ids_of(product.id), draft.offer), by)
        for image in draft.images:
            pictures.add_image(product.id, image, by=by)
        if publish:
            catalogue.publish(product.id, by=by)
    return product


def change_on_shelf(product_id: int, draft: Draft, *, version: int, by: Actor) -> Product:
    """Write the short form of a product. Price and count only when it has one variant: `offer.row.code` names it.

    Raises what its parts raise, ChangedMeanwhile and CountChanged among them; then nothing changed.
    """
    with transaction():
        product = catalogue.update_product(product_id, _texts(draft, by), version=version, by=by)
        if draft.offer.row.code:
            saved = catalogue.save_variants(product_id, [draft.offer.row], by=by)
            _count(product, {saved[0].id: draft.offer}, by)
        for image in draft.images:
            pictures.add_image(product_id, image, by=by)
    return product


def save_offers(product_id: int, offers: Sequence[Offer], *, version: int, by: Actor) -> Product:
    """Write the editor of variants with their counts. Raises what its parts raise; then nothing changed."""
    with transaction():
        saved = catalogue.save_variants(product_id, [offer.row for offer in offers], version=version, by=by)
        product = catalogue.locked_product(product_id)
        _count(product, {variant.id: offer for variant, offer in zip(saved, offers, strict=True)}, by)
    return product


def _texts(draft: Draft, by: Actor) -> ProductTexts:
    if not draft.new_category.strip():
        return draft.texts
    return replace(draft.texts, category_id=categories.category_named(draft.new_category, by=by).id)


def _count(product: Product, offers: Mapping[int, Offer], by: Actor) -> None:
    """Bring the counts to what the offers say, in the order in which stock is locked. Services have none."""
    now = {row.variant_id: row.on_hand for row in counts_of_product(product.id).values()}
    for variant_id, offer in sorted(offers.items()):
        if offer.count is None or product.kind is ProductKind.SERVICE:
            stop_counting(variant_id, by=by)
        elif offer.count != now.get(variant_id):
            adjust_stock(variant_id, on_hand=offer.count, seen=offer.seen, reason="counted", by=by)
