"""Once a day: do the provider, our payments and our books say the same? What does not agree is written down.

The provider's lists are read first, outside any transaction; what it has and we had not noted yet is settled the usual
way before it counts as a difference. A difference is found once, however often a day is compared, and is closed by a
person with a reason, never by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Busy, Invalid, NotFound
from storefront.kernel.ids import new_code
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order
from storefront.orders.states import COUNTS
from storefront.payments import actions, contesting, door, fees, gift_cards, queries, refunding
from storefront.payments.capabilities import PROVIDERS, STRIPE
from storefront.payments.models import (
    AttemptState,
    Difference,
    DifferenceKind,
    JointPayment,
    LedgerEntry,
    PaymentAttempt,
    ReconciledDay,
    Refund,
    RefundState,
)
from storefront.payments.provider import GatewayRefused, Payment, Provider, RefundStatus
from storefront.payments.provider import RefundState as ProviderRefund

LATE_NEWS = timedelta(hours=2)
"""How long after its end a day is compared, so that what happened in its last minute has been settled."""

DAYS_BACK = 7
"""How many days are made up for after an outage."""

SHORTEST_REASON = 5


class ReasonNeeded(Invalid):
    """Nobody closes a difference without saying why."""

    message = _l("Escribe con unas palabras por qué se cierra.")


@dataclass(frozen=True, slots=True)
class Found:
    """A difference as it is found. `theirs_minor` is the provider's side, or the books'."""

    kind: DifferenceKind
    subject: str
    order_id: int | None = None
    ours_minor: int | None = None
    theirs_minor: int | None = None


def days_due() -> list[date]:
    """Days that are over and not compared yet, the oldest first."""
    at = (clock.now() - LATE_NEWS).astimezone(current_shop().zone).date()
    wanted = [at - timedelta(days=back) for back in range(DAYS_BACK, 0, -1)]
    done = set(db.session.scalars(select(ReconciledDay.day).where(ReconciledDay.day >= wanted[0])))
    db.session.rollback()
    return [day for day in wanted if day not in done]


def reconcile(day: date) -> int:
    """Compare one day of the shop's. Returns how many differences are new. Raises GatewayUnavailable; then the day
    stays to be compared."""
    shop = current_shop()
    since, until = bounds_of(day)
    asked = {code: account for code in PROVIDERS if (account := door.account(code)) is not None}
    found = [one for code, account in asked.items() for one in _with_provider(code, account, since, until)]
    if STRIPE in asked:
        found += _disputes(asked[STRIPE], since, until)
    with_provider = bool(asked)
    with transaction():
        found += [*_not_booked(since, until), *_sales(since, until), *_owing(), *_on_cards()]
        new = _keep(day, found)
        db.session.execute(
            insert(ReconciledDay)
            .values(tenant_id=shop.id, day=day, with_provider=with_provider, at=clock.now())
            .on_conflict_do_update(
                index_elements=["tenant_id", "day"], set_={"with_provider": with_provider, "at": clock.now()}
            )
        )
    return new


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """The first instant of a day of the shop's, and the first of the next."""
    zone = current_shop().zone
    return tuple(datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1))  # type: ignore[return-value]  # two of them


def _keep(day: date, found: Sequence[Found]) -> int:
    shop, at = current_shop(), clock.now()
    rows = [
        {
            "tenant_id": shop.id, "code": new_code(), "day": day, "kind": one.kind, "subject": one.subject,
            "order_id": one.order_id, "ours_minor": one.ours_minor, "theirs_minor": one.theirs_minor,
            "currency": shop.currency, "found_at": at, "closed_by": "", "reason": "",
        }
        for one in found
    ]  # fmt: skip
    if not rows:
        return 0
    keep = insert(Difference).on_conflict_do_nothing(index_elements=["tenant_id", "kind", "subject"])
    return len(db.session.execute(keep.returning(Difference.id), rows).all())


# --- with the provider ----------------------------------------------------------------------------------------------


def _with_provider(code: str, account: str, since: datetime, until: datetime) -> list[Found]:
    gateway = door.provider(code)
    payments = gateway.payments_between(account, since, until)
    refunds = gateway.refunds_between(account, since, until)
    _settle_what_is_new(payments, refunds)
    _learn_fees(payments, refunds)
    with transaction():
        found = [one for payment in payments for one in _about_payment(payment)]
        found += [one for payment in payments for one in _about_fee(payment)]
        found += [one for refund in refunds for one in _about_refund(refund)]
        unseen = _unseen_attempts(code, since, until, payments)
        unseen_refunds = _unseen_refunds(code, since, until, refunds)
    found += [one for attempt in unseen for one in _asked_again(gateway, account, attempt)]
    return found + [one for refund in unseen_refunds for one in _refund_asked_again(gateway, account, refund)]


