"""How the tax of a paper divides by rate: pure arithmetic on what the order and its refunds keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from storefront.kernel.filters import percent
from storefront.kernel.taxes import GENERAL, tax_label
from storefront.kernel.tenancy import current_shop


@dataclass(frozen=True, slots=True)
class Share:
    """What of a paper has one tax, by the name that the paper gives it."""

    label: str
    net_minor: int
    tax_minor: int


def label_of(tax_class: str, rate_bp: int) -> str:
    """How a tax is called on a paper of the current shop."""
    return tax_label(current_shop().country, tax_class, rate_bp, percent(rate_bp))


def fees_label(rate_bp: int) -> str:
    """How the tax of delivery and packaging is called."""
    return label_of(GENERAL, rate_bp)


def mixed_label() -> str:
    """What an amount for nothing in particular is called, since several rates are in it."""
    return _("Varias tasas")


def by_rate(shares: Iterable[Share]) -> list[dict[str, Any]]:
    """The shares added up by name, as a paper keeps them; what comes to nothing is left out."""
    sums: dict[str, list[int]] = {}
    for one in shares:
        found = sums.setdefault(one.label, [0, 0])
        found[0] += one.net_minor
        found[1] += one.tax_minor
    return [{"label": label, "net_minor": net, "tax_minor": tax} for label, (net, tax) in sums.items() if net or tax]


def of_lines(lines: Iterable[Any], net_minor: int, tax_minor: int, fees_rate_bp: int) -> list[dict[str, Any]]:
    """An order's: its lines', and what is left of net and tax is that of delivery and packaging."""
    shares = [Share(label_of(line.tax_class, line.tax_rate_bp), line.net_minor, line.tax_minor) for line in lines]
    net_left = net_minor - sum(one.net_minor for one in shares)
    tax_left = tax_minor - sum(one.tax_minor for one in shares)
    return by_rate([*shares, Share(fees_label(fees_rate_bp), net_left, tax_left)])


def less(taxes: Iterable[dict[str, Any]], others: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is left of a paper's when others were credited."""
    return by_rate(
        [
            *(Share(**one) for one in taxes),
            *(Share(one["label"], -one["net_minor"], -one["tax_minor"]) for one in others),
        ]
    )
