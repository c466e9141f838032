"""The demonstration's pictures: every one can be drawn, no two are the same, and the same name gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from storefront.demo import illustrations
from storefront.demo.drawing import Drawing, knots, mix
from storefront.demo.shops import SHOPS

ARCADE = Path(__file__).resolve().parents[2] / "static" / "img" / "arcade.svg"


@pytest.fixture(scope="module")
def small() -> dict[str, bytes]:
    return {name: illustrations.render(name, 200) for name in illustrations.names()}


def test_every_picture_is_a_valid_image_of_the_size_asked(small: dict[str, bytes]) -> None:
    for name, data in small.items():
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            assert max(image.size) == 200, name
            assert image.format == "JPEG", name


def test_no_picture_is_nearly_blank(small: dict[str, bytes]) -> None:
    for name, data in small.items():
        with Image.open(io.BytesIO(data)) as image:
            assert len(image.convert("RGB").quantize(64).getcolors() or []) > 20, name


def test_no_two_pictures_are_the_same(small: dict[str, bytes]) -> None:
    assert len({hashlib.sha256(data).hexdigest() for data in small.values()}) == len(small)


def test_the_same_name_is_drawn_the_same_twice() -> None:
    assert illustrations.svg("concha-fresa") == illustrations.svg("concha-fresa")
    assert illustrations.render("oreja", 120) == illustrations.render("oreja", 120)


@pytest.mark.parametrize(("ratio", "size"), [("1:1", (300, 300)), ("4:5", (240, 300)), ("3:2", (300, 200))])
def test_each_ratio_has_its_shape(ratio: illustrations.Ratio, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(illustrations.render("poncho", 300, ratio))) as image:
        assert image.size == size


def test_a_wide_picture_reaches_its_edges() -> None:
    for name in ("bolillo", "cafe-de-olla", "sueter-ochos", "pieza-bahia", "tour-lancha"):
        with Image.open(io.BytesIO(illustrations.render(name, 300, "3:2"))) as image:
            corners = [image.convert("RGB").getpixel(at) for at in ((1, 1), (298, 1), (1, 198), (298, 198))]
        assert (0, 0, 0) not in corners, name


def test_a_name_nobody_drew_is_refused() -> None:
    with pytest.raises(KeyError):
        illustrations.render("no-existe")


def test_every_product_and_every_cover_has_its_picture() -> None:
    drawn = set(illustrations.names())
    wanted = {product.picture for shop in SHOPS for product in shop.products} | {shop.cover for shop in SHOPS}
    assert wanted <= drawn
    assert drawn - wanted == {"portales-arcade"}


def test_the_arcade_of_the_landing_page_is_light_and_up_to_date() -> None:
    stored = ARCADE.read_text(encoding="utf-8")
    assert stored == illustrations.svg("portales-arcade")
    assert len(gzip.compress(stored.encode())) <= 12 * 1024


def test_pictures_carry_no_script_no_text_and_no_address() -> None:
    for name in ("portales-arcade", "tour-murales"):
        drawn = illustrations.svg(name)
        assert not any(mark in drawn for mark in ("<script", "<text", "<image", "href", "style="))


def test_points_are_read_with_their_corners() -> None:
    assert [(p.x, p.y, p.sharp) for p in knots("1,2 -3,4.5!")] == [(1, 2, False), (-3, 4.5, True)]


def test_a_colour_half_way_between_two_is_between_them() -> None:
    assert mix("#000000", "#ffffff", 0.5) == "#808080"
    assert mix("#102030", "#ffffff", 0) == "#102030"


def test_a_small_thing_trembles_less_than_a_large_one() -> None:
    def stray(side: float) -> float:
        drawing = Drawing("trembling")
        drawing.rng.gauss = lambda middle, spread: spread  # type: ignore[method-assign, misc, assignment] # the tremble itself
        first = drawing.path(f"0,0! {side},0! {side},{side}!", wobble=2.2)
        return float(first[1:].split(" ", 1)[0])

    assert stray(10) < stray(500)
