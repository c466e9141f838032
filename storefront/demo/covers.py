"""The shops' covers, and the arcade on the landing page."""

import math
from collections.abc import Callable

from storefront.demo import grounds
from storefront.demo.breads import CREAM, CRUST, GOLD, MAIZE, TERRA
from storefront.demo.drawing import BOTTOM, GLOW, LEFT, RIGHT, TOP, Drawing, block, deeper, lighter, oval
from storefront.demo.knits import AGUAYO, ALPACA, COCHINEAL, INDIGO, MOSS, NIGHT, OCHRE, PINK, TEAL, bands, fringe
from storefront.demo.table import mug

WIDE = frozenset({"portales-arcade"})  # drawn for one shape only, whatever ratio is asked


def basket(pic: Drawing, x: float, y: float, width: float, fill: Callable[[Drawing, float, float, int], None]) -> None:
    """A woven basket heaped with things; `fill` draws one at a place."""
    with pic.at(x, y):
        pic.flat(oval(width * 0.54, 150, width * 0.6, 30), "#22100f", 0.3)
        n = 0
        for row in range(3):
            count = 5 - row
            for i in range(count):
                fill(pic, width / 2 + (i - (count - 1) / 2) * width * 0.21, 10 - row * 56, n)
                n += 1
        pic.solid(
            f"-20,10! {width / 2},34 {width + 20},10! {width - 20},150! {width / 2},166 20,150!", "#c08a4a", turn=20
        )
        for row in range(4):
            for i in range(int(width / 46)):
                px, py = 8 + i * 46 + (row % 2) * 22, 44 + row * 30
                pic.stroke(f"{px - 16},{py} {px + 6},{py + 9} {px + 28},{py}", ("#8f5f2d", "#e0b06c")[row % 2], 13)
        pic.line(f"-22,14 {width / 2},40 {width + 22},14", "#8f5f2d", 24)


def loaf(pic: Drawing, x: float, y: float, n: int) -> None:
    pic.solid(
        f"{x - 64},{y} {x - 40},{y - 40} {x},{y - 52} {x + 40},{y - 40} {x + 64},{y} {x},{y + 34}", CRUST, turn=14
    )
    pic.stroke(f"{x - 34},{y - 14} {x},{y - 26} {x + 34},{y - 14}", "#f4d9a2", 15)


def shell(pic: Drawing, x: float, y: float, n: int) -> None:
    sugar = ("#f6e3ae", "#e88f92", "#7b4630")[n % 3]
    pic.solid(oval(x, y, 62, 52), CRUST, turn=12)
    pic.flat(oval(x - 2, y - 6, 54, 42), sugar)
    for reach in (-1.6, -0.6, 0.6, 1.6):
        pic.stroke(f"{x + reach * 4},{y + 34} {x + reach * 20},{y} {x + reach * 20},{y - 40}", deeper(sugar, 0.4), 6)


def horn(pic: Drawing, x: float, y: float, n: int) -> None:
    pic.solid(
        f"{x - 70},{y + 20}! {x - 50},{y - 34} {x},{y - 54} {x + 50},{y - 34} {x + 70},{y + 20}! {x},{y - 4}",
        GOLD,
        turn=14,
    )
    pic.strokes(
        f"{x - 24},{y - 46} {x - 26},{y - 24} {x - 34},{y - 6} / {x + 24},{y - 46} {x + 26},{y - 24} {x + 34},{y - 6}",
        deeper(CRUST, 0.4),
        9,
    )


def azulejos(pic: Drawing) -> None:
    """The tiled wall behind the counter."""
    for row in range(3):
        for n in range(18):
            x, y = LEFT + n * 88, 362 + row * 88
            pic.flat(block(x, y, 82, 82), ("#f6ead0", "#3f7390")[(n + row) % 2])
            with pic.at(x + 41, y + 41):
                for turn in (0, 90, 180, 270):
                    with pic.at(0, 0, 1, turn):
                        pic.flat("0,-5! 13,-20 0,-34! -13,-20", ("#3f7390", MAIZE)[(n + row) % 2])


