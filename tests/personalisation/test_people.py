"""From a browser to a customer and back: tastes come along, history only with leave, and nothing stays behind."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from storefront.customers import consents, farewell
from storefront.customers.models import Consent, Customer
from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.personalisation import actions
from storefront.personalisation.actions import PURPOSE, Wishes
from storefront.personalisation.models import Interaction, InteractionKind, Preference, Profile, Visitor
from storefront.personalisation.queries import for_ranking, tastes_of_customer
from tests.factories.catalogue import a_product, described
from tests.factories.customers import a_customer, come_in, submit
from tests.factories.orders import an_order
from tests.personalisation.test_pages import breads, likes, order_of, rows_of

__all__ = ["breads"]


@pytest.fixture
def bread(bakery, within):
    """A sweet bread."""
    with within(bakery):
        made = a_product("Concha")
        described(made, "", "dulce")
        return made


def test_tastes_come_along_to_the_account_and_to_the_next_device(dora, client_at, bakery, within, breads):
    likes(dora, "dulce")
    come_in(dora, bakery)
    assert "Porque te gusta: dulce" in dora.get("/").text

    phone = client_at(bakery)
    come_in(phone, bakery)

    assert "Porque te gusta: dulce" in phone.get("/").text
    assert rows_of(bakery, within, Profile) == 1
    assert rows_of(bakery, within, Visitor) == 2


def test_tastes_of_two_devices_are_joined(dora, client_at, bakery, within, breads):
    likes(dora, "dulce")
    come_in(dora, bakery)
    phone = client_at(bakery)
    likes(phone, "salado")
    come_in(phone, bakery)

    with within(bakery):
        customer = db.session.scalar(select(Customer.id))
        assert set(tastes_of_customer(customer)) == {"dulce", "salado"}
    assert rows_of(bakery, within, Profile) == 1


def test_who_leaves_leaves_nothing_for_the_next_person_at_this_browser(dora, bakery, within, breads):
    likes(dora, "dulce")
    come_in(dora, bakery)
    submit(dora, "/cuenta", "/cuenta/salir")

    assert "Porque te gusta" not in dora.get("/").text
    assert rows_of(bakery, within, Visitor) == 0
    assert rows_of(bakery, within, Preference) == 1


def test_closing_other_devices_ends_their_tastes_too(dora, client_at, bakery, breads):
    likes(dora, "dulce")
    come_in(dora, bakery)
    phone = client_at(bakery)
    come_in(phone, bakery)
    submit(phone, "/cuenta/sesiones", "/cuenta/sesiones/cerrar")

    assert "Porque te gusta" not in dora.get("/").text
    assert "Porque te gusta: dulce" in phone.get("/").text


def test_a_token_of_a_customers_browser_shows_their_tastes_to_nobody_without_the_log_in(dora, client_at, bakery):
    likes(dora, "dulce")
    come_in(dora, bakery)
    with dora.session_transaction(base_url=dora.origin) as session:
        session.pop("login")

    assert "checked" not in dora.get("/gustos").text.split('value="dulce"')[1].split(">")[0]


# --- history and leave --------------------------------------------------------------------------------------------


def seen_by(profile_id):
    return db.session.scalar(select(func.count()).select_from(Interaction).where(Interaction.profile_id == profile_id))


def a_browser(bread, *, remember):
    """A browser's token, its profile, and a view if that is allowed."""
    token = actions.choose(None, None, Wishes(["dulce"], remember=remember))
    known = for_ranking(token, [bread.id])
    actions.observe(known.profile_id, [bread.id], InteractionKind.VIEWED, known_at())
    return token


def known_at():
    from storefront.kernel import clock

    return clock.now()


