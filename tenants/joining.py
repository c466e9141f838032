"""Behind an invitation's link: whoever opens it joins the team, with the account they have or with a new one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel.access import access
from storefront.kernel.limits import failed, limited
from storefront.kernel.tenancy import acting_for
from tenants.accounts import HOME, begin_session
from tenants.forms import JoinForm, refuse
from tenants.identity import SHOP_KEY, current_person
from tenants.passwords import WeakPassword
from tenants.people import Credentials, NotYou, epoch_of
from tenants.permissions import ROLE_HELP, ROLE_NAMES
from tenants.team import Offer, accept, accept_as, offer_of, shop_of_invitation

blueprint = Blueprint("joining", __name__)


def _offer(token: str) -> Offer:
    with acting_for(shop_of_invitation(token)):
        return offer_of(token)


def _page(offer: Offer, token: str, form: JoinForm | None, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "dashboard/account/invitation.html", offer=offer, token=token, form=form, person=current_person(),
        role=ROLE_NAMES[offer.role], role_help=ROLE_HELP[offer.role],
    )  # fmt: skip
    return page, status


@blueprint.get("/invitacion/<token>")
@access("public")
def show(token: str) -> ResponseReturnValue:
    """What is offered, and how to take it."""
    offer = _offer(token)
    return _page(offer, token, None if current_person() else JoinForm(formdata=None, data={"name": offer.name}))


@blueprint.post("/invitacion/<token>")
@access("public")
@limited("login", account=lambda: request.form.get("contact"), counts=failed)
def take(token: str) -> ResponseReturnValue:
    """Join. The link is used up with it."""
    offer, person = _offer(token), current_person()
    if person is not None:
        with acting_for(offer.shop):
            accept_as(token, person.number)
        return _welcome(person.number, offer, logged_in=True)
    form = JoinForm(formdata=None)
    form.contact.country = offer.shop.country
    form.process(request.form)  # type: ignore[no-untyped-call]  # wtforms is not annotated
    if not form.validate():
        return _page(offer, token, form, 422)
    who = Credentials(form.contact.data, form.password.data or "", form.name.data or "")
    try:
        with acting_for(offer.shop):
            staff_id = accept(token, who)
    except (NotYou, WeakPassword) as error:
        refuse(form.password, error)
        return _page(offer, token, form, 422)
    return _welcome(staff_id, offer, logged_in=False)


def _welcome(staff_id: int, offer: Offer, *, logged_in: bool) -> ResponseReturnValue:
    if logged_in:
        session[SHOP_KEY] = offer.shop.id
    else:
        begin_session(staff_id, epoch_of(staff_id), offer.shop.id)
    flash(_("Ya eres parte de %(shop)s.", shop=offer.shop.name), "good")
    return redirect(HOME, 303)
