"""Oven breads of La Espiga, seen from above on cloth, mat and board."""

import math
from collections.abc import Callable
from functools import partial

from storefront.demo import grounds
from storefront.demo.drawing import Drawing, block, deeper, knots, lighter, oval

CREAM, MAIZE, TERRA, CACAO, ROSE = "#f8e7c4", "#eeb33f", "#c2593a", "#5d3425", "#e08a8c"
CRUST, GOLD, CRUMB, BLUE, LEAF = "#cf8638", "#e3a44c", "#f4d9a2", "#3f6f8f", "#6f7f3d"


def crumbs(pic: Drawing, colour: str = CRUST, around: float = 470) -> None:
    """Leave crumbs where bread has been."""
    for _ in range(22):
        a, far = pic.rng.uniform(0, math.tau), around * pic.rng.uniform(0.86, 1.12)
        x, y, r = 500 + far * math.cos(a), 540 + far * math.sin(a) * 0.86, pic.rng.uniform(4, 12)
        pic.flat(oval(x + 4, y + 5, r, r * 0.8, 5), deeper(colour, 0.5), 0.35)
        pic.flat(oval(x, y, r, r * 0.8, 5), colour)


def bolillo(pic: Drawing, x: float, y: float, size: float = 1, turn: float = 0) -> None:
    """One bolillo: pointed ends, a long split showing the crumb."""
    with pic.at(x, y, size, turn):
        loaf = "-372,10! -345,-34 -230,-128 0,-168 230,-128 345,-34 372,10! 300,70 170,142 0,160 -170,142 -300,70"
        with pic.body(loaf, CRUST, cast=44, turn=30):
            pic.grain((-340, -150, 680, 300), lighter(CRUST, 0.22), 60, 70)
            pic.specks((-340, -150, 680, 300), deeper(CRUST, 0.22), 70)
            pic.flat("-262,-20! -140,-84 20,-100 170,-72 272,-14! 160,-20 20,-30 -120,-14", deeper(CRUST, 0.38))
            pic.flat("-250,-18! -130,-70 20,-84 160,-60 258,-14! 150,-34 20,-46 -110,-30", CRUMB)
            pic.strokes("-200,-38 -100,-62 0,-72 / 40,-66 120,-58 200,-34", "#fffaea", 9)
            pic.strokes("-300,40 -180,100 0,122 180,100 / -250,66 -120,122 60,134", deeper(CRUST, 0.3), 12, 0.5)
            pic.strokes("-280,-56 -180,-112 -60,-140 / -40,-144 30,-150 110,-138", lighter(GOLD, 0.5), 15, 0.85)


def bolillos(pic: Drawing) -> None:
    grounds.checks(pic, CREAM, MAIZE)
    bolillo(pic, 560, 330, 0.86, -24)
    bolillo(pic, 470, 630, 1.12, -14)
    crumbs(pic)


def concha_on(pic: Drawing, sugar: str, cx: float, cy: float, radius: float) -> None:
    """One concha: a round bun under a shell of coloured sugar paste cut in curved ribs."""
    with pic.at(cx, cy, radius / 300):
        with pic.body(oval(0, 14, 312, 288, 16), CRUST, cast=46, turn=26):
            pic.specks((-300, 120, 600, 200), deeper(CRUST, 0.2), 60)
        shell = oval(-4, -14, 284, 252, 16)
        with pic.body(shell, sugar, turn=22):
            pic.grain((-280, -260, 560, 520), lighter(sugar, 0.28), 90, 26, 60)
            for reach in (-2.6, -1.7, -0.95, -0.3, 0.3, 0.95, 1.7, 2.6):
                bend, end = reach * 105, reach * 128
                pic.stroke(
                    f"{reach * 8},270 {bend * 0.95},120 {bend * 1.08},-40 {end * 0.8},-290", deeper(sugar, 0.42), 21
                )
                pic.stroke(
                    f"{reach * 8 + 9},270 {bend * 0.95 + 12},120 {bend * 1.08 + 11},-40 {end * 0.8 + 8},-290",
                    CRUMB,
                    9,
                    0.9,
                )
            pic.specks((-260, -240, 520, 480), lighter(sugar, 0.55), 130, (2, 6))
            pic.specks((-260, -240, 520, 480), deeper(sugar, 0.14), 60, (2, 5))
        pic.strokes("-236,-110 -180,-196 -80,-240", "#fffaf0", 16, 0.75)


