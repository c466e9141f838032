"""What La Espiga sets on the table: cakes, tamales, sweets and hot drinks."""

import math
from collections.abc import Callable
from functools import partial

from storefront.demo import grounds
from storefront.demo.breads import BLUE, CREAM, MAIZE, TERRA, crumbs
from storefront.demo.drawing import Drawing, block, deeper, knots, lighter, oval

MILK, CHOCOLATE, CLAY, HUSK, BANANA = "#fff8ea", "#5b3122", "#b4532f", "#e8cf95", "#4f7a3a"


def strawberry(pic: Drawing, x: float, y: float, size: float = 1, turn: float = 0) -> None:
    with pic.at(x, y, size, turn):
        pic.solid("0,86 -62,30 -72,-30 -30,-56 0,-48 30,-56 72,-30 62,30", "#cf3a37", cast=16, turn=16)
        pic.seeds((-44, -34, 88, 90), "#f7d27c", 16, 8)
        pic.flat("0,-48! -54,-74! -28,-40 -40,-24! 0,-36 40,-24! 28,-40 54,-74!", "#5b8a3c")


def stand(pic: Drawing, colour: str, cy: float = 760) -> None:
    """A footed cake stand and its shadow."""
    pic.flat(oval(560, cy + 150, 300, 50), deeper(colour, 0.9), 0.3)
    pic.solid(
        f"430,{cy} 450,{cy + 80} 380,{cy + 140}! 500,{cy + 158} 620,{cy + 140}! 550,{cy + 80} 570,{cy}", colour, turn=22
    )
    pic.solid(oval(500, cy + 16, 420, 92, 18), deeper(colour, 0.12), turn=10)
    pic.solid(oval(500, cy - 6, 420, 86, 18), colour, turn=10)


def cake(pic: Drawing, side: str, top: str, layers: tuple[str, ...]) -> None:
    """A round cake with a slice taken out at the right, its layers showing."""
    with pic.body("180,410! 500,400 820,410! 818,580 812,690! 680,760 500,776 330,762 188,690! 182,560", side, turn=30):
        pic.grain((180, 420, 640, 340), lighter(side, 0.19), 50, 90, 88)
        if layers:
            pic.flat("520,470! 690,590! 690,790! 520,790!", deeper(layers[0], 0.12))
            pic.flat("690,520! 830,430! 830,800! 690,800!", layers[0])
            for n, tone in enumerate(layers[1:]):
                y = 520 + n * 66
                pic.flat(f"515,{y - 26}! 690,{y + 60}! 690,{y + 86}! 515,{y}!", deeper(tone, 0.1))
                pic.flat(f"690,{y + 60}! 830,{y - 16}! 830,{y + 12}! 690,{y + 86}!", tone)
            pic.specks((530, 520, 290, 240), deeper(layers[0], 0.18), 70, (3, 7))
    with pic.body(oval(500, 410, 320, 118, 18), top, turn=16):
        pic.grain((190, 300, 620, 220), lighter(top, 0.22), 60, 60, 8)
        if layers:
            pic.flat("505,420! 850,440! 850,620! 690,620!", deeper(layers[0], 0.25))
            pic.flat("505,420! 690,590! 690,620! 505,620!", side)
    pic.strokes("230,360 330,314 450,300", lighter(top, 0.7), 16, 0.9)


def tres_leches(pic: Drawing) -> None:
    grounds.table(pic, "#d98a72", "#f0dcb2", edge=640)
    stand(pic, "#7fb0a6")
    cake(pic, "#fdf0d4", "#fffaee", ("#f3d083", "#fff6df", "#fff6df"))
    for n in range(11):
        a = math.tau * (n + 6.2) / 15 + 0.35
        x, y = 500 + 270 * math.cos(a), 398 + 92 * math.sin(a)
        pic.solid(
            f"{x - 46},{y + 18} {x - 34},{y - 22} {x},{y - 58}! {x + 34},{y - 22} {x + 46},{y + 18} {x},{y + 32}",
            MILK,
            turn=12,
        )
    strawberry(pic, 400, 348, 0.84, -10)
    strawberry(pic, 505, 322, 0.92, 8)
    strawberry(pic, 330, 404, 0.72, 16)
    pic.strokes("660,800 676,822 660,850 / 745,792 760,812 752,836", MILK, 24)


