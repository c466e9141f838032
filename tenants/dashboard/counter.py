"""Selling at the counter: what somebody takes along or asks for by telephone becomes an order like any other.

What is being sold is a cart of the person at the desk: its token lies in their session, one for each shop.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

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
from storefront.checkout.actions import EmptyCart, PriceChanged
from storefront.checkout.counter import Sale, Settled, sell
from storefront.checkout.queries import Bill, bill, extras_of
from storefront.inventory.actions import OutOfStock
from storefront.inventory.queries import counts
from storefront.kernel.access import access, current_actor
from storefront.kernel.filters import money, money_minor
from storefront.kernel.forms import Form, MoneyField, PhoneField
from storefront.kernel.http import requested_page
from storefront.kernel.ids import new_token
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.states import FulfilmentMethod
from storefront.payments.links import ways_to_pay
from storefront.pricing.extras import NO_TIP, Tip, most_tip_minor, packaging_minor
from storefront.promotions.actions import PromotionGone
from tenants.dashboard.catalogue_forms import option
from tenants.dashboard.home import me

blueprint = Blueprint("desk_counter", __name__)

WAYS = {
    Settled.CASH: _l("Se lo lleva y pagó en efectivo"),
    Settled.TRANSFER: _l("Se lo lleva y ya llegó su transferencia"),
    Settled.LINK: _l("Paga ahora con su teléfono: código o enlace"),
    Settled.LATER: _l("Viene después y paga al recoger"),
}


class SaleForm(Form):
    """How it is paid and, for whoever comes later, who it is for."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    shown = HiddenField()
    settled = RadioField(
        _l("¿Cómo queda?"), [InputRequired(_l("Elige cómo queda la venta."))], default=Settled.CASH.value
    )
    name = StringField(
        _l("Nombre"),
        [Optional(), Length(max=120)],
        description=_l("Hace falta si viene después."),
        render_kw={"autocomplete": "off"},
    )
    phone = PhoneField(_l("Teléfono o WhatsApp"), [Optional()], render_kw={"autocomplete": "off"})
    note = TextAreaField(_l("Nota"), [Optional(), Length(max=500)])
    packed = BooleanField(_l("Cobrar el empaque"))
    tip = MoneyField(_l("Propina"), [Optional(), NumberRange(min=0)])

    def ask_for_more(self) -> None:
        """Ask for packaging and a tip only where the shop has them."""
        shop = current_shop()
        if not packaging_minor(shop, FulfilmentMethod.PICKUP):
            del self.packed
        if not shop.takes_tips:
            del self.tip

    @property
    def is_packed(self) -> bool:
        """Whether the packaging is charged for."""
        return bool(self.packed and self.packed.data)

    @property
    def given(self) -> Tip:
        """The tip that was typed."""
        return Tip(amount_minor=self.tip.data) if self.tip and self.tip.data else NO_TIP

    def refuse_large_tip(self, subtotal_minor: int) -> bool:
        """Say so, and whether, the tip is larger than the goods: a slip of the finger."""
        most = most_tip_minor(subtotal_minor)
        if self.given.amount_minor <= most:
            return False
        self.tip.errors = (_("Como máximo %(most)s.", most=money_minor(most)),)
        return True

    def offer(self, *, transfers: bool, links: bool) -> None:
        """Say which ways there are: whoever may not judge payments cannot say that a transfer arrived, and a link needs
        something that can be paid from afar."""
        hidden = {Settled.TRANSFER: not transfers, Settled.LINK: not links}
        ways = [way for way in WAYS if not hidden.get(way)]
        self.settled.choices = [option(way.value, WAYS[way]) for way in ways]

    def validate(self, extra_validators: Any = None) -> bool:
        """Whoever comes later has a name to ask for."""
        good = bool(super().validate(extra_validators))
        if self.settled.data == Settled.LATER and not self.name.data:
            self.name.errors = (_("Escribe a nombre de quién lo apartas."),)
            return False
        return good


def _slot() -> str:
    return f"counter:{current_shop().id}"


def _cart() -> CartView:
    return cart_view(session.get(_slot()))


def _may_see_transfers() -> bool:
    return me().may("payments:review")


def _takes_links() -> bool:
    return bool(ways_to_pay(FulfilmentMethod.PICKUP, has_bookings=False, due_minor=0))


