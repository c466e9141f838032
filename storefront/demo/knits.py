"""What Tejidos Illimani knits to wear: sweaters, ponchos, scarves, caps, gloves and socks."""

from collections.abc import Callable, Iterable
from functools import partial

from storefront.demo import grounds
from storefront.demo.drawing import Box, Drawing, Knot, block, deeper, knots, lighter, oval

INDIGO, COCHINEAL, MOSS, ALPACA, OCHRE = "#2f3f75", "#b02a4c", "#66753d", "#efe2c8", "#dd9c2f"
BROWN, GREY, TEAL, PINK, NIGHT = "#6d4632", "#a79d94", "#2f7d7c", "#dd5b83", "#22284a"

Band = tuple[float, str, str, str]
AGUAYO: list[Band] = [
    (26, COCHINEAL, "", ""), (12, OCHRE, "", ""), (46, NIGHT, "diamond", ALPACA), (12, OCHRE, "", ""),
    (30, PINK, "", ""),
    (14, MOSS, "", ""), (10, ALPACA, "", ""), (50, INDIGO, "zigzag", OCHRE), (10, ALPACA, "", ""), (24, TEAL, "", ""),
]  # fmt: skip
EARTH: list[Band] = [(54, ALPACA, "", ""), (12, BROWN, "", ""), (40, "#c9a679", "diamond", BROWN), (12, BROWN, "", ""),
                     (54, ALPACA, "", ""), (26, GREY, "", "")]  # fmt: skip


def mirrored(outline: str) -> list[Knot]:
    """Return the outline seen in a mirror standing at x = 500."""
    return [p._replace(x=1000 - p.x) for p in knots(outline)]


def motif(pic: Drawing, kind: str, x: float, y: float, size: float, colour: str) -> None:
    """Draw one woven figure, `size` tall, about x,y."""
    with pic.at(x, y, size / 100):
        if kind == "diamond":
            pic.flat("-46,0! 0,-44! 46,0! 0,44!", colour)
            pic.flat("-16,0! 0,-16! 16,0! 0,16!", deeper(colour, 0.65))
        elif kind == "zigzag":
            pic.line("-50,34 0,-34 50,34", colour, 20)
        elif kind == "cross":
            pic.flat(
                "-14,-44! 14,-44! 14,-14! 44,-14! 44,14! 14,14! 14,44! -14,44! -14,14! -44,14! -44,-14! -14,-14!",
                colour,
            )
        else:
            pic.flat(
                "-40,44! -40,-2! -30,-10! 18,-8! 20,-46! 32,-56! 36,-44! 52,-40! 52,-30! 38,-26! 38,44! 26,44! "
                "22,14! -22,14! -26,44!",
                colour,
            )


def bands(pic: Drawing, box: Box, order: Iterable[Band]) -> None:
    """Lay woven bands from the top of the box down, over and over, until it is full."""
    x, y, width, height = box
    order, low = list(order), y + height
    while y < low:
        for tall, colour, kind, figure in order:
            if y >= low:
                break
            pic.flat(block(x, y, width, tall + 2), colour, wobble=1.4)
            if kind:
                for n in range(int(width / (tall * 0.95)) + 1):
                    motif(pic, kind, x + tall * 0.5 + n * tall * 0.95, y + tall / 2, tall * 0.8, figure)
            y += tall


def ribbing(pic: Drawing, box: Box, colour: str) -> None:
    """A ribbed edge: close upright strokes."""
    x, y, width, height = box
    pic.flat(block(x, y, width, height), deeper(colour, 0.1))
    for n in range(int(width / 17)):
        pic.stroke(
            f"{x + 9 + n * 17},{y - 4} {x + 10 + n * 17},{y + height / 2} {x + 9 + n * 17},{y + height + 4}",
            deeper(colour, 0.34),
            7,
        )


def fringe(
    pic: Drawing, start: tuple[float, float], end: tuple[float, float], colours: list[str], reach: float = 60
) -> None:
    """Hang threads along an edge, straight down but for the hand's tremble."""
    count = int((abs(end[0] - start[0]) + abs(end[1] - start[1])) / 22)
    for n in range(count + 1):
        x, y = (start[i] + (end[i] - start[i]) * n / count for i in (0, 1))
        lean = pic.rng.gauss(0, 6)
        pic.line(f"{x},{y - 8} {x + lean * 0.4},{y + reach / 2} {x + lean},{y + reach}", colours[n % len(colours)], 9)


