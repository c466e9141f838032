"""What things stand on and in front of: patterned cloths, tiles, boards, mats and walls."""

import math

from storefront.demo.drawing import BOTTOM, GLOW, LEFT, RIGHT, TOP, Drawing, block, deeper, knots, lighter, oval

ALL = (LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP)


def plain(pic: Drawing, colour: str) -> None:
    """Cover everything with one colour and a breath of brush hairs."""
    pic.flat(block(*ALL), colour, wobble=0)
    pic.grain(ALL, lighter(colour, 0.14), 90, 120, -24)
    pic.grain(ALL, deeper(colour, 0.06), 50, 100, -24)


def checks(pic: Drawing, colour: str, over: str, step: float = 125) -> None:
    """A checked tablecloth, a little askew."""
    plain(pic, colour)
    with pic.at(500, 500, turn=-9):
        reach = [i * step for i in range(-8, 8)]
        for i in reach:
            pic.flat(block(i, -1000, step / 2, 2000), over, 0.45)
            pic.flat(block(-1000, i, 2000, step / 2), over, 0.45)


def stripes(pic: Drawing, colour: str, overs: list[str], turn: float = -14, step: float = 150) -> None:
    """A striped cloth: each colour in turn, thick and thin."""
    plain(pic, colour)
    with pic.at(500, 500, turn=turn):
        for n, i in enumerate(range(-7, 8)):
            shade = overs[n % len(overs)]
            pic.flat(block(i * step, -1050, step * 0.3, 2100), shade)
            pic.flat(block(i * step + step * 0.45, -1050, step * 0.07, 2100), shade)


def tiles(pic: Drawing, colour: str, petal: str, dot: str, size: float = 190) -> None:
    """Painted floor tiles: a four-petalled flower in each, its neighbour's leaf at the corners."""
    plain(pic, colour)
    for row in range(-1, 7):
        for column in range(-2, 7):
            x, y = column * size + 30, row * size + 30
            with pic.at(x, y):
                half = size * 0.43
                for turn in (45, 135, 225, 315):
                    with pic.at(0, 0, turn=turn):
                        pic.flat(
                            f"0,0! {half * 0.5:.0f},{-half * 0.32:.0f} {half:.0f},0! "
                            f"{half * 0.5:.0f},{half * 0.32:.0f}",
                            petal,
                        )
                pic.flat(oval(0, 0, size * 0.09, count=6), dot)
                pic.flat(oval(size / 2, size / 2, size * 0.07, count=6), petal)
                pic.line(f"{-size / 2},{-size / 2} {size / 2},{-size / 2}", deeper(colour, 0.12), 4)
                pic.line(f"{-size / 2},{-size / 2} {-size / 2},{size / 2}", deeper(colour, 0.12), 4)


def leaves(pic: Drawing, colour: str, leaf: str, berry: str, size: float = 230) -> None:
    """A printed cloth of sprigs and berries."""
    plain(pic, colour)
    for row in range(6):
        for column in range(8):
            x = LEFT + column * size + (row % 2) * size / 2
            with pic.at(x, TOP + row * size * 0.95 + 40, size / 230, pic.rng.uniform(-35, 35)):
                pic.stroke("0,85 6,20 0,-60", leaf, 9)
                for y in (50, 12, -24):
                    pic.flat(f"3,{y}! 34,{y - 40} 58,{y - 42}! 40,{y - 6}", leaf)
                    pic.flat(f"3,{y + 6}! -34,{y - 34} -56,{y - 36}! -36,{y - 2}", leaf)
                pic.flat(oval(0, -76, 13, count=6), berry)


def mat(pic: Drawing, colour: str, size: float = 92) -> None:
    """A woven palm mat (petate)."""
    plain(pic, colour)
    with pic.at(500, 500, turn=38):
        for row in range(-11, 12):
            for column in range(-11, 12):
                x, y = column * size, row * size
                tone = lighter(colour, 0.2) if (row + column) % 2 else deeper(colour, 0.1)
                pic.flat(block(x, y, size - 6, size - 6), tone)
                along = "{0},{2} {1},{2}" if (row + column) % 2 else "{2},{0} {2},{1}"
                start, cross = (x, y) if (row + column) % 2 else (y, x)
                for offset in (0.3, 0.62):
                    pic.line(along.format(start + 8, start + size - 14, cross + size * offset), deeper(tone, 0.1), 3)


def boards(pic: Drawing, colour: str, turn: float = 0, width: float = 175) -> None:
    """Wooden boards seen from above."""
    plain(pic, colour)
    with pic.at(500, 500, turn=turn):
        for n in range(-6, 7):
            y = n * width
            pic.flat(block(-1000, y, 2000, width - 6), lighter(colour, 0.05 + 0.1 * pic.rng.random()))
            pic.grain((-900, y + 20, 1700, width - 50), deeper(colour, 0.09), 34, 240)
            pic.line(f"-1000,{y - 3} 1000,{y - 3}", deeper(colour, 0.3), 7)


