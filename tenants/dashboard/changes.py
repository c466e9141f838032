"""Changing an order: other quantities, something less, something more; look at the difference, and only then decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from storefront.catalogue.models import ProductKind
from storefront.catalogue.queries import Sellable, sellable
from storefront.changes import answering, proposing
from storefront.changes.delivery_price import name_price
from storefront.changes.models import Agreement
from storefront.changes.proposing import MOST_ADDED, MOST_OF_ONE, BadQuantity, Draft, Wish
from storefront.changes.queries import REASONS, change_by_code
from storefront.customers.address import PostalAddress
from storefront.inventory.queries import CountRow, counts
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.forms import MoneyField
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.changing import NextLine, lines_of
from storefront.orders.queries import OrderView, order_by_code

blueprint = Blueprint("desk_changes", __name__)


class ChangeForm(MakingForm):
    """Why the order changes; `_form_for` adds a quantity for each line. What is added comes in pairs beside it."""

    q = StringField(_l("Agregar un producto"), [Optional(), Length(max=80)], render_kw={"autocomplete": "off"})
    why = RadioField(
        _l("¿Por qué cambia?"),
        [DataRequired(_l("Elige una razón: quien pidió la lee."))],
        choices=[SelectChoice(code, words) for code, words in REASONS.items()],  # type: ignore[arg-type]  # lazily translated
    )
    words = TextAreaField(
        _l("Mensaje"), [Optional(), Length(max=300)], description=_l("La clienta o el cliente lo va a leer.")
    )


class DeliveryPriceForm(MakingForm):
    """What it costs to take one order there."""

    price = MoneyField(_l("¿Cuánto cuesta el envío?"), [Optional(), NumberRange(min=0)])
    words = TextAreaField(
        _l("Mensaje"), [Optional(), Length(max=300)], description=_l("La clienta o el cliente lo va a leer.")
    )


def _form_for(lines: list[NextLine], **options: Any) -> ChangeForm:
    fields: dict[str, Any] = {}
    for line in lines:
        if line.kind is ProductKind.GOODS:
            bounds = NumberRange(0, MOST_OF_ONE, _("De 0 a %(most)s.", most=MOST_OF_ONE))
            fields[f"quantity_{line.position}"] = IntegerField(line.name, [Optional(), bounds], default=line.before)
    made: ChangeForm = type("ChangeForm", (ChangeForm,), fields)(**options)
    return made


def _added() -> dict[str, int]:
    """What is to be added, by the code of its variant. Raises BadQuantity."""
    found: dict[str, int] = {}
    for code, typed in zip(request.form.getlist("variant"), request.form.getlist("pieces"), strict=False):
        pieces = typed.strip() or "0"
        if not (pieces.isascii() and pieces.isdigit() and len(pieces) <= 4):
            raise BadQuantity
        if int(pieces):
            found[code[:40]] = found.get(code[:40], 0) + int(pieces)
    return dict(list(found.items())[: MOST_ADDED + 1])


def _wish(form: ChangeForm, lines: list[NextLine]) -> Wish:
    typed = {
        line.position: form[f"quantity_{line.position}"].data
        for line in lines
        if line.position is not None and f"quantity_{line.position}" in form
    }
    return Wish({position: many for position, many in typed.items() if many is not None}, _added())


@blueprint.get("/pedidos/<code>/cambio")
@access("staff", "orders:write")
def ask(code: str) -> ResponseReturnValue:
    """Which lines, and what else."""
    order = order_by_code(code)
    lines = lines_of(order.id)
    return _page(order, _form_for(lines, formdata=None), lines)


@blueprint.post("/pedidos/<code>/cambio")
@access("staff", "orders:write")
def decide(code: str) -> ResponseReturnValue:
    """Look for something to add, show the difference, or do it: as the button says."""
    order = order_by_code(code)
    lines = lines_of(order.id)
    form, do = _form_for(lines), request.form.get("do", "review")
    if do in {"search", "again"}:
        form.validate()
        form.why.errors = ()
        return _page(order, form, lines)
    if not form.validate():
        return _page(order, form, lines), 422
    try:
        wish = _wish(form, lines)
        if do == "review":
            return _page(order, form, lines, proposing.draft(order.id, wish))
        return _do(order, form, wish, do)
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        return _page(order, form, lines), refusal.status


def _do(order: OrderView, form: ChangeForm, wish: Wish, do: str) -> ResponseReturnValue:
    by, why, words = current_actor(), form.why.data or "", form.words.data or ""

    def make() -> str:
        if do == "ask":
            return proposing.propose(order.id, wish, why, words, by).code
        return proposing.change_at_once(order.id, wish, why, words, by, told=do == "told").code

    made_once(mark_of(form.key.data, f"change:{order.code}:{do}"), by, make)
    if do == "ask":
        said = _("Ya preguntamos a %(name)s. Te avisamos cuando responda.", name=order.contact_name)
        if not order.contact_email:
            said = _("Mándale la pregunta a %(name)s por WhatsApp: no dejó correo.", name=order.contact_name)
        flash(said, "good")
    else:
        flash(_("El pedido %(code)s ya tiene el cambio.", code=order.code), "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)


def _page(order: OrderView, form: ChangeForm, lines: list[NextLine], found: Draft | None = None) -> str:
    try:
        added = _added()
    except BadQuantity:
        added = {}
    typed = (form.q.data or "").strip()
    rows: list[CountRow] = list(counts(typed, 1).items) if typed and found is None else []
    return render_template(
        "dashboard/orders/change.html",
        order=order,
        form=form,
        lines=[line for line in lines if f"quantity_{line.position}" in form],
        draft=found,
        chosen=_chosen(added),
        rows=[row for row in rows if row.code not in added],
        prices=_prices([row.variant_id for row in rows]),
        reasons=REASONS,
    )


def _prices(variant_ids: list[int]) -> dict[int, Money]:
    currency = current_shop().currency
    return {id: Money(one.price_minor, currency) for id, one in sellable(variant_ids).items()}


def _chosen(added: dict[str, int]) -> list[tuple[Sellable, int]]:
    """What is to be added, as it can be shown; what is not this shop's is not there."""
    found = {one.variant_code: one for one in sellable(proposing.variants_by_code(added)).values()}
    return [(found[code], many) for code, many in added.items() if code in found]


