"""How a person is reached and known: one field that takes an e-mail address or a telephone number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask_babel import gettext as _

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.forms import ParsedField, normal_email, normal_phone


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail address or a number (E.164); exactly one of the two."""

    email: str | None = None
    phone: str | None = None

    def __str__(self) -> str:
        return self.email or self.phone or ""


def read_contact(text: str, country: str) -> Contact:
    """What was typed, numbers without a prefix being of `country`. Raises ValueError with a sentence."""
    if "@" in text:
        return Contact(email=normal_email(text))
    if not any(sign.isdigit() for sign in text):
        raise ValueError(_("Escribe tu correo o tu teléfono completo."))
    return Contact(phone=normal_phone(text, country))


def phones_meant(text: str) -> list[str]:
    """Every number that `text` may be: as it stands with a prefix, else as typed in each of our countries."""
    return sorted(_phones_meant(text.strip()))


def _phones_meant(text: str) -> set[str]:
    found = set()
    for country in _countries() if not text.startswith("+") else ("MX",):
        try:
            found.add(normal_phone(text, country))
        except ValueError:
            continue
    return found


@cache
def _countries() -> tuple[str, ...]:
    return tuple(COUNTRIES)


class ContactField(ParsedField):
    """An e-mail address or a telephone number; `data` is a Contact, numbers without a prefix being of `country`."""

    def __init__(self, label: Any = None, validators: Any = None, *, country: str = "MX", **options: Any) -> None:
        super().__init__(label, validators, **options)
        self.country = country

    def parse(self, text: str) -> Contact:
        """The contact."""
        return read_contact(text, self.country)
