"""Reading disputes: what waits for the shop and until when, how each came to its state, whether the books agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.orders.models import Attention, Order
from storefront.payments.disputes import (
    OPEN,
    TO_ANSWER,
    WITH_THE_BANK,
    Dispute,
    DisputeMove,
    DisputeState,
    DisputeStep,
    concerned_by,
    disputed_of,
)
from storefront.payments.ledger import Account
from storefront.payments.models import LedgerEntry, PaymentAttempt

PAGE = 25


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute as the shop sees it. `fee` is what the bank took for its trouble and kept so far."""

    id: int
    code: str
    order_id: int
    order_code: str
    order_attention: Attention | None
    contact_name: str
    method: str
    state: DisputeState
    reason: str
    amount: Money
    fee: Money
    lost: Money
    due_at: datetime | None
    product: str
    story: str
    files: dict[str, str]
    staged_at: datetime | None
    submitted_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None

    @property
    def is_to_answer(self) -> bool:
        """Whether the bank waits for the shop."""
        return self.state in TO_ANSWER

    @property
    def has_been_taken(self) -> bool:
        """Whether the bank has the money."""
        return self.state in WITH_THE_BANK


def _views() -> Any:
    fee = (
        select(func.coalesce(func.sum(DisputeMove.fee_minor), 0))
        .where(DisputeMove.tenant_id == Dispute.tenant_id, DisputeMove.dispute_id == Dispute.id)
        .correlate(Dispute)
        .scalar_subquery()
    )
    return (
        select(
            Dispute.id, Dispute.code, Dispute.order_id, Order.code.label("order_code"),
            Order.attention.label("order_attention"), Order.contact_name,
            PaymentAttempt.method, Dispute.state, Dispute.reason, Dispute.amount_minor, fee.label("fee_minor"),
            Dispute.lost_minor, Dispute.currency, Dispute.due_at, Dispute.evidence, Dispute.staged_at,
            Dispute.submitted_at, Dispute.opened_at, Dispute.closed_at,
        )
        .join(Order, (Order.tenant_id == Dispute.tenant_id) & (Order.id == Dispute.order_id))
        .join(
            PaymentAttempt,
            (PaymentAttempt.tenant_id == Dispute.tenant_id) & (PaymentAttempt.id == Dispute.attempt_id),
        )
    )  # fmt: skip


def _view(row: Any) -> DisputeView:
    facts = dict(row._mapping)
    currency, said = facts.pop("currency"), facts.pop("evidence")
    facts |= {name: Money(int(facts.pop(f"{name}_minor")), currency) for name in ("amount", "fee", "lost")}
    files = {kind: file["name"] for kind, file in said.get("files", {}).items()}
    return DisputeView(product=said.get("product", ""), story=said.get("story", ""), files=files, **facts)


def disputes(*, over: bool, number: int) -> Page[DisputeView]:
    """One page of disputes: the open ones by deadline, what waits for the shop first; what is over latest first."""
    waits = case((Dispute.state.in_(TO_ANSWER), 0), else_=1)
    order = (Dispute.closed_at.desc(), Dispute.id.desc()) if over else (waits, Dispute.due_at, Dispute.id)
    rows = db.session.execute(
        _views()
        .where(Dispute.state.not_in(OPEN) if over else Dispute.state.in_(OPEN))
        .order_by(*order)
        .limit(PAGE + 1)
        .offset((number - 1) * PAGE)
    ).all()
    return Page.of([_view(row) for row in rows], number, PAGE)


def to_answer(limit: int) -> list[DisputeView]:
    """What the bank waits for, the nearest deadline first."""
    rows = db.session.execute(
        _views().where(Dispute.state.in_(TO_ANSWER)).order_by(Dispute.due_at, Dispute.id).limit(limit)
    )
    return [_view(row) for row in rows]


def of_order(order_id: int) -> list[DisputeView]:
    """The disputes about an order's payments, oldest first."""
    return [_view(row) for row in db.session.execute(_views().where(Dispute.order_id == order_id).order_by(Dispute.id))]


def dispute_by_code(code: str) -> DisputeView:
    """One dispute. Raises NotFound."""
    row = db.session.execute(_views().where(Dispute.code == code)).first()
    if row is None:
        raise NotFound
    return _view(row)


def dispute_by_id(dispute_id: int) -> DisputeView:
    """One dispute. Raises NotFound."""
    row = db.session.execute(_views().where(Dispute.id == dispute_id)).first()
    if row is None:
        raise NotFound
    return _view(row)


def how_many_open() -> int:
    """How many have no end yet."""
    found = select(func.count()).select_from(Dispute).where(Dispute.state.in_(OPEN))
    return int(db.session.scalar(found) or 0)


@dataclass(frozen=True, slots=True)
class StepView:
    """A state that a dispute came into."""

    state: str
    at: datetime


def history(dispute_id: int) -> list[StepView]:
    """The states of a dispute, in their order."""
    rows = db.session.execute(
        select(DisputeStep.after, DisputeStep.at)
        .where(DisputeStep.dispute_id == dispute_id, DisputeStep.before != DisputeStep.after)
        .order_by(DisputeStep.id)
    )
    return [StepView(row.after, row.at) for row in rows]


def invariants() -> list[dict[str, Any]]:
    """I18 the books call disputed and lost what the disputes of an order say, and it knows what the bank has.

    What a bank took is disputed until its end, but for refunds that went by it; lost is what the rows call so.
    """
    taken = _by_order(select(Dispute.order_id, -func.sum(DisputeMove.amount_minor).label("minor")).join(
        DisputeMove, (DisputeMove.tenant_id == Dispute.tenant_id) & (DisputeMove.dispute_id == Dispute.id)
    ))  # fmt: skip
    rest = _by_order(select(Dispute.order_id, func.sum(Dispute.lost_minor + Dispute.refunded_minor)))
    lost = _by_order(select(Dispute.order_id, func.sum(Dispute.lost_minor)))
    contested = db.session.scalars(select(Dispute.attempt_id)).all()
    fed = {order_id for attempt_id in contested for order_id in concerned_by(attempt_id)}
    booked, booked_lost = _booked(Account.DISPUTED), _booked(Account.DISPUTE_LOSSES)
    known = {
        row.id: row.disputed_minor
        for row in db.session.execute(
            select(Order.id, Order.disputed_minor).where(
                (Order.disputed_minor > 0) | Order.id.in_(select(Dispute.order_id)) | Order.id.in_(fed)
            )
        )
    }
    faults = []
    for order_id in sorted({*taken, *rest, *booked, *booked_lost, *known, *fed}):
        said = (taken.get(order_id, 0) - rest.get(order_id, 0), lost.get(order_id, 0), disputed_of(order_id))
        seen = (booked.get(order_id, 0), booked_lost.get(order_id, 0), known.get(order_id, 0))
        if said != seen:
            faults.append({"invariant": "I18", "order": order_id, "disputes": said, "books": seen})
    return faults


def _by_order(query: Any) -> dict[int, int]:
    return {row[0]: int(row[1] or 0) for row in db.session.execute(query.group_by(Dispute.order_id))}


def _booked(account: Account) -> dict[int, int]:
    signed = case((LedgerEntry.debit == account, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    rows = db.session.execute(
        select(LedgerEntry.order_id, func.sum(signed))
        .where((LedgerEntry.debit == account) | (LedgerEntry.credit == account), LedgerEntry.order_id.is_not(None))
        .group_by(LedgerEntry.order_id)
    )
    return {row[0]: int(row[1]) for row in rows if row[1]}
