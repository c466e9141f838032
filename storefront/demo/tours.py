"""What guests of Posada Cerro Alegre do: walks, the bay, the valley, the kitchen, the dusk, wheels."""

import math
from collections.abc import Callable

from storefront.demo.drawing import BOTTOM, GLOW, LEFT, RIGHT, TOP, Drawing, block, deeper, lighter, mix, oval
from storefront.demo.port import (
    COBALT,
    CORAL,
    CREAM,
    FACADES,
    MINT,
    MUSTARD,
    PINK,
    SEA,
    SUN,
    WOOD,
    ascensor,
    boat,
    cloud,
    gull,
    hillside,
    house,
    person,
    sea,
    sky,
    stairs,
    swell,
)


def ground(pic: Drawing, y: float, colour: str) -> None:
    """Paving from y down."""
    pic.flat(block(LEFT, y, RIGHT - LEFT, BOTTOM - y), colour)
    for row in range(6):
        ry = y + 14 + row * (22 + row * 9)
        for n in range(22):
            x = LEFT + n * 74 + (row % 2) * 36
            pic.stroke(f"{x},{ry} {x + 26},{ry - 5} {x + 52},{ry}", deeper(colour, 0.16), 7)


def street_art(pic: Drawing) -> None:
    sky(pic)
    hillside(pic, 30, 330, size=1.1)
    pic.flat("-260,230! 560,300! 560,850! -260,930!", COBALT)
    pic.flat("1260,210! 690,300! 690,850! 1260,920!", MUSTARD)
    ground(pic, 840, "#c9b79a")
    with pic.body("-260,250! 560,310! 560,846! -260,920!", "#2f5f86", turn=0):
        for cx, cy, r, tone in ((-60, 720, 170, MINT), (170, 800, 130, FACADES[8]), (420, 760, 150, MINT)):
            swell(pic, cx, cy, r, tone)
        pic.flat("40,430 130,330 270,330 350,420 340,560 280,660 200,680 110,640 60,540", "#b5714a")
        pic.flat(
            "40,430 110,300 250,290 370,400 360,560 330,600 316,470 250,400 150,400 90,470 70,600 30,560", "#2b1d2e"
        )
        pic.strokes("120,490 150,470 185,486 / 240,486 275,470 306,492", "#2b1d2e", 12)
        pic.flat(oval(153, 516, 16, 12), "#2b1d2e")
        pic.flat(oval(273, 516, 16, 12), "#2b1d2e")
        pic.stroke("212,510 200,560 222,572", deeper("#b5714a", 0.3), 10)
        pic.flat("170,612 212,598 254,612 212,634", CORAL)
        for x, y, tone in (
            (70, 380, CORAL),
            (130, 320, MUSTARD),
            (210, 292, PINK),
            (290, 318, CORAL),
            (350, 376, MUSTARD),
        ):
            for turn in range(0, 360, 60):
                with pic.at(x, y, 1, turn):
                    pic.flat("0,0! 18,-24 0,-46 -18,-24", tone)
            pic.flat(oval(x, y, 13), CREAM)
        for y in range(370, 640, 60):
            pic.flat(f"400,{y}! 470,{y - 50} 520,{y - 20}! 460,{y + 20}", MINT)
    pic.flat("690,310! 1260,230! 1260,900! 690,840!", CORAL)
    for n in range(7):
        pic.stroke(f"{720 + n * 84},300 {760 + n * 84},560 {730 + n * 84},860", MUSTARD if n % 2 else PINK, 30)
    with pic.body("760,420! 960,380! 960,700! 760,700!", CREAM, turn=0):
        pic.flat("760,620 860,480 960,620! 960,720! 760,720!", "#7a9e4f")
        pic.flat(oval(900, 460, 34), SUN)
    stairs(pic, 470, 860, 310, 10, (CORAL, MUSTARD, MINT, COBALT, PINK, "#7a9e4f"))
    person(pic, 440, 700, 0.82, MUSTARD)
    person(pic, 800, 690, 0.9, PINK)


