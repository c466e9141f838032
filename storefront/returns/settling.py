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
from storefront.giftcards.models import GiftCard
from storefront.inventory.movements import lock_counts
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.money import Money
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import UnitsBack, demand_of, restock_units, take_units_back, taken_by
from storefront.orders.models import Order, OrderLine
from storefront.orders.placing import NewLine, priced
from storefront.orders.queries import OrderView
from storefront.payments import queries as payments
from storefront.payments import refunding
from storefront.payments.gift_cards import Issued, issue_for_returned
from storefront.payments.models import Refund, RefundState
from storefront.payments.refunding import SET_OFF, STORE_CREDIT, WantedLine
from storefront.returns import exchanging, instead
from storefront.returns.models import OrderReturn, ReturnState, Settlement
from storefront.returns.queries import lines_of
from storefront.returns.steps import ReturnMoved, locked_return, move


class MoreThanPaid(Conflict):
    """More than was really paid for these units, or somebody refunded part of them meanwhile."""

    message = _l("Eso es más de lo que queda por devolver de esas piezas. Revisa los importes de nuevo.")


@dataclass(frozen=True, slots=True)
class DueLine:
    """A line of what came: `units` are to be paid, with `suggested` at most, and `restock` go on sale again.

    `by_hand` units had been refunded by hand since the return was asked for. `listed_minor` is what one of them cost
    before any discount.
    """

    line_id: int
    position: int
    name: str
    received: int
    units: int
    by_hand: int
    restock: int
    suggested: Money
    product_id: int
    listed_minor: int
    tax_inside: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What is given: amounts by the position of the line, or what was really paid for it; and of the delivery.

    `how` is money, a gift card, or an exchange; what an exchange leaves over is money too, or, `rest_on_card`, on a
    gift card. `shown` is what its goods cost and what came back was worth when that was decided, `pay` how a difference
    is paid. `paid_now`: what a person has to send back was handed over at once; `taken_along`: the goods, too.
    """

    amounts: Mapping[int, int]
    shipping_minor: int = 0
    paid_now: bool = False
    how: Settlement = Settlement.REFUND
    rest_on_card: bool = False
    shown: tuple[int, int] = (0, 0)
    pay: str = ""
    taken_along: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A return that came to its end; the card with its secret, which nobody can read again, where one was issued."""

    code: str
    card: Issued | None = None


def due_lines(return_id: int) -> list[DueLine]:
    """What is due for what came; decide with it only while the order is locked."""
    order_id = db.session.scalar(select(OrderReturn.order_id).where(OrderReturn.id == return_id))
    paid = {line.id: line for line in payments.paid_order(int(order_id or 0)).lines}
    counts = db.session.execute(
        select(
            OrderLine.id, OrderLine.refunded_quantity, OrderLine.restocked_quantity, OrderLine.product_id,
            OrderLine.unit_minor, OrderLine.tax_inside, Order.currency,
        )
        .join(Order, (Order.tenant_id == OrderLine.tenant_id) & (Order.id == OrderLine.order_id))
        .where(OrderLine.order_id == order_id)
    )  # fmt: skip
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
                product_id=row.product_id,
                listed_minor=row.unit_minor,
                tax_inside=row.tax_inside,
            )
        )
    return found


def goods_for(return_id: int, due: Sequence[DueLine]) -> list[NewLine]:
    """What is wanted for what came, at its price now. Raises NotForSale."""
    returned = [
        instead.Returned(line.product_id, line.listed_minor, line.units, line.suggested.minor)
        for line in due
        if line.tax_inside and current_shop().prices_include_tax
    ]
    return instead.new_lines(return_id, returned)


def cost_of(order: Order | OrderView, return_id: int, goods: Sequence[NewLine]) -> int:
    """What these goods cost, in minor units, by the function that prices every order."""
    return priced(exchanging.order_for(order, return_id, goods)).total_minor if goods else 0


def worth_of(due: Sequence[DueLine]) -> int:
    """What was really paid for what came and is not given back yet, in minor units."""
    return sum(line.suggested.minor for line in due)