@pytest.mark.parametrize(
    ("browser", "account", "kept"),
    [
        (True, None, True),  # never asked: the browser's yes counts
        (True, True, True),
        (True, False, False),  # the customer said no
        (False, True, False),  # there was nothing to take along
        (False, None, False),
    ],
)
@pytest.mark.parametrize("has_profile", [True, False])
def test_history_goes_along_only_if_the_customer_allows_one(bakery, within, bread, browser, account, kept, has_profile):
    with within(bakery):
        customer = a_customer()
        subject = f"customer:{customer}"
        if has_profile:
            actions.declare_for_customer(customer, ["salado"])
        if account is not None:
            consents.decide(subject, PURPOSE, account)
        token = actions.adopt(a_browser(bread, remember=browser), customer)
        known = for_ranking(token, [bread.id])

        assert seen_by(known.profile_id) == (1 if kept else 0)
        assert db.session.scalar(select(func.count()).select_from(Interaction)) == (1 if kept else 0)
        assert known.remembers == consents.has_consent(subject, PURPOSE)
        assert "dulce" in known.taste.declared
        assert known.customer_id == customer


def test_a_customers_permission_page_switches_the_history(dora, bakery, within, breads):
    come_in(dora, bakery)
    submit(dora, "/cuenta/permisos", personalisation="1")
    come_back = dora.get("/gustos")
    assert "Ahora recordamos 0 cosas" in come_back.text
    likes(dora, remember=True)
    dora.get(f"/p/{breads['Concha'].slug}")
    assert rows_of(bakery, within, Interaction) == 1

    submit(dora, "/cuenta/permisos")

    assert rows_of(bakery, within, Interaction) == 0
    assert "Ahora no recordamos nada" in dora.get("/gustos").text


def test_the_ledger_has_the_words_of_each_answer(dora, bakery, within):
    likes(dora, "dulce", remember=True)
    likes(dora, "dulce", remember=True)
    likes(dora, "dulce")

    with within(bakery):
        rows = db.session.execute(
            select(Consent.subject, Consent.granted, Consent.text_shown).order_by(Consent.id)
        ).all()
    assert [row.granted for row in rows] == [True, False]
    assert all(row.subject.startswith("visitor:") for row in rows)
    assert all("180 días" in row.text_shown for row in rows)


def test_a_write_that_was_under_way_when_the_leave_ended_writes_nothing(bakery, within, bread):
    with within(bakery):
        token = actions.choose(None, None, Wishes([], remember=True))
        profile = for_ranking(token, [bread.id]).profile_id
        actions.choose(token, None, Wishes([], remember=False))

        actions.observe(profile, [bread.id], InteractionKind.VIEWED, known_at())

        assert seen_by(profile) == 0


def test_what_a_customer_buys_is_remembered_with_leave_and_once(dora, bakery, within, drain, bread):
    with within(bakery):
        customer = a_customer()
        consents.decide(f"customer:{customer}", PURPOSE, True)
        other = a_customer("Rubén", "ruben@example.com")
        for who in (customer, other):
            order = an_order(bread, confirmed=True)
            order.customer_id = who
            db.session.commit()
            actions.remember_purchase(order.id)
            actions.remember_purchase(order.id)
        rows = db.session.execute(select(Interaction.kind, Interaction.product_id)).all()
        assert [tuple(row) for row in rows] == [(InteractionKind.BOUGHT, bread.id)]


def test_the_order_in_another_shop_is_not_touched(bakery, crafts, within, bread):
    with within(bakery):
        token = actions.choose(None, None, Wishes(["dulce"], remember=True))
        profile = for_ranking(token, [bread.id]).profile_id
    with within(crafts):
        assert for_ranking(token, [bread.id]) is None
        actions.observe(profile, [bread.id], InteractionKind.VIEWED, known_at())
        actions.forget(token, None)
        actions.leave(token)
    with within(bakery):
        assert for_ranking(token, [bread.id]).taste.declared == ("dulce",)
        assert seen_by(profile) == 0


def test_erasing_a_customer_takes_tastes_and_history_along(dora, bakery, within, breads):
    likes(dora, "dulce", remember=True)
    come_in(dora, bakery)
    dora.get(f"/p/{breads['Concha'].slug}")
    with within(bakery):
        farewell.forget(db.session.scalar(select(Customer.id)), Actor("staff", 1, "Alicia"), "asked")

    for model in (Profile, Visitor, Preference, Interaction):
        assert rows_of(bakery, within, model) == 0
    assert order_of(dora.get("/"), *breads)
    assert "Porque te gusta" not in dora.get("/").text
