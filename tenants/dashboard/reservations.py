"""The shop's reservations: who comes on a day, what is still free, and booking somebody who phones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.errors import Invalid, NotFound, Refusal
from storefront.kernel.filters import datetime_local
from storefront.kernel.making import made_once, mark_of
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import OrderRow, OrderView, order_by_id, orders_by_ids
from storefront.reservations import queries
from storefront.reservations.actions import (
    Contact,
    SlotTaken,
    cancel_bookings,
    mark,
    move_booking,
    step_back,
    walk_in,
)
from storefront.reservations.availability import Offer, offers
from storefront.reservations.forms import any_day, number_in
from storefront.reservations.models import BookingState
from storefront.reservations.picker import radio, today
from storefront.reservations.queries import BookingRow, ResourceView, ServiceView
from tenants.dashboard import reservation_places
from tenants.dashboard.reservation_forms import CancellationForm, WalkInForm

blueprint = Blueprint("desk_reservations", __name__)
blueprint.register_blueprint(reservation_places.blueprint)

MARKS = {
    BookingState.ARRIVED: "arrived",
    BookingState.DONE: "done",
    BookingState.NO_SHOW: "no_show",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One resource on one day: who has its places and what is left. `closed` is the reason of a closed day, or None."""

    resource: ResourceView
    rows: Sequence[BookingRow]
    offers: Sequence[Offer]
    closed: str | None


# --- the day ------------------------------------------------------------------------------------------------------


@blueprint.get("/reservas")
@access("staff", "bookings:read")
def index() -> ResponseReturnValue:
    """One day, by resource. Seven statements, however many there are."""
    day = any_day(request.args.get("dia")) or today()
    rows = queries.day_view(day)
    resources = queries.resources()
    found = offers(queries.services_for_staff(), day, by_staff=True)
    return render_template(
        "dashboard/reservations/index.html",
        day=day,
        today=today(),
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        groups=_groups(resources, rows, found, day),
        has_resources=bool(resources),
        count=len(rows),
        orders=_orders_of(rows),
        now=clock.now(),
    )


def _groups(
    resources: Sequence[ResourceView], rows: Sequence[BookingRow], found: Sequence[Offer], day: date
) -> list[Group]:
    groups = []
    for resource in resources:
        mine = [row for row in rows if row.resource_id == resource.id]
        offered = [offer for offer in found if offer.service.resource_id == resource.id]
        if mine or (resource.active and offered):
            groups.append(Group(resource, mine, offered, dict(resource.closed).get(day)))
    return groups


def _orders_of(rows: Sequence[BookingRow]) -> Mapping[int, OrderRow]:
    return orders_by_ids(row.order_id for row in rows if row.order_id is not None)


@blueprint.get("/reservas/<code>")
@access("staff", "bookings:read")
def show(code: str) -> ResponseReturnValue:
    """One reservation, its next step first."""
    row = queries.booking_by_code(code)
    service = queries.service_for(row.product_id)
    return render_template(
        "dashboard/reservations/show.html",
        row=row,
        orders=_orders_of([row]),
        has_other_times=service is not None and service.active,
        now=clock.now(),
    )


# --- what became of it --------------------------------------------------------------------------------------------


