"""What can be promised, what lies where, what happened to it, and the proofs that the books agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Select, and_, any_, bindparam, case, func, literal, or_, select

from storefront.catalogue.assortment import named_like
from storefront.catalogue.models import Product, ProductKind, ProductStatus, Variant
from storefront.inventory.models import BundlePart, HoldState, MoveReason, Stock, StockHold, StockMove
from storefront.inventory.movements import overdue
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.paging import Page

PAGE_SIZE = 24
HISTORY_SIZE = 50
FEW = 3
"""From so many on, the owner and the customers are told that few are left."""


@dataclass(frozen=True, slots=True)
class CountRow:
    """A variant on the stock screen. `on_hand` is None where nothing is counted; a bundle has what its parts allow."""

    variant_id: int
    code: str
    product_code: str
    product_name: str
    variant_name: str
    sku: str
    on_hand: int | None
    held: int
    is_bundle: bool = False
    put_together: int | None = None

    @property
    def full_name(self) -> str:
        """How to call it in a sentence."""
        return f"{self.product_name}, {self.variant_name}" if self.variant_name else self.product_name

    @property
    def available(self) -> int | None:
        """What can still be promised; None where nothing limits it."""
        if self.is_bundle:
            return self.put_together
        return None if self.on_hand is None else self.on_hand - self.held


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One line of a variant's history."""

    at: datetime
    delta: int
    on_hand_after: int
    reason: MoveReason
    note: str
    who: str


def _alive(at: Any = None) -> Any:
    """Units promised for real: a hold whose time is over no longer counts, even before it is tidied away."""
    late = (
        select(func.coalesce(func.sum(StockHold.qty), 0))
        .where(
            StockHold.tenant_id == Stock.tenant_id,
            StockHold.variant_id == Stock.variant_id,
            StockHold.location_id == Stock.location_id,
            overdue(at),
        )
        .correlate(Stock)
        .scalar_subquery()
    )
    return Stock.reserved - late


@dataclass(frozen=True, slots=True)
class Shelf:
    """What can be promised now of some variants, on which several lines may draw one after the other.

    `drawn` says what one unit of a variant takes (itself, or what is in the bundle); `free` what there is of each of
    those, None for what is not counted.
    """

    drawn: Mapping[int, Mapping[int, int]]
    free: dict[int, int | None]

    def left(self, variant_id: int) -> int | None:
        """How many units can still be had; None where nothing limits them."""
        counted = [
            there // units
            for part_id, units in self.drawn.get(variant_id, {}).items()
            if (there := self.free.get(part_id)) is not None
        ]
        return min(counted) if counted else None

    def is_bundle(self, variant_id: int) -> bool:
        """Whether it is put together from others."""
        return variant_id not in self.drawn.get(variant_id, {variant_id})

    def give(self, units: Mapping[int, int]) -> None:
        """Count in what is held for whoever looks."""
        for part_id, more in units.items():
            there = self.free.get(part_id)
            if there is not None:
                self.free[part_id] = there + more

    def take(self, variant_id: int, quantity: int) -> None:
        """Let a line have so many units."""
        for part_id, units in self.drawn.get(variant_id, {}).items():
            there = self.free.get(part_id)
            if there is not None:
                self.free[part_id] = there - units * quantity


def shelf(variant_ids: Iterable[int]) -> Shelf:
    """What there is of these variants, and of what is in those that are bundles. One statement."""
    wanted = sorted(set(variant_ids))
    drawn: dict[int, dict[int, int]] = {}
    free: dict[int, int | None] = {}
    if wanted:
        for row in db.session.execute(_shelf(), {"variant_ids": wanted, "at": clock.now()}):
            drawn.setdefault(row.id, {})[row.part_id] = row.units
            free[row.part_id] = None if row.free is None else int(row.free)
    return Shelf(drawn, free)


def held_by(cause: str, cause_id: int) -> dict[int, int]:
    """Units that a cause holds of each variant, as long as its time is not over."""
    rows = db.session.execute(
        select(StockHold.variant_id, func.sum(StockHold.qty))
        .where(
            StockHold.cause == cause,
            StockHold.cause_id == cause_id,
            StockHold.state == HoldState.ACTIVE,
            or_(StockHold.expires_at.is_(None), StockHold.expires_at > clock.now()),
        )
        .group_by(StockHold.variant_id)
    )
    return {variant_id: int(qty) for variant_id, qty in rows}


def available(variant_ids: Iterable[int]) -> dict[int, int | None]:
    """How many of each variant can be promised now; None for what is not counted (made to order, services)."""
    there = shelf(variant_ids)
    return {variant_id: there.left(variant_id) for variant_id in variant_ids}


@cache
def _shelf() -> Select[*tuple[Any, ...]]:
    """Made once and kept: putting the statement together costs more than running it."""
    promised = _alive(bindparam("at", type_=DateTime(timezone=True)))
    part_id, units = func.coalesce(BundlePart.part_id, Variant.id), func.coalesce(BundlePart.units, 1)
    return (
        select(
            Variant.id, part_id.label("part_id"), units.label("units"), func.sum(Stock.on_hand - promised).label("free")
        )
        .outerjoin(BundlePart, and_(BundlePart.tenant_id == Variant.tenant_id, BundlePart.variant_id == Variant.id))
        .outerjoin(Stock, and_(Stock.tenant_id == Variant.tenant_id, Stock.variant_id == part_id))
        .where(Variant.id == any_(bindparam("variant_ids", type_=ARRAY(BigInteger))))
        .group_by(Variant.id, part_id, units)
    )


