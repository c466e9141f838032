"""Pictures: whatever a phone sends becomes three sizes of WebP, or a sentence that says what is wrong with it.

A file is what its bytes say, whatever its name says. Its size in pixels is read from the header before anything is
unpacked; only the pixels survive (place, date and camera do not). Originals are not kept.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from flask import Blueprint, Response, request
from flask_babel import lazy_gettext as _l
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from storefront.kernel.access import access
from storefront.kernel.errors import Invalid, NotFound
from storefront.kernel.storage import BadKey, Missing, checked_key, shop_of, storage
from storefront.kernel.tenancy import current_shop, find_shop

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_BYTES = 12 * 1024 * 1024
LARGEST_PIXELS = 50_000_000
LARGEST_SIDE = 30_000
WIDTHS = (400, 800, 1600)
QUALITY = 80
YEAR_S = 365 * 24 * 3600

_PUBLIC = re.compile(r"[1-9]\d{0,18}/img/[A-Za-z0-9_-]{10,64}")
_PRIVATE = re.compile(r"[1-9]\d{0,18}/private/[A-Za-z0-9_-]{10,64}")
_SRGB = ImageCms.createProfile("sRGB")

# Pillow's own limit, for whoever opens a picture elsewhere: no file above ours is ever unpacked.
Image.MAX_IMAGE_PIXELS = LARGEST_PIXELS


class NotAPicture(Invalid):
    """The bytes are no picture of a kind we take."""

    message = _l("Ese archivo no es una foto que podamos leer. Usa una foto JPG, PNG o WebP.")


class PrintedPage(NotAPicture):
    """A PDF."""

    message = _l("Ese archivo es un PDF. Haz una captura de pantalla y envía esa imagen.")


class PhoneFormat(NotAPicture):
    """HEIC, as some telephones keep their photographs."""

    message = _l("Esa foto está en formato HEIC y no la podemos leer. Haz una captura de pantalla y envía esa imagen.")


class WebPage(NotAPicture):
    """A page or a drawing made of text, which could hold a program."""

    message = _l("Ese archivo es una página web, no una foto. Haz una captura de pantalla y envía esa imagen.")


class EmptyFile(NotAPicture):
    """No byte at all: the way was too slow, or the file was elsewhere."""

    message = _l("El archivo llegó vacío. Revisa que la foto esté en tu teléfono y envíala otra vez.")


class BrokenPicture(Invalid):
    """The picture begins well and cannot be read to its end."""

    message = _l("La foto llegó incompleta o dañada. Envíala otra vez.")


class HugeFile(Invalid):
    """More bytes than we take."""

    message = _l("La foto pesa demasiado: puede pesar hasta 12 MB.")


class HugePicture(Invalid):
    """More pixels than we take."""

    message = _l("La foto es demasiado grande: puede tener hasta 50 megapíxeles. Envía una más pequeña.")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A stored picture. `width` and `height` are those of the largest size kept, `widths` the names of the sizes,
    `placeholder` its average colour ("#rrggbb"), `sha256` that of the file as it was sent, in hex."""

    key: str
    width: int
    height: int
    widths: tuple[int, ...]
    placeholder: str
    sha256: str


def image_widths(width: int) -> tuple[int, ...]:
    """The sizes kept of a picture whose largest is `width` wide: up to the first step that holds it whole."""
    return tuple(step for place, step in enumerate(WIDTHS) if place == 0 or WIDTHS[place - 1] < width)


def store_image(stream: IO[bytes], *, max_side: int = 2400, private: bool = False) -> StoredImage:
    """Keep a picture for the shop in scope, no side longer than `max_side` pixels and never made larger.

    A `private` one is never served by its address: only `send_private`, behind a view's own check, shows it.
    Raises NotAPicture, BrokenPicture, HugeFile or HugePicture. Nothing is kept then.
    """
    content = _read(stream)
    sizes, placeholder = _make_sizes(content, max_side)
    folder = "private" if private else "img"
    key = f"{current_shop().id}/{folder}/{secrets.token_urlsafe(15)}"
    for step, (_picture_size, webp) in sizes.items():
        storage().put(f"{key}/{step}.webp", webp, "image/webp")
    (width, height), _webp = sizes[max(sizes)]
    return StoredImage(key, width, height, tuple(sizes), placeholder, hashlib.sha256(content).hexdigest())


def jpeg_of(stream: IO[bytes], *, max_side: int = 2000) -> bytes:
    """A picture as a plain JPEG, no side longer than `max_side`, for who reads nothing else. It is not kept.

    Raises NotAPicture, BrokenPicture, HugeFile or HugePicture.
    """
    picture = _opened(_read(stream))
    try:
        plain = _plain(picture)
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError) as error:
        raise BrokenPicture from error
    plain.thumbnail((max_side, max_side))
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def delete_image(key: str) -> None:
    """Remove every size of a picture of the shop in scope. Raises BadKey for another's."""
    if shop_of(key) != current_shop().id:
        raise BadKey(key)
    for step in WIDTHS:
        storage().delete(f"{key}/{step}.webp")


def image_url(key: str, width: int = 800) -> str:
    """The address of a picture, `width` (one of WIDTHS) pixels wide, or less when the picture is smaller."""
    return f"/media/{key}/{width}.webp"