def chocolate_cake(pic: Drawing) -> None:
    grounds.table(pic, "#e6b95c", "#b4573b", edge=640)
    stand(pic, "#f6e6c8")
    cake(pic, "#5b3122", "#6d3c28", ("#6a3a27", "#c98a5a", "#c98a5a"))
    drip = (
        "182,430! 186,520 206,560 226,520 240,470 270,500 286,610 310,630 328,560 350,500 "
        "384,510 398,570 420,590 440,540 470,500 506,490! 500,420! 330,410"
    )
    pic.flat(drip, "#3e1f19")
    pic.strokes("212,470 214,510 / 300,510 304,580 / 408,530 412,560", "#8a5a46", 8)
    for x, y, turn in ((330, 372, -20), (420, 330, 12), (500, 372, 50), (560, 328, -14), (400, 420, 70)):
        with pic.at(x, y, 1, turn):
            pic.solid("-70,-14 0,-30 70,-14! 76,14 0,4 -76,14!", "#b97a4e", cast=10, turn=8)
    pic.specks((260, 330, 360, 120), "#f3cf8a", 40, (3, 6))


def fruit_cake(pic: Drawing) -> None:
    grounds.table(pic, "#7fa79b", "#f3e0b6", edge=640)
    stand(pic, "#c9573c")
    cake(pic, "#fbeccd", "#fff4d8", ())
    pic.line("186,660 330,728 500,744 680,728 814,660", "#efc374", 22)
    for n in range(20):
        a = math.tau * n / 20
        x, y = 500 + 284 * math.cos(a), 404 + 98 * math.sin(a)
        pic.solid(oval(x, y - 8, 34, 28, 8), MILK, turn=8)
    pic.flat(oval(500, 398, 240, 76), "#f2b63c")
    for n in range(9):
        a = math.tau * n / 9
        x, y = 500 + 170 * math.cos(a), 394 + 50 * math.sin(a)
        with pic.at(x, y, 0.9, math.degrees(a) * 0.5):
            if n % 3 == 0:
                pic.solid(oval(0, 0, 66, 46), "#8cb04a", turn=10)
                pic.flat(oval(0, 0, 24, 16), "#e9efc0")
                pic.seeds((-36, -26, 72, 52), "#2f3a1f", 14, 7)
            elif n % 3 == 1:
                pic.solid("-74,20! -20,-40 60,-30! 80,16 0,44", "#f08a2c", turn=12)
                pic.strokes("-40,6 0,-20 46,-14", "#ffd08a", 8)
            else:
                pic.solid("-70,10! 0,-44 70,6! 0,30", "#f5d14f", turn=10)
    for x, y in ((440, 360), (560, 380), (500, 420)):
        strawberry(pic, x, y - 20, 0.62, pic.rng.uniform(-20, 20))


def tamal_leaf(pic: Drawing) -> None:
    grounds.mat(pic, "#d9a85c", 110)
    with pic.at(500, 540, 1.02, -8):
        with pic.body(
            "-450,-140! -260,-250 0,-262 280,-240 460,-120! 430,60 440,190! 200,272 -60,280 -300,250 -456,160! -430,20",
            "#3f6a34",
            cast=44,
            turn=26,
        ):
            for y in range(-220, 250, 36):
                pic.stroke(f"-460,{y} 0,{y - 22} 460,{y + 4}", "#5f8d45", 10, 0.7)
        with pic.body(
            "-300,-120! 0,-150 300,-116! 320,0 300,140! 0,160 -300,136! -318,10", "#e9c67a", cast=20, turn=22
        ):
            pic.specks((-300, -140, 600, 290), "#f6e2ad", 120, (4, 9))
            pic.flat(
                "-210,-80 -90,-112 60,-96 200,-76 262,0 200,70 120,60 60,112 -30,70 -140,104 -240,40 -170,-10",
                "#54261a",
            )
            pic.strokes("-180,-50 -80,-84 40,-70 / -120,40 -60,50 20,36", "#8f4b33", 15)
            pic.seeds((-190, -80, 380, 150), "#f5e3b8", 46, 15)
        pic.solid("-456,160! -300,250 -60,280 200,272 440,190! 330,160 120,176 -120,182 -330,150", "#4d7c3c", turn=18)
        pic.strokes("-400,180 -200,226 0,236 / 60,236 240,224 380,190", "#79a556", 9)
        for x in (-390, 396):
            pic.stroke(f"{x},-170 {x + 14},0 {x - 6},200", "#e6cf8e", 22)


