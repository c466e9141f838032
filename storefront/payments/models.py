"""Money: tries to pay, what providers told us, proofs of transfers, refunds, and the ledger behind it all."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.states import Transitions


class AttemptState(StrEnum):
    """Created before anybody outside knows of it; pending once the provider does; the rest is an end."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ProofState(StrEnum):
    """A proof waits for the shop, and is accepted or sent back with a reason."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class RefundState(StrEnum):
    """The decision is one thing, the money another: `external` waits for a person to send it back by hand."""

    REQUESTED = "requested"
    IN_TRANSIT = "in_transit"
    EXTERNAL = "external"
    DONE = "done"
    FAILED = "failed"


_A, _R = AttemptState, RefundState

ATTEMPT_STATES = Transitions(
    {
        _A.CREATED: {_A.PENDING, _A.SUCCEEDED, _A.FAILED, _A.EXPIRED, _A.CANCELLED},
        _A.PENDING: {_A.SUCCEEDED, _A.FAILED, _A.EXPIRED, _A.CANCELLED},
        _A.FAILED: {_A.SUCCEEDED},  # the provider's word comes late or out of order; money is money
        _A.EXPIRED: {_A.SUCCEEDED},
        _A.CANCELLED: {_A.SUCCEEDED},
        _A.SUCCEEDED: {_A.CANCELLED},  # a payment noted by mistake at the counter is taken back
    }
)

REFUND_STATES = Transitions(
    {
        _R.REQUESTED: {_R.IN_TRANSIT, _R.EXTERNAL, _R.DONE, _R.FAILED},
        _R.IN_TRANSIT: {_R.DONE, _R.EXTERNAL, _R.FAILED},
        _R.EXTERNAL: {_R.DONE},
        _R.DONE: {_R.EXTERNAL},  # the bank sent it back: the provider's word is not the last
        _R.FAILED: {_R.REQUESTED, _R.EXTERNAL, _R.DONE},
    }
)


class PaymentAttempt(ShopOwned, Model):
    """One try to pay what is due of an order, `amount_minor` of `currency`.

    `key` names the operation at the provider for ever and is stored before the first call; `intent` is what a refund
    needs. Several attempts of an order may succeed; what comes on top of its total is sent back. `asked_at` is when the
    poll last asked about it. `provider` is who takes the money and is asked about it ever after; nobody for what the
    shop takes itself. The `voucher_…` are what a customer pays with later, once the page has given it out; `came_minor`
    is what somebody who may send it in parts (`payer_ref`) has sent so far, and counts once all of it is there. With a
    `joint_id` it is one order's part of a payment for several, whose page the joint payment's row names. `fee_minor`
    and `platform_fee_minor` are what the provider kept, once it said so (`payments.fees`).
    """

    __tablename__ = "payment_attempts"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("joint_id", "joint_payments"),
        UniqueConstraint("tenant_id", "key"),
        UniqueConstraint("tenant_id", "provider_ref"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_payment_attempts_order", "tenant_id", "order_id", "id"),
        Index(
            "ix_payment_attempts_open",
            "tenant_id",
            "created_at",
            postgresql_where=text("state IN ('created', 'pending') AND provider IS NOT NULL"),
        ),
        Index(
            "ix_payment_attempts_fee",
            "tenant_id",
            "settled_at",
            postgresql_where=text("state = 'succeeded' AND provider IS NOT NULL AND fee_minor IS NULL"),
        ),
        Index("ix_payment_attempts_payer", "tenant_id", "payer_ref", postgresql_where=text("payer_ref IS NOT NULL")),
        CheckConstraint("came_minor >= 0", name="came"),
        Index("ix_payment_attempts_joint", "tenant_id", "joint_id", postgresql_where=text("joint_id IS NOT NULL")),
    )

    id: Mapped[int] = identity_pk()
    order_id: Mapped[int]
    joint_id: Mapped[int | None]
    method: Mapped[str]
    state: Mapped[AttemptState]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    key: Mapped[str]
    provider_ref: Mapped[str | None]
    intent: Mapped[str | None]
    checkout_url: Mapped[str | None]
    checkout_expires_at: Mapped[datetime | None]
    provider: Mapped[str | None]
    voucher_url: Mapped[str | None]
    voucher_number: Mapped[str | None]
    voucher_expires_at: Mapped[datetime | None]
    voucher_bank: Mapped[str | None]
    voucher_reference: Mapped[str | None]
    came_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    payer_ref: Mapped[str | None]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    fee_minor: Mapped[int | None]
    platform_fee_minor: Mapped[int | None]


class JointPayment(ShopOwned, Model):
    """One payment of `amount_minor` for several orders: each order's part of it is an attempt, and only that counts.

    `key` names it at the provider for ever, as an attempt's does; `order_id` is the order from whose page it was made.
    """

    __tablename__ = "joint_payments"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        UniqueConstraint("tenant_id", "key"),
        UniqueConstraint("tenant_id", "provider_ref"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    id: Mapped[int] = identity_pk()
    order_id: Mapped[int]
    key: Mapped[str]
    method: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    provider: Mapped[str | None]
    provider_ref: Mapped[str | None]
    created_at: Mapped[datetime]


class ProviderAccount(ShopOwned, Model):
    """A shop's account at a provider that gives tokens for it; `access` and `refresh` are sealed (`kernel.sealing`).

    `renewing_until` is set while one caller fetches new ones.
    """

    __tablename__ = "provider_accounts"
    __table_args__ = (UniqueConstraint("tenant_id", "provider"),)

    id: Mapped[int] = identity_pk()
    provider: Mapped[str]
    external_id: Mapped[str]
    access: Mapped[str]
    refresh: Mapped[str]
    expires_at: Mapped[datetime]
    renewing_until: Mapped[datetime | None]
    connected_at: Mapped[datetime]


class PaymentEvent(ShopOwned, Model):
    """Something that happened to money, as told by a provider or a person. Append-only, once per provider and id."""

    __tablename__ = "payment_events"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("tenant_id", "provider", "external_id"),
        Index("ix_payment_events_order", "tenant_id", "order_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    provider: Mapped[str]
    external_id: Mapped[str]
    order_id: Mapped[int]
    attempt_id: Mapped[int | None]
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class TransferProof(ShopOwned, Model):
    """A picture that a customer says shows their transfer. `sha256` finds the same picture used twice.

    A transfer for several orders has one for each of them, with the same picture and `joint_id`.
    """

    __tablename__ = "transfer_proofs"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("joint_id", "joint_payments"),
        shop_fk("attempt_id", "payment_attempts"),
        UniqueConstraint("tenant_id", "code"),
        Index("ix_transfer_proofs_queue", "tenant_id", "state", "created_at"),
        Index("ix_transfer_proofs_picture", "tenant_id", "sha256"),
        Index(
            "uq_transfer_proofs_open",
            "tenant_id",
            "order_id",
            unique=True,
            postgresql_where=text("state = 'submitted'"),
        ),
        Index("ix_transfer_proofs_joint", "tenant_id", "joint_id", postgresql_where=text("joint_id IS NOT NULL")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    order_id: Mapped[int]
    joint_id: Mapped[int | None]
    attempt_id: Mapped[int]
    image_key: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str]
    reference: Mapped[str] = mapped_column(default="")
    state: Mapped[ProofState]
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str] = mapped_column(default="")


class BankLineState(StrEnum):
    """What became of money seen in a statement."""

    WAITING = "waiting"
    SETTLED = "settled"
    SET_ASIDE = "set_aside"


class BankLine(ShopOwned, Model):
    """Money that came into the shop's bank, from a statement the shop brought. The same row of two files is one line.

    `order_id` is the order it paid for, or the first of several, which its `joint_id` then tells; a line set aside paid
    for something else.
    """

    __tablename__ = "bank_lines"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("joint_id", "joint_payments"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "fingerprint"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(state = 'settled') = (order_id IS NOT NULL)", name="settled_names_its_order"),
        Index("ix_bank_lines_list", "tenant_id", "state", "booked_on", "id"),
        Index("ix_bank_lines_order", "tenant_id", "order_id"),
        Index("ix_bank_lines_joint", "tenant_id", "joint_id", postgresql_where=text("joint_id IS NOT NULL")),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    fingerprint: Mapped[str]
    booked_on: Mapped[date]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    words: Mapped[str]
    state: Mapped[BankLineState]
    order_id: Mapped[int | None]
    joint_id: Mapped[int | None]
    imported_at: Mapped[datetime]


class DifferenceKind(StrEnum):
    """What does not agree: with the provider, with our own books, or within them."""

    PAYMENT_UNKNOWN = "payment_unknown"
    PAYMENT_NOT_NOTED = "payment_not_noted"
    PAYMENT_AMOUNT = "payment_amount"
    PAYMENT_MISSING = "payment_missing"
    REFUND_UNKNOWN = "refund_unknown"
    REFUND_NOT_NOTED = "refund_not_noted"
    REFUND_AMOUNT = "refund_amount"
    REFUND_MISSING = "refund_missing"
    NOT_BOOKED = "not_booked"
    SALE_NOT_BOOKED = "sale_not_booked"
    ORDER_OWES = "order_owes"
    GIFT_CARDS = "gift_cards"
    DISPUTE_UNKNOWN = "dispute_unknown"
    FEE_AMOUNT = "fee_amount"


class ReconciledDay(ShopOwned, Model):
    """A day of the shop's that was compared. `with_provider`: its card account, too."""

    __tablename__ = "reconciled_days"
    __table_args__ = (UniqueConstraint("tenant_id", "day"),)

    id: Mapped[int] = identity_pk()
    day: Mapped[date]
    with_provider: Mapped[bool]
    at: Mapped[datetime]


