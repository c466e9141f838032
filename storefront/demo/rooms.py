"""Posada Cerro Alegre indoors: five rooms, each with its own light, and the breakfast table."""

from collections.abc import Callable
from typing import NamedTuple

from storefront.demo.drawing import BOTTOM, LEFT, RIGHT, TOP, Drawing, block, deeper, lighter, oval
from storefront.demo.port import CORAL, CREAM, MINT, MUSTARD, PINK, SEA, WOOD, boat, cloud, gull, hillside, sea, sky

FLOOR = 690.0


class Hues(NamedTuple):
    """A room's colours: wall, panelling, floor, quilt and the quilt's second colour."""

    wall: str
    panel: str
    floor: str
    quilt: str
    trim: str


def shell(pic: Drawing, hues: Hues) -> None:
    """Wall, corrugated panelling, skirting and floor boards."""
    pic.flat(block(LEFT, TOP, RIGHT - LEFT, FLOOR - TOP), hues.wall)
    pic.grain((LEFT, TOP, RIGHT - LEFT, FLOOR - TOP), lighter(hues.wall, 0.17), 130, 110, -24)
    pic.flat(block(LEFT, FLOOR - 190, RIGHT - LEFT, 190), hues.panel)
    ribs = "".join(f"M{x} {FLOOR - 180}V{FLOOR}" for x in range(int(LEFT), int(RIGHT), 34))
    pic.put(f'<path d="{ribs}" stroke="{deeper(hues.panel, 0.14)}" stroke-width="7"/>')
    pic.flat(block(LEFT, FLOOR - 204, RIGHT - LEFT, 24), lighter(hues.panel, 0.5))
    pic.flat(block(LEFT, FLOOR, RIGHT - LEFT, BOTTOM - FLOOR), hues.floor)
    for n, y in enumerate((FLOOR + 4, FLOOR + 60, FLOOR + 136, FLOOR + 236, FLOOR + 366)):
        pic.line(f"{LEFT},{y} {RIGHT},{y}", deeper(hues.floor, 0.24), 5)
        for x in range(int(LEFT) + (n % 2) * 190, int(RIGHT), 380):
            pic.line(f"{x},{y} {x - 26 - n * 10},{y + 50 + n * 22}", deeper(hues.floor, 0.24), 5)
    pic.grain((LEFT, FLOOR + 10, RIGHT - LEFT, 400), lighter(hues.floor, 0.14), 80, 160)


def bay_window(pic: Drawing, x: float, y: float, width: float, height: float, view: Callable[[Drawing], None]) -> None:
    """A window with the bay behind it; its light lies on the floor."""
    pic.flat(
        f"{x + 60},{FLOOR + 30}! {x + width + 40},{FLOOR + 30}! {x + width + 230},{FLOOR + 260}! "
        f"{x + 200},{FLOOR + 260}!",
        "#fff3c9",
        0.3,
    )
    pic.flat(block(x - 26, y - 26, width + 52, height + 52), CREAM)
    with pic.body(block(x, y, width, height), SEA, turn=0), pic.at(x, y, width / 1000):
        view(pic)
    for part in (1, 2):
        pic.line(f"{x + width * part / 3},{y} {x + width * part / 3},{y + height}", CREAM, 15)
    pic.line(f"{x},{y + height * 0.3} {x + width},{y + height * 0.3}", CREAM, 15)
    pic.flat(block(x - 44, y + height + 16, width + 88, 26), deeper(CREAM, 0.12))


def curtain(pic: Drawing, x: float, y: float, height: float, colour: str, flip: bool = False) -> None:
    with pic.at(x, y, 1, 0, flip):
        pic.solid(
            f"-30,-40! 90,-40! 84,{height * 0.3} 46,{height * 0.55} 60,{height + 30}! -30,{height + 40}!",
            colour,
            turn=12,
        )
        for px in (0, 30, 58):
            pic.stroke(f"{px},-36 {px - 4},{height * 0.4} {px * 0.5},{height + 20}", deeper(colour, 0.2), 9)