def tamal_husk(pic: Drawing) -> None:
    grounds.stripes(pic, "#2f7f7a", ["#e2a83c", "#f3e2b8", "#c9513b"], 12, 210)
    for x, y, size, turn in ((620, 420, 0.86, 26), (430, 530, 1.04, -16)):
        with pic.at(x, y, size, turn):
            pic.solid(
                "0,-470! 60,-380 150,-250 190,0 170,260 60,360 -60,366 -170,260 -196,0 -150,-250 -50,-380",
                HUSK,
                cast=44,
                turn=26,
            )
            for px in range(-120, 160, 40):
                pic.stroke(f"{px * 0.2},-430 {px * 0.9},-200 {px * 1.1},60 {px},330", deeper(HUSK, 0.22), 7, 0.8)
            with pic.body("-110,-190 0,-230 110,-190 140,0 120,240 0,300 -120,240 -146,0", "#f5e2a8", turn=22):
                pic.specks((-140, -220, 280, 500), "#fff4cf", 90, (4, 9))
                pic.strokes("-70,-90 -30,-40 -60,30 -30,90 / 30,-110 10,-40 50,10 20,80 60,150", "#4e8440", 26)
                pic.strokes("60,-60 80,0 70,60 / -60,130 -20,160 -30,210", "#c53f30", 20)
            pic.solid("-196,0 -150,-250! -100,-120 -90,60 -110,230 -60,366! -150,300 -190,160", "#d9b873", turn=16)
            pic.solid("190,0 150,-250! 110,-110 96,60 112,230 60,360! 150,290 186,150", "#dfc07d", turn=16)
            pic.strokes("-190,140 0,176 182,132", "#b98a48", 26)
            pic.flat("-20,150! -90,100 -70,200! 0,172 70,206 84,104!", "#b98a48")


def tablet(pic: Drawing) -> None:
    grounds.leaves(pic, "#e9c27a", "#d39d4c", CHOCOLATE, 250)
    pic.solid("190,250! 500,220 800,262! 820,560 792,862! 480,880 208,850! 184,560", "#f3e4c3", cast=40, turn=10)
    pic.flat("190,250! 500,220 800,262! 803,330! 500,300 188,326!", TERRA)
    pic.flat("206,800! 500,830 796,806! 792,862! 480,880 208,850!", TERRA)
    for x, y, size in ((400, 440, 0.66), (610, 500, 0.66), (450, 680, 0.66)):
        with pic.at(x, y, size):
            pic.solid(oval(0, 30, 214, 200, 14), "#4a2519", cast=26, turn=20)
            with pic.body(oval(0, 0, 214, 198, 14), "#6d3d28", turn=16):
                for turn in (0, 60, 120):
                    with pic.at(0, 0, turn=turn):
                        pic.stroke("-216,0 0,3 216,0", "#3d1e16", 20)
                        pic.stroke("-210,-9 0,-7 210,-9", "#99664a", 7)
                pic.specks((-180, -170, 360, 340), "#a9775a", 90, (2, 6))
            pic.strokes("-160,-90 -110,-150 -40,-176", "#b98468", 14)
    with pic.at(745, 760, 0.9, 28):
        pic.solid(block(-190, -17, 300, 34, 14), "#a8622f", cast=18, turn=8)
        pic.strokes("-180,-4 -40,-8 100,-2", "#cf9055", 8)
    for x, y in ((250, 700), (300, 770), (240, 800)):
        pic.solid(oval(x, y, 42, 27), "#7b452c", cast=12, turn=10)
        pic.strokes(f"{x - 26},{y - 2} {x},{y - 6} {x + 26},{y - 2}", "#3d1e16", 5)


def steam(pic: Drawing, x: float, y: float, colour: str = MILK) -> None:
    pic.strokes(
        f"{x - 80},{y} {x - 116},{y - 60} {x - 60},{y - 120} {x - 96},{y - 190} / "
        f"{x + 10},{y - 20} {x - 30},{y - 90} {x + 34},{y - 160} {x},{y - 240} / "
        f"{x + 96},{y} {x + 60},{y - 60} {x + 116},{y - 116} {x + 84},{y - 180}",
        colour,
        22,
        0.5,
    )


