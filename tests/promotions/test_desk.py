"""The owner's promotions: made in a short form, once, seen with what they gave, and switched off."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.promotions.models import Promotion
from storefront.promotions.queries import PAGE_SIZE, promotion_by_code
from tests.checkout.test_pages import token_of
from tests.factories.catalogue import a_category, a_product
from tests.factories.promotions import a_promotion
from tests.promotions.conftest import words
from tests.promotions.test_using import order_with


@pytest.fixture
def alicia(client_at):
    return client_at("app", as_="alicia")


def typed(alicia, **more):
    """The empty form as it was shown, with what Alicia types."""
    page = alicia.get("/promociones/nueva").text
    key = re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]
    return {**token_of(page), "key": key, "name": "Martes de pan", "kind": "percent", "percent": "10", **more}


def tap(alicia, path):
    """One of the list's buttons."""
    return alicia.post(path, data=token_of(alicia.get("/mas").text), follow_redirects=True)


def made_at(shop):
    with acting_for(shop):
        return db.session.scalar(select(func.count(Promotion.id)))


def test_before_the_first_one_the_page_says_what_it_is_for(alicia):
    page = alicia.get("/promociones").text

    assert "Todavía no hay promociones" in page
    assert "Crear la primera" in page


def test_a_promotion_is_made_with_a_name_and_a_percentage(alicia, bakery):
    answer = alicia.post("/promociones/nueva", data=typed(alicia), follow_redirects=True)

    assert "Promoción lista" in answer.text
    assert "Martes de pan Se aplica sola 10\u00a0% Activa 0 $0.00" in words(answer.text).replace("10 %", "10\u00a0%")
    with acting_for(bakery):
        row = db.session.execute(select(Promotion.kind, Promotion.value, Promotion.coupon)).one()
        assert tuple(row) == ("percent", 1_000, None)


def test_the_button_tapped_twice_makes_one(alicia, bakery):
    form = typed(alicia)

    first, second = (alicia.post("/promociones/nueva", data=form) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert made_at(bakery) == 1


def test_everything_that_can_be_said_is_kept_and_shown_again(alicia, bakery):
    with acting_for(bakery):
        shelf, bread = a_category("Pan dulce"), a_product("Concha")
    alicia.post(
        "/promociones/nueva",
        data=typed(
            alicia, coupon="pan-25", kind="amount", amount="25", minimum="100", since="2026-12-01", until="2026-12-24",
            usage_limit="50", per_customer="1", budget="1000", audience="spent", spent="500", combines="y",
            categories=shelf.code, products=bread.code,
        ),
    )  # fmt: skip
    with acting_for(bakery):
        row = promotion_by_code(db.session.scalars(select(Promotion.code)).one())

    assert (row.coupon, row.kind, row.value, row.minimum_minor) == ("PAN25", "amount", 2_500, 10_000)
    assert (row.usage_limit, row.per_customer, row.budget_minor) == (50, 1, 100_000)
    assert (row.audience, row.audience_number, row.combines, row.limited) == ("spent", 50_000, True, True)
    assert (row.category_ids, row.product_ids) == ((shelf.id,), (bread.id,))
    assert row.ends_at.astimezone(bakery.zone).date() == date(2026, 12, 25)
    page = alicia.get(f"/promociones/{row.code}").text
    for shown in ("PAN25", 'value="25.00"', 'value="500.00"', 'value="2026-12-24"', "checked"):
        assert shown in page


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "Ponle un nombre"),
        ({"percent": ""}, "Escribe un porcentaje entre 1 y 100."),
        ({"percent": "101"}, "Escribe un porcentaje entre 1 y 100."),
        ({"kind": "amount"}, "Escribe cuánto se descuenta."),
        ({"coupon": "A"}, "de 3 a 24 letras"),
        ({"coupon": "USADO"}, "Ya tienes otra promoción con ese código."),
        ({"since": "2026-12-24", "until": "2026-12-01"}, "Termina antes de empezar"),
        ({"usage_limit": "0"}, "mayor que cero"),
        ({"budget": "0"}, "mayor que cero"),
        ({"audience": "away"}, "Escribe cuántos días sin comprar, de 7 a 730."),
        ({"audience": "away", "days": "6"}, "Escribe cuántos días sin comprar, de 7 a 730."),
        ({"audience": "away", "days": "731"}, "Escribe cuántos días sin comprar, de 7 a 730."),
        ({"audience": "orders"}, "Escribe cuántos pedidos debe llevar."),
        ({"audience": "orders", "orders": "-1"}, "mayor que cero"),
        ({"audience": "spent"}, "Escribe cuánto debe haber comprado."),
        ({"audience": "spent", "spent": "0"}, "Escribe cuánto debe haber comprado."),
        ({"audience": "vecinos"}, "Opción inválida."),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_made(alicia, bakery, wrong, sentence):
    with acting_for(bakery):
        a_promotion("Usada", coupon="USADO")

    answer = alicia.post("/promociones/nueva", data=typed(alicia, **wrong))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert made_at(bakery) == 1


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"audience": "first_order"}, "Para quien pide por primera vez"),
        ({"audience": "bought"}, "Para quien ya te ha comprado"),
        ({"audience": "away", "days": "60"}, "Para quien lleva 60 días sin comprar"),
        ({"audience": "orders", "orders": "5"}, "Para quien lleva 5 pedidos o más"),
        ({"audience": "spent", "spent": "500"}, "Para quien ha comprado $500.00 o más"),
    ],
)
def test_the_list_says_whom_a_promotion_is_for(alicia, bakery, more, shown):
    answer = alicia.post("/promociones/nueva", data=typed(alicia, **more), follow_redirects=True)

    assert shown in words(answer.text)
    with acting_for(bakery):
        code = db.session.scalars(select(Promotion.code)).one()
    form = alicia.get(f"/promociones/{code}").text
    assert re.search(rf'<input[^>]*value="{more["audience"]}"[^>]*checked|checked[^>]*value="{more["audience"]}"', form)


