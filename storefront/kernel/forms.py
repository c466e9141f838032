"""Forms: what people type, made clean or refused with a sentence they can act on.

Every text field is trimmed, brought to one Unicode form and bounded in length without each form saying so; a field
that could not be read shows again exactly what was typed. The token against forgery is checked before any form is
(`csrf`), so forms carry none.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import phonenumbers
from babel.numbers import get_decimal_symbol
from flask import request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from openlocationcode import openlocationcode
from werkzeug.datastructures import CombinedMultiDict
from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    Field,
    FloatField,
    IntegerField,
    PasswordField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms import EmailField as HtmlEmailField
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from storefront.kernel.csrf import UNSAFE
from storefront.kernel.errors import Invalid
from storefront.kernel.filters import page_locale, phone
from storefront.kernel.money import BadAmount, exponent, parse_money
from storefront.kernel.tenancy import current_shop

LINE_LENGTH = 200
TEXT_LENGTH = 5_000
LARGEST_NUMBER = 2**31 - 1
MOST_DIGITS = 18
FIRST_YEAR, LAST_YEAR = 1900, 2100

# Marks that turn the direction of text around: good for nothing in a name but to make it look like another.
_TURNERS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_EMAIL = re.compile(
    r"[^\s@<>\"(),:;\\\[\]]{1,64}@(?:[^\s@<>\"(),:;\\\[\]._-][^\s@<>\"(),:;\\\[\]._]{0,62}\.)+[^\s\W\d_]{2,24}"
)
# A currency sign may stand around the figure, nothing within it: "1e5" is not fifteen.
_ONE_FIGURE = re.compile(r"\D*\d(?:[\d.,' \u00a0]*\d)?\D*")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")


def clean_line(text: str) -> str:
    """One line, trimmed, with single spaces. Raises ValueError for line breaks and control characters."""
    tidy = _TURNERS.sub("", unicodedata.normalize("NFC", text)).strip()
    if _CONTROL.search(tidy) or "\n" in tidy or "\r" in tidy:
        raise ValueError(_("Escríbelo en una sola línea, sin caracteres raros."))
    return re.sub(r"[ \t]+", " ", tidy)


def clean_text(text: str) -> str:
    """Several lines with plain line ends, trimmed. Raises ValueError for control characters."""
    tidy = _TURNERS.sub("", unicodedata.normalize("NFC", text)).replace("\r\n", "\n").replace("\r", "\n").strip()
    if _CONTROL.search(tidy):
        raise ValueError(_("Hay caracteres que no podemos leer. Escríbelo de nuevo, por favor."))
    return tidy


def normal_email(text: str) -> str:
    """An address with its domain in lower case. Raises ValueError; that mail arrives is proved only by sending it."""
    mailbox, _at, domain = clean_line(text).rpartition("@")
    address = f"{mailbox}@{domain.lower()}"
    if len(address) > 254 or not _EMAIL.fullmatch(address) or ".." in address or address.startswith("."):
        raise ValueError(_("Escribe un correo completo, como nombre@ejemplo.com."))
    return address


def normal_phone(text: str, country: str) -> str:
    """A number as people of `country` type it, as E.164 ("+529511234567"). Raises ValueError.

    Knows the prefixes that Mexico dropped but people still write: 01, 044, 045 and the 1 after +52.
    """
    digits = re.sub(r"\D", "", text)
    typed = text.strip()
    if country == "MX" or digits.startswith("52"):
        if len(digits) == 13 and digits.startswith(("044", "045")):
            typed = digits[3:]
        elif len(digits) == 12 and digits.startswith("01"):
            typed = digits[2:]
        elif len(digits) == 13 and digits.startswith("521"):
            typed = "+52" + digits[3:]
    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException as error:
        raise ValueError(_("Escribe el teléfono con todos sus números.")) from error
    if number.extension or not phonenumbers.is_valid_number(number):
        raise ValueError(_("Ese teléfono no parece completo. Revisa que no falten ni sobren números."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_plus_code(text: str) -> str:
    """A plus code in upper case, full ("76W2389C+2X") or short ("389C+2X"). Raises ValueError."""
    code = clean_line(text).upper().split(" ", 1)[0]
    if not openlocationcode.isValid(code):
        raise ValueError(_("Ese código plus no existe. Cópialo tal como aparece en el mapa."))
    return code


def whole_number(text: object) -> int | None:
    """The number that a page's own field holds: plain digits, as many as a count or an amount can have. None for
    anything else, since whoever sends a form may write what they like there."""
    typed = str(text or "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS else None


# --- what every field of a kind gets without asking ----------------------------------------------------------------


def _line_filter(value: Any) -> Any:
    return clean_line(value) if isinstance(value, str) else value


def _text_filter(value: Any) -> Any:
    return clean_text(value) if isinstance(value, str) else value


def _must_be_finite(_form: BaseForm, field: Field) -> None:
    if field.data is not None and not math.isfinite(field.data):
        raise ValidationError(_("Escribe un número."))


def _must_be_this_age(_form: BaseForm, field: Field) -> None:
    if isinstance(field.data, date | datetime) and not FIRST_YEAR <= field.data.year <= LAST_YEAR:
        raise ValidationError(_("Revisa el año de esa fecha."))


def _has(field: Field, kind: type) -> bool:
    return any(isinstance(validator, kind) for validator in field.validators)


def _add_validator(field: Field, validator: Any) -> None:
    field.validators = (*field.validators, validator)


def _bound_text(field: Field) -> None:
    is_long = isinstance(field, TextAreaField)
    if not isinstance(field, PasswordField):  # a password is exactly what was typed
        field.filters = (_text_filter if is_long else _line_filter, *field.filters)
    if not _has(field, Length):
        longest = TEXT_LENGTH if is_long else LINE_LENGTH
        message = _("Escribe %(count)s caracteres como máximo.", count=longest)
        _add_validator(field, Length(max=longest, message=message))
        field.flags.maxlength = longest  # type: ignore[attr-defined]  # flags hold any name


def _bound(field: Field) -> Field:
    if isinstance(field, ParsedField):
        return field
    if isinstance(field, StringField):
        _bound_text(field)
    elif isinstance(field, IntegerField) and not _has(field, NumberRange):
        _add_validator(field, NumberRange(-LARGEST_NUMBER, LARGEST_NUMBER, _("Ese número es demasiado grande.")))
    elif isinstance(field, DecimalField | FloatField):
        field.validators = (_must_be_finite, *field.validators)
    elif isinstance(field, DateField | DateTimeLocalField):
        _add_validator(field, _must_be_this_age)
    return field


class Form(FlaskForm):
    """The form all forms derive from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # flask_wtf is not annotated

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether everything typed can be used; the sentences for what cannot are on the fields."""
        return bool(super().validate(extra_validators=extra_validators))  # type: ignore[no-untyped-call]

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether this request sent the form and everything in it can be used."""
        return bool(self.is_submitted()) and self.validate(extra_validators)  # type: ignore[no-untyped-call]

    class Meta(FlaskForm.Meta):
        """Without a token of its own, fed by forms alone, with bounds on every field."""

        csrf = False

        def bind_field(self, form: BaseForm, unbound_field: Any, options: dict[str, Any]) -> Field:
            """Make the field and give it what its kind needs."""
            field: Field = super().bind_field(form, unbound_field, options)  # type: ignore[no-untyped-call]  # wtforms is not annotated
            return _bound(field)

        def wrap_formdata(self, form: BaseForm, formdata: Any) -> Any:
            """The form and files that were sent; JSON is not a form."""
            if formdata is None or hasattr(formdata, "getlist"):
                return formdata
            if request and request.method in UNSAFE:
                return CombinedMultiDict((request.files, request.form)) if request.files else request.form
            return None


