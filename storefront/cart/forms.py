"""What people send to a cart."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from wtforms import HiddenField, IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from storefront.cart.models import MOST_OF_ONE
from storefront.kernel.forms import Form, QuantityField

LONGEST_STAY = 60


class GoodsForm(Form):
    """Put so many of a variant in."""

    variant = HiddenField(validators=[InputRequired()])
    quantity = QuantityField(most=MOST_OF_ONE, default=1)


class BookingForm(Form):
    """Keep a time or a stay: the instant of its start with its offset, how many places, and for how many nights."""

    variant = HiddenField(validators=[InputRequired()])
    starts_at = HiddenField(validators=[InputRequired()])
    quantity = QuantityField(most=MOST_OF_ONE, default=1)
    nights = IntegerField(validators=[Optional(), NumberRange(1, LONGEST_STAY)])

    def validate_starts_at(self, field: Any) -> None:
        """The instant is one, and says in which zone."""
        if self.instant is None:
            raise ValidationError(_("Elige un horario de la lista."))

    @property
    def instant(self) -> datetime | None:
        """The start, aware; None when it cannot be read."""
        try:
            moment = datetime.fromisoformat(str(self.starts_at.data or ""))
        except ValueError:
            return None
        return moment if moment.tzinfo is not None else None


class QuantityForm(Form):
    """How many pieces of a line."""

    quantity = QuantityField(most=MOST_OF_ONE)
