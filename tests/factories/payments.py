"""A picture a phone might send."""

import io

from PIL import Image


def a_photo(colour: str = "seagreen", size: tuple[int, int] = (640, 480)) -> io.BytesIO:
    """A small JPEG, ready to be read."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "JPEG")
    stream.seek(0)
    return stream
