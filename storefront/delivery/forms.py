"""The forms of riders and of the shop's delivery desk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from storefront.catalogue.models import HEAVIEST_G
from storefront.delivery.contracts import MOST_STEPS
from storefront.delivery.models import RateKind
from storefront.delivery.points import LEAST_DETOUR, LONGEST_TEXT, MOST_DETOUR
from storefront.delivery.rates import WITHOUT_TABLE, Step
from storefront.delivery.words import DOOR_REASONS, REASONS
from storefront.kernel.forms import CoordinateField, Form, GramsField, MoneyField, ParsedField
from storefront.kernel.making import MakingForm

BLANK_STEPS = 3
RATE_KINDS = {
    RateKind.FLAT: _l("Un solo precio"),
    RateKind.BY_WEIGHT: _l("Según el peso"),
    RateKind.BY_TOTAL: _l("Según el total de productos"),
    RateKind.BY_DISTANCE: _l("Según la distancia"),
    RateKind.QUOTED: _l("Te lo digo en cada pedido"),
}


class RiderLogInForm(Form):
    """Phone and PIN. The phone may be typed as people say it; it is read by the action."""

    phone = StringField(
        _l("Tu teléfono"), [InputRequired(_l("Escribe tu teléfono."))], render_kw={"type": "tel", "autocomplete": "tel"}
    )
    pin = StringField(
        _l("Tu PIN"),
        [InputRequired(_l("Escribe tu PIN.")), Regexp(r"\d{6}\Z", message=_l("El PIN son seis números."))],
        description=_l("Los seis números que te dio tu empresa."),
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "6"},
    )


class StepForm(Form):
    """One step of a delivery. `event_id` was made with the page, so that sending it twice is one step."""

    event_id = HiddenField(validators=[InputRequired(), Regexp(r"[A-Za-z0-9._:-]{8,80}\Z")])


class DoorForm(StepForm):
    """The hand-over, with the customer's digits."""

    delivery_code = StringField(
        _l("Código de quien recibe"),
        [InputRequired(_l("Escribe el código de cuatro números que te dice quien recibe.")), Length(max=12)],
        description=_l("Pídele los cuatro números cuando tenga el paquete."),
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )


class FailedForm(Form):
    """Why it could not be handed over."""

    event_id = HiddenField(validators=[InputRequired(), Regexp(r"[A-Za-z0-9._:-]{8,80}\Z")])
    reason = SelectField(_l("¿Qué pasó?"), choices=[SelectChoice(code, REASONS[code]) for code in DOOR_REASONS])
    note = StringField(_l("Algo más que la tienda deba saber"), [Optional(), Length(max=200)])


class HandOverForm(Form):
    """The shop's own hand-over: with the customer's code, or answering for it without."""

    delivery_code = StringField(
        _l("Código de quien recibe"), [Optional(), Length(max=12)], render_kw={"inputmode": "numeric"}
    )
    without_code = BooleanField(_l("Lo entregué, pero no tenía el código"))


class ShopFailedForm(Form):
    """Why the shop's own courier could not hand it over."""

    reason = SelectField(_l("¿Qué pasó?"), choices=[SelectChoice(code, REASONS[code]) for code in DOOR_REASONS])


class _TableRow(Form):
    """One row of a table of prices."""

    @property
    def is_blank(self) -> bool:
        """Whether nobody typed in it."""
        return not any((one.data is not None) or (one.raw_data and one.raw_data[0].strip()) for one in self._typed)

    @property
    def _typed(self) -> tuple[ParsedField, ParsedField]:
        return self["up_to"], self["price"]

    def validate(self, extra_validators: Any = None) -> bool:
        """A row with anything in it has a price."""
        if self.is_blank:
            return True
        good = bool(super().validate(extra_validators))
        price = self["price"]
        if price.data is None and not price.errors:
            price.errors = (_("Escribe el precio; cero si es gratis."),)
            return False
        return good


class WeightStepForm(_TableRow):
    """Up to so many grams, this price."""

    up_to = GramsField(_l("Hasta (gramos)"), [Optional()])
    price = MoneyField(_l("Precio"), [Optional(), NumberRange(min=0)])


class TotalStepForm(_TableRow):
    """Up to so much of goods, this price."""

    up_to = MoneyField(_l("Hasta (total de productos)"), [Optional(), NumberRange(min=1)])
    price = MoneyField(_l("Precio"), [Optional(), NumberRange(min=0)])


class KilometresField(ParsedField):
    """A way in kilometres; `data` is whole metres."""

    def parse(self, text: str) -> int:
        """The metres. A comma is a decimal comma, since no delivery goes a thousand kilometres."""
        number = text.lower().removesuffix("km").strip().replace(",", ".")
        if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", number) or not float(number):
            raise ValueError(_("Escribe los kilómetros, por ejemplo 2.5."))
        whole, _point, part = number.partition(".")
        return int(whole) * 1000 + int(part.ljust(3, "0") or 0)

    def show(self, value: Any) -> str:
        """The kilometres, without needless zeros."""
        return f"{value / 1000:.3f}".rstrip("0").rstrip(".")


class DistanceStepForm(_TableRow):
    """Up to so many kilometres, this price."""

    up_to = KilometresField(_l("Hasta (kilómetros)"), [Optional()])
    price = MoneyField(_l("Precio"), [Optional(), NumberRange(min=0)])


