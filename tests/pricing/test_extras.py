"""What comes on top of an order: packaging where the shop says so, and a tip that somebody chose."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.pricing.basket import Basket, Line, price
from storefront.pricing.extras import NO_TIP, Tip, packaging_minor, share_minor, tip_minor


@dataclass(frozen=True)
class Decided:
    packaging_minor: int = 500
    packaging_for: tuple[str, ...] = ("delivery",)
    takes_tips: bool = True
    tip_percents: tuple[int, ...] = (5, 10, 15)


subtotals = st.integers(0, 10**9)


def test_packaging_is_charged_only_for_the_ways_it_is_for():
    assert packaging_minor(Decided(), "delivery") == 500
    assert packaging_minor(Decided(), "pickup") == packaging_minor(Decided(), "none") == 0


@given(subtotals)
def test_no_tip_is_given_that_nobody_chose(subtotal):
    assert tip_minor(Decided(), NO_TIP, subtotal) == 0


@given(st.sampled_from([5, 10, 15]), subtotals)
def test_a_percentage_is_of_the_goods_to_the_nearest_minor_unit(percent, subtotal):
    given_ = tip_minor(Decided(), Tip(percent=percent), subtotal)

    assert given_ == share_minor(percent, subtotal)
    assert abs(100 * given_ - percent * subtotal) <= 50
    assert given_ <= subtotal


@pytest.mark.parametrize(
    ("percent", "subtotal", "expected"), [(10, 12_345, 1_235), (10, 5, 1), (10, 4, 0), (15, 990, 149)]
)
def test_half_a_peso_without_centavos_is_rounded_up(percent, subtotal, expected):
    assert tip_minor(Decided(), Tip(percent=percent), subtotal) == expected


@given(st.integers(-5, 10**6), subtotals)
def test_an_amount_is_what_was_typed_and_never_more_than_the_goods(amount, subtotal):
    assert tip_minor(Decided(), Tip(amount_minor=amount), subtotal) in {0, amount}
    assert 0 <= tip_minor(Decided(), Tip(amount_minor=amount), subtotal) <= subtotal


@given(st.builds(Tip, st.integers(0, 100), st.integers(0, 10**6)), subtotals)
def test_a_shop_without_tips_is_given_none(tip, subtotal):
    assert tip_minor(Decided(takes_tips=False), tip, subtotal) == 0


def test_a_percentage_that_is_not_offered_any_more_gives_nothing():
    assert tip_minor(Decided(), Tip(percent=20), 10_000) == 0


@given(st.sampled_from(["MXN", "CLP", "PYG"]), subtotals, st.integers(0, 10**6), st.sampled_from([5, 10, 15]))
def test_the_tip_carries_no_tax_and_the_packaging_does(currency, unit, packaging, percent):
    tip = tip_minor(Decided(), Tip(percent=percent), unit)
    lines = [Line(unit, 1, 1_900)]

    plain = price(Basket(currency, lines, 1_900))
    more = price(Basket(currency, lines, 1_900, packaging_minor=packaging, tip_minor=tip))

    assert more.total_minor == plain.total_minor + packaging + tip
    assert more.tax_minor == plain.tax_minor + more.packaging.tax_minor
    assert more.net_minor + more.tax_minor + tip == more.total_minor
