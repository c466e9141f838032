"""Tidying: holds past their time are freed by whoever needs their places; this keeps the lists short for everyone."""

from __future__ import annotations

from storefront.kernel.jobs import periodic
from storefront.reservations import actions


@periodic("reservations.expire_overdue", every_s=60)
def expire_overdue() -> None:
    """Give back places whose hold ran out."""
    actions.expire_overdue()
