"""A person's right to what is kept of them: all of it in a file, or gone. Names and contacts go, amounts stay."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update

from storefront.customers import personal_data
from storefront.customers.codes import email_change
from storefront.customers.consents import decisions
from storefront.customers.models import Address, Customer, LoginCode
from storefront.customers.personal_data import Rows, Subject
from storefront.customers.queries import NoSuchCustomer, customer_by_id
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.mail import MailMessage
from storefront.kernel.sessions import ShopLogin
from storefront.kernel.tenancy import current_shop

# What a spreadsheet would take for a formula; a number with its sign is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d ]*$)")


# --- all of it in a file ------------------------------------------------------------------------------------------


def export(customer_id: int) -> Rows:
    """Every record about a customer, by name of the list. Raises NoSuchCustomer."""
    subject = Subject(customer_id, customer_by_id(customer_id).email)
    return {**own_records(subject), **personal_data.collect(subject)}


def archive(customer_id: int, by: Actor, reason: str) -> bytes:
    """The same as a zip: one JSON file with everything, and a table (CSV) for each list. Written into the trail."""
    records = export(customer_id)
    with transaction():
        note("customer", customer_id, "exported", by, reason=reason)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        whole = {"tienda": current_shop().name, "fecha": clock.now(), **records}
        bundle.writestr("mis-datos.json", json.dumps(whole, ensure_ascii=False, indent=2, default=_plain))
        for name, rows in records.items():
            bundle.writestr(f"{name}.csv", _table(rows))
    return packed.getvalue()


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    text.write("\ufeff")  # so that spreadsheets read the accents
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=_plain) if isinstance(value, dict | list) else _plain(value)
    return f"'{text}" if _FORMULA.match(text) else text


def own_records(subject: Subject) -> Rows:
    """What this domain keeps of a person."""
    if subject.customer_id is None:
        return {}
    customer = db.session.execute(
        select(Customer.name, Customer.email, Customer.phone, Customer.locale, Customer.created_at).where(
            Customer.id == subject.customer_id
        )
    ).one()
    addresses = db.session.execute(
        select(Address.label, Address.details, Address.used_at).where(Address.customer_id == subject.customer_id)
    )
    logins = db.session.execute(
        select(ShopLogin.created_at, ShopLogin.last_seen_at, ShopLogin.user_agent).where(
            ShopLogin.customer_id == subject.customer_id
        )
    )
    return {
        "datos": [
            {
                "nombre": customer.name,
                "correo": customer.email,
                "teléfono": customer.phone,
                "idioma": customer.locale,
                "desde": customer.created_at,
            }
        ],
        "direcciones": [{"etiqueta": row.label, **row.details, "usada": row.used_at} for row in addresses],
        "permisos": [
            {"permiso": str(row.purpose.title), "respuesta": row.granted, "texto": row.text_shown, "fecha": row.at}
            for row in decisions(f"customer:{subject.customer_id}")
            if row.at is not None
        ],
        "sesiones": [
            {"desde": row.created_at, "última vez": row.last_seen_at, "navegador": row.user_agent} for row in logins
        ],
    }


# --- gone ---------------------------------------------------------------------------------------------------------


def forget(customer_id: int, by: Actor, reason: str) -> None:
    """Erase a person: names, contacts, places and history go everywhere, and every log-in ends.

    What the books need stays without them. When the shop asks (`by` is staff), it vouches for the number, too, so that
    bookings by telephone are found; a customer's own wish touches only what is proved to be theirs. Raises
    NoSuchCustomer, or whatever a domain refuses with while it still needs the data; then nothing is erased.
    """
    with transaction():
        customer = next((row for row in lock_rows(Customer, [customer_id]) if row.erased_at is None), None)
        if customer is None:
            raise NoSuchCustomer
        contacts = {contact.lower() for contact in (customer.email, customer.phone) if contact}
        subject = Subject(customer_id, customer.email, customer.phone if by.kind == "staff" else None)
        personal_data.erase_everywhere(subject)
        _erase_own(customer_id, contacts, subject)
        note("customer", customer_id, "erased", by, reason=reason)


def forget_guest(phone: str, by: Actor, reason: str) -> None:
    """Erase somebody without an account by the number they ordered with, at the shop's word that it is theirs."""
    with transaction():
        personal_data.erase_everywhere(Subject(None, phone=phone))
        note("guest", "", "erased", by, reason=reason)


def _erase_own(customer_id: int, contacts: set[str], subject: Subject) -> None:
    about_them = LoginCode.contact.in_(contacts) | func.lower(LoginCode.email).in_(contacts)
    for statement in (
        delete(Address).where(Address.customer_id == customer_id),
        delete(ShopLogin).where(ShopLogin.customer_id == customer_id),
        delete(LoginCode).where(about_them | (LoginCode.purpose == email_change(customer_id))),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))
    if subject.email:
        db.session.execute(
            delete(MailMessage)
            .where(func.lower(MailMessage.to_address) == subject.email.lower())
            .execution_options(synchronize_session=False)
        )
    db.session.execute(
        update(Customer)
        .where(Customer.id == customer_id)
        .values(name="", email=None, phone=None, locale=None, epoch=Customer.epoch + 1, erased_at=clock.now())
        .execution_options(synchronize_session=False)
    )
