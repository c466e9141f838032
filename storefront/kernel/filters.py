"""How money, times and numbers are written: as people of the shop's country write them, in the page's language.

Times are shown in the shop's zone. Money follows the shop's own country while the page speaks the shop's language; in
another language its figures are written as in that language, behind the sign that people at home use.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent
from flask import Flask
from flask_babel import get_locale
from flask_babel import gettext as _
from jinja2.filters import do_urlencode
from markupsafe import Markup

from storefront.kernel import clock
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.money import Money, format_money, home_symbol
from storefront.kernel.taxes import class_of
from storefront.kernel.tenancy import current_shop, find_shop

_DAY = {"pt": "EEEE, d", "en": "EEEE d"}
_DAY_MONTH = {"pt": "EEEE, d 'de' MMMM", "en": "EEEE, MMMM d", "es": "EEEE d 'de' MMMM"}


@lru_cache(maxsize=256)
def _locale_of(name: str) -> Locale:
    return Locale.parse(name)


def page_locale() -> Locale:
    """The language of the page with the country's way of writing: the shop's when they speak the same language."""
    asked = get_locale() or Locale("es")
    shop = find_shop()
    if shop is None:
        return asked
    own = _locale_of(shop.locale)
    return own if own.language == asked.language else asked


def page_zone() -> ZoneInfo:
    """The shop's time zone; UTC on pages of no shop."""
    shop = find_shop()
    return shop.zone if shop else ZoneInfo("UTC")


def local(moment: datetime) -> datetime:
    """`moment` (aware) on the shop's clock. ValueError for a naive one, which could mean anything."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime reached a template")
    return moment.astimezone(page_zone())


def money(amount: Money) -> str:
    """$1,250.00 in Mexico, $1.250 in Chile, Bs 1.250,00 in Bolivia, R$ 1.250,00 in Brazil; never broken over lines."""
    locale, shop = page_locale(), find_shop()
    is_at_home = shop is None or str(locale) == shop.locale or amount.currency != shop.currency
    return _written(amount, locale, "" if shop is None or is_at_home else shop.locale)


def money_at_home(amount: Money, locale: str) -> str:
    """As people of that country write it, for pages of no shop."""
    return _written(amount, _locale_of(locale), "")


@lru_cache(maxsize=4096)
def _written(amount: Money, locale: Locale, home: str) -> str:
    """Kept, for a page of products writes the same few prices again and again. `home` is where the sign comes from."""
    text = format_money(amount, str(locale), home_symbol(amount.currency, home) if home else None)
    # Signs made of letters need air before the figure; not every locale's data says so.
    return re.sub(r"^(\D*[A-Za-z/.])(?=\d)", "\\1\u00a0", text).replace(" ", "\u00a0")


def money_minor(minor: int, currency: str | None = None) -> str:
    """An amount in minor units, in `currency` or the shop's."""
    shop = find_shop()
    code = currency or (shop.currency if shop else None)
    if code is None:
        raise ValueError("minor units without a currency, on a page of no shop")
    return money(Money(minor, code))


def _as_date(value: date | datetime) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def day(value: date | datetime) -> str:
    """ "sábado 14": for a day near enough not to need its month."""
    locale = page_locale()
    return format_date(_as_date(value), _DAY.get(locale.language, "EEEE d"), locale=locale)


def day_month(value: date | datetime) -> str:
    """ "sábado 14 de marzo"."""
    locale = page_locale()
    return format_date(_as_date(value), _DAY_MONTH.get(locale.language, _DAY_MONTH["es"]), locale=locale)


def full_date(value: date | datetime) -> str:
    """ "14 de marzo de 2026"."""
    return format_date(_as_date(value), "long", locale=page_locale())


def time(value: datetime | clock_time) -> str:
    """ "10:00", by twenty-four hours, as the region writes opening hours."""
    moment = local(value) if isinstance(value, datetime) else value
    return format_time(moment, "HH:mm", locale=page_locale())


