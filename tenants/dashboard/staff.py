"""The team: who is on it, who is invited, and with which role."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound
from storefront.kernel.making import made_once, mark_of
from tenants.dashboard.settings_forms import InvitationForm, RoleForm
from tenants.models import Role
from tenants.permissions import ROLE_HELP, ROLE_NAMES
from tenants.queries import Member, open_invitations, team
from tenants.team import change_role, invitation_url, invite, remove_member, withdraw

blueprint = Blueprint("desk_staff", __name__)

DETAILS = {role.value: {"help": ROLE_HELP[role]} for role in Role}


def _page(form: InvitationForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "dashboard/staff/index.html",
        members=team(),
        invitations=open_invitations(),
        form=form,
        role_names=ROLE_NAMES,
        details=DETAILS,
    )
    return page, status


def _member(code: str) -> Member:
    found = next((member for member in team() if member.code == code), None)
    if found is None:
        raise NotFound
    return found


@blueprint.get("/equipo")
@access("staff", "staff:write")
def index() -> ResponseReturnValue:
    """Everybody on the team."""
    return _page(InvitationForm(formdata=None))


@blueprint.post("/equipo")
@access("staff", "staff:write")
def make_invitation() -> ResponseReturnValue:
    """A link for somebody new; the only page that ever shows it."""
    form = InvitationForm()
    if not form.validate():
        return _page(form, 422)
    name, role = form.name.data or "", Role(form.role.data)
    mark = mark_of(form.key.data, "invitation")
    made_once(mark, current_actor(), lambda: invite(name, role, current_actor(), mark))
    url = invitation_url(mark)
    return render_template("dashboard/staff/invitation.html", url=url, name=name, role=ROLE_NAMES[role])


@blueprint.post("/equipo/invitaciones/<code>/borrar")
@access("staff", "staff:write")
def withdraw_invitation(code: str) -> ResponseReturnValue:
    """Make the link worthless."""
    withdraw(code, current_actor())
    flash(_("Ese enlace ya no sirve."), "good")
    return redirect(url_for(".index"), 303)


@blueprint.get("/equipo/<code>")
@access("staff", "staff:write")
def show(code: str) -> ResponseReturnValue:
    """One person: their role, and leaving."""
    member = _member(code)
    form = RoleForm(formdata=None, data={"role": member.role.value})
    return render_template("dashboard/staff/show.html", member=member, form=form, details=DETAILS)


@blueprint.post("/equipo/<code>")
@access("staff", "staff:write")
def give_role(code: str) -> ResponseReturnValue:
    """Another role."""
    member, form = _member(code), RoleForm()
    if not form.validate():
        return render_template("dashboard/staff/show.html", member=member, form=form, details=DETAILS), 422
    change_role(code, Role(form.role.data), current_actor())
    flash(_("Cambiaste lo que hace %(name)s.", name=member.name), "good")
    return redirect(url_for(".index"), 303)


@blueprint.get("/equipo/<code>/salida")
@access("staff", "staff:write")
def ask_removal(code: str) -> ResponseReturnValue:
    """Asks first."""
    return render_template("dashboard/staff/remove.html", member=_member(code))


@blueprint.post("/equipo/<code>/salida")
@access("staff", "staff:write")
def remove(code: str) -> ResponseReturnValue:
    """Off this shop's team; their account stays."""
    member = _member(code)
    remove_member(code, current_actor())
    flash(_("%(name)s ya no puede entrar a esta tienda.", name=member.name), "good")
    return redirect(url_for(".index"), 303)
