"""What is typed at the counter: how a sale is paid and received, for whom it is, and what comes on top."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from storefront.cart.queries import CartView
from storefront.checkout.counter import Settled
from storefront.checkout.forms import DELIVERY, CheckoutForm
from storefront.checkout.queries import Place
from storefront.kernel.filters import money
from storefront.kernel.forms import EmailField, MoneyField, PhoneField
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.states import FulfilmentMethod
from storefront.pricing.extras import packaging_minor
from tenants.dashboard.catalogue_forms import option

HERE = "here"

TAKEN_ALONG = {
    Settled.CASH: _l("Se lo lleva y pagó en efectivo"),
    Settled.TRANSFER: _l("Se lo lleva y ya llegó su transferencia"),
    Settled.LINK: _l("Paga ahora con su teléfono: código o enlace"),
    Settled.LATER: _l("Viene después y paga al recoger"),
}
BOOKED = {
    Settled.LATER: _l("Paga cuando venga"),
    Settled.CASH: _l("Ya pagó en efectivo"),
    Settled.TRANSFER: _l("Ya llegó su transferencia"),
    Settled.LINK: _l("Paga con un enlace o código"),
}
DELIVERED = {
    Settled.ON_DELIVERY: _l("Paga en efectivo al recibir"),
    Settled.CASH: _l("Ya pagó en efectivo"),
    Settled.TRANSFER: _l("Ya llegó su transferencia"),
    Settled.LINK: _l("Paga antes con un enlace: transferencia, tarjeta…"),
}


class SaleForm(CheckoutForm):
    """The checkout's form as the counter fills it in: a name only where somebody comes back, any way of paying."""

    pay = None  # type: ignore[assignment]
    coupon = None  # type: ignore[assignment]
    settled = RadioField(_l("¿Cómo queda?"), [InputRequired(_l("Elige cómo queda la venta."))])
    name = StringField(
        _l("Nombre"),
        [Optional(), Length(max=120)],
        description=_l("Hace falta si viene después o se le lleva."),
        render_kw={"autocomplete": "off"},
    )
    phone = PhoneField(_l("Teléfono o WhatsApp"), [Optional()], render_kw={"autocomplete": "off"})
    email = EmailField(_l("Correo"), [Optional()], render_kw={"autocomplete": "off"})
    note = TextAreaField(_l("Nota"), [Optional(), Length(max=500)])
    packed = BooleanField(_l("Cobrar el empaque"))
    given = MoneyField(
        _l("¿Con cuánto paga?"),
        [Optional(), NumberRange(min=0)],
        description=_l("Solo si paga en efectivo: te decimos cuánto darle de cambio."),
    )

    def prepare(self, cart: CartView, places: list[Place], *, transfers: bool, links: bool) -> None:
        """Say what there is to choose for this cart: whoever may not judge payments cannot say that a transfer arrived,
        and a link needs something that can be paid from afar."""
        delivers = bool(places) and cart.has_goods
        self.delivers = delivers
        if not delivers or self.how.data != DELIVERY:
            self.how.data = HERE
        self.offer_places(places)
        self.offer_tips(cart.totals.subtotal_minor)
        self.ways = DELIVERED if self.to_be_delivered else BOOKED if cart.has_bookings else TAKEN_ALONG
        hidden = {Settled.TRANSFER: not transfers, Settled.LINK: not links}
        ways = [way for way in self.ways if not hidden.get(way)]
        self.settled.choices = [option(way.value, self.ways[way]) for way in ways]
        self.is_packable = cart.has_goods and bool(packaging_minor(current_shop(), self.method))

    @property
    def method(self) -> FulfilmentMethod:
        """How it is received."""
        return FulfilmentMethod.DELIVERY if self.to_be_delivered else FulfilmentMethod.PICKUP

    @property
    def is_packed(self) -> bool:
        """Whether the packaging is charged for."""
        return self.is_packable and bool(self.packed.data)

    @property
    def settles(self) -> Settled | None:
        """How it is paid, if something that there is was chosen."""
        return next((way for way in self.ways if way.value == self.settled.data), None)

    def change_of(self, due: Money) -> Money | None:
        """What to give back of the cash that was given; None where nothing was said."""
        if self.settles is not Settled.CASH or not self.given.data:
            return None
        return Money(self.given.data - due.minor, due.currency)

    def refuse_too_little(self, due: Money) -> bool:
        """Say so, and whether, less cash was given than is due."""
        change = self.change_of(due)
        if change is None or change.minor >= 0:
            return False
        self.given.errors = (_("Faltan %(missing)s.", missing=money(Money(-change.minor, due.currency))),)
        return True

    def validate(self, extra_validators: Any = None) -> bool:
        """Whoever comes later, or is brought it, has a name to ask for; who is brought it, a telephone too."""
        good = bool(super().validate(extra_validators))
        later = self.settles in {Settled.LATER, Settled.ON_DELIVERY} or self.to_be_delivered
        missing = {}
        if later and not self.name.data:
            missing["name"] = _("Escribe a nombre de quién lo apartas.")
        if self.to_be_delivered and not self.phone.data:
            missing["phone"] = _("Escribe su teléfono: quien lo lleva puede necesitarlo.")
        for name, sentence in missing.items():
            self[name].errors = [*self[name].errors, sentence]
        return good and not missing
