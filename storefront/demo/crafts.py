"""What Tejidos Illimani weaves, sews, moulds and hammers: blankets, bags, toys, silver and clay."""

import math
from collections.abc import Callable

from storefront.demo import grounds
from storefront.demo.drawing import Drawing, block, deeper, lighter, oval
from storefront.demo.knits import (
    AGUAYO,
    ALPACA,
    BROWN,
    COCHINEAL,
    EARTH,
    GREY,
    INDIGO,
    MOSS,
    NIGHT,
    OCHRE,
    PINK,
    TEAL,
    bands,
    fringe,
    motif,
    pompom,
)

SILVER = "#c3ccd3"


def blanket(pic: Drawing) -> None:
    grounds.table(pic, "#cfa27a", "#8a5a3f", edge=690)
    pic.flat(oval(560, 880, 430, 50), "#22100f", 0.3)
    folds = ((700, EARTH), (540, [*EARTH[2:], *EARTH[:2]]), (370, EARTH))
    for top, order in folds:
        roll = (
            f"130,{top}! 480,{top - 14} 800,{top}! 886,{top + 24} 904,{top + 90} 880,{top + 156} "
            f"800,{top + 176}! 480,{top + 186} 130,{top + 176}! 116,{top + 90}"
        )
        with pic.body(roll, ALPACA, turn=0):
            with pic.at(0, top, 1, 0):
                bands(pic, (100, -10, 830, 200), order)
            pic.stitches((110, top - 10, 800, 200), BROWN, 15, 0.2)
            pic.stroke(f"110,{top + 166} 480,{top + 176} 860,{top + 160}", BROWN, 34, 0.4)
            pic.flat(
                f"800,{top}! 886,{top + 24} 904,{top + 90} 880,{top + 156} 800,{top + 176}! 836,{top + 90}", BROWN, 0.28
            )
        pic.stroke(f"140,{top + 10} 480,{top - 2} 800,{top + 10}", lighter(ALPACA, 0.6), 12, 0.8)
    with pic.at(250, 366, 1, 0):
        flap = "-60,0! 150,-8 380,0! 372,250 388,420! 160,432 -66,420! -56,210"
        fringe(pic, (-62, 424), (386, 424), [ALPACA, BROWN], 58)
        with pic.body(flap, ALPACA, cast=16, turn=10):
            bands(pic, (-80, 0, 490, 430), [EARTH[5], *EARTH[:5]])
            pic.stitches((-80, 0, 480, 430), BROWN, 15, 0.2)


def aguayo(pic: Drawing) -> None:
    grounds.plain(pic, "#d9b98a")
    cloth = "110,170! 480,140 880,166! 900,520 872,880! 500,862 128,890! 96,520"
    with pic.body(cloth, COCHINEAL, cast=44, turn=14):
        bands(pic, (80, 130, 840, 330), AGUAYO)
        pic.flat(block(60, 410, 900, 200), COCHINEAL)
        pic.line("80,508 920,512", deeper(COCHINEAL, 0.5), 6)
        bands(pic, (80, 590, 840, 330), AGUAYO[::-1])
        for n in range(60):
            pic.line(f"{90 + n * 14},130 {92 + n * 14},500 {90 + n * 14},900", deeper(COCHINEAL, 0.6), 2.5, 0.22)
    pic.shadow("872,880! 870,640 720,620 600,870!", -14, 10, 0.34)
    pic.solid("872,880! 640,640! 590,700 600,872! 730,868", deeper(PINK, 0.1), turn=14)
    pic.strokes("634,668 616,760 620,860 / 660,690 660,780 668,864", deeper(PINK, 0.35), 10)


