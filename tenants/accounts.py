"""Staff at the dashboard's door: in and out, forgotten passwords, which shop, and one's own account."""

from __future__ import annotations

import hashlib

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.kernel.access import access
from storefront.kernel.addresses import safe_next
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.limits import failed, limited
from storefront.kernel.sessions import Login, current_login, end_all_logins, end_login, logins_of, start_login
from storefront.kernel.tenancy import directory
from tenants import people
from tenants.forms import EmailForm, ForgottenForm, LogInForm, NameForm, PasswordForm, ResetForm, refuse
from tenants.identity import NEXT_KEY, SHOP_KEY, Person, current_person, memberships_of
from tenants.links import LinkSpent, claim_link, is_good
from tenants.models import LinkPurpose
from tenants.passwords import WeakPassword, unhurried
from tenants.permissions import ROLE_NAMES
from tenants.queries import shop_names

blueprint = Blueprint("accounts", __name__)

HOME = "/hoy"
WRONG = _l("El contacto o la contraseña no coinciden. Revisa los dos.")


def begin_session(staff_id: int, epoch: int, shop_id: int | None = None) -> None:
    """Log a person in on this face and put them in a shop, or in their first one."""
    start_login(f"staff:{staff_id}", epoch)
    if shop_id is not None:
        session[SHOP_KEY] = shop_id


def me() -> Person:
    """The member of staff who asks; for views whose policy has let them in."""
    person = current_person()
    if person is None:
        raise NotFound
    return person


# --- in and out -----------------------------------------------------------------------------------------------------


@blueprint.get("/")
@access("public")
def root() -> ResponseReturnValue:
    """Whoever types the bare address wants to work."""
    return redirect(HOME, 303)


@blueprint.get("/entrar")
@access("public")
def ask_log_in() -> ResponseReturnValue:
    """The form; those who are in already go on."""
    target = safe_next(request.args.get("next"), "")
    if current_person() is not None:
        return redirect(target or HOME, 303)
    if target:
        session[NEXT_KEY] = target
    return render_template("dashboard/account/log_in.html", form=LogInForm(formdata=None))


@blueprint.post("/entrar")
@access("public")
@limited("login", account=lambda: request.form.get("contact"), counts=failed)
def log_in() -> ResponseReturnValue:
    """Compare and begin a session; a refusal says nothing about which of the two was wrong."""
    form = LogInForm()
    known = people.authenticate(form.contact.data or "", form.password.data or "") if form.validate() else None
    if known is None:
        message = None if form.errors else WRONG
        return render_template("dashboard/account/log_in.html", form=form, wrong=message), 422
    target = safe_next(session.get(NEXT_KEY), HOME)
    begin_session(known.id, known.epoch)
    several = len(memberships_of(known.id)) > 1 and target == HOME
    return redirect(url_for(".shops") if several else target, 303)


@blueprint.get("/entrar/con")
@access("public")
def log_in_with() -> ResponseReturnValue:
    """Straight in after opening a shop: a link that works once, within a minute."""
    try:
        claim = claim_link(LinkPurpose.HANDOVER, request.args.get("token", ""))
    except LinkSpent:
        flash(_("Entra con tu contacto y tu contraseña."), "info")
        return redirect(url_for(".ask_log_in"), 303)
    begin_session(claim.staff_id, claim.epoch, claim.shop_id)
    return redirect(HOME, 303)


@blueprint.post("/salir")
@access("public")
def log_out() -> ResponseReturnValue:
    """End this session, here and in the database."""
    end_login()
    session.clear()
    return redirect(url_for(".ask_log_in"), 303)


# --- forgotten passwords --------------------------------------------------------------------------------------------


@blueprint.get("/entrar/olvide")
@access("public")
def ask_forgotten() -> ResponseReturnValue:
    """Whose password it is."""
    return render_template("dashboard/account/forgotten.html", form=ForgottenForm(formdata=None), sent=False)


@blueprint.post("/entrar/olvide")
@access("public")
@limited("code", account=lambda: request.form.get("contact"))
def forgotten() -> ResponseReturnValue:
    """Send a link if there is anybody to send it to; the answer is the same if not, and takes as long."""
    form = ForgottenForm()
    if not form.validate():
        return render_template("dashboard/account/forgotten.html", form=form, sent=False), 422
    with unhurried():
        people.ask_reset(form.contact.data or "")
    return render_template("dashboard/account/forgotten.html", form=form, sent=True)


@blueprint.get("/entrar/clave/<token>")
@access("public")
def ask_new_password(token: str) -> ResponseReturnValue:
    """The form behind the mailed link."""
    if not is_good(LinkPurpose.RESET, token):
        raise LinkSpent
    return render_template("dashboard/account/reset.html", form=ResetForm(formdata=None))


@blueprint.post("/entrar/clave/<token>")
@access("public")
@limited("code")
def set_new_password(token: str) -> ResponseReturnValue:
    """Set it, end every session, and begin one here."""
    form = ResetForm()
    if form.validate():
        try:
            known = people.reset_password(token, form.password.data or "")
        except WeakPassword as error:
            refuse(form.password, error)
        else:
            begin_session(known.id, known.epoch)
            flash(_("Listo: tu contraseña es nueva y cerramos tus otras sesiones."), "good")
            return redirect(HOME, 303)
    return render_template("dashboard/account/reset.html", form=form), 422


# --- which shop -----------------------------------------------------------------------------------------------------


