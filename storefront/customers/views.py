"""A customer's own pages: coming in with a one-time code, what the shop knows of them, and the ways to change that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.customers import actions, codes, consents, farewell, queries
from storefront.customers.contacts import is_email
from storefront.customers.forms import CodeForm, ContactForm, DetailsForm, EmailForm, KeptAddressForm
from storefront.kernel import clock, slots
from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_next
from storefront.kernel.errors import Forbidden
from storefront.kernel.limits import failed, limited
from storefront.kernel.sessions import current_login, end_all_logins, end_login, logins_of, start_login
from storefront.kernel.tenancy import current_shop

blueprint = Blueprint("customers", __name__)

CONTACT, NEW_EMAIL, ORDER, NEXT = "code_contact", "code_email", "code_order", "next"
"""Session keys of what somebody is about to prove, and of where they go then."""


def _locale() -> str:
    return str(get_locale() or current_shop().locale)


def customer_id() -> int:
    """The customer behind this request. Raises Forbidden for anybody else; the policy has seen to it before."""
    actor = current_actor()
    if actor.kind != "customer" or actor.id is None:
        raise Forbidden
    return actor.id


def _typed_contact() -> str | None:
    return request.form.get("contact")


def _session_contact() -> str | None:
    return session.get(CONTACT)


# --- coming in ----------------------------------------------------------------------------------------------------


@blueprint.get("/cuenta/entrar")
@access("public")
def enter() -> ResponseReturnValue:
    """One field: who are you?"""
    if current_actor().kind == "customer":
        return redirect(url_for(".account"), 303)
    return render_template("shop/customers/enter.html", form=ContactForm(formdata=None))


@blueprint.post("/cuenta/entrar")
@access("public")
@limited("code", _typed_contact)
def ask_code() -> ResponseReturnValue:
    """Ask for a code. The answer is the same whoever is known here."""
    form = ContactForm()
    if not form.validate():
        return render_template("shop/customers/enter.html", form=form), 422
    codes.request_code(str(form.contact.data), _locale())
    session[CONTACT] = form.contact.data
    if form.pedido.data:
        session[ORDER] = form.pedido.data
    return redirect(url_for(".code"), 303)


@blueprint.get("/cuenta/codigo")
@access("public")
def code() -> ResponseReturnValue:
    """Where the code is typed."""
    contact = _session_contact()
    if contact is None:
        return redirect(url_for(".enter"), 303)
    return _code_page(CodeForm(formdata=None), contact)


def _code_page(form: CodeForm, contact: str, status: int = 200) -> ResponseReturnValue:
    return render_template("shop/customers/code.html", form=form, contact=contact, by_email=is_email(contact)), status


@blueprint.post("/cuenta/codigo")
@access("public")
@limited("login", _session_contact, counts=failed)
def prove() -> ResponseReturnValue:
    """Let them in; the session gets a new identity and keeps the cart."""
    contact = _session_contact()
    if contact is None:
        return redirect(url_for(".enter"), 303)
    form = CodeForm()
    if not form.validate():
        return _code_page(form, contact, 422)
    try:
        who = actions.sign_in(contact, form.digits, _locale())
    except codes.WrongCode as refusal:
        form.code.errors = (str(refusal),)
        return _code_page(form, contact, refusal.status)
    start_login(f"customer:{who.id}", who.epoch)
    session.pop(CONTACT, None)
    order = session.pop(ORDER, None)
    if order:
        slots.call("account.keep_order", None, token=order, customer_id=who.id)
    slots.call("account.signed_in", None, customer_id=who.id)
    flash(_("Listo, ya tienes tu cuenta.") if who.is_new else _("Hola de nuevo."), "good")
    return redirect(safe_next(session.pop(NEXT, None), url_for(".account")), 303)


@blueprint.post("/cuenta/salir")
@access("customer")
def leave() -> ResponseReturnValue:
    """Log out on this device."""
    end_login()
    slots.call("account.signed_out", None)
    flash(_("Saliste de tu cuenta."), "info")
    return redirect("/", 303)


# --- the account --------------------------------------------------------------------------------------------------


@blueprint.get("/cuenta")
@access("customer")
def account() -> ResponseReturnValue:
    """The customer's own page: orders first, then everything about them."""
    return render_template("shop/customers/account.html", customer=queries.customer_by_id(customer_id()))