def satchel(pic: Drawing) -> None:
    grounds.boards(pic, "#b98d5e", 86)
    pic.line("300,420 240,210 400,96 560,110 720,200 712,420", deeper(NIGHT, 0.4), 52)
    pic.line("296,412 236,206 398,90 556,104 712,196 704,412", INDIGO, 40)
    pic.line("296,412 236,206 398,90 556,104 712,196 704,412", OCHRE, 8)
    fringe(pic, (250, 860), (760, 860), [COCHINEAL, OCHRE, TEAL], 80)
    with pic.body("230,390! 500,376 772,392! 784,640 764,860! 500,884 236,862! 218,640", COCHINEAL, cast=40, turn=24):
        bands(pic, (200, 380, 600, 500), [AGUAYO[2], *AGUAYO[3:], *AGUAYO[:2]])
        pic.stroke("744,400 760,620 744,860", "#22100f", 50, 0.3)
    with pic.body("214,386! 500,366 788,388! 776,560 700,612 500,650 300,612 226,560", INDIGO, cast=20, turn=20):
        for n in range(6):
            motif(pic, "llama", 280 + n * 88, 478, 78, ALPACA)
        pic.line("236,556 320,598 500,630 680,598 766,552", OCHRE, 14)
        pic.line("220,410 500,394 784,412", OCHRE, 12)
    pompom(pic, 500, 650, 46, (PINK, OCHRE, COCHINEAL))


def purse(pic: Drawing) -> None:
    grounds.weave(pic, "#9fb0a8", "#869c92")
    for x, y, turn, order in ((590, 340, 12, AGUAYO[5:]), (440, 640, -9, AGUAYO)):
        with pic.at(x, y, 1, turn):
            with pic.body("-330,-130! 0,-142 330,-128! 352,20 330,140! 0,156 -328,142! -350,0", TEAL, cast=38, turn=20):
                bands(pic, (-360, -100, 720, 270), order)
                pic.stroke("310,-120 330,20 316,146", "#22100f", 40, 0.3)
            pic.line("-322,-126 0,-138 322,-124", BROWN, 26)
            for n in range(46):
                pic.line(f"{-314 + n * 13.8},{-134} {-310 + n * 13.8},{-120}", "#e8c987", 5)
            pic.solid("300,-140! 350,-150 380,-110 364,-90! 320,-110", "#d9b25f", cast=8, turn=8)
            pic.stroke("360,-100 400,-50 396,10", COCHINEAL, 20)


def cushion(pic: Drawing) -> None:
    grounds.table(pic, "#7f9aa2", "#c79055", edge=720)
    pic.flat(oval(560, 850, 400, 70), "#22100f", 0.34)
    with pic.body(
        "140,190! 320,236 500,240 690,232 862,186! 828,360 822,520 832,680 866,868! 690,826 500,818 310,828 134,866! "
        "172,690 180,520 170,350",
        COCHINEAL,
        turn=34,
    ):
        bands(pic, (120, 180, 760, 700), [*AGUAYO, (120, COCHINEAL, "diamond", OCHRE)])
        pic.strokes(
            "150,200 220,300 250,420 / 850,860 780,760 750,640 / 840,210 790,320 780,420 / 150,850 220,760 246,660",
            "#22100f",
            46,
            0.22,
        )
        pic.strokes("250,262 420,274 560,268", "#fff3d6", 30, 0.16)
    for x, y in ((140, 190), (862, 186), (866, 868), (134, 866)):
        pompom(pic, x, y, 44, (OCHRE, PINK, TEAL))


