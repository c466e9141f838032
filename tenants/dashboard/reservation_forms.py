"""What staff type about reservations: who phones, why one is cancelled, opening hours, how a product is reserved."""

from __future__ import annotations

from datetime import time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from storefront.kernel.forms import Form, PhoneField, QuantityField
from storefront.kernel.making import MakingForm
from storefront.reservations.models import Unit
from storefront.reservations.setup import FURTHEST_DAYS, LONGEST_MIN, MOST_PLACES, ServiceSettings
from storefront.reservations.slots import DAYS
from tenants.forms import choices, refuse

_NEEDED = _l("Falta este dato.")

WEEK = {
    "mon": _l("Lunes"),
    "tue": _l("Martes"),
    "wed": _l("Miércoles"),
    "thu": _l("Jueves"),
    "fri": _l("Viernes"),
    "sat": _l("Sábado"),
    "sun": _l("Domingo"),
}

REASONS = {
    "customer_asked": _l("La clienta o el cliente lo pidió"),
    "weather": _l("Por el clima"),
    "cannot_attend": _l("No podemos atender ese día"),
    "other": _l("Otra razón"),
}


class WalkInForm(MakingForm):
    """Somebody at the counter or on the phone."""

    starts_at = HiddenField(_l("Horario"), [InputRequired(_l("Elige un horario."))])
    quantity = QuantityField(_l("Cuántos lugares"), most=MOST_PLACES, default=1)
    name = StringField(_l("A nombre de"), [DataRequired(_NEEDED), Length(max=80)])
    phone = PhoneField(_l("Teléfono"), [Optional()])
    note = StringField(_l("Nota"), [Optional(), Length(max=200)])


class CancellationForm(Form):
    """Why a reservation is cancelled."""

    why = RadioField(
        _l("¿Por qué la cancelas?"), [DataRequired(_l("Elige una razón."))], choices=choices(REASONS.items())
    )
    words = StringField(_l("Con tus palabras"), [Optional(), Length(max=200)])

    @property
    def reason(self) -> str:
        """The sentence that is kept."""
        return self.words.data or str(REASONS[self.why.data])


class ClosureForm(Form):
    """A day without reservations."""

    day = DateField(_l("Día que cierras"), [InputRequired(_l("Elige el día."))])
    reason = StringField(_l("Motivo"), [Optional(), Length(max=100)])


