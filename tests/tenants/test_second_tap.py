"""A second tap: whatever an owner makes with a form is made once, and the second answer is the first one's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from storefront.catalogue.models import Category, Product
from storefront.delivery.models import Zone
from storefront.kernel.db import db
from storefront.kernel.storage import storage
from storefront.kernel.tenancy import Shop
from storefront.reservations.models import Booking, Resource
from tenants.models import Invitation
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk, a_photo
from tests.factories.reservations import a_tour, in_days, local

Typed = Mapping[str, Any]

FORMS: dict[str, tuple[str, str, Any, Typed, Typed]] = {
    # the page, where its form is sent, what it makes, what is typed, and something else that may be typed
    "product": ("/productos/nuevo", "/productos/nuevo", Product, {"name": "Concha", "price": "18", "kind": "goods"},
                {"name": "Oreja"}),
    "category": ("/categorias", "/categorias", Category, {"name": "Pan dulce"}, {"name": "Salado"}),
    "zone": ("/entregas/zonas/nueva", "/entregas/zonas/nueva", Zone, {"name": "Centro", "price": "30", "active": "y"},
             {"name": "Norte"}),
    "place": ("/reservas/lugares/nuevo", "/reservas/lugares/nuevo", Resource, {"name": "Mesa", "capacity": "4"},
              {"name": "Terraza"}),
    "invitation": ("/equipo", "/equipo", Invitation, {"name": "Fina", "role": "clerk"}, {"name": "Gabi"}),
}  # fmt: skip


@pytest.fixture
def alicia(app, cast, client_at) -> Desk:
    return Desk(app, client_at("app"), cast.staff["alicia"])


@pytest.fixture
def count(within, bakery) -> Callable[[Any], int]:
    """How many of something the bakery has."""

    def many(model: Any) -> int:
        with within(bakery):
            return db.session.scalar(select(func.count()).select_from(model)) or 0

    return many


def key_on(page: str) -> dict[str, str]:
    """The key that a browser would send along from this page."""
    found = re.search(r'name="key"[^>]* value="([^"]+)"', page)
    assert found, page
    return {"key": found[1]}


def pictures_of(shop: Shop) -> set[str]:
    """The pictures whose files are kept for a shop."""
    return {key.rsplit("/", 1)[0] for key in storage().keys(f"{shop.id}/img/")}


@pytest.mark.parametrize("name", FORMS)
def test_the_same_form_sent_twice_makes_one_and_lands_where_the_first_did(alicia, count, name) -> None:
    page, action, model, typed, _other = FORMS[name]
    sent = typed | key_on(alicia.get(page).text)

    first, second = alicia.send(action, sent), alicia.send(action, sent)

    assert first.status_code in {200, 303}, first.text
    assert (second.status_code, second.location) == (first.status_code, first.location)
    assert count(model) == 1


@pytest.mark.parametrize("name", FORMS)
def test_two_forms_make_two_and_so_does_one_with_something_else_typed(alicia, count, name) -> None:
    page, action, model, typed, other = FORMS[name]
    sent = typed | key_on(alicia.get(page).text)
    alicia.send(action, sent)

    assert alicia.send(action, sent | other).status_code in {200, 303}
    assert count(model) == 2
    assert alicia.send(action, typed | {"name": "Otra"} | key_on(alicia.get(page).text)).status_code in {200, 303}
    assert count(model) == 3


def test_two_new_products_of_the_same_name_are_two_when_they_come_from_two_forms(alicia, count) -> None:
    for _time in range(2):
        alicia.send("/productos/nuevo", FORMS["product"][3] | key_on(alicia.get("/productos/nuevo").text))
    assert count(Product) == 2


def test_a_form_that_was_refused_can_be_corrected_and_sent_again(alicia, count) -> None:
    sent = FORMS["product"][3] | key_on(alicia.get("/productos/nuevo").text)

    refused = alicia.send("/productos/nuevo", sent | {"price": "barato"})

    assert refused.status_code == 422
    assert key_on(refused.text) == {"key": sent["key"]}
    assert count(Product) == 0
    assert alicia.send("/productos/nuevo", sent).status_code == 303
    assert count(Product) == 1


def test_ten_taps_at_once_make_one_product_and_keep_one_picture(app, cast, client_at, alicia, count, bakery) -> None:
    sent = FORMS["product"][3] | key_on(alicia.get("/productos/nuevo").text)
    desks = [Desk(app, client_at("app"), cast.staff["alicia"]) for _tap in range(10)]

    def tap(desk: Desk) -> int:
        return desk.send("/productos/nuevo", sent | {"photos": a_photo()}).status_code

    before = pictures_of(bakery)
    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(tap, desks))
    alicia.send("/productos/nuevo", sent | {"photos": a_photo()})

    assert answers <= {303, 422}  # whoever had to wait too long is told to try again
    assert count(Product) == 1
    assert len(pictures_of(bakery) - before) == 1


def test_the_second_tap_on_an_invitation_shows_the_same_link_and_it_works(alicia, client_at, within, bakery) -> None:
    sent = FORMS["invitation"][3] | key_on(alicia.get("/equipo").text)
    links = [re.findall(r"https://app\.portales\.test(/invitacion/[\w.-]+)", alicia.send("/equipo", sent).text)[0]
             for _tap in range(2)]  # fmt: skip

    assert links[0] == links[1]
    assert client_at("app").get(links[0]).status_code == 200
    with within(bakery):
        assert links[0].rpartition(".")[2] not in db.session.scalars(select(Invitation.token_hash)).all()


def test_a_second_tap_on_duplicate_leads_to_the_one_copy(alicia, count, within, bakery) -> None:
    with within(bakery):
        code = a_product("Concha").code
    sent = key_on(alicia.get(f"/productos/{code}").text)

    first, second = (alicia.send(f"/productos/{code}/duplicar", sent) for _tap in range(2))

    assert first.location == second.location
    assert count(Product) == 2
    alicia.send(f"/productos/{code}/duplicar", key_on(alicia.get(f"/productos/{code}").text))
    assert count(Product) == 3


def test_somebody_who_phones_is_booked_once_however_often_it_is_tapped(alicia, count, within, bakery) -> None:
    with within(bakery):
        tour = a_tour(5)
        day = in_days(2)
        at = local(day, 10).isoformat()
    path = f"/reservas/nueva?servicio={tour.product_code}&dia={day}"
    sent = {"starts_at": at, "quantity": "1", "name": "Rosa"} | key_on(alicia.get(path).text)

    first, second = alicia.send(path, sent), alicia.send(path, sent)

    assert first.status_code == 303, first.text
    assert first.location == second.location
    assert count(Booking) == 1
    alicia.send(path, sent | {"name": "Lucía"})
    assert count(Booking) == 2