def test_a_number_of_another_audience_is_not_kept(alicia, bakery):
    alicia.post("/promociones/nueva", data=typed(alicia, audience="orders", orders="5", days="60", spent="10"))

    with acting_for(bakery):
        assert db.session.execute(select(Promotion.audience, Promotion.audience_number)).one() == ("orders", 5)


def test_another_shops_category_is_no_choice(alicia, bakery, crafts):
    with acting_for(crafts):
        foreign = a_category("Lanas")

    answer = alicia.post("/promociones/nueva", data=typed(alicia, categories=foreign.code))

    assert answer.status_code == 422
    assert made_at(bakery) == 0


def test_a_promotion_is_switched_off_and_on_with_a_trail(alicia, bakery):
    with acting_for(bakery):
        made = a_promotion()

    off = [tap(alicia, f"/promociones/{made.code}/apagar").text for _ in range(2)]
    on = tap(alicia, f"/promociones/{made.code}/encender").text

    assert "Apagada" in off[0]
    assert "Activa" in on
    with acting_for(bakery):
        trail = select(LogEntry.verb).where(LogEntry.subject_type == "promotion").order_by(LogEntry.id)
        assert db.session.scalars(trail).all() == ["added", "switched_off", "switched_on"]


def test_a_change_made_on_an_old_look_is_refused_and_nothing_changes(alicia, bakery):
    with acting_for(bakery):
        made = a_promotion("Martes")
    old = typed(alicia, name="Jueves", version="1")
    alicia.post(f"/promociones/{made.code}", data={**old, "name": "Miércoles"})

    late = alicia.post(f"/promociones/{made.code}", data=old)

    assert late.status_code == 409
    assert "Alguien más cambió esta promoción" in late.text
    with acting_for(bakery):
        assert promotion_by_code(made.code).name == "Miércoles"


def test_a_limit_below_what_was_used_is_refused(alicia, bakery):
    with acting_for(bakery):
        made = a_promotion("Martes", usage_limit=5)
        order_with(key="one")
        order_with(key="two")

    answer = alicia.post(f"/promociones/{made.code}", data=typed(alicia, version="1", usage_limit="1"))

    assert answer.status_code == 422
    assert "Ya se usó más veces" in answer.text
    with acting_for(bakery):
        assert promotion_by_code(made.code).usage_limit == 5


def test_the_list_shows_the_newest_first_page_by_page_and_what_each_gave(alicia, bakery):
    with acting_for(bakery):
        a_promotion("Martes", usage_limit=9)
        order_with()
        for number in range(PAGE_SIZE):
            a_promotion(f"Promo {number:02}", coupon=f"CODIGO{number}")

    first, second = (words(alicia.get(f"/promociones?page={number}").text) for number in (1, 2))

    assert first.index(f"Promo {PAGE_SIZE - 1}") < first.index("Promo 01")
    assert "Martes" not in first
    assert "1 de 9 $10.00" in second


def test_the_list_takes_the_same_statements_for_many_as_for_one(alicia, bakery, statements):
    with acting_for(bakery):
        a_promotion()
    alicia.get("/promociones")
    statements.clear()
    alicia.get("/promociones")
    few = len(statements)
    with acting_for(bakery):
        for number in range(5):
            a_promotion(coupon=f"CODIGO{number}")
    statements.clear()

    alicia.get("/promociones")

    assert len(statements) == few


def test_a_clerk_sees_promotions_and_changes_none(client_at, bakery):
    with acting_for(bakery):
        made = a_promotion()
    beto = client_at("app", as_="beto")

    assert beto.get("/promociones").status_code == 200
    assert tap(beto, f"/promociones/{made.code}/apagar").status_code == 403
    with acting_for(bakery):
        assert promotion_by_code(made.code).active
