"""Opening hours as people write them on the door, read as far as they can be: a form starts from them, nobody else."""

from __future__ import annotations

import re
from unicodedata import normalize

from storefront.reservations.slots import DAYS

_DAY = r"lun|mar|mie|jue|vie|sab|dom"
_STEMS = dict(zip(_DAY.split("|"), DAYS, strict=True))
_TIME = r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:h|hrs?|horas)?\s*([ap]\.?\s?m\.?)?"
_TOKEN = re.compile(
    rf"(?P<span>\b(?P<first>{_DAY})[a-z]*\s*(?:al?|-)\s*(?P<last>{_DAY})[a-z]*)"
    rf"|(?P<day>\b(?:{_DAY})[a-z]*)"
    r"|(?P<all>todos los dias|diario)"
    r"|(?P<closed>cerrad)"
    rf"|(?P<hours>\b{_TIME}\s*(?:a|-|hasta)\s*(?:las?\s+)?{_TIME})"
)


def hours_from_words(text: str) -> dict[str, list[tuple[str, str]]]:
    """The hours of each weekday that "Lunes a viernes de 9 a 13 y de 15 a 19" names; nothing for what is not clear."""
    plain = normalize("NFKD", text.lower().replace("–", "-")).encode("ascii", "ignore").decode()
    found: dict[str, list[tuple[str, str]]] = {}
    days: list[str] = []
    has_hours = False
    for token in _TOKEN.finditer(plain):
        if token["hours"]:
            opens, closes = _pair(token.groups()[-6:])
            for day in days if opens != closes else ():
                found.setdefault(day, []).append((opens, closes))
            has_hours = True
        elif token["closed"]:
            days = []
        else:
            days = _named(token) if has_hours else [*days, *_named(token)]
            has_hours = False
    return {day: ranges[:2] for day, ranges in found.items()}


def _named(token: re.Match[str]) -> list[str]:
    if token["all"]:
        return list(DAYS)
    if token["day"]:
        return [_STEMS[token["day"][:3]]]
    first, last = (DAYS.index(_STEMS[token[side]]) for side in ("first", "last"))
    return [DAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)]


def _pair(parts: tuple[str | None, ...]) -> tuple[str, str]:
    """Both ends; "de 9 a 6" closes in the evening."""
    (opens, first), (closes, last) = (_clock(*parts[start : start + 3]) for start in (0, 3))
    if not last and opens >= closes and opens < 12 * 60:
        closes += 12 * 60
    elif last and not first and opens + 12 * 60 < closes:  # "de 2 a 8 pm"
        opens += 12 * 60
    return _written(opens), _written(closes)


def _clock(hour: str | None, minute: str | None, half: str | None) -> tuple[int, bool]:
    """Minutes since midnight, and whether the half of the day was said."""
    at = int(hour or 0) % 24
    if half:
        at = at % 12 + (12 if half.startswith("p") else 0)
    return at * 60 + int(minute or 0) % 60, bool(half)


def _written(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"
