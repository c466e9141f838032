"""What a basket costs, whatever is in it: proved on baskets nobody thought of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.money import EXPONENTS
from storefront.pricing.basket import Basket, Line, price
from storefront.pricing.discounts import Discount, Kind, WhyNot, spread
from tests.pricing.slow import slow_price

CURRENCIES = sorted({country.currency for country in COUNTRIES.values()})
RATES = sorted({country.tax_rate_bp for country in COUNTRIES.values()})
SHELVES = st.sampled_from([None, 1, 2, 3])

BARRED = (WhyNot.NOT_FIRST, WhyNot.NOT_BOUGHT, WhyNot.NOT_AWAY, WhyNot.NOT_REGULAR)

small = st.integers(0, 2_000)
large = st.integers(0, 10**9)
lines = st.builds(
    Line,
    unit_minor=st.one_of(small, large),
    units=st.integers(1, 99),
    tax_rate_bp=st.one_of(st.sampled_from(RATES), st.integers(0, 5_000)),
    exempt=st.booleans(),
    key=st.integers(1, 50),
    product_id=st.integers(1, 5),
    category_id=SHELVES,
)


@st.composite
def discounts(draw, *, plain=False, combines=None):
    """Any discount; a `plain` one is for everything, without conditions."""
    kind = draw(st.sampled_from(Kind))
    value = draw(st.integers(0, 10_000)) if kind is Kind.PERCENT else draw(st.one_of(small, large))
    made = Discount(
        id=draw(st.integers(1, 10**6)), name="Oferta", kind=kind, value=value, is_coupon=draw(st.booleans()),
        combines=draw(st.booleans()) if combines is None else combines,
    )  # fmt: skip
    if plain:
        return made
    return replace(
        made,
        minimum_minor=draw(st.one_of(st.just(0), small, large)),
        limited=draw(st.booleans()),
        category_ids=draw(st.frozensets(st.integers(1, 3))),
        product_ids=draw(st.frozensets(st.integers(1, 5))),
        barred=draw(st.one_of(st.none(), st.sampled_from(BARRED))),
        left_minor=draw(st.one_of(st.none(), small, large)),
    )


def baskets(offers=None, **fixed):
    """Baskets of any country."""
    offers = discounts() if offers is None else offers
    return st.builds(
        Basket,
        currency=st.sampled_from(CURRENCIES),
        lines=st.lists(lines, max_size=8),
        tax_rate_bp=st.sampled_from(RATES),
        discounts=st.lists(offers, max_size=5, unique_by=lambda one: one.id),
        shipping_minor=st.one_of(st.just(0), small, large),
        packaging_minor=small,
        tip_minor=small,
        prices_include_tax=fixed.get("inside", st.booleans()),
    )


@given(baskets())
def test_every_sum_adds_up_to_the_last_minor_unit_and_nothing_is_negative(basket):
    sums = price(basket)
    parts = [*sums.lines, sums.shipping, sums.packaging]

    for part in parts:
        assert part.net_minor + part.tax_minor == part.gross_minor
        assert 0 <= part.discount_minor <= part.listed_minor
        assert 0 <= part.spared_net_minor <= part.discount_minor
        assert min(part.net_minor, part.tax_minor, part.gross_minor) >= 0
    assert sums.net_minor + sums.tax_minor + sums.tip_minor == sums.total_minor
    assert sum(one.amount_minor for one in sums.discounts) == sums.discount_minor
    assert all(one.amount_minor > 0 for one in sums.discounts)
    assert sums.discount_minor <= sums.subtotal_minor + sums.shipping_minor


@given(baskets(inside=st.just(True)))
def test_with_the_tax_inside_the_total_is_what_is_listed_less_the_discounts(basket):
    sums = price(basket)

    listed = sum(line.unit_minor * line.units for line in basket.lines)
    assert sums.subtotal_minor == listed
    fees = basket.shipping_minor + basket.packaging_minor + basket.tip_minor
    assert sums.total_minor == listed + fees - sums.discount_minor


@given(baskets(inside=st.just(False)))
def test_with_the_tax_on_top_what_is_left_without_it_is_what_is_listed_less_the_discounts(basket):
    sums = price(basket)

    fees = basket.shipping_minor + basket.packaging_minor
    assert sums.net_minor == sums.subtotal_minor + fees - sums.discount_minor
    assert sums.discount_net_minor == sums.discount_minor


@given(baskets())
def test_the_taxes_of_all_rates_add_up_and_what_is_exempt_has_none(basket):
    sums = price(basket)

    assert sum(minor for _rate, minor in sums.taxes) == sums.tax_minor
    assert [rate for rate, _minor in sums.taxes] == sorted({rate for rate, _minor in sums.taxes}, reverse=True)
    assert all(minor > 0 and rate > 0 for rate, minor in sums.taxes)
    assert not any(line.tax_minor for line, given_ in zip(sums.lines, basket.lines, strict=True) if given_.exempt)


@given(baskets())
def test_what_is_not_for_whoever_buys_changes_nothing_and_says_so(basket):
    theirs = [one for one in basket.discounts if one.barred is None]

    sums = price(basket)

    assert replace(sums, unused=()) == replace(price(replace(basket, discounts=theirs)), unused=())
    told = {one.discount_id: one.why for one in sums.unused}
    assert all(told[one.id] is one.barred for one in basket.discounts if one.barred)


@given(baskets())
def test_the_fast_function_says_what_the_slow_one_says(basket):
    sums, slow = price(basket), slow_price(basket)

    parts = [*sums.lines, sums.shipping, sums.packaging]
    assert [(one.gross_minor, one.net_minor, one.tax_minor) for one in parts] == slow["split"]
    assert [(one.discount_id, one.amount_minor) for one in sums.discounts] == slow["discounts"]
    assert (sums.discount_minor, sums.total_minor) == (slow["taken"], slow["total"])


@given(baskets(), st.randoms())
def test_the_order_of_different_lines_and_of_the_discounts_changes_nothing(basket, chance):
    """Promised for lines that are different things; two lines of one thing may swap a minor unit."""
    keyed = [replace(line, key=number) for number, line in enumerate(basket.lines)]
    basket = replace(basket, lines=keyed)
    turned = list(enumerate(keyed))
    chance.shuffle(turned)
    offers = list(basket.discounts)
    chance.shuffle(offers)

    sums = price(basket)
    other = price(replace(basket, lines=[line for _, line in turned], discounts=offers))

    assert other.total_minor == sums.total_minor
    assert other.discounts == sums.discounts
    assert {number: other.lines[place] for place, (number, _) in enumerate(turned)} == dict(enumerate(sums.lines))


@given(baskets(discounts(plain=True)), discounts(plain=True))
def test_one_more_discount_for_everything_never_makes_it_dearer(basket, one_more):
    if one_more.id in {one.id for one in basket.discounts}:
        one_more = replace(one_more, id=10**7)

    more = price(replace(basket, discounts=[*basket.discounts, one_more]))

    assert more.discount_minor >= price(basket).discount_minor


@given(baskets(discounts(plain=True), inside=st.just(True)), lines, st.integers(1, 1_000))
def test_a_dearer_line_never_makes_the_whole_cheaper(basket, line, dearer):
    """Without a minimum: one that is reached may well make more cost less, as every shop window says."""
    cheap = price(replace(basket, lines=[*basket.lines, line]))
    dear = price(replace(basket, lines=[*basket.lines, replace(line, unit_minor=line.unit_minor + dearer)]))

    assert dear.total_minor >= cheap.total_minor


@given(baskets())
def test_what_is_given_is_never_worse_than_any_discount_that_stands_alone(basket):
    offers = [replace(one, left_minor=None) for one in basket.discounts]
    sums = price(replace(basket, discounts=offers))

    for one in offers:
        if not one.combines:
            assert sums.discount_minor >= price(replace(basket, discounts=[one])).discount_minor


@given(baskets())
def test_a_discount_that_stands_alone_is_never_seen_beside_another(basket):
    combining = {one.id: one.combines for one in basket.discounts}
    given_ = price(basket).discounts

    assert len(given_) <= 1 or all(combining[one.discount_id] for one in given_)


@given(baskets())
def test_a_budget_is_never_passed_and_who_gets_nothing_is_told_why(basket):
    sums = price(basket)
    left = {one.id: one.left_minor for one in basket.discounts}

    assert all(left[one.discount_id] is None or one.amount_minor <= left[one.discount_id] for one in sums.discounts)
    told = {one.discount_id for one in sums.discounts} | {one.discount_id for one in sums.unused}
    assert told == set(left)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.floats(0, 1), st.randoms())
def test_an_amount_spread_over_lines_is_all_given_and_nobody_gets_more_than_they_have(weights, part, chance):
    amount = int(sum(weights) * part)
    keys = [chance.randint(1, 5) for _ in weights]

    shares = spread(amount, weights, keys)

    assert sum(shares) == (amount if any(weights) else 0)
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


# --- as a shopkeeper would check it -------------------------------------------------------------------------------


def bread(unit=11_600, units=1, **more):
    return Line(unit, units, more.pop("rate", 1_600), **more)


def off(kind=Kind.PERCENT, value=1_000, number=1, **more):
    return Discount(number, "Oferta", kind, value, **more)


def total(*discounts_, lines_=None, **more):
    return price(Basket("MXN", lines_ or [bread()], 1_600, discounts_, **more))


def test_the_tax_is_inside_the_price():
    sums = total()

    assert (sums.total_minor, sums.net_minor, sums.tax_minor) == (11_600, 10_000, 1_600)


def test_or_it_is_added_where_prices_are_told_without_it():
    sums = total(lines_=[bread(10_000)], prices_include_tax=False)

    assert (sums.total_minor, sums.net_minor, sums.tax_minor) == (11_600, 10_000, 1_600)


def test_what_is_exempt_carries_no_tax():
    sums = total(lines_=[bread(exempt=True), bread()])

    assert [line.tax_minor for line in sums.lines] == [0, 1_600]


def test_an_empty_basket_costs_nothing():
    assert price(Basket("MXN", [], 1_600, [off()], shipping_minor=0)).total_minor == 0


def test_a_tip_is_neither_taxed_nor_discounted():
    sums = total(off(value=10_000), tip_minor=500)

    assert (sums.total_minor, sums.tax_minor) == (500, 0)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_ten_per_cent_of_three_odd_lines_is_shared_by_the_largest_remainder(currency):
    """The same whole units in every currency; CLP and PYG have nothing smaller."""
    basket = Basket(currency, [bread(333, key=n) for n in (1, 2, 3)], 1_600, [off()])

    sums = price(basket)

    assert currency in EXPONENTS
    assert [line.discount_minor for line in sums.lines] == [34, 33, 33]
    assert sums.total_minor == 899


def test_an_amount_never_takes_more_than_its_lines_are_worth():
    sums = total(off(Kind.AMOUNT, 50_000), shipping_minor=3_500)

    assert (sums.discount_minor, sums.total_minor) == (11_600, 3_500)


def test_free_shipping_takes_the_delivery_and_only_the_delivery():
    sums = total(off(Kind.FREE_SHIPPING, 0), shipping_minor=3_500)

    assert (sums.shipping.gross_minor, sums.total_minor) == (0, 11_600)


def test_the_better_of_two_is_taken_and_the_other_is_told():
    sums = total(off(number=1), off(value=2_000, number=2))

    assert [one.discount_id for one in sums.discounts] == [2]
    assert [(one.discount_id, one.why) for one in sums.unused] == [(1, WhyNot.BEATEN)]


def test_two_that_combine_are_taken_one_after_the_other():
    sums = total(off(number=1, combines=True), off(Kind.AMOUNT, 440, number=2, combines=True))

    assert [one.amount_minor for one in sums.discounts] == [1_160, 440]
    assert sums.total_minor == 10_000


def test_of_two_equally_good_the_typed_code_counts():
    sums = total(off(number=1), off(number=2, is_coupon=True))

    assert [one.discount_id for one in sums.discounts] == [2]


def test_a_category_or_a_product_leaves_the_other_lines_alone():
    shelf = [bread(category_id=1, product_id=1), bread(category_id=2, product_id=2), bread(product_id=3)]

    by_category = total(off(limited=True, category_ids=frozenset({1})), lines_=shelf)
    by_product = total(off(limited=True, product_ids=frozenset({3})), lines_=shelf)
    by_nothing = total(off(limited=True), lines_=shelf)

    assert [line.discount_minor for line in by_category.lines] == [1_160, 0, 0]
    assert [line.discount_minor for line in by_product.lines] == [0, 0, 1_160]
    assert by_nothing.discount_minor == 0
    assert [one.why for one in by_nothing.unused] == [WhyNot.NOTHING_FITS]


@pytest.mark.parametrize(
    ("discount", "why", "missing"),
    [
        (off(minimum_minor=20_000), WhyNot.BELOW_MINIMUM, 8_400),
        *[(off(barred=why), why, 0) for why in BARRED],
        (off(Kind.FREE_SHIPPING, 0), WhyNot.NO_DELIVERY, 0),
        (off(left_minor=1_159), WhyNot.USED_UP, 0),
    ],
)
def test_who_may_not_have_a_discount_pays_the_listed_price_and_is_told_why(discount, why, missing):
    sums = total(discount)

    assert sums.total_minor == 11_600
    assert [(one.why, one.missing_minor) for one in sums.unused] == [(why, missing)]


def test_a_minimum_counts_what_is_listed_of_the_lines_it_is_for():
    assert total(off(minimum_minor=11_600)).discount_minor == 1_160


@pytest.mark.parametrize("bad", [{"unit": -1}, {"units": 0}])
def test_a_negative_price_or_no_unit_is_a_bug(bad):
    with pytest.raises(ValueError, match="never negative"):
        total(lines_=[bread(**bad)])


def test_a_discount_of_more_than_everything_is_a_bug():
    with pytest.raises(ValueError, match="nothing and everything"):
        off(value=10_001)
