"""Promising, keeping and counting goods.

A hold is taken by one conditional statement per variant that checks, reserves and writes the hold together; variants
come in sorted order, so that two buyers can wait for each other but never in a circle. Ending a hold is decided by its
state: whoever comes second finds nothing to end. Who ends a cause's holds locks them first and the counts after; who
tidies overdue holds locks the count first, and skips holds that somebody else is ending instead of waiting for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, delete, select, update

from storefront.catalogue.models import Product, ProductKind, Variant
from storefront.catalogue.queries import variant_names
from storefront.inventory.models import BundlePart, HoldState, MoveReason, Stock, StockHold
from storefront.inventory.movements import (
    Cause,
    Units,
    by_variant,
    change_stock,
    default_location,
    end_holds,
    lock_counts,
    locked_stock,
    overdue,
    overdue_holds_of,
    take,
    variants_with_overdue_holds,
    write_move,
)
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.tenancy import current_shop

LARGEST_COUNT = 1_000_000


class OutOfStock(Conflict):
    """There is less than was asked for. `variant_ids` says of what; nothing was held."""

    def __init__(self, variant_ids: Sequence[int], names: Mapping[int, str]) -> None:
        self.variant_ids = tuple(variant_ids)
        listed = "; ".join(names[variant_id] for variant_id in self.variant_ids if variant_id in names)
        super().__init__(_l("Ya no alcanza lo que queda de: %(names)s. Cambia la cantidad o quítalo.", names=listed))


class BadCount(Invalid):
    """A count that no shelf can have."""

    message = _l("Escribe cuántas hay con un número entero, de 0 a 1,000,000.")


class NotCounted(Invalid):
    """Services happen in time; they have no count."""

    message = _l("Los servicios no llevan existencias: se reservan por horario.")


class CountedByItsParts(Invalid):
    """A bundle draws on the counts of what is in it."""

    message = _l("Es un paquete: se vende mientras alcance lo que lleva dentro, así que no se cuenta aparte.")


class StillHeld(Conflict):
    """The count would fall below what is promised to customers."""

    def __init__(self, reserved: int) -> None:
        self.reserved = reserved
        super().__init__(_l("Hay %(held)s apartadas en pedidos; la cuenta no puede quedar por debajo.", held=reserved))


class CountChanged(Conflict):
    """Goods came or went after this person looked."""

    def __init__(self, on_hand: int) -> None:
        self.on_hand = on_hand
        super().__init__(_l("La cuenta cambió mientras tanto: hay %(now)s. Revisa y guarda otra vez.", now=on_hand))


# --- holds --------------------------------------------------------------------------------------------------------


def hold_stock(demand: Mapping[int, int], *, cause: str, cause_id: int, until: datetime | None) -> None:
    """Hold goods for a cause until an instant (None: without end), all or nothing.

    `demand` is units by variant id, summed by the caller over its lines. Variants without a count are made to order
    and need no hold. Raises OutOfStock naming every variant there is too little of; then nothing is held.
    """
    if any(qty <= 0 for qty in demand.values()):
        raise ValueError("a demand is positive")
    with transaction():
        for_cause = Cause(cause, cause_id)
        short = [v for v in sorted(demand) if not _held(v, demand[v], for_cause, until)]
        if short:
            raise OutOfStock(short, variant_names(short))


def _held(variant_id: int, qty: int, cause: Cause, until: datetime | None) -> bool:
    """Whether the units are held now. When there is too little, holds whose time is over give way first."""
    if take(variant_id, qty, cause, until):
        return True
    some_overdue = overdue_holds_of(variant_id)
    if some_overdue is None:
        return True
    if some_overdue:
        release_expired(variant_id)
    return take(variant_id, qty, cause, until)


def extend_holds(cause: str, cause_id: int, until: datetime | None) -> dict[int, int]:
    """Let the active holds of a cause live until `until` (None: without end). Returns the units held by variant."""
    with transaction():
        rows = db.session.execute(
            update(StockHold)
            .where(StockHold.tenant_id == current_shop().id, _of(cause, cause_id, HoldState.ACTIVE))
            .values(expires_at=until)
            .returning(StockHold.variant_id, StockHold.location_id, StockHold.qty)
            .execution_options(synchronize_session=False)
        )
        return by_variant(Units(*row) for row in rows)


def renew_holds(demand: Mapping[int, int], *, cause: str, cause_id: int, until: datetime | None) -> None:
    """Make sure the whole demand is held: what is still held is extended, what was given away is held again.

    For money that arrives late. Raises OutOfStock; then nothing changed.
    """
    with transaction():
        kept = extend_holds(cause, cause_id, until)
        missing = {v: qty - kept.get(v, 0) for v, qty in demand.items() if qty > kept.get(v, 0)}
        hold_stock(missing, cause=cause, cause_id=cause_id, until=until)


def release_holds(cause: str, cause_id: int) -> dict[int, int]:
    """Give back what a cause holds. Returns the units by variant; a second call finds none."""
    with transaction():
        ended = end_holds(_of(cause, cause_id, HoldState.ACTIVE), HoldState.RELEASED)
        for units in ended:
            change_stock(units, reserved=-units.qty)
        return by_variant(ended)


def consume_holds(cause: str, cause_id: int, by: Actor) -> dict[int, int]:
    """Take held goods off the shelf for good, with a move for each variant. Returns the units by variant.

    What was released before is not in the answer; a second call finds none.
    """
    with transaction():
        ended = end_holds(_of(cause, cause_id, HoldState.ACTIVE), HoldState.CONSUMED)
        for units in ended:
            on_hand = change_stock(units, reserved=-units.qty, on_hand=-units.qty)
            sold = units._replace(qty=-units.qty)
            write_move(sold, on_hand or 0, MoveReason.SOLD, by, cause=cause, cause_id=cause_id)
        return by_variant(ended)


def return_goods(cause: str, cause_id: int, by: Actor) -> dict[int, int]:
    """Put goods that a cause had consumed back on the shelf, once. Returns the units by variant.

    Variants that are no longer counted stay uncounted.
    """
    with transaction():
        ended = end_holds(_of(cause, cause_id, HoldState.CONSUMED), HoldState.RELEASED)
        for units in ended:
            on_hand = change_stock(units, on_hand=units.qty)
            if on_hand is not None:
                write_move(units, on_hand, MoveReason.RETURNED, by, cause=cause, cause_id=cause_id)
        return by_variant(ended)


def return_some(cause: str, cause_id: int, variant_id: int, qty: int, by: Actor, *, gone_only: bool = False) -> int:
    """Put so many units of one variant back on sale: of those a cause holds (unless `gone_only`), and of those it had
    consumed.

    Returns how many units: fewer where the cause has no more of them, none where nothing is counted.
    """
    with transaction():
        kept = [HoldState.CONSUMED] if gone_only else [HoldState.ACTIVE, HoldState.CONSUMED]
        found = db.session.scalars(
            select(StockHold.id).where(
                StockHold.cause == cause, StockHold.cause_id == cause_id, StockHold.variant_id == variant_id,
                StockHold.state.in_(kept),
            )
        ).all()  # fmt: skip
        left = qty
        for hold in lock_rows(StockHold, found):
            if left and hold.state in kept:
                left -= _give_some_back(hold, min(left, hold.qty), by)
        db.session.flush()
        return qty - left


def consume_some(cause: str, cause_id: int, variant_id: int, qty: int, by: Actor, *, damaged: bool = False) -> int:
    """Take so many of a variant's units that a cause holds off the shelf for good: sold, or damaged.

    Returns how many units: fewer where the cause holds fewer, none where nothing is counted.
    """
    with transaction():
        mine = _of(cause, cause_id, HoldState.ACTIVE) & (StockHold.variant_id == variant_id)
        left = qty
        for hold in lock_rows(StockHold, db.session.scalars(select(StockHold.id).where(mine)).all()):
            if left and hold.state is HoldState.ACTIVE:
                left -= _take_some(hold, min(left, hold.qty), by, damaged=damaged)
        db.session.flush()
        return qty - left


def _take_some(hold: StockHold, qty: int, by: Actor, *, damaged: bool) -> int:
    to, reason = (HoldState.RELEASED, MoveReason.DAMAGED) if damaged else (HoldState.CONSUMED, MoveReason.SOLD)
    if qty < hold.qty:
        hold.qty -= qty
        db.session.add(
            StockHold(
                cause=hold.cause, cause_id=hold.cause_id, variant_id=hold.variant_id, location_id=hold.location_id,
                qty=qty, state=to, expires_at=hold.expires_at, closed_at=clock.now(),
            )
        )  # fmt: skip
    else:
        hold.state, hold.closed_at = to, clock.now()
    gone = Units(hold.variant_id, hold.location_id, -qty)
    on_hand = change_stock(gone, reserved=-qty, on_hand=-qty)
    write_move(gone, on_hand or 0, reason, by, cause=hold.cause, cause_id=hold.cause_id)
    return qty


def change_holds(
    delta: Mapping[int, int], *, cause: str, cause_id: int, until: datetime | None, spare: Cause, by: Actor
) -> None:
    """Let a cause hold so many units more or fewer of each variant, all or nothing; what `spare` holds is for it.

    The counts are locked first, in order, so that nobody gets between what `spare` gives up and what is taken. Raises
    OutOfStock; then nothing changed.
    """
    with transaction():
        for variant_id in sorted(delta):
            lock_counts(variant_id)
        release_holds(spare.kind, spare.id)
        for variant_id in sorted(delta):
            if delta[variant_id] < 0:
                return_some(cause, cause_id, variant_id, -delta[variant_id], by)
        more = {variant_id: qty for variant_id, qty in delta.items() if qty > 0}
        hold_stock(more, cause=cause, cause_id=cause_id, until=until)


def _give_some_back(hold: StockHold, qty: int, by: Actor) -> int:
    was_held, units = hold.state is HoldState.ACTIVE, Units(hold.variant_id, hold.location_id, qty)
    if qty < hold.qty:
        hold.qty -= qty
        db.session.add(
            StockHold(
                cause=hold.cause, cause_id=hold.cause_id, variant_id=hold.variant_id, location_id=hold.location_id,
                qty=qty, state=HoldState.RELEASED, expires_at=hold.expires_at, closed_at=clock.now(),
            )
        )  # fmt: skip
    else:
        hold.state, hold.closed_at = HoldState.RELEASED, clock.now()
    if was_held:
        change_stock(units, reserved=-qty)
        return qty
    on_hand = change_stock(units, on_hand=qty)
    if on_hand is not None:
        write_move(units, on_hand, MoveReason.RETURNED, by, cause=hold.cause, cause_id=hold.cause_id)
    return qty


def release_expired(variant_id: int | None = None) -> int:
    """Give back holds whose time is over, of one variant or of all. Returns how many units came free.

    The count is locked before its holds are ended: a buyer who sees the same overdue holds waits for the outcome
    instead of being told that nothing is left.
    """
    with transaction():
        freed = 0
        for one in variants_with_overdue_holds() if variant_id is None else [variant_id]:
            lock_counts(one)
            for units in end_holds(and_(overdue(), StockHold.variant_id == one), HoldState.RELEASED, skip_locked=True):
                change_stock(units, reserved=-units.qty)
                freed += units.qty
        return freed


def _of(cause: str, cause_id: int, state: HoldState) -> ColumnElement[bool]:
    return and_(StockHold.cause == cause, StockHold.cause_id == cause_id, StockHold.state == state)


# --- counts -------------------------------------------------------------------------------------------------------


def open_default_location() -> int:
    """The id of the shop's default place, made when there is none."""
    with transaction():
        return default_location(_("Tienda"))


