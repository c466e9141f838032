"""Forms of the shop's settings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DecimalField,
    FileField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from storefront.kernel.forms import EmailField, Form, MoneyField, PhoneField, SlugField
from storefront.kernel.making import MakingForm
from storefront.kernel.taxes import changeable
from storefront.payments.methods import METHODS
from tenants.forms import choices
from tenants.models import Role
from tenants.permissions import ROLE_NAMES
from tenants.settings import LANGUAGES, THEMES, BadPercents

_NEEDED = _l("Falta este dato.")

THEME_NAMES = {
    "mostrador": _l("Mostrador"),
    "taller": _l("Taller"),
    "vitrina": _l("Vitrina"),
    "posada": _l("Posada"),
}
THEME_HELP = {
    "mostrador": _l("Para pan, comida y abarrotes: lista clara, precios grandes."),
    "taller": _l("Para artesanía y lo hecho a mano: una foto grande y su historia."),
    "vitrina": _l("Para ropa, zapatos y regalos: fotos llenas y tallas a la mano."),
    "posada": _l("Para hospedaje, paseos y citas: primero la fecha, luego lo libre."),
}
LANGUAGE_NAMES = {"es": _l("Español"), "pt": _l("Portugués"), "en": _l("Inglés")}


class FactsForm(Form):
    """What customers read about the shop."""

    name = StringField(_l("Nombre de la tienda"), [DataRequired(_NEEDED), Length(min=2, max=60)])
    tagline = StringField(
        _l("Frase corta"), [Optional(), Length(max=120)], description=_l("Qué haces, como lo dirías en la puerta.")
    )
    phone = PhoneField(_l("Teléfono de WhatsApp"), [Optional()])
    email = EmailField(_l("Correo"), [Optional()], description=_l("Ahí te llegan los pedidos. Se ve en tu tienda."))
    address = StringField(_l("Dirección del local"), [Optional(), Length(max=200)])
    hours = TextAreaField(
        _l("Horario"),
        [Optional(), Length(max=300)],
        description=_l("Por ejemplo: lunes a sábado, de 7 a 14 y de 17 a 20."),
    )


class SlugForm(Form):
    """The shop's address before it opens."""

    slug = SlugField(_l("Dirección de la tienda"), [DataRequired(_NEEDED)])


class LookForm(Form):
    """The theme and the colour of the door."""

    theme = RadioField(
        _l("Estilo"), [DataRequired(_NEEDED)], choices=choices((name, THEME_NAMES[name]) for name in THEMES)
    )
    hue = HiddenField(_l("Color"), [InputRequired(_l("Elige un color."))])

    def validate_hue(self, field: Any) -> None:
        """A number from 0 to 359."""
        if not str(field.data).isdecimal() or not 0 <= int(field.data) <= 359:
            raise ValidationError(_("Elige un color."))


class CoverForm(Form):
    """A photo over the shop."""

    cover = FileField(_l("Foto de portada"), description=_l("Se ve en lo alto de tu tienda. JPG, PNG o WebP."))


class PaymentsForm(Form):
    """How customers pay."""

    methods = SelectMultipleField(
        _l("Formas de pago"), choices=choices((code, one.label) for code, one in METHODS.items())
    )
    bank_details = TextAreaField(
        _l("Datos para transferencias"),
        [Optional(), Length(max=500)],
        description=_l("Banco, nombre y número de cuenta. Se muestran al terminar el pedido."),
    )


def _rate_field(label: Any, *, required: bool = True) -> DecimalField:
    return DecimalField(
        label,
        [
            InputRequired(_NEEDED) if required else Optional(),
            NumberRange(0, 50, _l("El impuesto va de 0 a 50 por ciento.")),
        ],
        places=2,
        render_kw={"inputmode": "decimal"},
    )


def _in_basis_points(field: DecimalField) -> int:
    """A rate in hundredths of a percent."""
    return int(((field.data or Decimal(0)) * 100).to_integral_value())