def toy(pic: Drawing) -> None:
    grounds.peaks(pic, "#eab98c", "#7d86ad", "#7f8f55")
    pic.flat(oval(570, 900, 330, 46), "#22100f", 0.3)
    wool = "#f6ead2"
    for x, tone in ((390, 0.2), (650, 0.2), (330, 0), (590, 0)):
        pic.solid(block(x, 640, 74, 250, 26), deeper(wool, tone), turn=14)
        pic.solid(block(x, 846, 74, 48, 16), deeper(BROWN, tone), turn=8)
    pic.solid("690,560 770,520 800,580 760,640 690,640", deeper(wool, 0.08), turn=14)
    neck = "280,640 270,500 262,340 250,260 286,190 360,180 410,220 420,330 430,470 480,640"
    pic.solid(neck, wool, turn=20)
    with pic.body(
        "270,560 330,480 480,462 640,470 730,520 752,620 726,730 600,770 420,774 300,730 262,650", wool, turn=28
    ):
        for _ in range(90):
            curl, low = pic.rng.uniform(270, 740), pic.rng.uniform(480, 760)
            spiral = f"{curl},{low} {curl + 16},{low - 12} {curl + 26},{low + 4} {curl + 12},{low + 14}"
            pic.line(spiral, deeper(wool, 0.16), 5)
        pic.flat("420,440! 520,448 640,446! 660,620 650,700! 540,712 428,704! 410,600", COCHINEAL)
    with pic.body("420,456! 520,460 640,458! 660,620 650,700! 540,712 428,704! 410,600", COCHINEAL, turn=10):
        bands(pic, (400, 450, 270, 260), [AGUAYO[2], AGUAYO[1], AGUAYO[4], AGUAYO[7], AGUAYO[5], AGUAYO[0]])
    fringe(pic, (428, 704), (650, 704), [OCHRE, PINK, TEAL], 44)
    for x, y, turn in ((282, 190, -16), (374, 180, 12)):
        with pic.at(x, y, 1, turn):
            pic.solid("-24,20! -34,-50 -6,-100! 26,-50 26,20!", deeper(wool, 0.08), turn=10)
            pic.flat("-12,10! -16,-40 -4,-70! 12,-36 12,10!", PINK, 0.6)
    pic.solid("236,240 290,196 370,200 404,250 396,320 340,350 250,346 190,330 180,286", wool, turn=16)
    pic.flat(oval(322, 252, 14), NIGHT)
    pic.flat(oval(318, 247, 5, count=5), "#ffffff")
    pic.stroke("184,300 200,318 236,322", BROWN, 9)
    pic.flat(oval(192, 282, 12, 8), BROWN)
    pic.flat(oval(350, 300, 26, 17), PINK, 0.45)
    for n, ring in enumerate((COCHINEAL, OCHRE, TEAL)):
        pic.line(f"262,{404 + n * 24} 344,{424 + n * 24} 428,{396 + n * 24}", ring, 22)
    pompom(pic, 300, 480, 32, (OCHRE, PINK, COCHINEAL))
    for x, tassel in ((270, PINK), (392, TEAL)):
        pic.line(f"{x},100 {x + 4},140 {x - 2},170", tassel, 10)


def earrings(pic: Drawing) -> None:
    grounds.plain(pic, "#5b2f45")
    pic.solid("200,150! 500,128 806,156! 826,520 800,872! 500,892 206,868! 180,520", "#ead8b6", cast=44, turn=10)
    pic.grain((210, 160, 580, 700), "#d6bf93", 90, 60, 30)
    for x in (354, 646):
        with pic.at(x, 300):
            pic.line("0,-60 4,-110 34,-116 40,-80", deeper(SILVER, 0.3), 10)
            pic.solid(oval(0, -34, 40), SILVER, cast=12, turn=12)
            pic.flat(oval(0, -34, 18), TEAL)
            pic.solid("0,10! 130,150! 0,300! -130,150!", SILVER, cast=26, turn=24)
            pic.line("0,60! 84,150! 0,244! -84,150!", deeper(SILVER, 0.45), 9, closed=True)
            for row in range(4):
                for dx in range(-row if row < 3 else -1, (row if row < 3 else 1) + 1, 2):
                    pic.flat(oval(dx * 19, 98 + row * 34, 8), deeper(SILVER, 0.5))
            pic.solid("0,118! 28,150! 0,182! -28,150!", TEAL, turn=8)
            pic.strokes("-96,140 -50,90 -10,48", "#ffffff", 14, 0.9)
            for n in range(5):
                dx = (n - 2) * 50
                y = 306 - abs(dx) * 1.04
                pic.line(f"{dx},{y} {dx},{y + 46}", deeper(SILVER, 0.3), 6)
                pic.solid(
                    f"{dx},{y + 40}! {dx + 26},{y + 88} {dx},{y + 124} {dx - 26},{y + 88}", SILVER, cast=12, turn=12
                )
                pic.stroke(f"{dx - 10},{y + 70} {dx - 12},{y + 84} {dx - 8},{y + 98}", "#ffffff", 8)