def adjust_stock(
    variant_id: int, *, on_hand: int, reason: str, by: Actor, seen: int | None = None, text: str = ""
) -> int:
    """Set how many there are, as a person counted them; begins the count where there was none. Returns the change.

    `reason` is a word of MoveReason, or the person's own words; `text` is a note beside a word. `seen` is the count
    they had before their eyes: CountChanged when it is no longer true. Raises BadCount, NotCounted, CountedByItsParts,
    StillHeld, NotFound.
    """
    if not 0 <= on_hand <= LARGEST_COUNT:
        raise BadCount
    with transaction():
        release_expired(variant_id)
        _require_countable(variant_id)
        stock = locked_stock(variant_id, open_default_location())
        if seen is not None and stock.on_hand != seen:
            raise CountChanged(stock.on_hand)
        if on_hand < stock.reserved:
            raise StillHeld(stock.reserved)
        change = Units(variant_id, stock.location_id, on_hand - stock.on_hand)
        if change.qty:
            change_stock(change, on_hand=change.qty)
            known = reason in set(MoveReason)
            word = MoveReason(reason) if known else MoveReason.COUNTED
            write_move(change, on_hand, word, by, note=(text if known else reason).strip()[:200])
        return change.qty


def receive_stock(variant_id: int, qty: int, *, by: Actor, text: str = "") -> int:
    """Add goods that arrived; begins the count where there was none. Returns how many there are now.

    Raises BadCount, NotCounted, CountedByItsParts, NotFound.
    """
    if not 0 < qty <= LARGEST_COUNT:
        raise BadCount
    with transaction():
        _require_countable(variant_id)
        stock = locked_stock(variant_id, open_default_location())
        if stock.on_hand + qty > LARGEST_COUNT:
            raise BadCount
        arrived = Units(variant_id, stock.location_id, qty)
        on_hand = change_stock(arrived, on_hand=qty) or 0
        write_move(arrived, on_hand, MoveReason.RECEIVED, by, note=text.strip()[:200])
        return on_hand


