"""Partners, their keys and their riders. Keys and PINs are shown once and kept only as digests."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from storefront.delivery.models import Partner, PartnerKey, Rider
from storefront.delivery.scopes import scoped_partner_id
from storefront.delivery.states import PartnerKind
from storefront.kernel import clock
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.db import db, engine_of, transaction
from storefront.kernel.errors import Invalid, NotFound
from storefront.kernel.ids import new_code, token_hash

SCOPES = ("queue:read", "offer:write", "event:write")
PIN_DIGITS = 6

_hasher = PasswordHasher()


class WrongPin(Invalid):
    """Phone and PIN do not belong together; said alike whichever is wrong."""

    message = _l("El teléfono o el PIN no coinciden. Revísalos o pide un PIN nuevo a tu empresa.")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The partner a key speaks for, and what the key may do."""

    partner_id: int
    partner_name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class RiderName:
    """A rider as the pages need to know them."""

    partner_id: int
    id: int
    code: str
    name: str
    phone: str
    epoch: int


# --- operators ------------------------------------------------------------------------------------------------------


def register_partner(slug: str, name: str, phone: str, kind: PartnerKind, country: str) -> int:
    """Put a partner on the platform's list; for operators, inside `across_shops`. Returns its id."""
    with transaction():
        partner = Partner(slug=slug, name=name, phone=phone, kind=kind, country=country, active=True)
        db.session.add(partner)
        db.session.flush()
    return partner.id


# --- keys: the partner in scope ---------------------------------------------------------------------------------------


def issue_key(label: str, scopes: Sequence[str] = SCOPES, expires_at: datetime | None = None) -> str:
    """Make a key for the partner in scope and return it, the only time it is seen. ValueError for an unknown scope."""
    if not set(scopes) <= set(SCOPES):
        raise ValueError(f"unknown scope in {scopes!r}")
    prefix = f"pk_{new_code(8).lower()}"
    key = f"{prefix}.{secrets.token_urlsafe(32)}"
    with transaction():
        db.session.add(
            PartnerKey(
                prefix=prefix, sha256=token_hash(key), label=label, scopes=list(scopes), created_at=clock.now(),
                expires_at=expires_at,
            )
        )  # fmt: skip
    return key


def revoke_key(prefix: str) -> None:
    """End a key of the partner in scope at once; what it leased comes back when the leases end. Raises NotFound."""
    with transaction():
        ended = db.session.execute(
            update(PartnerKey)
            .where(PartnerKey.partner_id == scoped_partner_id(), PartnerKey.prefix == prefix)
            .values(revoked_at=clock.now())
            .returning(PartnerKey.id)
            .execution_options(synchronize_session=False)
        ).first()
    if ended is None:
        raise NotFound


def holder_of(key: str) -> KeyHolder | None:
    """Whom a key speaks for, before any scope is known; None when it is unknown, expired or revoked.

    Read as the router role, which sees keys and nothing that is delivered.
    """
    prefix, dot, _secret = key.partition(".")
    if not dot or len(key) > 200:
        return None
    table, firms, digest, at = PartnerKey.__table__, Partner.__table__, token_hash(key), clock.now()
    with engine_of("router").connect() as connection:
        rows = connection.execute(
            select(
                table.c.partner_id, firms.c.name, table.c.sha256, table.c.scopes, table.c.expires_at,
                table.c.revoked_at,
            )
            .join(firms, firms.c.id == table.c.partner_id)
            .where(table.c.prefix == prefix, firms.c.active)
        ).all()  # fmt: skip
    for row in rows:
        is_live = row.revoked_at is None and (row.expires_at is None or row.expires_at > at)
        if compare_digest(row.sha256, digest) and is_live:
            return KeyHolder(row.partner_id, row.name, frozenset(row.scopes))
    return None


# --- riders -----------------------------------------------------------------------------------------------------------


def new_pin() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


def add_rider(name: str, phone: str, pin: str) -> int:
    """Let somebody carry for the partner in scope; `phone` is E.164. Returns the rider's id."""
    with transaction():
        rider = Rider(code=new_code(), name=name, phone=phone, pin_hash=_hasher.hash(pin))
        db.session.add(rider)
        db.session.flush()
    return rider.id


def set_pin(rider_code: str, pin: str) -> None:
    """Give a rider of the partner in scope a new PIN; every log-in made with the old one ends. Raises NotFound."""
    with transaction():
        changed = db.session.execute(
            update(Rider)
            .where(Rider.partner_id == scoped_partner_id(), Rider.code == rider_code)
            .values(pin_hash=_hasher.hash(pin), epoch=Rider.epoch + 1)
            .returning(Rider.id)
            .execution_options(synchronize_session=False)
        ).first()
    if changed is None:
        raise NotFound


_routed = Rider.__table__
_WHO = (_routed.c.partner_id, _routed.c.id, _routed.c.code, _routed.c.name, _routed.c.phone, _routed.c.epoch)
_NOBODY = _hasher.hash(secrets.token_hex(8))
"""Checked when the phone is unknown, so that the answer takes as long."""


def _spellings(phone: str) -> list[str]:
    """What a phone typed without its country may be in full: a rider's country is not known before the rider is."""
    digits = "".join(c for c in phone if c.isdigit()).lstrip("0")
    return [f"+{digits}", *{f"{pack.phone_prefix}{digits}" for pack in COUNTRIES.values()}]


def who_is(phone: str, pin: str) -> RiderName:
    """The active rider with this phone (with or without its country's prefix) and PIN, before any scope is known.

    Raises WrongPin.
    """
    with engine_of("router").connect() as connection:
        rows = connection.execute(
            select(*_WHO, _routed.c.pin_hash).where(_routed.c.phone.in_(_spellings(phone)), _routed.c.active)
        ).all()
    found = [RiderName(*row[:-1]) for row in rows if _is_pin(row.pin_hash, pin)]
    if not rows:
        _is_pin(_NOBODY, pin)
    if not found:
        raise WrongPin
    return found[0]


def _is_pin(pin_hash: str, pin: str) -> bool:
    try:
        return _hasher.verify(pin_hash, pin)
    except (Argon2Error, InvalidHashError):
        return False


def find_rider(partner_id: int, rider_id: int) -> RiderName | None:
    """An active rider by ids, before the partner's scope is entered; None when they no longer ride."""
    with engine_of("router").connect() as connection:
        row = connection.execute(
            select(*_WHO).where(_routed.c.partner_id == partner_id, _routed.c.id == rider_id, _routed.c.active)
        ).first()
    return RiderName(*row) if row else None
