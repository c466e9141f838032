"""Placing an order: what was agreed is priced, written down, and its stock and times are held, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import ProductKind
from storefront.events import OrderPlaced
from storefront.inventory.actions import hold_stock
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import new_code
from storefront.kernel.outbox import record
from storefront.kernel.taxes import GENERAL, class_of
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import CAUSE, demand_of
from storefront.orders.models import CODE_LENGTH, Order, OrderLine
from storefront.orders.moves import move
from storefront.orders.states import (
    GRACE,
    PAID_IN_ADVANCE,
    WINDOWS,
    Channel,
    FulfilmentMethod,
    FulfilmentState,
    OrderState,
    PaymentState,
)
from storefront.pricing.basket import Basket, Line, Totals, price
from storefront.pricing.deposits import Terms
from storefront.pricing.discounts import Discount
from storefront.promotions.actions import redeem
from storefront.promotions.buyers import Buyer
from storefront.reservations.actions import Contact, extend_bookings


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line to be agreed on: so many units of `unit_minor`, of a tax class; for reservations also when and which.

    Of a bundle, `parts` is what is in one, as `OrderLine.parts` keeps it. An amount that is asked for without a product
    has neither product nor variant.
    """

    kind: ProductKind
    product_id: int | None
    variant_id: int | None
    product_name: str
    variant_name: str
    sku: str
    quantity: int
    unit_minor: int
    booking_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    category_id: int | None = None
    parts: list[dict[str, Any]] | None = None
    tax_class: str = GENERAL


@dataclass(frozen=True, slots=True)
class NewOrder:
    """All that is agreed when an order is placed. `placement_key` names the wish: it becomes one order at most.

    `discounts` are those that the bill was made with.
    `keep_for` is how long it waits, where that is not what its way of payment allows.
    `terms` are those of its deposit, if there is one. `tax_inside` says whether prices have their tax inside, where
    that is not as the shop writes its prices.
    """

    placement_key: str
    lines: Sequence[NewLine]
    payment_method: str
    fulfilment_method: FulfilmentMethod
    contact_name: str
    contact_phone: str | None
    contact_email: str | None = None
    customer_id: int | None = None
    locale: str = ""
    address: dict[str, Any] | None = None
    shipping_minor: int = 0
    shipping_name: str = ""
    note: str = ""
    discounts: Sequence[Discount] = ()
    channel: Channel = Channel.WEB
    packaging_minor: int = 0
    tip_minor: int = 0
    keep_for: timedelta | None = None
    awaits_delivery_price: bool = False
    terms: Terms | None = None
    tax_inside: bool | None = None


def place_order(new: NewOrder, by: Actor) -> Order:
    """Write down what is agreed, hold its stock and keep its bookings for as long as its way of payment allows.

    Raises OutOfStock, HoldExpired when a booking's time ran out, or PromotionGone; then nothing was written. Runs in
    the caller's transaction, if there is one.
    """
    at = clock.now()
    with transaction():
        sums = priced(new)
        order = _new_order(new, sums, at)
        db.session.add(order)
        db.session.flush()
        db.session.add_all(_lines(order.id, new.lines, sums))
        until = (order.expires_at or at) + GRACE
        hold_stock(demand_of(new.lines), cause=CAUSE, cause_id=order.id, until=until)
        booked = [line.booking_id for line in new.lines if line.booking_id is not None]
        if booked:
            extend_bookings(booked, until=until, order_id=order.id, contact=_contact(order))
        if sums.discounts:
            redeem(order.id, sums.discounts, Buyer(new.customer_id, new.contact_phone, new.contact_email))
        in_advance = new.payment_method in PAID_IN_ADVANCE and order.total_minor > 0 and not new.awaits_delivery_price
        move(order, OrderState.AWAITING_PAYMENT if in_advance else OrderState.REQUESTED, by)
        note("order", order.id, "placed", by, code=order.code, total_minor=order.total_minor)
        record(OrderPlaced(order_id=order.id))
    return order


