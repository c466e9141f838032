"""Delivery priced by how far it goes: points out of what people paste, ways in metres, tables, and the checkout."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from storefront.delivery.contracts import BadZone, ZoneDetails, add_zone, say_origin
from storefront.delivery.models import DeliveryOrigin, RateKind, Zone
from storefront.delivery.points import (
    EARTH_M,
    NoPoint,
    Origin,
    Point,
    ShortCode,
    ShortLink,
    metres_between,
    point_in,
    way_m,
)
from storefront.delivery.rates import Step, ZoneChoice, choose, price_in, quote
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from tests.checkout.test_pages import fill, hidden
from tests.factories.catalogue import a_product
from tests.factories.counter import field, press
from tests.factories.delivery import OWNER

ZOCALO = Point(17.0605, -96.7253)
CRESPO = Point(17.0669, -96.7203)


@dataclass(frozen=True)
class Where:
    """A place with a point on the map, or without."""

    pin: tuple[float, float] | None = None
    neighbourhood: str = ""
    locality: str = "Oaxaca de Juárez"
    region: str = "OAX"


# --- what people paste ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "17.0669, -96.7203",
        "(17.0669 -96.7203)",
        "https://www.google.com/maps/@17.0669,-96.7203,17z",
        "https://www.google.com/maps/place/Casa/@17.1,-96.8,17z/data=!3m1!4b1!4m6!3m5!8m2!3d17.0669!4d-96.7203!16s",
        "https://maps.google.com/?q=17.0669,-96.7203",
        "maps.google.com/maps?q=17.0669%2C-96.7203&z=17",
        "https://www.google.com/maps/search/?api=1&query=17.0669%2C-96.7203",
        "https://www.google.com/maps/dir/?api=1&destination=17.0669,-96.7203",
        "geo:17.0669,-96.7203",
        "geo:17.0669,-96.7203;u=35",
        "geo:0,0?q=17.0669,-96.7203(Casa)",
        "https://maps.apple.com/?ll=17.0669,-96.7203&q=Casa",
        "https://maps.apple.com/place?coordinate=17.0669,-96.7203",
        "https://www.openstreetmap.org/?mlat=17.0669&mlon=-96.7203#map=18/17.1/-96.8",
        "https://www.openstreetmap.org/#map=18/17.0669/-96.7203",
        "https://waze.com/ul?ll=17.0669,-96.7203&navigate=yes",
        "https://www.bing.com/maps?cp=17.0669~-96.7203&lvl=16",
    ],
)
def test_a_link_of_a_map_says_where_it_is(text):
    assert point_in(text) == CRESPO


@pytest.mark.parametrize(
    "text", ["7695378H+QV", "7695378h+qv Oaxaca", "378H+QV Oaxaca de Juárez", "https://plus.codes/7695378H+QV"]
)
def test_a_plus_code_says_where_it_is_and_a_short_one_is_near_the_shop(text):
    assert metres_between(point_in(text, ZOCALO), CRESPO) < 60


def test_a_short_plus_code_alone_is_nowhere():
    with pytest.raises(ShortCode):
        point_in("378H+QV")


@pytest.mark.parametrize(
    "text", ["https://maps.app.goo.gl/AbC123", "https://goo.gl/maps/xYz", "https://osm.org/go/TyFSut"]
)
def test_a_short_link_is_refused_with_the_way_out(text):
    with pytest.raises(ShortLink) as refusal:
        point_in(text)
    assert "enlace largo" in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    ["", "Calle Crespo 212", "91,0", "17,200", "0,0", "geo:0,0", "https://example.com/", "https://[", "javascript:@1,2",
     "nan,nan", "1e9,1", "17.0669", "@" * 3000, "https://www.google.com/maps/place/Casa"],
)  # fmt: skip
def test_what_says_nothing_is_refused(text):
    with pytest.raises(NoPoint):
        point_in(text)


@given(st.text(max_size=200))
def test_whatever_is_pasted_it_is_a_point_on_earth_or_a_sentence(text):
    try:
        point = point_in(text, ZOCALO)
    except (NoPoint, ShortLink, ShortCode):
        return
    assert abs(point.lat) <= 90
    assert abs(point.lng) <= 180


points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@given(points)
def test_a_point_that_is_written_as_a_link_is_read_again(point):
    written = Point(round(point.lat, 6), round(point.lng, 6))
    if written == (0, 0):
        return
    link = f"https://www.openstreetmap.org/?mlat={written.lat:.6f}&mlon={written.lng:.6f}"
    assert point_in(link) == pytest.approx(written)


# --- pure ----------------------------------------------------------------------------------------------------------


@given(points, points)
def test_a_way_is_as_long_back_as_there_and_never_longer_than_half_round_the_earth(here, there):
    way = metres_between(here, there)
    assert 0 <= way <= EARTH_M * 3.141_593
    assert way == pytest.approx(metres_between(there, here), abs=1e-3)
    assert metres_between(here, here) == 0


@given(points, points, st.integers(100, 300), st.integers(0, 100))
def test_a_longer_detour_is_never_a_shorter_way(here, there, detour, more):
    assert way_m(Origin(here, detour), there) <= way_m(Origin(here, detour + more), there)


def test_half_a_metre_counts_up():
    degree = EARTH_M * 3.141592653589793 / 180
    there = Point(1_000.5 / degree, 0.0)
    assert metres_between(Point(0, 0), there) == pytest.approx(1_000.5)
    assert way_m(Origin(Point(0, 0), 200), there) == 2_001


tables = st.lists(
    st.tuples(st.integers(1, 50_000), st.integers(0, 10**9)), min_size=1, max_size=8, unique_by=lambda s: s[0]
)


@given(tables, st.booleans(), st.integers(0, 60_000), st.integers(0, 10**9), st.none() | st.integers(1, 10**9))
def test_a_price_by_distance_is_a_price_of_the_table_or_none_and_never_negative(rows, is_open, metres, goods, free):
    steps = [Step(up_to, price) for up_to, price in sorted(rows)]
    if is_open:
        steps[-1] = Step(None, steps[-1].price_minor)
    zone = ZoneChoice(1, "A", "A", None, (), 0, free, RateKind.BY_DISTANCE, tuple(steps))

    price = price_in(zone, goods, metres=metres)

    fits = [step for step in steps if step.up_to is None or metres <= step.up_to]
    if not fits:
        assert price is None
    elif free is not None and goods >= free:
        assert price == 0
    else:
        assert price == fits[0].price_minor >= 0
    assert price_in(zone, goods) is None


def test_up_to_and_with_the_last_metre_of_a_step():
    zone = ZoneChoice(1, "A", "A", None, (), 0, None, RateKind.BY_DISTANCE, (Step(1_000, 2_000), Step(3_000, 3_500)))
    assert [price_in(zone, 0, metres=far) for far in (0, 1_000, 1_001, 3_000, 3_001)] == [
        2_000, 2_000, 3_500, 3_500, None,
    ]  # fmt: skip


def test_without_a_point_on_either_side_there_is_no_price():
    zone = ZoneChoice(1, "A", "A", None, (), 0, None, RateKind.BY_DISTANCE, (Step(None, 2_000),))
    here = Origin(ZOCALO)
    assert choose([zone], Where(CRESPO), 0, origin=None) is None
    assert choose([zone], Where(), 0, origin=here) is None
    found = choose([zone], Where(CRESPO), 0, origin=here)
    assert found is not None
    assert found.metres == pytest.approx(1_157, abs=5)


# --- the owner ------------------------------------------------------------------------------------------------------

TABLE = (Step(1_000, 2_000), Step(3_000, 3_500))


def by_distance(steps=TABLE):
    """A zone of everywhere, priced by distance."""
    return add_zone(ZoneDetails("Cerca", 0, kind=RateKind.BY_DISTANCE, steps=steps), OWNER)


def test_a_zone_by_distance_needs_to_know_where_the_shop_is(bakery):
    with acting_for(bakery):
        with pytest.raises(BadZone):
            by_distance()
        assert db.session.scalar(select(Zone.id)) is None
        db.session.rollback()
        say_origin(ZOCALO, 130, OWNER)
        by_distance()
        assert quote(Where(CRESPO), 0).price_minor == 3_500  # type: ignore[union-attr]
        db.session.rollback()
        say_origin(CRESPO, 130, OWNER)
        assert quote(Where(CRESPO), 0).price_minor == 2_000  # type: ignore[union-attr]
        assert quote(Where((19.43, -99.13)), 0) is None
        db.session.rollback()
        for wrong in (99, 301):
            with pytest.raises(BadZone):
                say_origin(CRESPO, wrong, OWNER)


def token_of(page):
    """The page's own mark against forgery."""
    return re.search(r'name="csrf_token" value="([^"]*)"', page.text)[1]


