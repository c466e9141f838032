"""Gift cards and every movement of what is on them.

A card counts on its own row what is left on it: the guard is one conditional UPDATE of that row (`actions.spend`), and
the checks below hold even without it. The movements add up to it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code


class PaidWith(StrEnum):
    """How the shop got the money for a card; none for one that is given away, nor for what came back. Shop: with the
    order that bought it."""

    CASH = "cash"
    TRANSFER = "bank_transfer"
    GIVEN = "given"
    RETURNED = "returned"
    SHOP = "shop"


class Movement(StrEnum):
    """Why what is on a card changed: `given_back` by an order that lapsed, `refunded` by one that was sent back.

    Bought back: what the card itself cost went back to whoever bought it.
    """

    ISSUED = "issued"
    REDEEMED = "redeemed"
    GIVEN_BACK = "given_back"
    REFUNDED = "refunded"
    BOUGHT_BACK = "bought_back"


class GiftCard(ShopOwned, Model):
    """One card of `value_minor`, with `balance_minor` left on it. `code` names it to the shop and is no secret.

    What its holder types is kept as a fingerprint only; `ending` is its last four characters. It can be used until
    `expires_at`, and not while it is disabled.
    """

    __tablename__ = "gift_cards"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "secret_hash"),
        CheckConstraint("value_minor > 0", name="value"),
        CheckConstraint("balance_minor BETWEEN 0 AND value_minor", name="balance"),
        CheckConstraint("(disabled_at IS NULL) = (disabled_reason = '')", name="disabled_for_a_reason"),
        Index("ix_gift_cards_list", "tenant_id", text("created_at DESC"), text("id DESC")),
        Index("ix_gift_cards_email", "tenant_id", text("lower(recipient_email)")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    secret_hash: Mapped[str]
    ending: Mapped[str]
    value_minor: Mapped[int]
    balance_minor: Mapped[int]
    currency: Mapped[str]
    paid_with: Mapped[PaidWith]
    recipient_name: Mapped[str] = mapped_column(default="")
    recipient_email: Mapped[str | None]
    message: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by: Mapped[str] = mapped_column(default="")


class GiftCardEntry(ShopOwned, Model):
    """One movement of a card: plus what comes onto it, minus what goes off. Append-only, once per kind and source.

    The source is the card itself, the payment attempt that it paid, or the refund that came back to it.
    """

    __tablename__ = "gift_card_entries"
    __append_only__ = True
    __table_args__ = (
        shop_fk("card_id", "gift_cards"),
        shop_fk("order_id", "orders"),
        UniqueConstraint("tenant_id", "kind", "source_id"),
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("(kind IN ('redeemed', 'bought_back')) = (amount_minor < 0)", name="direction"),
        CheckConstraint("(kind = 'issued') = (order_id IS NULL)", name="order"),
        Index("ix_gift_card_entries_card", "tenant_id", "card_id", "id"),
        Index("ix_gift_card_entries_order", "tenant_id", "order_id"),
    )

    id: Mapped[int] = identity_pk()
    card_id: Mapped[int]
    kind: Mapped[Movement]
    amount_minor: Mapped[int]
    source_id: Mapped[int]
    order_id: Mapped[int | None]
    at: Mapped[datetime]


class GiftOrder(ShopOwned, Model):
    """The gift card that an order buys: for whom, and when it is sent. `card_id` is the card, once it is paid.

    `sealed` is the secret (`kernel.sealing`) for as long as somebody waits for it: until it is mailed on its day, or
    for the buyer, who hands over what has no address.
    """

    __tablename__ = "gift_orders"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("card_id", "gift_cards"),
        UniqueConstraint("tenant_id", "order_id"),
        UniqueConstraint("tenant_id", "card_id"),
        CheckConstraint("mailed_at IS NULL OR recipient_email IS NOT NULL", name="mailed"),
        CheckConstraint("sealed IS NULL OR card_id IS NOT NULL", name="sealed"),
        Index(
            "ix_gift_orders_due",
            "tenant_id",
            "send_at",
            postgresql_where=text("mailed_at IS NULL AND send_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = identity_pk()
    order_id: Mapped[int]
    card_id: Mapped[int | None]
    recipient_name: Mapped[str]
    recipient_email: Mapped[str | None]
    message: Mapped[str]
    send_at: Mapped[datetime | None]
    sealed: Mapped[str | None]
    mailed_at: Mapped[datetime | None]
