"""Where an owner says what confirms an order, of the shop and of one product, and gives back what was kept of it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField
from wtforms.validators import Optional

from storefront.catalogue.assortment import EditableProduct, editable_product
from storefront.catalogue.deposits import BadDeposit, deposit_of, own_deposits, set_deposit
from storefront.kernel.access import access, current_actor
from storefront.kernel.forms import Form, MoneyField
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import order_by_code
from storefront.payments import kept
from storefront.pricing.deposits import NO_SHARE, Share
from tenants.dashboard.catalogue_forms import option
from tenants.deposits import BadDays, NothingInAdvance, change_deposits, takes_in_advance
from tenants.forms import refuse

blueprint = Blueprint("desk_deposits", __name__)

NOTHING, PERCENT, AMOUNT, AS_SHOP = "nothing", "percent", "amount", "shop"
AT_HAND_OVER, BEFORE, NEVER = "at", "before", "never"


class ShareForm(Form):
    """How much is paid in advance."""

    percent = IntegerField(_l("Porcentaje"), [Optional()], description=_l("De 5 a 90."))
    amount = MoneyField(_l("Importe"), [Optional()])
    how = RadioField(_l("¿Cuánto se paga por adelantado?"), default=NOTHING)

    def fill(self, share: Share | None) -> None:
        """Show what is so now."""
        self.how.data = AS_SHOP if share is None else PERCENT if share.percent else AMOUNT
        if share == NO_SHARE:
            self.how.data = NOTHING
        if share:
            self.percent.data, self.amount.data = share.percent or None, share.amount_minor or None

    @property
    def share(self) -> Share | None:
        """What was chosen; `NO_SHARE` for nothing in advance, None for as in the shop. Raises BadDeposit."""
        if self.how.data == AS_SHOP:
            return None
        if self.how.data == NOTHING:
            return NO_SHARE
        found = Share(self.percent.data or 0) if self.how.data == PERCENT else Share(0, self.amount.data or 0)
        if found == NO_SHARE:
            raise BadDeposit
        return found

    def refuse_share(self, error: BadDeposit) -> None:
        """Say what is wrong where it was typed."""
        refuse(self.percent if self.how.data == PERCENT else self.amount, error)


class ShopDepositForm(ShareForm):
    """What holds for the whole shop."""

    rest = RadioField(
        _l("¿Cuándo se paga el resto?"),
        choices=[
            option(AT_HAND_OVER, _l("Al entregar o al llegar")),
            option(BEFORE, _l("Unos días antes de la reserva")),
        ],
        default=AT_HAND_OVER,
    )
    rest_days = IntegerField(_l("Días antes"), [Optional()])
    refund = RadioField(
        _l("Si cancelan, ¿devuelves el anticipo?"),
        choices=[option(BEFORE, _l("Sí, hasta unos días antes")), option(NEVER, _l("No se devuelve"))],
        default=BEFORE,
    )
    refund_days = IntegerField(
        _l("Hasta cuántos días antes"),
        [Optional()],
        description=_l("Lo que no es una reserva se devuelve mientras no esté listo. Siempre puedes devolver más."),
    )

    def offer(self) -> None:
        """Say what can be chosen."""
        self.how.choices = [
            option(NOTHING, _l("Nada: se paga todo al pedir")),
            option(PERCENT, _l("Un porcentaje de lo que piden")),
            option(AMOUNT, _l("Un importe por pedido")),
        ]

    @property
    def days(self) -> tuple[int | None, int | None]:
        """How many days before the rest is due, and the deposit stops going back. Raises BadDays."""
        rest = self.rest_days.data if self.rest.data == BEFORE else None
        refund = (self.refund_days.data or 0) if self.refund.data == BEFORE else None
        if self.rest.data == BEFORE and rest is None:
            raise BadDays
        return rest, refund


class ProductDepositForm(ShareForm):
    """What holds for one product."""

    def offer(self) -> None:
        """Say what can be chosen."""
        self.how.choices = [
            option(AS_SHOP, _l("Como en toda la tienda")),
            option(NOTHING, _l("Se paga todo al pedir")),
            option(PERCENT, _l("Un porcentaje de su precio")),
            option(AMOUNT, _l("Un importe por pieza o por lugar")),
        ]


def _page(form: ShopDepositForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "dashboard/settings/deposits.html", form=form, own=own_deposits(), takes_in_advance=takes_in_advance()
    )
    return page, status


@blueprint.get("/ajustes/anticipos")
@access("staff", "settings:write")
def show() -> ResponseReturnValue:
    """What confirms an order now."""
    shop, form = current_shop(), ShopDepositForm(formdata=None)
    form.offer()
    form.fill(Share(shop.deposit_percent, shop.deposit_minor))
    form.rest.data = AT_HAND_OVER if shop.deposit_rest_days is None else BEFORE
    form.rest_days.data = shop.deposit_rest_days
    form.refund.data = NEVER if shop.deposit_refund_days is None else BEFORE
    form.refund_days.data = shop.deposit_refund_days
    return _page(form)


@blueprint.post("/ajustes/anticipos")
@access("staff", "settings:write")
def change() -> ResponseReturnValue:
    """Change it, for orders from now on."""
    form = ShopDepositForm()
    form.offer()
    if form.validate():
        try:
            change_deposits(form.share or NO_SHARE, *form.days, current_actor())
        except BadDeposit as error:
            form.refuse_share(error)
        except NothingInAdvance as error:
            refuse(form.how, error)
        except BadDays as error:
            refuse(form.refund_days if form.rest.data == AT_HAND_OVER else form.rest_days, error)
        else:
            flash(_("Guardado. Ya se ve en tu tienda."), "good")
            return redirect(url_for(".show"), 303)
    return _page(form, 422)


def _product_page(form: ProductDepositForm, product: EditableProduct, status: int = 200) -> ResponseReturnValue:
    return render_template("dashboard/catalogue/deposit.html", form=form, product=product), status


@blueprint.get("/productos/<code>/anticipo")
@access("staff", "catalogue:write")
def of_product(code: str) -> ResponseReturnValue:
    """What of one product is paid in advance."""
    product, form = editable_product(code), ProductDepositForm(formdata=None)
    form.offer()
    form.fill(deposit_of(product.id))
    return _product_page(form, product)


@blueprint.post("/productos/<code>/anticipo")
@access("staff", "catalogue:write")
def change_product(code: str) -> ResponseReturnValue:
    """Change it, for orders from now on."""
    product, form = editable_product(code), ProductDepositForm()
    form.offer()
    if form.validate():
        try:
            set_deposit(product.id, form.share, current_actor())
        except BadDeposit as error:
            form.refuse_share(error)
        else:
            flash(_("Guardado. Vale para los pedidos que lleguen desde ahora."), "good")
            return redirect(url_for("desk_catalogue.edit", code=product.code), 303)
    return _product_page(form, product, 422)


@blueprint.post("/pedidos/<code>/anticipo")
@access("staff", "payments:review")
def give_back(code: str) -> ResponseReturnValue:
    """What was kept of a cancelled order's deposit goes back after all."""
    order = order_by_code(code)
    if kept.give_back(order.id, current_actor()):
        flash(_("El anticipo va de regreso a quien lo pagó."), "good")
    return redirect(url_for("desk_orders.show", code=order.code), 303)
