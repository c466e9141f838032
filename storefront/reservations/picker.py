"""The calendars in which somebody picks a time or some nights, as facts for the templates. Every step is a link."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.dates import format_date, get_day_names
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.kernel import clock
from storefront.kernel.filters import day_month, month, page_locale, time
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.reservations import availability
from storefront.reservations.availability import A_DAY, Night
from storefront.reservations.forms import Asked
from storefront.reservations.queries import Choice, ServiceView
from storefront.reservations.slots import Slot, local_instant

STRIP = 14
"""How many days are in sight at once."""

FEW = 2

Link = Callable[..., str]
"""Makes the address of the same page with other wishes: `link(dia="2026-03-14")`."""


@dataclass(frozen=True, slots=True)
class TimePicker:
    """A strip of days and the slots of one of them. `jump` leads to the next free day when the strip has none.

    `nearest` are offered instead of a time that somebody else took.
    """

    service: ServiceView
    day: date
    days: list[dict[str, Any]]
    slots: list[dict[str, Any]]
    chosen: str
    most: int
    quantity: int
    earlier: str | None
    later: str | None
    jump: tuple[date, str] | None
    nearest: list[dict[str, Any]]
    missed: datetime | None

    @property
    def is_bookable(self) -> bool:
        """Whether anything can be picked here."""
        return self.most > 0


@dataclass(frozen=True, slots=True)
class Priced:
    """A way to buy the stay, and what the whole of it costs for one room or place."""

    choice: Choice
    total: Money


@dataclass(frozen=True, slots=True)
class NightPicker:
    """A month of nights, and the stay that was picked. `starts_at` and `priced` are for the picked dates."""

    service: ServiceView
    month: dict[str, Any]
    arrival: date | None
    departure: date | None
    nights: int
    is_length_chosen: bool
    free: int
    starts_at: str
    priced: list[Priced]
    quantity: int
    again: str
    nearest: list[tuple[str, str]]
    missed: datetime | None


def today() -> date:
    """The shop's own day."""
    return clock.now().astimezone(current_shop().zone).date()


def value_of(moment: datetime) -> str:
    """An instant as forms and addresses carry it: local, with its offset."""
    return moment.astimezone(current_shop().zone).isoformat(timespec="minutes")


def strip_label(day: date) -> str:
    """ "sáb", for the top of a day in the strip."""
    return format_date(day, "EEE", locale=page_locale()).rstrip(".")


def radio(slot: Slot) -> dict[str, Any]:
    """A slot as the grid of hours draws it."""
    return {"value": value_of(slot.starts_at), "label": time(slot.starts_at), "free": slot.free}


# --- by the clock -------------------------------------------------------------------------------------------------