class TaxForm(Form):
    """The general rate, and whether prices have their tax inside. `for_country` adds the rates of its other classes."""

    rate = _rate_field(_l("Tasa general"))
    inside = RadioField(
        _l("¿Cómo escribes tus precios?"),
        choices=choices(
            (
                ("yes", _l("Con el impuesto incluido: se paga lo que dice el precio")),
                ("no", _l("Sin el impuesto: se suma al hacer el pedido, y tu tienda lo dice junto a cada precio")),
            )
        ),
        default="yes",
    )

    @classmethod
    def for_country(cls, country: str) -> type[TaxForm]:
        """The form with a field for each class of the country that has a rate."""
        fields = {f"rate_{one.code}": _rate_field(one.name, required=False) for one in changeable(country)}
        return type("TaxFormOfCountry", (cls,), fields)

    @property
    def basis_points(self) -> int:
        """The general rate in hundredths of a percent."""
        return _in_basis_points(self.rate)

    @property
    def others(self) -> dict[str, int]:
        """The rates of the other classes, by the class's code; one that is left empty is the country's."""
        filled = [field for field in self.other_fields if field.data is not None]
        return {field.name.removeprefix("rate_"): _in_basis_points(field) for field in filled}

    @property
    def other_fields(self) -> list[DecimalField]:
        """Their fields."""
        return [field for field in self if field.name.startswith("rate_")]


class ExtrasForm(Form):
    """What an order costs besides its goods and their delivery."""

    packaging = MoneyField(
        _l("Lo que cuesta el empaque"),
        [Optional(), NumberRange(min=0)],
        description=_l("Por pedido, con el impuesto incluido. Vacío si no lo cobras."),
    )
    packaging_for = SelectMultipleField(
        _l("Se cobra en"),
        choices=choices((("delivery", _l("Lo que llevas a domicilio")), ("pickup", _l("Lo que recogen en tu tienda")))),
    )
    takes_tips = BooleanField(
        _l("Preguntar por la propina"),
        description=_l("Al terminar el pedido, sin nada elegido de antemano. La propina no es parte de tus ventas."),
    )
    percents = StringField(
        _l("Porcentajes que se sugieren"),
        [Optional(), Length(max=40)],
        description=_l("Hasta tres, separados por comas: 5, 10, 15. Siempre se puede escribir otra cantidad."),
        render_kw={"autocomplete": "off"},
    )

    def validate_percents(self, field: Any) -> None:
        """Whole numbers."""
        if any(not word.isascii() or not word.isdigit() or len(word) > 3 for word in self._words):
            raise ValidationError(str(BadPercents.message))

    @property
    def _words(self) -> list[str]:
        return (self.percents.data or "").replace("%", " ").replace(",", " ").split()

    @property
    def suggested(self) -> list[int] | None:
        """The percentages; None where no tips are asked for."""
        return [int(word) for word in self._words] if self.takes_tips.data else None


class LanguagesForm(Form):
    """The languages of the shop's pages."""

    languages = SelectMultipleField(
        _l("Idiomas de tu tienda"), choices=choices((code, LANGUAGE_NAMES[code]) for code in LANGUAGES)
    )


class TastesForm(Form):
    """Words customers may choose from."""

    tastes = TextAreaField(
        _l("Gustos"),
        [Optional(), Length(max=400)],
        description=_l("Palabras separadas por comas: dulce, salado, sin gluten. Cada quien elige las suyas."),
    )

    @property
    def words(self) -> list[str]:
        """One by one."""
        return (self.tastes.data or "").replace("\n", ",").split(",")


class CloseForm(Form):
    """Closing asks for the shop's name."""

    name = StringField(_l("Escribe el nombre de tu tienda para cerrarla"), [DataRequired(_NEEDED)])


class InvitationForm(MakingForm):
    """Somebody to work with."""

    name = StringField(_l("Nombre"), [DataRequired(_NEEDED), Length(max=60)])
    role = RadioField(
        _l("Qué hará"),
        [DataRequired(_l("Elige qué hará."))],
        choices=choices((role.value, ROLE_NAMES[role]) for role in reversed(Role)),
        default=Role.CLERK.value,
    )


class RoleForm(Form):
    """Another role."""

    role = RadioField(
        _l("Qué hace"),
        [DataRequired(_l("Elige qué hará."))],
        choices=choices((role.value, ROLE_NAMES[role]) for role in reversed(Role)),
    )


class HostForm(Form):
    """A domain of one's own."""

    host = StringField(
        _l("Tu dominio"),
        [DataRequired(_NEEDED)],
        description=_l("Por ejemplo mitienda.com o tienda.midominio.com."),
        render_kw={"inputmode": "url", "autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
