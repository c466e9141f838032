"""Forms of accounts: opening a shop, logging in, passwords, joining a team."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.forms import EmailField, Form, SlugField
from tenants.contacts import ContactField
from tenants.passwords import SHORTEST

_NEEDED = _l("Falta este dato.")
_PASSWORD_HELP = _l(
    "Al menos 10 caracteres. Tres o cuatro palabras juntas son fáciles de recordar y difíciles de adivinar."
)


def choices(named: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Values with their (lazily translated) names, as the fields want them."""
    return [SelectChoice(value, name) for value, name in named]


def refuse(field: Any, error: object) -> None:
    """Put a refusal's sentence beside the field it is about."""
    field.errors = [str(error)]


def _new_password(label: Any) -> PasswordField:
    rules = [DataRequired(_NEEDED), Length(min=SHORTEST, max=200, message=_l("Usa de 10 a 200 caracteres."))]
    return PasswordField(label, rules, description=_PASSWORD_HELP, render_kw={"autocomplete": "new-password"})


class ShopForm(Form):
    """Everything that is needed to open a shop."""

    name = StringField(_l("Nombre de tu tienda"), [DataRequired(_NEEDED), Length(min=2, max=60)])
    slug = SlugField(
        _l("Dirección de tu tienda"),
        [Optional()],
        description=_l("Si la dejas vacía, la hacemos con el nombre. Puedes cambiarla hasta que abras."),
        render_kw={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
    country = SelectField(
        _l("País"),
        choices=choices((code, land.name) for code, land in COUNTRIES.items()),
        render_kw={"autocomplete": "country"},
    )
    contact = ContactField(
        _l("Tu teléfono o tu correo"),
        [DataRequired(_NEEDED)],
        description=_l("Con él entras a tu tienda y te llegan los pedidos."),
        render_kw={"autocomplete": "username"},
    )
    password = _new_password(_l("Contraseña"))

    def process(self, formdata: Any = None, *args: Any, **kwargs: Any) -> None:
        """Read the form; numbers without a prefix are of the country chosen in it."""
        chosen = request.form.get("country", "")
        self.contact.country = chosen if chosen in COUNTRIES else "MX"
        super().process(formdata, *args, **kwargs)  # type: ignore[no-untyped-call]  # wtforms is not annotated


class LogInForm(Form):
    """Contact and password."""

    contact = StringField(
        _l("Teléfono o correo"),
        [DataRequired(_NEEDED)],
        render_kw={"autocomplete": "username", "autocapitalize": "none"},
    )
    password = PasswordField(_l("Contraseña"), [DataRequired(_NEEDED)], render_kw={"autocomplete": "current-password"})


class ForgottenForm(Form):
    """Who forgot."""

    contact = StringField(
        _l("Tu correo o tu teléfono"), [DataRequired(_NEEDED)], render_kw={"autocomplete": "username"}
    )


class ResetForm(Form):
    """The new password after a forgotten one."""

    password = _new_password(_l("Contraseña nueva"))


class PasswordForm(Form):
    """A new password from somebody who knows the old one."""

    old = PasswordField(
        _l("Contraseña actual"), [DataRequired(_NEEDED)], render_kw={"autocomplete": "current-password"}
    )
    new = _new_password(_l("Contraseña nueva"))


class NameForm(Form):
    """The name to go by."""

    name = StringField(_l("Tu nombre"), [DataRequired(_NEEDED), Length(max=60)], render_kw={"autocomplete": "name"})


class EmailForm(Form):
    """A new address to log in with and to get a forgotten password back."""

    email = EmailField(_l("Correo"), [DataRequired(_NEEDED)], render_kw={"autocomplete": "email"})
    email_password = PasswordField(
        _l("Tu contraseña actual"), [DataRequired(_NEEDED)], render_kw={"autocomplete": "current-password"}
    )


class JoinForm(Form):
    """Accepting an invitation: with an account that exists, or by making one."""

    name = StringField(_l("Tu nombre"), [DataRequired(_NEEDED), Length(max=60)], render_kw={"autocomplete": "name"})
    contact = ContactField(
        _l("Tu teléfono o tu correo"), [DataRequired(_NEEDED)], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        _l("Contraseña"),
        [DataRequired(_NEEDED), Length(max=200)],
        description=_l("Si ya tienes cuenta, la tuya. Si no, inventa una de al menos 10 caracteres."),
        render_kw={"autocomplete": "current-password"},
    )
