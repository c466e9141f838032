"""Gift cards for tests, issued through the real action."""

from __future__ import annotations

from dataclasses import dataclass

from storefront.giftcards.actions import NewCard
from storefront.giftcards.models import PaidWith
from storefront.giftcards.queries import card_by_code
from storefront.kernel.db import db
from storefront.payments.gift_cards import issue
from tests.factories.catalogue import OWNER


@dataclass(frozen=True, slots=True)
class MadeCard:
    """A card with the secret that its holder knows."""

    id: int
    code: str
    secret: str


def a_card(value_minor: int = 10_000, paid_with: PaidWith = PaidWith.CASH, **more: object) -> MadeCard:
    """A card of 100.00, sold for cash, for nobody in particular, without an end."""
    issued = issue(NewCard(value_minor, paid_with, **more), OWNER)  # type: ignore[arg-type]
    number = card_by_code(issued.code).id
    db.session.rollback()
    return MadeCard(number, issued.code, issued.secret)
