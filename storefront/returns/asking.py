"""Asking for a return: by the customer within the time the shop gives, or by somebody of the shop at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.events import ReturnAsked
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.media import delete_image, store_image
from storefront.kernel.outbox import record
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.returns.instead import write_goods
from storefront.returns.models import OrderReturn, OrderReturnLine, ReturnState, Wish
from storefront.returns.queries import REASONS
from storefront.returns.steps import write_step
from storefront.returns.terms import returnable_lines, terms_of


class NoReturns(Conflict):
    """The shop takes nothing back, or the time for it is over."""

    message = _l(
        "Ya no se puede pedir una devolución de este pedido por aquí. Si algo salió mal, escríbele a la tienda."
    )


class NotDelivered(Conflict):
    """What is still in the shop or on its way is cancelled, not returned; what was booked is neither."""

    message = _l("Solo se devuelven productos ya entregados y pagados.")


class NothingChosen(Invalid):
    """A return of nothing."""

    message = _l("Elige qué vas a devolver y cuántas piezas.")


class FewerToReturn(Conflict):
    """More than the customer has, or of what is not in the order."""

    message = _l("De algo hay menos piezas de las que elegiste. Revisa y elige de nuevo.")


class AlreadyAsked(Conflict):
    """The order has a return that is under way."""

    message = _l("Este pedido ya tiene una devolución en curso. Cuando termine se puede pedir otra.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come back: units by the position of the line, why (a word of `REASONS`), and what for.

    `goods` are units of what is wanted instead, by the code of the variant.
    """

    units: Mapping[int, int]
    reason: str
    words: str = ""
    wish: Wish = Wish.REFUND
    goods: Mapping[str, int] = field(default_factory=dict)


def ask(order_id: int, wanted: Wanted, by: Actor, photo: IO[bytes] | None = None) -> OrderReturn:
    """The customer asks; the shop is told, and decides.

    Raises NoReturns, and what `begin` raises; NotAPicture and its kin for a file that is none. Nothing is kept then.
    """
    with transaction():
        _require_time(order_id)
    picture = store_image(photo, private=True) if photo is not None else None
    try:
        with transaction():
            order = locked(order_id)
            _require_time(order_id)
            made = begin(order, wanted, by)
            made.image_key = picture.key if picture else None
            record(ReturnAsked(order_id=order_id, return_id=made.id))
    except BaseException:
        if picture is not None:
            delete_image(picture.key)
        raise
    return made


def _require_time(order_id: int) -> None:
    if not terms_of(order_id).may_be_asked:
        raise NoReturns


def begin(order: Order, wanted: Wanted, by: Actor) -> OrderReturn:
    """Write a return down, in a transaction that holds the order.

    Raises NotDelivered, NothingChosen, FewerToReturn, AlreadyAsked, and what `write_goods` raises.
    """
    terms = terms_of(order.id)
    if not (terms.is_delivered and terms.is_paid):
        raise NotDelivered
    if db.session.scalar(
        select(OrderReturn.id).where(OrderReturn.order_id == order.id, OrderReturn.ended_at.is_(None))
    ):
        raise AlreadyAsked
    lines = {line.position: line for line in returnable_lines(order.id)}
    units = {position: many for position, many in wanted.units.items() if many}
    if not units:
        raise NothingChosen
    if any(position not in lines or not 0 < many <= lines[position].left for position, many in units.items()):
        raise FewerToReturn
    made = OrderReturn(
        order_id=order.id,
        state=ReturnState.REQUESTED,
        wish=wanted.wish,
        reason=wanted.reason if wanted.reason in REASONS else "other",
        words=wanted.words,
        currency=order.currency,
        created_at=clock.now(),
    )
    db.session.add(made)
    db.session.flush()
    db.session.add_all(
        OrderReturnLine(
            return_id=made.id, order_line_id=lines[position].id, quantity=many,
            refunded_before=lines[position].refunded, restocked_before=lines[position].restocked,
        )
        for position, many in sorted(units.items())
    )  # fmt: skip
    if wanted.wish is Wish.EXCHANGE:
        write_goods(made, wanted.goods)
    write_step(made, "", by)
    note("order", order.id, "return_asked", by, code=made.code, units=sum(units.values()))
    return made
