"""Orders, their frozen lines, and the history nobody may change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.catalogue.models import ProductKind
from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_token
from storefront.kernel.money import Money
from storefront.kernel.taxes import GENERAL
from storefront.orders.states import (
    Attention,
    Axis,
    Channel,
    FulfilmentMethod,
    FulfilmentState,
    OrderState,
    PaymentState,
    due_now,
)

__all__ = [
    "Attention",
    "Axis",
    "FulfilmentMethod",
    "FulfilmentState",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderState",
    "PaymentState",
]

CODE_LENGTH = 6
"""Characters of an order's code: a thousand million of them, short enough to be read over a counter."""


class Order(ShopOwned, Model):
    """One order. `code` is read aloud, `token` is the secret link, `placement_key` lets one wish become one order only.

    Money is in minor units of `currency`; `subtotal_minor` and `shipping_minor` are as listed, with their tax inside
    or, where it is not (`tax_inside`), without it; the total always has it. Delivery and packaging are taxed at
    `fees_rate_bp`. `discount_minor` is what comes off both, `discount_net_minor` its part without tax.
    `packaging_minor` and `tip_minor` come on top; the tip is no sale and has no tax. `received_minor` is the money that
    came and counts towards the total, whatever of it went back since (`payments.receiving`); `disputed_minor` is what
    of it a bank has (`payments.contesting`). `awaits_delivery_price`: nothing is paid before its customer agreed to
    what its delivery costs. `expires_at` is when an unconfirmed order lapses, empty once it counts.
    Move it only through `orders.moves`.

    With a deposit, `deposit_minor` confirms it and the rest is due at `rest_due_at`: in advance, or on arrival, or,
    without an instant, at the hand-over. `deposit_refundable` until `deposit_back_until`, or until it is packed. All of
    that as agreed. `kept_minor` is what the shop keeps of the deposit of a cancelled order, `kept_tax_minor` its tax.
    `return_days` is how long its goods may come back, as the shop said when it was placed.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "token"),
        UniqueConstraint("tenant_id", "placement_key"),
        shop_fk("customer_id", "customers"),
        CheckConstraint("net_minor + tax_minor + tip_minor = total_minor", name="net_and_tax"),
        CheckConstraint(
            "subtotal_minor + shipping_minor + packaging_minor - discount_minor "
            "= CASE WHEN tax_inside THEN net_minor + tax_minor ELSE net_minor END",
            name="total",
        ),
        CheckConstraint(
            "subtotal_minor >= 0 AND shipping_minor >= 0 AND packaging_minor >= 0 AND tip_minor >= 0 "
            "AND total_minor >= 0",
            name="not_negative",
        ),
        CheckConstraint("discount_net_minor >= 0 AND discount_net_minor <= discount_minor", name="discount"),
        CheckConstraint("(fulfilment_method = 'delivery') = (address IS NOT NULL)", name="address"),
        CheckConstraint("received_minor >= 0", name="received"),
        CheckConstraint(
            "NOT awaits_delivery_price OR (received_minor = 0 AND state NOT IN ('confirmed', 'completed'))",
            name="unpriced",
        ),
        CheckConstraint("deposit_minor >= 0 AND (rest_due_at IS NOT NULL OR NOT rest_in_advance)", name="deposit"),
        CheckConstraint(
            "kept_tax_minor >= 0 AND kept_tax_minor <= kept_minor AND kept_minor <= deposit_minor", name="kept"
        ),
        CheckConstraint("disputed_minor >= 0", name="disputed"),
        Index("ix_orders_list", "tenant_id", text("placed_at DESC"), text("id DESC")),
        Index("ix_orders_state", "tenant_id", "state", "fulfilment_state", "payment_state"),
        Index("ix_orders_customer", "tenant_id", "customer_id"),
        Index("ix_orders_phone", "tenant_id", "contact_phone"),
        Index("ix_orders_email", "tenant_id", text("lower(contact_email)")),
        Index(
            "ix_orders_links",
            "tenant_id",
            text("placed_at DESC"),
            text("id DESC"),
            postgresql_where=text("channel = 'link'"),
        ),
        Index("ix_orders_expiry", "tenant_id", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        Index(
            "ix_orders_rest",
            "tenant_id",
            "rest_due_at",
            postgresql_where=text("deposit_minor > 0 AND state = 'confirmed'"),
        ),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str]
    token: Mapped[str] = mapped_column(default=new_token)
    placement_key: Mapped[str]
    state: Mapped[OrderState]
    payment_state: Mapped[PaymentState]
    fulfilment_state: Mapped[FulfilmentState]
    version: Mapped[int] = mapped_column()
    customer_id: Mapped[int | None]
    contact_name: Mapped[str]
    contact_phone: Mapped[str | None]
    contact_email: Mapped[str | None]
    locale: Mapped[str]
    fulfilment_method: Mapped[FulfilmentMethod]
    channel: Mapped[Channel] = mapped_column(default=Channel.WEB, server_default=text("'web'"))
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    currency: Mapped[str]
    subtotal_minor: Mapped[int]
    shipping_minor: Mapped[int]
    shipping_name: Mapped[str]
    packaging_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    discount_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    discount_net_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    tax_inside: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    fees_rate_bp: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    tip_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    total_minor: Mapped[int]
    received_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    awaits_delivery_price: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    deposit_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    rest_due_at: Mapped[datetime | None]
    rest_in_advance: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    deposit_refundable: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    deposit_back_until: Mapped[datetime | None]
    kept_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    kept_tax_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    disputed_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    payment_method: Mapped[str]
    note: Mapped[str]
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    cancelled_reason: Mapped[str | None]
    return_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    attention: Mapped[Attention | None]

    __mapper_args__ = {"version_id_col": version}

    @property
    def total(self) -> Money:
        """What is paid, delivery and tax included."""
        return Money(self.total_minor, self.currency)

    @property
    def due_minor(self) -> int:
        """What is still to be paid, in minor units."""
        return max(0, self.total_minor - self.received_minor)

    @property
    def due_now_minor(self) -> int:
        """What of it is to be paid now: until the order counts, what is missing of its deposit."""
        return due_now(self)

    @property
    def needs_attention(self) -> bool:
        """Whether a person must look at it; `attention` says why."""
        return self.attention is not None


class OrderLine(ShopOwned, Model):
    """One line as it was agreed: `quantity` units of `unit_minor` less `discount_minor` are `gross_minor`, or
    `net_minor` where prices have no tax inside. The rate and the class of its tax are those of that day.

    A charge that names no product has neither product nor variant, and nothing of it is handed over.
    For reservations also when, and which booking. Of a bundle, `parts` is what was in one: [{"variant_id": 7, "units":
    2, "name": "Concha"}]; its stock is theirs. Of its units `refunded_quantity` were refunded, with
    `refunded_minor`, and `restocked_quantity` of those can be sold again. `handed_quantity` units went out in
    parts.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("product_id", "products"),
        shop_fk("variant_id", "variants"),
        shop_fk("booking_id", "bookings"),
        UniqueConstraint("tenant_id", "order_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(
            "quantity * unit_minor - discount_minor = CASE WHEN tax_inside THEN gross_minor ELSE net_minor END",
            name="gross",
        ),
        CheckConstraint("(product_id IS NULL) = (variant_id IS NULL)", name="product"),
        CheckConstraint("product_id IS NOT NULL OR (kind = 'service' AND booking_id IS NULL)", name="charge"),
        CheckConstraint("discount_minor >= 0 AND gross_minor >= 0", name="discount"),
        CheckConstraint("net_minor + tax_minor = gross_minor", name="net_and_tax"),
        CheckConstraint("refunded_quantity BETWEEN 0 AND quantity", name="refunded_quantity"),
        CheckConstraint("refunded_minor BETWEEN 0 AND gross_minor", name="refunded"),
        CheckConstraint("restocked_quantity BETWEEN 0 AND refunded_quantity", name="restocked"),
        CheckConstraint("handed_quantity BETWEEN 0 AND quantity", name="handed"),
        Index("ix_order_lines_product", "tenant_id", "product_id"),
        Index("ix_order_lines_booking", "tenant_id", "booking_id"),
    )

    id: Mapped[int] = identity_pk()
    order_id: Mapped[int]
    position: Mapped[int]
    kind: Mapped[ProductKind]
    product_id: Mapped[int | None]
    variant_id: Mapped[int | None]
    product_name: Mapped[str]
    variant_name: Mapped[str]
    sku: Mapped[str]
    quantity: Mapped[int]
    unit_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    gross_minor: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    tax_rate_bp: Mapped[int]
    tax_class: Mapped[str] = mapped_column(default=GENERAL, server_default=text("'general'"))
    tax_inside: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    parts: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    refunded_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refunded_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    restocked_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    handed_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    booking_id: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]


