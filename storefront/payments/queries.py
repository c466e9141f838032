"""Reading money: what waits for a person, what a customer may do next, and whether the books agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.orders.models import Order
from storefront.orders.states import OrderState, PaymentState
from storefront.payments.ledger import MONEY, Account
from storefront.payments.models import (
    AttemptState,
    LedgerEntry,
    PaymentAttempt,
    ProofState,
    Refund,
    RefundState,
    TransferProof,
)

PAGE = 25


@dataclass(frozen=True, slots=True)
class ProofView:
    """A proof before the shop. `same_picture` counts other orders that showed the very same file."""

    code: str
    order_id: int
    order_code: str
    contact_name: str
    contact_phone: str | None
    total: Money
    reference: str
    state: ProofState
    reason: str
    image_key: str
    width: int
    height: int
    created_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str
    same_picture: int


def _proofs() -> Any:
    twin = TransferProof.__table__.alias("twin")
    same = (
        select(func.count(func.distinct(twin.c.order_id)))
        .where(
            twin.c.tenant_id == TransferProof.tenant_id,
            twin.c.sha256 == TransferProof.sha256,
            twin.c.order_id != TransferProof.order_id,
        )
        .correlate(TransferProof)
        .scalar_subquery()
    )
    return select(
        TransferProof.code,
        TransferProof.order_id,
        Order.code.label("order_code"),
        Order.contact_name,
        Order.contact_phone,
        Order.total_minor,
        Order.currency,
        TransferProof.reference,
        TransferProof.state,
        TransferProof.reason,
        TransferProof.image_key,
        TransferProof.width,
        TransferProof.height,
        TransferProof.created_at,
        TransferProof.reviewed_at,
        TransferProof.reviewed_by,
        same.label("same_picture"),
    ).join(Order, (Order.tenant_id == TransferProof.tenant_id) & (Order.id == TransferProof.order_id))


def _proof_view(row: Any) -> ProofView:
    facts = dict(row._mapping)
    total = Money(facts.pop("total_minor"), facts.pop("currency"))
    return ProofView(total=total, **facts)


def proofs_to_review(number: int = 1) -> Page[ProofView]:
    """Proofs nobody has decided on, the oldest first."""
    rows = db.session.execute(
        _proofs()
        .where(TransferProof.state == ProofState.SUBMITTED)
        .order_by(TransferProof.created_at, TransferProof.id)
        .limit(PAGE + 1)
        .offset((number - 1) * PAGE)
    ).all()
    return Page.of([_proof_view(row) for row in rows], number, PAGE)


def proof_by_code(code: str) -> ProofView:
    """One proof. Raises NotFound."""
    row = db.session.execute(_proofs().where(TransferProof.code == code)).first()
    if row is None:
        raise NotFound
    return _proof_view(row)


def latest_proof(order_id: int) -> ProofView | None:
    """The newest proof of an order, or None."""
    row = db.session.execute(
        _proofs().where(TransferProof.order_id == order_id).order_by(TransferProof.id.desc()).limit(1)
    ).first()
    return _proof_view(row) if row else None


@dataclass(frozen=True, slots=True)
class RefundView:
    """Money on its way back."""

    code: str
    order_code: str
    contact_name: str
    contact_phone: str | None
    amount: Money
    state: RefundState
    reason: str
    method: str
    created_at: datetime


def refunds(*, order_id: int | None = None, by_hand: bool = False) -> list[RefundView]:
    """Refunds of an order, or those of the whole shop that wait for a person's hand; oldest first."""
    query = (
        select(
            Refund.code,
            Order.code.label("order_code"),
            Order.contact_name,
            Order.contact_phone,
            Refund.amount_minor,
            Refund.currency,
            Refund.state,
            Refund.reason,
            PaymentAttempt.method,
            Refund.created_at,
        )
        .join(Order, (Order.tenant_id == Refund.tenant_id) & (Order.id == Refund.order_id))
        .join(PaymentAttempt, (PaymentAttempt.tenant_id == Refund.tenant_id) & (PaymentAttempt.id == Refund.attempt_id))
        .order_by(Refund.id)
        .limit(100)
    )
    if order_id is not None:
        query = query.where(Refund.order_id == order_id)
    if by_hand:
        query = query.where(Refund.state == RefundState.EXTERNAL)
    found = []
    for row in db.session.execute(query):
        facts = dict(row._mapping)
        amount = Money(facts.pop("amount_minor"), facts.pop("currency"))
        found.append(RefundView(amount=amount, **facts))
    return found