# --- fields whose value is read out of the text ---------------------------------------------------------------------


class ParsedField(StringField):
    """A text field whose `data` is something else than the text. Shows again what was typed when that was no good."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        super().__init__(label, validators, **options)  # type: ignore[no-untyped-call]  # wtforms is not annotated

    def parse(self, text: str) -> Any:
        """The value of `text`, which is not empty. Raises ValueError or Invalid with a sentence."""
        return text

    def show(self, value: Any) -> str:
        """The text for a value."""
        return str(value)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read what was typed; nothing typed is None."""
        self.data = None
        typed = valuelist[0].strip() if valuelist else ""
        if not typed:
            return
        if len(typed) > LINE_LENGTH:
            raise ValueError(_("Escribe %(count)s caracteres como máximo.", count=LINE_LENGTH))
        try:
            self.data = self.parse(clean_line(typed))
        except Invalid as error:
            raise ValueError(str(error)) from error

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.show(self.data)


class MoneyField(ParsedField):
    """An amount; `data` is in minor units of `currency`, which is the shop's unless another is given."""

    def __init__(
        self, label: Any = None, validators: Any = None, *, currency: str | None = None, **options: Any
    ) -> None:
        super().__init__(label, validators, **options)
        self._currency = currency

    @property
    def currency(self) -> str:
        """The ISO code of the amount's currency."""
        return self._currency or current_shop().currency

    def parse(self, text: str) -> int:
        """Minor units of an amount written with the country's signs or another's."""
        if not _ONE_FIGURE.fullmatch(text):
            raise BadAmount
        return parse_money(text, self.currency).minor

    def show(self, value: int) -> str:
        """The amount without grouping, with the country's decimal sign: 1250.50 or 1250,50."""
        places = exponent(self.currency)
        amount = f"{Decimal(value).scaleb(-places):.{places}f}"
        return amount.replace(".", get_decimal_symbol(page_locale()))