@blueprint.get("/pedidos/<code>/precio-del-envio")
@access("staff", "orders:write")
def ask_delivery_price(code: str) -> ResponseReturnValue:
    """How much it is to take it there."""
    return _price_page(order_by_code(code), DeliveryPriceForm(formdata=None))


@blueprint.post("/pedidos/<code>/precio-del-envio")
@access("staff", "orders:write")
def name_delivery_price(code: str) -> ResponseReturnValue:
    """Tell the customer, who agrees before anything is paid."""
    order, form, by = order_by_code(code), DeliveryPriceForm(), current_actor()
    if not form.validate():
        return _price_page(order, form), 422
    price, words = form.price.data, form.words.data or ""
    mark = mark_of(form.key.data, f"delivery-price:{order.code}")
    try:
        made_once(mark, by, lambda: name_price(order.id, -1 if price is None else price, words, by).code)
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        return _price_page(order, form), refusal.status
    said = _("Ya le dijimos el precio a %(name)s. Cuando esté de acuerdo, paga.", name=order.contact_name)
    if not order.contact_email:
        said = _("Mándale el precio a %(name)s por WhatsApp: no dejó correo.", name=order.contact_name)
    flash(_("Va gratis: el pedido sigue su camino.") if price == 0 else said, "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)


def _price_page(order: OrderView, form: DeliveryPriceForm) -> str:
    address = PostalAddress.from_dict(order.address) if order.address else None
    return render_template("dashboard/orders/delivery_price.html", order=order, form=form, address=address)


@blueprint.post("/pedidos/<code>/cambio/<change>/acuerdo")
@access("staff", "orders:write")
def agreed(code: str, change: str) -> ResponseReturnValue:
    """The customer said yes on the telephone."""
    return _answer(code, change, lambda id: answering.agree(id, current_actor(), Agreement.PHONE),
                   _("El pedido %(code)s ya tiene el cambio.", code=code))  # fmt: skip


@blueprint.post("/pedidos/<code>/cambio/<change>/retirar")
@access("staff", "orders:write")
def withdraw(code: str, change: str) -> ResponseReturnValue:
    """The order stays as it is; what was held for the change can be sold."""
    return _answer(code, change, lambda id: answering.withdraw(id, current_actor()),
                   _("Retiraste el cambio: el pedido sigue como estaba."))  # fmt: skip


def _answer(code: str, change: str, work: Callable[[int], None], done: str) -> ResponseReturnValue:
    order = order_by_code(code)
    found = change_by_code(order.id, change)
    try:
        work(found.id)
        flash(done, "good")
    except Refusal as refusal:
        flash(str(refusal), "care")
    return redirect(url_for("desk_orders.show", code=order.code), 303)