def cups(pic: Drawing) -> None:
    grounds.table(pic, "#d8a26a", "#46586b", edge=640)
    for x, y, size, glaze, band in ((640, 250, 0.82, "#2f6d7a", ALPACA), (300, 330, 1, "#efe3cb", INDIGO)):
        with pic.at(x - 60, y, size):
            pic.flat(oval(250, 500, 260, 44), "#150b14", 0.36)
            pic.line("330,150 440,130 460,260 330,340", deeper(glaze, 0.3), 44)
            pic.line("324,146 430,130 450,254 324,330", glaze, 28)
            with pic.body("-60,60! -56,260 -20,470 30,510! 150,526 270,510! 320,470 356,260 360,60!", glaze, turn=34):
                pic.specks((-60, 60, 420, 460), deeper(glaze, 0.25), 80, (2, 5))
                pic.flat("-70,400 60,372 150,400 260,372 370,396 370,530! -70,530!", "#a5572f")
                pic.specks((-60, 410, 420, 110), "#c57c4c", 50, (2, 6))
                for n in range(5):
                    motif(pic, ("llama", "diamond")[n % 2], 4 + n * 76, 250, 68, band)
                pic.line("-60,180 150,204 360,180", band, 9)
                pic.line("-60,312 150,336 360,312", band, 9)
                pic.stroke("-14,110 -14,260 14,440", "#ffffff", 20, 0.5)
            pic.solid(oval(150, 60, 212, 56, 16), lighter(glaze, 0.15), turn=8)
            pic.flat(oval(150, 66, 186, 42, 16), deeper(glaze, 0.5))
            pic.flat(oval(154, 78, 168, 30, 16), "#b98a3f")
            pic.flat("130,70! 170,56 210,66! 180,84", MOSS)


def tapestry(pic: Drawing) -> None:
    grounds.plain(pic, "#cdbfa4")
    pic.line("260,150 500,40 740,150", BROWN, 9)
    fringe(pic, (232, 850), (772, 850), [INDIGO, COCHINEAL, OCHRE], 90)
    with pic.body("224,160! 500,150 778,160! 786,500 774,852! 500,862 230,852! 218,500", "#f0c487", cast=40, turn=10):
        pic.flat(oval(620, 330, 92), "#e2643c")
        pic.flat("200,560! 340,380! 420,470! 540,300! 660,470! 720,410! 800,520! 800,900! 200,900!", "#5566a0")
        pic.flat("540,300! 608,396! 570,384 548,430 514,390 470,402!", "#fff7e6")
        pic.flat("340,380! 384,430! 356,424 336,448 312,416!", "#fff7e6")
        pic.flat("200,620! 400,560 620,620 800,580! 800,900! 200,900!", MOSS)
        pic.flat("200,700! 420,650 600,710 800,680! 800,900! 200,900!", OCHRE)
        for x, y, size in ((360, 660, 110), (520, 700, 130), (680, 660, 96)):
            motif(pic, "llama", x, y, size, ALPACA)
        bands(pic, (200, 770, 620, 90), [(10, NIGHT, "", ""), (56, COCHINEAL, "diamond", OCHRE), (24, NIGHT, "", "")])
        bands(pic, (200, 150, 620, 52), [(40, COCHINEAL, "zigzag", ALPACA), (12, NIGHT, "", "")])
        for n in range(40):
            pic.line(f"{224 + n * 14},150 {226 + n * 14},500 {224 + n * 14},860", "#3a1d24", 3, 0.14)
    pic.solid(block(150, 128, 700, 44, 20), "#8a5a35", cast=16, turn=12)
    for n in range(16):
        pic.line(f"{240 + n * 35},126 {246 + n * 35},174", "#f0e2c4", 8)


