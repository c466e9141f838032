"""A shop's customers, the places they have things sent to, and what they allowed, when, and in which words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk


class Customer(ShopOwned, Model):
    """Somebody who buys in this shop, known by a contact they proved or gave. `epoch` ends their log-ins when raised."""

    __tablename__ = "customers"
    __table_args__ = (
        Index("uq_customers_email", "tenant_id", text("lower(email)"), unique=True),
        UniqueConstraint("tenant_id", "phone"),
        UniqueConstraint("tenant_id", "code"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str | None]
    phone: Mapped[str | None]
    locale: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class Address(ShopOwned, Model):
    """A place a customer keeps for the next order; `details` is a PostalAddress as JSON."""

    __tablename__ = "addresses"
    __table_args__ = (shop_fk("customer_id", "customers", ondelete="CASCADE"), UniqueConstraint("tenant_id", "code"))

    id: Mapped[int] = identity_pk()
    code: Mapped[str]
    customer_id: Mapped[int]
    label: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]]
    used_at: Mapped[datetime]


class Consent(ShopOwned, Model):
    """One "yes" or "no" of a customer or a visitor, with the text they saw. Append-only: the latest one counts."""

    __tablename__ = "consents"
    __append_only__ = True
    __table_args__ = (Index("ix_consents_subject", "tenant_id", "subject", "purpose", "id"),)

    id: Mapped[int] = identity_pk()
    subject: Mapped[str]
    purpose: Mapped[str]
    granted: Mapped[bool]
    text_shown: Mapped[str]
    at: Mapped[datetime]


class LoginCode(ShopOwned, Model):
    """A one-time code on its way to a contact. Only its hash is kept; five wrong tries end it."""

    __tablename__ = "login_codes"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_login_codes_contact", "tenant_id", "contact", "id"),
    )

    id: Mapped[int] = identity_pk()
    contact: Mapped[str]
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