def time_picker(service: ServiceView, wish: Asked, link: Link) -> TimePicker:
    """The days around the one asked for, or around the first free one."""
    first = today()
    near = wish.near.astimezone(current_shop().zone).date() if wish.near else None
    asked_day = wish.day or near
    start = first + ((asked_day - first).days // STRIP) * STRIP * A_DAY if asked_day else first
    days = availability.days_of(service, start, STRIP)
    free_day = _first_free(days)
    jump = None
    if free_day is None:
        found = availability.next_free_day(service, start + STRIP * A_DAY)
        jump = (found, link(dia=found)) if found else None
    day = asked_day or free_day or start
    last = availability.bookable_days(service)[1]
    nearest = availability.nearest(service, wish.near, wish.quantity) if wish.near else []
    return TimePicker(
        service=service,
        day=day,
        days=[_in_strip(here, slots, day, link) for here, slots in days.items()],
        slots=[radio(slot) for slot in days[day]],
        chosen=wish.chosen,
        most=max((slot.free for slot in [*days[day], *nearest]), default=0),
        quantity=wish.quantity,
        earlier=link(dia=start - A_DAY) if start > first else None,
        later=link(dia=start + STRIP * A_DAY) if start + STRIP * A_DAY <= last else None,
        jump=jump,
        nearest=[dict(radio(slot), label=f"{day_month(slot.starts_at)}, {time(slot.starts_at)}") for slot in nearest],
        missed=wish.near,
    )


def _first_free(days: dict[date, list[Slot]]) -> date | None:
    return next((day for day, slots in days.items() if any(slot.free for slot in slots)), None)


def _in_strip(day: date, slots: Sequence[Slot], chosen: date, link: Link) -> dict[str, Any]:
    return {
        "label": strip_label(day),
        "number": day.day,
        "href": link(dia=day),
        "active": day == chosen,
        "free": any(slot.free for slot in slots),
    }


# --- by the night -------------------------------------------------------------------------------------------------


def night_picker(service: ServiceView, choices: Sequence[Choice], wish: Asked, link: Link) -> NightPicker:
    """The month asked for, with the stay that was picked in it."""
    arrival = wish.arrival or wish.day
    departure = wish.departure if wish.arrival else None
    if arrival and departure is None and wish.nights > 1:
        departure = arrival + wish.nights * A_DAY
    near = wish.near.astimezone(current_shop().zone).date() if wish.near else None
    shown = wish.month or (arrival or near or _first_free_night(service)).replace(day=1)
    last = shown.replace(day=calendar.monthrange(shown.year, shown.month)[1])
    load_from = min(arrival or shown, shown)
    until = max(departure or last, last)
    by_day = {night.day: night for night in availability.nights_of(service, load_from, (until - load_from).days + 1)}
    nights = (departure - arrival).days if arrival and departure else 1
    stay = availability.stay_at(service, arrival, nights) if arrival else None
    page = _Month(by_day, arrival, departure, link)
    return NightPicker(
        service=service,
        month=_month(shown, last, page, availability.night_window(service)),
        arrival=arrival,
        departure=arrival + nights * A_DAY if arrival else None,
        nights=nights,
        is_length_chosen=departure is not None,
        free=stay.free if stay else 0,
        starts_at=_check_in(service, arrival) if arrival else "",
        priced=[Priced(choice, choice.price * nights) for choice in choices],
        quantity=wish.quantity,
        again=link(mes=f"{shown:%Y-%m}"),
        nearest=_near_stays(service, wish, link),
        missed=wish.near,
    )


def _first_free_night(service: ServiceView) -> date:
    return availability.next_free_day(service, today()) or today()


def _check_in(service: ServiceView, day: date) -> str:
    return value_of(local_instant(day, service.check_in, current_shop().zone))


def _near_stays(service: ServiceView, wish: Asked, link: Link) -> list[tuple[str, str]]:
    """(words, address) of the stays closest to the one that somebody else took."""
    if wish.near is None:
        return []
    zone = current_shop().zone
    found = []
    for stay in availability.nearest(service, wish.near, wish.quantity, wish.nights):
        first = stay.starts_at.astimezone(zone).date()
        last = first + wish.nights * A_DAY
        words = _("%(first)s a %(last)s", first=day_month(first), last=day_month(last))
        found.append((words, link(llegada=first, salida=last, lugares=wish.quantity)))
    return found


@dataclass(frozen=True, slots=True)
class _Month:
    by_day: dict[date, Night]
    arrival: date | None
    departure: date | None
    link: Link

    def can_leave(self, day: date) -> bool:
        """Whether a stay from the picked arrival may end on `day`."""
        if self.arrival is None or self.departure is not None or not 0 < (day - self.arrival).days <= 60:
            return False
        nights = (self.arrival + number * A_DAY for number in range((day - self.arrival).days))
        return all((night := self.by_day.get(here)) is not None and night.free for here in nights)

    def href(self, day: date) -> str | None:
        """Where a tap on a day leads: to the end of the stay, to another beginning, or nowhere."""
        if self.can_leave(day):
            return self.link(llegada=self.arrival, salida=day)
        return self.link(llegada=day) if self.by_day[day].free else None

    def state(self, day: date) -> str:
        """How a day is drawn."""
        if day in {self.arrival, self.departure}:
            return "picked"
        if self.arrival and self.departure and self.arrival < day < self.departure:
            return "between"
        night = self.by_day[day]
        if not night.is_offered:
            return "out"
        return "full" if not night.free else "few" if night.free <= FEW else "free"


def _month(shown: date, last: date, page: _Month, window: tuple[date, date]) -> dict[str, Any]:
    locale = page_locale()
    names = get_day_names("abbreviated", locale=locale)
    weeks = calendar.Calendar(locale.first_week_day).monthdatescalendar(shown.year, shown.month)
    keep = {"llegada": page.arrival, "salida": page.departure}
    return {
        "title": month(shown),
        "weeks": [[_cell(day, page) if day.month == shown.month else None for day in week] for week in weeks],
        "weekdays": [names[(locale.first_week_day + number) % 7].rstrip(".") for number in range(7)],
        "prev_href": page.link(mes=f"{shown - A_DAY:%Y-%m}", **keep) if shown > window[0].replace(day=1) else None,
        "next_href": page.link(mes=f"{last + A_DAY:%Y-%m}", **keep) if last < window[1] else None,
    }


def _cell(day: date, page: _Month) -> dict[str, Any]:
    night = page.by_day[day]
    if not night.is_offered:
        words = _("no disponible")
    elif not night.free:
        words = _("completo")
    else:
        words = ngettext("queda 1 lugar", "quedan %(num)d lugares", night.free)
    return {
        "number": day.day,
        "href": page.href(day),
        "state": page.state(day),
        "label": f"{day_month(day)}: {words}",
    }
