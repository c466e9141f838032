"""The owner's desk: what to do first, one tap for each step, and nothing of anybody else's."""

import re

import pytest
from sqlalchemy import update

from storefront.cart.actions import add_booking
from storefront.catalogue.actions import unpublish
from storefront.catalogue.pictures import NewImage, add_image
from storefront.checkout.actions import place
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, confirm_order, confirm_paid_order, mark_ready, set_payment_state
from storefront.orders.models import Order
from storefront.orders.queries import order_by_id, order_by_token, order_list, todo_counts
from storefront.orders.states import FulfilmentState, PaymentState
from storefront.orders.steps import NextStep, next_step
from tenants.dashboard.todo import is_to_come
from tests.factories.catalogue import OWNER, a_product
from tests.factories.orders import ALICIA, DORA, HOME, a_time, a_tour, an_order, details_for


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


@pytest.fixture
def order(bakery):
    with acting_for(bakery):
        return an_order(a_product("Concha", stock=5), 2)


def press(client, url, **data):
    """Send a one-button form of a page."""
    page = client.get("/pedidos?ver=all").text
    token = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]
    return client.post(url, data={"csrf_token": token, **data})


def seen(shop, order):
    with acting_for(shop):
        found = order_by_id(order.id)
    return str(found.state), str(found.payment_state), str(found.fulfilment_state)


def test_the_list_opens_on_what_there_is_to_do_with_its_action_on_the_row(desk, order):
    page = desk.get("/pedidos").text

    assert order.code in page
    assert f'action="/pedidos/{order.code}/confirmacion"' in page
    assert "Confirmar y avisar" in page


def test_a_pick_up_from_the_first_tap_to_the_last(desk, bakery, order):
    for path, state in [
        ("confirmacion", ("confirmed", "unpaid", "preparing")),
        ("listo", ("confirmed", "unpaid", "ready")),
    ]:
        assert press(desk, f"/pedidos/{order.code}/{path}").status_code == 303
        assert seen(bakery, order) == state
    page = desk.get(f"/pedidos/{order.code}").text
    assert "Entregado y cobrado" in page

    press(desk, f"/pedidos/{order.code}/entrega", collected="1")

    assert seen(bakery, order) == ("completed", "paid", "delivered")


def test_a_tap_too_early_is_taken_back(desk, bakery, order):
    press(desk, f"/pedidos/{order.code}/confirmacion")
    press(desk, f"/pedidos/{order.code}/listo")
    assert "Deshacer" in desk.get(f"/pedidos/{order.code}").text

    press(desk, f"/pedidos/{order.code}/listo/deshacer")

    assert seen(bakery, order)[2] == "preparing"


def test_whoever_came_for_a_service_was_attended_and_not_delivered(desk, bakery, order):
    press(desk, f"/pedidos/{order.code}/confirmacion")
    with acting_for(bakery), transaction():
        db.session.execute(update(Order).values(fulfilment_method="none", fulfilment_state="ready"))

    page = desk.get(f"/pedidos/{order.code}").text

    assert "Atendido y cobrado" in page
    assert "Entregado" not in page


def test_what_whatsapp_writes_for_the_owner_names_people_as_they_write_themselves(desk, bakery, order):
    with acting_for(bakery), transaction():
        db.session.execute(update(Order).values(contact_name='Beto "Pan & Café" O\'Higgins'))

    page = desk.get(f"/pedidos/{order.code}").text

    assert "Hola%20Beto%20%22Pan%20%26%20Caf%C3%A9%22%20O%27Higgins%2C" in page


def test_money_noted_by_mistake_is_taken_back(desk, bakery, order):
    press(desk, f"/pedidos/{order.code}/confirmacion")
    press(desk, f"/pedidos/{order.code}/cobro")
    assert seen(bakery, order)[1] == "paid"

    press(desk, f"/pedidos/{order.code}/cobro/deshacer")

    assert seen(bakery, order)[1] == "unpaid"


