"""What people ask for in an address or send in a form, read with forgiveness: nonsense counts as not asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

LATEST_YEARS = 2
MOST_PLACES = 99


@dataclass(frozen=True, slots=True)
class Asked:
    """A day, a month, a stay, a time somebody else was quicker for, and for how many."""

    day: date | None = None
    month: date | None = None
    arrival: date | None = None
    departure: date | None = None
    near: datetime | None = None
    chosen: str = ""
    quantity: int = 1
    nights: int = 1
    choice: str = ""


def asked(args: Mapping[str, str], today: date) -> Asked:
    """The wishes in the address of a page; days in the past or years away are as good as none."""
    arrival, departure = day_in(args.get("llegada"), today), day_in(args.get("salida"), today)
    if arrival is None or departure is None or not 0 < (departure - arrival).days <= 60:
        departure = None
    return Asked(
        day=day_in(args.get("dia"), today),
        month=month_in(args.get("mes"), today),
        arrival=arrival,
        departure=departure,
        near=instant_in(args.get("cerca"), today),
        chosen=args.get("hora", "")[:40],
        quantity=number_in(args.get("lugares"), MOST_PLACES),
        nights=number_in(args.get("noches"), 60),
        choice=args.get("opcion", "")[:20],
    )


def any_day(text: str | None) -> date | None:
    """An ISO date of our time, past or future; None for anything else."""
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def day_in(text: str | None, today: date) -> date | None:
    """An ISO date from today to two years on."""
    found = any_day(text)
    return found if found and today <= found <= today + timedelta(days=366 * LATEST_YEARS) else None


def month_in(text: str | None, today: date) -> date | None:
    """The first day of a month written "2026-03", from this one to two years on."""
    found = any_day(f"{text}-01")
    return found if found and today.replace(day=1) <= found <= today + timedelta(days=366 * LATEST_YEARS) else None


def instant_in(text: str | None, today: date) -> datetime | None:
    """An ISO instant with its offset, on a day that `day_in` would take."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None and day_in(found.date().isoformat(), today) else None


def number_in(text: str | None, most: int) -> int:
    """A number from 1 to `most`; 1 for anything else."""
    number = int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else 1
    return number if 1 <= number <= most else 1