def counter(pic: Drawing) -> None:
    """Three painted panels with the shop's ears of wheat."""
    for x in (-250, 250, 750):
        pic.solid(block(x + 40, 760, 420, 300, 10), "#f3e3bd", turn=8)
        pic.line(block(x + 62, 782, 376, 256), "#3f7390", 9, closed=True)
        for turn in (-38, 0, 38):
            with pic.at(x + 250, 1010, 1, turn):
                pic.stroke("0,0 4,-110 0,-210", "#b9852c", 10)
                for row in range(5):
                    y = -70 - row * 27
                    pic.flat(f"2,{y}! 30,{y - 20} 34,{y - 44}! 6,{y - 30}", MAIZE)
                    pic.flat(f"-2,{y}! -30,{y - 20} -34,{y - 44}! -6,{y - 30}", GOLD)
                pic.flat("0,-196! 15,-222 0,-250! -15,-222", MAIZE)
        pic.solid(oval(x + 250, 994, 40, 20), TERRA, turn=8)


def bakery(pic: Drawing) -> None:
    grounds.plain(pic, "#e9b559")
    pic.flat(block(LEFT, 330, RIGHT - LEFT, 30), TERRA)
    azulejos(pic)
    grounds.garland(pic, [TERRA, "#f6ead0", "#3f7390", "#7f8f4d"], 0)
    pic.solid(block(LEFT, 640, RIGHT - LEFT, 520), "#8a4a30", turn=0)
    pic.flat(block(LEFT, 640, RIGHT - LEFT, 60), "#a9643f")
    pic.flat(block(LEFT, 640, RIGHT - LEFT, 14), "#cf8f5f")
    for n in range(10):
        pic.line(f"{LEFT + n * 170},720 {LEFT + n * 170 + 4},1130", "#6d3824", 9)

    for x, thing in ((30, shell), (390, loaf), (730, horn)):
        basket(pic, x, 560, 300, thing)
    for x in (-250, 1090):
        basket(pic, x, 560, 240, loaf)
    with pic.at(610, 110, 0.26):
        mug(pic, "#b4532f", "#4a2619", ("#f4dfae", "#f4dfae"))
    pic.solid(block(LEFT, 324, RIGHT - LEFT, 26), "#8a4a30", turn=0)
    for x, tone in (
        (80, "#3f7390"),
        (240, TERRA),
        (390, "#7f8f4d"),
        (900, "#3f7390"),
        (1050, TERRA),
        (-120, "#7f8f4d"),
    ):
        pic.solid(
            f"{x - 44},324! {x - 58},250 {x - 26},206 {x + 26},206 {x + 58},250 {x + 44},324!", tone, cast=10, turn=14
        )
        pic.line(f"{x - 52},262 {x},272 {x + 52},262", CREAM, 8)
    counter(pic)


