"""Money: whole minor units of one currency. No float comes near it.

The exponent table follows ISO 4217 for the currencies of the countries served; CLP and PYG have no minor unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency, get_currency_symbol
from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Invalid

EXPONENTS: dict[str, int] = {
    "ARS": 2, "BOB": 2, "BRL": 2, "CLP": 0, "COP": 2, "CRC": 2, "DOP": 2, "GTQ": 2, "HNL": 2, "JMD": 2,
    "MXN": 2, "NIO": 2, "PAB": 2, "PEN": 2, "PYG": 0, "USD": 2, "UYU": 2, "EUR": 2,
}  # fmt: skip
"""Digits after the decimal sign by ISO 4217 code."""

LARGEST_MINOR = 10**13
"""No single amount of a small shop is larger; keeps sums far inside 64 bits."""


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum: a bug, never a refusal."""


class BadAmount(Invalid):
    """The text is not an amount of money."""

    message = _l("Escribe el importe con números, por ejemplo 1,250.50.")


def exponent(currency: str) -> int:
    """How many decimal digits `currency` has. KeyError for a currency that is not served."""
    return EXPONENTS[currency]


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in whole minor units (centavos; whole pesos for CLP) of one ISO 4217 currency."""

    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by `weights` without losing a minor unit: the largest remainders take the odd ones, earlier first.

        Raises ValueError when the weights are empty, negative or all zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        shares = [whole * w // total for w in weights]
        remainders = [whole * w % total for w in weights]
        order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
        for i in order[: whole - sum(shares)]:
            shares[i] += 1
        return [Money(sign * s, self.currency) for s in shares]


def tax_included(gross_minor: int, rate_bp: int) -> tuple[int, int]:
    """Split a tax-inclusive amount into (net, tax), both in minor units, with net + tax = gross always.

    `rate_bp` is the rate in basis points (1600 = 16 %). The tax is rounded half up, per line.
    """
    tax = (2 * gross_minor * rate_bp + (10_000 + rate_bp)) // (2 * (10_000 + rate_bp))
    return gross_minor - tax, tax


_DIGITS = re.compile(r"^\d{1,3}(?:[ .,']?\d{3})*(?:[.,]\d{1,2})?$|^\d+(?:[.,]\d{1,2})?$")


def parse_money(text: str, currency: str) -> Money:
    """Read an amount as people type it: "1250", "1,250.50", "1.250,50", "$ 1.250". Raises BadAmount.

    The last separator is the decimal sign when one or two digits follow it and the currency has decimals.
    """
    cleaned = re.sub(r"^[^\d-]+|[^\d]+$", "", text.replace("\u00a0", " ").strip())
    if cleaned.startswith("-") or not _DIGITS.match(cleaned):
        raise BadAmount
    places = exponent(currency)
    match = re.search(r"[.,](\d{1,2})$", cleaned)
    whole, decimals = (cleaned[: match.start()], match.group(1)) if match else (cleaned, "")
    if decimals and places == 0:
        raise BadAmount(_l("Esta moneda no usa centavos: escribe el importe entero."))
    try:
        value = Decimal(re.sub(r"\D", "", whole) + "." + (decimals or "0"))
    except InvalidOperation as error:
        raise BadAmount from error
    minor = int(value.scaleb(places))
    if minor > LARGEST_MINOR:
        raise BadAmount(_l("Ese importe es demasiado grande."))
    return Money(minor, currency)


def format_money(money: Money, locale: str, symbol: str | None = None) -> str:
    """The amount as people of `locale` write it: $1,250.00 in Mexico, $1.250 in Chile, Bs1.250,00 in Bolivia.

    With a `symbol`, that one stands before the figure, whatever is usual in `locale`; the figure itself stays as it is.
    """
    if symbol is None:
        return format_currency(money.amount, money.currency, locale=locale)
    figure = format_currency(abs(money.amount), money.currency, "#,##0.00", locale=locale)
    return f"{'-' if money.minor < 0 else ''}{symbol}{figure}"


def home_symbol(currency: str, locale: str) -> str | None:
    """What people at home (`locale`) write for `currency`: Bs, S/, Q, ₡.

    None where it is a bare dollar sign, which abroad everybody takes for another country's.
    """
    symbol = get_currency_symbol(currency, locale=locale)
    return None if symbol == "$" else symbol
