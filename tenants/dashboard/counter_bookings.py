"""Times and stays in a sale at the counter: picked for somebody who telephones, and paid for with the rest."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.cart.actions import add_booking
from storefront.kernel.access import access
from storefront.kernel.errors import Refusal
from storefront.reservations import queries
from storefront.reservations.forms import any_day, number_in
from storefront.reservations.picker import today
from tenants.dashboard.counter import current_token, slot
from tenants.dashboard.reservations import asked_nights, instant_of, tell_taken, times_of

blueprint = Blueprint("desk_counter_bookings", __name__)


def _page(status: int = 200) -> ResponseReturnValue:
    services = queries.services_on_sale()
    asked = request.args.get("servicio", "")
    service = next((one for one in services if one.product_code == asked), services[0] if services else None)
    day = any_day(request.args.get("dia")) or today()
    page = render_template(
        "dashboard/orders/counter_booking.html",
        services=services,
        service=service,
        choices=queries.choices_of(service.product_id) if service else [],
        day=day,
        today=today(),
        nights=asked_nights(),
        times=times_of(service, day, asked_nights()) if service else [],
    )
    return page, status


@blueprint.get("/venta/reserva")
@access("staff", "orders:write")
def pick() -> ResponseReturnValue:
    """Which service, which day, which time."""
    return _page()


@blueprint.post("/venta/reserva")
@access("staff", "orders:write")
def add() -> ResponseReturnValue:
    """Keep it for this sale; when it is gone the page shows what is free now."""
    try:
        cart = add_booking(
            current_token(),
            request.form.get("variant", "")[:40],
            instant_of(request.form.get("starts_at")),
            quantity=number_in(request.form.get("quantity"), 99),
            nights=asked_nights() if "noches" in request.args else None,
            by_staff=True,
        )
    except Refusal as refusal:
        tell_taken(refusal)
        return _page(refusal.status)
    session[slot()] = cart.token
    flash(_("Apartado 15 minutos para esta venta."), "good")
    return redirect(url_for("desk_counter.show"), 303)
