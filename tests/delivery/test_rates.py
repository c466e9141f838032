"""Where the shop delivers, and for how much."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.delivery.contract_queries import zone_row, zone_rows
from storefront.delivery.contracts import (
    BadZone,
    ZoneChanged,
    ZoneDetails,
    add_zone,
    change_zone,
    in_order,
    raise_zone,
)
from storefront.delivery.models import RateKind
from storefront.delivery.rates import (
    EMPTY,
    Load,
    Step,
    ZoneChoice,
    choose,
    plain,
    price_in,
    quote,
    zone_for,
    zones_for_checkout,
)
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


# --- tables ---------------------------------------------------------------------------------------------------------

WEIGHT, TOTAL = RateKind.BY_WEIGHT, RateKind.BY_TOTAL
tables = st.lists(
    st.builds(Step, st.one_of(st.none(), st.integers(1, 10**6)), st.integers(0, 10**6)),
    min_size=1, max_size=12, unique_by=lambda step: step.up_to,
).map(in_order).map(tuple)  # fmt: skip
loads = st.builds(Load, st.integers(0, 10**6), st.integers(0, 50))


def priced_by(kind: RateKind, *steps: tuple[int | None, int], free: int | None = None, assumed: int = 0) -> ZoneChoice:
    table = tuple(Step(*step) for step in steps)
    return ZoneChoice(1, "Z", "Zona", None, (), 0, free, kind, table, assumed)


@pytest.mark.parametrize(
    ("grams", "price"), [(0, 3_000), (1_000, 3_000), (1_001, 5_000), (5_000, 5_000), (5_001, None)]
)
def test_by_weight_a_step_holds_up_to_and_with_its_grams_and_more_than_the_table_is_not_delivered(
    grams: int, price: int | None
) -> None:
    zone = priced_by(WEIGHT, (1_000, 3_000), (5_000, 5_000))
    assert price_in(zone, 99, Load(grams)) == price
    found = choose([zone], Where(), 99, Load(grams))
    assert (found.price_minor if found else None) == price


def test_an_open_step_holds_for_whatever_is_more() -> None:
    zone = priced_by(TOTAL, (50_000, 4_000), (None, 1_000))
    assert [price_in(zone, minor) for minor in (50_000, 50_001, 10**9)] == [4_000, 1_000, 1_000]


def test_pieces_that_nobody_weighed_count_what_the_owner_said() -> None:
    zone = priced_by(WEIGHT, (1_000, 3_000), (2_000, 5_000), assumed=400)
    assert price_in(zone, 0, Load(200, 2)) == 3_000
    assert price_in(zone, 0, Load(200, 3)) == 5_000
    assert price_in(zone, 0, Load(0, 6)) is None


def test_a_zone_that_does_not_carry_so_much_still_decides_and_no_other_is_tried() -> None:
    near, far = priced_by(WEIGHT, (1_000, 3_000)), choice(price=9_000)
    assert choose([near, far], Where(), 0, Load(1_001)) is None
    assert zone_for([near, far], Where()) is near


def slow_price(zone: ZoneChoice, much: int) -> int | None:
    """The same, said in another way."""
    fitting = [step for step in zone.steps if step.up_to is not None and step.up_to >= much]
    if fitting:
        return min(fitting, key=lambda step: step.up_to or 0).price_minor
    return next((step.price_minor for step in zone.steps if step.up_to is None), None)


@given(tables, st.integers(0, 2 * 10**6), loads, st.integers(0, 10**4))
def test_a_table_says_the_same_however_it_is_read(
    steps: tuple[Step, ...], subtotal: int, load: Load, assumed: int
) -> None:
    for kind, much in ((TOTAL, subtotal), (WEIGHT, load.grams + load.unweighed * assumed)):
        zone = ZoneChoice(1, "Z", "Zona", None, (), 0, None, kind, steps, assumed)
        assert price_in(zone, subtotal, load) == slow_price(zone, much)


@given(tables, st.integers(0, 10**6), st.integers(1, 10**6), loads)
def test_free_from_a_limit_on_holds_for_tables_and_carries_no_more_than_they_do(
    steps: tuple[Step, ...], subtotal: int, limit: int, load: Load
) -> None:
    for kind in (TOTAL, WEIGHT):
        paid = ZoneChoice(1, "Z", "Zona", None, (), 0, None, kind, steps, 100)
        free = ZoneChoice(1, "Z", "Zona", None, (), 0, limit, kind, steps, 100)
        cost = price_in(paid, subtotal, load)
        assert price_in(free, subtotal, load) == (0 if cost is not None and subtotal >= limit else cost)


@given(tables, loads, loads)
def test_where_prices_rise_with_the_weight_more_weight_never_costs_less(
    steps: tuple[Step, ...], one: Load, more: Load
) -> None:
    rising = tuple(Step(step.up_to, 100 * number) for number, step in enumerate(steps))
    zone = ZoneChoice(1, "Z", "Zona", None, (), 0, None, WEIGHT, rising, 250)
    both = Load(one.grams + more.grams, one.unweighed + more.unweighed)
    alone, together = price_in(zone, 0, one), price_in(zone, 0, both)
    assert together is None or (alone is not None and alone <= together)


@given(tables, st.randoms())
def test_rows_may_be_typed_in_any_order(steps: tuple[Step, ...], chance: random.Random) -> None:
    mixed = list(steps)
    chance.shuffle(mixed)
    assert tuple(in_order(mixed)) == steps


@pytest.mark.parametrize(
    "steps",
    [(), (Step(1_000, 1), Step(1_000, 2)), (Step(None, 1), Step(None, 2)), (Step(0, 1),), (Step(1_000, -1),),
     tuple(Step(n, 1) for n in range(1, 14))],
    ids=["empty", "twice the same", "two open ones", "up to nothing", "negative", "thirteen"],
)  # fmt: skip
def test_a_table_that_says_two_things_or_nothing_is_refused(bakery: Shop, steps: tuple[Step, ...]) -> None:
    with acting_for(bakery):
        with pytest.raises(BadZone):
            add_zone(ZoneDetails("Centro", 0, kind=WEIGHT, steps=steps, assumed_g=500), OWNER)
        assert zone_rows() == []


def test_a_table_is_kept_and_changed_to_one_price_again(bakery: Shop) -> None:
    steps = (Step(None, 9_000), Step(1_000, 3_500))
    code = a_zone(bakery, "Centro", 0, kind=WEIGHT, steps=steps, assumed_g=300)
    with acting_for(bakery):
        row = zone_row(code)
        assert (row.kind, row.steps, row.assumed_g) == (WEIGHT, steps[::-1], 300)
        assert row.price_minor == 3_500
        assert quote(Where(), 0, Load(900, 1)).price_minor == 9_000  # type: ignore[union-attr]
        assert quote(Where(), 0, EMPTY).price_minor == 3_500  # type: ignore[union-attr]
        change_zone(code, 1, ZoneDetails("Centro", 4_000), OWNER)
        row = zone_row(code)
        assert (row.kind, row.steps, row.assumed_g, row.price_minor) == (RateKind.FLAT, (), 0, 4_000)


def test_pesos_without_centavos_are_charged_whole(inn: Shop) -> None:
    a_zone(inn, "Cerro", 0, kind=TOTAL, steps=(Step(20_000, 2_990), Step(None, 990)))
    with acting_for(inn):
        assert quote(Where(), 20_000).price_minor == 2_990  # type: ignore[union-attr]
        assert quote(Where(), 20_001).price_minor == 990  # type: ignore[union-attr]