def harbour(pic: Drawing) -> None:
    sky(pic)
    pic.flat(oval(760, 180, 84), SUN)
    cloud(pic, 260, 160, 1.3)
    hillside(pic, 250, 470, size=0.9)
    pic.flat(block(LEFT, 460, RIGHT - LEFT, 30), "#7d6a60")
    for x, tone in ((120, CORAL), (860, COBALT)):
        pic.line(f"{x},480 {x + 30},260 {x + 60},480", tone, 17)
        pic.line(f"{x - 90},290 {x + 30},250 {x + 190},276", tone, 15)
        pic.line(f"{x + 12},390 {x + 48},390", tone, 11)
        pic.line(f"{x + 160},280 {x + 162},420", "#3a1d24", 4)
    for n, tone in enumerate((CORAL, MUSTARD, "#7a9e4f", COBALT, PINK, MINT)):
        pic.flat(block(330 + n * 84, 416 - (n % 2) * 44, 80, 88 + (n % 2) * 44), tone)
    sea(pic, 490)
    pic.flat("350,880 640,840 940,890 700,930 460,930", lighter(CORAL, 0.1), 0.35)
    boat(pic, 500, 710, 1.75, CORAL)
    boat(pic, 1020, 570, 0.6, COBALT)
    for x, y, size in ((180, 330, 1.1), (640, 270, 0.8), (300, 250, 0.7)):
        gull(pic, x, y, size)


