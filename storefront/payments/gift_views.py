"""Gift cards from the side of who buys one: the page that sells them, and the card that a buyer hands over."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import DateField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from storefront.giftcards import secrets
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.faces import face_url
from storefront.kernel.filters import money
from storefront.kernel.forms import EmailField, MoneyField, PhoneField
from storefront.kernel.limits import limited
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import NoSuchOrder, OrderView, order_by_token
from storefront.orders.states import Channel
from storefront.payments import gift_sales
from storefront.payments.actions import start_card
from storefront.payments.capabilities import THROUGH_A_PROVIDER
from storefront.payments.gift_orders import BadGift, Gift, buy, ways_for
from storefront.payments.methods import METHODS
from storefront.payments.together_views import remember_order

blueprint = Blueprint("gifts", __name__)

OTHER = "other"


class GiftForm(MakingForm):
    """Of how much, for whom, when, and who pays it how."""

    amount = RadioField(_l("¿De cuánto?"), [DataRequired(_l("Elige de cuánto es la tarjeta."))])
    other = MoneyField(_l("Otra cantidad"), [Optional()])
    recipient_name = StringField(_l("¿Para quién es?"), [Optional(), Length(max=120)])
    recipient_email = EmailField(
        _l("Su correo"),
        [Optional()],
        description=_l("Le mandamos la tarjeta. Si lo dejas vacío, tú la imprimes o la mandas por WhatsApp."),
    )
    message = TextAreaField(_l("Tu mensaje"), [Optional(), Length(max=300)])
    on = DateField(_l("¿Qué día se la mandamos?"), [Optional()], description=_l("Vacío: en cuanto llegue tu pago."))
    name = StringField(
        _l("Tu nombre"), [DataRequired(_l("Escribe tu nombre.")), Length(max=120)], render_kw={"autocomplete": "name"}
    )
    email = EmailField(
        _l("Tu correo"),
        [DataRequired(_l("Escribe tu correo: ahí te llega el enlace de tu compra."))],
        render_kw={"autocomplete": "email"},
    )
    phone = PhoneField(_l("Tu teléfono"), [Optional()])
    pay = RadioField(_l("¿Cómo quieres pagar?"), [DataRequired(_l("Elige cómo quieres pagar."))])

    @property
    def amount_minor(self) -> int:
        """What was chosen, or written."""
        if self.amount.data == OTHER:
            return int(self.other.data or 0)
        return int(self.amount.data) if str(self.amount.data or "").isdecimal() else 0


def _offer(form: GiftForm) -> None:
    shop = current_shop()
    offered = [SelectChoice(str(one), money(Money(one, shop.currency))) for one in shop.gift_amounts]
    if shop.gift_most_minor:
        offered.append(SelectChoice(OTHER, _("Otra cantidad")))
    form.amount.choices = offered
    likely = form.amount_minor or min([*shop.gift_amounts, shop.gift_least_minor or 10**11])
    ways = ways_for(likely) or ways_for(0)
    form.pay.choices = [SelectChoice(way.code, str(way.label)) for way in ways]
    if len(ways) == 1:
        form.pay.data = ways[0].code
    if len(offered) == 1:
        form.amount.data = offered[0].value


def _page(form: GiftForm, status: int = 200) -> ResponseReturnValue:
    shop = current_shop()
    bounds = None
    if shop.gift_most_minor:
        bounds = (Money(shop.gift_least_minor, shop.currency), Money(shop.gift_most_minor, shop.currency))
    details = {code: {"help": str(way.help), "icon": way.icon} for code, way in METHODS.items()}
    return render_template("shop/giftcards/buy.html", form=form, bounds=bounds, details=details), status


def _sold_here() -> None:
    if not current_shop().sells_gift_cards or not ways_for(0):
        raise NotFound


@blueprint.get("/tarjeta-de-regalo")
@access("public")
def show() -> ResponseReturnValue:
    """The page that sells them."""
    _sold_here()
    form = GiftForm(formdata=None)
    _offer(form)
    return _page(form)


@blueprint.post("/tarjeta-de-regalo")
@access("public")
@limited("checkout")
def order() -> ResponseReturnValue:
    """Order one, and go on to pay it; a second tap finds the first one's order."""
    _sold_here()
    form = GiftForm()
    _offer(form)
    if not form.validate():
        return _page(form, 422)
    actor = current_actor()
    by = Actor("customer", actor.id if actor.kind == "customer" else None, "")
    attempts: list[int] = []

    def make() -> str:
        placed, attempt_id = buy(_gift(form, by.id), by)
        attempts.append(attempt_id)
        return placed.token

    try:
        made = made_once(mark_of(form.key.data, "gift"), by, make)
    except BadGift as refusal:
        field = form.other if refusal.field == "amount" and form.amount.data == OTHER else form[refusal.field]
        field.errors = (str(refusal),)
        return _page(form, refusal.status)
    if session:  # whoever has no cookie gets none here: their form has no token, and may be sent again
        remember_order(made.code)
    return redirect(_onwards(made.code, attempts, str(form.pay.data)), 303)


def _gift(form: GiftForm, customer_id: int | None) -> Gift:
    return Gift(
        amount_minor=form.amount_minor,
        recipient_name=form.recipient_name.data or "",
        recipient_email=form.recipient_email.data or None,
        message=form.message.data or "",
        on=form.on.data,
        buyer_name=str(form.name.data),
        buyer_email=str(form.email.data),
        buyer_phone=form.phone.data or None,
        payment_method=str(form.pay.data),
        customer_id=customer_id,
        locale=str(get_locale() or ""),
    )


def _onwards(token: str, attempts: list[int], method: str) -> str:
    """The provider's page; the order's own for a transfer, for a second tap, or when the provider does not answer."""
    if attempts and method in THROUGH_A_PROVIDER:
        try:
            return start_card(attempts[0])
        except Refusal as refusal:
            flash(str(refusal), "care")
    return url_for("orders.show", token=token)


def gift_block(order: OrderView) -> Markup:
    """On the page of an order that buys a card: where the card is."""
    if order.channel is not Channel.GIFT:
        return Markup("")
    gift = gift_sales.gift_of(order.id)
    if gift is None:
        return Markup("")
    page = render_template(
        "shop/giftcards/_bought.html",
        order=order,
        gift=gift,
        may_show=gift_sales.secret_for_buyer(order.id) is not None,
        comes_later=gift.send_at is not None and gift.send_at > clock.now(),
    )
    return Markup(page)  # noqa: S704 (our own template, which escapes)


@blueprint.get("/pedido/<token>/tarjeta-de-regalo")
@access("public")
def hand_over(token: str) -> ResponseReturnValue:
    """The card itself, for a buyer who hands it over: to be printed, or sent on. Nobody keeps this page."""
    order = order_by_token(token)
    secret = gift_sales.secret_for_buyer(order.id) if order.channel is Channel.GIFT else None
    gift = gift_sales.gift_of(order.id) if secret else None
    if secret is None or gift is None:
        raise NoSuchOrder
    answer = make_response(
        render_template(
            "shop/giftcards/hand_over.html",
            order=order,
            gift=gift,
            secret=secrets.written(secret),
            address=face_url("shop", f"/tarjeta-de-regalo/{secret}"),
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
