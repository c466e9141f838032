"""The owner's promotions: which there are, how far each has come, and the short form that makes one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from storefront.catalogue.assortment import editable_categories, product_names
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.filters import money_minor
from storefront.kernel.forms import Form, MoneyField
from storefront.kernel.http import requested_page
from storefront.kernel.ids import new_token
from storefront.kernel.tenancy import current_shop
from storefront.pricing.discounts import Kind
from storefront.promotions.audiences import FEWEST_DAYS, MOST_DAYS, Audience
from storefront.promotions.queries import PromotionRow, State, promotion_by_code, promotion_list
from storefront.promotions.setup import (
    BadPromotion,
    PromotionDetails,
    change_promotion,
    create_promotion,
    switch_promotion,
)
from tenants.dashboard.catalogue_forms import hidden_number, option

blueprint = Blueprint("desk_promotions", __name__)

MOST_PRODUCTS = 300
HUNDREDTH_BP = 100
STATE_WORDS = {
    State.ON: (_l("Activa"), "good"),
    State.NOT_YET: (_l("Por empezar"), "wait"),
    State.OVER: (_l("Terminó"), ""),
    State.USED_UP: (_l("Agotada"), "money"),
    State.OFF: (_l("Apagada"), ""),
}
_NUMBER = NumberRange(1, 1_000_000, _l("Escribe un número mayor que cero, o déjalo vacío."))


class PromotionForm(Form):
    """The short form; what few need is folded away."""

    key = HiddenField()
    version = HiddenField()
    name = StringField(
        _l("Nombre"),
        [DataRequired(_l("Ponle un nombre: así lo verá quien compra.")), Length(max=60)],
        description=_l("Así lo verá quien compra, por ejemplo «Martes de pan»."),
    )
    coupon = StringField(
        _l("Código del cupón"),
        [Optional(), Length(max=40)],
        description=_l("Déjalo vacío y se aplicará sola, sin escribir nada."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters"},
    )
    kind = RadioField(
        _l("¿Qué da?"),
        choices=[
            option(Kind.PERCENT.value, _l("Un porcentaje")),
            option(Kind.AMOUNT.value, _l("Una cantidad de dinero")),
            option(Kind.FREE_SHIPPING.value, _l("La entrega gratis")),
        ],
        default=Kind.PERCENT.value,
    )
    percent = IntegerField(
        _l("¿Qué porcentaje?"), [Optional(), NumberRange(1, 100, _l("Escribe un porcentaje entre 1 y 100."))]
    )
    amount = MoneyField(_l("¿Cuánto dinero?"), [Optional()])
    minimum = MoneyField(_l("Compra mínima"), [Optional()])
    since = DateField(_l("Desde"), [Optional()])
    until = DateField(_l("Hasta"), [Optional()], description=_l("Ese día todavía vale."))
    usage_limit = IntegerField(_l("Veces en total"), [Optional(), _NUMBER])
    per_customer = IntegerField(_l("Veces por persona"), [Optional(), _NUMBER])
    budget = MoneyField(_l("Lo más que quieres dar"), [Optional()], description=_l("Al llegar ahí se termina sola."))
    audience = RadioField(
        _l("¿Quién puede usarla?"),
        choices=[
            option(Audience.EVERYBODY.value, _l("Cualquier persona")),
            option(Audience.FIRST_ORDER.value, _l("Quien pide por primera vez, una sola vez")),
            option(Audience.BOUGHT.value, _l("Quien ya te ha comprado")),
            option(Audience.AWAY.value, _l("Quien ya te compró y lleva tiempo sin hacerlo")),
            option(Audience.ORDERS.value, _l("Quien te ha hecho varios pedidos")),
            option(Audience.SPENT.value, _l("Quien te ha comprado cierta cantidad")),
        ],
        default=Audience.EVERYBODY.value,
        description=_l(
            "Se sabe por su cuenta, su teléfono o su correo al pedir. Cuentan los pedidos confirmados, "
            "no los cancelados ni los que devolviste completos."
        ),
    )
    days = IntegerField(
        _l("¿Cuántos días sin comprar?"),
        [Optional(), NumberRange(FEWEST_DAYS, MOST_DAYS, _l("Escribe cuántos días sin comprar, de 7 a 730."))],
        description=_l("Si lleva tiempo sin hacerlo. Quien vuelve la usa una vez en esos días."),
    )
    orders = IntegerField(
        _l("¿Cuántos pedidos, por lo menos?"), [Optional(), _NUMBER], description=_l("Si te ha hecho varios.")
    )
    spent = MoneyField(
        _l("¿Cuánto ha comprado, por lo menos?"),
        [Optional()],
        description=_l("Si te ha comprado cierta cantidad, en todos sus pedidos."),
    )
    combines = BooleanField(_l("Se suma con otras que también se suman"))
    categories = SelectMultipleField(_l("Solo estas categorías"), [Optional()])
    products = SelectMultipleField(_l("Solo estos productos"), [Optional()])

    def offer(self) -> None:
        """Let the shop's own categories and products be chosen."""
        self.categories.choices = [SelectChoice(one.code, one.name) for one in editable_categories()]
        self.products.choices = [SelectChoice(code, name) for _id, code, name in product_names(MOST_PRODUCTS)]

    def details(self) -> PromotionDetails:
        """What was typed."""
        kind = Kind(self.kind.data)
        value = {Kind.PERCENT: (self.percent.data or 0) * HUNDREDTH_BP, Kind.AMOUNT: self.amount.data or 0}.get(kind, 0)
        audience = Audience(self.audience.data)
        number = {
            Audience.AWAY: self.days.data, Audience.ORDERS: self.orders.data, Audience.SPENT: self.spent.data,
        }.get(audience)  # fmt: skip
        return PromotionDetails(
            name=self.name.data or "",
            kind=kind,
            value=value,
            coupon=self.coupon.data or "",
            minimum_minor=self.minimum.data or 0,
            categories=tuple(self.categories.data or ()),
            products=tuple(self.products.data or ()),
            audience=audience,
            audience_number=number,
            combines=bool(self.combines.data),
            starts_at=_midnight(self.since.data),
            ends_at=_midnight(self.until.data, days=1),
            usage_limit=self.usage_limit.data,
            per_customer=self.per_customer.data,
            budget_minor=self.budget.data,
        )


