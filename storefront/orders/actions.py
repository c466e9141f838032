"""What may be done with an order that was placed: confirmed, made ready, handed over, cancelled, let lapse.

Each verb takes the order's row first, then stock, then bookings, then promotions, always in this order. Asking twice
for what is already so changes nothing and is no error, since people tap twice and jobs run twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from storefront.catalogue.models import ProductKind
from storefront.events import OrderCancelled, OrderCompleted, OrderConfirmed, OrderExpired, OrderReady
from storefront.inventory.actions import (
    OutOfStock,
    consume_holds,
    consume_some,
    extend_holds,
    release_holds,
    renew_holds,
    return_goods,
    return_some,
)
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.outbox import record
from storefront.orders.models import Order, OrderLine
from storefront.orders.moves import locked, move
from storefront.orders.states import (
    ABOUT_MONEY,
    GRACE,
    LONGEST_WAIT,
    LONGEST_WAIT_BOOKED,
    NOTHING_TO_HAND_OVER,
    ON_THE_SHELF,
    PAID_IN_ADVANCE,
    PROOF_PATIENCE,
    RETURNING,
    SETTLED,
    WAITING,
    WINDOWS,
    Attention,
    Channel,
    FulfilmentMethod,
    FulfilmentState,
    OrderState,
    PaymentState,
    deposit_is_in,
)
from storefront.promotions.actions import PromotionGone, give_back, take_again
from storefront.reservations.actions import (
    HoldExpired,
    SlotTaken,
    cancel_bookings,
    confirm_bookings,
    extend_bookings,
    retake_bookings,
)

CAUSE = "order"
"""How stock holds name their cause; the order's id is the cause's id."""


class CannotCancel(Conflict):
    """The goods have left the shop, or the order came to its end."""

    message = _l("Este pedido ya salió de la tienda o ya terminó, así que no se puede cancelar.")


class AskTheShop(Conflict):
    """The customer may not cancel by themselves any more."""

    message = _l("La tienda ya está con tu pedido. Escríbele para cancelarlo.")


class NotConfirmed(Conflict):
    """The step is only for orders that count."""

    message = _l("Primero hay que confirmar este pedido.")


class DeliveryUnpriced(Conflict):
    """Its customer has not agreed to what its delivery costs."""

    message = _l("Primero dile cuánto cuesta el envío: el pedido sigue cuando quien pidió esté de acuerdo.")


class NotFinished(Conflict):
    """Something is still to be handed over or paid."""

    message = _l("Este pedido todavía no está entregado y pagado.")


class PaidFirst(Conflict):
    """A gift card is as good as money: nobody gets one before its own has come."""

    message = _l("Una tarjeta de regalo se entrega cuando llega su pago. Anota primero el pago.")


class NotReturned(Conflict):
    """The goods are not back."""

    message = _l("Este pedido no ha regresado a la tienda.")


# --- confirming ---------------------------------------------------------------------------------------------------


def confirm_order(order_id: int, by: Actor) -> Order:
    """Let an order count: what is held becomes its own.

    Raises OutOfStock, SlotTaken, HoldExpired or PromotionGone when its time was over and what it held is gone.
    """
    with transaction():
        order = locked(order_id)
        if order.channel is Channel.GIFT and order.payment_state is not PaymentState.PAID:
            raise PaidFirst
        if order.state not in {OrderState.CONFIRMED, OrderState.COMPLETED}:
            _confirm(order, by)
    return order


def confirm_paid_order(order_id: int) -> bool:
    """Confirm an order whose money has arrived. False when it cannot be kept any more and the money must go back.

    Money may come after the order lapsed: then stock, times and promotions are taken anew, if they are still there. The
    answer for an order that was once refused stays False, so that a refund and a confirmation never both happen.
    """
    with transaction():
        order = locked(order_id)
        if order.state in {OrderState.CONFIRMED, OrderState.COMPLETED}:
            return True
        if order.payment_state in RETURNING or order.attention in {
            Attention.PAID_WITHOUT_STOCK,
            Attention.PAID_AFTER_CANCEL,
        }:
            return False
        if order.state is OrderState.CANCELLED:
            _flag(order, Attention.PAID_AFTER_CANCEL, SYSTEM)
            return False
        try:
            with db.session.begin_nested():
                _confirm(order, SYSTEM, "paid")
        except (OutOfStock, SlotTaken, HoldExpired, PromotionGone):
            _flag(order, Attention.PAID_WITHOUT_STOCK, SYSTEM)
            return False
    return True


def begin_payment(order: Order, by: Actor) -> None:
    """The last open price of a locked order is agreed: from now on it waits for its money, or for the shop's word."""
    order.awaits_delivery_price = False
    if order.payment_method in PAID_IN_ADVANCE and order.total_minor > 0:
        move(order, OrderState.AWAITING_PAYMENT, by)
    _keep_until(order, clock.now() + WINDOWS[order.payment_method])