def test_the_lines_of_an_order_show_what_is_to_be_packed_even_once_it_is_hidden(desk, bakery):
    with acting_for(bakery):
        bread = a_product("Concha", stock=5)
        add_image(bread.id, NewImage("1001/img/concha", 1200, 900, "#aa7744", "Una concha"), by=OWNER)
        order = an_order(bread)
        unpublish(bread.id, by=OWNER)

    page = desk.get(f"/pedidos/{order.code}").text

    assert "1001/img/concha" in page
    assert 'alt="Una concha"' in page


def test_cancelling_asks_why_and_says_what_follows(desk, bakery, order):
    asked = desk.get(f"/pedidos/{order.code}/cancelacion").text
    assert "Lo apartado vuelve a estar a la venta" in asked

    without_reason = press(desk, f"/pedidos/{order.code}/cancelacion")
    assert without_reason.status_code == 422
    assert seen(bakery, order)[0] == "requested"

    press(desk, f"/pedidos/{order.code}/cancelacion", why="no_stock", words="Se quemó el horno")
    assert seen(bakery, order)[0] == "cancelled"
    with acting_for(bakery):
        assert order_by_id(order.id).cancelled_reason == "Se quemó el horno"


def test_a_step_that_is_not_possible_is_refused_with_a_sentence(desk, bakery, order):
    answer = press(desk, f"/pedidos/{order.code}/listo")

    assert answer.status_code in {303, 409}
    assert seen(bakery, order) == ("requested", "unpaid", "none")


def test_another_shops_order_does_not_exist(client_at, bakery, order):
    carla = client_at("app", as_="carla")
    token = re.search(r'name="csrf_token" value="([^"]*)"', carla.get("/pedidos").text)
    data = {"csrf_token": token[1]} if token else {}

    assert carla.get(f"/pedidos/{order.code}").status_code == 404
    for step in ("confirmacion", "listo", "entrega", "llegada", "cobro", "estante", "atendido", "cancelacion"):
        assert carla.post(f"/pedidos/{order.code}/{step}", data=data).status_code in {400, 404}

    assert seen(bakery, order) == ("requested", "unpaid", "none")


def test_a_visitor_is_asked_to_log_in(client_at, order):
    assert client_at("app").get(f"/pedidos/{order.code}").status_code == 303


def test_orders_are_found_by_code_name_and_telephone(bakery, order):
    with acting_for(bakery):
        other = an_order(a_product())
        for typed in (order.code, order.code.lower(), f" {order.code[:3]}-{order.code[3:]} "):
            assert [row.code for row in order_list("all", 1, typed).items] == [order.code]
        assert {row.code for row in order_list("all", 1, "dor").items} == {order.code, other.code}
        assert {row.code for row in order_list("all", 1, "123 4567").items} == {order.code, other.code}
        assert order_list("all", 1, "%").items == ()
        assert order_list("all", 1, "nadie").items == ()


def test_the_chips_count_what_they_show(bakery):
    with acting_for(bakery):
        an_order(a_product())
        prepare, ready = an_order(a_product(), confirmed=True), an_order(a_product(), confirmed=True)
        mark_ready(ready.id, ALICIA)
        proof = an_order(a_product(), pay="bank_transfer")
        set_payment_state(proof.id, PaymentState.PROOF_REVIEW, ALICIA)
        lost = an_order(a_product(), pay="bank_transfer")
        cancel_order(lost.id, "", ALICIA)
        confirm_paid_order(lost.id)

        counts = todo_counts()

        assert counts == {
            "to_confirm": 1,
            "to_prepare": 1,
            "to_hand_over": 1,
            "to_collect": 0,
            "owing": 0,
            "with_proof": 1,
            "attention": 1,
        }
        for name, count in counts.items():
            assert len(order_list(name, 1).items) == count
        assert [row.code for row in order_list("to_prepare", 1).items] == [prepare.code]


def test_a_long_list_has_pages(bakery):
    with acting_for(bakery):
        bread = a_product()
        for _ in range(26):
            an_order(bread)
        first, second = order_list("all", 1), order_list("all", 2)

    assert (len(first.items), first.has_next, len(second.items), second.has_next) == (25, True, 1, False)


