"""Tax classes as data: every country has its own, and a shop's own rates go before them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.taxes import GENERAL, changeable, class_of, classes_of, tax_label
from tests.kernel.edge import BAKERY


def of(country, **more):
    return replace(BAKERY, country=country, tax_rate_bp=COUNTRIES[country].tax_rate_bp, **more)


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_each_country_has_its_classes_the_general_one_first_and_each_once(country):
    classes = classes_of(of(country))

    assert (classes[0].code, classes[0].rate_bp) == (GENERAL, COUNTRIES[country].tax_rate_bp)
    assert len({one.code for one in classes}) == len({one.name for one in classes}) == len(classes)
    assert len(classes) > 1
    assert all(one.name and 0 <= one.rate_bp <= 2_700 and not (one.exempt and one.rate_bp) for one in classes)


def test_a_shops_own_rate_goes_before_the_countrys_and_only_where_there_is_one():
    shop = of("AR", tax_rates={"reduced": 1_100, "exempt": 900})

    assert class_of(shop, "reduced").rate_bp == 1_100
    assert class_of(shop, "high").rate_bp == 2_700
    assert class_of(shop, "exempt").rate_bp == 0
    assert [one.code for one in changeable("AR")] == ["reduced", "high"]


def test_a_class_that_a_country_does_not_have_is_the_general_one():
    assert class_of(of("GT"), "reduced").code == GENERAL


def test_papers_call_what_is_exempt_by_its_own_word_and_all_else_by_its_rate():
    assert tax_label("PE", "exempt", 0, "0 %") == "Exonerado"
    assert tax_label("CO", "exempt", 0, "0 %") == "Excluido"
    assert tax_label("CO", "zero", 0, "0 %") == "IVA 0 %"
    assert tax_label("PE", GENERAL, 1_800, "18 %") == "IGV 18 %"
