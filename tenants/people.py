"""Staff as people: who somebody is, their password, the links that give it back. What they may do is a membership.

A person belongs to no shop and may work in several. Every answer about an unknown contact is the one about a wrong
password, in words, status and time.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from storefront.kernel import clock, mail
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid
from storefront.kernel.faces import APP, face_url
from storefront.kernel.ids import new_code
from storefront.kernel.sessions import end_all_logins
from tenants.contacts import Contact, phones_meant
from tenants.links import Claim, claim_link, make_link
from tenants.models import LinkPurpose, Staff
from tenants.passwords import check_password, hash_password, is_right

MOST_NAMESAKES = 3
"""A number typed without its prefix may be several people's; more than so many passwords are never compared."""


class NotYou(Invalid):
    """The contact and the password do not go together; nothing says which of the two is wrong."""

    message = _l("No pudimos seguir con estos datos. Revisa tu contacto y tu contraseña, o entra si ya tienes cuenta.")


class WrongPassword(Invalid):
    """The present password was asked for and another was given."""

    message = _l("Tu contraseña actual no es esa.")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody gives who wants an account, or has one: a contact, a password, and the name to go by."""

    contact: Contact
    password: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class KnownStaff:
    """A person who has shown their password."""

    id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person sees of their own account."""

    name: str
    email: str | None
    phone: str | None


def _candidates(typed: str) -> list[tuple[int, int, str]]:
    text = typed.strip()
    condition = func.lower(Staff.email) == text.lower() if "@" in text else Staff.phone.in_(phones_meant(text))
    rows = db.session.execute(
        select(Staff.id, Staff.epoch, Staff.password_hash).where(condition).order_by(Staff.id).limit(MOST_NAMESAKES)
    )
    return [(row.id, row.epoch, row.password_hash) for row in rows]


def authenticate(typed: str, password: str) -> KnownStaff | None:
    """The person with this contact, however it was typed, and this password; None otherwise, after the same work."""
    found = _candidates(typed)
    if not found:
        is_right(None, password)
    for staff_id, epoch, kept in found:
        if is_right(kept, password):
            return KnownStaff(staff_id, epoch)
    return None


def find_or_prepare(who: Credentials) -> tuple[int | None, str]:
    """(id, "") of the person who has this contact and this password, or (None, hash) for a contact nobody has yet.

    Raises NotYou when the contact is somebody's with another password, and WeakPassword before anything is looked up.
    To be called before the transaction that writes: comparing and hashing take their time.
    """
    contact = who.contact
    check_password(who.password, str(contact), who.name)
    same = func.lower(Staff.email) == contact.email.lower() if contact.email else Staff.phone == contact.phone
    row = db.session.execute(select(Staff.id, Staff.password_hash).where(same)).first()
    if row is None:
        return None, hash_password(who.password)
    if not is_right(row.password_hash, who.password):
        raise NotYou
    return row.id, ""


def write_staff(who: Credentials, password_hash: str) -> int:
    """Write a new person, in the caller's transaction. Raises NotYou when somebody took the contact meanwhile."""
    values = {
        "code": new_code(),
        "name": who.name or str(who.contact),
        "email": who.contact.email,
        "phone": who.contact.phone,
        "password_hash": password_hash,
        "epoch": 1,
        "created_at": clock.now(),
    }
    try:
        with db.session.begin_nested():
            staff_id = db.session.scalar(insert(Staff).values(**values).returning(Staff.id))
    except IntegrityError as error:
        raise NotYou from error
    return int(staff_id or 0)


def epoch_of(staff_id: int) -> int:
    """The number that a log-in of this person must carry."""
    return int(db.session.scalar(select(Staff.epoch).where(Staff.id == staff_id)) or 0)


def profile_of(staff_id: int) -> Profile:
    """A person's own facts."""
    row = db.session.execute(select(Staff.name, Staff.email, Staff.phone).where(Staff.id == staff_id)).one()
    return Profile(*row)


def rename(staff_id: int, name: str) -> None:
    """Change the name that colleagues and the audit trail read from now on."""
    with transaction():
        db.session.execute(update(Staff).where(Staff.id == staff_id).values(name=name))


# --- passwords ------------------------------------------------------------------------------------------------------


def _require_password(staff_id: int, password: str) -> None:
    kept = db.session.scalar(select(Staff.password_hash).where(Staff.id == staff_id))
    if not is_right(kept, password):
        raise WrongPassword


def change_password(staff_id: int, old: str, new: str) -> int:
    """Set a new password and end every log-in of the person. Returns the epoch of log-ins from now on.

    Raises WrongPassword, WeakPassword.
    """
    _require_password(staff_id, old)
    return _set_password(staff_id, new)


def _set_password(staff_id: int, new: str) -> int:
    profile = profile_of(staff_id)
    check_password(new, profile.email or "", profile.phone or "", profile.name)
    hashed = hash_password(new)
    with transaction():
        epoch = db.session.scalar(
            update(Staff)
            .where(Staff.id == staff_id)
            .values(password_hash=hashed, epoch=Staff.epoch + 1)
            .returning(Staff.epoch)
        )
        end_all_logins(f"staff:{staff_id}")
    return int(epoch or 0)


def ask_reset(typed: str) -> None:
    """Send a link for a new password to the person with this contact, if there is one and an e-mail is known."""
    found = _candidates(typed)[:1]
    for staff_id, _epoch, _kept in found:
        email = profile_of(staff_id).email
        if email is None:
            continue
        with transaction():
            token = make_link(LinkPurpose.RESET, staff_id)
            url = face_url(APP, f"/entrar/clave/{token}")
            mail.send("staff-reset", to=email, once=f"staff-reset:{new_code(12)}", reset_url=url)


def reset_password(token: str, new: str) -> KnownStaff:
    """Use a reset link up and set the password. Raises LinkSpent, WeakPassword (the link stays good then)."""
    with transaction():
        claim = claim_link(LinkPurpose.RESET, token)
        epoch = _set_password(claim.staff_id, new)
    return KnownStaff(claim.staff_id, epoch)


# --- the e-mail address ---------------------------------------------------------------------------------------------


def ask_email_change(staff_id: int, email: str, password: str) -> None:
    """Send a link to a new address, which counts once it was opened. Raises WrongPassword.

    Whether somebody else logs in with that address is not told here: only its mailbox learns of it.
    """
    _require_password(staff_id, password)
    with transaction():
        token = make_link(LinkPurpose.EMAIL, staff_id, address=email)
        url = face_url(APP, f"/mi-cuenta/correo/{token}")
        mail.send("staff-email", to=email, once=f"staff-email:{new_code(12)}", confirm_url=url)


def confirm_email(token: str) -> Claim:
    """Take the address of a confirmation link for good. Raises LinkSpent, NotYou when it is another person's."""
    try:
        with transaction():
            claim = claim_link(LinkPurpose.EMAIL, token)
            db.session.execute(update(Staff).where(Staff.id == claim.staff_id).values(email=claim.address))
    except IntegrityError as error:
        raise NotYou from error
    return claim