TORSO = (
    "408,182! 300,226 284,300 290,430 284,640 288,836! 500,850 712,836! 716,640 710,430 "
    "716,300 700,226 592,182! 560,236 500,254 440,236"
)
SLEEVE = "306,222! 220,286 150,440 82,690! 130,716 206,730! 250,600 300,470 320,330"


def jumper(
    pic: Drawing, colour: str, decor: Callable[[Drawing], None], on_sleeve: Callable[[Drawing], None], long: float = 1
) -> None:
    """A sweater laid flat: sleeves first, then the body with its collar and ribs."""
    with pic.at(500, 500, 1.04), pic.at(-500, -520):
        for sleeve in (knots(SLEEVE), mirrored(SLEEVE)):
            with pic.body(sleeve, colour, cast=40, turn=24):
                pic.stitches((min(p.x for p in sleeve), 220, 250, 520), deeper(colour), 22)
                on_sleeve(pic)
        for x, turn in ((143, 15), (857, -15)):
            with pic.at(x, 706, turn=turn):
                ribbing(pic, (-68, -44, 136, 64), colour)
        torso = [p._replace(y=182 + (p.y - 182) * long) for p in knots(TORSO)]
        with pic.body(torso, colour, cast=30, turn=24):
            pic.stitches((270, 180, 460, 690 * long), deeper(colour), 22)
            decor(pic)
            ribbing(pic, (270, 182 + 604 * long, 460, 90), colour)
            pic.stroke("320,560 330,420 312,300", deeper(colour, 0.4), 16, 0.5)
            pic.stroke("690,560 676,420 690,300", deeper(colour, 0.4), 16, 0.5)
        pic.line("412,188 452,240 500,256 548,240 588,188", deeper(colour, 0.14), 44)
        pic.line("414,184 454,234 500,250 546,234 586,184", lighter(colour, 0.14), 26)
        pic.line("430,182 500,196 570,182", deeper(colour, 0.5), 20)


def nothing(pic: Drawing) -> None:
    """Leave the part as it is."""


def chest_bands(pic: Drawing) -> None:
    bands(pic, (262, 330, 480, 236), AGUAYO)


def sleeve_bands(pic: Drawing) -> None:
    bands(pic, (40, 400, 920, 150), AGUAYO[1:7])


def cables(pic: Drawing, columns: Iterable[float] = (360, 430, 500, 570, 640)) -> None:
    for n, x in enumerate(columns):
        for y in range(200, 800, 76):
            if n % 2:
                pic.stroke(f"{x},{y - 10} {x + 18},{y + 30} {x},{y + 70}", deeper(ALPACA, 0.22), 10)
            else:
                pic.stroke(f"{x - 26},{y} {x + 4},{y + 34} {x + 26},{y + 84}", deeper(ALPACA, 0.42), 26)
                pic.stroke(f"{x - 30},{y - 4} {x},{y + 30} {x + 22},{y + 80}", lighter(ALPACA, 0.6), 18)
                pic.stroke(f"{x + 26},{y + 2} {x + 16},{y + 24} {x + 6},{y + 34}", deeper(ALPACA, 0.3), 18)


def llamas(pic: Drawing) -> None:
    bands(
        pic,
        (262, 330, 480, 196),
        [
            (14, ALPACA, "", ""),
            (24, OCHRE, "", ""),
            (120, INDIGO, "llama", ALPACA),
            (24, OCHRE, "", ""),
            (14, ALPACA, "", ""),
        ],
    )


def buttoned(pic: Drawing, colour: str, buttons: int) -> None:
    pic.flat("470,180! 530,180! 540,900! 460,900!", deeper(colour, 0.2))
    pic.stroke("468,210 462,520 462,840", deeper(colour, 0.55), 9)
    for n in range(buttons):
        pic.solid(oval(502, 318 + n * 104, 25), "#f2dcb0", cast=8, turn=8)
        for dx, dy in ((-7, -6), (7, -6), (-7, 7), (7, 7)):
            pic.flat(oval(502 + dx, 318 + n * 104 + dy, 4, count=5), BROWN)
    for x in (318, 566):
        pic.line(f"{x},650 {x},760 {x + 58},772 {x + 116},760 {x + 116},650", deeper(colour, 0.4), 8)
        ribbing(pic, (x, 640, 116, 34), colour)


