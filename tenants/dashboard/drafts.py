"""Drafts at the desk: what was prepared for somebody, sending it as a link, taking it back, and deleting it."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField

from storefront.cart.queries import cart_view
from storefront.checkout.queries import bill_and_ways
from storefront.customers.address import PostalAddress
from storefront.drafts.actions import AlreadyOrdered, NotAsItStands, Withdrawn, restore, send, take_back, withdraw
from storefront.drafts.queries import DraftState, DraftView, draft_by_code, draft_list
from storefront.inventory.actions import OutOfStock
from storefront.kernel.access import access, current_actor
from storefront.kernel.faces import face_url
from storefront.kernel.filters import datetime_local
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from storefront.orders.states import FulfilmentMethod
from storefront.pricing.extras import NOTHING_MORE
from storefront.promotions.buyers import Buyer
from storefront.reservations.actions import HoldExpired
from tenants.dashboard.catalogue_forms import option
from tenants.dashboard.counter import current_token, slot

blueprint = Blueprint("desk_drafts", __name__)

KEEP = {"6": _l("6 horas"), "24": _l("1 día"), "72": _l("3 días"), "168": _l("7 días"), "360": _l("15 días")}
"""For how many hours a link may be good."""

STATE_WORDS = {
    DraftState.SAVED: (_l("Guardado"), ""),
    DraftState.SENT: (_l("Enviado"), "wait"),
    DraftState.EXPIRED: (_l("Venció"), "care"),
    DraftState.ORDERED: (_l("Ya es un pedido"), "good"),
    DraftState.WITHDRAWN: (_l("Eliminado"), ""),
}


class SendForm(Form):
    """For how long the price holds, and whether the goods are kept."""

    keep = SelectField(
        _l("¿Hasta cuándo respetas el precio?"),
        choices=[option(hours, word) for hours, word in KEEP.items()],
        default="72",
    )
    hold = BooleanField(
        _l("Apartar lo que lleva"),
        description=_l("Nadie más lo puede comprar hasta entonces. Los horarios y noches se apartan siempre."),
    )


@blueprint.get("/borradores")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """Those still open, or all."""
    only_open = request.args.get("ver") != "todos"
    page = draft_list(requested_page(), only_open=only_open)
    return render_template("dashboard/orders/drafts.html", page=page, only_open=only_open, states=STATE_WORDS)


@blueprint.get("/borradores/<code>")
@access("staff", "orders:read")
def show(code: str) -> ResponseReturnValue:
    """What is in it, for whom, and what can be done with it now."""
    return _page(draft_by_code(code), SendForm(formdata=None))


def _page(draft: DraftView, form: SendForm, status: int = 200) -> ResponseReturnValue:
    cart = cart_view(draft.token, buyer=Buyer(None, draft.phone, draft.email))
    some_way = (draft.how or FulfilmentMethod.PICKUP) if cart.has_goods else FulfilmentMethod.NONE
    bill, _ways = bill_and_ways(cart, None, NOTHING_MORE, None, FulfilmentMethod(some_way))
    page = render_template(
        "dashboard/orders/draft.html",
        draft=draft,
        cart=cart,
        bill=bill,
        form=form,
        state=STATE_WORDS[draft.state],
        address=PostalAddress.from_dict(draft.address) if draft.address else None,
        link=face_url("shop", f"/preparado/{draft.token}"),
    )
    return page, status


def _gone(code: str, refusal: AlreadyOrdered | Withdrawn) -> ResponseReturnValue:
    flash(str(refusal), "care")
    return redirect(url_for(".show", code=code), 303)


@blueprint.post("/borradores/<code>/envio")
@access("staff", "orders:write")
def post(code: str) -> ResponseReturnValue:
    """From now on its customer may confirm it."""
    draft, form = draft_by_code(code), SendForm()
    if not form.validate():
        return _page(draft, form, 422)
    try:
        until = send(code, timedelta(hours=int(form.keep.data)), current_actor(), hold=form.hold.data)
    except (AlreadyOrdered, Withdrawn) as refusal:
        return _gone(code, refusal)
    except (NotAsItStands, OutOfStock, HoldExpired) as refusal:
        flash(str(refusal), "care")
        return _page(draft_by_code(code), form, refusal.status)
    flash(_("Listo para mandar. El enlace sirve hasta el %(when)s.", when=datetime_local(until)), "good")
    return redirect(url_for(".show", code=code), 303)


@blueprint.post("/borradores/<code>/edicion")
@access("staff", "orders:write")
def edit(code: str) -> ResponseReturnValue:
    """Take it to the counter; what is being sold there already is finished first."""
    here = current_token()
    is_kept = g.get("counter_draft") is not None or not cart_view(here).lines
    if not is_kept:
        flash(_("Tienes otra venta abierta. Termínala o guárdala como borrador, y abre este después."), "care")
        return redirect(url_for("desk_counter.show"), 303)
    try:
        session[slot()] = take_back(code, current_actor())
    except (AlreadyOrdered, Withdrawn) as refusal:
        return _gone(code, refusal)
    return redirect(url_for("desk_counter.show"), 303)


@blueprint.post("/borradores/<code>/eliminacion")
@access("staff", "orders:write")
def delete(code: str) -> ResponseReturnValue:
    """Nobody can confirm it any more."""
    draft = draft_by_code(code)
    try:
        withdraw(code, current_actor())
    except AlreadyOrdered as refusal:
        return _gone(code, refusal)
    said = _("Eliminaste el borrador.")
    flash({"text": said, "undo": url_for(".undelete", code=draft.code)}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back
    return redirect(url_for(".index"), 303)


@blueprint.post("/borradores/<code>/eliminacion/deshacer")
@access("staff", "orders:write")
def undelete(code: str) -> ResponseReturnValue:
    """It was the wrong button."""
    try:
        restore(code, current_actor())
    except AlreadyOrdered as refusal:
        return _gone(code, refusal)
    flash(_("El borrador está otra vez. Si lo habías mandado, mándalo de nuevo."), "info")
    return redirect(url_for(".show", code=code), 303)