def test_the_owner_pastes_where_the_shop_is_and_prices_by_the_kilometre(client_at, bakery):
    desk = client_at("app", as_="alicia")
    token = token_of(desk.get("/entregas/origen"))
    for typed, says in (
        ("https://maps.app.goo.gl/abc", "enlace largo"),
        ("por ahí", "Ahí no vemos"),
        ("", "Ahí no vemos"),
    ):
        answer = desk.post("/entregas/origen", data={"csrf_token": token, "place": typed, "detour": "130"})
        assert answer.status_code == 422
        assert says in answer.text
        assert typed in answer.text
    zone = {
        "csrf_token": token, "name": "Cerca", "kind": "by_distance", "active": "y",
        "distances-0-up_to": "1", "distances-0-price": "20",
        "distances-1-up_to": "2.5", "distances-1-price": "35",
    }  # fmt: skip
    assert "Primero di dónde está tu tienda" in desk.post("/entregas/zonas/nueva", data=zone).text

    pasted = {"csrf_token": token, "place": "geo:17.0605,-96.7253", "detour": "150"}
    assert desk.post("/entregas/origen", data=pasted).status_code == 303
    assert desk.post("/entregas/zonas/nueva", data=zone | {"distances-1-up_to": "lejos"}).status_code == 422
    assert desk.post("/entregas/zonas/nueva", data=zone).status_code == 303

    assert "Según la distancia" in desk.get("/entregas/zonas").text
    with acting_for(bakery):
        row = db.session.execute(select(DeliveryOrigin.lat, DeliveryOrigin.lng, DeliveryOrigin.detour_pct)).one()
        code = db.session.scalar(select(Zone.code))
        db.session.rollback()
    assert tuple(row) == (17.0605, -96.7253, 150)
    assert 'value="2.5"' in desk.get(f"/entregas/zonas/{code}").text
    assert 'value="150"' in desk.get("/entregas/origen").text