def _confirm(order: Order, by: Actor, reason: str = "") -> None:
    if order.awaits_delivery_price:
        raise DeliveryUnpriced
    lapsed = order.state is OrderState.EXPIRED or (
        order.expires_at is not None and order.expires_at + GRACE <= clock.now()
    )
    move(order, OrderState.CONFIRMED, by, reason)
    lines = _lines_of(order.id)
    demand = demand_of(lines)
    renew_holds(demand, cause=CAUSE, cause_id=order.id, until=None)
    booked = [line.booking_id for line in lines if line.booking_id is not None]
    if booked and lapsed:
        retake_bookings(booked, until=clock.now() + GRACE)
    if booked:
        confirm_bookings(booked, by)
    if order.discount_minor:
        take_again(order.id)
    order.expires_at = None
    order.confirmed_at = clock.now()
    if demand and order.fulfilment_state is FulfilmentState.NONE:
        move(order, FulfilmentState.PREPARING, by)
    elif order.channel in NOTHING_TO_HAND_OVER and order.fulfilment_state is FulfilmentState.NONE:
        move(order, FulfilmentState.DELIVERED, by)
    note("order", order.id, "confirmed", by, late=lapsed)
    record(OrderConfirmed(order_id=order.id))
    _complete_if_done(order, by)


def demand_of(lines: Sequence[Any]) -> dict[int, int]:
    """Units wanted of each variant that stock is kept of, summed over `lines`; what is booked draws on no stock."""
    demand: Counter[int] = Counter()
    for line in lines:
        if line.kind is ProductKind.GOODS:
            demand.update(taken_by(line, line.quantity))
    return dict(demand)


def taken_by(line: Any, quantity: int) -> dict[int, int]:
    """What so many units of a line draw on: the variant itself, or what was in the bundle when it was bought."""
    if not line.parts:
        return {line.variant_id: quantity}
    return {part["variant_id"]: part["units"] * quantity for part in line.parts}


def _lines_of(order_id: int) -> Sequence[Any]:
    return db.session.execute(
        select(OrderLine.kind, OrderLine.variant_id, OrderLine.quantity, OrderLine.booking_id, OrderLine.parts)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    ).all()


def _bookings_of(order_id: int) -> list[int]:
    return [line.booking_id for line in _lines_of(order_id) if line.booking_id is not None]


# --- ending -------------------------------------------------------------------------------------------------------


def cancel_order(order_id: int, reason: str, by: Actor, *, damaged: Collection[int] = ()) -> Order:
    """Cancel an order that is still in the shop and give back what it held; money that came must go back (`payments`).

    What the lines at the positions `damaged` hold does not go on sale again: it leaves the count, as damaged. Raises
    CannotCancel once the goods have left or the order ended.
    """
    with transaction():
        order = locked(order_id)
        if order.state is OrderState.CANCELLED:
            return order
        if order.fulfilment_state not in ON_THE_SHELF or order.state in {OrderState.COMPLETED, OrderState.EXPIRED}:
            raise CannotCancel
        move(order, OrderState.CANCELLED, by)  # the reason may name people: it stays out of what nobody can change
        if order.fulfilment_state is not FulfilmentState.NONE:
            move(order, FulfilmentState.NONE, by)
        order.cancelled_reason = reason
        order.expires_at = None
        _write_off(order.id, damaged, by)
        release_holds(CAUSE, order.id)
        booked = _bookings_of(order.id)
        if booked:
            cancel_bookings(booked, by, "order_cancelled")
        if order.discount_minor:
            give_back(order.id)
        came = order.payment_state in {PaymentState.PARTLY_PAID, PaymentState.PAID, PaymentState.PARTLY_REFUNDED}
        is_kept = order.kept_minor > 0 and order.received_minor <= order.kept_minor
        if came and not is_kept:
            _flag(order, Attention.REFUND_DUE, by)
        note("order", order.id, "cancelled", by)
        record(OrderCancelled(order_id=order.id))
    return order


