"""Receipts and credit notes. Nobody changes one: a wrong receipt is taken back by a credit note."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code


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
    """One paper as it was issued. `content` is all that is on it; `cancels_id` is what a credit note takes back."""

    __tablename__ = "receipts"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "kind", "number"),
        UniqueConstraint("tenant_id", "cancels_id"),
        shop_fk("order_id", "orders"),
        shop_fk("cancels_id", "receipts"),
        CheckConstraint("number > 0", name="counts_from_one"),
        CheckConstraint("(kind = 'credit_note') = (cancels_id IS NOT NULL)", name="credit_notes_cancel"),
        Index("ix_receipts_order", "tenant_id", "order_id"),
        Index("ix_receipts_list", "tenant_id", "issued_at", "id"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    kind: Mapped[ReceiptKind]
    number: Mapped[int]
    order_id: Mapped[int]
    cancels_id: Mapped[int | None]
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