# --- from bytes to sizes: pure, so that it could run in a process of its own ---------------------------------------


def _read(stream: IO[bytes]) -> bytes:
    content = stream.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise HugeFile
    return content


def _opened(content: bytes) -> Image.Image:
    """The picture, its header read and nothing unpacked yet."""
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise HugePicture from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise _no_picture(content) from error
    width, height = picture.size
    if width * height > LARGEST_PIXELS or max(width, height) > LARGEST_SIDE:
        raise HugePicture
    if min(width, height) < 1:
        raise NotAPicture
    return picture


def _no_picture(content: bytes) -> NotAPicture:
    """What to say of a file by what it begins with, whatever it is called."""
    begin = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content:
        return EmptyFile()
    if begin.startswith(b"%pdf"):
        return PrintedPage()
    if begin[4:8] == b"ftyp" and begin[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"}:
        return PhoneFormat()
    if begin.startswith((b"<!doctype", b"<html", b"<svg", b"<?xml")):
        return WebPage()
    return NotAPicture()


def _plain(picture: Image.Image) -> Image.Image:
    """Upright sRGB without transparency, frame or memory of where it came from."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):  # sixteen bits of grey
        upright = upright.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    profile = upright.info.get("icc_profile")
    if profile and upright.mode in {"RGB", "CMYK", "L"}:
        upright = _in_srgb(upright, profile)
    if upright.mode in {"RGBA", "LA", "PA", "P"} or "transparency" in upright.info:
        layered = upright.convert("RGBA")
        upright = Image.new("RGB", layered.size, "white")
        upright.paste(layered, mask=layered.getchannel("A"))
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a profile that fits nothing: the plain conversion is close enough
    return converted or picture


def _fitted(size: tuple[int, int], width: int, max_side: int) -> tuple[int, int]:
    """`size` shrunk (never grown) to at most `width` wide and `max_side` on its longer side."""
    scale = min(1.0, width / size[0], max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _make_sizes(content: bytes, max_side: int) -> tuple[dict[int, tuple[tuple[int, int], bytes]], str]:
    """All sizes as WebP by their step, each made from the next larger one, and the average colour."""
    picture = _opened(content)
    try:
        # A JPEG can be unpacked at a half, a quarter or an eighth of its size: most of the work saved.
        target = min(WIDTHS[-1], max_side)
        if picture.format == "JPEG" and min(picture.size) > target:
            picture.draft(None, (target, target))
        current = _plain(picture)
        full = _fitted(current.size, WIDTHS[-1], max_side)
        sizes: dict[int, tuple[tuple[int, int], bytes]] = {}
        for step in reversed(image_widths(full[0])):
            wanted = _fitted(full, step, max_side)
            if wanted != current.size:
                current = current.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=2.0)
            sizes[step] = (wanted, _webp(current))
        red, green, blue = current.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # type: ignore[misc]  # RGB
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError) as error:
        raise BrokenPicture from error
    return dict(sorted(sizes.items())), f"#{red:02x}{green:02x}{blue:02x}"


def _webp(picture: Image.Image) -> bytes:
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()


# --- showing ---------------------------------------------------------------------------------------------------------


def _stored(key: str, width: int) -> bytes:
    """The bytes of a size, or of the next smaller one that exists. Raises NotFound."""
    for step in sorted((w for w in WIDTHS if w <= width), reverse=True):
        try:
            return storage().get(checked_key(f"{key}/{step}.webp"))
        except (Missing, BadKey):
            continue
    raise NotFound


def _image_response(content: bytes) -> Response:
    return Response(content, content_type="image/webp")


def belongs_to_current_shop(key: str) -> bool:
    """Whether a key is of the shop in scope; nothing is when none is."""
    shop = find_shop()
    return shop is not None and shop_of(key) == shop.id


def media_blueprint_for(
    name: str, may_show: Callable[[str], bool] = belongs_to_current_shop, *, kind: str = "public"
) -> Blueprint:
    """A blueprint that serves `/media/<key>/<width>.webp` on one face, for the public keys that `may_show` lets pass.

    `kind` is who may ask: on a face without a shop of its own, it is the policy that brings the shop into scope.

    The address names the content for ever, so answers may be kept for a year by anybody. Private pictures, other
    shops' and missing ones are the same 404.
    """
    blueprint = Blueprint(name, __name__)

    @blueprint.get("/media/<path:key>/<int:width>.webp")
    @access(kind)
    def show_image(key: str, width: int) -> Response:
        """One size of a public picture."""
        if not _PUBLIC.fullmatch(key) or width not in WIDTHS or not may_show(key):
            raise NotFound
        response = _image_response(_stored(key, width))
        response.cache_control.public = True
        response.cache_control.max_age = YEAR_S
        response.cache_control.immutable = True
        response.set_etag(f"{key.rsplit('/', 1)[1]}-{width}")
        return response.make_conditional(request)  # type: ignore[return-value]  # the same response

    return blueprint


def send_private(key: str, width: int = 1600) -> Response:
    """A private picture of the shop in scope, for a view that has checked who asks. Never kept by any cache."""
    if not _PRIVATE.fullmatch(key) or not belongs_to_current_shop(key):
        raise NotFound
    response = _image_response(_stored(key, width))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = "inline"
    return response
