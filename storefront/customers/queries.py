"""Reading customers: columns into frozen records, never entities."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from storefront.customers.models import Customer
from storefront.kernel.db import db


@dataclass(frozen=True, slots=True)
class Identity:
    """What a log-in needs to know of its customer."""

    id: int
    name: str
    epoch: int


def customer_identity(customer_id: int) -> Identity | None:
    """The identity behind a log-in, or None when the customer is gone or was erased."""
    row = db.session.execute(
        select(Customer.id, Customer.name, Customer.epoch).where(
            Customer.id == customer_id, Customer.erased_at.is_(None)
        )
    ).first()
    return Identity(row.id, row.name, row.epoch) if row else None
