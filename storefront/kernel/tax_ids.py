"""Tax documents of buyers and shops: what each country calls them, and whether a number can be one.

Check digits and forms are python-stdnum's. Honduras, Bolivia and Jamaica, which it does not know, are held to the
length their offices print (RTN 14 digits, NIT 7 to 12, TRN 9).
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
    """A kind of document by its name. `form` is a module of python-stdnum, or a pattern of digits."""

    name: str
    form: str

    def read(self, typed: str) -> str:
        """The number as it is kept: without the signs people write between. Raises NotATaxId."""
        return _reader(self.form)(typed.strip())


DOCUMENTS: dict[str, tuple[TaxDocument, ...]] = {
    "MX": (TaxDocument("RFC", "mx.rfc"),),
    "GT": (TaxDocument("NIT", "gt.nit"),),
    "SV": (TaxDocument("NIT", "sv.nit"),),
    "HN": (TaxDocument("RTN", r"\d{14}"),),
    "CR": (TaxDocument("Cédula física", "cr.cpf"), TaxDocument("Cédula jurídica", "cr.cpj")),
    "DO": (TaxDocument("RNC", "do.rnc"), TaxDocument("Cédula", "do.cedula")),
    "CO": (TaxDocument("NIT", "co.nit"), TaxDocument("Cédula", r"\d{5,10}")),
    "EC": (TaxDocument("RUC", "ec.ruc"), TaxDocument("Cédula", "ec.ci")),
    "PE": (TaxDocument("RUC", "pe.ruc"), TaxDocument("DNI", r"\d{8}")),
    "BO": (TaxDocument("NIT", r"\d{7,12}"),),
    "CL": (TaxDocument("RUT", "cl.rut"),),
    "AR": (TaxDocument("CUIT", "ar.cuit"), TaxDocument("DNI", "ar.dni")),
    "UY": (TaxDocument("RUT", "uy.rut"), TaxDocument("Cédula", r"\d{7,8}")),
    "PY": (TaxDocument("RUC", "py.ruc"),),
    "BR": (TaxDocument("CPF", "br.cpf"), TaxDocument("CNPJ", "br.cnpj")),
    "JM": (TaxDocument("TRN", r"\d{9}"),),
}
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
