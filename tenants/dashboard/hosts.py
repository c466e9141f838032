"""The shop's own host names: what to write at the registrar, and whether it is seen yet."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.limits import limited
from storefront.kernel.tenancy import current_shop
from tenants.dashboard.settings_forms import HostForm
from tenants.directory import the_directory
from tenants.domains import add_host, make_primary, record_name, remove_host, verify_host
from tenants.forms import refuse
from tenants.queries import hosts

blueprint = Blueprint("desk_hosts", __name__)


def _page(form: HostForm, status: int = 200) -> ResponseReturnValue:
    rows = hosts()
    page = render_template(
        "dashboard/domains/index.html",
        form=form,
        hosts=rows,
        record_names={row.host: record_name(row.host) for row in rows},
        own=f"{current_shop().slug}.{the_directory().base_domain}",
    )
    return page, status


@blueprint.get("/ajustes/dominio")
@access("staff", "settings:write")
def index() -> ResponseReturnValue:
    """The names the shop has, and what is missing for the others."""
    return _page(HostForm(formdata=None))


@blueprint.post("/ajustes/dominio")
@access("staff", "settings:write")
def add() -> ResponseReturnValue:
    """Want another name."""
    form = HostForm()
    if form.validate():
        try:
            add_host(form.host.data or "", current_actor())
        except Refusal as error:
            refuse(form.host, error)
        else:
            flash(_("Ahora escribe estos dos registros donde compraste tu dominio."), "good")
            return redirect(url_for(".index"), 303)
    return _page(form, 422)


@blueprint.post("/ajustes/dominio/<host>/comprobacion")
@access("staff", "settings:write")
@limited("code")
def verify(host: str) -> ResponseReturnValue:
    """Look for the record now."""
    verify_host(host, current_actor())
    flash(_("%(host)s ya es de tu tienda.", host=host), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/ajustes/dominio/<host>/principal")
@access("staff", "settings:write")
def choose(host: str) -> ResponseReturnValue:
    """Let links lead to this name, or back to the address under the platform."""
    own = f"{current_shop().slug}.{the_directory().base_domain}"
    make_primary(None if host == own else host, current_actor())
    flash(_("Desde ahora tus enlaces llevan a %(host)s.", host=host), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/ajustes/dominio/<host>/baja")
@access("staff", "settings:write")
def remove(host: str) -> ResponseReturnValue:
    """Give a name up."""
    remove_host(host, current_actor())
    flash(_("Quitamos %(host)s.", host=host), "good")
    return redirect(url_for(".index"), 303)
