"""What the tests of promotions look at."""

from __future__ import annotations

import re

from sqlalchemy import select

from storefront.kernel.db import db
from storefront.promotions.models import Promotion, Redemption
from tests.orders.conftest import at_the_bakery

__all__ = ["at_the_bakery"]


def counted(promotion):
    """How often a promotion is used and what it has given, freshly read."""
    row = db.session.execute(select(Promotion.used, Promotion.given_minor).where(Promotion.id == promotion.id)).one()
    db.session.rollback()
    return tuple(row)


def redeemed(promotion):
    """The amounts of redemptions that stand."""
    rows = db.session.scalars(
        select(Redemption.amount_minor)
        .where(Redemption.promotion_id == promotion.id, Redemption.given_back_at.is_(None))
        .order_by(Redemption.id)
    ).all()
    db.session.rollback()
    return list(rows)


def words(page):
    """A page's text."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
