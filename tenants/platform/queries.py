"""What operators read: every shop at once, always inside `across_shops` and always written down (see `access_log`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select

from storefront.catalogue.models import Product
from storefront.customers.models import Customer
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.inbox import GIVEN_UP, InboxRow
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.paging import Page
from storefront.orders.models import Order
from storefront.payments.models import Difference
from storefront.reservations.models import Booking
from tenants.models import Domain, Membership, OperatorAccess, Role, ShopStatus, Staff, Tenant

SHOPS_PAGE, LOG_PAGE, LETTERS_PAGE = 50, 50, 50


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A shop in the list."""

    id: int
    slug: str
    name: str
    country: str
    status: ShopStatus
    created_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShopFile:
    """Everything an operator may know of a shop: facts and counts, no customer's data."""

    line: ShopLine
    suspended_reason: str | None
    currency: str
    timezone: str
    payment_methods: tuple[str, ...]
    has_card_account: bool
    hosts: tuple[tuple[str, bool], ...]
    staff: tuple[tuple[str, Role], ...]
    counts: dict[str, int]


_LINE = (
    Tenant.id, Tenant.slug, Tenant.name, Tenant.country, Tenant.status, Tenant.created_at, Tenant.published_at,
)  # fmt: skip


def shop_lines(search: str, status: str, number: int) -> Page[ShopLine]:
    """One page of shops, newest first; by a part of the name or address, by status."""
    wanted: list[Any] = []
    if search:
        escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        wanted.append(or_(Tenant.name.ilike(pattern, escape="\\"), Tenant.slug.ilike(pattern, escape="\\")))
    if status in set(ShopStatus):
        wanted.append(Tenant.status == status)
    rows = db.session.execute(
        select(*_LINE).where(*wanted).order_by(Tenant.id.desc()).limit(SHOPS_PAGE + 1).offset((number - 1) * SHOPS_PAGE)
    ).all()
    return Page.of([ShopLine(*row) for row in rows], number, SHOPS_PAGE)


def shop_file(slug: str) -> ShopFile:
    """One shop. Raises NotFound."""
    row = db.session.execute(
        select(
            *_LINE, Tenant.suspended_reason, Tenant.currency, Tenant.timezone, Tenant.payment_methods,
            Tenant.payment_account,
        ).where(Tenant.slug == slug)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound
    hosts = db.session.execute(select(Domain.host, Domain.verified_at).where(Domain.tenant_id == row.id))
    staff = db.session.execute(
        select(Staff.name, Membership.role)
        .join(Membership, Membership.staff_id == Staff.id)
        .where(Membership.tenant_id == row.id)
    )
    return ShopFile(
        line=ShopLine(*row[:7]),
        suspended_reason=row.suspended_reason,
        currency=row.currency,
        timezone=row.timezone,
        payment_methods=tuple(row.payment_methods),
        has_card_account=row.payment_account is not None,
        hosts=tuple((host, verified is not None) for host, verified in hosts),
        staff=tuple((name, role) for name, role in staff),
        counts=_counts(row.id),
    )


def _counts(shop_id: int) -> dict[str, int]:
    def count(model: Any, *conditions: Any) -> Any:
        return select(func.count()).select_from(model).where(model.tenant_id == shop_id, *conditions).scalar_subquery()

    waiting = (OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None))
    named = {
        "products": count(Product),
        "orders": count(Order),
        "bookings": count(Booking),
        "customers": count(Customer),
        "jobs_waiting": count(OutboxRow, *waiting),
        "jobs_dead": count(OutboxRow, OutboxRow.dead_at.is_not(None), OutboxRow.done_at.is_(None)),
        "differences_open": count(Difference, Difference.closed_at.is_(None)),
        "webhooks_waiting": count(InboxRow, InboxRow.handled_at.is_(None)),
    }
    row = db.session.execute(select(*(value.label(name) for name, value in named.items()))).one()
    return {name: int(getattr(row, name)) for name in named}


# --- the machinery --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """A job that gave up, or one that waits."""

    shop_id: int
    id: int
    slug: str
    event: str
    job: str
    attempts: int
    created_at: datetime
    dead_at: datetime | None
    last_error: str | None