class OriginForm(Form):
    """Where the shop sends from."""

    place = StringField(
        _l("Enlace del mapa o código plus"),
        [Optional(), Length(max=LONGEST_TEXT)],
        description=_l("Busca tu tienda en el mapa de tu teléfono, copia el enlace y pégalo aquí."),
        render_kw={"autocomplete": "off"},
    )
    lat = CoordinateField(_l("Latitud"), [Optional()], limit=90)
    lng = CoordinateField(_l("Longitud"), [Optional()], limit=180)
    detour = IntegerField(
        _l("Cuánto alargan las calles"),
        [InputRequired(_l("Escribe un número de 100 a 300.")),
         NumberRange(LEAST_DETOUR, MOST_DETOUR, _l("Escribe un número de 100 a 300."))],
        description=_l("En porcentaje de la línea recta: 130 quiere decir que un kilómetro en línea recta cuenta 1.3."),
    )  # fmt: skip


class ZoneForm(MakingForm):
    """A zone with its price, or with a table of prices by weight, by total or by distance."""

    name = StringField(
        _l("Nombre de la zona"),
        [InputRequired(_l("Ponle un nombre, por ejemplo «Centro».")), Length(max=60)],
        description=_l("Así la ve quien compra."),
    )
    localities = TextAreaField(
        _l("Barrios o localidades"),
        [Optional(), Length(max=5000)],
        description=_l("Uno por renglón. Si lo dejas vacío, vale para toda la región o para cualquier lugar."),
        render_kw={"rows": 6},
    )
    region = SelectField(_l("Región"), [Optional()], description=_l("Solo si la zona es de una región."))
    kind = RadioField(
        _l("¿Cómo se cobra?"),
        choices=[SelectChoice(kind.value, words) for kind, words in RATE_KINDS.items()],  # type: ignore[arg-type]
        default=RateKind.FLAT.value,
    )
    price = MoneyField(_l("Precio de la entrega"), [Optional(), NumberRange(min=0)])
    weights = FieldList(FormField(WeightStepForm), max_entries=MOST_STEPS)
    totals = FieldList(FormField(TotalStepForm), max_entries=MOST_STEPS)
    distances = FieldList(FormField(DistanceStepForm), max_entries=MOST_STEPS)
    assumed = GramsField(
        _l("Lo que cuenta una pieza sin peso"),
        description=_l("En gramos. Vale para los productos a los que no les escribiste su peso."),
    )
    free_above = MoneyField(_l("Gratis a partir de"), [Optional()], description=_l("Déjalo vacío si siempre se cobra."))
    active = BooleanField(_l("Se entrega aquí"), default=True)
    version = HiddenField(default="0")

    @property
    def rate_kind(self) -> RateKind:
        """How the delivery is charged for."""
        return RateKind(self.kind.data) if self.kind.data in set(RateKind) else RateKind.FLAT

    @property
    def table(self) -> FieldList:
        """The rows of the table that counts."""
        tables = {RateKind.BY_TOTAL: self.totals, RateKind.BY_DISTANCE: self.distances}
        return tables.get(self.rate_kind, self.weights)

    @property
    def steps(self) -> list[Step]:
        """What the table says."""
        return [Step(row.form.up_to.data, row.form.price.data) for row in self.table if not row.form.is_blank]

    def fill_table(self, steps: Iterable[Step]) -> None:
        """Show a stored table, and some blank rows below it."""
        for step in steps:
            self.table.append_entry({"up_to": step.up_to, "price": step.price_minor})
        self.add_blanks()

    def add_blanks(self) -> None:
        """See that there are some blank rows, as far as there is room."""
        if self.rate_kind in WITHOUT_TABLE:
            return
        blank = sum(row.form.is_blank for row in self.table)
        for _number in range(min(BLANK_STEPS - blank, MOST_STEPS - len(self.table))):
            self.table.append_entry()

    def validate(self, extra_validators: Any = None) -> bool:
        """One price, or a table; by weight, also what a piece without a weight counts."""
        good = bool(super().validate(extra_validators))
        if self.rate_kind is RateKind.FLAT and self.price.data is None and not self.price.errors:
            self.price.errors = (_("Escribe el precio; cero si es gratis."),)
            return False
        by_weight = self.rate_kind is RateKind.BY_WEIGHT
        if by_weight and not self.assumed.errors and not 0 < (self.assumed.data or 0) <= HEAVIEST_G:
            self.assumed.errors = (_("Escribe cuánto cuenta una pieza sin peso, en gramos."),)
            return False
        return good


class ContractForm(Form):
    """The terms with one partner."""

    active = BooleanField(_l("Trabajar con esta empresa"))
    priority = IntegerField(
        _l("Preferencia"),
        [Optional(), NumberRange(0, 100, _l("Un número del 0 al 100."))],
        default=0,
        description=_l("Le preguntamos primero a quien tenga el número más alto."),
    )
    zones = SelectMultipleField(_l("Zonas"), [Optional()], description=_l("Sin marcar ninguna, lleva a todas."))
    cod_allowed = BooleanField(_l("Puede cobrar en efectivo al entregar"), default=True)
    fee = MoneyField(
        _l("Lo que le pagas por entrega"), [Optional()], description=_l("Solo si acordaron un precio fijo.")
    )
