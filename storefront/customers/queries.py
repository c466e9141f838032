"""Reading customers: columns into frozen records, never entities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from storefront.customers.address import PostalAddress
from storefront.customers.models import Address, Customer
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.ids import normal_code
from storefront.kernel.paging import Page

PAGE_SIZE = 25


class NoSuchCustomer(NotFound):
    """There is no such customer in this shop, or not any more."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a log-in needs to know of its customer."""

    id: int
    name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer as their own pages and the shop's read them."""

    id: int
    code: str
    name: str
    email: str | None
    phone: str | None
    locale: str | None
    created_at: datetime

    @property
    def shown_name(self) -> str:
        """How to call them: by name, else by the contact they have."""
        return self.name or self.email or self.phone or self.code


@dataclass(frozen=True, slots=True)
class KeptAddress:
    """A place a customer keeps."""

    code: str
    label: str
    address: PostalAddress
    used_at: datetime


_COLUMNS = (
    Customer.id,
    Customer.code,
    Customer.name,
    Customer.email,
    Customer.phone,
    Customer.locale,
    Customer.created_at,
)


def customer_identity(customer_id: int) -> Identity | None:
    """The identity behind a log-in, or None when the customer is gone or was erased."""
    row = db.session.execute(
        select(Customer.id, Customer.name, Customer.epoch).where(
            Customer.id == customer_id, Customer.erased_at.is_(None)
        )
    ).first()
    return Identity(row.id, row.name, row.epoch) if row else None


def customer_by_id(customer_id: int) -> CustomerView:
    """A customer. Raises NoSuchCustomer, also for one who was erased."""
    return _customer(Customer.id == customer_id)


def customer_by_code(code: str) -> CustomerView:
    """The customer with this code, however it was typed. Raises NoSuchCustomer."""
    return _customer(Customer.code == normal_code(code))


def _customer(which: ColumnElement[bool]) -> CustomerView:
    row = db.session.execute(select(*_COLUMNS).where(which, Customer.erased_at.is_(None))).first()
    if row is None:
        raise NoSuchCustomer
    return CustomerView(*row)


def customer_list(page: int, search: str = "") -> Page[CustomerView]:
    """One page of the shop's customers, newest first; `search` finds a part of a name, an address or a number."""
    wanted: list[ColumnElement[bool]] = [Customer.erased_at.is_(None)]
    if search.strip():
        wanted.append(_matching(search.strip()[:60]))
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(*wanted)
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    return Page.of([CustomerView(*row) for row in rows], page, PAGE_SIZE)


def _matching(typed: str) -> ColumnElement[bool]:
    escaped = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: list[ColumnElement[bool]] = [
        Customer.name.ilike(f"%{escaped}%", escape="\\"),
        Customer.email.ilike(f"%{escaped}%", escape="\\"),
        Customer.code == normal_code(typed),
    ]
    digits = "".join(c for c in typed if c.isdigit())
    if len(digits) >= 4:  # fewer digits are in everybody's number
        found.append(Customer.phone.like(f"%{digits}%"))
    return or_(*found)


def addresses_of(customer_id: int) -> list[KeptAddress]:
    """The places a customer keeps, the one used last first."""
    rows = db.session.execute(
        select(Address.code, Address.label, Address.details, Address.used_at)
        .where(Address.customer_id == customer_id)
        .order_by(Address.used_at.desc(), Address.id.desc())
    )
    return [_kept(row) for row in rows]


def address_of(customer_id: int, code: str) -> KeptAddress:
    """One of a customer's places. Raises NotFound, also for somebody else's."""
    row = db.session.execute(
        select(Address.code, Address.label, Address.details, Address.used_at).where(
            Address.customer_id == customer_id, Address.code == code
        )
    ).first()
    if row is None:
        raise NotFound
    return _kept(row)


def _kept(row: Any) -> KeptAddress:
    return KeptAddress(row.code, row.label, PostalAddress.from_dict(row.details), row.used_at)