def skein(pic: Drawing, x: float, y: float, radius: float, colour: str) -> None:
    """A ball of wool wound in three directions."""
    with pic.at(x, y, radius / 200), pic.body(oval(0, 0, 200, 196, 14), colour, cast=40, turn=34):
        for turn, tone in ((24, deeper(colour, 0.22)), (82, lighter(colour, 0.24)), (140, deeper(colour, 0.1))):
            with pic.at(0, 0, 1, turn):
                for n in range(-5, 6):
                    pic.stroke(f"-215,{n * 26} -60,{n * 26 - 44} 70,{n * 26 - 40} 215,{n * 26 + 14}", tone, 12)
                    if turn != 24 and n > 0:
                        break


def yarn(pic: Drawing) -> None:
    grounds.mat(pic, "#cfae7c", 120)
    with pic.at(500, 550):
        pic.solid(oval(0, 60, 440, 330, 18), "#9a6436", cast=44, turn=20)
        pic.flat(oval(0, 40, 400, 290, 18), "#5f3a24")
    for x, y, r, tone in (
        (330, 470, 150, INDIGO),
        (520, 400, 146, ALPACA),
        (700, 490, 150, COCHINEAL),
        (400, 650, 156, OCHRE),
        (590, 660, 162, MOSS),
        (760, 660, 116, GREY),
    ):
        skein(pic, x, y, r, tone)
    for n in range(34):
        a = math.pi * (0.02 + n * 0.96 / 33)
        ex, ey = 500 + 432 * math.cos(a), 616 + 322 * math.sin(a)
        pic.stroke(f"{ex - 32},{ey - 24} {ex},{ey} {ex + 32},{ey + 30}", ("#b57a45", "#c98f55")[n % 2], 30)
    pic.line("760,700 850,820 780,900 880,950 980,930", GREY, 9)


def fitting(pic: Drawing) -> None:
    grounds.boards(pic, "#c99a66", -20)
    with pic.at(400, 560, 0.84, -6):
        pic.solid("-300,-380! 0,-392 290,-376! 300,60 284,420! 0,430 -296,416! -310,0", "#f6ecd6", cast=34, turn=10)
        outline = (
            "-80,-260! -190,-210 -250,40! -180,60 -140,-80! -146,270! 0,284 146,270! 140,-80! "
            "180,60 250,40! 190,-210 80,-260! 0,-214"
        )
        pic.flat(outline, "#b9c4dd")
        pic.line(outline, INDIGO, 8, closed=True)
        for y, kind in ((-90, "diamond"), (-20, "zigzag")):
            for n in range(5):
                motif(pic, kind, -100 + n * 50, y, 42, COCHINEAL)
        pic.line("-150,330 0,330 150,330", BROWN, 6)
        pic.line("-150,316 -150,344", BROWN, 6)
        pic.line("150,316 150,344", BROWN, 6)
    skein(pic, 770, 250, 140, COCHINEAL)
    skein(pic, 830, 480, 110, OCHRE)
    for x, turn in ((690, 42), (730, 58)):
        with pic.at(x, 330, 1, turn):
            pic.solid(block(-330, -10, 600, 20, 9), "#e8c98f", cast=16, turn=5)
            pic.solid(oval(276, 0, 24), TEAL, turn=8)
    tape = "60,930 240,850 420,900 600,960 760,880 800,760 720,700 640,760 680,850 840,900 1100,850"
    pic.line(tape, "#22100f", 62, 0.2)
    pic.line(tape, "#e7b43f", 52)
    d = pic.path(tape, wobble=0, closed=False)
    pic.put(f'<path d="{d}" fill="none" stroke="{BROWN}" stroke-width="22" stroke-dasharray="5 19"/>')


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "manta": blanket,
    "aguayo": aguayo,
    "morral": satchel,
    "monedero": purse,
    "cojin": cushion,
    "llama-fieltro": toy,
    "aretes-plata": earrings,
    "tazas-ceramica": cups,
    "tapiz": tapestry,
    "ovillos": yarn,
    "prueba-a-medida": fitting,
}
