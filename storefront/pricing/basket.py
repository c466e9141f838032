"""The one function that says what a basket costs: `price`. Pure: no database, no clock, no request.

Each line is split into net and tax on its own, the tax rounded half up, and net + tax = gross on every line, on the
delivery, on the packaging and on the whole. Discounts come off before tax. A tip is neither taxed nor discounted.
Amounts are whole minor units of the basket's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storefront.kernel.money import Money, tax_included
from storefront.pricing.discounts import WHOLE_BP, Applied, Discount, Unused, choose, half_up


@dataclass(frozen=True, slots=True)
class Line:
    """So many units of one price. `key` names what is bought, to break ties alike however the lines are ordered.

    An `exempt` line carries no tax whatever its rate (1600 = 16 %).
    """

    unit_minor: int
    units: int
    tax_rate_bp: int
    exempt: bool = False
    key: int = 0
    product_id: int | None = None
    category_id: int | None = None

    @property
    def listed_minor(self) -> int:
        """The line at its listed price, before any discount."""
        return self.unit_minor * self.units

    @property
    def rate_bp(self) -> int:
        """The rate that counts."""
        return 0 if self.exempt else self.tax_rate_bp


@dataclass(frozen=True, slots=True)
class Basket:
    """All that decides what is paid. `tax_rate_bp` is the place's rate for the delivery and the packaging."""

    currency: str
    lines: Sequence[Line]
    tax_rate_bp: int
    discounts: Sequence[Discount] = ()
    shipping_minor: int = 0
    packaging_minor: int = 0
    tip_minor: int = 0
    prices_include_tax: bool = True


@dataclass(frozen=True, slots=True)
class Amount:
    """One priced thing: what it is listed at, what comes off, and what is paid, split: net + tax = gross.

    `spared_net_minor` is how much less net it is than without the discount.
    """

    listed_minor: int
    discount_minor: int
    gross_minor: int
    net_minor: int
    tax_minor: int
    tax_rate_bp: int
    spared_net_minor: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """A basket's sums. `subtotal_minor` is the lines as listed; `total_minor` is what will be paid.

    `tax_inside` says whether what is listed has its tax inside, or the tax comes on top.
    """

    currency: str
    lines: tuple[Amount, ...]
    shipping: Amount
    packaging: Amount
    tip_minor: int
    discounts: tuple[Applied, ...]
    unused: tuple[Unused, ...]
    tax_inside: bool = True

    @property
    def _taxed(self) -> tuple[Amount, ...]:
        return (*self.lines, self.shipping, self.packaging)

    @property
    def subtotal_minor(self) -> int:
        """All lines as listed, without delivery."""
        return sum(line.listed_minor for line in self.lines)

    @property
    def shipping_minor(self) -> int:
        """The delivery as listed."""
        return self.shipping.listed_minor

    @property
    def discount_minor(self) -> int:
        """What all discounts take off together."""
        return sum(one.discount_minor for one in self._taxed)

    @property
    def discount_net_minor(self) -> int:
        """How much less net that makes."""
        return sum(one.spared_net_minor for one in self._taxed)

    @property
    def net_minor(self) -> int:
        """What remains without tax and tip."""
        return sum(one.net_minor for one in self._taxed)

    @property
    def tax_minor(self) -> int:
        """The tax inside the total."""
        return sum(one.tax_minor for one in self._taxed)

    @property
    def taxes(self) -> list[tuple[int, int]]:
        """The tax of each rate that has any: (rate, minor units), the highest rate first."""
        return taxes_by_rate((one.tax_rate_bp, one.tax_minor) for one in self._taxed)

    @property
    def total_minor(self) -> int:
        """What will be paid."""
        return sum(one.gross_minor for one in self._taxed) + self.tip_minor

    @property
    def named_discounts(self) -> list[tuple[str, Money]]:
        """Each discount by name, with what it takes off."""
        return [(one.name, Money(-one.amount_minor, self.currency)) for one in self.discounts]

    @property
    def subtotal(self) -> Money:
        """All lines as listed, without delivery."""
        return Money(self.subtotal_minor, self.currency)

    @property
    def delivery(self) -> Money:
        """The delivery as listed."""
        return Money(self.shipping_minor, self.currency)

    @property
    def wrapping(self) -> Money:
        """What the packaging costs."""
        return Money(self.packaging.listed_minor, self.currency)

    @property
    def tip(self) -> Money:
        """What is given on top."""
        return Money(self.tip_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax inside the total."""
        return Money(self.tax_minor, self.currency)

    @property
    def total(self) -> Money:
        """What will be paid."""
        return Money(self.total_minor, self.currency)


def taxes_by_rate(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Taxes added up by rate, the highest first; a rate whose tax comes to nothing is left out."""
    sums: dict[int, int] = {}
    for rate_bp, tax_minor in parts:
        sums[rate_bp] = sums.get(rate_bp, 0) + tax_minor
    return sorted(((rate, minor) for rate, minor in sums.items() if minor), reverse=True)


def price(basket: Basket) -> Totals:
    """What a basket costs.

    Raises ValueError for a negative price or a number of units below one: bugs, not refusals.
    """
    fees = (basket.shipping_minor, basket.packaging_minor, basket.tip_minor)
    if min(fees) < 0 or any(line.unit_minor < 0 or line.units < 1 for line in basket.lines):
        raise ValueError("prices are never negative and a line holds at least one")
    cuts = choose(basket.lines, basket.discounts, basket.shipping_minor)
    inside = basket.prices_include_tax
    return Totals(
        currency=basket.currency,
        lines=tuple(
            _amount(line.listed_minor, cut, line.rate_bp, inside=inside)
            for line, cut in zip(basket.lines, cuts.lines, strict=True)
        ),
        shipping=_amount(basket.shipping_minor, cuts.shipping_minor, basket.tax_rate_bp, inside=inside),
        packaging=_amount(basket.packaging_minor, 0, basket.tax_rate_bp, inside=inside),
        tip_minor=basket.tip_minor,
        discounts=cuts.applied,
        unused=cuts.unused,
        tax_inside=inside,
    )


def _amount(listed_minor: int, discount_minor: int, rate_bp: int, *, inside: bool) -> Amount:
    net, tax = split(listed_minor - discount_minor, rate_bp, inside=inside)
    before, _tax = split(listed_minor, rate_bp, inside=inside)
    return Amount(listed_minor, discount_minor, net + tax, net, tax, rate_bp, before - net)


def split(price_minor: int, rate_bp: int, *, inside: bool) -> tuple[int, int]:
    """Net and tax of a price that has its tax inside, or to which it is added."""
    if inside:
        return tax_included(price_minor, rate_bp)
    return price_minor, half_up(price_minor * rate_bp, WHOLE_BP)
