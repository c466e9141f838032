"""Every colour a shop may pick stays readable: the numbers in the stylesheets, tried for all 360 hues.

The browser's arithmetic is done again here (OKLCH to sRGB, clipped to the screen's gamut), on the very tokens that
are served, for each theme, by day and by night. WCAG 2: 4.5 for text, 3 for the edge of a control, 7 for the rider.
"""

from __future__ import annotations

import re
from math import cos, radians, sin
from pathlib import Path

import pytest

PARTS = Path(__file__).resolve().parents[2] / "static" / "css" / "parts"
DARK = "@media (prefers-color-scheme: dark)"
ROOMS = ("ground", "surface", "soft", "accent-soft")
SOFTS = ("soft", "accent-soft", "good-soft", "care-soft", "money-soft")

TEXT = [
    *((text, wall) for text in ("ink", "muted", "accent", "accent-deep") for wall in ROOMS),
    *((text, wall) for text in ("good", "care", "money") for wall in ("ground", "surface", f"{text}-soft")),
    *((text, wall) for text in ("ink", "muted") for wall in SOFTS),
    *(("on-accent", fill) for fill in ("accent", "accent-deep")),
    ("on-door", "door"),
    ("ground", "ink"),
]
EDGES = [("edge", "ground"), ("edge", "surface"), ("accent", "ground"), ("accent", "soft")]
SUNLIT = [(text, "ground") for text in ("ink", "muted", "accent", "care", "money")] + [("on-accent", "accent")]

Tokens = dict[str, str]


def rules(text: str, selector: str, *, dark: bool) -> Tokens:
    """The custom properties that `selector` sets, at the top of the layer or inside its dark block."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    night = "".join(re.findall(re.escape(DARK) + r" \{((?:[^{}]|\{[^{}]*\})*)\}", text))
    day = re.sub(r"@media[^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", text)
    bodies = re.findall(re.escape(selector) + r" \{([^{}]*)\}", night if dark else day)
    return dict(re.findall(r"--([\w-]+): ([^;]+);", "".join(bodies)))


def house(layers: list[tuple[str, str]], *, dark: bool) -> Tokens:
    """The tokens of a page whose rules are `layers` of (file, selector), later ones winning."""
    tokens: Tokens = {}
    for file, selector in layers:
        text = (PARTS / file).read_text(encoding="utf-8")
        # Like the browser: a media query adds no weight, so what a later file says by day holds by night too.
        tokens |= rules(text, selector, dark=False) | (rules(text, selector, dark=True) if dark else {})
    return tokens


def number(expression: str) -> float:
    product = re.fullmatch(r"calc\(([\d.]+) \* ([\d.]+)\)", expression)
    return float(product[1]) * float(product[2]) if product else float(expression)


def resolve(tokens: Tokens, name: str, hue: int) -> tuple[float, float, float]:
    """Lightness, chroma and hue of a colour token once every var() is replaced."""
    values = tokens | {"hue": str(hue)}
    text = values[name]
    while "var(" in text:
        text = re.sub(r"var\(--([\w-]+)\)", lambda found: values[found[1]], text)
    found = re.fullmatch(r"oklch\(([\d.]+) (calc\([^)]*\)|[\d.]+) ([\d.]+)\)", text)
    assert found, f"--{name}: {text}"
    return float(found[1]), number(found[2]), float(found[3])


def luminance(colour: tuple[float, float, float]) -> float:
    """WCAG's relative luminance of an OKLCH colour, after clipping each channel and rounding it to 8 bits."""
    lightness, chroma, hue = colour
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    red, green, blue = (_as_seen(channel) for channel in linear)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _as_seen(channel: float) -> float:
    clipped = min(max(channel, 0.0), 1.0)
    encoded = 12.92 * clipped if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055
    byte = round(encoded * 255) / 255
    return byte / 12.92 if byte <= 0.04045 else ((byte + 0.055) / 1.055) ** 2.4


def ratio(tokens: Tokens, pair: tuple[str, str], hue: int) -> float:
    first, second = (luminance(resolve(tokens, name, hue)) for name in pair)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def too_weak(tokens: Tokens, pairs: list[tuple[str, str]], least: float, hues: range) -> list[str]:
    """The worst hue of each pair that falls short."""
    failures = []
    for pair in pairs:
        worst, hue = min((ratio(tokens, pair, hue), hue) for hue in hues)
        if worst < least:
            failures.append(f"{pair[0]} on {pair[1]}: {worst:.2f} at hue {hue}")
    return failures


def test_black_on_white_measures_twenty_one() -> None:
    tokens = {"ink": "oklch(0 0 0)", "ground": "oklch(1 0 0)"}
    assert ratio(tokens, ("ink", "ground"), 0) == pytest.approx(21, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("theme", ["mostrador", "taller", "vitrina", "posada"])
def test_every_hue_is_readable_in_every_theme(theme: str, dark: bool) -> None:
    tokens = house([("tokens.css", ":root"), ("themes.css", f'[data-theme-name="{theme}"]')], dark=dark)
    assert too_weak(tokens, TEXT, 4.5, range(360)) == []
    assert too_weak(tokens, EDGES, 3.0, range(360)) == []


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_the_arcade_is_readable(dark: bool) -> None:
    tokens = house([("tokens.css", ":root"), ("arcade.css", ":root")], dark=dark)
    own = range(int(tokens["hue"]), int(tokens["hue"]) + 1)
    assert too_weak(tokens, TEXT, 4.5, own) == []
    assert too_weak(tokens, EDGES, 3.0, own) == []


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_the_rider_reads_it_in_the_sun(dark: bool) -> None:
    layers = [("tokens.css", ":root"), ("arcade.css", ":root"), ("arcade.css", '[data-face="rider"]')]
    tokens = house(layers, dark=dark)
    own = range(int(tokens["hue"]), int(tokens["hue"]) + 1)
    assert too_weak(tokens, SUNLIT, 7.0, own) == []


def test_a_paler_accent_would_be_noticed() -> None:
    tokens = house([("tokens.css", ":root")], dark=False) | {"accent": "oklch(0.65 0.13 var(--hue))"}
    assert too_weak(tokens, [("accent", "ground")], 4.5, range(360)) != []
