"""What becomes of a proposed change: agreed to and applied, declined, withdrawn, or over because its time is.

The order's row comes first, then its parcel, the change, the money, the goods, the promotions and the papers. Applying
is one transaction: all of it, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.catalogue.models import Product, ProductKind
from storefront.changes.models import (
    CHANGE_STATES,
    Agreement,
    ChangeState,
    OrderChange,
    OrderChangeEvent,
    OrderChangeLine,
)
from storefront.delivery import actions as parcels
from storefront.delivery.states import ShipmentState
from storefront.events import ChangeAnswered, OrderChanged
from storefront.inventory.actions import release_holds
from storefront.inventory.movements import Cause
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.outbox import record
from storefront.orders import changing
from storefront.orders.actions import begin_payment
from storefront.orders.changing import NextLine
from storefront.orders.models import Order, OrderLine
from storefront.orders.moves import NAMED, locked
from storefront.orders.states import (
    RETURNING,
    SETTLED,
    WAITING,
    FulfilmentState,
    OrderState,
    PaymentState,
)
from storefront.payments import changing as money
from storefront.payments.actions import open_attempt
from storefront.promotions.queries import agreed
from storefront.receipts.actions import open_receipt, take_back

CAUSE = "order_change"
"""How the holds of a change that waits name their cause; its id is the cause's id."""


class ChangeOver(Conflict):
    """It was applied, refused or withdrawn already, or its time is over."""

    message = _l("Este cambio ya no está en espera: alguien lo decidió antes o se venció su plazo.")


class BillMoved(Conflict):
    """The order is not any more what the change was made for."""

    message = _l("El pedido cambió mientras tanto, así que este cambio ya no vale. La tienda puede proponer otro.")


class NotChangeable(Conflict):
    """The order is packed, left, ended, or its money is on the way."""

    message = _l("Este pedido ya no se puede cambiar: ya está listo, ya salió o ya terminó.")


class MoneyMoves(Conflict):
    """Somebody has to look at a proof, or money is coming in or going back."""

    message = _l("Hay un pago por revisar o una devolución en camino. El pedido se podrá cambiar cuando eso termine.")


class PaidAlready(Conflict):
    """What is paid cannot become dearer."""

    message = _l(
        "Este pedido ya está pagado, así que no puede subir de precio. "
        "Lo que se agrega se cobra aparte, en «Nueva venta»."
    )


class PartlyPaid(Conflict):
    """Part of the old total is paid and the rest is not."""

    message = _l(
        "Este pedido ya tiene una parte pagada. Se podrá cambiar cuando esté pagado por completo; "
        "lo que se agrega se cobra aparte, en «Nueva venta»."
    )


def require_changeable(order: Order) -> None:
    """Raise NotChangeable, MoneyMoves or PartlyPaid unless the lines of a locked order may change now."""
    in_shop = order.fulfilment_state in {FulfilmentState.NONE, FulfilmentState.PREPARING}
    lapsed = order.expires_at is not None and order.expires_at <= clock.now()
    if not in_shop or lapsed or order.state not in WAITING | {OrderState.CONFIRMED} or not order.total_minor:
        raise NotChangeable
    settling = order.payment_state is PaymentState.PAID and order.state in WAITING
    if settling or order.payment_state in RETURNING | {PaymentState.PROOF_REVIEW}:
        raise MoneyMoves
    if 0 < order.received_minor < order.total_minor:
        raise PartlyPaid
    if db.session.scalar(
        select(OrderLine.id).where(OrderLine.order_id == order.id, OrderLine.refunded_minor > 0).limit(1)
    ):
        raise MoneyMoves


def require_payable(order: Order, total_minor: int) -> None:
    """Raise PaidAlready where a paid order would become dearer."""
    if order.payment_state in SETTLED and total_minor > order.total_minor:
        raise PaidAlready


# --- answering ------------------------------------------------------------------------------------------------------


def agree(change_id: int, by: Actor, how: Agreement) -> None:
    """The customer agrees: the change is applied. Saying it twice changes nothing.

    Raises ChangeOver, BillMoved, NotChangeable, MoneyMoves, PaidAlready, OutOfStock or PromotionGone; then nothing has
    changed.
    """
    with transaction():
        order, change = _locked(change_id)
        if change.state is ChangeState.APPLIED:
            return
        _require_open(change)
        require_changeable(order)
        require_payable(order, change.total_minor)
        _apply(order, change, by)
        end(change, ChangeState.APPLIED, by, how)
        note("order", order.id, "changed", by, change=change.code, total_minor=order.total_minor, how=str(how))
        record(OrderChanged(order_id=order.id, change_id=change.id))
        if how is Agreement.PAGE:
            record(ChangeAnswered(order_id=order.id, change_id=change.id))


def decline(change_id: int, by: Actor) -> None:
    """The customer wants it as it was. Twice changes nothing. Raises ChangeOver."""
    with transaction():
        order, change = _locked(change_id)
        if change.state is ChangeState.DECLINED:
            return
        _require_open(change)
        end(change, ChangeState.DECLINED, by)
        note("order", order.id, "change_declined", by, change=change.code)
        record(ChangeAnswered(order_id=order.id, change_id=change.id))


