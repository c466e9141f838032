"""One-time codes: asked for by a contact, sent by a job, checked once.

Asking takes the same statements, the same time and the same words whether or not anybody is known under the contact:
who is known is looked up later, by the job. The code is not in the database, only a keyed hash bound to this very wish,
its purpose and its shop.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update

from storefront.customers.contacts import is_email
from storefront.customers.models import Customer, LoginCode
from storefront.events import LoginCodeAsked
from storefront.kernel import clock, mail
from storefront.kernel.db import db, settings, transaction
from storefront.kernel.errors import Invalid
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

DIGITS = 6
LIFE = timedelta(minutes=10)
PATIENCE = timedelta(minutes=20)
"""How long a wish waits to be sent; a queue that was stuck for longer sends no code that nobody expects any more."""

MOST_TRIES = 5
KEEP = timedelta(days=1)
LOGIN = "login"


class WrongCode(Invalid):
    """The code is wrong, used or too old, or there never was one: all are told alike."""

    message = _l("Ese código no es correcto o ya venció. Revísalo o pide uno nuevo.")


def email_change(customer_id: int) -> str:
    """The purpose of a code that proves a customer's new address."""
    return f"email:{customer_id}"


def request_code(contact: str, locale: str, purpose: str = LOGIN) -> None:
    """Ask for a code to a normal contact. An earlier code for the same contact and purpose is worthless from now on."""
    at = clock.now()
    with transaction():
        db.session.execute(
            delete(LoginCode)
            .where(LoginCode.contact == contact, LoginCode.purpose == purpose)
            .execution_options(synchronize_session=False)
        )
        wish = LoginCode(purpose=purpose, contact=contact, locale=locale, created_at=at, expires_at=at + PATIENCE)
        db.session.add(wish)
        db.session.flush()
        record(LoginCodeAsked(code_id=wish.id))


def send_code(code_id: int) -> None:
    """Make the code and write the letter, once. A contact that leads to no address gets none, and nobody is told."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    at = clock.now()
    with transaction():
        wish = db.session.execute(
            select(LoginCode.contact, LoginCode.purpose, LoginCode.locale)
            .where(LoginCode.id == code_id, LoginCode.code_hash.is_(None), LoginCode.expires_at > at)
            .with_for_update()
        ).first()
        if wish is None:
            return
        email = wish.contact if is_email(wish.contact) else _email_of_phone(wish.contact)
        if email is None:
            return
        db.session.execute(
            update(LoginCode)
            .where(LoginCode.id == code_id)
            .values(email=email, code_hash=_hash(code_id, wish.purpose, code), expires_at=at + LIFE)
            .execution_options(synchronize_session=False)
        )
        minutes = int(LIFE.total_seconds() // 60)
        changes = wish.purpose != LOGIN
        mail.send(
            "login-code", to=email, once=f"login-code:{code_id}", locale=wish.locale,
            code=code, minutes=minutes, changes_address=changes,
        )  # fmt: skip


def _email_of_phone(phone: str) -> str | None:
    """The address of whoever gave this number first. Nothing but this letter follows from a number."""
    return db.session.scalar(
        select(Customer.email)
        .where(Customer.phone == phone, Customer.email.is_not(None), Customer.erased_at.is_(None))
        .order_by(Customer.id)
        .limit(1)
    )


def check_code(contact: str, typed: str, purpose: str = LOGIN) -> str | None:
    """The address that the code went to, if it is the latest one for the contact and right; the code is used then.

    None otherwise: a wrong try is counted. Runs in the caller's transaction, which has to be committed in both cases.
    """
    row = db.session.execute(
        select(LoginCode.id, LoginCode.email, LoginCode.code_hash, LoginCode.tries, LoginCode.expires_at)
        .where(LoginCode.contact == contact, LoginCode.purpose == purpose, LoginCode.used_at.is_(None))
        .order_by(LoginCode.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    given = _hash(row.id if row else 0, purpose, typed)
    if row is None:
        return None
    is_right = hmac.compare_digest(given, row.code_hash or "-" * len(given))
    is_good = is_right and row.tries < MOST_TRIES and row.expires_at > clock.now()
    db.session.execute(
        update(LoginCode)
        .where(LoginCode.id == row.id)
        .values(tries=LoginCode.tries + 1, used_at=clock.now() if is_good else None)
        .execution_options(synchronize_session=False)
    )
    return str(row.email) if is_good else None


def _hash(code_id: int, purpose: str, code: str) -> str:
    bound = f"login-code|{current_shop().id}|{code_id}|{purpose}|{code}"
    return hmac.new(str(settings().secret_key).encode(), bound.encode(), hashlib.sha256).hexdigest()


def forget_old_codes() -> None:
    """Drop wishes and codes of yesterday."""
    with transaction():
        db.session.execute(
            delete(LoginCode)
            .where(LoginCode.created_at < clock.now() - KEEP)
            .execution_options(synchronize_session=False)
        )
