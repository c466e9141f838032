"""Which discounts a basket gets, and what each takes off which line: pure arithmetic.

Those that say they combine are taken together (percentages first, then amounts, then the delivery, each by its number);
every other one stands alone. Whatever is best for the customer is taken; when two are equally good, the one with a code
the customer typed. A discount never takes more than is left of its lines, so nothing ever costs less than nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storefront.kernel.money import Money

WHOLE_BP = 10_000
"""A hundred per cent in basis points."""


class Kind(StrEnum):
    """A part of the price, a fixed amount, or the whole delivery."""

    PERCENT = "percent"
    AMOUNT = "amount"
    FREE_SHIPPING = "free_shipping"


_TURN = {Kind.PERCENT: 0, Kind.AMOUNT: 1, Kind.FREE_SHIPPING: 2}


class WhyNot(StrEnum):
    """Why a discount that was looked at takes nothing off."""

    NOTHING_FITS = "nothing_fits"
    BELOW_MINIMUM = "below_minimum"
    NOT_FIRST = "not_first"
    NOT_BOUGHT = "not_bought"
    NOT_AWAY = "not_away"
    NOT_REGULAR = "not_regular"
    NO_DELIVERY = "no_delivery"
    USED_UP = "used_up"
    BEATEN = "beaten"


@dataclass(frozen=True, slots=True)
class Discount:
    """One coupon or automatic promotion, as data.

    `value` is basis points for a percentage and minor units for an amount. A `limited` one is only for its categories
    and products. `minimum_minor` is what the lines it is for must be worth before any discount. `left_minor` is what
    its budget still has; a discount that needs more is not given at all. `barred` says why it is not for whoever buys,
    whatever they buy. `is_coupon`: the customer typed its code.
    """

    id: int
    name: str
    kind: Kind
    value: int = 0
    minimum_minor: int = 0
    limited: bool = False
    category_ids: frozenset[int] = frozenset()
    product_ids: frozenset[int] = frozenset()
    barred: WhyNot | None = None
    combines: bool = False
    left_minor: int | None = None
    is_coupon: bool = False

    def __post_init__(self) -> None:
        if self.value < 0 or self.minimum_minor < 0 or (self.kind is Kind.PERCENT and self.value > WHOLE_BP):
            raise ValueError("a discount is between nothing and everything")


@dataclass(frozen=True, slots=True)
class Applied:
    """What one discount takes off, in minor units; always more than nothing."""

    discount_id: int
    name: str
    amount_minor: int
    is_coupon: bool = False


@dataclass(frozen=True, slots=True)
class Unused:
    """A discount that takes nothing off, and why. `missing_minor` is what is lacking to its minimum."""

    discount_id: int
    name: str
    why: WhyNot
    missing_minor: int = 0


@dataclass(frozen=True, slots=True)
class Cuts:
    """What all discounts together take off each line and the delivery."""

    lines: tuple[int, ...]
    shipping_minor: int
    applied: tuple[Applied, ...]
    unused: tuple[Unused, ...]


class Goods(Protocol):
    """What a discount must know of a line."""

    @property
    def listed_minor(self) -> int: ...
    @property
    def key(self) -> int: ...
    @property
    def product_id(self) -> int | None: ...
    @property
    def category_id(self) -> int | None: ...


def half_up(part: int, whole: int) -> int:
    """part / whole in whole units, a half rounded up. Neither is negative."""
    return (2 * part + whole) // (2 * whole)


def spread(amount_minor: int, weights: Sequence[int], keys: Sequence[int]) -> list[int]:
    """Split an amount by weights without losing a unit, by the largest remainder.

    Equal remainders go by key and then by place, so that the order of lines with different keys does not matter. No
    share is larger than its weight as long as the amount is not larger than their sum.
    """
    shares = [0] * len(weights)
    if not any(weights):
        return shares
    turns = sorted(range(len(weights)), key=lambda i: (keys[i], i))
    for place, share in zip(turns, Money(amount_minor, "").allocate([weights[i] for i in turns]), strict=True):
        shares[place] = share.minor
    return shares


def choose(lines: Sequence[Goods], discounts: Iterable[Discount], shipping_minor: int) -> Cuts:
    """The best that the discounts give for these lines, and why each of the others gives nothing."""
    offered = sorted(discounts, key=lambda one: (_TURN[one.kind], one.id))
    fitting = [one for one in offered if _why_not(one, lines) is None]
    together = [one for one in fitting if one.combines]
    ways = [[one] for one in fitting if not one.combines] + ([together] if together else [])
    tried = [_take(way, lines, shipping_minor) for way in ways]
    best = max(tried, key=_worth, default=_take([], lines, shipping_minor))
    used = {one.discount_id for one in best.applied}
    unused = tuple(_unused(one, lines, shipping_minor) for one in offered if one.id not in used)
    return Cuts(best.lines, best.shipping_minor, best.applied, unused)


def _worth(cuts: Cuts) -> tuple[int, bool, int, tuple[int, ...]]:
    """More is better; then a typed code, then fewer of them, then the older ones."""
    typed = any(one.is_coupon for one in cuts.applied)
    given = sum(cuts.lines) + cuts.shipping_minor
    return given, typed, -len(cuts.applied), tuple(-one.discount_id for one in cuts.applied)


def _is_for(discount: Discount, line: Goods) -> bool:
    return not discount.limited or line.category_id in discount.category_ids or line.product_id in discount.product_ids


def _why_not(discount: Discount, lines: Sequence[Goods]) -> WhyNot | None:
    """Why a discount is out of the question whatever the others do."""
    if discount.barred is not None:
        return discount.barred
    chosen = [line for line in lines if _is_for(discount, line)]
    if not chosen:
        return WhyNot.NOTHING_FITS
    if sum(line.listed_minor for line in chosen) < discount.minimum_minor:
        return WhyNot.BELOW_MINIMUM
    return None


def _unused(discount: Discount, lines: Sequence[Goods], shipping_minor: int) -> Unused:
    why = _why_not(discount, lines)
    missing = 0
    if why is WhyNot.BELOW_MINIMUM:
        missing = discount.minimum_minor - sum(line.listed_minor for line in lines if _is_for(discount, line))
    if why is None:
        amount = _amount(discount, [line.listed_minor for line in lines if _is_for(discount, line)], shipping_minor)
        if discount.kind is Kind.FREE_SHIPPING and not shipping_minor:
            why = WhyNot.NO_DELIVERY
        elif discount.left_minor is not None and amount > discount.left_minor:
            why = WhyNot.USED_UP
        else:
            why = WhyNot.BEATEN if amount else WhyNot.NOTHING_FITS
    return Unused(discount.id, discount.name, why, missing)


def _amount(discount: Discount, rests: Sequence[int], shipping_minor: int) -> int:
    """What a discount takes off, as far as there is something left to take it from."""
    if discount.kind is Kind.FREE_SHIPPING:
        return shipping_minor
    rest = sum(rests)
    if discount.kind is Kind.PERCENT:
        return half_up(rest * discount.value, WHOLE_BP)
    return min(discount.value, rest)


def _take(discounts: Sequence[Discount], lines: Sequence[Goods], shipping_minor: int) -> Cuts:
    """Apply discounts one after the other, each to what the earlier ones left."""
    rests = [line.listed_minor for line in lines]
    shipping_rest, applied = shipping_minor, []
    for one in discounts:
        places = [place for place, line in enumerate(lines) if _is_for(one, line)]
        amount = _amount(one, [rests[place] for place in places], shipping_rest)
        if amount == 0 or (one.left_minor is not None and amount > one.left_minor):
            continue
        applied.append(Applied(one.id, one.name, amount, one.is_coupon))
        if one.kind is Kind.FREE_SHIPPING:
            shipping_rest -= amount
            continue
        shares = spread(amount, [rests[place] for place in places], [lines[place].key for place in places])
        for place, share in zip(places, shares, strict=True):
            rests[place] -= share
    taken = tuple(line.listed_minor - rest for line, rest in zip(lines, rests, strict=True))
    return Cuts(taken, shipping_minor - shipping_rest, tuple(applied), ())
