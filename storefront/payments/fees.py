"""What the provider keeps of a payment, by its own word: for itself (`fee`) and for the platform (`platform_fee`).

Its word comes some time after the money, so that it is asked for every few minutes until it is there, and once more in
the daily comparison. It is booked once (fees ← where the money is). What a refund gives back of it is what the provider
says of that refund: its own part usually stays with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, select, update

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy
from storefront.kernel.tenancy import current_shop
from storefront.orders.moves import locked
from storefront.payments import door, ledger
from storefront.payments.capabilities import STRIPE
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, LedgerEntry, PaymentAttempt, Refund, RefundState
from storefront.payments.provider import Fee, GatewayRefused, GatewayUnavailable

NOT_BEFORE = timedelta(minutes=2)
PAUSE = timedelta(minutes=30)
"""How often is asked for a fee that the provider did not name yet."""

ASKED_FOR = timedelta(days=30)
"""How long a fee is asked for."""

MOST_ASKED = 100

KINDS = ("fee", "platform_fee")


def learn(attempt_id: int, fee: Fee) -> None:
    """Write down what the provider kept of a payment, once. Its first word counts.

    Of one payment for several orders, each part bears its share of it, to the last minor unit.
    """
    with transaction():
        parts = _parts(attempt_id)
    total, before = sum(part.amount_minor for part in parts), 0
    for part in parts:
        after = before + part.amount_minor
        provider, platform = (
            minor * after // total - minor * before // total for minor in (fee.provider_minor, fee.platform_minor)
        )
        _learn(part.id, Fee(provider, platform))
        before = after


def _parts(attempt_id: int) -> Sequence[Any]:
    """The parts of the payment that an attempt is, or is one of."""
    joint = select(PaymentAttempt.joint_id).where(PaymentAttempt.id == attempt_id).scalar_subquery()
    return db.session.execute(
        select(PaymentAttempt.id, PaymentAttempt.amount_minor)
        .where((PaymentAttempt.id == attempt_id) | (PaymentAttempt.joint_id == joint))
        .order_by(PaymentAttempt.id)
    ).all()


def _learn(attempt_id: int, fee: Fee) -> None:
    with transaction():
        order_id = db.session.scalar(select(PaymentAttempt.order_id).where(PaymentAttempt.id == attempt_id))
        order = locked(int(order_id or 0))
        attempt = db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)
        if attempt.state is not AttemptState.SUCCEEDED or attempt.fee_minor is not None:
            return
        attempt.fee_minor, attempt.platform_fee_minor = fee.provider_minor, fee.platform_minor
        place, source = ledger.where_it_went(attempt_id), ("attempt", attempt_id)
        for kind, minor in zip(KINDS, (fee.provider_minor, fee.platform_minor), strict=True):
            _book(place, minor, kind, source, order.id)


def learn_of_refund(refund_id: int, fee: Fee) -> None:
    """Write down what the provider gave back of its fees with a refund (below zero), once."""
    with transaction():
        order_id = db.session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
        order = locked(int(order_id or 0))
        refund = db.session.get_one(Refund, (current_shop().id, refund_id), populate_existing=True)
        if refund.state is not RefundState.DONE or refund.fee_minor is not None:
            return
        refund.fee_minor = fee.total_minor
        _book(ledger.where_it_went(refund.attempt_id), fee.total_minor, "fee", ("refund", refund_id), order.id)


def _book(place: Account, minor: int, kind: str, source: tuple[str, int], order_id: int) -> None:
    way = (Account.FEES, place) if minor > 0 else (place, Account.FEES)
    ledger.post(*way, abs(minor), kind=kind if minor > 0 else f"{kind}_back", source=source, order_id=order_id)


# --- asking -----------------------------------------------------------------------------------------------------------


def keep_asking() -> None:
    """Ask for the fees that are not known yet, those not asked for for the longest time first."""
    account = door.account(STRIPE) if door.takes_cards() else None
    if account is None:
        return
    for attempt in _unknown(PaymentAttempt, AttemptState.SUCCEEDED, PaymentAttempt.intent):
        _try(lambda intent: door.gateway().fee_of_payment(account, intent), learn, attempt)
    for refund in _unknown(Refund, RefundState.DONE, Refund.provider_ref):
        _try(lambda reference: door.gateway().fee_of_refund(account, reference), learn_of_refund, refund)


def _try(ask: Callable[[str], Fee | None], note_down: Callable[[int, Fee], None], one: Any) -> None:
    try:
        fee = ask(one.reference)
        if fee is not None:
            note_down(one.id, fee)
    except (GatewayUnavailable, GatewayRefused, Busy):
        return


def _unknown(model: type[PaymentAttempt | Refund], done: AttemptState | RefundState, reference: Any) -> Sequence[Any]:
    """What came to its end at Stripe and whose fee is not known, marked as asked for."""
    at = clock.now()
    with transaction():
        query = select(model.id, reference.label("reference")).where(
            model.state == done,
            model.fee_minor.is_(None),
            reference.is_not(None),
            model.settled_at > at - ASKED_FOR,
            model.settled_at < at - NOT_BEFORE,
            model.asked_at.is_(None) | (model.asked_at < model.settled_at) | (model.asked_at < at - PAUSE),
        )
        if model is PaymentAttempt:
            query = query.where(PaymentAttempt.provider == STRIPE)
        rows = db.session.execute(query.order_by(model.asked_at.nulls_first(), model.id).limit(MOST_ASKED)).all()
        if rows:
            db.session.execute(
                update(model)
                .where(model.id.in_([row.id for row in rows]))
                .values(asked_at=at)
                .execution_options(synchronize_session=False)
            )
    return rows


# --- reading ----------------------------------------------------------------------------------------------------------


def booked(source_type: str, source_id: int) -> int:
    """What the books have as fees of a payment or a refund, in minor units."""
    signed = case((LedgerEntry.debit == Account.FEES, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    query = select(func.coalesce(func.sum(signed), 0)).where(
        LedgerEntry.source_type == source_type,
        LedgerEntry.source_id == source_id,
        (LedgerEntry.debit == Account.FEES) | (LedgerEntry.credit == Account.FEES),
    )
    return int(db.session.scalar(query) or 0)


def of_payment(attempt_id: int) -> int:
    """What the books have as fees of a payment, all its parts together, in minor units."""
    return sum(booked("attempt", part.id) for part in _parts(attempt_id))


def this_month() -> dict[str, int]:
    """This month's fees in minor units: of the `provider`, the `platform`, for `disputes`, and what came `back`."""
    first = clock.now().astimezone(current_shop().zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = db.session.execute(
        select(LedgerEntry.kind, func.sum(LedgerEntry.amount_minor).label("minor"))
        .where(
            (LedgerEntry.debit == Account.FEES) | (LedgerEntry.credit == Account.FEES),
            LedgerEntry.at >= first,
        )
        .group_by(LedgerEntry.kind)
    )
    found = {row.kind: int(row.minor) for row in rows}
    back = sum(minor for kind, minor in found.items() if kind.endswith("_back"))
    taken = {"provider": "fee", "platform": "platform_fee", "disputes": "dispute_fee"}
    return {**{name: found.get(kind, 0) for name, kind in taken.items()}, "back": back}


def invariants() -> list[dict[str, Any]]:
    """I19: what the rows call a fee is in the books as one, to the last minor unit."""
    signed = case((LedgerEntry.debit == Account.FEES, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    sums = (
        select(LedgerEntry.source_type, LedgerEntry.source_id, func.sum(signed).label("minor"))
        .where(
            (LedgerEntry.debit == Account.FEES) | (LedgerEntry.credit == Account.FEES),
            LedgerEntry.source_type.in_(["attempt", "refund"]),
        )
        .group_by(LedgerEntry.source_type, LedgerEntry.source_id)
    )
    in_books = {(row.source_type, row.source_id): int(row.minor) for row in db.session.execute(sums)}
    told = func.coalesce(PaymentAttempt.fee_minor + PaymentAttempt.platform_fee_minor, 0)
    attempts = db.session.execute(select(PaymentAttempt.id, told).where(told != 0))
    known = {("attempt", row[0]): int(row[1] or 0) for row in attempts}
    back = func.coalesce(Refund.fee_minor, 0)
    refunds = db.session.execute(select(Refund.id, back).where(back != 0))
    known |= {("refund", row[0]): int(row[1] or 0) for row in refunds}
    return [
        {"invariant": "I19", "what": one, "row_minor": known.get(one, 0), "books_minor": in_books.get(one, 0)}
        for one in sorted({*known, *in_books})
        if known.get(one, 0) != in_books.get(one, 0)
    ]
