"""Goods that come back: what customers ask for, what came, what is given for it; and what is brought to the counter."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.http import requested_page
from storefront.kernel.making import made_once, mark_of
from storefront.kernel.media import send_private
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.placing import NewLine
from storefront.orders.queries import OrderView, order_by_code, order_by_id
from storefront.payments.gift_cards import Issued
from storefront.payments.queries import paid_order
from storefront.returns import asking, deciding, settling
from storefront.returns.asking import Wanted
from storefront.returns.instead import NotForSale
from storefront.returns.models import ReturnState, Wish
from storefront.returns.queries import TO_DO, ReturnView, return_by_code, return_list, waiting_counts
from storefront.returns.settling import DueLine
from storefront.returns.steps import ReturnMoved
from storefront.returns.terms import returnable_lines, terms_of
from tenants import settings
from tenants.dashboard.gift_cards import secret_page
from tenants.dashboard.home import me
from tenants.dashboard.returns_forms import (
    AnswerForm,
    CameForm,
    PolicyForm,
    SettleForm,
    TakeInForm,
    came_form,
    came_of,
    decision_of,
    settle_form,
    take_in_form,
)

blueprint = Blueprint("desk_returns", __name__)


# --- looking ------------------------------------------------------------------------------------------------------


@blueprint.get("/regresos")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """The list, by what there is to do; without a choice, the first thing that waits."""
    counts = waiting_counts()
    asked = request.args.get("ver", "")
    chosen = asked if asked in {*TO_DO, "all"} else next((name for name in TO_DO if counts[name]), "all")
    page = return_list(chosen, requested_page())
    return render_template("dashboard/returns/index.html", page=page, counts=counts, chosen=chosen)


@blueprint.get("/regresos/<code>")
@access("staff", "orders:read")
def show(code: str) -> ResponseReturnValue:
    """One return, its next step first."""
    found = return_by_code(code)
    return _page(found)


@blueprint.get("/regresos/<code>/foto")
@access("staff", "orders:read")
def photo(code: str) -> ResponseReturnValue:
    """The customer's picture."""
    key = return_by_code(code).image_key
    if key is None:
        raise NotFound
    return send_private(key)


def _page(
    found: ReturnView,
    status: int = 200,
    *,
    answer: AnswerForm | None = None,
    came: CameForm | None = None,
    given: SettleForm | None = None,
) -> ResponseReturnValue:
    order, is_here = order_by_id(found.order_id), found.state is ReturnState.RECEIVED
    due = settling.due_lines(found.id) if is_here else []
    goods = _goods(found, due)
    given = given or _empty(found, due)
    cost = settling.cost_of(order, found.id, goods)
    value = settling.worth_of(due)
    given.shown.raw_data, given.shown.data = None, f"{cost}-{value}"
    return render_template(
        "dashboard/returns/show.html",
        found=found,
        order=order,
        answer=answer or AnswerForm(formdata=None),
        came=came or came_form(found.lines, formdata=None),
        given=given,
        due=due,
        goods=[(line.quantity, _name(line), Money(line.quantity * line.unit_minor, order.currency)) for line in goods],
        gone=bool(found.goods) and not goods,
        value=Money(value, order.currency),
        difference=Money(cost - value, order.currency),
        shipping_left=Money(paid_order(order.id).shipping_left_minor, order.currency),
        may_pay=me().may("payments:review"),
    ), status


def _empty(found: ReturnView, due: list[DueLine]) -> SettleForm:
    """The form as it is first seen, with what the customer wanted chosen."""
    form = settle_form(due, goods=bool(found.goods), formdata=None)
    form.how.data = str(found.wish) if found.goods or found.wish is not Wish.EXCHANGE else None
    return form


def _goods(found: ReturnView, due: list[DueLine]) -> list[NewLine]:
    """What is wanted at its price now; nothing when some of it is not for sale any more."""
    try:
        return settling.goods_for(found.id, due) if found.goods else []
    except NotForSale:
        return []


def _name(line: NewLine) -> str:
    return " · ".join(filter(None, (line.product_name, line.variant_name)))


def _done(found: ReturnView, said: str) -> ResponseReturnValue:
    flash(said, "good")
    return redirect(url_for(".show", code=found.code), 303)


def _step(code: str, work: Callable[[int], None], said: str) -> ResponseReturnValue:
    found = return_by_code(code)
    try:
        work(found.id)
    except Refusal as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".show", code=found.code), 303)
    return _done(found, said)


# --- deciding -----------------------------------------------------------------------------------------------------


@blueprint.post("/regresos/<code>/aceptar")
@access("staff", "orders:write")
def approve(code: str) -> ResponseReturnValue:
    """Agree; the customer is told where to bring it."""
    form = AnswerForm()
    if not form.validate():
        return _page(return_by_code(code), 422, answer=form)
    words = form.answer.data or ""
    return _step(code, lambda id: deciding.approve(id, current_actor(), words), _("Aceptaste la devolución."))


@blueprint.post("/regresos/<code>/rechazar")
@access("staff", "orders:write")
def decline(code: str) -> ResponseReturnValue:
    """Say no, with a sentence that the customer reads."""
    form, found = AnswerForm(), return_by_code(code)
    try:
        if form.validate():
            deciding.decline(found.id, form.answer.data or "", current_actor())
            return _done(found, _("Le dijimos que no, con tus palabras."))
    except deciding.SayWhy as refusal:
        form.answer.errors = (str(refusal),)
    except Refusal as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".show", code=found.code), 303)
    return _page(found, 422, answer=form)