def concha(pic: Drawing, sugar: str, ground: Callable[[Drawing], None]) -> None:
    ground(pic)
    concha_on(pic, sugar, 500, 520, 372)
    crumbs(pic, sugar)


def muerto_on(pic: Drawing, sugared: bool = True) -> None:
    """A bread of the dead about 0,0: round, crossed by dough bones, a ball on top."""
    with pic.body(oval(0, 20, 390, 350, 18), CRUST, cast=54, turn=34):
        pic.grain((-380, -330, 760, 700), lighter(CRUST, 0.19), 110, 46, 20)
        pic.strokes("-330,120 -200,270 20,330 / 60,334 220,270 330,130", deeper(CRUST, 0.34), 26, 0.5)
    for turn in (8, 98, 188, 278):
        with pic.at(0, 0, turn=turn):
            bone = "60,-40 120,-52 170,-30 224,-34 282,-60 330,-40 336,0 330,42 282,62 224,36 170,32 120,54 60,40"
            pic.shadow(bone, 10, 14, 0.3)
            pic.solid(bone, GOLD, turn=14)
            pic.strokes("96,-22 130,-30 168,-10 / 250,-26 286,-38 312,-28", lighter(GOLD, 0.6), 12)
    with pic.body(oval(0, -10, 92, 86), GOLD, cast=18, turn=20):
        pic.strokes("-52,-40 -24,-64 16,-70", lighter(GOLD, 0.7), 16)
    if sugared:
        pic.seeds((-350, -300, 700, 620), "#fffdf4", 420, 7)


def muerto(pic: Drawing) -> None:
    grounds.leaves(pic, "#e8892f", "#c9611f", "#f6c14b")
    grounds.plate(pic, "#f7ecd4", BLUE, rx=476)
    with pic.at(500, 530, 0.84):
        muerto_on(pic)
    for x, y, size in ((120, 170, 1.0), (905, 860, 0.9), (215, 905, 0.62)):
        marigold(pic, x, y, size)


def marigold(pic: Drawing, x: float, y: float, size: float = 1) -> None:
    """A cempasúchil flower of three rings of petals."""
    with pic.at(x, y, size):
        pic.shadow(oval(0, 0, 112), 20, 24)
        for ring, tone in ((112, "#d96a14"), (84, "#ef8d1c"), (52, "#f7ad33")):
            for turn in range(0, 360, 30):
                with pic.at(0, 0, turn=turn + ring):
                    pic.flat(
                        f"{ring * 0.25},-6 {ring * 0.8},{-ring * 0.24} {ring * 1.08},-4! {ring * 0.8},{ring * 0.24}",
                        tone,
                    )
        pic.specks((-24, -24, 48, 48), "#b9500f", 16, (3, 6))


def yema(pic: Drawing) -> None:
    grounds.stripes(pic, "#f3e2bd", [TERRA, MAIZE, "#7f8f4d"])
    for x, y, size in ((660, 340, 0.74), (430, 590, 1.04)):
        with pic.at(x, y, size):
            with pic.body(oval(0, 0, 350, 312, 16), "#d88a2e", cast=50, turn=34):
                pic.grain((-330, -300, 660, 600), lighter(GOLD, 0.17), 90, 50, 12)
                pic.strokes("-300,60 -190,220 10,284 / 60,284 220,220 310,80", deeper(CRUST, 0.36), 30, 0.5)
                pic.strokes("-262,-90 -170,-210 -20,-264 / 10,-262 60,-258 110,-240", lighter(MAIZE, 0.6), 24, 0.85)
                pic.flat("-150,-18! -60,-66 60,-70 170,-24! 60,-32 -50,-30", deeper(CRUST, 0.3), 0.8)
                pic.flat("-130,-18! -50,-50 60,-54 150,-24! 60,-38 -40,-38", "#f6cf6b")
            pic.seeds((-230, -230, 460, 420), "#fbeed0", 90, 20)
            pic.seeds((-230, -230, 460, 420), "#e6c98f", 30, 18)


