"""Proposed changes of an order, what they change line by line, and who decided what about them.

A change that waits holds what it adds until `expires_at`; after that it is over by the clock alone, whether or not
somebody has written that down.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.states import Transitions
from storefront.kernel.taxes import GENERAL


class ChangeState(StrEnum):
    """Proposed waits for a word; the others are ends."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Agreement(StrEnum):
    """How the customer came to agree: on their page, by telephone to somebody of the shop, or without being asked."""

    PAGE = "page"
    PHONE = "phone"
    NOT_ASKED = "not_asked"


_S = ChangeState

CHANGE_STATES = Transitions({_S.PROPOSED: {_S.APPLIED, _S.DECLINED, _S.WITHDRAWN, _S.LAPSED}})


class OrderChange(ShopOwned, Model):
    """One change of an order's lines, or of what its delivery costs (`shipping_minor`). One waits at most.

    Totals are minor units of `currency`, tax included: the order's when it was proposed, and after it. `reason` is a
    word of ours, `words` are the shop's own for the customer.
    """

    __tablename__ = "order_changes"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("before_total_minor > 0 AND total_minor > 0", name="totals"),
        CheckConstraint("(state = 'applied') = (agreement IS NOT NULL)", name="agreed_when_applied"),
        CheckConstraint("(state = 'proposed') = (ended_at IS NULL)", name="ended"),
        Index("ix_order_changes_order", "tenant_id", "order_id", "id"),
        Index(
            "uq_order_changes_open", "tenant_id", "order_id", unique=True, postgresql_where=text("state = 'proposed'")
        ),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    order_id: Mapped[int]
    state: Mapped[ChangeState]
    agreement: Mapped[Agreement | None]
    reason: Mapped[str]
    words: Mapped[str]
    currency: Mapped[str]
    before_total_minor: Mapped[int]
    total_minor: Mapped[int]
    shipping_minor: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OrderChangeLine(ShopOwned, Model):
    """One line that changes: from `before_quantity` units to `quantity` of `unit_minor`, none of either: new, or gone.

    `line_position` is the order's line; empty for one that is added. `parts` is what is in a bundle, as order
    lines keep it. Append-only.
    """

    __tablename__ = "order_change_lines"
    __append_only__ = True
    __table_args__ = (
        shop_fk("change_id", "order_changes"),
        shop_fk("product_id", "products"),
        shop_fk("variant_id", "variants"),
        UniqueConstraint("tenant_id", "change_id", "position"),
        CheckConstraint("quantity >= 0 AND before_quantity >= 0 AND quantity <> before_quantity", name="changes"),
        CheckConstraint("(line_position IS NULL) = (before_quantity = 0)", name="added"),
    )

    id: Mapped[int] = identity_pk()
    change_id: Mapped[int]
    position: Mapped[int]
    line_position: Mapped[int | None]
    product_id: Mapped[int]
    variant_id: Mapped[int]
    product_name: Mapped[str]
    variant_name: Mapped[str]
    sku: Mapped[str]
    unit_minor: Mapped[int]
    tax_rate_bp: Mapped[int]
    tax_class: Mapped[str] = mapped_column(default=GENERAL, server_default=text("'general'"))
    before_quantity: Mapped[int]
    quantity: Mapped[int]
    parts: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))


class OrderChangeEvent(ShopOwned, Model):
    """One step of a change: who, when, to which state. Append-only, so customers are in it by their number alone."""

    __tablename__ = "order_change_events"
    __append_only__ = True
    __table_args__ = (
        shop_fk("change_id", "order_changes"),
        Index("ix_order_change_events_change", "tenant_id", "change_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    change_id: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_label: Mapped[str]
    at: Mapped[datetime]
