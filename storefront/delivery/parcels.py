"""What is in each parcel of an order, and what each of them collects.

Parcels that were split off carry their own lines, the one without lines all that is in no other. What was refunded
comes off what is still to leave, and never off what has left. Each parcel collects what its own goods cost, the first
one the delivery and the other fees, too; together never more than is due.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from storefront.delivery.models import Shipment, ShipmentLine
from storefront.delivery.states import BEFORE_PICK_UP, TERMINAL, ShipmentState
from storefront.kernel.db import db
from storefront.orders.models import HandedLine, Order, OrderLine
from storefront.orders.parting import lines_to_hand
from storefront.orders.states import SETTLED, owes_rest

CASH_ON_DELIVERY = "cash_on_delivery"

Units = Mapping[int, int]
"""So many units of each line, by the line's id."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a parcel is to carry; None: whatever is in no other."""

    shipment_id: int
    units: Units | None


@dataclass(frozen=True, slots=True)
class Stake:
    """What a parcel's goods and fees cost, whether it is still to collect, and what of the due it keeps if not."""

    value_minor: int
    is_open: bool
    kept_minor: int = 0


def shared(left: Units, claims: Sequence[Claim]) -> dict[int, dict[int, int]]:
    """Units by line for each parcel: first come those that ask for some, last the one that takes what is left."""
    free, found = dict(left), {}
    for claim in sorted(claims, key=lambda one: one.units is None):
        wanted = free if claim.units is None else claim.units
        mine = {line: min(many, free.get(line, 0)) for line, many in wanted.items()}
        found[claim.shipment_id] = {line: many for line, many in mine.items() if many > 0}
        for line, many in found[claim.shipment_id].items():
            free[line] -= many
    return found


def shares(due_minor: int, stakes: Sequence[Stake]) -> list[int]:
    """What each parcel collects of what is due: never more than its own, never more than is due together."""
    left = due_minor - sum(stake.kept_minor for stake in stakes)
    found = []
    for stake in stakes:
        minor = max(0, min(stake.value_minor, left)) if stake.is_open else 0
        left -= minor
        found.append(minor)
    return found


def is_live(parcel: Shipment) -> bool:
    """Whether a parcel carries something of its order: neither called off nor with the order again."""
    return parcel.state is not ShipmentState.CANCELLED and not parcel.taken_back


def are_several(parcels: Sequence[Shipment]) -> bool:
    """Whether an order goes in parts; one parcel with everything leaves as a whole."""
    return len([one for one in parcels if is_live(one)]) > 1 or any(one.part_id is not None for one in parcels)


def contents_of(parcels: Sequence[Shipment]) -> dict[int, dict[int, int]]:
    """Units by line (id) in each live parcel of one order, by the parcel's id."""
    live = [one for one in parcels if is_live(one)]
    if not live:
        return {}
    gone = _handed(one.part_id for one in live if one.part_id is not None)
    here = sorted((one for one in live if one.part_id is None), key=lambda one: one.state in BEFORE_PICK_UP)
    asked = lines_in(one.id for one in here)
    left = {line.id: line.left for line in lines_to_hand(live[0].order_id)}
    found = shared(left, [Claim(one.id, asked.get(one.id)) for one in here])
    return found | {one.id: gone.get(one.part_id, {}) for one in live if one.part_id is not None}


def lines_in(shipment_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """The lines of parcels that were split off."""
    rows = db.session.execute(
        select(ShipmentLine.shipment_id, ShipmentLine.order_line_id, ShipmentLine.quantity).where(
            ShipmentLine.shipment_id.in_(sorted(shipment_ids))
        )
    )
    return _by_owner(rows)


def _handed(part_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    rows = db.session.execute(
        select(HandedLine.part_id, HandedLine.order_line_id, HandedLine.quantity).where(
            HandedLine.part_id.in_(sorted(part_ids))
        )
    )
    return _by_owner(rows)


def _by_owner(rows: Iterable[Any]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for owner, line, many in rows:
        found[owner][line] = many
    return dict(found)


def cash_due(order: Order) -> int:
    """What couriers are to collect of an order, in minor units: what is due, or nothing once it is paid."""
    owes = (order.payment_method == CASH_ON_DELIVERY and order.payment_state not in SETTLED) or owes_rest(order)
    return order.due_minor if owes else 0


def cash_of(order: Order, parcels: Sequence[Shipment]) -> dict[int, int]:
    """What each live parcel of an order is to collect, by its id; nothing for one that is over."""
    live, due = sorted((one for one in parcels if is_live(one)), key=lambda one: one.number), cash_due(order)
    if not due or (len(live) < 2 and not are_several(parcels)):
        return {one.id: due if one.state not in TERMINAL else 0 for one in live}
    values = _values(order, live, contents_of(live))
    return dict(zip((one.id for one in live), shares(due, [_stake(one, values[one.id]) for one in live]), strict=True))


def _stake(parcel: Shipment, value: int) -> Stake:
    kept = {ShipmentState.RETURNED: value, ShipmentState.DELIVERED: parcel.cod_collected_minor or 0}
    is_open = parcel.state not in TERMINAL
    return Stake(value, is_open, 0 if is_open or parcel.cash_noted else kept.get(parcel.state, 0))


def _values(order: Order, live: Sequence[Shipment], contents: Mapping[int, Units]) -> dict[int, int]:
    """What the goods of each parcel cost, so that all of a line's units add up to it; the first has what is left."""
    rows = db.session.execute(
        select(OrderLine.id, OrderLine.quantity, OrderLine.gross_minor).where(OrderLine.order_id == order.id)
    ).all()
    lines = {row.id: row for row in rows}
    done: dict[int, int] = defaultdict(int)
    values = {one.id: 0 for one in live}
    for one in live:
        for line_id, many in contents[one.id].items():
            line, before = lines[line_id], done[line_id]
            done[line_id] += many
            upto = line.gross_minor * done[line_id] // line.quantity
            values[one.id] += upto - line.gross_minor * before // line.quantity
    values[live[0].id] += order.total_minor - sum(values.values())
    return values
