"""The forms of riders and of the shop's delivery desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from storefront.delivery.words import DOOR_REASONS, REASONS
from storefront.kernel.forms import Form, MoneyField
from storefront.kernel.making import MakingForm


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


class ZoneForm(MakingForm):
    """A zone with its price."""

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
    price = MoneyField(_l("Precio de la entrega"), [InputRequired(_l("Escribe el precio; cero si es gratis."))])
    free_above = MoneyField(_l("Gratis a partir de"), [Optional()], description=_l("Déjalo vacío si siempre se cobra."))
    active = BooleanField(_l("Se entrega aquí"), default=True)
    version = HiddenField(default="0")


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
