"""Opening a shop: one form, straight in, a draft until its owner says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from storefront.inventory.models import Location
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db, engine_of
from storefront.kernel.mail import MailMessage
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import directory
from tenants.actions import NewShop, open_shop, publish_shop
from tenants.contacts import Contact
from tenants.models import Tenant
from tenants.naming import NameNotAllowed, check_name, check_slug, slug_of
from tenants.passwords import WeakPassword, check_password
from tenants.people import Credentials
from tests.tenants.conftest import PASSWORD, follow, post
from tests.world import PASSWORD as ALICIAS

FORM = {"name": "Miel de la Sierra", "country": "MX", "contact": "951 123 4567", "password": PASSWORD}


def shops() -> int:
    with engine_of("router").connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(Tenant)) or 0)


def test_signing_up_leads_into_a_working_dashboard(at, cast, drain) -> None:
    street, desk = at("portales.test"), at("app.portales.test")
    opened = street.post("/abrir", data={**FORM, "contact": "rosa@example.com"})
    assert opened.status_code == 303
    assert opened.location.startswith("https://app.portales.test/entrar/con?token=")
    assert "Set-Cookie" not in opened.headers, "the street keeps no session"

    home = follow(desk, follow(desk, opened))
    assert home.status_code == 200
    assert "Miel de la Sierra" in home.text
    assert "Sube tu primer producto con foto" in home.text

    shop = directory().by_host("miel-de-la-sierra.portales.test")
    assert shop is not None
    assert (shop.status, shop.currency, shop.timezone, shop.locale, shop.tax_rate_bp) == (
        "draft", "MXN", "America/Mexico_City", "es_MX", 1600,
    )  # fmt: skip
    assert set(shop.payment_methods) == {"cash_on_delivery", "pay_at_shop"}
    drain(shop)


def test_opening_writes_the_default_place_a_line_in_the_trail_and_a_letter(cast, within, drain) -> None:
    made = open_shop(
        NewShop("Miel", "CL", email="rosa@example.com"), Credentials(Contact("rosa@example.com"), PASSWORD)
    )
    with within(made.shop):
        assert db.session.scalar(select(func.count()).select_from(Location).where(Location.is_default)) == 1
        assert db.session.scalar(select(LogEntry.verb).where(LogEntry.subject_type == "shop")) == "opened"
        assert db.session.scalar(select(OutboxRow.event).limit(1)) == "ShopOpened"
    drain(made.shop)
    with within(made.shop):
        letters = db.session.scalars(select(MailMessage.to_address)).all()
    assert letters == ["rosa@example.com"]


def test_bank_details_at_the_start_switch_transfers_on(cast) -> None:
    made = open_shop(NewShop("Miel", "BO", bank_details="Banco 1"), Credentials(Contact("r@example.com"), PASSWORD))
    assert "bank_transfer" in made.shop.payment_methods


def test_the_way_in_after_sign_up_works_once_and_not_for_a_second_browser(at, cast) -> None:
    opened = at("portales.test").post("/abrir", data=FORM)
    first, second = at("app.portales.test"), at("app.portales.test")
    assert follow(first, opened).location == "/hoy"
    assert follow(second, opened).location == "/entrar"
    assert second.get("/hoy").status_code == 303


def test_the_way_in_dies_after_a_minute(at, cast, later_by) -> None:
    opened = at("portales.test").post("/abrir", data=FORM)
    with later_by(61):
        assert follow(at("app.portales.test"), opened).location == "/entrar"


@pytest.fixture
def later_by() -> Callable[[int], object]:
    import datetime

    import time_machine

    def later(seconds: int) -> object:
        return time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds), tick=True)

    return later


@pytest.mark.parametrize(
    "slug",
    ["app", "www", "api", "admin", "partners", "static", "mail", "portales", "p0rtales", "porta1es", "portaies",
     "portales-pagos", "soporte-portales", "adrnin", "xn--portles-9ya", "vvww"],
)  # fmt: skip
def test_reserved_and_look_alike_addresses_are_refused(at, cast, slug: str) -> None:
    before = shops()
    answer = at("portales.test").post("/abrir", data={**FORM, "slug": slug})
    assert answer.status_code == 422
    assert "Miel de la Sierra" in answer.text, "what was typed is kept"
    assert shops() == before


@pytest.mark.parametrize("slug", ["los-portales", "portales-oaxaca", "la-espiga-2", "panaderia"])
def test_ordinary_addresses_are_allowed(slug: str) -> None:
    check_slug(slug)


@pytest.mark.parametrize("name", ["Portales", "PORTALES", "Роrtаlеs", "Soporte Portales", "Pörtales"])
def test_a_name_that_reads_like_the_platform_is_refused(name: str) -> None:
    with pytest.raises(NameNotAllowed):
        check_name(name)


def test_a_name_gives_an_address_even_when_it_is_a_kept_word(cast) -> None:
    assert slug_of("Panadería La Espiga") == "panaderia-la-espiga"
    check_slug(slug_of("Tienda"))
    check_slug(slug_of("¡!"))


def test_a_taken_address_is_answered_with_a_free_one_ready_to_send(at, cast) -> None:
    client, before = at("portales.test"), shops()
    answer = client.post("/abrir", data={**FORM, "slug": "espiga"})
    assert answer.status_code == 422
    assert 'value="espiga-mx"' in answer.text
    assert shops() == before
    assert client.post("/abrir", data={**FORM, "slug": "espiga-mx"}).status_code == 303


def test_a_derived_address_that_is_taken_does_not_stop_anybody(at, cast) -> None:
    for expected in ("miel-de-la-sierra", "miel-de-la-sierra-mx"):
        answer = at("portales.test").post("/abrir", data={**FORM, "contact": f"{expected}@example.com"})
        assert answer.status_code == 303
        assert directory().by_host(f"{expected}.portales.test") is not None


@pytest.mark.parametrize(
    "password", ["corta", "contraseña123", "1234567890", "aaaaaaaaaaaa", "qwertyuiop1", "abcdefghijkl", "9511234567"]
)
def test_weak_passwords_are_refused_before_anything_is_written(at, cast, password: str) -> None:
    before = shops()
    assert at("portales.test").post("/abrir", data={**FORM, "password": password}).status_code == 422
    assert shops() == before


def test_a_password_may_not_be_the_contact() -> None:
    with pytest.raises(WeakPassword):
        check_password("rosa.maria@example.com", "rosa.maria@example.com")
    with pytest.raises(WeakPassword):
        check_password("rosa.maria.lopez", "rosa.maria.lopez@example.com")


def test_somebody_elses_contact_opens_nothing_and_is_not_told_apart_from_a_typing_error(at, cast) -> None:
    before = shops()
    answer = at("portales.test").post("/abrir", data={**FORM, "contact": "alicia@example.com"})
    assert answer.status_code == 422
    assert "Revisa tu contacto y tu contraseña, o entra si ya tienes cuenta" in answer.text
    assert shops() == before


def test_with_their_password_an_owner_opens_a_second_shop(at, cast) -> None:
    answer = at("portales.test").post("/abrir", data={**FORM, "contact": "Alicia@Example.com", "password": ALICIAS})
    assert answer.status_code == 303
    desk = at("app.portales.test")
    assert "Miel de la Sierra" in follow(desk, follow(desk, answer)).text
    assert "Panadería La Espiga" in desk.get("/tiendas").text


def test_tries_at_somebodys_contact_end_after_five(at, cast) -> None:
    client = at("portales.test")
    seen = [client.post("/abrir", data={**FORM, "contact": "alicia@example.com"}).status_code for _ in range(6)]
    assert seen == [422] * 5 + [429]


def test_typing_errors_use_no_try_up(at, cast) -> None:
    client = at("portales.test")
    for _ in range(7):
        assert client.post("/abrir", data={**FORM, "password": "corta"}).status_code == 422
    assert client.post("/abrir", data=FORM).status_code == 303


def test_a_draft_opens_soon_for_visitors_and_now_for_its_staff(at, cast) -> None:
    desk, visitor = at("app.portales.test"), at("miel-de-la-sierra.portales.test")
    follow(desk, at("portales.test").post("/abrir", data=FORM))
    closed = visitor.get("/")
    assert closed.status_code == 200
    assert "Abre pronto" in closed.text
    assert "Abre pronto" in visitor.get("/carrito").text

    way = desk.get("/mi-tienda").location
    assert way.startswith("https://miel-de-la-sierra.portales.test/_ver?token=")
    inside = at("miel-de-la-sierra.portales.test")
    shown = follow(inside, inside.get(way.removeprefix("https://miel-de-la-sierra.portales.test")))
    assert "Abre pronto" not in shown.text
    assert "todavía no está abierta" in shown.text
    assert "Abre pronto" in visitor.get("/").text, "the preview is one browser's"


def test_a_forged_or_anothers_preview_shows_nothing(at, cast) -> None:
    first, second = at("app.portales.test"), at("app.portales.test")
    follow(first, at("portales.test").post("/abrir", data=FORM))
    follow(second, at("portales.test").post("/abrir", data={**FORM, "name": "Otra cosa", "contact": "o@example.com"}))
    others = second.get("/mi-tienda").location.partition("?")[2]
    visitor = at("miel-de-la-sierra.portales.test")
    for query in (others, "token=abc", ""):
        visitor.get(f"/_ver?{query}")
        assert "Abre pronto" in visitor.get("/").text


def test_publishing_opens_the_door_at_once_and_unpublishing_shuts_it(at, cast) -> None:
    desk, visitor = at("app.portales.test"), at("miel-de-la-sierra.portales.test")
    follow(desk, at("portales.test").post("/abrir", data=FORM))
    assert "Abre pronto" in visitor.get("/").text
    assert post(desk, "/ajustes/publicacion").status_code == 303
    assert "Abre pronto" not in visitor.get("/").text
    assert post(desk, "/ajustes/pausa", page="/ajustes/publicacion").status_code == 303
    assert "Abre pronto" in visitor.get("/").text


def test_the_landing_is_light_and_shows_the_open_doors_only(at, cast) -> None:
    page = at("portales.test").get("/")
    assert page.status_code == 200
    assert "Panadería La Espiga" in page.text
    assert "Flores del Valle" not in page.text
    assert len(page.data) < 16_000
    assert "Set-Cookie" not in page.headers
    assert "public" in page.headers["Cache-Control"]


def test_publishing_through_the_action_is_counted_as_a_version(cast, within) -> None:
    made = open_shop(NewShop("Miel", "UY"), Credentials(Contact("r@example.com"), PASSWORD))
    with within(made.shop):
        from storefront.kernel.audit import SYSTEM

        publish_shop(SYSTEM)
    seen = directory().by_id(made.shop.id)
    assert seen is not None
    assert (seen.status, seen.version) == ("live", made.shop.version + 1)