def withdraw(change_id: int, by: Actor) -> None:
    """The shop takes it back. Twice, or after its time, changes nothing. Raises ChangeOver once it was answered."""
    with transaction():
        order, change = _locked(change_id)
        if change.state in {ChangeState.WITHDRAWN, ChangeState.LAPSED}:
            return
        if change.state is not ChangeState.PROPOSED:
            raise ChangeOver
        end(change, ChangeState.WITHDRAWN, by)
        note("order", order.id, "change_withdrawn", by, change=change.code)


def withdraw_of_ended(order_id: int) -> None:
    """An order that was cancelled or lapsed needs no change: the one that waits gives back what it holds."""
    with transaction():
        order = locked(order_id)
        if order.state not in {OrderState.CANCELLED, OrderState.EXPIRED}:
            return
        found = db.session.scalar(
            select(OrderChange.id).where(OrderChange.order_id == order_id, OrderChange.state == ChangeState.PROPOSED)
        )
        if found is not None:
            withdraw(found, SYSTEM)


def _locked(change_id: int) -> tuple[Order, OrderChange]:
    order_id = db.session.scalar(select(OrderChange.order_id).where(OrderChange.id == change_id))
    if order_id is None:
        raise NotFound
    order = locked(order_id)
    return order, lock_rows(OrderChange, [change_id])[0]


def _require_open(change: OrderChange) -> None:
    if change.state is not ChangeState.PROPOSED or change.expires_at <= clock.now():
        raise ChangeOver


def end(change: OrderChange, state: ChangeState, by: Actor, how: Agreement | None = None) -> None:
    """Bring a locked change to its end and give back what it still holds."""
    CHANGE_STATES.require(change.state, state)
    write_step(change, state, by)
    change.state, change.agreement, change.ended_at = state, how, clock.now()
    db.session.flush()
    release_holds(CAUSE, change.id)


def write_step(change: OrderChange, state: ChangeState, by: Actor) -> None:
    """Write a step into the change's history."""
    db.session.add(
        OrderChangeEvent(
            change_id=change.id,
            before=str(change.state) if state is not ChangeState.PROPOSED else "",
            after=str(state),
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label if by.kind in NAMED else "",
            at=clock.now(),
        )
    )


# --- applying -------------------------------------------------------------------------------------------------------


def _apply(order: Order, change: OrderChange, by: Actor) -> None:
    found = parcels.locked_of_order(order.id)
    if any(one.state not in {ShipmentState.DRAFT, ShipmentState.CANCELLED} for one in found):
        raise NotChangeable
    lines = _lines_after(order, change)
    if change.shipping_minor is not None and not order.awaits_delivery_price:
        raise BillMoved
    sums = changing.bill_of(order, lines, agreed(order.id), change.shipping_minor)
    if (order.total_minor, sums.total_minor) != (change.before_total_minor, change.total_minor):
        raise BillMoved
    was = money.before_change(order)
    changing.rewrite(order, lines, sums)
    if change.shipping_minor is not None:
        begin_payment(order, by)
    money.follow_change(order, change.id, was, by)
    if change.shipping_minor is not None and order.total_minor == was.total_minor and order.due_now_minor:
        open_attempt(order.id, order.payment_method)  # it is free, so nothing of the bill has changed
    parcels.count_again(order, found)
    changing.move_goods(order, lines, Cause(CAUSE, change.id), sums.discounts, by)
    receipt = open_receipt(order.id)
    if receipt is not None:
        take_back(receipt.code, "", by)


def _lines_after(order: Order, change: OrderChange) -> list[NextLine]:
    """The order's lines with the change. Raises BillMoved when a line is not any more what it was."""
    lines = {line.position: line for line in changing.lines_of(order.id)}
    added: list[NextLine] = []
    for wanted, category_id in _wanted(change.id):
        if wanted.line_position is None:
            added.append(_added(wanted, category_id))
            continue
        line = lines.get(wanted.line_position)
        if line is None or (line.variant_id, line.before) != (wanted.variant_id, wanted.before_quantity):
            raise BillMoved
        lines[line.position] = replace(line, quantity=wanted.quantity)
    return [*lines.values(), *added]


def _wanted(change_id: int) -> Sequence[Any]:
    return db.session.execute(
        select(OrderChangeLine, Product.category_id)
        .join(Product, (Product.tenant_id == OrderChangeLine.tenant_id) & (Product.id == OrderChangeLine.product_id))
        .where(OrderChangeLine.change_id == change_id)
        .order_by(OrderChangeLine.position)
    ).all()


def _added(wanted: OrderChangeLine, category_id: int | None) -> NextLine:
    return NextLine(
        position=None, kind=ProductKind.GOODS, product_id=wanted.product_id, variant_id=wanted.variant_id,
        product_name=wanted.product_name, variant_name=wanted.variant_name, sku=wanted.sku,
        unit_minor=wanted.unit_minor, tax_rate_bp=wanted.tax_rate_bp, before=0, quantity=wanted.quantity,
        category_id=category_id, parts=wanted.parts, tax_class=wanted.tax_class,
    )  # fmt: skip
