"""Tax classes: which kinds of goods a country taxes at which rate, as data, and what a shop charges for each.

Every country has a general class, at the shop's own rate (`Shop.tax_rate_bp`), and one for what carries no tax at all.
The others are those whose rate and whose goods the law itself names; a shop may set another rate for any that has one.
Where each comes from:

- MX, Ley del IVA: art. 2-A (0 %: food as bought, medicines, books), 9 and 15 (exempt); 8 % is the stimulus for the
  northern and southern border, by decree.
- GT, Ley del IVA (Decreto 27-92) art. 10 and 7. SV, Ley de IVA art. 54 and 46. HN, Ley del Impuesto sobre Ventas
  (Decreto-Ley 24) art. 6: 18 % for alcohol and tobacco, and 15: exempt.
- CR, Ley 9635 art. 10 and 11: 4 % private health, 2 % medicines and private schools, 1 % basic basket; 8: exempt.
- DO, Código Tributario art. 345 (16 %: yoghurt, coffee, sugar, cocoa, fats, by Ley 253-12) and 343 (exempt).
- CO, Estatuto Tributario art. 468 (19 %), 468-1 (5 %), 477 (exento: 0 %, with the tax paid on costs given back) and 424
  (excluido: no tax). EC, Ley de Régimen Tributario Interno art. 55 (0 %). PE, Ley del IGV, apéndice I (exonerado).
- BO, Ley 843 art. 5 and 15, Ley 366 (books at rate zero). CL, DL 825 art. 12 and 13. AR, Ley de IVA art. 28 (10.5 and
  27 %) and 7. UY, Título 10 art. 18 (10 %) and 19. PY, Ley 6380/2019 art. 90 (5 %) and 100.
- JM, General Consumption Tax Act, First Schedule (zero) and Third Schedule (exempt).

Two simplifications, on purpose. Brazil has no single sales tax: its general class stands for the ICMS a shop tells us,
and nothing is worked out by product code or by state. Bolivia's and Brazil's laws name a rate of the price with the tax
inside it, ours is of the price without: a shop there writes the rate that comes to the same (13 % is 14.94 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from storefront.kernel.countries import COUNTRIES

GENERAL = "general"
UNTAXED = "untaxed"
"""What is no sale at all, such as a gift card: no country's class, and nothing that a shop could choose."""


@dataclass(frozen=True, slots=True)
class TaxClass:
    """One class of a country. `name` is how its people call it; `exempt` carries no tax, which is not a rate of zero:
    the papers say it differently."""

    code: str
    name: str
    rate_bp: int
    exempt: bool = False

    @property
    def has_rate(self) -> bool:
        """Whether there is a rate that a shop could change."""
        return not self.exempt and self.rate_bp > 0


def _exempt(name: str = "Exento") -> TaxClass:
    return TaxClass("exempt", name, 0, exempt=True)


def _zero(name: str) -> TaxClass:
    return TaxClass("zero", name, 0)


_SPECIAL: dict[str, tuple[TaxClass, ...]] = {
    "MX": (
        TaxClass("reduced", "Región fronteriza", 800), _zero("Tasa 0: alimentos, medicinas y libros"), _exempt(),
    ),
    "GT": (_exempt(),),
    "SV": (_exempt(),),
    "HN": (TaxClass("high", "Alcohol y tabaco", 1800), _exempt()),
    "CR": (
        TaxClass("reduced", "Salud privada", 400), TaxClass("low", "Medicinas y educación", 200),
        TaxClass("lowest", "Canasta básica", 100), _exempt(),
    ),
    "DO": (TaxClass("reduced", "Yogur, café, azúcar, cacao y grasas", 1600), _exempt()),
    "CO": (
        TaxClass("reduced", "Tarifa del 5 %", 500), _zero("Exento (tarifa 0)"),
        TaxClass("exempt", "Excluido", 0, exempt=True),
    ),
    "EC": (_zero("Tarifa 0"),),
    "PE": (_exempt("Exonerado"),),
    "BO": (_zero("Tasa cero: libros"),),
    "CL": (_exempt(),),
    "AR": (TaxClass("reduced", "Alícuota reducida", 1050), TaxClass("high", "Alícuota aumentada", 2700), _exempt()),
    "UY": (TaxClass("reduced", "Tasa mínima", 1000), _exempt()),
    "PY": (TaxClass("reduced", "Tasa del 5 %", 500), _exempt()),
    "BR": (_exempt("Isento"),),
    "JM": (_zero("Zero-rated"), _exempt("Exempt")),
}  # fmt: skip


class TaxPolicy(Protocol):
    """What decides a shop's taxes."""

    @property
    def country(self) -> str: ...
    @property
    def tax_rate_bp(self) -> int: ...
    @property
    def tax_rates(self) -> Mapping[str, int]: ...


def classes_of(shop: TaxPolicy) -> tuple[TaxClass, ...]:
    """The classes that a shop's country has, at the rates that the shop charges; the general one first."""
    general = TaxClass(GENERAL, "General", shop.tax_rate_bp)
    others = (
        TaxClass(one.code, one.name, shop.tax_rates.get(one.code, one.rate_bp) if one.has_rate else 0, one.exempt)
        for one in _SPECIAL[shop.country]
    )
    return (general, *others)


def class_of(shop: TaxPolicy, code: str) -> TaxClass:
    """The class called `code`; the general one where the country has none of that name."""
    if code == UNTAXED:
        return TaxClass(UNTAXED, "Sin impuesto", 0, exempt=True)
    return next((one for one in classes_of(shop) if one.code == code), classes_of(shop)[0])


def changeable(country: str) -> tuple[TaxClass, ...]:
    """The classes besides the general one whose rate a shop may set."""
    return tuple(one for one in _SPECIAL[country] if one.has_rate)


def tax_label(country: str, code: str, rate_bp: int, percent: str) -> str:
    """How a paper calls a line's tax: "IVA 16 %", or "Exento"."""
    if code == UNTAXED:
        return "Sin impuesto"
    special = next((one for one in _SPECIAL[country] if one.code == code), None)
    return special.name if special and special.exempt and not rate_bp else f"{COUNTRIES[country].tax_name} {percent}"
