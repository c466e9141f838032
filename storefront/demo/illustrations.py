"""The demonstration's pictures: drawn by name, as SVG or as a finished image.

`render` is deterministic: the same name, size and ratio give the same bytes on the same versions of the renderer.
"""

import io
import random
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeAlias

import resvg_py
from PIL import Image, ImageChops, ImageFilter

from storefront.demo import breads, covers, crafts, knits, rooms, table, tours
from storefront.demo.drawing import Drawing

Ratio: TypeAlias = Literal["1:1", "4:5", "3:2"]
WINDOWS: dict[Ratio, tuple[int, int, int, int]] = {
    "1:1": (0, 0, 1000, 1000),
    "4:5": (0, -125, 1000, 1250),
    "3:2": (-250, 0, 1500, 1000),
}
PICTURES: dict[str, Callable[[Drawing], None]] = {
    **breads.PICTURES, **table.PICTURES, **knits.PICTURES, **crafts.PICTURES,
    **rooms.PICTURES, **tours.PICTURES, **covers.PICTURES,
}  # fmt: skip
TOOTH = 0.13  # how much of the paper's tooth shows
DRAWN = 840  # pixels really drawn on the longer side; beyond it the drawing is enlarged and only the paper is finer


def names() -> list[str]:
    """Return the names of every picture, in the order of the shops."""
    return list(PICTURES)


def svg(name: str, ratio: Ratio = "1:1") -> str:
    """Return the picture as an SVG document. Raises KeyError for a name nobody drew."""
    pic = Drawing(name, lean=name in covers.WIDE)
    PICTURES[name](pic)
    x, y, width, height = _window(name, ratio)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x} {y} {width} {height}" '
        f'width="{width}" height="{height}">{"".join(pic.marks)}</svg>'
    )


@lru_cache(maxsize=4)
def _tooth(width: int, height: int) -> Image.Image:
    """Return the paper's tooth: even grey with fine and coarse unevenness, always the same."""
    rng = random.Random("paper")  # noqa: S311 - a texture, not a secret
    fine = Image.frombytes("L", (width, height), rng.randbytes(width * height)).filter(ImageFilter.GaussianBlur(0.8))
    small = (width // 6 + 1, height // 6 + 1)
    coarse = Image.frombytes("L", small, rng.randbytes(small[0] * small[1])).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return Image.merge("RGB", [Image.blend(fine, coarse, 0.22)] * 3)


def render(name: str, size: int = 1200, ratio: Ratio = "1:1") -> bytes:
    """Return the picture as a JPEG whose longer side is `size` pixels.

    Raises KeyError for a name nobody drew.
    """
    _, _, wide, tall = _window(name, ratio)
    width, height = round(size * wide / max(wide, tall)), round(size * tall / max(wide, tall))
    share = min(1, DRAWN / size)
    png = resvg_py.svg_to_bytes(
        svg_string=svg(name, ratio),
        width=round(width * share),
        height=round(height * share),
        skip_system_fonts=True,
    )
    flat = Image.open(io.BytesIO(png)).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    worked = Image.blend(flat, ImageChops.overlay(flat, _tooth(*flat.size)), TOOTH)
    out = io.BytesIO()
    worked.save(out, "JPEG", quality=86)
    return out.getvalue()


def _window(name: str, ratio: Ratio) -> tuple[int, int, int, int]:
    """Return what is seen of the picture: x, y, width and height in picture units."""
    return WINDOWS["3:2" if name in covers.WIDE else ratio]
