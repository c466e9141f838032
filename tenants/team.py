"""Who works in a shop: invited by a link, given another role, taken off the team. A shop is never without an owner."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, select, update

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.faces import APP, face_url
from storefront.kernel.ids import token_hash
from storefront.kernel.tenancy import Shop, current_shop
from tenants.actions import join_shop
from tenants.directory import the_directory
from tenants.links import LinkSpent
from tenants.models import Invitation, Membership, Role, Staff, Tenant
from tenants.people import Credentials, find_or_prepare, profile_of, write_staff

INVITATION_LIFE = timedelta(days=7)
MOST_OPEN = 20


class LastOwner(Conflict):
    """A shop needs somebody who may do everything."""

    message = _l("La tienda se quedaría sin dueña ni dueño. Primero dale ese papel a otra persona.")


class TooManyInvitations(Conflict):
    """Twenty unused links are enough."""

    message = _l("Hay demasiadas invitaciones sin usar. Borra alguna antes de crear otra.")


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation offers, to whoever holds the link."""

    shop: Shop
    name: str
    role: Role


# --- invitations ----------------------------------------------------------------------------------------------------


def invite(name: str, role: Role, by: Actor, mark: str) -> str:
    """A new invitation: good once, for seven days. Returns its code; its address is `invitation_url` of the mark."""
    with transaction():
        unused = (Invitation.accepted_at.is_(None), Invitation.expires_at > clock.now())
        if len(db.session.scalars(select(Invitation.id).where(*unused)).all()) >= MOST_OPEN:
            raise TooManyInvitations
        at = clock.now()
        invitation = Invitation(
            token_hash=token_hash(_secret_of(mark)),
            name=name,
            role=role,
            expires_at=at + INVITATION_LIFE,
            created_at=at,
        )
        db.session.add(invitation)
        db.session.flush()
        note("invitation", invitation.code, "made", by, name=name, role=role.value)
    return invitation.code


def invitation_url(mark: str) -> str:
    """The address of the invitation that the form of this mark made. Stored nowhere: only that form leads to it."""
    return face_url(APP, f"/invitacion/{current_shop().slug}.{_secret_of(mark)}")


def _secret_of(mark: str) -> str:
    """A form sent twice leads to one link, which nobody can work out from what is stored."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    made = hmac.digest(key, f"invitation:{current_shop().id}:{mark}".encode(), "sha256")
    return urlsafe_b64encode(made[:24]).decode()


def withdraw(code: str, by: Actor) -> None:
    """Make an unused link worthless. Raises NotFound."""
    with transaction():
        gone = db.session.scalar(
            delete(Invitation)
            .where(Invitation.code == code, Invitation.accepted_at.is_(None))
            .returning(Invitation.name)
            .execution_options(synchronize_session=False)
        )
        if gone is None:
            raise NotFound
        note("invitation", code, "withdrawn", by, name=gone)


def shop_of_invitation(token: str) -> Shop:
    """The shop an invitation's link belongs to, before its scope is entered. Raises LinkSpent."""
    shop = the_directory().by_slug(token.partition(".")[0])
    if shop is None or not token.partition(".")[2]:
        raise LinkSpent
    return shop


def offer_of(token: str) -> Offer:
    """What the link offers, in the scope of its shop. Raises LinkSpent when it was used, withdrawn or is too old."""
    row = db.session.execute(select(Invitation.name, Invitation.role).where(*_usable(token))).first()
    if row is None:
        raise LinkSpent
    return Offer(current_shop(), row.name, row.role)


def _usable(token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.token_hash == token_hash(token.partition(".")[2]),
        Invitation.accepted_at.is_(None),
        Invitation.expires_at > clock.now(),
    )


def _use(token: str) -> Role:
    role = db.session.scalar(
        update(Invitation)
        .where(*_usable(token))
        .values(accepted_at=clock.now())
        .returning(Invitation.role)
        .execution_options(synchronize_session=False)
    )
    if role is None:
        raise LinkSpent
    return Role(role)


def accept_as(token: str, staff_id: int) -> None:
    """Use the invitation up for somebody who is logged in. Raises LinkSpent, AlreadyHere."""
    name = profile_of(staff_id).name
    with transaction():
        join_shop(staff_id, _use(token), Actor("staff", staff_id, name), name)


def accept(token: str, who: Credentials) -> int:
    """Use the invitation up with an account's password, or by making the account. Returns the person's id.

    Raises LinkSpent, NotYou, WeakPassword, AlreadyHere.
    """
    offer_of(token)
    staff_id, hashed = find_or_prepare(who)
    with transaction():
        role = _use(token)
        member_id = staff_id or write_staff(who, hashed)
        join_shop(member_id, role, Actor("staff", member_id, who.name), who.name)
    return member_id


# --- members --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    staff_id: int
    name: str
    role: Role


def _member(code: str) -> _Found:
    """A member by code, the shop's row locked first so that two owners cannot remove each other at once."""
    lock_rows(Tenant, [current_shop().id])
    row = db.session.execute(
        select(Staff.id, Staff.name, Membership.role)
        .join(Membership, Membership.staff_id == Staff.id)
        .where(Membership.tenant_id == current_shop().id, Staff.code == code)
    ).first()
    if row is None:
        raise NotFound
    return _Found(row.id, row.name, row.role)


def _keep_an_owner(leaving: _Found) -> None:
    if leaving.role is not Role.OWNER:
        return
    others = db.session.scalar(
        select(Membership.staff_id)
        .where(
            Membership.tenant_id == current_shop().id,
            Membership.role == Role.OWNER,
            Membership.staff_id != leaving.staff_id,
        )
        .limit(1)
    )
    if others is None:
        raise LastOwner


def change_role(code: str, role: Role, by: Actor) -> None:
    """Give a member another role. Raises NotFound, LastOwner."""
    with transaction():
        found = _member(code)
        if found.role is role:
            return
        _keep_an_owner(found)
        db.session.execute(update(Membership).where(*_mine(found)).values(role=role))
        note("staff", code, "role_changed", by, name=found.name, before=found.role.value, after=role.value)


def remove_member(code: str, by: Actor) -> None:
    """Take a person off this shop's staff; their account and other shops stay. Raises NotFound, LastOwner."""
    with transaction():
        found = _member(code)
        _keep_an_owner(found)
        db.session.execute(delete(Membership).where(*_mine(found)))
        note("staff", code, "removed", by, name=found.name, role=found.role.value)


def _mine(found: _Found) -> tuple[ColumnElement[bool], ...]:
    return Membership.tenant_id == current_shop().id, Membership.staff_id == found.staff_id
