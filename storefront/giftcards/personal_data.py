"""What gift cards know of a person: for whom one was made. What is on it stays for the books, without a name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.giftcards.models import GiftCard
from storefront.kernel.db import db
from storefront.kernel.money import Money


def _theirs(subject: Subject) -> Any:
    """Cards sent to an address that is certainly the person's; none without one."""
    return func.lower(GiftCard.recipient_email) == (subject.email or "").lower()


def export(subject: Subject) -> Rows:
    """Cards made for them."""
    rows = db.session.execute(
        select(
            GiftCard.ending, GiftCard.value_minor, GiftCard.balance_minor, GiftCard.currency, GiftCard.recipient_name,
            GiftCard.recipient_email, GiftCard.message, GiftCard.created_at, GiftCard.expires_at,
        )
        .where(_theirs(subject))
        .order_by(GiftCard.id)
    )  # fmt: skip
    return {
        "tarjetas de regalo": [
            {
                "termina en": row.ending, "valor": str(Money(row.value_minor, row.currency).amount),
                "saldo": str(Money(row.balance_minor, row.currency).amount), "moneda": row.currency,
                "para": row.recipient_name, "correo": row.recipient_email, "mensaje": row.message,
                "fecha": row.created_at, "vence": row.expires_at,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget for whom they were. Whoever has the code can still use what is on them."""
    db.session.execute(
        update(GiftCard)
        .where(_theirs(subject))
        .values(recipient_name="", recipient_email=None, message="")
        .execution_options(synchronize_session=False)
    )