def _write_off(order_id: int, positions: Collection[int], by: Actor) -> None:
    if not positions:
        return
    lines = db.session.execute(
        select(OrderLine.kind, OrderLine.variant_id, OrderLine.quantity, OrderLine.parts).where(
            OrderLine.order_id == order_id, OrderLine.position.in_(positions)
        )
    ).all()
    for variant_id, qty in sorted(demand_of(lines).items()):
        gone = consume_some(CAUSE, order_id, variant_id, qty, by, damaged=True)
        note("order", order_id, "units_damaged", by, units=gone)


def cancel_own_order(order_id: int, reason: str, by: Actor) -> Order:
    """The customer's own cancelling: until the shop confirms, and not once money is on its way. Raises AskTheShop."""
    with transaction():
        order = locked(order_id)
        if order.state is OrderState.CANCELLED:
            return order
        is_kept = order.payment_state in SETTLED | {PaymentState.PROOF_REVIEW} or deposit_is_in(order)
        if order.state not in WAITING or is_kept:
            raise AskTheShop
        return cancel_order(order_id, reason, by)


def expire_order(order_id: int) -> bool:
    """Let an order lapse whose time is over. False when it is not (any more) to lapse."""
    with transaction():
        order = locked(order_id)
        if order.state not in WAITING or order.expires_at is None or order.expires_at > clock.now():
            return False
        move(order, OrderState.EXPIRED, SYSTEM)
        release_holds(CAUSE, order.id)  # held times end by their own clock, so that late money can take them again
        if order.discount_minor:
            give_back(order.id)
        note("order", order.id, "expired", SYSTEM)
        record(OrderExpired(order_id=order.id))
    return True


# --- preparing and handing over -----------------------------------------------------------------------------------


def mark_ready(order_id: int, by: Actor) -> Order:
    """The order is packed and waits for the customer or the courier."""
    with transaction():
        order = locked(order_id)
        if order.fulfilment_state is FulfilmentState.READY:
            return order
        _require_confirmed(order)
        move(order, FulfilmentState.READY, by)
        note("order", order.id, "ready", by)
        record(OrderReady(order_id=order.id))
    return order


def unmark_ready(order_id: int, by: Actor) -> Order:
    """Take "ready" back: somebody tapped too early."""
    with transaction():
        order = locked(order_id)
        if order.fulfilment_state is FulfilmentState.READY:
            move(order, FulfilmentState.PREPARING, by, "undo")
            note("order", order.id, "not_ready", by)
    return order


def hand_over(order_id: int, by: Actor) -> Order:
    """The goods leave the shop: into the customer's hands (delivered) or a courier's (shipped). Stock is used up."""
    with transaction():
        order = locked(order_id)
        if order.fulfilment_state not in ON_THE_SHELF:
            return order
        to_courier = order.fulfilment_method is FulfilmentMethod.DELIVERY
        return set_fulfilment_state(order_id, FulfilmentState.SHIPPED if to_courier else FulfilmentState.DELIVERED, by)