def open_front(pic: Drawing) -> None:
    bands(pic, (262, 560, 480, 150), EARTH[1:4])
    pic.flat("430,180! 570,180! 540,420 536,920! 464,920! 460,420", "#e4d2b4")
    pic.stitches((440, 200, 120, 640), "#c2a987", 18)
    for x in (440, 560):
        pic.stroke(f"{x},190 {500 + (x - 500) * 0.62},420 {500 + (x - 500) * 0.6},850", deeper(BROWN, 0.3), 26)


def garment(pic: Drawing, ground: Callable[[Drawing], None], draw: Callable[[Drawing], None]) -> None:
    ground(pic)
    draw(pic)


def poncho(pic: Drawing) -> None:
    grounds.weave(pic, "#e7d3ad", "#d3b984")
    cloth = (
        "470,170! 160,330 60,560 130,700! 480,890 500,900! 520,890 870,700! 940,560 840,330 530,170! 506,300 500,312!"
    )
    fringe(pic, (128, 700), (500, 898), [NIGHT, COCHINEAL], 66)
    fringe(pic, (500, 898), (872, 700), [NIGHT, COCHINEAL], 66)
    with pic.body(cloth, COCHINEAL, cast=44, turn=30):
        for side in (-1, 1):
            with pic.at(500, 480, turn=side * 62):
                if side < 0:
                    pic.flat(block(-900, 0, 900, 1200), deeper(COCHINEAL, 0.12))
        for x, tone in ((90, NIGHT), (150, OCHRE), (190, INDIGO), (260, PINK), (300, MOSS), (350, NIGHT), (420, OCHRE)):
            for s in (-1, 1):
                pic.line(
                    f"{500 + s * x},120 {500 + s * (x + 26)},520 {500 + s * (x + 40)},960",
                    tone,
                    34 if tone in {NIGHT, INDIGO} else 15,
                )
        for y in range(170, 900, 54):
            for s in (-1, 1):
                motif(pic, "diamond", 500 + s * (191 + (y - 120) * 0.05), y, 44, ALPACA)
                motif(pic, "cross", 500 + s * (352 + (y - 120) * 0.05), y + 20, 32, OCHRE)
        pic.stitches((60, 160, 880, 740), deeper(COCHINEAL, 0.4), 20, 0.18)
        pic.stroke("500,310 496,600 500,900", deeper(COCHINEAL, 0.5), 16, 0.7)
    pic.line("470,172 494,300 500,316 506,300 530,172", OCHRE, 20)
    pic.flat("470,170! 500,178 530,170! 506,296 500,306! 494,296", deeper(COCHINEAL, 0.7))


def shawl(pic: Drawing) -> None:
    grounds.boards(pic, "#7d8f8f", -6, 210)
    cloth = "60,240! 500,200 940,240! 760,540 500,868! 240,540"
    fringe(pic, (64, 246), (500, 868), [TEAL, ALPACA], 80)
    fringe(pic, (500, 868), (936, 246), [TEAL, ALPACA], 80)
    with pic.body(cloth, TEAL, cast=40, turn=22):
        for n in range(1, 8):
            s = 1 - n * 0.115
            tone = (lighter(TEAL, 0.45), deeper(TEAL, 0.3))[n % 2]
            pic.line(
                f"{500 - 440 * s},{214 + 0 * s} {500 - 250 * s},{214 + 330 * s} 500,{214 + 640 * s} "
                f"{500 + 250 * s},{214 + 330 * s} {500 + 440 * s},214",
                tone,
                11,
            )
            for k in range(9 - n):
                for side in (-1, 1):
                    t = (k + 0.5) / (9 - n)
                    motif(pic, "diamond", 500 + side * 405 * s * t, 214 + 600 * s * (1 - t), 30, lighter(TEAL, 0.6))
        pic.stitches((60, 200, 880, 680), deeper(TEAL, 0.4), 18, 0.25)
    pic.stroke("70,236 500,204 930,236", lighter(TEAL, 0.5), 18)


def scarf(pic: Drawing) -> None:
    grounds.weave(pic, "#e0b56b", "#cb9a4a")
    for x, top, low, turn in ((360, 300, 860, 5), (600, 300, 780, -4)):
        with pic.at(x, top, turn=turn):
            fringe(pic, (-86, low - top), (96, low - top), [INDIGO, OCHRE], 76)
            with pic.body(f"-96,-60! 100,-60! 104,{low - top}! -96,{low - top}!", INDIGO, cast=36, turn=20):
                bands(pic, (-110, low - top - 300, 230, 290), AGUAYO)
                pic.stitches((-100, -60, 210, low - top), deeper(INDIGO, 0.5), 18, 0.35)
    loop = "240,330 260,200 380,130 500,120 640,134 730,210 740,330 700,390 600,330 500,300 400,320 300,390"
    with pic.body(loop, INDIGO, cast=26, turn=24):
        pic.stitches((230, 110, 520, 300), deeper(INDIGO, 0.5), 18, 0.4)
        pic.strokes("280,330 300,220 420,170 540,166 / 320,350 360,250 480,214 620,230", deeper(INDIGO, 0.45), 22, 0.7)
        pic.strokes("560,140 660,180 716,270", lighter(INDIGO, 0.3), 16, 0.6)