def bed(pic: Drawing, x: float, width: float, hues: Hues, low: float = 900) -> None:
    """A bed seen from its side and foot, pillows to the left."""
    head = low - 420
    pic.flat(
        f"{x + 20},{low + 10}! {x + width + 70},{low + 10} {x + width + 100},{low + 44} {x + 60},{low + 44}!",
        "#22100f",
        0.32,
    )
    pic.solid(
        f"{x - 40},{head + 40} {x - 10},{head} {x + 60},{head + 20} {x + 70},{low}! {x - 30},{low}!", WOOD, turn=14
    )
    pic.solid(block(x + width - 30, low - 220, 56, 230, 16), WOOD, turn=12)
    pic.solid(block(x, low - 120, width, 80), deeper(WOOD, 0.14), turn=8)
    pic.solid(block(x + 20, low - 230, width - 40, 120, 30), "#fbf4e4", turn=14)
    for px, tone in ((x + 44, "#fffaf0"), (x + 84, hues.trim)):
        pic.solid(
            f"{px},{low - 330} {px + 90},{low - 356} {px + 190},{low - 336} {px + 196},{low - 236} "
            f"{px + 90},{low - 218} {px - 4},{low - 232}",
            tone,
            cast=10,
            turn=16,
        )
    quilt = (
        f"{x + 250},{low - 262} {x + width * 0.6},{low - 280} {x + width - 36},{low - 256} "
        f"{x + width - 16},{low - 60}! {x + width * 0.6},{low - 46} {x + 240},{low - 64}!"
    )
    with pic.body(quilt, hues.quilt, turn=22):
        for n in range(14):
            px = x + 250 + n * 62
            tone = (hues.trim, CREAM, lighter(hues.quilt, 0.3))[n % 3]
            pic.stroke(f"{px},{low - 290} {px + 6},{low - 160} {px},{low - 30}", tone, 22)
        for n in range(20):
            pic.flat(oval(x + 280 + n * 62, low - 160, 15, 22, 6), hues.trim)
        pic.flat(block(x + 230, low - 300, 60, 260), "#fffaf0")
    pic.strokes(
        f"{x + 300},{low - 66} {x + width * 0.6},{low - 52} {x + width - 30},{low - 66}",
        deeper(hues.quilt, 0.4),
        14,
        0.6,
    )


def lamp(pic: Drawing, x: float, y: float, shade: str) -> None:
    """A bedside table with a lamp lit on it."""
    pic.flat(oval(x, y - 190, 200, 170), "#ffe9a8", 0.28)
    pic.solid(block(x - 76, y, 152, 24), WOOD, turn=6)
    for px in (x - 60, x + 46):
        pic.solid(block(px, y + 20, 18, 190), deeper(WOOD, 0.2), turn=4)
    pic.solid(f"{x - 34},{y} {x - 44},{y - 50} {x},{y - 100} {x + 44},{y - 50} {x + 34},{y}", "#3b6ea5", turn=12)
    pic.solid(f"{x - 50},{y - 210}! {x + 50},{y - 210}! {x + 88},{y - 96}! {x - 88},{y - 96}!", shade, turn=16)


def plant(pic: Drawing, x: float, y: float, pot: str, size: float = 1) -> None:
    with pic.at(x, y, size):
        pic.flat(oval(30, 4, 110, 22), "#22100f", 0.3)
        for dx, dy, turn in (
            (-60, -190, -30),
            (0, -240, 0),
            (60, -200, 28),
            (-96, -130, -58),
            (96, -130, 56),
            (26, -150, 14),
        ):
            pic.line(f"0,-90 {dx * 0.4},{dy * 0.7} {dx},{dy}", "#4d7042", 9)
            with pic.at(dx, dy, 1, turn):
                pic.solid("0,50! -46,0 -30,-66 0,-86! 30,-66 46,0", "#5f8a4e", turn=14)
                pic.stroke("0,44 2,0 0,-70", "#93b56f", 6)
        pic.solid("-70,-110! 70,-110! 54,0! -54,0!", pot, turn=18)
        pic.solid(block(-80, -128, 160, 32, 8), lighter(pot, 0.15), turn=8)


def rug(pic: Drawing, x: float, y: float, rx: float, colours: tuple[str, ...]) -> None:
    for n, tone in enumerate(colours):
        share = 1 - n * 0.24
        pic.flat(oval(x, y, rx * share, rx * 0.24 * share, 16), tone)


def picture(pic: Drawing, x: float, y: float, width: float, ground: str) -> None:
    """A framed view of a hill house."""
    pic.shadow(block(x, y, width, width * 1.2), 12, 14)
    pic.flat(block(x, y, width, width * 1.2), WOOD)
    pic.flat(block(x + 14, y + 14, width - 28, width * 1.2 - 28), ground)
    pic.flat(
        f"{x + 14},{y + width}! {x + width * 0.5},{y + width * 0.6} {x + width - 14},{y + width * 0.86}! "
        f"{x + width - 14},{y + width * 1.2 - 14}! {x + 14},{y + width * 1.2 - 14}!",
        deeper(ground, 0.4),
    )
    pic.flat(oval(x + width * 0.68, y + width * 0.34, width * 0.12), MUSTARD)