def oreja(pic: Drawing) -> None:
    grounds.tiles(pic, "#dfeaea", "#5b93a8", MAIZE)
    for x, y, size, turn in ((655, 330, 0.72, 16), (430, 600, 1.05, -8)):
        with pic.at(x, y, size, turn):
            ear = (
                "0,-130! -70,-250 -230,-290 -350,-200 -372,-30 -270,110 -110,210 0,300! "
                "110,210 270,110 372,-30 350,-200 230,-290 70,-250"
            )
            with pic.body(ear, "#dc9a43", cast=44, turn=24):
                pic.grain((-380, -300, 760, 620), lighter(GOLD, 0.22), 70, 40, 60)
                for side in (-1, 1):
                    for k in range(5):
                        s = 1 - k * 0.19
                        pts = (
                            f"{side * 12},{280 * s - 10} {side * 150 * s},{170 * s} {side * 310 * s},{30 * s} "
                            f"{side * 330 * s},{-150 * s - 6} "
                            f"{side * 200 * s},{-250 * s - 12} {side * 90 * s},{-190 * s - 20}"
                        )
                        pic.stroke(pts, deeper("#b86f22", 0.12 + 0.06 * k), 19)
                        with pic.at(-7, -8):
                            pic.stroke(pts, CRUMB, 8, 0.8)
                pic.seeds((-330, -280, 660, 520), "#fffbea", 190, 7)
    crumbs(pic)


def cuernito(pic: Drawing) -> None:
    grounds.leaves(pic, "#f2e3bf", "#c9a95b", TERRA, 200)
    for x, y, size, turn in ((560, 300, 0.78, 168), (480, 610, 1.06, -8)):
        with pic.at(x, y, size, turn):
            horn = (
                "-390,190! -400,60 -330,-90 -180,-190 0,-222 180,-190 330,-90 400,60 390,190! 330,196 270,120 "
                "170,60 0,44 -170,60 -270,120 -330,196"
            )
            with pic.body(horn, "#d08a3a", cast=46, turn=26):
                pic.grain((-400, -220, 800, 400), lighter(GOLD, 0.19), 80, 40, 84)
                for px, top, low, lean in (
                    (-296, -110, 140, -70),
                    (-190, -190, 84, -44),
                    (-66, -224, 56, -16),
                    (66, -224, 56, 16),
                    (190, -190, 84, 44),
                    (296, -110, 140, 70),
                ):
                    mid = (top + low) / 2
                    pic.stroke(f"{px + lean},{top} {px + 6},{mid} {px - lean * 0.3},{low}", deeper(CRUST, 0.45), 22)
                    pic.stroke(
                        f"{px + lean + 14},{top} {px + 24},{mid} {px - lean * 0.3 + 12},{low}", lighter(GOLD, 0.5), 12
                    )
                pic.strokes(
                    "-110,-186 0,-206 100,-188 / -250,-130 -200,-164 -150,-184 / 170,-176 220,-150 260,-116",
                    lighter(GOLD, 0.75),
                    16,
                    0.8,
                )
    crumbs(pic)


def empanada(pic: Drawing) -> None:
    grounds.boards(pic, "#a8683f", -12)
    grounds.paper(pic, "#f4e6c8", -6)
    for x, y, size, turn in ((560, 350, 0.72, 9), (470, 620, 1, -7)):
        with pic.at(x, y, size, turn):
            crimps = " ".join(
                f"{390 * math.cos(a):.0f},{-40 + (236 + (16 if i % 2 else -12)) * math.sin(a):.0f}"
                for i, a in enumerate(math.pi * n / 22 for n in range(23))
            )
            with pic.body("-396,-50! -250,-140 0,-178 250,-140 396,-50! " + crimps, "#d6913f", cast=44, turn=24):
                pic.grain((-380, -180, 760, 400), lighter(GOLD, 0.22), 70, 60, 6)
                for n in range(1, 22):
                    a = math.pi * n / 22
                    cx, cy = 372 * math.cos(a), -44 + 226 * math.sin(a)
                    pic.stroke(f"{cx},{cy} {cx * 0.92},{cy - 24} {cx * 0.84},{cy - 62}", deeper(CRUST, 0.36), 12)
                pic.line("-330,-30 -240,80 -60,136 60,136 240,80 330,-30", deeper(CRUST, 0.24), 8, 0.6)
                pic.strokes("-240,-84 -100,-134 60,-144 / 90,-140 150,-130 210,-108", lighter(GOLD, 0.7), 20, 0.85)
                for px in (-70, 0, 70):
                    pic.stroke(f"{px - 16},-30 {px},-4 {px + 16},30", deeper(TERRA, 0.25), 16)
                pic.seeds((-300, -150, 600, 260), "#fffaf0", 130, 7)
    crumbs(pic)


