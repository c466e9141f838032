"""Letters about orders: one for each occasion, in the customer's language, and none to nobody."""

import pytest
from sqlalchemy import select, update

from storefront.kernel.db import db, transaction
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders import jobs
from storefront.orders.actions import cancel_order, confirm_order, mark_ready
from storefront.orders.models import Order
from storefront.orders.queries import invariants
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, EMAIL, an_order


def letters(shop):
    with acting_for(shop):
        rows = db.session.execute(
            select(MailMessage.once, MailMessage.to_address, MailMessage.subject, MailMessage.locale)
            .where(MailMessage.once.like("%order%"))
            .order_by(MailMessage.id)
        ).all()
    return [(row.once.split(":")[0], row.to_address, row.subject, row.locale) for row in rows]


def test_customer_and_shop_hear_of_a_new_order(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(), unit_minor=1_500)

    drain(bakery)

    told = {kind: (to, subject) for kind, to, subject, _locale in letters(bakery)}
    assert told["order-placed"] == (EMAIL, f"Recibimos tu pedido {order.code}")
    assert told["owner-new-order"] == (bakery.email, f"Pedido nuevo {order.code} de Dora por $15.00")


def test_every_step_is_written_once_however_often_its_job_runs(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product(), confirmed=True)
        mark_ready(order.id, ALICIA)
    drain(bakery)

    with acting_for(bakery):
        for _ in range(2):
            for job in (jobs.send_placed, jobs.send_confirmed, jobs.send_ready, jobs.tell_shop):
                job(order_id=order.id)
        assert invariants() == []

    kinds = [kind for kind, *_ in letters(bakery)]
    assert sorted(kinds) == ["order-confirmed", "order-placed", "order-ready", "owner-new-order"]


def test_a_cancellation_says_why(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product())
        cancel_order(order.id, "Ya no tengo lo que pidió", ALICIA)

    drain(bakery)

    with acting_for(bakery):
        body = db.session.scalar(select(MailMessage.body_text).where(MailMessage.once == f"order-cancelled:{order.id}"))
    assert "Ya no tengo lo que pidió" in body
    assert "No se cobró nada" in body


def test_without_an_address_nobody_is_written_to(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product())
        with transaction():
            db.session.execute(update(Order).where(Order.id == order.id).values(contact_email=None))
        confirm_order(order.id, ALICIA)

    drain(bakery)

    assert {kind for kind, *_ in letters(bakery)} == {"owner-new-order"}


@pytest.mark.parametrize("locale", ["pt", "en"])
def test_the_customer_is_written_to_in_the_orders_language(crafts, drain, locale):
    with acting_for(crafts):
        order = an_order(a_product())
        with transaction():
            db.session.execute(update(Order).where(Order.id == order.id).values(locale=locale))

    drain(crafts)

    assert [row[3] for row in letters(crafts) if row[0] == "order-placed"] == [locale]


def test_the_letter_leads_to_the_shops_own_address(bakery, drain):
    with acting_for(bakery):
        order = an_order(a_product())
    drain(bakery)

    with acting_for(bakery):
        html = db.session.scalar(select(MailMessage.body_html).where(MailMessage.once == f"order-placed:{order.id}"))
    assert f"{bakery.base_url}/pedido/{order.token}" in html
