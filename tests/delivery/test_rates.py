"""Where the shop delivers, and for how much."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.delivery.contract_queries import zone_row, zone_rows
from storefront.delivery.contracts import BadZone, ZoneChanged, ZoneDetails, add_zone, change_zone, raise_zone
from storefront.delivery.rates import ZoneChoice, choose, plain, quote, zones_for_checkout
from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import Shop, acting_for
from tests.factories.delivery import OWNER, a_zone


@dataclass
class Where:
    locality: str = ""
    neighbourhood: str = ""
    region: str = "OAX"


def choice(*places: str, price: int = 4_000, free: int | None = None, region: str | None = None) -> ZoneChoice:
    return ZoneChoice(1, "Z", "Zona", region, places, price, free)


def test_a_place_is_known_without_its_accents_and_capitals() -> None:
    found = choose([choice("Jalatlaco", "San Felipe del Agua")], Where(neighbourhood="  san  felipe del AGUA"), 100)
    assert found is not None
    assert found.price_minor == 4_000


def test_a_town_or_a_neighbourhood_of_the_list_will_do() -> None:
    zone = choice("Etla", "Centro")
    assert choose([zone], Where(locality="Etla"), 0) is not None
    assert choose([zone], Where(locality="Oaxaca de Juárez", neighbourhood="Centro"), 0) is not None
    assert choose([zone], Where(locality="Oaxaca de Juárez", neighbourhood="Reforma"), 0) is None


def test_the_first_zone_that_matches_decides_the_price() -> None:
    near, far = choice("Centro", price=2_000), choice(price=9_000)
    assert choose([near, far], Where(neighbourhood="Centro"), 0).price_minor == 2_000  # type: ignore[union-attr]
    assert choose([far, near], Where(neighbourhood="Centro"), 0).price_minor == 9_000  # type: ignore[union-attr]


def test_a_zone_of_a_region_is_for_that_region_alone() -> None:
    zone = choice(region="OAX")
    assert choose([zone], Where(locality="Puebla", region="PUE"), 0) is None
    assert choose([zone], Where(locality="Huajuapan", region="oax"), 0) is not None


def test_an_address_that_says_nothing_is_in_no_listed_place() -> None:
    assert choose([choice("", "Centro")], Where(), 0) is None


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_delivery_is_free_exactly_from_the_limit_on(subtotal: int, limit: int) -> None:
    found = choose([choice(free=limit)], Where(), subtotal)
    assert found is not None
    assert (found.price_minor == 0) == (subtotal >= limit)


@given(st.text())
def test_a_plain_name_stays_plain(name: str) -> None:
    assert plain(plain(name)) == plain(name)


def test_the_shops_zones_quote_an_address(bakery: Shop) -> None:
    a_zone(bakery, "Centro", 3_500, localities=["Centro", "Jalatlaco"], free_above_minor=50_000)
    with acting_for(bakery):
        assert quote(Where(neighbourhood="Jalatlaco"), 10_000).price_minor == 3_500  # type: ignore[union-attr]
        assert quote(Where(neighbourhood="Jalatlaco"), 50_000).price_minor == 0  # type: ignore[union-attr]
        assert quote(Where(neighbourhood="Xoxo"), 10_000) is None


def test_a_paused_zone_is_offered_to_nobody(bakery: Shop) -> None:
    a_zone(bakery, active=False)
    with acting_for(bakery):
        assert zones_for_checkout() == []
        assert quote(Where(), 0) is None
        assert len(zone_rows()) == 1


def test_one_shops_zones_are_not_anothers(bakery: Shop, crafts: Shop) -> None:
    code = a_zone(bakery)
    with acting_for(crafts):
        assert zones_for_checkout() == []
        with pytest.raises(NotFound):
            change_zone(code, 1, ZoneDetails("Mía", 0), OWNER)
    with acting_for(bakery):
        assert zone_row(code).price_minor == 4_000


def test_two_people_saving_one_zone_do_not_overwrite_each_other(bakery: Shop) -> None:
    code = a_zone(bakery)
    with acting_for(bakery):
        change_zone(code, 1, ZoneDetails("Centro", 5_000), OWNER)
        with pytest.raises(ZoneChanged):
            change_zone(code, 1, ZoneDetails("Centro", 1), OWNER)
        assert zone_row(code).price_minor == 5_000


def test_a_zone_without_a_name_or_with_a_negative_price_is_refused(bakery: Shop) -> None:
    with acting_for(bakery):
        for bad in (ZoneDetails("  ", 100), ZoneDetails("Centro", -1), ZoneDetails("Centro", 1, free_above_minor=0)):
            with pytest.raises(BadZone):
                add_zone(bad, OWNER)
        assert zone_rows() == []


def test_raising_a_zone_makes_it_the_first_to_be_tried(bakery: Shop) -> None:
    a_zone(bakery, "Todo")
    code = a_zone(bakery, "Centro")
    with acting_for(bakery):
        raise_zone(code, OWNER)
        raise_zone(code, OWNER)
        assert [zone.name for zone in zone_rows()] == ["Centro", "Todo"]
