"""What people send about money."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from storefront.kernel.forms import Form


class ProofForm(Form):
    """A photo of the transfer and, if at hand, its reference."""

    photo = FileField(_l("Foto o captura del comprobante"), [DataRequired(_l("Elige la foto de tu comprobante."))])
    reference = StringField(
        _l("Referencia o folio (si lo tienes)"), [Optional(), Length(max=80)], render_kw={"autocomplete": "off"}
    )


class TogetherForm(Form):
    """Which other orders are paid at once with one; for a transfer, its photo. `shown` is the total that was seen."""

    orders = SelectMultipleField(_l("Qué pedidos pagas junto con este"), [Optional()])
    link = StringField(
        _l("Enlace de otro pedido"),
        [Optional(), Length(max=300)],
        description=_l("Es la dirección de la página de ese pedido; te llegó por correo al pedir."),
        render_kw={"autocomplete": "off"},
    )
    shown = HiddenField()
    photo = FileField(_l("Foto o captura del comprobante"))
    reference = StringField(
        _l("Referencia o folio (si lo tienes)"), [Optional(), Length(max=80)], render_kw={"autocomplete": "off"}
    )


class RejectionForm(Form):
    """Why a proof does not do, in words the customer will read."""

    reason = TextAreaField(
        _l("Qué le decimos a la clienta o al cliente"),
        [DataRequired(_l("Escribe el motivo: lo va a leer quien compró.")), Length(max=300)],
    )