@blueprint.get("/tiendas")
@access("staff")
def shops() -> ResponseReturnValue:
    """The shops this person works in."""
    person = me()
    found = shop_names([shop_id for shop_id, _role in person.shops])
    roles = {found[shop_id].slug: ROLE_NAMES[role] for shop_id, role in person.shops if shop_id in found}
    return render_template("dashboard/account/shops.html", shops=list(found.values()), roles=roles)


@blueprint.post("/tiendas")
@access("staff")
def choose_shop() -> ResponseReturnValue:
    """Work in another shop from now on; one that is not theirs is as good as none."""
    person = me()
    wanted = request.form.get("shop", "")
    found = shop_names([shop_id for shop_id, _role in person.shops])
    chosen = next((shop_id for shop_id, shop in found.items() if shop.slug == wanted), None)
    if chosen is None or directory().by_id(chosen) is None:
        raise NotFound
    session[SHOP_KEY] = chosen
    return redirect(HOME, 303)


# --- one's own account ----------------------------------------------------------------------------------------------


def _mark(login: Login) -> str:
    """What names a session on the page without its number."""
    return hashlib.sha256(f"{login.id}:{login.created_at.isoformat()}".encode()).hexdigest()[:16]


def _account_page(status: int = 200, **forms: object) -> ResponseReturnValue:
    person, here = me(), current_login()
    profile = people.profile_of(person.number)
    given = {
        "name_form": NameForm(formdata=None, data={"name": profile.name}),
        "password_form": PasswordForm(formdata=None),
        "email_form": EmailForm(formdata=None),
        **forms,
    }
    logins = [(_mark(login), login, here is not None and login.id == here.id) for login in logins_of(person.get_id())]
    page = render_template("dashboard/account/index.html", profile=profile, logins=logins, **given)
    return page, status


@blueprint.get("/mi-cuenta")
@access("staff")
def account() -> ResponseReturnValue:
    """Name, contact, password, open sessions."""
    return _account_page()


@blueprint.post("/mi-cuenta/nombre")
@access("staff")
def rename() -> ResponseReturnValue:
    """Go by another name."""
    form = NameForm()
    if not form.validate():
        return _account_page(422, name_form=form)
    people.rename(me().number, form.name.data or "")
    flash(_("Guardamos tu nombre."), "good")
    return redirect(url_for(".account"), 303)


@blueprint.post("/mi-cuenta/clave")
@access("staff")
@limited("login", account=lambda: me().get_id(), counts=failed)
def change_password() -> ResponseReturnValue:
    """A new password; every other session ends."""
    form, person = PasswordForm(), me()
    if not form.validate():
        return _account_page(422, password_form=form)
    shop_id = session.get(SHOP_KEY)
    try:
        epoch = people.change_password(person.number, form.old.data or "", form.new.data or "")
    except people.WrongPassword as error:
        refuse(form.old, error)
        return _account_page(422, password_form=form)
    except WeakPassword as error:
        refuse(form.new, error)
        return _account_page(422, password_form=form)
    begin_session(person.number, epoch, shop_id)
    flash(_("Cambiaste tu contraseña y cerramos tus otras sesiones."), "good")
    return redirect(url_for(".account"), 303)


@blueprint.post("/mi-cuenta/correo")
@access("staff")
@limited("code", account=lambda: me().get_id())
def change_email() -> ResponseReturnValue:
    """Send a link to the new address; it counts once the link was opened."""
    form = EmailForm()
    if not form.validate():
        return _account_page(422, email_form=form)
    try:
        people.ask_email_change(me().number, str(form.email.data), form.email_password.data or "")
    except people.WrongPassword as error:
        refuse(form.email_password, error)
        return _account_page(422, email_form=form)
    flash(_("Te enviamos un correo a %(email)s. Ábrelo para confirmar que es tuyo.", email=form.email.data), "good")
    return redirect(url_for(".account"), 303)


@blueprint.get("/mi-cuenta/correo/<token>")
@access("public")
def ask_confirm_email(token: str) -> ResponseReturnValue:
    """One tap, so that a mail program that opens links by itself confirms nothing."""
    if not is_good(LinkPurpose.EMAIL, token):
        raise LinkSpent
    return render_template("dashboard/account/confirm_email.html", token=token)


@blueprint.post("/mi-cuenta/correo/<token>")
@access("public")
def confirm_email(token: str) -> ResponseReturnValue:
    """The address is theirs from now on."""
    try:
        people.confirm_email(token)
    except people.NotYou:
        raise Refusal(_("Con ese correo ya entra otra cuenta. Usa otro correo.")) from None
    flash(_("Listo: ya puedes entrar con ese correo."), "good")
    return redirect(url_for(".account"), 303)


@blueprint.post("/mi-cuenta/sesiones")
@access("staff")
def end_session() -> ResponseReturnValue:
    """End one session, or all but this one."""
    subject, here, wanted = me().get_id(), current_login(), request.form.get("session", "")
    if wanted == "others":
        end_all_logins(subject, but=here.id if here else None)
        flash(_("Cerramos tus otras sesiones."), "good")
        return redirect(url_for(".account"), 303)
    chosen = next((login for login in logins_of(subject) if _mark(login) == wanted), None)
    if chosen is None:
        raise NotFound
    end_all_logins(subject, only=chosen.id)
    flash(_("Cerramos esa sesión."), "good")
    return redirect(url_for(".account"), 303)
