"""Looking at electronic documents: their states in words, what to do about a rejection, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.storage import Missing, storage
from storefront.orders.models import Order
from storefront.receipts.models import DocumentState, ElectronicDocument, Receipt, ReceiptKind
from storefront.receipts.stamping import LOST_ACCESS, NO_ORIGINAL, PDF, XML, file_key

PAGE_SIZE = 25

WORDS = {
    DocumentState.REQUESTED: _l("por enviar"),
    DocumentState.IN_TRANSIT: _l("en camino"),
    DocumentState.STAMPED: _l("lista"),
    DocumentState.REJECTED: _l("rechazada"),
    DocumentState.CANCELLING: _l("cancelándose"),
    DocumentState.CANCELLED: _l("cancelada"),
}

ADVICE = {
    "buyer_document": _l("El documento de quien compró no pasó. Pídeselo otra vez, anula el recibo y haz uno nuevo."),
    "buyer_name": _l("El nombre no es el que está registrado con ese documento. Anula el recibo y haz uno nuevo."),
    "seller": _l("Revisa tu razón social y tu documento en Ajustes, Recibos, y vuelve a enviarla."),
    LOST_ACCESS: _l("Tu conexión con el servicio de facturas ya no sirve. Conéctate otra vez y vuelve a enviarla."),
    NO_ORIGINAL: _l("La factura que corrige fue rechazada: no hace falta esta nota."),
}
OTHERWISE = _l("Lee lo que contestó el servicio, corrige y vuelve a enviarla.")


@dataclass(frozen=True, slots=True)
class DocumentView:
    """An electronic document with the paper it is of."""

    code: str
    state: DocumentState
    number: str
    problem_code: str
    problem: str
    has_pdf: bool
    requested_at: datetime
    receipt_code: str
    receipt_kind: ReceiptKind
    receipt_number: int
    order_code: str
    buyer_name: str
    total_minor: int
    currency: str

    @property
    def total(self) -> Money:
        """What it is about."""
        return Money(self.total_minor, self.currency)

    @property
    def word(self) -> object:
        """Its state, as one says it."""
        return WORDS[self.state]

    @property
    def advice(self) -> object:
        """What to do about a rejection."""
        return ADVICE.get(self.problem_code, OTHERWISE) if self.state is DocumentState.REJECTED else ""

    @property
    def may_be_sent_again(self) -> bool:
        """Whether sending it once more could help."""
        return self.state is DocumentState.REJECTED and self.problem_code != NO_ORIGINAL

    @property
    def is_readable(self) -> bool:
        """Whether there is a file to read."""
        return self.number != ""


def _documents(*conditions: Any) -> Any:
    return (
        select(
            ElectronicDocument.code, ElectronicDocument.state, ElectronicDocument.number,
            ElectronicDocument.problem_code, ElectronicDocument.problem, ElectronicDocument.has_pdf,
            ElectronicDocument.requested_at, Receipt.code.label("receipt_code"), Receipt.kind.label("receipt_kind"),
            Receipt.number.label("receipt_number"), Order.code.label("order_code"), Receipt.buyer_name,
            Receipt.total_minor, Receipt.currency,
        )
        .join(
            Receipt,
            (Receipt.tenant_id == ElectronicDocument.tenant_id) & (Receipt.id == ElectronicDocument.receipt_id),
        )
        .join(Order, (Order.tenant_id == Receipt.tenant_id) & (Order.id == Receipt.order_id))
        .where(*conditions)
    )  # fmt: skip


def documents_of_order(order_id: int) -> dict[str, DocumentView]:
    """An order's electronic documents, by the code of the paper they are of."""
    rows = db.session.execute(_documents(Receipt.order_id == order_id).order_by(ElectronicDocument.id))
    return {row.receipt_code: DocumentView(**row._mapping) for row in rows}


def document_list(number: int) -> Page[DocumentView]:
    """All of them, the latest first."""
    rows = db.session.execute(
        _documents()
        .order_by(ElectronicDocument.requested_at.desc(), ElectronicDocument.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Page.of([DocumentView(**row._mapping) for row in rows], number, PAGE_SIZE)


def file_of(code: str, kind: str, order_id: int | None = None) -> bytes:
    """A document's XML or PDF; of that order alone, where one is named. Raises NotFound."""
    conditions = [ElectronicDocument.code == code, *([Receipt.order_id == order_id] if order_id is not None else [])]
    row = db.session.execute(_documents(*conditions)).first()
    if row is None or not row.number or kind not in {XML, PDF}:
        raise NotFound
    try:
        return storage().get(file_key(row.code, kind))
    except Missing as missing:
        raise NotFound from missing
