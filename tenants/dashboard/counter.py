"""Selling at the counter: what somebody takes along or asks for by telephone becomes an order like any other.

What is being sold is a cart of the person at the desk: its token lies in their session, one for each shop. It may be a
draft that was saved before.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.cart.actions import (
    BadQuantity,
    CartFull,
    LineNotFound,
    NotForSale,
    SoldOutForNow,
    add_goods_by_code,
    remove_line,
    set_quantity,
)
from storefront.cart.queries import CartView, cart_view
from storefront.catalogue.queries import sellable
from storefront.checkout.actions import EmptyCart, MethodUnavailable, NoDelivery, PriceChanged
from storefront.checkout.counter import Sale, Settled, sell
from storefront.checkout.forms import DELIVERY, price_word
from storefront.checkout.queries import Bill, bill, buyer_of, extras_of, load_of, place_of, places
from storefront.customers.address import PostalAddress
from storefront.delivery.rates import Quote, quote
from storefront.drafts.actions import AlreadyOrdered, DraftDetails, NothingInIt, save
from storefront.drafts.queries import DraftView, find_draft
from storefront.giftcards.actions import CardSpent
from storefront.giftcards.queries import CardView, card_by_secret, has_cards
from storefront.giftcards.words import card_trouble
from storefront.inventory.actions import OutOfStock
from storefront.inventory.queries import counts
from storefront.kernel.access import access, current_actor
from storefront.kernel.filters import money
from storefront.kernel.http import requested_page
from storefront.kernel.ids import new_token
from storefront.kernel.limits import limited
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import DeliveryUnpriced
from storefront.orders.queries import OrderView, order_by_token
from storefront.orders.states import FulfilmentMethod
from storefront.payments.links import ways_to_pay
from storefront.pricing.extras import NO_TIP, Extras
from storefront.promotions.actions import PromotionGone
from storefront.reservations.actions import HoldExpired
from storefront.reservations.queries import services_on_sale
from tenants.dashboard.counter_forms import HERE, SaleForm
from tenants.dashboard.home import me

blueprint = Blueprint("desk_counter", __name__)

SELL, DRAFT, DROP_CARD = "sell", "draft", "drop-gift-card"


@dataclass(frozen=True, slots=True)
class _Desk:
    """Everything around the form: what is sold, whose draft it is, where it can be brought, and what it comes to."""

    cart: CartView
    draft: DraftView | None
    quote: Quote | None
    card: CardView | None
    bill: Bill

    @property
    def total(self) -> Money:
        """What is to be paid now, less what a gift card pays."""
        return self.bill.due


def slot() -> str:
    """Where the session keeps what is being sold."""
    return f"counter:{current_shop().id}"


def current_token() -> str | None:
    """What is being sold; a draft that was ordered or deleted elsewhere meanwhile is not any more."""
    token: str | None = session.get(slot())
    draft = find_draft(token)
    if draft is not None and not draft.is_open:
        session.pop(slot(), None)
        flash(str(AlreadyOrdered.message) if draft.order_token else _("Ese borrador se eliminó."), "care")
        return None
    g.counter_draft = draft
    return token


def _form(*, blank: bool = False) -> tuple[SaleForm, _Desk]:
    token = current_token()
    draft: DraftView | None = g.get("counter_draft")
    form = SaleForm(formdata=None) if blank else SaleForm()
    if blank:
        form.key.data = new_token()
        if draft is not None:
            _fill_in(form, draft)
    cart = cart_view(token, buyer=buyer_of(None, form.phone.data, form.email.data))
    load = load_of(cart)
    method = FulfilmentMethod.DELIVERY if form.how.data == DELIVERY else FulfilmentMethod.PICKUP
    form.prepare(
        cart,
        places(cart.totals.subtotal_minor, load) if cart.has_goods else [],
        transfers=me().may("payments:review"),
        links=bool(ways_to_pay(method, has_bookings=cart.has_bookings, due_minor=0)),
    )
    if blank:
        form.settled.data = next(iter(form.ways)).value
    address = form.address()
    found = quote(address, cart.totals.subtotal_minor, load) if address and form.place_is_named else None
    card = _card(form)
    more = extras_of(cart, form.method if form.is_packed else "", form.chosen_tip)
    return form, _Desk(cart, draft, found, card, bill(cart, found, more, card))


def _fill_in(form: SaleForm, draft: DraftView) -> None:
    form.name.data, form.phone.data, form.email.data = draft.name, draft.phone, draft.email
    form.note.data, form.how.data = draft.words, draft.how or HERE
    if draft.address is not None:
        address = PostalAddress.from_dict(draft.address)
        match = place_of(address, places(0))
        form.place.data = match.value if match else ""
        form.locality.data, form.street.data = address.locality, address.street
        form.reference.data = address.reference


def _card(form: SaleForm) -> CardView | None:
    typed = str(form.gift_card.data or "")
    if not typed:
        return None
    card = card_by_secret(typed)
    if trouble := card_trouble(card):
        g.wrong_gift_card = card is None
        form.gift_card.errors = (trouble,)
        return None
    return card


def _guessed(_response: Response) -> bool:
    """Whether a gift card was typed that nobody has: so many of those, and no more are tried."""
    return bool(g.get("wrong_gift_card"))


def _page(form: SaleForm, desk: _Desk, status: int = 200) -> ResponseReturnValue:
    typed = request.args.get("q", "").strip()[:80]
    page = counts(typed, requested_page())
    on_sale = sellable([row.variant_id for row in page.items])
    form.shown.data = desk.bill.stamp
    currency = current_shop().currency
    return render_template(
        "dashboard/orders/counter.html",
        form=form,
        desk=desk,
        cart=desk.cart,
        totals=desk.bill.totals,
        change=form.change_of(desk.total),
        takes_cards=has_cards(),
        takes_bookings=bool(services_on_sale()),
        price_word=price_word,
        page=page,
        offers={id: (one.picture, Money(one.price_minor, currency)) for id, one in on_sale.items()},
        typed=typed,
    ), status


def _changed(shown: str, form: SaleForm, desk: _Desk) -> str:
    """What was only just added on this form is news to nobody: it is to be looked at, and no change."""
    seen = {
        bill(desk.cart, delivery, extras_of(desk.cart, way, tip), card).stamp
        for delivery in (None, desk.quote)
        for way in (*FulfilmentMethod, "")
        for tip in (NO_TIP, form.chosen_tip)
        for card in (None, desk.card)
    }
    if shown in seen:
        return _("Este es el total con lo que agregaste. Revísalo y anota la venta.")
    return _("El total cambió mientras tanto. Revísalo; no se vendió nada.")


def back_to_adding() -> ResponseReturnValue:
    """The same page of what there is to sell."""
    typed, page = request.form.get("q") or None, request.form.get("page") or None
    return redirect(url_for("desk_counter.show", q=typed, page=page, _anchor="agregar"), 303)


@blueprint.get("/venta")
@access("staff", "orders:write")
def show() -> ResponseReturnValue:
    """What is being sold, and everything there is to sell."""
    return _page(*_form(blank=True))


@blueprint.post("/venta/productos")
@access("staff", "orders:write")
def add() -> ResponseReturnValue:
    """One more of something."""
    try:
        cart = add_goods_by_code(current_token(), request.form.get("variant", "")[:40], 1)
    except (NotForSale, SoldOutForNow, CartFull) as refusal:
        flash(str(refusal), "care")
        return back_to_adding()
    session[slot()] = cart.token
    return back_to_adding()


@blueprint.post("/venta/lineas/<code>")
@access("staff", "orders:write")
def change(code: str) -> ResponseReturnValue:
    """Another quantity of a line; none takes it out."""
    typed = request.form.get("quantity", "").strip()
    quantity = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 4 else -1
    try:
        if quantity == 0 or request.form.get("do") == "remove":
            remove_line(current_token(), code, current_actor())
        else:
            set_quantity(current_token(), code, quantity)
    except BadQuantity as refusal:
        flash(str(refusal), "care")
    except LineNotFound:
        pass  # taken out on another screen: the page shows what is left
    return back_to_adding()


@blueprint.post("/venta")
@access("staff", "orders:write")
@limited("gift-card", counts=_guessed)
def finish() -> ResponseReturnValue:
    """Write it down as an order, or as a draft; or, for any other button, show what was chosen and what it comes to."""
    wish = (request.form.getlist("do") or [SELL])[-1]
    form, desk = _form()
    if not desk.cart.lines and session.get(slot()) is None:
        flash(_("Primero agrega lo que se lleva."), "care")
        return redirect(url_for(".show"), 303)
    if wish == DRAFT:
        return _save(form, desk)
    if wish == DROP_CARD:
        form.gift_card.data, form.gift_card.raw_data, form.gift_card.errors = "", None, ()
        desk = _Desk(desk.cart, desk.draft, desk.quote, None, bill(desk.cart, desk.quote, _more(form, desk)))
    if wish != SELL:
        return _page(form, desk, 422 if form.gift_card.errors else 200)
    return _sell(form, desk)


def _more(form: SaleForm, desk: _Desk) -> Extras:
    return extras_of(desk.cart, form.method if form.is_packed else "", form.chosen_tip)


def _sell(form: SaleForm, desk: _Desk) -> ResponseReturnValue:
    shown, wrong_card = str(form.shown.data or ""), form.gift_card.errors
    if not form.validate() or wrong_card or form.refuse_too_little(desk.total):
        form.gift_card.errors = (*form.gift_card.errors, *wrong_card)
        return _page(form, desk, 422)
    sale = Sale(
        Settled(form.settled.data), shown, form.name.data or "", form.phone.data or "", form.note.data or "",
        form.chosen_tip, form.is_packed, form.email.data or None, form.address(), str(form.gift_card.data or ""),
    )  # fmt: skip
    try:
        order = sell(session.get(slot()), sale, str(form.key.data), current_actor())
    except PriceChanged as refusal:
        flash(_changed(shown, form, desk), "care")
        return _page(form, desk, refusal.status)
    except NoDelivery as refusal:
        form.place.errors = (str(refusal),)
        return _page(form, desk, refusal.status)
    except DeliveryUnpriced:
        form.settled.errors = (
            _(
                "Todavía no se sabe cuánto cuesta llevarlo. Elige que pague al recibir o con un enlace, y en el pedido "
                "dile el precio."
            ),
        )
        return _page(form, desk, DeliveryUnpriced.status)
    except (OutOfStock, NotForSale, EmptyCart, PromotionGone, CardSpent, HoldExpired, MethodUnavailable) as refusal:
        flash(str(refusal), "care")
        return _page(*_form(), refusal.status)
    return _sold(form, desk, order)


def _sold(form: SaleForm, desk: _Desk, order: OrderView) -> ResponseReturnValue:
    session.pop(slot(), None)
    said = _("Anotamos la venta %(code)s por %(total)s.", code=order.code, total=money(order.total))
    change = form.change_of(desk.total)
    if change:
        said += " " + _("Dale de cambio %(change)s.", change=money(change))
    flash(said, "good")
    if order.due and form.settles is Settled.LINK:
        return redirect(url_for("desk_links.show", code=order.code), 303)
    return redirect(url_for("desk_orders.show", code=order.code), 303)


def _save(form: SaleForm, desk: _Desk) -> ResponseReturnValue:
    """Keep it for later; what is not known yet may stay empty, what is typed must be readable."""
    wrong = [one for one in (form.name, form.phone, form.email, form.note) if not one.validate(form)]
    if wrong:
        return _page(form, desk, 422)
    address = form.address()
    details = DraftDetails(
        name=form.name.data or "",
        phone=form.phone.data or None,
        email=form.email.data or None,
        words=form.note.data or "",
        how=form.method if form.to_be_delivered else "",
        address=address.to_dict() if address else None,
    )
    try:
        code = save(session.get(slot()), details, current_actor())
    except NothingInIt as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".show"), 303)
    except AlreadyOrdered as refusal:
        session.pop(slot(), None)
        flash(str(refusal), "care")
        return redirect(url_for("desk_orders.show", code=order_by_token(refusal.order_token).code), 303)
    session.pop(slot(), None)
    flash(_("Guardamos el borrador. Puedes seguir después o mandarlo."), "good")
    return redirect(url_for("desk_drafts.show", code=code), 303)
