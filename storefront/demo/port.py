"""Valparaíso in parts: corrugated houses, the hill they climb, the bay, boats, stairs and the ascensor."""

import math

from storefront.demo.drawing import BOTTOM, GLOW, LEFT, RIGHT, TOP, Box, Drawing, block, deeper, lighter, oval

SEA, DEEP, FOAM, SKY, SUN = "#4f93ab", "#2c6480", "#e9f1ea", "#cfe3e0", "#f6b64f"
CORAL, MUSTARD, MINT, COBALT, PINK, CREAM, WOOD = (
    "#d9604a",
    "#e5a936",
    "#86b8a0",
    "#3b6ea5",
    "#e29aa0",
    "#f6ead0",
    "#9a6238",
)
FACADES = (CORAL, MUSTARD, MINT, COBALT, PINK, CREAM, "#7a9e4f", "#b5557a", "#5fa3b5")


def window(pic: Drawing, x: float, y: float, width: float, height: float, glass: str = "#3f6f86") -> None:
    """A sash window in a white frame, light falling from the left."""
    rim = width * 0.14
    pic.flat(block(x - rim, y - rim, width + 2 * rim, height + 2 * rim), CREAM)
    pic.flat(block(x, y, width, height), glass)
    pic.flat(f"{x},{y}! {x + width * 0.6},{y}! {x},{y + height * 0.7}!", lighter(glass, 0.35), 0.7)
    pic.line(f"{x + width / 2},{y} {x + width / 2},{y + height}", CREAM, max(width * 0.1, 3))
    pic.line(f"{x},{y + height * 0.45} {x + width},{y + height * 0.45}", CREAM, max(width * 0.1, 3))
    pic.flat(block(x - rim * 1.4, y + height + rim, width + 2.8 * rim, rim), deeper(CREAM, 0.2))


def house(pic: Drawing, plot: Box, colour: str, storeys: int = 2) -> None:
    """A house faced with corrugated iron, its roof leaning away from the light; `plot` is left side,
    ground, width and height."""
    x, base, width, height = plot
    y = base - height
    side = width * 0.2
    pic.flat(
        f"{x + width},{y}! {x + width + side},{y - side * 0.3}! {x + width + side},{base}! {x + width},{base}!",
        deeper(colour, 0.36),
    )
    pic.flat(block(x, y, width, height), colour)
    step = max(width / 16, 7)
    ribs = "".join(f"M{x + n * step:.0f} {y + 2:.0f}V{base:.0f}" for n in range(1, int(width / step) + 1))
    pic.put(f'<path d="{ribs}" stroke="{deeper(colour, 0.16)}" stroke-width="{step * 0.34:.1f}"/>')
    roof = deeper(pic.rng.choice(("#a9473a", "#7d6a60", "#b86a3c")), 0.08)
    pic.flat(
        f"{x - width * 0.06},{y + 4}! {x + width * 0.1},{y - height * 0.14}! "
        f"{x + width + side * 0.9},{y - height * 0.17}! "
        f"{x + width + side * 1.2},{y - side * 0.3}! {x + width * 1.02},{y + 6}!",
        roof,
    )
    gap = height / storeys
    for row in range(storeys):
        for column in range(max(int(width / 85), 1)):
            cell = width / max(int(width / 85), 1)
            wx, wy = x + column * cell + cell * 0.3, y + row * gap + gap * 0.24
            if row == storeys - 1 and column == 0:
                pic.flat(block(wx - cell * 0.06, base - gap * 0.66, cell * 0.44, gap * 0.66), CREAM)
                pic.flat(block(wx, base - gap * 0.6, cell * 0.32, gap * 0.6), deeper(colour, 0.55))
            else:
                window(pic, wx, wy, cell * 0.4, gap * 0.44)


