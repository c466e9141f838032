"""Handing an order over in parts: some pieces now, the rest later. Each part is a row with its lines, and goes into
the customer's hands or into a parcel (`storefront.delivery`).

What has left is used up; what is still to be handed over stays held for the order. Pieces whose money went back while
part of the order is still in the shop are taken off what is still there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from storefront.catalogue.models import ProductKind
from storefront.inventory.actions import consume_some, hold_stock, return_some
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.orders.actions import CAUSE, NotConfirmed, set_fulfilment_state, taken_by
from storefront.orders.models import HandedLine, HandedPart, OrderLine
from storefront.orders.moves import NAMED, locked
from storefront.orders.states import COUNTS, ON_THE_SHELF, FulfilmentMethod, FulfilmentState


class NotInParts(Conflict):
    """What is delivered goes in parcels, and what has left is gone."""

    message = _l("Así se entrega solo lo que se recoge en la tienda, y solo mientras quede algo por entregar.")


class NothingHanded(Invalid):
    """A part of nothing."""

    message = _l("Elige cuántas piezas se lleva ahora.")


class FewerToHand(Conflict):
    """More than is left to be handed over of a line."""

    message = _l("De algo queda menos por entregar de lo que elegiste. Revisa lo que queda.")


@dataclass(frozen=True, slots=True)
class LineToHand:
    """A line of goods: of `quantity` units `handed` are out, `left` are still to be handed over.

    `parts` is what is in a bundle, as agreed.
    """

    id: int
    position: int
    variant_id: int
    name: str
    quantity: int
    handed: int
    left: int
    parts: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class PartView:
    """A part that was handed over, and what was in it."""

    number: int
    at: datetime
    by: str
    lines: tuple[tuple[str, int], ...]


def lines_to_hand(order_id: int) -> list[LineToHand]:
    """The lines of goods, with what is left of each."""
    rows = db.session.execute(
        select(
            OrderLine.id, OrderLine.position, OrderLine.variant_id, OrderLine.product_name, OrderLine.variant_name,
            OrderLine.quantity, OrderLine.refunded_quantity, OrderLine.handed_quantity, OrderLine.parts,
        )
        .where(OrderLine.order_id == order_id, OrderLine.kind == ProductKind.GOODS)
        .order_by(OrderLine.position)
    )  # fmt: skip
    return [
        LineToHand(
            row.id, row.position, row.variant_id, " · ".join(filter(None, (row.product_name, row.variant_name))),
            row.quantity, row.handed_quantity,
            max(0, row.quantity - row.refunded_quantity - row.handed_quantity), row.parts,
        )
        for row in rows
    ]  # fmt: skip


def parts_of(order_id: int) -> list[PartView]:
    """What was handed over so far, part by part; empty for an order that went at once."""
    rows = db.session.execute(
        select(
            HandedPart.number, HandedPart.at, HandedPart.actor_label, OrderLine.product_name, OrderLine.variant_name,
            HandedLine.quantity,
        )
        .join(HandedLine, (HandedLine.tenant_id == HandedPart.tenant_id) & (HandedLine.part_id == HandedPart.id))
        .join(OrderLine, (OrderLine.tenant_id == HandedLine.tenant_id) & (OrderLine.id == HandedLine.order_line_id))
        .where(HandedPart.order_id == order_id)
        .order_by(HandedPart.number, OrderLine.position)
    ).all()  # fmt: skip
    return [
        PartView(
            number, at, by,
            tuple((" · ".join(filter(None, (row.product_name, row.variant_name))), row.quantity) for row in mine),
        )
        for (number, at, by), mine in groupby(rows, key=lambda row: (row.number, row.at, row.actor_label))
    ]  # fmt: skip


def hand_over_part(order_id: int, units: Mapping[int, int], by: Actor) -> FulfilmentState:
    """So many units of some lines (by position) go into the customer's hands; the last of them makes it delivered.

    Returns where the goods are now. Raises NotConfirmed, NotInParts, NothingHanded, FewerToHand; then nothing changed.
    """
    with transaction():
        order = locked(order_id)
        if order.state not in COUNTS:
            raise NotConfirmed
        open_states = ON_THE_SHELF | {FulfilmentState.PARTLY}
        if order.fulfilment_method is not FulfilmentMethod.PICKUP or order.fulfilment_state not in open_states:
            raise NotInParts
        lines = {line.position: line for line in lines_to_hand(order_id)}
        wanted = {position: many for position, many in units.items() if many}
        if any(not 0 < many <= _left(lines.get(position)) for position, many in wanted.items()):
            raise FewerToHand
        if not wanted:
            raise NothingHanded
        part = _write(order_id, [(lines[position], many) for position, many in sorted(wanted.items())], by)
        note("order", order_id, "part_handed_over", by, part=part.number, units=sum(wanted.values()))
        all_out = sum(line.left for line in lines.values()) == sum(wanted.values())
        state = FulfilmentState.DELIVERED if all_out else FulfilmentState.PARTLY
        set_fulfilment_state(order_id, state, by)
    return state


def hand_over_rest(order_id: int, by: Actor) -> None:
    """Everything that is left goes out. Nothing when that was done before; raises what `hand_over_part` raises."""
    with transaction():
        order = locked(order_id)
        if order.fulfilment_state is not FulfilmentState.PARTLY:
            return
        rest = {line.position: line.left for line in lines_to_hand(order_id) if line.left}
        if rest:
            hand_over_part(order_id, rest, by)
        else:  # the money of all that was left has gone back
            set_fulfilment_state(order_id, FulfilmentState.DELIVERED, by)


def send_part(order_id: int, units: Mapping[int, int], by: Actor) -> int:
    """So many units of some lines (by id) left in a parcel of a locked order. Returns the id of the part."""
    lines = {line.id: line for line in lines_to_hand(order_id)}
    part = _write(order_id, [(lines[line_id], many) for line_id, many in sorted(units.items())], by)
    note("order", order_id, "part_sent", by, part=part.number, units=sum(units.values()))
    return part.id


def take_part_back(order_id: int, units: Mapping[int, int], by: Actor) -> None:
    """So many units of some lines (by id) came back and are with a locked order again, held as before."""
    lines = {line.id: line for line in lines_to_hand(order_id)}
    back: Counter[int] = Counter()
    for line_id, many in sorted(units.items()):
        _count_handed(order_id, line_id, -many)
        back.update(taken_by(lines[line_id], many))
    for variant_id in sorted(back):
        counted = return_some(CAUSE, order_id, variant_id, back[variant_id], by, gone_only=True)
        if counted:
            hold_stock({variant_id: counted}, cause=CAUSE, cause_id=order_id, until=None)
    note("order", order_id, "part_taken_back", by, units=sum(units.values()))


def _left(line: LineToHand | None) -> int:
    return line.left if line is not None else 0


def _count_handed(order_id: int, line_id: int, more: int) -> None:
    db.session.execute(
        update(OrderLine)
        .where(OrderLine.id == line_id, OrderLine.order_id == order_id)
        .values(handed_quantity=OrderLine.handed_quantity + more)
        .execution_options(synchronize_session=False)
    )


def _write(order_id: int, chosen: Iterable[tuple[LineToHand, int]], by: Actor) -> HandedPart:
    number = 1 + int(
        db.session.scalar(select(func.count()).select_from(HandedPart).where(HandedPart.order_id == order_id)) or 0
    )
    part = HandedPart(
        order_id=order_id, number=number, at=clock.now(), actor_kind=by.kind, actor_id=by.id,
        actor_label=by.label if by.kind in NAMED else "",
    )  # fmt: skip
    db.session.add(part)
    db.session.flush()
    gone: Counter[int] = Counter()
    for line, many in chosen:
        db.session.add(HandedLine(part_id=part.id, order_line_id=line.id, quantity=many))
        _count_handed(order_id, line.id, many)
        gone.update(taken_by(line, many))
    db.session.flush()
    for variant_id in sorted(gone):
        consume_some(CAUSE, order_id, variant_id, gone[variant_id], by)
    return part
