"""Looking at papers: columns into frozen records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from storefront.catalogue.models import ProductKind
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import FulfilmentState, OrderState
from storefront.receipts.models import AccountsFile, Receipt, ReceiptHead, ReceiptKind

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt or a credit note. `taken_back_by` is the number of the credit note that cancels it."""

    code: str
    kind: ReceiptKind
    number: int
    order_code: str
    buyer_name: str
    buyer_document: str
    buyer_number: str
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    content: dict[str, Any]
    issued_at: datetime
    taken_back_by: int | None

    @property
    def total(self) -> Money:
        """What it is about."""
        return Money(self.total_minor, self.currency)

    @property
    def is_open(self) -> bool:
        """Whether it is a receipt that still holds."""
        return self.kind is ReceiptKind.RECEIPT and self.taken_back_by is None


def _papers(*conditions: Any) -> Any:
    note = aliased(Receipt)
    return (
        select(
            Receipt.code, Receipt.kind, Receipt.number, Order.code.label("order_code"), Receipt.buyer_name,
            Receipt.buyer_document, Receipt.buyer_number, Receipt.currency, Receipt.net_minor, Receipt.tax_minor,
            Receipt.total_minor, Receipt.content, Receipt.issued_at, note.number.label("taken_back_by"),
        )
        .join(Order, (Order.tenant_id == Receipt.tenant_id) & (Order.id == Receipt.order_id))
        .outerjoin(note, (note.tenant_id == Receipt.tenant_id) & (note.cancels_id == Receipt.id))
        .where(*conditions)
    )  # fmt: skip


def papers_of_order(order_id: int) -> list[Paper]:
    """An order's papers, in the order they were issued."""
    rows = db.session.execute(_papers(Receipt.order_id == order_id).order_by(Receipt.id))
    return [Paper(**row._mapping) for row in rows]


def paper_by_code(code: str) -> Paper:
    """One paper of the shop. Raises NotFound."""
    row = db.session.execute(_papers(Receipt.code == code)).first()
    if row is None:
        raise NotFound
    return Paper(**row._mapping)


def paper_list(number: int) -> Page[Paper]:
    """All papers, the latest first."""
    rows = db.session.execute(
        _papers().order_by(Receipt.issued_at.desc(), Receipt.id.desc())
        .limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    )  # fmt: skip
    return Page.of([Paper(**row._mapping) for row in rows], number, PAGE_SIZE)


def head() -> ReceiptHead | None:
    """What the shop wants on top of its papers."""
    return db.session.get(ReceiptHead, current_shop().id)


def goods_to_fetch() -> list[tuple[str, str, int, tuple[str, ...]]]:
    """For all orders to prepare: (name, SKU, pieces, codes of the orders), each thing once, by name."""
    rows = db.session.execute(
        select(
            OrderLine.product_name,
            OrderLine.variant_name,
            OrderLine.sku,
            (OrderLine.quantity - OrderLine.refunded_quantity).label("quantity"),
            OrderLine.parts,
            Order.code,
        )
        .join(Order, (Order.tenant_id == OrderLine.tenant_id) & (Order.id == OrderLine.order_id))
        .where(
            OrderLine.kind == ProductKind.GOODS,
            OrderLine.quantity > OrderLine.refunded_quantity,
            Order.state == OrderState.CONFIRMED,
            Order.fulfilment_state == FulfilmentState.PREPARING,
        )
        .order_by(Order.placed_at, Order.id, OrderLine.position)
    )
    pieces: Counter[tuple[str, str]] = Counter()
    orders: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        for thing, units in _fetched_for(row):
            pieces[thing] += units * row.quantity
            orders.setdefault(thing, {})[row.code] = None
    return [(name, sku, pieces[name, sku], tuple(orders[name, sku])) for name, sku in sorted(pieces)]


def _fetched_for(line: Any) -> list[tuple[tuple[str, str], int]]:
    """What to fetch for one unit of a line: ((name, SKU), pieces) of itself, or of each thing in the bundle."""
    if line.parts:
        return [((part["name"], ""), part["units"]) for part in line.parts]
    name = f"{line.product_name}, {line.variant_name}" if line.variant_name else line.product_name
    return [((name, line.sku), 1)]


@dataclass(frozen=True, slots=True)
class FileView:
    """The accountant's file of a month, made or on its way."""

    code: str
    month: date
    total: int
    done: int
    asked_at: datetime
    made_at: datetime | None


def _files() -> Any:
    return select(
        AccountsFile.code, AccountsFile.month, AccountsFile.total, AccountsFile.done, AccountsFile.asked_at,
        AccountsFile.made_at,
    )  # fmt: skip


def accounts_files() -> list[FileView]:
    """The latest files, those on their way among them."""
    rows = db.session.execute(_files().order_by(AccountsFile.asked_at.desc(), AccountsFile.id.desc()).limit(PAGE_SIZE))
    return [FileView(*row) for row in rows]


def accounts_file(code: str) -> FileView:
    """One file. Raises NotFound."""
    row = db.session.execute(_files().where(AccountsFile.code == code)).first()
    if row is None:
        raise NotFound
    return FileView(*row)


def faults() -> list[dict[str, Any]]:
    """Numbers that are missing: in each kind they run from one to the count without a gap."""
    rows = db.session.execute(
        select(Receipt.kind, func.count().label("many"), func.max(Receipt.number).label("last"))
        .group_by(Receipt.kind)
        .having(func.count() != func.max(Receipt.number))
    )
    return [
        {"invariant": "receipts_without_gaps", "kind": str(row.kind), "many": row.many, "last": row.last}
        for row in rows
    ]
