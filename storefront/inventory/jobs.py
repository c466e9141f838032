"""Tidying: holds whose time is over already count for nothing; this makes the books say so."""

from __future__ import annotations

from storefront.inventory import actions
from storefront.kernel.jobs import periodic

MOST_ROUNDS = 20
"""Batches of holds in one run; what is left waits for the next minute."""


@periodic("inventory.release_expired", every_s=60)
def release_expired() -> None:
    """Give back expired holds, a batch per transaction, until a batch frees nothing."""
    for _round in range(MOST_ROUNDS):
        if actions.release_expired() == 0:
            return
