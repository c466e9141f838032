"""A proof that is no picture: each has a sentence that says what to do, nothing is stored, and the order waits on."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image
from sqlalchemy import func, select

from storefront.kernel import media
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.storage import storage
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from storefront.orders.states import PaymentState
from storefront.payments.models import TransferProof
from storefront.payments.proofs import submit_proof
from tests.factories.catalogue import a_product
from tests.factories.orders import DORA, an_order


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("foto.jpg", b"\x00" * 5_000_000)
    return out.getvalue()


def _pixel_bomb() -> bytes:
    """A PNG of some hundred bytes that says it is fifty thousand pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\x00" * 99)) + chunk(b"IEND", b"")
    )


def _cut_off() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((400, 400), 90).convert("RGB").save(out, "JPEG")
    return out.getvalue()[:900]


WRONG: dict[str, tuple[bytes, type[Refusal]]] = {
    "nothing": (b"", media.EmptyFile),
    "a web page": (b"<!DOCTYPE html><html><script>alert(1)</script></html>", media.WebPage),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", media.PrintedPage),
    "HEIC": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 200, media.PhoneFormat),
    "a zip bomb": (_zip_bomb(), media.NotAPicture),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', media.WebPage),
    "a page that begins like a picture": (b"\xff\xd8\xff\xe0<html><script>alert(1)</script></html>", media.NotAPicture),
    "a picture cut off": (_cut_off(), media.BrokenPicture),
    "a pixel bomb": (_pixel_bomb(), media.HugePicture),
    "too many bytes": (b"\xff\xd8\xff" + b"\x00" * (media.LARGEST_BYTES + 1), media.HugeFile),
    "a GIF's first bytes alone": (b"GIF89a", media.NotAPicture),
}


@pytest.mark.parametrize(("content", "sentence"), WRONG.values(), ids=WRONG)
def test_it_gets_its_sentence_and_nothing_is_stored(bakery, content, sentence):
    with acting_for(bakery):
        order = an_order(a_product(stock=5), pay="bank_transfer")
        before = storage().keys(f"{bakery.id}/private/")

        with pytest.raises(Refusal) as refused:
            submit_proof(order.id, io.BytesIO(content), "REF 1", DORA)

        db.session.rollback()
        assert type(refused.value) is sentence
        assert refused.value.status in {400, 413, 422}
        assert storage().keys(f"{bakery.id}/private/") == before
        assert db.session.scalar(select(func.count()).select_from(TransferProof)) == 0
        state = db.session.scalar(select(Order.payment_state).where(Order.id == order.id))
        assert state is not PaymentState.PROOF_REVIEW


@pytest.mark.parametrize("name", ["a web page", "a PDF", "HEIC", "SVG"])
def test_the_page_says_it_and_lets_another_be_sent_whatever_the_browser_calls_the_file(client_at, bakery, name):
    with acting_for(bakery):
        order = an_order(a_product(stock=5), pay="bank_transfer")
    content, sentence = WRONG[name]
    file = (io.BytesIO(content), "comprobante.jpg", "image/jpeg")

    answer = client_at(bakery).post(f"/pedido/{order.token}/comprobante", data={"photo": file, "reference": "REF 77"})

    assert answer.status_code in {400, 422}
    assert "REF 77" in answer.text
    assert str(sentence.message) in answer.text
