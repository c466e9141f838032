"""Whom a receipt is made out to."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import Length, Optional

from storefront.kernel.forms import Form
from storefront.kernel.tax_ids import documents_of
from storefront.kernel.tenancy import current_shop


class BuyerForm(Form):
    """A name and a tax document of the shop's country; all may stay empty."""

    buyer_name = StringField(_l("Nombre o razón social"), [Optional(), Length(max=120)])
    document = SelectField(_l("Documento"), [Optional()])
    number = StringField(_l("Número"), [Optional(), Length(max=30)], render_kw={"autocomplete": "off"})

    def offer_documents(self) -> BuyerForm:
        """Let the shop's country say which documents there are."""
        self.document.choices = [(one.name, one.name) for one in documents_of(current_shop().country)]
        return self