def _counts() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Variant.id.label("variant_id"),
            Variant.code,
            Variant.name.label("variant_name"),
            Variant.sku,
            Product.code.label("product_code"),
            Product.name.label("product_name"),
            Stock.on_hand,
            case((Stock.on_hand.is_(None), literal(0)), else_=_alive()).label("held"),
            Variant.id.in_(select(BundlePart.variant_id)).label("is_bundle"),
        )
        .join(Product, and_(Product.tenant_id == Variant.tenant_id, Product.id == Variant.product_id))
        .outerjoin(Stock, and_(Stock.tenant_id == Variant.tenant_id, Stock.variant_id == Variant.id))
        .where(Product.kind == ProductKind.GOODS)
    )


def _count_rows(rows: Iterable[Any]) -> list[CountRow]:
    found = [
        CountRow(row.variant_id, row.code, row.product_code, row.product_name, row.variant_name, row.sku, row.on_hand,
                 int(row.held), row.is_bundle)
        for row in rows
    ]  # fmt: skip
    bundles = available([row.variant_id for row in found if row.is_bundle])
    return [replace(row, put_together=bundles[row.variant_id]) if row.is_bundle else row for row in found]


def counts(typed: str, number: int, *, low_only: bool = False) -> Page[CountRow]:
    """One page of the goods' variants with their counts, by name; `low_only` leaves those with three or fewer free."""
    statement = _counts().where(Variant.active, Product.status != ProductStatus.ARCHIVED)
    if typed.strip():
        statement = statement.where(named_like(typed))
    if low_only:
        statement = statement.where(Stock.on_hand - _alive() <= FEW)
    rows = db.session.execute(
        statement.order_by(Product.name, Product.id, Variant.position, Variant.id)
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Page.of(_count_rows(rows), number, PAGE_SIZE)


def count_of(variant_code: str) -> CountRow:
    """One variant's count. Raises NotFound."""
    found = _count_rows(db.session.execute(_counts().where(Variant.code == variant_code)))
    if not found:
        raise NotFound
    return found[0]


def counts_of_product(product_id: int) -> dict[str, CountRow]:
    """The counts of a product's variants by variant code; empty for services."""
    rows = db.session.execute(_counts().where(Variant.product_id == product_id))
    return {row.code: row for row in _count_rows(rows)}


def history(variant_id: int) -> list[MoveRow]:
    """The latest changes of a variant's count, newest first."""
    statement = select(
        StockMove.at,
        StockMove.delta,
        StockMove.on_hand_after,
        StockMove.reason,
        StockMove.note,
        StockMove.actor_label,
    ).where(StockMove.variant_id == variant_id)
    rows = db.session.execute(statement.order_by(StockMove.id.desc()).limit(HISTORY_SIZE))
    return [MoveRow(*row) for row in rows]


def invariants() -> list[dict[str, Any]]:
    """Every place where the current shop's books disagree; empty when all is well.

    I1: 0 <= reserved <= on hand. I2: reserved is the sum of active holds. I3: on hand is the sum of moves.
    """
    return [*_out_of_bounds(), *_unexplained_reserves(), *_unexplained_counts()]


def _out_of_bounds() -> list[dict[str, Any]]:
    rows = db.session.execute(
        select(Stock.variant_id, Stock.location_id, Stock.on_hand, Stock.reserved).where(
            or_(Stock.reserved < 0, Stock.reserved > Stock.on_hand)
        )
    )
    return [{"invariant": "I1", **row._mapping} for row in rows]


def _unexplained_reserves() -> list[dict[str, Any]]:
    held = (
        select(StockHold.variant_id, StockHold.location_id, func.sum(StockHold.qty).label("held"))
        .where(StockHold.state == HoldState.ACTIVE)
        .group_by(StockHold.variant_id, StockHold.location_id)
        .subquery("held")
    )
    return _disagreements("I2", Stock.reserved, held, held.c.held)


def _unexplained_counts() -> list[dict[str, Any]]:
    moved = (
        select(StockMove.variant_id, StockMove.location_id, func.sum(StockMove.delta).label("moved"))
        .group_by(StockMove.variant_id, StockMove.location_id)
        .subquery("moved")
    )
    return _disagreements("I3", Stock.on_hand, moved, moved.c.moved)


def _disagreements(invariant: str, counted: Any, summed: Any, total: Any) -> list[dict[str, Any]]:
    """Rows where a count and the sum that explains it differ, whichever of the two is missing."""
    stock = select(Stock.variant_id, Stock.location_id, counted.label("counted")).subquery("counts")
    here = and_(stock.c.variant_id == summed.c.variant_id, stock.c.location_id == summed.c.location_id)
    rows = db.session.execute(
        select(
            func.coalesce(stock.c.variant_id, summed.c.variant_id).label("variant_id"),
            func.coalesce(stock.c.location_id, summed.c.location_id).label("location_id"),
            func.coalesce(stock.c.counted, 0).label("counted"),
            func.coalesce(total, 0).label("explained"),
        )
        .select_from(stock.join(summed, here, full=True))
        .where(func.coalesce(stock.c.counted, 0) != func.coalesce(total, 0))
    )
    return [{"invariant": invariant, **row._mapping} for row in rows]
