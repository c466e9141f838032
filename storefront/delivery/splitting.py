"""Several parcels of one order: what is ready goes today, the rest on Thursday.

A parcel that is split off has lines, a code, a courier and cash of its own. Nothing is split or put together that a
courier holds: each verb locks the order and then its parcels, and a courier who takes one needs its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from storefront.delivery import actions, codes
from storefront.delivery.copies import tell_what_is_due
from storefront.delivery.handing import IN_THE_SHOP, call_offer_back, unpack
from storefront.delivery.models import Shipment, ShipmentLine
from storefront.delivery.parcels import Units, contents_of, is_live, lines_in
from storefront.delivery.states import ShipmentState
from storefront.events import ShipmentReady
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_code, new_token
from storefront.kernel.outbox import record
from storefront.orders import actions as orders
from storefront.orders.models import Attention, Order
from storefront.orders.moves import locked
from storefront.orders.parting import take_part_back
from storefront.orders.states import FulfilmentState, OrderState

_S = ShipmentState

HERE = IN_THE_SHOP | {_S.OFFERED}
"""The shop has the parcel and no courier has taken it."""


class NotHere(Conflict):
    """A courier took the parcel, or it has left or ended."""

    message = _l("Este paquete ya es de un repartidor o ya salió, así que lo que lleva ya no cambia.")


class NothingApart(Invalid):
    """A parcel of nothing."""

    message = _l("Elige cuántas piezas van en el otro paquete.")


class FewerInside(Conflict):
    """More than is in the parcel."""

    message = _l("En este paquete hay menos de lo que elegiste. Revisa lo que queda.")


class NothingStays(Invalid):
    """The other parcel would hold all there is."""

    message = _l("Deja algo en este paquete: si todo va junto, no hace falta separarlo.")


class NoneToJoin(Conflict):
    """No other parcel of the order waits in the shop."""

    message = _l("No hay otro paquete de este pedido en la tienda con el que juntarlo.")


class NotBack(Conflict):
    """Only what came back, of an order whose other parcels went on, is sent once more."""

    message = _l("Solo se vuelve a enviar lo que ya regresó a la tienda mientras el resto del pedido sigue.")


@dataclass(frozen=True, slots=True)
class Held:
    """A parcel with its order and all of the order's parcels, locked."""

    order: Order
    parcels: list[Shipment]
    parcel: Shipment

    @property
    def inside(self) -> dict[int, int]:
        """Units by line (id) in it now."""
        return contents_of(self.parcels).get(self.parcel.id, {})

    @property
    def others(self) -> list[Shipment]:
        """The order's other parcels that carry something."""
        return [one for one in self.parcels if is_live(one) and one is not self.parcel]


@contextmanager
def with_parcel(code: str) -> Iterator[Held]:
    """A parcel by its code, locked with its order and all of the order's parcels, in one transaction.

    Couriers' own rows follow by a job (`delivery.copies`). Raises NotFound.
    """
    with transaction():
        order_id = db.session.scalar(select(Shipment.order_id).where(Shipment.code == code))
        if order_id is None:
            raise NotFound
        order, parcels = locked(order_id), actions.locked_of_order(order_id)
        [parcel] = [one for one in parcels if one.code == code]
        yield Held(order, parcels, parcel)


def split(code: str, units: Mapping[int, int], by: Actor) -> str:
    """So many units of some lines (by id) go in a parcel of their own. Returns its code.

    Raises NotHere, NothingApart, FewerInside, NothingStays, NotConfirmed; then nothing has changed.
    """
    with with_parcel(code) as held:
        wanted = _require_units(held, units)
        was_offered = held.parcel.state is _S.OFFERED
        call_offer_back(held.parcel, "split")
        _set_lines(held.parcel, {line: -many for line, many in wanted.items()})
        new = _another(held, wanted)
        held.parcels.append(new)
        if held.parcel.state is _S.READY:
            actions.pack(new)
        actions.count_again(held.order, held.parcels)
        if was_offered:
            record(ShipmentReady(shipment_id=held.parcel.id, order_id=held.order.id))
        note("shipment", new.code, "split_off", by, of=code, units=sum(wanted.values()))
    return new.code


def _require_units(held: Held, units: Mapping[int, int]) -> dict[int, int]:
    if held.order.state is not OrderState.CONFIRMED:
        raise orders.NotConfirmed
    if held.parcel.state not in HERE:
        raise NotHere
    inside = held.inside
    wanted = {line: many for line, many in units.items() if many}
    if any(not 0 < many <= inside.get(line, 0) for line, many in wanted.items()):
        raise FewerInside
    if not wanted:
        raise NothingApart
    if sum(wanted.values()) == sum(inside.values()):
        raise NothingStays
    return wanted


