"""Who buys, as far as a promotion must know: enough to count one person's uses, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_

from storefront.kernel.tenancy import current_shop
from storefront.promotions.audiences import NOTHING_YET, History
from storefront.promotions.models import Redemption


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as redemptions know them: by account, and by fingerprints of telephone and mail address."""

    customer_id: int | None = None
    phone_key: str | None = None
    email_key: str | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer by number and contacts, and what they ordered here before."""

    customer_id: int | None = None
    phone: str | None = None
    email: str | None = None
    history: History = NOTHING_YET

    @property
    def person(self) -> Person:
        """The same, as it is written down."""
        return Person(self.customer_id, contact_key("phone", self.phone), contact_key("email", self.email))


ANYBODY = Buyer()
"""Somebody of whom nothing is known yet."""


def contact_key(kind: str, contact: str | None) -> str | None:
    """A fingerprint of a contact that is the same however it is spelled, and of use in this shop only."""
    normal = "".join((contact or "").split()).lower()
    return hashlib.sha256(f"{current_shop().id}:{kind}:{normal}".encode()).hexdigest() if normal else None


def is_theirs(who: Person) -> ColumnElement[bool]:
    """Which redemptions are this person's: by their account, their telephone or their mail address."""
    found: list[ColumnElement[bool]] = []
    if who.customer_id is not None:
        found.append(Redemption.customer_id == who.customer_id)
    if who.phone_key is not None:
        found.append(Redemption.phone_key == who.phone_key)
    if who.email_key is not None:
        found.append(Redemption.email_key == who.email_key)
    return or_(*found) if found else Redemption.id.is_(None)  # `false()` would swallow the shop, too
