"""Receipts and credit notes. Nobody changes one: a wrong receipt is taken back by a credit note."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.states import Transitions


class ReceiptKind(StrEnum):
    """What a paper says: this was sold, or that sale is taken back."""

    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"


class ReceiptSeries(ShopOwned, Model):
    """The next number of a kind. Its row is locked from taking a number until the paper is committed, so that a number
    is neither taken twice nor lost."""

    __tablename__ = "receipt_series"
    __table_args__ = (CheckConstraint("next_number > 0", name="counts_from_one"),)

    kind: Mapped[ReceiptKind] = mapped_column(primary_key=True)
    next_number: Mapped[int]


class ReceiptHead(ShopOwned, Model):
    """What stands on top of the shop's papers besides its name: who sells, by its legal name and tax document."""

    __tablename__ = "receipt_heads"

    legal_name: Mapped[str]
    tax_document: Mapped[str]
    tax_number: Mapped[str]
    foot: Mapped[str]


class Receipt(ShopOwned, Model):
    """One paper as it was issued. `content` is all that is on it.

    A credit note takes back a whole receipt, or what is left of it (`cancels_id`), or the part of one that a refund is
    for (`credits_id`, `refund_id`).
    """

    __tablename__ = "receipts"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "kind", "number"),
        UniqueConstraint("tenant_id", "cancels_id"),
        UniqueConstraint("tenant_id", "credits_id", "refund_id"),
        shop_fk("order_id", "orders"),
        shop_fk("cancels_id", "receipts"),
        shop_fk("credits_id", "receipts"),
        shop_fk("refund_id", "refunds"),
        CheckConstraint("number > 0", name="counts_from_one"),
        CheckConstraint(
            "num_nonnulls(cancels_id, credits_id) = CASE kind WHEN 'credit_note' THEN 1 ELSE 0 END",
            name="credit_notes_cancel",
        ),
        CheckConstraint("(credits_id IS NULL) = (refund_id IS NULL)", name="credits_a_refund"),
        Index("ix_receipts_order", "tenant_id", "order_id"),
        Index("ix_receipts_list", "tenant_id", "issued_at", "id"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    kind: Mapped[ReceiptKind]
    number: Mapped[int]
    order_id: Mapped[int]
    cancels_id: Mapped[int | None]
    credits_id: Mapped[int | None]
    refund_id: Mapped[int | None]
    buyer_name: Mapped[str]
    buyer_document: Mapped[str]
    buyer_number: Mapped[str]
    currency: Mapped[str]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    total_minor: Mapped[int]
    content: Mapped[dict[str, Any]]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]


class AccountsFile(ShopOwned, Model):
    """The accountant's file of a month, made by a job: `done` of about `total` bookings are written. One at a time is
    made for each month; the file itself lies in the storage, under its code."""

    __tablename__ = "accounts_files"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("done >= 0 AND total >= 0", name="counts"),
        Index("uq_accounts_files_open", "tenant_id", "month", unique=True, postgresql_where=text("made_at IS NULL")),
        Index("ix_accounts_files_list", "tenant_id", "asked_at"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    month: Mapped[date]
    total: Mapped[int]
    done: Mapped[int]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    made_at: Mapped[datetime | None]


class DocumentState(StrEnum):
    """Where an electronic document is. In transit: it was sent, and how that ended is asked for by its key."""

    REQUESTED = "requested"
    IN_TRANSIT = "in_transit"
    STAMPED = "stamped"
    REJECTED = "rejected"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


_D = DocumentState

DOCUMENT_STATES = Transitions(
    {
        _D.REQUESTED: {_D.IN_TRANSIT, _D.REJECTED},
        _D.IN_TRANSIT: {_D.STAMPED, _D.REJECTED},
        _D.REJECTED: {_D.REQUESTED},
        _D.STAMPED: {_D.CANCELLING},
        _D.CANCELLING: {_D.CANCELLED, _D.STAMPED},
    }
)


class ElectronicDocument(ShopOwned, Model):
    """A paper as the tax office's provider knows it: one for each receipt or credit note, whose own number it keeps.

    `key` is stored before it is sent and names the wish; a paper that was rejected and is sent again has a new one.
    `number` is the provider's. The files lie in the storage under the document's code.
    """

    __tablename__ = "electronic_documents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "receipt_id"),
        UniqueConstraint("tenant_id", "key"),
        shop_fk("receipt_id", "receipts"),
        CheckConstraint(
            "(state IN ('stamped', 'cancelling', 'cancelled')) = (number <> '')", name="stamped_has_number"
        ),
        CheckConstraint("(state = 'rejected') = (problem_code <> '')", name="rejected_says_why"),
        Index("uq_electronic_documents_number", "tenant_id", "provider", "number", unique=True,
              postgresql_where=text("number <> ''")),
        Index("ix_electronic_documents_open", "tenant_id", "asked_at",
              postgresql_where=text("state IN ('requested', 'in_transit', 'cancelling')")),
        Index("ix_electronic_documents_list", "tenant_id", "requested_at", "id"),
    )  # fmt: skip

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    receipt_id: Mapped[int]
    provider: Mapped[str]
    key: Mapped[str]
    state: Mapped[DocumentState]
    number: Mapped[str] = mapped_column(default="")
    problem_code: Mapped[str] = mapped_column(default="")
    problem: Mapped[str] = mapped_column(default="")
    has_pdf: Mapped[bool] = mapped_column(default=False)
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    asked_at: Mapped[datetime]
    stamped_at: Mapped[datetime | None]


class InvoicerAccount(ShopOwned, Model):
    """The shop's account at a provider of electronic invoices; its secret is sealed."""

    __tablename__ = "invoicer_accounts"
    __table_args__ = (UniqueConstraint("tenant_id", "provider"),)

    id: Mapped[int] = identity_pk()
    provider: Mapped[str]
    user: Mapped[str]
    secret: Mapped[str]
    connected_at: Mapped[datetime]