def mug(pic: Drawing, clay: str, drink: str, band: tuple[str, str], tall: bool = False) -> None:
    """A clay mug of something hot, a painted band round its belly."""
    low = 850
    high = 380 if tall else 440
    pic.flat(oval(580, low - 14, 330, 66), deeper(clay, 0.9), 0.34)
    pic.line(
        f"720,{high + 90} 850,{high + 60} 880,{high + 190} 800,{high + 290} 700,{low - 170}", deeper(clay, 0.3), 62
    )
    pic.line(f"714,{high + 80} 838,{high + 60} 866,{high + 186} 790,{high + 276} 694,{low - 180}", clay, 40)
    belly = (
        f"236,{high}! 250,{high + 120} 222,{high + 240} 262,{low - 70} 350,{low}! 490,{low + 24} "
        f"630,{low}! 722,{low - 70} 762,{high + 240} 734,{high + 120} 748,{high}!"
    )
    with pic.body(belly, clay, turn=40):
        pic.grain((230, high, 520, low - high), lighter(clay, 0.17), 60, 60, 4)
        y = high + 190
        pic.stroke(f"200,{y - 54} 490,{y - 4} 790,{y - 54}", band[0], 16)
        pic.stroke(f"200,{y + 74} 490,{y + 124} 790,{y + 74}", band[0], 16)
        for n in range(9):
            x = 236 + n * 64
            sag = 44 * (1 - ((x - 490) / 280) ** 2)
            with pic.at(x, y - 10 + sag):
                for turn in (0, 90, 180, 270):
                    with pic.at(0, 20, turn=turn):
                        pic.flat("0,-4! 13,-20 0,-34! -13,-20", band[1])
        pic.strokes(f"282,{high + 40} 290,{high + 130} 270,{high + 240} 292,{low - 120}", lighter(clay, 0.55), 22, 0.7)
    pic.solid(oval(492, high, 258, 74, 16), lighter(clay, 0.12), turn=8)
    pic.flat(oval(492, high + 6, 228, 58, 16), deeper(clay, 0.45))
    with pic.body(oval(496, high + 18, 214, 46, 16), drink, turn=10):
        for x, y, r in ((400, 8, 30), (440, 24, 18), (560, 2, 24), (610, 18, 16), (520, 30, 12)):
            pic.flat(oval(x, high + y + 8, r, r * 0.42, 8), lighter(drink, 0.42))
    steam(pic, 490, high - 40)


def hot(pic: Drawing, wall: str, top: str, cup: tuple[str, str, tuple[str, str], bool], beside: str) -> None:
    grounds.table(pic, wall, top)
    with pic.at(0, 10):
        mug(pic, *cup)
    if beside == "cinnamon":
        for y, turn in ((900, -6), (940, 4)):
            with pic.at(230, y, 0.8, turn):
                pic.solid(block(-170, -18, 300, 36, 14), "#9c5426", cast=14, turn=8)
                pic.strokes("-160,-4 -30,-8 120,-2", "#cf8a52", 8)
    elif beside == "beans":
        for x, y, turn in ((150, 880, 20), (220, 930, -30), (90, 940, 60), (300, 905, 10), (860, 915, -20)):
            with pic.at(x, y, 1, turn):
                pic.solid(oval(0, 0, 42, 29), "#4b2718", cast=12, turn=10)
                pic.stroke("-34,4 0,-8 34,2", "#2b130d", 7)
    else:
        with pic.at(180, 880, 0.9, -24):
            for row in range(-4, 5):
                for n in range(7):
                    wide = 1 - abs(row) * 0.13
                    pic.flat(
                        oval(-120 + n * 44, row * 15 * wide, 25, 13, 7), (MAIZE, "#f6cf6b", "#e09a2c")[(n + row) % 3]
                    )
            pic.solid("130,-60! 210,-30 250,0! 200,40 120,56! 150,0", "#7d9a4c", turn=12)