def _settle_what_is_new(payments: Sequence[Payment], refunds: Sequence[ProviderRefund]) -> None:
    """Follow what we had not heard of, as if its notice had come; what cannot be settled becomes a difference."""
    for payment in payments:
        attempt = _attempt_of(payment)
        db.session.rollback()
        if attempt is not None and attempt.state is not AttemptState.SUCCEEDED:
            with contextlib.suppress(GatewayRefused, Busy):
                actions.ask_provider(attempt.id)
    for refund in refunds:
        ours = _refund_of(refund)
        db.session.rollback()
        if ours is not None and ours.provider_ref == refund.id:
            with contextlib.suppress(GatewayRefused, Busy):
                refunding.follow_refund(ours.id)


def _learn_fees(payments: Sequence[Payment], refunds: Sequence[ProviderRefund]) -> None:
    """Book what the provider kept, where we had not heard of it yet."""
    for payment in payments:
        attempt = _attempt_of(payment)
        db.session.rollback()
        if attempt is not None and payment.fee is not None and payment.currency == current_shop().currency:
            with contextlib.suppress(Busy):
                fees.learn(attempt.id, payment.fee)
    for refund in refunds:
        ours = _refund_of(refund)
        db.session.rollback()
        if ours is not None and ours.provider_ref == refund.id and refund.fee is not None:
            with contextlib.suppress(Busy):
                fees.learn_of_refund(ours.id, refund.fee)


def _about_fee(payment: Payment) -> list[Found]:
    """What the provider says now that it kept of a payment, where the books have something else."""
    ours = _attempt_of(payment)
    if ours is None or payment.fee is None or ours.state is not AttemptState.SUCCEEDED:
        return []
    booked, theirs = fees.of_payment(ours.id), payment.fee.total_minor
    return [] if booked == theirs else [Found(DifferenceKind.FEE_AMOUNT, payment.id, ours.order_id, booked, theirs)]


@dataclass(frozen=True, slots=True)
class _Ours:
    """What we have of a payment: one attempt, or all parts of one for several orders."""

    id: int
    order_id: int
    state: AttemptState
    amount_minor: int


def _attempt_of(payment: Payment) -> _Ours | None:
    """Our attempt behind a payment: by the key we gave it, or by the provider's name for it."""
    # Charges of other programs have no such name: without the empty word, none would be every attempt without one.
    key = payment.metadata.get("attempt", "")
    named = PaymentAttempt.key == key
    named |= PaymentAttempt.intent == (payment.payment_intent or "")
    named |= PaymentAttempt.joint_id.in_(select(JointPayment.id).where(JointPayment.key == key))
    row = db.session.execute(
        select(
            PaymentAttempt.id, PaymentAttempt.order_id, PaymentAttempt.state, PaymentAttempt.amount_minor,
            PaymentAttempt.joint_id,
        )
        .where(named)
        .order_by(PaymentAttempt.id)
        .limit(1)
    ).first()  # fmt: skip
    if row is None:
        return None
    if row.joint_id is not None:
        return _all_parts(row.joint_id)
    return _Ours(row.id, row.order_id, row.state, row.amount_minor)


def _all_parts(joint_id: int) -> _Ours:
    """A payment for several orders, noted once all of its parts are."""
    parts = db.session.execute(
        select(PaymentAttempt.id, PaymentAttempt.order_id, PaymentAttempt.state, PaymentAttempt.amount_minor)
        .where(PaymentAttempt.joint_id == joint_id)
        .order_by(PaymentAttempt.state == AttemptState.SUCCEEDED, PaymentAttempt.order_id)
    ).all()
    return _Ours(parts[0].id, parts[0].order_id, parts[0].state, sum(part.amount_minor for part in parts))


def _about_payment(payment: Payment) -> list[Found]:
    ours = _attempt_of(payment)
    kind, theirs = None, payment.amount_minor
    if ours is None:
        return [Found(DifferenceKind.PAYMENT_UNKNOWN, payment.id, None, None, theirs)]
    if ours.state is not AttemptState.SUCCEEDED:
        kind = DifferenceKind.PAYMENT_NOT_NOTED
    elif (ours.amount_minor, current_shop().currency) != (theirs, payment.currency):
        kind = DifferenceKind.PAYMENT_AMOUNT
    return [Found(kind, payment.id, ours.order_id, ours.amount_minor, theirs)] if kind else []


