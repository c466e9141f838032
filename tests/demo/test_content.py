"""The demonstration's shops: complete, consistent with themselves, and saleable as they stand."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from storefront.demo.content import DAYS, DemoProduct, DemoShop
from storefront.demo.people import CUSTOMERS, PARTNERS
from storefront.demo.shops import SHOPS, shop_called
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.ids import normal_code
from storefront.reservations import setup, slots

PRODUCTS = [(shop, product) for shop in SHOPS for product in shop.products]
SERVICES = [(shop, product) for shop, product in PRODUCTS if product.service]


def test_there_is_enough_to_fill_the_windows() -> None:
    assert len(PRODUCTS) >= 60
    assert {shop.theme for shop in SHOPS} == {"mostrador", "taller", "posada", "vitrina"}


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.slug)
def test_addresses_and_article_numbers_are_unique_in_a_shop(shop: DemoShop) -> None:
    slugs = [product.slug for product in shop.products]
    skus = [variant.sku for product in shop.products for variant in product.variants]
    assert len(set(slugs)) == len(slugs)
    assert len(set(skus)) == len(skus)
    assert all(skus)


def test_no_two_products_share_a_picture() -> None:
    pictures = [product.picture for _, product in PRODUCTS]
    assert len(set(pictures)) == len(pictures)


def test_prices_are_positive_and_stock_is_counted_or_made_to_order() -> None:
    for _, product in PRODUCTS:
        assert product.price_minor > 0
        assert product.variants
        for variant in product.variants:
            assert variant.price_minor is None or variant.price_minor > 0, variant.sku
            assert variant.stock is None or variant.stock > 0, variant.sku


def test_prices_look_like_prices_people_ask_there() -> None:
    for shop, product in PRODUCTS:
        step = {"MXN": 100, "BOB": 50, "CLP": 500}[shop.currency]
        for price in (product.price_minor, *(v.price_minor for v in product.variants if v.price_minor)):
            assert price % step == 0, product.slug


def test_variants_of_a_product_are_told_apart() -> None:
    for _, product in PRODUCTS:
        names = [variant.name for variant in product.variants]
        assert len(set(names)) == len(names), product.slug
        assert len(names) == 1 or all(names), product.slug


def test_pictures_are_described_for_those_who_do_not_see_them() -> None:
    for _, product in PRODUCTS:
        assert len(product.alt) >= 20, product.slug
        assert product.alt.casefold() != product.name.casefold(), product.slug
        assert not product.alt.casefold().startswith(("imagen", "foto", "ilustración")), product.slug
    assert len({product.alt for _, product in PRODUCTS}) == len(PRODUCTS)


def test_descriptions_say_something_and_stay_short() -> None:
    for _, product in PRODUCTS:
        assert 40 <= len(product.description) <= 260, product.slug
        assert product.description.endswith("."), product.slug


def test_every_product_stands_on_a_shelf_of_its_shop_and_no_shelf_is_empty() -> None:
    for shop in SHOPS:
        shelves = {category.slug for category in shop.categories}
        used = {product.category for product in shop.products}
        assert used <= shelves, shop.slug
        assert not shop.products or used == shelves, shop.slug


def test_every_taste_offered_leads_to_a_product() -> None:
    for shop in SHOPS:
        tags = set(chain.from_iterable(product.tags for product in shop.products))
        assert set(shop.tastes) <= tags, shop.slug


def _texts_missing(product: DemoProduct, language: str) -> bool:
    texts = product.translations.get(language, {})
    return not (texts.get("name") and texts.get("description"))


def test_illimani_speaks_portuguese_and_english_throughout() -> None:
    shop = shop_called("illimani")
    for language in shop.locales[1:]:
        assert not [product.slug for product in shop.products if _texts_missing(product, language)]
        assert all(category.translations[language]["name"] for category in shop.categories)
        assert set(shop.translations[language]) == {"tagline", "about"}
        told = [product.translations[language]["description"] for product in shop.products]
        assert not set(told) & {product.description for product in shop.products}


def test_services_have_places_and_hours_a_resource_accepts() -> None:
    assert SERVICES
    for _, product in SERVICES:
        assert product.kind == "service"
        assert product.service is not None
        assert product.service.capacity >= 1
        checked = setup.checked_hours(product.service.hours)
        assert any(checked.values()), product.slug


def test_what_is_no_service_is_goods() -> None:
    assert {product.kind for _, product in PRODUCTS if product.service is None} == {"goods"}


def test_each_outing_leaves_at_the_times_it_says_and_no_other() -> None:
    zone = ZoneInfo("America/Santiago")
    for product in shop_called("posada").products:
        service = product.service
        if service is None or service.unit == "night" or product.slug == "desayuno":
            continue
        days = [date(2026, 11, 2) + timedelta(days=n) for n in range(7)]
        started = {
            start.astimezone(zone).strftime("%H:%M")
            for day in days
            for start in slots.starts(
                slots.opening(service.hours, day, zone),
                timedelta(minutes=service.duration_min),
                timedelta(minutes=service.step_min),
            )
        }
        assert tuple(sorted(started)) == service.departures, product.slug


def test_shops_belong_to_their_country() -> None:
    for shop in SHOPS:
        pack = COUNTRIES[shop.country]
        assert (shop.currency, shop.timezone, shop.locale) == (pack.currency, pack.timezone, pack.locale)
        assert {zone.region for zone in shop.zones} - {None} <= set(pack.regions)
        assert phonenumbers.is_valid_number(phonenumbers.parse(shop.phone))
        assert set(shop.hours) <= set(DAYS)
        assert "fictici" in shop.bank_details


def test_customers_are_invented_but_reachable_in_form() -> None:
    phones = [customer.phone for customer in CUSTOMERS]
    assert len(CUSTOMERS) >= 15
    assert len(set(phones)) == len(phones)
    for customer in CUSTOMERS:
        assert phonenumbers.is_valid_number(phonenumbers.parse(customer.phone)), customer.name
        assert not customer.email or customer.email.endswith("@example.com"), customer.name
        assert set(customer.tastes) <= set(chain.from_iterable(p.tags for p in shop_called(customer.shop).products))


def test_customers_live_where_their_shop_delivers_and_say_by_which_landmark() -> None:
    for customer in CUSTOMERS:
        address = customer.address
        if address is None:
            continue
        assert address.region in COUNTRIES[address.country].regions
        assert len(address.reference) >= 15
        zones = shop_called(customer.shop).zones
        assert any(not zone.localities or address.locality in zone.localities for zone in zones), customer.name
        middle = {"MX": (17.06, -96.72), "BO": (-16.51, -68.12)}[address.country]
        assert abs(address.lat - middle[0]) < 0.2, customer.name
        assert abs(address.lng - middle[1]) < 0.2, customer.name


def test_partners_carry_for_shops_that_deliver() -> None:
    for _, _, shop, _, phone in PARTNERS:
        assert shop_called(shop).zones
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone))


def test_there_is_a_promotion_by_itself_and_one_with_a_code_for_shelves_that_exist() -> None:
    gifts = [(shop, gift) for shop in SHOPS for gift in shop.promotions]
    assert {bool(gift.coupon) for _, gift in gifts} == {True, False}
    for shop, gift in gifts:
        assert set(gift.categories) <= {category.slug for category in shop.categories}
        assert 0 < gift.percent < 50
        assert gift.coupon == normal_code(gift.coupon)
