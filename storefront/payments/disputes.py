"""Rows of disputes (contracargos): what a bank takes back because whoever paid said so, and how that goes on.

Whoever follows the provider's word is `contesting`, who answers the bank `answering`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel.db import Model, ShopOwned, db, identity_pk, shop_fk
from storefront.kernel.ids import new_code
from storefront.kernel.states import Transitions
from storefront.kernel.tenancy import current_shop
from storefront.payments.methods import EXCHANGE
from storefront.payments.models import PaymentAttempt
from storefront.payments.origins import orders_fed, origin_of


class DisputeState(StrEnum):
    """An inquiry is a question, and takes no money; what needs a response has taken it already. Closed: a question that
    led to nothing."""

    INQUIRY = "inquiry"
    INQUIRY_REVIEW = "inquiry_review"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


_D = DisputeState

DISPUTE_STATES = Transitions(
    {
        _D.INQUIRY: {_D.INQUIRY_REVIEW, _D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON, _D.LOST, _D.CLOSED},
        _D.INQUIRY_REVIEW: {_D.INQUIRY, _D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON, _D.LOST, _D.CLOSED},
        _D.NEEDS_RESPONSE: {_D.UNDER_REVIEW, _D.WON, _D.LOST, _D.CLOSED},
        _D.UNDER_REVIEW: {_D.NEEDS_RESPONSE, _D.WON, _D.LOST, _D.CLOSED},
        # A bank may think again, or be asked to: none of the ends is for ever.
        _D.WON: {_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.LOST},
        _D.LOST: {_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON},
        _D.CLOSED: {_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON, _D.LOST},
    }
)

TO_ANSWER = frozenset({_D.INQUIRY, _D.NEEDS_RESPONSE})
"""States in which the shop may say something."""

OPEN = TO_ANSWER | {_D.INQUIRY_REVIEW, _D.UNDER_REVIEW}
"""States without an end."""

WITH_THE_BANK = frozenset({_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.LOST})
"""States in which the bank has the money: whoever sent it back as well would pay twice."""


class Dispute(ShopOwned, Model):
    """A payment that whoever made it contests at the bank. `external_id` is the provider's name for it.

    `lost_minor` is what the books have as lost; `refunded_minor` is what of it the shop was to send back anyway.
    `version` counts what we learnt of it: an answer of the provider's that was asked for before is asked for again.
    `evidence` is what the shop wants to say: texts, and for each file its name and the provider's name for it.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        shop_fk("order_id", "orders"),
        shop_fk("attempt_id", "payment_attempts"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "external_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_disputes_order", "tenant_id", "order_id"),
        Index("ix_disputes_attempt", "tenant_id", "attempt_id"),
        Index("ix_disputes_list", "tenant_id", "state", "due_at"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str] = mapped_column(default=new_code)
    order_id: Mapped[int]
    attempt_id: Mapped[int]
    external_id: Mapped[str]
    state: Mapped[DisputeState]
    reason: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    lost_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refunded_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    due_at: Mapped[datetime | None]
    evidence: Mapped[dict[str, Any]]
    staged_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class DisputeMove(ShopOwned, Model):
    """What the provider took for a dispute (below zero) or gave back, as it says: once for each of its movements.

    `fee_minor` is what it took for its trouble, below zero when that came back. Append-only.
    """

    __tablename__ = "dispute_moves"
    __append_only__ = True
    __table_args__ = (
        shop_fk("dispute_id", "disputes"),
        UniqueConstraint("tenant_id", "external_id"),
        CheckConstraint("amount_minor <> 0 OR fee_minor <> 0", name="something"),
        Index("ix_dispute_moves_dispute", "tenant_id", "dispute_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    dispute_id: Mapped[int]
    external_id: Mapped[str]
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    at: Mapped[datetime]


class DisputeStep(ShopOwned, Model):
    """What we learnt of a dispute, once for each `version`: its state before and after, alike where only money moved.
    Append-only.
    """

    __tablename__ = "dispute_steps"
    __append_only__ = True
    __table_args__ = (
        shop_fk("dispute_id", "disputes"),
        Index("ix_dispute_steps_dispute", "tenant_id", "dispute_id", "id"),
    )

    id: Mapped[int] = identity_pk()
    dispute_id: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]
    at: Mapped[datetime]


def _parts(attempt_id: int) -> Sequence[int]:
    """An attempt, with the others of one payment for several orders."""
    joint = select(PaymentAttempt.joint_id).where(PaymentAttempt.id == attempt_id).scalar_subquery()
    return db.session.scalars(
        select(PaymentAttempt.id).where((PaymentAttempt.id == attempt_id) | (PaymentAttempt.joint_id == joint))
    ).all()


def concerned_by(attempt_id: int) -> list[int]:
    """The orders that a payment's money pays by exchanges: what a bank takes of it is theirs, too."""
    return orders_fed(_parts(attempt_id))


def with_the_bank(attempt_id: int) -> int:
    """What of an attempt's money the bank has, or is about to take, in minor units.

    What an exchange paid is asked of where it came from: the bank takes that payment, whichever order it pays now. Of
    one payment for several orders, each part counts as taken, whichever of them the dispute is kept with.
    """
    attempt_id = origin_of(db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id))).id
    found = select(func.coalesce(func.sum(Dispute.amount_minor), 0)).where(
        Dispute.attempt_id.in_(_parts(attempt_id)), Dispute.state.in_(WITH_THE_BANK)
    )
    return int(db.session.scalar(found) or 0)


def disputed_of(order_id: int) -> int:
    """What of an order's money the bank has: by its own disputes, and by those of what its exchanges paid with."""
    own = select(func.coalesce(func.sum(Dispute.amount_minor), 0)).where(
        Dispute.order_id == order_id, Dispute.state.in_(WITH_THE_BANK)
    )
    exchanged = db.session.execute(
        select(PaymentAttempt.id, PaymentAttempt.amount_minor).where(
            PaymentAttempt.order_id == order_id, PaymentAttempt.method == EXCHANGE
        )
    ).all()
    ours = int(db.session.scalar(own) or 0)
    return ours + sum(min(int(row.amount_minor), with_the_bank(row.id)) for row in exchanged)