def _set_lines(parcel: Shipment, more: Mapping[int, int]) -> None:
    """Add to the lines of a parcel that has lines; the one without has what is in no other."""
    lines = lines_in([parcel.id]).get(parcel.id)
    if lines is not None:
        _write_lines(parcel, {line: lines.get(line, 0) + more.get(line, 0) for line in {*lines, *more}})


def _write_lines(parcel: Shipment, units: Units) -> None:
    db.session.execute(
        delete(ShipmentLine).where(ShipmentLine.shipment_id == parcel.id).execution_options(synchronize_session=False)
    )
    db.session.add_all(
        ShipmentLine(shipment_id=parcel.id, order_line_id=line, quantity=many) for line, many in units.items() if many
    )
    db.session.flush()


def _another(held: Held, units: Units) -> Shipment:
    like, at = held.parcel, clock.now()
    new = Shipment(
        code=new_code(), token=new_token(), order_id=like.order_id, order_code=like.order_code,
        number=max(one.number for one in held.parcels) + 1, state=_S.DRAFT, state_since=at, created_at=at,
        zone_id=like.zone_id, address=like.address, items=sum(units.values()), currency=like.currency,
        delivery_code=codes.new_delivery_code(), own_courier=like.own_courier,
    )  # fmt: skip
    db.session.add(new)
    db.session.flush()
    _write_lines(new, units)
    return new


def join(code: str, by: Actor) -> str:
    """Undo a split: what is in the parcel goes with the order's first other one in the shop. Returns that one's code.

    Where one of them is not packed, both together are not. Twice changes nothing. Raises NotHere, NoneToJoin.
    """
    with with_parcel(code) as held:
        parcel = held.parcel
        targets = [one for one in held.others if one.state in HERE]
        if parcel.state is _S.CANCELLED and targets:
            return targets[0].code
        if parcel.state not in HERE:
            raise NotHere
        if not targets:
            raise NoneToJoin
        target = targets[0]
        _take_in(held, target, by)
        if held.order.fulfilment_state is FulfilmentState.READY and target.state is _S.DRAFT:
            orders.unmark_ready(held.order.id, by)
        actions.count_again(held.order, held.parcels)
        note("shipment", code, "joined", by, to=target.code)
    return target.code


def _take_in(held: Held, target: Shipment, by: Actor) -> None:
    was_offered = target.state is _S.OFFERED
    call_offer_back(target, "joined")
    call_offer_back(held.parcel, "joined")
    if held.parcel.state is not target.state:
        unpack(target, by)
    lines = lines_in([held.parcel.id, target.id])
    if len(lines) == 2:
        _set_lines(target, lines[held.parcel.id])
    else:
        _write_lines(target, {})
    _write_lines(held.parcel, {})
    actions.call_off(held.parcel, "joined")
    if was_offered and target.state is _S.READY:
        record(ShipmentReady(shipment_id=target.id, order_id=held.order.id))


def ready(code: str, by: Actor) -> None:
    """One parcel is packed and may be fetched; with the last one the whole order is ready. Twice changes nothing."""
    with with_parcel(code) as held:
        if held.order.state is not OrderState.CONFIRMED:
            raise orders.NotConfirmed
        if held.parcel.state is not _S.DRAFT:
            return
        tell_what_is_due(held.order, held.parcels)
        actions.pack(held.parcel)
        note("shipment", code, "ready", by)
        waits = any(one.state is _S.DRAFT for one in held.others)
        if not waits and held.order.fulfilment_state is FulfilmentState.PREPARING:
            orders.mark_ready(held.order.id, by)


def not_ready(code: str, by: Actor) -> None:
    """It was tapped too early. Raises CourierHasIt once a courier has taken it."""
    with with_parcel(code) as held:
        if held.parcel.state is _S.DRAFT:
            return
        unpack(held.parcel, by)
        orders.unmark_ready(held.order.id, by)


def send_again(code: str, by: Actor) -> str:
    """What came back goes once more, in a parcel that waits in the shop. Returns its code. Raises NotBack."""
    with with_parcel(code) as held:
        if held.parcel.taken_back or held.parcel.state is not _S.RETURNED:
            raise NotBack
        units = take_in(held, by)
        new = _another(held, units)
        held.parcels.append(new)
        actions.count_again(held.order, held.parcels)
        note("shipment", new.code, "sent_again", by, of=code)
    return new.code


def take_in(held: Held, by: Actor) -> dict[int, int]:
    """What came back in a parcel is with the order again, held for it. Returns the units by line. Raises NotBack."""
    parcel = held.parcel
    if parcel.part_id is None or held.order.fulfilment_state is not FulfilmentState.PARTLY:
        raise NotBack
    units = held.inside
    take_part_back(held.order.id, units, by)
    parcel.taken_back = True
    if held.order.attention is Attention.DELIVERY_FAILED:
        orders.settle_attention(held.order.id, by)
    return units