class OrderEvent(ShopOwned, Model):
    """One move on one axis: from which state to which, by whom, when and why. Append-only."""

    __tablename__ = "order_events"
    __append_only__ = True
    __table_args__ = (
        shop_fk("order_id", "orders"),
        CheckConstraint("before <> after", name="moves"),
        Index("ix_order_events_order", "tenant_id", "order_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    order_id: Mapped[int]
    axis: Mapped[Axis]
    before: Mapped[str]
    after: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_label: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class HandedPart(ShopOwned, Model):
    """A part of an order that was handed over by itself. Append-only; numbered from one in each order."""

    __tablename__ = "handed_parts"
    __append_only__ = True
    __table_args__ = (shop_fk("order_id", "orders"), UniqueConstraint("tenant_id", "order_id", "number"))

    id: Mapped[int] = identity_pk()
    order_id: Mapped[int]
    number: Mapped[int]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_label: Mapped[str]


class HandedLine(ShopOwned, Model):
    """So many units of a line that were in a part. Append-only."""

    __tablename__ = "handed_lines"
    __append_only__ = True
    __table_args__ = (
        shop_fk("part_id", "handed_parts"),
        shop_fk("order_line_id", "order_lines"),
        UniqueConstraint("tenant_id", "part_id", "order_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_handed_lines_line", "tenant_id", "order_line_id"),
    )

    id: Mapped[int] = identity_pk()
    part_id: Mapped[int]
    order_line_id: Mapped[int]
    quantity: Mapped[int]
