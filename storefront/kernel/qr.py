"""An address as a square that phones read: drawn here, as part of the page, so that nobody else learns of it."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr(text: str) -> Markup:
    """The drawing of a text, as large as the page lets it be. A quarter of it may be scratched and it still reads."""
    drawn = segno.make(text, error="q", micro=False).svg_inline(omitsize=True, border=4, dark="#000", light="#fff")
    return Markup(drawn)  # noqa: S704 (squares only: the text is not in it)
