"""A shop that closes, is closed, or was suspended: the one page its staff still reach, and the way back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel.access import access, current_actor
from storefront.kernel.tenancy import current_shop
from tenants.actions import close_shop, reopen_shop
from tenants.dashboard.settings_forms import CloseForm
from tenants.forms import refuse
from tenants.identity import current_person, is_open
from tenants.permissions import NotAllowed
from tenants.queries import suspension_reason

blueprint = Blueprint("desk_closing", __name__)


def _page(form: CloseForm, status: int = 200) -> ResponseReturnValue:
    reason = None if is_open(current_shop()) else suspension_reason()
    return render_template("dashboard/settings/closing.html", form=form, reason=reason), status


@blueprint.get("/ajustes/cierre")
@access("staff")
def show() -> ResponseReturnValue:
    """How to close an open shop; what became of one that is not."""
    person = current_person()
    if is_open(current_shop()) and not (person and person.may("settings:write")):
        raise NotAllowed
    return _page(CloseForm(formdata=None))


@blueprint.post("/ajustes/cierre")
@access("staff", "settings:write")
def close() -> ResponseReturnValue:
    """Close it, for whoever writes its name."""
    form = CloseForm()
    if not form.validate():
        return _page(form, 422)
    if (form.name.data or "").casefold() != current_shop().name.casefold():
        refuse(form.name, _("Ese no es el nombre de tu tienda. No cerramos nada."))
        return _page(form, 422)
    close_shop(current_actor())
    flash(_("Tu tienda está cerrada. Todo queda guardado."), "good")
    return redirect(url_for(".show"), 303)


@blueprint.post("/ajustes/reapertura")
@access("staff", "settings:write")
def reopen() -> ResponseReturnValue:
    """Back as a draft."""
    reopen_shop(current_actor())
    flash(_("Tu tienda volvió. Ábrela a todo el mundo cuando quieras."), "good")
    return redirect(url_for("desk_settings.publication"), 303)
