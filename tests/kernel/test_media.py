"""Pictures: whatever comes is a picture of ours or a sentence, and only its pixels survive."""

from __future__ import annotations

import io
import resource
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from storefront.kernel import media, tenancy
from storefront.kernel.access import access
from storefront.kernel.media import (
    BrokenPicture,
    HugeFile,
    HugePicture,
    NotAPicture,
    StoredImage,
    delete_image,
    image_url,
    image_widths,
    media_blueprint_for,
    send_private,
    store_image,
)
from storefront.kernel.storage import BadKey, init_storage, storage
from tests.kernel.edge import BAKERY, CRAFTS, browser, edge_app


@pytest.fixture
def edge(tmp_path: Path) -> Flask:
    app = edge_app(STORAGE_URL=str(tmp_path / "media"))
    init_storage(app)
    app.register_blueprint(media_blueprint_for("media"))

    @app.get("/comprobante/<path:key>")
    @access("public")
    def show_proof(key: str) -> Any:
        return send_private(key)

    return app


@pytest.fixture(autouse=True)
def _at_the_bakery(edge: Flask) -> Iterator[None]:
    with edge.app_context():
        token = tenancy.enter(tenancy.Scope(shop=BAKERY))
        yield
        tenancy.leave(token)


def a_photo(size: tuple[int, int] = (1200, 900), kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """A picture with a dark left half, encoded."""
    picture = Image.new(mode, size, "white" if mode == "RGB" else 0)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2, size[1]), fill="#803010" if mode == "RGB" else 1)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def keep(content: bytes, **options: Any) -> StoredImage:
    return store_image(io.BytesIO(content), **options)


def kept(stored: StoredImage, width: int) -> Image.Image:
    return Image.open(io.BytesIO(storage().get(f"{stored.key}/{width}.webp")))


def test_a_photo_is_kept_in_three_sizes_and_its_colour_and_hash_are_known() -> None:
    content = a_photo((4000, 3000))
    stored = keep(content)

    assert (stored.width, stored.height, stored.widths) == (1600, 1200, (400, 800, 1600))
    assert [kept(stored, w).size for w in stored.widths] == [(400, 300), (800, 600), (1600, 1200)]
    assert kept(stored, 400).format == "WEBP"
    assert stored.key.startswith("7/img/")
    assert len(stored.sha256) == 64
    assert stored.placeholder.startswith("#")
    red, _green, blue = (int(stored.placeholder[i : i + 2], 16) for i in (1, 3, 5))
    assert red > blue + 20


@pytest.mark.parametrize(
    ("size", "widths", "largest"),
    [((300, 200), (400,), (300, 200)), ((600, 400), (400, 800), (600, 400)), ((1600, 10), (400, 800, 1600), (1600, 10)),
     ((100, 9000), (400,), (27, 2400)), ((1, 1), (400,), (1, 1))],
)  # fmt: skip
def test_a_small_photo_is_never_made_larger(
    size: tuple[int, int], widths: tuple[int, ...], largest: tuple[int, int]
) -> None:
    stored = keep(a_photo(size, "PNG"))
    assert stored.widths == widths == image_widths(stored.width)
    assert (stored.width, stored.height) == largest == kept(stored, widths[-1]).size


def _gps() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "PhoneMaker"
    exif[0x0112] = 6  # to be turned a quarter
    exif.get_ifd(0x8825).update({1: "N", 2: (17.0, 4.0, 0.0), 3: "W", 4: (96.0, 43.0, 0.0)})
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_place_and_camera_are_gone_and_the_photo_stands_upright(kind: str) -> None:
    content = a_photo((800, 600), kind, exif=_gps())
    assert b"PhoneMaker" in content

    stored = keep(content)

    for width in stored.widths:
        raw = storage().get(f"{stored.key}/{width}.webp")
        assert b"PhoneMaker" not in raw
        assert b"EXIF" not in raw
        assert b"ICCP" not in raw
        assert not dict(kept(stored, width).getexif())
    assert kept(stored, 400).size == (400, 533)
    upright = kept(stored, 400).convert("RGB")
    assert upright.getpixel((200, 50))[0] < 180  # type: ignore[index]  # the dark half is on top now
    assert upright.getpixel((200, 480))[0] > 220  # type: ignore[index]


def test_comments_and_text_chunks_do_not_survive() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<?php secreto ?>")
    stored = keep(a_photo((500, 500), "PNG", pnginfo=notes))
    assert b"secreto" not in storage().get(f"{stored.key}/400.webp")


def _bytes_of(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cmyk", _bytes_of(Image.new("CMYK", (500, 400), (0, 255, 255, 0)), "JPEG")),
        ("rgba", _bytes_of(Image.new("RGBA", (500, 400), (255, 0, 0, 255)), "PNG")),
        ("palette", _bytes_of(Image.new("RGB", (500, 400), "red").convert("P"), "PNG", transparency=3)),
        ("profile", _bytes_of(Image.new("RGB", (500, 400), "red"), "JPEG",
                              icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())),
        ("broken profile", _bytes_of(Image.new("RGB", (500, 400), "red"), "JPEG", icc_profile=b"nonsense")),
        ("animated", _bytes_of(Image.new("RGB", (500, 400), "red"), "WEBP", save_all=True,
                               append_images=[Image.new("RGB", (500, 400), "blue")] * 3)),
    ],
)  # fmt: skip
def test_every_way_to_say_red_comes_out_red(name: str, content: bytes) -> None:
    stored = keep(content)
    red, green, blue = kept(stored, 400).convert("RGB").getpixel((200, 160))  # type: ignore[misc]
    assert red > 200, name
    assert green < 60, name
    assert blue < 60, name


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
def test_grey_pictures_are_pictures(mode: str) -> None:
    picture = Image.new(mode, (300, 300), 40_000 if mode == "I;16" else 1 if mode == "1" else 150)
    stored = keep(_bytes_of(picture, "PNG"))
    level = kept(stored, 400).convert("L").getpixel((10, 10))
    assert isinstance(level, int | float)
    assert level > 120


