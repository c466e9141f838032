"""Reads around a shop: the arcade's doors, who works here, who is invited, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storefront.kernel import clock
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db, engine_of
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop
from tenants.directory import ROUTED, the_directory
from tenants.models import Domain, Invitation, Membership, Role, ShopStatus, Staff, Tenant

DOORS = 24
TRAIL_PAGE = 50


@dataclass(frozen=True, slots=True)
class Door:
    """A shop by its name, address and colour."""

    slug: str
    name: str
    url: str
    hue: int
    status: ShopStatus


def _doors(*conditions: Any, order: Any, limit: int) -> dict[int, Door]:
    statement = (
        select(*ROUTED, Domain.host)
        .outerjoin(Domain, (Domain.tenant_id == Tenant.id) & Domain.is_primary)
        .where(*conditions)
        .order_by(order, Tenant.id)
        .limit(limit)
    )
    with engine_of("router").connect() as connection:
        rows = connection.execute(statement).all()
    made = the_directory()
    return {
        row.id: Door(row.slug, row.name, made.shop_from(row, row.host).base_url, row.hue, ShopStatus(row.status))
        for row in rows
    }


def open_doors() -> list[Door]:
    """The shops a visitor may enter, the latest to open first."""
    return list(
        _doors(Tenant.status == ShopStatus.LIVE, order=Tenant.published_at.desc().nulls_last(), limit=DOORS).values()
    )


def shop_names(shop_ids: Iterable[int]) -> dict[int, Door]:
    """These shops by id, by name."""
    wanted = sorted(set(shop_ids))
    return _doors(Tenant.id.in_(wanted), order=Tenant.name, limit=200) if wanted else {}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the shop's staff. `code` names them in addresses."""

    id: int
    code: str
    name: str
    email: str | None
    phone: str | None
    role: Role
    since: datetime


def team() -> list[Member]:
    """The staff of the shop in scope, owners first."""
    rows = db.session.execute(
        select(Staff.id, Staff.code, Staff.name, Staff.email, Staff.phone, Membership.role, Membership.created_at)
        .join(Membership, Membership.staff_id == Staff.id)
        .where(Membership.tenant_id == current_shop().id)
        .order_by(Membership.created_at, Staff.id)
    )
    ranks = list(Role)
    return sorted((Member(*row) for row in rows), key=lambda member: ranks.index(member.role))


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """A link that nobody has used yet."""

    code: str
    name: str
    role: Role
    expires_at: datetime


def open_invitations() -> list[OpenInvitation]:
    """Links of the shop in scope that still work."""
    rows = db.session.execute(
        select(Invitation.code, Invitation.name, Invitation.role, Invitation.expires_at)
        .where(Invitation.accepted_at.is_(None), Invitation.expires_at > clock.now())
        .order_by(Invitation.id.desc())
    )
    return [OpenInvitation(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One line of the audit trail."""

    at: datetime
    subject_type: str
    subject_id: str
    verb: str
    actor_kind: str
    actor_label: str
    facts: dict[str, Any]


def trail(number: int, subject_type: str = "") -> Page[TrailLine]:
    """One page of what was done in the shop in scope, latest first; about one kind of thing, or all."""
    wanted = [LogEntry.subject_type == subject_type] if subject_type else []
    rows = db.session.execute(
        select(
            LogEntry.at, LogEntry.subject_type, LogEntry.subject_id, LogEntry.verb, LogEntry.actor_kind,
            LogEntry.actor_label, LogEntry.facts,
        )
        .where(*wanted)
        .order_by(LogEntry.id.desc())
        .limit(TRAIL_PAGE + 1)
        .offset((number - 1) * TRAIL_PAGE)
    )  # fmt: skip
    return Page.of([TrailLine(*row) for row in rows], number, TRAIL_PAGE)


def trail_kinds() -> list[str]:
    """The kinds of things the shop's trail speaks of."""
    return sorted(db.session.scalars(select(LogEntry.subject_type).distinct()))


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host name of the shop. `proof` is what the TXT record must say."""

    host: str
    proof: str
    is_primary: bool
    verified_at: datetime | None
    checked_at: datetime | None


def hosts() -> list[HostRow]:
    """The host names the shop in scope has or wants."""
    rows = db.session.execute(
        select(Domain.host, Domain.proof, Domain.is_primary, Domain.verified_at, Domain.checked_at)
        .where(Domain.tenant_id == current_shop().id)
        .order_by(Domain.id)
    )
    return [HostRow(*row) for row in rows]


def suspension_reason() -> str | None:
    """Why an operator has closed the shop in scope; None when none has."""
    return db.session.scalar(select(Tenant.suspended_reason).where(Tenant.id == current_shop().id))
