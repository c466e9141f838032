"""The order that is placed for what comes back: its goods, what pays for them, and what is still to be paid.

It is an order of the shop like one of its counter. What was held for the return becomes its own under the counts'
locks, so that nobody gets between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _l

from storefront.inventory.actions import release_holds
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import confirm_order, hand_over
from storefront.orders.models import Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.queries import OrderView
from storefront.orders.states import PAID_IN_ADVANCE, Channel, FulfilmentMethod
from storefront.payments.actions import open_attempt, record_cash
from storefront.payments.exchanging import pay_with_returned
from storefront.payments.methods import AT_SHOP, EXCHANGE, Method, available_methods
from storefront.payments.models import Refund
from storefront.payments.refunding import SET_OFF
from storefront.returns.models import OrderReturn
from storefront.returns.steps import CAUSE

NOW, LATER = "now", "later"
"""How the difference is paid at the shop: in cash at once, or when the goods are picked up."""

TIME_TO_PAY = timedelta(hours=24)
"""How long the goods are kept for a difference that is paid from afar: minutes are for who has the page open."""


class NoGoods(Invalid):
    """An exchange for nothing."""

    message = _l("Primero elige qué se lleva a cambio.")


class PriceMoved(Conflict):
    """What is taken, or what came back for it, is worth something else than was shown."""

    message = _l(
        "Lo que se lleva o lo que devuelve ya no vale lo que viste aquí. Revisa la diferencia; no se hizo nada."
    )


class SayHow(Invalid):
    """Something is left to be paid, and nobody said how."""

    message = _l("Elige cómo se paga la diferencia.")


def ways_from_afar() -> list[Method]:
    """How a difference can be paid with a link."""
    offered = available_methods(current_shop(), FulfilmentMethod.PICKUP, has_bookings=False)
    return [method for method in offered if method.code in PAID_IN_ADVANCE]


def order_for(order: Order | OrderView, return_id: int, lines: Sequence[NewLine], pay: str = "") -> NewOrder:
    """The order for what comes back of another: at the counter of the shop, with nothing that comes off or on top."""
    return NewOrder(
        placement_key=f"return:{return_id}",
        lines=lines,
        payment_method=pay,
        fulfilment_method=FulfilmentMethod.PICKUP,
        contact_name=order.contact_name,
        contact_phone=order.contact_phone,
        contact_email=order.contact_email,
        customer_id=order.customer_id,
        locale=order.locale,
        channel=Channel.SHOP,
        keep_for=TIME_TO_PAY,
    )


def place_exchange(found: OrderReturn, new: NewOrder, by: Actor) -> Order:
    """Place it in the transaction that settles the return, with the counts of its goods locked. Raises OutOfStock."""
    release_holds(CAUSE, found.id)
    return place_order(new, by)


def method_for(difference_minor: int, pay: str) -> str:
    """The way of payment of the new order. Raises SayHow."""
    if difference_minor <= 0:
        return EXCHANGE
    if pay in {NOW, LATER}:
        return AT_SHOP
    if pay in {method.code for method in ways_from_afar()}:
        return pay
    raise SayHow


def pay_exchange(order: Order, refunds: Sequence[Refund], pay: str, by: Actor, *, taken_along: bool) -> None:
    """Let what was set off pay the new order, and what is left of it be paid as was said; then it counts."""
    pay_with_returned(order.id, [refund for refund in refunds if refund.reason == SET_OFF], by)
    if order.due_minor:
        open_attempt(order.id, order.payment_method)
    if order.due_minor and order.payment_method != AT_SHOP:
        return
    confirm_order(order.id, by)
    if order.due_minor and pay == NOW:
        record_cash(order.id, by)
    if taken_along and not order.due_minor:
        hand_over(order.id, by)
