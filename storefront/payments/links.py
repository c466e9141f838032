"""Paying by a link: what is due of an order, in whichever of the shop's ways its reader chooses.

An order that waits for money, or for the rest of it, takes the chosen way for its own. Any other that counts, or that
waits for the shop's word, stays as it was agreed until money comes: whoever opened a payment page may still pay when
they come.
"""

from __future__ import annotations

import contextlib

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import confirm_order, keep_longer, set_payment_state
from storefront.orders.models import Order, OrderLine
from storefront.orders.moves import locked
from storefront.orders.queries import OrderView
from storefront.orders.states import (
    OTHER_WAY,
    SETTLED,
    WAITING,
    WINDOWS,
    Channel,
    FulfilmentMethod,
    OrderState,
    PaymentState,
    owes_rest,
)
from storefront.payments.actions import (
    UNDECIDED,
    NothingToPay,
    ask_provider,
    attempt_to_pay,
    close_page,
    is_late,
    move_attempt,
    record_cash,
    start_card,
)
from storefront.payments.capabilities import THROUGH_A_PROVIDER
from storefront.payments.methods import AT_SHOP, CASH, ON_DELIVERY, TRANSFER, Method, available_methods
from storefront.payments.models import AttemptState, PaymentAttempt
from storefront.payments.provider import GatewayRefused, GatewayUnavailable
from storefront.payments.receiving import at_rest

OPEN = WAITING | {OrderState.CONFIRMED}
"""States of orders that may be paid by a link."""


class WayClosed(Invalid):
    """That way is not one of the shop's for this order."""

    message = _l("Esa forma de pago no se puede usar aquí. Elige otra.")


class BeingReviewed(Conflict):
    """A proof of the transfer waits for the shop."""

    message = _l("Ya hay un comprobante de este pago por revisar. La tienda lo mira y confirma.")


class OtherAmount(Conflict):
    """Not so much is due as was asked for."""

    message = _l("Lo que se debe cambió mientras tanto; no se anotó nada. Revísalo y vuelve a intentarlo.")


def ways_to_pay(method: FulfilmentMethod, *, has_bookings: bool, due_minor: int, agreed: str = "") -> list[Method]:
    """The ways of the shop in which so much can be paid from afar: through a provider, or by transfer.

    What a courier was to collect is not left to a transfer that nobody has seen.
    """
    offered = available_methods(current_shop(), method, has_bookings, due_minor)
    return [way for way in offered if way.code not in CASH and not (way.code == TRANSFER and agreed == ON_DELIVERY)]


def ways_for(order: OrderView) -> list[Method]:
    """The ways in which what is due now of an order can be paid from afar; none while there is nothing to choose."""
    is_open = order.is_to_be_paid and order.state in OPEN and bool(order.due_now)
    if not is_open or order.payment_state is PaymentState.PROOF_REVIEW:
        return []
    return ways_to_pay(
        order.fulfilment_method,
        has_bookings=order.has_bookings,
        due_minor=order.due_now.minor,
        agreed=order.payment_method,
    )


def pay_by(order_id: int, method: str, by: Actor) -> str | None:
    """Pay what is due in this way. Returns the provider's page; None for a transfer, which the order's page explains.

    A page that is open for another way or amount is closed first. Raises WayClosed, NothingToPay, BeingReviewed, and
    what the provider says no with; nothing was paid then.
    """
    with transaction():
        order = _asked(order_id, method)
        old = [attempt.id for attempt in _open_at_providers(order.id) if not _is_good(attempt, order, method)]
        had_failed = order.payment_state is PaymentState.FAILED
    for attempt_id in old:
        _close(attempt_id)
    with transaction():
        order = _asked(order_id, method)
        if order.payment_state is PaymentState.FAILED and not had_failed:
            set_payment_state(order.id, at_rest(order), by, OTHER_WAY)
        attempt_id = _opened(order, method, by)
    return start_card(attempt_id) if method in THROUGH_A_PROVIDER else None


def take_cash(order_id: int, asked_minor: int, by: Actor) -> None:
    """Whoever was asked by a link for so much gave it at the counter: it is noted and the order counts, in one
    transaction.

    Saying it twice changes nothing. Raises NothingToPay, BeingReviewed, or OtherAmount when that is not due any more.
    """
    with transaction():
        order = locked(order_id)
        if order.payment_state in SETTLED and order.payment_method in CASH:
            return
        _require_due(order)
        if order.due_now_minor != asked_minor:
            raise OtherAmount
        open_pages = [attempt.id for attempt in _open_at_providers(order.id)]
        confirm_order(order_id, by)
        if order.payment_method not in CASH:
            note("order", order_id, "way_changed", by, was=order.payment_method, now=AT_SHOP)
            order.payment_method = AT_SHOP
        record_cash(order_id, by, asked_minor)
    for attempt_id in open_pages:  # what is paid there all the same goes back by itself
        with contextlib.suppress(GatewayUnavailable, GatewayRefused):
            close_page(attempt_id)


def _asked(order_id: int, method: str) -> Order:
    order = locked(order_id)
    _require_due(order)
    booked = select(OrderLine.id).where(OrderLine.order_id == order_id, OrderLine.booking_id.is_not(None)).limit(1)
    ways = ways_to_pay(
        order.fulfilment_method,
        has_bookings=db.session.scalar(booked) is not None,
        due_minor=order.due_now_minor,
        agreed=order.payment_method,
    )
    if method not in {way.code for way in ways}:
        raise WayClosed
    return order


def _require_due(order: Order) -> None:
    if order.payment_state is PaymentState.PROOF_REVIEW:
        raise BeingReviewed
    if order.payment_state in SETTLED or order.state not in OPEN or not order.due_now_minor:
        raise NothingToPay


def _open_at_providers(order_id: int) -> list[PaymentAttempt]:
    found = db.session.scalars(
        select(PaymentAttempt)
        .where(
            PaymentAttempt.order_id == order_id,
            PaymentAttempt.provider.is_not(None),
            PaymentAttempt.state.in_(UNDECIDED),
        )
        .order_by(PaymentAttempt.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def _is_good(attempt: PaymentAttempt, order: Order, method: str) -> bool:
    is_alone = attempt.joint_id is None
    return is_alone and (attempt.method, attempt.amount_minor) == (method, order.due_now_minor) and not is_late(attempt)


def _close(attempt_id: int) -> None:
    """Close a page, one whose address we never learnt included."""
    ask_provider(attempt_id)
    close_page(attempt_id)


def _opened(order: Order, method: str, by: Actor) -> int:
    """The open try to pay this way, or a new one; any other ends. In a transaction that holds the order."""
    good = None
    for attempt in _open_at_providers(order.id):
        if good is None and _is_good(attempt, order, method):
            good = attempt
        else:
            move_attempt(attempt, AttemptState.CANCELLED)
    takes_it_on = method == TRANSFER or order.state is OrderState.AWAITING_PAYMENT or owes_rest(order)
    if order.payment_method != method and takes_it_on:
        note("order", order.id, "way_changed", by, was=order.payment_method, now=method)
        order.payment_method = method
        if order.state is OrderState.AWAITING_PAYMENT and order.channel is not Channel.LINK:
            keep_longer(order.id, clock.now() + WINDOWS[method])
    if method == TRANSFER and order.payment_state in {PaymentState.PENDING, PaymentState.FAILED}:
        set_payment_state(order.id, at_rest(order), by)
    return (good or attempt_to_pay(order, method)).id
