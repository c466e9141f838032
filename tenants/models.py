"""The rows around a shop: the account that rents it, its hosts, its staff, and the platform's operators.

`tenants` is readable to the application's role only for the shop in scope; before a scope is known, the router role
reads the few columns it needs. People (`staff`) belong to no shop: a membership joins them to one.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, Shared, ShopOwned, identity_pk
from storefront.kernel.ids import new_code

TENANT_IDS = Sequence("tenant_ids", metadata=Model.metadata, start=1)
"""A shop's id is drawn before its row exists, so that the row is written inside its own scope."""


class ShopStatus(StrEnum):
    """Draft: only its staff sees it. Live: open to everyone. Suspended: closed by an operator. Closed: by its owner."""

    DRAFT = "draft"
    LIVE = "live"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Role(StrEnum):
    """What a member of staff is to a shop; permissions.py says what each may do."""

    OWNER = "owner"
    MANAGER = "manager"
    CLERK = "clerk"


class Tenant(Shared, Model):
    """A shop's row: its address, country presets and settings. `Shop` (kernel) is its snapshot."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("hue BETWEEN 0 AND 359", name="hue"),
        CheckConstraint("tax_rate_bp BETWEEN 0 AND 5000", name="tax_rate"),
        CheckConstraint("packaging_minor >= 0", name="packaging"),
        CheckConstraint("deposit_percent BETWEEN 0 AND 90 AND deposit_minor >= 0", name="deposit"),
        CheckConstraint("deposit_percent = 0 OR deposit_minor = 0", name="deposit_is_one"),
        CheckConstraint("gift_least_minor >= 0 AND gift_most_minor >= gift_least_minor", name="gift"),
        CheckConstraint(
            "deposit_rest_days BETWEEN 1 AND 90 AND deposit_refund_days BETWEEN 0 AND 90", name="deposit_days"
        ),
        CheckConstraint("return_days BETWEEN 0 AND 365", name="return_days"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    status: Mapped[ShopStatus] = mapped_column(default=ShopStatus.DRAFT)
    suspended_reason: Mapped[str | None]
    country: Mapped[str]
    currency: Mapped[str]
    locale: Mapped[str]
    locales: Mapped[list[str]] = mapped_column(default=list)
    timezone: Mapped[str]
    tax_rate_bp: Mapped[int]
    payment_methods: Mapped[list[str]] = mapped_column(default=list)
    payment_account: Mapped[str | None] = mapped_column(unique=True)
    bank_details: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    hours: Mapped[str] = mapped_column(default="")
    tagline: Mapped[str] = mapped_column(default="")
    theme: Mapped[str] = mapped_column(default="mostrador")
    hue: Mapped[int] = mapped_column(default=35)
    cover_key: Mapped[str | None]
    tastes: Mapped[list[str]] = mapped_column(default=list)
    packaging_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    packaging_for: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    takes_tips: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    tip_percents: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    tax_rates: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    prices_include_tax: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    deposit_percent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    deposit_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    deposit_rest_days: Mapped[int | None]
    deposit_refund_days: Mapped[int | None]
    return_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    return_policy: Mapped[str] = mapped_column(default="", server_default=text("''"))
    gift_amounts: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    gift_least_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    gift_most_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class Domain(Shared, Model):
    """A shop's own host name. It serves nothing until its TXT record was seen (`verified_at`).

    Several shops may claim a host, one can have it: claims alone keep nobody out. Links lead to the one that
    `is_primary`. `missed` counts the daily looks in a row that did not find the record any more.
    """

    __tablename__ = "domains"
    __table_args__ = (
        UniqueConstraint("tenant_id", "host"),
        Index("uq_domains_verified", "host", unique=True, postgresql_where=text("verified_at IS NOT NULL")),
        Index("uq_domains_primary", "tenant_id", unique=True, postgresql_where=text("is_primary")),
        CheckConstraint("verified_at IS NOT NULL OR NOT is_primary", name="primary_is_verified"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    host: Mapped[str]
    proof: Mapped[str]
    is_primary: Mapped[bool] = mapped_column(default=False)
    missed: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Staff(Shared, Model):
    """A person who works in one shop or several. `epoch` grows when every session of theirs must end."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="contact"),
        Index("uq_staff_email", text("lower(email)"), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(default=new_code, unique=True)
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str]
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class LinkPurpose(StrEnum):
    """What a one-use link does: log in on the other face, choose a new password, confirm an e-mail address."""

    HANDOVER = "handover"
    RESET = "reset"
    EMAIL = "email"


class StaffLink(Shared, Model):
    """A link that works once, for one person and one purpose, for a short time; using it removes the row.

    `epoch` is the person's when it was made: a new password makes every older link worthless. `shop_id` is where a
    handover leads, `address` the e-mail a confirmation is about.
    """

    __tablename__ = "staff_links"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_staff_links_expiry", "expires_at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_hash: Mapped[str]
    purpose: Mapped[LinkPurpose]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    epoch: Mapped[int]
    shop_id: Mapped[int | None]
    address: Mapped[str | None]
    expires_at: Mapped[datetime]


class Membership(Shared, Model):
    """A person's role in a shop. Read before the shop is chosen, so it is a shared table keyed by person and shop."""

    __tablename__ = "memberships"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    role: Mapped[Role]
    created_at: Mapped[datetime]


class Invitation(ShopOwned, Model):
    """A link that makes whoever opens it a member of staff, once, for a few days."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("tenant_id", "token_hash"), UniqueConstraint("tenant_id", "code"))

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    token_hash: Mapped[str]
    name: Mapped[str]
    role: Mapped[Role]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Operator(Shared, Model):
    """Somebody who runs the platform."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class OperatorAccess(Shared, Model):
    """One look or act of an operator, with its reason. Append-only."""

    __tablename__ = "operator_access"
    __append_only__ = True

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    operator_name: Mapped[str]
    reason: Mapped[str]
    path: Mapped[str]
    shop_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]]