def settle(return_id: int, decision: Decision, by: Actor) -> Settled:
    """Give what is due, as money, on a card or for other goods, and put on sale what is fine: once, whoever else
    settles or refunds meanwhile.

    Raises ReturnMoved, MoreThanPaid, NoGoods, NotForSale, PriceMoved, SayHow, OutOfStock, and what `refund_parts`
    raises; then nothing has changed.
    """
    with transaction():
        order, found = locked_return(return_id)
        if found.state is not ReturnState.RECEIVED:
            raise ReturnMoved
        due = due_lines(return_id)
        amounts = _amounts(due, decision.amounts)
        value = sum(amounts.values()) + decision.shipping_minor
        goods = _goods(return_id, due, decision)
        cost = cost_of(order, return_id, goods)
        if goods and (cost, worth_of(due)) != decision.shown:
            raise exchanging.PriceMoved
        pays = min(value, cost)
        _lock_goods(order.id, due, goods)
        refunds = _give_back(order, due, amounts, decision, pays, by)
        for line in due:
            if line.restock:
                restock_units(order.id, line.line_id, line.restock, by)
        if goods:
            method = exchanging.method_for(cost - value, decision.pay)
            new = exchanging.place_exchange(found, exchanging.order_for(order, found.id, goods, method), by)
            found.exchange_order_id = new.id
            exchanging.pay_exchange(new, refunds, decision.pay, by, taken_along=decision.taken_along)
        card = _issue(order, refunds, by)
        found.gift_card_id = _id_of(card)
        found.value_minor = value
        found.settlement = decision.how if goods or refunds else Settlement.NOTHING
        move(found, ReturnState.SETTLED, by)
        if decision.paid_now:
            _paid_now(refunds, by)
        record(ReturnSettled(order_id=order.id, return_id=found.id))
        return Settled(found.code, card)


def _amounts(due: Sequence[DueLine], typed: Mapping[int, int]) -> dict[int, int]:
    amounts = {line.position: typed.get(line.position, line.suggested.minor) for line in due}
    if any(not 0 <= amounts[line.position] <= line.suggested.minor for line in due) or set(typed) - set(amounts):
        raise MoreThanPaid
    return amounts


def _goods(return_id: int, due: Sequence[DueLine], decision: Decision) -> list[NewLine]:
    if decision.how is not Settlement.EXCHANGE:
        return []
    goods = goods_for(return_id, due)
    if not goods:
        raise exchanging.NoGoods
    return goods


def _lock_goods(order_id: int, due: Sequence[DueLine], goods: Sequence[NewLine]) -> None:
    """Lock the counts of all that comes and goes, in order: gift cards, which refunds may touch, come after them."""
    lines = db.session.execute(
        select(OrderLine.variant_id, OrderLine.parts).where(
            OrderLine.order_id == order_id, OrderLine.id.in_([line.line_id for line in due if line.restock])
        )
    )
    comes = {variant_id for line in lines for variant_id in taken_by(line, 1)}
    for variant_id in sorted(comes | set(demand_of(goods))):
        lock_counts(variant_id)


def _give_back(
    order: Order, due: Sequence[DueLine], amounts: Mapping[int, int], decision: Decision, pays_minor: int, by: Actor
) -> list[Refund]:
    """Take the units off the sale with their money; those that are worth nothing without it."""
    units = [line for line in due if line.units]
    if not sum(amounts.values()) and not decision.shipping_minor:
        take_units_back(order.id, [UnitsBack(line.line_id, line.units, 0, restock=False) for line in units], by)
        return []
    on_card = decision.how is Settlement.GIFT_CARD or (decision.how is Settlement.EXCHANGE and decision.rest_on_card)
    wish = refunding.Wish(
        [WantedLine(line.position, line.units, amounts[line.position]) for line in units],
        decision.shipping_minor,
        reason=STORE_CREDIT if on_card else "returned",
        set_off_minor=pays_minor,
    )
    return refunding.refund_parts(order.id, wish, by)


def _issue(order: Order, refunds: Sequence[Refund], by: Actor) -> Issued | None:
    value = sum(refund.amount_minor for refund in refunds if refund.reason == STORE_CREDIT)
    return issue_for_returned(order, value, by) if value else None


def _id_of(card: Issued | None) -> int | None:
    return db.session.scalar(select(GiftCard.id).where(GiftCard.code == card.code)) if card else None


def _paid_now(refunds: Sequence[Refund], by: Actor) -> None:
    for refund in refunds:
        if refund.state is RefundState.EXTERNAL and refund.reason != SET_OFF:
            refunding.mark_sent_back(refund.code, by)
