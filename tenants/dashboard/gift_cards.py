"""The owner's gift cards: issuing one, what is on them, what each was used for, and taking one out of use."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from storefront.giftcards import actions, queries
from storefront.giftcards.actions import NewCard, ReasonNeeded
from storefront.giftcards.models import Movement, PaidWith
from storefront.giftcards.queries import PAGE_SIZES, CardState
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.faces import face_url
from storefront.kernel.forms import EmailField, Form, MoneyField
from storefront.kernel.http import requested_page
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import orders_by_ids
from storefront.payments import gift_cards, gift_sales
from storefront.payments.gift_cards import BadCard, Issued
from tenants.dashboard.catalogue_forms import option
from tenants.identity import current_person

blueprint = Blueprint("desk_gift_cards", __name__)

STATE_WORDS = {
    CardState.ACTIVE: (_l("Activa"), "good"),
    CardState.EMPTY: (_l("Sin saldo"), ""),
    CardState.OVER: (_l("Venció"), ""),
    CardState.DISABLED: (_l("Desactivada"), "care"),
}
MOVEMENT_WORDS = {
    Movement.ISSUED: _l("Se emitió"),
    Movement.REDEEMED: _l("Pagó un pedido"),
    Movement.GIVEN_BACK: _l("Regresó: el pedido venció"),
    Movement.REFUNDED: _l("Regresó: se devolvió el pedido"),
    Movement.BOUGHT_BACK: _l("Se devolvió lo que costó"),
}
PAID_WORDS = {
    PaidWith.CASH: _l("En efectivo"),
    PaidWith.TRANSFER: _l("Por transferencia"),
    PaidWith.GIVEN: _l("Es un regalo de la tienda"),
    PaidWith.RETURNED: _l("Por algo que devolvió"),
    PaidWith.SHOP: _l("La compraron en tu tienda"),
}
BY_ITSELF = frozenset({PaidWith.RETURNED, PaidWith.SHOP})
"""What nobody chooses at the desk."""
ORDER_WORDS = {"nuevas": _l("Más nuevas"), "saldo": _l("Más saldo"), "vencen": _l("Vencen antes")}


class GiftCardForm(MakingForm):
    """Of how much, for whom, and how it was paid."""

    amount = MoneyField(_l("¿De cuánto es?"), [InputRequired(_l("Escribe de cuánto es la tarjeta."))])
    paid_with = RadioField(
        _l("¿Cómo te la pagaron?"),
        choices=[option(one.value, word) for one, word in PAID_WORDS.items() if one not in BY_ITSELF],
        default=PaidWith.CASH.value,
    )
    recipient_name = StringField(_l("¿Para quién es?"), [Optional(), Length(max=120)])
    recipient_email = EmailField(
        _l("Su correo"), [Optional()], description=_l("Le mandamos la tarjeta. Si lo dejas vacío, tú le das el código.")
    )
    message = TextAreaField(_l("Mensaje"), [Optional(), Length(max=300)])
    until = DateField(
        _l("Vence el"), [Optional()], description=_l("Ese día todavía vale. Déjalo vacío y no vence nunca.")
    )

    def details(self) -> NewCard:
        """What was typed."""
        return NewCard(
            value_minor=self.amount.data or 0,
            paid_with=PaidWith(self.paid_with.data),
            recipient_name=" ".join((self.recipient_name.data or "").split()),
            recipient_email=self.recipient_email.data or None,
            message=(self.message.data or "").strip(),
            expires_at=_end_of(self.until.data),
        )


class DisableForm(Form):
    """Why a card is taken out of use."""

    reason = StringField(_l("¿Por qué?"), [Optional(), Length(max=actions.LONGEST_REASON)])


def _end_of(day: date | None) -> datetime | None:
    """The first instant after a day of the shop's."""
    return datetime.combine(day + timedelta(days=1), time(), current_shop().zone) if day else None