def over_the_bay(pic: Drawing) -> None:
    sky(pic)
    cloud(pic, 300, 170, 1.2)
    pic.flat("-260,430 100,340 460,400 800,350 1260,430! 1260,500! -260,500!", "#8fb0b5")
    sea(pic, 430, 860)
    boat(pic, 640, 525, 0.62)
    gull(pic, 240, 330, 1.2)
    hillside(pic, 690, 1090, size=1.6)


def over_the_roofs(pic: Drawing) -> None:
    sky(pic, "#f3cf9d", "#f8e6c4")
    sea(pic, 330, 560, "#5f9fb0")
    hillside(pic, 380, 1050, size=1.9)


def room_bay(pic: Drawing) -> None:
    hues = Hues("#e9d3a5", "#4f8aa0", "#b57a4a", "#2f6486", "#e0785c")
    shell(pic, hues)
    bay_window(pic, 390, 60, 520, 350, over_the_bay)
    curtain(pic, 352, 60, 380, CORAL)
    curtain(pic, 950, 60, 380, CORAL, flip=True)
    rug(pic, 640, 950, 430, (CORAL, CREAM, "#3b6ea5"))
    lamp(pic, 60, 690, CREAM)
    bed(pic, 130, 830, hues)
    picture(pic, 96, 150, 150, "#b9d4d2")


def room_twin(pic: Drawing) -> None:
    hues = Hues("#b9d2c0", "#f3e4c2", "#a9714a", "#d9604a", "#e5a936")
    shell(pic, hues)
    bay_window(pic, 330, 90, 340, 330, over_the_roofs)
    for x, size in ((-60, 1), (540, 1)):
        with pic.at(x, 0, size):
            bed(pic, 60, 480, hues, 880)
    lamp(pic, 500, 700, MUSTARD)
    rug(pic, 500, 990, 330, ("#2f7d7c", CREAM, CORAL))
    for x in (80, 780):
        picture(pic, x, 150, 140, "#f2d9a0")


def room_attic(pic: Drawing) -> None:
    hues = Hues("#f0dcb8", "#d99a6c", "#8f5b3c", "#66753d", "#f0c25a")
    shell(pic, hues)
    bay_window(pic, 380, 170, 300, 260, over_the_bay)
    for outline in ("-260,-135! 330,-135! -60,420! -260,690!", "1260,-135! 720,-135! 1080,420! 1260,690!"):
        with pic.body(outline, "#c98f5a", turn=14):
            for n in range(-4, 14):
                pic.line(f"{-260 + n * 110},-140 {-420 + n * 110},120", deeper("#c98f5a", 0.18), 5, 0.7)
    pic.line("330,-135 140,150 -60,420 -260,690", WOOD, 34)
    pic.line("720,-135 900,150 1080,420 1260,690", WOOD, 34)
    pic.solid(block(LEFT, 34, RIGHT - LEFT, 44), WOOD, turn=10)
    for n in range(11):
        pic.flat(oval(150 + n * 72, 98 + 22 * (n % 2), 11), "#fff0b0")
    bed(pic, 200, 620, hues)
    rug(pic, 460, 990, 300, (MUSTARD, "#7f8f4f", CREAM))
    plant(pic, 890, 940, CORAL, 0.9)
    lamp(pic, 120, 720, PINK)


def room_balcony(pic: Drawing) -> None:
    hues = Hues("#dfe7dd", "#7a9fb0", "#c08b58", "#f0e4cc", "#3b6ea5")
    shell(pic, hues)
    pic.flat("360,720! 960,720! 1130,960! 520,960!", "#fff3c9", 0.35)
    pic.flat(block(330, 20, 620, 680), CREAM)
    with pic.body(block(360, 50, 560, 650), SEA, turn=0), pic.at(330, 40, 0.62):
        over_the_bay(pic)
    for n in range(19):
        pic.line(f"{372 + n * 30},560 {378 + n * 30},600 {370 + n * 30},650 {374 + n * 30},700", "#2f2a33", 8)
    pic.line("360,556 640,552 920,556", "#2f2a33", 15)
    for x, w in ((330, 90), (860, 90)):
        pic.solid(block(x, 50, w, 650), "#4f8a8f", turn=12)
        pic.flat(block(x + 18, 90, w - 40, 260), "#bcd6d2")
        pic.flat(block(x + 18, 400, w - 40, 120), "#3f7378")
    curtain(pic, 318, 40, 660, "#f7ecd2")
    curtain(pic, 962, 40, 660, "#f7ecd2", flip=True)
    bed(pic, -110, 560, hues, 950)
    plant(pic, 830, 900, MUSTARD)
    picture(pic, 60, 130, 170, "#e2b2a6")


