"""The operators' console. To everybody else it does not exist; to operators it opens once they say what they look for.

The reason is asked once for each session and written down with every page; what changes something asks for its own.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import DataRequired, Length

from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.forms import Form
from storefront.kernel.http import requested_page
from storefront.kernel.limits import failed, limited
from storefront.kernel.sessions import end_login, start_login
from storefront.kernel.tenancy import Scope
from storefront.payments.methods import METHODS
from tenants import actions
from tenants.identity import REASON_KEY, current_person
from tenants.models import ShopStatus, Tenant
from tenants.platform import queries
from tenants.platform.actions import (
    authenticate_operator,
    checked_reason,
    drop_letter,
    note_look,
    retry_letter,
)
from tenants.resolution import enter_scope

blueprint = Blueprint("console", __name__)

DOORS = frozenset(f"console.{name}" for name in ("ask_log_in", "log_in", "log_out", "ask_reason", "set_reason"))
"""What works before a reason was given."""


class OperatorForm(Form):
    """An operator's address and password."""

    email = EmailField(_l("Correo"), [DataRequired()], render_kw={"autocomplete": "username"})
    password = PasswordField(_l("Contraseña"), [DataRequired()], render_kw={"autocomplete": "current-password"})


class ReasonForm(Form):
    """Why."""

    reason = StringField(
        _l("¿Para qué entras?"),
        [DataRequired(_l("Escribe la razón.")), Length(min=5, max=300, message=_l("Escríbela con unas palabras."))],
        description=_l("Queda anotada con cada página que abras."),
    )


@blueprint.before_request
def _write_down() -> ResponseReturnValue | None:
    """No page without a reason, none without a trace; then look across shops for the rest of the request."""
    if request.endpoint in DOORS:
        return None
    reason = session.get(REASON_KEY)
    if not reason:
        return redirect(url_for(".ask_reason"), 303)
    enter_scope(Scope(every_shop_because=str(reason)))
    path = f"{request.method} {request.full_path.rstrip('?')}"
    note_look(current_actor(), str(reason), path, _shop_id((request.view_args or {}).get("slug")))
    return None


def _shop_id(slug: str | None) -> int | None:
    return db.session.scalar(db.select(Tenant.id).where(Tenant.slug == slug)) if slug else None


def _needed_shop_id(slug: str) -> int:
    found = _shop_id(slug)
    if found is None:
        raise NotFound
    return found


# --- in and out -----------------------------------------------------------------------------------------------------


@blueprint.get("/consola/entrar")
@access("public")
def ask_log_in() -> ResponseReturnValue:
    """The form."""
    return render_template("platform/console/log_in.html", form=OperatorForm(formdata=None))


@blueprint.post("/consola/entrar")
@access("public")
@limited("login", account=lambda: request.form.get("email"), counts=failed)
def log_in() -> ResponseReturnValue:
    """Compare and begin; then ask for the reason."""
    form = OperatorForm()
    known = authenticate_operator(form.email.data or "", form.password.data or "") if form.validate() else None
    if known is None:
        return render_template("platform/console/log_in.html", form=form, wrong=not form.errors), 422
    start_login(f"operator:{known.id}", known.epoch)
    return redirect(url_for(".ask_reason"), 303)


@blueprint.post("/consola/salir")
@access("operator")
def log_out() -> ResponseReturnValue:
    """End the session."""
    end_login()
    session.clear()
    return redirect("/", 303)


@blueprint.get("/consola/motivo")
@access("operator")
def ask_reason() -> ResponseReturnValue:
    """Why are you here?"""
    form = ReasonForm(formdata=None, data={"reason": session.get(REASON_KEY, "")})
    return render_template("platform/console/reason.html", form=form)


@blueprint.post("/consola/motivo")
@access("operator")
def set_reason() -> ResponseReturnValue:
    """Keep the answer for this session."""
    form = ReasonForm()
    if not form.validate():
        return render_template("platform/console/reason.html", form=form), 422
    session[REASON_KEY] = checked_reason(form.reason.data or "")
    return redirect(url_for(".shops"), 303)


# --- shops ----------------------------------------------------------------------------------------------------------


@blueprint.get("/consola")
@access("operator")
def shops() -> ResponseReturnValue:
    """Every shop, by name or status."""
    search, status = request.args.get("q", "").strip()[:60], request.args.get("estado", "")
    page = queries.shop_lines(search, status, requested_page())
    return render_template(
        "platform/console/shops.html", page=page, search=search, status=status, statuses=list(ShopStatus)
    )


@blueprint.get("/consola/tiendas/<slug>")
@access("operator")
def shop_file(slug: str) -> ResponseReturnValue:
    """One shop: facts and counts."""
    file = queries.shop_file(slug)
    names = ", ".join(str(METHODS[code].label) for code in file.payment_methods if code in METHODS)
    return render_template("platform/console/shop.html", file=file, method_names=names)


@blueprint.post("/consola/tiendas/<slug>/suspension")
@access("operator")
def suspend(slug: str) -> ResponseReturnValue:
    """Close a shop to everybody, for a reason its owner reads."""
    reason, shop_id = checked_reason(request.form.get("reason", "")), _needed_shop_id(slug)
    actions.suspend(shop_id, reason, _by())
    flash(_("La tienda quedó suspendida."), "good")
    return redirect(url_for(".shop_file", slug=slug), 303)


@blueprint.post("/consola/tiendas/<slug>/reanudacion")
@access("operator")
def resume(slug: str) -> ResponseReturnValue:
    """End the suspension."""
    reason, shop_id = checked_reason(request.form.get("reason", "")), _needed_shop_id(slug)
    actions.resume(shop_id, reason, _by())
    flash(_("La tienda vuelve a estar como antes."), "good")
    return redirect(url_for(".shop_file", slug=slug), 303)


def _by() -> Actor:
    person = current_person()
    if person is None:
        raise NotFound
    return person.actor


# --- the machinery --------------------------------------------------------------------------------------------------


@blueprint.get("/consola/trabajos")
@access("operator")
def letters() -> ResponseReturnValue:
    """Jobs that gave up, or what waits."""
    dead = request.args.get("ver", "muertos") != "espera"
    page = queries.letters(requested_page(), dead=dead)
    return render_template("platform/console/letters.html", page=page, dead=dead)


@blueprint.post("/consola/trabajos/<slug>/<int:letter>")
@access("operator")
def change_letter(slug: str, letter: int) -> ResponseReturnValue:
    """Send a dead letter again, or give it up."""
    reason, shop_id = checked_reason(request.form.get("reason", "")), _needed_shop_id(slug)
    if request.form.get("do") == "drop":
        drop_letter(shop_id, letter, reason, _by())
        flash(_("Ese trabajo queda descartado."), "good")
    else:
        retry_letter(shop_id, letter, reason, _by())
        flash(_("Ese trabajo se intentará de nuevo."), "good")
    return redirect(url_for(".letters"), 303)


@blueprint.get("/consola/avisos")
@access("operator")
def webhooks() -> ResponseReturnValue:
    """News of payment providers that wait, and those that nobody could follow."""
    return render_template(
        "platform/console/webhooks.html",
        rows=queries.webhook_backlog(),
        page=queries.notices_given_up(requested_page()),
        differing=queries.shops_that_differ(),
    )


@blueprint.get("/consola/accesos")
@access("operator")
def access_log() -> ResponseReturnValue:
    """What operators looked at."""
    return render_template("platform/console/access.html", page=queries.access_log(requested_page()))
