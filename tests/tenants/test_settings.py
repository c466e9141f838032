"""What an owner decides: kept, versioned, written down, seen at once; refused in words that keep what was typed."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from sqlalchemy import select

from storefront.delivery.contracts import ZoneDetails, change_zone
from storefront.kernel.audit import SYSTEM, LogEntry
from storefront.kernel.db import db
from storefront.kernel.tenancy import Shop, directory
from tenants.dashboard.todo import setup_steps
from tests.factories.catalogue import a_product
from tests.factories.delivery import a_zone
from tests.factories.orders import an_order
from tests.tenants.conftest import follow, post

FACTS = {"name": "Panadería La Espiga", "tagline": "Pan de leña", "phone": "951 123 4567", "email": "pan@example.com",
         "address": "Calle 2", "hours": "Lunes a sábado"}  # fmt: skip


def now_is(shop: Shop) -> Shop:
    found = directory().by_id(shop.id)
    assert found is not None
    return found


def verbs(within, shop: Shop) -> list[str]:
    with within(shop):
        return list(db.session.scalars(select(LogEntry.verb).order_by(LogEntry.id)))


def test_facts_are_kept_versioned_and_written_down(client_at, within, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    answer = post(alicia, "/ajustes/tienda", **FACTS)
    assert answer.status_code == 303
    assert "Guardado" in follow(alicia, answer).text
    after = now_is(bakery)
    assert (after.tagline, after.phone, after.hours) == ("Pan de leña", "+529511234567", "Lunes a sábado")
    assert after.version == bakery.version + 1
    with within(bakery):
        line = db.session.execute(select(LogEntry.verb, LogEntry.actor_label, LogEntry.facts)).one()
    assert (line.verb, line.actor_label) == ("facts_changed", "Alicia")
    assert line.facts == {"fields": ["address", "email", "hours", "phone", "tagline"]}, "names, never the values"


def test_saving_what_is_there_already_changes_nothing(client_at, within, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    post(alicia, "/ajustes/tienda", **FACTS)
    post(alicia, "/ajustes/tienda", **FACTS)
    assert now_is(bakery).version == bakery.version + 1
    assert verbs(within, bakery) == ["facts_changed"]


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("name", "Portales"), ("phone", "123"), ("email", "pan@")])
def test_facts_that_cannot_be_used_change_nothing_and_stay_in_the_form(
    client_at, bakery, field: str, value: str
) -> None:
    answer = post(client_at("app", as_="alicia"), "/ajustes/tienda", **{**FACTS, field: value})
    assert answer.status_code == 422
    assert "Pan de leña" in answer.text
    assert now_is(bakery) == bakery


def test_theme_and_colour_are_seen_in_the_shop(client_at, at, bakery) -> None:
    assert post(client_at("app", as_="alicia"), "/ajustes/aspecto", theme="taller", hue="210").status_code == 303
    page = at("espiga.portales.test").get("/").text
    assert 'data-theme-name="taller"' in page
    assert "--hue:210" in page


@pytest.mark.parametrize("hue", ["360", "-1", "rojo", ""])
def test_a_colour_outside_the_circle_is_refused(client_at, bakery, hue: str) -> None:
    assert post(client_at("app", as_="alicia"), "/ajustes/aspecto", theme="taller", hue=hue).status_code == 422
    assert now_is(bakery) == bakery


def test_a_cover_is_kept_replaced_and_removed(client_at, bakery) -> None:
    alicia, keys = client_at("app", as_="alicia"), []
    for colour in ("red", "blue"):
        photo = io.BytesIO()
        Image.new("RGB", (800, 400), colour).save(photo, "JPEG")
        photo.seek(0)
        answer = post(alicia, "/ajustes/portada", page="/ajustes/aspecto", cover=(photo, "foto.jpg"))
        assert answer.status_code == 303
        keys.append(now_is(bakery).cover_key)
    assert keys[0] != keys[1]
    assert keys[1].startswith(f"{bakery.id}/img/")
    post(alicia, "/ajustes/portada", page="/ajustes/aspecto", do="remove")
    assert now_is(bakery).cover_key is None


def test_a_file_that_is_no_photo_is_refused(client_at, bakery) -> None:
    answer = post(client_at("app", as_="alicia"), "/ajustes/portada", page="/ajustes/aspecto",
                  cover=(io.BytesIO(b"<svg/>"), "foto.jpg"))  # fmt: skip
    assert answer.status_code == 422
    assert now_is(bakery).cover_key is None


def test_transfers_need_an_account_and_a_shop_needs_some_payment(client_at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    for data in ({"methods": ["bank_transfer"], "bank_details": " "}, {"bank_details": "Banco 1"}):
        assert post(alicia, "/ajustes/pagos", **data).status_code == 422
        assert now_is(bakery) == bakery
    data = {"methods": ["bank_transfer", "pay_at_shop"], "bank_details": "Banco 1"}
    assert post(alicia, "/ajustes/pagos", **data).status_code == 303
    assert now_is(bakery).payment_methods == ("bank_transfer", "pay_at_shop")


def test_an_open_shop_keeps_a_way_to_pay_that_goes_with_how_it_hands_things_over(client_at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    refused = post(alicia, "/ajustes/pagos", methods=["cash_on_delivery"])
    assert refused.status_code == 422
    assert "Así nadie podría pagarte" in refused.text
    assert now_is(bakery) == bakery
    a_zone(bakery)
    assert post(alicia, "/ajustes/pagos", methods=["cash_on_delivery"]).status_code == 303
    post(alicia, "/ajustes/tienda", **FACTS | {"address": ""})
    assert post(alicia, "/ajustes/pagos", methods=["pay_at_shop"]).status_code == 422
    assert now_is(bakery).payment_methods == ("cash_on_delivery",)


def test_a_shop_that_nobody_could_pay_does_not_open_and_is_led_to_where_that_is_decided(
    client_at, within, bakery
) -> None:
    alicia = client_at("app", as_="alicia")
    post(alicia, "/ajustes/pausa", page="/ajustes/publicacion")
    assert post(alicia, "/ajustes/pagos", methods=["cash_on_delivery"]).status_code == 303
    assert "Di cómo te pagan" in alicia.get("/ajustes/publicacion").text
    refused = post(alicia, "/ajustes/publicacion")
    assert (refused.status_code, refused.location) == (303, "/ajustes/pagos")
    assert "Así nadie podría pagarte" in alicia.get("/ajustes/pagos").text
    assert now_is(bakery).status == "draft"

    assert post(alicia, "/ajustes/pagos", methods=["cash_on_delivery", "pay_at_shop"]).status_code == 303
    page = alicia.get("/ajustes/publicacion").text
    assert "Di cómo te pagan" not in page
    assert post(alicia, "/ajustes/publicacion").location == "/compartir"
    assert now_is(bakery).status == "live"


def test_an_open_shop_that_stopped_delivering_is_told_that_nobody_can_pay(client_at, within, bakery) -> None:
    alicia, zone = client_at("app", as_="alicia"), a_zone(bakery)
    post(alicia, "/ajustes/pagos", methods=["cash_on_delivery"])
    with within(bakery):
        assert [step.optional for step in setup_steps(now_is(bakery)) if step.key == "pay"] == [True]
        change_zone(zone, 1, ZoneDetails("Centro", 4_000, active=False), SYSTEM)
        assert [(step.done, step.optional) for step in setup_steps(now_is(bakery)) if step.key == "pay"] == [
            (False, False)
        ]


@pytest.mark.parametrize(("typed", "expected"), [("8", 800), ("0", 0), ("10.5", 1050)])
def test_the_tax_rate_is_kept_in_basis_points(client_at, bakery, typed: str, expected: int) -> None:
    assert (
        post(client_at("app", as_="alicia"), "/ajustes/impuesto", page="/ajustes/pagos", rate=typed).status_code == 303
    )
    assert now_is(bakery).tax_rate_bp == expected


def test_the_rates_of_other_classes_and_how_prices_are_written_are_kept(client_at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/ajustes/pagos").text
    assert "Región fronteriza" in page

    post(alicia, "/ajustes/impuesto", page="/ajustes/pagos", rate="16", rate_reduced="9", inside="no")

    assert (now_is(bakery).tax_rates, now_is(bakery).prices_include_tax) == ({"reduced": 900}, False)
    post(alicia, "/ajustes/impuesto", page="/ajustes/pagos", rate="16", rate_reduced="8", inside="yes")
    assert (now_is(bakery).tax_rates, now_is(bakery).prices_include_tax) == ({}, True)


@pytest.mark.parametrize("wrong", [{"rate_reduced": "51"}, {"rate_reduced": "-1"}, {"inside": "perhaps"}])
def test_a_wrong_rate_of_another_class_is_refused_and_changes_nothing(client_at, bakery, wrong) -> None:
    typed = {"rate": "16", "rate_reduced": "8", "inside": "no"} | wrong
    assert post(client_at("app", as_="alicia"), "/ajustes/impuesto", page="/ajustes/pagos", **typed).status_code == 422
    assert now_is(bakery) == bakery


@pytest.mark.parametrize("typed", ["51", "-1", "mucho", "NaN", "1e9"])
def test_a_tax_beyond_reason_is_refused(client_at, bakery, typed: str) -> None:
    assert (
        post(client_at("app", as_="alicia"), "/ajustes/impuesto", page="/ajustes/pagos", rate=typed).status_code == 422
    )
    assert now_is(bakery) == bakery


def test_the_countrys_language_always_stays(client_at, bakery) -> None:
    assert post(client_at("app", as_="alicia"), "/ajustes/idiomas", languages=["pt", "en"]).status_code == 303
    assert now_is(bakery).locales == ("es_MX", "pt", "en")


def test_tastes_are_tidied_and_bounded(client_at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    data = {"tastes": "Dulce,  salado , dulce,\nSin  gluten"}
    assert post(alicia, "/ajustes/gustos", page="/ajustes/idiomas", **data).status_code == 303
    assert now_is(bakery).tastes == ("dulce", "salado", "sin gluten")
    for typed in (",".join(f"gusto{n}" for n in range(13)), "x" * 25):
        assert post(alicia, "/ajustes/gustos", page="/ajustes/idiomas", tastes=typed).status_code == 422
    assert now_is(bakery).tastes == ("dulce", "salado", "sin gluten")


def test_the_address_moves_only_before_the_shop_was_open(client_at, at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    move = {"page": "/ajustes/tienda", "slug": "la-espiga"}
    assert post(alicia, "/ajustes/direccion", **move).status_code == 409
    assert now_is(bakery).slug == "espiga"
    post(alicia, "/ajustes/pausa", page="/ajustes/publicacion")
    assert post(alicia, "/ajustes/direccion", page="/ajustes/tienda", slug="admin").status_code == 422
    assert post(alicia, "/ajustes/direccion", page="/ajustes/tienda", slug="posada").status_code == 422
    assert post(alicia, "/ajustes/direccion", **move).status_code == 303
    assert at("la-espiga.portales.test").get("/").status_code == 200
    assert at("espiga.portales.test").get("/").status_code == 404


def test_the_trail_names_an_order_by_its_code(client_at, within, bakery) -> None:
    with within(bakery):
        order = an_order(a_product("Concha", stock=5), confirmed=True)

    trail = " ".join(client_at("app", as_="alicia").get("/ajustes/bitacora?sobre=order").text.split())

    assert f"confirmó · Pedidos {order.code}" in trail


def test_the_trail_is_read_by_the_owner_and_by_nobody_of_another_shop(client_at) -> None:
    alicia, carla = client_at("app", as_="alicia"), client_at("app", as_="carla")
    post(alicia, "/ajustes/tienda", **{**FACTS, "tagline": "Algo nuevo"})
    assert "cambió los datos de la tienda" in alicia.get("/ajustes/bitacora").text
    assert "cambió los datos de la tienda" in alicia.get("/ajustes/bitacora?sobre=shop").text
    assert "cambió los datos" not in carla.get("/ajustes/bitacora").text
    assert client_at("app", as_="beto").get("/ajustes/bitacora").status_code == 403


def test_a_colour_that_is_not_among_the_twelve_doors_is_kept(client_at, bakery) -> None:
    page = client_at("app", as_="alicia").get("/ajustes/aspecto").text
    assert f'name="hue" value="{bakery.hue}" checked' in page


EXTRAS = "/ajustes/empaque-y-propinas"


def test_an_owner_charges_for_packaging_and_takes_tips_until_they_say_otherwise(client_at, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    assert (bakery.packaging_minor, bakery.takes_tips) == (0, False)
    typed = {"packaging": "12.50", "packaging_for": ["delivery"], "takes_tips": "y", "percents": "10 %, 5,15"}
    assert post(alicia, EXTRAS, **typed).status_code == 303
    now = now_is(bakery)
    assert (now.packaging_minor, now.packaging_for) == (1_250, ("delivery",))
    assert (now.takes_tips, now.tip_percents) == (True, (5, 10, 15))
    page = alicia.get(EXTRAS).text
    assert 'value="12.50"' in page
    assert 'value="5, 10, 15"' in page

    assert post(alicia, EXTRAS, percents="5, 10, 15").status_code == 303
    now = now_is(bakery)
    assert (now.packaging_minor, now.takes_tips, now.tip_percents) == (0, False, (5, 10, 15))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"packaging": "12"}, "Elige en qué pedidos se cobra el empaque"),
        ({"packaging": "-1", "packaging_for": ["pickup"]}, "packaging-error"),
        ({"packaging": "mucho", "packaging_for": ["pickup"]}, "packaging-error"),
        ({"takes_tips": "y", "percents": "5, 10, 15, 20"}, "hasta tres porcentajes"),
        ({"takes_tips": "y", "percents": "50"}, "hasta tres porcentajes"),
        ({"takes_tips": "y", "percents": "0"}, "hasta tres porcentajes"),
        ({"takes_tips": "y", "percents": "diez"}, "hasta tres porcentajes"),
    ],
)
def test_packaging_for_nobody_and_tips_beyond_reason_are_refused(client_at, bakery, typed, sentence) -> None:
    answer = post(client_at("app", as_="alicia"), EXTRAS, **typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert all(f'value="{value}"' in answer.text for name, value in typed.items() if name in {"packaging", "percents"})
    assert now_is(bakery) == bakery
