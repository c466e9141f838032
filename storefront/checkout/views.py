"""Finishing an order: one page, with or without an account, with or without a script."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms import SelectChoice

from storefront.cart.actions import LineNotFound, NotForSale, UnknownCoupon, drop_coupon, use_coupon
from storefront.cart.queries import CartView, cart_view
from storefront.checkout.actions import (
    CheckoutDetails,
    EmptyCart,
    MethodUnavailable,
    NoDelivery,
    Placement,
    PriceChanged,
    place,
)
from storefront.checkout.forms import DELIVERY, PICKUP, CheckoutForm, price_word
from storefront.checkout.queries import (
    Bill,
    Place,
    bill,
    bill_and_ways,
    buyer_of,
    extras_of,
    known_of,
    load_of,
    place_of,
    places,
)
from storefront.customers.address import PostalAddress
from storefront.delivery.rates import quote
from storefront.drafts.queries import DraftState, DraftView, NotOpen, draft_by_token
from storefront.giftcards.actions import CardSpent
from storefront.giftcards.queries import CardView, card_by_secret, has_cards
from storefront.giftcards.words import card_trouble
from storefront.inventory.actions import OutOfStock
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.headers import keep_private
from storefront.kernel.ids import new_token
from storefront.kernel.limits import limited
from storefront.kernel.tenancy import current_shop
from storefront.orders.states import FulfilmentMethod
from storefront.payments.methods import Method
from storefront.payments.together_views import remember_order
from storefront.pricing.extras import NO_TIP
from storefront.promotions.actions import PromotionGone
from storefront.promotions.words import coupon_note
from storefront.reservations.actions import HoldExpired

blueprint = Blueprint("checkout", __name__)

PLACE_ORDER, USE_COUPON, DROP_COUPON = "place", "coupon", "drop-coupon"
USE_CARD, DROP_CARD = "gift-card", "drop-gift-card"


@dataclass(frozen=True, slots=True)
class _Desk:
    """Everything the page needs around its form."""

    cart: CartView
    ways: list[str]
    places: list[Place]
    methods: list[Method]
    bill: Bill
    cannot_deliver: bool
    takes_cards: bool = False
    prepared: DraftView | None = None

    @property
    def coupon_note(self) -> str | None:
        """Why the typed coupon takes nothing off."""
        return coupon_note(self.cart.offers, self.bill.totals)

    @property
    def is_priced(self) -> bool:
        """Whether the total is the whole total, delivery included."""
        quote = self.bill.quote
        return not quote.is_to_be_named if quote is not None else not self.cannot_deliver


def _cart(form: CheckoutForm) -> CartView:
    """The cart, with what may come off it for whoever fills in the form."""
    buyer = buyer_of(_customer_id(), form.phone.data, form.email.data)
    return cart_view(_token(), str(get_locale() or ""), buyer)


def _prepared() -> DraftView | None:
    """What the shop prepared, where its link was opened. Raises NotFound."""
    token = (request.view_args or {}).get("token")
    return draft_by_token(token) if token else None


def _token() -> str | None:
    """Whose cart is ordered: the one a link names, or the visitor's own."""
    token: str | None = (request.view_args or {}).get("token") or session.get("cart")
    return token


def _away() -> ResponseReturnValue:
    """Where one reads what is in the way of ordering."""
    token = (request.view_args or {}).get("token")
    return redirect(url_for(".prepared", token=token) if token else url_for("cart.show"), 303)


def _customer() -> Actor:
    """Whoever orders, by number: names do not go into the trail."""
    return Actor("customer", _customer_id(), "")


def _customer_id() -> int | None:
    actor = current_actor()
    return actor.id if actor.kind == "customer" else None


def _prepare(form: CheckoutForm, cart: CartView) -> _Desk:
    load = load_of(cart)
    where = places(cart.totals.subtotal_minor, load) if cart.has_goods else []
    shop = current_shop()
    ways = [PICKUP, DELIVERY] if where and shop.address else [DELIVERY] if where else [PICKUP]
    if not cart.has_goods:
        ways = []
    form.offer(ways, where)
    form.offer_tips(cart.totals.subtotal_minor)
    method = FulfilmentMethod.NONE
    if ways:
        method = FulfilmentMethod.DELIVERY if form.to_be_delivered else FulfilmentMethod.PICKUP
    address = form.address()
    found = quote(address, cart.totals.subtotal_minor, load) if address and form.place_is_named else None
    asks_for_cards = has_cards()
    card = _card(form) if asks_for_cards else None
    now, methods = bill_and_ways(cart, found, extras_of(cart, method, form.chosen_tip), card, method)
    form.pay.choices = [SelectChoice(offered.code, str(offered.label)) for offered in methods]
    if len(methods) == 1:
        form.pay.data = methods[0].code
    desk = _Desk(
        cart=cart,
        ways=ways,
        places=where,
        methods=methods,
        bill=now,
        cannot_deliver=form.to_be_delivered and found is None,
        takes_cards=asks_for_cards,
        prepared=_prepared(),
    )
    form.is_covered = desk.bill.is_covered
    return desk


