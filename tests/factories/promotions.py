"""Promotions for tests, made through the real actions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from storefront.kernel.db import db
from storefront.kernel.ids import new_token
from storefront.pricing.discounts import Kind
from storefront.promotions.models import Promotion
from storefront.promotions.setup import PromotionDetails, create_promotion
from tests.factories.catalogue import OWNER


@dataclass(frozen=True, slots=True)
class MadePromotion:
    """A promotion by its id and its public code."""

    id: int
    code: str
    name: str


def a_promotion(
    name: str = "Martes de pan", kind: Kind = Kind.PERCENT, value: int = 1_000, **more: object
) -> MadePromotion:
    """Ten per cent off everything, for everybody, by itself; `coupon="PAN10"` makes it a coupon."""
    code = create_promotion(PromotionDetails(name, kind, value, **more), new_token(), OWNER)  # type: ignore[arg-type]
    number = db.session.scalars(select(Promotion.id).where(Promotion.code == code)).one()
    db.session.rollback()
    return MadePromotion(number, code, name)
