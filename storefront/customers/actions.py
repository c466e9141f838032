"""What may be done with a customer: let them in, keep what they say of themselves, and where they want things sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.customers.address import PostalAddress
from storefront.customers.codes import WrongCode, check_code, email_change, request_code
from storefront.customers.models import Address, Customer
from storefront.events import CustomerSignedIn
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.ids import new_code
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

__all__ = [
    "AddressBookFull",
    "EmailTaken",
    "SignedIn",
    "change_details",
    "complete_details",
    "confirm_email",
    "delete_address",
    "remember_address",
    "remember_customer",
    "request_code",
    "save_address",
    "sign_in",
]

MOST_ADDRESSES = 20


class EmailTaken(Conflict):
    """Another account of this shop has this address; whoever asks has just proved that it is theirs."""

    message = _l("Con ese correo ya hay otra cuenta en esta tienda. Sal y entra con él.")


class AddressBookFull(Conflict):
    """More places than anybody has."""

    message = _l("Ya guardaste muchas direcciones. Borra una que no uses y vuelve a intentarlo.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who was let in. `is_new`: the account was made just now."""

    id: int
    name: str
    epoch: int
    is_new: bool


def sign_in(contact: str, code: str, locale: str | None = None) -> SignedIn:
    """Let somebody in who shows the code that was sent for `contact`; an account is made on the first time.

    Raises WrongCode, after five of which the code is worthless. Emits CustomerSignedIn.
    """
    with transaction():
        email = check_code(contact, code)
        welcomed = _welcome(email, locale) if email else None
    if welcomed is None:
        raise WrongCode
    return welcomed


def _welcome(email: str, locale: str | None) -> SignedIn:
    made = _insert_customer(email=email.lower(), locale=locale)
    row = db.session.execute(
        select(Customer.id, Customer.name, Customer.epoch).where(func.lower(Customer.email) == email.lower())
    ).one()
    note("customer", row.id, "signed_in", Actor("customer", row.id, ""), new=made is not None)
    record(CustomerSignedIn(customer_id=row.id))
    return SignedIn(row.id, row.name, row.epoch, is_new=made is not None)


def _insert_customer(**values: str | None) -> int | None:
    """The new row's id, or None when there is one with this address."""
    return db.session.scalar(
        insert(Customer)
        .values(
            tenant_id=current_shop().id,
            **{"name": "", "phone": None, **values},
            code=new_code(),
            epoch=1,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Customer.id)
    )


def remember_customer(name: str, *, email: str | None, phone: str | None = None, locale: str | None = None) -> int:
    """The id of the customer the shop vouches for under this address, made if need be. Without an address: by number.

    Gaps in what is known are filled, nothing known is overwritten.
    """
    with transaction():
        if email:
            _insert_customer(email=email.lower(), locale=locale)
            known = func.lower(Customer.email) == email.lower()
        else:
            known = (Customer.phone == phone) & Customer.email.is_(None)
        customer_id = db.session.scalar(select(Customer.id).where(known).order_by(Customer.id).limit(1))
        if customer_id is None:
            customer_id = _insert_customer(email=None, phone=phone, locale=locale)
        found = int(customer_id or 0)
        complete_details(found, name=name, phone=phone)
    return found


def complete_details(customer_id: int, *, name: str = "", phone: str | None = None) -> None:
    """Fill in what a customer has not said yet, from an order of theirs. What they said stays."""
    with transaction():
        db.session.execute(
            update(Customer)
            .where(Customer.id == customer_id, Customer.erased_at.is_(None))
            .values(
                name=func.coalesce(func.nullif(Customer.name, ""), name),
                phone=func.coalesce(Customer.phone, phone),
            )
            .execution_options(synchronize_session=False)
        )


def change_details(customer_id: int, *, name: str, phone: str | None, locale: str | None, by: Actor) -> None:
    """Keep what a customer says of themselves."""
    with transaction():
        db.session.execute(
            update(Customer)
            .where(Customer.id == customer_id, Customer.erased_at.is_(None))
            .values(name=name, phone=phone, locale=locale)
            .execution_options(synchronize_session=False)
        )
        note("customer", customer_id, "details_changed", by)


def confirm_email(customer_id: int, contact: str, code: str, by: Actor) -> None:
    """Change a customer's address to one they have just proved. Raises WrongCode or EmailTaken; then it stays."""
    with transaction():
        email = check_code(contact, code, email_change(customer_id))
        is_free = email is not None and _take_email(customer_id, email)
        if is_free:
            note("customer", customer_id, "email_changed", by)
    if email is None:
        raise WrongCode
    if not is_free:
        raise EmailTaken


def _take_email(customer_id: int, email: str) -> bool:
    others = select(Customer.id).where(func.lower(Customer.email) == email, Customer.id != customer_id)
    if db.session.scalar(others) is not None:
        return False
    db.session.execute(
        update(Customer)
        .where(Customer.id == customer_id, Customer.erased_at.is_(None))
        .values(email=email)
        .execution_options(synchronize_session=False)
    )
    return True


# --- addresses ----------------------------------------------------------------------------------------------------


def save_address(customer_id: int, address: PostalAddress, label: str = "", code: str | None = None) -> str:
    """Keep a place, new or (with `code`) in place of an earlier one. Returns its code. Raises NotFound."""
    with transaction():
        if code is None:
            return _add_address(customer_id, address, label)
        changed = db.session.execute(
            update(Address)
            .where(Address.customer_id == customer_id, Address.code == code)
            .values(details=asdict(address), label=label)
            .returning(Address.code)
            .execution_options(synchronize_session=False)
        ).first()
        if changed is None:
            raise NotFound
        return code


def _add_address(customer_id: int, address: PostalAddress, label: str) -> str:
    count = db.session.scalar(select(func.count()).select_from(Address).where(Address.customer_id == customer_id))
    if (count or 0) >= MOST_ADDRESSES:
        raise AddressBookFull
    kept = Address(customer_id=customer_id, label=label, details=asdict(address), used_at=clock.now(), code=new_code())
    db.session.add(kept)
    db.session.flush()
    return kept.code


def remember_address(customer_id: int, address: PostalAddress) -> None:
    """An order went there: keep the place for the next one, or note that it was used again."""
    with transaction():
        rows = db.session.execute(select(Address.id, Address.details).where(Address.customer_id == customer_id)).all()
        same = next((row.id for row in rows if PostalAddress.from_dict(row.details) == address), None)
        if same is not None:
            db.session.execute(
                update(Address)
                .where(Address.id == same)
                .values(used_at=clock.now())
                .execution_options(synchronize_session=False)
            )
        elif len(rows) < MOST_ADDRESSES:
            _add_address(customer_id, address, "")


def delete_address(customer_id: int, code: str) -> None:
    """Forget a place; one that is gone already is no error."""
    with transaction():
        db.session.execute(
            delete(Address)
            .where(Address.customer_id == customer_id, Address.code == code)
            .execution_options(synchronize_session=False)
        )
