"""A postal address as people here give it: a landmark and a pin count for more than a postcode.

`reference` is the landmark ("casa azul frente a la iglesia"). The pin is WGS 84 latitude and longitude in degrees, or a
full plus code (Open Location Code); where the country uses no postcode none is kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from openlocationcode import openlocationcode as olc

from storefront.kernel.countries import COUNTRIES


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Where something is to be handed over, and to whom. `phone` is E.164, `region` a code of the country's pack."""

    recipient: str
    phone: str
    street: str
    locality: str
    region: str
    country: str
    neighbourhood: str = ""
    postcode: str = ""
    reference: str = ""
    instructions: str = ""
    plus_code: str = ""
    lat: float | None = None
    lng: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for a snapshot on an order or a shipment."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> PostalAddress:
        """From a snapshot; keys of later versions are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})

    @property
    def region_name(self) -> str:
        """The region's name in its country's pack."""
        pack = COUNTRIES.get(self.country)
        return pack.regions.get(self.region, self.region) if pack else self.region

    @property
    def lines(self) -> list[str]:
        """The lines to show or print, none empty."""
        place = ", ".join(part for part in (self.locality, self.region_name, self.postcode) if part)
        return [line for line in (self.street, self.neighbourhood, place, self.reference) if line]

    @property
    def pin(self) -> tuple[float, float] | None:
        """Latitude and longitude, from the pin itself or from the plus code; None when neither is known."""
        if self.lat is not None and self.lng is not None:
            return self.lat, self.lng
        if self.plus_code and olc.isFull(self.plus_code):
            area = olc.decode(self.plus_code)
            return area.latitudeCenter, area.longitudeCenter
        return None

    @property
    def map_url(self) -> str | None:
        """A link that any phone opens as a map, or None without a pin."""
        pin = self.pin
        return (
            f"https://www.openstreetmap.org/?mlat={pin[0]:.6f}&mlon={pin[1]:.6f}#map=18/{pin[0]:.6f}/{pin[1]:.6f}"
            if pin
            else None
        )

    @property
    def coarse_plus_code(self) -> str:
        """The pin's cell of about 5 km (six digits of a plus code), or "" without a pin: all a courier sees before
        taking the delivery."""
        pin = self.pin
        return str(olc.encode(pin[0], pin[1], 6)) if pin else ""
