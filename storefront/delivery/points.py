"""Where on Earth something is, out of what people can copy from a map: no network and no outside service takes part.

A link of a map, a plus code, or two numbers. Short links say nothing without asking somebody, so they are refused with
a sentence that says how to get the long one. Distances are straight lines times what streets add to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from flask_babel import lazy_gettext as _l
from openlocationcode import openlocationcode as olc

from storefront.kernel.errors import Invalid

EARTH_M = 6_371_008.8
"""The mean radius, in metres."""

LEAST_DETOUR, USUAL_DETOUR, MOST_DETOUR = 100, 130, 300
"""What streets make of a straight line, in percent."""

LONGEST_TEXT = 2_000
SHORT_LINKS = frozenset(
    {"maps.app.goo.gl", "goo.gl", "g.co", "bit.ly", "tinyurl.com", "maps.apple", "waze.to", "osm.to"}
)

_NUMBER = r"[-+]?\d{1,3}(?:\.\d{1,15})?"
_PAIR = re.compile(rf"\s*({_NUMBER})\s*[,; ]\s*({_NUMBER})\s*")
_AT = re.compile(rf"@({_NUMBER}),({_NUMBER})(?:,|$|/)")
_PIN = re.compile(rf"!3d({_NUMBER})!4d({_NUMBER})")
_MAP = re.compile(rf"map=[\d.]+/({_NUMBER})/({_NUMBER})")
_NAMED = ("q", "query", "ll", "coordinate", "destination", "daddr", "sll", "center", "cp")
_PLUS = re.compile(r"[23456789CFGHJMPQRVWX]{2,8}\+[23456789CFGHJMPQRVWX]{0,7}", re.IGNORECASE)


class NoPoint(Invalid):
    """Nothing in it says where it is."""

    message = _l(
        "Ahí no vemos dónde es. Pega el enlace largo del mapa, un código plus como 76F4277Q+W2, o latitud y longitud."
    )


class ShortLink(Invalid):
    """A link that only its maker can read."""

    message = _l(
        "Ese enlace corto no dice dónde es. Ábrelo, espera a que se vea el mapa y copia el enlace largo de la barra "
        "de direcciones, o pega el código plus del lugar."
    )


class ShortCode(Invalid):
    """A plus code without its beginning, and nothing near it is known."""

    message = _l("A ese código plus le falta el principio. Cópialo completo, por ejemplo 76F4277Q+W2.")


class Point(NamedTuple):
    """Degrees of latitude and longitude (WGS 84)."""

    lat: float
    lng: float


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the shop sends from, and what streets make of a straight line, in percent."""

    point: Point
    detour_pct: int = USUAL_DETOUR


def point_in(text: str, near: Point | None = None) -> Point:
    """The point that a text names; a short plus code means the one closest to `near`.

    Raises ShortLink, ShortCode, NoPoint.
    """
    typed = text.strip()[:LONGEST_TEXT]
    found = _of_pair(typed) or _of_link(typed) or _of_plus_code(typed, near)
    if found is None:
        raise NoPoint
    return found


def _point(lat: str, lng: str) -> Point | None:
    point = Point(round(float(lat), 6), round(float(lng), 6))
    is_one = all(map(isfinite, point)) and abs(point.lat) <= 90 and abs(point.lng) <= 180
    return point if is_one and point != (0, 0) else None


def _of_pair(text: str) -> Point | None:
    found = _PAIR.fullmatch(text.strip("()"))
    return _point(*found.groups()) if found else None


def _of_link(text: str) -> Point | None:
    if text.lower().startswith("geo:"):
        place, _mark, query = text[4:].partition("?")
        asked_for = parse_qs(query).get("q", [""])[0].partition("(")[0]
        return _of_pair(asked_for) or _of_pair(",".join(place.partition(";")[0].split(",")[:2]))
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}" if _looks_like_a_link(text) else text)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    asked = parse_qs(f"{parts.query}&{parts.fragment}")
    if "mlat" in asked and "mlon" in asked:
        return _of_pair(f"{asked['mlat'][0]},{asked['mlon'][0]}")
    whole = unquote(text)
    found = _PIN.search(whole)
    named = [_of_pair(asked[name][0].removeprefix("loc:").replace("~", ",")) for name in _NAMED if name in asked]
    point = (_point(*found.groups()) if found else None) or next(filter(None, named), None)
    for shape in (_AT, _MAP):
        seen = shape.search(whole)
        point = point or (_point(*seen.groups()) if seen else None)
    if point is None and (parts.hostname.removeprefix("www.") in SHORT_LINKS or "/go/" in parts.path):
        raise ShortLink
    return point


def _looks_like_a_link(text: str) -> bool:
    return " " not in text and "." in text.partition("/")[0] and "/" in text


def _of_plus_code(text: str, near: Point | None) -> Point | None:
    found = _PLUS.search(unquote(text).replace("%2B", "+"))
    code = found[0].upper() if found else ""
    if olc.isShort(code):
        if near is None:
            raise ShortCode
        code = olc.recoverNearest(code, near.lat, near.lng)
    if not olc.isFull(code):
        return None
    area = olc.decode(code)
    return _point(str(area.latitudeCenter), str(area.longitudeCenter))


def metres_between(here: Point, there: Point) -> float:
    """The great circle between two points, in metres."""
    up, over = radians(there.lat - here.lat) / 2, radians(there.lng - here.lng) / 2
    part = sin(up) ** 2 + cos(radians(here.lat)) * cos(radians(there.lat)) * sin(over) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(part)))


def way_m(origin: Origin, there: Point) -> int:
    """The way from the shop in whole metres, half a metre up: the straight line times what streets add."""
    return int(metres_between(origin.point, there) * origin.detour_pct / 100 + 0.5)
