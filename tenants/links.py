"""One-use links for staff: made with a purpose, good once, dead with the next new password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, insert, select

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.ids import new_token, token_hash
from tenants.models import LinkPurpose, Staff, StaffLink

LIFE = {
    LinkPurpose.HANDOVER: timedelta(seconds=60),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.EMAIL: timedelta(hours=24),
}


class LinkSpent(Refusal):
    """The link was used, is too old, or never was one."""

    status = 410
    message = _l("Este enlace ya se usó o venció. Pide uno nuevo.")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link was for."""

    staff_id: int
    epoch: int
    shop_id: int | None
    address: str | None


def make_link(purpose: LinkPurpose, staff_id: int, *, shop_id: int | None = None, address: str | None = None) -> str:
    """A new token, good once. Only its hash is kept."""
    token = new_token()
    with transaction():
        epoch = db.session.scalar(select(Staff.epoch).where(Staff.id == staff_id))
        db.session.execute(
            insert(StaffLink).values(
                token_hash=token_hash(token),
                purpose=purpose,
                staff_id=staff_id,
                epoch=epoch,
                shop_id=shop_id,
                address=address,
                expires_at=clock.now() + LIFE[purpose],
            )
        )
    return token


def is_good(purpose: LinkPurpose, token: str) -> bool:
    """Whether a link would still work, without using it."""
    return db.session.scalar(select(StaffLink.id).where(*_good(purpose, token))) is not None


def claim_link(purpose: LinkPurpose, token: str) -> Claim:
    """Use a link up, in the caller's transaction or in one of its own. Raises LinkSpent, for whatever reason."""
    with transaction():
        row = db.session.execute(
            delete(StaffLink)
            .where(*_good(purpose, token))
            .returning(StaffLink.staff_id, StaffLink.epoch, StaffLink.shop_id, StaffLink.address)
            .execution_options(synchronize_session=False)
        ).first()
        if row is None:
            raise LinkSpent
        epoch = db.session.scalar(select(Staff.epoch).where(Staff.id == row.staff_id))
        if epoch != row.epoch:
            raise LinkSpent
    return Claim(row.staff_id, row.epoch, row.shop_id, row.address)


def _good(purpose: LinkPurpose, token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        StaffLink.token_hash == token_hash(token),
        StaffLink.purpose == purpose,
        StaffLink.expires_at > clock.now(),
    )


def forget_old_links() -> None:
    """Remove links that nobody used in time."""
    with transaction():
        db.session.execute(
            delete(StaffLink).where(StaffLink.expires_at < clock.now()).execution_options(synchronize_session=False)
        )
