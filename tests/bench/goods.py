"""A shop of 200 products, and one visitor who said what they like."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import insert

from storefront.catalogue.models import Category, Product, ProductImage, ProductKind, ProductStatus, Variant
from storefront.inventory.models import Location, Stock
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.faces import SHOP
from storefront.kernel.ids import new_code
from storefront.kernel.sessions import FaceSessions
from storefront.kernel.tenancy import Shop, acting_for
from storefront.personalisation.actions import Wishes, choose
from storefront.personalisation.models import CoPurchase
from storefront.personalisation.views import TOKEN

PRODUCTS, CATEGORIES, VARIANTS, PICTURES = 200, 5, 3, 3
TAGS = ("dulce", "salado", "integral", "sin azúcar", "de fiesta", "para el café")
DESCRIPTION = (
    "Pan de masa madre, amasado de noche y horneado al amanecer en horno de leña.\n"
    "Se conserva tres días en una bolsa de tela. Lleva harina, agua, mantequilla y canela de la sierra."
)
SIZES = ("Chico", "Mediano", "Grande")


@dataclass(frozen=True)
class Goods:
    """Addresses of pages to ask for."""

    product: str
    category: str


def fill(shop: Shop, products: int = PRODUCTS) -> Goods:
    """Write the products with Core inserts: the pictures are rows only, their files are not asked for."""
    at, owner = clock.now(), {"tenant_id": shop.id}
    with acting_for(shop), transaction():
        shelves = db.session.scalars(
            insert(Category).returning(Category.id),
            [{**owner, "code": new_code(), "slug": f"estante-{n}", "name": f"Estante {n}", "position": n}
             for n in range(CATEGORIES)],
        ).all()  # fmt: skip
        ids = db.session.scalars(
            insert(Product).returning(Product.id, sort_by_parameter_order=True),
            [{**owner, "code": new_code(), "slug": f"pan-{n}", "kind": ProductKind.GOODS, "name": f"Pan número {n}",
              "description": DESCRIPTION, "category_id": shelves[n % CATEGORIES], "status": ProductStatus.PUBLISHED,
              "position": n, "tags": [TAGS[n % len(TAGS)], TAGS[(n + 2) % len(TAGS)]], "translations": {},
              "search_name": f"pan numero {n}", "search_vector": "", "created_at": at, "published_at": at,
              "version": 1} for n in range(products)],
        ).all()  # fmt: skip
        variants = db.session.scalars(
            insert(Variant).returning(Variant.id),
            [{**owner, "code": new_code(), "product_id": product, "sku": "", "name": SIZES[n],
              "price_minor": 2_500 + 700 * n, "compare_minor": None, "position": n, "active": True}
             for product in ids for n in range(VARIANTS)],
        ).all()  # fmt: skip
        db.session.execute(
            insert(ProductImage),
            [{**owner, "code": new_code(), "product_id": product, "key": f"{shop.id}/{product:08d}{n}", "width": 1600,
              "height": 1200, "placeholder": "#c9a26b", "alt": "", "position": n}
             for product in ids for n in range(PICTURES)],
        )  # fmt: skip
        place = Location(name="Mostrador", is_default=True)
        db.session.add(place)
        db.session.flush()
        db.session.execute(
            insert(Stock),
            [{**owner, "variant_id": variant, "location_id": place.id, "on_hand": 20, "reserved": 0}
             for variant in variants],
        )  # fmt: skip
        db.session.execute(
            insert(CoPurchase),
            [{**owner, "product_a": product, "product_b": ids[(n + step) % len(ids)], "orders": 9 - step,
              "refreshed_at": at} for n, product in enumerate(ids) for step in (0, 1, 2)],
        )  # fmt: skip
    return Goods("/p/pan-7", "/c/estante-2")


def cookie_of_somebody_with_tastes(app: Flask, shop: Shop) -> str:
    """The Cookie header of a browser whose owner likes sweet things. Call it inside the application's context."""
    with acting_for(shop):
        token = choose(None, None, Wishes(["dulce", "integral"], adapt=True, remember=False))
    signer = FaceSessions().get_signing_serializer(app)
    assert signer is not None
    # As after the first page with a form: the token against forgery is in the cookie and is not made anew.
    value = signer.dumps(
        {TOKEN: token, "realm": f"{SHOP}:{shop.id}", "csrf_token": secrets.token_hex(20), "_permanent": True}
    )
    return f"{app.config['SESSION_COOKIE_NAME']}={value}"
