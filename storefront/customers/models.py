"""A shop's customers, the places they have things sent to, and what they allowed, when, and in which words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code


class Customer(ShopOwned, Model):
    """Somebody who buys in this shop. `epoch` ends their log-ins when raised.

    `email` was proved by a code or vouched for by the shop, so it names one person. `phone` is what they say it is:
    nobody can take a number away from its owner by typing it, and nothing is given to somebody for having typed it.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("uq_customers_email", "tenant_id", text("lower(email)"), unique=True),
        UniqueConstraint("tenant_id", "code"),
        Index("ix_customers_phone", "tenant_id", "phone"),
        Index("ix_customers_list", "tenant_id", text("created_at DESC"), text("id DESC")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
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
    __table_args__ = (
        shop_fk("customer_id", "customers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "code"),
        Index("ix_addresses_customer", "tenant_id", "customer_id", "used_at"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
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
    """A wish for a one-time code, and the code once it was sent. Five wrong tries end it.

    `contact` is what was typed: an address in lower case, or a number (E.164). `email` is where the code went; it stays
    empty, and no code is right, when nobody is known under the contact. `purpose` is "login", or "email:7" for the
    customer who wants to change their address. Only a keyed hash of the code is kept.
    """

    __tablename__ = "login_codes"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_login_codes_contact", "tenant_id", "contact", "id"),
    )

    id: Mapped[int] = identity_pk()
    purpose: Mapped[str]
    contact: Mapped[str]
    email: Mapped[str | None]
    locale: Mapped[str]
    code_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
