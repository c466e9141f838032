"""What an order costs besides its goods and their delivery: packaging and tip. Pure: no database, no clock, no request.

A shop charges for packaging once for each order, where it says so (delivered, picked up, or both), and only for goods.
A tip is what a customer chooses to give on top, where the shop takes tips: a percentage of the goods as they are
listed, so that a promotion or the delivery does not change it, or an amount. Nothing unless somebody chose it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from storefront.pricing.discounts import half_up


class Policy(Protocol):
    """What a shop has decided. `packaging_for` holds ways of receiving ("delivery", "pickup")."""

    @property
    def packaging_minor(self) -> int: ...
    @property
    def packaging_for(self) -> Collection[str]: ...
    @property
    def takes_tips(self) -> bool: ...
    @property
    def tip_percents(self) -> Collection[int]: ...


@dataclass(frozen=True, slots=True)
class Tip:
    """What a customer chose to give: so many per cent, or an amount in minor units."""

    percent: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Extras:
    """What comes on top, in minor units."""

    packaging_minor: int = 0
    tip_minor: int = 0


NO_TIP = Tip()
NOTHING_MORE = Extras()


def packaging_minor(policy: Policy, way: str) -> int:
    """What packaging costs for goods that are received this way."""
    return policy.packaging_minor if way in policy.packaging_for else 0


def share_minor(percent: int, subtotal_minor: int) -> int:
    """So many per cent of the goods, a half of a minor unit rounded up."""
    return half_up(percent * subtotal_minor, 100)


def most_tip_minor(subtotal_minor: int) -> int:
    """The largest tip: as much as the goods. More is a slip of the finger, not a present."""
    return subtotal_minor


def tip_minor(policy: Policy, tip: Tip, subtotal_minor: int) -> int:
    """What the tip comes to. Nothing where the shop takes none, for a percentage it does not offer, or for too much."""
    if not policy.takes_tips:
        return 0
    if tip.percent:
        return share_minor(tip.percent, subtotal_minor) if tip.percent in policy.tip_percents else 0
    return tip.amount_minor if 0 <= tip.amount_minor <= most_tip_minor(subtotal_minor) else 0
