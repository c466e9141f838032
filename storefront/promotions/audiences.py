"""Whom a promotion is for, decided by what a person bought in this shop before. Pure: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storefront.pricing.discounts import WhyNot

FEWEST_DAYS, MOST_DAYS = 7, 730
"""How long somebody may have to be away."""


class Audience(StrEnum):
    """Whom it is for. Away: bought before, but not for so many days. Orders, spent: bought at least so much so far."""

    EVERYBODY = "everybody"
    FIRST_ORDER = "first_order"
    BOUGHT = "bought"
    AWAY = "away"
    ORDERS = "orders"
    SPENT = "spent"


NUMBERED = frozenset({Audience.AWAY, Audience.ORDERS, Audience.SPENT})
"""Those that need a number: days, orders, minor units."""


@dataclass(frozen=True, slots=True)
class History:
    """What a person ordered here. `standing` orders may still be waiting, `last_at` is the latest of them; of these,
    `bought` count, and came to `bought_minor`."""

    standing: int = 0
    last_at: datetime | None = None
    bought: int = 0
    bought_minor: int = 0


NOTHING_YET = History()
"""Of somebody who never ordered, or of whom nothing is known."""


def barred(audience: Audience, number: int | None, past: History, at: datetime) -> WhyNot | None:
    """Why somebody with this past may not have it at that instant; None when they may."""
    least = number or 0
    match audience:
        case Audience.EVERYBODY:
            return None
        case Audience.FIRST_ORDER:
            return WhyNot.NOT_FIRST if past.standing else None
        case Audience.BOUGHT:
            return None if past.bought else WhyNot.NOT_BOUGHT
        case Audience.AWAY:
            gone = past.bought and past.last_at is not None and past.last_at <= at - timedelta(days=least)
            return None if gone else WhyNot.NOT_AWAY
        case Audience.ORDERS:
            return None if past.bought >= least else WhyNot.NOT_REGULAR
        case Audience.SPENT:
            return None if past.bought_minor >= least else WhyNot.NOT_REGULAR