def _disputes(account: str, since: datetime, until: datetime) -> list[Found]:
    """Disputes that were opened on a day: what we had not heard of is settled, the rest is about nothing of ours."""
    return [
        Found(DifferenceKind.DISPUTE_UNKNOWN, told.id, None, None, told.amount_minor)
        for told in door.gateway().disputes_between(account, since, until)
        if not contesting.follow(told.id)
    ]


def _refund_of(refund: ProviderRefund) -> Any:
    key = refund.metadata.get("refund", "")
    return db.session.execute(
        select(Refund.id, Refund.order_id, Refund.state, Refund.amount_minor, Refund.provider_ref)
        .where((Refund.key == key) | (Refund.provider_ref == refund.id))
        .limit(1)
    ).first()


def _about_refund(refund: ProviderRefund) -> list[Found]:
    ours, theirs = _refund_of(refund), refund.amount_minor
    if refund.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}:
        return []  # the money stayed
    if ours is None:
        return [Found(DifferenceKind.REFUND_UNKNOWN, refund.id, _order_of(refund), None, theirs)]
    kind = None
    noted = {RefundState.DONE, RefundState.IN_TRANSIT}
    if ours.state not in noted or ours.provider_ref != refund.id:
        kind = DifferenceKind.REFUND_NOT_NOTED
    elif ours.amount_minor != theirs:
        kind = DifferenceKind.REFUND_AMOUNT
    return [Found(kind, refund.id, ours.order_id, ours.amount_minor, theirs)] if kind else []


def _order_of(refund: ProviderRefund) -> int | None:
    return db.session.scalar(
        select(PaymentAttempt.order_id).where(PaymentAttempt.intent == (refund.payment_intent or "")).limit(1)
    )


def _unseen_attempts(code: str, since: datetime, until: datetime, payments: Sequence[Payment]) -> Sequence[Any]:
    """Payments of ours at this provider that the day's list does not have: paid on another day, or not at all."""
    seen = [payment.payment_intent for payment in payments if payment.payment_intent]
    return db.session.execute(
        select(
            *(
                func.coalesce(getattr(JointPayment, name), getattr(PaymentAttempt, name)).label(name)
                for name in ("key", "order_id", "amount_minor", "provider_ref")
            )
        )
        .select_from(PaymentAttempt)
        .outerjoin(
            JointPayment,
            (JointPayment.tenant_id == PaymentAttempt.tenant_id) & (JointPayment.id == PaymentAttempt.joint_id),
        )
        .where(
            PaymentAttempt.provider == code,
            PaymentAttempt.state == AttemptState.SUCCEEDED,
            PaymentAttempt.settled_at >= since,
            PaymentAttempt.settled_at < until,
            PaymentAttempt.intent.is_(None) | PaymentAttempt.intent.not_in(seen),
        )
        .distinct()
    ).all()


def _asked_again(gateway: Provider, account: str, attempt: Any) -> list[Found]:
    theirs = None
    if attempt.provider_ref is not None:
        with contextlib.suppress(GatewayRefused):
            told = gateway.checkout_state(account, attempt.provider_ref)
            theirs = told.amount_minor if told.paid else None
    if theirs == attempt.amount_minor:
        return []
    kind = DifferenceKind.PAYMENT_MISSING if theirs is None else DifferenceKind.PAYMENT_AMOUNT
    return [Found(kind, attempt.key, attempt.order_id, attempt.amount_minor, theirs)]


def _unseen_refunds(code: str, since: datetime, until: datetime, refunds: Sequence[ProviderRefund]) -> Sequence[Any]:
    return db.session.execute(
        select(Refund.key, Refund.order_id, Refund.amount_minor, Refund.provider_ref)
        .join(PaymentAttempt, (PaymentAttempt.tenant_id == Refund.tenant_id) & (PaymentAttempt.id == Refund.attempt_id))
        .where(
            PaymentAttempt.provider == code,
            Refund.state == RefundState.DONE,
            Refund.settled_at >= since,
            Refund.settled_at < until,
            Refund.provider_ref.is_not(None),
            Refund.provider_ref.not_in([refund.id for refund in refunds]),
        )
    ).all()


def _refund_asked_again(gateway: Provider, account: str, refund: Any) -> list[Found]:
    theirs = None
    with contextlib.suppress(GatewayRefused):
        told = gateway.refund_state(account, refund.provider_ref)
        theirs = told.amount_minor if told.status is RefundStatus.SUCCEEDED else None
    if theirs == refund.amount_minor:
        return []
    kind = DifferenceKind.REFUND_MISSING if theirs is None else DifferenceKind.REFUND_AMOUNT
    return [Found(kind, refund.key, refund.order_id, refund.amount_minor, theirs)]


