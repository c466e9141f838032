"""Setting up what can be reserved: places with their hours and closed days, and the products reserved in them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.errors import Invalid, NotFound, Refusal
from storefront.kernel.filters import day_month
from storefront.kernel.making import made_once, mark_of
from storefront.kernel.tenancy import current_shop
from storefront.reservations import queries, setup
from storefront.reservations.forms import any_day
from storefront.reservations.picker import today
from storefront.reservations.queries import ResourceView, ServiceProduct
from tenants.dashboard.opening_words import hours_from_words
from tenants.dashboard.reservation_forms import (
    USUAL_HOURS,
    ClosureForm,
    PlaceForm,
    ServiceForm,
    hours_shown,
    unchanged_kept,
)

blueprint = Blueprint("places", __name__)


@blueprint.get("/reservas/lugares")
@access("staff", "bookings:read")
def index() -> ResponseReturnValue:
    """Every place, and every service with where it is reserved."""
    return render_template(
        "dashboard/reservations/places.html", resources=queries.resources(), products=queries.service_products()
    )


# --- places -------------------------------------------------------------------------------------------------------


@blueprint.get("/reservas/lugares/nuevo")
@access("staff", "catalogue:write")
def new() -> ResponseReturnValue:
    """A place, open when the shop is; the first one goes by the shop's name."""
    shop = current_shop()
    name = "" if queries.resources() else shop.name
    hours = hours_from_words(shop.hours) or USUAL_HOURS
    return _place_page(None, PlaceForm(formdata=None, data={"name": name, **hours_shown(hours)}), 200)


@blueprint.post("/reservas/lugares/nuevo")
@access("staff", "catalogue:write")
def create() -> ResponseReturnValue:
    """Keep it, and go on to what is reserved in it."""
    form = PlaceForm()
    return _save(
        None,
        form,
        lambda: made_once(mark_of(form.key.data, "place"), current_actor(), lambda: _create(form)),
        towards=request.args.get("servicio"),
    )


def _create(form: PlaceForm) -> str:
    return setup.create_resource(str(form.name.data), int(form.capacity.data or 0), form.hours, current_actor()).code


@blueprint.get("/reservas/lugares/<code>")
@access("staff", "bookings:read")
def edit(code: str) -> ResponseReturnValue:
    """A place as it is."""
    resource = queries.resource_by_code(code)
    data = {"name": resource.name, "capacity": resource.capacity, **hours_shown(resource.hours)}
    return _place_page(resource, PlaceForm(formdata=None, data=data), 200)


@blueprint.post("/reservas/lugares/<code>")
@access("staff", "catalogue:write")
def change(code: str) -> ResponseReturnValue:
    """Keep the changes; reservations already made stay."""
    resource = queries.resource_by_code(code)
    form = PlaceForm()
    return _save(
        resource,
        form,
        lambda: setup.change_resource(
            code,
            name=str(form.name.data),
            capacity=int(form.capacity.data or 0),
            hours=unchanged_kept(form.hours, resource.hours),
            by=current_actor(),
        ),
    )


def _save(
    resource: ResourceView | None, form: PlaceForm, keep: Callable[[], object], towards: str | None = None
) -> ResponseReturnValue:
    """Keep a place; then on `towards` the service for whose sake it was made, or to the list."""
    if not form.validate():
        return _place_page(resource, form, 422)
    try:
        keep()
    except NotFound:
        raise
    except Refusal as refusal:
        flash(str(refusal), "care")
        return _place_page(resource, form, 422)
    flash(_("Guardamos «%(name)s».", name=form.name.data), "good")
    if towards and any(one.code == towards for one in queries.service_products()):
        return redirect(url_for(".service", code=towards), 303)
    return redirect(url_for(".index"), 303)


def _place_page(resource: ResourceView | None, form: PlaceForm, status: int) -> ResponseReturnValue:
    feed = f"{current_shop().base_url}/agenda/{resource.feed_token}.ics" if resource else None
    return (
        render_template(
            "dashboard/reservations/place.html",
            resource=resource,
            is_first=resource is None and not queries.resources(),
            form=form,
            closure=ClosureForm(formdata=None),
            feed=feed,
            today=today(),
        ),
        status,
    )


@blueprint.post("/reservas/lugares/<code>/pausa")
@access("staff", "catalogue:write")
def pause(code: str) -> ResponseReturnValue:
    """Take no new reservations there, or take them again."""
    active = request.form.get("active") == "1"
    setup.set_active(code, current_actor(), active=active)
    flash(_("Se puede reservar de nuevo.") if active else _("Ya no se reserva ahí. Lo reservado se queda."), "good")
    return redirect(url_for(".edit", code=code), 303)


