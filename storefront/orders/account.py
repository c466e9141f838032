"""Orders and accounts: a customer's own list, and what an order tells an account that has just been proved.

Guest orders go to whoever proves the address they were placed with, by a job. A number proves nothing: anybody can type
one. The one other proof is an order's own secret link.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from markupsafe import Markup
from sqlalchemy import func, select, update

from storefront.customers.actions import complete_details, remember_address
from storefront.customers.address import PostalAddress
from storefront.customers.queries import customer_by_id
from storefront.events import CustomerSignedIn, OrderPlaced
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import NotFound
from storefront.kernel.jobs import ShopJob, shop_job
from storefront.kernel.paging import Page
from storefront.orders.actions import attach_past_orders
from storefront.orders.models import Order, OrderLine
from storefront.orders.queries import orders_of_customer
from storefront.reservations.models import Booking, BookingState

GUESTS_PAGE = 25
LATEST = 20


def account_orders(customer_id: int) -> Markup:
    """The customer's orders, for their account's page."""
    listed = render_template("shop/customers/_orders.html", orders=orders_of_customer(customer_id)).strip()
    return Markup(listed)  # noqa: S704 (our own template, autoescaped)


def keep_order(token: str, customer_id: int) -> None:
    """Give the order behind a secret link, which only its customer has, to the account they just opened from it."""
    with transaction():
        db.session.execute(
            update(Order)
            .where(Order.token == token, Order.customer_id.is_(None))
            .values(customer_id=customer_id)
            .execution_options(synchronize_session=False)
        )


@shop_job("orders.welcome_customer")
def welcome_customer(customer_id: int) -> None:
    """Attach the guest orders of a proved address, and learn name, number and place from the latest ones."""
    try:
        customer = customer_by_id(customer_id)
    except NotFound:
        return  # erased since
    attach_past_orders(customer_id, email=customer.email, phone=None)
    latest = db.session.execute(
        select(Order.contact_name, Order.contact_phone, Order.address)
        .where(Order.customer_id == customer_id)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(LATEST)
    ).all()
    if latest:
        complete_details(customer_id, name=latest[0].contact_name, phone=latest[0].contact_phone)
    place = next((row.address for row in latest if row.address), None)
    if place is not None:
        remember_address(customer_id, PostalAddress.from_dict(place))


@shop_job("orders.remember_place")
def remember_place(order_id: int) -> None:
    """Keep the place an account's order goes to, so that it need not be typed again."""
    row = db.session.execute(select(Order.customer_id, Order.address).where(Order.id == order_id)).first()
    if row is not None and row.customer_id is not None and row.address:
        remember_address(row.customer_id, PostalAddress.from_dict(row.address))


@dataclass(frozen=True, slots=True)
class GuestRow:
    """Somebody who orders without an account, known by the number they give."""

    name: str
    phone: str
    email: str | None
    orders: int
    last_at: datetime


def guests(page: int, search: str = "") -> Page[GuestRow]:
    """One page of those who ordered without an account, the latest first."""
    last = func.max(Order.placed_at).label("last_at")
    query = select(
        func.max(Order.contact_name).label("name"),
        Order.contact_phone,
        func.max(Order.contact_email).label("email"),
        func.count().label("orders"),
        last,
    ).where(Order.customer_id.is_(None), Order.contact_phone.is_not(None))
    typed = search.strip()[:60].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if typed:
        digits = "".join(c for c in typed if c.isdigit())
        query = query.where(
            Order.contact_name.ilike(f"%{typed}%", escape="\\")
            | Order.contact_email.ilike(f"%{typed}%", escape="\\")
            | (Order.contact_phone.like(f"%{digits}%") if len(digits) >= 4 else Order.contact_phone == typed)
        )
    rows = db.session.execute(
        query.group_by(Order.contact_phone)
        .order_by(last.desc(), Order.contact_phone)
        .limit(GUESTS_PAGE + 1)
        .offset((page - 1) * GUESTS_PAGE)
    ).all()
    found = [GuestRow(row.name, row.contact_phone, row.email, row.orders, row.last_at) for row in rows]
    return Page.of(found, page, GUESTS_PAGE)


@dataclass(frozen=True, slots=True)
class BookingOfCustomer:
    """A time or a stay in one of a customer's orders."""

    product_name: str
    starts_at: datetime
    quantity: int
    state: BookingState


def bookings_of_customer(customer_id: int, limit: int = 25) -> list[BookingOfCustomer]:
    """What a customer booked with their orders, the latest first."""
    rows = db.session.execute(
        select(OrderLine.product_name, Booking.during, Booking.quantity, Booking.state)
        .select_from(Order)
        .join(OrderLine, (OrderLine.tenant_id == Order.tenant_id) & (OrderLine.order_id == Order.id))
        .join(Booking, (Booking.tenant_id == OrderLine.tenant_id) & (Booking.id == OrderLine.booking_id))
        .where(Order.customer_id == customer_id)
        .order_by(func.lower(Booking.during).desc())
        .limit(limit)
    )
    return [BookingOfCustomer(row.product_name, row.during.lower, row.quantity, row.state) for row in rows]


SLOTS = {"account.orders": account_orders, "account.keep_order": keep_order}
ANSWERS: dict[type, list[ShopJob]] = {CustomerSignedIn: [welcome_customer], OrderPlaced: [remember_place]}
