"""What customers see of reservations: the picker on a product's page, the search by date, and calendar files.

Taking the time that was picked is the cart's business; the page of an order shows what was booked.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.catalogue.queries import ProductCard, cards_by_ids
from storefront.kernel import clock
from storefront.kernel.access import access
from storefront.kernel.tenancy import current_shop
from storefront.reservations import queries
from storefront.reservations.availability import Offer, offers
from storefront.reservations.forms import asked
from storefront.reservations.ics import Appointment, calendar_answer
from storefront.reservations.models import BookingState
from storefront.reservations.picker import night_picker, radio, strip_label, time_picker, today, value_of
from storefront.reservations.queries import BookingRow, ServiceView

blueprint = Blueprint("reservations", __name__)

THEME = "posada"
"""The theme whose home page begins with a date."""

WEEK = 7
FEED_PAST, FEED_AHEAD = timedelta(days=31), timedelta(days=366)


# --- on the product's page ----------------------------------------------------------------------------------------


def booking_picker(product_id: int, slug: str) -> Markup:
    """The form with which a service is reserved, for the slot `product.booking`. Four statements, six at most."""
    service = queries.service_for(product_id)
    choices = queries.choices_of(product_id) if service and service.active else []
    if service is None or not choices:
        return _drawn("_closed.html")
    wish = asked(request.args, today())
    link = partial(url_for, "catalogue.product", slug=slug, _anchor="reservar", opcion=wish.choice or None)
    chosen = next((one for one in choices if one.code == wish.choice), choices[0])
    facts: dict[str, Any] = {"choices": choices, "chosen": chosen, "path": url_for("catalogue.product", slug=slug)}
    if service.by_night:
        return _drawn("_nights.html", picker=night_picker(service, choices, wish, link), **facts)
    return _drawn("_times.html", picker=time_picker(service, wish, link), **facts)


def _drawn(template: str, **facts: Any) -> Markup:
    return Markup(render_template(f"shop/reservations/{template}", **facts))  # noqa: S704 (the template has escaped)


# --- by date ------------------------------------------------------------------------------------------------------


@blueprint.get("/reservar")
@access("public")
def search() -> ResponseReturnValue:
    """Everything that can be reserved, and what of it is free on one day. The same statements for any number."""
    first = today()
    wish = asked(request.args, first)
    day = wish.day or wish.arrival or first
    services = queries.services_on_sale()
    found = offers(services, day, wish.nights)
    cards = {card.id: card for card in cards_by_ids([s.product_id for s in services], str(get_locale() or ""))}
    shown = [_result(offer, cards[offer.service.product_id], day, wish.nights, wish.quantity)
             for offer in found if offer.service.product_id in cards]  # fmt: skip
    return render_template(
        "shop/reservations/search.html",
        has_services=bool(services),
        has_nights=any(service.by_night for service in services),
        day=day,
        nights=wish.nights,
        quantity=wish.quantity,
        first=first,
        days=_week(first, day, wish.nights, wish.quantity),
        free=[one for one in shown if one["times"]],
        full=[one for one in shown if not one["times"]],
        tomorrow=url_for(".search", dia=day + timedelta(days=1), noches=wish.nights, lugares=wish.quantity),
    )


def _week(first: date, day: date, nights: int, quantity: int) -> list[dict[str, Any]]:
    start = max(first, day - timedelta(days=WEEK // 2))
    days = [start + timedelta(days=number) for number in range(WEEK)]
    return [
        {
            "label": strip_label(here),
            "number": here.day,
            "href": url_for(".search", dia=here, noches=nights, lugares=quantity),
            "active": here == day,
        }
        for here in days
    ]


def _result(offer: Offer, card: ProductCard, day: date, nights: int, quantity: int) -> dict[str, Any]:
    """One service as the page shows it: its card, and the times that have room, each with its address."""
    link = partial(url_for, "catalogue.product", slug=card.slug, _anchor="reservar", lugares=quantity)
    fitting = offer.fitting(quantity)
    if offer.service.by_night:
        here = link(llegada=day, salida=day + timedelta(days=nights))
        return {"card": card, "href": here, "price": card.price * nights, "note": _nights_note(nights),
                "times": [radio(slot) for slot in fitting], "by_night": True}  # fmt: skip
    times = [dict(radio(slot), href=link(dia=day, hora=value_of(slot.starts_at))) for slot in fitting]
    return {"card": card, "href": link(dia=day), "price": card.price, "note": _length(offer.service),
            "times": times, "by_night": False}  # fmt: skip


def _nights_note(nights: int) -> str:
    return _("por %(count)s noches", count=nights) if nights > 1 else _("por 1 noche")


def _length(service: ServiceView) -> str:
    hours, minutes = divmod(service.duration_min, 60)
    if not hours:
        return _("%(minutes)s min", minutes=minutes)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes) if minutes else _("%(hours)s h", hours=hours)


def search_on_home() -> Markup:
    """The date-first search for the home of an inn, for the slot `home.booking_search`. Other houses have none."""
    if current_shop().theme != THEME:
        return Markup("")
    services = queries.services_on_sale()
    if not services:
        return Markup("")
    first = today()
    has_nights = any(service.by_night for service in services)
    return _drawn("_home_search.html", first=first, has_nights=has_nights)


# --- calendar files -----------------------------------------------------------------------------------------------


@blueprint.get("/agenda/<token>.ics")
@access("public")
def feed(token: str) -> ResponseReturnValue:
    """The shop's own bookings of one resource, for the calendar of whoever has its secret address."""
    resource = queries.resource_by_feed(token)
    at = clock.now()
    rows = queries.agenda(resource.id, at - FEED_PAST, at + FEED_AHEAD)
    return calendar_answer(f"{resource.name} · {current_shop().name}", [_for_staff(row) for row in rows])


def _for_staff(row: BookingRow) -> Appointment:
    who = row.contact_name or _("Apartado")
    notes = "\n".join(line for line in (row.contact_phone, row.note, row.code) if line)
    return Appointment(
        uid=f"{row.code}@{current_shop().slug}",
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        title=f"{who} × {row.quantity} · {row.product_name}",
        notes=notes,
        is_certain=row.state is not BookingState.HELD,
    )


SLOTS = {"product.booking": booking_picker, "home.booking_search": search_on_home}