def sold_this_month() -> tuple[int, Money] | None:
    """How many cards were bought in the shop since the first of the month, and for how much; None where none are."""
    shop = current_shop()
    if not shop.sells_gift_cards:
        return None
    first = clock.now().astimezone(shop.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    many, minor = gift_sales.sold_since(first)
    return many, Money(minor, shop.currency)


@blueprint.get("/tarjetas-de-regalo")
@access("staff", "payments:review")
def index() -> ResponseReturnValue:
    """Every card with what is left on it, and what the shop owes for all of them."""
    order, person = request.args.get("orden", ""), current_person()
    order = order if order in ORDER_WORDS else "nuevas"
    wanted = request.args.get("por-pagina", "")
    size = int(wanted) if wanted in map(str, PAGE_SIZES) else PAGE_SIZES[0]
    return render_template(
        "dashboard/gift_cards/index.html",
        page=queries.card_list(requested_page(), order, size),
        owed=queries.owed(),
        order=order,
        size=size,
        orders=ORDER_WORDS,
        sizes=PAGE_SIZES,
        sold=sold_this_month(),
        may_sell=bool(person and person.may("settings:write")),
        states=STATE_WORDS,
    )


@blueprint.get("/tarjetas-de-regalo/nueva")
@access("staff", "payments:review")
def new() -> ResponseReturnValue:
    """The empty form."""
    return _form_page(GiftCardForm(formdata=None))


@blueprint.post("/tarjetas-de-regalo/nueva")
@access("staff", "payments:review")
def create() -> ResponseReturnValue:
    """Issue a card and show its secret, this once; a second tap finds the card without it."""
    form = GiftCardForm()
    if not form.validate():
        return _form_page(form, 422)
    issued: list[Issued] = []

    def make() -> str:
        issued.append(gift_cards.issue(form.details(), current_actor()))
        return issued[-1].code

    try:
        made = made_once(mark_of(form.key.data, "gift card"), current_actor(), make)
    except BadCard as refusal:
        form[refusal.field].errors = (str(refusal),)
        return _form_page(form, refusal.status)
    if not made.is_new:
        flash(_("Esta tarjeta ya estaba hecha. Su código se enseñó una sola vez."), "info")
        return redirect(url_for(".show", code=made.code), 303)
    return secret_page(issued[-1])


def _form_page(form: GiftCardForm, status: int = 200) -> ResponseReturnValue:
    return render_template("dashboard/gift_cards/new.html", form=form), status


def secret_page(issued: Issued, done: str = "", back: tuple[str, str] | None = None) -> ResponseReturnValue:
    """The only page that ever shows a secret, which nobody keeps. `done` says what it was for, `back` the way there."""
    address = face_url("shop", f"/tarjeta-de-regalo/{issued.secret}")
    answer = make_response(
        render_template(
            "dashboard/gift_cards/issued.html",
            card=queries.card_by_code(issued.code),
            secret=issued.secret,
            address=address,
            done=done,
            back=back,
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/tarjetas-de-regalo/<code>")
@access("staff", "payments:review")
def show(code: str) -> ResponseReturnValue:
    """One card and everything that happened to it."""
    return _page(code, DisableForm(formdata=None))


def _page(code: str, form: DisableForm, status: int = 200) -> ResponseReturnValue:
    card = queries.card_by_code(code)
    lines = queries.history(card.id)
    page = render_template(
        "dashboard/gift_cards/show.html",
        card=card,
        lines=lines,
        orders=orders_by_ids({line.order_id for line in lines if line.order_id is not None}),
        form=form,
        states=STATE_WORDS,
        movements=MOVEMENT_WORDS,
        paid=PAID_WORDS,
        last_day=card.expires_at - timedelta(seconds=1) if card.expires_at else None,
    )
    return page, status


@blueprint.post("/tarjetas-de-regalo/<code>/desactivar")
@access("staff", "payments:review")
def disable(code: str) -> ResponseReturnValue:
    """From now on nobody can pay with it."""
    form = DisableForm()
    try:
        actions.disable(code, form.reason.data or "", current_actor())
    except ReasonNeeded as refusal:
        form.reason.errors = (str(refusal),)
        return _page(code, form, refusal.status)
    flash(_("Tarjeta desactivada. Su saldo se queda ahí."), "good")
    return redirect(url_for(".show", code=code), 303)


@blueprint.post("/tarjetas-de-regalo/<code>/activar")
@access("staff", "payments:review")
def enable(code: str) -> ResponseReturnValue:
    """It can be used again."""
    actions.enable(code, current_actor())
    flash(_("Tarjeta activada otra vez."), "good")
    return redirect(url_for(".show", code=code), 303)


@blueprint.post("/tarjetas-de-regalo/<code>/codigo")
@access("staff", "payments:review")
def renew(code: str) -> ResponseReturnValue:
    """Another secret, for one that was lost or seen by others."""
    return secret_page(gift_cards.renew(code, current_actor()))
