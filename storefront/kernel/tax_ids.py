"""Tax documents of buyers and shops: what each country calls them, and whether a number can be one.

Check digits and forms are python-stdnum's; the Uruguayan identity card's, which it does not know, is counted here. Some
have none that their offices publish and are held to their length: Bolivia's NIT, Jamaica's TRN, Colombia's and Peru's
identity cards, and Honduras' RTN, which begins with the number of a department. A Mexican RFC is held to its form and
its date alone: one in a hundred in use was issued with a wrong check digit.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Invalid


class NotATaxId(Invalid):
    """The number cannot be a document of that kind."""

    message = _l("Revisa el número: no corresponde a ese documento.")


@dataclass(frozen=True, slots=True)
class TaxDocument:
    """A kind of document by its name. `form` is a module of python-stdnum, a pattern of digits, or a rule of ours.

    `example` is a number as people write it, for the sentence that says what is wrong.
    """

    name: str
    form: str
    example: str

    def read(self, typed: str) -> str:
        """The number as it is kept: without the signs people write between. Raises NotATaxId."""
        try:
            return _reader(self.form)(typed.strip())
        except NotATaxId:
            raise NotATaxId(
                _l(
                    "Revisa el número: así no puede ser %(kind)s. Se escribe como %(example)s.",
                    kind=self.name, example=self.example,
                )
            ) from None  # fmt: skip


DOCUMENTS: dict[str, tuple[TaxDocument, ...]] = {
    "MX": (TaxDocument("RFC", "rfc", "GODE561231GR8"),),
    "GT": (TaxDocument("NIT", "gt.nit", "576937-K"),),
    "SV": (TaxDocument("NIT", "sv.nit", "0614-050707-104-8"),),
    "HN": (TaxDocument("RTN", r"\A(0[1-9]|1[0-8])\d{12}", "0801-1990-123456"),),
    "CR": (
        TaxDocument("Cédula física", "cr.cpf", "3-0455-0175"), TaxDocument("Cédula jurídica", "cr.cpj", "3-101-999999"),
    ),
    "DO": (TaxDocument("RNC", "do.rnc", "1-01-85004-3"), TaxDocument("Cédula", "do.cedula", "001-1391820-5")),
    "CO": (TaxDocument("NIT", "co.nit", "213.123.432-1"), TaxDocument("Cédula", r"\A\d{5,10}", "1.020.304.050")),
    "EC": (TaxDocument("RUC", "ec.ruc", "1792060346001"), TaxDocument("Cédula", "ec.ci", "171430710-3")),
    "PE": (TaxDocument("RUC", "pe.ruc", "20512333797"), TaxDocument("DNI", r"\A\d{8}", "45678912")),
    "BO": (TaxDocument("NIT", r"\A\d{7,12}", "1023275028"),),
    "CL": (TaxDocument("RUT", "cl.rut", "12.531.909-2"),),
    "AR": (TaxDocument("CUIT", "ar.cuit", "20-05536168-2"), TaxDocument("DNI", "ar.dni", "20.123.456")),
    "UY": (TaxDocument("RUT", "uy.rut", "21-100342-001-7"), TaxDocument("Cédula", "uy.ci", "1.234.567-2")),
    "PY": (TaxDocument("RUC", "py.ruc", "80028061-0"),),
    "BR": (TaxDocument("CPF", "br.cpf", "390.533.447-05"), TaxDocument("CNPJ", "br.cnpj", "16.727.230/0001-97")),
    "JM": (TaxDocument("TRN", r"\A\d{9}", "100-123-456"),),
}  # fmt: skip
"""By country, the commonest first."""


def documents_of(country: str) -> tuple[TaxDocument, ...]:
    """The kinds a country has."""
    return DOCUMENTS[country]


def read_tax_id(country: str, name: str, typed: str) -> str:
    """A number of the document called `name`, as it is kept. Raises NotATaxId, also for a name the country lacks."""
    found = next((one for one in DOCUMENTS[country] if one.name == name), None)
    if found is None:
        raise NotATaxId
    return found.read(typed)


@cache
def _reader(form: str) -> Callable[[str], str]:
    if form.startswith("\\"):
        return lambda typed: _by_length(form, typed)
    return {"rfc": _rfc, "uy.ci": _uruguayan_card}.get(form) or _known(form)


def _known(form: str) -> Callable[[str], str]:
    module = importlib.import_module(f"stdnum.{form}")
    wrong = importlib.import_module("stdnum.exceptions").ValidationError

    def read(typed: str) -> str:
        try:
            return str(module.validate(typed))
        except wrong as error:
            raise NotATaxId from error

    return read


def _by_length(pattern: str, typed: str) -> str:
    digits = re.sub(r"[\s.\-/]", "", typed)
    if not re.fullmatch(pattern, digits, re.ASCII):
        raise NotATaxId
    return digits


def _rfc(typed: str) -> str:
    """A company's has twelve signs and a person's thirteen; papers need the three at its end."""
    number = _known("mx.rfc")(typed)
    if len(number) < 12:
        raise NotATaxId
    return number


def _uruguayan_card(typed: str) -> str:
    """Up to seven digits, each counted by a weight, and the one that brings their sum to a multiple of ten."""
    digits = _by_length(r"\A\d{7,8}", typed).zfill(8)
    weighed = sum(int(digit) * weight for digit, weight in zip(digits, (2, 9, 8, 7, 6, 3, 4, 1), strict=True))
    if weighed % 10:
        raise NotATaxId
    return digits.lstrip("0")
