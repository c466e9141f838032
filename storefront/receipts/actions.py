"""Issuing papers. The order's row is locked first, so that an order has one open receipt at most; the series last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.tax_ids import read_tax_id
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order, OrderLine
from storefront.orders.moves import locked
from storefront.orders.states import COUNTS, Channel, OrderState
from storefront.payments.models import Refund, RefundLine, RefundPart
from storefront.payments.returns import REASONS
from storefront.receipts import rates, stamping
from storefront.receipts.models import Receipt, ReceiptHead, ReceiptKind, ReceiptSeries


class NotSold(Conflict):
    """There are receipts only for orders that count."""

    message = _l("El recibo se hace cuando el pedido está confirmado.")


class NoSale(Conflict):
    """A gift card is a debt until something is bought with it: that is receipted, and no money twice."""

    message = _l("El recibo se hace de lo que se compre con la tarjeta de regalo, no de la tarjeta.")


class OtherBuyer(Conflict):
    """The open receipt is made out to somebody else."""

    message = _l("Este pedido ya tiene un recibo. Para cambiar los datos, la tienda lo anula y hace otro.")


class AllCredited(Conflict):
    """Credit notes of refunds have taken all of it back already."""

    message = _l("Las notas de crédito de las devoluciones ya anulan todo este recibo.")


class BuyerWithoutName(Invalid):
    """A document without a name."""

    message = _l("Escribe el nombre o la razón social del recibo.")


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whom a receipt is made out to; all empty for one without a name."""

    name: str = ""
    document: str = ""
    number: str = ""

    @classmethod
    def read(cls, name: str, document: str, number: str) -> Buyer:
        """What somebody typed. Raises NotATaxId or BuyerWithoutName."""
        name, number = name.strip(), number.strip()
        if not number:
            return cls(name) if name else cls()
        if not name:
            raise BuyerWithoutName
        return cls(name, document, read_tax_id(current_shop().country, document, number))


def save_head(legal_name: str, document: str, number: str, foot: str, by: Actor) -> None:
    """Keep what stands on top of the papers. Raises NotATaxId."""
    tax_number = read_tax_id(current_shop().country, document, number) if number.strip() else ""
    values = {
        "legal_name": legal_name.strip(), "tax_document": document if tax_number else "", "tax_number": tax_number,
        "foot": foot.strip(),
    }  # fmt: skip
    with transaction():
        db.session.execute(
            insert(ReceiptHead)
            .values(tenant_id=current_shop().id, **values)
            .on_conflict_do_update(index_elements=["tenant_id"], set_=values)
        )
        note("shop", current_shop().id, "receipt_head_changed", by)


def issue_receipt(order_id: int, buyer: Buyer, by: Actor) -> Receipt:
    """The order's receipt: the open one if there is one for this buyer, else a new one with the next number.

    Raises NoSuchOrder, NotSold, NoSale or OtherBuyer; then no number was taken.
    """
    with transaction():
        order = locked(order_id)
        found = open_receipt(order_id)
        if found is not None:
            if buyer not in {Buyer(), Buyer(found.buyer_name, found.buyer_document, found.buyer_number)}:
                raise OtherBuyer
            return found
        if order.kept_minor and order.state is OrderState.CANCELLED:
            return _issue_for_kept(order, buyer, by)
        if order.state not in COUNTS:
            raise NotSold
        if order.channel is Channel.GIFT:
            raise NoSale
        whole = _Sums(order.net_minor, order.tax_minor, order.total_minor - order.tip_minor)  # a tip is no sale
        made = _issue(order, buyer, _content(order), whole, by)
        note("order", order_id, "receipt_issued", by, number=made.number)
        for refund_id in _refunds_of(order_id):
            _credit(order, made, refund_id, by)
        return made


def _issue_for_kept(order: Order, buyer: Buyer, by: Actor) -> Receipt:
    """The receipt for what the shop keeps of a cancelled order's deposit: all that was sold of it."""
    sums = _Sums(order.kept_minor - order.kept_tax_minor, order.kept_tax_minor, order.kept_minor)
    with force_locale(order.locale):
        line = {
            "product_name": _("Anticipo de un pedido cancelado"), "variant_name": "", "quantity": 1,
            "unit_minor": order.kept_minor, "discount_minor": 0, "gross_minor": order.kept_minor,
            "net_minor": sums.net_minor, "tax_minor": sums.tax_minor, "tax_rate_bp": None,
        }  # fmt: skip
    tax_name = COUNTRIES[current_shop().country].tax_name
    content = _content(order) | {
        "lines": [line], "subtotal_minor": order.kept_minor, "shipping_minor": 0, "packaging_minor": 0, "tip_minor": 0,
        "discount_minor": 0, "tax_inside": True, "kept": True,
        "taxes": [{"label": tax_name, "net_minor": sums.net_minor, "tax_minor": sums.tax_minor}],
    }  # fmt: skip
    made = _issue(order, buyer, content, sums, by)
    note("order", order.id, "receipt_issued", by, number=made.number)
    return made


