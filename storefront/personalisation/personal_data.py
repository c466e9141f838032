"""What personalisation knows of a customer: the tastes they chose and, with their leave, what they looked at."""

from __future__ import annotations

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import db
from storefront.personalisation import actions
from storefront.personalisation.models import Interaction, Preference, Profile


def export(subject: Subject) -> Rows:
    """Tastes and history."""
    if subject.customer_id is None:
        return {}
    mine = select(Profile.id).where(Profile.customer_id == subject.customer_id)
    tastes = db.session.execute(
        select(Preference.tag, Preference.at).where(Preference.profile_id.in_(mine)).order_by(Preference.id)
    )
    history = db.session.execute(
        select(Product.name, Interaction.kind, Interaction.at)
        .join(Product, (Product.tenant_id == Interaction.tenant_id) & (Product.id == Interaction.product_id))
        .where(Interaction.profile_id.in_(mine))
        .order_by(Interaction.at)
    )
    return {
        "gustos": [{"gusto": row.tag, "fecha": row.at} for row in tastes],
        "historia": [{"producto": row.name, "qué": str(row.kind), "fecha": row.at} for row in history],
    }


def erase(subject: Subject) -> None:
    """Delete the profile with everything that hangs on it."""
    if subject.customer_id is not None:
        actions.forget(None, subject.customer_id)