class Difference(ShopOwned, Model):
    """Something that does not agree, found once however often it is looked for, and closed by a person with a reason.

    `subject` names what it is about: the provider's name for it, or ours.
    """

    __tablename__ = "differences"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "kind", "subject"),
        CheckConstraint("(closed_at IS NULL) = (reason = '')", name="closed_for_a_reason"),
        Index("ix_differences_open", "tenant_id", "day", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_differences_closed", "tenant_id", "closed_at", "id"),
        Index("ix_differences_order", "tenant_id", "order_id"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    day: Mapped[date]
    kind: Mapped[DifferenceKind]
    subject: Mapped[str]
    order_id: Mapped[int | None]
    ours_minor: Mapped[int | None]
    theirs_minor: Mapped[int | None]
    currency: Mapped[str]
    found_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")


class LedgerEntry(ShopOwned, Model):
    """One transfer of money between two accounts of a shop's books: balanced by construction. Append-only.

    `kind` with its source is unique, so a fact is booked once however often it is told.
    """

    __tablename__ = "ledger_entries"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("tenant_id", "source_type", "source_id", "kind"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        Index("ix_ledger_entries_order", "tenant_id", "order_id"),
        Index("ix_ledger_entries_month", "tenant_id", "at"),
    )

    id: Mapped[int] = identity_pk()
    debit: Mapped[str]
    credit: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    source_type: Mapped[str]
    source_id: Mapped[int]
    kind: Mapped[str]
    order_id: Mapped[int | None]
    at: Mapped[datetime]


class RefundPart(StrEnum):
    """What a part of a refund is for: units of a line, one of the fees, the tip, or nothing in particular."""

    LINE = "line"
    SHIPPING = "shipping"
    PACKAGING = "packaging"
    TIP = "tip"
    OTHER = "other"


class RefundLine(ShopOwned, Model):
    """One part of a refund, as it was decided. Append-only: net + tax = amount."""

    __tablename__ = "refund_lines"
    __append_only__ = True
    __table_args__ = (
        shop_fk("refund_id", "refunds"),
        shop_fk("order_line_id", "order_lines"),
        CheckConstraint("net_minor + tax_minor = amount_minor", name="net_and_tax"),
        CheckConstraint("net_minor >= 0 AND tax_minor >= 0 AND quantity >= 0", name="not_negative"),
        CheckConstraint("(part = 'line') = (order_line_id IS NOT NULL)", name="line"),
        CheckConstraint("part <> 'tip' OR tax_minor = 0", name="tip"),
        Index("ix_refund_lines_refund", "tenant_id", "refund_id"),
        Index("ix_refund_lines_line", "tenant_id", "order_line_id"),
    )

    id: Mapped[int] = identity_pk()
    refund_id: Mapped[int]
    part: Mapped[RefundPart]
    order_line_id: Mapped[int | None]
    name: Mapped[str]
    quantity: Mapped[int]
    restocked: Mapped[bool]
    amount_minor: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    tax_rate_bp: Mapped[int | None]


class ExchangeCredit(ShopOwned, Model):
    """A refund whose money did not leave, and the attempt of another order that it became. Append-only, once each."""

    __tablename__ = "exchange_credits"
    __append_only__ = True
    __table_args__ = (
        shop_fk("refund_id", "refunds"),
        shop_fk("attempt_id", "payment_attempts"),
        UniqueConstraint("tenant_id", "refund_id"),
        UniqueConstraint("tenant_id", "attempt_id"),
    )

    id: Mapped[int] = identity_pk()
    refund_id: Mapped[int]
    attempt_id: Mapped[int]


class Refund(ShopOwned, Model):
    """Money that is to go back to a customer: decided once, sent back by the provider or by hand.

    `key` is its name at the provider for ever. The provider remembers failures by key, too, so that a try after one
    that is remembered has a key of its own (`key_now`); `keys_spent` counts them. `fee_minor` is what the provider gave
    back of its fees, below zero, once it said so.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("attempt_id", "payment_attempts"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("keys_spent >= 0", name="keys"),
        Index("ix_refunds_order", "tenant_id", "order_id"),
        Index("ix_refunds_open", "tenant_id", "state"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    order_id: Mapped[int]
    attempt_id: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[RefundState]
    reason: Mapped[str]
    key: Mapped[str]
    keys_spent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    provider_ref: Mapped[str | None]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    fee_minor: Mapped[int | None]

    @property
    def key_now(self) -> str:
        """The key of the next call to the provider."""
        return f"{self.key}:again:{self.keys_spent}" if self.keys_spent else self.key
