"""What of a product is paid in advance, where that is not as for the whole shop."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from storefront.catalogue.actions import locked_product
from storefront.catalogue.models import Product, ProductStatus
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid
from storefront.pricing.deposits import LEAST_PERCENT, MOST_PERCENT, NO_SHARE, WHOLE, Share

MOST_LISTED = 100


class BadDeposit(Invalid):
    """A percentage out of bounds, or no amount."""

    message = _l("Escribe un porcentaje de 5 a 90, o un importe mayor que cero.")


@dataclass(frozen=True, slots=True)
class OwnDeposit:
    """A product with a share of its own."""

    code: str
    name: str
    share: Share


def check_share(share: Share) -> None:
    """Raises BadDeposit for a share that nobody can mean."""
    percent_is_good = LEAST_PERCENT <= share.percent <= MOST_PERCENT and not share.amount_minor
    if not percent_is_good and (share.percent or share.amount_minor <= 0):
        raise BadDeposit


def set_deposit(product_id: int, share: Share | None, by: Actor) -> None:
    """Let a product have a share of its own (`NO_SHARE`: it is paid at once), or follow the shop. Raises BadDeposit."""
    percent: int | None = None
    amount: int | None = None
    if share == NO_SHARE:
        percent = WHOLE
    elif share is not None:
        check_share(share)
        percent, amount = share.percent or None, share.amount_minor or None
    with transaction():
        product = locked_product(product_id)
        if (product.deposit_percent, product.deposit_minor) != (percent, amount):
            product.deposit_percent, product.deposit_minor = percent, amount
            note("product", product.code, "deposit_changed", by, percent=percent, amount_minor=amount)


def deposit_of(product_id: int) -> Share | None:
    """A product's own share; `NO_SHARE` for one that is paid at once, None for one that follows the shop."""
    row = db.session.execute(
        select(Product.deposit_percent, Product.deposit_minor).where(Product.id == product_id)
    ).one()
    return _share(row.deposit_percent, row.deposit_minor)


def own_deposits() -> list[OwnDeposit]:
    """The products that do not follow the shop, by name."""
    rows = db.session.execute(
        select(Product.code, Product.name, Product.deposit_percent, Product.deposit_minor)
        .where(
            or_(Product.deposit_percent.is_not(None), Product.deposit_minor.is_not(None)),
            Product.status != ProductStatus.ARCHIVED,
        )
        .order_by(Product.name, Product.id)
        .limit(MOST_LISTED)
    )
    return [OwnDeposit(row.code, row.name, _share(row.deposit_percent, row.deposit_minor) or NO_SHARE) for row in rows]


def _share(percent: int | None, amount_minor: int | None) -> Share | None:
    if percent is None and amount_minor is None:
        return None
    return NO_SHARE if percent == WHOLE else Share(percent or 0, amount_minor or 0)
