"""A product's pictures: added, described, put in order, taken away. The files themselves are the kernel's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from storefront.catalogue.models import Product, ProductImage
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Invalid, NotFound
from storefront.kernel.ids import new_code

MOST_IMAGES = 12


class TooManyImages(Invalid):
    """A product's page would not end."""

    message = _l("Un producto puede tener hasta 12 fotos. Borra alguna antes de agregar más.")


@dataclass(frozen=True, slots=True)
class NewImage:
    """A stored picture on its way to a product (see `kernel.media.store_image`)."""

    key: str
    width: int
    height: int
    placeholder: str | None = None
    alt: str = ""


def add_image(product_id: int, image: NewImage, *, by: Actor) -> ProductImage:
    """Put a stored picture at the end. Raises TooManyImages."""
    with transaction():
        product = _locked_product(product_id)
        existing = images_of(product.id)
        if len(existing) >= MOST_IMAGES:
            raise TooManyImages
        added = put_image(product.id, image, max((i.position for i in existing), default=-1) + 1)
        note("product", product.code, "image_added", by)
    return added


def describe_image(image_id: int, alt: str, *, by: Actor) -> ProductImage:
    """Say in words what a picture shows, for those who do not see it."""
    with transaction():
        image = _locked_image(image_id)
        image.alt = alt.strip()[:200]
        note("product_image", image.code, "described", by)
    return image


def reorder_images(product_id: int, image_ids: Sequence[int], *, by: Actor) -> None:
    """Put the product's pictures in this order; those not named follow in the order they had."""
    with transaction():
        product = _locked_product(product_id)
        images = images_of(product.id)
        wanted = {image_id: place for place, image_id in enumerate(image_ids)}
        ordered = sorted(images, key=lambda image: (wanted.get(image.id, len(wanted)), image.position, image.id))
        for position, image in enumerate(ordered):
            image.position = position
        note("product", product.code, "images_ordered", by)


def delete_image(image_id: int, *, by: Actor) -> str | None:
    """Take a picture off its product. Returns the key of the stored file when nothing shows it any more."""
    with transaction():
        image = _locked_image(image_id)
        key = image.key
        db.session.delete(image)
        db.session.flush()
        note("product_image", image.code, "deleted", by)
        still_shown = db.session.scalar(select(exists().where(ProductImage.key == key)))
    return None if still_shown else key


def images_of(product_id: int) -> list[ProductImage]:
    """The product's pictures in order."""
    return list(
        db.session.scalars(
            select(ProductImage)
            .where(ProductImage.product_id == product_id)
            .order_by(ProductImage.position, ProductImage.id)
        )
    )


def put_image(product_id: int, image: NewImage, position: int) -> ProductImage:
    """Write one picture's row, in the caller's transaction."""
    row = ProductImage(
        code=new_code(),
        product_id=product_id,
        key=image.key,
        width=image.width,
        height=image.height,
        placeholder=image.placeholder,
        alt=image.alt.strip()[:200],
        position=position,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _locked_product(product_id: int) -> Product:
    found = lock_rows(Product, [product_id])
    if not found:
        raise NotFound
    return found[0]


def _locked_image(image_id: int) -> ProductImage:
    found = lock_rows(ProductImage, [image_id])
    if not found:
        raise NotFound
    return found[0]