@blueprint.post("/regresos/<code>/cerrar")
@access("staff", "orders:write")
def withdraw(code: str) -> ResponseReturnValue:
    """Nothing comes back."""
    return _step(code, lambda id: deciding.withdraw(id, current_actor()), _("Cerraste la devolución; nada cambió."))


# --- receiving and settling ---------------------------------------------------------------------------------------


@blueprint.post("/regresos/<code>/recibir")
@access("staff", "orders:write")
def receive(code: str) -> ResponseReturnValue:
    """Say what came and how it is."""
    found = return_by_code(code)
    form = came_form(found.lines)
    if not form.validate():
        return _page(found, 422, came=form)
    came = came_of(form, [line.position for line in found.lines])
    try:
        deciding.receive(found.id, came, current_actor())
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        return _page(return_by_code(code), refusal.status, came=form)
    return _done(found, _("Anotamos lo que llegó. Falta decidir qué se le da."))


@blueprint.post("/regresos/<code>/corregir")
@access("staff", "orders:write")
def correct(code: str) -> ResponseReturnValue:
    """What came was noted wrongly."""
    return _step(code, lambda id: deciding.receive_again(id, current_actor()), _("Anota otra vez lo que llegó."))


@blueprint.post("/regresos/<code>/pagar")
@access("staff", "payments:review")
def settle(code: str) -> ResponseReturnValue:
    """Give back what is due, and put on sale what is fine."""
    found = return_by_code(code)
    if found.state is not ReturnState.RECEIVED:
        is_done = found.state is ReturnState.SETTLED
        flash(_("Esta devolución ya quedó terminada.") if is_done else str(ReturnMoved.message), "info")
        return redirect(url_for(".show", code=found.code), 303)
    due = settling.due_lines(found.id)
    form = settle_form(due, goods=bool(found.goods))
    if not form.validate():
        return _page(found, 422, given=form)
    by, cards = current_actor(), list[Issued]()

    def make() -> str:
        settled = settling.settle(found.id, decision_of(form, due), by)
        cards.extend([settled.card] if settled.card else [])
        return settled.code

    try:
        made_once(mark_of(form.key.data, f"return settled:{found.code}"), by, make)
    except Refusal as refusal:
        return _settle_again(form, found.code, str(refusal), refusal.status)
    said = _("La devolución quedó terminada.")
    back = (_("Devolución del pedido %(code)s", code=found.order_code), url_for(".show", code=found.code))
    return secret_page(cards[0], said, back) if cards else _done(found, said)


def _settle_again(typed: SettleForm, code: str, said: str, status: int) -> ResponseReturnValue:
    """The page with what is due now; of what was typed, the amounts were for something else."""
    found = return_by_code(code)
    form = _empty(found, settling.due_lines(found.id))
    for name in ("how", "pay", "rest_on_card", "taken_along", "paid_now"):
        if name in form and name in typed:
            form[name].data = typed[name].data
    form.form_errors = [said]
    return _page(found, status, given=form)


# --- at the counter -----------------------------------------------------------------------------------------------


@blueprint.get("/pedidos/<code>/regreso")
@access("staff", "orders:write")
def bring(code: str) -> ResponseReturnValue:
    """What somebody brings back."""
    order = order_by_code(code)
    return _counter_page(order, take_in_form(returnable_lines(order.id), formdata=None))


@blueprint.post("/pedidos/<code>/regreso")
@access("staff", "orders:write")
def take_in(code: str) -> ResponseReturnValue:
    """It is here: asked for, agreed to and received at once."""
    order = order_by_code(code)
    lines = returnable_lines(order.id)
    form, by = take_in_form(lines), current_actor()
    if not form.validate():
        return _counter_page(order, form, 422)
    came = came_of(form, [line.position for line in lines])
    units = {position: one.fine + one.damaged for position, one in came.items()}
    wanted = Wanted(units, form.why.data or "", (form.words.data or "").strip())
    try:
        made = made_once(
            mark_of(form.key.data, f"return:{order.code}"), by,
            lambda: deciding.take_in(order.id, wanted, came, by).code,
        )  # fmt: skip
    except Refusal as refusal:
        form.form_errors = [str(refusal)]
        return _counter_page(order, form, refusal.status)
    return redirect(url_for(".show", code=made.code), 303)


def _counter_page(order: OrderView, form: TakeInForm, status: int = 200) -> ResponseReturnValue:
    lines = [line for line in returnable_lines(order.id) if f"fine_{line.position}" in form]
    terms = terms_of(order.id)
    return render_template(
        "dashboard/returns/bring.html",
        order=order,
        form=form,
        lines=lines,
        why_not=None if terms.is_delivered and terms.is_paid else str(asking.NotDelivered.message),
    ), status


# --- what the shop says -------------------------------------------------------------------------------------------


@blueprint.get("/ajustes/devoluciones")
@access("staff", "settings:write")
def policy() -> ResponseReturnValue:
    """How long, and in which words."""
    shop = current_shop()
    form = PolicyForm(formdata=None, data={"days": shop.return_days, "policy": shop.return_policy})
    return render_template("dashboard/returns/policy.html", form=form)


@blueprint.post("/ajustes/devoluciones")
@access("staff", "settings:write")
def change_policy() -> ResponseReturnValue:
    """Change it, for orders from now on."""
    form = PolicyForm()
    if not form.validate():
        return render_template("dashboard/returns/policy.html", form=form), 422
    settings.change_returns(form.days.data or 0, form.policy.data or "", current_actor())
    flash(_("Guardado. Vale para los pedidos que lleguen desde ahora."), "good")
    return redirect(url_for(".policy"), 303)