# --- the customer ----------------------------------------------------------------------------------------------------


def test_a_customer_says_where_it_goes_and_pays_for_the_way(client_at, bakery):
    with acting_for(bakery):
        say_origin(ZOCALO, 130, OWNER)
        code = by_distance()
        bread = a_product("Pan", price=5_000, stock=9)
    visitor = client_at(bakery)
    assert visitor.post("/carrito", data={"variant": bread.variant_code, "quantity": "2"}).status_code == 303
    form = fill(visitor, how="delivery", place=code, locality="Oaxaca", street="Crespo 212", pay="cash_on_delivery")
    form["do"] = "show"

    shown = visitor.post("/pedir", data=form)
    assert "El precio depende de qué tan lejos es" in shown.text
    refused = visitor.post("/pedir", data=form | {"do": "place"})
    assert refused.status_code == 422
    assert "Pega aquí el enlace" in refused.text
    short = visitor.post("/pedir", data=form | {"point": "https://maps.app.goo.gl/abc"})
    assert "enlace largo" in short.text
    assert "https://maps.app.goo.gl/abc" in short.text
    far = visitor.post("/pedir", data=form | {"point": "19.43,-99.13"})
    assert "más lejos de lo que llevamos" in far.text

    near = visitor.post("/pedir", data=form | {"point": "geo:17.0669,-96.7203"})
    assert "1.2" in near.text
    assert "135.00" in near.text
    seen = {"point": "geo:17.0669,-96.7203", "shown": hidden(near.text, "shown"), "do": "place"}
    placed = visitor.post("/pedir", data=form | seen)

    assert placed.status_code == 303, placed.text[:2000]
    with acting_for(bakery):
        row = db.session.execute(select(Order.shipping_minor, Order.total_minor, Order.address, Order.code)).one()
        db.session.rollback()
    assert (row.shipping_minor, row.total_minor) == (3_500, 13_500)
    assert (row.address["lat"], row.address["lng"]) == CRESPO
    assert row.address["metres"] == pytest.approx(1_157, abs=5)
    assert "1.2" in client_at("app", as_="alicia").get(f"/pedidos/{row.code}").text


def test_the_counter_asks_where_it_goes_and_charges_for_the_way(client_at, bakery):
    with acting_for(bakery):
        say_origin(ZOCALO, 130, OWNER)
        code = by_distance()
        bread = a_product("Pan", price=5_000, stock=9)
    desk = client_at("app", as_="alicia")
    press(desk, "/venta/productos", variant=bread.variant_code)
    typed = {"how": "delivery", "place": code, "locality": "Oaxaca", "street": "Crespo 212", "name": "Eva"}
    typed |= {"phone": "9511112233", "key": "una", "settled": "cash"}
    assert 'name="point"' in press(desk, "/venta", do="show", **typed).text

    page = press(desk, "/venta", do="show", point="geo:17.0669,-96.7203", **typed).text
    shown = field(page, "shown")
    done = press(desk, "/venta", do="sell", point="geo:17.0669,-96.7203", shown=shown, **typed)

    assert done.status_code == 303
    with acting_for(bakery):
        row = db.session.execute(select(Order.shipping_minor, Order.total_minor)).one()
        db.session.rollback()
    assert tuple(row) == (3_500, 8_500)