def polvoron(pic: Drawing) -> None:
    grounds.plain(pic, "#d8735a")
    grounds.paper(pic, "#f6ead0", 5)
    spots = (
        (330, 350, "#f3c9a4"),
        (660, 330, "#8a5638"),
        (500, 520, "#efc0b4"),
        (310, 690, "#8a5638"),
        (690, 690, "#f3d9a4"),
    )
    for x, y, dough in spots:
        with pic.at(x, y, 0.62, pic.rng.uniform(-40, 40)):
            with pic.body(oval(0, 0, 240, 222, 14), dough, cast=36, turn=26):
                pic.grain((-220, -210, 440, 420), lighter(dough, 0.28), 40, 30, 60)
                pic.strokes(
                    "-130,-20 -60,-44 0,-20 70,-40 130,-10 / -20,-26 -10,40 30,110 / 60,-36 90,-80 80,-130",
                    deeper(dough, 0.2),
                    9,
                )
                pic.specks((-200, -200, 400, 400), "#fffdf6", 220, (3, 8))
            pic.strokes("-170,-90 -110,-160 -20,-186", "#fffdf6", 20, 0.85)
    crumbs(pic, "#f7ecd8", 420)


def rosca(pic: Drawing) -> None:
    grounds.checks(pic, "#f6ecd8", "#a9504a", 170)
    with pic.at(500, 530):
        ring, hole = oval(0, 0, 410, 352, 18), oval(0, 0, 170, 132, 14)
        pic.shadow(ring, 40, 50)
        with pic.body(ring, "#d58f3c", turn=30):
            pic.grain((-400, -350, 800, 700), lighter(GOLD, 0.19), 130, 60, 20)
            for n in range(14):
                a = math.tau * n / 14
                c, s = math.cos(a), math.sin(a)
                pic.stroke(
                    f"{180 * c},{140 * s} {300 * math.cos(a + 0.12)},{255 * math.sin(a + 0.12)} {410 * c},{352 * s}",
                    deeper(CRUST, 0.2),
                    15,
                    0.7,
                )
            pic.strokes("-340,-110 -240,-250 -80,-312 / -20,-318 80,-312 170,-284", lighter(GOLD, 0.75), 26, 0.8)
        pic.flat(hole, deeper("#d58f3c", 0.5))
        pic.flat(oval(14, 20, 152, 112, 14), "#f6ecd8")
        pic.flat(oval(34, 36, 112, 76, 14), "#a9504a", 0.4)
        for n in range(12):
            with pic.at(0, 0, 1, 0):
                a = math.tau * (n + 0.3) / 12
                with pic.at(292 * math.cos(a), 246 * math.sin(a), 1, math.degrees(a) + 90):
                    tone = ("#b8322f", "#4d8a45", "#f1d38b", "#d7611f")[n % 4]
                    strip = block(-64, -26, 128, 52, 20) if n % 2 else oval(0, 0, 50, 40)
                    pic.solid(strip, tone, cast=10, turn=12)
                    pic.strokes("-30,-12 0,-18 28,-12", "#fff6e0", 8, 0.8)
        pic.seeds((-380, -320, 760, 640), "#fffdf2", 150, 8)


