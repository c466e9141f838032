"""What promotions know of a person: which they used. Counts and amounts stay for the books, without whose they were."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import db
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.promotions.buyers import Buyer, is_theirs
from storefront.promotions.models import Redemption


def _of(subject: Subject) -> Any:
    return is_theirs(Buyer(subject.customer_id, subject.phone, subject.email).person)


def export(subject: Subject) -> Rows:
    """Promotions they used."""
    currency = current_shop().currency
    rows = db.session.execute(
        select(Redemption.name, Redemption.amount_minor, Redemption.at).where(_of(subject)).order_by(Redemption.at)
    )
    return {
        "promociones": [
            {"promoción": row.name, "descuento": str(Money(row.amount_minor, currency).amount), "fecha": row.at}
            for row in rows
        ]
    }


def erase(subject: Subject) -> None:
    """Forget whose uses they were."""
    db.session.execute(
        update(Redemption)
        .where(_of(subject))
        .values(customer_id=None, phone_key=None, email_key=None)
        .execution_options(synchronize_session=False)
    )
