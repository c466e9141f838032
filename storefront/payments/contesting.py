"""Following disputes: the provider is asked how one stands, whatever the notice said, and its answer is settled.

An answer is believed only if nothing else was learnt of the dispute since it was asked for, so that notices may come
late, twice and in any order. Each movement of money is booked once, by the provider's own name for it:

    withdrawn        card_clearing → disputed, its fee card_clearing → fees
    given back       the other way round
    lost             disputed → dispute_losses, taken back when the bank thinks again
    lost, and the shop had decided to send it back anyway: the refund is done, by the bank (disputed → receivable)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.events import DisputeOpened
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import flag_order, settle_attention
from storefront.orders.models import Attention, Order
from storefront.orders.moves import locked
from storefront.orders.states import OrderState
from storefront.payments import actions, door, ledger, refunding
from storefront.payments.capabilities import STRIPE
from storefront.payments.disputes import (
    DISPUTE_STATES,
    OPEN,
    TO_ANSWER,
    Dispute,
    DisputeMove,
    DisputeState,
    DisputeStep,
    concerned_by,
    disputed_of,
)
from storefront.payments.ledger import Account
from storefront.payments.models import AttemptState, PaymentAttempt
from storefront.payments.provider import BalanceMove, GatewayRefused, GatewayUnavailable
from storefront.payments.provider import DisputeState as Told

log = structlog.get_logger()

MOST_TRIES = 5
"""How often is asked anew when others learn of the same dispute at the same time."""

PAUSE, LONG_PAUSE = timedelta(hours=6), timedelta(days=3)
"""How often is asked about an open dispute whose notice may have been lost, and about one that came to an end."""

MAY_TURN_FOR = timedelta(days=120)
"""How long after its end a dispute is asked about: banks think again."""

MOST_ASKED = 100


def follow(external_id: str) -> bool:
    """Ask the provider about a dispute and settle what it says. False when it is about no payment of ours.

    Raises GatewayUnavailable, and Busy when others learn of it faster than we do.
    """
    account = door.account(STRIPE)
    if account is None:
        return False
    for _ in range(MOST_TRIES):
        seen = _version(external_id)
        try:
            told = door.gateway().dispute_state(account, external_id)
        except GatewayRefused:
            return False
        attempt_id = _attempt_of(told)
        if attempt_id is None:
            return False
        if settle(attempt_id, told, seen):
            return True
    raise Busy


def _version(external_id: str) -> int | None:
    with transaction():
        return db.session.scalar(select(Dispute.version).where(Dispute.external_id == external_id))


def _attempt_of(told: Told) -> int | None:
    """The payment of ours that is disputed; its own news, if they are still to come, are settled first."""
    with transaction():
        found = db.session.execute(
            select(PaymentAttempt.id, PaymentAttempt.state)
            .where(PaymentAttempt.intent == (told.payment_intent or ""))
            .order_by(PaymentAttempt.id)  # of a payment for several orders always the same one
        ).first()
    if found is None or told.currency != current_shop().currency:
        return None
    if found.state is not AttemptState.SUCCEEDED and actions.ask_provider(found.id) is not AttemptState.SUCCEEDED:
        return None
    return int(found.id)


def settle(attempt_id: int, told: Told, seen: int | None) -> bool:
    """Write down what the provider says of a dispute. False when more was learnt since version `seen` (None: nothing).

    One that was heard of for the first time is told to the shop.
    """
    with transaction():
        order_id = db.session.scalar(select(PaymentAttempt.order_id).where(PaymentAttempt.id == attempt_id))
        order = locked(int(order_id or 0))
        dispute = db.session.scalars(
            select(Dispute).where(Dispute.external_id == told.id).execution_options(populate_existing=True)
        ).first()
        if (dispute.version if dispute else None) != seen:
            return False
        before, amount = (dispute.state, dispute.amount_minor) if dispute else ("", 0)
        dispute = dispute or _opened(order, attempt_id, told)
        moves = _new_moves(dispute, told)
        _take_over(dispute, told)
        if moves or (before, amount) != (dispute.state, dispute.amount_minor):
            _learn(order, dispute, before, moves)
    return True


def _opened(order: Order, attempt_id: int, told: Told) -> Dispute:
    dispute = Dispute(
        order_id=order.id,
        attempt_id=attempt_id,
        external_id=told.id,
        state=DisputeState(told.status),
        reason=told.reason,
        amount_minor=told.amount_minor,
        currency=told.currency,
        evidence={},
        opened_at=told.created,
        version=0,
        lost_minor=0,
        refunded_minor=0,
    )
    db.session.add(dispute)
    db.session.flush()
    note("order", order.id, "dispute_opened", SYSTEM, amount_minor=told.amount_minor, reason=told.reason)
    record(DisputeOpened(dispute_id=dispute.id, order_id=order.id))
    return dispute


def _take_over(dispute: Dispute, told: Told) -> None:
    """What may change without anything having happened, and the state, where the table has the step."""
    dispute.reason, dispute.amount_minor, dispute.due_at = told.reason, told.amount_minor, told.due_by
    if told.submitted and dispute.submitted_at is None:
        dispute.submitted_at = clock.now()
    state = DisputeState(told.status)
    if state is dispute.state:
        return
    if not DISPUTE_STATES.allows(dispute.state, state):
        log.warning("dispute.odd", dispute=dispute.code, before=str(dispute.state), told=str(state))
        return
    dispute.state = state


def _new_moves(dispute: Dispute, told: Told) -> list[tuple[int, BalanceMove]]:
    """The movements that were not written down yet, with their numbers."""
    found = []
    for move in told.moves:
        row_id = db.session.scalar(
            insert(DisputeMove)
            .values(
                tenant_id=current_shop().id,
                dispute_id=dispute.id,
                external_id=move.id,
                amount_minor=move.amount_minor,
                fee_minor=move.fee_minor,
                at=move.at,
            )
            .on_conflict_do_nothing(index_elements=["tenant_id", "external_id"])
            .returning(DisputeMove.id)
        )
        if row_id is not None:
            found.append((row_id, move))
    return found


def _learn(order: Order, dispute: Dispute, before: str, moves: list[tuple[int, BalanceMove]]) -> None:
    """Something is new of a dispute: into its history and the books, and to whoever has to look."""
    dispute.version += 1
    dispute.closed_at = None if dispute.state in OPEN else dispute.closed_at or clock.now()
    step = DisputeStep(dispute_id=dispute.id, before=str(before), after=str(dispute.state), at=clock.now())
    db.session.add(step)
    db.session.flush()
    for row_id, move in moves:
        _book_move(order, row_id, move)
    _book_end(order, dispute, step)
    concerned = [order, *(locked(order_id) for order_id in concerned_by(dispute.attempt_id))]
    for one in concerned:
        one.disputed_minor = disputed_of(one.id)
    if before == dispute.state:
        return
    if before:
        note("order", order.id, f"dispute_{dispute.state}", SYSTEM, amount_minor=dispute.amount_minor)
    _ask_for_eyes(order, dispute)
    if dispute.state not in OPEN:
        for one in concerned:
            _owe_what_was_held(one)


def _book_move(order: Order, row_id: int, move: BalanceMove) -> None:
    source, clearing = ("dispute_move", row_id), Account.CARD_CLEARING

    def book(account: Account, minor: int, kind: str) -> None:
        way = (account, clearing) if minor > 0 else (clearing, account)
        ledger.post(*way, abs(minor), kind=kind if minor > 0 else f"{kind}_back", source=source, order_id=order.id)

    book(Account.DISPUTED, -move.amount_minor, "dispute")
    book(Account.FEES, move.fee_minor, "dispute_fee")


def _book_end(order: Order, dispute: Dispute, step: DisputeStep) -> None:
    """What the bank has for good is lost, but for what the shop was to send back anyway."""
    taken = -int(
        db.session.scalar(
            select(func.coalesce(func.sum(DisputeMove.amount_minor), 0)).where(DisputeMove.dispute_id == dispute.id)
        )
        or 0
    )
    lost = 0
    if dispute.state is DisputeState.LOST:
        room = taken - dispute.refunded_minor - dispute.lost_minor
        dispute.refunded_minor += refunding.sent_by_the_bank(dispute.attempt_id, room)
        lost = max(0, taken - dispute.refunded_minor)
    elif dispute.state is DisputeState.WON and dispute.refunded_minor:
        refunding.not_sent_by_the_bank(dispute.attempt_id)
        dispute.refunded_minor = 0
    more, way = lost - dispute.lost_minor, (Account.DISPUTE_LOSSES, Account.DISPUTED)
    kind, way = ("dispute_lost", way) if more > 0 else ("dispute_not_lost", way[::-1])
    ledger.post(*way, abs(more), kind=kind, source=("dispute_step", step.id), order_id=order.id)
    dispute.lost_minor = lost


def _ask_for_eyes(order: Order, dispute: Dispute) -> None:
    """The shop has to look while there is something to answer, and when what is not handed over yet was lost."""
    not_handed_over = order.state is OrderState.CONFIRMED
    look = dispute.state in TO_ANSWER or (dispute.state is DisputeState.LOST and not_handed_over)
    if look and order.attention is None:
        flag_order(order.id, Attention.DISPUTED, SYSTEM)
    elif not look and order.attention is Attention.DISPUTED and not _others_to_answer(dispute):
        settle_attention(order.id, SYSTEM)


def _others_to_answer(dispute: Dispute) -> bool:
    found = select(Dispute.id).where(
        Dispute.order_id == dispute.order_id, Dispute.id != dispute.id, Dispute.state.in_(TO_ANSWER)
    )
    return db.session.scalar(found.limit(1)) is not None


def _owe_what_was_held(order: Order) -> None:
    """The money of an order that ended could not go back while the bank had it: what is left of it does now."""
    reasons = {OrderState.CANCELLED: "cancelled", OrderState.EXPIRED: "too_late"}
    if order.state in reasons:
        refunding.refund_order(order.id, reasons[order.state], SYSTEM)


# --- without notice ---------------------------------------------------------------------------------------------------


def keep_asking() -> None:
    """Ask about disputes whose notices may have been lost: those not asked about for the longest time."""
    if not door.takes_cards():
        return
    for external_id in _due():
        try:
            follow(external_id)
        except (GatewayUnavailable, GatewayRefused, Busy):
            continue


def _due() -> list[str]:
    at = clock.now()
    is_open = Dispute.state.in_(OPEN) & (Dispute.asked_at < at - PAUSE)
    may_turn = (Dispute.closed_at > at - MAY_TURN_FOR) & (Dispute.asked_at < at - LONG_PAUSE)
    with transaction():
        rows: list[Any] = list(
            db.session.execute(
                select(Dispute.id, Dispute.external_id)
                .where(Dispute.asked_at.is_(None) | is_open | may_turn)
                .order_by(Dispute.asked_at.nulls_first(), Dispute.id)
                .limit(MOST_ASKED)
            )
        )
        if rows:
            db.session.execute(
                update(Dispute)
                .where(Dispute.id.in_([row.id for row in rows]))
                .values(asked_at=at)
                .execution_options(synchronize_session=False)
            )
    return [row.external_id for row in rows]
