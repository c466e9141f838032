"""What staff type about reservations: who phones, why one is cancelled, opening hours, how a product is reserved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from storefront.kernel.forms import Form, PhoneField, QuantityField
from storefront.kernel.making import MakingForm
from storefront.reservations.models import Unit
from storefront.reservations.setup import FURTHEST_DAYS, LONGEST_MIN, MOST_PLACES, ServiceSettings
from storefront.reservations.slots import DAYS, Hours
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


class HoursForm(Form):
    """The hours of a day: once, or twice with a break between."""

    opens = TimeField(_l("Desde"), [_MayBeEmpty()])
    closes = TimeField(_l("Hasta"), [_MayBeEmpty()])
    opens_again = TimeField(_l("Y otra vez desde"), [_MayBeEmpty()])
    closes_again = TimeField(_l("Hasta"), [_MayBeEmpty()])

    def validate(self, extra_validators: Any = None) -> bool:
        """Each of the two is whole or not there, and a second one needs a first."""
        if not super().validate(extra_validators):
            return False
        first, again = (self.opens.data, self.closes.data), (self.opens_again.data, self.closes_again.data)
        if (None in first) and (first != (None, None) or again != (None, None)):
            refuse(self.closes, _("Escribe desde y hasta qué hora."))
        elif self.is_written and first[0] == first[1]:
            refuse(self.closes, _("La hora de cierre tiene que ser otra que la de apertura."))
        if (again[0] is None) != (again[1] is None):
            refuse(self.closes_again, _("Completa las dos horas o deja las dos vacías."))
        elif again[0] is not None and again[0] == again[1]:
            refuse(self.closes_again, _("La hora de cierre tiene que ser otra que la de apertura."))
        return not (self.closes.errors or self.closes_again.errors)

    @property
    def is_written(self) -> bool:
        """Whether there are hours in it."""
        return self.opens.data is not None and self.closes.data is not None

    @property
    def ranges(self) -> list[tuple[str, str]]:
        """The open hours as they are stored."""
        pairs = [(self.opens.data, self.closes.data), (self.opens_again.data, self.closes_again.data)]
        return [(f"{a:%H:%M}", f"{b:%H:%M}") for a, b in pairs if a and b]


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
    open_days = SelectMultipleField(_l("Qué días"), choices=choices(WEEK.items()))
    usual = FormField(HoursForm, _l("Horario"))
    mon = FormField(HoursForm, WEEK["mon"])
    tue = FormField(HoursForm, WEEK["tue"])
    wed = FormField(HoursForm, WEEK["wed"])
    thu = FormField(HoursForm, WEEK["thu"])
    fri = FormField(HoursForm, WEEK["fri"])
    sat = FormField(HoursForm, WEEK["sat"])
    sun = FormField(HoursForm, WEEK["sun"])

    @property
    def days(self) -> list[Any]:
        """The seven days, Monday first."""
        return [getattr(self, day) for day in DAYS]

    @property
    def differs(self) -> bool:
        """Whether a day has hours of its own, or something is wrong with them."""
        return any(day.form.is_written or day.errors for day in self.days)

    def validate(self, extra_validators: Any = None) -> bool:
        """An open day has hours, its own or the usual ones; hours of a day that is not open are a slip."""
        fine: bool = super().validate(extra_validators)
        is_open, usual = set(self.open_days.data or ()), self.usual.form
        own = {day.short_name: day.form for day in self.days if day.form.is_written}
        if is_open - own.keys() and not usual.is_written and not usual.closes.errors:
            refuse(usual.closes, _("Escribe desde y hasta qué hora."))
        for day in own.keys() - is_open:
            refuse(own[day].closes, _("Marca también este día arriba, o borra estas horas."))
        return fine and not (usual.closes.errors or own.keys() - is_open)

    @property
    def hours(self) -> dict[str, list[tuple[str, str]]]:
        """The opening hours as `setup` wants them."""
        is_open, usual = self.open_days.data or (), self.usual.form.ranges
        return {day.short_name: (day.form.ranges or usual) if day.short_name in is_open else [] for day in self.days}


_TIMES = ("opens", "closes", "opens_again", "closes_again")


def hours_shown(hours: Hours) -> dict[str, Any]:
    """Stored hours as the form's data: what most days have in common, and the days that differ from it."""
    said = {day: tuple(tuple(pair) for pair in hours.get(day, ())) for day in DAYS}
    is_open = [day for day in DAYS if said[day]]
    usual = Counter(said[day] for day in is_open).most_common(1)[0][0] if is_open else USUAL_HOURS["mon"]
    own = {day: _times(said[day]) for day in is_open if said[day] != usual}
    return {"open_days": is_open, "usual": _times(usual), **own}


def unchanged_kept(typed: Hours, stored: Hours) -> dict[str, Any]:
    """The typed hours, but for days left as they were shown: a day may have more hours than the form has room for."""
    room = len(_TIMES) // 2
    return {
        day: stored[day] if [tuple(pair) for pair in stored.get(day, ())][:room] == list(ranges) else ranges
        for day, ranges in typed.items()
    }


def _times(ranges: Iterable[Iterable[str]]) -> dict[str, time]:
    return dict(zip(_TIMES, (time.fromisoformat(text) for pair in ranges for text in pair), strict=False))


USUAL_HOURS: Hours = {day: [("09:00", "18:00")] for day in DAYS[:6]}
"""What a new place starts from where the shop's own hours are not known: Monday to Saturday."""


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