def test_what_is_transparent_is_shown_on_white() -> None:
    stored = keep(_bytes_of(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG"))
    assert stored.placeholder in {"#ffffff", "#fefefe"}


def _png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("html named .jpg", b"<html><script>alert(1)</script></html>", NotAPicture),
        ("svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', NotAPicture),
        ("gif", _bytes_of(Image.new("RGB", (10, 10)), "GIF"), NotAPicture),
        ("bmp", _bytes_of(Image.new("RGB", (10, 10)), "BMP"), NotAPicture),
        ("tiff", _bytes_of(Image.new("RGB", (10, 10)), "TIFF"), NotAPicture),
        ("nothing", b"", NotAPicture),
        ("only a header", b"\xff\xd8\xff\xe0", NotAPicture),
        ("50,000 by 50,000", _png_that_claims(50_000, 50_000), HugePicture),
        ("51 megapixels", _png_that_claims(10_200, 5_000), HugePicture),
        ("a thread", _png_that_claims(1, 40_000), HugePicture),
        ("truncated jpeg", a_photo((900, 900), "JPEG", quality=95)[:3_000], BrokenPicture),
        ("truncated png", a_photo((900, 900), "PNG")[:600], BrokenPicture),
        ("a lying png", _png_that_claims(3000, 3000), BrokenPicture),
        ("13 MB", b"\xff\xd8" + b"x" * (13 * 1024 * 1024), HugeFile),
    ],
)  # fmt: skip
def test_what_is_no_good_photo_is_refused_with_a_sentence_and_nothing_is_kept(
    name: str, content: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal) as refused:
        keep(content)

    assert str(refused.value).endswith("."), name
    assert storage().keys("7/") == []


def test_the_largest_photo_allowed_fits_into_memory() -> None:
    content = _bytes_of(Image.new("RGB", (8_000, 6_000), "#336699"), "PNG")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert keep(content).width == 1600

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # KiB


def test_polyglots_lose_their_other_face() -> None:
    stored = keep(a_photo() + b"<script>alert(1)</script>")
    assert b"<script>" not in storage().get(f"{stored.key}/800.webp")


# --- showing ------------------------------------------------------------------------------------------------------


def test_a_picture_is_served_for_a_year_without_a_cookie(edge: Flask) -> None:
    stored = keep(a_photo((600, 400)))
    client = browser(edge)
    with client.session_transaction(base_url=client.home) as session:
        session.update(cart="abc", realm="shop:7")

    answer = client.get(image_url(stored.key, 400))

    assert answer.status_code == 200
    assert answer.content_type == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    again = client.get(image_url(stored.key, 400), headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_size_that_was_not_needed_is_answered_with_the_next_smaller(edge: Flask) -> None:
    stored = keep(a_photo((600, 400)))
    assert browser(edge).get(image_url(stored.key, 1600)).data == storage().get(f"{stored.key}/800.webp")


def test_another_shops_picture_is_as_missing_as_a_missing_one(edge: Flask) -> None:
    key = keep(a_photo()).key
    theirs = browser(edge, "illimani.portales.test")

    foreign, missing = theirs.get(image_url(key, 400)), theirs.get(image_url("8/img/AAAAAAAAAAAAAAAAAAAA", 400))

    assert foreign.status_code == missing.status_code == 404
    assert foreign.data == missing.data
    token = tenancy.enter(tenancy.Scope())
    assert browser(edge, "nadie.portales.test").get(image_url(key, 400)).status_code == 404
    tenancy.leave(token)


@pytest.mark.parametrize(
    "path",
    [
        "7/img/../../8/img/x/400.webp", "7/img/%2e%2e/x/400.webp", "7/private/AAAAAAAAAAAA/400.webp",
        "7/img/AAAAAAAAAAAA/401.webp", "//7/img/AAAAAAAAAAAA/400.webp",
    ],
)  # fmt: skip
def test_odd_addresses_show_nothing(edge: Flask, path: str) -> None:
    assert browser(edge).get(f"/media/{path}").status_code in {308, 404}


@pytest.mark.fault("R20 pretix CVE-2026-9712")
def test_a_private_picture_has_no_address_and_is_shown_by_its_own_shop_alone(edge: Flask) -> None:
    stored = keep(a_photo(), private=True)
    assert stored.key.startswith("7/private/")

    shown = browser(edge).get(f"/comprobante/{stored.key}")

    assert browser(edge).get(image_url(stored.key, 400)).status_code == 404
    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert browser(edge, "illimani.portales.test").get(f"/comprobante/{stored.key}").status_code == 404
    public = keep(a_photo())
    assert browser(edge).get(f"/comprobante/{public.key}").status_code == 404


def test_a_picture_is_deleted_by_its_own_shop_alone() -> None:
    stored = keep(a_photo())
    token = tenancy.enter(tenancy.Scope(shop=CRAFTS))
    with pytest.raises(BadKey):
        delete_image(stored.key)
    tenancy.leave(token)
    assert len(storage().keys("7/")) == 3

    delete_image(stored.key)
    assert storage().keys("7/") == []


def test_the_limit_for_everybody_is_ours() -> None:
    assert Image.MAX_IMAGE_PIXELS == media.LARGEST_PIXELS