def set_fulfilment_state(order_id: int, state: FulfilmentState, by: Actor, reason: str = "") -> Order:
    """Follow what happened to the goods. Leaving the shelf uses up the stock; delivered and paid completes."""
    with transaction():
        order = locked(order_id)
        before = order.fulfilment_state
        if before is state:
            return order
        _require_confirmed(order)
        move(order, state, by, reason)
        with_us = ON_THE_SHELF | {FulfilmentState.PARTLY}  # what went out in parts was used up part by part
        if before in with_us and state not in with_us:
            consume_holds(CAUSE, order.id, by)
        note("order", order.id, str(state), by)
        if state is FulfilmentState.READY:
            record(OrderReady(order_id=order.id))
        if state is FulfilmentState.RETURNED and order.state is OrderState.COMPLETED:
            move(order, OrderState.CONFIRMED, by, reason)
        _complete_if_done(order, by)
    return order


def set_payment_state(order_id: int, state: PaymentState, by: Actor, reason: str = "") -> Order:
    """Follow what happened to the money. It stops the clock, and so does a proof under review; else it runs again."""
    with transaction():
        order = locked(order_id)
        if order.payment_state is not state:
            move(order, state, by, reason)
        elif not order.deposit_minor:
            return order
        if order.state in WAITING:
            _mind_the_clock(order)
        if state in RETURNING and order.attention in ABOUT_MONEY:
            order.attention = None  # the money's way back has rows and a list of its own from here on
        if state not in SETTLED and order.state is OrderState.COMPLETED:
            move(order, OrderState.CONFIRMED, by, reason)
        _complete_if_done(order, by)
    return order


def _mind_the_clock(order: Order) -> None:
    has_stopped = order.expires_at is None
    if order.payment_state in RETURNING:
        if has_stopped:
            order.expires_at = clock.now()  # the money goes back: nothing keeps the order any more
    elif order.payment_state in {PaymentState.PROOF_REVIEW, PaymentState.PAID} or deposit_is_in(order):
        _keep_until(order, None)  # whoever paid in time keeps it, however late our own work is
    elif has_stopped:  # paid and not any more: it was a slip
        _keep_until(order, clock.now() + WINDOWS[order.payment_method])


def keep_longer(order_id: int, until: datetime) -> bool:
    """Keep an order that waits for its money until a voucher, or another way of payment, can have brought it.

    Never shorter than it was, and never longer than LONGEST_WAIT after it was placed. False when nothing changed.
    """
    with transaction():
        order = locked(order_id)
        longest = LONGEST_WAIT_BOOKED if _bookings_of(order.id) else LONGEST_WAIT
        last = min(until, order.placed_at + longest)
        if order.state not in WAITING or order.expires_at is None or order.expires_at >= last:
            return False
        _keep_until(order, last)
    return True


def _keep_until(order: Order, expires_at: datetime | None) -> None:
    order.expires_at = expires_at
    until = expires_at + GRACE if expires_at else None
    extend_holds(CAUSE, order.id, until)
    booked = _bookings_of(order.id)
    if not booked:
        return
    keep = until or clock.now() + PROOF_PATIENCE
    try:
        with db.session.begin_nested():
            retake_bookings(booked, until=keep)
            extend_bookings(booked, until=keep)
    except (SlotTaken, HoldExpired):
        return  # the proof is looked at all the same; confirming says whether the time can still be had


def restock_returned(order_id: int, by: Actor) -> int:
    """Put the goods of a returned order back on the shelf, once. Returns how many units."""
    with transaction():
        order = locked(order_id)
        if order.fulfilment_state is not FulfilmentState.RETURNED:
            raise NotReturned
        back = sum(return_goods(CAUSE, order.id, by).values())
        if back:
            note("order", order.id, "restocked", by, units=back)
    return back


@dataclass(frozen=True, slots=True)
class UnitsBack:
    """So many units of a line whose money, `amount_minor`, goes back; with `restock` they can be sold again."""

    line_id: int
    quantity: int
    amount_minor: int
    restock: bool