@blueprint.post("/reservas/lugares/<code>/enlace")
@access("staff", "catalogue:write")
def renew(code: str) -> ResponseReturnValue:
    """Whoever had the address of the calendar has it no more."""
    setup.renew_feed(code, current_actor())
    flash(_("El enlace anterior dejó de funcionar. Copia el nuevo."), "good")
    return redirect(url_for(".edit", code=code), 303)


# --- closed days --------------------------------------------------------------------------------------------------


@blueprint.post("/reservas/lugares/<code>/cierres")
@access("staff", "bookings:write")
def close(code: str) -> ResponseReturnValue:
    """No new reservations on one day."""
    form = ClosureForm()
    if not form.validate() or form.day.data is None:
        raise Invalid(_("Elige el día que cierras."))
    if form.day.data < today():
        raise Invalid(_("Ese día ya pasó. Elige otro."))
    setup.close_day(code, form.day.data, form.reason.data or "", current_actor())
    said = _("Cerraste el %(day)s. Lo que ya estaba reservado se queda: revísalo.", day=day_month(form.day.data))
    undo = url_for(".open_again", code=code, dia=form.day.data)
    flash({"text": said, "undo": undo}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back
    return redirect(safe_referrer() or url_for(".edit", code=code), 303)


@blueprint.post("/reservas/lugares/<code>/cierres/quitar")
@access("staff", "bookings:write")
def open_again(code: str) -> ResponseReturnValue:
    """Take reservations again on that day."""
    day = any_day(request.values.get("dia"))
    if day is None:
        raise NotFound
    setup.open_day(code, day, current_actor())
    flash(_("El %(day)s vuelve a recibir reservas.", day=day_month(day)), "good")
    return redirect(safe_referrer() or url_for(".edit", code=code), 303)


# --- products -----------------------------------------------------------------------------------------------------


@blueprint.get("/reservas/servicios/<code>")
@access("staff", "catalogue:write")
def service(code: str) -> ResponseReturnValue:
    """How a product is reserved."""
    product = _product(code)
    form = ServiceForm(formdata=None, data=_settings_of(product))
    return _service_page(product, form, 200)


@blueprint.post("/reservas/servicios/<code>")
@access("staff", "catalogue:write")
def save_service(code: str) -> ResponseReturnValue:
    """Let it be reserved like this."""
    product = _product(code)
    form = ServiceForm()
    resources = _offer_places(form)
    if not form.validate():
        return _service_page(product, form, 422)
    try:
        chosen = next(one for one in resources if one.code == form.place.data)
        setup.make_bookable(product.id, chosen.id, form.settings, current_actor())
    except Invalid as refusal:
        flash(str(refusal), "care")
        return _service_page(product, form, 422)
    flash(_("«%(name)s» ya se puede reservar.", name=product.name), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/reservas/servicios/<code>/quitar")
@access("staff", "catalogue:write")
def remove_service(code: str) -> ResponseReturnValue:
    """Take no more reservations of it."""
    product = _product(code)
    setup.stop_booking(product.id, current_actor())
    flash(_("«%(name)s» ya no se reserva en línea. Lo reservado se queda.", name=product.name), "good")
    return redirect(url_for(".index"), 303)


def _product(code: str) -> ServiceProduct:
    found = next((one for one in queries.service_products() if one.code == code), None)
    if found is None:
        raise NotFound
    return found


def _settings_of(product: ServiceProduct) -> dict[str, object]:
    known = queries.service_for(product.id)
    if known is None:
        open_now = [one.code for one in queries.resources() if one.active]
        return {"place": open_now[0]} if len(open_now) == 1 else {}
    return {
        "place": known.resource_code,
        "unit": known.unit.value,
        "duration": known.duration_min,
        "step": known.step_min,
        "check_in": known.check_in,
        "check_out": known.check_out,
        "notice": -(-known.min_notice_min // 60),
        "horizon": known.horizon_days,
    }


def _offer_places(form: ServiceForm) -> list[ResourceView]:
    resources = [one for one in queries.resources() if one.active or one.code == form.place.data]
    form.place.choices = [(one.code, one.name) for one in resources]
    return resources


def _service_page(product: ServiceProduct, form: ServiceForm, status: int) -> ResponseReturnValue:
    resources = _offer_places(form)
    only = resources[0] if len(resources) == 1 and not product.resource_code else None
    page = render_template(
        "dashboard/reservations/service.html", product=product, form=form, resources=resources, only=only
    )
    return page, status
