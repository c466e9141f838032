"""What a basket costs."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from storefront.cart.pricing import Item, totals
from storefront.kernel.tenancy import Shop

SHOP = Shop(
    id=1, slug="s", name="S", base_url="", country="MX", currency="MXN", locale="es_MX", locales=(), timezone="UTC",
    status="live", tax_rate_bp=1600,
)  # fmt: skip

items = st.builds(Item, unit_minor=st.integers(0, 10**9), units=st.integers(1, 99))


@given(st.lists(items, max_size=20), st.integers(0, 10**7), st.integers(0, 5000))
def test_net_and_tax_make_the_gross_on_every_line_and_on_the_whole(lines, shipping, rate):
    sums = totals(lines, replace(SHOP, tax_rate_bp=rate), shipping)

    assert all(amount.net_minor + amount.tax_minor == amount.gross_minor for amount in sums.lines)
    assert sums.net_minor + sums.tax_minor == sums.total_minor
    assert sums.subtotal_minor + sums.shipping_minor == sums.total_minor
    assert sums.total_minor == sum(line.unit_minor * line.units for line in lines) + shipping


def test_the_tax_is_inside_the_price():
    sums = totals([Item(11_600, 1)], SHOP)

    assert (sums.total_minor, sums.net_minor, sums.tax_minor) == (11_600, 10_000, 1_600)


def test_an_empty_basket_costs_nothing():
    assert totals([], SHOP).total_minor == 0