def _card(form: CheckoutForm) -> CardView | None:
    """The gift card that was typed, if it is good for something; else the field says why not."""
    typed = str(form.gift_card.data or "")
    if not typed:
        return None
    card = card_by_secret(typed)
    trouble = card_trouble(card)
    if trouble:
        g.wrong_gift_card = card is None
        form.gift_card.errors = (trouble,)
        return None
    return card


def _guessed(_response: Response) -> bool:
    """Whether a gift card was typed that nobody has: so many of those, and no more are tried."""
    return bool(g.get("wrong_gift_card"))


def _page(form: CheckoutForm, desk: _Desk, status: int = 200) -> ResponseReturnValue:
    return render_template("shop/checkout/checkout.html", form=form, desk=desk, price_word=price_word), status


def _fill_in(form: CheckoutForm) -> None:
    """Spare a customer with an account what is known, and everybody the making of a key."""
    form.key.data = new_token()
    customer_id = _customer_id()
    known = known_of(customer_id) if customer_id is not None else None
    if known is None:
        return
    form.name.data, form.phone.data, form.email.data = known.name, known.phone, known.email
    if known.address is None:
        return
    match = place_of(known.address, places(0))
    form.how.data = DELIVERY if match else PICKUP
    form.place.data = match.value if match else ""
    form.street.data, form.reference.data = known.address.street, known.address.reference
    form.lat.data, form.lng.data = known.address.lat, known.address.lng


@blueprint.get("/pedir")
@access("public")
def show() -> ResponseReturnValue:
    """The page on which an order is finished; without anything to order, the cart says so."""
    form = CheckoutForm(formdata=None)
    _fill_in(form)
    cart = _cart(form)
    if not cart.is_ready:
        return redirect(url_for("cart.show"), 303)
    return _page(form, _prepare(form, cart))


@blueprint.get("/preparado/<token>")
@access("public")
def prepared(token: str) -> ResponseReturnValue:
    """What the shop prepared for somebody: what is missing is asked for, or it says why it cannot be ordered now."""
    draft = draft_by_token(token)
    form = CheckoutForm(formdata=None)
    form.key.data = new_token()
    _fill_in_known(form, draft)
    cart = _cart(form)
    if draft.state is DraftState.ORDERED and draft.order_token:
        flash(_("Este pedido ya está hecho: aquí está."), "info")
        return redirect(url_for("orders.show", token=draft.order_token), 303)
    if draft.state is not DraftState.SENT or not cart.is_ready:
        page = render_template("shop/checkout/prepared.html", draft=draft, cart=cart)
        return _private(page)
    return _private(_page(form, _prepare(form, cart)))


def _private(page: ResponseReturnValue) -> Response:
    answer = make_response(page)
    keep_private(answer)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _fill_in_known(form: CheckoutForm, draft: DraftView) -> None:
    """What the shop knows already."""
    form.name.data, form.phone.data, form.email.data = draft.name, draft.phone, draft.email
    form.how.data = draft.how or None
    if draft.address is not None:
        address = PostalAddress.from_dict(draft.address)
        match = place_of(address, places(0))
        form.place.data = match.value if match else ""
        form.street.data, form.reference.data = address.street, address.reference
        form.locality.data = address.locality


@blueprint.post("/preparado/<token>")
@access("public")
@limited("checkout")
@limited("gift-card", counts=_guessed)
def submit_prepared(token: str) -> ResponseReturnValue:
    """Order what the shop prepared, like any cart."""
    if draft_by_token(token).state is not DraftState.SENT:
        return _away()
    return _submit()


@blueprint.post("/pedir")
@access("public")
@limited("checkout")
@limited("gift-card", counts=_guessed)
def submit() -> ResponseReturnValue:
    """Order; or, for any other button, show the page again with what was chosen and what that costs."""
    return _submit()