def altiplano(pic: Drawing) -> None:
    pic.put(
        '<linearGradient id="dawn" x2="0" y2="1"><stop stop-color="#8fa9c4"/><stop offset=".5" '
        'stop-color="#f4d3a2"/></linearGradient>'
        f'<path d="M{LEFT} {TOP}H{RIGHT}V{BOTTOM}H{LEFT}Z" fill="url(#dawn)"/>'
    )
    pic.flat(oval(800, 220, 80), "#f7b052")
    far = (
        "-260,520! -60,330! 40,400! 180,190! 250,250! 320,150! 420,280! 520,210! 680,430! "
        "840,350! 1260,540! 1260,700! -260,700!"
    )
    with pic.body(far, "#6b78a8", turn=0):
        pic.flat(
            "-260,120! 60,400! 130,350! 160,410 220,340! 250,420! 310,330! 350,400! 400,350! "
            "450,390! 510,330! 560,380! 620,330! 900,120!",
            GLOW,
        )
        pic.flat("320,150! 420,280! 400,340 360,420 420,600 700,600! 520,210! 440,300", "#4d5a8c", 0.35)
        pic.strokes("180,200 150,270 170,330 / 320,160 300,240 330,310 / 520,220 500,280 530,320", "#b9c3dc", 15)
    pic.flat("-260,560! 100,500 500,540 900,490 1260,540! 1260,900! -260,900!", "#a9935a")
    pic.flat("-260,640! 240,590 640,630 1260,580! 1260,900! -260,900!", "#c9a75c")
    pic.grain((LEFT, 620, RIGHT - LEFT, 260), "#8f8a4a", 160, 44, -80)
    for x, y, size in ((100, 600, 0.5), (930, 590, 0.55), (1110, 610, 0.46), (-120, 620, 0.5)):
        with pic.at(x, y, size):
            pic.solid(
                "-70,60! -74,-20 -60,-80 -56,-150 -30,-176 4,-166 6,-140 -20,-128 -14,-50 90,-54 "
                "124,-20 120,60! 92,60! 80,10 "
                "-20,10 -36,60!",
                ALPACA,
                turn=12,
            )
    pic.solid(block(LEFT, 760, RIGHT - LEFT, 400), "#7a4a35", turn=0)
    pic.flat(block(LEFT, 760, RIGHT - LEFT, 16), "#b57a52")
    for x, colours in ((60, [INDIGO, ALPACA]), (640, [COCHINEAL, OCHRE])):
        fringe(pic, (x, 1010), (x + 300, 1010), colours, 70)
    for x, order in ((60, AGUAYO), (640, [*AGUAYO[5:], *AGUAYO[:5]])):
        with pic.body(block(x, 680, 310, 336, 14), COCHINEAL, cast=26, turn=12):
            bands(pic, (x - 20, 660, 360, 370), order)
    for n, tone in enumerate((TEAL, ALPACA, INDIGO, COCHINEAL)):
        y = 690 - n * 62
        with pic.body(block(400 - n * 4, y, 220 + n * 6, 74, 30), tone, cast=14, turn=14):
            pic.stitches((380, y, 260, 80), deeper(tone, 0.4), 15, 0.4)
            pic.stroke(f"400,{y + 40} 500,{y + 44} 612,{y + 38}", deeper(tone, 0.4), 8)
    pic.solid("430,500 440,420 500,380 570,416 584,500! 510,516", MOSS, cast=14, turn=20)
    bands(pic, (434, 452, 148, 30), [(30, NIGHT, "diamond", PINK)])


def flowers(pic: Drawing) -> None:
    grounds.stripes(pic, "#efe3cf", ["#c9d3bd", "#e9bfb4"], 0, 190)
    pic.flat(block(LEFT, 690, RIGHT - LEFT, 460), "#9aa08f")
    for x, pot, tone, inner in (
        (60, "#4f7f86", "#d9486b", "#f7d27c"),
        (390, "#b5603f", "#f0b23f", "#7d4a1c"),
        (720, "#5f6f93", "#f4ece0", "#f0b23f"),
        (-240, "#7f8f5a", "#8f5aa0", "#f7d27c"),
        (1050, "#a9507a", "#ef8a5f", "#7d4a1c"),
    ):
        pic.flat(oval(x + 170, 910, 190, 34), "#22100f", 0.3)
        for n in range(11):
            a = -math.pi / 2 + (n - 5) * 0.2
            px, py = x + 130 + 300 * math.cos(a), 640 + (300 + (n % 3) * 70) * math.sin(a)
            pic.stroke(f"{x + 130},700 {(x + 130 + px) / 2},{(700 + py) / 2} {px},{py}", "#5f8350", 17)
            pic.stroke(
                f"{(x + 130 + px) / 2},{(700 + py) / 2} {px + 20},{py + 130} {px + 60},{py + 110}", "#86a560", 26
            )
            for turn in range(0, 360, 45):
                with pic.at(px, py, 1, turn + n * 9):
                    pic.flat("0,0! 26,-34 0,-70! -26,-34", tone if turn % 90 else lighter(tone, 0.25))
            pic.flat(oval(px, py, 20), inner)
        pic.solid(
            f"{x},640! {x + 130},660 {x + 260},640! {x + 230},900! {x + 130},914 {x + 30},900!", pot, cast=20, turn=24
        )
        pic.line(f"{x - 4},648 {x + 130},668 {x + 264},648", lighter(pot, 0.25), 22)
    for _ in range(12):
        pic.flat(oval(pic.rng.uniform(LEFT, RIGHT), pic.rng.uniform(930, 1090), 16, 10, 6), "#d9486b")


