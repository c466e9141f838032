"""What customers see: free, few, full and closed; the price for their dates; always the same handful of statements."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.kernel.db import db
from storefront.orders.actions import cancel_order, confirm_order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.reservations.actions import move_booking
from storefront.reservations.ics import Appointment, calendar_file
from storefront.reservations.models import Booking
from storefront.reservations.picker import value_of
from storefront.reservations.queries import resource_by_code
from storefront.reservations.setup import close_day, renew_feed, stop_booking
from tests.factories.reservations import DIEGO, a_booking, a_hold, a_room, a_tour, daily, in_days, local

MARCH = datetime(2026, 3, 10, 13, tzinfo=UTC)  # a Tuesday, 10:00 in Valparaíso


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


def bookings_count(within, shop):
    with within(shop):
        return db.session.scalar(select(func.count()).select_from(Booking))


def cents(text):
    return text.replace("\xa0", " ")


# --- hours --------------------------------------------------------------------------------------------------------


def test_the_picker_opens_on_the_first_free_day_and_posts_a_time_with_its_offset(house, client_at):
    tour = house(a_tour, 3, min_notice_min=24 * 60)

    page = client_at(house.shop).get(f"/p/{tour.slug}").text

    assert 'action="/carrito/reservas"' in page
    assert f'name="variant" value="{tour.variant_code}"' in page
    assert 'name="starts_at" value="2026-03-11T10:00-03:00"' in page
    assert "miércoles 11 de marzo" in page
    assert 'value="2026-03-10' not in page


def test_full_slots_are_shown_as_taken_and_few_places_are_counted(house, client_at):
    tour = house(a_tour, 3)
    day = house(in_days)
    house(lambda: [a_booking(tour, local(day, 10), quantity=3), a_booking(tour, local(day, 11), quantity=2)])

    page = client_at(house.shop).get(f"/p/{tour.slug}?dia={day}").text

    ten = page[page.index('value="2026-03-11T10:00-03:00"') :].split("</label>")[0]
    eleven = page[page.index('value="2026-03-11T11:00-03:00"') :].split("</label>")[0]
    assert "disabled" in ten
    assert "ocupado" in ten
    assert "queda 1" in eleven


def test_a_full_fortnight_leads_to_the_next_free_day(house, client_at):
    tour = house(a_tour, 1, hours=daily(("11:00", "12:00")))
    house(lambda: [a_booking(tour, local(in_days(n), 11)) for n in range(15)])

    page = client_at(house.shop).get(f"/p/{tour.slug}").text

    assert "Ir al próximo día libre: miércoles 25 de marzo" in page
    assert "?dia=2026-03-25#reservar" in page


def test_a_service_that_cannot_be_reserved_now_says_whom_to_write_to(house, client_at):
    tour = house(a_tour)
    house(stop_booking, tour.product_id, DIEGO)

    page = client_at(house.shop).get(f"/p/{tour.slug}").text

    assert "Reservar por WhatsApp" in page
    assert "/carrito/reservas" not in page


@pytest.mark.parametrize(
    "query",
    ["dia=ayer", "dia=2020-01-01", "dia=9999-12-31", "cerca=x", "lugares=-4", "mes=2026-99", "llegada=0", "hora="],
)
def test_nonsense_in_the_address_counts_as_not_asked(house, client_at, query):
    services = [house(a_tour), house(a_room)]

    for service in services:
        assert client_at(house.shop).get(f"/p/{service.slug}?{query}").status_code == 200
    assert client_at(house.shop).get(f"/reservar?{query}").status_code == 200


def test_who_comes_second_is_shown_the_three_nearest_times_with_the_first_one_chosen(house, client_at, within):
    tour = house(a_tour, 1)
    ten = house(lambda: value_of(local(in_days(), 10)))
    first, second = client_at(house.shop), client_at(house.shop)
    wish = {"variant": tour.variant_code, "starts_at": ten, "quantity": "1"}

    assert first.post("/carrito/reservas", data=wish).location.endswith("/carrito")
    answer = second.post("/carrito/reservas", data=wish)

    assert answer.status_code == 303
    assert bookings_count(within, house.shop) == 1
    page = second.get(answer.location.split("#")[0]).text
    assert "Ese horario ya se ocupó" in page
    assert [hour for hour in range(8, 18) if f"2026-03-11T{hour:02}:00-03:00" in page] == [9, 11, 12]
    assert page.count("checked") == 1
    again = second.post("/carrito/reservas", data={**wish, "starts_at": "2026-03-11T09:00-03:00"})
    assert again.location.endswith("/carrito")
    assert bookings_count(within, house.shop) == 2


def test_a_time_nobody_offered_is_refused_with_a_sentence(house, client_at, within):
    tour = house(a_tour, 1)

    for starts_at in ("2026-03-11T03:00-03:00", "2026-03-11T10:00", "pronto", "9999-12-31T23:00-03:00"):
        data = {"variant": tour.variant_code, "starts_at": starts_at, "quantity": "1"}
        assert client_at(house.shop).post("/carrito/reservas", data=data).status_code == 422
    assert bookings_count(within, house.shop) == 0


# --- nights -------------------------------------------------------------------------------------------------------


def test_two_taps_choose_a_stay_and_the_price_is_for_its_dates(house, client_at):
    room = house(a_room, 2, price=45_000)
    guest = client_at(house.shop)

    one = guest.get(f"/p/{room.slug}").text
    assert "Toca el día de tu llegada" in one
    assert "llegada=2026-03-20" in one
    two = guest.get(f"/p/{room.slug}?llegada=2026-03-20").text
    assert "salida=2026-03-23" in two
    assert "Reservar 1 noche" in two
    three = guest.get(f"/p/{room.slug}?llegada=2026-03-20&salida=2026-03-23").text

    assert "$135.000" in cents(three)
    assert 'name="nights" value="3"' in three
    assert 'name="starts_at" value="2026-03-20T15:00-03:00"' in three
    assert "Reservar 3 noches" in three


def test_full_and_closed_nights_lead_nowhere_and_no_stay_goes_through_them(house, client_at):
    room = house(a_room, 1)
    house(lambda: a_booking(room, local(in_days(10), 15), nights=2))
    house(lambda: close_day(room.resource_code, in_days(15), "", DIEGO))

    page = client_at(house.shop).get(f"/p/{room.slug}?llegada=2026-03-18").text

    assert "viernes 20 de marzo: completo" in page
    assert "miércoles 25 de marzo: no disponible" in page
    assert "llegada=2026-03-18&amp;salida=2026-03-20" in page  # one may leave on the day others arrive
    assert "salida=2026-03-21" not in page
    assert "llegada=2026-03-20" not in page
    assert "llegada=2026-03-25" not in page
    full = client_at(house.shop).get(f"/p/{room.slug}?llegada=2026-03-18&salida=2026-03-23").text
    assert "Alguna de esas noches no está libre" in full
    assert "/carrito/reservas" not in full


def test_a_stay_over_the_end_of_the_month_can_be_chosen_by_its_dates(house, client_at):
    room = house(a_room, 1)

    page = client_at(house.shop).get(f"/p/{room.slug}?llegada=2026-03-30&salida=2026-04-06").text

    assert "Reservar 7 noches" in page
    april = client_at(house.shop).get(f"/p/{room.slug}?mes=2026-04&llegada=2026-03-30").text
    assert april.count("salida=2026-04-06") == 1


def test_who_wants_nights_that_are_gone_is_offered_the_nearest_of_the_same_length(house, client_at):
    room = house(a_room, 1)
    house(lambda: a_booking(room, local(in_days(10), 15), nights=2))
    wish = {"variant": room.variant_code, "starts_at": "2026-03-20T15:00-03:00", "quantity": "1", "nights": "2"}
    guest = client_at(house.shop)

    answer = guest.post("/carrito/reservas", data=wish)

    assert parse_qs(urlsplit(answer.location).query)["noches"] == ["2"]
    page = guest.get(answer.location.split("#")[0]).text
    assert "Esas noches ya se ocuparon" in page
    assert "miércoles 18 de marzo a viernes 20 de marzo" in page
    assert "llegada=2026-03-22&amp;salida=2026-03-24" in page


def test_the_picker_takes_few_statements_whatever_is_booked(house, client_at, statements):
    tour, room = house(a_tour, 5), house(a_room, 5)
    house(lambda: [a_booking(tour, local(in_days(n), 10)) for n in range(1, 5)])
    house(lambda: [a_booking(room, local(in_days(n), 15)) for n in range(1, 5)])
    guest = client_at(house.shop)
    for service in (tour, room):
        guest.get(f"/p/{service.slug}")
        statements.clear()

        guest.get(f"/p/{service.slug}?dia={house(in_days)}")

        about = [s for s in statements if "bookings" in s or "bookable_services" in s or "closures" in s]
        assert len(about) <= 6, "\n".join(about)


# --- the search by date -------------------------------------------------------------------------------------------


def test_the_search_shows_what_is_free_that_day_and_links_straight_to_it(house, client_at):
    tour, room = house(a_tour, 1), house(a_room, 1, price=45_000)
    full = house(a_tour, 1, hours=daily(("10:00", "11:00")))
    house(lambda: [a_booking(full), a_booking(tour, local(in_days(), 9))])

    page = client_at(house.shop).get("/reservar?dia=2026-03-11&noches=2").text

    assert "Libre el miércoles 11 de marzo" in page
    assert f"/p/{tour.slug}?lugares=1&amp;dia=2026-03-11&amp;hora=2026-03-11T10:00-03:00#reservar" in page
    assert "hora=2026-03-11T09:00" not in page
    assert f"/p/{room.slug}?lugares=1&amp;llegada=2026-03-11&amp;salida=2026-03-13#reservar" in page
    assert "$90.000" in cents(page)
    assert "por 2 noches" in page
    assert f'<li><a href="/p/{full.slug}' in page


def test_the_search_leaves_out_what_has_too_few_places_and_drafts(house, client_at):
    small, big, draft = house(a_tour, 2), house(a_tour, 8), house(a_tour, 8, published=False)

    page = client_at(house.shop).get("/reservar?dia=2026-03-11&lugares=4").text

    assert page.index("Sin lugar ese día") < page.index(f'<li><a href="/p/{small.slug}')
    assert page.index(f"/p/{big.slug}") < page.index("Sin lugar ese día")
    assert draft.slug not in page


def test_the_search_takes_the_same_few_statements_for_one_service_and_for_twelve(house, client_at, statements):
    guest = client_at(house.shop)
    house(a_tour)
    guest.get("/reservar")
    statements.clear()
    guest.get("/reservar?dia=2026-03-12")
    for_one = list(statements)
    house(lambda: [a_tour(2) for _ in range(6)] + [a_room(2) for _ in range(5)])
    statements.clear()

    guest.get("/reservar?dia=2026-03-12")

    assert len(statements) == len(for_one), "\n".join(statements)
    assert len([s for s in statements if "set_scope" not in s]) <= 6, "\n".join(statements)


def test_a_day_with_nothing_free_and_a_shop_with_nothing_to_reserve_say_what_to_do_next(house, client_at, bakery):
    house(a_tour, 1, hours={"mon": [("09:00", "10:00")]})

    assert "Ver el día siguiente" in client_at(house.shop).get("/reservar?dia=2026-03-11").text
    assert "Reservar por WhatsApp" in client_at(bakery).get("/reservar").text


def test_the_home_of_an_inn_begins_with_the_date_and_that_of_a_bakery_does_not(house, client_at, bakery, within):
    house(a_room)
    with within(bakery):
        a_tour()

    assert 'action="/reservar"' in client_at(house.shop).get("/").text
    assert 'action="/reservar"' not in client_at(bakery).get("/").text


# --- calendar files -----------------------------------------------------------------------------------------------


def an_order_of(service, booking, name="Paseo por los cerros; con vino, y más"):
    line = NewLine(
        ProductKind.SERVICE, service.product_id, 1, name, "", "", 1, 15_000,
        booking_id=booking.id, starts_at=booking.starts_at, ends_at=booking.ends_at,
    )  # fmt: skip
    order = place_order(NewOrder("una", [line], "pay_at_shop", FulfilmentMethod.NONE, "Dora", "+56912345678"), DIEGO)
    return confirm_order(order.id, DIEGO)


def test_the_order_page_gives_its_bookings_as_a_calendar_file_that_follows_a_move(house, client_at):
    tour = house(a_tour)
    booking = house(a_hold, tour)
    order = house(an_order_of, tour, booking)
    guest = client_at(house.shop)
    assert f"/pedido/{order.token}/reservas.ics" in guest.get(f"/pedido/{order.token}").text

    before = guest.get(f"/pedido/{order.token}/reservas.ics")
    house(lambda: move_booking(booking.code, local(in_days(2), 12), DIEGO))
    after = guest.get(f"/pedido/{order.token}/reservas.ics").text

    assert before.content_type == "text/calendar; charset=utf-8"
    assert before.headers["Cache-Control"] == "private, no-store"
    assert "DTSTART:20260311T130000Z\r\n" in before.text
    assert "Paseo por los cerros\\; con vino\\, y más" in before.text
    assert "DTSTART:20260312T150000Z\r\nDTEND:20260312T160000Z" in after
    uid = next(line for line in after.split("\r\n") if line.startswith("UID:"))
    assert uid in before.text
    assert "jueves 12 de marzo, 12:00" in guest.get(f"/pedido/{order.token}").text


def test_calendar_files_of_cancelled_orders_say_so_and_those_of_nobody_do_not_exist(house, client_at):
    tour = house(a_tour)
    order = house(lambda: an_order_of(tour, a_hold(tour)))
    house(lambda: cancel_order(order.id, "Llueve", DIEGO))
    guest = client_at(house.shop)

    assert "STATUS:CANCELLED" in guest.get(f"/pedido/{order.token}/reservas.ics").text
    assert guest.get("/pedido/otro/reservas.ics").status_code == 404


def test_the_feed_of_a_resource_opens_with_its_secret_only_and_a_new_secret_closes_the_old(house, client_at, bakery):
    tour = house(a_tour)
    house(lambda: [a_booking(tour), a_hold(tour, local(in_days(), 12)), a_hold(tour, local(in_days(), 14), minutes=-1)])
    token = house(resource_by_code, tour.resource_code).feed_token
    guest = client_at(house.shop)

    feed = guest.get(f"/agenda/{token}.ics").text

    assert feed.count("BEGIN:VEVENT") == 2
    assert "Dora Canseco" in feed
    assert "STATUS:TENTATIVE" in feed
    assert client_at(bakery).get(f"/agenda/{token}.ics").status_code == 404
    house(renew_feed, tour.resource_code, DIEGO)
    assert guest.get(f"/agenda/{token}.ics").status_code == 404


def test_long_lines_are_folded_by_octets_and_never_within_a_letter():
    event = Appointment("a@b", MARCH, MARCH + timedelta(hours=1), "ñandú " * 40, notes="uno\ndos\\tres")

    text = calendar_file("Ñandú", [event], MARCH)

    lines = text.encode().split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    for line in lines:
        line.decode()
    unfolded = text.replace("\r\n ", "")
    assert "SUMMARY:" + "ñandú " * 40 in unfolded
    assert "DESCRIPTION:uno\\ndos\\\\tres" in unfolded
