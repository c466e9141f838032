"""Asking for an amount without a product: a mended zip, a class, what was agreed by telephone.

A charge is an order like any other, with one line that names no product, so that its payment, tax, receipt, refund
and books are those of every order. Nothing is held for it and nothing handed over: it is over once it is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.ids import new_token
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.taxes import GENERAL
from storefront.orders.models import Order, OrderLine
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import Channel, FulfilmentMethod, OrderState, PaymentState
from storefront.payments.links import ways_to_pay

MOST_MINOR = 10**11
"""The largest charge, in minor units: more is a slip of the hand."""

LONGEST_CONCEPT = 120
LONGEST = timedelta(days=10)
"""How long a link is good for at most."""

PAGE_SIZE = 25


class BadCharge(Invalid):
    """It cannot be asked for as written. `field` names what is wrong."""

    def __init__(self, field: str, message: object) -> None:
        self.field = field
        super().__init__(message)


class NoWay(Conflict):
    """Nothing that can be paid from afar is set up, or not for so much."""

    message = _l(
        "Tu tienda todavía no recibe pagos a distancia por esa cantidad. Agrega una forma de cobro en Ajustes."
    )


@dataclass(frozen=True, slots=True)
class Charge:
    """What is asked for, from whom, and for how long."""

    concept: str
    amount_minor: int
    keep_for: timedelta
    name: str = ""
    phone: str | None = None
    email: str | None = None
    tax_class: str = GENERAL


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge in a list."""

    code: str
    concept: str
    name: str
    total: Money
    state: OrderState
    payment_state: PaymentState
    placed_at: datetime
    expires_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it can still be paid: a link is over by the clock, however late our own workers are."""
        is_kept = self.expires_at is None or self.expires_at > clock.now()
        return self.state is OrderState.AWAITING_PAYMENT and is_kept


def ask_for(charge: Charge, by: Actor) -> Order:
    """Write a charge down; its secret link is the order's. Raises BadCharge or NoWay; then nothing was written."""
    if not charge.concept:
        raise BadCharge("concept", _l("Escribe de qué es el cobro."))
    if not 0 < charge.amount_minor <= MOST_MINOR:
        raise BadCharge("amount", _l("Escribe cuánto vas a cobrar."))
    if not timedelta() < charge.keep_for <= LONGEST:
        raise BadCharge("keep", _l("Elige hasta cuándo sirve el enlace."))
    ways = ways_to_pay(FulfilmentMethod.NONE, has_bookings=False, due_minor=charge.amount_minor)
    if not ways:
        raise NoWay
    concept = charge.concept[:LONGEST_CONCEPT]
    return place_order(
        NewOrder(
            placement_key=f"charge:{new_token()}",
            lines=[
                NewLine(
                    ProductKind.SERVICE, None, None, concept, "", "", 1, charge.amount_minor, tax_class=charge.tax_class
                )
            ],
            payment_method=ways[0].code,
            fulfilment_method=FulfilmentMethod.NONE,
            contact_name=charge.name or concept,
            contact_phone=charge.phone,
            contact_email=charge.email,
            channel=Channel.LINK,
            keep_for=charge.keep_for,
            tax_inside=True,  # what is asked for is what is paid
        ),
        by,
    )


def charge_list(page: int, *, only_open: bool) -> Page[ChargeRow]:
    """One page of charges, newest first."""
    wanted = [Order.channel == Channel.LINK]
    if only_open:
        wanted.append(Order.state == OrderState.AWAITING_PAYMENT)
        wanted.append(Order.expires_at.is_(None) | (Order.expires_at > clock.now()))
    rows = db.session.execute(
        select(
            Order.code, OrderLine.product_name, Order.contact_name, Order.total_minor, Order.currency, Order.state,
            Order.payment_state, Order.placed_at, Order.expires_at,
        )
        .join(OrderLine, (OrderLine.tenant_id == Order.tenant_id) & (OrderLine.order_id == Order.id))
        .where(*wanted)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    )  # fmt: skip
    found = [
        ChargeRow(
            row.code, row.product_name, row.contact_name, Money(row.total_minor, row.currency), row.state,
            row.payment_state, row.placed_at, row.expires_at,
        )
        for row in rows
    ]  # fmt: skip
    return Page.of(found, page, PAGE_SIZE)


def open_charges() -> int:
    """How many charges can still be paid."""
    still = Order.expires_at.is_(None) | (Order.expires_at > clock.now())
    counted = select(func.count()).where(
        Order.channel == Channel.LINK, Order.state == OrderState.AWAITING_PAYMENT, still
    )
    return int(db.session.scalar(counted) or 0)
