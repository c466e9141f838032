"""Reservations as iCalendar files (RFC 5545), for people's own calendars: appointments in, text out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Response

from storefront.kernel import clock
from storefront.kernel.headers import keep_private

CONTENT_TYPE = "text/calendar; charset=utf-8"
LONGEST_LINE = 75
"""Octets of one line, its continuation mark included."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """One event: `uid` stays the same when its time changes, so that calendars move it instead of adding another."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    notes: str = ""
    place: str = ""
    url: str = ""
    is_certain: bool = True
    is_cancelled: bool = False


def calendar_file(name: str, appointments: Iterable[Appointment], at: datetime) -> str:
    """The whole file; `at` is the instant at which it was written."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Portales//Reservas//ES",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for one in appointments:
        lines += _event(one, at)
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines)


def calendar_answer(name: str, appointments: Iterable[Appointment]) -> Response:
    """The file as an answer that no cache keeps and no search engine finds."""
    answer = Response(calendar_file(name, appointments, clock.now()), content_type=CONTENT_TYPE)
    keep_private(answer)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _event(one: Appointment, at: datetime) -> list[str]:
    status = "CANCELLED" if one.is_cancelled else "CONFIRMED" if one.is_certain else "TENTATIVE"
    lines = [
        "BEGIN:VEVENT",
        f"UID:{_text(one.uid)}",
        f"DTSTAMP:{_instant(at)}",
        f"DTSTART:{_instant(one.starts_at)}",
        f"DTEND:{_instant(one.ends_at)}",
        f"SUMMARY:{_text(one.title)}",
        f"STATUS:{status}",
    ]
    lines += [f"{key}:{_text(value)}" for key, value in (("DESCRIPTION", one.notes), ("LOCATION", one.place)) if value]
    if one.url:
        lines.append(f"URL:{one.url}")
    return [*lines, "END:VEVENT"]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> str:
    """The line cut to pieces of at most LONGEST_LINE octets, never within a character."""
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > LONGEST_LINE:
            pieces.append(piece)
            piece, size = " ", 1
        piece, size = piece + character, size + width
    return "\r\n".join([*pieces, piece])
