"""What people type: made clean, read as their country means it, or refused with a sentence and shown again as typed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wtforms import DateField, DecimalField, IntegerField, PasswordField, StringField, TextAreaField

from storefront.kernel.forms import (
    CoordinateField,
    EmailField,
    Form,
    MoneyField,
    PhoneField,
    PlusCodeField,
    QuantityField,
    SlugField,
)
from storefront.kernel.tenancy import Shop
from tests.kernel.edge import BAKERY, CRAFTS, INN, edge_app, on_page_of

EDGE = edge_app()


class Everything(Form):
    name = StringField("Nombre")
    note = TextAreaField("Nota")
    password = PasswordField("Contraseña")
    price = MoneyField("Precio")
    phone = PhoneField("Teléfono")
    email = EmailField("Correo")
    slug = SlugField("Dirección")
    count = IntegerField("Cuántos")
    weight = DecimalField("Peso")
    day = DateField("Día")
    lat = CoordinateField("Latitud", limit=90)
    plus_code = PlusCodeField("Código plus")


def fill(shop: Shop = BAKERY, **typed: str) -> tuple[Form, dict[str, Any]]:
    """The form as sent with `typed`, and the errors of the fields that were typed into."""
    with on_page_of(EDGE, shop, method="POST", data=typed):
        form = Everything()
        form.validate_on_submit()
        return form, {name: form.errors[name] for name in typed if name in form.errors}


def test_text_is_trimmed_and_brought_to_one_form() -> None:
    form, errors = fill(name="  Jose\u0301   Pe\u202erez ", note=" uno\r\n\r\ndos  ", password="  mía ")

    assert errors == {}
    assert form.name.data == "José Perez"
    assert form.note.data == "uno\n\ndos"
    assert form.password.data == "  mía "


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "x" * 201}, {"note": "x" * 5001}, {"name": "a\nb"}, {"name": "a\x07b"}, {"note": "a\x07b"},
        {"count": "99999999999"}, {"count": "9" * 5000}, {"weight": "NaN"}, {"weight": "Infinity"},
        {"day": "0001-01-01"}, {"day": "9999-12-31"}, {"email": "x" * 300 + "@a.com"},
    ],
)  # fmt: skip
def test_every_field_is_bounded_without_saying_so(typed: dict[str, str]) -> None:
    _, errors = fill(**typed)
    assert list(errors) == list(typed)


@pytest.mark.parametrize(
    ("shop", "typed", "minor"),
    [
        (BAKERY, "1,250.50", 125_050), (BAKERY, "1250.5", 125_050), (BAKERY, "$ 1,250", 125_000),
        (CRAFTS, "1.250,50", 125_050), (CRAFTS, "Bs 1.250,50", 125_050), (INN, "$1.250", 1_250), (INN, "1250", 1_250),
        (BAKERY, "0", 0),
    ],
)  # fmt: skip
def test_amounts_are_read_as_the_country_writes_them(shop: Shop, typed: str, minor: int) -> None:
    form, errors = fill(shop, price=typed)
    assert errors == {}
    assert form.price.data == minor


@pytest.mark.parametrize(
    ("shop", "typed"), [(BAKERY, "doce"), (BAKERY, "-5"), (BAKERY, "1e5"), (INN, "12,50"), (BAKERY, "9" * 40)]
)
def test_an_amount_that_cannot_be_read_is_shown_again_as_typed(shop: Shop, typed: str) -> None:
    with on_page_of(EDGE, shop, method="POST", data={"price": typed}):
        form = Everything()
        assert not form.validate_on_submit()
        assert form.price.data is None
        assert f'value="{typed}"' in form.price()


@settings(max_examples=200, deadline=None)
@given(minor=st.integers(0, 10**12), shop=st.sampled_from([BAKERY, CRAFTS, INN]))
def test_an_amount_shown_in_a_form_is_read_back_as_itself(minor: int, shop: Shop) -> None:
    with on_page_of(EDGE, shop):
        shown = Everything(price=minor).price._value()
    assert fill(shop, price=shown)[0].price.data == minor


@pytest.mark.parametrize(
    ("shop", "typed", "number"),
    [
        (BAKERY, "951 123 4567", "+529511234567"), (BAKERY, "044 951 123 4567", "+529511234567"),
        (BAKERY, "045-951-123-4567", "+529511234567"), (BAKERY, "+52 1 951 123 4567", "+529511234567"),
        (BAKERY, "01 951 123 4567", "+529511234567"), (BAKERY, "(951) 123-4567", "+529511234567"),
        (CRAFTS, "71234567", "+59171234567"), (INN, "9 6123 4567", "+56961234567"),
        (CRAFTS, "+52 951 123 4567", "+529511234567"),
    ],
)  # fmt: skip
def test_telephones_become_one_form_however_they_are_typed(shop: Shop, typed: str, number: str) -> None:
    form, errors = fill(shop, phone=typed)
    assert errors == {}
    assert form.phone.data == number


@pytest.mark.parametrize("typed", ["123", "abc", "951 123 45678901", "+1", "951 123 4567 ext 9"])
def test_half_a_telephone_is_refused_and_shown_again(typed: str) -> None:
    form, errors = fill(phone=typed)
    assert "phone" in errors
    assert form.phone.data is None
    with on_page_of(EDGE, BAKERY):
        assert form.phone._value() == typed


@pytest.mark.parametrize("typed", ["ana@ejemplo.com", "ana.lópez+pan@Ejemplo.COM.mx", "a@xn--espaa-rta.es"])
def test_plain_mail_addresses_pass(typed: str) -> None:
    form, errors = fill(email=typed)
    assert errors == {}
    assert form.email.data.rpartition("@")[2].islower()


@pytest.mark.parametrize(
    "typed",
    [
        "ana", "ana@", "@ejemplo.com", "ana@ejemplo", "a b@ejemplo.com", "ana@ejemplo..com", "ana@-x.com",
        "ana@ejemplo.com, otra@ejemplo.com", "ana@ejemplo.com\r\nBcc: x@y.z", "<ana@ejemplo.com>", ".ana@ejemplo.com",
    ],
)  # fmt: skip
def test_anything_but_one_mail_address_is_refused(typed: str) -> None:
    form, errors = fill(email=typed)
    assert "email" in errors
    assert form.email.data is None


@pytest.mark.parametrize(("typed", "slug"), [("La-Espiga", "la-espiga"), ("pan24", "pan24"), ("abc", "abc")])
def test_names_for_addresses(typed: str, slug: str) -> None:
    assert fill(slug=typed)[0].slug.data == slug


@pytest.mark.parametrize(
    "typed", ["ab", "-pan", "pan-", "pan--dulce", "panadería", "a.b", "x" * 41, "pan dulce", "xn--a/../b"]
)
def test_names_that_cannot_be_addresses(typed: str) -> None:
    assert "slug" in fill(slug=typed)[1]


@pytest.mark.parametrize(("typed", "degrees"), [("17.0732", 17.0732), ("-33,0458491", -33.045849), ("90", 90.0)])
def test_points_on_the_map(typed: str, degrees: float) -> None:
    assert fill(lat=typed)[0].lat.data == degrees


@pytest.mark.parametrize("typed", ["90.1", "-91", "nan", "inf", "norte"])
def test_points_off_the_map(typed: str) -> None:
    assert "lat" in fill(lat=typed)[1]


def test_plus_codes() -> None:
    assert fill(plus_code="76q23792+r8")[0].plus_code.data == "76Q23792+R8"
    assert fill(plus_code="3792+R8 Oaxaca")[0].plus_code.data == "3792+R8"
    assert "plus_code" in fill(plus_code="76A2+R8")[1]


@pytest.mark.parametrize(("typed", "is_fine"), [("1", True), ("12", True), ("0", False), ("13", False), ("-1", False), ("dos", False), ("", False)])  # fmt: skip  # noqa: E501
def test_quantities_lie_between_one_and_the_most(typed: str, is_fine: bool) -> None:
    class Add(Form):
        quantity = QuantityField("Cantidad", most=12)

    with on_page_of(EDGE, BAKERY, method="POST", data={"quantity": typed}):
        form = Add()
        assert form.validate_on_submit() is is_fine
        if not is_fine and typed in {"0", "13"}:
            assert form.quantity.errors == ["Elige una cantidad entre 1 y 12."]


def test_a_body_that_is_no_form_is_an_empty_one() -> None:
    with on_page_of(EDGE, BAKERY, method="POST", json=["a"]):
        assert Everything().name.data in {None, ""}


def test_a_field_tells_the_browser_its_bound() -> None:
    with on_page_of(EDGE, BAKERY):
        form = Everything()
        assert 'maxlength="200"' in form.name()
        assert 'maxlength="5000"' in form.note()