def test_an_empty_list_teaches_the_next_step(desk):
    assert "Comparte el enlace de tu tienda" in desk.get("/pedidos").text


def test_the_list_takes_the_same_statements_for_many_orders_as_for_one(desk, bakery, statements):
    with acting_for(bakery):
        bread = a_product()
        an_order(bread)
    statements.clear()
    desk.get("/pedidos?ver=all")
    for_one = len(statements)
    with acting_for(bakery):
        for _ in range(9):
            an_order(bread)
    statements.clear()

    desk.get("/pedidos?ver=all")

    assert len(statements) == for_one


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], NextStep.CONFIRM),
        (["confirm"], NextStep.MARK_READY),
        (["confirm", "ready"], NextStep.HAND_OVER),
        (["confirm", "ready", "delivered"], NextStep.COLLECT),
        (["confirm", "ready", "delivered", "paid"], NextStep.NOTHING),
    ],
)
def test_the_next_step_of_a_pick_up(bakery, steps, expected):
    from storefront.orders import actions

    does = {
        "confirm": lambda id: actions.confirm_order(id, ALICIA),
        "ready": lambda id: actions.mark_ready(id, ALICIA),
        "delivered": lambda id: actions.hand_over(id, ALICIA),
        "paid": lambda id: set_payment_state(id, PaymentState.PAID, ALICIA),
    }
    with acting_for(bakery):
        order = an_order(a_product())
        for step in steps:
            does[step](order.id)
        assert next_step(order_by_id(order.id)) is expected


def test_a_delivery_goes_by_courier_and_comes_back_to_the_shelf(bakery):
    from storefront.orders import actions

    with acting_for(bakery):
        order = an_order(a_product(stock=1), confirmed=True, address=HOME, pay="cash_on_delivery")
        mark_ready(order.id, ALICIA)
        assert next_step(order_by_id(order.id)) is NextStep.GIVE_TO_COURIER
        actions.hand_over(order.id, ALICIA)
        assert next_step(order_by_id(order.id)) is NextStep.MARK_DELIVERED
        actions.set_fulfilment_state(order.id, FulfilmentState.RETURNED, ALICIA)
        assert next_step(order_by_id(order.id)) is NextStep.RESTOCK


def test_a_delivery_leads_to_its_parcel(desk, bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(), confirmed=True, address=HOME, pay="cash_on_delivery")
    code = order.code
    assert desk.get(f"/pedidos/{code}/envio").location == f"/pedidos/{code}"

    drain(bakery)

    assert desk.get(f"/pedidos/{code}/envio").location.startswith("/entregas/")


def test_a_clerk_sees_the_proof_waiting_but_does_not_judge_it(client_at, bakery):
    with acting_for(bakery):
        order = an_order(a_product(), pay="bank_transfer")
        set_payment_state(order.id, PaymentState.PROOF_REVIEW, ALICIA)
    code = order.code

    assert "Revisar comprobante" in client_at("app", as_="alicia").get(f"/pedidos/{code}").text
    seen_by_clerk = client_at("app", as_="beto").get(f"/pedidos/{code}").text
    assert "Revisar comprobante" not in seen_by_clerk
    assert "Lo revisa quien lleva los cobros" in seen_by_clerk


def test_nobody_is_attended_before_the_day_of_their_reservation(desk, bakery, time_machine):
    with acting_for(bakery):
        tour = a_tour()
        cart = add_booking(None, tour.variant_code, a_time(tour))
        placed = place(cart.token, details_for(cart), "una", DORA)
        order = order_by_token(placed.order_token)
        confirm_order(order.id, ALICIA)
        day = order_by_id(order.id).starts_at
        db.session.rollback()
    for path in (f"/pedidos/{order.code}", "/pedidos?ver=all"):
        assert "Atendido y cobrado" not in desk.get(path).text
    assert "desde ese día lo marcas como atendido" in desk.get(f"/pedidos/{order.code}").text

    time_machine.move_to(day, tick=False)

    with acting_for(bakery):
        assert not is_to_come(order_by_id(order.id), bakery)
        db.session.rollback()
