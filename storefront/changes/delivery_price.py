"""What a delivery costs, said by the shop once it has seen the order: its customer agrees, and only then pays.

The price is a change of the order that waits for its customer, like any other; no goods change with it. The order waits
for it without anything to pay, and lapses by the clock.
"""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l

from storefront.changes.answering import agree, require_changeable, write_step
from storefront.changes.models import Agreement, ChangeState, OrderChange
from storefront.changes.proposing import PATIENCE, end_what_lapsed
from storefront.changes.queries import DELIVERY_PRICE
from storefront.events import ChangeProposed
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.outbox import record
from storefront.orders import changing
from storefront.orders.moves import locked
from storefront.promotions.queries import agreed

DEAREST_MINOR = 10**12


class PriceAgreed(Conflict):
    """Nothing about the delivery's price is open."""

    message = _l("El precio del envío de este pedido ya está acordado.")


class BadPrice(Invalid):
    """No price of a delivery."""

    message = _l("Escribe cuánto cuesta el envío; cero si va gratis.")


def name_price(order_id: int, price_minor: int, words: str, by: Actor) -> OrderChange:
    """Say what the delivery of an order costs, and ask its customer; what is free needs no question.

    Raises PriceAgreed, BadPrice, AlreadyWaiting, NotChangeable; then nothing has changed.
    """
    if not 0 <= price_minor <= DEAREST_MINOR:
        raise BadPrice
    with transaction():
        order = locked(order_id)
        if not order.awaits_delivery_price:
            raise PriceAgreed
        require_changeable(order)
        end_what_lapsed(order.id)
        sums = changing.bill_of(order, changing.lines_of(order.id), agreed(order.id), price_minor)
        at = clock.now()
        change = OrderChange(
            order_id=order.id,
            state=ChangeState.PROPOSED,
            reason=DELIVERY_PRICE,
            words=words,
            currency=order.currency,
            before_total_minor=order.total_minor,
            total_minor=sums.total_minor,
            shipping_minor=price_minor,
            created_at=at,
            expires_at=min(at + PATIENCE, order.expires_at or datetime.max.replace(tzinfo=at.tzinfo)),
        )
        db.session.add(change)
        db.session.flush()
        write_step(change, ChangeState.PROPOSED, by)
        note("order", order.id, "delivery_priced", by, change=change.code, price_minor=price_minor)
        if price_minor:
            record(ChangeProposed(order_id=order.id, change_id=change.id))
        else:
            agree(change.id, by, Agreement.NOT_ASKED)
    return change
