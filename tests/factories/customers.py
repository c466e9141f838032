"""Customers for tests: made through the real actions, logged in through the real form and the real letter."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.customers.actions import complete_details, remember_customer, save_address
from storefront.customers.address import PostalAddress
from storefront.kernel import jobs
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import Shop, acting_for

DORA = "dora@example.com"
PHONE = "+529511234567"


def a_customer(name: str = "Dora", email: str | None = DORA, phone: str | None = None, *, address: bool = False) -> int:
    """A customer of the shop in scope."""
    customer_id = remember_customer(name, email=email, phone=phone)
    complete_details(customer_id, name=name)
    if address:
        save_address(customer_id, an_address(name), "Casa")
    return customer_id


def an_address(recipient: str = "Dora", street: str = "Calle Aldama 208") -> PostalAddress:
    """A place in Oaxaca."""
    return PostalAddress(
        recipient=recipient, phone=PHONE, street=street, locality="Oaxaca de Juárez", region="OAX", country="MX"
    )


def letters_to(shop: Shop, email: str, template: str = "login-code") -> list[str]:
    """The texts of the letters of a kind written to an address, oldest first; jobs have run."""
    with acting_for(shop):
        jobs.drain()
        rows = db.session.scalars(
            select(MailMessage.body_text)
            .where(MailMessage.to_address == email, MailMessage.once.like(f"{template}:%"))
            .order_by(MailMessage.id)
        )
        return list(rows)


def latest_code(shop: Shop, email: str) -> str:
    """The code in the latest letter to an address."""
    found = re.search(r"^\d{6}$", letters_to(shop, email)[-1], re.MULTILINE)
    assert found, "the letter holds no code"
    return found.group()


def csrf(page_text: str) -> str:
    """The form token of a page; empty for a visitor without a session."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page_text)
    return found.group(1) if found else ""


def submit(client: FlaskClient, page: str, action: str | None = None, **data: object):
    """Open a page and send its form, with its token."""
    opened = client.get(page)
    assert opened.status_code == 200, (page, opened.status_code, opened.headers.get("Location"))
    return client.post(action or page, data={"csrf_token": csrf(opened.text), **data})


def come_in(client: FlaskClient, shop: Shop, email: str = DORA, contact: str | None = None):
    """Log in as a customer would; jobs run afterwards, too."""
    answer = submit(client, "/cuenta/entrar", contact=contact or email)
    assert answer.status_code == 303, answer.text
    answer = submit(client, "/cuenta/codigo", code=latest_code(shop, email))
    assert answer.status_code == 303, answer.text
    with acting_for(shop):
        jobs.drain()
    return answer
