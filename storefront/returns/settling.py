"""What a customer has for what came back, and where the goods go, each exactly once.

Units that were refunded by hand since the return was asked for are not paid again, and those that were put on sale by
hand are not put there again: the counts of the order's lines say so, read under the order's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.events import ReturnSettled
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.money import Money
from storefront.kernel.outbox import record
from storefront.orders.actions import UnitsBack, restock_units, take_units_back
from storefront.orders.models import Order, OrderLine
from storefront.payments import queries as payments
from storefront.payments import refunding
from storefront.payments.models import Refund, RefundState
from storefront.payments.refunding import WantedLine
from storefront.returns.models import OrderReturn, ReturnState, Settlement
from storefront.returns.queries import lines_of
from storefront.returns.steps import ReturnMoved, locked_return, move


class MoreThanPaid(Conflict):
    """More than was really paid for these units, or somebody refunded part of them meanwhile."""

    message = _l("Eso es más de lo que queda por devolver de esas piezas. Revisa los importes de nuevo.")


@dataclass(frozen=True, slots=True)
class DueLine:
    """A line of what came: `units` are to be paid, with `suggested` at most, and `restock` go on sale again.

    `by_hand` units had been refunded by hand since the return was asked for.
    """

    line_id: int
    position: int
    name: str
    received: int
    units: int
    by_hand: int
    restock: int
    suggested: Money


@dataclass(frozen=True, slots=True)
class Decision:
    """What is given: amounts by the position of the line, or what was really paid for it; and of the delivery.

    `paid_now`: what a person has to send back was handed over at once.
    """

    amounts: Mapping[int, int]
    shipping_minor: int = 0
    paid_now: bool = False


def due_lines(return_id: int) -> list[DueLine]:
    """What is due for what came; decide with it only while the order is locked."""
    order_id = db.session.scalar(select(OrderReturn.order_id).where(OrderReturn.id == return_id))
    paid = {line.id: line for line in payments.paid_order(int(order_id or 0)).lines}
    counts = db.session.execute(
        select(OrderLine.id, OrderLine.refunded_quantity, OrderLine.restocked_quantity, Order.currency)
        .join(Order, (Order.tenant_id == OrderLine.tenant_id) & (Order.id == OrderLine.order_id))
        .where(OrderLine.order_id == order_id)
    )
    now = {row.id: row for row in counts}
    found = []
    for line in lines_of([return_id]).get(return_id, ()):
        row = now[line.line_id]
        by_hand = row.refunded_quantity - line.refunded_before
        units = min(max(0, line.received - by_hand), paid[line.line_id].units_left)
        on_sale_since = row.restocked_quantity - line.restocked_before
        room = row.refunded_quantity + units - row.restocked_quantity
        found.append(
            DueLine(
                line_id=line.line_id,
                position=line.position,
                name=line.name,
                received=line.received,
                units=units,
                by_hand=min(by_hand, line.received),
                restock=min(max(0, line.fine - on_sale_since), room),
                suggested=Money(paid[line.line_id].suggested(units), row.currency),
            )
        )
    return found


def settle(return_id: int, decision: Decision, by: Actor) -> OrderReturn:
    """Send the money back and put on sale what is fine: once, whoever else settles or refunds meanwhile.

    Raises ReturnMoved, MoreThanPaid, and what `refund_parts` raises; then nothing has changed.
    """
    with transaction():
        order, found = locked_return(return_id)
        if found.state is not ReturnState.RECEIVED:
            raise ReturnMoved
        lines = due_lines(return_id)
        amounts = _amounts(lines, decision.amounts)
        refunds = _give_back(order, lines, amounts, decision.shipping_minor, by)
        for line in lines:
            if line.restock:
                restock_units(order.id, line.line_id, line.restock, by)
        found.value_minor = sum(refund.amount_minor for refund in refunds)
        found.settlement = Settlement.REFUND if refunds else Settlement.NOTHING
        move(found, ReturnState.SETTLED, by)
        if decision.paid_now:
            for refund in refunds:
                if refund.state is RefundState.EXTERNAL:
                    refunding.mark_sent_back(refund.code, by)
        record(ReturnSettled(order_id=order.id, return_id=found.id))
    return found


def _amounts(lines: Sequence[DueLine], typed: Mapping[int, int]) -> dict[int, int]:
    amounts = {line.position: typed.get(line.position, line.suggested.minor) for line in lines}
    if any(not 0 <= amounts[line.position] <= line.suggested.minor for line in lines) or set(typed) - set(amounts):
        raise MoreThanPaid
    return amounts


def _give_back(
    order: Order, lines: Sequence[DueLine], amounts: Mapping[int, int], shipping_minor: int, by: Actor
) -> list[Refund]:
    """Take the units off the sale with their money; those that are worth nothing without it."""
    units = [line for line in lines if line.units]
    if not sum(amounts.values()) and not shipping_minor:
        take_units_back(order.id, [UnitsBack(line.line_id, line.units, 0, restock=False) for line in units], by)
        return []
    wanted = [WantedLine(line.position, line.units, amounts[line.position]) for line in units]
    return refunding.refund_parts(order.id, refunding.Wish(wanted, shipping_minor, reason="returned"), by)
