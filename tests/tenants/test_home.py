"""Today: one list, most urgent first, each row with its action; and the steps that open a shop, until they are done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from storefront.cart.actions import add_booking
from storefront.catalogue.models import ProductKind
from storefront.checkout.actions import place
from storefront.delivery.actions import note_failed_attempt, set_out
from storefront.delivery.contract_queries import who_carries
from storefront.delivery.offers import take
from storefront.delivery.routing import end_unanswered
from storefront.kernel import clock, jobs
from storefront.kernel.audit import SYSTEM, LogEntry
from storefront.kernel.cache import init_cache
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.actions import confirm_order
from storefront.orders.queries import order_by_id, order_by_token
from storefront.reservations.actions import move_booking
from storefront.reservations.models import Booking
from tenants.dashboard.todo import Urgency, setup_steps, tasks
from tenants.identity import Person
from tenants.models import Role
from tenants.settings import ShopFacts, change_facts
from tests.factories.catalogue import a_product
from tests.factories.delivery import a_contract, a_parcel, a_partner, a_rider, a_zone, the_offer
from tests.factories.orders import DORA, an_order, details_for
from tests.factories.orders import a_tour as an_hour
from tests.factories.reservations import a_booking, a_tour, in_days, local
from tests.tenants.conftest import post, sent_token

OWNER = Person("staff", 1, "Alicia", Role.OWNER)
CLERK = Person("staff", 2, "Beto", Role.CLERK)


@pytest.fixture(autouse=True)
def _forgetful(app: Flask) -> Iterator[None]:
    """What one test's shop had done is nothing to the next one's, which has the same number."""
    kept = app.extensions["portales.cache"]
    app.config["CACHE_URL"], url = None, app.config["CACHE_URL"]
    broker = app.config.pop("BROKER_URL", None)
    init_cache(app)
    yield
    app.config.update(CACHE_URL=url, BROKER_URL=broker)
    app.extensions["portales.cache"] = kept


def busy(within, shop) -> None:
    with within(shop):
        a_product("Bolillo", stock=2)
        bread = a_product("Concha", stock=50)
        an_order(bread)
        an_order(bread, confirmed=True)


def test_what_waits_is_one_list_most_urgent_first(client_at, within, bakery) -> None:
    busy(within, bakery)
    with within(bakery):
        found = tasks(OWNER, bakery)
    assert [task.urgency for task in found] == sorted(task.urgency for task in found)
    assert {Urgency.CONFIRM, Urgency.PREPARE, Urgency.STOCK} <= {task.urgency for task in found}
    page = client_at("app", as_="alicia").get("/hoy").text
    assert page.index("Confirmar y avisar") < page.index("Ya está listo") < page.index("Bolillo")


def test_whoever_is_expected_today_is_on_the_list(within, bakery) -> None:
    with within(bakery):
        booking = a_booking(a_tour())
        assert booking.during.lower is not None
        with time_machine.travel(booking.during.lower - timedelta(minutes=30), tick=False):
            found = [task for task in tasks(CLERK, bakery) if task.kind == "booking"]
        assert [task.item.code for task in found] == [booking.code]
        with time_machine.travel(booking.during.lower - timedelta(days=1), tick=False):
            assert not [task for task in tasks(CLERK, bakery) if task.kind == "booking"]


def test_a_reservation_is_listed_with_its_own_time_and_not_with_when_it_was_ordered(client_at, within, bakery) -> None:
    with within(bakery):
        tour = an_hour()
        cart = add_booking(None, tour.variant_code, local(in_days(), 10))
        order = order_by_token(place(cart.token, details_for(cart), "key", DORA).order_token)
    alicia = client_at("app", as_="alicia")
    for address in ("/hoy", "/pedidos"):
        assert "mañana, 10:00" in alicia.get(address).text
    with within(bakery):
        move_booking(db.session.scalars(select(Booking.code)).one(), local(in_days(), 12), SYSTEM)
        assert order_by_id(order.id).lines[0].starts_at == local(in_days(), 12)
    for address in ("/hoy", "/pedidos"):
        assert "mañana, 12:00" in alicia.get(address).text


def test_a_confirmed_reservation_asks_for_nothing_until_its_day_comes(within, bakery) -> None:
    with within(bakery):
        tour = an_hour()
        cart = add_booking(None, tour.variant_code, local(in_days(), 10))
        order = order_by_token(place(cart.token, details_for(cart), "key", DORA).order_token)
        assert [task.item.code for task in tasks(OWNER, bakery) if task.kind == "order"] == [order.code]
        confirm_order(order.id, SYSTEM)

        assert [task.kind for task in tasks(OWNER, bakery)] == []
        with time_machine.travel(local(in_days(), 8), tick=False):
            assert order.code in {getattr(task.item, "code", "") for task in tasks(OWNER, bakery)}


def test_one_tap_on_the_list_does_it(client_at, within, bakery) -> None:
    with within(bakery):
        order = an_order(a_product("Concha", stock=5))
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/hoy")
    action = re.search(rf'action="(/pedidos/{order.code}/confirmacion)"', page.text)
    assert action
    assert alicia.post(action[1], data={"csrf_token": sent_token(page)}).status_code == 303
    assert "Confirmar y avisar" not in alicia.get("/hoy").text


def test_a_clerk_sees_nothing_they_may_not_do(within, bakery) -> None:
    busy(within, bakery)
    with within(bakery):
        kinds = {task.kind for task in tasks(CLERK, bakery)}
    assert "stock" not in kinds
    assert "proof" not in kinds
    assert "order" in kinds


def test_the_list_costs_nine_statements_at_most(within, bakery, statements) -> None:
    busy(within, bakery)
    with within(bakery):
        tasks(OWNER, bakery)
        statements.clear()
        tasks(OWNER, bakery)
    assert len([s for s in statements if "set_scope" not in s]) <= 9


def test_a_parcel_that_no_courier_accepted_yet_says_so_once_and_is_no_first_act(client_at, bakery) -> None:
    a_partner()
    a_contract(bakery)
    parcel = a_parcel(bakery)
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/hoy").text
    assert "Buscando repartidor: le preguntamos a Bicis Oaxaca" in page
    assert "Entregar al repartidor" not in page
    assert page.count("Dora Canseco") == 1
    with acting_for(bakery):
        assert [task.urgency for task in tasks(OWNER, bakery) if task.kind == "order"] == [Urgency.WAITING]
        code = order_by_id(parcel.order_id).code
    for address in ("/pedidos", f"/pedidos/{code}"):
        there = alicia.get(address).text
        assert "Buscando repartidor" in there
        assert "Entregar al repartidor" not in there


def test_a_parcel_that_nobody_took_is_listed_once_with_what_the_owner_can_do(client_at, bakery) -> None:
    a_partner()
    a_contract(bakery)
    parcel = a_parcel(bakery)
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False), acting_for(bakery):
        end_unanswered()
        jobs.drain()
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/hoy").text
    assert page.count("Dora Canseco") == 1
    assert "con problema" not in page
    assert "Más pedidos por entregar" not in page
    assert "Elegir otra" in page
    assert "Trabajar con otra empresa" in alicia.get(f"/entregas/{parcel.code}").text
    post(alicia, f"/entregas/{parcel.code}/propia", page="/hoy")
    assert parcel.now().own_courier
    assert "Ya salió a entregarse" in alicia.get("/hoy").text


def test_handing_over_to_the_courier_is_asked_for_once_one_has_accepted(client_at, bakery) -> None:
    firm = a_partner()
    a_contract(bakery)
    parcel = a_parcel(bakery)
    rider = a_rider(firm)
    with acting_for(bakery, firm):
        take(the_offer(parcel, firm).ref, rider, SYSTEM)
    page = client_at("app", as_="alicia").get("/hoy").text
    assert page.count("Entregar al repartidor") == 1
    assert "Efraín viene por el paquete" in page


def test_an_attempt_that_failed_is_listed_once(client_at, bakery) -> None:
    parcel = a_parcel(bakery)
    with acting_for(bakery):
        set_out(parcel.code, SYSTEM)
        note_failed_attempt(parcel.code, "consignee_not_home", SYSTEM)
        jobs.drain()
    page = client_at("app", as_="alicia").get("/hoy").text
    assert page.count("Dora Canseco") == 1
    assert "No se pudo entregar" in page
    assert "con problema" not in page


def test_nothing_of_another_shop_is_on_the_list(within, bakery, crafts) -> None:
    busy(within, bakery)
    with within(crafts):
        assert tasks(OWNER, crafts) == []


def test_the_steps_follow_from_what_is_there(within, bakery) -> None:
    with within(bakery):
        assert {step.key: step.done for step in setup_steps(bakery)} == {
            "photo": False, "price": False, "pay": True, "reach": True, "hours": False, "publish": True, "share": False,
            "tags": False,
        }  # fmt: skip
        a_product("Concha")
        change_facts(ShopFacts(bakery.name, "", "", "", "Calle 1", "De 7 a 14"), SYSTEM)
    after = directory().by_id(bakery.id)
    assert after is not None
    with within(bakery):
        assert {step.key for step in setup_steps(after) if not step.done} == {"photo", "share", "tags"}


def test_steps_that_are_all_done_disappear(client_at, within, bakery, monkeypatch) -> None:
    from tenants.dashboard import todo

    monkeypatch.setattr(todo, "_facts", lambda _shop: (True, True, True, True))
    with within(bakery):
        change_facts(ShopFacts(bakery.name, "", "", "", "Calle 1", "De 7 a 14"), SYSTEM)
    assert "paso a paso" not in client_at("app", as_="alicia").get("/hoy").text
    monkeypatch.setattr(todo, "_facts", lambda _shop: (_ for _ in ()).throw(AssertionError("asked again")))
    assert "Todo al día" in client_at("app", as_="alicia").get("/hoy").text


def test_the_first_five_ways_are_the_thumbs(client_at) -> None:
    page = client_at("app", as_="alicia").get("/hoy").text
    bar = page[page.index('class="tab-bar"') :]
    order = [bar.index(word) for word in ("Hoy", "Pedidos", "Productos", "Más")]
    assert order == sorted(order)
    assert "Ajustes" not in bar


def test_on_a_wide_screen_everything_is_beside_the_wall_and_more_is_not_needed(client_at) -> None:
    page = client_at("app", as_="beto").get("/hoy").text
    wall = page[page.index('class="side-nav"') :].partition("</nav>")[0]
    assert 'href="/mas"' not in wall
    for there in ("/hoy", "/pedidos", "/entregas", "/compartir", "/mi-cuenta"):
        assert f'href="{there}"' in wall
    more = client_at("app", as_="beto").get("/mas").text
    assert 'href="/compartir"' in more
    assert 'href="/mi-cuenta"' in more


def test_a_clerks_menu_holds_only_what_a_clerk_may_open(client_at) -> None:
    page = client_at("app", as_="beto").get("/mas").text
    assert "Entregas" in page
    assert "Equipo" not in page
    assert "Ajustes" not in page


def test_a_service_added_to_an_open_shop_is_named_although_all_steps_were_done(
    client_at, within, bakery, monkeypatch
) -> None:
    from tenants.dashboard import todo

    monkeypatch.setattr(todo, "_facts", lambda _shop: (True, True, True, True))
    with within(bakery):
        change_facts(ShopFacts(bakery.name, "", "", "", "Calle 1", "De 7 a 14"), SYSTEM)
    alicia = client_at("app", as_="alicia")
    assert "Todo al día" in alicia.get("/hoy").text
    with within(bakery):
        a_product("Corte", kind=ProductKind.SERVICE)
    page = alicia.get("/hoy").text
    assert "Di cuándo se puede reservar tu servicio" in page
    assert "paso a paso" not in page


def test_a_shop_that_delivers_is_asked_who_carries_until_it_works_with_a_firm_or_says_that_it_does(
    client_at, within, bakery
) -> None:
    def step() -> list[bool]:
        with within(bakery):
            return [step.done for step in setup_steps(bakery) if step.key == "carrier"]

    assert step() == []
    a_zone(bakery)
    a_partner()
    assert step() == [False]
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/hoy").text
    assert "Di quién lleva tus entregas" in page
    assert 'href="/entregas/repartidores"' in page
    a_contract(bakery)
    assert step() == [True]
    a_contract(bakery, active=False)
    assert step() == [False]
    assert post(alicia, "/entregas/por-mi-cuenta", page="/entregas/repartidores").status_code == 303
    assert step() == [True]
    assert "Tus entregas las llevas tú" in alicia.get("/entregas/repartidores").text


def test_saying_twice_that_one_carries_oneself_is_noted_once(client_at, within, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    for _time in range(2):
        post(alicia, "/entregas/por-mi-cuenta", page="/entregas/repartidores")
    with within(bakery):
        said = select(func.count()).select_from(LogEntry).where(LogEntry.verb == "own_courier")
        assert db.session.scalar(said) == 1


def test_a_clerk_does_not_decide_who_carries(client_at, within, bakery) -> None:
    beto = client_at("app", as_="beto")
    assert post(beto, "/entregas/por-mi-cuenta", page="/mas").status_code == 403
    with within(bakery):
        assert not who_carries().by_itself


def test_tags_are_a_step_that_nobody_has_to_take(client_at, within, bakery, monkeypatch) -> None:
    from tenants.dashboard import todo

    with within(bakery):
        a_product("Concha")
    page = client_at("app", as_="alicia").get("/hoy").text
    assert "Si quieres: " in page
    assert "Ponle etiquetas a tus productos" in page
    monkeypatch.setattr(todo, "_facts", lambda _shop: (True, True, True, True))
    with within(bakery):
        change_facts(ShopFacts(bakery.name, "", "", "", "Calle 1", "De 7 a 14"), SYSTEM)
    assert "Ponle etiquetas" not in client_at("app", as_="alicia").get("/hoy").text
    with within(bakery):
        a_product("Oreja", tags=["dulce"])
        assert [step.done for step in [todo._tags_step(bakery)]] == [True]