def _form(*, blank: bool = False) -> SaleForm:
    form = SaleForm(formdata=None) if blank else SaleForm()
    form.offer(transfers=_may_see_transfers(), links=_takes_links())
    form.ask_for_more()
    return form


def _bill(form: SaleForm, cart: CartView) -> Bill:
    return bill(cart, None, extras_of(cart, FulfilmentMethod.PICKUP if form.is_packed else "", form.given))


def _page(form: SaleForm, status: int = 200) -> ResponseReturnValue:
    typed = request.args.get("q", "").strip()[:80]
    cart = _cart()
    page = counts(typed, requested_page())
    on_sale = sellable([row.variant_id for row in page.items])
    now = _bill(form, cart)
    form.shown.data = now.stamp
    currency = current_shop().currency
    return render_template(
        "dashboard/orders/counter.html",
        form=form,
        cart=cart,
        totals=now.totals,
        page=page,
        offers={id: (one.picture, Money(one.price_minor, currency)) for id, one in on_sale.items()},
        typed=typed,
    ), status


def _changed(shown: str, form: SaleForm, cart: CartView) -> str:
    """What was only just added on this form is news to nobody: it is to be looked at, and no change."""
    ways = (FulfilmentMethod.PICKUP, "")
    seen = {bill(cart, None, extras_of(cart, way, tip)).stamp for way in ways for tip in (NO_TIP, form.given)}
    if shown in seen:
        return _("Este es el total con lo que agregaste. Revísalo y anota la venta.")
    return _("El total cambió mientras tanto. Revísalo; no se vendió nada.")


def _back() -> ResponseReturnValue:
    typed, page = request.form.get("q") or None, request.form.get("page") or None
    return redirect(url_for(".show", q=typed, page=page, _anchor="agregar"), 303)


@blueprint.get("/venta")
@access("staff", "orders:write")
def show() -> ResponseReturnValue:
    """What is being sold, and everything there is to sell."""
    form = _form(blank=True)
    form.key.data = new_token()
    return _page(form)


@blueprint.post("/venta/productos")
@access("staff", "orders:write")
def add() -> ResponseReturnValue:
    """One more of something."""
    try:
        cart = add_goods_by_code(session.get(_slot()), request.form.get("variant", "")[:40], 1)
    except (NotForSale, SoldOutForNow, CartFull) as refusal:
        flash(str(refusal), "care")
        return _back()
    session[_slot()] = cart.token
    return _back()


@blueprint.post("/venta/lineas/<code>")
@access("staff", "orders:write")
def change(code: str) -> ResponseReturnValue:
    """Another quantity of a line; none takes it out."""
    typed = request.form.get("quantity", "").strip()
    quantity = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 4 else -1
    try:
        if quantity == 0 or request.form.get("do") == "remove":
            remove_line(session.get(_slot()), code, current_actor())
        else:
            set_quantity(session.get(_slot()), code, quantity)
    except BadQuantity as refusal:
        flash(str(refusal), "care")
    except LineNotFound:
        pass  # taken out on another screen: the page shows what is left
    return _back()


@blueprint.post("/venta")
@access("staff", "orders:write")
def finish() -> ResponseReturnValue:
    """Write it down as an order."""
    form = _form()
    shown = str(form.shown.data or "")
    if not _cart().lines and session.get(_slot()) is None:
        flash(_("Primero agrega lo que se lleva."), "care")
        return redirect(url_for(".show"), 303)
    cart = _cart()
    if not form.validate() or form.refuse_large_tip(cart.totals.subtotal_minor):
        return _page(form, 422)
    sale = Sale(
        Settled(form.settled.data), shown, form.name.data or "", form.phone.data or "", form.note.data or "",
        form.given, form.is_packed,
    )  # fmt: skip
    try:
        order = sell(session.get(_slot()), sale, str(form.key.data), current_actor())
    except PriceChanged as refusal:
        flash(_changed(shown, form, cart), "care")
        return _page(form, refusal.status)
    except (OutOfStock, NotForSale, EmptyCart, PromotionGone) as refusal:
        flash(str(refusal), "care")
        return _page(form, refusal.status)
    session.pop(_slot(), None)
    flash(_("Anotamos la venta %(code)s por %(total)s.", code=order.code, total=money(order.total)), "good")
    if order.due and form.settled.data == Settled.LINK:
        return redirect(url_for("desk_links.show", code=order.code), 303)
    return redirect(url_for("desk_orders.show", code=order.code), 303)