def jelly(pic: Drawing) -> None:
    grounds.table(pic, "#33585c", "#d99a4e")
    pic.flat(oval(560, 830, 360, 70), "#22100f", 0.3)
    pic.solid(oval(500, 800, 390, 88, 18), CREAM, turn=12)
    pic.line(oval(500, 796, 350, 72, 18), TERRA, 9, closed=True)
    amber = "#e0a234"
    dome = "230,770! 250,560 320,400 500,350 680,400 750,560 770,770! 640,812 500,822 360,812"
    with pic.body(dome, amber, turn=34):
        for n in range(7):
            x = 250 + n * 84
            bend = (x - 500) * 0.42
            pic.stroke(f"{x},830 {500 + bend * 1.9},600 {500 + bend * 0.6},340", deeper(amber, 0.26), 16, 0.7)
            pic.stroke(f"{x - 24},820 {500 + bend * 1.9 - 26},600 {500 + bend * 0.6 - 8},350", "#f7d98c", 13, 0.9)
        pic.flat("400,760 420,600 470,520 520,600 560,560 590,640 600,760 500,790", "#f6c85f", 0.5)
        for x, y in ((430, 640), (560, 590), (500, 700), (610, 710), (370, 730)):
            pic.flat(oval(x, y, 12), "#fff0c0", 0.8)
    pic.solid(oval(500, 372, 112, 34), lighter(amber, 0.25), turn=8)
    pic.strokes("306,610 326,500 390,424", "#fff6dc", 26, 0.9)
    with pic.at(506, 350, 1, 12):
        pic.solid("-90,6! -50,-66 30,-92 100,-60! 40,10", "#dd7b2c", turn=14)
        pic.flat("-66,0! -36,-46 26,-66 76,-48! 26,4", "#f5b04e")
        pic.strokes("-40,-4 0,-30 50,-44 / -10,0 16,-34 20,-60", "#fbe0a4", 6)
    for x, lean in ((90, -0.2), (880, 0.15)):
        for n in range(7):
            a = -math.pi / 2 + (n - 3) * 0.34 + lean
            tip = (x + 190 * math.cos(a), 610 + 230 * math.sin(a))
            pic.stroke(
                f"{x},610 {(x + tip[0]) / 2 + 6},{(610 + tip[1]) / 2} {tip[0]},{tip[1]}",
                ("#5f9a8c", "#477f76")[n % 2],
                40,
            )


def nicuatole(pic: Drawing) -> None:
    grounds.leaves(pic, "#c85a4b", "#b04538", "#f1c36a", 240)
    pic.solid("90,330! 400,270 760,250 940,420! 900,640 840,840! 500,900 200,880 70,640!", "#4f7a3a", cast=36, turn=20)
    for x in range(130, 900, 70):
        pic.stroke(f"{x},320 {x + 24},560 {x - 10},860", "#74a052", 8, 0.7)
    for x, y, size in ((350, 420, 0.72), (650, 450, 0.72), (500, 670, 0.86)):
        with pic.at(x, y, size):
            side, top = "-210,-40! 0,20 214,-48! 206,120 0,196! -200,124", "-210,-40! -10,-140 214,-48! 0,36!"
            pic.shadow(side, 34, 30)
            pic.solid(side, "#fbf1dc", turn=0)
            pic.flat("0,36! 214,-48! 206,120 0,196!", "#ead9b8")
            pic.flat("-206,20! 0,98 0,150! -203,70!", "#f4e3c4", 0.8)
            with pic.body(top, "#d9365a", turn=12):
                pic.specks((-200, -130, 400, 160), "#f07f95", 70, (3, 8))
            pic.strokes("-150,-46 -60,-90 0,-112", "#f7b3bf", 12)


def amaranth(pic: Drawing) -> None:
    grounds.tiles(pic, "#efe0bd", "#8a9a4b", "#c2593a", 170)
    for x, y, size, turn in ((520, 320, 0.88, 9), (470, 500, 0.95, -5), (520, 700, 1.02, 4)):
        with pic.at(x, y, size, turn):
            bar = "-350,-90! 0,-104 352,-86! 344,96! 0,108 -344,92!"
            with pic.body(bar, "#dcae5e", cast=36, turn=18):
                pic.specks((-345, -100, 690, 205), "#f4dca0", 420, (5, 10))
                pic.specks((-345, -100, 690, 205), "#b98238", 150, (3, 7))
                for n in range(6):
                    px, py = -270 + n * 104 + pic.rng.uniform(-16, 16), pic.rng.uniform(-44, 44)
                    tone = ("#8d4a26", "#7f9c52", "#5b2a22")[n % 3]
                    pic.flat(oval(px + 5, py + 6, 36, 21), "#6b451d", 0.5)
                    pic.flat(oval(px, py, 36, 20), tone)
                    pic.stroke(f"{px - 22},{py - 4} {px},{py - 10} {px + 20},{py - 5}", lighter(tone, 0.5), 6)
            pic.strokes("-300,-80 -120,-92 60,-90", "#fff3cf", 10, 0.8)
    crumbs(pic, "#e8c47c", 460)