def room_family(pic: Drawing) -> None:
    hues = Hues("#f2cfae", "#c9604a", "#b9834f", "#3b6ea5", "#f0c25a")
    shell(pic, hues)
    bay_window(pic, 560, 90, 330, 310, over_the_roofs)
    rug(pic, 520, 1000, 380, ("#3f7f72", CREAM, MUSTARD))
    pic.flat("70,900! 470,900 520,934 90,934!", "#22100f", 0.3)
    for y, tone in ((420, MINT), (700, PINK)):
        pic.solid(block(60, y, 430, 66), deeper(WOOD, 0.1), turn=8)
        pic.solid(block(76, y - 66, 400, 74, 26), "#fbf4e4", turn=12)
        pic.solid(block(84, y - 116, 120, 66, 24), "#fffaf0", cast=8, turn=12)
        with pic.body(
            f"220,{y - 86} 350,{y - 92} 478,{y - 80} 480,{y + 20}! 350,{y + 28} 216,{y + 18}!", tone, turn=14
        ):
            for n in range(6):
                pic.stroke(f"{236 + n * 46},{y - 96} {240 + n * 46},{y - 30} {236 + n * 46},{y + 30}", CREAM, 13)
    for x in (48, 474):
        pic.solid(block(x, 270, 36, 640), WOOD, turn=10)
    pic.line("400,450 394,700 400,900", lighter(WOOD, 0.2), 15)
    for n in range(5):
        pic.line(f"400,{500 + n * 84} 478,{500 + n * 84}", lighter(WOOD, 0.2), 13)
    bed(pic, 520, 520, hues, 920)
    picture(pic, 370, 120, 120, "#b9d4d2")


def breakfast(pic: Drawing) -> None:
    pic.flat(block(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP), SEA)
    with pic.at(0, -190):
        over_the_bay(pic)
    pic.solid(block(LEFT, 560, RIGHT - LEFT, 700), "#f1e2c1", turn=0)
    for n in range(-3, 14):
        pic.flat(f"{n * 110},560! {n * 110 + 44},560! {n * 170 - 190},1140! {n * 170 - 260},1140!", "#5f9fb0", 0.6)
    pic.flat(oval(380, 850, 300, 112), "#22100f", 0.24)
    pic.solid(oval(350, 820, 300, 112, 18), "#fffaf0", turn=12)
    pic.line(oval(350, 818, 268, 94, 18), "#3b6ea5", 9, closed=True)
    pic.solid("130,800 170,720 300,700 400,740 390,820 260,860 150,850", "#c98b46", turn=20)
    pic.solid("150,780 190,722 300,712 370,748 350,796 250,826 170,816", "#8fae4f", turn=10)
    pic.strokes("190,770 260,740 330,760 / 200,800 270,780 330,784", "#c9d98a", 18)
    pic.solid("400,800 440,740 520,740 560,800 520,856 430,856", "#fffdf5", turn=10)
    pic.solid(oval(478, 796, 38, 32), "#f3a72e", turn=8)
    pic.flat(oval(790, 800, 190, 64), "#22100f", 0.24)
    pic.solid(oval(770, 790, 180, 60, 16), CORAL, turn=8)
    pic.line("860,620 950,610 950,710 850,730", CORAL, 28)
    pic.solid("640,580! 652,720 690,784 770,796 850,784 888,720 900,580!", CORAL, turn=30)
    pic.flat(oval(770, 582, 130, 40), CREAM)
    pic.flat(oval(772, 586, 112, 31), "#5a3020")
    pic.strokes("730,540 700,480 740,430 710,370 / 800,540 780,480 820,420 796,360", "#fffaf0", 20, 0.55)
    pic.solid("520,520! 660,520! 650,690 590,700 530,690", "#dfeef0", turn=10)
    pic.flat("526,570! 654,570! 646,684 590,694 536,684", "#f3a13c")
    for x, tone in ((150, CORAL), (220, MUSTARD), (110, PINK)):
        pic.line(f"180,640 {x + 10},560 {x},470", "#5f8a4e", 9)
        pic.solid(oval(x, 450, 52, 48, 8), tone, turn=14)
        pic.flat(oval(x, 450, 18), "#7d4a1c")
    pic.solid("130,600! 230,600! 220,720 180,730 140,720", "#3b6ea5", turn=16)


PICTURES: dict[str, Callable[[Drawing], None]] = {
    "pieza-bahia": room_bay,
    "pieza-doble": room_twin,
    "buhardilla": room_attic,
    "suite-balcon": room_balcony,
    "pieza-familiar": room_family,
    "desayuno": breakfast,
}
