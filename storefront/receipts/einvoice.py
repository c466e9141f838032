"""The port for electronic invoices: what a provider that stamps them for a tax office must be able to do, as data.

No real provider has been connected yet; the one kept with here is our own stand-in, in development only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Busy, Conflict, Invalid


class InvoicerUnavailable(Busy):
    """No answer, or none that says how it ended."""

    message = _l("El servicio de facturas no contesta. Lo seguimos intentando; no hace falta que hagas nada.")


class BadCredentials(Invalid):
    """The provider does not know them."""

    message = _l("El servicio de facturas no reconoce esos datos. Cópialos otra vez de tu cuenta con ellos.")


class NoInvoicer(Conflict):
    """This shop is not connected to a provider."""

    message = _l("Esta tienda todavía no hace facturas electrónicas.")


class Verdict(StrEnum):
    """What a provider says of a document."""

    STAMPED = "stamped"
    PENDING = "pending"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do. `cancel_within`: how long after stamping a whole document may be cancelled; None: never.

    `global_invoice`: sales without a buyer's document may be stamped together.
    """

    countries: frozenset[str]
    cancel_within: timedelta | None
    needs_buyer_document: bool
    global_invoice: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's word. `number` is its own (UUID, folio, CAE); a rejection has a code and what they wrote."""

    verdict: Verdict
    number: str = ""
    code: str = ""
    told: str = ""
    xml: bytes = b""
    pdf: bytes = b""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is to be stamped. Amounts are minor units; `corrects` is the number of what a credit note is about."""

    key: str
    kind: str
    series_number: int
    corrects: str
    seller: Mapping[str, str]
    buyer: Mapping[str, str]
    currency: str
    lines: Sequence[Mapping[str, Any]]
    taxes: Sequence[Mapping[str, Any]]
    net_minor: int
    tax_minor: int
    total_minor: int
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a shop is known to its provider."""

    user: str
    secret: str


class Invoicer(Protocol):
    """A provider. Every call may raise InvoicerUnavailable, whose outcome is unknown, and BadCredentials."""

    code: str
    name: str
    capabilities: Capabilities

    def check(self, credentials: Credentials) -> None:
        """Whether the credentials are good."""

    def stamp(self, credentials: Credentials, sent: Sent) -> Answer:
        """Stamp a document. Asked again with the same key: the same document."""

    def find(self, credentials: Credentials, key: str) -> Answer | None:
        """What became of a key; None where it never arrived."""

    def cancel(self, credentials: Credentials, number: str) -> Answer:
        """Cancel what was stamped: CANCELLED, PENDING while the office decides, or STAMPED where it says no."""


_invoicer: list[Invoicer] = []


def use_invoicer(invoicer: Invoicer | None) -> None:
    """Say who stamps documents (None: nobody)."""
    _invoicer[:] = [invoicer] if invoicer else []


def invoicer_for(country: str) -> Invoicer | None:
    """Who stamps documents of a country, if anybody does."""
    return next((one for one in _invoicer if country in one.capabilities.countries), None)
