"""Erasing: afterwards no text of any table of the shop holds a trace of the person, and the books are as they were."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from storefront.customers import farewell, personal_data
from storefront.customers.models import Customer
from storefront.customers.queries import NoSuchCustomer, customer_by_id
from storefront.delivery import actions as delivery
from storefront.delivery import handing, offers, tracking
from storefront.delivery.models import Offer, Shipment, TrackingDetail, TrackingEvent
from storefront.delivery.queries import code_of_order
from storefront.delivery.scopes import together
from storefront.delivery.states import ShipmentState
from storefront.delivery.tracking import Report
from storefront.kernel import clock, jobs
from storefront.kernel.audit import SYSTEM, Actor
from storefront.kernel.db import Base, ShopOwned, db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for, acting_for_partner
from storefront.orders.actions import (
    cancel_order,
    cancel_own_order,
    complete_order,
    confirm_order,
    mark_ready,
)
from storefront.orders.models import Order
from storefront.orders.personal_data import OrderUnderWay
from storefront.orders.queries import order_by_id
from storefront.payments import proofs
from storefront.payments.actions import record_cash
from storefront.reservations.actions import Contact, cancel_bookings, confirm_bookings, hold_slot, walk_in
from storefront.reservations.models import Booking
from tests.factories.catalogue import a_product
from tests.factories.customers import a_customer, an_address, come_in, submit
from tests.factories.delivery import a_contract, a_partner, a_rider, a_zone
from tests.factories.orders import ALICIA, a_time, a_tour, an_order
from tests.factories.payments import a_photo

NAME, MAIL, NUMBER, STREET = (
    "Xochitlcanaria",
    "xochitlcanaria@example.com",
    "+529519998877",
    "Callejón Xochitlcanaria 7",
)
TRACES = (NAME.lower(), NUMBER.removeprefix("+52"), "951 999 8877")
OWNER = Actor("staff", 1, "Alicia")


def everything_of(shop_id):
    """Every text and JSON value of every table that a shop owns, by table and column."""
    for mapper in Base.registry.mappers:
        if not issubclass(mapper.class_, ShopOwned):
            continue
        table = mapper.local_table
        for row in db.session.execute(select(table).where(table.c.tenant_id == shop_id)).mappings():
            for column, value in row.items():
                if isinstance(value, str | dict | list):
                    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                    yield f"{table.name}.{column}", text.lower()


def traces_in(shop_id):
    return sorted({where for where, text in everything_of(shop_id) if any(trace in text for trace in TRACES)})


def an_order_of_hers(product, *, pay="cash_on_delivery", delivered=True, note="Para Xochitlcanaria"):
    """An order with her contacts, her address and a note that names her."""
    from unittest.mock import patch

    with (
        patch("tests.factories.orders.EMAIL", MAIL),
        patch("tests.factories.orders.PHONE", NUMBER),
    ):
        order = an_order(product, pay=pay, address=an_address(NAME, STREET) if delivered else None)
    order.contact_name, order.note = NAME, note
    db.session.commit()
    return order


def finish(order_id):
    """The order is confirmed, handed over and paid for."""
    confirm_order(order_id, ALICIA)
    jobs.drain()
    mark_ready(order_id, ALICIA)
    record_cash(order_id, ALICIA)
    handing.hand_over(order_id, ALICIA)
    parcel = code_of_order(order_id)
    db.session.rollback()
    if parcel is not None:
        delivery.hand_over(parcel, "", ALICIA, without_code=True)
        jobs.drain()
    complete_order(order_id, ALICIA)


@pytest.fixture
def xochitl(dora, bakery, within, drain):
    """A customer with a past: guest orders (delivered, cancelled), letters, an account, a place, tastes, a booking."""
    with within(bakery):
        bread = a_product("Concha", stock=50)
        order = an_order_of_hers(bread)
        cancelled = an_order_of_hers(bread, pay="pay_at_shop", delivered=False)
        cancel_own_order(cancelled.id, "La clienta o el cliente lo canceló.", Actor("customer", None, ""))
    drain(bakery)
    with within(bakery):
        finish(order.id)
    drain(bakery)
    come_in(dora, bakery, MAIL)
    submit(dora, "/cuenta/datos", name=f"{NAME} López", phone=NUMBER)
    submit(dora, "/cuenta/permisos", news="1", personalisation="1")
    submit(dora, "/gustos", tastes=["dulce"], adapt="1", remember="1")
    dora.get("/p/concha")
    with within(bakery):
        return db.session.scalar(select(Customer.id))


def test_every_domain_that_knows_people_contributes():
    assert set(personal_data.contributors()) >= {
        "reservations", "cart", "orders", "payments", "delivery", "personalisation"
    }  # fmt: skip


def test_after_erasing_no_table_of_the_shop_holds_a_trace(dora, bakery, within, xochitl):
    with within(bakery):
        before = traces_in(bakery.id)
        books = db.session.execute(
            select(func.count(), func.sum(Order.total_minor), func.sum(Order.net_minor), func.sum(Order.tax_minor))
        ).one()
    # The test looks in the right places: she is all over them.
    assert {"customers.email", "customers.phone", "orders.contact_name", "orders.address", "addresses.details",
            "mail_messages.body_text", "shipments.address"} <= set(before)  # fmt: skip

    answer = submit(dora, "/cuenta/borrar")

    assert answer.status_code == 303
    with within(bakery):
        left = traces_in(bakery.id)
        after = db.session.execute(
            select(func.count(), func.sum(Order.total_minor), func.sum(Order.net_minor), func.sum(Order.tax_minor))
        ).one()
    assert left == []
    assert tuple(after) == tuple(books)
    assert dora.get("/cuenta").status_code == 303


def test_erasing_ends_every_log_in_and_the_secret_links(dora, client_at, bakery, within, xochitl):
    other = client_at(bakery)
    come_in(other, bakery, MAIL)
    with within(bakery):
        tokens = db.session.scalars(select(Order.token)).all()
        db.session.rollback()

    submit(dora, "/cuenta/borrar")

    assert other.get("/cuenta").status_code == 303
    for token in tokens:
        assert dora.get(f"/pedido/{token}").status_code == 404


def test_who_comes_back_after_erasing_is_somebody_new(dora, bakery, within, xochitl):
    submit(dora, "/cuenta/borrar")
    come_in(dora, bakery, MAIL)

    assert "Todavía no has pedido nada aquí" in dora.get("/cuenta").text
    with within(bakery):
        assert db.session.scalar(select(func.count()).select_from(Customer)) == 2


def test_an_order_under_way_is_delivered_first_and_nothing_is_erased(dora, bakery, within, xochitl):
    with within(bakery):
        an_order_of_hers(a_product("Bolillo"))
        db.session.execute(
            Order.__table__.update()
            .where(Order.tenant_id == bakery.id, Order.customer_id.is_(None))
            .values(customer_id=xochitl)
        )
        db.session.commit()
        before = traces_in(bakery.id)
        db.session.rollback()
        with pytest.raises(OrderUnderWay):
            farewell.forget(xochitl, OWNER, "asked")
        assert traces_in(bakery.id) == before
        assert customer_by_id(xochitl).email == MAIL

    answer = submit(dora, "/cuenta/borrar")
    assert answer.status_code in {303, 409}
    assert dora.get("/cuenta").status_code == 200


def test_somebody_elses_data_stay(dora, bakery, within, xochitl):
    with within(bakery):
        other = a_customer("Rubén", "ruben@example.com", address=True)
        order = an_order(a_product("Bolillo"))
        order.customer_id = other
        db.session.commit()
    submit(dora, "/cuenta/borrar")

    with within(bakery):
        assert customer_by_id(other).email == "ruben@example.com"
        assert order_by_id(order.id).contact_name == "Dora"


def test_the_same_address_in_another_shop_stays(dora, client_at, bakery, crafts, within, xochitl):
    come_in(client_at(crafts), crafts, MAIL)
    submit(dora, "/cuenta/borrar")

    with within(crafts):
        assert db.session.scalar(select(Customer.email)) == MAIL
        assert db.session.scalar(select(func.count()).select_from(MailMessage)) > 0


def test_a_number_one_merely_typed_erases_nobody_elses_bookings(dora, bakery, within, xochitl):
    with within(bakery):
        booked = _a_past_booking("Vecina")
    submit(dora, "/cuenta/borrar")

    with within(bakery):
        assert db.session.scalar(select(Booking.contact_name).where(Booking.id == booked)) == "Vecina"


def test_the_shop_vouches_for_the_number_and_its_bookings_are_found(bakery, within, xochitl):
    with within(bakery):
        booked = _a_past_booking(NAME)
        farewell.forget(xochitl, OWNER, "asked")
        assert db.session.scalar(select(Booking.contact_name).where(Booking.id == booked)) == ""
        assert traces_in(bakery.id) == []


def _a_past_booking(name):
    """A booking by telephone, under her number, that is over."""
    tour = a_tour()
    booking = hold_slot(tour.id, a_time(tour), until=clock.now().replace(year=clock.now().year + 1))
    from storefront.reservations.actions import extend_bookings

    until = clock.now().replace(year=clock.now().year + 1)
    extend_bookings([booking.id], until=until, order_id=None, contact=Contact(name, NUMBER, ""))
    confirm_bookings([booking.id], SYSTEM)
    db.session.execute(
        Booking.__table__.update()
        .where(Booking.tenant_id == booking.tenant_id, Booking.id == booking.id)
        .values(during=func.tstzrange(clock.now().replace(year=2020), clock.now().replace(year=2021)))
    )
    db.session.commit()
    return booking.id


def test_a_guest_is_erased_by_number_at_the_shops_word(bakery, within, drain):
    with within(bakery):
        order = an_order_of_hers(a_product("Concha", stock=5), pay="pay_at_shop", delivered=False)
        drain(bakery)
    with within(bakery):
        finish(order.id)
        drain(bakery)
    with within(bakery):
        farewell.forget_guest(NUMBER, OWNER, "asked")
        assert traces_in(bakery.id) == []


SAYS = "Lo pidió Xochitlcanaria, que no contesta"


def _carried_with_words(bakery, order_id, drain):
    """A courier takes her parcel and writes about her at her door; then the shop hands it over."""
    rider = a_rider(partner_id := a_partner())
    a_zone(bakery)
    a_contract(bakery)
    with acting_for(bakery):
        confirm_order(order_id, ALICIA)
        jobs.drain()
        mark_ready(order_id, ALICIA)
        jobs.drain()
        parcel = db.session.execute(select(Shipment.id, Shipment.code).where(Shipment.order_id == order_id)).one()
    with acting_for_partner(partner_id):
        ref = db.session.scalar(select(Offer.ref).where(Offer.shipment_id == parcel.id))
        db.session.rollback()
        by = Actor("rider", rider, "Efraín")
        with together(bakery.id):
            work = offers.take(ref, rider, by)
        report = Report(
            "e1", work, ShipmentState.ATTEMPT_FAILED, clock.now(), "consignee_not_home", SAYS, lat=17.0669, lng=-96.7203
        )
        assert [told.outcome for told in tracking.record_reports([report], by)] == ["applied"]
    drain(bakery)
    with acting_for(bakery):
        delivery.hand_over(parcel.code, "", ALICIA, without_code=True)
    drain(bakery)


def test_what_others_wrote_about_the_person_goes_too(dora, bakery, within, xochitl, drain):
    with within(bakery):
        carried, cancelled, declined = (
            an_order_of_hers(a_product(name, stock=5), pay=pay, delivered=delivered)
            for name, pay, delivered in [
                ("Telera", "cash_on_delivery", True),
                ("Cuerno", "pay_at_shop", False),
                ("Oreja", "bank_transfer", False),
            ]
        )
        ids = carried.id, cancelled.id, declined.id
        db.session.execute(
            Order.__table__.update().where(Order.tenant_id == bakery.id, Order.id.in_(ids)).values(customer_id=xochitl)
        )
        db.session.commit()
        proof = proofs.submit_proof(ids[2], a_photo(), "De Xochitlcanaria", Actor("customer", xochitl, ""))
        proofs.reject_proof(proof.code, SAYS, ALICIA)
        cancel_order(ids[1], SAYS, ALICIA)
        cancel_order(ids[2], SAYS, ALICIA)
    _carried_with_words(bakery, ids[0], drain)
    with within(bakery):
        written = set(traces_in(bakery.id))
        assert {"tracking_details.note", "transfer_proofs.reason", "transfer_proofs.reference",
                "orders.cancelled_reason"} <= written  # fmt: skip
        assert not {table for where in written if (table := where.split(".")[0]) in append_only()}
        history = db.session.scalar(select(func.count()).select_from(TrackingEvent))

        farewell.forget(xochitl, OWNER, "asked")

        assert traces_in(bakery.id) == []
        assert db.session.scalar(select(func.count()).select_from(TrackingDetail)) == 0  # her door's place, too
        assert db.session.scalar(select(func.count()).select_from(TrackingEvent)) == history


def test_why_a_booking_was_cancelled_goes_with_its_contact(bakery, within, xochitl):
    with within(bakery):
        booked = _a_past_booking(NAME)
        db.session.execute(
            Booking.__table__.update()
            .where(Booking.tenant_id == bakery.id, Booking.id == booked)
            .values(cancelled_reason=SAYS)
        )
        tour = a_tour()
        called_off = walk_in(tour.id, a_time(tour), contact=Contact("", "", ""), by=ALICIA)
        cancel_bookings([called_off.id], ALICIA, SAYS)
        assert "bookings.cancelled_reason" in traces_in(bakery.id)
        assert "audit_log.facts" not in traces_in(bakery.id)
        db.session.execute(
            Booking.__table__.update()
            .where(Booking.tenant_id == bakery.id, Booking.id == called_off.id)
            .values(contact_phone=NUMBER, during=func.tstzrange(clock.now().replace(year=2020), clock.now()))
        )
        db.session.commit()

        farewell.forget(xochitl, OWNER, "asked")

        assert traces_in(bakery.id) == []


def append_only():
    """The tables whose rows the application can never change."""
    return {
        mapper.local_table.name for mapper in Base.registry.mappers if getattr(mapper.class_, "__append_only__", False)
    }


def test_who_was_erased_cannot_be_erased_or_exported_again(bakery, within):
    with within(bakery):
        customer = a_customer()
        farewell.forget(customer, OWNER, "asked")
        with pytest.raises(NoSuchCustomer):
            farewell.forget(customer, OWNER, "asked")
        with pytest.raises(NoSuchCustomer):
            farewell.export(customer)
