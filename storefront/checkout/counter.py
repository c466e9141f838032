"""Sales that the shop writes down itself: at the counter, or for somebody who telephones and comes or is brought it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from flask_babel import gettext as _

from storefront.checkout.actions import CheckoutDetails, MethodUnavailable, place
from storefront.customers.address import PostalAddress
from storefront.kernel.audit import Actor
from storefront.kernel.db import transaction
from storefront.orders.actions import DeliveryUnpriced, confirm_order, hand_over
from storefront.orders.queries import OrderView, order_by_token
from storefront.orders.states import Channel, FulfilmentMethod
from storefront.payments.actions import record_cash
from storefront.payments.links import ways_to_pay
from storefront.payments.methods import AT_SHOP, ON_DELIVERY, TRANSFER
from storefront.payments.transfers import record_transfer
from storefront.pricing.extras import NO_TIP, Tip

LINK_KEEPS = timedelta(hours=24)
"""How long goods wait for whoever pays by a link."""


class Settled(StrEnum):
    """How it is paid: in cash or by a transfer that arrived; by a link; when it is picked up; or when it is brought.

    What is paid at once and not brought to anybody is taken along.
    """

    CASH = "cash"
    TRANSFER = "transfer"
    LINK = "link"
    LATER = "later"
    ON_DELIVERY = "on_delivery"


_METHODS = {
    Settled.CASH: AT_SHOP,
    Settled.TRANSFER: TRANSFER,
    Settled.LATER: AT_SHOP,
    Settled.ON_DELIVERY: ON_DELIVERY,
}


@dataclass(frozen=True, slots=True)
class Sale:
    """What the shop decided. `shown` is the stamp of the bill it saw; name and phone may be unknown at the counter.

    With an `address` it is brought there. `packed`: the packaging is charged for, where the shop charges for it.
    `gift_card` is the secret of a card that pays as much as it can.
    """

    settled: Settled
    shown: str
    name: str = ""
    phone: str = ""
    note: str = ""
    tip: Tip = NO_TIP
    packed: bool = False
    email: str | None = None
    address: PostalAddress | None = None
    gift_card: str = ""


def sell(cart_token: str | None, sale: Sale, key: str, by: Actor) -> OrderView:
    """Make the cart an order; what is settled already is written down in the same transaction, or nothing is done.

    Asked again for the same cart: the same order. Raises what `place` raises; then nothing happened.
    """
    with transaction():
        placed = place(cart_token, _details(sale), key, by)
        order = order_by_token(placed.order_token)
        if not placed.repeated:
            _settle(order, sale.settled, by)
    return order_by_token(placed.order_token)


def _details(sale: Sale) -> CheckoutDetails:
    by_link = sale.settled is Settled.LINK
    method = FulfilmentMethod.DELIVERY if sale.address else FulfilmentMethod.PICKUP
    return CheckoutDetails(
        name=sale.name or _("Venta en la tienda"),
        phone=sale.phone,
        email=sale.email,
        fulfilment_method=method,
        address=sale.address,
        payment_method=_first_way(method) if by_link else _METHODS[sale.settled],
        shown=sale.shown,
        note=sale.note,
        channel=Channel.SHOP,
        tip=sale.tip,
        packed=sale.packed,
        gift_card=sale.gift_card,
        keep_for=LINK_KEEPS if by_link else None,
    )


def _first_way(method: FulfilmentMethod) -> str:
    """The way an order has until whoever opens its link chooses one."""
    ways = ways_to_pay(method, has_bookings=False, due_minor=0)
    if not ways:
        raise MethodUnavailable
    return ways[0].code


def _settle(order: OrderView, settled: Settled, by: Actor) -> None:
    if order.awaits_delivery_price:  # nothing is settled before its customer knows all of the price
        if settled in {Settled.CASH, Settled.TRANSFER}:
            raise DeliveryUnpriced
        return
    if settled is Settled.LINK and order.due:
        return
    if order.due and settled is Settled.TRANSFER:
        record_transfer(order.id, by)
    confirm_order(order.id, by)
    if settled not in {Settled.CASH, Settled.TRANSFER}:
        return
    if order.due and settled is Settled.CASH:
        record_cash(order.id, by)
    if order.fulfilment_method is FulfilmentMethod.PICKUP and not order.has_bookings:
        hand_over(order.id, by)
