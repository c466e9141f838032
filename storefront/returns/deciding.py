"""What becomes of a return until the goods are there: agreed to, declined, withdrawn, on its way, received, lapsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.events import ReturnAnswered
from storefront.inventory.actions import extend_holds
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.outbox import record
from storefront.orders.models import OrderLine
from storefront.orders.moves import locked
from storefront.returns.asking import Wanted, begin
from storefront.returns.instead import PATIENCE, hold_goods
from storefront.returns.models import OrderReturn, OrderReturnLine, ReturnState
from storefront.returns.queries import due_to_lapse
from storefront.returns.steps import CAUSE, ReturnMoved, locked_return, move

LONGEST_ANSWER = 300


class SayWhy(Invalid):
    """The customer reads why not."""

    message = _l("Escribe por qué no: quien compró lo va a leer.")


class NothingCame(Invalid):
    """A receipt of nothing."""

    message = _l("Escribe cuántas piezas llegaron. Si no llegó ninguna, cierra la devolución.")


class MoreThanAsked(Conflict):
    """More came than was to come: the rest is a return of its own."""

    message = _l("Anotaste más piezas de las que se iban a devolver. Revisa los números.")


@dataclass(frozen=True, slots=True)
class Came:
    """Units of a line that came: `fine` ones can be sold again, `damaged` ones cannot."""

    fine: int = 0
    damaged: int = 0


def approve(return_id: int, by: Actor, answer: str = "") -> None:
    """Agree: the goods are awaited for some days, and what is wanted for them is held as long. Twice changes nothing.

    Raises ReturnMoved, OutOfStock; then nothing has changed.
    """
    with transaction():
        order, found = locked_return(return_id)
        if found.state is ReturnState.APPROVED:
            return
        if found.state is not ReturnState.REQUESTED:
            raise ReturnMoved
        move(found, ReturnState.APPROVED, by)
        found.answer, found.expires_at = answer.strip()[:LONGEST_ANSWER], clock.now() + PATIENCE
        hold_goods(found)
        record(ReturnAnswered(order_id=order.id, return_id=found.id))


def decline(return_id: int, answer: str, by: Actor) -> None:
    """Say no, and why. Twice changes nothing. Raises SayWhy, ReturnMoved."""
    with transaction():
        order, found = locked_return(return_id)
        if found.state is ReturnState.DECLINED:
            return
        if not answer.strip():
            raise SayWhy
        move(found, ReturnState.DECLINED, by)
        found.answer = answer.strip()[:LONGEST_ANSWER]
        record(ReturnAnswered(order_id=order.id, return_id=found.id))


def withdraw(return_id: int, by: Actor) -> None:
    """It comes to nothing: the customer keeps the goods, or nothing came. Twice changes nothing. Raises ReturnMoved."""
    with transaction():
        _order, found = locked_return(return_id)
        if found.state is not ReturnState.WITHDRAWN:
            move(found, ReturnState.WITHDRAWN, by)


def send_off(return_id: int, by: Actor) -> None:
    """The customer says that the goods are on their way, so that it does not lapse. Twice changes nothing."""
    with transaction():
        _order, found = locked_return(return_id)
        if found.state is not ReturnState.IN_TRANSIT:
            move(found, ReturnState.IN_TRANSIT, by)
            found.expires_at = None
            extend_holds(CAUSE, found.id, clock.now() + PATIENCE)


def receive(return_id: int, came: Mapping[int, Came], by: Actor) -> None:
    """Write down what came, by the position of the line. Nothing is paid or put on sale by that.

    Raises ReturnMoved, NothingCame, MoreThanAsked; then nothing has changed.
    """
    with transaction():
        _order, found = locked_return(return_id)
        move(found, ReturnState.RECEIVED, by)
        _note_what_came(found, came)
        extend_holds(CAUSE, found.id, clock.now() + PATIENCE)


def receive_again(return_id: int, by: Actor) -> None:
    """What came was noted wrongly: it is to be looked at once more. Raises ReturnMoved."""
    with transaction():
        _order, found = locked_return(return_id)
        if found.state is not ReturnState.RECEIVED:
            raise ReturnMoved
        move(found, ReturnState.APPROVED, by)
        found.expires_at = clock.now() + PATIENCE


def take_in(order_id: int, wanted: Wanted, came: Mapping[int, Came], by: Actor) -> OrderReturn:
    """The customer stands at the counter with the goods: asked for, agreed to and received in one act.

    The shop is bound to no time of its own. Raises what `begin` and `receive` raise.
    """
    with transaction():
        made = begin(locked(order_id), wanted, by)
        move(made, ReturnState.APPROVED, by)
        move(made, ReturnState.RECEIVED, by)
        _note_what_came(made, came)
    return made


def _note_what_came(found: OrderReturn, came: Mapping[int, Came]) -> None:
    rows = db.session.execute(
        select(OrderReturnLine, OrderLine.position)
        .join(
            OrderLine,
            (OrderLine.tenant_id == OrderReturnLine.tenant_id) & (OrderLine.id == OrderReturnLine.order_line_id),
        )
        .where(OrderReturnLine.return_id == found.id)
        .execution_options(populate_existing=True)
    ).all()
    by_position = {position: line for line, position in rows}
    for position, units in came.items():
        line, received = by_position.get(position), units.fine + units.damaged
        if line is None or min(units.fine, units.damaged) < 0 or received > line.quantity:
            raise MoreThanAsked
    if not any(units.fine + units.damaged for units in came.values()):
        raise NothingCame
    for position, line in by_position.items():
        units = came.get(position, Came())
        line.fine_quantity, line.received_quantity = units.fine, units.fine + units.damaged
    db.session.flush()


def let_lapse() -> int:
    """End the approved returns of which nothing came in time. Returns how many."""
    ended = 0
    for return_id in due_to_lapse():
        with transaction():
            _order, found = locked_return(return_id)
            is_due = found.expires_at is not None and found.expires_at <= clock.now()
            if found.state is ReturnState.APPROVED and is_due:
                move(found, ReturnState.LAPSED, SYSTEM)
                ended += 1
    return ended