def valley(pic: Drawing) -> None:
    sky(pic, "#f2c58f", "#fbe6bb")
    pic.flat(oval(300, 210, 96), "#f7d27c")
    pic.flat("-260,460! 60,330 300,400 560,290 840,400 1260,320! 1260,700! -260,700!", "#a9a07a")
    pic.flat("-260,540! 300,450 700,520 1260,440! 1260,800! -260,800!", "#8f9a58")
    pic.flat(block(LEFT, 560, RIGHT - LEFT, 600), "#c79a5c")
    for n in range(-9, 10):
        top, low = 480 + n * 46, 480 + n * 210
        width = 26 + abs(n)
        pic.stroke(f"{top},560 {(top + low) / 2 - n * 16},760 {low},1160", "#5f7d3f", width * 3)
        pic.stroke(f"{top - 4},560 {(top + low) / 2 - n * 16 - 12},760 {low - 22},1160", "#86a155", width * 1.3)
    house(pic, (640, 560, 220, 120), CREAM, 1)
    for x in (600, 930, 960):
        pic.solid(f"{x},580! {x - 22},480 {x},380! {x + 22},480", "#4d6a3a", turn=8)
    pic.flat(block(LEFT, 850, RIGHT - LEFT, 300), WOOD)
    pic.grain((LEFT, 860, RIGHT - LEFT, 280), lighter(WOOD, 0.14), 60, 170)
    pic.flat(oval(420, 946, 170, 30), "#22100f", 0.35)
    bottle = "300,930 290,620 300,540 344,480 350,330! 414,330! 420,480 464,540 474,620 466,930! 382,946"
    with pic.body(bottle, "#3f4a2f", turn=26):
        pic.flat("280,660! 490,660! 486,850! 286,850!", CREAM)
        pic.flat("300,820 350,740 390,780 430,720 470,820!", "#8f9a58")
        pic.flat(oval(420, 710, 22), CORAL)
        pic.stroke("322,560 310,700 318,900", "#a9b48a", 16, 0.8)
    pic.solid(block(340, 316, 84, 96, 6), "#7d2436", turn=10)
    pic.flat(oval(680, 950, 130, 24), "#22100f", 0.35)
    pic.solid(oval(650, 940, 96, 22), "#e7ded0", turn=6)
    pic.line("650,790 650,930", "#e7ded0", 17)
    pic.flat("530,520! 520,640 560,760 650,800 740,760 780,640 770,520!", "#f5eee2", 0.75)
    pic.flat("522,640! 560,760 650,796 740,760 778,640!", "#8c2740")
    pic.flat(oval(650, 642, 127, 22), "#a93a54")
    pic.stroke("556,560 548,650 590,750", "#ffffff", 13, 0.8)
    for n in range(12):
        pic.solid(oval(850 + (n % 4) * 48 - (n // 4) * -22, 850 + (n // 4) * 40, 32), "#6d2a52", turn=10)
    pic.line("920,820 930,770 960,750", "#5f7d3f", 12)


def cooking(pic: Drawing) -> None:
    pic.flat(block(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP), "#e7b45a")
    for row in range(3):
        for n in range(16):
            pic.flat(block(LEFT + n * 100, 20 + row * 100, 92, 92), ("#f6e6c4", MINT, "#f6e6c4", SEA)[(n + row) % 4])
    pic.solid(block(LEFT, 330, RIGHT - LEFT, 34), WOOD, turn=8)
    for x, tone in ((30, CORAL), (120, MUSTARD), (860, COBALT), (960, PINK)):
        pic.solid(block(x, 240, 74, 92, 18), tone, turn=12)
        pic.solid(block(x - 4, 222, 82, 28, 8), CREAM, turn=6)
    pic.flat(block(LEFT, 560, RIGHT - LEFT, 600), "#b9774a")
    pic.grain((LEFT, 580, RIGHT - LEFT, 520), lighter("#b9774a", 0.14), 110, 180)
    pic.flat(oval(330, 660, 250, 46), "#22100f", 0.32)
    pic.solid("80,450! 90,600 150,660 290,674 430,660 490,600 500,450!", "#a9512f", turn=34)
    pic.solid(oval(290, 446, 226, 60, 16), lighter("#a9512f", 0.15), turn=8)
    pic.flat(oval(290, 452, 200, 46), "#e2973f")
    for x, y, tone in (
        (190, 446, CORAL),
        (260, 462, "#f4e3c4"),
        (330, 440, "#5f8a4e"),
        (390, 456, "#f4e3c4"),
        (300, 430, CORAL),
    ):
        pic.solid(oval(x, y, 36, 19, 8), tone, turn=6)
    pic.line("70,510 20,520 30,570 92,572", "#8a3f24", 26)
    pic.line("508,510 556,520 548,570 490,572", "#8a3f24", 26)
    pic.strokes("220,380 180,320 230,270 190,200 / 340,380 310,310 360,250 330,180", "#fff6e4", 24, 0.6)
    pic.shadow("420,700! 960,660! 1010,900! 440,950!", 30, 36)
    pic.solid("420,700! 960,660! 1010,900! 440,950!", "#e2bd84", turn=14)
    pic.solid("520,810 610,740 740,736 830,790! 900,740! 894,860! 830,810 740,860 610,866", "#8fb0b5", cast=14, turn=18)
    pic.flat(oval(578, 798, 12), "#22303a")
    for n in range(5):
        pic.stroke(f"{640 + n * 40},770 {652 + n * 40},800 {640 + n * 40},836", "#5f8790", 8)
    for x, y in ((500, 900), (580, 912)):
        pic.solid(oval(x, y, 44, 40), "#cfd45a", cast=10, turn=10)
        pic.flat(oval(x - 2, y - 2, 32, 28), "#eef0b4")
        pic.strokes(f"{x - 26},{y} {x},{y - 3} {x + 24},{y} / {x},{y - 24} {x + 2},{y} {x},{y + 24}", "#cfd45a", 4)
    with pic.at(230, 860, 1, -20):
        pic.solid("-170,-30! 70,-40 120,0! 60,24 -170,20!", "#d7dde0", cast=16, turn=8)
        pic.solid(block(-310, -28, 150, 46, 16), "#4a2f2a", turn=8)
    for x, y, tone in ((100, 760, CORAL), (180, 730, CORAL), (880, 620, "#a9577a")):
        pic.solid(oval(x, y, 56, 52), tone, cast=18, turn=16)
        pic.flat(f"{x - 26},{y - 48}! {x},{y - 34} {x + 26},{y - 50}! {x + 6},{y - 40} {x},{y - 70}!", "#5f8a4e")


def dusk(pic: Drawing) -> None:
    sky(pic, "#3f3a6d", "#ef9a6a")
    pic.flat(oval(620, 470, 92), "#f9d27c")
    pic.flat("-260,500! 200,430 560,480 900,420 1260,480! 1260,560! -260,560!", "#5a4a78")
    sea(pic, 520, 760, "#6d5a8a")
    pic.strokes("560,560 620,552 690,560 / 540,620 625,610 720,620 / 520,690 630,680 760,690", "#f7c076", 17)
    hillside(pic, 610, 1100, size=1.25)
    pic.flat(block(LEFT, 560, RIGHT - LEFT, 600), "#2d2450", 0.58)
    for _ in range(70):
        x, y = pic.rng.uniform(LEFT, RIGHT), pic.rng.uniform(640, 1080)
        pic.flat(block(x, y, 15, 19), pic.rng.choice(("#ffd98a", "#ffc45f", "#fff0c4")))
    for _ in range(26):
        pic.flat(oval(pic.rng.uniform(LEFT, RIGHT), pic.rng.uniform(-100, 260), pic.rng.uniform(2, 5), count=5), GLOW)
    for x in (300, 420, 560):
        pic.line(f"430,650 {(430 + x) / 2},850 {x - 10},1140", "#1f1a2e", 24)
    pic.solid(block(372, 610, 116, 52, 12), "#2b2740", turn=8)
    with pic.body("230,390! 330,388! 360,340! 500,340! 530,388! 640,392! 644,620! 226,620!", "#34304a", turn=22):
        pic.flat(block(220, 450, 440, 70), "#7d4a3c")
        pic.specks((220, 450, 440, 70), "#5f3730", 90, (2, 5))
    pic.solid(oval(436, 500, 118), "#1f1a2e", turn=14)
    pic.flat(oval(436, 500, 88), "#4a5a8a")
    pic.flat(oval(436, 500, 58), "#24304f")
    pic.strokes("380,470 400,436 440,424", "#f7c076", 17)
    pic.flat(oval(462, 528, 17), "#ef9a6a", 0.9)
    pic.flat(oval(290, 420, 20), CORAL)
    pic.flat(block(560, 404, 56, 32), "#f9d27c")
    pic.line("236,420 150,520 190,640 140,760", "#b5503c", 17)


def bicycle(pic: Drawing, x: float, y: float, size: float, frame: str) -> None:
    """A city bicycle standing on y, its basket forward."""
    with pic.at(x, y, size):
        pic.flat("-300,6 0,-8 330,6 380,26 0,36 -260,24", "#22100f", 0.3)
        for cx in (-210, 220):
            for n in range(9):
                a = math.pi * n / 9
                dx, dy = 140 * math.cos(a), 140 * math.sin(a)
                pic.line(f"{cx - dx},{-150 - dy} {cx + dx},{-150 + dy}", "#d9d2c4", 3)
            pic.line(oval(cx, -150, 148, count=14), "#2b2430", 19, closed=True)
            pic.line(oval(cx, -150, 130, count=14), "#d9d2c4", 7, closed=True)
        pic.line("-210,-150 -20,-150 150,-370 -80,-360 -210,-150", frame, 21)
        pic.line("-100,-410 -20,-150", frame, 21)
        pic.line("220,-150 150,-370 130,-450", frame, 21)
        pic.line("130,-450 80,-480 40,-462", "#2b2430", 17)
        pic.solid("-160,-424 -90,-440 -30,-424 -60,-404 -120,-396", "#6d3d28", turn=8)
        pic.solid(oval(-20, -150, 34), "#4a3f4a", turn=8)
        pic.line("-20,-150 16,-96 40,-96", "#2b2430", 12)
        pic.solid("140,-460! 330,-466! 306,-330! 166,-326!", "#c98f4e", turn=12)
        for n in range(4):
            pic.line(f"150,{-440 + n * 32} 320,{-444 + n * 32}", "#8f5b2f", 6)
        for px, tone in ((180, CORAL), (232, MUSTARD), (286, PINK)):
            pic.solid(oval(px, -490, 34, 32, 8), tone, turn=8)
            pic.flat(oval(px, -490, 11), "#7d4a1c")


def bike(pic: Drawing) -> None:
    pic.flat(block(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP), "#3f8a92")
    ribs = "".join(f"M{x} {TOP}V800" for x in range(int(LEFT), int(RIGHT), 46))
    pic.put(f'<path d="{ribs}" stroke="{deeper("#3f8a92", 0.16)}" stroke-width="15"/>')
    pic.put(f'<path d="{ribs}" stroke="{lighter("#3f8a92", 0.2)}" stroke-width="4" transform="translate(-13 0)"/>')
    pic.flat(block(590, 90, 290, 320), CREAM)
    pic.flat(block(620, 120, 230, 260), "#2f4f66")
    pic.flat("620,120! 780,120! 620,320!", "#7fa9b5", 0.7)
    pic.line("735,120 735,380", CREAM, 15)
    pic.solid(block(560, 400, 350, 60), CORAL, turn=10)
    for n in range(9):
        pic.solid(oval(580 + n * 40, 390 - (n % 2) * 18, 34, 30, 8), (PINK, MUSTARD, CREAM)[n % 3], turn=8)
    pic.flat(block(LEFT, 780, RIGHT - LEFT, 44), deeper("#c9b79a", 0.3))
    ground(pic, 820, "#c9b79a")
    bicycle(pic, 480, 912, 1.3, MUSTARD)


def transfer(pic: Drawing) -> None:
    sky(pic)
    pic.flat(oval(250, 190, 80), SUN)
    sea(pic, 380, 640)
    pic.flat("500,420! 760,330 1260,240! 1260,660! 500,660!", "#8aa06a")
    hillside(pic, 340, 480, left=760, size=0.8)
    gull(pic, 420, 270, 1.1)
    ground(pic, 620, "#d9b98a")
    pic.flat(block(LEFT, 700, RIGHT - LEFT, 460), "#6d6470")
    for n in range(8):
        pic.flat(f"{-220 + n * 200},950! {-110 + n * 200},946! {-120 + n * 200},968! {-236 + n * 200},972!", "#f3e3bd")
    pic.flat("120,890 500,866 960,890 900,930 500,940 160,926", "#22100f", 0.4)
    pic.solid(block(250, 340, 430, 40, 12), WOOD, turn=6)
    for x, w, tone in ((270, 120, CORAL), (400, 90, MUSTARD), (500, 150, "#6d4a3c")):
        pic.solid(block(x, 270, w, 80, 14), tone, turn=12)
        pic.line(f"{x + 20},270 {x + 20},350", deeper(tone, 0.4), 8)
    van = "90,860! 84,560 110,430 180,378 420,372 720,380 820,440 880,590 950,640 960,860!"
    with pic.body(van, "#f4ead2", turn=26):
        pic.flat("60,640! 500,630 980,660! 980,900! 60,900!", SEA)
        pic.stroke("70,644 500,632 970,664", MUSTARD, 19)
    for x, w in ((150, 150), (330, 150), (510, 130)):
        pic.flat(block(x, 430, w, 150, 18), "#2f5166")
        pic.flat(f"{x + 8},438! {x + w * 0.6},438! {x + 8},540!", "#8fb8c4", 0.8)
    pic.flat("670,430! 740,434 800,480 846,588! 670,588!", "#2f5166")
    pic.flat("680,440! 740,444 700,540 680,560!", "#8fb8c4", 0.8)
    pic.line("660,410 658,640 664,840", deeper(SEA, 0.3), 6)
    pic.solid(oval(930, 720, 26, 34), "#ffe9a8", turn=6)
    for x in (260, 770):
        pic.flat(oval(x, 866, 104), "#2b2430")
        pic.flat(oval(x, 866, 62), "#d9d2c4")
        pic.flat(oval(x, 866, 24), "#6d6470")


def supper(pic: Drawing) -> None:
    pic.flat(block(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP), "#24405a")
    for n in range(-8, 16):
        for row in range(-2, 12):
            pic.stroke(
                f"{n * 110 - 40},{row * 110} {n * 110},{row * 110 - 34} {n * 110 + 44},{row * 110}", "#33587a", 11
            )
    pic.solid(oval(500, 560, 440, 380, 18), "#9c4f30", cast=50, turn=30)
    pic.flat(oval(500, 550, 380, 322, 18), deeper("#9c4f30", 0.45))
    with pic.body(oval(502, 558, 362, 304, 18), "#e38a3f", turn=16):
        for _ in range(40):
            x, y, r = pic.rng.uniform(180, 820), pic.rng.uniform(280, 840), pic.rng.uniform(10, 30)
            pic.flat(oval(x, y, r, r * 0.8, 8), "#f2b05c", 0.8)
    for n, (x, y) in enumerate(((330, 450), (440, 390), (620, 420), (700, 560), (590, 700), (400, 720), (300, 600))):
        with pic.at(x, y, 1, n * 51):
            pic.solid("-84,0! -40,-52 40,-50 86,0! 40,30 -40,30", "#27364f", cast=12, turn=14)
            pic.flat("-64,2! -30,-26 34,-26 66,2! 30,20 -30,20", "#f0a64f")
            pic.strokes("-40,-34 0,-44 40,-34", "#6d86a9", 8)
    for x, y, turn in ((450, 500, 10), (580, 540, 130), (460, 630, 255)):
        with pic.at(x, y, 0.92, turn):
            pic.line("-60,30 -70,-30 0,-62 60,-20", deeper("#e38a3f", 0.3), 46, 0.5)
            pic.line("-60,30 -70,-30 0,-62 60,-20", "#f29a78", 36)
            pic.strokes("-76,0 -50,-6 -40,-26 / -40,-56 -26,-40 -10,-40 / 10,-66 12,-46 24,-38", "#fbc8ae", 8)
            pic.strokes("60,-20 90,10 80,50 / 66,-24 104,-10 120,20", "#d9604a", 9)
    for x, y in ((370, 560), (660, 500), (530, 440), (500, 760), (680, 650)):
        pic.strokes(
            f"{x},{y} {x + 14},{y - 18} {x + 34},{y - 20} / {x},{y} {x - 16},{y - 14} {x - 30},{y - 10} "
            f"/ {x},{y} {x + 6},{y + 18} {x + 20},{y + 26}",
            "#6f9a4a",
            15,
        )
    with pic.at(860, 250, 1, 24):
        pic.solid("-150,0 -110,-84 0,-110 110,-84 150,0 60,50 -60,50", "#cf8a3f", cast=26, turn=22)
        pic.strokes("-70,-60 -50,-20 -60,20 / 10,-80 20,-30 10,24 / 84,-60 80,-20 74,16", "#f0cf92", 14)
    with pic.at(120, 190):
        pic.solid(oval(0, 0, 92, 84), "#e6d348", cast=22, turn=18)
        pic.flat(oval(-4, -4, 72, 64), "#f7f0b0")
        for turn in range(0, 360, 45):
            with pic.at(-4, -4, 1, turn):
                pic.flat("0,-8! 17,-46 0,-58 -17,-46", "#e6d348")


def glow(colour: str) -> str:
    """Return a house colour as the low sun shows it."""
    return mix(colour, SUN, 0.14)


def hill(pic: Drawing) -> None:
    """The posada on its hill: the ascensor, the houses, the bay below."""
    sky(pic)
    pic.flat(oval(190, 180, 84), SUN)
    cloud(pic, 860, 130, 1.2)
    pic.flat("-260,360! 100,300 420,350 760,310 1260,350! 1260,480! -260,480!", "#8fb0b5")
    sea(pic, 360, 700)
    boat(pic, 90, 500, 0.42, COBALT)
    gull(pic, 420, 220, 1)
    gull(pic, 330, 270, 0.7)
    pic.flat("-260,640 100,600 300,500 600,340 1260,60! 1260,1135! -260,1135!", "#6f8f5a")
    hillside(pic, 560, 860, right=300, size=1.1)
    with pic.at(0, 0):
        house(pic, (900, 520, 300, 300), glow(FACADES[4]), 3)
        house(pic, (640, 600, 240, 270), glow(MINT))
        house(pic, (1010, 720, 260, 300), glow(COBALT))
    ascensor(pic, 470, 640, 0.95, CORAL)
    pic.flat("-260,900 100,860 500,900 900,800 1260,820! 1260,1135! -260,1135!", "#5f8350")
    house(pic, (700, 985, 330, 330), MUSTARD, 2)
    house(pic, (-130, 1010, 270, 250), FACADES[8], 2)
    stairs(pic, 390, 1120, 250, 4, (CORAL, MUSTARD, COBALT, PINK))
    for x, y in ((330, 960), (230, 1000), (1090, 980), (660, 1010)):
        pic.solid(oval(x, y, 74, 60, 9), "#4d7042", turn=18)
        for _ in range(7):
            pic.flat(
                oval(x + pic.rng.uniform(-54, 54), y + pic.rng.uniform(-44, 36), 11),
                pic.rng.choice((CORAL, PINK, CREAM)),
            )


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "tour-murales": street_art,
    "tour-lancha": harbour,
    "tour-vinos": valley,
    "taller-cocina": cooking,
    "tour-fotos": dusk,
    "bicicleta": bike,
    "traslado": transfer,
    "cena-marina": supper,
    "portada-posada": hill,
}
