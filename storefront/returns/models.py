"""Returns of an order: what is to come back and why, what came, what the customer has for it, and who decided what.

An order has one return that is under way at most. What was refunded and put on sale again by hand since it was asked
for is told from the counts that each of its lines keeps from that moment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.states import Transitions


class ReturnState(StrEnum):
    """Requested waits for the shop's word, approved for the goods, received for what is given for them.

    The last four are ends; lapsed: it was approved, and nothing came in time.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    SETTLED = "settled"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Wish(StrEnum):
    """What the customer wants for what comes back."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    GIFT_CARD = "gift_card"


class Settlement(StrEnum):
    """What the customer had for what came back; nothing where all of it had been refunded before."""

    REFUND = "refund"
    NOTHING = "nothing"
    EXCHANGE = "exchange"
    GIFT_CARD = "gift_card"


_S = ReturnState

RETURN_STATES = Transitions(
    {
        _S.REQUESTED: {_S.APPROVED, _S.DECLINED, _S.WITHDRAWN},
        _S.APPROVED: {_S.IN_TRANSIT, _S.RECEIVED, _S.WITHDRAWN, _S.LAPSED},
        _S.IN_TRANSIT: {_S.RECEIVED, _S.WITHDRAWN},
        _S.RECEIVED: {_S.SETTLED, _S.APPROVED},  # back to approved: what came was noted wrongly
    }
)

UNDER_WAY = frozenset({_S.REQUESTED, _S.APPROVED, _S.IN_TRANSIT, _S.RECEIVED})
"""States of a return that has no end yet."""


class OrderReturn(ShopOwned, Model):
    """One return of units of an order's lines. `reason` is a word of ours, `words` the customer's, `answer` the shop's.

    `expires_at` is until when an approved one waits for the goods. `settlement` is what the customer had for them,
    worth `value_minor` of `currency`: money, another order, a gift card, or the latter two for a part of it.
    """

    __tablename__ = "order_returns"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("exchange_order_id", "orders"),
        shop_fk("gift_card_id", "gift_cards"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "exchange_order_id"),
        UniqueConstraint("tenant_id", "gift_card_id"),
        CheckConstraint(
            "(state IN ('requested', 'approved', 'in_transit', 'received')) = (ended_at IS NULL)", name="ended"
        ),
        CheckConstraint("(state = 'settled') = (settlement IS NOT NULL)", name="settled"),
        CheckConstraint("value_minor >= 0", name="value"),
        Index("ix_order_returns_order", "tenant_id", "order_id", "id"),
        Index("ix_order_returns_queue", "tenant_id", "state", "created_at"),
        Index(
            "uq_order_returns_open", "tenant_id", "order_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )  # fmt: skip

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    order_id: Mapped[int]
    state: Mapped[ReturnState]
    wish: Mapped[Wish]
    reason: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    image_key: Mapped[str | None]
    currency: Mapped[str]
    settlement: Mapped[Settlement | None]
    value_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    exchange_order_id: Mapped[int | None]
    gift_card_id: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class OrderReturnLine(ShopOwned, Model):
    """So many units of a line that are to come back; `received_quantity` came, of which `fine_quantity` can be sold.

    `refunded_before` and `restocked_before` are the line's counts when the return was asked for.
    """

    __tablename__ = "order_return_lines"
    __table_args__ = (
        shop_fk("return_id", "order_returns"),
        shop_fk("order_line_id", "order_lines"),
        UniqueConstraint("tenant_id", "return_id", "order_line_id", name="uq_order_return_lines_line"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("received_quantity BETWEEN 0 AND quantity", name="received"),
        CheckConstraint("fine_quantity BETWEEN 0 AND received_quantity", name="fine"),
        Index("ix_order_return_lines_line", "tenant_id", "order_line_id"),
    )

    id: Mapped[int] = identity_pk()
    return_id: Mapped[int]
    order_line_id: Mapped[int]
    quantity: Mapped[int]
    refunded_before: Mapped[int]
    restocked_before: Mapped[int]
    received_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    fine_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class OrderReturnGood(ShopOwned, Model):
    """So many units of a variant that are wanted for what comes back. Held from when the return is approved."""

    __tablename__ = "order_return_goods"
    __table_args__ = (
        shop_fk("return_id", "order_returns"),
        shop_fk("variant_id", "variants"),
        UniqueConstraint("tenant_id", "return_id", "variant_id", name="uq_order_return_goods_variant"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[int] = identity_pk()
    return_id: Mapped[int]
    variant_id: Mapped[int]
    quantity: Mapped[int]


class OrderReturnEvent(ShopOwned, Model):
    """One step of a return: who, when, to which state. Append-only, so customers are in it by their number alone."""

    __tablename__ = "order_return_events"
    __append_only__ = True
    __table_args__ = (
        shop_fk("return_id", "order_returns"),
        Index("ix_order_return_events_return", "tenant_id", "return_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    return_id: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_label: Mapped[str]
    at: Mapped[datetime]
