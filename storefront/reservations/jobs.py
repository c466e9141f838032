"""Tidying: holds past their time are freed by whoever needs their places; this keeps the lists short for everyone."""

from __future__ import annotations

from storefront.kernel import clock
from storefront.kernel.errors import Busy
from storefront.kernel.jobs import periodic
from storefront.reservations import actions
from storefront.reservations.queries import resources_with_overdue_holds


@periodic("reservations.expire_overdue", every_s=60)
def expire_overdue() -> None:
    """Give back places whose hold ran out. A resource that is busy just now can wait for the next round."""
    for resource_id in resources_with_overdue_holds(clock.now()):
        try:
            actions.expire_overdue(resource_id)
        except Busy:
            continue
