"""The owner's counts: how many there are of everything, one line each, and what happened to each."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from storefront.inventory.actions import adjust_stock, stop_counting
from storefront.inventory.models import MoveReason
from storefront.inventory.queries import FEW, CountRow, count_of, counts, history
from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.errors import Refusal
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from tenants.dashboard.catalogue_forms import CountField, hidden_number, option

blueprint = Blueprint("desk_inventory", __name__)

REASON_WORDS = {
    MoveReason.COUNTED: _l("Las conté"),
    MoveReason.RECEIVED: _l("Llegó mercancía"),
    MoveReason.DAMAGED: _l("Se dañó o se perdió"),
    MoveReason.SOLD: _l("Pedido"),
    MoveReason.RETURNED: _l("Devolución"),
    MoveReason.UNCOUNTED: _l("Se dejó de contar"),
}
CHOSEN_BY_PEOPLE = (MoveReason.COUNTED, MoveReason.RECEIVED, MoveReason.DAMAGED)


class CountForm(Form):
    """How many there are now, and why that changed."""

    on_hand = CountField(_l("¿Cuántas hay ahora?"), [InputRequired(_l("Escribe cuántas hay."))])
    reason = SelectField(
        _l("¿Por qué cambió?"),
        choices=[option(reason.value, REASON_WORDS[reason]) for reason in CHOSEN_BY_PEOPLE],
        default=MoveReason.COUNTED.value,
    )
    words = StringField(_l("Nota"), [Optional(), Length(max=200)])
    seen = HiddenField()


@blueprint.get("/existencias")
@access("staff", "catalogue:read")
def index() -> ResponseReturnValue:
    """Everything that is counted, and what is not."""
    typed, low_only = request.args.get("q", "").strip()[:80], request.args.get("pocas") == "1"
    page = counts(typed, requested_page(), low_only=low_only)
    return render_template(
        "dashboard/inventory/index.html", page=page, typed=typed, low_only=low_only, few=FEW, reasons=REASON_WORDS
    )


@blueprint.get("/existencias/<code>")
@access("staff", "catalogue:read")
def show(code: str) -> ResponseReturnValue:
    """One variant: how many, for whom, and what happened."""
    row = count_of(code)
    if row.is_bundle:
        return redirect(url_for("desk_bundles.show", code=code))
    return _page(row, CountForm(formdata=None, data=_now(row)))


def _now(row: CountRow) -> dict[str, str | int | None]:
    return {"on_hand": row.on_hand, "seen": "" if row.on_hand is None else str(row.on_hand), "reason": "counted"}


def _page(row: CountRow, form: CountForm) -> str:
    return render_template(
        "dashboard/inventory/show.html", row=row, form=form, moves=history(row.variant_id), reasons=REASON_WORDS
    )


@blueprint.post("/existencias/<code>")
@access("staff", "catalogue:write")
def count(code: str) -> ResponseReturnValue:
    """Write how many there are."""
    row, form = count_of(code), CountForm()
    if form.validate():
        try:
            adjust_stock(
                row.variant_id,
                on_hand=form.on_hand.data,
                reason=form.reason.data,
                text=form.words.data or "",
                seen=hidden_number(form.seen.data),
                by=current_actor(),
            )
        except Refusal as refusal:
            form.on_hand.errors = (str(refusal),)
            form.seen.data = "" if (now := count_of(code).on_hand) is None else str(now)
            form.seen.raw_data = [form.seen.data]
        else:
            flash(_("Hay %(count)s de «%(name)s».", count=form.on_hand.data, name=row.full_name), "good")
            return redirect(safe_referrer() or url_for(".show", code=code), 303)
    return _page(row, form), 422


@blueprint.post("/existencias/<code>/sin-cuenta")
@access("staff", "catalogue:write")
def uncount(code: str) -> ResponseReturnValue:
    """From now on it is made to order."""
    row = count_of(code)
    stop_counting(row.variant_id, by=current_actor())
    flash(_("Ya no contamos «%(name)s»: siempre se puede pedir.", name=row.full_name), "good")
    return redirect(url_for(".show", code=code), 303)
