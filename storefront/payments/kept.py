"""What the shop keeps of the deposit of an order that is cancelled: as it was agreed at most, and a sale of its own.

It is decided with the cancelling, under the order's lock, and may be given back later. The books take the order's sale
back and have what is kept instead, with the tax that is inside it.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.queries import OrderView
from storefront.orders.states import COUNTS, FulfilmentState, OrderState
from storefront.payments import ledger, queries, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import Refund


class MayNotKeep(Conflict):
    """More than was agreed, or than there is."""

    message = _l("No te puedes quedar con tanto: fíjate en lo que se acordó del anticipo. Siempre puedes devolver más.")


def most_to_keep(order: Order | OrderView) -> int:
    """What of an order's deposit the shop may keep if it is cancelled now, in minor units.

    Nothing while the deposit goes back to whoever cancels, and never more than there is.
    """
    if not order.deposit_minor or order.state not in COUNTS or _goes_back(order):
        return 0
    return max(0, min(order.deposit_minor, order.received_minor, queries.left_to_refund(order.id)))


def _goes_back(order: Order | OrderView) -> bool:
    if not order.deposit_refundable:
        return False
    if order.deposit_back_until is not None:
        return clock.now() < order.deposit_back_until
    return order.fulfilment_state in {FulfilmentState.NONE, FulfilmentState.PREPARING}


def keep(order: Order, amount_minor: int, by: Actor) -> None:
    """Keep so much when the order is cancelled, in the transaction that does it. Raises MayNotKeep."""
    if not 0 <= amount_minor <= most_to_keep(order):
        raise MayNotKeep
    if amount_minor:
        sold_minor = order.total_minor - order.tip_minor
        order.kept_minor = amount_minor
        order.kept_tax_minor = order.tax_minor * amount_minor // sold_minor if sold_minor else 0
        db.session.flush()
        note("order", order.id, "deposit_kept", by, amount_minor=amount_minor)


def book(order: Order) -> None:
    """Write what is kept into the books, once, in the caller's transaction."""
    source, net = ("order", order.id), order.kept_minor - order.kept_tax_minor
    ledger.post(Account.RECEIVABLE, Account.SALES, net, kind="kept_sale", source=source, order_id=order.id)
    ledger.post(
        Account.RECEIVABLE, Account.TAX, order.kept_tax_minor, kind="kept_tax", source=source, order_id=order.id
    )


def give_back(order_id: int, by: Actor) -> list[Refund]:
    """The shop gives back what it had kept. Nothing to give back, or given before: nothing happens."""
    with transaction():
        order = locked(order_id)
        if order.state is not OrderState.CANCELLED or not order.kept_minor:
            return []
        book(order)
        source, net = ("order", order.id), order.kept_minor - order.kept_tax_minor
        post = ledger.post
        post(Account.SALES, Account.RECEIVABLE, net, kind="kept_sale_back", source=source, order_id=order.id)
        post(
            Account.TAX,
            Account.RECEIVABLE,
            order.kept_tax_minor,
            kind="kept_tax_back",
            source=source,
            order_id=order.id,
        )
        note("order", order.id, "deposit_given_back", by, amount_minor=order.kept_minor)
        order.kept_minor = order.kept_tax_minor = 0
        db.session.flush()
        return refunding.refund_order(order_id, "goodwill", by)