def hillside(pic: Drawing, top: float, base: float, left: float = LEFT, right: float = RIGHT, size: float = 1) -> None:
    """Cover the slope between two heights with small houses, the far ones first."""
    rows = 5
    for row in range(rows):
        y = top + (base - top) * (row + 1) / rows
        tall = (66 + row * 12) * size
        x = left + pic.rng.uniform(-30, 30)
        while x < right:
            width = pic.rng.uniform(0.75, 1.3) * tall
            colour = pic.rng.choice(FACADES)
            lift = pic.rng.uniform(-0.25, 0.25) * tall
            far = 0.36 - row * 0.07
            block_colour = deeper(colour, 0.05) if row else lighter(colour, far)
            pic.flat(block(x, y - tall + lift, width, tall * 2), lighter(block_colour, far))
            pic.flat(block(x + width * 0.82, y - tall + lift, width * 0.18, tall * 2), deeper(block_colour, 0.25))
            pic.flat(
                f"{x - 4},{y - tall + lift + 3}! {x + width * 0.15},{y - tall * 1.22 + lift}! "
                f"{x + width},{y - tall * 1.2 + lift}! "
                f"{x + width + 5},{y - tall + lift + 3}!",
                deeper(pic.rng.choice(("#a9473a", "#7d6a60", "#c07a4a")), 0.05),
            )
            for column in range(2):
                pic.flat(
                    block(x + width * (0.16 + column * 0.34), y - tall * 0.76 + lift, width * 0.17, tall * 0.3),
                    "#35586b",
                )
            if pic.rng.random() < 0.2:
                pic.solid(oval(x - 8, y - tall * 0.5 + lift, tall * 0.3, tall * 0.46, 8), "#5d7f4a", turn=10)
            x += width + pic.rng.uniform(0, 14)


def sea(pic: Drawing, top: float, bottom: float = BOTTOM, colour: str = SEA) -> None:
    """The bay between two heights, with short strokes of light."""
    pic.flat(block(LEFT, top, RIGHT - LEFT, bottom - top), colour)
    for _ in range(70):
        x, t = pic.rng.uniform(LEFT, RIGHT), pic.rng.random()
        y, reach = top + 14 + (bottom - top - 20) * t, 26 + 90 * t
        tone = lighter(colour, 0.45) if pic.rng.random() < 0.6 else deeper(colour, 0.2)
        pic.stroke(f"{x - reach},{y} {x},{y - 5 - 8 * t} {x + reach},{y}", tone, 4 + 9 * t, 0.7)


def sky(pic: Drawing, colour: str = SKY, low: str = "#f3e3c6") -> None:
    """The morning sky, paler towards the horizon."""
    pic.put(
        f'<linearGradient id="sky" x2="0" y2="1"><stop stop-color="{colour}"/><stop offset=".62" stop-color="{low}"/>'
        f'</linearGradient><path d="M{LEFT} {TOP}H{RIGHT}V{BOTTOM}H{LEFT}Z" fill="url(#sky)"/>'
    )


def cloud(pic: Drawing, x: float, y: float, size: float = 1, colour: str = GLOW) -> None:
    with pic.at(x, y, size):
        pic.flat("-150,20! -120,-20 -60,-24 -20,-64 50,-60 80,-20 140,-14 166,20! 0,30", colour, 0.85)


def boat(pic: Drawing, x: float, y: float, size: float = 1, hull: str = CORAL) -> None:
    """A harbour launch with its awning."""
    with pic.at(x, y, size):
        pic.flat("-200,70 0,96 230,70 200,104 0,120 -170,104", "#1d3f55", 0.5)
        for px in (-110, 0, 110):
            pic.line(f"{px},-20 {px},-120", WOOD, 11)
        pic.solid("-150,-112! 0,-136 150,-112! 160,-94! -160,-94!", MUSTARD, turn=8)
        for px, tone in ((-80, COBALT), (-22, CREAM), (46, MINT), (92, PINK)):
            pic.flat(f"{px - 22},4! {px - 20},-40 {px},-50 {px + 20},-40 {px + 22},4!", tone)
            pic.flat(oval(px, -66, 17, 19), "#a9683f")
            pic.flat(f"{px - 18},-68! {px},-92 {px + 18},-68!", deeper("#3a1d24", 0))
        pic.solid("-230,-36! -120,-4 120,-4 260,-60! 226,70 180,92 -170,92 -206,40", hull, turn=22)
        pic.line("-218,-14 -110,22 120,22 246,-30", CREAM, 16)
        pic.line("-200,60 0,72 210,60", "#22485f", 12)


