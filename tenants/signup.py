"""Opening a shop: one short form on the bare domain, then straight in at the dashboard."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from storefront.kernel.access import access
from storefront.kernel.faces import APP, face_url
from storefront.kernel.limits import limited
from tenants.actions import NewShop, Opened, open_shop
from tenants.contacts import Contact
from tenants.forms import ShopForm, refuse
from tenants.links import make_link
from tenants.models import LinkPurpose
from tenants.naming import NameNotAllowed, SlugTaken
from tenants.passwords import WeakPassword
from tenants.people import Credentials, NotYou

blueprint = Blueprint("signup", __name__)

_TRIED = "signup_tried"


def _was_tried(_response: Response) -> bool:
    """Mistakes in the form are nobody's attempt at an account; opening a shop or missing a password is."""
    return bool(g.get(_TRIED))


def _page(form: ShopForm, status: int = 200, refusal: str | None = None) -> ResponseReturnValue:
    return render_template("platform/sign_up.html", form=form, refusal=refusal), status


@blueprint.get("/abrir")
@access("public")
def ask_shop() -> ResponseReturnValue:
    """The form."""
    return _page(ShopForm(formdata=None))


@blueprint.post("/abrir")
@access("public")
@limited("signup", account=lambda: request.form.get("contact"), counts=_was_tried)
def open_new_shop() -> ResponseReturnValue:
    """Open it and hand the owner over to the dashboard with a link that works once."""
    form = ShopForm()
    if not form.validate():
        return _page(form, 422)
    try:
        opened = _open(form)
    except NameNotAllowed as error:
        refuse(form.slug if form.slug.data else form.name, error)
        return _page(form, 422)
    except SlugTaken as error:
        form.slug.raw_data, form.slug.data = None, error.suggestion
        refuse(form.slug, error)
        return _page(form, 422)
    except WeakPassword as error:
        refuse(form.password, error)
        return _page(form, 422)
    except NotYou as error:
        g.setdefault(_TRIED, True)
        return _page(form, 422, str(error))
    g.setdefault(_TRIED, True)
    token = make_link(LinkPurpose.HANDOVER, opened.staff_id, shop_id=opened.shop.id)
    return redirect(face_url(APP, f"/entrar/con?token={token}"), 303)


def _open(form: ShopForm) -> Opened:
    contact: Contact = form.contact.data
    name = form.name.data or ""
    new = NewShop(
        name=name,
        slug=form.slug.data or "",
        country=form.country.data,
        phone=contact.phone or "",
        email=contact.email or "",
    )
    return open_shop(new, Credentials(contact, form.password.data or "", name))
