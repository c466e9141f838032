"""From a service that is for sale to one that can be reserved: the owner is led there, and it is a tap."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from storefront.catalogue.models import Product, ProductKind
from storefront.kernel.db import db
from storefront.reservations.models import BookableService
from storefront.reservations.queries import resources
from storefront.reservations.setup import create_resource, set_active
from tenants.dashboard.todo import setup_steps
from tenants.settings import ShopFacts, change_facts
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.reservations import DIEGO, a_tour, daily

HAIRCUT = {"name": "Corte de pelo", "price": "120", "kind": "service", "do": "publish"}
CHAIR = {"name": "Silla", "capacity": "1", "open_days": ["mon"], "usual-opens": "09:00", "usual-closes": "18:00"}


@pytest.fixture
def alicia(app, cast, client_at) -> Desk:
    return Desk(app, client_at("app"), cast.staff["alicia"])


@pytest.fixture
def bookable(within, bakery):
    """How many services of the bakery can be reserved."""

    def many() -> int:
        with within(bakery):
            return db.session.scalar(select(func.count()).select_from(BookableService)) or 0

    return many


def the_code(within, shop) -> str:
    with within(shop):
        return db.session.scalars(select(Product.code)).one()


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the form about bookings when nobody touches it."""
    form = page[page.index('name="place"') - 200 :]
    sent = dict(re.findall(r'<input[^>]*id="(\w+)"[^>]*value="([^"]*)"', form))
    place = re.search(r'<option selected value="(\w+)"', form)
    assert place, form
    return {**sent, "place": place[1], "unit": "time"}


def test_a_new_service_leads_by_way_of_its_first_place_to_bookings(alicia, within, bakery, bookable) -> None:
    first = alicia.send("/productos/nuevo", HAIRCUT)
    code = the_code(within, bakery)
    assert first.location == f"/reservas/lugares/nuevo?servicio={code}"

    second = alicia.send(first.location, CHAIR)
    assert second.location == f"/reservas/servicios/{code}"
    page = alicia.get(second.location).text
    assert "Se reserva en: Silla" in page

    assert alicia.send(second.location, fields_of(page)).status_code == 303
    assert bookable() == 1
    assert "Todavía no se puede reservar" not in alicia.get(f"/productos/{code}").text


def what_a_browser_would_send(page: str) -> dict[str, object]:
    """The form about a place when nobody touches it."""
    form = page[page.index('name="name"') - 200 :]
    inputs = re.findall(r"<input[^>]*>", form)
    named = [(re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one), one) for one in inputs]
    fields = {name[1]: value[1] for name, value, one in named if name and value and 'type="checkbox"' not in one}
    days = [value[1] for name, value, one in named if value and 'name="open_days"' in one and " checked" in one]
    return {**fields, "open_days": days}


def test_the_first_place_needs_no_typing_and_its_hours_are_the_shops(alicia, within, bakery, bookable) -> None:
    with within(bakery):
        change_facts(
            ShopFacts(bakery.name, "", "", "", "", "Lunes a viernes de 9 a 13 y de 15 a 19, sábado de 9 a 14"), DIEGO
        )
    first = alicia.send("/productos/nuevo", HAIRCUT)
    second = alicia.send(first.location, what_a_browser_would_send(alicia.get(first.location).text))
    assert second.status_code == 303, second.text
    assert alicia.send(second.location, fields_of(alicia.get(second.location).text)).status_code == 303
    assert bookable() == 1
    with within(bakery):
        [place] = resources()
    assert (place.name, place.capacity) == (bakery.name, 1)
    assert place.hours["mon"] == place.hours["fri"] == [["09:00", "13:00"], ["15:00", "19:00"]]
    assert place.hours["sat"] == [["09:00", "14:00"]]
    assert place.hours["sun"] == []


def test_where_the_shops_hours_are_not_clear_a_place_starts_with_the_usual_ones(alicia, within, bakery) -> None:
    with within(bakery):
        change_facts(ShopFacts(bakery.name, "", "", "", "", "Cuando hay luz"), DIEGO)
    sent = what_a_browser_would_send(alicia.get("/reservas/lugares/nuevo").text)
    assert alicia.send("/reservas/lugares/nuevo", sent).status_code == 303
    with within(bakery):
        [place] = resources()
    assert {day: ranges for day, ranges in place.hours.items() if ranges} == {
        day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat")
    }


