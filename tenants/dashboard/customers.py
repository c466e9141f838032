"""The owner's customers: who they are, what they ordered, what they allowed, and what they may ask for."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField
from wtforms.validators import DataRequired, Length

from storefront.customers import farewell
from storefront.customers.consents import NEWS, decisions
from storefront.customers.queries import CustomerView, addresses_of, customer_by_code, customer_list
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Conflict
from storefront.kernel.forms import Form, normal_phone
from storefront.kernel.http import requested_page
from storefront.kernel.tenancy import current_shop
from storefront.orders.account import bookings_of_customer, guests
from storefront.orders.queries import orders_of_customer
from storefront.personalisation.queries import tastes_of_customer
from tenants.forms import choices
from tenants.identity import current_person

blueprint = Blueprint("desk_customers", __name__)

REASONS = {
    "asked": _l("La clienta o el cliente lo pidió"),
    "authority": _l("Lo pidió una autoridad"),
    "mistake": _l("Son datos de prueba o repetidos"),
}
"""Fixed words: what somebody types about a person to be erased would outlive them in the trail."""


class ReasonForm(Form):
    """Why the shop hands out or erases somebody's data."""

    why = RadioField(_l("¿Por qué?"), [DataRequired(_l("Elige una razón."))], choices=choices(REASONS.items()))


class GuestForm(ReasonForm):
    """The same for somebody without an account, found by number."""

    phone = HiddenField(validators=[DataRequired(), Length(max=40)])


def _may_erase() -> bool:
    person = current_person()
    return person is not None and person.may("settings:write")


@blueprint.get("/clientes")
@access("staff", "customers:read")
def index() -> ResponseReturnValue:
    """Those with an account."""
    search = _search()
    page = customer_list(requested_page(), search)
    return render_template("dashboard/customers/index.html", search=search, without=False, page=page)


@blueprint.get("/clientes/sin-cuenta")
@access("staff", "customers:read")
def without_account() -> ResponseReturnValue:
    """Those who order without one, by the number they give."""
    search = _search()
    page = guests(requested_page(), search)
    return render_template(
        "dashboard/customers/index.html", search=search, without=True, page=page, may_erase=_may_erase()
    )


def _search() -> str:
    return request.args.get("q", "").strip()[:60]


@blueprint.get("/clientes/<code>")
@access("staff", "customers:read")
def show(code: str) -> ResponseReturnValue:
    """One customer."""
    customer = customer_by_code(code)
    answers = decisions(f"customer:{customer.id}")
    return render_template(
        "dashboard/customers/show.html",
        customer=customer,
        orders=orders_of_customer(customer.id),
        bookings=bookings_of_customer(customer.id),
        addresses=addresses_of(customer.id),
        decisions=answers,
        wants_news=any(one.granted for one in answers if one.purpose.name == NEWS),
        tastes=tastes_of_customer(customer.id),
        may_erase=_may_erase(),
    )


# --- what they may ask for ----------------------------------------------------------------------------------------


@blueprint.get("/clientes/<code>/datos")
@access("staff", "customers:read")
def ask_export(code: str) -> ResponseReturnValue:
    """Why is the file wanted?"""
    return _export_page(customer_by_code(code), ReasonForm(formdata=None), 200)


@blueprint.post("/clientes/<code>/datos")
@access("staff", "customers:read")
def export(code: str) -> ResponseReturnValue:
    """Everything about one person, in a file; the trail keeps who asked for it and why."""
    customer = customer_by_code(code)
    form = ReasonForm()
    if not form.validate():
        return _export_page(customer, form, 422)
    content = farewell.archive(customer.id, current_actor(), str(form.why.data))
    name = f"datos-{current_shop().slug}-{customer.code}-{clock.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, mimetype="application/zip", headers=headers)


def _export_page(customer: CustomerView, form: ReasonForm, status: int) -> ResponseReturnValue:
    return render_template("dashboard/customers/export.html", customer=customer, form=form), status


@blueprint.get("/clientes/<code>/borrar")
@access("staff", "settings:write")
def ask_erase(code: str) -> ResponseReturnValue:
    """Say what is erased and what stays, and ask why."""
    return _erase_page(customer_by_code(code), ReasonForm(formdata=None), 200)


@blueprint.post("/clientes/<code>/borrar")
@access("staff", "settings:write")
def erase(code: str) -> ResponseReturnValue:
    """Erase a customer at their wish."""
    customer = customer_by_code(code)
    form = ReasonForm()
    if not form.validate():
        return _erase_page(customer, form, 422)
    try:
        farewell.forget(customer.id, current_actor(), str(form.why.data))
    except Conflict as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".show", code=customer.code), 303)
    flash(_("Borramos sus datos. Sus ventas quedan sin nombre."), "good")
    return redirect(url_for(".index"), 303)


def _erase_page(customer: CustomerView, form: ReasonForm, status: int) -> ResponseReturnValue:
    name = customer.shown_name
    return render_template("dashboard/customers/erase.html", name=name, customer=customer, form=form), status


@blueprint.get("/clientes/sin-cuenta/borrar")
@access("staff", "settings:write")
def ask_erase_guest() -> ResponseReturnValue:
    """The same for somebody who orders without an account."""
    return _guest_page(GuestForm(formdata=None, phone=request.args.get("telefono", "")), 200)


@blueprint.post("/clientes/sin-cuenta/borrar")
@access("staff", "settings:write")
def erase_guest() -> ResponseReturnValue:
    """Erase what was ordered and booked under a number."""
    form = GuestForm()
    phone = _phone(form.phone.data)
    if not form.validate() or phone is None:
        return _guest_page(form, 422)
    try:
        farewell.forget_guest(phone, current_actor(), str(form.why.data))
    except Conflict as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".without_account"), 303)
    flash(_("Borramos sus datos. Sus ventas quedan sin nombre."), "good")
    return redirect(url_for(".without_account"), 303)


def _phone(typed: str | None) -> str | None:
    try:
        return normal_phone(typed or "", current_shop().country)
    except ValueError:
        return None


def _guest_page(form: GuestForm, status: int) -> ResponseReturnValue:
    phone = _phone(form.phone.data)
    return render_template("dashboard/customers/erase.html", name=phone or "", customer=None, form=form), status
