"""What customers type about themselves and where they live. Labels and postcode follow the shop's country."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from storefront.customers.address import PostalAddress
from storefront.customers.codes import DIGITS
from storefront.customers.contacts import normal_contact
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.forms import CoordinateField, EmailField, Form, ParsedField, PhoneField, PlusCodeField
from storefront.kernel.tenancy import current_shop

NEEDED = DataRequired(_l("Este dato hace falta."))


class ContactField(ParsedField):
    """A mail address or a telephone number; `data` is the normal contact."""

    def parse(self, text: str) -> str:
        """The contact in its one form."""
        return normal_contact(text)


class ContactForm(Form):
    """How somebody wants to be let in. `pedido` is the secret token of an order they come from, if any."""

    contact = ContactField(
        _l("Tu correo o tu teléfono"),
        [DataRequired(_l("Escribe tu correo o tu teléfono."))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    pedido = StringField(validators=[Optional(), Length(max=80)])


class EmailForm(Form):
    """A new address, to be proved."""

    email = EmailField(_l("Tu correo nuevo"), [NEEDED], render_kw={"autocomplete": "email"})


class CodeForm(Form):
    """The one-time code, however it was typed: spaces and dashes do not matter."""

    code = StringField(
        _l("Código de 6 números"),
        [DataRequired(_l("Escribe el código que te llegó."))],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )

    @property
    def digits(self) -> str:
        """What was typed, digits only; at most one more than a code has, which is then wrong."""
        return "".join(c for c in self.code.data or "" if c.isascii() and c.isdigit())[: DIGITS + 1]


class DetailsForm(Form):
    """What a customer says of themselves."""

    name = StringField(_l("Tu nombre"), [NEEDED, Length(max=120)], render_kw={"autocomplete": "name"})
    phone = PhoneField(_l("Teléfono o WhatsApp"), [Optional()], render_kw={"autocomplete": "tel"})
    locale = SelectField(_l("Idioma de tus correos"), choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {"es": _("Español"), "pt": "Português", "en": "English"}
        offered = current_shop().locales or (current_shop().locale,)
        self.locale.choices = [SelectChoice(code, names.get(code[:2], code)) for code in offered]
        if len(offered) < 2:
            del self.locale


class AddressForm(Form):
    """A place to hand something over. Few fields are needed; the landmark and the pin spare the courier a call."""

    recipient = StringField(_l("Nombre de quien recibe"), [NEEDED, Length(max=120)], render_kw={"autocomplete": "name"})
    phone = PhoneField(_l("Teléfono o WhatsApp"), [NEEDED], render_kw={"autocomplete": "tel"})
    street = StringField(
        _l("Calle y número, o cómo se llama el lugar"),
        [NEEDED, Length(max=200)],
        render_kw={"autocomplete": "address-line1"},
    )
    neighbourhood = StringField(_l("Colonia o barrio"), [Optional(), Length(max=120)])
    locality = StringField(
        _l("Ciudad o municipio"), [NEEDED, Length(max=120)], render_kw={"autocomplete": "address-level2"}
    )
    region = SelectField(_l("Región"), choices=[], validate_choice=False)
    postcode = StringField(_l("Código postal"), [Optional(), Length(max=12)], render_kw={"autocomplete": "postal-code"})
    reference = StringField(
        _l("Referencia para encontrarlo"),
        [Optional(), Length(max=200)],
        description=_l("Por ejemplo: casa azul frente a la iglesia."),
    )
    instructions = TextAreaField(_l("Indicaciones para quien entrega"), [Optional(), Length(max=500)])
    plus_code = PlusCodeField(_l("Código plus"), [Optional()], description=_l("Si lo tienes, por ejemplo 76F4277Q+W2."))
    lat = CoordinateField(_l("Latitud"), [Optional()], limit=90)
    lng = CoordinateField(_l("Longitud"), [Optional()], limit=180)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pack = COUNTRIES[current_shop().country]
        self.region.label.text = pack.region_label
        self.locality.label.text = pack.locality_label
        regions = [SelectChoice(code, name) for code, name in pack.regions.items()]
        self.region.choices = [SelectChoice("", _("Elige…")), *regions]
        if not pack.uses_postcode:
            del self.postcode

    def validate_region(self, field: SelectField) -> None:
        """The region is one of the country's, or left open."""
        if field.data and field.data not in COUNTRIES[current_shop().country].regions:
            field.data = ""
            raise ValueError(_("Elige una opción de la lista."))

    def show(self, address: PostalAddress) -> None:
        """Fill the form with an address that is kept."""
        for name, value in address.to_dict().items():
            if name in self:
                self[name].data = value

    def address(self) -> PostalAddress:
        """What was typed, as an address in the shop's country. Call it after the form validated."""
        return PostalAddress(
            recipient=self.recipient.data or "",
            phone=self.phone.data or "",
            street=self.street.data or "",
            neighbourhood=self.neighbourhood.data or "",
            locality=self.locality.data or "",
            region=self.region.data or "",
            postcode=(self.postcode.data or "") if "postcode" in self else "",
            country=current_shop().country,
            reference=self.reference.data or "",
            instructions=self.instructions.data or "",
            plus_code=self.plus_code.data or "",
            lat=self.lat.data,
            lng=self.lng.data,
        )


class KeptAddressForm(AddressForm):
    """An address for the customer's own list, with a word to tell it from the others."""

    label = StringField(
        _l("Cómo la llamas"), [Optional(), Length(max=40)], description=_l("Por ejemplo: casa, trabajo, mi mamá.")
    )