def table(pic: Drawing, wall: str, top: str, *, edge: float = 610) -> None:
    """A wall and a table top in front of it; its front edge stays below the picture."""
    plain(pic, wall)
    for row in range(5):
        for column in range(9):
            x = LEFT + 40 + column * 190 + (row % 2) * 95
            with pic.at(x, TOP + 60 + row * 170, 0.9):
                for turn in range(0, 360, 60):
                    with pic.at(0, 0, turn=turn):
                        pic.flat("0,-8! 9,-26 0,-42! -9,-26", deeper(wall, 0.1))
    pic.flat(block(LEFT, edge, RIGHT - LEFT, BOTTOM - edge), top)
    pic.flat(block(LEFT, edge, RIGHT - LEFT, 16), lighter(top, 0.4))
    pic.grain((LEFT, edge + 40, RIGHT - LEFT, BOTTOM - edge), lighter(top, 0.14), 160, 150)
    pic.grain((LEFT, edge + 40, RIGHT - LEFT, BOTTOM - edge), deeper(top, 0.08), 120, 150)


def garland(pic: Drawing, colours: list[str], y: float = 60) -> None:
    """Cut-paper flags (papel picado) on a string across the top."""
    pic.line(f"{LEFT},{y - 30} 500,{y + 26} {RIGHT},{y - 30}", "#fff3d6", 5)
    for n, x in enumerate(range(int(LEFT) + 20, int(RIGHT), 172)):
        sag = y + 24 - 54 * ((x + 75 - 500) / 760) ** 2
        colour = colours[n % len(colours)]
        teeth = " ".join(f"{150 - i * 25},{(168 if i % 2 else 190)}!" for i in range(7))
        with pic.at(x, sag):
            pic.flat(f"0,0! 150,0! {teeth}", colour)
            for px, py in ((45, 60), (105, 60), (75, 110), (40, 135), (110, 135)):
                pic.flat(f"{px},{py - 20}! {px + 15},{py}! {px},{py + 20}! {px - 15},{py}!", deeper(colour, 0.35), 0.6)


def plate(pic: Drawing, colour: str, rim: str, cy: float = 560, rx: float = 430) -> None:
    """A painted plate seen from above and a little in front."""
    ry = rx * 0.86
    pic.solid(oval(500, cy, rx, ry, 18), colour, cast=46, turn=12)
    pic.line(oval(500, cy, rx * 0.93, ry * 0.93, 18), rim, 12, closed=True)
    for i in range(28):
        a = 2 * math.pi * i / 28
        pic.flat(oval(500 + rx * 0.83 * math.cos(a), cy + ry * 0.83 * math.sin(a), 13, 9, 6), rim)
    pic.flat(oval(500, cy, rx * 0.72, ry * 0.72, 18), deeper(colour, 0.06))


def paper(pic: Drawing, colour: str, turn: float = 7, size: float = 1) -> None:
    """A sheet of baker's paper with its corners lifted."""
    sheet = knots("110,190! 480,172 890,150! 905,520 884,876! 500,862 128,884! 112,540")
    with pic.at(500, 520, size, turn), pic.at(-500, -520):
        pic.shadow(sheet, 22, 26, 0.2)
        pic.flat(sheet, colour)
        pic.flat("884,876! 780,868 858,770 893,720!", deeper(colour, 0.12))
        pic.strokes("170,260 320,244 500,246 / 620,812 740,806 850,812", lighter(colour, 0.4), 6)


def weave(pic: Drawing, colour: str, thread: str, size: float = 74) -> None:
    """A plain woven cloth with small crossed threads."""
    plain(pic, colour)
    for row in range(-2, 16):
        for column in range(-4, 18):
            x, y = column * size + (row % 2) * size / 2, row * size
            pic.stroke(f"{x - 14},{y} {x},{y - 2} {x + 14},{y}", thread, 6)
            pic.stroke(f"{x},{y - 14} {x + 2},{y} {x},{y + 14}", thread, 6)


def peaks(pic: Drawing, sky: str, far: str, near: str) -> None:
    """A plastered wall painted with the cordillera: snow, ridge and plain."""
    plain(pic, sky)
    ridge = "-260,560! -120,430! 20,520! 180,300! 300,420! 420,250! 560,400! 700,330! 860,500! 1000,380! 1260,560!"
    pic.flat(ridge + " 1260,1135! -260,1135!", far)
    for snow in (
        "180,300! 226,346! 196,352 180,390 160,350 128,372!",
        "420,250! 476,314! 446,310 428,356 404,316 372,330!",
        "700,330! 752,372! 716,370 700,396 676,358!",
        "1000,380! 1050,414! 1010,410 986,440 962,418!",
    ):
        pic.flat(snow, GLOW)
    pic.flat("-260,760! 100,690 420,740 760,680 1260,750! 1260,1135! -260,1135!", near)
    pic.grain((LEFT, 760, RIGHT - LEFT, 380), lighter(near, 0.14), 120, 110)
