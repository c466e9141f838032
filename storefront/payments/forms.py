"""What people send about money."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import FileField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from storefront.kernel.forms import Form


class ProofForm(Form):
    """A photo of the transfer and, if at hand, its reference."""

    photo = FileField(_l("Foto o captura del comprobante"), [DataRequired(_l("Elige la foto de tu comprobante."))])
    reference = StringField(
        _l("Referencia o folio (si lo tienes)"), [Optional(), Length(max=80)], render_kw={"autocomplete": "off"}
    )


class RejectionForm(Form):
    """Why a proof does not do, in words the customer will read."""

    reason = TextAreaField(
        _l("Qué le decimos a la clienta o al cliente"),
        [DataRequired(_l("Escribe el motivo: lo va a leer quien compró.")), Length(max=300)],
    )
