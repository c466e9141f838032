"""What drafts know of a person: for whom something was prepared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.drafts.models import Draft
from storefront.kernel.db import db


def _theirs(subject: Subject) -> Any:
    """Drafts for a telephone or an address that is certainly the person's; none without one."""
    found: list[ColumnElement[bool]] = [false()]
    if subject.phone:
        found.append(Draft.phone == subject.phone)
    if subject.email:
        found.append(func.lower(Draft.email) == subject.email.lower())
    return or_(*found)


def export(subject: Subject) -> Rows:
    """What was prepared for them."""
    rows = db.session.execute(
        select(Draft.name, Draft.phone, Draft.email, Draft.words, Draft.address, Draft.created_at)
        .where(_theirs(subject))
        .order_by(Draft.id)
    )
    return {
        "borradores": [
            {
                "nombre": row.name, "teléfono": row.phone, "correo": row.email, "nota": row.words,
                "dirección": row.address, "fecha": row.created_at,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget for whom it was; what was prepared is nobody's."""
    db.session.execute(
        update(Draft)
        .where(_theirs(subject))
        .values(name="", phone=None, email=None, words="", address=None)
        .execution_options(synchronize_session=False)
    )