def integral(pic: Drawing) -> None:
    grounds.boards(pic, "#b9814f", 8)
    brown = "#96592f"
    loaf = "-400,-40 -380,-150 -250,-196 0,-206 250,-196 380,-150 400,-40 392,120 340,170 0,184 -340,170 -392,120"
    with pic.at(500, 470, 1, -10):
        with pic.body(loaf, brown, cast=56, turn=34):
            pic.grain((-390, -200, 780, 380), lighter(brown, 0.17), 120, 60, 4)
            for x in (-220, -70, 80, 230):
                pic.flat(f"{x - 44},-140! {x + 30},-70 {x + 54},70! {x - 4},-40", deeper(brown, 0.4))
                pic.flat(f"{x - 36},-126! {x + 22},-60 {x + 44},50! {x - 8},-40", "#d9ae74")
            pic.strokes("-330,-110 -230,-164 -120,-176 / 0,-182 110,-178 190,-166", lighter("#c98a50", 0.4), 20, 0.8)
        pic.seeds((-350, -180, 700, 300), "#f0d9a6", 120, 22)
        pic.seeds((-350, -180, 700, 300), "#4b2d1c", 34, 20)
    for x, turn in ((330, -26), (560, -14)):
        with (
            pic.at(x + 60, 800, 0.62, turn),
            pic.body("-190,-60 -150,-150 0,-170 150,-150 190,-60 176,150 0,164 -176,150", brown, cast=30, turn=0),
        ):
            pic.flat("-166,-54 -130,-126 0,-144 130,-126 166,-54 152,128 0,140 -152,128", "#d9b27c")
            pic.specks((-150, -130, 300, 260), "#b98a52", 60, (4, 10))
            pic.specks((-150, -130, 300, 260), "#5f3a21", 20, (4, 7))


def mantecada(pic: Drawing) -> None:
    grounds.mat(pic, "#e0bc72")
    for x, y, size in ((360, 360, 0.72), (680, 400, 0.76), (490, 660, 1)):
        with pic.at(x, y, size):
            cup = [
                k._replace(x=k.x * (1.07 if i % 2 else 0.97), y=k.y * (1.07 if i % 2 else 0.97), sharp=True)
                for i, k in enumerate(oval(0, 0, 266, 246, 36))
            ]
            pic.solid(cup, "#c9473d", cast=40, turn=16)
            for n in range(36):
                a = math.tau * n / 36
                pic.line(
                    f"{230 * math.cos(a)},{212 * math.sin(a)} {258 * math.cos(a)},{240 * math.sin(a)}",
                    "#f6dfc4",
                    5,
                    0.7,
                )
            with pic.body(oval(-2, -8, 226, 204, 14), "#e7b04e", turn=26):
                pic.grain((-220, -200, 440, 400), lighter(MAIZE, 0.28), 70, 34, 30)
                pic.strokes(
                    "-130,0 -60,-34 0,-10 60,-30 130,-4 / 0,-14 20,40 6,100 / -60,-30 -80,-70 -60,-110",
                    deeper(CRUST, 0.12),
                    14,
                    0.8,
                )
                pic.strokes("-150,-70 -90,-140 0,-164", lighter(MAIZE, 0.75), 20, 0.9)
                pic.seeds((-170, -160, 340, 300), "#fff8e6", 80, 9)


def reganada(pic: Drawing) -> None:
    grounds.stripes(pic, "#5f8f94", ["#3f6f78", "#e9d9ae"], 18, 190)
    for x, y, size, turn in ((600, 380, 0.84, 14), (450, 570, 1, -10)):
        with pic.at(x, y, size, turn):
            sheet = "-330,-210 -120,-250 130,-236 320,-190 372,0 330,214 110,250 -140,244 -336,196 -372,-10"
            with pic.body(sheet, "#e0ac5c", cast=36, turn=16):
                pic.grain((-360, -250, 720, 500), lighter(GOLD, 0.28), 120, 50, 24)
                for _ in range(26):
                    bx, by = pic.rng.uniform(-310, 310), pic.rng.uniform(-200, 200)
                    r = pic.rng.uniform(16, 44)
                    pic.flat(oval(bx + 4, by + 5, r, r * 0.7, 8), deeper(CRUST, 0.15), 0.55)
                    pic.flat(oval(bx - 3, by - 3, r * 0.8, r * 0.55, 8), lighter(GOLD, 0.4))
                pic.seeds((-320, -210, 640, 420), "#d8486b", 300, 8)
                pic.seeds((-320, -210, 640, 420), "#f6b4bd", 160, 7)
    crumbs(pic, "#e39aa6")