def stairs(pic: Drawing, x: float, base: float, width: float, count: int, colours: tuple[str, ...]) -> None:
    """A painted stair going up and away; each riser another colour."""
    y, tall, wide = base, 58.0, width
    for n in range(count):
        inset = (width - wide) / 2
        tone = colours[n % len(colours)]
        pic.flat(block(x + inset, y - tall, wide, tall), tone)
        pic.flat(block(x + inset, y - tall * 1.3, wide, tall * 0.34), lighter(CREAM, 0.2))
        pic.flat(block(x + inset + wide * 0.86, y - tall, wide * 0.14, tall), deeper(tone, 0.28), 0.7)
        y, wide, tall = y - tall * 1.26, wide * 0.93, tall * 0.94


def ascensor(pic: Drawing, x: float, y: float, size: float = 1, colour: str = CORAL, slope: float = -34) -> None:
    """The funicular's car on its inclined rails; the car stays level."""
    with pic.at(x, y, size):
        with pic.at(0, 0, 1, slope):
            for dy in (96, 150):
                pic.line(f"-1500,{dy} 0,{dy + 3} 1500,{dy}", "#4a3b3a", 15)
            for n in range(-18, 19):
                pic.line(f"{n * 74},84 {n * 74 + 6},164", WOOD, 17)
        pic.solid("-130,60! 150,60! 150,110! -130,196!", "#4a3b3a", turn=12)
        with pic.body("-150,-150! 170,-150! 170,74! -150,74!", colour, turn=16):
            for n in range(17):
                pic.line(f"{-146 + n * 20},10 {-146 + n * 20},80", deeper(colour, 0.2), 5)
            pic.flat(block(-160, 0, 340, 14), CREAM)
        for n in range(3):
            pic.flat(block(-126 + n * 96, -116, 80, 96), CREAM)
            pic.flat(block(-116 + n * 96, -106, 60, 78), "#3f6f86")
            pic.flat(f"{-116 + n * 96},-106! {-76 + n * 96},-106! {-116 + n * 96},-50!", "#9cc4cc", 0.8)
        pic.solid("-176,-146! -140,-190! 160,-190! 196,-146!", "#6d4a3c", turn=10)


def gull(pic: Drawing, x: float, y: float, size: float = 1) -> None:
    with pic.at(x, y, size):
        pic.stroke("-60,-22 -28,-34 0,0", FOAM, 15)
        pic.stroke("0,0 30,-36 66,-20", FOAM, 15)


def person(pic: Drawing, x: float, y: float, size: float, coat: str, walking: bool = True) -> None:
    """A passer-by seen from behind: hair, coat, bag, a step taken."""
    with pic.at(x, y, size):
        stride = 26 if walking else 8
        pic.flat("-30,262 40,252 150,268 60,282", "#22100f", 0.3)
        pic.stroke(f"-16,110 {-stride},190 {-stride - 6},266", "#2f3a52", 44)
        pic.stroke(f"16,110 {stride},184 {stride + 14},256", "#3d4a66", 44)
        pic.solid("-62,-70 -30,-96 30,-96 62,-70 74,60 66,140! 0,150 -66,140! -74,60", coat, turn=20)
        pic.stroke("-60,-70 -92,0 -70,80", deeper(coat, 0.12), 34)
        pic.stroke("60,-70 94,-6 84,74", deeper(coat, 0.25), 34)
        pic.solid(oval(0, -128, 42, 46), "#a9683f", turn=8)
        pic.flat("-46,-120 -44,-170 0,-186 46,-170 48,-116 30,-92 -28,-92", "#33211f")
        pic.line("-40,-88 0,-20 50,40", WOOD, 9)
        pic.solid(block(34, 30, 64, 62, 12), MUSTARD, turn=8)


def swell(pic: Drawing, cx: float, cy: float, radius: float, colour: str, turns: int = 3) -> None:
    """A spiral of paint, as wall painters draw the sea."""
    steps = turns * 8
    pts = [(radius * (1 - n / steps), n * math.tau / 8) for n in range(steps)]
    pic.stroke(
        " ".join(f"{cx + r * math.cos(a):.0f},{cy + r * math.sin(a):.0f}" for r, a in pts), colour, radius * 0.17
    )