def test_hours_shown_and_saved_again_are_the_same_hours(alicia, within, bakery) -> None:
    hours = {"mon": [["09:00", "13:00"]], "tue": [["09:00", "13:00"]], "sat": [["08:00", "10:00"], ["20:00", "02:00"]]}
    with within(bakery):
        place = create_resource("Silla", 1, hours, DIEGO)
        before = resources()[0].hours
    address = f"/reservas/lugares/{place.code}"
    assert alicia.send(address, what_a_browser_would_send(alicia.get(address).text)).status_code == 303
    with within(bakery):
        assert resources()[0].hours == before


def test_with_one_place_the_form_is_filled_in_and_needs_a_tap(alicia, within, bakery, bookable) -> None:
    with within(bakery):
        create_resource("Silla", 1, daily(), DIEGO)
    answer = alicia.send("/productos/nuevo", HAIRCUT)
    assert answer.location == f"/reservas/servicios/{the_code(within, bakery)}"

    assert alicia.send(answer.location, fields_of(alicia.get(answer.location).text)).status_code == 303
    assert bookable() == 1


def test_with_several_places_the_owner_chooses(alicia, within, bakery, bookable) -> None:
    with within(bakery):
        create_resource("Silla", 1, daily(), DIEGO)
        create_resource("Mesa", 1, daily(), DIEGO)
    page = alicia.get(alicia.send("/productos/nuevo", HAIRCUT).location).text
    assert "Lo llenamos con lo de siempre" not in page
    assert "Silla" in page
    assert "Mesa" in page
    assert bookable() == 0


def test_publishing_a_draft_leads_there_and_a_thing_goes_to_its_own_page(alicia, within, bakery) -> None:
    with within(bakery):
        service = a_product("Corte", kind=ProductKind.SERVICE, published=False).code
        bread = a_product("Concha", published=False).code
    assert "/reservas/lugares/nuevo" in alicia.send(f"/productos/{service}/publicar").location
    assert alicia.send(f"/productos/{bread}/publicar").location == f"/productos/{bread}"


def test_the_page_of_a_service_says_that_it_cannot_be_reserved_until_it_can(alicia, within, bakery) -> None:
    with within(bakery):
        service = a_product("Corte", kind=ProductKind.SERVICE).code
        tour = a_tour()
        bread = a_product("Concha").code
    page = alicia.get(f"/productos/{service}").text
    assert "Todavía no se puede reservar" in page
    assert f'href="/reservas/servicios/{service}"' in page
    for fine in (tour.product_code, bread):
        assert "Todavía no se puede reservar" not in alicia.get(f"/productos/{fine}").text
    with within(bakery):
        set_active(resources()[0].code, DIEGO, active=False)
    assert "Todavía no se puede reservar" in alicia.get(f"/productos/{tour.product_code}").text


def test_a_place_made_for_a_service_that_is_not_there_leads_to_the_list(alicia) -> None:
    assert alicia.send("/reservas/lugares/nuevo?servicio=NADA", CHAIR).location == "/reservas/lugares"


def test_the_list_of_steps_names_it_for_shops_with_a_service_that_cannot_be_reserved(within, bakery) -> None:
    with within(bakery):
        a_product("Concha")
        assert "bookings" not in {step.key for step in setup_steps(bakery)}
        service = a_product("Corte", kind=ProductKind.SERVICE)
        [step] = [step for step in setup_steps(bakery) if step.key == "bookings"]
        assert (step.done, step.path) == (False, f"/reservas/servicios/{service.code}")
    with within(bakery):
        a_product("Peinado", kind=ProductKind.SERVICE, published=False)
        a_tour()
        assert [step.done for step in setup_steps(bakery) if step.key == "bookings"] == [False]


def test_the_list_of_products_says_what_a_service_lacks_and_leads_there(alicia, within, bakery) -> None:
    with within(bakery):
        a_product("Concha")
        lacking = a_product("Corte", kind=ProductKind.SERVICE).code
        tour = a_tour()
    page = alicia.get("/productos").text
    assert page.count("Falta su horario") == 1
    assert f'href="/reservas/servicios/{lacking}"' in page
    assert f'href="/reservas/servicios/{tour.product_code}"' not in page
    assert page.count("Se reserva") == 1
    with within(bakery):
        set_active(tour.resource_code, DIEGO, active=False)
    page = alicia.get("/productos").text
    assert "Reservas en pausa" in page
    assert f'href="/reservas/lugares/{tour.resource_code}"' in page