def take_units_back(order_id: int, units: Sequence[UnitsBack], by: Actor) -> None:
    """Write down which units of an order are refunded, and put those that are to be sold again back on the shelf.

    In a transaction that holds the order. What exceeds a line is refused by the row's own constraints.
    """
    known = {line.id: line for line in _stock_of(order_id)}
    for one in sorted(units, key=lambda back: back.line_id):
        restocked = one.quantity if one.restock else 0
        db.session.execute(
            update(OrderLine)
            .where(OrderLine.id == one.line_id, OrderLine.order_id == order_id)
            .values(
                refunded_quantity=OrderLine.refunded_quantity + one.quantity,
                refunded_minor=OrderLine.refunded_minor + one.amount_minor,
                restocked_quantity=OrderLine.restocked_quantity + restocked,
            )
            .execution_options(synchronize_session=False)
        )
    to_shelf: Counter[int] = Counter()
    for one in units:
        if one.restock:
            to_shelf.update(taken_by(known[one.line_id], one.quantity))
    for variant_id in sorted(to_shelf):
        back = return_some(CAUSE, order_id, variant_id, to_shelf[variant_id], by)
        note("order", order_id, "units_restocked", by, units=back)


def restock_units(order_id: int, line_id: int, quantity: int, by: Actor) -> None:
    """So many refunded units of a line are back and can be sold again. In a transaction that holds the order.

    More than were refunded and are not on sale yet is refused by the row's own constraints.
    """
    line = next(one for one in _stock_of(order_id) if one.id == line_id)
    db.session.execute(
        update(OrderLine)
        .where(OrderLine.id == line_id, OrderLine.order_id == order_id)
        .values(restocked_quantity=OrderLine.restocked_quantity + quantity)
        .execution_options(synchronize_session=False)
    )
    for variant_id, units in sorted(taken_by(line, quantity).items()):
        back = return_some(CAUSE, order_id, variant_id, units, by)
        note("order", order_id, "units_restocked", by, units=back)


def _stock_of(order_id: int) -> Sequence[Any]:
    return db.session.execute(
        select(OrderLine.id, OrderLine.variant_id, OrderLine.parts).where(OrderLine.order_id == order_id)
    ).all()


def complete_order(order_id: int, by: Actor) -> Order:
    """Close an order that is handed over and paid, whatever part of the money went back since. Raises NotFinished."""
    with transaction():
        order = locked(order_id)
        if order.state is OrderState.COMPLETED:
            return order
        _require_confirmed(order)
        if not _complete_if_done(order, by):
            raise NotFinished
    return order


def _complete_if_done(order: Order, by: Actor) -> bool:
    paid = order.payment_state in SETTLED or order.total_minor == 0
    delivered = order.fulfilment_state is FulfilmentState.DELIVERED
    if order.state is not OrderState.CONFIRMED or not (delivered and paid):
        return False
    move(order, OrderState.COMPLETED, by)
    record(OrderCompleted(order_id=order.id))
    return True


def _require_confirmed(order: Order) -> None:
    if order.state not in {OrderState.CONFIRMED, OrderState.COMPLETED}:
        raise NotConfirmed


# --- beside the axes ----------------------------------------------------------------------------------------------


def flag_order(order_id: int, why: Attention, by: Actor) -> None:
    """Ask a person of the shop to look at an order."""
    with transaction():
        _flag(locked(order_id), why, by)


def settle_attention(order_id: int, by: Actor) -> None:
    """Somebody has looked and dealt with it."""
    with transaction():
        order = locked(order_id)
        if order.attention is not None:
            note("order", order.id, "attended", by, why=str(order.attention))
            order.attention = None


def _flag(order: Order, why: Attention, by: Actor) -> None:
    if order.attention is not why:
        order.attention = why
        note("order", order.id, "needs_attention", by, why=str(why))


def attach_past_orders(customer_id: int, *, email: str | None, phone: str | None) -> int:
    """Give a customer who proved a contact the guest orders placed with exactly that contact. Returns how many."""
    proven = []
    if email:
        proven.append(func.lower(Order.contact_email) == email.lower())
    if phone:
        proven.append(Order.contact_phone == phone)
    if not proven:
        return 0
    same = proven[0] if len(proven) == 1 else proven[0] | proven[1]
    with transaction():
        found = db.session.execute(
            update(Order)
            .where(Order.customer_id.is_(None), same)
            .values(customer_id=customer_id)
            .returning(Order.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(found)
