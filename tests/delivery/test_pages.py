"""The pages: the customer's, the rider's and the owner's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from storefront.delivery import partners
from storefront.delivery.contract_queries import partner_rows, zone_rows
from storefront.delivery.states import ShipmentState
from storefront.delivery.views import order_delivery
from storefront.kernel import clock, jobs
from storefront.kernel.tenancy import acting_for, acting_for_partner
from tests.factories.catalogue import a_product
from tests.factories.delivery import (
    OWNER,
    a_contract,
    a_parcel,
    a_partner,
    a_rider,
    a_zone,
    an_assignment,
    the_offer,
)


@pytest.fixture
def rider(bicis, client_at):
    """Efraín, logged in on his phone."""
    a_rider(bicis)
    client = client_at("partners")
    answer = client.post("/repartidor/entrar", data={"phone": "951 777 8899", "pin": "246810"})
    assert answer.status_code == 303, answer.text
    return client


def token(page) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    return found.group(1) if found else ""


def event_ids(page) -> list[str]:
    """The ids a page offers: at the door, for a failed attempt, for the next step, as far as it shows them."""
    return re.findall(r'name="event_id" value="([^"]+)"', page.text)


# --- the customer -----------------------------------------------------------------------------------------------------


def test_the_customer_sees_the_code_the_cash_and_the_riders_first_name(bakery, client_at, rider, bicis) -> None:
    parcel = a_parcel(bakery)
    page = rider.get("/repartidor")
    rider.post(f"/repartidor/ofertas/{the_offer(parcel, bicis).ref}/tomar", data={"csrf_token": token(page)})
    page = client_at(bakery).get(f"/envio/{parcel.token}")
    assert page.status_code == 200
    assert parcel.delivery_code in page.text
    assert "Efraín" in page.text
    assert "López" not in page.text
    assert "250.00" in page.text
    assert "9517778899" not in page.text.replace(" ", "")


def test_a_parcel_is_found_by_its_link_alone_and_only_in_its_shop(bakery, crafts, client_at, bicis) -> None:
    parcel = a_parcel(bakery)
    missing = client_at(bakery).get("/envio/nothing")
    elsewhere = client_at(crafts).get(f"/envio/{parcel.token}")
    assert (missing.status_code, elsewhere.status_code) == (404, 404)
    assert client_at(bakery).get(f"/envio/{parcel.code}").status_code == 404


def test_the_code_is_no_longer_shown_once_the_parcel_is_there(bakery, client_at) -> None:
    from storefront.delivery import actions

    parcel = a_parcel(bakery)
    with acting_for(bakery):
        actions.hand_over(parcel.code, parcel.delivery_code, OWNER)
    page = client_at(bakery).get(f"/envio/{parcel.token}")
    assert "Entregado" in page.text
    assert f">{parcel.delivery_code}<" not in page.text


def test_the_orders_page_shows_its_parcel_and_nothing_without_one(app, bakery, bicis) -> None:
    parcel = a_parcel(bakery)
    with app.test_request_context("/", base_url="https://espiga.portales.test"), acting_for(bakery):
        assert parcel.delivery_code in order_delivery(order_id=parcel.order_id)
        assert order_delivery(order_id=999_999) == ""
        assert order_delivery() == ""


# --- the rider --------------------------------------------------------------------------------------------------------


def test_a_rider_takes_fetches_and_delivers_without_a_script(bakery, bicis, rider) -> None:
    parcel = a_parcel(bakery)
    page = rider.get("/repartidor")
    assert "Tomar" in page.text
    assert "Crespo" not in page.text
    took = rider.post(f"/repartidor/ofertas/{the_offer(parcel, bicis).ref}/tomar", data={"csrf_token": token(page)})
    here = took.headers["Location"]
    for path, word in (("recogido", "Ya lo recogí"), ("en-camino", "Voy en camino")):
        page = rider.get(here)
        assert word in page.text
        sent = {"csrf_token": token(page), "event_id": event_ids(page)[0]}
        assert rider.post(f"{here}/{path}", data=sent).status_code == 303
    page = rider.get(here)
    assert "Calle Crespo 212" in page.text
    assert "tel:+529511112233" in page.text
    assert "wa.me/529511112233" in page.text
    assert "openstreetmap.org/?mlat=17.0669" in page.text
    sent = {"csrf_token": token(page), "event_id": event_ids(page)[0], "delivery_code": parcel.delivery_code}
    assert rider.post(f"{here}/entregado", data=sent).status_code == 303
    assert parcel.state is ShipmentState.DELIVERED
    assert parcel.now().cod_collected_minor == 25_000


def take(rider, parcel, partner_id) -> str:
    page = rider.get("/repartidor")
    here = f"/repartidor/ofertas/{the_offer(parcel, partner_id).ref}/tomar"
    took = rider.post(here, data={"csrf_token": token(page)})
    return str(took.headers["Location"])


def test_a_form_sent_twice_on_a_bad_network_is_one_report(bakery, bicis, rider) -> None:
    parcel = a_parcel(bakery)
    here = take(rider, parcel, bicis)
    page = rider.get(here)
    sent = {"csrf_token": token(page), "event_id": event_ids(page)[0]}
    for _ in range(3):
        assert rider.post(f"{here}/recogido", data=sent).status_code == 303
    assert (parcel.state, parcel.now().status_seq) == (ShipmentState.PICKED_UP, 4)


def test_taking_twice_is_taking_once_and_a_colleague_comes_too_late(bakery, bicis, rider, client_at) -> None:
    parcel = a_parcel(bakery)
    here = take(rider, parcel, bicis)
    assert take(rider, parcel, bicis) == here
    a_rider(bicis, "Rosa Luna", "+529516665544", "135791")
    other = client_at("partners")
    other.post("/repartidor/entrar", data={"phone": "+52 951 666 5544", "pin": "135791"})
    page = other.get("/repartidor")
    refused = other.post(f"/repartidor/ofertas/{the_offer(parcel, bicis).ref}/tomar", data={"csrf_token": token(page)})
    assert refused.status_code in {303, 409}
    assert other.get(here).status_code == 404
    assert an_assignment(parcel, bicis).ref == here.rsplit("/", 1)[1]


def test_a_wrong_code_is_said_beside_the_field_and_nothing_is_delivered(bakery, bicis, rider) -> None:
    parcel = a_parcel(bakery)
    here = take(rider, parcel, bicis)
    page = rider.get(here)
    rider.post(f"{here}/recogido", data={"csrf_token": token(page), "event_id": event_ids(page)[0]})
    page = rider.get(here)
    wrong = f"{(int(parcel.delivery_code) + 1) % 10_000:04d}"
    sent = {"csrf_token": token(page), "event_id": event_ids(page)[0], "delivery_code": wrong}
    answer = rider.post(f"{here}/entregado", data=sent)
    assert answer.status_code == 422
    assert "Te quedan 4 intentos" in answer.text
    assert parcel.state is ShipmentState.PICKED_UP


def test_a_rider_says_why_it_did_not_work(bakery, bicis, rider) -> None:
    parcel = a_parcel(bakery)
    here = take(rider, parcel, bicis)
    page = rider.get(here)
    rider.post(f"{here}/en-camino", data={"csrf_token": token(page), "event_id": event_ids(page)[0]})
    page = rider.get(here)
    sent = {"csrf_token": token(page), "event_id": event_ids(page)[-1], "reason": "consignee_not_home", "note": "Nadie"}
    assert rider.post(f"{here}/no-se-pudo", data=sent).status_code == 303
    assert (parcel.state, parcel.now().attempts) == (ShipmentState.ATTEMPT_FAILED, 1)
    assert "Volver a intentar" in rider.get(here).text


def test_a_rider_lets_go_of_what_was_not_fetched(bakery, bicis, rider) -> None:
    parcel = a_parcel(bakery)
    here = take(rider, parcel, bicis)
    rider.post(f"{here}/soltar", data={"csrf_token": token(rider.get(here))})
    with acting_for(bakery):
        jobs.drain()
    assert parcel.now().unroutable
    assert "No hay entregas" in rider.get("/repartidor").text


@pytest.mark.parametrize(("phone", "pin"), [("9517778899", "000000"), ("9510000001", "246810"), ("x", "246810")])
def test_a_wrong_phone_and_a_wrong_pin_are_refused_alike(bicis, client_at, phone, pin) -> None:
    a_rider(bicis)
    answer = client_at("partners").post("/repartidor/entrar", data={"phone": phone, "pin": pin})
    assert answer.status_code == 422
    assert "El teléfono o el PIN no coinciden" in answer.text


def test_a_new_pin_ends_old_log_ins(bakery, bicis, rider) -> None:
    with acting_for_partner(bicis):
        code = partners.who_is("+529517778899", "246810").code
        partners.set_pin(code, "999111")
    assert rider.get("/repartidor").headers["Location"].endswith("/repartidor/entrar")
    assert partners.who_is("9517778899", "999111").name == "Efraín López"


def test_a_rider_of_one_firm_sees_nothing_of_anothers_work(bakery, bicis, crafts, client_at, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    andes = a_partner("andes", "Andes Envíos", "BO")
    a_rider(andes, "Wara", "+59171234567", "777777")
    client = client_at("partners")
    client.post("/repartidor/entrar", data={"phone": "71234567", "pin": "777777"})
    assert client.get(f"/repartidor/entregas/{work['id']}").status_code == 404
    page = client.get("/repartidor")
    assert "Dora" not in page.text
    for path in ("recogido", "en-camino", "entregado", "no-se-pudo", "soltar"):
        sent = {"csrf_token": token(page), "event_id": "event-12345678", "reason": "weather_delay"}
        assert client.post(f"/repartidor/entregas/{work['id']}/{path}", data=sent).status_code == 404
    assert parcel.state is ShipmentState.ASSIGNED


# --- the owner --------------------------------------------------------------------------------------------------------


def test_the_owner_sees_todays_parcels_and_the_one_nobody_took_first(bakery, bicis, client_at) -> None:
    a_contract(bakery, zones=["NOWHERE1"])
    parcel = a_parcel(bakery)
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/entregas")
    assert "Necesitan que las veas" in page.text
    assert "Nadie tomó esta entrega" in page.text
    sent = {"csrf_token": token(page)}
    assert alicia.post(f"/entregas/{parcel.code}/propia", data=sent).status_code == 303
    assert alicia.post(f"/entregas/{parcel.code}/salida", data=sent).status_code == 303
    page = alicia.get(f"/entregas/{parcel.code}")
    assert "Anotar como entregada" in page.text
    wrong = alicia.post(f"/entregas/{parcel.code}/entrega", data=sent | {"delivery_code": "x"})
    assert (wrong.status_code, parcel.state) == (422, ShipmentState.OUT_FOR_DELIVERY)
    alicia.post(f"/entregas/{parcel.code}/entrega", data=sent | {"delivery_code": parcel.delivery_code})
    assert parcel.state is ShipmentState.DELIVERED


@pytest.mark.parametrize(
    "state", ["draft", "offered", "assigned", "picked_up", "out_for_delivery", "attempt_failed", "returning"]
)
def test_every_state_of_a_parcel_has_a_page_for_its_owner(bakery, bicis, program, client_at, state) -> None:
    from storefront.delivery import actions

    parcel = a_parcel(bakery, ready=state != "draft")
    if state not in {"draft", "offered"}:
        work = program.take_one()
        if state not in {"assigned", "returning"}:
            program.report(work, state)
        if state == "returning":
            program.report(work)
            with acting_for(bakery):
                actions.cancel_shipment(parcel.order_id)
    assert parcel.state == state
    alicia = client_at("app", as_="alicia")
    assert alicia.get(f"/entregas/{parcel.code}").status_code == 200
    assert alicia.get("/entregas").status_code == 200
    assert client_at(bakery).get(f"/envio/{parcel.token}").status_code == 200


def test_another_shops_owner_finds_none_of_it(bakery, bicis, client_at) -> None:
    parcel = a_parcel(bakery)
    code = a_zone(bakery, "Norte")
    carla = client_at("app", as_="carla")
    sent = {"csrf_token": token(carla.get("/entregas/zonas/nueva"))}
    assert carla.get(f"/entregas/{parcel.code}").status_code == 404
    for path in ("propia", "ofrecer", "quitar", "salida", "entrega", "regreso", "devuelta"):
        assert carla.post(f"/entregas/{parcel.code}/{path}", data=sent).status_code == 404, path
    assert carla.get(f"/entregas/zonas/{code}").status_code == 404
    assert parcel.state is ShipmentState.OFFERED


def test_a_clerk_hands_parcels_over_but_does_not_set_prices(bakery, bicis, client_at) -> None:
    beto = client_at("app", as_="beto")
    assert beto.get("/entregas").status_code == 200
    assert beto.get("/entregas/zonas").status_code == 403
    assert beto.get("/entregas/repartidores").status_code == 403


def test_the_owner_writes_zones_one_place_per_line(bakery, client_at) -> None:
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/entregas/zonas/nueva")
    typed = {"csrf_token": token(page), "name": "Centro", "localities": "Centro\n\n Jalatlaco \ncentro", "price": "35",
             "free_above": "500", "region": "", "active": "y", "version": "0"}  # fmt: skip
    assert alicia.post("/entregas/zonas/nueva", data=typed).status_code == 303
    with acting_for(bakery):
        [zone] = zone_rows()
    assert (zone.localities, zone.price_minor, zone.free_above_minor) == (("centro", "Jalatlaco"), 3_500, 50_000)
    assert "Jalatlaco" in alicia.get("/entregas/zonas").text
    bad = alicia.post("/entregas/zonas/nueva", data=typed | {"price": "mucho"})
    assert bad.status_code == 422
    assert "Jalatlaco" in bad.text
    changed = alicia.post(f"/entregas/zonas/{zone.code}", data=typed | {"price": "40", "version": str(zone.version)})
    assert changed.status_code == 303
    with acting_for(bakery):
        assert [row.price_minor for row in zone_rows()] == [4_000]


def test_the_owner_begins_and_ends_working_with_a_firm(bakery, client_at) -> None:
    a_partner()
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/entregas/repartidores/bicis")
    typed = {"csrf_token": token(page), "active": "y", "priority": "5", "cod_allowed": "y", "fee": "30"}
    assert alicia.post("/entregas/repartidores/bicis", data=typed).status_code == 303
    with acting_for(bakery):
        [row] = partner_rows("MX")
    assert (row.active, row.priority, row.fee_minor) == (True, 5, 3_000)
    del typed["active"]
    alicia.post("/entregas/repartidores/bicis", data=typed)
    with acting_for(bakery):
        assert not partner_rows("MX")[0].active
    assert alicia.get("/entregas/repartidores/nadie").status_code == 404


def test_a_parcel_counts_as_a_couriers_once_one_has_accepted_it(bakery, bicis, program, client_at) -> None:
    a_parcel(bakery)
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/entregas").text
    assert "Buscan repartidor" in page
    assert "Le preguntamos a Bicis Oaxaca" in page
    assert "Con repartidor por llegar" not in page
    program.take_one()
    page = alicia.get("/entregas").text
    assert "Buscan repartidor" not in page
    assert "Con repartidor por llegar" in page


def test_every_amount_beside_a_parcel_says_who_gets_it(bakery, bicis, rider, client_at) -> None:
    a_contract(bakery, fee_minor=3_500)
    parcel = a_parcel(bakery)
    alicia = client_at("app", as_="alicia")
    assert "Se cobra $250.00 al entregar" in alicia.get("/entregas").text
    assert "Le pagas $35.00 por entrega" in alicia.get("/entregas/repartidores").text
    offers = rider.get("/repartidor").text
    assert "Te pagan $35.00" in offers
    assert "Cobrar $250.00" in offers
    take(rider, parcel, bicis)
    assert "Cobrar $250.00" in rider.get("/repartidor").text


def test_firms_are_listed_in_the_order_in_which_they_are_asked(bakery, bicis, client_at) -> None:
    alicia = client_at("app", as_="alicia")
    assert "Le preguntamos" not in alicia.get("/entregas/repartidores").text.partition("<li")[2]
    a_partner("motos", "Motos del Valle")
    a_contract(bakery, "motos", priority=5)
    page = alicia.get("/entregas/repartidores").text
    assert page.index("Motos del Valle") < page.index("Le preguntamos primero") < page.index("Bicis Oaxaca")
    assert page.index("Bicis Oaxaca") < page.index("Le preguntamos en el lugar 2")
    assert "Turno" not in page


def test_a_courier_who_does_not_come_is_shown_and_can_be_replaced(bakery, bicis, program, client_at) -> None:
    parcel = a_parcel(bakery)
    program.take_one()
    with time_machine.travel(clock.now() + timedelta(hours=2, minutes=1), tick=True):
        alicia = client_at("app", as_="alicia")
        page = alicia.get("/entregas")
        assert "El repartidor no ha llegado" in page.text
        alicia.post(f"/entregas/{parcel.code}/quitar", data={"csrf_token": token(page)})
    assert parcel.state is ShipmentState.READY


def test_the_owner_writes_a_table_by_weight_and_reads_which_goods_have_none(bakery, client_at) -> None:
    with acting_for(bakery):
        a_product("Concha")
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/entregas/zonas/nueva")
    typed = {"csrf_token": token(page), "name": "Centro", "localities": "Centro", "region": "", "active": "y",
             "version": "0", "kind": "by_weight"}  # fmt: skip
    looked = alicia.post("/entregas/zonas/nueva", data=typed | {"do": "show"})
    assert looked.status_code == 200
    assert "Tabla de precios" in looked.text
    assert "1 producto no tiene peso" in looked.text
    assert "Concha" in looked.text
    empty = alicia.post("/entregas/zonas/nueva", data=typed | {"assumed": "400"})
    assert empty.status_code == 422
    assert "Escribe al menos un renglón" in empty.text

    rows = {"weights-0-up_to": "1000", "weights-0-price": "35", "weights-1-up_to": "", "weights-1-price": "60",
            "weights-2-up_to": "", "weights-2-price": ""}  # fmt: skip
    refused = alicia.post("/entregas/zonas/nueva", data=typed | rows | {"assumed": ""})
    assert refused.status_code == 422
    assert "cuánto cuenta una pieza sin peso" in refused.text
    assert 'value="1000"' in refused.text
    with acting_for(bakery):
        assert zone_rows() == []
    assert alicia.post("/entregas/zonas/nueva", data=typed | rows | {"assumed": "400"}).status_code == 303
    with acting_for(bakery):
        [zone] = zone_rows()
    assert [(step.up_to, step.price_minor) for step in zone.steps] == [(1_000, 3_500), (None, 6_000)]
    assert (zone.kind, zone.assumed_g) == ("by_weight", 400)
    overview = alicia.get("/entregas/zonas").text
    assert "Desde $35.00" in overview
    assert "1 producto no tiene peso" in overview
    assert 'value="1000"' in alicia.get(f"/entregas/zonas/{zone.code}").text


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"weights-0-up_to": "1.5", "weights-0-price": "35"}, "gramos sin decimales"),
        ({"weights-0-up_to": "0", "weights-0-price": "35"}, "gramos sin decimales"),
        ({"weights-0-up_to": "1000", "weights-0-price": ""}, "Escribe el precio"),
        ({"weights-0-up_to": "1000", "weights-0-price": "-1"}, "weights-0-price-error"),
        ({"weights-0-up_to": "1000", "weights-0-price": "mucho"}, "weights-0-price-error"),
    ],
)
def test_a_row_that_makes_no_sense_is_said_beside_its_field(bakery, client_at, row, sentence) -> None:
    alicia = client_at("app", as_="alicia")
    typed = {"csrf_token": token(alicia.get("/entregas/zonas/nueva")), "name": "Centro", "active": "y",
             "version": "0", "kind": "by_weight", "assumed": "400"}  # fmt: skip
    answer = alicia.post("/entregas/zonas/nueva", data=typed | row)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{row["weights-0-up_to"]}"' in answer.text
    with acting_for(bakery):
        assert zone_rows() == []