def stop_counting(variant_id: int, *, by: Actor) -> None:
    """From now on the variant is made to order and never runs out. Raises StillHeld while customers hold some."""
    with transaction():
        release_expired(variant_id)
        counts = lock_counts(variant_id)
        for stock in counts:
            if stock.reserved:
                raise StillHeld(stock.reserved)
            if stock.on_hand:
                gone = Units(variant_id, stock.location_id, -stock.on_hand)
                write_move(gone, 0, MoveReason.UNCOUNTED, by)
        if counts:
            db.session.execute(
                delete(Stock)
                .where(Stock.tenant_id == current_shop().id, Stock.variant_id == variant_id)
                .execution_options(synchronize_session=False)
            )
            note("variant", variant_id, "uncounted", by)


def require_goods(variant_id: int) -> None:
    """Raises NotFound, and NotCounted for services."""
    kind = db.session.scalar(
        select(Product.kind)
        .join(Variant, (Variant.tenant_id == Product.tenant_id) & (Variant.product_id == Product.id))
        .where(Variant.id == variant_id)
    )
    if kind is None:
        raise NotFound
    if kind is not ProductKind.GOODS:
        raise NotCounted


def _require_countable(variant_id: int) -> None:
    require_goods(variant_id)
    if db.session.scalar(select(BundlePart.part_id).where(BundlePart.variant_id == variant_id).limit(1)) is not None:
        raise CountedByItsParts
