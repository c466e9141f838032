"""The few gestures every illustration is made of: an outline cut by hand, a body lit from the upper left, a brush.

Coordinates are picture units: the square from 0,0 to 1000,1000 is always seen; wider and taller ratios show more
of the ground around it (`LEFT`..`RIGHT`, `TOP`..`BOTTOM`). Everything random comes from the picture's own name,
so the same name always gives the same picture.

An outline is written as points, "x,y x,y ...": a smooth curve passes through them; a point ending in "!" is a corner.
"""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

LEFT, TOP, RIGHT, BOTTOM = -260.0, -135.0, 1260.0, 1135.0
INK, GLOW = "#3a1d24", "#fff3d6"
LONG_EDGE = 130.0


class Knot(NamedTuple):
    """A point of an outline; `sharp` makes it a corner."""

    x: float
    y: float
    sharp: bool = False


Outline: TypeAlias = str | list[Knot]
Box: TypeAlias = tuple[float, float, float, float]


def mix(one: str, other: str, share: float) -> str:
    """Return the "#rrggbb" colour lying `share` (0..1) of the way from one to the other."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def deeper(colour: str, share: float = 0.2) -> str:
    """Return the colour in shade: towards a warm dark, never towards grey."""
    return mix(colour, INK, share)


def lighter(colour: str, share: float = 0.3) -> str:
    """Return the colour in light: towards warm cream."""
    return mix(colour, GLOW, share)


def knots(outline: Outline) -> list[Knot]:
    """Read "x,y x,y! ..." into knots."""
    if not isinstance(outline, str):
        return outline
    read = []
    for word in outline.split():
        x, y = word.rstrip("!").split(",")
        read.append(Knot(float(x), float(y), word.endswith("!")))
    return read


def oval(cx: float, cy: float, rx: float, ry: float | None = None, count: int = 12) -> list[Knot]:
    """Return the knots of an ellipse; jitter makes it a hand-cut one."""
    turns = [2 * math.pi * i / count for i in range(count)]
    return [Knot(cx + rx * math.cos(a), cy + (rx if ry is None else ry) * math.sin(a)) for a in turns]


def block(x: float, y: float, width: float, height: float, radius: float = 0) -> list[Knot]:
    """Return the knots of a rectangle, its corners sharp or rounded by `radius`."""
    r, b = x + width, y + height
    if not radius:
        return [Knot(x, y, True), Knot(r, y, True), Knot(r, b, True), Knot(x, b, True)]
    q = radius
    at = [(x + q, y), (r - q, y), (r, y + q), (r, b - q), (r - q, b), (x + q, b), (x, b - q), (x, y + q)]
    return [Knot(px, py) for px, py in at]


def _cut(points: list[Knot], closed: bool) -> list[tuple[Knot, Knot, Knot, Knot]]:
    """Return each piece as start, two handles and end (Catmull-Rom; a corner's handle is the corner)."""
    n = len(points)
    pieces = []
    for i in range(n if closed else n - 1):
        a, b = points[i], points[(i + 1) % n]
        before = points[i - 1] if closed or i else a
        after = points[(i + 2) % n] if closed or i + 2 < n else b
        one = a if a.sharp else Knot(a.x + (b.x - before.x) / 6, a.y + (b.y - before.y) / 6)
        two = b if b.sharp else Knot(b.x - (after.x - a.x) / 6, b.y - (after.y - a.y) / 6)
        pieces.append((a, one, two, b))
    return pieces


class Drawing:
    """One picture being drawn; the marks lie in the order they were made."""

    def __init__(self, name: str, *, lean: bool = False) -> None:
        """Start the picture `name`; a `lean` one spends fewer characters, to travel inside a page."""
        self.digits, self.steps, self.bows = (0, 3, False) if lean else (1, 6, True)
        self.rng = random.Random(name)  # noqa: S311 - irregularity of a hand, not a secret
        self.marks: list[str] = []
        self.clips = 0

    def put(self, markup: str) -> None:
        """Lay down markup as it is."""
        self.marks.append(markup)

    # Outlines

    def path(self, outline: Outline, *, wobble: float = 2.2, closed: bool = True) -> str:
        """Return path data for the outline, as scissors would follow it; long straight edges bow a little."""
        rng, points = self.rng, knots(outline)
        spread = max(
            max(p.x for p in points) - min(p.x for p in points), max(p.y for p in points) - min(p.y for p in points)
        )
        wobble = min(wobble, spread / 55)  # a small thing is cut with a small tremble
        hand: list[Knot] = []
        for i, p in enumerate(points):
            hand.append(Knot(p.x + rng.gauss(0, wobble), p.y + rng.gauss(0, wobble), p.sharp))
            q = points[(i + 1) % len(points)]
            last = i + 1 == len(points) and not closed
            if self.bows and wobble and p.sharp and q.sharp and not last and math.dist(p[:2], q[:2]) > LONG_EDGE:
                bow = Knot((p.x + q.x) / 2 + rng.gauss(0, wobble), (p.y + q.y) / 2 + rng.gauss(0, wobble))
                hand.append(bow)
        d = f"M{hand[0].x:.0f} {hand[0].y:.0f}"
        n = self.digits
        for a, one, two, b in _cut(hand, closed):
            if a.sharp and b.sharp:
                d += f"L{b.x:.{n}f} {b.y:.{n}f}"
            else:
                d += f"C{one.x:.{n}f} {one.y:.{n}f} {two.x:.{n}f} {two.y:.{n}f} {b.x:.{n}f} {b.y:.{n}f}"
        return d + ("Z" if closed else "")

    # Bodies

    def flat(self, outline: Outline, colour: str, opacity: float = 1, wobble: float = 2.2) -> str:
        """Cut the outline out of one colour; return its path data."""
        d = self.path(outline, wobble=wobble)
        self.put(f'<path d="{d}" fill="{colour}"' + (f' fill-opacity="{opacity}"/>' if opacity < 1 else "/>"))
        return d

    def shadow(self, outline: Outline, dx: float = 34, dy: float = 40, opacity: float = 0.26) -> None:
        """Cast the outline's shadow on the ground, away from the light."""
        with self.at(dx, dy):
            self.flat(outline, INK, opacity)

    @contextmanager
    def body(self, outline: Outline, colour: str, *, cast: float = 0, turn: float = 20) -> Iterator[str]:
        """Cut a lit body and keep the marks made within the block inside it.

        `cast` is how far its shadow falls on the ground, `turn` how wide its own shaded side is.
        """
        if cast:
            self.shadow(outline, cast * 0.8, cast)
        d = self.path(outline)
        self.clips += 1
        self.put(f'<clipPath id="c{self.clips}"><path d="{d}"/></clipPath><g clip-path="url(#c{self.clips})">')
        self.put(f'<path d="{d}" fill="{deeper(colour) if turn else colour}"/>')
        if turn:
            self.put(f'<path d="{d}" fill="{lighter(colour, 0.22)}" transform="translate({-turn} {-turn})"/>')
            self.put(
                f'<path d="{d}" fill="{colour}" transform="translate({-turn / 2} {-turn / 2}) '
                f'translate({turn * 0.3} {turn * 0.3})"/>'
            )
        yield d
        self.put("</g>")

    def solid(self, outline: Outline, colour: str, *, cast: float = 0, turn: float = 20) -> None:
        """Cut a lit body with nothing drawn on it."""
        if cast:
            self.shadow(outline, cast * 0.8, cast)
        d, points = self.path(outline), knots(outline)
        xs, ys = [p.x for p in points], [p.y for p in points]
        width, height = max(xs) - min(xs), max(ys) - min(ys)
        cx, cy = min(xs) + width * 0.3, min(ys) + height * 0.25
        self.put(f'<path d="{d}" fill="{deeper(colour)}"/>')
        for inset, tone in ((0.75, lighter(colour, 0.22)), (1.15, colour)):
            sx, sy = max(1 - inset * turn / width, 0.5), max(1 - inset * turn / height, 0.5)
            self.put(
                f'<path d="{d}" fill="{tone}" transform="translate({cx:.1f} {cy:.1f}) '
                f'scale({sx:.3f} {sy:.3f}) translate({-cx:.1f} {-cy:.1f})"/>'
            )
            cx, cy = cx + width * 0.12, cy + height * 0.12

    # Brush

    def line(self, outline: Outline, colour: str, width: float, opacity: float = 1, closed: bool = False) -> None:
        """Draw a line of even width with round ends."""
        d = self.path(outline, wobble=1.2, closed=closed)
        fade = f' stroke-opacity="{opacity}"' if opacity < 1 else ""
        self.put(
            f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" '
            f'stroke-linejoin="round"{fade}/>'
        )

    def stroke(self, outline: Outline, colour: str, width: float, opacity: float = 1) -> None:
        """Draw one brush stroke along the points: thin where it lands, full in the middle, thin where it leaves."""
        spine: list[tuple[float, float]] = []
        for a, one, two, b in _cut(knots(outline), closed=False):
            for step in range(self.steps):
                t = step / self.steps
                u, v, w, z = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                spine.append((u * a.x + v * one.x + w * two.x + z * b.x, u * a.y + v * one.y + w * two.y + z * b.y))
            end = (b.x, b.y)
        spine.append(end)
        left, right, n = [], [], self.digits
        for i, (x, y) in enumerate(spine):
            px, py = spine[max(i - 1, 0)]
            nx, ny = spine[min(i + 1, len(spine) - 1)]
            length = math.hypot(nx - px, ny - py) or 1
            half = width / 2 * (0.12 + math.sin(math.pi * i / (len(spine) - 1)) ** 0.7) + self.rng.gauss(0, 0.3)
            ox, oy = -(ny - py) / length * half, (nx - px) / length * half
            left.append(f"{x + ox:.{n}f} {y + oy:.{n}f}")
            right.append(f"{x - ox:.{n}f} {y - oy:.{n}f}")
        fade = f' fill-opacity="{opacity}"' if opacity < 1 else ""
        self.put(f'<path d="M{"L".join(left + right[::-1])}Z" fill="{colour}"{fade}/>')

    def strokes(self, outlines: str, colour: str, width: float, opacity: float = 1) -> None:
        """Draw several brush strokes, parted by "/"."""
        for outline in outlines.split("/"):
            self.stroke(outline.strip(), colour, width, opacity)

    # Textures, each one mark however many its parts

    def specks(self, box: Box, colour: str, count: int, size: tuple[float, float] = (3, 7)) -> None:
        """Scatter small uneven dots over the box (x, y, width, height)."""
        d, rng = "", self.rng
        for _ in range(count):
            x, y = box[0] + rng.random() * box[2], box[1] + rng.random() * box[3]
            r, q = rng.uniform(*size), rng.uniform(0.6, 1)
            h, v, low = r * 0.6, r * q, r * q * 0.8
            d += f"M{x - r:.0f} {y:.0f}l{h * 0.7:.1f} {-v:.1f} {h:.1f} {v * 0.1:.1f} {h:.1f} {v:.1f}"
            d += f"{-h * 0.8:.1f} {low:.1f} {-h * 1.2:.1f} {-low * 0.2:.1f}z"
        self.put(f'<path d="{d}" fill="{colour}"/>')

    def seeds(self, box: Box, colour: str, count: int, length: float = 18) -> None:
        """Scatter sesame-like seeds, each turned its own way, over the ellipse within the box."""
        d, rng = "", self.rng
        for _ in range(count):
            a, far = rng.uniform(0, 2 * math.pi), math.sqrt(rng.random())
            x = box[0] + box[2] * (1 + far * math.cos(a)) / 2
            y = box[1] + box[3] * (1 + far * math.sin(a)) / 2
            tilt = rng.uniform(0, math.pi)
            d += f"M{x:.0f} {y:.0f}l{length * math.cos(tilt):.1f} {length * math.sin(tilt):.1f}"
        self.put(f'<path d="{d}" stroke="{colour}" stroke-width="{length * 0.55:.1f}" stroke-linecap="round"/>')

    def grain(self, box: Box, colour: str, count: int, length: float = 60, angle: float = 0) -> None:
        """Scatter dry brush hairs over the box, all leaning `angle` degrees."""
        d, rng = "", self.rng
        for _ in range(count):
            x, y = box[0] + rng.random() * box[2], box[1] + rng.random() * box[3]
            lean, far = math.radians(angle + rng.gauss(0, 5)), length * rng.uniform(0.4, 1)
            d += f"M{x:.0f} {y:.0f}l{far * math.cos(lean):.1f} {far * math.sin(lean):.1f}"
        self.put(f'<path d="{d}" stroke="{colour}" stroke-width="3.4"/>')

    def stitches(self, box: Box, colour: str, size: float = 22, opacity: float = 0.4) -> None:
        """Cover the box with knitted stitches: rows of small V."""
        x0, y0, width, height = box
        size *= 1.15
        d, half, thick, count = "", size / 2, size * 0.3, int(width / size) + 1
        for row in range(int(height / (size * 0.84)) + 1):
            y = y0 + row * size * 0.84 + self.rng.gauss(0, 1)
            there, back = (
                f"l{half:.0f} {half:.0f}l{half:.0f} {-half:.0f}",
                f"l{-half:.0f} {half:.0f}l{-half:.0f} {-half:.0f}",
            )
            d += f"M{x0:.0f} {y:.1f}{there * count}v{thick:.1f}{back * count}z"
        self.put(f'<path d="{d}" fill="{colour}" fill-opacity="{opacity}"/>')

    # Placing

    @contextmanager
    def at(self, x: float, y: float, size: float = 1, turn: float = 0, flip: bool = False) -> Iterator[None]:
        """Draw the marks of the block from another origin, scaled, turned (degrees) or mirrored."""
        mirror = f"{-size} {size}" if flip else f"{size}"
        self.put(f'<g transform="translate({x:.1f} {y:.1f}) rotate({turn:.1f}) scale({mirror})">')
        yield
        self.put("</g>")
