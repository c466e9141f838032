"""What of an order is not delivered after all: one of its parcels is given up while the others go on.

Of a paid order the money of what was in it goes back, as in any refund. Of one that is not paid it comes off the bill,
as in a change that only takes off: nobody has to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from storefront.changes.answering import end, write_step
from storefront.changes.models import Agreement, ChangeState, OrderChange
from storefront.changes.proposing import AskFirst, NothingLeft, change_rows
from storefront.delivery import actions as parcels
from storefront.delivery.following import follow_all
from storefront.delivery.handing import IN_THE_SHOP, PROMISED
from storefront.delivery.splitting import Held, NotHere, take_in, with_parcel
from storefront.delivery.states import ShipmentState
from storefront.events import OrderChanged
from storefront.inventory.movements import Cause
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db
from storefront.kernel.errors import Conflict
from storefront.kernel.outbox import record
from storefront.orders import changing
from storefront.orders.models import Order
from storefront.orders.parting import lines_to_hand
from storefront.orders.states import COUNTS, SETTLED
from storefront.payments import changing as money
from storefront.payments.refunding import WantedLine, Wish, refund_parts
from storefront.promotions.queries import agreed
from storefront.receipts.actions import open_receipt, take_back


class AllThereIs(Conflict):
    """Nothing else of the order goes on."""

    message = _l("Es lo único que queda de este pedido. Si ya no va, cancela el pedido completo.")


class CameBackUnpaid(Conflict):
    """What has left and came back stays in the order's history, so its line cannot vanish."""

    message = _l("Esto ya había salido sin pagarse y no se puede quitar del pedido. Vuelve a enviarlo.")


def give_up(code: str, by: Actor, *, restock: bool) -> None:
    """A parcel in the shop, or one that came back, is not delivered; with `restock` its goods can be sold again.

    Twice changes nothing. Raises NotHere, AllThereIs, NotBack, CameBackUnpaid, and as `refund_parts` and changes.
    """
    with with_parcel(code) as held:
        parcel = held.parcel
        if parcel.state is ShipmentState.CANCELLED:
            return
        is_back = parcel.state is ShipmentState.RETURNED and not parcel.taken_back
        if (parcel.state not in IN_THE_SHOP | PROMISED and not is_back) or held.order.state not in COUNTS:
            raise NotHere
        if not held.others:
            raise AllThereIs
        is_paid = held.order.payment_state in SETTLED
        if is_back and not is_paid:
            raise CameBackUnpaid
        units = take_in(held, by) if is_back else held.inside
        if not is_back:
            parcels.call_off(parcel, "given_up")
        _settle(held, units, by, is_paid=is_paid, restock=restock)
        follow_all(held.order, held.parcels, by)
        parcels.count_again(held.order, held.parcels)
        note("shipment", code, "given_up", by, units=sum(units.values()), restock=restock)


def _settle(held: Held, units: Mapping[int, int], by: Actor, *, is_paid: bool, restock: bool) -> None:
    order = held.order
    off = {line.position: units[line.id] for line in lines_to_hand(order.id) if units.get(line.id)}
    if is_paid and off:
        wanted = [WantedLine(position, many, restock=restock) for position, many in off.items()]
        refund_parts(order.id, Wish(wanted, reason="missing"), by)
    elif off:
        _take_off(order, off, by)


def _take_off(order: Order, off: Mapping[int, int], by: Actor) -> None:
    """Off the bill and the holds, with a change as its record. Raises NothingLeft, AskFirst, PromotionGone."""
    known = changing.lines_of(order.id)
    fewer = {line.position or 0: line.before - off.get(line.position or 0, 0) for line in known}
    lines = changing.with_quantities(known, fewer)
    sums = changing.bill_of(order, lines, agreed(order.id))
    if not sums.total_minor:
        raise NothingLeft
    if sums.total_minor > order.total_minor:
        raise AskFirst
    at = clock.now()
    change = OrderChange(
        order_id=order.id, state=ChangeState.PROPOSED, reason="no_stock", words="", currency=order.currency,
        before_total_minor=order.total_minor, total_minor=sums.total_minor, created_at=at, expires_at=at,
    )  # fmt: skip
    db.session.add(change)
    db.session.flush()
    db.session.add_all(change_rows(change.id, [line for line in lines if line.delta]))
    write_step(change, ChangeState.PROPOSED, by)
    was = money.before_change(order)
    changing.rewrite(order, lines, sums)
    money.follow_shorter(order, change.id, was, by)
    changing.move_goods(order, lines, Cause("order_change", change.id), sums.discounts, by)
    receipt = open_receipt(order.id)
    if receipt is not None:
        take_back(receipt.code, "", by)
    end(change, ChangeState.APPLIED, by, Agreement.NOT_ASKED)
    record(OrderChanged(order_id=order.id, change_id=change.id))