def marquesote(pic: Drawing) -> None:
    grounds.tiles(pic, "#f1dcb4", "#c2593a", "#3f6f8f", 210)
    with pic.at(500, 545, 1.08, -6):
        top = knots("-330,-210! -40,-290 300,-236! 352,10 310,90! 0,150 -350,88! -368,-60")
        side = knots("-350,86! 0,148 312,88! 306,240 280,262! 0,318 -330,256! -346,180")
        pic.shadow(side, 46, 54, 0.3)
        pic.shadow(top, 46, 90, 0.2)
        with pic.body(side, "#f5d57f", turn=12):
            pic.specks((-350, 90, 700, 220), deeper("#f0c35f", 0.12), 120, (4, 10))
            pic.specks((-350, 90, 700, 220), "#fff3c4", 70, (4, 9))
        with pic.body(top, "#c97f35", turn=22):
            pic.grain((-360, -290, 720, 440), lighter(GOLD, 0.19), 120, 70, 8)
            pic.strokes("-270,-170 -120,-236 40,-250 / 70,-250 150,-246 220,-224", lighter(GOLD, 0.7), 22, 0.8)
            pic.seeds((-300, -240, 600, 340), "#fffaf0", 320, 8)
            pic.line("-10,-286 -4,-60 0,146", deeper(CRUST, 0.4), 9)
            pic.line("-364,-60 0,-60 346,-70", deeper(CRUST, 0.4), 9)
        pic.line("0,150 4,230 0,316", deeper("#e0b04c", 0.3), 9)
    crumbs(pic, "#f5d57f")


def taller(pic: Drawing) -> None:
    grounds.boards(pic, "#9c5f3d", 4)
    pic.specks((60, 120, 880, 780), "#f7ead0", 260, (3, 12))
    with pic.at(400, 590, 0.82):
        muerto_on(pic, sugared=False)
    with pic.at(700, 250, 1, -38):
        pin = block(-270, -46, 540, 92, 30)
        for end in (-330, 270):
            pic.solid(block(end, -22, 70, 44, 20), TERRA, cast=20, turn=10)
        with pic.body(pin, "#dca767", cast=30, turn=18):
            pic.grain((-260, -40, 520, 80), deeper("#dca767", 0.11), 30, 140)
    with pic.at(215, 235, 0.92):
        pic.solid(oval(0, 0, 178, 168), "#35607c", cast=34, turn=16)
        pic.line(oval(0, 0, 160, 150), "#f3e3bd", 9, closed=True)
        pic.flat(oval(0, 4, 140, 130), "#fffaf0")
        pic.grain((-110, -100, 220, 200), "#e7d6b4", 24, 50, 30)
    for x, y in ((790, 600), (870, 720), (760, 800)):
        pic.solid(oval(x, y, 62, 56), "#f0d9a4", cast=18, turn=14)
    marigold(pic, 880, 905, 0.8)


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "bolillo": bolillos,
    "concha-vainilla": partial(
        concha, sugar="#f6e3ae", ground=partial(grounds.tiles, colour="#2f6d86", petal="#f2d9a0", dot=TERRA)
    ),
    "concha-chocolate": partial(
        concha, sugar="#7b4630", ground=partial(grounds.leaves, colour="#f0d7a0", leaf="#d8a45a", berry=TERRA)
    ),
    "concha-fresa": partial(
        concha, sugar="#ea8f93", ground=partial(grounds.checks, colour="#f8ecd2", over="#7fa58b", step=160)
    ),
    "pan-de-muerto": muerto,
    "pan-de-yema": yema,
    "oreja": oreja,
    "cuernito": cuernito,
    "empanada-de-pina": empanada,
    "polvorones": polvoron,
    "rosca": rosca,
    "pan-integral": integral,
    "mantecadas": mantecada,
    "reganadas": reganada,
    "marquesote": marquesote,
    "taller-pan-de-muerto": taller,
}
