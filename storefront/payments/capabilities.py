"""What each way of paying through a provider can do and where it fits: flags that code asks instead of names.

Pure data, from the providers' own pages. Limits are in minor units of the currency, times are aware of nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

STRIPE = "stripe"
MERCADO_PAGO = "mercadopago"
PROVIDERS = (STRIPE, MERCADO_PAGO)

CARD, CARD_MONTHS, OXXO, BOLETO, PIX, SPEI = "card", "card_months", "oxxo", "boleto", "pix", "spei"


@dataclass(frozen=True, slots=True)
class Capability:
    """One way of paying at one provider. Without `countries` it fits everywhere, without `currency` any.

    `refundable`: the provider can send the money back; otherwise a person must. `asynchronous`: the money comes later
    than the page is left, by a voucher good for `voucher_days` (or `code_for`), and its news takes up to
    `settles_within` after that. `least_minor` and `most_minor` bound one payment.
    """

    provider: str
    countries: frozenset[str] = frozenset()
    currency: str | None = None
    refundable: bool = True
    asynchronous: bool = False
    voucher_days: int = 0
    code_for: timedelta = timedelta()
    settles_within: timedelta = timedelta()
    least_minor: int = 1
    most_minor: int | None = None
    asked_for: bool = False
    stays_open: bool = False
    in_parts: bool = False

    def fits(self, country: str, currency: str) -> bool:
        """Whether a shop of this country and currency may take it."""
        return (not self.countries or country in self.countries) and self.currency in (None, currency)

    def allows(self, amount_minor: int) -> bool:
        """Whether one payment may be of so much."""
        return self.least_minor <= amount_minor and (self.most_minor is None or amount_minor <= self.most_minor)


CAPABILITIES: dict[str, Capability] = {
    CARD: Capability(STRIPE),
    CARD_MONTHS: Capability(STRIPE, frozenset({"MX"}), "MXN", least_minor=30_000),
    OXXO: Capability(
        STRIPE, frozenset({"MX"}), "MXN", refundable=False, asynchronous=True, voucher_days=3,
        settles_within=timedelta(days=1), least_minor=1_000, most_minor=1_000_000, asked_for=True,
    ),
    BOLETO: Capability(
        STRIPE, frozenset({"BR"}), "BRL", refundable=False, asynchronous=True, voucher_days=3,
        settles_within=timedelta(days=2), least_minor=500, most_minor=4_999_999, asked_for=True,
    ),
    PIX: Capability(
        STRIPE, frozenset({"BR"}), "BRL", asynchronous=True, code_for=timedelta(minutes=30),
        settles_within=timedelta(minutes=10), least_minor=50, asked_for=True,
    ),
    SPEI: Capability(
        STRIPE, frozenset({"MX"}), "MXN", asynchronous=True, voucher_days=3, settles_within=timedelta(days=1),
        least_minor=1_000, asked_for=True, in_parts=True,
    ),
    MERCADO_PAGO: Capability(
        MERCADO_PAGO, frozenset({"AR", "BR", "CL", "CO", "MX", "PE", "UY"}), asynchronous=True, voucher_days=3,
        settles_within=timedelta(days=2), stays_open=True,
    ),
}  # fmt: skip
"""By method. `asked_for`: the provider lets a shop take it only once that was asked and granted. `stays_open`: its page
can be paid again until it is closed. `in_parts`: whoever pays may send less or more than was asked."""

THROUGH_A_PROVIDER = frozenset(CAPABILITIES)
"""The methods whose money a provider takes."""


def capability(method: str) -> Capability | None:
    """What a method can do; None for those whose money the shop takes itself."""
    return CAPABILITIES.get(method)