def pompom(pic: Drawing, x: float, y: float, radius: float, colours: tuple[str, ...]) -> None:
    pic.shadow(oval(x, y, radius), 14, 16)
    pic.flat(oval(x, y, radius, count=9), deeper(colours[0], 0.3))
    for _ in range(int(radius * 1.6)):
        a, b = pic.rng.gauss(0, 0.46) * radius, pic.rng.gauss(0, 0.46) * radius
        pic.stroke(f"{x},{y} {x + a * 0.9},{y + b * 0.9} {x + a * 1.6},{y + b * 1.6}", pic.rng.choice(colours), 10)


def chullo(pic: Drawing) -> None:
    grounds.weave(pic, "#c9d3c4", "#a9b9a4")
    for side in (-1, 1):
        x = 500 + side * 250
        pic.line(f"{x},740 {x + side * 16},830 {x - side * 6},900", NIGHT, 24)
        pic.line(f"{x},740 {x + side * 16},830 {x - side * 6},900", OCHRE, 7)
        pompom(pic, x - side * 6, 930, 40, (PINK, OCHRE, TEAL))
    cap = (
        "500,130! 600,170 710,330 750,520 790,560! 810,660 750,770! 690,700 650,600! 500,624 "
        "350,600! 310,700 250,770! 190,660 "
        "210,560! 250,520 290,330 400,170"
    )
    with pic.body(cap, COCHINEAL, cast=44, turn=30):
        bands(
            pic,
            (180, 400, 640, 200),
            [
                (18, OCHRE, "", ""),
                (12, NIGHT, "", ""),
                (104, INDIGO, "llama", ALPACA),
                (12, NIGHT, "", ""),
                (18, OCHRE, "", ""),
                (36, TEAL, "zigzag", ALPACA),
            ],
        )
        bands(
            pic,
            (180, 250, 640, 100),
            [(12, ALPACA, "", ""), (56, NIGHT, "diamond", PINK), (12, ALPACA, "", ""), (20, MOSS, "", "")],
        )
        pic.stitches((180, 120, 640, 660), deeper(COCHINEAL, 0.5), 18, 0.28)
        for side in (-1, 1):
            motif(pic, "cross", 500 + side * 250, 670, 66, OCHRE)
        pic.stroke("330,580 300,440 380,230", "#fff3d6", 26, 0.16)
    pompom(pic, 500, 120, 62, (OCHRE, PINK, COCHINEAL))


def beanie(pic: Drawing) -> None:
    grounds.plain(pic, "#d9805f")
    with pic.body(
        "500,200 650,230 760,380 796,620 790,700! 500,724 210,700! 204,620 240,380 350,230", "#7f8f55", cast=46, turn=34
    ):
        for n in range(-5, 6):
            pic.stroke(f"{500 + n * 16},210 {500 + n * 44},420 {500 + n * 56},720", deeper("#7f8f55", 0.34), 18)
            pic.stroke(f"{508 + n * 16},214 {514 + n * 44},420 {514 + n * 56},720", lighter("#7f8f55", 0.3), 9, 0.7)
        pic.stitches((200, 200, 600, 540), deeper("#7f8f55", 0.4), 17, 0.3)
    with pic.body("190,640! 500,662 810,640! 822,760 806,850! 500,880 194,850! 178,760", "#8d9d62", cast=22, turn=20):
        for n in range(38):
            pic.stroke(f"{190 + n * 17},640 {192 + n * 17},750 {190 + n * 17},880", deeper("#7f8f55", 0.36), 8)
    pic.solid(block(600, 720, 90, 66, 8), ALPACA, cast=6, turn=6)
    motif(pic, "llama", 645, 754, 40, BROWN)
    pompom(pic, 500, 180, 96, (ALPACA, "#dccaa6", "#fff6e2"))