class GramsField(ParsedField):
    """A weight in whole grams, or nothing."""

    def parse(self, text: str) -> int:
        """The number; no decimals, since nobody can tell 1.5 from 1,500."""
        digits = text.lower().removesuffix("g").replace(" ", "")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 7 or int(digits) == 0:
            raise ValueError(_("Escribe los gramos sin decimales, por ejemplo 500."))
        return int(digits)


class PhoneField(ParsedField, TelField):
    """A telephone number; `data` is E.164. Numbers without a prefix are of `country`, else of the shop's."""

    def __init__(
        self, label: Any = None, validators: Any = None, *, country: str | None = None, **options: Any
    ) -> None:
        super().__init__(label, validators, **options)
        self._country = country

    def parse(self, text: str) -> str:
        """The number as E.164."""
        return normal_phone(text, self._country or current_shop().country)

    def show(self, value: str) -> str:
        """The number as people dial it."""
        return phone(value)


class EmailField(ParsedField, HtmlEmailField):
    """A mail address."""

    def parse(self, text: str) -> str:
        """The address, domain in lower case."""
        return normal_email(text)


class SlugField(ParsedField):
    """A name for addresses: 3 to 40 small letters, digits and hyphens."""

    def parse(self, text: str) -> str:
        """The name in lower case."""
        slug = text.lower()
        if not _SLUG.fullmatch(slug) or "--" in slug:
            raise ValueError(_("Usa de 3 a 40 letras minúsculas sin acento, números y guiones, como la-espiga."))
        return slug


class PlusCodeField(ParsedField):
    """A plus code, for places without a street number."""

    def parse(self, text: str) -> str:
        """The code in upper case."""
        return normal_plus_code(text)


class CoordinateField(ParsedField):
    """Degrees of latitude (`limit` 90) or longitude (`limit` 180); `data` is a float with six decimals, about 0.1 m."""

    def __init__(self, label: Any = None, validators: Any = None, *, limit: int, **options: Any) -> None:
        super().__init__(label, validators, **options)
        self.limit = limit

    def parse(self, text: str) -> float:
        """Degrees within the limit."""
        try:
            degrees = float(text.replace(",", "."))
        except ValueError as error:
            raise ValueError(_("No pudimos leer el punto del mapa.")) from error
        if not -self.limit <= degrees <= self.limit:  # false for NaN, too
            raise ValueError(_("Ese punto está fuera del mapa."))
        return round(degrees, 6)


class QuantityField(IntegerField):
    """How many: a whole number from 1 to `most`."""

    def __init__(self, label: Any = None, validators: Sequence[Any] = (), *, most: int = 99, **options: Any) -> None:
        message = _Between(most)
        rules = [InputRequired(message), NumberRange(1, most, message), *validators]
        super().__init__(label, rules, **options)  # type: ignore[no-untyped-call]  # wtforms is not annotated

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the number; anything else is refused with the bounds, not with a type."""
        try:
            super().process_formdata(valuelist)  # type: ignore[no-untyped-call]  # wtforms is not annotated
        except ValueError as error:
            raise ValueError(_("Escribe una cantidad con números.")) from error


class _Between:
    """The sentence with the bounds, translated when it is shown and not when the form's class is read."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __str__(self) -> str:
        return _("Elige una cantidad entre 1 y %(most)s.", most=self._most)

    def __mod__(self, _values: Any) -> str:
        return str(self)