@blueprint.post("/reservas/<code>/estado")
@access("staff", "bookings:write")
def set_state(code: str) -> ResponseReturnValue:
    """They came, they left, or they never came."""
    wanted = next((state for state, word in MARKS.items() if word == request.form.get("state")), None)
    if wanted is None:
        raise NotFound
    mark(code, wanted, current_actor())
    row = queries.booking_by_code(code)
    name = row.contact_name or row.product_name
    said = {
        BookingState.ARRIVED: _("Llegó %(name)s.", name=name),
        BookingState.DONE: _("Terminó la reserva de %(name)s.", name=name),
        BookingState.NO_SHOW: _("Anotamos que %(name)s no llegó.", name=name),
    }[wanted]
    flash({"text": said, "undo": url_for(".undo", code=row.code)}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back
    return _back(row)


@blueprint.post("/reservas/<code>/deshacer")
@access("staff", "bookings:write")
def undo(code: str) -> ResponseReturnValue:
    """It was the wrong button."""
    step_back(code, current_actor())
    flash(_("Listo, la reserva quedó como estaba."), "info")
    return _back(queries.booking_by_code(code))


def _back(row: BookingRow) -> ResponseReturnValue:
    return redirect(safe_referrer() or _day_of(row), 303)


def _day_of(row: BookingRow) -> str:
    return url_for(".index", dia=row.starts_at.astimezone(current_shop().zone).date())


# --- booking somebody ---------------------------------------------------------------------------------------------


@blueprint.get("/reservas/nueva")
@access("staff", "bookings:write")
def new() -> ResponseReturnValue:
    """Which service, which day, which time, for whom."""
    return _walk_in_page(WalkInForm(formdata=None), 200)


@blueprint.post("/reservas/nueva")
@access("staff", "bookings:write")
def create() -> ResponseReturnValue:
    """Book at once. When the time is gone the page shows what is free now, with what was typed."""
    form = WalkInForm()
    service = queries.service_by_code(request.args.get("servicio", ""))
    if not form.validate():
        return _walk_in_page(form, 422)
    try:
        mark = mark_of(form.key.data, f"booking of {service.product_code} for {asked_nights()}")
        made = made_once(mark, current_actor(), lambda: _book(form, service))
    except Refusal as refusal:
        tell_taken(refusal)
        return _walk_in_page(form, refusal.status)
    row = queries.booking_by_code(made.code)
    flash(_("Reservaste para %(name)s: %(when)s.", name=form.name.data, when=datetime_local(row.starts_at)), "good")
    return redirect(_day_of(row), 303)


def _book(form: WalkInForm, service: ServiceView) -> str:
    return walk_in(
        service.product_id,
        instant_of(form.starts_at.data),
        quantity=int(form.quantity.data or 1),
        nights=asked_nights(),
        contact=Contact(str(form.name.data), form.phone.data or "", form.note.data or ""),
        by=current_actor(),
    ).code


def instant_of(text: Any) -> datetime:
    """The time of a radio button. Raises Invalid for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Invalid(_("Elige un horario de la lista.")) from error
    return found if found.tzinfo else found.replace(tzinfo=current_shop().zone)


def asked_nights() -> int:
    return number_in(request.args.get("noches"), 60)


def tell_taken(refusal: Refusal) -> None:
    """Say on the page itself why not, with the nearest times that are free; what is missing stays missing."""
    if isinstance(refusal, NotFound):
        raise refusal
    nearest = refusal.nearest if isinstance(refusal, SlotTaken) else ()
    hint = _("Lo más cercano: %(times)s.", times=" · ".join(datetime_local(slot.starts_at) for slot in nearest))
    flash(f"{refusal} {hint}" if nearest else str(refusal), "care")


def _walk_in_page(form: WalkInForm, status: int) -> ResponseReturnValue:
    services = queries.services_for_staff()
    asked = request.args.get("servicio", "")
    service = next((one for one in services if one.product_code == asked), services[0] if services else None)
    day = any_day(request.args.get("dia")) or today()
    return (
        render_template(
            "dashboard/reservations/new.html",
            form=form,
            services=services,
            service=service,
            day=day,
            today=today(),
            nights=asked_nights(),
            times=times_of(service, day, asked_nights()) if service else [],
            chosen=form.starts_at.data or request.args.get("hora", ""),
        ),
        status,
    )


def times_of(service: ServiceView, day: date, nights: int) -> list[dict[str, Any]]:
    (offer,) = offers([service], day, nights, by_staff=True)
    return [radio(slot) for slot in offer.slots]


# --- another time -------------------------------------------------------------------------------------------------


@blueprint.get("/reservas/<code>/cambio")
@access("staff", "bookings:write")
def ask_move(code: str) -> ResponseReturnValue:
    """What else is free."""
    return _move_page(queries.booking_by_code(code), 200)


@blueprint.post("/reservas/<code>/cambio")
@access("staff", "bookings:write")
def move(code: str) -> ResponseReturnValue:
    """Give it the other time."""
    row = queries.booking_by_code(code)
    try:
        nights = number_in(request.form.get("nights"), 60) if row.by_night else None
        move_booking(row.code, instant_of(request.form.get("starts_at")), current_actor(), nights)
    except Refusal as refusal:
        tell_taken(refusal)
        return _move_page(row, refusal.status)
    moved = queries.booking_by_code(code)
    flash(_("Cambiaste la reserva al %(when)s. Avísale por WhatsApp.", when=datetime_local(moved.starts_at)), "good")
    return redirect(url_for(".show", code=moved.code), 303)


def _move_page(row: BookingRow, status: int) -> ResponseReturnValue:
    service = queries.needed_service(row.product_id)
    day = any_day(request.args.get("dia")) or row.starts_at.astimezone(current_shop().zone).date()
    nights = number_in(request.args.get("noches"), 60) if "noches" in request.args else row.nights or 1
    return (
        render_template(
            "dashboard/reservations/move.html",
            row=row,
            service=service,
            day=day,
            today=today(),
            nights=nights,
            times=times_of(service, day, nights),
        ),
        status,
    )


# --- cancelling ---------------------------------------------------------------------------------------------------


@blueprint.get("/reservas/<code>/cancelacion")
@access("staff", "bookings:write")
def ask_cancellation(code: str) -> ResponseReturnValue:
    """Ask why, and say what follows. What is all of an order is cancelled with it, so that its money follows."""
    row = queries.booking_by_code(code)
    order = _order_of(row)
    if order and _is_all_of(order):
        return redirect(url_for("desk_orders.ask_cancellation", code=order.code), 303)
    return _cancellation_page(row, order, CancellationForm(formdata=None), 200)


@blueprint.post("/reservas/<code>/cancelacion")
@access("staff", "bookings:write")
def cancel(code: str) -> ResponseReturnValue:
    """Give the places back."""
    row = queries.booking_by_code(code)
    order = _order_of(row)
    if order and _is_all_of(order):
        return redirect(url_for("desk_orders.ask_cancellation", code=order.code), 303)
    form = CancellationForm()
    if not form.validate():
        return _cancellation_page(row, order, form, 422)
    cancel_bookings([row.id], current_actor(), form.reason)
    flash(_("Cancelaste la reserva. El lugar quedó libre."), "good")
    return redirect(_day_of(row), 303)


def _order_of(row: BookingRow) -> OrderView | None:
    return order_by_id(row.order_id) if row.order_id is not None else None


def _is_all_of(order: OrderView) -> bool:
    return len(order.lines) == 1 and order.shop_may_cancel


def _cancellation_page(
    row: BookingRow, order: OrderView | None, form: CancellationForm, status: int
) -> ResponseReturnValue:
    return render_template("dashboard/reservations/cancel.html", row=row, order=order, form=form), status