def _submit() -> ResponseReturnValue:
    form = CheckoutForm()
    wish = request.form.get("do")
    if wish == DROP_CARD:
        form.gift_card.data, form.gift_card.raw_data = "", None
    typed_now = _minded_coupon(form, wish)
    cart = _cart(form)
    desk = _prepare(form, cart)
    coupon_refused, card_refused = form.coupon.errors, form.gift_card.errors
    if wish != PLACE_ORDER and (coupon_refused or card_refused):
        return _page(form, desk, 422)
    if wish != PLACE_ORDER or typed_now:
        return _page(form, desk) if cart.lines else _away()
    if not form.validate() or coupon_refused or card_refused:
        form.coupon.errors = (*form.coupon.errors, *coupon_refused)
        form.gift_card.errors = (*form.gift_card.errors, *card_refused)
        return _page(form, desk, 422)
    try:
        return _go_on(place(_token(), _details(form), str(form.key.data), _customer()))
    except (OutOfStock, HoldExpired, NotForSale, EmptyCart, NotOpen) as refusal:
        flash(str(refusal), "care")
        return _away()
    except (PriceChanged, PromotionGone, CardSpent, NoDelivery, MethodUnavailable) as refusal:
        return _again(form, desk, refusal)


def _minded_coupon(form: CheckoutForm, wish: str | None) -> bool:
    """Keep or drop a coupon. True when one was typed and the order asked for at once: its total is shown first."""
    if wish == DROP_COUPON:
        drop_coupon(_token())
    typed = str(form.coupon.data or "")
    if wish not in {USE_COUPON, PLACE_ORDER} or not typed:
        return False
    try:
        use_coupon(_token(), typed)
    except (UnknownCoupon, LineNotFound) as refusal:
        form.coupon.errors = (str(refusal),)
        return False
    form.coupon.data, form.coupon.raw_data = "", None
    return True


def _again(
    form: CheckoutForm,
    desk: _Desk,
    refusal: PriceChanged | PromotionGone | CardSpent | NoDelivery | MethodUnavailable,
) -> ResponseReturnValue:
    """The page once more, with what was typed and the sentence where it belongs."""
    if isinstance(refusal, PriceChanged | PromotionGone | CardSpent):
        flash(_changed(refusal, form, desk) if isinstance(refusal, PriceChanged) else str(refusal), "care")
        desk = _prepare(form, _cart(form))
    elif isinstance(refusal, NoDelivery):
        form.place.errors = (str(refusal),)
    else:
        form.pay.errors = (str(refusal),)
    return _page(form, desk, refusal.status)


def _details(form: CheckoutForm) -> CheckoutDetails:
    return CheckoutDetails(
        name=str(form.name.data),
        phone=str(form.phone.data),
        email=form.email.data,
        fulfilment_method=FulfilmentMethod.DELIVERY if form.to_be_delivered else FulfilmentMethod.PICKUP,
        address=form.address(),
        payment_method=str(form.pay.data or ""),
        note=form.note.data or "",
        tip=form.chosen_tip,
        shown=str(form.shown.data or ""),
        locale=str(get_locale() or ""),
        customer_id=_customer_id(),
        gift_card=str(form.gift_card.data or ""),
    )


def _changed(refusal: PriceChanged, form: CheckoutForm, desk: _Desk) -> str:
    """A delivery, a packaging, a tip or a gift card seen for the first time is news, not a change."""
    more = [extras_of(desk.cart, way, tip) for way in ("", PICKUP, DELIVERY) for tip in (NO_TIP, form.chosen_tip)]
    shown, quote_now, card = request.form.get("shown"), refusal.bill.quote, desk.bill.card
    priced = partial(bill, desk.cart, deposit=refusal.bill.terms is not None)
    if quote_now is not None and shown in {priced(None, one, card).stamp for one in more}:
        return _("Este es el total con la entrega. Revísalo y confirma tu pedido.")
    if card is not None and shown in {priced(quote_now, one).stamp for one in more}:
        return _("Esto es lo que queda por pagar con tu tarjeta de regalo. Revísalo y confirma tu pedido.")
    if shown in {priced(quote_now, one, card).stamp for one in more}:
        return _("Este es el total con lo que elegiste. Revísalo y confirma tu pedido.")
    return str(refusal)


def _go_on(placement: Placement) -> ResponseReturnValue:
    if _prepared() is None:
        session["cart_count"] = 0
    remember_order(placement.order_token)
    if placement.repeated:
        flash(_("Este pedido ya estaba hecho: aquí está."), "info")
    if placement.problem:
        flash(placement.problem, "care")
    return redirect(placement.redirect_url or url_for("orders.show", token=placement.order_token), 303)