# --- within our own books -------------------------------------------------------------------------------------------


def _booked(source_type: str, plus: Sequence[str], minus: Sequence[str]) -> Any:
    """What the books have by source, in minor units."""
    signed = case((LedgerEntry.kind.in_(plus), LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    return (
        select(LedgerEntry.source_id, func.sum(signed).label("minor"))
        .where(LedgerEntry.source_type == source_type, LedgerEntry.kind.in_([*plus, *minus]))
        .group_by(LedgerEntry.source_id)
        .subquery()
    )


def _not_booked(since: datetime, until: datetime) -> list[Found]:
    """Payments and refunds that came to their end, and whose money the books do not have."""
    received = _booked("attempt", ["received"], ["taken_back"])
    sent_back = _booked("refund", ["sent_back", "sent_back_again", "set_off", "to_card"], ["came_back"])
    return [
        *_missing(PaymentAttempt, AttemptState.SUCCEEDED, received, since, until),
        *_missing(Refund, RefundState.DONE, sent_back, since, until),
    ]


def _missing(
    model: type[PaymentAttempt | Refund],
    done: AttemptState | RefundState,
    booked: Any,
    since: datetime,
    until: datetime,
) -> list[Found]:
    rows = db.session.execute(
        select(model.key, model.order_id, model.amount_minor, booked.c.minor)
        .outerjoin(booked, booked.c.source_id == model.id)
        .where(
            model.state == done,
            model.settled_at >= since,
            model.settled_at < until,
            func.coalesce(booked.c.minor, 0) != model.amount_minor,
        )
    )
    return [
        Found(DifferenceKind.NOT_BOOKED, row.key, row.order_id, row.amount_minor, int(row.minor or 0)) for row in rows
    ]


def _sold() -> Any:
    """What the books have of each order as sold, changes of the order included, in minor units."""
    plus = ["card_sold", "sale", "tax", "tip", "discount_back", "sale_more", "tax_more", "discount_less"]
    minus = ["discount", "sale_back", "tax_back", "tip_back", "sale_less", "tax_less", "discount_more"]
    signed = case((LedgerEntry.kind.in_(plus), LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    return (
        select(LedgerEntry.order_id, func.sum(signed).label("minor"))
        .where(LedgerEntry.kind.in_([*plus, *minus]))
        .group_by(LedgerEntry.order_id)
        .subquery()
    )


def _sales(since: datetime, until: datetime) -> list[Found]:
    booked = _sold()
    rows = db.session.execute(
        select(Order.id, Order.code, Order.total_minor, booked.c.minor)
        .outerjoin(booked, booked.c.order_id == Order.id)
        .where(
            Order.state.in_(COUNTS),
            Order.confirmed_at >= since,
            Order.confirmed_at < until,
            func.coalesce(booked.c.minor, 0) != Order.total_minor,
        )
    )
    return [
        Found(DifferenceKind.SALE_NOT_BOOKED, row.code, row.id, row.total_minor, int(row.minor or 0)) for row in rows
    ]


def _owing() -> list[Found]:
    """Paid orders whose account with the customer is not even, of whatever day: such a thing does not mend itself."""
    return [
        Found(DifferenceKind.ORDER_OWES, f"{one['order']}:{one['owed_minor']}", one["order"], 0, one["owed_minor"])
        for one in queries.owing()
    ]


def _on_cards() -> list[Found]:
    """What is on all gift cards, where the books owe something else for them."""
    on_cards, owed = gift_cards.totals()
    kind = DifferenceKind.GIFT_CARDS
    return [] if on_cards == owed else [Found(kind, f"{on_cards}:{owed}", None, on_cards, owed)]


# --- closing --------------------------------------------------------------------------------------------------------


def close(code: str, reason: str, by: Actor) -> None:
    """Somebody knows why it is so, or has put it right. Closing it twice changes nothing.

    Raises NotFound, ReasonNeeded.
    """
    words = " ".join(reason.split())[:300]
    with transaction():
        found = db.session.scalar(select(Difference.id).where(Difference.code == code))
        if found is None:
            raise NotFound
        [difference] = lock_rows(Difference, [found])
        if difference.closed_at is not None:
            return
        if len(words) < SHORTEST_REASON:
            raise ReasonNeeded
        difference.closed_at, difference.closed_by, difference.reason = clock.now(), by.label, words
        note("payment", difference.id, "difference_closed", by, kind=str(difference.kind), code=code)