def priced(new: NewOrder) -> Totals:
    """What is agreed, priced by the one function that priced the bill."""
    shop = current_shop()
    lines = [
        Line(line.unit_minor, line.quantity, class_of(shop, line.tax_class).rate_bp, key=line.variant_id or 0,
             product_id=line.product_id, category_id=line.category_id)
        for line in new.lines
    ]  # fmt: skip
    return price(
        Basket(
            shop.currency,
            lines,
            shop.tax_rate_bp,
            discounts=new.discounts,
            shipping_minor=new.shipping_minor,
            packaging_minor=new.packaging_minor,
            tip_minor=new.tip_minor,
            prices_include_tax=shop.prices_include_tax if new.tax_inside is None else new.tax_inside,
        )
    )


def _new_order(new: NewOrder, sums: Totals, at: datetime) -> Order:
    shop = current_shop()
    return Order(
        code=_free_code(),
        placement_key=new.placement_key,
        state=OrderState.DRAFT,
        awaits_delivery_price=new.awaits_delivery_price,
        payment_state=PaymentState.UNPAID,
        fulfilment_state=FulfilmentState.NONE,
        customer_id=new.customer_id,
        contact_name=new.contact_name,
        contact_phone=new.contact_phone,
        contact_email=new.contact_email,
        locale=new.locale or shop.locale,
        fulfilment_method=new.fulfilment_method,
        channel=new.channel,
        address=new.address,
        currency=shop.currency,
        subtotal_minor=sums.subtotal_minor,
        shipping_minor=sums.shipping_minor,
        shipping_name=new.shipping_name,
        packaging_minor=sums.packaging.listed_minor,
        discount_minor=sums.discount_minor,
        discount_net_minor=sums.discount_net_minor,
        net_minor=sums.net_minor,
        tax_minor=sums.tax_minor,
        tax_inside=sums.tax_inside,
        fees_rate_bp=sums.shipping.tax_rate_bp,
        tip_minor=sums.tip_minor,
        total_minor=sums.total_minor,
        **_agreed(new.terms),
        payment_method=new.payment_method,
        note=new.note,
        placed_at=at,
        expires_at=at + (new.keep_for or WINDOWS[new.payment_method]),
        return_days=shop.return_days,
    )


def _agreed(terms: Terms | None) -> dict[str, Any]:
    if terms is None:
        return {}
    return {
        "deposit_minor": terms.deposit_minor,
        "rest_due_at": terms.rest_due_at,
        "rest_in_advance": terms.in_advance,
        "deposit_refundable": terms.refundable,
        "deposit_back_until": terms.back_until,
    }


def _contact(order: Order) -> Contact:
    return Contact(order.contact_name, order.contact_phone or "", order.note)


def _lines(order_id: int, lines: Sequence[NewLine], sums: Totals) -> list[OrderLine]:
    return [
        OrderLine(
            order_id=order_id,
            position=position,
            kind=line.kind,
            product_id=line.product_id,
            variant_id=line.variant_id,
            product_name=line.product_name,
            variant_name=line.variant_name,
            sku=line.sku,
            quantity=line.quantity,
            unit_minor=line.unit_minor,
            discount_minor=amount.discount_minor,
            gross_minor=amount.gross_minor,
            net_minor=amount.net_minor,
            tax_minor=amount.tax_minor,
            tax_rate_bp=amount.tax_rate_bp,
            tax_class=line.tax_class,
            tax_inside=sums.tax_inside,
            parts=line.parts,
            booking_id=line.booking_id,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
        )
        for position, (line, amount) in enumerate(zip(lines, sums.lines, strict=True), start=1)
    ]


def _free_code() -> str:
    """A code that no order of the shop has; the unique constraint guards the instant between."""
    while True:
        code = new_code(CODE_LENGTH)
        if db.session.scalar(select(Order.id).where(Order.code == code)) is None:
            return code