def arch(pic: Drawing, x: float, shade: str, door: str) -> None:
    """One bay of the arcade: its arch in shade, a door in one strong colour."""
    pic.flat(
        f"{x + 30},880! {x + 30},480! {x + 44},390 {x + 90},330 {x + 150},310 {x + 210},330 "
        f"{x + 256},390 {x + 270},480! {x + 270},880!",
        shade,
    )
    pic.flat(f"{x + 82},880! {x + 82},500! {x + 150},456 {x + 232},500! {x + 232},880!", deeper(door, 0.1))
    pic.flat(f"{x + 92},880! {x + 92},510! {x + 153},510! {x + 153},880!", door)
    pic.flat(
        f"{x + 30},880! {x + 30},480! {x + 44},390 {x + 90},330 {x + 150},310! {x + 70},420 "
        f"{x + 62},520! {x + 62},880!",
        "#4a2c2c",
        0.35,
    )


DOORS = ("#3f7390", "#c2593a", "#5d7d4a", "#e0a02f", "#a33a57")


def wares(pic: Drawing) -> None:
    """What stands at the doors: bread, cloth, flowers, fruit."""
    pic.flat(block(-206, 740, 150, 150), "#9a6238")
    for n in range(6):
        pic.flat(oval(-184 + (n % 3) * 52, 728 - (n // 3) * 34, 32, 22, 8), ("#d08a3a", "#f0dcae", "#e08a8c")[n % 3])
    for n, (tone, stripe) in enumerate((("#a33a57", "#e0a02f"), ("#2f3f75", "#efe2c8"))):
        px = 106 + n * 108
        pic.flat(block(px, 470, 72, 250 - n * 40), tone)
        for k in range(4):
            pic.flat(block(px, 510 + k * 46, 72, 15), stripe)
    for n in range(3):
        px = 404 + n * 58
        pic.flat(f"{px},790! {px + 48},790! {px + 40},890! {px + 8},890!", ("#c2593a", "#3f7390", "#e0a02f")[n])
        for k in range(5):
            pic.flat(
                oval(px + 4 + k * 11, 762 - (k % 2) * 28, 17, count=7), ("#e08a8c", "#f6c25c", "#fff6e2")[(n + k) % 3]
            )
    pic.flat("690,800! 880,770! 880,890! 690,890!", "#9a6238")
    for n in range(9):
        pic.flat(
            oval(716 + (n % 5) * 36, 788 - (n // 5) * 30 - (n % 5) * 5, 20, count=8),
            ("#e0762c", "#7d9a4c", "#c93f3a")[n % 3],
        )


def shopper(pic: Drawing) -> None:
    """A shopper with her basket, and a bicycle at rest."""
    pic.flat("560,966 640,956 760,980 680,992", "#7d5a50", 0.4)
    pic.flat("572,760 620,744 664,760 690,900 680,950! 560,950! 550,900", "#2f6f5f")
    pic.flat("560,950! 680,950! 672,964! 568,964!", "#5a3425")
    pic.flat("584,672 620,650 656,672 668,766! 620,786 572,766!", "#fff6e2")
    pic.line("656,690 690,760 700,800", "#a9683f", 17)
    pic.flat(oval(620, 618, 29, 33), "#a9683f")
    pic.flat("588,620 586,584 620,570 654,586 654,640 676,720! 648,720 642,610 600,606", "#33211f")
    pic.flat("666,800! 740,800! 726,856! 680,856!", "#c98f4e")
    pic.line("672,802 702,760 734,802", "#8f5b2f", 7)
    pic.flat("690,800! 700,756 712,800!", "#d08a3a")
    for cx in (-20, 110):
        pic.line(oval(cx, 906, 46, count=10), "#3a2a2a", 8, closed=True)
    pic.line("-20,906 40,906 90,830 10,836 -20,906", "#c2593a", 8)
    pic.line("110,906 88,806 66,800", "#c2593a", 8)
    pic.line("40,906 8,822", "#c2593a", 8)
    pic.flat("-14,820 10,812 32,820 8,828", "#3a2a2a")


def arcade(pic: Drawing) -> None:
    """The portales in the morning: five doors, lime-washed columns, long shadows on the stones."""
    pic.flat(block(LEFT, -10, RIGHT - LEFT, 400), "#f3dfb8")
    pic.flat(oval(40, 90, 58), "#f6c25c")
    pic.flat("560,140! 560,70! 590,66! 592,40 640,14 688,40 690,66! 720,70! 720,140!", "#e7c596")
    pic.flat("626,140! 626,100 640,84 654,100 654,140!", "#c9a271")
    pic.flat(block(LEFT, 200, RIGHT - LEFT, 800), "#f8ecd4")
    pic.flat("-260,200! -230,128! 1230,128! 1260,200!", "#b5553a")
    for n in range(20):
        pic.line(f"{-244 + n * 78},132 {-250 + n * 78},196", "#8f3f2c" if n % 3 else "#d27a54", 11)
    pic.flat(block(LEFT, 200, RIGHT - LEFT, 18), "#8f4a35")
    pic.flat(block(LEFT, 266, RIGHT - LEFT, 12), "#e3cda4")
    for n, door in enumerate(DOORS):
        x = -250 + n * 300.0
        arch(pic, x, "#7d5a50", door)
        pic.flat(block(x - 26, 500, 56, 390), "#fff6e2")
        pic.flat(block(x + 8, 500, 22, 390), "#e3cda4")
        pic.flat(block(x - 38, 476, 80, 30), "#fffaf0")
        pic.flat(block(x - 38, 846, 80, 50), "#c9a982")
    pic.flat(block(1224, 476, 40, 420), "#fff6e2")
    wares(pic)
    pic.line("1100,316 1102,360", "#4a2c2c", 6)
    pic.flat("1076,364! 1124,364! 1116,420! 1084,420!", "#f6c25c")
    pic.flat("1130,886 1140,846 1180,836 1210,852 1216,886", "#3a2a2a")
    pic.flat("1128,850! 1122,820! 1138,832! 1152,818! 1156,848 1140,862", "#3a2a2a")
    pic.line("-250,300 -100,340 50,300 200,340 350,300 500,340 650,300 800,340 950,300 1100,340 1250,300", "#fff6e2", 4)
    for n in range(20):
        px = -236 + n * 75
        sag = 300 + 36 * abs(math.sin((px + 250) / 300 * math.pi))
        pic.flat(
            f"{px},{sag}! {px + 46},{sag}! {px + 46},{sag + 44}! {px + 23},{sag + 58}! {px},{sag + 44}!", DOORS[n % 5]
        )
    pic.flat(block(LEFT, 890, RIGHT - LEFT, 130), "#e2c498")
    for n in range(6):
        x = -250 + n * 300
        pic.flat(f"{x - 38},890! {x + 42},890! {x + 190},1010! {x + 90},1010!", "#7d5a50", 0.3)
    for _ in range(22):
        spot = pic.rng.uniform(LEFT, RIGHT), pic.rng.uniform(906, 994)
        pic.stroke(f"{spot[0]},{spot[1]} {spot[0] + 24},{spot[1] - 3} {spot[0] + 48},{spot[1]}", "#c9a271", 6)
    shopper(pic)
    pic.flat("1010,150 1060,110 1150,104 1240,120 1262,200 1240,330 1216,250 1130,236 1050,214 1006,186", "#5d7d4a")
    for n in range(24):
        petal = oval(pic.rng.uniform(1020, 1240), pic.rng.uniform(118, 218), 16, 13, 5)
        pic.flat(petal, ("#c93f7a", "#e0709a", "#a33a57")[n % 3])


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "portada-espiga": bakery,
    "portada-illimani": altiplano,
    "portada-flores": flowers,
    "portales-arcade": arcade,
}