def beans(pic: Drawing) -> None:
    grounds.table(pic, "#e9cf9b", "#8c4f35", edge=700)
    pic.flat(oval(580, 880, 330, 56), "#22100f", 0.3)
    bag = "262,250! 500,232 738,250! 748,560 770,860! 500,896 232,862! 252,560"
    with pic.body(bag, "#c9a36a", turn=40):
        pic.grain((240, 240, 530, 640), lighter("#c9a36a", 0.14), 110, 120, 88)
        pic.flat("230,450! 500,470 770,448! 776,744! 500,768 226,742!", CREAM)
        pic.stroke("216,476 500,496 784,474", TERRA, 14)
        pic.stroke("216,718 500,742 784,716", TERRA, 14)
        for turn in range(-60, 61, 20):
            with pic.at(500, 690, turn=turn):
                pic.flat("0,-30! 24,-110 0,-176! -24,-110", "#5d7d41" if turn % 40 else "#7f9c52")
        for x, y in ((450, 560), (548, 566), (500, 530), (470, 640), (532, 640)):
            pic.solid(oval(x, y, 25), "#b8322f", turn=8)
        pic.stroke("690,260 716,560 730,860", deeper("#c9a36a", 0.3), 34, 0.6)
    pic.solid("256,176! 500,160 744,176! 742,262! 500,280 258,262!", "#b58d55", cast=10, turn=12)
    pic.line("262,222 500,210 738,222", CHOCOLATE, 10)
    for n in range(16):
        with pic.at(110 + n * 53, 930 + (n % 3) * 22, 0.9, n * 47):
            pic.solid(oval(0, 0, 40, 28), "#55301d", cast=10, turn=10)
            pic.stroke("-32,4 0,-8 32,2", "#2b130d", 7)


def breakfast_box(pic: Drawing) -> None:
    grounds.stripes(pic, "#f4e4bf", ["#d9a441", "#5f8f94"], -8, 170)
    pic.solid("120,210! 500,196 880,214! 888,540 872,880! 500,892 130,876! 114,540", "#c79a60", cast=44, turn=16)
    pic.flat("160,250! 500,238 842,254! 846,540 834,838! 500,850 168,836! 156,540", "#f7ecd2")
    pic.grain((160, 250, 680, 590), "#e7d5ac", 60, 60, 40)
    for x, y, sugar in ((330, 400, "#f6dfa4"), (560, 400, "#e58b90"), (330, 620, "#7b4630")):
        with pic.at(x, y, 0.36):
            pic.solid(oval(0, 14, 312, 288, 14), "#cf8638", cast=40, turn=26)
            pic.flat(oval(-4, -14, 284, 252, 14), sugar)
            for reach in (-2.3, -1.2, -0.4, 0.4, 1.2, 2.3):
                pic.stroke(
                    f"{reach * 8},250 {reach * 100},100 {reach * 112},-40 {reach * 95},-200", deeper(sugar, 0.35), 26
                )
    pic.solid("480,650 540,560 650,540 760,560 800,640! 740,640 650,620 560,660 500,730!", "#d08a3a", cast=24, turn=18)
    pic.strokes(
        "560,580 580,610 600,640 / 640,548 650,580 660,620 / 720,556 720,590 726,636", deeper("#d08a3a", 0.4), 12
    )
    pic.solid(knots("700,300! 770,320 800,420 770,500! 700,480 680,390"), "#d6913f", cast=20, turn=16)
    pic.solid("300,760! 480,740 640,756! 636,812 470,820 304,812!", "#dcae5e", cast=16, turn=10)
    pic.specks((310, 752, 320, 56), "#f4dca0", 70, (4, 8))
    pic.line("120,540 500,552 884,538", BLUE, 15, 0.9)
    pic.line("500,196 504,540 500,892", BLUE, 15, 0.9)
    pic.flat("500,546! 420,470 400,520 430,570! 500,546! 580,470 606,520 572,574!", BLUE)


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "pastel-tres-leches": tres_leches,
    "pastel-chocolate": chocolate_cake,
    "pastel-frutas": fruit_cake,
    "tamal-mole": tamal_leaf,
    "tamal-rajas": tamal_husk,
    "chocolate-tablilla": tablet,
    "cafe-de-olla": partial(
        hot, wall="#e3b25b", top="#7f4a35", beside="cinnamon", cup=(CLAY, "#4a2619", ("#f4dfae", "#f4dfae"), False)
    ),
    "cafe-en-grano": beans,
    "atole": partial(
        hot, wall="#6f9aa0", top="#e9cf97", beside="maize", cup=("#f2e6cb", "#f3dba0", (BLUE, BLUE), False)
    ),
    "champurrado": partial(
        hot, wall="#c9684d", top="#efd9a8", beside="beans", cup=("#3f7f5f", "#6d3f2b", ("#e9d28f", MAIZE), True)
    ),
    "gelatina-mezcal": jelly,
    "nicuatole": nicuatole,
    "alegrias": amaranth,
    "caja-desayuno": breakfast_box,
}
