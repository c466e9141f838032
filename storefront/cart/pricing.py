"""What a basket costs: pure arithmetic, without a database and without a clock.

Prices include the tax. Each line is split into net and tax on its own, rounded half up, and net + tax = gross holds on
every line, on the delivery and on the whole. Amounts are whole minor units of the shop's currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from storefront.kernel.money import Money, tax_included
from storefront.kernel.tenancy import Shop


class Priced(Protocol):
    """Anything with a unit price (gross, minor units) and a number of units."""

    @property
    def unit_minor(self) -> int: ...
    @property
    def units(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Item:
    """The plainest thing that can be priced."""

    unit_minor: int
    units: int


@dataclass(frozen=True, slots=True)
class Amount:
    """One tax-inclusive amount, split: net + tax = gross, in minor units."""

    gross_minor: int
    net_minor: int
    tax_minor: int

    @classmethod
    def of(cls, gross_minor: int, rate_bp: int) -> Amount:
        """Split `gross_minor` at a rate in basis points (1600 = 16 %)."""
        net, tax = tax_included(gross_minor, rate_bp)
        return cls(gross_minor, net, tax)


@dataclass(frozen=True, slots=True)
class Totals:
    """A basket's sums. `subtotal_minor` is the lines without delivery; `total_minor` is what will be paid."""

    currency: str
    tax_rate_bp: int
    lines: tuple[Amount, ...]
    shipping: Amount

    @property
    def subtotal_minor(self) -> int:
        """All lines, without delivery."""
        return sum(line.gross_minor for line in self.lines)

    @property
    def shipping_minor(self) -> int:
        """The delivery."""
        return self.shipping.gross_minor

    @property
    def net_minor(self) -> int:
        """What remains without tax."""
        return sum(line.net_minor for line in self.lines) + self.shipping.net_minor

    @property
    def tax_minor(self) -> int:
        """The tax inside the total."""
        return sum(line.tax_minor for line in self.lines) + self.shipping.tax_minor

    @property
    def total_minor(self) -> int:
        """What will be paid."""
        return self.subtotal_minor + self.shipping_minor

    @property
    def subtotal(self) -> Money:
        """All lines, without delivery."""
        return Money(self.subtotal_minor, self.currency)

    @property
    def delivery(self) -> Money:
        """The delivery."""
        return Money(self.shipping_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax inside the total."""
        return Money(self.tax_minor, self.currency)

    @property
    def total(self) -> Money:
        """What will be paid."""
        return Money(self.total_minor, self.currency)


def totals(lines: Sequence[Priced], shop: Shop, shipping_minor: int = 0) -> Totals:
    """Price `lines` with the shop's tax rate and currency, and a tax-inclusive delivery price.

    Raises ValueError for a negative price or a number of units below one: bugs, not refusals.
    """
    if shipping_minor < 0 or any(line.unit_minor < 0 or line.units < 1 for line in lines):
        raise ValueError("prices are never negative and a line holds at least one")
    amounts = tuple(Amount.of(line.unit_minor * line.units, shop.tax_rate_bp) for line in lines)
    return Totals(shop.currency, shop.tax_rate_bp, amounts, Amount.of(shipping_minor, shop.tax_rate_bp))