@blueprint.get("/cuenta/datos")
@access("customer")
def details() -> ResponseReturnValue:
    """Name, number and language."""
    customer = queries.customer_by_id(customer_id())
    form = DetailsForm(formdata=None, name=customer.name, phone=customer.phone, locale=customer.locale)
    return _details_page(form, customer)


@blueprint.post("/cuenta/datos")
@access("customer")
def save_details() -> ResponseReturnValue:
    """Keep what they say of themselves."""
    customer = queries.customer_by_id(customer_id())
    form = DetailsForm()
    if not form.validate():
        return _details_page(form, customer, 422)
    actions.change_details(
        customer.id,
        name=str(form.name.data),
        phone=form.phone.data,
        locale=form.locale.data if "locale" in form else customer.locale,
        by=current_actor(),
    )
    flash(_("Guardamos tus datos."), "good")
    return redirect(url_for(".account"), 303)


def _details_page(form: DetailsForm, customer: queries.CustomerView, status: int = 200) -> ResponseReturnValue:
    return render_template("shop/customers/details.html", form=form, customer=customer), status


# --- another address to be reached by ------------------------------------------------------------------------------


@blueprint.get("/cuenta/correo")
@access("customer")
def email() -> ResponseReturnValue:
    """Which new address?"""
    return render_template("shop/customers/email.html", form=EmailForm(formdata=None))


@blueprint.post("/cuenta/correo")
@access("customer")
@limited("code", lambda: request.form.get("email"))
def ask_email_code() -> ResponseReturnValue:
    """Send a code to the new address; nothing changes before it is shown."""
    form = EmailForm()
    if not form.validate():
        return render_template("shop/customers/email.html", form=form), 422
    contact = str(form.email.data).lower()
    codes.request_code(contact, _locale(), codes.email_change(customer_id()))
    session[NEW_EMAIL] = contact
    return redirect(url_for(".email_code"), 303)


@blueprint.get("/cuenta/correo/codigo")
@access("customer")
def email_code() -> ResponseReturnValue:
    """Where the code from the new address is typed."""
    contact = session.get(NEW_EMAIL)
    if contact is None:
        return redirect(url_for(".email"), 303)
    return render_template("shop/customers/email_code.html", form=CodeForm(formdata=None), contact=contact)


@blueprint.post("/cuenta/correo/codigo")
@access("customer")
@limited("login", lambda: session.get(NEW_EMAIL), counts=failed)
def change_email() -> ResponseReturnValue:
    """Change the address and end every other log-in: it is the key of the account."""
    contact = session.get(NEW_EMAIL)
    if contact is None:
        return redirect(url_for(".email"), 303)
    form = CodeForm()
    try:
        if not form.validate():
            return render_template("shop/customers/email_code.html", form=form, contact=contact), 422
        actions.confirm_email(customer_id(), contact, form.digits, current_actor())
    except (codes.WrongCode, actions.EmailTaken) as refusal:
        form.code.errors = (str(refusal),)
        return render_template("shop/customers/email_code.html", form=form, contact=contact), refusal.status
    session.pop(NEW_EMAIL, None)
    _end_others()
    flash(_("Tu correo nuevo ya es %(email)s.", email=contact), "good")
    return redirect(url_for(".account"), 303)


# --- addresses ----------------------------------------------------------------------------------------------------


@blueprint.get("/cuenta/direcciones")
@access("customer")
def addresses() -> ResponseReturnValue:
    """The places they keep."""
    return render_template("shop/customers/addresses.html", addresses=queries.addresses_of(customer_id()))


@blueprint.get("/cuenta/direcciones/nueva")
@access("customer")
def new_address() -> ResponseReturnValue:
    """An empty form, with what is known filled in."""
    customer = queries.customer_by_id(customer_id())
    form = KeptAddressForm(formdata=None, recipient=customer.name, phone=customer.phone)
    return _address_page(form, None)


@blueprint.post("/cuenta/direcciones/nueva")
@access("customer")
def add_address() -> ResponseReturnValue:
    """Keep a new place."""
    return _save_address(None)


@blueprint.get("/cuenta/direcciones/<code>")
@access("customer")
def address(code: str) -> ResponseReturnValue:
    """One place, to be changed."""
    kept = queries.address_of(customer_id(), code)
    form = KeptAddressForm(formdata=None, label=kept.label)
    form.show(kept.address)
    return _address_page(form, code)


@blueprint.post("/cuenta/direcciones/<code>")
@access("customer")
def change_address(code: str) -> ResponseReturnValue:
    """Keep the change."""
    queries.address_of(customer_id(), code)
    return _save_address(code)