GLOVE = (
    "-110,330! -116,160 -150,60 -150,-20 -136,-190 -112,-220 -84,-190 -76,-60 -62,-60 "
    "-54,-280 -26,-312 4,-280 4,-64 18,-64 40,-262 "
    "66,-288 92,-258 78,-50 92,-40 124,-180 148,-196 170,-170 156,20 214,-54 246,-60 256,-26 190,120 120,210 112,330!"
)
MITTEN = (
    "-110,330! -118,160 -150,40 -146,-110! -60,-122 40,-120 150,-100! 152,10 206,-30 "
    "250,-10! 216,70 150,150 116,220 112,330!"
)


def handwear(
    pic: Drawing, ground: Callable[[Drawing], None], outline: str, colours: tuple[str, str], figure: str
) -> None:
    ground(pic)
    colour, trim = colours
    for x, y, turn, flip in ((310, 520, -9, True), (690, 500, 8, False)):
        hand = [p._replace(x=p.x * (-1 if flip else 1)) for p in knots(outline)]
        with pic.at(x, y, 1.14, turn), pic.body(hand, colour, cast=38, turn=18):
            bands(
                pic,
                (-200, 20, 460, 140),
                [
                    (10, trim, "", ""),
                    (12, ALPACA, "", ""),
                    (92, colour, figure, trim),
                    (12, ALPACA, "", ""),
                    (10, trim, "", ""),
                ],
            )
            pic.stitches((-270, -320, 540, 660), deeper(colour, 0.5), 16, 0.3)
            ribbing(pic, (-130, 236, 260, 110), trim)


def socks(pic: Drawing) -> None:
    grounds.boards(pic, "#c79158", 14)
    sock = (
        "-120,-360! 0,-372 118,-360! 112,-100 124,80 210,190 320,240 350,310 310,374 190,390 "
        "20,350 -80,260 -130,120 -124,-100"
    )
    for x, y, turn, tone, heel in ((290, 470, 8, ALPACA, COCHINEAL), (570, 500, -7, ALPACA, INDIGO)):
        with pic.at(x, y, 1.02, turn), pic.body(sock, tone, cast=40, turn=20):
            bands(
                pic,
                (-150, -250, 300, 330),
                [
                    (22, heel, "", ""),
                    (10, OCHRE, "", ""),
                    (60, NIGHT, "diamond", ALPACA),
                    (10, OCHRE, "", ""),
                    (30, TEAL, "", ""),
                    (22, ALPACA, "", ""),
                ],
            )
            pic.flat("-140,110! -20,130 10,220 -60,300! -150,240", heel)
            pic.flat("240,160! 220,260 260,400! 400,380 380,240", heel)
            pic.stitches((-150, -370, 520, 780), BROWN, 17, 0.22)
            ribbing(pic, (-140, -380, 280, 96), heel)


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "sueter-aguayo": partial(
        garment,
        ground=partial(grounds.weave, colour="#e9d7b3", thread="#d6bd8c"),
        draw=partial(jumper, colour=INDIGO, decor=chest_bands, on_sleeve=sleeve_bands),
    ),
    "sueter-ochos": partial(
        garment,
        ground=partial(grounds.plain, colour="#a94b4f"),
        draw=partial(jumper, colour=ALPACA, decor=cables, on_sleeve=nothing),
    ),
    "sueter-llamitas": partial(
        garment,
        ground=partial(grounds.boards, colour="#d8b27a", turn=-8),
        draw=partial(jumper, colour=MOSS, decor=llamas, on_sleeve=nothing, long=0.86),
    ),
    "cardigan-botones": partial(
        garment,
        ground=partial(grounds.weave, colour="#aebfb8", thread="#93a89f"),
        draw=partial(jumper, colour=COCHINEAL, decor=partial(buttoned, colour=COCHINEAL, buttons=5), on_sleeve=nothing),
    ),
    "saco-largo": partial(
        garment,
        ground=partial(grounds.plain, colour="#c8924f"),
        draw=partial(jumper, colour=BROWN, decor=open_front, on_sleeve=nothing, long=1.12),
    ),
    "poncho": poncho,
    "chal": shawl,
    "bufanda": scarf,
    "chullo": chullo,
    "gorro": beanie,
    "guantes": partial(
        handwear,
        ground=partial(grounds.weave, colour="#dcb06a", thread="#c4934a"),
        outline=GLOVE,
        colours=(INDIGO, COCHINEAL),
        figure="diamond",
    ),
    "mitones": partial(
        handwear,
        ground=partial(grounds.plain, colour="#5f8a84"),
        outline=MITTEN,
        colours=(ALPACA, BROWN),
        figure="cross",
    ),
    "medias": socks,
}
