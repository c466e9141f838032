"""Charging by a link: a message and a code to scan for whatever is due, and for amounts without a product."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from storefront.delivery import handing
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.faces import face_url
from storefront.kernel.forms import EmailField, MoneyField, PhoneField, whole_number
from storefront.kernel.http import requested_page
from storefront.kernel.making import MakingForm, made_once, mark_of
from storefront.kernel.qr import qr
from storefront.kernel.taxes import GENERAL
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import OrderView, order_by_code
from storefront.orders.states import PaymentState
from storefront.payments.actions import NothingToPay
from storefront.payments.charges import LONGEST_CONCEPT, BadCharge, Charge, NoWay, ask_for, charge_list
from storefront.payments.links import OPEN, BeingReviewed, OtherAmount, take_cash, ways_to_pay
from storefront.payments.methods import ON_DELIVERY
from tenants.dashboard.catalogue_forms import option, tax_choices

blueprint = Blueprint("desk_links", __name__)

KEEP = {
    "1": _l("1 hora"), "6": _l("6 horas"), "24": _l("1 día"), "72": _l("3 días"), "168": _l("7 días"),
}  # fmt: skip
"""For how many hours a link may be good."""


class ChargeForm(MakingForm):
    """What is asked for, from whom, and for how long."""

    concept = StringField(
        _l("¿De qué es?"),
        [InputRequired(_l("Escribe de qué es el cobro.")), Length(max=LONGEST_CONCEPT)],
        description=_l("Por ejemplo: arreglo de cierre. Quien paga lo va a leer."),
        render_kw={"autocomplete": "off"},
    )
    amount = MoneyField(
        _l("¿Cuánto?"), [InputRequired(_l("Escribe cuánto vas a cobrar."))], description=_l("Con el impuesto incluido.")
    )
    keep = SelectField(
        _l("¿Hasta cuándo sirve el enlace?"),
        choices=[option(hours, word) for hours, word in KEEP.items()],
        default="24",
    )
    tax_class = SelectField(_l("Impuesto"), choices=[], default=GENERAL)
    name = StringField(_l("¿A quién le cobras?"), [Optional(), Length(max=120)], render_kw={"autocomplete": "off"})
    phone = PhoneField(_l("Su WhatsApp"), [Optional()], render_kw={"autocomplete": "off"})
    email = EmailField(_l("Su correo"), [Optional()], render_kw={"autocomplete": "off"})

    def charge(self) -> Charge:
        """What was typed."""
        return Charge(
            concept=" ".join((self.concept.data or "").split()),
            amount_minor=self.amount.data or 0,
            keep_for=timedelta(hours=int(self.keep.data)),
            name=" ".join((self.name.data or "").split()),
            phone=self.phone.data or None,
            email=self.email.data or None,
            tax_class=self.tax_class.data,
        )


def _link(order: OrderView) -> str:
    return face_url("shop", f"/pagar/{order.token}")


def _mark(order: OrderView) -> str:
    """Another word whenever something about the order changed."""
    return f"{order.version}-{order.payment_state}"


def _can_be_paid(order: OrderView) -> bool:
    is_kept = not order.is_waiting or order.expires_at is None or order.expires_at > clock.now()
    return order.is_to_be_paid and order.state in OPEN and is_kept and order.due_now.minor > 0


@blueprint.get("/pedidos/<code>/enlace")
@access("staff", "orders:read")
def show(code: str) -> ResponseReturnValue:
    """The message, the address and the code to scan; once the money is there, that it is there."""
    order = order_by_code(code)
    is_open = _can_be_paid(order) and order.payment_state is not PaymentState.PROOF_REVIEW
    ways = (
        ways_to_pay(
            order.fulfilment_method,
            has_bookings=order.has_bookings,
            due_minor=order.due_now.minor,
            agreed=order.payment_method,
        )
        if is_open
        else []
    )
    link = _link(order)
    page = render_template(
        "dashboard/orders/link.html",
        order=order,
        link=link,
        drawn=qr(link) if ways else None,
        ways=ways,
        is_open=is_open,
        mark=_mark(order),
    )
    answer = make_response(page)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/pedidos/<code>/enlace/estado")
@access("staff", "orders:read")
def mark(code: str) -> ResponseReturnValue:
    """A word that changes with the order, for the page that waits for its money."""
    answer = jsonify(mark=_mark(order_by_code(code)))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/pedidos/<code>/enlace/efectivo")
@access("staff", "orders:write")
def in_cash(code: str) -> ResponseReturnValue:
    """Whoever was to pay by the link gave the money instead."""
    order = order_by_code(code)
    asked = request.form.get("amount", "")
    try:
        if order.payment_method == ON_DELIVERY:
            handing.note_cash(order.id, current_actor())
        else:
            take_cash(order.id, whole_number(asked) or 0, current_actor())
    except (NothingToPay, OtherAmount, BeingReviewed) as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".show", code=order.code), 303)
    said = _("Anotamos lo que te pagaron del pedido %(code)s.", code=order.code)
    flash({"text": said, "undo": url_for("desk_orders.uncollect", code=order.code)}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back
    return redirect(url_for(".show", code=order.code), 303)


@blueprint.get("/enlaces")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """Amounts that were asked for by a link: those still open, or all."""
    only_open = request.args.get("ver") != "todos"
    return render_template(
        "dashboard/orders/links.html",
        page=charge_list(requested_page(), only_open=only_open),
        only_open=only_open,
    )


@blueprint.get("/enlaces/nuevo")
@access("staff", "orders:write")
def new() -> ResponseReturnValue:
    """The empty form."""
    return _form_page(_form(blank=True))


@blueprint.post("/enlaces/nuevo")
@access("staff", "orders:write")
def create() -> ResponseReturnValue:
    """Write it down, and show its link and its code."""
    form = _form()
    if not form.validate():
        return _form_page(form, 422)
    try:
        made = made_once(
            mark_of(form.key.data, "charge"), current_actor(), lambda: ask_for(form.charge(), current_actor()).code
        )
    except BadCharge as refusal:
        form[refusal.field].errors = (str(refusal),)
        return _form_page(form, refusal.status)
    except NoWay as refusal:
        flash(str(refusal), "care")
        return _form_page(form, refusal.status)
    return redirect(url_for(".show", code=made.code), 303)


def _form(*, blank: bool = False) -> ChargeForm:
    form = ChargeForm(formdata=None) if blank else ChargeForm()
    form.tax_class.choices = tax_choices()
    return form


def _form_page(form: ChargeForm, status: int = 200) -> ResponseReturnValue:
    return render_template("dashboard/orders/new_link.html", form=form, currency=current_shop().currency), status