def credit_refund(refund_id: int, by: Actor = SYSTEM) -> Receipt | None:
    """The credit note for what a refund is for, where the order has an open receipt; asked again, the same one."""
    with transaction():
        order_id = db.session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
        if order_id is None:
            raise NotFound
        order = locked(order_id)
        receipt = open_receipt(order_id)
        return _credit(order, receipt, refund_id, by) if receipt is not None else None


def _refunds_of(order_id: int) -> list[int]:
    return list(
        db.session.scalars(
            select(Refund.id)
            .where(Refund.order_id == order_id, Refund.id.in_(select(RefundLine.refund_id)))
            .order_by(Refund.id)
        )
    )


def _credit(order: Order, receipt: Receipt, refund_id: int, by: Actor) -> Receipt | None:
    found = db.session.scalars(
        select(Receipt).where(Receipt.credits_id == receipt.id, Receipt.refund_id == refund_id)
    ).first()
    parts = db.session.execute(
        select(
            RefundLine.part, RefundLine.name, RefundLine.quantity, RefundLine.amount_minor, RefundLine.net_minor,
            RefundLine.tax_minor, RefundLine.tax_rate_bp, OrderLine.tax_class,
        )
        .outerjoin(
            OrderLine, (OrderLine.tenant_id == RefundLine.tenant_id) & (OrderLine.id == RefundLine.order_line_id)
        )
        .where(RefundLine.refund_id == refund_id, RefundLine.part != RefundPart.TIP)
        .order_by(RefundLine.id)
    ).all()  # fmt: skip
    if found is not None or not parts:
        return found
    reason = db.session.scalar(select(Refund.reason).where(Refund.id == refund_id))
    with force_locale(order.locale):
        content = {
            **receipt.content,
            "credits": receipt.number,
            "reason": str(REASONS.get(reason or "", "")),
            "lines": [_credited(part) for part in parts],
            "shipping_minor": 0,
            "packaging_minor": 0,
            "tip_minor": 0,
            "discount_minor": 0,
            "taxes": rates.by_rate(_share(part, order.fees_rate_bp, receipt) for part in parts),
        }
    sums = _Sums(*(sum(getattr(part, name) for part in parts) for name in ("net_minor", "tax_minor", "amount_minor")))
    buyer = Buyer(receipt.buyer_name, receipt.buyer_document, receipt.buyer_number)
    made = _issue(order, buyer, content, sums, by, about={"credits_id": receipt.id, "refund_id": refund_id})
    stamping.follow_note(made)
    note("order", order.id, "refund_credited", by, number=receipt.number, credit_note=made.number)
    return made


def _share(part: Any, fees_rate_bp: int, receipt: Receipt) -> rates.Share:
    """The tax of a part that went back, by the name the receipt gave it."""
    labels = {one["label"] for one in receipt.content.get("taxes", ())}
    if part.part is RefundPart.LINE:
        label = rates.label_of(part.tax_class, part.tax_rate_bp)
    elif part.part is RefundPart.OTHER:
        label = labels.pop() if len(labels) == 1 else rates.mixed_label()
    else:
        label = rates.fees_label(fees_rate_bp)
    return rates.Share(label, part.net_minor, part.tax_minor)


def _credited(part: Any) -> dict[str, Any]:
    names = {
        RefundPart.SHIPPING: _("Entrega"), RefundPart.PACKAGING: _("Empaque"), RefundPart.OTHER: _("Otro importe"),
    }  # fmt: skip
    return {
        "product_name": part.name or names.get(part.part, ""), "variant_name": "", "quantity": part.quantity or 1,
        "amount_minor": part.amount_minor, "net_minor": part.net_minor, "tax_minor": part.tax_minor,
        "tax_rate_bp": part.tax_rate_bp,
    }  # fmt: skip


def take_back(code: str, reason: str, by: Actor) -> Receipt:
    """The credit note that takes a receipt back; asked again, the same one. Raises NotFound for no such receipt."""
    with transaction():
        receipt = db.session.scalars(
            select(Receipt).where(Receipt.code == code, Receipt.kind == ReceiptKind.RECEIPT)
        ).first()
        if receipt is None:
            raise NotFound
        return _take_back(locked(receipt.order_id), receipt, reason, by)


def take_back_of_order(order_id: int) -> None:
    """A cancelled order's open receipt, if any, is taken back, unless it is for what is kept of the deposit."""
    with transaction():
        order = locked(order_id)
        receipt = open_receipt(order_id)
        if receipt is not None and receipt.content.get("kept") and order.kept_minor:
            return
        if receipt is not None and order.state is OrderState.CANCELLED and _left_of(receipt).total_minor:
            _take_back(order, receipt, "", SYSTEM)