def datetime_local(value: datetime) -> str:
    """ "sábado 14 de marzo, 10:00"."""
    return f"{day_month(value)}, {time(value)}"


def recent(value: datetime) -> str:
    """ "hoy, 10:00", "ayer, 10:00" and "mañana, 10:00", else as `datetime_local`.

    Only for what is read at once: never in a letter.
    """
    days = (local(clock.now()).date() - local(value).date()).days
    said = {0: _("hoy"), 1: _("ayer"), -1: _("mañana")}.get(days)
    return f"{said}, {time(value)}" if said else datetime_local(value)


def machine_datetime(value: datetime) -> str:
    """For the `datetime` attribute of <time>: ISO 8601 with the shop's offset."""
    return local(value).isoformat(timespec="minutes")


def month(value: date | datetime) -> str:
    """ "marzo de 2026"."""
    locale = page_locale()
    pattern = "MMMM y" if locale.language == "en" else "MMMM 'de' y"
    return format_datetime(datetime.combine(_as_date(value), clock_time()), pattern, locale=locale)


def phone(number: str) -> str:
    """A stored number (E.164) as people dial it: nationally at home, with the country's prefix from abroad."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    shop = find_shop()
    at_home = shop is not None and phonenumbers.region_code_for_number(parsed) == shop.country
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)


def percent(basis_points: int) -> str:
    """1600 → "16 %", with decimals only where there are any."""
    return format_percent(Decimal(basis_points) / 10_000, "#,##0.##\u00a0%", locale=page_locale())


def kilometres(metres: int) -> str:
    """3449 → "3.4 km"."""
    return format_decimal(Decimal(metres) / 1000, "#,##0.0", locale=page_locale()) + "\u00a0km"


def tax_word(inside: bool) -> str:
    """How the tax of a sum is called where it is inside the prices, and where it comes on top."""
    return _("Impuesto incluido") if inside else COUNTRIES[current_shop().country].tax_name


def tax_on_top(tax_class: str) -> str | None:
    """The tax that is still to be added to a listed price of this class ("IVA"); None where nothing is."""
    shop = current_shop()
    if shop.prices_include_tax or not class_of(shop, tax_class).rate_bp:
        return None
    return COUNTRIES[shop.country].tax_name


def tax_rows(sums: Any) -> list[tuple[str, str]]:
    """The rows of a bill that say its tax: one, or one for each rate where there are several."""
    if len(sums.taxes) < 2:
        return [(tax_word(sums.tax_inside), money(sums.tax))]
    name = COUNTRIES[current_shop().country].tax_name
    labels = [f"{name} {percent(rate_bp)}" for rate_bp, _minor in sums.taxes]
    if sums.tax_inside:
        labels = [_("%(tax)s incluido", tax=label) for label in labels]
    return [
        (label, money_minor(minor, sums.currency)) for label, (_rate, minor) in zip(labels, sums.taxes, strict=True)
    ]


def number(value: int | Decimal) -> str:
    """A plain number with the country's separators."""
    return format_decimal(value, locale=page_locale())


def urlencode(value: Any) -> str:
    """Jinja's own, for texts as they are read: what a translation escaped for HTML is no HTML inside an address."""
    return do_urlencode(value.unescape() if isinstance(value, Markup) else value)


def init_filters(app: Flask) -> None:
    """Give templates the filters, under these names (`full_date` as `date`)."""
    app.jinja_env.filters.update(
        {
            "money": money,
            "money_minor": money_minor,
            "day": day,
            "day_month": day_month,
            "date": full_date,
            "time": time,
            "datetime_local": datetime_local,
            "recent": recent,
            "machine_datetime": machine_datetime,
            "month": month,
            "phone": phone,
            "percent": percent,
            "kilometres": kilometres,
            "tax_on_top": tax_on_top,
            "tax_word": tax_word,
            "tax_rows": tax_rows,
            "number": number,
            "urlencode": urlencode,
        }
    )
