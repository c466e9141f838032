"""What a customer says about goods that are to come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, IntegerField, RadioField, SelectChoice, SelectField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from storefront.catalogue.queries import Sellable, sellable, variant_ids_of
from storefront.kernel.making import MakingForm
from storefront.returns.asking import Wanted
from storefront.returns.models import Wish
from storefront.returns.queries import REASONS
from storefront.returns.terms import ReturnableLine

WISHES = {
    Wish.REFUND: _l("Que me devuelvan el dinero"),
    Wish.EXCHANGE: _l("Cambiarlo por otra cosa"),
    Wish.GIFT_CARD: _l("Una tarjeta de regalo por lo que vale"),
}


class ReturnForm(MakingForm):
    """Why and what for; `form_for` adds a number for each line, and what it may be changed for."""

    why = RadioField(
        _l("¿Por qué lo devuelves?"),
        [DataRequired(_l("Elige una razón."))],
        choices=[SelectChoice(code, words) for code, words in REASONS.items()],  # type: ignore[arg-type]  # lazily translated
    )
    wish = RadioField(
        _l("¿Qué quieres a cambio?"),
        [DataRequired(_l("Elige qué quieres a cambio."))],
        choices=[SelectChoice(str(wish), words) for wish, words in WISHES.items()],  # type: ignore[arg-type]  # lazily translated
        default=Wish.REFUND.value,
    )
    words = TextAreaField(
        _l("Cuéntale a la tienda"), [Optional(), Length(max=500)], description=_l("Por ejemplo, qué le pasó.")
    )
    photo = FileField(
        _l("Foto"), [Optional()], description=_l("Si llegó mal, una foto ayuda a la tienda a responder rápido.")
    )


def form_for(lines: Sequence[ReturnableLine], **options: Any) -> ReturnForm:
    """The form with how many of each line come back, and which other one of the same product is wanted for it."""
    fields: dict[str, Any] = {}
    others = _others(lines)
    for line in lines:
        many = _("De 0 a %(most)s.", most=line.left)
        fields[f"units_{line.position}"] = IntegerField(
            line.name, [Optional(), NumberRange(0, line.left, many)], default=0
        )
        if len(others[line.product_id]) > 1:
            fields[f"instead_{line.position}"] = SelectField(
                line.name,
                [Optional()],
                choices=[
                    SelectChoice("", _("Todavía no sé")),
                    *(
                        SelectChoice(one.variant_code, one.variant_name or one.product_name)
                        for one in others[line.product_id]
                    ),
                ],
            )
    made: ReturnForm = type("ReturnForm", (ReturnForm,), fields)(**options)
    return made


def _others(lines: Sequence[ReturnableLine]) -> dict[int, list[Sellable]]:
    """What of each product can be bought now."""
    ids = {line.product_id: variant_ids_of(line.product_id) for line in lines}
    offers = sellable(variant_id for found in ids.values() for variant_id in found)
    return {product_id: [offers[one] for one in found if one in offers] for product_id, found in ids.items()}


def wanted_of(form: ReturnForm, lines: Sequence[ReturnableLine]) -> Wanted:
    """What was typed: of what is wanted instead, as many as come back."""
    units = {line.position: form[f"units_{line.position}"].data or 0 for line in lines}
    goods: Counter[str] = Counter()
    for line in lines:
        name = f"instead_{line.position}"
        if name in form and form[name].data:
            goods[form[name].data] += units[line.position]
    words = (form.words.data or "").strip()
    return Wanted(units, form.why.data or "", words, Wish(form.wish.data), dict(goods))
