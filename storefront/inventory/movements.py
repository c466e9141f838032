"""The single row changes that every stock action is made of: take, end, change, write down.

Core statements, each naming the shop. Nothing here decides; the condition that guards a sale is `enough`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.inventory.models import HoldState, Location, MoveReason, Stock, StockHold, StockMove
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.kernel.ids import new_code
from storefront.kernel.tenancy import current_shop

BATCH = 500
"""How many holds one statement ends at most; what is left is ended by the next."""


class Cause(NamedTuple):
    """Why goods are held or move: a kind of thing ("order") and its id."""

    kind: str
    id: int


class Units(NamedTuple):
    """So many units of a variant at a place."""

    variant_id: int
    location_id: int
    qty: int


def enough(wanted: int) -> ColumnElement[bool]:
    """The condition no sale gets past: what is on hand and not promised covers what is wanted."""
    return Stock.on_hand - Stock.reserved >= wanted


def _default_location() -> Select[int]:
    return select(Location.id).where(Location.tenant_id == current_shop().id, Location.is_default)


def take(variant_id: int, qty: int, cause: Cause, until: datetime | None) -> bool:
    """Check, reserve and write the hold in one statement. False when there is too little, or no count at all."""
    shop_id = current_shop().id
    taken = (
        update(Stock)
        .where(
            Stock.tenant_id == shop_id,
            Stock.variant_id == variant_id,
            Stock.location_id == _default_location().scalar_subquery(),
            enough(qty),
        )
        .values(reserved=Stock.reserved + qty)
        .returning(Stock.tenant_id, Stock.variant_id, Stock.location_id)
        .cte("taken")
    )
    hold = StockHold.__table__.c
    written = {
        hold.tenant_id: taken.c.tenant_id,
        hold.variant_id: taken.c.variant_id,
        hold.location_id: taken.c.location_id,
        hold.cause: literal(cause.kind),
        hold.cause_id: literal(cause.id, hold.cause_id.type),
        hold.qty: literal(qty, hold.qty.type),
        hold.state: literal(HoldState.ACTIVE, hold.state.type),
        hold.expires_at: literal(until, hold.expires_at.type),
        hold.created_at: literal(clock.now(), hold.created_at.type),
    }
    statement = (
        insert(StockHold.__table__)  # type: ignore[arg-type]  # a Table, typed as FromClause by the mapper
        .from_select(list(written), select(*written.values()), include_defaults=False)
        .returning(hold.id)
    )
    return db.session.execute(statement).first() is not None


def end_holds(these: ColumnElement[bool], to: HoldState, *, skip_locked: bool = False) -> list[Units]:
    """Move matching holds to `to` and return their units, summed and in the order in which stock is locked.

    Rows are locked in order first, so two callers that end the same holds queue up, and the second matches none.
    With `skip_locked`, holds that somebody else is ending are left to them.
    """
    picked = (
        select(StockHold.id)
        .where(StockHold.tenant_id == current_shop().id, these)
        .order_by(StockHold.id)
        .limit(BATCH)
        .with_for_update(skip_locked=skip_locked)
        .cte("picked")
    )
    rows = db.session.execute(
        update(StockHold)
        .where(StockHold.tenant_id == current_shop().id, StockHold.id.in_(select(picked.c.id)), these)
        .values(state=to, closed_at=clock.now())
        .returning(StockHold.variant_id, StockHold.location_id, StockHold.qty)
        .execution_options(synchronize_session=False)
    )
    summed: Counter[tuple[int, int]] = Counter()
    for variant_id, location_id, qty in rows:
        summed[variant_id, location_id] += qty
    return [Units(*place, qty) for place, qty in sorted(summed.items())]


def change_stock(at: Units, *, on_hand: int = 0, reserved: int = 0) -> int | None:
    """Add to the count of a variant at a place. Returns how many there are now; None when it is not counted."""
    found: int | None = db.session.execute(
        update(Stock)
        .where(
            Stock.tenant_id == current_shop().id,
            Stock.variant_id == at.variant_id,
            Stock.location_id == at.location_id,
        )
        .values(on_hand=Stock.on_hand + on_hand, reserved=Stock.reserved + reserved)
        .returning(Stock.on_hand)
        .execution_options(synchronize_session=False)
    ).scalar()
    return found


def write_move(moved: Units, on_hand: int, reason: MoveReason, by: Actor, **more: Any) -> None:
    """Write down one change of a count: `moved.qty` is the change, `on_hand` what there is after it."""
    db.session.add(
        StockMove(
            variant_id=moved.variant_id,
            location_id=moved.location_id,
            delta=moved.qty,
            on_hand_after=on_hand,
            reason=reason,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label,
            **more,
        )
    )


def overdue(at: Any = None) -> ColumnElement[bool]:
    """Holds whose time is over `at` that moment (or a parameter for it; now by default) but which nobody has ended."""
    return and_(StockHold.state == HoldState.ACTIVE, StockHold.expires_at <= (clock.now() if at is None else at))


def overdue_holds_of(variant_id: int) -> bool | None:
    """Whether some of the variant's holds are overdue; None when the variant is not counted."""
    some = (
        select(StockHold.id)
        .where(StockHold.tenant_id == Stock.tenant_id, StockHold.variant_id == Stock.variant_id, overdue())
        .exists()
    )
    found = db.session.execute(select(some.label("some")).where(Stock.variant_id == variant_id)).first()
    return None if found is None else bool(found.some)


def variants_with_overdue_holds() -> list[int]:
    """Whose counts are waiting to be tidied, in the order in which stock is locked."""
    return list(
        db.session.scalars(select(StockHold.variant_id).where(overdue()).distinct().order_by(StockHold.variant_id))
    )


def lock_counts(variant_id: int) -> list[Stock]:
    """The variant's counts at all places, locked and fresh."""
    return list(
        db.session.scalars(
            select(Stock)
            .where(Stock.variant_id == variant_id)
            .order_by(Stock.location_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def default_location(name: str) -> int:
    """The id of the shop's default place, made with this name when there is none."""
    found = db.session.scalar(_default_location())
    if found is None:
        db.session.execute(
            upsert(Location)
            .values(tenant_id=current_shop().id, code=new_code(), name=name, is_default=True)
            .on_conflict_do_nothing()
        )
        found = db.session.scalars(_default_location()).one()
    return found


def locked_stock(variant_id: int, location_id: int) -> Stock:
    """The count of a variant at a place, locked; begun at nothing when there was none."""
    db.session.execute(
        upsert(Stock)
        .values(tenant_id=current_shop().id, variant_id=variant_id, location_id=location_id, on_hand=0, reserved=0)
        .on_conflict_do_nothing()
    )
    return db.session.scalars(
        select(Stock)
        .where(Stock.variant_id == variant_id, Stock.location_id == location_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def by_variant(units: Iterable[Units]) -> dict[int, int]:
    """Units summed over places."""
    summed: Counter[int] = Counter()
    for one in units:
        summed[one.variant_id] += one.qty
    return dict(summed)