def audience_words(row: PromotionRow) -> str:
    """Whom a promotion is for; nothing when it is for everybody."""
    number = row.audience_number or 0
    match row.audience:
        case Audience.EVERYBODY:
            return ""
        case Audience.FIRST_ORDER:
            return _("Para quien pide por primera vez")
        case Audience.BOUGHT:
            return _("Para quien ya te ha comprado")
        case Audience.AWAY:
            return _("Para quien lleva %(days)s días sin comprar", days=number)
        case Audience.ORDERS:
            return _("Para quien lleva %(orders)s pedidos o más", orders=number)
        case Audience.SPENT:
            return _("Para quien ha comprado %(spent)s o más", spent=money_minor(number))


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    """The beginning of a day as the shop's clock has it."""
    return datetime.combine(day + timedelta(days=days), time(), current_shop().zone) if day else None


def _day(instant: datetime | None, *, days: int = 0) -> date | None:
    return (instant.astimezone(current_shop().zone) - timedelta(days=days)).date() if instant else None


def _stored(row: PromotionRow) -> dict[str, Any]:
    codes = {one.id: one.code for one in editable_categories()}
    products = {number: code for number, code, _name in product_names(MOST_PRODUCTS)}
    return {
        "name": row.name, "coupon": row.coupon or "", "kind": row.kind.value, "version": str(row.version),
        "percent": row.value // HUNDREDTH_BP if row.kind is Kind.PERCENT else None,
        "amount": row.value if row.kind is Kind.AMOUNT else None,
        "minimum": row.minimum_minor or None, "budget": row.budget_minor,
        "usage_limit": row.usage_limit, "per_customer": row.per_customer,
        "combines": row.combines, "audience": row.audience.value,
        "days": row.audience_number if row.audience is Audience.AWAY else None,
        "orders": row.audience_number if row.audience is Audience.ORDERS else None,
        "spent": row.audience_number if row.audience is Audience.SPENT else None,
        "since": _day(row.starts_at), "until": _day(row.ends_at, days=1),
        "categories": [codes[one] for one in row.category_ids if one in codes],
        "products": [products[one] for one in row.product_ids if one in products],
    }  # fmt: skip


def _page(form: PromotionForm, row: PromotionRow | None, status: int = 200) -> ResponseReturnValue:
    return render_template("dashboard/promotions/promotion.html", form=form, row=row, states=STATE_WORDS), status


def _refused(form: PromotionForm, refusal: Refusal) -> None:
    field = refusal.field if isinstance(refusal, BadPromotion) else "name"
    form[field].errors = (str(refusal),)


@blueprint.get("/promociones")
@access("staff", "catalogue:read")
def index() -> ResponseReturnValue:
    """Every promotion with its state, its uses and what it has given; the newest first."""
    page = promotion_list(requested_page())
    return render_template("dashboard/promotions/index.html", page=page, states=STATE_WORDS, whom=audience_words)


@blueprint.get("/promociones/nueva")
@access("staff", "catalogue:write")
def new() -> ResponseReturnValue:
    """The empty form."""
    form = PromotionForm(formdata=None, data={"key": new_token()})
    form.offer()
    return _page(form, None)


@blueprint.post("/promociones/nueva")
@access("staff", "catalogue:write")
def create() -> ResponseReturnValue:
    """Open a promotion, once however often the button is tapped."""
    form = PromotionForm()
    form.offer()
    if not form.validate():
        return _page(form, None, 422)
    try:
        create_promotion(form.details(), str(form.key.data or "") or new_token(), current_actor())
    except BadPromotion as refusal:
        _refused(form, refusal)
        return _page(form, None, refusal.status)
    flash(_("Promoción lista."), "good")
    return redirect(url_for(".index"), 303)


@blueprint.get("/promociones/<code>")
@access("staff", "catalogue:write")
def edit(code: str) -> ResponseReturnValue:
    """A promotion as it stands."""
    row = promotion_by_code(code)
    form = PromotionForm(formdata=None, data=_stored(row))
    form.offer()
    return _page(form, row)


@blueprint.post("/promociones/<code>")
@access("staff", "catalogue:write")
def save(code: str) -> ResponseReturnValue:
    """Change a promotion."""
    row, form = promotion_by_code(code), PromotionForm()
    form.offer()
    if not form.validate():
        return _page(form, row, 422)
    try:
        change_promotion(code, hidden_number(form.version.data) or 0, form.details(), current_actor())
    except Refusal as refusal:
        _refused(form, refusal)
        return _page(form, row, refusal.status)
    flash(_("Promoción guardada."), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/promociones/<code>/apagar")
@access("staff", "catalogue:write")
def switch_off(code: str) -> ResponseReturnValue:
    """From now on nobody gets it; orders keep what they were given."""
    switch_promotion(code, current_actor(), on=False)
    flash(_("Promoción apagada. Los pedidos que ya la tienen la conservan."), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/promociones/<code>/encender")
@access("staff", "catalogue:write")
def switch_on(code: str) -> ResponseReturnValue:
    """It applies again."""
    switch_promotion(code, current_actor(), on=True)
    flash(_("Promoción encendida."), "good")
    return redirect(url_for(".index"), 303)
