"""The one door through which a return moves: the order's row first, then its own, the table asked, the step written."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.inventory.actions import release_holds
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows
from storefront.kernel.errors import Conflict, NotFound
from storefront.orders.models import Order
from storefront.orders.moves import NAMED, locked
from storefront.returns.models import RETURN_STATES, UNDER_WAY, OrderReturn, OrderReturnEvent, ReturnState

CAUSE = "return"
"""How the holds of what is wanted for returned goods name their cause; the return's id is the cause's id."""


class ReturnMoved(Conflict):
    """Somebody else was faster, or its time is over."""

    message = _l("Esta devolución cambió mientras tanto: alguien más ya dio este paso. Revisa cómo está ahora.")


def locked_return(return_id: int) -> tuple[Order, OrderReturn]:
    """A return and its order, both locked and freshly read. Raises NotFound."""
    order_id = db.session.scalar(select(OrderReturn.order_id).where(OrderReturn.id == return_id))
    if order_id is None:
        raise NotFound
    order = locked(order_id)
    return order, lock_rows(OrderReturn, [return_id])[0]


def move(found: OrderReturn, to: ReturnState, by: Actor) -> None:
    """Move a locked return and write the step down. Raises ReturnMoved where the table does not have it."""
    if not RETURN_STATES.allows(found.state, to):
        raise ReturnMoved
    before, found.state = found.state, to
    if to not in UNDER_WAY:
        found.ended_at = clock.now()
        release_holds(CAUSE, found.id)
    write_step(found, str(before), by)
    note("order", found.order_id, f"return_{to}", by, code=found.code)


def write_step(found: OrderReturn, before: str, by: Actor) -> None:
    """Write into the return's history how it came to stand as it does; the first step comes from nowhere."""
    db.session.add(
        OrderReturnEvent(
            return_id=found.id,
            before=before,
            after=str(found.state),
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label if by.kind in NAMED else "",
            at=clock.now(),
        )
    )
    db.session.flush()
