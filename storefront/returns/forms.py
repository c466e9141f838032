"""What a customer says about goods that are to come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, IntegerField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from storefront.kernel.making import MakingForm
from storefront.returns.asking import Wanted
from storefront.returns.queries import REASONS, ReturnableLine


class ReturnForm(MakingForm):
    """Why and how; `form_for` adds a number for each line."""

    why = RadioField(
        _l("¿Por qué lo devuelves?"),
        [DataRequired(_l("Elige una razón."))],
        choices=[SelectChoice(code, words) for code, words in REASONS.items()],  # type: ignore[arg-type]  # lazily translated
    )
    words = TextAreaField(
        _l("Cuéntale a la tienda"), [Optional(), Length(max=500)], description=_l("Por ejemplo, qué le pasó.")
    )
    photo = FileField(
        _l("Foto"), [Optional()], description=_l("Si llegó mal, una foto ayuda a la tienda a responder rápido.")
    )


def form_for(lines: Sequence[ReturnableLine], **options: Any) -> ReturnForm:
    """The form with how many of each line come back."""
    fields: dict[str, Any] = {}
    for line in lines:
        many = _("De 0 a %(most)s.", most=line.left)
        fields[f"units_{line.position}"] = IntegerField(
            line.name, [Optional(), NumberRange(0, line.left, many)], default=0
        )
    made: ReturnForm = type("ReturnForm", (ReturnForm,), fields)(**options)
    return made


def wanted_of(form: ReturnForm, lines: Sequence[ReturnableLine]) -> Wanted:
    """What was typed."""
    units = {line.position: form[f"units_{line.position}"].data or 0 for line in lines}
    return Wanted(units, form.why.data or "", (form.words.data or "").strip())
