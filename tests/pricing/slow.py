"""What a basket costs, written a second time: slowly, with fractions, one minor unit after the other.

Shares no code with the product. It tries every way in which discounts may go together and keeps the best.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any


def rounded(value: Fraction) -> int:
    """The nearest whole number, a half upwards."""
    return floor(value + Fraction(1, 2))


def shared_out(amount: int, rests: dict[int, int], keys: dict[int, int]) -> dict[int, int]:
    """Give everybody their whole part; then one unit at a time to whoever lacks most, the smaller key first."""
    whole = sum(rests.values())
    due = {place: Fraction(amount * rest, whole) for place, rest in rests.items()}
    given = {place: floor(part) for place, part in due.items()}
    while sum(given.values()) < amount:
        neediest = min(due, key=lambda place: (given[place] - due[place], keys[place], place))
        given[neediest] += 1
    return given


def fits(discount: Any, line: Any) -> bool:
    """Whether a discount is for a line."""
    if not discount.limited:
        return True
    return line.category_id in discount.category_ids or line.product_id in discount.product_ids


def way_of(discounts: list[Any], basket: Any) -> tuple[int, dict[int, int], int, list[tuple[int, int]]]:
    """Total taken, taken from each line, from the delivery, and (discount, amount) in turn."""
    rest = {place: line.unit_minor * line.units for place, line in enumerate(basket.lines)}
    listed, shipping, amounts = dict(rest), basket.shipping_minor, []
    for one in sorted(discounts, key=lambda d: (("percent", "amount", "free_shipping").index(d.kind), d.id)):
        mine = {place: rest[place] for place, line in enumerate(basket.lines) if fits(one, line)}
        worth = sum(mine.values())
        amount = {
            "percent": rounded(Fraction(worth * one.value, 10_000)),
            "amount": min(one.value, worth),
            "free_shipping": shipping,
        }[one.kind]
        if amount == 0 or (one.left_minor is not None and amount > one.left_minor):
            continue
        amounts.append((one.id, amount))
        if one.kind == "free_shipping":
            shipping = 0
            continue
        for place, share in shared_out(amount, mine, {p: basket.lines[p].key for p in mine}).items():
            rest[place] -= share
    taken = {place: listed[place] - rest[place] for place in rest}
    off = basket.shipping_minor - shipping
    return sum(taken.values()) + off, taken, off, amounts


def slow_price(basket: Any) -> dict[str, Any]:
    """Everything that `price` says, as plain numbers."""
    fitting = []
    for one in basket.discounts:
        worth = [line.unit_minor * line.units for line in basket.lines if fits(one, line)]
        if worth and sum(worth) >= one.minimum_minor and one.barred is None:
            fitting.append(one)
    typed = {one.id for one in basket.discounts if one.is_coupon}
    ways = [way_of([one], basket) for one in fitting if not one.combines]
    ways.append(way_of([one for one in fitting if one.combines], basket))
    best = max(
        ways,
        key=lambda way: (
            way[0], any(number in typed for number, _ in way[3]), -len(way[3]), [-number for number, _ in way[3]]
        ),
    )  # fmt: skip
    parts = [
        (line.unit_minor * line.units - best[1][place], 0 if line.exempt else line.tax_rate_bp)
        for place, line in enumerate(basket.lines)
    ]
    parts.append((basket.shipping_minor - best[2], basket.tax_rate_bp))
    parts.append((basket.packaging_minor, basket.tax_rate_bp))
    split = []
    for paid, rate in parts:
        if basket.prices_include_tax:
            tax = rounded(Fraction(paid * rate, 10_000 + rate))
            split.append((paid, paid - tax, tax))
        else:
            tax = rounded(Fraction(paid * rate, 10_000))
            split.append((paid + tax, paid, tax))
    return {
        "split": split,
        "discounts": best[3],
        "taken": best[0],
        "total": sum(gross for gross, _net, _tax in split) + basket.tip_minor,
    }
