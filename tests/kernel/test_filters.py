"""Money, times and numbers as people of each country write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
from flask_babel import force_locale
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from storefront.kernel import filters
from storefront.kernel.countries import COUNTRIES, Country
from storefront.kernel.money import LARGEST_MINOR, Money, format_money, home_symbol, parse_money
from storefront.kernel.tenancy import Shop
from tests.kernel.edge import BAKERY, CRAFTS, INN, edge_app, on_page_of

SATURDAY = datetime(2026, 3, 14, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shop", "minor", "written"),
    [
        (BAKERY, 125_000, "$1,250.00"), (INN, 1_250, "$1.250"), (CRAFTS, 125_000, "Bs\u00a01.250,00"),
        (BAKERY, -500, "-$5.00"), (BAKERY, 0, "$0.00"),
    ],
)  # fmt: skip
def test_money_is_written_as_in_the_shops_country(shop: Shop, minor: int, written: str) -> None:
    with on_page_of(edge_app(), shop):
        assert filters.money_minor(minor) == written
        assert filters.money(Money(minor, shop.currency)) == written


def test_a_page_in_another_language_writes_numbers_in_that_language() -> None:
    with on_page_of(edge_app(), CRAFTS), force_locale("pt_BR"):
        assert filters.money_minor(125_000) == "Bs\u00a01.250,00"
        assert filters.money_minor(125_000, "BRL") == "R$\u00a01.250,00"
    with on_page_of(edge_app(), CRAFTS), force_locale("en"):
        assert filters.money_minor(-18_000) == "-Bs\u00a0180.00"


def test_a_couriers_page_belongs_to_no_shop_and_writes_money_as_at_home() -> None:
    with on_page_of(edge_app(), None):
        assert filters.money_at_home(Money(3_000, "BOB"), "es_BO") == "Bs\u00a030,00"
        assert filters.money_at_home(Money(3_000, "MXN"), "es_MX") == "$30.00"


def test_a_text_goes_into_an_address_as_people_read_it() -> None:
    app = edge_app()
    with on_page_of(app, BAKERY):
        chat = app.jinja_env.from_string(
            "{% autoescape true %}{{ text|urlencode }} {{ plain|urlencode }}{% endautoescape %}"
        )
        said = Markup("Hola %(name)s &middot; %(shop)s") % {"name": "D'Angelo", "shop": "Café & Pan <3"}
        assert chat.render(text=said, plain="a&amp;b") == (
            "Hola%20D%27Angelo%20%C2%B7%20Caf%C3%A9%20%26%20Pan%20%3C3 a%26amp%3Bb"
        )


def test_a_bare_dollar_sign_is_said_to_be_whose_to_readers_of_another_language() -> None:
    with on_page_of(edge_app(), BAKERY), force_locale("en"):
        assert filters.money_minor(125_000) == "MX$1,250.00"
    with on_page_of(edge_app(), INN), force_locale("pt"):
        assert filters.money_minor(1_250) == "CLP\u00a01.250"


@pytest.mark.parametrize("language", ["es", "pt", "en"])
@pytest.mark.parametrize("country", COUNTRIES.values(), ids=lambda country: country.code)
def test_every_countrys_money_keeps_its_sign_in_every_language_and_can_be_read_back(
    country: Country, language: str
) -> None:
    shop = replace(BAKERY, country=country.code, currency=country.currency, locale=country.locale)
    sign = home_symbol(country.currency, country.locale)
    is_abroad = not country.locale.startswith(language)

    @given(st.integers(0, LARGEST_MINOR))
    @settings(max_examples=25, deadline=None)
    def holds(minor: int) -> None:
        text = filters.money_minor(minor)
        assert parse_money(text, country.currency) == Money(minor, country.currency)
        assert " " not in text
        if is_abroad and sign:
            assert text.startswith(sign)
            assert country.currency not in text
        elif is_abroad:
            assert not text.startswith("$") or (country.currency, language) == ("USD", "en")

    with on_page_of(edge_app(), shop), force_locale(language):
        holds()


def test_at_home_nothing_but_the_countrys_own_way_of_writing_is_used() -> None:
    for country in COUNTRIES.values():
        shop = replace(BAKERY, country=country.code, currency=country.currency, locale=country.locale)
        with on_page_of(edge_app(), shop), force_locale(country.locale):
            money = Money(123_456, country.currency)
            written = filters.money(money).replace("\u00a0", "")
            assert written == format_money(money, country.locale).replace("\u00a0", "").replace(" ", "")


@pytest.mark.parametrize(
    ("locale", "day", "moment", "whole"),
    [
        ("es_MX", "sábado 14", "sábado 14 de marzo, 10:00", "14 de marzo de 2026"),
        ("pt_BR", "sábado, 14", "sábado, 14 de março, 10:00", "14 de março de 2026"),
        ("en", "Saturday 14", "Saturday, March 14, 10:00", "March 14, 2026"),
    ],
)
def test_times_are_the_shops_own(locale: str, day: str, moment: str, whole: str) -> None:
    with on_page_of(edge_app(), BAKERY), force_locale(locale):
        assert filters.day(SATURDAY) == day
        assert filters.datetime_local(SATURDAY) == moment
        assert filters.full_date(SATURDAY) == whole
        assert filters.machine_datetime(SATURDAY) == "2026-03-14T10:00-06:00"


def test_a_late_hour_belongs_to_the_shops_day_and_a_plain_date_stays_itself() -> None:
    with on_page_of(edge_app(), INN):
        assert filters.day(datetime(2026, 3, 15, 2, 30, tzinfo=UTC)) == "sábado 14"
        assert filters.day(date(2026, 3, 15)) == "domingo 15"
        assert filters.month(date(2026, 3, 1)) == "marzo de 2026"
        assert filters.time(time(9, 5)) == "09:05"


def test_a_naive_time_is_a_bug() -> None:
    with on_page_of(edge_app(), BAKERY), pytest.raises(ValueError, match="naive"):
        filters.time(datetime(2026, 3, 14, 16, 0))  # noqa: DTZ001 (that is the point)


def test_a_telephone_is_national_at_home_and_international_from_abroad() -> None:
    with on_page_of(edge_app(), BAKERY):
        assert filters.phone("+529511234567") == "951 123 4567"
        assert filters.phone("+59171234567") == "+591 71234567"
        assert filters.phone("no es un número") == "no es un número"


def test_percentages_show_only_the_decimals_they_have() -> None:
    with on_page_of(edge_app(), BAKERY):
        assert [filters.percent(bp) for bp in (1600, 1650, 5)] == ["16\u00a0%", "16.5\u00a0%", "0.05\u00a0%"]


def test_templates_know_every_filter() -> None:
    app = edge_app()
    with on_page_of(app, BAKERY):
        page = app.jinja_env.from_string(
            "{{ n|money_minor }} {{ t|date }} {{ t|time }} {{ 1600|percent }} {{ shop.name }}"
        )
        assert page.render(n=100, t=SATURDAY) == "$1.00 14 de marzo de 2026 10:00 16\u00a0% Panadería La Espiga"
