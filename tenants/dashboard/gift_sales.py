"""Selling gift cards in the shop: whether, and for how much, in one form."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField
from wtforms.validators import Length, Optional

from storefront.kernel.access import access, current_actor
from storefront.kernel.forms import Form, MoneyField
from storefront.kernel.money import BadAmount, Money, parse_money
from storefront.kernel.tenancy import current_shop
from storefront.payments.gift_orders import ways_for
from tenants import settings

blueprint = Blueprint("desk_gift_sales", __name__)


class GiftSalesForm(Form):
    """The amounts to choose from, and the bounds of another one."""

    sells = BooleanField(
        _l("Vender tarjetas de regalo en tu tienda"),
        description=_l("Se pagan por adelantado; el código se manda cuando llega el dinero."),
    )
    amounts = StringField(
        _l("Cantidades para elegir"),
        [Optional(), Length(max=120)],
        description=_l("Hasta seis, separadas por punto y coma: 200; 500; 1000."),
        render_kw={"autocomplete": "off"},
    )
    least = MoneyField(_l("Otra cantidad, desde"), [Optional()])
    most = MoneyField(_l("y hasta"), [Optional()], description=_l("Vacíos si solo se puede elegir de la lista."))

    @property
    def offered(self) -> list[int]:
        """The amounts in minor units. Raises BadAmount."""
        shop = current_shop()
        words = [word for word in (self.amounts.data or "").split(";") if word.strip()]
        return [parse_money(word.strip(), shop.currency).minor for word in words]


def _written(minor: int) -> str:
    return f"{Money(minor, current_shop().currency).amount:f}"


@blueprint.get("/tarjetas-de-regalo/venta")
@access("staff", "settings:write")
def show() -> ResponseReturnValue:
    """What is sold now."""
    shop = current_shop()
    form = GiftSalesForm(
        formdata=None,
        data={
            "sells": shop.sells_gift_cards,
            "amounts": "; ".join(map(_written, shop.gift_amounts)),
            "least": shop.gift_least_minor or None,
            "most": shop.gift_most_minor or None,
        },
    )
    return _page(form)


def _page(form: GiftSalesForm, status: int = 200) -> ResponseReturnValue:
    return render_template("dashboard/gift_cards/sales.html", form=form, can_be_paid=bool(ways_for(0))), status


@blueprint.post("/tarjetas-de-regalo/venta")
@access("staff", "settings:write")
def change() -> ResponseReturnValue:
    """Change it; without the tick, none are sold any more, and those that were sold stay good."""
    form = GiftSalesForm()
    if not form.validate():
        return _page(form, 422)
    try:
        offered, least, most = form.offered, form.least.data or 0, form.most.data or 0
        if form.sells.data and not (offered or most):
            raise settings.BadGiftAmounts
        kept = (offered, least, most) if form.sells.data else ([], 0, 0)
        settings.change_gift_cards(*kept, current_actor())
    except (BadAmount, settings.BadGiftAmounts):
        form.amounts.errors = (str(settings.BadGiftAmounts.message),)
        return _page(form, 422)
    flash(_("Guardado. Ya se ve en tu tienda."), "good")
    return redirect(url_for("desk_gift_cards.index"), 303)
