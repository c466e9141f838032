"""The four digits a customer tells the rider: checked with a lock after five wrong tries."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from sqlalchemy import select

from storefront.delivery.models import Assignment, Shipment
from storefront.delivery.scopes import scoped_partner_id
from storefront.delivery.states import AssignmentState
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import NotFound

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """Whether a code was right; if not, how many tries are left, or for how many seconds nobody may try."""

    is_right: bool
    tries_left: int = TRIES
    locked_s: int = 0


def new_delivery_code() -> str:
    """Four random digits."""
    return f"{secrets.randbelow(10_000):04d}"


def check(shipment: Shipment, typed: str | None) -> CodeCheck:
    """Compare a code with that of a locked shipment and count the try, in the caller's transaction.

    Once it was right it stays right. While locked even the right code is refused.
    """
    at = clock.now()
    if shipment.code_ok_at is not None:
        return CodeCheck(True)
    if shipment.code_locked_until is not None and shipment.code_locked_until > at:
        return CodeCheck(False, 0, int((shipment.code_locked_until - at).total_seconds()) + 1)
    digits = "".join(c for c in typed or "" if c.isdigit())
    if compare_digest(digits, shipment.delivery_code):
        shipment.code_ok_at, shipment.code_tries, shipment.code_locked_until = at, 0, None
        if shipment.attention == "code_locked":
            shipment.attention = None
        return CodeCheck(True)
    shipment.code_tries += 1
    if shipment.code_tries < TRIES:
        return CodeCheck(False, TRIES - shipment.code_tries)
    shipment.code_tries, shipment.code_locked_until = 0, at + LOCKED_FOR
    shipment.attention = "code_locked"
    note("shipment", shipment.code, "code_locked", Actor("system", None, "Portales"))
    return CodeCheck(False, 0, int(LOCKED_FOR.total_seconds()))


def verify(assignment_ref: str, typed: str) -> CodeCheck:
    """Check the code for a parcel of the partner in scope (its shop in scope too). Wrong tries are counted for good.

    Raises NotFound for an assignment that is not, or no longer, this partner's work.
    """
    with transaction():
        shipment_id = db.session.scalar(
            select(Assignment.shipment_id).where(
                Assignment.partner_id == scoped_partner_id(),
                Assignment.ref == assignment_ref,
                Assignment.state.in_((AssignmentState.ACTIVE, AssignmentState.COMPLETED)),
            )
        )
        if shipment_id is None:
            raise NotFound
        [shipment] = lock_rows(Shipment, [shipment_id])
        return check(shipment, typed)