def _take_back(order: Order, receipt: Receipt, reason: str, by: Actor) -> Receipt:
    found = db.session.scalars(select(Receipt).where(Receipt.cancels_id == receipt.id)).first()
    if found is not None:
        return found
    left = _left_of(receipt)
    if receipt.total_minor and not left.total_minor:
        raise AllCredited
    content = {
        **receipt.content, "cancels": receipt.number, "reason": reason, "tip_minor": 0,
        "credited_minor": receipt.total_minor - left.total_minor,
        "taxes": rates.less(receipt.content.get("taxes", ()), _credited_taxes(receipt)),
    }  # fmt: skip
    buyer = Buyer(receipt.buyer_name, receipt.buyer_document, receipt.buyer_number)
    made = _issue(order, buyer, content, left, by, about={"cancels_id": receipt.id})
    stamping.follow_note(made)
    note("order", order.id, "receipt_taken_back", by, number=receipt.number, credit_note=made.number)
    return made


def _credited_taxes(receipt: Receipt) -> list[dict[str, Any]]:
    notes = db.session.scalars(select(Receipt.content).where(Receipt.credits_id == receipt.id))
    return [one for content in notes for one in content.get("taxes", ())]


@dataclass(frozen=True, slots=True)
class _Sums:
    """What stands at the foot of a paper."""

    net_minor: int
    tax_minor: int
    total_minor: int


def _left_of(receipt: Receipt) -> _Sums:
    """What of a receipt no credit note for a refund has taken back."""
    credited = db.session.execute(
        select(
            func.coalesce(func.sum(Receipt.net_minor), 0),
            func.coalesce(func.sum(Receipt.tax_minor), 0),
            func.coalesce(func.sum(Receipt.total_minor), 0),
        ).where(Receipt.credits_id == receipt.id)
    ).one()
    net, tax, total = map(int, credited)
    return _Sums(receipt.net_minor - net, receipt.tax_minor - tax, receipt.total_minor - total)


def open_receipt(order_id: int) -> Receipt | None:
    """The order's receipt that no credit note takes back."""
    taken_back = select(Receipt.cancels_id).where(Receipt.order_id == order_id, Receipt.cancels_id.is_not(None))
    return db.session.scalars(
        select(Receipt).where(
            Receipt.order_id == order_id, Receipt.kind == ReceiptKind.RECEIPT, Receipt.id.not_in(taken_back)
        )
    ).first()


def _issue(
    order: Order,
    buyer: Buyer,
    content: dict[str, Any],
    sums: _Sums,
    by: Actor,
    *,
    about: Mapping[str, int] | None = None,
) -> Receipt:
    """A receipt, or, `about` another paper, a credit note."""
    kind = ReceiptKind.CREDIT_NOTE if about else ReceiptKind.RECEIPT
    made = Receipt(
        kind=kind,
        number=_next_number(kind),
        order_id=order.id,
        **(about or {}),
        buyer_name=buyer.name,
        buyer_document=buyer.document,
        buyer_number=buyer.number,
        currency=order.currency,
        net_minor=sums.net_minor,
        tax_minor=sums.tax_minor,
        total_minor=sums.total_minor,
        content=content,
        issued_by=by.label,
        issued_at=clock.now(),
    )
    db.session.add(made)
    db.session.flush()
    return made


def _next_number(kind: ReceiptKind) -> int:
    """One statement takes the number and holds the series until the commit: whoever rolls back leaves no gap."""
    db.session.execute(
        insert(ReceiptSeries)
        .values(tenant_id=current_shop().id, kind=kind, next_number=1)
        .on_conflict_do_nothing(index_elements=["tenant_id", "kind"])
    )
    taken = db.session.execute(
        update(ReceiptSeries)
        .where(ReceiptSeries.kind == kind)
        .values(next_number=ReceiptSeries.next_number + 1)
        .returning(ReceiptSeries.next_number)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    return int(taken) - 1


def _content(order: Order) -> dict[str, Any]:
    shop = current_shop()
    head = db.session.get(ReceiptHead, shop.id)
    lines = db.session.execute(
        select(
            OrderLine.product_name, OrderLine.variant_name, OrderLine.quantity, OrderLine.unit_minor,
            OrderLine.discount_minor, OrderLine.gross_minor, OrderLine.net_minor, OrderLine.tax_minor,
            OrderLine.tax_rate_bp, OrderLine.tax_class,
        ).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    ).all()  # fmt: skip
    return {
        "shop": {
            "name": shop.name, "legal_name": head.legal_name if head else "", "address": shop.address,
            "document": head.tax_document if head else "", "number": head.tax_number if head else "",
            "phone": shop.phone, "foot": head.foot if head else "",
        },
        "order": order.code,
        "tax_name": COUNTRIES[shop.country].tax_name,
        "tax_inside": order.tax_inside,
        "taxes": rates.of_lines(lines, order.net_minor, order.tax_minor, order.fees_rate_bp),
        "lines": [dict(row._mapping) for row in lines],
        "subtotal_minor": order.subtotal_minor,
        "shipping_minor": order.shipping_minor,
        "shipping_name": order.shipping_name,
        "packaging_minor": order.packaging_minor,
        "tip_minor": order.tip_minor,
        "discount_minor": order.discount_minor,
        "payment_method": order.payment_method,
    }  # fmt: skip
