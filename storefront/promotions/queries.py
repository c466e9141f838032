"""Which promotions hold for a cart right now, as data for `pricing`; and what the owner sees of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop
from storefront.pricing.discounts import Discount, Kind, WhyNot
from storefront.promotions.audiences import Audience, barred
from storefront.promotions.buyers import ANYBODY, Buyer, is_theirs
from storefront.promotions.models import Promotion, PromotionTarget, Redemption

PAGE_SIZE = 25
LONGEST_COUPON = 24


class Trouble(StrEnum):
    """Why a typed coupon is no good at the moment, whatever is in the cart."""

    OVER = "over"
    NOT_YET = "not_yet"
    USED_BY_YOU = "used_by_you"


@dataclass(frozen=True, slots=True)
class Offers:
    """What may come off a cart. `coupon` is the code that was typed, `coupon_id` its promotion."""

    discounts: tuple[Discount, ...] = ()
    coupon: str | None = None
    coupon_id: int | None = None
    trouble: Trouble | None = None


NONE = Offers()


# --- for a cart ---------------------------------------------------------------------------------------------------


def open_now(at: datetime) -> ColumnElement[bool]:
    """Switched on, begun, and not over."""
    return and_(
        Promotion.active,
        or_(Promotion.starts_at.is_(None), Promotion.starts_at <= at),
        or_(Promotion.ends_at.is_(None), Promotion.ends_at > at),
    )


def offers(coupon: str | None, buyer: Buyer = ANYBODY) -> Offers:
    """Every automatic promotion that is open, and the promotion of the typed coupon. One statement."""
    at = clock.now()
    by_itself = and_(Promotion.coupon.is_(None), open_now(at))
    wanted = by_itself if coupon is None else or_(by_itself, Promotion.coupon == coupon)
    uses = (
        select(func.count())
        .where(
            Redemption.tenant_id == Promotion.tenant_id,
            Redemption.promotion_id == Promotion.id,
            Redemption.given_back_at.is_(None),
            is_theirs(buyer.person),
        )
        .correlate(Promotion)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Promotion.id, Promotion.coupon, Promotion.name, Promotion.kind, Promotion.value, Promotion.minimum_minor,
            Promotion.limited, Promotion.audience, Promotion.audience_number, Promotion.combines, Promotion.starts_at,
            Promotion.ends_at, Promotion.active, Promotion.usage_limit, Promotion.per_customer, Promotion.budget_minor,
            Promotion.used, Promotion.given_minor, uses.label("uses"),
            _targets(PromotionTarget.category_id).label("category_ids"),
            _targets(PromotionTarget.product_id).label("product_ids"),
        ).where(wanted).order_by(Promotion.id)
    ).all()  # fmt: skip
    found = {row.id: _trouble(row, at) for row in rows}
    good = tuple(
        _discount(row, barred(row.audience, row.audience_number, buyer.history, at))
        for row in rows
        if found[row.id] is None
    )
    typed = next((row.id for row in rows if coupon is not None and row.coupon == coupon), None)
    trouble = found[typed] if typed is not None else Trouble.OVER if coupon is not None else None
    return Offers(good, coupon, typed, trouble)


def agreed(order_id: int) -> list[Discount]:
    """The promotions that an order has, as they stand today, for its lines when they change: an open period, a limit
    or whom they are for are no question any more, and what it already has of a budget is its own."""
    rows = db.session.execute(
        select(
            Promotion.id, Promotion.coupon, Redemption.name, Promotion.kind, Promotion.value, Promotion.minimum_minor,
            Promotion.limited, Promotion.combines, Promotion.budget_minor,
            (Promotion.given_minor - Redemption.amount_minor).label("given_minor"),
            _targets(PromotionTarget.category_id).label("category_ids"),
            _targets(PromotionTarget.product_id).label("product_ids"),
        )
        .join(
            Redemption,
            (Redemption.tenant_id == Promotion.tenant_id) & (Redemption.promotion_id == Promotion.id),
        )
        .where(Redemption.order_id == order_id, Redemption.given_back_at.is_(None))
        .order_by(Promotion.id)
    )  # fmt: skip
    return [_discount(row) for row in rows]


def coupon_exists(code: str) -> bool:
    """Whether an open or coming promotion has this code."""
    at = clock.now()
    coming = and_(Promotion.active, or_(Promotion.ends_at.is_(None), Promotion.ends_at > at))
    return db.session.scalar(select(Promotion.id).where(Promotion.coupon == code, coming)) is not None


def _targets(column: Any) -> Any:
    return (
        select(func.array_agg(column))
        .where(
            PromotionTarget.tenant_id == Promotion.tenant_id,
            PromotionTarget.promotion_id == Promotion.id,
            column.is_not(None),
        )
        .correlate(Promotion)
        .scalar_subquery()
    )


def _trouble(row: Any, at: datetime) -> Trouble | None:
    spent = row.budget_minor is not None and row.given_minor >= row.budget_minor
    used_up = row.usage_limit is not None and row.used >= row.usage_limit
    if not row.active or used_up or spent or (row.ends_at is not None and row.ends_at <= at):
        return Trouble.OVER
    if row.starts_at is not None and row.starts_at > at:
        return Trouble.NOT_YET
    most = most_uses(row.per_customer, row.audience)
    return Trouble.USED_BY_YOU if most is not None and row.uses >= most else None


def most_uses(per_customer: int | None, audience: Audience) -> int | None:
    """How often one person may use a promotion; what is for a first order is used once."""
    return 1 if audience is Audience.FIRST_ORDER else per_customer


def _discount(row: Any, why_not: WhyNot | None = None) -> Discount:
    return Discount(
        id=row.id,
        name=row.name,
        kind=row.kind,
        value=row.value,
        minimum_minor=row.minimum_minor,
        limited=row.limited,
        category_ids=frozenset(row.category_ids or ()),
        product_ids=frozenset(row.product_ids or ()),
        barred=why_not,
        combines=row.combines,
        left_minor=None if row.budget_minor is None else row.budget_minor - row.given_minor,
        is_coupon=row.coupon is not None,
    )


def names_of(order_id: int) -> list[tuple[str, int]]:
    """What came off an order: names as they were then, and amounts in minor units."""
    rows = db.session.execute(
        select(Redemption.name, Redemption.amount_minor).where(Redemption.order_id == order_id).order_by(Redemption.id)
    )
    return [(row.name, row.amount_minor) for row in rows]


# --- for the owner ------------------------------------------------------------------------------------------------


class State(StrEnum):
    """Where a promotion stands today."""

    ON = "on"
    NOT_YET = "not_yet"
    OVER = "over"
    USED_UP = "used_up"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """A promotion as the owner sees it."""

    id: int
    code: str
    coupon: str | None
    name: str
    kind: Kind
    value: int
    minimum_minor: int
    limited: bool
    audience: Audience
    audience_number: int | None
    combines: bool
    starts_at: datetime | None
    ends_at: datetime | None
    active: bool
    usage_limit: int | None
    per_customer: int | None
    budget_minor: int | None
    used: int
    given_minor: int
    version: int
    category_ids: tuple[int, ...]
    product_ids: tuple[int, ...]

    @property
    def given(self) -> Money:
        """What it has taken off orders that stand."""
        return Money(self.given_minor, current_shop().currency)

    @property
    def state(self) -> State:
        """Where it stands now."""
        at = clock.now()
        if not self.active:
            return State.OFF
        if self.ends_at is not None and self.ends_at <= at:
            return State.OVER
        full = self.usage_limit is not None and self.used >= self.usage_limit
        if full or (self.budget_minor is not None and self.given_minor >= self.budget_minor):
            return State.USED_UP
        return State.NOT_YET if self.starts_at is not None and self.starts_at > at else State.ON


def promotion_list(page: int) -> Page[PromotionRow]:
    """One page of promotions, the newest first."""
    rows = _rows(limit=PAGE_SIZE + 1, offset=(page - 1) * PAGE_SIZE)
    return Page.of(rows, page, PAGE_SIZE)


def promotion_by_code(code: str) -> PromotionRow:
    """One promotion. Raises NotFound."""
    found = _rows(Promotion.code == code)
    if not found:
        raise NotFound
    return found[0]


def _rows(*conditions: ColumnElement[bool], limit: int = 1, offset: int = 0) -> list[PromotionRow]:
    rows = db.session.execute(
        select(
            Promotion.id, Promotion.code, Promotion.coupon, Promotion.name, Promotion.kind, Promotion.value,
            Promotion.minimum_minor, Promotion.limited, Promotion.audience, Promotion.audience_number,
            Promotion.combines, Promotion.starts_at, Promotion.ends_at, Promotion.active, Promotion.usage_limit,
            Promotion.per_customer, Promotion.budget_minor, Promotion.used, Promotion.given_minor, Promotion.version,
            _targets(PromotionTarget.category_id).label("category_ids"),
            _targets(PromotionTarget.product_id).label("product_ids"),
        ).where(*conditions).order_by(Promotion.created_at.desc(), Promotion.id.desc()).limit(limit).offset(offset)
    ).all()  # fmt: skip
    return [_row(row._mapping) for row in rows]


def _row(columns: Any) -> PromotionRow:
    facts = dict(columns)
    facts |= {name: _in_order(facts[name]) for name in ("category_ids", "product_ids")}
    return PromotionRow(**facts)


def _in_order(ids: Iterable[int] | None) -> tuple[int, ...]:
    return tuple(sorted(ids or ()))


# --- what must always be true -------------------------------------------------------------------------------------


def invariants() -> Sequence[dict[str, Any]]:
    """I15: what a promotion counts is what was redeemed, and never more than its limits allow."""
    stands = and_(
        Redemption.tenant_id == Promotion.tenant_id,
        Redemption.promotion_id == Promotion.id,
        Redemption.given_back_at.is_(None),
    )
    count = func.count(Redemption.id)
    given = func.coalesce(func.sum(Redemption.amount_minor), 0)
    rows = db.session.execute(
        select(Promotion.code, count.label("count"), given.label("given"))
        .outerjoin(Redemption, stands)
        .group_by(
            Promotion.tenant_id, Promotion.id, Promotion.code, Promotion.used, Promotion.given_minor,
            Promotion.usage_limit, Promotion.budget_minor,
        )
        .having(
            or_(
                count != Promotion.used, given != Promotion.given_minor,
                count > Promotion.usage_limit, given > Promotion.budget_minor,
            )
        )
    )  # fmt: skip
    return [
        {"invariant": "I15", "promotion": row.code, "what": f"{row.count} redemptions of {row.given} do not add up"}
        for row in rows
    ]
