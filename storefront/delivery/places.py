"""What an address may tell before a courier has taken the parcel: the neighbourhood's worth, never the door."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from openlocationcode import openlocationcode

COARSE_DIGITS = 6
"""Six digits of a plus code name a square of about 5.5 km."""

_FULL_CODE = re.compile(r"[23456789CFGHJMPQRVWX]{8}\+[23456789CFGHJMPQRVWX]{2,7}")


def coarse_plus_code(address: Mapping[str, Any]) -> str | None:
    """The plus code of the address cut to six digits ("76M300+" padded), from its pin or its own code; None without."""
    lat, lng = address.get("lat"), address.get("lng")
    if lat is not None and lng is not None:
        return str(openlocationcode.encode(float(lat), float(lng), COARSE_DIGITS))
    code = str(address.get("plus_code") or "").upper().replace(" ", "")
    return f"{code[:COARSE_DIGITS]}00+" if _FULL_CODE.fullmatch(code) else None


def first_name(name: str) -> str:
    """A courier's name as customers see it."""
    return name.split(maxsplit=1)[0] if name.split() else ""
