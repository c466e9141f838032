"""The desk: who comes today, what is free, booking somebody who phones, moving, cancelling, and setting it all up."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.mail import MailMessage
from storefront.orders.actions import confirm_order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.reservations import setup
from storefront.reservations.actions import cancel_bookings, extend_bookings, mark
from storefront.reservations.availability import free_slots, free_stay
from storefront.reservations.invariants import invariants
from storefront.reservations.models import BookableService, Booking, BookingState, Closure, Resource, Unit
from storefront.reservations.queries import booking_by_code, needed_service, resource_by_code, resources, service_for
from storefront.reservations.setup import (
    BadCapacity,
    BadHours,
    BadTimes,
    OverlappingStays,
    PlacesTaken,
    ServiceSettings,
    change_resource,
    close_day,
    create_resource,
    make_bookable,
)
from tests.factories.catalogue import a_product
from tests.factories.reservations import DIEGO, DORA, a_booking, a_hold, a_room, a_tour, daily, in_days, local

MARCH = datetime(2026, 3, 10, 13, 5, tzinfo=UTC)  # a Tuesday, 10:05 in Valparaíso


@pytest.fixture(autouse=True)
def _spring():
    with time_machine.travel(MARCH, tick=False):
        yield


@pytest.fixture
def house(inn, within):
    """Make things inside the guest house: `house(a_tour, 3)`."""

    def make(what, *args, **kwargs):
        with within(inn):
            made = what(*args, **kwargs)
            db.session.rollback()
            return made

    make.shop = inn
    return make


@pytest.fixture
def desk(house, client_at):
    """Diego at the dashboard of his guest house."""
    return client_at("app", as_="diego")


def token_of(client, path="/reservas"):
    page = client.get(path).text
    mark_ = 'name="csrf_token" value="'
    if mark_ not in page:
        page = client.get("/reservas/lugares/nuevo").text
    return page[page.index(mark_) + len(mark_) :].split('"')[0]


def send(client, path, **data):
    return client.post(path, data={"csrf_token": token_of(client), **data})


def state_of(house, code):
    return house(booking_by_code, code).state


# --- the day ------------------------------------------------------------------------------------------------------


def test_the_day_shows_who_comes_when_with_their_next_step_and_what_is_still_free(house, desk):
    tour = house(a_tour, 3)
    house(lambda: [a_booking(tour, local(in_days(0), 10)), a_booking(tour, local(in_days(0), 16), quantity=2)])
    house(lambda: a_hold(tour, local(in_days(0), 17)))

    page = desk.get("/reservas").text

    assert "Dora Canseco" in page
    assert page.index("10:00–11:00") < page.index("16:00–17:00")
    assert page.count("Ya llegó</span>") == 2
    assert page.count("No llegó</span>") == 1  # only who should be here by now can have stayed away
    assert "apartado hasta las 10:20" in page
    assert "En un carrito" in page
    assert "11:00 · 3" in page
    assert "Hoy, martes 10" in page


def test_days_before_and_after_are_one_tap_away_and_nonsense_is_today(house, desk):
    house(a_tour)

    assert "dia=2026-03-11" in desk.get("/reservas").text
    assert "Volver a hoy" in desk.get("/reservas?dia=2026-03-12").text
    for day in ("ayer", "0001-01-01", "99999-01-01", ""):
        assert "Hoy, martes 10" in desk.get(f"/reservas?dia={day}").text


def test_guests_who_arrive_stay_and_leave_are_told_apart(house, desk):
    room = house(a_room, 3)
    house(lambda: a_booking(room, local(in_days(0), 15), nights=2))

    assert "Llega hoy · 2 noches" in desk.get("/reservas").text
    assert "Se queda hasta el jueves 12" in desk.get("/reservas?dia=2026-03-11").text
    assert "Sale antes de las 12:00" in desk.get("/reservas?dia=2026-03-12").text
    assert "Dora" not in desk.get("/reservas?dia=2026-03-13").text


def test_the_day_takes_the_same_statements_for_one_booking_and_for_many(house, desk, statements):
    tour = house(a_tour, 30)
    house(lambda: a_booking(tour, local(in_days(), 9)))
    desk.get("/reservas?dia=2026-03-11")
    statements.clear()
    desk.get("/reservas?dia=2026-03-11")
    before = len(statements)
    house(lambda: [a_booking(tour, local(in_days(), 9 + n % 9)) for n in range(25)] + [a_tour(2) for _ in range(4)])
    statements.clear()

    desk.get("/reservas?dia=2026-03-11")

    assert len(statements) == before


def test_a_new_house_is_led_to_set_itself_up(house, desk):
    assert "/reservas/lugares/nuevo" in desk.get("/reservas").text
    assert "/reservas/lugares" in desk.get("/reservas/nueva").text
    house(create_resource, "Patio", 4, daily(), DIEGO)
    assert "Elegir un servicio" in desk.get("/reservas").text


# --- what became of it --------------------------------------------------------------------------------------------


def test_one_tap_says_that_they_came_and_another_takes_it_back(house, desk):
    tour = house(a_tour)
    code = house(a_booking, tour, house(lambda: local(in_days(0), 10))).code

    assert send(desk, f"/reservas/{code}/estado", state="arrived").status_code == 303
    assert state_of(house, code) is BookingState.ARRIVED
    assert "Deshacer" in desk.get("/reservas").text
    assert send(desk, f"/reservas/{code}/deshacer").status_code == 303
    assert state_of(house, code) is BookingState.CONFIRMED
    send(desk, f"/reservas/{code}/estado", state="no_show")
    assert state_of(house, code) is BookingState.NO_SHOW


@pytest.mark.parametrize("state", ["cancelled", "confirmed", "held", "", "x"])
def test_a_mark_that_does_not_exist_changes_nothing(house, desk, state):
    tour = house(a_tour)
    code = house(a_booking, tour, house(lambda: local(in_days(0), 10))).code

    assert send(desk, f"/reservas/{code}/estado", state=state).status_code == 404
    assert state_of(house, code) is BookingState.CONFIRMED


# --- booking somebody ---------------------------------------------------------------------------------------------


def test_somebody_who_phones_is_booked_with_a_name_and_a_tap(house, desk):
    tour = house(a_tour, 3)
    form = desk.get("/reservas/nueva?dia=2026-03-11").text
    assert 'name="starts_at" value="2026-03-11T09:00-03:00"' in form

    answer = send(
        desk, f"/reservas/nueva?servicio={tour.product_code}&dia=2026-03-11",
        starts_at="2026-03-11T09:00-03:00", quantity="2", name="Rosa Fuentes", phone="9 8765 4321", note="Ventana",
    )  # fmt: skip

    assert answer.location.endswith("/reservas?dia=2026-03-11")
    page = desk.get("/reservas?dia=2026-03-11").text
    assert "Rosa Fuentes" in page
    assert "2 lugares" in page
    assert house(lambda: db.session.scalar(select(Booking.contact_phone))) == "+56987654321"
    assert house(invariants) == []


def test_when_the_time_is_gone_what_was_typed_stays_and_the_nearest_are_named(house, desk):
    tour = house(a_tour, 1)
    house(lambda: a_booking(tour, local(in_days(), 10)))

    answer = send(
        desk, f"/reservas/nueva?servicio={tour.product_code}&dia=2026-03-11",
        starts_at="2026-03-11T10:00-03:00", quantity="1", name="Rosa Fuentes",
    )  # fmt: skip

    assert answer.status_code == 409
    assert 'value="Rosa Fuentes"' in answer.text
    assert "miércoles 11 de marzo, 09:00" in answer.text
    assert house(lambda: db.session.scalar(select(func.count()).select_from(Booking))) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("starts_at", ""), ("starts_at", "pronto"), ("starts_at", "2026-03-11T03:00-03:00"),
     ("quantity", "9"), ("quantity", "-1"), ("phone", "123"), ("starts_at", "0001-01-01T00:00+14:00")],
)  # fmt: skip
def test_a_form_that_cannot_be_used_books_nobody(house, desk, field, value):
    tour = house(a_tour, 3)
    typed = {"starts_at": "2026-03-11T09:00-03:00", "quantity": "1", "name": "Rosa", field: value}

    answer = send(desk, f"/reservas/nueva?servicio={tour.product_code}&dia=2026-03-11", **typed)

    assert answer.status_code == 422
    assert house(lambda: db.session.scalar(select(func.count()).select_from(Booking))) == 0


def test_a_guest_at_the_door_gets_a_room_for_so_many_nights(house, desk):
    room = house(a_room, 2)
    page = desk.get(f"/reservas/nueva?servicio={room.product_code}&noches=3").text
    assert "Quedan 2 libres" in page

    answer = send(
        desk, f"/reservas/nueva?servicio={room.product_code}&dia=2026-03-10&noches=3",
        starts_at="2026-03-10T15:00-03:00", quantity="1", name="Rosa",
    )  # fmt: skip

    assert answer.status_code == 303
    assert house(lambda: free_stay(room.product_id, in_days(2), 1)).free == 1
    assert house(lambda: free_stay(room.product_id, in_days(3), 1)).free == 2


# --- moving and cancelling ----------------------------------------------------------------------------------------


def test_a_reservation_moves_to_another_day_and_says_so(house, desk):
    tour = house(a_tour, 1)
    code = house(a_booking, tour).code
    assert 'value="2026-03-12T12:00-03:00"' in desk.get(f"/reservas/{code}/cambio?dia=2026-03-12").text

    answer = send(desk, f"/reservas/{code}/cambio?dia=2026-03-12", starts_at="2026-03-12T12:00-03:00")

    assert answer.location.endswith(f"/reservas/{code}")
    assert house(booking_by_code, code).starts_at == house(lambda: local(in_days(2), 12))
    assert "jueves 12 de marzo, 12:00–13:00" in desk.get(f"/reservas/{code}").text


def test_a_move_to_a_full_time_stays_on_the_page_and_changes_nothing(house, desk):
    tour = house(a_tour, 1)
    code = house(a_booking, tour).code
    house(lambda: a_booking(tour, local(in_days(2), 12)))

    answer = send(desk, f"/reservas/{code}/cambio?dia=2026-03-12", starts_at="2026-03-12T12:00-03:00")

    assert answer.status_code == 409
    assert "Lo más cercano" in answer.text
    assert house(booking_by_code, code).starts_at == house(lambda: local(in_days(), 10))


def test_a_stay_moves_with_another_number_of_nights(house, desk):
    room = house(a_room, 1)
    code = house(lambda: a_booking(room, local(in_days(1), 15), nights=2)).code

    answer = send(
        desk, f"/reservas/{code}/cambio?dia=2026-03-12&noches=3", starts_at="2026-03-12T15:00-03:00", nights="3"
    )

    assert answer.status_code == 303
    assert house(booking_by_code, code).nights == 3


def test_cancelling_asks_why_first_and_then_frees_the_place(house, desk):
    tour = house(a_tour, 1)
    code = house(a_booking, tour).code
    assert "El lugar queda libre" in desk.get(f"/reservas/{code}/cancelacion").text

    assert send(desk, f"/reservas/{code}/cancelacion").status_code == 422
    assert state_of(house, code) is BookingState.CONFIRMED
    assert send(desk, f"/reservas/{code}/cancelacion", why="weather").status_code == 303

    assert state_of(house, code) is BookingState.CANCELLED
    assert house(lambda: free_slots(tour.product_id, in_days())[1].free) == 1


def an_order(service, booking, extra=0):
    def line(at):
        return NewLine(
            ProductKind.SERVICE, service.product_id, 1, "Paseo", "", "", 1, 15_000,
            booking_id=booking.id if at == 0 else None, starts_at=booking.starts_at if at == 0 else None,
            ends_at=booking.ends_at if at == 0 else None,
        )  # fmt: skip

    lines = [line(at) for at in range(1 + extra)]
    order = place_order(
        NewOrder("una", lines, "pay_at_shop", FulfilmentMethod.NONE, "Dora", "+56912345678", "d@example.com"), DIEGO
    )
    return confirm_order(order.id, DIEGO)


def test_what_is_all_of_an_order_is_cancelled_as_an_order_so_that_its_money_follows(house, desk):
    tour = house(a_tour, 1)
    booking = house(a_hold, tour)
    order = house(an_order, tour, booking)
    assert "por cobrar" in desk.get("/reservas?dia=2026-03-11").text

    for answer in (
        desk.get(f"/reservas/{booking.code}/cancelacion"),
        send(desk, f"/reservas/{booking.code}/cancelacion", why="weather"),
    ):
        assert answer.location.endswith(f"/pedidos/{order.code}/cancelacion")
    assert state_of(house, booking.code) is BookingState.CONFIRMED


def test_a_customer_who_left_an_address_reads_of_the_other_time_once(house, desk, drain):
    tour = house(a_tour, 1)
    booking = house(a_hold, tour)
    house(an_order, tour, booking)
    drain(house.shop)

    send(desk, f"/reservas/{booking.code}/cambio?dia=2026-03-12", starts_at="2026-03-12T12:00-03:00")
    drain(house.shop)

    letters = house(lambda: db.session.execute(select(MailMessage.once, MailMessage.body_text)).all())
    moved = [letter.body_text for letter in letters if letter.once.startswith("booking-moved")]
    assert len(moved) == 1
    assert "jueves 12 de marzo, 12:00" in moved[0]


def test_what_is_a_part_of_an_order_can_be_cancelled_alone(house, desk):
    tour = house(a_tour, 1)
    booking = house(a_hold, tour)
    order = house(an_order, tour, booking, 1)

    assert f"El resto del pedido {order.code} sigue igual" in desk.get(f"/reservas/{booking.code}/cancelacion").text
    assert send(desk, f"/reservas/{booking.code}/cancelacion", why="weather").status_code == 303
    assert state_of(house, booking.code) is BookingState.CANCELLED


def test_every_state_of_a_reservation_has_its_page(house, desk):
    tour = house(a_tour, 9)

    def one_of_each():
        at = local(in_days(0), 10)
        codes = [a_hold(tour).code, a_booking(tour).code]
        held = a_hold(tour)
        extend_bookings([held.id], until=clock.now() + timedelta(days=1), order_id=None, contact=DORA)
        cancelled = a_booking(tour)
        cancel_bookings([cancelled.id], DIEGO, "")
        for state in (BookingState.ARRIVED, BookingState.NO_SHOW, BookingState.DONE):
            codes.append(a_booking(tour, at).code)
            mark(codes[-1], state, DIEGO)
        return [*codes, held.code, cancelled.code]

    for code in house(one_of_each):
        assert desk.get(f"/reservas/{code}").status_code == 200
    assert desk.get("/reservas").status_code == 200


# --- setting up ---------------------------------------------------------------------------------------------------

HOURS = {
    "open_days": ["mon", "fri"], "usual-opens": "10:00", "usual-closes": "13:00",
    "fri-opens": "10:00", "fri-closes": "13:00", "fri-opens_again": "20:00", "fri-closes_again": "02:00",
}  # fmt: skip


def test_a_place_its_hours_and_a_service_in_it_are_set_up_without_any_script(house, desk):
    product = house(lambda: a_product("Clase de cerámica", kind=ProductKind.SERVICE))

    assert send(desk, "/reservas/lugares/nuevo", name="Taller", capacity="6", **HOURS).status_code == 303
    (place,) = house(resources)
    assert place.hours["fri"] == [["10:00", "13:00"], ["20:00", "02:00"]]
    assert place.hours["sun"] == []
    answer = send(
        desk, f"/reservas/servicios/{product.code}",
        place=place.code, unit="time", duration="90", step="30", notice="2", horizon="30",
    )  # fmt: skip

    assert answer.status_code == 303
    service = house(needed_service, product.id)
    assert (service.capacity, service.duration_min, service.step_min, service.min_notice_min, service.horizon_days) == (
        6, 90, 30, 120, 30,
    )  # fmt: skip
    starts = house(lambda: [s.starts_at for s in free_slots(product.id, in_days(3))])
    assert len(starts) == 4 + 10
    assert "Se reserva en: Taller" in desk.get("/reservas/lugares").text
    form = desk.get(f"/reservas/lugares/{place.code}").text
    assert 'value="20:00"' in form
    assert 'value="90"' in desk.get(f"/reservas/servicios/{product.code}").text


def test_another_name_leaves_hours_alone_that_the_form_has_no_room_for(house, desk):
    tours = [("09:00", "10:00"), ("11:00", "12:00"), ("15:00", "16:00")]
    place = house(lambda: setup.create_resource("Paseo", 6, {"mon": tours, "sat": tours[:1]}, DIEGO))
    usual = {"usual-opens": "09:00", "usual-closes": "10:00"}
    more = {"mon-opens_again": "11:00", "mon-closes_again": "12:00"}
    monday = {"mon-opens": "09:00", "mon-closes": "10:00", **more}

    def saved(**typed):
        answer = send(desk, f"/reservas/lugares/{place.code}", name="Tour", capacity="6", **usual, **typed)
        assert answer.status_code == 303
        return house(resources)[0].hours["mon"]

    assert saved(open_days=["mon", "sat"], **monday) == [list(pair) for pair in tours]
    assert saved(open_days=["mon", "sat"], **{**monday, "mon-closes": "10:30"}) == [
        ["09:00", "10:30"],
        ["11:00", "12:00"],
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"capacity": "0"}, {"capacity": "501"}, {"capacity": "muchos"}, {"usual-opens": ""},
     {"usual-closes": "10:00"}, {"fri-closes": ""}, {"usual-opens": "25:00"}, {"fri-opens_again": "02:00"},
     {"usual-opens_again": "15:00"}, {"open_days": ["mon"]}, {"open_days": ["mon", "friday"]},
     {"usual-opens": "", "usual-closes": ""}],
)  # fmt: skip
def test_a_place_that_makes_no_sense_is_refused_with_what_was_typed(house, desk, wrong):
    answer = send(desk, "/reservas/lugares/nuevo", **{"name": "Taller", "capacity": "6", **HOURS, **wrong})

    assert answer.status_code == 422
    assert 'value="13:00"' in answer.text
    assert house(lambda: db.session.scalar(select(func.count()).select_from(Resource))) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"place": "ZZZZZZZZ"}, {"unit": "year"}, {"duration": "1"}, {"notice": "-1"}, {"horizon": "0"},
     {"horizon": "9999"}, {"unit": "night", "check_in": "10:00", "check_out": "12:00"}],
)  # fmt: skip
def test_a_service_that_makes_no_sense_stays_unreservable(house, desk, wrong):
    place = house(lambda: create_resource("Taller", 3, daily(), DIEGO))
    product = house(lambda: a_product("Clase", kind=ProductKind.SERVICE))
    right = {"place": place.code, "unit": "time", "duration": "60", "step": "60", "notice": "1", "horizon": "30"}

    assert send(desk, f"/reservas/servicios/{product.code}", **{**right, **wrong}).status_code == 422
    assert house(lambda: db.session.scalar(select(func.count()).select_from(BookableService))) == 0


def test_a_day_is_closed_and_opened_again_with_one_tap_each(house, desk):
    tour = house(a_tour)
    path = f"/reservas/lugares/{tour.resource_code}"

    assert send(desk, f"{path}/cierres", day="2026-03-11", reason="Fiesta").status_code == 303
    assert house(lambda: free_slots(tour.product_id, in_days())) == []
    assert "Fiesta" in desk.get("/reservas?dia=2026-03-11").text
    assert send(desk, f"{path}/cierres/quitar", dia="2026-03-11").status_code == 303
    assert house(lambda: free_slots(tour.product_id, in_days()))
    for day in ("2026-03-09", "", "pronto"):
        assert send(desk, f"{path}/cierres", day=day).status_code == 422
    assert house(lambda: db.session.scalar(select(func.count()).select_from(Closure))) == 0


def test_a_place_can_rest_its_feed_can_be_renewed_and_a_service_can_stop(house, desk):
    tour = house(a_tour)
    path = f"/reservas/lugares/{tour.resource_code}"
    feed = house(resource_by_code, tour.resource_code).feed_token

    send(desk, f"{path}/pausa", active="0")
    assert not house(resource_by_code, tour.resource_code).active
    send(desk, f"{path}/pausa", active="1")
    send(desk, f"{path}/enlace")
    assert house(resource_by_code, tour.resource_code).feed_token != feed
    send(desk, f"/reservas/servicios/{tour.product_code}/quitar")
    assert house(service_for, tour.product_id) is None


def test_fewer_places_than_are_taken_are_refused_but_people_move_up_when_they_fit(house):
    tour = house(a_tour, 3)

    def fill_and_empty():
        first, second = a_booking(tour), a_booking(tour)
        third = a_booking(tour, local(in_days(2), 10), quantity=3)
        with pytest.raises(PlacesTaken):
            change_resource(tour.resource_code, name="X", capacity=2, hours=daily(), by=DIEGO)
        cancel_bookings([first.id, third.id], DIEGO, "")
        a_booking(tour, local(in_days(2), 10), quantity=1)
        change_resource(tour.resource_code, name="Menor", capacity=1, hours=daily(), by=DIEGO)
        return second

    house(fill_and_empty)

    assert house(resource_by_code, tour.resource_code).capacity == 1
    assert house(lambda: [s.free for s in free_slots(tour.product_id, in_days())])[:3] == [1, 0, 1]
    assert house(invariants) == []


def test_set_up_refuses_what_cannot_be_and_what_is_somebody_elses(house, bakery, within):
    tour = house(a_tour)
    crowded = ServiceSettings(Unit.NIGHT, check_in=time(11), check_out=time(12))

    def refuse_all():
        for capacity in (0, 501):
            with pytest.raises(BadCapacity):
                create_resource("X", capacity, daily(), DIEGO)
        for hours in ({"mon": [("nine", "ten")]}, {"mon": [("09:00", "09:00")]}):
            with pytest.raises(BadHours):
                create_resource("X", 1, hours, DIEGO)
        with pytest.raises(BadTimes):
            make_bookable(tour.product_id, tour.resource_id, ServiceSettings(Unit.TIME, duration_min=0), DIEGO)
        with pytest.raises(OverlappingStays):
            make_bookable(tour.product_id, tour.resource_id, crowded, DIEGO)
        goods = a_product("Pan")
        with pytest.raises(NotFound):
            make_bookable(goods.id, tour.resource_id, ServiceSettings(Unit.TIME), DIEGO)

    house(refuse_all)
    with within(bakery):
        own = a_product("Clase", kind=ProductKind.SERVICE)
        for act in (
            lambda: make_bookable(own.id, tour.resource_id, ServiceSettings(Unit.TIME), DIEGO),
            lambda: make_bookable(tour.product_id, tour.resource_id, ServiceSettings(Unit.TIME), DIEGO),
            lambda: close_day(tour.resource_code, in_days(), "", DIEGO),
            lambda: change_resource(tour.resource_code, name="X", capacity=1, hours=daily(), by=DIEGO),
        ):
            with pytest.raises(NotFound):
                act()


# --- who may ------------------------------------------------------------------------------------------------------

PAGES = ("", "/cambio", "/cancelacion")
POSTS = ("/estado", "/deshacer", "/cambio", "/cancelacion")


def test_staff_of_another_shop_finds_none_of_it(house, client_at):
    tour = house(a_tour)
    code = house(a_booking, tour).code
    carla = client_at("app", as_="carla")

    assert "Dora" not in carla.get("/reservas?dia=2026-03-11").text
    for end in PAGES:
        assert carla.get(f"/reservas/{code}{end}").status_code == 404
    for end in POSTS:
        data = {"state": "arrived", "starts_at": "2026-03-12T10:00-03:00", "why": "other"}
        assert send(carla, f"/reservas/{code}{end}", **data).status_code == 404
    for path in (f"/reservas/lugares/{tour.resource_code}", f"/reservas/servicios/{tour.product_code}"):
        assert carla.get(path).status_code == 404
    for end in ("", "/pausa", "/enlace", "/cierres", "/cierres/quitar"):
        data = {"day": "2026-03-12", "dia": "2026-03-12", "name": "X", "capacity": "1"}
        assert send(carla, f"/reservas/lugares/{tour.resource_code}{end}", **data).status_code == 404
    data = {"starts_at": "2026-03-12T10:00-03:00", "name": "X", "quantity": "1"}
    assert send(carla, f"/reservas/nueva?servicio={tour.product_code}", **data).status_code == 404
    assert house(booking_by_code, code).state is BookingState.CONFIRMED
    assert house(lambda: db.session.scalar(select(func.count()).select_from(Booking))) == 1


def test_a_clerk_books_people_and_closes_days_but_does_not_set_up(bakery, within, client_at):
    with within(bakery):
        tour = a_tour(3)
        db.session.rollback()
    beto = client_at("app", as_="beto")

    assert beto.get("/reservas").status_code == 200
    assert beto.get("/reservas/nueva").status_code == 200
    assert beto.get(f"/reservas/lugares/{tour.resource_code}").status_code == 200
    for path in ("/reservas/lugares/nuevo", f"/reservas/servicios/{tour.product_code}"):
        assert beto.get(path).status_code == 403


def test_nobody_sees_reservations_without_logging_in(house, client_at):
    for path in ("/reservas", "/reservas/nueva", "/reservas/lugares"):
        assert client_at("app").get(path).location.endswith("/entrar")