def open_card_page(order_id: int) -> str | None:
    """The address of the payment page that still waits for this order, if there is one."""
    return db.session.scalar(
        select(PaymentAttempt.checkout_url)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.PENDING)
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    )


def attempt_of_reference(reference: str) -> int | None:
    """The attempt behind a provider's page id, or None."""
    return db.session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.provider_ref == reference))


def attempt_of_key(key: str) -> int | None:
    """The attempt behind a key of ours, or None."""
    return db.session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.key == key))


def latest_card_attempt(order_id: int) -> int | None:
    """The newest card attempt of an order, or None."""
    return db.session.scalar(
        select(PaymentAttempt.id)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.method == "card")
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    )


def refund_of_reference(reference: str) -> int | None:
    """The refund behind a provider's refund id, or None."""
    return db.session.scalar(select(Refund.id).where(Refund.provider_ref == reference))


def invariants() -> list[dict[str, Any]]:
    """I5 to I7 on this shop's rows: empty when all is well.

    I5 nothing was booked for a payment that did not succeed, and every one that did is booked. I6 a confirmed, paid
    order owes nothing. I7 at most one attempt of an order keeps its money: any other success has a refund.
    """
    return [*_unbooked(), *_owing(), *_double()]


def _unbooked() -> list[dict[str, Any]]:
    received = (
        select(LedgerEntry.source_id)
        .where(LedgerEntry.source_type == "attempt", LedgerEntry.kind == "received")
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(PaymentAttempt.id, PaymentAttempt.state).where(
            (PaymentAttempt.state == AttemptState.SUCCEEDED) & PaymentAttempt.id.not_in(received)
        )
    )
    return [{"invariant": "I5", "attempt": row.id, "state": str(row.state)} for row in rows]


def _owing() -> list[dict[str, Any]]:
    signed = case((LedgerEntry.debit == Account.RECEIVABLE, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    owed = (
        select(LedgerEntry.order_id, func.sum(signed).label("owed"))
        .where((LedgerEntry.debit == Account.RECEIVABLE) | (LedgerEntry.credit == Account.RECEIVABLE))
        .group_by(LedgerEntry.order_id)
        .subquery()
    )
    booked = select(LedgerEntry.order_id).where(LedgerEntry.kind == "sale").scalar_subquery()
    rows = db.session.execute(
        select(Order.id, owed.c.owed)
        .join(owed, owed.c.order_id == Order.id)
        .where(
            Order.payment_state == PaymentState.PAID,
            Order.state.in_([OrderState.CONFIRMED, OrderState.COMPLETED]),
            Order.id.in_(booked),
            owed.c.owed != 0,
        )
    )
    return [{"invariant": "I6", "order": row.id, "owed_minor": int(row.owed)} for row in rows]


def _double() -> list[dict[str, Any]]:
    back = select(Refund.attempt_id).where(Refund.state != RefundState.FAILED).scalar_subquery()
    rows = db.session.execute(
        select(PaymentAttempt.order_id, func.count().label("kept"))
        .where(PaymentAttempt.state == AttemptState.SUCCEEDED, PaymentAttempt.id.not_in(back))
        .group_by(PaymentAttempt.order_id)
        .having(func.count() > 1)
    )
    return [{"invariant": "I7", "order": row.order_id, "kept": row.kept} for row in rows]


def held_by_account() -> dict[Account, int]:
    """Where the shop's money is, in minor units by account."""
    found = {}
    for account in MONEY:
        signed = case((LedgerEntry.debit == account, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
        total = db.session.scalar(
            select(func.coalesce(func.sum(signed), 0)).where(
                (LedgerEntry.debit == account) | (LedgerEntry.credit == account)
            )
        )
        found[account] = int(total or 0)
    return found
