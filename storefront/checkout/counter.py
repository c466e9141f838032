"""Sales that the shop writes down itself: at the counter, or for somebody who telephones and comes later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _

from storefront.checkout.actions import CheckoutDetails, place
from storefront.kernel.audit import Actor
from storefront.kernel.db import transaction
from storefront.orders.actions import confirm_order, hand_over
from storefront.orders.queries import OrderView, order_by_token
from storefront.orders.states import Channel, FulfilmentMethod
from storefront.payments.actions import record_cash
from storefront.payments.methods import AT_SHOP, TRANSFER
from storefront.payments.transfers import record_transfer
from storefront.pricing.extras import NO_TIP, Tip


class Settled(StrEnum):
    """How it is paid: in cash or by transfer, and taken along at once; on the customer's phone, by a link; or
    later, when it is picked up."""

    CASH = "cash"
    TRANSFER = "transfer"
    LINK = "link"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Sale:
    """What the shop decided. `shown` is the stamp of the bill it saw; name and phone may be unknown at the counter.

    `packed`: the packaging is charged for, where the shop charges for it when goods are picked up.
    """

    settled: Settled
    shown: str
    name: str = ""
    phone: str = ""
    note: str = ""
    tip: Tip = NO_TIP
    packed: bool = False


def sell(cart_token: str | None, sale: Sale, key: str, by: Actor) -> OrderView:
    """Make the cart an order that counts; what is taken along is paid and handed over at once, or nothing is done.

    Asked again for the same cart: the same order. Raises what `place` raises; then nothing happened.
    """
    with transaction():
        placed = place(cart_token, _details(sale), key, by)
        order = order_by_token(placed.order_token)
        if not placed.repeated:
            _settle(order, sale.settled, by)
    return order_by_token(placed.order_token)


def _details(sale: Sale) -> CheckoutDetails:
    return CheckoutDetails(
        name=sale.name or _("Venta en la tienda"),
        phone=sale.phone,
        fulfilment_method=FulfilmentMethod.PICKUP,
        payment_method=TRANSFER if sale.settled is Settled.TRANSFER else AT_SHOP,
        shown=sale.shown,
        note=sale.note,
        channel=Channel.SHOP,
        tip=sale.tip,
        packed=sale.packed,
    )


def _settle(order: OrderView, settled: Settled, by: Actor) -> None:
    if order.total_minor and settled is Settled.TRANSFER:
        record_transfer(order.id, by)
    confirm_order(order.id, by)
    if settled in {Settled.LATER, Settled.LINK}:
        return
    if order.total_minor and settled is Settled.CASH:
        record_cash(order.id, by)
    hand_over(order.id, by)
