"""What carts know of a person: which one is theirs. An old cart's content is no secret worth exporting."""

from __future__ import annotations

from sqlalchemy import delete

from storefront.cart.models import Cart
from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import db


def export(_subject: Subject) -> Rows:
    """Nothing: what was ordered is among the orders."""
    return {}


def erase(subject: Subject) -> None:
    """Drop their carts; a time that is still held ends by its own clock."""
    if subject.customer_id is not None:
        db.session.execute(
            delete(Cart).where(Cart.customer_id == subject.customer_id).execution_options(synchronize_session=False)
        )