class _MayBeEmpty(Optional):
    """Nothing typed is fine here, and not worth a word beside the label."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # wtforms is not annotated
        self.field_flags = {}


class DayForm(Form):
    """The hours of one weekday: once, or twice with a break between."""

    is_open = BooleanField(_l("Abierto"))
    opens = TimeField(_l("Desde"), [_MayBeEmpty()])
    closes = TimeField(_l("Hasta"), [_MayBeEmpty()])
    opens_again = TimeField(_l("Y otra vez desde"), [_MayBeEmpty()])
    closes_again = TimeField(_l("Hasta"), [_MayBeEmpty()])

    def validate(self, extra_validators: Any = None) -> bool:
        """An open day says from when until when, and the second time is whole or not there."""
        fine: bool = super().validate(extra_validators)
        if not self.is_open.data or not fine:
            return fine
        if self.opens.data is None or self.closes.data is None:
            refuse(self.closes, _("Escribe desde y hasta qué hora."))
        elif self.opens.data == self.closes.data:
            refuse(self.closes, _("La hora de cierre tiene que ser otra que la de apertura."))
        if (self.opens_again.data is None) != (self.closes_again.data is None):
            refuse(self.closes_again, _("Completa las dos horas o deja las dos vacías."))
        elif self.opens_again.data is not None and self.opens_again.data == self.closes_again.data:
            refuse(self.closes_again, _("La hora de cierre tiene que ser otra que la de apertura."))
        return not (self.closes.errors or self.closes_again.errors)

    @property
    def ranges(self) -> list[tuple[str, str]]:
        """The open hours as they are stored."""
        pairs = [(self.opens.data, self.closes.data), (self.opens_again.data, self.closes_again.data)]
        return [(f"{a:%H:%M}", f"{b:%H:%M}") for a, b in pairs if a and b] if self.is_open.data else []


class PlaceForm(MakingForm):
    """Something with places: its name, how many there are, and when it is open."""

    name = StringField(
        _l("Nombre"), [DataRequired(_NEEDED), Length(max=80)],
        description=_l("Por ejemplo: Habitación con vista, Mesa, Paseo por los cerros, Rosa."),
    )  # fmt: skip
    capacity = IntegerField(
        _l("Cuántos lugares iguales hay"),
        [InputRequired(_NEEDED), NumberRange(1, MOST_PLACES, _l("Escribe cuántos lugares hay, entre 1 y 500."))],
        description=_l("Habitaciones de ese tipo, asientos del paseo, personas a la vez. Nunca se reservan más."),
        default=1,
    )
    mon = FormField(DayForm, WEEK["mon"])
    tue = FormField(DayForm, WEEK["tue"])
    wed = FormField(DayForm, WEEK["wed"])
    thu = FormField(DayForm, WEEK["thu"])
    fri = FormField(DayForm, WEEK["fri"])
    sat = FormField(DayForm, WEEK["sat"])
    sun = FormField(DayForm, WEEK["sun"])

    @property
    def days(self) -> list[Any]:
        """The seven days, Monday first."""
        return [getattr(self, day) for day in DAYS]

    @property
    def hours(self) -> dict[str, list[tuple[str, str]]]:
        """The opening hours as `setup` wants them."""
        return {day: getattr(self, day).form.ranges for day in DAYS}


_TIMES = ("opens", "closes", "opens_again", "closes_again")


def hours_shown(hours: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Stored hours as the form's data."""
    found: dict[str, dict[str, Any]] = {}
    for day in DAYS:
        times = [time.fromisoformat(text) for pair in hours.get(day, ()) for text in pair]
        found[day] = {"is_open": bool(times), **dict(zip(_TIMES, times, strict=False))}
    return found


USUAL_HOURS = {day: [["09:00", "18:00"]] for day in DAYS[:6]}
"""What a new place starts from: Monday to Saturday."""


class ServiceForm(Form):
    """How a product is reserved."""

    place = SelectField(_l("Dónde o con quién"), [DataRequired(_NEEDED)])
    unit = RadioField(
        _l("Se reserva"),
        [DataRequired(_NEEDED)],
        choices=choices([(Unit.TIME.value, _l("Por horario")), (Unit.NIGHT.value, _l("Por noche"))]),
        default=Unit.TIME.value,
    )
    duration = IntegerField(_l("Cuánto dura"), [_MayBeEmpty(), NumberRange(5, LONGEST_MIN)], default=60)
    step = IntegerField(_l("Empieza cada"), [_MayBeEmpty(), NumberRange(5, LONGEST_MIN)], default=60)
    check_in = TimeField(_l("Llegada desde"), [_MayBeEmpty()], default=time(15))
    check_out = TimeField(_l("Salida hasta"), [_MayBeEmpty()], default=time(12))
    notice = IntegerField(
        _l("Con cuánta anticipación"), [InputRequired(_NEEDED), NumberRange(0, 24 * 60)], default=1,
        description=_l("0 permite reservar hasta el último momento."),
    )  # fmt: skip
    horizon = IntegerField(
        _l("Hasta cuándo se puede reservar"), [InputRequired(_NEEDED), NumberRange(1, FURTHEST_DAYS)], default=90
    )

    @property
    def settings(self) -> ServiceSettings:
        """What was typed; what does not concern the unit keeps its usual value."""
        return ServiceSettings(
            unit=Unit(self.unit.data),
            duration_min=self.duration.data or 60,
            step_min=self.step.data or self.duration.data or 60,
            min_notice_min=60 * (self.notice.data or 0),
            horizon_days=self.horizon.data or 90,
            check_in=self.check_in.data or time(15),
            check_out=self.check_out.data or time(12),
        )
