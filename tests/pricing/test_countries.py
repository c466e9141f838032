"""Random carts of every country, at its own tax classes, with all that comes off and on top, against the slow model."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.taxes import TaxClass, classes_of
from storefront.pricing.basket import Basket, Line, price
from storefront.pricing.discounts import Discount, Kind, WhyNot
from storefront.pricing.extras import share_minor
from tests.pricing.slow import slow_price
from tests.shares import Share

SEED = 20_370
PLACES = sorted(COUNTRIES)
FEW, MANY = 20 * len(PLACES), 100_000


@dataclass(frozen=True)
class Presets:
    """A shop that charges what its country's presets say."""

    country: str
    tax_rate_bp: int
    tax_rates: dict[str, int] = field(default_factory=dict)


CLASSES: dict[str, tuple[TaxClass, ...]] = {
    code: classes_of(Presets(code, COUNTRIES[code].tax_rate_bp)) for code in PLACES
}


def a_basket(chance: random.Random, code: str) -> Basket:
    """A cart as it might be filled in that country: small and huge prices, odd rates, every kind of discount."""
    country = COUNTRIES[code]
    dearest = chance.choice([50, 99_999, 10**9])

    def price_of() -> int:
        return chance.randint(0, dearest)

    lines = []
    for key in range(chance.randint(0, 7)):
        its = chance.choice(CLASSES[code])
        rate = its.rate_bp if chance.random() < 0.8 else chance.randint(0, 5_000)
        lines.append(
            Line(
                price_of(), chance.choice([1, 1, 2, 3, 99]), rate, exempt=its.exempt, key=key,
                product_id=chance.randint(1, 4), category_id=chance.choice([None, 1, 2]),
            )
        )  # fmt: skip
    discounts = []
    for number in range(chance.randint(0, 4)):
        kind = chance.choice(list(Kind))
        discounts.append(
            Discount(
                number + 1, "Oferta", kind,
                chance.choice([1, 333, 1_000, 9_999, 10_000]) if kind is Kind.PERCENT else price_of(),
                is_coupon=chance.random() < 0.5, combines=chance.random() < 0.5,
                minimum_minor=chance.choice([0, 0, price_of()]), limited=chance.random() < 0.4,
                category_ids=frozenset(chance.sample([1, 2], chance.randint(0, 2))),
                product_ids=frozenset(chance.sample([1, 2, 3, 4], chance.randint(0, 2))),
                barred=WhyNot.NOT_FIRST if chance.random() < 0.2 else None,
            )
        )  # fmt: skip
    subtotal = sum(line.unit_minor * line.units for line in lines)
    basket = Basket(
        country.currency, lines, country.tax_rate_bp, discounts,
        shipping_minor=chance.choice([0, price_of()]), packaging_minor=chance.choice([0, chance.randint(1, 5_000)]),
        tip_minor=chance.choice([0, share_minor(chance.choice([5, 10, 15]), subtotal)]),
        prices_include_tax=chance.random() < 0.5,
    )  # fmt: skip
    everybody = chance.random() < 0.5
    return replace(basket, discounts=[replace(one, barred=None) for one in discounts]) if everybody else basket


@pytest.mark.parametrize(
    "carts", [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])], ids=["a few", "all"]
)
def test_a_cart_of_any_country_costs_what_the_model_says_to_the_last_minor_unit(share: Share, carts: int) -> None:
    seen = Counter[str]()

    def one(number: int) -> None:
        code = PLACES[number % len(PLACES)]
        basket = a_basket(random.Random(SEED + number), code)
        sums, slow = price(basket), slow_price(basket)
        parts = [*sums.lines, sums.shipping, sums.packaging]
        assert [(part.gross_minor, part.net_minor, part.tax_minor) for part in parts] == slow["split"], basket
        assert [(each.discount_id, each.amount_minor) for each in sums.discounts] == slow["discounts"], basket
        assert (sums.discount_minor, sums.total_minor) == (slow["taken"], slow["total"]), basket
        assert sums.total_minor == sums.net_minor + sums.tax_minor + sums.tip_minor, basket
        assert min(sums.total_minor, *(min(part.gross_minor, part.net_minor, part.tax_minor) for part in parts)) >= 0
        seen[basket.currency] += 1
        seen["with a discount"] += bool(sums.discounts)
        seen["exempt lines"] += any(line.exempt for line in basket.lines)
        seen["tax on top"] += not basket.prices_include_tax

    made = share.go(carts, one, lambda: f"{len(PLACES)} countries, seeds from {SEED}: {dict(seen)}")
    if made >= FEW:
        assert set(+seen) >= {"CLP", "PYG", "MXN", "with a discount", "exempt lines", "tax on top"}
