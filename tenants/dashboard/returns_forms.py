"""Forms of the desk about goods that come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from storefront.kernel.filters import money
from storefront.kernel.forms import Form, MoneyField, whole_number
from storefront.kernel.making import MakingForm
from storefront.returns.deciding import LONGEST_ANSWER, Came
from storefront.returns.exchanging import LATER, NOW, ways_from_afar
from storefront.returns.models import Settlement
from storefront.returns.queries import REASONS, ReturnedLine
from storefront.returns.settling import Decision, DueLine
from storefront.returns.terms import ReturnableLine
from tenants.forms import choices
from tenants.settings import MOST_RETURN_DAYS


class AnswerForm(Form):
    """A sentence for the customer."""

    answer = StringField(
        _l("Mensaje"), [Optional(), Length(max=LONGEST_ANSWER)], description=_l("La clienta o el cliente lo va a leer.")
    )


class CameForm(MakingForm):
    """What came; `came_form` adds two numbers for each line."""


class TakeInForm(CameForm):
    """What somebody brings to the counter, and why."""

    why = RadioField(
        _l("¿Por qué lo devuelve?"),
        [DataRequired(_l("Elige una razón."))],
        choices=[SelectChoice(code, words) for code, words in REASONS.items()],  # type: ignore[arg-type]  # lazily translated
    )
    words = StringField(_l("Nota"), [Optional(), Length(max=500)])


HOW = {
    Settlement.REFUND: _l("Su dinero"),
    Settlement.GIFT_CARD: _l("Una tarjeta de regalo por lo que vale"),
    Settlement.EXCHANGE: _l("Lo que se lleva a cambio"),
}


class SettleForm(MakingForm):
    """What is given; `settle_form` adds an amount for each line. The last four are about an exchange."""

    how = RadioField(_l("¿Qué se le da?"), [InputRequired(_l("Elige qué se le da."))])
    shown = HiddenField()
    pay = RadioField(_l("Si falta dinero, ¿cómo paga la diferencia?"), [Optional()])
    rest_on_card = BooleanField(_l("Si sobra dinero, en una tarjeta de regalo"))
    taken_along = BooleanField(_l("Se lo lleva ahora"), description=_l("Si ya no falta nada por pagar."))
    shipping = MoneyField(
        _l("De la entrega"), [Optional(), NumberRange(min=0)], description=_l("Déjalo vacío y no se devuelve.")
    )
    paid_now = BooleanField(
        _l("Ya le di el dinero"), description=_l("Si se devuelve en efectivo o por transferencia y ya lo entregaste.")
    )


class PolicyForm(Form):
    """How long goods may come back."""

    days = IntegerField(
        _l("Días para devolver"),
        [InputRequired(_l("Escribe un número; 0 si no aceptas devoluciones.")), NumberRange(0, MOST_RETURN_DAYS)],
        description=_l("Desde que se entrega. Con 0 nadie puede pedirlas; tú siempre puedes recibir algo."),
    )
    policy = TextAreaField(
        _l("Con tus palabras"),
        [Optional(), Length(max=500)],
        description=_l("Por ejemplo: sin usar y con su etiqueta. Se lee antes de pagar y en el pedido."),
    )


def _numbers(lines: Iterable[tuple[int, str, int]], *, fine: bool) -> dict[str, Any]:
    """Two numbers for each (position, name, most): of what can be sold again, and of what cannot."""
    fields: dict[str, Any] = {}
    for position, name, most in lines:
        bounds = NumberRange(0, most, _("De 0 a %(most)s.", most=most))
        fields[f"fine_{position}"] = IntegerField(name, [Optional(), bounds], default=most if fine else 0)
        fields[f"damaged_{position}"] = IntegerField(name, [Optional(), bounds], default=0)
    return fields


def came_form(lines: Sequence[ReturnedLine], **options: Any) -> CameForm:
    """How many of each line came; at first, all of them in good order."""
    fields = _numbers(((line.position, line.name, line.quantity) for line in lines), fine=True)
    made: CameForm = type("CameForm", (CameForm,), fields)(**options)
    return made


def take_in_form(lines: Sequence[ReturnableLine], **options: Any) -> TakeInForm:
    """How many of each line are here."""
    fields = _numbers(((line.position, line.name, line.left) for line in lines), fine=False)
    made: TakeInForm = type("TakeInForm", (TakeInForm,), fields)(**options)
    return made


def came_of(form: CameForm, positions: Iterable[int]) -> dict[int, Came]:
    """What was typed."""
    return {one: Came(form[f"fine_{one}"].data or 0, form[f"damaged_{one}"].data or 0) for one in positions}


def settle_form(lines: Sequence[DueLine], *, goods: bool, **options: Any) -> SettleForm:
    """The amounts, as they are suggested; with `goods`, what an exchange asks, too."""
    fields: dict[str, Any] = {}
    for line in lines:
        if line.suggested:
            most = _("Como máximo %(most)s.", most=money(line.suggested))
            fields[f"amount_{line.position}"] = MoneyField(
                f"{line.units} × {line.name}",
                [
                    InputRequired(_("Escribe cuánto se devuelve; 0 si no se devuelve nada por esto.")),
                    NumberRange(0, line.suggested.minor, most),
                ],
                default=line.suggested.minor,
                description=most,
            )
    made: SettleForm = type("SettleForm", (SettleForm,), fields)(**options)
    made.how.choices = choices(
        (str(how), words) for how, words in HOW.items() if goods or how is not Settlement.EXCHANGE
    )
    made.pay.choices = choices(
        [
            (NOW, _l("Ya la pagó en efectivo")),
            (LATER, _l("La paga cuando recoja")),
            *((way.code, _l("Con un enlace: %(way)s", way=way.label)) for way in ways_from_afar()),
        ]
    )
    if not goods:
        del made.pay, made.rest_on_card, made.taken_along
    return made


def decision_of(form: SettleForm, lines: Sequence[DueLine]) -> Decision:
    """What was typed; what was suggested for what nothing could be typed of."""
    amounts = {line.position: form[f"amount_{line.position}"].data for line in lines if line.suggested}
    cost, _dash, worth = str(form.shown.data or "").partition("-")
    return Decision(
        amounts,
        form.shipping.data or 0,
        paid_now=bool(form.paid_now.data),
        how=Settlement(form.how.data),
        rest_on_card=bool("rest_on_card" in form and form.rest_on_card.data),
        shown=(whole_number(cost) or 0, whole_number(worth) or 0),
        pay=str(form.pay.data or "") if "pay" in form else "",
        taken_along=bool("taken_along" in form and form.taken_along.data),
    )
