"""Names that shops may have: an address of their own, never one that the platform uses or that looks like the platform.

Addresses are plain ASCII, so what can deceive there are figures for letters (p0rtales) and letters that run together
(rn for m). Display names may hold any script; they are compared after every letter was replaced by the Latin one it
looks like.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from confusable_homoglyphs import confusables
from flask_babel import lazy_gettext as _l
from slugify import slugify

from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.ids import new_code
from tenants.directory import taken_slugs

BRAND = "portales"
LONGEST, SHORTEST = 40, 3

RESERVED = frozenset(Path(__file__).with_name("reserved_names.txt").read_text().split())
"""Addresses the platform keeps for itself, or that people would take for its own."""

_FIGURES = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "6": "b", "7": "t", "8": "b", "9": "g"})
_RUNNING = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))


class NameNotAllowed(Invalid):
    """The name would be taken for the platform, or the platform needs it."""

    message = _l("Ese nombre no se puede usar: se confunde con una dirección de Portales. Elige otro.")


class SlugTaken(Conflict):
    """Another shop has this address. `suggestion` is a free one."""

    status = 422
    message = _l("Esa dirección ya es de otra tienda. Te proponemos otra que está libre.")

    def __init__(self, suggestion: str) -> None:
        super().__init__()
        self.suggestion = suggestion


@lru_cache(maxsize=4096)
def _latin(letter: str) -> str:
    """The small Latin letter that `letter` is taken for."""
    if letter.isascii():
        return letter.lower()
    plain = unicodedata.normalize("NFKD", letter)
    if plain[0].isascii():
        return plain[0].lower()
    likes_of: Any = confusables.is_confusable  # (not annotated)
    found = likes_of(letter, greedy=True, preferred_aliases=["latin"]) or []
    likes = [like["c"] for entry in found for like in entry["homoglyphs"] if like["c"].isascii()]
    return likes[0].lower() if likes else letter


def skeleton(text: str) -> str:
    """What a hurried reader sees: Latin letters, figures read as letters, letters that run together joined."""
    seen = "".join(map(_latin, unicodedata.normalize("NFC", text))).translate(_FIGURES)
    seen = seen.replace("l", "i").replace("|", "i").replace("j", "i")
    for pair, one in _RUNNING:
        seen = seen.replace(pair.replace("l", "i"), one)
    return "".join(letter for letter in seen if letter.isalnum())


_KEPT = frozenset(skeleton(name) for name in RESERVED) | {skeleton(BRAND)}


def looks_like_platform(text: str) -> bool:
    """Whether a name is the platform's, one it keeps, or the platform's name with nothing but such words around it."""
    if skeleton(text) in _KEPT:
        return True
    words = [skeleton(word) for word in text.replace("-", " ").replace("_", " ").replace(".", " ").split()]
    words = [word for word in words if word]
    return skeleton(BRAND) in words and all(word in _KEPT for word in words)


def check_name(name: str) -> None:
    """Raises NameNotAllowed for a shop's name that pretends to be the platform."""
    words = [skeleton(word) for word in name.split()]
    is_brand = skeleton(name) == skeleton(BRAND)
    if is_brand or (skeleton(BRAND) in words and all(word in _KEPT for word in words if word)):
        raise NameNotAllowed


def check_slug(slug: str) -> None:
    """Raises NameNotAllowed for an address that is kept, looks like one, or is written in punycode."""
    if slug.startswith("xn--") or "--" in slug or looks_like_platform(slug):
        raise NameNotAllowed


def slug_of(name: str) -> str:
    """The address a name suggests: small letters, figures and hyphens, 3 to 40 of them."""
    slug: str = slugify(name, max_length=LONGEST, word_boundary=True).strip("-")
    if len(slug) < SHORTEST or looks_like_platform(slug):
        slug = f"tienda-{slug}".strip("-")
    return slug if not looks_like_platform(slug) else f"tienda-{new_code(5).lower()}"


def free_slug(wanted: str, country: str = "") -> str:
    """`wanted` if no shop has it, else the nearest free address."""
    stem = wanted[: LONGEST - 4].strip("-")
    ideas = [wanted, *([f"{stem}-{country.lower()}"] if country else []), *(f"{stem}-{n}" for n in range(2, 10))]
    taken = taken_slugs(ideas)
    return next((idea for idea in ideas if idea not in taken), f"{stem[:34].strip('-')}-{new_code(5).lower()}")