def letters(number: int, *, dead: bool) -> Page[Letter]:
    """One page of dead letters, or of what waits to be done, oldest first."""
    condition = OutboxRow.dead_at.is_not(None) if dead else OutboxRow.dead_at.is_(None)
    rows = db.session.execute(
        select(
            OutboxRow.tenant_id, OutboxRow.id, Tenant.slug, OutboxRow.event, OutboxRow.job, OutboxRow.attempts,
            OutboxRow.created_at, OutboxRow.dead_at, OutboxRow.last_error,
        )
        .join(Tenant, Tenant.id == OutboxRow.tenant_id)
        .where(OutboxRow.done_at.is_(None), condition)
        .order_by(OutboxRow.created_at, OutboxRow.tenant_id, OutboxRow.id)
        .limit(LETTERS_PAGE + 1)
        .offset((number - 1) * LETTERS_PAGE)
    ).all()  # fmt: skip
    return Page.of([Letter(*row) for row in rows], number, LETTERS_PAGE)


@dataclass(frozen=True, slots=True)
class Backlog:
    """News of a payment provider that a shop has not dealt with."""

    slug: str
    source: str
    waiting: int
    oldest: datetime


def webhook_backlog() -> list[Backlog]:
    """Per shop and source, the longest waiting first."""
    oldest = func.min(InboxRow.received_at)
    rows = db.session.execute(
        select(Tenant.slug, InboxRow.source, func.count(), oldest)
        .join(Tenant, Tenant.id == InboxRow.tenant_id)
        .where(InboxRow.handled_at.is_(None))
        .group_by(Tenant.slug, InboxRow.source)
        .order_by(oldest)
        .limit(200)
    )
    return [Backlog(*row) for row in rows]


def shops_that_differ() -> list[tuple[str, int, date]]:
    """(shop, open differences, the oldest one's day) where provider, payments and books do not agree, most first."""
    many = func.count()
    rows = db.session.execute(
        select(Tenant.slug, many, func.min(Difference.day))
        .join(Tenant, Tenant.id == Difference.tenant_id)
        .where(Difference.closed_at.is_(None))
        .group_by(Tenant.slug)
        .order_by(many.desc(), Tenant.slug)
        .limit(200)
    )
    return [(row[0], row[1], row[2]) for row in rows]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """News of a payment provider about something no shop's books ever had. `about` is the provider's name for it."""

    slug: str
    source: str
    kind: str
    about: str
    received_at: datetime


def notices_given_up(number: int) -> Page[GivenUp]:
    """One page of notices nobody could follow, the latest first."""
    rows = db.session.execute(
        select(Tenant.slug, InboxRow.source, InboxRow.kind, InboxRow.payload, InboxRow.received_at)
        .join(Tenant, Tenant.id == InboxRow.tenant_id)
        .where(InboxRow.outcome == GIVEN_UP)
        .order_by(InboxRow.handled_at.desc(), InboxRow.tenant_id, InboxRow.id)
        .limit(LETTERS_PAGE + 1)
        .offset((number - 1) * LETTERS_PAGE)
    ).all()
    found = [
        GivenUp(row.slug, row.source, row.kind, str(row.payload.get("object_id", "")), row.received_at) for row in rows
    ]
    return Page.of(found, number, LETTERS_PAGE)


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the operators' log."""

    at: datetime
    operator: str
    reason: str
    path: str
    slug: str | None


def access_log(number: int) -> Page[Look]:
    """One page of what operators looked at and did, latest first."""
    rows = db.session.execute(
        select(OperatorAccess.at, OperatorAccess.operator_name, OperatorAccess.reason, OperatorAccess.path, Tenant.slug)
        .outerjoin(Tenant, Tenant.id == OperatorAccess.shop_id)
        .order_by(OperatorAccess.id.desc())
        .limit(LOG_PAGE + 1)
        .offset((number - 1) * LOG_PAGE)
    ).all()
    return Page.of([Look(*row) for row in rows], number, LOG_PAGE)