@blueprint.post("/cuenta/direcciones/<code>/borrar")
@access("customer")
def delete_address(code: str) -> ResponseReturnValue:
    """Forget a place."""
    actions.delete_address(customer_id(), code)
    flash(_("Borramos esa dirección."), "good")
    return redirect(url_for(".addresses"), 303)


def _save_address(code: str | None) -> ResponseReturnValue:
    form = KeptAddressForm()
    if not form.validate():
        return _address_page(form, code, 422)
    actions.save_address(customer_id(), form.address(), form.label.data or "", code)
    flash(_("Guardamos la dirección."), "good")
    return redirect(url_for(".addresses"), 303)


def _address_page(form: KeptAddressForm, code: str | None, status: int = 200) -> ResponseReturnValue:
    return render_template("shop/customers/address.html", form=form, code=code), status


# --- what they allow ----------------------------------------------------------------------------------------------


@blueprint.get("/cuenta/permisos")
@access("customer")
def permissions() -> ResponseReturnValue:
    """Each thing they were asked, in the words they read, with a switch."""
    decisions = consents.decisions(f"customer:{customer_id()}")
    return render_template("shop/customers/permissions.html", decisions=decisions)


@blueprint.post("/cuenta/permisos")
@access("customer")
def decide() -> ResponseReturnValue:
    """Record the answers that changed."""
    subject = f"customer:{customer_id()}"
    for decision in consents.decisions(subject):
        granted = request.form.get(decision.purpose.name) == "1"
        if granted != decision.granted or (granted and decision.text_shown != str(decision.purpose.text)):
            consents.decide(subject, decision.purpose.name, granted)
    flash(_("Guardamos tus permisos."), "good")
    return redirect(url_for(".permissions"), 303)


# --- log-ins, the file of everything, and going away ----------------------------------------------------------------


@blueprint.get("/cuenta/sesiones")
@access("customer")
def sessions() -> ResponseReturnValue:
    """Where they are logged in."""
    here = current_login()
    subject = f"customer:{customer_id()}"
    return render_template("shop/customers/sessions.html", logins=logins_of(subject), here=here.id if here else None)


@blueprint.post("/cuenta/sesiones/cerrar")
@access("customer")
def end_others() -> ResponseReturnValue:
    """End every log-in but this one."""
    _end_others()
    flash(_("Cerramos tu cuenta en los demás aparatos."), "good")
    return redirect(url_for(".sessions"), 303)


def _end_others() -> None:
    here = current_login()
    end_all_logins(f"customer:{customer_id()}", but=here.id if here else None)
    slots.call("account.others_ended", None, customer_id=customer_id())


@blueprint.get("/cuenta/mis-datos.zip")
@access("customer")
def my_data() -> ResponseReturnValue:
    """All that is kept of them, in a file."""
    return zip_answer(farewell.archive(customer_id(), current_actor(), "own_wish"))


def zip_answer(content: bytes) -> Response:
    """A file to be kept, by no cache."""
    name = f"mis-datos-{current_shop().slug}-{clock.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, mimetype="application/zip", headers=headers)


@blueprint.get("/cuenta/borrar")
@access("customer")
def ask_farewell() -> ResponseReturnValue:
    """Say what erasing means before asking for it."""
    return render_template("shop/customers/farewell.html")


@blueprint.post("/cuenta/borrar")
@access("customer")
def say_farewell() -> ResponseReturnValue:
    """Erase, and log out everywhere."""
    farewell.forget(customer_id(), current_actor(), "own_wish")
    session.clear()
    flash(_("Borramos tu cuenta y tus datos de esta tienda."), "good")
    return redirect("/", 303)


@blueprint.get("/privacidad")
@access("public")
def privacy() -> ResponseReturnValue:
    """What the shop keeps, for how long, and how to have it or be rid of it."""
    return render_template("shop/customers/privacy.html")


# --- from an order to an account ----------------------------------------------------------------------------------


def keep_details(order: Any) -> Markup:
    """The offer, on a guest's order, to keep what they typed: one tap when they left an address."""
    if order.customer_id is not None or current_actor().kind == "customer":
        return Markup()
    offer = render_template("shop/customers/_keep_details.html", order=order)
    return Markup(offer)  # noqa: S704 (our own template, autoescaped)


SLOTS: dict[str, Callable[..., Any]] = {"order.keep_details": keep_details}
